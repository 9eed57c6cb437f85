/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_layout.h - the library's caches, laid out as Linux lays them out.
 *
 * With such a layout, what a cache holds, wastes and aligns is page for page what Linux's does.
 * Source followed: docs/facts/slab.md sections 3 to 5 and 7.
 */
#ifndef PHYSZONE_LINUX_SLAB_LAYOUT_H
#define PHYSZONE_LINUX_SLAB_LAYOUT_H

#include <physzone/kmalloc.h>
#include <physzone/linux/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pzl_slab_layout_debug - the library's names of SLUB's debug options
 * @flags: PZL_SLAB_*
 *
 * Context: any.
 * Return: PZ_SLAB_DEBUG_*.
 */
uint32_t pzl_slab_layout_debug(uint32_t flags);

/**
 * pzl_slab_layout - lay a cache of the library out as a kernel does
 * @k: the kernel; its word is this machine's
 * @c: the cache
 * @out: for pz_kmem_cache_config.layout, written on success only
 *
 * The cache is to be made with the same size, with pzl_slab_layout_debug() of the flags, and with
 * an alignment that pzl_slab_align() gives.
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL for a kernel of another word size; else as pzl_slab_geometry().
 */
int pzl_slab_layout(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c,
		    struct pz_slab_layout *out);

/* For pzl_kmalloc_layout(): must outlive the family's creation. */
struct pzl_kmalloc_layouts {
	const struct pzl_slab_kernel *kernel;
	const struct pzl_kmalloc *kmalloc;
	uint32_t flags; /* PZL_SLAB_* debug options, those of the family's @debug */
};

/**
 * pzl_kmalloc_layout - lay kmalloc()'s caches out as a kernel does
 * @ctx: struct pzl_kmalloc_layouts
 * @set: 0 or PZ_KMALLOC_*
 * @size: of the objects
 * @out: the layout
 *
 * It is pz_kmalloc_config.layout.
 *
 * Context: any.
 * Return: false where the kernel has no such cache; the library's own layout serves then.
 */
bool pzl_kmalloc_layout(void *ctx, uint32_t set, uint32_t size, struct pz_slab_layout *out);

#ifdef __cplusplus
}
#endif

#endif
