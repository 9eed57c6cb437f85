/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool.h - a model of Linux's dma_pool on physzone's pages: blocks of one size, cut from pages
 * that stay with the pool until it is destroyed.
 *
 * The device is coherent, so that its pages come straight from the page allocator, in any context.
 * Source followed: docs/facts/dma.md section 7.
 */
#ifndef PHYSZONE_CMD_COMPARE_DMA_POOL_H
#define PHYSZONE_CMD_COMPARE_DMA_POOL_H

#include <physzone/page.h>

struct dma_pool_config {
	struct pz_pages *pages;
	struct pz_limits limits;
	const struct pz_meta *meta; /* what is known of a page */
	unsigned char *arena;	    /* where the processor sees physical address 0 */
	uint32_t page_shift;
	uint32_t size, align, boundary; /* as dma_pool_create() takes them; 0 for no boundary */
	/* As before 6.12: free blocks by page, and the last block of a page is lost when it ends
	 * exactly at the boundary. Else one list of all free blocks. */
	bool by_page;
	bool debug; /* poison what is free */
};

struct dma_pool_stat {
	uint64_t pages, blocks, used; /* allocations of pages, the blocks in them, blocks out */
	uint64_t corrupted;	      /* debug: blocks written to while they were free */
	uint64_t refused;	      /* debug: frees of what is free, or no block */
};

struct dma_pool;

/* NULL for a size of 0, an alignment or boundary that will not do, or no memory. */
struct dma_pool *dma_pool_create(const struct dma_pool_config *cfg);

/* A block's physical address; @gfp is for the page where one is needed. 0, or as pz_page_request().
 */
int dma_pool_alloc(struct dma_pool *p, uint32_t gfp, uint64_t *dma);
void dma_pool_free(struct dma_pool *p, uint64_t dma);
void dma_pool_stat(const struct dma_pool *p, struct dma_pool_stat *out);

/* 0, or -PZ_EBUSY: Linux then leaks the pages in use (before 6.12), or all. So does the model. */
int dma_pool_destroy(struct dma_pool *p);

#endif
