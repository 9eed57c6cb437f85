/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.h - what the benchmarks of memory for devices share.
 */
#ifndef PHYSZONE_BENCH_DMA_H
#define PHYSZONE_BENCH_DMA_H

#include <physzone/dma.h>

#include "harness.h"
#include "slab_machine.h"

/* A DMA layer on the machine of slab_machine.h: 1 GiB from 0 and 1 GiB from 4 GiB on. */
struct dma_bench {
	struct slab_machine m;
	struct pz_dma *dma;
};

#define DMA_RING 256u
#define DMA_MOVED 512u

/* Pages of a contiguous area that are lent. */
struct dma_lent {
	struct dma_bench *b;
	uint64_t first, pages;				/* page frames of the area */
	uint64_t from[DMA_MOVED], to[DMA_MOVED], moved; /* out of the way of a buffer */
	uint8_t owner;
};

/* What a run is told. */
struct dma_work {
	struct pz_dma_dev *dev;
	uint64_t bytes;
	uint32_t gfp;
	unsigned int count;	/* buffers at once */
	void *memory[DMA_RING]; /* where they were */
	struct dma_lent *lent;
};

void dma_need(bool ok, const char *what);
void dma_machine(struct dma_bench *b);
/* @as: what is unusual about the layer, or NULL. */
void dma_open(struct dma_bench *b, const struct pz_dma_config *as);
void dma_close(struct dma_bench *b);

extern const struct pz_meta dma_meta;

/* dma_capacity.c */
void dma_capacity(void);

/* dma_pool.c */
void dma_pool_pairs(void);

#endif
