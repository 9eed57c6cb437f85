/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_rows.c - the rows of the benchmarks of an IOMMU's tables.
 *
 * Tables are warm: what a row maps was mapped there before. Times of one call hold about 1 ns of
 * the clock in the rows with few calls (16 MiB, mixed).
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "iommu.h"

#define KIB ((uint64_t)1 << 10)
#define MIB IOMMU_MEG
#define HALF (2 * IOMMU_GIG) /* of the address space, for each of two threads */

/* What Linux 6.1 took, on another machine: docs/performance.md. */
#define LINUX_MAP_4K 21
#define LINUX_MAP_4K_FLOORS 4.3 /* of 4.9 ns there */
#define PAGE_IN_CALL 10
#define LOOKUP 10

enum { C_4K, C_4K_APART, C_64K, C_1M, C_16M, C_16, C_256, C_256_MIDDLE, C_RUN_64K, C_MIXED };

static const struct iommu_calls iommu_calls[] = {
	[C_4K] = { "4 KiB", PZ_V7S_4K, PZ_V7S_4K, 64, MIB, 256, PZ_V7S_4K, 1 },
	[C_4K_APART] = { "4 KiB, a MiB apart", PZ_V7S_4K, PZ_V7S_4K, 64, PZ_V7S_4K, 256, MIB, 1 },
	[C_64K] = { "64 KiB", PZ_V7S_64K, PZ_V7S_64K, 256, MIB, 16, PZ_V7S_64K, 1 },
	[C_1M] = { "1 MiB", PZ_V7S_1M, MIB, 1, 0, 2048, MIB, 1 },
	[C_16M] = { "16 MiB", PZ_V7S_16M, 16 * MIB, 1, 0, 128, 16 * MIB, 1 },
	[C_16] = { "16 of 4 KiB, a page", PZ_V7S_4K, 64 * KIB, 256, MIB, 16, PZ_V7S_64K, 16 },
	[C_256] = { "256 of 4 KiB, a page", PZ_V7S_4K, MIB, 1, 0, 256, MIB, 256 },
	/* Each begins in the middle of a MiB, so that no table goes back. */
	[C_256_MIDDLE] = { "256 in two tables, a page", PZ_V7S_4K, MIB, 1, 0, 256, MIB, 256 },
	[C_RUN_64K] = { "16 of 64 KiB, a page", PZ_V7S_64K, MIB, 1, 0, 256, MIB, 16 },
	/* 4 KiB, 64 KiB, 1 MiB, 16 MiB, and down again. */
	[C_MIXED] = { "a range of all sizes", 0, 18 * MIB + 136 * KIB, 1, 0, 60, 32 * MIB, 1 },
};

#define CALLS (sizeof(iommu_calls) / sizeof(iommu_calls[0]))

/* Where the calls of a thread begin. */
static void iommu_place(struct iommu_work *w, unsigned int what)
{
	w->calls = &iommu_calls[what];
	for (unsigned int i = 0; i < BENCH_THREADS; i++) {
		w->first[i] = i * HALF;
		if (what == C_256_MIDDLE)
			w->first[i] += MIB / 2;
		if (what == C_MIXED)
			w->first[i] += 15 * MIB - 68 * KIB;
	}
}

enum { S_MAP, S_UNMAP, S_PLAIN_MAP, S_PLAIN_UNMAP, S_MAP_RATIO, S_UNMAP_RATIO, S_COLS };

static void iommu_size_targets(struct bench_table *t, unsigned int what)
{
	double map = bench_get(t, S_MAP).median, unmap = bench_get(t, S_UNMAP).median;

	if (what == C_4K) {
		bench_target("sizes", map, LINUX_MAP_4K, true, "ns", "a page of 4 KiB mapped");
		bench_target("sizes", bench_get(t, S_MAP).floors, LINUX_MAP_4K_FLOORS, true,
			     "floors", "the same");
	}
	if (what == C_256)
		bench_target("sizes", map > unmap ? map : unmap, PAGE_IN_CALL, true, "ns",
			     "256 pages mapped, or unmapped, in one call, a page");
}

void iommu_sizes(void)
{
	static const char *const cols[S_COLS + 1] = { "map",	     "unmap",	  "plain map",
						      "plain unmap", "map ratio", "unmap ratio",
						      NULL };
	struct bench_table *t = bench_table("sizes", "one thread, a call", "ns", cols, true);

	for (unsigned int i = 0; i < CALLS; i++) {
		static struct iommu_set set, plain;
		struct iommu_work w = { .set = &set }, p = { .set = &plain };

		iommu_set_open(&set, IOMMU_SLAB, 0, IOMMU_COHERENT);
		iommu_set_plain(&plain, true);
		iommu_place(&w, i);
		iommu_place(&p, i);
		bench_row(t, "%s", iommu_calls[i].what);
		bench_cell(t, S_MAP, iommu_sweep, &w, 1, 1, 2);
		bench_cell(t, S_PLAIN_MAP, iommu_sweep, &p, 1, 1, 2);
		bench_ratio_cell(t, S_MAP_RATIO, S_MAP, S_PLAIN_MAP);
		bench_ratio_cell(t, S_UNMAP_RATIO, S_UNMAP, S_PLAIN_UNMAP);
		bench_run(t);
		iommu_size_targets(t, i);
		iommu_set_close(&set);
		iommu_set_close(&plain);
	}
	bench_table_end(t);
}

#define PROBES 4096u

struct iommu_probes {
	struct iommu_set *set;
	uint32_t iova[PROBES];
};

static uint64_t iommu_probe(struct bench_arg *arg)
{
	const struct iommu_probes *p = arg->ctx;
	uint64_t phys, sum = 0;

	for (uint64_t i = 0; i < arg->n; i++) {
		uint32_t iova = p->iova[i % PROBES];

		phys = 0;
		if (p->set->t)
			(void)pz_v7s_lookup(p->set->t, iova, &phys);
		else
			(void)plain_lookup(&p->set->plain, iova, &phys);
		sum += phys;
	}
	__asm__ volatile("" : : "r"(sum));
	return arg->n;
}

/* Map all of a kind, or take it away; plain tables too. */
static void iommu_fill(struct iommu_set *set, uint32_t page, uint64_t bytes, bool map)
{
	for (uint64_t at = 0; at < bytes; at += MIB * 16) {
		if (!set->t)
			iommu_need(!map || plain_map(&set->plain, 0, at, at + HALF, MIB * 16, 0,
						     page >= PZ_V7S_1M),
				   "mapping");
		else if (map)
			iommu_need(!pz_v7s_map_pages(set->t, 0, 0, at, at + HALF, page,
						     MIB * 16 / page, PZ_IOMMU_READ),
				   "mapping");
		else
			iommu_need(!pz_v7s_unmap(set->t, 0, 0, at, MIB * 16, PZ_V7S_QUEUED, NULL,
						 NULL),
				   "end of a mapping");
	}
}

void iommu_lookups(void)
{
	static const char *const cols[] = { "lookup", "plain", "ratio", NULL };
	static const uint32_t pages[] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };
	struct bench_table *t = bench_table("lookup", "at random in 64 MiB", "ns", cols, true);
	struct bench_worst worst = { 0 };

	for (unsigned int i = 0; i < 5; i++) {
		static struct iommu_set set, plain;
		static struct iommu_probes p, q;
		uint64_t seed = 7;

		iommu_set_open(&set, IOMMU_SLAB, 0, IOMMU_COHERENT);
		iommu_set_plain(&plain, false);
		p.set = &set;
		q.set = &plain;
		for (unsigned int k = 0; k < PROBES; k++)
			p.iova[k] = q.iova[k] = bench_below(&seed, 64 * (uint32_t)MIB);
		if (i < 4) {
			iommu_fill(&set, pages[i], 64 * MIB, true);
			iommu_fill(&plain, pages[i], 64 * MIB, true);
			bench_row(t, "pages of %u KiB", pages[i] >> 10);
		} else {
			bench_row(t, "not mapped");
		}
		bench_cell(t, 0, iommu_probe, &p, 1, 0, 1);
		bench_cell(t, 1, iommu_probe, &q, 1, 0, 1);
		bench_ratio_cell(t, 2, 0, 1);
		bench_run(t);
		bench_worse(&worst, bench_get(t, 0).median, true, "pages of %u KiB",
			    i < 4 ? pages[i] >> 10 : 0);
		if (i < 4)
			iommu_fill(&set, pages[i], 64 * MIB, false);
		iommu_set_close(&set);
		iommu_set_close(&plain);
	}
	bench_target("lookup", worst.value, LOOKUP, true, "ns", "a lookup (%s)", worst.what);
	bench_table_end(t);
}

/* Where two threads work. */
enum { T_ONE, T_APART, T_BESIDE, T_SAME, T_PLACES };

static void iommu_meet(struct iommu_calls *c, struct iommu_work *w, unsigned int place)
{
	switch (place) {
	case T_BESIDE: /* odd and even megabytes */
		w->first[1] = MIB;
		c->outer = 32;
		c->step = 2 * MIB;
		break;
	case T_SAME: /* halves of one megabyte */
		w->first[1] = MIB / 2;
		c->outer = 1;
		c->inner /= 2;
		break;
	default:
		break;
	}
}

/* The first of the calls, so that the table that two threads share is there. */
static void iommu_warm(struct iommu_work *w)
{
	struct bench_arg arg = { .ctx = w, .threads = 1, .n = 1 };

	iommu_need(iommu_pairs(&arg), "mapping");
}

static void iommu_threads_row(struct bench_table *t, unsigned int what, bool plain,
			      struct bench_worst *worst)
{
	static struct iommu_set set[T_PLACES];
	struct iommu_calls calls[T_PLACES];
	struct iommu_work w[T_PLACES];

	bench_row(t, "%s%s", iommu_calls[what].what, plain ? ", plain" : "");
	for (unsigned int k = 0; k < T_PLACES; k++) {
		w[k].set = &set[k];
		iommu_place(&w[k], what);
		calls[k] = iommu_calls[what];
		if (calls[k].bytes == MIB) { /* in steps of a MiB from the start */
			calls[k].outer = 64;
			calls[k].step = MIB;
			calls[k].inner = 1;
		}
		iommu_meet(&calls[k], &w[k], k);
		w[k].calls = &calls[k];
		if (plain)
			iommu_set_plain(&set[k], true);
		else
			iommu_set_open(&set[k], IOMMU_SLAB, 0, IOMMU_COHERENT);
		if (k == T_SAME && calls[k].bytes == MIB)
			continue;
		iommu_warm(&w[k]);
		bench_cell(t, k, iommu_pairs, &w[k], k == T_ONE ? 1 : 2, 0, 1);
		if (k != T_ONE)
			bench_ratio_cell(t, T_PLACES + k - 1, k, T_ONE);
	}
	bench_run(t);
	for (unsigned int k = T_APART; k <= T_BESIDE && !plain; k++)
		bench_worse(worst, bench_ratio(t, k, T_ONE), true, "%s, %s", iommu_calls[what].what,
			    k == T_APART ? "far apart" : "side by side");
	for (unsigned int k = 0; k < T_PLACES; k++)
		iommu_set_close(&set[k]);
}

void iommu_threads(void)
{
	static const char *const cols[] = { "one thread", "far apart", "side by side", "same MiB",
					    "far/one",	  "side/one",  "same/one",     NULL };
	static const unsigned int rows[] = { C_4K, C_64K, C_256, C_1M };
	struct bench_table *t =
		bench_table("threads", "two threads beside one: mapped and unmapped, the pair",
			    "ns", cols, true);
	struct bench_worst worst = { 0 };

	for (unsigned int i = 0; i < 8; i++)
		iommu_threads_row(t, rows[i / 2], i % 2, &worst);
	bench_target("threads", worst.any ? worst.value : NAN, 1.2, true, "times",
		     "two threads in different megabytes, to one (%s)", worst.what);
	bench_table_end(t);
}

/* A row of the table of providers: a kind of calls, and whether tables are kept. */
struct iommu_way {
	const char *what;
	unsigned int calls;
	bench_fn fn;
	uint32_t quirks;
	bool plain, splits;
};

static void iommu_way_row(struct bench_table *t, const struct iommu_way *way, unsigned int threads)
{
	static struct iommu_set set[IOMMU_PROVIDERS + 1];
	struct iommu_work w[IOMMU_PROVIDERS + 1];
	struct iommu_calls calls = iommu_calls[way->calls];

	if (way->calls != C_256) { /* one in each MiB, so that each has a table of its own */
		calls.outer = 256;
		calls.step = MIB;
		calls.inner = 1;
	}
	bench_row(t, "%s, %u thread%s", way->what, threads, threads > 1 ? "s" : "");
	for (unsigned int i = 0; i <= IOMMU_PROVIDERS; i++) {
		bool plain = i == IOMMU_PROVIDERS;

		w[i].set = &set[i];
		iommu_place(&w[i], way->calls);
		w[i].calls = &calls;
		if (plain)
			iommu_set_plain(&set[i], true);
		else
			iommu_set_open(&set[i], (enum iommu_provider)i, way->quirks,
				       IOMMU_COHERENT);
		/* Another table is out: else what holds tables would come and go. */
		iommu_need(plain || !pz_v7s_map_pages(set[i].t, 0, 0, 2 * HALF - PZ_V7S_4K, 0,
						      PZ_V7S_4K, 1, PZ_IOMMU_READ),
			   "mapping");
		if (!plain || way->plain)
			bench_cell(t, i, way->fn, &w[i], threads, way->splits ? 1 : 0, 1);
	}
	bench_run(t);
	for (unsigned int i = 0; i <= IOMMU_PROVIDERS; i++)
		iommu_set_close(&set[i]);
}

void iommu_providers(void)
{
	static const struct iommu_way ways[] = {
		{ "4 KiB, tables kept", C_4K, iommu_pairs, 0, true, false },
		{ "4 KiB, tables go", C_4K, iommu_pairs, PZ_V7S_GIVE_BACK, false, false },
		{ "256 in one call", C_256, iommu_pairs, 0, true, false },
		{ "1 MiB split", C_1M, iommu_splits, 0, false, true },
	};
	const char *cols[IOMMU_PROVIDERS + 2] = { NULL };
	struct bench_table *t;

	memcpy(cols, iommu_names, sizeof(iommu_names));
	cols[IOMMU_PROVIDERS] = "plain";
	t = bench_table("providers", "mapped and unmapped, the pair (a page); split, the split",
			"ns", cols, true);
	for (unsigned int i = 0; i < 2 * sizeof(ways) / sizeof(ways[0]); i++)
		if (1 + i % 2 <= bench_opts.cpus)
			iommu_way_row(t, &ways[i / 2], 1 + i % 2);
	bench_table_end(t);
}

enum {
	W_MAP,
	W_UNMAP,
	W_FAR_MAP,
	W_FAR_UNMAP,
	W_MAP_RATIO,
	W_UNMAP_RATIO,
	W_CALLS,
	W_LINES,
	W_COLS
};

void iommu_walker(void)
{
	static const char *const cols[W_COLS + 1] = { "map",	   "unmap",	"far map",
						      "far unmap", "map ratio", "unmap ratio",
						      "cleaned",   "lines",	NULL };
	static const unsigned int rows[] = { C_4K, C_64K, C_256, C_256_MIDDLE, C_1M, C_16M };
	struct bench_table *t = bench_table(
		"walker", "coherent, and far from the caches (cleaned: mapped and unmapped)", "ns",
		cols, false);

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static struct iommu_set near, far;
		struct iommu_work w = { .set = &near }, f = { .set = &far };
		struct bench_arg arg = { .ctx = &f, .threads = 1, .n = 1 };
		uint64_t ops;

		iommu_set_open(&near, IOMMU_SLAB, 0, IOMMU_COHERENT);
		iommu_set_open(&far, IOMMU_SLAB, 0, IOMMU_NOT_COHERENT);
		iommu_place(&w, rows[i]);
		iommu_place(&f, rows[i]);
		(void)iommu_sweep(&arg);
		iommu.cleaned = iommu.lines = 0;
		ops = iommu_sweep(&arg);
		iommu_need(ops, "mapping");
		bench_row(t, "%s", iommu_calls[rows[i]].what);
		bench_cell(t, W_MAP, iommu_sweep, &w, 1, 1, 2);
		bench_cell(t, W_FAR_MAP, iommu_sweep, &f, 1, 1, 2);
		bench_ratio_cell(t, W_MAP_RATIO, W_FAR_MAP, W_MAP);
		bench_ratio_cell(t, W_UNMAP_RATIO, W_FAR_UNMAP, W_UNMAP);
		bench_set(t, W_CALLS, (double)iommu.cleaned / (double)ops);
		bench_set(t, W_LINES, (double)iommu.lines / (double)ops);
		bench_run(t);
		iommu_set_close(&near);
		iommu_set_close(&far);
	}
	bench_table_end(t);
}

/* What is held for 256 MiB that are mapped in some way. */
static void iommu_memory_row(struct bench_table *t, const char *what, uint32_t page, uint64_t step)
{
	static struct iommu_set set;
	struct pz_v7s_stat stat;

	bench_row(t, "%s", what);
	for (unsigned int i = 0; i < IOMMU_PROVIDERS; i++) {
		uint64_t n = step ? 256 * MIB / step : 0;

		iommu_set_open(&set, (enum iommu_provider)i, 0, IOMMU_COHERENT);
		for (uint64_t k = 0; k < n; k++)
			iommu_need(!pz_v7s_map_pages(set.t, 0, 0, k * step, k * step + HALF, page,
						     step == MIB ? 1 : step / page, PZ_IOMMU_READ),
				   "mapping");
		pz_v7s_stat(set.t, &stat);
		bench_set(t, 0, (double)stat.table_bytes / 1024);
		bench_set(t, 1, (double)stat.meta_bytes / 1024);
		bench_set(t, 2 + i, (double)iommu_held((enum iommu_provider)i) / 1024);
		if (n)
			(void)pz_v7s_unmap(set.t, 0, 0, 0, 256 * MIB, PZ_V7S_QUEUED, NULL, NULL);
		iommu_set_close(&set);
	}
	bench_run(t);
}

void iommu_memory(void)
{
	const char *cols[IOMMU_PROVIDERS + 3] = { "tables", "metadata" };
	struct bench_table *t;

	memcpy(&cols[2], iommu_names, sizeof(iommu_names));
	t = bench_table(
		"memory",
		"held: tables, what the set notes; by each provider, pages and what it notes",
		"KiB", cols, false);
	iommu_memory_row(t, "nothing mapped", PZ_V7S_4K, 0);
	iommu_memory_row(t, "a page of each of 256 MiB", PZ_V7S_4K, MIB);
	iommu_memory_row(t, "256 MiB in 4 KiB", PZ_V7S_4K, 16 * MIB);
	iommu_memory_row(t, "256 MiB in 64 KiB", PZ_V7S_64K, 16 * MIB);
	iommu_memory_row(t, "256 MiB in 1 MiB", PZ_V7S_1M, 16 * MIB);
	bench_table_end(t);
}
