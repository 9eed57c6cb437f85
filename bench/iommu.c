/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.c - an IOMMU's tables beside plain ones: the machine, the contenders, and the calls.
 *
 * All contenders are called through the same functions, which cost each a comparison. A physical
 * address is the iova with its uppermost bit changed, so that nothing is mapped to itself.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <physzone/dma_map.h>

#include "iommu.h"

#define SECOND_BYTES 1024u
#define TABLE_BITS 32u
#define LINE 64u
#define ELSEWHERE 0x80000000u
#define PROT (PZ_IOMMU_READ | PZ_IOMMU_WRITE)

struct iommu_machine iommu;

const char *const iommu_names[IOMMU_PROVIDERS + 1] = { "slab",	     "pages",	 "page_frag",
						       "frag-reuse", "gen_pool", "dma_pool",
						       NULL };

void iommu_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: no %s\n", what);
	exit(1);
}

static void *iommu_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
}

static void *iommu_zeroed(void *ctx, size_t size)
{
	void *p = iommu_malloc(ctx, size);

	if (p)
		memset(p, 0, size);
	return p;
}

static void iommu_mfree(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta iommu_meta = { iommu_malloc, iommu_mfree, NULL };
static const struct pz_meta iommu_zero = { iommu_zeroed, iommu_mfree, NULL };

static void *iommu_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return iommu.m.arena + phys;
}

/* Stands for cleaning lines: they are counted only. */
static void iommu_clean(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	(void)ctx;
	(void)dir;
	iommu.cleaned++;
	iommu.lines += (phys + bytes - 1) / LINE - phys / LINE + 1;
}

static void iommu_dma(void)
{
	struct pz_dma_config cfg = { .cma = PZ_DMA_NO_CMA, .pool_bytes = UINT64_MAX };
	struct pz_dma_dev_config dev;

	cfg.pages = iommu.m.pages;
	cfg.meta = &iommu_meta;
	cfg.bugs = &iommu.m.bugs;
	cfg.cpus = BENCH_THREADS;
	cfg.hooks.direct = iommu_direct;
	cfg.hooks.for_device = iommu_clean;
	iommu_need(!pz_dma_create(&iommu.dma, &cfg), "DMA layer");
	pz_dma_dev_init(&dev, "near", TABLE_BITS);
	iommu_need(!pz_dma_dev_create(&iommu.near, iommu.dma, &dev), "walker");
	pz_dma_dev_init(&dev, "far", TABLE_BITS);
	dev.coherent = false;
	iommu_need(!pz_dma_dev_create(&iommu.far, iommu.dma, &dev), "walker");
}

static void iommu_sources(void)
{
	struct pz_table_source_config cfg = { .pages = iommu.m.pages, .virt = iommu.m.arena };
	struct pz_table_dma_config dma = { .dev = iommu.near };
	struct pz_table_pool_config pool = { 0 };
	struct pz_table_source **s = iommu.source;

	cfg.mapped.last = UINT32_MAX;
	pz_v7s_table_limits(0, TABLE_BITS, &cfg.limits);
	cfg.meta = &iommu_meta;
	cfg.bugs = &iommu.m.bugs;
	iommu_need(!pz_table_slab_create(&s[IOMMU_SLAB], &cfg, iommu.m.slabs, 0, NULL) &&
			   !pz_table_pages_create(&s[IOMMU_PAGES], &cfg, NULL) &&
			   !pz_table_frag_create(&s[IOMMU_FRAG], &cfg, 0, NULL) &&
			   !pz_table_frag_create(&s[IOMMU_FRAG_REUSE], &cfg, PZ_FRAG_REUSE, NULL) &&
			   !pz_table_pool_create(&s[IOMMU_POOL], &cfg, &pool, NULL) &&
			   !pz_table_dma_create(&s[IOMMU_DMA_POOL], &cfg, &dma, NULL),
		   "providers");
}

void iommu_open(void)
{
	iommu_need(slab_machine_make(&iommu.m), "machine");
	iommu.plain = slab_machine_cache(&iommu.m, "plain", SECOND_BYTES, TABLE_BITS, 0, 0);
	iommu_need(iommu.plain != NULL, "cache");
	iommu_dma();
	iommu_sources();
}

static void iommu_drain(void)
{
	for (unsigned int i = 0; i < BENCH_THREADS; i++)
		pz_slab_drain(iommu.m.slabs, i);
}

uint64_t iommu_held(enum iommu_provider p)
{
	struct pz_table_stat stat;

	for (unsigned int i = 0; i < BENCH_THREADS; i++)
		(void)pz_table_source_trim(iommu.source[p], i);
	pz_table_source_stat(iommu.source[p], &stat);
	return stat.held + stat.meta_bytes;
}

void iommu_close(void)
{
	iommu_drain();
	for (unsigned int i = 0; i < IOMMU_PROVIDERS; i++) {
		(void)iommu_held((enum iommu_provider)i);
		iommu_need(!pz_table_source_check(iommu.source[i]) &&
				   !pz_table_source_destroy(iommu.source[i]),
			   "end of a provider");
	}
	iommu_need(!pz_dma_dev_destroy(iommu.near) && !pz_dma_dev_destroy(iommu.far) &&
			   !pz_dma_destroy(iommu.dma),
		   "end of the DMA layer");
	iommu_need(!pz_kmem_cache_destroy(iommu.plain, NULL, NULL), "end of a cache");
	slab_machine_free(&iommu.m);
}

static void iommu_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule)
{
	struct iommu_gather *g = gather;

	(void)ctx;
	(void)granule;
	g->first = iova < g->first ? iova : g->first;
	g->last = iova + size - 1 > g->last ? iova + size - 1 : g->last;
}

static void iommu_flush(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	(void)ctx;
	(void)iova;
	(void)size;
	(void)granule;
}

void iommu_set_open(struct iommu_set *s, enum iommu_provider p, uint32_t quirks,
		    enum iommu_walk walk)
{
	struct pz_v7s_config cfg = { .ias = 32, .oas = 32, .quirks = quirks };

	memset(s, 0, sizeof(*s));
	cfg.mem = pz_table_source_mem(iommu.source[p]);
	cfg.coherent_walk = walk == IOMMU_COHERENT;
	cfg.dev = walk == IOMMU_COHERENT ? NULL : iommu.far;
	cfg.meta = &iommu_meta;
	cfg.zeroed = &iommu_zero;
	cfg.bugs = &iommu.m.bugs;
	cfg.tlb.add = iommu_add;
	cfg.tlb.flush_walk = iommu_flush;
	iommu_need(!pz_v7s_create(&s->t, &cfg, 0, 0, NULL), "tables");
}

void iommu_set_plain(struct iommu_set *s, bool give_back)
{
	memset(s, 0, sizeof(*s));
	iommu_need(plain_open(&s->plain, &iommu.m, iommu.plain), "plain tables");
	s->plain.give_back = give_back;
}

void iommu_set_close(struct iommu_set *s)
{
	if (s->t) {
		iommu_need(!pz_v7s_check(s->t), "sound tables");
		pz_v7s_destroy(s->t, 0);
	} else {
		plain_close(&s->plain, 0);
	}
}

static inline bool iommu_map(struct iommu_set *s, unsigned int thread, uint64_t iova,
			     const struct iommu_calls *c)
{
	uint64_t phys = iova ^ ELSEWHERE;

	if (!s->t)
		return plain_map(&s->plain, thread, iova, phys, c->bytes, PROT << 4,
				 c->page != PZ_V7S_4K && c->page != PZ_V7S_64K);
	if (c->page)
		return !pz_v7s_map_pages(s->t, thread, 0, iova, phys, c->page, c->bytes / c->page,
					 PROT);
	return !pz_v7s_map(s->t, thread, 0, iova, phys, c->bytes, PROT);
}

static inline bool iommu_unmap(struct iommu_set *s, unsigned int thread, uint64_t iova,
			       uint64_t bytes)
{
	if (s->t)
		return !pz_v7s_unmap(s->t, thread, 0, iova, bytes, 0, &s->gather[thread], NULL);
	plain_unmap(&s->plain, thread, iova, bytes);
	return true;
}

uint64_t iommu_sweep(struct bench_arg *arg)
{
	const struct iommu_work *w = arg->ctx;
	const struct iommu_calls *c = w->calls;
	uint64_t first = w->first[arg->thread], ops = c->outer * c->inner * c->ops;

	bench_lap_start(arg);
	for (uint64_t i = 0; i < c->outer; i++)
		for (uint64_t k = 0; k < c->inner; k++)
			if (!iommu_map(w->set, arg->thread, first + i * c->step + k * c->inner_step,
				       c))
				return 0;
	bench_lap_end(arg, ops);
	for (uint64_t i = 0; i < c->outer; i++)
		for (uint64_t k = 0; k < c->inner; k++)
			if (!iommu_unmap(w->set, arg->thread,
					 first + i * c->step + k * c->inner_step, c->bytes))
				return 0;
	bench_lap_end(arg, ops);
	return ops;
}

uint64_t iommu_pairs(struct bench_arg *arg)
{
	const struct iommu_work *w = arg->ctx;
	const struct iommu_calls *c = w->calls;
	uint64_t iova = w->first[arg->thread], n = 0;

	for (uint64_t i = 0, k = 0; n < arg->n; n++) {
		if (!iommu_map(w->set, arg->thread, iova, c) ||
		    !iommu_unmap(w->set, arg->thread, iova, c->bytes))
			return 0;
		iova += c->inner_step;
		if (++k == c->inner) {
			k = 0;
			i = i + 1 < c->outer ? i + 1 : 0;
			iova = w->first[arg->thread] + i * c->step;
		}
	}
	return n * c->ops;
}

uint64_t iommu_splits(struct bench_arg *arg)
{
	const struct iommu_work *w = arg->ctx;
	const struct iommu_calls *c = w->calls;
	uint64_t first = w->first[arg->thread];

	for (uint64_t i = 0; i < c->outer; i++)
		if (!iommu_map(w->set, arg->thread, first + i * c->step, c))
			return 0;
	bench_lap_start(arg);
	for (uint64_t i = 0; i < c->outer; i++)
		if (!iommu_unmap(w->set, arg->thread, first + i * c->step + PZ_V7S_4K, PZ_V7S_4K))
			return 0;
	bench_lap_end(arg, c->outer);
	/* The page that is gone comes back, so that all of it can go. */
	for (uint64_t i = 0; i < c->outer; i++) {
		uint64_t iova = first + i * c->step, hole = iova + PZ_V7S_4K;

		if (pz_v7s_map(w->set->t, arg->thread, 0, hole, hole ^ ELSEWHERE, PZ_V7S_4K,
			       PROT) ||
		    !iommu_unmap(w->set, arg->thread, iova, c->bytes))
			return 0;
	}
	return c->outer;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "sizes",  "lookup", "threads", "providers",
					     "walker", "memory", NULL };
	static const char *const what[] = {
		"map and unmap of each size, beside plain tables",
		"the address behind an iova",
		"two threads beside one",
		"tables from each provider",
		"a walker that is not coherent",
		"bytes held",
	};
	static void (*const run[])(void) = { iommu_sizes,     iommu_lookups, iommu_threads,
					     iommu_providers, iommu_walker,  iommu_memory };
	int status = bench_begin(argc, argv, names, what);

	if (status >= 0)
		return status;
	iommu_open();
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	iommu_close();
	return bench_finish();
}
