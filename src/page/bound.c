/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bound.c - how long a free run may be, by part of the tree.
 *
 * Concept
 *  Each level-1 node has a bound: 0, or B for "do not look here for a run of B frames or more".
 *  What counts are free runs in full, also where they go on outside of the node, of frames that
 *  every request may use: those of the three ordinary mobilities. A search measures the longest
 *  run that meets the node and notes one more. A node above has a bound and a bit for each child
 *  that it does not speak of. Whoever frees frames sets the bound of their level-1 node to 0, and
 *  the bits in all the nodes above. A bound counts while the unit above its node is split, or there
 *  is none.
 *
 * Invariants (verified by pz_pages_check() when nothing is under way)
 *  9. for each free run of frames that every request may use there is one of its frames such that
 *     no bound that speaks of this frame says that the run does not exist;
 *  10. where a node that counts has 0, no bound above speaks of it: a free that finds 0 need not
 *     look further up.
 *
 * Why one frame is enough
 *  A search that comes to the node of that frame measures the run in full, in both directions. So a
 *  free need not know how far the run goes that it makes longer: of all frames of a run the one
 *  that was freed last has taken back what was said of it, when all the others were free. Whoever
 *  has measured there since has seen the whole run. Bounds at the other frames may say too little.
 *
 * Concurrency
 *  Who measures first replaces the bound by a mark of his own, PAGE_BOUND_MARK and a number that
 *  nobody else has, with no bits; then he reads the frames, or the bounds of those children that
 *  the bound did not speak of; then he puts the new bound in place of the mark. A mark says nothing
 *  to searches. A free changes the frames first and reads the bound then. Either the frames are
 *  seen, or the free finds the mark, or the bound that followed it: it sets 0, so that the exchange
 *  of the mark fails, or above level 1 a bit, which the new bound keeps. Two that measure the same
 *  node replace each other's marks: only the last one's bound counts.
 *
 *  A free that finds 0 leaves the nodes above alone. Somebody has set it to 0 and goes on to set
 *  the bits, from below to above; `settle` says so until he is done. Nobody clears them in between,
 *  for that takes a bound in the child. Nobody else writes 0, but who puts back the 0 that was
 *  there before his mark.
 *
 *  Other changes are frees in this sense: the end of a split and of a merge, for in between the
 *  frames looked taken; and a pageblock that becomes one of an ordinary mobility. What is opened
 *  below a unit that is not free, so that its parts can be freed, gets the mark without a number:
 *  the first free there sets the bits above. Below a free unit that is split the bound is set to 0,
 *  and the bits above are set.
 *
 * Shortcomings
 *  Requests that may use CMA or highatomic pageblocks look at nodes that have such, whatever their
 *  bounds. A number comes back after 2^31 marks.
 */
#include "page_internal.h"

/* The bound of a node above level 1 does not speak of some children any more. False: it did not. */
static bool bound_clear(struct pz_pages *p, unsigned int level, uint64_t i, uint32_t units)
{
	uint64_t *b = &page_upper(p, level, i)->bound, old;

	do {
		old = pz_load64(b);
		if (!(uint32_t)old || !(units & ~(uint32_t)(old >> 32)))
			return false;
	} while (!pz_cas64(b, old, old | (uint64_t)units << 32));
	return true;
}

/* Nothing is known any more of units of the word @i of a level, in its node and those above. */
void pz_page_bound_reset(struct pz_pages *p, unsigned int level, uint64_t i, uint32_t units)
{
	uint64_t key = i;
	bool changed = false;

	page_settle_begin(p, key);
	if (level < 2) {
		uint64_t node = level ? i : i >> WORD_SHIFT;
		uint32_t *b = &page_node(p, node)->bound;

		if (pz_load32(b)) {
			pz_store32(b, 0);
			changed = true;
		}
		i = node >> WORD_SHIFT;
		units = (uint32_t)1 << (node & 31);
		level = 2;
	}
	for (; level < p->level_count; level++) {
		changed |= bound_clear(p, level, i, units);
		units = (uint32_t)1 << (i & 31);
		i >>= WORD_SHIFT;
	}
	page_settle_done(p, key, changed);
}

/*
 * The word below a unit counts: from now on, when the unit was free, and the caller has made it
 * split; soon, when it was not, and what lies below is not free either.
 */
void pz_page_bound_open(struct pz_pages *p, unsigned int level, uint64_t unit, bool free)
{
	uint32_t now = free ? 0 : PAGE_BOUND_MARK;

	if (level == 2 && pz_load32(&page_node(p, unit)->bound) != now)
		pz_store32(&page_node(p, unit)->bound, now);
	if (level > 2 && pz_load64(&page_upper(p, level - 1, unit)->bound) != now)
		pz_store64(&page_upper(p, level - 1, unit)->bound, now);
	if (free)
		page_bound_freed(p, level, unit >> WORD_SHIFT, (uint32_t)1 << (unit & 31));
}

static bool bound_known(uint32_t b)
{
	return b && !(b & PAGE_BOUND_MARK);
}

/* A mark of one's own, when it is needed first. */
static uint32_t bound_mark(struct pz_pages *p, uint32_t *mark)
{
	while (!(*mark & ~PAGE_BOUND_MARK))
		*mark = pz_add32(&p->bound_marks, 1) | PAGE_BOUND_MARK;
	return *mark;
}

/* Units of a level-1 node that a request may use. */
static uint32_t bound_units(const struct pz_pages *p, const struct page_node *n, uint32_t gfp)
{
	uint32_t units = pz_page_kind_units(p, n, PAGE_K_ANY);

	if (pz_page_type_serves(PZ_CMA, gfp))
		units |= pz_page_kind_units(p, n, PAGE_K_CMA);
	if (pz_page_type_serves(PZ_HIGHATOMIC, gfp))
		units |= pz_page_kind_units(p, n, PAGE_K_HIGHATOMIC);
	return units;
}

/* The frames of a level-1 node that are free, and that a request may use. */
static void bound_read(const struct pz_pages *p, uint64_t i, uint32_t units, uint32_t *f)
{
	uint64_t w = pz_load64(&page_node(p, i)->w);
	uint32_t split = word_head(w) & ~word_taken(w) & units, free = word_free(w) & units;

	for (unsigned int u = 0; u < WORD_UNITS; u++) {
		uint64_t v;

		f[u] = 0 - (free >> u & 1);
		if (split >> u & 1) {
			v = pz_load64(page_word(p, 0, i << WORD_SHIFT | u));
			f[u] = v == WORD_CLOSED ? ~(uint32_t)0 : word_free(v);
		}
	}
}

/* How far a run goes on below a frame that it has, up to @n frames. */
static uint64_t bound_below(const struct pz_pages *p, uint64_t first, uint64_t n, uint32_t gfp)
{
	if (!first)
		return 0;
	return first - pz_page_free_down(p, first - 1, first > n ? first - n : 0, gfp);
}

/* The same above a frame. */
static uint64_t bound_above(const struct pz_pages *p, uint64_t last, uint64_t n, uint32_t gfp)
{
	uint64_t left = p->frames - 1 - last;

	if (last >= p->frames - 1)
		return 0;
	return pz_page_free_up(p, last + 1, last + (left < n ? left : n), gfp) - last;
}

/* The longest run that meets a level-1 node, whose frames are @f; @n or more for any such. */
static uint64_t bound_longest(const struct pz_pages *p, uint64_t i, uint64_t n, uint32_t gfp,
			      const uint32_t *f)
{
	uint64_t first = i << PAGE_NODE_SHIFT, run = 0, most = 0;
	unsigned int inside = 0;

	if (f[0] & 1)
		run = bound_below(p, first, n, gfp);
	for (unsigned int u = 0; u < WORD_UNITS; u++) {
		uint32_t w = f[u];

		if (!~w) {
			run += WORD_UNITS;
			continue;
		}
		run += pz_ctz32(~w);
		most = run > most ? run : most;
		while (word_has_run(w, inside + 1))
			inside++;
		run = WORD_UNITS - 1 - pz_fls32(~w);
	}
	if (f[WORD_UNITS - 1] >> 31)
		run += bound_above(p, first + ((uint64_t)1 << PAGE_NODE_SHIFT) - 1, n, gfp);
	most = run > most ? run : most;
	return inside > most ? inside : most;
}

/*
 * Measure a level-1 node for a request: the longest run that meets it, @n or more for any such. The
 * bound is set where it is less. @special: the request may use pageblocks that others may not;
 * where the node has such nothing is learnt for others. @f has a bit for each frame that is free
 * for it.
 */
uint64_t pz_page_bound_node(struct pz_pages *p, uint64_t i, uint64_t n, uint32_t gfp, bool special,
			    uint32_t *mark, uint32_t *f)
{
	struct page_node *node = page_node(p, i);
	uint32_t *bound = &node->bound, old, units;
	uint64_t most;

	if (special && bound_units(p, node, gfp) != pz_page_kind_units(p, node, PAGE_K_ANY)) {
		bound_read(p, i, bound_units(p, node, gfp), f);
		return bound_longest(p, i, n, gfp, f);
	}
	(void)bound_mark(p, mark);
	do {
		old = pz_load32(bound);
	} while (!pz_cas32(bound, old, *mark));
	units = pz_page_kind_units(p, node, PAGE_K_ANY);
	bound_read(p, i, units, f);
	most = bound_longest(p, i, n, gfp, f);
	if (most < n && most < PAGE_BOUND_MARK - 1 && !(bound_known(old) && old <= most))
		old = (uint32_t)most + 1;
	if (!(old & PAGE_BOUND_MARK))
		(void)pz_cas32(bound, *mark, old);
	return most;
}

/* The longest run for every request that meets [first, last], all free; @n or more for any such. */
static uint64_t bound_whole(const struct pz_pages *p, uint64_t first, uint64_t last, uint64_t n)
{
	uint64_t most = 0;

	for (uint64_t at = first; at <= last;) {
		uint64_t run, next = at | (((uint64_t)1 << p->pageblock_order) - 1);

		if (pz_page_type_serves(page_type(p, at), 0)) {
			run = bound_above(p, at, n, 0) + 1;
			next = at + run - 1;
			if (at == first)
				run += bound_below(p, at, n, 0);
			most = run > most ? run : most;
			if (most >= n)
				break;
		}
		at = next + 1;
	}
	return most;
}

/*
 * Begin to measure a node above level 1 for runs of @n frames, before its children are looked at.
 * The children that the bound it had does not speak of.
 */
uint32_t pz_page_bound_begin(struct pz_pages *p, unsigned int level, uint64_t i, uint64_t n,
			     uint32_t *mark, struct page_measure *m)
{
	uint64_t *bound = &page_upper(p, level, i)->bound;

	m->unknown = 0;
	do {
		m->old = pz_load64(bound);
	} while (!pz_cas64(bound, m->old, bound_mark(p, mark)));
	m->most = 0;
	if (!page_bound_none((uint32_t)m->old, n))
		return ~(uint32_t)0;
	m->most = (uint32_t)m->old - 1;
	return (uint32_t)(m->old >> 32);
}

/* What is known of a child by now. */
void pz_page_bound_child(const struct pz_pages *p, unsigned int level, uint64_t child, uint64_t n,
			 struct page_measure *m)
{
	uint64_t w = pz_load64(page_word(p, level, child >> WORD_SHIFT)), first, run = 0, b;

	switch (word_state(w, child & 31)) {
	case WORD_SPLIT:
		b = level > 2 ? pz_load64(&page_upper(p, level - 1, child)->bound)
			      : pz_load32(&page_node(p, child)->bound);
		run = bound_known((uint32_t)b) && !(b >> 32) ? b - 1 : UINT64_MAX;
		break;
	case WORD_FREE:
		first = child << (WORD_SHIFT * level);
		run = bound_whole(p, first, first + ((uint64_t)1 << (WORD_SHIFT * level)) - 1, n);
		break;
	default:
		break;
	}
	if (run >= n)
		m->unknown |= (uint32_t)1 << (child & 31);
	else if (run > m->most)
		m->most = run;
}

/* The end of it; or, when it is not @done, back to what was known before. */
void pz_page_bound_end(struct pz_pages *p, unsigned int level, uint64_t i, uint32_t mark, bool done,
		       const struct page_measure *m)
{
	uint64_t *bound = &page_upper(p, level, i)->bound, v, to = m->old;

	if (done && m->most < PAGE_BOUND_MARK - 1)
		to = (uint64_t)m->unknown << 32 | ((uint32_t)m->most + 1);
	else if (!bound_known((uint32_t)to))
		return;
	do {
		v = pz_load64(bound);
	} while ((uint32_t)v == mark && !pz_cas64(bound, v, to | (v >> 32) << 32));
}
