/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object_contenders.c - the loops of each contender that gives objects.
 *
 * The peers are called as a program calls malloc(): with a size, through a pointer. They know the
 * thread by themselves, while physzone is told its number, as a kernel knows its CPU. Nothing is
 * written to what they give.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"

#define LOOPS_WHAT size

static inline bool object_pointer(void *p, uint64_t *out)
{
	*out = (uint64_t)(uintptr_t)p;
	return BENCH_LIKELY(p != NULL);
}

static inline void *object_at(uint64_t v)
{
	return (void *)(uintptr_t)v;
}

#define LOOPS cache
#define LOOPS_ALLOC(w, t, size, out) object_pointer(pz_kmem_cache_alloc((w)->cache, t, 0), out)
#define LOOPS_FREE(w, t, size, v) pz_kmem_cache_free((w)->cache, t, object_at(v))
#include "loops.h"

#define LOOPS kmalloc
#define LOOPS_ALLOC(w, t, size, out) object_pointer(pz_kmalloc((w)->kmalloc, t, 0, size), out)
#define LOOPS_FREE(w, t, size, v) pz_kfree((w)->slabs, t, object_at(v))
#include "loops.h"

static inline bool object_limited(struct work *w, unsigned int t, size_t size, uint64_t *out)
{
	void *p;

	if (pz_kmalloc_limited(w->slabs, t, 0, size, w->limits, &p))
		return false;
	return object_pointer(p, out);
}

#define LOOPS limited
#define LOOPS_ALLOC(w, t, size, out) object_limited(w, t, size, out)
#define LOOPS_FREE(w, t, size, v) pz_kfree((w)->slabs, t, object_at(v))
#include "loops.h"

#define LOOPS mimalloc
#define LOOPS_ALLOC(w, t, size, out) object_pointer(bench_peers.mi_malloc(size), out)
#define LOOPS_FREE(w, t, size, v) bench_peers.mi_free(object_at(v))
#include "loops.h"

#define LOOPS jemalloc
#define LOOPS_ALLOC(w, t, size, out) object_pointer(bench_peers.je_malloc(size), out)
#define LOOPS_FREE(w, t, size, v) bench_peers.je_free(object_at(v))
#include "loops.h"

#define LOOPS tcmalloc
#define LOOPS_ALLOC(w, t, size, out) object_pointer(bench_peers.tc_malloc(size), out)
#define LOOPS_FREE(w, t, size, v) bench_peers.tc_free(object_at(v))
#include "loops.h"

/* The compiler knows malloc() and free(), and would drop a pair of them. */
static void *(*volatile object_malloc)(size_t) = malloc;
static void (*volatile object_free)(void *) = free;

#define LOOPS glibc
#define LOOPS_ALLOC(w, t, size, out) object_pointer(object_malloc(size), out)
#define LOOPS_FREE(w, t, size, v) object_free(object_at(v))
#include "loops.h"

static uint64_t object_line[BENCH_THREADS][16] __attribute__((aligned(128)));

static inline bool object_xadd(unsigned int t, uint64_t *out)
{
	*out = __atomic_fetch_add(&object_line[t][0], 1, __ATOMIC_SEQ_CST);
	return true;
}

#define LOOPS xadd
#define LOOPS_ALLOC(w, t, size, out) object_xadd(t, out)
#define LOOPS_FREE(w, t, size, v) __asm__ volatile("" : : "r"(v))
#include "loops.h"

/* What the loops themselves cost; the barriers keep the compiler from dropping them. */
static inline bool object_nothing(uint64_t *out)
{
	uint64_t v = 4096;

	__asm__ volatile("" : "+r"(v));
	*out = v;
	return true;
}

#define LOOPS nothing
#define LOOPS_ALLOC(w, t, size, out) object_nothing(out)
#define LOOPS_FREE(w, t, size, v) __asm__ volatile("" : : "r"(v))
#include "loops.h"

/* The loops of calls that take 64 at a time. */
static uint64_t bulk_burst(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	uint64_t rounds = (arg->n + 63) / 64;
	void *v[64];

	for (uint64_t i = 0; i < rounds; i++) {
		if (pz_kmem_cache_alloc_bulk(w->cache, arg->thread, 0, 64, v))
			return 0;
		pz_kmem_cache_free_bulk(w->cache, w->slabs, arg->thread, 64, v);
	}
	return rounds * 64;
}

static uint64_t bulk_many(struct bench_arg *arg, bool take)
{
	struct work *w = arg->ctx;
	unsigned int t = arg->thread;
	uint64_t n = w->count[t] / 64 * 64, *held = w->held[t];
	const uint32_t *perm = w->perm[t];
	void *v[64];

	for (unsigned int round = take ? 0 : 1; round < 2; round++) {
		bench_lap_start(arg);
		for (uint64_t i = 0; i < n; i += 64) {
			if (pz_kmem_cache_alloc_bulk(w->cache, t, 0, 64, v)) {
				while (i)
					pz_kmem_cache_free(w->cache, t, object_at(held[--i]));
				return 0;
			}
			for (unsigned int k = 0; k < 64; k++)
				held[i + k] = (uint64_t)(uintptr_t)v[k];
		}
		if (take && round)
			bench_lap_end(arg, n);
		else
			bench_lap_start(arg);
		for (uint64_t i = 0; i < n; i += 64) {
			for (unsigned int k = 0; k < 64; k++) {
				__builtin_prefetch(&held[perm[i + k + 16]]);
				v[k] = object_at(held[perm[i + k]]);
			}
			pz_kmem_cache_free_bulk(w->cache, w->slabs, t, 64, v);
		}
	}
	if (!take)
		bench_lap_end(arg, n);
	return n;
}

static uint64_t bulk_take(struct bench_arg *arg)
{
	return bulk_many(arg, true);
}

static uint64_t bulk_drop(struct bench_arg *arg)
{
	return bulk_many(arg, false);
}

static const struct loops bulk_loops = { .burst = bulk_burst,
					 .take = bulk_take,
					 .drop = bulk_drop };

const char *const object_names[OBJECT_CONTENDERS + 1] = {
	"cache",    "bulk calls", "kmalloc", "mimalloc", "jemalloc",
	"tcmalloc", "glibc",	  "(xadd)",  "(loop)",
};

const struct loops *object_loops(enum object_contender c)
{
	switch (c) {
	case O_CACHE:
		return &cache_loops;
	case O_BULK:
		return &bulk_loops;
	case O_KMALLOC:
		return &kmalloc_loops;
	case O_MIMALLOC:
		return bench_peers.mi_malloc ? &mimalloc_loops : NULL;
	case O_JEMALLOC:
		return bench_peers.je_malloc ? &jemalloc_loops : NULL;
	case O_TCMALLOC:
		return bench_peers.tc_malloc ? &tcmalloc_loops : NULL;
	case O_GLIBC:
		return &glibc_loops;
	case O_XADD:
		return &xadd_loops;
	case O_NOTHING:
		return &nothing_loops;
	case OBJECT_CONTENDERS:
		break;
	}
	return NULL;
}

const struct loops *object_limited_loops(void)
{
	return &limited_loops;
}

bool objects_make(struct objects *o)
{
	memset(o, 0, sizeof(*o));
	if (!slab_machine_make(&o->machine))
		return false;
	for (unsigned int c = 0; c < OBJECT_CONTENDERS; c++) {
		work_seed(&o->work[c]);
		o->work[c].slabs = o->machine.slabs;
		o->work[c].kmalloc = o->machine.kmalloc;
	}
	return true;
}

/* All objects of the benchmark's caches are free between two measurements. */
static void object_cache_drop(struct objects *o)
{
	if (o->work[O_CACHE].cache && pz_kmem_cache_destroy(o->work[O_CACHE].cache, NULL, NULL))
		fprintf(stderr, "bench: objects are still out\n");
	o->work[O_CACHE].cache = o->work[O_BULK].cache = NULL;
}

bool objects_size(struct objects *o, size_t size)
{
	object_cache_drop(o);
	for (unsigned int c = 0; c < OBJECT_CONTENDERS; c++)
		o->work[c].size = size;
	o->work[O_CACHE].cache = slab_machine_cache(&o->machine, "bench", size, 0, 0, 0);
	o->work[O_BULK].cache = o->work[O_CACHE].cache;
	return o->work[O_CACHE].cache != NULL;
}

void objects_free(struct objects *o)
{
	object_cache_drop(o);
	for (unsigned int c = 0; c < OBJECT_CONTENDERS; c++)
		work_done(&o->work[c]);
	slab_machine_free(&o->machine);
}
