/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.h - threads that allocate and free, written as short texts, and what must hold meanwhile.
 *
 * A thread is a list of steps, with one letter for each block:
 *   x=3       allocate order 3         x=#5      allocate 5 pages, unaligned
 *   x=*4      allocate 4 single pages in bulk
 *   x=3<63    ... at page frame 63 or below; x=3>64 at 64 or above
 *   x=3m      ... movable              x=3b      ... and may block: pages are moved out of the way
 *   x=3h      ... urgent, which reserves the pageblock for such requests (policy of zonelists)
 *   -x        free, if there is something to free
 *   !x        free, also when somebody else does the same: one of them is a double free
 *   x/2+3     free 3 pages of x, from its page 2 on; what is behind them is x from now on, and
 *             what lies before is freed with it
 *   %x        split into single pages
 *   x@32-63   evacuate these page frames and keep them
 *   +32-63    give these page frames to the allocator
 *   ~         empty all per-CPU caches ~1 those of one CPU
 *
 * What must hold, of which a breach ends the run by explore_fail():
 *  - no page is given out while somebody has it;
 *  - a request is refused (-PZ_ENOMEM) only if no place that would do was free from the beginning
 *    of the call to its end. A page is free from the end of the call that frees it to the beginning
 *    of the call that takes it; what an evacuation wants is not free while it runs. A refusal while
 *    others are stopped in the middle of a split, a merge or a mark is allowed
 *    (docs/design/page.md);
 *  - other errors only where they are allowed: -PZ_EBUSY where pages are moved;
 *  - in the end: pz_pages_check(), the count of free pages, the state of each page, the number of
 *    misuses; and once all is freed, the same again, and the whole memory in one piece.
 */
#ifndef TESTS_EXPLORE_WORLD_H
#define TESTS_EXPLORE_WORLD_H

#include "explore.h"
#include "machine.h"

#define WORLD_FRAMES 4096u
#define WORLD_OPS 12u
#define WORLD_LIST 8u

struct world_plan {
	const char *name;
	struct machine_config machine;
	const char *before; /* done first, by CPU 0 */
	const char *thread[EXPLORE_THREADS]; /* NULL for none */
	uint32_t misuses;
	bool no_cpu; /* callers have no CPU of their own */
	bool nested; /* threads are interrupts on top of each other, on one CPU */
	bool may_wait;
	uint32_t bound; /* pre-emptions; then without a bound, unless: */
	bool bounded_only;
	uint64_t max_runs;
};

/* Explore it and print TAP. */
void world_run(const struct world_plan *plan);

/*
 * The same without the explorer: make the machine and do what comes before; run a thread; check the
 * end, after which the machine must be put back; drop it. What is wrong is told to explore_fail().
 * @around is called right before and after each call of the allocator.
 */
struct machine *world_open(const struct world_plan *plan,
			   void (*around)(unsigned int t, bool before));
void world_thread(unsigned int t);
void world_finish(void);
void world_close(void);

#endif
