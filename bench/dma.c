/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.c - coherent buffers beside the zeroing that each of them begins with.
 *
 * A pair is a buffer allocated and freed. "zeroing" writes zeroes to memory that was just there, as
 * the buffer is that the pair gets; it is measured in the same runs.
 */
#include "dma.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dma_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: no %s\n", what);
	exit(1);
}

static void *dma_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return aligned_alloc(64, (size + 64) & ~(size_t)63);
}

static void dma_release(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

const struct pz_meta dma_meta = { dma_malloc, dma_release, NULL };

static void *dma_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	const struct dma_bench *b = ctx;

	(void)bytes;
	return b->m.arena + phys;
}

static void *dma_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	(void)attrs;
	(void)cached;
	return dma_direct(ctx, phys, bytes);
}

static void dma_unmap(void *ctx, void *p, uint64_t bytes)
{
	(void)ctx;
	(void)p;
	(void)bytes;
}

void dma_machine(struct dma_bench *b)
{
	memset(b, 0, sizeof(*b));
	dma_need(slab_machine_make(&b->m), "machine");
}

void dma_open(struct dma_bench *b, const struct pz_dma_config *as)
{
	struct pz_dma_config cfg = { .cma = PZ_DMA_NO_CMA };

	if (as)
		cfg = *as;
	cfg.pages = b->m.pages;
	cfg.meta = &dma_meta;
	cfg.bugs = &b->m.bugs;
	cfg.cpus = BENCH_THREADS;
	cfg.hooks.direct = dma_direct;
	cfg.hooks.remap = dma_remap;
	cfg.hooks.unmap = dma_unmap;
	cfg.hooks.ctx = b;
	dma_need(!pz_dma_create(&b->dma, &cfg), "DMA layer");
}

void dma_close(struct dma_bench *b)
{
	dma_need(!pz_dma_check(b->dma) && !pz_dma_destroy(b->dma), "end of the DMA layer");
	slab_machine_free(&b->m);
}

/* A buffer allocated and freed. */
static uint64_t dma_pair(struct bench_arg *arg)
{
	struct dma_work *w = arg->ctx;
	struct pz_dma_buf buf;

	for (uint64_t i = 0; i < arg->n; i++) {
		if (pz_dma_alloc(w->dev, arg->thread, w->gfp, 0, w->bytes, &buf))
			return 0;
		pz_dma_free(w->dev, arg->thread, &buf);
	}
	return arg->n;
}

/* Many buffers allocated, then freed. */
static uint64_t dma_ring(struct bench_arg *arg)
{
	struct dma_work *w = arg->ctx;
	struct pz_dma_buf buf[DMA_RING];

	for (uint64_t i = 0; i < arg->n; i += DMA_RING) {
		for (unsigned int k = 0; k < DMA_RING; k++) {
			if (pz_dma_alloc(w->dev, arg->thread, w->gfp, 0, w->bytes, &buf[k]))
				return 0;
		}
		for (unsigned int k = 0; k < DMA_RING; k++)
			pz_dma_free(w->dev, arg->thread, &buf[k]);
	}
	return (arg->n + DMA_RING - 1) / DMA_RING * DMA_RING;
}

/* Memory zeroed, @count pieces of it in turn. */
static uint64_t dma_zero(struct bench_arg *arg)
{
	struct dma_work *w = arg->ctx;

	for (uint64_t i = 0, k = 0; i < arg->n; i++) {
		void *p = w->memory[k];

		k = k + 1 < w->count ? k + 1 : 0;
		memset(p, 0, w->bytes);
		__asm__ volatile("" : : "r"(p) : "memory");
	}
	return arg->n;
}

enum dma_col { D_PAIR, D_ZERO, D_COLS };
static const char *const dma_cols[D_COLS + 1] = { "pair", "zeroing", NULL };

/* Pairs of one buffer, or of many, beside zeroing what they get. */
static double dma_row(struct bench_table *t, struct dma_work *w, const char *what)
{
	struct pz_dma_buf buf[DMA_RING];

	for (unsigned int k = 0; k < w->count; k++) {
		dma_need(!pz_dma_alloc(w->dev, 0, w->gfp, 0, w->bytes, &buf[k]), "buffer");
		w->memory[k] = buf[k].cpu_addr;
	}
	for (unsigned int k = 0; k < w->count; k++)
		pz_dma_free(w->dev, 0, &buf[k]);
	bench_row(t, "%s", what);
	bench_cell(t, D_PAIR, w->count > 1 ? dma_ring : dma_pair, w, 1, 0, 1);
	bench_cell(t, D_ZERO, dma_zero, w, 1, 0, 1);
	bench_run(t);
	return bench_ratio(t, D_PAIR, D_ZERO);
}

static void dma_coherent(void)
{
	static const struct {
		const char *what;
		uint64_t bytes;
		unsigned int bits, count;
		bool hold;
	} row[] = {
		{ "4 KiB, 32 bits, held", 4096, 32, 1, true },
		{ "4 KiB, 64 bits, held", 4096, 64, 1, true },
		{ "4 KiB, 64 bits", 4096, 64, 1, false },
		{ "4 KiB, 30 bits", 4096, 30, 1, false },
		{ "4 KiB, 30 bits, 256 in turn", 4096, 30, DMA_RING, false },
		{ "64 KiB, 32 bits", 65536, 32, 1, false },
		{ "1 MiB, 32 bits", 1u << 20, 32, 1, false },
	};
	struct bench_table *t = bench_table("coherent", "a coherent buffer", "ns", dma_cols, false);

	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct pz_dma_config as = { .cma = PZ_DMA_NO_CMA, .hold = row[i].hold };
		static struct dma_work w;
		struct pz_dma_dev_config cfg;
		struct dma_bench b;
		double ratio;

		dma_machine(&b);
		dma_open(&b, &as);
		w.gfp = PZ_GFP_BLOCK;
		w.bytes = row[i].bytes;
		w.count = row[i].count;
		pz_dma_dev_init(&cfg, "bench", row[i].bits);
		dma_need(!pz_dma_dev_create(&w.dev, b.dma, &cfg), "device");
		ratio = dma_row(t, &w, row[i].what);
		if (row[i].bytes == 4096 && (row[i].hold || row[i].count > 1))
			bench_target("coherent buffer", ratio, 1.3, true, "of zeroing", "%s",
				     row[i].what);
		dma_need(!pz_dma_dev_destroy(w.dev), "end of the device");
		dma_close(&b);
	}
	bench_table_end(t);
}

/* Out of a pool for contexts that may not block. */
static void dma_atomic(void)
{
	static const uint64_t bytes[] = { 4096, 16384, 65536 };
	struct bench_table *t = bench_table(
		"atomic", "a buffer that must be mapped, in a context that may not block", "ns",
		dma_cols, false);
	struct pz_dma_dev_config cfg;
	static struct dma_work w;
	struct dma_bench b;

	dma_machine(&b);
	dma_open(&b, NULL);
	pz_dma_dev_init(&cfg, "bench", 32);
	cfg.coherent = false;
	dma_need(!pz_dma_dev_create(&w.dev, b.dma, &cfg), "device");
	w.count = 1;
	for (unsigned int i = 0; i < 3; i++) {
		char what[32];

		w.bytes = bytes[i];
		snprintf(what, sizeof(what), "%u KiB", (unsigned int)(bytes[i] >> 10));
		(void)dma_row(t, &w, what);
	}
	bench_table_end(t);
	dma_need(!pz_dma_dev_destroy(w.dev), "end of the device");
	dma_close(&b);
}

/* Movable pages of somebody who moves them at once, and remembers where they were. */
static enum pz_migrate dma_move(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	struct dma_lent *l = ctx;

	if (l->moved == DMA_MOVED || order)
		return PZ_MIGRATE_NO;
	memcpy(l->b->m.arena + (to << 12), l->b->m.arena + (from << 12), 4096);
	l->from[l->moved] = from;
	l->to[l->moved++] = to;
	return PZ_MIGRATE_YES;
}

static void dma_lend_page(struct dma_lent *l, uint64_t pfn)
{
	uint32_t gfp = PZ_GFP_MOVABLE | PZ_GFP_OWNER(l->owner);
	struct pz_limits one = PZ_LIMITS_ANY;
	uint64_t got;

	one.min_addr = pfn << 12;
	one.max_addr = one.min_addr + 4095;
	dma_need(!pz_alloc_pages(l->b->m.pages, 0, gfp, 0, &one, &got), "page of the area");
}

/* Lend @percent of the area's pages, evenly; take all back. */
static void dma_lend(struct dma_lent *l, unsigned int percent)
{
	uint64_t n = l->pages * percent / 100;

	for (uint64_t i = 0; i < l->pages; i++) {
		if ((i + 1) * n / l->pages != i * n / l->pages)
			dma_lend_page(l, l->first + i);
	}
}

static void dma_unlend(struct dma_lent *l)
{
	struct pz_page_info info;

	for (uint64_t i = 0; i < l->pages; i++) {
		pz_page_info(l->b->m.pages, l->first + i, &info);
		if (info.state == PZ_PAGE_HEAD)
			pz_free_pages(l->b->m.pages, 0, l->first + i, 0);
	}
}

/* What was moved out goes back to where it was; not timed. */
static uint64_t dma_cma_pair(struct bench_arg *arg)
{
	struct dma_work *w = arg->ctx;
	struct dma_lent *l = w->lent;
	struct pz_dma_buf buf;

	for (uint64_t i = 0; i < arg->n; i++) {
		bench_lap_start(arg);
		if (pz_dma_alloc(w->dev, arg->thread, PZ_GFP_BLOCK, 0, w->bytes, &buf) ||
		    buf.from != PZ_DMA_FROM_CMA)
			return 0;
		pz_dma_free(w->dev, arg->thread, &buf);
		bench_lap_end(arg, 1);
		while (l->moved) {
			pz_free_pages(l->b->m.pages, 0, l->to[--l->moved], 0);
			dma_lend_page(l, l->from[l->moved]);
		}
	}
	return arg->n;
}

/* A contiguous area of 64 MiB, of which more and more is lent. */
static void dma_cma(void)
{
	static const char *const cols[] = { "pair", NULL };
	static const unsigned int percent[] = { 0, 25, 50, 75, 95 };
	struct bench_table *t = bench_table(
		"cma", "a buffer of 1 MiB out of a contiguous area of 64 MiB, partly lent", "ns",
		cols, false);
	struct pz_dma_config as = { .cma = 0 };
	struct pz_dma_dev_config cfg;
	struct pz_page_owner owner = { .name = "bench", .migrate = dma_move };
	static struct dma_work w;
	struct dma_bench b;
	static struct dma_lent lent;

	memset(&b, 0, sizeof(b));
	dma_need(slab_machine_make_area(&b.m, (uint64_t)64 << 20), "machine with an area");
	as.cma = b.m.area_id;
	lent.b = &b;
	lent.first = b.m.area.range.first >> 12;
	lent.pages = (b.m.area.range.last - b.m.area.range.first + 1) >> 12;
	dma_open(&b, &as);
	owner.ctx = &lent;
	dma_need(!pz_page_owner_add(b.m.pages, &owner, &lent.owner), "owner");
	pz_dma_dev_init(&cfg, "bench", 32);
	dma_need(!pz_dma_dev_create(&w.dev, b.dma, &cfg), "device");
	w.bytes = 1u << 20;
	w.lent = &lent;
	for (unsigned int i = 0; i < 5; i++) {
		dma_lend(&lent, percent[i]);
		bench_row(t, "%u %% lent", percent[i]);
		bench_cell(t, 0, dma_cma_pair, &w, 1, 0, 1);
		bench_run(t);
		dma_unlend(&lent);
	}
	bench_table_end(t);
	dma_need(!pz_dma_dev_destroy(w.dev), "end of the device");
	dma_close(&b);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "coherent", "atomic",   "cma",
					     "pool",	 "capacity", NULL };
	static const char *const what[] = {
		"buffers beside zeroing them",
		"buffers out of a pool that is kept ready",
		"buffers out of a contiguous area that is lent",
		"small objects beside a cache's",
		"MiB that limited devices get, under Linux and here",
	};
	static void (*const run[])(void) = { dma_coherent, dma_atomic, dma_cma, dma_pool_pairs,
					     dma_capacity };
	int status = bench_begin(argc, argv, names, what);

	if (status >= 0)
		return status;
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	return bench_finish();
}
