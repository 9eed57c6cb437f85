/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_log.c - what a "swiotlb buffer is full" line means.
 *
 * Concept: a run is a segment, or an area where that is smaller; a mapping is tried at every slot
 * of a run, or at every page. Places that do not overlap must each have a slot in use for none to
 * be free, and one slot at the end of each place suffices. So the number of places side by side is
 * exactly the number of slots in use that can break up a run: fewer cannot, as many may have.
 *
 * Invariants: 1. need <= free for every verdict behind PZL_SWLOG_FULL; 2. blocks of a run is at
 * least 1 and at most run; 3. least <= sure where both are told.
 *
 * Failure: none; what the line does not tell is a verdict.
 *
 * Shortcomings: the alignment that a device asks for is not in the line; mappings that it makes
 * longer by one slot count as without. Pools that grow (6.12, dynamic) are judged by their sum.
 */
#include <physzone/linux/swiotlb_log.h>

#include "../src/base/bits.h"
#include "pzl_swiotlb.h"

#define SWLOG_PAGE_SHIFT 12u
#define SWLOG_SLOT_SHIFT 11u
#define SWLOG_SLOTS_MOST ((uint64_t)1 << 48) /* more than all memory */
#define SWLOG_MS_PER_HOUR 3600000u

uint64_t pzl_swlog_round(const struct pzl_swlog_pool *pool, uint64_t slots)
{
	if (slots > SWLOG_SLOTS_MOST)
		slots = SWLOG_SLOTS_MOST;
	slots = pz_round_down(slots + PZL_SWLOG_SEGMENT - 1, PZL_SWLOG_SEGMENT);
	if (!pzl_swiotlb_has_areas(pool->model))
		return slots;
	return pzl_swiotlb_round(slots, pool->areas ? pool->areas : 1);
}

static uint64_t swlog_div(uint64_t n, uint64_t d)
{
	uint64_t rem;

	return pz_udivrem64(n, d, &rem);
}

/* Slots from one place that is tried to the next. */
static uint64_t swlog_stride(const struct pzl_swlog_pool *pool, uint64_t bytes)
{
	unsigned int shift = pool->page_shift ? pool->page_shift : SWLOG_PAGE_SHIFT;

	if (shift < SWLOG_SLOT_SHIFT || shift > 20 || bytes < (uint64_t)1 << shift)
		return 1;
	return (uint64_t)1 << (shift - SWLOG_SLOT_SHIFT);
}

/* Places of @need slots that fit side by side into a run, at multiples of a stride. */
static uint64_t swlog_places(uint64_t run, uint64_t need, uint64_t stride)
{
	uint64_t step = pz_round_down(need + stride - 1, stride);

	return need > run ? 0 : swlog_div(run - need, step) + 1;
}

/* What the pool must have had; the verdict is there already. */
static void swlog_sizes(const struct pzl_swlog_pool *pool, const struct pzl_swlog_line *line,
			uint64_t stride, struct pzl_swlog_verdict *v)
{
	uint64_t places = swlog_places(PZL_SWLOG_SEGMENT, v->need, stride);

	switch (v->why) {
	case PZL_SWLOG_AREA:
		v->least = (uint64_t)PZL_SWLOG_SEGMENT * pool->areas;
		break;
	case PZL_SWLOG_FULL:
		v->least = line->used + v->need;
		break;
	case PZL_SWLOG_FRAGMENTED:
		v->least = line->total;
		break;
	default:
		return;
	}
	v->least = pzl_swlog_round(pool, v->least);
	v->sure = pzl_swlog_round(pool, (swlog_div(line->used, places) + 1) * PZL_SWLOG_SEGMENT);
	if (v->sure < v->least)
		v->sure = v->least;
}

static enum pzl_swlog_why swlog_why(const struct pzl_swlog_line *line,
				    const struct pzl_swlog_verdict *v)
{
	if (line->total == 0)
		return PZL_SWLOG_NO_POOL;
	if (v->need > PZL_SWLOG_SEGMENT)
		return PZL_SWLOG_NEVER;
	if (line->total == PZL_SWLOG_UNTOLD)
		return PZL_SWLOG_LINE;
	if (v->need > v->run)
		return PZL_SWLOG_AREA;
	if (line->used == PZL_SWLOG_UNTOLD)
		return PZL_SWLOG_LINE;
	if (v->need > v->free)
		return PZL_SWLOG_FULL;
	if (line->used >= v->blocks)
		return PZL_SWLOG_FRAGMENTED;
	if (line->bytes > PZL_SWLOG_BYTES - PZL_SWLOG_ALIGN)
		return PZL_SWLOG_ALIGNED;
	return PZL_SWLOG_UNEXPLAINED;
}

void pzl_swlog_judge(const struct pzl_swlog_pool *pool, const struct pzl_swlog_line *line,
		     struct pzl_swlog_verdict *out)
{
	bool known = line->total != PZL_SWLOG_UNTOLD && line->used != PZL_SWLOG_UNTOLD;
	uint64_t stride = swlog_stride(pool, line->bytes);

	out->need = (line->bytes >> SWLOG_SLOT_SHIFT) +
		    ((line->bytes & (PZL_SWLOG_SLOT - 1)) || !line->bytes);
	out->free = known && line->used < line->total ? line->total - line->used : 0;
	out->run = PZL_SWLOG_SEGMENT;
	out->runs = 0;
	out->blocks = 0;
	out->least = 0;
	out->sure = 0;
	if (line->total && line->total != PZL_SWLOG_UNTOLD) {
		uint64_t area = line->total, rest;

		if (pool->areas > 1)
			area = swlog_div(area, pool->areas);
		if (area < out->run)
			out->run = area ? area : 1;
		out->runs = pz_udivrem64(line->total, out->run, &rest);
		out->blocks = out->runs * swlog_places(out->run, out->need, stride) +
			      swlog_places(rest, out->need, stride);
	}
	out->why = swlog_why(line, out);
	swlog_sizes(pool, line, stride, out);
}

/* The fewest slots in use in each quarter of the time. */
static void swlog_floors(const struct pzl_swlog_sample *v, size_t n, struct pzl_swlog_trend *t)
{
	unsigned int q;
	size_t i;

	for (q = 0; q < PZL_SWLOG_QUARTERS; q++)
		t->floor[q] = PZL_SWLOG_UNTOLD;
	for (i = 0; i < n; i++) {
		uint64_t at = (v[i].ms - v[0].ms) * PZL_SWLOG_QUARTERS;

		at = t->span ? swlog_div(at, t->span) : 0;
		q = at < PZL_SWLOG_QUARTERS ? (unsigned int)at : PZL_SWLOG_QUARTERS - 1;
		if (v[i].used < t->floor[q])
			t->floor[q] = v[i].used;
	}
}

static bool swlog_floors_rise(const struct pzl_swlog_trend *t, size_t n)
{
	unsigned int q;

	if (n < (size_t)2 * PZL_SWLOG_QUARTERS || t->floor[0] == PZL_SWLOG_UNTOLD)
		return false;
	for (q = 1; q < PZL_SWLOG_QUARTERS; q++)
		if (t->floor[q] == PZL_SWLOG_UNTOLD || t->floor[q] <= t->floor[q - 1])
			return false;
	return true;
}

static enum pzl_swlog_course swlog_course(const struct pzl_swlog_trend *t, size_t n)
{
	if (n < PZL_SWLOG_SAMPLES || t->span < PZL_SWLOG_SPAN_MS)
		return PZL_SWLOG_FEW;
	if (t->by_floor || (!t->falls && t->rises >= PZL_SWLOG_RISES))
		return PZL_SWLOG_GROWS;
	if (!t->falls)
		return t->span < PZL_SWLOG_STUCK_MS ? PZL_SWLOG_FEW : PZL_SWLOG_STUCK;
	return PZL_SWLOG_MOVES;
}

void pzl_swlog_trend(const struct pzl_swlog_sample *v, size_t n, struct pzl_swlog_trend *out)
{
	uint64_t grown;
	size_t i;

	*out = (struct pzl_swlog_trend){ .course = PZL_SWLOG_FEW };
	if (!n)
		return;
	out->span = v[n - 1].ms - v[0].ms;
	out->first = out->least = out->most = v[0].used;
	out->last = v[n - 1].used;
	for (i = 1; i < n; i++) {
		out->rises += v[i].used > v[i - 1].used;
		out->falls += v[i].used < v[i - 1].used;
		if (v[i].used < out->least)
			out->least = v[i].used;
		if (v[i].used > out->most)
			out->most = v[i].used;
	}
	swlog_floors(v, n, out);
	out->by_floor = out->falls && swlog_floors_rise(out, n);
	out->course = swlog_course(out, n);
	grown = out->by_floor ? out->floor[PZL_SWLOG_QUARTERS - 1] - out->floor[0]
			      : out->last - out->first;
	if (out->course == PZL_SWLOG_GROWS && grown < SWLOG_SLOTS_MOST >> 10)
		out->per_hour = swlog_div(grown * SWLOG_MS_PER_HOUR, out->span);
}
