/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages_churn.c - a page at random freed and one allocated, in memory that is nearly full.
 *
 * All memory is taken in single pages, then pages chosen at random are freed until as many are held
 * as the case says: the free pages lie scattered. Then, before anything is measured, as many pages
 * are freed and allocated as there are. At 99 % and above requests ignore watermarks.
 */
#include <math.h>

#include "pages.h"

/* In tenths of a percent. */
static const uint32_t churn_levels[] = { 500, 900, 990, 999 };

static const enum contender churn_who[] = { C_PAGES, C_ZONELIST, C_BUDDY, C_PCP, C_NOTHING };

/* Enough for the others' state to leave the caches, and one's own to come back. */
#define CHURN_OPS ((uint64_t)1 << 17)

#define CHURN_WHO (sizeof(churn_who) / sizeof(churn_who[0]))
#define CHURN_LOOP (CHURN_WHO - 1)

static bool churn_fill(struct field *f, enum contender c, uint64_t share, unsigned int threads)
{
	struct work *w = &f->work[c];
	uint64_t all = f->machine[0].managed, each = all * share / 1000 / threads;

	w->order = 0;
	w->flags = c == C_BUDDY || c == C_PCP ? BUDDY_NOMARK
		   : c == C_NOTHING	      ? 0
					      : PZ_GFP_MEMALLOC | PZ_GFP_NOKEEP;
	if (!work_room(w, all / threads, false))
		return false;
	for (unsigned int t = 0; t < threads; t++)
		if (!contender_loops(c)->fill(w, t, all / threads, each))
			return false;
	if (share < 990)
		w->flags = 0;
	/* Let it settle where holes lie. */
	for (unsigned int t = 0; t < threads; t++) {
		struct bench_arg arg = { .ctx = w, .n = all / threads, .thread = t, .threads = 1 };

		if (!contender_loops(c)->churn(&arg))
			return false;
	}
	return true;
}

/* In pairs of an idle machine, less what the loop itself takes to choose a page. */
static double churn_pairs(const struct bench_table *t)
{
	return (bench_get(t, 0).median - bench_get(t, CHURN_LOOP).median) /
	       bench_get(t, CHURN_WHO).median;
}

static void churn_row(struct bench_table *t, uint64_t bytes, const char *size, uint64_t share,
		      unsigned int threads, struct bench_worst *worst)
{
	uint32_t which = bytes > 8 * GIB ? 1u << C_PAGES | 1u << C_NOTHING : (1u << CONTENDERS) - 1;
	struct machine_opts o = { .bytes = bytes };
	struct machine idle;
	struct work pair = { 0 };
	struct field f;

	if (!machine_make(&idle, &o))
		return;
	pair.pages = idle.pages;
	if (!field_make(&f, bytes, which)) {
		machine_free(&idle);
		return;
	}
	bench_row(t, "%.1f %% of %s, %u thr.", (double)share / 10, size, threads);
	for (unsigned int i = 0; i < CHURN_WHO; i++) {
		enum contender c = churn_who[i];

		if (f.ready[c] && churn_fill(&f, c, share, threads))
			bench_cell(t, i, contender_loops(c)->churn, &f.work[c], threads, CHURN_OPS,
				   1);
	}
	bench_cell(t, CHURN_WHO, contender_loops(C_PAGES)->pair, &pair, threads, 0, 1);
	bench_run(t);
	if (share == 900)
		bench_worse(worst, churn_pairs(t), true, "%s, %u threads", size, threads);
	field_free(&f);
	machine_free(&idle);
}

void pages_churn(void)
{
	const char *cols[CHURN_WHO + 2] = { 0 };
	struct bench_worst worst = { .value = NAN };
	struct bench_table *t;

	for (unsigned int i = 0; i < CHURN_WHO; i++)
		cols[i] = contender_names[churn_who[i]];
	cols[CHURN_WHO] = "pair when idle";
	t = bench_table("churn", "a random page freed and one allocated, by how full memory is",
			"ns", cols, true);
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++)
		for (unsigned int i = 0; i < sizeof(churn_levels) / sizeof(churn_levels[0]); i++)
			churn_row(t, 8 * GIB, "8 GiB", churn_levels[i], threads, &worst);
	if (!bench_opts.quick)
		churn_row(t, TIB, "1 TiB", 900, 1, &worst);
	bench_remark("the target is of physzone less (loop), which only chooses pages, in pairs "
		     "when idle");
	bench_target("churn", worst.value, 2, true, "pairs", "churn at 90 %% full (%s)",
		     worst.what);
	bench_table_end(t);
}
