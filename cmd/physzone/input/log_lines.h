/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_lines.h - the kernel's lines in a text, without what mail, journals, syslog and serial
 * consoles put around them.
 */
#ifndef PHYSZONE_CMD_LOG_LINES_H
#define PHYSZONE_CMD_LOG_LINES_H

#include "input/text.h"
#include "vec.h"

/* One line as the kernel wrote it, as far as can be told. */
struct log_line {
	const char *p; /* not terminated; valid until the next log_lines_next() */
	size_t len;
	uint32_t first, last; /* lines of the text that it stands on, from 1 */
	bool prefixed;	      /* had a time stamp, a priority or a journal's prefix */
	double stamp;	      /* printk time in seconds, negative when there is none */
	size_t width;	      /* columns of the line as it stands in the text */
	bool ends_text;	      /* the text ends with it, and without a newline */
};

enum { LOG_AHEAD = 4 };

struct log_held {
	struct log_line line;
	char *copy;
	size_t cap;
};

struct log_lines {
	const struct text *t;
	size_t next, end; /* lines of the text still to be read: [next, end) */
	bool quoted_printable;
	bool unclean;	      /* escapes, controls or other bytes that have to be looked for */
	bool wrapped;	      /* no line is long: mail may have cut them */
	const char *p, *stop; /* rest of the line in hand */
	struct log_line now;  /* first, last, width and ends_text of the line in hand */
	char *scratch;
	size_t scratch_cap;
	struct log_held held[LOG_AHEAD]; /* lines given back */
	unsigned int held_at, held_n;
};

/* Read @t from line @from to before line @to (from 0). */
void log_lines_init(struct log_lines *l, const struct text *t);
void log_lines_seek(struct log_lines *l, size_t from, size_t to);
void log_lines_destroy(struct log_lines *l);

/* The next line that is not blank; false at the end. */
bool log_lines_next(struct log_lines *l, struct log_line *out);

/* Give a line back: it comes again, before all others. At most LOG_AHEAD at a time, last one first.
 */
void log_lines_unread(struct log_lines *l, const struct log_line *line);

#endif
