/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach.c - what a device sees of physical memory after its buses' translations.
 *
 * Concept
 *  Windows sorted by physical address, each with the bus address of its first byte. Windows that
 *  touch and continue each other's translation are one window, so two windows side by side are two
 *  pieces of bus, and a buffer must lie in one window.
 *
 * Invariants (pz_reach_check() verifies them)
 *  1. every window is valid and its bus side does not wrap;
 *  2. windows ascend by physical address and do not overlap;
 *  3. count <= cap.
 *
 * Failure
 *  Only growing fails, and what contradicts a window is refused; the set is then as it was.
 *
 * Shortcomings
 *  Two windows that put the same bus address on different memory are not refused: some buses alias
 *  on purpose. A fit looks at each window that meets the range.
 */
#include <physzone/limits.h>

#include "meta.h"
#include "pz_string.h"

static int reach_grow(struct pz_reach *s, uint32_t need)
{
	struct pz_array a = { s->v, s->cap, s->owned };
	int rc = pz_array_grow(s->meta, &a, s->count, need, sizeof(*s->v));

	s->v = a.v;
	s->cap = a.cap;
	s->owned = a.owned;
	return rc;
}

void pz_reach_init(struct pz_reach *s, const struct pz_meta *meta, struct pz_window *store,
		   uint32_t cap)
{
	s->v = store;
	s->count = 0;
	s->cap = store ? cap : 0;
	s->owned = false;
	s->meta = meta;
}

void pz_reach_destroy(struct pz_reach *s)
{
	struct pz_array a = { s->v, s->cap, s->owned };

	pz_array_drop(s->meta, &a, sizeof(*s->v));
	pz_reach_init(s, s->meta, NULL, 0);
}

/* The first window that ends at or after an address. */
static uint32_t reach_find(const struct pz_reach *s, uint64_t addr)
{
	uint32_t lo = 0, hi = s->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->v[mid].phys.last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Whether two windows translate by the same offset, modulo 2^64, without a wrap between them. */
static bool reach_continues(const struct pz_window *a, const struct pz_window *b)
{
	uint64_t lo = a->phys.first < b->phys.first ? a->phys.first : b->phys.first;
	uint64_t hi = a->phys.last > b->phys.last ? a->phys.last : b->phys.last;
	uint64_t bus = a->phys.first < b->phys.first ? a->bus : b->bus;

	return a->bus - a->phys.first == b->bus - b->phys.first && hi - lo <= PZ_ADDR_MAX - bus;
}

int pz_reach_add_window(struct pz_reach *s, struct pz_range phys, uint64_t bus)
{
	struct pz_window w = { phys, bus };
	uint32_t from, to;
	int rc;

	if (!pz_range_valid(phys))
		return -PZ_EINVAL;
	if (phys.last - phys.first > PZ_ADDR_MAX - bus)
		return -PZ_EOVERFLOW;
	from = reach_find(s, phys.first);
	to = from;
	while (to < s->count && s->v[to].phys.first <= phys.last) {
		if (!reach_continues(&s->v[to], &w))
			return -PZ_EEXIST;
		to++;
	}
	/* Neighbours that touch and continue the translation join. */
	if (from && s->v[from - 1].phys.last == phys.first - 1 &&
	    reach_continues(&s->v[from - 1], &w))
		from--;
	if (to < s->count && phys.last != PZ_ADDR_MAX && s->v[to].phys.first == phys.last + 1 &&
	    reach_continues(&s->v[to], &w))
		to++;
	if (from == to) {
		rc = reach_grow(s, s->count + 1);
		if (rc)
			return rc;
		memmove(&s->v[from + 1], &s->v[from], (s->count - from) * sizeof(*s->v));
		s->count++;
	} else {
		if (s->v[from].phys.first < w.phys.first) {
			w.phys.first = s->v[from].phys.first;
			w.bus = s->v[from].bus;
		}
		if (s->v[to - 1].phys.last > w.phys.last)
			w.phys.last = s->v[to - 1].phys.last;
		memmove(&s->v[from + 1], &s->v[to], (s->count - to) * sizeof(*s->v));
		s->count -= to - from - 1;
	}
	s->v[from] = w;
	return 0;
}

int pz_reach_copy(struct pz_reach *s, const struct pz_reach *from)
{
	int rc;

	if (s->count)
		return -PZ_EINVAL;
	if (!from->count)
		return 0;
	rc = reach_grow(s, from->count);
	if (rc)
		return rc;
	memcpy(s->v, from->v, from->count * sizeof(*s->v));
	s->count = from->count;
	return 0;
}

void pz_reach_cut_mask(struct pz_reach *s, uint64_t max_bus)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct pz_window w = s->v[i];

		if (w.bus > max_bus)
			continue;
		if (w.phys.last - w.phys.first > max_bus - w.bus)
			w.phys.last = w.phys.first + (max_bus - w.bus);
		s->v[n++] = w;
	}
	s->count = n;
}

int pz_reach_cut_hole(struct pz_reach *s, struct pz_range phys)
{
	struct pz_window left[2];
	uint32_t from, to, n = 0;
	int rc;

	if (!pz_range_valid(phys))
		return -PZ_EINVAL;
	from = reach_find(s, phys.first);
	to = from;
	while (to < s->count && s->v[to].phys.first <= phys.last)
		to++;
	if (from == to)
		return 0;
	if (s->v[from].phys.first < phys.first) {
		left[n] = s->v[from];
		left[n++].phys.last = phys.first - 1;
	}
	if (s->v[to - 1].phys.last > phys.last) {
		const struct pz_window *w = &s->v[to - 1];

		left[n].phys.first = phys.last + 1;
		left[n].phys.last = w->phys.last;
		left[n++].bus = w->bus + (phys.last + 1 - w->phys.first);
	}
	rc = n > to - from ? reach_grow(s, s->count + 1) : 0;
	if (rc)
		return rc;
	memmove(&s->v[from + n], &s->v[to], (s->count - to) * sizeof(*s->v));
	for (uint32_t i = 0; i < n; i++)
		s->v[from + i] = left[i];
	s->count = s->count - (to - from) + n;
	return 0;
}

bool pz_reach_has(const struct pz_reach *s, struct pz_range phys)
{
	uint32_t i = reach_find(s, phys.first);

	return i < s->count && s->v[i].phys.first <= phys.first && s->v[i].phys.last >= phys.last;
}

int pz_reach_to_bus(const struct pz_reach *s, uint64_t phys, uint64_t *bus)
{
	uint32_t i = reach_find(s, phys);

	if (i == s->count || s->v[i].phys.first > phys)
		return -PZ_ERANGE;
	*bus = s->v[i].bus + (phys - s->v[i].phys.first);
	return 0;
}

int pz_reach_first_fit(const struct pz_reach *s, const struct pz_limits *l, struct pz_range r,
		       uint64_t size, struct pz_range *out)
{
	if (!size || !pz_limits_valid(l))
		return -PZ_EINVAL;
	for (uint32_t i = reach_find(s, r.first); i < s->count; i++) {
		struct pz_range both;

		if (!pz_range_intersect(s->v[i].phys, r, &both))
			break;
		if (!pz_limits_first_fit(l, both, size, out))
			return 0;
	}
	return -PZ_ERANGE;
}

int pz_reach_last_fit(const struct pz_reach *s, const struct pz_limits *l, struct pz_range r,
		      uint64_t size, struct pz_range *out)
{
	uint32_t i = reach_find(s, r.last);

	if (!size || !pz_limits_valid(l))
		return -PZ_EINVAL;
	if (i < s->count)
		i++;
	while (i-- > 0) {
		struct pz_range both;

		if (!pz_range_intersect(s->v[i].phys, r, &both)) {
			if (s->v[i].phys.first > r.last)
				continue;
			break;
		}
		if (!pz_limits_last_fit(l, both, size, out))
			return 0;
	}
	return -PZ_ERANGE;
}

int pz_reach_check(const struct pz_reach *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct pz_window *w = &s->v[i];

		if (!pz_range_valid(w->phys) || w->phys.last - w->phys.first > PZ_ADDR_MAX - w->bus)
			return 1;
		if (i && w->phys.first <= s->v[i - 1].phys.last)
			return 2;
	}
	return s->count <= s->cap ? 0 : 3;
}
