/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_mem.h - where translation tables of an IOMMU come from.
 *
 * A table is a power of two of bytes, aligned to its size, known by two addresses: the CPU's, and
 * the one that the IOMMU's walker reads it at. A provider gives out such tables and takes them
 * back; it may be anything. Those below are made from the library's own allocators, each within any
 * limit: small tables, of 1 KiB or less, and larger ones.
 *
 * Units: bytes, physical addresses. Concurrency: as the allocator behind it.
 * Source followed: docs/facts/iommu_v7s.md section 5. docs/design/iommu_providers.md has the
 * argument.
 */
#ifndef PHYSZONE_TABLE_MEM_H
#define PHYSZONE_TABLE_MEM_H

#include <physzone/dma_pool.h>
#include <physzone/frag.h>
#include <physzone/genpool.h>
#include <physzone/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pz_table {
	void *cpu_addr;
	uint64_t addr; /* as the walker reads it */
};

/*
 * A provider. @alloc returns 0, or -PZ_ENOMEM, -PZ_ERANGE and what else its allocator says; tables
 * need not be zeroed. Both are called from the context of whoever maps or unmaps, with no lock held
 * and @cpu and @gfp as it gave them; @bytes is the same in both. Memory that was freed stays
 * readable for the CPU (its contents do not matter) as long as the tables that it served exist.
 */
struct pz_table_mem {
	int (*alloc)(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out);
	void (*free)(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t);
	void *ctx;
	/* @addr is a bus address of memory that the walker sees as the CPU writes it. */
	bool coherent;
};

/* --- providers made from the library's allocators --- */

#define PZ_TABLE_SMALL 1024u /* bytes; what is smaller takes as much, and is aligned to it */
#define PZ_TABLE_MOST 65536u /* bytes of a table, at most */

struct pz_table_source; /* such a provider */

/*
 * What all of them need. @mapped and @virt are as in pz_slabs_config: tables lie there alone.
 * @limits are of every byte of every table: pz_v7s_table_limits() has the format's. An alignment
 * beyond that of small tables, and a boundary below them, are refused.
 */
struct pz_table_source_config {
	struct pz_pages *pages; /* must outlive the provider */
	struct pz_range mapped; /* physical addresses that the CPU sees in a row, whole pages */
	void *virt; /* where mapped.first is */
	struct pz_limits limits;
	/* Small tables at once that are provided for: what must be known of their memory is
	 * allocated when the provider is made. 0 for 4096, which map 4 GiB. Slabs and pages know
	 * no such number. */
	uint32_t tables;
	const struct pz_meta *meta; /* must outlive the provider; for its own record alone */
	struct pz_bugs *bugs; /* misuse is told here; may be NULL */
};

/**
 * pz_table_pages_create - whole pages, also for small tables
 * @out: the provider, written on success only
 * @cfg: what it is made from; copied
 * @why: on -PZ_EINVAL and -PZ_ERANGE what is wrong, a static text; may be NULL
 *
 * Context: calls the metadata hook.
 * Return: 0; -PZ_EINVAL when @cfg is malformed; -PZ_ERANGE when no managed memory lies within the
 * limits; -PZ_ENOMEM; nothing is held on error.
 */
int pz_table_pages_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			  const char **why);

/**
 * pz_table_slab_create - small tables from a cache of their own with the limits
 * @out: the provider, written on success only
 * @cfg: what it is made from; copied
 * @slabs: the set of caches; must outlive the provider
 * @debug: PZ_SLAB_DEBUG_* of the cache
 * @why: as for pz_table_pages_create()
 *
 * Larger tables are whole pages.
 *
 * Context: as pz_kmem_cache_create().
 * Return: as pz_table_pages_create(), and as pz_kmem_cache_create().
 */
int pz_table_slab_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			 struct pz_slabs *slabs, uint32_t debug, const char **why);

/**
 * pz_table_frag_create - small tables from pieces of blocks of pages
 * @out: the provider, written on success only
 * @cfg: what it is made from; copied
 * @flags: PZ_FRAG_REUSE, or 0: as Linux does it
 * @why: as for pz_table_pages_create()
 *
 * Larger tables are whole pages. There may be a quarter of @cfg->tables blocks, as a page of 4 KiB
 * holds four tables; where more are pinned, -PZ_ENOMEM.
 *
 * Context: calls the metadata hook.
 * Return: as pz_table_pages_create(); -PZ_EINVAL for unknown flags.
 */
int pz_table_frag_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			 uint32_t flags, const char **why);

#define PZ_TABLE_POOL_SLEEPS 0x1u /* chunks come only in requests that may block, as in Linux */
#define PZ_TABLE_POOL_KEEPS 0x2u /* empty chunks wait for pz_table_source_trim() */
#define PZ_TABLE_POOL_FIXED 0x4u /* no chunk comes on demand */

struct pz_table_pool_config {
	uint64_t first; /* bytes that it has from the start, and keeps; 0 for none */
	uint32_t chunk_bytes; /* of a chunk on demand: a power of two; 0 for 16 KiB, or a page */
	uint32_t flags; /* PZ_TABLE_POOL_* */
};

/**
 * pz_table_pool_create - tables of all sizes from a gen_pool
 * @out: the provider, written on success only
 * @cfg: what it is made from; copied
 * @pool: how it grows and shrinks; copied
 * @why: as for pz_table_pages_create()
 *
 * A chunk comes when nothing serves, also in atomic context, a page alone where there are no more
 * in a row; and goes with its last table. There may be a quarter of @cfg->tables chunks.
 *
 * Context: may block: takes @pool->first bytes; calls the metadata hook.
 * Return: as pz_table_pages_create(), and as pz_page_request() for @pool->first bytes.
 */
int pz_table_pool_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			 const struct pz_table_pool_config *pool, const char **why);

/**
 * pz_table_pool_grow - add a chunk now, for those who will not be able to
 * @s: a provider of pz_table_pool_create(), not PZ_TABLE_POOL_FIXED
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: 0; -PZ_EINVAL for another provider; as pz_page_request(); -PZ_ENOMEM also when there are
 * as many chunks as it has room for.
 */
int pz_table_pool_grow(struct pz_table_source *s, uint32_t cpu, uint32_t gfp);

struct pz_table_dma_config {
	struct pz_dma_dev *dev; /* the walker; must outlive the provider */
	const struct pz_dma_pool_layout *layout; /* as in pz_dma_pool_config; NULL for its own */
	bool debug; /* the same */
};

/**
 * pz_table_dma_create - coherent memory of the walker: small tables from a dma_pool
 * @out: the provider, written on success only
 * @cfg: what it is made from; copied. @cfg->pages, mapped and virt are not used, the limits are of
 * bus addresses; four larger tables at once are provided for, and one for each 1024 of @cfg->tables
 * @dma: the device, and how its pool is laid out
 * @why: as for pz_table_pages_create(), and pz_dma_pool_create()
 *
 * Larger tables are coherent buffers. A table that the device's masks let lie beyond the limits is
 * given back: -PZ_ERANGE. Where coherent buffers are remapped, the pool must not be trimmed while
 * tables from it are in use elsewhere: who looks at one that was freed would find nothing.
 *
 * Context: may block; calls the metadata hook.
 * Return: as pz_table_pages_create(), and as pz_dma_pool_create().
 */
int pz_table_dma_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			const struct pz_table_dma_config *dma, const char **why);

/**
 * pz_table_source_destroy - give a provider back
 * @s: the provider, or NULL; nobody uses it any more
 *
 * Context: as its create function.
 * Return: 0, or -PZ_EBUSY when tables are out: told to pz_bug(), and nothing has changed.
 */
int pz_table_source_destroy(struct pz_table_source *s);

/**
 * pz_table_source_mem - a provider as tables take it
 * @s: the provider
 *
 * Zone flags in a request are misuse: its limits say where tables lie. What else @gfp says holds
 * for each request; tables are not zeroed.
 *
 * Context: any.
 * Return: the functions; valid as long as the provider is.
 */
const struct pz_table_mem *pz_table_source_mem(const struct pz_table_source *s);

/**
 * pz_table_source_trim - give back memory that holds no table
 * @s: the provider
 * @cpu: the calling CPU, whose magazine is emptied too; or PZ_CPU_NONE
 *
 * Context: any; of pz_table_dma_create(), one that may block.
 * Return: bytes that went back.
 */
uint64_t pz_table_source_trim(struct pz_table_source *s, uint32_t cpu);

/* Numbers of a provider. */
struct pz_table_stat {
	uint64_t small, large; /* tables out */
	uint64_t held; /* bytes of the pages that it has for them */
	uint64_t meta_bytes; /* of its own record */
};

/**
 * pz_table_source_stat - the numbers of a provider
 * @s: the provider
 * @out: the numbers
 *
 * Context: any; exact while nobody uses it. Cost: that of the allocator's own numbers.
 */
void pz_table_source_stat(const struct pz_table_source *s, struct pz_table_stat *out);

/**
 * pz_table_source_check - verify a provider
 * @s: the provider; nobody uses it, or its allocator, meanwhile
 *
 * Context: any. Cost: that of the allocator's own check.
 * Return: 0, or the number of the first invariant of the allocator that does not hold; or of
 * src/iommu/mem_pool.c, plus 100.
 */
int pz_table_source_check(const struct pz_table_source *s);

#ifdef __cplusplus
}
#endif

#endif
