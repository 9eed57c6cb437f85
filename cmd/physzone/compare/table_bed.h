/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_bed.h - a machine whose memory others use too, with memory behind its physical addresses.
 *
 * The others hold a stated part of the memory that the tables may lie in, above its watermarks, and
 * all memory that they may not lie in. What they leave is scattered: runs of one page to sixteen
 * between pages that are taken. Under pressure they also take, page by page, all that a request in
 * atomic context could have, and up to 32 pages at each step of what becomes free. A request that
 * may wait makes them give pages back.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLE_BED_H
#define PHYSZONE_CMD_COMPARE_TABLE_BED_H

#include <physzone/page.h>

#include "compare.h"
#include "random.h"

/* Zero-filled memory where physical addresses from 0 on are seen; only what is used costs any. */
struct table_arena {
	unsigned char *at;
	uint64_t bytes;
	void *map;
	size_t mapped;
};

struct table_block {
	uint64_t pfn;
	unsigned int order;
};

struct table_bed {
	const struct compare_machine *m;
	const struct table_arena *arena;
	struct pz_limits limits; /* of the tables */
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *pages;
	struct pz_bugs bugs;
	struct rnd rnd;
	uint64_t all;	 /* pages free at first */
	uint64_t below;	 /* of them, in reach of the tables */
	uint64_t others; /* pages that the others hold */
	/* What they hold: blocks, those in reach of the tables last; pages left of such; pages
	 * taken under pressure. */
	VEC(struct table_block) block;
	VEC(uint64_t) single;
	VEC(uint64_t) burst;
	bool pressed;
};

/* Returns 0, or EXIT_UNDECIDED with one line in *err. table_arena_destroy() in both cases. */
int table_arena_make(struct table_arena *a, const struct compare_machine *m, uint64_t last,
		     char **err);
void table_arena_destroy(struct table_arena *a);

/*
 * Make the machine, with all its memory free. @debug: the page allocator records who uses a page.
 * Returns 0, or EXIT_UNDECIDED with one line in *err. table_bed_destroy() in both cases.
 */
int table_bed_make(struct table_bed *b, const struct compare_machine *m,
		   const struct table_arena *arena, uint64_t last, bool debug, char **err);
void table_bed_destroy(struct table_bed *b);

/*
 * The others take what is out of reach of the tables, and so many percent of what is in reach,
 * above the watermarks.
 */
void table_bed_fill(struct table_bed *b, unsigned int percent);

/* Pressure begins, goes on, or ends. */
void table_bed_press(struct table_bed *b, bool on);

/* The others give back at least so many pages, if they have them. Returns how many. */
uint64_t table_bed_relieve(struct table_bed *b, uint64_t pages);

/* Pages that neither are free nor the others'. */
uint64_t table_bed_held(const struct table_bed *b);

#endif
