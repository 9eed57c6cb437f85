/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock_internal.h - what the files of memblock share.
 */
#ifndef PHYSZONE_MEMBLOCK_INTERNAL_H
#define PHYSZONE_MEMBLOCK_INTERNAL_H

#include <physzone/memblock.h>

/* Index of the first region that ends at or after addr, or count. O(1) past the end, else
 * O(log n). */
uint32_t pz_mb_lower(const struct pz_mb_array *a, uint64_t addr);

/* The range that base and size name, cut at the top. False when size is 0. */
bool pz_mb_range(uint64_t base, uint64_t size, struct pz_range *r);

/* Add r to an array; pz_memblock_add() and pz_memblock_reserve() say what that means. */
int pz_mb_insert(const struct pz_meta *meta, struct pz_mb_array *a, struct pz_range r, int nid,
		 uint32_t flags);

#endif
