/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_hold.c - who holds what of all that is scarce; a page 0 that has no address; bounce
 * buffers that grew and are given back.
 */
#include <physzone/dma_debug.h>
#include <physzone/dma_pool.h>

#include "coherent_machine.h"
#include "dma_device.h"
#include "suites_decl.h"

#define AREA (512 * PM_KIB)
#define REGION (CM_FIRST + PM_MIB)
#define REGION_BYTES 0x40000u
#define ASIDE (REGION + REGION_BYTES)
#define ASIDE_BYTES 0x10000u
#define BLOCK PZ_GFP_BLOCK

/* A machine that has all of it, with the debug mode on. */
struct hold_box {
	struct coherent_machine m;
	struct pz_bounce *bounce;
	struct pz_dma_debug *d;
	struct pz_dma_dev *area, *pooled, *region, *bounced;
};

static bool hold_bounce(struct hold_box *b, struct tap *t)
{
	struct pz_range aside = { ASIDE, ASIDE + ASIDE_BYTES - 1 };
	struct pz_bounce_config cfg = { .cpus = CM_CPUS, .range_count = 1 };

	cfg.ranges = &aside;
	cfg.meta = t->meta;
	cfg.bugs = &b->m.bugs;
	cfg.hooks = b->m.cfg.hooks;
	return CHECK_NAMED(t, pz_bounce_create(&b->bounce, &cfg) == 0, "bounce buffers are made");
}

static bool hold_machine(struct hold_box *b, struct tap *t)
{
	struct pz_cma_req req = { .name = "area", .size = AREA, .base = CM_FIRST, .fixed = true };
	struct pz_dma_debug_config debug = { .entries = 64, .meta = t->meta };
	struct pz_cma_reserved area;
	uint32_t id = 0;

	req.nid = PZ_NID_NONE;
	if (!cm_lay_out(&b->m, t) || pz_cma_reserve(&b->m.pm.mb, &req, 32 * CM_PAGE, &area) ||
	    pz_memblock_reserve(&b->m.pm.mb, REGION, REGION_BYTES + ASIDE_BYTES, PZ_NID_NONE, 0))
		return CHECK_NAMED(t, false, "the machine is laid out");
	cm_with_remap(&b->m);
	if (!pm_make(&b->m.pm) || pz_cma_activate(b->m.pm.pages, &area, &id) || !hold_bounce(b, t))
		return CHECK_NAMED(t, false, "pages are made");
	debug.pages = b->m.pm.pages;
	debug.bugs = &b->m.bugs;
	b->m.cfg.cma = id;
	b->m.cfg.pool_bytes = 0x10000;
	b->m.cfg.bounce = b->bounce;
	return CHECK_NAMED(t, pz_dma_debug_create(&b->d, &debug) == 0, "the debug mode is made") &&
	       (b->m.cfg.debug = b->d) != NULL && cm_make_layer(&b->m);
}

static void hold_devices(struct hold_box *b)
{
	struct pz_dma_region region = { { REGION, REGION + REGION_BYTES - 1 }, NULL };
	struct pz_dma_dev_config cfg;

	region.cpu_addr = cm_cache(&b->m, REGION);
	pz_dma_dev_init(&cfg, "area", 32);
	b->area = cm_device(&b->m, &cfg);
	cfg.name = "bounced";
	cfg.force_bounce = true;
	b->bounced = cm_device(&b->m, &cfg);
	cfg.force_bounce = false;
	cfg.name = "region";
	cfg.region = &region;
	b->region = cm_device(&b->m, &cfg);
	cfg.region = NULL;
	cfg.name = "pooled";
	cfg.coherent = false;
	b->pooled = cm_device(&b->m, &cfg);
}

/* What was visited. */
struct hold_seen {
	struct pz_dma_holder last;
	uint32_t count, layer;
	uint32_t from[5];
};

static int hold_visit(void *ctx, const struct pz_dma_holder *h)
{
	struct hold_seen *s = ctx;

	s->last = *h;
	s->count++;
	s->layer += !h->dev;
	s->from[h->from]++;
	return 0;
}

static struct hold_seen hold_of(const struct hold_box *b, const struct pz_dma_dev *dev)
{
	struct hold_seen s = { { NULL, 0, { 0, 0 }, 0, 0 }, 0, 0, { 0 } };

	(void)pz_dma_holders(b->m.dma, dev, hold_visit, &s);
	return s;
}

/* A device holds one piece, since just now. */
static void hold_one(struct hold_box *b, const struct pz_dma_dev *dev, enum pz_dma_from from,
		     struct pz_range at, uint64_t before)
{
	struct hold_seen s = hold_of(b, dev);
	const struct pz_dma_holder *h = &s.last;

	CHECK_NAMED(b->m.pm.t, s.count == 1 && h->dev == dev && h->from == from,
		    "who holds it, and of what");
	CHECK_NAMED(b->m.pm.t, h->phys.first == at.first && h->phys.last == at.last,
		    "which piece it is");
	CHECK_NAMED(b->m.pm.t, h->since > before && h->since <= b->m.now && h->site == 0x5173,
		    "since when, and from where");
}

static void hold_buffer(struct hold_box *b, struct pz_dma_dev *dev, uint32_t gfp, uint64_t size,
			enum pz_dma_from from)
{
	struct pz_dma_buf buf;
	struct pz_range at;
	uint64_t before = b->m.now;

	b->m.may_block = gfp & BLOCK;
	CHECK(b->m.pm.t, pz_dma_alloc(dev, 0, gfp, 0, size, &buf) == 0 && buf.from == from);
	b->m.may_block = true;
	at.first = buf.phys;
	at.last = buf.phys + ((size + CM_PAGE - 1) & ~(uint64_t)(CM_PAGE - 1)) - 1;
	hold_one(b, dev, from, at, before);
	pz_dma_free(dev, 0, &buf);
	CHECK(b->m.pm.t, hold_of(b, dev).count == 0);
}

static void hold_mapping(struct hold_box *b)
{
	uint64_t phys = 0, before = b->m.now, bus = 0;
	struct pz_limits low = PZ_LIMITS_BITS(32);
	struct pz_range at;

	CHECK(b->m.pm.t, pz_alloc_pages(b->m.pm.pages, 0, 0, 0, &low, &phys) == 0);
	phys <<= 12;
	CHECK(b->m.pm.t,
	      pz_dma_map_try(b->bounced, 0, phys, 0x900, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	at.first = bus;
	at.last = bus + 2 * PZ_BOUNCE_SLOT - 1;
	hold_one(b, b->bounced, PZ_DMA_FROM_BOUNCE, at, before);
	pz_dma_unmap(b->bounced, 0, bus, 0x900, PZ_DMA_TO_DEVICE, 0);
	CHECK(b->m.pm.t, hold_of(b, b->bounced).count == 0);
	pz_free_pages(b->m.pm.pages, 0, phys >> 12, 0);
}

/* The pages of small objects are a device's buffers like any other. */
static void hold_small(struct hold_box *b, struct pz_dma_dev *dev, uint32_t gfp,
		       enum pz_dma_from from)
{
	struct pz_dma_pool_config cfg = { .name = "small", .size = 100 };
	struct pz_dma_pool *p = NULL;
	uint64_t bus = 0, before = b->m.now;
	struct pz_range at;
	void *block;

	CHECK(b->m.pm.t, pz_dma_pool_create(&p, dev, &cfg, NULL) == 0);
	b->m.may_block = gfp & BLOCK;
	block = pz_dma_pool_alloc(p, 0, gfp, &bus);
	b->m.may_block = true;
	CHECK(b->m.pm.t, block != NULL);
	at.first = bus & ~(uint64_t)(CM_PAGE - 1);
	at.last = at.first + CM_PAGE - 1;
	hold_one(b, dev, from, at, before);
	pz_dma_pool_free(p, 0, block, bus);
	CHECK(b->m.pm.t, pz_dma_pool_destroy(p, NULL, NULL) == 0 && hold_of(b, dev).count == 0);
}

static void hold_all(struct tap *t)
{
	struct hold_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));
	struct pz_dma_debug_stat s;
	struct hold_seen seen;

	if (!CHECK_NAMED(t, b != NULL, "there is room for the test") || !hold_machine(b, t))
		return;
	hold_devices(b);
	seen = hold_of(b, NULL);
	CHECK_NAMED(t,
		    seen.count == seen.layer && seen.from[PZ_DMA_FROM_CMA] == seen.count &&
			    seen.count > 0,
		    "the layer itself has a piece of the area, for its pool");
	hold_buffer(b, b->area, BLOCK, 0x2800, PZ_DMA_FROM_CMA);
	hold_buffer(b, b->pooled, 0, 0x1001, PZ_DMA_FROM_ATOMIC);
	hold_buffer(b, b->region, 0, 0x3000, PZ_DMA_FROM_REGION);
	hold_mapping(b);
	hold_small(b, b->pooled, 0, PZ_DMA_FROM_ATOMIC);
	hold_small(b, b->region, BLOCK, PZ_DMA_FROM_REGION);
	CHECK(t, hold_of(b, NULL).count == seen.count && pz_dma_check(b->m.dma) == 0);
	CHECK(t, pz_dma_dev_destroy(b->area) == 0 && pz_dma_dev_destroy(b->region) == 0 &&
			 pz_dma_dev_destroy(b->pooled) == 0 && pz_dma_dev_destroy(b->bounced) == 0);
	pz_dma_debug_stat(b->d, &s);
	CHECK_NAMED(t, !s.errors && s.free == 64 && b->m.bugs.count == 0, "nothing was wrong");
	cm_close(&b->m);
	pz_dma_debug_destroy(b->d);
	CHECK(t, pz_bounce_destroy(b->bounce) == 0);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}

/* --- page 0 --- */

#define NULL_BYTES (256 * PM_KIB)
#define NULL_PAGES ((uint32_t)(NULL_BYTES >> 12))

/* As where memory is mapped at its own address: that of page 0 is none. */
static void *null_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	return phys && bytes <= NULL_BYTES && phys <= NULL_BYTES - bytes
		       ? (unsigned char *)ctx + phys
		       : NULL;
}

/* All pages but page 0 can be had, one after the other, and none twice. */
static void null_pages(struct tap *t, struct pz_dma_dev *dev, uint32_t gfp, uint64_t pages)
{
	struct pz_dma_buf *buf = t->meta->alloc(t->meta->ctx, NULL_PAGES * sizeof(*buf)), two;
	uint64_t n = 0, zero = 0;

	if (!CHECK_NAMED(t, buf != NULL, "there is room for the test"))
		return;
	while (n < NULL_PAGES && !pz_dma_alloc(dev, 0, gfp, 0, 4096, &buf[n])) {
		zero += !buf[n].phys;
		n++;
	}
	CHECK_NAMED(t, n == pages - 1 && !zero, "each page but page 0");
	CHECK(t, pz_dma_alloc(dev, 0, gfp, 0, 4096, &two) == -PZ_ENOMEM);
	while (n)
		pz_dma_free(dev, 0, &buf[--n]);
	/* What frees and takes again does not come upon it either. */
	for (unsigned int i = 0; i < 32; i++) {
		CHECK(t, pz_dma_alloc_pages(dev, 0, gfp, PZ_DMA_TO_DEVICE, 8192, &two) == 0);
		pz_dma_free_pages(dev, 0, &two);
	}
	(void)pz_dma_drain(dev, 0);
	t->meta->free(t->meta->ctx, buf, NULL_PAGES * sizeof(*buf));
}

static void hold_null_page(struct tap *t)
{
	struct page_machine m;
	struct pz_dma_config cfg = { .cpus = 1, .cma = PZ_DMA_NO_CMA, .pool_bytes = UINT64_MAX };
	struct pz_dma_dev_config dc;
	unsigned char *raw = t->meta->alloc(t->meta->ctx, NULL_BYTES + 4096);
	struct pz_dma *dma = NULL;

	if (!CHECK_NAMED(t, raw != NULL, "there is memory") || !pm_simple(&m, t, NULL_BYTES))
		return;
	cfg.pages = m.pages;
	cfg.meta = t->meta;
	cfg.bugs = &m.bugs;
	cfg.hooks.direct = null_direct;
	cfg.hooks.ctx = (void *)(((uintptr_t)raw + 4095) & ~(uintptr_t)4095);
	for (unsigned int i = 0; i < 8; i++) {
		uint32_t gfp = i & 1 ? BLOCK : 0;
		struct pz_dma_dev *dev = NULL;

		cfg.hold = i & 2;
		pz_dma_dev_init(&dc, "null", i & 4 ? 15 : 64);
		CHECK(t, pz_dma_create(&dma, &cfg) == 0 && pz_dma_dev_create(&dev, dma, &dc) == 0);
		null_pages(t, dev, gfp, i & 4 ? 8 : NULL_PAGES);
		CHECK(t, pz_dma_check(dma) == 0);
		CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_dma_destroy(dma) == 0);
		CHECK_NAMED(t, pm_free(&m) == NULL_PAGES && m.bugs.count == 0, "all is free again");
	}
	pm_close(&m);
	t->meta->free(t->meta->ctx, raw, NULL_BYTES + 4096);
}

/* --- bounce buffers that grew --- */

#define GROW_MAPS 24u

static uint64_t hold_trimmed(const struct device_machine *m)
{
	struct pz_bounce_stat s;

	pz_bounce_stat(m->bounce, &s);
	return s.trimmed;
}

/* What grew goes when nobody used it from one call to the next, and not before. */
static void hold_settles(struct tap *t)
{
	struct device_machine m;
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus[GROW_MAPS], once;
	struct pz_bounce_stat s;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.grow_bytes = 64 * PM_KIB;
	if (!dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "narrow", 32);
	dev = dv_device(&d, &m, &cfg);
	for (unsigned int i = 0; i < GROW_MAPS; i++)
		bus[i] = pz_dma_map(dev, 0, DM_HIGH + i * 0x2000, 0x2000, PZ_DMA_TO_DEVICE, 0);
	pz_bounce_stat(m.bounce, &s);
	CHECK_NAMED(t, s.grown > 0 && bus[GROW_MAPS - 1] != PZ_DMA_ERROR, "it grew");
	(void)pz_dma_work(m.dma, 0);
	(void)pz_dma_work(m.dma, 0);
	CHECK_NAMED(t, hold_trimmed(&m) == 0, "what is in use stays");
	for (unsigned int i = 0; i < GROW_MAPS; i++)
		pz_dma_unmap(dev, 0, bus[i], 0x2000, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, pz_dma_work(m.dma, 0) && hold_trimmed(&m) == s.grown,
		    "what was not looked at since goes");
	CHECK(t, !pz_dma_work(m.dma, 0));
	for (unsigned int i = 0; i < GROW_MAPS; i++)
		bus[i] = pz_dma_map(dev, 0, DM_HIGH + i * 0x2000, 0x2000, PZ_DMA_TO_DEVICE, 0);
	for (unsigned int i = 0; i < GROW_MAPS; i++)
		pz_dma_unmap(dev, 0, bus[i], 0x2000, PZ_DMA_TO_DEVICE, 0);
	once = hold_trimmed(&m);
	CHECK_NAMED(t, !pz_dma_work(m.dma, 0) && hold_trimmed(&m) == once,
		    "what was just used stays for a while");
	CHECK_NAMED(t, pz_dma_work(m.dma, 0) && hold_trimmed(&m) > once, "and not for good");
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

void contract_dma_hold(struct tap *t)
{
	hold_all(t);
	hold_null_page(t);
	hold_settles(t);
}
