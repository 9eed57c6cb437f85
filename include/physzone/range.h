/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range.h - inclusive ranges, and sets of them kept sorted, disjoint and merged.
 */
#ifndef PHYSZONE_RANGE_H
#define PHYSZONE_RANGE_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pz_range_make - build a range from a base and a size
 * @base: first address
 * @size: bytes; 0 is refused, and a size that runs past the top is refused
 * @out: the range, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @size is 0, -PZ_EOVERFLOW when base + size - 1 wraps.
 */
int pz_range_make(uint64_t base, uint64_t size, struct pz_range *out);

/**
 * pz_range_valid - whether first <= last
 * @r: the range
 *
 * Context: any.
 * Return: true when @r names at least one address.
 */
bool pz_range_valid(struct pz_range r);

/**
 * pz_range_size - number of bytes in a range
 * @r: a valid range
 *
 * Context: any.
 * Return: the size in bytes, saturated to UINT64_MAX for the whole space (whose size is 2^64).
 */
uint64_t pz_range_size(struct pz_range r);

/**
 * pz_range_contains - whether one address lies in a range
 * @r: a valid range
 * @addr: the address
 *
 * Context: any.
 * Return: true when first <= addr <= last.
 */
bool pz_range_contains(struct pz_range r, uint64_t addr);

/**
 * pz_range_intersect - the part that two ranges share
 * @a: a valid range
 * @b: a valid range
 * @out: the shared part, written only when there is one; may be NULL
 *
 * Context: any.
 * Return: true when they share at least one address.
 */
bool pz_range_intersect(struct pz_range a, struct pz_range b, struct pz_range *out);

/**
 * pz_range_trim - shrink a range inwards to whole pages
 * @r: a valid range of addresses
 * @page_shift: log2 of the page size, 0 to 63
 * @pfns: the whole pages inside @r as an inclusive range of page frame numbers
 *
 * Context: any.
 * Return: true when at least one whole page lies inside @r; @pfns is written only then.
 */
bool pz_range_trim(struct pz_range r, unsigned int page_shift, struct pz_range *pfns);

/*
 * A set of addresses as an array of ranges.
 *
 * Invariants, verified by pz_rangeset_check():
 *  1. every range is valid; 2. ranges ascend; 3. no two touch or overlap (there is at least one
 *  address outside the set between neighbours); 4. count <= cap.
 */
struct pz_rangeset {
	struct pz_range *v;
	uint32_t count;
	uint32_t cap;
	bool owned; /* v came from meta and is freed by pz_rangeset_destroy() */
	const struct pz_meta *meta; /* may be NULL: the set then cannot grow */
};

/**
 * pz_rangeset_init - make an empty set
 * @s: the set
 * @meta: where to grow from, or NULL for a set that never grows; must outlive the set
 * @store: initial storage, or NULL when @cap is 0
 * @cap: ranges that @store holds
 *
 * Context: any.
 */
void pz_rangeset_init(struct pz_rangeset *s, const struct pz_meta *meta, struct pz_range *store,
		      uint32_t cap);

/**
 * pz_rangeset_destroy - give back what the set grew into
 * @s: the set; empty and without storage afterwards
 *
 * Context: any; calls the metadata hook.
 */
void pz_rangeset_destroy(struct pz_rangeset *s);

/**
 * pz_rangeset_add - add every address of a range
 * @s: the set
 * @r: a valid range; may overlap what is there
 *
 * Context: any; may call the metadata hook. Cost: O(log n) to find the place, O(n) to move.
 * Return: 0, -PZ_EINVAL when @r is not valid, -PZ_ENOMEM or -PZ_ENOSPC when one more range does
 * not fit; the set is then unchanged.
 */
int pz_rangeset_add(struct pz_rangeset *s, struct pz_range r);

/**
 * pz_rangeset_remove - remove every address of a range
 * @s: the set
 * @r: a valid range; parts that are not in the set are no error
 *
 * Context: any; may call the metadata hook (a hole in the middle needs one more range).
 * Return: 0, -PZ_EINVAL, -PZ_ENOMEM or -PZ_ENOSPC; unchanged on error.
 */
int pz_rangeset_remove(struct pz_rangeset *s, struct pz_range r);

/**
 * pz_rangeset_clear - remove everything, keeping the storage
 * @s: the set
 *
 * Context: any.
 */
void pz_rangeset_clear(struct pz_rangeset *s);

/**
 * pz_rangeset_find - the first range of the set that ends at or after an address
 * @s: the set
 * @addr: the address
 *
 * Context: any. Cost: O(log n).
 * Return: its index, or s->count when there is none.
 */
uint32_t pz_rangeset_find(const struct pz_rangeset *s, uint64_t addr);

/**
 * pz_rangeset_contains - whether an address is in the set
 * @s: the set
 * @addr: the address
 *
 * Context: any. Cost: O(log n).
 * Return: true when it is.
 */
bool pz_rangeset_contains(const struct pz_rangeset *s, uint64_t addr);

/**
 * pz_rangeset_covers - whether a whole range is in the set
 * @s: the set
 * @r: a valid range
 *
 * Context: any. Cost: O(log n).
 * Return: true when every address of @r is in the set.
 */
bool pz_rangeset_covers(const struct pz_rangeset *s, struct pz_range r);

/**
 * pz_rangeset_intersects - whether any address of a range is in the set
 * @s: the set
 * @r: a valid range
 *
 * Context: any. Cost: O(log n).
 * Return: true when at least one is.
 */
bool pz_rangeset_intersects(const struct pz_rangeset *s, struct pz_range r);

/**
 * pz_rangeset_bytes - number of addresses in the set
 * @s: the set
 *
 * Context: any. Cost: O(n).
 * Return: the sum of the sizes, saturated to UINT64_MAX.
 */
uint64_t pz_rangeset_bytes(const struct pz_rangeset *s);

/**
 * pz_rangeset_copy - make one set equal to another
 * @dst: an initialised set; its old content is dropped on success
 * @src: the set to copy
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_ENOMEM or -PZ_ENOSPC; @dst is unchanged on error.
 */
int pz_rangeset_copy(struct pz_rangeset *dst, const struct pz_rangeset *src);

/**
 * pz_rangeset_intersect - keep only what another set has too
 * @s: the set to narrow
 * @with: the other set
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_ENOMEM or -PZ_ENOSPC; @s is unchanged on error.
 */
int pz_rangeset_intersect(struct pz_rangeset *s, const struct pz_rangeset *with);

/**
 * pz_rangeset_complement - turn a set into everything that it was not
 * @s: the set
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_ENOMEM or -PZ_ENOSPC; @s is unchanged on error.
 */
int pz_rangeset_complement(struct pz_rangeset *s);

/**
 * pz_rangeset_check - verify the numbered invariants of the set
 * @s: the set
 *
 * Context: any. Cost: O(n).
 * Return: 0, or the number of the first invariant that does not hold.
 */
int pz_rangeset_check(const struct pz_rangeset *s);

#ifdef __cplusplus
}
#endif

#endif
