/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types.h - the words that every other header uses: error numbers, inclusive ranges, and the
 * hook through which the library gets memory for its own metadata.
 *
 * Conventions of the whole library
 *  - A physical address is a uint64_t on every target, also on 32-bit ones.
 *  - A range is inclusive (`first`, `last`), because `start + size` overflows at the top of the
 *    address space. An inclusive range cannot be empty; "nothing" is said by a return value.
 *  - A page frame number (pfn) is a physical address shifted right by the page shift of the
 *    machine in question. The page shift belongs to the machine (12 to 16), never to the build.
 *  - A function returns 0 or a negative error number (-PZ_ENOMEM). Frees return nothing.
 */
#ifndef PHYSZONE_TYPES_H
#define PHYSZONE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Error numbers. The values are the errno values of Linux, so that a port may pass them on. */
#define PZ_ENOENT 2 /* no such thing */
#define PZ_ENOMEM 12 /* no memory now: the same request may succeed later */
#define PZ_EBUSY 16 /* in use */
#define PZ_EEXIST 17 /* exists already, or overlaps what exists */
#define PZ_EINVAL 22 /* an argument is malformed */
#define PZ_ENOSPC 28 /* a fixed-size store is full and cannot grow */
#define PZ_ERANGE 34 /* never: no managed memory could ever satisfy the request */
#define PZ_EOVERFLOW 75 /* the result does not fit the type */

/* The highest physical address that can be named. */
#define PZ_ADDR_MAX UINT64_MAX

/* No node, or any node. */
#define PZ_NID_NONE (-1)

/* An inclusive range of physical addresses (or of page frame numbers where a name says so).
 * Valid when first <= last. [0, PZ_ADDR_MAX] is the whole space. */
struct pz_range {
	uint64_t first;
	uint64_t last;
};

/*
 * Memory for the library's own metadata (arrays that grow). The managed physical memory itself is
 * never touched through this.
 *
 * @alloc returns @size bytes aligned to 16, not zeroed, or NULL. @free takes back exactly what
 * alloc gave, with its size. A NULL @alloc means that nothing grows: an object then lives in the
 * storage that its init function was given, and -PZ_ENOSPC says that it is full.
 */
struct pz_meta {
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *p, size_t size);
	void *ctx;
};

#ifdef __cplusplus
}
#endif

#endif
