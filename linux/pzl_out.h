/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_out.h - long lines built from formats, handed out one by one.
 *
 * A line that grows past its buffer is cut; the longest in Linux's formats, a zone's of a report
 * with every number at its largest, has some 850 characters.
 */
#ifndef LINUX_PZL_OUT_H
#define LINUX_PZL_OUT_H

#include <physzone/linux/messages.h>

struct pzl_out {
	char s[1024];
	size_t n;
	pzl_emit_fn emit;
	void *ctx;
};

/* For %llu. */
typedef unsigned long long pzl_ull;

/* Append to the line. */
void pzl_out_add(struct pzl_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Hand the line out, and begin the next. */
void pzl_out_end(struct pzl_out *o);

/* A line in one go. */
#define pzl_out_line(o, ...)                 \
	do {                                 \
		pzl_out_add(o, __VA_ARGS__); \
		pzl_out_end(o);              \
	} while (0)

#endif
