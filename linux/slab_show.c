/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_show.c - the library's caches in Linux's words.
 *
 * Concept: what the library tells as data becomes the data that the models of Linux's texts take.
 *
 * Shortcomings: Linux counts partial slabs for each node and CPU; here they count for the cache.
 * What Linux has no word for takes the nearest: memory that is no cache's is "outside of slab".
 */
#include <physzone/fmt.h>
#include <physzone/linux/slab_show.h>

#include "../src/base/pz_string.h"
#include "pzl_out.h"
#include "pzl_slab.h"
#include "pzl_text.h"

#define SHOW_SITE 24u /* bytes of a number as text */

uint32_t pzl_slab_show_flags(const struct pz_kmem_cache_stat *st)
{
	static const uint32_t flag[][2] = {
		{ PZ_SLAB_CACHE_DMA, PZL_SLAB_CACHE_DMA },
		{ PZ_SLAB_CACHE_DMA32, PZL_SLAB_CACHE_DMA32 },
		{ PZ_SLAB_RECLAIMABLE, PZL_SLAB_RECLAIM_ACCOUNT },
		{ PZ_SLAB_HWCACHE_ALIGN, PZL_SLAB_HWCACHE_ALIGN },
		{ PZ_SLAB_RCU, PZL_SLAB_TYPESAFE_BY_RCU },
	};
	uint32_t flags = st->ctor ? PZL_SLAB_CTOR : 0;

	for (uint32_t i = 0; i < sizeof(flag) / sizeof(*flag); i++)
		flags |= st->flags & flag[i][0] ? flag[i][1] : 0;
	return flags | (pzl_slab_option_flags(st->debug) & PZL_SLAB_DEBUG);
}

void pzl_slab_show_geometry(const struct pz_kmem_cache_stat *st, struct pzl_slab_geometry *out)
{
	memset(out, 0, sizeof(*out));
	out->flags = pzl_slab_show_flags(st);
	out->align = st->align;
	out->size = st->layout.stride;
	out->inuse = st->layout.inuse;
	out->offset = st->layout.seal;
	out->red_left_pad = st->layout.red_left;
	out->poisons_objects =
		(st->debug & PZ_SLAB_DEBUG_POISON) && !st->ctor && !(st->flags & PZ_SLAB_RCU);
	out->order = st->layout.order;
	out->objects = st->layout.objects;
	out->fallback_order = st->layout.min_order;
	out->fallback_objects = st->layout.min_objects;
	out->min_partial = st->keep;
	out->cpu_partial = st->magazine;
}

void pzl_slab_show_info(const struct pz_kmem_cache_stat *st, struct pzl_slabinfo *out)
{
	struct pzl_slab_geometry g;

	pzl_slab_show_geometry(st, &g);
	pzl_slabinfo_make(out, st->name, pzl_strlen(st->name), &g, st->slabs, st->objects,
			  st->objects - st->active - st->cached);
	/* A cache without a slab has no objects, which that takes for unknown. */
	if (!st->slabs)
		out->active_objs = out->num_objs = 0;
}

void pzl_slab_show_attrs(const struct pz_kmem_cache_stat *st, enum pzl_model model, uint32_t has,
			 struct pzl_slab_attrs *out)
{
	struct pzl_slab_geometry g;

	pzl_slab_show_geometry(st, &g);
	pzl_slab_attrs_init(out, model, has, &g, st->size);
	out->aliases = st->users - 1;
	out->total_objects.total = st->objects;
	out->objects.total = st->active + st->cached;
	out->slabs.total = st->slabs;
	out->partial.total = st->partial;
	out->objects_partial.total = st->objects_partial;
}

static enum pzl_slab_fault show_fault(const struct pz_slab_finding *f,
				      const struct pz_kmem_cache_stat *st)
{
	switch (f->fault) {
	case PZ_SLAB_DOUBLE_FREE:
		return PZL_FAULT_ALREADY_FREE;
	case PZ_SLAB_WRONG_CACHE:
	case PZ_SLAB_HEADER:
		return PZL_FAULT_SLAB_POINTER;
	case PZ_SLAB_BAD_POINTER:
		return PZL_FAULT_INVALID_POINTER;
	case PZ_SLAB_SEAL:
		return PZL_FAULT_FREEPOINTER;
	case PZ_SLAB_RED_LEFT:
		return PZL_FAULT_LEFT_REDZONE;
	case PZ_SLAB_RED_RIGHT:
		return PZL_FAULT_RIGHT_REDZONE;
	case PZ_SLAB_POISON:
		return PZL_FAULT_POISON;
	case PZ_SLAB_POISON_END:
		return PZL_FAULT_END_POISON;
	case PZ_SLAB_GAP:
		return (uintptr_t)f->bad - (uintptr_t)f->object < st->layout.inuse
			       ? PZL_FAULT_ALIGNMENT_PADDING
			       : PZL_FAULT_OBJECT_PADDING;
	case PZ_SLAB_PADDING:
		return PZL_FAULT_SLAB_PADDING;
	case PZ_SLAB_STATE:
		return PZL_FAULT_COUNT_DIFFERS;
	case PZ_SLAB_NO_OBJECT:
	default:
		return PZL_FAULT_OUTSIDE;
	}
}

static enum pzl_slab_fix show_fix(const struct pz_slab_finding *f)
{
	if (f->repaired)
		return PZL_FIX_RESTORE;
	switch (f->fault) {
	case PZ_SLAB_DOUBLE_FREE:
	case PZ_SLAB_WRONG_CACHE:
	case PZ_SLAB_BAD_POINTER:
	case PZ_SLAB_NO_OBJECT:
		return PZL_FIX_NOT_FREED;
	default:
		return PZL_FIX_NONE;
	}
}

/* A user as Linux has it; NULL for none. @site has room for its place. */
static const struct pzl_slab_track *show_track(struct pzl_slab_track *t, char *site,
					       const struct pz_slab_user *u, uint64_t now)
{
	if (!u->known)
		return NULL;
	memset(t, 0, sizeof(*t));
	(void)pz_snprintf(site, SHOW_SITE, "%#llx", (pzl_ull)u->site);
	t->site = site;
	t->age = now - u->when;
	t->cpu = u->cpu == PZ_CPU_NONE ? 0 : u->cpu;
	return t;
}

void pzl_slab_show_finding(const struct pz_slab_finding *f, const struct pzl_slab_kernel *k,
			   uint64_t now, pzl_emit_fn emit, void *ctx)
{
	struct pzl_slab_track allocated, freed;
	char site[2][SHOW_SITE];
	struct pz_kmem_cache_stat st;
	struct pzl_slab_geometry g;
	struct pzl_slab_finding out;

	memset(&out, 0, sizeof(out));
	memset(&st, 0, sizeof(st));
	st.name = "kmalloc";
	if (f->cache || f->named)
		pz_kmem_cache_stat(f->cache ? f->cache : f->named, &st);
	pzl_slab_show_geometry(&st, &g);
	out.k = k;
	out.cache = st.name;
	out.taint = "Not tainted";
	out.flags = g.flags;
	out.object_size = st.size;
	out.g = &g;
	out.fault = show_fault(f, &st);
	out.fix = show_fix(f);
	if (f->bad) {
		out.first = (uintptr_t)f->bad;
		out.last = out.first + f->bad_bytes - 1;
		out.is = *f->bad;
		out.should = f->expected;
	}
	out.number[0] = f->used;
	out.number[1] = f->counted;
	out.object = (uintptr_t)f->object;
	out.base = out.slab = (uintptr_t)f->slab;
	out.objects = f->objects;
	out.used = f->used;
	out.page_flags = "0x200(slab)";
	out.allocated = show_track(&allocated, site[0], &f->allocated, now);
	out.freed = show_track(&freed, site[1], &f->freed, now);
	out.bytes = f->slab;
	out.bytes_at = out.base;
	out.bytes_len = f->slab_bytes;
	pzl_slab_report(&out, emit, ctx);
}
