/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.c - tables, ratios and targets of the benchmarks, as text or as JSON.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

#define LABEL 40
#define LABEL_WIDTH "34"
#define NAME 24
#define TARGETS 128u
#define MIN_NS 1e5
/* A row that took this long has run enough, be it only once. */
#define BUDGET 2e9
#define QUICK_BUDGET 4e8

struct bench_opts bench_opts = { .runs = 9, .run_ns = 3e6 };

struct cell {
	bench_fn fn; /* NULL: none, known, or a later lap of the cell before */
	void *ctx;
	unsigned int threads, laps;
	uint64_t n;
	bool known, failed;
	bool ratio; /* of two other cells */
	unsigned int of, to;
	double v[BENCH_RUNS], median, min, max;
};

struct bench_table {
	char name[NAME], unit[NAME];
	char cols[BENCH_COLS][NAME];
	unsigned int ncols, rows;
	bool floor, timed;
	/* The current row. */
	char label[LABEL];
	struct cell cell[BENCH_COLS];
	double floors[BENCH_RUNS], floor_ns;
	unsigned int runs;
};

struct target {
	char name[NAME], what[128], unit[NAME];
	double measured, limit;
	bool at_most;
};

static struct {
	struct target target[TARGETS];
	unsigned int targets;
	char **argv;
	int argc;
	const char *const *cases;
	bool first_table; /* of the JSON list */
	struct bench_table table;
	double start;
} h;

static void harness_usage(const char *const *cases, const char *const *what)
{
	printf("usage: %s [--quick] [--json] [--runs N] [CASE...]\n", h.argv[0]);
	printf("cases (all of them when none is named):\n");
	for (unsigned int i = 0; cases[i]; i++)
		printf("  %-10s %s\n", cases[i], what[i]);
}

int bench_begin(int argc, char **argv, const char *const *cases, const char *const *what)
{
	h.cases = cases;
	h.argv = argv;
	h.start = bench_wall_ns();
	for (int i = 1; i < argc; i++) {
		char *end;
		bool known = false;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			harness_usage(cases, what);
			return 0;
		} else if (!strcmp(argv[i], "--quick")) {
			bench_opts.quick = true;
			bench_opts.runs = 3;
			bench_opts.run_ns = 5e5;
		} else if (!strcmp(argv[i], "--json")) {
			bench_opts.json = true;
		} else if (!strcmp(argv[i], "--runs")) {
			unsigned long runs = i + 1 < argc ? strtoul(argv[i + 1], &end, 10) : 0;

			if (runs < 1 || runs > BENCH_RUNS || *end) {
				fprintf(stderr, "%s: --runs takes a number from 1 to %u\n", argv[0],
					BENCH_RUNS);
				return 2;
			}
			bench_opts.runs = (unsigned int)runs;
			i++;
		} else {
			for (unsigned int k = 0; cases[k]; k++)
				known = known || !strcmp(argv[i], cases[k]);
			if (!known) {
				fprintf(stderr, "%s: '%s' is no option and no case; see --help\n",
					argv[0], argv[i]);
				return 2;
			}
			h.argv[1 + h.argc++] = argv[i];
		}
	}
	bench_opts.cpus = threads_start();
	if (bench_opts.json) {
		printf("{\n\"runs\": %u,\n\"cpus\": %u,\n\"rows\": [", bench_opts.runs,
		       bench_opts.cpus);
		h.first_table = true;
	} else {
		printf("Medians of %u runs, interleaved, +- half the spread from least to most.\n",
		       bench_opts.runs);
		printf("A floor is two uncontended compare-and-exchange operations on a cached "
		       "line.\n");
		if (bench_opts.cpus < 2)
			printf("There is one processor only: rows with two threads are left "
			       "out.\n");
	}
	return -1;
}

bool bench_wanted(const char *name)
{
	for (int i = 0; i < h.argc; i++)
		if (!strcmp(h.argv[1 + i], name))
			return true;
	return h.argc == 0;
}

void bench_remark(const char *fmt, ...)
{
	va_list ap;

	if (bench_opts.json)
		return;
	va_start(ap, fmt);
	printf("  ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
}

struct bench_table *bench_table(const char *name, const char *title, const char *unit,
				const char *const *cols, bool floor)
{
	struct bench_table *t = &h.table;

	memset(t, 0, sizeof(*t));
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->unit, sizeof(t->unit), "%s", unit);
	t->floor = floor;
	for (; cols[t->ncols] && t->ncols < BENCH_COLS; t->ncols++)
		snprintf(t->cols[t->ncols], NAME, "%s", cols[t->ncols]);
	if (!bench_opts.json) {
		printf("\n%s: %s (%s)\n%-" LABEL_WIDTH "s", name, title, unit, "");
		if (floor)
			printf("%10s", "floor");
		for (unsigned int i = 0; i < t->ncols; i++)
			printf("%14s", t->cols[i]);
		if (floor)
			printf("%11s", "floors");
		printf("\n");
		fflush(stdout);
	}
	return t;
}

void bench_row(struct bench_table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->label, sizeof(t->label), fmt, ap);
	va_end(ap);
	memset(t->cell, 0, sizeof(t->cell));
	for (unsigned int i = 0; i < t->ncols; i++)
		t->cell[i].median = t->cell[i].min = t->cell[i].max = NAN;
}

void bench_cell(struct bench_table *t, unsigned int col, bench_fn fn, void *ctx,
		unsigned int threads, uint64_t n, unsigned int laps)
{
	struct cell *c = &t->cell[col];

	if (threads > bench_opts.cpus || !fn)
		return;
	c->fn = fn;
	c->ctx = ctx;
	c->threads = threads;
	c->n = n;
	c->laps = laps ? laps : 1;
}

void bench_set(struct bench_table *t, unsigned int col, double value)
{
	struct cell *c = &t->cell[col];

	c->known = true;
	c->median = c->min = c->max = value;
}

void bench_ratio_cell(struct bench_table *t, unsigned int col, unsigned int of, unsigned int to)
{
	struct cell *c = &t->cell[col];

	c->ratio = true;
	c->of = of;
	c->to = to;
}

static int harness_cmp(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double harness_median(const double *v, unsigned int n)
{
	double s[BENCH_RUNS];

	if (!n)
		return NAN;
	memcpy(s, v, n * sizeof(*v));
	qsort(s, n, sizeof(*s), harness_cmp);
	return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

/* How many operations take about as long as a run should. Also warms up. */
static uint64_t harness_calibrate(bench_fn fn, void *ctx, unsigned int threads, unsigned int laps)
{
	uint64_t n = 1;
	double ns[BENCH_LAPS];

	for (;;) {
		double whole = 0, again, want;

		/* Twice: the first time touches memory that the kernel has to find. */
		for (unsigned int i = 0; i < 2; i++) {
			if (!threads_measure(fn, ctx, threads, n, laps, ns))
				return 0;
			again = 0;
			for (unsigned int k = 0; k < laps; k++)
				again += ns[k] * (double)n;
			whole = i && whole < again ? whole : again;
		}
		want = bench_opts.run_ns / (whole / (double)n);
		if (whole > MIN_NS || n >= 1u << 20)
			return want < 1 ? 1 : (uint64_t)want;
		n *= 8;
	}
}

static void harness_measure(struct bench_table *t, struct cell *c, bool keep)
{
	double ns[BENCH_LAPS];

	if (!c->fn || c->failed)
		return;
	if (!threads_measure(c->fn, c->ctx, c->threads, c->n, c->laps, ns)) {
		c->failed = true;
		return;
	}
	for (unsigned int k = 0; keep && k < c->laps && c + k < t->cell + t->ncols; k++)
		c[k].v[t->runs] = ns[k];
}

static void harness_stats(struct cell *c, unsigned int runs)
{
	c->median = harness_median(c->v, runs);
	c->min = c->max = c->v[0];
	for (unsigned int i = 1; i < runs; i++) {
		c->min = c->v[i] < c->min ? c->v[i] : c->min;
		c->max = c->v[i] > c->max ? c->v[i] : c->max;
	}
}

static void harness_ratio(struct bench_table *t, struct cell *c)
{
	const struct cell *of = &t->cell[c->of], *to = &t->cell[c->to];

	if (isnan(of->median) || isnan(to->median) || of->known || to->known)
		return;
	for (unsigned int i = 0; i < t->runs; i++)
		c->v[i] = of->v[i] / to->v[i];
	harness_stats(c, t->runs);
}

static void harness_number(double v)
{
	if (v != 0 && (v < 0.1 && v > -0.1))
		printf("%9.3g", v);
	else
		printf("%9.*f", v < 100 ? 2 : v < 10000 ? 1 : 0, v);
}

static void harness_print(struct bench_table *t)
{
	if (bench_opts.json) {
		for (unsigned int i = 0; i < t->ncols; i++) {
			struct cell *c = &t->cell[i];

			if (isnan(c->median))
				continue;
			printf("%s\n{\"case\": \"%s\", \"row\": \"%s\", \"column\": \"%s\", "
			       "\"unit\": \"%s\", \"median\": %.6g, \"min\": %.6g, \"max\": %.6g",
			       h.first_table ? "" : ",", t->name, t->label, t->cols[i],
			       c->ratio ? "times" : t->unit, c->median, c->min, c->max);
			h.first_table = false;
			if (t->floor && !c->known && !c->ratio)
				printf(", \"floors\": %.6g", bench_get(t, i).floors);
			printf("}");
		}
		return;
	}
	printf("%-" LABEL_WIDTH "s", t->label);
	if (t->floor)
		printf("%10.2f", t->floor_ns);
	for (unsigned int i = 0; i < t->ncols; i++) {
		struct cell *c = &t->cell[i];

		if (isnan(c->median)) {
			printf("%14s", c->failed ? "failed" : "-");
			continue;
		}
		printf(" ");
		harness_number(c->median);
		if (c->known)
			printf("    ");
		else
			printf(" %2.0f%%", 50 * (c->max - c->min) / c->median);
	}
	if (t->floor && t->cell[0].median > 0)
		printf("%11.2f", bench_get(t, 0).floors);
	printf("\n");
	fflush(stdout);
}

void bench_run(struct bench_table *t)
{
	double begin, budget = bench_opts.quick ? QUICK_BUDGET : BUDGET;
	unsigned int threads = 1;
	uint64_t floor_n = 0;
	bool timed = false;

	for (unsigned int i = 0; i < t->ncols; i++) {
		struct cell *c = &t->cell[i];

		if (!c->fn)
			continue;
		timed = true;
		threads = c->threads > threads ? c->threads : threads;
		if (!c->n) {
			c->n = harness_calibrate(c->fn, c->ctx, c->threads, c->laps);
			c->failed = !c->n;
		}
	}
	if (timed)
		floor_n = harness_calibrate(threads_floor, NULL, threads, 1);
	t->runs = 0;
	begin = bench_wall_ns();
	for (unsigned int run = 0; timed && run <= bench_opts.runs; run++) {
		double ns[BENCH_LAPS] = { 0 };

		threads_measure(threads_floor, NULL, threads, floor_n, 1, ns);
		t->floors[t->runs] = ns[0];
		for (unsigned int i = 0; i < t->ncols; i++)
			harness_measure(t, &t->cell[i], run > 0);
		t->runs += run > 0;
		if (t->runs && bench_wall_ns() - begin > budget)
			break;
	}
	t->floor_ns = harness_median(t->floors, t->runs);
	for (unsigned int i = 0; i < t->ncols; i++) {
		struct cell *c = &t->cell[i];

		for (unsigned int k = 0; c->fn && !c->failed && k < c->laps; k++)
			harness_stats(&c[k], t->runs);
	}
	for (unsigned int i = 0; i < t->ncols; i++)
		if (t->cell[i].ratio)
			harness_ratio(t, &t->cell[i]);
	harness_print(t);
	t->rows++;
}

struct bench_value bench_get(const struct bench_table *t, unsigned int col)
{
	const struct cell *c = &t->cell[col];
	struct bench_value v = { c->median, c->min, c->max, NAN };
	double r[BENCH_RUNS];

	if (isnan(c->median) || c->known)
		return v;
	for (unsigned int i = 0; i < t->runs; i++)
		r[i] = c->v[i] / t->floors[i];
	v.floors = harness_median(r, t->runs);
	return v;
}

double bench_ratio(const struct bench_table *t, unsigned int col, unsigned int to)
{
	const struct cell *a = &t->cell[col], *b = &t->cell[to];
	double r[BENCH_RUNS];

	if (isnan(a->median) || isnan(b->median))
		return NAN;
	if (a->known || b->known)
		return a->median / b->median;
	for (unsigned int i = 0; i < t->runs; i++)
		r[i] = a->v[i] / b->v[i];
	return harness_median(r, t->runs);
}

void bench_table_end(struct bench_table *t)
{
	t->ncols = 0;
}

void bench_target(const char *name, double measured, double limit, bool at_most, const char *unit,
		  const char *fmt, ...)
{
	struct target *g = &h.target[h.targets];
	va_list ap;

	if (h.targets == TARGETS)
		return;
	h.targets++;
	snprintf(g->name, sizeof(g->name), "%s", name);
	snprintf(g->unit, sizeof(g->unit), "%s", unit);
	va_start(ap, fmt);
	vsnprintf(g->what, sizeof(g->what), fmt, ap);
	va_end(ap);
	g->measured = measured;
	g->limit = limit;
	g->at_most = at_most;
}

void bench_worse(struct bench_worst *w, double value, bool larger, const char *fmt, ...)
{
	va_list ap;

	if (isnan(value) || (w->any && (larger ? value <= w->value : value >= w->value)))
		return;
	w->any = true;
	w->value = value;
	va_start(ap, fmt);
	vsnprintf(w->what, sizeof(w->what), fmt, ap);
	va_end(ap);
}

static const char *harness_verdict(const struct target *g)
{
	if (isnan(g->measured))
		return "not measured";
	return (g->at_most ? g->measured <= g->limit : g->measured >= g->limit) ? "met" : "missed";
}

static void harness_targets(void)
{
	unsigned int met = 0, missed = 0;

	if (h.targets)
		printf("\ntargets\n");
	for (unsigned int i = 0; i < h.targets; i++) {
		const struct target *g = &h.target[i];
		const char *verdict = harness_verdict(g);

		met += !strcmp(verdict, "met");
		missed += !strcmp(verdict, "missed");
		printf("%-10s %-62s ", g->name, g->what);
		harness_number(g->measured);
		printf(" %-7s at %-5s ", g->unit, g->at_most ? "most" : "least");
		harness_number(g->limit);
		printf("  %s\n", verdict);
	}
	if (h.targets)
		printf("%u met, %u missed\n", met, missed);
}

int bench_finish(void)
{
	double seconds = (bench_wall_ns() - h.start) / 1e9;

	threads_stop();
	if (!bench_opts.json) {
		harness_targets();
		printf("%.0f seconds; %.1f %% of the measured time went to other work on the "
		       "machine\n",
		       seconds, 100 * threads_lost());
		return 0;
	}
	printf("\n],\n\"targets\": [");
	for (unsigned int i = 0; i < h.targets; i++) {
		const struct target *g = &h.target[i];

		printf("%s\n{\"case\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\", ", i ? "," : "",
		       g->name, g->what, g->unit);
		if (!isnan(g->measured))
			printf("\"measured\": %.6g, ", g->measured);
		printf("\"%s\": %.6g, \"verdict\": \"%s\"}", g->at_most ? "at_most" : "at_least",
		       g->limit, harness_verdict(g));
	}
	printf("\n],\n\"seconds\": %.1f,\n\"lost\": %.4f\n}\n", seconds, threads_lost());
	return 0;
}
