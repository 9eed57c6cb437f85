/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_gfp.h - what Linux makes of the flags of an allocation from a slab cache, and what it prints
 * when they are wrong or there is no memory.
 *
 * The zone of an object is its cache's, whatever the caller asks for. Flags are looked at only when
 * that very call needs a slab: an object that lies there is given out silently.
 * Source followed: docs/facts/slab.md section 2; recorded failures.
 */
#ifndef PHYSZONE_LINUX_SLAB_GFP_H
#define PHYSZONE_LINUX_SLAB_GFP_H

#include <physzone/linux/gfp.h>
#include <physzone/linux/messages.h>
#include <physzone/linux/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An allocation. */
struct pzl_slab_alloc {
	uint32_t
		ignored; /* zones and mobility asked for that the cache does not give, never told */
	/* When a slab is needed: */
	uint32_t bad;	/* flags that no slab may be asked for with: a warning when there are any */
	uint32_t fixed; /* the others */
	bool warns_zero;		    /* a constructor and ZERO together: a warning once */
	unsigned int order, fallback_order; /* the second try, after the first has failed */
	uint32_t gfp, fallback_gfp;	    /* of the page requests */
};

/**
 * pzl_slab_bad_gfp - the flags that no slab may be asked for with
 * @model: the version
 *
 * Context: any.
 * Return: DMA32, HIGHMEM, and what is no flag at all.
 */
uint32_t pzl_slab_bad_gfp(enum pzl_model model);

/**
 * pzl_slab_alloc - what becomes of an allocation from a cache
 * @out: filled in
 * @model: the version
 * @flags: PZL_SLAB_* of the cache
 * @g: its geometry
 * @gfp: flags of the caller
 *
 * Context: any.
 */
void pzl_slab_alloc(struct pzl_slab_alloc *out, enum pzl_model model, uint32_t flags,
		    const struct pzl_slab_geometry *g, uint32_t gfp);

/**
 * pzl_kmalloc_large - what becomes of a kmalloc() beyond its caches
 * @out: filled in; both tries are the same, and ignored is what is bad: here it is always told
 * @model: the version
 * @page_shift: log2 of the page size
 * @bytes: asked for, at least 1
 * @gfp: flags of the caller; DMA is kept
 *
 * Context: any.
 */
void pzl_kmalloc_large(struct pzl_slab_alloc *out, enum pzl_model model, uint32_t page_shift,
		       uint64_t bytes, uint32_t gfp);

/**
 * pzl_slab_print_unexpected - the warning about flags
 * @model: the version
 * @gfp: flags of the caller
 * @emit: called once, or not at all when nothing is wrong with them
 * @ctx: passed to @emit
 *
 * A stack dump follows in Linux. The rate is not limited.
 *
 * Context: any; calls @emit.
 */
void pzl_slab_print_unexpected(enum pzl_model model, uint32_t gfp, pzl_emit_fn emit, void *ctx);

/* A node, in the report of an allocation that failed. */
struct pzl_slab_node {
	int32_t nid;
	uint64_t slabs, objects, free;
};

/* An allocation that failed. */
struct pzl_slab_oom {
	const char *name; /* of the cache */
	uint32_t object_size;
	const struct pzl_slab_geometry *g;
	uint32_t gfp; /* of the caller */
	int32_t nid;  /* asked for, -1 for none */
	uint32_t cpu; /* 6.12 tells where the caller runs */
	int32_t cpu_nid;
	const struct pzl_slab_node *node; /* those with memory */
	uint32_t nodes;
};

#define PZL_SLAB_OOM_BURST 10u	/* so many reports are printed in */
#define PZL_SLAB_OOM_SECONDS 5u /* so long */

/**
 * pzl_slab_print_oom - the report of an allocation that failed
 * @model: the version
 * @page_shift: log2 of the page size
 * @oom: the allocation
 * @emit: called for each line; not at all with NOWARN
 * @ctx: passed to @emit
 *
 * It follows that of the page allocator. Kernels without SLUB_DEBUG do not print it.
 *
 * Context: any; calls @emit.
 */
void pzl_slab_print_oom(enum pzl_model model, uint32_t page_shift, const struct pzl_slab_oom *oom,
			pzl_emit_fn emit, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
