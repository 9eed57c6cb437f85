/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_fmt.c - the formatter: each conversion, width and padding, and text that does not fit.
 */
#include "suites_decl.h"

#include <physzone/fmt.h>

#include <limits.h>

static bool text_is(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Without the attribute, so that formats which a compiler warns of can be tried too. */
static bool gives(const char *want, const char *fmt, ...)
{
	char buf[128];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
	n = pz_vsnprintf(buf, sizeof(buf), fmt, ap);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
	va_end(ap);
	return n == text_len(want) && text_is(buf, want);
}

static void conversions(struct tap *t)
{
	CHECK(t, gives("", ""));
	CHECK(t, gives("plain", "plain"));
	CHECK(t, gives("100%", "%d%%", 100));
	CHECK(t, gives("a-b", "%c-%c", 'a', 'b'));
	CHECK(t, gives("one two", "%s %s", "one", "two"));
	CHECK(t, gives("(null)", "%s", (const char *)NULL));
	CHECK(t, gives("0 -1 7", "%d %d %i", 0, -1, 7));
	CHECK(t, gives("-2147483648 2147483647", "%d %d", INT_MIN, INT_MAX));
	CHECK(t, gives("4294967295", "%u", UINT_MAX));
	CHECK(t, gives("deadbeef DEADBEEF", "%x %X", 0xdeadbeefu, 0xdeadbeefu));
	CHECK(t, gives("0xff 0XFF 0x0", "%#x %#X %#x", 255u, 255u, 0u));
	CHECK(t, gives("18446744073709551615", "%llu", ULLONG_MAX));
	CHECK(t, gives("-9223372036854775808", "%lld", LLONG_MIN));
	CHECK(t, gives("ffffffffffffffff", "%llx", ULLONG_MAX));
	CHECK(t, gives("5000000000", "%llu", 5000000000ull));
	CHECK(t, gives("1 -1 2 3", "%lu %ld %zu %lx", 1ul, -1l, (size_t)2, 3ul));
	CHECK_NAMED(t, gives("-1 255 65535", "%hhd %hhu %hu", 255, 255, 65535),
		    "short lengths cut and extend");
	CHECK(t, gives("0x0", "%p", (void *)NULL));
	CHECK(t, gives("0x1234", "%p", (void *)0x1234));
}

static void padding(struct tap *t)
{
	CHECK(t, gives("[   42]", "[%5d]", 42));
	CHECK(t, gives("[42   ]", "[%-5d]", 42));
	CHECK(t, gives("[00042]", "[%05d]", 42));
	CHECK(t, gives("[-0042]", "[%05d]", -42));
	CHECK(t, gives("[  -42]", "[%5d]", -42));
	CHECK(t, gives("[0x002a]", "[%#06x]", 42u));
	CHECK(t, gives("[  0x2a]", "[%#6x]", 42u));
	CHECK(t, gives("[0x2a  ]", "[%-#6x]", 42u));
	CHECK_NAMED(t, gives("[42   ]", "[%-05d]", 42), "no zeros on the right");
	CHECK(t, gives("[123456]", "[%3d]", 123456));
	CHECK(t, gives("[  ab]", "[%4s]", "ab"));
	CHECK(t, gives("[ab  ]", "[%-4s]", "ab"));
	CHECK(t, gives("[ab]", "[%.2s]", "abcd"));
	CHECK(t, gives("[  ab]", "[%*.*s]", 4, 2, "abcd"));
	CHECK(t, gives("[ab  ]", "[%*s]", -4, "ab"));
	CHECK(t, gives("[abcd]", "[%.*s]", -1, "abcd"));
	CHECK(t, gives("[   x]", "[%4c]", 'x'));
	CHECK(t, gives("[mem 0x0000000000001000-0x0000000000ffffff]", "[mem %#018llx-%#018llx]",
		       0x1000ull, 0xffffffull));
}

static void unknown(struct tap *t)
{
	CHECK_NAMED(t, gives("1 %q %d", "%d %q %d", 1), "after an unknown conversion all is text");
	CHECK(t, gives("%", "%"));
	CHECK(t, gives("%08", "%08"));
	CHECK(t, gives("%f %99999999999q", "%f %99999999999q", 1));
	CHECK(t, gives("%ll", "%ll"));
}

/* Whether one number takes the widest field; the format is not one that a compiler approves of. */
static bool gives_width(const char *fmt, ...)
{
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	n = pz_vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	return n == 65535;
}

static void cut(struct tap *t)
{
	char buf[8] = { 'z', 'z', 'z', 'z', 'z', 'z', 'z', 'z' };

	CHECK(t, pz_snprintf(NULL, 0, "%s", "hello") == 5);
	CHECK(t, pz_snprintf(buf, 0, "%s", "hello") == 5 && buf[0] == 'z');
	CHECK(t, pz_snprintf(buf, 1, "%s", "hello") == 5 && buf[0] == '\0' && buf[1] == 'z');
	CHECK(t, pz_snprintf(buf, 4, "%s", "hello") == 5 && text_is(buf, "hel") && buf[4] == 'z');
	CHECK(t, pz_snprintf(buf, 5, "%s", "hello") == 5 && text_is(buf, "hell"));
	CHECK(t, pz_snprintf(buf, 6, "%s", "hello") == 5 && text_is(buf, "hello"));
	CHECK(t, pz_snprintf(buf, sizeof(buf), "%20d", 1) == 20 && text_is(buf, "       "));
	CHECK_NAMED(t, pz_snprintf(buf, sizeof(buf), "%*d", 99999, 1) == 65535,
		    "a width has a bound");
	CHECK_NAMED(t, gives_width("%4294967297d", 1), "also one that would wrap");
}

void contract_fmt(struct tap *t)
{
	conversions(t);
	padding(t);
	unknown(t);
	cut(t);
}
