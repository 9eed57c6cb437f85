/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_world.h - the machine of dma_case.c: memory in four places, and its page allocator.
 *
 * It outlives the cases, so that a case costs no more than what it does; after a failure it is made
 * anew.
 */
#ifndef TESTS_FUZZ_DMA_WORLD_H
#define TESTS_FUZZ_DMA_WORLD_H

#include <physzone/bounce.h>
#include <physzone/dma_debug.h>
#include <physzone/dma_map.h>
#include <physzone/dma_pool.h>

#include "case_source.h"

#define DMA_PAGE 4096u
#define DMA_PART 0x80000u /* bytes of a piece of memory */
#define DMA_PARTS 4u

/* Below 16 MiB, 256 MiB, 4 GiB, and above. */
extern const uint64_t dma_part[DMA_PARTS];

/* Set aside for bounce buffers: of the machine, and of a restricted device. */
extern const struct pz_range dma_aside, dma_aside_own;

/* A region of some devices' own, and a contiguous area. */
extern struct pz_dma_region dma_own_region;
#define DMA_AREA 0xb0040000u
#define DMA_AREA_BYTES 0x20000u

struct dma_world {
	bool made;
	unsigned char mem[DMA_PARTS][DMA_PART] __attribute__((aligned(4096)));
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *pages;
	uint32_t cma;
	uint64_t free; /* pages, before a case */
	bool may_block; /* else hooks that may block must not be called */
	struct pz_bugs bugs;
	bool high_unmapped;			      /* the last part needs a window */
	bool encrypted;				      /* devices read what is private as rubbish */
	bool shared[DMA_PARTS * DMA_PART / DMA_PAGE]; /* pages that are not private */
	uint32_t shared_pages;
};

extern struct dma_world world;
extern const struct pz_meta dma_meta;
extern const struct pz_dma_hooks dma_hooks;

/* Make it where it is not; NULL, or what went wrong. */
const char *dma_world_make(void);
/* Forget it, and whatever is allocated. */
void dma_world_drop(void);

/* What lies at physical addresses, NULL when it is not all memory of one place. */
unsigned char *dma_memory(uint64_t phys, uint64_t bytes);

/* Whether a device that knows nothing of encryption can read all of it; it is memory. */
bool dma_readable(uint64_t phys, uint64_t bytes);

#endif
