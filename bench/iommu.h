/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.h - what the benchmarks of an IOMMU's tables share: a machine, providers, contenders, and
 * the calls that are timed.
 */
#ifndef PHYSZONE_BENCH_IOMMU_H
#define PHYSZONE_BENCH_IOMMU_H

#include <physzone/v7s.h>

#include "harness.h"
#include "plain_tables.h"
#include "slab_machine.h"

#define IOMMU_MEG ((uint64_t)1 << 20)
#define IOMMU_GIG ((uint64_t)1 << 30)

enum iommu_provider {
	IOMMU_SLAB,
	IOMMU_PAGES,
	IOMMU_FRAG,
	IOMMU_FRAG_REUSE,
	IOMMU_POOL,
	IOMMU_DMA_POOL,
	IOMMU_PROVIDERS
};

struct iommu_machine {
	struct slab_machine m;
	struct pz_kmem_cache *plain; /* of the peer's second levels */
	struct pz_table_source *source[IOMMU_PROVIDERS];
	struct pz_dma *dma;
	struct pz_dma_dev *near, *far; /* walkers: one that is coherent, one that is not */
	uint64_t cleaned, lines;       /* what the hook of @far was asked for, by one thread */
};

extern struct iommu_machine iommu;
extern const char *const iommu_names[IOMMU_PROVIDERS + 1];

void iommu_need(bool ok, const char *what);
void iommu_open(void);
void iommu_close(void);
/* Bytes that a provider holds, pages and what it notes; what holds no table goes back before. */
uint64_t iommu_held(enum iommu_provider p);

/* Tables of one or the other kind. */
struct iommu_set {
	struct pz_v7s *t; /* NULL: plain */
	struct plain_tables plain;
	/* What the IOMMU's cache is to forget, gathered as a driver does, each thread its own. */
	struct iommu_gather {
		uint64_t first, last;
	} __attribute__((aligned(128))) gather[BENCH_THREADS];
};

enum iommu_walk { IOMMU_COHERENT, IOMMU_NOT_COHERENT };

void iommu_set_open(struct iommu_set *s, enum iommu_provider p, uint32_t quirks,
		    enum iommu_walk walk);
void iommu_set_plain(struct iommu_set *s, bool give_back);
void iommu_set_close(struct iommu_set *s);

/*
 * Calls, one after the other: @outer times @inner of them, @step and @inner_step apart. Each thread
 * begins at a place of its own.
 */
struct iommu_calls {
	const char *what;
	uint32_t page;	/* 0: as large as fit */
	uint64_t bytes; /* of a call */
	uint64_t outer, step, inner, inner_step;
	uint32_t ops; /* of a call: pages, where a page's time is what is wanted */
};

struct iommu_work {
	struct iommu_set *set;
	const struct iommu_calls *calls;
	uint64_t first[BENCH_THREADS];
};

/* All calls as maps, then all as unmaps: a lap each. */
uint64_t iommu_sweep(struct bench_arg *arg);
/* Each call as a map, and as an unmap at once. */
uint64_t iommu_pairs(struct bench_arg *arg);
/* Sections mapped; of each the second page unmapped, which is the lap; the rest too. */
uint64_t iommu_splits(struct bench_arg *arg);

/* iommu_rows.c */
void iommu_sizes(void);
void iommu_lookups(void);
void iommu_threads(void);
void iommu_providers(void);
void iommu_walker(void);
void iommu_memory(void);

#endif
