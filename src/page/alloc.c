/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.c - requests: where to look, in which order, and what is not to be touched.
 *
 * Concept
 *  A request has a window: the frames that its limits allow. The policy cuts the window into
 *  segments (the frames of one zone of one node) and says in which order they are tried:
 *   - PZ_POLICY_REACH: node after node by distance, in each from the highest address down. What
 *     spans several segments is tried last, on the whole window.
 *   - PZ_POLICY_ZONELIST: node after node, zone after zone from the highest down.
 *  A segment whose area is too close to its watermark is passed over.
 *
 * Mobility
 *  Pageblocks have a mobility. A request takes, in this order: from a pageblock of its own; movable
 *  pages from CMA (first of all while more than half of the free memory is CMA); a pageblock that
 *  is free as a whole, which becomes its own; the largest free block in a pageblock of another
 *  mobility (unmovable: reclaimable, then movable; movable: reclaimable, then unmovable;
 *  reclaimable: unmovable, then movable), which becomes its own if at least half of it is free.
 *
 * Failure
 *  "Never" is answered before any search, from the managed ranges. When nothing was found while a
 *  hint was being corrected or a unit split or merged, the search is repeated.
 */
#include "page_internal.h"

/* How often a search is repeated that others may have misled. */
#define ALLOC_TRIES 16
/* Rounds of reclaim before giving up. */
#define ALLOC_RECLAIMS 16

bool pz_page_seg_asked(const struct pz_pages *p, const struct page_ask *a, const struct page_seg *s)
{
	unsigned int type = p->area[s->area].type;

	if (a->node != UINT32_MAX && s->node != a->node)
		return false;
	return type <= a->highest || a->highest >= PZ_ZONE_TYPES;
}

/* ZONE_MOVABLE is for movable pages only. */
bool pz_page_may_use(const struct pz_pages *p, const struct page_ask *a, const struct page_seg *s)
{
	return pz_page_seg_asked(p, a, s) &&
	       (p->area[s->area].type != PZ_ZONE_MOVABLE || (a->req->gfp & PZ_GFP_MOVABLE));
}

/* The i-th node in the order of fallback from a node, or UINT32_MAX after the last. */
uint32_t pz_page_node_at(const struct pz_pages *p, uint32_t home, uint32_t i)
{
	if (i >= p->node_count)
		return UINT32_MAX;
	if (p->fallback)
		return (uint32_t)p->fallback[home * p->node_count + i];
	return home + i < p->node_count ? home + i : home + i - p->node_count;
}

/* The highest zone type, up to the one asked for, that has anything of the window. */
static uint8_t alloc_highest(const struct pz_pages *p, const struct page_ask *a)
{
	uint8_t highest = 0;

	for (uint32_t i = 0; i < p->seg_count; i++) {
		const struct page_seg *s = &p->seg[i];
		uint8_t type = p->area[s->area].type;

		if (s->lo <= a->hi && s->hi >= a->lo && type <= a->highest && type > highest)
			highest = type;
	}
	return highest;
}

int pz_page_ask_init(const struct pz_pages *p, const struct pz_page_req *req, struct page_ask *a)
{
	uint64_t align = req->limits.align >> p->page_shift, block;
	uint32_t gfp = req->gfp & 0xffffff;

	if (!req->pages || !pz_limits_valid(&req->limits) || (gfp & ~PZ_GFP_ALL) ||
	    ((gfp & PZ_GFP_MOVABLE) && (gfp & PZ_GFP_RECLAIMABLE)) || req->highest > PZ_ZONE_TYPES)
		return -PZ_EINVAL;
	if (PZ_GFP_OWNER_OF(req->gfp) > pz_peek32(&p->owner_count) ||
	    (PZ_GFP_OWNER_OF(req->gfp) && !(gfp & PZ_GFP_MOVABLE)))
		return -PZ_EINVAL;
	memset(a, 0, sizeof(*a));
	a->req = req;
	a->cpu = req->cpu < p->cpus ? req->cpu : PZ_CPU_NONE;
	a->home = a->cpu == PZ_CPU_NONE ? 0 : p->cpu[a->cpu].node;
	a->node = UINT32_MAX;
	if (req->nid != PZ_NID_NONE) {
		const struct pz_node *n = pz_zones_node(p->cfg.zones, req->nid);

		if (!n)
			return -PZ_EINVAL;
		a->home = (uint32_t)(n - p->cfg.zones->node);
	}
	if (gfp & PZ_GFP_THISNODE)
		a->node = a->home;
	a->zonelist = pz_peek32(&p->policy) == PZ_POLICY_ZONELIST;
	a->highest = PZ_ZONE_TYPES;
	if (a->zonelist) {
		a->highest = req->highest;
		if (req->highest == PZ_ZONE_TYPES)
			a->highest = gfp & PZ_GFP_MOVABLE ? PZ_ZONE_MOVABLE : PZ_ZONE_NORMAL;
	}
	a->type = gfp & 3;
	if (p->type_default == PZ_UNMOVABLE)
		a->type = PZ_UNMOVABLE;
	a->size = req->pages << p->page_shift;
	if (a->size >> p->page_shift != req->pages ||
	    !pz_page_window(p, req->limits.min_addr, req->limits.max_addr, &a->lo, &a->hi))
		return -PZ_ERANGE;
	if (!align)
		align = 1;
	if (!pz_roundup_pow2(req->pages > align ? req->pages : align, &block))
		return -PZ_ERANGE;
	a->order = (uint8_t)pz_fls64(block);
	a->block = block == req->pages && align == block;
	if (!a->zonelist && a->hi >= p->frames - 1 && !(gfp & (PZ_GFP_NOKEEP | PZ_GFP_MEMALLOC)))
		a->keep = p->keep;
	/* A limit says which zones matter, as a zone flag does: no reserve is kept against others.
	 */
	if (a->zonelist && req->highest == PZ_ZONE_TYPES)
		a->highest = alloc_highest(p, a);
	return pz_page_could_ever(p, a) ? 0 : -PZ_ERANGE;
}

int pz_page_ever(const struct pz_pages *p, const struct pz_page_req *req)
{
	struct page_ask a;

	return pz_page_ask_init(p, req, &a);
}

uint32_t pz_page_shift(const struct pz_pages *p)
{
	return p->page_shift;
}

/* What a request's context lets it use of a watermark. */
static uint64_t alloc_mark(const struct pz_page_req *req, enum page_mark mark, uint64_t low,
			   uint64_t min)
{
	if (mark == PAGE_MARK_NONE)
		return 0;
	if (mark == PAGE_MARK_LOW)
		return low;
	if (req->gfp & PZ_GFP_HIGH) {
		min -= min / 2;
		if (!(req->gfp & PZ_GFP_BLOCK))
			min -= min / 4;
	}
	return min;
}

/*
 * The watermark and the lowmem reserve that an area's free pages have to stay above, with
 * PZ_POLICY_ZONELIST; else those of all areas together, when @area is NULL.
 */
void pz_page_marks(const struct pz_pages *p, const struct page_ask *a, const struct page_area *area,
		   enum page_mark mark, uint64_t *min, uint64_t *reserve)
{
	uint64_t low = 0, least = 0;

	*min = *reserve = 0;
	if (a->zonelist != !!area)
		return;
	for (uint32_t i = 0; i < p->area_count; i++) {
		const struct page_area *z = &p->area[i];
		const struct pz_zone *zone = &p->cfg.zones->node[z->node].zone[z->type];

		if (area && z != area)
			continue;
		low += zone->low;
		least += zone->min;
		if (area && mark != PAGE_MARK_NONE)
			*reserve = zone->reserve[a->highest];
	}
	*min = alloc_mark(a->req, mark, low, least);
	/* What is kept is not to be spent on the watermark: it is there for narrower limits. */
	if (!area && *min && a->keep)
		*reserve = p->keep_count;
}

/* Whether free pages, of an area or (UINT32_MAX) of all, stay above what has to be left. */
static bool alloc_above(const struct pz_pages *p, uint32_t area, uint64_t counted, uint64_t least)
{
	/* The count that all see is off by what the CPUs have not added; mostly that decides. */
	uint64_t off = page_uncounted(p);

	if (counted + off <= least)
		return false;
	if (counted <= INT64_MAX && counted > least + off)
		return true;
	counted = pz_page_free_count(p, area);
	return counted <= INT64_MAX && counted > least;
}

/*
 * What the free pages of an area, or of all (UINT32_MAX), have to exceed for a request, when @cma
 * of them lie in CMA areas and @highatomic pages in pageblocks for atomic requests. False when
 * there is no such mark.
 */
bool pz_page_mark_floor(const struct pz_pages *p, const struct page_ask *a, uint32_t area,
			enum page_mark mark, uint64_t cma, uint64_t highatomic, uint64_t *floor)
{
	uint64_t min, reserve;

	pz_page_marks(p, a, area < p->area_count ? &p->area[area] : NULL, mark, &min, &reserve);
	*floor = min + reserve + a->req->pages - 1;
	if (!(a->req->gfp & PZ_GFP_MOVABLE))
		*floor += cma;
	if (!(a->req->gfp & PZ_GFP_HIGH))
		*floor += highatomic;
	return min + reserve;
}

/* Whether an area, or all memory (UINT32_MAX), is far enough from its watermark for a request. */
bool pz_page_mark_ok(const struct pz_pages *p, const struct page_ask *a, uint32_t area,
		     enum page_mark mark)
{
	const struct page_area *z = area < p->area_count ? &p->area[area] : NULL;
	uint64_t cma = 0, highatomic = 0, floor;

	for (uint32_t i = 0; i < p->area_count; i++) {
		if (z && i != area)
			continue;
		cma += pz_load64(&p->area[i].free_cma);
		highatomic += pz_load64(&p->area[i].highatomic);
	}
	if (!pz_page_mark_floor(p, a, area, mark, cma, highatomic, &floor))
		return true;
	return alloc_above(p, area, pz_load64(z ? &z->free : &p->free_all), floor);
}

/* Of a block that was taken, keep the first @want frames. */
void pz_page_trim(struct pz_pages *p, uint64_t index, uint64_t have, uint64_t want)
{
	if (have > want && pz_page_cut(p, index + want))
		(void)pz_page_free_block(p, index + want, have - want);
}

/* Whether at least half of a pageblock is free, or was taken just now. */
static bool alloc_half_free(const struct pz_pages *p, uint64_t index, uint64_t taken)
{
	uint64_t n = (uint64_t)1 << p->pageblock_order, free = taken;

	index &= ~(n - 1);
	for (uint64_t at = index; at < index + n; at += WORD_UNITS) {
		unsigned int level;

		switch (pz_page_probe(p, at, &level)) {
		case WORD_FREE:
			if (level) {
				free += WORD_UNITS;
				break;
			}
			/* fall through */
		default:
			if (!level)
				free += pz_popcount32(
					word_free(pz_load64(page_word(p, 0, at >> WORD_SHIFT))));
		}
	}
	return free >= n / 2;
}

/* A pageblock that is free as a whole becomes one of the request's mobility. */
static bool alloc_claim(struct pz_pages *p, const struct page_ask *a, struct page_want *w,
			uint64_t *index)
{
	struct page_want whole = *w;

	whole.order = (uint8_t)p->pageblock_order;
	whole.kind = PAGE_K_ANY;
	if (!pz_page_tree_take(p, &whole, index))
		return false;
	pz_page_set_type(p, *index, p->pageblock_order, a->type);
	pz_page_trim(p, *index, (uint64_t)1 << p->pageblock_order, (uint64_t)1 << w->order);
	return true;
}

/* Whether a CPU has met another one since it was asked last; with room to spare it goes elsewhere.
 */
static bool alloc_met(struct pz_pages *p, const struct page_ask *a)
{
	struct page_cpu *c = a->cpu == PZ_CPU_NONE ? NULL : &p->cpu[a->cpu];
	uint32_t crowd = c ? pz_peek32(&c->crowd) : 0;

	if (!c || crowd == pz_peek32(&c->crowd_seen))
		return false;
	pz_poke32(&c->crowd_seen, crowd);
	return p->type_mask && pz_load64(&p->free_all) > p->total >> 3;
}

/* A free pageblock, or the largest free piece of one of another mobility. */
static bool alloc_steal_piece(struct pz_pages *p, const struct page_ask *a, struct page_want *w,
			      uint64_t *index)
{
	static const uint8_t from[PAGE_TYPES][2] = {
		{ PZ_RECLAIMABLE, PZ_MOVABLE },
		{ PZ_RECLAIMABLE, PZ_UNMOVABLE },
		{ PZ_UNMOVABLE, PZ_MOVABLE },
	};
	unsigned int order = w->order, top = p->level_count - 1;

	if (alloc_claim(p, a, w, index))
		return true;
	for (unsigned int f = 0; f < 2; f++) {
		w->kind = from[a->type][f];
		w->order = (uint8_t)order;
		if (!pz_page_may(p, top, 0, w->kind, order))
			continue;
		/* Is there any at all? Then the largest. */
		w->look = true;
		if (!pz_page_tree_take(p, w, index))
			continue;
		w->look = false;
		for (unsigned int o = p->pageblock_order; o-- > order;) {
			uint64_t have = (uint64_t)1 << o;

			w->order = (uint8_t)o;
			if (!pz_page_tree_take(p, w, index))
				continue;
			if (alloc_half_free(p, *index, have))
				pz_page_set_type(
					p, *index & ~(((uint64_t)1 << p->pageblock_order) - 1),
					p->pageblock_order, a->type);
			pz_page_trim(p, *index, have, (uint64_t)1 << order);
			return true;
		}
	}
	return false;
}

/* The same; more is taken than is kept, and that is hidden from others for a moment. */
static bool alloc_steal(struct pz_pages *p, const struct page_ask *a, struct page_want *w,
			uint64_t *index)
{
	uint64_t key = a->cpu;
	bool got;

	page_settle_begin(p, key);
	got = alloc_steal_piece(p, a, w, index);
	page_settle_done(p, key, got);
	return got;
}

/* An aligned block of an order within a window. */
static bool alloc_block(struct pz_pages *p, const struct page_ask *a, unsigned int order,
			uint64_t lo, uint64_t hi, uint32_t area, uint64_t *index)
{
	bool movable = a->req->gfp & PZ_GFP_MOVABLE;
	struct page_want w = { .lo = lo, .hi = hi, .order = (uint8_t)order };
	bool cma = movable && pz_peek32(&p->cma_count), first = false, got;

	if (lo > hi)
		return false;
	/* CPUs begin in places of their own, and move on when they meet nevertheless. */
	if (a->cpu != PZ_CPU_NONE)
		w.spread = page_spread(&p->cpu[a->cpu]);
	if (cma && area != UINT32_MAX)
		first = pz_load64(&p->area[area].free_cma) > pz_load64(&p->area[area].free) / 2;
	if (order < p->pageblock_order && alloc_met(p, a)) {
		page_settle_begin(p, a->cpu);
		got = alloc_claim(p, a, &w, index);
		page_settle_done(p, a->cpu, got);
		if (got)
			return true;
	}
	w.kind = PAGE_K_CMA;
	if (first && pz_page_tree_take(p, &w, index))
		return true;
	w.kind = order < p->pageblock_order ? a->type : PAGE_K_ANY;
	if (pz_page_tree_take(p, &w, index))
		return true;
	/* Rather what a CPU has freed and told nobody of than memory of another kind or zone. */
	if (pz_page_tell(p) && pz_page_tree_take(p, &w, index))
		return true;
	w.kind = PAGE_K_CMA;
	if (cma && !first && pz_page_tree_take(p, &w, index))
		return true;
	w.kind = PAGE_K_HIGHATOMIC;
	if (p->special && pz_page_type_serves(PZ_HIGHATOMIC, a->req->gfp) &&
	    pz_page_tree_take(p, &w, index))
		return true;
	if (order >= p->pageblock_order || p->type_default == PZ_UNMOVABLE)
		return false;
	return alloc_steal(p, a, &w, index);
}

/*
 * The first part of an aligned block that is free, without the rest: a request that is shorter than
 * its alignment, or no power of two long.
 */
static bool alloc_first_part(struct pz_pages *p, const struct page_ask *a, uint64_t lo, uint64_t hi,
			     uint64_t *index)
{
	struct page_want w = { .lo = lo, .hi = hi, .order = a->order, .look = true };

	w.kind = a->order < p->pageblock_order ? a->type : PAGE_K_ANY;
	for (unsigned int tries = 0; tries < ALLOC_TRIES && pz_page_tree_take(p, &w, index);
	     tries++) {
		if (pz_page_run_take_at(p, *index, a->req->pages))
			return true;
	}
	return false;
}

/* What of a window is tried: aligned blocks, runs that are none, or both. */
#define ALLOC_BLOCKS 1u
#define ALLOC_RUNS 2u

/* The request within a window: the aligned block that holds it, then what else would do. */
static bool alloc_window(struct pz_pages *p, const struct page_ask *a, uint64_t lo, uint64_t hi,
			 uint32_t area, unsigned int what, uint64_t *index)
{
	bool hold = p->hold && a->block && !a->order && area != UINT32_MAX, over;

	if (lo < a->lo)
		lo = a->lo;
	if (lo < a->keep)
		lo = a->keep;
	if (hi > a->hi)
		hi = a->hi;
	if (lo > hi)
		return false;
	if (hold && pz_page_hold_take(p, a, area, lo, hi, index))
		return true;
	over = (what & ALLOC_BLOCKS) && (uint64_t)1 << a->order != a->req->pages;
	if (over && alloc_first_part(p, a, lo, hi, index))
		return true;
	if (over)
		page_settle_begin(p, a->cpu);
	if ((what & ALLOC_BLOCKS) && alloc_block(p, a, a->order, lo, hi, area, index)) {
		if (hold)
			pz_page_hold_refill(p, a, area, *index);
		pz_page_trim(p, *index, (uint64_t)1 << a->order, a->req->pages);
		if (over)
			page_settle_end(p, a->cpu);
		return true;
	}
	if (over)
		page_settle_cancel(p, a->cpu);
	if (!(what & ALLOC_RUNS))
		return false;
	/* A block of whole pageblocks of several kinds is not known as one. */
	if (a->block && !(p->special && a->order >= p->pageblock_order))
		return false;
	return pz_page_run_take(p, a->req, lo, hi, false, false, index);
}

/* @kept is set when a watermark was in the way somewhere. */
static bool alloc_by_zones(struct pz_pages *p, struct page_ask *a, enum page_mark mark,
			   uint64_t *index, bool *kept)
{
	for (uint32_t i = 0; i < p->node_count; i++) {
		uint32_t n = pz_page_node_at(p, a->home, i);

		if (n == UINT32_MAX)
			break;
		for (int type = (int)a->highest; type >= 0; type--) {
			for (uint32_t k = p->node_seg[n]; k < p->node_seg[n + 1]; k++) {
				const struct page_seg *s = &p->seg[p->by_node[k]];

				if (p->area[s->area].type != type || !pz_page_may_use(p, a, s))
					continue;
				if (!pz_page_mark_ok(p, a, s->area, mark)) {
					*kept = true;
					continue;
				}
				a->recent = pz_page_recent(p, a, s->area, index);
				if (a->recent)
					return true;
				if (alloc_window(p, a, s->lo, s->hi, s->area,
						 ALLOC_BLOCKS | ALLOC_RUNS, index))
					return true;
			}
		}
	}
	return false;
}

enum alloc_look { ALLOC_UNKNOWN, ALLOC_SOME, ALLOC_NONE };

/* Whether there is any block that an aligned request could have, wherever: "no" at a glance. */
static bool alloc_any(struct pz_pages *p, const struct page_ask *a)
{
	struct page_want w = { .lo = a->lo, .hi = a->hi, .order = a->order, .look = true };
	uint64_t index;

	if (w.lo < a->keep)
		w.lo = a->keep;
	if (w.lo > w.hi)
		return false;
	for (unsigned int kind = 0; kind < PAGE_KINDS; kind++) {
		bool whole = a->order >= p->pageblock_order;

		if (whole ? kind != PAGE_K_ANY : kind > PAGE_K_RECLAIMABLE)
			continue;
		w.kind = (uint8_t)kind;
		if (pz_page_tree_take(p, &w, &index))
			return true;
	}
	return false;
}

/*
 * A segment from its highest class of addresses down: free memory of the highest class is used,
 * though a pageblock of another mobility has to change for it, before any of a lower one.
 */
static bool alloc_by_class(struct pz_pages *p, const struct page_ask *a, const struct page_seg *s,
			   enum alloc_look *look, uint64_t *index)
{
	uint64_t lo = s->lo > a->lo ? s->lo : a->lo, hi = s->hi < a->hi ? s->hi : a->hi;
	unsigned int shift = PAGE_CLASS_BITS - p->page_shift;

	/* Blocks that are larger than the lowest class would not be found within one. */
	if (a->order > shift)
		return alloc_window(p, a, lo, hi, s->area, ALLOC_BLOCKS, index);
	for (;;) {
		uint64_t pfn = page_to_pfn(p, hi), first = 0, down;
		unsigned int class = page_class(p, pfn);

		if (class)
			first = (uint64_t)1 << (shift + class - 1);
		down = pfn - first > hi - lo ? lo : hi - (pfn - first);
		if (alloc_window(p, a, down, hi, s->area, ALLOC_BLOCKS, index))
			return true;
		if (*look == ALLOC_UNKNOWN && !p->special)
			*look = alloc_any(p, a) ? ALLOC_SOME : ALLOC_NONE;
		if (*look == ALLOC_NONE || down <= lo)
			return false;
		hi = down - 1;
	}
}

static bool alloc_by_reach(struct pz_pages *p, const struct page_ask *a, uint64_t *index)
{
	uint32_t groups = 0;
	enum alloc_look look = ALLOC_UNKNOWN;

	for (uint32_t i = 0; i < p->node_count && look != ALLOC_NONE; i++) {
		uint32_t n = pz_page_node_at(p, a->home, i);

		if (n == UINT32_MAX)
			break;
		for (uint32_t k = p->node_seg[n]; k < p->node_seg[n + 1]; k++) {
			const struct page_seg *s = &p->seg[p->by_node[k]];

			if (s->lo > a->hi || s->hi < a->lo || !pz_page_may_use(p, a, s))
				continue;
			groups++;
			if (alloc_by_class(p, a, s, &look, index))
				return true;
			if (look == ALLOC_NONE)
				break;
		}
	}
	if (a->block &&
	    (look == ALLOC_NONE || (!p->special && (groups < 2 || a->order <= p->join_order))))
		return false;
	/* Then what lies across segments, highest first. */
	for (uint32_t i = p->seg_count; i-- > 0;) {
		uint64_t hi = p->seg[i].hi, lo;

		if (!pz_page_may_use(p, a, &p->seg[i]))
			continue;
		while (i && pz_page_may_use(p, a, &p->seg[i - 1]))
			i--;
		lo = p->seg[i].lo;
		if (alloc_window(p, a, lo, hi, UINT32_MAX,
				 look == ALLOC_NONE ? ALLOC_RUNS : ALLOC_BLOCKS | ALLOC_RUNS,
				 index))
			return true;
	}
	return false;
}

enum alloc_found { ALLOC_FOUND, ALLOC_NOTHING, ALLOC_UNSURE };

/* With less of a watermark the answer may differ when it is ALLOC_UNSURE, not ALLOC_NOTHING. */
static enum alloc_found alloc_search(struct pz_pages *p, struct page_ask *a, enum page_mark mark,
				     uint64_t *index)
{
	for (unsigned int tries = 0; tries < ALLOC_TRIES; tries++) {
		bool quiet, kept = false;
		uint32_t settled = page_settled(p, &quiet);

		if (pz_fault_hit(p->cfg.faults, p->fault_search))
			return ALLOC_UNSURE;
		if (a->zonelist) {
			if (alloc_by_zones(p, a, mark, index, &kept))
				return ALLOC_FOUND;
		} else if (pz_page_mark_ok(p, a, UINT32_MAX, mark)) {
			a->recent = pz_page_recent(p, a, UINT32_MAX, index);
			if (a->recent || alloc_by_reach(p, a, index))
				return ALLOC_FOUND;
		} else {
			kept = true;
		}
		/*
		 * Nobody keeps a free run to himself, and nothing that others did meanwhile,
		 * telling included, can have hidden one.
		 */
		if (!pz_page_tell(p) && page_settled(p, &quiet) == settled && quiet)
			return kept ? ALLOC_UNSURE : ALLOC_NOTHING;
	}
	return ALLOC_UNSURE;
}

static bool alloc_find(struct pz_pages *p, struct page_ask *a, enum page_mark mark, uint64_t *index)
{
	return alloc_search(p, a, mark, index) == ALLOC_FOUND;
}

/* Tell the embedder once that an area runs low, until it has recovered. */
static void alloc_tell_low(struct pz_pages *p, const struct page_ask *a)
{
	for (uint32_t i = 0; i < p->seg_count; i++) {
		struct page_area *z = &p->area[p->seg[i].area];

		if (!pz_page_may_use(p, a, &p->seg[i]) || p->seg[i].lo > a->hi ||
		    p->seg[i].hi < a->lo)
			continue;
		if (pz_page_mark_ok(p, a, a->zonelist ? p->seg[i].area : UINT32_MAX, PAGE_MARK_LOW))
			pz_poke32(&z->told, 0);
		else if (pz_cas32(&z->told, 0, 1) && p->cfg.hooks.low)
			p->cfg.hooks.low(p->cfg.hooks.ctx, z->nid, (enum pz_zone_type)z->type);
	}
}

/* What may be done when nothing was found, @sure: marks aside. 0 with the index, or the error. */
static int alloc_hard(struct pz_pages *p, struct page_ask *a, bool sure, uint64_t *index)
{
	const struct pz_page_hooks *h = &p->cfg.hooks;
	uint32_t gfp = a->req->gfp;
	enum page_mark mark = gfp & PZ_GFP_MEMALLOC ? PAGE_MARK_NONE : PAGE_MARK_MIN;
	int rc = -PZ_ENOMEM;

	alloc_tell_low(p, a);
	if (!sure && alloc_find(p, a, mark, index))
		return 0;
	if (pz_page_unreserve_highatomic(p, a) && alloc_find(p, a, mark, index))
		return 0;
	if (p->hold && pz_page_drain(p, PZ_CPU_NONE) && alloc_find(p, a, mark, index))
		return 0;
	if (!(gfp & PZ_GFP_BLOCK))
		return rc;
	rc = pz_page_evacuate_for(p, a, index);
	if (!rc)
		return 0;
	for (unsigned int round = 0; round < ALLOC_RECLAIMS; round++) {
		uint64_t freed;

		freed = h->reclaim ? h->reclaim(h->ctx, a->req->pages, &a->req->limits) : 0;
		if (!freed && !(gfp & PZ_GFP_NORETRY) && h->oom &&
		    h->oom(h->ctx, a->req->pages, &a->req->limits))
			freed = 1;
		if (p->hold)
			(void)pz_page_drain(p, PZ_CPU_NONE);
		if (alloc_find(p, a, mark, index))
			return 0;
		/* There may be room now for what was in the way. */
		if (freed && !pz_page_evacuate_for(p, a, index))
			return 0;
		if (!freed || (gfp & PZ_GFP_NORETRY))
			return rc;
	}
	return rc;
}

/* What a block is given before its new owner has it. */
void pz_page_prepare(struct pz_pages *p, const struct page_ask *a, uint64_t index, bool guarded)
{
	const struct pz_page_hooks *h = &p->cfg.hooks;
	uint64_t pfn = page_to_pfn(p, index), n = a->req->pages, bad;
	uint64_t guard = guarded ? 1 : 0;

	if (p->owner)
		pz_poke8(&p->owner[index], (uint8_t)PZ_GFP_OWNER_OF(a->req->gfp));
	if (p->cfg.debug) {
		pz_page_note_alloc(p, index);
		if ((p->cfg.debug & PZ_PAGE_DEBUG_GUARD) && h->map)
			h->map(h->ctx, pfn, n - guard, true);
		if ((p->cfg.debug & PZ_PAGE_DEBUG_POISON) && h->filled &&
		    !h->filled(h->ctx, pfn, n - guard, PAGE_POISON, &bad) && p->cfg.bugs)
			pz_bug(p->cfg.bugs, "pz_page_request",
			       "page %#llx was written to while it was free",
			       (unsigned long long)bad);
	}
	if ((a->req->gfp & PZ_GFP_ZERO) && h->fill)
		h->fill(h->ctx, pfn, n - guard, 0);
}

/* A request on its way: what the caller asked, or that and a page to guard it. */
struct alloc_job {
	const struct pz_page_req *req;
	struct pz_page_req guarded;
	struct page_ask ask;
};

static int alloc_begin(struct pz_pages *p, struct alloc_job *job, const struct pz_page_req *req)
{
	job->req = req;
	if (page_guard(p, req->pages)) {
		job->guarded = *req;
		job->guarded.pages = 2;
		job->req = &job->guarded;
	}
	return pz_page_ask_init(p, job->req, &job->ask);
}

static void alloc_end(struct pz_pages *p, const struct alloc_job *job, uint64_t index,
		      uint64_t *pfn)
{
	pz_page_taken(p, &job->ask, index);
	pz_page_prepare(p, &job->ask, index, job->req == &job->guarded);
	*pfn = page_to_pfn(p, index);
}

int pz_page_request(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn)
{
	return pz_page_short(p, req, pfn) ? 0 : pz_page_request_long(p, req, pfn);
}

int pz_page_request_long(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn)
{
	enum alloc_found found = ALLOC_UNSURE;
	struct alloc_job job;
	uint64_t index;
	int rc;

	rc = alloc_begin(p, &job, req);
	if (rc)
		return rc;
	if (!(req->gfp & PZ_GFP_MEMALLOC))
		found = alloc_search(p, &job.ask, PAGE_MARK_LOW, &index);
	if (found != ALLOC_FOUND) {
		rc = alloc_hard(p, &job.ask, found == ALLOC_NOTHING, &index);
		if (rc)
			return rc;
	}
	alloc_end(p, &job, index, pfn);
	return 0;
}

/*
 * A request that calls no hook and moves nothing, for the destination of pages that are moved:
 * moving comes to this function, so that it must never come to moving.
 */
int pz_page_request_quiet(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn)
{
	enum alloc_found found;
	struct alloc_job job;
	uint64_t index;
	int rc;

	rc = alloc_begin(p, &job, req);
	if (rc)
		return rc;
	found = alloc_search(p, &job.ask, PAGE_MARK_LOW, &index);
	if (found == ALLOC_UNSURE)
		found = alloc_search(p, &job.ask, PAGE_MARK_MIN, &index);
	if (found != ALLOC_FOUND)
		return -PZ_ENOMEM;
	alloc_end(p, &job, index, pfn);
	return 0;
}

void pz_page_req_init(const struct pz_pages *p, struct pz_page_req *req, unsigned int order,
		      uint32_t gfp, uint32_t cpu)
{
	memset(req, 0, sizeof(*req));
	req->pages = (uint64_t)1 << (order < 47 ? order : 47);
	req->limits = pz_limits_any();
	req->limits.align = req->pages << p->page_shift;
	req->gfp = gfp;
	req->cpu = cpu;
	req->nid = PZ_NID_NONE;
	req->highest = PZ_ZONE_TYPES;
}
