/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_world.h - threads that use an object cache, written as short texts, and what must hold.
 *
 * A thread is a list of steps, with one letter for each object:
 *   +x   allocate x          -x   free x, if it is out
 *   ~    empty the CPU's own magazine
 *   s    shrink              r    reclaim
 *   g    a grace period, from its beginning to its end
 *   m    ask for the numbers of the cache
 *   D    destroy the cache: nothing is out, and only reclaim and draining go on elsewhere
 *
 * What must hold, of which a breach ends the run by explore_fail():
 *  - no object is given out while somebody has it, and nobody else writes to it;
 *  - an allocation fails only where the plan says that memory is short;
 *  - in the end pz_slabs_check(), the count of objects that are out, and no finding; once all is
 *    freed and a grace period is over, every page is back but those of descriptors, and the cache
 *    can be destroyed.
 */
#ifndef TESTS_EXPLORE_SLAB_WORLD_H
#define TESTS_EXPLORE_SLAB_WORLD_H

#include "explore.h"
#include "machine.h"

#include <physzone/slab.h>

struct slab_plan {
	const char *name;
	uint32_t frames; /* of the machine; 0 for 8 */
	uint32_t size;	 /* of an object; 0 for 1000: four in a slab */
	uint32_t flags, debug, magazine, keep;
	bool many;   /* slabs of 73 objects of 56 bytes */
	bool no_cpu; /* callers have no CPU of their own */
	bool nested; /* threads are interrupts on top of each other, on one CPU */
	bool may_fail;
	bool may_wait; /* a thread waits for another */
	const char *before;		     /* done first, by CPU 0 */
	const char *thread[EXPLORE_THREADS]; /* NULL for none */
	uint32_t bound;			     /* pre-emptions */
};

/* Explore it and print TAP. */
void slab_world_run(const struct slab_plan *plan);

/* The same in pieces, as in world.h. */
struct machine *slab_world_open(const struct slab_plan *plan,
				void (*around)(unsigned int t, bool before));
void slab_world_thread(unsigned int t);
void slab_world_finish(void);
void slab_world_close(void);

#endif
