/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_verdict.c - what a zone answers to a request, against the rules of
 * docs/facts/page_alloc.md section 4 written down once more, page by page where that can be done.
 */
#include <physzone/linux/verdict.h>

#include <string.h>

#include "prop.h"

#define ROUNDS 20000u

struct asked {
	enum pzl_model model;
	uint32_t gfp, more;
	unsigned int order;
	struct pzl_zone_state z;
};

static void draw(struct prop *p, struct asked *a)
{
	static const uint32_t flags[] = {
		PZL_GFP_HIGH,	     PZL_GFP_DIRECT_RECLAIM, PZL_GFP_MOVABLE,
		PZL_GFP_RECLAIMABLE, PZL_GFP_MEMALLOC,	     PZL_GFP_NOMEMALLOC,
	};
	uint64_t sum = 0;

	memset(a, 0, sizeof(*a));
	a->model = (enum pzl_model)prop_choice(p, PZL_MODELS);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		a->gfp |= prop_choice(p, 3) == 1 ? flags[i] : 0;
	a->more = prop_choice(p, 6) == 1 ? PZL_RIGHT_OOM : 0;
	a->order = prop_choice(p, 11);
	a->z.orders = 11;
	for (unsigned int o = 0; o < 11; o++) {
		a->z.types[o] = (uint8_t)prop_draw(p, 63);
		if (a->z.types[o] && prop_choice(p, 2))
			a->z.blocks[o] = prop_draw(p, 3);
		sum += a->z.blocks[o] << o;
	}
	a->z.free = sum;
	a->z.managed = prop_choice(p, 10) == 1 ? 0 : sum + prop_draw(p, 1000);
	a->z.above = prop_choice(p, 20) == 1;
	a->z.boost = prop_choice(p, 3) ? 0 : prop_draw(p, 50);
	a->z.min = a->z.boost + prop_draw(p, sum < 900 ? sum + 20 : 900);
	a->z.reserve = prop_choice(p, 2) ? 0 : prop_draw(p, 300);
	a->z.free_cma = prop_choice(p, 2) ? 0 : prop_draw(p, sum);
	a->z.highatomic = prop_choice(p, 2) ? 0 : prop_draw(p, 200);
}

/* Some free block is large enough, of a type that may be taken. */
static bool oracle_block(const struct asked *a, unsigned int order, uint32_t rights)
{
	for (unsigned int o = order; o < 11; o++)
		for (unsigned int t = 0; t < 6; t++) {
			bool may = t < PZ_HIGHATOMIC;

			if (t == PZ_CMA)
				may = rights & PZL_RIGHT_CMA;
			if (t == PZ_HIGHATOMIC && rights & (PZL_RIGHT_HIGHATOMIC | PZL_RIGHT_OOM))
				may = true;
			if (t == PZ_HIGHATOMIC && !order && rights & PZL_RIGHT_NON_BLOCK)
				may = true;
			if (may && a->z.blocks[o] && a->z.types[o] >> t & 1)
				return true;
		}
	return false;
}

/* Pages that must remain, and pages that would. */
static bool oracle_mark(const struct asked *a, unsigned int order, uint32_t rights, uint64_t extra)
{
	const uint32_t reserves = PZL_RIGHT_RESERVE | PZL_RIGHT_NON_BLOCK | PZL_RIGHT_OOM;
	int64_t left = (int64_t)(a->z.free + extra), min = (int64_t)a->z.min, kept = 0;

	for (int64_t i = 0; i < ((int64_t)1 << order) - 1; i++)
		left--;
	for (unsigned int o = 0; o < 11; o++)
		if (a->z.types[o] >> PZ_HIGHATOMIC & 1)
			kept += (int64_t)(a->z.blocks[o] << o);
	if (a->model != PZL_LINUX_6_12 || kept > (int64_t)a->z.highatomic)
		kept = (int64_t)a->z.highatomic;
	if (!(rights & reserves))
		left -= kept;
	if (!(rights & PZL_RIGHT_CMA))
		left -= (int64_t)a->z.free_cma;
	if (!order && rights & PZL_RIGHT_RESERVE)
		min -= (int64_t)a->z.boost;
	if (rights & PZL_RIGHT_RESERVE) {
		min = min - min / 2;
		if (rights & PZL_RIGHT_NON_BLOCK)
			min = min - min / 4;
	}
	if (rights & PZL_RIGHT_OOM)
		min = min - min / 2;
	return rights & PZL_RIGHT_NO_MARKS || left > min + (int64_t)a->z.reserve;
}

static bool oracle(const struct asked *a, unsigned int order)
{
	uint32_t rights = pzl_alloc_rights(a->gfp, order) | a->more;

	return a->z.managed && !a->z.above && oracle_mark(a, order, rights, 0) &&
	       oracle_block(a, order, rights);
}

static bool answers(struct prop *p, void *ctx)
{
	struct pzl_zone_judgement j;
	struct asked a;
	uint32_t rights;
	int32_t serves = -1;

	(void)ctx;
	draw(p, &a);
	rights = pzl_alloc_rights(a.gfp, a.order) | a.more;
	pzl_zone_judge(a.model, a.gfp, a.more, a.order, &a.z, &j);
	PROP_ASSERT(p, j.verdict != PZL_ZONE_NOT_STATED);
	PROP_ASSERT(p, (j.verdict == PZL_ZONE_OK) == oracle(&a, a.order));
	PROP_ASSERT(p, (j.lacking == 0) == oracle_mark(&a, a.order, rights, 0));
	if (j.lacking) {
		PROP_ASSERT(p, oracle_mark(&a, a.order, rights, j.lacking));
		PROP_ASSERT(p, !oracle_mark(&a, a.order, rights, j.lacking - 1));
	}
	for (unsigned int o = 0; o < 11; o++)
		serves = oracle(&a, o) ? (int32_t)o : serves;
	PROP_ASSERT(p, j.serves == serves);
	if (j.verdict == PZL_ZONE_NO_BLOCK)
		PROP_ASSERT(p, !oracle_block(&a, a.order, rights | PZL_RIGHT_CMA));
	/* What the verdict names would have been enough. */
	if (j.verdict == PZL_ZONE_RESERVE) {
		a.z.reserve = 0;
		PROP_ASSERT(p, oracle_mark(&a, a.order, rights, 0));
	}
	return true;
}

/* A number that is not known never gives an answer that another value of it would not allow. */
static bool unknown(struct prop *p, void *ctx)
{
	struct pzl_zone_judgement whole, torn;
	struct asked a;

	(void)ctx;
	draw(p, &a);
	pzl_zone_judge(a.model, a.gfp, a.more, a.order, &a.z, &whole);
	switch (prop_choice(p, 4)) {
	case 0:
		a.z.free = PZL_PAGES_UNKNOWN;
		break;
	case 1:
		a.z.min = PZL_PAGES_UNKNOWN;
		break;
	case 2:
		a.z.reserve = PZL_PAGES_UNKNOWN;
		break;
	default:
		a.z.orders = 0;
		break;
	}
	pzl_zone_judge(a.model, a.gfp, a.more, a.order, &a.z, &torn);
	PROP_ASSERT(p, torn.missing);
	/* Without blocks, 6.12 may have any of the pages set aside free: all are assumed. */
	if (a.model == PZL_LINUX_6_12 && !a.z.orders && a.z.highatomic)
		return true;
	if (whole.verdict == PZL_ZONE_OK)
		PROP_ASSERT(p, torn.verdict == PZL_ZONE_OK || torn.verdict == PZL_ZONE_NOT_STATED);
	else if (torn.verdict == PZL_ZONE_OK)
		PROP_ASSERT(p, a.order == 0 || a.gfp & PZL_GFP_MEMALLOC);
	return true;
}

int main(void)
{
	prop_run("a zone answers as the rules say", answers, NULL, ROUNDS);
	prop_run("what is not known is not made up", unknown, NULL, ROUNDS);
	return prop_done();
}
