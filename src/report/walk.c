/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.c - the run of frames that a request would get with the fewest of them in its way.
 *
 * Concept
 *  Each frame is free (it costs nothing), taken (it costs one), or not for the request at all. The
 *  frames are met in stretches of one kind, as the tree has them, and a window of the request's
 *  length slides over what lies between two frames of the last kind, from one place that the
 *  limits allow to the next. While the frames that enter it and those that leave it are of one
 *  kind each, the cost changes evenly, so the window jumps to where that ends. A run that costs
 *  nothing is one that the allocator must find; the search is another one than the allocator's, so
 *  that the two can be held against each other.
 *
 * Cost
 *  O(stretches), at most O(frames), whatever the length and the alignment.
 */
#include "report_internal.h"

enum walk_kind { WALK_FREE, WALK_TAKEN, WALK_NOT };

static bool walk_serves(const struct report_view *v, unsigned int rule, uint64_t index)
{
	const struct pz_pages *p = v->p;
	unsigned int type = page_type(p, index);

	if (rule & REPORT_MANAGED)
		return true;
	if (v->given_back && index >> p->pageblock_order == v->block >> p->pageblock_order)
		type = v->ask.type;
	if (pz_page_type_serves(type, v->req.gfp))
		return true;
	return (type == PZ_HIGHATOMIC && (rule & REPORT_KEPT)) ||
	       (type == PZ_CMA && (rule & REPORT_TYPES));
}

/* Of which kind a managed frame is, and the last one, up to @hi, that is so with all between. */
static enum walk_kind walk_kind(const struct report_view *v, unsigned int rule, uint64_t at,
				uint64_t hi, uint64_t *last)
{
	const struct pz_pages *p = v->p;
	unsigned int level;
	enum word_state s = pz_page_probe(p, at, &level);
	bool held = v->drained || (rule & REPORT_HELD), given = rule & REPORT_MANAGED;
	enum walk_kind k;

	*last = at | (((uint64_t)1 << p->pageblock_order) - 1);
	if (*last > hi)
		*last = hi;
	if (!walk_serves(v, rule, at))
		return WALK_NOT;
	if (at >= v->freed_lo && at <= v->freed_hi) {
		given = true;
		if (*last > v->freed_hi)
			*last = v->freed_hi;
	} else if (at < v->freed_lo && *last >= v->freed_lo) {
		*last = v->freed_lo - 1;
	}
	if (given)
		return WALK_FREE;
	if (level) {
		uint64_t end = at | (((uint64_t)1 << (WORD_SHIFT * level)) - 1);

		k = s == WORD_FREE ? WALK_FREE : WALK_TAKEN;
		if (*last > end)
			*last = end;
	} else {
		uint64_t w = pz_load64(page_word(p, 0, at >> WORD_SHIFT)), end = at | 31;
		uint32_t f = held ? ~word_taken(w) : word_free(w), other;

		k = f >> (at & 31) & 1 ? WALK_FREE : WALK_TAKEN;
		other = (k == WALK_FREE ? ~f : f) & ~(word_mask(0, (unsigned int)(at & 31) + 1));
		if (other)
			end = (at & ~(uint64_t)31) + pz_ctz32(other) - 1;
		if (*last > end)
			*last = end;
	}
	return k;
}

/* Taken frames in [lo, hi], which are all managed. */
static uint64_t walk_count(const struct report_view *v, unsigned int rule, uint64_t lo, uint64_t hi)
{
	uint64_t n = 0, last;

	for (uint64_t at = lo; at <= hi; at = last + 1) {
		if (walk_kind(v, rule, at, hi, &last) == WALK_TAKEN)
			n += last - at + 1;
	}
	return n;
}

/* Slide over the places in [first, last], @step apart: frames between that are all for the request.
 */
static void walk_slide(const struct report_view *v, unsigned int rule, uint64_t first,
		       uint64_t last, unsigned int shift, struct report_run *best)
{
	uint64_t n = v->req.pages, step = (uint64_t)1 << shift, at = first;
	uint64_t cost = walk_count(v, rule, first, first + n - 1);

	for (;;) {
		uint64_t out_last, in_last, left, jump;
		enum walk_kind out, in;

		if (!best->found || cost < best->cost) {
			best->found = true;
			best->index = at;
			best->cost = cost;
		}
		left = (last - (at + n - 1)) >> shift;
		if (!cost || !left)
			return;
		out = walk_kind(v, rule, at, last, &out_last);
		in = walk_kind(v, rule, at + n, last, &in_last);
		jump = (out_last - at + 1) >> shift;
		if (jump > (in_last - (at + n) + 1) >> shift)
			jump = (in_last - (at + n) + 1) >> shift;
		if (jump > left)
			jump = left;
		if (jump) {
			if (in == WALK_TAKEN)
				cost += jump << shift;
			if (out == WALK_TAKEN)
				cost -= jump << shift;
		} else {
			jump = 1;
			cost += walk_count(v, rule, at + n, at + n + step - 1);
			cost -= walk_count(v, rule, at, at + step - 1);
		}
		at += jump << shift;
	}
}

/* The places between two frames, with all between for the request, that the limits allow. */
static void walk_places(const struct report_view *v, unsigned int rule, uint64_t lo, uint64_t hi,
			struct report_run *best)
{
	const struct pz_pages *p = v->p;
	uint64_t n = v->req.pages, align = 1, far = 0, delta = page_to_pfn(p, lo) - lo;

	if (!(rule & REPORT_LOOSE)) {
		align = v->req.limits.align >> p->page_shift;
		far = v->req.limits.boundary >> p->page_shift;
		if (!align)
			align = 1;
		if (v->req.limits.boundary && far < n)
			return;
	}
	while (hi - lo + 1 >= n) {
		uint64_t end = hi, first;

		if (far && ((lo + delta) | (far - 1)) - delta < hi)
			end = ((lo + delta) | (far - 1)) - delta;
		if (pz_round_up(lo + delta, align, &first)) {
			first -= delta;
			if (first <= end && end - first + 1 >= n)
				walk_slide(v, rule, first, end, pz_ctz64(align), best);
		}
		if (end == hi || (best->found && !best->cost))
			return;
		lo = end + 1;
	}
}

/* The lowest run of those with the fewest frames in the way, between two indices and within the
 * limits. Adds to what @best is already. */
void pz_report_best(const struct report_view *v, unsigned int rule, uint64_t lo, uint64_t hi,
		    struct report_run *best)
{
	bool kept = rule & (REPORT_KEPT | REPORT_MANAGED);
	struct pz_range m;

	if (!v->window || !v->req.pages)
		return;
	if (lo < v->ask.lo)
		lo = v->ask.lo;
	if (!kept && lo < v->ask.keep)
		lo = v->ask.keep;
	if (hi > v->ask.hi)
		hi = v->ask.hi;
	for (; lo <= hi && pz_page_managed_next(v->p, lo, &m) && m.first <= hi; lo = m.last + 1) {
		uint64_t at = m.first > lo ? m.first : lo, last, end = m.last < hi ? m.last : hi;

		while (at <= end) {
			uint64_t from = at;

			while (at <= end && walk_kind(v, rule, at, end, &last) != WALK_NOT)
				at = last + 1;
			if (at > from)
				walk_places(v, rule, from, at - 1, best);
			if (best->found && !best->cost)
				return;
			if (at <= end)
				at = last + 1;
		}
	}
}

/* Taken pages of an area that would be the request's when they were freed. */
uint64_t pz_report_taken(const struct report_view *v, uint32_t area)
{
	uint64_t n = 0, last;
	struct pz_range m;

	for (uint32_t i = 0; i < v->p->seg_count; i++) {
		const struct page_seg *s = &v->p->seg[i];

		for (uint64_t at = s->lo; s->area == area && at <= s->hi &&
					  pz_page_managed_next(v->p, at, &m) && m.first <= s->hi;
		     at = m.last + 1) {
			uint64_t lo = m.first > at ? m.first : at;
			uint64_t hi = m.last < s->hi ? m.last : s->hi;

			for (; lo <= hi; lo = last + 1) {
				if (walk_kind(v, REPORT_HELD, lo, hi, &last) == WALK_TAKEN)
					n += last - lo + 1;
			}
		}
	}
	return n;
}

/* Pages of an area that per-CPU caches hold; with @cma only those in CMA pageblocks. */
uint64_t pz_report_held(const struct pz_pages *p, uint32_t area, bool cma)
{
	uint64_t n = 0;

	for (uint32_t i = 0; p->hold && i < p->seg_count; i++) {
		const struct page_seg *s = &p->seg[i];

		if (s->area != area)
			continue;
		if (!cma) {
			n += pz_page_held(p, s->lo, s->hi);
			continue;
		}
		for (uint64_t at = s->lo, last; at <= s->hi; at = last + 1) {
			last = at | (((uint64_t)1 << p->pageblock_order) - 1);
			if (last > s->hi)
				last = s->hi;
			if (page_type(p, at) == PZ_CMA)
				n += pz_page_held(p, at, last);
		}
	}
	return n;
}
