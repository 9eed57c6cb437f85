/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_limits.c - limits: what is valid, how they narrow, and fits at the ends of the space.
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

static void valid(struct tap *t)
{
	struct pz_limits l = { 0, 0, 0, 0, 0 };

	CHECK_NAMED(t, !pz_limits_valid(&l), "zero-filled limits are invalid");
	l = PZ_LIMITS_ANY;
	CHECK(t, pz_limits_valid(&l) && pz_limits_check(&l, span(0, PZ_ADDR_MAX)));
	l = PZ_LIMITS_BITS(0);
	CHECK(t, !pz_limits_valid(&l));
	l = PZ_LIMITS_BITS(1);
	CHECK(t, pz_limits_valid(&l) && l.max_addr == 1);
	l = PZ_LIMITS_BITS(28);
	CHECK(t, l.max_addr == 0xfffffff);
	l = PZ_LIMITS_BITS(64);
	CHECK(t, l.max_addr == PZ_ADDR_MAX);
	l = PZ_LIMITS_BITS(65);
	CHECK(t, l.max_addr == PZ_ADDR_MAX);
	l.align = 3;
	CHECK(t, !pz_limits_valid(&l));
	l.align = UINT64_C(1) << 63;
	l.boundary = UINT64_C(1) << 63;
	CHECK(t, pz_limits_valid(&l));
	l.boundary = 12;
	CHECK(t, !pz_limits_valid(&l));
	l.boundary = 0;
	l.flags = 1;
	CHECK(t, !pz_limits_valid(&l));
	l.flags = 0;
	l.min_addr = 10;
	l.max_addr = 9;
	CHECK(t, !pz_limits_valid(&l));
}

static void check(struct tap *t)
{
	struct pz_limits l = { 0x1000, 0x1ffff, 0x100, 0x1000, 0 };

	CHECK(t, pz_limits_check(&l, span(0x1000, 0x1fff)));
	CHECK(t, !pz_limits_check(&l, span(0xf00, 0xfff)));
	CHECK(t, !pz_limits_check(&l, span(0x1010, 0x101f)));
	CHECK_NAMED(t, !pz_limits_check(&l, span(0x1f00, 0x2000)), "one byte past the boundary");
	CHECK(t, !pz_limits_check(&l, span(0x1ff00, 0x20000)));
}

static void narrow(struct tap *t)
{
	struct pz_limits a = PZ_LIMITS_BITS(32), b = PZ_LIMITS_BITS(24), bad = { 0, 0, 0, 0, 0 };
	struct pz_limits out = a;

	a.align = 0x1000;
	b.boundary = 0x10000;
	CHECK(t, pz_limits_narrow(&a, &b, &out) == 0);
	CHECK(t, out.max_addr == 0xffffff && out.align == 0x1000 && out.boundary == 0x10000);
	a.boundary = 0x1000;
	CHECK(t, pz_limits_narrow(&a, &b, &a) == 0 && a.boundary == 0x1000);
	CHECK_NAMED(t, a.max_addr == 0xffffff, "the result may be an argument");
	CHECK(t, pz_limits_narrow(&a, &bad, &out) == -PZ_EINVAL);
	CHECK(t, pz_limits_narrow(&bad, &a, &out) == -PZ_EINVAL);
	a.min_addr = 0x1000000;
	a.max_addr = PZ_ADDR_MAX;
	CHECK(t, pz_limits_narrow(&a, &b, &out) == -PZ_ERANGE && out.boundary == 0x10000);
}

static void fit(struct tap *t)
{
	struct pz_limits l = PZ_LIMITS_ANY, bad = { 0, 0, 0, 0, 0 };
	struct pz_range r = span(7, 7);
	uint64_t half = UINT64_C(1) << 63;

	CHECK(t, pz_limits_first_fit(&bad, span(0, 9), 1, &r) == -PZ_EINVAL);
	CHECK(t, pz_limits_last_fit(&l, span(0, 9), 0, &r) == -PZ_EINVAL && same(r, 7, 7));
	CHECK(t, pz_limits_first_fit(&l, span(0, 9), 11, &r) == -PZ_ERANGE && same(r, 7, 7));
	CHECK(t, pz_limits_first_fit(&l, span(5, 9), 5, &r) == 0 && same(r, 5, 9));

	CHECK_NAMED(t,
		    pz_limits_first_fit(&l, span(0, PZ_ADDR_MAX), UINT64_MAX, &r) == 0 &&
			    same(r, 0, PZ_ADDR_MAX - 1),
		    "all but one byte of the space, from below");
	CHECK_NAMED(t,
		    pz_limits_last_fit(&l, span(0, PZ_ADDR_MAX), UINT64_MAX, &r) == 0 &&
			    same(r, 1, PZ_ADDR_MAX),
		    "all but one byte of the space, from above");
	l.align = half;
	CHECK(t, pz_limits_first_fit(&l, span(1, PZ_ADDR_MAX), half, &r) == 0 &&
			 same(r, half, PZ_ADDR_MAX));
	CHECK(t, pz_limits_first_fit(&l, span(half + 1, PZ_ADDR_MAX), 1, &r) == -PZ_ERANGE);
	CHECK(t, pz_limits_last_fit(&l, span(0, PZ_ADDR_MAX - 1), half, &r) == 0 &&
			 same(r, 0, half - 1));
	l.align = 1;
	l.boundary = half;
	CHECK(t, pz_limits_first_fit(&l, span(1, PZ_ADDR_MAX), half, &r) == 0 &&
			 same(r, half, PZ_ADDR_MAX));
	CHECK(t, pz_limits_last_fit(&l, span(1, PZ_ADDR_MAX - 1), half, &r) == -PZ_ERANGE);
	CHECK(t, pz_limits_first_fit(&l, span(0, PZ_ADDR_MAX), half + 1, &r) == -PZ_ERANGE);

	/* A DMA buffer that must not cross 64 KiB, below 16 MiB. */
	l = PZ_LIMITS_BITS(24);
	l.align = 0x1000;
	l.boundary = 0x10000;
	CHECK(t, pz_limits_first_fit(&l, span(0xf000, 0x2ffff), 0x8000, &r) == 0 &&
			 same(r, 0x10000, 0x17fff));
	CHECK(t, pz_limits_last_fit(&l, span(0xf000, 0x24fff), 0x8000, &r) == 0 &&
			 same(r, 0x18000, 0x1ffff));
	CHECK(t, pz_limits_last_fit(&l, span(0, PZ_ADDR_MAX), 0x10000, &r) == 0 &&
			 same(r, 0xff0000, 0xffffff));
	CHECK(t, pz_limits_first_fit(&l, span(0x1000000, PZ_ADDR_MAX), 1, &r) == -PZ_ERANGE);
}

void contract_limits(struct tap *t)
{
	valid(t);
	check(t);
	narrow(t);
	fit(t);
}
