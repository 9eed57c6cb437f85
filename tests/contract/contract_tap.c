/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_tap.c - the framework's own contract: what a suite reports is what is written.
 */
#include "suites_decl.h"

struct tap_sink {
	char buf[128];
	size_t n;
};

static void sink_write(void *ctx, const char *s, size_t n)
{
	struct tap_sink *k = ctx;

	for (size_t i = 0; i < n && k->n < sizeof(k->buf) - 1; i++)
		k->buf[k->n++] = s[i];
	k->buf[k->n] = '\0';
}

static bool sink_is(const struct tap_sink *k, const char *want)
{
	size_t i = 0;

	while (want[i] && want[i] == k->buf[i])
		i++;
	return want[i] == k->buf[i];
}

static void quiet(struct tap *t)
{
	(void)t;
}

void contract_tap(struct tap *t)
{
	struct tap_sink k = { { 0 }, 0 };
	struct tap in = { sink_write, &k, NULL, NULL, 0, 0 };

	tap_ok(&in, true, "a #1", "f.c", 7);
	CHECK(t, sink_is(&k, "ok 1 - a .1\n"));
	k.n = 0;
	tap_ok(&in, false, "b", "f.c", 7);
	CHECK(t, sink_is(&k, "not ok 2 - b\n# failed at f.c:7\n"));
	k.n = 0;
	CHECK(t, tap_done(&in) == 1);
	CHECK(t, sink_is(&k, "1..2\n"));
	tap_suite(&in, "quiet", quiet);
	CHECK_NAMED(t, in.failed == 2, "a suite that reports nothing fails");
}
