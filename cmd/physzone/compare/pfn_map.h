/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pfn_map.h - a table from page frame numbers to numbers of 32 bits.
 */
#ifndef PHYSZONE_CMD_COMPARE_PFN_MAP_H
#define PHYSZONE_CMD_COMPARE_PFN_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-filled it is empty. */
struct pfn_map {
	struct pfn_map_slot {
		uint64_t key; /* page frame number + 1, 0 for a free slot */
		uint32_t value;
	} * slot;
	size_t cap, n; /* a power of two, or 0; slots in use */
};

void pfn_map_destroy(struct pfn_map *m);

/* Set the value of a page frame, which may have one. */
void pfn_map_set(struct pfn_map *m, uint64_t pfn, uint32_t value);

/* Look a page frame up; false when it has no value. */
bool pfn_map_get(const struct pfn_map *m, uint64_t pfn, uint32_t *value);

/* Take a page frame's value out; nothing happens when it has none. */
void pfn_map_remove(struct pfn_map *m, uint64_t pfn);

#endif
