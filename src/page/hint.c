/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hint.c - which parts of the tree are worth searching.
 *
 * Concept
 *  Each node remembers, by order (and above level 1 by kind of memory), which of its 32 children
 *  have no free run. A search reads these masks and goes straight to a child that may have one. The
 *  masks are hints: a free clears its bits at once, up to the first level where they are clear;
 *  only a search that was misled sets them. So zero memory, "everything may be free", is a valid
 *  start, and splitting and merging back and forth writes nothing that other CPUs read.
 *
 * Invariants (verified by pz_pages_check() when nothing is under way)
 *  1. a run that is free, and of the kind, is announced by clear bits at every level above it;
 *  2. a child without a run of an order has none of a larger one either: bits ascend with the
 *     order, and the child's `empty` bit is clear, so that it is announced when it becomes free as
 *     a whole.
 *
 * Concurrency
 *  Who sets a bit looks again afterwards, and takes it back when a run has appeared; a free changes
 *  the frames first and reads the bit then. One of the two sees the other. Between the setting and
 *  the second look a search may miss the run; `settle` tells it that this may be so, and afterwards
 *  that it was, when a bit was taken back.
 */
#include "page_internal.h"

/* The kinds that a free pageblock of PAGE_K_ANY may have. */
#define HINT_ORDINARY (1u << PAGE_K_UNMOVABLE | 1u << PAGE_K_MOVABLE | 1u << PAGE_K_RECLAIMABLE)

static unsigned int hint_kind_of(unsigned int type)
{
	return type <= PZ_CMA ? type : PAGE_KINDS;
}

/* The units of a level-1 node that searches of a kind may use. */
uint32_t pz_page_kind_units(const struct pz_pages *p, const struct page_node *n, unsigned int kind)
{
	uint32_t x[3];

	for (unsigned int b = 0; b < 3; b++)
		x[b] = pz_peek32(&n->type[b]) ^ (p->type_default >> b & 1 ? ~(uint32_t)0 : 0);
	if (kind == PAGE_K_ANY)
		return ~x[2] & ~(x[1] & x[0]);
	for (unsigned int b = 0; b < 3; b++) {
		if (!(kind >> b & 1))
			x[b] = ~x[b];
	}
	return x[0] & x[1] & x[2];
}

/* Units that are free, or become so by merging what is below them. */
uint32_t pz_page_loose(const struct pz_pages *p, unsigned int level, uint64_t i)
{
	uint64_t w = pz_load64(page_word(p, level, i));
	const uint32_t *empty =
		level == 1 ? &page_node(p, i)->empty : &page_upper(p, level, i)->empty;

	return word_free(w) | (~word_taken(w) & word_head(w) & pz_load32(empty));
}

/* The orders that a kind's masks tell apart end here, exclusive. */
static unsigned int hint_end(const struct pz_pages *p, unsigned int level, unsigned int kind)
{
	unsigned int end = WORD_SHIFT * level;

	return kind <= PAGE_K_RECLAIMABLE && p->pageblock_order < end ? p->pageblock_order : end;
}

static uint32_t *hint_mask(const struct pz_pages *p, unsigned int level, uint64_t i,
			   unsigned int kind, unsigned int order)
{
	return &page_upper(p, level, i)->none[kind * WORD_SHIFT * level + order];
}

/* The clearing of bits on the way up, which has begun with the first that is not clear yet. */
struct hint_news {
	struct pz_pages *p;
	uint64_t key;
	bool begun;
};

/* Clear a bit of a mask; false when it was clear. */
static bool hint_clear(struct hint_news *h, uint32_t *mask, uint32_t bit)
{
	if (!(pz_load32(mask) & bit))
		return false;
	/* Who sees the lowest mask clear relies on it that those above are, or will be soon. */
	if (!h->begun)
		page_settle_begin(h->p, h->key);
	h->begun = true;
	pz_and32(mask, ~bit);
	return true;
}

/* Clear a bit in the masks of orders @first to @last; false when it was clear in all. */
static bool hint_clear_orders(struct hint_news *h, unsigned int level, uint64_t i,
			      unsigned int kind, unsigned int first, unsigned int last,
			      uint32_t bit)
{
	uint32_t *mask = hint_mask(h->p, level, i, kind, 0), any = 0;

	/* Mostly there is nothing to do: say so without a branch for each. */
	for (unsigned int j = first; j <= last; j++)
		any |= pz_load32(&mask[j]);
	if (!(any & bit))
		return false;
	for (unsigned int j = first; j <= last; j++)
		(void)hint_clear(h, &mask[j], bit);
	return true;
}

/* Children of an upper node that may have a run of a kind and order, as far as its masks go. */
uint32_t pz_page_hint_children(const struct pz_pages *p, unsigned int level, uint64_t i,
			       unsigned int kind, unsigned int order)
{
	return ~pz_load32(hint_mask(p, level, i, kind, order));
}

/* Announce a free run in a node above level 1, for the kinds in @kinds. */
static bool hint_freed_kinds(struct hint_news *h, unsigned int level, uint64_t index,
			     uint32_t kinds, unsigned int order)
{
	const struct pz_pages *p = h->p;
	uint64_t child = index >> (WORD_SHIFT * level), i = child >> WORD_SHIFT;
	uint32_t bit = (uint32_t)1 << (child & 31);
	bool changed = false;
	unsigned int last;

	for (uint32_t m = kinds; m; m &= m - 1) {
		unsigned int kind = pz_ctz32(m);

		last = hint_end(p, level, kind) - 1;
		changed |=
			hint_clear_orders(h, level, i, kind, 0, order < last ? order : last, bit);
	}
	if (order >= p->pageblock_order && (kinds & HINT_ORDINARY) &&
	    WORD_SHIFT * level > p->pageblock_order) {
		last = WORD_SHIFT * level - 1;
		changed |= hint_clear_orders(h, level, i, PAGE_K_ANY, p->pageblock_order,
					     order < last ? order : last, bit);
	}
	return changed;
}

/* The kinds of the pageblocks that a free run has. */
static uint32_t hint_kinds(const struct pz_pages *p, uint64_t index, unsigned int order)
{
	unsigned int kind = hint_kind_of(page_type(p, index));
	uint32_t kinds = 0;

	if (order <= p->pageblock_order)
		return kind < PAGE_KINDS ? (uint32_t)1 << kind : 0;
	/* Of more than a node: any. */
	if (order > PAGE_NODE_SHIFT)
		return ((uint32_t)2 << (pz_load32(&p->special) ? PAGE_K_CMA : PAGE_K_RECLAIMABLE)) -
		       1;
	for (kind = 0; kind <= PAGE_K_CMA; kind++) {
		if (pz_page_kind_units(p, page_node(p, index >> PAGE_NODE_SHIFT), kind))
			kinds |= (uint32_t)1 << kind;
	}
	return kinds;
}

static void hint_freed_above(struct hint_news *h, uint64_t index, unsigned int order)
{
	const struct pz_pages *p = h->p;
	uint32_t kinds = hint_kinds(p, index, order);

	for (unsigned int l = 2; kinds && l < p->level_count; l++) {
		if (!hint_freed_kinds(h, l, index, kinds, order) && order < WORD_SHIFT * l)
			return;
	}
}

/* An aligned run of 2^@order frames around @index became free: let searches find it. */
void pz_page_hint_freed(struct pz_pages *p, uint64_t index, unsigned int order)
{
	struct page_node *n = page_node(p, index >> PAGE_NODE_SHIFT);
	uint32_t bit = (uint32_t)1 << (index >> WORD_SHIFT & 31);
	unsigned int last = order < WORD_SHIFT ? order : WORD_SHIFT - 1;
	struct hint_news h = { p, index >> PAGE_NODE_SHIFT, false };
	bool changed = false;

	for (unsigned int j = 0; j <= last; j++)
		changed |= hint_clear(&h, &n->none[j], bit);
	if (changed || order >= WORD_SHIFT)
		hint_freed_above(&h, index, order);
	if (h.begun)
		page_settle_end(p, h.key);
}

/* A search found no free run of @order in a level-1 unit. */
void pz_page_hint_unit_none(struct pz_pages *p, uint64_t unit, unsigned int order)
{
	struct page_node *n = page_node(p, unit >> WORD_SHIFT);
	uint32_t bit = (uint32_t)1 << (unit & 31);
	uint64_t *word = page_word(p, 0, unit);
	bool back = false;

	/* Perhaps there is not even a run of a lower order. */
	while (order && !word_runs(word_free(pz_load64(word)), order - 1))
		order--;
	page_settle_begin(p, unit);
	for (unsigned int j = order; j < WORD_SHIFT; j++) {
		if (!(pz_load32(&n->none[j]) & bit))
			pz_or32(&n->none[j], bit);
	}
	/* Meanwhile a run may have come to be, or the unit was merged and its word says nothing. */
	for (unsigned int j = order; j < WORD_SHIFT; j++) {
		if (word_state(pz_load64(&n->w), unit & 31) != WORD_SPLIT ||
		    word_runs(word_free(pz_load64(word)), j)) {
			pz_and32(&n->none[j], ~bit);
			back = true;
		}
	}
	/* Last, or the unit could come and go meanwhile and leave both bits behind. */
	pz_page_not_empty(p, 1, unit);
	page_settle_done(p, unit, back);
}

/* Whether the word @i of a level, whose unit above is free as a whole or split, may have a run. */
bool pz_page_may(const struct pz_pages *p, unsigned int level, uint64_t i, unsigned int kind,
		 unsigned int order)
{
	uint64_t above = level + 1 < p->level_count
				 ? pz_load64(page_word(p, level + 1, i >> WORD_SHIFT))
				 : word_make(0, ~(uint32_t)0);
	bool whole = word_state(above, i & 31) == WORD_FREE;
	uint64_t w = whole ? 0 : pz_load64(page_word(p, level, i));
	uint32_t units, none;

	if (level == 1) {
		const struct page_node *n = page_node(p, i);

		units = pz_page_kind_units(p, n, kind);
		none = order < WORD_SHIFT ? pz_load32(&n->none[order]) : 0;
	} else {
		units = kind == PAGE_K_ANY ? ~pz_load32(&page_upper(p, level, i)->special)
					   : ~(uint32_t)0;
		none = order < WORD_SHIFT * level ? ~pz_page_hint_children(p, level, i, kind, order)
						  : 0;
	}
	if (order < WORD_SHIFT * level)
		return ~word_taken(w) & units & ~none;
	if (level > 1 && kind != PAGE_K_ANY)
		return false;
	return word_runs((whole ? ~(uint32_t)0 : pz_page_loose(p, level, i)) & units,
			 order - WORD_SHIFT * level);
}

/* A search found no run of a kind and order in a child of a node at @level, which is 2 or more. */
void pz_page_hint_none(struct pz_pages *p, unsigned int level, uint64_t child, unsigned int kind,
		       unsigned int order)
{
	uint64_t i = child >> WORD_SHIFT;
	uint32_t bit = (uint32_t)1 << (child & 31);
	unsigned int least = kind == PAGE_K_ANY ? p->pageblock_order : 0;
	unsigned int end = hint_end(p, level, kind);
	bool back = false;

	while (order > least && !pz_page_may(p, level - 1, child, kind, order - 1))
		order--;
	page_settle_begin(p, child);
	for (unsigned int j = order; j < end; j++) {
		uint32_t *m = hint_mask(p, level, i, kind, j);

		if (!(pz_load32(m) & bit))
			pz_or32(m, bit);
	}
	for (unsigned int j = order; j < end; j++) {
		/* What is taken as a whole by now is announced as such when it is freed. */
		if ((word_taken(pz_load64(page_word(p, level, i))) & bit) ||
		    pz_page_may(p, level - 1, child, kind, j)) {
			pz_and32(hint_mask(p, level, i, kind, j), ~bit);
			back = true;
		}
	}
	pz_page_not_empty(p, level, child);
	page_settle_done(p, child, back);
}

/*
 * Everything of a child may be free, as far as these masks go: its kind has changed, or it was
 * taken as a whole, so that its masks did not count, and now they do.
 */
void pz_page_hint_reset(struct pz_pages *p, uint64_t index)
{
	unsigned int kind = hint_kind_of(page_type(p, index));

	for (unsigned int l = 2; kind < PAGE_KINDS && l < p->level_count; l++) {
		uint64_t child = index >> (WORD_SHIFT * l), i = child >> WORD_SHIFT;
		uint32_t bit = (uint32_t)1 << (child & 31);

		for (unsigned int j = 0; j < WORD_SHIFT * l; j++) {
			if (pz_load32(hint_mask(p, l, i, kind, j)) & bit)
				pz_and32(hint_mask(p, l, i, kind, j), ~bit);
			if (kind <= PAGE_K_RECLAIMABLE &&
			    (pz_load32(hint_mask(p, l, i, PAGE_K_ANY, j)) & bit))
				pz_and32(hint_mask(p, l, i, PAGE_K_ANY, j), ~bit);
		}
	}
}

/* Change the mobility of an aligned block of 2^@order frames, order 5 to 10. */
void pz_page_set_type(struct pz_pages *p, uint64_t index, unsigned int order, unsigned int type)
{
	struct page_node *n = page_node(p, index >> PAGE_NODE_SHIFT);
	uint32_t m =
		word_mask((unsigned int)(index >> WORD_SHIFT) & 31, 1u << (order - WORD_SHIFT));
	unsigned int stored = type ^ p->type_default;
	bool changed = false;

	/* Before it is so, for who may use it has to find it. */
	if (type >= PZ_HIGHATOMIC) {
		for (unsigned int l = 2; l < p->level_count; l++) {
			uint64_t child = index >> (WORD_SHIFT * l);
			uint32_t *s = &page_upper(p, l, child >> WORD_SHIFT)->special;

			if (!(pz_load32(s) >> (child & 31) & 1))
				pz_or32(s, (uint32_t)1 << (child & 31));
		}
	}
	for (unsigned int b = 0; b < 3; b++) {
		uint32_t old = pz_load32(&n->type[b]);

		if (stored >> b & 1) {
			if ((old & m) != m) {
				pz_or32(&n->type[b], m);
				changed = true;
			}
		} else if (old & m) {
			pz_and32(&n->type[b], ~m);
			changed = true;
		}
	}
	/* Frames that few may use, as it may have looked on the way too, are for everybody now. */
	if (changed && type < PZ_HIGHATOMIC)
		pz_page_bound_reset(p, 1, index >> PAGE_NODE_SHIFT, m);
	pz_page_hint_reset(p, index);
}
