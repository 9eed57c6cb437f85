/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool_map.c - which granules of a chunk are in use, and where pieces begin.
 *
 * Concept
 *  A word holds 32 granules, two bits each, so that one compare-and-exchange takes or gives back a
 *  piece inside a word together with the mark of its beginning. The marks tell a free whether a
 *  piece begins and ends where it says: it begins with a mark, and goes on up to the next mark or
 *  free granule.
 *  Two trees of summaries say which words may have a free granule, and which may have one in use.
 *  A bit that is set may be wrong. Whoever changes a word sees to its bits at all levels before he
 *  is done; who finds a word that does not bear a bit out clears the bit, then looks at the word
 *  again. So whichever of the two comes last sees the other. Pairs of calls that take and give back
 *  change no summary.
 *  Between clearing and looking again a bit may be missing that belongs there. Clearings of the
 *  tree of free words are counted: a search that found nothing while one was under way is repeated
 *  without the tree.
 *  A piece of several words is taken from the lowest to the highest, and what was taken is put back
 *  where another context has one of them. The one who holds the highest goes on, so somebody does.
 *  It is given back from the highest to the lowest. So granules in use that have no mark always
 *  follow one that is in use, and what a free sees behind its piece is no part of another.
 *
 * Invariants: see genpool_check.c.
 *
 * Failure
 *  Nothing here fails but by finding granules otherwise than they should be.
 *
 * Shortcomings
 *  While a context is between the words of a piece, others find its granules in use, also when it
 *  will put them back.
 */
#include "genpool_internal.h"

#define MAP_FULL UINT32_MAX

static uint64_t map_or(uint64_t *p, uint64_t bits)
{
	uint64_t old = pz_load64(p);

	while (!pz_cas64(p, old, old | bits))
		old = pz_load64(p);
	return old;
}

static uint64_t map_and(uint64_t *p, uint64_t bits)
{
	uint64_t old = pz_load64(p);

	while (!pz_cas64(p, old, old & bits))
		old = pz_load64(p);
	return old;
}

/* The bits of granules [at, at + n) in the lower half of the word of @at, and how many these are.*/
static uint32_t map_mask(uint32_t at, uint32_t n, uint32_t *got)
{
	uint32_t bit = at % MAP_UNITS;

	*got = MAP_UNITS - bit < n ? MAP_UNITS - bit : n;
	return (*got < MAP_UNITS ? ((uint32_t)1 << *got) - 1 : MAP_FULL) << bit;
}

uint64_t pz_genpool_map_words(uint32_t granules)
{
	uint64_t n = ((uint64_t)granules + MAP_UNITS - 1) / MAP_UNITS, sum = n;

	do {
		n = (n + 63) / 64;
		sum += 2 * n;
	} while (n > 1);
	return sum;
}

/* All granules free, all words of the trees right; w[] was cleared. */
void pz_genpool_map_init(struct genpool_chunk *c, uint32_t granules)
{
	uint32_t n = (uint32_t)(((uint64_t)granules + MAP_UNITS - 1) / MAP_UNITS), at = n;

	c->granules = granules;
	c->count[0] = n;
	do {
		unsigned int k = ++c->levels;
		uint32_t below = n;

		n = (n + 63) / 64;
		c->count[k] = n;
		c->at[MAP_FREE][k] = at;
		at += n;
		c->at[MAP_USED][k] = at;
		at += n;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t left = below - i * 64;

			c->w[c->at[MAP_FREE][k] + i] =
				left < 64 ? ((uint64_t)1 << left) - 1 : UINT64_MAX;
		}
	} while (n > 1);
	/* Behind the last granule everything is in use, and no piece begins. */
	if (granules % MAP_UNITS) {
		uint32_t i = c->count[0] - 1;

		c->w[i] = MAP_FULL << granules % MAP_UNITS;
		for (unsigned int k = 1; k <= c->levels; k++, i /= 64)
			c->w[c->at[MAP_USED][k] + i / 64] |= (uint64_t)1 << i % 64;
	}
}

/* --- summaries --- */

/* Whether word @i of level @k has what a tree tells of. */
static bool map_has(const struct genpool_chunk *c, enum map_tree tree, unsigned int k, uint32_t i)
{
	if (k)
		return pz_load64(&c->w[c->at[tree][k] + i]) != 0;
	return (uint32_t)pz_load64(&c->w[i]) != (tree == MAP_FREE ? MAP_FULL : 0);
}

/* Word @i of level @k - 1 has something: say so at all levels above. */
static void map_tell(struct genpool_chunk *c, enum map_tree tree, unsigned int k, uint32_t i)
{
	for (; k <= c->levels; k++, i /= 64) {
		uint64_t *p = &c->w[c->at[tree][k] + i / 64], bit = (uint64_t)1 << i % 64;

		/* Also above a bit that is set: who set it may not be done. */
		if (!(pz_load64(p) & bit))
			map_or(p, bit);
	}
}

/* Word @i of level @k - 1 has nothing: clear its bit, and bits above that then tell of nothing. */
static void map_untell(struct genpool_chunk *c, enum map_tree tree, unsigned int k, uint32_t i)
{
	if (k > c->levels || !(pz_load64(&c->w[c->at[tree][k] + i / 64]) >> i % 64 & 1))
		return;
	if (tree == MAP_FREE)
		pz_count64(&c->clearings, ((uint64_t)1 << 32) + 1);
	for (; k <= c->levels; k++, i /= 64) {
		uint64_t *p = &c->w[c->at[tree][k] + i / 64], bit = (uint64_t)1 << i % 64;
		uint64_t old = map_and(p, ~bit);

		if (map_has(c, tree, k - 1, i)) {
			map_tell(c, tree, k, i);
			break;
		}
		if (old & ~bit)
			break;
	}
	if (tree == MAP_FREE)
		pz_count64(&c->clearings, UINT64_MAX);
}

void pz_genpool_map_stale(const struct genpool_chunk *c, enum map_tree tree, uint32_t w)
{
	map_untell((struct genpool_chunk *)(uintptr_t)c, tree, 1, w);
}

/* The first word of level 0 from @i on that a tree tells of, or PZ_GENPOOL_NONE. */
static uint32_t map_next(const struct genpool_chunk *c, enum map_tree tree, uint32_t i)
{
	unsigned int k = 1;
	bool down = false;

	/* Up until a word has a bit, then down to the word that it stands for. */
	for (;;) {
		uint32_t j = i / 64;
		uint64_t v = 0;

		if (j < c->count[k])
			v = pz_load64(&c->w[c->at[tree][k] + j]) >> i % 64;
		if (v) {
			i += pz_ctz64(v);
			if (k == 1)
				return i;
			k--;
			i *= 64;
			down = true;
			continue;
		}
		if (down && i % 64 == 0)
			map_untell((struct genpool_chunk *)(uintptr_t)c, tree, k + 1, j);
		if (k == c->levels)
			return PZ_GENPOOL_NONE;
		i = j + 1;
		k++;
		down = false;
	}
}

/* The first word from @w on that may have a free granule; @exact: not by the tree. */
uint32_t pz_genpool_map_next(const struct genpool_chunk *c, uint32_t w, bool exact)
{
	if (!exact)
		return map_next(c, MAP_FREE, w);
	while (w < c->count[0] && (uint32_t)pz_load64(&c->w[w]) == MAP_FULL)
		w++;
	return w < c->count[0] ? w : PZ_GENPOOL_NONE;
}

/* The first granule from @from on that is in use, or the number of granules. */
uint32_t pz_genpool_map_used(const struct genpool_chunk *c, uint32_t from)
{
	while (from < c->granules) {
		uint32_t w = from / MAP_UNITS;
		uint32_t v = (uint32_t)pz_load64(&c->w[w]) >> from % MAP_UNITS;

		if (v) {
			from += pz_ctz32(v);
			return from < c->granules ? from : c->granules;
		}
		w = map_next(c, MAP_USED, w + 1);
		if (w == PZ_GENPOOL_NONE)
			break;
		from = w * MAP_UNITS;
		if (!map_has(c, MAP_USED, 0, w))
			pz_genpool_map_stale(c, MAP_USED, w);
	}
	return c->granules;
}

/* --- granules --- */

/* Put [at, at + n) back, which this context has taken; from above, as a free does. */
static void map_put(struct genpool_chunk *c, uint32_t at, uint32_t n)
{
	while (n) {
		uint32_t w = (at + n - 1) / MAP_UNITS, from = w * MAP_UNITS, got;
		uint64_t m;

		from = from > at ? from : at;
		m = map_mask(from, at + n - from, &got);
		map_and(&c->w[w], ~(m | m << 32));
		map_tell(c, MAP_FREE, 1, w);
		n -= got;
	}
}

/* Take [at, at + n) if all of it is free. */
bool pz_genpool_map_claim(struct genpool_chunk *c, uint32_t at, uint32_t n)
{
	uint64_t first = (uint64_t)1 << (at % MAP_UNITS + 32);
	uint32_t from = at, got;

	/* Mostly, in an order that a processor sees through. */
	if (at % MAP_UNITS + n <= MAP_UNITS) {
		uint64_t *p = &c->w[at / MAP_UNITS], old = pz_load64(p);
		uint64_t m = (((uint64_t)1 << n) - 1) << at % MAP_UNITS;

		do {
			if (old & m)
				return false;
			if (pz_cas64(p, old, old | m | first))
				break;
			old = pz_load64(p);
		} while (true);
		if (!(uint32_t)old)
			map_tell(c, MAP_USED, 1, at / MAP_UNITS);
		return true;
	}
	for (uint32_t left = n; left; at += got, left -= got) {
		uint64_t *p = &c->w[at / MAP_UNITS], old, m = map_mask(at, left, &got);

		do {
			old = pz_load64(p);
			if (old & m) {
				map_put(c, from, at - from);
				return false;
			}
		} while (!pz_cas64(p, old, old | m | first));
		first = 0;
		if (!(uint32_t)old)
			map_tell(c, MAP_USED, 1, at / MAP_UNITS);
	}
	return true;
}

/* Why [at, at + n) is no piece. */
static enum genpool_wrong map_wrong(const struct genpool_chunk *c, uint32_t at, uint32_t n)
{
	uint64_t v = pz_load64(&c->w[at / MAP_UNITS]), first = (uint64_t)1 << at % MAP_UNITS;
	uint32_t got;

	if (!(v & first))
		return WRONG_FREE;
	if (!(v >> 32 & first))
		return WRONG_INSIDE;
	for (;; first = 0, v = pz_load64(&c->w[at / MAP_UNITS])) {
		uint64_t m = map_mask(at, n, &got);

		if ((v & m) != m || (v >> 32 & m) != first)
			return WRONG_SIZE;
		at += got;
		n -= got;
		if (!n)
			break;
	}
	if (at == c->granules)
		return WRONG_NOTHING;
	/* What comes next is free, or begins there. */
	if (at % MAP_UNITS == 0)
		v = pz_load64(&c->w[at / MAP_UNITS]);
	v >>= at % MAP_UNITS;
	return (v & 1) && !(v >> 32 & 1) ? WRONG_SIZE : WRONG_NOTHING;
}

/*
 * Give [at, at + n) back, if it is a piece. Where another context frees the same piece, one of the
 * two finds it gone. @lost: granules that were freed all the same, when it was gone, its granules
 * taken anew, and freed by this before it noticed.
 */
enum genpool_wrong pz_genpool_map_unclaim(struct genpool_chunk *c, uint32_t at, uint32_t n,
					  uint32_t *lost)
{
	uint64_t *p = &c->w[at / MAP_UNITS], old = pz_load64(p),
		 first = (uint64_t)1 << at % MAP_UNITS;
	uint32_t left = n, end = at % MAP_UNITS + n;
	enum genpool_wrong wrong;

	*lost = 0;
	/* A piece that ends before its word does: everything is in one word. */
	if (end < MAP_UNITS) {
		uint64_t m = (((uint64_t)1 << n) - 1) << at % MAP_UNITS;

		while ((old & m) == m && (old >> 32 & m) == first &&
		       (!(old >> end & 1) || (old >> end >> 32 & 1))) {
			if (pz_cas64(p, old, old & ~(m | m << 32))) {
				map_tell(c, MAP_FREE, 1, at / MAP_UNITS);
				return WRONG_NOTHING;
			}
			old = pz_load64(p);
		}
	}
	wrong = map_wrong(c, at, n);
	if (wrong)
		return wrong;
	/* From above, so that there never is a rest without a beginning. */
	while (left) {
		uint32_t w = (at + left - 1) / MAP_UNITS, from = w * MAP_UNITS, got;
		uint64_t m;

		from = from > at ? from : at;
		m = map_mask(from, at + left - from, &got);
		do {
			old = pz_load64(&c->w[w]);
			if ((old & m) != m || (old >> 32 & m) != (from == at ? first : 0)) {
				*lost = n - left;
				return WRONG_FREE;
			}
		} while (!pz_cas64(&c->w[w], old, old & ~(m | m << 32)));
		map_tell(c, MAP_FREE, 1, w);
		left -= got;
	}
	return WRONG_NOTHING;
}
