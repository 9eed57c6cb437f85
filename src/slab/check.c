/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - verify the caches, while nobody uses them.
 *
 * Invariants
 *  1. a cache is what its layout makes of it; a CPU's line belongs to its cache, says what the
 *     layout says, and its magazine stands on NULL;
 *  2. a descriptor has the number and class of its place; that of a slab names a cache, an order of
 *     its layout, and pages in mapped memory under the cache's limits, which say whose they are;
 *  3. the state of a slab counts the objects that are free, and none that it has not;
 *  4. a slab with free objects is in the list of its node, once, and no other is but stubs;
 *  5. a free object in a slab bears its seal, and one that is out does not;
 *  6. an object in a magazine is one of the cache's, is not free in its slab, bears its seal, and
 *     is in no other place of any magazine;
 *  7. slabs, pages, objects and empty slabs are as many as are counted;
 *  8. a descriptor of no slab is spare, once; a slab that is gone is a stub in a list, or waits for
 *     a grace period, or both, and is done with the rest.
 */
#include "slab_internal.h"

/* Bits of @done, while lists are walked: where a descriptor was met. */
#define CHECK_LISTED 0x100u
#define CHECK_WAITS 0x200u
#define CHECK_SPARE 0x400u
#define CHECK_MET (CHECK_LISTED | CHECK_WAITS | CHECK_SPARE)

/* Each descriptor, of a slab or spare. */
static struct slab *check_next(const struct pz_slabs *s, uint32_t *at)
{
	uint32_t last = ((uint32_t)1 << s->unit_shift) - 1;

	if (*at >> s->unit_shift < s->chunks &&
	    (*at & last) >= slab_units(s, s->chunk[*at >> s->unit_shift].class))
		*at = (*at | last) + 1;
	if (*at >> s->unit_shift >= s->chunks)
		return NULL;
	return slab_of(s, (*at)++);
}

static bool check_is_cache(const struct pz_slabs *s, const struct pz_kmem_cache *c)
{
	for (uint32_t i = 1; i < s->max_caches; i++) {
		if (c && s->cache[i] == c)
			return true;
	}
	return false;
}

static int check_line(const struct pz_kmem_cache *c, uint32_t cpu)
{
	const struct slab_head *h = slab_head(c, cpu);
	void **bottom = slab_bottom(c, cpu);
	unsigned int shift = c->s->cfg.page_shift + c->lay.order;

	if (h->busy || h->secret != c->secret || h->seal != c->lay.seal ||
	    h->divides != slab_divides(&c->lay) || h->bound != slab_bound(&c->lay) ||
	    h->refused != c->refused || h->mask != ((uint32_t)1 << shift) - 1 ||
	    h->tag != (uint32_t)(slab_owner_of(c->id, shift, 0) >> SLAB_TAG_SHIFT))
		return 1;
	if (*bottom || h->end != bottom + 1 + c->magazine || h->top < bottom + 1 || h->top > h->end)
		return 1;
	return 0;
}

static int check_plan(const struct pz_slabs *s, const struct pz_kmem_cache *c, uint32_t id)
{
	const struct pz_slab_layout *l = &c->lay;

	if (c->s != s || c->id != id || c->heads != s->heads + id || c->cpus != s->cfg.cpus ||
	    c->head_stride != s->head_stride || !c->users || c->magazine_slots <= c->magazine)
		return 1;
	if (!c->align || (c->align & (c->align - 1)) || !l->stride ||
	    (l->stride & (c->align - 1)) || (l->red_left & (c->align - 1)) || l->inuse < c->size ||
	    l->order < l->min_order || l->order > PZ_SLAB_MAX_ORDER)
		return 1;
	if (c->recip != (uint32_t)pz_udiv64(((uint64_t)1 << 32) + l->stride - 1, l->stride))
		return 1;
	return 0;
}

static bool check_sealed(const struct pz_kmem_cache *c, const void *o)
{
	return *slab_seal_at(o, c->lay.seal) == slab_seal(c->secret, o);
}

/* Whether a slab lies where it may. */
static int check_place(const struct pz_slabs *s, const struct slab *d)
{
	const struct pz_kmem_cache *c = d->cache;
	bool usual = d->order == c->lay.order;
	int node = PZ_NID_NONE;
	uint64_t bytes;

	if ((!usual && d->order != c->lay.min_order) ||
	    d->objects != (usual ? c->lay.objects : c->lay.min_objects))
		return 2;
	bytes = (uint64_t)1 << (d->order + s->cfg.page_shift);
	if ((d->phys & (bytes - 1)) || d->phys < c->limits.min_addr ||
	    d->phys > c->limits.max_addr || c->limits.max_addr - d->phys < bytes - 1 ||
	    (uint64_t)d->objects * c->lay.stride > bytes)
		return 2;
	if (s->nodes > 1)
		(void)pz_zones_locate(s->cfg.zones, d->phys >> s->cfg.page_shift, &node);
	if (d->node != pz_slab_node_of(s, node))
		return 2;
	for (uint64_t i = 0; i < bytes >> SLAB_GRAIN_SHIFT; i++) {
		if (slab_owner_at(s, d->phys)[i] !=
		    slab_owner_of(c->id, s->cfg.page_shift + d->order, d->number))
			return 2;
	}
	return 0;
}

static int check_slab(const struct pz_slabs *s, struct slab *d)
{
	const struct pz_kmem_cache *c = d->cache;
	uint64_t state = d->state;
	uint32_t free = 0;
	int rc;

	if (d->done)
		return 8;
	if (!check_is_cache(s, c))
		return 2;
	rc = check_place(s, d);
	if (rc)
		return rc;
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

/* Walk a list, and mark what is met; false where it leads nowhere, or to the same again. */
static bool check_walk(const struct pz_slabs *s, const struct slab_list *l, uint32_t mark)
{
	uint32_t k = (uint32_t)l->head;

	while (k) {
		struct slab *d;

		if ((k - 1) >> s->unit_shift >= s->chunks ||
		    ((k - 1) & (((uint32_t)1 << s->unit_shift) - 1)) >=
			    slab_units(s, s->chunk[(k - 1) >> s->unit_shift].class))
			return false;
		d = slab_of(s, k - 1);
		if (d->done & mark)
			return false;
		d->done |= mark;
		k = mark == CHECK_WAITS ? d->wait : d->next;
	}
	return true;
}

/* The list of a node: slabs of this cache with free objects, and stubs. */
static int check_list(const struct pz_slabs *s, const struct pz_kmem_cache *c, uint32_t node,
		      uint64_t *listed)
{
	if (!check_walk(s, &c->node[node].partial, CHECK_LISTED))
		return 4;
	for (uint32_t k = (uint32_t)c->node[node].partial.head; k;) {
		struct slab *d = slab_of(s, k - 1);

		if ((d->done & SLAB_DONE_LIST) || !d->used)
			return 4;
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

	for (d = check_next(s, &at); d; d = check_next(s, &at))
		d->done &= ~CHECK_MET;
}

/* Whether an entry of a magazine is an object that is out of its slab. */
static bool check_is_object(const struct pz_slabs *s, const struct pz_kmem_cache *c, void *o)
{
	uint64_t owner = slab_owner(s, (uintptr_t)o);
	uint32_t within, slot;
	struct slab *d;

	if (slab_owner_id(owner) != c->id)
		return false;
	d = slab_of(s, (uint32_t)owner);
	within = slab_within(s, owner, (uintptr_t)o);
	if (within < c->lay.red_left)
		return false;
	slot = (uint32_t)pz_udiv64(within - c->lay.red_left, c->lay.stride);
	return slot < d->objects && slab_object(s, d, slot) == o && !pz_slab_is_free(s, d, slot);
}

/* Whether an object is neither free in its slab, nor in a magazine, nor given out. */
static bool check_lost(const struct pz_slabs *s, const struct pz_kmem_cache *c)
{
	uint32_t at = 0;
	struct slab *d;

	for (d = pz_slab_desc_next(s, &at); d; d = pz_slab_desc_next(s, &at)) {
		if (d->cache != c || (d->state & SLAB_GONE))
			continue;
		for (uint32_t i = 0; i < d->objects; i++) {
			if (!pz_slab_is_free(s, d, i) && check_sealed(c, slab_object(s, d, i)))
				return true;
		}
	}
	return false;
}

/* Objects in magazines: seals are broken while they are counted, so that none counts twice. */
static int check_magazines(const struct pz_slabs *s, const struct pz_kmem_cache *c)
{
	int rc = 0;

	for (uint32_t i = 0; i < c->cpus; i++) {
		void **top = slab_head(c, i)->top;

		for (void **at = slab_bottom(c, i) + 1; !rc && at < top; at++) {
			if (!check_is_object(s, c, *at) || !check_sealed(c, *at))
				rc = 6;
			else
				*slab_seal_at(*at, c->lay.seal) = ~slab_seal(c->secret, *at);
		}
	}
	if (!rc && check_lost(s, c))
		rc = 5;
	for (uint32_t i = 0; i < c->cpus; i++) {
		void **top = slab_head(c, i)->top;

		for (void **at = slab_bottom(c, i) + 1; at < top; at++) {
			if (check_is_object(s, c, *at) &&
			    *slab_seal_at(*at, c->lay.seal) == ~slab_seal(c->secret, *at))
				*slab_seal_at(*at, c->lay.seal) = slab_seal(c->secret, *at);
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

	for (uint32_t i = 0; !rc && i < s->nodes; i++)
		rc = check_list(s, c, i, &listed);
	if (!rc)
		rc = check_counts(s, c, listed);
	return rc ? rc : check_magazines(s, c);
}

/* Descriptors by themselves. */
static int check_descriptors(const struct pz_slabs *s)
{
	uint32_t at = 0;
	struct slab *d;
	int rc = 0;

	for (d = check_next(s, &at); d && !rc; d = check_next(s, &at)) {
		if (d->number != at - 1 || d->class != s->chunk[(at - 1) >> s->unit_shift].class)
			return 2;
		if (d->used > 1 || d->done > (SLAB_DONE_LIST | SLAB_DONE_PAGES))
			return 8;
		if (d->used && !(d->state & SLAB_GONE))
			rc = check_slab(s, d);
		else if (d->state != SLAB_GONE)
			rc = d->used ? 3 : 8;
	}
	return rc;
}

/* Descriptors of no slab, and of slabs that are gone, after all lists were walked. */
static int check_gone(const struct pz_slabs *s)
{
	uint32_t at = 0;
	struct slab *d;

	for (d = check_next(s, &at); d; d = check_next(s, &at)) {
		uint32_t met = d->done & CHECK_MET, want = 0;

		if (!d->used)
			want = CHECK_SPARE;
		else if (!(d->state & SLAB_GONE))
			want = d->state ? CHECK_LISTED : 0;
		else
			want = (d->done & SLAB_DONE_LIST ? 0 : CHECK_LISTED) |
			       (d->done & SLAB_DONE_PAGES ? 0 : CHECK_WAITS);
		if (met != want || (d->used && (d->state & SLAB_GONE) && !want))
			return 8;
		if ((met & CHECK_WAITS) && d->ticket > s->ticket)
			return 8;
	}
	return 0;
}

/* Caches, lines and descriptors by themselves. */
static int check_parts(const struct pz_slabs *s)
{
	int rc = 0;

	for (uint32_t i = 1; !rc && i < s->max_caches; i++)
		rc = s->cache[i] ? check_plan(s, s->cache[i], i) : 0;
	for (uint32_t i = 1; !rc && i < s->max_caches; i++) {
		const struct pz_kmem_cache *c = s->cache[i];

		for (uint32_t cpu = 0; c && !rc && cpu < c->cpus; cpu++)
			rc = check_line(c, cpu);
	}
	return rc ? rc : check_descriptors(s);
}

static int check_lists(const struct pz_slabs *s)
{
	int rc = 0;

	for (uint32_t i = 1; !rc && i < s->max_caches; i++)
		rc = s->cache[i] ? check_cache(s, s->cache[i]) : 0;
	if (!rc && !check_walk(s, &s->waiting, CHECK_WAITS))
		rc = 8;
	for (uint32_t i = 0; !rc && i < SLAB_DESC_CLASSES; i++)
		rc = check_walk(s, &s->spare[i], CHECK_SPARE) ? 0 : 8;
	return rc ? rc : check_gone(s);
}

int pz_slabs_check(const struct pz_slabs *s)
{
	int rc = check_parts(s);

	if (rc)
		return rc;
	rc = check_lists(s);
	check_unmark(s);
	return rc;
}
