/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma.c - coherent buffers by known examples: reach, mapping, sharing, misuse, failures.
 */
#include "coherent_machine.h"
#include "suites_decl.h"

#define BLOCK PZ_GFP_BLOCK

/* A buffer of a device: allocated, tried from both sides, freed. */
static int dma_try(struct coherent_machine *m, struct pz_dma_dev *dev,
		   const struct pz_dma_dev_config *cfg, uint32_t gfp, uint32_t attrs, uint64_t size)
{
	struct pz_dma_buf buf;
	int rc = pz_dma_alloc(dev, 0, gfp, attrs, size, &buf);

	if (rc)
		return rc;
	CHECK_NAMED(m->pm.t, cm_works(m, cfg, &buf) && buf.size == size, "both sides see it");
	pz_dma_free(dev, 1, &buf);
	return 0;
}

static void dma_create_errors(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_config bad;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma *dma;

	if (!cm_simple(&m, t))
		return;
	for (unsigned int i = 0; i < 7; i++) {
		bad = m.cfg;
		bad.faults = NULL;
		if (i == 0)
			bad.pages = NULL;
		else if (i == 1)
			bad.meta = NULL;
		else if (i == 2)
			bad.cpus = 0;
		else if (i == 3)
			bad.private_bit = 3;
		else if (i == 4)
			bad.cma = 5;
		else if (i == 5)
			bad.direct.first = bad.direct.last + 1;
		else
			cm_with_unmap_alone(&bad);
		CHECK_NAMED(t, pz_dma_create(&dma, &bad) == -PZ_EINVAL, "a malformed layer");
	}
	for (unsigned int i = 0; i < 7; i++) {
		struct pz_dma_region odd = { { 100, 200 }, &m };

		pz_dma_dev_init(&cfg, "bad", 32);
		if (i == 0)
			cfg.name = NULL;
		else if (i == 1)
			cfg.align = 3;
		else if (i == 2)
			cfg.boundary = 6;
		else if (i == 3)
			cfg.window_count = 1;
		else if (i == 4)
			cfg.hole_count = 1;
		else if (i == 5)
			cfg.cma = 0;
		else
			cfg.region = &odd;
		CHECK_NAMED(t, pz_dma_dev_create(&dev, m.dma, &cfg) == -PZ_EINVAL,
			    "a malformed device");
	}
	pz_dma_dev_init(&cfg, "dev", 32);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_destroy(m.dma) == -PZ_EBUSY && m.bugs.count == 1);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	CHECK(t, pz_dma_dev_destroy(NULL) == 0 && pz_dma_destroy(NULL) == 0);
	cm_close(&m);
}

/* Every size up to some pages, for devices that reach all, some, and one side. */
static void dma_plain(struct tap *t)
{
	static const uint64_t sizes[] = { 1, 4095, 4096, 4097, 8192, 12288, 65536, 100000, 262144 };
	static const unsigned int bits[] = { 64, 40, 32, 25, 24 };
	struct coherent_machine m;

	if (!cm_simple(&m, t))
		return;
	for (unsigned int b = 0; b < 5; b++) {
		struct pz_dma_dev_config cfg;
		struct pz_dma_dev_stat stat;
		struct pz_dma_dev *dev;
		struct pz_dma_buf buf;

		pz_dma_dev_init(&cfg, "plain", bits[b]);
		dev = cm_device(&m, &cfg);
		for (unsigned int i = 0; i < 9; i++) {
			CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, sizes[i]) == 0);
			CHECK(t, dma_try(&m, dev, &cfg, PZ_GFP_HIGH, PZ_DMA_WRITE_COMBINE,
					 sizes[i]) == 0);
		}
		CHECK(t, pz_dma_alloc(dev, PZ_CPU_NONE, 0, 0, 5000, &buf) == 0);
		pz_dma_dev_stat(dev, &stat);
		CHECK(t, stat.buffers == 1 && stat.buffer_bytes == 5000);
		CHECK(t, buf.from == PZ_DMA_FROM_PAGES && buf.bus == buf.phys);
		CHECK(t, pz_dma_dev_destroy(dev) == -PZ_EBUSY);
		CHECK(t, pz_dma_check(m.dma) == 0);
		pz_dma_free(dev, 0, &buf);
		pz_dma_dev_stat(dev, &stat);
		CHECK(t, stat.buffers == 0 && stat.buffer_bytes == 0);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0, &buf) == -PZ_EINVAL);
		CHECK(t, pz_dma_alloc(dev, 0, PZ_GFP_ZERO, 0, 1, &buf) == -PZ_EINVAL);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 1, 1, &buf) == -PZ_EINVAL);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 64 * PM_MIB, &buf) == -PZ_ERANGE);
		CHECK(t, pz_dma_alloc(dev, 0, 0, 0, UINT64_MAX, &buf) == -PZ_ERANGE);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
	}
	CHECK(t, m.bugs.count == 5);
	cm_close(&m);
}

/* A limited device gets all that it reaches, and nothing else, however full the rest is. */
static void dma_all_within(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_buf first = { 0 }, buf;
	struct pz_dma_dev *dev;
	uint64_t n = 0;

	if (!cm_simple(&m, t))
		return;
	pz_dma_dev_init(&cfg, "isa", 24);
	dev = cm_device(&m, &cfg);
	while (!pz_dma_alloc(dev, 0, 0, 0, CM_PAGE, &buf)) {
		n++;
		CHECK_NAMED(t, buf.bus + CM_PAGE - 1 <= 0xffffff, "below 16 MiB");
		/* A list through the buffers themselves. */
		*(struct pz_dma_buf *)buf.cpu_addr = first;
		first = buf;
	}
	CHECK(t, n == PM_MIB / CM_PAGE);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1, &buf) == -PZ_ENOMEM);
	while (first.cpu_addr) {
		buf = first;
		first = *(struct pz_dma_buf *)buf.cpu_addr;
		pz_dma_free(dev, 0, &buf);
	}
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

static void dma_masks(struct tap *t)
{
	/* Bus addresses 0 to 1 MiB are the upper half of low memory, 4 GiB below them the lower. */
	static const struct pz_window windows[] = {
		{ { 16 * PM_MIB, 17 * PM_MIB - 1 }, 0 },
		{ { 15 * PM_MIB, 16 * PM_MIB - 1 }, 4 * PM_GIB },
	};
	struct pz_range hole = { 16 * PM_MIB, 16 * PM_MIB + 0x7ffff };
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_simple(&m, t))
		return;
	pz_dma_dev_init(&cfg, "masks", 64);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_required_mask(dev) == 0x1ffffffff && !pz_dma_limited(dev));
	CHECK(t, pz_dma_set_mask(dev, 0xffffff) == 0 && pz_dma_limited(dev));
	CHECK(t, pz_dma_reach(dev, false)->v[0].phys.last == 0xffffff);
	CHECK(t, pz_dma_set_mask(dev, 0x7fffff) == -PZ_ERANGE);
	CHECK(t, pz_dma_set_masks(dev, 0x7fffff) == -PZ_ERANGE);
	CHECK(t, pz_dma_set_coherent_mask(dev, 0x7fffff) == -PZ_ERANGE);
	/* A mask that is no power of two less one: 15 MiB and 8 KiB. */
	CHECK(t, pz_dma_set_coherent_mask(dev, CM_FIRST + 0x1fff) == 0);
	cfg.coherent_mask = CM_FIRST + 0x1fff;
	CHECK(t, dma_try(&m, dev, &cfg, 0, 0, 8192) == 0);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 8193, &buf) == -PZ_ERANGE);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 1, &buf) == 0);
	CHECK(t, pz_dma_set_coherent_mask(dev, 0xffffffff) == -PZ_EBUSY);
	CHECK(t, pz_dma_set_masks(dev, 0xffffffff) == -PZ_EBUSY);
	CHECK(t, pz_dma_set_mask(dev, 0xffffffff) == 0);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_set_masks(dev, 0xffffffff) == 0 && pz_dma_limited(dev));
	CHECK(t, pz_dma_dev_destroy(dev) == 0);

	pz_dma_dev_init(&cfg, "windows", 32);
	cfg.windows = windows;
	cfg.window_count = 2;
	cfg.holes = &hole;
	cfg.hole_count = 1;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_required_mask(dev) == 0x1ffffffff && pz_dma_limited(dev));
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 4096, &buf) == 0 && buf.phys >= hole.last + 1 &&
			 buf.bus == buf.phys - 16 * PM_MIB);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 0x80000) == 0);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x80001, &buf) == -PZ_ERANGE);
	CHECK(t, pz_dma_set_coherent_mask(dev, 0x1ffffffff) == 0);
	cfg.coherent_mask = 0x1ffffffff;
	CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, PM_MIB) == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* What a device wants of its bus addresses. */
static void dma_bus_wants(struct tap *t)
{
	/* An offset that keeps pages, but no larger alignment. */
	static const struct pz_window odd = { { CM_FIRST, CM_FIRST + CM_LOW - 1 }, 0x3000 };
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_simple(&m, t))
		return;
	pz_dma_dev_init(&cfg, "wants", 32);
	cfg.windows = &odd;
	cfg.window_count = 1;
	cfg.boundary = 0x10000;
	dev = cm_device(&m, &cfg);
	for (uint64_t size = 1; size <= 0x10000; size += 0x1fff)
		CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, size) == 0);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x10001, &buf) == -PZ_ERANGE);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cfg.boundary = 0;
	cfg.align = 0x20000;
	dev = cm_device(&m, &cfg);
	CHECK(t, dma_try(&m, dev, &cfg, 0, 0, 1) == 0 && dma_try(&m, dev, &cfg, 0, 0, 0x5000) == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* A device that does not see caches, where memory is mapped anew, or has an alias, or neither. */
static void dma_not_coherent(struct tap *t)
{
	for (unsigned int how = 0; how < 3; how++) {
		struct coherent_machine m;
		struct pz_dma_dev_config cfg;
		struct pz_dma_dev *dev;
		struct pz_dma_buf buf;
		int want = how == 2 ? -PZ_ERANGE : 0;

		if (!cm_lay_out(&m, t))
			return;
		if (how == 0)
			cm_with_remap(&m);
		else if (how == 1)
			cm_with_uncached(&m);
		if (!cm_make(&m))
			return;
		pz_dma_dev_init(&cfg, "blind", 32);
		cfg.coherent = false;
		dev = cm_device(&m, &cfg);
		CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 4096) == want);
		CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 40000) == want);
		/* Without a pool nothing that must be mapped is to be had at once. */
		m.may_block = false;
		CHECK(t, dma_try(&m, dev, &cfg, 0, 0, 4096) == (how == 1 ? 0 : -PZ_ERANGE));
		if (how < 2) {
			CHECK(t,
			      pz_dma_alloc(dev, 0, 0, PZ_DMA_NO_KERNEL_MAPPING, 4096, &buf) == 0 &&
				      !buf.cpu_addr);
			pz_dma_free(dev, 0, &buf);
		}
		m.may_block = true;
		m.fail_remap = m.fail_uncached = 1;
		CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 4096) == (want ? want : -PZ_ENOMEM));
		CHECK(t, cm_free(&m) == m.managed);
		CHECK(t, (how == 2) == (pz_dma_set_coherent_mask(dev, 0xffffff) == -PZ_ERANGE));
		CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
		cm_close(&m);
	}
}

/* High memory is for who can have it mapped, and comes last; or has no use for an address. */
static void dma_high(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf low[2], buf;

	for (unsigned int remap = 0; remap < 2; remap++) {
		if (!cm_lay_out(&m, t))
			return;
		if (remap)
			cm_with_remap(&m);
		if (!cm_make(&m))
			return;
		pz_dma_dev_init(&cfg, "wide", 64);
		dev = cm_device(&m, &cfg);
		CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, PM_MIB, &low[0]) == 0 &&
				 pz_dma_alloc(dev, 0, BLOCK, 0, PM_MIB, &low[1]) == 0);
		CHECK(t, low[0].phys < CM_ABOVE && low[1].phys < CM_ABOVE);
		CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 8192) == (remap ? 0 : -PZ_ENOMEM));
		m.may_block = false;
		CHECK(t, dma_try(&m, dev, &cfg, 0, 0, 8192) == -PZ_ENOMEM);
		CHECK(t, pz_dma_alloc(dev, 0, 0, PZ_DMA_NO_KERNEL_MAPPING, 8192, &buf) == 0 &&
				 buf.phys >= CM_ABOVE && !buf.cpu_addr);
		pz_dma_free(dev, 0, &buf);
		m.may_block = true;
		m.fail_remap = 1;
		CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 8192) == -PZ_ENOMEM);
		pz_dma_free(dev, 0, &low[0]);
		pz_dma_free(dev, 0, &low[1]);
		/* What lies in high memory alone is out of reach where nothing maps it. */
		CHECK(t, pz_dma_set_coherent_mask(dev, UINT64_MAX) == 0);
		CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
		cm_close(&m);
	}
}

/* Memory of devices that cannot read what is private. */
static void dma_share(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_share(&m);
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "shared", 32);
	cfg.shared = true;
	dev = cm_device(&m, &cfg);
	CHECK(t, dma_try(&m, dev, &cfg, BLOCK, 0, 8192) == 0 && !m.shared);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, PZ_DMA_NO_KERNEL_MAPPING, 8192, &buf) == 0 &&
			 m.shared == 8192 && !buf.cpu_addr);
	pz_dma_free(dev, 0, &buf);
	m.may_block = false;
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 8192, &buf) == -PZ_ERANGE);
	m.may_block = true;
	/* What could not be shared is lost: nobody knows who may read it. */
	m.fail_share = 1;
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 8192, &buf) == -PZ_ENOMEM);
	CHECK(t, pz_dma_lost(m.dma) == 8192 && cm_free(&m) == m.managed - 2);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 4096, &buf) == 0 && m.shared == 4096);
	m.fail_share = 1;
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_lost(m.dma) == 8192 + 4096 && cm_free(&m) == m.managed - 3);
	m.lost = 8192 + 4096;
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* A bit of the bus address says that memory is private; who cannot drive it gets what is shared. */
static void dma_private_bit(struct tap *t)
{
	uint64_t bit = (uint64_t)1 << 47;
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_share(&m);
	m.cfg.private_bit = bit;
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "sees", 64);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 1, &buf) == 0 && buf.bus == (buf.phys | bit));
	CHECK(t, cm_works(&m, &cfg, &buf) && !m.shared);
	/* With a narrow streaming mask addresses of the bit would be told that it cannot drive. */
	CHECK(t, pz_dma_set_mask(dev, 0xffffffff) == -PZ_EBUSY);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_set_masks(dev, 0xffffffff) == 0);
	cfg.mask = cfg.coherent_mask = 0xffffffff;
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1, &buf) == 0 && buf.bus == buf.phys);
	CHECK(t, cm_works(&m, &cfg, &buf) && m.shared == 4096);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, !m.shared && pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

/* What is not a buffer, or no longer, is told, and changes nothing. */
static void dma_misuse(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev[2];
	struct pz_dma_dev_stat stat;
	struct pz_dma_buf buf, bad;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_remap(&m);
	if (!cm_make(&m))
		return;
	m.pm.bugs.policy = PZ_BUG_REPORT;
	for (unsigned int i = 0; i < 2; i++) {
		pz_dma_dev_init(&cfg, "misused", 32);
		cfg.coherent = !i;
		dev[i] = cm_device(&m, &cfg);
		CHECK(t, pz_dma_alloc(dev[i], 0, BLOCK, 0, 8192, &buf) == 0);
		for (unsigned int k = 0; k < 5; k++) {
			uint64_t told = m.bugs.count + m.pm.bugs.count;

			bad = buf;
			if (k == 0)
				bad.bus += 4096;
			else if (k == 1)
				bad.phys += 4096;
			else if (k == 2)
				bad.size = 0;
			else if (k == 3)
				bad.size = 4096;
			else
				bad.from = 77;
			pz_dma_free(dev[i], 0, &bad);
			CHECK_NAMED(t, m.bugs.count + m.pm.bugs.count == told + 1,
				    "misuse is told");
			pz_dma_dev_stat(dev[i], &stat);
			CHECK(t, stat.buffers == 1 && stat.buffer_bytes == 8192);
			CHECK(t, m.maps == i && pz_dma_check(m.dma) == 0);
		}
		pz_dma_free(dev[i], 0, &buf);
		CHECK(t, cm_free(&m) == m.managed && m.maps == 0);
		pz_dma_free(dev[i], 0, &buf);
		pz_dma_dev_stat(dev[i], &stat);
		CHECK(t, stat.buffers == 0 && m.maps == 0 && !m.strange);
		CHECK(t, m.bugs.count + m.pm.bugs.count == 6 * (i + 1));
		CHECK(t, pz_dma_dev_destroy(dev[i]) == 0);
	}
	cm_close(&m);
}

/* Memory to be synced by the driver. */
static void dma_pages(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf;
	unsigned char v = 1;

	if (!cm_lay_out(&m, t))
		return;
	cm_with_remap(&m);
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "pages", 64);
	cfg.coherent = false;
	dev = cm_device(&m, &cfg);
	m.may_block = false;
	CHECK(t, pz_dma_alloc_pages(dev, 0, 0, PZ_DMA_TO_DEVICE, 20000, &buf) == 0);
	CHECK(t, buf.cpu_addr == cm_cache(&m, buf.phys) && !cm_cache(&m, buf.phys)[19999]);
	CHECK(t, cm_device_read(&m, &cfg, buf.bus + 19999, &v) && !v);
	pz_dma_free_pages(dev, 0, &buf);
	CHECK(t, pz_dma_alloc_pages(dev, 0, 0, PZ_DMA_NONE, 1, &buf) == -PZ_EINVAL);
	CHECK(t, pz_dma_alloc_pages(dev, 0, 0, PZ_DMA_TO_DEVICE, 0, &buf) == -PZ_EINVAL);
	/* It is never high memory. */
	CHECK(t,
	      pz_dma_alloc_pages(dev, 0, BLOCK, PZ_DMA_TO_DEVICE, 4 * PM_MIB, &buf) == -PZ_ERANGE);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cm_close(&m);
}

static bool dma_zero_pieces(struct coherent_machine *m, const struct pz_dma_dev_config *cfg,
			    const struct pz_sg *sg, uint32_t n, uint64_t bytes)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint64_t k = 0; k < sg[i].len; k++) {
			unsigned char v = 1;

			if (!cm_device_read(m, cfg, sg[i].bus + k, &v) || v)
				return false;
		}
		if (sg[i].len != sg[i].bus_len || sg[i].len > bytes)
			return false;
		bytes -= sg[i].len;
	}
	return !bytes;
}

static void dma_pieces(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_limits isa = PZ_LIMITS_BITS(24);
	struct pz_sg sg[64];
	uint64_t pfn[512];
	uint32_t n = 0, had;

	if (!cm_simple(&m, t))
		return;
	pz_dma_dev_init(&cfg, "pieces", 24);
	cfg.max_segment = 0x8fff;
	cfg.max_segments = 60;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, BLOCK, 0, 0x1d000, sg, 64, &n) == 0);
	CHECK(t, n == 5 && sg[0].len == 0x8000 && sg[4].len == 0x1000);
	CHECK(t, dma_zero_pieces(&m, &cfg, sg, n, 0x1d000));
	pz_dma_free_noncontiguous(dev, 0, sg, n);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, 0, 0, 0x1d000, sg, 4, &n) == -PZ_ENOSPC);
	CHECK(t, cm_free(&m) == m.managed);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, 0, 0, 0, sg, 5, &n) == -PZ_EINVAL);
	CHECK(t,
	      pz_dma_alloc_noncontiguous(dev, 0, 0, PZ_DMA_PRIVILEGED, 1, sg, 5, &n) == -PZ_EINVAL);
	/* Every other page is all there is: in single pages it can still be had. */
	had = pz_alloc_bulk(m.pm.pages, 0, 0, &isa, 512, pfn);
	CHECK(t, had == PM_MIB / CM_PAGE);
	for (uint32_t i = 0; i < had; i++) {
		if (pfn[i] & 1)
			pz_free_pages(m.pm.pages, 0, pfn[i], 0);
	}
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, BLOCK, PZ_DMA_SINGLE_PAGES, 50 * 4096, sg, 64,
					    &n) == 0 &&
			 n == 50);
	CHECK(t, dma_zero_pieces(&m, &cfg, sg, n, 50 * 4096));
	pz_dma_free_noncontiguous(dev, 0, sg, n);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, BLOCK, 0, 61 * 4096, sg, 64, &n) == -PZ_ENOSPC);
	for (uint32_t i = 0; i < had; i++) {
		if (!(pfn[i] & 1))
			pz_free_pages(m.pm.pages, 0, pfn[i], 0);
	}
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && m.bugs.count == 0);
	cfg.max_segment = 4095;
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, 0, 0, 1, sg, 64, &n) == -PZ_ERANGE);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* The page that was freed last is kept, given out again, and not freed twice. */
static void dma_hold(struct tap *t)
{
	struct coherent_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev_stat stat;
	struct pz_dma_dev *dev;
	struct pz_dma_buf buf, again, all;

	if (!cm_lay_out(&m, t))
		return;
	m.cfg.hold = true;
	if (!cm_make(&m))
		return;
	pz_dma_dev_init(&cfg, "hold", 24);
	dev = cm_device(&m, &cfg);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 4000, &buf) == 0 && cm_works(&m, &cfg, &buf));
	pz_dma_free(dev, 0, &buf);
	CHECK(t, cm_free(&m) == m.managed - 1 && pz_dma_check(m.dma) == 0);
	/* Kept by one CPU, it is freed neither by that one nor by another. */
	pz_dma_free(dev, 0, &buf);
	pz_dma_free(dev, 1, &buf);
	pz_dma_free(dev, PZ_CPU_NONE, &buf);
	pz_dma_free_pages(dev, 1, &buf);
	CHECK(t, m.bugs.count == 4 && m.pm.bugs.count == 0);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 1, &again) == 0 && again.phys == buf.phys);
	CHECK(t, cm_works(&m, &cfg, &again));
	/* Who looks like a page that is kept, and is none, is freed. */
	pz_dma_free(dev, 0, &again);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 1, &again) == 0);
	pz_dma_dev_stat(dev, &stat);
	CHECK(t, stat.buffers == 1 && stat.buffer_bytes == 1);
	pz_dma_free(dev, 1, &again);
	CHECK(t, pz_dma_drain(dev, 0) == 0 && pz_dma_drain(dev, 1) == 1);
	CHECK(t, pz_dma_drain(dev, 1) == 0 && cm_free(&m) == m.managed);
	/* A buffer that needs the page that this CPU keeps. */
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 1, &buf) == 0);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, PM_MIB, &all) == 0 && cm_works(&m, &cfg, &all));
	pz_dma_free(dev, 0, &all);
	CHECK(t, cm_free(&m) == m.managed);
	/* Another mask: what was kept need not be within reach. */
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 1, &buf) == 0);
	pz_dma_free(dev, 0, &buf);
	CHECK(t, pz_dma_set_masks(dev, 0xffffffff) == 0 && cm_free(&m) == m.managed);
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	cm_close(&m);
}

/* Whatever fails, nothing stays behind. */
static void dma_faults(struct tap *t)
{
	bool through = false;

	for (uint64_t nth = 1; !through && nth < 40; nth++) {
		static const struct pz_window windows[] = {
			{ { 16 * PM_MIB, 17 * PM_MIB - 1 }, 0 },
			{ { 15 * PM_MIB, 16 * PM_MIB - 1 }, 4 * PM_GIB },
		};
		struct pz_range hole = { 16 * PM_MIB, 16 * PM_MIB + 0x7fff };
		struct coherent_machine m;
		struct pz_dma_dev_config cfg;
		struct pz_dma_dev *dev = NULL;
		struct pz_dma_buf buf;
		int rc;

		if (!cm_lay_out(&m, t))
			return;
		cm_with_remap(&m);
		m.cfg.pool_bytes = 0x10000;
		if (!cm_make(&m))
			return;
		pz_dma_dev_init(&cfg, "unlucky", 64);
		cfg.windows = windows;
		cfg.window_count = 2;
		cfg.holes = &hole;
		cfg.hole_count = 1;
		cfg.coherent = false;
		pz_fault_arm(&m.faults, PZ_FAULT_ANY, nth, 1);
		rc = pz_dma_dev_create(&dev, m.dma, &cfg);
		if (!rc) {
			(void)pz_dma_set_masks(dev, 0xffffffff);
			rc = pz_dma_alloc(dev, 0, BLOCK, 0, 8192, &buf);
			if (!rc) {
				pz_dma_free(dev, 0, &buf);
				through = m.faults.arm.fail;
			}
			CHECK(t, rc == 0 || rc == -PZ_ENOMEM);
			CHECK(t, pz_dma_check(m.dma) == 0);
			CHECK(t, pz_dma_dev_destroy(dev) == 0);
		} else {
			CHECK(t, rc == -PZ_ENOMEM);
		}
		CHECK(t, m.bugs.count == 0);
		cm_close(&m);
	}
	CHECK_NAMED(t, through, "all was gone through");
}

void contract_dma(struct tap *t)
{
	dma_create_errors(t);
	dma_plain(t);
	dma_all_within(t);
	dma_masks(t);
	dma_bus_wants(t);
	dma_not_coherent(t);
	dma_high(t);
	dma_share(t);
	dma_private_bit(t);
	dma_misuse(t);
	dma_pages(t);
	dma_pieces(t);
	dma_hold(t);
	dma_faults(t);
}
