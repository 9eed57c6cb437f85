/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_frag_sched.c - caches of pieces, with other contexts at each of their atomic operations.
 *
 * The sources of the cache are compiled into this program with PZ_SCHED_HOOK, so pz_sched_point()
 * is called before each of their atomic operations. There an interrupt handler on the same CPU runs
 * a call of its own, at each point of each call in turn; or another CPU goes on, at points that are
 * drawn. CPUs are coroutines with a stack each.
 */
#include "frag_box.h"
#include "prop.h"

#include <stdlib.h>
#include <ucontext.h>

void pz_sched_point(const volatile void *addr);

#define TASKS 4u
#define OPS 12u
#define PIECES 128u
#define STACK 262144u

struct piece {
	uint64_t addr;
	uint32_t size;
};

static struct box box;
static struct piece piece[PIECES];
static unsigned int pieces;
static uint64_t allocs;

/* An interrupt: at the @nest_at-th point from now, once. */
static void (*nest_call)(void);
static uint64_t nest_at;

/* Coroutines. */
static struct prop *prop_now;
static ucontext_t home, task_ctx[TASKS];
static _Alignas(64) unsigned char stack[TASKS][STACK];
static void (*task_body)(unsigned int task);
static bool task_alive[TASKS];
static unsigned int task_cur = TASKS, tasks;
static uint64_t task_points; /* points until another task goes on */
static bool failed;
static const char *why;

static void fail(const char *what)
{
	if (!failed)
		why = what;
	failed = true;
}

static void task_next(unsigned int from)
{
	unsigned int alive = 0, pick;

	for (unsigned int i = 0; i < tasks; i++)
		alive += task_alive[i];
	if (!alive) {
		task_cur = TASKS;
		swapcontext(from < TASKS ? &task_ctx[from] : &home, &home);
		return;
	}
	/* Mostly soon, sometimes only much later. */
	task_points = prop_choice(prop_now, 4) ? prop_draw(prop_now, 8) : prop_draw(prop_now, 200);
	pick = (unsigned int)prop_draw(prop_now, alive - 1);
	for (unsigned int i = 0; i < tasks; i++) {
		if (!task_alive[i] || pick-- > 0)
			continue;
		if (i == from)
			return;
		task_cur = i;
		swapcontext(from < TASKS ? &task_ctx[from] : &home, &task_ctx[i]);
		return;
	}
}

void pz_sched_point(const volatile void *addr)
{
	(void)addr;
	if (nest_at && --nest_at == 0)
		nest_call();
	else if (task_cur < TASKS && task_points-- == 0)
		task_next(task_cur);
}

/* Where a task begins; it is the one that goes on now. */
static void task_main(void)
{
	unsigned int i = task_cur;

	task_body(i);
	task_alive[i] = false;
	task_next(i);
}

/* Run @n tasks to their ends, in an order that is drawn. */
static bool run_tasks(struct prop *p, unsigned int n, void (*body)(unsigned int task))
{
	prop_now = p;
	tasks = n;
	task_body = body;
	failed = false;
	for (unsigned int i = 0; i < n; i++) {
		getcontext(&task_ctx[i]);
		task_ctx[i].uc_stack.ss_sp = stack[i];
		task_ctx[i].uc_stack.ss_size = STACK;
		task_ctx[i].uc_link = NULL;
		makecontext(&task_ctx[i], task_main, 0);
		task_alive[i] = true;
	}
	task_next(TASKS);
	task_cur = TASKS;
	if (failed)
		prop_note(p, "%s", why);
	return !failed;
}

static void take(uint32_t cpu, uint32_t size, uint32_t align)
{
	uint64_t addr = 0;

	if (pz_frag_alloc(box.f, cpu, size, align, &addr))
		return;
	allocs++;
	if (addr % align || !box_mark(&box, addr, size, true))
		fail("a piece overlaps another, or is not aligned");
	if (pieces == PIECES) {
		fail("too many pieces");
		return;
	}
	piece[pieces].addr = addr;
	piece[pieces++].size = size;
}

static void give(uint32_t cpu, unsigned int i)
{
	struct piece x = piece[i];

	piece[i] = piece[--pieces];
	if (!box_mark(&box, x.addr, x.size, false))
		fail("a piece changed while it was out");
	pz_frag_free(box.f, cpu, x.addr, x.size);
}

static bool begin(uint32_t flags, uint32_t block, uint32_t blocks)
{
	struct pz_frag_config c;

	pieces = 0;
	allocs = 0;
	failed = false;
	nest_at = 0;
	task_cur = TASKS;
	if (!box_start(&box, NULL, 0))
		return false;
	box_config(&box, &c);
	c.flags = flags;
	c.block_bytes = block;
	c.blocks = blocks;
	return pz_frag_create(&box.f, &c) == 0;
}

/* What must hold when nobody is at it. */
static const char *settled(void)
{
	struct pz_frag_stat s;
	uint64_t bytes = 0;

	if (failed)
		return why;
	if (pz_frag_check(box.f))
		return "pz_frag_check";
	pz_frag_stat(box.f, &s);
	for (unsigned int i = 0; i < pieces; i++)
		bytes += piece[i].size;
	if (s.pieces != pieces || s.piece_bytes != bytes || s.allocs != allocs)
		return "the numbers of the cache";
	if (s.block_bytes != box_used(&box) * 4096)
		return "its blocks are not the allocator's";
	return box.bugs.count ? "a right call was called misuse" : NULL;
}

static const char *finish(void)
{
	const char *wrong = settled();

	while (!wrong && pieces)
		give(0, 0);
	if (!wrong)
		wrong = settled();
	if (wrong)
		return wrong;
	pz_frag_drain(box.f, 0);
	if (pz_frag_check(box.f) || box_used(&box))
		return "blocks stay";
	if (pz_frag_destroy(box.f))
		return "pieces stay";
	return box_stop(&box) ? NULL : "metadata stays";
}

/* Calls for interrupts and for what they interrupt; all on CPU 0. */
static void call_take(void)
{
	take(0, 100, 4);
}

static void call_take_much(void)
{
	take(0, 8000, 64);
}

static void call_give_first(void)
{
	if (pieces)
		give(0, 0);
}

static void call_give_all(void)
{
	while (pieces)
		give(0, pieces - 1);
}

static void call_drain(void)
{
	pz_frag_drain(box.f, 0);
}

static void (*const calls[])(void) = { call_take, call_take_much, call_give_first, call_give_all,
				       call_drain };
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* How the cache stands when the call comes: empty, in use, full, with blocks that have room. */
static void stage(unsigned int which)
{
	unsigned int fill = which == 0 ? 0 : which == 1 ? 3 : 34;

	for (unsigned int i = 0; i < fill; i++)
		take(0, 1000, 8);
	if (which == 3)
		for (unsigned int i = 0; i + 2 < pieces; i++)
			give(0, i);
	if (which == 4)
		pz_frag_drain(box.f, 0);
}

/* Every call in every stage, interrupted at every point by every call; in builds that are slow,
 * some of these. */
static bool interrupts(struct prop *p, void *ctx)
{
	const char *part = getenv("PZ_ROUNDS_PART");
	unsigned int every = part && atoi(part) > 3 ? 7 : 1;
	uint64_t points = 0;

	for (unsigned int n = 0; n < 2 * 5 * CALLS * CALLS; n += every) {
		uint32_t flags = n % 2 ? PZ_FRAG_REUSE : 0;
		unsigned int st = n / 2 % 5;
		size_t outer = n / 10 % CALLS, inner = n / 10 / CALLS;

		for (uint64_t k = 1;; k++) {
			const char *wrong;
			bool fired;

			PROP_ASSERT(p, begin(flags, 8192, 32));
			stage(st);
			nest_call = calls[inner];
			nest_at = k;
			calls[outer]();
			fired = nest_at == 0;
			nest_at = 0;
			wrong = finish();
			if (wrong)
				prop_note(p, "flags %u stage %u call %zu point %llu of %zu: %s",
					  flags, st, inner, (unsigned long long)k, outer, wrong);
			PROP_ASSERT(p, !wrong);
			if (!fired)
				break;
			points++;
		}
	}
	*(uint64_t *)ctx = points;
	return true;
}

static void random_task(unsigned int task)
{
	uint32_t cpu = task < BOX_CPUS ? task : PZ_CPU_NONE;

	for (unsigned int i = 0; i < OPS && !failed; i++) {
		unsigned int what = prop_choice(prop_now, 16);

		if (what == 15)
			pz_frag_drain(box.f, cpu);
		else if (pieces && (what > 7 || pieces > PIECES - 2 * TASKS))
			give(cpu, (unsigned int)prop_draw(prop_now, pieces - 1));
		else if (what == 0)
			take(cpu, 1 + (uint32_t)prop_draw(prop_now, 8191), 1);
		else
			take(cpu, 1u << prop_choice(prop_now, 13), 1u << prop_choice(prop_now, 13));
	}
}

/* Several CPUs at once, with and without an index, that free each other's pieces. */
static bool interleaved(struct prop *p, void *ctx)
{
	uint32_t flags = prop_choice(p, 2) ? PZ_FRAG_REUSE : 0;
	uint32_t block = 4096u << prop_choice(p, 3);
	unsigned int n = 2 + prop_choice(p, TASKS - 1);
	const char *wrong;

	(void)ctx;
	PROP_ASSERT(p, begin(flags, block < 8192 ? 8192 : block, 1));
	PROP_ASSERT(p, run_tasks(p, n, random_task));
	wrong = finish();
	if (wrong)
		prop_note(p, "%s", wrong);
	PROP_ASSERT(p, !wrong);
	return true;
}

static void twice_task(unsigned int task)
{
	(void)task;
	pz_frag_free(box.f, PZ_CPU_NONE, piece[0].addr, piece[0].size);
}

/* Two CPUs free the same piece: it is freed once, and told once. */
static bool twice(struct prop *p, void *ctx)
{
	unsigned int others = prop_choice(p, 3);
	struct pz_frag_stat s;

	(void)ctx;
	PROP_ASSERT(p, begin(PZ_FRAG_REUSE, 8192, 1));
	for (unsigned int i = 0; i < 1 + others; i++)
		take(0, 1024, 1024);
	if (prop_choice(p, 2))
		pz_frag_drain(box.f, 0);
	PROP_ASSERT(p, run_tasks(p, 2, twice_task));
	PROP_ASSERT(p, box.bugs.count == 1 && pz_frag_check(box.f) == 0);
	pz_frag_stat(box.f, &s);
	PROP_ASSERT(p, s.pieces == others);
	box.bugs.count = 0;
	box_mark(&box, piece[0].addr, piece[0].size, false);
	piece[0] = piece[--pieces];
	PROP_ASSERT(p, finish() == NULL);
	return true;
}

static void grow_task(unsigned int task)
{
	for (unsigned int i = 0; i < 3; i++)
		take(task, 4096, 4096);
}

/* Metadata is to grow while several CPUs want some. */
static bool growing(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, begin(prop_choice(p, 2) ? PZ_FRAG_REUSE : 0, 4096, 1));
	for (unsigned int i = 0; i < 28; i++)
		take(0, 4096, 4096);
	PROP_ASSERT(p, run_tasks(p, 3, grow_task));
	PROP_ASSERT(p, pieces == 37 && finish() == NULL);
	return true;
}

static void take_many(void)
{
	for (unsigned int i = 0; i < 70; i++)
		take(0, 4096, 4096);
}

/* Metadata is to grow; meanwhile an interrupt needs so much that it has to grow twice. */
static bool outgrown(struct prop *p, void *ctx)
{
	(void)ctx;
	for (uint64_t k = 1;; k++) {
		bool fired;

		PROP_ASSERT(p, begin(0, 4096, 1));
		for (unsigned int i = 0; i < 32; i++)
			take(0, 4096, 4096);
		nest_call = take_many;
		nest_at = k;
		take(0, 4096, 4096);
		fired = nest_at == 0;
		nest_at = 0;
		PROP_ASSERT(p, pieces == (fired ? 103 : 33));
		PROP_ASSERT(p, finish() == NULL);
		if (!fired)
			return true;
	}
}

static void hand_task(unsigned int task)
{
	uint32_t size = 3000 + 64 * (uint32_t)prop_draw(prop_now, 50);

	for (unsigned int i = 0; i < 3; i++) {
		take(task, size, 1);
		if (pieces && prop_choice(prop_now, 2))
			give(task, (unsigned int)prop_draw(prop_now, pieces - 1));
	}
}

/* Blocks that nobody holds have room, and several CPUs look for it. */
static bool hands(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, begin(PZ_FRAG_REUSE, 8192, 1));
	for (unsigned int i = 0, n = 2 + prop_choice(p, 3); i < n; i++) {
		take(0, 1024 << prop_choice(p, 2), 64);
		pz_frag_drain(box.f, 0);
	}
	PROP_ASSERT(p, run_tasks(p, 3, hand_task));
	PROP_ASSERT(p, settled() == NULL);
	PROP_ASSERT(p, finish() == NULL);
	return true;
}

/* The first frees a piece and has another one, elsewhere, with the same metadata. */
static void stale_task(unsigned int task)
{
	struct piece x = piece[0];
	struct pz_page_req req;
	uint64_t pfn;

	pz_frag_free(box.f, task, x.addr, x.size);
	if (task)
		return;
	pz_page_req_init(box.pages, &req, 0, 0, 0);
	if (!pz_page_request(box.pages, &req, &pfn))
		pz_free_exact(box.pages, 0, pfn, 1);
	if (pfn != x.addr >> 12)
		return;
	/* The page is another's now. */
	if (pz_page_request(box.pages, &req, &pfn))
		fail("no page");
	take(0, x.size, 64);
	pz_frag_drain(box.f, 0);
}

/* A piece is freed twice, and its block's metadata comes to describe another block meanwhile. */
static bool stale(struct prop *p, void *ctx)
{
	struct pz_frag_stat s;

	(void)ctx;
	PROP_ASSERT(p, begin(prop_choice(p, 2) ? PZ_FRAG_REUSE : 0, 4096, 1));
	take(0, 1024, 64);
	pz_frag_drain(box.f, 0);
	PROP_ASSERT(p, run_tasks(p, 2, stale_task));
	pz_frag_stat(box.f, &s);
	PROP_ASSERT(p, box.bugs.count == 1 && pz_frag_check(box.f) == 0);
	PROP_ASSERT(p, s.pieces == pieces - 1);
	for (unsigned int i = 1; i < pieces; i++)
		pz_frag_free(box.f, 0, piece[i].addr, piece[i].size);
	PROP_ASSERT(p, box.bugs.count == 1 && pz_frag_destroy(box.f) == 0);
	PROP_ASSERT(p, box_stop(&box));
	return true;
}

int main(void)
{
	uint64_t points = 0;

	prop_run("an interrupt may come at every point and make every call", interrupts, &points,
		 1);
	prop_run("CPUs may take turns at any point", interleaved, NULL, 1000);
	prop_run("a piece freed by two CPUs at once is freed once", twice, NULL, 500);
	prop_run("metadata may grow twice in an interrupt while it grows", outgrown, NULL, 1);
	prop_run("blocks with room may change hands at any point", hands, NULL, 1500);
	prop_run("a piece freed twice may meet another block in its metadata", stale, NULL, 1000);
	prop_run("several CPUs may find that metadata has to grow", growing, NULL, 300);
	return prop_done();
}
