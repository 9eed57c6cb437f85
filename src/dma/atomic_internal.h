/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic_internal.h - a pool for contexts that may not block, and its chunks.
 */
#ifndef PHYSZONE_DMA_ATOMIC_INTERNAL_H
#define PHYSZONE_DMA_ATOMIC_INTERNAL_H

#include "dma_internal.h"

#define ATOMIC_MAX_ORDER 10u /* of a chunk */

/* Memory that a pool has, ready. Made and unmade by whoever works. */
struct dma_chunk {
	struct dma_atomic *pool;
	struct dma_chunk *next; /* among those that left the pool */
	struct dma_block block;
	uint64_t bytes;
};

/*
 * A pool. It stays until the layer goes, empty when no device needs it any more, so that anybody
 * may look at it.
 */
struct dma_atomic {
	struct dma_atomic *next; /* an older one */
	struct pz_dma *dma;
	struct pz_genpool *pieces;
	struct pz_reach reach; /* as the first device had it */
	struct pz_range span;
	uint32_t way;	  /* DMA_WAY_*: what is done to its memory */
	uint32_t devices; /* that need it */
	bool possible;	  /* some managed memory could serve it */
	uint64_t base;	  /* bytes that it should have free to begin with */
	uint64_t want;	  /* and now; changed by whoever works */
	uint64_t dead;	  /* the address of the first chunk that left */
	uint64_t miss;	  /* bytes of a chunk for any piece that was not had since it grew */
	uint64_t allocs, fails;
};

static inline uint64_t atomic_low(const struct dma_atomic *a)
{
	return pz_peek64(&a->want) / 2;
}

static inline struct dma_atomic *atomic_first(const struct pz_dma *dma)
{
	return (struct dma_atomic *)(uintptr_t)pz_load64(&dma->atomics);
}

/* Ask, once, that somebody who may block comes. */
void pz_dma_atomic_call(struct pz_dma *dma);
/* atomic_work.c: bring a pool to what it should have; may block. True when something changed. */
bool pz_dma_atomic_tend(struct dma_atomic *a, uint32_t cpu);
/* Whether it is time for that. */
bool pz_dma_atomic_lacks(const struct dma_atomic *a);

#endif
