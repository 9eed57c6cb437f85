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

static const struct pz_meta dma_meta = { dma_malloc, dma_release, NULL };

static void *dma_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	const struct slab_machine *m = ctx;

	(void)bytes;
	return m->arena + phys;
}

void dma_open(struct dma_bench *b, bool hold)
{
	struct pz_dma_config cfg = { 0 };

	memset(b, 0, sizeof(*b));
	dma_need(slab_machine_make(&b->m), "machine");
	cfg.pages = b->m.pages;
	cfg.meta = &dma_meta;
	cfg.bugs = &b->m.bugs;
	cfg.cpus = BENCH_THREADS;
	cfg.cma = PZ_DMA_NO_CMA;
	cfg.hold = hold;
	cfg.hooks.direct = dma_direct;
	cfg.hooks.ctx = &b->m;
	dma_need(!pz_dma_create(&b->dma, &cfg), "DMA layer");
}

void dma_close(struct dma_bench *b)
{
	dma_need(!pz_dma_destroy(b->dma), "end of the DMA layer");
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

/* The same memory zeroed. */
static uint64_t dma_zero(struct bench_arg *arg)
{
	struct dma_work *w = arg->ctx;

	for (uint64_t i = 0; i < arg->n; i++) {
		memset(w->memory, 0, w->bytes);
		__asm__ volatile("" : : "r"(w->memory) : "memory");
	}
	return arg->n;
}

enum dma_col { D_PAIR, D_ZERO, D_COLS };
static const char *const dma_cols[D_COLS + 1] = { "pair", "zeroing", NULL };

static void dma_row(struct bench_table *t, struct dma_work *w, const char *what)
{
	struct pz_dma_buf buf;

	dma_need(!pz_dma_alloc(w->dev, 0, PZ_GFP_BLOCK, 0, w->bytes, &buf), "buffer");
	w->memory = buf.cpu_addr;
	bench_row(t, "%s", what);
	bench_cell(t, D_PAIR, dma_pair, w, 1, 0, 1);
	bench_cell(t, D_ZERO, dma_zero, w, 1, 0, 1);
	bench_run(t);
	pz_dma_free(w->dev, 0, &buf);
}

static void dma_coherent(void)
{
	static const struct {
		const char *what;
		uint64_t bytes;
		unsigned int bits;
	} row[] = {
		{ "4 KiB, 64 bits", 4096, 64 },	    { "4 KiB, 32 bits", 4096, 32 },
		{ "4 KiB, 30 bits", 4096, 30 },	    { "64 KiB, 32 bits", 65536, 32 },
		{ "1 MiB, 32 bits", 1u << 20, 32 },
	};
	struct bench_table *t = bench_table("coherent", "a coherent buffer", "ns", dma_cols, false);
	struct bench_worst worst = { 0 };
	struct dma_bench b;

	dma_open(&b, true);
	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct dma_work w = { .gfp = PZ_GFP_BLOCK, .bytes = row[i].bytes };
		struct pz_dma_dev_config cfg;

		pz_dma_dev_init(&cfg, "bench", row[i].bits);
		dma_need(!pz_dma_dev_create(&w.dev, b.dma, &cfg), "device");
		dma_row(t, &w, row[i].what);
		if (row[i].bytes == 4096)
			bench_worse(&worst, bench_ratio(t, D_PAIR, D_ZERO), true, "%s",
				    row[i].what);
		dma_need(!pz_dma_dev_destroy(w.dev), "end of the device");
	}
	bench_table_end(t);
	bench_target("coherent 4 KiB", worst.value, 1.3, true, "of zeroing", "%s", worst.what);
	dma_close(&b);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "coherent", NULL };
	static const char *const what[] = { "buffers beside zeroing them" };
	static void (*const run[])(void) = { dma_coherent };
	int status = bench_begin(argc, argv, names, what);

	if (status >= 0)
		return status;
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	return bench_finish();
}
