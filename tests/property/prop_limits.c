/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_limits.c - limits and their fits against trying every place.
 *
 * A space is 64 cells of 2^shift bytes from a base on: at 0, at the end of the 64-bit space, across
 * a multiple of 2^32 and of 2^63, and, with cells of 2^58 bytes, the whole 64-bit space at once, so
 * that sizes near 2^64 are met too. Every window, size, alignment and boundary is tried. The oracle
 * walks cells and knows no arithmetic on powers of two but the remainder.
 */
#include "prop.h"

#include <physzone/limits.h>

#define CELLS 64u

struct space {
	uint64_t base;
	unsigned int shift;
};

static const struct space spaces[] = {
	{ 0, 0 },
	{ UINT64_MAX - (CELLS - 1), 0 },
	{ (UINT64_C(1) << 32) - CELLS / 2, 0 },
	{ (UINT64_C(1) << 63) - CELLS / 2, 0 },
	{ 0, 58 },
};

static uint64_t cell_first(const struct space *sp, unsigned int i)
{
	return sp->base + ((uint64_t)i << sp->shift);
}

static uint64_t cell_last(const struct space *sp, unsigned int i)
{
	return cell_first(sp, i) + ((UINT64_C(1) << sp->shift) - 1);
}

/* Whether n cells from cell i on are aligned and cross no multiple; by looking at each cell. */
static bool place_ok(const struct space *sp, unsigned int i, unsigned int n, uint64_t align,
		     uint64_t boundary)
{
	if (cell_first(sp, i) % align)
		return false;
	if (!boundary)
		return true;
	for (unsigned int k = i + 1; k < i + n; k++) {
		if (cell_first(sp, k) % boundary == 0)
			return false;
	}
	return true;
}

static unsigned int lowest(uint64_t v)
{
	unsigned int i = 0;

	while (!(v >> i & 1))
		i++;
	return i;
}

static unsigned int highest(uint64_t v)
{
	unsigned int i = 63;

	while (!(v >> i & 1))
		i--;
	return i;
}

static bool fits_window(struct prop *p, const struct space *sp, const struct pz_limits *l,
			unsigned int lo, unsigned int hi, unsigned int n, uint64_t starts)
{
	struct pz_range w = { cell_first(sp, lo), cell_last(sp, hi) };
	struct pz_range first = { 7, 3 }, last = { 7, 3 };
	uint64_t size = (uint64_t)n << sp->shift;
	int rc1 = pz_limits_first_fit(l, w, size, &first);
	int rc2 = pz_limits_last_fit(l, w, size, &last);
	uint64_t inside = 0;

	/* Places that begin at lo or above and end at hi or below. */
	if (n <= hi - lo + 1)
		inside = starts >> lo << lo & UINT64_MAX >> (63 - (hi - (n - 1)));
	if (inside && !rc1 && !rc2 && first.first == cell_first(sp, lowest(inside)) &&
	    last.first == cell_first(sp, highest(inside)) && first.last - first.first == size - 1 &&
	    last.last - last.first == size - 1)
		return true;
	if (!inside && rc1 == -PZ_ERANGE && rc2 == -PZ_ERANGE && first.first == 7 && last.last == 3)
		return true;
	prop_note(p, "base %#llx shift %u window %u-%u cells %u align %#llx boundary %#llx: %d %d",
		  (unsigned long long)sp->base, sp->shift, lo, hi, n, (unsigned long long)l->align,
		  (unsigned long long)l->boundary, rc1, rc2);
	prop_note(p, "first fit %#llx, last fit %#llx, places %#llx",
		  (unsigned long long)first.first, (unsigned long long)last.first,
		  (unsigned long long)inside);
	return false;
}

static bool fits_exhaustive(struct prop *p, void *ctx)
{
	const struct space *sp = ctx;
	struct pz_limits l = PZ_LIMITS_ANY;

	/* Powers of two from 1 to twice the space, then ones far larger. */
	for (unsigned int a = 0; a <= 9; a++) {
		l.align = a < 8 ? UINT64_C(1) << a << sp->shift : UINT64_C(1) << (a == 8 ? 62 : 63);
		if (!l.align)
			continue;
		for (unsigned int b = 0; b <= 10; b++) {
			l.boundary = b == 0  ? 0
				     : b < 9 ? UINT64_C(1) << (b - 1) << sp->shift
					     : UINT64_C(1) << (b == 9 ? 62 : 63);
			for (unsigned int n = 1; n <= CELLS; n++) {
				uint64_t starts = 0;

				if ((uint64_t)n << sp->shift >> sp->shift != n)
					continue;
				for (unsigned int i = 0; i + n <= CELLS; i++) {
					if (place_ok(sp, i, n, l.align, l.boundary))
						starts |= UINT64_C(1) << i;
				}
				for (unsigned int lo = 0; lo < CELLS; lo++) {
					for (unsigned int hi = lo; hi < CELLS; hi++) {
						if (!fits_window(p, sp, &l, lo, hi, n, starts))
							return false;
					}
				}
			}
		}
	}
	return true;
}

/* Every pair of bounds and range in a space of 16 addresses. */
static bool bounds_exhaustive(struct prop *p, void *ctx)
{
	const struct space *sp = ctx;
	struct pz_limits l = PZ_LIMITS_ANY;
	uint64_t base = sp->base;

	for (unsigned int v = 0; v < 5 * 6 * 17; v++) {
		unsigned int n = v % 17 + 1;
		unsigned int b = v / 17 % 6;

		l.align = UINT64_C(1) << v / 17 / 6;
		l.boundary = b ? UINT64_C(1) << (b - 1) : 0;
		for (unsigned int q = 0; q < 65536; q++) {
			struct pz_range r = { base + (q & 15), base + (q >> 4 & 15) };
			struct pz_range first = { 1, 0 }, last = { 1, 0 };
			int rc1, rc2, best1 = -1, best2 = -1;

			l.min_addr = base + (q >> 8 & 15);
			l.max_addr = base + (q >> 12);
			if (r.first > r.last || l.min_addr > l.max_addr)
				continue;
			for (unsigned int i = 0; i + n <= 16; i++) {
				struct pz_range at = { base + i, base + i + (n - 1) };

				if (at.first < r.first || at.last > r.last ||
				    at.first < l.min_addr || at.last > l.max_addr ||
				    !place_ok(sp, i, n, l.align, l.boundary))
					continue;
				best2 = (int)i;
				if (best1 < 0)
					best1 = (int)i;
			}
			rc1 = pz_limits_first_fit(&l, r, n, &first);
			rc2 = pz_limits_last_fit(&l, r, n, &last);
			PROP_ASSERT(p, rc1 == (best1 < 0 ? -PZ_ERANGE : 0) && rc2 == rc1);
			if (best1 < 0)
				continue;
			PROP_ASSERT(p, first.first == base + (unsigned int)best1);
			PROP_ASSERT(p, last.first == base + (unsigned int)best2);
			PROP_ASSERT(p, pz_limits_check(&l, first) && pz_limits_check(&l, last));
		}
	}
	return true;
}

static bool check_exhaustive(struct prop *p, void *ctx)
{
	const struct space *sp = ctx;
	struct pz_limits l = PZ_LIMITS_ANY;

	for (unsigned int v = 0; v < 8 * 9; v++) {
		l.align = UINT64_C(1) << v % 8;
		l.boundary = v / 8 ? UINT64_C(1) << (v / 8 - 1) : 0;
		for (unsigned int i = 0; i < CELLS; i++) {
			for (unsigned int n = 1; i + n <= CELLS; n++) {
				struct pz_range r = { sp->base + i, sp->base + i + (n - 1) };

				l.min_addr = 0;
				l.max_addr = PZ_ADDR_MAX;
				PROP_ASSERT(p, pz_limits_check(&l, r) ==
						       place_ok(sp, i, n, l.align, l.boundary));
				l.min_addr = sp->base + 20;
				l.max_addr = sp->base + 40;
				PROP_ASSERT(p, pz_limits_check(&l, r) ==
						       (i >= 20 && i + n <= 41 &&
							place_ok(sp, i, n, l.align, l.boundary)));
			}
		}
	}
	return true;
}

static struct pz_limits draw_limits(struct prop *p, uint64_t base)
{
	struct pz_limits l = PZ_LIMITS_ANY;
	uint64_t a = prop_draw(p, CELLS - 1), b = prop_draw(p, CELLS - 1);

	l.min_addr = base + (a < b ? a : b);
	l.max_addr = base + (a < b ? b : a);
	l.align = UINT64_C(1) << prop_draw(p, 4);
	l.boundary = prop_choice(p, 2) ? UINT64_C(1) << prop_draw(p, 6) : 0;
	return l;
}

static bool narrow_means_both(struct prop *p, void *ctx)
{
	const struct space *sp = &spaces[prop_choice(p, 4)];
	struct pz_limits a = draw_limits(p, sp->base), b = draw_limits(p, sp->base);
	struct pz_limits both = a;
	int rc = pz_limits_narrow(&both, &b, &both);

	(void)ctx;
	PROP_ASSERT(p, rc == 0 || rc == -PZ_ERANGE);
	if (rc)
		PROP_ASSERT(p, both.min_addr == a.min_addr && both.max_addr == a.max_addr &&
				       both.align == a.align && both.boundary == a.boundary);
	else
		PROP_ASSERT(p, pz_limits_valid(&both));
	for (unsigned int i = 0; i < CELLS; i++) {
		for (unsigned int n = 1; i + n <= CELLS; n++) {
			struct pz_range r = { sp->base + i, sp->base + i + (n - 1) };
			bool want = pz_limits_check(&a, r) && pz_limits_check(&b, r);

			PROP_ASSERT(p, want == (!rc && pz_limits_check(&both, r)));
		}
	}
	return true;
}

/* Any numbers at all: what comes out satisfies the limits, and the two fits agree and are in order.
 */
static bool fits_are_sound(struct prop *p, void *ctx)
{
	struct pz_limits l = PZ_LIMITS_ANY;
	struct pz_range r = { prop_addr(p), prop_addr(p) }, first, last;
	uint64_t size = prop_addr(p);
	int rc1, rc2;

	(void)ctx;
	l.min_addr = prop_choice(p, 2) ? prop_addr(p) : 0;
	l.max_addr = prop_choice(p, 2) ? prop_addr(p) : PZ_ADDR_MAX;
	l.align = UINT64_C(1) << prop_draw(p, 63);
	l.boundary = prop_choice(p, 2) ? UINT64_C(1) << prop_draw(p, 63) : 0;
	if (r.first > r.last) {
		uint64_t swap = r.first;

		r.first = r.last;
		r.last = swap;
	}
	prop_note(p, "range %#llx-%#llx size %#llx", (unsigned long long)r.first,
		  (unsigned long long)r.last, (unsigned long long)size);
	prop_note(p, "limits %#llx-%#llx align %#llx boundary %#llx",
		  (unsigned long long)l.min_addr, (unsigned long long)l.max_addr,
		  (unsigned long long)l.align, (unsigned long long)l.boundary);
	rc1 = pz_limits_first_fit(&l, r, size, &first);
	rc2 = pz_limits_last_fit(&l, r, size, &last);
	PROP_ASSERT(p, rc1 == rc2);
	PROP_ASSERT(p, (rc1 == -PZ_EINVAL) == (!size || l.min_addr > l.max_addr));
	if (rc1)
		return true;
	PROP_ASSERT(p, first.first <= last.first);
	PROP_ASSERT(p, first.first >= r.first && last.last <= r.last);
	PROP_ASSERT(p, first.last >= first.first && last.last >= last.first);
	PROP_ASSERT(p, first.last - first.first == size - 1 && last.last - last.first == size - 1);
	PROP_ASSERT(p, pz_limits_check(&l, first) && pz_limits_check(&l, last));
	/* Cutting the place off leaves none below the first and none above the last. */
	if (first.last > r.first && first.first > r.first) {
		struct pz_range below = { r.first, first.last - 1 }, out;

		PROP_ASSERT(p, pz_limits_first_fit(&l, below, size, &out) == -PZ_ERANGE);
	}
	return true;
}

int main(void)
{
	prop_run("every fit at 0", fits_exhaustive, (void *)&spaces[0], 1);
	prop_run("every fit at the end of the 64-bit space", fits_exhaustive, (void *)&spaces[1],
		 1);
	prop_run("every fit across 2^32", fits_exhaustive, (void *)&spaces[2], 1);
	prop_run("every fit across 2^63", fits_exhaustive, (void *)&spaces[3], 1);
	prop_run("every fit in the whole 64-bit space", fits_exhaustive, (void *)&spaces[4], 1);
	prop_run("every bound and range at 0", bounds_exhaustive, (void *)&spaces[0], 1);
	prop_run("every bound and range at the end", bounds_exhaustive,
		 (void *)&(const struct space){ UINT64_MAX - 15, 0 }, 1);
	for (unsigned int i = 0; i < 4; i++)
		prop_run("checks agree with looking at each address", check_exhaustive,
			 (void *)&spaces[i], 1);
	prop_run("narrowed limits mean both", narrow_means_both, NULL, 2000);
	prop_run("fits are sound for any numbers", fits_are_sound, NULL, 200000);
	return prop_done();
}
