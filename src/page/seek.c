/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seek.c - the highest or lowest free run that a request's limits allow.
 *
 * Concept
 *  From the root down, the nodes are visited from the outermost on, but for those whose bound rules
 *  the length out (bound.c). In a level-1 node all runs are seen at once, those that go on outside
 *  of it in full; on each that is long enough the limits are tried. A node that was visited in vain
 *  gets a bound.
 *
 *  A run of n frames, wherever it lies, contains an aligned block of about half its length. When
 *  more than one node is to be visited, the tree is asked for the outermost such block: without
 *  one there is no run, and what lies further out is visited last.
 *
 * Failure
 *  A run that is lost to somebody else while it is taken is looked at again, not for ever.
 *
 * Shortcomings
 *  Runs that are long enough, but do not fit the alignment, the boundary or the window, are looked
 *  at each time.
 */
#include "page_internal.h"

/* How often a run may be lost to others while it is taken. */
#define SEEK_TRIES 16

enum seek_result { SEEK_NONE, SEEK_FOUND, SEEK_AGAIN, SEEK_LOST };

struct seek {
	struct pz_pages *p;
	const struct pz_page_req *req;
	uint64_t lo, hi;   /* where the run may lie */
	uint64_t from, to; /* what is left to look at; from > to for nothing */
	uint64_t far;	   /* in so many frames of a run there is a place, or nowhere in it */
	uint64_t index;	   /* what was found */
	uint32_t mark;	   /* of what is measured on the way, 0 before the first */
	unsigned int lost;
	bool low, look;
	bool asked;   /* the tree was asked where there may be a run */
	bool skipped; /* something that was not visited has no run, as the tree says */
	bool special; /* there are pageblocks that the request may use and others may not */
};

/* A node on the way from the root: its children that are left, and what is known of the others. */
struct seek_step {
	uint64_t i;
	uint32_t left;
	uint32_t seen; /* those that are measured on the way */
	struct page_measure measure;
};

/* The outermost free block of an order in a window that a request may use. */
static bool seek_block(struct pz_pages *p, struct page_want *w, uint32_t gfp, uint64_t *index)
{
	static const uint8_t kinds[] = { PAGE_K_MOVABLE, PAGE_K_UNMOVABLE, PAGE_K_RECLAIMABLE,
					 PAGE_K_CMA, PAGE_K_HIGHATOMIC };
	bool found = false;

	for (unsigned int i = 0; i < sizeof(kinds); i++) {
		uint64_t at;

		w->kind = kinds[i];
		if (w->order >= p->pageblock_order && w->kind <= PAGE_K_RECLAIMABLE) {
			if (i)
				continue;
			w->kind = PAGE_K_ANY;
		} else if (!pz_page_type_serves(w->kind, gfp)) {
			continue;
		}
		if (pz_page_tree_take(p, w, &at) &&
		    (!found || (w->low ? at < *index : at > *index))) {
			*index = at;
			found = true;
		}
	}
	return found;
}

/* Runs further out than some place have no aligned block of half the length. False: none has. */
static bool seek_skip(struct seek *s)
{
	struct pz_pages *p = s->p;
	struct page_want w = { .lo = s->lo, .hi = s->hi, .low = s->low, .look = true };
	uint64_t at, out;

	w.order = (uint8_t)pz_fls64((s->req->pages + 1) >> 1);
	/* Blocks of orders above a pageblock's may be of several kinds: look for smaller ones. */
	if (p->special && w.order >= p->pageblock_order)
		w.order = (uint8_t)(p->pageblock_order - 1);
	if (!seek_block(p, &w, s->req->gfp, &at))
		return false;
	out = (uint64_t)3 << w.order;
	if (s->low && at > out && at - out > s->from) {
		s->from = at - out;
		s->skipped = true;
	}
	if (!s->low && s->to > out && s->to - out > at) {
		s->to = at + out;
		s->skipped = true;
	}
	return true;
}

/* The frames [first, last] are free: try the run that they lie in. */
static enum seek_result seek_run(struct seek *s, uint64_t first, uint64_t last)
{
	struct pz_pages *p = s->p;
	uint64_t n = s->req->pages, size = n << p->page_shift, end;
	struct pz_range r, fit;

	if (last > s->hi)
		last = s->hi;
	if (first < s->lo)
		first = s->lo;
	if (first > last)
		return SEEK_NONE;
	if (first > s->lo) {
		end = first - s->lo > s->far ? first - s->far : s->lo;
		first = pz_page_free_down(p, first - 1, end, s->req->gfp);
	}
	if (last < s->hi) {
		end = s->hi - last > s->far ? last + s->far : s->hi;
		last = pz_page_free_up(p, last + 1, end, s->req->gfp);
	}
	if (last - first + 1 >= n) {
		r.first = page_to_pfn(p, first) << p->page_shift;
		r.last = ((page_to_pfn(p, last) + 1) << p->page_shift) - 1;
		if (!(s->low ? pz_limits_first_fit(&s->req->limits, r, size, &fit)
			     : pz_limits_last_fit(&s->req->limits, r, size, &fit))) {
			s->index = page_index(p, fit.first >> p->page_shift);
			if (s->look || pz_page_run_take_at(p, s->index, n))
				return SEEK_FOUND;
			return ++s->lost == SEEK_TRIES ? SEEK_LOST : SEEK_AGAIN;
		}
	}
	/* Go on beyond it. */
	if (s->low) {
		if (last >= s->from)
			s->from = last + 1;
	} else if (first <= s->from) {
		s->from = 1;
		s->to = 0;
	} else if (first <= s->to) {
		s->to = first - 1;
	}
	return SEEK_NONE;
}

/* The first bit from @at on that is set in a node's frames, or with @clear is not; 1024 for none.
 */
static unsigned int seek_up(const uint32_t *f, unsigned int at, bool clear)
{
	while (at < WORD_UNITS * WORD_UNITS) {
		uint32_t w = (clear ? ~f[at >> 5] : f[at >> 5]) >> (at & 31);

		if (w)
			return at + pz_ctz32(w);
		at = (at | 31) + 1;
	}
	return at;
}

/* Of the bits below @at the last one likewise, and one more; 0 for none. */
static unsigned int seek_down(const uint32_t *f, unsigned int at, bool clear)
{
	while (at) {
		unsigned int i = (at - 1) >> 5;
		uint32_t w = (clear ? ~f[i] : f[i]) & word_mask(0, ((at - 1) & 31) + 1);

		if (w)
			return i * WORD_UNITS + pz_fls32(w) + 1;
		at = i * WORD_UNITS;
	}
	return 0;
}

/* The runs that meet a level-1 node, from the outermost on. */
static enum seek_result seek_node(struct seek *s, uint64_t i)
{
	uint64_t n = s->req->pages, base = i << PAGE_NODE_SHIFT;
	unsigned int end = WORD_UNITS * WORD_UNITS, at = s->low ? 0 : end;
	uint32_t f[WORD_UNITS];

	if (pz_page_bound_node(s->p, i, n, s->req->gfp, s->special, &s->mark, f) < n)
		return SEEK_NONE;
	for (;;) {
		unsigned int a, b; /* the run is [a, b) */
		enum seek_result rc;

		if (s->low) {
			a = seek_up(f, at, false);
			at = b = seek_up(f, a, true);
		} else {
			b = seek_down(f, at, false);
			at = a = seek_down(f, b, true);
		}
		if (a == b)
			return SEEK_NONE;
		if (b - a < n && a && b < end)
			continue;
		rc = seek_run(s, base + a, base + b - 1);
		if (rc != SEEK_NONE)
			return rc;
	}
}

/* A unit that is free as a whole. Pageblocks in it may be for some requests only. */
static enum seek_result seek_whole(struct seek *s, uint64_t first, uint64_t last)
{
	const struct pz_pages *p = s->p;
	uint64_t mask = ((uint64_t)1 << p->pageblock_order) - 1;
	uint64_t n = (last - first) >> p->pageblock_order;
	enum seek_result rc = SEEK_NONE;

	if (!p->special)
		return seek_run(s, first, last);
	for (uint64_t k = 0; k <= n && rc == SEEK_NONE; k++) {
		uint64_t at = first + ((s->low ? k : n - k) << p->pageblock_order);

		/* What belongs to a run that was tried is behind us. */
		if (at > s->to || (at | mask) < s->from ||
		    !pz_page_type_serves(page_type(p, at), s->req->gfp))
			continue;
		rc = seek_run(s, at, at | mask);
	}
	return rc;
}

/*
 * Come to a node above level 1: which of its children have to be looked at? Those of level 1 also
 * outside of the window: they are few, and so that nodes at its edges have bounds as well.
 */
static void seek_enter(struct seek *s, unsigned int level, uint64_t i, struct seek_step *at)
{
	uint64_t base = i << WORD_SHIFT, n = s->req->pages, w;
	uint32_t window = 0;

	at->i = i;
	at->seen = page_bound_may(s->p, level, i, n);
	if (at->seen)
		at->seen = pz_page_bound_begin(s->p, level, i, n, &s->mark, &at->measure);
	at->left = at->seen;
	w = pz_load64(page_word(s->p, level, i));
	for (uint32_t m = at->left & word_head(w) & ~word_taken(w); m; m &= m - 1) {
		uint32_t bit = m & (~m + 1);

		if (page_bound_all(s->p, level - 1, base | pz_ctz32(m), n)) {
			pz_page_bound_child(s->p, level, base | pz_ctz32(m), n, &at->measure);
			at->left &= ~bit;
		}
	}
	if (s->special)
		at->left |= pz_load32(&page_upper(s->p, level, i)->special);
	at->left &= ~word_taken(w);
	if (level == 2) {
		window = ~(uint32_t)0;
	} else if (s->from <= s->to) {
		uint64_t lo = s->from >> (WORD_SHIFT * level), hi = s->to >> (WORD_SHIFT * level);

		lo = lo < base ? base : lo;
		hi = hi > base + 31 ? base + 31 : hi;
		if (lo <= hi)
			window = word_mask((unsigned int)(lo - base), (unsigned int)(hi - lo) + 1);
	}
	if (at->seen)
		at->measure.unknown |= at->left & at->seen & ~window;
	at->left &= window;
}

/* The next child of a node to look at. There is one. */
static uint64_t seek_pick(const struct seek *s, struct seek_step *at)
{
	unsigned int u = s->low ? pz_ctz32(at->left) : pz_fls32(at->left);

	at->left &= ~((uint32_t)1 << u);
	return at->i << WORD_SHIFT | u;
}

/* A child was looked at. */
static void seek_seen(const struct seek *s, unsigned int level, uint64_t child,
		      struct seek_step *at)
{
	if (at->seen >> (child & 31) & 1)
		pz_page_bound_child(s->p, level, child, s->req->pages, &at->measure);
}

/* What to do about a child, besides looking at its own children, which is SEEK_AGAIN. */
static enum seek_result seek_child(struct seek *s, unsigned int level, uint64_t child)
{
	uint64_t *word = page_word(s->p, level, child >> WORD_SHIFT);
	uint64_t first = child << (WORD_SHIFT * level);
	uint64_t last = first + ((uint64_t)1 << (WORD_SHIFT * level)) - 1;

	/* Does it lie in a run that was tried? */
	if (level > 2 && (first > s->to || last < s->from))
		return SEEK_NONE;
	for (;;) {
		enum word_state state = word_state(pz_load64(word), child & 31);
		enum seek_result rc;

		if (state != WORD_FREE)
			return state == WORD_SPLIT ? SEEK_AGAIN : SEEK_NONE;
		rc = seek_whole(s, first, last);
		if (rc != SEEK_AGAIN)
			return rc;
	}
}

/* @end: from this level on nodes are left behind half-way. */
static bool seek_walk(struct seek *s, struct seek_step *step, unsigned int *end)
{
	unsigned int top = s->p->level_count - 1, level = top;
	enum seek_result rc;
	uint64_t child = 0;

	if (top > 1)
		seek_enter(s, top, 0, &step[top]);
	for (;;) {
		struct seek_step *at = &step[level];

		*end = level;
		/* Much is not known, not just what has changed: does the tree know better? */
		if (level > 1 && !s->asked && (at->left & (at->left - 1))) {
			s->asked = true;
			if (!seek_skip(s))
				return false;
		}
		if (level == 1) {
			do {
				rc = seek_node(s, child);
			} while (rc == SEEK_AGAIN);
			if (rc != SEEK_NONE)
				return rc == SEEK_FOUND;
		} else if (at->left) {
			child = seek_pick(s, at);
			rc = seek_child(s, level, child);
			if (rc == SEEK_FOUND || rc == SEEK_LOST)
				return rc == SEEK_FOUND;
			if (rc == SEEK_NONE)
				seek_seen(s, level, child, at);
			else if (--level > 1)
				seek_enter(s, level, child, &step[level]);
			continue;
		} else if (at->seen) {
			pz_page_bound_end(s->p, level, at->i, s->mark, true, &at->measure);
		}
		*end = level + 1;
		if (level == top)
			return false;
		if (level > 1)
			child = at->i;
		level++;
		seek_seen(s, level, child, &step[level]);
	}
}

/* What is measured half-way when the search ends keeps the bound that it had. */
static bool seek_try(struct seek *s)
{
	struct seek_step step[PAGE_LEVELS_MAX];
	unsigned int end;
	bool found = seek_walk(s, step, &end);

	for (; end < s->p->level_count; end++) {
		if (end > 1 && step[end].seen)
			pz_page_bound_end(s->p, end, step[end].i, s->mark, false,
					  &step[end].measure);
	}
	return found;
}

/*
 * The highest (lowest) run within [lo, hi] that the request's limits allow, whose frames are all
 * free. With @look it is not taken.
 */
bool pz_page_run_take(struct pz_pages *p, const struct pz_page_req *req, uint64_t lo, uint64_t hi,
		      bool low, bool look, uint64_t *index)
{
	uint64_t n = req->pages, align = req->limits.align >> p->page_shift;
	uint64_t far = req->limits.boundary >> p->page_shift;
	unsigned int top;
	bool found;
	struct seek s = {
		.p = p,
		.req = req,
		.lo = lo,
		.hi = hi,
		.from = lo,
		.to = hi,
		.low = low,
		.look = look,
	};

	s.special = p->special && (pz_page_type_serves(PZ_CMA, req->gfp) ||
				   pz_page_type_serves(PZ_HIGHATOMIC, req->gfp));
	if (!far || far > 2 * (n + align))
		far = 2 * (n + align);
	s.far = 2 * (n + align + far);
	top = p->level_count - 1;
	if (page_bound_all(p, top, 0, n) &&
	    !(s.special && (top == 1 || pz_load32(&page_upper(p, top, 0)->special))))
		return false;
	found = seek_try(&s);
	/* Nothing: let what was skipped have bounds as well, so that the next answer is short. */
	if (!found && s.skipped && !s.lost) {
		s.from = lo;
		s.to = hi;
		found = seek_try(&s);
	}
	if (!found)
		return false;
	*index = s.index;
	return true;
}
