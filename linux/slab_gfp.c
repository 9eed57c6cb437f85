/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_gfp.c - flags of allocations from slab caches.
 *
 * Concept: of the caller's flags only those on how to get memory reach the page allocator; where
 * from, the cache says. The preferred order is tried silently and without effort, then the least.
 *
 * Invariants: 1. bad and fixed together are the caller's flags; 2. the fallback's order is at most
 * the first's.
 *
 * Failure: none.
 *
 * Shortcomings: the bits of lockdep and of hardware tags of KASAN are none here, as in gfp.h.
 */
#include <physzone/linux/slab_gfp.h>

#include "../src/base/bits.h"
#include "pzl_out.h"

#define SLAB_GFP_ZONES (PZL_GFP_DMA | PZL_GFP_DMA32 | PZL_GFP_HIGHMEM)
#define SLAB_GFP_MOBILITY (PZL_GFP_MOVABLE | PZL_GFP_RECLAIMABLE)
/* What of the caller's flags is kept: how, and of which nodes. */
#define SLAB_GFP_KEPT                                                                  \
	(PZL_GFP_RECLAIM | PZL_GFP_HIGH | PZL_GFP_IO | PZL_GFP_FS | PZL_GFP_NOWARN |   \
	 PZL_GFP_RETRY_MAYFAIL | PZL_GFP_NOFAIL | PZL_GFP_NORETRY | PZL_GFP_MEMALLOC | \
	 PZL_GFP_NOMEMALLOC | PZL_GFP_ATOMIC_BIT | PZL_GFP_HARDWALL | PZL_GFP_THISNODE)

/* All bits that a version has numbers for, named or not. */
static uint32_t slab_gfp_defined(enum pzl_model model)
{
	return model == PZL_LINUX_6_1 ? (1u << 27) - 1 : (1u << 25) - 1;
}

uint32_t pzl_slab_bad_gfp(enum pzl_model model)
{
	return PZL_GFP_DMA32 | PZL_GFP_HIGHMEM | ~slab_gfp_defined(model);
}

/* What a cache asks the page allocator for by itself. */
static uint32_t slab_gfp_own(enum pzl_model model, uint32_t flags, unsigned int order)
{
	uint32_t own = 0;

	if (model >= PZL_LINUX_6_12 || order)
		own |= PZL_GFP_COMP;
	if (flags & PZL_SLAB_CACHE_DMA)
		own |= PZL_GFP_DMA;
	if (flags & PZL_SLAB_CACHE_DMA32)
		own |= PZL_GFP_DMA32;
	if (flags & PZL_SLAB_RECLAIM_ACCOUNT)
		own |= PZL_GFP_RECLAIMABLE;
	return own;
}

void pzl_slab_alloc(struct pzl_slab_alloc *out, enum pzl_model model, uint32_t flags,
		    const struct pzl_slab_geometry *g, uint32_t gfp)
{
	const uint32_t own = slab_gfp_own(model, flags, g->order);
	uint32_t kept = SLAB_GFP_KEPT;

	if (model >= PZL_LINUX_6_12)
		kept &= ~PZL_GFP_ATOMIC_BIT;
	out->ignored = gfp & (SLAB_GFP_ZONES | SLAB_GFP_MOBILITY) & ~own;
	out->bad = gfp & pzl_slab_bad_gfp(model);
	out->fixed = gfp & ~out->bad;
	out->warns_zero = (flags & PZL_SLAB_CTOR) && (gfp & PZL_GFP_ZERO);
	out->order = g->order;
	out->fallback_order = g->fallback_order;
	out->fallback_gfp = (out->fixed & kept) | own;
	out->gfp = (out->fallback_gfp | PZL_GFP_NOWARN | PZL_GFP_NORETRY) & ~PZL_GFP_NOFAIL;
	if (pzl_gfp_can_block(out->gfp) && g->order > g->fallback_order)
		out->gfp = (out->gfp | PZL_GFP_NOMEMALLOC) & ~PZL_GFP_RECLAIM;
}

void pzl_kmalloc_large(struct pzl_slab_alloc *out, enum pzl_model model, uint32_t page_shift,
		       uint64_t bytes, uint32_t gfp)
{
	const uint64_t pages = (bytes - 1) >> page_shift;

	out->bad = gfp & pzl_slab_bad_gfp(model);
	out->ignored = out->bad;
	out->fixed = gfp & ~out->bad;
	out->warns_zero = false;
	out->order = pages ? pz_fls64(pages) + 1 : 0;
	out->fallback_order = out->order;
	out->gfp = out->fixed | PZL_GFP_COMP;
	out->fallback_gfp = out->gfp;
}

/* "0xcc1(GFP_KERNEL|GFP_DMA)", or with a blank before the names; no flags have no names. */
static void slab_gfp_names(struct pzl_out *o, const char *before, uint32_t gfp,
			   enum pzl_model model)
{
	char names[256] = "";

	if (gfp)
		(void)pzl_gfp_format(names, sizeof(names), gfp, model);
	pzl_out_add(o, "%#x%s%s)", gfp, before, names);
}

void pzl_slab_print_unexpected(enum pzl_model model, uint32_t gfp, pzl_emit_fn emit, void *ctx)
{
	const uint32_t bad = gfp & pzl_slab_bad_gfp(model);
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	if (!bad)
		return;
	pzl_out_add(&o, "Unexpected gfp: ");
	slab_gfp_names(&o, " (", bad, model);
	pzl_out_add(&o, ". Fixing up to gfp: ");
	slab_gfp_names(&o, " (", gfp & ~bad, model);
	pzl_out_line(&o, ". Fix your code!");
}

void pzl_slab_print_oom(enum pzl_model model, uint32_t page_shift, const struct pzl_slab_oom *oom,
			pzl_emit_fn emit, void *ctx)
{
	const struct pzl_slab_geometry *g = oom->g;
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	if (oom->gfp & PZL_GFP_NOWARN)
		return;
	pzl_out_add(&o, "SLUB: Unable to allocate memory on ");
	if (model >= PZL_LINUX_6_12)
		pzl_out_add(&o, "CPU %u (of node %d) on ", oom->cpu, oom->cpu_nid);
	pzl_out_add(&o, "node %d, gfp=", oom->nid);
	slab_gfp_names(&o, "(", oom->gfp, model);
	pzl_out_end(&o);
	pzl_out_line(&o,
		     "  cache: %s, object size: %u, buffer size: %u, default order: %u, min "
		     "order: %u",
		     oom->name, oom->object_size, g->size, g->order, g->fallback_order);
	/* An object alone would have had room in a slab half as large. */
	if (g->fallback_order && oom->object_size <= 1ull << (page_shift + g->fallback_order - 1))
		pzl_out_line(&o, "  %s debugging increased min order, use %s=O to disable.",
			     oom->name, model < PZL_LINUX_6_12 ? "slub_debug" : "slab_debug");
	for (uint32_t i = 0; i < oom->nodes; i++)
		pzl_out_line(&o, "  node %d: slabs: %llu, objs: %llu, free: %llu", oom->node[i].nid,
			     (pzl_ull)oom->node[i].slabs, (pzl_ull)oom->node[i].objects,
			     (pzl_ull)oom->node[i].free);
}
