/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_stream.c - Linux's streaming mappings and bounce buffers in use, by known
 * examples: which slots a mapping gets, what is copied when, what is refused, and each line. Slots
 * are worked out by hand from docs/facts/dma.md section 6.
 */
#include "suites_decl.h"
#include "swiotlb_box.h"

#define SLOT PZL_SWIOTLB_SLOT
#define NONE PZ_DMA_ERROR

/* The slot in which a buffer lies. */
static uint64_t st_slot(const struct swiotlb_box *b, uint64_t buffer)
{
	return buffer == NONE ? NONE : (buffer - b->sw.mem.pools->start) / SLOT;
}

/* A stream of mappings on 512 slots in areas of 128, and the slot of each. */
struct st_search {
	const char *what;
	enum pzl_model model;
	uint32_t cpu;
	uint64_t orig, size, align_mask, keep, boundary;
	uint64_t slot;
};

static void st_searches(struct tap *t)
{
	/* The pool begins at a multiple of 1 MiB; each row searches on from where the last ended.
	 */
	static const struct st_search row[] = {
		/* of 6.1; what is at least a page lies at one */
		{ "the first slot", PZL_LINUX_6_1, 0, 0x40000001, 100, 0, 0, 0, 0 },
		{ "from there on", PZL_LINUX_6_1, 0, 0x40000001, 100, 0, 0, 0, 1 },
		{ "two slots", PZL_LINUX_6_1, 0, 0x40000000, 2049, 0, 0, 0, 2 },
		{ "one", PZL_LINUX_6_1, 0, 0x40000000, 2048, 0, 0, 0, 4 },
		{ "a page, aligned", PZL_LINUX_6_1, 0, 0x40000000, 4096, 0, 0, 0, 6 },
		{ "whatever its memory", PZL_LINUX_6_1, 0, 0x40000800, 4096, 0, 0, 0, 8 },
		{ "its own area", PZL_LINUX_6_1, 1, 0x40000000, 1, 0, 0, 0, 128 },
		{ "CPUs share areas", PZL_LINUX_6_1, 5, 0x40000000, 1, 0, 0, 0, 129 },
		{ "a whole segment", PZL_LINUX_6_1, 2, 0x40000000, 256 * 1024, 0, 0, 0, 256 },
		{ "the next area", PZL_LINUX_6_1, 2, 0x40000000, 2048, 0, 0, 0, 384 },
		{ "no second segment", PZL_LINUX_6_1, 2, 0x40000000, 256 * 1024, 0, 0, 0, NONE },
		{ "more than a segment", PZL_LINUX_6_1, 0, 0x40000000, 256 * 1024 + 1, 0, 0, 0,
		  NONE },
		{ "a device's low bits", PZL_LINUX_6_1, 0, 0x40000e00, 512, 0, 0xfff, 0, 11 },
		{ "need a second slot", PZL_LINUX_6_1, 0, 0x40000e00, 513, 0, 0xfff, 0, 13 },
		{ "an aligned buffer", PZL_LINUX_6_1, 0, 0x40000000, 8, 0x3fff, 0, 0, 16 },
		{ "a boundary", PZL_LINUX_6_1, 0, 0x40000000, 16 * 1024, 0, 0, 0x10000, 24 },
		{ "is not crossed", PZL_LINUX_6_1, 0, 0x40000000, 6 * 1024, 0, 0, 0x1000, NONE },
		/* of 6.12 */
		{ "the first slot", PZL_LINUX_6_12, 0, 0x40000001, 100, 0, 0, 0, 0 },
		{ "a page, aligned", PZL_LINUX_6_12, 0, 0x40000000, 4096, 0, 0, 0, 2 },
		{ "whatever its memory", PZL_LINUX_6_12, 0, 0x40000800, 4096, 0, 0, 0, 4 },
		{ "one more", PZL_LINUX_6_12, 0, 0x40000800, 1, 0, 0, 0, 6 },
		{ "low bits replace it", PZL_LINUX_6_12, 0, 0x40000800, 4096, 0, 0x7ff, 0, 7 },
		{ "or decide", PZL_LINUX_6_12, 0, 0x40000800, 2048, 0, 0xfff, 0, 9 },
		{ "an aligned buffer", PZL_LINUX_6_12, 0, 0x40000000, 8, 0x3fff, 0, 0, 16 },
		{ "takes all of it", PZL_LINUX_6_12, 0, 0x40000000, 8, 0, 0, 0, 24 },
		{ "with padding", PZL_LINUX_6_12, 0, 0x40001a00, 100, 0xfff, 0xfff, 0, 27 },
		{ "of a page", PZL_LINUX_6_12, 0, 0x40001a00, 1, 0, 0, 0, 28 },
		{ "a whole segment", PZL_LINUX_6_12, 2, 0x40000000, 256 * 1024, 0, 0, 0, 256 },
	};
	struct pzl_swiotlb_dev dev;
	struct pz_memblock mb;
	struct swiotlb_box b;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t at;

		if (!i || row[i].model != row[i - 1].model) {
			if (i)
				swb_stop(&b, &mb);
			if (!swb_make(t, &b, row[i].model, 4, 512, &mb))
				return;
		}
		pzl_swiotlb_dev_init(&dev, &b.sw, "dev", 64);
		dev.cfg.keep_mask = row[i].keep;
		dev.cfg.boundary = row[i].boundary;
		at = pzl_swiotlb_tbl_map(&dev, row[i].cpu, row[i].orig, row[i].size,
					 row[i].align_mask, PZ_DMA_NO_WARN);
		CHECK_NAMED(t, st_slot(&b, at) == row[i].slot, row[i].what);
		if (at != NONE)
			CHECK_NAMED(t, !((at ^ row[i].orig) & row[i].keep), "low bits are kept");
	}
	swb_stop(&b, &mb);
}

/* Slots that come back: runs grow together again, to both sides and not over segments. */
static void st_free(struct tap *t)
{
	struct pzl_swiotlb_dev dev;
	struct pzl_swiotlb_slot *s;
	struct pz_memblock mb;
	uint64_t at[4];
	struct swiotlb_box b;

	if (!swb_make(t, &b, PZL_LINUX_6_1, 1, 512, &mb))
		return;
	pzl_swiotlb_dev_init(&dev, &b.sw, "dev", 64);
	s = b.sw.mem.pools->slot;
	CHECK(t, s[0].list == 128 && s[127].list == 1 && s[128].list == 128 && s[511].list == 1);
	for (unsigned int i = 0; i < 4; i++)
		at[i] = pzl_swiotlb_tbl_map(&dev, 0, 0x40000000, 3 * SLOT, 0, 0);
	CHECK(t, st_slot(&b, at[0]) == 0 && st_slot(&b, at[1]) == 4 && st_slot(&b, at[3]) == 12);
	CHECK(t, s[3].list == 1 && s[7].list == 1 && s[15].list == 113);
	CHECK(t, s[0].size == 3 * SLOT && s[1].size == 2 * SLOT && s[1].orig == 0x40000800);
	CHECK(t, b.sw.mem.used == 12 && b.sw.mem.pools->area[0].index == 15);
	pzl_swiotlb_tbl_unmap(&dev, at[1], 3 * SLOT, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, s[3].list == 5 && s[4].list == 4 && s[7].list == 1 && s[4].orig == PZ_ADDR_MAX);
	pzl_swiotlb_tbl_unmap(&dev, at[2], 3 * SLOT, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, s[3].list == 9 && s[8].list == 4);
	pzl_swiotlb_tbl_unmap(&dev, at[3], 3 * SLOT, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, s[3].list == 125 && b.sw.mem.used == 3 && b.bugs.count == 0);
	pzl_swiotlb_tbl_unmap(&dev, at[3], 3 * SLOT, PZ_DMA_TO_DEVICE, 0);
	pzl_swiotlb_tbl_unmap(&dev, at[0] + SLOT, SLOT, PZ_DMA_TO_DEVICE, 0);
	pzl_swiotlb_tbl_unmap(&dev, at[0] - SLOT, SLOT, PZ_DMA_TO_DEVICE, 0);
	pzl_swiotlb_tbl_unmap(&dev, at[0], SLOT, PZ_DMA_NONE, 0);
	CHECK_NAMED(t, b.bugs.count == 4 && b.sw.mem.used == 3 && s[3].list == 125,
		    "misuse is told and changes nothing");
	pzl_swiotlb_tbl_unmap(&dev, at[0], 3 * SLOT, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, s[0].list == 128 && b.sw.mem.used == 0);
	swb_stop(&b, &mb);
}

/* Lines about buffers that are full, or not there. */
static void st_full(struct tap *t)
{
	static const enum pzl_model models[] = { PZL_LINUX_6_1, PZL_LINUX_6_12 };
	struct pzl_swiotlb_dev dev;
	struct pz_memblock mb;
	struct swiotlb_box b;

	for (unsigned int k = 0; k < 2; k++) {
		if (!swb_make(t, &b, models[k], 1, 512, &mb))
			return;
		pzl_swiotlb_dev_init(&dev, &b.sw, "0000:00:03.0", 64);
		dev.cfg.driver = "edu";
		dev.cfg.keep_mask = 0xfff;
		for (unsigned int i = 0; i < 3; i++)
			pzl_swiotlb_tbl_map(&dev, 0, 0x40000000, 256 * 1024, 0, 0);
		CHECK(t, swb_said(&b, ""));
		CHECK(t, pzl_swiotlb_tbl_map(&dev, 0, 0x40000010, 256 * 1024, 0, 0) == NONE);
		CHECK_NAMED(t,
			    swb_said(&b, k ? "edu 0000:00:03.0: swiotlb buffer is full (sz: 262160 "
					     "bytes), total 512 (slots), used 384 (slots)\n"
					   : "edu 0000:00:03.0: swiotlb buffer is full (sz: 262144 "
					     "bytes), total 512 (slots), used 384 (slots)\n"),
			    "6.12 counts the kept low bits");
		CHECK(t, pzl_swiotlb_max_mapping(&dev) == 256 * 1024 - 4096);
		CHECK(t, pzl_swiotlb_tbl_map(&dev, 0, 0x40000010, 256 * 1024 - 4096, 0, 0) != NONE);
		CHECK(t, swb_said(&b, ""));
		pzl_swiotlb_debugfs(&b.sw.mem, swb_emit, &b);
		CHECK(t, swb_said(&b, k ? "io_tlb_nslabs 512\nio_tlb_used 511\n"
					  "io_tlb_used_hiwater 511\n"
					: "io_tlb_nslabs 512\nio_tlb_used 511\n"));
		swb_stop(&b, &mb);
	}
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	pzl_swiotlb_dev_init(&dev, &b.sw, "serial", 32);
	CHECK(t, pzl_swiotlb_max_mapping(&dev) == 256 * 1024);
	CHECK(t, pzl_swiotlb_tbl_map(&dev, 0, 0x1000, 8, 0, 0) == NONE);
	CHECK(t,
	      swb_said(&b, "unknown serial: Can not allocate SWIOTLB buffer earlier and can't now "
			   "provide you with the DMA bounce buffer\n"));
}

/* What is copied when. */
static void st_copies(struct tap *t)
{
	/* copies at map, sync for the device, sync for the CPU, unmap */
	static const uint8_t when[3][4] = {
		[PZ_DMA_BIDIRECTIONAL] = { 1, 1, 1, 1 },
		[PZ_DMA_TO_DEVICE] = { 1, 1, 0, 0 },
		[PZ_DMA_FROM_DEVICE] = { 1, 0, 1, 1 },
	};
	struct pzl_swiotlb_dev dev;
	struct pz_memblock mb;
	struct swiotlb_box b;

	if (!swb_make(t, &b, PZL_LINUX_6_1, 1, 512, &mb))
		return;
	b.sw.cfg.high_first = 0x38000000;
	pzl_swiotlb_dev_init(&dev, &b.sw, "dev", 64);
	for (unsigned int d = 0; d < 3; d++) {
		enum pz_dma_dir dir = (enum pz_dma_dir)d;
		uint64_t at = pzl_swiotlb_tbl_map(&dev, 0, 0x30000123, 3000, 0, 0);

		CHECK(t, b.copies == when[d][0] && b.into == 1 && b.orig == 0x30000123 &&
				 b.buffer == at && b.bytes == 3000);
		b.copies = b.into = 0;
		pzl_swiotlb_sync(&dev, at + 2500, 100, dir, true);
		CHECK(t, b.copies == when[d][1] && b.into == b.copies);
		if (when[d][1])
			CHECK(t, b.orig == 0x30000123 + 2500 && b.bytes == 100);
		b.copies = b.into = 0;
		pzl_swiotlb_sync(&dev, at + 100, 50, dir, false);
		CHECK(t, b.copies == when[d][2] && !b.into);
		b.copies = 0;
		pzl_swiotlb_tbl_unmap(&dev, at, 3000, dir, 0);
		CHECK(t, b.copies == when[d][3] && !b.into);
		b.copies = 0;
		at = pzl_swiotlb_tbl_map(&dev, 0, 0x30000123, 3000, 0, 0);
		b.copies = b.into = 0;
		pzl_swiotlb_tbl_unmap(&dev, at, 3000, dir, PZ_DMA_SKIP_CPU_SYNC);
		CHECK(t, b.copies == 0);
	}
	pzl_swiotlb_tbl_map(&dev, 0, 0x38000ff0, 0x2000, 0, 0);
	CHECK_NAMED(t, b.copies == 3 && b.orig == 0x38002000 && b.bytes == 0xff0,
		    "high memory is copied page by page");
	CHECK(t, swb_said(&b, "") && b.bugs.count == 0);
	swb_stop(&b, &mb);
}

/* Parts that lie wrong: 6.1 refuses what 6.12 reckons with. */
static void st_wrong(struct tap *t)
{
	struct pzl_swiotlb_dev dev;
	struct pz_memblock mb;
	struct swiotlb_box b;
	uint64_t at;

	for (unsigned int k = 0; k < 2; k++) {
		if (!swb_make(t, &b, k ? PZL_LINUX_6_12 : PZL_LINUX_6_1, 1, 512, &mb))
			return;
		pzl_swiotlb_dev_init(&dev, &b.sw, "dev", 64);
		dev.cfg.keep_mask = 0x7ff;
		at = pzl_swiotlb_tbl_map(&dev, 0, 0x30000100, 4000, 0, 0);
		CHECK(t, (at & 0x7ff) == 0x100);
		b.copies = 0;
		pzl_swiotlb_sync(&dev, at, 5000, PZ_DMA_TO_DEVICE, true);
		CHECK(t, b.copies == 1 && b.bytes == 4000);
		CHECK(t,
		      swb_said(&b, "unknown dev: Buffer overflow detected. Allocation size: 4000. "
				   "Mapping size: 5000.\n"));
		/* in the second slot, where 6.1 sees bytes before its memory */
		b.copies = 0;
		pzl_swiotlb_sync(&dev, at + 0x720, 16, PZ_DMA_TO_DEVICE, true);
		CHECK(t, b.copies == k);
		if (k)
			CHECK(t, b.orig == 0x30000820 && b.buffer == at + 0x720);
		CHECK(t, swb_said(&b, k ? ""
					: "unknown dev: Access before mapping start detected. orig "
					  "offset 256, requested offset 32.\n"));
		pzl_swiotlb_tbl_unmap(&dev, at, 4000, PZ_DMA_TO_DEVICE, 0);
		/* behind the mapping, in its last slot */
		at = pzl_swiotlb_tbl_map(&dev, 0, 0x30000100, 64, 0, 0);
		b.copies = 0;
		pzl_swiotlb_sync(&dev, at + 65, 8, PZ_DMA_TO_DEVICE, true);
		CHECK_NAMED(t, b.copies == k, "6.12 does not notice that a size wraps");
		CHECK(t, swb_said(&b,
				  k ? ""
				    : "unknown dev: Buffer overflow detected. Allocation size: 64. "
				      "Mapping size: 8+65.\n"));
		b.copies = 0;
		pzl_swiotlb_tbl_unmap(&dev, at, 64, PZ_DMA_TO_DEVICE, 0);
		pzl_swiotlb_sync(&dev, at, 64, PZ_DMA_TO_DEVICE, true);
		CHECK_NAMED(t, b.copies == 0 && swb_said(&b, ""), "a free slot has no memory");
		swb_stop(&b, &mb);
	}
}

/* Buffers of a device that sees nothing else. */
static void st_restricted(struct tap *t)
{
	struct pz_range at = { 0x50001000, 0x50001000 + 300 * SLOT - 1 };
	struct pzl_swiotlb_mem own;
	struct pzl_stream s;
	struct swiotlb_box b;
	uint64_t phys, bus;

	for (unsigned int k = 0; k < 2; k++) {
		swb_start(t, &b, k ? PZL_LINUX_6_12 : PZL_LINUX_6_1, 4);
		CHECK(t, pzl_swiotlb_restrict(&own, &b.sw, at) == 0);
		CHECK(t, own.slots == 300 && own.force && own.for_alloc && own.pools->areas == 1);
		CHECK(t, own.pools->slot[256].list == 44);
		pzl_stream_init(&s, &b.sw, "dev", 64);
		s.dev.mem = &own;
		bus = pzl_stream_map(&s, 3, 0x1000, 100, PZ_DMA_TO_DEVICE, 0);
		CHECK_NAMED(t, bus == at.first && b.copies == 1, "what it reaches is bounced too");
		CHECK(t, pzl_swiotlb_alloc(&s.dev, 0, 3 * PM_KIB, &phys) == 0);
		/* 6.1 steps in pages from the pool's beginning, 6.12 aligns to the whole size */
		CHECK(t, phys == at.first + 4096);
		CHECK(t, pzl_swiotlb_alloc(&s.dev, 0, 16 * PM_KIB, &phys) == 0);
		CHECK(t, phys == (k ? 0x50004000u : at.first + 4 * SLOT));
		CHECK(t, pzl_swiotlb_free(&s.dev, phys) && !pzl_swiotlb_free(&s.dev, 0x1000));
		CHECK(t, pzl_swiotlb_alloc(&s.dev, 0, 512 * PM_KIB, &phys) == -PZ_ENOMEM);
		CHECK(t, pzl_swiotlb_alloc(&s.dev, 0, 0, &phys) == -PZ_EINVAL);
		pzl_stream_unmap(&s, bus, 100, PZ_DMA_TO_DEVICE, 0);
		CHECK(t, own.used == 2 && b.bugs.count == 0);
		pzl_swiotlb_release(&own);
	}
	at.first = at.last + 1;
	CHECK(t, pzl_swiotlb_restrict(&own, &b.sw, at) == -PZ_EINVAL);
}

/* What dma-direct decides. */
static void st_stream(struct tap *t)
{
	struct pzl_kmalloc km;
	struct pz_memblock mb;
	struct pzl_stream s;
	struct pz_sg sg[3];
	struct swiotlb_box b;
	uint64_t bus;

	if (!swb_make(t, &b, PZL_LINUX_6_12, 1, 512, &mb))
		return;
	pzl_stream_init(&s, &b.sw, "card", 32);
	CHECK(t, pzl_stream_map(&s, 0, 0xfffff000, 4096, PZ_DMA_TO_DEVICE, 0) == 0xfffff000);
	CHECK(t, b.copies == 0 && !s.dev.bounced && b.caches == 0);
	bus = pzl_stream_map(&s, 0, 0xfffff001, 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK_NAMED(t, bus < PM_GIB && b.copies == 1 && s.dev.bounced, "one byte too high");
	CHECK(t, pzl_stream_need_sync(&s, bus) && !pzl_stream_need_sync(&s, 0x1000));
	CHECK(t, pzl_stream_max_mapping(&s) == UINT64_MAX);
	s.limited = true;
	CHECK(t, pzl_stream_max_mapping(&s) == 256 * 1024);
	pzl_stream_unmap(&s, bus, 4096, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, b.sw.mem.used == 0);

	/* A 28-bit device does not reach the buffers, which lie at the top of 1 GiB. */
	s.dev.cfg.mask = 0xfffffff;
	s.dev.cfg.bus_limit = 0x1fffffff;
	b.copies = 0;
	CHECK(t, pzl_stream_map(&s, 0, 0x40000000, 4096, PZ_DMA_TO_DEVICE, 0) == NONE);
	CHECK(t, b.copies == 1 && b.sw.mem.used == 0);
	CHECK(t, swb_said(&b, "unknown card: swiotlb addr 0x000000003ff01000+4096 overflow (mask "
			      "fffffff, bus limit 1fffffff).\n"));
	sg[0].phys = 0x1000;
	sg[1].phys = 0x3000;
	sg[2].phys = 0x40000000;
	sg[0].len = sg[1].len = sg[2].len = 2048;
	CHECK(t, pzl_stream_map_sg(&s, 0, sg, 3, PZ_DMA_FROM_DEVICE, 0) == 0);
	CHECK(t, pzl_stream_map_sg(&s, 0, sg, 2, PZ_DMA_FROM_DEVICE, 0) == 2);
	CHECK(t, sg[1].bus == 0x3000 && sg[1].bus_len == 2048);
	b.said_len = 0;
	CHECK(t, pzl_stream_map_resource(&s, 0xffff000, 4096) == 0xffff000);
	CHECK(t, pzl_stream_map_resource(&s, 0xffff000, 4097) == NONE);
	CHECK(t,
	      swb_said(&b, "unknown card: DMA addr 0x000000000ffff000+4097 overflow (mask fffffff, "
			   "bus limit 1fffffff).\n"));

	/* Small objects that a device writes to which is not coherent. */
	pzl_kmalloc_init(&km, PZL_LINUX_6_12, PZL_ARCH_ARM64, 12);
	s.dev.cfg.mask = 0xffffffff;
	s.dev.cfg.bus_limit = 0;
	s.dev.cfg.coherent = false;
	s.kmalloc = &km;
	s.dma_align = 128;
	s.cache_line = 64;
	CHECK(t, pzl_stream_kmalloc_bounces(&s, 8, PZ_DMA_FROM_DEVICE));
	CHECK(t, pzl_stream_kmalloc_bounces(&s, 32, PZ_DMA_BIDIRECTIONAL));
	CHECK(t, !pzl_stream_kmalloc_bounces(&s, 33, PZ_DMA_BIDIRECTIONAL));
	CHECK(t, pzl_stream_kmalloc_bounces(&s, 96, PZ_DMA_FROM_DEVICE));
	CHECK(t, !pzl_stream_kmalloc_bounces(&s, 97, PZ_DMA_FROM_DEVICE));
	CHECK(t, !pzl_stream_kmalloc_bounces(&s, 257, PZ_DMA_FROM_DEVICE));
	CHECK(t, !pzl_stream_kmalloc_bounces(&s, 8, PZ_DMA_TO_DEVICE));
	b.caches = 0;
	CHECK(t, pzl_stream_map(&s, 0, 0x1000, 8, PZ_DMA_TO_DEVICE, 0) == 0x1000);
	CHECK(t, b.caches == 1 && b.cached == 0x1000);
	bus = pzl_stream_map(&s, 0, 0x1000, 8, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, bus != 0x1000 && b.caches == 2 && b.cached == bus);
	b.copies = 0;
	pzl_stream_sync_for_device(&s, bus, 8, PZ_DMA_FROM_DEVICE);
	CHECK(t, b.caches == 3 && b.copies == 0);
	pzl_stream_unmap(&s, bus, 8, PZ_DMA_FROM_DEVICE, 0);
	CHECK(t, b.caches == 4 && b.copies == 1 && b.orig == 0x1000);
	b.sw.cfg.model = PZL_LINUX_6_1;
	CHECK(t, !pzl_stream_kmalloc_bounces(&s, 8, PZ_DMA_FROM_DEVICE));
	CHECK(t, b.bugs.count == 0);
	CHECK(t, pzl_stream_map(&s, 0, 0x1000, 0, PZ_DMA_TO_DEVICE, 0) == NONE);
	CHECK(t, pzl_stream_map(&s, 0, 0x1000, 8, PZ_DMA_NONE, 0) == NONE && b.bugs.count == 2);
	swb_stop(&b, &mb);

	/* Without buffers. */
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	b.sw.cfg.narrow = true;
	pzl_stream_init(&s, &b.sw, "card", 24);
	s.low_first = 0x80000;
	CHECK(t, pzl_stream_map(&s, 0, 0x1000000, 16, PZ_DMA_TO_DEVICE, 0) == NONE);
	CHECK(t,
	      swb_said(&b, "unknown card: DMA addr 0x01000000+16 overflow (mask ffffff, bus limit "
			   "0).\n"));
	CHECK(t, !pzl_stream_capable(&s, 0x7f000, 16, true));
	CHECK(t, pzl_stream_capable(&s, 0x7f000, 16, false));
	CHECK(t, pzl_stream_capable(&s, 0x80000, 16, true));
}

/* Windows: the first that has an address translates it, and what none has is out of reach. */
static void st_windows(struct tap *t)
{
	static const struct pz_window win[] = {
		{ { 0x40000000, 0x4fffffff }, 0x0 },
		{ { 0x48000000, 0x5fffffff }, 0x80000000 },
	};
	struct pzl_stream s;
	struct swiotlb_box b;

	swb_start(t, &b, PZL_LINUX_6_1, 1);
	pzl_stream_init(&s, &b.sw, "pci", 32);
	s.dev.cfg.windows = win;
	s.dev.cfg.window_count = 2;
	CHECK(t, pzl_stream_map(&s, 0, 0x48000000, 16, PZ_DMA_TO_DEVICE, 0) == 0x8000000);
	CHECK(t, pzl_stream_map(&s, 0, 0x50000000, 16, PZ_DMA_TO_DEVICE, 0) == 0x88000000);
	CHECK(t, pzl_swiotlb_phys(&s.dev, 0x88000000) == 0x50000000);
	CHECK(t, pzl_swiotlb_phys(&s.dev, 0x70000000) == PZ_ADDR_MAX);
	CHECK(t, pzl_stream_map(&s, 0, 0x3ffff000, 16, PZ_DMA_TO_DEVICE, 0) == NONE);
	CHECK(t,
	      swb_said(&b, "unknown pci: DMA addr 0xffffffffffffffff+16 overflow (mask ffffffff, "
			   "bus limit 0).\n"));
}

/*
 * A 30-bit device on a machine of 8 GiB: the buffers lie just below 4 GiB, or below 3 GiB where a
 * PC has its hole, and so every streaming map fails, in each version, also of memory from where the
 * device would have reached it had there been a buffer.
 */
static void st_thirty_bits(struct tap *t)
{
	static const struct pm_region pc[] = { { 0, 3 * PM_GIB, 0, false },
					       { 4 * PM_GIB, 5 * PM_GIB, 0, false } };

	for (unsigned int m = 0; m < PZL_MODELS; m++) {
		struct pz_memblock mb;
		struct pzl_stream s;
		struct swiotlb_box b;

		swb_start(t, &b, (enum pzl_model)m, 2);
		if (!CHECK(t, !pz_memblock_init(&mb, t->meta, 12)))
			return;
		for (unsigned int i = 0; i < 2; i++)
			CHECK(t, !pz_memblock_add(&mb, pc[i].base, pc[i].size, 0, 0));
		CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, PZL_SWIOTLB_VERBOSE) == 0);
		CHECK(t, b.sw.mem.pools->start == 3 * PM_GIB - 64 * PM_MIB);
		b.said_len = 0;
		pzl_stream_init(&s, &b.sw, "sound", 30);
		CHECK(t, pzl_stream_map(&s, 0, 0x3ffff000, 4096, PZ_DMA_TO_DEVICE, 0) != NONE);
		CHECK_NAMED(t, pzl_stream_map(&s, 0, 0x40000000, 4096, PZ_DMA_TO_DEVICE, 0) == NONE,
			    "a 30-bit device cannot be bounced for");
		CHECK(t,
		      swb_said(&b, "unknown sound: swiotlb addr 0x00000000bc000000+4096 overflow "
				   "(mask 3fffffff, bus limit 0).\n"));
		s.dev.cfg.mask = 0xffffffff;
		CHECK(t, pzl_stream_map(&s, 0, 4 * PM_GIB, 4096, PZ_DMA_TO_DEVICE, 0) != NONE);
		swb_stop(&b, &mb);
	}
}

void contract_linux_stream(struct tap *t)
{
	st_searches(t);
	st_free(t);
	st_full(t);
	st_copies(t);
	st_wrong(t);
	st_restricted(t);
	st_stream(t);
	st_windows(t);
	st_thirty_bits(t);
}
