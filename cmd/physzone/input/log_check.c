/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_check.c - contradictions within a log: how they are recorded, and those that show only when
 * the last line was read.
 *
 * Failure: none. Of a log that is damaged all over, the first contradictions are kept and the rest
 * counted, so that the report stays readable.
 */
#include "input/log_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_REPORTED = 64 };

void log_contradict(struct log_ctx *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (c->reported == LOG_REPORTED) {
		if (!c->unreported++)
			c->unreported_at = c->at;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	facts_contradict(c->f, c->at, "%s", text);
	c->reported++;
}

/* The range of a node must span its memory. */
static void log_check_nodes(struct log_ctx *c)
{
	const struct facts *f = c->f;
	const struct fact_initmem **by_nid;
	size_t nodes = 0;

	for (size_t i = 0; i < f->initmem.n; i++)
		if (f->initmem.v[i].at.file == c->at.file && (size_t)f->initmem.v[i].nid >= nodes)
			nodes = (size_t)f->initmem.v[i].nid + 1;
	if (!nodes)
		return;
	by_nid = xcalloc(nodes, sizeof(*by_nid));
	for (size_t i = 0; i < f->initmem.n; i++)
		if (f->initmem.v[i].at.file == c->at.file)
			by_nid[f->initmem.v[i].nid] = &f->initmem.v[i];
	for (size_t i = 0; i < f->node_ranges.n; i++) {
		const struct fact_node_range *r = &f->node_ranges.v[i];
		const struct fact_initmem *m;

		if (r->at.file != c->at.file || (size_t)r->nid >= nodes || !by_nid[r->nid])
			continue;
		m = by_nid[r->nid];
		if (m->memoryless || r->range.first < m->range.first ||
		    r->range.last > m->range.last) {
			c->at = r->at;
			log_contradict(
				c, "this memory lies outside node %d as line %" PRIu32 " gives it",
				r->nid, m->at.line);
		}
	}
	free(by_nid);
}

void log_check_all(struct log_ctx *c)
{
	struct where last = c->at;

	log_dump_close(c);
	log_check_nodes(c);
	c->at = last;
	log_cmdline_decide(c);
	c->at = last;
	log_arch_decide(c);
	if (c->unreported)
		facts_contradict(c->f, c->unreported_at,
				 "and %" PRIu64 " more lines that are damaged or contradict others",
				 c->unreported);
	if (c->repeated)
		facts_note(c->f, "%" PRIu64 " lines of the log repeat earlier ones", c->repeated);
}
