/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_advice.c - whether a failure matters, and what would have helped, the cheapest first.
 *
 * Concept: a remedy is tried where that is possible: the zone is judged again for the smaller
 * order, with the other flag, or for a movable page, and the remedy is named only when a zone then
 * serves the request. What cannot be tried (compaction, more time) is named where its
 * precondition holds: enough free pages for compaction, pages of files for reclaim.
 *
 * Failure: none.
 */
#include "explain.h"

#include <string.h>

static void advise(struct explanation *x, enum ex_remedy_kind kind, uint64_t value, uint32_t zone)
{
	*vec_push(&x->remedies) = (struct ex_remedy){ kind, value, zone, EX_UNTRIED, UINT32_MAX };
}

/* A zone that would serve the request with other flags or another order, or UINT32_MAX. */
static uint32_t advise_serves(const struct explained *e, const struct explanation *x, uint32_t gfp,
			      unsigned int order, bool excluded)
{
	for (size_t i = x->zones.n; i-- > 0;) {
		const struct ex_zone *z = &x->zones.v[i];
		struct pzl_zone_judgement j;

		if (z->excluded != excluded)
			continue;
		pzl_zone_judge(e->kernel.model, gfp, 0, order, &z->state, &j);
		if (j.verdict == PZL_ZONE_OK)
			return (uint32_t)i;
	}
	return UINT32_MAX;
}

static void advise_smaller(struct explanation *x)
{
	int32_t best = -1;
	uint32_t at = UINT32_MAX;

	for (size_t i = 0; i < x->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[i];

		if (z->excluded || z->judged.serves < best)
			continue;
		best = z->judged.serves;
		at = (uint32_t)i;
	}
	if (best >= 0 && best < (int32_t)x->failure->order)
		advise(x, EX_R_ORDER, (uint64_t)best, at);
}

/* Pages of files in the zones that the request may use; unknown ones count as one page. */
static uint64_t advise_file_pages(const struct explanation *x)
{
	uint64_t n = 0;

	for (size_t i = 0; i < x->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[i];

		if (z->excluded || z->state.above || !z->state.managed)
			continue;
		n += z->file <= PZL_PAGES_MOST ? z->file : 1;
		if (n > PZL_PAGES_MOST)
			return PZL_PAGES_MOST;
	}
	return n;
}

/* Pages to free, in the zone that lacks the fewest; and what may be taken from per-CPU lists
 * instead. */
static void advise_free(struct explanation *x)
{
	const struct ex_zone *z;

	if (x->nearest == UINT32_MAX)
		return;
	z = &x->zones.v[x->nearest];
	if (z->held <= PZL_PAGES_MOST && z->held >= z->judged.lacking)
		advise(x, EX_R_DRAIN, z->held, x->nearest);
	if (!x->path.blocks)
		advise(x, EX_R_MIN_FREE, 0, UINT32_MAX);
	if (z->judged.verdict == PZL_ZONE_RESERVE)
		advise(x, EX_R_RATIO, z->state.reserve, x->nearest);
	advise(x, EX_R_FREE, z->judged.lacking, x->nearest);
}

static void advise_remedies(const struct explained *e, struct explanation *x)
{
	unsigned int order = x->failure->order;
	bool mark = x->cause == EX_FULL || x->cause == EX_SIZE || x->cause == EX_RESERVE;
	bool dma = x->cause == EX_UNMANAGED || x->cause == EX_LIKELY_UNMANAGED;
	uint32_t at;

	if (x->cause == EX_GONE)
		advise(x, EX_R_RETRY, 0, x->zone);
	if (dma && x->highest == PZ_ZONE_DMA && x->why == EX_WHY_POOL)
		advise(x, EX_R_KERNEL, 0, UINT32_MAX);
	if (x->cause != EX_GONE)
		advise_smaller(x);
	if (x->cause == EX_CMA) {
		at = advise_serves(e, x, x->gfp | PZL_GFP_MOVABLE, order, false);
		if (at != UINT32_MAX)
			advise(x, EX_R_MOVABLE, 0, at);
	}
	at = advise_serves(e, x, x->gfp | PZL_GFP_HIGH, order, false);
	if ((mark || x->cause == EX_HIGHATOMIC) && !(x->gfp & PZL_GFP_HIGH) && at != UINT32_MAX)
		advise(x, EX_R_HIGH, 0, at);
	if (!x->path.blocks && (x->cause == EX_FRAGMENTED || (mark && advise_file_pages(x))))
		advise(x, EX_R_BLOCK, advise_file_pages(x), UINT32_MAX);
	at = advise_serves(e, x, x->gfp, order, true);
	if (at != UINT32_MAX)
		advise(x, EX_R_NODES, 0, at);
	if (x->highest < PZ_ZONE_NORMAL && x->why != EX_WHY_POOL && x->elsewhere &&
	    x->elsewhere <= PZL_PAGES_MOST)
		advise(x, EX_R_WIDER, x->elsewhere, UINT32_MAX);
	if (x->cause == EX_FRAGMENTED)
		advise(x, EX_R_COMPACT, 0, x->zone);
	advise_free(x);
	if (order > PZL_COSTLY_ORDER && (x->cause == EX_FRAGMENTED || x->cause == EX_SIZE))
		advise(x, EX_R_CMA, 0, UINT32_MAX);
}

static void advise_matter(struct explanation *x)
{
	static const struct {
		enum pzl_path_end end;
		enum ex_matter matter;
		enum ex_why why;
	} ends[] = {
		{ PZL_PATH_TOO_LARGE, EX_FEATURE, EX_WHY_TOO_LARGE },
		{ PZL_PATH_AT_ONCE, EX_COPES, EX_WHY_ATOMIC },
		{ PZL_PATH_NORETRY, EX_COPES, EX_WHY_NORETRY },
		{ PZL_PATH_COSTLY, EX_COPES, EX_WHY_COSTLY },
		{ PZL_PATH_ROUNDS, EX_FEATURE, EX_WHY_GAVE_UP },
		{ PZL_PATH_OOM, EX_SERIOUS, EX_WHY_OOM },
		{ PZL_PATH_FOREVER, EX_SERIOUS, EX_WHY_NOFAIL },
	};

	x->matter = EX_OPEN;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i].end != x->path.end)
			continue;
		x->matter = ends[i].matter;
		x->why = ends[i].why;
	}
	if (x->path.end == PZL_PATH_ROUNDS && x->path.no_oom & PZL_NO_OOM_LOW_ZONE)
		x->why = EX_WHY_LOW_ZONE;
	if (x->cause == EX_UNMANAGED) {
		x->matter = EX_FEATURE;
		x->why = EX_WHY_NEVER;
	}
	if (explain_is_pool(x)) {
		x->matter = EX_HARMLESS;
		x->why = EX_WHY_POOL;
	}
}

void explain_advise(const struct explained *e, struct explanation *x)
{
	if (!x->failure) {
		x->matter = EX_HARMLESS;
		x->why = EX_WHY_NOTHING;
		return;
	}
	advise_matter(x);
	advise_remedies(e, x);
}
