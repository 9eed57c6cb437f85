/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_way.h - the ways to allocate second-level tables that are weighed against each other: each
 * takes and gives back tables of 1 KiB, aligned to their size, within the limits of a bed.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLE_WAY_H
#define PHYSZONE_CMD_COMPARE_TABLE_WAY_H

#include "table_bed.h"

#define TABLE_SHIFT 10u
#define TABLE_BYTES (UINT32_C(1) << TABLE_SHIFT)

enum table_way_id {
	TABLE_KMEM_CACHE,
	TABLE_POOL_FULL,  /* gen_pool, all that may ever be needed from the start */
	TABLE_POOL_GROWS, /* chunks come in atomic context and go when they are empty */
	TABLE_POOL_LINUX, /* adding a chunk sleeps, and none goes */
	TABLE_FRAG,
	TABLE_FRAG_REUSE,
	TABLE_PAGE,
	TABLE_KMALLOC,
	TABLE_DMA_POOL,
	TABLE_WAYS,
};

/* A way in use. */
struct table_use {
	const struct table_way *way;
	struct table_bed *bed;
	bool debug; /* with the debug options that the way has */
	struct pz_meta meta;
	uint64_t meta_bytes, meta_most; /* metadata that is not in the bed's pages */
	void *own;
};

struct table_way {
	const char *name;
	/* How it is set up, in words; to be freed. */
	char *(*how)(const struct table_use *u);
	/* 0, or -PZ_E...; close() in both cases. */
	int (*open)(struct table_use *u);
	int (*take)(struct table_use *u, bool atomic, uint64_t *addr);
	void (*give)(struct table_use *u, uint64_t addr);
	/* Before each event of the stream; NULL for nothing to do. */
	void (*tick)(struct table_use *u, bool may_wait);
	/* Give back what is kept for later; NULL where nothing is that could go. */
	void (*shrink)(struct table_use *u);
	/* The number of the first invariant that does not hold, 0 for none. */
	int (*check)(const struct table_use *u);
	/* 0, or -PZ_E... when something is still out. */
	int (*close)(struct table_use *u);
};

const struct table_way *table_way(enum table_way_id id);

/* Set a way up on a bed. Returns 0, or -PZ_E...; table_use_close() when it is 0. */
int table_use_open(struct table_use *u, const struct table_way *way, struct table_bed *bed,
		   bool debug);

/* Give everything back. Returns 0, or -PZ_E... when something was still out. */
int table_use_close(struct table_use *u);

/* Shared by the ways. */
static inline uint32_t table_gfp(bool atomic)
{
	return atomic ? PZ_GFP_HIGH : PZ_GFP_BLOCK;
}

extern const struct table_way table_way_kmem_cache, table_way_kmalloc;
extern const struct table_way table_way_pool_full, table_way_pool_grows, table_way_pool_linux;

#endif
