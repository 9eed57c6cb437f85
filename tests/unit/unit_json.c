/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON writer and the text output beneath it, byte for byte.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static void json_layout(void **state)
{
	struct out o;
	struct json j;

	out_init(&o, NULL);
	json_init(&j, &o);
	json_object(&j, false);
	json_key_u64(&j, "schema", 1);
	json_key(&j, "empty");
	json_array(&j, false);
	json_end_array(&j);
	json_key(&j, "none");
	json_object(&j, false);
	json_end_object(&j);
	json_key(&j, "rows");
	json_array(&j, false);
	json_object(&j, true);
	json_key_string(&j, "a", "b");
	json_key(&j, "v");
	json_array(&j, false);
	json_u64(&j, 1);
	json_i64(&j, -2);
	json_end_array(&j);
	json_key_bool(&j, "t", true);
	json_key_string(&j, "n", NULL);
	json_end_object(&j);
	json_object(&j, true);
	json_end_object(&j);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
	assert_string_equal(out_text(&o),
			    "{\n"
			    "  \"schema\": 1,\n"
			    "  \"empty\": [],\n"
			    "  \"none\": {},\n"
			    "  \"rows\": [\n"
			    "    {\"a\": \"b\", \"v\": [1, -2], \"t\": true, \"n\": null},\n"
			    "    {}\n"
			    "  ]\n"
			    "}\n");
	out_destroy(&o);
}

static void json_one(const char *s, const char *want)
{
	struct out o;
	struct json j;

	out_init(&o, NULL);
	json_init(&j, &o);
	json_string(&j, s);
	assert_string_equal(out_text(&o), want);
	out_destroy(&o);
}

static void json_escapes(void **state)
{
	json_one("plain", "\"plain\"");
	json_one("", "\"\"");
	json_one("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	json_one("\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
	json_one("\x1b[31mred", "\"\\u001b[31mred\"");
	json_one("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xbe",
		 "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x92\xbe\"");
	json_one("\xc2\x85", "\"\\u0085\"");
	json_one("\xe2\x80\xa8", "\"\\u2028\"");
}

static void json_bad_utf8(void **state)
{
	json_one("a\xff"
		 "b",
		 "\"a\\ufffdb\"");
	json_one("\x80", "\"\\ufffd\"");
	json_one("\xc3", "\"\\ufffd\""); /* cut off */
	json_one("\xe2\x82", "\"\\ufffd\\ufffd\"");
	json_one("\xc0\xaf", "\"\\ufffd\\ufffd\""); /* overlong */
	json_one("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"");
	json_one("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"");		  /* a surrogate */
	json_one("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* past U+10FFFF */
	json_one("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"");
}

static void json_numbers(void **state)
{
	struct out o;
	struct json j;

	out_init(&o, NULL);
	json_init(&j, &o);
	json_array(&j, true);
	json_u64(&j, UINT64_MAX);
	json_u64(&j, ((uint64_t)1 << 53) + 1);
	json_i64(&j, INT64_MIN);
	json_end_array(&j);
	assert_string_equal(out_text(&o),
			    "[18446744073709551615, 9007199254740993, -9223372036854775808]");
	out_destroy(&o);
}

static void out_makes_input_harmless(void **state)
{
	struct out o;

	out_init(&o, NULL);
	out_clean(&o, "a\x1b[2Jb\r\n\tc\xc3\xa9\xff");
	assert_string_equal(out_text(&o), "a\\x1b[2Jb\\x0d\\x0a c??");
	o.n = 0;
	o.utf8 = true;
	out_clean(&o, "\xc3\xa9\xff\xe2\x80\xae");
	assert_string_equal(out_text(&o), "\xc3\xa9\xef\xbf\xbd?");
	out_destroy(&o);
}

static void out_wraps(void **state)
{
	struct out o;

	out_init(&o, NULL);
	o.width = 20;
	out_str(&o, "  ");
	out_wrap(&o, 2, 4, "one two  three four\nfive sixsixsixsixsixsixsix seven");
	assert_string_equal(out_text(&o), "  one two three four\n"
					  "    five\n"
					  "    sixsixsixsixsixsixsix\n"
					  "    seven");
	out_destroy(&o);
}

static void out_reports_a_full_disk(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct out o;

	if (!full)
		skip();
	out_init(&o, full);
	out_str(&o, "text");
	assert_int_equal(out_flush(&o), ENOSPC);
	out_str(&o, "more");
	assert_int_equal(out_flush(&o), ENOSPC);
	out_destroy(&o);
	fclose(full);
}

static void out_colours_on_request_only(void **state)
{
	struct out o;

	out_init(&o, NULL);
	out_styled(&o, ST_BAD, "x");
	assert_string_equal(out_text(&o), "x");
	o.n = 0;
	o.colour = true;
	out_styled(&o, ST_BAD, "x");
	assert_string_equal(out_text(&o), "\033[1;31mx\033[0m");
	out_destroy(&o);
}

static bool probed(FILE *to, enum out_colour colour, const char *no_color, const char *term)
{
	struct out o;

	if (no_color)
		setenv("NO_COLOR", no_color, 1);
	else
		unsetenv("NO_COLOR");
	setenv("TERM", term, 1);
	out_init(&o, to);
	out_probe(&o, colour);
	out_destroy(&o);
	return o.colour;
}

static void out_colours_a_terminal(void **state)
{
	int main_side = posix_openpt(O_RDWR | O_NOCTTY);
	FILE *terminal = NULL, *file = tmpfile();
	struct out o;

	/* Not as the controlling terminal: where its end closes, that would hang up the test. */
	if (main_side >= 0 && !grantpt(main_side) && !unlockpt(main_side)) {
		int fd = open(ptsname(main_side), O_RDWR | O_NOCTTY);

		terminal = fd >= 0 ? fdopen(fd, "r+") : NULL;
	}
	if (!terminal || !file)
		skip();
	assert_true(probed(terminal, COLOUR_AUTO, NULL, "xterm"));
	assert_true(probed(terminal, COLOUR_AUTO, "", "xterm"));
	assert_false(probed(terminal, COLOUR_AUTO, "1", "xterm"));
	assert_false(probed(terminal, COLOUR_AUTO, NULL, "dumb"));
	assert_false(probed(terminal, COLOUR_NEVER, NULL, "xterm"));
	assert_false(probed(file, COLOUR_AUTO, NULL, "xterm"));
	assert_true(probed(file, COLOUR_ALWAYS, "1", "dumb"));

	setenv("COLUMNS", "72", 1);
	out_init(&o, file);
	out_probe(&o, COLOUR_AUTO);
	assert_int_equal(o.width, 72);
	setenv("COLUMNS", "7", 1);
	out_probe(&o, COLOUR_AUTO);
	assert_int_equal(o.width, OUT_WIDTH_MIN);
	setenv("COLUMNS", "99999999999999999999", 1);
	out_probe(&o, COLOUR_AUTO);
	assert_int_equal(o.width, OUT_WIDTH_MAX);
	unsetenv("COLUMNS");
	out_probe(&o, COLOUR_AUTO);
	assert_int_equal(o.width, OUT_WIDTH_DEFAULT);
	out_destroy(&o);
	fclose(file);
	fclose(terminal);
	close(main_side);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_layout),
		cmocka_unit_test(json_escapes),
		cmocka_unit_test(json_bad_utf8),
		cmocka_unit_test(json_numbers),
		cmocka_unit_test(out_makes_input_harmless),
		cmocka_unit_test(out_wraps),
		cmocka_unit_test(out_reports_a_full_disk),
		cmocka_unit_test(out_colours_on_request_only),
		cmocka_unit_test(out_colours_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
