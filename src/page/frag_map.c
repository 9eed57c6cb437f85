/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_map.c - the granules of one block that are taken, a bit each.
 *
 * Concept
 *  Only the context that holds a block sets bits, and only in granules that it found free; anyone
 *  who gives a piece back clears the bits of that piece. So a search needs no retry: what it found
 *  free stays free until it takes it, and bits are changed atomically only because pieces share
 *  words.
 *
 * Failure
 *  Nothing here can fail; a search that finds nothing says so.
 *
 * Shortcomings
 *  A search looks at each piece above the place that it finds, but for words that are full.
 */
#include "frag_internal.h"

#define FRAG_WORD 32u

/* The bits [from, from + n) of a word. */
static uint32_t frag_mask(uint32_t from, uint32_t n)
{
	return (n < FRAG_WORD ? ((uint32_t)1 << n) - 1 : UINT32_MAX) << from;
}

/* The first granule of [from, end) that is taken, or not; @end when there is none. */
uint32_t pz_frag_run(const uint32_t *map, uint32_t from, uint32_t end, bool taken)
{
	while (from < end) {
		uint32_t w = pz_load32(&map[from / FRAG_WORD]);

		w = (taken ? w : ~w) >> from % FRAG_WORD;
		if (w) {
			from += pz_ctz32(w);
			return from < end ? from : end;
		}
		from = (from / FRAG_WORD + 1) * FRAG_WORD;
	}
	return end;
}

/* The highest granule where @n free ones begin, aligned to @align; FRAG_NONE for nowhere. */
uint32_t pz_frag_map_fit(const uint32_t *map, uint32_t granules, uint32_t n, uint32_t align)
{
	uint32_t end = granules;

	while (end >= n) {
		uint32_t word = (end - 1) / FRAG_WORD, free, from, hit;

		/* Nothing free above the highest free granule. */
		free = ~pz_load32(&map[word]) & frag_mask(0, end - word * FRAG_WORD);
		if (!free) {
			end = word * FRAG_WORD;
			continue;
		}
		end = word * FRAG_WORD + pz_fls32(free) + 1;
		if (end < n)
			break;
		from = (end - n) & ~(align - 1);
		hit = pz_frag_run(map, from, from + n, true);
		if (hit == from + n)
			return from;
		end = hit;
	}
	return FRAG_NONE;
}

/* The length of the longest free run. */
uint32_t pz_frag_map_longest(const uint32_t *map, uint32_t granules)
{
	uint32_t longest = 0, end;

	for (uint32_t from = 0; from < granules; from = end) {
		from = pz_frag_run(map, from, granules, false);
		end = pz_frag_run(map, from, granules, true);
		if (end - from > longest)
			longest = end - from;
	}
	return longest;
}

/* The length of the free run that a granule lies in, 0 when it is taken. */
uint32_t pz_frag_map_around(const uint32_t *map, uint32_t granules, uint32_t at)
{
	uint32_t end = pz_frag_run(map, at, granules, true), from = at;

	while (from > 0) {
		uint32_t word = (from - 1) / FRAG_WORD;
		uint32_t w = pz_load32(&map[word]) & frag_mask(0, from - word * FRAG_WORD);

		if (w) {
			from = word * FRAG_WORD + pz_fls32(w) + 1;
			break;
		}
		from = word * FRAG_WORD;
	}
	return end > at ? end - from : 0;
}

void pz_frag_map_set(uint32_t *map, uint32_t from, uint32_t n)
{
	while (n) {
		uint32_t bit = from % FRAG_WORD, m = FRAG_WORD - bit < n ? FRAG_WORD - bit : n;

		pz_or32(&map[from / FRAG_WORD], frag_mask(bit, m));
		from += m;
		n -= m;
	}
}

void pz_frag_map_clear(uint32_t *map, uint32_t from, uint32_t n)
{
	while (n) {
		uint32_t bit = from % FRAG_WORD, m = FRAG_WORD - bit < n ? FRAG_WORD - bit : n;

		pz_and32(&map[from / FRAG_WORD], ~frag_mask(bit, m));
		from += m;
		n -= m;
	}
}

bool pz_frag_map_has(const uint32_t *map, uint32_t at)
{
	return pz_load32(&map[at / FRAG_WORD]) >> at % FRAG_WORD & 1;
}

/* Clear a bit; whether it was set. One context only is told so. */
bool pz_frag_map_take(uint32_t *map, uint32_t at)
{
	uint32_t bit = (uint32_t)1 << at % FRAG_WORD;

	return pz_and32(&map[at / FRAG_WORD], ~bit) & bit;
}
