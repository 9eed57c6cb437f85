/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_bounce.c - bounce buffers: areas, reserves, growth, restricted devices, accounts.
 */
#include "dma_device.h"
#include "suites_decl.h"

#define LOW (DM_LOW + DM_ASIDE) /* memory that the page allocator has */

static struct pz_dma_dev *bnc_device(struct dma_device *d, struct device_machine *m,
				     unsigned int bits)
{
	struct pz_dma_dev_config cfg;

	pz_dma_dev_init(&cfg, "device", bits);
	return dv_device(d, m, &cfg);
}

static struct pz_bounce_stat bnc_stat(const struct device_machine *m)
{
	struct pz_bounce_stat s;

	pz_bounce_stat(m->bounce, &s);
	return s;
}

static uint64_t bnc_map(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size)
{
	return pz_dma_map(dev, cpu, phys, size, PZ_DMA_TO_DEVICE, 0);
}

static void bnc_unmap(struct pz_dma_dev *dev, uint64_t bus, uint64_t size)
{
	pz_dma_unmap(dev, 0, bus, size, PZ_DMA_TO_DEVICE, 0);
}

/* --- what is refused --- */

static void bnc_malformed(struct tap *t)
{
	struct pz_range r[2] = { { DM_LOW, DM_LOW + 0xffff },
				 { DM_LOW + 0x8000, DM_LOW + 0xffff } };
	struct pz_bounce *b;
	struct device_machine m;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.ranges = r;
	m.bc.range_count = 2;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_EINVAL, "ranges overlap");
	m.bc.range_count = 1;
	r[0].last--;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_EINVAL, "no whole pages");
	r[0].last++;
	r[0].first += DM_PART;
	r[0].last += DM_PART;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_EINVAL, "not mapped");
	r[0].first -= DM_PART;
	r[0].last -= DM_PART;
	m.bc.cpus = 0;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_EINVAL, "no CPU");
	m.bc.cpus = 1;
	m.bc.shared = true;
	m.share_fails = true;
	m.share_says = -PZ_ENOMEM;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_ENOMEM, "it cannot be shared");
	m.bc.hooks.share = NULL;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_EINVAL, "there is no share hook");
	m.bc.shared = false;
	m.bc.hooks.direct = NULL;
	CHECK_NAMED(t, pz_bounce_create(&b, &m.bc) == -PZ_EINVAL, "there is no direct hook");
	CHECK(t, pz_bounce_destroy(NULL) == 0);
	dv_close(&m);
}

/* --- slots and areas --- */

static void bnc_areas(struct tap *t)
{
	struct pz_bounce_pool pool[2];
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus[3];

	if (!dv_lay_out(&m, t))
		return;
	m.bc.cpus = m.dc.cpus = 4;
	if (!dv_make(&m))
		return;
	dev = bnc_device(&d, &m, 32);
	bus[0] = bnc_map(dev, 0, DM_HIGH, 100);
	bus[1] = bnc_map(dev, 1, DM_HIGH, 5000);
	bus[2] = bnc_map(dev, 6, DM_HIGH, 100);
	CHECK_NAMED(t,
		    bus[0] == DM_LOW && bus[1] == DM_LOW + DM_ASIDE / 4 &&
			    bus[2] == DM_LOW + DM_ASIDE / 2,
		    "CPUs begin apart");
	CHECK(t, pz_bounce_area_used(m.bounce, 0, 1) == 3 &&
			 pz_bounce_area_used(m.bounce, 0, 2) == 1 &&
			 pz_bounce_area_used(m.bounce, 0, 3) == 0 &&
			 pz_bounce_area_used(m.bounce, 0, 4) == 0 &&
			 pz_bounce_area_used(m.bounce, 1, 0) == 0);
	CHECK(t, pz_bounce_pools(m.bounce, pool, 2) == 1 && pool[0].kind == PZ_BOUNCE_BASE &&
			 pool[0].areas == 4 && pool[0].slots == 64 && pool[0].used == 5 &&
			 pool[0].high == 5 && pool[0].largest == 31);
	CHECK(t, pool[0].phys.first == DM_LOW && pool[0].phys.last == DM_LOW + DM_ASIDE - 1);
	CHECK(t, pz_bounce_check(m.bounce) == 0);
	bnc_unmap(dev, bus[1], 5000);
	bus[1] = bnc_map(dev, PZ_CPU_NONE, DM_HIGH, 2048 * 31);
	CHECK_NAMED(t, bus[1] == DM_LOW + 2048, "a run may lie in several areas");
	CHECK(t, bnc_stat(&m).used == 33 && bnc_stat(&m).largest == 31);
	CHECK(t, bnc_map(dev, 3, DM_HIGH, 2048 * 32) == PZ_DMA_ERROR);
	CHECK_NAMED(t, bnc_stat(&m).full == 1 && bnc_stat(&m).fragmented == 0, "too few slots");
	bnc_unmap(dev, bus[1], 2048 * 31);
	CHECK(t, bnc_map(dev, 3, DM_HIGH, 2048 * 32) == PZ_DMA_ERROR);
	CHECK_NAMED(t, bnc_stat(&m).full == 1 && bnc_stat(&m).fragmented == 1,
		    "enough of them, but scattered");
	bnc_unmap(dev, bus[0], 100);
	bnc_unmap(dev, bus[2], 100);
	CHECK(t, bnc_stat(&m).used == 0 && bnc_stat(&m).largest == 64);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* --- runs that CPUs keep --- */

static bool bnc_all_free(const struct device_machine *m)
{
	struct pz_bounce_stat s = bnc_stat(m);

	return s.used == 0 && s.largest == 64 && pz_bounce_check(m->bounce) == 0;
}

static void bnc_keep(struct pz_dma_dev *dev, uint32_t cpu, uint64_t size)
{
	uint64_t bus = bnc_map(dev, cpu, DM_HIGH, size);

	pz_dma_unmap(dev, cpu, bus, size, PZ_DMA_TO_DEVICE, 0);
}

static void bnc_kept(struct tap *t)
{
	struct pz_dma_dev *dev, *other;
	struct pz_dma_dev_config cfg;
	struct device_machine m;
	struct dma_device d[2];
	uint64_t bus[3];

	if (!dv_lay_out(&m, t))
		return;
	m.bc.cpus = m.dc.cpus = 4;
	if (!dv_make(&m))
		return;
	dev = bnc_device(&d[0], &m, 32);
	bus[0] = bnc_map(dev, 1, DM_HIGH, 4096);
	pz_dma_unmap(dev, 3, bus[0], 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, bnc_all_free(&m), "what a CPU keeps counts as free");
	bus[1] = bnc_map(dev, 3, DM_HIGH, 4095);
	CHECK_NAMED(t, bus[1] == bus[0], "the CPU that freed it gets it again");
	CHECK(t, bnc_stat(&m).used == 2 && bnc_stat(&m).largest != 64);
	pz_dma_unmap(dev, 3, bus[1], 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, m.pm.bugs.count == 1, "misuse of it is told");
	pz_dma_unmap(dev, 3, bus[1], 4095, PZ_DMA_TO_DEVICE, 0);
	pz_dma_unmap(dev, 3, bus[1], 4095, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, m.pm.bugs.count == 2 && bnc_all_free(&m), "it is not mapped while kept");
	bus[0] = bnc_map(dev, 3, DM_HIGH, 100);
	bus[2] = bnc_map(dev, 3, DM_HIGH, 2048);
	CHECK_NAMED(t, bus[0] == bus[1] && bus[2] == bus[1] + 2048, "slot by slot");
	bnc_unmap(dev, bus[0], 100);
	bnc_unmap(dev, bus[2], 2048);
	for (uint32_t cpu = 0; cpu < 4; cpu++)
		bnc_keep(dev, cpu, 8192);
	CHECK(t, bnc_all_free(&m));
	bus[0] = bnc_map(dev, 2, DM_HIGH, DM_ASIDE);
	CHECK_NAMED(t, bus[0] == DM_LOW, "whoever needs it takes it from all of them");
	bnc_unmap(dev, bus[0], DM_ASIDE);
	CHECK_NAMED(t, bnc_all_free(&m) && bnc_stat(&m).full == 0, "nobody was refused");
	pz_dma_dev_init(&cfg, "aligned", 32);
	cfg.align = 16384;
	other = dv_device(&d[1], &m, &cfg);
	bnc_keep(dev, 0, 2048);
	bus[0] = bnc_map(dev, 1, DM_HIGH, 2048);
	bnc_keep(dev, 1, 2048);
	bus[1] = bnc_map(other, 1, DM_HIGH, 2048);
	CHECK_NAMED(t, bus[1] % 16384 == 0, "a device gets only what suits it");
	CHECK(t, pz_bounce_check(m.bounce) == 0 && bnc_stat(&m).used == 2);
	bnc_unmap(dev, bus[0], 2048);
	bnc_unmap(other, bus[1], 2048);
	CHECK(t, bnc_all_free(&m));
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_dma_dev_destroy(other) == 0);
	dv_close(&m);
}

/* --- who holds what --- */

struct bnc_seen {
	uint32_t n, stop;
	struct pz_bounce_use use[4];
};

static int bnc_see(void *ctx, const struct pz_bounce_use *u)
{
	struct bnc_seen *s = ctx;

	if (s->n < 4)
		s->use[s->n] = *u;
	s->n++;
	return s->n == s->stop ? 7 : 0;
}

static void bnc_holders(struct tap *t)
{
	struct bnc_seen s = { 0, 0, { { 0 } } };
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev, *other;
	uint64_t bus[2], phys;
	void *mem;

	if (!dv_lay_out(&m, t) || !dv_make(&m))
		return;
	dev = bnc_device(&d, &m, 32);
	other = bnc_device(&d, &m, 32);
	bus[0] = bnc_map(dev, 0, DM_HIGH + 9, 3000);
	bus[1] = bnc_map(other, 0, DM_HIGH, 10);
	CHECK(t, pz_bounce_take(m.bounce, dev, 0, 4096, 4096, &phys, &mem) == 0);
	CHECK(t, pz_bounce_for_each(m.bounce, dev, bnc_see, &s) == 0 && s.n == 2);
	CHECK(t, s.use[0].dev == dev && s.use[0].phys == DM_HIGH + 9 && s.use[0].size == 3000 &&
			 s.use[0].dir == PZ_DMA_TO_DEVICE && s.use[0].slots.first == bus[0] &&
			 s.use[0].slots.last == bus[0] + 4095);
	CHECK(t, s.use[0].since && s.use[0].since < s.use[1].since && s.use[0].site == 0x517e);
	CHECK(t, s.use[1].dir == PZ_DMA_NONE && s.use[1].phys == phys);
	s.n = 0;
	s.stop = 2;
	CHECK(t, pz_bounce_for_each(m.bounce, NULL, bnc_see, &s) == 7 && s.n == 2);
	CHECK(t, pz_bounce_has(m.bounce, phys) && !pz_bounce_has(m.bounce, DM_LOW + DM_ASIDE));
	CHECK_NAMED(t, pz_bounce_destroy(m.bounce) == -PZ_EBUSY, "slots are in use");
	CHECK(t, m.pm.bugs.count == 1);
	bnc_unmap(dev, bus[0], 3000);
	bnc_unmap(other, bus[1], 10);
	CHECK(t, pz_bounce_give(m.bounce, dev, phys, 4096));
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_dma_dev_destroy(other) == 0);
	dv_close(&m);
}

/* --- reserves: each distinct reach of devices that need it --- */

/* The range that was set aside lies where a 24-bit device cannot see it. */
static void bnc_reserves(struct tap *t)
{
	struct pz_window w = { { DM_LOW + DM_PART / 2, DM_LOW + DM_PART - 1 }, 0 };
	struct pz_dma_dev_config cfg;
	struct pz_bounce_pool pool[4];
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev[3];
	uint64_t bus[2];

	if (!dv_lay_out(&m, t) || !dv_make(&m))
		return;
	dev[0] = bnc_device(&d, &m, 32);
	CHECK_NAMED(t, bnc_stat(&m).pools == 1, "what was set aside is in reach");
	pz_dma_dev_init(&cfg, "narrow", 20);
	cfg.windows = &w;
	cfg.window_count = 1;
	dev[1] = dv_device(&d, &m, &cfg);
	dev[2] = dv_device(&d, &m, &cfg);
	CHECK(t, pz_bounce_pools(m.bounce, pool, 4) == 2 && pool[1].kind == PZ_BOUNCE_RESERVE &&
			 pool[1].devices == 2 && pool[1].slots == 32);
	CHECK(t, pool[1].phys.first >= w.phys.first && pool[1].phys.last <= w.phys.last);
	CHECK(t, pz_bounce_check(m.bounce) == 0);
	/* Fill what others share; then the machine. */
	bus[0] = bnc_map(dev[0], 0, DM_HIGH, DM_ASIDE);
	CHECK(t, bnc_map(dev[0], 0, DM_HIGH, 1) == PZ_DMA_ERROR);
	pm_fill(&m.pm, 0);
	bus[1] = bnc_map(dev[1], 0, DM_HIGH, 64 * PM_KIB);
	CHECK_NAMED(t, bus[1] != PZ_DMA_ERROR, "nobody else uses a reserve up");
	CHECK(t, pz_bounce_trim(m.bounce, 0) == 0);
	bnc_unmap(dev[1], bus[1], 64 * PM_KIB);
	bnc_unmap(dev[0], bus[0], DM_ASIDE);
	CHECK(t, pz_bounce_trim(m.bounce, 0) == 0);
	pm_free_singles(&m.pm, DM_LOW >> 12, (DM_LOW + DM_PART - 1) >> 12);
	pm_free_singles(&m.pm, DM_HIGH >> 12, (DM_HIGH + DM_PART - 1) >> 12);
	CHECK(t, pz_dma_dev_destroy(dev[1]) == 0 && bnc_stat(&m).pools == 2);
	CHECK_NAMED(t, pz_dma_dev_destroy(dev[2]) == 0 && bnc_stat(&m).pools == 1,
		    "a reserve goes with the last device of its reach");
	CHECK(t, pz_dma_dev_destroy(dev[0]) == 0);
	dv_close(&m);
}

/* A mask is set to what has no reserve and gets none, because memory is full. */
static void bnc_reserve_fails(struct tap *t)
{
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.range_count = 0;
	if (!dv_make(&m))
		return;
	dev = bnc_device(&d, &m, 64);
	CHECK(t, bnc_stat(&m).pools == 0);
	pm_fill(&m.pm, 0);
	CHECK(t, pz_dma_set_mask(dev, UINT32_MAX) == -PZ_ENOMEM);
	CHECK(t, bnc_map(dev, 0, DM_HIGH, 1) == DM_HIGH);
	pm_free_singles(&m.pm, DM_LOW >> 12, (DM_LOW + DM_PART - 1) >> 12);
	pm_free_singles(&m.pm, DM_HIGH >> 12, (DM_HIGH + DM_PART - 1) >> 12);
	CHECK(t, pz_dma_set_mask(dev, UINT32_MAX) == 0 && bnc_stat(&m).pools == 1);
	CHECK_NAMED(t, pz_dma_set_masks(dev, DM_LOW + DM_PART - 1) == 0 && bnc_stat(&m).pools == 1,
		    "another mask, another reserve");
	CHECK(t, bnc_map(dev, 0, DM_HIGH, 64 * PM_KIB) + 64 * PM_KIB <= DM_LOW + DM_PART);
	CHECK(t, pz_dma_set_masks(dev, UINT64_MAX) == -PZ_EBUSY);
	{
		struct pz_bounce_pool p;

		pz_bounce_pools(m.bounce, &p, 1);
		bnc_unmap(dev, p.phys.first, 64 * PM_KIB);
	}
	CHECK(t, pz_dma_set_masks(dev, UINT64_MAX) == 0 && bnc_stat(&m).pools == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* --- growth --- */

static void bnc_grows(struct tap *t)
{
	struct pz_bounce_pool pool[4];
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus[4];

	if (!dv_lay_out(&m, t))
		return;
	m.bc.grow_bytes = 64 * PM_KIB;
	m.bc.max_bytes = 256 * PM_KIB;
	if (!dv_make(&m))
		return;
	dev = bnc_device(&d, &m, 32);
	bus[0] = bnc_map(dev, 0, DM_HIGH, DM_ASIDE);
	bus[1] = bnc_map(dev, 0, DM_HIGH, 1000);
	CHECK_NAMED(t, bus[1] != PZ_DMA_ERROR && bnc_stat(&m).grown == 1, "a further pool is made");
	CHECK(t, pz_bounce_pools(m.bounce, pool, 4) == 2 && pool[1].kind == PZ_BOUNCE_GROWN &&
			 pool[1].slots == 32 && pool[1].used == 1);
	bus[2] = bnc_map(dev, 0, DM_HIGH, 1000);
	CHECK_NAMED(t, bnc_stat(&m).grown == 1, "and used again");
	bus[3] = bnc_map(dev, 0, DM_HIGH, 160 * PM_KIB);
	CHECK_NAMED(t, bus[3] != PZ_DMA_ERROR && bnc_stat(&m).grown == 2,
		    "one that is larger than usual");
	dv_fill(&m, DM_HIGH, 160 * PM_KIB, 3);
	pz_dma_sync_for_device(dev, bus[3], 160 * PM_KIB, PZ_DMA_TO_DEVICE);
	CHECK(t, dv_dev_holds(&d, bus[3], 160 * PM_KIB, 3) && !d.refused);
	CHECK_NAMED(t, bnc_map(dev, 0, DM_HIGH, 64 * PM_KIB) == PZ_DMA_ERROR, "up to a maximum");
	CHECK(t, bnc_stat(&m).grow_fails == 1);
	CHECK(t, pz_bounce_trim(m.bounce, 0) == 0 && pz_bounce_check(m.bounce) == 0);
	bnc_unmap(dev, bus[3], 160 * PM_KIB);
	CHECK(t, pz_bounce_trim(m.bounce, 0) == 160 * PM_KIB && bnc_stat(&m).trimmed == 1);
	bnc_unmap(dev, bus[1], 1000);
	bnc_unmap(dev, bus[2], 1000);
	bnc_unmap(dev, bus[0], DM_ASIDE);
	CHECK(t, pz_bounce_trim(m.bounce, 0) == 64 * PM_KIB && bnc_stat(&m).pools == 1);
	CHECK_NAMED(t, pm_free(&m.pm) == m.managed, "all page frames are back");
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* Nothing is set aside, memory is full but for a page here and there. */
static void bnc_grows_tight(struct tap *t)
{
	struct pz_dma_dev_config cfg;
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus, pfn = (LOW >> 12) + 16;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.range_count = 0;
	m.bc.grow_bytes = 0;
	m.bc.reserve_bytes = UINT64_MAX;
	if (!dv_make(&m))
		return;
	pz_dma_dev_init(&cfg, "keeps bits", 32);
	cfg.keep_mask = 0xfff;
	dev = dv_device(&d, &m, &cfg);
	pm_fill(&m.pm, 0);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH + 0x800, 0x700, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ENOMEM);
	pm_free_singles(&m.pm, pfn, pfn);
	pm_free_singles(&m.pm, pfn - 3, pfn - 3); /* for its records */
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH + 0x8800, 0x700, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK_NAMED(t, bus == (pfn << 12) + 0x800, "a single page will do");
	bnc_unmap(dev, bus, 0x700);
	CHECK(t, pz_bounce_trim(m.bounce, 0) == 4096);
	pm_free_singles(&m.pm, DM_LOW >> 12, (DM_LOW + DM_PART - 1) >> 12);
	pm_free_singles(&m.pm, DM_HIGH >> 12, (DM_HIGH + DM_PART - 1) >> 12);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH, 2 * DM_PART, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ERANGE);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	dv_close(&m);
}

/* --- restricted devices, coherent buffers --- */

static void bnc_restricted(struct tap *t)
{
	static const struct pz_range theirs = { DM_LOW + 64 * PM_KIB, DM_LOW + DM_ASIDE - 1 };
	struct pz_dma_dev_config cfg;
	struct pz_bounce *own;
	struct device_machine m;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus, phys, first;
	unsigned char *p;
	void *mem;

	if (!dv_lay_out(&m, t))
		return;
	m.bc.range_count = 0;
	if (!dv_make(&m))
		return;
	m.bc.ranges = &theirs;
	m.bc.range_count = 1;
	m.bc.pages = NULL;
	if (!CHECK(t, pz_bounce_create(&own, &m.bc) == 0))
		return;
	pz_dma_dev_init(&cfg, "restricted", 64);
	cfg.restricted = own;
	dev = dv_device(&d, &m, &cfg);
	dv_fill(&m, LOW, 100, 1);
	bus = bnc_map(dev, 0, LOW, 100);
	CHECK_NAMED(t, bus >= theirs.first && bus + 99 <= theirs.last, "all of it is bounced");
	CHECK(t, dv_dev_holds(&d, bus, 100, 1) && pz_dma_max_mapping(dev) == 64 * PM_KIB);
	CHECK(t, pz_bounce_take(own, dev, 0, 10000, 4096, &phys, &mem) == 0);
	CHECK(t, !(phys & 4095) && phys >= theirs.first && phys + 9999 <= theirs.last);
	p = dv_cpu(&m, phys, 10000);
	CHECK(t, mem == p && phys > bus + 99);
	CHECK(t, pz_bounce_take(own, dev, 0, 0, 4096, &first, &mem) == -PZ_EINVAL);
	CHECK(t, pz_bounce_take(own, dev, 0, 1, 3, &first, &mem) == -PZ_EINVAL);
	CHECK(t, pz_bounce_take(own, dev, 0, 64 * PM_KIB + 1, 1, &first, &mem) == -PZ_ERANGE);
	CHECK(t, pz_bounce_take(own, dev, 0, 64 * PM_KIB, 1, &first, &mem) == -PZ_ENOMEM);
	CHECK(t, !pz_bounce_give(own, dev, phys, 9999) && !pz_bounce_give(own, dev, bus, 100) &&
			 !pz_bounce_give(own, NULL, phys, 10000) &&
			 !pz_bounce_give(own, dev, phys + 4096, 5904) &&
			 !pz_bounce_give(own, dev, DM_HIGH, 1));
	pz_dma_unmap(dev, 0, phys, 10000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, m.pm.bugs.count == 6);
	CHECK(t, pz_bounce_give(own, dev, phys, 10000) && !pz_bounce_give(own, dev, phys, 10000));
	CHECK(t, m.pm.bugs.count == 7);
	bnc_unmap(dev, bus, 100);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	CHECK(t, pz_bounce_check(own) == 0 && pz_bounce_destroy(own) == 0);
	dv_close(&m);
}

void contract_bounce(struct tap *t)
{
	bnc_malformed(t);
	bnc_areas(t);
	bnc_kept(t);
	bnc_holders(t);
	bnc_reserves(t);
	bnc_reserve_fails(t);
	bnc_grows(t);
	bnc_grows_tight(t);
	bnc_restricted(t);
}
