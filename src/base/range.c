/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range.c - single inclusive ranges.
 *
 * Concept
 *  A range names its first and its last address, so the whole 64-bit space is a range like any
 *  other, and none is empty.
 *
 * Invariants
 *  1. no function computes last + 1 or base + size before it knows that this does not wrap.
 *
 * Failure
 *  What cannot be a range is refused by pz_range_make(); the others ask for valid ranges.
 *
 * Shortcomings
 *  The size of the whole space, 2^64, does not fit: pz_range_size() saturates.
 */
#include <physzone/range.h>

int pz_range_make(uint64_t base, uint64_t size, struct pz_range *out)
{
	if (!size)
		return -PZ_EINVAL;
	if (size - 1 > PZ_ADDR_MAX - base)
		return -PZ_EOVERFLOW;
	out->first = base;
	out->last = base + (size - 1);
	return 0;
}

bool pz_range_valid(struct pz_range r)
{
	return r.first <= r.last;
}

uint64_t pz_range_size(struct pz_range r)
{
	uint64_t less = r.last - r.first;

	return less == UINT64_MAX ? UINT64_MAX : less + 1;
}

bool pz_range_contains(struct pz_range r, uint64_t addr)
{
	return addr >= r.first && addr <= r.last;
}

bool pz_range_intersect(struct pz_range a, struct pz_range b, struct pz_range *out)
{
	uint64_t first = a.first > b.first ? a.first : b.first;
	uint64_t last = a.last < b.last ? a.last : b.last;

	if (first > last)
		return false;
	if (out) {
		out->first = first;
		out->last = last;
	}
	return true;
}

bool pz_range_trim(struct pz_range r, unsigned int page_shift, struct pz_range *pfns)
{
	uint64_t mask = (UINT64_C(1) << page_shift) - 1;
	uint64_t first = r.first >> page_shift, last = r.last >> page_shift;

	/* No wrap: a page frame number that rounds up was shifted by one bit at least. */
	if (r.first & mask)
		first++;
	if ((r.last & mask) != mask) {
		if (!last)
			return false;
		last--;
	}
	if (first > last)
		return false;
	pfns->first = first;
	pfns->last = last;
	return true;
}
