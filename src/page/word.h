/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * word.h - the state of 32 neighbouring units of memory in one 64-bit word.
 *
 * A unit at level 0 is a page frame; at level L it is 32^L frames, and stands for a whole word of
 * the level below. Two bits a unit: `taken` in the lower half of the word, `head` in the upper.
 *
 *	taken head
 *	  0    0   free as a whole
 *	  1    1   first unit of an allocated block, or reserved
 *	  1    0   a further unit of the block that begins before
 *	  0    1   level 0: held by a per-CPU cache; above: split, the word below tells
 *
 * One compare-and-exchange of such a word allocates or frees any block of up to 32 units, and sees
 * every misuse of it at that moment. All zero means all free.
 */
#ifndef PHYSZONE_PAGE_WORD_H
#define PHYSZONE_PAGE_WORD_H

#include "../base/atomic.h"
#include "../base/bits.h"

#define WORD_UNITS 32u
#define WORD_SHIFT 5u

/* A word whose unit above is not split: nobody may take from it. Also what a merge leaves behind.
 */
#define WORD_CLOSED 0x00000000ffffffffull
/* A word of reserved units. */
#define WORD_RESERVED 0xffffffffffffffffull

enum word_state { WORD_FREE, WORD_SPLIT, WORD_TAIL, WORD_HEAD };
#define WORD_HELD WORD_SPLIT

static inline uint32_t word_taken(uint64_t w)
{
	return (uint32_t)w;
}

static inline uint32_t word_head(uint64_t w)
{
	return (uint32_t)(w >> 32);
}

static inline uint64_t word_make(uint32_t taken, uint32_t head)
{
	return (uint64_t)head << 32 | taken;
}

static inline uint32_t word_free(uint64_t w)
{
	return ~(word_taken(w) | word_head(w));
}

static inline enum word_state word_state(uint64_t w, unsigned int unit)
{
	return (enum word_state)((word_taken(w) >> unit & 1) * 2 + (word_head(w) >> unit & 1));
}

/* @n units from @unit on, 1 to 32. */
static inline uint32_t word_mask(unsigned int unit, unsigned int n)
{
	return (n >= WORD_UNITS ? ~(uint32_t)0 : ((uint32_t)1 << n) - 1) << unit;
}

/* Of the units in @f, those where an aligned run of 2^@r of them begins, @r up to 5. */
static inline uint32_t word_runs(uint32_t f, unsigned int r)
{
	if (r >= 1)
		f &= f >> 1 & 0x55555555u;
	if (r >= 2)
		f &= f >> 2 & 0x11111111u;
	if (r >= 3)
		f &= f >> 4 & 0x01010101u;
	if (r >= 4)
		f &= f >> 8 & 0x00010001u;
	if (r >= 5)
		f &= f >> 16 & 0x00000001u;
	return f;
}

/* Whether there is a run of @n units in @f, wherever it begins; @n 1 to 32. */
static inline bool word_has_run(uint32_t f, unsigned int n)
{
	while (n > 1) {
		f &= f >> (n >> 1);
		n -= n >> 1;
	}
	return f;
}

/* By how many orders the free run of 2^@r units around @unit can be enlarged within @f. */
static inline unsigned int word_run_more(uint32_t f, unsigned int unit, unsigned int r)
{
	unsigned int more = 0;

	while (r + more < WORD_SHIFT) {
		uint32_t m = word_mask(unit & ~((2u << (r + more)) - 1), 2u << (r + more));

		if ((f & m) != m)
			break;
		more++;
	}
	return more;
}

/* The largest r up to 5 such that the aligned run of 2^r units around @unit lies in @f. */
static inline unsigned int word_run_around(uint32_t f, unsigned int unit)
{
	return word_run_more(f, unit, 0);
}

/*
 * Where to put a run of 2^@r units among the free @f: at an end of the word, but rather where it
 * breaks no larger run. @f has such a run.
 */
static inline unsigned int word_place(uint32_t f, unsigned int r, bool low)
{
	uint32_t runs = word_runs(f, r);

	if (r < WORD_SHIFT) {
		uint32_t larger = word_runs(f, r + 1), tight;

		tight = runs & ~(larger | larger << (1u << r));
		if (tight)
			runs = tight;
	}
	return low ? pz_ctz32(runs) : pz_fls32(runs);
}

#endif
