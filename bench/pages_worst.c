/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages_worst.c - what it costs to learn that there is no memory.
 *
 * Each state of memory is made anew on a machine of 8 GiB and on one of 1 TiB, and requests that it
 * cannot serve are asked. A few that it can serve, just, stand beside them.
 *
 * Runs of any length are measured in three ways: the first time, when memory has to be looked at;
 * again; and "changed", which is again after a page somewhere was freed and taken back. The time of
 * the freeing and taking, measured without asking, is subtracted.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pages.h"

#define TAKE_ALL (PZ_GFP_MEMALLOC | PZ_GFP_NOKEEP)
#define CHANGED 4096u /* pages that are freed and taken back in turn */

enum state {
	S_IDLE,
	S_MARKS,  /* full as far as ordinary requests may go */
	S_FULL,	  /* to the last page */
	S_HOLE,	  /* full but for one page */
	S_ODD,	  /* every other page taken */
	S_HALF,	  /* half of the pages taken, at random */
	S_BLOCKS, /* every other 2 MiB taken */
	STATES,
};

static const char *const worst_states[STATES] = {
	"idle", "to the marks", "full", "one hole", "checkerboard", "random half", "every 2nd 2M",
};

struct ask {
	enum state state;
	const char *what;
	uint64_t pages;
	unsigned int align_order;
	unsigned int bits; /* 0: no limit */
	bool window;	   /* [1 GiB, 1.5 GiB), at any byte */
	uint32_t gfp;
	int expect; /* 0: served, and freed again */
};

static const struct ask worst_asks[] = {
	{ S_IDLE, "2^52 bytes", (uint64_t)1 << 40, 0, 0, false, 0, -PZ_ERANGE },
	{ S_IDLE, "2M of 20 bits", 512, 9, 20, false, 0, -PZ_ERANGE },
	{ S_IDLE, "16M at 16M, 24 bits", 4096, 12, 24, false, 0, -PZ_ERANGE },
	{ S_MARKS, "order 0", 1, 0, 0, false, 0, -PZ_ENOMEM },
	{ S_MARKS, "order 9", 512, 9, 0, false, 0, -PZ_ENOMEM },
	{ S_FULL, "order 0", 1, 0, 0, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_FULL, "order 9", 512, 9, 0, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_FULL, "order 0, 28 bits", 1, 0, 28, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_FULL, "order 0, window", 1, 0, 0, true, TAKE_ALL, -PZ_ENOMEM },
	{ S_FULL, "100 pages", 100, 0, 0, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_HOLE, "order 0 (served)", 1, 0, 0, false, TAKE_ALL, 0 },
	{ S_HOLE, "order 1", 2, 1, 0, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_HOLE, "order 0, 28 bits", 1, 0, 28, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_HOLE, "2 pages", 2, 0, 0, false, TAKE_ALL, -PZ_ENOMEM },
	{ S_ODD, "order 1", 2, 1, 0, false, 0, -PZ_ENOMEM },
	{ S_ODD, "order 9", 512, 9, 0, false, 0, -PZ_ENOMEM },
	{ S_ODD, "order 1, 28 bits", 2, 1, 28, false, 0, -PZ_ENOMEM },
	{ S_ODD, "order 1, window", 2, 1, 0, true, 0, -PZ_ENOMEM },
	{ S_ODD, "2 pages", 2, 0, 0, false, 0, -PZ_ENOMEM },
	{ S_ODD, "100 pages", 100, 0, 0, false, 0, -PZ_ENOMEM },
	{ S_ODD, "1 page at 8K (served)", 1, 1, 0, false, 0, 0 },
	{ S_HALF, "order 6", 64, 6, 0, false, 0, -PZ_ENOMEM },
	{ S_HALF, "order 6, 28 bits", 64, 6, 28, false, 0, -PZ_ENOMEM },
	{ S_HALF, "64 pages", 64, 0, 0, false, 0, -PZ_ENOMEM },
	{ S_HALF, "64 pages, 28 bits", 64, 0, 28, false, 0, -PZ_ENOMEM },
	{ S_BLOCKS, "order 10", 1024, 10, 0, false, 0, -PZ_ENOMEM },
	{ S_BLOCKS, "order 10, 28 bits", 1024, 10, 28, false, 0, -PZ_ENOMEM },
	{ S_BLOCKS, "513 pages", 513, 0, 0, false, 0, -PZ_ENOMEM },
	{ S_BLOCKS, "513 pages, window", 513, 0, 0, true, 0, -PZ_ENOMEM },
};

#define ASKS (sizeof(worst_asks) / sizeof(worst_asks[0]))

static uint64_t worst_ask(struct bench_arg *arg)
{
	const struct work *w = arg->ctx;
	uint64_t pfn;

	for (uint64_t i = 0; i < arg->n; i++) {
		if (pz_page_request(w->pages, &w->req, &pfn) != w->expect)
			return 0;
		if (!w->expect)
			pz_free_exact(w->pages, 0, pfn, w->req.pages);
	}
	return arg->n;
}

/* Free pages here and there and take them back, and with @ask ask after each. */
static bool worst_change(struct work *w, uint64_t n, bool ask)
{
	struct pz_page_req back;
	uint64_t pfn;

	pz_page_req_init(w->pages, &back, 0, TAKE_ALL, 0);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = w->held[0][i % w->count[0]];

		back.limits.min_addr = at * PAGE_BYTES;
		back.limits.max_addr = at * PAGE_BYTES + (PAGE_BYTES - 1);
		if (pz_free_part(w->pages, 0, at, 1) || pz_page_request(w->pages, &back, &pfn))
			return false;
		if (ask && pz_page_request(w->pages, &w->req, &pfn) != w->expect)
			return false;
	}
	return true;
}

static uint64_t worst_changed(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	double begin, without;

	begin = bench_cpu_ns();
	if (!worst_change(w, arg->n, false))
		return 0;
	without = bench_cpu_ns() - begin;
	bench_lap_start(arg);
	if (!worst_change(w, arg->n, true))
		return 0;
	bench_lap_end(arg, arg->n);
	if (arg->ns[0] > without)
		arg->ns[0] -= without;
	return arg->n;
}

static uint64_t worst_buddy(struct bench_arg *arg)
{
	const struct work *w = arg->ctx;
	uint64_t pfn;

	for (uint64_t i = 0; i < arg->n; i++) {
		bool served = buddy_alloc(w->buddy, 0, w->order, PZ_UNMOVABLE, w->flags, &pfn);

		if (served != !w->expect)
			return 0;
		if (served)
			buddy_free(w->buddy, 0, pfn, w->order);
	}
	return arg->n;
}

/* Every page that is managed belongs to a block of one page afterwards. */
static void worst_take(struct machine *m, bool single)
{
	uint64_t pfn;

	for (unsigned int order = PZ_PAGE_MAX_ORDER + 1; order-- > 0;)
		while (!pz_alloc_pages(m->pages, 0, TAKE_ALL, order, NULL, &pfn))
			if (single)
				pz_split_pages(m->pages, pfn, order);
}

static void worst_pages(struct machine *m, enum state s)
{
	struct pz_range r;
	uint64_t seed = 4711, pfn;

	if (s == S_MARKS) {
		for (unsigned int order = PZ_PAGE_MAX_ORDER + 1; order-- > 0;)
			while (!pz_alloc_pages(m->pages, 0, 0, order, NULL, &pfn))
				;
		return;
	}
	if (s == S_IDLE)
		return;
	worst_take(m, s != S_FULL);
	if (s == S_HOLE)
		pz_free_pages(m->pages, 0, 5 * GIB / PAGE_BYTES + 12345, 0);
	for (unsigned int i = 0; s > S_HOLE && machine_range(m, i, &r); i++) {
		for (pfn = r.first; pfn <= r.last; pfn++) {
			bool give = s == S_ODD	  ? !(pfn & 1)
				    : s == S_HALF ? bench_rand(&seed) >> 63
						  : !(pfn >> 9 & 1);

			if (give)
				pz_free_pages(m->pages, 0, pfn, 0);
		}
	}
}

/* The same for the buddy: its blocks are taken page by page. */
static void worst_buddies(const struct machine *m, struct buddy *b, enum state s)
{
	struct pz_range r;
	uint64_t seed = 4711, pfn;

	if (s == S_IDLE)
		return;
	while (buddy_alloc(b, 0, 0, PZ_UNMOVABLE, s == S_MARKS ? 0 : BUDDY_NOMARK, &pfn))
		;
	if (s == S_HOLE)
		buddy_free(b, 0, 5 * GIB / PAGE_BYTES + 12345, 0);
	for (unsigned int i = 0; s > S_HOLE && machine_range(m, i, &r); i++) {
		for (pfn = r.first; pfn <= r.last; pfn++) {
			bool give = s == S_ODD	  ? !(pfn & 1)
				    : s == S_HALF ? bench_rand(&seed) >> 63
						  : !(pfn >> 9 & 1);

			if (give)
				buddy_free(b, 0, pfn, 0);
		}
	}
}

/* What the buddy can be asked: an order, anywhere. */
static bool worst_same(const struct ask *a)
{
	return !a->bits && !a->window && a->expect != -PZ_ERANGE &&
	       a->pages == (uint64_t)1 << a->align_order && a->align_order <= BUDDY_MAX_ORDER;
}

static void worst_work(const struct ask *a, const struct machine *m, struct work *w)
{
	struct pz_page_req *req = &w->req;

	memset(w, 0, sizeof(*w));
	w->pages = m->pages;
	w->expect = a->expect;
	pz_page_req_init(m->pages, req, 0, a->gfp, 0);
	req->pages = a->pages;
	if (a->bits)
		req->limits = pz_limits_bits(a->bits);
	if (a->window) {
		req->limits.min_addr = GIB + 0x1234567;
		req->limits.max_addr = GIB + GIB / 2 + 0x765432;
	}
	req->limits.align = PAGE_BYTES << a->align_order;
}

/* Pages that are taken, at random. */
static bool worst_held(const struct machine *m, struct work *w)
{
	uint64_t seed = 1234;
	struct pz_range r;
	unsigned int n = 0;

	if (!work_room(w, CHANGED, false))
		return false;
	while (machine_range(m, n, &r))
		n++;
	for (uint64_t i = 0; i < CHANGED;) {
		struct pz_page_info info;
		uint64_t pfn;

		machine_range(m, n - 1 - i % 2 % n, &r);
		pfn = r.first + bench_rand(&seed) % (r.last - r.first + 1);
		pz_page_info(m->pages, pfn, &info);
		if (info.state == PZ_PAGE_HEAD || info.state == PZ_PAGE_TAIL)
			w->held[0][i++] = pfn;
	}
	w->count[0] = CHANGED;
	return true;
}

/* A run that is no block: nothing but a look at memory can tell. */
static bool worst_is_run(const struct ask *a)
{
	return a->expect == -PZ_ENOMEM && a->pages > (uint64_t)1 << a->align_order;
}

static void worst_row(struct bench_table *t, const struct ask *a, struct machine *m,
		      struct buddy *b, struct bench_worst *no)
{
	struct work w[3];

	memset(w, 0, sizeof(w));
	bench_row(t, "%s: %s", worst_states[a->state], a->what);
	for (unsigned int i = 0; i < 2; i++) {
		if (!m[i].pages)
			continue;
		worst_work(a, &m[i], &w[i]);
		bench_cell(t, i, worst_ask, &w[i], 1, 0, 1);
	}
	if (b && worst_same(a)) {
		w[2].buddy = b;
		w[2].order = a->align_order;
		w[2].flags = a->gfp ? BUDDY_NOMARK : 0;
		w[2].expect = a->expect;
		bench_cell(t, 2, worst_buddy, &w[2], 1, 0, 1);
	}
	bench_run(t);
	for (unsigned int i = 0; i < 2 && a->expect; i++)
		bench_worse(&no[i], bench_get(t, i).floors, true, "%s: %s", worst_states[a->state],
			    a->what);
	if (!worst_is_run(a))
		return;
	bench_row(t, "  ... changed");
	for (unsigned int i = 0; i < 2; i++)
		if (m[i].pages && worst_held(&m[i], &w[i]))
			bench_cell(t, i, worst_changed, &w[i], 1, 0, 1);
	bench_run(t);
	for (unsigned int i = 0; i < 2; i++) {
		bench_worse(&no[i], bench_get(t, i).floors, true, "%s: %s, changed",
			    worst_states[a->state], a->what);
		work_done(&w[i]);
	}
}

/* How long a state takes to say no to the first run, in microseconds. */
static double worst_first(const struct machine *m, enum state s)
{
	for (unsigned int i = 0; i < ASKS && m->pages; i++) {
		double begin = bench_cpu_ns();
		struct work w;
		uint64_t pfn;

		if (worst_asks[i].state != s || !worst_is_run(&worst_asks[i]))
			continue;
		worst_work(&worst_asks[i], m, &w);
		if (pz_page_request(w.pages, &w.req, &pfn) == w.expect)
			return (bench_cpu_ns() - begin) / 1000;
		return NAN;
	}
	return NAN;
}

static void worst_firsts(double first[][2])
{
	static const char *const cols[] = { "8 GiB", "1 TiB", NULL };
	struct bench_table *t;

	t = bench_table("worst", "the first \"no\" to a run that is no block", "us", cols, false);
	for (unsigned int s = 0; s < STATES; s++) {
		if (isnan(first[s][0]))
			continue;
		for (unsigned int i = 0; i < ASKS; i++) {
			if (worst_asks[i].state == s && worst_is_run(&worst_asks[i])) {
				bench_row(t, "%s: %s", worst_states[s], worst_asks[i].what);
				break;
			}
		}
		bench_set(t, 0, first[s][0]);
		if (!isnan(first[s][1]))
			bench_set(t, 1, first[s][1]);
		bench_run(t);
	}
	bench_table_end(t);
}

void pages_worst(void)
{
	static const char *const cols[] = { "8 GiB", "1 TiB", "buddy, 8 GiB", NULL };
	struct bench_worst no[2] = { { .value = NAN }, { .value = NAN } };
	double first[STATES][2];
	struct bench_table *t;

	t = bench_table("worst", "answers \"no\" (and a few that are served)", "ns", cols, true);
	for (unsigned int s = 0; s < STATES; s++) {
		/* Hundreds of millions of frees take seconds. */
		bool large = !bench_opts.quick || s <= S_FULL;
		struct machine m[2];
		struct buddy *b;

		memset(m, 0, sizeof(m));
		first[s][0] = first[s][1] = NAN;
		for (unsigned int i = 0; i < (large ? 2u : 1u); i++) {
			struct machine_opts o = { .bytes = i ? TIB : 8 * GIB };

			if (machine_make(&m[i], &o))
				worst_pages(&m[i], (enum state)s);
		}
		for (unsigned int i = 0; i < 2; i++)
			first[s][i] = worst_first(&m[i], (enum state)s);
		if (!m[0].pages)
			break;
		b = buddy_make(&m[0], false);
		if (b)
			worst_buddies(&m[0], b, (enum state)s);
		for (unsigned int i = 0; i < ASKS; i++)
			if (worst_asks[i].state == s)
				worst_row(t, &worst_asks[i], m, b, no);
		buddy_free_all(b);
		for (unsigned int i = 0; i < 2; i++)
			if (m[i].pages)
				machine_free(&m[i]);
	}
	bench_target("worst", no[0].value, 100, true, "floors", "answer \"no\", 8 GiB (%s)",
		     no[0].what);
	bench_target("worst", no[1].value, 100, true, "floors", "answer \"no\", 1 TiB (%s)",
		     no[1].what);
	bench_table_end(t);
	worst_firsts(first);
}
