/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_dma_hold.c - Linux's DMA layer by known examples: the pools for atomic
 * allocations in use, encrypted memory, regions of a device's own.
 */
#include "linux_dma.h"
#include "suites_decl.h"

#define ATOMIC(model) pzl_gfp_atomic(model)

/* A kernel that maps memory anew for an incoherent device, with pools of 16 KiB. */
static bool hold_open(struct ld_box *b, struct tap *t, enum pzl_model model, enum ld_memory where)
{
	if (!ld_open(b, t, model, where))
		return false;
	b->cfg.build = PZL_DMA_REMAP | PZL_DMA_POOL;
	b->cfg.args.coherent_pool = 16 * PM_KIB;
	b->dev.cfg.coherent = false;
	ld_views(b);
	ld_init(b);
	b->lines_len = 0;
	return true;
}

static void hold_atomic(struct tap *t)
{
	const enum pzl_model model = PZL_LINUX_6_1;
	struct pzl_dma_buf buf[4];
	struct ld_box b;

	if (!hold_open(&b, t, model, LD_PC))
		return;
	/* Who may block is mapped anew, who may not gets a piece of the kernel's pool, zeroed. */
	b.view[0] = b.view[4095] = 0xff;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.buf.mapped &&
			 b.buf.cpu_addr == b.view && !b.view[0] && !b.view[4095]);
	ld_free(&b);
	CHECK(t, b.unmaps == 1 && !b.d.work);
	b.view[0] = 0xff;
	CHECK(t, ld_alloc(&b, 4096, ATOMIC(model)) == 0 && b.buf.from == PZ_DMA_FROM_ATOMIC &&
			 b.buf.pool == PZL_DMA_POOL_KERNEL && !b.buf.mapped && !b.view[0]);
	/* The first piece already leaves less than was asked for. */
	CHECK(t, b.d.work && b.works == 1);
	buf[0] = b.buf;
	/* The zone bits dropped, a bare GFP_DMA is such a request too. */
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_DMA) == 0 && b.buf.from == PZ_DMA_FROM_ATOMIC);
	buf[1] = b.buf;
	/* Aligned to its size, counted from the start of the chunk. */
	CHECK(t, ld_alloc(&b, 5000, ATOMIC(model)) == 0 && b.buf.phys == buf[0].phys + 8192 &&
			 b.buf.cpu_addr == b.view + 8192);
	buf[2] = b.buf;
	/* The kernel's is empty: the next is that of ZONE_DMA32. */
	CHECK(t, ld_alloc(&b, 4096, ATOMIC(model)) == 0 && b.buf.pool == PZL_DMA_POOL_DMA32);
	buf[3] = b.buf;
	/* Growth doubles, and both have run low. */
	pzl_dma_work(&b.d);
	CHECK(t, pzl_dma_pool_size(&b.d, PZL_DMA_POOL_KERNEL) == 32 * PM_KIB &&
			 pzl_dma_pool_size(&b.d, PZL_DMA_POOL_DMA32) == 32 * PM_KIB &&
			 pzl_dma_pool_size(&b.d, PZL_DMA_POOL_DMA) == 16 * PM_KIB && !b.d.work);
	/* The newest chunk comes first. */
	CHECK(t, ld_alloc(&b, 16384, ATOMIC(model)) == 0 && b.buf.pool == PZL_DMA_POOL_KERNEL);
	ld_free(&b);
	for (unsigned int i = 0; i < 4; i++)
		pzl_dma_free(&b.d, &b.dev, &buf[i], false);
	/* They never shrink. */
	pzl_dma_work(&b.d);
	CHECK(t, pzl_dma_pool_size(&b.d, PZL_DMA_POOL_KERNEL) == 32 * PM_KIB &&
			 pz_genpool_avail(b.d.pool[PZL_DMA_POOL_KERNEL]) == 32 * PM_KIB);
	CHECK(t, b.m.bugs.count == 0 && b.lines_len == 0);
	ld_close(&b);
}

static void hold_pool_words(struct tap *t)
{
	static const struct {
		enum pzl_model model;
		const char *full, *none;
	} row[] = {
		{ PZL_LINUX_5_15, "Failed to get suitable pool for dev\n",
		  "Failed to get suitable pool for dev\n" },
		{ PZL_LINUX_6_12, "DMA pool exhausted for dev\n",
		  "Failed to get suitable pool for dev\n" },
	};
	struct ld_box b;

	for (unsigned int i = 0; i < 2; i++) {
		bool old = row[i].model == PZL_LINUX_5_15;

		if (!hold_open(&b, t, row[i].model, LD_PC))
			return;
		CHECK(t, ld_alloc(&b, 32768, ATOMIC(row[i].model)) == -PZ_ENOMEM);
		/* Kernel, then DMA32, then DMA. */
		CHECK(t, b.trace.n == 3 && b.trace.step[1].pool == PZL_DMA_POOL_DMA32 &&
				 b.trace.step[2].pool == PZL_DMA_POOL_DMA);
		CHECK(t, ld_lines(&b, row[i].full));
		/* NOWARN silences 6.12 alone. */
		CHECK(t, ld_alloc(&b, 32768, PZL_GFP_HIGH | PZL_GFP_NOWARN) == -PZ_ENOMEM &&
				 (b.lines_len != 0) == old);
		b.lines_len = 0;
		ld_close(&b);

		/* 32 bits, and no pool in ZONE_DMA32. */
		if (!hold_open(&b, t, row[i].model, LD_HIGH))
			return;
		b.dev.cfg.coherent_mask = 0xffffffff;
		CHECK(t, ld_alloc(&b, 4096, PZL_GFP_HIGH | PZL_GFP_NOWARN) == -PZ_ENOMEM &&
				 b.trace.n == 0);
		CHECK(t, ld_lines(&b, row[i].none));
		ld_close(&b);
	}
}

/* What the pool has is out of reach: the next one, also beyond the one that was named. */
static void hold_pool_walk(struct tap *t)
{
	struct ld_box b;

	if (!hold_open(&b, t, PZL_LINUX_6_1, LD_LARGE))
		return;
	b.dev.cfg.coherent_mask = 0x7fffffff;
	CHECK(t, ld_alloc(&b, 4096, 0) == 0 && b.buf.pool == PZL_DMA_POOL_DMA && b.trace.n == 2 &&
			 b.trace.step[0].came == PZL_DMA_BEYOND);
	ld_free(&b);
	/* From the DMA pool the walk goes nowhere. */
	b.dev.cfg.coherent_mask = 0xffffff;
	CHECK(t, ld_alloc(&b, 32768, 0) == -PZ_ENOMEM && b.trace.n == 1);
	/* A device that sees it all has them in the order kernel, DMA32. */
	b.dev.cfg.coherent_mask = 0x1ffffffff;
	CHECK(t, ld_alloc(&b, 4096, 0) == 0 && b.buf.pool == PZL_DMA_POOL_DMA32);
	ld_free(&b);
	ld_close(&b);
}

/* Without the kernel's pool nothing finds its way back: Linux's page allocator is handed a part of
 * a pool, which here is told as the misuse that it is. */
static void hold_no_kernel_pool(struct tap *t)
{
	struct pz_genpool *kernel;
	struct ld_box b;

	if (!hold_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	b.dev.cfg.coherent_mask = 0xffffff;
	CHECK(t, ld_alloc(&b, 4096, 0) == 0 && b.buf.pool == PZL_DMA_POOL_DMA);
	kernel = b.d.pool[PZL_DMA_POOL_KERNEL];
	b.d.pool[PZL_DMA_POOL_KERNEL] = NULL;
	CHECK(t, !pzl_dma_pool_free(&b.d, b.buf.phys, 4096) && b.m.bugs.count == 0);
	ld_free(&b);
	CHECK(t, b.m.bugs.count == 1);
	b.d.pool[PZL_DMA_POOL_KERNEL] = kernel;
	CHECK(t, pzl_dma_pool_free(&b.d, b.buf.phys, 4096));
	ld_close(&b);
}

/* A pool that cannot be mapped does not exist, and its pages are free again. */
static void hold_pool_unmapped(struct tap *t)
{
	uint64_t before;
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	b.cfg.build = PZL_DMA_REMAP | PZL_DMA_POOL;
	b.fail_remap = true;
	ld_views(&b);
	before = pm_free(&b.m);
	ld_init(&b);
	CHECK(t, b.d.incomplete && !b.d.pool[PZL_DMA_POOL_KERNEL] && pm_free(&b.m) == before);
	/* A buffer that cannot be mapped is given back too. */
	b.dev.cfg.coherent = false;
	CHECK(t, ld_alloc(&b, 8192, PZL_GFP_KERNEL) == -PZ_ENOMEM && pm_free(&b.m) == before);
	/* The platform has no other way for devices that are not coherent; 6.12 says so once. */
	b.d.cfg.build = 0;
	b.lines_len = 0;
	CHECK(t, ld_alloc(&b, 8192, PZL_GFP_KERNEL) == -PZ_ENOMEM && ld_lines(&b, ""));
	b.d.cfg.boot.model = PZL_LINUX_6_12;
	CHECK(t, ld_alloc(&b, 8192, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	CHECK(t, ld_alloc(&b, 8192, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	CHECK(t, ld_lines(&b, "coherent DMA allocations not supported on this platform.\n"));
	ld_close(&b);
}

static void hold_crypt(struct tap *t)
{
	const uint64_t bit = (uint64_t)1 << 47;
	uint64_t before;
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_LARGE))
		return;
	b.cfg.crypt = PZL_DMA_HOST;
	b.cfg.private_bit = bit;
	ld_init(&b);
	CHECK(t, b.shares == 3); /* the pools are for devices that do not drive the bit */
	/* 64 bits drive it: memory stays encrypted, and the handle says so. */
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.shares == 3 &&
			 b.buf.bus == (b.buf.phys | bit));
	CHECK(t, pzl_dma_to_phys(&b.d, &b.dev, b.buf.bus) == b.buf.phys);
	ld_free(&b);
	/* 32 bits do not, and whoever may not block gets a piece of a pool. */
	b.dev.cfg.coherent_mask = 0xffffffff;
	CHECK(t,
	      ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.shares == 4 && b.buf.bus == b.buf.phys);
	ld_free(&b);
	CHECK(t, b.unshares == 1);
	CHECK(t, ld_alloc(&b, 4096, ATOMIC(PZL_LINUX_6_1)) == 0 &&
			 b.buf.from == PZ_DMA_FROM_ATOMIC && b.shares == 4);
	ld_free(&b);
	CHECK(t, pzl_dma_alloc_pages(&b.d, &b.dev, 4096, 0, &b.buf) == 0 &&
			 b.buf.from == PZ_DMA_FROM_ATOMIC);
	pzl_dma_free_pages(&b.d, &b.dev, &b.buf);
	/* What cannot be shared, or made private again, is lost on purpose. */
	before = pm_free(&b.m);
	b.fail_share = true;
	b.lines_len = 0;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM && pm_free(&b.m) == before - 1 &&
			 ld_lines(&b, ""));
	b.fail_share = false;
	b.fail_unshare = true;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0);
	ld_free(&b);
	CHECK(t, pm_free(&b.m) == before - 2);
	CHECK(t, ld_lines(&b, "leaking DMA memory that can't be re-encrypted\n"));
	b.fail_unshare = false;
	ld_close(&b);

	/* In a guest no device drives it. */
	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_LARGE))
		return;
	b.cfg.crypt = PZL_DMA_GUEST;
	ld_init(&b);
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.shares == 4);
	ld_free(&b);
	ld_close(&b);
}

static void hold_region(struct tap *t)
{
	static const struct pz_window low = { { 0x20000000, 0x200fffff }, 0x1000000 };
	struct pzl_dma_region r, other;
	struct pzl_dma_buf first;
	struct pzl_dma_dev second;
	uint64_t before;
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	ld_init(&b);
	before = pm_free(&b.m);
	CHECK(t, pzl_dma_region_init(&b.d, &r, 0x20000000, 0, 0) == -PZ_EINVAL);
	/* Five pages, seen by the device at another place. */
	CHECK(t, pzl_dma_region_init(&b.d, &r, 0x20003000, 5 * 4096, 0x1000) == 0);
	CHECK(t, pzl_dma_region_assign(&b.d, NULL, &r, false) == -PZ_ENOENT);
	CHECK(t, pzl_dma_region_assign(&b.d, &b.dev, &r, false) == 0);
	CHECK(t, pzl_dma_region_assign(&b.d, &b.dev, &r, false) == -PZ_EBUSY);
	/* Three pages take four, from a number that is a multiple of four. */
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == 0 && b.buf.phys == 0x20003000 &&
			 b.buf.bus == 0x1000 && b.buf.from == PZ_DMA_FROM_REGION);
	first = b.buf;
	CHECK(t, ld_alloc(&b, 3 * 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	pzl_dma_free(&b.d, &b.dev, &first, true);
	CHECK(t, b.d.warned == 0); /* asked before interrupts are */
	CHECK(t, ld_alloc(&b, 3 * 4096, PZL_GFP_KERNEL) == 0 && b.buf.bus == 0x1000);
	first = b.buf;
	CHECK(t, ld_alloc(&b, 100, 0) == 0 && b.buf.phys == 0x20007000);
	/* Full, and nothing else is looked at; more than the region is, too. */
	b.trace.n = 0;
	CHECK(t, ld_alloc(&b, 100, PZL_GFP_KERNEL) == -PZ_ENOMEM && b.trace.n == 1);
	CHECK(t, ld_alloc(&b, 6 * 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	ld_free(&b);
	pzl_dma_free(&b.d, &b.dev, &first, false);
	CHECK(t, b.m.bugs.count == 0);
	ld_free(&b);
	CHECK(t, b.m.bugs.count == 1); /* twice */
	CHECK(t, pm_free(&b.m) == before);
	pzl_dma_region_destroy(&b.d, &r);

	/* A device tree's is translated for each device, and out of reach is attached all the same.
	 */
	second = b.dev;
	second.region = NULL;
	second.cfg.coherent_mask = 0x1fffffff;
	CHECK(t, pzl_dma_region_init(&b.d, &other, 0x20000000, PM_MIB, PZ_DMA_ERROR) == 0);
	b.lines_len = 0;
	CHECK(t,
	      pzl_dma_region_assign(&b.d, &second, &other, true) == 0 && second.region == &other);
	CHECK(t, ld_lines(&b, "drv dev: reserved memory is beyond device's set DMA address "
			      "range\n"));
	CHECK(t, pzl_dma_alloc(&b.d, &second, 4096, 0, 0, &b.buf) == 0 && b.buf.bus == 0x20000000);
	pzl_dma_free(&b.d, &second, &b.buf, false);
	/* That a window brings it into reach is not seen: the tree's address is compared. */
	second.region = NULL;
	second.cfg.windows = &low;
	second.cfg.window_count = 1;
	b.lines_len = 0;
	CHECK(t, pzl_dma_region_assign(&b.d, &second, &other, true) == 0);
	CHECK(t, ld_lines(&b, "drv dev: reserved memory is beyond device's set DMA address "
			      "range\n"));
	CHECK(t, pzl_dma_alloc(&b.d, &second, 4096, 0, 0, &b.buf) == 0 && b.buf.bus == 0x1000000);
	pzl_dma_free(&b.d, &second, &b.buf, false);
	pzl_dma_region_destroy(&b.d, &other);
	ld_close(&b);
}

/* Incoherent devices that share one region, and those that have an uncached alias. */
static void hold_shared(struct tap *t)
{
	struct pzl_dma_region r;
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_12, LD_PC))
		return;
	b.cfg.build = PZL_DMA_GLOBAL;
	ld_init(&b);
	b.dev.cfg.coherent = false;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	CHECK(t, pzl_dma_region_init(&b.d, &r, 0x20000000, 2 * 4096, PZ_DMA_ERROR) == 0);
	b.lines_len = 0;
	CHECK(t,
	      pzl_dma_region_global(&b.d, &r) == 0 && pzl_dma_region_global(&b.d, &r) == -PZ_EBUSY);
	CHECK(t, ld_lines(&b, "DMA: default coherent area is set\n"));
	CHECK(t, ld_alloc(&b, 4096, 0) == 0 && b.buf.phys == 0x20000000);
	ld_free(&b);
	b.buf.phys = 0x10000000;
	pzl_dma_free(&b.d, &b.dev, &b.buf, true);
	CHECK(t, b.d.warned == (PZL_DMA_WARN_GLOBAL | PZL_DMA_WARN_IRQS));
	/* A coherent device has ordinary memory; without pools a guest's cannot do without sleep.
	 */
	b.dev.cfg.coherent = true;
	CHECK(t, ld_alloc(&b, 4096, 0) == 0 && b.buf.from == PZ_DMA_FROM_PAGES);
	ld_free(&b);
	b.dev.cfg.shared = true;
	CHECK(t, ld_alloc(&b, 4096, 0) == -PZ_ENOMEM && (b.d.warned & PZL_DMA_WARN_NO_POOL));
	pzl_dma_region_destroy(&b.d, &r);
	ld_close(&b);

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	ld_init(&b);
	CHECK(t, pzl_dma_region_global(&b.d, &r) == -PZ_EINVAL);
	/* Without an address of the kernel's: not mapped, even for a device that is not coherent.
	 */
	b.dev.cfg.coherent = false;
	CHECK(t, pzl_dma_alloc(&b.d, &b.dev, 8192, 0, PZ_DMA_NO_KERNEL_MAPPING, &b.buf) == 0 &&
			 !b.buf.mapped && b.buf.attrs == PZ_DMA_NO_KERNEL_MAPPING);
	ld_free(&b);
	ld_close(&b);
}

struct hold_bounce {
	uint64_t phys;
	uint32_t out;
};

static int hold_bounce_alloc(void *ctx, uint64_t bytes, uint64_t *phys)
{
	struct hold_bounce *h = ctx;

	(void)bytes;
	if (h->out)
		return -PZ_ENOMEM;
	h->out++;
	*phys = h->phys;
	return 0;
}

static bool hold_bounce_free(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct hold_bounce *h = ctx;

	(void)bytes;
	if (phys != h->phys)
		return false;
	h->out--;
	return true;
}

/* A device that sees bounce buffers only: they serve it, in any context, or nothing does. */
static void hold_restricted(struct tap *t)
{
	struct hold_bounce h = { 0x20000000, 0 };
	struct pzl_dma_restricted r = { hold_bounce_alloc, hold_bounce_free, NULL };
	struct ld_box b;

	if (!ld_open(&b, t, PZL_LINUX_6_1, LD_PC))
		return;
	ld_init(&b);
	r.ctx = &h;
	b.dev.restricted = &r;
	CHECK(t, ld_alloc(&b, 4096, 0) == 0 && b.buf.from == PZ_DMA_FROM_BOUNCE);
	CHECK(t, pzl_dma_alloc_pages(&b.d, &b.dev, 4096, 0, &b.buf) == -PZ_ENOMEM);
	b.buf.phys = h.phys;
	ld_free(&b);
	CHECK(t, h.out == 0);
	b.dev.cfg.coherent_mask = 0xfffffff;
	CHECK(t, ld_alloc(&b, 4096, PZL_GFP_KERNEL) == -PZ_ENOMEM && h.out == 0);
	ld_close(&b);
}

void contract_linux_dma_hold(struct tap *t)
{
	hold_atomic(t);
	hold_pool_words(t);
	hold_pool_walk(t);
	hold_no_kernel_pool(t);
	hold_pool_unmapped(t);
	hold_crypt(t);
	hold_region(t);
	hold_shared(t);
	hold_restricted(t);
}
