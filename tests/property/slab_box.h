/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_box.h - a small machine of two nodes with memory behind it, and object caches on it.
 */
#ifndef TESTS_PROPERTY_SLAB_BOX_H
#define TESTS_PROPERTY_SLAB_BOX_H

#include "hook.h"

#include <physzone/kmalloc.h>

#include <stdalign.h>

#define SB_MIB ((uint64_t)1 << 20)
#define SB_FIRST (15 * SB_MIB) /* physical; 1 MiB of it is below 16 MiB */
#define SB_BYTES (5 * SB_MIB)
#define SB_HOLE (17 * SB_MIB) /* 1 MiB of no memory; node 1 lies above */
#define SB_CPUS 3u
#define SB_CACHES 24u
#define SB_POINTS 64u
#define SB_FOUND 16u

struct slab_box {
	struct hook hook;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_bugs bugs;
	struct pz_pages *pages;
	struct pz_slabs_config cfg;
	struct pz_slabs *s;
	uint64_t total;
	uint32_t findings; /* since it was set to 0 */
	struct pz_slab_finding found[SB_FOUND];
};

static alignas(1 << 22) unsigned char sb_memory[SB_BYTES];
static const int32_t sb_cpu_nid[SB_CPUS] = { 0, 1, 1 };

static inline void sb_tell(void *ctx, const struct pz_slab_finding *f)
{
	struct slab_box *b = (struct slab_box *)ctx;
	uint32_t i = __atomic_fetch_add(&b->findings, 1, __ATOMIC_RELAXED);

	if (i < SB_FOUND)
		b->found[i] = *f;
}

/* No CPU is ever at work when a single thread asks. */
static inline void sb_each_cpu(void *ctx, void (*fn)(void *arg, uint32_t cpu), void *arg)
{
	(void)ctx;
	for (uint32_t i = 0; i < SB_CPUS; i++)
		fn(arg, i);
}

/* All but the caches. The configuration is filled in and may be changed. */
static inline bool sb_lay_out(struct slab_box *b, struct pz_faults *faults)
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
	zc.max_pfn[PZ_ZONE_DMA] = 16 * SB_MIB >> 12;
	zc.max_pfn[PZ_ZONE_NORMAL] = (uint64_t)1 << 30;
	ret = pz_memblock_init(&b->mb, &b->hook.meta, 12);
	ret |= pz_memblock_add(&b->mb, SB_FIRST, SB_HOLE - SB_FIRST, 0, 0);
	ret |= pz_memblock_add(&b->mb, SB_HOLE + SB_MIB, SB_FIRST + SB_BYTES - SB_HOLE - SB_MIB, 1,
			       0);
	ret |= pz_zones_build(&b->zones, &b->hook.meta, &b->mb, &zc);
	ret |= pz_zones_set_managed(&b->zones, &b->mb, UINT64_MAX);
	pc.meta = &b->hook.meta;
	pc.zones = &b->zones;
	pc.memblock = &b->mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = SB_CPUS;
	pc.cpu_nid = sb_cpu_nid;
	pc.keep_pages = UINT64_MAX;
	pc.bugs = &b->bugs;
	pc.faults = faults;
	ret |= pz_pages_create(&b->pages, &pc);
	if (ret)
		return false;
	b->total = pz_page_free_count(b->pages, UINT32_MAX);
	b->cfg.pages = b->pages;
	b->cfg.zones = &b->zones;
	b->cfg.meta = &b->hook.meta;
	b->cfg.mapped.first = SB_FIRST;
	b->cfg.mapped.last = SB_FIRST + SB_BYTES - 1;
	b->cfg.virt = sb_memory;
	b->cfg.page_shift = 12;
	b->cfg.cpus = SB_CPUS;
	b->cfg.cpu_nid = sb_cpu_nid;
	b->cfg.max_caches = SB_CACHES;
	b->cfg.seed = 0x1234567890abcdefu;
	b->cfg.bugs = &b->bugs;
	b->cfg.faults = faults;
	b->cfg.hooks.found = sb_tell;
	b->cfg.hooks.ctx = b;
	return true;
}

static inline bool sb_start(struct slab_box *b, struct pz_faults *faults)
{
	return sb_lay_out(b, faults) && pz_slabs_create(&b->s, &b->cfg) == 0;
}

static inline uint64_t sb_used(const struct slab_box *b)
{
	return b->total - pz_page_free_count(b->pages, UINT32_MAX);
}

/* Give everything back that is not the caches'; whether all came back. */
static inline bool sb_stop(struct slab_box *b)
{
	bool ok = pz_pages_check(b->pages) == 0 && sb_used(b) == 0;

	pz_pages_destroy(b->pages);
	pz_zones_destroy(&b->zones);
	pz_memblock_destroy(&b->mb);
	return ok && b->hook.live == 0 && !b->hook.bad_free;
}

#endif
