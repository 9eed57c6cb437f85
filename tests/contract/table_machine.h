/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_machine.h - a small machine for translation tables: memory on both sides of 4 GiB, every
 * provider of the library, and walkers that read memory as they see it.
 *
 * Each byte is there twice: as the CPU sees it, and as memory has it. A coherent walker reads the
 * former, another one the latter, which changes only by cache maintenance; each of these is noted.
 */
#ifndef TESTS_CONTRACT_TABLE_MACHINE_H
#define TESTS_CONTRACT_TABLE_MACHINE_H

#include <physzone/v7s.h>
#include <physzone/v7s_walk.h>

#include "page_machine.h"

#define TM_BYTES (2 * PM_MIB)
#define TM_FIRST (4 * PM_GIB - PM_MIB)
#define TM_LAST (TM_FIRST + TM_BYTES - 1)
#define TM_CPUS 2u
#define TM_POINTS 8u
#define TM_PAGES_ALL ((uint32_t)(TM_BYTES >> 12))
#define TM_SYNCS 64u
#define TM_IAS 26u

enum tm_provider {
	TM_PAGES,
	TM_SLAB,
	TM_FRAG,
	TM_FRAG_REUSE,
	TM_POOL,
	TM_POOL_KEEPS,
	TM_DMA,
	TM_PROVIDERS,
};

/* Memory that was made visible to a device. */
struct tm_sync {
	uint64_t addr, bytes;
};

/* Points to itself: must not be moved. */
struct table_machine {
	struct page_machine pm;
	struct pz_fault_point points[TM_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;	/* of providers and tables; fault point 0 */
	unsigned char *raw, *cpu, *ram; /* the two views */
	size_t raw_bytes;
	uint64_t managed;
	struct pz_slabs *slabs;
	struct pz_dma *dma;
	struct pz_dma_dev *dev; /* of the dma_pool provider */
	struct tm_sync sync[TM_SYNCS];
	uint32_t syncs, for_cpu;
	/* Called after each of them; may be NULL. */
	void (*synced)(void *ctx);
	void *synced_ctx;
	uint64_t hoard[TM_PAGES_ALL];
	uint32_t hoarded;
	bool gives; /* who may wait gets some of it */
	uint32_t reclaims;
	struct pz_table_source *source;
	struct pz_v7s *t;
	struct pz_v7s_config vc; /* may be changed before tm_tables() */
};

bool tm_make(struct table_machine *m, struct tap *t);
/* Everything came back; give all back. */
void tm_close(struct table_machine *m);

/* A walker, as a device: of so many bits, at bus addresses that are @offset off physical ones. */
struct pz_dma_dev *tm_walker(struct table_machine *m, unsigned int bits, bool coherent,
			     uint64_t offset);

const char *tm_name(enum tm_provider p);
/* What providers are made from; the limits are the caller's. */
void tm_config(const struct table_machine *m, struct pz_table_source_config *cfg);
/* Make m->source: 0, or -PZ_E... */
int tm_source(struct table_machine *m, enum tm_provider p, const struct pz_table_source_config *cfg,
	      const char **why);
/* Bytes of pages that somebody has, but for what is known of slabs. */
uint64_t tm_taken(const struct table_machine *m);
/* Give it back: nothing is out or held. */
bool tm_source_gone(struct table_machine *m);

/* Tables of m->vc from m->source. */
int tm_tables(struct table_machine *m);
/* Look at m->t, give it back, and verify that nothing of it is left in m->source. */
bool tm_tables_gone(struct table_machine *m);

/* What a walker of m->t reads: the CPU's view, or memory's. */
void tm_view(struct table_machine *m, bool coherent, struct pz_v7s_view *view);
/* Whether it finds a page at an iova that leads to @phys, or with PZ_ADDR_MAX finds none. */
bool tm_leads(struct table_machine *m, bool coherent, uint64_t iova, uint64_t phys);

/* Take all memory, and give it back. */
void tm_drain(struct table_machine *m);
void tm_refill(struct table_machine *m);

#endif
