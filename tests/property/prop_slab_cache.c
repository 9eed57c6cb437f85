/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_slab_cache.c - any sequence of calls of the object caches and of kmalloc() against a list of
 * what is out: nothing overlaps, all of it keeps its limits, alignment and contents, is what the
 * caches say of it, and a request fails only where no memory is left. Debug options and the layouts
 * of Linux's models are among the caches; misuse is told and changes nothing.
 */
#include "../contract/slab_linux.h"
#include "prop.h"
#include "slab_box.h"

#define OPS 90
#define LIVE 700u
#define FAMILIES 3u
#define BALLAST 64u

enum kind { OBJECT, MEMORY }; /* from a cache; from kmalloc() */

struct live {
	unsigned char *p;
	uint64_t size;		     /* that were asked for and are filled */
	struct pz_kmem_cache *cache; /* NULL for whole pages */
	struct pz_limits limits;
	enum kind kind;
	unsigned char fill;
	bool ctor;
};

struct maker { /* one user of a cache */
	struct pz_kmem_cache *cache;
	struct pz_limits limits; /* with the alignment */
	uint32_t size;
	bool ctor, rcu;
};

struct world {
	struct slab_box b;
	struct live live[LIVE];
	uint32_t lives;
	struct maker maker[SB_CACHES * 2];
	uint32_t makers;
	struct pz_kmalloc *family[FAMILIES];
	struct pz_limits family_limits[FAMILIES];
	bool family_dma[FAMILIES];
	uint64_t ballast[BALLAST];
	uint32_t ballasts;
	uint64_t ticket;
	unsigned char next_fill;
};

static struct world world;

static uint32_t draw_cpu(struct prop *p)
{
	unsigned int c = prop_choice(p, SB_CPUS + 1);

	return c < SB_CPUS ? c : PZ_CPU_NONE;
}

static uint32_t draw_gfp(struct prop *p, bool ctor)
{
	static const uint32_t gfp[] = { 0, PZ_GFP_HIGH, PZ_GFP_BLOCK, PZ_GFP_NORETRY, PZ_GFP_ZERO };

	return gfp[prop_choice(p, ctor ? 4 : 5)];
}

static uint32_t draw_size(struct prop *p)
{
	switch (prop_choice(p, 5)) {
	case 0:
		return 1 + (uint32_t)prop_draw(p, 63);
	case 1:
		return 1u << prop_choice(p, 14);
	case 2:
		return 64 + (uint32_t)prop_draw(p, 1000);
	case 3:
		return 8 * (1 + (uint32_t)prop_draw(p, 100));
	default:
		return 1 + (uint32_t)prop_draw(p, 40000);
	}
}

static struct pz_limits draw_limits(struct prop *p)
{
	struct pz_limits l = pz_limits_any();

	switch (prop_choice(p, 8)) {
	case 4:
		l = PZ_LIMITS_BITS(24);
		break;
	case 5: /* ends in the middle of a page */
		l.min_addr = SB_FIRST + prop_draw(p, SB_MIB);
		l.max_addr = l.min_addr + SB_MIB + prop_draw(p, 2 * SB_MIB);
		break;
	case 6:
		l.boundary = (uint64_t)64 << prop_choice(p, 14);
		break;
	case 7:
		l.boundary = (uint64_t)1 << (12 + prop_choice(p, 21));
		l.max_addr = SB_FIRST + SB_MIB * (1 + prop_choice(p, 6)) - 1;
		break;
	default:
		break;
	}
	return l;
}

static struct pz_limits mapped(void)
{
	struct pz_limits l = pz_limits_any();

	l.min_addr = SB_FIRST;
	l.max_addr = SB_FIRST + SB_BYTES - 1;
	return l;
}

/* --- what must hold --- */

static unsigned char pattern(const struct live *x, uint64_t i)
{
	return x->ctor ? 0xc7 : (unsigned char)(x->fill + i * 7);
}

static void fill(struct live *x)
{
	for (uint64_t i = 0; i < x->size && !x->ctor; i++)
		x->p[i] = pattern(x, i);
}

static bool kept(const struct live *x)
{
	for (uint64_t i = 0; i < x->size; i++) {
		if (x->p[i] != pattern(x, i))
			return false;
	}
	return true;
}

/* Take something into the list. */
static bool adopt(struct world *w, struct prop *p, struct live x, uint32_t gfp)
{
	struct pz_range r = { pz_slab_phys(w->b.s, x.p), 0 };
	struct pz_slab_info f;

	r.last = r.first + x.size - 1;
	PROP_ASSERT(p, w->lives < LIVE && x.size && r.first >= SB_FIRST &&
			       r.last < SB_FIRST + SB_BYTES);
	PROP_ASSERT(p, pz_limits_check(&x.limits, r));
	PROP_ASSERT(p, r.last < SB_HOLE || r.first >= SB_HOLE + SB_MIB);
	for (uint32_t i = 0; i < w->lives; i++)
		PROP_ASSERT(p,
			    w->live[i].p + w->live[i].size <= x.p || x.p + x.size <= w->live[i].p);
	for (uint64_t i = 0; i < x.size && (gfp & PZ_GFP_ZERO); i++)
		PROP_ASSERT(p, x.p[i] == 0);
	pz_slab_info(w->b.s, x.p + (x.cache ? x.size - 1 : 0), &f);
	PROP_ASSERT(p, f.object == x.p && f.cache == x.cache && f.size >= x.size && !f.free);
	PROP_ASSERT(p, f.kind == (x.cache ? PZ_SLAB_OBJECT : PZ_SLAB_LARGE));
	PROP_ASSERT(p, pz_slab_owner(w->b.s, x.p) == x.cache);
	PROP_ASSERT(p, x.kind == OBJECT || pz_ksize(w->b.s, x.p) == f.size);
	x.fill = ++w->next_fill;
	fill(&x);
	PROP_ASSERT(p, kept(&x));
	w->live[w->lives++] = x;
	return true;
}

static struct live drop(struct world *w, uint32_t i)
{
	struct live x = w->live[i];

	w->live[i] = w->live[--w->lives];
	return x;
}

static uint32_t count(const struct world *w, const struct pz_kmem_cache *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->lives; i++)
		n += w->live[i].cache == c;
	return n;
}

static bool holds(struct world *w, struct prop *p)
{
	uint64_t slabs = 0, pages = 0, large = 0;
	struct pz_slabs_cost cost;
	int check = pz_slabs_check(w->b.s);

	if (check)
		prop_note(p, "pz_slabs_check: %d", check);
	PROP_ASSERT(p, check == 0 && pz_pages_check(w->b.pages) == 0);
	if (w->b.findings)
		prop_note(p, "finding %d", w->b.found[0].fault);
	PROP_ASSERT(p, w->b.findings == 0 && w->b.bugs.count == 0);
	for (struct pz_kmem_cache *c = pz_slabs_each(w->b.s, NULL); c;
	     c = pz_slabs_each(w->b.s, c)) {
		struct pz_kmem_cache_stat st;

		pz_kmem_cache_stat(c, &st);
		PROP_ASSERT(p, st.active == count(w, c) && st.fenced == 0);
		PROP_ASSERT(p, st.made - st.released == st.slabs && st.empty <= st.partial);
		slabs += st.slabs;
		pages += st.pages;
	}
	for (uint32_t i = 0; i < w->lives; i++)
		large += !w->live[i].cache;
	pz_slabs_cost(w->b.s, &cost);
	PROP_ASSERT(p, cost.slabs == slabs && cost.slab_pages == pages && cost.large == large);
	PROP_ASSERT(p, sb_used(&w->b) >=
			       pages + cost.large_pages + cost.slab_bytes / 4096 + w->ballasts);
	return true;
}

/* A cache had no object: there is no memory for another slab, and none is free in a slab. */
static bool refused(struct world *w, struct prop *p, struct pz_kmem_cache *c)
{
	struct pz_limits any = mapped(), l;
	struct pz_kmem_cache_stat st;
	uint64_t pfn, desc[2] = { 0, 0 };
	int rc, rd = 0, re = 0;

	pz_kmem_cache_stat(c, &st);
	PROP_ASSERT(p, st.objects == st.active + st.cached);
	(void)pz_limits_narrow(&st.limits, &any, &l);
	l.align = 1;
	l.boundary = 0;
	rc = pz_alloc_pages(w->b.pages, PZ_CPU_NONE, 0, st.layout.min_order, &l, &pfn);
	if (rc)
		return true;
	rd = pz_alloc_pages(w->b.pages, PZ_CPU_NONE, 0, 0, &any, &desc[0]);
	re = rd ? rd : pz_alloc_pages(w->b.pages, PZ_CPU_NONE, 0, 0, &any, &desc[1]);
	pz_free_pages(w->b.pages, PZ_CPU_NONE, pfn, st.layout.min_order);
	if (!rd)
		pz_free_pages(w->b.pages, PZ_CPU_NONE, desc[0], 0);
	if (!re)
		pz_free_pages(w->b.pages, PZ_CPU_NONE, desc[1], 0);
	PROP_ASSERT(p, re != 0);
	return true;
}

/* --- caches --- */

static void ctor(void *ctx, void *object)
{
	memset(object, 0xc7, *(const uint32_t *)ctx);
}

static uint32_t ctor_size[SB_CACHES * 2];

static bool do_create(struct world *w, struct prop *p)
{
	static const uint32_t flags[] = { 0,
					  PZ_SLAB_HWCACHE_ALIGN,
					  PZ_SLAB_RECLAIMABLE,
					  PZ_SLAB_RCU,
					  PZ_SLAB_NO_MERGE,
					  PZ_SLAB_RANDOM,
					  PZ_SLAB_CACHE_DMA,
					  PZ_SLAB_CACHE_DMA32 };
	struct pz_limits dma = PZ_LIMITS_BITS(24), all = mapped();
	struct maker *m = &w->maker[w->makers];
	struct pz_kmem_cache_config c;
	struct pz_slab_layout lay;
	const char *why = NULL;
	int rc, want = 0;

	if (w->makers == SB_CACHES * 2)
		return true;
	memset(&c, 0, sizeof(c));
	c.name = "cache";
	c.size = draw_size(p);
	if (prop_choice(p, 3) == 2)
		c.align = 1u << prop_choice(p, 14);
	c.limits = draw_limits(p);
	c.flags = flags[prop_choice(p, 8)] | flags[prop_choice(p, 8)];
	if (prop_choice(p, 3) == 2)
		c.debug = (uint32_t)prop_draw(p, 15);
	if (prop_choice(p, 6) == 5) {
		c.ctor = ctor;
		ctor_size[w->makers] = c.size;
		c.ctor_ctx = &ctor_size[w->makers];
	}
	if (prop_choice(p, 4) == 3)
		c.magazine = 1 + (uint32_t)prop_draw(p, 20);
	if (prop_choice(p, 4) == 3)
		c.keep = prop_choice(p, 2) ? UINT32_MAX : 1;
	if (prop_choice(p, 5) == 4 && !c.limits.boundary && !w->b.cfg.min_align &&
	    slab_linux_layout(PZL_LINUX_6_12, &c, &lay))
		c.layout = &lay;
	if ((c.flags & PZ_SLAB_CACHE_DMA) && (c.flags & PZ_SLAB_CACHE_DMA32))
		want = -PZ_EINVAL;
	m->limits = c.limits;
	if (!want && (c.flags & PZ_SLAB_CACHE_DMA))
		want = pz_limits_narrow(&m->limits, &dma, &m->limits);
	if (!want && pz_limits_narrow(&m->limits, &all, &all))
		want = -PZ_ERANGE;
	if (!want && c.limits.boundary && c.size > c.limits.boundary)
		want = -PZ_ERANGE;
	rc = pz_kmem_cache_create(&m->cache, w->b.s, &c, &why);
	if (rc == -PZ_ENOSPC)
		return true;
	if (rc && rc != want)
		prop_note(p, "%d: %s", rc, why ? why : "");
	PROP_ASSERT(p, rc == want && (!rc || why));
	if (rc)
		return true;
	if (c.align > 1)
		m->limits.align = c.align;
	m->size = c.size;
	m->ctor = c.ctor != NULL;
	m->rcu = c.flags & PZ_SLAB_RCU;
	w->makers++;
	return true;
}

static uint32_t users(const struct world *w, const struct pz_kmem_cache *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->makers; i++)
		n += w->maker[i].cache == c;
	return n;
}

static uint64_t told;

static void tell_live(void *ctx, void *object)
{
	struct world *w = ctx;

	for (uint32_t i = 0; i < w->lives; i++)
		told += w->live[i].p == object;
	told += (uint64_t)1 << 32;
}

static bool do_destroy(struct world *w, struct prop *p)
{
	uint32_t i, n;
	struct pz_kmem_cache *c;
	int rc;

	if (!w->makers)
		return true;
	i = (uint32_t)prop_draw(p, w->makers - 1);
	c = w->maker[i].cache;
	if (!c)
		return true;
	n = count(w, c);
	if (users(w, c) > 1)
		n = 0;
	told = 0;
	rc = pz_kmem_cache_destroy(c, tell_live, w);
	PROP_ASSERT(p, rc == (n ? -PZ_EBUSY : 0));
	PROP_ASSERT(p, told == ((uint64_t)n << 32 | n));
	if (rc)
		return true;
	w->maker[i].cache = NULL; /* the last one's constructor has its argument by its number */
	if (i == w->makers - 1 || !w->maker[w->makers - 1].ctor)
		w->maker[i] = w->maker[--w->makers];
	return true;
}

static struct maker *draw_maker(struct world *w, struct prop *p)
{
	struct maker *m;

	if (!w->makers)
		return NULL;
	m = &w->maker[prop_draw(p, w->makers - 1)];
	return m->cache ? m : NULL;
}

static struct live of_maker(const struct maker *m, void *o)
{
	struct live x = { o, m->size, m->cache, m->limits, OBJECT, 0, m->ctor };

	return x;
}

static bool do_alloc(struct world *w, struct prop *p)
{
	struct maker *m = draw_maker(w, p);
	uint32_t cpu = draw_cpu(p), gfp;
	void *o = NULL;
	int rc;

	if (!m || w->lives == LIVE)
		return true;
	gfp = draw_gfp(p, m->ctor);
	if (prop_choice(p, 3) == 2) {
		int32_t nid = (int32_t)prop_choice(p, 3) - 1;

		if (nid < 0)
			nid = PZ_NID_NONE;
		if (prop_choice(p, 3) == 2)
			gfp |= PZ_GFP_THISNODE;
		rc = pz_kmem_cache_alloc_node(m->cache, cpu, gfp, nid, &o);
		PROP_ASSERT(p, !rc == (o != NULL));
		if (!rc && (gfp & PZ_GFP_THISNODE)) {
			int32_t want = nid != PZ_NID_NONE   ? nid
				       : cpu != PZ_CPU_NONE ? sb_cpu_nid[cpu]
							    : 0;

			PROP_ASSERT(p, (pz_slab_phys(w->b.s, o) > SB_HOLE) == (want == 1));
		}
		if (rc)
			PROP_ASSERT(p, rc == -PZ_ENOMEM || rc == -PZ_ERANGE);
		if (gfp & PZ_GFP_THISNODE)
			return rc || adopt(w, p, of_maker(m, o), gfp);
	} else {
		o = pz_kmem_cache_alloc(m->cache, cpu, gfp);
	}
	return o ? adopt(w, p, of_maker(m, o), gfp) : refused(w, p, m->cache);
}

static bool do_bulk(struct world *w, struct prop *p)
{
	struct maker *m = draw_maker(w, p);
	uint32_t n = 1 + (uint32_t)prop_draw(p, 63), gfp;
	void *o[64];
	int rc;

	if (!m || w->lives + n > LIVE)
		return true;
	gfp = draw_gfp(p, m->ctor);
	rc = pz_kmem_cache_alloc_bulk(m->cache, draw_cpu(p), gfp, n, o);
	PROP_ASSERT(p, rc == 0 || rc == -PZ_ENOMEM || rc == -PZ_ERANGE);
	if (rc == -PZ_ERANGE && !refused(w, p, m->cache))
		return false;
	for (uint32_t i = 0; !rc && i < n; i++) {
		if (!adopt(w, p, of_maker(m, o[i]), gfp))
			return false;
	}
	return true;
}

static void free_one(struct world *w, struct prop *p, const struct live *x)
{
	if (x->kind == MEMORY || prop_choice(p, 3) == 2)
		pz_kfree(w->b.s, draw_cpu(p), x->p);
	else
		pz_kmem_cache_free(x->cache, draw_cpu(p), x->p);
}

static bool do_free(struct world *w, struct prop *p)
{
	struct live x;
	bool rcu = false;

	if (!w->lives)
		return true;
	x = drop(w, (uint32_t)prop_draw(p, w->lives - 1));
	PROP_ASSERT(p, kept(&x));
	for (uint32_t i = 0; i < w->makers; i++)
		rcu |= w->maker[i].cache == x.cache && w->maker[i].rcu && x.cache;
	free_one(w, p, &x);
	if (rcu)
		PROP_ASSERT(p, kept(&x));
	return true;
}

static bool do_free_bulk(struct world *w, struct prop *p)
{
	void *o[64];
	uint32_t n = 0, want = 1 + (uint32_t)prop_draw(p, 63), at;
	struct pz_kmem_cache *c = NULL;
	bool one = prop_choice(p, 2);

	if (!w->lives)
		return true;
	at = (uint32_t)prop_draw(p, w->lives - 1);
	c = w->live[at].cache;
	if (!c)
		one = false;
	for (uint32_t i = w->lives; i-- && n < want;) {
		if (one && w->live[i].cache != c)
			continue;
		PROP_ASSERT(p, kept(&w->live[i]));
		o[n++] = drop(w, i).p;
	}
	pz_kmem_cache_free_bulk(one ? c : NULL, w->b.s, draw_cpu(p), n, o);
	return true;
}

/* --- pages come back --- */

static bool do_give_back(struct world *w, struct prop *p)
{
	struct maker *m = draw_maker(w, p);
	uint64_t used = sb_used(&w->b), pages;
	struct pz_limits l = draw_limits(p);
	struct pz_kmem_cache_stat st;

	switch (prop_choice(p, 5)) {
	case 0:
		if (!m)
			return true;
		pages = pz_kmem_cache_shrink(m->cache, draw_cpu(p));
		pz_kmem_cache_stat(m->cache, &st);
		PROP_ASSERT(p, st.empty == 0);
		if (!m->rcu)
			PROP_ASSERT(p, used - sb_used(&w->b) >= pages);
		return true;
	case 1:
		pz_slab_drain(w->b.s, draw_cpu(p));
		return true;
	case 2:
		pages = pz_slab_reclaim(w->b.s, draw_cpu(p), prop_choice(p, 2) ? &l : NULL,
					prop_choice(p, 2));
		PROP_ASSERT(p, used - sb_used(&w->b) >= pages);
		return true;
	case 3:
		if (!w->ticket)
			w->ticket = pz_slab_grace_begin(w->b.s);
		return true;
	default:
		pages = pz_slab_grace_end(w->b.s, draw_cpu(p), w->ticket);
		PROP_ASSERT(p, used - sb_used(&w->b) == pages && (pages || !w->ticket));
		w->ticket = 0;
		return true;
	}
}

static void lighten(struct world *w)
{
	uint64_t b = w->ballast[--w->ballasts];

	pz_free_exact(w->b.pages, PZ_CPU_NONE, b >> 12, b & 0xfff);
}

/* Take pages away, or give them back. */
static bool do_ballast(struct world *w, struct prop *p)
{
	bool give = prop_choice(p, 3) == 0;
	uint32_t n = 1 + (uint32_t)prop_draw(p, 20);

	for (; n; n--) {
		if (give) {
			if (!w->ballasts)
				return true;
			lighten(w);
		} else {
			uint64_t pages = 1 + prop_draw(p, 200), pfn;
			struct pz_page_req req;

			pz_page_req_init(w->b.pages, &req, 0, 0, PZ_CPU_NONE);
			req.pages = pages;
			if (w->ballasts == BALLAST || pz_page_request(w->b.pages, &req, &pfn))
				return true;
			w->ballast[w->ballasts++] = pfn << 12 | pages;
		}
	}
	return true;
}

/* --- kmalloc() --- */

static bool do_family(struct world *w, struct prop *p)
{
	uint32_t i = prop_choice(p, FAMILIES);
	struct pz_kmalloc_config c;
	struct pz_limits all = mapped();
	const char *why = NULL;
	int rc;

	if (w->family[i]) {
		uint32_t out = 0;

		for (uint32_t k = 0; k < w->lives; k++) {
			const struct pz_kmem_cache *own = w->live[k].cache;

			for (uint32_t n = 8; own && n <= 8192; n += n < 256 ? 8 : n)
				out += pz_kmalloc_cache(w->family[i], 0, n) == own ||
				       pz_kmalloc_cache(w->family[i], PZ_GFP_DMA, n) == own;
		}
		rc = pz_kmalloc_destroy(w->family[i]);
		PROP_ASSERT(p, rc == 0 || rc == -PZ_EBUSY);
		PROP_ASSERT(p, !rc || out);
		PROP_ASSERT(p, rc || !out);
		if (!rc)
			w->family[i] = NULL;
		return true;
	}
	memset(&c, 0, sizeof(c));
	c.slabs = w->b.s;
	c.limits = draw_limits(p);
	if (prop_choice(p, 2))
		c.min_align = 1u << prop_choice(p, 9);
	w->family_dma[i] = prop_choice(p, 3) == 2 && !c.limits.boundary;
	c.sets = w->family_dma[i] ? PZ_KMALLOC_DMA : 0;
	if (prop_choice(p, 4) == 3)
		c.debug = (uint32_t)prop_draw(p, 15);
	rc = pz_kmalloc_create(&w->family[i], &c, &why);
	if (rc) {
		w->family[i] = NULL;
		PROP_ASSERT(p, rc == -PZ_ENOSPC || (rc == -PZ_ERANGE &&
						    pz_limits_narrow(&c.limits, &all, &all)));
		return true;
	}
	w->family_limits[i] = c.limits;
	w->family_limits[i].align = c.min_align > 8 ? c.min_align : 8;
	return true;
}

static uint64_t draw_bytes(struct prop *p)
{
	return prop_choice(p, 6) == 5 ? prop_draw(p, 100000) : draw_size(p);
}

static bool adopt_memory(struct world *w, struct prop *p, void *q, uint64_t size,
			 struct pz_limits l, uint32_t gfp)
{
	struct live x = { q, size, pz_slab_owner(w->b.s, q), l, MEMORY, 0, false };

	/* A power of two is aligned to itself. */
	if (!(size & (size - 1)) && x.limits.align < size)
		x.limits.align = size;
	return adopt(w, p, x, gfp);
}

static bool do_kmalloc(struct world *w, struct prop *p)
{
	uint32_t i = prop_choice(p, FAMILIES), gfp = draw_gfp(p, false), cpu = draw_cpu(p);
	uint64_t size = draw_bytes(p), align = 1;
	struct pz_limits l, dma = PZ_LIMITS_BITS(24);
	void *q = NULL;
	int rc;

	if (w->lives == LIVE)
		return true;
	if (prop_choice(p, 4) == 3 || !w->family[i]) {
		l = draw_limits(p);
		if (prop_choice(p, 2))
			l.align = (uint64_t)1 << prop_choice(p, 15);
		rc = pz_kmalloc_limited(w->b.s, cpu, gfp, size, &l, &q);
	} else {
		l = w->family_limits[i];
		if (w->family_dma[i] && prop_choice(p, 2)) {
			gfp |= PZ_GFP_DMA;
			if (pz_limits_narrow(&l, &dma, &l))
				l = pz_limits_any(); /* it must fail */
		}
		if (prop_choice(p, 2))
			align = (uint64_t)1 << prop_choice(p, 15);
		if (l.align < align)
			l.align = align;
		rc = pz_kmalloc_try(w->family[i], cpu, gfp, size, align, PZ_NID_NONE, &q);
	}
	if (!size) {
		PROP_ASSERT(p, rc == 0 && q == PZ_ZERO_SIZE_PTR);
		return true;
	}
	PROP_ASSERT(p, rc == 0 || rc == -PZ_ENOMEM || rc == -PZ_ERANGE);
	if (rc == -PZ_ERANGE)
		PROP_ASSERT(p, l.max_addr < SB_FIRST + SB_BYTES - 1 || l.min_addr > SB_FIRST ||
				       size > 30000 || l.boundary || (gfp & PZ_GFP_DMA));
	return rc || adopt_memory(w, p, q, size, l, gfp);
}

static bool do_krealloc(struct world *w, struct prop *p)
{
	uint32_t f = prop_choice(p, FAMILIES), i;
	uint64_t size = draw_bytes(p), same;
	unsigned char *q;
	struct live x, was;

	if (!w->lives || !w->family[f])
		return true;
	i = (uint32_t)prop_draw(p, w->lives - 1);
	was = w->live[i];
	if (was.kind != MEMORY)
		return true;
	x = was;
	q = pz_krealloc(w->family[f], draw_cpu(p), 0, x.p, size);
	if (!q) {
		PROP_ASSERT(p, kept(&was));
		return true;
	}
	(void)drop(w, i);
	if (!size) {
		PROP_ASSERT(p, q == PZ_ZERO_SIZE_PTR);
		return true;
	}
	same = size < was.size ? size : was.size;
	x.p = q;
	x.size = same;
	PROP_ASSERT(p, kept(&x));
	x.cache = pz_slab_owner(w->b.s, q);
	x.size = size;
	x.limits = w->family_limits[f];
	return adopt(w, p, x, 0);
}

/* --- misuse --- */

static bool do_misuse(struct world *w, struct prop *p)
{
	static const enum pz_slab_fault want[] = { PZ_SLAB_BAD_POINTER, PZ_SLAB_WRONG_CACHE,
						   PZ_SLAB_DOUBLE_FREE, PZ_SLAB_NO_OBJECT };
	unsigned int how = prop_choice(p, 4);
	struct maker *m = draw_maker(w, p);
	uint32_t cpu = draw_cpu(p), i;
	struct live x;

	if (!w->lives)
		return true;
	i = (uint32_t)prop_draw(p, w->lives - 1);
	x = w->live[i];
	if (!x.cache || (how == 1 && (!m || m->cache == x.cache)))
		return true;
	switch (how) {
	case 0:
		if (x.size < 2)
			return true;
		pz_kmem_cache_free(x.cache, cpu, x.p + 1 + prop_draw(p, x.size - 2));
		break;
	case 1:
		pz_kmem_cache_free(m->cache, cpu, x.p);
		break;
	case 2:
		(void)drop(w, i);
		pz_kmem_cache_free(x.cache, cpu, x.p);
		/* With no empty slab kept its pages may be gone already. */
		pz_kmem_cache_free(x.cache, draw_cpu(p), x.p);
		if (w->b.found[0].fault == PZ_SLAB_NO_OBJECT)
			w->b.found[0].fault = PZ_SLAB_DOUBLE_FREE;
		break;
	default:
		pz_kmem_cache_free(x.cache, cpu, &w->b.total);
		break;
	}
	PROP_ASSERT(p, w->b.findings == 1 && w->b.found[0].fault == want[how]);
	PROP_ASSERT(p, w->b.bugs.count == 1);
	w->b.findings = 0;
	w->b.bugs.count = 0;
	return true;
}

/* --- all of it --- */

static bool finish(struct world *w, struct prop *p)
{
	for (uint32_t i = 0; i < w->lives; i++) {
		PROP_ASSERT(p, kept(&w->live[i]));
		pz_kfree(w->b.s, i % SB_CPUS, w->live[i].p);
	}
	w->lives = 0;
	if (!holds(w, p))
		return false;
	for (uint32_t i = 0; i < w->makers; i++)
		PROP_ASSERT(p, pz_kmem_cache_destroy(w->maker[i].cache, NULL, NULL) == 0);
	for (uint32_t i = 0; i < FAMILIES; i++)
		PROP_ASSERT(p, pz_kmalloc_destroy(w->family[i]) == 0);
	(void)pz_slab_grace_end(w->b.s, 0, w->ticket);
	(void)pz_slab_grace_end(w->b.s, 0, pz_slab_grace_begin(w->b.s));
	PROP_ASSERT(p, pz_slabs_check(w->b.s) == 0 && pz_slabs_destroy(w->b.s) == 0);
	while (w->ballasts)
		lighten(w);
	PROP_ASSERT(p, w->b.bugs.count == 0 && sb_stop(&w->b));
	return true;
}

static bool sequence(struct prop *p, void *ctx)
{
	static bool (*const op[])(struct world *, struct prop *) = {
		do_alloc,     do_alloc,	 do_bulk,    do_free,	  do_free,
		do_free_bulk, do_create, do_kmalloc, do_krealloc, do_give_back,
		do_misuse,    do_family, do_ballast, do_destroy,
	};
	const unsigned int ops = sizeof(op) / sizeof(*op);
	struct world *w = ctx;

	memset(w, 0, sizeof(*w));
	PROP_ASSERT(p, sb_lay_out(&w->b, NULL));
	w->b.cfg.no_merge = prop_choice(p, 3) == 2;
	w->b.cfg.min_align = prop_choice(p, 3) == 2 ? 16 : 0;
	if (prop_choice(p, 2))
		w->b.cfg.hooks.each_cpu = sb_each_cpu;
	PROP_ASSERT(p, pz_slabs_create(&w->b.s, &w->b.cfg) == 0);
	for (unsigned int i = 0, n = (unsigned int)prop_draw(p, OPS); i < n; i++) {
		/* Now and then many at once. */
		unsigned int which = prop_choice(p, ops), times = prop_choice(p, 16) == 15 ? 40 : 1;

		while (times-- > 0) {
			if (!op[which](w, p))
				return false;
		}
		if (!holds(w, p))
			return false;
	}
	return finish(w, p);
}

int main(void)
{
	prop_run("any sequence of calls agrees with a list of what is out", sequence, &world, 1200);
	return prop_done();
}
