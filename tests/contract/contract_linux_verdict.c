/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_verdict.c - what a zone answers to a request, with the numbers of recorded
 * failures and one more or less where that decides.
 */
#include <physzone/linux/verdict.h>

#include "suites_decl.h"
#include "tap.h"

#define KERNEL_DMA (PZL_GFP_KERNEL | PZL_GFP_DMA)
#define ATOMIC 0xa20u

static struct pzl_zone_state verdict_zone(uint64_t managed, uint64_t free, uint64_t min,
					  uint64_t reserve)
{
	struct pzl_zone_state z = { .managed = managed, .free = free, .min = min };

	z.reserve = reserve;
	return z;
}

/* @free pages in blocks of one order and type. */
static void verdict_blocks(struct pzl_zone_state *z, unsigned int order, uint64_t n, uint8_t types)
{
	z->orders = 11;
	z->blocks[order] = n;
	z->types[order] = types;
}

static struct pzl_zone_judgement judge_as(enum pzl_model m, const struct pzl_zone_state *z,
					  uint32_t gfp, unsigned int order)
{
	struct pzl_zone_judgement j;

	pzl_zone_judge(m, gfp, 0, order, z, &j);
	return j;
}

static struct pzl_zone_judgement judge(const struct pzl_zone_state *z, uint32_t gfp,
				       unsigned int order)
{
	return judge_as(PZL_LINUX_6_1, z, gfp, order);
}

/* The failures that were recorded, in pages. */
static void verdict_recorded(struct tap *t)
{
	struct pzl_zone_state z = verdict_zone(3840, 22, 22, 0);
	struct pzl_zone_judgement j = judge(&z, KERNEL_DMA, 0);

	CHECK_NAMED(t, j.verdict == PZL_ZONE_MARK && j.lacking == 1, "free as much as the mark");
	z.free = 23;
	verdict_blocks(&z, 0, 23, 1);
	CHECK_NAMED(t, judge(&z, KERNEL_DMA, 0).verdict == PZL_ZONE_OK, "and one page more");

	z = verdict_zone(3840, 32, 86, 0);
	j = judge(&z, ATOMIC | PZL_GFP_DMA, 0);
	CHECK(t, j.verdict == PZL_ZONE_MARK && j.mark_high == 43 && j.mark_block == 33);
	CHECK(t, j.need == 33 && j.lacking == 2);

	z = verdict_zone(3840, 2962, 64, 2938);
	j = judge(&z, ATOMIC | PZL_GFP_DMA32, 0);
	CHECK(t, j.verdict == PZL_ZONE_RESERVE && j.need == 2962 && j.lacking == 1);
	z = verdict_zone(754605, 4758, 12710, 0);
	j = judge(&z, ATOMIC | PZL_GFP_DMA32, 0);
	CHECK(t, j.verdict == PZL_ZONE_MARK && j.need == 4767 && j.lacking == 10);

	z = verdict_zone(3840, 3584, 42, 5901);
	j = judge(&z, PZL_GFP_KERNEL | PZL_GFP_NORETRY, 9);
	CHECK(t, j.verdict == PZL_ZONE_RESERVE && j.order_cut == 511 && j.lacking == 2871);
	z = verdict_zone(747155, 8807, 8312, 0);
	j = judge(&z, PZL_GFP_KERNEL | PZL_GFP_NORETRY, 9);
	CHECK(t, j.verdict == PZL_ZONE_MARK && j.usable == 8296 && j.lacking == 17);

	z = verdict_zone(3840, 192, 86, 0);
	j = judge(&z, KERNEL_DMA | PZL_GFP_NORETRY, 8);
	CHECK(t, j.verdict == PZL_ZONE_MARK && j.usable == -63 && j.lacking == 150);

	z = verdict_zone(3840, 178, 177, 0);
	verdict_blocks(&z, 7, 1, 1);
	j = judge(&z, KERNEL_DMA, 1);
	CHECK(t, j.verdict == PZL_ZONE_MARK && j.lacking == 1 && j.largest == 7 && j.serves == 0);
}

static void verdict_zones_that_never(struct tap *t)
{
	struct pzl_zone_state z = verdict_zone(0, 0, 0, 0);

	CHECK(t, judge(&z, KERNEL_DMA, 5).verdict == PZL_ZONE_UNMANAGED);
	CHECK(t, judge(&z, KERNEL_DMA | PZL_GFP_MEMALLOC, 0).verdict == PZL_ZONE_UNMANAGED);
	z = verdict_zone(1000, 1000, 0, 0);
	verdict_blocks(&z, 0, 1000, 1);
	CHECK(t, judge(&z, KERNEL_DMA, 0).verdict == PZL_ZONE_OK);
	z.above = true;
	CHECK(t, judge(&z, KERNEL_DMA, 0).verdict == PZL_ZONE_ABOVE);
	CHECK(t, judge(&z, KERNEL_DMA, 0).serves == -1);
}

static void verdict_lists_refuse(struct tap *t)
{
	struct pzl_zone_state z = verdict_zone(100000, 10000, 100, 0);
	struct pzl_zone_judgement j;

	verdict_blocks(&z, 2, 2500, 1u << PZ_MOVABLE);
	j = judge(&z, PZL_GFP_KERNEL, 3);
	CHECK(t, j.verdict == PZL_ZONE_NO_BLOCK && j.lacking == 0 && j.largest == 2);
	CHECK(t, j.serves == 2);
	CHECK_NAMED(t, judge(&z, PZL_GFP_KERNEL, 2).verdict == PZL_ZONE_OK,
		    "a block of another mobility can be taken");
	verdict_blocks(&z, 4, 1, 1u << PZ_ISOLATE);
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 3).verdict == PZL_ZONE_NO_BLOCK);
	verdict_blocks(&z, 4, 1, 1u << PZ_HIGHATOMIC);
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 3).verdict == PZL_ZONE_HIGHATOMIC);
	CHECK(t, judge(&z, ATOMIC, 3).verdict == PZL_ZONE_OK);
	CHECK_NAMED(t, judge(&z, PZL_GFP_KSWAPD_RECLAIM, 3).verdict == PZL_ZONE_HIGHATOMIC,
		    "not to block is not enough for blocks set aside");
	verdict_blocks(&z, 4, 1, 1u << PZ_CMA);
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 3).verdict == PZL_ZONE_CMA);
	CHECK(t, judge(&z, PZL_GFP_KERNEL | PZL_GFP_MOVABLE, 3).verdict == PZL_ZONE_OK);
	verdict_blocks(&z, 4, 1, 1u << PZ_CMA | 1u << PZ_UNMOVABLE);
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 3).verdict == PZL_ZONE_OK);
	verdict_blocks(&z, 4, 1, 0);
	CHECK_NAMED(t, judge(&z, PZL_GFP_KERNEL, 3).verdict == PZL_ZONE_OK,
		    "a block of an untold type counts");
}

static void verdict_kept_pages(struct tap *t)
{
	struct pzl_zone_state z = verdict_zone(100000, 5000, 100, 0);
	struct pzl_zone_judgement j;

	z.free_cma = 4950;
	verdict_blocks(&z, 0, 5000, 1u << PZ_CMA | 1u << PZ_MOVABLE);
	j = judge(&z, PZL_GFP_KERNEL, 0);
	CHECK(t, j.verdict == PZL_ZONE_CMA && j.cma_cut == 4950 && j.lacking == 51);
	CHECK(t, judge(&z, PZL_GFP_KERNEL | PZL_GFP_MOVABLE, 0).verdict == PZL_ZONE_OK);
	z.free_cma = 4;
	z.free = 100;
	CHECK_NAMED(t, judge(&z, PZL_GFP_KERNEL, 0).verdict == PZL_ZONE_MARK,
		    "CMA pages that would not suffice either are not the cause");

	z = verdict_zone(100000, 1000, 100, 0);
	z.highatomic = 950;
	verdict_blocks(&z, 3, 25, 1u << PZ_HIGHATOMIC);
	z.blocks[0] = 800;
	z.types[0] = 1;
	j = judge(&z, PZL_GFP_KERNEL, 0);
	CHECK(t, j.verdict == PZL_ZONE_HIGHATOMIC && j.highatomic_cut == 950);
	CHECK(t, judge(&z, PZL_GFP_KERNEL | PZL_GFP_HIGH, 0).verdict == PZL_ZONE_OK);
	j = judge_as(PZL_LINUX_6_12, &z, PZL_GFP_KERNEL, 0);
	CHECK_NAMED(t, j.verdict == PZL_ZONE_OK && j.highatomic_cut == 200,
		    "6.12 keeps back what is free of them only");
	z.highatomic = 10;
	CHECK(t, judge_as(PZL_LINUX_6_12, &z, PZL_GFP_KERNEL, 0).highatomic_cut == 10);
	z.free_cma = 900;
	z.highatomic = 500;
	CHECK_NAMED(t, judge(&z, PZL_GFP_KERNEL, 0).verdict == PZL_ZONE_CMA,
		    "both together: the larger part is named");
}

static void verdict_rights(struct tap *t)
{
	struct pzl_zone_state z = verdict_zone(100000, 500, 800, 0);
	struct pzl_zone_judgement j;

	verdict_blocks(&z, 0, 500, 1);
	CHECK(t, pzl_alloc_rights(PZL_GFP_KERNEL, 0) == 0);
	CHECK(t, pzl_alloc_rights(PZL_GFP_DMA, 0) == PZL_RIGHT_NON_BLOCK);
	CHECK(t, pzl_alloc_rights(ATOMIC, 0) == (PZL_RIGHT_RESERVE | PZL_RIGHT_NON_BLOCK));
	CHECK(t, pzl_alloc_rights(ATOMIC, 1) ==
			 (PZL_RIGHT_RESERVE | PZL_RIGHT_NON_BLOCK | PZL_RIGHT_HIGHATOMIC));
	CHECK(t, pzl_alloc_rights(ATOMIC | PZL_GFP_NOMEMALLOC, 1) == PZL_RIGHT_RESERVE);
	CHECK(t, pzl_alloc_rights(PZL_GFP_KERNEL | PZL_GFP_MOVABLE, 0) == PZL_RIGHT_CMA);
	CHECK(t, pzl_alloc_rights(PZL_GFP_KERNEL | PZL_GFP_MEMALLOC, 0) == PZL_RIGHT_NO_MARKS);
	CHECK(t, pzl_alloc_rights(PZL_GFP_KERNEL | PZL_GFP_MEMALLOC | PZL_GFP_NOMEMALLOC, 0) == 0);

	CHECK(t, judge(&z, PZL_GFP_KERNEL, 0).verdict == PZL_ZONE_MARK);
	CHECK(t, judge(&z, PZL_GFP_KERNEL | PZL_GFP_HIGH, 0).need == 400);
	CHECK(t, judge(&z, ATOMIC, 0).need == 300);
	CHECK_NAMED(t, judge(&z, PZL_GFP_KSWAPD_RECLAIM, 0).need == 800,
		    "not to block gives no part of the mark by itself");
	pzl_zone_judge(PZL_LINUX_6_1, PZL_GFP_KERNEL, PZL_RIGHT_OOM, 0, &z, &j);
	CHECK(t, j.need == 400 && j.verdict == PZL_ZONE_OK);
	CHECK(t, judge(&z, PZL_GFP_KERNEL | PZL_GFP_MEMALLOC, 0).verdict == PZL_ZONE_OK);

	z.boost = 500;
	CHECK_NAMED(t, judge(&z, ATOMIC, 0).mark == 300, "the boost is forgone for a single page");
	CHECK(t, judge(&z, ATOMIC, 1).mark == 800);
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 0).mark == 800);
}

static void verdict_unknown(struct tap *t)
{
	struct pzl_zone_state z = verdict_zone(1000, 500, 100, 0);
	struct pzl_zone_judgement j = judge(&z, PZL_GFP_KERNEL, 0);

	CHECK_NAMED(t, j.verdict == PZL_ZONE_OK && j.missing == PZL_MISS_BLOCKS && j.serves == -1,
		    "a single page needs no list");
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 1).verdict == PZL_ZONE_NOT_STATED);
	z.reserve = PZL_PAGES_UNKNOWN;
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 0).verdict == PZL_ZONE_NOT_STATED);
	z.free = 100;
	CHECK_NAMED(t, judge(&z, PZL_GFP_KERNEL, 0).verdict == PZL_ZONE_MARK,
		    "at the mark, the reserve no longer matters");
	z.min = PZL_PAGES_UNKNOWN;
	CHECK(t, judge(&z, PZL_GFP_KERNEL, 0).verdict == PZL_ZONE_NOT_STATED);
	verdict_blocks(&z, 0, 100, 1);
	CHECK_NAMED(t, judge(&z, PZL_GFP_KERNEL, 1).verdict == PZL_ZONE_NO_BLOCK,
		    "the lists refuse whatever the marks are");
	z = verdict_zone(UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX - 1);
	j = judge(&z, ATOMIC, 63);
	CHECK(t, j.verdict == PZL_ZONE_NOT_STATED && j.lacking == 0);
	CHECK(t, j.missing & PZL_MISS_FREE && j.missing & PZL_MISS_MANAGED);
	z = verdict_zone(PZL_PAGES_MOST, 0, PZL_PAGES_MOST, PZL_PAGES_MOST);
	z.highatomic = z.free_cma = PZL_PAGES_MOST;
	verdict_blocks(&z, 10, UINT64_MAX, 1u << PZ_HIGHATOMIC);
	j = judge_as(PZL_LINUX_6_12, &z, PZL_GFP_KERNEL, 63);
	CHECK(t, j.usable == -3 * (int64_t)PZL_PAGES_MOST + 1);
	CHECK(t, j.lacking == 5 * PZL_PAGES_MOST);
}

static void verdict_paths(struct tap *t)
{
	static const struct {
		uint32_t gfp;
		unsigned int order;
		enum pz_zone_type highest;
		enum pzl_path_end end;
		uint32_t no_oom;
	} c[] = {
		{ PZL_GFP_KERNEL, 11, PZ_ZONE_NORMAL, PZL_PATH_TOO_LARGE, 0 },
		{ PZL_GFP_KERNEL, 10, PZ_ZONE_NORMAL, PZL_PATH_COSTLY, 0 },
		{ PZL_GFP_KERNEL, 4, PZ_ZONE_NORMAL, PZL_PATH_COSTLY, 0 },
		{ PZL_GFP_KERNEL, 3, PZ_ZONE_NORMAL, PZL_PATH_OOM, 0 },
		{ ATOMIC, 0, PZ_ZONE_NORMAL, PZL_PATH_AT_ONCE, 0 },
		{ ATOMIC | PZL_GFP_NOFAIL, 0, PZ_ZONE_NORMAL, PZL_PATH_AT_ONCE, 0 },
		{ PZL_GFP_DMA, 0, PZ_ZONE_DMA, PZL_PATH_AT_ONCE, 0 },
		{ PZL_GFP_KERNEL | PZL_GFP_NORETRY, 0, PZ_ZONE_NORMAL, PZL_PATH_NORETRY, 0 },
		{ PZL_GFP_KERNEL | PZL_GFP_NOFAIL, 0, PZ_ZONE_NORMAL, PZL_PATH_FOREVER, 0 },
		{ KERNEL_DMA, 0, PZ_ZONE_DMA, PZL_PATH_ROUNDS, PZL_NO_OOM_LOW_ZONE },
		{ PZL_GFP_KERNEL | PZL_GFP_DMA32, 2, PZ_ZONE_DMA32, PZL_PATH_ROUNDS,
		  PZL_NO_OOM_LOW_ZONE },
		{ PZL_GFP_KERNEL | PZL_GFP_RETRY_MAYFAIL, 5, PZ_ZONE_NORMAL, PZL_PATH_ROUNDS,
		  PZL_NO_OOM_ORDER | PZL_NO_OOM_MAYFAIL },
		{ PZL_GFP_KERNEL | PZL_GFP_THISNODE, 0, PZ_ZONE_NORMAL, PZL_PATH_ROUNDS,
		  PZL_NO_OOM_THISNODE },
	};
	struct pzl_alloc_path p;

	for (unsigned int i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		pzl_alloc_path(c[i].gfp, c[i].order, 10, c[i].highest, &p);
		CHECK(t, p.end == c[i].end && p.no_oom == c[i].no_oom);
		CHECK(t, p.blocks == pzl_gfp_can_block(c[i].gfp));
	}
	pzl_alloc_path(PZL_GFP_DMA, 0, 10, PZ_ZONE_DMA, &p);
	CHECK_NAMED(t, !p.blocks && !p.wakes_kswapd, "GFP_DMA alone does not even wake kswapd");
}

static void verdict_words(struct tap *t)
{
	const uint32_t pc = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL |
			    1u << PZ_ZONE_MOVABLE | 1u << PZ_ZONE_DEVICE;
	const uint32_t power = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;

	CHECK(t, pzl_alloc_prints(PZL_LINUX_5_15, KERNEL_DMA, false) == PZL_PRINTS);
	CHECK(t, pzl_alloc_prints(PZL_LINUX_6_1, KERNEL_DMA, false) == PZL_SILENT_DMA);
	CHECK(t, pzl_alloc_prints(PZL_LINUX_6_12, KERNEL_DMA, false) == PZL_SILENT_DMA);
	CHECK(t, pzl_alloc_prints(PZL_LINUX_6_12, KERNEL_DMA, true) == PZL_PRINTS);
	CHECK(t, pzl_alloc_prints(PZL_LINUX_6_1, PZL_GFP_KERNEL, false) == PZL_PRINTS);
	CHECK(t, pzl_alloc_prints(PZL_LINUX_5_15, PZL_GFP_NOWARN, true) == PZL_SILENT_NOWARN);
	CHECK(t, pzl_lowmem_index(pc, PZ_ZONE_DMA) == 0);
	CHECK(t, pzl_lowmem_index(pc, PZ_ZONE_NORMAL) == 2);
	CHECK(t, pzl_lowmem_index(pc, PZ_ZONE_DEVICE) == 4);
	CHECK(t, pzl_lowmem_index(power, PZ_ZONE_MOVABLE) == 1);
	for (int v = 0; v < PZL_ZONE_VERDICTS; v++)
		CHECK(t, pzl_verdict_name((enum pzl_verdict)v)[0] != '?');
	CHECK(t, pzl_verdict_name(PZL_ZONE_VERDICTS)[0] == '?');
}

void contract_linux_verdict(struct tap *t)
{
	verdict_recorded(t);
	verdict_zones_that_never(t);
	verdict_lists_refuse(t);
	verdict_kept_pages(t);
	verdict_rights(t);
	verdict_unknown(t);
	verdict_paths(t);
	verdict_words(t);
}
