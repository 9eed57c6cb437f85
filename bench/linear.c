/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linear.c - a pool with one bitmap that is searched from its start, as a yardstick.
 *
 * Written from docs/facts/genalloc.md: a bit for each granule, first fit by the next zero and then
 * the next set bit, best fit over all gaps; bits are set and cleared by a compare-and-exchange for
 * each word, and the count of free bytes is an atomic of its own.
 */
#include "pools.h"

#include <stdlib.h>
#include <string.h>

#define LINEAR_BITS 64u

struct linear {
	uint64_t avail, base, bits;
	unsigned int order;
	uint64_t map[];
};

struct linear *linear_open(uint64_t base, uint64_t bytes, unsigned int order)
{
	uint64_t bits = bytes >> order;
	struct linear *l = calloc(1, sizeof(*l) + (bits + LINEAR_BITS - 1) / LINEAR_BITS * 8);

	if (!l)
		return NULL;
	l->avail = bytes;
	l->base = base;
	l->bits = bits;
	l->order = order;
	return l;
}

void linear_close(struct linear *l)
{
	free(l);
}

/* The next bit from @at on that is set, or not; @size for none. */
static uint64_t linear_next(const uint64_t *map, uint64_t size, uint64_t at, uint64_t flip)
{
	uint64_t w;

	if (at >= size)
		return size;
	w = (map[at / LINEAR_BITS] ^ flip) & UINT64_MAX << at % LINEAR_BITS;
	for (at -= at % LINEAR_BITS; !w;) {
		at += LINEAR_BITS;
		if (at >= size)
			return size;
		w = map[at / LINEAR_BITS] ^ flip;
	}
	at += (uint64_t)__builtin_ctzll(w);
	return at < size ? at : size;
}

uint64_t linear_first(const uint64_t *map, uint64_t size, uint64_t start, uint64_t n)
{
	for (;;) {
		uint64_t at = linear_next(map, size, start, UINT64_MAX), hit;

		if (at + n > size)
			return at + n;
		hit = linear_next(map, at + n, at, 0);
		if (hit >= at + n)
			return at;
		start = hit + 1;
	}
}

uint64_t linear_best(const uint64_t *map, uint64_t size, uint64_t start, uint64_t n)
{
	uint64_t best = size, best_len = size + 1, at = linear_first(map, size, start, n);

	while (at < size) {
		uint64_t end = linear_next(map, size, at + n, 0);

		if (end - at < best_len) {
			best = at;
			best_len = end - at;
			if (best_len == n)
				return best;
		}
		at = linear_first(map, size, end + 1, n);
	}
	return best;
}

/* Change [at, at + n), all of which must be as @set is not. */
static void linear_change(struct linear *l, uint64_t at, uint64_t n, bool set)
{
	while (n) {
		uint64_t bit = at % LINEAR_BITS,
			 got = LINEAR_BITS - bit < n ? LINEAR_BITS - bit : n;
		uint64_t m = (got < LINEAR_BITS ? ((uint64_t)1 << got) - 1 : UINT64_MAX) << bit;
		uint64_t *p = &l->map[at / LINEAR_BITS], old;

		do {
			old = __atomic_load_n(p, __ATOMIC_RELAXED);
			if (set ? (old & m) != 0 : (old & m) != m)
				abort();
		} while (!__sync_bool_compare_and_swap(p, old, old ^ m));
		at += got;
		n -= got;
	}
}

void linear_take(struct linear *l, uint64_t at, uint64_t n)
{
	linear_change(l, at, n, true);
	__sync_fetch_and_sub(&l->avail, n << l->order);
}

uint64_t linear_alloc(struct linear *l, uint64_t bytes, linear_algo algo)
{
	uint64_t n = (bytes + ((uint64_t)1 << l->order) - 1) >> l->order, at;

	if (bytes > l->avail)
		return 0;
	at = algo(l->map, l->bits, 0, n);
	if (at >= l->bits)
		return 0;
	linear_take(l, at, n);
	return l->base + (at << l->order);
}

void linear_free(struct linear *l, uint64_t addr, uint64_t bytes)
{
	uint64_t n = (bytes + ((uint64_t)1 << l->order) - 1) >> l->order;

	linear_change(l, (addr - l->base) >> l->order, n, false);
	__sync_fetch_and_add(&l->avail, n << l->order);
}
