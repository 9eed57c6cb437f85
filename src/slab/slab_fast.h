/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_fast.h - the short way of allocating and freeing: a CPU and its magazine.
 *
 * Between slab_enter() and slab_leave() an interrupt handler keeps off the magazine; nobody else
 * ever touches it. Whatever is not plain (an empty or full magazine, a seal that is not as it
 * should be, an address that is no object) is left to the long way, which looks again.
 */
#ifndef PHYSZONE_SLAB_SLAB_FAST_H
#define PHYSZONE_SLAB_SLAB_FAST_H

#include "slab_internal.h"

/* The newest object of a magazine, its seal broken; NULL for the long way. */
static inline void *slab_alloc_fast(struct slab_head *h)
{
	slab_word *seal;
	void **top, *o;

	if (SLAB_UNLIKELY(slab_busy(h)))
		return NULL;
	slab_enter(h);
	top = h->top;
	o = top[-1];
	if (SLAB_UNLIKELY(!o)) {
		slab_leave(h);
		return NULL;
	}
	seal = slab_seal_at(o, h->seal);
	if (SLAB_UNLIKELY(*seal != slab_seal(h->secret, o))) {
		slab_leave(h);
		return NULL;
	}
	slab_set_top(h, top - 1);
	*seal = 0;
	slab_leave(h);
	return o;
}

/*
 * Put an object into a magazine; false for the long way. @at is its distance from the origin. Its
 * cache is that of the line if the tag says so, which a slab of the smaller order has not.
 */
static inline bool slab_free_fast(struct slab_head *h, uint64_t owner, uintptr_t at, void *o)
{
	uint32_t within = (uint32_t)at & h->mask;
	uintptr_t sealed = slab_seal(h->secret, o);
	slab_word *seal = slab_seal_at(o, h->seal);
	void **top;

	if (SLAB_UNLIKELY((uint32_t)(owner >> SLAB_TAG_SHIFT) != h->tag ||
			  within * h->divides >= h->bound || *seal == sealed || slab_busy(h)))
		return false;
	slab_enter(h);
	top = h->top;
	if (SLAB_UNLIKELY(top == h->end)) {
		slab_leave(h);
		return false;
	}
	*seal = sealed;
	slab_set_entry(top, o);
	slab_set_top(h, top + 1);
	slab_leave(h);
	return true;
}

#endif
