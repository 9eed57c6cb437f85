/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vec.h - growing arrays for the workbench. VEC(struct x) declares one; vec_push() appends and
 * returns the new, zero-filled element. Running out of memory ends the program with a clear line,
 * as everywhere in the workbench.
 */
#ifndef PHYSZONE_CMD_VEC_H
#define PHYSZONE_CMD_VEC_H

#include <stdarg.h>
#include <stddef.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	}

/* Append a zero-filled element and return a pointer to it (valid until the next push). */
#define vec_push(vec)                                                                              \
	((vec)->v = vec_grow((vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v)),                  \
	 &(vec)->v[(vec)->n++])

#define vec_free(vec) vec_release((void **)&(vec)->v, &(vec)->n, &(vec)->cap)

void *vec_grow(void *v, size_t n, size_t *cap, size_t elem);
void vec_release(void **v, size_t *n, size_t *cap);

/* malloc, strdup and friends that end the program when there is no memory. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
