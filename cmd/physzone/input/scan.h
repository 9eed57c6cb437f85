/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.h - lines and tokens of text in memory, for the readers of listings.
 *
 * A scan walks the lines of a buffer that need not end in a newline and may hold any byte. A span
 * is what is left of a line; each span_*() takes a token off its front, or leaves it alone and
 * says false.
 */
#ifndef PHYSZONE_CMD_INPUT_SCAN_H
#define PHYSZONE_CMD_INPUT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "facts.h"

/* What a reader returns for input that it does not understand; the program's exit code. */
#define INPUT_BAD 3

struct span {
	const char *p, *end;
};

struct scan {
	const char *p, *end;
	struct span line; /* the current line, without its newline and carriage return */
	uint32_t number;  /* of the current line, from 1 */
};

void scan_init(struct scan *s, const char *buf, size_t len);

/* Step to the next line; false at the end. */
bool scan_line(struct scan *s);

/* Skip blanks and tabs; returns how many. */
unsigned int span_blanks(struct span *s);

/* Take one literal character, or a literal string. */
bool span_char(struct span *s, char c);
bool span_text(struct span *s, const char *text);

/* Take a number that fits 64 bits; hexadecimal with or without 0x. */
bool span_hex(struct span *s, uint64_t *v);
bool span_dec(struct span *s, uint64_t *v);

/* Take a run of characters up to a blank; false when there is none. */
bool span_word(struct span *s, struct span *word);

/* Cut blanks off the end. */
void span_trim(struct span *s);

bool span_empty(struct span s);
bool span_is(struct span s, const char *text);
char *span_dup(struct span s);

/*
 * Say what was expected at a place of the input, and what stands there. *err becomes
 * "FILE:LINE: expected EXPECTED, found "..."" on one line of printable characters. Returns
 * INPUT_BAD.
 */
int scan_expected(const struct facts *f, struct where at, struct span line, const char *expected,
		  char **err);

/* The same with a message of one's own; line 0 leaves the line number out. */
int scan_error(const struct facts *f, struct where at, char **err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Count a line of the SOURCE itself as used or ignored. */
void scan_count(struct facts *f, struct where at, bool used);

#endif
