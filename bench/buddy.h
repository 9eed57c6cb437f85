/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy.h - the peer that the page allocator is measured against: a buddy allocator per zone.
 *
 * What Linux has, in outline and in code of our own: 64 bytes of state for each page frame, free
 * lists by order and mobility in each zone under one spin lock, a zonelist with watermarks and
 * lowmem reserves, pageblocks that change their mobility when they are stolen, a reference count
 * that the free drops, and (by choice) lists of pages per CPU with batches under a trylock.
 * In its favour: no interrupts are disabled, there is no preemption, no accounting, no debugging.
 */
#ifndef PHYSZONE_BENCH_BUDDY_H
#define PHYSZONE_BENCH_BUDDY_H

#include "machine.h"

#define BUDDY_MAX_ORDER 10u

/* May use what the watermarks keep. */
#define BUDDY_NOMARK 0x1u

struct buddy;

/* The machine must outlive it. NULL when there is no memory for the state of its frames. */
struct buddy *buddy_make(const struct machine *m, bool pcp);
void buddy_free_all(struct buddy *b);

/* @mobility: PZ_UNMOVABLE, PZ_MOVABLE or PZ_RECLAIMABLE. */
bool buddy_alloc(struct buddy *b, unsigned int cpu, unsigned int order, unsigned int mobility,
		 unsigned int flags, uint64_t *pfn);
void buddy_free(struct buddy *b, unsigned int cpu, uint64_t pfn, unsigned int order);

/* Pages in free blocks of at least an order; without those on the lists of CPUs. */
uint64_t buddy_free_pages(const struct buddy *b, unsigned int order);
uint64_t buddy_state_bytes(const struct buddy *b);
double buddy_make_ns(const struct buddy *b);

#endif
