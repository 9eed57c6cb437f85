/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.h - what the files of the debug mode share.
 *
 *	debug        the calls, and what is wrong with them
 *	debug_store  records: where they are kept and found
 *	debug_tell   findings: words, numbers, hooks
 */
#ifndef PHYSZONE_DMA_DEBUG_INTERNAL_H
#define PHYSZONE_DMA_DEBUG_INTERNAL_H

#include "dma_internal.h"

/* The states of a record, the low bits of its word; a count of changes stands above them. */
#define DEBUG_FREE 0u
#define DEBUG_BUSY 1u /* being written, or on its way out: somebody's alone */
#define DEBUG_LIVE 2u
#define DEBUG_STATE 3u
#define DEBUG_CHECKED 4u
#define DEBUG_CHANGE 8u

#define DEBUG_GRAIN_SHIFT 12u /* records are found by the 4 KiB that they begin in */

/* What a record is found by. */
enum debug_by { DEBUG_BY_BUS, DEBUG_BY_PHYS, DEBUG_INDICES };

/* A record: words, so that it can be read while somebody else writes it. */
struct debug_entry {
	uint64_t word;
	uint64_t bus, phys, size, dev, memory, since, site, serial;
	uint64_t how;		      /* kind, direction, attributes */
	uint64_t sg;		      /* count above, index below */
	uint32_t next;		      /* in the list of free ones: number of the next plus 1 */
	uint32_t cell[DEBUG_INDICES]; /* where it stands; plus 1, 0 for nowhere */
};

/* Cells, in each of which a record's number plus 1 may stand: at or soon behind its home. */
struct debug_index {
	uint32_t *cell;
	uint32_t *reach; /* of each home: so many cells from there on may have records of it */
};

struct pz_dma_debug {
	struct pz_dma_debug_config cfg;
	struct debug_entry *entry;
	struct debug_index index[DEBUG_INDICES];
	uint32_t cells, shift; /* shift: 32 less log2 of the cells */
	uint64_t free;	       /* list: number of the first plus 1, and a count of changes */
	uint32_t free_count, min_free;
	uint32_t told_lost;
	uint64_t longest[DEBUG_INDICES]; /* grains that the longest record ever reached over */
	uint64_t serial, lost, errors;
	uint64_t found[PZ_DMA_MISUSES];
};

/* A record as it was when somebody looked. */
struct debug_seen {
	struct debug_entry *entry;
	uint64_t word;
	struct pz_dma_record r;
};

/* Records that begin in some grains. */
struct debug_walk {
	const struct pz_dma_debug *d;
	enum debug_by by;
	uint64_t first, grain; /* from @grain down to @first */
	uint32_t at, end;      /* cells of the home; with @all, records */
	bool all;	       /* one after the other, for the grains are more than the records */
	bool done;
};

/* Keep a record as it is: false when there is no room. */
bool pz_dma_debug_keep(struct pz_dma_debug *d, const struct pz_dma_record *r);
/* Record what was made: false when there is no room. */
bool pz_dma_debug_record(struct pz_dma_debug *d, const struct pz_dma_use *u);
/* Take a record out if it still is what was seen. */
bool pz_dma_debug_claim(struct pz_dma_debug *d, const struct debug_seen *s);
/* Say that the driver checked it, if it still is what was seen. */
bool pz_dma_debug_mark(struct debug_seen *s);
/* Read a record: false when it is not live. */
bool pz_dma_debug_see(struct debug_entry *e, struct debug_seen *s);

/* Records that begin in [@first, @last], bus or physical addresses, or that reach there. */
void pz_dma_debug_walk(struct debug_walk *w, const struct pz_dma_debug *d, enum debug_by by,
		       uint64_t first, uint64_t last, bool reaching);
bool pz_dma_debug_step(struct debug_walk *w, struct debug_seen *s);

/* Whether two mappings that share a cache line are a misuse where this is one of them. */
bool pz_dma_debug_tracked(const struct pz_dma_use *u);

/* Tell a finding; @m may be NULL. */
void pz_dma_debug_tell(struct pz_dma_debug *d, enum pz_dma_misuse what, const struct pz_dma_use *u,
		       const struct pz_dma_record *m, uint64_t count, uint64_t limit);

#endif
