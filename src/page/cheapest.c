/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cheapest.c - what evacuating a range would take, and where that is least.
 *
 * Concept
 *  Memory is read as items: free frames, blocks that an owner can move, and what is fixed. A window
 *  of the length that is wanted slides down over them. Its numbers are kept by adding the items
 *  that it reaches at its lower end and subtracting those that it leaves at its upper end, so that
 *  the search is linear in the frames and not in frames times length. A fixed item sends the window
 *  behind it at once. The fewest pages to move win, the highest place among equals.
 *
 * What can be moved
 *  A block that has an owner and whose length is a power of two: a migrate hook is told an order. A
 *  block that sticks out of the range is moved as a whole, and counts so. On behalf of a request,
 *  what the request must not have is fixed: other nodes, higher zones, CMA and ZONE_MOVABLE for
 *  what is not movable. Free frames may be taken only as far as the watermark leaves any.
 *
 * Concurrency
 *  Everything may change while it is read. The numbers are then off, and evacuation finds out.
 */
#include "page_internal.h"

/* The frames that are the same as the one at an index. */
void pz_page_item(const struct pz_pages *p, uint64_t at, struct page_item *it)
{
	unsigned int level, unit = (unsigned int)at & 31;
	enum word_state s = pz_page_probe(p, at, &level);
	uint64_t size = (uint64_t)1 << (WORD_SHIFT * level), head, n;

	it->owner = 0;
	it->lo = it->hi = at;
	if (s == WORD_FREE || s == WORD_SPLIT) {
		uint32_t f, out;

		it->what = s == WORD_FREE ? PAGE_WHAT_FREE : PAGE_WHAT_HELD;
		if (level && p->special && size > (uint64_t)1 << p->pageblock_order)
			size = (uint64_t)1 << p->pageblock_order;
		if (level) {
			it->lo = at & ~(size - 1);
			it->hi = it->lo + size - 1;
			return;
		}
		f = word_free(pz_load64(page_word(p, 0, at >> WORD_SHIFT)));
		if (s != WORD_FREE || !(f >> unit & 1))
			return;
		out = ~f & ~word_mask(0, unit + 1);
		it->hi = out ? (at & ~(uint64_t)31) + pz_ctz32(out) - 1 : at | 31;
		out = ~f & (word_mask(0, unit + 1) >> 1);
		it->lo = (at & ~(uint64_t)31) + (out ? pz_fls32(out) + 1 : 0);
		return;
	}
	it->what = PAGE_WHAT_FIXED;
	head = pz_page_head_of(p, at);
	n = pz_page_block_length(p, head);
	if (!n || head + n - 1 < at)
		return;
	it->lo = head;
	it->hi = head + n - 1;
	it->owner = p->owner ? pz_peek8(&p->owner[head]) : 0;
	if (it->owner && it->owner <= pz_peek32(&p->owner_count) && !(n & (n - 1)))
		it->what = PAGE_WHAT_MOVABLE;
}

/* A search under way. */
struct cheap {
	const struct pz_pages *p;
	const struct page_scan *s;
	uint64_t off; /* page frame number of an index, minus the index */
	/* The segment looked at last: is it for the request, and what can it spare? */
	const struct page_seg *seg;
	uint64_t spare;
	bool usable;
	struct page_item last; /* a movable block that the upper end is in */
	uint64_t movable, free;
	uint64_t enter, leave; /* [enter, leave) is counted, and blocks that begin or end there */
};

/* How many free frames of an area a request may take; areas have marks in a zonelist only. */
static uint64_t cheap_spare(const struct pz_pages *p, const struct page_ask *a, uint32_t area)
{
	const struct page_area *z = &p->area[area];
	enum page_mark mark = a->req->gfp & PZ_GFP_MEMALLOC ? PAGE_MARK_NONE : PAGE_MARK_MIN;
	uint64_t min, reserve, free;

	if (!a->zonelist)
		return UINT64_MAX;
	pz_page_marks(p, a, z, mark, &min, &reserve);
	if (!(min + reserve))
		return UINT64_MAX;
	min += reserve;
	if (!(a->req->gfp & PZ_GFP_MOVABLE))
		min += pz_load64(&z->free_cma);
	if (!(a->req->gfp & PZ_GFP_HIGH))
		min += pz_load64(&z->highatomic);
	free = pz_page_free_count(p, area);
	return free <= INT64_MAX && free > min ? free - min : 0;
}

static void cheap_seg(struct cheap *c, uint64_t at)
{
	const struct page_ask *a = c->s->ask;

	if (c->seg && at >= c->seg->lo && at <= c->seg->hi)
		return;
	c->seg = pz_page_seg_of(c->p, at);
	c->usable = false;
	if (!c->seg)
		return;
	c->usable = pz_page_seg_asked(c->p, a, c->seg) &&
		    (c->p->area[c->seg->area].type != PZ_ZONE_MOVABLE ||
		     (a->req->gfp & PZ_GFP_MOVABLE));
	c->spare = c->usable ? cheap_spare(c->p, a, c->seg->area) : 0;
}

/* Whether every pageblock of a block is for the request. */
static bool cheap_serves(const struct cheap *c, uint64_t lo, uint64_t hi)
{
	uint64_t size = (uint64_t)1 << c->p->pageblock_order;

	for (uint64_t at = lo & ~(size - 1); at <= hi; at += size) {
		if (!pz_page_type_serves(page_type(c->p, at), c->s->ask->req->gfp))
			return false;
	}
	return true;
}

/* What an item is for this search. */
static void cheap_item(struct cheap *c, uint64_t at, struct page_item *it)
{
	const struct page_scan *s = c->s;

	if (s->ask) {
		cheap_seg(c, at);
		if (c->seg && !c->usable) {
			it->lo = c->seg->lo;
			it->hi = c->seg->hi;
			it->what = PAGE_WHAT_FIXED;
			return;
		}
	}
	pz_page_item(c->p, at, it);
	if (it->what == PAGE_WHAT_FIXED)
		return;
	if (s->ask && c->p->special && !cheap_serves(c, it->lo, it->hi))
		it->what = PAGE_WHAT_FIXED;
	for (uint32_t i = 0; i < s->refusals; i++) {
		if (s->refused[i] >= it->lo && s->refused[i] <= it->hi)
			it->what = PAGE_WHAT_FIXED;
	}
}

static void cheap_restart(struct cheap *c, uint64_t end)
{
	c->movable = c->free = 0;
	c->enter = c->leave = end;
}

/* Count what lies from @lo on. False with the lower end of a fixed item that is in the way. */
static bool cheap_reach(struct cheap *c, uint64_t lo, uint64_t *fixed)
{
	while (c->enter > lo) {
		struct page_item it;

		cheap_item(c, c->enter - 1, &it);
		if (it.what == PAGE_WHAT_FIXED) {
			*fixed = it.lo;
			return false;
		}
		if (it.what == PAGE_WHAT_MOVABLE) {
			c->movable += it.hi - it.lo + 1;
		} else {
			if (it.lo < lo)
				it.lo = lo;
			c->free += c->enter - it.lo;
		}
		c->enter = it.lo;
	}
	return true;
}

/* Stop counting what lies at or above @end. */
static void cheap_leave(struct cheap *c, uint64_t end)
{
	if (c->enter >= end) {
		cheap_restart(c, end);
		return;
	}
	while (c->leave > end) {
		struct page_item it = c->last;

		if (c->leave - 1 < it.lo || c->leave - 1 > it.hi)
			cheap_item(c, c->leave - 1, &it);
		if (it.what == PAGE_WHAT_FIXED) {
			cheap_restart(c, end);
			return;
		}
		if (it.what == PAGE_WHAT_MOVABLE) {
			c->last = it;
			if (it.lo < end)
				return;
			c->movable -= it.hi - it.lo + 1;
		} else {
			if (it.lo < end)
				it.lo = end;
			c->free -= c->leave - it.lo;
		}
		c->leave = it.lo;
	}
}

/* Whether the request may take as many free frames where they are. */
static bool cheap_allowed(struct cheap *c, uint64_t lo, uint64_t hi)
{
	const struct page_seg *seg;
	uint64_t spare;

	if (!c->s->ask)
		return true;
	cheap_seg(c, hi);
	seg = c->seg;
	spare = c->spare;
	cheap_seg(c, lo);
	if (seg != c->seg && c->s->ask->zonelist)
		return false;
	if (c->spare < spare)
		spare = c->spare;
	return c->free <= spare;
}

/* Within one span. @best is the fewest moves so far, UINT64_MAX before the first range. */
static void cheap_span(struct cheap *c, uint64_t lo, uint64_t hi, uint64_t *best, uint64_t *index)
{
	const struct page_scan *s = c->s;
	unsigned int shift = c->p->page_shift;
	uint64_t align = s->limits->align >> shift, far = s->limits->boundary >> shift;
	uint64_t mask = align ? align - 1 : 0, end = hi + 1;

	if (s->limits->boundary && far < s->n)
		return;
	cheap_restart(c, end);
	while (end >= lo + s->n) {
		uint64_t first = (end - s->n + c->off) & ~mask, at, edge;

		if (first < lo + c->off)
			return;
		at = first - c->off;
		edge = far ? (first + s->n - 1) & ~(far - 1) : 0;
		if (edge > first) {
			end = edge - c->off;
			continue;
		}
		cheap_leave(c, at + s->n);
		if (!cheap_reach(c, at, &edge)) {
			end = edge;
			cheap_restart(c, end);
			continue;
		}
		if (c->movable < *best && cheap_allowed(c, at, at + s->n - 1)) {
			*best = c->movable;
			*index = at;
			if (!c->movable || s->any)
				return;
		}
		end = at + s->n - 1;
	}
}

/* The range with the fewest moves. False when no range can be evacuated. */
bool pz_page_cheapest(const struct pz_pages *p, const struct page_scan *s, uint64_t *index)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = p->span_count; i-- > 0;) {
		const struct page_span *span = &p->span[i];
		uint64_t lo = span->index, hi = lo + (span->last_pfn - span->first_pfn);
		struct cheap c;

		if (lo < s->lo)
			lo = s->lo;
		if (hi > s->hi)
			hi = s->hi;
		if (lo > hi || hi - lo + 1 < s->n)
			continue;
		memset(&c, 0, sizeof(c));
		c.p = p;
		c.s = s;
		c.off = span->first_pfn - span->index;
		c.last.lo = 1;
		cheap_span(&c, lo, hi, &best, index);
		if (!best || (s->any && best != UINT64_MAX))
			break;
	}
	return best != UINT64_MAX;
}

/* The first page frame at or after @pfn, up to @last, that has an index; @last + 1 for none. */
static uint64_t cheap_skip(const struct pz_pages *p, uint64_t pfn, uint64_t last)
{
	for (uint32_t i = 0; i < p->span_count; i++) {
		if (p->span[i].last_pfn >= pfn)
			return p->span[i].first_pfn <= last ? p->span[i].first_pfn : last + 1;
	}
	return last + 1;
}

void pz_evacuation_cost(const struct pz_pages *p, struct pz_range pfns, struct pz_evacuation *out)
{
	uint64_t at = pfns.first, last = pfns.last;

	memset(out, 0, sizeof(*out));
	out->pfns = pfns;
	if (last == UINT64_MAX)
		last--;
	while (at <= last) {
		uint64_t i = page_index(p, at), next = last + 1;
		struct page_item it = { 0, 0, PAGE_WHAT_FIXED, 0 };

		if (i == PAGE_NONE) {
			next = cheap_skip(p, at, last);
			next = next > at ? next : at + 1;
		} else {
			pz_page_item(p, i, &it);
			if (it.hi - i < last - at)
				next = at + (it.hi - i) + 1;
		}
		if (it.what == PAGE_WHAT_MOVABLE) {
			out->movable += it.hi - it.lo + 1;
		} else if (it.what == PAGE_WHAT_FIXED) {
			if (!out->fixed)
				out->first_fixed = at;
			out->fixed += next - at;
		} else {
			out->free += next - at;
		}
		at = next;
	}
}

int pz_evacuation_cheapest(const struct pz_pages *p, uint64_t pages, const struct pz_limits *limits,
			   struct pz_evacuation *out)
{
	struct page_scan s = { .limits = limits, .n = pages };
	uint64_t index;
	struct pz_range r;

	if (!pages || !pz_limits_valid(limits))
		return -PZ_EINVAL;
	if (!pz_page_window(p, limits->min_addr, limits->max_addr, &s.lo, &s.hi) ||
	    !pz_page_cheapest(p, &s, &index))
		return -PZ_ENOMEM;
	r.first = page_to_pfn(p, index);
	r.last = r.first + pages - 1;
	pz_evacuation_cost(p, r, out);
	return 0;
}
