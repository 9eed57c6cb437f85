/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - why a request for pages fails: data first, text last. And what tables of an IOMMU say.
 */
#ifndef PHYSZONE_REPORT_H
#define PHYSZONE_REPORT_H

#include <physzone/contig.h>
#include <physzone/fmt.h>
#include <physzone/page.h>
#include <physzone/v7s.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is the matter with a candidate range; the first that applies, from the top. From KEPT on,
 * each leaves aside what those above it say: CMA means that the request would be served if it might
 * use kept pages and those for movable pages.
 */
enum pz_verdict {
	PZ_V_OK, /* it would serve the request */
	PZ_V_UNMANAGED, /* no managed page in it */
	PZ_V_LIMIT, /* its managed pages lie outside the limits */
	PZ_V_NODE, /* another node, and the request insists on one */
	PZ_V_ZONE, /* above the highest zone that the request may use */
	PZ_V_SMALL, /* no managed run is long enough, whatever is free */
	PZ_V_BOUNDARY, /* runs are long enough, but all cross the boundary or miss the alignment */
	PZ_V_WATERMARK, /* below its watermark */
	PZ_V_RESERVE, /* above the watermark, but in the lowmem reserve */
	PZ_V_KEPT, /* free pages are kept for requests with narrower limits, or atomic ones */
	PZ_V_CMA, /* only CMA or movable-zone blocks are left, and the request is not movable */
	PZ_V_HELD, /* what is free lies in per-CPU caches */
	PZ_V_EVACUATE, /* would need pages moved, which this request may not */
	PZ_V_FRAGMENTED, /* enough pages are free, but in too short runs */
	PZ_V_FULL, /* fewer pages are free than asked for */
	PZ_VERDICTS,
};

/*
 * The cheapest change that would have made the request succeed, in this order. Each was tried: the
 * request with this one change would succeed.
 */
enum pz_remedy {
	PZ_R_NONE, /* nothing here helps */
	PZ_R_RETRY, /* it would succeed now; where pages are stated, by moving them */
	PZ_R_DRAIN, /* it would succeed now, by draining the per-CPU caches, which it does itself */
	PZ_R_EVACUATE, /* move pages: allow it to block */
	PZ_R_RESERVE, /* use the reserve: PZ_GFP_HIGH, MEMALLOC or NOKEEP */
	PZ_R_ORDER, /* ask for a smaller length: the longest run is stated */
	PZ_R_ALIGN, /* drop alignment or boundary */
	PZ_R_MOVABLE, /* ask for movable pages */
	/* free the pages stated: those of the range stated that are taken, and others outside CMA
	 * areas up to the number, of the same area under PZ_POLICY_ZONELIST; as many others need
	 * not do */
	PZ_R_RECLAIM,
	/* a higher limit: the lowest that would do is stated; under PZ_POLICY_ZONELIST a higher
	 * zone where that does not help, or both */
	PZ_R_LIMIT,
	PZ_R_NODE, /* let other nodes serve it */
	PZ_REMEDIES,
};

/* One candidate range: the pages of one zone of one node. */
struct pz_report_area {
	int32_t nid;
	uint8_t type; /* enum pz_zone_type */
	enum pz_verdict verdict;
	/* page frames of the area within the limits; only when there are any */
	struct pz_range reach;
	bool reached;
	uint64_t managed, free, held, free_cma; /* pages of the whole area */
	uint64_t free_reached; /* free pages within the limits, whoever may have them */
	/* what its free pages have to stay above: watermark, lowmem reserve; under PZ_POLICY_REACH
	 * those of all areas together, above one watermark */
	uint64_t mark, reserve;
	uint64_t largest_run; /* longest free run within the limits, whoever may have it */
	uint64_t move; /* pages to move for the cheapest evacuation, when one is needed */
};

#define PZ_REPORT_AREAS 64u

struct pz_report {
	struct pz_page_req req;
	/* What the request would get now, 0 or -PZ_E..., if no hook freed memory, and if owners of
	 * movable pages let them go, where that is needed, to free blocks. */
	int outcome;
	/* in the order in which the policy tries them, the untried last; others count in @more */
	uint32_t areas;
	uint32_t more;
	struct pz_report_area area[PZ_REPORT_AREAS];
	enum pz_remedy remedy;
	/* pages (RECLAIM, ORDER; EVACUATE, and RETRY where pages are moved), highest address
	 * (LIMIT), PZ_GFP_* to add (RESERVE) */
	uint64_t remedy_value;
	struct pz_range remedy_pfns; /* page frames it would get then (RECLAIM, EVACUATE, RETRY) */
	uint32_t remedy_area; /* RECLAIM: the area, as pz_page_area_stat() counts them */
	uint8_t remedy_highest; /* LIMIT: pz_page_req.highest that goes with it */
};

/**
 * pz_report_explain - find out why a request fails, or that it would not
 * @p: the allocator
 * @req: the request
 * @out: the report
 *
 * Nothing is allocated and nothing changes. The verdict on an area is PZ_V_OK exactly when a run
 * that overlaps it would be given without draining caches.
 *
 * Context: any; exact while nobody allocates or frees. Cost: O(pages) for each remedy tried.
 * Return: 0, or -PZ_EINVAL when the request is malformed.
 */
int pz_report_explain(struct pz_pages *p, const struct pz_page_req *req, struct pz_report *out);

/**
 * pz_report_text - a report in words
 * @r: the report
 * @page_shift: log2 of the page size
 * @buf: where to; always ended by a zero byte when @size is not 0
 * @size: bytes of @buf
 *
 * Context: any.
 * Return: bytes that the whole text takes, without the zero byte.
 */
size_t pz_report_text(const struct pz_report *r, uint32_t page_shift, char *buf, size_t size);

/**
 * pz_report_v7s - the dump of an IOMMU's tables
 * @tables: the tables
 * @buf: where to; always ended by a zero byte when @size is not 0
 * @size: bytes of @buf
 *
 * A line for each run of pages of one size that are mapped alike, then the sums.
 *
 * Context: any. What others change meanwhile is seen or not, page by page.
 * Return: bytes that the whole text takes, without the zero byte.
 */
size_t pz_report_v7s(const struct pz_v7s *tables, char *buf, size_t size);

/**
 * pz_verdict_name - the word for a verdict
 * @v: the verdict
 *
 * Context: any.
 * Return: a static string such as "watermark"; "?" for a number that is none.
 */
const char *pz_verdict_name(enum pz_verdict v);

/**
 * pz_remedy_name - the word for a remedy
 * @r: the remedy
 *
 * Context: any.
 * Return: a static string such as "evacuate"; "?" for a number that is none.
 */
const char *pz_remedy_name(enum pz_remedy r);

#ifdef __cplusplus
}
#endif

#endif
