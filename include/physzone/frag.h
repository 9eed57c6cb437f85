/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.h - pieces of pages: page_frag, and pages for page tables.
 *
 * page_frag hands out pieces of a larger block from the end downwards, and the block returns when
 * its last piece does: quick, but one long-lived piece pins the block. With PZ_FRAG_REUSE freed
 * pieces are given out again, so that it pins only itself. Tables smaller than a page are pieces
 * with an alignment. The memory itself is never touched; what is known of a block lies in metadata.
 * Source followed: docs/facts/page_alloc.md section 10; docs/design/frag.md has the argument.
 */
#ifndef PHYSZONE_FRAG_H
#define PHYSZONE_FRAG_H

#include <physzone/page.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_FRAG_REUSE 0x1u /* give freed pieces out again; else as Linux does */
#define PZ_FRAG_BLOCK 32768u /* bytes of a cache block, as Linux asks for; smaller on failure */

#define PZ_FRAG_NOGROW 0x2u /* never call the metadata hook after pz_frag_create() */

struct pz_frag_config {
	struct pz_pages *pages; /* must outlive the cache */
	struct pz_limits limits; /* of every block, and so of every piece */
	uint32_t gfp; /* PZ_GFP_* of the blocks */
	uint32_t flags; /* PZ_FRAG_* */
	/* a power of two, a page to 64 pages; 0 for PZ_FRAG_BLOCK, or a page if that is more */
	uint32_t block_bytes;
	uint32_t granule; /* PZ_FRAG_REUSE: sizes are rounded up to it; a power of two, at least a
			   * 64th of a page, at most a page; 0 for a 64th of a page */
	/* Metadata for so many blocks is taken when the cache is made; 0 for 32. When more are
	 * needed, pz_frag_alloc() calls the hook in its caller's context, unless PZ_FRAG_NOGROW. */
	uint32_t blocks;
	const struct pz_meta *meta; /* must outlive the cache */
	/* Write zeroes to memory, for tables; or NULL: pieces are then given out as they are. */
	void (*zero)(void *ctx, uint64_t addr, uint64_t bytes);
	void *zero_ctx;
};

struct pz_frag_stat {
	uint64_t blocks; /* blocks held */
	uint64_t block_bytes; /* their bytes */
	uint64_t pieces; /* pieces out */
	uint64_t piece_bytes; /* bytes asked for in pieces that are out */
	uint64_t allocs, frees; /* pieces given and taken back, ever */
	uint64_t reused; /* of the allocs: out of what was freed in a block that was in use */
	uint64_t meta_bytes; /* metadata held */
};

struct pz_frag; /* a cache of pieces */

/**
 * pz_frag_create - make a cache of pieces
 * @out: the cache, written on success only
 * @cfg: what it is made from; copied
 *
 * No page is taken yet.
 *
 * Context: any but interrupts; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM; nothing is held on error.
 */
int pz_frag_create(struct pz_frag **out, const struct pz_frag_config *cfg);

/**
 * pz_frag_destroy - give a cache back
 * @f: the cache, or NULL; nobody uses it any more
 *
 * Context: any but interrupts; calls the metadata hook.
 * Return: pieces that are still out: their blocks stay allocated, are told to pz_bug(), and leak.
 */
uint64_t pz_frag_destroy(struct pz_frag *f);

/**
 * pz_frag_alloc - take a piece
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @size: bytes, 1 to the block size
 * @align: alignment of its address, a power of two, at most the block size
 * @addr: its physical address, written on success only
 *
 * Where no block of full size is to be had, one that holds just this piece will do.
 *
 * Context: any; blocks when the cache's gfp may. Takes no lock.
 * Return: 0, -PZ_EINVAL when @size or @align is out of range, -PZ_ENOMEM when there is no metadata,
 * else as pz_page_request(); nothing changes on error.
 */
int pz_frag_alloc(struct pz_frag *f, uint32_t cpu, uint32_t size, uint32_t align, uint64_t *addr);

/**
 * pz_frag_alloc_gfp - take a piece as the caller's context allows
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_* of a block that is needed, in place of the cache's; not PZ_GFP_MOVABLE or
 * PZ_GFP_ZERO
 * @size: bytes, 1 to the block size
 * @align: alignment of its address, a power of two, at most the block size
 * @addr: its physical address, written on success only
 *
 * Context: any; with PZ_GFP_BLOCK one that may block. Takes no lock.
 * Return: as pz_frag_alloc(), and -PZ_EINVAL for other flags.
 */
int pz_frag_alloc_gfp(struct pz_frag *f, uint32_t cpu, uint32_t gfp, uint32_t size, uint32_t align,
		      uint64_t *addr);

/**
 * pz_frag_free - give a piece back
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE; need not be the one that allocated
 * @addr: its address
 * @size: its size, as it was asked for
 *
 * Misuse is told to pz_bug() and changes nothing: an address in no block, or where nothing was
 * given out; with PZ_FRAG_REUSE also what begins or ends where no piece does, and what was freed
 * before; without it, more pieces or bytes than are out of the block, and a last piece of another
 * size.
 *
 * Context: any.
 */
void pz_frag_free(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint32_t size);

/**
 * pz_frag_drain - give back blocks that are kept only to be cut up next
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE; those of all CPUs are given back
 *
 * A block with pieces out stays until they are back. Good for a reclaim hook.
 *
 * Context: any. Leaves out blocks that another context is cutting right now.
 * Return: pages that went back to the allocator.
 */
uint64_t pz_frag_drain(struct pz_frag *f, uint32_t cpu);

/**
 * pz_frag_stat - the numbers of a cache
 * @f: the cache
 * @out: the numbers
 *
 * Context: any; exact while nobody uses the cache. Cost: O(blocks).
 */
void pz_frag_stat(const struct pz_frag *f, struct pz_frag_stat *out);

/**
 * pz_frag_check - verify a cache
 * @f: the cache; nobody uses it meanwhile
 *
 * Context: any. Cost: O(blocks).
 * Return: 0, or the number of the first invariant of src/page/frag_check.c that does not hold.
 */
int pz_frag_check(const struct pz_frag *f);

/**
 * pz_page_alloc_table - take a zeroed table of the processor or an IOMMU
 * @f: a cache with the limits of the tables, best with PZ_FRAG_REUSE
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @size: bytes, a power of two: pieces below a page, whole pages from there on
 * @addr: its physical address, aligned to @size, written on success only
 *
 * Zeroed by the cache's zero hook; where it has none, whole pages are by the allocator's, and
 * pieces are not. Whole pages do not count among the pieces of the cache.
 *
 * Context: any; blocks when the cache's gfp may.
 * Return: 0, -PZ_EINVAL when @size is no power of two, else as pz_frag_alloc() and
 * pz_page_request().
 */
int pz_page_alloc_table(struct pz_frag *f, uint32_t cpu, uint64_t size, uint64_t *addr);

/**
 * pz_page_free_table - give a table back
 * @f: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @addr: its address
 * @size: its size; misuse is told as by pz_frag_free() and pz_free_exact()
 *
 * Context: any.
 */
void pz_page_free_table(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
