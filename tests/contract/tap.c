/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.c - the contract suite's framework: Test Anything Protocol through a callback, no libc.
 */
#include "tap.h"

static void tap_str(struct tap *t, const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	t->write(t->ctx, s, n);
}

static void tap_num(struct tap *t, uint32_t v)
{
	char buf[10];
	size_t i = sizeof(buf);

	do {
		buf[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	t->write(t->ctx, buf + i, sizeof(buf) - i);
}

bool tap_ok(struct tap *t, bool ok, const char *what, const char *file, int line)
{
	t->run++;
	if (!ok)
		t->failed++;
	tap_str(t, ok ? "ok " : "not ok ");
	tap_num(t, t->run);
	tap_str(t, " - ");
	if (t->suite) {
		tap_str(t, t->suite);
		tap_str(t, ": ");
	}
	/* '#' would start a directive. */
	for (; *what; what++)
		t->write(t->ctx, *what == '#' ? "." : what, 1);
	if (!ok) {
		tap_str(t, "\n# failed at ");
		tap_str(t, file);
		tap_str(t, ":");
		tap_num(t, (uint32_t)line);
	}
	tap_str(t, "\n");
	return ok;
}

void tap_suite(struct tap *t, const char *name, void (*fn)(struct tap *t))
{
	uint32_t before = t->run;

	t->suite = name;
	fn(t);
	if (t->run == before)
		tap_ok(t, false, "the suite reported nothing", __FILE__, __LINE__);
	t->suite = NULL;
}

uint32_t tap_done(struct tap *t)
{
	tap_str(t, "1..");
	tap_num(t, t->run);
	tap_str(t, "\n");
	return t->failed;
}
