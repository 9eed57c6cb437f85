/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit.c - making memory smaller: an amount to keep, a range to keep, whole pages only.
 *
 * Concept
 *  Each is one walk that shrinks or drops regions in place and closes up the array.
 *
 * Invariants
 *  1. No region grows and none is split, so nothing needs room and nothing can fail.
 *  2. What touched a neighbour before still differs from it: no merge becomes possible but that
 *     of an isolated split, which the walk makes.
 *
 * Failure
 *  None, but for an alignment that is no power of two.
 *
 * Shortcomings
 *  Linux splits a NOMAP region at the edge of a capped range and leaves it split; here it stays
 *  whole, which says the same.
 */
#include "memblock_internal.h"

/* Keep of an array what lies in a range, and whole regions with one of the flags. */
static void mb_keep(struct pz_mb_array *a, struct pz_range keep, uint32_t whole)
{
	uint32_t w = 0;

	for (uint32_t i = 0; i < a->count; i++) {
		struct pz_mb_region r = a->v[i];

		if (!(r.flags & whole) && !pz_range_intersect(r.range, keep, &r.range))
			continue;
		if (w && a->split && a->v[w - 1].range.last + 1 == r.range.first &&
		    a->v[w - 1].nid == r.nid && a->v[w - 1].flags == r.flags)
			a->v[w - 1].range.last = r.range.last;
		else
			a->v[w++] = r;
	}
	a->count = w;
	a->split = false;
}

int pz_memblock_cap_range(struct pz_memblock *mb, uint64_t base, uint64_t size)
{
	struct pz_range keep;

	if (!mb->memory.count || !pz_mb_range(base, size, &keep))
		return 0;
	mb_keep(&mb->memory, keep, PZ_MB_NOMAP);
	mb_keep(&mb->reserved, keep, 0);
	return 0;
}

int pz_memblock_enforce_limit(struct pz_memblock *mb, uint64_t amount, bool keep_nomap)
{
	struct pz_range keep = { 0, 0 };

	if (!amount)
		return 0;
	for (uint32_t i = 0; i < mb->memory.count; i++) {
		const struct pz_range r = mb->memory.v[i].range;

		if (amount - 1 <= r.last - r.first) {
			keep.last = r.first + (amount - 1);
			mb_keep(&mb->memory, keep, keep_nomap ? PZ_MB_NOMAP : 0);
			mb_keep(&mb->reserved, keep, 0);
			return 0;
		}
		amount -= r.last - r.first + 1;
	}
	return 0;
}

int pz_memblock_trim(struct pz_memblock *mb, uint64_t align)
{
	struct pz_mb_array *a = &mb->memory;
	const uint64_t mask = align - 1;
	uint32_t w = 0;

	if (!align || (align & mask))
		return -PZ_EINVAL;
	mb_keep(a, (struct pz_range){ 0, PZ_ADDR_MAX }, 0);
	for (uint32_t i = 0; i < a->count; i++) {
		struct pz_mb_region r = a->v[i];

		/* Up to the next multiple, and down to the byte before one. */
		if (r.range.first & mask) {
			if ((r.range.first | mask) == PZ_ADDR_MAX)
				continue;
			r.range.first = (r.range.first | mask) + 1;
		}
		if ((r.range.last & mask) != mask) {
			if (r.range.last < mask)
				continue;
			r.range.last = (r.range.last & ~mask) - 1;
		}
		if (r.range.first <= r.range.last)
			a->v[w++] = r;
	}
	a->count = w;
	return 0;
}
