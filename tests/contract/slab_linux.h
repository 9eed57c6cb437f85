/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_linux.h - the layout that a Linux kernel gives to a cache, in the words of slab.h.
 */
#ifndef TESTS_CONTRACT_SLAB_LINUX_H
#define TESTS_CONTRACT_SLAB_LINUX_H

#include <physzone/linux/slab_layout.h>

static inline bool slab_linux_layout(enum pzl_model model, const struct pz_kmem_cache_config *c,
				     struct pz_slab_layout *l)
{
	struct pzl_slab_kernel k;
	struct pzl_slab_cache lc = { 0 };

	pzl_slab_kernel_init(&k, model, PZL_ARCH_X86_64, 0);
	lc.object_size = c->size;
	lc.align = c->align;
	lc.flags = (c->flags & PZ_SLAB_HWCACHE_ALIGN ? PZL_SLAB_HWCACHE_ALIGN : 0) |
		   (c->flags & PZ_SLAB_RCU ? PZL_SLAB_TYPESAFE_BY_RCU : 0) |
		   (c->ctor ? PZL_SLAB_CTOR : 0) |
		   (c->debug & PZ_SLAB_DEBUG_CHECKS ? PZL_SLAB_CONSISTENCY_CHECKS : 0) |
		   (c->debug & PZ_SLAB_DEBUG_RED_ZONE ? PZL_SLAB_RED_ZONE : 0) |
		   (c->debug & PZ_SLAB_DEBUG_POISON ? PZL_SLAB_POISON : 0) |
		   (c->debug & PZ_SLAB_DEBUG_USERS ? PZL_SLAB_STORE_USER : 0);
	return sizeof(void *) == 8 && !pzl_slab_layout(&k, &lc, l);
}

#endif
