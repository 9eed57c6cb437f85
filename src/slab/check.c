/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - verify the caches, while nobody uses them.
 *
 * Invariants
 *  1. a CPU's line belongs to its cache, says what the layout says, and its magazine stands on
 * NULL;
 *  2. a slab lies in mapped memory under its cache's limits, and its pages say whose they are;
 *  3. the state of a slab counts the objects that are free, and none that it has not;
 *  4. a slab with free objects is in the list of its node, once, and no other is but stubs;
 *  5. a free object in a slab bears its seal;
 *  6. an object in a magazine is one of the cache's, is not free in its slab, bears its seal, and
 * is in no other place of any magazine;
 *  7. slabs, pages, objects and empty slabs are as many as are counted;
 *  8. a descriptor that is done with its list and its pages is spare.
 */
#include "slab_internal.h"

static int check_line(const struct pz_kmem_cache *c, uint32_t cpu)
{
	const struct slab_head *h = slab_head(c, cpu);
	void **bottom = slab_bottom(c, cpu);
	unsigned int shift = c->s->cfg.page_shift + c->lay.order;

	if (h->busy || h->secret != slab_head(c, 0)->secret || h->seal != c->lay.seal ||
	    h->divides != pz_udiv64(UINT64_MAX, c->lay.stride) + 1 || h->refused != c->refused ||
	    h->mask != ((uint32_t)1 << shift) - 1 ||
	    h->tag != (uint32_t)(slab_owner_of(c->id, shift, 0) >> SLAB_TAG_SHIFT))
		return 1;
	if (*bottom || h->end != bottom + 1 + c->magazine || h->top < bottom + 1 || h->top > h->end)
		return 1;
	return 0;
}

static bool check_sealed(const struct pz_kmem_cache *c, const void *o)
{
	return *slab_seal_at(o, c->lay.seal) == slab_seal(slab_head(c, 0)->secret, o);
}

static int check_slab(const struct pz_slabs *s, struct slab *d)
{
	const struct pz_kmem_cache *c = d->cache;
	uint64_t state = d->state;
	uint64_t bytes = (uint64_t)1 << (d->order + s->cfg.page_shift);
	uint32_t free = 0;

	if (d->phys < c->limits.min_addr || d->phys + bytes - 1 > c->limits.max_addr ||
	    (uint64_t)d->objects * c->lay.stride > bytes)
		return 2;
	for (uint64_t i = 0; i < bytes >> SLAB_GRAIN_SHIFT; i++) {
		if (slab_owner_at(s, d->phys)[i] !=
		    slab_owner_of(c->id, s->cfg.page_shift + d->order, d->number))
			return 2;
	}
	if (state > slab_full(d))
		return 3;
	if (!slab_small(d)) {
		for (uint32_t w = 0; w < (uint32_t)(d->objects + 63) / 64; w++)
			free += pz_popcount64(slab_bits(d)[w]);
		if (free != state ||
		    (d->objects & 63 && slab_bits(d)[d->objects / 64] >> (d->objects & 63)))
			return 3;
	}
	for (uint32_t i = 0; i < d->objects; i++) {
		if (pz_slab_is_free(s, d, i) && !check_sealed(c, slab_object(s, d, i)))
			return 5;
	}
	return 0;
}

/* Walk the list of a node: each slab once. A bit of @done marks those that were met. */
#define CHECK_MET 0x100u

static int check_list(const struct pz_slabs *s, const struct pz_kmem_cache *c, uint32_t node,
		      uint64_t *listed)
{
	uint32_t k = (uint32_t)c->node[node].partial.head;

	while (k) {
		struct slab *d;

		if ((k - 1) >> s->unit_shift >= s->chunks)
			return 4;
		d = slab_of(s, k - 1);
		if (d->done & (CHECK_MET | SLAB_DONE_LIST) || !d->used)
			return 4;
		d->done |= CHECK_MET;
		if (!(d->state & SLAB_GONE)) {
			if (d->cache != c || d->node != node || !d->state)
				return 4;
			++*listed;
		}
		k = d->next;
	}
	return 0;
}

static void check_unmark(const struct pz_slabs *s)
{
	uint32_t at = 0;
	struct slab *d;

	for (d = pz_slab_desc_next(s, &at); d; d = pz_slab_desc_next(s, &at))
		d->done &= ~CHECK_MET;
}

/* Objects in magazines: seals are broken while they are counted, so that none counts twice. */
static int check_magazines(const struct pz_slabs *s, const struct pz_kmem_cache *c)
{
	uintptr_t secret = slab_head(c, 0)->secret;
	int rc = 0;

	for (uint32_t i = 0; i < c->cpus; i++) {
		void **top = slab_head(c, i)->top;

		for (void **at = slab_bottom(c, i) + 1; !rc && at < top; at++) {
			uint64_t owner = slab_owner(s, (uintptr_t)*at);
			struct slab *d;
			uint32_t slot;

			if (slab_owner_id(owner) != c->id) {
				rc = 6;
				break;
			}
			d = slab_of(s, (uint32_t)owner);
			slot = slab_within(s, owner, (uintptr_t)*at) / c->lay.stride;
			if (slot >= d->objects || slab_object(s, d, slot) != *at ||
			    pz_slab_is_free(s, d, slot) || !check_sealed(c, *at))
				rc = 6;
			else
				*slab_seal_at(*at, c->lay.seal) = ~slab_seal(secret, *at);
		}
	}
	for (uint32_t i = 0; i < c->cpus; i++) {
		void **top = slab_head(c, i)->top;

		for (void **at = slab_bottom(c, i) + 1; at < top; at++) {
			uint64_t owner = slab_owner(s, (uintptr_t)*at);
			slab_word *seal = slab_seal_at(*at, c->lay.seal);

			if (slab_owner_id(owner) == c->id && *seal == ~slab_seal(secret, *at))
				*seal = slab_seal(secret, *at);
		}
	}
	return rc;
}

static int check_counts(const struct pz_slabs *s, const struct pz_kmem_cache *c, uint64_t listed)
{
	uint64_t slabs = 0, pages = 0, objects = 0, partial = 0;
	uint32_t empty[SLAB_NODES] = { 0 }, at = 0;
	struct slab *d;

	for (d = pz_slab_desc_next(s, &at); d; d = pz_slab_desc_next(s, &at)) {
		if (d->cache != c || (d->state & SLAB_GONE))
			continue;
		slabs++;
		pages += (uint64_t)1 << d->order;
		objects += d->objects;
		partial += d->state != 0;
		empty[d->node] += d->state == slab_full(d);
	}
	if (partial != listed)
		return 4;
	if (slabs != c->slabs || pages != c->pages || objects != c->objects)
		return 7;
	for (uint32_t i = 0; i < s->nodes; i++) {
		if (empty[i] != c->node[i].empty)
			return 7;
	}
	return 0;
}

static int check_cache(const struct pz_slabs *s, const struct pz_kmem_cache *c)
{
	uint64_t listed = 0;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < c->cpus; i++)
		rc = check_line(c, i);
	for (uint32_t i = 0; !rc && i < s->nodes; i++)
		rc = check_list(s, c, i, &listed);
	check_unmark(s);
	if (!rc)
		rc = check_counts(s, c, listed);
	return rc ? rc : check_magazines(s, c);
}

int pz_slabs_check(const struct pz_slabs *s)
{
	uint32_t at = 0;
	struct slab *d;
	int rc;

	for (d = pz_slab_desc_next(s, &at); d; d = pz_slab_desc_next(s, &at)) {
		if (d->state & SLAB_GONE) {
			if (d->done == (SLAB_DONE_LIST | SLAB_DONE_PAGES))
				return 8;
			continue;
		}
		rc = check_slab(s, d);
		if (rc)
			return rc;
	}
	for (uint32_t i = 1; i < s->max_caches; i++) {
		rc = s->cache[i] ? check_cache(s, s->cache[i]) : 0;
		if (rc)
			return rc;
	}
	return 0;
}
