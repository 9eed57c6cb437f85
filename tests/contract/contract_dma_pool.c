/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_pool.c - small coherent objects, by known examples: layouts, boundaries on the bus,
 * misuse, magazines, trimming, what is out at the end, poison, and what fails.
 */
#include "dma_small.h"
#include "suites_decl.h"

#define DP_BLOCKS 600u

struct dp_box {
	struct dma_small m;
	struct pz_dma_dev *dev;
	struct pz_dma_pool_config cfg;
	struct pz_dma_pool *p;
	void *cpu[DP_BLOCKS];
	uint64_t bus[DP_BLOCKS];
	struct pz_dma_pool_finding found[16];
	uint32_t findings;
	uint32_t live;
	struct pz_dma_pool_block first;
};

static void dp_tell(void *ctx, const struct pz_dma_pool_finding *f)
{
	struct dp_box *b = ctx;

	if (b->findings < 16)
		b->found[b->findings] = *f;
	b->findings++;
}

static void dp_live(void *ctx, const struct pz_dma_pool_block *block)
{
	struct dp_box *b = ctx;

	if (!b->live++)
		b->first = *block;
}

static bool dp_open(struct dp_box *b, struct tap *t)
{
	if (!ds_lay_out(&b->m, t) || !ds_make(&b->m))
		return false;
	b->dev = ds_device(&b->m, "disk", 32);
	ds_clear(&b->cfg, sizeof(b->cfg));
	b->cfg.name = "descriptors";
	b->cfg.size = 64;
	b->cfg.found = dp_tell;
	b->cfg.ctx = b;
	b->p = NULL;
	b->findings = b->live = 0;
	return b->dev != NULL;
}

static void dp_close(struct dp_box *b)
{
	CHECK(b->m.pm.t, pz_dma_dev_destroy(b->dev) == 0);
	ds_close(&b->m);
}

static bool dp_make(struct dp_box *b)
{
	const char *why = NULL;

	b->findings = 0;
	return CHECK_NAMED(b->m.pm.t, pz_dma_pool_create(&b->p, b->dev, &b->cfg, &why) == 0 && !why,
			   "a pool is made");
}

static void dp_drop(struct dp_box *b)
{
	struct tap *t = b->m.pm.t;

	CHECK(t, pz_dma_pool_check(b->p) == 0);
	CHECK(t, pz_dma_pool_destroy(b->p, NULL, NULL) == 0);
}

static bool dp_take(struct dp_box *b, uint32_t cpu, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		b->cpu[i] = pz_dma_pool_alloc(b->p, cpu, 0, &b->bus[i]);
		if (!b->cpu[i])
			return false;
	}
	return true;
}

static void dp_give(struct dp_box *b, uint32_t cpu, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++)
		pz_dma_pool_free(b->p, cpu, b->cpu[i], b->bus[i]);
}

static void dp_layouts(struct tap *t)
{
	static const struct {
		uint32_t shift, size, align, boundary;
		struct pz_dma_pool_layout lay;
	} good[] = {
		{ 12, 64, 64, 0, { 4096, 64, 4096, 64, 64 } },
		{ 12, 1, 0, 0, { 4096, 1, 4096, 4096, 4096 } },
		{ 12, 2048, 0, 0, { 4096, 2048, 4096, 2, 2 } },
		{ 12, 4096, 4096, 4096, { 4096, 4096, 4096, 1, 1 } },
		{ 12, 96, 32, 256, { 4096, 96, 256, 2, 32 } },
		{ 12, 20, 16, 0, { 4096, 32, 4096, 128, 128 } },
		{ 12, 6000, 0, 8192, { 8192, 6000, 8192, 1, 1 } },
		{ 12, 64, 8192, 0, { 8192, 8192, 8192, 1, 1 } },
		{ 12, 9000, 0, 16384, { 12288, 9000, 12288, 1, 1 } },
		{ 16, 80, 16, 4096, { 65536, 80, 4096, 51, 816 } },
	};
	static const struct {
		uint32_t size, align, boundary;
		int rc;
	} bad[] = {
		{ 0, 0, 0, -PZ_EINVAL },
		{ 8, 3, 0, -PZ_EINVAL },
		{ 8, 0, 24, -PZ_EINVAL },
		{ 64, 0, 32, -PZ_ENOSPC },
		{ 20, 16, 16, -PZ_ENOSPC },
		{ 0x80000000u, 0, 0, -PZ_EOVERFLOW },
		{ 1, 0x80000000u, 0, -PZ_EOVERFLOW },
	};
	struct pz_dma_pool_layout l;
	const char *why;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct pz_dma_pool_layout *w = &good[i].lay;

		CHECK(t, pz_dma_pool_layout(&l, good[i].shift, good[i].size, good[i].align,
					    good[i].boundary, NULL) == 0);
		CHECK_NAMED(t,
			    l.bytes == w->bytes && l.stride == w->stride && l.span == w->span &&
				    l.per_span == w->per_span && l.blocks == w->blocks,
			    "the layout is as expected");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		l.bytes = 7;
		CHECK(t, pz_dma_pool_layout(&l, 12, bad[i].size, bad[i].align, bad[i].boundary,
					    &why) == bad[i].rc);
		CHECK_NAMED(t, why && l.bytes == 7, "it says why, and writes nothing");
	}
}

static void dp_creating(struct tap *t, struct dp_box *b)
{
	struct pz_dma_pool_layout odd = { 4096, 64, 4096, 65, 65 };
	struct pz_dma_dev *isa;
	const char *why = NULL;

	if (!dp_open(b, t))
		return;
	b->cfg.name = NULL;
	CHECK(t, pz_dma_pool_create(&b->p, b->dev, &b->cfg, &why) == -PZ_EINVAL && why);
	b->cfg.name = "x";
	b->cfg.layout = &odd;
	CHECK(t, pz_dma_pool_create(&b->p, b->dev, &b->cfg, &why) == -PZ_EINVAL);
	odd = (struct pz_dma_pool_layout){ 4096, 64, 4096, 63, 64 };
	CHECK(t, pz_dma_pool_create(&b->p, b->dev, &b->cfg, &why) == -PZ_EINVAL);
	odd = (struct pz_dma_pool_layout){ 4096, 96, 1024, 9, 36 };
	CHECK_NAMED(t, pz_dma_pool_create(&b->p, b->dev, &b->cfg, &why) == -PZ_EINVAL,
		    "too much of each span is left");
	b->cfg.layout = NULL;
	isa = ds_device(&b->m, "blind", 20);
	CHECK_NAMED(t, pz_dma_pool_create(&b->p, isa, &b->cfg, &why) == -PZ_ERANGE,
		    "a device that reaches nothing");
	CHECK(t, pz_dma_dev_destroy(isa) == 0 && b->p == NULL);
	CHECK(t, pz_dma_pool_destroy(NULL, NULL, NULL) == 0);
	for (uint64_t n = 1; n <= 3; n++) {
		CHECK(t, pz_fault_arm(&b->m.faults, b->m.meta_fault, n, 1) == 0);
		CHECK(t, pz_dma_pool_create(&b->p, b->dev, &b->cfg, NULL) == -PZ_ENOMEM && !b->p);
	}
	CHECK(t, pz_fault_arm(&b->m.faults, b->m.meta_fault, 0, 0) == 0);
	dp_close(b);
}

static void dp_blocks(struct tap *t, struct dp_box *b)
{
	struct pz_dma_pool_info info;
	bool apart = true, inside = true, zero = true;

	if (!dp_open(b, t))
		return;
	b->cfg.size = 96;
	b->cfg.align = 32;
	b->cfg.boundary = 256;
	if (!dp_make(b))
		return;
	pz_dma_pool_info(b->p, &info);
	CHECK_NAMED(t, info.pages == 0 && info.used == 0, "a new pool has no page");
	CHECK(t, dp_take(b, 0, 0, 100));
	for (uint32_t i = 0; i < 100; i++) {
		inside &= b->bus[i] % 32 == 0 && b->bus[i] / 256 == (b->bus[i] + 95) / 256;
		inside &= b->cpu[i] == b->m.memory + (b->bus[i] - DS_FIRST);
		for (uint32_t k = 0; k < i; k++)
			apart &= b->bus[k] + 96 <= b->bus[i] || b->bus[i] + 96 <= b->bus[k];
	}
	CHECK_NAMED(t, inside, "no block crosses the boundary");
	CHECK_NAMED(t, apart, "no two blocks overlap");
	pz_dma_pool_info(b->p, &info);
	CHECK(t, info.used == 100 && info.pages == 4 && info.total == 128 && info.size == 96);
	CHECK(t, pz_dma_pool_check(b->p) == 0);
	dp_give(b, 1, 0, 100);
	pz_dma_pool_info(b->p, &info);
	CHECK(t, info.used == 0 && info.pages == 4 && info.kept > 0);
	CHECK(t, b->m.pm.bugs.count == 0 && pz_dma_pool_check(b->p) == 0);
	for (uint32_t i = 0; i < 96; i++)
		((unsigned char *)b->cpu[99])[i] = 0x55;
	CHECK(t, pz_dma_pool_request(b->p, 1, PZ_GFP_ZERO, &b->cpu[0], &b->bus[0]) == 0);
	for (uint32_t i = 0; i < 96; i++)
		zero &= ((unsigned char *)b->cpu[0])[i] == 0;
	CHECK_NAMED(t, zero && b->cpu[0] == b->cpu[99], "zeroed, and the newest comes first");
	CHECK(t,
	      pz_dma_pool_request(b->p, 1, PZ_GFP_MOVABLE, &b->cpu[0], &b->bus[0]) == -PZ_EINVAL);
	CHECK(t, !pz_dma_pool_alloc(b->p, 1, PZ_GFP_MOVABLE, &b->bus[0]));
	dp_give(b, PZ_CPU_NONE, 0, 1);
	dp_drop(b);
	dp_close(b);
}

static bool dp_told(struct dp_box *b, enum pz_dma_pool_fault fault)
{
	bool ok = b->findings == 1 && b->found[0].fault == fault && b->m.pm.bugs.count == 1 &&
		  b->found[0].pool == b->p && pz_dma_pool_check(b->p) == 0;

	b->findings = 0;
	b->m.pm.bugs.count = 0;
	return ok;
}

static void dp_misuse(struct tap *t, struct dp_box *b)
{
	struct pz_dma_pool *other = NULL;

	if (!dp_open(b, t) || !dp_make(b))
		return;
	b->cfg.name = "other";
	CHECK(t, pz_dma_pool_create(&other, b->dev, &b->cfg, NULL) == 0);
	CHECK(t, dp_take(b, 0, 0, 4));
	pz_dma_pool_free(other, 0, b->cpu[0], b->bus[0]);
	CHECK_NAMED(t, b->findings == 1 && b->found[0].pool == other, "another pool's");
	b->found[0].pool = b->p;
	CHECK(t, dp_told(b, PZ_DMA_POOL_FOREIGN));
	pz_dma_pool_free(b->p, 0, NULL, 0);
	CHECK(t, dp_told(b, PZ_DMA_POOL_FOREIGN));
	pz_dma_pool_free(b->p, 0, (unsigned char *)b->cpu[0] + 8, b->bus[0] + 8);
	CHECK(t, dp_told(b, PZ_DMA_POOL_INTERIOR));
	pz_dma_pool_free(b->p, 0, b->cpu[1], b->bus[0]);
	CHECK(t, dp_told(b, PZ_DMA_POOL_BAD_CPU));
	for (uint32_t cpu = 0; cpu < 3; cpu++) {
		uint32_t with = cpu < 2 ? cpu : PZ_CPU_NONE;

		pz_dma_pool_free(b->p, with, b->cpu[cpu], b->bus[cpu]);
		CHECK(t, b->findings == 0);
		pz_dma_pool_free(b->p, 0, b->cpu[cpu], b->bus[cpu]);
		CHECK(t, dp_told(b, PZ_DMA_POOL_DOUBLE_FREE));
		pz_dma_pool_free(b->p, PZ_CPU_NONE, b->cpu[cpu], b->bus[cpu]);
		CHECK(t, dp_told(b, PZ_DMA_POOL_DOUBLE_FREE));
	}
	dp_give(b, 0, 3, 1);
	pz_dma_pool_drain(b->p, 1);
	CHECK(t, pz_dma_pool_trim(b->p, 0) == 4096);
	pz_dma_pool_free(b->p, 0, b->cpu[3], b->bus[3]);
	CHECK_NAMED(t, dp_told(b, PZ_DMA_POOL_FOREIGN), "its page went");
	CHECK(t, pz_dma_pool_destroy(other, NULL, NULL) == 0);
	dp_drop(b);
	dp_close(b);
}

static void dp_trimming(struct tap *t, struct dp_box *b)
{
	struct pz_dma_pool_info info;
	uint64_t free;

	if (!dp_open(b, t) || !dp_make(b))
		return;
	CHECK(t, dp_take(b, 0, 0, DP_BLOCKS)); /* 9 pages and 24 blocks */
	free = pm_free(&b->m.pm);
	CHECK(t, pz_dma_pool_trim(b->p, 0) == 0);
	dp_give(b, PZ_CPU_NONE, 1, DP_BLOCKS - 1);
	CHECK(t, pm_free(&b->m.pm) == free);
	pz_dma_pool_info(b->p, &info);
	CHECK(t, info.used == 1 && info.pages == 10 && info.total == 640);
	CHECK_NAMED(t, pz_dma_pool_trim(b->p, 0) == 9 * 4096, "one page is in use");
	CHECK(t, pm_free(&b->m.pm) == free + 9 && pz_dma_pool_check(b->p) == 0);
	CHECK_NAMED(t, dp_take(b, 1, 1, DP_BLOCKS - 1) && pz_dma_pool_check(b->p) == 0,
		    "and all over again");
	CHECK(t, pm_free(&b->m.pm) == free);
	dp_give(b, 1, 0, DP_BLOCKS);
	CHECK_NAMED(t, pz_dma_pool_trim(b->p, 0) < 10 * 4096, "another CPU has some");
	CHECK(t, pz_dma_pool_trim(b->p, 1) > 0);
	pz_dma_pool_info(b->p, &info);
	CHECK(t, info.pages == 0 && info.total == 0 && info.kept == 0);
	CHECK(t, b->m.pm.bugs.count == 0);
	dp_drop(b);
	dp_close(b);
}

static void dp_leaks(struct tap *t, struct dp_box *b)
{
	if (!dp_open(b, t))
		return;
	b->cfg.debug = true;
	if (!dp_make(b))
		return;
	b->m.site = 77;
	CHECK(t, dp_take(b, 0, 0, 3));
	dp_give(b, 0, 1, 1);
	CHECK(t, pz_dma_pool_destroy(b->p, dp_live, b) == -PZ_EBUSY && b->live == 2);
	CHECK_NAMED(t,
		    (b->first.bus == b->bus[0] || b->first.bus == b->bus[2]) &&
			    b->first.site == 77 && b->first.when > 0 && b->m.pm.bugs.count == 1,
		    "the leak says who and when");
	CHECK_NAMED(t, dp_take(b, 0, 1, 1), "nothing has changed");
	dp_give(b, 0, 0, 3);
	b->m.pm.bugs.count = 0;
	dp_drop(b);
	dp_close(b);
}

static void dp_poison(struct tap *t, struct dp_box *b)
{
	struct pz_dma_pool_info info;
	bool taken = true, free = true;
	unsigned char *c;

	if (!dp_open(b, t))
		return;
	b->cfg.debug = true;
	if (!dp_make(b))
		return;
	CHECK(t, dp_take(b, 0, 0, 2));
	c = b->cpu[0];
	for (uint32_t i = 0; i < 64; i++)
		taken &= c[i] == PZ_DMA_POOL_TAKEN;
	dp_give(b, 0, 0, 1);
	for (uint32_t i = 0; i < 64; i++)
		free &= c[i] == PZ_DMA_POOL_FREE;
	CHECK_NAMED(t, taken && free, "blocks are poisoned");
	c[5] = 1;
	c[9] = 2;
	CHECK(t, dp_take(b, 0, 2, 64));
	CHECK_NAMED(t,
		    b->findings == 1 && b->found[0].fault == PZ_DMA_POOL_CORRUPTED &&
			    b->found[0].bad == c + 5 && b->found[0].bad_bytes == 5 &&
			    b->found[0].bus == b->bus[0] && b->found[0].when > 0,
		    "a write to a free block is told");
	for (uint32_t i = 2; i < 66; i++)
		taken &= b->bus[i] != b->bus[0];
	CHECK_NAMED(t, taken, "and it is never given out again");
	pz_dma_pool_info(b->p, &info);
	CHECK(t, info.fenced == 1 && info.used == 65 && info.kept == 0);
	dp_give(b, 0, 1, 65);
	((unsigned char *)b->cpu[40])[63] = 3;
	b->findings = 0;
	dp_drop(b);
	CHECK_NAMED(t, b->findings == 1 && b->found[0].bad_bytes == 1,
		    "what is free is looked at in the end");
	dp_close(b);
}

/* A device that sees memory elsewhere, and no power of two apart. */
static void dp_offsets(struct tap *t, struct dp_box *b)
{
	struct pz_window w = { { DS_FIRST, DS_FIRST + DS_BYTES - 1 }, 0x7003000 };
	struct pz_dma_dev_config cfg;
	bool ok = true;

	if (!dp_open(b, t))
		return;
	CHECK(t, pz_dma_dev_destroy(b->dev) == 0);
	pz_dma_dev_init(&cfg, "far", 28);
	cfg.windows = &w;
	cfg.window_count = 1;
	CHECK(t, pz_dma_dev_create(&b->dev, b->m.dma, &cfg) == 0);
	b->cfg.size = 5000;
	b->cfg.boundary = 8192;
	if (!dp_make(b))
		return;
	CHECK(t, dp_take(b, 0, 0, 20));
	for (uint32_t i = 0; i < 20; i++)
		ok &= b->bus[i] / 8192 == (b->bus[i] + 4999) / 8192 &&
		      b->cpu[i] == b->m.memory + (b->bus[i] - 0x7003000);
	CHECK_NAMED(t, ok, "the boundary is one of the bus");
	dp_give(b, 0, 0, 20);
	CHECK(t, b->m.pm.bugs.count == 0);
	dp_drop(b);
	dp_close(b);
}

/* Each allocation fails in turn. */
static void dp_failures(struct tap *t, struct dp_box *b)
{
	uint32_t got = 0, failed = 0;
	bool through = false;
	int rc = 0;

	if (!dp_open(b, t) || !dp_make(b))
		return;
	/* Without an index no hint spares a search, each of which can fail. */
	for (uint64_t n = 1; n < 100 && !through; n++) {
		CHECK(t, pz_fault_arm(&b->m.faults, PZ_FAULT_ANY, n, UINT64_MAX) == 0);
		for (got = 0; got < DP_BLOCKS; got++) {
			rc = pz_dma_pool_request(b->p, PZ_CPU_NONE, 0, &b->cpu[got], &b->bus[got]);
			if (rc)
				break;
		}
		through = got == DP_BLOCKS;
		failed += got < DP_BLOCKS && rc == -PZ_ENOMEM;
		CHECK(t, pz_fault_arm(&b->m.faults, PZ_FAULT_ANY, 0, 0) == 0);
		CHECK(t, pz_dma_pool_check(b->p) == 0);
		dp_give(b, PZ_CPU_NONE, 0, got);
		(void)pz_dma_pool_trim(b->p, PZ_CPU_NONE);
	}
	CHECK_NAMED(t, through && failed >= 10 && b->findings == 0 && b->m.pm.bugs.count == 0,
		    "what fails is said, and holds nothing");
	dp_drop(b);
	dp_close(b);
}

void contract_dma_pool(struct tap *t)
{
	struct dp_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK_NAMED(t, b != NULL, "there is room for the test"))
		return;
	dp_layouts(t);
	dp_creating(t, b);
	dp_blocks(t, b);
	dp_misuse(t, b);
	dp_trimming(t, b);
	dp_leaks(t, b);
	dp_poison(t, b);
	dp_offsets(t, b);
	dp_failures(t, b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
