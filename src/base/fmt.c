/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fmt.c - text from numbers, without a libc.
 *
 * Concept
 *  A format is read once, from left to right; each piece of output goes through fmt_put(), which
 *  counts every byte and stores those that fit.
 *
 * Invariants
 *  1. no byte at or past buf + size is written; 2. the text ends in a 0 byte when size is not 0;
 *  3. the result is the length that the text has in a buffer large enough.
 *
 * Failure
 *  None. What does not fit is cut, what is not understood is written as it stands.
 *
 * Shortcomings
 *  No floating point, no octal, no %n, no + or space flag, no precision for numbers. A width or
 *  precision above 65535 counts as that.
 */
#include <physzone/fmt.h>

#include "bits.h"

#define FMT_MOST 65535u
#define FMT_DIGITS 20

struct fmt_out {
	char *buf;
	size_t size;
	size_t len;
};

struct fmt_spec {
	bool left, zero, alt;
	bool has_precision;
	unsigned int width, precision;
	unsigned int size; /* of an integer, in bytes */
};

static void fmt_put(struct fmt_out *o, char c)
{
	if (o->size && o->len < o->size - 1)
		o->buf[o->len] = c;
	o->len++;
}

static void fmt_fill(struct fmt_out *o, char c, size_t n)
{
	while (n-- > 0)
		fmt_put(o, c);
}

static void fmt_text(struct fmt_out *o, const struct fmt_spec *s, const char *text, size_t n)
{
	size_t pad = s->width > n ? s->width - n : 0;

	if (!s->left)
		fmt_fill(o, ' ', pad);
	for (size_t i = 0; i < n; i++)
		fmt_put(o, text[i]);
	if (s->left)
		fmt_fill(o, ' ', pad);
}

/* A number: sign or 0x, zeros up to the width, digits; or blanks around it all. */
static void fmt_number(struct fmt_out *o, const struct fmt_spec *s, uint64_t v, unsigned int base,
		       bool upper, bool negative)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[FMT_DIGITS];
	char head[2];
	size_t n = 0, heads = 0, pad;

	do {
		uint64_t rem = v & 15;

		v = base == 16 ? v >> 4 : pz_udivrem64(v, 10, &rem);
		digits[n++] = set[rem];
	} while (v);
	if (negative)
		head[heads++] = '-';
	if (base == 16 && s->alt) {
		head[heads++] = '0';
		head[heads++] = upper ? 'X' : 'x';
	}
	pad = s->width > n + heads ? s->width - n - heads : 0;
	if (!s->left && !s->zero)
		fmt_fill(o, ' ', pad);
	for (size_t i = 0; i < heads; i++)
		fmt_put(o, head[i]);
	if (!s->left && s->zero)
		fmt_fill(o, '0', pad);
	while (n > 0)
		fmt_put(o, digits[--n]);
	if (s->left)
		fmt_fill(o, ' ', pad);
}

static const char *fmt_digits(const char *f, unsigned int *v)
{
	*v = 0;
	for (; *f >= '0' && *f <= '9'; f++) {
		*v = *v * 10 + (unsigned int)(*f - '0');
		if (*v > FMT_MOST)
			*v = FMT_MOST;
	}
	return f;
}

/* Length modifiers; returns what follows them. */
static const char *fmt_size(const char *f, struct fmt_spec *s)
{
	s->size = sizeof(int);
	if (f[0] == 'l' && f[1] == 'l') {
		s->size = sizeof(long long);
		return f + 2;
	}
	if (f[0] == 'h' && f[1] == 'h') {
		s->size = 1;
		return f + 2;
	}
	if (f[0] == 'l')
		s->size = sizeof(long);
	else if (f[0] == 'z')
		s->size = sizeof(size_t);
	else if (f[0] == 'h')
		s->size = sizeof(short);
	else
		return f;
	return f + 1;
}

/* The low bytes of a value, extended with its sign or with zeros. */
static uint64_t fmt_cut(uint64_t v, unsigned int bytes, bool is_signed)
{
	uint64_t top;

	if (bytes >= 8)
		return v;
	top = (uint64_t)1 << (8 * bytes - 1);
	v &= (top << 1) - 1;
	return is_signed && v & top ? v | ~((top << 1) - 1) : v;
}

size_t pz_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct fmt_out o = { buf, size, 0 };
	const char *f = fmt;

	while (*f) {
		struct fmt_spec s = { false, false, false, false, 0, 0, 0 };
		const char *start = f;
		const char *text;
		uint64_t v;
		size_t n = 0;
		int arg;
		char c;

		if (*f++ != '%') {
			fmt_put(&o, *start);
			continue;
		}
		for (; *f == '-' || *f == '0' || *f == '#'; f++) {
			s.left |= *f == '-';
			s.zero |= *f == '0';
			s.alt |= *f == '#';
		}
		if (*f == '*') {
			arg = va_arg(ap, int);
			s.left |= arg < 0;
			s.width = arg < 0 ? 0u - (unsigned int)arg : (unsigned int)arg;
			if (s.width > FMT_MOST)
				s.width = FMT_MOST;
			f++;
		} else {
			f = fmt_digits(f, &s.width);
		}
		if (*f == '.' && f[1] == '*') {
			arg = va_arg(ap, int);
			s.has_precision = arg >= 0;
			s.precision = (unsigned int)arg;
			f += 2;
		} else if (*f == '.') {
			s.has_precision = true;
			f = fmt_digits(f + 1, &s.precision);
		}
		f = fmt_size(f, &s);
		switch (*f) {
		case '%':
			fmt_put(&o, '%');
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			fmt_text(&o, &s, &c, 1);
			break;
		case 's':
			text = va_arg(ap, const char *);
			if (!text)
				text = "(null)";
			while ((!s.has_precision || n < s.precision) && text[n])
				n++;
			fmt_text(&o, &s, text, n);
			break;
		case 'p':
			s.alt = true;
			fmt_number(&o, &s, (uintptr_t)va_arg(ap, void *), 16, false, false);
			break;
		case 'd':
		case 'i':
		case 'u':
		case 'x':
		case 'X':
			if (s.size > sizeof(long))
				v = va_arg(ap, unsigned long long);
			else if (s.size == sizeof(long))
				v = va_arg(ap, unsigned long);
			else
				v = va_arg(ap, unsigned int);
			if (*f == 'd' || *f == 'i') {
				v = fmt_cut(v, s.size, true);
				fmt_number(&o, &s, v >> 63 ? 0 - v : v, 10, false, v >> 63);
			} else {
				v = fmt_cut(v, s.size, false);
				fmt_number(&o, &s, v, *f == 'u' ? 10 : 16, *f == 'X', false);
			}
			break;
		default:
			/* Not known, and so is what it would take: the rest is plain text. */
			for (f = start; *f; f++)
				fmt_put(&o, *f);
			continue;
		}
		f++;
	}
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return o.len;
}

size_t pz_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = pz_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
