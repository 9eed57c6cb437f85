/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore.h - run a few threads in every order that a scheduler could give them.
 *
 * Each thread is a coroutine, exactly one runs, and another may take over at each atomic operation
 * (pz_sched_point() in src/base/atomic.h, compiled in by PZ_SCHED_HOOK). A pass runs the threads
 * again and again from the same state, depth first through all choices of who goes next, with a
 * bound on pre-emptions (switches away from a thread that could have gone on) or without one.
 *
 * What makes this affordable, each of which can be switched off:
 *  - prune: a switch is tried only before an operation on a word that several threads use. Moving
 *    a pre-emption past an operation on a private word changes nothing. Which words are private is
 *    learnt on the way, and a pass starts again when it was wrong.
 *  - merge: a state (memory and the stacks of the threads, by a 64-bit hash) that was met before,
 *    with the same pre-emptions left, is not continued twice. That makes all interleavings without
 *    any bound affordable. x86_64 only; elsewhere passes without a bound are left out.
 *
 * Shortcomings: memory is sequentially consistent here, so an algorithm that lacks a fence
 * (Peterson's without one, say) passes: the library's atomics are sequentially consistent all the
 * same. Relaxed accessors (pz_peek, pz_poke) and plain accesses are no switching points: they stick
 * to the operation before them. A merged pass sees no livelock; one with a bound does.
 *
 * A failing schedule is printed as "a3,b5,a2": three operations by thread a, five by b, and so on.
 * When it is replayed, each operation is traced: its number, the thread, where it is in the program
 * (for addr2line -ife PROGRAM), the word by its offset in the state, its value, and its new value.
 */
#ifndef TESTS_EXPLORE_EXPLORE_H
#define TESTS_EXPLORE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_THREADS 3u
#define EXPLORE_ALL UINT32_MAX /* no bound on pre-emptions */
#define EXPLORE_TEXT 1024u

struct explore {
	unsigned int threads; /* 1 to EXPLORE_THREADS */
	void (*body)(void *ctx, unsigned int thread);
	/* Thread goes on with its next operation; may be NULL. Runs in the thread. */
	void (*step)(void *ctx, unsigned int thread);
	/* All threads have ended; calls explore_fail() when something is wrong. May be NULL. */
	void (*end)(void *ctx);
	void *ctx;
	void *state; /* all that the threads change, except their stacks; NULL for nothing */
	size_t size;
	bool no_prune, no_merge;
	/* Interrupts: a thread that took over runs to its end, but for threads after it. */
	bool nested;
	/* Whether interrupts are kept off now, with nested; may be NULL. */
	bool (*masked)(void *ctx);
	/* A thread may wait for another: who spins is set aside, at no charge, until all that can
	 * run have been, or somebody else was pre-empted or has ended. */
	bool may_wait;
	uint64_t max_runs; /* 0 for no limit */
	uint64_t max_runs_all; /* without a bound; 0 for max_runs */
	uint32_t max_steps; /* of a run that ends: more is a livelock; 0 for a default */
};

struct explore_result {
	uint64_t runs; /* schedules that were started, also those that met a known state */
	uint64_t ended; /* schedules that ran to their end */
	uint64_t states; /* different states at choices, when they are merged */
	uint32_t longest; /* operations of the longest run */
	bool cut; /* max_runs did not suffice */
	bool failed;
	char why[EXPLORE_TEXT];
	char schedule[EXPLORE_TEXT];
};

/* All schedules with at most @bound pre-emptions, until one fails. */
void explore_pass(const struct explore *e, uint32_t bound, struct explore_result *r);

/* One schedule; with @trace, each operation is printed. False: @schedule is malformed. */
bool explore_replay(const struct explore *e, const char *schedule, bool trace,
		    struct explore_result *r);

/* What is going on is wrong: say why, and end the run. Returns only outside of a thread. */
void explore_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What explore_fail() was told outside of a run, which is then forgotten; NULL for nothing. */
const char *explore_failure(void);

/* The thread that runs. */
unsigned int explore_running(void);

/* The word of the operation that it stands before; for the step hook. */
const volatile void *explore_word(void);

/* Whether passes can merge, and so do without a bound. */
bool explore_merges(void);

/* The point where another thread may take over. */
void pz_sched_point(const volatile void *addr);

/*
 * Explore with 0, 1, ... @bound pre-emptions, none of which may be cut, then, if @all, without a
 * bound, which may; print TAP. With
 * PZ_SCHEDULE=NAME:SCHEDULE in the environment only that schedule is run, and traced, and other
 * names are passed over. @expect_fail: a failure must be found, and must fail again when replayed.
 */
struct explore_plan {
	uint32_t bound;
	bool all;
	bool expect_fail;
	uint32_t fail_bound; /* with expect_fail: pre-emptions that it takes */
};
bool explore_tap(const char *name, const struct explore *e, const struct explore_plan *plan);

/* One TAP result that is not a scenario. */
void explore_result(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Print the plan; the exit status. */
int explore_done(void);

#endif
