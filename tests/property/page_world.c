/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_world.c - draw a machine, make its page allocator, and set the oracle up beside it.
 *
 * All draws at 0 make the simplest machine: 64 pages at address 0, one node, one zone.
 */
#include "page_world.h"

#include <inttypes.h>

static struct w_page world_page[W_MAX_PAGES];
static uint32_t world_block_at[W_MAX_PAGES];

static void *world_zero_alloc(void *ctx, size_t size)
{
	void *p = hook_alloc(ctx, size);

	if (p)
		memset(p, 0, size);
	return p;
}

/* Distances that never tie, whatever Linux adds to them. */
static unsigned int world_distance(void *ctx, int from, int to)
{
	static const uint8_t far[W_NODES][W_NODES] = {
		{ 10, 40, 60, 80 }, { 50, 10, 90, 30 }, { 70, 20, 10, 100 }, { 30, 90, 60, 10 }
	};

	(void)ctx;
	return far[from & 3][to & 3];
}

static struct w_page *world_at(struct world *w, uint64_t pfn, uint64_t pages)
{
	if (pfn < w->base || pages > w->n || pfn - w->base > w->n - pages) {
		w->wrong = true;
		return NULL;
	}
	return &w->page[pfn - w->base];
}

static void world_fill(void *ctx, uint64_t pfn, uint64_t pages, unsigned char byte)
{
	struct w_page *g = world_at(ctx, pfn, pages);

	for (uint64_t i = 0; g && i < pages; i++)
		g[i].byte = byte;
}

static bool world_filled(void *ctx, uint64_t pfn, uint64_t pages, unsigned char byte, uint64_t *bad)
{
	struct w_page *g = world_at(ctx, pfn, pages);

	for (uint64_t i = 0; g && i < pages; i++) {
		if (g[i].byte != byte) {
			*bad = pfn + i;
			return false;
		}
	}
	return true;
}

static uint64_t world_site(void *ctx)
{
	return ((struct world *)ctx)->site;
}

static uint64_t world_draw_base(struct world *w)
{
	uint64_t four = ((uint64_t)1 << 32) >> w->shift, top = ((uint64_t)1 << 52) >> w->shift;

	switch (prop_choice(w->p, 6)) {
	case 1:
		return prop_draw(w->p, 1000);
	case 2:
		return four - w->n / 2;
	case 3:
		return four + prop_draw(w->p, 5000);
	case 4:
		return top - w->n;
	case 5:
		return top - w->n - prop_draw(w->p, 1000);
	default:
		return 0;
	}
}

static bool world_add(struct world *w, uint32_t at, uint32_t pages, int nid)
{
	prop_note(w->p, "memory %u (+%u) node %d", at, pages, nid);
	for (uint32_t i = at; i < at + pages; i++) {
		w->page[i].state = W_FREE;
		w->page[i].nid = (uint8_t)nid;
	}
	return !pz_memblock_add(&w->mb, (w->base + at) << w->shift, (uint64_t)pages << w->shift,
				nid, 0);
}

static bool world_draw_memory(struct world *w, uint32_t unit)
{
	unsigned int pieces = 1 + prop_choice(w->p, 5);
	uint32_t at = 0;

	for (unsigned int k = 0; k < pieces && at < w->n; k++) {
		uint32_t gap = k && prop_choice(w->p, 3) == 2 ? 1 : 0, pages;
		int nid = (int)prop_choice(w->p, w->nodes);

		if (gap)
			gap += (uint32_t)prop_draw(w->p, w->n / 8);
		gap = gap * unit;
		if (at + gap >= w->n)
			break;
		at += gap;
		pages = w->n - at;
		if (k + 1 < pieces)
			pages -= (uint32_t)prop_draw(w->p, pages - 1);
		pages = pages / unit * unit;
		if (!pages)
			pages = unit;
		if (!world_add(w, at, pages, nid))
			return false;
		at += pages;
	}
	return true;
}

static bool world_reserve(struct world *w, uint32_t at, uint32_t pages, uint64_t cut)
{
	uint64_t base = ((w->base + at) << w->shift) + cut;
	uint64_t size = ((uint64_t)pages << w->shift) - 2 * cut;

	prop_note(w->p, "reserved %u (+%u)%s", at, pages, cut ? ", less 64 bytes at each end" : "");
	for (uint32_t i = at; i < at + pages; i++)
		w->page[i].state = W_NONE;
	return !pz_memblock_reserve(&w->mb, base, size, PZ_NID_NONE, 0);
}

static bool world_draw_reserved(struct world *w)
{
	unsigned int pieces = prop_choice(w->p, W_LATER + 1);

	for (unsigned int k = 0; k < pieces; k++) {
		uint32_t at = (uint32_t)prop_draw(w->p, w->n - 1);
		uint32_t pages = 1 + (uint32_t)prop_draw(w->p, (w->n - at) / 8);
		bool cut = prop_choice(w->p, 6) == 5, whole = true;

		if (at + pages > w->n)
			pages = w->n - at;
		for (uint32_t i = at; i < at + pages; i++)
			whole = whole && w->page[i].state == W_FREE;
		if (!world_reserve(w, at, pages, cut ? 64 : 0))
			return false;
		if (whole) {
			w->later[w->laters].first = at;
			w->later[w->laters].pages = pages;
			w->later[w->laters++].added = false;
		}
	}
	return true;
}

static bool world_draw_zones(struct world *w, bool movable)
{
	static const uint8_t lower[] = { PZ_ZONE_DMA, PZ_ZONE_DMA32 };
	struct pz_zone_config c = { 0 };
	unsigned int kind = prop_choice(w->p, 4);
	uint64_t at = w->base, end = w->base + w->n;

	c.page_shift = w->shift;
	c.max_order_pages = w->block;
	c.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	for (unsigned int k = 0; k < 2 && k < kind; k++) {
		uint64_t step = prop_draw(w->p, w->n / 3);

		if (movable)
			step = step / w->block * w->block;
		at += step;
		c.configured |= 1u << lower[k];
		c.max_pfn[lower[k]] = at;
	}
	c.max_pfn[PZ_ZONE_NORMAL] = end;
	if (kind == 3) {
		uint64_t step = prop_draw(w->p, w->n / 3);

		if (movable)
			step = step / w->block * w->block;
		c.configured |= 1u << PZ_ZONE_HIGHMEM;
		c.max_pfn[PZ_ZONE_NORMAL] = at + step;
		c.max_pfn[PZ_ZONE_HIGHMEM] = end;
	}
	if (movable) {
		c.movablecore.kind = PZ_CORE_PAGES;
		c.movablecore.value = prop_draw(w->p, w->n / 2);
	}
	if (pz_zones_build(&w->z, &w->meta.meta, &w->mb, &c)) {
		prop_note(w->p, "zones are not built");
		return false;
	}
	w->has_zones = true;
	for (uint32_t k = 0; k < w->nodes; k++) { /* also those without memory */
		if (pz_zones_add_node(&w->z, (int)k))
			return false;
	}
	return true;
}

/* The areas, and to which of them each page belongs. */
static void world_locate(struct world *w)
{
	uint8_t area_of[W_NODES][PZ_ZONE_TYPES];

	memset(area_of, 0xff, sizeof(area_of));
	for (uint32_t k = 0; k < w->z.node_count; k++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (!w->z.node[k].zone[t].spanned)
				continue;
			area_of[w->z.node[k].nid][t] = (uint8_t)w->areas;
			w->area_nid[w->areas] = w->z.node[k].nid;
			w->area_type[w->areas++] = (uint8_t)t;
		}
	}
	for (uint32_t i = 0; i < w->n; i++) {
		struct w_page *g = &w->page[i];
		int nid;
		enum pz_zone_type t = pz_zones_locate(&w->z, w->base + i, &nid);

		g->area = 0xff;
		if (t == PZ_ZONE_TYPES)
			continue;
		g->area = area_of[nid][t];
		g->nid = (uint8_t)nid;
		g->zone = (uint8_t)t;
		if (t == PZ_ZONE_MOVABLE)
			g->kind = W_ZONE_MOVABLE;
	}
}

static void world_configure(struct world *w, const struct w_options *opt)
{
	struct pz_page_config *c = &w->cfg;
	unsigned int debug = opt->no_debug ? 0 : prop_choice(w->p, 8);

	c->meta = &w->meta.meta;
	c->zeroed = prop_choice(w->p, 3) == 2 ? NULL : &w->zeroed.meta;
	c->zones = &w->z;
	c->memblock = &w->mb;
	c->max_pfn = UINT64_MAX;
	c->cpus = 1 + prop_choice(w->p, W_CPUS);
	if (prop_choice(w->p, 2)) {
		for (unsigned int k = 0; k < W_CPUS; k++)
			w->cpu_nid[k] = (int32_t)prop_choice(w->p, w->nodes);
		c->cpu_nid = w->cpu_nid;
	}
	c->distance = world_distance;
	c->policy = prop_choice(w->p, 2) ? PZ_POLICY_ZONELIST : PZ_POLICY_REACH;
	c->no_grouping = prop_choice(w->p, 4) == 3;
	c->keep_pages = opt->keep_pages ? opt->keep_pages : UINT64_MAX;
	c->pcp_hold = !opt->no_hold && prop_choice(w->p, 3) == 2;
	if (c->pcp_hold && prop_choice(w->p, 2)) {
		c->pcp_batch = 1 + (uint32_t)prop_draw(w->p, 20);
		c->pcp_high = c->pcp_batch * (1 + (uint32_t)prop_draw(w->p, 8));
	}
	if (debug >= 5)
		c->debug = debug == 5	? PZ_PAGE_DEBUG_SITES
			   : debug == 6 ? PZ_PAGE_DEBUG_POISON
					: PZ_PAGE_DEBUG_SITES | PZ_PAGE_DEBUG_POISON;
	c->hooks.fill = world_fill;
	c->hooks.filled = world_filled;
	c->hooks.site = world_site;
	c->hooks.ctx = w;
	c->bugs = &w->bugs;
	c->faults = opt->faults;
}

static bool world_count(struct world *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		if (w->page[i].state != W_FREE)
			continue;
		if (w->page[i].area == 0xff) {
			prop_note(w->p, "page %u has no zone", i);
			return false;
		}
		w->free++;
		w->managed++;
		w->area_free[w->page[i].area]++;
	}
	return true;
}

static uint32_t world_draw_size(struct world *w, const struct w_options *opt)
{
	if (opt->max_pages)
		return 64 + (uint32_t)prop_draw(w->p, opt->max_pages - 64);
	switch (prop_choice(w->p, 64)) {
	case 63:
		return 64 + (uint32_t)prop_draw(w->p, W_MAX_PAGES - 64);
	case 60:
	case 61:
	case 62:
		return 64 + (uint32_t)prop_draw(w->p, 8192);
	default:
		return 64 + (uint32_t)prop_draw(w->p, 1200);
	}
}

static void world_describe(const struct world *w)
{
	const struct pz_page_config *c = &w->cfg;

	prop_note(w->p, "base page frame %#" PRIx64 ", page shift %u, pageblocks of %u pages",
		  w->base, w->shift, w->block);
	for (uint32_t k = 0; k < w->z.node_count; k++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &w->z.node[k].zone[t];

			if (z->spanned)
				prop_note(w->p, "node %d %s: %" PRId64 " (+%" PRIu64 ")",
					  (int)w->z.node[k].nid, pz_zone_name((enum pz_zone_type)t),
					  (int64_t)(z->start_pfn - w->base), z->spanned);
		}
	}
	prop_note(w->p, "policy %u, grouping %d, hold %d (%u, %u), debug %#x, %u CPUs",
		  (unsigned int)c->policy, !c->no_grouping, c->pcp_hold, c->pcp_batch, c->pcp_high,
		  c->debug, c->cpus);
}

bool world_open(struct world *w, struct prop *p, const struct w_options *opt)
{
	unsigned int kind;
	bool movable;

	memset(w, 0, sizeof(*w));
	w->p = p;
	w->page = world_page;
	w->block_at = world_block_at;
	hook_init(&w->meta);
	hook_init(&w->zeroed);
	w->zeroed.meta.alloc = world_zero_alloc;
	w->bugs.policy = PZ_BUG_IGNORE;
	w->shift = 12 + 2 * prop_choice(p, 3);
	w->n = world_draw_size(w, opt);
	kind = prop_choice(p, 8);
	w->cfg.pageblock_order = kind == 7 ? 0 : 5 + kind % 6;
	w->block = 1u << (w->cfg.pageblock_order ? w->cfg.pageblock_order : 9);
	movable = prop_choice(p, 4) == 3;
	if (movable)
		w->n = (w->n + w->block - 1) / w->block * w->block;
	if (w->n > W_MAX_PAGES)
		w->n = W_MAX_PAGES;
	w->nodes = opt->one_node ? 1 : 1 + prop_choice(p, W_NODES);
	w->base = world_draw_base(w);
	if (movable)
		w->base = w->base / w->block * w->block;
	memset(w->page, 0, w->n * sizeof(*w->page));
	if (pz_memblock_init(&w->mb, &w->meta.meta, w->shift))
		return false;
	w->has_mb = true;
	if (!world_draw_memory(w, movable ? w->block : 1) || !world_draw_reserved(w) ||
	    !world_draw_zones(w, movable))
		return false;
	world_locate(w);
	w->contig = opt->contig;
	if (w->contig && !w->contig->reserve(w))
		return false;
	if (!world_count(w))
		return false;
	if (pz_zones_set_managed(&w->z, &w->mb, UINT64_MAX))
		return false;
	world_configure(w, opt);
	world_describe(w);
	if (pz_pages_create(&w->pages, &w->cfg)) {
		w->pages = NULL;
		prop_note(p, "the allocator is not made");
		return false;
	}
	return !w->contig || w->contig->owners(w);
}

void world_close(struct world *w)
{
	if (w->pages)
		pz_pages_destroy(w->pages);
	if (w->has_zones)
		pz_zones_destroy(&w->z);
	if (w->has_mb)
		pz_memblock_destroy(&w->mb);
}

void world_draw_limits(struct world *w, struct pz_limits *l)
{
	uint64_t first = w->base << w->shift;
	uint64_t last = first + (((uint64_t)w->n << w->shift) - 1);
	struct prop *p = w->p;

	*l = pz_limits_any();
	switch (prop_choice(p, 8)) {
	case 4: /* the low part of what there is */
		l->max_addr = first + prop_draw(p, last - first);
		break;
	case 5: /* a window of whole pages */
		l->min_addr = first + (prop_draw(p, w->n - 1) << w->shift);
		l->max_addr = l->min_addr +
			      ((1 + prop_draw(p, w->n - 1 - ((l->min_addr - first) >> w->shift)))
			       << w->shift) -
			      1;
		break;
	case 6: /* an odd window */
		l->min_addr = first + prop_draw(p, last - first);
		l->max_addr = l->min_addr + prop_draw(p, last - l->min_addr);
		break;
	case 7: /* as devices have it */
		*l = pz_limits_bits(20 + (unsigned int)prop_draw(p, 36));
		break;
	}
	if (prop_choice(p, 4) == 3)
		l->align = (uint64_t)1 << prop_draw(p, w->shift + 8);
	if (prop_choice(p, 4) == 3)
		l->boundary = (uint64_t)1 << (w->shift + prop_draw(p, 10));
}

static uint32_t world_draw_gfp(struct world *w)
{
	struct prop *p = w->p;
	uint32_t gfp = 0;

	switch (prop_choice(p, 4)) {
	case 2:
		gfp = PZ_GFP_RECLAIMABLE;
		break;
	case 3:
		gfp = PZ_GFP_MOVABLE;
		if (w->owners && prop_choice(p, 8))
			gfp |= PZ_GFP_OWNER(w->owner[prop_choice(p, w->owners)].id);
		break;
	}
	if (prop_choice(p, 8) == 7)
		gfp |= PZ_GFP_ZERO;
	if (prop_choice(p, 4) == 3)
		gfp |= PZ_GFP_BLOCK;
	switch (prop_choice(p, 16)) {
	case 15:
		gfp |= PZ_GFP_MEMALLOC;
		break;
	case 14:
		gfp |= PZ_GFP_NORETRY;
		break;
	case 13:
		gfp |= PZ_GFP_NOMIGRATE;
		break;
	case 12:
		gfp |= PZ_GFP_NOKEEP;
		break;
	}
	return gfp;
}

void world_draw_req(struct world *w, struct w_req *r)
{
	struct prop *p = w->p;
	unsigned int order = 0;

	r->pages = 1;
	if (prop_choice(p, 3) == 2)
		r->pages = 1 + prop_draw(p, prop_choice(p, 4) == 3 ? w->n : 20);
	else if (prop_choice(p, 2))
		r->pages = (uint64_t)1 << (order = (unsigned int)prop_draw(p, 10));
	world_draw_limits(w, &r->limits);
	if (r->limits.align < (uint64_t)1 << (w->shift + order))
		r->limits.align = (uint64_t)1 << (w->shift + order);
	r->gfp = world_draw_gfp(w);
	r->cpu = prop_choice(p, 3) ? (uint32_t)prop_draw(p, w->cfg.cpus - 1) : PZ_CPU_NONE;
	r->nid = PZ_NID_NONE;
	if (w->nodes > 1 && prop_choice(p, 2)) {
		r->nid = w->area_nid[prop_draw(p, w->areas - 1)];
		if (prop_choice(p, 3) == 2)
			r->gfp |= PZ_GFP_THISNODE;
	}
	r->highest = PZ_ZONE_TYPES;
	if (prop_choice(p, 4) == 3)
		r->highest = (uint8_t)prop_draw(p, PZ_ZONE_MOVABLE);
}
