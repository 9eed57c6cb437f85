/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_coherent.c - coherent buffers among real threads, for a race detector and for what only
 * real processors do; and, where there is none, under a storm of signals whose handler allocates.
 *
 * Buffers are handed from thread to thread over a shelf, and written plainly: two owners of a page
 * must be ordered by the library itself. The pool grows and shrinks meanwhile.
 */
#include "explore.h"
#include "machine.h"

#include <physzone/dma.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#if defined(__SANITIZE_THREAD__)
#define SC_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SC_SIGNALS 0
#endif
#endif
#ifndef SC_SIGNALS
#define SC_SIGNALS 1
#endif

#define SC_THREADS 3u
#define SC_CALLS 20000u
#define SC_PAGE ((uint64_t)4096)
#define SC_FRAMES 96u
#define SC_BUFFERS 24u

struct sc_buffer {
	struct pz_dma_buf buf;
	unsigned int device;
	unsigned char seed;
};

static struct {
	struct machine *m;
	struct pz_dma *dma;
	struct pz_dma_dev *dev[2]; /* whose memory is mapped, and one whose page is kept */
	unsigned char *memory;
	struct sc_buffer buffer[SC_BUFFERS];	 /* plain: whoever took it off the shelf has it */
	_Atomic unsigned char shelf[SC_BUFFERS]; /* 1: free, 2: allocated; 0: somebody has it */
	_Atomic unsigned int wrong, had[2], refused, work, signals;
} sc;

static __thread uint64_t sc_signal_seed;
static __thread uint32_t sc_cpu;
static __thread bool sc_handler;

static uint32_t sc_random(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}

static void *sc_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return sc.memory + phys;
}

static void *sc_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	(void)attrs;
	(void)cached;
	if (sc_handler)
		atomic_fetch_add(&sc.wrong, 1);
	return sc_direct(ctx, phys, bytes);
}

static void sc_unmap(void *ctx, void *p, uint64_t bytes)
{
	(void)ctx;
	(void)p;
	(void)bytes;
}

static bool sc_is(const struct sc_buffer *b, unsigned char v)
{
	const unsigned char *p = b->buf.cpu_addr;
	bool ok = true;

	for (uint64_t i = 0; i < b->buf.size; i += 499)
		ok = ok && p[i] == v;
	return ok;
}

static void sc_alloc(uint64_t *seed, uint32_t k)
{
	struct sc_buffer *b = &sc.buffer[k];
	uint64_t size = b->device ? 1 + sc_random(seed, 4096) : (1 + sc_random(seed, 3)) * SC_PAGE;
	uint32_t cpu = sc_random(seed, 16) ? sc_cpu : PZ_CPU_NONE;

	if (pz_dma_alloc(sc.dev[b->device], cpu, 0, 0, size, &b->buf)) {
		atomic_fetch_add_explicit(&sc.refused, 1, memory_order_relaxed);
		atomic_store(&sc.shelf[k], 1);
		return;
	}
	atomic_fetch_add_explicit(&sc.had[b->device], 1, memory_order_relaxed);
	b->seed = (unsigned char)sc_random(seed, 256);
	if (!sc_is(b, 0))
		atomic_fetch_add(&sc.wrong, 1);
	memset(b->buf.cpu_addr, b->seed, (size_t)b->buf.size);
	atomic_store(&sc.shelf[k], 2);
}

static void sc_free(uint64_t *seed, uint32_t k)
{
	struct sc_buffer *b = &sc.buffer[k];

	if (!sc_is(b, b->seed))
		atomic_fetch_add(&sc.wrong, 1);
	pz_dma_free(sc.dev[b->device], sc_random(seed, 16) ? sc_cpu : PZ_CPU_NONE, &b->buf);
	atomic_store(&sc.shelf[k], 1);
}

static int sc_visit(void *ctx, const struct pz_dma_holder *h)
{
	(void)ctx;
	if (h->dev != sc.dev[0] || h->from != PZ_DMA_FROM_ATOMIC ||
	    h->phys.last >= SC_FRAMES * SC_PAGE)
		atomic_fetch_add(&sc.wrong, 1);
	return 0;
}

static void sc_call(uint64_t *seed)
{
	uint32_t k = sc_random(seed, SC_BUFFERS), what = sc_random(seed, 100);
	struct pz_dma_pool_stat stat;

	if (what < 4 && !sc_handler) {
		if (pz_dma_work(sc.dma, sc_cpu))
			atomic_fetch_add_explicit(&sc.work, 1, memory_order_relaxed);
		return;
	}
	if (what == 5) {
		(void)pz_dma_holders(sc.dma, sc.dev[0], sc_visit, NULL);
		(void)pz_dma_pool_stats(sc.dma, &stat, 1);
		return;
	}
	switch (atomic_exchange(&sc.shelf[k], 0)) {
	case 1:
		sc_alloc(seed, k);
		break;
	case 2:
		sc_free(seed, k);
		break;
	}
}

static void sc_on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add_explicit(&sc.signals, 1, memory_order_relaxed);
	sc_handler = true;
	for (unsigned int i = 0; i < 2; i++)
		sc_call(&sc_signal_seed);
	sc_handler = false;
}

/* Only a thread that is its CPU may be interrupted by a handler on the same CPU. */
static void sc_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(how, &set, NULL);
}

static void *sc_run(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 77;

	sc_cpu = (uint32_t)(uintptr_t)arg - 1;
	sc_signal_seed = seed + 1;
	sc_mask(SIG_UNBLOCK);
	for (unsigned int i = 0; i < SC_CALLS; i++)
		sc_call(&seed);
	return NULL;
}

static void sc_open(void)
{
	struct machine_config cfg = { .frames = SC_FRAMES,
				      .cpus = SC_THREADS,
				      .no_grouping = true };
	struct pz_dma_config dc;
	struct pz_dma_dev_config dev;

	sc.m = machine_make(&cfg, 0, (size_t)1 << 20);
	sc.memory = aligned_alloc(4096, SC_FRAMES * SC_PAGE);
	memset(&dc, 0, sizeof(dc));
	dc.meta = &sc.m->meta;
	dc.bugs = &sc.m->bugs;
	dc.pages = sc.m->pages;
	dc.cpus = SC_THREADS;
	dc.cma = PZ_DMA_NO_CMA;
	dc.pool_bytes = 4 * SC_PAGE;
	dc.hold = true;
	dc.hooks.direct = sc_direct;
	dc.hooks.remap = sc_remap;
	dc.hooks.unmap = sc_unmap;
	if (!sc.memory || pz_dma_create(&sc.dma, &dc))
		exit(2);
	memset(sc.memory, 1, SC_FRAMES * SC_PAGE);
	for (unsigned int i = 0; i < 2; i++) {
		pz_dma_dev_init(&dev, "device", 32);
		dev.coherent = i;
		if (pz_dma_dev_create(&sc.dev[i], sc.dma, &dev))
			exit(2);
	}
	for (unsigned int i = 0; i < SC_BUFFERS; i++) {
		sc.shelf[i] = 1;
		sc.buffer[i].device = i % 3 == 0;
	}
}

int main(void)
{
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	pthread_t t[SC_THREADS];
	uint64_t seed = 1;

	sc_open();
	sc_mask(SIG_BLOCK);
	if (SC_SIGNALS) {
		struct sigaction sa;

		memset(&sa, 0, sizeof(sa));
		sa.sa_handler = sc_on_signal;
		sa.sa_flags = SA_RESTART;
		sigaction(SIGALRM, &sa, NULL);
	}
	for (uintptr_t i = 0; i < SC_THREADS; i++)
		if (pthread_create(&t[i], NULL, sc_run, (void *)(i + 1)))
			exit(2);
	if (SC_SIGNALS)
		setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned int i = 0; i < SC_THREADS; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	if (SC_SIGNALS)
		signal(SIGALRM, SIG_IGN);
	explore_result(sc.wrong == 0, "every byte came where it belongs");
	explore_result(sc.m->bugs.count == 0, "no right call was told as misuse");
	explore_result(pz_dma_check(sc.dma) == 0 && pz_pages_check(sc.m->pages) == 0,
		       "the layer and page frames are as they should be");
	explore_result(sc.had[0] > 1000 && sc.had[1] > 1000 && sc.work > 20 &&
			       (!SC_SIGNALS || sc.signals),
		       "%u from the pool, %u pages, %u refused, pools changed %u times, %u signals",
		       sc.had[0], sc.had[1], sc.refused, sc.work, sc.signals);
	for (uint32_t k = 0; k < SC_BUFFERS; k++)
		if (sc.shelf[k] == 2)
			sc_free(&seed, k);
	explore_result(pz_dma_dev_destroy(sc.dev[0]) == 0 && pz_dma_dev_destroy(sc.dev[1]) == 0 &&
			       pz_dma_destroy(sc.dma) == 0 && machine_free(sc.m) == SC_FRAMES &&
			       sc.wrong == 0,
		       "everything comes back");
	free(sc.memory);
	machine_drop(sc.m);
	return explore_done();
}
