/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_swiotlb.c - how many bounce buffers Linux has, by known examples: the command
 * line, rounding, memory that is short, pools that are made late or added, and each line.
 */
#include <physzone/linux/gfp.h>

#include "suites_decl.h"
#include "swiotlb_box.h"

#define SLOT PZL_SWIOTLB_SLOT
#define NONE PZ_DMA_ERROR

static size_t sw_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* swiotlb= */
static void sw_words(struct tap *t)
{
	static const struct {
		const char *text;
		enum pzl_model model;
		uint64_t slots;
		uint32_t areas;
		bool force, noforce;
		const char *said;
	} row[] = {
		{ "65536", PZL_LINUX_6_1, 65536, 0, false, false, "" },
		{ "1", PZL_LINUX_6_1, 128, 0, false, false, "" },
		{ "129", PZL_LINUX_5_15, 256, 0, false, false, "" },
		{ "0x1000,force", PZL_LINUX_6_12, 4096, 0, true, false, "" },
		{ "force", PZL_LINUX_5_15, 32768, 0, true, false, "" },
		{ "noforce", PZL_LINUX_6_1, 32768, 0, false, true, "" },
		{ "noforce,", PZL_LINUX_6_1, 32768, 0, false, false, "" },
		{ ",force", PZL_LINUX_6_1, 32768, 0, true, false, "" },
		{ "512,noforce", PZL_LINUX_5_15, 512, 0, false, true, "" },
		{ "512,2,force", PZL_LINUX_5_15, 512, 0, false, false, "" },
		{ "32768,4", PZL_LINUX_6_1, 32768, 4, false, false,
		  "software IO TLB: area num 4.\n" },
		{ "32768,3,force", PZL_LINUX_6_1, 32768, 4, true, false,
		  "software IO TLB: area num 4.\n" },
		{ "512,8", PZL_LINUX_6_12, 1024, 8, false, false,
		  "software IO TLB: area num 8.\n"
		  "software IO TLB: SWIOTLB bounce buffer size roundup to 2MB\n" },
		{ "1500,1", PZL_LINUX_6_1, 2048, 1, false, false,
		  "software IO TLB: area num 1.\n"
		  "software IO TLB: SWIOTLB bounce buffer size roundup to 4MB\n" },
		{ ",16,noforce", PZL_LINUX_6_12, 32768, 16, false, true,
		  "software IO TLB: area num 16.\n" },
		{ "0", PZL_LINUX_6_1, 0, 0, false, false, "" },
		{ "-1", PZL_LINUX_6_1, 32768, 0, false, false, "" },
		{ "", PZL_LINUX_6_1, 32768, 0, false, false, "" },
	};
	struct swiotlb_box b;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		swb_start(t, &b, row[i].model, 1);
		pzl_swiotlb_param(&b.sw, row[i].text, sw_len(row[i].text));
		CHECK_NAMED(t,
			    b.sw.default_slots == row[i].slots &&
				    b.sw.default_areas == row[i].areas &&
				    b.sw.force == row[i].force && b.sw.noforce == row[i].noforce,
			    row[i].text);
		CHECK_NAMED(t, swb_said(&b, row[i].said), row[i].text);
	}
}

/* Sizes that were recorded, and the lines about them. */
static void sw_sizes(struct tap *t)
{
	static const struct {
		uint64_t adjust; /* by the architecture, bytes */
		uint32_t cpus;
		uint64_t slots;
		const char *said;
	} row[] = {
		{ 0, 1, 32768, "software IO TLB: area num 1.\n" },
		{ 0, 300, 65536,
		  "software IO TLB: area num 512.\n"
		  "software IO TLB: SWIOTLB bounce buffer size roundup to 128MB\n" },
		{ 256 * 1024, 1, 128,
		  "software IO TLB: SWIOTLB bounce buffer size adjusted to 0MB\n"
		  "software IO TLB: area num 1.\n" },
		{ 1000 * 1024, 1, 512,
		  "software IO TLB: SWIOTLB bounce buffer size adjusted to 0MB\n"
		  "software IO TLB: area num 1.\n" },
		{ 2994 * 1024, 1, 2048,
		  "software IO TLB: SWIOTLB bounce buffer size adjusted to 2MB\n"
		  "software IO TLB: area num 1.\n"
		  "software IO TLB: SWIOTLB bounce buffer size roundup to 4MB\n" },
		{ 1024 * 1024, 8, 1024,
		  "software IO TLB: SWIOTLB bounce buffer size adjusted to 1MB\n"
		  "software IO TLB: area num 8.\n"
		  "software IO TLB: SWIOTLB bounce buffer size roundup to 2MB\n" },
	};
	struct pz_memblock mb;
	struct swiotlb_box b;

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		swb_start(t, &b, PZL_LINUX_6_12, row[i].cpus);
		if (!swb_memory(t, &mb, PM_GIB))
			return;
		if (row[i].adjust)
			pzl_swiotlb_adjust_size(&b.sw, row[i].adjust);
		CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == 0);
		CHECK(t, b.sw.mem.slots == row[i].slots);
		CHECK_NAMED(t, swb_said(&b, row[i].said), "lines of a size");
		swb_stop(&b, &mb);
	}
	/* Below 4 GiB, less the page that the limit's last byte is in. */
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	if (!swb_memory(t, &mb, 5 * PM_GIB))
		return;
	CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == 0);
	CHECK(t, b.sw.mem.pools->start == 4 * PM_GIB - 64 * PM_MIB - 4 * PM_KIB);
	swb_stop(&b, &mb);
	/* An architecture has no say when a size was given. */
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	pzl_swiotlb_param(&b.sw, "1024", 4);
	pzl_swiotlb_adjust_size(&b.sw, PM_GIB);
	CHECK(t, b.sw.default_slots == 1024 && swb_said(&b, ""));
}

/* Memory that is short. */
static void sw_short(struct tap *t)
{
	struct pz_memblock mb;
	struct swiotlb_box b;

	swb_start(t, &b, PZL_LINUX_6_1, 8);
	if (!swb_memory(t, &mb, 18 * PM_MIB))
		return;
	CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, PZL_SWIOTLB_VERBOSE) == 0);
	CHECK(t, b.sw.mem.slots == 8192 && b.sw.mem.pools->areas == 8);
	CHECK(t,
	      swb_said(&b,
		       "software IO TLB: area num 8.\n"
		       "software IO TLB: swiotlb_memblock_alloc: Failed to allocate 67108864 bytes "
		       "tlb structure\n"
		       "software IO TLB: swiotlb_memblock_alloc: Failed to allocate 33554432 bytes "
		       "tlb structure\n"
		       "software IO TLB: SWIOTLB bounce buffer size adjusted 32768 -> 8192 slabs\n"
		       "software IO TLB: mapped [mem 0x0000000000200000-0x0000000001200000] "
		       "(16MB)\n"));
	CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == -PZ_EEXIST);
	swb_stop(&b, &mb);

	/* 1 MiB and a half: 512 slots, of which 6.1 makes areas smaller than a segment. */
	for (unsigned int k = 0; k < 2; k++) {
		enum pzl_model model = k ? PZL_LINUX_6_12 : PZL_LINUX_6_1;

		swb_start(t, &b, model, 8);
		if (!swb_memory(t, &mb, 2 * PM_MIB + 512 * PM_KIB))
			return;
		CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == 0 && b.sw.mem.slots == 512);
		CHECK(t, b.sw.mem.pools->areas == (k ? 4 : 8));
		CHECK(t, b.sw.mem.pools->area_slots == (k ? 128 : 64));
		swb_stop(&b, &mb);
	}

	/* Nothing at all; 5.15 gives up at the first failure. */
	for (unsigned int k = 0; k < 2; k++) {
		swb_start(t, &b, k ? PZL_LINUX_5_15 : PZL_LINUX_6_12, 1);
		b.cfg.low_last = k ? 4 * PM_GIB - 1 : 0xfffff;
		b.sw.cfg = b.cfg;
		if (!swb_memory(t, &mb, 33 * PM_MIB))
			return;
		CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == -PZ_ENOMEM);
		CHECK(t, b.sw.mem.slots == 0);
		if (k)
			CHECK(t, swb_said(&b, "software IO TLB: Cannot allocate buffer\n"));
		else
			b.said_len = 0;
		pzl_swiotlb_print(&b.sw);
		CHECK(t, swb_said(&b, "software IO TLB: No low mem\n"));
		swb_stop(&b, &mb);
	}

	/* Nobody asks, or it is forbidden; forced, they are there without need. */
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	if (!swb_memory(t, &mb, PM_GIB))
		return;
	CHECK(t, pzl_swiotlb_init(&b.sw, &mb, false, 0) == -PZ_ENOENT);
	pzl_swiotlb_param(&b.sw, "force", 5);
	CHECK(t, pzl_swiotlb_init(&b.sw, &mb, false, 0) == 0 && b.sw.mem.force);
	pzl_swiotlb_exit(&b.sw);
	CHECK_NAMED(t, b.sw.mem.slots == 32768, "forced buffers stay");
	swb_stop(&b, &mb);
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	pzl_swiotlb_param(&b.sw, "noforce", 7);
	CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == -PZ_ENOENT && swb_said(&b, ""));
}

/* Buffers from the page allocator. */
static void sw_late(struct tap *t)
{
	struct page_machine m;
	struct swiotlb_box b;
	uint64_t free, pfn;

	if (!pm_simple(&m, t, 64 * PM_MIB))
		return;
	m.cfg.policy = PZ_POLICY_ZONELIST;
	pz_pages_set_policy(m.pages, PZ_POLICY_ZONELIST);
	free = pm_free(&m);
	swb_start(t, &b, PZL_LINUX_6_1, 2);
	CHECK(t, pzl_swiotlb_init_late(&b.sw, PM_MIB, PZL_GFP_KERNEL) == -PZ_EINVAL);
	b.sw.cfg.pages = m.pages;
	b.sw.cfg.configured = 1u << PZ_ZONE_NORMAL;
	CHECK(t, pzl_swiotlb_init_late(&b.sw, 64 * PM_MIB, PZL_GFP_KERNEL) == 0);
	CHECK_NAMED(t, b.sw.mem.slots == 2048, "no block is larger than 4 MiB");
	CHECK(t, pm_free(&m) == free - 1024 && b.sw.mem.pools->areas == 2);
	CHECK(t,
	      pzl_swiotlb_init_late(&b.sw, PM_MIB, PZL_GFP_KERNEL) == 0 && b.sw.mem.slots == 2048);
	pfn = b.sw.mem.pools->start;
	CHECK(t, pfn == 60 * PM_MIB || pfn % (4 * PM_MIB) == 0);
	b.said_len = 0;
	pzl_swiotlb_exit(&b.sw);
	CHECK(t, swb_said(&b, "software IO TLB: tearing down default memory pool\n"));
	CHECK(t, pm_free(&m) == free && b.sw.mem.slots == 0);
	pzl_swiotlb_exit(&b.sw);
	CHECK(t, swb_said(&b, ""));

	/* Just under two MiB: rounded up to a block. */
	CHECK(t, pzl_swiotlb_init_late(&b.sw, 2 * PM_MIB - SLOT, PZL_GFP_KERNEL) == 0);
	CHECK(t, b.sw.mem.slots == 1024 && pm_free(&m) == free - 512);
	pzl_swiotlb_exit(&b.sw);
	b.said_len = 0;
	CHECK_NAMED(t, pzl_swiotlb_init_late(&b.sw, PM_MIB, PZL_GFP_KERNEL) == -PZ_ENOMEM,
		    "1 MiB is not tried");
	while (!pz_alloc_pages(m.pages, 0, 0, 10, NULL, &pfn))
		;
	CHECK(t, pzl_swiotlb_init_late(&b.sw, 4 * PM_MIB, PZL_GFP_KERNEL) == -PZ_ENOMEM);
	pz_free_part(m.pages, 0, pfn, 512);
	CHECK(t, pzl_swiotlb_init_late(&b.sw, 8 * PM_MIB, PZL_GFP_KERNEL) == 0);
	CHECK(t, b.sw.mem.slots == 1024);
	swb_stop(&b, NULL);
	pm_close(&m);
}

/* A device that keeps the low bits of a page, in buffers that are full but for odd slots. */
static void sw_search(struct tap *t)
{
	for (unsigned int k = 0; k < PZL_MODELS; k++) {
		enum pzl_model model = (enum pzl_model)k;
		uint64_t at, rest = 0x1000000;
		struct pzl_swiotlb_dev dev;
		struct pz_memblock mb;
		struct swiotlb_box b;

		if (!swb_make(t, &b, model, 1, 512, &mb))
			return;
		pzl_swiotlb_dev_init(&dev, &b.sw, "dev", 64);
		CHECK(t, pzl_swiotlb_tbl_map(&dev, 0, rest, SLOT, 0, 0) != NONE);
		at = pzl_swiotlb_tbl_map(&dev, 0, rest + SLOT, 2 * SLOT, 0, 0);
		CHECK_NAMED(t, at % 4096 == 0, "a page is aligned to pages wherever the memory is");
		CHECK(t, pzl_swiotlb_tbl_map(&dev, 0, rest, SLOT, 0, 0) == at + 2 * SLOT);

		/* Every other slot is free, and the next search begins behind the first page. */
		while (b.sw.mem.used < 512)
			pzl_swiotlb_tbl_map(&dev, 0, rest, 1, 0, 0);
		at = b.sw.mem.pools->start;
		for (unsigned int i = 6; i < 512; i += 2)
			pzl_swiotlb_tbl_unmap(&dev, at + i * SLOT, 1, PZ_DMA_TO_DEVICE, 0);
		pzl_swiotlb_tbl_map(&dev, 0, rest, 1, 0, 0);
		dev.cfg.keep_mask = 0xfff;
		b.said_len = 0;
		at = pzl_swiotlb_tbl_map(&dev, 0, rest + SLOT, 2 * SLOT, 0, 0);
		CHECK(t, at == NONE && b.sw.hung == (model < PZL_LINUX_6_12));
		CHECK_NAMED(t, (b.bugs.count == 1) == b.sw.hung && (b.said_len == 0) == b.sw.hung,
			    "6.1 searches for ever, and says nothing");
		swb_stop(&b, &mb);
	}
}

/* 6.12 that grows. */
static void sw_grow(struct tap *t)
{
	struct pm_region all = { 0, 64 * PM_MIB, 0, false };
	struct pz_zone_config zones = pm_pc(64 * PM_MIB);
	struct pzl_swiotlb_dev dev, low;
	struct page_machine m;
	uint64_t free, at, other;
	struct swiotlb_box b;

	if (!pm_lay_out(&m, t, &all, 1, &zones))
		return;
	m.cfg.policy = PZ_POLICY_ZONELIST;
	if (!pm_make(&m))
		return;
	free = pm_free(&m);
	swb_start(t, &b, PZL_LINUX_6_12, 1);
	b.sw.cfg.pages = m.pages;
	b.sw.cfg.dynamic = true;
	CHECK(t, pzl_swiotlb_init_late(&b.sw, 2 * PM_MIB, PZL_GFP_KERNEL) == 0);
	CHECK(t, b.sw.mem.can_grow && b.sw.mem.slots == 1024);
	b.sw.default_slots = 1024;
	b.said_len = 0;
	pzl_swiotlb_dev_init(&dev, &b.sw, "dev", 64);
	for (unsigned int i = 0; i < 8; i++)
		CHECK(t, pzl_swiotlb_tbl_map(&dev, 0, 0x1000000, 256 * 1024, 0, 0) != NONE);
	CHECK(t, b.sw.mem.used == 1024 && !b.sw.mem.work);
	CHECK(t, pzl_swiotlb_work(&b.sw.mem) == -PZ_ENOENT);
	CHECK_NAMED(t, pzl_swiotlb_tbl_map(&dev, 0, 0x1000000, 256 * 1024 + 1, 0, 0) == NONE,
		    "more than a segment is refused at once");
	CHECK(t, !b.sw.mem.work && !b.sw.mem.transient);
	b.said_len = 0;

	at = pzl_swiotlb_tbl_map(&dev, 0, 0x1000000, 5 * SLOT, 0, 0);
	CHECK(t, at != NONE && b.sw.mem.work && b.sw.mem.transient->owner == &dev);
	CHECK(t, b.sw.mem.transient_slots == 5 && pm_free(&m) == free - 512 - 4);
	pzl_swiotlb_dev_init(&low, &b.sw, "low", 24);
	other = pzl_swiotlb_tbl_map(&low, 0, 0x1000000, 1, 0, 0);
	CHECK_NAMED(t, other < 16 * PM_MIB, "below the device's mask");
	CHECK(t, !pzl_swiotlb_find(&dev, other) && pzl_swiotlb_find(&low, other));
	low.cfg.mask = 20 * PM_MIB - 1;
	other = pzl_swiotlb_tbl_map(&low, 0, 0x1000000, 1, 0, 0);
	CHECK_NAMED(t, other < 16 * PM_MIB, "what lies too high is taken from lower zones");
	low.cfg.mask = PZ_ADDR_MAX;
	low.cfg.bus_limit = 16 * PM_MIB - 1;
	other = pzl_swiotlb_tbl_map(&low, 0, 0x1000000, 1, 0, 0);
	CHECK_NAMED(t, other < 16 * PM_MIB, "below the limit of its bus");
	pzl_swiotlb_tbl_unmap(&low, other, 1, PZ_DMA_TO_DEVICE, 0);
	pzl_swiotlb_debugfs(&b.sw.mem, swb_emit, &b);
	CHECK(t, swb_said(&b, "io_tlb_nslabs 1024\nio_tlb_used 1031\nio_tlb_used_hiwater 1032\n"
			      "io_tlb_transient_nslabs 7\n"));
	pzl_swiotlb_tbl_unmap(&dev, at, 5 * SLOT, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, b.sw.mem.transient_slots == 2 && pm_free(&m) == free - 512 - 2);

	CHECK(t, pzl_swiotlb_work(&b.sw.mem) == 0 && b.sw.mem.slots == 2048);
	CHECK(t, pm_free(&m) == free - 1024 - 2);
	at = pzl_swiotlb_tbl_map(&dev, 0, 0x1000000, 5 * SLOT, 0, 0);
	/* Settings that a short start left: areas are not fewer than they were. */
	b.sw.default_slots = 512;
	b.sw.default_areas = 8;
	b.sw.mem.work = true;
	CHECK(t, pzl_swiotlb_work(&b.sw.mem) == 0 && b.sw.mem.pools->areas == 8);
	CHECK(t, b.sw.mem.pools->area_slots == 64 && b.sw.mem.slots == 2560);
	b.sw.default_slots = 1024;
	b.sw.default_areas = 1;
	CHECK(t, at == b.sw.mem.pools->next->start && !b.sw.mem.work);
	while (!pz_alloc_pages(m.pages, 0, 0, 8, NULL, &other))
		;
	b.sw.mem.work = true;
	CHECK(t, pzl_swiotlb_work(&b.sw.mem) == -PZ_ENOMEM);
	CHECK(t, swb_said(&b, "software IO TLB: Failed to allocate new pool\n"));
	CHECK(t, b.bugs.count == 0);
	swb_stop(&b, NULL);
	pm_close(&m);
}

/* Metadata that fails leaves nothing behind. */
static void sw_no_records(struct tap *t)
{
	struct pz_fault_point points[1];
	struct pz_fault_meta meta;
	struct pz_faults faults;
	struct pz_memblock mb;
	struct swiotlb_box b;
	uint32_t id = 0;

	pz_faults_init(&faults, points, 1);
	if (!CHECK(t, pz_fault_add(&faults, "meta", &id) == 0) || !swb_memory(t, &mb, PM_GIB))
		return;
	for (unsigned int k = 0; k < 3; k++) {
		swb_start(t, &b, k ? PZL_LINUX_6_1 : PZL_LINUX_5_15, 1);
		pz_fault_meta_init(&meta, t->meta, &faults, id);
		b.sw.cfg.meta = &meta.meta;
		pz_fault_arm(&faults, id, k + 1, 1);
		CHECK(t, pzl_swiotlb_init(&b.sw, &mb, true, 0) == -PZ_ENOMEM);
		CHECK(t, b.sw.panicked == (k == 0) && meta.bytes == 0 && b.sw.mem.slots == 0);
		CHECK(t, pz_memblock_bytes(&mb, PZ_MB_RESERVED) == 0);
	}
	swb_start(t, &b, PZL_LINUX_6_1, 1);
	b.cfg.cpus = 0;
	CHECK(t, pzl_swiotlb_create(&b.sw, &b.cfg) == -PZ_EINVAL);
	b.cfg.cpus = 1;
	b.cfg.model = PZL_MODELS;
	CHECK(t, pzl_swiotlb_create(&b.sw, &b.cfg) == -PZ_EINVAL);
	pz_memblock_destroy(&mb);
}

void contract_linux_swiotlb(struct tap *t)
{
	sw_words(t);
	sw_sizes(t);
	sw_short(t);
	sw_late(t);
	sw_search(t);
	sw_grow(t);
	sw_no_records(t);
}
