/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_pools.c - pools among real threads, for a race detector and for what only real processors
 * do; and, where there is none, under a storm of signals whose handler calls the pools too.
 *
 * Chunks are added, removed and released by themselves meanwhile; their metadata is freed when they
 * are released. Every granule has an owner byte that is exchanged, and plain content that its owner
 * writes: two owners must be ordered by the pool itself. The same for elements of a reserve.
 */
#include "explore.h"

#include <physzone/genpool.h>
#include <physzone/mempool.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#if defined(__SANITIZE_THREAD__)
#define SP_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SP_SIGNALS 0
#endif
#endif
#ifndef SP_SIGNALS
#define SP_SIGNALS 1
#endif

#define SP_THREADS 4u
#define SP_CHUNKS 6u
#define SP_GRANULES 300u
#define SP_SHELF 48u
#define SP_CALLS 100000u
#define SP_ELEMENTS 64u
#define SP_RESERVE 4u

static struct {
	struct pz_genpool *pool;
	struct pz_mempool *reserve;
	struct pz_bugs bugs;
	_Atomic unsigned char there[SP_CHUNKS];
	_Atomic unsigned char owner[SP_CHUNKS][SP_GRANULES];
	uint64_t content[SP_CHUNKS][SP_GRANULES]; /* plain */
	_Atomic uint64_t shelf[SP_SHELF]; /* address + 1 below, granules above bit 48; or 0 */
	_Atomic unsigned char with_allocator[SP_ELEMENTS];
	uint64_t mine[SP_ELEMENTS]; /* plain */
	_Atomic unsigned int wrong, released, taken, refused, signals;
} sp;

static __thread uint64_t sp_signal_seed;

static uint32_t sp_random(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}

static void *sp_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void sp_mfree(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta sp_meta = { sp_malloc, sp_mfree, NULL };

/* Metadata of chunks: not by malloc(), for a signal handler may give it back. */
static struct {
	_Atomic unsigned char used;
	_Alignas(64) uint64_t mem[128];
} sp_store[2 * SP_CHUNKS];

static void sp_release(void *ctx, const struct pz_genpool_info *info)
{
	uint32_t i = (uint32_t)(info->addr >> 16);
	size_t k = 0;

	(void)ctx;
	while (sp_store[k].mem != info->mem)
		k++;
	memset(sp_store[k].mem, 0xee, sizeof(sp_store[k].mem));
	if (!atomic_exchange(&sp_store[k].used, 0) || !atomic_exchange(&sp.there[i], 0))
		atomic_fetch_add(&sp.wrong, 1);
	atomic_fetch_add(&sp.released, 1);
}

/* Every second chunk goes by itself. */
static void sp_add(uint32_t i)
{
	struct pz_genpool_chunk c;
	size_t k = 0;

	if (atomic_exchange(&sp.there[i], 1))
		return;
	while (k < 2 * SP_CHUNKS && atomic_exchange(&sp_store[k].used, 1))
		k++;
	if (k == 2 * SP_CHUNKS) {
		atomic_store(&sp.there[i], 0);
		return;
	}
	memset(&c, 0, sizeof(c));
	c.addr = (uint64_t)i << 16;
	c.size = i < 2 ? SP_GRANULES : 40 + i;
	c.phys = PZ_GENPOOL_NO_PHYS;
	c.flags = i % 2 ? PZ_GENPOOL_AUTO : 0;
	c.mem = sp_store[k].mem;
	c.mem_bytes = sizeof(sp_store[k].mem);
	c.release = sp_release;
	if (pz_genpool_add(sp.pool, &c))
		atomic_fetch_add(&sp.wrong, 1);
}

static void sp_put(uint64_t entry)
{
	uint64_t addr = (entry & 0xffffffffffffu) - 1, n = entry >> 48;

	if (!entry)
		return;
	for (uint64_t k = addr & 0xffff; k < (addr & 0xffff) + n; k++) {
		if (sp.content[addr >> 16][k] != addr ||
		    atomic_exchange_explicit(&sp.owner[addr >> 16][k], 0, memory_order_relaxed) !=
			    1)
			atomic_fetch_add(&sp.wrong, 1);
	}
	pz_genpool_free(sp.pool, addr, n);
}

static void sp_take(uint64_t *seed)
{
	static const enum pz_genpool_kind kinds[] = {
		PZ_GENPOOL_FIRST_FIT,	  PZ_GENPOOL_FIRST_FIT, PZ_GENPOOL_BEST_FIT,
		PZ_GENPOOL_ORDER_ALIGNED, PZ_GENPOOL_ALIGNED,
	};
	uint32_t n = 1 + sp_random(seed, sp_random(seed, 4) ? 6 : 80),
		 i = sp_random(seed, SP_SHELF);
	struct pz_genpool_algo a = { .kind = kinds[sp_random(seed, 5)], .align = 8 };
	struct pz_genpool_got got;

	if (pz_genpool_alloc_algo(sp.pool, n, &a, &got)) {
		atomic_fetch_add_explicit(&sp.refused, 1, memory_order_relaxed);
		return;
	}
	atomic_fetch_add_explicit(&sp.taken, 1, memory_order_relaxed);
	for (uint64_t k = got.addr & 0xffff; k < (got.addr & 0xffff) + n; k++) {
		if (atomic_exchange_explicit(&sp.owner[got.addr >> 16][k], 1, memory_order_relaxed))
			atomic_fetch_add(&sp.wrong, 1);
		sp.content[got.addr >> 16][k] = got.addr;
	}
	sp_put(atomic_exchange(&sp.shelf[i], (got.addr + 1) | (uint64_t)n << 48));
}

static int sp_element_alloc(void *ctx, uint32_t gfp, uint64_t *element)
{
	(void)ctx;
	(void)gfp;
	for (uint32_t i = 0; i < SP_ELEMENTS / 8; i++) {
		if (atomic_exchange(&sp.with_allocator[i], 0)) {
			*element = i;
			return 0;
		}
	}
	return -PZ_ENOMEM;
}

static void sp_element_free(void *ctx, uint64_t element)
{
	(void)ctx;
	if (atomic_exchange(&sp.with_allocator[element], 1))
		atomic_fetch_add(&sp.wrong, 1);
}

static void sp_elements(uint64_t *seed)
{
	uint64_t e[3], stamp = *seed;
	uint32_t n = 0;

	while (n < 1 + sp_random(seed, 3) && !pz_mempool_alloc(sp.reserve, 0, &e[n])) {
		sp.mine[e[n]] = stamp;
		n++;
	}
	while (n-- > 0) {
		if (sp.mine[e[n]] != stamp)
			atomic_fetch_add(&sp.wrong, 1);
		pz_mempool_free(sp.reserve, e[n]);
	}
}

static int sp_visit(void *ctx, const struct pz_genpool_info *info)
{
	(void)ctx;
	if (info->granules != info->size || info->avail > info->size)
		atomic_fetch_add(&sp.wrong, 1);
	return 0;
}

static void sp_call(uint64_t *seed)
{
	uint32_t what = sp_random(seed, 64);

	if (what < 26)
		sp_take(seed);
	else if (what < 54)
		sp_put(atomic_exchange(&sp.shelf[sp_random(seed, SP_SHELF)], 0));
	else if (what < 58)
		sp_elements(seed);
	else if (what < 60)
		sp_add(sp_random(seed, SP_CHUNKS));
	else if (what < 63)
		pz_genpool_remove(sp.pool, (uint64_t)sp_random(seed, SP_CHUNKS) << 16);
	else
		pz_genpool_for_each_chunk(sp.pool, sp_visit, NULL);
}

static void sp_on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add_explicit(&sp.signals, 1, memory_order_relaxed);
	for (unsigned int i = 0; i < 4; i++)
		sp_call(&sp_signal_seed);
}

static void *sp_run(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 77;

	sp_signal_seed = seed + 1;
	for (unsigned int i = 0; i < SP_CALLS; i++)
		sp_call(&seed);
	return NULL;
}

static void sp_open(void)
{
	struct pz_genpool_config cfg;
	struct pz_mempool_config mc;

	memset(&cfg, 0, sizeof(cfg));
	memset(&mc, 0, sizeof(mc));
	sp.bugs.policy = PZ_BUG_IGNORE;
	cfg.meta = mc.meta = &sp_meta;
	cfg.bugs = mc.bugs = &sp.bugs;
	mc.min = SP_RESERVE;
	mc.alloc = sp_element_alloc;
	mc.free = sp_element_free;
	for (unsigned int i = 0; i < SP_ELEMENTS / 8; i++)
		sp.with_allocator[i] = 1;
	if (pz_genpool_create(&sp.pool, &cfg) || pz_mempool_create(&sp.reserve, &mc))
		exit(2);
	for (uint32_t i = 0; i < SP_CHUNKS; i++)
		sp_add(i);
}

int main(void)
{
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	pthread_t t[SP_THREADS];
	uint32_t elements = 0;

	sp_open();
	if (SP_SIGNALS) {
		struct sigaction sa;

		memset(&sa, 0, sizeof(sa));
		sa.sa_handler = sp_on_signal;
		sa.sa_flags = SA_RESTART;
		sigaction(SIGALRM, &sa, NULL);
	}
	for (uintptr_t i = 0; i < SP_THREADS; i++)
		if (pthread_create(&t[i], NULL, sp_run, (void *)(i + 1)))
			exit(2);
	if (SP_SIGNALS)
		setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned int i = 0; i < SP_THREADS; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	if (SP_SIGNALS)
		signal(SIGALRM, SIG_IGN);
	explore_result(sp.wrong == 0, "no granule and no element had two owners");
	explore_result(sp.bugs.count == 0, "no right call was told as misuse");
	explore_result(pz_genpool_check(sp.pool) == 0 && pz_mempool_check(sp.reserve) == 0,
		       "pools and reserve are as they should be");
	explore_result(sp.taken > 1000 && sp.released > 100 && (!SP_SIGNALS || sp.signals),
		       "%u pieces taken, %u refused, %u chunks released, %u signals", sp.taken,
		       sp.refused, sp.released, sp.signals);
	for (unsigned int i = 0; i < SP_SHELF; i++)
		sp_put(sp.shelf[i]);
	for (unsigned int i = 0; i < SP_ELEMENTS / 8; i++)
		elements += sp.with_allocator[i];
	explore_result(pz_genpool_avail(sp.pool) == pz_genpool_size(sp.pool) &&
			       elements == SP_ELEMENTS / 8 - SP_RESERVE,
		       "everything comes back");
	explore_result(pz_genpool_check(sp.pool) == 0 && sp.wrong == 0 && sp.bugs.count == 0 &&
			       pz_genpool_destroy(sp.pool) == 0 &&
			       pz_mempool_destroy(sp.reserve, NULL) == 0,
		       "and goes");
	for (size_t k = 0; k < 2 * SP_CHUNKS; k++)
		elements += sp_store[k].used;
	explore_result(elements == SP_ELEMENTS / 8 - SP_RESERVE, "all metadata was released");
	return explore_done();
}
