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
	uintptr_t at = (uintptr_t)object - c->s->origin;
	uint64_t owner = slab_owner_behind(c->s, at);

	if (SLAB_LIKELY(cpu < c->cpus && slab_free_fast(slab_head(c, cpu), owner, at, object)))
		return;
	pz_slab_free_long(c, c->s, cpu, object, (uintptr_t)__builtin_return_address(0));
}

/* Up to @n objects that are ready; how many. */
static uint32_t fast_alloc_many(struct slab_head *h, uint32_t n, void **objects)
{
	uint32_t got = 0;
	void **top;

	if (slab_busy(h))
		return 0;
	slab_enter(h);
	for (top = h->top; got < n && top[-1]; top--) {
		void *o = top[-1];
		slab_word *seal = slab_seal_at(o, h->seal);

		if (SLAB_UNLIKELY(*seal != slab_seal(h->secret, o)))
			break;
		*seal = 0;
		objects[got++] = o;
	}
	slab_set_top(h, top);
	slab_leave(h);
	return got;
}

int pz_kmem_cache_alloc_bulk(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, uint32_t n,
			     void **objects)
{
	uintptr_t site = (uintptr_t)__builtin_return_address(0);
	uint32_t got = 0;

	while (got < n) {
		int rc;

		if (SLAB_LIKELY(cpu < c->cpus && !(gfp & c->refused)))
			got += fast_alloc_many(slab_head(c, cpu), n - got, objects + got);
		if (got == n)
			break;
		rc = pz_slab_alloc_why(c, cpu, gfp, PZ_NID_NONE, site, &objects[got]);
		if (rc) {
			while (got)
				pz_kmem_cache_free(c, cpu, objects[--got]);
			return rc;
		}
		got++;
	}
	return 0;
}

void pz_kmem_cache_free_bulk(struct pz_kmem_cache *c, struct pz_slabs *s, uint32_t cpu, uint32_t n,
			     void *const *objects)
{
	uintptr_t site = (uintptr_t)__builtin_return_address(0);

	for (uint32_t i = 0; i < n && i < FAST_AHEAD; i++)
		__builtin_prefetch(objects[i], 1);
	for (uint32_t i = 0; i < n; i++) {
		uintptr_t at;
		uint64_t owner;

		if (n - i > FAST_AHEAD)
			__builtin_prefetch(objects[i + FAST_AHEAD], 1);
		if (!c) {
			pz_kfree(s, cpu, objects[i]);
			continue;
		}
		at = (uintptr_t)objects[i] - c->s->origin;
		owner = slab_owner_behind(c->s, at);
		if (cpu >= c->cpus || !slab_free_fast(slab_head(c, cpu), owner, at, objects[i]))
			pz_slab_free_long(c, c->s, cpu, objects[i], site);
	}
}
