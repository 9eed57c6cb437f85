/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects_pair.c - pairs of an allocation and its free, 64 at a time, many at a time, and frees by
 * another thread.
 */
#include <math.h>
#include <stdio.h>

#include "objects.h"

#define MANY_BYTES ((uint64_t)32 << 20)
#define MANY_BYTES_QUICK ((uint64_t)8 << 20)
#define MANY_MOST ((uint64_t)1 << 18)
/* The floor of the machine that SLUB was measured on, in ns: two CAS. */
#define SLUB_FLOOR 4.9

enum pair_loop { LOOP_PAIR, LOOP_BATCH, LOOP_TAKE, LOOP_DROP, LOOP_REMOTE };

/* What SLUB took there, in ns; 0 where it was not measured. */
static const struct pair_slub {
	size_t size;
	double ns[4]; /* by enum pair_loop */
} pair_slub[] = {
	{ 64, { 42, 49, 41, 73 } },
	{ 1024, { 42, 50, 0, 0 } },
	{ 4096, { 42, 65, 0, 0 } },
};

/* Worst cases of what the targets cover. */
struct pair_worst {
	struct bench_worst peers[2], slub; /* cache, kmalloc */
	double xadd, mimalloc;
	struct bench_worst remote;
};

static bench_fn pair_fn(const struct loops *l, enum pair_loop which)
{
	if (!l)
		return NULL;
	switch (which) {
	case LOOP_PAIR:
		return l->pair;
	case LOOP_BATCH:
		return l->burst;
	case LOOP_TAKE:
		return l->take;
	case LOOP_DROP:
		return l->drop;
	case LOOP_REMOTE:
		return l->remote;
	}
	return NULL;
}

static void pair_note(struct pair_worst *w, const struct bench_table *t, enum pair_loop which,
		      size_t size)
{
	static const enum object_contender own[] = { O_CACHE, O_KMALLOC };

	for (unsigned int i = 0; i < 2; i++) {
		if (size != 64 && size != 256 && size != 1024 && size != 4096)
			break;
		for (unsigned int c = O_PEERS_FIRST; c <= O_PEERS_LAST; c++)
			bench_worse(&w->peers[i], bench_ratio(t, own[i], c), true, "%zu, %s", size,
				    object_names[c]);
	}
	if (which == LOOP_REMOTE) {
		bench_worse(&w->remote, bench_ratio(t, O_CACHE, O_MIMALLOC), true, "%zu", size);
		return;
	}
	for (unsigned int i = 0; i < sizeof(pair_slub) / sizeof(pair_slub[0]); i++) {
		const struct pair_slub *s = &pair_slub[i];

		if (s->size == size && s->ns[which] > 0)
			bench_worse(&w->slub,
				    bench_get(t, O_CACHE).floors / (s->ns[which] / SLUB_FLOOR),
				    true, "%zu", size);
	}
	if (size == 64) {
		w->xadd = bench_ratio(t, O_CACHE, O_XADD);
		w->mimalloc = bench_ratio(t, O_CACHE, O_MIMALLOC);
	}
}

static uint64_t pair_many(size_t size, unsigned int threads)
{
	uint64_t bytes = bench_opts.quick ? MANY_BYTES_QUICK : MANY_BYTES, n = bytes / size;

	return (n < MANY_MOST ? n : MANY_MOST) / threads / 64 * 64;
}

static void pair_row(struct bench_table *t, struct objects *o, enum pair_loop which, size_t size,
		     unsigned int threads)
{
	bool many = which == LOOP_TAKE || which == LOOP_DROP;

	bench_row(t, "%zu bytes, %u thread%s", size, threads, threads > 1 ? "s" : "");
	for (unsigned int c = 0; c < OBJECT_CONTENDERS; c++) {
		struct work *w = &o->work[c];

		if (many && (c == O_XADD || c == O_NOTHING))
			continue;
		if ((many || which == LOOP_REMOTE) &&
		    !work_room(w, many ? pair_many(size, threads) : 64, many))
			continue;
		bench_cell(t, c, pair_fn(object_loops((enum object_contender)c), which), w, threads,
			   many, 1);
	}
	bench_run(t);
	for (unsigned int c = 0; c < OBJECT_CONTENDERS; c++)
		work_done(&o->work[c]);
}

static void pair_rows(const char *name, const char *title, enum pair_loop which,
		      unsigned int threads, const size_t *sizes, struct pair_worst *w,
		      struct objects *o)
{
	struct bench_table *t = bench_table(name, title, "ns", object_names, true);

	*w = (struct pair_worst){ .xadd = NAN, .mimalloc = NAN };
	w->peers[0].value = w->peers[1].value = w->slub.value = w->remote.value = NAN;
	for (; *sizes; sizes++) {
		if (!objects_size(o, *sizes))
			continue;
		pair_row(t, o, which, *sizes, threads);
		pair_note(w, t, which, *sizes);
	}
	peers_remark();
	bench_table_end(t);
}

static void pair_peers(const char *name, const struct pair_worst *w, const char *what,
		       unsigned int threads)
{
	static const char *const own[] = { "cache", "kmalloc" };

	for (unsigned int i = 0; i < 2; i++)
		bench_target(name, w->peers[i].value, 1, true, "times",
			     "%s of 64 to 4096 bytes, %u thread%s, %s to best peer (%s)", what,
			     threads, threads > 1 ? "s" : "", own[i], w->peers[i].what);
}

static const size_t pair_sizes[] = { 8, 64, 256, 1024, 2048, 4096, 8192, 0 };

void objects_pair(void)
{
	struct pair_worst w;
	struct objects o;

	if (!objects_make(&o))
		return;
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		pair_rows("pair", "alloc+free pairs", LOOP_PAIR, threads, pair_sizes, &w, &o);
		pair_peers("pair", &w, "pair", threads);
		if (threads > 1)
			continue;
		bench_target("pair", w.xadd, 3, true, "xadds", "pair of 64 bytes, cache");
		bench_target("pair", w.slub.value, 0.25, true, "SLUBs",
			     "pair, cache, in floors (%s)", w.slub.what);
	}
	objects_free(&o);
}

void objects_batch(void)
{
	struct pair_worst w;
	struct objects o;

	if (!objects_make(&o))
		return;
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		pair_rows("batch", "64 allocated, then 64 freed, for each of them", LOOP_BATCH,
			  threads, pair_sizes, &w, &o);
		pair_peers("batch", &w, "batch", threads);
		if (threads == 1)
			bench_target("batch", w.slub.value, 0.25, true, "SLUBs",
				     "batch, cache, in floors (%s)", w.slub.what);
	}
	objects_free(&o);
}

void objects_fill(void)
{
	static const size_t sizes[] = { 8, 64, 256, 1024, 4096, 8192, 0 };
	struct pair_worst w;
	struct objects o;

	if (!objects_make(&o))
		return;
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		pair_rows("fill",
			  "2^18, at most 32 MiB, allocated, after such were freed "
			  "at random",
			  LOOP_TAKE, threads, sizes, &w, &o);
		if (threads == 1)
			bench_target("fill", w.slub.value, 0.25, true, "SLUBs",
				     "allocating many of 64 bytes, cache, in floors");
		pair_rows("fill", "the same freed at random, for each", LOOP_DROP, threads, sizes,
			  &w, &o);
		bench_target("fill", w.mimalloc, 1.3, true, "times",
			     "random free of 64 bytes, %u thread%s, cache to mimalloc", threads,
			     threads > 1 ? "s" : "");
		if (threads == 1)
			bench_target("fill", w.slub.value, 0.25, true, "SLUBs",
				     "random free of 64 bytes, cache, in floors");
	}
	objects_free(&o);
}

void objects_remote(void)
{
	static const size_t sizes[] = { 64, 256, 1024, 4096, 0 };
	struct pair_worst w;
	struct objects o;

	if (bench_opts.cpus < 2 || !objects_make(&o))
		return;
	pair_rows("remote", "one thread allocates, another frees, for each object", LOOP_REMOTE, 2,
		  sizes, &w, &o);
	bench_target("remote", w.remote.value, 1, true, "times", "cache to mimalloc (%s bytes)",
		     w.remote.what);
	objects_free(&o);
}

void objects_steps(void)
{
	static const char *const cols[] = { "64 bytes", "locked", "4096 bytes", "locked", NULL };
	struct bench_table *t;
	struct objects o;

	if (!objects_make(&o))
		return;
	t = bench_table("steps", "instructions of an alloc+free pair, loop included",
			"instructions", cols, false);
	for (unsigned int c = 0; c < OBJECT_CONTENDERS; c++) {
		const struct loops *l = object_loops((enum object_contender)c);

		if (!l || !l->pair)
			continue;
		bench_row(t, "%s", object_names[c]);
		for (unsigned int i = 0; i < 2; i++) {
			double each, locked;

			if (!objects_size(&o, i ? 4096 : 64) ||
			    !bench_instructions(l->pair, &o.work[c], &each, &locked))
				continue;
			bench_set(t, 2 * i, each);
			bench_set(t, 2 * i + 1, locked);
		}
		bench_run(t);
	}
	bench_remark("locked: of these, those that lock a cache line (counted on x86-64 only)");
	bench_table_end(t);
	objects_free(&o);
}
