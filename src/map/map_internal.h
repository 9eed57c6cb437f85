/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_internal.h - what the files of the map share.
 */
#ifndef PHYSZONE_MAP_INTERNAL_H
#define PHYSZONE_MAP_INTERNAL_H

#include <physzone/map.h>
#include <physzone/range.h>

/* Make room for more entries. Returns 0, -PZ_ENOMEM or -PZ_ENOSPC. */
int pz_map_room(struct pz_map *m, uint64_t more);

/* Append an entry of base and last = base + size_less_1; there is room. A wrap is noted and cut. */
void pz_map_append(struct pz_map *m, uint64_t base, uint64_t size_less_1, uint32_t type,
		   uint32_t ref);

/* Note an oddity, or count it as lost. */
void pz_map_note(struct pz_map *m, enum pz_map_oddity what, struct pz_range r, uint32_t type,
		 uint32_t ref);

/* Whether neighbours of a type stay apart even when they touch. */
bool pz_map_stays_apart(uint32_t type);

#endif
