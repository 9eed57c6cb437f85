/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_internal.h - the parts of a report.
 *
 *	walk     what a request would find: the run of frames with the fewest of them in its way
 *	explain  what a request would get, and the verdict on each area
 *	remedy   changed requests, tried one after the other
 *	text     a report in words
 *	tables   translation tables in words
 */
#ifndef PHYSZONE_REPORT_INTERNAL_H
#define PHYSZONE_REPORT_INTERNAL_H

#include <physzone/report.h>

#include "../page/page_internal.h"

/* What is left aside when frames are looked at. */
#define REPORT_KEPT 0x1u    /* that pages are kept for limited or for atomic requests */
#define REPORT_TYPES 0x2u   /* that CMA and ZONE_MOVABLE are for movable pages */
#define REPORT_HELD 0x4u    /* that per-CPU caches hold frames */
#define REPORT_MANAGED 0x8u /* that frames are taken; and all of the above */
#define REPORT_LOOSE 0x10u  /* alignment and boundary */

/* How a request would succeed. */
enum report_way {
	REPORT_NO,
	REPORT_AS_IS,
	REPORT_GIVEN_BACK, /* after a pageblock for atomic requests is given back */
	REPORT_DRAINED,	   /* after the per-CPU caches are drained */
	REPORT_MOVED,	   /* after pages are moved */
};

/* A request and what is supposed about the state of the allocator. Refers to itself: not copied. */
struct report_view {
	struct pz_pages *p;
	struct pz_page_req req; /* as the allocator understands it, a guard page included */
	struct page_ask ask;
	int rc;	     /* what pz_page_ask_init() said */
	bool window; /* ask.lo and ask.hi hold */
	bool drained;
	bool given_back;
	uint64_t block; /* the pageblock given back */
	uint64_t moved, moved_lo; /* with REPORT_MOVED: pages to move, first frame of the run */
	uint64_t freed_lo, freed_hi; /* taken frames that count as free; none when lo > hi */
	uint32_t extra_area;
	uint64_t extra; /* more free pages of that area, or of all, for the watermark */
};

/* The lowest run with the fewest frames in the way. */
struct report_run {
	bool found;
	uint64_t index;
	uint64_t cost; /* frames that are taken, or held */
};

/* Words as they come. What does not fit is cut, its length still counted. */
struct report_text {
	char *buf;
	size_t size, n;
	uint32_t shift; /* log2 of a page's bytes, where pages are counted */
};

/* text.c */
void pz_report_add(struct report_text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* walk.c */
void pz_report_best(const struct report_view *v, unsigned int rule, uint64_t lo, uint64_t hi,
		    struct report_run *best);
uint64_t pz_report_taken(const struct report_view *v, uint32_t area);
uint64_t pz_report_held(const struct pz_pages *p, uint32_t area, bool cma);

/* explain.c */
bool pz_report_above(const struct report_view *v, uint32_t area, uint64_t *floor, uint64_t *free);
bool pz_report_usable(const struct report_view *v, unsigned int rule, const struct page_seg *s);
void pz_report_area_best(const struct report_view *v, unsigned int rule, bool gated, uint32_t area,
			 struct report_run *best);
void pz_report_view(struct report_view *v, struct pz_pages *p, const struct pz_page_req *req);
bool pz_report_lowest(const struct report_view *v, unsigned int rule, struct report_run *run);
enum report_way pz_report_way(struct report_view *v);

/* remedy.c */
void pz_report_remedy(struct pz_pages *p, const struct pz_page_req *req,
		      const struct report_view *was, enum report_way way, struct pz_report *out);

#endif
