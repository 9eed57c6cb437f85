/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_iommu.c - real threads on one domain, strict and lazy, for a race detector and for what
 * only real processors do; and, where there is none, signals whose handlers map and unmap on top.
 *
 * For each granule it is known who has it (plain writes, as of any user), and whether the IOMMU
 * keeps a translation of it: set when a device uses it, cleared by flushes alone. Whoever gets
 * addresses finds none kept.
 */
#include "../property/dma_box.h"
#include "alarm.h"
#include "explore.h"

#include <physzone/iommu.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#if defined(__SANITIZE_THREAD__)
#define SI_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SI_SIGNALS 0
#endif
#endif
#ifndef SI_SIGNALS
#define SI_SIGNALS 1
#endif

#define SI_THREADS DB_CPUS
#define SI_FIRST (3 * DB_MIB)
#define SI_GRANULES 900u
#define SI_HELD 24u
#define SI_CALLS 12000u
#define SI_PAGE 4096u

struct si_held {
	uint64_t bus, size;
	struct pz_sg sg[3];
	uint32_t n; /* elements of a list, or 0 */
	bool buffer;
	struct pz_iommu_buf buf;
};

struct si_thread {
	pthread_t thread;
	uint32_t cpu, held;
	uint64_t seed, mapped;
	struct si_held h[SI_HELD];
	struct si_thread *handler;
};

static struct {
	struct dma_box box;
	struct pz_table_mem mem;
	struct pz_iommu *d;
	struct pz_iommu_dev *dev;
	uint64_t owner[SI_GRANULES];
	unsigned char kept[SI_GRANULES];
	uint32_t wrong, signals;
} si;

static __thread struct si_thread *si_on_top;

static uint32_t si_random(struct si_thread *t, uint32_t n)
{
	t->seed = t->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->seed >> 33) % n);
}

static void si_wrong(const char *what)
{
	if (!__atomic_fetch_add(&si.wrong, 1, __ATOMIC_SEQ_CST))
		printf("# %s\n", what);
}

/* --- the machine --- */

static int si_table(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	uint64_t pfn;
	int rc = pz_alloc_pages(si.box.pages, cpu, gfp, bytes > SI_PAGE ? 2 : 0, NULL, &pfn);

	(void)ctx;
	if (rc)
		return rc;
	out->addr = pfn * SI_PAGE;
	out->cpu_addr = db_direct(NULL, out->addr, bytes);
	return 0;
}

static void si_untable(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	(void)ctx;
	pz_free_pages(si.box.pages, cpu, t->addr / SI_PAGE, bytes > SI_PAGE ? 2 : 0);
}

static void si_flush(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	uint64_t end = iova + size;

	(void)ctx;
	(void)granule;
	for (; iova < end; iova += SI_PAGE)
		if (iova >= SI_FIRST && (iova - SI_FIRST) / SI_PAGE < SI_GRANULES)
			__atomic_store_n(&si.kept[(iova - SI_FIRST) / SI_PAGE], 0,
					 __ATOMIC_SEQ_CST);
}

static void si_flush_all(void *ctx)
{
	si_flush(ctx, SI_FIRST, SI_GRANULES * SI_PAGE, SI_PAGE);
}

/* A handler has the signal blocked already, and must find it so again. */
static uintptr_t si_mask(void *ctx)
{
	sigset_t set, was;

	(void)ctx;
	if (!SI_SIGNALS)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, &was);
	return sigismember(&was, SIGALRM) == 1;
}

static void si_unmask(void *ctx, uintptr_t was)
{
	(void)ctx;
	if (SI_SIGNALS && !was)
		alarm_mask(SIG_UNBLOCK);
}

/* --- what threads do --- */

/* Addresses are somebody's from now on: nobody else's, and not kept. */
static void si_own(struct si_thread *t, uint64_t bus, uint64_t size, uint64_t phys)
{
	for (uint64_t at = bus & ~(uint64_t)(SI_PAGE - 1); at < bus + size; at += SI_PAGE) {
		uint64_t i = (at - SI_FIRST) / SI_PAGE, to = 0;

		if (si.owner[i])
			si_wrong("addresses are given out twice");
		si.owner[i] = (uint64_t)(uintptr_t)t;
		if (__atomic_load_n(&si.kept[i], __ATOMIC_SEQ_CST))
			si_wrong("addresses are used again before they were flushed");
		if (pz_iommu_phys(si.d, at, &to) ||
		    (phys && to != (phys & ~(uint64_t)(SI_PAGE - 1)) +
					     (at - (bus & ~(uint64_t)(SI_PAGE - 1)))))
			si_wrong("an address leads elsewhere");
		if (si_random(t, 2))
			__atomic_store_n(&si.kept[i], 1, __ATOMIC_SEQ_CST);
	}
}

static void si_disown(struct si_thread *t, uint64_t bus, uint64_t size)
{
	for (uint64_t at = bus & ~(uint64_t)(SI_PAGE - 1); at < bus + size; at += SI_PAGE) {
		uint64_t i = (at - SI_FIRST) / SI_PAGE;

		if (si.owner[i] != (uint64_t)(uintptr_t)t)
			si_wrong("somebody else has the addresses");
		si.owner[i] = 0;
	}
}

static uint64_t si_draw(struct si_thread *t, uint64_t size)
{
	return DB_FIRST + si_random(t, (uint32_t)(DB_BYTES - size));
}

static bool si_list(struct si_thread *t, struct si_held *h)
{
	uint32_t segments;

	h->n = 2 + si_random(t, 2);
	h->size = 0;
	for (uint32_t i = 0; i < h->n; i++) {
		h->sg[i].len = SI_PAGE * (1 + si_random(t, 3));
		h->sg[i].phys = si_draw(t, h->sg[i].len) & ~(uint64_t)(SI_PAGE - 1);
		h->size += h->sg[i].len;
	}
	if (pz_iommu_map_sg(si.dev, t->cpu, 0, h->sg, h->n, PZ_DMA_TO_DEVICE, 0, &segments))
		return false;
	if (segments != 1 || h->sg[0].bus_len != h->size)
		si_wrong("a list of whole pages is not one segment");
	h->bus = h->sg[0].bus;
	si_own(t, h->bus, h->size, 0);
	return true;
}

static bool si_buffer(struct si_thread *t, struct si_held *h)
{
	uint64_t phys;

	h->size = SI_PAGE * (1 + si_random(t, 3));
	h->buffer = true;
	if (pz_iommu_alloc(si.dev, t->cpu, 0, PZ_DMA_NO_KERNEL_MAPPING, h->size, &h->buf))
		return false;
	h->bus = h->buf.bus;
	si_own(t, h->bus, h->size, 0);
	for (uint64_t at = h->bus; at < h->bus + h->size; at += SI_PAGE) {
		if (pz_iommu_phys(si.d, at, &phys))
			si_wrong("a buffer is not mapped");
		else
			*(uint64_t *)db_direct(NULL, phys, SI_PAGE) = at;
	}
	return true;
}

static bool si_single(struct si_thread *t, struct si_held *h)
{
	uint64_t phys;

	h->size = 1 + si_random(t, 5 * SI_PAGE);
	phys = si_draw(t, h->size);
	if (pz_iommu_map(si.dev, t->cpu, 0, phys, h->size, PZ_DMA_FROM_DEVICE, 0, &h->bus))
		return false;
	si_own(t, h->bus, h->size, phys);
	return true;
}

static void si_take(struct si_thread *t)
{
	struct si_held *h = &t->h[t->held];
	uint32_t what = si_random(t, 8);

	memset(h, 0, sizeof(*h));
	if (what == 0 ? si_buffer(t, h) : what < 3 ? si_list(t, h) : si_single(t, h)) {
		t->held++;
		t->mapped++;
	}
}

static void si_give(struct si_thread *t, uint32_t i)
{
	struct si_held h = t->h[i];
	uint64_t phys;

	t->h[i] = t->h[--t->held];
	for (uint64_t at = h.bus; h.buffer && at < h.bus + h.size; at += SI_PAGE)
		if (pz_iommu_phys(si.d, at, &phys) ||
		    *(uint64_t *)db_direct(NULL, phys, SI_PAGE) != at)
			si_wrong("somebody wrote to a buffer");
	si_disown(t, h.bus, h.size);
	if (h.buffer)
		pz_iommu_free(si.dev, t->cpu, &h.buf);
	else if (h.n)
		pz_iommu_unmap_sg(si.dev, t->cpu, h.sg, h.n, PZ_DMA_TO_DEVICE, 0);
	else
		pz_iommu_unmap(si.dev, t->cpu, h.bus, h.size, PZ_DMA_FROM_DEVICE, 0);
}

static void si_step(struct si_thread *t)
{
	if (si_random(t, 300) == 0)
		(void)pz_iommu_flush(si.d, t->cpu);
	else if (t->held < SI_HELD && si_random(t, 100) < (t->held < SI_HELD / 2 ? 60u : 45u))
		si_take(t);
	else if (t->held)
		si_give(t, si_random(t, t->held));
}

static void si_interrupt(int sig)
{
	(void)sig;
	if (!si_on_top)
		return;
	__atomic_fetch_add(&si.signals, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 4; i++)
		si_step(si_on_top);
}

static void *si_main(void *arg)
{
	struct si_thread *t = arg;

	si_on_top = t->handler;
	alarm_mask(SIG_UNBLOCK);
	for (unsigned int i = 0; i < SI_CALLS; i++)
		si_step(t);
	si_on_top = NULL;
	alarm_mask(SIG_BLOCK);
	return NULL;
}

static void si_open(bool lazy)
{
	struct pz_iommu_config c = { .lazy = lazy, .cpus = SI_THREADS };
	struct pz_iommu_dev_config dc;

	memset(&si, 0, sizeof(si));
	if (!db_start(&si.box, NULL))
		exit(2);
	si.mem = (struct pz_table_mem){ si_table, si_untable, NULL, true };
	c.tables.ias = c.tables.oas = 32;
	c.tables.quirks = lazy ? PZ_V7S_GIVE_BACK : 0;
	c.tables.coherent_walk = true;
	c.tables.mem = &si.mem;
	c.tables.meta = &si.box.hook.meta;
	c.tables.bugs = &si.box.bugs;
	c.tables.tlb.flush_all = si_flush_all;
	c.tables.tlb.flush_walk = si_flush;
	c.tables.hooks.mask = si_mask;
	c.tables.hooks.unmask = si_unmask;
	c.space = (struct pz_range){ SI_FIRST, SI_FIRST + SI_GRANULES * SI_PAGE - 1 };
	c.pages = si.box.pages;
	pz_iommu_dev_init(&dc, "stress", 32);
	if (pz_iommu_create(&si.d, &c, 0, 0, NULL) || pz_iommu_attach(&si.dev, si.d, &dc))
		exit(2);
}

static void si_close(bool lazy)
{
	struct pz_iommu_stat s;

	pz_iommu_stat(si.d, &s);
	explore_result(!si.wrong && !si.box.bugs.count,
		       "no address had two owners, or was used before it was flushed");
	explore_result(!s.out && (!lazy || s.queued > 1000) && pz_iommu_check(si.d) == 0,
		       "the domain is as it should be");
	pz_iommu_detach(si.dev);
	explore_result(pz_iommu_destroy(si.d, 0) == 0 && db_stop(&si.box), "all comes back");
}

static void si_run(bool lazy)
{
	struct itimerval every = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };
	static struct si_thread thread[2 * SI_THREADS];
	uint64_t mapped = 0;

	si_open(lazy);
	memset(thread, 0, sizeof(thread));
	for (uint32_t i = 0; i < 2 * SI_THREADS; i++) {
		thread[i].cpu = i % SI_THREADS;
		thread[i].seed = i + 1 + (lazy ? 100 : 0);
	}
	for (uint32_t i = 0; i < SI_THREADS; i++) {
		thread[i].handler = &thread[SI_THREADS + i];
		if (pthread_create(&thread[i].thread, NULL, si_main, &thread[i]))
			exit(2);
	}
	if (SI_SIGNALS)
		setitimer(ITIMER_REAL, &every, NULL);
	for (uint32_t i = 0; i < SI_THREADS; i++)
		pthread_join(thread[i].thread, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	for (uint32_t i = 0; i < 2 * SI_THREADS; i++) {
		while (thread[i].held)
			si_give(&thread[i], thread[i].held - 1);
		mapped += thread[i].mapped;
	}
	explore_result(mapped > 3000 && (!SI_SIGNALS || si.signals),
		       "%s: %llu mappings, %u signals", lazy ? "lazy" : "strict",
		       (unsigned long long)mapped, si.signals);
	si_close(lazy);
}

int main(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = si_interrupt;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	alarm_mask(SIG_BLOCK);
	si_run(false);
	si_run(true);
	return explore_done();
}
