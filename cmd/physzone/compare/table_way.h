/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_way.h - the ways to allocate second-level tables that are weighed against each other: each
 * takes and gives back tables of 1 KiB, aligned to their size, within the limits of a bed. All but
 * kmalloc are the library's own providers.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLE_WAY_H
#define PHYSZONE_CMD_COMPARE_TABLE_WAY_H

#include <physzone/table_mem.h>

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
	bool debug;	 /* with the debug options that the way has */
	uint32_t tables; /* at once, that it is to be ready for */
	struct pz_meta meta;
	uint64_t meta_bytes, meta_most; /* metadata that is not in the bed's pages */
	struct pz_table_source *source; /* NULL for a way that is no provider of the library */
	struct pz_table_mem mem;	/* what tables are taken from: the source's, or the way's */
	void *own;
};

struct table_way {
	const char *name;
	/* How it is set up, in words; to be freed. */
	char *(*how)(const struct table_use *u);
	/* Make the source, or else fill in mem; 0, or -PZ_E...; close() in both cases. */
	int (*open)(struct table_use *u);
	/* Before each operation of the stream; NULL for nothing to do. */
	void (*tick)(struct table_use *u, bool may_wait);
	bool keeps; /* nothing goes back when it is asked for */
	/* Without a source: give back what is kept for later, and the number of the first invariant
	 * that does not hold. */
	void (*shrink)(struct table_use *u);
	int (*check)(const struct table_use *u);
	/* What the source stands on; 0, or -PZ_E... when something is still out. May be NULL. */
	int (*close)(struct table_use *u);
};

const struct table_way *table_way(enum table_way_id id);

/* Set a way up on a bed. Returns 0, or -PZ_E...; table_use_close() when it is 0. */
int table_use_open(struct table_use *u, const struct table_way *way, struct table_bed *bed,
		   bool debug, uint32_t tables);

/* Give everything back. Returns 0, or -PZ_E... when something was still out. */
int table_use_close(struct table_use *u);

/* A table; returns as pz_table_mem's alloc. */
int table_use_take(struct table_use *u, bool atomic, struct pz_table *t);
void table_use_give(struct table_use *u, const struct pz_table *t);

void table_use_shrink(struct table_use *u);
int table_use_check(const struct table_use *u);

/* Shared by the ways. */
static inline uint32_t table_gfp(bool atomic)
{
	return atomic ? PZ_GFP_HIGH : PZ_GFP_BLOCK;
}

/* A provider on the bed: its limits, and what it counts as metadata. */
void table_use_config(struct table_use *u, struct pz_table_source_config *cfg);

extern const struct table_way table_way_kmem_cache, table_way_kmalloc;
extern const struct table_way table_way_pool_full, table_way_pool_grows, table_way_pool_linux;

#endif
