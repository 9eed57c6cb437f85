/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_report.c - the report of an allocation that failed: the request, the zones, the totals.
 *
 * Failure: a line that cannot be read to its end leaves no fact. A zone's line that lacks a field
 * leaves that field unknown, for the fields differ between versions.
 */
#include "input/log_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "insmod: page allocation failure: order:5, mode:0xcc1(GFP_KERNEL|GFP_DMA), nodemask=...". */
enum log_ret log_failure(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char key[] = ": page allocation failure: order:";
	const char *start = s->p, *flags = NULL, *end = NULL;
	const char *at = ls_find(start, (size_t)(s->end - start), key);
	struct fact_failure *e;
	uint64_t order, gfp;

	if (!at)
		return LOG_OTHER;
	s->p = at + sizeof(key) - 1;
	if (!ls_dec(s, &order) || !ls_lit(s, ", mode:") || !ls_hex(s, &gfp))
		return LOG_BAD;
	if (order > 63) {
		ls_fail(s, "there is no such order");
		return LOG_BAD;
	}
	if (ls_opt(s, "(")) {
		flags = s->p;
		end = memchr(flags, ')', (size_t)(s->end - flags));
		if (!end) {
			s->ran_out = true;
			return LOG_BAD;
		}
	}
	if (!log_room(c, s, c->f->failures.n))
		return LOG_BAD;
	e = vec_push(&c->f->failures);
	e->comm = xstrndup(start, (size_t)(at - start));
	e->order = (unsigned int)order;
	e->gfp = gfp;
	e->flags = flags ? xstrndup(flags, (size_t)(end - flags)) : NULL;
	e->stamp = c->stamp;
	e->report = UINT32_MAX;
	e->at = c->at;
	c->failure = (uint32_t)(c->f->failures.n - 1);
	return LOG_USED;
}

/* "Mem-Info:". */
enum log_ret log_mem_info(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_mem_info *e;

	if (!log_room(c, s, c->f->mem_infos.n))
		return LOG_BAD;
	if (c->failure != UINT32_MAX)
		c->f->failures.v[c->failure].report = (uint32_t)c->f->mem_infos.n;
	c->failure = UINT32_MAX;
	c->zone_report = UINT32_MAX;
	e = vec_push(&c->f->mem_infos);
	memset(e, 0xff, sizeof(*e));
	e->at = c->at;
	return LOG_USED;
}

/* Behind "524158 pages ": "RAM", "HighMem/MovableOnly", "reserved", "cma reserved". */
enum log_ret log_pages(struct log_ctx *c, struct log_scan *s, uint64_t pages)
{
	struct fact_mem_info *e;

	if (!c->f->mem_infos.n)
		return LOG_OTHER;
	e = &c->f->mem_infos.v[c->f->mem_infos.n - 1];
	if (ls_opt(s, "RAM"))
		e->ram = pages;
	else if (ls_opt(s, "HighMem/MovableOnly"))
		e->highmem = pages;
	else if (ls_opt(s, "reserved"))
		e->reserved = pages;
	else if (ls_opt(s, "cma reserved"))
		e->cma = pages;
	else
		return LOG_OTHER;
	return LOG_USED;
}

/* Behind "Node 0 DMA free:": "128kB boost:0kB min:344kB ... managed:15360kB ...". */
enum log_ret log_zone_report(struct log_ctx *c, struct log_scan *s, int nid, const char *zone)
{
	struct fact_zone_report r;
	const struct log_report_field {
		const char *name;
		uint64_t *value;
	} fields[] = {
		{ "boost", &r.boost },	     { "min", &r.min },		  { "low", &r.low },
		{ "high", &r.high },	     { "present", &r.present },	  { "managed", &r.managed },
		{ "free_pcp", &r.free_pcp }, { "free_cma", &r.free_cma },
	};
	uint64_t v;

	memset(&r, 0xff, sizeof(r));
	memset(r.protection, 0, sizeof(r.protection));
	if (!ls_dec(s, &r.free) || !ls_lit(s, "kB"))
		return LOG_BAD;
	while (!ls_done(s)) {
		const char *name = s->p;
		size_t n;

		while (s->p < s->end && *s->p != ':' && *s->p != ' ')
			s->p++;
		n = (size_t)(s->p - name);
		if (!ls_lit(s, ":") || !ls_dec(s, &v) || (!ls_opt(s, "kB") && !ls_lit(s, "KB")))
			return LOG_BAD;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (strlen(fields[i].name) == n && !memcmp(fields[i].name, name, n))
				*fields[i].value = v;
	}
	if (r.present == UINT64_MAX || r.managed == UINT64_MAX) {
		s->ran_out = true;
		s->why = "the line ends early";
		return LOG_BAD;
	}
	if (r.managed > r.present || !log_room(c, s, c->f->zone_reports.n)) {
		ls_fail(s, "more pages are managed than present");
		return LOG_BAD;
	}
	r.report = (uint32_t)c->f->mem_infos.n - 1;
	r.nid = nid;
	snprintf(r.name, sizeof(r.name), "%s", zone);
	r.protections = 0;
	r.at = c->at;
	*vec_push(&c->f->zone_reports) = r;
	c->zone_report = (uint32_t)(c->f->zone_reports.n - 1);
	return LOG_USED;
}

/* Behind "lowmem_reserve[]:": " 0 1943 1943 1943 1943", of the zone on the line before. */
enum log_ret log_lowmem_reserve(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_zone_report *e;
	uint64_t v[8];
	unsigned int n = 0;

	while (!ls_done(s)) {
		if (n == 8 || !ls_dec(s, &v[n]))
			return LOG_BAD;
		n++;
	}
	if (!n) {
		s->ran_out = true;
		s->why = "the line ends early";
		return LOG_BAD;
	}
	if (c->zone_report == UINT32_MAX)
		return LOG_OTHER;
	e = &c->f->zone_reports.v[c->zone_report];
	memcpy(e->protection, v, n * sizeof(v[0]));
	e->protections = n;
	c->zone_report = UINT32_MAX;
	return LOG_USED;
}
