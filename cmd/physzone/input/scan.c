/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.c - lines and tokens of text in memory.
 */
#include "input/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void scan_init(struct scan *s, const char *buf, size_t len)
{
	memset(s, 0, sizeof(*s));
	s->p = buf;
	s->end = buf + len;
}

bool scan_line(struct scan *s)
{
	const char *nl;

	if (s->p == s->end)
		return false;
	nl = memchr(s->p, '\n', (size_t)(s->end - s->p));
	s->line.p = s->p;
	s->line.end = nl ? nl : s->end;
	s->p = nl ? nl + 1 : s->end;
	if (s->line.end > s->line.p && s->line.end[-1] == '\r')
		s->line.end--;
	s->number++;
	return true;
}

unsigned int span_blanks(struct span *s)
{
	unsigned int n = 0;

	for (; s->p < s->end && (*s->p == ' ' || *s->p == '\t'); s->p++)
		n++;
	return n;
}

bool span_char(struct span *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

bool span_text(struct span *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

static int span_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

static bool span_number(struct span *s, unsigned int base, uint64_t *v)
{
	const char *p = s->p;
	uint64_t value = 0;

	for (; p < s->end; p++) {
		unsigned int digit = (unsigned int)span_digit(*p);

		if (digit >= base)
			break;
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (p == s->p)
		return false;
	s->p = p;
	*v = value;
	return true;
}

bool span_hex(struct span *s, uint64_t *v)
{
	struct span t = *s;

	if (span_text(&t, "0x") || span_text(&t, "0X")) {
		if (!span_number(&t, 16, v))
			return false;
		*s = t;
		return true;
	}
	return span_number(s, 16, v);
}

bool span_dec(struct span *s, uint64_t *v)
{
	return span_number(s, 10, v);
}

bool span_word(struct span *s, struct span *word)
{
	word->p = s->p;
	while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
		s->p++;
	word->end = s->p;
	return word->p < word->end;
}

void span_trim(struct span *s)
{
	while (s->end > s->p && (s->end[-1] == ' ' || s->end[-1] == '\t'))
		s->end--;
}

bool span_empty(struct span s)
{
	span_blanks(&s);
	return s.p == s.end;
}

bool span_is(struct span s, const char *text)
{
	return span_text(&s, text) && s.p == s.end;
}

char *span_dup(struct span s)
{
	return xstrndup(s.p, (size_t)(s.end - s.p));
}

static const char *scan_file(const struct facts *f, struct where at)
{
	return at.file < f->files.n ? f->files.v[at.file] : "input";
}

int scan_error(const struct facts *f, struct where at, char **err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Names out of the input may have any bytes. */
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	if (at.line)
		*err = xasprintf("%s:%u: %s", scan_file(f, at), at.line, text);
	else
		*err = xasprintf("%s: %s", scan_file(f, at), text);
	return INPUT_BAD;
}

int scan_expected(const struct facts *f, struct where at, struct span line, const char *expected,
		  char **err)
{
	char shown[49];
	size_t n = 0;

	span_blanks(&line);
	for (; line.p < line.end && n < sizeof(shown) - 1; line.p++) {
		unsigned char c = (unsigned char)*line.p;

		shown[n++] = c >= ' ' && c < 0x7f ? (char)c : '?';
	}
	shown[n] = '\0';
	if (!n)
		return scan_error(f, at, err, "expected %s, found the end of the line", expected);
	return scan_error(f, at, err, "expected %s, found \"%s%s\"", expected, shown,
			  line.p < line.end ? "..." : "");
}

void scan_count(struct facts *f, struct where at, bool used)
{
	if (at.file != 0)
		return;
	while (f->line_marks.n < at.line)
		*vec_push(&f->line_marks) = 0;
	f->line_marks.v[at.line - 1] = used;
	f->lines_total++;
	if (used)
		f->lines_used++;
	else
		f->lines_ignored++;
}
