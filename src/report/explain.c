/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - what a request would get, and what is the matter with each area.
 *
 * Concept
 *  A view is the request together with suppositions: caches drained, a pageblock given back. The
 *  steps of pz_page_request() are gone through on views, and nothing is taken. Where pages may lie
 *  is cut in the same way: under PZ_POLICY_ZONELIST each segment by itself, else neighbouring
 *  segments that the request may use, as one. Marks come from the function that the allocator uses.
 *
 * Invariants
 *  1. the outcome is what the request made right after gives, as long as the hooks free nothing,
 *     and the owners of movable pages let them go where that is needed, to blocks that are free;
 *  2. an area has the verdict PZ_V_OK exactly when a run that overlaps it would be given.
 */
#include "report_internal.h"

/* The area whose mark counts for a request: with PZ_POLICY_REACH there is one mark for all. */
static uint32_t explain_marked(const struct report_view *v, uint32_t area)
{
	return v->ask.zonelist ? area : UINT32_MAX;
}

static enum page_mark explain_mark(const struct report_view *v)
{
	return v->req.gfp & PZ_GFP_MEMALLOC ? PAGE_MARK_NONE : PAGE_MARK_MIN;
}

/* The floor that free pages have to exceed, and those that there are; false: not above. */
bool pz_report_above(const struct report_view *v, uint32_t area, uint64_t *floor, uint64_t *free)
{
	const struct pz_pages *p = v->p;
	uint64_t cma = 0, high = 0;

	area = explain_marked(v, area);
	*free = pz_page_free_count(p, area) + v->extra;
	for (uint32_t i = 0; i < p->area_count; i++) {
		if (area != UINT32_MAX && i != area)
			continue;
		cma += pz_load64(&p->area[i].free_cma);
		high += pz_load64(&p->area[i].highatomic);
		if (v->drained) {
			*free += pz_report_held(p, i, false);
			if (pz_peek32(&p->cma_count))
				cma += pz_report_held(p, i, true);
		}
	}
	if (area != UINT32_MAX && v->extra_area != area)
		*free -= v->extra;
	if (v->given_back) {
		const struct page_seg *s = pz_page_seg_of(p, v->block);

		if (s && (area == UINT32_MAX || s->area == area))
			high -= (uint64_t)1 << p->pageblock_order;
	}
	if (!pz_page_mark_floor(p, &v->ask, area, explain_mark(v), cma, high, floor))
		return true;
	return *free <= INT64_MAX && *free > *floor;
}

bool pz_report_usable(const struct report_view *v, unsigned int rule, const struct page_seg *s)
{
	if (rule & (REPORT_TYPES | REPORT_MANAGED))
		return pz_page_seg_asked(v->p, &v->ask, s);
	return pz_page_may_use(v->p, &v->ask, s);
}

static bool explain_joins(const struct report_view *v, unsigned int rule, bool gated, uint32_t seg)
{
	uint64_t floor, free;

	return pz_report_usable(v, rule, &v->p->seg[seg]) &&
	       (!gated || pz_report_above(v, v->p->seg[seg].area, &floor, &free));
}

/* The best of the runs that overlap an area. */
void pz_report_area_best(const struct report_view *v, unsigned int rule, bool gated, uint32_t area,
			 struct report_run *best)
{
	const struct pz_pages *p = v->p;
	uint64_t more = v->req.pages - 1;

	for (uint32_t i = 0; i < p->seg_count && !(best->found && !best->cost); i++) {
		uint64_t lo = p->seg[i].lo, hi = p->seg[i].hi;
		uint32_t j;

		if (p->seg[i].area != area || !pz_report_usable(v, rule, &p->seg[i]))
			continue;
		for (j = i; !v->ask.zonelist && j && p->seg[i].lo - lo < more; lo = p->seg[j].lo) {
			if (!explain_joins(v, rule, gated, --j))
				break;
		}
		for (j = i; !v->ask.zonelist && j + 1 < p->seg_count && hi - p->seg[i].hi < more;
		     hi = p->seg[j].hi) {
			if (!explain_joins(v, rule, gated, ++j))
				break;
		}
		if (p->seg[i].lo - lo > more)
			lo = p->seg[i].lo - more;
		if (hi - p->seg[i].hi > more)
			hi = p->seg[i].hi + more;
		pz_report_best(v, rule, lo, hi, best);
	}
}

void pz_report_view(struct report_view *v, struct pz_pages *p, const struct pz_page_req *req)
{
	memset(v, 0, sizeof(*v));
	v->p = p;
	v->req = *req;
	v->freed_lo = PAGE_NONE;
	v->extra_area = UINT32_MAX;
	if (page_guard(p, req->pages))
		v->req.pages = 2;
	v->rc = pz_page_ask_init(p, &v->req, &v->ask);
	v->window = v->rc != -PZ_EINVAL && pz_page_window(p, v->req.limits.min_addr,
							  v->req.limits.max_addr, &v->ask.lo,
							  &v->ask.hi);
}

/* The lowest free run that the request may have, in areas above their marks. */
bool pz_report_lowest(const struct report_view *v, unsigned int rule, struct report_run *run)
{
	const struct pz_pages *p = v->p;

	for (uint32_t i = 0; i < p->seg_count; i++) {
		uint64_t lo = p->seg[i].lo;

		if (!explain_joins(v, rule, true, i))
			continue;
		while (!v->ask.zonelist && i + 1 < p->seg_count &&
		       explain_joins(v, rule, true, i + 1))
			i++;
		memset(run, 0, sizeof(*run));
		pz_report_best(v, rule, lo, p->seg[i].hi, run);
		if (run->found && !run->cost)
			return true;
	}
	return false;
}

/* Whether the CPU itself holds a page of an area that it may have. */
static bool explain_held_here(const struct report_view *v, uint32_t area)
{
	const struct page_ask *a = &v->ask;
	uint64_t floor, free;

	if (!v->p->hold || v->drained || !a->block || a->order)
		return false;
	for (uint32_t i = 0; i < v->p->seg_count; i++) {
		const struct page_seg *s = &v->p->seg[i];
		uint64_t lo = s->lo, hi = s->hi < a->hi ? s->hi : a->hi;

		if ((area != UINT32_MAX && s->area != area) || !pz_page_may_use(v->p, a, s) ||
		    !pz_report_above(v, s->area, &floor, &free))
			continue;
		if (lo < a->lo)
			lo = a->lo;
		if (lo < a->keep)
			lo = a->keep;
		if (lo <= hi && pz_page_hold_has(v->p, a, s->area, lo, hi))
			return true;
	}
	return false;
}

/*
 * The run between two indices that the request would get with the fewest pages moved, and that
 * many, when there is room for them elsewhere. What their owners will say is not known.
 */
static bool explain_move(const struct report_view *v, uint64_t lo, uint64_t hi, uint64_t *index,
			 uint64_t *moved)
{
	const struct pz_pages *p = v->p;
	struct page_scan s = { .ask = &v->ask, .limits = &v->req.limits, .n = v->req.pages };
	uint64_t free = pz_page_free_count(p, UINT32_MAX), inside = 0, floor, above;
	struct page_item it;

	for (uint32_t i = 0; i < p->area_count; i++)
		free += pz_report_held(p, i, false);
	if (!p->owner || free < v->req.pages ||
	    (!v->ask.zonelist && !pz_report_above(v, UINT32_MAX, &floor, &above)))
		return false;
	s.lo = lo > v->ask.lo ? lo : v->ask.lo;
	if (s.lo < v->ask.keep)
		s.lo = v->ask.keep;
	s.hi = hi < v->ask.hi ? hi : v->ask.hi;
	if (s.lo > s.hi || !pz_page_cheapest(p, &s, index))
		return false;
	*moved = 0;
	for (uint64_t at = *index, end = at + s.n - 1; at <= end; at = it.hi + 1) {
		pz_page_item(p, at, &it);
		if (it.what == PAGE_WHAT_MOVABLE)
			*moved += it.hi - it.lo + 1;
		else
			inside += (it.hi < end ? it.hi : end) - at + 1;
	}
	return *moved && *moved <= free - inside;
}

static bool explain_may_move(const struct report_view *v)
{
	return (v->req.gfp & PZ_GFP_BLOCK) && !(v->req.gfp & PZ_GFP_NOMIGRATE);
}

/* Whether the request would be given a run that overlaps an area if pages were moved. */
static bool explain_moves_in(const struct report_view *v, uint32_t area, uint64_t *moved)
{
	uint64_t more = v->ask.zonelist ? 0 : v->req.pages - 1, index;

	for (uint32_t i = 0; i < v->p->seg_count; i++) {
		const struct page_seg *s = &v->p->seg[i];
		uint64_t lo = s->lo > more ? s->lo - more : 0;
		uint64_t hi = s->hi < v->p->frames - 1 - more ? s->hi + more : v->p->frames - 1;

		if (more >= v->p->frames)
			hi = v->p->frames - 1;
		if (s->area == area && pz_report_usable(v, 0, s) &&
		    explain_move(v, lo, hi, &index, moved))
			return true;
	}
	return false;
}

/* How the request would be served, the suppositions of the view being what it would do first. */
enum report_way pz_report_way(struct report_view *v)
{
	struct report_run run;

	if (v->rc)
		return REPORT_NO;
	if (pz_report_lowest(v, 0, &run) || explain_held_here(v, UINT32_MAX))
		return REPORT_AS_IS;
	if (pz_page_highatomic_pick(v->p, &v->ask, &v->block)) {
		v->given_back = true;
		if (pz_report_lowest(v, 0, &run) || explain_held_here(v, UINT32_MAX))
			return REPORT_GIVEN_BACK;
	}
	if (v->p->hold) {
		v->drained = true;
		if (pz_report_lowest(v, 0, &run))
			return REPORT_DRAINED;
	}
	if (explain_may_move(v) && explain_move(v, 0, PAGE_NONE, &v->moved_lo, &v->moved))
		return REPORT_MOVED;
	return REPORT_NO;
}

/* The numbers of an area. */
static void explain_count(const struct report_view *v, uint32_t area, struct pz_report_area *out)
{
	const struct page_area *z = &v->p->area[area];

	out->nid = z->nid;
	out->type = z->type;
	out->managed = pz_load64(&z->managed);
	out->free = pz_page_free_count(v->p, area);
	out->free_cma = pz_load64(&z->free_cma);
	out->held = pz_report_held(v->p, area, false);
	pz_page_marks(v->p, &v->ask, v->ask.zonelist ? z : NULL, explain_mark(v), &out->mark,
		      &out->reserve);
	for (uint32_t i = 0; v->window && i < v->p->seg_count; i++) {
		const struct page_seg *s = &v->p->seg[i];
		uint64_t lo = s->lo > v->ask.lo ? s->lo : v->ask.lo;
		uint64_t hi = s->hi < v->ask.hi ? s->hi : v->ask.hi, last;
		struct pz_range m;

		if (s->area != area || lo > hi)
			continue;
		for (uint64_t at = lo; at <= hi && pz_page_managed_next(v->p, at, &m) &&
				       m.first <= hi;
		     at = m.last + 1) {
			if (!out->reached)
				out->reach.first = page_to_pfn(v->p, m.first > at ? m.first : at);
			out->reach.last = page_to_pfn(v->p, m.last < hi ? m.last : hi);
			out->reached = true;
		}
		for (uint64_t at = lo; pz_page_next_run(v->p, &at, hi, &last); at = last + 1) {
			out->free_reached += last - at + 1;
			if (last - at + 1 > out->largest_run)
				out->largest_run = last - at + 1;
		}
	}
}

/* Whether an area would do with a rule, its own mark left aside. */
static bool explain_fits(const struct report_view *v, unsigned int rule, bool gated, uint32_t area)
{
	struct report_run run = { false, 0, 0 };

	pz_report_area_best(v, rule, gated, area, &run);
	return run.found && !run.cost;
}

static enum pz_verdict explain_verdict(const struct report_view *v, uint32_t area,
				       struct pz_report_area *n)
{
	const struct page_area *z = &v->p->area[area];
	unsigned int rule = REPORT_KEPT;
	uint64_t floor, free;
	bool above = pz_report_above(v, area, &floor, &free);

	if (!v->rc && above && (explain_fits(v, 0, true, area) || explain_held_here(v, area)))
		return PZ_V_OK;
	if (!n->managed)
		return PZ_V_UNMANAGED;
	if (!n->reached)
		return PZ_V_LIMIT;
	if (v->ask.node != UINT32_MAX && z->node != v->ask.node)
		return PZ_V_NODE;
	if (v->ask.highest < PZ_ZONE_TYPES && z->type > v->ask.highest)
		return PZ_V_ZONE;
	if (!explain_fits(v, REPORT_MANAGED | REPORT_LOOSE, false, area))
		return PZ_V_SMALL;
	if (!explain_fits(v, REPORT_MANAGED, false, area))
		return PZ_V_BOUNDARY;
	if (!above)
		return !n->mark || (free <= INT64_MAX && free > floor - n->reserve)
			       ? PZ_V_RESERVE
			       : PZ_V_WATERMARK;
	if (explain_fits(v, rule, true, area))
		return PZ_V_KEPT;
	rule |= REPORT_TYPES;
	if (explain_fits(v, rule, true, area))
		return PZ_V_CMA;
	rule |= REPORT_HELD;
	if (explain_fits(v, rule, true, area))
		return PZ_V_HELD;
	if (explain_moves_in(v, area, &n->move))
		return explain_may_move(v) ? PZ_V_OK : PZ_V_EVACUATE;
	n->move = 0;
	return n->free_reached >= v->req.pages ? PZ_V_FRAGMENTED : PZ_V_FULL;
}

static void explain_area(const struct report_view *v, uint32_t area, struct pz_report *out)
{
	struct pz_report_area *n = &out->area[out->areas];

	for (uint32_t i = 0; i < out->areas; i++) {
		if (out->area[i].nid == v->p->area[area].nid &&
		    out->area[i].type == v->p->area[area].type)
			return;
	}
	if (out->areas == PZ_REPORT_AREAS)
		return;
	explain_count(v, area, n);
	n->verdict = explain_verdict(v, area, n);
	out->areas++;
}

/* The areas in the order in which the policy tries them, and then those that it never tries. */
static void explain_areas(const struct report_view *v, struct pz_report *out)
{
	const struct pz_pages *p = v->p;

	for (uint32_t i = 0; i < p->node_count; i++) {
		uint32_t n = pz_page_node_at(p, v->ask.home, i);

		if (n == UINT32_MAX)
			break;
		for (int type = PZ_ZONE_TYPES - 1; v->ask.zonelist && type >= 0; type--) {
			for (uint32_t area = 0; area < p->area_count; area++) {
				if (p->area[area].node == n && p->area[area].type == type)
					explain_area(v, area, out);
			}
		}
		for (uint32_t k = p->node_seg[n]; k < p->node_seg[n + 1]; k++)
			explain_area(v, p->seg[p->by_node[k]].area, out);
	}
	for (uint32_t area = 0; area < p->area_count; area++)
		explain_area(v, area, out);
	out->more = p->area_count - out->areas;
}

int pz_report_explain(struct pz_pages *p, const struct pz_page_req *req, struct pz_report *out)
{
	struct report_view v;
	enum report_way way;
	bool drained;

	memset(out, 0, sizeof(*out));
	out->req = *req;
	pz_report_view(&v, p, req);
	if (v.rc == -PZ_EINVAL)
		return -PZ_EINVAL;
	way = pz_report_way(&v);
	out->outcome = v.rc;
	if (!v.rc && way == REPORT_NO)
		out->outcome = -PZ_ENOMEM;
	drained = v.drained;
	/* The verdicts are on what there is, the caches as they are. */
	v.drained = false;
	explain_areas(&v, out);
	v.drained = drained;
	pz_report_remedy(p, req, &v, way, out);
	return 0;
}
