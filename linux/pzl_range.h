/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_range.h - ranges from the base and size that a command line gives.
 */
#ifndef LINUX_PZL_RANGE_H
#define LINUX_PZL_RANGE_H

#include <physzone/types.h>

/* A base and a size as a range that ends at the top at the latest; false for size 0. */
static inline bool pzl_range_cut(uint64_t base, uint64_t size, struct pz_range *r)
{
	if (size == 0)
		return false;
	r->first = base;
	r->last = size - 1 > UINT64_MAX - base ? UINT64_MAX : base + (size - 1);
	return true;
}

#endif
