/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast.c - allocating and freeing objects, where a CPU's magazine has what is wanted.
 *
 * Concept
 *  slab_fast.h has the short way for one object. Many at once are copied out of the magazine, or
 *  into it, and what it has not, or has no room for, comes from the slabs in one go.
 *
 * Failure
 *  Everything that is not plain is left to long.c.
 */
#include "slab_fast.h"

/* Objects whose seals are on their way from memory while another one is freed. */
#define FAST_AHEAD 16u

void *pz_kmem_cache_alloc(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp)
{
	if (SLAB_LIKELY(cpu < c->cpus && !(gfp & c->refused))) {
		void *o = slab_alloc_fast(slab_head(c, cpu));

		if (SLAB_LIKELY(o))
			return o;
	}
	return pz_slab_alloc_long(c, cpu, gfp, (uintptr_t)__builtin_return_address(0));
}

int pz_kmem_cache_alloc_node(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid,
			     void **object)
{
	return pz_slab_alloc_why(c, cpu, gfp, nid, (uintptr_t)__builtin_return_address(0), object);
}

void pz_kmem_cache_free(struct pz_kmem_cache *c, uint32_t cpu, void *object)
{
	uint64_t owner = slab_owner(c->s, (uintptr_t)object);

	if (SLAB_LIKELY(cpu < c->cpus && slab_free_fast(c->s, slab_head(c, cpu), owner, object)))
		return;
	pz_slab_free_long(c, c->s, cpu, object, (uintptr_t)__builtin_return_address(0));
}

int pz_kmem_cache_alloc_bulk(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, uint32_t n,
			     void **objects)
{
	uintptr_t site = (uintptr_t)__builtin_return_address(0);
	uint32_t got = 0;
	int rc = 0;

	while (got < n) {
		void *o = NULL;

		if (SLAB_LIKELY(cpu < c->cpus && !(gfp & c->refused)))
			o = slab_alloc_fast(slab_head(c, cpu));
		if (SLAB_UNLIKELY(!o)) {
			rc = pz_slab_alloc_why(c, cpu, gfp, PZ_NID_NONE, site, &o);
			if (rc)
				break;
		}
		objects[got++] = o;
	}
	if (rc) {
		while (got)
			pz_kmem_cache_free(c, cpu, objects[--got]);
	}
	return rc;
}

void pz_kmem_cache_free_bulk(struct pz_kmem_cache *c, struct pz_slabs *s, uint32_t cpu, uint32_t n,
			     void *const *objects)
{
	uintptr_t site = (uintptr_t)__builtin_return_address(0);

	if (c)
		s = c->s;
	for (uint32_t i = 0; i < n && i < FAST_AHEAD; i++)
		__builtin_prefetch(objects[i], 1);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t owner = slab_owner(s, (uintptr_t)objects[i]);
		uint32_t id = slab_owner_id(owner);
		struct pz_kmem_cache *own = id && id < s->max_caches ? s->cache[id] : NULL;

		if (n - i > FAST_AHEAD)
			__builtin_prefetch(objects[i + FAST_AHEAD], 1);
		if (own && (!c || own == c) && cpu < own->cpus &&
		    slab_free_fast(s, slab_head(own, cpu), owner, objects[i]))
			continue;
		if (c)
			pz_slab_free_long(c, s, cpu, objects[i], site);
		else
			pz_kfree(s, cpu, objects[i]);
	}
}
