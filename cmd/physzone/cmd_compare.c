/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_compare.c - physzone compare: several answers to one question, on the same stream.
 */
#include "commands.h"

#include <string.h>

#include "compare/compare.h"

static const struct {
	const char *name;
	int (*run)(const struct options *o, struct out *out, char **err);
} compare_topics[] = {
	{ "policies", compare_policies },
};
#define COMPARE_TOPICS (sizeof(compare_topics) / sizeof(compare_topics[0]))

int cmd_compare(const struct options *o, struct out *out, char **err)
{
	const char *names[COMPARE_TOPICS + 1], *near;

	for (size_t i = 0; i < COMPARE_TOPICS; i++) {
		if (!strcmp(compare_topics[i].name, o->topic))
			return compare_topics[i].run(o, out, err);
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
