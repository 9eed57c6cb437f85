/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.h - text on its way to a person or a program: a growing buffer, drained into a file when one
 * is given, that knows what its reader can show (colours, UTF-8, width).
 */
#ifndef PHYSZONE_CMD_OUT_H
#define PHYSZONE_CMD_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum out_style {
	ST_PLAIN,
	ST_BOLD,
	ST_DIM,
	ST_HEAD,
	ST_GOOD,
	ST_WARN,
	ST_BAD,
	/* One for each kind of piece of the address space, in the order of enum an_kind. */
	ST_KIND,
	ST_LAST = ST_KIND + 16,
};

struct out {
	char *v; /* not terminated until out_text() */
	size_t n, cap;
	FILE *to;  /* NULL: everything stays in the buffer */
	int error; /* errno of the first write that failed, 0 for none */
	bool colour;
	bool utf8;
	unsigned int width; /* columns to fill */
};

#define OUT_WIDTH_DEFAULT 100u
#define OUT_WIDTH_MIN 40u
#define OUT_WIDTH_MAX 1000u

enum out_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* Start an output of plain ASCII, OUT_WIDTH_DEFAULT wide. */
void out_init(struct out *o, FILE *to);

/* Find out what the reader of o->to can show: terminal, NO_COLOR, COLUMNS, locale. */
void out_probe(struct out *o, enum out_colour colour);

void out_destroy(struct out *o);

void out_char(struct out *o, char c);
void out_mem(struct out *o, const char *s, size_t n);
void out_str(struct out *o, const char *s);
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_repeat(struct out *o, const char *s, unsigned int times);

/*
 * Append text from the input: control characters become \xNN, and bytes that are no UTF-8 (or,
 * where UTF-8 cannot be shown, everything beyond ASCII) become a replacement.
 */
void out_clean(struct out *o, const char *s);

/* Append text wrapped at o->width; following lines start with `indent` blanks. */
void out_wrap(struct out *o, unsigned int column, unsigned int indent, const char *s);

void out_style(struct out *o, enum out_style s);
void out_styled(struct out *o, enum out_style s, const char *text);

/* Drain the buffer into o->to. Returns 0, or the errno of the first failure. */
int out_flush(struct out *o);

/* The buffer as a string, valid until the next call. */
const char *out_text(struct out *o);

/* Columns that a string of UTF-8 takes (one for each character). */
unsigned int text_columns(const char *s);

/*
 * Length in bytes of the UTF-8 character at s (of n bytes), and its value; 0 when there is none:
 * truncated, overlong, a surrogate or past U+10FFFF.
 */
unsigned int utf8_decode(const char *s, size_t n, uint32_t *value);

#endif
