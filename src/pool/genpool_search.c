/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool_search.c - where in a chunk a piece is taken.
 *
 * Concept
 *  Words without a free granule are passed over by the summaries of the map. Up to 32 granules are
 *  looked for in a window of two words: a few shifts leave the places where so many free ones
 *  begin, and alignment is a mask of places. A longer piece begins in the free end of a word, or at
 *  the start of one. What is found is taken by the map; where another context was quicker, the
 *  search goes on from there, and best fit begins anew.
 *
 * Invariants
 *  1. What a search finds lies within the chunk and is free but for other contexts, which then got
 *     what they wanted: a repetition is somebody's progress.
 *  2. A search that finds nothing has seen each word of a place at a time when the call was under
 *     way: a place that was free all the time is found.
 *
 * Failure
 *  PZ_GENPOOL_NONE: there is no such place.
 *
 * Shortcomings
 *  Words with free granules that are too few in a row are looked at one after the other: some
 *  nanoseconds for 32 granules. Best fit looks at each gap that is long enough, unless one is just
 *  right. An algorithm of the caller's is asked a limited number of times.
 */
#include "genpool_internal.h"

#define SEARCH_CUSTOM_TRIES 64u

static uint64_t search_align_up(const struct genpool_want *q, uint64_t i)
{
	return i + ((0 - (i + q->off)) & q->mask);
}

/* Places in word @w that are aligned. */
static uint32_t search_places(const struct genpool_want *q, uint32_t w)
{
	uint64_t i = (uint64_t)w * MAP_UNITS, at = search_align_up(q, i) - i;
	uint32_t places = 0;

	for (; at < MAP_UNITS; at += q->mask + 1)
		places |= (uint32_t)1 << at;
	return places;
}

static uint32_t search_free(const struct genpool_chunk *c, uint32_t w)
{
	return w < c->count[0] ? ~(uint32_t)pz_load64(&c->w[w]) : 0;
}

/* The first word from @w on with free granules, which it tells; or PZ_GENPOOL_NONE. */
static uint32_t search_word(const struct genpool_chunk *c, uint32_t w, bool exact, uint32_t *free)
{
	while (w < c->count[0]) {
		uint32_t next;

		*free = search_free(c, w);
		if (*free)
			return w;
		next = pz_genpool_map_next(c, w, exact);
		if (next == w)
			pz_genpool_map_stale(c, MAP_FREE, w++);
		else
			w = next;
	}
	return PZ_GENPOOL_NONE;
}

/* Places in the lower half of a window from which on @n granules are free; @n at most 32. */
static uint32_t search_window(uint64_t win, uint32_t n)
{
	for (uint32_t have = 1, by; have < n; have += by) {
		by = n - have < have ? n - have : have;
		win &= win >> by;
	}
	return (uint32_t)win;
}

/* The first place from @from on for up to 32 granules. */
static uint32_t search_short(const struct genpool_chunk *c, const struct genpool_want *q,
			     uint32_t from, bool exact)
{
	uint32_t w = from / MAP_UNITS, skip = UINT32_MAX << from % MAP_UNITS, free;
	/* Each word has the same places where 32 granules are a multiple of the alignment. */
	uint32_t places = q->mask && q->mask < MAP_UNITS ? search_places(q, 0) : 0;

	for (;; w++, skip = UINT32_MAX) {
		uint32_t next = search_word(c, w, exact, &free), r;

		if (next == PZ_GENPOOL_NONE)
			return next;
		if (next != w)
			skip = UINT32_MAX;
		w = next;
		r = free;
		if (q->n > 1)
			r = search_window(free | (uint64_t)search_free(c, w + 1) << 32, q->n);
		r &= skip;
		if (q->mask)
			r &= q->mask < MAP_UNITS ? places : search_places(q, w);
		if (r)
			return w * MAP_UNITS + pz_ctz32(r);
	}
}

/* The smallest gap of at least @n granules, at most 32. */
static uint32_t search_best_short(const struct genpool_chunk *c, uint32_t n, bool exact)
{
	uint32_t best = PZ_GENPOOL_NONE, best_len = UINT32_MAX, at = 0, free;

	/* @at: where the next gap may begin. */
	for (;;) {
		uint32_t w = search_word(c, at / MAP_UNITS, exact, &free), base, r;
		uint64_t win;

		if (w == PZ_GENPOOL_NONE)
			return best;
		base = w * MAP_UNITS;
		win = free | (uint64_t)search_free(c, w + 1) << 32;
		r = search_window(win, n);
		if (at > base)
			r &= UINT32_MAX << at % MAP_UNITS;
		at = base + MAP_UNITS;
		while (r) {
			uint32_t bit = pz_ctz32(r), end, len;
			uint64_t used = ~(win >> bit);

			end = used ? bit + pz_ctz64(used) : 2 * MAP_UNITS;
			/* It goes on behind the window. */
			if (end == 2 * MAP_UNITS)
				end = pz_genpool_map_used(c, base + end) - base;
			len = end - bit;
			if (len == n)
				return base + bit;
			if (len < best_len) {
				best_len = len;
				best = base + bit;
			}
			if (end >= MAP_UNITS) {
				at = base + end;
				break;
			}
			r &= UINT32_MAX << end;
		}
	}
}

/* The first granule of [from, end) that is in use, or not, word by word; @end for none. */
static uint32_t search_run(const struct genpool_chunk *c, uint32_t from, uint32_t end, bool used)
{
	while (from < end) {
		uint32_t v = (uint32_t)pz_load64(&c->w[from / MAP_UNITS]);

		v = (used ? v : ~v) >> from % MAP_UNITS;
		if (v) {
			from += pz_ctz32(v);
			return from < end ? from : end;
		}
		from = (from / MAP_UNITS + 1) * MAP_UNITS;
	}
	return end;
}

/* The same for more than 32. */
static uint32_t search_long(const struct genpool_chunk *c, const struct genpool_want *q,
			    uint32_t from, bool exact)
{
	for (;;) {
		uint32_t free, w = search_word(c, from / MAP_UNITS, exact, &free), hit;
		uint64_t at;

		if (w == PZ_GENPOOL_NONE)
			return w;
		at = (uint64_t)w * MAP_UNITS + (~free ? pz_fls32(~free) + 1 : 0);
		at = search_align_up(q, at > from ? at : from);
		if (at + q->n > c->granules)
			return PZ_GENPOOL_NONE;
		hit = search_run(c, (uint32_t)at, (uint32_t)at + q->n, true);
		if (hit == at + q->n)
			return (uint32_t)at;
		from = hit + 1;
	}
}

static uint32_t search_fit(const struct genpool_chunk *c, const struct genpool_want *q,
			   uint32_t from, bool exact)
{
	if (q->n > c->granules || from > c->granules - q->n)
		return PZ_GENPOOL_NONE;
	if (q->n <= MAP_UNITS)
		return search_short(c, q, from, exact);
	return search_long(c, q, from, exact);
}

static uint32_t search_best(const struct genpool_chunk *c, const struct genpool_want *q, bool exact)
{
	uint32_t best = PZ_GENPOOL_NONE, best_len = UINT32_MAX, at = 0, end;

	if (q->n <= MAP_UNITS)
		return search_best_short(c, q->n, exact);
	for (;;) {
		at = search_fit(c, q, at, exact);
		if (at == PZ_GENPOOL_NONE)
			return best;
		end = pz_genpool_map_used(c, at + q->n);
		if (end - at == q->n)
			return at;
		if (end - at < best_len) {
			best_len = end - at;
			best = at;
		}
		at = end + 1;
	}
}

/* Once, from @from on. */
static uint32_t search_once(const struct genpool_chunk *c, const struct genpool_want *q,
			    const struct pz_genpool_view *view, uint32_t from, bool exact)
{
	switch (q->algo->kind) {
	case PZ_GENPOOL_BEST_FIT:
		return search_best(c, q, exact);
	case PZ_GENPOOL_FIXED:
		if (q->n > c->granules || q->at > c->granules - q->n)
			return PZ_GENPOOL_NONE;
		if (search_run(c, q->at, q->at + q->n, true) != q->at + q->n)
			return PZ_GENPOOL_NONE;
		return q->at;
	case PZ_GENPOOL_CUSTOM:
		return q->algo->custom(q->algo->ctx, view, from, q->n);
	default:
		return search_fit(c, q, from, exact);
	}
}

/* Take the piece that is wanted; its first granule or PZ_GENPOOL_NONE. */
uint32_t pz_genpool_take(struct genpool_chunk *c, const struct genpool_want *q,
			 const struct pz_genpool_view *view)
{
	uint64_t before = pz_load64(&c->clearings);
	uint32_t from = 0, tries = 0;
	bool exact = false;

	for (;;) {
		uint32_t at = search_once(c, q, view, from, exact);

		if (at == PZ_GENPOOL_NONE) {
			/* Nothing cleared meanwhile: the summaries told of all there was. */
			if (exact || (!(uint32_t)before && pz_load64(&c->clearings) == before))
				return PZ_GENPOOL_NONE;
			exact = true;
			from = 0;
			continue;
		}
		if (q->algo->kind == PZ_GENPOOL_CUSTOM) {
			if (at > c->granules || q->n > c->granules - at ||
			    tries++ == SEARCH_CUSTOM_TRIES)
				return PZ_GENPOOL_NONE;
		}
		if (pz_genpool_map_claim(c, at, q->n))
			return at;
		from = at;
	}
}

uint32_t pz_genpool_next_free(const struct pz_genpool_view *v, uint32_t from)
{
	return from < v->granules ? search_run(v->map, from, v->granules, false) : v->granules;
}

uint32_t pz_genpool_next_used(const struct pz_genpool_view *v, uint32_t from)
{
	return from < v->granules ? search_run(v->map, from, v->granules, true) : v->granules;
}
