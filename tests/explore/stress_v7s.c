/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_v7s.c - translation tables among real threads, for a race detector and for what only real
 * processors do; and, where there is none, under a storm of signals whose handler maps and unmaps.
 *
 * Each round has tables of its own, of 32 MiB. Its pages are dealt out in pieces of 64 KiB: each
 * thread, and the handler on top of it, has its own, some MiB as a whole and some that it shares;
 * some pieces are nobody's, and stay mapped. At the beginning all is mapped, in pages as large as
 * they get, so that threads that unmap what is theirs split what all of them stand on. Each thread
 * knows what each of its requests and lookups must return; one more thread walks, with the
 * independent walker, through what is nobody's. In the end page by page is compared.
 */
#include "alarm.h"
#include "explore.h"

#include <physzone/v7s.h>
#include <physzone/v7s_walk.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#if defined(__SANITIZE_THREAD__)
#define SV_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SV_SIGNALS 0
#endif
#endif
#ifndef SV_SIGNALS
#define SV_SIGNALS 1
#endif

#define SV_THREADS 3u
#define SV_OWNERS (2 * SV_THREADS) /* threads, and handlers on top of them */
#define SV_ROUNDS 48u
#define SV_CALLS 2000u
#define SV_IAS 25u
#define SV_PAGES 8192u
#define SV_CHUNK 16u /* pages that have one owner */
#define SV_CHUNKS (SV_PAGES / SV_CHUNK)
#define SV_NOBODY SV_OWNERS
#define SV_TABLES 64u /* second levels of an owner; each comes back to who gives it back */
#define SV_BYTES 1024u
#define SV_PROT (PZ_IOMMU_READ | PZ_IOMMU_WRITE)
#define SV_NONE 0xffu

/* A thread, or the handler on top of it. */
struct sv_owner {
	uint64_t seed;
	uint32_t id;
	uint32_t free[SV_OWNERS * SV_TABLES], frees; /* numbers of second levels */
	bool short_of;				     /* nobody else may say that memory is short */
};

static struct {
	struct pz_v7s *t;
	unsigned char *memory; /* the first level, and second levels */
	struct sv_owner owner[SV_OWNERS + 1];
	uint8_t whose[SV_CHUNKS];
	uint8_t model[SV_PAGES]; /* place, or SV_NONE; written by the page's owner only */
	uint32_t quirks;
	_Atomic unsigned int wrong, done, out, maps, unmaps, short_of, walks, signals, flushes;
} sv;

static __thread struct sv_owner *sv_me, *sv_on_top;
static __thread volatile sig_atomic_t sv_masked;

static uint32_t sv_random(struct sv_owner *o, uint32_t n)
{
	o->seed = o->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((o->seed >> 33) % n);
}

static void sv_need(bool ok)
{
	if (!ok)
		atomic_fetch_add(&sv.wrong, 1);
}

static uint64_t sv_phys(uint32_t page, uint32_t place)
{
	return ((uint64_t)(place + 1) << 28) + ((uint64_t)page << 12);
}

/* --- hooks --- */

static uintptr_t sv_mask(void *ctx)
{
	(void)ctx;
	return (uintptr_t)sv_masked++;
}

static void sv_unmask(void *ctx, uintptr_t was)
{
	(void)ctx;
	sv_masked = (sig_atomic_t)was;
}

static void sv_relax(void *ctx)
{
	(void)ctx;
	sched_yield();
}

static void sv_flush_all(void *ctx)
{
	(void)ctx;
	atomic_fetch_add_explicit(&sv.flushes, 1, memory_order_relaxed);
}

static void sv_flush_walk(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	(void)iova;
	(void)size;
	(void)granule;
	sv_flush_all(ctx);
}

static uint64_t sv_addr(uint32_t k)
{
	return 0x40000000u + 65536 + (uint64_t)k * SV_BYTES;
}

/* @cpu is the owner's number: no two use a list at once, and nothing here orders one after the
 * other. Memory comes as it was left. */
static int sv_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct sv_owner *o = &sv.owner[cpu];
	uint32_t k;

	(void)ctx;
	(void)gfp;
	if (bytes != SV_BYTES) {
		out->cpu_addr = sv.memory;
		out->addr = 0x40000000u;
		return bytes <= 65536 ? 0 : -PZ_ENOMEM;
	}
	if (!o->frees || (o->short_of && !sv_random(o, 8)))
		return -PZ_ENOMEM;
	k = o->free[--o->frees];
	out->cpu_addr = sv.memory + 65536 + (size_t)k * SV_BYTES;
	out->addr = sv_addr(k);
	atomic_fetch_add_explicit(&sv.out, 1, memory_order_relaxed);
	return 0;
}

static void sv_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct sv_owner *o = &sv.owner[cpu];

	(void)ctx;
	if (bytes != SV_BYTES)
		return;
	o->free[o->frees++] = (uint32_t)(t->addr - sv_addr(0)) / SV_BYTES;
	atomic_fetch_sub_explicit(&sv.out, 1, memory_order_relaxed);
}

static void *sv_meta_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void sv_meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

/* --- what an owner does --- */

/* A range of pages of one owner, of any length. */
static uint32_t sv_range(struct sv_owner *o, uint32_t *pages)
{
	uint32_t c = sv_random(o, SV_CHUNKS), end, first, most;

	while (sv.whose[c] != o->id)
		c = (c + 1) % SV_CHUNKS;
	for (end = c; end < SV_CHUNKS && sv.whose[end] == o->id && end - c < 32;)
		end++;
	first = c * SV_CHUNK + (sv_random(o, 3) ? 0 : sv_random(o, SV_CHUNK));
	most = end * SV_CHUNK - first;
	if (sv_random(o, 4))
		most = sv_random(o, 2) ? 1 + sv_random(o, most < 4 ? most : 4)
				       : 1 + sv_random(o, most);
	*pages = most;
	return first;
}

/* Of a range, how many pages the owner has mapped. */
static uint32_t sv_mapped(uint32_t first, uint32_t pages)
{
	uint32_t n = 0;

	for (uint32_t p = first; p < first + pages; p++)
		n += sv.model[p] != SV_NONE;
	return n;
}

static void sv_map(struct sv_owner *o, uint32_t first, uint32_t pages)
{
	uint32_t place = sv_random(o, 8);
	uint64_t iova = (uint64_t)first << 12;
	bool taken = sv_mapped(first, pages);
	int rc = sv_random(o, 3) ? pz_v7s_map(sv.t, o->id, 0, iova, sv_phys(first, place),
					      (uint64_t)pages << 12, SV_PROT)
				 : pz_v7s_map_pages(sv.t, o->id, 0, iova, sv_phys(first, place),
						    PZ_V7S_4K, pages, SV_PROT);

	if (rc == -PZ_ENOMEM)
		atomic_fetch_add_explicit(&sv.short_of, 1, memory_order_relaxed);
	else
		sv_need(rc == (taken ? -PZ_EEXIST : 0));
	if (rc)
		return;
	memset(&sv.model[first], (int)place, pages);
	atomic_fetch_add_explicit(&sv.maps, 1, memory_order_relaxed);
}

static void sv_unmap(struct sv_owner *o, uint32_t first, uint32_t pages)
{
	uint32_t mapped = sv_mapped(first, pages);
	uint64_t done = 1;
	int rc = pz_v7s_unmap(sv.t, o->id, 0, (uint64_t)first << 12, (uint64_t)pages << 12, 0, NULL,
			      &done);

	if (rc == -PZ_ENOMEM) {
		sv_need(!done);
		atomic_fetch_add_explicit(&sv.short_of, 1, memory_order_relaxed);
		return;
	}
	sv_need(rc == (mapped == pages ? 0 : -PZ_ENOENT) && done == (uint64_t)mapped << 12);
	memset(&sv.model[first], (int)SV_NONE, pages);
	atomic_fetch_add_explicit(&sv.unmaps, 1, memory_order_relaxed);
}

/* A page whose place is known; what is nobody's may be invalid while it is split. */
static void sv_look(struct sv_owner *o, uint32_t page)
{
	uint64_t iova = ((uint64_t)page << 12) + sv_random(o, 4096), phys = 0;
	bool blinks = sv.quirks & PZ_V7S_BREAK_FIRST;
	uint32_t place = sv.model[page];
	struct pz_v7s_page q;
	int rc;

	if (sv_random(o, 2)) {
		rc = pz_v7s_lookup(sv.t, iova, &phys);
	} else {
		rc = pz_v7s_query(sv.t, iova, &q);
		phys = rc ? 0 : q.phys + (iova - q.iova);
	}
	if (place == SV_NONE)
		sv_need(rc == -PZ_ENOENT);
	else if (rc != -PZ_ENOENT || !blinks)
		sv_need(!rc && phys == sv_phys(page, place) + (iova & 4095));
}

static uint32_t sv_nobodys(struct sv_owner *o)
{
	uint32_t c = sv_random(o, SV_CHUNKS);

	while (sv.whose[c] != SV_NOBODY)
		c = (c + 1) % SV_CHUNKS;
	return c * SV_CHUNK + sv_random(o, SV_CHUNK);
}

static void sv_call(struct sv_owner *o)
{
	uint32_t pages, first = sv_range(o, &pages), what = sv_random(o, 100);

	if (what < 2)
		(void)pz_v7s_trim(sv.t, o->id, (uint64_t)first << 12, (uint64_t)pages << 12);
	else if (what < 25)
		sv_look(o, first);
	else if (what < 45)
		sv_look(o, sv_nobodys(o));
	else if (what < 60 || (what < 80 && sv_mapped(first, pages)))
		sv_unmap(o, first, pages);
	else
		sv_map(o, first, pages);
}

/* --- threads --- */

static void sv_on_signal(int sig)
{
	(void)sig;
	if (sv_masked || !sv_on_top)
		return;
	atomic_fetch_add_explicit(&sv.signals, 1, memory_order_relaxed);
	sv_call(sv_on_top);
}

static void *sv_run(void *arg)
{
	struct sv_owner *o = arg;

	sv_me = o;
	sv_on_top = &sv.owner[o->id + SV_THREADS];
	alarm_mask(SIG_UNBLOCK);
	for (unsigned int i = 0; i < SV_CALLS; i++)
		sv_call(o);
	alarm_mask(SIG_BLOCK);
	atomic_fetch_add(&sv.done, 1);
	return NULL;
}

static bool sv_read(void *ctx, uint64_t addr, uint32_t *word)
{
	uint64_t at = addr - 0x40000000u;

	(void)ctx;
	if (addr < 0x40000000u || at >= 65536 + SV_OWNERS * SV_TABLES * SV_BYTES)
		return false;
	*word = __atomic_load_n((uint32_t *)(void *)(sv.memory + at), __ATOMIC_ACQUIRE);
	return true;
}

static const struct pz_v7s_view sv_view = { .table = 0x40000000u,
					    .ias = SV_IAS,
					    .permissions = true,
					    .read = sv_read };

static bool sv_none(enum pz_v7s_fault fault)
{
	return fault == PZ_V7S_FAULT_FIRST || fault == PZ_V7S_FAULT_SECOND;
}

/* The IOMMU, but without a cache. A second level with a page that is nobody's never goes, so what
 * it walks through stays. */
static void *sv_walk(void *arg)
{
	struct sv_owner *o = arg;
	bool blinks = sv.quirks & PZ_V7S_BREAK_FIRST;

	while (atomic_load(&sv.done) < SV_THREADS) {
		uint32_t page = sv_nobodys(o);
		uint64_t iova = (uint64_t)page << 12;
		struct pz_v7s_run run;
		enum pz_v7s_fault fault = pz_v7s_walk(&sv_view, iova, &run);

		atomic_fetch_add_explicit(&sv.walks, 1, memory_order_relaxed);
		if (fault == PZ_V7S_NO_FAULT || fault == PZ_V7S_FAULT_REPEAT)
			sv_need(run.phys + (iova - run.first) == sv_phys(page, sv.model[page]));
		else
			sv_need(blinks && sv_none(fault));
	}
	return NULL;
}

/* --- rounds --- */

/* Whole MiB for each owner, MiB that all share, and some that nobody has. */
static void sv_deal(struct sv_owner *o)
{
	for (uint32_t c = 0; c < SV_CHUNKS; c++) {
		uint32_t mib = c / 16;

		if (mib % 8 < SV_OWNERS)
			sv.whose[c] =
				(uint8_t)(mib % 2 ? (c + mib) % (SV_OWNERS + 2) : mib % 8 / 2);
		else
			sv.whose[c] = (uint8_t)sv_random(o, SV_OWNERS + 1);
		if (sv.whose[c] > SV_NOBODY)
			sv.whose[c] = SV_NOBODY;
	}
}

static void sv_begin(uint32_t round, const struct pz_table_mem *mem, const struct pz_meta *meta)
{
	static const uint32_t quirks[] = { 0, PZ_V7S_GIVE_BACK, PZ_V7S_BREAK_FIRST,
					   PZ_V7S_GIVE_BACK | PZ_V7S_BREAK_FIRST };
	struct sv_owner *o = &sv.owner[SV_OWNERS];
	uint32_t half = SV_PAGES / 2;
	struct pz_v7s_config c;

	memset(&c, 0, sizeof(c));
	sv.quirks = quirks[round % 4];
	c.ias = SV_IAS;
	c.oas = 32;
	c.quirks = sv.quirks;
	c.coherent_walk = true;
	c.mem = mem;
	c.meta = meta;
	c.tlb.flush_all = sv_flush_all;
	c.tlb.flush_walk = sv_flush_walk;
	c.hooks.mask = sv_mask;
	c.hooks.unmask = sv_unmask;
	c.hooks.relax = sv_relax;
	if (pz_v7s_create(&sv.t, &c, 0, 0, NULL))
		exit(2);
	sv_deal(o);
	/* A supersection, and behind it sections, large pages, and small ones. */
	sv_need(!pz_v7s_map(sv.t, 0, 0, 0, sv_phys(0, 1), (uint64_t)half << 12, SV_PROT));
	for (uint32_t p = half; p < SV_PAGES; p += 256)
		sv_need(!pz_v7s_map_pages(sv.t, 0, 0, (uint64_t)p << 12, sv_phys(p, 1),
					  p % 768 ? PZ_V7S_1M : PZ_V7S_64K, p % 768 ? 1 : 16,
					  SV_PROT));
	memset(sv.model, 1, sizeof(sv.model));
	for (uint32_t i = 0; i < SV_OWNERS; i++)
		sv.owner[i].short_of = round % 3 == 2;
	atomic_store(&sv.done, 0);
}

static int sv_compare(void *ctx, const struct pz_v7s_run *run)
{
	bool none = sv_none(run->fault);

	(void)ctx;
	sv_need(none || !run->fault);
	for (uint64_t iova = run->first; iova < run->last; iova += 4096) {
		uint32_t page = (uint32_t)(iova >> 12), place = sv.model[page];

		sv_need(none ? place == SV_NONE
			     : place != SV_NONE &&
					run->phys + (iova - run->first) == sv_phys(page, place));
	}
	return 0;
}

static void sv_finish(void)
{
	struct pz_v7s_stat st;
	uint64_t done;

	(void)pz_v7s_walk_each(&sv_view, sv_compare, NULL);
	for (uint32_t i = 0; i < SV_OWNERS; i++)
		sv.owner[i].short_of = false;
	pz_v7s_stat(sv.t, &st);
	sv_need(!pz_v7s_check(sv.t) && st.tables == sv.out);
	(void)pz_v7s_unmap(sv.t, 0, 0, 0, (uint64_t)SV_PAGES << 12, PZ_V7S_QUEUED, NULL, &done);
	sv_need(done == (uint64_t)sv_mapped(0, SV_PAGES) << 12);
	(void)pz_v7s_trim(sv.t, 0, 0, UINT64_MAX);
	pz_v7s_stat(sv.t, &st);
	sv_need(!st.tables && !sv.out && !pz_v7s_check(sv.t));
	pz_v7s_destroy(sv.t, 0);
}

static void sv_round(uint32_t round, const struct pz_table_mem *mem, const struct pz_meta *meta)
{
	pthread_t t[SV_THREADS + 1];

	sv_begin(round, mem, meta);
	for (uint32_t i = 0; i <= SV_THREADS; i++)
		if (pthread_create(&t[i], NULL, i < SV_THREADS ? sv_run : sv_walk,
				   &sv.owner[i < SV_THREADS ? i : SV_OWNERS]))
			exit(2);
	for (uint32_t i = 0; i <= SV_THREADS; i++)
		pthread_join(t[i], NULL);
	sv_finish();
}

static void sv_open(void)
{
	size_t bytes = 65536 + (size_t)SV_OWNERS * SV_TABLES * SV_BYTES;
	struct sigaction sa;

	sv.memory = aligned_alloc(65536, (bytes + 65535) & ~(size_t)65535);
	if (!sv.memory)
		exit(2);
	memset(sv.memory, 0xa6, bytes);
	for (uint32_t i = 0; i <= SV_OWNERS; i++) {
		struct sv_owner *o = &sv.owner[i];

		o->id = i;
		o->seed = 77 * i + 1;
		for (uint32_t k = 0; i < SV_OWNERS && k < SV_TABLES; k++)
			o->free[o->frees++] = i * SV_TABLES + k;
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = sv_on_signal;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	alarm_mask(SIG_BLOCK);
}

int main(void)
{
	static const struct pz_table_mem mem = { .alloc = sv_alloc,
						 .free = sv_free,
						 .coherent = true };
	static const struct pz_meta meta = { .alloc = sv_meta_alloc, .free = sv_meta_free };
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };

	sv_open();
	if (SV_SIGNALS)
		setitimer(ITIMER_REAL, &every, NULL);
	for (uint32_t round = 0; round < SV_ROUNDS; round++)
		sv_round(round, &mem, &meta);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	explore_result(sv.wrong == 0, "every page was where its owner knew it, at every look");
	explore_result(sv.maps > 1000 && sv.unmaps > 1000 && sv.short_of && sv.walks > 1000 &&
			       sv.flushes > 100 && (!SV_SIGNALS || sv.signals),
		       "%u maps, %u unmaps, memory was short %u times, %u walks, %u signals",
		       sv.maps, sv.unmaps, sv.short_of, sv.walks, sv.signals);
	free(sv.memory);
	return explore_done();
}
