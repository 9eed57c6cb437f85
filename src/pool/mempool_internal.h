/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mempool_internal.h - places for elements, on stacks.
 */
#ifndef PHYSZONE_POOL_MEMPOOL_INTERNAL_H
#define PHYSZONE_POOL_MEMPOOL_INTERNAL_H

#include <physzone/mempool.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/pz_string.h"

#define NODE_FIRST 16u /* places of the first segment; each further one has twice as many */
#define NODE_SEGMENTS 27u

/* A place that an element can be in. It stays as long as the pool. */
struct mempool_node {
	uint64_t element;
	uint32_t next; /* number of the next place, plus 1; 0 for none */
	uint32_t on;   /* stack, for pz_mempool_check() */
};

/* FULL places hold an element, EMPTY ones wait for one, SPARE ones are more than the minimum. */
enum mempool_stack { STACK_FULL, STACK_EMPTY, STACK_SPARE, STACKS };

struct pz_mempool {
	/* Top place plus 1 below, and above a number that changes with every change. */
	uint64_t top[STACKS];
	uint64_t seg[NODE_SEGMENTS]; /* struct mempool_node * */
	uint32_t segs;
	uint32_t min;
	uint32_t ticket;
	uint32_t pad;
	uint64_t out;
	uint64_t reserved, waits, refused;
	struct pz_mempool_config cfg;
};

#endif
