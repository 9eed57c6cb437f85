/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_text.h - lines of the kernel's tracing: an event's name and what follows it.
 */
#ifndef PHYSZONE_CMD_COMPARE_TRACE_TEXT_H
#define PHYSZONE_CMD_COMPARE_TRACE_TEXT_H

#include <string.h>

#include "../input/scan.h"

/* What stands behind a text in a line; false when it is not there as a word of its own. */
static inline bool trace_after(struct span line, const char *text, struct span *rest)
{
	size_t n = strlen(text);

	for (const char *p = line.p; p < line.end && (size_t)(line.end - p) >= n; p++) {
		if (memcmp(p, text, n) || (p > line.p && !strchr(" \t:", p[-1])))
			continue;
		rest->p = p + n;
		rest->end = line.end;
		return true;
	}
	return false;
}

/* Take the name of a field, with its "=", after any blanks. */
static inline bool trace_field(struct span *s, const char *name)
{
	(void)span_blanks(s);
	return span_text(s, name);
}

#endif
