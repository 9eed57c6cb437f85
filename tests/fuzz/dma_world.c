/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_world.c - the machine of dma_case.c.
 */
#include "dma_world.h"

#include <stdlib.h>
#include <string.h>

const uint64_t dma_part[DMA_PARTS] = { 0x100000, 0xc000000, 0xb0000000, 0x120000000 };
const struct pz_range dma_aside = { 0xc000000, 0xc00ffff };
const struct pz_range dma_aside_own = { 0xb0000000, 0xb0007fff };
struct pz_dma_region dma_own_region = { { 0x170000, 0x17ffff }, NULL };
struct dma_world world;

unsigned char *dma_memory(uint64_t phys, uint64_t bytes)
{
	for (unsigned int i = 0; i < DMA_PARTS; i++)
		if (phys >= dma_part[i] && bytes <= DMA_PART &&
		    phys - dma_part[i] <= DMA_PART - bytes)
			return world.mem[i] + (phys - dma_part[i]);
	return NULL;
}

/* Number of the page of an address. */
static size_t page_of(const unsigned char *p)
{
	return (size_t)(p - world.mem[0]) / DMA_PAGE;
}

bool dma_readable(uint64_t phys, uint64_t bytes)
{
	const unsigned char *p = dma_memory(phys, bytes);

	for (size_t i = page_of(p); world.encrypted && i <= page_of(p + bytes - 1); i++)
		if (!world.shared[i])
			return false;
	return true;
}

static int hook_share(void *ctx, uint64_t phys, uint64_t bytes, bool shared)
{
	const unsigned char *p = dma_memory(phys, bytes);

	(void)ctx;
	if (!p || phys % DMA_PAGE || bytes % DMA_PAGE || !world.may_block)
		abort(); /* no memory, or parts of pages; or no time */
	for (size_t i = page_of(p); i <= page_of(p + bytes - 1); i++) {
		if (world.shared[i] == shared)
			abort(); /* it is so already */
		world.shared[i] = shared;
		world.shared_pages += shared ? 1 : UINT32_MAX;
	}
	return 0;
}

static void *meta_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

const struct pz_meta dma_meta = { meta_alloc, meta_free, NULL };

static void *hook_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	return world.high_unmapped && phys >= dma_part[DMA_PARTS - 1] ? NULL
								      : dma_memory(phys, bytes);
}

static void *hook_window(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	return dma_memory(phys, bytes);
}

static void hook_unwindow(void *ctx, void *p, uint64_t bytes)
{
	(void)ctx;
	(void)p;
	(void)bytes;
}

static void *hook_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	(void)ctx;
	(void)attrs;
	(void)cached;
	if (!world.may_block)
		abort();
	return dma_memory(phys, bytes);
}

static void hook_unmap(void *ctx, void *p, uint64_t bytes)
{
	hook_unwindow(ctx, p, bytes);
	if (!world.may_block)
		abort();
}

static void hook_cache(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	(void)ctx;
	(void)dir;
	if (!dma_memory(phys, bytes))
		abort(); /* caches of nothing */
}

const struct pz_dma_hooks dma_hooks = {
	.direct = hook_direct,
	.window = hook_window,
	.unwindow = hook_unwindow,
	.remap = hook_remap,
	.unmap = hook_unmap,
	.share = hook_share,
	.for_device = hook_cache,
	.for_cpu = hook_cache,
};

const char *dma_world_make(void)
{
	struct pz_cma_req area = { .name = "dma", .size = DMA_AREA_BYTES, .base = DMA_AREA };
	struct pz_cma_reserved reserved;
	struct pz_page_config cfg;
	struct pz_zone_config z;

	if (world.made)
		return NULL;
	memset(&world, 0, sizeof(world));
	memset(&z, 0, sizeof(z));
	memset(&cfg, 0, sizeof(cfg));
	z.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL;
	z.page_shift = 12;
	z.max_order_pages = 1024;
	z.max_pfn[PZ_ZONE_DMA] = 0x1000;
	z.max_pfn[PZ_ZONE_DMA32] = 0x100000;
	z.max_pfn[PZ_ZONE_NORMAL] = (dma_part[DMA_PARTS - 1] + DMA_PART) >> 12;
	MUST(!pz_memblock_init(&world.mb, &dma_meta, 12));
	for (unsigned int i = 0; i < DMA_PARTS; i++)
		MUST(!pz_memblock_add(&world.mb, dma_part[i], DMA_PART, 0, 0));
	MUST(!pz_memblock_reserve(&world.mb, dma_aside.first, dma_aside.last - dma_aside.first + 1,
				  PZ_NID_NONE, 0));
	MUST(!pz_memblock_reserve(&world.mb, dma_aside_own.first,
				  dma_aside_own.last - dma_aside_own.first + 1, PZ_NID_NONE, 0));
	MUST(!pz_memblock_reserve(&world.mb, dma_own_region.phys.first,
				  pz_range_size(dma_own_region.phys), PZ_NID_NONE, 0));
	dma_own_region.cpu_addr = dma_memory(dma_own_region.phys.first, DMA_PAGE);
	area.fixed = true;
	area.nid = PZ_NID_NONE;
	MUST(!pz_cma_reserve(&world.mb, &area, DMA_AREA_BYTES, &reserved));
	MUST(!pz_zones_build(&world.z, &dma_meta, &world.mb, &z));
	MUST(!pz_zones_set_managed(&world.z, &world.mb, UINT64_MAX));
	world.bugs.policy = PZ_BUG_IGNORE;
	cfg.meta = &dma_meta;
	cfg.zones = &world.z;
	cfg.memblock = &world.mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = 2;
	cfg.policy = PZ_POLICY_REACH;
	cfg.pageblock_order = 5;
	cfg.keep_pages = UINT64_MAX;
	cfg.bugs = &world.bugs;
	MUST(!pz_pages_create(&world.pages, &cfg));
	MUST(!pz_cma_activate(world.pages, &reserved, &world.cma));
	world.free = pz_page_free_count(world.pages, UINT32_MAX);
	world.made = true;
	return NULL;
}

void dma_world_drop(void)
{
	if (!world.made)
		return;
	pz_pages_destroy(world.pages);
	pz_zones_destroy(&world.z);
	pz_memblock_destroy(&world.mb);
	world.made = false;
}
