/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool.c - small coherent objects beside objects of a cache, in the same runs.
 *
 * A pair is one allocated and freed; a batch is 64 allocated, then freed, for each of them.
 */
#include <physzone/dma_pool.h>

#include "dma.h"

#define POOL_BATCH 64u

struct pool_work {
	struct pz_dma_pool *pool;
	struct pz_kmem_cache *cache;
};

static uint64_t pool_pair(struct bench_arg *arg)
{
	struct pool_work *w = arg->ctx;
	uint64_t bus;

	for (uint64_t i = 0; i < arg->n; i++) {
		void *p = pz_dma_pool_alloc(w->pool, arg->thread, 0, &bus);

		if (!p)
			return 0;
		pz_dma_pool_free(w->pool, arg->thread, p, bus);
	}
	return arg->n;
}

static uint64_t cache_pair(struct bench_arg *arg)
{
	struct pool_work *w = arg->ctx;

	for (uint64_t i = 0; i < arg->n; i++) {
		void *p = pz_kmem_cache_alloc(w->cache, arg->thread, 0);

		if (!p)
			return 0;
		pz_kmem_cache_free(w->cache, arg->thread, p);
	}
	return arg->n;
}

static uint64_t pool_batch(struct bench_arg *arg)
{
	struct pool_work *w = arg->ctx;
	uint64_t bus[POOL_BATCH], rounds = arg->n / POOL_BATCH + 1;
	void *p[POOL_BATCH];

	for (uint64_t i = 0; i < rounds; i++) {
		for (unsigned int k = 0; k < POOL_BATCH; k++) {
			p[k] = pz_dma_pool_alloc(w->pool, arg->thread, 0, &bus[k]);
			if (!p[k])
				return 0;
		}
		for (unsigned int k = 0; k < POOL_BATCH; k++)
			pz_dma_pool_free(w->pool, arg->thread, p[k], bus[k]);
	}
	return rounds * POOL_BATCH;
}

static uint64_t cache_batch(struct bench_arg *arg)
{
	struct pool_work *w = arg->ctx;
	uint64_t rounds = arg->n / POOL_BATCH + 1;
	void *p[POOL_BATCH];

	for (uint64_t i = 0; i < rounds; i++) {
		for (unsigned int k = 0; k < POOL_BATCH; k++) {
			p[k] = pz_kmem_cache_alloc(w->cache, arg->thread, 0);
			if (!p[k])
				return 0;
		}
		for (unsigned int k = 0; k < POOL_BATCH; k++)
			pz_kmem_cache_free(w->cache, arg->thread, p[k]);
	}
	return rounds * POOL_BATCH;
}

enum pool_col { P_PAIR, P_CACHE_PAIR, P_BATCH, P_CACHE_BATCH, P_COLS };

static void pool_row(struct bench_table *t, struct pool_work *w, struct dma_bench *b,
		     struct pz_dma_dev *dev, uint32_t size, uint32_t boundary, unsigned int threads)
{
	struct pz_dma_pool_config cfg = {
		.name = "bench", .size = size, .align = size & (~size + 1), .boundary = boundary
	};

	dma_need(!pz_dma_pool_create(&w->pool, dev, &cfg, NULL), "pool");
	w->cache = slab_machine_cache(&b->m, "bench", size, 32, 0, 0);
	dma_need(w->cache != NULL, "cache");
	bench_row(t, "%u bytes%s, %u thread%s", size, boundary ? ", with a boundary" : "", threads,
		  threads > 1 ? "s" : "");
	bench_cell(t, P_PAIR, pool_pair, w, threads, 0, 1);
	bench_cell(t, P_CACHE_PAIR, cache_pair, w, threads, 0, 1);
	bench_cell(t, P_BATCH, pool_batch, w, threads, 0, 1);
	bench_cell(t, P_CACHE_BATCH, cache_batch, w, threads, 0, 1);
	bench_run(t);
	dma_need(!pz_dma_pool_check(w->pool) && !pz_dma_pool_destroy(w->pool, NULL, NULL),
		 "end of the pool");
	for (unsigned int i = 0; i < BENCH_THREADS; i++)
		pz_slab_drain(b->m.slabs, i);
	dma_need(!pz_kmem_cache_destroy(w->cache, NULL, NULL), "end of the cache");
}

void dma_pool_pairs(void)
{
	static const char *const cols[P_COLS + 1] = { "pair", "cache", "batch", "cache", NULL };
	static const struct {
		uint32_t size, boundary;
	} rows[] = { { 16, 0 },	   { 64, 0 },	{ 96, 0 },  { 64, 1024 },
		     { 96, 1024 }, { 1024, 0 }, { 4096, 0 } };
	struct bench_table *t =
		bench_table("pool", "small coherent objects beside a cache", "ns", cols, false);
	struct bench_worst pair = { 0 }, batch = { 0 };
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pool_work w;
	struct dma_bench b;

	dma_machine(&b);
	dma_open(&b, NULL);
	pz_dma_dev_init(&cfg, "bench", 32);
	dma_need(!pz_dma_dev_create(&dev, b.dma, &cfg), "device");
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			pool_row(t, &w, &b, dev, rows[i].size, rows[i].boundary, threads);
			bench_worse(&pair, bench_ratio(t, P_PAIR, P_CACHE_PAIR), true, "%u bytes",
				    rows[i].size);
			bench_worse(&batch, bench_ratio(t, P_BATCH, P_CACHE_BATCH), true,
				    "%u bytes", rows[i].size);
		}
	}
	bench_table_end(t);
	bench_target("pool", pair.value, 1, true, "times", "pair, to a cache's (%s)", pair.what);
	bench_remark("batch: at worst %.2f times a cache's (%s)", batch.value, batch.what);
	dma_need(!pz_dma_dev_destroy(dev), "end of the device");
	dma_close(&b);
}
