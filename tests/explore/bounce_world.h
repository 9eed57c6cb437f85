/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_world.h - threads that map memory through bounce buffers, written as short texts, and what
 * must hold.
 *
 * A thread is a list of steps, with one letter, a to h, for each mapping:
 *   a=3   map memory of 3 slots      a=3?  ... where it may be refused
 *   -a    let the device write, and unmap, if it is mapped
 *   !a    unmap it, and so does somebody else: one of the two is told
 *   ya    sync a for the CPU
 *   t     trim                       v     visit all who hold slots
 *   s     ask for the numbers
 *
 * What must hold, of which a breach ends the run by explore_fail():
 *  - a buffer begins as the memory, nobody else writes to it, and what the device wrote comes back;
 *  - a mapping is refused only where the step says so;
 *  - misuse is told as often as the plan says;
 *  - in the end the checks pass, and once all is unmapped and trimmed every slot and page is back.
 */
#ifndef TESTS_EXPLORE_BOUNCE_WORLD_H
#define TESTS_EXPLORE_BOUNCE_WORLD_H

#include "explore.h"
#include "machine.h"

struct bounce_plan {
	const char *name;
	uint32_t pages;	 /* that are set aside: two slots each */
	uint32_t frames; /* that further pools are made from; 0: there are no further ones */
	uint32_t most;	 /* slots of the largest mapping; 0 for 2 */
	uint32_t misuses;
	bool keep;   /* CPUs have areas of their own, and keep what they freed */
	bool nested; /* threads are interrupts on top of each other, on one CPU */
	const char *before;
	const char *thread[EXPLORE_THREADS]; /* NULL for none */
	uint32_t bound;			     /* pre-emptions */
};

/* Explore it and print TAP. */
void bounce_world_run(const struct bounce_plan *plan);

/* The same in pieces, as in world.h. */
struct machine *bounce_world_open(const struct bounce_plan *plan,
				  void (*around)(unsigned int t, bool before));
void bounce_world_thread(unsigned int t);
void bounce_world_finish(void);
void bounce_world_close(void);

#endif
