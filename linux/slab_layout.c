/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_layout.c - the library's caches, laid out as Linux lays them out.
 *
 * Concept: a cache of the library takes any layout. The seal lies where SLUB has the free pointer,
 * and the records of users follow it where that is behind the object.
 */
#include <physzone/linux/slab_layout.h>

#include "pzl_slab.h"

/* SLUB's flags that are the library's debug options. */
uint32_t pzl_slab_layout_debug(uint32_t flags)
{
	return pzl_slab_options(flags & PZL_SLAB_DEBUG);
}

int pzl_slab_layout(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c,
		    struct pz_slab_layout *out)
{
	struct pzl_slab_geometry g;
	int rc;

	if (k->word != sizeof(void *))
		return -PZ_EINVAL;
	rc = pzl_slab_geometry(k, c, &g);
	if (rc)
		return rc;
	out->stride = g.size;
	out->red_left = g.red_left_pad;
	out->inuse = g.inuse;
	out->seal = g.offset;
	out->track = 0;
	if (g.flags & PZL_SLAB_STORE_USER)
		out->track = g.offset >= g.inuse ? g.offset + k->word : g.inuse;
	out->order = g.order;
	out->objects = g.objects;
	out->min_order = g.fallback_order;
	out->min_objects = g.fallback_objects;
	return 0;
}

bool pzl_kmalloc_layout(void *ctx, uint32_t set, uint32_t size, struct pz_slab_layout *out)
{
	const struct pzl_kmalloc_layouts *l = ctx;
	enum pzl_kmalloc_type type = PZL_KMALLOC_NORMAL;
	struct pzl_slab_cache c;

	if (set == PZ_KMALLOC_RECLAIM)
		type = PZL_KMALLOC_RECLAIM;
	else if (set == PZ_KMALLOC_DMA)
		type = PZL_KMALLOC_DMA;
	if (pzl_kmalloc_cache(l->kmalloc, type, size, &c))
		return false;
	c.flags |= l->flags;
	return !pzl_slab_layout(l->kernel, &c, out);
}
