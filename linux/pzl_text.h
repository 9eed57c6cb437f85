/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_text.h - what linux/ needs of strings, without a C library.
 */
#ifndef LINUX_PZL_TEXT_H
#define LINUX_PZL_TEXT_H

#include <physzone/types.h>

/* Length of a string. */
static inline size_t pzl_strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

/* Whether two strings are equal. */
static inline bool pzl_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Whether @s begins with @prefix. */
static inline bool pzl_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

/* Whether the @len characters at @s begin with @prefix. */
static inline bool pzl_starts_n(const char *s, size_t len, const char *prefix)
{
	size_t i;

	for (i = 0; prefix[i]; i++)
		if (i >= len || s[i] != prefix[i])
			return false;
	return true;
}

static inline bool pzl_isdigit(char c)
{
	return c >= '0' && c <= '9';
}

/* White space as the kernel's command line splits at it (isspace in its C locale, and 0xa0). */
static inline bool pzl_isspace(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

#endif
