/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * string.c - the four functions that the library asks of its host.
 *
 * Words where both ends are aligned alike, else bytes. The barriers keep the compiler from making a
 * call of the same function out of a loop.
 */
#include <stdint.h>

#include "../../src/base/pz_string.h"

typedef uint32_t __attribute__((may_alias)) string_word;

#define STRING_KEEP() __asm__ volatile("" : : : "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *at = to;
	const unsigned char *of = from;

	if (!(((uintptr_t)at | (uintptr_t)of) & 3))
		for (; n >= 4; n -= 4, at += 4, of += 4) {
			*(string_word *)at = *(const string_word *)of;
			STRING_KEEP();
		}
	for (; n; n--) {
		*at++ = *of++;
		STRING_KEEP();
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *at = to;
	const unsigned char *of = from;

	if (at <= of || at >= of + n)
		return memcpy(to, from, n);
	while (n--) {
		at[n] = of[n];
		STRING_KEEP();
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	unsigned char *at = to;
	uint32_t word = (unsigned char)c * 0x01010101u;

	if (!((uintptr_t)at & 3))
		for (; n >= 4; n -= 4, at += 4) {
			*(string_word *)at = word;
			STRING_KEEP();
		}
	for (; n; n--) {
		*at++ = (unsigned char)c;
		STRING_KEEP();
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}
