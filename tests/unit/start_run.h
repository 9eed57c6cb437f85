/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start_run.h - run `physzone boot`, `predict`, `reach`, `devices`, `swiotlb`, `waste`, `compare`,
 * `iommu` inside a test, on recorded machines and on made-up maps.
 */
#ifndef PHYSZONE_TESTS_START_RUN_H
#define PHYSZONE_TESTS_START_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "vec.h"

#define RUN_WORDS 20

/* Where the recorded machines are: the argument of the test. */
extern const char *run_machines;

/* What the last run printed, and its line of error ("" for none). */
struct run {
	int rc;
	char *text, *err;
	size_t n; /* bytes of the text, of which any may be 0 */
};

/* Write a file with a text; the name is to be freed after unlink(). */
static inline char *run_file(const char *text)
{
	char *name = xstrdup("/tmp/physzone-XXXXXX");
	int fd = mkstemp(name);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return name;
}

/* Run the words of a line; '@' before a word is the directory of recorded machines, '~' a blank. */
static inline struct run run(const char *line)
{
	struct run r = { 0 };
	char *argv[RUN_WORDS + 1], *copy = xstrdup(line), *word;
	struct options o;
	struct out out;
	int argc = 0;

	argv[argc++] = xstrdup("physzone");
	for (word = strtok(copy, " "); word && argc < RUN_WORDS; word = strtok(NULL, " ")) {
		for (char *p = word; *p; p++)
			if (*p == '~')
				*p = ' ';
		argv[argc++] = *word == '@' ? xasprintf("%s/%s", run_machines, word + 1)
					    : xstrdup(word);
	}
	argv[argc] = NULL;
	out_init(&out, NULL);
	r.rc = options_parse(&o, argc, argv, &r.err);
	if (o.width)
		out.width = o.width;
	if (!r.rc)
		r.rc = o.command == CMD_BOOT	  ? cmd_boot(&o, &out, &r.err)
		       : o.command == CMD_WASTE	  ? cmd_waste(&o, &out, &r.err)
		       : o.command == CMD_COMPARE ? cmd_compare(&o, &out, &r.err)
		       : o.command == CMD_DEVICES ? cmd_devices(&o, &out, &r.err)
		       : o.command == CMD_SWIOTLB ? cmd_swiotlb(&o, &out, &r.err)
		       : o.command == CMD_PREDICT ? cmd_predict(&o, &out, &r.err)
		       : o.command == CMD_IOMMU	  ? cmd_iommu(&o, &out, &r.err)
						  : cmd_reach(&o, &out, &r.err);
	r.text = xstrndup(out_text(&out), out.n);
	r.n = out.n;
	if (!r.err)
		r.err = xstrdup("");
	out_destroy(&out);
	while (argc--)
		free(argv[argc]);
	free(copy);
	return r;
}

static inline void run_done(struct run *r)
{
	free(r->text);
	free(r->err);
}

/* The place of a text in what was printed; says what was printed when it is not there. */
static inline const char *run_has(const struct run *r, const char *needle)
{
	const char *at = strstr(r->text, needle);

	if (!at)
		fail_msg("missing: %s\nin:\n%s%s", needle, r->text, r->err);
	return at;
}

static inline void run_has_not(const struct run *r, const char *needle)
{
	if (strstr(r->text, needle))
		fail_msg("not expected: %s\nin:\n%s", needle, r->text);
}

/* The text of a run, with blanks and line ends made one blank each. */
static inline void run_says(const struct run *r, const char *needle)
{
	char *flat = xstrdup(r->text), *to = flat;

	for (const char *p = r->text; *p; p++)
		if ((*p != ' ' && *p != '\n') || (to > flat && to[-1] != ' '))
			*to++ = (char)(*p == '\n' ? ' ' : *p);
	*to = 0;
	if (!strstr(flat, needle))
		fail_msg("missing: %s\nin:\n%s", needle, r->text);
	free(flat);
}

/* A line is refused with exit code 2 and this text. */
static inline void run_refused(const char *line, const char *why)
{
	struct run r = run(line);

	if (r.rc != EXIT_USAGE || !strstr(r.err, why) || strchr(r.err, '\n'))
		fail_msg("'%s': status %d, '%s', expected '%s'", line, r.rc, r.err, why);
	assert_string_equal(r.text, "");
	run_done(&r);
}

#endif
