/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool_check.c - whether a pool is as it should be.
 *
 * Invariants, verified by pz_genpool_check() while nobody uses the pool
 *  1. What the pool was made from is as it was; its algorithm makes sense. It is not going.
 *  2. Segments of slots are there, in order, and as they were when they were added. No slot was
 *     used beyond the top; the slots of the last free and the last chunk were.
 *  3. A slot is vacant, without pins, granules and seq; or live, without pins, with a seq of its
 *     own that the pool has given. Live ones are as many as the pool counts.
 *  4. What a live slot says of its chunk is as it was. Chunks do not overlap.
 *  5. What a descriptor says is as it was, and fits the slot.
 *  6. No clearing is under way.
 *  7. Granules in use, and pieces that begin, are as many as the state of the slot counts.
 *  8. A mark of a piece's beginning stands on a granule in use only. A granule in use without one
 *     follows a granule in use. Behind the last granule all are in use, without marks.
 *  9. The summaries tell of each word with a free granule, at all levels, and of none that is not
 *     there.
 * 10. So they do of each word with a granule in use.
 * 11. A chunk with PZ_GENPOOL_AUTO that is unused has never been used.
 * 12. What waits to go back to the metadata hook came from it.
 * 13. The room of a segment tells of each chunk with a free granule.
 */
#include "genpool_internal.h"

static bool check_pool(const struct pz_genpool *p)
{
	return !p->closing && p->sum == pz_genpool_sum(&p->cfg, sizeof(p->cfg)) &&
	       pz_genpool_algo_ok(&p->cfg.algo);
}

static bool check_segments(const struct pz_genpool *p)
{
	if (!p->segs || p->segs > SLOT_SEGMENTS)
		return false;
	for (unsigned int k = 0; k < SLOT_SEGMENTS; k++) {
		if (k < p->segs ? !p->seg[k] || p->seg_not[k] != ~p->seg[k]
				: p->seg[k] || p->seg_not[k])
			return false;
	}
	if (p->top > genpool_base(p->segs) || (p->recent >= p->top && p->recent) ||
	    (p->newest >= p->top && p->newest) || p->shift > 63)
		return false;
	for (uint32_t i = p->top; i < genpool_base(p->segs); i++)
		if (genpool_slot(p, i)->state || genpool_slot(p, i)->seq)
			return false;
	return true;
}

static int check_slot(const struct pz_genpool *p, uint32_t i)
{
	const struct genpool_slot *s = genpool_slot(p, i);

	if (s->state == SLOT_VACANT)
		return s->seq ? 3 : 0;
	if (SLOT_PHASE(s->state) != SLOT_LIVE || SLOT_PINS(s->state) || !s->seq || s->seq > p->seq)
		return 3;
	if (s->sum != pz_genpool_slot_sum(s) || SHAPE_SLOT(s->shape) != i)
		return 4;
	for (uint32_t j = 0; j < i; j++) {
		const struct genpool_slot *o = genpool_slot(p, j);

		if (o->seq == s->seq)
			return 3;
		if (o->seq && o->first <= s->last && o->last >= s->first)
			return 4;
	}
	return 0;
}

static bool check_marks(const struct genpool_chunk *c, uint64_t *used, uint32_t *pieces)
{
	uint32_t before = 0;
	bool ok = true;

	*used = *pieces = 0;
	for (uint32_t i = 0; i < c->count[0]; i++) {
		uint32_t in_use = (uint32_t)c->w[i], first = (uint32_t)(c->w[i] >> 32);
		uint32_t left = c->granules - i * MAP_UNITS, pads = 0;

		if (left < MAP_UNITS)
			pads = UINT32_MAX << left;
		*used += pz_popcount32(in_use & ~pads);
		*pieces += pz_popcount32(first);
		/* Each granule in use that has no mark, and is no padding, follows one in use. */
		if ((first & ~in_use) || (first & pads) || (in_use & pads) != pads ||
		    ((in_use & ~first & ~pads) & ~(in_use << 1 | before)))
			ok = false;
		before = in_use >> 31;
	}
	return ok;
}

/* A level: a bit for each word below that has something, and none for words that are not there. */
static bool check_tree(const struct genpool_chunk *c, enum map_tree tree)
{
	for (unsigned int k = 1; k <= c->levels; k++) {
		for (uint32_t i = 0; i < c->count[k] * 64; i++) {
			bool bit = c->w[c->at[tree][k] + i / 64] >> i % 64 & 1, has;

			if (i >= c->count[k - 1]) {
				if (bit)
					return false;
				continue;
			}
			if (k > 1)
				has = c->w[c->at[tree][k - 1] + i] != 0;
			else
				has = (uint32_t)c->w[i] != (tree == MAP_FREE ? UINT32_MAX : 0);
			if (has && !bit)
				return false;
		}
	}
	return true;
}

static int check_chunk(const struct genpool_slot *s)
{
	const struct genpool_chunk *c = genpool_chunk_of(s);
	uint32_t pieces;
	uint64_t used;
	bool marks;

	if (c->sum != pz_genpool_chunk_sum(c) || c->granules != SHAPE_GRANULES(s->shape) ||
	    c->grave)
		return 5;
	if ((uint32_t)c->clearings)
		return 6;
	marks = check_marks(c, &used, &pieces);
	if (used != SLOT_USED(s->state) || pieces != SLOT_PIECES(s->state))
		return 7;
	if (!marks)
		return 8;
	if (!check_tree(c, MAP_FREE))
		return 9;
	if (!check_tree(c, MAP_USED))
		return 10;
	if ((SHAPE_FLAGS(s->shape) & PZ_GENPOOL_AUTO) && (s->state & SLOT_TOUCHED) && !used)
		return 11;
	return 0;
}

static bool check_graves(const struct pz_genpool *p)
{
	uint64_t at = p->graves;

	while (at) {
		const struct genpool_chunk *c = (const struct genpool_chunk *)(uintptr_t)at;

		if (c->sum != pz_genpool_chunk_sum(c) || !c->hooked)
			return false;
		at = c->grave;
	}
	return true;
}

static bool check_room(const struct pz_genpool *p, uint32_t i)
{
	unsigned int k = pz_fls32(i / SLOT_FIRST + 1);
	const struct genpool_slot *s = genpool_slot(p, i);

	i -= genpool_base(k);
	return SLOT_USED(s->state) == SHAPE_GRANULES(s->shape) ||
	       (genpool_room(p, k)[i / 64] >> i % 64 & 1);
}

int pz_genpool_check(const struct pz_genpool *p)
{
	uint32_t live = 0;

	if (!check_pool(p))
		return 1;
	if (!check_segments(p))
		return 2;
	for (uint32_t i = 0; i < p->top; i++) {
		const struct genpool_slot *s = genpool_slot(p, i);
		int ret = check_slot(p, i);

		if (!ret && s->seq)
			ret = check_chunk(s);
		if (ret)
			return ret;
		if (s->seq && !check_room(p, i))
			return 13;
		live += s->seq != 0;
	}
	if (live != (uint32_t)p->chunks)
		return 3;
	return check_graves(p) ? 0 : 12;
}
