/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_sweep.c - what `predict --sweep` takes, and the command lines that it makes.
 *
 * Up to the first line end it is the sweep, behind it the command line.
 */
#include <stdlib.h>
#include <string.h>

#include "predict/predict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* The word stands in front, once: to set it again adds nothing. */
static void check_cmdline(const struct sweep *s, const char *line)
{
	char *once, *twice;

	once = sweep_cmdline(s, line, s->to);
	twice = sweep_cmdline(s, once, s->to);
	must(!strncmp(once, s->name, strlen(s->name)));
	must(strlen(twice) <= strlen(once));
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *line = strchr(text, '\n'), *err = NULL;
	struct sweep s;

	if (line)
		*line++ = '\0';
	if (!sweep_parse(&s, text, &err)) {
		must(!err && s.values.n && s.values.n <= SWEEP_POINTS);
		must(s.values.v[0] == s.from && s.values.v[s.values.n - 1] == s.to);
		for (size_t i = 0; i < s.values.n; i++) {
			must(s.values.v[i] % s.grain == 0);
			must(!i || s.values.v[i - 1] < s.values.v[i]);
		}
		if (s.what != SWEEP_RAM)
			check_cmdline(&s, line);
	} else {
		must(err && !strchr(err, '\n'));
	}
	sweep_destroy(&s);
	free(err);
	free(text);
	return 0;
}
