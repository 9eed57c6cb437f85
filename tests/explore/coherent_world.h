/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent_world.h - threads that allocate coherent buffers, written as short texts, and what must
 * hold.
 *
 * One device has to have its memory mapped, so it is served from a pool in contexts that may not
 * block; another one is not, and each CPU keeps the page that it freed last of it. A thread is a
 * list of steps, with one letter, a to h, for each buffer:
 *   a=3   a buffer of 3 pages from the pool     a=3?  ... where it may be refused
 *   a:1   a page of the other device            a:1?  likewise
 *   -a    free it, if it is there
 *   !a    free it, and so does somebody else: one of the two is told
 *   w     fill the pool, or give back what it has too much of
 *   v     visit all who hold something          s     ask for the numbers
 *
 * What must hold, of which a breach ends the run by explore_fail():
 *  - a buffer is zeroed and nobody else writes to it;
 *  - it is refused only where the step says so;
 *  - misuse is told as often as the plan says;
 *  - in the end the checks pass, and once the devices are gone every page is back;
 *  - a page that is nobody's, where the plan says so, waits for work that was asked for.
 */
#ifndef TESTS_EXPLORE_COHERENT_WORLD_H
#define TESTS_EXPLORE_COHERENT_WORLD_H

#include "explore.h"
#include "machine.h"

struct coherent_plan {
	const char *name;
	uint32_t frames; /* of the machine */
	uint32_t pool;	 /* pages that a pool should have free */
	uint32_t misuses;
	bool tidy;   /* no plain page is out in the end, or kept */
	bool nested; /* threads are interrupts on top of each other, on one CPU */
	const char *before;
	const char *thread[EXPLORE_THREADS]; /* NULL for none */
	uint32_t bound;			     /* pre-emptions */
};

/* Explore it and print TAP. */
void coherent_world_run(const struct coherent_plan *plan);

/* The same in pieces, as in world.h. */
struct machine *coherent_world_open(const struct coherent_plan *plan,
				    void (*around)(unsigned int t, bool before));
void coherent_world_thread(unsigned int t);
void coherent_world_finish(void);
void coherent_world_close(void);

#endif
