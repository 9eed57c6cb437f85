/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux_dma.c - small machines with a Linux kernel's DMA layer, for the contract suites.
 */
#include "linux_dma.h"

#define LD_AREA_BYTES (16 * PM_MIB)

static void ld_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static void ld_emit(void *ctx, const char *line, size_t len)
{
	struct ld_box *b = ctx;

	for (size_t i = 0; i <= len && b->lines_len < sizeof(b->lines); i++)
		b->lines[b->lines_len++] = i < len ? line[i] : '\n';
}

/* Another view of memory: room for small buffers only. */
static void *ld_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	struct ld_box *b = ctx;

	(void)phys;
	(void)attrs;
	(void)cached;
	if (b->fail_remap || bytes > sizeof(b->view))
		return NULL;
	b->remaps++;
	return b->view;
}

static void ld_unmap(void *ctx, void *p, uint64_t bytes)
{
	struct ld_box *b = ctx;

	(void)p;
	(void)bytes;
	b->unmaps++;
}

static int ld_share(void *ctx, uint64_t phys, uint64_t bytes, bool shared)
{
	struct ld_box *b = ctx;

	(void)phys;
	(void)bytes;
	if (shared)
		b->shares++;
	else
		b->unshares++;
	return shared ? -b->fail_share : -b->fail_unshare;
}

static void ld_work(void *ctx)
{
	struct ld_box *b = ctx;

	b->works++;
}

static bool ld_machine(struct ld_box *b, struct tap *t, enum ld_memory where)
{
	static const struct pm_region pc[] = { { 0, 128 * PM_MIB, 0, false } };
	static const struct pm_region capture[] = { { 0, 16 * PM_MIB, 0, false },
						    { PM_GIB, 112 * PM_MIB, 0, false },
						    { 0, 16 * PM_MIB, 0, true } };
	static const struct pm_region high[] = { { 4 * PM_GIB, 64 * PM_MIB, 0, false } };
	static const struct pm_region large[] = { { 0, 64 * PM_MIB, 0, false },
						  { 3 * PM_GIB - 64 * PM_MIB, 64 * PM_MIB, 0,
						    false },
						  { 8 * PM_GIB, 64 * PM_MIB, 0, false } };
	static const struct pm_region area[] = { { 0, 128 * PM_MIB, 0, false },
						 { LD_AREA, LD_AREA_BYTES, 0, true } };
	static const struct {
		const struct pm_region *v;
		uint32_t n;
		uint64_t end;
	} machine[] = {
		[LD_PC] = { pc, 1, 128 * PM_MIB },    [LD_CAPTURE] = { capture, 3, 2 * PM_GIB },
		[LD_HIGH] = { high, 1, 5 * PM_GIB },  [LD_LARGE] = { large, 3, 9 * PM_GIB },
		[LD_CMA] = { area, 2, 128 * PM_MIB }, [LD_HIGHMEM] = { area, 2, 128 * PM_MIB },
	};
	struct pz_zone_config zones = pm_pc(machine[where].end);

	if (where == LD_HIGHMEM) {
		zones.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_NORMAL |
				   1u << PZ_ZONE_HIGHMEM | 1u << PZ_ZONE_MOVABLE;
		zones.max_pfn[PZ_ZONE_NORMAL] = LD_LOW_END >> 12;
		zones.max_pfn[PZ_ZONE_HIGHMEM] = machine[where].end >> 12;
	}
	if (!pm_lay_out(&b->m, t, machine[where].v, machine[where].n, &zones))
		return false;
	b->m.cfg.policy = PZ_POLICY_ZONELIST;
	if (!pm_make(&b->m))
		return false;
	b->cfg.boot.configured = zones.configured;
	b->cfg.boot.ram_last = pz_memblock_last(&b->m.mb);
	return true;
}

static bool ld_area(struct ld_box *b)
{
	static const struct pz_cma_reserved area = { "reserved",
						     { LD_AREA, LD_AREA + LD_AREA_BYTES - 1 } };

	if (pz_cma_activate(b->m.pages, &area, &b->cma))
		return false;
	b->cfg.cma = b->cma;
	b->cfg.boot.cma_last = area.range.last;
	return true;
}

void ld_views(struct ld_box *b)
{
	b->cfg.hooks.remap = ld_remap;
}

bool ld_open(struct ld_box *b, struct tap *t, enum pzl_model model, enum ld_memory where)
{
	bool area = where == LD_CMA || where == LD_HIGHMEM;
	uint64_t pages = 0;

	ld_clear(b, sizeof(*b));
	pzl_dma_config_init(&b->cfg, model,
			    area && where == LD_HIGHMEM ? PZL_ARCH_I386 : PZL_ARCH_X86_64);
	if (!CHECK_NAMED(t, ld_machine(b, t, where) && (!area || ld_area(b)), "a machine"))
		return false;
	for (unsigned int z = 0; z < PZ_ZONE_TYPES; z++)
		pages += b->m.z.node[0].zone[z].managed;
	b->cfg.boot.page_shift = 12;
	b->cfg.boot.max_order = 10;
	b->cfg.boot.zone_limit = 16 * PM_MIB - 1;
	b->cfg.boot.totalram_pages = pages;
	b->cfg.boot.managed_dma = pz_zones_any_managed(&b->m.z, PZ_ZONE_DMA);
	b->cfg.pages = b->m.pages;
	b->cfg.meta = t->meta;
	b->cfg.bugs = &b->m.bugs;
	b->cfg.emit = ld_emit;
	b->cfg.emit_ctx = b;
	b->cfg.hooks.share = ld_share;
	b->cfg.hooks.work = ld_work;
	b->cfg.hooks.unmap = ld_unmap;
	b->cfg.hooks.ctx = b;
	pz_dma_dev_init(&b->dev.cfg, "dev", 64);
	b->dev.cfg.driver = "drv";
	return true;
}

void ld_init(struct ld_box *b)
{
	CHECK_NAMED(b->m.t, pzl_dma_init(&b->d, &b->cfg) == 0, "the DMA layer starts");
	b->d.trace = &b->trace;
}

void ld_close(struct ld_box *b)
{
	pzl_dma_destroy(&b->d);
	pm_close(&b->m);
}

int ld_alloc(struct ld_box *b, uint64_t size, uint32_t gfp)
{
	return pzl_dma_alloc(&b->d, &b->dev, size, gfp, 0, &b->buf);
}

void ld_free(struct ld_box *b)
{
	pzl_dma_free(&b->d, &b->dev, &b->buf, false);
}

bool ld_lines(struct ld_box *b, const char *want)
{
	size_t n = 0;

	while (n < b->lines_len && want[n] == b->lines[n])
		n++;
	n = n == b->lines_len && !want[n];
	b->lines_len = 0;
	return n;
}

static int ld_chunk(void *ctx, const struct pz_genpool_info *info)
{
	(void)ctx;
	return info->phys < LD_AREA || info->phys + info->size > LD_AREA + LD_AREA_BYTES;
}

bool ld_in_area(struct ld_box *b, struct pz_genpool *p)
{
	(void)b;
	return p && pz_genpool_for_each_chunk(p, ld_chunk, NULL) == 0;
}
