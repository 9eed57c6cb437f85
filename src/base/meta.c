/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meta.c - growing arrays from the metadata hook.
 *
 * Concept
 *  An array lives in storage that its owner was given, or in storage from the hook. It doubles when
 *  it is full, so that appending costs O(1) on average.
 *
 * Invariants
 *  1. the storage is owned exactly when it came from the hook;
 *  2. the hook gets back what it gave, with the same size, once.
 *
 * Failure
 *  The new storage is filled before the old is given up: when the hook has nothing (-PZ_ENOMEM) or
 *  there is no hook (-PZ_ENOSPC), the array is as it was.
 *
 * Shortcomings
 *  An array never shrinks, and while it grows both copies exist.
 */
#include "meta.h"
#include "pz_string.h"

int pz_array_grow(const struct pz_meta *meta, struct pz_array *a, uint32_t used, uint32_t need,
		  size_t size)
{
	uint32_t cap = a->cap < 8 ? 8 : a->cap;
	void *v;

	if (need <= a->cap)
		return 0;
	if (!meta || !meta->alloc)
		return -PZ_ENOSPC;
	while (cap < need) {
		if (cap > UINT32_MAX / 2)
			return -PZ_ENOMEM;
		cap *= 2;
	}
	if (size > UINT32_MAX || (uint64_t)cap * size > SIZE_MAX)
		return -PZ_ENOMEM;
	v = meta->alloc(meta->ctx, cap * size);
	if (!v)
		return -PZ_ENOMEM;
	if (used)
		memcpy(v, a->v, used * size);
	if (a->owned)
		meta->free(meta->ctx, a->v, a->cap * size);
	a->v = v;
	a->cap = cap;
	a->owned = true;
	return 0;
}

void pz_array_drop(const struct pz_meta *meta, struct pz_array *a, size_t size)
{
	if (a->owned)
		meta->free(meta->ctx, a->v, a->cap * size);
	a->v = NULL;
	a->cap = 0;
	a->owned = false;
}
