/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_box.h - a small machine with memory behind it, and a DMA layer on it.
 */
#ifndef TESTS_PROPERTY_DMA_BOX_H
#define TESTS_PROPERTY_DMA_BOX_H

#include "hook.h"

#include <physzone/dma.h>

#include <stdalign.h>

#define DB_MIB ((uint64_t)1 << 20)
#define DB_FIRST (14 * DB_MIB)
#define DB_BYTES (4 * DB_MIB)
#define DB_CPUS 3u

struct dma_box {
	struct hook hook;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_bugs bugs;
	struct pz_pages *pages;
	struct pz_dma_config cfg;
	struct pz_dma *dma;
	uint64_t total;
};

static alignas(1 << 20) unsigned char db_memory[DB_BYTES];

static inline void *db_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	return phys >= DB_FIRST && phys + bytes <= DB_FIRST + DB_BYTES
		       ? db_memory + (phys - DB_FIRST)
		       : NULL;
}

static inline bool db_start(struct dma_box *b, struct pz_faults *faults)
{
	struct pz_zone_config zc;
	struct pz_page_config pc;
	int ret;

	memset(b, 0, sizeof(*b));
	memset(&zc, 0, sizeof(zc));
	memset(&pc, 0, sizeof(pc));
	hook_init(&b->hook);
	b->bugs.policy = PZ_BUG_IGNORE;
	zc.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_NORMAL;
	zc.page_shift = 12;
	zc.max_order_pages = 1024;
	zc.max_pfn[PZ_ZONE_DMA] = 16 * DB_MIB >> 12;
	zc.max_pfn[PZ_ZONE_NORMAL] = (uint64_t)1 << 30;
	ret = pz_memblock_init(&b->mb, &b->hook.meta, 12);
	ret |= pz_memblock_add(&b->mb, DB_FIRST, DB_BYTES, 0, 0);
	ret |= pz_zones_build(&b->zones, &b->hook.meta, &b->mb, &zc);
	ret |= pz_zones_set_managed(&b->zones, &b->mb, UINT64_MAX);
	pc.meta = &b->hook.meta;
	pc.zones = &b->zones;
	pc.memblock = &b->mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = DB_CPUS;
	pc.keep_pages = UINT64_MAX;
	pc.bugs = &b->bugs;
	pc.faults = faults;
	ret |= pz_pages_create(&b->pages, &pc);
	if (ret)
		return false;
	b->total = pz_page_free_count(b->pages, UINT32_MAX);
	b->cfg.pages = b->pages;
	b->cfg.meta = &b->hook.meta;
	b->cfg.bugs = &b->bugs;
	b->cfg.cpus = DB_CPUS;
	b->cfg.cma = PZ_DMA_NO_CMA;
	b->cfg.pool_bytes = UINT64_MAX;
	b->cfg.hooks.direct = db_direct;
	return pz_dma_create(&b->dma, &b->cfg) == 0;
}

/* Give everything back; whether all came back. */
static inline bool db_stop(struct dma_box *b)
{
	bool ok = pz_dma_destroy(b->dma) == 0 && pz_pages_check(b->pages) == 0 &&
		  pz_page_free_count(b->pages, UINT32_MAX) == b->total;

	pz_pages_destroy(b->pages);
	pz_zones_destroy(&b->zones);
	pz_memblock_destroy(&b->mb);
	return ok && b->hook.live == 0 && !b->hook.bad_free;
}

#endif
