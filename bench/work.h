/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.h - what the loops of loops.h work on: the allocator to ask, what is held, and a ring.
 */
#ifndef PHYSZONE_BENCH_WORK_H
#define PHYSZONE_BENCH_WORK_H

#include <physzone/kmalloc.h>

#include "buddy.h"
#include "harness.h"

#define RING 4096u /* between the thread that allocates and the one that frees */
#define RING_NOTHING UINT64_MAX

/* What a loop works on. */
struct work {
	/* Of pages. */
	struct pz_pages *pages;
	struct buddy *buddy;
	unsigned int order, flags;	/* flags: PZ_GFP_* or BUDDY_* */
	const struct pz_limits *limits; /* an array where they differ in each call */
	struct pz_page_req req;		/* for loops of whole requests */
	int expect;			/* the answer of a request that cannot be served */
	/* Of objects. */
	struct pz_slabs *slabs;
	struct pz_kmem_cache *cache;
	struct pz_kmalloc *kmalloc;
	size_t size;
	/* What is held, by thread; perm is an order to free it in. */
	uint64_t *held[BENCH_THREADS], count[BENCH_THREADS], room;
	uint32_t *perm[BENCH_THREADS];
	uint64_t seed[BENCH_THREADS];
	uint64_t *ring, head __attribute__((aligned(128))), tail __attribute__((aligned(128)));
};

/* The loops of one contender; see loops.h. */
struct loops {
	bench_fn pair, burst, bulk, churn, remote;
	bench_fn take, drop; /* allocate many; free many at random */
	/* Fill to @count of which @left stay, chosen at random. False when there are fewer. */
	bool (*fill)(struct work *w, unsigned int thread, uint64_t count, uint64_t left);
};

/* Different seeds for the threads. */
void work_seed(struct work *w);
/* Room for what is held, and a ring; freed by work_done(). */
bool work_room(struct work *w, uint64_t each, bool perm);
void work_done(struct work *w);

#endif
