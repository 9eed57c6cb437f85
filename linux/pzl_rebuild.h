/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_rebuild.h - where the free blocks of a reported zone go.
 */
#ifndef PHYSZONE_LINUX_REBUILD_INTERNAL_H
#define PHYSZONE_LINUX_REBUILD_INTERNAL_H

#include <physzone/linux/rebuild.h>

#include "../src/base/meta.h"

/* A free block, or a pageblock with its mobility. */
struct rebuild_block {
	uint64_t pfn;
	uint8_t order;
	uint8_t type; /* enum pz_mobility */
};

struct rebuild_list {
	struct rebuild_block *v;
	uint32_t count;
	struct pz_array array;
};

#define REBUILD_CLASSES 6u /* mobilities up to PZ_CMA, and pageblocks without one yet */
#define REBUILD_NONE UINT32_MAX

/* A place where a block may go; in a list of places that are alike. */
struct rebuild_site {
	uint64_t pfn;
	uint32_t next;
};

/* Blocks of the largest order that were not looked at yet, [pfn, end). */
struct rebuild_body {
	uint64_t pfn, end;
};

/* The placing of one zone. */
struct rebuild_place {
	const struct pz_meta *meta;
	const struct pzl_rebuild_zone *zone;
	const struct pz_range *pfns; /* its present pages */
	uint32_t pfns_count;
	uint32_t block_order, top;  /* of a pageblock; of the largest block */
	uint8_t usual;		    /* mobility of a pageblock that nobody chose */
	struct rebuild_list blocks; /* free blocks; ascending in the end */
	struct rebuild_list marked; /* pageblocks of another mobility; the same */
	struct rebuild_site *site;
	uint32_t sites, unused;
	struct pz_array site_array;
	struct rebuild_body *body;
	uint32_t bodies;
	/* by order, class, and whether the other half is a free block of that order already */
	uint32_t head[PZ_PAGE_ORDERS][REBUILD_CLASSES][2];
};

/*
 * Place the free blocks of a zone. 0, -PZ_ENOMEM, or -PZ_ENOSPC when they do not fit. The lists
 * are given back by rebuild_place_end() in any case.
 */
int pzl_rebuild_place(struct rebuild_place *p);
void pzl_rebuild_place_end(struct rebuild_place *p);

/* Add to a list: 0 or -PZ_ENOMEM. */
int pzl_rebuild_push(const struct pz_meta *meta, struct rebuild_list *l, uint64_t pfn,
		     unsigned int order, unsigned int type);

#endif
