/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_bits.c - the bit helpers and the division against the compiler's own.
 */
#include "prop.h"
#include "../../src/base/bits.h"

static bool counts(struct prop *p, void *ctx)
{
	uint64_t v = prop_addr(p);

	(void)ctx;
	prop_note(p, "v %#llx", (unsigned long long)v);
	PROP_ASSERT(p, pz_popcount64(v) == (unsigned int)__builtin_popcountll(v));
	if (v) {
		PROP_ASSERT(p, pz_fls64(v) == 63u - (unsigned int)__builtin_clzll(v));
		PROP_ASSERT(p, pz_clz64(v) == (unsigned int)__builtin_clzll(v));
		PROP_ASSERT(p, pz_ctz64(v) == (unsigned int)__builtin_ctzll(v));
	}
	PROP_ASSERT(p, pz_is_pow2(v) == (__builtin_popcountll(v) == 1));
	return true;
}

static bool powers(struct prop *p, void *ctx)
{
	uint64_t v = prop_addr(p), up = 0, down = pz_rounddown_pow2(v);
	uint64_t align = UINT64_C(1) << prop_draw(p, 63);

	(void)ctx;
	PROP_ASSERT(p, v == 0 ? down == 0 : pz_is_pow2(down) && down <= v && v - down < down);
	if (pz_roundup_pow2(v, &up))
		PROP_ASSERT(p, pz_is_pow2(up) && up >= v && (up == 1 || up / 2 < v));
	else
		PROP_ASSERT(p, v > UINT64_C(1) << 63);
	PROP_ASSERT(p, pz_round_down(v, align) == v - v % align);
	if (pz_round_up(v, align, &up))
		PROP_ASSERT(p, up % align == 0 && up >= v && up - v < align);
	else
		PROP_ASSERT(p, v > UINT64_MAX - align + 1);
	return true;
}

static bool division(struct prop *p, void *ctx)
{
	uint64_t n = prop_addr(p), d = prop_addr(p), rem;

	(void)ctx;
	prop_note(p, "%#llx / %#llx", (unsigned long long)n, (unsigned long long)d);
	if (!d) {
		PROP_ASSERT(p, pz_udiv64(n, d) == UINT64_MAX && pz_urem64(n, d) == n);
		return true;
	}
	PROP_ASSERT(p, pz_udivrem64(n, d, &rem) == n / d && rem == n % d);
	PROP_ASSERT(p, pz_udivrem64_shift(n, d, &rem) == n / d && rem == n % d);
	PROP_ASSERT(p, pz_udiv64(n, d) == n / d && pz_urem64(n, d) == n % d);
	return true;
}

static bool saturation(struct prop *p, void *ctx)
{
	uint64_t a = prop_addr(p), b = prop_addr(p), sum;

	(void)ctx;
	if (__builtin_add_overflow(a, b, &sum))
		sum = UINT64_MAX;
	PROP_ASSERT(p, pz_add_sat64(a, b) == sum);
	return true;
}

int main(void)
{
	prop_run("bit counts agree with the compiler's", counts, NULL, 50000);
	prop_run("powers of two bracket the value", powers, NULL, 50000);
	prop_run("division agrees with the compiler's", division, NULL, 50000);
	prop_run("addition saturates", saturation, NULL, 50000);
	return prop_done();
}
