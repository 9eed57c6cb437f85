/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.c - slabs: made, taken from, given to, gone.
 *
 * Concept
 *  slab_internal.h says what the state of a slab means, and when it stands in a list. One exchange
 *  of the state takes or gives any number of objects; what follows from it (pushing, counting,
 *  giving the pages back) is the duty of whoever made the exchange, so nobody waits for anybody.
 *
 * Invariants: see check.c.
 *
 * Failure
 *  Objects that cannot be given back (they are free already) are told and left out.
 *
 * Shortcomings
 *  The list of a node is a stack: the slab that was given to last serves first, be it nearly empty.
 *  pz_kmem_cache_shrink() sorts it.
 */
#include "slab_internal.h"

uint32_t pz_slab_node_of(const struct pz_slabs *s, int32_t nid)
{
	for (uint32_t i = 1; i < s->nodes; i++) {
		if (s->nid[i] == nid)
			return i;
	}
	return 0;
}

static unsigned int slab_class(uint32_t objects)
{
	unsigned int class = 0;

	if (objects > SLAB_SMALL) {
		uint32_t bytes = (uint32_t)sizeof(struct slab) + (objects + 63) / 64 * 8;

		while ((uint32_t)1 << (class + SLAB_DESC_SHIFT) < bytes)
			class ++;
	}
	return class;
}

/* Say who owns the pages of a slab. */
static void slab_own(struct pz_slabs *s, const struct slab *d, uint64_t owner)
{
	uint32_t grains = (uint32_t)1 << (d->order + s->cfg.page_shift - SLAB_GRAIN_SHIFT);
	uint64_t *at = slab_owner_at(s, d->phys);

	for (uint32_t i = 0; i < grains; i++)
		pz_poke64(&at[i], owner);
}

/* Pages for a slab: of the best order if they can be had without effort, else of the @least. */
static int slab_pages(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid, bool least,
		      unsigned int *order, uint64_t *pfn)
{
	struct pz_slabs *s = c->s;
	struct pz_page_req req;
	int rc = -PZ_ENOMEM;

	if (pz_fault_hit(s->cfg.faults, s->fault_page))
		return -PZ_ENOMEM;
	for (int i = least ? 1 : 0; i < 2; i++) {
		uint32_t g = i ? gfp : (gfp & ~(PZ_GFP_BLOCK | PZ_GFP_MEMALLOC)) | PZ_GFP_NORETRY;

		*order = i ? c->lay.min_order : c->lay.order;
		if (nid == PZ_NID_NONE) {
			rc = pz_alloc_pages(s->cfg.pages, cpu, g, *order, &c->limits, pfn);
		} else {
			pz_page_req_init(s->cfg.pages, &req, *order, g, cpu);
			(void)pz_limits_narrow(&req.limits, &c->limits, &req.limits);
			req.nid = nid;
			rc = pz_page_request(s->cfg.pages, &req, pfn);
		}
		if (!rc)
			break;
	}
	return rc;
}

/* The objects of a new slab as free ones. */
static void slab_fill(struct pz_kmem_cache *c, struct slab *d)
{
	uintptr_t secret = c->secret;

	if (c->debug)
		pz_slab_debug_new(c, d);
	for (uint32_t i = 0; i < d->objects; i++) {
		void *o = slab_object(c->s, d, i);

		if (c->ctor)
			c->ctor(c->ctor_ctx, o);
		*slab_seal_at(o, c->lay.seal) = slab_seal(secret, o);
	}
}

/* Make a slab. All of its objects are the caller's: pz_slab_take_new() says which it wants. */
int pz_slab_new(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid, struct slab **out)
{
	struct pz_slabs *s = c->s;
	unsigned int order;
	uint64_t pfn;
	uint32_t objects;
	struct slab *d;
	int rc, node = PZ_NID_NONE;

	gfp &= PZ_GFP_HIGH | PZ_GFP_BLOCK | PZ_GFP_MEMALLOC | PZ_GFP_THISNODE | PZ_GFP_NORETRY |
	       PZ_GFP_NOMIGRATE | PZ_GFP_NOKEEP;
	for (bool least = c->lay.order == c->lay.min_order;; least = true) {
		rc = slab_pages(c, cpu, gfp | c->page_gfp, nid, least, &order, &pfn);
		if (rc)
			return rc;
		objects = order == c->lay.order ? c->lay.objects : c->lay.min_objects;
		rc = pz_slab_desc_take(s, cpu, gfp & ~PZ_GFP_THISNODE, slab_class(objects), &d);
		if (!rc)
			break;
		pz_free_pages(s->cfg.pages, cpu, pfn, order);
		if (order == c->lay.min_order)
			return rc;
	}
	if (s->nodes > 1)
		(void)pz_zones_locate(s->cfg.zones, pfn, &node);
	d->phys = pfn << s->cfg.page_shift;
	__atomic_store_n(&d->cache, c, __ATOMIC_RELAXED);
	__atomic_store_n(&d->objects, (uint16_t)objects, __ATOMIC_RELAXED);
	pz_poke8(&d->order, (uint8_t)order);
	d->node = (uint8_t)pz_slab_node_of(s, node);
	d->done = 0;
	if (!slab_small(d)) {
		for (uint32_t w = 0; w < (objects + 63) / 64; w++)
			slab_bits(d)[w] = 0;
	}
	slab_fill(c, d);
	pz_store64(&d->state, 0);
	slab_own(s, d, slab_owner_of(c->id, s->cfg.page_shift + order, d->number));
	pz_poke8(&d->used, 1);
	pz_count64(&c->slabs, 1);
	pz_count64(&c->pages, (uint64_t)1 << order);
	pz_count64(&c->objects, objects);
	pz_count64(&c->made, 1);
	if (order != c->lay.order)
		pz_count64(&c->fallbacks, 1);
	*out = d;
	return 0;
}

/* A descriptor whose slab is gone: one of the two parts is done. */
static void slab_done(struct pz_slabs *s, struct slab *d, uint32_t part)
{
	uint32_t old = pz_or32(&d->done, part);

	if ((old | part) == (SLAB_DONE_LIST | SLAB_DONE_PAGES) && old != (old | part))
		pz_slab_desc_give(s, d);
}

/* Give the pages of a slab that is gone back; the pages. */
uint64_t pz_slab_pages_back(struct pz_slabs *s, uint32_t cpu, struct slab *d)
{
	uint64_t pages = (uint64_t)1 << d->order;

	pz_free_pages(s->cfg.pages, cpu, d->phys >> s->cfg.page_shift, d->order);
	slab_done(s, d, SLAB_DONE_PAGES);
	return pages;
}

/* The caller made a slab go. It is in a list still when it was @listed. */
static uint64_t slab_go(struct pz_kmem_cache *c, uint32_t cpu, struct slab *d, bool listed)
{
	struct pz_slabs *s = c->s;
	uint64_t pages = (uint64_t)1 << d->order;

	/* From here on no address of this cache, whose number may be another's soon. */
	slab_own(s, d, 0);
	pz_count64(&c->slabs, (uint64_t)0 - 1);
	pz_count64(&c->pages, (uint64_t)0 - pages);
	pz_count64(&c->objects, (uint64_t)0 - d->objects);
	pz_count64(&c->released, 1);
	if (c->flags & PZ_SLAB_RCU) {
		d->ticket = pz_load64(&s->ticket);
		pz_slab_push(s, &s->waiting, d, d);
	} else {
		(void)pz_slab_pages_back(s, cpu, d);
	}
	if (!listed)
		slab_done(s, d, SLAB_DONE_LIST);
	return pages;
}

/* Whether a slot is free by the state of its slab. */
bool pz_slab_is_free(const struct pz_slabs *s, struct slab *d, uint32_t slot)
{
	uint64_t state = pz_load64(&d->state);

	if (state & SLAB_GONE)
		return true;
	if (slab_small(d))
		return state >> slot & 1;
	return pz_load64(&slab_bits(d)[slot / 64]) >> (slot & 63) & 1;
}

/* A number that nobody should be able to guess from the last; not for keys. */
static uint32_t slab_random(struct pz_kmem_cache *c, uint32_t below)
{
	uint32_t x = pz_peek32(&c->random);

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	pz_poke32(&c->random, x);
	return (uint32_t)(((uint64_t)x * below) >> 32);
}

/* @n of the bits of @v: the lowest, or any. */
static uint64_t slab_some(struct pz_kmem_cache *c, uint64_t v, uint32_t n)
{
	uint32_t have = pz_popcount64(v);
	uint64_t rest = v, out = 0, bit;

	if (n >= have)
		return v;
	if (SLAB_LIKELY(!(c->flags & PZ_SLAB_RANDOM))) {
		while (n--)
			rest &= rest - 1;
		return v & ~rest;
	}
	for (; n--; have--) {
		bit = rest;
		for (uint32_t k = slab_random(c, have); k--;)
			bit &= bit - 1;
		bit &= ~bit + 1;
		out |= bit;
		rest &= ~bit;
	}
	return out;
}

/* Write the objects of @bits, the lowest last: a magazine is emptied from its end. */
static void slab_write(const struct pz_slabs *s, const struct slab *d, uint32_t first,
		       uint64_t bits, void **objects)
{
	uint32_t n = pz_popcount64(bits);
	uint32_t stride = d->cache->lay.stride;
	unsigned char *base = slab_start(s, d) + d->cache->lay.red_left;

	for (; bits; bits &= bits - 1)
		objects[--n] = base + (size_t)(first + pz_ctz64(bits)) * stride;
}

/* Collect @n objects that were taken off the state of a large slab. */
static void slab_collect(struct pz_kmem_cache *c, struct slab *d, uint32_t n, void **objects)
{
	uint32_t words = (uint32_t)(d->objects + 63) / 64, at = n, w = 0;

	if (SLAB_UNLIKELY(c->flags & PZ_SLAB_RANDOM))
		w = slab_random(c, words);

	/* There are as many bits as the state counted, and they are nobody else's; which of them
	 * another taker collects is open, so a word may have to be looked at again. */
	for (; at; w = w + 1 < words ? w + 1 : 0) {
		uint64_t *word = &slab_bits(d)[w], v = pz_load64(word), take;

		do {
			take = slab_some(c, v, at);
			if (!take || pz_cas64(word, v, v & ~take))
				break;
			v = pz_load64(word);
		} while (true);
		if (take) {
			at -= pz_popcount64(take);
			slab_write(c->s, d, w * 64, take, objects + at);
		}
	}
}

static void slab_shuffle(struct pz_kmem_cache *c, uint32_t n, void **objects)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = slab_random(c, i);
		void *o = objects[k];

		objects[k] = objects[i - 1];
		objects[i - 1] = o;
	}
}

/* Take up to @n objects out of a slab that was popped; it goes back to its list if some stay. */
static uint32_t slab_take_from(struct pz_kmem_cache *c, struct slab *d, uint32_t n, void **objects)
{
	struct slab_node *node = &c->node[d->node];
	uint64_t old, new;
	uint32_t m;

	do {
		old = pz_load64(&d->state);
		if (old & SLAB_GONE) {
			slab_done(c->s, d, SLAB_DONE_LIST);
			return 0;
		}
		m = slab_free_count(d, old);
		if (m > n)
			m = n;
		new = slab_small(d) ? old & ~slab_some(c, old, m) : old - m;
	} while (!pz_cas64(&d->state, old, new));
	if (old == slab_full(d))
		(void)pz_add32(&node->empty, UINT32_MAX);
	if (slab_small(d))
		slab_write(c->s, d, 0, old & ~new, objects);
	else
		slab_collect(c, d, m, objects);
	if (new)
		pz_slab_push(c->s, &node->partial, d, d);
	if (SLAB_UNLIKELY(c->flags & PZ_SLAB_RANDOM))
		slab_shuffle(c, m, objects);
	return m;
}

/* Take up to @n free objects from the slabs of a node; how many. */
uint32_t pz_slab_take(struct pz_kmem_cache *c, uint32_t node, uint32_t n, void **objects)
{
	uint32_t got = 0;

	while (got < n) {
		struct slab *d = pz_slab_pop(c->s, &c->node[node].partial);

		if (!d)
			break;
		got += slab_take_from(c, d, n - got, objects + got);
	}
	return got;
}

static inline uint32_t slab_around(uint32_t slot, uint32_t objects)
{
	return slot < objects ? slot : slot - objects;
}

/* Take up to @n objects of a slab that the caller just made; the others become free. */
uint32_t pz_slab_take_new(struct pz_kmem_cache *c, struct slab *d, uint32_t n, void **objects)
{
	uint32_t words = (uint32_t)(d->objects + 63) / 64, left = d->objects, at, slot;

	if (n > left)
		n = left;
	if (SLAB_UNLIKELY(c->flags & PZ_SLAB_RANDOM) && n < left) {
		at = slab_random(c, left);
	} else {
		at = 0;
	}
	/* Slots at, at + 1, ... around the end are the caller's. */
	for (uint32_t i = 0; i < n; i++)
		objects[n - 1 - i] = slab_object(c->s, d, slab_around(at + i, left));
	if (SLAB_UNLIKELY(c->flags & PZ_SLAB_RANDOM))
		slab_shuffle(c, n, objects);
	if (n == left)
		return n;
	if (slab_small(d)) {
		uint64_t bits = slab_full(d);

		for (uint32_t i = 0; i < n; i++)
			bits &= ~((uint64_t)1 << slab_around(at + i, left));
		pz_store64(&d->state, bits);
	} else {
		for (uint32_t w = 0; w < words; w++) {
			uint32_t in = left - w * 64 < 64 ? left - w * 64 : 64;

			slab_bits(d)[w] = in < 64 ? ((uint64_t)1 << in) - 1 : UINT64_MAX;
		}
		for (uint32_t i = 0; i < n; i++) {
			slot = slab_around(at + i, left);
			slab_bits(d)[slot / 64] &= ~((uint64_t)1 << (slot & 63));
		}
		pz_store64(&d->state, left - n);
	}
	pz_slab_push(c->s, &c->node[d->node].partial, d, d);
	return n;
}

/* Objects of one slab that are given back together. */
struct slab_run {
	struct slab *d;
	uint64_t bits;	/* of a small slab */
	uint32_t count; /* of a large one: their bits are set already */
};

/* Whether so many empty slabs are kept that another one need not be. */
static bool slab_enough(const struct pz_kmem_cache *c, const struct slab *d)
{
	return pz_peek32(&c->node[d->node].empty) >= c->keep;
}

/* The plain end of a run: the slab had free objects before, and has others after. */
static inline bool slab_end_plain(struct slab *d, uint64_t bits)
{
	uint64_t old = pz_load64(&d->state), new = old | bits;

	return slab_small(d) && old && !(old & (bits | SLAB_GONE)) && new != slab_full(d) &&
	       pz_cas64(&d->state, old, new);
}

/* The pages of the slab, if it went. */
static uint64_t slab_end_run(struct pz_kmem_cache *c, uint32_t cpu, struct slab_run *r)
{
	struct slab *d = r->d;
	struct slab_node *node = &c->node[d->node];
	uint64_t old, new, full = slab_full(d);

	if (!r->bits && !r->count)
		return 0;
	for (;;) {
		old = pz_load64(&d->state);
		if (SLAB_UNLIKELY(old & SLAB_GONE)) {
			pz_slab_found(c->s, "pz_kmem_cache_free", PZ_SLAB_DOUBLE_FREE, c, NULL, d,
				      slab_start(c->s, d));
			return 0;
		}
		if (SLAB_UNLIKELY(slab_small(d) && (old & r->bits))) {
			uint64_t twice = old & r->bits;

			for (; twice; twice &= twice - 1)
				pz_slab_found(c->s, "pz_kmem_cache_free", PZ_SLAB_DOUBLE_FREE, c,
					      NULL, d, slab_object(c->s, d, pz_ctz64(twice)));
			r->bits &= ~old;
			if (!r->bits)
				return 0;
		}
		new = slab_small(d) ? old | r->bits : old + r->count;
		if (SLAB_UNLIKELY(new == full) && slab_enough(c, d)) {
			if (!pz_cas64(&d->state, old, SLAB_GONE))
				continue;
			return slab_go(c, cpu, d, old != 0);
		}
		if (pz_cas64(&d->state, old, new))
			break;
	}
	if (new == full)
		(void)pz_add32(&node->empty, 1);
	if (!old)
		pz_slab_push(c->s, &node->partial, d, d);
	return 0;
}

static void slab_add_to_run(struct pz_kmem_cache *c, struct slab_run *r, uint32_t slot)
{
	uint64_t bit, *word, old;

	if (slab_small(r->d)) {
		bit = (uint64_t)1 << slot;
		if (r->bits & bit)
			pz_slab_found(c->s, "pz_kmem_cache_free", PZ_SLAB_DOUBLE_FREE, c, NULL,
				      r->d, slab_object(c->s, r->d, slot));
		r->bits |= bit;
		return;
	}
	word = &slab_bits(r->d)[slot / 64];
	bit = (uint64_t)1 << (slot & 63);
	do {
		old = pz_load64(word);
		if (old & bit) {
			pz_slab_found(c->s, "pz_kmem_cache_free", PZ_SLAB_DOUBLE_FREE, c, NULL,
				      r->d, slab_object(c->s, r->d, slot));
			return;
		}
	} while (!pz_cas64(word, old, old | bit));
	r->count++;
}

/*
 * Give objects back to their slabs. They are known to be objects of this cache, and sealed. What
 * follows each other in one slab costs one exchange. Pages of slabs that went.
 */
uint64_t pz_slab_give(struct pz_kmem_cache *c, uint32_t cpu, uint32_t n, void *const *objects)
{
	struct slab *d[SLAB_BATCH];
	uint32_t slot[SLAB_BATCH], tag = slab_head(c, 0)->tag, mask = slab_head(c, 0)->mask;
	struct slab_run r = { NULL, 0, 0 };
	uint64_t pages = 0;

	while (n) {
		uint32_t m = n < SLAB_BATCH ? n : SLAB_BATCH;

		for (uint32_t i = 0; i < m; i++) {
			uintptr_t at = (uintptr_t)objects[i] - c->lay.red_left;
			uint64_t owner = slab_owner(c->s, at);
			uint32_t within;

			d[i] = slab_of(c->s, (uint32_t)owner);
			__builtin_prefetch(d[i], 1);
			within = SLAB_LIKELY((uint32_t)(owner >> SLAB_TAG_SHIFT) == tag)
					 ? (uint32_t)(at - c->s->origin) & mask
					 : slab_within(c->s, owner, at);
			slot[i] = slab_slot(within, c->recip);
		}
		for (uint32_t i = 0; i < m; i++) {
			if (d[i] != r.d) {
				if (r.d && !slab_end_plain(r.d, r.bits))
					pages += slab_end_run(c, cpu, &r);
				r.d = d[i];
				r.bits = 0;
				r.count = 0;
			}
			slab_add_to_run(c, &r, slot[i]);
		}
		objects += m;
		n -= m;
	}
	if (r.d && !slab_end_plain(r.d, r.bits))
		pages += slab_end_run(c, cpu, &r);
	return pages;
}

#define TRIM_BUCKETS 8u

/* Slabs of a list that is being sorted: first and last of each bucket. */
struct slab_bucket {
	struct slab *first, *last;
};

/* Give back the slabs of a node that are empty, and sort the others: fullest on top. */
static uint64_t slab_trim_node(struct pz_kmem_cache *c, uint32_t cpu, struct slab_node *node)
{
	struct slab_bucket b[TRIM_BUCKETS] = { { NULL, NULL } };
	struct slab *d = pz_slab_pop_all(c->s, &node->partial), *next;
	uint64_t pages = 0;

	for (; d; d = next) {
		uint64_t state = pz_load64(&d->state);
		uint32_t k = pz_peek32(&d->next);

		next = k ? slab_of(c->s, k - 1) : NULL;
		if (state & SLAB_GONE) {
			slab_done(c->s, d, SLAB_DONE_LIST);
			continue;
		}
		if (state == slab_full(d) && pz_cas64(&d->state, state, SLAB_GONE)) {
			(void)pz_add32(&node->empty, UINT32_MAX);
			pages += slab_go(c, cpu, d, false);
			continue;
		}
		k = (uint32_t)pz_udiv64((uint64_t)slab_free_count(d, state) * TRIM_BUCKETS,
					d->objects + 1u);
		pz_poke32(&d->next, b[k].first ? b[k].first->number + 1 : 0);
		b[k].first = d;
		if (!b[k].last)
			b[k].last = d;
	}
	for (uint32_t k = TRIM_BUCKETS; k--;) {
		if (b[k].first)
			pz_slab_push(c->s, &node->partial, b[k].first, b[k].last);
	}
	return pages;
}

/* Give back all empty slabs; pages. */
uint64_t pz_slab_trim(struct pz_kmem_cache *c, uint32_t cpu)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < c->s->nodes; i++)
		pages += slab_trim_node(c, cpu, &c->node[i]);
	return pages;
}
