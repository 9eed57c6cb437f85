/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_dma_text.c - Linux's dma_pool and DMA debug mode, by known examples: capacities of
 * each version, what is refused, and the words for each finding.
 */
#include <physzone/linux/dma_debug.h>

#include "dma_small.h"
#include "suites_decl.h"

#define LD_LINES 8u
#define LD_WIDTH 320u

struct ld_lines {
	char line[LD_LINES][LD_WIDTH];
	uint32_t n;
};

static void ld_emit(void *ctx, const char *line, size_t len)
{
	struct ld_lines *l = ctx;
	size_t i = 0;

	if (l->n == LD_LINES)
		return;
	for (; i < len && i + 1 < LD_WIDTH; i++)
		l->line[l->n][i] = line[i];
	l->line[l->n++][i] = '\0';
}

static bool ld_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Whether the only line is this one; forgets it. */
static bool ld_only(struct ld_lines *l, const char *text)
{
	bool ok = l->n == 1 && ld_same(l->line[0], text);

	l->n = 0;
	return ok;
}

static const struct pzl_dma_who ld_who = { "e1000e", "0000:00:1f.6" };

static void ld_layouts(struct tap *t)
{
	static const struct {
		uint32_t size, align, boundary, old, new; /* blocks of a page of 4 KiB */
	} v[] = {
		{ 64, 0, 0, 63, 64 },	   { 2048, 0, 0, 1, 2 },	{ 4096, 0, 0, 1, 1 },
		{ 64, 64, 256, 48, 64 },   { 96, 32, 256, 32, 32 },	{ 1, 0, 0, 1023, 256 },
		{ 20, 16, 0, 127, 128 },   { 5000, 0, 0, 1, 1 },	{ 64, 0, 8192, 64, 64 },
		{ 24, 0, 4096, 170, 170 }, { 128, 0, 128, 32, 32 },	{ 0, 0, 0, 0, 0 },
		{ 8, 3, 0, 0, 0 },	   { 64, 0, 32, 0, 0 },		{ 64, 0, 96, 0, 0 },
		{ 4, 0, 8, 512, 0 },	   { 0x80000000u, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (unsigned int m = 0; m < PZL_MODELS; m++) {
			uint32_t want = m < PZL_LINUX_6_12 ? v[i].old : v[i].new;
			struct pz_dma_pool_layout l = { 0, 0, 0, 0, 0 };
			int rc = pzl_dma_pool_layout(&l, (enum pzl_model)m, 12, v[i].size,
						     v[i].align, v[i].boundary);

			CHECK_NAMED(t, rc == (want ? 0 : -PZ_EINVAL) && l.blocks == want,
				    "blocks of a page");
		}
	}
}

/* A pool under each layout has as many blocks, and the file says so, or more before 6.12. */
static void ld_capacity(struct tap *t, struct dma_small *m)
{
	static const char *const rows[PZL_MODELS] = {
		"rings               5   64   64  1",
		"rings               5   64   64  1",
		"rings               5   64   64  1",
	};
	struct pz_dma_pool_config cfg = { .name = "rings", .size = 64 };
	struct pz_dma_pool_layout lay;
	struct ld_lines l = { .n = 0 };
	struct pz_dma_dev *dev;

	if (!ds_lay_out(m, t) || !ds_make(m))
		return;
	dev = ds_device(m, "nic", 32);
	for (unsigned int k = 0; k < PZL_MODELS; k++) {
		struct pz_dma_pool *p = NULL;
		struct pz_dma_pool_info info;
		void *cpu[5];
		uint64_t bus[5];

		CHECK(t, pzl_dma_pool_layout(&lay, (enum pzl_model)k, 12, 64, 0, 0) == 0);
		cfg.layout = &lay;
		CHECK(t, pz_dma_pool_create(&p, dev, &cfg, NULL) == 0);
		for (unsigned int i = 0; i < 5; i++)
			CHECK(t, pz_dma_pool_request(p, 0, 0, &cpu[i], &bus[i]) == 0);
		pz_dma_pool_info(p, &info);
		CHECK(t, info.total == (k < PZL_LINUX_6_12 ? 63 : 64));
		l.n = 0;
		pzl_dma_pools_show((enum pzl_model)k, &info, 1, ld_emit, &l);
		CHECK(t, l.n == 2 && ld_same(l.line[0], "poolinfo - 0.1"));
		CHECK_NAMED(t, ld_same(l.line[1], rows[k]), "a row of the file");
		for (unsigned int i = 0; i < 5; i++)
			pz_dma_pool_free(p, 0, cpu[i], bus[i]);
		CHECK(t, pz_dma_pool_check(p) == 0 && pz_dma_pool_destroy(p, NULL, NULL) == 0);
	}
	CHECK(t, pz_dma_dev_destroy(dev) == 0);
	ds_close(m);
}

static bool ld_says(struct ld_lines *l, enum pz_dma_pool_fault fault, enum pzl_model model,
		    bool debug, const char *text)
{
	struct pz_dma_pool_finding f = { .fault = fault,
					 .name = "rings",
					 .function = "pz_dma_pool_free",
					 .cpu_addr = (const void *)(uintptr_t)0x1234000,
					 .bus = 0x76543210 };
	bool told = pzl_dma_pool_show_finding(&f, model, debug, &ld_who, ld_emit, l);

	return text ? told && ld_only(l, text) : !told && !l->n;
}

static void ld_pool_words(struct tap *t)
{
	const void *pages[2] = { (const void *)(uintptr_t)0x1000, (const void *)(uintptr_t)0x2000 };
	struct ld_lines l = { .n = 0 };

	CHECK(t, ld_says(&l, PZ_DMA_POOL_FOREIGN, PZL_LINUX_6_1, false,
			 "e1000e 0000:00:1f.6: dma_pool_free rings, "
			 "0000000001234000/0x0000000076543210 (bad dma)"));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_FOREIGN, PZL_LINUX_6_12, false, NULL));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_FOREIGN, PZL_LINUX_6_12, true,
			 "e1000e 0000:00:1f.6: dma_pool_free rings, "
			 "0000000001234000/0x0000000076543210 (bad dma)"));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_BAD_CPU, PZL_LINUX_6_1, true,
			 "e1000e 0000:00:1f.6: dma_pool_free rings, "
			 "0000000001234000 (bad vaddr)/0x0000000076543210"));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_BAD_CPU, PZL_LINUX_6_12, true, NULL));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_DOUBLE_FREE, PZL_LINUX_6_12, true,
			 "e1000e 0000:00:1f.6: dma_pool_free rings, "
			 "dma 0x0000000076543210 already free"));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_DOUBLE_FREE, PZL_LINUX_6_1, false, NULL));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_CORRUPTED, PZL_LINUX_6_1, true,
			 "e1000e 0000:00:1f.6: dma_pool_free rings, 0000000001234000 (corrupted)"));
	CHECK(t, ld_says(&l, PZ_DMA_POOL_INTERIOR, PZL_LINUX_6_1, true, NULL));
	pzl_dma_pool_show_busy(PZL_LINUX_6_1, "rings", &ld_who, pages, 2, ld_emit, &l);
	CHECK(t, l.n == 2 && ld_same(l.line[1], "e1000e 0000:00:1f.6: dma_pool_destroy rings, "
						"0000000000002000 busy"));
	l.n = 0;
	pzl_dma_pool_show_busy(PZL_LINUX_6_12, "rings", &ld_who, pages, 2, ld_emit, &l);
	CHECK(t, ld_only(&l, "e1000e 0000:00:1f.6: dma_pool_destroy rings busy"));
}

static struct pz_dma_misuse_found ld_finding(enum pz_dma_misuse what)
{
	struct pz_dma_misuse_found f;

	ds_clear(&f, sizeof(f));
	f.what = what;
	f.call = (struct pz_dma_use){ .kind = PZ_DMA_SINGLE,
				      .dir = PZ_DMA_FROM_DEVICE,
				      .bus = 0x1000,
				      .phys = 0x5000,
				      .size = 64,
				      .sg_count = 2 };
	f.known = true;
	f.mapping.use = (struct pz_dma_use){ .kind = PZ_DMA_COHERENT,
					     .dir = PZ_DMA_TO_DEVICE,
					     .bus = 0xff0,
					     .phys = 0x4000,
					     .size = 128,
					     .sg_count = 3 };
	f.count = 7;
	f.limit = 0x100;
	return f;
}

#define LD_DEV "DMA-API: e1000e 0000:00:1f.6: "
#define LD_CALL " [device address=0x0000000000001000] [size=64 bytes]"
#define LD_WAS " [device address=0x0000000000000ff0] [size=128 bytes]"
#define LD_SYNC LD_CALL " [mapped with DMA_TO_DEVICE] [synced with DMA_FROM_DEVICE]"

static void ld_debug_words(struct tap *t)
{
	static const struct {
		enum pz_dma_misuse what;
		const char *text;
	} v[] = {
		{ PZ_DMA_UNMAP_ERROR, "device driver tries to free an invalid DMA memory address" },
		{ PZ_DMA_UNMAP_UNKNOWN,
		  "device driver tries to free DMA memory it has not allocated" LD_CALL },
		{ PZ_DMA_UNMAP_DEVICE,
		  "device driver tries to free DMA memory it has not allocated" LD_CALL },
		{ PZ_DMA_UNMAP_SIZE,
		  "device driver frees DMA memory with different size [device "
		  "address=0x0000000000001000] [map size=128 bytes] [unmap size=64 bytes]" },
		{ PZ_DMA_UNMAP_KIND, "device driver frees DMA memory with wrong function" LD_CALL
				     " [mapped as coherent] [unmapped as single]" },
		{ PZ_DMA_UNMAP_MEMORY,
		  "device driver frees DMA memory with different CPU address" LD_CALL
		  " [cpu alloc address=0x0000000000004000] [cpu free address=0x0000000000005000]" },
		{ PZ_DMA_UNMAP_COUNT,
		  "device driver frees DMA sg list with different entry count [map count=3] [unmap "
		  "count=2]" },
		{ PZ_DMA_UNMAP_DIR,
		  "device driver frees DMA memory with different direction" LD_CALL
		  " [mapped with DMA_TO_DEVICE] [unmapped with DMA_FROM_DEVICE]" },
		{ PZ_DMA_UNMAP_UNCHECKED,
		  "device driver failed to check map error" LD_WAS " [mapped as coherent]" },
		{ PZ_DMA_UNMAP_FREED, NULL },
		{ PZ_DMA_LEAK,
		  "device driver has pending DMA allocations while released from device [count=7] "
		  "One of leaked entries details:" LD_WAS
		  " [mapped with DMA_TO_DEVICE] [mapped as coherent]" },
		{ PZ_DMA_MAP_STACK,
		  "device driver maps memory from stack [addr=0000000000000000] [len=64]" },
		{ PZ_DMA_MAP_TEXT,
		  "device driver maps memory from kernel text or rodata [addr=0000000000000000] "
		  "[len=64]" },
		{ PZ_DMA_MAP_VMALLOC,
		  "device driver maps memory from vmalloc area [addr=0000000000000000] [len=64]" },
		{ PZ_DMA_MAP_INVALID,
		  "device driver maps memory from invalid area [addr=0000000000000000] [len=64]" },
		{ PZ_DMA_MAP_FREED, NULL },
		{ PZ_DMA_MAP_LONG,
		  "mapping sg segment longer than device claims to support [len=64] [max=256]" },
		{ PZ_DMA_MAP_BOUNDARY,
		  "mapping sg segment across boundary [start=0x0000000000001000] "
		  "[end=0x000000000000103f] [boundary=0x00000000000000ff]" },
		{ PZ_DMA_MAP_OVERLAP,
		  "cacheline tracking EEXIST, overlapping mappings aren't supported" },
		{ PZ_DMA_SYNC_UNKNOWN,
		  "device driver tries to sync DMA memory it has not allocated" LD_CALL },
		{ PZ_DMA_SYNC_RANGE,
		  "device driver syncs DMA memory outside allocated range [device "
		  "address=0x0000000000000ff0] [allocation size=128 bytes] [sync "
		  "offset+size=80]" },
		{ PZ_DMA_SYNC_DIR,
		  "device driver syncs DMA memory with different direction" LD_SYNC },
		{ PZ_DMA_SYNC_COUNT,
		  "device driver syncs DMA sg list with different entry count [map count=3] [sync "
		  "count=2]" },
	};
	struct ld_lines l = { .n = 0 };
	struct pzl_dma_debug s;
	const char *rest;

	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct pz_dma_misuse_found f = ld_finding(v[i].what);
		size_t n = 0;

		pzl_dma_debug_init(&s);
		l.n = 0;
		CHECK(t,
		      pzl_dma_debug_report(&s, &f, &ld_who, ld_emit, &l) == (v[i].text ? 1u : 0u));
		CHECK(t, s.error_count == (v[i].text ? 1u : 0u));
		if (!v[i].text)
			continue;
		while (LD_DEV[n] && LD_DEV[n] == l.line[0][n])
			n++;
		rest = l.line[0] + n;
		CHECK_NAMED(t, !LD_DEV[n] && ld_only(&l, l.line[0]) && ld_same(rest, v[i].text),
			    v[i].text);
	}
}

static void ld_policy(struct tap *t)
{
	struct pz_dma_misuse_found sync = ld_finding(PZ_DMA_SYNC_READ_ONLY),
				   size = ld_finding(PZ_DMA_UNMAP_SIZE),
				   none = ld_finding(PZ_DMA_NO_RECORDS);
	struct pz_dma_debug_stat st = { .entries = 100, .free = 60, .min_free = 40 };
	struct ld_lines l = { .n = 0 };
	struct pzl_dma_debug s;
	char buf[32];

	pzl_dma_debug_init(&s);
	CHECK(t, pzl_dma_debug_report(&s, &sync, &ld_who, ld_emit, &l) == 1 && s.error_count == 2);
	CHECK_NAMED(t,
		    ld_only(&l, LD_DEV
			    "device driver syncs DMA memory with different direction" LD_SYNC),
		    "the first error only");
	CHECK(t, pzl_dma_debug_report(&s, &size, &ld_who, ld_emit, &l) == 0 && s.error_count == 3);
	s.all_errors = true;
	CHECK(t, pzl_dma_debug_report(&s, &sync, &ld_who, ld_emit, &l) == 2 && l.n == 2);
	CHECK(t, ld_same(l.line[1],
			 LD_DEV "device driver syncs device read-only DMA memory for cpu" LD_SYNC));
	s.driver_filter = "other";
	CHECK(t, pzl_dma_debug_report(&s, &size, &ld_who, ld_emit, &l) == 0 && s.error_count == 6);
	CHECK(t, pzl_dma_debug_read(&s, &st, "driver_filter", buf, 32) == 0 &&
			 ld_same(buf, "other\n"));
	CHECK(t, pzl_dma_debug_read(&s, &st, "disabled", buf, 32) == 0 && ld_same(buf, "N\n"));
	l.n = 0;
	CHECK(t, pzl_dma_debug_report(&s, &none, &ld_who, ld_emit, &l) == 1);
	CHECK(t, ld_only(&l, "DMA-API: debugging out of memory - disabling"));
	CHECK(t, pzl_dma_debug_report(&s, &size, &ld_who, ld_emit, &l) == 0 && s.error_count == 6);
	CHECK(t, pzl_dma_debug_read(&s, &st, "disabled", buf, 32) == 0 && ld_same(buf, "Y\n"));
	CHECK(t, pzl_dma_debug_read(&s, &st, "error_count", buf, 32) == 0 && ld_same(buf, "6\n"));
	CHECK(t, pzl_dma_debug_read(&s, &st, "num_errors", buf, 32) == 0 && ld_same(buf, "0\n"));
	CHECK(t, pzl_dma_debug_read(&s, &st, "min_free_entries", buf, 32) == 0 &&
			 ld_same(buf, "40\n"));
	CHECK(t, pzl_dma_debug_read(&s, &st, "nr_total_entries", buf, 4) == -PZ_ENOSPC);
	CHECK(t, pzl_dma_debug_read(&s, &st, "dump", buf, 32) == -PZ_ENOENT);
	pzl_dma_debug_boot(PZL_DMA_DEBUG_ENTRIES, ld_emit, &l);
	CHECK(t, ld_only(&l, "DMA-API: preallocated 65536 debug entries"));
}

void contract_linux_dma_text(struct tap *t)
{
	struct dma_small *m = t->meta->alloc(t->meta->ctx, sizeof(*m));

	if (!CHECK_NAMED(t, m != NULL, "there is room for the test"))
		return;
	ld_layouts(t);
	ld_capacity(t, m);
	ld_pool_words(t);
	ld_debug_words(t);
	ld_policy(t);
	t->meta->free(t->meta->ctx, m, sizeof(*m));
}
