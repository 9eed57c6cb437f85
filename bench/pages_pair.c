/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages_pair.c - pairs of an allocation and its free, 64 at a time, the whole machine at a time,
 * and frees by another thread.
 */
#include <math.h>
#include <stdio.h>

#include "pages.h"

#define MALLOC_PAGES 32768u /* 128 MiB: glibc touches each page that it gives */

enum pair_max { PAIR_ORDERS = BUDDY_MAX_ORDER + 1 };

static bench_fn pair_loop(const struct field *f, enum contender c, bool burst)
{
	const struct loops *l = f->ready[c] ? contender_loops(c) : NULL;

	return !l ? NULL : burst ? l->burst : l->pair;
}

/* The rows of one machine; the targets are stated of its columns. */
static void pair_rows(const char *name, uint64_t bytes, const char *size, bool burst)
{
	uint32_t which = (1u << CONTENDERS) - 1;
	struct bench_worst high = { .value = NAN };
	double first = NAN, largest = NAN;
	double low[BENCH_THREADS + 1] = { NAN, NAN, NAN },
				   buddy[BENCH_THREADS + 1] = { NAN, NAN, NAN };
	struct bench_table *t;
	struct field f;
	char title[96];

	if (bytes > 8 * GIB)
		which &= ~(1u << C_BUDDY | 1u << C_PCP); /* 16 GiB of frames' state */
	if (!field_make(&f, bytes, which))
		return;
	snprintf(title, sizeof(title), "%s, %s of frames",
		 burst ? "64 allocated, then 64 freed, for each of them" : "alloc+free pairs",
		 size);
	t = bench_table(name, title, "ns", contender_names, true);
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		for (unsigned int order = 0; order < PAIR_ORDERS; order += burst ? 3 : 1) {
			bench_row(t, "order %u, %u thread%s", order, threads,
				  threads > 1 ? "s" : "");
			for (unsigned int c = 0; c < CONTENDERS; c++) {
				f.work[c].order = order;
				bench_cell(t, c, pair_loop(&f, (enum contender)c, burst),
					   &f.work[c], threads, 0, 1);
			}
			bench_run(t);
			if (order == 0) {
				low[threads] = bench_get(t, C_PAGES).floors;
				buddy[threads] = bench_ratio(t, C_PAGES, C_BUDDY);
			} else {
				bench_worse(&high, bench_get(t, C_PAGES).floors, true,
					    "order %u, %u threads", order, threads);
			}
			if (threads == 1 && order == 1)
				first = bench_get(t, C_PAGES).median;
			if (threads == 1 && order == PAIR_ORDERS - 1)
				largest = bench_get(t, C_PAGES).median;
		}
	}
	peers_remark();
	if (bytes > 8 * GIB)
		bench_remark("the buddy's frames would take 16 GiB of state here; it is left out");
	if (!burst) {
		for (unsigned int n = 1; n <= BENCH_THREADS; n++)
			bench_target(name, low[n], 1.5, true, "floors",
				     "%s: order-0 pair, %u thread%s", size, n, n > 1 ? "s" : "");
		for (unsigned int n = 1; n <= BENCH_THREADS && f.ready[C_BUDDY]; n++)
			bench_target(name, buddy[n], 1.0 / 6, true, "buddies",
				     "%s: order-0 pair, %u thread%s", size, n, n > 1 ? "s" : "");
		bench_target(name, high.value, 6, true, "floors",
			     "%s: pairs of orders 1 to 10 (%s)", size, high.what);
		bench_target(name, largest / first, 1.25, true, "times",
			     "%s: pair of order 10 against order 1", size);
	}
	bench_table_end(t);
	field_free(&f);
}

void pages_steps(void)
{
	static const char *const cols[] = { "order 0", "locked", "order 4", "locked",
					    "order 9", "locked", NULL };
	struct bench_table *t;
	struct field f;

	if (!field_make(&f, 8 * GIB, (1u << CONTENDERS) - 1))
		return;
	t = bench_table("steps", "instructions of an alloc+free pair, loop included",
			"instructions", cols, false);
	for (unsigned int c = 0; c < CONTENDERS; c++) {
		if (!f.ready[c])
			continue;
		bench_row(t, "%s", contender_names[c]);
		/* Large blocks of the others are the kernel's work, and take minutes to step. */
		for (unsigned int i = 0; i < (c < C_MIMALLOC ? 3 : 1); i++) {
			static const unsigned int orders[] = { 0, 4, 9 };
			double each, locked;

			f.work[c].order = orders[i];
			if (!bench_instructions(contender_loops((enum contender)c)->pair,
						&f.work[c], &each, &locked))
				continue;
			bench_set(t, 2 * i, each);
			bench_set(t, 2 * i + 1, locked);
		}
		bench_run(t);
	}
	bench_remark("locked: of these, those that lock a cache line (counted on x86-64 only)");
	bench_remark("what system calls do in the kernel is not counted");
	bench_table_end(t);
	field_free(&f);
}

void pages_pair(void)
{
	pair_rows("pair", 8 * GIB, "8 GiB", false);
	pair_rows("pair", TIB, "1 TiB", false);
}

void pages_burst(void)
{
	pair_rows("burst", 8 * GIB, "8 GiB", true);
}

/* As bulk, by calls that take 64 at a time. */
static uint64_t pair_bulk_calls(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	uint64_t *v = w->held[arg->thread], n = w->count[arg->thread] / 64 * 64;
	uint64_t some[64];
	const uint32_t *perm = w->perm[arg->thread];

	for (unsigned int round = 0; round < 2; round++) {
		uint64_t done = 0;

		bench_lap_start(arg);
		for (; done < n; done += 64)
			if (pz_alloc_bulk(w->pages, arg->thread, w->flags, NULL, 64, v + done) !=
			    64)
				return 0;
		bench_lap_end(arg, n);
		for (done = 0; done < n; done += 64) {
			if (round == 0) {
				pz_free_bulk(w->pages, arg->thread, 64, v + done);
				continue;
			}
			for (unsigned int k = 0; k < 64; k++) {
				__builtin_prefetch(&v[perm[done + k + 16]]);
				some[k] = v[perm[done + k]];
			}
			pz_free_bulk(w->pages, arg->thread, 64, some);
		}
		bench_lap_end(arg, n);
	}
	return n;
}

static void pair_bulk_row(struct bench_table *t, struct field *f, enum contender c, bool calls,
			  unsigned int threads)
{
	struct work *w = &f->work[c];
	uint64_t each = f->machine[0].managed * 95 / 100 / threads / 64 * 64;

	if (!f->ready[c])
		return;
	if (c >= C_MIMALLOC && c <= C_GLIBC)
		each = MALLOC_PAGES / threads;
	w->order = 0;
	if (!work_room(w, each, true))
		return;
	bench_row(t, "%s%s, %u thread%s", contender_names[c], calls ? ", bulk" : "", threads,
		  threads > 1 ? "s" : "");
	bench_cell(t, 0, calls ? pair_bulk_calls : contender_loops(c)->bulk, w, threads, each, 4);
	bench_run(t);
	work_done(w);
}

void pages_bulk(void)
{
	static const char *const cols[] = { "allocate", "free in order", "allocate again",
					    "free randomly", NULL };
	struct bench_table *t;
	struct field f;

	if (!field_make(&f, 8 * GIB, (1u << CONTENDERS) - 1))
		return;
	t = bench_table("bulk", "95 % of 8 GiB in single pages, for each of them", "ns", cols,
			true);
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		for (unsigned int c = 0; c < CONTENDERS; c++) {
			pair_bulk_row(t, &f, (enum contender)c, false, threads);
			if (c == C_PAGES)
				pair_bulk_row(t, &f, (enum contender)c, true, threads);
		}
	}
	bench_remark("mimalloc, jemalloc and glibc hold 128 MiB, not 95 %% of 8 GiB");
	peers_remark();
	bench_table_end(t);
	field_free(&f);
}

void pages_remote(void)
{
	struct bench_table *t;
	struct field f;

	if (bench_opts.cpus < 2 || !field_make(&f, 8 * GIB, (1u << CONTENDERS) - 1))
		return;
	t = bench_table("remote", "one thread allocates, another frees, for each page", "ns",
			contender_names, true);
	for (unsigned int order = 0; order <= 9; order += 3) {
		bench_row(t, "order %u", order);
		for (unsigned int c = 0; c < CONTENDERS; c++) {
			if (!f.ready[c] || (!f.work[c].ring && !work_room(&f.work[c], 64, false)))
				continue;
			f.work[c].order = order;
			bench_cell(t, c, contender_loops((enum contender)c)->remote, &f.work[c], 2,
				   0, 1);
		}
		bench_run(t);
	}
	peers_remark();
	bench_table_end(t);
	field_free(&f);
}
