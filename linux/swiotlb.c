/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb.c - the pools of a Linux kernel's bounce buffers: made, given back, and told of.
 *
 * Concept: early or late, a pool is made of what the settings (swiotlb_size.c) ask for, smaller
 * where memory is short.
 *
 * Invariants: 1. areas are a power of two until a pool turns out smaller than they ask for.
 *
 * Failure: what cannot be had is not there; the settings stay as they were changed.
 *
 * Shortcomings: records come from the metadata hook, so they take no early memory. That the remap
 * of memory shared by a guest fails is not modelled.
 */
#include <physzone/fmt.h>
#include <physzone/linux/gfp.h>

#include "../src/base/bits.h"
#include "../src/base/pz_string.h"
#include "pzl_swiotlb.h"

#define SWIOTLB_4G 0x100000000ull

typedef unsigned long long swiotlb_ull;

int pzl_swiotlb_create(struct pzl_swiotlb *sw, const struct pzl_swiotlb_config *cfg)
{
	if (!pzl_model_facts(cfg->model) || cfg->page_shift < 12 || cfg->page_shift > 16 ||
	    !cfg->cpus || !cfg->meta || cfg->max_order > PZ_PAGE_MAX_ORDER)
		return -PZ_EINVAL;
	pzl_swiotlb_settings(sw, cfg);
	return 0;
}

void pzl_swiotlb_destroy(struct pzl_swiotlb *sw)
{
	pzl_swiotlb_release(&sw->mem);
}

struct pzl_swiotlb_pool *pzl_swiotlb_pool_make(const struct pzl_swiotlb *sw, uint64_t start,
					       uint32_t slots, uint32_t areas)
{
	const struct pz_meta *meta = sw->cfg.meta;
	struct pzl_swiotlb_pool *p;

	if ((uint64_t)slots * sizeof(*p->slot) > SIZE_MAX / 2)
		return NULL;
	p = meta->alloc(meta->ctx, sizeof(*p));
	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->start = start;
	p->slots = slots;
	p->areas = areas;
	p->area_slots = (uint32_t)pz_udiv64(slots, areas);
	p->slot = meta->alloc(meta->ctx, (size_t)slots * sizeof(*p->slot));
	p->area = meta->alloc(meta->ctx, (size_t)areas * sizeof(*p->area));
	if (!p->slot || !p->area) {
		pzl_swiotlb_pool_drop(sw, p, false);
		return NULL;
	}
	memset(p->slot, 0, (size_t)slots * sizeof(*p->slot));
	memset(p->area, 0, (size_t)areas * sizeof(*p->area));
	for (uint32_t i = 0; i < slots; i++) {
		uint32_t left = PZL_SWIOTLB_SEGMENT - (i & (PZL_SWIOTLB_SEGMENT - 1));

		p->slot[i].list = (uint16_t)(left < slots - i ? left : slots - i);
		p->slot[i].orig = PZ_ADDR_MAX;
	}
	return p;
}

void pzl_swiotlb_pool_drop(const struct pzl_swiotlb *sw, struct pzl_swiotlb_pool *p, bool memory)
{
	const struct pz_meta *meta = sw->cfg.meta;

	if (memory && p->from == PZL_SWIOTLB_FROM_PAGES)
		pz_free_pages(sw->cfg.pages, PZ_CPU_NONE, p->start >> sw->cfg.page_shift, p->order);
	if (memory && p->from == PZL_SWIOTLB_FROM_ATOMIC)
		sw->cfg.hooks.atomic_free(sw->cfg.hooks.ctx, p->start,
					  (uint64_t)p->slots << PZL_SWIOTLB_SHIFT);
	if (p->slot)
		meta->free(meta->ctx, p->slot, (size_t)p->slots * sizeof(*p->slot));
	if (p->area)
		meta->free(meta->ctx, p->area, (size_t)p->areas * sizeof(*p->area));
	meta->free(meta->ctx, p, sizeof(*p));
}

void pzl_swiotlb_release(struct pzl_swiotlb_mem *mem)
{
	struct pzl_swiotlb *sw = mem->sw;
	struct pzl_swiotlb_pool *lists[] = { mem->pools, mem->transient };

	for (unsigned int i = 0; i < 2; i++) {
		for (struct pzl_swiotlb_pool *p = lists[i], *next; p; p = next) {
			next = p->next;
			pzl_swiotlb_pool_drop(sw, p, true);
		}
	}
	memset(mem, 0, sizeof(*mem));
	mem->sw = sw;
}

/* The first pool of the machine. */
static int swiotlb_begin(struct pzl_swiotlb *sw, uint64_t start, uint32_t slots, uint32_t areas,
			 enum pzl_swiotlb_from from, unsigned int order)
{
	struct pzl_swiotlb_pool *p = pzl_swiotlb_pool_make(sw, start, slots, areas);

	if (!p)
		return -PZ_ENOMEM;
	p->from = (uint8_t)from;
	p->order = (uint8_t)order;
	sw->mem.pools = p;
	sw->mem.slots = slots;
	return 0;
}

static void swiotlb_may_grow(struct pzl_swiotlb *sw, uint64_t limit)
{
	sw->mem.can_grow = pzl_swiotlb_is_612(sw) && sw->cfg.dynamic && !sw->cfg.encrypted;
	sw->mem.phys_limit = limit;
}

/* Memory of a number of slots, or of fewer. */
static int swiotlb_early(struct pzl_swiotlb *sw, struct pz_memblock *mb, uint32_t flags,
			 uint64_t *slots, struct pz_range *at)
{
	uint64_t page = (uint64_t)1 << sw->cfg.page_shift;
	struct pz_mb_req req = pz_mb_req(page, page);

	/* The kernel takes this limit for an exclusive end: the page below it is left. */
	if (!(flags & PZL_SWIOTLB_ANY))
		req.max_addr = sw->cfg.low_last - 1;
	for (uint64_t bytes = *slots << PZL_SWIOTLB_SHIFT; bytes;
	     bytes = pzl_swiotlb_halve(sw->cfg.model, bytes)) {
		*slots = bytes >> PZL_SWIOTLB_SHIFT;
		req.size = pz_round_down(bytes + page - 1, page);
		if (*slots <= UINT32_MAX && !pz_memblock_alloc(mb, &req, at))
			return 0;
		pzl_swiotlb_say_refused(sw, req.size);
	}
	return -PZ_ENOMEM;
}

int pzl_swiotlb_init(struct pzl_swiotlb *sw, struct pz_memblock *mb, bool limited, uint32_t flags)
{
	uint64_t slots;
	struct pz_range at;
	uint32_t areas;

	if ((!limited && !sw->force) || sw->noforce)
		return -PZ_ENOENT;
	if (sw->mem.slots)
		return -PZ_EEXIST;
	sw->mem.force = sw->force || (flags & PZL_SWIOTLB_FORCE);
	swiotlb_may_grow(sw, flags & PZL_SWIOTLB_ANY ? sw->cfg.high_first - 1 : sw->cfg.low_last);
	if (pzl_swiotlb_has_areas(sw->cfg.model) && !sw->default_areas)
		pzl_swiotlb_set_areas(sw, sw->cfg.cpus);
	slots = sw->default_slots;
	if (swiotlb_early(sw, mb, flags, &slots, &at))
		return -PZ_ENOMEM;
	pzl_swiotlb_shrunk(sw, slots);
	areas = sw->default_areas ? sw->default_areas : 1;
	/* 6.1 divides what was shrunk into as many areas as before. */
	if (pzl_swiotlb_is_612(sw))
		areas = pzl_swiotlb_limit_areas(areas, slots);
	if (swiotlb_begin(sw, at.first, (uint32_t)slots, areas, PZL_SWIOTLB_FROM_MEMBLOCK, 0)) {
		sw->panicked = !pzl_swiotlb_has_areas(sw->cfg.model);
		pz_memblock_free(mb, at.first, at.last - at.first + 1);
		return -PZ_ENOMEM;
	}
	if (flags & PZL_SWIOTLB_VERBOSE)
		pzl_swiotlb_print(sw);
	return 0;
}

unsigned int pzl_swiotlb_order(const struct pzl_swiotlb *sw, uint64_t bytes)
{
	uint64_t pages = bytes ? (bytes - 1) >> sw->cfg.page_shift : 0;

	return pages ? pz_fls64(pages) + 1 : 0;
}

int pzl_swiotlb_pages(const struct pzl_swiotlb *sw, uint32_t gfp, unsigned int order,
		      uint64_t *start)
{
	struct pz_page_req req;
	uint64_t pfn;

	if (!sw->cfg.pages || order > sw->cfg.max_order)
		return -PZ_ENOMEM;
	pz_page_req_init(sw->cfg.pages, &req, order, 0, PZ_CPU_NONE);
	pzl_gfp_request(gfp, sw->cfg.model, sw->cfg.configured, &req);
	if (pz_page_request(sw->cfg.pages, &req, &pfn))
		return -PZ_ENOMEM;
	*start = pfn << sw->cfg.page_shift;
	return 0;
}

/* Below what a zone's flag stands for, pools are added. */
static uint64_t swiotlb_late_limit(const struct pzl_swiotlb *sw, uint32_t gfp)
{
	if ((gfp & PZL_GFP_DMA) && (sw->cfg.configured & PZL_ZONE_BIT(PZ_ZONE_DMA)))
		return sw->cfg.zone_limit;
	if ((gfp & PZL_GFP_DMA32) && (sw->cfg.configured & PZL_ZONE_BIT(PZ_ZONE_DMA32)))
		return sw->cfg.zone_limit > SWIOTLB_4G - 1 ? sw->cfg.zone_limit : SWIOTLB_4G - 1;
	return sw->cfg.high_first - 1;
}

int pzl_swiotlb_init_late(struct pzl_swiotlb *sw, uint64_t bytes, uint32_t gfp)
{
	unsigned int per_page = sw->cfg.page_shift - PZL_SWIOTLB_SHIFT, order, first;
	uint64_t slots = (bytes >> PZL_SWIOTLB_SHIFT) + PZL_SWIOTLB_SEGMENT - 1, start = 0;
	int rc = -PZ_ENOMEM;

	if (sw->noforce || sw->mem.slots)
		return 0;
	if (!sw->cfg.pages)
		return -PZ_EINVAL;
	if (pzl_swiotlb_has_areas(sw->cfg.model) && !sw->default_areas)
		pzl_swiotlb_set_areas(sw, sw->cfg.cpus);
	slots = pz_round_down(slots, PZL_SWIOTLB_SEGMENT);
	first = order = pzl_swiotlb_order(sw, slots << PZL_SWIOTLB_SHIFT);
	for (; (uint64_t)1 << (order + per_page) > PZL_SWIOTLB_MIN_SLOTS; order--) {
		rc = pzl_swiotlb_pages(sw, gfp | PZL_GFP_NOWARN, order, &start);
		if (!rc)
			break;
	}
	if (rc)
		return rc;
	if (order != first)
		pzl_swiotlb_say(sw, "only able to allocate %llu MB",
				(swiotlb_ull)(((uint64_t)1 << (order + sw->cfg.page_shift)) >> 20));
	slots = (uint64_t)1 << (order + per_page);
	rc = swiotlb_begin(
		sw, start, (uint32_t)slots,
		pzl_swiotlb_limit_areas(sw->default_areas ? sw->default_areas : 1, slots),
		PZL_SWIOTLB_FROM_PAGES, order);
	if (rc) {
		pz_free_pages(sw->cfg.pages, PZ_CPU_NONE, start >> sw->cfg.page_shift, order);
		return rc;
	}
	sw->mem.force = sw->force;
	swiotlb_may_grow(sw, swiotlb_late_limit(sw, gfp));
	pzl_swiotlb_print(sw);
	return 0;
}

/* Whole pages of early memory go to the page allocator. */
static void swiotlb_free_early(const struct pzl_swiotlb *sw, const struct pzl_swiotlb_pool *p)
{
	uint64_t last = p->start + ((uint64_t)p->slots << PZL_SWIOTLB_SHIFT) - 1;
	struct pz_range pfns = { p->start >> sw->cfg.page_shift, last >> sw->cfg.page_shift };

	if (sw->cfg.pages && p->from == PZL_SWIOTLB_FROM_MEMBLOCK &&
	    pz_pages_add(sw->cfg.pages, pfns))
		pz_bug(sw->cfg.bugs, "pzl_swiotlb_exit",
		       "pages from 0x%llx on cannot be given back", (swiotlb_ull)p->start);
}

void pzl_swiotlb_exit(struct pzl_swiotlb *sw)
{
	if (sw->force || !sw->mem.slots)
		return;
	pzl_swiotlb_say(sw, "tearing down default memory pool");
	for (struct pzl_swiotlb_pool *p = sw->mem.pools; p; p = p->next)
		swiotlb_free_early(sw, p);
	pzl_swiotlb_release(&sw->mem);
}

void pzl_swiotlb_print(const struct pzl_swiotlb *sw)
{
	const struct pzl_swiotlb_pool *p = sw->mem.pools;

	while (p && p->next) /* the first one */
		p = p->next;
	pzl_swiotlb_say_mapped(sw, p ? p->start : 0,
			       p ? (uint64_t)p->slots << PZL_SWIOTLB_SHIFT : 0);
}

int pzl_swiotlb_restrict(struct pzl_swiotlb_mem *mem, struct pzl_swiotlb *sw, struct pz_range at)
{
	uint64_t slots = at.last < at.first ? 0 : (at.last - at.first + 1) >> PZL_SWIOTLB_SHIFT;
	struct pzl_swiotlb_pool *p;

	if (!slots || slots > UINT32_MAX || at.first >= sw->cfg.high_first)
		return -PZ_EINVAL;
	p = pzl_swiotlb_pool_make(sw, at.first, (uint32_t)slots, 1);
	if (!p)
		return -PZ_ENOMEM;
	p->from = PZL_SWIOTLB_FROM_RESERVED;
	memset(mem, 0, sizeof(*mem));
	mem->sw = sw;
	mem->pools = p;
	mem->slots = slots;
	mem->force = true;
	mem->for_alloc = true;
	return 0;
}

void pzl_swiotlb_debugfs(const struct pzl_swiotlb_mem *mem, pzl_emit_fn emit, void *ctx)
{
	bool hiwater = pzl_swiotlb_is_612(mem->sw);
	const struct {
		const char *name;
		uint64_t value;
		bool shown;
	} file[] = {
		{ "io_tlb_nslabs", mem->slots, true },
		{ "io_tlb_used", mem->used, true },
		{ "io_tlb_used_hiwater", mem->used_most, hiwater },
		{ "io_tlb_transient_nslabs", mem->transient_slots,
		  hiwater && mem->sw->cfg.dynamic },
	};
	char line[80];

	for (unsigned int i = 0; i < sizeof(file) / sizeof(file[0]); i++)
		if (file[i].shown)
			emit(ctx, line,
			     pz_snprintf(line, sizeof(line), "%s %llu", file[i].name,
					 (swiotlb_ull)file[i].value));
}
