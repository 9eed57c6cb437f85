/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search.c - the highest or lowest free block of an order within a window.
 *
 * Concept
 *  From the root down, at each level into the outermost child that overlaps the window and whose
 *  hint does not rule it out; into a unit that is free as a whole without splitting it, until it is
 *  certain that the block will be taken. Where nothing is found the hint is corrected and the next
 *  child tried. The cost is a few masks a level, whatever the window.
 *
 * Failure
 *  Losing a race for a word is no failure: the word is read again. What is found is taken in the
 *  same step, so nothing has to be undone.
 */
#include "page_internal.h"

/* The way from the root to a word: at each level the word, what is left to try, and whether the
 * unit above it is free as a whole, so that the word itself says nothing. */
struct search_path {
	uint64_t i[PAGE_LEVELS_MAX];
	uint32_t left[PAGE_LEVELS_MAX];
	bool whole[PAGE_LEVELS_MAX];
};

/* Units of a word that overlap the window or, with @inside, lie in it. */
static uint32_t search_window(const struct page_want *w, unsigned int level, uint64_t i,
			      bool inside)
{
	unsigned int shift = WORD_SHIFT * level;
	uint64_t first = i << WORD_SHIFT, last = first + 31, lo, hi;

	if (inside) {
		uint64_t size = (uint64_t)1 << shift;

		lo = (w->lo + size - 1) >> shift;
		if (w->hi + 1 < size)
			return 0;
		hi = ((w->hi + 1) >> shift) - 1;
	} else {
		lo = w->lo >> shift;
		hi = w->hi >> shift;
	}
	if (lo < first)
		lo = first;
	if (hi > last)
		hi = last;
	if (lo > hi)
		return 0;
	return word_mask((unsigned int)(lo - first), (unsigned int)(hi - lo) + 1);
}

/* Frames of a level-0 word that lie in the window. */
static uint32_t search_frames(const struct page_want *w, uint64_t i)
{
	return search_window(w, 0, i, false);
}

static bool search_covers(const struct page_want *w, unsigned int level, uint64_t i)
{
	unsigned int shift = WORD_SHIFT * (level + 1);

	return w->lo <= i << shift && ((i + 1) << shift) - 1 <= w->hi;
}

static unsigned int search_pick(const struct page_want *w, uint32_t m)
{
	return w->low ? pz_ctz32(m) : pz_fls32(m);
}

/* Split what is free as a whole above a word, from the top down. */
static bool search_open(struct pz_pages *p, const struct search_path *at, unsigned int level)
{
	for (unsigned int l = p->level_count - 1; l > level; l--) {
		if (at->whole[l - 1] && !pz_page_split(p, l, at->i[l - 1]))
			return false;
	}
	return true;
}

/* Merge the units in @m that are split and may be free. */
static bool search_merge(struct pz_pages *p, unsigned int level, uint64_t i, uint32_t m)
{
	for (; m; m &= m - 1) {
		if (!pz_page_merge(p, level, i << WORD_SHIFT | pz_ctz32(m)))
			return false;
	}
	return true;
}

/* A block of whole units of a word at level 1 or above. */
static bool search_units(struct pz_pages *p, const struct page_want *w, unsigned int level,
			 struct search_path *at, uint64_t *index)
{
	uint64_t i = at->i[level], *word = page_word(p, level, i);
	unsigned int r = w->order - WORD_SHIFT * level;
	uint32_t ok = search_window(w, level, i, true);

	if (level == 1)
		ok &= pz_page_kind_units(p, page_node(p, i), w->kind);
	else if (w->kind == PAGE_K_ANY)
		ok &= ~pz_load32(&page_upper(p, level, i)->special);
	else
		ok = 0;
	for (;;) {
		uint64_t v = at->whole[level] ? 0 : pz_load64(word);
		uint32_t f = word_free(v), m = f & ok;
		unsigned int u;

		/* A mere look wants the outermost run, also one that has to be merged first. */
		if (!word_runs(m, r) || w->look) {
			m = at->whole[level] ? m : pz_page_loose(p, level, i) & ok;
			if (!word_runs(m, r))
				return false;
		}
		u = w->look ? search_pick(w, word_runs(m, r)) : word_place(m, r, w->low);
		*index = (i << WORD_SHIFT | u) << (WORD_SHIFT * level);
		if (w->look)
			return true;
		m = word_mask(u, 1u << r);
		if (at->whole[level]) {
			if (!search_open(p, at, level))
				return false;
			at->whole[level] = false;
			continue;
		}
		if (m & ~f) {
			(void)search_merge(p, level, i, m & ~f);
			continue;
		}
		if (pz_cas64(word, v, v | m | (uint64_t)1 << (32 + u)))
			return true;
	}
}

/* A block of frames of one level-0 word. */
static bool search_word(struct pz_pages *p, const struct page_want *w, uint64_t i, uint64_t *index)
{
	uint64_t *word = page_word(p, 0, i);
	uint32_t ok = search_frames(w, i);

	for (;;) {
		uint64_t v = pz_load64(word);
		uint32_t m = word_free(v) & ok;
		unsigned int u;

		if (!word_runs(m, w->order)) {
			if (!~ok)
				pz_page_hint_unit_none(p, i, w->order);
			return false;
		}
		/* A mere look wants the outermost run, not the one that suits best. */
		u = w->look ? search_pick(w, word_runs(m, w->order))
			    : word_place(m, w->order, w->low);
		*index = i << WORD_SHIFT | u;
		if (w->look ||
		    pz_cas64(word, v, v | word_mask(u, 1u << w->order) | (uint64_t)1 << (32 + u)))
			return true;
	}
}

/* A block of frames in a level-1 node: rather from units that are split than from whole ones. */
static bool search_node(struct pz_pages *p, const struct page_want *w, struct search_path *at,
			uint64_t *index)
{
	uint64_t i = at->i[1];
	struct page_node *n = page_node(p, i);
	uint32_t ok = search_window(w, 1, i, false) & pz_page_kind_units(p, n, w->kind);
	uint32_t tried = 0;

	for (;;) {
		uint64_t v = at->whole[1] ? 0 : pz_load64(&n->w);
		uint32_t m = ~word_taken(v) & ok & ~tried & ~pz_load32(&n->none[w->order]);
		uint32_t split = m & word_head(v);
		unsigned int u;

		if (!m)
			return false;
		/* Rather where no larger run is broken, as far as that is known. */
		if (split && w->order + 1u < WORD_SHIFT && !w->look) {
			uint32_t tight = split & pz_load32(&n->none[w->order + 1]);

			split = tight ? tight : split;
		}
		if (split && w->spread) {
			/* CPUs in one node keep to cache lines of their own: eight words each. */
			uint32_t line = split & 0xffu << (w->spread / 2 % 4 * 8);

			split = line ? line : split;
		}
		u = search_pick(w, split && !w->look ? split : m);
		if (split >> u & 1) {
			if (search_word(p, w, i << WORD_SHIFT | u, index))
				return true;
			tried |= (uint32_t)1 << u;
			continue;
		}
		/* Is there room at the edge of the window? */
		if (!word_runs(search_frames(w, i << WORD_SHIFT | u), w->order)) {
			tried |= (uint32_t)1 << u;
			continue;
		}
		if (w->look) {
			uint32_t runs = word_runs(search_frames(w, i << WORD_SHIFT | u), w->order);

			*index = (i << WORD_SHIFT | u) << WORD_SHIFT | search_pick(w, runs);
			return true;
		}
		if (at->whole[1] && !search_open(p, at, 1))
			return false;
		at->whole[1] = false;
		if (pz_page_split(p, 1, i << WORD_SHIFT | u) &&
		    search_word(p, w, i << WORD_SHIFT | u, index))
			return true;
	}
}

/* Children of a word above the one that has the block, which are worth a look. */
static uint32_t search_children(const struct pz_pages *p, const struct page_want *w,
				unsigned int level, uint64_t i, bool whole)
{
	uint64_t v = whole ? 0 : pz_load64(page_word(p, level, i));

	return ~word_taken(v) & search_window(w, level, i, false) &
	       pz_page_hint_children(p, level, i, w->kind, w->order);
}

/* Skip some of the outermost places, so that CPUs do not meet; never all, and not far. */
static uint32_t search_spread(const struct page_want *w, uint32_t m)
{
	uint32_t rest = m;

	for (unsigned int n = w->spread; n && (rest & (rest - 1)); n--)
		rest &= ~((uint32_t)1 << search_pick(w, rest));
	return rest;
}

/*
 * Of the children with a run, all as good by address: those that have none of the next order, so
 * that larger runs last; and then not where other CPUs look first.
 */
static uint32_t search_prefer(const struct pz_pages *p, const struct page_want *w,
			      unsigned int level, uint64_t i, uint32_t m, bool *spread)
{
	uint32_t tight = 0;

	if (w->order + 1u < p->pageblock_order && w->kind != PAGE_K_ANY)
		tight = m & ~pz_page_hint_children(p, level, i, w->kind, w->order + 1);
	if (tight)
		m = tight;
	if (w->spread && !*spread)
		m = search_spread(w, m);
	*spread = true;
	return m;
}

/* Whether what a word has of the window is of one class of addresses: then any of it is as good. */
static bool search_same_class(const struct pz_pages *p, const struct page_want *w,
			      unsigned int level, uint64_t i)
{
	unsigned int shift = WORD_SHIFT * (level + 1);
	uint64_t first = i << shift, last = first + ((uint64_t)1 << shift) - 1;

	first = first < w->lo ? w->lo : first;
	last = last > w->hi ? w->hi : last;
	return page_class(p, page_to_pfn(p, first)) == page_class(p, page_to_pfn(p, last));
}

bool pz_page_tree_take(struct pz_pages *p, const struct page_want *w, uint64_t *index)
{
	unsigned int top = p->level_count - 1, level = top;
	unsigned int stop = w->order < 2 * WORD_SHIFT ? 1 : page_level_of(w->order);
	bool spread = false;
	struct search_path at;

	if (stop > top)
		return false;
	at.i[top] = 0;
	at.whole[top] = false;
	at.left[top] = top > stop ? search_children(p, w, top, 0, false) : 0;
	for (;;) {
		enum word_state above;
		unsigned int u;
		uint64_t child;

		if (level == stop) {
			if (w->order < WORD_SHIFT ? search_node(p, w, &at, index)
						  : search_units(p, w, level, &at, index))
				return true;
		} else if (at.left[level]) {
			uint32_t m = at.left[level];

			if (level == stop + 1 && !w->look &&
			    search_same_class(p, w, level, at.i[level]))
				m = search_prefer(p, w, level, at.i[level], m, &spread);
			u = search_pick(w, m);
			child = at.i[level] << WORD_SHIFT | u;
			at.left[level] &= ~((uint32_t)1 << u);
			at.i[level - 1] = child;
			above = at.whole[level]
					? WORD_FREE
					: word_state(pz_load64(page_word(p, level, at.i[level])),
						     u);
			/* Taken meanwhile: the word below it says nothing. */
			if (above != WORD_FREE && above != WORD_SPLIT)
				continue;
			at.whole[level - 1] = above == WORD_FREE;
			level--;
			at.left[level] =
				level > stop ? search_children(p, w, level, child, at.whole[level])
					     : 0;
			continue;
		}
		/* Nothing in this word: correct the hint above, unless the window cut it short. */
		if (level == top)
			return false;
		if (search_covers(w, level, at.i[level]))
			pz_page_hint_none(p, level + 1, at.i[level], w->kind, w->order);
		level++;
	}
}

/* A block of frames in the level-1 node that has @at, which is within [lo, hi]. */
bool pz_page_near(struct pz_pages *p, uint64_t at, unsigned int order, unsigned int kind,
		  uint64_t lo, uint64_t hi, uint64_t *index)
{
	struct page_want w = { .lo = lo, .hi = hi, .order = (uint8_t)order, .kind = (uint8_t)kind };
	uint64_t i = at >> PAGE_NODE_SHIFT;
	struct search_path path;

	if (p->level_count > 2 &&
	    word_state(pz_load64(page_word(p, 2, i >> WORD_SHIFT)), i & 31) != WORD_SPLIT)
		return false;
	path.i[1] = i;
	path.whole[1] = false;
	return search_node(p, &w, &path, index);
}
