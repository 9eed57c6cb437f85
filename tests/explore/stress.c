/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress.c - real threads, for a race detector and for what only real processors do.
 *
 * Threads allocate, write to what they got, read it again, free it, or leave it to another thread
 * to free. Every page has an owner byte, exchanged atomically, which tells when it is given out
 * twice; and a plain word that its owner writes, as he would write to the page: under a race
 * detector (scripts/check.sh tsan) two owners of a page must be ordered by the allocator itself.
 */
#include "explore.h"
#include "machine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STRESS_THREADS 4u
#define STRESS_FRAMES 4096u
#define STRESS_BLOCKS 40u
#define STRESS_BOXES 8u
#define STRESS_MS 1200
#define STRESS_HANG 60 /* seconds after which a thread is taken to be caught in a loop */

struct stress_block {
	uint64_t pfn, pages;
	bool exact;
};

struct stress_thread {
	pthread_t thread;
	uint32_t cpu;
	uint64_t seed;
	uint32_t count;
	struct stress_block block[STRESS_BLOCKS];
	uint64_t taken, refused, given, passed;
};

static struct {
	struct machine *m;
	_Atomic unsigned char owner[STRESS_FRAMES];
	uint64_t content[STRESS_FRAMES]; /* plain, like the page itself */
	_Atomic uint64_t box[STRESS_BOXES]; /* single pages for somebody else to free, plus 1 */
	_Atomic unsigned int wrong;
	struct timespec from;
	bool hold;
} sr;

static uint32_t stress_random(struct stress_thread *t, uint32_t n)
{
	t->seed = t->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->seed >> 33) % n);
}

static void stress_claim(struct stress_thread *t, uint64_t pfn, uint64_t pages)
{
	for (uint64_t i = pfn; i < pfn + pages; i++) {
		if (i >= STRESS_FRAMES || atomic_exchange_explicit(&sr.owner[i],
								   (unsigned char)(t->cpu + 1),
								   memory_order_relaxed)) {
			atomic_fetch_add(&sr.wrong, 1);
			return;
		}
		sr.content[i] = pfn << 8 | t->cpu;
	}
}

static void stress_unclaim(struct stress_thread *t, uint64_t pfn, uint64_t pages, uint64_t head,
			   uint32_t cpu)
{
	for (uint64_t i = pfn; i < pfn + pages; i++) {
		if (sr.content[i] != (head << 8 | cpu) ||
		    atomic_exchange_explicit(&sr.owner[i], 0, memory_order_relaxed) != cpu + 1)
			atomic_fetch_add(&sr.wrong, 1);
	}
}

static void stress_take(struct stress_thread *t)
{
	struct stress_block *b = &t->block[t->count];
	uint32_t kind = stress_random(t, 10);
	struct pz_limits l = machine_limits(0, stress_random(t, 4) ? STRESS_FRAMES - 1 : 511);
	unsigned int order = stress_random(t, 3) ? stress_random(t, 4) : stress_random(t, 9);
	uint32_t gfp = kind == 1 ? PZ_GFP_MOVABLE : 0;
	struct pz_page_req req;
	int rc;

	b->exact = kind == 0;
	b->pages = b->exact ? 1 + stress_random(t, 100) : (uint64_t)1 << order;
	if (b->exact) {
		pz_page_req_init(sr.m->pages, &req, 0, gfp, t->cpu);
		req.pages = b->pages;
		req.limits = l;
		rc = pz_page_request(sr.m->pages, &req, &b->pfn);
	} else {
		rc = pz_alloc_pages(sr.m->pages, t->cpu, gfp, order, &l, &b->pfn);
	}
	if (rc) {
		t->refused++;
		if (rc != -PZ_ENOMEM)
			atomic_fetch_add(&sr.wrong, 1);
		return;
	}
	stress_claim(t, b->pfn, b->pages);
	t->count++;
	t->taken++;
}

static void stress_free(struct stress_thread *t, const struct stress_block *b)
{
	stress_unclaim(t, b->pfn, b->pages, b->pfn, t->cpu);
	if (b->exact)
		pz_free_exact(sr.m->pages, t->cpu, b->pfn, b->pages);
	else
		pz_free_pages(sr.m->pages, t->cpu, b->pfn,
			      (unsigned int)__builtin_ctzll(b->pages));
	t->given++;
}

/* Leave a page for somebody else to free, and free what somebody else has left. */
static void stress_pass(struct stress_thread *t, uint64_t pfn)
{
	uint64_t was = atomic_exchange(&sr.box[stress_random(t, STRESS_BOXES)],
				       pfn + 1 + ((uint64_t)t->cpu << 32));
	uint32_t cpu = (uint32_t)(was >> 32);

	if (!was)
		return;
	pfn = (uint32_t)was - 1;
	stress_unclaim(t, pfn, 1, pfn, cpu);
	pz_free_pages(sr.m->pages, t->cpu, pfn, 0);
	t->passed++;
}

/* Free the middle of a block, then the two ends. */
static void stress_part(struct stress_thread *t, const struct stress_block *b)
{
	uint64_t first = b->pages / 4, n = b->pages / 2;

	stress_unclaim(t, b->pfn + first, n, b->pfn, t->cpu);
	if (pz_free_part(sr.m->pages, t->cpu, b->pfn + first, n))
		atomic_fetch_add(&sr.wrong, 1);
	stress_unclaim(t, b->pfn, first, b->pfn, t->cpu);
	pz_free_exact(sr.m->pages, t->cpu, b->pfn, first);
	first += n;
	n = b->pages - first;
	stress_unclaim(t, b->pfn + first, n, b->pfn, t->cpu);
	pz_free_exact(sr.m->pages, t->cpu, b->pfn + first, n);
	t->given++;
}

static void stress_bulk(struct stress_thread *t)
{
	uint64_t list[8];
	uint32_t n = pz_alloc_bulk(sr.m->pages, t->cpu, 0, NULL, 8, list);

	for (uint32_t i = 0; i < n; i++)
		stress_claim(t, list[i], 1);
	for (uint32_t i = 0; i < n; i++)
		stress_unclaim(t, list[i], 1, list[i], t->cpu);
	pz_free_bulk(sr.m->pages, t->cpu, n, list);
	t->taken += n;
	t->given += n;
}

static void stress_give(struct stress_thread *t)
{
	uint32_t k = stress_random(t, t->count);
	struct stress_block b = t->block[k];

	t->block[k] = t->block[--t->count];
	if (b.pages == 1 && stress_random(t, 2))
		stress_pass(t, b.pfn);
	else if (b.pages >= 4 && !stress_random(t, 4))
		stress_part(t, &b);
	else
		stress_free(t, &b);
}

static bool stress_time_is_up(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - sr.from.tv_sec) * 1000 +
	       (now.tv_nsec - sr.from.tv_nsec) / 1000000 >= STRESS_MS;
}

static void *stress_main(void *arg)
{
	struct stress_thread *t = arg;

	while (!atomic_load(&sr.wrong) && !stress_time_is_up()) {
		for (unsigned int i = 0; i < 200; i++) {
			uint32_t what = stress_random(t, 100);

			if (what == 0)
				pz_page_drain(sr.m->pages, stress_random(t, 2) ? t->cpu
									       : PZ_CPU_NONE);
			else if (what < 5)
				stress_bulk(t);
			else if (what < 8)
				(void)pz_page_free_count(sr.m->pages, UINT32_MAX);
			else if (t->count == STRESS_BLOCKS || (t->count && what < 54))
				stress_give(t);
			else
				stress_take(t);
		}
	}
	while (t->count)
		stress_free(t, &t->block[--t->count]);
	return NULL;
}

static void stress_run(const char *what, const struct machine_config *cfg)
{
	static struct stress_thread thread[STRESS_THREADS];
	uint64_t taken = 0, refused = 0, passed = 0;
	int rc;

	memset(&sr, 0, sizeof(sr));
	memset(thread, 0, sizeof(thread));
	sr.m = machine_make(cfg, 0, 65536);
	clock_gettime(CLOCK_MONOTONIC, &sr.from);
	for (uint32_t i = 0; i < STRESS_THREADS; i++) {
		thread[i].cpu = i;
		thread[i].seed = i + 1;
		if (pthread_create(&thread[i].thread, NULL, stress_main, &thread[i])) {
			fprintf(stderr, "stress: no thread\n");
			exit(2);
		}
	}
	for (uint32_t i = 0; i < STRESS_THREADS; i++) {
		pthread_join(thread[i].thread, NULL);
		taken += thread[i].taken;
		refused += thread[i].refused;
		passed += thread[i].passed;
	}
	for (uint32_t i = 0; i < STRESS_BOXES; i++) {
		uint64_t was = sr.box[i], pfn = (uint32_t)was - 1;

		if (!was)
			continue;
		stress_unclaim(&thread[0], pfn, 1, pfn, (uint32_t)(was >> 32));
		pz_free_pages(sr.m->pages, 0, pfn, 0);
	}
	pz_page_drain(sr.m->pages, PZ_CPU_NONE);
	rc = pz_pages_check(sr.m->pages);
	printf("# %llu blocks taken, %llu refused, %llu pages freed by another thread\n",
	       (unsigned long long)taken, (unsigned long long)refused,
	       (unsigned long long)passed);
	if (rc || sr.wrong || sr.m->bugs.count)
		printf("# pz_pages_check() says %d, %u pages with two owners, %llu misuses told\n",
		       rc, sr.wrong, (unsigned long long)sr.m->bugs.count);
	if (machine_free(sr.m) != STRESS_FRAMES)
		printf("# %llu pages are free, %u should be\n",
		       (unsigned long long)machine_free(sr.m), STRESS_FRAMES);
	explore_result(!rc && !sr.wrong && !sr.m->bugs.count && taken && passed &&
		       machine_free(sr.m) == STRESS_FRAMES &&
		       pz_page_free_count(sr.m->pages, UINT32_MAX) == STRESS_FRAMES, "%s", what);
	machine_drop(sr.m);
}

int main(void)
{
	struct machine_config cfg = { .frames = STRESS_FRAMES, .cpus = STRESS_THREADS,
				      .no_grouping = true };

	alarm(STRESS_HANG);
	stress_run("threads", &cfg);
	cfg.pcp_batch = 8;
	cfg.pcp_high = 24;
	stress_run("threads whose CPUs hold frames", &cfg);
	cfg.pcp_batch = cfg.pcp_high = 0;
	cfg.no_grouping = false;
	cfg.pageblock_order = 6;
	stress_run("threads with grouping by mobility", &cfg);
	cfg.policy = PZ_POLICY_ZONELIST;
	stress_run("threads, zone by zone", &cfg);
	return explore_done();
}
