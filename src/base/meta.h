/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meta.h - growing arrays from the metadata hook.
 */
#ifndef PHYSZONE_BASE_META_H
#define PHYSZONE_BASE_META_H

#include <physzone/types.h>

/* Where an array lives: storage given by the caller, or owned by the object that it is part of. */
struct pz_array {
	void *v;
	uint32_t cap;
	bool owned;
};

/* Room for @need elements of @size bytes; the first @used are kept. 0, -PZ_ENOMEM, -PZ_ENOSPC. */
int pz_array_grow(const struct pz_meta *meta, struct pz_array *a, uint32_t used, uint32_t need,
		  size_t size);

/* Give owned storage back. */
void pz_array_drop(const struct pz_meta *meta, struct pz_array *a, size_t size);

#endif
