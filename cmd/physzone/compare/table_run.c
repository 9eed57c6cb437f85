/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_run.c - the stream run with one way, with the account of what came of it.
 *
 * Concept: the operations are done on real translation tables, whose second levels come from the
 * way. What is held is what is missing of the machine's free pages and the others' together, but
 * for first levels, so that it counts alike for all ways. A mapping for which a table could not be
 * had is left out.
 *
 * Invariants, verified when the run ends: 1. all pages are free or the others'; 2. the invariants
 * of the way, of the tables and of the page allocator hold, and none saw a misuse; 3. no two tables
 * overlapped; and where most is mapped, after the drop and at the end of the stream: 4. the tables
 * say what was mapped, and nothing else; 5. they are as many as the stream needs, unless one
 * failed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../progress.h"
#include "table_watch.h"

#define RUN_PERIODS 10u /* of pressure */
#define RUN_PASSES 5u	/* for the clock */

/* A provider on top of a way's that looks at the clock. */
struct run_clock {
	struct pz_table_mem mem;
	const struct pz_table_mem *under;
	double look; /* what two looks take in themselves */
	double spent[2];
	uint64_t times[2];
};

struct run {
	struct tables_run *r;
	struct tables_count *n;
	const struct table_trace *t;
	const struct tables_settings *set;
	struct table_bed bed;
	struct table_use use;
	struct table_watch watch;
	struct table_domains domains;
	unsigned int count; /* of domains */
	uint64_t wanted;    /* tables that would be out if none had failed */
	bool dropped;
	struct run_clock clock;
};

static uint64_t run_held(const struct run *x)
{
	return (table_bed_held(&x->bed) << x->bed.m->page_shift) -
	       (x->domains.first ? table_domains_first(&x->domains) : 0);
}

static void run_account(struct run *x)
{
	uint64_t held = run_held(x), payload = x->watch.live << TABLE_SHIFT;

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
	x->n->low_payload = x->watch.live << TABLE_SHIFT;
	x->n->low_wanted = x->wanted << TABLE_SHIFT;
	table_use_shrink(&x->use);
	x->n->shrunk = run_held(x);
}

static bool run_pressed(const struct run *x, size_t i)
{
	size_t period = (x->t->steps.n + RUN_PERIODS - 1) / RUN_PERIODS;

	/* At the end of each period, so that it begins in peace. */
	return i % period * 100 >= period * (100 - x->set->pressure);
}

static void run_sample(struct run *x)
{
	struct tables_sample *s = vec_push(&x->r->samples);

	s->held = run_held(x);
	s->payload = x->watch.live << TABLE_SHIFT;
	s->wanted = x->wanted << TABLE_SHIFT;
	s->failed = x->n->atomic_failed;
}

/* What is mapped at the end of a recording goes with its domains, and so do tables that stayed. */
static void run_rest(struct run *x)
{
	table_watch_verify(&x->watch, &x->domains);
	for (size_t i = 0; i < x->watch.mib.n && !x->watch.wrong; i++) {
		const struct table_watch_mib *m = x->watch.mib.v[i];
		uint64_t was = x->watch.live;

		table_domains_clear(&x->domains, m->domain, m->iova);
		x->wanted -= x->wanted && x->watch.live < was;
		if (!x->dropped && x->wanted <= x->t->peak / 10)
			run_low(x);
	}
}

/* Whether nine tables in ten came back with the last of so many operations. */
static bool run_dropped(const struct run *x, size_t steps)
{
	if (x->dropped)
		return false;
	if (x->t->step_low && !x->set->keep)
		return steps == x->t->step_low;
	return steps > x->t->step_peak && x->wanted <= x->t->peak / 10;
}

static void run_step(struct run *x, const struct table_step *s)
{
	int rc;

	if (x->use.way->tick)
		x->use.way->tick(&x->use, !s->op.atomic);
	rc = table_domains_do(&x->domains, &s->op);
	table_watch_done(&x->watch, &s->op, rc);
	x->wanted = s->tables;
	if (!x->n->atomic_failed && !x->n->waiting_failed && x->watch.live != x->wanted &&
	    !x->watch.wrong)
		x->watch.wrong = "the tables are not those that the stream needs";
}

static void run_steps(struct run *x, bool sample)
{
	const struct table_trace *t = x->t;
	size_t every = t->steps.n / TABLES_SAMPLES + 1;

	for (size_t i = 0; i < t->steps.n && !x->watch.wrong; i++) {
		table_bed_press(&x->bed, run_pressed(x, i));
		run_step(x, &t->steps.v[i]);
		run_account(x);
		if (i + 1 == t->step_peak)
			table_watch_verify(&x->watch, &x->domains);
		if (run_dropped(x, i + 1)) {
			table_watch_verify(&x->watch, &x->domains);
			run_low(x);
		}
		if (sample && i % every == 0)
			run_sample(x);
		if (!(i & 0xfff))
			progress(x->use.way->name, i, t->steps.n);
	}
	progress_end();
	table_bed_press(&x->bed, false);
	run_rest(x);
	x->n->end = run_held(x);
	if (sample)
		run_sample(x);
	table_use_shrink(&x->use);
	x->n->end_shrunk = run_held(x);
}

/* What must hold in the end; NULL, or what does not. */
static char *run_wrong(struct run *x)
{
	int rc = x->watch.wrong ? 0 : table_use_check(&x->use);
	int closed = table_domains_close(&x->domains);

	if (!closed)
		closed = table_use_close(&x->use);
	x->n->meta = x->use.meta_most;
	if (x->watch.wrong)
		return xstrdup(x->watch.wrong);
	if (rc)
		return xasprintf("its invariant %d does not hold", rc);
	if (closed || x->watch.live || x->watch.taken.n)
		return xasprintf("%" PRIu64 " tables are still out (error %d)", x->watch.live,
				 closed);
	if (run_held(x))
		return xasprintf("%" PRIu64 " bytes are still held", run_held(x));
	if (x->use.meta_bytes)
		return xasprintf("%" PRIu64 " bytes of metadata are still held", x->use.meta_bytes);
	if (x->bed.bugs.count)
		return xasprintf("%" PRIu64 " misuses were told", x->bed.bugs.count);
	rc = pz_pages_check(x->bed.pages);
	return rc ? xasprintf("the page allocator's invariant %d does not hold", rc) : NULL;
}

/* The bed, the way, and domains on it. */
static int run_open(struct run *x, const struct table_way *way, const struct compare_machine *m,
		    const struct table_arena *arena, bool debug, bool watched, char **err)
{
	int rc = table_bed_make(&x->bed, m, arena, x->set->last, debug, err);

	if (rc)
		return rc;
	rc = table_use_open(&x->use, way, &x->bed, debug, tables_ready(x->t));
	if (rc) {
		*err = xasprintf("%s cannot be set up on %s (error %d)", way->name, m->title, rc);
		return EXIT_UNDECIDED;
	}
	table_watch_begin(&x->watch, &x->use, x->n);
	rc = table_domains_open(&x->domains, &x->bed, watched ? &x->watch.mem : &x->clock.mem,
				x->count, x->set->keep);
	if (!rc)
		return 0;
	*err = xasprintf("%s has no room for the first levels of %u domains (error %d)", m->title,
			 x->count, rc);
	(void)table_domains_close(&x->domains);
	(void)table_use_close(&x->use);
	return EXIT_UNDECIDED;
}

static void run_close(struct run *x)
{
	table_watch_end(&x->watch);
	table_bed_destroy(&x->bed);
}

static int run_once(struct run *x, const struct table_way *way, const struct compare_machine *m,
		    const struct table_arena *arena, bool debug, char **err)
{
	int rc = run_open(x, way, m, arena, debug, true, err);
	char *wrong;

	if (!rc) {
		if (!debug)
			x->r->how = x->use.way->how(&x->use);
		table_bed_fill(&x->bed, x->set->fill);
		run_steps(x, !debug);
		wrong = run_wrong(x);
		if (wrong) {
			*err = xasprintf("%s: %s", way->name, wrong);
			rc = EXIT_UNDECIDED;
		}
		free(wrong);
	}
	run_close(x);
	return rc;
}

static double run_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What two looks at the clock take in themselves. */
static double run_look(void)
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

static int run_clock_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			   struct pz_table *out)
{
	struct run_clock *c = ctx;
	double from = run_now();
	int rc = c->under->alloc(c->under->ctx, cpu, gfp, bytes, out);

	c->spent[0] += run_now() - from - c->look;
	c->times[0]++;
	return rc;
}

static void run_clock_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct run_clock *c = ctx;
	double from = run_now();

	c->under->free(c->under->ctx, cpu, bytes, t);
	c->spent[1] += run_now() - from - c->look;
	c->times[1]++;
}

/* Of a pass over the stream, nanoseconds for each table taken and given back. */
static void run_pass(struct run *x, double *take, double *give)
{
	struct run_clock *c = &x->clock;

	memset(c->spent, 0, sizeof(c->spent));
	memset(c->times, 0, sizeof(c->times));
	for (size_t i = 0; i < x->t->steps.n; i++) {
		if (x->use.way->tick)
			x->use.way->tick(&x->use, true);
		(void)table_domains_do(&x->domains, &x->t->steps.v[i].op);
	}
	for (size_t i = 0; i < x->t->steps.n; i++)
		if (!x->t->steps.v[i].op.unmap)
			table_domains_clear(&x->domains, x->t->steps.v[i].op.domain,
					    x->t->steps.v[i].op.iova);
	*take = c->times[0] ? c->spent[0] / (double)c->times[0] : 0;
	*give = c->times[1] ? c->spent[1] / (double)c->times[1] : 0;
}

/* The best of some passes on a machine with much free memory. */
static int run_time(struct run *x, const struct table_way *way, const struct compare_machine *m,
		    const struct table_arena *arena, char **err)
{
	int rc;

	x->clock.look = run_look();
	x->clock.under = &x->use.mem;
	x->clock.mem = (struct pz_table_mem){ run_clock_alloc, run_clock_free, &x->clock, false };
	rc = run_open(x, way, m, arena, false, false, err);
	for (unsigned int i = 0; !rc && i < RUN_PASSES; i++) {
		double take, give;

		run_pass(x, &take, &give);
		if (!i || take < x->r->take_ns)
			x->r->take_ns = take > 0 ? take : 0;
		if (!i || give < x->r->give_ns)
			x->r->give_ns = give > 0 ? give : 0;
	}
	if (!rc) {
		(void)table_domains_close(&x->domains);
		(void)table_use_close(&x->use);
	}
	run_close(x);
	return rc;
}

int tables_run(struct tables_run *r, const struct table_way *way, const struct compare_machine *m,
	       const struct table_arena *arena, const struct table_trace *t, unsigned int domains,
	       const struct tables_settings *set, char **err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	r->name = way->name;
	for (int debug = 0; debug < 2; debug++) {
		struct run x = { .r = r, .t = t, .set = set, .count = domains };

		x.n = debug ? &r->debug : &r->plain;
		rc = run_once(&x, way, m, arena, debug, err);
		if (rc)
			return rc;
	}
	if (set->time) {
		struct run x = {
			.r = r, .n = &r->plain, .t = t, .set = set, .count = domains
		};

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
