/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_range.c - ranges and range sets at the ends of the address space, and their errors.
 */
#include "suites_decl.h"

#include <physzone/range.h>

static struct pz_range span(uint64_t first, uint64_t last)
{
	struct pz_range r = { first, last };

	return r;
}

static bool same(struct pz_range r, uint64_t first, uint64_t last)
{
	return r.first == first && r.last == last;
}

static void single(struct tap *t)
{
	struct pz_range r = span(1, 0);

	CHECK(t, pz_range_make(0x1000, 0, &r) == -PZ_EINVAL && same(r, 1, 0));
	CHECK(t, pz_range_make(1, UINT64_MAX, &r) == 0 && same(r, 1, PZ_ADDR_MAX));
	CHECK(t, pz_range_make(2, UINT64_MAX, &r) == -PZ_EOVERFLOW && same(r, 1, PZ_ADDR_MAX));
	CHECK(t, pz_range_make(PZ_ADDR_MAX, 1, &r) == 0 && same(r, PZ_ADDR_MAX, PZ_ADDR_MAX));
	CHECK(t, pz_range_valid(span(5, 5)) && !pz_range_valid(span(5, 4)));
	CHECK(t, pz_range_size(span(5, 5)) == 1);
	CHECK_NAMED(t, pz_range_size(span(0, PZ_ADDR_MAX)) == UINT64_MAX,
		    "the size of the whole space saturates");
	CHECK(t, pz_range_contains(span(0, PZ_ADDR_MAX), PZ_ADDR_MAX));
	CHECK(t, !pz_range_contains(span(4, 6), 3) && !pz_range_contains(span(4, 6), 7));
	CHECK(t, pz_range_intersect(span(0, 9), span(9, PZ_ADDR_MAX), &r) && same(r, 9, 9));
	CHECK(t, !pz_range_intersect(span(0, 8), span(9, 9), &r) && same(r, 9, 9));
}

static void trim(struct tap *t)
{
	struct pz_range r = span(1, 0);

	CHECK(t, pz_range_trim(span(0x1000, 0x2fff), 12, &r) && same(r, 1, 2));
	CHECK(t, pz_range_trim(span(0x1001, 0x2fff), 12, &r) && same(r, 2, 2));
	CHECK(t, pz_range_trim(span(0x1000, 0x2ffe), 12, &r) && same(r, 1, 1));
	CHECK_NAMED(t, !pz_range_trim(span(0x1001, 0x2ffe), 12, &r) && same(r, 1, 1),
		    "no whole page inside: nothing is written");
	CHECK(t, !pz_range_trim(span(0, 0xffe), 12, &r));
	CHECK(t, pz_range_trim(span(0, PZ_ADDR_MAX), 12, &r) && same(r, 0, PZ_ADDR_MAX >> 12));
	CHECK_NAMED(t, !pz_range_trim(span(PZ_ADDR_MAX - 4094, PZ_ADDR_MAX), 12, &r),
		    "a partial page at the top does not wrap around");
	CHECK(t, pz_range_trim(span(3, 3), 0, &r) && same(r, 3, 3));
	CHECK(t, pz_range_trim(span(0, PZ_ADDR_MAX >> 1), 63, &r) && same(r, 0, 0));
}

static void set(struct tap *t)
{
	struct pz_rangeset s;

	pz_rangeset_init(&s, t->meta, NULL, 0);
	CHECK(t, s.count == 0 && pz_rangeset_check(&s) == 0 && pz_rangeset_bytes(&s) == 0);
	CHECK(t, !pz_rangeset_contains(&s, 0) && pz_rangeset_find(&s, 0) == 0);
	CHECK(t, pz_rangeset_add(&s, span(9, 8)) == -PZ_EINVAL);
	CHECK(t, pz_rangeset_remove(&s, span(9, 8)) == -PZ_EINVAL);
	CHECK(t, pz_rangeset_add(&s, span(0x100, 0x1ff)) == 0);
	CHECK(t, pz_rangeset_add(&s, span(0x300, 0x3ff)) == 0 && s.count == 2);
	CHECK_NAMED(t, pz_rangeset_add(&s, span(0x200, 0x2ff)) == 0 && s.count == 1,
		    "neighbours that touch merge");
	CHECK(t, same(s.v[0], 0x100, 0x3ff) && pz_rangeset_bytes(&s) == 0x300);
	CHECK(t, pz_rangeset_remove(&s, span(0x180, 0x27f)) == 0 && s.count == 2);
	CHECK(t, same(s.v[0], 0x100, 0x17f) && same(s.v[1], 0x280, 0x3ff));
	CHECK(t, pz_rangeset_covers(&s, span(0x280, 0x3ff)));
	CHECK(t, !pz_rangeset_covers(&s, span(0x170, 0x290)));
	CHECK(t, pz_rangeset_intersects(&s, span(0x170, 0x290)));
	CHECK(t, !pz_rangeset_intersects(&s, span(0x180, 0x27f)));
	CHECK(t, pz_rangeset_find(&s, 0x180) == 1 && pz_rangeset_find(&s, 0x400) == 2);
	CHECK(t, pz_rangeset_complement(&s) == 0 && s.count == 3);
	CHECK(t, same(s.v[0], 0, 0xff) && same(s.v[2], 0x400, PZ_ADDR_MAX));
	CHECK(t, pz_rangeset_check(&s) == 0);
	pz_rangeset_clear(&s);
	CHECK(t, s.count == 0 && s.cap > 0);
	CHECK(t, pz_rangeset_complement(&s) == 0 && same(s.v[0], 0, PZ_ADDR_MAX));
	CHECK(t, pz_rangeset_bytes(&s) == UINT64_MAX);
	CHECK(t, pz_rangeset_add(&s, span(PZ_ADDR_MAX, PZ_ADDR_MAX)) == 0 && s.count == 1);
	CHECK(t, pz_rangeset_remove(&s, span(PZ_ADDR_MAX, PZ_ADDR_MAX)) == 0);
	CHECK(t, same(s.v[0], 0, PZ_ADDR_MAX - 1) && pz_rangeset_check(&s) == 0);
	CHECK(t, pz_rangeset_remove(&s, span(0, PZ_ADDR_MAX)) == 0 && s.count == 0);
	pz_rangeset_destroy(&s);
	CHECK(t, s.v == NULL && s.cap == 0);
}

static void fixed(struct tap *t)
{
	struct pz_range store[2], other_store[2];
	struct pz_rangeset s, other;

	pz_rangeset_init(&s, NULL, store, 2);
	pz_rangeset_init(&other, NULL, other_store, 2);
	CHECK(t, pz_rangeset_add(&s, span(0, 9)) == 0 && pz_rangeset_add(&s, span(20, 29)) == 0);
	CHECK(t, pz_rangeset_add(&s, span(40, 49)) == -PZ_ENOSPC && s.count == 2);
	CHECK(t, pz_rangeset_remove(&s, span(3, 4)) == -PZ_ENOSPC);
	CHECK(t, same(s.v[0], 0, 9) && same(s.v[1], 20, 29));
	CHECK_NAMED(t, pz_rangeset_add(&s, span(10, 19)) == 0 && s.count == 1,
		    "what merges fits a full store");
	CHECK(t, pz_rangeset_copy(&other, &s) == 0 && same(other.v[0], 0, 29));
	CHECK(t, pz_rangeset_remove(&other, span(10, 19)) == 0);
	CHECK(t, pz_rangeset_intersect(&s, &other) == 0 && s.count == 2);
	CHECK_NAMED(t, pz_rangeset_complement(&s) == 0 && same(s.v[1], 30, PZ_ADDR_MAX),
		    "a complement of equal size is made in place");
	CHECK(t, pz_rangeset_check(&s) == 0);
	CHECK(t, pz_rangeset_intersect(&s, &s) == 0 && s.count == 2);
	pz_rangeset_destroy(&s);
	pz_rangeset_destroy(&other);
}

static void broken(struct tap *t)
{
	struct pz_range store[2] = { { 0, 9 }, { 20, 29 } };
	struct pz_rangeset s;

	pz_rangeset_init(&s, NULL, store, 2);
	s.count = 2;
	CHECK(t, pz_rangeset_check(&s) == 0);
	store[1] = span(29, 20);
	CHECK(t, pz_rangeset_check(&s) == 1);
	store[1] = span(0, 5);
	CHECK(t, pz_rangeset_check(&s) == 2);
	store[1] = span(10, 12);
	CHECK(t, pz_rangeset_check(&s) == 3);
	store[1] = span(20, 29);
	s.cap = 1;
	CHECK(t, pz_rangeset_check(&s) == 4);
}

void contract_range(struct tap *t)
{
	single(t);
	trim(t);
	set(t);
	fixed(t);
	broken(t);
}
