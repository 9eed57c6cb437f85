/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_small.h - a small machine with memory behind it, a DMA layer and devices, for the suites of
 * pools and of the debug mode.
 */
#ifndef TESTS_CONTRACT_DMA_SMALL_H
#define TESTS_CONTRACT_DMA_SMALL_H

#include <physzone/dma_debug.h>
#include <physzone/dma_pool.h>

#include "page_machine.h"

#define DS_FIRST (14 * PM_MIB)
#define DS_BYTES (4 * PM_MIB)
#define DS_CPUS 2u
#define DS_POINTS 16u

/* Points to itself: must not be moved. */
struct dma_small {
	struct page_machine pm;
	struct pz_fault_point points[DS_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;
	uint32_t meta_fault;
	unsigned char *memory; /* where DS_FIRST is */
	void *raw;
	size_t raw_bytes;
	uint64_t managed;    /* free pages at first */
	uint64_t time, site; /* what the hooks say; time goes on by itself */
	struct pz_dma_config cfg;
	struct pz_dma *dma;
};

/* All but the layer; @m->cfg is filled in, and may be changed. */
bool ds_lay_out(struct dma_small *m, struct tap *t);
bool ds_make(struct dma_small *m);
/* A device of so many bits. NULL fails a check. */
struct pz_dma_dev *ds_device(struct dma_small *m, const char *name, unsigned int bits);
/* Verify that all came back, and give it back. */
void ds_close(struct dma_small *m);

void ds_clear(void *p, size_t n);
uint64_t ds_now(void *ctx);
uint64_t ds_site(void *ctx);

#endif
