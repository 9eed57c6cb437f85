/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc.c - memory of any size under any limit.
 *
 * Concept
 *  A family has a cache for each size class and set. What is larger than a class comes as a run of
 *  whole pages, of a power of two as a block that is aligned to its size; the owner table says so
 *  at its first page. A request with a limit of its own is served by a family that is bound to that
 *  limit or a narrower one, and by whole pages where there is none.
 *
 * Invariants
 *  1. memory satisfies the limits of the family, and those of the request;
 *  2. a class serves a request only if it is aligned as the family's minimum says.
 *
 * Failure
 *  A family is made as a whole or not at all.
 *
 * Shortcomings
 *  pz_kmalloc_limited() looks at the families one after the other.
 */
#include "../base/pz_string.h"
#include "slab_fast.h"

#define KMALLOC_SETS 3u /* ordinary, reclaimable, DMA */
#define KMALLOC_NAME 32u

struct pz_kmalloc {
	/* For the short way: the lines of the CPUs, and where in a CPU's that of a class is. */
	unsigned char *lines;
	uint32_t line_stride;
	uint32_t cpus;
	uint32_t line[KMALLOC_SETS][PZ_KMALLOC_CLASSES]; /* 0 for none */
	struct pz_kmem_cache *cache[KMALLOC_SETS][PZ_KMALLOC_CLASSES];
	struct pz_kmalloc *next;
	struct pz_slabs *s;
	struct pz_kmalloc_config cfg;
	struct pz_limits limits; /* of whole pages */
	struct pz_limits asked;
	uint32_t min_align;
};

static const uint16_t kmalloc_size[PZ_KMALLOC_CLASSES] = { 8,	16,  32,   64,	 96,   128, 192,
							   256, 512, 1024, 2048, 4096, 8192 };

/* The class of a size, by itself. */
static inline uint32_t kmalloc_class_of(uint64_t size)
{
	static const uint8_t small[24] = { 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4,
					   5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6 };

	if (size <= 192)
		return small[(size - 1) >> 3];
	return pz_fls64(size - 1); /* 256 bytes are class 7 */
}

/* A class that keeps a minimum alignment. */
static uint32_t kmalloc_aligned(uint32_t class, uint32_t min)
{
	while (class < PZ_KMALLOC_CLASSES && (kmalloc_size[class] & (min - 1)))
		class ++;
	return class;
}

static inline uint32_t kmalloc_set(const struct pz_kmalloc *k, uint32_t gfp)
{
	if (SLAB_UNLIKELY(gfp & (PZ_GFP_DMA | PZ_GFP_RECLAIMABLE))) {
		if (gfp & PZ_GFP_DMA)
			return 2;
		if (k->cfg.sets & PZ_KMALLOC_RECLAIM)
			return 1;
	}
	return 0;
}

struct pz_kmem_cache *pz_kmalloc_cache(const struct pz_kmalloc *k, uint32_t gfp, uint64_t size)
{
	if (!size || size > PZ_KMALLOC_CLASS_MAX)
		return NULL;
	return k->cache[kmalloc_set(k, gfp)][kmalloc_class_of(size)];
}

/* The name of a cache: "kmalloc-64", "kmalloc-rcl-1k", "dma-kmalloc-8". */
static void kmalloc_name(char *buf, const char *name, uint32_t set, uint32_t size)
{
	uint32_t n = 0, k = size >= 1024 ? size / 1024 : size, unit = 1;

	if (set == 2) {
		memcpy(buf, "dma-", 4);
		n = 4;
	}
	for (uint32_t i = 0; name[i] && i < KMALLOC_NAME; i++)
		buf[n++] = name[i];
	if (set == 1) {
		memcpy(buf + n, "-rcl", 4);
		n += 4;
	}
	buf[n++] = '-';
	while (unit * 10 <= k)
		unit *= 10;
	for (; unit; unit /= 10)
		buf[n++] = (char)('0' + pz_urem64(pz_udiv64(k, unit), 10));
	if (size >= 1024)
		buf[n++] = 'k';
	buf[n] = 0;
}

/* Make the cache of a class. */
static int kmalloc_make(struct pz_kmalloc *k, uint32_t set, uint32_t class, const char **why)
{
	char name[KMALLOC_NAME + 16];
	struct pz_kmem_cache_config c;
	struct pz_slab_layout lay;
	uint32_t size = kmalloc_size[class];

	memset(&c, 0, sizeof(c));
	kmalloc_name(name, k->cfg.name, set, size);
	c.name = name;
	c.size = size;
	c.align = size & (~size + 1);
	if (c.align < k->min_align)
		c.align = k->min_align;
	c.limits = k->asked;
	c.debug = k->cfg.debug;
	c.flags = PZ_SLAB_NO_MERGE;
	if (set == 1)
		c.flags |= PZ_SLAB_RECLAIMABLE;
	else if (set == 2)
		c.flags |= PZ_SLAB_CACHE_DMA;
	if (k->cfg.layout && k->cfg.layout(k->cfg.layout_ctx, set, size, &lay))
		c.layout = &lay;
	return pz_slab_cache_make(&k->cache[set][class], k->s, &c, set == 2, why);
}

/* Whether any managed page lies within limits: asked of the page allocator. */
static bool kmalloc_ever(const struct pz_slabs *s, const struct pz_limits *l)
{
	struct pz_limits mapped = slab_mapped(s);
	uint64_t pfn;
	int rc;

	if (pz_limits_narrow(&mapped, l, &mapped))
		return false;
	rc = pz_alloc_pages(s->cfg.pages, PZ_CPU_NONE, PZ_GFP_NOKEEP | PZ_GFP_MEMALLOC, 0, &mapped,
			    &pfn);
	if (!rc)
		pz_free_pages(s->cfg.pages, PZ_CPU_NONE, pfn, 0);
	return rc != -PZ_ERANGE;
}

static bool kmalloc_config_bad(const struct pz_kmalloc_config *cfg, const char **why)
{
	uint32_t n = 0;

	if (!cfg->slabs)
		*why = "a family without a set of caches";
	else if (cfg->sets & ~(PZ_KMALLOC_RECLAIM | PZ_KMALLOC_DMA))
		*why = "an unknown set";
	else if ((cfg->min_align & (cfg->min_align - 1)) || cfg->min_align > 4096)
		*why = "a minimum alignment that is no power of two up to 4096";
	else if (cfg->debug & ~PZ_SLAB_DEBUG_ALL)
		*why = "an unknown flag";
	else {
		while (cfg->name && n <= KMALLOC_NAME && cfg->name[n])
			n++;
		if (n <= KMALLOC_NAME)
			return false;
		*why = "a name of more than 32 bytes";
	}
	return true;
}

static int kmalloc_limits(struct pz_kmalloc *k, const char **why)
{
	struct pz_limits mapped = slab_mapped(k->s);

	k->asked = slab_asked(&k->cfg.limits);
	if (!pz_limits_valid(&k->asked)) {
		*why = "malformed limits";
		return -PZ_EINVAL;
	}
	if (k->asked.align > k->min_align)
		k->min_align = k->asked.align > 4096 ? 4096 : (uint32_t)k->asked.align;
	if (!pz_limits_narrow(&k->asked, &mapped, &k->limits))
		return 0;
	*why = "no mapped memory lies within the limits";
	return -PZ_ERANGE;
}

/* Make all caches of a family. */
static int kmalloc_fill(struct pz_kmalloc *k, const char **why)
{
	for (uint32_t set = 0; set < KMALLOC_SETS; set++) {
		uint64_t boundary = k->asked.boundary, dma = k->s->cfg.dma.boundary;

		if (set == 2 && dma && (!boundary || dma < boundary))
			boundary = dma;
		if ((set == 1 && !(k->cfg.sets & PZ_KMALLOC_RECLAIM)) ||
		    (set == 2 && !(k->cfg.sets & PZ_KMALLOC_DMA)))
			continue;
		for (uint32_t i = PZ_KMALLOC_CLASSES; i--;) {
			uint32_t at = kmalloc_aligned(i, k->min_align);
			int rc;

			/* What would cross the boundary comes as pages, or not at all. */
			if (at == PZ_KMALLOC_CLASSES || (boundary && kmalloc_size[at] > boundary))
				continue;
			rc = at == i ? kmalloc_make(k, set, i, why) : 0;
			if (rc)
				return rc;
			k->cache[set][i] = k->cache[set][at];
			k->line[set][i] = k->cache[set][i]->id * (uint32_t)sizeof(struct slab_head);
		}
	}
	return 0;
}

/* Give back the caches of a family, as far as they are there. -PZ_EBUSY: some are in use. */
static int kmalloc_empty(struct pz_kmalloc *k)
{
	int busy = 0;

	for (uint32_t set = 0; set < KMALLOC_SETS; set++) {
		for (uint32_t i = 0; i < PZ_KMALLOC_CLASSES; i++) {
			struct pz_kmem_cache *c = k->cache[set][i];

			if (!c)
				continue;
			for (uint32_t j = i; j < PZ_KMALLOC_CLASSES; j++) {
				if (k->cache[set][j] == c)
					k->cache[set][j] = NULL;
			}
			if (pz_kmem_cache_destroy(c, NULL, NULL)) {
				k->cache[set][i] = c;
				busy = -PZ_EBUSY;
			}
		}
	}
	return busy;
}

/* Whether objects of a family are out; what is fenced off is not. */
static bool kmalloc_busy(const struct pz_kmalloc *k)
{
	struct pz_kmem_cache_stat st;

	for (uint32_t set = 0; set < KMALLOC_SETS; set++) {
		for (uint32_t i = 0; i < PZ_KMALLOC_CLASSES; i++) {
			struct pz_kmem_cache *c = k->cache[set][i];
			uint64_t live = c ? pz_slab_cache_live(c) : 0;

			if (!live)
				continue;
			pz_kmem_cache_stat(c, &st);
			if (live > st.cached)
				return true;
		}
	}
	return false;
}

int pz_kmalloc_create(struct pz_kmalloc **out, const struct pz_kmalloc_config *cfg,
		      const char **why)
{
	const struct pz_meta *m;
	struct pz_kmalloc *k;
	const char *ignored;
	int rc;

	why = why ? why : &ignored;
	if (kmalloc_config_bad(cfg, why))
		return -PZ_EINVAL;
	m = cfg->slabs->cfg.meta;
	k = m->alloc(m->ctx, sizeof(*k));
	if (!k)
		return -PZ_ENOMEM;
	memset(k, 0, sizeof(*k));
	k->s = cfg->slabs;
	k->lines = (unsigned char *)k->s->heads;
	k->line_stride = k->s->head_stride;
	k->cpus = k->s->cfg.cpus;
	k->cfg = *cfg;
	if (!k->cfg.name)
		k->cfg.name = "kmalloc";
	k->min_align = cfg->min_align ? cfg->min_align : 8;
	if (k->min_align < k->s->cfg.min_align)
		k->min_align = k->s->cfg.min_align;
	if (!(cfg->sets & PZ_KMALLOC_DMA))
		k->cfg.dma_if_managed = false;
	if (k->cfg.dma_if_managed && !kmalloc_ever(k->s, &k->s->cfg.dma))
		k->cfg.sets &= ~PZ_KMALLOC_DMA;
	rc = kmalloc_limits(k, why);
	if (!rc)
		rc = kmalloc_fill(k, why);
	if (rc) {
		(void)kmalloc_empty(k);
		m->free(m->ctx, k, sizeof(*k));
		return rc;
	}
	k->cfg.name = NULL; /* the caller's */
	k->next = k->s->families;
	__atomic_store_n(&k->s->families, k, __ATOMIC_SEQ_CST);
	*out = k;
	return 0;
}

int pz_kmalloc_destroy(struct pz_kmalloc *k)
{
	const struct pz_meta *m;
	struct pz_kmalloc **at;

	if (!k)
		return 0;
	m = k->s->cfg.meta;
	for (at = &k->s->families; *at != k; at = &(*at)->next)
		;
	/* From here on pz_kmalloc_limited() finds it no more. */
	__atomic_store_n(at, k->next, __ATOMIC_SEQ_CST);
	pz_slab_wait(k->s);
	if (kmalloc_busy(k)) {
		__atomic_store_n(at, k, __ATOMIC_SEQ_CST);
		return -PZ_EBUSY;
	}
	(void)kmalloc_empty(k);
	m->free(m->ctx, k, sizeof(*k));
	return 0;
}

/* Whole pages. */
static int kmalloc_pages(struct pz_slabs *s, uint32_t cpu, uint32_t gfp, uint64_t size,
			 const struct pz_limits *limits, int32_t nid, void **p)
{
	uint64_t page = (uint64_t)1 << s->cfg.page_shift, pages, pfn;
	uint32_t page_gfp = gfp & PZ_GFP_ALL & ~(PZ_GFP_MOVABLE | PZ_GFP_ZERO);
	struct pz_page_req req;
	int rc;

	if (size > UINT64_MAX - page)
		return -PZ_ERANGE;
	pages = (size + page - 1) >> s->cfg.page_shift;
	if (pages > UINT32_MAX)
		return -PZ_ERANGE;
	pz_page_req_init(s->cfg.pages, &req, 0, page_gfp, cpu);
	req.pages = pages;
	req.nid = nid;
	req.limits = *limits;
	if (pz_is_pow2(size) && req.limits.align < size)
		req.limits.align = size;
	else if (req.limits.align < page)
		req.limits.align = page;
	/* What begins at a page crosses no boundary in it that it is not larger than. */
	if (req.limits.boundary < page && size <= req.limits.boundary)
		req.limits.boundary = 0;
	rc = pz_page_request(s->cfg.pages, &req, &pfn);
	if (rc == -PZ_ENOMEM && pz_slab_reclaim(s, cpu, limits, gfp & PZ_GFP_BLOCK))
		rc = pz_page_request(s->cfg.pages, &req, &pfn);
	if (rc)
		return rc;
	pz_poke64(slab_owner_at(s, pfn << s->cfg.page_shift),
		  (uint64_t)SLAB_LARGE << SLAB_OWNER_ID_SHIFT | pages);
	pz_count64(&s->large, 1);
	pz_count64(&s->large_pages, pages);
	*p = (void *)(s->delta + (uintptr_t)(pfn << s->cfg.page_shift));
	if (gfp & PZ_GFP_ZERO)
		memset(*p, 0, (size_t)(pages << s->cfg.page_shift));
	return 0;
}

static int kmalloc_refuse(const struct pz_slabs *s, const char *where, const char *flag)
{
	pz_bug(s->cfg.bugs, where, "%s asked where there is no set for it", flag);
	return -PZ_EINVAL;
}

int pz_kmalloc_try(struct pz_kmalloc *k, uint32_t cpu, uint32_t gfp, uint64_t size, uint64_t align,
		   int32_t nid, void **p)
{
	struct pz_kmem_cache *c = NULL;
	struct pz_limits l;
	int rc;

	if (!align || (align & (align - 1)))
		return -PZ_EINVAL;
	if (gfp & (PZ_GFP_DMA32 | PZ_GFP_HIGHMEM))
		return kmalloc_refuse(k->s, "pz_kmalloc",
				      gfp & PZ_GFP_DMA32 ? "PZ_GFP_DMA32" : "PZ_GFP_HIGHMEM");
	if ((gfp & PZ_GFP_DMA) && !(k->cfg.sets & PZ_KMALLOC_DMA)) {
		if (k->cfg.dma_if_managed)
			return -PZ_ERANGE;
		return kmalloc_refuse(k->s, "pz_kmalloc", "PZ_GFP_DMA");
	}
	if (!size) {
		*p = PZ_ZERO_SIZE_PTR;
		return 0;
	}
	if (size <= PZ_KMALLOC_CLASS_MAX && align <= PZ_KMALLOC_CLASS_MAX) {
		uint32_t i = kmalloc_class_of(size), set = kmalloc_set(k, gfp);

		while (i < PZ_KMALLOC_CLASSES &&
		       (kmalloc_size[i] & (align - 1) || !k->cache[set][i]))
			i++;
		c = i < PZ_KMALLOC_CLASSES ? k->cache[set][i] : NULL;
	}
	if (c)
		return pz_slab_alloc_why(c, cpu, gfp & ~PZ_GFP_RECLAIMABLE, nid,
					 (uintptr_t)__builtin_return_address(0), p);
	if (k->s->delta & (uintptr_t)(align - 1)) /* no address is so aligned */
		return -PZ_ERANGE;
	l = k->limits;
	if (l.align < align)
		l.align = align;
	rc = gfp & PZ_GFP_DMA ? pz_limits_narrow(&l, &k->s->cfg.dma, &l) : 0;
	return rc ? rc : kmalloc_pages(k->s, cpu, gfp, size, &l, nid, p);
}

/* Apart, so that the short way needs no frame. */
static __attribute__((noinline)) void *kmalloc_long(struct pz_kmalloc *k, uint32_t cpu,
						    uint32_t gfp, uint64_t size)
{
	void *p;

	return pz_kmalloc_try(k, cpu, gfp, size, 1, PZ_NID_NONE, &p) ? NULL : p;
}

void *pz_kmalloc(struct pz_kmalloc *k, uint32_t cpu, uint32_t gfp, uint64_t size)
{
	if (SLAB_LIKELY(size - 1 < PZ_KMALLOC_CLASS_MAX && cpu < k->cpus)) {
		uint32_t class = kmalloc_class_of(size), line = k->line[0][class];
		struct slab_head *h;

		if (SLAB_UNLIKELY(gfp & (PZ_GFP_DMA | PZ_GFP_RECLAIMABLE)))
			line = k->line[kmalloc_set(k, gfp)][class];
		h = (struct slab_head *)(void *)(k->lines + line + (size_t)cpu * k->line_stride);
		if (SLAB_LIKELY(line && !(gfp & h->refused))) {
			void *p = slab_alloc_fast(h);

			if (SLAB_LIKELY(p))
				return p;
		}
	}
	return kmalloc_long(k, cpu, gfp, size);
}

/* The family that has most of what the limits allow, the newest of those. */
static struct pz_kmalloc *kmalloc_within(const struct pz_slabs *s, const struct pz_limits *l)
{
	struct pz_kmalloc *k = __atomic_load_n(&s->families, __ATOMIC_SEQ_CST), *best = NULL;

	for (; k; k = __atomic_load_n(&k->next, __ATOMIC_SEQ_CST)) {
		const struct pz_limits *a = &k->limits;

		if (a->min_addr < l->min_addr || a->max_addr > l->max_addr ||
		    (l->boundary && (!a->boundary || a->boundary > l->boundary)))
			continue;
		if (!best ||
		    a->max_addr - a->min_addr > best->limits.max_addr - best->limits.min_addr)
			best = k;
	}
	return best;
}

int pz_kmalloc_limited(struct pz_slabs *s, uint32_t cpu, uint32_t gfp, uint64_t size,
		       const struct pz_limits *limits, void **p)
{
	struct pz_limits l = slab_mapped(s);
	struct pz_kmalloc *k;
	int rc = -PZ_ENOMEM;

	if (gfp & (PZ_GFP_DMA | PZ_GFP_DMA32 | PZ_GFP_HIGHMEM))
		return kmalloc_refuse(s, "pz_kmalloc_limited", "a zone flag");
	if (!pz_limits_valid(limits))
		return -PZ_EINVAL;
	if (!size) {
		*p = PZ_ZERO_SIZE_PTR;
		return 0;
	}
	if (pz_limits_narrow(&l, limits, &l))
		return -PZ_ERANGE;
	(void)pz_add32(&s->walkers, 1);
	k = kmalloc_within(s, &l);
	if (k)
		rc = pz_kmalloc_try(k, cpu, gfp, size, limits->align, PZ_NID_NONE, p);
	(void)pz_add32(&s->walkers, UINT32_MAX);
	/* What the family has not may be elsewhere within the limits. */
	if (k && rc != -PZ_ENOMEM && rc != -PZ_ERANGE)
		return rc;
	return kmalloc_pages(s, cpu, gfp, size, &l, PZ_NID_NONE, p);
}

/* Free whole pages; false when the address is not their start. */
static bool kmalloc_free_pages(struct pz_slabs *s, uint32_t cpu, uint64_t owner, uintptr_t p)
{
	uint64_t phys = slab_phys(s, p), pfn = phys >> s->cfg.page_shift, pages = (uint32_t)owner;

	if (phys & (((uint64_t)1 << s->cfg.page_shift) - 1))
		return false;
	/* Whoever clears the word frees: a second free at the same time finds nothing. */
	if (!pz_cas64(slab_owner_at(s, phys), owner, 0))
		return false;
	pz_count64(&s->large, (uint64_t)0 - 1);
	pz_count64(&s->large_pages, (uint64_t)0 - pages);
	pz_free_exact(s->cfg.pages, cpu, pfn, pages);
	return true;
}

void pz_kfree(struct pz_slabs *s, uint32_t cpu, void *p)
{
	uintptr_t at = (uintptr_t)p - s->origin;
	uint64_t owner = slab_owner_behind(s, at);
	uint32_t id = slab_owner_id(owner);

	if (SLAB_LIKELY(id - 1 < SLAB_LARGE - 1 && cpu < s->cfg.cpus)) {
		unsigned char *line = (unsigned char *)(s->heads + id);
		struct slab_head *h =
			(struct slab_head *)(void *)(line + (size_t)cpu * s->head_stride);

		if (SLAB_LIKELY(slab_free_fast(h, owner, at, p)))
			return;
	}
	if (!p || p == PZ_ZERO_SIZE_PTR)
		return;
	if (id == SLAB_LARGE) {
		if (!kmalloc_free_pages(s, cpu, owner, (uintptr_t)p))
			pz_slab_found(s, "pz_kfree", PZ_SLAB_BAD_POINTER, NULL, NULL, NULL, p);
		return;
	}
	pz_slab_free_long(NULL, s, cpu, p, (uintptr_t)__builtin_return_address(0));
}

uint64_t pz_ksize(const struct pz_slabs *s, const void *p)
{
	struct pz_slab_info f;

	if (!p || p == PZ_ZERO_SIZE_PTR)
		return 0;
	pz_slab_info(s, p, &f);
	if (f.kind != PZ_SLAB_OBJECT && f.kind != PZ_SLAB_LARGE)
		return 0;
	return f.object == p && !f.free ? f.size : 0;
}

/* Whether memory is where a request of a family may be served. */
static bool kmalloc_fits(const struct pz_kmalloc *k, uint32_t gfp, const void *p, uint64_t size)
{
	uint32_t zones = gfp & (PZ_GFP_DMA | PZ_GFP_DMA32 | PZ_GFP_HIGHMEM);
	struct pz_range r = { pz_slab_phys(k->s, p), 0 };
	struct pz_limits l = k->limits;

	if (zones && (zones != PZ_GFP_DMA || !(k->cfg.sets & PZ_KMALLOC_DMA) ||
		      pz_limits_narrow(&l, &k->s->cfg.dma, &l)))
		return false;
	r.last = r.first + size - 1;
	return pz_limits_check(&l, r) && !((uintptr_t)p & (k->min_align - 1));
}

void *pz_krealloc(struct pz_kmalloc *k, uint32_t cpu, uint32_t gfp, void *p, uint64_t size)
{
	struct pz_kmem_cache *own;
	uint64_t old;
	bool stays;
	void *to;

	if (!p || p == PZ_ZERO_SIZE_PTR)
		return pz_kmalloc(k, cpu, gfp, size);
	if (!size) {
		pz_kfree(k->s, cpu, p);
		return PZ_ZERO_SIZE_PTR;
	}
	old = pz_ksize(k->s, p);
	own = pz_slab_owner(k->s, p);
	if (!old || (own && pz_slab_in_magazine(own, p))) {
		pz_slab_found(k->s, "pz_krealloc", old ? PZ_SLAB_DOUBLE_FREE : PZ_SLAB_NO_OBJECT,
			      own, NULL, NULL, p);
		return NULL;
	}
	stays = size <= old && kmalloc_fits(k, gfp, p, old);
	if (stays && (old <= PZ_KMALLOC_CLASS_MAX || size > old / 2))
		return p;
	to = pz_kmalloc(k, cpu, gfp, size);
	if (!to)
		return stays ? p : NULL;
	memcpy(to, p, (size_t)(size < old ? size : old));
	pz_kfree(k->s, cpu, p);
	return to;
}
