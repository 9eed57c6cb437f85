/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_dma.c - Linux's DMA layer by known examples: pools and their sizes, masks, the
 * three tries, contiguous areas, high memory.
 */
#include <physzone/linux/dma.h>

#include "linux_dma.h"
#include "suites_decl.h"

/* RAM, what is asked for and what is had, KiB: docs/facts/dma.md section 5. */
static void dma_pool_sizes(struct tap *t)
{
	static const struct {
		uint64_t ram_mib, asked, got;
	} row[] = {
		{ 64, 128, 128 },      { 1024, 128, 128 },    { 2048, 256, 256 },
		{ 3000, 372, 512 },    { 8192, 1024, 1024 },  { 16384, 2048, 2048 },
		{ 32768, 4096, 4096 }, { 65536, 4096, 4096 },
	};
	struct ld_box b;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
			return;
		b.cfg.boot.totalram_pages = row[i].ram_mib << 8;
		ld_init(&b);
		CHECK(t, b.d.pool_bytes == row[i].asked * PM_KIB && !b.d.incomplete);
		for (unsigned int p = 0; p < PZL_DMA_POOLS; p++)
			CHECK(t,
			      pzl_dma_pool_size(&b.d, (enum pzl_dma_pool)p) == row[i].got * PM_KIB);
		ld_close(&b);
	}
}

static void dma_pool_lines(struct tap *t)
{
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	ld_init(&b);
	CHECK(t, ld_lines(&b, "DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations\n"
			      "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA pool for atomic "
			      "allocations\n"
			      "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic "
			      "allocations\n"));
	ld_close(&b);

	/* coherent_pool=0 is no word; 48 KiB becomes 64, 16 MiB becomes the largest block. */
	static const uint64_t given[] = { 0, 48 * PM_KIB, 16 * PM_MIB };
	static const uint64_t got[] = { 128 * PM_KIB, 64 * PM_KIB, 4 * PM_MIB };

	for (unsigned int i = 0; i < 3; i++) {
		if (!ld_open(&b, t, PZL_LINUX_6_12, LD_PC))
			return;
		b.cfg.args.coherent_pool = given[i];
		ld_init(&b);
		CHECK(t, pzl_dma_pool_size(&b.d, PZL_DMA_POOL_DMA32) == got[i]);
		ld_close(&b);
	}
}

/* What coherent_pool= means: to kernels, by their documentation, as a patch proposed. */
static void dma_pool_rules(struct tap *t)
{
	static const struct {
		enum pzl_pool_rules rules;
		bool given;
		uint64_t bytes, got;
	} row[] = {
		{ PZL_POOL_KERNEL, false, 0, 128 * PM_KIB },
		{ PZL_POOL_KERNEL, true, 0, 128 * PM_KIB },
		{ PZL_POOL_DOCUMENTED, false, 0, 256 * PM_KIB },
		{ PZL_POOL_DOCUMENTED, true, 0, 0 },
		{ PZL_POOL_DOCUMENTED, true, 64 * PM_KIB, 64 * PM_KIB },
		{ PZL_POOL_PROPOSED, false, 0, 128 * PM_KIB },
		{ PZL_POOL_PROPOSED, true, 0, 0 },
	};
	struct ld_box b;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
			return;
		b.cfg.boot.pool_rules = row[i].rules;
		b.cfg.args.coherent_pool_set = row[i].given;
		b.cfg.args.coherent_pool = row[i].bytes;
		ld_init(&b);
		for (unsigned int p = 0; p < PZL_DMA_POOLS; p++)
			CHECK(t, pzl_dma_pool_size(&b.d, (enum pzl_dma_pool)p) == row[i].got);
		CHECK(t, !b.d.incomplete && (b.lines_len != 0) == (row[i].got != 0));
		/* Without pools whoever needs one is told so, and gets nothing. */
		b.dev.cfg.shared = true;
		b.lines_len = 0;
		CHECK(t, (ld_alloc(&b, 4096, 0) == 0) == (row[i].got != 0));
		if (row[i].got)
			ld_free(&b);
		else
			CHECK(t, ld_lines(&b, "Failed to get suitable pool for dev\n"));
		ld_close(&b);
	}
}

/* A capture kernel: nothing managed in ZONE_DMA (threads 000 and 001). */
static void dma_capture(struct tap *t)
{
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_5_15, LD_CAPTURE))
		return;
	ld_init(&b);
	CHECK(t, b.d.incomplete && !b.d.pool[PZL_DMA_POOL_DMA] && b.d.pool[PZL_DMA_POOL_DMA32]);
	CHECK(t, ld_lines(&b, "DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations\n"
			      "DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA pool for atomic "
			      "allocation\n"
			      "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic "
			      "allocations\n"));
	ld_close(&b);

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_CAPTURE))
		return;
	ld_init(&b);
	CHECK(t, !b.d.incomplete && !b.d.pool[PZL_DMA_POOL_DMA]);
	/* The mask of a 24-bit device is accepted, and then it gets nothing, without a word. */
	b.lines_len = 0;
	CHECK(t, pzl_dma_set_masks(&b.d, &b.dev, 0xffffff) == 0);
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM && b.lines_len == 0);
	CHECK(t, b.trace.n == 1 && b.trace.step[0].came == PZL_DMA_NOTHING &&
			 (b.trace.step[0].gfp & PZL_GFP_DMA));
	/* One of 28 bits gets a page that lies too high, gives it back, and then nothing. */
	CHECK(t, pzl_dma_set_masks(&b.d, &b.dev, 0xfffffff) == 0);
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM && b.lines_len == 0);
	CHECK(t, b.trace.n == 2 && b.trace.step[0].came == PZL_DMA_BEYOND &&
			 b.trace.step[0].phys >= 256 * PM_MIB &&
			 b.trace.step[1].came == PZL_DMA_NOTHING);
	ld_close(&b);

	/* All memory above 4 GiB: the pool in ZONE_DMA32 is asked for blindly. */
	if (!ld_open(&b, t, PZL_LINUX_6_12, LD_HIGH))
		return;
	ld_init(&b);
	CHECK(t, b.d.incomplete && b.d.pool[PZL_DMA_POOL_KERNEL] && !b.d.pool[PZL_DMA_POOL_DMA32]);
	CHECK(t,
	      ld_lines(&b, "DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations\n"
			   "DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA32 pool for atomic "
			   "allocation\n"));
	CHECK(t, pzl_dma_set_masks(&b.d, &b.dev, 0xffffffff) == 0);
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	ld_close(&b);
}

/* No block of the order: smaller ones, down to a page. */
static void dma_pool_smaller(struct tap *t)
{
	struct ld_box b;
	uint64_t freed = 0;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	pm_fill(&b.m, 0);
	for (uint64_t pfn = 0x1000; pfn < 0x1010; pfn += 4) {
		pz_free_pages(b.m.pages, 0, pfn, 0);
		pz_free_pages(b.m.pages, 0, pfn + 1, 0);
		freed += 2;
	}
	ld_init(&b);
	/* The kernel's has two pages, the one in ZONE_DMA nothing, the third two more. */
	CHECK(t, pzl_dma_pool_size(&b.d, PZL_DMA_POOL_KERNEL) == 8 * PM_KIB);
	CHECK(t, b.d.incomplete && !b.d.pool[PZL_DMA_POOL_DMA]);
	CHECK(t, pzl_dma_pool_size(&b.d, PZL_DMA_POOL_DMA32) == 8 * PM_KIB);
	CHECK(t, pm_free(&b.m) == freed - 4);
	/* What is printed is what was had, and what was asked for. */
	CHECK(t, ld_lines(&b, "DMA: preallocated 8 KiB GFP_KERNEL pool for atomic allocations\n"
			      "DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA pool for atomic "
			      "allocation\n"
			      "DMA: preallocated 8 KiB GFP_KERNEL|GFP_DMA32 pool for atomic "
			      "allocations\n"));
	ld_close(&b);
}

static void dma_masks(struct tap *t)
{
	static const struct pz_window shifted[] = {
		{ { 0x40000000, 0x7fffffff }, 0 }, /* memory from 1 GiB on, seen from 0 on */
		{ { 0x10000000, 0x1fffffff }, 0x80000000 },
	};
	struct pzl_direct plan;
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_HIGH))
		return;
	ld_init(&b);
	/* As the kernel was built, not as memory lies: 24 bits do, 23 do not, 32 always. */
	CHECK(t, pzl_dma_supported(&b.d, &b.dev, 0xffffff));
	CHECK(t, !pzl_dma_supported(&b.d, &b.dev, 0x7fffff));
	CHECK(t, pzl_dma_supported(&b.d, &b.dev, 0xffffffff));
	CHECK(t, pzl_dma_set_masks(&b.d, &b.dev, 0x7fffff) == -PZ_ERANGE &&
			 b.dev.cfg.mask == UINT64_MAX);
	b.dev.no_mask = true;
	CHECK(t, pzl_dma_set_mask(&b.d, &b.dev, UINT64_MAX) == -PZ_ERANGE);
	CHECK(t, pzl_dma_set_coherent_mask(&b.d, &b.dev, 0xffffff) == 0 &&
			 b.dev.cfg.coherent_mask == 0xffffff);
	CHECK(t, pzl_dma_required_mask(&b.d, &b.dev) == 0x1ffffffff);
	/* Windows: the first that has an address; an address in none is no address. */
	b.dev.cfg.windows = shifted;
	b.dev.cfg.window_count = 2;
	CHECK(t, pzl_dma_to_bus(&b.d, &b.dev, 0x40001000) == 0x1000);
	CHECK(t, pzl_dma_to_bus(&b.d, &b.dev, 0x10001000) == 0x80001000);
	CHECK(t, pzl_dma_to_bus(&b.d, &b.dev, 0x80000000) == PZ_DMA_ERROR);
	CHECK(t, pzl_dma_to_phys(&b.d, &b.dev, 0x1000) == 0x40001000);
	CHECK(t, pzl_dma_to_phys(&b.d, &b.dev, 0x40000000) == PZ_ADDR_MAX);
	CHECK(t, !pzl_dma_supported(&b.d, &b.dev, 0xffffff)); /* the zone's end is in no window */
	/* A limit in no window: no zone bit, and a refused page leads to ZONE_DMA at once. */
	b.dev.cfg.coherent_mask = 0xffffffff;
	pzl_dma_plan(&b.d, &b.dev, &plan);
	CHECK(t, plan.tries == 2 && plan.gfp[0] == 0 && plan.gfp[1] == PZL_GFP_DMA);
	/* Only the last byte is held against the mask, and only the first is looked up. */
	CHECK(t, pzl_dma_coherent_ok(&b.d, &b.dev, 0x7ffff000, 0x2000));
	b.dev.cfg.bus_limit = 0xfff;
	CHECK(t, pzl_dma_coherent_ok(&b.d, &b.dev, 0x40000000, 0x1000));
	CHECK(t, !pzl_dma_coherent_ok(&b.d, &b.dev, 0x40000000, 0x1001));
	ld_close(&b);
}

static void dma_tries(struct tap *t)
{
	struct ld_box b;
	uint64_t before;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_LARGE))
		return;
	ld_init(&b);
	before = pm_free(&b.m);
	/* 33 bits: any page first; that one is too high, so one of ZONE_DMA32. */
	b.dev.cfg.coherent_mask = 0x1ffffffff;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.trace.n == 2);
	CHECK(t, b.trace.step[0].came == PZL_DMA_BEYOND && b.trace.step[0].gfp == PZL_GFP_KERNEL &&
			 b.trace.step[1].gfp == (PZL_GFP_KERNEL | PZL_GFP_DMA32));
	ld_free(&b);
	/* 31 bits: the page of ZONE_DMA32 is too high, so ZONE_DMA, whatever is free between. */
	b.dev.cfg.coherent_mask = 0x7fffffff;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.trace.n == 2 &&
			 b.buf.phys < 16 * PM_MIB && b.trace.step[0].phys >= 2 * PM_GIB);
	ld_free(&b);
	/* Zone bits of the caller are dropped: GFP_DMA alone is a request that may not block. */
	b.dev.cfg.coherent_mask = UINT64_MAX;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_DMA) == 0 && b.buf.phys >= 4 * PM_GIB &&
			 b.trace.step[0].gfp == 0);
	ld_free(&b);
	/* Pages: the zone bits are refused. */
	CHECK(t, pzl_dma_alloc_pages(&b.d, &b.dev, 4096, PZL_GFP_KERNEL | PZL_GFP_DMA, &b.buf) ==
			 -PZ_ENOMEM);
	CHECK(t, b.d.warned == PZL_DMA_WARN_ZONE_BITS);
	CHECK(t, pzl_dma_alloc_pages(&b.d, &b.dev, 4096, PZL_GFP_KERNEL, &b.buf) == 0);
	pzl_dma_free_pages(&b.d, &b.dev, &b.buf);
	/* 6.12 refuses compound pages, 6.1 does not look. */
	CHECK(t, ld_alloc(&b, 8192, PZL_GFP_KERNEL | PZL_GFP_COMP) == 0);
	ld_free(&b);
	b.d.cfg.boot.model = PZL_LINUX_6_12;
	CHECK(t, ld_alloc(&b, 8192, PZL_GFP_KERNEL | PZL_GFP_COMP) == -PZ_ENOMEM &&
			 (b.d.warned & PZL_DMA_WARN_COMP));
	CHECK(t, ld_alloc(&b, 0, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	CHECK(t, ld_alloc(&b, UINT64_MAX, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	CHECK(t, ld_alloc(&b, 4 * PM_MIB + 1, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	CHECK(t, pm_free(&b.m) == before); /* what was refused too */
	b.dev.cfg.coherent_mask = 0;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM &&
			 (b.d.warned & PZL_DMA_WARN_NO_MASK));
	ld_close(&b);
}

/* A try that finds nothing ends it, though ZONE_DMA has pages that only its flag may take. */
static void dma_null_ends(struct tap *t)
{
	struct ld_box b;
	uint64_t pages = 0;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	b.m.z.node[0].zone[PZ_ZONE_DMA].reserve[PZ_ZONE_DMA32] = 4096;
	b.m.z.node[0].zone[PZ_ZONE_DMA].reserve[PZ_ZONE_NORMAL] = 4096;
	pz_pages_set_policy(b.m.pages, PZ_POLICY_ZONELIST);
	ld_init(&b);
	b.dev.cfg.coherent_mask = 0x7fffffff;
	while (!ld_alloc(&b, 4096, PZL_GFP_KERNEL))
		pages++;
	CHECK(t, pages > 10000 && b.trace.n == 1 && b.trace.step[0].came == PZL_DMA_NOTHING);
	b.dev.cfg.coherent_mask = 0xffffff;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.buf.phys < 16 * PM_MIB);
	ld_close(&b);
}

static void dma_contiguous(struct tap *t)
{
	struct ld_box b;
	uint64_t before;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_CMA))
		return;
	ld_init(&b);
	/* In reach of ZONE_DMA32, so that all pools but the one in ZONE_DMA come from it. */
	CHECK(t, ld_in_area(&b, b.d.pool[PZL_DMA_POOL_KERNEL]) &&
			 ld_in_area(&b, b.d.pool[PZL_DMA_POOL_DMA32]) &&
			 !ld_in_area(&b, b.d.pool[PZL_DMA_POOL_DMA]));
	before = pm_free(&b.m);
	/* Exactly as many pages as asked for; one page never, and not from atomic context. */
	CHECK(t, ld_alloc(&b, 12288, PZL_GFP_KERNEL) == 0 && b.buf.from == PZ_DMA_FROM_CMA &&
			 pm_free(&b.m) == before - 3);
	ld_free(&b);
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.buf.from == PZ_DMA_FROM_PAGES);
	ld_free(&b);
	CHECK(t, ld_alloc(&b, 12288, pzl_gfp_atomic(PZL_LINUX_6_1)) == 0 &&
			 b.buf.from == PZ_DMA_FROM_PAGES && pm_free(&b.m) == before - 4);
	ld_free(&b);
	/* An area of its own gives single pages too, and is the only one. */
	b.dev.cfg.cma = b.cma;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.buf.from == PZ_DMA_FROM_CMA);
	ld_free(&b);
	b.dev.cfg.cma = PZ_DMA_NO_CMA;
	/* Out of reach: given back, and ZONE_DMA serves it. */
	b.dev.cfg.coherent_mask = 0xffffff;
	CHECK(t, ld_alloc(&b, 12288, PZL_GFP_KERNEL) == 0 && b.trace.n == 2 &&
			 b.trace.step[0].from == PZ_DMA_FROM_CMA &&
			 b.trace.step[0].came == PZL_DMA_BEYOND && b.buf.phys < 16 * PM_MIB);
	ld_free(&b);
	CHECK(t, pm_free(&b.m) == before && b.m.bugs.count == 0);
	ld_close(&b);
}

/*
 * Low memory lent to movable pages that counts as ZONE_MOVABLE, which on this machine is high
 * memory by its zone (thread 003): each kernel's way with it, and that of addresses.
 */
static void dma_high(struct tap *t)
{
	static const struct {
		enum pzl_model model;
		enum pzl_dma_high high;
		bool by_zone, served, mapped, crashes;
		const char *says;
	} row[] = {
		{ PZL_LINUX_5_15, PZL_HIGH_UNCHECKED, true, false, false, true, "" },
		{ PZL_LINUX_5_15, PZL_HIGH_UNCHECKED, false, true, false, false, "" },
		{ PZL_LINUX_5_15, PZL_HIGH_REFUSE, true, false, false, false,
		  "drv dev: Rejecting highmem page from CMA.\n" },
		{ PZL_LINUX_5_15, PZL_HIGH_REFUSE, false, true, false, false, "" },
		{ PZL_LINUX_6_1, PZL_HIGH_REMAP, true, true, true, false, "" },
		{ PZL_LINUX_6_1, PZL_HIGH_REMAP, false, true, false, false, "" },
	};
	struct ld_box b;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t before;
		int rc;

		if (!ld_open(&b, t, row[i].model, LD_HIGHMEM))
			return;
		b.cfg.high = row[i].high;
		b.cfg.cma_movable = true;
		b.cfg.zones = row[i].by_zone ? &b.m.z : NULL;
		b.cfg.high_first = LD_LOW_END;
		ld_init(&b);
		b.lines_len = 0;
		before = pm_free(&b.m);
		rc = ld_alloc(&b, 8192, PZL_GFP_KERNEL);
		CHECK(t, (rc == 0) == row[i].served && ld_lines(&b, row[i].says));
		CHECK(t,
		      b.trace.step[0].from == PZ_DMA_FROM_CMA && b.trace.step[0].phys < LD_LOW_END);
		CHECK(t, (b.m.bugs.count != 0) == row[i].crashes);
		if (!rc) {
			CHECK(t, b.buf.mapped == row[i].mapped && b.buf.from == PZ_DMA_FROM_CMA);
			ld_free(&b);
		}
		CHECK(t, pm_free(&b.m) == before);
		/* Pages are not mapped anew: by the zone, 6.1 passes the area over. */
		if (row[i].high == PZL_HIGH_REMAP) {
			CHECK(t,
			      pzl_dma_alloc_pages(&b.d, &b.dev, 8192, PZL_GFP_KERNEL, &b.buf) == 0);
			CHECK(t, (b.buf.from == PZ_DMA_FROM_PAGES) == row[i].by_zone);
			pzl_dma_free_pages(&b.d, &b.dev, &b.buf);
		}
		ld_close(&b);
	}
}

void contract_linux_dma(struct tap *t)
{
	dma_pool_sizes(t);
	dma_pool_lines(t);
	dma_pool_rules(t);
	dma_capture(t);
	dma_pool_smaller(t);
	dma_masks(t);
	dma_tries(t);
	dma_null_ends(t);
	dma_contiguous(t);
	dma_high(t);
}
