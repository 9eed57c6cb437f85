/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock.h - early memory: what there is, what is taken, and allocation before there are pages.
 *
 * Two arrays of regions, `memory` and `reserved`, each sorted and free of overlaps. Reserving does
 * not need memory to be there. Source followed: docs/facts/zones.md section 5. Where Linux panics,
 * this returns an error.
 */
#ifndef PHYSZONE_MEMBLOCK_H
#define PHYSZONE_MEMBLOCK_H

#include <physzone/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of a region, by Linux's numbers. */
#define PZ_MB_HOTPLUG 0x1u /* may be unplugged */
#define PZ_MB_MIRROR 0x2u /* mirrored by hardware */
#define PZ_MB_NOMAP 0x4u /* never mapped, never given out */
#define PZ_MB_DRIVER_MANAGED 0x8u /* added by a driver */
#define PZ_MB_RSRV_NOINIT 0x10u /* reserved: its page descriptors stay uninitialised */

struct pz_mb_region {
	struct pz_range range;
	uint32_t flags;
	int32_t nid; /* node, or PZ_NID_NONE */
};

/*
 * Invariants, verified by pz_memblock_check() for each array: 1. ranges valid; 2. ascending and
 * disjoint; 3. neighbours that touch differ in flags or node, unless the array is `split`;
 * 4. count <= cap.
 */
struct pz_mb_array {
	struct pz_mb_region *v;
	uint32_t count;
	uint32_t cap;
	bool owned;
	bool split; /* pz_memblock_isolate() left edges that the next change merges away */
};

struct pz_memblock {
	struct pz_mb_array memory;
	struct pz_mb_array reserved;
	bool bottom_up; /* direction of allocation; default top-down */
	bool skip_hotplug; /* allocate nothing from HOTPLUG memory (movable_node); default off */
	uint64_t current_limit; /* highest address that a default allocation may use, inclusive;
				 * default PZ_ADDR_MAX */
	uint32_t page_shift;
	const struct pz_meta *meta;
};

enum pz_mb_which { PZ_MB_MEMORY, PZ_MB_RESERVED };

/**
 * pz_memblock_init - make an empty memblock
 * @mb: the object
 * @meta: where its arrays live and grow; must outlive it
 * @page_shift: log2 of the page size, 12 to 16
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @page_shift is out of range or @meta allocates nothing.
 */
int pz_memblock_init(struct pz_memblock *mb, const struct pz_meta *meta, unsigned int page_shift);

/**
 * pz_memblock_destroy - give back the arrays
 * @mb: the object
 *
 * Context: any; calls the metadata hook.
 */
void pz_memblock_destroy(struct pz_memblock *mb);

/**
 * pz_memblock_copy - make one memblock equal to another
 * @dst: an initialised memblock; its old content is dropped on success
 * @src: the one to copy
 *
 * Context: any; may call the metadata hook.
 * Return: 0, or -PZ_ENOMEM with @dst unchanged.
 */
int pz_memblock_copy(struct pz_memblock *dst, const struct pz_memblock *src);

/**
 * pz_memblock_add - add memory
 * @mb: the object
 * @base: first address
 * @size: bytes; 0 is no error and does nothing; cut so that it does not wrap
 * @nid: node, or PZ_NID_NONE
 * @flags: PZ_MB_*
 *
 * What is already there keeps its node and flags; only the gaps are filled. Equal neighbours merge.
 * A @nid of PZ_NID_NONE claims no node and @flags of 0 claim nothing, so they never differ from
 * what is there.
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EEXIST when all was done but part of the range was there with another node or
 * other flags (a warning, the state is as said), -PZ_ENOMEM with the state unchanged.
 */
int pz_memblock_add(struct pz_memblock *mb, uint64_t base, uint64_t size, int nid, uint32_t flags);

/**
 * pz_memblock_reserve - take memory out of what allocation and hand-over give
 * @mb: the object
 * @base: first address
 * @size: bytes; 0 does nothing; cut so that it does not wrap
 * @nid: node, or PZ_NID_NONE
 * @flags: PZ_MB_*
 *
 * Context: any; may call the metadata hook.
 * Return: as pz_memblock_add().
 */
int pz_memblock_reserve(struct pz_memblock *mb, uint64_t base, uint64_t size, int nid,
			uint32_t flags);

/**
 * pz_memblock_remove - forget memory
 * @mb: the object
 * @base: first address
 * @size: bytes; 0 does nothing; parts that are not there are no error
 *
 * Context: any; may call the metadata hook.
 * Return: 0, or -PZ_ENOMEM with the state unchanged.
 */
int pz_memblock_remove(struct pz_memblock *mb, uint64_t base, uint64_t size);

/**
 * pz_memblock_free - undo a reservation
 * @mb: the object
 * @base: first address
 * @size: bytes; 0 does nothing; parts that are not reserved are no error
 *
 * Context: any; may call the metadata hook.
 * Return: 0, or -PZ_ENOMEM with the state unchanged.
 */
int pz_memblock_free(struct pz_memblock *mb, uint64_t base, uint64_t size);

/**
 * pz_memblock_isolate - split regions so that a range has edges of its own
 * @mb: the object
 * @which: the array
 * @r: a valid range
 * @start: index of the first region inside @r, written on success
 * @end: one past the last, written on success; equal to @start when none lies inside
 *
 * Context: any; may call the metadata hook. The split stands until the next change of the array
 * merges it.
 * Return: 0, -PZ_EINVAL when @r is not valid, or -PZ_ENOMEM with the state unchanged.
 */
int pz_memblock_isolate(struct pz_memblock *mb, enum pz_mb_which which, struct pz_range r,
			uint32_t *start, uint32_t *end);

/**
 * pz_memblock_mark - set and clear flags of what is there in a range
 * @mb: the object
 * @which: the array
 * @base: first address
 * @size: bytes
 * @set: flags to set
 * @clear: flags to clear; set wins
 *
 * Context: any; may call the metadata hook.
 * Return: 0, or -PZ_ENOMEM with the state unchanged.
 */
int pz_memblock_mark(struct pz_memblock *mb, enum pz_mb_which which, uint64_t base, uint64_t size,
		     uint32_t set, uint32_t clear);

/**
 * pz_memblock_set_node - give what is there in a range a node
 * @mb: the object
 * @which: the array
 * @base: first address
 * @size: bytes
 * @nid: the node
 *
 * Context: any; may call the metadata hook.
 * Return: 0, or -PZ_ENOMEM with the state unchanged.
 */
int pz_memblock_set_node(struct pz_memblock *mb, enum pz_mb_which which, uint64_t base,
			 uint64_t size, int nid);

/* A request for early memory. Build it with pz_mb_req(), then narrow what matters. */
struct pz_mb_req {
	uint64_t size;
	uint64_t align; /* power of two */
	uint64_t min_addr; /* raised to one page: address 0 is never given out */
	uint64_t max_addr; /* inclusive; PZ_ADDR_MAX means current_limit, else taken as it is */
	int nid; /* wanted node, or PZ_NID_NONE */
	bool exact_nid; /* no fallback to other nodes */
	bool mirror; /* prefer mirrored memory, fall back to any */
	bool retry_low; /* when nothing fits, try again without min_addr */
};

/**
 * pz_mb_req - a request with the defaults: any node, any address, falling back
 * @size: bytes
 * @align: power of two
 *
 * Context: any.
 * Return: the request.
 */
static inline struct pz_mb_req pz_mb_req(uint64_t size, uint64_t align)
{
	struct pz_mb_req r = { size, align, 0, PZ_ADDR_MAX, PZ_NID_NONE, false, false, true };
	return r;
}

/**
 * pz_memblock_find - where a request would be served, without taking it
 * @mb: the object
 * @req: the request
 * @out: the place, written on success only
 *
 * Top-down takes the highest place (end - size rounded down to the alignment), bottom-up the
 * lowest. A place never crosses from one memory region into another, and memory flagged NOMAP or
 * DRIVER_MANAGED is never given. Fallbacks in this order: other nodes unless exact, memory that is
 * not mirrored, and last the request without its lower bound.
 *
 * Context: any. Cost: O(regions).
 * Return: 0, -PZ_EINVAL when size is 0 or align is no power of two, -PZ_ENOMEM when it does not
 * fit now, -PZ_ERANGE when no memory could ever satisfy it.
 */
int pz_memblock_find(const struct pz_memblock *mb, const struct pz_mb_req *req,
		     struct pz_range *out);

/**
 * pz_memblock_alloc - find a place and reserve it
 * @mb: the object
 * @req: the request
 * @out: the place, written on success only
 *
 * Context: any; may call the metadata hook.
 * Return: as pz_memblock_find(); -PZ_ENOMEM also when the reservation cannot be noted.
 */
int pz_memblock_alloc(struct pz_memblock *mb, const struct pz_mb_req *req, struct pz_range *out);

/**
 * pz_memblock_enforce_limit - keep only an amount of memory, counted from the bottom
 * @mb: the object
 * @amount: bytes to keep; 0 does nothing, as does more than there is (with just what there is,
 *   reservations past the end of memory go)
 * @keep_nomap: regions flagged NOMAP stay, wherever they are
 *
 * With @keep_nomap unset, memory and reservations above the resulting address go (Linux's
 * memblock_enforce_memory_limit); with it set, as memblock_mem_limit_remove_map. Bytes of NOMAP
 * regions count towards the amount.
 *
 * Context: any. It only shrinks, so it cannot fail.
 * Return: 0.
 */
int pz_memblock_enforce_limit(struct pz_memblock *mb, uint64_t amount, bool keep_nomap);

/**
 * pz_memblock_cap_range - drop memory and reservations outside a range, keeping NOMAP regions
 * @mb: the object
 * @base: first address to keep
 * @size: bytes to keep; 0 does nothing
 *
 * A NOMAP region that crosses an edge of the range stays whole. Does nothing while there is no
 * memory.
 *
 * Context: any. It only shrinks, so it cannot fail.
 * Return: 0.
 */
int pz_memblock_cap_range(struct pz_memblock *mb, uint64_t base, uint64_t size);

/**
 * pz_memblock_trim - shrink every memory region inwards to an alignment
 * @mb: the object
 * @align: power of two; regions that vanish are removed
 *
 * Context: any. It only shrinks.
 * Return: 0, or -PZ_EINVAL when @align is no power of two.
 */
int pz_memblock_trim(struct pz_memblock *mb, uint64_t align);

/**
 * pz_memblock_start - lowest address of memory
 * @mb: the object
 *
 * Context: any.
 * Return: the address, 0 when there is no memory.
 */
uint64_t pz_memblock_start(const struct pz_memblock *mb);

/**
 * pz_memblock_last - highest address of memory, inclusive
 * @mb: the object
 *
 * Context: any.
 * Return: the address, 0 when there is no memory.
 */
uint64_t pz_memblock_last(const struct pz_memblock *mb);

/**
 * pz_memblock_bytes - sum of the sizes of an array's regions
 * @mb: the object
 * @which: the array
 *
 * Context: any.
 * Return: bytes, saturated.
 */
uint64_t pz_memblock_bytes(const struct pz_memblock *mb, enum pz_mb_which which);

/*
 * Iteration over free memory (memory minus reserved). Zero-fill to start. Memory and reserved
 * ranges by themselves are the regions [0, count) of their arrays.
 */
struct pz_mb_iter {
	uint32_t mem, res; /* private */
	uint64_t cursor; /* private */
	bool started; /* private */
	struct pz_range range; /* the current free range */
	int32_t nid; /* of the memory region it lies in */
	uint32_t flags;
};

/**
 * pz_memblock_next_free - step to the next free range, ascending
 * @mb: the object; must not change during the iteration
 * @it: zero-filled at first
 * @nid: only memory of this node, or PZ_NID_NONE for all
 *
 * NOMAP and DRIVER_MANAGED regions are skipped. The whole iteration is O(memory + reserved).
 *
 * Context: any.
 * Return: true with it->range set, false at the end.
 */
bool pz_memblock_next_free(const struct pz_memblock *mb, struct pz_mb_iter *it, int nid);

/**
 * pz_memblock_hand_over - give every free page to the page allocator, as ranges of pages
 * @mb: the object
 * @max_pfn: exclusive cap on page frame numbers
 * @emit: called for each maximal range of whole free pages, ascending; a non-zero return stops
 * @ctx: passed to @emit
 *
 * Starts are rounded up and ends down to whole pages in each memory region by itself, as Linux's
 * memblock_free_all; page ranges of one node that touch are then given as one.
 *
 * Context: any; calls @emit.
 * Return: 0, or what @emit returned.
 */
int pz_memblock_hand_over(const struct pz_memblock *mb, uint64_t max_pfn,
			  int (*emit)(void *ctx, struct pz_range pfns, int nid), void *ctx);

/**
 * pz_memblock_check - verify the numbered invariants of both arrays
 * @mb: the object
 *
 * Context: any.
 * Return: 0, or the number of the first invariant that does not hold (reserved: plus 10).
 */
int pz_memblock_check(const struct pz_memblock *mb);

#ifdef __cplusplus
}
#endif

#endif
