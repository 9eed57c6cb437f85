/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.c - providers of tables: the request, and what is alike for all allocators.
 *
 * Concept
 *  A provider is a record that begins alike, with a table of functions for its allocator. A request
 *  is looked at here: its size, and flags that make no sense for a table. Small tables are the
 *  allocator's; larger ones, the first levels, are few, and whole pages unless it has something
 *  better.
 *
 * Invariants: 1. a table lies within the limits of its provider, aligned to its size, small ones to
 * PZ_TABLE_SMALL; 2. the metadata hook is called where a provider is made and destroyed alone.
 *
 * Failure
 *  The allocator's, as it says it. Nothing is held for a table that could not be had.
 *
 * Shortcomings
 *  A larger table takes at least a page.
 */
#include "mem_internal.h"

#define MEM_ZONES (PZ_GFP_DMA | PZ_GFP_DMA32 | PZ_GFP_HIGHMEM)
/* What says nothing about a table: it stays where it is, and whoever wants it zeroed does so. */
#define MEM_IDLE (PZ_GFP_MOVABLE | PZ_GFP_RECLAIMABLE | PZ_GFP_ZERO | PZ_GFP_OWNER(0xff))

int pz_mem_wrong(const char **why, int rc, const char *what)
{
	if (why)
		*why = what;
	return rc;
}

/* --- requests --- */

static int mem_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct pz_table_source *s = ctx;
	int rc;

	if (!pz_is_pow2(bytes) || bytes > PZ_TABLE_MOST)
		return -PZ_EINVAL;
	if (gfp & MEM_ZONES) {
		pz_bug(s->cfg.bugs, "pz_table_mem", "zone flags %#x: the limits say where",
		       gfp & MEM_ZONES);
		return -PZ_EINVAL;
	}
	gfp &= ~MEM_IDLE;
	if (bytes <= PZ_TABLE_SMALL)
		return s->ops->small(s, cpu, gfp, out);
	if (s->boundary && bytes > s->boundary)
		return -PZ_ERANGE;
	rc = s->ops->large(s, cpu, gfp, bytes, out);
	if (!rc)
		pz_count64(&s->large, 1);
	return rc;
}

static void mem_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct pz_table_source *s = ctx;

	if (bytes <= PZ_TABLE_SMALL) {
		s->ops->small_back(s, cpu, t);
		return;
	}
	if (s->ops->large_back(s, cpu, bytes, t))
		pz_count64(&s->large, UINT64_MAX);
}

/* --- pages --- */

int pz_mem_pages(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, unsigned int order,
		 uint64_t *addr)
{
	uint64_t pfn;
	int rc = pz_alloc_pages(s->cfg.pages, cpu, gfp, order, &s->cfg.limits, &pfn);

	if (!rc)
		*addr = pfn << s->page_shift;
	return rc;
}

void pz_mem_pages_back(struct pz_table_source *s, uint32_t cpu, unsigned int order, uint64_t addr)
{
	pz_free_pages(s->cfg.pages, cpu, addr >> s->page_shift, order);
}

int pz_mem_large(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, uint32_t bytes,
		 struct pz_table *out)
{
	unsigned int order = mem_order(s, bytes);
	int rc = pz_mem_pages(s, cpu, gfp, order, &out->addr);

	if (rc)
		return rc;
	out->cpu_addr = mem_virt(s, out->addr);
	pz_count64(&s->large_bytes, (uint64_t)1 << (s->page_shift + order));
	return 0;
}

bool pz_mem_large_back(struct pz_table_source *s, uint32_t cpu, uint32_t bytes,
		       const struct pz_table *t)
{
	unsigned int order = mem_order(s, bytes);

	pz_mem_pages_back(s, cpu, order, t->addr);
	pz_count64(&s->large_bytes, 0 - ((uint64_t)1 << (s->page_shift + order)));
	return true;
}

/* --- making a provider --- */

static const char *mem_limits_wrong(const struct pz_limits *l)
{
	if (!pz_limits_valid(l))
		return "the limits are malformed";
	if (l->align > PZ_TABLE_SMALL)
		return "the limits want more alignment than a table of 1 KiB has";
	if (l->boundary && l->boundary < PZ_TABLE_SMALL)
		return "a table of 1 KiB would cross the boundary";
	return NULL;
}

int pz_mem_make_bare(struct pz_table_source **out, const struct pz_table_source_config *cfg,
		     const struct mem_ops *ops, size_t bytes, const char **why)
{
	const char *wrong = mem_limits_wrong(&cfg->limits);
	struct pz_table_source *s;

	if (wrong)
		return pz_mem_wrong(why, -PZ_EINVAL, wrong);
	if (!cfg->meta || !cfg->meta->alloc || !cfg->meta->free)
		return pz_mem_wrong(why, -PZ_EINVAL, "there is no metadata hook");
	if (mem_tables(cfg) > (uint32_t)1 << 24)
		return pz_mem_wrong(why, -PZ_EINVAL, "more than 2^24 tables");
	s = cfg->meta->alloc(cfg->meta->ctx, bytes);
	if (!s)
		return -PZ_ENOMEM;
	memset(s, 0, bytes);
	s->mem.alloc = mem_alloc;
	s->mem.free = mem_free;
	s->mem.ctx = s;
	s->ops = ops;
	s->cfg = *cfg;
	s->boundary = cfg->limits.boundary;
	/* Held by each table's own alignment. */
	s->cfg.limits.align = 1;
	s->cfg.limits.boundary = 0;
	s->bytes = bytes;
	*out = s;
	return 0;
}

/* Whether there is memory within the limits that the CPU sees; the limits are cut to it. */
static int mem_place(struct pz_limits *l, const struct pz_table_source_config *cfg,
		     const char **why)
{
	struct pz_limits seen = PZ_LIMITS_ANY;
	uint64_t page = (uint64_t)1 << pz_page_shift(cfg->pages);
	struct pz_page_req req;

	if (cfg->mapped.first > cfg->mapped.last || !cfg->virt ||
	    (cfg->mapped.first | (cfg->mapped.last + 1)) & (page - 1))
		return pz_mem_wrong(why, -PZ_EINVAL, "what is mapped is no whole pages");
	seen.min_addr = cfg->mapped.first;
	seen.max_addr = cfg->mapped.last;
	pz_page_req_init(cfg->pages, &req, 0, 0, PZ_CPU_NONE);
	if (pz_limits_narrow(l, &seen, l) || pz_limits_narrow(&req.limits, l, &req.limits) ||
	    pz_page_ever(cfg->pages, &req))
		return pz_mem_wrong(why, -PZ_ERANGE, "no memory lies within the limits");
	return 0;
}

int pz_mem_make(struct pz_table_source **out, const struct pz_table_source_config *cfg,
		const struct mem_ops *ops, size_t bytes, const char **why)
{
	struct pz_table_source *s;
	int rc;

	if (!cfg->pages)
		return pz_mem_wrong(why, -PZ_EINVAL, "there is no page allocator");
	rc = pz_mem_make_bare(&s, cfg, ops, bytes, why);
	if (rc)
		return rc;
	s->page_shift = pz_page_shift(cfg->pages);
	rc = mem_place(&s->cfg.limits, cfg, why);
	if (rc)
		pz_mem_drop(s);
	else
		*out = s;
	return rc;
}

void pz_mem_drop(struct pz_table_source *s)
{
	const struct pz_meta *meta = s->cfg.meta;

	meta->free(meta->ctx, s, s->bytes);
}

/* --- what the user sees --- */

int pz_table_source_destroy(struct pz_table_source *s)
{
	struct pz_table_stat now;
	int rc = 0;

	if (!s)
		return 0;
	pz_table_source_stat(s, &now);
	if (now.small || now.large)
		rc = -PZ_EBUSY;
	else if (s->ops->close)
		rc = s->ops->close(s);
	if (rc)
		pz_bug(s->cfg.bugs, "pz_table_source_destroy",
		       "%llu tables of 1 KiB are out, and %llu larger ones",
		       (unsigned long long)now.small, (unsigned long long)now.large);
	else
		pz_mem_drop(s);
	return rc;
}

const struct pz_table_mem *pz_table_source_mem(const struct pz_table_source *s)
{
	return &s->mem;
}

uint64_t pz_table_source_trim(struct pz_table_source *s, uint32_t cpu)
{
	return s->ops->trim ? s->ops->trim(s, cpu) : 0;
}

void pz_table_source_stat(const struct pz_table_source *s, struct pz_table_stat *out)
{
	memset(out, 0, sizeof(*out));
	s->ops->stat(s, out);
	out->large = pz_load64(&s->large);
	out->held += pz_load64(&s->large_bytes);
	out->meta_bytes = s->bytes;
}

int pz_table_source_check(const struct pz_table_source *s)
{
	return s->ops->check ? s->ops->check(s) : 0;
}
