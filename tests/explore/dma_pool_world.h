/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool_world.h - threads that use a pool of coherent blocks, written as short texts, and what
 * must hold.
 *
 * A thread is a list of steps, with one letter for each block:
 *   +x   allocate x          -x   free x, if it is out
 *   !x   free x, which somebody else frees too: one of both is told
 *   ~    empty the CPU's own magazine
 *   t    trim                m    ask for the numbers of the pool
 *
 * What must hold, of which a breach ends the run by explore_fail():
 *  - no block is given out while somebody has it, and nobody else writes to it;
 *  - an allocation fails only where the plan says that memory is short;
 *  - in the end pz_dma_pool_check(), the count of blocks that are out, and as many findings as the
 *    plan says; once all is freed and trimmed every page is back but those of records, and the pool
 *    can be destroyed, which gives these back too.
 */
#ifndef TESTS_EXPLORE_DMA_POOL_WORLD_H
#define TESTS_EXPLORE_DMA_POOL_WORLD_H

#include "explore.h"
#include "machine.h"

#include <physzone/dma_pool.h>

struct dma_pool_plan {
	const char *name;
	uint32_t frames;   /* of the machine; 0 for 8 */
	uint32_t size;	   /* of a block; 0 for 1024: four in a page */
	uint32_t magazine; /* 0 for 1 */
	uint32_t findings; /* that there must be */
	bool debug;
	bool no_cpu; /* callers have no CPU of their own */
	bool nested; /* threads are interrupts on top of each other, on one CPU */
	bool may_fail;
	const char *before;		     /* done first, by CPU 0 */
	const char *thread[EXPLORE_THREADS]; /* NULL for none */
	uint32_t bound;			     /* pre-emptions */
};

/* Explore it and print TAP. */
void dma_pool_world_run(const struct dma_pool_plan *plan);

/* The same in pieces, as in world.h. */
struct machine *dma_pool_world_open(const struct dma_pool_plan *plan,
				    void (*around)(unsigned int t, bool before));
void dma_pool_world_thread(unsigned int t);
void dma_pool_world_finish(void);
void dma_pool_world_close(void);

#endif
