/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bits.h - bit counts, powers of two and division, without a call into libgcc on any target.
 *
 * A compiler turns __builtin_popcountll(), __builtin_clzll() and a 64-bit `/` into calls
 * (__popcountdi2, __clzdi2, __udivdi3) where the processor has no such instruction. These helpers
 * are plain shifts and masks instead, and divide natively only where the processor can.
 */
#ifndef PHYSZONE_BASE_BITS_H
#define PHYSZONE_BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * pz_popcount32 - number of set bits
 * @v: the value
 *
 * Context: any.
 * Return: 0 to 32.
 */
static inline unsigned int pz_popcount32(uint32_t v)
{
	v -= v >> 1 & 0x55555555u;
	v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
	v = (v + (v >> 4)) & 0x0f0f0f0fu;
	v += v >> 8;
	v += v >> 16;
	return v & 0x3f;
}

/**
 * pz_popcount64 - number of set bits
 * @v: the value
 *
 * Context: any.
 * Return: 0 to 64.
 */
static inline unsigned int pz_popcount64(uint64_t v)
{
	return pz_popcount32((uint32_t)v) + pz_popcount32((uint32_t)(v >> 32));
}

/* Whether the compiler counts leading and trailing zeros of 32 bits in place, without a call. */
#if defined(__x86_64__) || defined(__i386__) || defined(__aarch64__) || defined(__arm__)
#define PZ_COUNTS_32 1
#else
#define PZ_COUNTS_32 0
#endif

/**
 * pz_fls32 - index of the highest set bit
 * @v: the value, not 0
 *
 * Context: any.
 * Return: 0 to 31.
 */
static inline unsigned int pz_fls32(uint32_t v)
{
#if PZ_COUNTS_32
	return 31u - (unsigned int)__builtin_clz(v);
#else
	unsigned int n = 0;

	for (unsigned int step = 16; step; step >>= 1) {
		if (v >> step) {
			v >>= step;
			n += step;
		}
	}
	return n;
#endif
}

/**
 * pz_ctz32 - index of the lowest set bit
 * @v: the value, not 0
 *
 * Context: any.
 * Return: 0 to 31.
 */
static inline unsigned int pz_ctz32(uint32_t v)
{
#if PZ_COUNTS_32
	return (unsigned int)__builtin_ctz(v);
#else
	return pz_fls32(v & (~v + 1));
#endif
}

/**
 * pz_fls64 - index of the highest set bit
 * @v: the value, not 0
 *
 * Context: any.
 * Return: 0 to 63.
 */
static inline unsigned int pz_fls64(uint64_t v)
{
	uint32_t high = (uint32_t)(v >> 32);

	return high ? 32 + pz_fls32(high) : pz_fls32((uint32_t)v);
}

/**
 * pz_ctz64 - index of the lowest set bit, that is, the number of zero bits below it
 * @v: the value, not 0
 *
 * Context: any.
 * Return: 0 to 63.
 */
static inline unsigned int pz_ctz64(uint64_t v)
{
	return pz_fls64(v & (~v + 1));
}

/**
 * pz_clz64 - number of zero bits above the highest set bit
 * @v: the value, not 0
 *
 * Context: any.
 * Return: 0 to 63.
 */
static inline unsigned int pz_clz64(uint64_t v)
{
	return 63 - pz_fls64(v);
}

/**
 * pz_is_pow2 - whether a value is a power of two
 * @v: the value
 *
 * Context: any.
 * Return: true for 1, 2, 4, ... 2^63.
 */
static inline bool pz_is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

/**
 * pz_rounddown_pow2 - the largest power of two that is not larger
 * @v: the value
 *
 * Context: any.
 * Return: the power of two, or 0 when @v is 0.
 */
static inline uint64_t pz_rounddown_pow2(uint64_t v)
{
	return v ? (uint64_t)1 << pz_fls64(v) : 0;
}

/**
 * pz_roundup_pow2 - the smallest power of two that is not smaller
 * @v: the value; 0 rounds up to 1
 * @out: the power of two, written on success only
 *
 * Context: any.
 * Return: true, or false when it would be 2^64.
 */
static inline bool pz_roundup_pow2(uint64_t v, uint64_t *out)
{
	unsigned int n = v > 1 ? pz_fls64(v - 1) + 1 : 0;

	if (n > 63)
		return false;
	*out = (uint64_t)1 << n;
	return true;
}

/**
 * pz_round_down - round down to a multiple of a power of two
 * @v: the value
 * @pow2: the power of two
 *
 * Context: any.
 * Return: the multiple.
 */
static inline uint64_t pz_round_down(uint64_t v, uint64_t pow2)
{
	return v & ~(pow2 - 1);
}

/**
 * pz_round_up - round up to a multiple of a power of two
 * @v: the value
 * @pow2: the power of two
 * @out: the multiple, written on success only
 *
 * Context: any.
 * Return: true, or false when it would be 2^64.
 */
static inline bool pz_round_up(uint64_t v, uint64_t pow2, uint64_t *out)
{
	uint64_t pad = (~v + 1) & (pow2 - 1);

	if (v + pad < v)
		return false;
	*out = v + pad;
	return true;
}

/* Whether the processor divides numbers of that width by itself. */
#if UINTPTR_MAX > UINT32_MAX
#define PZ_DIVIDES_64 1
#else
#define PZ_DIVIDES_64 0
#endif
#if PZ_DIVIDES_64 || defined(__i386__) || defined(__ARM_FEATURE_IDIV) || defined(__riscv_div)
#define PZ_DIVIDES_32 1
#else
#define PZ_DIVIDES_32 0
#endif

/**
 * pz_udivrem64_shift - divide by shifting and subtracting, on any processor
 * @n: what is divided
 * @d: by what; not 0
 * @rem: the remainder
 *
 * Context: any. Cost: one step for each bit of the quotient.
 * Return: the quotient.
 */
static inline uint64_t pz_udivrem64_shift(uint64_t n, uint64_t d, uint64_t *rem)
{
	uint64_t q = 0;

	for (unsigned int i = n >= d ? pz_fls64(n) - pz_fls64(d) + 1 : 0; i-- > 0;) {
		q <<= 1;
		if (n >= d << i) {
			n -= d << i;
			q |= 1;
		}
	}
	*rem = n;
	return q;
}

/**
 * pz_udivrem64 - quotient and remainder of an unsigned 64-bit division
 * @n: what is divided
 * @d: by what; 0 gives a quotient of UINT64_MAX and a remainder of @n
 * @rem: the remainder
 *
 * Context: any.
 * Return: the quotient.
 */
static inline uint64_t pz_udivrem64(uint64_t n, uint64_t d, uint64_t *rem)
{
	if (!d) {
		*rem = n;
		return UINT64_MAX;
	}
#if PZ_DIVIDES_64
	*rem = n % d;
	return n / d;
#else
#if PZ_DIVIDES_32
	if (!((n | d) >> 32)) {
		*rem = (uint32_t)n % (uint32_t)d;
		return (uint32_t)n / (uint32_t)d;
	}
#endif
	return pz_udivrem64_shift(n, d, rem);
#endif
}

/**
 * pz_udiv64 - quotient of an unsigned 64-bit division, rounded down
 * @n: what is divided
 * @d: by what; 0 gives UINT64_MAX
 *
 * Context: any.
 * Return: the quotient.
 */
static inline uint64_t pz_udiv64(uint64_t n, uint64_t d)
{
	uint64_t rem;

	return pz_udivrem64(n, d, &rem);
}

/**
 * pz_urem64 - remainder of an unsigned 64-bit division
 * @n: what is divided
 * @d: by what; 0 gives @n
 *
 * Context: any.
 * Return: the remainder.
 */
static inline uint64_t pz_urem64(uint64_t n, uint64_t d)
{
	uint64_t rem;

	pz_udivrem64(n, d, &rem);
	return rem;
}

/**
 * pz_add_sat64 - add without wrapping
 * @a: one number
 * @b: the other
 *
 * Context: any.
 * Return: the sum, or UINT64_MAX when it does not fit.
 */
static inline uint64_t pz_add_sat64(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
