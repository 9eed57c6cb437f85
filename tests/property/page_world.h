/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_world.h - a drawn machine with a page allocator, and what an oracle knows of each page.
 *
 * The oracle keeps one entry for each page of a small window of addresses and searches it page by
 * page. It knows nothing of how the allocator works: only what include/physzone/page.h and contig.h
 * promise. Where a promise leaves a choice there are two answers, what must be served and what may
 * be: a refusal is wrong when something must be served, a grant is wrong when it may not be.
 */
#ifndef TESTS_PROPERTY_PAGE_WORLD_H
#define TESTS_PROPERTY_PAGE_WORLD_H

#include <physzone/contig.h>
#include <physzone/page.h>

#include "hook.h"
#include "prop.h"

#define W_NODES 4u
#define W_AREAS (W_NODES * PZ_ZONE_TYPES)
#define W_MAX_PAGES 65536u
#define W_CPUS 4u
#define W_LATER 4u /* reserved pieces that are added while running */
#define W_CMAS 3u
#define W_OWNERS 3u
#define W_USED 0x5au /* what users write to their pages */

enum w_state { W_NONE, W_FREE, W_HEAD, W_TAIL };
enum w_kind { W_PLAIN, W_CMA, W_ZONE_MOVABLE };

struct w_page {
	uint8_t state; /* enum w_state */
	uint8_t nid;
	uint8_t area;	     /* index among pz_page_areas(), 0xff for no memory */
	uint8_t zone;	     /* enum pz_zone_type */
	uint8_t kind;	     /* enum w_kind */
	uint8_t owner;	     /* of the block, at its head */
	uint8_t byte;	     /* content */
	bool taken;	     /* head of a run that pz_cma_alloc() gave */
	uint32_t len;	     /* at a head: pages of the block */
	uint32_t live;	     /* at a head: index in the list of blocks */
	uint64_t alloc_site; /* at a head */
};

/* How an owner answers. */
enum w_mode { W_YES, W_NO, W_LATER_ON, W_AT_RANDOM };

struct world;

struct w_owner {
	struct world *w;
	uint8_t id;
	enum w_mode mode;
};

struct w_cma {
	struct pz_cma_reserved place;
	uint32_t first, pages; /* in the window */
	bool active;
	uint32_t id;
	uint64_t allocs, fails, moved;
};

/* Contiguous areas and owners, for properties that want them (page_contig.c). */
struct w_contig {
	bool (*reserve)(struct world *w); /* areas, before the allocator is made */
	bool (*owners)(struct world *w);  /* afterwards */
	bool (*release)(struct world *w, uint32_t cpu, uint32_t area, uint64_t pfn, uint64_t pages);
};

/* What a property wants of the machine. */
struct w_options {
	const struct w_contig *contig; /* or NULL for neither owners nor areas */
	bool one_node;
	bool no_debug;
	bool no_hold;
	uint32_t max_pages; /* 0 for a drawn size */
	struct pz_faults *faults;
	uint64_t keep_pages;
};

struct world {
	struct prop *p;
	const struct w_contig *contig;
	struct hook meta, zeroed;
	struct pz_memblock mb;
	struct pz_zones z;
	bool has_mb, has_zones;
	struct pz_bugs bugs;
	struct pz_page_config cfg;
	struct pz_pages *pages;
	unsigned int shift;
	uint64_t base;	/* first page frame of the window */
	uint32_t n;	/* pages of the window */
	uint32_t block; /* pages of a pageblock */
	struct w_page *page;
	uint32_t *block_at; /* live blocks: their heads, in the window */
	uint32_t blocks;
	uint32_t nodes; /* node ids are 0 to nodes - 1 */
	int32_t cpu_nid[W_CPUS];
	uint32_t areas;
	int32_t area_nid[W_AREAS];
	uint8_t area_type[W_AREAS];
	uint64_t free, managed; /* pages */
	uint64_t area_free[W_AREAS];
	struct {
		uint32_t first, pages;
		bool added;
	} later[W_LATER];
	uint32_t laters;
	struct w_cma cma[W_CMAS];
	uint32_t cmas;
	struct w_owner owner[W_OWNERS];
	uint32_t owners;
	uint32_t big_owned; /* owned blocks that are no single page */
	/* during one call of the allocator */
	uint64_t moved, refused, freed_inside;
	struct pz_range evacuating; /* where pages must not be moved to, when it is valid */
	bool wrong;		    /* a hook saw something that must not be */
	uint64_t site;		    /* what the site hook says */
	uint64_t ops, bugs_expected;
	uint64_t failed_before; /* failures injected before this operation */
};

/* A request as the oracle sees it. */
struct w_req {
	uint64_t pages;
	struct pz_limits limits;
	uint32_t gfp, cpu;
	int32_t nid;
	uint8_t highest;
};

/* Draw a machine and make its allocator; false when something failed (noted). */
bool world_open(struct world *w, struct prop *p, const struct w_options *opt);
void world_close(struct world *w);

/* Draw what to ask for. */
void world_draw_limits(struct world *w, struct pz_limits *l);
void world_draw_req(struct world *w, struct w_req *r);

/* The whole state against the allocator's: every page, every count, the invariants. */
bool world_compare(struct world *w);

/* The invariants alone. */
bool world_sound(struct world *w);

/* Whether a run of the window may, or must, be given for a request, and whether any exists. */
bool world_may_take(const struct world *w, const struct w_req *r, uint64_t at);
bool world_must_fit(const struct world *w, const struct w_req *r, uint64_t *at);
bool world_fits_on(const struct world *w, const struct w_req *r, int nid, uint64_t *at);
bool world_must_ever(const struct world *w, const struct w_req *r);
bool world_may_ever(const struct world *w, const struct w_req *r);
/* Whether moving pages would make room within [first, last] of the window. */
bool world_must_evacuate(const struct world *w, const struct w_req *r, uint32_t first,
			 uint32_t last, enum w_kind within);

/* Note in the model what was given or freed. */
void world_take(struct world *w, uint32_t at, uint32_t pages, uint8_t owner);
void world_drop(struct world *w, uint32_t at);
/* Make one block into two. */
void world_cut(struct world *w, uint32_t at, uint32_t keep);
void world_make_free(struct world *w, uint32_t at, uint32_t pages);

/* Order of nodes from the one that a request prefers; returns how many. */
uint32_t world_node_order(const struct world *w, const struct w_req *r, int32_t *order);

/* Answers of the owners' hooks. */
enum pz_migrate world_migrate(void *ctx, uint64_t from, uint64_t to, unsigned int order);

/* Failures injected so far, and whether any was during this operation. */
uint64_t world_failures(const struct world *w);
bool world_faulted(const struct world *w);

/* Compare an answer with the oracle, and note it; false when it is wrong. */
bool world_judge(struct world *w, const struct w_req *r, int rc, uint64_t pfn);

#endif
