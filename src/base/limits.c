/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits.c - what a request demands of addresses, and where it fits in O(1).
 *
 * Concept
 *  The lowest fit is the lowest aligned place in the window (the range cut by the bounds), or the
 *  next multiple of the boundary where that place crosses one. Why one step is enough: when the
 *  place crosses, the alignment is smaller than the boundary, for a place aligned to the boundary
 *  crosses nothing, as the size does not exceed it. So the next multiple of the boundary is aligned
 *  too and crosses nothing, and every aligned place between the two crosses as well. From the top
 *  the same holds with the highest aligned place that ends below the multiple.
 *
 * Invariants
 *  1. what a fit returns passes pz_limits_check() and lies in the range;
 *  2. no place below the first fit or above the last fit does;
 *  3. first fit and last fit fail for the same arguments.
 *
 * Failure
 *  -PZ_EINVAL for what is malformed, -PZ_ERANGE for what fits nowhere; nothing is written then.
 *
 * Shortcomings
 *  A size is at most 2^64 - 1: the whole space cannot be asked for as one place.
 */
#include <physzone/limits.h>

#include "bits.h"

bool pz_limits_valid(const struct pz_limits *l)
{
	return l->min_addr <= l->max_addr && pz_is_pow2(l->align) &&
	       (!l->boundary || pz_is_pow2(l->boundary)) && !l->flags;
}

static bool limits_crosses(const struct pz_limits *l, uint64_t first, uint64_t last)
{
	return l->boundary && (first ^ last) & ~(l->boundary - 1);
}

bool pz_limits_check(const struct pz_limits *l, struct pz_range r)
{
	return r.first >= l->min_addr && r.last <= l->max_addr && !(r.first & (l->align - 1)) &&
	       !limits_crosses(l, r.first, r.last);
}

int pz_limits_narrow(const struct pz_limits *a, const struct pz_limits *b, struct pz_limits *out)
{
	struct pz_limits n;

	if (!pz_limits_valid(a) || !pz_limits_valid(b))
		return -PZ_EINVAL;
	n.min_addr = a->min_addr > b->min_addr ? a->min_addr : b->min_addr;
	n.max_addr = a->max_addr < b->max_addr ? a->max_addr : b->max_addr;
	if (n.min_addr > n.max_addr)
		return -PZ_ERANGE;
	n.align = a->align > b->align ? a->align : b->align;
	n.boundary = a->boundary;
	if (b->boundary && (!n.boundary || b->boundary < n.boundary))
		n.boundary = b->boundary;
	n.flags = 0;
	*out = n;
	return 0;
}

/* The part of @r inside the bounds, when @size bytes fit it at all. 0, -PZ_EINVAL, -PZ_ERANGE. */
static int limits_window(const struct pz_limits *l, struct pz_range r, uint64_t size,
			 struct pz_range *w)
{
	struct pz_range bounds = { l->min_addr, l->max_addr };

	if (!size || !pz_limits_valid(l))
		return -PZ_EINVAL;
	if (!pz_range_intersect(bounds, r, w) || size - 1 > w->last - w->first)
		return -PZ_ERANGE;
	if (l->boundary && size > l->boundary)
		return -PZ_ERANGE;
	return 0;
}

int pz_limits_first_fit(const struct pz_limits *l, struct pz_range r, uint64_t size,
			struct pz_range *out)
{
	struct pz_range w;
	uint64_t at;
	int rc = limits_window(l, r, size, &w);

	if (rc)
		return rc;
	if (!pz_round_up(w.first, l->align, &at) || at > w.last - (size - 1))
		return -PZ_ERANGE;
	if (limits_crosses(l, at, at + (size - 1))) {
		at = pz_round_down(at + (size - 1), l->boundary);
		if (at > w.last - (size - 1))
			return -PZ_ERANGE;
	}
	out->first = at;
	out->last = at + (size - 1);
	return 0;
}

int pz_limits_last_fit(const struct pz_limits *l, struct pz_range r, uint64_t size,
		       struct pz_range *out)
{
	struct pz_range w;
	uint64_t at;
	int rc = limits_window(l, r, size, &w);

	if (rc)
		return rc;
	at = pz_round_down(w.last - (size - 1), l->align);
	if (at < w.first)
		return -PZ_ERANGE;
	if (limits_crosses(l, at, at + (size - 1))) {
		uint64_t multiple = pz_round_down(at + (size - 1), l->boundary);

		at = pz_round_down(multiple - size, l->align);
		if (at < w.first)
			return -PZ_ERANGE;
	}
	out->first = at;
	out->last = at + (size - 1);
	return 0;
}
