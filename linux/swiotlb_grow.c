/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_grow.c - pools that 6.12 adds when its bounce buffers are full (CONFIG_SWIOTLB_DYNAMIC).
 *
 * Concept: a request that finds nothing is served from a pool of its own, made at once without
 * waiting and gone with its mapping; and it wakes a worker, which adds a pool that stays. Both are
 * taken from the zone that their limit stands for, and, when that lies too high, from DMA32 and
 * DMA.
 *
 * Invariants: 1. a transient pool has one area, the slots of its mapping, and that mapping.
 *
 * Failure: a request for which nothing can be taken fails as a full pool does.
 *
 * Shortcomings: a transient pool is freed at once and not after a grace period. Pools that stay are
 * searched newest first, which is from memory.
 */
#include <physzone/linux/gfp.h>

#include "../src/base/bits.h"
#include "pzl_swiotlb.h"

#define GROW_4G 0x100000000ull

/* The zone bits that are tried after @gfp, 0 for none. */
static uint32_t grow_lower(const struct pzl_swiotlb_config *cfg, uint32_t gfp, uint64_t limit)
{
	if ((cfg->configured & PZL_ZONE_BIT(PZ_ZONE_DMA32)) && limit < UINT64_MAX &&
	    !(gfp & (PZL_GFP_DMA32 | PZL_GFP_DMA)))
		return PZL_GFP_DMA32;
	if ((cfg->configured & PZL_ZONE_BIT(PZ_ZONE_DMA)) && !(gfp & PZL_GFP_DMA))
		return PZL_GFP_DMA;
	return 0;
}

/* Pages of so many bytes that end at or below a limit. That there are none ends it. */
static int grow_pages(const struct pzl_swiotlb *sw, uint64_t bytes, uint64_t limit, uint32_t gfp,
		      uint64_t *start)
{
	const struct pzl_swiotlb_config *cfg = &sw->cfg;
	unsigned int order = pzl_swiotlb_order(sw, bytes);
	uint32_t zone = 0;

	if (limit <= cfg->zone_limit)
		zone = PZL_GFP_DMA;
	else if (limit < GROW_4G)
		zone = PZL_GFP_DMA32;
	for (;;) {
		if (pzl_swiotlb_pages(sw, gfp | zone, order, start))
			return -PZ_ENOMEM;
		if (*start + bytes - 1 <= limit)
			return 0;
		pz_free_pages(cfg->pages, PZ_CPU_NONE, *start >> cfg->page_shift, order);
		zone = grow_lower(cfg, zone, limit);
		if (!zone)
			return -PZ_ENOMEM;
	}
}

/* Memory for a pool: for encrypted kernels that may not wait, from the pools that are shared. */
static int grow_memory(const struct pzl_swiotlb *sw, uint64_t bytes, uint64_t limit, uint32_t gfp,
		       uint64_t *start, uint8_t *from)
{
	const struct pzl_swiotlb_hooks *h = &sw->cfg.hooks;

	*from = PZL_SWIOTLB_FROM_PAGES;
	if (pzl_gfp_can_block(gfp) || !sw->cfg.atomic_encrypted)
		return grow_pages(sw, bytes, limit, gfp, start);
	*from = PZL_SWIOTLB_FROM_ATOMIC;
	return h->atomic && h->atomic_free ? h->atomic(h->ctx, bytes, start) : -PZ_ENOMEM;
}

/* A pool of @slots, or fewer down to @least. */
static struct pzl_swiotlb_pool *grow_pool(const struct pzl_swiotlb *sw, uint64_t least,
					  uint64_t slots, uint32_t areas, uint64_t limit,
					  uint32_t gfp)
{
	uint64_t most = (uint64_t)1 << (sw->cfg.page_shift + sw->cfg.max_order - PZL_SWIOTLB_SHIFT);
	struct pzl_swiotlb_pool *p;
	uint64_t start = 0;
	uint8_t from;

	/* What is not made smaller here has its areas even where they are less than a segment. */
	if (slots > most) {
		slots = most;
		areas = pzl_swiotlb_limit_areas(areas, slots);
	}
	while (grow_memory(sw, slots << PZL_SWIOTLB_SHIFT, limit, gfp, &start, &from)) {
		if (slots <= least)
			return NULL;
		slots = pzl_swiotlb_half(slots);
		areas = pzl_swiotlb_limit_areas(areas, slots);
	}
	p = pzl_swiotlb_pool_make(sw, start, (uint32_t)slots, areas);
	if (!p && from == PZL_SWIOTLB_FROM_ATOMIC)
		sw->cfg.hooks.atomic_free(sw->cfg.hooks.ctx, start, slots << PZL_SWIOTLB_SHIFT);
	else if (!p)
		pz_free_pages(sw->cfg.pages, PZ_CPU_NONE, start >> sw->cfg.page_shift,
			      pzl_swiotlb_order(sw, slots << PZL_SWIOTLB_SHIFT));
	if (!p)
		return NULL;
	p->from = from;
	p->order = (uint8_t)pzl_swiotlb_order(sw, slots << PZL_SWIOTLB_SHIFT);
	return p;
}

uint32_t pzl_swiotlb_grow(struct pzl_swiotlb_dev *dev, const struct swiotlb_want *w,
			  struct pzl_swiotlb_pool **pool)
{
	struct pzl_swiotlb_mem *mem = dev->mem;
	const struct pzl_swiotlb *sw = mem->sw;
	uint64_t slots = pzl_swiotlb_nslots(w->bytes);
	struct pzl_swiotlb_pool *p;
	uint32_t slot;

	mem->work = true;
	p = grow_pool(sw, slots, slots, 1, pzl_bus_limit(dev->cfg.mask, dev->cfg.bus_limit),
		      pzl_gfp_nowait(sw->cfg.model) | PZL_GFP_NOWARN);
	if (!p)
		return SWIOTLB_NONE;
	slot = pzl_swiotlb_search_area(dev, p, 0, w);
	if (slot == SWIOTLB_NONE) {
		pzl_swiotlb_pool_drop(sw, p, true);
		return slot;
	}
	p->owner = dev;
	p->next = mem->transient;
	mem->transient = p;
	mem->transient_slots += p->slots;
	*pool = p;
	return slot;
}

void pzl_swiotlb_shrink(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool)
{
	struct pzl_swiotlb_mem *mem = dev->mem;
	struct pzl_swiotlb_pool **at = &mem->transient;

	while (*at != pool)
		at = &(*at)->next;
	*at = pool->next;
	mem->transient_slots -= pool->slots;
	pzl_swiotlb_pool_drop(mem->sw, pool, true);
}

int pzl_swiotlb_work(struct pzl_swiotlb_mem *mem)
{
	struct pzl_swiotlb *sw = mem->sw;
	struct pzl_swiotlb_pool *p;

	if (!mem->work)
		return -PZ_ENOENT;
	mem->work = false;
	p = grow_pool(sw, PZL_SWIOTLB_MIN_SLOTS, sw->default_slots,
		      sw->default_areas ? sw->default_areas : 1, mem->phys_limit, PZL_GFP_KERNEL);
	if (!p) {
		pzl_swiotlb_say(sw, "Failed to allocate new pool");
		return -PZ_ENOMEM;
	}
	p->next = mem->pools;
	mem->pools = p;
	mem->slots += p->slots;
	return 0;
}
