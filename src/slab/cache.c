/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.c - caches: made, shared, destroyed.
 *
 * Concept
 *  A cache has a number, which the owner table of pages names, and each CPU has a line for it. A
 *  cache that would be laid out like another one, for the same limits, is that one.
 *
 * Invariants: see check.c.
 *
 * Failure
 *  Everything is checked and taken before anything is published. A cache with objects out is not
 *  destroyed; its magazines are empty then, that is all. What is fenced off does not count as out.
 *
 * Shortcomings
 *  Making and destroying is for one context at a time.
 */
#include "../base/pz_string.h"
#include "slab_internal.h"

#define CACHE_KEEP 5u /* empty slabs of a node */
#define CACHE_LINE 64u

static uint64_t cache_mix(uint64_t v)
{
	v ^= v >> 33;
	v *= 0xff51afd7ed558ccdull;
	v ^= v >> 33;
	v *= 0xc4ceb9fe1a85ec53ull;
	return v ^ v >> 33;
}

/* What a CPU keeps of objects of a size: about 128 KiB of small ones, 256 KiB of large ones. */
static uint32_t cache_magazine(uint32_t size)
{
	if (size <= 1024)
		return 128;
	return size <= 4096 ? 80 : 32;
}

static bool cache_flags_bad(const struct pz_kmem_cache_config *cfg, const char **why)
{
	if (cfg->flags & ~PZ_SLAB_ALL || cfg->debug & ~PZ_SLAB_DEBUG_ALL)
		*why = "an unknown flag";
	else if ((cfg->flags & PZ_SLAB_CACHE_DMA) && (cfg->flags & PZ_SLAB_CACHE_DMA32))
		*why = "PZ_SLAB_CACHE_DMA and PZ_SLAB_CACHE_DMA32 are two limits; name one";
	else if (!cfg->size)
		*why = "objects of no bytes";
	else if (cfg->size > (uint32_t)1 << 26)
		*why = "objects of more than 64 MiB: use the page allocator";
	else if (cfg->align & (cfg->align - 1))
		*why = "an alignment that is no power of two";
	else if (!cfg->name || !cfg->name[0])
		*why = "a cache without a name";
	else
		return false;
	return true;
}

/* The limits of a cache: its own, those of its zone flag, and what is mapped; @empty: if there is
 * nothing, so be it. */
static int cache_limits(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg,
			bool empty, struct pz_limits *asked, struct pz_limits *pages,
			const char **why)
{
	struct pz_limits mapped = slab_mapped(s);
	int rc = 0;

	*asked = slab_asked(&cfg->limits);
	if (!pz_limits_valid(asked)) {
		*why = "malformed limits";
		return -PZ_EINVAL;
	}
	if (cfg->flags & PZ_SLAB_CACHE_DMA)
		rc = pz_limits_narrow(asked, &s->cfg.dma, asked);
	if (!rc && (cfg->flags & PZ_SLAB_CACHE_DMA32))
		rc = pz_limits_narrow(asked, &s->cfg.dma32, asked);
	if (!rc)
		rc = pz_limits_narrow(asked, &mapped, pages);
	if (rc && empty) { /* no page lies there */
		pages->min_addr = pages->max_addr = PZ_ADDR_MAX;
		pages->flags = 0;
		rc = 0;
	}
	pages->align = 1;
	pages->boundary = 0;
	if (rc)
		*why = "no mapped memory lies within the limits";
	return rc;
}

/* The alignment of objects. */
static int cache_align(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg,
		       const struct pz_limits *asked, uint32_t *align, const char **why)
{
	uint64_t a = sizeof(slab_word), line;

	if (a < s->cfg.min_align)
		a = s->cfg.min_align;
	if (a < cfg->align)
		a = cfg->align;
	if (a < asked->align)
		a = asked->align;
	if (cfg->flags & PZ_SLAB_HWCACHE_ALIGN) {
		for (line = s->cfg.cache_line; cfg->size <= line / 2; line /= 2)
			;
		if (a < line)
			a = line;
	}
	if (a > (uint64_t)1 << (s->cfg.page_shift + PZ_SLAB_MAX_ORDER)) {
		*why = "an alignment larger than the largest slab";
		return -PZ_EINVAL;
	}
	if (s->delta & (uintptr_t)(a - 1)) {
		*why = "memory is not mapped with that alignment";
		return -PZ_EINVAL;
	}
	*align = (uint32_t)a;
	return 0;
}

static bool cache_limits_same(const struct pz_limits *a, const struct pz_limits *b)
{
	return a->min_addr == b->min_addr && a->max_addr == b->max_addr && a->align == b->align &&
	       a->boundary == b->boundary;
}

/* A cache that can serve another one's objects too. */
static struct pz_kmem_cache *cache_twin(const struct pz_slabs *s,
					const struct pz_kmem_cache_config *cfg,
					const struct pz_kmem_cache *like)
{
	const uint32_t alone = PZ_SLAB_RCU | PZ_SLAB_NO_MERGE;

	if (s->cfg.no_merge || cfg->ctor || like->debug || (cfg->flags & alone))
		return NULL;
	for (uint32_t i = 1; i < s->max_caches; i++) {
		struct pz_kmem_cache *c = s->cache[i];

		if (c && !c->ctor && !c->debug && c->flags == like->flags &&
		    c->align == like->align && c->magazine == like->magazine &&
		    c->keep == like->keep && cache_limits_same(&c->asked, &like->asked) &&
		    !memcmp(&c->lay, &like->lay, sizeof(c->lay)))
			return c;
	}
	return NULL;
}

static uint32_t cache_number(const struct pz_slabs *s)
{
	uint32_t id = 1;

	while (id < s->max_caches && s->cache[id])
		id++;
	return id;
}

static size_t cache_node_bytes(const struct pz_slabs *s)
{
	return s->nodes * sizeof(struct slab_node) + CACHE_LINE;
}

static size_t cache_magazine_bytes(const struct pz_kmem_cache *c)
{
	return (size_t)c->cpus * c->magazine_slots * sizeof(void *);
}

static void cache_drop(struct pz_slabs *s, struct pz_kmem_cache *c)
{
	const struct pz_meta *m = s->cfg.meta;

	if (c->magazines)
		m->free(m->ctx, c->magazines, cache_magazine_bytes(c));
	if (c->node_raw)
		m->free(m->ctx, c->node_raw, cache_node_bytes(s));
	m->free(m->ctx, c, sizeof(*c));
}

/* Lines of the CPUs, and their magazines. */
static int cache_cpus(struct pz_slabs *s, struct pz_kmem_cache *c)
{
	const struct pz_meta *m = s->cfg.meta;
	uint64_t secret = cache_mix(s->cfg.seed ^ cache_mix(c->id ^ (uintptr_t)c));
	unsigned int shift = s->cfg.page_shift + c->lay.order;

	/* A magazine is a number of lines: two CPUs never share one. */
	c->magazine_slots = (c->magazine + 1 + 7) / 8 * 8;
	c->magazines = m->alloc(m->ctx, cache_magazine_bytes(c));
	c->node_raw = m->alloc(m->ctx, cache_node_bytes(s));
	if (!c->magazines || !c->node_raw)
		return -PZ_ENOMEM;
	c->node = (struct slab_node *)(((uintptr_t)c->node_raw + CACHE_LINE - 1) &
				       ~(uintptr_t)(CACHE_LINE - 1));
	memset(c->node, 0, s->nodes * sizeof(*c->node));
	c->secret = (uintptr_t)secret;
	c->random = (uint32_t)(secret >> 32) | 1;
	for (uint32_t i = 0; i < c->cpus; i++) {
		struct slab_head *h = slab_head(c, i);
		void **bottom = slab_bottom(c, i);

		memset(h, 0, sizeof(*h));
		*bottom = NULL;
		h->top = bottom + 1;
		h->end = h->top + c->magazine;
		h->secret = c->secret;
		h->seal = c->lay.seal;
		h->divides = slab_divides(&c->lay);
		h->bound = slab_bound(&c->lay);
		h->mask = ((uint32_t)1 << shift) - 1;
		h->tag = (uint32_t)(slab_owner_of(c->id, shift, 0) >> SLAB_TAG_SHIFT);
		h->refused = c->refused;
	}
	return 0;
}

static void cache_name(struct pz_kmem_cache *c, const char *name)
{
	uint32_t i = 0;

	for (; name[i] && i + 1 < PZ_SLAB_NAME_MAX; i++)
		c->name[i] = name[i];
	c->name[i] = 0;
}

/* The debug options of a cache by the set's string, without those that would need a larger slab if
 * the string says so. */
static uint32_t cache_debug(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg)
{
	uint32_t own = cfg->debug, flags, len = 0, align = sizeof(slab_word);
	struct pz_slab_layout bare, full;
	const char *ignored;

	if (cfg->flags & PZ_SLAB_NO_USER_FLAGS)
		own |= PZ_SLAB_DEBUG_NO_USER_FLAGS;
	if (cfg->flags & PZ_SLAB_NO_LEAK_TRACE)
		own |= PZ_SLAB_DEBUG_NO_LEAK_TRACE;
	while (cfg->name[len])
		len++;
	flags = pz_slab_debug_flags(s->cfg.debug, cfg->name, len, own);
	if ((flags & PZ_SLAB_DEBUG_KEEP_ORDER) && (flags & PZ_SLAB_DEBUG_METADATA)) {
		if (align < cfg->align)
			align = cfg->align;
		if (pz_slab_lay_out(s, cfg, 0, 0, &align, &bare, &ignored) ||
		    pz_slab_lay_out(s, cfg, flags & PZ_SLAB_DEBUG_ALL, 0, &align, &full,
				    &ignored) ||
		    full.min_order > bare.min_order)
			flags &= ~(uint32_t)PZ_SLAB_DEBUG_METADATA;
	}
	return flags & PZ_SLAB_DEBUG_ALL;
}

/* What a cache is, but for its number and memory. */
static int cache_plan(struct pz_slabs *s, const struct pz_kmem_cache_config *cfg, bool empty,
		      struct pz_kmem_cache *c, const char **why)
{
	const char *wrong;
	int rc;

	memset(c, 0, sizeof(*c));
	if (cache_flags_bad(cfg, why))
		return -PZ_EINVAL;
	c->s = s;
	c->size = cfg->size;
	c->flags = cfg->flags;
	c->debug = cfg->debug;
	if (s->cfg.debug)
		c->debug = cache_debug(s, cfg);
	rc = cache_limits(s, cfg, empty, &c->asked, &c->limits, why);
	if (!rc)
		rc = cache_align(s, cfg, &c->asked, &c->align, why);
	if (!rc && cfg->layout) {
		wrong = pz_slab_layout_wrong(s, cfg, c->debug, c->asked.boundary, c->align,
					     cfg->layout);
		if (wrong)
			*why = wrong;
		c->lay = *cfg->layout;
		rc = wrong ? -PZ_EINVAL : 0;
	} else if (!rc) {
		rc = pz_slab_lay_out(s, cfg, c->debug, c->asked.boundary, &c->align, &c->lay, why);
	}
	if (rc)
		return rc;
	c->users = 1;
	c->cpus = s->cfg.cpus;
	c->head_stride = s->head_stride;
	c->recip = (uint32_t)pz_udiv64(((uint64_t)1 << 32) + c->lay.stride - 1, c->lay.stride);
	c->keep = cfg->keep == UINT32_MAX ? 0 : cfg->keep ? cfg->keep : CACHE_KEEP;
	c->magazine = c->debug ? 0 : cfg->magazine ? cfg->magazine : cache_magazine(cfg->size);
	if (c->magazine > 4096)
		c->magazine = 4096;
	c->page_gfp = cfg->flags & PZ_SLAB_RECLAIMABLE ? PZ_GFP_RECLAIMABLE : 0;
	c->refused = PZ_GFP_ZERO | PZ_GFP_THISNODE | PZ_GFP_DMA | PZ_GFP_DMA32 | PZ_GFP_HIGHMEM;
	if (cfg->flags & PZ_SLAB_CACHE_DMA)
		c->refused &= ~PZ_GFP_DMA;
	if (cfg->flags & PZ_SLAB_CACHE_DMA32)
		c->refused &= ~PZ_GFP_DMA32;
	c->ctor = cfg->ctor;
	c->ctor_ctx = cfg->ctor_ctx;
	cache_name(c, cfg->name);
	return 0;
}

/* From here on, or from here on no more, whoever goes through the caches meets this one. */
static void cache_publish(struct pz_slabs *s, uint32_t id, struct pz_kmem_cache *c)
{
	__atomic_store_n(&s->cache[id], c, __ATOMIC_SEQ_CST);
}

int pz_slab_cache_make(struct pz_kmem_cache **out, struct pz_slabs *s,
		       const struct pz_kmem_cache_config *cfg, bool may_stay_empty,
		       const char **why)
{
	const struct pz_meta *m = s->cfg.meta;
	struct pz_kmem_cache plan, *c;
	const char *ignored;
	int rc;

	rc = cache_plan(s, cfg, may_stay_empty, &plan, why ? why : &ignored);
	if (rc)
		return rc;
	c = cache_twin(s, cfg, &plan);
	if (c) {
		c->users++;
		if (c->size < cfg->size)
			c->size = cfg->size;
		*out = c;
		return 0;
	}
	plan.id = cache_number(s);
	if (plan.id >= s->max_caches)
		return -PZ_ENOSPC;
	c = m->alloc(m->ctx, sizeof(*c));
	if (!c)
		return -PZ_ENOMEM;
	*c = plan;
	c->heads = s->heads + c->id;
	rc = cache_cpus(s, c);
	if (rc) {
		cache_drop(s, c);
		return rc;
	}
	cache_publish(s, c->id, c);
	*out = c;
	return 0;
}

int pz_kmem_cache_create(struct pz_kmem_cache **out, struct pz_slabs *s,
			 const struct pz_kmem_cache_config *cfg, const char **why)
{
	return pz_slab_cache_make(out, s, cfg, false, why);
}

/* Wait for those who go through caches or families, after something was taken out of their way. */
void pz_slab_wait(const struct pz_slabs *s)
{
	while (pz_load32(&s->walkers)) {
		if (s->cfg.hooks.relax)
			s->cfg.hooks.relax(s->cfg.hooks.ctx);
	}
}

/* Whether an object that is not free is one that is fenced off. */
static bool cache_fenced(const struct pz_kmem_cache *c, const void *o)
{
	return *slab_seal_at(o, c->lay.seal) == slab_fence(c->secret, o);
}

/* Go through the objects that are not free; magazines are empty. Tells those that are out, and
 * says how many; with @unfence, what is fenced off is given back. */
static uint64_t cache_live(struct pz_kmem_cache *c, void (*live)(void *ctx, void *object),
			   void *ctx, bool unfence)
{
	uint64_t n = 0;
	uint32_t at = 0;
	struct slab *d;

	for (d = pz_slab_desc_next(c->s, &at); d; d = pz_slab_desc_next(c->s, &at)) {
		for (uint32_t i = 0; d->cache == c && i < d->objects; i++) {
			void *o = slab_object(c->s, d, i);

			if (pz_slab_is_free(c->s, d, i))
				continue;
			if (!cache_fenced(c, o)) {
				n++;
				if (live)
					live(ctx, o);
			} else if (unfence) {
				*slab_seal_at(o, c->lay.seal) = slab_seal(c->secret, o);
				pz_slab_give(c, PZ_CPU_NONE, 1, &o);
			}
		}
	}
	return n;
}

/* Objects that are neither free in their slabs nor fenced off: out, or in magazines. */
uint64_t pz_slab_cache_live(struct pz_kmem_cache *c)
{
	return cache_live(c, NULL, NULL, false);
}

int pz_kmem_cache_destroy(struct pz_kmem_cache *c, void (*live)(void *ctx, void *object), void *ctx)
{
	struct pz_slabs *s;

	if (!c)
		return 0;
	s = c->s;
	if (c->users > 1) {
		c->users--;
		return 0;
	}
	cache_publish(s, c->id, NULL);
	pz_slab_wait(s);
	for (uint32_t i = 0; i < c->cpus; i++)
		(void)pz_slab_flush(c, i);
	(void)pz_slab_trim(c, PZ_CPU_NONE);
	if (pz_load64(&c->slabs)) {
		if (cache_live(c, live, ctx, false)) {
			cache_publish(s, c->id, c);
			return -PZ_EBUSY;
		}
		(void)cache_live(c, NULL, NULL, true);
		(void)pz_slab_trim(c, PZ_CPU_NONE);
	}
	for (uint32_t i = 0; i < c->cpus; i++)
		memset(slab_head(c, i), 0, sizeof(struct slab_head));
	cache_drop(s, c);
	return 0;
}

struct pz_kmem_cache *pz_slabs_each(const struct pz_slabs *s, const struct pz_kmem_cache *c)
{
	for (uint32_t i = c ? c->id + 1 : 1; i < s->max_caches; i++) {
		if (s->cache[i])
			return s->cache[i];
	}
	return NULL;
}
