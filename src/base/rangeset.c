/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rangeset.c - sets of addresses as sorted, disjoint, merged ranges.
 *
 * Concept
 *  One array, sorted by address. Neighbours that touch are one range, so a set has exactly one
 *  form, and whether a range is covered is a question about one element. A change first finds what
 *  it touches and how many ranges there will be, then makes room, and only then moves anything.
 *  Intersection and complement work in place: room is needed for the result, never for two sets.
 *
 * Invariants (pz_rangeset_check() verifies them)
 *  1. every range is valid;
 *  2. ranges ascend;
 *  3. no two touch or overlap;
 *  4. count <= cap.
 *
 * Failure
 *  Only growing fails, -PZ_ENOMEM from a hook that has nothing and -PZ_ENOSPC from a set that has
 * no hook; the set is then as it was.
 *
 * Shortcomings
 *  A change moves the ranges above it, O(n). Storage is given back by destroying the set only.
 */
#include <physzone/range.h>

#include "bits.h"
#include "meta.h"
#include "pz_string.h"

static int rangeset_grow(struct pz_rangeset *s, uint32_t need)
{
	struct pz_array a = { s->v, s->cap, s->owned };
	int rc = pz_array_grow(s->meta, &a, s->count, need, sizeof(*s->v));

	s->v = a.v;
	s->cap = a.cap;
	s->owned = a.owned;
	return rc;
}

void pz_rangeset_init(struct pz_rangeset *s, const struct pz_meta *meta, struct pz_range *store,
		      uint32_t cap)
{
	s->v = store;
	s->count = 0;
	s->cap = store ? cap : 0;
	s->owned = false;
	s->meta = meta;
}

void pz_rangeset_destroy(struct pz_rangeset *s)
{
	struct pz_array a = { s->v, s->cap, s->owned };

	pz_array_drop(s->meta, &a, sizeof(*s->v));
	pz_rangeset_init(s, s->meta, NULL, 0);
}

uint32_t pz_rangeset_find(const struct pz_rangeset *s, uint64_t addr)
{
	uint32_t lo = 0, hi = s->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->v[mid].last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Replace ranges [from, to) by n (0 to 2) others; the room is there already. */
static void rangeset_splice(struct pz_rangeset *s, uint32_t from, uint32_t to,
			    const struct pz_range *with, uint32_t n)
{
	if (n != to - from && to < s->count)
		memmove(&s->v[from + n], &s->v[to], (s->count - to) * sizeof(*s->v));
	for (uint32_t i = 0; i < n; i++)
		s->v[from + i] = with[i];
	s->count = s->count - (to - from) + n;
}

int pz_rangeset_add(struct pz_rangeset *s, struct pz_range r)
{
	uint32_t from, to;
	int rc;

	if (!pz_range_valid(r))
		return -PZ_EINVAL;
	/* What touches r merges with it: a range that ends right below counts. */
	from = pz_rangeset_find(s, r.first ? r.first - 1 : 0);
	to = from;
	while (to < s->count && (r.last == PZ_ADDR_MAX || s->v[to].first <= r.last + 1))
		to++;
	if (from == to) {
		rc = rangeset_grow(s, s->count + 1);
		if (rc)
			return rc;
	} else {
		if (s->v[from].first < r.first)
			r.first = s->v[from].first;
		if (s->v[to - 1].last > r.last)
			r.last = s->v[to - 1].last;
	}
	rangeset_splice(s, from, to, &r, 1);
	return 0;
}

int pz_rangeset_remove(struct pz_rangeset *s, struct pz_range r)
{
	struct pz_range left[2];
	uint32_t from, to, n = 0;
	int rc;

	if (!pz_range_valid(r))
		return -PZ_EINVAL;
	from = pz_rangeset_find(s, r.first);
	to = from;
	while (to < s->count && s->v[to].first <= r.last)
		to++;
	if (from == to)
		return 0;
	if (s->v[from].first < r.first) {
		left[n].first = s->v[from].first;
		left[n++].last = r.first - 1;
	}
	if (s->v[to - 1].last > r.last) {
		left[n].first = r.last + 1;
		left[n++].last = s->v[to - 1].last;
	}
	rc = n > to - from ? rangeset_grow(s, s->count + 1) : 0;
	if (rc)
		return rc;
	rangeset_splice(s, from, to, left, n);
	return 0;
}

void pz_rangeset_clear(struct pz_rangeset *s)
{
	s->count = 0;
}

bool pz_rangeset_contains(const struct pz_rangeset *s, uint64_t addr)
{
	uint32_t i = pz_rangeset_find(s, addr);

	return i < s->count && s->v[i].first <= addr;
}

bool pz_rangeset_covers(const struct pz_rangeset *s, struct pz_range r)
{
	uint32_t i = pz_rangeset_find(s, r.first);

	return i < s->count && s->v[i].first <= r.first && s->v[i].last >= r.last;
}

bool pz_rangeset_intersects(const struct pz_rangeset *s, struct pz_range r)
{
	uint32_t i = pz_rangeset_find(s, r.first);

	return i < s->count && s->v[i].first <= r.last;
}

uint64_t pz_rangeset_bytes(const struct pz_rangeset *s)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->count; i++)
		n = pz_add_sat64(n, pz_range_size(s->v[i]));
	return n;
}

int pz_rangeset_copy(struct pz_rangeset *dst, const struct pz_rangeset *src)
{
	int rc;

	if (dst == src)
		return 0;
	rc = rangeset_grow(dst, src->count);
	if (rc)
		return rc;
	if (src->count)
		memcpy(dst->v, src->v, src->count * sizeof(*src->v));
	dst->count = src->count;
	return 0;
}

/* How many pieces two sets share, and drop from @s what shares nothing when @drop is set. */
static uint32_t rangeset_shared(struct pz_rangeset *s, const struct pz_rangeset *with, bool drop)
{
	uint32_t k = 0, pieces = 0, kept = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t before = pieces;

		while (k < with->count && with->v[k].last < s->v[i].first)
			k++;
		while (k < with->count && with->v[k].first <= s->v[i].last) {
			pieces++;
			/* One that goes on above may meet the next range too. */
			if (with->v[k].last > s->v[i].last)
				break;
			k++;
		}
		if (drop && pieces > before)
			s->v[kept++] = s->v[i];
	}
	if (drop)
		s->count = kept;
	return pieces;
}

int pz_rangeset_intersect(struct pz_rangeset *s, const struct pz_rangeset *with)
{
	uint32_t pieces, at, k = 0, n = 0;
	int rc;

	if (s == with)
		return 0;
	pieces = rangeset_shared(s, with, false);
	rc = rangeset_grow(s, pieces);
	if (rc)
		return rc;
	/*
	 * Each range left gives a piece at least. With the ranges moved up to end where the result
	 * will end, writing the result from the bottom never reaches a range not yet read.
	 */
	rangeset_shared(s, with, true);
	at = pieces - s->count;
	if (at && s->count)
		memmove(&s->v[at], &s->v[0], s->count * sizeof(*s->v));
	for (; at < pieces; at++) {
		struct pz_range r = s->v[at];

		while (with->v[k].last < r.first)
			k++;
		while (k < with->count && pz_range_intersect(r, with->v[k], &s->v[n])) {
			n++;
			if (with->v[k].last > r.last)
				break;
			k++;
		}
	}
	s->count = n;
	return 0;
}

int pz_rangeset_complement(struct pz_rangeset *s)
{
	bool bottom = !s->count || s->v[0].first > 0;
	bool top = !s->count || s->v[s->count - 1].last < PZ_ADDR_MAX;
	/* A gap between neighbours, always; one below the first and above the last, perhaps. */
	uint32_t need = s->count ? s->count - 1 + bottom + top : 1;
	uint64_t next = 0;
	uint32_t n = 0;
	int rc = rangeset_grow(s, need);

	if (rc)
		return rc;
	/* Gap n is written after range n or a later one was read. */
	for (uint32_t i = 0; i < s->count; i++) {
		struct pz_range r = s->v[i];

		if (r.first > next) {
			s->v[n].first = next;
			s->v[n++].last = r.first - 1;
		}
		next = r.last + 1;
	}
	if (top) {
		s->v[n].first = next;
		s->v[n++].last = PZ_ADDR_MAX;
	}
	s->count = n;
	return 0;
}

int pz_rangeset_check(const struct pz_rangeset *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (!pz_range_valid(s->v[i]))
			return 1;
		if (!i)
			continue;
		if (s->v[i].first <= s->v[i - 1].first)
			return 2;
		if (s->v[i - 1].last == PZ_ADDR_MAX || s->v[i].first <= s->v[i - 1].last + 1)
			return 3;
	}
	return s->count <= s->cap ? 0 : 4;
}
