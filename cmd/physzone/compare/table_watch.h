/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_watch.h - a provider on top of a way's that looks at each table, and a flat account of what
 * is mapped, which what the tables say is held against.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLE_WATCH_H
#define PHYSZONE_CMD_COMPARE_TABLE_WATCH_H

#include "pfn_map.h"
#include "table_domains.h"
#include "tables.h"

/* Points to itself: must not be moved. */
struct table_watch {
	struct table_use *use;
	struct tables_count *n;
	struct pz_table_mem mem;
	struct pfn_map taken; /* by place of 1 KiB, tables there */
	uint64_t live;	      /* tables that are out */
	/* By domain and MiB, in @mib: where each of its 256 pages leads, in pages from 1 on. */
	struct pfn_map find;
	VEC(struct table_watch_mib *) mib;
	uint64_t mapped;   /* pages */
	const char *wrong; /* what was wrong first */
};

struct table_watch_mib {
	uint16_t domain;
	uint64_t iova;
	uint32_t page[256];
};

/* Look at what a way gives, and count it. table_watch_end() afterwards. */
void table_watch_begin(struct table_watch *w, struct table_use *use, struct tables_count *n);
void table_watch_end(struct table_watch *w);

/* An operation was done, or has failed. */
void table_watch_done(struct table_watch *w, const struct table_op *op, int rc);

/* Whether each page is mapped as it should be, and no other, by the tables' own check and by a
 * walker that reads what stands there. */
void table_watch_verify(struct table_watch *w, const struct table_domains *d);

#endif
