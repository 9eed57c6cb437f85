/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebuild.h - a page allocator in the state that a report of a failed allocation describes, so that
 * the request can be made again.
 *
 * A report tells how many pages and free blocks a zone has, never which. What it does not tell is
 * chosen: where a zone lies (unless the caller knows), where in it the free blocks are, and which
 * pages are managed. The choice keeps what was told: managed pages, watermarks and reserves, and
 * the free blocks of each order with their mobilities. Of mobilities that share an order the report
 * tells only which there are; then CMA has as many as make up the zone's free_cma, and of the
 * others the movable ones, or else the first, have all but one each. Pages in per-CPU lists are
 * taken pages. Source followed: docs/facts/page_alloc.md sections 4, 6, 7 and 9.
 */
#ifndef PHYSZONE_LINUX_REBUILD_H
#define PHYSZONE_LINUX_REBUILD_H

#include <physzone/linux/meminfo.h>
#include <physzone/linux/verdict.h>
#include <physzone/report.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_REBUILD_PAGES ((uint64_t)1 << 31)  /* present pages of all zones, at most */
#define PZL_REBUILD_BLOCKS ((uint64_t)1 << 22) /* free blocks of a zone, at most */

/* A zone as a report has it, in pages. Only those marked may be PZL_PAGES_UNKNOWN. */
struct pzl_rebuild_zone {
	int32_t nid;
	uint8_t type; /* enum pz_zone_type */
	uint64_t present, managed;
	uint64_t min, low, high; /* as printed: the boost is in them */
	uint64_t boost;
	uint64_t reserve[PZ_ZONE_TYPES]; /* lowmem reserve, by highest zone of a request */
	uint64_t free_cma, highatomic;	 /* PZL_PAGES_UNKNOWN: what the blocks show */
	uint32_t orders;		 /* sizes of blocks that are told; 0: none */
	uint64_t blocks[PZL_BLOCK_ORDERS];
	uint8_t types[PZL_BLOCK_ORDERS]; /* bit per enum pz_mobility; 0: not told */
	/* Where its present pages lie, ascending page frames; none: that is chosen. */
	const struct pz_range *pfns;
	uint32_t pfns_count;
};

struct pzl_rebuild_config {
	const struct pz_meta *meta;   /* must outlive what is rebuilt */
	const struct pz_meta *zeroed; /* as in struct pz_page_config, or NULL */
	enum pzl_model model;
	uint32_t page_shift;
	uint32_t pageblock_order;	     /* 5 to 10; less where the largest block is smaller */
	uint32_t configured;		     /* bit per enum pz_zone_type */
	bool no_grouping;		     /* the kernel does not group by mobility */
	const struct pzl_rebuild_zone *zone; /* each node and type once */
	uint32_t zones;
};

/* What stands in the way of a rebuild. */
enum pzl_rebuild_bad {
	PZL_REBUILD_FINE,
	PZL_REBUILD_NO_ZONE, /* no zone with present pages */
	PZL_REBUILD_PAGE_SIZE,
	PZL_REBUILD_COUNTS,    /* present or managed pages not told, or more managed than present */
	PZL_REBUILD_MARKS,     /* watermarks not told, or not ascending */
	PZL_REBUILD_NO_BLOCKS, /* free blocks are not told */
	PZL_REBUILD_ORDERS,    /* fewer sizes of blocks than a pageblock needs, or too many */
	PZL_REBUILD_LETTERS,   /* more mobilities than blocks, or pages under isolation */
	PZL_REBUILD_MORE_FREE, /* more pages are free than managed */
	PZL_REBUILD_TOO_LARGE, /* more than PZL_REBUILD_PAGES or PZL_REBUILD_BLOCKS */
	PZL_REBUILD_NO_ROOM,   /* the free blocks cannot lie in the zone without being merged */
	PZL_REBUILD_TWICE,     /* a zone is there twice, or its place is another one's too */
	PZL_REBUILD_BADS,
};

struct pzl_rebuild_error {
	enum pzl_rebuild_bad bad;
	uint32_t zone; /* index; the number of zones where it is about none */
};

/* A rebuilt machine. It refers to itself: not to be copied. */
struct pzl_rebuilt {
	const struct pz_meta *meta;
	enum pzl_model model;
	uint32_t orders; /* of the buddy allocator */
	uint32_t configured;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *pages;
	struct pzl_rebuild_zone *zone; /* copies; places are not kept */
	uint32_t zones;
};

/* What came of a request made again. */
struct pzl_rebuild_try {
	int rc;			 /* as pz_page_request() */
	uint64_t pfn;		 /* when served */
	uint32_t zone;		 /* index of the zone that served; the number of zones for none */
	struct pz_report report; /* what was the matter before it was made */
};

/**
 * pzl_rebuild - make a page allocator in a reported state
 * @r: filled in; pzl_rebuild_destroy() gives it back
 * @c: the report
 * @e: what is wrong with the report, after -PZ_EINVAL; may be NULL
 *
 * Nothing is free but the blocks told, and nothing can be reclaimed or moved. Cost: O(free blocks *
 * orders + ranges) and what the page allocator takes for as many requests.
 *
 * Context: any; calls the metadata hooks.
 * Return: 0, -PZ_EINVAL, -PZ_ENOMEM; nothing is held on error.
 */
int pzl_rebuild(struct pzl_rebuilt *r, const struct pzl_rebuild_config *c,
		struct pzl_rebuild_error *e);

/**
 * pzl_rebuild_destroy - give back what pzl_rebuild() took
 * @r: the machine
 *
 * Context: any; calls the metadata hooks.
 */
void pzl_rebuild_destroy(struct pzl_rebuilt *r);

/**
 * pzl_rebuild_request - make a request in a rebuilt machine
 * @r: the machine; changed when the request is served
 * @gfp: its flags
 * @order: log2 of the pages asked for
 * @out: what came of it
 *
 * The request goes to every node, for a report does not tell which one it preferred.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when the order is larger than any block, with nothing asked.
 */
int pzl_rebuild_request(struct pzl_rebuilt *r, uint32_t gfp, unsigned int order,
			struct pzl_rebuild_try *out);

/**
 * pzl_rebuild_free - free single pages that are taken, the lowest ones first
 * @r: the machine
 * @zone: index of the zone
 * @pages: how many
 *
 * None of them becomes a larger block together with another page: nobody can count on that.
 *
 * Context: any.
 * Return: pages freed; fewer when no more were taken.
 */
uint64_t pzl_rebuild_free(struct pzl_rebuilt *r, uint32_t zone, uint64_t pages);

/**
 * pzl_rebuild_no_reserve - forget a zone's lowmem reserves
 * @r: the machine
 * @zone: index of the zone
 *
 * Context: any.
 */
void pzl_rebuild_no_reserve(struct pzl_rebuilt *r, uint32_t zone);

/**
 * pzl_rebuild_meminfo - the state of memory of a rebuilt machine
 * @r: the machine
 * @m: filled in; pzl_meminfo_destroy() gives it back
 *
 * Per-CPU lists are empty, for their pages count as taken.
 *
 * Context: any; calls the metadata hook.
 * Return: 0, or as pzl_meminfo_init().
 */
int pzl_rebuild_meminfo(const struct pzl_rebuilt *r, struct pzl_meminfo *m);

/**
 * pzl_rebuild_alike - whether the allocator refuses for the reason that a report's numbers give
 * @j: the judgement on a zone of the report
 * @v: the verdict on the same zone of the rebuilt machine
 *
 * Where the page allocator's word is narrower (that even the longest run of managed pages is too
 * short for a block that is not there) that is the same, and so are too few pages where none have
 * to be left. Where pages of CMA areas or those set
 * aside would have lifted the zone above its watermark, the allocator says that it is below.
 *
 * Context: any.
 * Return: true when they are.
 */
bool pzl_rebuild_alike(const struct pzl_zone_judgement *j, enum pz_verdict v);

/**
 * pzl_rebuild_expected - what a report should have
 * @bad: what is wrong with it
 *
 * Context: any.
 * Return: a static string that completes "expected ", or "?" for a number that is none.
 */
const char *pzl_rebuild_expected(enum pzl_rebuild_bad bad);

#ifdef __cplusplus
}
#endif

#endif
