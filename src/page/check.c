/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - verify the allocator, while nobody uses it.
 *
 * Invariants
 *  1. hints: what a child may have, by its own masks, its parent does not rule out (hint.c);
 *  2. hints: masks ascend with the order (hint.c);
 *  3. closed words: below a unit that is not split the word is WORD_CLOSED or zero (tree.c);
 *  4. a split unit that is all free has its `empty` bit (tree.c);
 *  5. a tail follows a head or a tail (tree.c);
 *  6. the counted free pages of each area, and those in CMA, are those that are free;
 *  7. what is free, held or a tail is managed; what is not managed is reserved;
 *  8. managed ranges ascend, do not touch, and sum up to the total;
 *  9. each free run for every request has a frame above which no bound denies it (bound.c);
 *  10. no bound above a node that has 0 speaks of it (bound.c);
 *  11. nothing is under way: what began has ended;
 *  12. what hints and bounds rule out nevertheless is known to a CPU (tell.c).
 */
#include "page_internal.h"

struct check_state {
	const struct pz_pages *p;
	bool block; /* the frame before belongs to a block */
};

/*
 * Whether a node of level 2 or more really has a run of a kind: its own masks may still promise one
 * in a unit that was taken when the masks above were set.
 */
static bool check_run(const struct pz_pages *p, unsigned int level, uint64_t node,
		      unsigned int kind, unsigned int order)
{
	unsigned int down = WORD_SHIFT * (level - 1);
	uint64_t j = node << down, end = (node + 1) << down;

	if (order >= 2 * WORD_SHIFT)
		return true;
	for (; j < end && j << (2 * WORD_SHIFT) < p->frames; j++) {
		unsigned int state = WORD_SPLIT;

		for (unsigned int l = level; l >= 2 && state == WORD_SPLIT; l--) {
			uint64_t at = j >> (WORD_SHIFT * (l - 2));

			state = word_state(pz_load64(page_word(p, l, at >> WORD_SHIFT)), at & 31);
		}
		if (state == WORD_FREE ? pz_page_kind_units(p, page_node(p, j), kind) != 0
				       : state == WORD_SPLIT && pz_page_may(p, 1, j, kind, order))
			return true;
	}
	return false;
}

static int check_masks(const struct pz_pages *p, unsigned int level, uint64_t i)
{
	uint64_t w = pz_load64(page_word(p, level, i));

	for (unsigned int u = 0; u < WORD_UNITS; u++) {
		uint64_t child = i << WORD_SHIFT | u;
		uint32_t bit = (uint32_t)1 << u;

		if ((word_taken(w) & bit) || (child << (WORD_SHIFT * level)) >= p->frames)
			continue;
		for (unsigned int kind = 0; kind < (level == 1 ? 1 : PAGE_KINDS); kind++) {
			unsigned int first = kind == PAGE_K_ANY ? p->pageblock_order : 0;
			unsigned int end = WORD_SHIFT * level;
			if (kind <= PAGE_K_RECLAIMABLE && level > 1 && end > p->pageblock_order)
				end = p->pageblock_order;
			for (unsigned int o = first; o < end; o++) {
				bool none, may;

				if (level == 1) {
					uint64_t below = pz_load64(page_word(p, 0, child));

					none = pz_load32(&page_node(p, i)->none[o]) & bit;
					may = word_state(w, u) == WORD_FREE ||
					      word_runs(word_free(below), o);
					if (none && may && word_state(w, u) == WORD_SPLIT)
						may = word_runs(word_free(below) &
									~pz_page_untold(p, child),
								o);
				} else {
					none = !(pz_page_hint_children(p, level, i, kind, o) & bit);
					may = pz_page_may(p, level - 1, child, kind, o);
				}
				if (none && may &&
				    (level == 1 || check_run(p, level - 1, child, kind, o)))
					return 1;
			}
		}
	}
	return 0;
}

/* A node without a bound: no bound above speaks of it, for its next free tells nobody. */
static int check_bound(const struct pz_pages *p, unsigned int level, uint64_t i)
{
	if (level > 1 ? (uint32_t)pz_load64(&page_upper(p, level, i)->bound)
		      : pz_load32(&page_node(p, i)->bound))
		return 0;
	while (++level < p->level_count) {
		uint32_t bit = (uint32_t)1 << (i & 31);

		i >>= WORD_SHIFT;
		if (!(page_bound_may(p, level, i, UINT64_MAX) & bit))
			return 10;
	}
	return 0;
}

static int check_word(struct check_state *c, unsigned int level, uint64_t i)
{
	const struct pz_pages *p = c->p;
	uint64_t w = pz_load64(page_word(p, level, i));

	for (unsigned int u = 0; level && u < WORD_UNITS; u++) {
		uint64_t child = i << WORD_SHIFT | u, below;
		uint32_t empty;

		if ((child << (WORD_SHIFT * level)) >= p->frames)
			break;
		below = pz_load64(page_word(p, level - 1, child));
		if (word_state(w, u) != WORD_SPLIT) {
			if (below && below != WORD_CLOSED)
				return 3;
			continue;
		}
		if (below == WORD_CLOSED)
			return 3;
		empty = level == 1 ? page_node(p, i)->empty : page_upper(p, level, i)->empty;
		if (!(empty >> u & 1) &&
		    (level == 1 ? !below && !pz_page_untold(p, child)
				: pz_page_loose(p, level - 1, child) == ~(uint32_t)0))
			return 4;
	}
	if (level) {
		int rc = check_bound(p, level, i);

		return rc ? rc : check_masks(p, level, i);
	}
	return 0;
}

/* Units from left to right: blocks begin with a head, and what is managed is what may change. */
static int check_units(struct check_state *c, unsigned int level, uint64_t i)
{
	const struct pz_pages *p = c->p;
	uint64_t w = pz_load64(page_word(p, level, i));
	uint64_t size = (uint64_t)1 << (WORD_SHIFT * level);

	for (unsigned int u = 0; u < WORD_UNITS; u++) {
		uint64_t first = (i << WORD_SHIFT | u) * size, last = first + size - 1;
		enum word_state s = word_state(w, u);

		if (first >= p->frames || (level && s == WORD_SPLIT))
			continue;
		if (s == WORD_TAIL && !c->block)
			return 5;
		c->block = s == WORD_TAIL || s == WORD_HEAD;
		if (s != WORD_HEAD &&
		    !pz_page_managed(p, first, last < p->frames ? last : p->frames - 1))
			return 7;
	}
	return 0;
}

/* All live words in order of address; those below split units only. */
static int check_tree(const struct pz_pages *p)
{
	struct check_state c = { p, false };
	uint64_t at[PAGE_LEVELS_MAX];
	unsigned int next[PAGE_LEVELS_MAX], level = p->level_count - 1;
	int rc;

	at[level] = 0;
	next[level] = 0;
	rc = check_word(&c, level, 0);
	while (!rc) {
		uint64_t w = pz_load64(page_word(p, level, at[level]));
		uint64_t child = at[level] << WORD_SHIFT | next[level];

		if (next[level] == WORD_UNITS || (child << (WORD_SHIFT * level)) >= p->frames) {
			if (++level == p->level_count)
				return 0;
			continue;
		}
		if (word_state(w, next[level]) != WORD_SPLIT) {
			enum word_state s = word_state(w, next[level]);
			uint64_t size = (uint64_t)1 << (WORD_SHIFT * level);
			uint64_t last = child * size + size - 1;

			if (s == WORD_TAIL && !c.block)
				return 5;
			c.block = s == WORD_TAIL || s == WORD_HEAD;
			if (s != WORD_HEAD &&
			    !pz_page_managed(p, child * size,
					     last < p->frames ? last : p->frames - 1))
				return 7;
			next[level]++;
			continue;
		}
		next[level]++;
		level--;
		at[level] = child;
		next[level] = 0;
		rc = check_word(&c, level, child);
		if (!rc && !level) {
			rc = check_units(&c, 0, child);
			level = 1;
		}
	}
	return rc;
}

/* The last frame from @at on for which the same bound denies a run of @n; below @at for none. */
static uint64_t check_denied(const struct pz_pages *p, uint64_t at, uint64_t n)
{
	for (unsigned int l = p->level_count - 1; l; l--) {
		uint64_t unit = at >> (WORD_SHIFT * l), i = unit >> WORD_SHIFT;

		if (l == 1 && page_bound_all(p, l, i, n))
			return ((i + 1) << PAGE_NODE_SHIFT) - 1;
		if (l > 1 && !(page_bound_may(p, l, i, n) >> (unit & 31) & 1))
			return ((unit + 1) << (WORD_SHIFT * l)) - 1;
		if (word_state(pz_load64(page_word(p, l, i)), unit & 31) != WORD_SPLIT)
			break;
	}
	return at - 1;
}

/* Whether a CPU has told nobody of a frame of a free run. */
static bool check_untold(const struct pz_pages *p, uint64_t first, uint64_t last)
{
	for (uint64_t i = first >> WORD_SHIFT; i <= last >> WORD_SHIFT; i++) {
		uint32_t m = ~(uint32_t)0;

		if (i == first >> WORD_SHIFT)
			m &= ~(uint32_t)0 << (first & 31);
		if (i == last >> WORD_SHIFT)
			m &= ~(uint32_t)0 >> (31 - (last & 31));
		if (pz_page_untold(p, i) & m)
			return true;
	}
	return false;
}

static int check_runs(const struct pz_pages *p)
{
	uint64_t at = 0;

	while (at < p->frames) {
		uint64_t last, f, denied;
		unsigned int level;

		if (pz_page_probe(p, at, &level) != WORD_FREE) {
			at = (at | (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) + 1;
			continue;
		}
		if (!pz_page_type_serves(page_type(p, at), 0)) {
			at = (at | (WORD_UNITS - 1)) + 1;
			continue;
		}
		last = pz_page_free_up(p, at, p->frames - 1, 0);
		for (f = at; f <= last; f = denied + 1) {
			denied = check_denied(p, f, last - at + 1);
			if (denied + 1 == f)
				break;
		}
		if (f > last && !check_untold(p, at, last))
			return 9;
		at = last + 1;
	}
	return 0;
}

static int check_counts(const struct pz_pages *p)
{
	uint64_t sum = 0;

	for (uint32_t a = 0; a < p->area_count; a++) {
		uint64_t free = 0, cma = 0, managed = 0;

		for (uint32_t i = 0; i < p->seg_count; i++) {
			uint64_t at = p->seg[i].lo, last;

			if (p->seg[i].area != a)
				continue;
			while (pz_page_next_run(p, &at, p->seg[i].hi, &last)) {
				free += last - at + 1;
				for (uint64_t f = at; pz_peek32(&p->cma_count) && f <= last; f++)
					cma += page_type(p, f) == PZ_CMA;
				at = last + 1;
			}
		}
		if (free != pz_page_free_count(p, a) || cma != p->area[a].free_cma)
			return 6;
		managed = p->area[a].managed;
		sum += managed;
	}
	for (uint32_t i = 0; i < p->managed_count; i++) {
		const struct pz_range *r = &p->managed[i];

		if (r->first > r->last || (i && r->first <= r[-1].last + 1))
			return 8;
		sum -= r->last - r->first + 1;
	}
	return sum ? 8 : 0;
}

int pz_pages_check(const struct pz_pages *p)
{
	int rc = check_tree(p);
	bool quiet;

	(void)page_settled(p, &quiet);
	if (!rc && !quiet)
		rc = 11;
	if (!rc)
		rc = check_runs(p);
	return rc ? rc : check_counts(p);
}
