/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_frag_threads.c - threads that take pieces and free each other's, while a signal interrupts
 * them at any instruction and does the same on the CPU of the thread that it hits.
 *
 * A word for each 64 bytes of memory is exchanged when a piece comes and goes: who finds it as it
 * should not be has found two pieces in one place.
 */
#include "frag_box.h"
#include "prop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#define LINES (BOX_PAGES * 64u)
#define SHELF 96u
#define CALLS 30000u

static struct box box;
static uint32_t line[LINES];
static uint64_t shelf[SHELF]; /* address | lines - 1, or 0 */
static uint32_t wrong;
static uint32_t signals;
static __thread uint32_t thread_cpu;
static __thread uint64_t thread_seed;

static uint32_t draw(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}

static void mark(uint64_t addr, uint32_t lines, uint32_t out)
{
	for (uint32_t i = 0; i < lines; i++) {
		size_t at = box_at(addr + i * 64);

		if (at == SIZE_MAX || addr % 64 ||
		    __atomic_exchange_n(&line[at / 64], out, __ATOMIC_SEQ_CST) == out)
			__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
	}
}

static void put(uint32_t cpu, uint64_t entry)
{
	uint32_t lines = (uint32_t)(entry & 63) + 1;

	if (!entry)
		return;
	mark(entry & ~(uint64_t)63, lines, 0);
	pz_frag_free(box.f, cpu, entry & ~(uint64_t)63, lines * 64);
}

/* Take a piece, put it on the shelf, and free what lay there. */
static void call(uint32_t cpu, uint64_t *seed)
{
	uint32_t lines = 1 + (draw(seed, 4) ? draw(seed, 32) : draw(seed, 64)), at;
	uint64_t addr;

	at = draw(seed, SHELF);
	if (draw(seed, 2)) {
		put(cpu, __atomic_exchange_n(&shelf[at], 0, __ATOMIC_SEQ_CST));
		return;
	}
	if (pz_frag_alloc(box.f, cpu, lines * 64, 64u << draw(seed, 5), &addr))
		return;
	mark(addr, lines, 1);
	put(cpu, __atomic_exchange_n(&shelf[at], addr | (lines - 1), __ATOMIC_SEQ_CST));
}

static void on_signal(int sig)
{
	(void)sig;
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 3; i++)
		call(thread_cpu, &thread_seed);
}

static void *run(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 77;

	thread_cpu = (uintptr_t)arg < BOX_CPUS ? (uint32_t)(uintptr_t)arg : PZ_CPU_NONE;
	thread_seed = seed + 1;
	for (unsigned int i = 0; i < CALLS; i++) {
		call(thread_cpu, &seed);
		if (i % 1024 == 1023)
			pz_frag_drain(box.f, thread_cpu);
	}
	return NULL;
}

static bool storm(struct prop *p, void *ctx)
{
	struct itimerval every = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa;
	struct pz_frag_config c;
	pthread_t t[3];
	int check;

	(void)ctx;
	memset(line, 0, sizeof(line));
	PROP_ASSERT(p, box_start(&box, NULL, 0));
	box_config(&box, &c);
	c.flags = PZ_FRAG_NOGROW | (prop_choice(p, 2) ? PZ_FRAG_REUSE : 0);
	c.block_bytes = 4096u << prop_choice(p, 4);
	c.blocks = 200;
	PROP_ASSERT(p, pz_frag_create(&box.f, &c) == 0);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	thread_cpu = PZ_CPU_NONE;
	for (uintptr_t i = 0; i < 3; i++)
		PROP_ASSERT(p, pthread_create(&t[i], NULL, run, (void *)(i + 1)) == 0);
	setitimer(ITIMER_REAL, &every, NULL);
	for (unsigned int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	check = pz_frag_check(box.f);
	if (check)
		prop_note(p, "pz_frag_check: %d", check);
	PROP_ASSERT(p, check == 0 && wrong == 0 && box.bugs.count == 0);
	for (unsigned int i = 0; i < SHELF; i++) {
		put(0, shelf[i]);
		shelf[i] = 0;
	}
	pz_frag_drain(box.f, 0);
	PROP_ASSERT(p, pz_frag_check(box.f) == 0 && wrong == 0 && box.bugs.count == 0);
	PROP_ASSERT(p, box_used(&box) == 0 && pz_frag_destroy(box.f) == 0);
	PROP_ASSERT(p, box_stop(&box) && signals > 0);
	return true;
}

int main(void)
{
	prop_run("threads and signals never get the same memory", storm, NULL, 12);
	return prop_done();
}
