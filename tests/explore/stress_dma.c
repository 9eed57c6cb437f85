/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_dma.c - real threads on pools of coherent blocks and on the DMA debug mode, for a race
 * detector and for what only real processors do; and, where there is none, signals whose handlers
 * do the same on top of them.
 *
 * Each block bears in its first and its last word who has it: plain writes, as of any user. A block
 * is given back by whoever finds it on a shelf. What is told to the debug mode is right, so it must
 * find nothing.
 */
#include "alarm.h"
#include "../property/dma_box.h"
#include "explore.h"

#include <physzone/dma_debug.h>
#include <physzone/dma_pool.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#if defined(__SANITIZE_THREAD__)
#define SD_SIGNALS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SD_SIGNALS 0
#endif
#endif
#ifndef SD_SIGNALS
#define SD_SIGNALS 1
#endif

#define SD_THREADS DB_CPUS
#define SD_POOLS 3u
#define SD_SHELF 64u
#define SD_HELD 160u
#define SD_MAPPED 40u
#define SD_CALLS 150000u

struct sd_block {
	unsigned char *cpu;
	uint64_t bus;
};

struct sd_thread {
	pthread_t thread;
	uint32_t cpu;
	uint64_t seed, taken, mapped;
	uint32_t held[SD_POOLS], maps;
	struct sd_block block[SD_POOLS][SD_HELD];
	struct pz_dma_use use[SD_MAPPED];
	uint64_t next; /* bus address of the next mapping: nobody else's */
	struct sd_thread *handler;
};

static struct {
	struct dma_box box;
	struct pz_dma_dev *dev;
	struct pz_dma_pool *pool[SD_POOLS];
	struct pz_dma_debug *debug;
	struct sd_block *shelf[SD_POOLS][SD_SHELF];
	struct sd_block store[SD_POOLS][SD_SHELF];
	uint32_t wrong, findings, signals;
} sd;

static const uint32_t sd_size[SD_POOLS] = { 64, 600, 96 };
static __thread struct sd_thread *sd_on_top;

static uint32_t sd_random(struct sd_thread *t, uint32_t n)
{
	t->seed = t->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((t->seed >> 33) % n);
}

static void sd_wrong(const char *what)
{
	if (!__atomic_fetch_add(&sd.wrong, 1, __ATOMIC_SEQ_CST))
		printf("# %s\n", what);
}

static void sd_pool_found(void *ctx, const struct pz_dma_pool_finding *f)
{
	(void)ctx;
	(void)f;
	__atomic_fetch_add(&sd.findings, 1, __ATOMIC_RELAXED);
}

static void sd_misuse_found(void *ctx, const struct pz_dma_misuse_found *f)
{
	(void)ctx;
	if (!__atomic_fetch_add(&sd.findings, 1, __ATOMIC_RELAXED))
		printf("# %s\n", pz_dma_misuse_name(f->what));
}

static uint64_t *sd_last(const struct sd_block *b, uint32_t size)
{
	return (uint64_t *)(void *)(b->cpu + size - 8);
}

static void sd_give(struct sd_thread *t, uint32_t k, const struct sd_block *b)
{
	if (*(uint64_t *)(void *)b->cpu != b->bus || *sd_last(b, sd_size[k]) != b->bus)
		sd_wrong("somebody wrote to a block");
	*(uint64_t *)(void *)b->cpu = 0;
	pz_dma_pool_free(sd.pool[k], t->cpu, b->cpu, b->bus);
}

static void sd_take(struct sd_thread *t, uint32_t k)
{
	struct sd_block *b = &t->block[k][t->held[k]];

	b->cpu = pz_dma_pool_alloc(sd.pool[k], t->cpu, 0, &b->bus);
	if (!b->cpu)
		return;
	if (*(uint64_t *)(void *)b->cpu == b->bus)
		sd_wrong("a block is given out twice");
	*(uint64_t *)(void *)b->cpu = *sd_last(b, sd_size[k]) = b->bus;
	t->taken++;
	t->held[k]++;
}

/* Leave a block on a shelf, and give back what was there: it may be anybody's. */
static void sd_pass(struct sd_thread *t, uint32_t k, struct sd_block b)
{
	uint32_t i = sd_random(t, SD_SHELF);
	struct sd_block *old = __atomic_exchange_n(&sd.shelf[k][i], NULL, __ATOMIC_ACQ_REL);

	if (!old) {
		sd_give(t, k, &b);
		return;
	}
	/* The place is ours until it is on the shelf again. */
	if (old->cpu)
		sd_give(t, k, old);
	*old = b;
	__atomic_store_n(&sd.shelf[k][i], old, __ATOMIC_RELEASE);
}

static void sd_pools(struct sd_thread *t)
{
	uint32_t k = sd_random(t, SD_POOLS), i;
	struct pz_dma_pool_info info;
	struct sd_block b;

	switch (sd_random(t, 400)) {
	case 0:
		pz_dma_pool_drain(sd.pool[k], t->cpu);
		return;
	case 1:
		(void)pz_dma_pool_trim(sd.pool[k], t->cpu);
		return;
	case 2:
		pz_dma_pool_info(sd.pool[k], &info);
		return;
	}
	if (t->held[k] < SD_HELD && sd_random(t, 100) < (t->held[k] < SD_HELD / 2 ? 56u : 44u)) {
		sd_take(t, k);
	} else if (t->held[k]) {
		i = sd_random(t, t->held[k]);
		b = t->block[k][i];
		t->block[k][i] = t->block[k][--t->held[k]];
		if (sd_random(t, 2))
			sd_pass(t, k, b);
		else
			sd_give(t, k, &b);
	}
}

static void sd_map(struct sd_thread *t)
{
	struct pz_dma_use *u = &t->use[t->maps++];

	memset(u, 0, sizeof(*u));
	u->dev = sd.dev;
	u->kind = (enum pz_dma_kind)sd_random(t, 4);
	u->dir = (enum pz_dma_dir)sd_random(t, 3);
	u->size = 1 + sd_random(t, 9000);
	u->bus = u->phys = t->next;
	u->sg_count = u->kind == PZ_DMA_SG;
	t->next += 64 * (1 + sd_random(t, 4)) + (u->size + 63) / 64 * 64;
	t->mapped++;
	pz_dma_debug_map(sd.debug, u);
	if (u->kind == PZ_DMA_SINGLE)
		pz_dma_debug_checked(sd.debug, u->dev, u->bus);
}

static void sd_debug(struct sd_thread *t)
{
	uint32_t what = sd_random(t, 8), i;
	struct pz_dma_use u;

	if (!t->maps || (what < 3 && t->maps < SD_MAPPED)) {
		sd_map(t);
		return;
	}
	i = sd_random(t, t->maps);
	u = t->use[i];
	if (what < 6) {
		t->use[i] = t->use[--t->maps];
		pz_dma_debug_unmap(sd.debug, &u);
	} else {
		u.bus += sd_random(t, (uint32_t)u.size);
		u.size = 1;
		pz_dma_debug_sync(sd.debug, &u, what == 6);
	}
}

static void sd_step(struct sd_thread *t)
{
	if (sd_random(t, 4))
		sd_pools(t);
	else
		sd_debug(t);
}

static void sd_interrupt(int sig)
{
	(void)sig;
	if (!sd_on_top)
		return;
	__atomic_fetch_add(&sd.signals, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 6; i++)
		sd_step(sd_on_top);
}

static void sd_finish(struct sd_thread *t)
{
	for (uint32_t k = 0; k < SD_POOLS; k++)
		while (t->held[k])
			sd_give(t, k, &t->block[k][--t->held[k]]);
	while (t->maps)
		pz_dma_debug_unmap(sd.debug, &t->use[--t->maps]);
}

static void *sd_main(void *arg)
{
	struct sd_thread *t = arg;

	sd_on_top = t->handler;
	alarm_mask(SIG_UNBLOCK);
	for (unsigned int i = 0; i < SD_CALLS; i++)
		sd_step(t);
	alarm_mask(SIG_BLOCK);
	sd_on_top = NULL;
	sd_finish(t->handler);
	sd_finish(t);
	return NULL;
}

static void sd_open(void)
{
	struct pz_dma_debug_config dc = { .entries = 512, .found = sd_misuse_found };
	struct pz_dma_dev_config cfg;

	if (!db_start(&sd.box, NULL))
		exit(2);
	pz_dma_dev_init(&cfg, "stress", 32);
	dc.meta = &sd.box.hook.meta;
	if (pz_dma_dev_create(&sd.dev, sd.box.dma, &cfg) || pz_dma_debug_create(&sd.debug, &dc))
		exit(2);
	for (uint32_t k = 0; k < SD_POOLS; k++) {
		struct pz_dma_pool_config pc = { .name = "stress",
						 .size = sd_size[k],
						 .align = 8,
						 .magazine = k ? 6 : 0,
						 .debug = k == 2,
						 .found = sd_pool_found };

		if (pz_dma_pool_create(&sd.pool[k], sd.dev, &pc, NULL))
			exit(2);
		for (uint32_t i = 0; i < SD_SHELF; i++)
			sd.shelf[k][i] = &sd.store[k][i];
	}
}

static void sd_close(struct sd_thread *t)
{
	bool ok = true;

	for (uint32_t k = 0; k < SD_POOLS; k++) {
		for (uint32_t i = 0; i < SD_SHELF; i++)
			if (sd.store[k][i].cpu)
				sd_give(t, k, &sd.store[k][i]);
		ok = ok && pz_dma_pool_check(sd.pool[k]) == 0 &&
		     pz_dma_pool_destroy(sd.pool[k], NULL, NULL) == 0;
	}
	explore_result(ok, "pools are as they should be, and go");
	explore_result(pz_dma_debug_check(sd.debug) == 0, "so are the records");
	pz_dma_debug_destroy(sd.debug);
	explore_result(!sd.wrong && !sd.findings && !sd.box.bugs.count,
		       "no block had two owners, no right call was told as misuse");
	explore_result(pz_dma_dev_destroy(sd.dev) == 0 && db_stop(&sd.box), "all comes back");
}

int main(void)
{
	struct itimerval every = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	static struct sd_thread thread[2 * SD_THREADS];
	uint64_t taken = 0, mapped = 0;
	struct sigaction sa;

	sd_open();
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = sd_interrupt;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	alarm_mask(SIG_BLOCK);
	for (uint32_t i = 0; i < 2 * SD_THREADS; i++) {
		thread[i].cpu = i % SD_THREADS;
		thread[i].seed = i + 1;
		thread[i].next = (uint64_t)(i + 1) << 32;
	}
	for (uint32_t i = 0; i < SD_THREADS; i++) {
		thread[i].handler = &thread[SD_THREADS + i];
		if (pthread_create(&thread[i].thread, NULL, sd_main, &thread[i]))
			exit(2);
	}
	if (SD_SIGNALS)
		setitimer(ITIMER_REAL, &every, NULL);
	for (uint32_t i = 0; i < SD_THREADS; i++)
		pthread_join(thread[i].thread, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	for (uint32_t i = 0; i < 2 * SD_THREADS; i++) {
		taken += thread[i].taken;
		mapped += thread[i].mapped;
	}
	explore_result(taken > 10000 && mapped > 1000 && (!SD_SIGNALS || sd.signals),
		       "%llu blocks taken, %llu mappings, %u signals", (unsigned long long)taken,
		       (unsigned long long)mapped, sd.signals);
	sd_close(&thread[0]);
	return explore_done();
}
