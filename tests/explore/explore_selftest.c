/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_selftest.c - the explorer finds what it should, and runs as many schedules as there are.
 *
 * Counts are compared with combinatorics; algorithms known to be broken must be found out, with the
 * fewest pre-emptions that do it, and their right twins must pass without any bound.
 */
#define PZ_SCHED_HOOK
#include "../../src/base/atomic.h"

#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ST_NODES 3u
#define ST_NIL 0u

/* All that the threads share. */
static struct {
	uint64_t word[3]; /* a word of its own for each thread */
	uint32_t steps[3];
	uint64_t x; /* what is counted, or the head of the stack */
	uint64_t flag[2], turn, inside;
	uint32_t next[ST_NODES + 1], taken[ST_NODES + 1];
	uint64_t got[2];
} st;

/* --- counting --- */

static void st_independent(void *ctx, unsigned int t)
{
	for (uint32_t i = 0; i < st.steps[t]; i++)
		pz_store64(&st.word[t], i + 1);
}

static uint64_t st_binomial(uint64_t n, uint64_t k)
{
	uint64_t r = 1;

	if (k > n)
		return 0;
	for (uint64_t i = 1; i <= k; i++)
		r = r * (n - k + i) / i;
	return r;
}

/* Orders of n steps of one thread and m of another, with at most @bound pre-emptions. */
static uint64_t st_bounded(uint64_t n, uint64_t m, uint64_t bound)
{
	uint64_t sum = 0;

	/* A row of runs has one switch less than runs, and the last comes free. */
	for (uint64_t runs = 2; runs <= bound + 2; runs++) {
		uint64_t k = runs / 2;

		if (runs % 2)
			sum += st_binomial(n - 1, k) * st_binomial(m - 1, k - 1) +
			       st_binomial(n - 1, k - 1) * st_binomial(m - 1, k);
		else
			sum += 2 * st_binomial(n - 1, k - 1) * st_binomial(m - 1, k - 1);
	}
	return sum;
}

static struct explore st_explore(unsigned int threads, void (*body)(void *ctx, unsigned int t),
				 void (*end)(void *ctx))
{
	struct explore e = { .threads = threads, .body = body, .end = end, .state = &st,
			     .size = sizeof(st) };

	memset(&st, 0, sizeof(st));
	return e;
}

static bool st_masked(void *ctx)
{
	return st.word[0] == 1;
}

static void st_counts(void)
{
	struct explore e = st_explore(2, st_independent, NULL);
	struct explore_result r;

	e.no_prune = e.no_merge = true;
	for (uint32_t n = 1; n <= 5; n++) {
		for (uint32_t m = 1; m <= 4; m++) {
			bool same = true;

			st.steps[0] = n;
			st.steps[1] = m;
			explore_pass(&e, EXPLORE_ALL, &r);
			same &= r.runs == st_binomial(n + m, n) && r.ended == r.runs;
			for (uint32_t b = 0; b <= 4; b++) {
				explore_pass(&e, b, &r);
				same &= r.runs == st_bounded(n, m, b) && r.ended == r.runs;
				same &= r.longest == n + m;
			}
			explore_result(same, "orders of %u and %u steps: %llu, and as many as "
				       "there are with 0 to 4 pre-emptions", n, m,
				       (unsigned long long)st_binomial(n + m, n));
		}
	}
	e.threads = 3;
	st.steps[0] = 3;
	st.steps[1] = 4;
	st.steps[2] = 2;
	explore_pass(&e, EXPLORE_ALL, &r);
	explore_result(r.runs == 1260, "orders of 3, 4 and 2 steps: 1260");
	explore_pass(&e, 0, &r);
	explore_result(r.runs == 6, "three threads one after the other: 6 orders");
	e.nested = true;
	explore_pass(&e, EXPLORE_ALL, &r);
	explore_result(r.runs == (3 + 1) * (3 + 4 + 1),
		       "4 steps in one piece among 3, and 2 in one piece among these: 32");
	e.threads = 2;
	e.masked = st_masked;
	explore_pass(&e, EXPLORE_ALL, &r);
	explore_result(r.runs == 3, "a piece among 3 steps, and not after the first: 3");
	e.masked = NULL;
	e.threads = 3;
	e.nested = false;
	e.max_runs = 100;
	explore_pass(&e, EXPLORE_ALL, &r);
	explore_result(r.runs == 100 && r.cut, "a limit of runs cuts, and says so");
	e.max_runs = 1260;
	explore_pass(&e, EXPLORE_ALL, &r);
	explore_result(r.runs == 1260 && !r.cut, "a limit that suffices does not cut");
	e.max_runs = 0;
	e.no_prune = false;
	explore_pass(&e, EXPLORE_ALL, &r);
	explore_result(r.runs == 6, "private words are no reason to switch: 6 orders");
	if (!explore_merges())
		return;
	e.no_prune = true;
	e.no_merge = false;
	e.threads = 2;
	explore_pass(&e, EXPLORE_ALL, &r);
	/* Begun or not makes no difference; where one has ended, nothing is to be chosen. */
	explore_result(r.states == 3 * 4 && r.runs < st_binomial(7, 3),
		       "the states of 3 and 4 independent steps: 12, in %llu schedules",
		       (unsigned long long)r.runs);
}

/* --- broken and right algorithms --- */

static void st_lost_update(void *ctx, unsigned int t)
{
	pz_store64(&st.x, pz_load64(&st.x) + 1);
}

static void st_kept_update(void *ctx, unsigned int t)
{
	uint64_t old;

	do
		old = pz_load64(&st.x);
	while (!pz_cas64(&st.x, old, old + 1));
}

static void st_count_end(void *ctx)
{
	if (st.x != *(unsigned int *)ctx)
		explore_fail("the count is %llu", (unsigned long long)st.x);
}

/* A stack of nodes: the head is a node, with a tag above it in the right twin. */
static uint32_t st_pop(bool tagged)
{
	uint64_t head, new;

	do {
		head = pz_load64(&st.x);
		if (!(uint32_t)head)
			return ST_NIL;
		new = pz_load32(&st.next[(uint32_t)head]);
		if (tagged)
			new |= ((head >> 32) + 1) << 32;
	} while (!pz_cas64(&st.x, head, new));
	return (uint32_t)head;
}

static void st_push(uint32_t node, bool tagged)
{
	uint64_t head, new;

	do {
		head = pz_load64(&st.x);
		pz_store32(&st.next[node], (uint32_t)head);
		new = node | (tagged ? ((head >> 32) + 1) << 32 : 0);
	} while (!pz_cas64(&st.x, head, new));
}

static void st_take(uint32_t node)
{
	if (node && st.taken[node]++)
		explore_fail("node %u is taken twice", node);
}

static void st_treiber(bool tagged, unsigned int t)
{
	uint32_t n;

	if (t == 0) {
		st_take(st_pop(tagged));
		st_take(st_pop(tagged));
		return;
	}
	n = st_pop(tagged);
	st_take(n);
	st_take(st_pop(tagged));
	if (n) {
		st.taken[n]--;
		st_push(n, tagged);
	}
}

static void st_treiber_bare(void *ctx, unsigned int t)
{
	st_treiber(false, t);
}

static void st_treiber_tagged(void *ctx, unsigned int t)
{
	st_treiber(true, t);
}

static void st_enter(void)
{
	if (pz_add32((uint32_t *)&st.inside, 1))
		explore_fail("both are inside");
	pz_add32((uint32_t *)&st.inside, UINT32_MAX);
}

static void st_peterson(void *ctx, unsigned int t)
{
	for (unsigned int i = 0; i < 2; i++) {
		pz_store64(&st.flag[t], 1);
		pz_store64(&st.turn, !t);
		while (pz_load64(&st.flag[!t]) && pz_load64(&st.turn) == !t)
			;
		st_enter();
		pz_store64(&st.flag[t], 0);
	}
}

/* The flag comes up too late. */
static void st_peterson_late(void *ctx, unsigned int t)
{
	pz_store64(&st.turn, !t);
	while (pz_load64(&st.flag[!t]) && pz_load64(&st.turn) == !t)
		;
	pz_store64(&st.flag[t], 1);
	st_enter();
	pz_store64(&st.flag[t], 0);
}

/* Each waits for the other to go first. */
static void st_deadlock(void *ctx, unsigned int t)
{
	pz_store64(&st.flag[t], 1);
	while (pz_load64(&st.flag[!t]))
		;
	pz_store64(&st.flag[t], 0);
}

/* Wrong in the one order that needs two pre-emptions. */
static void st_flicker(void *ctx, unsigned int t)
{
	if (t == 0) {
		pz_store64(&st.x, 1);
		pz_store64(&st.x, 0);
		return;
	}
	st.got[0] = pz_load64(&st.x);
	st.got[1] = pz_load64(&st.x);
	if (st.got[0] == 1 && st.got[1] == 0)
		explore_fail("the light went out");
}

static void st_algorithms(void)
{
	struct explore_plan right = { 3, true, false, 0 }, wrong = { 3, true, true, 1 };
	static unsigned int two = 2, three = 3;
	struct explore e = st_explore(2, st_lost_update, st_count_end);
	struct explore_result r;

	e.ctx = &two;
	explore_tap("lost update", &e, &wrong);
	explore_result(explore_replay(&e, "a2,b2", false, &r) && !r.failed && r.ended == 1,
		       "one update after the other is right");
	explore_result(explore_replay(&e, "b1,a2,b1", false, &r) && r.failed &&
		       !strcmp(r.schedule, "b1,a2,b1"), "an order by hand is wrong");
	explore_result(!explore_replay(&e, "a2,c2", false, &r) &&
		       !explore_replay(&e, "a,b1", false, &r) &&
		       !explore_replay(&e, "a1,", false, &r) &&
		       !explore_replay(&e, "a0", false, &r), "what is no schedule is refused");
	e.body = st_kept_update;
	explore_tap("update by compare and exchange", &e, &right);
	e.threads = 3;
	e.ctx = &three;
	explore_tap("update by three threads", &e, &right);

	e = st_explore(2, st_treiber_bare, NULL);
	st.x = 1;
	for (uint32_t i = 1; i < ST_NODES; i++)
		st.next[i] = i + 1;
	explore_tap("stack without a tag", &e, &wrong);
	e.body = st_treiber_tagged;
	explore_tap("stack with a tag", &e, &right);

	e = st_explore(2, st_peterson, NULL);
	e.may_wait = true;
	right.bound = 2;
	explore_tap("Peterson's lock", &e, &right);
	e.body = st_peterson_late;
	wrong.fail_bound = 2;
	explore_tap("Peterson's lock, flag too late", &e, &wrong);
	wrong.fail_bound = 1;

	e = st_explore(2, st_deadlock, NULL);
	e.may_wait = true;
	explore_tap("each waits for the other", &e, &wrong);
	e.may_wait = false;
	e.max_steps = 1000;
	explore_tap("each waits for the other, and must not", &e, &wrong);

	e = st_explore(2, st_flicker, NULL);
	wrong.fail_bound = 2;
	explore_tap("wrong with two pre-emptions only", &e, &wrong);
	e.no_merge = e.no_prune = true;
	explore_tap("wrong with two pre-emptions only, the long way", &e, &wrong);
}

int main(void)
{
	st_counts();
	st_algorithms();
	return explore_done();
}
