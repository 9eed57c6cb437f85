/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_debug.h - the debug options of object caches.
 */
#ifndef PHYSZONE_SLAB_DEBUG_H
#define PHYSZONE_SLAB_DEBUG_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The letters of slub_debug=. */
#define PZ_SLAB_DEBUG_CHECKS 0x1u /* F: verify slab and object at each call */
#define PZ_SLAB_DEBUG_RED_ZONE 0x2u /* Z: bytes before and behind an object that must not change */
#define PZ_SLAB_DEBUG_POISON 0x4u /* P: fill free objects and gaps, and verify the filling */
#define PZ_SLAB_DEBUG_USERS 0x8u /* U: who allocated and who freed an object last */
#define PZ_SLAB_DEBUG_TRACE 0x10u /* T: tell each allocation and free */
#define PZ_SLAB_DEBUG_FAULT 0x20u /* A: allocations fail at the fault point "slab.alloc" */
#define PZ_SLAB_DEBUG_ALL 0x3fu

#ifdef __cplusplus
}
#endif

#endif
