/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vec.c - growing arrays and allocation that cannot fail quietly.
 */
#include "vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void vec_no_memory(void)
{
	fputs("physzone: out of memory\n", stderr);
	exit(4);
}

void *xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		vec_no_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		vec_no_memory();
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		vec_no_memory();
	return p;
}

char *xstrndup(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		vec_no_memory();
	p = xmalloc((size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = xvasprintf(fmt, ap);
	va_end(ap);
	return p;
}

void *vec_grow(void *v, size_t n, size_t *cap, size_t elem)
{
	if (n == *cap) {
		size_t want = *cap ? *cap * 2 : 16;

		if (want > (size_t)-1 / elem)
			vec_no_memory();
		v = realloc(v, want * elem);
		if (!v)
			vec_no_memory();
		*cap = want;
	}
	memset((char *)v + n * elem, 0, elem);
	return v;
}

void vec_release(void **v, size_t *n, size_t *cap)
{
	free(*v);
	*v = NULL;
	*n = 0;
	*cap = 0;
}
