/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits.h - what a request or a device demands of physical addresses, and what a device reaches.
 *
 * A limit is a property of the request. Limits combine only by narrowing. A zero-filled
 * pz_limits is invalid, never "any": an initialiser builds one.
 */
#ifndef PHYSZONE_LIMITS_H
#define PHYSZONE_LIMITS_H

#include <physzone/range.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * @min_addr, @max_addr: inclusive bounds of every byte, min_addr <= max_addr.
 * @align: alignment of the first byte, a power of two, at least 1.
 * @boundary: a power of two that the bytes must not cross a multiple of, or 0 for none.
 * @flags: none are defined yet; must be 0.
 */
struct pz_limits {
	uint64_t min_addr;
	uint64_t max_addr;
	uint64_t align;
	uint64_t boundary;
	uint32_t flags;
};

/**
 * pz_limits_any - limits that every address satisfies
 *
 * Context: any.
 * Return: the limits.
 */
static inline struct pz_limits pz_limits_any(void)
{
	struct pz_limits l = { 0, PZ_ADDR_MAX, 1, 0, 0 };
	return l;
}

/**
 * pz_limits_bits - limits of a device that drives a number of address lines
 * @bits: address lines, 1 to 64; more than 64 count as 64, and 0 gives invalid limits
 *
 * Context: any.
 * Return: the limits [0, 2^bits - 1].
 */
static inline struct pz_limits pz_limits_bits(unsigned int bits)
{
	struct pz_limits l = { 0, PZ_ADDR_MAX, 1, 0, 0 };
	if (bits == 0)
		l.align = 0;
	else if (bits < 64)
		l.max_addr = ((uint64_t)1 << bits) - 1;
	return l;
}

#define PZ_LIMITS_ANY pz_limits_any()
#define PZ_LIMITS_BITS(n) pz_limits_bits(n)

/**
 * pz_limits_valid - whether limits are well formed
 * @l: the limits
 *
 * Context: any.
 * Return: true when min_addr <= max_addr, align is a power of two, boundary is 0 or a power of
 * two, and flags is 0.
 */
bool pz_limits_valid(const struct pz_limits *l);

/**
 * pz_limits_check - whether a range of memory satisfies limits
 * @l: valid limits
 * @r: a valid range
 *
 * Context: any.
 * Return: true when every byte lies in [min_addr, max_addr], the first byte is aligned, and no
 * multiple of the boundary lies in (first, last].
 */
bool pz_limits_check(const struct pz_limits *l, struct pz_range r);

/**
 * pz_limits_narrow - combine two limits: what satisfies the result satisfies both
 * @a: valid limits
 * @b: valid limits
 * @out: the result, written on success only; may be @a or @b
 *
 * The larger alignment, the smaller non-zero boundary, the intersection of the bounds.
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL when an argument is not valid, -PZ_ERANGE when the bounds do not meet.
 */
int pz_limits_narrow(const struct pz_limits *a, const struct pz_limits *b, struct pz_limits *out);

/**
 * pz_limits_first_fit - the lowest place in a range where a request fits
 * @l: valid limits
 * @r: a valid range of free memory
 * @size: bytes, at least 1
 * @out: the place, written on success only
 *
 * Context: any. Cost: O(1).
 * Return: 0, -PZ_EINVAL when @l is not valid or @size is 0, -PZ_ERANGE when it fits nowhere.
 */
int pz_limits_first_fit(const struct pz_limits *l, struct pz_range r, uint64_t size,
			struct pz_range *out);

/**
 * pz_limits_last_fit - the highest place in a range where a request fits
 * @l: valid limits
 * @r: a valid range of free memory
 * @size: bytes, at least 1
 * @out: the place, written on success only
 *
 * Context: any. Cost: O(1).
 * Return: as pz_limits_first_fit().
 */
int pz_limits_last_fit(const struct pz_limits *l, struct pz_range r, uint64_t size,
		       struct pz_range *out);

/*
 * A reach set: the physical memory that a device can address. It is the union of the windows that
 * its buses translate, minus holes, cut by masks. A window maps bus addresses
 * [bus, bus + size - 1] to physical addresses [phys, phys + size - 1]; both wrap nowhere.
 */
struct pz_window {
	struct pz_range phys;
	uint64_t bus; /* bus address of phys.first */
};

/*
 * Invariants, verified by pz_reach_check(): 1. every window is valid and its bus side does not
 * wrap; 2. windows ascend by physical address and do not overlap; 3. count <= cap.
 */
struct pz_reach {
	struct pz_window *v;
	uint32_t count;
	uint32_t cap;
	bool owned;
	const struct pz_meta *meta;
};

/**
 * pz_reach_init - make a reach set that reaches nothing
 * @s: the set
 * @meta: where to grow from, or NULL; must outlive the set
 * @store: initial storage, or NULL when @cap is 0
 * @cap: windows that @store holds
 *
 * Context: any.
 */
void pz_reach_init(struct pz_reach *s, const struct pz_meta *meta, struct pz_window *store,
		   uint32_t cap);

/**
 * pz_reach_destroy - give back what the set grew into
 * @s: the set
 *
 * Context: any; calls the metadata hook.
 */
void pz_reach_destroy(struct pz_reach *s);

/**
 * pz_reach_add_window - let the device see one more window
 * @s: the set
 * @phys: physical addresses of the window
 * @bus: bus address of phys.first
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when @phys is not valid, -PZ_EOVERFLOW when the bus side wraps,
 * -PZ_EEXIST when a window there translates differently (an equal translation merges),
 * -PZ_ENOMEM or -PZ_ENOSPC; the set is unchanged on error.
 */
int pz_reach_add_window(struct pz_reach *s, struct pz_range phys, uint64_t bus);

/**
 * pz_reach_copy - let a device see what another set has
 * @s: the set, which reaches nothing yet
 * @from: the other set
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when @s has a window, -PZ_ENOMEM or -PZ_ENOSPC; the set is unchanged on
 * error.
 */
int pz_reach_copy(struct pz_reach *s, const struct pz_reach *from);

/**
 * pz_reach_cut_mask - keep only what the device can put on the bus
 * @s: the set
 * @max_bus: highest bus address, inclusive (a DMA mask)
 *
 * Context: any.
 */
void pz_reach_cut_mask(struct pz_reach *s, uint64_t max_bus);

/**
 * pz_reach_cut_hole - take a range of physical memory out of reach
 * @s: the set
 * @phys: the range, valid
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL, -PZ_ENOMEM or -PZ_ENOSPC; unchanged on error.
 */
int pz_reach_cut_hole(struct pz_reach *s, struct pz_range phys);

/**
 * pz_reach_has - whether the device reaches a whole range through one contiguous piece of bus
 * @s: the set
 * @phys: a valid range
 *
 * Context: any. Cost: O(log n).
 * Return: true when it does.
 */
bool pz_reach_has(const struct pz_reach *s, struct pz_range phys);

/**
 * pz_reach_to_bus - translate a physical address to the bus
 * @s: the set
 * @phys: the address
 * @bus: the bus address, written on success only
 *
 * Context: any. Cost: O(log n).
 * Return: 0, or -PZ_ERANGE when the device does not reach it.
 */
int pz_reach_to_bus(const struct pz_reach *s, uint64_t phys, uint64_t *bus);

/**
 * pz_reach_first_fit - the lowest place in a range that a device reaches and limits allow
 * @s: the set
 * @l: valid limits on the physical side
 * @r: a valid range of free memory
 * @size: bytes, at least 1
 * @out: the place, written on success only
 *
 * Context: any. Cost: O(1) for each window that meets @r.
 * Return: 0, -PZ_EINVAL, or -PZ_ERANGE when it fits nowhere.
 */
int pz_reach_first_fit(const struct pz_reach *s, const struct pz_limits *l, struct pz_range r,
		       uint64_t size, struct pz_range *out);

/**
 * pz_reach_last_fit - the highest place in a range that a device reaches and limits allow
 * @s: the set
 * @l: valid limits on the physical side
 * @r: a valid range of free memory
 * @size: bytes, at least 1
 * @out: the place, written on success only
 *
 * Context: any. Cost: O(1) for each window that meets @r.
 * Return: as pz_reach_first_fit().
 */
int pz_reach_last_fit(const struct pz_reach *s, const struct pz_limits *l, struct pz_range r,
		      uint64_t size, struct pz_range *out);

/**
 * pz_reach_check - verify the numbered invariants of the set
 * @s: the set
 *
 * Context: any. Cost: O(n).
 * Return: 0, or the number of the first invariant that does not hold.
 */
int pz_reach_check(const struct pz_reach *s);

#ifdef __cplusplus
}
#endif

#endif
