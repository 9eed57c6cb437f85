/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.c - where things lie in a slab.
 *
 * Concept
 *  A slot holds, in this order: left red zone, object, right red zone, seal (unless it lies in the
 *  object), records of users, padding. The seal lies in the middle of the object where nobody looks
 *  at a free object, and behind it where somebody does: readers of an RCU cache, a constructor's
 *  work, poison. A slab is of the smallest order that holds enough objects with little waste; one
 *  of a few more than SLAB_SMALL objects has just these, for its state is one word then.
 *  A boundary that a slab would cross makes objects aligned to the power of two above their size,
 *  which no boundary that an object fits in can cut.
 *
 * Invariants, which pz_slab_layout_wrong() verifies of a layout from elsewhere
 *  1. slots lie in the slab, parts of a slot in the slot, and none overlaps another;
 *  2. objects are aligned as asked, with every debug option.
 */
#include "slab_internal.h"

#define LAYOUT_MAX_ORDER 3u /* above it only for objects that need it */
#define LAYOUT_ENOUGH 16u   /* objects in a slab */
#define LAYOUT_WASTE 8u	    /* a part of so many may be wasted */

static uint32_t layout_up(uint32_t v, uint32_t pow2)
{
	return (v + pow2 - 1) & ~(pow2 - 1);
}

/* The smallest order of a slab that holds @bytes. */
static unsigned int layout_order_of(const struct pz_slabs *s, uint32_t bytes)
{
	unsigned int order = 0;

	while ((uint64_t)1 << (order + s->cfg.page_shift) < bytes)
		order++;
	return order;
}

static uint32_t layout_fit(const struct pz_slabs *s, unsigned int order, uint32_t stride)
{
	uint32_t n = (uint32_t)pz_udiv64((uint64_t)1 << (order + s->cfg.page_shift), stride);

	return n < SLAB_MAX_OBJECTS ? n : SLAB_MAX_OBJECTS;
}

/* Choose the order. @max: no slab may be larger. */
static void layout_choose(const struct pz_slabs *s, unsigned int max, struct pz_slab_layout *l)
{
	unsigned int best, order;

	l->min_order = layout_order_of(s, l->stride);
	l->min_objects = layout_fit(s, l->min_order, l->stride);
	if (max < l->min_order)
		max = l->min_order;
	best = l->min_order;
	for (order = l->min_order; order <= max; order++) {
		uint32_t bytes = (uint32_t)1 << (order + s->cfg.page_shift);
		uint32_t n = layout_fit(s, order, l->stride);

		if (bytes - n * l->stride > bytes / LAYOUT_WASTE)
			continue;
		best = order;
		if (n >= LAYOUT_ENOUGH)
			break;
	}
	l->order = best;
	l->objects = layout_fit(s, best, l->stride);
	if (l->objects > SLAB_SMALL && l->objects - SLAB_SMALL <= l->objects / 32)
		l->objects = SLAB_SMALL;
	if (l->order == l->min_order)
		l->min_objects = l->objects;
}

int pz_slab_lay_out(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg,
		    uint32_t debug, uint64_t boundary, uint32_t *align, struct pz_slab_layout *out,
		    const char **why)
{
	const uint32_t word = sizeof(slab_word);
	uint64_t page = (uint64_t)1 << s->cfg.page_shift, pow2 = page;
	unsigned int max = LAYOUT_MAX_ORDER;
	struct pz_slab_layout l = { 0 };
	uint32_t size = layout_up(cfg->size, word);

	if (boundary && cfg->size > boundary) {
		*why = "an object is larger than the boundary that it must not cross";
		return -PZ_ERANGE;
	}
	/* A slab within the boundary needs no more. Debug options take 128 bytes and two units of
	 * the alignment at most. */
	if (boundary && (boundary < page << LAYOUT_MAX_ORDER ||
			 size + 2 * (uint64_t)*align + 128 > page << LAYOUT_MAX_ORDER)) {
		if (boundary >= page && boundary < page << LAYOUT_MAX_ORDER && !debug &&
		    size <= boundary / LAYOUT_ENOUGH && *align <= boundary / LAYOUT_ENOUGH) {
			max = layout_order_of(s, (uint32_t)boundary);
		} else {
			(void)pz_roundup_pow2(cfg->size, &pow2);
			if (*align < pow2)
				*align = (uint32_t)pow2;
		}
	}
	if ((debug & PZ_SLAB_DEBUG_RED_ZONE) && size == cfg->size)
		size += word;
	l.inuse = size;
	if ((cfg->flags & PZ_SLAB_RCU) || cfg->ctor || (debug & PZ_SLAB_DEBUG_POISON) ||
	    ((debug & PZ_SLAB_DEBUG_RED_ZONE) && cfg->size < word)) {
		l.seal = size;
		size += word;
	} else {
		l.seal = cfg->size / 2 & ~(word - 1);
	}
	if (debug & PZ_SLAB_DEBUG_USERS) {
		size = layout_up(size, 8);
		l.track = size;
		size += 2 * PZ_SLAB_TRACK;
	}
	if (debug & PZ_SLAB_DEBUG_RED_ZONE) {
		l.red_left = layout_up(word, *align);
		size += word + l.red_left;
	}
	l.stride = layout_up(size, *align);
	if (layout_order_of(s, l.stride) > PZ_SLAB_MAX_ORDER) {
		*why = "a slot is larger than the largest slab";
		return -PZ_EINVAL;
	}
	layout_choose(s, max, &l);
	*out = l;
	return 0;
}

static bool layout_holds(const struct pz_slabs *s, uint32_t order, uint32_t objects,
			 uint32_t stride)
{
	return order <= PZ_SLAB_MAX_ORDER && objects && objects <= SLAB_MAX_OBJECTS &&
	       (uint64_t)objects * stride <= (uint64_t)1 << (order + s->cfg.page_shift);
}

/* Whether an object of a slab crosses a multiple of a boundary; a slab is aligned to its size. */
static bool layout_crosses(const struct pz_slabs *s, uint32_t size, uint64_t boundary,
			   const struct pz_slab_layout *l)
{
	uint32_t at = l->red_left;

	if (!boundary || boundary >= (uint64_t)1 << (l->order + s->cfg.page_shift))
		return false;
	for (uint32_t i = 0; i < l->objects; i++, at += l->stride) {
		if ((at & (boundary - 1)) + size > boundary)
			return true;
	}
	return false;
}

/* What is wrong with a layout that was given; NULL for nothing. */
const char *pz_slab_layout_wrong(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg,
				 uint32_t debug, uint64_t boundary, uint32_t align,
				 const struct pz_slab_layout *l)
{
	const uint32_t word = sizeof(slab_word);
	bool outside = l->seal >= l->inuse;
	uint64_t end = outside ? (uint64_t)l->seal + word : l->inuse;
	uint64_t within = debug & PZ_SLAB_DEBUG_RED_ZONE ? cfg->size : l->inuse;

	if (!l->stride || (l->stride & (align - 1)) || (l->red_left & (align - 1)))
		return "the layout's stride or left red zone is no multiple of the alignment";
	if (l->inuse < cfg->size)
		return "the layout's object is smaller than the cache's";
	if (l->seal & (word - 1) || (!outside && (uint64_t)l->seal + word > within))
		return "the layout's seal does not lie in a word of its own";
	if (!outside && ((cfg->flags & PZ_SLAB_RCU) || cfg->ctor || (debug & PZ_SLAB_DEBUG_POISON)))
		return "the layout's seal lies in an object whose contents must stay";
	if (debug & PZ_SLAB_DEBUG_RED_ZONE && (!l->red_left || l->inuse == cfg->size))
		return "the layout has no room for red zones";
	if (debug & PZ_SLAB_DEBUG_USERS) {
		if (!l->track || (l->track & 7) || l->track < end)
			return "the layout has no room for records of users";
		end = (uint64_t)l->track + 2 * PZ_SLAB_TRACK;
	}
	if (l->red_left + end > l->stride)
		return "the layout's slots are too small";
	if (!layout_holds(s, l->order, l->objects, l->stride) ||
	    !layout_holds(s, l->min_order, l->min_objects, l->stride) || l->min_order > l->order)
		return "the layout's slabs do not hold their objects";
	if (layout_crosses(s, cfg->size, boundary, l))
		return "the layout's objects cross the boundary that they must not cross";
	return NULL;
}
