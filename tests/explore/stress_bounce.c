/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_bounce.c - bounce buffers among real threads, for a race detector and for what only real
 * processors do; and, where there is none, under a storm of signals whose handler maps too.
 *
 * Mappings are handed from thread to thread over a shelf. Buffers and memory are written plainly:
 * two owners of a slot must be ordered by the library itself. Pools come and go meanwhile, and the
 * page frames that they were are given out as metadata of others.
 */
#include "explore.h"
#include "machine.h"

#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#if defined(__SANITIZE_THREAD__)
#define SB_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SB_SIGNALS 0
#endif
#endif
#ifndef SB_SIGNALS
#define SB_SIGNALS 1
#endif

#define SB_THREADS 3u
#define SB_CALLS 20000u
#define SB_PAGE ((uint64_t)4096)
#define SB_FRAMES 28u
#define SB_ASIDE 16u		    /* pages */
#define SB_MEMORY ((uint64_t)12288) /* of each mapping */
#define SB_MAPPINGS 48u

struct sb_map {
	uint64_t bus, size;
	unsigned char seed;
};

static struct {
	struct machine *m;
	struct pz_bounce *b;
	struct pz_dma *dma;
	struct pz_dma_dev *dev;
	unsigned char *memory;
	struct sb_map map[SB_MAPPINGS];		  /* plain: whoever took it off the shelf has it */
	_Atomic unsigned char shelf[SB_MAPPINGS]; /* 1: idle, 2: mapped; 0: somebody has it */
	_Atomic unsigned int wrong, mapped, refused, trims, signals;
} sb;

static __thread uint64_t sb_signal_seed;
static __thread uint32_t sb_cpu;

static uint32_t sb_random(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}

static void *sb_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return sb.memory + phys;
}

static void sb_fill(uint64_t at, uint64_t size, unsigned char seed)
{
	for (uint64_t i = 0; i < size; i += 61)
		sb.memory[at + i] = (unsigned char)(seed + i);
	sb.memory[at + size - 1] = seed;
}

static void sb_holds(uint64_t at, uint64_t size, unsigned char seed)
{
	bool ok = sb.memory[at + size - 1] == seed;

	for (uint64_t i = 0; i < size - 1; i += 61)
		ok = ok && sb.memory[at + i] == (unsigned char)(seed + i);
	if (!ok)
		atomic_fetch_add(&sb.wrong, 1);
}

static uint64_t sb_phys(uint32_t k)
{
	return (SB_FRAMES + SB_ASIDE) * SB_PAGE + k * SB_MEMORY;
}

static void sb_do_map(uint64_t *seed, uint32_t k)
{
	struct sb_map *x = &sb.map[k];
	int rc;

	x->size = 2 + sb_random(seed, sb_random(seed, 2) ? 2000 : (uint32_t)SB_MEMORY - 2);
	x->seed = (unsigned char)sb_random(seed, 256);
	sb_fill(sb_phys(k), x->size, x->seed);
	rc = pz_dma_map_try(sb.dev, sb_random(seed, 8) ? sb_cpu : PZ_CPU_NONE, sb_phys(k), x->size,
			    PZ_DMA_BIDIRECTIONAL, 0, &x->bus);
	if (rc) {
		atomic_fetch_add_explicit(&sb.refused, 1, memory_order_relaxed);
		atomic_store(&sb.shelf[k], 1);
		return;
	}
	atomic_fetch_add_explicit(&sb.mapped, 1, memory_order_relaxed);
	if (x->bus >= (SB_FRAMES + SB_ASIDE) * SB_PAGE)
		atomic_fetch_add(&sb.wrong, 1);
	else
		sb_holds(x->bus, x->size, x->seed);
	atomic_store(&sb.shelf[k], 2);
}

static void sb_unmap(uint64_t *seed, uint32_t k, bool only_sync)
{
	struct sb_map *x = &sb.map[k];

	sb_holds(x->bus, x->size, x->seed);
	x->seed = (unsigned char)sb_random(seed, 256);
	sb_fill(x->bus, x->size, x->seed);
	if (only_sync)
		pz_dma_sync_for_cpu(sb.dev, x->bus, x->size, PZ_DMA_BIDIRECTIONAL);
	else
		pz_dma_unmap(sb.dev, sb_cpu, x->bus, x->size, PZ_DMA_BIDIRECTIONAL, 0);
	sb_holds(sb_phys(k), x->size, x->seed);
	atomic_store(&sb.shelf[k], only_sync ? 2 : 1);
}

static int sb_visit(void *ctx, const struct pz_bounce_use *u)
{
	(void)ctx;
	if (u->dev != sb.dev || u->size > SB_MEMORY || u->phys < sb_phys(0))
		atomic_fetch_add(&sb.wrong, 1);
	return 0;
}

static void sb_call(uint64_t *seed)
{
	uint32_t k = sb_random(seed, SB_MAPPINGS), what = sb_random(seed, 200);
	struct pz_bounce_stat stat;

	if (what < 6) {
		if (pz_bounce_trim(sb.b, sb_cpu))
			atomic_fetch_add_explicit(&sb.trims, 1, memory_order_relaxed);
	} else if (what == 6) {
		pz_bounce_for_each(sb.b, NULL, sb_visit, NULL);
		pz_bounce_stat(sb.b, &stat);
	} else {
		switch (atomic_exchange(&sb.shelf[k], 0)) {
		case 1:
			sb_do_map(seed, k);
			break;
		case 2:
			sb_unmap(seed, k, !sb_random(seed, 4));
			break;
		}
	}
}

static void sb_on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add_explicit(&sb.signals, 1, memory_order_relaxed);
	for (unsigned int i = 0; i < 2; i++)
		sb_call(&sb_signal_seed);
}

/* Only a thread that is its CPU may be interrupted by a handler on the same CPU. */
static void sb_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(how, &set, NULL);
}

static void *sb_run(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 77;

	sb_cpu = (uint32_t)(uintptr_t)arg - 1;
	sb_signal_seed = seed + 1;
	sb_mask(SIG_UNBLOCK);
	for (unsigned int i = 0; i < SB_CALLS; i++)
		sb_call(&seed);
	return NULL;
}

static void sb_open(void)
{
	struct machine_config cfg = { .frames = SB_FRAMES,
				      .cpus = SB_THREADS,
				      .no_grouping = true };
	struct pz_range aside = { SB_FRAMES * SB_PAGE, (SB_FRAMES + SB_ASIDE) * SB_PAGE - 1 };
	struct pz_bounce_config bc;
	struct pz_dma_config dc;
	struct pz_dma_dev_config dev;

	sb.m = machine_make(&cfg, 0, 65536);
	sb.memory = aligned_alloc(4096, sb_phys(SB_MAPPINGS));
	memset(&bc, 0, sizeof(bc));
	memset(&dc, 0, sizeof(dc));
	bc.meta = dc.meta = &sb.m->meta;
	bc.bugs = dc.bugs = &sb.m->bugs;
	bc.ranges = &aside;
	bc.range_count = 1;
	bc.cpus = dc.cpus = SB_THREADS;
	bc.pages = dc.pages = sb.m->pages;
	bc.reserve_bytes = UINT64_MAX;
	bc.grow_bytes = 4 * SB_PAGE;
	bc.hooks.direct = dc.hooks.direct = sb_direct;
	dc.cma = PZ_DMA_NO_CMA;
	dc.pool_bytes = UINT64_MAX;
	pz_dma_dev_init(&dev, "device", 32);
	dev.mask = (SB_FRAMES + SB_ASIDE) * SB_PAGE - 1;
	if (!sb.memory || pz_bounce_create(&sb.b, &bc))
		exit(2);
	dc.bounce = sb.b;
	if (pz_dma_create(&sb.dma, &dc) || pz_dma_dev_create(&sb.dev, sb.dma, &dev))
		exit(2);
	for (unsigned int i = 0; i < SB_MAPPINGS; i++)
		sb.shelf[i] = 1;
}

int main(void)
{
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	struct pz_bounce_stat stat;
	pthread_t t[SB_THREADS];
	uint64_t seed = 1;

	sb_open();
	sb_mask(SIG_BLOCK);
	if (SB_SIGNALS) {
		struct sigaction sa;

		memset(&sa, 0, sizeof(sa));
		sa.sa_handler = sb_on_signal;
		sa.sa_flags = SA_RESTART;
		sigaction(SIGALRM, &sa, NULL);
	}
	for (uintptr_t i = 0; i < SB_THREADS; i++)
		if (pthread_create(&t[i], NULL, sb_run, (void *)(i + 1)))
			exit(2);
	if (SB_SIGNALS)
		setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned int i = 0; i < SB_THREADS; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	if (SB_SIGNALS)
		signal(SIGALRM, SIG_IGN);
	pz_bounce_stat(sb.b, &stat);
	explore_result(sb.wrong == 0, "every byte came where it belongs");
	explore_result(sb.m->bugs.count == 0, "no right call was told as misuse");
	explore_result(pz_bounce_check(sb.b) == 0 && pz_pages_check(sb.m->pages) == 0,
		       "bounce buffers and page frames are as they should be");
	explore_result(sb.mapped > 1000 && stat.grown > 20 && sb.trims > 20 &&
			       (!SB_SIGNALS || sb.signals),
		       "%u mapped, %u refused, %llu pools made, %u trims, %u signals", sb.mapped,
		       sb.refused, (unsigned long long)stat.grown, sb.trims, sb.signals);
	for (uint32_t k = 0; k < SB_MAPPINGS; k++)
		if (sb.shelf[k] == 2)
			sb_unmap(&seed, k, false);
	pz_bounce_trim(sb.b, 0);
	explore_result(machine_free(sb.m) == SB_FRAMES && pz_dma_dev_destroy(sb.dev) == 0 &&
			       pz_dma_destroy(sb.dma) == 0 && pz_bounce_destroy(sb.b) == 0 &&
			       sb.wrong == 0,
		       "everything comes back");
	free(sb.memory);
	machine_drop(sb.m);
	return explore_done();
}
