/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict.h - what Linux's page allocator decides for a request, from the numbers of a report: what
 * each zone answers and why, which way the request goes then, and whether a failure is printed.
 *
 * Numbers are pages. One that is not known is PZL_PAGES_UNKNOWN; what depends on it is then left
 * open, never guessed. 5.15 is as its late point releases are, with the rights of 6.1.
 * Source followed: docs/facts/page_alloc.md sections 4, 5 and 9.
 */
#ifndef PHYSZONE_LINUX_VERDICT_H
#define PHYSZONE_LINUX_VERDICT_H

#include <physzone/linux/gfp.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_PAGES_UNKNOWN UINT64_MAX
#define PZL_PAGES_MOST ((uint64_t)1 << 60) /* larger numbers are not pages: not known */
#define PZL_BLOCK_ORDERS 24u
#define PZL_COSTLY_ORDER 3u /* above it, a request may fail although pages could be freed */

/* What a request may do in the slow path, beside stopping at the min watermark. */
#define PZL_RIGHT_RESERVE 0x1u /* half of the min watermark: __GFP_HIGH */
#define PZL_RIGHT_NON_BLOCK 0x2u /* a quarter more of what remains, with the one above */
#define PZL_RIGHT_HIGHATOMIC 0x4u /* blocks set aside for atomic requests of order 1 and up */
#define PZL_RIGHT_CMA 0x8u /* free pages of CMA areas */
#define PZL_RIGHT_OOM 0x10u /* half of what remains: the victim of the OOM killer */
#define PZL_RIGHT_NO_MARKS 0x20u /* no watermark: __GFP_MEMALLOC */

/* What a zone answers. */
enum pzl_verdict {
	PZL_ZONE_OK,
	PZL_ZONE_UNMANAGED, /* it has no managed page */
	PZL_ZONE_ABOVE, /* above the highest zone that the request may use */
	PZL_ZONE_MARK, /* its free pages are not above the watermark */
	PZL_ZONE_RESERVE, /* above the watermark, but not above the lowmem reserve on top of it */
	PZL_ZONE_CMA, /* CMA pages would do, and the request is not movable */
	PZL_ZONE_HIGHATOMIC, /* pages set aside for atomic requests would do */
	PZL_ZONE_NO_BLOCK, /* free pages suffice, but no free block is large enough */
	PZL_ZONE_NOT_STATED, /* the numbers that decide are not known */
	PZL_ZONE_VERDICTS,
};

/* Which numbers were not known, among those that a verdict looks at. */
#define PZL_MISS_MANAGED 0x1u
#define PZL_MISS_FREE 0x2u
#define PZL_MISS_MIN 0x4u
#define PZL_MISS_LOWMEM 0x8u
#define PZL_MISS_BLOCKS 0x10u
#define PZL_MISS_HIGHATOMIC 0x20u /* then taken for none */
#define PZL_MISS_CMA 0x40u /* then taken for none */

/* A zone, as a report tells of it. */
struct pzl_zone_state {
	bool above; /* the highest zone of the request lies below it */
	uint64_t managed, free;
	uint64_t min; /* as printed: the boost is in it */
	uint64_t boost;
	uint64_t highatomic; /* pages of blocks set aside for atomic requests */
	uint64_t free_cma;
	uint64_t reserve; /* lowmem reserve against the highest zone of the request */
	uint32_t orders; /* sizes of blocks that are known; 0: none */
	uint64_t blocks[PZL_BLOCK_ORDERS]; /* free blocks of each order */
	uint8_t types[PZL_BLOCK_ORDERS]; /* bit per enum pz_mobility among them; 0: not told */
};

/* The arithmetic behind a verdict: usable > need is what the watermark wants. */
struct pzl_zone_judgement {
	enum pzl_verdict verdict;
	uint32_t missing; /* PZL_MISS_* */
	uint32_t rights; /* PZL_RIGHT_* of the request */
	uint64_t order_cut; /* 2^order - 1: free pages, once this request was served */
	uint64_t highatomic_cut, cma_cut; /* free pages that it may not have */
	int64_t usable; /* free less the cuts */
	uint64_t mark; /* the min watermark that counts */
	uint64_t mark_high, mark_block, mark_oom; /* after each right's part came off, in turn */
	uint64_t need; /* mark_oom and the reserve */
	uint64_t lacking; /* pages to be freed before the watermark agrees; 0 when it does */
	int32_t largest; /* largest order with a block that this request may take, -1: none */
	int32_t serves; /* largest order that the zone would serve such a request; -1: none */
};

/* How a request ends that no zone serves at once. */
enum pzl_path_end {
	PZL_PATH_TOO_LARGE, /* refused before any zone is looked at */
	PZL_PATH_AT_ONCE, /* fails, for it may not block */
	PZL_PATH_NORETRY, /* fails after one round of reclaim and compaction: it asked for that */
	PZL_PATH_COSTLY, /* the same for its order */
	PZL_PATH_ROUNDS, /* reclaims while that helps, at most 16 rounds without progress */
	PZL_PATH_OOM, /* reclaims, then kills processes; fails hardly ever */
	PZL_PATH_FOREVER, /* never fails: __GFP_NOFAIL */
};

/* Why the OOM killer is not called. */
#define PZL_NO_OOM_ORDER 0x1u /* the order is costly */
#define PZL_NO_OOM_MAYFAIL 0x2u /* __GFP_RETRY_MAYFAIL */
#define PZL_NO_OOM_THISNODE 0x4u /* __GFP_THISNODE */
#define PZL_NO_OOM_LOW_ZONE 0x8u /* only zones below Normal: killing frees others */

/* Whether a failure is printed. */
enum pzl_prints {
	PZL_PRINTS, /* at most one report in ten seconds, of all requests */
	PZL_SILENT_NOWARN, /* __GFP_NOWARN */
	PZL_SILENT_DMA, /* GFP_DMA, and no node has a managed page of ZONE_DMA */
};

struct pzl_alloc_path {
	enum pzl_path_end end;
	uint32_t no_oom; /* PZL_NO_OOM_*; 0 with an end other than OOM: not reached */
	uint32_t rights; /* PZL_RIGHT_* */
	bool blocks, wakes_kswapd, may_io, may_fs;
};

/**
 * pzl_alloc_rights - the rights of a request in the slow path
 * @gfp: flags
 * @order: log2 of the pages asked for
 *
 * Context: any.
 * Return: PZL_RIGHT_*.
 */
uint32_t pzl_alloc_rights(uint32_t gfp, unsigned int order);

/**
 * pzl_alloc_path - which way a request goes that no zone serves at once
 * @gfp: flags
 * @order: log2 of the pages asked for
 * @max_order: largest order of the allocator, 10 nearly everywhere
 * @highest: highest zone that it may be served from
 * @out: the way
 *
 * Context: any.
 */
void pzl_alloc_path(uint32_t gfp, unsigned int order, unsigned int max_order,
		    enum pz_zone_type highest, struct pzl_alloc_path *out);

/**
 * pzl_alloc_prints - whether the failure of a request is printed
 * @model: the version
 * @gfp: flags
 * @managed_dma: some node has a managed page of ZONE_DMA
 *
 * Context: any.
 * Return: whether, and why not. linux-5.15 stands for kernels before the test for managed pages.
 */
enum pzl_prints pzl_alloc_prints(enum pzl_model model, uint32_t gfp, bool managed_dma);

/**
 * pzl_lowmem_index - where a zone stands among the numbers of lowmem_reserve[]
 * @configured: bit per enum pz_zone_type that the kernel has
 * @type: the zone
 *
 * Context: any.
 * Return: the number of configured zones below it.
 */
unsigned int pzl_lowmem_index(uint32_t configured, enum pz_zone_type type);

/**
 * pzl_zone_judge - what a zone answers to a request in the slow path, and why
 * @model: the version
 * @gfp: flags
 * @more: rights that do not come from the flags, such as PZL_RIGHT_OOM
 * @order: log2 of the pages asked for
 * @z: the zone
 * @out: verdict and arithmetic
 *
 * 6.12 takes off only the free ones of the pages set aside for atomic requests. How many these are
 * no report tells; the most that its free blocks allow is assumed.
 *
 * Context: any.
 */
void pzl_zone_judge(enum pzl_model model, uint32_t gfp, uint32_t more, unsigned int order,
		    const struct pzl_zone_state *z, struct pzl_zone_judgement *out);

/**
 * pzl_verdict_name - the word for a verdict
 * @v: the verdict
 *
 * Context: any.
 * Return: a static string such as "below-mark"; "?" for a number that is none.
 */
const char *pzl_verdict_name(enum pzl_verdict v);

#ifdef __cplusplus
}
#endif

#endif
