/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: what is accepted, and the one line that says why something is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "options.h"

#define ARGS 12

/* Split a line at blanks into argv, after the program's name; '~' stands for an empty argument. */
static int split(char *line, char **argv)
{
	static char program[] = "physzone";
	static char empty[] = "";
	int argc = 0;
	char *word;

	argv[argc++] = program;
	for (word = strtok(line, " "); word && argc < ARGS - 1; word = strtok(NULL, " "))
		argv[argc++] = strcmp(word, "~") ? word : empty;
	argv[argc] = NULL;
	return argc;
}

static struct options accept(const char *text)
{
	static char line[256];
	static char *argv[ARGS];
	struct options o;
	char *err = NULL;
	int argc;

	strcpy(line, text);
	argc = split(line, argv);
	assert_int_equal(options_parse(&o, argc, argv, &err), 0);
	assert_null(err);
	return o;
}

static void refuse(const char *text, const char *why)
{
	char line[256];
	char *argv[ARGS];
	struct options o;
	char *err = NULL;
	int argc;

	strcpy(line, text);
	argc = split(line, argv);
	assert_int_equal(options_parse(&o, argc, argv, &err), EXIT_USAGE);
	assert_non_null(err);
	assert_null(strchr(err, '\n'));
	assert_string_equal(err, why);
	free(err);
}

static void options_accepted(void **state)
{
	struct options o = accept("zones --model linux-6.1 --arch=arm64 dmesg.txt --json");

	assert_int_equal(o.command, CMD_ZONES);
	assert_string_equal(o.model, "linux-6.1");
	assert_string_equal(o.arch, "arm64");
	assert_string_equal(o.source, "dmesg.txt");
	assert_true(o.json);
	assert_false(o.live || o.lines || o.log);
	assert_int_equal(o.colour, COLOUR_AUTO);

	o = accept("zones -");
	assert_string_equal(o.source, "-");
	o = accept("zones --boot 3 --lines --cmdline ~ log");
	assert_int_equal(o.boot, 3);
	assert_true(o.lines);
	assert_string_equal(o.cmdline, "");
	o = accept("zones --live");
	assert_true(o.live);
	assert_null(o.source);
	o = accept("zones -- --odd-name");
	assert_string_equal(o.source, "--odd-name");

	o = accept("map --log --svg out.svg --width 120 --color=never dir");
	assert_int_equal(o.command, CMD_MAP);
	assert_true(o.log);
	assert_string_equal(o.svg, "out.svg");
	assert_int_equal(o.width, 120);
	assert_int_equal(o.colour, COLOUR_NEVER);
	o = accept("map --color x");
	assert_int_equal(o.colour, COLOUR_ALWAYS);
	assert_string_equal(o.source, "x");

	o = accept("boot --model linux-5.15,physzone --why --kmalloc-dma 64 --bits 28 log");
	assert_int_equal(o.command, CMD_BOOT);
	assert_string_equal(o.model, "linux-5.15,physzone");
	assert_string_equal(o.kmalloc_dma, "64");
	assert_true(o.why);
	assert_int_equal(o.reaches, 1);
	o = accept("reach --bits 28 --limit 256M --window 1-2,4-5 log");
	assert_int_equal(o.command, CMD_REACH);
	assert_int_equal(o.reaches, 3);
	assert_int_equal(o.reach[1].kind, DEVICE_LIMIT);
	assert_string_equal(o.reach[2].text, "1-2,4-5");

	o = accept("arch arm64 mips");
	assert_int_equal(o.command, CMD_ARCH);
	assert_int_equal(o.operand_count, 2);
	assert_string_equal(o.operands[1], "mips");
	o = accept("arch");
	assert_int_equal(o.operand_count, 0);

	assert_true(accept("--help").help);
	assert_true(accept("-h").help);
	assert_true(accept("--version").version);
	o = accept("map --help");
	assert_true(o.help);
	assert_int_equal(o.command, CMD_MAP);
}

static void options_refused_with_a_hint(void **state)
{
	refuse("", "no command given; see 'physzone --help'");
	refuse("zone x", "unknown command 'zone'; did you mean 'zones'?");
	refuse("Maps x", "unknown command 'Maps'; did you mean 'map'?");
	refuse("frobnicate", "unknown command 'frobnicate'; see 'physzone --help'");
	refuse("zones --modle linux-6.1 x", "unknown option '--modle'; did you mean '--model'?");
	refuse("zones --jsn x", "unknown option '--jsn'; did you mean '--json'?");
	refuse("zones --frobnicate x",
	       "unknown option '--frobnicate'; see 'physzone zones --help'");
	refuse("zones -x y", "unknown option '-x'; see 'physzone zones --help'");
	refuse("--frob", "unknown option '--frob'; see 'physzone --help'");
	refuse("--json zones x",
	       "option '--json' goes after the command: physzone COMMAND --json ...");
	refuse("zones --svg f x", "option '--svg' does not belong to 'physzone zones'");
	refuse("zones --bits 28 x", "option '--bits' does not belong to 'physzone zones'");
	refuse("boot --window 1-2 x", "option '--window' does not belong to 'physzone boot'");
	refuse("reach --bits", "option '--bits' wants a value");
	refuse("zones --json=1 x", "option '--json' takes no value");
	refuse("map --l x", "option '--l' is ambiguous; see 'physzone map --help'");
}

static void options_wrong_values(void **state)
{
	refuse("zones --model", "option '--model' wants a value");
	refuse("zones --boot 0 x", "--boot wants a number from 1 to 1000000, not '0'");
	refuse("zones --boot -1 x", "--boot wants a number from 1 to 1000000, not '-1'");
	refuse("zones --boot 1x x", "--boot wants a number from 1 to 1000000, not '1x'");
	refuse("zones --boot 99999999999999999999999 x",
	       "--boot wants a number from 1 to 1000000, not '99999999999999999999999'");
	refuse("map --width 3 x", "--width wants a number from 40 to 1000, not '3'");
	refuse("map --svg ~ x", "--svg wants the name of a file");
	refuse("map --color=blue x", "--color wants always, never or auto, not 'blue'");
}

static void options_wrong_sources(void **state)
{
	refuse("zones", "no SOURCE given: a file, a directory, '-' or --live; see 'physzone zones "
			"--help'");
	refuse("zones a b", "one SOURCE at a time; 'b' is one too many");
	refuse("zones --live a", "--live reads the running machine; 'a' is one SOURCE too many");
	refuse("map --json --svg - a", "--json and --svg - both want standard output");
}

static void options_help_says_everything(void **state)
{
	static const char *const words[] = { "Examples",    "Usage",
					     "Options",	    "--model",
					     "--json",	    "Exit codes",
					     "wrong usage", "input not understood" };
	struct out o;
	const char *text;
	unsigned int c, i;

	for (c = CMD_ZONES; c < CMD_COUNT; c++) {
		out_init(&o, NULL);
		o.width = 80;
		options_help(&o, (enum command)c);
		text = out_text(&o);
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if ((c != CMD_DEVICES && c != CMD_IOMMU) ||
			    strcmp(words[i], "--model") != 0)
				assert_non_null(strstr(text, words[i]));
		/* Examples come before usage, usage before options, options before exit codes. */
		assert_true(strstr(text, "Examples") < strstr(text, "\nUsage"));
		assert_true(strstr(text, "\nUsage") < strstr(text, "\nOptions"));
		assert_true(strstr(text, "\nOptions") < strstr(text, "\nExit codes"));
		while (*text) {
			size_t n = strcspn(text, "\n");

			assert_true(n <= 80);
			text += n + (text[n] == '\n');
		}
		out_destroy(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_accepted),
		cmocka_unit_test(options_refused_with_a_hint),
		cmocka_unit_test(options_wrong_values),
		cmocka_unit_test(options_wrong_sources),
		cmocka_unit_test(options_help_says_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
