/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meta.c - growing arrays from the metadata hook.
 *
 * An array doubles, so that appending costs O(1) on average. The new storage is filled before the
 * old is given up: when the hook has nothing, the array is as it was.
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
	if (cap > SIZE_MAX / size)
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
