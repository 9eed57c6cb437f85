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

/* What a run is told. */
struct dma_work {
	struct pz_dma_dev *dev;
	void *memory;
	uint64_t bytes;
	uint32_t gfp;
};

void dma_need(bool ok, const char *what);
void dma_open(struct dma_bench *b, bool hold);
void dma_close(struct dma_bench *b);

#endif
