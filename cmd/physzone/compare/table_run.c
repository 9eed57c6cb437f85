/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_run.c - the stream run with one way, with the account of what came of it.
 *
 * Concept: what is held is what is missing of the machine's free pages and the others' together, so
 * that it counts alike for all ways. A table that could not be had is not there: its return is left
 * out. Each table is marked at both ends while it is out, and the marks are looked for when it
 * comes back. What may wait and fails makes the others give pages back, and asks again.
 *
 * Invariants, verified when the run ends: 1. all pages are free or the others'; 2. the invariants
 * of the way and of the page allocator hold, and none saw a misuse; 3. no two tables overlapped,
 * and nobody wrote to a table while it was out.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../progress.h"
#include "pfn_map.h"
#include "tables.h"

#define RUN_NONE UINT64_MAX
#define RUN_TRIES 8u	/* of a request that may wait */
#define RUN_PERIODS 10u /* of pressure */
#define RUN_PASSES 5u	/* for the clock */
#define RUN_MARK UINT64_C(0x7461626c65000000)

struct run {
	struct tables_run *r;
	struct tables_count *n;
	const struct table_trace *t;
	const struct tables_settings *set;
	struct table_bed bed;
	struct table_use use;
	uint64_t *at;	       /* by table, its address */
	struct pfn_map taken;  /* by place of 1 KiB, the table there */
	bool *due;	       /* by table, it is out as far as the stream is concerned */
	uint64_t live, wanted; /* tables that are out, and that are due */
	bool dropped;
	const char *wrong;
};

static unsigned char *run_table(const struct run *x, uint64_t addr)
{
	return x->bed.arena->at + addr;
}

/* The first of them is told. */
static void run_fault(struct run *x, const char *what)
{
	if (!x->wrong)
		x->wrong = what;
}

static void run_mark(struct run *x, uint32_t table, uint64_t addr)
{
	uint64_t mark = RUN_MARK + table, last = addr + TABLE_BYTES - 1;
	uint32_t other;

	x->n->misaligned += addr % TABLE_BYTES != 0;
	x->n->beyond += last > x->bed.limits.max_addr;
	if (last >= x->bed.arena->bytes) {
		run_fault(x, "a table lies where no memory is");
		return;
	}
	if (addr % TABLE_BYTES == 0) {
		if (pfn_map_get(&x->taken, addr >> TABLE_SHIFT, &other))
			run_fault(x, "two tables overlap");
		pfn_map_set(&x->taken, addr >> TABLE_SHIFT, table);
	}
	memcpy(run_table(x, addr), &mark, sizeof(mark));
	memcpy(run_table(x, addr) + TABLE_BYTES - sizeof(mark), &mark, sizeof(mark));
}

static void run_unmark(struct run *x, uint32_t table, uint64_t addr)
{
	uint64_t mark = RUN_MARK + table, last = addr + TABLE_BYTES - 1;

	if (last >= x->bed.arena->bytes)
		return;
	if (memcmp(run_table(x, addr), &mark, sizeof(mark)) ||
	    memcmp(run_table(x, addr) + TABLE_BYTES - sizeof(mark), &mark, sizeof(mark)))
		run_fault(x, "a table was written to by somebody else");
	if (addr % TABLE_BYTES == 0)
		pfn_map_remove(&x->taken, addr >> TABLE_SHIFT);
}

static void run_take(struct run *x, uint32_t table, bool atomic)
{
	const struct table_way *w = x->use.way;
	unsigned int tries = 0;
	uint64_t addr;
	int rc;

	x->due[table] = true;
	x->wanted++;
	x->n->asked++;
	x->n->atomic_asked += atomic;
	rc = w->take(&x->use, atomic, &addr);
	while (rc && !atomic && ++tries < RUN_TRIES &&
	       table_bed_relieve(&x->bed, UINT64_C(64) << tries))
		rc = w->take(&x->use, atomic, &addr);
	if (rc) {
		x->n->atomic_failed += atomic;
		x->n->waiting_failed += !atomic;
		return;
	}
	x->n->served++;
	x->at[table] = addr;
	x->live++;
	run_mark(x, table, addr);
}

static void run_give(struct run *x, uint32_t table)
{
	uint64_t addr = x->at[table];

	x->wanted -= x->due[table];
	x->due[table] = false;
	if (addr == RUN_NONE)
		return;
	run_unmark(x, table, addr);
	x->use.way->give(&x->use, addr);
	x->at[table] = RUN_NONE;
	x->live--;
}

static uint64_t run_held(const struct run *x)
{
	return table_bed_held(&x->bed) << x->bed.m->page_shift;
}

static void run_account(struct run *x)
{
	uint64_t held = run_held(x), payload = x->live << TABLE_SHIFT;

	if (held > x->n->peak || (held == x->n->peak && payload > x->n->peak_payload)) {
		x->n->peak = held;
		x->n->peak_payload = payload;
	}
}

/* Nine tables in ten came back: what is held now, and what of it goes when asked for. */
static void run_low(struct run *x)
{
	x->dropped = true;
	x->n->low = run_held(x);
	x->n->low_payload = x->live << TABLE_SHIFT;
	x->n->low_wanted = x->wanted << TABLE_SHIFT;
	if (x->use.way->shrink)
		x->use.way->shrink(&x->use);
	x->n->shrunk = run_held(x);
}

static bool run_pressed(const struct run *x, size_t i)
{
	size_t period = (x->t->events.n + RUN_PERIODS - 1) / RUN_PERIODS;

	/* At the end of each period, so that it begins in peace. */
	return i % period * 100 >= period * (100 - x->set->pressure);
}

static void run_sample(struct run *x)
{
	struct tables_sample *s = vec_push(&x->r->samples);

	s->held = run_held(x);
	s->payload = x->live << TABLE_SHIFT;
	s->wanted = x->wanted << TABLE_SHIFT;
	s->failed = x->n->atomic_failed;
}

/* What is mapped at the end of a recording goes with its domains. */
static void run_rest(struct run *x)
{
	for (uint32_t i = 0; i < x->t->tables; i++) {
		run_give(x, i);
		if (!x->dropped && x->wanted <= x->t->peak / 10)
			run_low(x);
	}
}

/* Whether nine tables in ten came back with the last of so many events. */
static bool run_dropped(const struct run *x, size_t events)
{
	if (x->dropped)
		return false;
	if (x->t->at_low && !x->set->keep)
		return events == x->t->at_low;
	return events > x->t->at_peak && x->wanted <= x->t->peak / 10;
}

static void run_events(struct run *x, bool sample)
{
	const struct table_trace *t = x->t;
	size_t every = t->events.n / TABLES_SAMPLES + 1;

	for (size_t i = 0; i < t->events.n && !x->wrong; i++) {
		const struct table_event *e = &t->events.v[i];

		table_bed_press(&x->bed, run_pressed(x, i));
		if (x->use.way->tick)
			x->use.way->tick(&x->use, !e->atomic);
		if (e->back)
			run_give(x, e->table);
		else
			run_take(x, e->table, e->atomic);
		run_account(x);
		if (run_dropped(x, i + 1))
			run_low(x);
		if (sample && i % every == 0)
			run_sample(x);
		if (!(i & 0xfff))
			progress(x->use.way->name, i, t->events.n);
	}
	progress_end();
	table_bed_press(&x->bed, false);
	run_rest(x);
	x->n->end = run_held(x);
	if (sample)
		run_sample(x);
	if (x->use.way->shrink)
		x->use.way->shrink(&x->use);
	x->n->end_shrunk = run_held(x);
}

/* What must hold in the end; NULL, or what does not. */
static char *run_wrong(struct run *x)
{
	int rc = x->wrong ? 0 : x->use.way->check(&x->use);
	int closed = table_use_close(&x->use);

	x->n->meta = x->use.meta_most;
	if (x->wrong)
		return xstrdup(x->wrong);
	if (rc)
		return xasprintf("its invariant %d does not hold", rc);
	if (closed || x->live || x->taken.n)
		return xasprintf("%" PRIu64 " tables are still out (error %d)", x->live, closed);
	if (run_held(x))
		return xasprintf("%" PRIu64 " bytes are still held", run_held(x));
	if (x->use.meta_bytes)
		return xasprintf("%" PRIu64 " bytes of metadata are still held", x->use.meta_bytes);
	if (x->bed.bugs.count)
		return xasprintf("%" PRIu64 " misuses were told", x->bed.bugs.count);
	rc = pz_pages_check(x->bed.pages);
	return rc ? xasprintf("the page allocator's invariant %d does not hold", rc) : NULL;
}

static void run_begin(struct run *x)
{
	x->at = xmalloc(x->t->tables * sizeof(*x->at));
	memset(x->at, 0xff, x->t->tables * sizeof(*x->at));
	x->due = xcalloc(x->t->tables, sizeof(*x->due));
}

static int run_once(struct run *x, const struct table_way *way, const struct compare_machine *m,
		    const struct table_arena *arena, bool debug, char **err)
{
	int rc = table_bed_make(&x->bed, m, arena, x->set->last, debug, err);
	char *wrong;

	if (!rc) {
		rc = table_use_open(&x->use, way, &x->bed, debug);
		if (rc) {
			*err = xasprintf("%s cannot be set up on %s (error %d)", way->name,
					 m->title, rc);
			rc = EXIT_UNDECIDED;
		}
	}
	if (!rc) {
		run_begin(x);
		if (!debug)
			x->r->how = x->use.way->how(&x->use);
		table_bed_fill(&x->bed, x->set->fill);
		run_events(x, !debug);
		wrong = run_wrong(x);
		if (wrong) {
			*err = xasprintf("%s: %s", way->name, wrong);
			rc = EXIT_UNDECIDED;
		}
		free(wrong);
	}
	table_bed_destroy(&x->bed);
	pfn_map_destroy(&x->taken);
	free(x->at);
	free(x->due);
	return rc;
}

static double run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What two looks at the clock take in themselves. */
static double run_clock(void)
{
	double least = 1e9;

	for (unsigned int k = 0; k < 8; k++) {
		double from = run_now(), each;

		for (unsigned int i = 0; i < 1000; i++)
			(void)run_now();
		each = (run_now() - from) / 1001;
		least = each < least ? each : least;
	}
	return least;
}

/* One pass over the stream; nanoseconds for each table taken and given back. */
static void run_pass(struct run *x, double clock, double *take, double *give)
{
	const struct table_way *w = x->use.way;
	double spent[2] = { 0, 0 };
	uint64_t times[2] = { 0, 0 };

	for (size_t i = 0; i < x->t->events.n; i++) {
		const struct table_event *e = &x->t->events.v[i];
		uint64_t *at = &x->at[e->table];
		double from;
		int rc = 0;

		if (w->tick)
			w->tick(&x->use, true);
		if (e->back && *at == RUN_NONE)
			continue;
		from = run_now();
		if (e->back)
			w->give(&x->use, *at);
		else
			rc = w->take(&x->use, e->atomic, at);
		spent[e->back] += run_now() - from - clock;
		times[e->back]++;
		if (e->back || rc)
			*at = RUN_NONE;
	}
	for (uint32_t i = 0; i < x->t->tables; i++) {
		if (x->at[i] != RUN_NONE)
			w->give(&x->use, x->at[i]);
		x->at[i] = RUN_NONE;
	}
	*take = times[0] ? spent[0] / (double)times[0] : 0;
	*give = times[1] ? spent[1] / (double)times[1] : 0;
}

/* The best of some passes on a machine with much free memory. */
static int run_time(struct run *x, const struct table_way *way, const struct compare_machine *m,
		    const struct table_arena *arena, char **err)
{
	int rc = table_bed_make(&x->bed, m, arena, x->set->last, false, err);

	if (!rc && table_use_open(&x->use, way, &x->bed, false)) {
		*err = xasprintf("%s cannot be set up on %s", way->name, m->title);
		rc = EXIT_UNDECIDED;
	}
	if (!rc) {
		double clock = run_clock();

		run_begin(x);
		for (unsigned int i = 0; i < RUN_PASSES; i++) {
			double take, give;

			run_pass(x, clock, &take, &give);
			if (!i || take < x->r->take_ns)
				x->r->take_ns = take > 0 ? take : 0;
			if (!i || give < x->r->give_ns)
				x->r->give_ns = give > 0 ? give : 0;
		}
		(void)table_use_close(&x->use);
		free(x->at);
		free(x->due);
	}
	table_bed_destroy(&x->bed);
	return rc;
}

int tables_run(struct tables_run *r, const struct table_way *way, const struct compare_machine *m,
	       const struct table_arena *arena, const struct table_trace *t,
	       const struct tables_settings *set, char **err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->name = way->name;
	for (int debug = 0; debug < 2; debug++) {
		struct run x = { .r = r, .t = t, .set = set };

		x.n = debug ? &r->debug : &r->plain;
		rc = run_once(&x, way, m, arena, debug, err);
		if (rc)
			return rc;
	}
	if (set->time) {
		struct run x = { .r = r, .n = &r->plain, .t = t, .set = set };

		rc = run_time(&x, way, m, arena, err);
	}
	return rc;
}

void tables_run_destroy(struct tables_run *r)
{
	vec_free(&r->samples);
	free(r->how);
	r->how = NULL;
}
