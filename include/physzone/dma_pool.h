/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool.h - small coherent objects: blocks of one size, cut from coherent buffers of a device.
 *
 * A block is known by two addresses, the CPU's and the device's, and neither crosses a boundary on
 * the bus. What is known of a block lies outside of it, for it is the device's memory, and may be
 * uncached: freeing verifies, always and at the cost of two loads, that an address is the start of
 * a block of this pool that is out.
 *
 * Units: bytes; bus addresses. Concurrency: allocating and freeing work from any context and on any
 * number of CPUs at once; @cpu is as in page.h. Pools are made, trimmed and destroyed in contexts
 * that may block. docs/design/dma_pool.md has the argument.
 * Source followed: docs/facts/dma.md section 7.
 */
#ifndef PHYSZONE_DMA_POOL_H
#define PHYSZONE_DMA_POOL_H

#include <physzone/dma.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_DMA_POOL_NAME_MAX 32u /* bytes of a name, with its 0 */
#define PZ_DMA_POOL_FREE 0xa7u /* debug: what a free block is filled with */
#define PZ_DMA_POOL_TAKEN 0xa9u /* and one that was just given out */

struct pz_dma_pool;

/* Where blocks lie in an allocation of pages, which begins at a multiple of its size rounded up to
 * a power of two on the bus. */
struct pz_dma_pool_layout {
	uint32_t bytes; /* of an allocation: whole pages */
	uint32_t stride; /* from one block to the next: the size, rounded up to the alignment */
	uint32_t span; /* blocks start anew at each multiple of it: a power of two, or @bytes */
	/* Blocks of a span, at least 1. Where @span is not @bytes few are left out: times @per_span
	 * less 1, what they leave of a span is less than it. */
	uint32_t per_span;
	uint32_t blocks; /* of an allocation */
};

/**
 * pz_dma_pool_layout - physzone's own layout: as many blocks as there is room for
 * @out: the layout, written on success only
 * @page_shift: log2 of the page size
 * @size: bytes of a block
 * @align: of its bus address, a power of two; 0 for 1
 * @boundary: no block crosses a multiple of it on the bus: a power of two; 0 for none
 * @why: on an error what is wrong, a static text; may be NULL
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL for a size of 0, an alignment or a boundary that is no power of two;
 * -PZ_EOVERFLOW for a block of 2 GiB or more; -PZ_ENOSPC for a boundary below the size.
 */
int pz_dma_pool_layout(struct pz_dma_pool_layout *out, uint32_t page_shift, uint32_t size,
		       uint32_t align, uint32_t boundary, const char **why);

/* What is wrong with a block. */
enum pz_dma_pool_fault {
	PZ_DMA_POOL_FOREIGN, /* freed: in no memory of this pool */
	PZ_DMA_POOL_INTERIOR, /* freed: in its memory, but not the start of a block */
	PZ_DMA_POOL_BAD_CPU, /* freed: the CPU's address is not that of the bus address */
	PZ_DMA_POOL_DOUBLE_FREE, /* freed: it is free */
	PZ_DMA_POOL_CORRUPTED, /* debug: written to while it was free; it is not given out again */
	PZ_DMA_POOL_FAULTS,
};

/* One finding; valid during the call only. */
struct pz_dma_pool_finding {
	enum pz_dma_pool_fault fault;
	const struct pz_dma_pool *pool;
	const char *name; /* of the pool */
	const char *function; /* the public function that found it */
	const void *cpu_addr; /* of the block, or as the caller gave it */
	uint64_t bus;
	const unsigned char *bad; /* PZ_DMA_POOL_CORRUPTED: the first byte that is wrong */
	uint32_t bad_bytes; /* from there to the last one */
	uint64_t site, when; /* debug: who allocated or freed it last, as the hooks said */
};

/* A block that is out, told when its pool cannot be destroyed. */
struct pz_dma_pool_block {
	void *cpu_addr;
	uint64_t bus;
	uint64_t site, when; /* debug: who allocated it, as the hooks said; else 0 */
};

struct pz_dma_pool_config {
	const char *name; /* copied; cut at PZ_DMA_POOL_NAME_MAX */
	uint32_t size; /* of a block */
	uint32_t align, boundary; /* as pz_dma_pool_layout() takes them */
	const struct pz_dma_pool_layout *layout; /* of a Linux model, say; NULL for its own */
	uint32_t magazine; /* blocks that a CPU keeps at most; 0 for 32 to 128 by their size */
	/* Fill what is free, look at it when it is given out, remember who did; no magazines. */
	bool debug;
	/* Findings, besides pz_bug(); may be NULL. Any context. */
	void (*found)(void *ctx, const struct pz_dma_pool_finding *f);
	void *ctx;
};

/**
 * pz_dma_pool_create - make a pool of blocks for a device
 * @out: the pool, written on success only
 * @dev: the device; must outlive the pool
 * @cfg: what it is made from; copied
 * @why: on an error but -PZ_ENOMEM what is wrong, a static text; may be NULL
 *
 * Takes no page.
 *
 * Context: may block; calls the metadata hook.
 * Return: 0; as pz_dma_pool_layout(); -PZ_EINVAL too without a name or a direct hook, or where a
 * given layout is malformed; -PZ_ERANGE when the device could never have such a block; -PZ_ENOMEM.
 */
int pz_dma_pool_create(struct pz_dma_pool **out, struct pz_dma_dev *dev,
		       const struct pz_dma_pool_config *cfg, const char **why);

/**
 * pz_dma_pool_destroy - give a pool and its pages back
 * @p: the pool, or NULL; nobody uses it any more
 * @live: called with each block that is still out; may be NULL
 * @ctx: passed to @live
 *
 * Context: may block; calls the metadata hook.
 * Return: 0, or -PZ_EBUSY when blocks are out: told to pz_bug(), and nothing has changed.
 */
int pz_dma_pool_destroy(struct pz_dma_pool *p,
			void (*live)(void *ctx, const struct pz_dma_pool_block *b), void *ctx);

/**
 * pz_dma_pool_alloc - allocate a block
 * @p: the pool
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_dma_alloc(), and PZ_GFP_ZERO
 * @bus: the address of the block for the device, written on success only
 *
 * Context: any. With PZ_GFP_BLOCK as pz_dma_alloc().
 * Return: the address of the block for the CPU, or NULL; pz_dma_pool_request() says why.
 */
void *pz_dma_pool_alloc(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, uint64_t *bus);

/**
 * pz_dma_pool_request - allocate a block, or say why not
 * @p: the pool
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_dma_alloc(), and PZ_GFP_ZERO
 * @cpu_addr: the address of the block for the CPU, written on success only
 * @bus: that for the device, written on success only
 *
 * Context: any. With PZ_GFP_BLOCK as pz_dma_alloc().
 * Return: as pz_dma_alloc().
 */
int pz_dma_pool_request(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, void **cpu_addr,
			uint64_t *bus);

/**
 * pz_dma_pool_free - free a block
 * @p: the pool
 * @cpu: the calling CPU, or PZ_CPU_NONE; need not be the one that allocated
 * @cpu_addr: the block, for the CPU
 * @bus: the same block, for the device
 *
 * Misuse is told to pz_bug() and the found hook, and changes nothing: see enum pz_dma_pool_fault.
 *
 * Context: any.
 */
void pz_dma_pool_free(struct pz_dma_pool *p, uint32_t cpu, void *cpu_addr, uint64_t bus);

/**
 * pz_dma_pool_drain - empty a CPU's magazine
 * @p: the pool
 * @cpu: the calling CPU
 *
 * Context: any, on that CPU; or where nobody uses the index.
 */
void pz_dma_pool_drain(struct pz_dma_pool *p, uint32_t cpu);

/**
 * pz_dma_pool_trim - give back the pages that no block is out of
 * @p: the pool
 * @cpu: the calling CPU, whose magazine is emptied first; or PZ_CPU_NONE
 *
 * Nothing else ever gives a page back but pz_dma_pool_destroy(). A page of which another CPU has
 * blocks in its magazine stays.
 *
 * Context: may block. Cost: O(pages of the pool).
 * Return: bytes that went back.
 */
uint64_t pz_dma_pool_trim(struct pz_dma_pool *p, uint32_t cpu);

/* The numbers of a pool. */
struct pz_dma_pool_info {
	const char *name;
	uint32_t size; /* of a block, as it was asked for */
	struct pz_dma_pool_layout layout;
	uint64_t used; /* blocks out */
	uint64_t total; /* blocks in its pages */
	uint64_t pages; /* allocations of layout.bytes */
	uint64_t kept; /* blocks in magazines */
	uint64_t fenced; /* blocks that are never given out again */
	uint64_t meta_bytes; /* what it costs besides the blocks */
};

/**
 * pz_dma_pool_info - count what a pool has
 * @p: the pool
 * @out: the numbers
 *
 * Context: any; exact while nobody uses it. Cost: O(pages of the pool, CPUs).
 */
void pz_dma_pool_info(const struct pz_dma_pool *p, struct pz_dma_pool_info *out);

/**
 * pz_dma_pool_check - verify a pool
 * @p: the pool; nobody uses it meanwhile
 *
 * Context: any. Cost: O(blocks).
 * Return: 0, or the number of the first invariant of src/dma/pool_check.c that does not hold.
 */
int pz_dma_pool_check(const struct pz_dma_pool *p);

#ifdef __cplusplus
}
#endif

#endif
