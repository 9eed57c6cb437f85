/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_trace.c - who asked for the pages: the processor and the call trace of a failure.
 *
 * Lines of a call trace start with the name of any function, so they are looked for only between a
 * failure and its report. Frames that the kernel itself marks as doubtful ("? name") are left out.
 *
 * Failure: none; a line that is no frame is left to be ignored.
 */
#include "input/log_int.h"

#include <string.h>

enum { TRACE_FRAMES = 32, TRACE_LINES = 128, TRACE_NAME = 96, TRACE_CPUS = 65536 };

static bool trace_letter(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       ch == '_' || ch == '.' || ch == '$';
}

static bool trace_is(const char *p, const char *end, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(end - p) >= n && !memcmp(p, text, n);
}

/* "name+0x1/0x2 [module]", "[<c0de>] name+0x1/0x2", or "inner from name+0x1/0x2" (arm). */
bool log_trace(struct log_ctx *c, const char *p, size_t n)
{
	const char *end = p + n, *from, *name;
	struct fact_failure *e;
	size_t len = 0;

	if (c->failure == UINT32_MAX)
		return false;
	e = &c->f->failures.v[c->failure];
	if (c->at.line - e->at.line > TRACE_LINES)
		return false;
	if (trace_is(p, end, "[<")) {
		while (p < end && *p != ']')
			p++;
		if (p < end)
			p++;
		while (p < end && *p == ' ')
			p++;
	}
	from = ls_find(p, (size_t)(end - p), " from ");
	name = from ? from + 6 : p;
	while (name + len < end && trace_letter(name[len]))
		len++;
	if (!len || len > TRACE_NAME || (*name >= '0' && *name <= '9') ||
	    !trace_is(name + len, end, "+0x"))
		return false;
	if (e->trace.n < TRACE_FRAMES)
		*vec_push(&e->trace) = xstrndup(name, len);
	return true;
}

/* " 0 PID: 1 Comm: insmod", or with an UID before the PID. */
bool log_failure_cpu(struct log_ctx *c, struct log_scan s)
{
	uint64_t cpu;

	if (c->failure == UINT32_MAX || !ls_opt(&s, " ") || !ls_dec(&s, &cpu) || cpu > TRACE_CPUS ||
	    c->at.line - c->f->failures.v[c->failure].at.line > TRACE_LINES)
		return false;
	if (!ls_opt(&s, " PID: ") && !ls_opt(&s, " UID: "))
		return false;
	c->f->failures.v[c->failure].cpu = (int)cpu;
	return true;
}
