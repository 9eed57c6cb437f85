/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_slab.h - what files on slab caches share.
 */
#ifndef LINUX_PZL_SLAB_H
#define LINUX_PZL_SLAB_H

#include <physzone/linux/slab.h>

/* Bytes of the size that kmalloc() was asked for, kept with the records of users; 0 for none. */
uint32_t pzl_slab_asked_size(const struct pzl_slab_kernel *k);

/* The library's debug options of a cache and SLUB's flags, each way; others do not count. */
uint32_t pzl_slab_options(uint32_t flags);
uint32_t pzl_slab_option_flags(uint32_t options);

/* Append a digit to a number; false when it does not fit. */
static inline bool pzl_slab_digit(uint64_t *v, char c)
{
	const uint64_t digit = (uint64_t)(c - '0');

	if (*v > UINT64_MAX / 10 || (*v == UINT64_MAX / 10 && digit > UINT64_MAX % 10))
		return false;
	*v = *v * 10 + digit;
	return true;
}

#endif
