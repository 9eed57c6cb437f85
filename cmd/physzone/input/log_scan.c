/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_scan.c - strict reading of one line.
 *
 * The kernel prints an address with a fixed number of digits, 8 or 16, filled up with zeros, or
 * with no zero in front at all. So a number that starts with a zero and has any other number of
 * digits lost some on the way.
 *
 * Invariants: 1. p <= end; 2. p moves on success only; 3. no number is returned that does not fit
 * its type.
 *
 * Shortcomings: a digit lost from a number that needs no leading zero cannot be seen here.
 */
#include "input/log_scan.h"

#include <limits.h>
#include <string.h>

bool ls_fail(struct log_scan *s, const char *why)
{
	s->why = why;
	s->ran_out = false;
	return false;
}

static bool ls_ended(struct log_scan *s, const char *why)
{
	s->why = why;
	s->ran_out = true;
	return false;
}

void ls_space(struct log_scan *s)
{
	for (;;) {
		if (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
			s->p++;
		else if (s->end - s->p >= 4 &&
			 (!memcmp(s->p, "\\x09", 4) || !memcmp(s->p, "#011", 4)))
			s->p += 4;
		else
			return;
	}
}

bool ls_done(struct log_scan *s)
{
	ls_space(s);
	return s->p == s->end;
}

bool ls_lit(struct log_scan *s, const char *lit)
{
	const char *start = s->p;

	for (; *lit; lit++) {
		if (*lit == ' ') {
			const char *before = s->p;

			ls_space(s);
			if (s->p == before && s->p < s->end)
				break;
		} else if (s->p < s->end && *s->p == *lit) {
			s->p++;
		} else {
			break;
		}
	}
	if (!*lit)
		return true;
	if (s->p == s->end)
		ls_ended(s, "the line ends early");
	else
		ls_fail(s, "unexpected text");
	s->p = start;
	return false;
}

bool ls_opt(struct log_scan *s, const char *lit)
{
	bool ran_out = s->ran_out;
	const char *why = s->why;
	struct log_scan blank = *s;

	if (ls_lit(s, lit))
		return true;
	if (s->ran_out && !ls_done(&blank))
		s->cut = true;
	s->ran_out = ran_out;
	s->why = why;
	return false;
}

bool ls_dec(struct log_scan *s, uint64_t *out)
{
	const char *p = s->p;
	uint64_t v = 0;

	for (; p < s->end && *p >= '0' && *p <= '9'; p++) {
		unsigned int d = (unsigned int)(*p - '0');

		if (v > (UINT64_MAX - d) / 10)
			return ls_fail(s, "the number is too large");
		v = v * 10 + d;
	}
	if (p == s->p)
		return p == s->end ? ls_ended(s, "the line ends early")
				   : ls_fail(s, "a number is missing");
	s->p = p;
	*out = v;
	return true;
}

bool ls_int(struct log_scan *s, int *out)
{
	const char *start = s->p;
	bool minus = s->p < s->end && *s->p == '-';
	uint64_t v;

	s->p += minus;
	if (!ls_dec(s, &v) || v > INT_MAX) {
		s->p = start;
		return s->ran_out ? false : ls_fail(s, "the number is damaged");
	}
	*out = minus ? -(int)v : (int)v;
	return true;
}

bool ls_nid(struct log_scan *s, int *out)
{
	const char *start = s->p;

	if (!ls_int(s, out))
		return false;
	if (*out >= 0 && *out <= UINT16_MAX)
		return true;
	s->p = start;
	return ls_fail(s, "there is no such node");
}

static int ls_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool ls_bare_hex(struct log_scan *s, uint64_t *out)
{
	const char *p = s->p;
	uint64_t v = 0;
	size_t digits = 0;

	for (; p < s->end && ls_digit(*p) >= 0; p++, digits++) {
		if (v >> 60)
			return ls_fail(s, "the number is too large");
		v = v << 4 | (unsigned int)ls_digit(*p);
	}
	if (!digits)
		return p == s->end ? ls_ended(s, "the line ends early")
				   : ls_fail(s, "a number is missing");
	if (digits > 1 && *s->p == '0' && digits != 8 && digits != 16) {
		if (p == s->end)
			return ls_ended(s, "the line ends early");
		return ls_fail(s, "a number lost digits");
	}
	s->p = p;
	*out = v;
	return true;
}

bool ls_hex(struct log_scan *s, uint64_t *out)
{
	const char *start = s->p;

	if (s->end - s->p < 2)
		return ls_ended(s, "the line ends early");
	if (s->p[0] != '0' || s->p[1] != 'x')
		return ls_fail(s, "a number is missing");
	s->p += 2;
	if (ls_bare_hex(s, out))
		return true;
	s->p = start;
	return false;
}

bool ls_range(struct log_scan *s, struct pz_range *out)
{
	const char *start = s->p;
	struct pz_range r;

	if (ls_hex(s, &r.first) && ls_lit(s, "-") && ls_hex(s, &r.last)) {
		if (r.first <= r.last) {
			*out = r;
			return true;
		}
		/* A last digit may still follow on the next line. */
		if (s->p == s->end)
			ls_ended(s, "the range ends below its start");
		else
			ls_fail(s, "the range ends below its start");
	}
	s->p = start;
	return false;
}

bool ls_mem(struct log_scan *s, struct pz_range *out)
{
	const char *start = s->p;

	if (ls_lit(s, "[mem ") && ls_range(s, out) && ls_lit(s, "]"))
		return true;
	s->p = start;
	return false;
}

const char *ls_word(struct log_scan *s, size_t *n)
{
	const char *start = s->p;

	while (s->p < s->end && *s->p != ' ' && *s->p != '\t')
		s->p++;
	*n = (size_t)(s->p - start);
	if (!*n)
		ls_ended(s, "the line ends early");
	return *n ? start : NULL;
}

const char *ls_find(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	while (n >= len) {
		const char *at = memchr(p, *word, n - len + 1);

		if (!at)
			return NULL;
		if (!memcmp(at, word, len))
			return at;
		n -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	return NULL;
}
