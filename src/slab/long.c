/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * long.c - allocating and freeing objects, where a CPU's magazine does not serve.
 *
 * Concept
 *  Allocating: fill the magazine from the slabs of the CPU's node, then take from other nodes, then
 *  make a slab, then give back what other caches keep empty and try again. An interrupt handler
 *  that came in the way of its own CPU, a caller without an index, and a cache with debug options
 *  take single objects from the slabs.
 *  Freeing: find out what the address is, tell what is wrong with it, or put it away: the older
 *  half of a full magazine goes to the slabs.
 *
 * Invariants
 *  1. an object that is given out has its seal broken, and one that is free has it;
 *  2. no page is asked for while the magazine is entered: reclaim may free objects here.
 *
 * Failure
 *  An object whose seal was overwritten while it was free is told, and never given out again.
 *
 * Shortcomings
 *  Whoever frees what is fenced off puts it back in use: it is taken for an object that is out.
 */
#include "../base/pz_string.h"
#include "slab_internal.h"

/* Whether the CPU may use its magazine now. */
static bool long_open(const struct pz_kmem_cache *c, uint32_t cpu)
{
	return cpu < c->cpus && c->magazine && !slab_busy(slab_head(c, cpu));
}

/* Never give an object out again that was taken: somebody writes to it. */
static void long_fence_off(struct pz_kmem_cache *c, void *o)
{
	*slab_seal_at(o, c->lay.seal) = slab_fence(c->secret, o);
	pz_count64(&c->fenced, 1);
}

/* Break the seal of an object that was taken, or fence it off. */
static bool long_unseal(struct pz_kmem_cache *c, void *o)
{
	slab_word *seal = slab_seal_at(o, c->lay.seal);
	struct pz_slabs *s = c->s;

	if (SLAB_LIKELY(*seal == slab_seal(c->secret, o))) {
		*seal = 0;
		return true;
	}
	pz_slab_found(s, "pz_kmem_cache_alloc", PZ_SLAB_SEAL, c, NULL,
		      slab_of(s, (uint32_t)slab_owner(s, (uintptr_t)o)), o);
	if (c->debug)
		pz_slab_debug_fence(c, o);
	long_fence_off(c, o);
	return false;
}

/* The newest object of the magazine, filled from a node if it is empty; NULL for none. */
static void *long_from_magazine(struct pz_kmem_cache *c, uint32_t cpu, uint32_t node)
{
	struct slab_head *h = slab_head(c, cpu);
	void **bottom = slab_bottom(c, cpu) + 1, *o = NULL;

	slab_enter(h);
	if (h->top == bottom)
		slab_set_top(h, bottom + pz_slab_take(c, node, (c->magazine + 1) / 2, bottom));
	if (h->top != bottom) {
		o = h->top[-1];
		slab_set_top(h, h->top - 1);
	}
	slab_leave(h);
	return o;
}

/* An object that is free somewhere. @strict: of that node only. */
static void *long_find(struct pz_kmem_cache *c, uint32_t cpu, uint32_t node, bool strict,
		       bool magazine)
{
	void *o = NULL;

	if (magazine && long_open(c, cpu)) {
		o = long_from_magazine(c, cpu, node);
		if (o)
			return o;
	}
	if (!pz_slab_take(c, node, 1, &o) && !strict) {
		for (uint32_t i = 0; !o && i < c->s->nodes; i++) {
			if (i != node)
				(void)pz_slab_take(c, i, 1, &o);
		}
	}
	return o;
}

/* An object of a new slab; the others fill the magazine, or become free. */
static int long_make(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid,
		     bool magazine, void **object)
{
	struct slab_head *h;
	void **bottom;
	struct slab *d;
	int rc = pz_slab_new(c, cpu, gfp, nid, &d);

	if (rc)
		return rc;
	if (!magazine || !long_open(c, cpu)) {
		(void)pz_slab_take_new(c, d, 1, object);
		return 0;
	}
	h = slab_head(c, cpu);
	bottom = slab_bottom(c, cpu) + 1;
	slab_enter(h);
	if (h->top == bottom) {
		slab_set_top(h, bottom + pz_slab_take_new(c, d, c->magazine, bottom) - 1);
		*object = *h->top;
	} else { /* an interrupt handler or a hook filled it meanwhile */
		(void)pz_slab_take_new(c, d, 1, object);
	}
	slab_leave(h);
	return 0;
}

/* Whether a request makes sense. */
static int long_gfp(struct pz_kmem_cache *c, uint32_t gfp)
{
	uint32_t zones = gfp & (PZ_GFP_DMA | PZ_GFP_DMA32 | PZ_GFP_HIGHMEM);

	if (c->flags & PZ_SLAB_CACHE_DMA)
		zones &= ~PZ_GFP_DMA;
	if (c->flags & PZ_SLAB_CACHE_DMA32)
		zones &= ~PZ_GFP_DMA32;
	if (zones) {
		pz_bug(c->s->cfg.bugs, "pz_kmem_cache_alloc",
		       "%s: %s asked of a cache that was not made for it", c->name,
		       zones & PZ_GFP_DMA     ? "PZ_GFP_DMA"
		       : zones & PZ_GFP_DMA32 ? "PZ_GFP_DMA32"
					      : "PZ_GFP_HIGHMEM");
		return -PZ_EINVAL;
	}
	if ((gfp & PZ_GFP_ZERO) && c->ctor) {
		pz_bug(c->s->cfg.bugs, "pz_kmem_cache_alloc",
		       "%s: zeroed objects asked of a cache with a constructor", c->name);
		return -PZ_EINVAL;
	}
	return 0;
}

int pz_slab_alloc_why(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid,
		      uintptr_t site, void **object)
{
	struct pz_slabs *s = c->s;
	bool strict = (gfp & PZ_GFP_THISNODE) != 0, reclaimed = false, magazine, mixed;
	int32_t near = nid;
	uint32_t node;
	void *o;
	int rc = long_gfp(c, gfp);

	if (rc)
		return rc;
	if ((c->debug & PZ_SLAB_DEBUG_FAULT) && pz_fault_hit(s->cfg.faults, s->fault_alloc))
		return -PZ_ENOMEM;
	if (near == PZ_NID_NONE && s->nodes > 1 && s->cfg.cpu_nid && cpu < s->cfg.cpus)
		near = s->cfg.cpu_nid[cpu];
	if (strict && near == PZ_NID_NONE)
		near = s->nid[0];
	if (strict)
		nid = near;
	node = pz_slab_node_of(s, near);
	/* The magazine's objects may be of any node, and so may those of a list that is shared. */
	magazine = nid == PZ_NID_NONE || (s->nodes == 1 && !strict);
	mixed = strict && (s->nid[node] != nid || (!node && s->cfg.zones->node_count > SLAB_NODES));
	for (;;) {
		o = mixed ? NULL : long_find(c, cpu, node, !magazine, magazine);
		if (!o) {
			rc = long_make(c, cpu, gfp, nid, magazine, &o);
			if (rc && !strict)
				o = long_find(c, cpu, node, false, false);
		}
		if (!o) {
			if (rc != -PZ_ENOMEM || reclaimed)
				return rc;
			/* Without a page for it, a magazine may have had objects. */
			(void)pz_slab_reclaim(s, cpu, &c->limits, gfp & PZ_GFP_BLOCK);
			reclaimed = true;
			continue;
		}
		if (!long_unseal(c, o))
			continue;
		if (!c->debug || pz_slab_debug_alloc(c, o, cpu, site))
			break;
		long_fence_off(c, o);
	}
	if (gfp & PZ_GFP_ZERO)
		memset(o, 0, c->size);
	*object = o;
	return 0;
}

void *pz_slab_alloc_long(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, uintptr_t site)
{
	void *o;

	return pz_slab_alloc_why(c, cpu, gfp, PZ_NID_NONE, site, &o) ? NULL : o;
}

/* Whether an object is in the magazine of some CPU, which its seal gives away. */
bool pz_slab_in_magazine(const struct pz_kmem_cache *c, const void *o)
{
	if (*slab_seal_at(o, c->lay.seal) != slab_seal(c->secret, o))
		return false;
	for (uint32_t i = 0; i < c->cpus && c->magazine; i++) {
		void **bottom = slab_bottom(c, i) + 1;
		const struct slab_head *h = slab_head(c, i);
		void **top = __atomic_load_n(&h->top, __ATOMIC_RELAXED);

		for (void **at = bottom; at < top && at < h->end; at++) {
			if (__atomic_load_n(at, __ATOMIC_RELAXED) == o)
				return true;
		}
	}
	return false;
}

/* Put an object away that is known to be good. */
static void long_put(struct pz_kmem_cache *c, uint32_t cpu, void *o)
{
	struct slab_head *h;
	void **bottom;
	uint32_t n;

	*slab_seal_at(o, c->lay.seal) = slab_seal(c->secret, o);
	if (!long_open(c, cpu)) {
		(void)pz_slab_give(c, cpu, 1, &o);
		return;
	}
	h = slab_head(c, cpu);
	bottom = slab_bottom(c, cpu) + 1;
	slab_enter(h);
	if (h->top == h->end) {
		n = (c->magazine + 1) / 2;
		(void)pz_slab_give(c, cpu, n, bottom);
		for (uint32_t i = n; i < c->magazine; i++)
			slab_set_entry(bottom + i - n, bottom[i]);
		slab_set_top(h, h->top - n);
	}
	slab_set_entry(h->top, o);
	slab_set_top(h, h->top + 1);
	slab_leave(h);
}

void pz_slab_free_long(struct pz_kmem_cache *c, struct pz_slabs *s, uint32_t cpu, void *object,
		       uintptr_t site)
{
	uint64_t owner = slab_owner(s, (uintptr_t)object);
	uint32_t id = slab_owner_id(owner), within, slot;
	struct pz_kmem_cache *own;
	struct slab *d;

	if (!object)
		return;
	own = id && id < s->max_caches ? s->cache[id] : NULL;
	if (!own) {
		pz_slab_found(s, "pz_kmem_cache_free", PZ_SLAB_NO_OBJECT, NULL, c, NULL, object);
		return;
	}
	d = slab_of(s, (uint32_t)owner);
	if (c && own != c) {
		pz_slab_found(s, "pz_kmem_cache_free", PZ_SLAB_WRONG_CACHE, own, c, d, object);
		return;
	}
	within = slab_within(s, owner, (uintptr_t)object);
	slot = within >= own->lay.red_left ? slab_slot(within - own->lay.red_left, own->recip)
					   : d->objects;
	if (slot >= d->objects || slab_object(s, d, slot) != object) {
		pz_slab_found(s, "pz_kmem_cache_free", PZ_SLAB_BAD_POINTER, own, c, d, object);
		return;
	}
	if (pz_slab_is_free(s, d, slot) || pz_slab_in_magazine(own, object)) {
		pz_slab_found(s, "pz_kmem_cache_free", PZ_SLAB_DOUBLE_FREE, own, c, d, object);
		return;
	}
	if (own->debug && !pz_slab_debug_free(own, object, cpu, site))
		return;
	long_put(own, cpu, object);
}

/* Empty the magazine of a CPU into the slabs; pages of those that went. */
uint64_t pz_slab_flush(struct pz_kmem_cache *c, uint32_t cpu)
{
	struct slab_head *h;
	void **bottom;
	uint64_t pages;

	if (!long_open(c, cpu))
		return 0;
	h = slab_head(c, cpu);
	bottom = slab_bottom(c, cpu) + 1;
	slab_enter(h);
	pages = pz_slab_give(c, cpu, (uint32_t)(h->top - bottom), bottom);
	slab_set_top(h, bottom);
	slab_leave(h);
	return pages;
}
