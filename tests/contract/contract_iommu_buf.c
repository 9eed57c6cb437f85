/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_iommu_buf.c - coherent buffers of domains, what a domain is made from, and what fails.
 */
#include "iommu_box.h"
#include "suites_decl.h"

static struct pz_iommu_dev *ibuf_open(struct iommu_box *b, struct tap *t, bool view, bool coherent)
{
	struct pz_iommu_dev_config cfg;
	struct pz_iommu_dev *dev = NULL;

	if (!CHECK(t, ib_lay_out(b, t)))
		return NULL;
	if (!view) {
		b->cfg.hooks.view = NULL;
		b->cfg.hooks.unview = NULL;
	}
	pz_iommu_dev_init(&cfg, "master", 32);
	cfg.coherent = coherent;
	CHECK_NAMED(t, ib_make(b) == 0 && pz_iommu_attach(&dev, b->d, &cfg) == 0, "a device");
	return dev;
}

static void ibuf_close(struct iommu_box *b, struct pz_iommu_dev *dev)
{
	pz_iommu_detach(dev);
	CHECK_NAMED(b->t, ib_close(b), "all came back");
}

static uint64_t ibuf_told(struct iommu_box *b)
{
	uint64_t n = b->pm.bugs.count;

	b->pm.bugs.count = 0;
	return n;
}

static bool ibuf_master(struct iommu_box *b, uint64_t bus, unsigned char *c, bool write)
{
	return master_access(&b->m, bus, c, 1, write);
}

#define IBUF_STRIPES ((uint32_t)((IB_LOW_BYTES + IB_HIGH_BYTES) / 8192))

/* Take every second page of a part; how many were to be had. */
static uint32_t ibuf_stripes(struct iommu_box *b, uint64_t phys, uint64_t bytes, uint64_t *pfn)
{
	uint32_t n = 0;

	for (uint64_t end = phys + bytes; phys < end; phys += 8192) {
		struct pz_limits l = pm_window(phys >> 12, phys >> 12);

		n += !pz_alloc_pages(b->pm.pages, 0, 0, 0, &l, &pfn[n]);
	}
	return n;
}

static void ibuf_scattered(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev *dev = ibuf_open(b, t, true, true);
	struct pz_iommu_buf buf;
	unsigned char c = 1, *p;
	uint64_t phys, next;
	bool zero = true;
	uint32_t apart = 0, n;
	uint64_t pfn[IBUF_STRIPES];

	if (!dev)
		return;
	for (uint64_t i = 0; i < IB_HIGH_BYTES; i++)
		*((unsigned char *)ib_memory(b, IB_HIGH, 1) + i) = 0xee;
	n = ibuf_stripes(b, IB_LOW, IB_LOW_BYTES, pfn);
	n += ibuf_stripes(b, IB_HIGH, IB_HIGH_BYTES, pfn + n);
	CHECK(t, pz_iommu_alloc(dev, 0, PZ_GFP_BLOCK, 0, 40 * 4096 - 7, &buf) == 0);
	CHECK_NAMED(t, buf.bus % (64 * 4096) == 0 && buf.bus < UINT32_MAX, "aligned to its size");
	for (uint64_t at = 0; at < 39 * 4096; at += 4096) {
		zero &= pz_iommu_phys(b->d, buf.bus + at, &phys) == 0 &&
			pz_iommu_phys(b->d, buf.bus + at + 4096, &next) == 0;
		apart += phys + 4096 != next;
	}
	CHECK_NAMED(t, zero && apart == 39, "of pages that lie apart");
	p = buf.cpu_addr;
	for (uint32_t i = 0; i < 40 * 4096; i++)
		zero &= p[i] == 0;
	CHECK_NAMED(t, zero, "the CPU sees it zeroed and in a row");
	p[39 * 4096 + 5] = 77;
	CHECK(t, pz_iommu_check(b->d) == 0);
	b->flushes = 0;
	CHECK(t, ibuf_master(b, buf.bus + 3 * 4096, &c, false));
	pz_iommu_free(dev, 1, &buf);
	CHECK(t, b->flushes == 3 && !ibuf_master(b, buf.bus + 3 * 4096, &c, false));
	pz_iommu_free(dev, 1, &buf);
	CHECK(t, ibuf_told(b) == 1);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, PZ_DMA_NO_KERNEL_MAPPING, 3 * 4096, &buf) == 0);
	CHECK(t, !buf.cpu_addr && ibuf_master(b, buf.bus + 2 * 4096, &c, true));
	pz_iommu_free(dev, 1, &buf);
	CHECK_NAMED(t, pz_iommu_alloc(dev, 0, 0, 0, 2 * 4096, &buf) == -PZ_ENOMEM,
		    "who may not block needs one piece");
	pz_free_bulk(b->pm.pages, 0, n, pfn);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, 2 * 4096, &buf) == 0 && !buf.viewed);
	pz_iommu_free(dev, 1, &buf);
	ibuf_close(b, dev);
}

static void ibuf_whole(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev *dev = ibuf_open(b, t, false, true);
	struct pz_iommu_buf buf = { .bus = 5 };
	unsigned char c = 3;
	uint64_t phys;

	if (!dev)
		return;
	CHECK(t, pz_iommu_alloc(dev, 0, PZ_GFP_BLOCK, 0, 3 * 4096, &buf) == 0);
	CHECK(t, pz_iommu_phys(b->d, buf.bus, &phys) == 0 && phys > 4 * PM_GIB);
	CHECK_NAMED(t, buf.cpu_addr == ib_memory(b, phys, 1), "where it is mapped already");
	CHECK(t, ibuf_master(b, buf.bus + 12287, &c, true));
	CHECK(t, ((unsigned char *)buf.cpu_addr)[12287] == 3);
	pz_iommu_free(dev, 0, &buf);
	buf.bus = 5;
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, 0, &buf) == -PZ_EINVAL);
	CHECK(t, pz_iommu_alloc(dev, 0, PZ_GFP_MOVABLE, 0, 1, &buf) == -PZ_EINVAL);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 1, 1, &buf) == -PZ_EINVAL);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, UINT64_MAX, &buf) == -PZ_ERANGE);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, 8 * PM_MIB, &buf) == -PZ_ERANGE);
	CHECK(t,
	      pz_iommu_alloc(dev, 0, 0, PZ_DMA_NO_KERNEL_MAPPING, 8 * PM_MIB, &buf) == -PZ_ENOMEM);
	CHECK(t, buf.bus == 5);
	buf.bus = 0x1000;
	buf.size = 4096;
	pz_iommu_free(dev, 0, &buf);
	CHECK(t, ibuf_told(b) == 1);
	CHECK(t, pz_iommu_map(dev, 0, 0, 0x1000, 4096, PZ_DMA_TO_DEVICE, 0, &buf.bus) == 0);
	pz_iommu_free(dev, 0, &buf);
	CHECK_NAMED(t, ibuf_told(b) == 1, "a mapping of what is no page");
	pz_iommu_unmap(dev, 0, buf.bus, 4096, PZ_DMA_TO_DEVICE, 0);
	ibuf_close(b, dev);
}

static void ibuf_incoherent(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev *dev = ibuf_open(b, t, false, false);
	struct pz_iommu_buf buf;

	if (!dev)
		return;
	CHECK(t, pz_iommu_alloc(dev, 0, PZ_GFP_BLOCK, 0, 4096, &buf) == -PZ_ERANGE);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, PZ_DMA_NO_KERNEL_MAPPING, 4096, &buf) == 0);
	CHECK(t, b->for_devices == 1 && b->for_cpus == 1 && b->for_device.bytes == 4096);
	pz_iommu_free(dev, 0, &buf);
	ibuf_close(b, dev);
	dev = ibuf_open(b, t, true, false);
	if (!dev)
		return;
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, 4096, &buf) == -PZ_ERANGE);
	CHECK(t, pz_iommu_alloc(dev, 0, PZ_GFP_BLOCK, 0, 4096, &buf) == 0 && buf.viewed);
	pz_iommu_free(dev, 0, &buf);
	b->view_fails = true;
	CHECK(t, pz_iommu_alloc(dev, 0, PZ_GFP_BLOCK, 0, 40 * 4096, &buf) == -PZ_ENOMEM);
	ibuf_close(b, dev);
}

/* A lazy domain's buffers are flushed before their memory goes. */
static void ibuf_lazy(struct tap *t, struct iommu_box *b)
{
	struct pz_iommu_dev_config cfg;
	struct pz_iommu_dev *dev = NULL;
	struct pz_iommu_buf buf;
	unsigned char c = 0;

	if (!CHECK(t, ib_lay_out(b, t)))
		return;
	b->cfg.lazy = true;
	pz_iommu_dev_init(&cfg, "master", 32);
	CHECK(t, ib_make(b) == 0 && pz_iommu_attach(&dev, b->d, &cfg) == 0);
	CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, 4096, &buf) == 0);
	CHECK(t, ibuf_master(b, buf.bus, &c, false));
	pz_iommu_free(dev, 0, &buf);
	CHECK(t, !ibuf_master(b, buf.bus, &c, false));
	ibuf_close(b, dev);
}

static void ibuf_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule)
{
	(void)ctx;
	(void)gather;
	(void)iova;
	(void)size;
	(void)granule;
}

static void ibuf_config(struct tap *t, struct iommu_box *b)
{
	const char *why;
	struct pz_iommu_window w = { { 0x1000, 0x1fff }, 0x1001, PZ_IOMMU_READ };
	struct pz_iommu_config good;
	struct pz_iommu *d = NULL;

	if (!CHECK(t, ib_lay_out(b, t)))
		return;
	good = b->cfg;
#define BAD(change, rc)                                                                       \
	do {                                                                                  \
		b->cfg = good;                                                                \
		change;                                                                       \
		why = NULL;                                                                   \
		CHECK_NAMED(t, pz_iommu_create(&d, &b->cfg, 0, 0, &why) == (rc) && why && !d, \
			    #change " is refused, with a reason");                            \
	} while (0)
	BAD(b->faults.cap = b->faults.count, -PZ_ENOSPC);
	b->faults.cap = IB_POINTS;
	BAD(b->cfg.tables.meta = NULL, -PZ_EINVAL);
	BAD(b->cfg.cpus = 0, -PZ_EINVAL);
	BAD(b->cfg.tables.tlb.add = ibuf_add, -PZ_EINVAL);
	BAD(b->cfg.hooks.unview = NULL, -PZ_EINVAL);
	BAD(b->cfg.window_count = 1, -PZ_EINVAL);
	BAD(b->cfg.direct.first = 1, -PZ_EINVAL);
	BAD(b->cfg.shift = 11, -PZ_EINVAL);
	BAD(b->cfg.shift = 17, -PZ_EINVAL);
	BAD(b->cfg.shift = 13, -PZ_EINVAL);
	BAD(b->cfg.tables.ias = 35, -PZ_EINVAL);
	BAD(b->cfg.tables.sizes = PZ_V7S_1M, -PZ_EINVAL);
	BAD(b->cfg.space.last = (uint64_t)1 << 32, -PZ_EINVAL);
	BAD(b->cfg.space.last = 4095, -PZ_EINVAL);
	BAD(b->cfg.windows = &w; b->cfg.window_count = 1, -PZ_EINVAL);
#undef BAD
	b->cfg = good;
	CHECK(t, pz_iommu_destroy(NULL, 0) == 0);
	b->cfg.pages = NULL;
	b->cfg.shift = 16;
	CHECK(t, ib_make(b) == 0);
	{
		struct pz_iommu_dev_config cfg;
		struct pz_iommu_dev *dev = NULL;
		struct pz_iommu_buf buf = { .size = 1 };
		uint64_t bus;

		pz_iommu_dev_init(&cfg, "master", 99);
		CHECK(t, cfg.mask == UINT64_MAX && pz_iommu_attach(&dev, b->d, &cfg) == 0);
		CHECK(t, pz_iommu_alloc(dev, 0, 0, 0, 1, &buf) == -PZ_EINVAL);
		CHECK(t,
		      pz_iommu_map(dev, 0, 0, IB_HIGH + 0x5678, 1, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
		CHECK_NAMED(t, bus % 0x10000 == 0x5678, "granules of 64 KiB");
		pz_iommu_free(dev, 0, &buf);
		CHECK(t, ibuf_told(b) == 1);
		pz_iommu_unmap(dev, 0, bus, 1, PZ_DMA_TO_DEVICE, 0);
		pz_iommu_detach(dev);
	}
	CHECK_NAMED(t, ib_close(b), "all came back");
}

/* --- each thing that can fail does, in turn --- */

static int ibuf_life(struct iommu_box *b, bool lazy)
{
	struct pz_iommu_window w = { { 0x7000000, 0x7000fff }, 0, 0 };
	struct pz_sg sg[2] = { { IB_HIGH, PM_MIB, 0, 0 }, { IB_HIGH, 0x20, 0, 0 } };
	struct pz_iommu_dev_config cfg;
	struct pz_iommu_dev *dev = NULL;
	struct pz_iommu_buf buf;
	bool mapped = false, listed = false, buffered = false;
	uint64_t bus;
	uint32_t n;
	int rc, end;

	b->cfg.lazy = lazy;
	pz_iommu_dev_init(&cfg, "master", 32);
	rc = ib_make(b);
	if (rc)
		return rc;
	rc = pz_iommu_add_window(b->d, 0, 0, &w);
	if (!rc)
		rc = pz_iommu_attach(&dev, b->d, &cfg);
	if (!rc) {
		rc = pz_iommu_map(dev, 0, 0, IB_HIGH, 3 * PM_MIB / 2, PZ_DMA_TO_DEVICE, 0, &bus);
		mapped = !rc;
	}
	if (!rc) {
		rc = pz_iommu_map_sg(dev, 0, 0, sg, 2, PZ_DMA_TO_DEVICE, 0, &n);
		listed = !rc;
	}
	if (!rc) {
		rc = pz_iommu_alloc(dev, 0, PZ_GFP_BLOCK, 0, 5 * 4096, &buf);
		buffered = !rc;
	}
	if (buffered)
		pz_iommu_free(dev, 0, &buf);
	if (listed)
		pz_iommu_unmap_sg(dev, 0, sg, 2, PZ_DMA_TO_DEVICE, 0);
	if (mapped)
		pz_iommu_unmap(dev, 0, bus, 3 * PM_MIB / 2, PZ_DMA_TO_DEVICE, 0);
	pz_iommu_detach(dev);
	end = pz_iommu_check(b->d);
	if (!end)
		end = pz_iommu_destroy(b->d, 0);
	b->d = NULL;
	return end ? end : rc;
}

static uint64_t ibuf_failed(const struct iommu_box *b)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < b->faults.count; i++)
		n += b->faults.v[i].failed;
	return n;
}

static void ibuf_failing(struct tap *t, struct iommu_box *b, bool lazy)
{
	uint64_t n = 0, failed = 0, told = 0;
	bool ok = true;

	if (!CHECK(t, ib_lay_out(b, t)))
		return;
	while (ok && ibuf_failed(b) == n && n < 200) {
		int rc;

		(void)pz_fault_arm(&b->faults, PZ_FAULT_ANY, ++n, 1);
		rc = ibuf_life(b, lazy);
		(void)pz_fault_arm(&b->faults, PZ_FAULT_ANY, 0, 0);
		failed += rc != 0;
		told += b->pm.bugs.count;
		ok = (rc == 0 || rc == -PZ_ENOMEM) && ib_all_free(b) && b->meta.bytes == 0;
	}
	CHECK_NAMED(t, ok && !told, "whatever fails, nothing is held");
	CHECK_NAMED(t, n > 30 && n < 200 && failed > 20, "until nothing fails any more");
	CHECK_NAMED(t, ib_close(b), "all came back");
}

void contract_iommu_buf(struct tap *t)
{
	struct iommu_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK(t, b != NULL))
		return;
	ibuf_scattered(t, b);
	ibuf_whole(t, b);
	ibuf_incoherent(t, b);
	ibuf_lazy(t, b);
	ibuf_config(t, b);
	ibuf_failing(t, b, false);
	ibuf_failing(t, b, true);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
