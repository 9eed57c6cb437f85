/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.h - pieces of pages: page_frag, and pages for page tables.
 *
 * page_frag hands out pieces of a larger block from the end downwards, and the block returns when
 * its last piece does: quick, but one long-lived piece pins the block. With PZ_FRAG_REUSE freed
 * pieces are given out again, so that it pins only itself. Tables smaller than a page are pieces
 * with an alignment. Source followed: docs/facts/page_alloc.md section 10.
 */
#ifndef PHYSZONE_FRAG_H
#define PHYSZONE_FRAG_H

#include <physzone/page.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_FRAG_REUSE 0x1u /* give freed pieces out again; else as Linux does */
#define PZ_FRAG_BLOCK 32768u /* bytes of a cache block, as Linux asks for; smaller on failure */

struct pz_frag_config {
	struct pz_pages *pages;
	struct pz_limits limits; /* of every piece's block */
	uint32_t gfp; /* PZ_GFP_* of the blocks */
	uint32_t flags; /* PZ_FRAG_* */
	/* a power of two, at least a page, at most 64 pages; 0 for PZ_FRAG_BLOCK */
	uint32_t block_bytes;
	uint32_t granule; /* PZ_FRAG_REUSE: sizes are rounded up to it; a power of two, at least a
			   * 64th of a page; 0 for a 64th of a page */
	const struct pz_meta *meta;
};

struct pz_frag_stat {
	uint64_t blocks; /* blocks held */
	uint64_t block_bytes; /* their bytes */
	uint64_t pieces; /* pieces out */
	uint64_t piece_bytes; /* bytes asked for in pieces that are out */
	/* calls; pieces given out again inside a block that was in use */
	uint64_t allocs, frees, reused;
};

struct pz_frag; /* a cache of pieces */

/**
 * pz_frag_create - make a cache of pieces
 * @out: the cache, written on success only
 * @cfg: what it is made from; copied
 *
 * Context: any but interrupts; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM.
 */
int pz_frag_create(struct pz_frag **out, const struct pz_frag_config *cfg);

/**
 * pz_frag_destroy - give a cache back
 * @f: the cache, or NULL
 *
 * Context: any but interrupts.
 * Return: pieces that are still out: their blocks stay allocated, are told to pz_bug(), and leak.
 */
uint64_t pz_frag_destroy(struct pz_frag *f);

/**
 * pz_frag_alloc - take a piece
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @size: bytes, 1 to the block size
 * @align: alignment of its address, a power of two
 * @addr: its physical address, written on success only
 *
 * Context: any; blocks when the cache's gfp may.
 * Return: 0, -PZ_EINVAL when @size or @align is out of range, else as pz_page_request().
 */
int pz_frag_alloc(struct pz_frag *f, uint32_t cpu, uint32_t size, uint32_t align, uint64_t *addr);

/**
 * pz_frag_free - give a piece back
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @addr: its address
 * @size: its size, as it was asked for
 *
 * What is no piece of the cache, or (with PZ_FRAG_REUSE) was freed before, is told to pz_bug().
 *
 * Context: any.
 */
void pz_frag_free(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint32_t size);

/**
 * pz_frag_stat - the numbers of a cache
 * @f: the cache
 * @out: the numbers
 *
 * Context: any; exact while nobody uses the cache.
 */
void pz_frag_stat(const struct pz_frag *f, struct pz_frag_stat *out);

/**
 * pz_frag_check - verify a cache
 * @f: the cache; nobody uses it meanwhile
 *
 * Context: any. Cost: O(blocks).
 * Return: 0, or the number of the first invariant of src/page/frag.c that does not hold.
 */
int pz_frag_check(const struct pz_frag *f);

/**
 * pz_page_alloc_table - take a zeroed table of the processor or an IOMMU
 * @f: a cache with PZ_FRAG_REUSE and the limits of the tables
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @size: bytes, a power of two: pieces below a page, whole pages from there on
 * @addr: its physical address, aligned to @size, written on success only
 *
 * Context: any; blocks when the cache's gfp may. Zeroed by the fill hook where there is one.
 * Return: 0, -PZ_EINVAL when @size is no power of two, else as pz_page_request().
 */
int pz_page_alloc_table(struct pz_frag *f, uint32_t cpu, uint32_t size, uint64_t *addr);

/**
 * pz_page_free_table - give a table back
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @addr: its address
 * @size: its size
 *
 * Context: any.
 */
void pz_page_free_table(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
