/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict.c - what Linux's page allocator decides for a request, from the numbers of a report.
 *
 * Concept: a zone is asked twice. The watermark: what would be left of its free pages once the
 * request was served, without those that it may not have, must be more than the mark, of which the
 * rights of the request take parts off, and the lowmem reserve together. The lists: one free block
 * of a type that it may take must be large enough. The verdict is the first of these that refuses,
 * or, where pages of a kind that it may not have would have helped, that kind.
 *
 * Invariants: 1. with PZL_ZONE_OK nothing that decides was unknown; 2. lacking is 0 if and only if
 * the watermark agrees, or is unknown; 3. orders named are among those that are known.
 *
 * Failure: none; unknown numbers give PZL_ZONE_NOT_STATED.
 *
 * Shortcomings: tasks that free memory themselves (PF_MEMALLOC) have rights that no flag shows.
 * Kernels older than the late releases of 5.15 gave atomic requests slightly different parts.
 */
#include <physzone/linux/verdict.h>

#define VERDICT_TYPE(t) (1u << (t))
#define VERDICT_RESERVE 0x40u /* blocks of the reserve that kernels before 4.4 kept */
/* Blocks that anyone may take. */
#define VERDICT_ANYONE                                                         \
	(VERDICT_TYPE(PZ_UNMOVABLE) | VERDICT_TYPE(PZ_MOVABLE) |               \
	 VERDICT_TYPE(PZ_RECLAIMABLE) | VERDICT_RESERVE)

uint32_t pzl_alloc_rights(uint32_t gfp, unsigned int order)
{
	uint32_t rights = 0;

	if (gfp & PZL_GFP_HIGH)
		rights |= PZL_RIGHT_RESERVE;
	if (!pzl_gfp_can_block(gfp) && !(gfp & PZL_GFP_NOMEMALLOC)) {
		rights |= PZL_RIGHT_NON_BLOCK;
		if (order > 0 && gfp & PZL_GFP_HIGH)
			rights |= PZL_RIGHT_HIGHATOMIC;
	}
	if (pzl_gfp_mobility(gfp) == PZ_MOVABLE)
		rights |= PZL_RIGHT_CMA;
	if (gfp & PZL_GFP_MEMALLOC && !(gfp & PZL_GFP_NOMEMALLOC))
		rights |= PZL_RIGHT_NO_MARKS;
	return rights;
}

void pzl_alloc_path(uint32_t gfp, unsigned int order, unsigned int max_order,
		    enum pz_zone_type highest, struct pzl_alloc_path *out)
{
	bool costly = order > PZL_COSTLY_ORDER;

	out->rights = pzl_alloc_rights(gfp, order);
	out->blocks = pzl_gfp_can_block(gfp);
	out->wakes_kswapd = gfp & PZL_GFP_KSWAPD_RECLAIM;
	out->may_io = gfp & PZL_GFP_IO;
	out->may_fs = gfp & PZL_GFP_FS;
	out->no_oom = 0;
	if (order > max_order) {
		out->end = PZL_PATH_TOO_LARGE;
	} else if (!out->blocks) {
		out->end = PZL_PATH_AT_ONCE;
	} else if (gfp & PZL_GFP_NOFAIL) {
		out->end = PZL_PATH_FOREVER;
	} else if (gfp & PZL_GFP_NORETRY) {
		out->end = PZL_PATH_NORETRY;
	} else if (costly && !(gfp & PZL_GFP_RETRY_MAYFAIL)) {
		out->end = PZL_PATH_COSTLY;
	} else {
		out->no_oom = (costly ? PZL_NO_OOM_ORDER : 0) |
			      (gfp & PZL_GFP_RETRY_MAYFAIL ? PZL_NO_OOM_MAYFAIL : 0) |
			      (gfp & PZL_GFP_THISNODE ? PZL_NO_OOM_THISNODE : 0) |
			      (highest < PZ_ZONE_NORMAL ? PZL_NO_OOM_LOW_ZONE : 0);
		out->end = out->no_oom ? PZL_PATH_ROUNDS : PZL_PATH_OOM;
	}
}

enum pzl_prints pzl_alloc_prints(enum pzl_model model, uint32_t gfp, bool managed_dma)
{
	const struct pzl_model_facts *mf = pzl_model_facts(model);

	if (gfp & PZL_GFP_NOWARN)
		return PZL_SILENT_NOWARN;
	if (gfp & PZL_GFP_DMA && !managed_dma && mf && mf->has_managed_dma)
		return PZL_SILENT_DMA;
	return PZL_PRINTS;
}

unsigned int pzl_lowmem_index(uint32_t configured, enum pz_zone_type type)
{
	unsigned int n = 0;

	for (unsigned int t = 0; t < (unsigned int)type && t < PZ_ZONE_TYPES; t++)
		n += configured >> t & 1;
	return n;
}

/* A number, or 0 and a mark that it is not known. */
static uint64_t verdict_number(uint64_t v, uint32_t bit, uint32_t *missing)
{
	if (v <= PZL_PAGES_MOST)
		return v;
	*missing |= bit;
	return 0;
}

/* Types of blocks that a request with some rights may take. */
static uint32_t verdict_types(uint32_t rights, unsigned int order)
{
	uint32_t types = VERDICT_ANYONE;

	if (rights & PZL_RIGHT_CMA)
		types |= VERDICT_TYPE(PZ_CMA);
	/* A single page is taken from there last, by whoever may not block. */
	if (rights & (PZL_RIGHT_HIGHATOMIC | PZL_RIGHT_OOM) ||
	    (order == 0 && rights & PZL_RIGHT_NON_BLOCK))
		types |= VERDICT_TYPE(PZ_HIGHATOMIC);
	return types;
}

/* The largest order of a free block of some types, up to @top; -1 for none. */
static int32_t verdict_largest(const struct pzl_zone_state *z, uint32_t types)
{
	uint32_t n = z->orders < PZL_BLOCK_ORDERS ? z->orders : PZL_BLOCK_ORDERS;

	while (n-- > 0)
		if (z->blocks[n] && (!z->types[n] || z->types[n] & types))
			return (int32_t)n;
	return -1;
}

/* Free pages that are set aside for atomic requests, at most. */
static uint64_t verdict_highatomic(enum pzl_model model, const struct pzl_zone_state *z,
				   uint32_t *missing)
{
	uint64_t all = verdict_number(z->highatomic, PZL_MISS_HIGHATOMIC, missing), sum = 0;
	uint32_t n = z->orders < PZL_BLOCK_ORDERS ? z->orders : PZL_BLOCK_ORDERS;

	if (model < PZL_LINUX_6_12 || !z->orders)
		return all;
	for (uint32_t i = 0; i < n && sum < all; i++)
		if (!z->types[i] || z->types[i] & VERDICT_TYPE(PZ_HIGHATOMIC))
			sum += z->blocks[i] < all ? z->blocks[i] << i : all;
	return sum < all ? sum : all;
}

/* The arithmetic of the watermark. */
static void verdict_sum(enum pzl_model model, unsigned int order, const struct pzl_zone_state *z,
			struct pzl_zone_judgement *out)
{
	uint64_t min = verdict_number(z->min, PZL_MISS_MIN, &out->missing);
	uint64_t free = verdict_number(z->free, PZL_MISS_FREE, &out->missing);
	uint64_t reserve = verdict_number(z->reserve, PZL_MISS_LOWMEM, &out->missing);
	uint64_t cma = verdict_number(z->free_cma, PZL_MISS_CMA, &out->missing);
	uint64_t high = verdict_highatomic(model, z, &out->missing);

	out->order_cut = ((uint64_t)1 << (order < 60 ? order : 60)) - 1;
	if (!(out->rights & (PZL_RIGHT_RESERVE | PZL_RIGHT_NON_BLOCK | PZL_RIGHT_OOM)))
		out->highatomic_cut = high;
	if (!(out->rights & PZL_RIGHT_CMA))
		out->cma_cut = cma;
	out->usable = (int64_t)free - (int64_t)out->order_cut - (int64_t)out->highatomic_cut -
		      (int64_t)out->cma_cut;
	/* A single page for an atomic request: the boost is forgone. */
	if (order == 0 && out->rights & PZL_RIGHT_RESERVE && z->boost <= min)
		min -= z->boost;
	out->mark = min;
	if (out->rights & PZL_RIGHT_RESERVE)
		min -= min / 2;
	out->mark_high = min;
	if (out->rights & PZL_RIGHT_RESERVE && out->rights & PZL_RIGHT_NON_BLOCK)
		min -= min / 4;
	out->mark_block = min;
	if (out->rights & PZL_RIGHT_OOM)
		min -= min / 2;
	out->mark_oom = min;
	out->need = min + reserve;
	if (out->rights & PZL_RIGHT_NO_MARKS || out->missing & (PZL_MISS_FREE | PZL_MISS_MIN))
		return;
	if (out->usable <= (int64_t)out->need)
		out->lacking = (uint64_t)((int64_t)out->need - out->usable) + 1;
}

/* Why the watermark refuses. */
static enum pzl_verdict verdict_mark(const struct pzl_zone_judgement *j)
{
	if (j->cma_cut >= j->lacking)
		return PZL_ZONE_CMA;
	if (j->highatomic_cut >= j->lacking)
		return PZL_ZONE_HIGHATOMIC;
	if (j->cma_cut + j->highatomic_cut >= j->lacking)
		return PZL_ZONE_CMA;
	return j->usable <= (int64_t)j->mark_oom ? PZL_ZONE_MARK : PZL_ZONE_RESERVE;
}

/* Why the lists refuse. */
static enum pzl_verdict verdict_lists(unsigned int order, const struct pzl_zone_state *z)
{
	if (verdict_largest(z, VERDICT_TYPE(PZ_CMA)) >= (int32_t)order)
		return PZL_ZONE_CMA;
	if (verdict_largest(z, VERDICT_TYPE(PZ_HIGHATOMIC)) >= (int32_t)order)
		return PZL_ZONE_HIGHATOMIC;
	return PZL_ZONE_NO_BLOCK;
}

/* The verdict for one order; the rest of the judgement with it. */
static void verdict_one(enum pzl_model model, uint32_t gfp, uint32_t more, unsigned int order,
			const struct pzl_zone_state *z, struct pzl_zone_judgement *out)
{
	const uint32_t decides = PZL_MISS_FREE | PZL_MISS_MIN | PZL_MISS_LOWMEM;
	bool blocks = z->orders > 0;

	*out = (struct pzl_zone_judgement){ .rights = pzl_alloc_rights(gfp, order) | more };
	verdict_sum(model, order, z, out);
	out->missing |= z->managed > PZL_PAGES_MOST ? PZL_MISS_MANAGED : 0;
	out->missing |= blocks ? 0 : PZL_MISS_BLOCKS;
	out->largest = verdict_largest(z, verdict_types(out->rights, order));
	if (z->managed == 0)
		out->verdict = PZL_ZONE_UNMANAGED;
	else if (z->above)
		out->verdict = PZL_ZONE_ABOVE;
	else if (out->lacking)
		out->verdict = verdict_mark(out);
	else if (blocks && out->largest < (int32_t)order)
		out->verdict = verdict_lists(order, z);
	else if (out->missing & decides && !(out->rights & PZL_RIGHT_NO_MARKS))
		out->verdict = PZL_ZONE_NOT_STATED;
	else if (!blocks && (order > 0 || out->missing & decides))
		out->verdict = PZL_ZONE_NOT_STATED;
	else
		out->verdict = PZL_ZONE_OK;
}

void pzl_zone_judge(enum pzl_model model, uint32_t gfp, uint32_t more, unsigned int order,
		    const struct pzl_zone_state *z, struct pzl_zone_judgement *out)
{
	struct pzl_zone_judgement other;
	int32_t serves = -1;

	for (uint32_t k = z->orders < PZL_BLOCK_ORDERS ? z->orders : PZL_BLOCK_ORDERS;
	     k-- > 0 && serves < 0;) {
		verdict_one(model, gfp, more, k, z, &other);
		if (other.verdict == PZL_ZONE_OK)
			serves = (int32_t)k;
	}
	verdict_one(model, gfp, more, order, z, out);
	out->serves = serves;
}

const char *pzl_verdict_name(enum pzl_verdict v)
{
	static const char *const names[PZL_ZONE_VERDICTS] = {
		[PZL_ZONE_OK] = "ok",
		[PZL_ZONE_UNMANAGED] = "unmanaged",
		[PZL_ZONE_ABOVE] = "above-highest-zone",
		[PZL_ZONE_MARK] = "below-mark",
		[PZL_ZONE_RESERVE] = "in-lowmem-reserve",
		[PZL_ZONE_CMA] = "only-cma",
		[PZL_ZONE_HIGHATOMIC] = "only-highatomic",
		[PZL_ZONE_NO_BLOCK] = "no-block",
		[PZL_ZONE_NOT_STATED] = "not-stated",
	};

	return (unsigned int)v < PZL_ZONE_VERDICTS ? names[v] : "?";
}
