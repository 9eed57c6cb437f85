/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.c - see out.h.
 *
 * Invariants: 1. n <= cap; 2. after a failed write nothing more is written, and `error` keeps the
 * first reason; 3. no byte below 0x20 reaches the output through out_clean() or out_wrap(), so a
 * log cannot move the reader's cursor or set colours.
 */
#include "out.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vec.h"

#define OUT_CHUNK 65536u

void out_init(struct out *o, FILE *to)
{
	memset(o, 0, sizeof(*o));
	o->to = to;
	o->width = OUT_WIDTH_DEFAULT;
}

static unsigned int out_probe_width(FILE *to)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	unsigned long n = 0;

	if (columns && *columns >= '0' && *columns <= '9')
		n = strtoul(columns, NULL, 10);
	else if (isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &ws) == 0)
		n = ws.ws_col;
	if (!n)
		return OUT_WIDTH_DEFAULT;
	if (n < OUT_WIDTH_MIN)
		return OUT_WIDTH_MIN;
	return n > OUT_WIDTH_MAX ? OUT_WIDTH_MAX : (unsigned int)n;
}

void out_probe(struct out *o, enum out_colour colour)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	const char *codeset;

	setlocale(LC_CTYPE, "");
	codeset = nl_langinfo(CODESET);
	o->utf8 = codeset && (!strcmp(codeset, "UTF-8") || !strcmp(codeset, "utf8"));
	o->width = out_probe_width(o->to);
	switch (colour) {
	case COLOUR_ALWAYS:
		o->colour = true;
		break;
	case COLOUR_NEVER:
		o->colour = false;
		break;
	case COLOUR_AUTO:
		o->colour = !(no_color && *no_color) && isatty(fileno(o->to)) &&
			    !(term && !strcmp(term, "dumb"));
		break;
	}
}

void out_destroy(struct out *o)
{
	free(o->v);
	o->v = NULL;
	o->n = o->cap = 0;
}

static void out_reserve(struct out *o, size_t more)
{
	size_t want = o->cap ? o->cap : 4096;

	if (o->cap - o->n >= more)
		return;
	while (want - o->n < more)
		want *= 2;
	o->v = realloc(o->v, want);
	if (!o->v) {
		fputs("physzone: out of memory\n", stderr);
		exit(4);
	}
	o->cap = want;
}

int out_flush(struct out *o)
{
	if (!o->to)
		return 0;
	if (!o->error && o->n) {
		errno = 0;
		if (fwrite(o->v, 1, o->n, o->to) != o->n)
			o->error = errno ? errno : EIO;
	}
	o->n = 0;
	if (!o->error) {
		errno = 0;
		if (fflush(o->to))
			o->error = errno ? errno : EIO;
	}
	return o->error;
}

void out_mem(struct out *o, const char *s, size_t n)
{
	out_reserve(o, n + 1);
	memcpy(o->v + o->n, s, n);
	o->n += n;
	if (o->to && o->n >= OUT_CHUNK)
		out_flush(o);
}

void out_char(struct out *o, char c)
{
	out_mem(o, &c, 1);
}

void out_str(struct out *o, const char *s)
{
	out_mem(o, s, strlen(s));
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		out_mem(o, small, (size_t)n);
		return;
	}
	out_reserve(o, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(o->v + o->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	o->n += (size_t)n;
}

void out_repeat(struct out *o, const char *s, unsigned int times)
{
	size_t n = strlen(s);

	while (times--)
		out_mem(o, s, n);
}

unsigned int utf8_decode(const char *s, size_t n, uint32_t *value)
{
	static const uint32_t lowest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	unsigned int len, i;
	uint32_t c;

	if (!n)
		return 0;
	if (u[0] < 0x80) {
		*value = u[0];
		return 1;
	}
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		len = 2;
		c = u[0] & 0x1fu;
	} else if (u[0] >= 0xe0 && u[0] <= 0xef) {
		len = 3;
		c = u[0] & 0x0fu;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		len = 4;
		c = u[0] & 0x07u;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (i = 1; i < len; i++) {
		if ((u[i] & 0xc0u) != 0x80u)
			return 0;
		c = c << 6 | (u[i] & 0x3fu);
	}
	if (c < lowest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*value = c;
	return len;
}

unsigned int text_columns(const char *s)
{
	unsigned int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0u) != 0x80u;
	return n;
}

/* Append one character of input text made harmless; returns the bytes consumed. */
static unsigned int out_clean_one(struct out *o, const char *s, size_t n)
{
	uint32_t c = 0;
	unsigned int len = utf8_decode(s, n, &c);

	if (!len) {
		out_str(o, o->utf8 ? "\xef\xbf\xbd" : "?");
		return 1;
	}
	if (c == '\t') {
		out_char(o, ' ');
	} else if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0)) {
		out_printf(o, "\\x%02x", c);
	} else if (c < 0x80 ||
		   (o->utf8 && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069))) {
		out_mem(o, s, len);
	} else {
		out_char(o, '?');
	}
	return len;
}

void out_clean(struct out *o, const char *s)
{
	size_t n = strlen(s);

	while (n) {
		size_t used = 0;

		while (used < n && s[used] >= ' ' && s[used] < 0x7f)
			used++;
		if (used)
			out_mem(o, s, used);
		else
			used = out_clean_one(o, s, n);
		s += used;
		n -= used;
	}
}

void out_wrap(struct out *o, unsigned int column, unsigned int indent, const char *s)
{
	bool first = true;

	while (*s) {
		size_t len, i;
		struct out word;

		while (*s == ' ' || *s == '\n')
			s++;
		len = strcspn(s, " \n");
		if (!len)
			break;
		out_init(&word, NULL);
		word.utf8 = o->utf8;
		for (i = 0; i < len;)
			i += out_clean_one(&word, s + i, len - i);
		len = text_columns(out_text(&word));
		if (!first && column + 1 + len > o->width) {
			out_char(o, '\n');
			out_repeat(o, " ", indent);
			column = indent;
		} else if (!first) {
			out_char(o, ' ');
			column++;
		}
		out_mem(o, word.v, word.n);
		column += (unsigned int)len;
		out_destroy(&word);
		s += i;
		first = false;
	}
}

void out_style(struct out *o, enum out_style s)
{
	static const char *const codes[ST_KIND] = {
		[ST_PLAIN] = "0", [ST_BOLD] = "1",  [ST_DIM] = "2",    [ST_HEAD] = "1;4",
		[ST_GOOD] = "32", [ST_WARN] = "33", [ST_BAD] = "1;31",
	};
	/* Foregrounds of the 16 colour palette, which every terminal and theme shows legibly. */
	static const char *const kinds[ST_LAST - ST_KIND + 1] = {
		"32",	/* RAM */
		"90",	/* reserved */
		"33",	/* ACPI */
		"93",	/* NVS */
		"96",	/* persistent */
		"1;94", /* kernel */
		"1;95", /* initrd */
		"1;91", /* crash kernel */
		"1;96", /* CMA */
		"1;93", /* swiotlb */
		"36",	/* boot */
		"35",	/* other */
		"90",	/* hole */
		"90",	"90", "90", "90",
	};

	if (!o->colour)
		return;
	out_printf(o, "\033[%sm", s < ST_KIND ? codes[s] : kinds[s - ST_KIND]);
}

void out_styled(struct out *o, enum out_style s, const char *text)
{
	out_style(o, s);
	out_str(o, text);
	out_style(o, ST_PLAIN);
}

const char *out_text(struct out *o)
{
	out_reserve(o, 1);
	o->v[o->n] = '\0';
	return o->v;
}
