/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_line.h - one line of text built piece by piece, for messages in Linux's formats.
 *
 * A line that grows past its buffer is cut; no message here comes near.
 */
#ifndef LINUX_PZL_LINE_H
#define LINUX_PZL_LINE_H

#include <physzone/types.h>

struct pzl_line {
	char s[240];
	size_t n;
};

/* Append a string. */
static inline void pzl_put(struct pzl_line *l, const char *s)
{
	while (*s && l->n < sizeof(l->s))
		l->s[l->n++] = *s++;
}

/* Append a character. */
static inline void pzl_put_char(struct pzl_line *l, char c)
{
	if (l->n < sizeof(l->s))
		l->s[l->n++] = c;
}

/* Append a string padded with blanks to a width. */
static inline void pzl_put_pad(struct pzl_line *l, const char *s, size_t width)
{
	size_t start = l->n;

	pzl_put(l, s);
	while (l->n - start < width && l->n < sizeof(l->s))
		l->s[l->n++] = ' ';
}

/* Append a number in hexadecimal with at least @digits digits, without a prefix. */
static inline void pzl_put_hex(struct pzl_line *l, uint64_t v, unsigned int digits)
{
	unsigned int shift = 64;

	while (shift > 4 && shift > 4 * digits && !(v >> (shift - 4)))
		shift -= 4;
	while (shift) {
		shift -= 4;
		pzl_put_char(l, "0123456789abcdef"[(v >> shift) & 15]);
	}
}

/* Append a decimal number. Digits come from subtraction, so that no 64-bit division is needed. */
static inline void pzl_put_dec(struct pzl_line *l, uint64_t v)
{
	uint64_t power = 1;

	while (power <= UINT64_MAX / 10 && power * 10 <= v)
		power *= 10;
	for (;;) {
		uint64_t next = 1;
		char digit = '0';

		while (v >= power) {
			v -= power;
			digit++;
		}
		pzl_put_char(l, digit);
		if (power == 1)
			return;
		/* power / 10, by climbing */
		while (next * 10 != power)
			next *= 10;
		power = next;
	}
}

/* Append "[mem 0x%016x-0x%016x]". */
static inline void pzl_put_mem(struct pzl_line *l, uint64_t first, uint64_t last)
{
	pzl_put(l, "[mem 0x");
	pzl_put_hex(l, first, 16);
	pzl_put(l, "-0x");
	pzl_put_hex(l, last, 16);
	pzl_put(l, "]");
}

#endif
