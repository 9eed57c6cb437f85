/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_slab.c - real threads on object caches, for a race detector and for what only real
 * processors do; a soak with hardly any page free; and signals that do the same on top of them.
 *
 * Each object bears in its first and its last word who has it. Threads take objects of random
 * caches and memory of random sizes, give them back, or leave them to another thread; they shrink,
 * drain, reclaim and ask meanwhile. These are plain writes, as of any user: under a race detector
 * (scripts/check.sh tsan) two users of one place must be ordered by the caches themselves.
 *
 * PZ_SOAK_SECONDS=N makes each part last so long.
 */
#include "alarm.h"
#include "../property/slab_box.h"
#include "explore.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SS_THREADS SB_CPUS
#define SS_HELD 900u
#define SS_BOXES 32u
#define SS_CACHES 8u
#define SS_MS 700

struct ss_thread {
	pthread_t thread;
	uint32_t cpu;
	uint64_t seed, taken, refused, passed, fullest;
	uint32_t held;
	bool handler; /* an interrupt handler on top of the thread with the same CPU */
	void *object[SS_HELD];
};

static struct slab_box box;
static struct pz_kmem_cache *cache[SS_CACHES];
static struct pz_kmalloc *family;
static void *shelf[SS_BOXES];
static uint32_t wrong;
static struct timespec from;
static uint32_t last_ms;
static bool soaks; /* memory is kept full */
static bool pipes; /* CPU 0 takes, the others give */
static bool interrupts;
static uint64_t interrupted;
static __thread struct ss_thread *on_top; /* the thread's interrupt handler */

static uint32_t ss_random(struct ss_thread *t, uint32_t n)
{
	t->seed = t->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->seed >> 33) % n);
}

static void ss_wrong(const char *what)
{
	if (!__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST))
		printf("# %s\n", what);
}

static uint64_t *ss_last(void *o, uint64_t size)
{
	return (uint64_t *)(void *)((unsigned char *)o + (size & ~(uint64_t)7) - 8);
}

/* The usable size of what somebody has. */
static uint64_t ss_size(void *o)
{
	struct pz_slab_info f;

	pz_slab_info(box.s, o, &f);
	if (f.object != o || f.free)
		ss_wrong("what is out is none, or free");
	return f.size;
}

static void ss_mark(void *o)
{
	*ss_last(o, ss_size(o)) = ~(uint64_t)(uintptr_t)o;
	*(uint64_t *)o = (uintptr_t)o;
}

static void ss_unmark(void *o)
{
	uint64_t size = ss_size(o);

	if (size >= 16 && *ss_last(o, size) != ~(uint64_t)(uintptr_t)o)
		ss_wrong("somebody wrote to the end of an object");
	if (*(uint64_t *)o != (uintptr_t)o)
		ss_wrong("somebody wrote to an object");
	*(uint64_t *)o = 1;
}

static void *ss_take(struct ss_thread *t)
{
	uint32_t k = ss_random(t, soaks ? 14 : SS_CACHES + 4);
	void *o;

	if (k < SS_CACHES)
		o = pz_kmem_cache_alloc(cache[k], t->cpu, 0);
	else
		o = pz_kmalloc(family, t->cpu, 0, 8 + ss_random(t, k == 9 ? 60000 : 3000));
	if (!o) {
		t->refused++;
		return NULL;
	}
	ss_mark(o);
	t->taken++;
	return o;
}

static void ss_give(struct ss_thread *t, void *o)
{
	struct pz_kmem_cache *c = pz_slab_owner(box.s, o);
	uint32_t cpu = ss_random(t, 16) ? t->cpu : PZ_CPU_NONE;

	ss_unmark(o);
	if (c && ss_random(t, 2))
		pz_kmem_cache_free(c, cpu, o);
	else
		pz_kfree(box.s, cpu, o);
}

/* Leave an object to somebody else, and take what lay there. */
static void *ss_pass(struct ss_thread *t, void *o)
{
	return __atomic_exchange_n(&shelf[ss_random(t, SS_BOXES)], o, __ATOMIC_ACQ_REL);
}

static void ss_bulk(struct ss_thread *t)
{
	struct pz_kmem_cache *c = cache[ss_random(t, SS_CACHES)];
	void *o[40];
	uint32_t n = 1 + ss_random(t, 40);

	if (pz_kmem_cache_alloc_bulk(c, t->cpu, 0, n, o))
		return;
	for (uint32_t i = 0; i < n; i++)
		ss_mark(o[i]);
	for (uint32_t i = 0; i < n; i++)
		ss_unmark(o[i]);
	pz_kmem_cache_free_bulk(ss_random(t, 2) ? c : NULL, box.s, t->cpu, n, o);
}

static void ss_housekeep(struct ss_thread *t)
{
	struct pz_kmem_cache_stat st;
	uint64_t ticket;

	switch (ss_random(t, 5)) {
	case 0:
		(void)pz_kmem_cache_shrink(cache[ss_random(t, SS_CACHES)], t->cpu);
		break;
	case 1:
		pz_slab_drain(box.s, t->cpu);
		break;
	case 2:
		(void)pz_slab_reclaim(box.s, t->cpu, NULL, false);
		break;
	case 3:
		pz_kmem_cache_stat(cache[ss_random(t, SS_CACHES)], &st);
		break;
	default:
		if (t->cpu || t->handler)
			break;
		ticket = pz_slab_grace_begin(box.s);
		(void)pz_slab_grace_end(box.s, t->cpu, ticket);
	}
}

static bool ss_time_is_up(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 >=
	       (long)last_ms;
}

static void ss_step(struct ss_thread *t)
{
	uint32_t what = ss_random(t, 200), k;
	uint64_t used;
	void *o;

	if (what == 0) {
		ss_housekeep(t);
	} else if (what < 6) {
		ss_bulk(t);
	} else if (pipes   ? t->cpu == 0
		   : soaks ? t->held < SS_HELD && what < 140
			   : t->held < SS_HELD / 4 && what < 104) {
		o = ss_take(t);
		if (o && pipes) {
			o = ss_pass(t, o);
			if (o)
				ss_give(t, o);
		} else if (o) {
			t->object[t->held++] = o;
		} else if (soaks && t->held) {
			used = sb_used(&box);
			if (used > t->fullest)
				t->fullest = used;
			/* Somebody must give. */
			for (uint32_t i = 0; i < 8 && t->held; i++)
				ss_give(t, t->object[--t->held]);
		}
	} else if (pipes) {
		o = ss_pass(t, NULL);
		if (o)
			ss_give(t, o);
	} else if (t->held) {
		k = ss_random(t, t->held);
		o = t->object[k];
		t->object[k] = t->object[--t->held];
		if (what & 1) {
			o = ss_pass(t, o);
			t->passed++;
		}
		if (o)
			ss_give(t, o);
	}
}

static void ss_interrupt(int sig)
{
	struct ss_thread *t = on_top;

	(void)sig;
	if (!t || __atomic_load_n(&wrong, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_add(&interrupted, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 6; i++)
		ss_step(t);
}

static void *ss_main(void *arg)
{
	struct ss_thread *t = arg, handler;

	memset(&handler, 0, sizeof(handler));
	handler.cpu = t->cpu;
	handler.seed = t->seed + 100;
	handler.handler = true;
	on_top = interrupts ? &handler : NULL;
	if (interrupts)
		alarm_mask(SIG_UNBLOCK);

	while (!__atomic_load_n(&wrong, __ATOMIC_RELAXED) && !ss_time_is_up()) {
		for (unsigned int i = 0; i < 300; i++)
			ss_step(t);
	}
	on_top = NULL;
	while (handler.held)
		ss_give(t, handler.object[--handler.held]);
	while (t->held)
		ss_give(t, t->object[--t->held]);
	return NULL;
}

static void ss_ctor(void *ctx, void *object)
{
	(void)ctx;
	*(uint64_t *)object = 1;
}

/* Caches of every kind; the first has a constructor, the last is watched. */
static bool ss_open(void)
{
	static const uint32_t sizes[SS_CACHES] = { 40, 8, 64, 200, 1024, 3000, 512, 96 };
	static const uint32_t flags[SS_CACHES] = {
		0, PZ_SLAB_RANDOM, 0, PZ_SLAB_RCU, PZ_SLAB_RECLAIMABLE, 0, PZ_SLAB_CACHE_DMA, 0
	};
	struct pz_kmem_cache_config c;
	struct pz_kmalloc_config k;

	if (!sb_start(&box, NULL))
		return false;
	for (uint32_t i = 0; i < SS_CACHES; i++) {
		memset(&c, 0, sizeof(c));
		c.name = "stress";
		c.size = sizes[i];
		c.flags = flags[i] | PZ_SLAB_NO_MERGE;
		c.ctor = i ? NULL : ss_ctor;
		c.debug = i == SS_CACHES - 1 ? 15 : 0;
		c.keep = i & 1 ? UINT32_MAX : 1;
		c.magazine = i == 2 ? 0 : 6;
		if (pz_kmem_cache_create(&cache[i], box.s, &c, NULL))
			return false;
	}
	memset(&k, 0, sizeof(k));
	k.slabs = box.s;
	return pz_kmalloc_create(&family, &k, NULL) == 0;
}

static bool ss_close(void)
{
	bool ok = pz_slabs_check(box.s) == 0 && pz_pages_check(box.pages) == 0;

	if (!ok)
		printf("# pz_slabs_check() says %d\n", pz_slabs_check(box.s));
	for (uint32_t i = 0; i < SS_CACHES; i++)
		ok = pz_kmem_cache_destroy(cache[i], NULL, NULL) == 0 && ok;
	ok = pz_kmalloc_destroy(family) == 0 && ok;
	(void)pz_slab_grace_end(box.s, 0, pz_slab_grace_begin(box.s));
	ok = pz_slabs_destroy(box.s) == 0 && ok;
	if (box.findings || box.bugs.count)
		printf("# %u findings, the first %d\n", box.findings, (int)box.found[0].fault);
	return !box.findings && !box.bugs.count && sb_stop(&box) && ok;
}

static void ss_run(const char *what)
{
	static struct ss_thread thread[SS_THREADS];
	uint64_t taken = 0, refused = 0, passed = 0, fullest = 0;
	bool ok = ss_open();

	memset(thread, 0, sizeof(thread));
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t i = 0; ok && i < SS_THREADS; i++) {
		thread[i].cpu = i;
		thread[i].seed = i + 1;
		ok = !pthread_create(&thread[i].thread, NULL, ss_main, &thread[i]);
	}
	for (uint32_t i = 0; ok && i < SS_THREADS; i++) {
		pthread_join(thread[i].thread, NULL);
		taken += thread[i].taken;
		refused += thread[i].refused;
		passed += thread[i].passed;
		if (fullest < thread[i].fullest)
			fullest = thread[i].fullest;
	}
	for (uint32_t i = 0; ok && i < SS_BOXES; i++) {
		void *o = shelf[i];

		shelf[i] = NULL;
		if (o)
			ss_give(&thread[0], o);
	}
	printf("# %llu objects taken, %llu refused, %llu given by another thread\n",
	       (unsigned long long)taken, (unsigned long long)refused, (unsigned long long)passed);
	if (soaks) {
		printf("# at most %llu of %llu pages in use\n", (unsigned long long)fullest,
		       (unsigned long long)box.total);
		ok = ok && fullest * 100 >= box.total * 99 && refused;
	}
	ok = ss_close() && ok;
	explore_result(ok && !wrong && taken, "%s", what);
}

/* A timer's signal, as often as the host manages, on whatever thread it hits but this one. */
static void ss_storm(void)
{
	struct itimerval often = { { 0, 60 }, { 0, 60 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = ss_interrupt;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	interrupts = true;
	alarm_mask(SIG_BLOCK);
	setitimer(ITIMER_REAL, &often, NULL);
	ss_run("threads with interrupts on top");
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	explore_result(interrupted > 0, "which came %llu times", (unsigned long long)interrupted);
}

int main(void)
{
	const char *seconds = getenv("PZ_SOAK_SECONDS");

	last_ms = seconds ? (uint32_t)atoi(seconds) * 1000 : SS_MS;
	alarm(3 * last_ms / 1000 + 90);
	ss_run("threads on caches of all kinds");
	pipes = true;
	ss_run("one thread takes, others give");
	pipes = false;
	soaks = true;
	ss_run("99 % of memory in use");
	soaks = false;
	ss_storm();
	return explore_done();
}
