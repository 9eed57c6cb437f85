/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc.h - memory of any size under any limit.
 *
 * A family of caches, one for each size class, is bound to a limit when it is made; what is larger
 * than its largest class comes from the page allocator as whole pages. Memory of a power-of-two
 * size is aligned to its size, of another size to the largest power of two that divides its class:
 * its physical address, and its address as far as memory is mapped so.
 * One pz_kfree() takes back what any family of the set gave.
 *
 * Units: bytes. Contexts and @cpu are as in slab.h.
 * Source followed: docs/facts/slab.md section 7.
 */
#ifndef PHYSZONE_KMALLOC_H
#define PHYSZONE_KMALLOC_H

#include <physzone/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Besides the caches for ordinary requests, which every family has: */
#define PZ_KMALLOC_RECLAIM 0x1u /* for PZ_GFP_RECLAIMABLE; without it these are ordinary */
#define PZ_KMALLOC_DMA 0x2u /* for PZ_GFP_DMA; without it these are refused */

/* Size classes: 8 16 32 64 96 128 192 256 512, 1 2 4 8 KiB. */
#define PZ_KMALLOC_CLASSES 13u
#define PZ_KMALLOC_CLASS_MAX 8192u

struct pz_kmalloc_config {
	struct pz_slabs *slabs; /* must outlive the family */
	const char *name; /* of its caches, before "-64"; at most 32 bytes; NULL for "kmalloc" */
	struct pz_limits limits; /* of all memory; invalid (zero-filled) for none */
	uint32_t min_align; /* of all memory: a power of two, at most 4096; 0 for 8. Devices that
			     * are not coherent need that of a cache line. */
	uint32_t sets; /* PZ_KMALLOC_* */
	/* Linux's way is to make the DMA caches also where no page could ever fill them. With this
	 * the family is made without them there, and requests with PZ_GFP_DMA get -PZ_ERANGE. */
	bool dma_if_managed;
	uint32_t debug; /* PZ_SLAB_DEBUG_* of all its caches */
	/* Layout of a cache, for models; false for physzone's own. @set is 0 or a PZ_KMALLOC_*. */
	bool (*layout)(void *ctx, uint32_t set, uint32_t size, struct pz_slab_layout *out);
	void *layout_ctx;
};

struct pz_kmalloc; /* a family of caches */

/**
 * pz_kmalloc_create - make a family of caches
 * @out: the family, written on success only
 * @cfg: what it is made from; copied
 * @why: as for pz_kmem_cache_create()
 *
 * A minimum alignment leaves out the classes that do not keep it.
 *
 * Context: as pz_kmem_cache_create().
 * Return: as pz_kmem_cache_create(); nothing is held on error.
 */
int pz_kmalloc_create(struct pz_kmalloc **out, const struct pz_kmalloc_config *cfg,
		      const char **why);

/**
 * pz_kmalloc_destroy - give back a family
 * @k: the family, or NULL; nobody allocates from it any more
 *
 * Memory of whole pages may be out: pz_kfree() takes it back later.
 *
 * Context: as pz_kmem_cache_destroy().
 * Return: 0, or -PZ_EBUSY when objects are out: nothing has changed then.
 */
int pz_kmalloc_destroy(struct pz_kmalloc *k);

/**
 * pz_kmalloc - allocate memory
 * @k: the family
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, with PZ_GFP_RECLAIMABLE or PZ_GFP_DMA for those sets
 * @size: bytes; 0 gives PZ_ZERO_SIZE_PTR
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: the memory, or NULL.
 */
void *pz_kmalloc(struct pz_kmalloc *k, uint32_t cpu, uint32_t gfp, uint64_t size);

/**
 * pz_kmalloc_try - allocate memory, and say why not
 * @k: the family
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_kmalloc()
 * @size: bytes
 * @align: alignment of its address, a power of two; 1 for the usual
 * @nid: the preferred node, or PZ_NID_NONE for the CPU's
 * @p: the memory, written on success only
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: 0; -PZ_EINVAL for an alignment that is no power of two, or a zone flag that the family
 * has no set for (told to pz_bug()); -PZ_ERANGE when it could never be had; -PZ_ENOMEM.
 */
int pz_kmalloc_try(struct pz_kmalloc *k, uint32_t cpu, uint32_t gfp, uint64_t size, uint64_t align,
		   int32_t nid, void **p);

/**
 * pz_kmalloc_limited - allocate memory under a limit
 * @s: the set of caches
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*; zone flags are refused, for the limit says it all
 * @size: bytes; 0 gives PZ_ZERO_SIZE_PTR
 * @limits: what every byte must satisfy
 * @p: the memory, written on success only
 *
 * Of the families whose limits are within @limits the one that reaches furthest serves, and whole
 * pages where there is none, or it has nothing: so no zone is needed to be served, and a family for
 * a limit that is asked for often saves what rounding up to pages costs. The limits hold for @size
 * bytes; what pz_ksize() says beyond may cross their boundary.
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: 0, -PZ_EINVAL for malformed limits or a zone flag, else as pz_page_request().
 */
int pz_kmalloc_limited(struct pz_slabs *s, uint32_t cpu, uint32_t gfp, uint64_t size,
		       const struct pz_limits *limits, void **p);

/**
 * pz_kfree - free what any family of a set gave
 * @s: the set
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @p: the memory, or an object of any cache; NULL and PZ_ZERO_SIZE_PTR do nothing
 *
 * Misuse is told as by pz_kmem_cache_free().
 *
 * Context: any.
 */
void pz_kfree(struct pz_slabs *s, uint32_t cpu, void *p);

/**
 * pz_krealloc - change the size of memory
 * @k: the family that gives new memory
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_kmalloc(); PZ_GFP_ZERO zeroes what is new behind the old usable size
 * @p: the memory; NULL allocates
 * @size: bytes; 0 frees and gives PZ_ZERO_SIZE_PTR
 *
 * Stays where it is, as aligned as it was, when it fits there and is within the limits of the
 * family and of PZ_GFP_DMA. A smaller size never fails there.
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: the memory; NULL with @p unchanged when there is none, the family has no set for a zone
 * flag, or @p is none of the set's or free (the latter are told to pz_bug()).
 */
void *pz_krealloc(struct pz_kmalloc *k, uint32_t cpu, uint32_t gfp, void *p, uint64_t size);

/**
 * pz_ksize - usable bytes of memory
 * @s: the set
 * @p: what pz_kmalloc() gave
 *
 * Context: any.
 * Return: bytes; 0 for NULL, PZ_ZERO_SIZE_PTR and what is none of the set's.
 */
uint64_t pz_ksize(const struct pz_slabs *s, const void *p);

/**
 * pz_kmalloc_cache - the cache of a family that serves a size
 * @k: the family
 * @gfp: as for pz_kmalloc()
 * @size: bytes
 *
 * Context: any.
 * Return: the cache; NULL when whole pages or nothing serves it.
 */
struct pz_kmem_cache *pz_kmalloc_cache(const struct pz_kmalloc *k, uint32_t gfp, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
