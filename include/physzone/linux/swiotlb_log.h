/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_log.h - what a "swiotlb buffer is full" line means: by its three numbers, and by how the
 * pool filled over time.
 *
 * A pool of bounce buffers has slots of 2 KiB in segments of 128. A mapping takes slots that follow
 * each other within one segment and one area. The line says "full" whatever the reason was that no
 * such run was found. Source followed: docs/facts/dma.md section 6.
 */
#ifndef PHYSZONE_LINUX_SWIOTLB_LOG_H
#define PHYSZONE_LINUX_SWIOTLB_LOG_H

#include <physzone/linux/model.h>
#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_SWLOG_SLOT 2048u
#define PZL_SWLOG_SEGMENT 128u
#define PZL_SWLOG_BYTES ((uint64_t)PZL_SWLOG_SLOT * PZL_SWLOG_SEGMENT)
/* What a device that keeps the low bits of addresses (NVMe: within 4 KiB) loses of a segment. */
#define PZL_SWLOG_ALIGN 4096u
#define PZL_SWLOG_UNTOLD UINT64_MAX /* a number that the line does not have */

/* Why a mapping was refused. */
enum pzl_swlog_why {
	PZL_SWLOG_LINE,	       /* the line lacks the numbers that would tell */
	PZL_SWLOG_NO_POOL,     /* there is no pool at all */
	PZL_SWLOG_NEVER,       /* longer than a segment: no size of the pool helps */
	PZL_SWLOG_AREA,	       /* longer than an area of this pool */
	PZL_SWLOG_FULL,	       /* fewer slots free than asked for */
	PZL_SWLOG_FRAGMENTED,  /* enough of them free, and those in use may break up every run */
	PZL_SWLOG_ALIGNED,     /* too few in use for that; with an alignment it is too long */
	PZL_SWLOG_UNEXPLAINED, /* too few in use for that: the log does not say what else */
	PZL_SWLOG_WHYS,
};

/* The pool, and the kernel that has it. */
struct pzl_swlog_pool {
	enum pzl_model model;
	uint32_t page_shift; /* 0 when not known, then 4 KiB */
	uint32_t areas;	     /* 0 when not known, then one */
};

/* A line. @total and @used are PZL_SWLOG_UNTOLD where it has none. */
struct pzl_swlog_line {
	uint64_t bytes, total, used;
};

struct pzl_swlog_verdict {
	enum pzl_swlog_why why;
	uint64_t need;	 /* slots that the mapping takes */
	uint64_t free;	 /* slots free, in all */
	uint64_t run;	 /* slots of the longest run that the pool can have */
	uint64_t runs;	 /* how many of those it has */
	uint64_t blocks; /* slots in use that suffice to leave no run that is long enough */
	/* Slots of a pool in which it had found a place: at best, and however the others lie; as
	 * the kernel rounds them. 0: no size does, or none can be told. */
	uint64_t least, sure;
};

/**
 * pzl_swlog_judge - why a mapping was refused
 * @pool: the pool
 * @line: what the line says
 * @out: filled in
 *
 * Mappings of a page and more begin at pages, so in places only every other slot (of 4 KiB pages)
 * is tried; that is what makes fewer slots in use suffice to break up all runs. The numbers are
 * read after the search failed, so on a busy machine they may differ by what happened in between.
 *
 * Context: any.
 */
void pzl_swlog_judge(const struct pzl_swlog_pool *pool, const struct pzl_swlog_line *line,
		     struct pzl_swlog_verdict *out);

/**
 * pzl_swlog_round - the slots that a kernel makes of swiotlb=
 * @pool: its model and areas
 * @slots: the number given, at least 1
 *
 * Whole segments; from 6.1 on at least a segment for each area, and a power of two.
 *
 * Context: any.
 * Return: slots.
 */
uint64_t pzl_swlog_round(const struct pzl_swlog_pool *pool, uint64_t slots);

/* The pool at one moment. */
struct pzl_swlog_sample {
	uint64_t ms;   /* never falls from one sample to the next; below 2^60 */
	uint64_t used; /* slots */
};

/* How a pool filled over time. */
enum pzl_swlog_course {
	PZL_SWLOG_FEW,	 /* too few lines, or too short a time, to tell */
	PZL_SWLOG_MOVES, /* slots come back */
	PZL_SWLOG_GROWS, /* what is in use only grows */
	PZL_SWLOG_STUCK, /* nothing came back in PZL_SWLOG_STUCK_MS */
};

#define PZL_SWLOG_SAMPLES 6u /* fewer tell nothing */
#define PZL_SWLOG_RISES 4u
#define PZL_SWLOG_SPAN_MS 60000u
#define PZL_SWLOG_STUCK_MS 600000u
#define PZL_SWLOG_QUARTERS 4u

struct pzl_swlog_trend {
	enum pzl_swlog_course course;
	uint64_t span;			   /* ms between the first and the last sample */
	uint64_t first, last, least, most; /* slots in use */
	uint64_t rises, falls;		   /* samples above, and below, the one before */
	/* Fewest slots in use in each quarter of the time; PZL_SWLOG_UNTOLD without a sample. */
	uint64_t floor[PZL_SWLOG_QUARTERS];
	bool by_floor;	   /* it is the floors that grow; in between, slots came back */
	uint64_t per_hour; /* slots by which it grew, when it grows */
};

/**
 * pzl_swlog_trend - whether slots are lost
 * @v: samples, in the order of time
 * @n: how many
 * @out: filled in
 *
 * It grows when it never fell and rose PZL_SWLOG_RISES times, or when the floor rises from quarter
 * to quarter. Lines are printed only when a mapping fails, so this sees the pool at its worst: a
 * load that only grows looks the same as a leak.
 *
 * Context: any. Cost: O(n).
 */
void pzl_swlog_trend(const struct pzl_swlog_sample *v, size_t n, struct pzl_swlog_trend *out);

#ifdef __cplusplus
}
#endif

#endif
