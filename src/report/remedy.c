/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remedy.c - the cheapest change that would have made a request succeed.
 *
 * Concept
 *  One change at a time, in the order of their cost to whoever asks. Each changed request is gone
 *  through as the first one was, and a change is named only when that ended well.
 *
 * Shortcomings
 *  Two changes together are not tried: where only both would help, nothing is said to.
 */
#include "report_internal.h"

/* What a request would get: 0 when it would succeed. */
static bool remedy_helps(struct pz_pages *p, const struct pz_page_req *req)
{
	struct report_view v;

	pz_report_view(&v, p, req);
	return pz_report_way(&v) != REPORT_NO;
}

static void remedy_moved(const struct report_view *v, struct pz_report *out)
{
	out->remedy_value = v->moved;
	out->remedy_pfns.first = page_to_pfn(v->p, v->moved_lo);
	out->remedy_pfns.last = page_to_pfn(v->p, v->moved_lo + v->req.pages - 1);
}

static bool remedy_evacuate(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	struct report_view v;

	req.gfp = (req.gfp | PZ_GFP_BLOCK) & ~PZ_GFP_NOMIGRATE;
	pz_report_view(&v, p, &req);
	if (pz_report_way(&v) != REPORT_MOVED)
		return false;
	out->remedy = PZ_R_EVACUATE;
	remedy_moved(&v, out);
	return true;
}

static bool remedy_reserve(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	static const uint32_t rights[] = { PZ_GFP_NOKEEP, PZ_GFP_HIGH, PZ_GFP_NOKEEP | PZ_GFP_HIGH,
					   PZ_GFP_MEMALLOC };
	uint32_t gfp = req.gfp;

	for (unsigned int i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		req.gfp = gfp | rights[i];
		if (req.gfp != gfp && remedy_helps(p, &req)) {
			out->remedy = PZ_R_RESERVE;
			out->remedy_value = rights[i] & ~gfp;
			return true;
		}
	}
	return false;
}

/* The largest smaller length. A block that is aligned to its size stays one. */
static bool remedy_order(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	uint64_t lo = 0, hi = req.pages;

	if (pz_is_pow2(req.pages) && req.limits.align == req.pages << p->page_shift) {
		while (req.pages > 1 && !lo) {
			req.pages >>= 1;
			req.limits.align >>= 1;
			if (remedy_helps(p, &req))
				lo = req.pages;
		}
	} else {
		/* What serves a length serves each shorter one. */
		if (hi > p->total + 1)
			hi = p->total + 1;
		while (hi - lo > 1) {
			req.pages = lo + (hi - lo) / 2;
			if (remedy_helps(p, &req))
				lo = req.pages;
			else
				hi = req.pages;
		}
	}
	if (!lo)
		return false;
	out->remedy = PZ_R_ORDER;
	out->remedy_value = lo;
	return true;
}

static bool remedy_align(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	if (req.limits.align >> p->page_shift <= 1 && !req.limits.boundary)
		return false;
	req.limits.align = 1;
	req.limits.boundary = 0;
	if (!remedy_helps(p, &req))
		return false;
	out->remedy = PZ_R_ALIGN;
	return true;
}

static bool remedy_movable(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	if (req.gfp & PZ_GFP_MOVABLE)
		return false;
	req.gfp = (req.gfp & ~PZ_GFP_RECLAIMABLE) | PZ_GFP_MOVABLE;
	if (!remedy_helps(p, &req))
		return false;
	out->remedy = PZ_R_MOVABLE;
	return true;
}

/* Pages that could become free for the sake of an area's watermark. */
static uint64_t remedy_taken(const struct report_view *v, uint32_t area)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < v->p->area_count; i++) {
		if (!v->ask.zonelist || i == area)
			n += pz_report_taken(v, i);
	}
	return n;
}

/* How many pages have to become free, if they are the right ones. */
static bool remedy_reclaim(const struct report_view *was, struct pz_report *out)
{
	const struct pz_pages *p = was->p;
	struct report_view v;
	uint64_t least = UINT64_MAX;

	for (uint32_t area = 0; !was->rc && area < p->area_count; area++) {
		struct report_run run = { false, 0, 0 };
		uint64_t floor, free, n;

		pz_report_view(&v, was->p, &was->req);
		v.drained = was->drained;
		v.given_back = was->given_back;
		v.block = was->block;
		pz_report_area_best(&v, 0, false, area, &run);
		if (!run.found)
			continue;
		n = run.cost;
		if (!pz_report_above(&v, area, &floor, &free) && floor + 1 - free > n)
			n = floor + 1 - free;
		if (n >= least || n > remedy_taken(&v, area))
			continue;
		v.freed_lo = run.index;
		v.freed_hi = run.index + v.req.pages - 1;
		v.extra_area = area;
		v.extra = n;
		if (!pz_report_lowest(&v, 0, &run))
			continue;
		least = n;
		out->remedy = PZ_R_RECLAIM;
		out->remedy_value = n;
		out->remedy_area = area;
		out->remedy_pfns.first = page_to_pfn(p, v.freed_lo);
		out->remedy_pfns.last = page_to_pfn(p, v.freed_hi);
	}
	return least != UINT64_MAX;
}

/* The lowest address that would do as the limit, for a highest zone. */
static bool remedy_limit_to(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	const uint64_t old = req.limits.max_addr;
	struct report_view v;
	struct report_run run;
	uint64_t max = PZ_ADDR_MAX;

	req.limits.max_addr = max;
	pz_report_view(&v, p, &req);
	if (pz_report_way(&v) == REPORT_NO)
		return false;
	/* A limit below the top of memory may have the kept pages. */
	if (pz_report_lowest(&v, REPORT_KEPT, &run)) {
		max = ((page_to_pfn(p, run.index) + v.req.pages) << p->page_shift) - 1;
		if (max < old)
			max = old;
		req.limits.max_addr = max;
		if (!remedy_helps(p, &req))
			max = PZ_ADDR_MAX;
	}
	out->remedy = PZ_R_LIMIT;
	out->remedy_value = max;
	out->remedy_highest = req.highest;
	return true;
}

static bool remedy_limit(struct pz_pages *p, struct pz_page_req req, const struct report_view *was,
			 struct pz_report *out)
{
	uint8_t top = req.gfp & PZ_GFP_MOVABLE ? PZ_ZONE_MOVABLE : PZ_ZONE_HIGHMEM;

	if (remedy_limit_to(p, req, out))
		return true;
	for (unsigned int h = was->ask.highest + 1u; was->ask.zonelist && h <= top; h++) {
		req.highest = (uint8_t)h;
		if (remedy_limit_to(p, req, out))
			return true;
	}
	return false;
}

static bool remedy_node(struct pz_pages *p, struct pz_page_req req, struct pz_report *out)
{
	if (!(req.gfp & PZ_GFP_THISNODE))
		return false;
	req.gfp &= ~PZ_GFP_THISNODE;
	if (!remedy_helps(p, &req))
		return false;
	out->remedy = PZ_R_NODE;
	return true;
}

void pz_report_remedy(struct pz_pages *p, const struct pz_page_req *req,
		      const struct report_view *was, enum report_way way, struct pz_report *out)
{
	out->remedy_highest = req->highest;
	out->remedy = way == REPORT_DRAINED ? PZ_R_DRAIN : PZ_R_RETRY;
	if (way == REPORT_MOVED)
		remedy_moved(was, out);
	if (way != REPORT_NO)
		return;
	out->remedy = PZ_R_NONE;
	(void)(remedy_evacuate(p, *req, out) || remedy_reserve(p, *req, out) ||
	       remedy_order(p, *req, out) || remedy_align(p, *req, out) ||
	       remedy_movable(p, *req, out) || remedy_reclaim(was, out) ||
	       remedy_limit(p, *req, was, out) || remedy_node(p, *req, out));
}
