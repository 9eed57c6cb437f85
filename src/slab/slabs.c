/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabs.c - the caches of one machine: what they share, and how memory comes back from them.
 *
 * Concept
 *  A table has one word for each mapped page: which cache owns it, how large its slab is, and the
 *  number of the slab. It is read at each free, and stands in memory that is touched only where
 *  slabs are. The lines of the CPUs stand in one array, so that the number of a cache and the index
 *  of a CPU say where a line is without a load.
 *
 * Failure
 *  What is taken is given back when a later step fails.
 *
 * Shortcomings
 *  The table spans the mapped range, holes included. With more than SLAB_NODES nodes the others
 *  share the first one's lists.
 */
#include "../base/pz_string.h"
#include "slab_internal.h"

static bool slabs_config_bad(const struct pz_slabs_config *cfg)
{
	uint64_t page = (uint64_t)1 << (cfg->page_shift & 63);

	return !cfg->pages || !cfg->zones || !cfg->meta || !cfg->meta->alloc || !cfg->meta->free ||
	       cfg->page_shift < 12 || cfg->page_shift > 16 || !cfg->cpus ||
	       cfg->cpus > PZ_PAGE_MAX_CPUS || cfg->max_caches > PZ_SLAB_MAX_CACHES ||
	       cfg->mapped.first > cfg->mapped.last || (cfg->mapped.first & (page - 1)) ||
	       (cfg->mapped.last & (page - 1)) != page - 1 ||
	       ((uintptr_t)cfg->virt & (uintptr_t)(page - 1)) ||
	       (!cfg->virt && cfg->mapped.last - cfg->mapped.first < page) ||
	       cfg->mapped.last - cfg->mapped.first > UINTPTR_MAX - (uintptr_t)cfg->virt ||
	       (cfg->cache_line & (cfg->cache_line - 1)) ||
	       (cfg->min_align & (cfg->min_align - 1)) || cfg->min_align > page ||
	       (cfg->zeroed && (!cfg->zeroed->alloc || !cfg->zeroed->free));
}

static void *slabs_zeroed(const struct pz_slabs *s, uint64_t bytes)
{
	const struct pz_meta *m = s->cfg.zeroed ? s->cfg.zeroed : s->cfg.meta;
	void *v;

	if (bytes > SIZE_MAX)
		return NULL;
	v = m->alloc(m->ctx, (size_t)bytes);
	if (v && !s->cfg.zeroed)
		memset(v, 0, (size_t)bytes);
	return v;
}

static void slabs_give(const struct pz_slabs *s, void *v, uint64_t bytes)
{
	const struct pz_meta *m = s->cfg.zeroed ? s->cfg.zeroed : s->cfg.meta;

	if (v)
		m->free(m->ctx, v, (size_t)bytes);
}

static uint64_t slabs_head_bytes(const struct pz_slabs *s)
{
	return (uint64_t)s->cfg.cpus * s->head_stride + 64;
}

static void slabs_drop(struct pz_slabs *s)
{
	const struct pz_meta *m = s->cfg.meta;

	slabs_give(s, s->owner, s->grains * sizeof(*s->owner));
	slabs_give(s, s->heads_raw, slabs_head_bytes(s));
	slabs_give(s, s->cache, s->max_caches * sizeof(*s->cache));
	slabs_give(s, s->chunk, (uint64_t)s->max_chunks * sizeof(*s->chunk));
	m->free(m->ctx, s, sizeof(*s));
}

static void slabs_nodes(struct pz_slabs *s)
{
	const struct pz_zones *z = s->cfg.zones;

	for (uint32_t i = 0; i < z->node_count && s->nodes < SLAB_NODES; i++)
		s->nid[s->nodes++] = z->node[i].nid;
	if (!s->nodes)
		s->nodes = 1;
}

static int slabs_faults(struct pz_slabs *s)
{
	struct pz_faults *f = s->cfg.faults;
	uint32_t missing, id;
	int rc;

	s->fault_alloc = s->fault_page = UINT32_MAX - 1;
	if (!f)
		return 0;
	/* Both or none: points are never taken back. */
	missing = (pz_fault_find(f, "slab.alloc", &id) != 0) +
		  (pz_fault_find(f, "slab.page", &id) != 0);
	if (f->cap - f->count < missing)
		return -PZ_ENOSPC;
	rc = pz_fault_add(s->cfg.faults, "slab.alloc", &s->fault_alloc);
	if (rc == -PZ_EEXIST) /* another set of the same machine */
		rc = pz_fault_find(s->cfg.faults, "slab.alloc", &s->fault_alloc);
	if (!rc)
		rc = pz_fault_add(s->cfg.faults, "slab.page", &s->fault_page);
	if (rc == -PZ_EEXIST)
		rc = pz_fault_find(s->cfg.faults, "slab.page", &s->fault_page);
	return rc;
}

static void slabs_defaults(struct pz_slabs_config *cfg)
{
	uintptr_t page = (uintptr_t)1 << cfg->page_shift;

	/* An object at address 0 would be none, and PZ_ZERO_SIZE_PTR an object. */
	if (!cfg->virt) {
		cfg->virt = (void *)page;
		cfg->mapped.first += page;
	}
	if (!cfg->max_caches)
		cfg->max_caches = 256;
	if (!cfg->cache_line)
		cfg->cache_line = 64;
	if (!pz_limits_valid(&cfg->dma))
		cfg->dma = PZ_LIMITS_BITS(24);
	if (!pz_limits_valid(&cfg->dma32))
		cfg->dma32 = PZ_LIMITS_BITS(32);
}

int pz_slabs_create(struct pz_slabs **out, const struct pz_slabs_config *cfg)
{
	struct pz_slabs *s;
	uint64_t chunks, first, pages, most;
	int rc;

	if (slabs_config_bad(cfg))
		return -PZ_EINVAL;
	s = cfg->meta->alloc(cfg->meta->ctx, sizeof(*s));
	if (!s)
		return -PZ_ENOMEM;
	memset(s, 0, sizeof(*s));
	s->cfg = *cfg;
	slabs_defaults(&s->cfg);
	cfg = &s->cfg;
	s->max_caches = s->cfg.max_caches + 1;
	s->head_stride = s->max_caches * (uint32_t)sizeof(struct slab_head);
	/* From the start of the largest slab that could hold the first page. */
	first = pz_round_down(cfg->mapped.first,
			      (uint64_t)1 << (cfg->page_shift + PZ_SLAB_MAX_ORDER));
	s->grains = ((cfg->mapped.last - first) >> SLAB_GRAIN_SHIFT) + 1;
	s->delta = (uintptr_t)cfg->virt - (uintptr_t)cfg->mapped.first;
	s->origin = s->delta + (uintptr_t)first;
	pages = ((cfg->mapped.last - cfg->mapped.first) >> cfg->page_shift) + 1;
	s->unit_shift = cfg->page_shift - SLAB_DESC_SHIFT;
	/* Descriptors of each class may have served all of memory once, and stay. A slab of up to
	 * 63 objects is a page at least and takes 64 bytes, one of more at least one page for 8
	 * bytes each: that is less than a page of descriptors for 4 pages, whatever their size. */
	chunks = pages / 4 + 2 * SLAB_DESC_CLASSES;
	most = (uint64_t)1 << (31 - s->unit_shift);
	s->max_chunks = (uint32_t)(chunks < most ? chunks : most);
	s->ticket = 1;
	slabs_nodes(s);
	s->owner = slabs_zeroed(s, s->grains * sizeof(*s->owner));
	s->heads_raw = slabs_zeroed(s, slabs_head_bytes(s));
	s->cache = slabs_zeroed(s, s->max_caches * sizeof(struct pz_kmem_cache *));
	s->chunk = slabs_zeroed(s, (uint64_t)s->max_chunks * sizeof(*s->chunk));
	rc = s->owner && s->heads_raw && s->cache && s->chunk ? slabs_faults(s) : -PZ_ENOMEM;
	if (rc) {
		slabs_drop(s);
		return rc;
	}
	s->heads = (struct slab_head *)(((uintptr_t)s->heads_raw + 63) & ~(uintptr_t)63);
	*out = s;
	return 0;
}

int pz_slabs_destroy(struct pz_slabs *s)
{
	if (!s)
		return 0;
	if (pz_slabs_each(s, NULL) || s->families || s->large || (uint32_t)s->waiting.head)
		return -PZ_EBUSY;
	pz_slab_desc_drop(s);
	slabs_drop(s);
	return 0;
}

/* The cache of a number, for who goes through all of them. */
static struct pz_kmem_cache *slabs_cache(const struct pz_slabs *s, uint32_t id)
{
	return __atomic_load_n(&s->cache[id], __ATOMIC_SEQ_CST);
}

/* Pages that went back at once. */
static uint64_t slabs_drain(struct pz_slabs *s, uint32_t cpu)
{
	uint64_t pages = 0, n;

	if (cpu >= s->cfg.cpus)
		return 0;
	(void)pz_add32(&s->walkers, 1);
	for (uint32_t i = 1; i < s->max_caches; i++) {
		struct pz_kmem_cache *c = slabs_cache(s, i);

		if (!c)
			continue;
		n = pz_slab_flush(c, cpu);
		pages += c->flags & PZ_SLAB_RCU ? 0 : n;
	}
	(void)pz_add32(&s->walkers, UINT32_MAX);
	return pages;
}

void pz_slab_drain(struct pz_slabs *s, uint32_t cpu)
{
	(void)slabs_drain(s, cpu);
}

/* What each CPU does, perhaps at once, and the pages of all. */
struct slabs_drained {
	struct pz_slabs *s;
	uint64_t pages;
};

static void slabs_drain_cpu(void *arg, uint32_t cpu)
{
	struct slabs_drained *all = arg;

	pz_count64(&all->pages, slabs_drain(all->s, cpu));
}

uint64_t pz_kmem_cache_shrink(struct pz_kmem_cache *c, uint32_t cpu)
{
	uint64_t pages = cpu < c->cpus ? pz_slab_flush(c, cpu) : 0;

	return pages + pz_slab_trim(c, cpu);
}

static bool slabs_has_empty(const struct pz_kmem_cache *c)
{
	for (uint32_t i = 0; i < c->s->nodes; i++) {
		if (pz_peek32(&c->node[i].empty))
			return true;
	}
	return false;
}

uint64_t pz_slab_reclaim(struct pz_slabs *s, uint32_t cpu, const struct pz_limits *limits,
			 bool block)
{
	struct slabs_drained all = { s, 0 };
	uint64_t pages;

	if (block && s->cfg.hooks.each_cpu)
		s->cfg.hooks.each_cpu(s->cfg.hooks.ctx, slabs_drain_cpu, &all);
	else
		slabs_drain_cpu(&all, cpu);
	pages = pz_load64(&all.pages);
	(void)pz_add32(&s->walkers, 1);
	for (uint32_t i = 1; i < s->max_caches; i++) {
		struct pz_kmem_cache *c = slabs_cache(s, i);

		if (!c || !slabs_has_empty(c) || (c->flags & PZ_SLAB_RCU))
			continue;
		if (limits && (c->limits.max_addr < limits->min_addr ||
			       c->limits.min_addr > limits->max_addr))
			continue;
		pages += pz_slab_trim(c, cpu);
	}
	(void)pz_add32(&s->walkers, UINT32_MAX);
	return pages;
}

uint64_t pz_slab_grace_begin(struct pz_slabs *s)
{
	uint64_t ticket;

	if (!(uint32_t)pz_load64(&s->waiting.head))
		return 0;
	ticket = pz_load64(&s->ticket);
	pz_store64(&s->ticket, ticket + 1);
	return ticket;
}

uint64_t pz_slab_grace_end(struct pz_slabs *s, uint32_t cpu, uint64_t ticket)
{
	struct slab *d = ticket ? pz_slab_pop_all(s, &s->waiting) : NULL, *next;
	uint64_t pages = 0;

	for (; d; d = next) {
		uint32_t k = pz_peek32(&d->wait);

		next = k ? slab_of(s, k - 1) : NULL;
		if (d->ticket <= ticket)
			pages += pz_slab_pages_back(s, cpu, d);
		else
			pz_slab_push(s, &s->waiting, d, d);
	}
	return pages;
}
