/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_reach.c - what a device reaches: windows, masks, holes, and places that fit.
 */
#include "suites_decl.h"

#include <physzone/limits.h>

static struct pz_range span(uint64_t first, uint64_t last)
{
	struct pz_range r = { first, last };

	return r;
}

static bool same(struct pz_range r, uint64_t first, uint64_t last)
{
	return r.first == first && r.last == last;
}

static void windows(struct tap *t)
{
	struct pz_window store[1];
	struct pz_reach s, copy;
	uint64_t bus = 7;

	pz_reach_init(&s, t->meta, NULL, 0);
	CHECK(t, pz_reach_check(&s) == 0 && !pz_reach_has(&s, span(0, 0)));
	CHECK(t, pz_reach_to_bus(&s, 0, &bus) == -PZ_ERANGE && bus == 7);
	CHECK(t, pz_reach_add_window(&s, span(9, 8), 0) == -PZ_EINVAL);
	CHECK(t, pz_reach_add_window(&s, span(0, 9), PZ_ADDR_MAX - 8) == -PZ_EOVERFLOW);
	CHECK(t, s.count == 0);
	/* Memory at 1 GiB that the bus sees at 0, as on many boards. */
	CHECK(t, pz_reach_add_window(&s, span(0x40000000, 0x7fffffff), 0) == 0);
	CHECK(t, pz_reach_to_bus(&s, 0x40001234, &bus) == 0 && bus == 0x1234);
	CHECK(t, pz_reach_to_bus(&s, 0x80000000, &bus) == -PZ_ERANGE);
	CHECK_NAMED(t, pz_reach_add_window(&s, span(0x80000000, 0x8fffffff), 0x40000000) == 0,
		    "a window that continues the translation");
	CHECK(t, s.count == 1 && pz_reach_has(&s, span(0x7ffff000, 0x80000fff)));
	CHECK_NAMED(t, pz_reach_add_window(&s, span(0x90000000, 0x9fffffff), 0xc0000000) == 0,
		    "a window that touches and translates otherwise");
	CHECK(t, s.count == 2 && !pz_reach_has(&s, span(0x8ffff000, 0x90000fff)));
	CHECK(t, pz_reach_add_window(&s, span(0x50000000, 0x5fffffff), 0x10000000) == 0);
	CHECK(t, s.count == 2);
	CHECK(t, pz_reach_add_window(&s, span(0x50000000, 0x5fffffff), 0) == -PZ_EEXIST);
	CHECK(t, pz_reach_check(&s) == 0);
	pz_reach_init(&copy, t->meta, NULL, 0);
	CHECK(t, pz_reach_copy(&copy, &s) == 0 && copy.count == 2 && pz_reach_check(&copy) == 0);
	CHECK(t, pz_reach_to_bus(&copy, 0x90000000, &bus) == 0 && bus == 0xc0000000);
	CHECK(t, pz_reach_copy(&copy, &s) == -PZ_EINVAL && copy.count == 2);
	pz_reach_destroy(&copy);
	CHECK(t, pz_reach_copy(&copy, &copy) == 0 && copy.count == 0);
	pz_reach_init(&copy, NULL, store, 1);
	CHECK(t, pz_reach_copy(&copy, &s) == -PZ_ENOSPC && copy.count == 0);

	pz_reach_cut_mask(&s, 0x3fffffff);
	CHECK(t, s.count == 1 && same(s.v[0].phys, 0x40000000, 0x7fffffff));
	CHECK(t, pz_reach_cut_hole(&s, span(9, 8)) == -PZ_EINVAL);
	CHECK(t, pz_reach_cut_hole(&s, span(0x50000000, 0x50000fff)) == 0 && s.count == 2);
	CHECK(t, pz_reach_to_bus(&s, 0x50001000, &bus) == 0 && bus == 0x10001000);
	CHECK(t, pz_reach_to_bus(&s, 0x50000fff, &bus) == -PZ_ERANGE);
	CHECK(t, pz_reach_cut_hole(&s, span(0, PZ_ADDR_MAX)) == 0 && s.count == 0);
	pz_reach_destroy(&s);
	CHECK(t, s.v == NULL && s.cap == 0);
}

static void edges(struct tap *t)
{
	struct pz_reach s;
	struct pz_window store[1];
	uint64_t bus = 0;

	pz_reach_init(&s, NULL, store, 1);
	CHECK(t, pz_reach_add_window(&s, span(0, PZ_ADDR_MAX), 0) == 0);
	CHECK(t, pz_reach_has(&s, span(0, PZ_ADDR_MAX)));
	CHECK(t, pz_reach_to_bus(&s, PZ_ADDR_MAX, &bus) == 0 && bus == PZ_ADDR_MAX);
	CHECK(t, pz_reach_cut_hole(&s, span(5, 6)) == -PZ_ENOSPC && s.count == 1);
	CHECK(t, pz_reach_cut_hole(&s, span(PZ_ADDR_MAX, PZ_ADDR_MAX)) == 0);
	CHECK(t, same(s.v[0].phys, 0, PZ_ADDR_MAX - 1));
	CHECK(t, pz_reach_add_window(&s, span(PZ_ADDR_MAX, PZ_ADDR_MAX), PZ_ADDR_MAX) == 0);
	CHECK(t, s.count == 1 && pz_reach_has(&s, span(0, PZ_ADDR_MAX)));
	pz_reach_cut_mask(&s, 0);
	CHECK(t, s.count == 1 && same(s.v[0].phys, 0, 0));
	CHECK(t, pz_reach_add_window(&s, span(9, 9), 100) == -PZ_ENOSPC && s.count == 1);
	pz_reach_destroy(&s);
}

static void wrap(struct tap *t)
{
	struct pz_window store[2];
	struct pz_reach s;

	pz_reach_init(&s, NULL, store, 2);
	CHECK(t, pz_reach_add_window(&s, span(0, 9), PZ_ADDR_MAX - 9) == 0);
	CHECK_NAMED(t, pz_reach_add_window(&s, span(10, 19), 0) == 0 && s.count == 2,
		    "a bus does not go on past its top");
	CHECK(t, !pz_reach_has(&s, span(9, 10)) && pz_reach_check(&s) == 0);
	CHECK(t, pz_reach_cut_hole(&s, span(5, 14)) == 0 && s.count == 2);
	CHECK(t, s.v[1].phys.first == 15 && s.v[1].bus == 5);
	pz_reach_destroy(&s);
}

static void fit(struct tap *t)
{
	struct pz_reach s;
	struct pz_limits l = PZ_LIMITS_ANY, bad = { 0, 0, 0, 0, 0 };
	struct pz_range r = span(7, 7), all = span(0, PZ_ADDR_MAX);
	bool ok;

	pz_reach_init(&s, t->meta, NULL, 0);
	CHECK(t, pz_reach_first_fit(&s, &l, all, 1, &r) == -PZ_ERANGE);
	ok = !pz_reach_add_window(&s, span(0x1000, 0x1fff), 0x1000) &&
	     !pz_reach_add_window(&s, span(0x2000, 0x4fff), 0x12000) &&
	     !pz_reach_add_window(&s, span(0x8000, 0x8fff), 0);
	CHECK_NAMED(t, ok && s.count == 3, "three windows");
	CHECK(t, pz_reach_first_fit(&s, &bad, all, 1, &r) == -PZ_EINVAL);
	CHECK(t, pz_reach_last_fit(&s, &l, all, 0, &r) == -PZ_EINVAL && same(r, 7, 7));
	CHECK(t, pz_reach_first_fit(&s, &l, all, 0x100, &r) == 0 && same(r, 0x1000, 0x10ff));
	CHECK(t, pz_reach_last_fit(&s, &l, all, 0x100, &r) == 0 && same(r, 0x8f00, 0x8fff));
	CHECK_NAMED(t, pz_reach_first_fit(&s, &l, all, 0x1001, &r) == 0 && same(r, 0x2000, 0x3000),
		    "not across windows that are two pieces of bus");
	CHECK(t, pz_reach_last_fit(&s, &l, all, 0x1001, &r) == 0 && same(r, 0x3fff, 0x4fff));
	CHECK(t, pz_reach_first_fit(&s, &l, all, 0x3001, &r) == -PZ_ERANGE);
	CHECK(t, pz_reach_first_fit(&s, &l, span(0x5000, 0x7fff), 1, &r) == -PZ_ERANGE);
	CHECK(t, pz_reach_last_fit(&s, &l, span(0x5000, 0x7fff), 1, &r) == -PZ_ERANGE);
	CHECK(t, pz_reach_last_fit(&s, &l, span(0, 0x8000), 1, &r) == 0 && same(r, 0x8000, 0x8000));
	l.align = 0x4000;
	CHECK(t, pz_reach_first_fit(&s, &l, all, 1, &r) == 0 && same(r, 0x4000, 0x4000));
	l.max_addr = 0x3fff;
	CHECK(t, pz_reach_first_fit(&s, &l, all, 1, &r) == -PZ_ERANGE);
	pz_reach_destroy(&s);
}

void contract_reach(struct tap *t)
{
	windows(t);
	edges(t);
	wrap(t);
	fit(t);
}
