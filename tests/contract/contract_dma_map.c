/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_map.c - streaming mappings, beside a device that refuses what it cannot reach.
 */
#include "dma_device.h"
#include "suites_decl.h"

#define LOW (DM_LOW + DM_ASIDE) /* memory that is nobody's */

static bool dmap_in_pool(uint64_t bus)
{
	return bus >= DM_LOW && bus < DM_LOW + DM_ASIDE;
}

/* Destroy a device that has nothing out. */
static void dmap_gone(struct tap *t, struct pz_dma_dev *dev)
{
	CHECK_NAMED(t, pz_dma_dev_destroy(dev) == 0, "the device has nothing out");
}

static void dmap_direct(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus = 1;

	pz_dma_dev_init(&cfg, "wide", 64);
	dev = dv_device(&d, m, &cfg);
	bus = pz_dma_map(dev, 0, DM_HIGH + 5, 1000, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, bus == DM_HIGH + 5);
	CHECK(t, !pz_dma_mapping_error(dev, bus) && !pz_dma_needs_sync(dev, bus));
	dv_fill(m, DM_HIGH + 5, 1000, 1);
	CHECK(t, dv_dev_holds(&d, bus, 1000, 1) && dv_dev_fill(&d, bus, 1000, 2));
	pz_dma_sync_for_cpu(dev, bus, 1000, PZ_DMA_BIDIRECTIONAL);
	CHECK(t, dv_holds(m, DM_HIGH + 5, 1000, 2));
	pz_dma_unmap(dev, 0, bus, 1000, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, pz_dma_max_mapping(dev) == UINT64_MAX);
	CHECK(t, pz_dma_map_try(dev, 0, LOW, 0, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_EINVAL);
	CHECK(t, pz_dma_map_try(dev, 0, LOW, 1, PZ_DMA_NONE, 0, &bus) == -PZ_EINVAL);
	CHECK(t, pz_dma_map_try(dev, 0, LOW, 1, PZ_DMA_TO_DEVICE, 1, &bus) == -PZ_EINVAL);
	CHECK(t, pz_dma_map_try(dev, 0, UINT64_MAX, 2, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_EINVAL);
	CHECK(t, pz_dma_map(dev, 0, 0, 0, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	CHECK(t, pz_dma_map(dev, 0, UINT64_MAX, 1, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	CHECK_NAMED(t, pz_dma_map(dev, 0, UINT64_MAX - 1, 1, PZ_DMA_TO_DEVICE, 0) == UINT64_MAX - 1,
		    "the last address that can be told");
	CHECK(t, pz_dma_mapping_error(dev, PZ_DMA_ERROR));
	dmap_gone(t, dev);
}

/* Who sees what when, through a bounce buffer, in one direction. */
static void dmap_moves(struct tap *t, struct device_machine *m, struct pz_dma_dev *dev,
		       struct dma_device *d, enum pz_dma_dir dir)
{
	uint64_t phys = DM_HIGH + 0x1234, bus;
	bool to = dir != PZ_DMA_FROM_DEVICE, from = dir != PZ_DMA_TO_DEVICE;

	dv_fill(m, phys, 5000, 10);
	bus = pz_dma_map(dev, 0, phys, 5000, dir, 0);
	CHECK_NAMED(t, dmap_in_pool(bus), "it is bounced");
	CHECK(t, pz_dma_needs_sync(dev, bus));
	CHECK_NAMED(t, dv_dev_holds(d, bus, 5000, 10), "the buffer begins as the memory");
	dv_fill(m, phys + 100, 200, 77);
	pz_dma_sync_for_device(dev, bus + 100, 100, dir);
	CHECK_NAMED(t,
		    dv_dev_holds(d, bus + 100, 100, to ? 77 : 110) &&
			    dv_dev_holds(d, bus + 200, 100, 210),
		    "a sync for the device is of a part, and of what goes there");
	dv_fill(m, phys + 100, 200, 110);
	pz_dma_sync_for_device(dev, bus + 100, 200, dir);
	CHECK(t, dv_dev_fill(d, bus + 1000, 500, 33));
	pz_dma_sync_for_cpu(dev, bus + 1200, 100, dir);
	CHECK_NAMED(
		t,
		dv_holds(m, phys + 1000, 200, (unsigned char)(10 + 1000)) &&
			dv_holds(m, phys + 1200, 100, (unsigned char)(from ? 33 + 200 : 10 + 1200)),
		"a sync for the CPU is of a part, and of what comes back");
	pz_dma_unmap(dev, 0, bus, 5000, dir, 0);
	CHECK_NAMED(t,
		    dv_holds(m, phys, 1000, 10) &&
			    dv_holds(m, phys + 1000, 500, (unsigned char)(from ? 33 : 10 + 1000)) &&
			    dv_holds(m, phys + 1500, 3500, (unsigned char)(10 + 1500)),
		    "what the device did not write is as it was");
	bus = pz_dma_map(dev, 0, phys, 5000, dir, PZ_DMA_SKIP_CPU_SYNC);
	dv_fill(m, phys, 5000, 3);
	CHECK(t, dv_dev_fill(d, bus, 5000, 4));
	pz_dma_unmap(dev, 0, bus, 5000, dir, PZ_DMA_SKIP_CPU_SYNC);
	CHECK_NAMED(t, dv_holds(m, phys, 5000, 3), "without a copy nothing comes back");
}

static void dmap_bounced(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	pz_dma_dev_init(&cfg, "narrow", 32);
	dev = dv_device(&d, m, &cfg);
	CHECK(t, pz_dma_limited(dev));
	CHECK(t, pz_dma_max_mapping(dev) == DM_ASIDE);
	CHECK(t, pz_dma_map(dev, 0, LOW, 4096, PZ_DMA_TO_DEVICE, 0) == LOW);
	dmap_moves(t, m, dev, &d, PZ_DMA_TO_DEVICE);
	dmap_moves(t, m, dev, &d, PZ_DMA_FROM_DEVICE);
	dmap_moves(t, m, dev, &d, PZ_DMA_BIDIRECTIONAL);
	CHECK(t, d.refused == 0);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH, DM_ASIDE + 1, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ERANGE);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH, DM_ASIDE, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK_NAMED(t, pz_dma_dev_destroy(dev) == -PZ_EBUSY, "a mapping is out");
	CHECK(t, pz_dma_set_mask(dev, UINT32_MAX) == -PZ_EBUSY);
	CHECK_NAMED(t, pz_dma_set_coherent_mask(dev, UINT32_MAX >> 1) == 0,
		    "the other mask may be set, and the mapping stays known");
	CHECK(t, pz_dma_map(dev, 0, DM_HIGH + DM_ASIDE, 1, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH, 1, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_ENOMEM);
	pz_dma_unmap(dev, 0, DM_LOW, DM_ASIDE, PZ_DMA_TO_DEVICE, 0);
	dmap_gone(t, dev);
}

/* Each of these is told, and leaves the mapping as it is. */
static void dmap_misuse(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev, *other;
	uint64_t bus, told = m->pm.bugs.count, phys = DM_HIGH + 64, theirs;

	pz_dma_dev_init(&cfg, "narrow", 32);
	dev = dv_device(&d, m, &cfg);
	other = dv_device(&d, m, &cfg);
	dv_fill(m, phys, 3000, 1);
	bus = pz_dma_map(dev, 0, phys, 3000, PZ_DMA_FROM_DEVICE, 0);
	theirs = pz_dma_map(other, 0, phys + 8192, 10, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, dv_dev_fill(&d, bus, 3000, 2));
	pz_dma_unmap(dev, 0, bus, 2999, PZ_DMA_FROM_DEVICE, 0);
	pz_dma_unmap(dev, 0, bus, 3001, PZ_DMA_FROM_DEVICE, 0);
	pz_dma_unmap(dev, 0, bus, 3000, PZ_DMA_TO_DEVICE, 0);
	pz_dma_unmap(dev, 0, bus + 2048, 952, PZ_DMA_FROM_DEVICE, 0);
	pz_dma_unmap(dev, 0, DM_LOW + DM_ASIDE - 2048, 1, PZ_DMA_FROM_DEVICE, 0);
	pz_dma_unmap(other, 0, bus, 3000, PZ_DMA_FROM_DEVICE, 0);
	pz_dma_sync_for_cpu(other, bus, 3000, PZ_DMA_FROM_DEVICE);
	pz_dma_sync_for_cpu(dev, bus, 3000, PZ_DMA_TO_DEVICE);
	pz_dma_sync_for_cpu(dev, bus, 3000, PZ_DMA_NONE);
	pz_dma_sync_for_cpu(dev, bus + 3000, 1, PZ_DMA_FROM_DEVICE);
	pz_dma_sync_for_cpu(dev, DM_LOW + DM_ASIDE - 2048, 1, PZ_DMA_FROM_DEVICE);
	CHECK(t, m->pm.bugs.count == told + 11);
	CHECK_NAMED(t, dv_holds(m, phys, 3000, 1), "misuse copies nothing");
	dv_fill(m, phys + 3000, 100, 50);
	pz_dma_sync_for_cpu(dev, bus + 2900, 200, PZ_DMA_FROM_DEVICE);
	CHECK(t, m->pm.bugs.count == told + 12);
	CHECK_NAMED(t,
		    dv_holds(m, phys + 2900, 100, (unsigned char)(2 + 2900)) &&
			    dv_holds(m, phys + 3000, 100, 50),
		    "a sync that is too long ends with the mapping");
	pz_dma_unmap(dev, 0, bus, 3000, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, m->pm.bugs.count == told + 12 && dv_holds(m, phys, 3000, 2));
	pz_dma_unmap(dev, 0, bus, 3000, PZ_DMA_FROM_DEVICE, 0);
	CHECK_NAMED(t, m->pm.bugs.count == told + 13, "unmapped twice");
	pz_dma_unmap(other, 0, theirs, 10, PZ_DMA_TO_DEVICE, 0);
	dmap_gone(t, dev);
	dmap_gone(t, other);
}

/* Alignment, boundaries and kept bits are those of bus addresses. */
static void dmap_places(struct tap *t, struct device_machine *m)
{
	struct pz_window w = { { 0, 8 * PM_GIB - 1 }, 0x40000000 + 0x600 };
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	pz_dma_dev_init(&cfg, "picky", 40);
	cfg.windows = &w;
	cfg.window_count = 1;
	cfg.align = 0x200;
	cfg.boundary = 0x10000;
	cfg.keep_mask = 0xfff;
	dev = dv_device(&d, m, &cfg);
	bus = pz_dma_map(dev, 0, DM_HIGH + 0x200, 100, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, bus == DM_HIGH + 0x200 + w.bus, "aligned memory is mapped as it is");
	dv_fill(m, DM_HIGH + 0x345, 700, 9);
	bus = pz_dma_map(dev, 0, DM_HIGH + 0x345, 700, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, dmap_in_pool(bus - w.bus) && (bus & 0xfff) == 0x200,
		    "the low bits are kept as far as alignment allows");
	CHECK(t, dv_dev_holds(&d, bus, 700, 9));
	pz_dma_unmap(dev, 0, bus, 700, PZ_DMA_TO_DEVICE, 0);
	/* 0x10000 - 0x600 and on: the boundary on the bus lies there. */
	bus = pz_dma_map(dev, 0, DM_HIGH + 0xf800, 0x1000, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, dmap_in_pool(bus - w.bus) && (bus & 0xffff) + 0x1000 <= 0x10000,
		    "what crosses a boundary is bounced to where it does not");
	CHECK(t, (bus & 0xfff) == (0xf800 & 0xfff));
	pz_dma_unmap(dev, 0, bus, 0x1000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_map_try(dev, 0, DM_HIGH + 0x200, 0x10001, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ERANGE);
	dmap_gone(t, dev);
}

/* A bus on which memory lies elsewhere, with a hole in it. */
static void dmap_windows(struct tap *t, struct device_machine *m)
{
	struct pz_window w[2] = { { { DM_LOW, DM_LOW + 0x3fff }, 0xc0000000 },
				  { { DM_HIGH + 0x8000, DM_HIGH + 0xffff }, 0x1000 } };
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus[2];

	pz_dma_dev_init(&cfg, "behind a bridge", 32);
	cfg.windows = w;
	cfg.window_count = 2;
	dev = dv_device(&d, m, &cfg);
	CHECK(t, pz_dma_map(dev, 0, DM_HIGH + 0x9000, 0x7000, PZ_DMA_TO_DEVICE, 0) == 0x2000);
	CHECK(t, pz_dma_max_mapping(dev) == 0x4000);
	for (unsigned int i = 0; i < 2; i++) {
		dv_fill(m, DM_HIGH + 0x7000 + i * 0x8001, 0x2000, (unsigned char)i);
		bus[i] = pz_dma_map(dev, 0, DM_HIGH + 0x7000 + i * 0x8001, 0x2000, PZ_DMA_TO_DEVICE,
				    0);
		CHECK(t, bus[i] >= 0xc0000000 && bus[i] + 0x1fff <= 0xc0003fff);
		CHECK(t, dv_dev_holds(&d, bus[i], 0x2000, (unsigned char)i));
	}
	CHECK_NAMED(t, pz_dma_map(dev, 0, DM_HIGH, 1, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR,
		    "no more of the pool is in reach");
	for (unsigned int i = 0; i < 2; i++)
		pz_dma_unmap(dev, 0, bus[i], 0x2000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, d.refused == 0);
	dmap_gone(t, dev);
}

/* A device that looks past the CPU's caches. */
static void dmap_caches(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	pz_dma_dev_init(&cfg, "not coherent", 32);
	cfg.coherent = false;
	dev = dv_device(&d, m, &cfg);
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t phys = i ? DM_HIGH : LOW;

		dv_fill(m, phys, 4096, 1);
		bus = pz_dma_map(dev, 0, phys, 4096, PZ_DMA_BIDIRECTIONAL, 0);
		CHECK_NAMED(t, dmap_in_pool(bus) == (i == 1), i ? "it is bounced" : "it is not");
		CHECK(t, pz_dma_needs_sync(dev, bus));
		CHECK(t, dv_dev_holds(&d, bus, 4096, 1) && dv_dev_fill(&d, bus, 2048, 2));
		CHECK(t, dv_holds(m, phys, 4096, 1));
		pz_dma_sync_for_cpu(dev, bus + 1024, 64, PZ_DMA_BIDIRECTIONAL);
		CHECK(t, dv_holds(m, phys + 1024, 64, 2) &&
				 dv_holds(m, phys + 1088, 64, 1 + (1088 & 0xff)));
		dv_fill(m, phys, 64, 3);
		pz_dma_sync_for_device(dev, bus, 64, PZ_DMA_BIDIRECTIONAL);
		CHECK(t, dv_dev_holds(&d, bus, 64, 3) && dv_dev_holds(&d, bus + 64, 64, 66));
		pz_dma_unmap(dev, 0, bus, 4096, PZ_DMA_BIDIRECTIONAL, 0);
		CHECK(t, dv_holds(m, phys, 64, 3) && dv_holds(m, phys + 64, 1984, 66) &&
				 dv_holds(m, phys + 2048, 2048, 1));
		bus = pz_dma_map(dev, 0, phys, 512, PZ_DMA_TO_DEVICE, 0);
		dv_fill(m, phys, 512, 8);
		pz_dma_sync_for_device(dev, bus, 512, PZ_DMA_TO_DEVICE);
		CHECK(t, dv_dev_holds(&d, bus, 512, 8));
		pz_dma_unmap(dev, 0, bus, 512, PZ_DMA_TO_DEVICE, PZ_DMA_SKIP_CPU_SYNC);
	}
	dmap_gone(t, dev);
}

static void dmap_resource(struct tap *t, struct device_machine *m)
{
	struct pz_window w = { { 0, UINT32_MAX }, 0x80000000 };
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;

	pz_dma_dev_init(&cfg, "engine", 32);
	cfg.windows = &w;
	cfg.window_count = 1;
	cfg.bus_limit = 0xefffffff;
	dev = dv_device(&d, m, &cfg);
	CHECK(t, pz_dma_map_resource(dev, 0xe0000000, 0x1000, PZ_DMA_TO_DEVICE, 0) == 0xe0000000);
	pz_dma_unmap_resource(dev, 0xe0000000, 0x1000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_map_resource(dev, 0xeffff000, 0x1000, PZ_DMA_TO_DEVICE, 0) == 0xeffff000);
	CHECK(t, pz_dma_map_resource(dev, 0xeffff000, 0x1001, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	CHECK(t, pz_dma_map_resource(dev, 0xf0000000, 1, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	CHECK(t, pz_dma_map_resource(dev, 0, 0, PZ_DMA_TO_DEVICE, 0) == PZ_DMA_ERROR);
	CHECK(t, pz_dma_map_resource(dev, 0, 1, PZ_DMA_NONE, 0) == PZ_DMA_ERROR);
	dmap_gone(t, dev);
}

/* --- scattered memory --- */

static void dmap_scatter(struct pz_sg *sg, uint32_t n, uint64_t first, uint64_t len, uint64_t step)
{
	for (uint32_t i = 0; i < n; i++) {
		sg[i].phys = first + i * step;
		sg[i].len = len;
		sg[i].bus = sg[i].bus_len = 0x55;
	}
}

/* Elements that follow each other become one. */
static void dmap_sg_joined(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	struct pz_sg sg[8];
	uint32_t n = 99;

	pz_dma_dev_init(&cfg, "gathers", 64);
	cfg.max_segment = 0x3000;
	cfg.boundary = 0x8000;
	cfg.max_segments = 3;
	dev = dv_device(&d, m, &cfg);
	dmap_scatter(sg, 8, DM_HIGH + 0x4000, 0x1000, 0x1000);
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 7, PZ_DMA_TO_DEVICE, 0, &n) == 0 && n == 3);
	CHECK(t, sg[0].bus == DM_HIGH + 0x4000 && sg[0].bus_len == 0x3000);
	CHECK_NAMED(t, sg[1].bus == DM_HIGH + 0x7000 && sg[1].bus_len == 0x1000,
		    "a segment ends at a boundary");
	CHECK(t, sg[2].bus == DM_HIGH + 0x8000 && sg[2].bus_len == 0x3000 && !sg[3].bus_len);
	pz_dma_unmap_sg(dev, 0, sg, 7, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 8, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_ENOSPC && n == 3);
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 0, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_EINVAL);
	sg[1].len = 0;
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_EINVAL);
	sg[1].len = 0x3001;
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_EINVAL);
	dmap_gone(t, dev);
}

/* Some of the elements are bounced; each finds back to its own memory. */
static void dmap_sg_mixed(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	struct pz_sg sg[6];
	uint32_t n, at = 0;

	pz_dma_dev_init(&cfg, "narrow", 32);
	dev = dv_device(&d, m, &cfg);
	/* Two in reach side by side, two that are bounced side by side, and two far apart. */
	dmap_scatter(sg, 2, LOW, 2048, 2048);
	dmap_scatter(sg + 2, 2, DM_HIGH, 2048, 0x9000);
	dmap_scatter(sg + 4, 2, LOW + 0x4000, 2048, 0x9000);
	for (uint32_t i = 0; i < 6; i++)
		dv_fill(m, sg[i].phys, 2048, (unsigned char)(i * 20));
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 6, PZ_DMA_BIDIRECTIONAL, 0, &n) == 0);
	CHECK(t, n >= 3 && n < 6 && sg[0].bus == LOW && sg[0].bus_len == 4096);
	for (uint32_t k = 0; k < n; k++)
		for (uint64_t done = 0; done < sg[k].bus_len; done += 2048, at++)
			CHECK(t,
			      dv_dev_holds(&d, sg[k].bus + done, 2048, (unsigned char)(at * 20)) &&
				      dv_dev_fill(&d, sg[k].bus + done, 2048,
						  (unsigned char)(at + 100)));
	CHECK(t, at == 6);
	pz_dma_sync_sg_for_cpu(dev, sg, 6, PZ_DMA_BIDIRECTIONAL);
	for (uint32_t i = 0; i < 6; i++) {
		CHECK(t, dv_holds(m, sg[i].phys, 2048, (unsigned char)(i + 100)));
		dv_fill(m, sg[i].phys, 2048, (unsigned char)(i + 50));
	}
	pz_dma_sync_sg_for_device(dev, sg, 6, PZ_DMA_BIDIRECTIONAL);
	CHECK(t, dv_dev_holds(&d, sg[1].bus, 2048, 52));
	pz_dma_unmap_sg(dev, 0, sg, 6, PZ_DMA_BIDIRECTIONAL, 0);
	for (uint32_t i = 0; i < 6; i++)
		CHECK(t, dv_holds(m, sg[i].phys, 2048, (unsigned char)(i + 50)));
	CHECK(t, m->pm.bugs.count == 0);
	dmap_gone(t, dev);
}

/* The last element finds no room: the others are taken back, and nothing is written. */
static void dmap_sg_undone(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct pz_bounce_stat stat;
	struct dma_device d;
	struct pz_dma_dev *dev;
	struct pz_sg sg[3];
	uint64_t bus;
	uint32_t n;

	pz_dma_dev_init(&cfg, "narrow", 32);
	dev = dv_device(&d, m, &cfg);
	/* Rubbish in the buffers, so that a copy back would be seen. */
	bus = pz_dma_map(dev, 0, DM_HIGH, DM_ASIDE, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, dv_dev_fill(&d, bus, DM_ASIDE, 99));
	pz_dma_unmap(dev, 0, bus, DM_ASIDE, PZ_DMA_TO_DEVICE, 0);
	dmap_scatter(sg, 3, DM_HIGH, 0xc000, 0x10000);
	for (uint32_t i = 0; i < 3; i++)
		dv_fill(m, sg[i].phys, sg[i].len, 7);
	CHECK(t, pz_dma_map_sg(dev, 0, sg, 3, PZ_DMA_FROM_DEVICE, 0, &n) == -PZ_ENOMEM);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(t, dv_holds(m, sg[i].phys, sg[i].len, 7));
	pz_bounce_stat(m->bounce, &stat);
	CHECK(t, stat.used == 0 && m->pm.bugs.count == 0);
	dmap_gone(t, dev);
}

/* --- other machines --- */

/* High memory that no address of the CPU stands for is copied page by page. */
static void dmap_high(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	m->unmapped = true;
	pz_dma_dev_init(&cfg, "narrow", 32);
	dev = dv_device(&d, m, &cfg);
	dv_fill(m, DM_HIGH + 0xf00, 0x2200, 5);
	bus = pz_dma_map(dev, 0, DM_HIGH + 0xf00, 0x2200, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, m->window_calls == 4 && m->windows == 0);
	CHECK(t, dv_dev_holds(&d, bus, 0x2200, 5) && dv_dev_fill(&d, bus, 0x2200, 6));
	pz_dma_unmap(dev, 0, bus, 0x2200, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, m->window_calls == 8 && dv_holds(m, DM_HIGH + 0xf00, 0x2200, 6));
	CHECK_NAMED(t,
		    pz_dma_map_try(dev, 0, DM_HIGH + DM_PART - 1, 2, PZ_DMA_TO_DEVICE, 0, &bus) ==
			    -PZ_ERANGE,
		    "memory that cannot be looked at is refused");
	CHECK(t, pz_bounce_check(m->bounce) == 0);
	dmap_gone(t, dev);
}

/* Memory is private; a device that cannot read it sees shared buffers only. */
static void dmap_shared(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	pz_dma_dev_init(&cfg, "trusted", 64);
	dev = dv_device(&d, m, &cfg);
	bus = pz_dma_map(dev, 0, LOW, 64, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, bus == (LOW | DM_PRIVATE), "whoever drives the bit sees private memory");
	dmap_gone(t, dev);
	pz_dma_dev_init(&cfg, "guest", 32);
	dev = dv_device(&d, m, &cfg);
	dv_fill(m, LOW, 300, 4);
	bus = pz_dma_map(dev, 0, LOW, 300, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK_NAMED(t, dmap_in_pool(bus), "memory in reach is bounced, for it is private");
	CHECK(t, dv_dev_holds(&d, bus, 300, 4) && dv_dev_fill(&d, bus, 300, 5));
	pz_dma_unmap(dev, 0, bus, 300, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, dv_holds(m, LOW, 300, 5) && d.refused == 0);
	dmap_gone(t, dev);
	/* One that drives the bit, and is bounced for another reason: the buffer is shared. */
	pz_dma_dev_init(&cfg, "forced", 64);
	cfg.force_bounce = true;
	dev = dv_device(&d, m, &cfg);
	bus = pz_dma_map(dev, 0, LOW, 300, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, dmap_in_pool(bus) && dv_dev_holds(&d, bus, 300, 5));
	pz_dma_unmap(dev, 0, bus, 300, PZ_DMA_BIDIRECTIONAL, 0);
	dmap_gone(t, dev);
}

/* Nothing is shared: a device that needs it gets no mapping. */
static void dmap_unshared(struct tap *t, struct device_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *dev;
	uint64_t bus;

	pz_dma_dev_init(&cfg, "guest", 32);
	cfg.shared = true;
	dev = dv_device(&d, m, &cfg);
	CHECK(t, pz_dma_map_try(dev, 0, LOW, 64, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_ERANGE);
	CHECK(t, pz_dma_max_mapping(dev) == 0);
	dmap_gone(t, dev);
}

static void dmap_private_machine(struct tap *t)
{
	struct device_machine m;

	if (!dv_lay_out(&m, t))
		return;
	m.dc.private_bit = DM_PRIVATE;
	m.bc.shared = true;
	for (size_t i = 0; i < sizeof(m.private); i++)
		m.private[i] = true;
	if (dv_make(&m)) {
		CHECK(t, !m.private[0] && m.private[DM_ASIDE >> 12]);
		dmap_shared(t, &m);
	}
	dv_close(&m);
	CHECK_NAMED(t, m.private[0], "what was shared is private again");
}

static void dmap_machine(struct tap *t, void (*fn)(struct tap *t, struct device_machine *m))
{
	struct device_machine m;

	if (!dv_lay_out(&m, t))
		return;
	if (dv_make(&m))
		fn(t, &m);
	dv_close(&m);
}

void contract_dma_map(struct tap *t)
{
	dmap_machine(t, dmap_direct);
	dmap_machine(t, dmap_bounced);
	dmap_machine(t, dmap_misuse);
	dmap_machine(t, dmap_places);
	dmap_machine(t, dmap_windows);
	dmap_machine(t, dmap_caches);
	dmap_machine(t, dmap_resource);
	dmap_machine(t, dmap_sg_joined);
	dmap_machine(t, dmap_sg_mixed);
	dmap_machine(t, dmap_sg_undone);
	dmap_machine(t, dmap_high);
	dmap_machine(t, dmap_unshared);
	dmap_private_machine(t);
}
