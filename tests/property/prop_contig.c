/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_contig.c - evacuation and contiguous areas: every number against brute force.
 *
 * The model knows each page of a small machine: which block it belongs to, whose it is, what is
 * written in it, and whether its owner would let it go. So it can say what the cheapest range is,
 * to the page; that a refusal was due; and that after each failure, injected ones too, nothing is
 * lost and nobody's page has changed.
 *
 * Several threads: an owner that frees a block while it is asked for it is played here by the hook
 * itself, which may free the block, or others in the range, and say later; and which allocates
 * while the range is being emptied. To the allocator that is the same as another CPU doing so
 * between the steps of an evacuation, for between hooks nothing but single exchanges happens.
 */
#include <physzone/contig.h>

#include <stdlib.h>
#include <string.h>

#include "hook.h"
#include "prop.h"

#define PAGES 320u
#define BASE 4096u /* page frame of the first page */
#define AREA 128u  /* pages of the contiguous area, from page AREA_AT on */
#define AREA_AT 96u
#define BLOCK 32u /* pages of a pageblock */

struct page {
	bool used, fixed; /* fixed: reserved */
	bool stubborn;	  /* at a head: the owner says no */
	uint32_t head, len;
	uint8_t owner;
	uint32_t token; /* what is written in it; 0 for nothing */
};

struct world {
	struct prop *p;
	struct hook meta;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_bugs bugs;
	struct pz_faults faults;
	struct pz_fault_point points[4];
	struct pz_pages *pages;
	struct page page[PAGES];
	uint32_t token;
	uint8_t owner;
	uint32_t area; /* number of the contiguous area */
	bool lively;   /* the hook frees and allocates */
	bool meddled;  /* and has done so */
	bool wrong;
	uint64_t moved;
	struct pz_range taken[PAGES]; /* given out of the area */
	uint32_t takens;
	uint64_t at_start; /* free pages */
};

static void model_take(struct world *w, uint64_t pfn, uint64_t n, uint8_t owner, bool stubborn)
{
	uint32_t at = (uint32_t)(pfn - BASE);

	if (pfn < BASE || at + n > PAGES) {
		w->wrong = true;
		return;
	}
	w->token++;
	for (uint32_t i = at; i < at + n; i++) {
		struct page *g = &w->page[i];

		if (g->used || g->fixed)
			w->wrong = true;
		*g = (struct page){ true, false, stubborn, at, (uint32_t)n, owner, w->token };
	}
}

static void model_drop(struct world *w, uint32_t at)
{
	uint32_t n = w->page[at].len, token = w->page[at].token;

	for (uint32_t i = at; i < at + n; i++) {
		if (w->page[i].token != token || w->page[i].head != at)
			w->wrong = true;
		memset(&w->page[i], 0, sizeof(w->page[i]));
	}
}

static bool model_is_head(const struct world *w, uint32_t i)
{
	return w->page[i].used && w->page[i].head == i;
}

/* Free some block that pz_cma_alloc() did not give. */
static void free_some(struct world *w, uint32_t from)
{
	for (uint32_t k = 0; k < PAGES; k++) {
		uint32_t i = (from + k) % PAGES, n = w->page[i].len;
		bool area = false;

		for (uint32_t t = 0; t < w->takens; t++)
			area |= w->taken[t].first == BASE + i;
		if (!model_is_head(w, i) || area)
			continue;
		model_drop(w, i);
		pz_free_exact(w->pages, PZ_CPU_NONE, BASE + i, n);
		return;
	}
}

static enum pz_migrate migrate(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	struct world *w = ctx;
	uint32_t at = (uint32_t)(from - BASE), n = 1u << order;
	struct page old = w->page[at];

	if (!model_is_head(w, at) || old.len != n || old.owner != w->owner)
		return PZ_MIGRATE_LATER;
	if (w->lively && prop_choice(w->p, 4) == 3) {
		uint64_t pfn;

		w->meddled = true;
		if (prop_choice(w->p, 2)) {
			free_some(w, prop_choice(w->p, 2) ? at
							  : (uint32_t)prop_draw(w->p, PAGES - 1));
		} else if (!pz_alloc_pages(w->pages, PZ_CPU_NONE, PZ_GFP_MEMALLOC, 0, NULL, &pfn)) {
			model_take(w, pfn, 1, 0, false);
		}
		if (!model_is_head(w, at) || w->page[at].token != old.token)
			return PZ_MIGRATE_LATER;
	}
	if (old.stubborn)
		return old.token & 1 ? PZ_MIGRATE_NO : PZ_MIGRATE_LATER;
	model_drop(w, at);
	model_take(w, to, n, old.owner, false);
	w->moved += n;
	return PZ_MIGRATE_YES;
}

/* What evacuating [lo, hi] would take, page by page. */
static void brute_cost(const struct world *w, uint32_t lo, uint32_t hi, struct pz_evacuation *e)
{
	memset(e, 0, sizeof(*e));
	e->pfns = (struct pz_range){ BASE + lo, BASE + hi };
	for (uint32_t i = lo; i <= hi; i++) {
		const struct page *g = &w->page[i];

		if (g->fixed || (g->used && (!g->owner || (g->len & (g->len - 1))))) {
			if (!e->fixed++)
				e->first_fixed = BASE + i;
		} else if (!g->used) {
			e->free++;
		} else if (i == lo || g->head == i) {
			e->movable += g->len;
		}
	}
}

static bool same_cost(const struct pz_evacuation *a, const struct pz_evacuation *b)
{
	return a->pfns.first == b->pfns.first && a->pfns.last == b->pfns.last &&
	       a->free == b->free && a->movable == b->movable && a->fixed == b->fixed &&
	       (!a->fixed || a->first_fixed == b->first_fixed);
}

static bool fits(const struct pz_limits *l, uint32_t at, uint64_t n)
{
	struct pz_range r = { (uint64_t)(BASE + at) << 12, ((BASE + at + n) << 12) - 1 };

	return at + n <= PAGES && pz_limits_check(l, r);
}

static struct pz_limits draw_limits(struct world *w)
{
	struct pz_limits l = pz_limits_any();
	uint64_t a = prop_draw(w->p, PAGES - 1), b = prop_draw(w->p, PAGES - 1);

	if (prop_choice(w->p, 2)) {
		l.min_addr = (BASE + (a < b ? a : b)) << 12;
		l.max_addr = ((BASE + (a < b ? b : a) + 1) << 12) - 1;
	}
	if (prop_choice(w->p, 3) == 2)
		l.align = (uint64_t)4096 << prop_draw(w->p, 7);
	if (prop_choice(w->p, 4) == 3)
		l.boundary = (uint64_t)4096 << prop_draw(w->p, 9);
	return l;
}

static bool op_numbers(struct world *w)
{
	uint32_t a = (uint32_t)prop_draw(w->p, PAGES - 1), b = (uint32_t)prop_draw(w->p, PAGES - 1);
	struct pz_limits l = draw_limits(w);
	struct pz_evacuation mine, best = { 0 }, e;
	uint64_t n = 1 + prop_draw(w->p, prop_choice(w->p, 2) ? 12 : 100);
	bool any = false;
	int rc;

	brute_cost(w, a < b ? a : b, a < b ? b : a, &mine);
	pz_evacuation_cost(w->pages, mine.pfns, &e);
	PROP_ASSERT(w->p, same_cost(&e, &mine));
	for (uint32_t i = 0; i + n <= PAGES; i++) {
		if (!fits(&l, i, n))
			continue;
		brute_cost(w, i, i + (uint32_t)n - 1, &mine);
		if (!mine.fixed && (!any || mine.movable <= best.movable))
			best = mine;
		any |= !mine.fixed;
	}
	rc = pz_evacuation_cheapest(w->pages, n, &l, &e);
	prop_note(w->p, "cheapest %llu: %d at %d moves %d, brute force %d moves %d",
		  (unsigned long long)n, rc, rc ? -1 : (int)(e.pfns.first - BASE),
		  rc ? -1 : (int)e.movable, any ? (int)(best.pfns.first - BASE) : -1,
		  any ? (int)best.movable : -1);
	PROP_ASSERT(w->p, any ? !rc && same_cost(&e, &best) : rc == -PZ_ENOMEM);
	return true;
}

static uint64_t model_free(const struct world *w)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		n += !w->page[i].used && !w->page[i].fixed;
	return n;
}

/* The allocator and the model agree on every page. */
static bool agree(struct world *w)
{
	PROP_ASSERT(w->p, !w->wrong && !w->bugs.count);
	PROP_ASSERT(w->p, pz_page_free_count(w->pages, UINT32_MAX) == model_free(w));
	PROP_ASSERT(w->p, pz_pages_check(w->pages) == 0);
	for (uint32_t i = 0; i < PAGES; i++) {
		const struct page *g = &w->page[i];
		struct pz_page_info f;

		pz_page_info(w->pages, BASE + i, &f);
		if (g->fixed) {
			PROP_ASSERT(w->p, f.state == PZ_PAGE_NONE);
		} else if (!g->used) {
			PROP_ASSERT(w->p, f.state == PZ_PAGE_FREE);
		} else {
			PROP_ASSERT(w->p, f.head == BASE + g->head && f.pages == g->len);
			PROP_ASSERT(w->p, f.owner == g->owner);
		}
	}
	return true;
}

/* Why a range cannot be had: something fixed, somebody stubborn. */
static bool blocked(const struct world *w, uint32_t lo, uint64_t n)
{
	for (uint32_t i = lo; i < lo + n; i++) {
		const struct page *g = &w->page[i];

		if (g->fixed || (g->used && (!g->owner || g->stubborn || (g->len & (g->len - 1)))))
			return true;
	}
	return false;
}

static bool op_evacuate(struct world *w, bool faulty)
{
	uint32_t a = (uint32_t)prop_draw(w->p, PAGES - 1), n = 1 + (uint32_t)prop_draw(w->p, 90);
	uint64_t moved = w->moved;
	struct pz_evacuation e;
	int rc;

	if (a + n > PAGES)
		n = PAGES - a;
	brute_cost(w, a, a + n - 1, &e);
	w->meddled = false;
	rc = pz_evacuate(w->pages, PZ_CPU_NONE, (struct pz_range){ BASE + a, BASE + a + n - 1 });
	prop_note(w->p, "evacuate %u (+%u): free %d movable %d fixed %d: %d", a, n, (int)e.free,
		  (int)e.movable, (int)e.fixed, rc);
	if (!rc) {
		model_take(w, BASE + a, n, 0, false);
		return true;
	}
	for (uint32_t i = a; i < a + n; i++) {
		if (w->page[i].fixed)
			PROP_ASSERT(w->p, rc == -PZ_EINVAL && w->moved == moved);
	}
	PROP_ASSERT(w->p, rc == -PZ_EINVAL || rc == -PZ_EBUSY || rc == -PZ_ENOMEM);
	if (rc == -PZ_EBUSY && !faulty && !w->meddled)
		PROP_ASSERT(w->p, blocked(w, a, n));
	if (e.fixed)
		PROP_ASSERT(w->p, w->moved == moved);
	return true;
}

static bool op_area(struct world *w, bool faulty)
{
	uint64_t n = 1 + prop_draw(w->p, prop_choice(w->p, 2) ? AREA : 9), pfn = 0;
	unsigned int order = prop_choice(w->p, 3) ? 0 : (unsigned int)prop_draw(w->p, 6);
	struct pz_limits l = draw_limits(w);
	int rc;

	w->meddled = false;
	rc = pz_cma_alloc(w->pages, PZ_CPU_NONE, w->area, n, order, &l, &pfn);
	prop_note(w->p, "area: %d pages of order %u: %d", (int)n, order, rc);
	if (l.align < (uint64_t)4096 << order)
		l.align = (uint64_t)4096 << order;
	if (!rc) {
		PROP_ASSERT(w->p, pfn >= BASE + AREA_AT && pfn + n <= BASE + AREA_AT + AREA);
		PROP_ASSERT(w->p, fits(&l, (uint32_t)(pfn - BASE), n));
		model_take(w, pfn, n, 0, false);
		w->taken[w->takens++] = (struct pz_range){ pfn, pfn + n - 1 };
		return true;
	}
	for (uint32_t i = AREA_AT; i + n <= AREA_AT + AREA; i++) {
		if (!fits(&l, i, n))
			continue;
		PROP_ASSERT(w->p, rc != -PZ_ERANGE);
		/* Each place was tried. */
		if (rc == -PZ_EBUSY && !faulty && !w->meddled)
			PROP_ASSERT(w->p, blocked(w, i, n));
	}
	return true;
}

static bool op_release(struct world *w)
{
	uint32_t t;
	struct pz_range r;

	if (!w->takens)
		return true;
	t = (uint32_t)prop_draw(w->p, w->takens - 1);
	r = w->taken[t];
	w->taken[t] = w->taken[--w->takens];
	model_drop(w, (uint32_t)(r.first - BASE));
	PROP_ASSERT(w->p, pz_cma_release(w->pages, PZ_CPU_NONE, w->area, r.first,
					 r.last - r.first + 1));
	return true;
}

static bool op_stat(struct world *w)
{
	uint64_t taken = 0, free = 0;
	struct pz_cma_stat s;

	for (uint32_t t = 0; t < w->takens; t++)
		taken += w->taken[t].last - w->taken[t].first + 1;
	for (uint32_t i = AREA_AT; i < AREA_AT + AREA; i++)
		free += !w->page[i].used;
	PROP_ASSERT(w->p, !pz_cma_stat(w->pages, w->area, &s));
	PROP_ASSERT(w->p, s.taken == taken && s.free == free && s.lent == AREA - taken - free);
	PROP_ASSERT(w->p, s.by_owner[0] + s.by_owner[w->owner] == s.lent);
	return true;
}

static bool op_alloc(struct world *w)
{
	struct pz_page_req req;
	bool movable = prop_choice(w->p, 4) != 3;
	uint64_t pfn;
	int rc;
	unsigned int order = prop_choice(w->p, 4) ? 0 : (unsigned int)prop_draw(w->p, 5);

	pz_page_req_init(w->pages, &req, order,
			 movable ? PZ_GFP_MOVABLE | PZ_GFP_OWNER(w->owner) : 0, PZ_CPU_NONE);
	if (prop_choice(w->p, 3) == 2) {
		req.gfp |= PZ_GFP_BLOCK;
		req.pages = 1 + prop_draw(w->p, 20);
		req.limits = draw_limits(w);
	}
	rc = pz_page_request(w->pages, &req, &pfn);
	prop_note(w->p, "request of %d pages, gfp %x: %d at %d", (int)req.pages, req.gfp, rc,
		  rc ? -1 : (int)(pfn - BASE));
	if (!rc) {
		PROP_ASSERT(w->p, fits(&req.limits, (uint32_t)(pfn - BASE), req.pages));
		if (!movable)
			PROP_ASSERT(w->p, pfn + req.pages <= BASE + AREA_AT ||
						  pfn >= BASE + AREA_AT + AREA);
		model_take(w, pfn, req.pages, movable ? w->owner : 0,
			   movable && prop_choice(w->p, 8) == 7);
	}
	return true;
}

static bool world_open(struct world *w, struct prop *p)
{
	struct pz_zone_config zones = { .configured = 1u << PZ_ZONE_NORMAL, .page_shift = 12,
					.max_order_pages = BLOCK };
	struct pz_cma_req req = { "area", AREA << 12, (uint64_t)(BASE + AREA_AT) << 12, 0, true,
				  PZ_NID_NONE, 0, false };
	struct pz_page_owner owner = { "owner", migrate, w };
	struct pz_page_config cfg = { .pageblock_order = 5, .cpus = 1, .max_pfn = UINT64_MAX,
				      .keep_pages = UINT64_MAX };
	struct pz_cma_reserved area;
	uint32_t holes = (uint32_t)prop_draw(p, 3);

	memset(w, 0, sizeof(*w));
	w->p = p;
	hook_init(&w->meta);
	w->bugs.policy = PZ_BUG_IGNORE;
	pz_faults_init(&w->faults, w->points, 4);
	zones.max_pfn[PZ_ZONE_NORMAL] = BASE + PAGES;
	cfg.meta = &w->meta.meta;
	cfg.zones = &w->z;
	cfg.memblock = &w->mb;
	cfg.bugs = &w->bugs;
	cfg.faults = &w->faults;
	cfg.policy = prop_choice(p, 2) ? PZ_POLICY_ZONELIST : PZ_POLICY_REACH;
	if (pz_memblock_init(&w->mb, &w->meta.meta, 12) ||
	    pz_memblock_add(&w->mb, (uint64_t)BASE << 12, PAGES << 12, 0, 0) ||
	    pz_cma_reserve(&w->mb, &req, BLOCK << 12, &area))
		return false;
	for (uint32_t i = 0; i < holes; i++) {
		uint32_t at = (uint32_t)prop_draw(p, AREA_AT - 1);

		w->page[at].fixed = true;
		if (pz_memblock_reserve(&w->mb, (uint64_t)(BASE + at) << 12, 4096, PZ_NID_NONE, 0))
			return false;
	}
	if (pz_zones_build(&w->z, &w->meta.meta, &w->mb, &zones) ||
	    pz_zones_set_managed(&w->z, &w->mb, UINT64_MAX) || pz_pages_create(&w->pages, &cfg))
		return false;
	if (pz_cma_activate(w->pages, &area, &w->area) ||
	    pz_page_owner_add(w->pages, &owner, &w->owner))
		return false;
	w->lively = prop_choice(p, 2);
	w->at_start = model_free(w);
	return true;
}

static bool world_step(struct world *w)
{
	uint32_t point = 1 + prop_choice(w->p, 2); /* page.piece, page.migrate */
	bool ok;

	switch (prop_choice(w->p, 12)) {
	default:
		return op_alloc(w);
	case 5:
	case 6:
		free_some(w, (uint32_t)prop_draw(w->p, PAGES - 1));
		return true;
	case 7:
		return op_numbers(w);
	case 8:
		return op_evacuate(w, false);
	case 9:
		return op_area(w, false) && op_stat(w);
	case 10:
		return op_release(w);
	case 11:
		pz_fault_arm(&w->faults, point, 1 + prop_draw(w->p, 20),
			     prop_choice(w->p, 2) ? UINT64_MAX : 1);
		ok = prop_choice(w->p, 2) ? op_evacuate(w, true) : op_area(w, true);
		pz_fault_arm(&w->faults, point, 0, 0);
		return ok && agree(w);
	}
}

static bool stream(struct prop *p, void *ctx)
{
	static struct world w;
	bool ok = world_open(&w, p);
	uint32_t ops = (uint32_t)prop_draw(p, 250);

	(void)ctx;
	for (uint32_t i = 0; ok && i < ops; i++) {
		ok = world_step(&w) && !w.wrong;
		if (ok && (i & 15) == 15)
			ok = agree(&w);
	}
	ok = ok && agree(&w);
	/* Give everything back: no page is lost. */
	while (ok && w.takens)
		ok = op_release(&w);
	for (uint32_t i = 0; ok && i < PAGES; i++) {
		if (model_is_head(&w, i))
			free_some(&w, i);
	}
	ok = ok && agree(&w) && pz_page_free_count(w.pages, UINT32_MAX) == w.at_start;
	pz_pages_destroy(w.pages);
	pz_zones_destroy(&w.z);
	pz_memblock_destroy(&w.mb);
	return ok && !w.meta.live && !w.meta.bad_free;
}

int main(void)
{
	prop_run("evacuation and a contiguous area, page by page", stream, NULL, 1500);
	return prop_done();
}
