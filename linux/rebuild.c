/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebuild.c - a page allocator in the state that a report describes.
 *
 * Concept: the zones are laid out where the caller says, or one after the other from where their
 * types usually begin. The free blocks are placed, the lowest pages beside them are left unmanaged,
 * and memory with these reserved becomes an allocator whose pages are all free. Then everything
 * that is no free block is taken, run by run, without marks; at last the marks are set. Areas of
 * CMA are activated as such; a request that may use them may have what is free in them.
 *
 * Invariants: 1. each zone has the managed pages, marks and reserves told; 2. its free blocks are
 * those told by order, and by mobility as far as that is told; 3. no page has an owner, and no hook
 * frees any, so that a request is decided by what is free now.
 *
 * Failure: what the report lacks or gets wrong is found before anything is made; the rest as the
 * parts fail. Everything is given back on error.
 *
 * Pageblocks set aside for atomic requests stay so: by the time of the report the kernel had given
 * back those that it would.
 *
 * Shortcomings: that a request may not wait and has no __GFP_HIGH gives it pages set aside for
 * atomic requests in Linux, but not here; and the newest model counts only the free ones of these
 * pages, this allocator all.
 */
#include "pzl_rebuild.h"

#include "../src/base/bits.h"
#include "../src/base/pz_string.h"

#define REBUILD_TYPES ((1u << (PZ_CMA + 1)) - 1)

/* What is needed while a machine is made. */
struct rebuild {
	const struct pzl_rebuild_config *c;
	struct pzl_rebuilt *r;
	uint32_t block_order;
	struct rebuild_place *place; /* of each zone */
	struct pz_range **pfns; /* of each zone: its present pages, merged; pfns_count as given */
	uint32_t *pfns_cap;
};

static bool rebuild_told(uint64_t pages)
{
	return pages <= PZL_PAGES_MOST;
}

static uint32_t rebuild_bits(uint32_t v)
{
	return pz_popcount32(v);
}

/* Free blocks: whether each order's letters and number can be, and what they sum up to. */
static enum pzl_rebuild_bad rebuild_check_blocks(const struct pzl_rebuild_zone *z)
{
	uint64_t pages = 0, blocks = 0;

	for (uint32_t k = 0; k < z->orders; k++) {
		if (z->blocks[k] > z->managed >> k)
			return PZL_REBUILD_MORE_FREE;
		if (z->types[k] & ~REBUILD_TYPES || rebuild_bits(z->types[k]) > z->blocks[k])
			return PZL_REBUILD_LETTERS;
		pages += z->blocks[k] << k;
		blocks += z->blocks[k];
		if (pages > z->managed)
			return PZL_REBUILD_MORE_FREE;
	}
	return blocks > PZL_REBUILD_BLOCKS ? PZL_REBUILD_TOO_LARGE : PZL_REBUILD_FINE;
}

static enum pzl_rebuild_bad rebuild_check_zone(const struct pzl_rebuild_zone *z)
{
	uint64_t told = 0;

	if ((unsigned int)z->type >= PZ_ZONE_TYPES || z->nid < 0)
		return PZL_REBUILD_NO_ZONE;
	if (!rebuild_told(z->present) || !rebuild_told(z->managed) || z->managed > z->present)
		return PZL_REBUILD_COUNTS;
	if (!rebuild_told(z->min) || !rebuild_told(z->low) || !rebuild_told(z->high) ||
	    z->min > z->low || z->low > z->high || !rebuild_told(z->boost))
		return PZL_REBUILD_MARKS;
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
		if (!rebuild_told(z->reserve[t]))
			return PZL_REBUILD_MARKS;
	if (!z->managed)
		return z->orders <= PZL_BLOCK_ORDERS ? rebuild_check_blocks(z) : PZL_REBUILD_ORDERS;
	if (!z->orders)
		return PZL_REBUILD_NO_BLOCKS;
	if (z->orders > PZ_PAGE_ORDERS || z->orders < 6)
		return PZL_REBUILD_ORDERS;
	for (uint32_t i = 0; i < z->pfns_count; i++) {
		if (!pz_range_valid(z->pfns[i]) || z->pfns[i].last > PZL_PAGES_MOST >> 4 ||
		    (i && z->pfns[i].first <= z->pfns[i - 1].last))
			return PZL_REBUILD_TWICE;
		told += z->pfns[i].last - z->pfns[i].first + 1;
	}
	if (z->pfns_count && told != z->present)
		return PZL_REBUILD_COUNTS;
	return rebuild_check_blocks(z);
}

static enum pzl_rebuild_bad rebuild_check(const struct pzl_rebuild_config *c, uint32_t *zone)
{
	enum pzl_rebuild_bad bad = PZL_REBUILD_FINE;
	uint64_t present = 0;

	*zone = c->zones;
	if (c->page_shift < 12 || c->page_shift > 16)
		return PZL_REBUILD_PAGE_SIZE;
	for (uint32_t i = 0; i < c->zones && bad == PZL_REBUILD_FINE; i++) {
		*zone = i;
		bad = rebuild_check_zone(&c->zone[i]);
		for (uint32_t k = 0; k < i && bad == PZL_REBUILD_FINE; k++)
			if (c->zone[k].nid == c->zone[i].nid && c->zone[k].type == c->zone[i].type)
				bad = PZL_REBUILD_TWICE;
		if (bad == PZL_REBUILD_FINE) {
			present += c->zone[i].present;
			if (present > PZL_REBUILD_PAGES)
				bad = PZL_REBUILD_TOO_LARGE;
		}
	}
	if (bad != PZL_REBUILD_FINE)
		return bad;
	*zone = c->zones;
	return present ? PZL_REBUILD_FINE : PZL_REBUILD_NO_ZONE;
}

/* Where zones of a type usually begin, at the least. */
static uint64_t rebuild_usual(const struct pzl_rebuild_config *c, unsigned int type)
{
	bool dma32 = false;

	for (uint32_t i = 0; i < c->zones; i++)
		dma32 = dma32 || c->zone[i].type == PZ_ZONE_DMA32;
	if (type == PZ_ZONE_DMA32)
		return ((uint64_t)16 << 20) >> c->page_shift;
	if (type == PZ_ZONE_NORMAL && dma32)
		return ((uint64_t)1 << 32) >> c->page_shift;
	return 0;
}

static int rebuild_take_range(struct rebuild *b, uint32_t i, struct pz_range r)
{
	struct rebuild_place *p = &b->place[i];
	struct pz_range *last = p->pfns_count ? &b->pfns[i][p->pfns_count - 1] : NULL;

	if (last && last->last + 1 == r.first) {
		last->last = r.last;
		return 0;
	}
	if (p->pfns_count == b->pfns_cap[i])
		return -PZ_EINVAL;
	b->pfns[i][p->pfns_count++] = r;
	return 0;
}

/* Where each zone's present pages lie: as told, or chosen from the end of what is told. */
static int rebuild_lay_out(struct rebuild *b)
{
	const struct pzl_rebuild_config *c = b->c;
	const struct pz_meta *m = c->meta;
	uint64_t next = 0;

	for (uint32_t i = 0; i < c->zones; i++) {
		uint32_t n = c->zone[i].pfns_count ? c->zone[i].pfns_count : 1;

		b->pfns[i] = m->alloc(m->ctx, n * sizeof(**b->pfns));
		if (!b->pfns[i])
			return -PZ_ENOMEM;
		b->pfns_cap[i] = n;
		for (uint32_t k = 0; k < c->zone[i].pfns_count; k++) {
			struct pz_range r = c->zone[i].pfns[k];

			if (rebuild_take_range(b, i, r))
				return -PZ_EINVAL;
			next = r.last >= next ? r.last + 1 : next;
		}
	}
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		for (uint32_t i = 0; i < c->zones; i++) {
			const struct pzl_rebuild_zone *z = &c->zone[i];
			uint64_t at = rebuild_usual(c, t), large = (uint64_t)1 << PZ_PAGE_MAX_ORDER;

			if (z->type != t || z->pfns_count || !z->present)
				continue;
			if (at < next)
				at = (next + large - 1) & ~(large - 1);
			next = at + z->present;
			if (rebuild_take_range(b, i, (struct pz_range){ at, next - 1 }))
				return -PZ_EINVAL;
		}
	}
	return 0;
}

static int rebuild_place_all(struct rebuild *b)
{
	for (uint32_t i = 0; i < b->c->zones; i++) {
		struct rebuild_place *p = &b->place[i];
		int rc;

		p->meta = b->c->meta;
		p->zone = &b->r->zone[i];
		p->pfns = b->pfns[i];
		p->block_order = b->block_order;
		p->top = b->r->orders - 1;
		p->usual = b->c->no_grouping ? PZ_UNMOVABLE : PZ_MOVABLE;
		rc = pzl_rebuild_place(p);
		if (rc)
			return rc == -PZ_ENOSPC ? (int)i + 1 : rc;
	}
	return 0;
}

/* The mobility that a pageblock was given, and the first frame after it where that may change. */
static unsigned int rebuild_type(const struct rebuild *b, const struct rebuild_place *p,
				 uint64_t pfn, uint32_t *at, uint64_t *end)
{
	uint64_t block = pfn >> b->block_order;

	while (*at < p->marked.count && p->marked.v[*at].pfn >> b->block_order < block)
		++*at;
	if (*at < p->marked.count && p->marked.v[*at].pfn >> b->block_order == block) {
		*end = (block + 1) << b->block_order;
		return p->marked.v[*at].type;
	}
	*end = *at < p->marked.count ? p->marked.v[*at].pfn : UINT64_MAX;
	return p->usual;
}

/* Called for each run of frames of one mobility of a zone that are in no free block. */
typedef int rebuild_run_fn(struct rebuild *b, uint32_t zone, struct pz_range pfns,
			   unsigned int type, void *ctx);

static int rebuild_each_taken(struct rebuild *b, uint32_t zone, rebuild_run_fn *fn, void *ctx)
{
	const struct rebuild_place *p = &b->place[zone];
	uint32_t next = 0, mark = 0;

	for (uint32_t i = 0; i < p->pfns_count; i++) {
		uint64_t at = p->pfns[i].first, last = p->pfns[i].last;

		while (at <= last) {
			uint64_t end = last + 1, change;
			unsigned int type;
			int rc;

			if (next < p->blocks.count && p->blocks.v[next].pfn == at) {
				at += (uint64_t)1 << p->blocks.v[next++].order;
				continue;
			}
			if (next < p->blocks.count && p->blocks.v[next].pfn < end)
				end = p->blocks.v[next].pfn;
			type = rebuild_type(b, p, at, &mark, &change);
			end = change < end ? change : end;
			rc = fn(b, zone, (struct pz_range){ at, end - 1 }, type, ctx);
			if (rc)
				return rc;
			at = end;
		}
	}
	return 0;
}

static int rebuild_reserve_run(struct rebuild *b, uint32_t zone, struct pz_range pfns,
			       unsigned int type, void *ctx)
{
	uint64_t *left = ctx, n = pfns.last - pfns.first + 1;
	unsigned int shift = b->c->page_shift;
	int rc;

	(void)zone;
	if (type == PZ_CMA || !*left)
		return 0;
	n = n < *left ? n : *left;
	*left -= n;
	rc = pz_memblock_reserve(&b->r->mb, pfns.first << shift, n << shift, PZ_NID_NONE, 0);
	return rc == -PZ_EEXIST ? 0 : rc;
}

/* The end of the run of CMA pageblocks that begins at a marked one. */
static uint32_t rebuild_cma_end(const struct rebuild_place *p, uint32_t i)
{
	uint32_t k = i + 1;

	while (k < p->marked.count && p->marked.v[k].type == PZ_CMA &&
	       p->marked.v[k].pfn == p->marked.v[k - 1].pfn + ((uint64_t)1 << p->block_order))
		k++;
	return k;
}

static struct pz_range rebuild_cma_range(const struct rebuild_place *p, uint32_t i, uint32_t end)
{
	return (struct pz_range){ p->marked.v[i].pfn,
				  p->marked.v[end - 1].pfn + ((uint64_t)1 << p->block_order) - 1 };
}

/* Memory, with everything reserved that the page allocator does not get at first. */
static int rebuild_memory(struct rebuild *b)
{
	const struct pzl_rebuild_config *c = b->c;
	unsigned int shift = c->page_shift;
	int rc = pz_memblock_init(&b->r->mb, c->meta, shift);

	for (uint32_t i = 0; i < c->zones && !rc; i++) {
		const struct rebuild_place *p = &b->place[i];
		uint64_t left = c->zone[i].present - c->zone[i].managed;

		for (uint32_t k = 0; k < p->pfns_count && !rc; k++) {
			struct pz_range r = p->pfns[k];

			rc = pz_memblock_add(&b->r->mb, r.first << shift,
					     (r.last - r.first + 1) << shift, c->zone[i].nid, 0);
		}
		if (rc)
			return rc == -PZ_EEXIST ? (int)i + 1 : rc;
		rc = rebuild_each_taken(b, i, rebuild_reserve_run, &left);
		if (!rc && left)
			return (int)i + 1;
		for (uint32_t k = 0; k < p->marked.count && !rc; k++) {
			uint32_t end = rebuild_cma_end(p, k);
			struct pz_range r = rebuild_cma_range(p, k, end);

			if (p->marked.v[k].type != PZ_CMA)
				continue;
			rc = pz_memblock_reserve(&b->r->mb, r.first << shift,
						 (r.last - r.first + 1) << shift, PZ_NID_NONE, 0);
			rc = rc == -PZ_EEXIST ? 0 : rc;
			k = end - 1;
		}
	}
	return rc;
}

static int rebuild_zones(struct rebuild *b)
{
	const struct pzl_rebuild_config *c = b->c;
	struct pz_zone_config zc;
	struct pz_memblock none;
	int rc;

	memset(&zc, 0, sizeof(zc));
	zc.configured = c->configured;
	for (uint32_t i = 0; i < c->zones; i++)
		zc.configured |= 1u << c->zone[i].type;
	zc.page_shift = c->page_shift;
	zc.max_order_pages = (uint64_t)1 << (b->r->orders - 1);
	rc = pz_memblock_init(&none, c->meta, c->page_shift);
	if (rc)
		return rc;
	rc = pz_zones_build(&b->r->z, c->meta, &none, &zc);
	pz_memblock_destroy(&none);
	for (uint32_t i = 0; i < c->zones && !rc; i++) {
		const struct rebuild_place *p = &b->place[i];

		for (uint32_t k = 0; k < p->pfns_count && !rc; k++)
			rc = pz_zones_online(&b->r->z, p->pfns[k], c->zone[i].nid,
					     (enum pz_zone_type)c->zone[i].type);
		if (rc == -PZ_EEXIST)
			return (int)i + 1;
	}
	return rc ? rc : pz_zones_set_managed(&b->r->z, &b->r->mb, UINT64_MAX);
}

static int rebuild_cma(struct rebuild *b, uint32_t zone)
{
	const struct rebuild_place *p = &b->place[zone];
	const struct pzl_rebuild_zone *z = &b->r->zone[zone];
	unsigned int shift = b->c->page_shift;
	struct pz_node *n = pz_zones_node(&b->r->z, z->nid);

	for (uint32_t k = 0; k < p->marked.count; k++) {
		struct pz_cma_reserved area;
		struct pz_range r;
		uint32_t end, id;
		int rc;

		if (p->marked.v[k].type != PZ_CMA)
			continue;
		end = rebuild_cma_end(p, k);
		r = rebuild_cma_range(p, k, end);
		memset(&area, 0, sizeof(area));
		memcpy(area.name, "report", sizeof("report"));
		area.range.first = r.first << shift;
		area.range.last = ((r.last + 1) << shift) - 1;
		rc = pz_cma_activate(b->r->pages, &area, &id);
		if (rc)
			return rc == -PZ_ENOMEM ? rc : (int)zone + 1;
		pz_zones_account(&b->r->z, r, true);
		n->zone[z->type].cma += r.last - r.first + 1;
		k = end - 1;
	}
	return 0;
}

static void rebuild_mark(struct rebuild *b, uint32_t zone)
{
	const struct rebuild_place *p = &b->place[zone];

	for (uint32_t k = 0; k < p->marked.count; k++)
		if (p->marked.v[k].type != PZ_CMA)
			(void)pz_page_set_mobility(b->r->pages, p->marked.v[k].pfn,
						   (enum pz_mobility)p->marked.v[k].type);
}

/* Take a run, as far as it is managed. */
static int rebuild_take_run(struct rebuild *b, uint32_t zone, struct pz_range pfns,
			    unsigned int type, void *ctx)
{
	static const uint32_t gfp[] = { 0, PZ_GFP_MOVABLE, PZ_GFP_RECLAIMABLE, PZ_GFP_HIGH,
					PZ_GFP_MOVABLE };
	uint64_t *left = ctx, n = pfns.last - pfns.first + 1, skip = 0, pfn;
	unsigned int shift = b->c->page_shift;
	struct pz_page_req req;
	int rc;

	if (type != PZ_CMA && *left) {
		skip = n < *left ? n : *left;
		*left -= skip;
	}
	if (skip == n)
		return 0;
	pz_page_req_init(b->r->pages, &req, 0, gfp[type], 0);
	if (b->c->zone[zone].type == PZ_ZONE_MOVABLE)
		req.gfp = (req.gfp & ~PZ_GFP_RECLAIMABLE) | PZ_GFP_MOVABLE;
	req.pages = n - skip;
	req.limits.align = 1;
	req.limits.min_addr = (pfns.first + skip) << shift;
	req.limits.max_addr = ((pfns.last + 1) << shift) - 1;
	req.nid = b->c->zone[zone].nid;
	req.highest = b->c->zone[zone].type;
	rc = pz_page_request(b->r->pages, &req, &pfn);
	return rc == -PZ_ENOMEM || rc == -PZ_ERANGE ? (int)zone + 1 : rc;
}

static void rebuild_marks(struct pzl_rebuilt *r, bool boosted)
{
	for (uint32_t i = 0; i < r->zones; i++) {
		const struct pzl_rebuild_zone *from = &r->zone[i];
		struct pz_node *n = pz_zones_node(&r->z, from->nid);
		uint64_t less = boosted || from->boost > from->min ? 0 : from->boost;
		struct pz_zone *z;

		if (!n)
			continue;
		z = &n->zone[from->type];
		z->min = from->min - less;
		z->low = from->low - less;
		z->high = from->high - less;
		memcpy(z->reserve, from->reserve, sizeof(z->reserve));
	}
	pz_pages_set_policy(r->pages, PZ_POLICY_ZONELIST);
}

static int rebuild_pages(struct rebuild *b)
{
	const struct pzl_rebuild_config *c = b->c;
	struct pz_page_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.meta = c->meta;
	cfg.zeroed = c->zeroed;
	cfg.zones = &b->r->z;
	cfg.memblock = &b->r->mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = 1;
	cfg.policy = PZ_POLICY_ZONELIST;
	cfg.pageblock_order = b->block_order;
	cfg.no_grouping = c->no_grouping;
	cfg.keep_highatomic = true;
	cfg.keep_pages = UINT64_MAX;
	rc = pz_pages_create(&b->r->pages, &cfg);
	for (uint32_t i = 0; i < c->zones && !rc; i++) {
		uint64_t left = c->zone[i].present - c->zone[i].managed;

		if (!c->zone[i].managed)
			continue;
		rc = rebuild_cma(b, i);
		if (rc)
			return rc;
		rebuild_mark(b, i);
		rc = rebuild_each_taken(b, i, rebuild_take_run, &left);
		/* what was taken may have changed a pageblock */
		rebuild_mark(b, i);
	}
	return rc;
}

/* Everything, step by step. 0, -PZ_E..., or one more than the zone for which there is no room. */
static int rebuild_steps(struct rebuild *b)
{
	int rc = rebuild_lay_out(b);

	if (!rc)
		rc = rebuild_place_all(b);
	if (!rc)
		rc = rebuild_memory(b);
	if (!rc)
		rc = rebuild_zones(b);
	if (!rc)
		rc = rebuild_pages(b);
	if (!rc)
		rebuild_marks(b->r, true);
	return rc;
}

static void *rebuild_array(const struct pz_meta *m, uint32_t n, size_t size)
{
	void *v = n > SIZE_MAX / size ? NULL : m->alloc(m->ctx, n * size);

	if (v)
		memset(v, 0, n * size);
	return v;
}

static void rebuild_give(const struct pz_meta *m, void *v, uint32_t n, size_t size)
{
	if (v)
		m->free(m->ctx, v, n * size);
}

static int rebuild_make(struct pzl_rebuilt *r, const struct pzl_rebuild_config *c)
{
	const struct pz_meta *m = c->meta;
	struct rebuild b = { .c = c, .r = r };
	int rc = -PZ_ENOMEM;

	b.block_order = c->pageblock_order;
	if (b.block_order > r->orders - 1)
		b.block_order = r->orders - 1;
	b.place = rebuild_array(m, c->zones, sizeof(*b.place));
	b.pfns = rebuild_array(m, c->zones, sizeof(struct pz_range *));
	b.pfns_cap = rebuild_array(m, c->zones, sizeof(*b.pfns_cap));
	if (b.place && b.pfns && b.pfns_cap)
		rc = rebuild_steps(&b);
	for (uint32_t i = 0; i < c->zones && b.place; i++)
		if (b.place[i].meta)
			pzl_rebuild_place_end(&b.place[i]);
	for (uint32_t i = 0; i < c->zones && b.pfns && b.pfns_cap; i++)
		rebuild_give(m, b.pfns[i], b.pfns_cap[i], sizeof(struct pz_range));
	rebuild_give(m, b.pfns_cap, c->zones, sizeof(*b.pfns_cap));
	rebuild_give(m, b.pfns, c->zones, sizeof(struct pz_range *));
	rebuild_give(m, b.place, c->zones, sizeof(*b.place));
	return rc;
}

int pzl_rebuild(struct pzl_rebuilt *r, const struct pzl_rebuild_config *c,
		struct pzl_rebuild_error *e)
{
	struct pzl_rebuild_error none;
	int rc;

	memset(r, 0, sizeof(*r));
	e = e ? e : &none;
	e->bad = rebuild_check(c, &e->zone);
	if (e->bad != PZL_REBUILD_FINE || c->pageblock_order < 5 || c->pageblock_order > 10)
		return -PZ_EINVAL;
	r->meta = c->meta;
	r->model = c->model;
	r->configured = c->configured;
	r->zones = c->zones;
	r->orders = 11;
	for (uint32_t i = 0; i < c->zones; i++)
		if (c->zone[i].managed)
			r->orders = c->zone[i].orders;
	for (uint32_t i = 0; i < c->zones; i++) {
		if (!c->zone[i].managed || c->zone[i].orders == r->orders)
			continue;
		e->bad = PZL_REBUILD_ORDERS;
		e->zone = i;
		return -PZ_EINVAL;
	}
	r->zone = rebuild_array(c->meta, c->zones, sizeof(*r->zone));
	if (!r->zone)
		return -PZ_ENOMEM;
	memcpy(r->zone, c->zone, c->zones * sizeof(*r->zone));
	for (uint32_t i = 0; i < c->zones; i++) {
		r->zone[i].pfns = NULL;
		r->zone[i].pfns_count = 0;
	}
	rc = rebuild_make(r, c);
	if (!rc)
		return 0;
	pzl_rebuild_destroy(r);
	if (rc < 0)
		return rc == -PZ_ENOMEM ? rc : -PZ_EINVAL;
	e->bad = PZL_REBUILD_NO_ROOM;
	e->zone = (uint32_t)rc - 1;
	return -PZ_EINVAL;
}

void pzl_rebuild_destroy(struct pzl_rebuilt *r)
{
	pz_pages_destroy(r->pages);
	if (r->z.meta)
		pz_zones_destroy(&r->z);
	if (r->mb.meta)
		pz_memblock_destroy(&r->mb);
	if (r->zone)
		rebuild_give(r->meta, r->zone, r->zones, sizeof(*r->zone));
	memset(r, 0, sizeof(*r));
}
