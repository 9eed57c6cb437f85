/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_oracle.c - what must and what may be given, found page by page; and the whole state
 * compared with what the allocator says of it.
 */
#include "page_world.h"

#include <inttypes.h>

/* How freely a search reads the promises. */
enum how { MUST, MAY, EVER_MUST, EVER_MAY };

static int world_home(const struct world *w, const struct w_req *r)
{
	if (r->nid != PZ_NID_NONE)
		return r->nid;
	if (r->cpu != PZ_CPU_NONE && w->cfg.cpu_nid)
		return w->cfg.cpu_nid[r->cpu];
	return w->area_nid[0];
}

/* Whether one page may be part of what a request gets. */
static bool world_page_fits(const struct world *w, const struct w_req *r, const struct w_page *g,
			    enum how how)
{
	bool strict = how == MUST || how == EVER_MUST;
	bool movable = r->gfp & PZ_GFP_MOVABLE;

	if (how == MUST || how == MAY ? g->state != W_FREE : g->state == W_NONE)
		return false;
	if (r->gfp & PZ_GFP_THISNODE && g->nid != world_home(w, r))
		return false;
	if (g->kind != W_PLAIN) {
		if (!movable)
			return how == EVER_MAY;
		/* A page that nobody can move pins what was lent. */
		if (strict && !PZ_GFP_OWNER_OF(r->gfp))
			return false;
	}
	if (w->cfg.policy == PZ_POLICY_ZONELIST) {
		uint8_t highest = r->highest;

		if (highest == PZ_ZONE_TYPES)
			highest = strict && !movable ? PZ_ZONE_NORMAL : PZ_ZONE_MOVABLE;
		if (highest == PZ_ZONE_MOVABLE && strict && movable && r->highest == PZ_ZONE_TYPES)
			highest = PZ_ZONE_NORMAL;
		if (g->zone > highest)
			return false;
	}
	return true;
}

/* Whether addresses satisfy limits; arithmetic of its own. */
static bool world_addresses(const struct world *w, const struct w_req *r, uint64_t at)
{
	uint64_t first = (w->base + at) << w->shift;
	uint64_t last = first + ((r->pages << w->shift) - 1);
	const struct pz_limits *l = &r->limits;

	if (first < l->min_addr || last > l->max_addr || first % l->align)
		return false;
	return !l->boundary || first / l->boundary == last / l->boundary;
}

/* The highest run that fits; @nid other than PZ_NID_NONE wants it on one node. */
static bool world_search(const struct world *w, const struct w_req *r, enum how how, int nid,
			 uint64_t *at)
{
	bool cross = how == MAY || how == EVER_MAY;
	uint64_t run = 0;

	if (r->pages > w->n)
		return false;
	for (uint32_t i = w->n; i-- > 0;) {
		const struct w_page *g = &w->page[i];

		if (!world_page_fits(w, r, g, how) || (nid != PZ_NID_NONE && g->nid != nid)) {
			run = 0;
			continue;
		}
		if (run && !cross && g->area != g[1].area)
			run = 0;
		if (++run >= r->pages && world_addresses(w, r, i)) {
			*at = i;
			return true;
		}
	}
	return false;
}

bool world_must_fit(const struct world *w, const struct w_req *r, uint64_t *at)
{
	return world_search(w, r, MUST, PZ_NID_NONE, at);
}

bool world_fits_on(const struct world *w, const struct w_req *r, int nid, uint64_t *at)
{
	return world_search(w, r, MUST, nid, at);
}

bool world_must_ever(const struct world *w, const struct w_req *r)
{
	uint64_t at;

	return world_search(w, r, EVER_MUST, PZ_NID_NONE, &at);
}

bool world_may_ever(const struct world *w, const struct w_req *r)
{
	uint64_t at;

	return world_search(w, r, EVER_MAY, PZ_NID_NONE, &at);
}

bool world_may_take(const struct world *w, const struct w_req *r, uint64_t at)
{
	if (r->pages > w->n || at > w->n - r->pages || !world_addresses(w, r, at))
		return false;
	for (uint64_t i = at; i < at + r->pages; i++) {
		if (!world_page_fits(w, r, &w->page[i], MAY))
			return false;
	}
	return true;
}

static uint32_t world_head(const struct world *w, uint32_t i)
{
	while (w->page[i].state == W_TAIL)
		i--;
	return i;
}

/*
 * A range can be emptied when what is in it is free or single owned pages, and there are as many
 * free pages as the request wants: those outside take what is inside. Only asked while every owner
 * agrees and every owned block is a single page.
 */
bool world_must_evacuate(const struct world *w, const struct w_req *r, uint32_t first,
			 uint32_t last, enum w_kind within)
{
	struct w_req any = *r;
	uint64_t run = 0;

	if (w->free < r->pages || w->big_owned)
		return false;
	any.gfp |= PZ_GFP_MOVABLE | PZ_GFP_OWNER(1);
	for (uint32_t i = last + 1; i-- > first;) {
		const struct w_page *g = &w->page[i];
		bool good = g->kind == within && g->state != W_NONE;

		if (within == W_PLAIN)
			good = good && world_page_fits(w, r, g, EVER_MUST);
		if (good && g->state != W_FREE)
			good = g->state == W_HEAD && g->owner && g->len == 1 && !g->taken;
		if (!good) {
			run = 0;
			continue;
		}
		if (run && g->area != g[1].area)
			run = 0;
		if (++run >= r->pages && world_addresses(w, &any, i))
			return true;
	}
	return false;
}

uint32_t world_node_order(const struct world *w, const struct w_req *r, int32_t *order)
{
	uint32_t n = 0;
	int home = world_home(w, r);
	int got = pz_zones_fallback(&w->z, home, w->cfg.distance, w->cfg.distance_ctx, order,
				    W_NODES, NULL);

	if (got > 0)
		n = (uint32_t)got;
	return n;
}

void world_make_free(struct world *w, uint32_t at, uint32_t pages)
{
	for (uint32_t i = at; i < at + pages; i++) {
		w->page[i].state = W_FREE;
		w->page[i].taken = false;
		w->area_free[w->page[i].area]++;
	}
	w->free += pages;
}

void world_take(struct world *w, uint32_t at, uint32_t pages, uint8_t owner)
{
	struct w_page *g = &w->page[at];

	for (uint32_t i = at; i < at + pages; i++) {
		w->page[i].state = i == at ? W_HEAD : W_TAIL;
		w->page[i].taken = false;
		w->area_free[w->page[i].area]--;
	}
	w->free -= pages;
	g->owner = owner;
	g->len = pages;
	g->live = w->blocks;
	g->alloc_site = w->site;
	w->block_at[w->blocks++] = at;
	w->big_owned += owner && pages > 1;
}

void world_drop(struct world *w, uint32_t at)
{
	struct w_page *g = &w->page[at];
	uint32_t end = w->block_at[--w->blocks];

	w->big_owned -= g->owner && g->len > 1;
	w->block_at[g->live] = end;
	w->page[end].live = g->live;
	world_make_free(w, at, g->len);
}

void world_cut(struct world *w, uint32_t at, uint32_t keep)
{
	uint32_t len = w->page[at].len;
	uint8_t owner = w->page[at].owner;
	uint64_t site = w->site;

	w->site = w->page[at].alloc_site;
	world_drop(w, at);
	world_take(w, at, keep, owner);
	world_take(w, at + keep, len - keep, owner);
	w->site = site;
}

/* A run whose length is no power of two may be moved in pieces: make one of it. */
static void world_cut_piece(struct world *w, uint64_t at, uint64_t pages)
{
	uint32_t head, len;

	if (w->page[at].state != W_HEAD && w->page[at].state != W_TAIL)
		return;
	head = world_head(w, (uint32_t)at);
	len = w->page[head].len;
	if (len == pages || !(len & (len - 1)) || at + pages > head + (uint64_t)len)
		return;
	if (at + pages < head + (uint64_t)len)
		world_cut(w, head, (uint32_t)(at + pages) - head);
	if (at > head)
		world_cut(w, head, (uint32_t)at - head);
}

/* What a hook may do besides: free other pages, and allocate as one who frees memory. */
static void world_inside(struct world *w, uint32_t moved)
{
	uint64_t pfn;
	uint32_t at;

	switch (prop_choice(w->p, 8)) {
	case 7:
		at = w->block_at[prop_draw(w->p, w->blocks - 1)];
		if (at == moved || w->page[at].taken)
			return;
		prop_note(w->p, "inside: free %u (+%u)", at, w->page[at].len);
		pz_free_exact(w->pages, PZ_CPU_NONE, w->base + at, w->page[at].len);
		world_drop(w, at);
		w->freed_inside++;
		return;
	case 6:
		if (pz_alloc_pages(w->pages, PZ_CPU_NONE, PZ_GFP_MEMALLOC, 0, NULL, &pfn))
			return;
		prop_note(w->p, "inside: page %" PRIu64, pfn - w->base);
		if (pfn - w->base >= w->n || w->page[pfn - w->base].state != W_FREE) {
			prop_note(w->p, "that page is not free");
			w->wrong = true;
			return;
		}
		world_take(w, (uint32_t)(pfn - w->base), 1, 0);
		w->page[pfn - w->base].byte = W_USED;
		return;
	}
}

enum pz_migrate world_migrate(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	struct w_owner *o = ctx;
	struct world *w = o->w;
	uint64_t pages = (uint64_t)1 << order, f = from - w->base, t = to - w->base;
	enum w_mode mode = o->mode;

	if (f >= w->n || t >= w->n || pages > w->n - f || pages > w->n - t) {
		prop_note(w->p, "asked to move outside of memory");
		w->wrong = true;
		return PZ_MIGRATE_NO;
	}
	world_cut_piece(w, f, pages);
	if (w->page[f].state != W_HEAD || w->page[f].len != pages || w->page[f].owner != o->id) {
		if (w->freed_inside) { /* by an owner's hook, meanwhile */
			w->refused++;
			return PZ_MIGRATE_LATER;
		}
		prop_note(w->p, "asked to move page %" PRIu64 ", no block of this owner", f);
		w->wrong = true;
		return PZ_MIGRATE_LATER;
	}
	for (uint64_t i = t; i < t + pages; i++) {
		bool inside = w->evacuating.first <= w->evacuating.last &&
			      i >= w->evacuating.first && i <= w->evacuating.last;

		if (w->page[i].state == W_FREE && !inside)
			continue;
		prop_note(w->p, "page %" PRIu64 " is to move to %" PRIu64 ": %s", f, i,
			  inside ? "that is to become empty" : "not free");
		w->wrong = true;
		return PZ_MIGRATE_NO;
	}
	if (mode == W_AT_RANDOM)
		mode = (enum w_mode)prop_choice(w->p, 3);
	if (mode != W_YES) {
		w->refused++;
		return mode == W_NO ? PZ_MIGRATE_NO : PZ_MIGRATE_LATER;
	}
	w->moved += pages;
	for (uint64_t i = 0; i < pages; i++)
		w->page[t + i].byte = W_USED;
	world_drop(w, (uint32_t)f);
	world_take(w, (uint32_t)t, (uint32_t)pages, o->id);
	if (o->mode == W_AT_RANDOM)
		world_inside(w, (uint32_t)t);
	return PZ_MIGRATE_YES;
}

static bool world_all_agree(const struct world *w)
{
	for (uint32_t k = 0; k < w->owners; k++) {
		if (w->owner[k].mode != W_YES)
			return false;
	}
	return true;
}

uint64_t world_failures(const struct world *w)
{
	uint64_t n = 0;

	for (uint32_t k = 0; w->cfg.faults && k < w->cfg.faults->count; k++)
		n += w->cfg.faults->v[k].failed;
	if (w->meta.fail_at && w->meta.calls >= w->meta.fail_at)
		n += w->meta.calls - w->meta.fail_at + 1;
	if (w->zeroed.fail_at && w->zeroed.calls >= w->zeroed.fail_at)
		n += w->zeroed.calls - w->zeroed.fail_at + 1;
	return n;
}

bool world_faulted(const struct world *w)
{
	return world_failures(w) > w->failed_before;
}

static bool world_refusal(struct world *w, const struct w_req *r, int rc)
{
	bool moves = w->owners && r->gfp & PZ_GFP_BLOCK && !(r->gfp & PZ_GFP_NOMIGRATE);
	uint64_t at = 0;

	if (rc == -PZ_ERANGE) {
		PROP_ASSERT(w->p, !world_must_ever(w, r));
		return true;
	}
	PROP_ASSERT(w->p, world_may_ever(w, r));
	if (world_faulted(w)) {
		PROP_ASSERT(w->p, rc == -PZ_ENOMEM || rc == -PZ_EBUSY);
		return true;
	}
	/* What became free meanwhile need not have been seen. */
	if (!w->moved && !w->freed_inside && world_must_fit(w, r, &at)) {
		prop_note(w->p, "refused (%d), but pages %" PRIu64 " to %" PRIu64 " are free", rc,
			  at, at + r->pages - 1);
		return false;
	}
	if (rc == -PZ_EBUSY) {
		PROP_ASSERT(w->p, moves && (w->refused || w->big_owned));
		return true;
	}
	PROP_ASSERT(w->p, rc == -PZ_ENOMEM);
	if (moves && world_all_agree(w))
		PROP_ASSERT(w->p, !world_must_evacuate(w, r, 0, w->n - 1, W_PLAIN));
	return true;
}

/* Whether a page lies between the first and the last one of a node. */
static bool world_within(const struct world *w, int nid, uint64_t at)
{
	bool before = false, behind = false;

	for (uint32_t i = 0; i < w->n; i++) {
		if (w->page[i].area == 0xff || w->page[i].nid != nid)
			continue;
		before = before || i < at;
		behind = behind || i > at;
	}
	return before && behind;
}

/*
 * Nearest node first, when the answer lies on another. An odd run is asked for last, after blocks
 * on every node: only the place for a whole block, of the size that the alignment has, counts.
 */
static bool world_nearest(struct world *w, const struct w_req *req, uint64_t at_given)
{
	const struct w_req *r = req;
	int nid = w->page[at_given].nid;
	struct w_req block = *req;
	int32_t order[W_NODES];
	uint32_t n = world_node_order(w, r, order);
	uint64_t at;

	for (block.pages = 1;
	     block.pages < req->pages || block.pages << w->shift < req->limits.align;)
		block.pages *= 2;
	if (block.limits.align < block.pages << w->shift)
		block.limits.align = block.pages << w->shift;
	r = &block;

	if (world_within(w, world_home(w, req), at_given))
		return true; /* nodes that interleave are told apart only when it has to be */
	if (w->cfg.pcp_hold)
		return true; /* what a CPU holds there may be left to it */
	if (r->nid == PZ_NID_NONE && (r->cpu == PZ_CPU_NONE || !w->cfg.cpu_nid) && w->area_nid[0])
		return true; /* the lowest node has no memory: whose order it is, is not said */
	for (uint32_t k = 0; k < n && order[k] != nid; k++) {
		if (!world_fits_on(w, r, order[k], &at))
			continue;
		prop_note(w->p, "served from node %d, but page %" PRIu64 " of node %d would do",
			  nid, at, order[k]);
		return false;
	}
	return true;
}

bool world_judge(struct world *w, const struct w_req *r, int rc, uint64_t pfn)
{
	uint64_t at = pfn - w->base;

	PROP_ASSERT(w->p, !w->wrong);
	if (rc) {
		prop_note(w->p,
			  "%" PRIu64 " pages in [%#" PRIx64 ", %#" PRIx64 "] align %#" PRIx64
			  " boundary %#" PRIx64 " gfp %#x nid %d highest %u: %d",
			  r->pages, r->limits.min_addr, r->limits.max_addr, r->limits.align,
			  r->limits.boundary, r->gfp, (int)r->nid, r->highest, rc);
		return world_refusal(w, r, rc);
	}
	if (!world_may_take(w, r, at)) {
		prop_note(w->p, "page %" PRIu64 " (+%" PRIu64 ") must not be given", at, r->pages);
		return false;
	}
	if (w->nodes > 1 && w->page[at].nid != world_home(w, r) && !world_nearest(w, r, at))
		return false;
	if (r->gfp & PZ_GFP_ZERO) {
		for (uint64_t i = at; i < at + r->pages; i++)
			PROP_ASSERT(w->p, w->page[i].byte == 0);
	}
	world_take(w, (uint32_t)at, (uint32_t)r->pages,
		   r->gfp & PZ_GFP_MOVABLE ? (uint8_t)PZ_GFP_OWNER_OF(r->gfp) : 0);
	for (uint64_t i = at; i < at + r->pages; i++)
		w->page[i].byte = W_USED;
	return true;
}

static bool world_compare_page(struct world *w, uint32_t i)
{
	const struct w_page *g = &w->page[i];
	uint32_t head = g->state == W_TAIL ? world_head(w, i) : i;
	struct pz_page_info f;
	bool ok;

	pz_page_info(w->pages, w->base + i, &f);
	switch (g->state) {
	case W_NONE:
		ok = f.state == PZ_PAGE_NONE;
		break;
	case W_FREE:
		ok = f.state == PZ_PAGE_FREE || (f.state == PZ_PAGE_HELD && w->cfg.pcp_hold);
		ok = ok &&
		     (!(w->cfg.debug & PZ_PAGE_DEBUG_POISON) || g->byte == 0xaa || g->byte == 0);
		break;
	default:
		ok = f.state == (g->state == W_HEAD ? PZ_PAGE_HEAD : PZ_PAGE_TAIL) &&
		     f.head == w->base + head && f.pages == w->page[head].len &&
		     f.owner == w->page[head].owner;
		if (w->cfg.debug & PZ_PAGE_DEBUG_SITES && g->state == W_HEAD)
			ok = ok && f.alloc_site == g->alloc_site;
		else if (!(w->cfg.debug & PZ_PAGE_DEBUG_SITES))
			ok = ok && !f.alloc_site && !f.free_site;
	}
	if (ok && g->state != W_NONE) {
		if (g->kind == W_PLAIN)
			ok = f.mobility <= PZ_HIGHATOMIC;
		else if (g->kind == W_CMA)
			ok = f.mobility == PZ_CMA || f.mobility == PZ_ISOLATE;
		else
			ok = f.mobility == PZ_MOVABLE || f.mobility == PZ_ISOLATE ||
			     (w->cfg.no_grouping && f.mobility == PZ_UNMOVABLE);
	}
	if (!ok)
		prop_note(w->p,
			  "page %u of kind %u is %u, head %u, %u pages, owner %u; told state %u, "
			  "head %" PRIu64 ", %" PRIu64
			  " pages, mobility %u, owner %u, site %" PRIu64,
			  i, g->kind, g->state, head, w->page[head].len, w->page[head].owner,
			  (unsigned int)f.state, f.head - w->base, f.pages, f.mobility, f.owner,
			  f.alloc_site);
	return ok;
}

/* Free blocks of an area as a buddy allocator lists them, all mobilities together. */
static void world_buddies(const struct world *w, uint32_t area, unsigned int max_order,
			  uint64_t *count, uint64_t *longest)
{
	uint64_t run = 0;

	*longest = 0;
	for (uint32_t i = 0; i < w->n;) {
		unsigned int order = 0;

		if (w->page[i].state != W_FREE || w->page[i].area != area) {
			run = 0;
			i++;
			continue;
		}
		while (order < max_order) {
			uint64_t size = (uint64_t)2 << order;
			bool good = !((w->base + i) & (size - 1)) && size <= w->n - i;

			for (uint64_t k = i; good && k < i + size; k++)
				good = w->page[k].state == W_FREE && w->page[k].area == area;
			if (!good)
				break;
			order++;
		}
		count[order]++;
		run += (uint64_t)1 << order;
		i += 1u << order;
		if (run > *longest)
			*longest = run;
	}
}

static bool world_compare_stat(struct world *w, uint32_t area, struct pz_area_stat *out)
{
	uint64_t count[PZ_PAGE_ORDERS] = { 0 }, longest, managed = 0, cma = 0, listed = 0;
	unsigned int max_order = (unsigned int)(w->ops % PZ_PAGE_ORDERS);
	bool cmas = false;
	struct pz_area_stat s;

	for (uint32_t i = 0; i < w->n; i++) {
		const struct w_page *g = &w->page[i];

		if (g->area != area || g->state == W_NONE)
			continue;
		managed++;
		cmas |= g->kind == W_CMA;
		cma += g->kind == W_CMA && g->state == W_FREE;
	}
	world_buddies(w, area, max_order, count, &longest);
	pz_page_area_stat(w->pages, area, max_order, &s);
	*out = s;
	PROP_ASSERT(w->p, s.nid == w->area_nid[area] && s.type == w->area_type[area]);
	PROP_ASSERT(w->p, s.managed == managed);
	PROP_ASSERT(w->p, s.free + s.held == w->area_free[area]);
	PROP_ASSERT(w->p, !s.held || w->cfg.pcp_hold);
	PROP_ASSERT(w->p, pz_page_free_count(w->pages, area) == s.free);
	if (!s.held) {
		PROP_ASSERT(w->p, s.free_cma == cma);
		PROP_ASSERT(w->p, s.largest_run == longest);
	} else {
		PROP_ASSERT(w->p, s.free_cma <= cma && s.largest_run <= longest);
	}
	for (unsigned int o = 0; o <= PZ_PAGE_MAX_ORDER; o++) {
		uint64_t here = 0;

		for (unsigned int m = 0; m < PZ_MOBILITIES; m++)
			here += s.order[o][m];
		listed += here << o;
		if (!s.held && !cmas && here != count[o]) {
			prop_note(w->p,
				  "%" PRIu64 " blocks of order %u (up to %u), oracle %" PRIu64,
				  here, o, max_order, count[o]);
			return false;
		}
	}
	PROP_ASSERT(w->p, listed == s.free);
	return true;
}

static bool world_compare_area(struct world *w, uint32_t area)
{
	struct pz_area_stat s;

	if (world_compare_stat(w, area, &s))
		return true;
	prop_note(w->p,
		  "area %u (node %d %s): free %" PRIu64 ", held %" PRIu64 ", managed %" PRIu64
		  ", CMA %" PRIu64 ", run %" PRIu64 ", counted %" PRIu64 "; oracle free %" PRIu64,
		  area, (int)s.nid, pz_zone_name((enum pz_zone_type)s.type), s.free, s.held,
		  s.managed, s.free_cma, s.largest_run, pz_page_free_count(w->pages, area),
		  w->area_free[area]);
	return false;
}

bool world_sound(struct world *w)
{
	int broken = pz_pages_check(w->pages);

	if (broken)
		prop_note(w->p, "invariant %d does not hold", broken);
	return !broken;
}

bool world_compare(struct world *w)
{
	uint64_t free = 0;
	struct pz_page_info f;

	PROP_ASSERT(w->p, !w->wrong);
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	if (!world_sound(w))
		return false;
	PROP_ASSERT(w->p, pz_page_areas(w->pages) == w->areas);
	for (uint32_t i = 0; i < w->n; i++) {
		if (!world_compare_page(w, i))
			return false;
	}
	if (w->base) {
		pz_page_info(w->pages, w->base - 1, &f);
		PROP_ASSERT(w->p, f.state == PZ_PAGE_NONE);
	}
	pz_page_info(w->pages, w->base + w->n, &f);
	PROP_ASSERT(w->p, f.state == PZ_PAGE_NONE);
	for (uint32_t a = 0; a < w->areas; a++) {
		if (!world_compare_area(w, a))
			return false;
		free += pz_page_free_count(w->pages, a);
	}
	PROP_ASSERT(w->p, pz_page_free_count(w->pages, UINT32_MAX) == free);
	PROP_ASSERT(w->p, free == w->free || w->cfg.pcp_hold);
	return true;
}
