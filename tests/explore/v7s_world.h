/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_world.h - threads that use one set of translation tables, written as short texts, and what
 * must hold.
 *
 * A thread is a list of steps. PAGE and COUNT are hexadecimal, in units of 4 KiB; there are 32 MiB,
 * so that page 100 begins the second MiB and 1000 the second page of 16 MiB: +PAGE/COUNT@V   map,
 * to where V says: page P to (V << 16) + P; V is 1, 2 or 3, and 1 if left out +PAGE/COUNT@V!  the
 * same, and it succeeds whatever it meets *PAGE/COUNT@V   the same in pages of 4 KiB -PAGE/COUNT
 * unmap; q in place of - : and flush everything afterwards ?PAGE           look it up       .PAGE
 * query it       e   go through all pages t               trim all         w       let the IOMMU
 * look
 *
 * A model says of each page where it may lead: to one place, or, while somebody maps or unmaps it,
 * to both. A page that two requests met at stays free to lead to what either asked for.
 *
 * What must hold, of which a breach ends the run by explore_fail(). At each switching point:
 *  - the IOMMU (v7s_iommu.h) finds each watched page (the ends of each request, and the pages next
 * to these and to the large pages around them) where the model says, with the permissions asked
 * for. With PZ_V7S_BREAK_FIRST a page may be invalid while a large page around it is split, and two
 *    translations of a page are never in its cache at once;
 *  - what a call returns is what the model says, and so is what a lookup finds, by what was allowed
 * at some moment of the lookup;
 *  - no second level goes back that the cache of walks may hold, and none is asked for with
 * interrupts masked;
 *  - after an unmap, and after a map that failed, no translation of it is in the cache.
 * In the end:
 *  - each page leads where the model says, and as many are mapped as maps less unmaps make;
 *  - pz_v7s_check(); no second level is lost; after a trim, or with PZ_V7S_GIVE_BACK at once, none
 * is empty; once all is unmapped none is there, and pz_v7s_destroy() gives everything back.
 */
#ifndef TESTS_EXPLORE_V7S_WORLD_H
#define TESTS_EXPLORE_V7S_WORLD_H

#include "explore.h"
#include "machine.h"

#include <physzone/v7s.h>

struct v7s_plan {
	const char *name;
	uint32_t quirks;    /* PZ_V7S_GIVE_BACK, PZ_V7S_BREAK_FIRST */
	uint32_t tables;    /* second levels that there may be; 0 for enough, else calls may fail */
	bool nested;	    /* threads are interrupts on top of each other, on one CPU */
	bool no_mask;	    /* which nobody keeps off: this must fail */
	const char *before; /* done first, by CPU 0 */
	const char *thread[EXPLORE_THREADS]; /* NULL for none */
	uint32_t bound;			     /* pre-emptions */
};

/* Explore it and print TAP. */
void v7s_world_run(const struct v7s_plan *plan);

/* The same in pieces, as in world.h. A thread on top of one that masks interrupts only looks. */
struct machine *v7s_world_open(const struct v7s_plan *plan,
			       void (*around)(unsigned int t, bool before));
void v7s_world_thread(unsigned int t);
void v7s_world_finish(void);
void v7s_world_close(void);

#endif
