/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_edges.c - devices at the edges of what can be: odd masks and boundaries, pieces from
 * contiguous areas, pools whose devices differ, masks set while something is out.
 */
#include "coherent_machine.h"
#include "dma_device.h"
#include "suites_decl.h"

#define BLOCK PZ_GFP_BLOCK
#define EDGE_AREA (512 * PM_KIB)
#define EDGE_GAP PM_GIB

static int edge_count(void *ctx, const struct pz_dma_holder *h)
{
	(void)h;
	++*(uint32_t *)ctx;
	return 0;
}

static uint32_t edge_held(const struct coherent_machine *m)
{
	uint32_t n = 0;

	(void)pz_dma_holders(m->dma, NULL, edge_count, &n);
	return n;
}

/* A machine whose layer has a contiguous area at @base. */
static bool edge_area(struct coherent_machine *m, struct tap *t, uint64_t base, bool remap)
{
	struct pz_cma_req req = {
		.name = "area", .size = EDGE_AREA, .fixed = true, .nid = PZ_NID_NONE
	};
	struct pz_cma_reserved r;
	uint32_t id = 0;

	if (!cm_lay_out(m, t))
		return false;
	req.base = base;
	if (remap)
		cm_with_remap(m);
	if (!CHECK(t, pz_cma_reserve(&m->pm.mb, &req, 32 * CM_PAGE, &r) == 0) || !pm_make(&m->pm) ||
	    !CHECK(t, pz_cma_activate(m->pm.pages, &r, &id) == 0))
		return false;
	m->cfg.cma = id;
	m->cfg.pool_bytes = 0x8000;
	return cm_make_layer(m);
}

/* Pieces from a contiguous area go back there, whether the device has a pool or not. */
static void edge_pieces(struct tap *t)
{
	for (unsigned int atomic = 0; atomic < 2; atomic++) {
		struct coherent_machine m;
		struct pz_dma_dev_config cfg;
		struct pz_dma_dev *dev;
		struct pz_sg sg[8];
		uint32_t n = 0, before;

		if (!edge_area(&m, t, CM_FIRST, false))
			return;
		pz_dma_dev_init(&cfg, "pieces", 32);
		cfg.atomic = atomic;
		dev = cm_device(&m, &cfg);
		before = edge_held(&m);
		CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, BLOCK, 0, 0x7000, sg, 8, &n) == 0);
		pz_dma_free_noncontiguous(dev, 0, sg, n);
		CHECK_NAMED(t, edge_held(&m) == before && m.bugs.count == 0,
			    "each piece went back to where it was from");
		CHECK(t, pz_dma_check(m.dma) == 0);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
		cm_close(&m);
	}
}

/* The other mask is set while bounced mappings are out: they are not forgotten. */
static void edge_set_other_mask(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_bounce_stat s;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	if (!dv_lay_out(&m, t) || !dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "device", 32);
	dev = dv_device(&d, &m, &cfg);
	dv_fill(&m, DM_HIGH, 100, 1);
	bus = pz_dma_map(dev, 0, DM_HIGH, 100, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, bus != PZ_DMA_ERROR && dv_dev_fill(&d, bus, 100, 2));
	CHECK(t, pz_dma_set_mask(dev, UINT32_MAX) == -PZ_EBUSY);
	CHECK(t, pz_dma_set_coherent_mask(dev, UINT64_MAX) == 0);
	pz_dma_unmap(dev, 0, bus, 100, PZ_DMA_FROM_DEVICE, 0);
	CHECK_NAMED(t, dv_holds(&m, DM_HIGH, 100, 2), "what the device wrote arrives");
	pz_bounce_stat(m.bounce, &s);
	CHECK(t, s.used == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* A mask that has the private bit, but not all addresses below it as well. */
static void edge_private_mask(struct tap *t)
{
	const uint64_t bit = DM_PRIVATE;
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	uint64_t bus;

	if (!dv_lay_out(&m, t))
		return;
	m.dc.private_bit = bit;
	m.bc.hooks.share = m.dc.hooks.share;
	for (unsigned int i = 0; i < 2 * (DM_PART >> 12); i++)
		m.private[i] = true;
	if (!dv_make(&m))
		return;
	for (unsigned int limit = 0; limit < 2; limit++) {
		pz_dma_dev_init(&cfg, "device", 64);
		if (limit)
			cfg.bus_limit = bit + DM_HIGH - 1;
		else
			cfg.mask = cfg.coherent_mask = bit + DM_HIGH - 1;
		dev = dv_device(&d, &m, &cfg);
		bus = pz_dma_map(dev, 0, DM_LOW + DM_ASIDE, 100, PZ_DMA_TO_DEVICE, 0);
		CHECK(t, bus == bit + DM_LOW + DM_ASIDE);
		pz_dma_unmap(dev, 0, bus, 100, PZ_DMA_TO_DEVICE, 0);
		bus = pz_dma_map(dev, 0, DM_HIGH, 100, PZ_DMA_TO_DEVICE, 0);
		CHECK_NAMED(t, bus == PZ_DMA_ERROR || bus <= bit + DM_HIGH - 1,
			    "with the bit it is within the mask");
		if (bus != PZ_DMA_ERROR)
			pz_dma_unmap(dev, 0, bus, 100, PZ_DMA_TO_DEVICE, 0);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 4096, &buf) == 0);
		CHECK(t, buf.bus == (buf.phys | bit) && buf.bus < bit + DM_HIGH);
		pz_dma_free(dev, 0, &buf);
		CHECK(t, pz_dma_check(m.dma) == 0);
		CHECK(t, pz_dma_required_mask(dev) == 2 * bit - 1);
		/* Whether it drives the bit is asked of both masks; then both reach sets change. */
		CHECK(t, pz_dma_set_coherent_mask(dev, UINT32_MAX) == 0);
		CHECK(t, pz_dma_check(m.dma) == 0);
		CHECK(t, pz_dma_set_coherent_mask(dev, UINT64_MAX) == 0);
		CHECK(t, pz_dma_check(m.dma) == 0);
		CHECK(t, pz_dma_reach(dev, false)->v[0].phys.last == DM_HIGH - 1);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
	}
	dv_close(&m);
}

/* Memory of a coherent mask that is wider than the other one is synced all the same. */
static void edge_sync_wide(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	unsigned char *p, got = 0;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_remap(&m);
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "wide", 32);
	cfg.mask = CM_FIRST + 0xffff;
	cfg.coherent = false;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc_pages(dev, 0, BLOCK, PZ_DMA_BIDIRECTIONAL, 4096, &buf) == 0);
	CHECK(t, buf.bus > cfg.mask);
	p = buf.cpu_addr;
	p[7] = 0x77;
	pz_dma_sync_for_device(dev, buf.bus, 4096, PZ_DMA_BIDIRECTIONAL);
	CHECK_NAMED(t, cm_device_read(&m, &cfg, buf.bus + 7, &got) && got == 0x77,
		    "the device sees what the CPU wrote");
	CHECK(t, cm_device_write(&m, &cfg, buf.bus + 8, 0x88));
	pz_dma_sync_for_cpu(dev, buf.bus, 4096, PZ_DMA_BIDIRECTIONAL);
	CHECK_NAMED(t, p[8] == 0x88, "and the other way round");
	pz_dma_free_pages(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* What the CPU wrote to cached memory of a pool does not come up in what is uncached later. */
static void edge_pool_cache(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf all, buf;
	unsigned char *p;
	bool dirty;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_remap(&m);
	cm_with_share(&m);
	m.cfg.pool_bytes = 0x1000;
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "pool", 32);
	cfg.coherent = false;
	cfg.shared = true;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc_pages(dev, 0, 0, PZ_DMA_BIDIRECTIONAL, 4096, &all) == 0);
	CHECK(t, all.from == PZ_DMA_FROM_ATOMIC);
	p = all.cpu_addr;
	for (unsigned int i = 0; i < 4096; i++)
		p[i] = 0xdd;
	pz_dma_free_pages(dev, 0, &all);
	/* Lines that are still dirty now are written back later. */
	dirty = cm_memory(&m, all.phys)[0] != 0xdd;
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 4096, &buf) == 0 && buf.phys == all.phys);
	if (dirty)
		m.cfg.hooks.for_device(&m, all.phys, 4096, PZ_DMA_BIDIRECTIONAL);
	p = buf.cpu_addr;
	CHECK_NAMED(t, p[0] == 0, "zeroes stay zeroes");
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* A boundary below a page: what is smaller than that does not cross it. */
static void edge_small_boundary(struct tap *t)
{
	struct pz_range aside = { CM_FIRST + PM_MIB, CM_FIRST + PM_MIB + 0xffff };
	struct pz_bounce_config bounce = { .cpus = CM_CPUS, .range_count = 1 };
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_lay_out(&m, t))
		return;
	CHECK(t, pz_memblock_reserve(&m.pm.mb, aside.first, 0x10000, PZ_NID_NONE, 0) == 0);
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "narrow", 32);
	cfg.boundary = 1024;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_set_masks(dev, UINT32_MAX) == 0);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1024, &buf) == 0 && cm_works(&m, &cfg, &buf));
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1025, &buf) == -PZ_ERANGE);
	CHECK(t, m.bugs.count == 0 && pz_dma_dev_destroy(dev) == 0);
	/* Likewise in bounce buffers that are all it sees. */
	bounce.ranges = &aside;
	bounce.meta = m.cfg.meta;
	bounce.hooks = m.cfg.hooks;
	CHECK(t, pz_bounce_create(&cfg.restricted, &bounce) == 0);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1024, &buf) == 0 && cm_works(&m, &cfg, &buf));
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_bounce_destroy(cfg.restricted) == 0);
	cm_close(&m);
}

/* Devices of one limit that differ in what they want of an address. */
static void edge_pool_align(struct tap *t)
{
	struct coherent_machine m;
	struct pz_window shifted = { { 0, UINT32_MAX }, 0x1000 };
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev[2];
	struct pz_dma_buf buf[2];

	if (!cm_lay_out(&m, t))
		return;
	cm_with_remap(&m);
	m.cfg.pool_bytes = 0x4000;
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "aligned", 64);
	cfg.coherent = false;
	cfg.align = 0x40000;
	dev[0] = cm_device(&m, &cfg);
	/* What is not to be had is so the second time. */
	for (unsigned int i = 0; i < 2; i++) {
		if (pz_dma_alloc(dev[0], 0, 0, 0, 4096, &buf[i]) != 0) {
			CHECK(t, pz_dma_work(m.dma, 0));
			CHECK_NAMED(t, pz_dma_alloc(dev[0], 0, 0, 0, 4096, &buf[i]) == 0,
				    "an aligned page is had when the pool has grown");
		}
		CHECK(t, cm_works(&m, &cfg, &buf[i]));
	}
	CHECK(t, pz_dma_check(m.dma) == 0);
	pz_dma_free(dev[0], 0, &buf[0]);
	pz_dma_free(dev[0], 0, &buf[1]);
	CHECK(t, pz_dma_dev_destroy(dev[0]) == 0);

	/* The same memory at other bus addresses: aligned pieces lie elsewhere. */
	pz_dma_dev_init(&cfg, "straight", 32);
	cfg.coherent = false;
	dev[0] = cm_device(&m, &cfg);
	cfg.mask = cfg.coherent_mask = UINT64_MAX;
	cfg.windows = &shifted;
	cfg.window_count = 1;
	dev[1] = cm_device(&m, &cfg);
	if (pz_dma_alloc(dev[1], 0, 0, 0, 0x4000, &buf[1]) != 0) {
		(void)pz_dma_work(m.dma, 0);
		CHECK_NAMED(t, pz_dma_alloc(dev[1], 0, 0, 0, 0x4000, &buf[1]) == 0,
			    "an aligned piece is had when the pool has grown");
	}
	CHECK(t, cm_works(&m, &cfg, &buf[1]));
	pz_dma_free(dev[1], 0, &buf[1]);
	CHECK_NAMED(t, pz_dma_alloc(dev[1], 0, 0, 0, 8 * PM_MIB, &buf[1]) == -PZ_ERANGE,
		    "more than a pool ever has in a row");
	CHECK(t, pz_dma_dev_destroy(dev[0]) == 0 && pz_dma_dev_destroy(dev[1]) == 0);
	cm_close(&m);
}

/* Nothing is directly mapped in reach; a pool, which may map anew, has something. */
static void edge_pool_high(struct tap *t)
{
	static const struct pz_range low = { 0, 4 * PM_GIB - 1 };
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_remap(&m);
	m.cfg.pool_bytes = 0x4000;
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "high", 64);
	cfg.holes = &low;
	cfg.hole_count = 1;
	cfg.atomic = true;
	dev = cm_device(&m, &cfg);
	m.may_block = false;
	CHECK_NAMED(t, pz_dma_alloc(dev, 0, 0, 0, 4096, &buf) == 0, "the pool has it");
	CHECK(t, buf.from == PZ_DMA_FROM_ATOMIC && cm_works(&m, &cfg, &buf));
	pz_dma_free(dev, 0, &buf);
	m.may_block = true;
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* A device at a node that the machine does not have is at none. */
static void edge_node(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_simple(&m, t))
		return;
	pz_dma_dev_init(&cfg, "nowhere", 32);
	cfg.nid = 7;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 4096, &buf) == 0 && cm_works(&m, &cfg, &buf));
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* An area that is directly mapped in part only, and nothing that could map the rest. */
static void edge_area_half_mapped(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf[2];

	if (!edge_area(&m, t, CM_FIRST, false))
		return;
	CHECK(t, pz_dma_destroy(m.dma) == 0);
	m.cfg.direct.last = CM_FIRST + 0x7fff;
	if (!cm_make_layer(&m))
		return;
	pz_dma_dev_init(&cfg, "half", 32);
	dev = cm_device(&m, &cfg);
	for (unsigned int i = 0; i < 2; i++)
		CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x4000, &buf[i]) == 0 &&
				 buf[i].from == PZ_DMA_FROM_CMA && buf[i].phys < CM_FIRST + 0x8000);
	for (unsigned int i = 0; i < 2; i++)
		pz_dma_free(dev, 0, &buf[i]);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* A device that reaches no managed memory, but bounce buffers; and one that reaches an area. */
static void edge_mask_bounced(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus, mask = DM_LOW + DM_ASIDE - 1;

	if (!dv_lay_out(&m, t) || !dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "device", 32);
	cfg.mask = mask;
	dev = dv_device(&d, &m, &cfg);
	CHECK_NAMED(t, pz_dma_set_mask(dev, mask) == 0, "what was set aside serves it");
	CHECK(t, pz_dma_set_mask(dev, DM_LOW - 1) == -PZ_ERANGE);
	CHECK(t, pz_dma_set_coherent_mask(dev, mask) == -PZ_ERANGE);
	bus = pz_dma_map(dev, 0, DM_HIGH, 100, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, bus < mask);
	pz_dma_unmap(dev, 0, bus, 100, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	/* No managed memory and no bounce buffers that it could be given. */
	cfg.shared = true;
	dev = dv_device(&d, &m, &cfg);
	CHECK(t, pz_dma_set_mask(dev, mask) == -PZ_ERANGE);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* Sizes and alignments that no machine has end. */
static void edge_sizes(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.grow_bytes = 64 * PM_KIB;
	if (!dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "odd", 32);
	cfg.align = (uint64_t)1 << 63;
	dev = dv_device(&d, &m, &cfg);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH, cfg.align + 1, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ERANGE);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH, UINT64_MAX - DM_HIGH, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ERANGE);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* Whether a device needs a reserve changes with its other mask. */
static void edge_reserve(struct tap *t)
{
	struct pz_bounce_pool pool[4];
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;

	if (!dv_lay_out(&m, t))
		return;
	m.dc.private_bit = DM_PRIVATE;
	m.bc.shared = true;
	m.bc.range_count = 0;
	if (!dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "device", 64);
	dev = dv_device(&d, &m, &cfg);
	CHECK_NAMED(t, pz_bounce_pools(m.bounce, pool, 4) == 0, "it reads all that is private");
	CHECK(t, pz_dma_set_coherent_mask(dev, UINT32_MAX) == 0);
	CHECK_NAMED(t, pz_bounce_pools(m.bounce, pool, 4) == 1 && pool[0].kind == PZ_BOUNCE_RESERVE,
		    "it sees shared memory only: a reserve is kept");
	CHECK(t, pz_dma_set_coherent_mask(dev, UINT64_MAX) == 0);
	CHECK(t, pz_bounce_pools(m.bounce, pool, 4) == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* What cannot be shared is leaked, told, and nobody tries more of it. */
static void edge_share_fails(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.shared = true;
	m.bc.range_count = 0;
	m.bc.reserve_bytes = 256 * PM_KIB;
	if (!dv_make(&m))
		return;
	m.share_fails = true;
	m.share_says = -PZ_ENOMEM;
	pz_dma_dev_init(&cfg, "device", 32);
	dev = dv_device(&d, &m, &cfg);
	CHECK_NAMED(t, m.managed - pm_free(&m.pm) == 64 && m.pm.bugs.count == 1, "once");
	CHECK(t, pz_bounce_check(m.bounce) == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	m.managed -= 64;
	dv_close(&m);
}

/* A pool that nobody uses, out of a device's reach, is not in the way of another. */
static void edge_idle_pool(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *wide, *narrow;
	uint64_t bus;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.range_count = 0;
	m.bc.reserve_bytes = UINT64_MAX;
	m.bc.grow_bytes = m.bc.max_bytes = 64 * PM_KIB;
	if (!dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "wide", 32);
	wide = dv_device(&d, &m, &cfg);
	cfg.mask = DM_LOW + DM_ASIDE + 64 * PM_KIB - 1;
	narrow = dv_device(&d, &m, &cfg);
	bus = pz_dma_map(wide, 0, DM_HIGH, 100, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, bus > cfg.mask && bus != PZ_DMA_ERROR);
	CHECK(t, pz_dma_map(narrow, 0, DM_HIGH, 100, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	pz_dma_unmap(wide, 0, bus, 100, PZ_DMA_TO_DEVICE, 0);
	bus = pz_dma_map(narrow, 0, DM_HIGH, 100, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, bus <= cfg.mask, "it has made room");
	if (bus != PZ_DMA_ERROR)
		pz_dma_unmap(narrow, 0, bus, 100, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_dev_destroy(wide) == 0 && pz_dma_dev_destroy(narrow) == 0);
	dv_close(&m);
}

/* Bounce buffers stay while devices have a reserve of them. */
static void edge_destroy_early(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.range_count = 0;
	if (!dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "device", 32);
	dev = dv_device(&d, &m, &cfg);
	CHECK(t, pz_bounce_destroy(m.bounce) == -PZ_EBUSY && m.pm.bugs.count == 1);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* A buffer of no sense in it is told; no hook that is not there is called for it. */
static void edge_odd_buffer(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf, odd;

	if (!cm_simple(&m, t))
		return;
	pz_dma_dev_init(&cfg, "odd", 64);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x3000, &buf) == 0);
	odd = buf;
	odd.mapped = 0xff;
	pz_dma_free(dev, 0, &odd);
	odd = buf;
	odd.from = 0xff;
	pz_dma_free(dev, 0, &odd);
	CHECK(t, m.bugs.count == 2);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, m.bugs.count == 2 && pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* Windows that touch, but not on the bus: what lies across is neither mapped nor promised. */
static void edge_seam(struct tap *t)
{
	const uint64_t seam = DM_LOW + DM_PART / 2;
	struct pz_window w[2] = { { { 0, seam - 1 }, 0 },
				  { { seam, DM_HIGH + DM_PART - 1 }, seam + EDGE_GAP } };
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	struct pz_page_req req;
	uint64_t bus, most, pfn;

	if (!dv_lay_out(&m, t) || !dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "seam", 64);
	cfg.windows = w;
	cfg.window_count = 2;
	dev = dv_device(&d, &m, &cfg);
	CHECK(t, !pz_dma_limited(dev));
	most = pz_dma_max_mapping(dev);
	CHECK_NAMED(t, most == DM_ASIDE, "a bounce buffer is the most that is sure");
	dv_fill(&m, seam - 100, 200, 3);
	bus = pz_dma_map(dev, 0, seam - 100, 200, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, bus != PZ_DMA_ERROR && dv_dev_holds(&d, bus, 200, 3));
	pz_dma_unmap(dev, 0, bus, 200, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
	/* Without anything set aside there is a reserve for that. */
	if (!dv_lay_out(&m, t))
		return;
	m.bc.range_count = 0;
	if (!dv_make(&m))
		return;
	pz_page_req_init(m.pm.pages, &req, 0, 0, 0);
	req.pages = 2;
	req.limits.min_addr = seam - 4096;
	req.limits.max_addr = seam + 4095;
	req.limits.align = 4096;
	CHECK(t, pz_page_request(m.pm.pages, &req, &pfn) == 0);
	dev = dv_device(&d, &m, &cfg);
	bus = pz_dma_map(dev, 0, seam - 100, 200, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, bus != PZ_DMA_ERROR, "a reserve");
	pz_dma_unmap(dev, 0, bus, 200, PZ_DMA_TO_DEVICE, 0);
	pz_free_exact(m.pm.pages, 0, pfn, 2);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* A region of which a device reaches a part serves that part. */
static void edge_region_part(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_region region = { { CM_FIRST + PM_MIB, CM_FIRST + PM_MIB + 0xffff }, NULL };
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_lay_out(&m, t))
		return;
	CHECK(t, pz_memblock_reserve(&m.pm.mb, region.phys.first, 0x10000, PZ_NID_NONE, 0) == 0);
	if (!cm_make(&m))
		return;
	region.cpu_addr = cm_cache(&m, region.phys.first);
	pz_dma_dev_init(&cfg, "region", 32);
	cfg.region = &region;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_set_coherent_mask(dev, region.phys.first + 0xffe) == -PZ_ERANGE);
	CHECK_NAMED(t, pz_dma_set_coherent_mask(dev, region.phys.first + 0xfff) == 0, "one page");
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 4096, &buf) == 0 && buf.phys == region.phys.first);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_alloc(dev, 0, 0, PZ_DMA_NO_KERNEL_MAPPING, 4096, &buf) == 0);
	CHECK_NAMED(t, !buf.cpu_addr, "no address where none was wanted");
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

void contract_dma_edges(struct tap *t)
{
	edge_pieces(t);
	edge_set_other_mask(t);
	edge_private_mask(t);
	edge_sync_wide(t);
	edge_pool_cache(t);
	edge_small_boundary(t);
	edge_pool_align(t);
	edge_pool_high(t);
	edge_node(t);
	edge_area_half_mapped(t);
	edge_mask_bounced(t);
	edge_sizes(t);
	edge_reserve(t);
	edge_share_fails(t);
	edge_idle_pool(t);
	edge_destroy_early(t);
	edge_odd_buffer(t);
	edge_seam(t);
	edge_region_part(t);
}
