/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_lines.c - takes a text apart into the lines that a kernel wrote.
 *
 * A line of the text goes through these steps: quoted-printable is decoded, over as many lines as
 * its soft breaks join; escapes, controls and returns go; quote marks at the start go; the line is
 * cut before every time stamp of the kernel in it, for two lines may have got onto one; and each
 * piece loses its time stamp, caller, priority and journal's prefix.
 *
 * Invariants: 1. what is returned is not blank and neither starts nor ends with white space;
 * 2. first <= last, and first never decreases but for lines given back; 3. every character of the
 * result stood in the text, or is what quoted-printable stands for, in this order.
 *
 * Failure: none; what is not understood is returned as it stands.
 *
 * Shortcomings: a kernel message that quotes another's time stamp is cut in two. A text is
 * quoted-printable as a whole or not at all.
 */
#include "input/log_lines.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

static bool ll_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int ll_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool ll_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Whether every '=' is one that quoted-printable would write, and at least one is. */
static bool ll_is_quoted_printable(const struct text *t)
{
	const char *p = t->buf, *end = t->buf + t->len;
	size_t good = 0, bad = 0;

	while ((p = memchr(p, '=', (size_t)(end - p)))) {
		int high = p + 1 < end ? ll_hex(p[1]) : -1;

		p++;
		if (p < end && *p == '\r')
			p++;
		if (p < end && *p == '\n')
			good++;
		else if (end - p >= 2 && high == 3 && p[1] == 'D')
			good += 2;
		else if (end - p >= 2 && ll_hex(p[1]) >= 0 &&
			 (high >= 8 || (high == 2 && p[1] == '0') || high == 0 ||
			  (high == 1 && p[1] == 'B')))
			good++;
		else
			bad++;
	}
	return good > 1 && bad <= good / 32;
}

void log_lines_seek(struct log_lines *l, size_t from, size_t to)
{
	l->next = from;
	l->end = to;
	l->p = l->stop = NULL;
	l->held_n = 0;
}

void log_lines_init(struct log_lines *l, const struct text *t)
{
	size_t longer = 0, length = 0;

	memset(l, 0, sizeof(*l));
	l->t = t;
	l->quoted_printable = ll_is_quoted_printable(t);
	l->unclean = l->quoted_printable || t->nuls || t->controls || t->marks;
	/* A quoted-printable text breaks long lines its own way, and takes the break back. */
	for (size_t i = 0; i < t->n; i++) {
		size_t n;
		const char *p = text_line(t, i, &n);

		length += n;
		if (l->quoted_printable && n && p[n - 1] == '=')
			continue;
		longer += length > (l->quoted_printable ? 110 : 100);
		length = 0;
	}
	l->wrapped = longer <= t->n / 256;
	log_lines_seek(l, 0, t->n);
}

void log_lines_destroy(struct log_lines *l)
{
	for (int i = 0; i < LOG_AHEAD; i++)
		free(l->held[i].copy);
	free(l->scratch);
	memset(l, 0, sizeof(*l));
}

static void ll_reserve(struct log_lines *l, size_t n)
{
	if (n <= l->scratch_cap)
		return;
	n = n < 512 ? 512 : n * 2;
	l->scratch = xrealloc(l->scratch, n);
	l->scratch_cap = n;
}

/* Decode a quoted-printable line into the scratch; true when a soft break asks for the next one. */
static bool ll_decode(struct log_lines *l, size_t *n, const char *p, size_t len)
{
	const char *end = p + len;

	ll_reserve(l, *n + len + 1);
	while (p < end) {
		if (*p != '=') {
			l->scratch[(*n)++] = *p++;
			continue;
		}
		if (p + 1 == end)
			return true;
		if (end - p >= 3 && ll_hex(p[1]) >= 0 && ll_hex(p[2]) >= 0) {
			l->scratch[(*n)++] = (char)(ll_hex(p[1]) * 16 + ll_hex(p[2]));
			p += 3;
		} else {
			l->scratch[(*n)++] = *p++;
		}
	}
	return false;
}

/* End of the escape sequence that starts at @p. */
static const char *ll_escape(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '[') {
		p++;
		while (p < end && (unsigned char)*p < 0x40)
			p++;
		return p < end ? p + 1 : end;
	}
	if (p < end && *p == ']') {
		while (p < end && *p != 7 && *p != 0x1b)
			p++;
		return p < end ? p + 1 : end;
	}
	while (p < end && (*p == '(' || *p == ')' || *p == '#'))
		p++;
	return p < end ? p + 1 : end;
}

/* Drop escapes and controls from the line in hand; a return that does not end it becomes '\n'. */
static void ll_clean(struct log_lines *l)
{
	const char *p = l->p, *end = l->stop;
	bool own = l->p == l->scratch;
	size_t n = 0;

	if (!own)
		ll_reserve(l, (size_t)(end - p) + 1);
	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (c == 0x1b) {
			p = ll_escape(p, end);
			continue;
		}
		if (c == 0xc2 && p + 1 < end && (unsigned char)p[1] == 0xa0) {
			l->scratch[n++] = ' ';
			p += 2;
			continue;
		}
		if (c >= 0x20 || c == '\t')
			l->scratch[n++] = (char)c;
		else if (c == '\r' || c == '\n')
			l->scratch[n++] = '\n';
		p++;
	}
	l->p = l->scratch;
	l->stop = l->scratch + n;
}

/* "[    0.000000]", also "[    0.000000 <    0.000000>]"; the end of it, or NULL. */
static const char *ll_stamp(const char *p, const char *end, double *value)
{
	double whole = 0, part = 0, scale = 1;
	int digits = 0;

	if (p == end || *p++ != '[')
		return NULL;
	while (p < end && *p == ' ')
		p++;
	for (; p < end && ll_digit(*p) && digits < 12; p++, digits++)
		whole = whole * 10 + (*p - '0');
	if (!digits || p == end || *p++ != '.')
		return NULL;
	for (digits = 0; p < end && ll_digit(*p) && digits < 9; p++, digits++, scale *= 10)
		part = part * 10 + (*p - '0');
	if (digits < 6 || p == end)
		return NULL;
	if (*p == ' ' && end - p > 2 && p[1] == '<') {
		p += 2;
		while (p < end && (*p == ' ' || *p == '.' || ll_digit(*p)))
			p++;
		if (p == end || *p++ != '>' || p == end)
			return NULL;
	}
	if (*p != ']')
		return NULL;
	*value = whole + part / scale;
	return p + 1;
}

/* "[    T0]" or "[C1]": the caller of printk. */
static const char *ll_caller(const char *p, const char *end)
{
	const char *digits;

	if (p == end || *p++ != '[')
		return NULL;
	while (p < end && *p == ' ')
		p++;
	if (p == end || (*p != 'T' && *p != 'C'))
		return NULL;
	for (digits = ++p; p < end && ll_digit(*p); p++)
		;
	return p > digits && p < end && *p == ']' ? p + 1 : NULL;
}

/* "hh:mm" somewhere in [p, end). */
static bool ll_has_clock(const char *p, const char *end)
{
	for (const char *q = p; end - q >= 4; q++)
		if (ll_digit(q[0]) && q[1] == ':' && ll_digit(q[2]) && ll_digit(q[3]))
			return true;
	return false;
}

/* A time in brackets that is none of printk's: dmesg -T, dmesg -H, terminal programs. */
static const char *ll_bracket_time(const char *p, const char *end)
{
	const char *close, *q = p + 1;

	if (p == end || *p != '[')
		return NULL;
	close = memchr(p, ']', (size_t)(end - p) < 48 ? (size_t)(end - p) : 48);
	if (!close)
		return NULL;
	while (q < close && *q == ' ')
		q++;
	if (q + 1 < close && *q == '+' && ll_digit(q[1]))
		return close + 1;
	for (; q < close; q++)
		if (!ll_digit(*q) && !((*q | 0x20) >= 'a' && (*q | 0x20) <= 'z') &&
		    !strchr(" :+.,/-", *q))
			return NULL;
	return ll_has_clock(p, close) ? close + 1 : NULL;
}

/* "2026-11-21T06:00:00,123456+00:00" or "2026-11-21 06:00:00". */
static const char *ll_iso_time(const char *p, const char *end)
{
	if (end - p < 19 || !ll_digit(p[0]) || !ll_digit(p[3]) || p[4] != '-' || p[7] != '-' ||
	    (p[10] != 'T' && p[10] != ' ') || p[13] != ':' || p[16] != ':')
		return NULL;
	for (p += 11; p < end && (ll_digit(*p) || strchr(":.,+-Z", *p)); p++)
		;
	return p;
}

/* "Nov 21 06:00:00", also with a fraction; "1795237125.112345". */
static const char *ll_syslog_time(const char *p, const char *end)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *q = p;

	if (end - p < 12)
		return NULL;
	if (ll_digit(*p)) {
		while (q < end && ll_digit(*q))
			q++;
		if (q - p != 10 || q == end || *q != '.')
			return NULL;
		for (q++; q < end && ll_digit(*q); q++)
			;
		return q;
	}
	for (size_t i = 0; i < sizeof(months) - 1; i += 3) {
		if (memcmp(p, months + i, 3) != 0)
			continue;
		for (q = p + 3; q < end && (ll_space(*q) || ll_digit(*q) || *q == ':' || *q == '.');
		     q++)
			;
		return ll_has_clock(p, q) ? q : NULL;
	}
	return NULL;
}

/* "<6>" or "kern  :info  :". */
static const char *ll_priority(const char *p, const char *end)
{
	const char *q = p + 1;
	int colons = 0;

	if (p == end)
		return NULL;
	if (*p == '<') {
		while (q < end && ll_digit(*q) && q - p < 4)
			q++;
		return q > p + 1 && q < end && *q == '>' ? q + 1 : NULL;
	}
	if (end - p < 12 || memcmp(p, "kern", 4) != 0 || (p[4] != ' ' && p[4] != ':'))
		return NULL;
	for (q = p + 4; q < end && colons < 2; q++) {
		if (*q == ':')
			colons++;
		else if (!ll_space(*q) && !((*q | 0x20) >= 'a' && (*q | 0x20) <= 'z'))
			return NULL;
	}
	return colons == 2 ? q : NULL;
}

/* "host kernel:" or "host kernel[0]:" right at @p: at most @words words before it. */
static const char *ll_kernel_tag(const char *p, const char *end, int words)
{
	while (words >= 0) {
		if (end - p > 7 && !memcmp(p, "kernel", 6)) {
			const char *q = p + 6;

			if (*q == '[') {
				for (q++; q < end && ll_digit(*q); q++)
					;
				q += q < end && *q == ']';
			}
			if (q < end && *q == ':')
				return q + 1;
		}
		while (p < end && !ll_space(*p))
			p++;
		while (p < end && ll_space(*p))
			p++;
		words--;
	}
	return NULL;
}

static const char *ll_skip_space(const char *p, const char *end)
{
	while (p < end && ll_space(*p))
		p++;
	return p;
}

/* Whether a tag follows a syslog time: one of the next words ends in a colon. */
static bool ll_has_tag(const char *p, const char *end)
{
	for (int words = 0; words < 4 && p < end; words++) {
		while (p < end && !ll_space(*p))
			p++;
		if (words && p[-1] == ':')
			return true;
		while (p < end && ll_space(*p))
			p++;
	}
	return false;
}

/* Take off quote marks and whatever stands before a message, but not the kernel's time stamp. */
static const char *ll_strip(const char *p, const char *end, bool *prefixed)
{
	const char *q;

	for (;;) {
		p = ll_skip_space(p, end);
		if (p == end)
			return p;
		if (*p == '>' || *p == '|') {
			p++;
		} else if ((q = ll_priority(p, end)) || (q = ll_bracket_time(p, end))) {
			*prefixed = true;
			p = q;
		} else if ((q = ll_iso_time(p, end)) ||
			   ((q = ll_syslog_time(p, end)) && ll_has_tag(q, end))) {
			*prefixed = true;
			p = ll_skip_space(q, end);
			q = ll_kernel_tag(p, end, 3);
			p = q ? q : p;
		} else {
			return p;
		}
	}
}

/* Take off what follows a time stamp: the caller, a second time stamp, a journal's host and tag. */
static const char *ll_strip_more(const char *p, const char *end)
{
	const char *q;

	for (;;) {
		bool prefixed;

		p = ll_skip_space(p, end);
		if ((q = ll_caller(p, end)) || (q = ll_bracket_time(p, end)) ||
		    (q = ll_priority(p, end))) {
			p = q;
			continue;
		}
		q = ll_kernel_tag(p, end, 1);
		if (q)
			return ll_strip(q, end, &prefixed);
		return p;
	}
}

/* The next time stamp of the kernel at or after @p, or a cut made by ll_clean(), or @end. */
static const char *ll_next_cut(const char *p, const char *end)
{
	const char *q = p, *cut;
	double ignored;

	while ((q = memchr(q, '[', (size_t)(end - q)))) {
		if (ll_stamp(q, end, &ignored))
			break;
		q++;
	}
	end = q ? q : end;
	cut = memchr(p, '\n', (size_t)(end - p));
	return cut ? cut : end;
}

/* Read the next line of the text into hand. */
static bool ll_load(struct log_lines *l)
{
	size_t len, n = 0;
	const char *p;
	bool more = false;

	if (l->next >= l->end)
		return false;
	p = text_line(l->t, l->next, &len);
	l->now.first = (uint32_t)l->next + 1;
	l->now.width = len;
	l->p = p;
	l->stop = p + len;
	l->next++;
	if (l->quoted_printable) {
		more = ll_decode(l, &n, p, len);
		while (more && l->next < l->end) {
			p = text_line(l->t, l->next++, &len);
			more = ll_decode(l, &n, p, len);
		}
		l->now.width = n;
		l->p = l->scratch;
		l->stop = l->scratch + n;
	}
	l->now.last = (uint32_t)l->next;
	l->now.ends_text = l->next == l->t->n && l->t->buf[l->t->len - 1] != '\n';
	if (l->unclean)
		ll_clean(l);
	return true;
}

/* One piece of the line in hand; false when it is blank. */
static bool ll_piece(struct log_lines *l, struct log_line *out)
{
	const char *p = l->p, *end, *q;

	*out = l->now;
	out->stamp = -1;
	out->prefixed = false;
	if (p < l->stop && *p == '\n')
		p++;
	q = ll_stamp(p, l->stop, &out->stamp);
	end = ll_next_cut(q ? q : p, l->stop);
	if (!q) {
		p = ll_strip(p, end, &out->prefixed);
	} else {
		p = ll_strip_more(q, end);
		out->prefixed = true;
	}
	l->p = end;
	out->ends_text = out->ends_text && end == l->stop;
	while (end > p && (ll_space(end[-1]) || end[-1] == '\n'))
		end--;
	out->p = p;
	out->len = (size_t)(end - p);
	return out->len > 0;
}

bool log_lines_next(struct log_lines *l, struct log_line *out)
{
	if (l->held_n) {
		*out = l->held[l->held_n - 1].line;
		l->held_n--;
		return true;
	}
	for (;;) {
		while (l->p < l->stop)
			if (ll_piece(l, out))
				return true;
		if (!ll_load(l))
			return false;
	}
}

void log_lines_unread(struct log_lines *l, const struct log_line *line)
{
	struct log_held *h;

	if (l->held_n == LOG_AHEAD)
		return;
	h = &l->held[l->held_n++];
	if (line->p != h->copy) {
		if (h->cap < line->len) {
			free(h->copy);
			h->copy = xmalloc(line->len);
			h->cap = line->len;
		}
		memcpy(h->copy, line->p, line->len);
	}
	h->line = *line;
	h->line.p = h->copy;
}
