/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_page_policy.c - where requests without limits are placed: the highest band of addresses
 * first with the lowest pages kept, or zone after zone with watermarks and reserves, worked out
 * here anew from docs/facts/page_alloc.md sections 3 to 5.
 *
 * The machines are small pieces of memory in every band of addresses from 0 to above 4 GiB.
 */
#include <physzone/page.h>

#include <inttypes.h>

#include "hook.h"
#include "prop.h"

#define SHIFT 12u
#define PIECES 16u
#define CUTS 4u /* at most, at borders of zones */
#define PIECE_PAGES 192u
#define NODES 2u
#define LOWEST_BAND 24u /* log2 of the end of the lowest band */
#define TOP_BAND 9u	/* from 4 GiB on */

struct piece {
	uint64_t first; /* page frame */
	uint32_t pages;
	int nid;
	uint8_t zone;
	bool taken[PIECE_PAGES];
	uint8_t order[PIECE_PAGES]; /* of the block that begins there */
	bool head[PIECE_PAGES];
};

struct town {
	struct prop *p;
	struct hook meta;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_bugs bugs;
	struct pz_page_config cfg;
	struct pz_pages *pages;
	bool has_mb, has_zones;
	struct piece piece[PIECES + CUTS];
	uint32_t pieces, nodes;
	uint64_t managed;
	uint64_t free[NODES][PZ_ZONE_TYPES];
	uint64_t keep_end; /* first page frame that is not kept */
};

static unsigned int band_of(uint64_t pfn)
{
	unsigned int band = 0;

	while (band < TOP_BAND && pfn << SHIFT >= (uint64_t)1 << (LOWEST_BAND + band))
		band++;
	return band;
}

static unsigned int town_distance(void *ctx, int from, int to)
{
	(void)ctx;
	return from == to ? 10 : 40;
}

/* Pieces in ascending bands; those of one band lie apart. */
static bool town_memory(struct town *t)
{
	uint64_t at = 0;

	t->pieces = 1 + (uint32_t)prop_draw(t->p, PIECES - 1);
	t->nodes = 1 + prop_choice(t->p, NODES);
	for (uint32_t k = 0; k < t->pieces; k++) {
		struct piece *c = &t->piece[k];
		uint64_t step = (uint64_t)1 << prop_draw(t->p, 18);

		c->first = at + step + prop_draw(t->p, 64);
		c->pages = 1 + (uint32_t)prop_draw(t->p, PIECE_PAGES - 1);
		c->nid = (int)prop_choice(t->p, t->nodes);
		at = c->first + c->pages;
		t->managed += c->pages;
		prop_note(t->p, "memory %#" PRIx64 " (+%u) node %d", c->first, c->pages, c->nid);
		if (pz_memblock_add(&t->mb, c->first << SHIFT, (uint64_t)c->pages << SHIFT, c->nid,
				    0))
			return false;
	}
	return true;
}

static bool town_zones(struct town *t)
{
	struct pz_zone_config c = { 0 };
	uint64_t end = t->piece[t->pieces - 1].first + t->piece[t->pieces - 1].pages;

	c.page_shift = SHIFT;
	c.max_order_pages = 1024;
	c.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL;
	c.max_pfn[PZ_ZONE_DMA] = end < 0x1000 ? end : 0x1000;
	c.max_pfn[PZ_ZONE_DMA32] = end < 0x100000 ? end : 0x100000;
	c.max_pfn[PZ_ZONE_NORMAL] = end;
	if (pz_zones_build(&t->z, &t->meta.meta, &t->mb, &c))
		return false;
	t->has_zones = true;
	if (pz_zones_set_managed(&t->z, &t->mb, UINT64_MAX))
		return false;
	for (uint32_t k = 0; k < t->pieces; k++) {
		struct piece *b = &t->piece[k];

		/* A piece may lie across a border of zones: cut it there. */
		b->zone = (uint8_t)pz_zones_locate(&t->z, b->first, NULL);
		for (uint32_t i = 1; i < b->pages; i++) {
			if (pz_zones_locate(&t->z, b->first + i, NULL) == b->zone)
				continue;
			for (uint32_t m = t->pieces++; m > k + 1; m--)
				t->piece[m] = t->piece[m - 1];
			t->piece[k + 1] = *b;
			t->piece[k + 1].first += i;
			t->piece[k + 1].pages -= i;
			b->pages = i;
		}
		t->free[b->nid][b->zone] += b->pages;
	}
	return true;
}

static bool town_open(struct town *t, struct prop *p, enum pz_page_policy policy)
{
	memset(t, 0, sizeof(*t));
	t->p = p;
	hook_init(&t->meta);
	if (pz_memblock_init(&t->mb, &t->meta.meta, SHIFT))
		return false;
	t->has_mb = true;
	if (!town_memory(t) || !town_zones(t))
		return false;
	t->bugs.policy = PZ_BUG_IGNORE;
	t->cfg.meta = &t->meta.meta;
	t->cfg.zones = &t->z;
	t->cfg.memblock = &t->mb;
	t->cfg.max_pfn = UINT64_MAX;
	t->cfg.cpus = 2;
	t->cfg.distance = town_distance;
	t->cfg.policy = policy;
	t->cfg.no_grouping = true;
	t->cfg.keep_pages = UINT64_MAX;
	t->cfg.bugs = &t->bugs;
	return true;
}

static bool town_start(struct town *t)
{
	if (pz_pages_create(&t->pages, &t->cfg)) {
		t->pages = NULL;
		prop_note(t->p, "the allocator is not made");
		return false;
	}
	return true;
}

static void town_close(struct town *t)
{
	if (t->pages)
		pz_pages_destroy(t->pages);
	if (t->has_zones)
		pz_zones_destroy(&t->z);
	if (t->has_mb)
		pz_memblock_destroy(&t->mb);
}

static bool block_free(const struct town *t, const struct piece *b, uint32_t at, unsigned int order)
{
	uint32_t size = 1u << order;

	(void)t;
	if ((b->first + at) & (size - 1) || at + size > b->pages)
		return false;
	for (uint32_t i = at; i < at + size; i++) {
		if (b->taken[i])
			return false;
	}
	return true;
}

/* Highest page frame from @from on where a block fits on a node and zone; 0 for nowhere. */
static uint64_t highest_fit(const struct town *t, unsigned int order, int nid, int zone,
			    uint64_t from)
{
	for (uint32_t k = t->pieces; k-- > 0;) {
		const struct piece *b = &t->piece[k];

		if (b->nid != nid || (zone >= 0 && b->zone != zone))
			continue;
		for (uint32_t i = b->pages; i-- > 0;) {
			if (b->first + i >= from && block_free(t, b, i, order))
				return b->first + i;
		}
	}
	return 0;
}

static struct piece *piece_of(struct town *t, uint64_t pfn)
{
	for (uint32_t k = 0; k < t->pieces; k++) {
		if (pfn >= t->piece[k].first && pfn - t->piece[k].first < t->piece[k].pages)
			return &t->piece[k];
	}
	return NULL;
}

static bool town_take(struct town *t, uint64_t pfn, unsigned int order)
{
	struct piece *b = piece_of(t, pfn);

	PROP_ASSERT(t->p, b && block_free(t, b, (uint32_t)(pfn - b->first), order));
	b->head[pfn - b->first] = true;
	b->order[pfn - b->first] = (uint8_t)order;
	for (uint32_t i = 0; i < 1u << order; i++)
		b->taken[pfn - b->first + i] = true;
	t->free[b->nid][b->zone] -= (uint64_t)1 << order;
	return true;
}

static void town_free_some(struct town *t)
{
	struct piece *b = &t->piece[prop_draw(t->p, t->pieces - 1)];
	uint32_t from = (uint32_t)prop_draw(t->p, b->pages - 1);

	for (uint32_t i = from; i < b->pages; i++) {
		if (!b->head[i])
			continue;
		pz_free_pages(t->pages, (uint32_t)prop_draw(t->p, 1), b->first + i, b->order[i]);
		b->head[i] = false;
		for (uint32_t k = 0; k < 1u << b->order[i]; k++)
			b->taken[i + k] = false;
		t->free[b->nid][b->zone] += (uint64_t)1 << b->order[i];
		return;
	}
}

static int home_and_order(const struct town *t, int nid, int32_t *order)
{
	return pz_zones_fallback(&t->z, nid, town_distance, NULL, order, NODES, NULL);
}

/* One request without limits: from the highest band of the nearest node that has room. */
static bool reach_once(struct town *t, bool drained)
{
	unsigned int order = prop_choice(t->p, 3) ? 0 : (unsigned int)prop_draw(t->p, 4);
	int nid = t->piece[prop_draw(t->p, t->pieces - 1)].nid, n;
	struct pz_page_req req;
	uint64_t pfn, best = 0;
	int32_t nodes[NODES];
	int rc;

	pz_page_req_init(t->pages, &req, order, 0, (uint32_t)prop_draw(t->p, 1));
	req.limits.align = (uint64_t)1 << (SHIFT + order);
	req.nid = nid;
	n = home_and_order(t, nid, nodes);
	for (int k = 0; k < n && !best; k++)
		best = highest_fit(t, order, nodes[k], -1, t->keep_end);
	rc = pz_page_request(t->pages, &req, &pfn);
	prop_note(t->p, "order %u node %d: %d, page %#" PRIx64 ", highest %#" PRIx64, order, nid,
		  rc, rc ? 0 : pfn, best);
	if (rc) {
		PROP_ASSERT(t->p, !best);
		return true;
	}
	PROP_ASSERT(t->p, best && pfn >= t->keep_end);
	PROP_ASSERT(t->p, piece_of(t, pfn) && piece_of(t, pfn)->nid == piece_of(t, best)->nid);
	if (drained)
		PROP_ASSERT(t->p, band_of(pfn) == band_of(best));
	return town_take(t, pfn, order);
}

static bool reach_fill(struct prop *p, void *ctx)
{
	static struct town t;
	bool ok = town_open(&t, p, PZ_POLICY_REACH) && town_start(&t);
	uint64_t wants = ok ? prop_draw(p, t.managed + 10) : 0;

	(void)ctx;
	for (uint64_t i = 0; ok && i < wants; i++)
		ok = reach_once(&t, true);
	ok = ok && pz_pages_check(t.pages) == 0 && !t.bugs.count;
	town_close(&t);
	return ok;
}

/* With pages freed in between; what a CPU remembers is dropped before it is asked. */
static bool reach_churn(struct prop *p, void *ctx)
{
	static struct town t;
	bool ok = town_open(&t, p, PZ_POLICY_REACH) && town_start(&t);
	unsigned int ops = ok ? (unsigned int)prop_draw(p, 600) : 0;

	(void)ctx;
	for (unsigned int i = 0; ok && i < ops; i++) {
		bool drained = prop_choice(p, 2) == 0;

		if (prop_choice(p, 3) == 2) {
			town_free_some(&t);
			continue;
		}
		if (drained)
			pz_page_drain(t.pages, PZ_CPU_NONE);
		ok = reach_once(&t, drained);
	}
	ok = ok && pz_pages_check(t.pages) == 0 && !t.bugs.count;
	town_close(&t);
	return ok;
}

/* The end of the lowest so many managed pages. */
static uint64_t keep_end(const struct town *t, uint64_t keep)
{
	for (uint32_t k = 0; k < t->pieces; k++) {
		if (keep <= t->piece[k].pages)
			return t->piece[k].first + keep;
		keep -= t->piece[k].pages;
	}
	return 0;
}

static bool keep_holds(struct town *t, uint64_t keep)
{
	struct pz_limits low = pz_limits_any();
	uint64_t pfn, got = 0;

	/* Whoever may lie anywhere leaves them: all else goes first. */
	while (!pz_alloc_pages(t->pages, 0, 0, 0, NULL, &pfn)) {
		PROP_ASSERT(t->p, pfn >= t->keep_end);
		if (!town_take(t, pfn, 0))
			return false;
		got++;
	}
	prop_note(t->p, "%" PRIu64 " of %" PRIu64 " given, %" PRIu64 " kept", got, t->managed,
		  keep);
	PROP_ASSERT(t->p, got == t->managed - keep);
	low.max_addr = (t->keep_end << SHIFT) - 1;
	PROP_ASSERT(t->p, pz_alloc_pages(t->pages, 0, 0, 0, &low, &pfn) == 0);
	if (!town_take(t, pfn, 0))
		return false;
	got++;
	while (!pz_alloc_pages(t->pages, 1, PZ_GFP_NOKEEP, 0, NULL, &pfn)) {
		if (!town_take(t, pfn, 0))
			return false;
		got++;
	}
	PROP_ASSERT(t->p, got == t->managed);
	return true;
}

static bool reach_keep(struct prop *p, void *ctx)
{
	static struct town t;
	bool ok = town_open(&t, p, PZ_POLICY_REACH);
	uint64_t keep;

	(void)ctx;
	if (ok && t.managed > 1) {
		keep = 1 + prop_draw(p, t.managed - 2);
		t.cfg.keep_pages = keep;
		t.keep_end = keep_end(&t, keep);
		ok = town_start(&t) && keep_holds(&t, keep);
	}
	ok = ok && (!t.pages || (pz_pages_check(t.pages) == 0 && !t.bugs.count));
	town_close(&t);
	return ok;
}

static void draw_marks(struct town *t)
{
	for (uint32_t k = 0; k < t->z.node_count; k++) {
		for (unsigned int z = 0; z < PZ_ZONE_TYPES; z++) {
			struct pz_zone *zone = &t->z.node[k].zone[z];

			if (!zone->managed)
				continue;
			zone->min = prop_draw(t->p, zone->managed / 2);
			zone->low = zone->min + prop_draw(t->p, zone->managed / 4);
			zone->high = zone->low + prop_draw(t->p, 20);
			for (unsigned int j = z + 1; j < PZ_ZONE_TYPES; j++)
				zone->reserve[j] = prop_draw(t->p, zone->managed / 2);
		}
	}
}

/* Whether a zone is above a mark for a request, and has a block for it. */
static bool zone_serves(const struct town *t, const struct pz_page_req *req, unsigned int order,
			struct pz_zoneref ref, uint64_t mark)
{
	const struct pz_zone *z = &pz_zones_node(&t->z, ref.nid)->zone[ref.type];
	uint64_t free = t->free[ref.nid][ref.type], less = ((uint64_t)1 << order) - 1;

	if (!highest_fit(t, order, ref.nid, ref.type, 0))
		return false;
	if (req->gfp & PZ_GFP_MEMALLOC)
		return true;
	return free > less && free - less > mark + z->reserve[req->highest];
}

/*
 * The zone that Linux's walk comes to: first above the low marks, then above the min marks, which
 * an atomic request may go below: to a half, and to three eighths when it cannot block. @eager
 * takes the three eighths.
 */
static bool walk(const struct town *t, const struct pz_page_req *req, unsigned int order,
		 bool eager, struct pz_zoneref *out)
{
	struct pz_zoneref list[NODES * PZ_ZONE_TYPES];
	int32_t nodes[NODES];
	int n = home_and_order(t, req->nid, nodes);
	uint32_t len = pz_zones_zonelist(&t->z, nodes, (uint32_t)n, (enum pz_zone_type)req->highest,
					 list, NODES * PZ_ZONE_TYPES);

	for (unsigned int pass = 0; pass < 2; pass++) {
		for (uint32_t k = 0; k < len; k++) {
			const struct pz_zone *z =
				&pz_zones_node(&t->z, list[k].nid)->zone[list[k].type];
			uint64_t mark = z->low;

			if (req->gfp & PZ_GFP_THISNODE && list[k].nid != req->nid)
				continue;
			if (pass) {
				mark = z->min;
				if (req->gfp & PZ_GFP_HIGH)
					mark -= mark / 2;
				if (req->gfp & PZ_GFP_HIGH && eager && !(req->gfp & PZ_GFP_BLOCK))
					mark -= mark / 4;
			}
			if (zone_serves(t, req, order, list[k], mark)) {
				*out = list[k];
				return true;
			}
		}
	}
	return false;
}

static bool zonelist_once(struct town *t)
{
	static const uint32_t flags[] = { 0,
					  PZ_GFP_BLOCK,
					  PZ_GFP_HIGH,
					  PZ_GFP_HIGH | PZ_GFP_BLOCK,
					  PZ_GFP_MEMALLOC,
					  PZ_GFP_THISNODE,
					  PZ_GFP_RECLAIMABLE };
	unsigned int order = prop_choice(t->p, 3) ? 0 : (unsigned int)prop_draw(t->p, 3), kind;
	struct pz_zoneref half = { -1, 0 }, more = { -1, 0 };
	struct pz_page_req req;
	struct piece *b;
	uint64_t pfn;
	int rc;

	kind = prop_choice(t->p, 7);
	if (flags[kind] & PZ_GFP_HIGH)
		order = 0; /* higher orders reserve whole blocks for themselves */
	pz_page_req_init(t->pages, &req, order, flags[kind], (uint32_t)prop_draw(t->p, 1));
	req.limits.align = (uint64_t)1 << (SHIFT + order);
	req.nid = t->piece[prop_draw(t->p, t->pieces - 1)].nid;
	req.highest = (uint8_t)prop_draw(t->p, PZ_ZONE_NORMAL);
	walk(t, &req, order, false, &half);
	walk(t, &req, order, true, &more);
	rc = pz_page_request(t->pages, &req, &pfn);
	b = rc ? NULL : piece_of(t, pfn);
	prop_note(t->p,
		  "order %u gfp %#x node %d highest %s: %d, page %#" PRIx64 " (%d %s), "
		  "expected node %d %s or node %d %s",
		  order, req.gfp, (int)req.nid, pz_zone_name((enum pz_zone_type)req.highest), rc,
		  rc ? 0 : pfn, b ? b->nid : -1,
		  b ? pz_zone_name((enum pz_zone_type)b->zone) : "none", (int)half.nid,
		  pz_zone_name((enum pz_zone_type)half.type), (int)more.nid,
		  pz_zone_name((enum pz_zone_type)more.type));
	if (rc) {
		PROP_ASSERT(t->p, rc == -PZ_ENOMEM || rc == -PZ_ERANGE);
		PROP_ASSERT(t->p, half.nid < 0);
		return true;
	}
	PROP_ASSERT(t->p, b);
	PROP_ASSERT(t->p, (b->nid == half.nid && b->zone == half.type) ||
				  (b->nid == more.nid && b->zone == more.type));
	return town_take(t, pfn, order);
}

static bool zonelist(struct prop *p, void *ctx)
{
	static struct town t;
	bool ok = town_open(&t, p, PZ_POLICY_ZONELIST);
	unsigned int ops;

	(void)ctx;
	if (ok) {
		draw_marks(&t);
		ok = town_start(&t);
	}
	ops = ok ? (unsigned int)prop_draw(p, 800) : 0;
	for (unsigned int i = 0; ok && i < ops; i++) {
		if (prop_choice(p, 4) == 3)
			town_free_some(&t);
		else
			ok = zonelist_once(&t);
	}
	ok = ok && pz_pages_check(t.pages) == 0 && !t.bugs.count;
	town_close(&t);
	return ok;
}

int main(void)
{
	prop_run("highest addresses first", reach_fill, NULL, 1500);
	prop_run("highest addresses first, with frees", reach_churn, NULL, 1500);
	prop_run("the lowest pages are kept", reach_keep, NULL, 1500);
	prop_run("zone after zone, with marks and reserves", zonelist, NULL, 2000);
	return prop_done();
}
