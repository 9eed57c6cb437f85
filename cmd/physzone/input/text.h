/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - a file, or standard input, as bytes and as lines. gzip, xz and zstd are unpacked on the
 * way in; what a file is packed with is told from its first bytes, never from its name.
 */
#ifndef PHYSZONE_CMD_TEXT_H
#define PHYSZONE_CMD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is read at most, unpacked. A log of ten million lines is well below. */
#define TEXT_MAX_BYTES ((size_t)2 << 30)
#define TEXT_MAX_LINES ((size_t)64 << 20)

struct text {
	char *buf; /* all bytes; buf[len] is 0, and 0 may stand in between as well */
	size_t len;
	uint32_t *start; /* offset of each line, and one past the end: n + 1 entries */
	size_t n;	 /* lines; a last one without a newline counts */
	size_t nuls;	 /* bytes of value 0 */
	size_t controls; /* other bytes that no text has: controls but tab, newline, return, escape
			  */
	size_t marks; /* escapes, returns that do not end a line, and bytes beyond ASCII */
	const char *packed; /* "gzip", "xz", "zstd", or NULL */
};

/*
 * Read a file, "-" for standard input. Returns 0, or -PZ_ENOENT (cannot be read), -PZ_EINVAL (what
 * is packed is damaged, cut off, or packed in a way that is not known), -PZ_EOVERFLOW (too large);
 * *err is then one line that names the file (to be freed), and the text is empty.
 */
int text_read(struct text *t, const char *path, char **err);

/* The same from bytes in memory, which are copied; @name is for messages. @max 0: TEXT_MAX_BYTES.
 */
int text_from_memory(struct text *t, const void *p, size_t n, const char *name, size_t max,
		     char **err);

/*
 * The same for bytes that are no text: nothing is unpacked, and there are no lines.
 */
int text_read_raw(struct text *t, const char *path, char **err);

void text_destroy(struct text *t);

/* Line @i from 0, without its newline and the returns before it. Not terminated. */
const char *text_line(const struct text *t, size_t i, size_t *len);

/* Whether this is no text: more than a few bytes in a hundred are such as no text has. */
bool text_is_binary(const struct text *t);

#endif
