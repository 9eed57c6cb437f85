/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm.c - interrupt handlers that allocate and free on top of everything, on the same CPU.
 *
 * Three ways, on the same plain build of the library that everybody links:
 *  1. at each instruction (x86_64): an operation is executed step by step with the trap flag. At
 *     each instruction the whole situation (registers, stack, machine) is kept; the handler does
 *     its work, the operation runs to its end, everything is checked as in world.h; then the
 *     situation is put back, one instruction is executed, and so on. So the handler comes at every
 *     instruction of the operation once, each time by itself. (With the address sanitizer, whose
 *     instructions are many, at every seventh.)
 *  2. at random instructions: random operations, with a handler every few instructions, so that
 *     many of them hit one operation. (At each instruction no exchange would ever succeed.)
 *  3. by a timer, as often as the host manages, wherever it hits; on any host.
 *
 * The handler runs on a stack of its own with the trap flag off, so it is not interrupted itself.
 * Shortcomings: vector registers are put back as far as the signal frame holds them.
 */
#define _GNU_SOURCE
#include "bounce_world.h"
#include "coherent_world.h"
#include "coro.h"
#include "dma_pool_world.h"
#include "slab_world.h"
#include "v7s_world.h"
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#define STORM_ALTSTACK ((size_t)256 << 10)
#define STORM_TRAPS 60000u /* instructions that are gone through in random operations */
#define STORM_GAP 60u /* instructions between two handlers there, at most */

#if defined(__SANITIZE_ADDRESS__)
#define STORM_STRIDE 7u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STORM_STRIDE 7u
#endif
#endif
#ifndef STORM_STRIDE
#define STORM_STRIDE 1u
#endif

static void storm_handle(int sig, void (*fn)(int sig, siginfo_t *info, void *uc))
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = fn;
	sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
	sigemptyset(&sa.sa_mask);
	if (sigaction(sig, &sa, NULL)) {
		perror("sigaction");
		exit(2);
	}
}

/* --- random operations, with a handler that does the same --- */

#define ST_FRAMES 256u
#define ST_BLOCKS 24u

/* Blocks of one context: the operations, or the handler on top of them. */
struct st_context {
	uint64_t seed;
	uint32_t count;
	struct {
		uint64_t pfn, pages;
		bool exact;
	} block[ST_BLOCKS];
	uint64_t calls, refused;
};

static struct {
	struct machine *m;
	struct st_context below, handler;
	uint8_t owner[ST_FRAMES]; /* 1 below, 2 handler */
	const char *wrong;
	uint64_t hits;
	void (*around)(unsigned int who, bool before); /* of calls below, if anybody cares */
} st;

static uint32_t st_random(struct st_context *c, uint32_t n)
{
	c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((c->seed >> 33) % n);
}

static void st_around(const struct st_context *c, bool before)
{
	if (st.around && c == &st.below)
		st.around(0, before);
}

static void st_claim(struct st_context *c, uint64_t pfn, uint64_t pages, bool exact)
{
	uint8_t me = c == &st.below ? 1 : 2;

	for (uint64_t i = pfn; i < pfn + pages; i++) {
		if (i >= ST_FRAMES || st.owner[i])
			st.wrong = "a page was given out twice, or is none";
		else
			st.owner[i] = me;
	}
	c->block[c->count].pfn = pfn;
	c->block[c->count].pages = pages;
	c->block[c->count++].exact = exact;
}

static void st_take(struct st_context *c)
{
	unsigned int order = st_random(c, 2) ? 0 : st_random(c, 8);
	bool exact = !st_random(c, 16);
	struct pz_limits l = machine_limits(0, st_random(c, 4) ? ST_FRAMES - 1 : 63);
	struct pz_page_req req;
	uint64_t pfn = 0;
	int rc;

	order = order > 6 ? 0 : order;
	pz_page_req_init(st.m->pages, &req, order, 0, 0);
	if (exact) {
		req.pages = 1 + st_random(c, 50);
		req.limits = l;
	}
	st_around(c, true);
	if (exact)
		rc = pz_page_request(st.m->pages, &req, &pfn);
	else
		rc = pz_alloc_pages(st.m->pages, 0, 0, order, &l, &pfn);
	st_around(c, false);
	c->calls++;
	if (!rc)
		st_claim(c, pfn, req.pages, exact);
	else if (rc == -PZ_ENOMEM)
		c->refused++;
	else
		st.wrong = "an error that is not to be expected";
}

static void st_give(struct st_context *c)
{
	uint32_t k = st_random(c, c->count);
	uint64_t pfn = c->block[k].pfn, pages = c->block[k].pages;
	bool exact = c->block[k].exact;

	c->block[k] = c->block[--c->count];
	for (uint64_t i = pfn; i < pfn + pages; i++)
		st.owner[i] = 0;
	c->calls++;
	st_around(c, true);
	if (exact)
		pz_free_exact(st.m->pages, 0, pfn, pages);
	else
		pz_free_pages(st.m->pages, 0, pfn, (unsigned int)__builtin_ctzll(pages));
	st_around(c, false);
}

static void st_step(struct st_context *c)
{
	if (c->count == ST_BLOCKS || (c->count && st_random(c, 2)))
		st_give(c);
	else
		st_take(c);
}

static void st_begin(uint32_t pcp_high)
{
	struct machine_config cfg = { .frames = ST_FRAMES, .no_grouping = true,
				      .pcp_batch = pcp_high / 2, .pcp_high = pcp_high };

	memset(&st, 0, sizeof(st));
	st.m = machine_make(&cfg, 0, 0);
	st.below.seed = 1;
	st.handler.seed = 2;
}

static void st_end(const char *what)
{
	int rc;

	while (st.below.count)
		st_give(&st.below);
	while (st.handler.count)
		st_give(&st.handler);
	pz_page_drain(st.m->pages, PZ_CPU_NONE);
	rc = pz_pages_check(st.m->pages);
	if (rc)
		printf("# pz_pages_check() says %d\n", rc);
	if (st.wrong)
		printf("# %s\n", st.wrong);
	if (st.m->bugs.count)
		printf("# misuses told: %llu\n", (unsigned long long)st.m->bugs.count);
	printf("# %llu interrupts, %llu calls in them (%llu refused), %llu below (%llu refused)\n",
	       (unsigned long long)st.hits, (unsigned long long)st.handler.calls,
	       (unsigned long long)st.handler.refused, (unsigned long long)st.below.calls,
	       (unsigned long long)st.below.refused);
	explore_result(!rc && !st.wrong && !st.m->bugs.count && st.hits && st.handler.calls &&
		       machine_free(st.m) == ST_FRAMES &&
		       pz_page_free_count(st.m->pages, UINT32_MAX) == ST_FRAMES, "%s", what);
	machine_drop(st.m);
}

/* --- by a timer --- */

static void alarm_handler(int sig, siginfo_t *info, void *uc)
{
	st.hits++;
	st_step(&st.handler);
}

static void storm_timer(uint32_t pcp_high, const char *what)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	struct timespec from, now;

	st_begin(pcp_high);
	storm_handle(SIGALRM, alarm_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		for (unsigned int i = 0; i < 1000; i++)
			st_step(&st.below);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < 600);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	st_end(what);
}

/* --- step by step --- */

#if defined(__x86_64__)

#define STORM_FLAG 0x100 /* trap after each instruction */
#define STORM_XSAVE ((size_t)16 << 10)
#define STORM_RED 128u /* bytes below the stack pointer that are in use */

enum storm_mode { STORM_OFF, STORM_COUNT, STORM_ALL, STORM_EACH };

static struct {
	enum storm_mode mode;
	volatile bool inside; /* a call of the allocator is under way */
	uint64_t traps;
	uint32_t gap; /* STORM_ALL: instructions until the next handler */
	/* STORM_EACH: the situation at an instruction */
	struct coro op;
	bool kept, put_back;
	gregset_t regs;
	unsigned char fp[STORM_XSAVE];
	size_t fp_size;
	unsigned char *stack;
	size_t stack_size;
	unsigned char *machine;
	struct machine *m;
	void (*thread)(unsigned int t);
	void (*finish)(void);
} sm;

/* The first trap comes after the instruction that follows the popf. */
static inline __attribute__((always_inline)) void storm_step_on(void)
{
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			 "leaq 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static inline __attribute__((always_inline)) void storm_step_off(void)
{
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
			 "leaq 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static size_t storm_fp_size(const void *fp)
{
	uint32_t magic, size;

	memcpy(&magic, (const unsigned char *)fp + 464, sizeof(magic));
	memcpy(&size, (const unsigned char *)fp + 468, sizeof(size));
	if (magic != 0x46505853u || size > STORM_XSAVE)
		return 512;
	return size;
}

__attribute__((no_sanitize("address")))
static void storm_copy(unsigned char *to, const unsigned char *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile unsigned char *)to)[i] = from[i];
}

/* Keep the situation at this instruction, and let the handler do its work. */
static void storm_keep(ucontext_t *uc)
{
	unsigned char *sp = (unsigned char *)uc->uc_mcontext.gregs[REG_RSP] - STORM_RED;

	memcpy(sm.regs, uc->uc_mcontext.gregs, sizeof(sm.regs));
	sm.fp_size = storm_fp_size(uc->uc_mcontext.fpregs);
	storm_copy(sm.fp, (unsigned char *)uc->uc_mcontext.fpregs, sm.fp_size);
	sm.stack_size = (size_t)(sm.op.stack + sm.op.size - sp);
	storm_copy(sm.stack, sp, sm.stack_size);
	memcpy(sm.machine, sm.m, sm.m->size);
	sm.kept = true;
	uc->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)STORM_FLAG;
	sm.thread(1);
}

static void storm_put_back(ucontext_t *uc)
{
	sm.put_back = false;
	sm.kept = false;
	memcpy(sm.m, sm.machine, sm.m->size);
	storm_copy(sm.op.stack + sm.op.size - sm.stack_size, sm.stack, sm.stack_size);
	storm_copy((unsigned char *)uc->uc_mcontext.fpregs, sm.fp, sm.fp_size);
	memcpy(uc->uc_mcontext.gregs, sm.regs, sizeof(sm.regs));
	uc->uc_mcontext.gregs[REG_EFL] |= STORM_FLAG;
	sm.inside = true;
}

static void storm_trap(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	if (sm.put_back) {
		storm_put_back(uc);
		return;
	}
	if (!sm.inside)
		return;
	sm.traps++;
	if (sm.mode == STORM_ALL && !sm.gap--) {
		sm.gap = st_random(&st.handler, STORM_GAP);
		st_step(&st.handler);
		st.hits++;
	} else if (sm.mode == STORM_EACH && !(sm.traps % STORM_STRIDE)) {
		storm_keep(uc);
	}
}

/* Only calls of the operation are gone through, not those of the handler, and not the books; nor
 * what follows the handler. */
static __attribute__((noinline)) void storm_around(unsigned int t, bool before)
{
	if (t || (before && sm.kept))
		return;
	if (before) {
		sm.inside = true;
		storm_step_on();
	} else {
		sm.inside = false;
		storm_step_off();
	}
}

static void storm_op(void *arg)
{
	if (sm.put_back)
		__asm__ volatile("int3"); /* goes on at the instruction that is put back */
	sm.thread(0);
}

/* A handler once at each instruction of a step, in a world that is open. */
static void storm_each(struct machine *m, const char *name)
{
	struct coro back;
	const char *why = NULL;
	uint64_t points = 0;

	sm.mode = STORM_EACH;
	sm.traps = 0;
	sm.m = m;
	sm.machine = malloc(sm.m->size);
	coro_init(&sm.op);
	coro_init(&back);
	sm.stack = malloc(sm.op.size);
	if (!sm.machine || !sm.stack)
		exit(2);
	sm.kept = sm.put_back = false;
	coro_start(&sm.op, storm_op, NULL);
	for (;;) {
		coro_resume(&sm.op);
		if (!sm.kept)
			break;
		points++;
		sm.finish();
		why = explore_failure();
		if (why)
			break;
		/* Resume on the other stack, whose int3 leads back to this one. */
		sm.put_back = true;
		sm.op.done = false;
		coro_start(&back, storm_op, NULL);
		sm.op.sp = back.sp;
	}
	if (why)
		printf("# at instruction %llu, code %#llx: %s\n", (unsigned long long)points,
		       (unsigned long long)sm.regs[REG_RIP], why);
	printf("# at %llu instructions\n", (unsigned long long)points);
	explore_result(!why && points > 20, "at each instruction: %s", name);
	sm.mode = STORM_OFF;
	free(sm.machine);
	free(sm.stack);
	coro_drop(&back);
	coro_drop(&sm.op);
}

static void storm_each_page(const struct world_plan *plan)
{
	sm.thread = world_thread;
	sm.finish = world_finish;
	storm_each(world_open(plan, storm_around), plan->name);
	world_close();
}

static void storm_each_slab(const struct slab_plan *plan)
{
	sm.thread = slab_world_thread;
	sm.finish = slab_world_finish;
	storm_each(slab_world_open(plan, storm_around), plan->name);
	slab_world_close();
}

static void storm_each_dma_pool(const struct dma_pool_plan *plan)
{
	sm.thread = dma_pool_world_thread;
	sm.finish = dma_pool_world_finish;
	storm_each(dma_pool_world_open(plan, storm_around), plan->name);
	dma_pool_world_close();
}

static void storm_each_bounce(const struct bounce_plan *plan)
{
	sm.thread = bounce_world_thread;
	sm.finish = bounce_world_finish;
	storm_each(bounce_world_open(plan, storm_around), plan->name);
	bounce_world_close();
}

static void storm_each_coherent(const struct coherent_plan *plan)
{
	sm.thread = coherent_world_thread;
	sm.finish = coherent_world_finish;
	storm_each(coherent_world_open(plan, storm_around), plan->name);
	coherent_world_close();
}

static void storm_each_v7s(const struct v7s_plan *plan)
{
	sm.thread = v7s_world_thread;
	sm.finish = v7s_world_finish;
	storm_each(v7s_world_open(plan, storm_around), plan->name);
	v7s_world_close();
}

/* Handlers every few instructions of many operations. */
static void storm_all(uint32_t pcp_high, const char *what)
{
	st_begin(pcp_high);
	sm.mode = STORM_ALL;
	sm.traps = 0;
	sm.gap = 0;
	st.around = storm_around;
	while (sm.traps < STORM_TRAPS)
		st_step(&st.below);
	st.around = NULL;
	sm.mode = STORM_OFF;
	st_end(what);
}

/* Whether the host lets us step at all. */
static bool storm_can_step(void)
{
	sm.mode = STORM_COUNT;
	sm.traps = 0;
	sm.inside = true;
	storm_step_on();
	__asm__ volatile("nop\n\tnop\n\tnop\n\tnop");
	sm.inside = false;
	storm_step_off();
	sm.mode = STORM_OFF;
	return sm.traps >= 5;
}

#define PLAIN(n) { .frames = (n), .no_grouping = true }
#define HOLDING(n) { .frames = (n), .no_grouping = true, .pcp_batch = 2, .pcp_high = 4 }
#define GROUPED(n) { .frames = (n), .pageblock_order = 5 }

static const struct world_plan storm_plans[] = {
	{ .name = "frame against frame", .machine = PLAIN(64), .before = "z=0 -z",
	  .thread = { "a=0", "b=0 -b" } },
	{ .name = "free against frame", .machine = PLAIN(64), .before = "a=0",
	  .thread = { "-a", "b=0 -b" } },
	{ .name = "frame against one that stays", .machine = PLAIN(64), .before = "z=0 -z",
	  .thread = { "a=0", "b=0" } },
	{ .name = "free against free", .machine = PLAIN(64), .before = "a=0 b=0",
	  .thread = { "-a", "-b c=0" } },
	{ .name = "the last frame", .machine = PLAIN(33), .before = "z=5",
	  .thread = { "a=0", "b=0 -b" } },
	{ .name = "cold frame against order 5", .machine = PLAIN(64), .before = "",
	  .thread = { "a=0", "b=5 -b" } },
	{ .name = "order 5 against a frame", .machine = PLAIN(64), .before = "z=0 -z",
	  .thread = { "a=5", "b=0 -b" } },
	{ .name = "merge against a split", .machine = PLAIN(64), .before = "z=5 y=0 -y",
	  .thread = { "a=5", "b=2 -b" } },
	{ .name = "free of order 4 against order 5", .machine = PLAIN(64),
	  .before = "a=4 b=4 c=4 d=4 -b", .thread = { "-a", "x=5 -x" } },
	{ .name = "order 10 against order 5", .machine = PLAIN(2048), .before = "z=5 -z",
	  .thread = { "a=10", "b=5 -b" } },
	{ .name = "a run against a frame", .machine = PLAIN(96), .before = "z=0 -z",
	  .thread = { "a=#40", "b=0 -b" } },
	{ .name = "free of a run against order 5", .machine = PLAIN(96), .before = "a=#70",
	  .thread = { "-a", "b=5 -b" } },
	{ .name = "a part against a neighbour", .machine = PLAIN(64), .before = "a=6",
	  .thread = { "a/16+32", "x=3 -x" } },
	{ .name = "bulk against a frame", .machine = PLAIN(32), .before = "",
	  .thread = { "a=*4", "b=0 -b" } },
	{ .name = "limits against order 3", .machine = PLAIN(64), .before = "",
	  .thread = { "a=0<20", "b=3<31 -b" } },
	{ .name = "held frames, pop", .machine = HOLDING(16), .before = "z=0 -z",
	  .thread = { "a=0", "b=0 -b" } },
	{ .name = "held frames, push", .machine = HOLDING(16), .before = "a=0 y=0 -y",
	  .thread = { "-a", "b=0 c=0 -b -c" } },
	{ .name = "held frames, drain", .machine = HOLDING(16), .before = "a=0 b=0 -a -b",
	  .thread = { "~", "c=0 -c d=4 -d" } },
	{ .name = "another kind takes a pageblock", .machine = GROUPED(64), .before = "y=0m z=0",
	  .thread = { "a=4", "b=0m -b" } },
	{ .name = "split into pages", .machine = PLAIN(32), .before = "a=3",
	  .thread = { "%a", "b=0 -b" } },
};

/* A slab has four objects. */
static const struct slab_plan storm_slabs[] = {
	{ .name = "an object from the magazine", .magazine = 4, .before = "+a +b -a -b",
	  .thread = { "+a", "+x +y -x" } },
	{ .name = "an object into the magazine", .magazine = 4, .before = "+a +b",
	  .thread = { "-a", "-b +x" } },
	{ .name = "into a magazine that overflows", .magazine = 2, .keep = 2,
	  .before = "+a +b +c +d +e -a -b", .thread = { "-c", "-d +x -e" } },
	{ .name = "an empty magazine is filled", .magazine = 3, .before = "+a +b +c +d -a ~",
	  .thread = { "+x", "+y -b" } },
	{ .name = "a slab is made", .magazine = 2, .before = "+a -a ~ s",
	  .thread = { "+x", "+y -y" } },
	{ .name = "a slab goes", .no_cpu = true, .before = "+a +b +c +d -a -b -c",
	  .thread = { "-d", "+x" } },
	{ .name = "a slab goes with a magazine", .magazine = 4, .before = "+a +b +c +d -a -b -c -d",
	  .thread = { "~", "+x +y -x" } },
	{ .name = "a magazine is emptied", .magazine = 4, .keep = 1, .before = "+a +b +c -a -b",
	  .thread = { "~", "-c +x" } },
	{ .name = "a shrink", .magazine = 2, .keep = 4, .before = "+a +b +c +d +e +f -a -b -c -e",
	  .thread = { "s", "-d +x -f" } },
	{ .name = "a reclaim", .magazine = 2, .keep = 4, .before = "+a +b +c +d +e -a -b -c -d",
	  .thread = { "r", "+x -e" } },
	{ .name = "into a large slab", .many = true, .magazine = 2, .before = "+a +b +c +d -a -b",
	  .thread = { "~", "-c +x -d" } },
	{ .name = "out of a large slab", .many = true, .no_cpu = true, .before = "+a +b +c -a",
	  .thread = { "+x", "-b +y" } },
	{ .name = "a watched object", .size = 100, .debug = 15, .before = "+a +b -a",
	  .thread = { "+a", "-b +x" } },
	{ .name = "a watched object is freed", .size = 100, .debug = 15, .before = "+a +b",
	  .thread = { "-a", "-b +x" } },
	{ .name = "a grace period's end", .flags = PZ_SLAB_RCU, .magazine = 1,
	  .before = "+a +b +c +d +e -a -b -c -d ~", .thread = { "g", "-e +x" } },
};

/* A page has four blocks. */
static const struct dma_pool_plan storm_dma_pools[] = {
	{ .name = "a block from the magazine", .magazine = 4, .before = "+a +b -a -b",
	  .thread = { "+a", "+x +y -x" } },
	{ .name = "a block into the magazine", .magazine = 4, .before = "+a +b",
	  .thread = { "-a", "-b +x" } },
	{ .name = "into a pool's magazine that overflows", .magazine = 2,
	  .before = "+a +b +c +d +e -a -b", .thread = { "-c", "-d +x -e" } },
	{ .name = "a page of blocks is made", .magazine = 2, .before = "+a -a t",
	  .thread = { "+x", "+y -y" } },
	{ .name = "a page of blocks goes", .magazine = 2, .before = "+a +b +c +d -a -b -c -d",
	  .thread = { "t", "+x -x" } },
	{ .name = "a watched block", .debug = true, .before = "+a +b -a",
	  .thread = { "+a", "-b +x" } },
};

static const struct bounce_plan storm_bounces[] = {
	{ .name = "a bounced mapping", .pages = 2, .before = "c=1", .thread = { "a=1", "b=2 -b" } },
	{ .name = "a bounced mapping ends", .pages = 2, .before = "a=2 c=1",
	  .thread = { "-a", "b=1 -b" } },
	{ .name = "the last bounce slot", .pages = 1, .before = "c=1",
	  .thread = { "a=1?", "b=1? -b" } },
	{ .name = "a bounced mapping is synced", .pages = 1, .before = "a=1 c=1",
	  .thread = { "ya", "-c b=1" } },
	{ .name = "bounce slots are kept", .pages = 1, .keep = true, .before = "a=1 b=1",
	  .thread = { "-a c=1", "-b d=1? -d" } },
	{ .name = "kept bounce slots are taken", .pages = 1, .keep = true, .before = "a=2 -a",
	  .thread = { "b=1 -b", "c=1 d=2? -c" } },
	{ .name = "a bounce pool goes", .frames = 12, .before = "a=1 -a",
	  .thread = { "t", "b=1 -b" } },
};

static const struct coherent_plan storm_buffers[] = {
	{ .name = "a kept page is taken", .frames = 12, .pool = 1, .before = "a:1 -a",
	  .thread = { "a:1", "b:1 -b" } },
	{ .name = "a page is kept", .frames = 12, .pool = 1, .before = "a:1 b:1",
	  .thread = { "-a", "-b c:1" } },
	{ .name = "a page is kept, and taken on top", .frames = 12, .pool = 1, .before = "a:1",
	  .thread = { "-a", "c:1 d:1 -c" } },
	{ .name = "a piece for an atomic context", .frames = 12, .pool = 2,
	  .thread = { "a=1", "b=1? -b" } },
	{ .name = "a piece is freed", .frames = 12, .pool = 2, .before = "a=1 b=1",
	  .thread = { "-a", "-b c=1? v" } },
	{ .name = "a pool is filled", .frames = 16, .pool = 2, .before = "a=1 b=1",
	  .thread = { "w", "-a c=1? -c" } },
};

/* The handler looks as an IOMMU does, and requests what it can where interrupts are let in. */
static const struct v7s_plan storm_tables[] = {
	{ .name = "a second level is made for a page", .thread = { "+100", "w ?100 +101" } },
	{ .name = "a large page is mapped", .before = "+100",
	  .thread = { "+110/10", "w ?11f ?100 -100" } },
	{ .name = "a section is split", .before = "+100/100",
	  .thread = { "-105", "w ?106 ?105 ?1ff -1f0" } },
	{ .name = "a large page is split", .before = "+120/10",
	  .thread = { "-123", "w ?124 .12f -12f" } },
	{ .name = "a supersection is split", .before = "+1000/1000",
	  .thread = { "-1300/100", "w ?1200 .1fff -1400/100" } },
	{ .name = "a second level goes with its page", .quirks = PZ_V7S_GIVE_BACK, .before = "+100",
	  .thread = { "-100", "w ?100 +101" } },
	{ .name = "a section takes a second level's place", .before = "+105 -105",
	  .thread = { "+100/100", "w ?105 +205" } },
	{ .name = "a large page is broken first", .quirks = PZ_V7S_BREAK_FIRST, .before = "+120/10",
	  .thread = { "-123", "w ?124 .12f -12f" } },
};

static void storm_steps(const char *want)
{
	storm_handle(SIGTRAP, storm_trap);
	if (!storm_can_step()) {
		explore_result(true, "at each instruction # SKIP the host does not let us step");
		return;
	}
	for (unsigned int i = 0; i < sizeof(storm_plans) / sizeof(storm_plans[0]); i++) {
		struct world_plan plan = storm_plans[i];

		plan.nested = true;
		if (!want || strstr(plan.name, want))
			storm_each_page(&plan);
	}
	for (unsigned int i = 0; i < sizeof(storm_slabs) / sizeof(storm_slabs[0]); i++) {
		struct slab_plan plan = storm_slabs[i];

		plan.nested = true;
		if (!want || strstr(plan.name, want))
			storm_each_slab(&plan);
	}
	for (unsigned int i = 0; i < sizeof(storm_dma_pools) / sizeof(storm_dma_pools[0]); i++) {
		struct dma_pool_plan plan = storm_dma_pools[i];

		plan.nested = true;
		if (!want || strstr(plan.name, want))
			storm_each_dma_pool(&plan);
	}
	for (unsigned int i = 0; i < sizeof(storm_bounces) / sizeof(storm_bounces[0]); i++) {
		struct bounce_plan plan = storm_bounces[i];

		plan.nested = true;
		if (!want || strstr(plan.name, want))
			storm_each_bounce(&plan);
	}
	for (unsigned int i = 0; i < sizeof(storm_buffers) / sizeof(storm_buffers[0]); i++) {
		struct coherent_plan plan = storm_buffers[i];

		plan.nested = true;
		if (!want || strstr(plan.name, want))
			storm_each_coherent(&plan);
	}
	for (unsigned int i = 0; i < sizeof(storm_tables) / sizeof(storm_tables[0]); i++) {
		struct v7s_plan plan = storm_tables[i];

		plan.nested = true;
		if (!want || strstr(plan.name, want))
			storm_each_v7s(&plan);
	}
	if (want)
		return;
	storm_all(0, "at instructions of many operations");
	storm_all(8, "at instructions of many operations, with held frames");
}

#else

static void storm_steps(const char *want)
{
	explore_result(true, "at each instruction # SKIP only on x86_64");
}

#endif

/* An argument picks the steps whose names contain it. */
int main(int argc, char **argv)
{
	stack_t alt;

	memset(&alt, 0, sizeof(alt));
	alt.ss_size = STORM_ALTSTACK;
	alt.ss_sp = malloc(STORM_ALTSTACK);
	if (!alt.ss_sp || sigaltstack(&alt, NULL))
		exit(2);
	storm_steps(argc > 1 ? argv[1] : NULL);
	if (argc < 2) {
		storm_timer(0, "by a timer");
		storm_timer(8, "by a timer, with held frames");
	}
	sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
	free(alt.ss_sp);
	return explore_done();
}
