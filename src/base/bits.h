/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bits.h - arithmetic on addresses that neither overflows quietly nor calls libgcc.
 *
 * 32-bit targets have no instruction for 64-bit division and population count; the compiler would
 * call __udivdi3 and __popcountdi2, which a freestanding image does not have.
 */
#ifndef PHYSZONE_BASE_BITS_H
#define PHYSZONE_BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether v is a power of two; 0 is none. */
static inline bool pz_is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* Number of bits set. */
static inline unsigned int pz_popcount64(uint64_t v)
{
	v -= (v >> 1) & UINT64_C(0x5555555555555555);
	v = (v & UINT64_C(0x3333333333333333)) + ((v >> 2) & UINT64_C(0x3333333333333333));
	v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	v += v >> 8;
	v += v >> 16;
	v += v >> 32;
	return (unsigned int)(v & 0x7f);
}

/* Index of the lowest bit set; v is not 0. */
static inline unsigned int pz_ctz64(uint64_t v)
{
	uint32_t low = (uint32_t)v;

	return low ? (unsigned int)__builtin_ctz(low) :
		     32 + (unsigned int)__builtin_ctz((uint32_t)(v >> 32));
}

/* Index of the highest bit set; v is not 0. */
static inline unsigned int pz_fls64(uint64_t v)
{
	uint32_t high = (uint32_t)(v >> 32);

	return high ? 63 - (unsigned int)__builtin_clz(high) :
		      31 - (unsigned int)__builtin_clz((uint32_t)v);
}

/* v rounded down to a power of two. */
static inline uint64_t pz_round_down(uint64_t v, uint64_t pow2)
{
	return v & ~(pow2 - 1);
}

/* v rounded up to a power of two; false when that does not fit 64 bits. */
static inline bool pz_round_up(uint64_t v, uint64_t pow2, uint64_t *out)
{
	uint64_t low = v & (pow2 - 1);

	if (low && v > UINT64_MAX - (pow2 - low))
		return false;
	*out = low ? v + (pow2 - low) : v;
	return true;
}

/* n / d, rounded down; d is not 0. Short operands take one 32-bit division, others a loop of 64. */
static inline uint64_t pz_udiv64(uint64_t n, uint64_t d)
{
	uint64_t q = 0, rest = 0;

	if (n <= UINT32_MAX && d <= UINT32_MAX)
		return (uint32_t)n / (uint32_t)d;
	if (pz_is_pow2(d))
		return n >> pz_ctz64(d);
	for (int i = 63; i >= 0; i--) {
		bool carry = rest >> 63;

		rest = rest << 1 | (n >> i & 1);
		if (carry || rest >= d) {
			rest -= d;
			q |= UINT64_C(1) << i;
		}
	}
	return q;
}

#endif
