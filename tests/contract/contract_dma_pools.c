/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_pools.c - coherent buffers from what is scarce: contiguous areas, regions, pools for
 * contexts that may not block; and who holds them.
 */
#include <physzone/bounce.h>

#include "coherent_machine.h"
#include "suites_decl.h"

#define BLOCK PZ_GFP_BLOCK
#define AREA (512 * PM_KIB)

/* What pz_dma_holders() told last, and how many it told. */
struct dma_told {
	struct pz_dma_holder last;
	uint32_t count, layer; /* all; those of the layer itself */
};

static int dma_note(void *ctx, const struct pz_dma_holder *h)
{
	struct dma_told *told = ctx;

	told->last = *h;
	told->count++;
	told->layer += !h->dev;
	return 0;
}

static struct dma_told dma_held(const struct coherent_machine *m, const struct pz_dma_dev *dev)
{
	struct dma_told told = { { NULL, 0, { 0, 0 }, 0, 0 }, 0, 0 };

	pz_dma_holders(m->dma, dev, dma_note, &told);
	return told;
}

/* Set a contiguous area aside at @base; its number is written once the pages are made. */
static bool dma_area(struct coherent_machine *m, uint64_t base, struct pz_cma_reserved *out)
{
	struct pz_cma_req req = { .name = "area", .size = AREA, .fixed = true, .nid = PZ_NID_NONE };

	req.base = base;
	return CHECK_NAMED(m->pm.t, pz_cma_reserve(&m->pm.mb, &req, 32 * CM_PAGE, out) == 0,
			   "an area is set aside");
}

static bool dma_area_start(struct coherent_machine *m, const struct pz_cma_reserved *r,
			   uint32_t *id)
{
	return CHECK_NAMED(m->pm.t, pz_cma_activate(m->pm.pages, r, id) == 0, "the area is used");
}

/* A machine with contiguous areas at 15 MiB and in high memory; the first is the layer's. */
static bool dma_areas(struct coherent_machine *m, struct tap *t, bool remap, uint32_t *high)
{
	struct pz_cma_reserved low, above;
	uint32_t id = 0;

	if (!cm_lay_out(m, t) || !dma_area(m, CM_FIRST, &low) || !dma_area(m, CM_ABOVE, &above))
		return false;
	if (remap)
		cm_with_remap(m);
	if (!pm_make(&m->pm) || !dma_area_start(m, &low, &id) || !dma_area_start(m, &above, high))
		return false;
	m->cfg.cma = id;
	return cm_make_layer(m);
}

/* Who is served from a contiguous area, and who is not. */
static void dma_cma(struct tap *t)
{
	static const struct {
		uint32_t gfp, attrs;
		uint64_t size;
		enum pz_dma_from plain, own; /* without and with an area of its own */
	} v[] = {
		{ BLOCK, 0, 8192, PZ_DMA_FROM_CMA, PZ_DMA_FROM_CMA },
		{ BLOCK, 0, 4096, PZ_DMA_FROM_PAGES, PZ_DMA_FROM_CMA },
		{ BLOCK, 0, 12288, PZ_DMA_FROM_CMA, PZ_DMA_FROM_CMA },
		{ BLOCK, PZ_DMA_SINGLE_PAGES, 8192, PZ_DMA_FROM_PAGES, PZ_DMA_FROM_PAGES },
		{ BLOCK | PZ_GFP_NOMIGRATE, 0, 8192, PZ_DMA_FROM_PAGES, PZ_DMA_FROM_PAGES },
		{ 0, 0, 8192, PZ_DMA_FROM_PAGES, PZ_DMA_FROM_PAGES },
	};
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	uint32_t high = 0;

	if (!dma_areas(&m, t, true, &high))
		return;
	for (unsigned int own = 0; own < 2; own++) {
		pz_dma_dev_init(&cfg, "cma", 64);
		cfg.cma = own ? high : PZ_DMA_NO_CMA;
		dev = cm_device(&m, &cfg);
		for (unsigned int i = 0; i < 6; i++) {
			enum pz_dma_from from = own ? v[i].own : v[i].plain;

			m.may_block = v[i].gfp & BLOCK;
			CHECK(t, pz_dma_alloc(dev, 0, v[i].gfp, v[i].attrs, v[i].size, &buf) == 0);
			CHECK(t, buf.from == from && cm_works(&m, &cfg, &buf));
			CHECK(t, (buf.phys >= CM_ABOVE) == (own && from == PZ_DMA_FROM_CMA));
			CHECK(t, dma_held(&m, dev).count == (from == PZ_DMA_FROM_CMA));
			CHECK(t, pz_dma_check(m.dma) == 0);
			m.may_block = true;
			pz_dma_free(dev, 0, &buf);
			CHECK(t, dma_held(&m, NULL).count == 0 && !m.maps);
		}
		/* More than the area has, and less again: elsewhere. */
		CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, AREA + 1, &buf) == 0 &&
				 buf.from == PZ_DMA_FROM_PAGES);
		pz_dma_free(dev, 0, &buf);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
	}
	/* An area of which the device reaches a part gives that part, one beyond its reach none. */
	pz_dma_dev_init(&cfg, "part", 64);
	cfg.coherent_mask = CM_FIRST + 0x7fff;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x8000, &buf) == 0 && buf.phys == CM_FIRST &&
			 buf.from == PZ_DMA_FROM_CMA);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cfg.coherent_mask = 0xffffffff;
	cfg.cma = high;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 8192, &buf) == 0 && buf.from == PZ_DMA_FROM_PAGES);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* A buffer of a contiguous area bears a record: who, since when, from where; and no other passes.
 */
static void dma_cma_record(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev[2];
	struct pz_dma_buf buf, again, bad;
	struct pz_cma_stat area;
	struct dma_told told;
	uint32_t high = 0;

	if (!dma_areas(&m, t, true, &high))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		pz_dma_dev_init(&cfg, "cma", 32);
		dev[i] = cm_device(&m, &cfg);
	}
	CHECK(t, pz_dma_alloc(dev[0], 0, BLOCK, 0, 8192, &buf) == 0);
	told = dma_held(&m, dev[0]);
	CHECK(t, told.count == 1 && told.last.dev == dev[0] && told.last.from == PZ_DMA_FROM_CMA);
	CHECK(t, told.last.phys.first == buf.phys && told.last.phys.last == buf.phys + 8191);
	CHECK(t, told.last.since == m.now && told.last.site == 0x5173);
	CHECK(t, dma_held(&m, dev[1]).count == 0);
	for (unsigned int i = 0; i < 4; i++) {
		bad = buf;
		if (i == 0)
			bad.record += 1000;
		else if (i == 1)
			bad.serial++;
		else if (i == 2)
			bad.size += 4096;
		pz_dma_free(dev[i == 3], 0, &bad);
		CHECK(t, m.bugs.count == i + 1 && dma_held(&m, NULL).count == 1);
	}
	pz_dma_free(dev[0], 0, &buf);
	/* The same place and record anew: a copy of what was there before is another buffer. */
	CHECK(t, pz_dma_alloc(dev[0], 0, BLOCK, 0, 8192, &again) == 0 && again.phys == buf.phys &&
			 again.record == buf.record);
	pz_dma_free(dev[0], 0, &buf);
	CHECK(t, m.bugs.count == 5 && dma_held(&m, NULL).count == 1);
	pz_dma_free(dev[0], 0, &again);
	/* An area that is not mapped and cannot be is of no use for what the CPU looks at. */
	m.fail_remap = 1;
	cfg.cma = high;
	cfg.mask = cfg.coherent_mask = UINT64_MAX;
	CHECK(t, pz_dma_dev_destroy(dev[1]) == 0);
	dev[1] = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev[1], 0, BLOCK, 0, 8192, &buf) == 0 && buf.phys < CM_ABOVE);
	pz_dma_free(dev[1], 0, &buf);
	CHECK(t, pz_cma_stat(m.pm.pages, high, &area) == 0 && area.taken == 0);
	for (unsigned int i = 0; i < 2; i++)
		CHECK(t, pz_dma_dev_destroy(dev[i]) == 0);
	cm_close(&m);
}

/* An area without a place that is aligned as wanted gives one that is aligned to 1 MiB or so. */
static void dma_cma_large(struct tap *t)
{
	struct coherent_machine m;
	struct pz_cma_reserved low;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	struct pz_cma_req req = { .size = CM_LOW, .base = CM_FIRST, .fixed = true };
	uint32_t id = 0;

	req.nid = PZ_NID_NONE;
	if (!cm_lay_out_flat(&m, t) ||
	    !CHECK(t, pz_cma_reserve(&m.pm.mb, &req, 32 * CM_PAGE, &low) == 0) || !pm_make(&m.pm) ||
	    !dma_area_start(&m, &low, &id))
		return;
	m.cfg.cma = id;
	if (!cm_make_layer(&m))
		return;
	pz_dma_dev_init(&cfg, "large", 32);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, CM_LOW, &buf) == 0 && buf.phys == CM_FIRST);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/*
 * A contiguous area in low memory, whose zone passed for one of high memory. What asks the zone
 * finds no address for its pages, and who writes there anyway writes to address 0; what asks the
 * address is served. @rule is what the machine's hook for direct addresses goes by; the outcome is
 * whether the area's memory could be used without being mapped anew.
 */
static bool dma_uses_low_area(struct tap *t, enum cm_rule rule, bool *crash)
{
	struct coherent_machine m;
	struct pz_cma_reserved low;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	uint64_t pfn = 0;
	uint32_t id = 0;
	bool used;

	if (!cm_lay_out(&m, t) || !dma_area(&m, CM_FIRST, &low) || !pm_make(&m.pm) ||
	    !dma_area_start(&m, &low, &id))
		return false;
	m.rule = rule;
	m.movable = low.range;
	m.cfg.cma = id;
	if (!cm_make_layer(&m))
		return false;
	/* The way of the crash: pages of the area, their address as the rule has it, zeroes. */
	CHECK(t, pz_cma_alloc(m.pm.pages, 0, id, 2, 1, NULL, &pfn) == 0);
	*crash = !m.cfg.hooks.direct(&m, pfn << 12, 8192);
	CHECK(t, pz_cma_release(m.pm.pages, 0, id, pfn, 2));
	pz_dma_dev_init(&cfg, "piix", 32);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 8192, &buf) == 0);
	CHECK_NAMED(t, buf.cpu_addr && cm_works(&m, &cfg, &buf), "never an address of NULL");
	used = buf.from == PZ_DMA_FROM_CMA;
	CHECK(t, !used || buf.cpu_addr == cm_cache(&m, buf.phys));
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
	return used;
}

static void dma_area_in_movable_zone(struct tap *t)
{
	bool crash = false;

	CHECK_NAMED(t, !dma_uses_low_area(t, CM_BY_ZONE, &crash) && crash,
		    "by zone: no address, which crashed; the area is of no use");
	CHECK_NAMED(t, dma_uses_low_area(t, CM_BY_ADDRESS, &crash) && !crash,
		    "by address: the area is used as it is mapped");
}

/* A device's own region: all its buffers are there, and none elsewhere. */
static void dma_region(struct tap *t)
{
	struct pm_region hole = { CM_FIRST + PM_MIB, 0x40000, 0, true };
	struct coherent_machine m;
	struct pz_dma_region region, other;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev[2], *dev3;
	struct pz_dma_buf buf[3];
	struct dma_told told;

	for (unsigned int remap = 0; remap < 2; remap++) {
		if (!cm_lay_out(&m, t))
			return;
		CHECK(t, pz_memblock_reserve(&m.pm.mb, hole.base, hole.size, PZ_NID_NONE, 0) == 0);
		cm_with_remap(&m);
		if (!cm_make(&m))
			return;
		region.phys.first = hole.base;
		region.phys.last = hole.base + hole.size - 1;
		region.cpu_addr = remap ? NULL : cm_memory(&m, hole.base);
		pz_dma_dev_init(&cfg, "region", 32);
		cfg.region = &region;
		cfg.coherent = false;
		dev[0] = cm_device(&m, &cfg);
		dev[1] = cm_device(&m, &cfg);
		CHECK(t, m.maps == remap);
		m.may_block = false;
		CHECK(t, pz_dma_alloc(dev[0], 0, 0, 0, 0x1001, &buf[0]) == 0);
		CHECK(t, buf[0].from == PZ_DMA_FROM_REGION && cm_works(&m, &cfg, &buf[0]));
		CHECK(t, pz_dma_alloc(dev[1], 0, 0, 0, 0x20000, &buf[1]) == 0);
		CHECK(t, cm_works(&m, &cfg, &buf[1]) && buf[1].phys == hole.base + 0x20000);
		CHECK(t, pz_dma_alloc(dev[0], 0, 0, 0, 0x20000, &buf[2]) == -PZ_ENOMEM);
		CHECK(t, pz_dma_alloc(dev[0], 0, 0, 0, 0x40001, &buf[2]) == -PZ_ERANGE);
		told = dma_held(&m, dev[1]);
		CHECK(t, told.count == 1 && told.last.from == PZ_DMA_FROM_REGION &&
				 told.last.phys.first == buf[1].phys);
		CHECK(t, dma_held(&m, NULL).count == 2 && pz_dma_check(m.dma) == 0);
		/* Another device's buffer, and one that is free. */
		pz_dma_free(dev[0], 0, &buf[1]);
		CHECK(t, m.bugs.count == 1);
		pz_dma_free(dev[1], 0, &buf[1]);
		pz_dma_free(dev[1], 0, &buf[1]);
		CHECK(t, m.bugs.count == 2 && dma_held(&m, NULL).count == 1);
		/* A region that overlaps it without being the same; one that pages have. */
		other = region;
		other.phys.last -= 0x1000;
		cfg.region = &other;
		m.may_block = true;
		CHECK(t, pz_dma_dev_create(&dev3, m.dma, &cfg) == -PZ_EEXIST);
		other.phys.last = region.phys.last + 0x1000;
		other.phys.first = region.phys.last + 1;
		CHECK(t, pz_dma_dev_create(&dev3, m.dma, &cfg) == -PZ_EINVAL);
		/* Masks are held against the region. */
		CHECK(t, pz_dma_set_coherent_mask(dev[1], hole.base) == -PZ_ERANGE);
		CHECK(t, pz_dma_set_coherent_mask(dev[1], region.phys.last) == 0);
		pz_dma_free(dev[0], 0, &buf[0]);
		CHECK(t, pz_dma_dev_destroy(dev[0]) == 0 && m.maps == remap);
		CHECK(t, pz_dma_dev_destroy(dev[1]) == 0 && m.maps == 0);
		m.fail_remap = 1;
		cfg.region = &region;
		if (remap)
			CHECK(t, pz_dma_dev_create(&dev3, m.dma, &cfg) == -PZ_ENOMEM);
		cm_close(&m);
	}
}

/* A device that sees nothing but its bounce buffers has its coherent buffers there. */
static void dma_restricted(struct tap *t)
{
	struct pz_range aside = { CM_FIRST + PM_MIB, CM_FIRST + PM_MIB + 0xffff };
	struct coherent_machine m;
	struct pz_bounce_config bounce = { .cpus = CM_CPUS, .range_count = 1 };
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_bounce *b = NULL;
	struct pz_dma_buf buf, more;
	struct pz_sg sg[2];
	uint32_t n = 0;

	if (!cm_lay_out(&m, t))
		return;
	CHECK(t, pz_memblock_reserve(&m.pm.mb, aside.first, 0x10000, PZ_NID_NONE, 0) == 0);
	cm_with_remap(&m);
	if (!cm_make(&m))
		return;
	bounce.ranges = &aside;
	bounce.meta = m.cfg.meta;
	bounce.bugs = &m.bugs;
	bounce.hooks = m.cfg.hooks;
	if (!CHECK(t, pz_bounce_create(&b, &bounce) == 0))
		return;
	pz_dma_dev_init(&cfg, "restricted", 32);
	cfg.restricted = b;
	for (unsigned int blind = 0; blind < 2; blind++) {
		uint64_t told = m.bugs.count;

		cfg.coherent = !blind;
		dev = cm_device(&m, &cfg);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x2000, &buf) == (blind ? -PZ_ERANGE : 0));
		if (!blind)
			pz_dma_free(dev, 0, &buf);
		CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x3001, &buf) == 0);
		CHECK(t, buf.from == PZ_DMA_FROM_BOUNCE && cm_works(&m, &cfg, &buf) &&
				 m.maps == blind);
		CHECK(t, buf.phys >= aside.first && buf.phys + 0x3000 <= aside.last);
		CHECK(t, dma_held(&m, dev).count == 1 && dma_held(&m, NULL).count == 1 &&
				 dma_held(&m, dev).last.from == PZ_DMA_FROM_BOUNCE);
		CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x10000, &more) == -PZ_ENOMEM);
		CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x20000, &more) == -PZ_ERANGE);
		CHECK(t,
		      pz_dma_alloc_noncontiguous(dev, 0, 0, 0, 0x3000, sg, 2, &n) == 0 && n == 2);
		pz_dma_free_noncontiguous(dev, 0, sg, n);
		CHECK(t, pz_dma_dev_destroy(dev) == -PZ_EBUSY);
		pz_dma_free(dev, 0, &buf);
		CHECK(t, m.maps == 0 && m.bugs.count == told + 1);
		pz_dma_free(dev, 0, &buf);
		CHECK(t, m.bugs.count == told + 2 && !m.strange);
		CHECK(t, pz_dma_set_masks(dev, aside.first) == -PZ_ERANGE);
		CHECK(t, pz_dma_set_masks(dev, aside.last) == 0);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
	}
	CHECK(t, pz_bounce_destroy(b) == 0);
	cm_close(&m);
}

static struct pz_dma_pool_stat dma_pool(const struct coherent_machine *m, uint32_t count)
{
	struct pz_dma_pool_stat s[4] = { { { 0, 0 }, 0, false, 0, 0, 0, 0, 0, 0 } };

	CHECK(m->pm.t, pz_dma_pool_stats(m->dma, s, 4) == count);
	return s[0];
}

/* A machine where some devices need a pool: what is shared, or mapped anew. */
static bool dma_pooled(struct coherent_machine *m, struct tap *t, uint64_t bytes)
{
	if (!cm_lay_out(m, t))
		return false;
	cm_with_remap(m);
	cm_with_share(m);
	m->cfg.pool_bytes = bytes;
	return cm_make(m);
}

/* One pool for each reach that needs one, and for what is done to its memory. */
static void dma_pool_which(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev[5];
	struct pz_dma_pool_stat s;
	struct pz_dma_buf buf;

	if (!dma_pooled(&m, t, 0x10000))
		return;
	pz_dma_dev_init(&cfg, "plain", 32);
	dev[0] = cm_device(&m, &cfg);
	dma_pool(&m, 0);
	cfg.atomic = true;
	dev[1] = cm_device(&m, &cfg);
	s = dma_pool(&m, 1);
	CHECK(t, s.devices == 1 && s.possible && s.bytes == 0x10000 && s.free == 0x10000 &&
			 s.largest == 0x10000 && s.low == 0x8000);
	CHECK(t, s.span.first == 0 && s.span.last == 0xffffffff && m.maps == 0);
	dev[2] = cm_device(&m, &cfg);
	CHECK(t, dma_pool(&m, 1).devices == 2);
	cfg.coherent = false;
	dev[3] = cm_device(&m, &cfg);
	CHECK(t, dma_pool(&m, 2).devices == 1 && m.maps > 0);
	/* Nothing is managed within its reach: there is a pool, but nobody is asked for memory. */
	pz_dma_dev_init(&cfg, "none", 20);
	cfg.atomic = true;
	dev[4] = cm_device(&m, &cfg);
	s = dma_pool(&m, 3);
	CHECK(t, !s.possible && !s.bytes && s.span.last == 0xfffff);
	CHECK(t, pz_dma_alloc(dev[4], 0, 0, 0, 1, &buf) == -PZ_ERANGE);
	CHECK(t, !pz_dma_work(m.dma, 0));
	/* Another reach: another pool; the last device of one takes its memory along. */
	CHECK(t, pz_dma_set_masks(dev[1], 0xffffff) == 0 && dma_pool(&m, 4).devices == 1);
	CHECK(t, pz_dma_set_masks(dev[1], 0xffffffff) == 0);
	dma_pool(&m, 3);
	CHECK(t, pz_dma_check(m.dma) == 0);
	for (unsigned int i = 0; i < 5; i++)
		CHECK(t, pz_dma_dev_destroy(dev[i]) == 0);
	dma_pool(&m, 0);
	CHECK(t, cm_free(&m) == m.managed && m.maps == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* A device whose memory must be mapped and shared, in a context that may not block. */
static void dma_pool_use(struct tap *t)
{
	for (unsigned int kind = 0; kind < 3; kind++) {
		struct coherent_machine m;
		struct pz_dma_dev_config cfg;
		struct pz_dma_dev *dev;
		struct pz_dma_pool_stat s;
		struct pz_dma_buf buf[16], more;
		struct dma_told told;
		unsigned int n = 0;

		if (!dma_pooled(&m, t, 0x10000))
			return;
		pz_dma_dev_init(&cfg, "atomic", 32);
		cfg.coherent = kind == 0;
		cfg.shared = kind != 1;
		dev = cm_device(&m, &cfg);
		CHECK(t, m.shared == (cfg.shared ? 0x10000u : 0) && (kind == 0) == (m.maps == 0));
		m.may_block = false;
		while (n < 16 && !pz_dma_alloc(dev, 0, 0, 0, 0x1000, &buf[n])) {
			CHECK(t, buf[n].from == PZ_DMA_FROM_ATOMIC && cm_works(&m, &cfg, &buf[n]));
			n++;
		}
		CHECK(t, n == 16 && pz_dma_alloc(dev, 0, 0, 0, 1, &more) == -PZ_ENOMEM);
		CHECK(t, dma_held(&m, dev).count == 16 && pz_dma_check(m.dma) == 0);
		told = dma_held(&m, NULL);
		CHECK(t,
		      told.last.from == PZ_DMA_FROM_ATOMIC && told.last.since && told.count == 16);
		s = dma_pool(&m, 1);
		CHECK(t, s.allocs == 16 && s.fails == 1 && s.free == 0 && s.largest == 0);
		/* It asked once that somebody comes; who may block does the work. */
		CHECK(t, m.asked_work == 1);
		m.may_block = true;
		CHECK(t, pz_dma_work(m.dma, 0));
		s = dma_pool(&m, 1);
		CHECK(t, s.bytes == 0x20000 && s.free == 0x10000);
		m.may_block = false;
		for (unsigned int i = 0; i < 16; i++)
			pz_dma_free(dev, 1, &buf[i]);
		pz_dma_free(dev, 1, &buf[3]);
		CHECK(t, m.bugs.count == 1 && dma_held(&m, NULL).count == 0);
		/* Now it has twice what it needs, but no more: it keeps that. */
		m.may_block = true;
		CHECK(t, !pz_dma_work(m.dma, 0) && dma_pool(&m, 1).bytes == 0x20000);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
		CHECK(t, cm_free(&m) == m.managed && m.maps == 0 && m.shared == 0);
		cm_close(&m);
	}
}

/* A pool grows ahead of need, for what it had no room for, and shrinks when that is past. */
static void dma_pool_size(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf[12], large;

	if (!dma_pooled(&m, t, 0x8000))
		return;
	pz_dma_dev_init(&cfg, "grows", 32);
	cfg.coherent = false;
	dev = cm_device(&m, &cfg);
	/* Somebody who may block passes by when it is low. */
	for (unsigned int i = 0; i < 5; i++)
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x1000, &buf[i]) == 0);
	CHECK(t, dma_pool(&m, 1).free == 0x3000 && m.asked_work == 1);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x1000, &buf[5]) == 0 &&
			 buf[5].from == PZ_DMA_FROM_PAGES);
	CHECK(t, dma_pool(&m, 1).free >= 0x8000);
	/* Asked for in vain, then had. */
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x20000, &large) == -PZ_ENOMEM && m.asked_work == 2);
	CHECK(t, pz_dma_work(m.dma, 0) && dma_pool(&m, 1).largest >= 0x20000);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x20000, &large) == 0 && cm_works(&m, &cfg, &large));
	pz_dma_free(dev, 0, &large);
	/* In vain, and cannot be had: it does not grow for that, however often it is asked. */
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t bytes = dma_pool(&m, 1).bytes;

		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x600000, &large) != 0);
		(void)pz_dma_work(m.dma, 0);
		CHECK(t, dma_pool(&m, 1).bytes == bytes);
	}
	for (unsigned int i = 0; i < 6; i++)
		pz_dma_free(dev, 0, &buf[i]);
	CHECK(t, pz_dma_check(m.dma) == 0 && pz_dma_dev_destroy(dev) == 0);
	CHECK(t, cm_free(&m) == m.managed && m.bugs.count == 0);
	/* Many at once, and then none: what is above twice the need goes back. */
	dev = cm_device(&m, &cfg);
	for (unsigned int i = 0; i < 12; i++) {
		if (i % 4 == 3)
			(void)pz_dma_work(m.dma, 0);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x2000, &buf[i]) == 0);
	}
	CHECK(t, dma_pool(&m, 1).bytes >= 0x18000);
	for (unsigned int i = 0; i < 12; i++)
		pz_dma_free(dev, 0, &buf[i]);
	CHECK(t, pz_dma_work(m.dma, 0) && dma_pool(&m, 1).bytes <= 0x10000 &&
			 dma_pool(&m, 1).free >= 0x8000);
	CHECK(t, !pz_dma_work(m.dma, 0));
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* A reserve for a device that needs nothing done, when there are no pages; and memory that is
 * short.
 */
static void dma_pool_reserve(struct tap *t)
{
	struct pz_limits isa = PZ_LIMITS_BITS(24);
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev, *late;
	struct pz_dma_buf buf, none;
	uint64_t pfn[512];
	uint32_t had;

	if (!dma_pooled(&m, t, 0x4000))
		return;
	pz_dma_dev_init(&cfg, "reserve", 24);
	cfg.atomic = true;
	dev = cm_device(&m, &cfg);
	had = pz_alloc_bulk(m.pm.pages, 0, 0, &isa, 512, pfn);
	CHECK(t, had == (PM_MIB - 0x4000) / CM_PAGE);
	m.may_block = false;
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x4000, &buf) == 0 && buf.from == PZ_DMA_FROM_ATOMIC &&
			 cm_works(&m, &cfg, &buf));
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 1, &none) == -PZ_ENOMEM);
	m.may_block = true;
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1, &none) == -PZ_ENOMEM);
	/* A device is made even when its pool finds nothing. */
	cfg.coherent = false;
	late = cm_device(&m, &cfg);
	CHECK(t, dma_pool(&m, 2).bytes == 0);
	pz_free_bulk(m.pm.pages, 0, had / 2, pfn);
	CHECK(t, pz_dma_work(m.dma, 0) && dma_pool(&m, 2).bytes >= 0x4000);
	pz_free_bulk(m.pm.pages, 0, had - had / 2, pfn + had / 2);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_dma_dev_destroy(late) == 0);
	CHECK(t, m.bugs.count == 0);
	cm_close(&m);
}

/* The hooks fail while a pool grows; memory that is shared for devices in pieces and pages. */
static void dma_pool_odd(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	struct pz_sg sg[4];
	uint32_t n = 0;

	if (!dma_pooled(&m, t, 0x10000))
		return;
	pz_dma_dev_init(&cfg, "odd", 32);
	cfg.coherent = false;
	cfg.shared = true;
	m.fail_remap = 3;
	dev = cm_device(&m, &cfg);
	CHECK(t, dma_pool(&m, 1).bytes >= 0x1000 && pz_dma_lost(m.dma) == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && cm_free(&m) == m.managed);
	m.fail_share = 1;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_lost(m.dma) == 0x10000 && dma_pool(&m, 1).bytes == 0x10000);
	m.may_block = false;
	CHECK(t, pz_dma_alloc_pages(dev, 0, 0, PZ_DMA_BIDIRECTIONAL, 0x2000, &buf) == 0);
	CHECK(t, buf.from == PZ_DMA_FROM_ATOMIC && buf.cpu_addr == cm_cache(&m, buf.phys) &&
			 !cm_cache(&m, buf.phys)[0x1fff] && !cm_memory(&m, buf.phys)[0]);
	pz_dma_free_pages(dev, 0, &buf);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, 0, 0, 0x3000, sg, 4, &n) == 0 && n == 2);
	CHECK(t, dma_held(&m, dev).count == 2);
	pz_dma_free_noncontiguous(dev, 0, sg, n);
	m.may_block = true;
	CHECK(t, pz_dma_alloc_pages(dev, 0, BLOCK, PZ_DMA_BIDIRECTIONAL, 0x2000, &buf) == 0 &&
			 buf.from == PZ_DMA_FROM_PAGES && m.shared == 0x10000 + 0x2000);
	pz_dma_free_pages(dev, 0, &buf);
	m.fail_share = 1;
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_dma_lost(m.dma) == 0x18000);
	m.lost = 0x18000;
	CHECK(t, m.bugs.count == 0);
	cm_close(&m);
}

/* Chunks of pools come from the layer's contiguous area first, and are recorded there. */
static void dma_pool_from_area(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_cma_stat area;
	struct pz_dma_buf buf;
	uint32_t high = 0;

	if (!dma_areas(&m, t, true, &high))
		return;
	CHECK(t, pz_dma_destroy(m.dma) == 0);
	m.cfg.pool_bytes = 0x10000;
	if (!cm_make_layer(&m))
		return;
	pz_dma_dev_init(&cfg, "pool", 32);
	cfg.coherent = false;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_cma_stat(m.pm.pages, m.cfg.cma, &area) == 0 && area.taken == 16);
	CHECK(t, dma_held(&m, NULL).count == 1 && dma_held(&m, NULL).layer == 1);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x3000, &buf) == 0 && cm_works(&m, &cfg, &buf));
	CHECK(t, dma_held(&m, NULL).count == 2 && pz_dma_check(m.dma) == 0);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	CHECK(t, pz_cma_stat(m.pm.pages, m.cfg.cma, &area) == 0 && area.taken == 0);
	cm_close(&m);
}

void contract_dma_pools(struct tap *t)
{
	dma_cma(t);
	dma_cma_record(t);
	dma_cma_large(t);
	dma_area_in_movable_zone(t);
	dma_region(t);
	dma_restricted(t);
	dma_pool_which(t);
	dma_pool_use(t);
	dma_pool_size(t);
	dma_pool_reserve(t);
	dma_pool_odd(t);
	dma_pool_from_area(t);
}
