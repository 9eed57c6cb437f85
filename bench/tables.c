/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - what a second-level table of an IOMMU costs by each of the ways of `physzone compare
 * tables`: 1 KiB, aligned, below 4 GiB, as from atomic context.
 *
 * Each way has a machine of 512 MiB of its own, with all memory free but what the way takes. All
 * are called as a struct pz_table_mem. The stream is one of mappings on real translation tables,
 * which take second levels from the way and give them back: one domain for each of the mix.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/table_domains.h"
#include "compare/tables.h"
#include "harness.h"

#define TABLES_MANY 1024u

struct tables_work {
	struct compare_machine m;
	struct table_arena arena;
	struct table_bed bed;
	struct table_use use;
	struct table_domains domains;
	const struct table_trace *trace;
	struct pz_table at[TABLES_MANY];
	uint32_t order[TABLES_MANY]; /* in which they are given back */
};

static struct tables_work tables_work[TABLE_WAYS];
static const char *tables_cols[TABLE_WAYS + 1];

static void tables_need(int rc, char *err)
{
	if (!rc)
		return;
	fprintf(stderr, "bench: %s\n", err ? err : "a way to allocate tables cannot be set up");
	exit(1);
}

static void tables_open(struct tables_work *w, enum table_way_id id, const struct table_trace *t,
			unsigned int domains)
{
	uint64_t seed = 7;
	char *err = NULL;

	tables_need(compare_machine_pc(&w->m, UINT64_C(512) << 20, &err), err);
	w->m.title = xstrdup("a PC of 512 MiB");
	tables_need(table_arena_make(&w->arena, &w->m, UINT32_MAX, &err), err);
	tables_need(table_bed_make(&w->bed, &w->m, &w->arena, UINT32_MAX, false, &err), err);
	tables_need(table_use_open(&w->use, table_way(id), &w->bed, false,
				   tables_ready(t) + 4 * TABLES_MANY),
		    NULL);
	tables_need(table_domains_open(&w->domains, &w->bed, &w->use.mem, domains, false), NULL);
	w->trace = t;
	for (uint32_t i = 0; i < TABLES_MANY; i++)
		w->order[i] = i;
	for (uint32_t i = TABLES_MANY; --i;) {
		uint32_t k = bench_below(&seed, i + 1), other = w->order[k];

		w->order[k] = w->order[i];
		w->order[i] = other;
	}
	tables_cols[id] = w->use.way->name;
}

static void tables_close(struct tables_work *w)
{
	if (table_use_check(&w->use) || table_domains_close(&w->domains) ||
	    table_use_close(&w->use) || table_bed_held(&w->bed) || w->bed.bugs.count)
		fprintf(stderr, "bench: %s does not end as it began\n", w->use.way->name);
	table_bed_destroy(&w->bed);
	table_arena_destroy(&w->arena);
	compare_machine_destroy(&w->m);
}

static void tables_tick(struct tables_work *w)
{
	if (w->use.way->tick)
		w->use.way->tick(&w->use, true);
}

/* A table taken and given back, with another one out: else chunks and blocks would come and go. */
static uint64_t tables_pair(struct bench_arg *arg)
{
	struct tables_work *w = arg->ctx;
	struct pz_table first, t;

	if (table_use_take(&w->use, true, &first))
		return 0;
	for (uint64_t i = 0; i < arg->n; i++) {
		if (table_use_take(&w->use, true, &t))
			return 0;
		table_use_give(&w->use, &t);
	}
	table_use_give(&w->use, &first);
	return arg->n;
}

/* The stream once, mapping by mapping; at its end nothing is mapped. */
static uint64_t tables_stream(struct bench_arg *arg)
{
	struct tables_work *w = arg->ctx;
	const struct table_trace *t = w->trace;

	for (size_t i = 0; i < t->steps.n; i++) {
		tables_tick(w);
		(void)table_domains_do(&w->domains, &t->steps.v[i].op);
	}
	return t->steps.n;
}

static bool tables_fill(struct tables_work *w)
{
	for (uint32_t i = 0; i < TABLES_MANY; i++) {
		tables_tick(w);
		if (table_use_take(&w->use, false, &w->at[i]))
			return false;
	}
	return true;
}

static void tables_empty(struct tables_work *w)
{
	for (uint32_t i = 0; i < TABLES_MANY; i++)
		table_use_give(&w->use, &w->at[w->order[i]]);
}

static uint64_t tables_take_many(struct bench_arg *arg)
{
	struct tables_work *w = arg->ctx;

	bench_lap_start(arg);
	if (!tables_fill(w))
		return 0;
	bench_lap_end(arg, TABLES_MANY);
	tables_empty(w);
	return TABLES_MANY;
}

static uint64_t tables_give_many(struct bench_arg *arg)
{
	struct tables_work *w = arg->ctx;

	if (!tables_fill(w))
		return 0;
	bench_lap_start(arg);
	tables_empty(w);
	bench_lap_end(arg, TABLES_MANY);
	return TABLES_MANY;
}

static void tables_rows(void)
{
	static const struct {
		const char *what;
		bench_fn fn;
		uint64_t n;
		unsigned int laps;
	} rows[] = {
		{ "taken and given back", tables_pair, 0, 1 },
		{ "a mapping of the stream made or undone", tables_stream, 1, 1 },
		{ "1024 taken", tables_take_many, 1, 1 },
		{ "1024 given back, at random", tables_give_many, 1, 1 },
	};
	struct bench_table *t =
		bench_table("tables", "a table of 1 KiB below 4 GiB", "ns", tables_cols, true);

	for (unsigned int k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		bench_row(t, "%s", rows[k].what);
		for (unsigned int i = 0; i < TABLE_WAYS; i++)
			bench_cell(t, i, rows[k].fn, &tables_work[i], 1, rows[k].n, rows[k].laps);
		bench_run(t);
	}
	bench_table_end(t);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "tables", NULL };
	static const char *const what[] = { "second-level tables of an IOMMU, by each allocator" };
	int status = bench_begin(argc, argv, names, what);
	struct table_trace trace;
	struct table_ops ops;
	char *err = NULL;
	struct mix mix;

	if (status >= 0)
		return status;
	tables_need(mix_read(&mix, MIX_TABLES, "media", &err), err);
	tables_need(table_ops_generate(&ops, &mix, 1, &err), err);
	table_reduce(&trace, &ops, false);
	for (unsigned int i = 0; i < TABLE_WAYS; i++)
		tables_open(&tables_work[i], (enum table_way_id)i, &trace, ops.domains);
	if (bench_wanted("tables"))
		tables_rows();
	for (unsigned int i = 0; i < TABLE_WAYS; i++)
		tables_close(&tables_work[i]);
	table_trace_destroy(&trace);
	table_ops_destroy(&ops);
	mix_destroy(&mix);
	return bench_finish();
}
