/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_compare.c - physzone compare: several answers to one question, on the same stream.
 */
#include "commands.h"

#include <string.h>

#include "compare/compare.h"
#include "compare/tables.h"

static const struct {
	const char *name;
	int (*run)(const struct options *o, struct out *out, char **err);
} compare_topics[] = {
	{ "policies", compare_policies },
	{ "tables", compare_tables },
};
#define COMPARE_TOPICS (sizeof(compare_topics) / sizeof(compare_topics[0]))

/* Options that would be passed over: a made-up machine has no source, a recording no seed. */
static char *compare_idle(const struct options *o)
{
	const char *of_source = o->arch	     ? "arch"
				: o->cmdline ? "cmdline"
				: o->boot    ? "boot"
				: o->capture ? "capture"
					     : NULL;

	if (of_source && !o->live && !o->source)
		return xasprintf("--%s is for a machine that is read: SOURCE or --live", of_source);
	if (o->seed_given && o->trace)
		return xstrdup("--seed is for a mix; --trace takes what was recorded");
	return NULL;
}

/* The file of a mix or trace; NULL, or what is wrong with it. */
static char *compare_file(const struct options *o)
{
	const char *file = o->mix ? o->mix : o->trace, *option = o->mix ? "mix" : "trace";

	if (file && !*file)
		return xasprintf("--%s wants a name, and it is empty", option);
	if (file && o->source && !strcmp(file, "-") && !strcmp(o->source, "-"))
		return xasprintf("SOURCE and --%s - both want standard input", option);
	return NULL;
}

int cmd_compare(const struct options *o, struct out *out, char **err)
{
	const char *names[COMPARE_TOPICS + 1], *near;

	for (size_t i = 0; i < COMPARE_TOPICS; i++) {
		if (!strcmp(compare_topics[i].name, o->topic)) {
			*err = compare_idle(o);
			if (!*err)
				*err = compare_file(o);
			return *err ? EXIT_USAGE : compare_topics[i].run(o, out, err);
		}
		names[i] = compare_topics[i].name;
	}
	names[COMPARE_TOPICS] = NULL;
	near = nearest_word(o->topic, names);
	*err = near ? xasprintf("nothing to compare called '%s'; did you mean '%s'?", o->topic,
				near)
		    : xasprintf("nothing to compare called '%s'; see 'physzone compare --help'",
				o->topic);
	return EXIT_USAGE;
}
