/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_boot.h - the slab caches that a Linux kernel makes before any other: those of its own
 * descriptors, and those of kmalloc(); and which of them serves a kmalloc().
 *
 * Making a cache takes no page for its objects. So a kernel whose ZONE_DMA has no managed page
 * makes dma-kmalloc-* without an error, and fails when one of them needs a slab. That is what
 * Linux does; a patch that was discussed and not taken is an option here: it made none where
 * ZONE_DMA is empty, and let kmalloc-* serve in their place, from any address.
 * Source followed: docs/facts/slab.md sections 5 and 7; recorded machines.
 */
#ifndef PHYSZONE_LINUX_SLAB_BOOT_H
#define PHYSZONE_LINUX_SLAB_BOOT_H

#include <physzone/linux/cmdline.h>
#include <physzone/linux/slab_merge.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the caches depend on. Build it with pzl_slab_boot_init(). */
struct pzl_slab_boot {
	struct pzl_slab_kernel k;
	struct pzl_kmalloc km;
	uint32_t types; /* PZL_KMALLOC_BIT() of each set that the kernel is built with */
	uint32_t descriptor, node_size; /* objects of kmem_cache and of kmem_cache_node */
	bool nokmem;	   /* cgroup.memory=nokmem: the caches of CGROUP are those of NORMAL */
	bool managed_dma;  /* some node has a managed page in ZONE_DMA */
	bool only_managed; /* the patch: no dma-kmalloc-* without such a page */
};

#define PZL_SLAB_BOOT_NAME 24u

/* One of them. */
struct pzl_slab_boot_cache {
	char name[PZL_SLAB_BOOT_NAME];
	enum pzl_kmalloc_type type; /* PZL_KMALLOC_TYPES for a cache of descriptors */
	uint32_t copy;		    /* of the random set, else 0 */
	struct pzl_slab_cache cache;
	bool fixed; /* no other cache is merged into it */
};

/**
 * pzl_slab_boot_init - a kernel as distributions build it
 * @b: filled in
 * @model: the model
 * @arch: the architecture
 * @page_shift: log2 of the page size, 0 for the usual one
 * @configured: bit per enum pz_zone_type that the kernel has
 * @nodes: possible nodes, at least 1
 *
 * With memory cgroups, without the random set; ZONE_DMA has managed pages. The sizes of the
 * descriptors are those of such kernels.
 *
 * Context: any.
 */
void pzl_slab_boot_init(struct pzl_slab_boot *b, enum pzl_model model, enum pzl_arch arch,
			uint32_t page_shift, uint32_t configured, uint32_t nodes);

/* What a command line says of slab caches. */
struct pzl_slab_args {
	struct pz_slab_debug debug; /* points into the command line */
	bool nomerge;		    /* slab_nomerge */
};

/**
 * pzl_slab_boot_args - read slub_debug=, slub_max_order= and their like as a kernel does
 * @b: the kernel: orders, least objects and nokmem are replaced where the command line has them
 * @cl: a parsed command line, which must outlive @out
 * @out: filled in
 *
 * In 6.12 the names that begin with slab_ too. Of several words of a name the last counts.
 *
 * Context: any.
 */
void pzl_slab_boot_args(struct pzl_slab_boot *b, const struct pzl_cmdline *cl,
			struct pzl_slab_args *out);

/**
 * pzl_slab_boot_caches - the caches, the oldest first
 * @b: the kernel
 * @out: room for @cap caches
 * @cap: room
 *
 * /proc/slabinfo shows them in the opposite order. kmem_cache_node is in use before kmem_cache is,
 * but only as a copy that is not on the list yet.
 *
 * Context: any.
 * Return: number of caches, also when it exceeds @cap.
 */
uint32_t pzl_slab_boot_caches(const struct pzl_slab_boot *b, struct pzl_slab_boot_cache *out,
			      uint32_t cap);

/* Who serves a kmalloc(). */
struct pzl_kmalloc_served {
	bool large; /* the page allocator: nothing else here counts */
	enum pzl_kmalloc_type type;
	uint32_t size;	/* of the objects of the cache */
	bool elsewhere; /* DMA was asked for, and the memory may lie anywhere */
};

/**
 * pzl_slab_boot_kmalloc - which cache serves a kmalloc()
 * @b: the kernel
 * @bytes: asked for
 * @gfp: flags
 * @out: written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @bytes is 0: that needs no memory.
 */
int pzl_slab_boot_kmalloc(const struct pzl_slab_boot *b, uint64_t bytes, uint32_t gfp,
			  struct pzl_kmalloc_served *out);

#ifdef __cplusplus
}
#endif

#endif
