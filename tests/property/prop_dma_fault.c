/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma_fault.c - a life of devices of all kinds in which one thing fails: each call for
 * metadata and of each hook in turn, and each time that a fault point is passed. Nothing is lost
 * but what the layer says, nothing is taken for misuse, and afterwards all works.
 */
#include "../fuzz/dma_world.h"
#include "prop.h"

#include <stdlib.h>
#include <string.h>

#define POINTS 16u
#define BITS 28u
#define PRIVATE ((uint64_t)1 << 40)

/* What fails: a call for metadata, a hook, a fault point. */
enum fault {
	FAULT_META,
	FAULT_DIRECT,
	FAULT_WINDOW,
	FAULT_REMAP,
	FAULT_SHARE,
	FAULT_PAGES,
	FAULT_CMA,
	FAULT_PIECE,
	FAULTS,
};

static const char *const fault_names[FAULTS] = { "metadata", "direct",	  "window",  "remap",
						 "share",    "dma.pages", "dma.cma", "dma.piece" };

/* --- hooks that fail once --- */

static struct {
	enum fault what;
	uint64_t calls, at; /* @at: the call that fails; 0 for none */
	size_t live;	    /* metadata that is out */
	uint64_t failed;
} hook;

static bool fails(enum fault what)
{
	if (hook.what != what || ++hook.calls != hook.at)
		return false;
	hook.failed++;
	return true;
}

static void *meta_alloc(void *ctx, size_t size)
{
	void *p = fails(FAULT_META) ? NULL : dma_meta.alloc(ctx, size);

	hook.live += p ? size : 0;
	return p;
}

static void meta_free(void *ctx, void *p, size_t size)
{
	hook.live -= size;
	dma_meta.free(ctx, p, size);
}

static const struct pz_meta meta = { meta_alloc, meta_free, NULL };

static void *hook_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	return fails(FAULT_DIRECT) ? NULL : dma_hooks.direct(ctx, phys, bytes);
}

static void *hook_window(void *ctx, uint64_t phys, uint64_t bytes)
{
	return fails(FAULT_WINDOW) ? NULL : dma_hooks.window(ctx, phys, bytes);
}

static void *hook_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	return fails(FAULT_REMAP) ? NULL : dma_hooks.remap(ctx, phys, bytes, attrs, cached);
}

static int hook_share(void *ctx, uint64_t phys, uint64_t bytes, bool shared)
{
	return fails(FAULT_SHARE) ? -PZ_ENOMEM : dma_hooks.share(ctx, phys, bytes, shared);
}

/* --- the life --- */

enum { DEV_PLAIN, DEV_UNCACHED, DEV_REGION, DEV_AREA, DEVS };

struct life {
	struct pz_fault_point points[POINTS];
	struct pz_faults faults;
	struct pz_dma_debug *debug;
	struct pz_bounce *bounce;
	struct pz_dma *dma;
	struct pz_dma_dev *dev[DEVS];
	unsigned int refused; /* requests, since it was set to 0 */
};

static struct life l;

static int make_layer(void)
{
	struct pz_dma_debug_config debug = { .entries = 64, .meta = &meta, .bugs = &world.bugs };
	struct pz_bounce_config bc = { .cpus = 2, .ranges = &dma_aside, .range_count = 1 };
	struct pz_dma_config dc = { .cpus = 2, .cma = world.cma, .pool_bytes = 4 * DMA_PAGE };
	int rc = 0;

	bc.meta = dc.meta = &meta;
	bc.bugs = dc.bugs = &world.bugs;
	bc.pages = dc.pages = debug.pages = world.pages;
	bc.hooks = dma_hooks;
	bc.hooks.direct = hook_direct;
	bc.hooks.window = hook_window;
	bc.hooks.remap = hook_remap;
	bc.hooks.share = hook_share;
	bc.shared = world.encrypted;
	bc.reserve_bytes = 16384;
	bc.grow_bytes = 32768;
	bc.direct_last = world.high_unmapped ? dma_part[DMA_PARTS - 1] - 1 : 0;
	dc.direct.last = bc.direct_last;
	dc.hooks = bc.hooks;
	dc.private_bit = world.encrypted ? PRIVATE : 0;
	dc.faults = &l.faults;
	if (!l.debug)
		rc = pz_dma_debug_create(&l.debug, &debug);
	if (!rc && !l.bounce)
		rc = pz_bounce_create(&l.bounce, &bc);
	dc.bounce = l.bounce;
	dc.debug = l.debug;
	if (!rc && !l.dma)
		rc = pz_dma_create(&l.dma, &dc);
	return rc;
}

static int make_device(unsigned int i)
{
	static const char *const names[DEVS] = { "plain", "uncached", "region", "area" };
	struct pz_dma_dev_config cfg;

	if (l.dev[i])
		return 0;
	pz_dma_dev_init(&cfg, names[i], i == DEV_AREA ? 32 : BITS);
	cfg.atomic = true;
	cfg.coherent = i != DEV_UNCACHED;
	if (i == DEV_REGION && !world.encrypted)
		cfg.region = &dma_own_region;
	if (i == DEV_AREA)
		cfg.cma = world.cma;
	return pz_dma_dev_create(&l.dev[i], l.dma, &cfg);
}

/* What is there stays; what is not is made: how often that failed. */
static unsigned int life_make(void)
{
	unsigned int failed = make_layer() != 0;

	for (unsigned int i = 0; i < DEVS && !failed; i++)
		failed += make_device(i) != 0;
	return failed;
}

static void use_buffers(struct pz_dma_dev *dev)
{
	static const struct {
		uint32_t gfp;
		uint64_t size;
	} v[] = { { 0, 1 }, { PZ_GFP_BLOCK, 100 }, { PZ_GFP_BLOCK, 9000 }, { 0, 5000 } };
	struct pz_dma_buf buf[4], pages;
	bool have[4];

	for (unsigned int i = 0; i < 4; i++) {
		have[i] = !pz_dma_alloc(dev, 0, v[i].gfp, 0, v[i].size, &buf[i]);
		l.refused += !have[i];
	}
	for (unsigned int i = 0; i < 4; i++) {
		if (have[i])
			pz_dma_free(dev, 0, &buf[i]);
	}
	if (!pz_dma_alloc_pages(dev, 0, PZ_GFP_BLOCK, PZ_DMA_FROM_DEVICE, 6000, &pages))
		pz_dma_free_pages(dev, 0, &pages);
	else
		l.refused++;
}

static void use_pieces(struct pz_dma_dev *dev)
{
	struct pz_sg sg[8];
	uint32_t n = 0;

	if (!pz_dma_alloc_noncontiguous(dev, 0, PZ_GFP_BLOCK, 0, 5 * DMA_PAGE, sg, 8, &n))
		pz_dma_free_noncontiguous(dev, 0, sg, n);
	else
		l.refused++;
}

/* Memory that no device here reaches, whole pages. */
static uint64_t high_pages(uint64_t pages)
{
	struct pz_page_req req;
	uint64_t pfn = 0;

	pz_page_req_init(world.pages, &req, 0, 0, 0);
	req.pages = pages;
	req.limits.min_addr = dma_part[DMA_PARTS - 1];
	return pz_page_request(world.pages, &req, &pfn) ? 0 : pfn;
}

/* More than what is set aside or kept, so that bounce buffers grow; and a list. */
static void use_mappings(struct pz_dma_dev *dev)
{
	uint64_t pfn = high_pages(32), bus[8];
	struct pz_sg sg[3];
	uint32_t mapped;

	if (!pfn) {
		l.refused++;
		return;
	}
	for (unsigned int i = 0; i < 8; i++) {
		bus[i] =
			pz_dma_map(dev, 0, (pfn << 12) + i * 16384, 14000, PZ_DMA_BIDIRECTIONAL, 0);
		if (pz_dma_mapping_error(dev, bus[i]))
			l.refused += i < 3; /* how many find room depends */
		else
			pz_dma_sync_for_cpu(dev, bus[i] + 100, 5000, PZ_DMA_BIDIRECTIONAL);
	}
	for (unsigned int i = 0; i < 8; i++) {
		if (bus[i] != PZ_DMA_ERROR)
			pz_dma_unmap(dev, 0, bus[i], 14000, PZ_DMA_BIDIRECTIONAL, 0);
	}
	for (unsigned int i = 0; i < 3; i++) {
		sg[i].phys = ((pfn + i) << 12) + 64;
		sg[i].len = 1000;
	}
	if (!pz_dma_map_sg(dev, 0, sg, 3, PZ_DMA_FROM_DEVICE, 0, &mapped))
		pz_dma_unmap_sg(dev, 0, sg, 3, PZ_DMA_FROM_DEVICE, 0);
	else
		l.refused++;
	pz_free_exact(world.pages, 0, pfn, 32);
}

static const char *use_small(struct pz_dma_dev *dev)
{
	struct pz_dma_pool_config cfg = { .name = "small", .size = 900, .align = 64 };
	struct pz_dma_pool *p = NULL;
	uint64_t bus[12];
	void *block[12];

	if (pz_dma_pool_create(&p, dev, &cfg, NULL)) {
		l.refused++;
		return NULL;
	}
	for (unsigned int i = 0; i < 12; i++) {
		block[i] = pz_dma_pool_alloc(p, i & 1, i & 2 ? PZ_GFP_BLOCK : 0, &bus[i]);
		l.refused += !block[i];
	}
	MUST(!pz_dma_pool_check(p));
	for (unsigned int i = 0; i < 12; i++) {
		if (block[i])
			pz_dma_pool_free(p, i & 1, block[i], bus[i]);
	}
	(void)pz_dma_pool_trim(p, 0);
	MUST(!pz_dma_pool_destroy(p, NULL, NULL));
	return NULL;
}

/* Everything that a device does, and that devices come, change and go. */
static const char *life_use(void)
{
	for (unsigned int i = 0; i < DEVS; i++) {
		if (!l.dev[i])
			continue;
		use_buffers(l.dev[i]);
		use_pieces(l.dev[i]);
		use_mappings(l.dev[i]);
		PASS(use_small(l.dev[i]));
		if (i == DEV_PLAIN) {
			l.refused += pz_dma_set_masks(l.dev[i], 0xfffffff >> 1) != 0;
			l.refused += pz_dma_set_masks(l.dev[i], 0xfffffff) != 0;
		}
		MUST(!pz_dma_check(l.dma) && !pz_bounce_check(l.bounce));
		MUST(!pz_dma_debug_check(l.debug));
	}
	for (unsigned int i = 0; i < DEVS; i++) {
		MUST(!pz_dma_dev_destroy(l.dev[i]));
		l.dev[i] = NULL;
	}
	if (l.dma)
		(void)pz_dma_work(l.dma, 0);
	return NULL;
}

/* Everything goes; what the layer lost is all that is missing. */
static const char *life_end(void)
{
	struct pz_dma_debug_stat s;
	struct pz_bounce_stat stat;
	uint64_t lost = pz_dma_lost(l.dma);

	for (unsigned int i = 0; i < DEVS; i++)
		MUST(!pz_dma_dev_destroy(l.dev[i]));
	MUST(!pz_dma_destroy(l.dma));
	(void)pz_bounce_trim(l.bounce, 0);
	pz_bounce_stat(l.bounce, &stat);
	lost += stat.lost;
	MUST(!pz_bounce_destroy(l.bounce));
	pz_dma_debug_stat(l.debug, &s);
	MUST(!s.errors && s.free == s.entries);
	pz_dma_debug_destroy(l.debug);
	MUST(!lost || hook.what == FAULT_SHARE);
	MUST(hook.live == 0);
	MUST(pz_page_free_count(world.pages, UINT32_MAX) + lost / DMA_PAGE == world.free);
	MUST(!pz_pages_check(world.pages));
	return NULL;
}

static const char *fault_at(enum fault what, uint64_t at, bool *more)
{
	uint32_t point = PZ_FAULT_ANY;

	hook.what = what;
	hook.calls = 0;
	hook.at = at;
	if (what >= FAULT_PAGES) {
		MUST(!pz_fault_find(&l.faults, fault_names[what], &point));
		MUST(!pz_fault_arm(&l.faults, point, at, 1));
		hook.at = 0;
	}
	hook.failed = 0;
	l.refused = 0;
	l.refused += life_make();
	if (l.dma)
		PASS(life_use());
	*more = hook.failed;
	if (what >= FAULT_PAGES) {
		*more = l.points[point].failed;
		(void)pz_fault_arm(&l.faults, point, 0, 0);
	}
	hook.at = 0;
	MUST(*more || !l.refused);
	/* What unmapping could not write back, and memory that stays shared, is told. */
	if (what != FAULT_WINDOW && what != FAULT_SHARE)
		MUST(!world.bugs.count);
	world.bugs.count = 0;
	/* And nothing fails any more. */
	l.refused = 0;
	MUST(!life_make());
	PASS(life_use());
	MUST(!l.refused && !world.bugs.count);
	return life_end();
}

/* Kinds of machines: as it is, memory that is not mapped, memory that is private. */
static const char *life_open(unsigned int kind)
{
	PASS(dma_world_make());
	world.high_unmapped = kind == 1;
	world.encrypted = kind == 2;
	world.may_block = true;
	world.bugs.count = 0;
	memset(&l, 0, sizeof(l));
	pz_faults_init(&l.faults, l.points, POINTS);
	for (unsigned int i = FAULT_PAGES; i < FAULTS; i++) {
		uint32_t id;

		MUST(!pz_fault_add(&l.faults, fault_names[i], &id));
	}
	return NULL;
}

static uint64_t counts[FAULTS]; /* of all kinds of machines */

static bool swept(struct prop *p, void *ctx)
{
	(void)ctx;
	dma_world_drop();
	memset(&hook, 0, sizeof(hook));
	for (unsigned int kind = 0; kind < 3; kind++) {
		for (unsigned int what = 0; what < FAULTS; what++) {
			bool more = true;

			for (uint64_t at = 1; more; at++) {
				const char *wrong = life_open(kind);

				if (!wrong)
					wrong = fault_at((enum fault)what, at, &more);
				if (wrong) {
					prop_note(p, "machine %u, %s, call %llu: %s", kind,
						  fault_names[what], (unsigned long long)at, wrong);
					return false;
				}
				if (what == FAULT_SHARE && kind == 2)
					dma_world_drop();
				counts[what] += more;
			}
		}
	}
	for (unsigned int what = 0; what < FAULTS; what++) {
		if (counts[what] < 3)
			prop_note(p, "%s failed %llu times", fault_names[what],
				  (unsigned long long)counts[what]);
		PROP_ASSERT(p, counts[what] >= 3);
	}
	dma_world_drop();
	return true;
}

int main(void)
{
	prop_run("each call of each kind fails once", swept, NULL, 1);
	return prop_done();
}
