/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_search.c - which slots of Linux's bounce buffers a request gets, and how they are freed.
 *
 * Concept: a slot knows how many free ones begin with it, up to the end of its segment, so one
 * comparison says whether a run begins there. An area is walked once around from where the last
 * search in it ended; slots of the wrong alignment are passed over one by one, the others in
 * strides. 6.12 counts what it has passed; 6.1 begins at a multiple of the stride and goes on until
 * it is there again, which need not come: then it searches for ever, its lock held. The areas are
 * tried from the CPU's on. 5.15 has one area and is taken to search as 6.1.
 *
 * Invariants: 1. list is 0 for a slot in use, else one more than its successor's in the segment
 * (or 1 at its end); 2. the used counts of the areas add up to the slots whose list is 0; 3. an
 * area counts what was taken in it, though a run may end in the next one where areas are smaller
 * than segments.
 *
 * Failure: a request that finds nothing changes nothing.
 *
 * Shortcomings: Linux 6.1 takes a pool that is no multiple of 128 slots to have a whole last
 * segment; here it ends where it ends.
 */
#include "../src/base/bits.h"
#include "pzl_swiotlb.h"

/* The rules for one request, as they differ by version. */
struct search_rules {
	uint32_t slots;
	uint32_t stride;
	uint64_t clear; /* bits of a slot's bus address that must be 0 */
	uint64_t same;	/* bits in which it must be as the memory */
	uint64_t bus;	/* of the first slot, within the boundary */
	uint64_t bound; /* slots of the boundary */
};

/* 6.1: only what the device wants kept is held against slots, the rest is a matter of strides. */
static void search_rules_61(const struct pzl_swiotlb_dev *dev, const struct swiotlb_want *w,
			    struct search_rules *r)
{
	unsigned int page_shift = dev->mem->sw->cfg.page_shift;
	uint64_t align = w->align_mask | SWIOTLB_MASK, keep = dev->cfg.keep_mask & ~align;
	uint64_t stride = (keep >> PZL_SWIOTLB_SHIFT) + 1;

	if (w->bytes >= (uint64_t)1 << page_shift)
		stride <<= page_shift - PZL_SWIOTLB_SHIFT;
	if (stride < (align >> PZL_SWIOTLB_SHIFT) + 1)
		stride = (align >> PZL_SWIOTLB_SHIFT) + 1;
	r->clear = 0;
	r->same = w->orig ? keep : 0;
	r->stride = (uint32_t)stride;
}

/* 6.12: the buffer's own alignment, and what the device wants kept beyond that. */
static void search_rules_612(const struct pzl_swiotlb_dev *dev, const struct swiotlb_want *w,
			     struct search_rules *r)
{
	uint64_t page = (uint64_t)1 << dev->mem->sw->cfg.page_shift;
	uint64_t align = w->align_mask, keep = dev->cfg.keep_mask;

	if (!align && !keep && w->bytes >= page)
		align = page - 1;
	align |= SWIOTLB_MASK;
	keep &= ~align;
	r->clear = align;
	r->same = w->orig ? keep : 0;
	r->stride = (uint32_t)((align > keep ? align : keep) >> PZL_SWIOTLB_SHIFT) + 1;
}

static void search_rules(const struct pzl_swiotlb_dev *dev, const struct pzl_swiotlb_pool *pool,
			 const struct swiotlb_want *w, struct search_rules *r)
{
	uint64_t boundary = dev->cfg.boundary ? dev->cfg.boundary - 1 : UINT64_MAX;

	r->slots = (uint32_t)pzl_swiotlb_nslots(w->bytes);
	r->bus = pzl_swiotlb_bus(dev, pool->start) & boundary;
	r->bound = (boundary >> PZL_SWIOTLB_SHIFT) + 1;
	if (pzl_swiotlb_is_612(dev->mem->sw))
		search_rules_612(dev, w, r);
	else
		search_rules_61(dev, w, r);
}

static bool search_aligned(const struct search_rules *r, const struct swiotlb_want *w,
			   uint32_t slot)
{
	uint64_t at = r->bus + ((uint64_t)slot << PZL_SWIOTLB_SHIFT);

	return !(at & r->clear) && !((at ^ w->orig) & r->same);
}

/* Whether a run crosses the device's boundary; both are counted in slots. */
static bool search_crosses(const struct search_rules *r, uint32_t slot)
{
	uint64_t in = (pzl_swiotlb_nslots(r->bus) + slot) & (r->bound - 1);

	return in + r->slots > r->bound;
}

static uint32_t search_wrap(const struct pzl_swiotlb_pool *pool, uint32_t index)
{
	return index >= pool->area_slots ? 0 : index;
}

/* Count the free slots before one anew, from @count after them on. */
static void search_recount(struct pzl_swiotlb_pool *pool, uint32_t slot, uint32_t count)
{
	while (slot & (PZL_SWIOTLB_SEGMENT - 1)) {
		slot--;
		if (!pool->slot[slot].list)
			break;
		pool->slot[slot].list = (uint16_t)++count;
	}
}

static void search_take(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool, uint32_t slot,
			const struct swiotlb_want *w, uint32_t n)
{
	uint64_t left = w->bytes - pzl_swiotlb_offset(dev, w->orig, 0);

	for (uint32_t i = 0; i < n; i++) {
		pool->slot[slot + i].list = 0;
		pool->slot[slot + i].size = left - ((uint64_t)i << PZL_SWIOTLB_SHIFT);
	}
	pool->slot[slot].head = true;
	search_recount(pool, slot, 0);
}

/* Take the slots that were found at @index of an area. */
static uint32_t search_found(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool,
			     uint32_t area, uint32_t index, const struct swiotlb_want *w,
			     uint32_t n)
{
	struct pzl_swiotlb_area *a = &pool->area[area];
	uint32_t slot = area * pool->area_slots + index;

	search_take(dev, pool, slot, w, n);
	a->index = search_wrap(pool, index + n);
	a->used += n;
	dev->mem->used += n;
	if (dev->mem->used > dev->mem->used_most)
		dev->mem->used_most = dev->mem->used;
	return slot;
}

static void search_hangs(const struct pzl_swiotlb_dev *dev, uint32_t area)
{
	dev->mem->sw->hung = true;
	pz_bug(dev->mem->sw->cfg.bugs, "swiotlb_do_find_slots",
	       "area %u is searched for ever, with its lock held: the kernel hangs", area);
}

uint32_t pzl_swiotlb_search_area(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool,
				 uint32_t area, const struct swiotlb_want *w)
{
	const struct pzl_swiotlb_area *a = &pool->area[area];
	bool counts = pzl_swiotlb_is_612(dev->mem->sw);
	struct search_rules r;
	uint32_t index = a->index, first, step;

	search_rules(dev, pool, w, &r);
	/* A 32-bit difference, as the kernel's. */
	if (r.slots > pool->area_slots - a->used)
		return SWIOTLB_NONE;
	if (!counts)
		index = search_wrap(pool, (index + r.stride - 1) & ~(r.stride - 1));
	first = index;
	/* No walk that comes back to its beginning has more steps than there are slots. */
	for (uint64_t seen = 0; seen < pool->area_slots; seen += counts ? step : 1) {
		uint32_t slot = area * pool->area_slots + index;

		step = 1;
		if (search_aligned(&r, w, slot)) {
			if (!search_crosses(&r, slot) && pool->slot[slot].list >= r.slots)
				return search_found(dev, pool, area, index, w, r.slots);
			step = r.stride;
		}
		index = search_wrap(pool, index + step);
		if (!counts && index == first)
			return SWIOTLB_NONE;
	}
	if (!counts)
		search_hangs(dev, area);
	return SWIOTLB_NONE;
}

/* One pool: its areas, around from the CPU's. */
static uint32_t search_pool(struct pzl_swiotlb_dev *dev, uint32_t cpu, const struct swiotlb_want *w,
			    struct pzl_swiotlb_pool *pool)
{
	uint32_t first = cpu & (pool->areas - 1), slot;

	for (uint32_t i = 0; i < pool->areas; i++) {
		uint32_t area = first + i < pool->areas ? first + i : first + i - pool->areas;

		slot = pzl_swiotlb_search_area(dev, pool, area, w);
		if (slot != SWIOTLB_NONE || dev->mem->sw->hung)
			return slot;
	}
	return SWIOTLB_NONE;
}

/* 6.12 that can grow: the CPU's area of each pool, then the next area of each. */
static uint32_t search_pools(struct pzl_swiotlb_dev *dev, uint32_t cpu,
			     const struct swiotlb_want *w, struct pzl_swiotlb_pool **pool)
{
	struct pzl_swiotlb_mem *mem = dev->mem;
	uint32_t rounds = mem->sw->default_areas ? mem->sw->default_areas : 1, slot;

	for (uint32_t i = 0; i < rounds; i++) {
		for (struct pzl_swiotlb_pool *p = mem->pools; p; p = p->next) {
			if (i >= p->areas)
				continue;
			slot = pzl_swiotlb_search_area(dev, p, (cpu + i) & (p->areas - 1), w);
			if (slot != SWIOTLB_NONE) {
				*pool = p;
				return slot;
			}
		}
	}
	return SWIOTLB_NONE;
}

uint32_t pzl_swiotlb_search(struct pzl_swiotlb_dev *dev, uint32_t cpu, const struct swiotlb_want *w,
			    struct pzl_swiotlb_pool **pool)
{
	const struct pzl_swiotlb *sw = dev->mem->sw;
	uint32_t slot;

	if (pzl_swiotlb_nslots(w->bytes) > UINT32_MAX / 2)
		return SWIOTLB_NONE;
	if (!pzl_swiotlb_is_612(sw) || !sw->cfg.dynamic) {
		*pool = dev->mem->pools;
		return search_pool(dev, cpu, w, *pool);
	}
	if (w->bytes > (uint64_t)PZL_SWIOTLB_SEGMENT << PZL_SWIOTLB_SHIFT)
		return SWIOTLB_NONE;
	slot = search_pools(dev, cpu, w, pool);
	if (slot == SWIOTLB_NONE && dev->mem->can_grow)
		slot = pzl_swiotlb_grow(dev, w, pool);
	return slot;
}

bool pzl_swiotlb_put(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool, uint64_t buffer)
{
	uint64_t offset = pzl_swiotlb_offset(dev, buffer, 0), count = 0, n;
	uint32_t slot = (uint32_t)((buffer - offset - pool->start) >> PZL_SWIOTLB_SHIFT), end;

	if (buffer - pool->start < offset || pool->slot[slot].pad > slot)
		return false;
	slot -= pool->slot[slot].pad;
	if (!pool->slot[slot].head)
		return false;
	n = pzl_swiotlb_nslots(pool->slot[slot].size + offset);
	end = (slot | (PZL_SWIOTLB_SEGMENT - 1)) + 1;
	if (end > pool->slots)
		end = pool->slots;
	if (slot + n < end)
		count = pool->slot[slot + n].list;
	for (uint64_t i = slot + n; i-- > slot;) {
		pool->slot[i].list = (uint16_t)++count;
		pool->slot[i].orig = PZ_ADDR_MAX;
		pool->slot[i].size = 0;
		pool->slot[i].pad = 0;
	}
	pool->slot[slot].head = false;
	search_recount(pool, slot, (uint32_t)count);
	pool->area[(uint32_t)pz_udiv64(slot, pool->area_slots)].used -= (uint32_t)n;
	dev->mem->used -= n;
	return true;
}
