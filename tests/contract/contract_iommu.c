/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_iommu.c - domains by known examples: memory above 4 GiB for a master of 32 address
 * lines, what it reaches and what not, scatter lists, addresses that wait for a flush, windows,
 * misuse.
 */
#include "iommu_box.h"
#include "suites_decl.h"

static struct pz_iommu_dev *im_device(struct iommu_box *b, unsigned int bits, bool coherent)
{
	struct pz_iommu_dev_config cfg;
	struct pz_iommu_dev *dev = NULL;

	pz_iommu_dev_init(&cfg, "master", bits);
	cfg.coherent = coherent;
	CHECK_NAMED(b->t, pz_iommu_attach(&dev, b->d, &cfg) == 0, "a device is attached");
	return dev;
}

static bool im_open(struct iommu_box *b, struct tap *t, struct pz_iommu_dev **dev)
{
	if (!CHECK_NAMED(t, ib_lay_out(b, t) && ib_make(b) == 0, "a domain is made"))
		return false;
	*dev = im_device(b, 32, true);
	return *dev != NULL;
}

static void im_close(struct iommu_box *b, struct pz_iommu_dev *dev)
{
	pz_iommu_detach(dev);
	CHECK_NAMED(b->t, ib_close(b), "all came back");
}

/* Whether the master gets at a byte; reading leaves the translation in what the IOMMU keeps. */
static bool im_reads(struct iommu_box *b, uint64_t bus)
{
	unsigned char c;

	return master_access(&b->m, bus, &c, 1, false);
}

static bool im_writes(struct iommu_box *b, uint64_t bus, unsigned char c)
{
	return master_access(&b->m, bus, &c, 1, true);
}

static unsigned char *im_at(struct iommu_box *b, uint64_t phys)
{
	return ib_memory(b, phys, 1);
}

/* How often misuse was told since the last time. */
static uint64_t im_told(struct iommu_box *b)
{
	uint64_t n = b->pm.bugs.count;

	b->pm.bugs.count = 0;
	return n;
}

static void im_mapping(struct tap *t, struct iommu_box *b)
{
	uint64_t phys = IB_HIGH + 0x5123, bus = 7, at, first;
	struct pz_iommu_stat s;
	struct pz_iommu_dev *dev;

	if (!im_open(b, t, &dev))
		return;
	CHECK(t, pz_iommu_map(dev, 0, 0, phys, 5000, PZ_DMA_BIDIRECTIONAL, 0, &bus) == 0);
	first = bus & ~4095ull;
	CHECK_NAMED(t, bus + 4999 <= UINT32_MAX && (bus & 4095) == 0x123 && first,
		    "below 4 GiB, at the same place of a page");
	CHECK(t, pz_iommu_phys(b->d, bus + 4999, &at) == 0 && at == phys + 4999);
	CHECK(t, im_writes(b, bus, 1) && *im_at(b, phys) == 1);
	CHECK(t, im_writes(b, bus + 4999, 2) && *im_at(b, phys + 4999) == 2);
	*im_at(b, phys + 4096) = 9;
	CHECK_NAMED(t, im_reads(b, first) && im_reads(b, first + 8191), "whole pages");
	CHECK_NAMED(t, !im_reads(b, first - 1) && !im_reads(b, first + 8192), "and no more");
	pz_iommu_stat(b->d, &s);
	CHECK(t, s.out == 8192 && s.devices == 1 && s.waiting == 0);
	CHECK(t, pz_iommu_check(b->d) == 0);
	b->flushes = 0;
	pz_iommu_unmap(dev, 1, bus, 5000, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK_NAMED(t, b->flushes == 1, "one flush for all of it");
	CHECK_NAMED(t, !im_reads(b, bus) && !im_writes(b, bus + 4999, 3), "no access any more");
	pz_iommu_stat(b->d, &s);
	CHECK(t, s.out == 0);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, PM_MIB, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK_NAMED(t, bus % PM_MIB == 0, "aligned to its size");
	pz_iommu_unmap(dev, 1, bus, PM_MIB, PZ_DMA_TO_DEVICE, 0);
	im_close(b, dev);
}

static void im_refusing(struct tap *t, struct iommu_box *b)
{
	uint64_t bus = 7, most = ((uint64_t)1 << 35);
	struct pz_iommu_dev *dev;
	struct pz_sg sg = { IB_HIGH, 0, 0, 0 };
	uint32_t n = 9;

	if (!im_open(b, t, &dev))
		return;
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 0, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_EINVAL);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 1, PZ_DMA_NONE, 0, &bus) == -PZ_EINVAL);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 1, PZ_DMA_TO_DEVICE, 1, &bus) == -PZ_EINVAL);
	CHECK(t, pz_iommu_map(dev, 0, 0, UINT64_MAX, 2, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_EINVAL);
	CHECK(t, pz_iommu_map(dev, 0, 0, most - 1, 2, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_ERANGE);
	CHECK(t, pz_iommu_map(dev, 0, 0, 0, most, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_ERANGE);
	CHECK(t,
	      pz_iommu_map(dev, 0, 0, 1, UINT64_MAX - 1, PZ_DMA_TO_DEVICE, 0, &bus) == -PZ_ERANGE);
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, &sg, 1, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_EINVAL);
	sg.len = 1;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, &sg, 0, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_EINVAL);
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, &sg, 1, PZ_DMA_NONE, 0, &n) == -PZ_EINVAL);
	sg.len = most;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, &sg, 1, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_ERANGE);
	CHECK_NAMED(t, bus == 7 && n == 9 && !im_told(b), "and nothing is written");
	im_close(b, dev);
}

/* A domain with permissions, over memory below 4 GiB. */
static void im_prot(struct tap *t, struct iommu_box *b)
{
	uint64_t phys = IB_LOW + IB_LOW_BYTES - 8192, ro, rw, mm;
	struct pz_v7s_page page;
	struct pz_iommu_dev *dev;
	const struct pz_v7s *tables;

	if (!ib_lay_out(b, t))
		return;
	b->cfg.tables.quirks = 0;
	b->cfg.tables.oas = 32;
	if (!CHECK(t, ib_make(b) == 0))
		return;
	dev = im_device(b, 32, true);
	tables = pz_iommu_tables(b->d);
	CHECK(t,
	      pz_iommu_map(dev, 0, 0, phys, 4096, PZ_DMA_TO_DEVICE, PZ_DMA_PRIVILEGED, &ro) == 0);
	CHECK(t, pz_v7s_query(tables, ro, &page) == 0);
	CHECK(t, page.prot == (PZ_IOMMU_READ | PZ_IOMMU_CACHE | PZ_IOMMU_PRIV));
	CHECK_NAMED(t, im_reads(b, ro) && !im_writes(b, ro, 1), "to the device: it may only read");
	CHECK(t, pz_iommu_map(dev, 0, 0, phys, 4096, PZ_DMA_FROM_DEVICE, 0, &rw) == 0);
	CHECK_NAMED(t, rw != ro && im_writes(b, rw, 1), "from it: write");
	CHECK(t, pz_iommu_map_resource(dev, 0, 0, 0xfee00010, 4, PZ_DMA_FROM_DEVICE, 0, &mm) == 0);
	CHECK(t, (mm & 4095) == 0x10 && pz_v7s_query(tables, mm, &page) == 0);
	CHECK(t, page.prot == (PZ_IOMMU_READ | PZ_IOMMU_WRITE | PZ_IOMMU_MMIO) &&
			 page.phys == 0xfee00000);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 1, PZ_DMA_TO_DEVICE, 0, &mm) == -PZ_ERANGE);
	pz_iommu_unmap_resource(dev, 0, mm, 4);
	pz_iommu_unmap(dev, 0, ro, 4096, PZ_DMA_TO_DEVICE, 0);
	pz_iommu_unmap(dev, 0, rw, 4096, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, !im_reads(b, ro) && !im_reads(b, rw));
	im_close(b, dev);
}

static void im_masks(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev_config cfg;
	struct pz_iommu_dev *dev, *small = NULL;
	uint64_t bus[17];
	uint32_t n = 0;

	if (!im_open(b, t, &dev))
		return;
	pz_iommu_dev_init(&cfg, "blind", 12);
	CHECK_NAMED(t, pz_iommu_attach(&small, b->d, &cfg) == -PZ_ERANGE,
		    "address 0 is for nobody");
	pz_iommu_dev_init(&cfg, "small", 16);
	cfg.boundary = 3;
	CHECK(t, pz_iommu_attach(&small, b->d, &cfg) == -PZ_EINVAL);
	cfg.boundary = 0;
	cfg.name = NULL;
	CHECK(t, pz_iommu_attach(&small, b->d, &cfg) == -PZ_EINVAL && !small);
	cfg.name = "small";
	CHECK(t, pz_iommu_attach(&small, b->d, &cfg) == 0);
	while (n < 16 && !pz_iommu_map(small, 0, 0, IB_HIGH, 1, PZ_DMA_TO_DEVICE, 0, &bus[n])) {
		CHECK(t, bus[n] <= 0xffff);
		n++;
	}
	CHECK_NAMED(t, n == 15, "all that it reaches");
	CHECK(t, pz_iommu_map(small, 0, 0, IB_HIGH, 1, PZ_DMA_TO_DEVICE, 0, &bus[n]) == -PZ_ENOMEM);
	CHECK(t, pz_iommu_set_mask(small, 0xfff) == -PZ_ERANGE);
	CHECK(t, pz_iommu_set_mask(small, 0x1ffff) == 0);
	CHECK(t, pz_iommu_map(small, 0, 0, IB_HIGH, 1, PZ_DMA_TO_DEVICE, 0, &bus[n]) == 0);
	for (uint32_t i = 0; i <= n; i++)
		pz_iommu_unmap(small, 0, bus[i], 1, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, pz_iommu_destroy(b->d, 0) == -PZ_EBUSY && im_told(b) == 1, "still in use");
	pz_iommu_detach(small);
	pz_iommu_detach(NULL);
	im_close(b, dev);
}

static void im_lists(struct tap *t, struct iommu_box *b)
{
	struct pz_sg sg[4] = { { IB_HIGH + 0x3000, 0x1000, 0, 0 },
			       { IB_HIGH + 0x9000, 0x1800, 0, 0 },
			       { IB_HIGH + 0xb800, 0x100, 0, 0 },
			       { IB_HIGH + 0x20010, 0x10, 0, 0 } };
	struct pz_iommu_dev *dev;
	uint32_t n = 0;
	uint64_t base, at;

	if (!im_open(b, t, &dev))
		return;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 4, PZ_DMA_BIDIRECTIONAL, 0, &n) == 0);
	base = sg[0].bus;
	CHECK_NAMED(t, n == 3 && sg[0].bus_len == 0x2800 && sg[3].bus_len == 0, "two are joined");
	CHECK(t, sg[1].bus == base + 0x3800 && sg[1].bus_len == 0x100);
	CHECK(t, sg[2].bus == base + 0x4010 && sg[2].bus_len == 0x10);
	CHECK(t, pz_iommu_phys(b->d, base + 0x1000, &at) == 0 && at == IB_HIGH + 0x9000);
	CHECK(t, im_writes(b, base + 0x27ff, 5) && *im_at(b, IB_HIGH + 0xa7ff) == 5);
	CHECK(t, im_writes(b, sg[2].bus + 15, 6) && *im_at(b, IB_HIGH + 0x2001f) == 6);
	CHECK(t, !im_reads(b, base - 1) && !im_reads(b, base + 0x5000));
	CHECK(t, pz_iommu_check(b->d) == 0);
	pz_iommu_unmap_sg(dev, 0, sg, 3, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK_NAMED(t, im_told(b) == 1 && im_reads(b, base), "not the list that was mapped");
	b->flushes = 0;
	pz_iommu_unmap_sg(dev, 0, sg, 4, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, !im_told(b) && !im_reads(b, base) && !im_reads(b, sg[2].bus) && b->flushes == 1);
	pz_iommu_unmap_sg(dev, 0, sg, 4, PZ_DMA_BIDIRECTIONAL, 0);
	CHECK(t, im_told(b) == 1);
	im_close(b, dev);
}

static void im_segments(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev_config cfg;
	struct pz_iommu_dev *dev = NULL;
	struct pz_sg sg[3] = { { IB_HIGH, 0x3000, 0, 0 },
			       { IB_HIGH + 0x4800, 0x1801, 0, 0 },
			       { IB_HIGH + 0x8000, 0x1000, 0, 0 } };
	uint64_t bus;
	uint32_t n = 0;

	if (!CHECK(t, ib_lay_out(b, t) && ib_make(b) == 0))
		return;
	pz_iommu_dev_init(&cfg, "picky", 32);
	cfg.boundary = 0x4000;
	cfg.max_segment = 0x3800;
	cfg.max_segments = 3;
	CHECK(t, pz_iommu_attach(&dev, b->d, &cfg) == 0);
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 3, PZ_DMA_TO_DEVICE, 0, &n) == 0 && n == 3);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_NAMED(t, sg[i].bus / 0x4000 == (sg[i].bus + sg[i].bus_len - 1) / 0x4000,
			    "none crosses the boundary");
	CHECK_NAMED(t, !im_reads(b, sg[0].bus + 0x3000), "what lies between is not mapped");
	CHECK(t, im_reads(b, sg[1].bus) && pz_iommu_check(b->d) == 0);
	pz_iommu_unmap_sg(dev, 0, sg, 3, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, !im_told(b) && !im_reads(b, sg[1].bus) && !im_reads(b, sg[2].bus));
	sg[1].phys = IB_HIGH + 0x4000;
	sg[1].len = 0x800;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == 0);
	CHECK_NAMED(t, n == 1 && sg[0].bus_len == 0x3800, "a segment as long as may be");
	pz_iommu_unmap_sg(dev, 0, sg, 2, PZ_DMA_TO_DEVICE, 0);
	sg[1].len = 0x801;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == 0 && n == 2);
	pz_iommu_unmap_sg(dev, 0, sg, 2, PZ_DMA_TO_DEVICE, 0);
	sg[1].len = 0x3801;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_EINVAL);
	sg[1] = (struct pz_sg){ IB_HIGH + 0x4c00, 0x3700, 0, 0 };
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_ERANGE);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH + 0xc00, 0x3700, PZ_DMA_TO_DEVICE, 0, &bus) ==
			 -PZ_ERANGE);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH + 0xc00, 0x3400, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK(t, bus % 0x4000 == 0xc00);
	pz_iommu_unmap(dev, 0, bus, 0x3400, PZ_DMA_TO_DEVICE, 0);
	im_close(b, dev);
	if (!CHECK(t, ib_lay_out(b, t) && ib_make(b) == 0))
		return;
	cfg.max_segments = 1;
	CHECK(t, pz_iommu_attach(&dev, b->d, &cfg) == 0);
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 1, PZ_DMA_TO_DEVICE, 0, &n) == 0);
	pz_iommu_unmap_sg(dev, 0, sg, 1, PZ_DMA_TO_DEVICE, 0);
	sg[1].len = 1;
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == -PZ_ENOSPC);
	im_close(b, dev);
}

static void im_interrupt(struct iommu_box *b)
{
	pz_iommu_unmap(b->intruder, 0, b->intruder_bus, 4096, PZ_DMA_TO_DEVICE, 0);
}

/* The CPU's queue is in use: what is unmapped on top of that is flushed by itself. */
static void im_interrupted(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev *dev;
	struct pz_iommu_stat s;
	uint64_t bus;

	if (!ib_lay_out(b, t))
		return;
	b->cfg.lazy = true;
	if (!CHECK(t, ib_make(b) == 0))
		return;
	dev = b->intruder = im_device(b, 32, true);
	CHECK(t,
	      pz_iommu_map(dev, 0, 0, IB_HIGH, 4096, PZ_DMA_TO_DEVICE, 0, &b->intruder_bus) == 0);
	b->intrude = im_interrupt;
	b->flushes = 0;
	for (uint32_t i = 0; i < 1000 && b->intrude; i++) {
		CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 1, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
		CHECK(t, im_reads(b, b->intruder_bus));
		pz_iommu_unmap(dev, 0, bus, 1, PZ_DMA_TO_DEVICE, 0);
	}
	CHECK_NAMED(t, !b->intrude && b->flushes == 1, "flushed at once");
	pz_iommu_stat(b->d, &s);
	CHECK(t, s.out == 0 && !im_reads(b, b->intruder_bus) && !im_told(b));
	im_close(b, dev);
}

static void im_lazy(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_window w = { { 0x100000, 0x1fffff }, 0, 0 };
	struct pz_iommu_dev *dev;
	struct pz_iommu_stat s;
	uint64_t bus, again;
	uint32_t n = 0;

	if (!ib_lay_out(b, t))
		return;
	b->cfg.lazy = true;
	b->cfg.space = (struct pz_range){ 0x100000, 0x1fffff };
	if (!CHECK(t, ib_make(b) == 0))
		return;
	dev = im_device(b, 32, true);
	b->flushes = b->alls = 0;
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 4096, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK(t, im_reads(b, bus));
	pz_iommu_unmap(dev, 0, bus, 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, im_reads(b, bus) && !b->flushes && !b->alls, "not flushed yet");
	CHECK(t, pz_iommu_check(b->d) == 0);
	pz_iommu_unmap(dev, 0, bus, 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, im_told(b) == 1, "twice is misuse, also while it waits");
	pz_iommu_stat(b->d, &s);
	CHECK(t, s.waiting == 4096 && s.out == 0 && s.queued == 1);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 4096, PZ_DMA_TO_DEVICE, 0, &again) == 0);
	CHECK_NAMED(t, again != bus, "addresses that wait are not used");
	pz_iommu_unmap(dev, 1, again, 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_iommu_flush(b->d, 0) == 8192 && b->alls == 1 && !im_reads(b, bus));
	CHECK_NAMED(t, pz_iommu_flush(b->d, 0) == 0 && b->alls == 1, "nothing waits, no flush");
	/* A hundred flushes by themselves would be a hundred flushes. */
	for (; n < 1000; n++) {
		if (pz_iommu_map(dev, 0, 0, IB_HIGH, 4096, PZ_DMA_TO_DEVICE, 0, &bus))
			break;
		pz_iommu_unmap(dev, 0, bus, 4096, PZ_DMA_TO_DEVICE, 0);
	}
	CHECK(t, n == 1000 && b->flushes == 0 && b->alls > 1 && b->alls < 12);
	/* Nothing is free but what waits. */
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, PM_MIB, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	pz_iommu_unmap(dev, 1, bus, PM_MIB, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, PM_MIB, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK(t, bus == 0x100000);
	pz_iommu_unmap(dev, PZ_CPU_NONE, bus, PM_MIB, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, pz_iommu_add_window(b->d, 0, 0, &w) == 0, "a window, too, makes it flush");
	im_close(b, dev);
}

/* A second level of pages of 4 KiB goes as a whole, and a part of another, or none. */
static void im_forgets(struct iommu_box *b, struct pz_iommu_dev *dev, uint64_t more)
{
	uint64_t bus = 0;

	CHECK(b->t, pz_iommu_map(dev, 0, 0, IB_HIGH + 4096, PM_MIB + more, PZ_DMA_TO_DEVICE, 0,
				 &bus) == 0);
	CHECK(b->t, im_reads(b, bus) && im_reads(b, bus + PM_MIB + more - 1));
	pz_iommu_unmap(dev, 0, bus, PM_MIB + more, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(b->t, !im_reads(b, bus) && !im_reads(b, bus + PM_MIB + more - 1),
		    "nothing that went is kept");
}

/* An IOMMU that has fewer ways to forget than there are hooks is asked in those that it has. */
static void im_flushers(struct tap *t, struct iommu_box *b)
{
	for (unsigned int have = 1; have < 8; have++) {
		struct pz_iommu *d = NULL;
		struct pz_iommu_dev *dev;
		const char *why = NULL;

		if (!CHECK(t, ib_lay_out(b, t)))
			return;
		b->cfg.tables.tlb.flush_all = have & 1 ? b->cfg.tables.tlb.flush_all : NULL;
		b->cfg.tables.tlb.flush_walk = have & 2 ? b->cfg.tables.tlb.flush_walk : NULL;
		b->cfg.flush = have & 4 ? b->cfg.flush : NULL;
		if (!(have & 1)) {
			b->cfg.lazy = true;
			CHECK_NAMED(t, pz_iommu_create(&d, &b->cfg, 0, 0, &why) == -PZ_EINVAL,
				    "a lazy domain must be able to flush everything");
			CHECK(t, why && !d);
			b->cfg.lazy = false;
		}
		if (!CHECK(t, ib_make(b) == 0))
			return;
		dev = im_device(b, 32, true);
		im_forgets(b, dev, 0);
		im_forgets(b, dev, 4096);
		im_close(b, dev);
	}
}

static void im_windows(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_window w[] = {
		{ { 0x8000000, 0x80fffff }, 0x8000000, PZ_IOMMU_READ | PZ_IOMMU_WRITE },
		{ { 0xfee00000, 0xfeefffff }, 0, 0 },
	};
	struct pz_iommu_window more = { { 0x9000000, 0x9000fff }, IB_HIGH + 0x7000, PZ_IOMMU_READ };
	struct pz_iommu_dev *dev;
	struct pz_iommu_stat s;
	uint64_t at;

	if (!ib_lay_out(b, t))
		return;
	b->cfg.windows = w;
	b->cfg.window_count = 2;
	b->cfg.space = (struct pz_range){ 0x8080000, 0x8ffffff };
	if (!CHECK(t, ib_make(b) == 0))
		return;
	dev = im_device(b, 32, true);
	CHECK_NAMED(t, pz_iommu_phys(b->d, 0x80abcde, &at) == 0 && at == 0x80abcde, "identity");
	CHECK(t, pz_iommu_phys(b->d, 0xfee00000, &at) == -PZ_ENOENT);
	pz_iommu_stat(b->d, &s);
	CHECK(t, s.windows == 0x80000 && s.out == 0);
	CHECK(t, pz_iommu_add_window(b->d, 0, 0, &more) == 0);
	CHECK(t, im_reads(b, 0x9000000) && pz_iommu_check(b->d) == 0);
	CHECK_NAMED(t, pz_iommu_add_window(b->d, 0, 0, &more) == 0, "it is there already");
	more.phys += 4096;
	CHECK(t, pz_iommu_add_window(b->d, 0, 0, &more) == -PZ_EEXIST);
	more.iova = (struct pz_range){ 0x8400000, 0x8400800 };
	CHECK(t, pz_iommu_add_window(b->d, 0, 0, &more) == -PZ_EINVAL);
	more.iova = (struct pz_range){ 0x8400fff, 0x8400000 };
	CHECK(t, pz_iommu_add_window(b->d, 0, 0, &more) == -PZ_EINVAL);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 4096, PZ_DMA_TO_DEVICE, 0, &at) == 0);
	more.iova = (struct pz_range){ at, at + 4095 };
	CHECK(t, pz_iommu_add_window(b->d, 0, 0, &more) == -PZ_EBUSY);
	pz_iommu_unmap(dev, 0, at, 4096, PZ_DMA_TO_DEVICE, 0);
	pz_iommu_unmap(dev, 0, 0x8080000, 0x80000, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, im_told(b) == 1 && !pz_iommu_phys(b->d, 0x8080000, &at), "no mapping");
	im_close(b, dev);
}

static void im_misuse(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev *dev;
	uint64_t bus;

	if (!im_open(b, t, &dev))
		return;
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH + 0x10, 0x3000, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	pz_iommu_unmap(dev, 0, bus, 0x2000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	pz_iommu_unmap(dev, 0, bus, 0x4000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	pz_iommu_unmap(dev, 0, bus + 0x1000, 0x2000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	pz_iommu_unmap(dev, 0, bus, 0, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	pz_iommu_unmap(dev, 0, bus, UINT64_MAX, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	pz_iommu_unmap(dev, 0, 1ull << 40, 0x3000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	CHECK_NAMED(t, im_reads(b, bus) && im_reads(b, bus + 0x2fff), "and nothing happens");
	CHECK(t, pz_iommu_destroy(b->d, 0) == -PZ_EBUSY && im_told(b) == 1);
	pz_iommu_unmap(dev, 0, bus, 0x3000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 0);
	pz_iommu_unmap(dev, 0, bus, 0x3000, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, im_told(b) == 1);
	im_close(b, dev);
}

static bool im_cache(const struct ib_cache *c, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	return c->phys == phys && c->bytes == bytes && c->dir == dir;
}

static void im_caches(struct tap *t, struct iommu_box *b)
{
	struct pz_sg sg[2] = { { IB_HIGH, 0x1000, 0, 0 }, { IB_HIGH + 0x3000, 0x20, 0, 0 } };
	struct pz_iommu_dev *dev;
	struct pz_v7s_page page;
	uint64_t bus;
	uint32_t n;

	if (!CHECK(t, ib_lay_out(b, t) && ib_make(b) == 0))
		return;
	dev = im_device(b, 32, false);
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH + 0x17, 0x2001, PZ_DMA_FROM_DEVICE, 0, &bus) == 0);
	CHECK(t, b->for_devices == 1 &&
			 im_cache(&b->for_device, IB_HIGH + 0x17, 0x2001, PZ_DMA_FROM_DEVICE));
	CHECK(t, pz_v7s_query(pz_iommu_tables(b->d), bus, &page) == 0 &&
			 !(page.prot & PZ_IOMMU_CACHE));
	pz_iommu_sync_for_cpu(dev, bus + 0x1000, 5, PZ_DMA_FROM_DEVICE);
	CHECK(t,
	      b->for_cpus == 1 && im_cache(&b->for_cpu, IB_HIGH + 0x1017, 5, PZ_DMA_FROM_DEVICE));
	pz_iommu_sync_for_device(dev, bus + 2, 0x1ffe, PZ_DMA_FROM_DEVICE);
	CHECK(t, b->for_devices == 2 &&
			 im_cache(&b->for_device, IB_HIGH + 0x19, 0x1ffe, PZ_DMA_FROM_DEVICE));
	pz_iommu_unmap(dev, 0, bus, 0x2001, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, b->for_cpus == 2 &&
			 im_cache(&b->for_cpu, IB_HIGH + 0x17, 0x2001, PZ_DMA_FROM_DEVICE));
	CHECK(t, pz_iommu_map(dev, 0, 0, IB_HIGH, 9, PZ_DMA_TO_DEVICE, PZ_DMA_SKIP_CPU_SYNC,
			      &bus) == 0);
	pz_iommu_unmap(dev, 0, bus, 9, PZ_DMA_TO_DEVICE, PZ_DMA_SKIP_CPU_SYNC);
	CHECK(t, pz_iommu_map_resource(dev, 0, 0, 0x1000, 9, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	pz_iommu_unmap_resource(dev, 0, bus, 9);
	CHECK_NAMED(t, b->for_cpus == 2 && b->for_devices == 2, "not asked for");
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n) == 0);
	CHECK(t, b->for_devices == 4 &&
			 im_cache(&b->for_device, IB_HIGH + 0x3000, 0x20, PZ_DMA_TO_DEVICE));
	pz_iommu_sync_sg_for_cpu(dev, sg, 2, PZ_DMA_TO_DEVICE);
	pz_iommu_sync_sg_for_device(dev, sg, 2, PZ_DMA_TO_DEVICE);
	CHECK(t, b->for_devices == 6 && b->for_cpus == 4);
	pz_iommu_unmap_sg(dev, 0, sg, 2, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, b->for_cpus == 6);
	im_close(b, dev);
}

/* A list that was taken back may be somebody's already: its caches are left alone. */
static void im_list_twice(struct tap *t, struct iommu_box *b)
{
	struct pz_sg sg[2] = { { IB_HIGH, 0x1000, 0, 0 }, { IB_HIGH + 0x3000, 0x20, 0, 0 } };
	struct pz_iommu_dev *dev;
	uint32_t n;

	if (!CHECK(t, ib_lay_out(b, t)))
		return;
	b->cfg.lazy = true;
	if (!CHECK(t, ib_make(b) == 0))
		return;
	dev = im_device(b, 32, false);
	CHECK(t, pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_FROM_DEVICE, 0, &n) == 0);
	pz_iommu_unmap_sg(dev, 0, sg, 2, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, b->for_cpus == 2 && !im_told(b));
	pz_iommu_unmap_sg(dev, 0, sg, 2, PZ_DMA_FROM_DEVICE, 0);
	CHECK_NAMED(t, b->for_cpus == 2 && im_told(b) == 1, "twice is misuse, and changes nothing");
	im_close(b, dev);
}

void contract_iommu(struct tap *t)
{
	struct iommu_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK(t, b != NULL))
		return;
	im_mapping(t, b);
	im_refusing(t, b);
	im_prot(t, b);
	im_masks(t, b);
	im_lists(t, b);
	im_segments(t, b);
	im_lazy(t, b);
	im_flushers(t, b);
	im_interrupted(t, b);
	im_windows(t, b);
	im_misuse(t, b);
	im_caches(t, b);
	im_list_twice(t, b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
