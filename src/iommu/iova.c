/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.c - addresses for devices behind an IOMMU.
 *
 * Concept
 *  A space of addresses is a set of frames under limits, and those are served by the page allocator
 *  already: any length, alignment and highest address, exactly, with hints for each CPU. So a space
 *  is a page allocator of its own. Its frames are the granules; its one zone has no watermarks, and
 *  nothing is kept. There is no memory behind the frames, and nobody asks for any.
 *
 * Invariants
 *  Those of src/page/.
 *
 * Failure
 *  Everything is asked for before anything is given out.
 *
 * Shortcomings
 *  The allocator's tree covers the whole space, so a space of 48 bits is too large to have. Runs
 *  whose length is no power of two are searched for anew each time, which takes 300 ns, not 30.
 */
#include <physzone/iova.h>
#include <physzone/page.h>

#include "../base/bits.h"
#include "../base/pz_string.h"

struct pz_iova {
	struct pz_pages *pages;
	uint32_t shift;
	uint64_t first, last; /* addresses */
	uint64_t total;	      /* granules */
	struct pz_bugs *bugs; /* the caller's */
	struct pz_bugs told;  /* the allocator's */
	struct pz_memblock mb;
	struct pz_zones zones;
	const struct pz_meta *meta;
};

/* The allocator speaks of pages; the caller knows addresses. */
static void iova_report(void *ctx, const char *text)
{
	const struct pz_iova *v = ctx;

	pz_bug(v->bugs, "pz_iova_free", "granules of %#llx bytes, told as pages: %s",
	       1ull << v->shift, text);
}

/* The whole granules of the space. */
static bool iova_space(const struct pz_iova_config *cfg, struct pz_range *g)
{
	if (!pz_range_valid(cfg->space) || !pz_range_trim(cfg->space, cfg->shift, g))
		return false;
	if (!g->first && !cfg->zero)
		g->first = 1;
	return g->first <= g->last;
}

/* The whole granules of the space that a range touches; false for none. */
static bool iova_cover(const struct pz_iova *v, struct pz_range *r)
{
	r->first = pz_round_down(r->first, (uint64_t)1 << v->shift);
	r->last |= ((uint64_t)1 << v->shift) - 1;
	return pz_range_intersect(*r, (struct pz_range){ v->first, v->last }, r);
}

/* Free addresses as memory, and those that are reserved. */
static int iova_lay_out(struct pz_iova *v, const struct pz_iova_config *cfg)
{
	struct pz_mb_iter it;
	int rc = pz_memblock_add(&v->mb, v->first, v->last - v->first + 1, 0, 0);

	for (uint32_t i = 0; i < cfg->reserved_count && !rc; i++) {
		struct pz_range r = cfg->reserved[i];

		if (!pz_range_valid(r))
			return -PZ_EINVAL;
		if (!iova_cover(v, &r))
			continue;
		rc = pz_memblock_reserve(&v->mb, r.first, r.last - r.first + 1, PZ_NID_NONE, 0);
	}
	if (rc)
		return rc;
	memset(&it, 0, sizeof(it));
	return pz_memblock_next_free(&v->mb, &it, PZ_NID_NONE) ? 0 : -PZ_EINVAL;
}

static int iova_zones(struct pz_iova *v, const struct pz_iova_config *cfg)
{
	struct pz_zone_config zc;
	int rc;

	memset(&zc, 0, sizeof(zc));
	zc.configured = 1u << PZ_ZONE_NORMAL;
	zc.max_pfn[PZ_ZONE_NORMAL] = (v->last >> v->shift) + 1;
	zc.page_shift = v->shift;
	zc.max_order_pages = 1;
	rc = pz_zones_build(&v->zones, cfg->meta, &v->mb, &zc);
	if (!rc) {
		rc = pz_zones_set_managed(&v->zones, &v->mb, UINT64_MAX);
		if (rc)
			pz_zones_destroy(&v->zones);
	}
	return rc;
}

static int iova_pages(struct pz_iova *v, const struct pz_iova_config *cfg)
{
	struct pz_page_config pc;

	memset(&pc, 0, sizeof(pc));
	pc.meta = cfg->meta;
	pc.zeroed = cfg->zeroed;
	pc.zones = &v->zones;
	pc.memblock = &v->mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = cfg->cpus;
	pc.policy = PZ_POLICY_REACH;
	pc.no_grouping = true;
	pc.keep_pages = UINT64_MAX;
	pc.bugs = &v->told;
	pc.faults = cfg->faults;
	return pz_pages_create(&v->pages, &pc);
}

static int iova_make(struct pz_iova *v, const struct pz_iova_config *cfg)
{
	int rc = pz_memblock_init(&v->mb, cfg->meta, v->shift);

	if (rc)
		return rc;
	rc = iova_lay_out(v, cfg);
	if (!rc)
		rc = iova_zones(v, cfg);
	if (!rc) {
		rc = iova_pages(v, cfg);
		if (rc)
			pz_zones_destroy(&v->zones);
	}
	if (rc) {
		pz_memblock_destroy(&v->mb);
		return rc;
	}
	v->total = pz_page_free_count(v->pages, UINT32_MAX);
	return 0;
}

int pz_iova_create(struct pz_iova **out, const struct pz_iova_config *cfg)
{
	const struct pz_meta *m = cfg->meta;
	struct pz_range g;
	struct pz_iova *v;
	int rc;

	if (!m || !m->alloc || !m->free || cfg->shift < 12 || cfg->shift > 16 || !cfg->cpus ||
	    cfg->cpus > PZ_PAGE_MAX_CPUS || (cfg->reserved_count && !cfg->reserved) ||
	    !iova_space(cfg, &g))
		return -PZ_EINVAL;
	v = m->alloc(m->ctx, sizeof(*v));
	if (!v)
		return -PZ_ENOMEM;
	memset(v, 0, sizeof(*v));
	v->meta = m;
	v->shift = cfg->shift;
	v->first = g.first << v->shift;
	v->last = (g.last << v->shift) | (((uint64_t)1 << v->shift) - 1);
	v->bugs = cfg->bugs;
	v->told.policy = PZ_BUG_REPORT;
	v->told.report = iova_report;
	v->told.ctx = v;
	rc = iova_make(v, cfg);
	if (rc) {
		m->free(m->ctx, v, sizeof(*v));
		return rc;
	}
	*out = v;
	return 0;
}

void pz_iova_destroy(struct pz_iova *v)
{
	if (!v)
		return;
	pz_pages_destroy(v->pages);
	pz_zones_destroy(&v->zones);
	pz_memblock_destroy(&v->mb);
	v->meta->free(v->meta->ctx, v, sizeof(*v));
}

/* Granules for a number of bytes; 0 for none. */
static uint64_t iova_granules(const struct pz_iova *v, uint64_t size)
{
	return size ? ((size - 1) >> v->shift) + 1 : 0;
}

static int iova_request(struct pz_iova *v, uint32_t cpu, uint64_t granules,
			const struct pz_limits *limits, uint64_t *addr)
{
	struct pz_page_req req;
	uint64_t pfn;
	int rc;

	pz_page_req_init(v->pages, &req, 0, 0, cpu);
	req.pages = granules;
	req.limits = *limits;
	rc = pz_page_request(v->pages, &req, &pfn);
	if (!rc)
		*addr = pfn << v->shift;
	return rc;
}

int pz_iova_alloc(struct pz_iova *v, uint32_t cpu, uint64_t size, uint64_t align, uint64_t max_addr,
		  uint64_t *addr)
{
	uint64_t n = iova_granules(v, size), block, pfn;
	struct pz_limits l = pz_limits_any();
	int rc;

	if (!n || (align & (align - 1)))
		return -PZ_EINVAL;
	if (!pz_roundup_pow2(n, &block) || block > UINT64_MAX >> v->shift)
		return -PZ_ERANGE;
	l.max_addr = max_addr;
	if (n == block && (!align || align == block << v->shift) &&
	    block <= (uint64_t)1 << PZ_PAGE_MAX_ORDER) {
		rc = pz_alloc_pages(v->pages, cpu, 0, pz_fls64(block),
				    max_addr < v->last ? &l : NULL, &pfn);
		if (!rc)
			*addr = pfn << v->shift;
		return rc;
	}
	l.align = align ? align : block << v->shift;
	return iova_request(v, cpu, n, &l, addr);
}

void pz_iova_free(struct pz_iova *v, uint32_t cpu, uint64_t addr, uint64_t size)
{
	uint64_t n = iova_granules(v, size);

	if (!n || (addr & (((uint64_t)1 << v->shift) - 1))) {
		pz_bug(v->bugs, "pz_iova_free", "%#llx, %#llx bytes: these are no granules",
		       (unsigned long long)addr, (unsigned long long)size);
		return;
	}
	if (pz_is_pow2(n) && n <= (uint64_t)1 << PZ_PAGE_MAX_ORDER)
		pz_free_pages(v->pages, cpu, addr >> v->shift, pz_fls64(n));
	else
		pz_free_exact(v->pages, cpu, addr >> v->shift, n);
}

int pz_iova_reserve(struct pz_iova *v, struct pz_range r, struct pz_range *got)
{
	struct pz_limits l = pz_limits_any();
	uint64_t addr;

	if (!pz_range_valid(r))
		return -PZ_EINVAL;
	if (got)
		*got = (struct pz_range){ 1, 0 };
	if (!iova_cover(v, &r))
		return 0;
	l.min_addr = r.first;
	l.max_addr = r.last;
	if (iova_request(v, PZ_CPU_NONE, iova_granules(v, r.last - r.first + 1), &l, &addr))
		return -PZ_EBUSY;
	if (got)
		*got = r;
	return 0;
}

bool pz_iova_find(const struct pz_iova *v, uint64_t addr, struct pz_range *run)
{
	struct pz_page_info info;

	pz_page_info(v->pages, addr >> v->shift, &info);
	if (info.state != PZ_PAGE_HEAD && info.state != PZ_PAGE_TAIL)
		return false;
	run->first = info.head << v->shift;
	run->last = run->first + ((info.pages << v->shift) - 1);
	return true;
}

void pz_iova_drain(struct pz_iova *v, uint32_t cpu)
{
	(void)pz_page_drain(v->pages, cpu);
}

void pz_iova_stat(const struct pz_iova *v, struct pz_iova_stat *out)
{
	struct pz_page_cost cost;

	pz_page_cost(v->pages, &cost);
	out->space.first = v->first;
	out->space.last = v->last;
	out->total = v->total << v->shift;
	out->free = pz_page_free_count(v->pages, UINT32_MAX) << v->shift;
	out->meta_bytes = sizeof(*v) + cost.state_bytes + cost.owner_bytes + cost.cpu_bytes;
}

int pz_iova_check(const struct pz_iova *v)
{
	return pz_pages_check(v->pages);
}
