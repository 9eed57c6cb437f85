/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_map.c - streaming mappings: as they are, through bounce buffers beside memcpy() of the same
 * bytes, and of scatter lists.
 *
 * Memory that is bounced lies above 4 GiB, the buffers below, in 16 MiB that were set aside. A pair
 * is a mapping made and taken back. Bounced pairs walk through 4 MiB of memory, beyond what the
 * nearest caches hold, as buffers of disks and networks do; memcpy() walks alike and copies as
 * often: once for data that goes to a device, twice for data that comes from one.
 */
#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include "harness.h"
#include "slab_machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_ASIDE ((uint64_t)16 << 20)
#define MAP_MEMORY ((uint64_t)4 << 20) /* for each thread */
#define MAP_ELEMENTS 16u

static struct {
	struct slab_machine m;
	struct pz_bounce *bounce;
	struct pz_dma *dma;
	struct pz_dma_dev *wide, *narrow;
	uint64_t memory;		     /* physical: what is mapped */
	unsigned char *plain[BENCH_THREADS]; /* where memcpy() copies to */
} map;

static void map_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: no %s\n", what);
	exit(1);
}

static void *map_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return map.m.arena + phys;
}

static void *map_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void map_mfree(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta map_meta = { map_malloc, map_mfree, NULL };

static uint64_t map_pages(uint64_t bytes, unsigned int bits)
{
	struct pz_limits l = pz_limits_bits(bits);
	uint64_t pfn = 0;

	map_need(!pz_alloc_pages_exact(map.m.pages, 0, 0, bytes, &l, &pfn), "page frames");
	memset(map.m.arena + (pfn << 12), 1, bytes);
	return pfn << 12;
}

static struct pz_dma_dev *map_device(const char *name, unsigned int bits)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev = NULL;

	pz_dma_dev_init(&cfg, name, bits);
	map_need(!pz_dma_dev_create(&dev, map.dma, &cfg), "device");
	return dev;
}

static void map_open(void)
{
	struct pz_bounce_config bc;
	struct pz_dma_config dc;
	struct pz_range aside;

	map_need(slab_machine_make(&map.m), "machine");
	aside.first = map_pages(MAP_ASIDE, 32);
	aside.last = aside.first + MAP_ASIDE - 1;
	map.memory = map_pages(BENCH_THREADS * MAP_MEMORY, 64);
	memset(&bc, 0, sizeof(bc));
	memset(&dc, 0, sizeof(dc));
	bc.meta = dc.meta = &map_meta;
	bc.bugs = dc.bugs = &map.m.bugs;
	bc.ranges = &aside;
	bc.range_count = 1;
	bc.cpus = dc.cpus = BENCH_THREADS;
	bc.hooks.direct = dc.hooks.direct = map_direct;
	map_need(!pz_bounce_create(&map.bounce, &bc), "bounce buffers");
	dc.pages = map.m.pages;
	dc.cma = PZ_DMA_NO_CMA;
	dc.pool_bytes = UINT64_MAX;
	dc.bounce = map.bounce;
	map_need(!pz_dma_create(&map.dma, &dc), "layer");
	map.wide = map_device("wide", 64);
	map.narrow = map_device("narrow", 32);
	for (unsigned int i = 0; i < BENCH_THREADS; i++) {
		map.plain[i] = aligned_alloc(4096, 65536);
		map_need(map.plain[i], "memory");
		memset(map.plain[i], 0, 65536);
	}
}

static void map_close(void)
{
	pz_dma_dev_destroy(map.wide);
	pz_dma_dev_destroy(map.narrow);
	map_need(!pz_bounce_check(map.bounce), "sound bounce buffers");
	pz_dma_destroy(map.dma);
	map_need(!pz_bounce_destroy(map.bounce), "end of mappings");
	for (unsigned int i = 0; i < BENCH_THREADS; i++)
		free(map.plain[i]);
	slab_machine_free(&map.m);
}

struct map_work {
	uint64_t bytes;
	enum pz_dma_dir dir;
	struct pz_dma_dev *dev;
};

static uint64_t map_pair(struct bench_arg *arg)
{
	const struct map_work *w = arg->ctx;
	uint64_t first = map.memory + arg->thread * MAP_MEMORY, at = 0, bus;

	for (uint64_t i = 0; i < arg->n; i++) {
		bus = pz_dma_map(w->dev, arg->thread, first + at, w->bytes, w->dir, 0);
		if (bus == PZ_DMA_ERROR)
			return 0;
		pz_dma_unmap(w->dev, arg->thread, bus, w->bytes, w->dir, 0);
		at = (at + w->bytes) & (MAP_MEMORY - 1);
	}
	return arg->n;
}

static uint64_t map_memcpy(struct bench_arg *arg)
{
	const struct map_work *w = arg->ctx;
	unsigned char *first = map.m.arena + map.memory + arg->thread * MAP_MEMORY;
	unsigned char *to = map.plain[arg->thread];
	uint64_t at = 0;

	for (uint64_t i = 0; i < arg->n; i++) {
		memcpy(to, first + at, w->bytes);
		__asm__ volatile("" : : "r"(to) : "memory");
		if (w->dir == PZ_DMA_FROM_DEVICE)
			memcpy(first + at, to, w->bytes);
		__asm__ volatile("" : : "r"(first) : "memory");
		at = (at + w->bytes) & (MAP_MEMORY - 1);
	}
	return arg->n;
}

/* A list of pages: every other one, so that none follow each other. */
static uint64_t map_sg(struct bench_arg *arg)
{
	const struct map_work *w = arg->ctx;
	struct pz_sg sg[MAP_ELEMENTS];
	uint32_t n;

	for (uint32_t i = 0; i < MAP_ELEMENTS; i++) {
		sg[i].phys = map.memory + arg->thread * MAP_MEMORY + 2 * i * w->bytes;
		sg[i].len = w->bytes;
	}
	for (uint64_t i = 0; i < arg->n; i++) {
		if (pz_dma_map_sg(w->dev, arg->thread, sg, MAP_ELEMENTS, w->dir, 0, &n))
			return 0;
		pz_dma_unmap_sg(w->dev, arg->thread, sg, MAP_ELEMENTS, w->dir, 0);
	}
	return arg->n;
}

/* Pairs by each number of threads; one thread's is to take at most @most compare-and-exchanges. */
static void map_pairs(const char *name, const char *title, struct map_work *w, double most,
		      const char *target)
{
	static const char *const cols[] = { "map+unmap", NULL };
	struct bench_table *t = bench_table(name, title, "ns", cols, true);

	for (unsigned int threads = 1; threads <= bench_opts.cpus && threads <= BENCH_THREADS;
	     threads++) {
		bench_row(t, "%u thread%s", threads, threads > 1 ? "s" : "");
		bench_cell(t, 0, map_pair, w, threads, 0, 1);
		bench_run(t);
		/* The floor is two compare-and-exchanges. */
		if (threads == 1)
			bench_target(name, bench_get(t, 0).floors * 2, most, true,
				     "compare-and-exchanges", "%s", target);
	}
	bench_table_end(t);
}

static void map_direct_case(void)
{
	struct map_work w = { 4096, PZ_DMA_BIDIRECTIONAL, map.wide };

	map_pairs("direct", "memory that the device reaches", &w, 4,
		  "a mapping made and taken back");
}

static void map_bounced_case(void)
{
	static const char *const cols[] = { "bounced", "memcpy", NULL };
	static const uint64_t sizes[] = { 256, 4096, 16384, 65536 };
	static const char *const dirs[] = { "both", "to the device", "from the device" };
	struct bench_table *t = bench_table(
		"bounced", "memory that the device does not reach, per mapping", "ns", cols, true);
	struct bench_worst worst = { 0 };

	for (unsigned int k = 0; k < 16; k++) {
		struct map_work w = { sizes[k % 4],
				      k / 4 % 2 ? PZ_DMA_FROM_DEVICE : PZ_DMA_TO_DEVICE,
				      map.narrow };
		unsigned int threads = 1 + k / 8;

		if (threads > bench_opts.cpus)
			break;
		bench_row(t, "%u bytes %s, %u thread%s", (unsigned int)w.bytes, dirs[w.dir],
			  threads, threads > 1 ? "s" : "");
		bench_cell(t, 0, map_pair, &w, threads, 0, 1);
		bench_cell(t, 1, map_memcpy, &w, threads, 0, 1);
		bench_run(t);
		if (w.bytes >= 4096)
			bench_worse(&worst, 100 * bench_ratio(t, 1, 0), false, "%u bytes %s",
				    (unsigned int)w.bytes, dirs[w.dir]);
	}
	bench_target("bounced", worst.any ? worst.value : NAN, 80, false, "%",
		     "of memcpy()'s throughput, 4 KiB to 64 KiB, the worst: %s", worst.what);
	bench_table_end(t);
}

/* What a bounced mapping costs beside the copying. */
static void map_slots_case(void)
{
	struct map_work w = { 1, PZ_DMA_TO_DEVICE, map.narrow };

	map_pairs("slots", "a bounced mapping of one byte", &w, 12,
		  "taking slots and giving them back");
}

static void map_sg_case(void)
{
	static const char *const cols[] = { "direct", "bounced", NULL };
	struct bench_table *t = bench_table("sg", "lists of 16 elements of 4 KiB, apart, per list",
					    "ns", cols, true);
	struct map_work direct = { 4096, PZ_DMA_TO_DEVICE, map.wide };
	struct map_work bounced = { 4096, PZ_DMA_TO_DEVICE, map.narrow };

	for (unsigned int threads = 1; threads <= bench_opts.cpus && threads <= BENCH_THREADS;
	     threads++) {
		bench_row(t, "%u thread%s", threads, threads > 1 ? "s" : "");
		bench_cell(t, 0, map_sg, &direct, threads, 0, 1);
		bench_cell(t, 1, map_sg, &bounced, threads, 0, 1);
		bench_run(t);
	}
	bench_table_end(t);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "direct", "slots", "bounced", "sg", NULL };
	static const char *const what[] = {
		"mappings of memory in reach",
		"bounced mappings without the copying",
		"bounced mappings beside memcpy()",
		"scatter lists",
	};
	static void (*const run[])(void) = { map_direct_case, map_slots_case, map_bounced_case,
					     map_sg_case };
	int status = bench_begin(argc, argv, names, what);

	if (status >= 0)
		return status;
	map_open();
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	map_close();
	return bench_finish();
}
