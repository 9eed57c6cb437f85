/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pz_string.h - the four functions that the library expects of its environment.
 */
#ifndef PHYSZONE_BASE_PZ_STRING_H
#define PHYSZONE_BASE_PZ_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
