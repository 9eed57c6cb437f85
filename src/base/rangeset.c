/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rangeset.c - sets of addresses as sorted, disjoint, merged ranges.
 *
 * Invariants: those of struct pz_rangeset in range.h. Each change first finds what it touches,
 * then makes room, and only then moves anything: a change that fails leaves the set as it was.
 *
 * Shortcomings: a change moves the ranges above it, O(n).
 */
#include <physzone/range.h>

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

	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t size = pz_range_size(s->v[i]);

		if (size > UINT64_MAX - n)
			return UINT64_MAX;
		n += size;
	}
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

/* Put the ranges of a finished set in place of another's, taking its storage over. */
static void rangeset_adopt(struct pz_rangeset *s, struct pz_rangeset *from)
{
	if (!from->owned) {
		/* Nothing grew: the result is empty. */
		s->count = 0;
		return;
	}
	pz_rangeset_destroy(s);
	s->v = from->v;
	s->count = from->count;
	s->cap = from->cap;
	s->owned = true;
}

/*
 * Work out a result of at most @most ranges. A set that cannot grow needs room for source and
 * result side by side: the result is built behind the source, in its own storage.
 */
static int rangeset_scratch(struct pz_rangeset *s, uint32_t most, struct pz_range **out,
			    struct pz_rangeset *tmp)
{
	int rc;

	pz_rangeset_init(tmp, s->meta, NULL, 0);
	if (s->meta && s->meta->alloc) {
		rc = rangeset_grow(tmp, most);
		if (!rc)
			*out = tmp->v;
		return rc;
	}
	if (most > s->cap || s->count > s->cap - most)
		return -PZ_ENOSPC;
	*out = s->v + s->count;
	return 0;
}

static void rangeset_finish(struct pz_rangeset *s, struct pz_rangeset *tmp,
			    const struct pz_range *out, uint32_t n)
{
	if (tmp->owned) {
		tmp->count = n;
		rangeset_adopt(s, tmp);
		return;
	}
	if (n)
		memmove(s->v, out, n * sizeof(*out));
	s->count = n;
}

int pz_rangeset_intersect(struct pz_rangeset *s, const struct pz_rangeset *with)
{
	struct pz_rangeset tmp;
	struct pz_range *out = NULL;
	uint32_t i = 0, k = 0, n = 0;
	int rc;

	if (!s->count || !with->count) {
		s->count = 0;
		return 0;
	}
	rc = rangeset_scratch(s, s->count + with->count - 1, &out, &tmp);
	if (rc)
		return rc;
	while (i < s->count && k < with->count) {
		if (pz_range_intersect(s->v[i], with->v[k], &out[n]))
			n++;
		if (s->v[i].last < with->v[k].last)
			i++;
		else
			k++;
	}
	rangeset_finish(s, &tmp, out, n);
	return 0;
}

int pz_rangeset_complement(struct pz_rangeset *s)
{
	struct pz_rangeset tmp;
	struct pz_range *out = NULL;
	uint64_t next = 0;
	bool end = false;
	uint32_t n = 0;
	int rc;

	rc = rangeset_scratch(s, s->count + 1, &out, &tmp);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->v[i].first > next) {
			out[n].first = next;
			out[n++].last = s->v[i].first - 1;
		}
		end = s->v[i].last == PZ_ADDR_MAX;
		next = s->v[i].last + 1;
	}
	if (!end) {
		out[n].first = next;
		out[n++].last = PZ_ADDR_MAX;
	}
	rangeset_finish(s, &tmp, out, n);
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
