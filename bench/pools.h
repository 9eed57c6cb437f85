/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.h - what the benchmarks of pools share.
 */
#ifndef PHYSZONE_BENCH_POOLS_H
#define PHYSZONE_BENCH_POOLS_H

#include <physzone/genpool.h>
#include <physzone/mempool.h>

#include "harness.h"

#define POOLS_ORDER 5u
#define POOLS_GRANULES 131072u /* 4 MiB of 32 bytes */
#define POOLS_BASE 0x10000000ull

extern const struct pz_meta pools_meta;

struct linear; /* a pool with one chunk */

typedef uint64_t (*linear_algo)(const uint64_t *map, uint64_t size, uint64_t start, uint64_t n);

/* By docs/facts/genalloc.md sections 3 to 5, without this library. */
struct linear *linear_open(uint64_t base, uint64_t bytes, unsigned int order);
void linear_close(struct linear *l);
uint64_t linear_alloc(struct linear *l, uint64_t bytes, linear_algo algo); /* 0: no place */
void linear_free(struct linear *l, uint64_t addr, uint64_t bytes);
void linear_take(struct linear *l, uint64_t at, uint64_t n);
uint64_t linear_first(const uint64_t *map, uint64_t size, uint64_t start, uint64_t n);
uint64_t linear_best(const uint64_t *map, uint64_t size, uint64_t start, uint64_t n);

struct pools_work {
	struct pz_genpool *pool;
	struct linear *linear;
	struct pz_genpool_algo algo;
	uint64_t bytes;
};

/* The cases, each one a function of that name. */
void pools_first(void);
void pools_best(void);
void pools_no(void);
void pools_reserve(void);

#endif
