/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.c - pools of granules beside a search that goes through the bitmap bit by bit and word by
 * word, as docs/facts/genalloc.md describes it; and reserves of elements.
 *
 * Both serve a chunk of 4 MiB in granules of 32 bytes. A pair is a piece taken and freed; the
 * states of the chunk: empty; all taken but one hole of the size that is asked for, at the end;
 * every other granule taken; pieces of random sizes with gaps of random lengths.
 */
#include "pools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *pools_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void pools_release(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

const struct pz_meta pools_meta = { pools_malloc, pools_release, NULL };

enum pools_col { P_PHYSZONE, P_LINEAR, P_COLS };
static const char *const pools_cols[P_COLS + 1] = { "physzone", "linear", NULL };

static const char *const pools_states[] = { "empty", "one hole left", "every other taken",
					    "random gaps" };
enum pools_state { S_EMPTY, S_HOLE, S_COMB, S_RANDOM, STATES };

static uint64_t pools_pair(struct bench_arg *arg)
{
	struct pools_work *w = arg->ctx;
	struct pz_genpool_got got;

	for (uint64_t i = 0; i < arg->n; i++) {
		if (pz_genpool_alloc_algo(w->pool, w->bytes, &w->algo, &got))
			return 0;
		pz_genpool_free(w->pool, got.addr, w->bytes);
	}
	return arg->n;
}

static uint64_t pools_linear(struct bench_arg *arg)
{
	struct pools_work *w = arg->ctx;

	for (uint64_t i = 0; i < arg->n; i++) {
		uint64_t at = w->algo.kind == PZ_GENPOOL_BEST_FIT
				      ? linear_alloc(w->linear, w->bytes, linear_best)
				      : linear_alloc(w->linear, w->bytes, linear_first);

		if (!at)
			return 0;
		linear_free(w->linear, at, w->bytes);
	}
	return arg->n;
}

/* A request that cannot be served. */
static uint64_t pools_refused(struct bench_arg *arg)
{
	struct pools_work *w = arg->ctx;
	struct pz_genpool_got got;

	for (uint64_t i = 0; i < arg->n; i++)
		if (!pz_genpool_alloc_algo(w->pool, w->bytes, &w->algo, &got))
			return 0;
	return arg->n;
}

static uint64_t pools_linear_refused(struct bench_arg *arg)
{
	struct pools_work *w = arg->ctx;

	for (uint64_t i = 0; i < arg->n; i++)
		if (linear_alloc(w->linear, w->bytes, linear_first))
			return 0;
	return arg->n;
}

static void pools_need(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "no pool\n");
	exit(1);
}

static void pools_open(struct pools_work *w)
{
	struct pz_genpool_config cfg;
	struct pz_genpool_chunk c;

	memset(w, 0, sizeof(*w));
	memset(&cfg, 0, sizeof(cfg));
	memset(&c, 0, sizeof(c));
	cfg.order = POOLS_ORDER;
	cfg.meta = &pools_meta;
	c.addr = POOLS_BASE;
	c.size = (uint64_t)POOLS_GRANULES << POOLS_ORDER;
	c.phys = PZ_GENPOOL_NO_PHYS;
	pools_need(!pz_genpool_create(&w->pool, &cfg) && !pz_genpool_add(w->pool, &c));
	w->linear = linear_open(POOLS_BASE, c.size, POOLS_ORDER);
	pools_need(w->linear);
}

/* What is taken stays so: the pool goes with the process. */
static void pools_close(struct pools_work *w)
{
	linear_close(w->linear);
}

static void pools_take(struct pools_work *w, uint32_t at, uint32_t n)
{
	struct pz_genpool_algo fixed = { .kind = PZ_GENPOOL_FIXED };
	struct pz_genpool_got got;

	if (!n)
		return;
	fixed.offset = (uint64_t)at << POOLS_ORDER;
	pools_need(!pz_genpool_alloc_algo(w->pool, (uint64_t)n << POOLS_ORDER, &fixed, &got));
	linear_take(w->linear, at, n);
}

static void pools_fill(struct pools_work *w, enum pools_state state, uint32_t n)
{
	uint64_t seed = 42;

	switch (state) {
	case S_HOLE:
		for (uint32_t i = 0; i + 8 <= POOLS_GRANULES - 3 - n; i += 8)
			pools_take(w, i, 8);
		for (uint32_t i = (POOLS_GRANULES - 3 - n) / 8 * 8; i < POOLS_GRANULES; i++)
			if (i < POOLS_GRANULES - 3 - n || i >= POOLS_GRANULES - 3)
				pools_take(w, i, 1);
		break;
	case S_COMB:
		for (uint32_t i = 0; i < POOLS_GRANULES; i += 2)
			pools_take(w, i, 1);
		break;
	case S_RANDOM:
		for (uint32_t i = 0; i + 64 < POOLS_GRANULES;) {
			uint32_t len = 1 + bench_below(&seed, 24);

			pools_take(w, i, len);
			i += len + 2 + bench_below(&seed, 8);
		}
		break;
	default:
		break;
	}
}

/* All states and sizes by one algorithm. */
static void pools_algo(const char *name, enum pz_genpool_kind kind, const char *title)
{
	static const uint32_t sizes[] = { 1, 4, 40 };
	struct bench_table *t = bench_table(name, title, "ns", pools_cols, true);
	struct pools_work w;

	for (unsigned int s = 0; s < STATES; s++) {
		for (unsigned int k = 0; k < 3; k++) {
			uint32_t n = sizes[k];

			if (s == S_COMB && n > 1)
				continue;
			if (s == S_RANDOM && n > 9)
				continue;
			pools_open(&w);
			w.algo.kind = kind;
			w.bytes = (uint64_t)n << POOLS_ORDER;
			pools_fill(&w, (enum pools_state)s, n);
			bench_row(t, "%s, %u granule%s", pools_states[s], n, n > 1 ? "s" : "");
			bench_cell(t, P_PHYSZONE, pools_pair, &w, 1, 0, 1);
			bench_cell(t, P_LINEAR, pools_linear, &w, 1, 0, 1);
			bench_run(t);
			if (s == S_HOLE) {
				bench_target(name, bench_ratio(t, P_PHYSZONE, P_LINEAR), 0.1, true,
					     "times",
					     "one hole of %u left, against the linear search", n);
				if (n < 10)
					bench_target(name, bench_get(t, P_PHYSZONE).median, 118,
						     true, "ns", "one hole of %u left", n);
			}
			pools_close(&w);
		}
	}
	bench_table_end(t);
}

void pools_first(void)
{
	pools_algo("first", PZ_GENPOOL_FIRST_FIT, "first fit, 131072 granules of 32 bytes");
}

void pools_best(void)
{
	pools_algo("best", PZ_GENPOOL_BEST_FIT, "best fit, 131072 granules of 32 bytes");
}

void pools_no(void)
{
	struct bench_table *t =
		bench_table("refused", "first fit finds nothing", "ns", pools_cols, true);
	struct pools_work w;

	for (unsigned int k = 0; k < 2; k++) {
		pools_open(&w);
		w.bytes = 2u << POOLS_ORDER;
		pools_fill(&w, S_COMB, 1);
		for (uint32_t i = 1; k && i < POOLS_GRANULES; i += 2)
			pools_take(&w, i, 1);
		bench_row(t, "%s, 2 granules", k ? "all taken" : pools_states[S_COMB]);
		bench_cell(t, P_PHYSZONE, pools_refused, &w, 1, 0, 1);
		bench_cell(t, P_LINEAR, pools_linear_refused, &w, 1, 0, 1);
		bench_run(t);
		pools_close(&w);
	}
	bench_table_end(t);
}

static int pools_element(void *ctx, uint32_t gfp, uint64_t *element)
{
	(void)gfp;
	if (!*(bool *)ctx)
		return -PZ_ENOMEM;
	*element = 1;
	return 0;
}

static void pools_element_free(void *ctx, uint64_t element)
{
	(void)ctx;
	(void)element;
}

/* An element taken and freed. */
static uint64_t pools_reserve_pair(struct bench_arg *arg)
{
	uint64_t element;

	for (uint64_t i = 0; i < arg->n; i++) {
		if (pz_mempool_alloc(arg->ctx, 0, &element))
			return 0;
		pz_mempool_free(arg->ctx, element);
	}
	return arg->n;
}

void pools_reserve(void)
{
	static const char *const cols[] = { "physzone", NULL };
	struct bench_table *t =
		bench_table("reserve", "an element of a reserve of 16", "ns", cols, true);
	struct pz_mempool_config cfg;
	struct pz_mempool *m;
	bool has = true;

	memset(&cfg, 0, sizeof(cfg));
	cfg.min = 16;
	cfg.alloc = pools_element;
	cfg.free = pools_element_free;
	cfg.ctx = &has;
	cfg.meta = &pools_meta;
	pools_need(!pz_mempool_create(&m, &cfg));
	for (unsigned int k = 0; k < 2; k++) {
		has = k == 0;
		bench_row(t, "the allocator has %s", has ? "some" : "none");
		bench_cell(t, 0, pools_reserve_pair, m, 1, 0, 1);
		bench_run(t);
	}
	bench_table_end(t);
	pz_mempool_destroy(m, NULL);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "first", "best", "refused", "reserve", NULL };
	static const char *const what[] = {
		"pairs by first fit, empty to one hole left",
		"pairs by best fit",
		"requests that cannot be served",
		"elements of a reserve",
	};
	static void (*const run[])(void) = { pools_first, pools_best, pools_no, pools_reserve };
	int status = bench_begin(argc, argv, names, what);

	if (status >= 0)
		return status;
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	return bench_finish();
}
