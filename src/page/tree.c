/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - the truth: the state of every frame, in words that are changed one at a time.
 *
 * Concept
 *  A block of 2^k frames is 2^(k % 5) units of one word at level k / 5 (word.h). To allocate it is
 *  one compare-and-exchange of that word, to free it another, whatever its size. A unit that is
 *  free as a whole is split before something smaller is taken from it, and merged again not when
 *  its last piece is freed but when a larger block is wanted: `empty` remembers that it might be.
 *
 * Invariants (verified by pz_pages_check() when nothing is under way)
 *  3. below a unit that is not split, the word is WORD_CLOSED, or zero when it was never split:
 *     nothing can be taken from it or freed into it;
 *  4. a word whose unit is split, and all of whose units are free, has its `empty` bit set above;
 *  5. each allocated block begins with a head and goes on with tails; a tail is never first.
 *
 * Concurrency
 *  A unit that is to be split is taken like a block, the word below is opened, and the unit becomes
 *  split; a merge closes the word below (it must be all free, and nobody can take from it then),
 *  then makes the unit free. In between its frames belong to nobody: a search does not see them,
 *  and `settle` says so. No other step of the tree is more than one exchange, so an operation that
 *  is interrupted anywhere blocks nobody.
 */
#include "page_internal.h"

static uint32_t *tree_empty(const struct pz_pages *p, unsigned int level, uint64_t i)
{
	return level == 1 ? &page_node(p, i)->empty : &page_upper(p, level, i)->empty;
}

/*
 * Let a unit's frames be taken one by one. True when it is split then, by whomever. The unit is
 * taken first, so that nobody else opens or closes the word below meanwhile.
 */
bool pz_page_split(struct pz_pages *p, unsigned int level, uint64_t unit)
{
	uint64_t *w = page_word(p, level, unit >> WORD_SHIFT);
	uint64_t taken = (uint64_t)1 << (unit & 31), head = taken << 32, old;

	page_settle_begin(p, unit);
	do {
		old = pz_load64(w);
		if (word_state(old, unit & 31) != WORD_FREE) {
			page_settle_end(p, unit);
			return word_state(old, unit & 31) == WORD_SPLIT;
		}
	} while (!pz_cas64(w, old, old | head | taken));
	if (pz_load64(page_word(p, level - 1, unit)))
		pz_store64(page_word(p, level - 1, unit), 0);
	do {
		old = pz_load64(w);
	} while (!pz_cas64(w, old, old & ~taken));
	pz_page_bound_open(p, level, unit, true);
	/* Who looked while it was closed may have noted that there is nothing. */
	pz_or32(tree_empty(p, level, unit >> WORD_SHIFT), (uint32_t)1 << (unit & 31));
	pz_page_hint_freed(p, unit << (WORD_SHIFT * level), WORD_SHIFT * level);
	pz_page_freed(p, level, unit >> WORD_SHIFT, unit & 31,
		      pz_page_loose(p, level, unit >> WORD_SHIFT) | (uint32_t)taken);
	page_settle_end(p, unit);
	return true;
}

/* The unit turned out not to be free as a whole; it may have become so meanwhile. */
void pz_page_not_empty(struct pz_pages *p, unsigned int level, uint64_t unit)
{
	uint32_t bit = (uint32_t)1 << (unit & 31);
	uint32_t *empty = tree_empty(p, level, unit >> WORD_SHIFT);
	bool free;

	if (!(pz_load32(empty) & bit))
		return;
	page_settle_begin(p, unit);
	pz_and32(empty, ~bit);
	free = level == 1 ? !pz_load64(page_word(p, 0, unit)) : !~pz_page_loose(p, level - 1, unit);
	if (free) {
		pz_or32(empty, bit);
		pz_page_hint_freed(p, unit << (WORD_SHIFT * level), WORD_SHIFT * level);
	}
	page_settle_done(p, unit, free);
}

/* Make a split unit free as a whole; the units of the word below are all free as a whole. */
static bool tree_merge_one(struct pz_pages *p, unsigned int level, uint64_t unit)
{
	uint64_t *w = page_word(p, level, unit >> WORD_SHIFT);
	uint64_t *below = page_word(p, level - 1, unit);
	uint64_t head = (uint64_t)1 << (32 + (unit & 31)), old;

	/*
	 * Below a unit that was never split the word is zero as well. Once it was, zero means that
	 * it is open, or about to be: what is being split is left alone.
	 */
	if (word_state(pz_load64(w), unit & 31) != WORD_SPLIT)
		return word_state(pz_load64(w), unit & 31) == WORD_FREE;
	page_settle_begin(p, unit);
	if (!pz_cas64(below, 0, WORD_CLOSED)) {
		page_settle_end(p, unit);
		return false;
	}
	do {
		old = pz_load64(w);
		if (word_state(old, unit & 31) != WORD_SPLIT) {
			if (pz_cas64(below, WORD_CLOSED, 0))
				page_bound_freed(p, level - 1, unit, ~(uint32_t)0);
			page_settle_end(p, unit);
			return false;
		}
	} while (!pz_cas64(w, old, old & ~head));
	page_bound_freed(p, level, unit >> WORD_SHIFT, (uint32_t)1 << (unit & 31));
	pz_page_hint_freed(p, unit << (WORD_SHIFT * level), WORD_SHIFT * level);
	pz_page_freed(p, level, unit >> WORD_SHIFT, unit & 31,
		      pz_page_loose(p, level, unit >> WORD_SHIFT) | (uint32_t)1 << (unit & 31));
	page_settle_end(p, unit);
	return true;
}

/* Make a split unit free as a whole, after what is below it. False when something there is taken.
 */
bool pz_page_merge(struct pz_pages *p, unsigned int level, uint64_t unit)
{
	uint64_t at[PAGE_LEVELS_MAX];
	uint32_t left[PAGE_LEVELS_MAX];
	unsigned int l = level;

	at[l] = unit;
	left[l] = ~(uint32_t)0;
	for (;;) {
		uint64_t w = pz_load64(page_word(p, l - 1, at[l]));
		uint32_t split = l > 1 ? word_head(w) & ~word_taken(w) & left[l] : 0;

		if (l > 1 && split && !word_taken(w)) {
			unsigned int u = pz_ctz32(split);

			left[l] &= ~((uint32_t)1 << u);
			at[l - 1] = at[l] << WORD_SHIFT | u;
			left[--l] = ~(uint32_t)0;
			continue;
		}
		if (!tree_merge_one(p, l, at[l]))
			break;
		if (l == level)
			return true;
		l++;
	}
	for (; l <= level; l++)
		pz_page_not_empty(p, l, at[l]);
	return false;
}

/*
 * Units of a word became free, @unit among them; @f were free then. What is free around it is
 * announced, and when that is the whole word, also what is free around the unit above, and so on.
 */
void pz_page_freed(struct pz_pages *p, unsigned int level, uint64_t i, unsigned int unit,
		   uint32_t f)
{
	uint64_t first = (i << WORD_SHIFT | unit) << (WORD_SHIFT * level);
	bool news = false;

	for (;;) {
		unsigned int r = word_run_around(f, unit);
		uint32_t *empty, bit;

		if (r < WORD_SHIFT || level + 1 == p->level_count) {
			pz_page_hint_freed(p, first, WORD_SHIFT * level + r);
			break;
		}
		unit = (unsigned int)i & 31;
		i >>= WORD_SHIFT;
		level++;
		empty = tree_empty(p, level, i);
		bit = (uint32_t)1 << unit;
		/* When it is set already, whoever set it has announced the rest. */
		if (pz_load32(empty) & bit) {
			if (news)
				pz_page_hint_freed(p, first, WORD_SHIFT * level);
			break;
		}
		if (!news)
			page_settle_begin(p, first >> PAGE_NODE_SHIFT);
		pz_or32(empty, bit);
		news = true;
		f = pz_page_loose(p, level, i) | bit;
	}
	if (news)
		page_settle_end(p, first >> PAGE_NODE_SHIFT);
}

/*
 * The state of the smallest unit that is not split and has the frame, and its level. A unit in
 * transit, split above and closed below, is free: no block ever fills an open word with tails
 * alone.
 */
enum word_state pz_page_probe(const struct pz_pages *p, uint64_t index, unsigned int *level)
{
	enum word_state s = WORD_SPLIT;

	for (unsigned int l = p->level_count - 1;; l--) {
		uint64_t unit = index >> (WORD_SHIFT * l);
		uint64_t w = pz_load64(page_word(p, l, unit >> WORD_SHIFT));

		if (w == WORD_CLOSED && l + 1 < p->level_count) {
			*level = l + 1;
			return WORD_FREE;
		}
		s = word_state(w, unit & 31);
		if (s != WORD_SPLIT || !l) {
			*level = l;
			return s;
		}
	}
}
