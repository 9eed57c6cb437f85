/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_map.c - Linux's bounce buffers in use: what is copied when, and what is found wrong.
 *
 * Concept: each slot of a buffer knows the memory behind it and how much of the mapping is left
 * from there on, so a part is copied without knowing where the buffer began. 6.1 refuses a part
 * that begins in the low bytes which are kept of the address, in any slot; 6.12 reckons with them.
 *
 * Invariants: 1. a slot that is not part of a mapping has no memory behind it; 2. what is copied
 * never exceeds what the slot says, but where 6.12 and 6.1 let that number wrap.
 *
 * Failure: a part that is refused is not copied, a part that is too long is cut; both are printed.
 *
 * Shortcomings: coherent memory has no memory behind it, so a sync of it copies nothing.
 */
#include "../src/base/bits.h"
#include "../src/base/pz_string.h"
#include "pzl_swiotlb.h"

typedef unsigned long long swiotlb_ull;

void pzl_swiotlb_dev_init(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb *sw, const char *name,
			  unsigned int bits)
{
	memset(dev, 0, sizeof(*dev));
	pz_dma_dev_init(&dev->cfg, name, bits);
	dev->mem = &sw->mem;
}

uint64_t pzl_swiotlb_bus(const struct pzl_swiotlb_dev *dev, uint64_t phys)
{
	return pzl_bus_from_phys(&dev->cfg, phys);
}

uint64_t pzl_swiotlb_phys(const struct pzl_swiotlb_dev *dev, uint64_t bus)
{
	return pzl_bus_to_phys(&dev->cfg, bus);
}

uint64_t pzl_swiotlb_max_mapping(const struct pzl_swiotlb_dev *dev)
{
	uint64_t kept = pzl_swiotlb_nslots(dev->cfg.keep_mask);

	return kept < PZL_SWIOTLB_SEGMENT ? (PZL_SWIOTLB_SEGMENT - kept) << PZL_SWIOTLB_SHIFT : 0;
}

static bool map_in(const struct pzl_swiotlb_pool *p, uint64_t phys)
{
	return phys >= p->start && phys - p->start < (uint64_t)p->slots << PZL_SWIOTLB_SHIFT;
}

struct pzl_swiotlb_pool *pzl_swiotlb_find(const struct pzl_swiotlb_dev *dev, uint64_t phys)
{
	struct pzl_swiotlb_pool *p;

	for (p = dev->mem->pools; p; p = p->next)
		if (map_in(p, phys))
			return p;
	for (p = dev->mem->transient; p; p = p->next)
		if (p->owner == dev && map_in(p, phys))
			return p;
	return NULL;
}

/* Copy; high memory has no address of its own, so each of its pages is mapped for it. */
static void map_copy(const struct pzl_swiotlb_dev *dev, uint64_t orig, uint64_t buffer,
		     uint64_t size, bool to_buffer)
{
	const struct pzl_swiotlb_config *cfg = &dev->mem->sw->cfg;
	uint64_t page = (uint64_t)1 << cfg->page_shift, part = size;

	if (!cfg->hooks.copy)
		return;
	for (; size; size -= part, orig += part, buffer += part) {
		if (orig >= cfg->high_first)
			part = page - (orig & (page - 1));
		if (part > size)
			part = size;
		cfg->hooks.copy(cfg->hooks.ctx, orig, buffer, part, to_buffer);
	}
}

/* How far a part begins behind the memory of its slot; false when 6.1 refuses it. */
static bool map_begin(const struct pzl_swiotlb_dev *dev, const struct pzl_swiotlb_slot *s,
		      uint64_t buffer, uint64_t size, uint64_t *skip)
{
	uint32_t in = (uint32_t)(buffer & SWIOTLB_MASK);
	uint32_t kept = (uint32_t)pzl_swiotlb_offset(dev, s->orig, 0);

	/* May wrap: it is added to and subtracted from numbers that then come right. */
	*skip = (uint64_t)in - kept;
	if (pzl_swiotlb_is_612(dev->mem->sw))
		return true;
	if (in < kept) {
		pzl_swiotlb_dev_say(dev,
				    "Access before mapping start detected. orig offset %u, "
				    "requested offset %u.",
				    kept, in);
		return false;
	}
	if (*skip > s->size) {
		pzl_swiotlb_dev_say(dev,
				    "Buffer overflow detected. Allocation size: %llu. Mapping "
				    "size: %llu+%u.",
				    (swiotlb_ull)s->size, (swiotlb_ull)size, in - kept);
		return false;
	}
	return true;
}

/* Copy a part of a buffer, one way. */
static void map_bounce(const struct pzl_swiotlb_dev *dev, const struct pzl_swiotlb_pool *p,
		       uint64_t buffer, uint64_t size, bool to_buffer)
{
	const struct pzl_swiotlb_slot *s = &p->slot[(buffer - p->start) >> PZL_SWIOTLB_SHIFT];
	uint64_t skip, left;

	if (s->orig == PZ_ADDR_MAX || !map_begin(dev, s, buffer, size, &skip))
		return;
	left = s->size - skip;
	if (size > left) {
		pzl_swiotlb_dev_say(dev,
				    "Buffer overflow detected. Allocation size: %llu. Mapping "
				    "size: %llu.",
				    (swiotlb_ull)left, (swiotlb_ull)size);
		size = left;
	}
	map_copy(dev, s->orig + skip, buffer, size, to_buffer);
}

/* What a request takes with the low bits before it and the alignment behind it. */
static uint64_t map_bytes(const struct pzl_swiotlb_dev *dev, uint64_t offset, uint64_t size,
			  uint64_t align_mask)
{
	/* 6.1 aligns the size of the mapping, 6.12 that of what is taken. */
	if (pzl_swiotlb_is_612(dev->mem->sw))
		return (offset + size + align_mask) & ~align_mask;
	return offset + ((size + align_mask) & ~align_mask);
}

static void map_full(const struct pzl_swiotlb_dev *dev, uint64_t bytes)
{
	pzl_swiotlb_dev_say(dev,
			    "swiotlb buffer is full (sz: %llu bytes), total %llu (slots), used "
			    "%llu (slots)",
			    (swiotlb_ull)bytes, (swiotlb_ull)dev->mem->slots,
			    (swiotlb_ull)dev->mem->used);
}

uint64_t pzl_swiotlb_tbl_map(struct pzl_swiotlb_dev *dev, uint32_t cpu, uint64_t orig,
			     uint64_t size, uint64_t align_mask, uint32_t attrs)
{
	bool is612 = pzl_swiotlb_is_612(dev->mem->sw);
	struct swiotlb_want w = { .orig = orig, .align_mask = align_mask };
	uint64_t offset = pzl_swiotlb_offset(dev, orig, is612 ? align_mask : 0), n;
	struct pzl_swiotlb_pool *p;
	uint32_t slot, pad;

	if (!dev->mem->slots) {
		pzl_swiotlb_dev_say(dev, "Can not allocate SWIOTLB buffer earlier and can't now "
					 "provide you with the DMA bounce buffer");
		return PZ_DMA_ERROR;
	}
	if (!size || size > UINT64_MAX / 4 || (align_mask & (align_mask + 1)) ||
	    align_mask > UINT32_MAX) {
		pz_bug(dev->mem->sw->cfg.bugs, "pzl_swiotlb_tbl_map",
		       "0x%llx bytes, aligned to 0x%llx", (swiotlb_ull)size,
		       (swiotlb_ull)align_mask);
		return PZ_DMA_ERROR;
	}
	w.bytes = map_bytes(dev, offset, size, align_mask);
	slot = pzl_swiotlb_search(dev, cpu, &w, &p);
	if (slot == SWIOTLB_NONE) {
		/* A kernel that hangs says nothing. */
		if (!(attrs & PZ_DMA_NO_WARN) && !dev->mem->sw->hung)
			map_full(dev, is612 ? w.bytes : w.bytes - offset);
		return PZ_DMA_ERROR;
	}
	dev->bounced = true;
	n = pzl_swiotlb_nslots(w.bytes);
	pad = (uint32_t)(offset >> PZL_SWIOTLB_SHIFT);
	offset &= SWIOTLB_MASK;
	for (uint32_t i = pad; i < n; i++)
		p->slot[slot + i].orig = orig + ((uint64_t)(i - pad) << PZL_SWIOTLB_SHIFT);
	p->slot[slot + pad].pad = (uint16_t)pad;
	orig = p->start + ((uint64_t)(slot + pad) << PZL_SWIOTLB_SHIFT) + offset;
	map_bounce(dev, p, orig, size, true);
	return orig;
}

static bool map_direction(const struct pzl_swiotlb_dev *dev, enum pz_dma_dir dir)
{
	if (dir < PZ_DMA_NONE)
		return true;
	pz_bug(dev->mem->sw->cfg.bugs, "pzl_swiotlb", "a mapping without a direction");
	return false;
}

void pzl_swiotlb_sync(struct pzl_swiotlb_dev *dev, uint64_t buffer, uint64_t size,
		      enum pz_dma_dir dir, bool for_device)
{
	struct pzl_swiotlb_pool *p = pzl_swiotlb_find(dev, buffer);

	if (!map_direction(dev, dir) || !p)
		return;
	if (dir == PZ_DMA_BIDIRECTIONAL ||
	    dir == (for_device ? PZ_DMA_TO_DEVICE : PZ_DMA_FROM_DEVICE))
		map_bounce(dev, p, buffer, size, for_device);
}

/* Free what lies at an address of a pool. */
static bool map_free(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *p, uint64_t buffer)
{
	if (!pzl_swiotlb_put(dev, p, buffer)) {
		pz_bug(dev->mem->sw->cfg.bugs, "pzl_swiotlb", "no buffer begins at 0x%llx",
		       (swiotlb_ull)buffer);
		return false;
	}
	if (p->owner)
		pzl_swiotlb_shrink(dev, p);
	return true;
}

void pzl_swiotlb_tbl_unmap(struct pzl_swiotlb_dev *dev, uint64_t buffer, uint64_t size,
			   enum pz_dma_dir dir, uint32_t attrs)
{
	struct pzl_swiotlb_pool *p = pzl_swiotlb_find(dev, buffer);

	if (!map_direction(dev, dir))
		return;
	if (!p) {
		pz_bug(dev->mem->sw->cfg.bugs, "pzl_swiotlb", "no pool has 0x%llx",
		       (swiotlb_ull)buffer);
		return;
	}
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC))
		pzl_swiotlb_sync(dev, buffer, size, dir, false);
	map_free(dev, p, buffer);
}

int pzl_swiotlb_alloc(struct pzl_swiotlb_dev *dev, uint32_t cpu, uint64_t size, uint64_t *phys)
{
	const struct pzl_swiotlb *sw = dev->mem->sw;
	uint64_t page = (uint64_t)1 << sw->cfg.page_shift, at;
	struct swiotlb_want w = { .orig = 0 };
	struct pzl_swiotlb_pool *p;
	uint32_t slot;

	if (!size || size > UINT64_MAX / 4)
		return -PZ_EINVAL;
	if (!dev->mem->slots)
		return -PZ_ENOMEM;
	w.bytes = pz_round_down(size + page - 1, page);
	if (pzl_swiotlb_is_612(sw))
		w.align_mask = (page << pzl_swiotlb_order(sw, w.bytes)) - 1;
	slot = pzl_swiotlb_search(dev, cpu, &w, &p);
	if (slot == SWIOTLB_NONE)
		return -PZ_ENOMEM;
	at = p->start + ((uint64_t)slot << PZL_SWIOTLB_SHIFT);
	if (pzl_swiotlb_is_612(sw) && (at & (page - 1))) {
		pzl_swiotlb_dev_say(dev,
				    "Cannot allocate pages from non page-aligned swiotlb addr "
				    "0x0x%0*llx.",
				    pzl_swiotlb_digits(sw), (swiotlb_ull)at);
		map_free(dev, p, at);
		return -PZ_ENOMEM;
	}
	*phys = at;
	return 0;
}

bool pzl_swiotlb_free(struct pzl_swiotlb_dev *dev, uint64_t phys)
{
	struct pzl_swiotlb_pool *p = pzl_swiotlb_find(dev, phys);

	return p && map_free(dev, p, phys);
}
