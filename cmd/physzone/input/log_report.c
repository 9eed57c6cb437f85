/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_report.c - the report of an allocation that failed: the request, the zones, their free
 * blocks, the totals.
 *
 * A report begins with "Mem-Info:". Where that line was lost, the first zone after a failure, or a
 * zone that the report before has already, begins one.
 *
 * Invariants: 1. every zone belongs to a report; 2. a report's zones stand together.
 *
 * Failure: a line that cannot be read to its end leaves no fact. A zone's line that lacks a field
 * leaves that field unknown, for the fields differ between versions.
 */
#include "input/log_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_ZONES = 2048 };

/* The text behind @key, up to a comma or a blank, or NULL. A list of nodes has commas in it. */
static char *report_after(const struct log_scan *s, const char *key, bool list)
{
	const char *p = ls_find(s->p, (size_t)(s->end - s->p), key), *end;

	if (!p)
		return NULL;
	p += strlen(key);
	for (end = p; end < s->end && *end != ' '; end++)
		if (*end == ',' && !(list && end + 1 < s->end && end[1] >= '0' && end[1] <= '9'))
			break;
	return end > p ? xstrndup(p, (size_t)(end - p)) : NULL;
}

/* "insmod: page allocation failure: order:5, mode:0xcc1(GFP_KERNEL|GFP_DMA), nodemask=...". */
enum log_ret log_failure(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char *const keys[] = { ": page allocation failure: order:",
					    ": page allocation failure. order:" };
	const char *start = s->p, *flags = NULL, *end = NULL, *at = NULL;
	struct fact_failure *e;
	uint64_t order, gfp;

	for (size_t i = 0; !at && i < sizeof(keys) / sizeof(keys[0]); i++)
		at = ls_find(start, (size_t)(s->end - start), keys[i]);
	if (!at)
		return LOG_OTHER;
	s->p = at + strlen(keys[0]);
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
		s->p = end + 1;
	}
	if (!log_room(c, s, c->f->failures.n))
		return LOG_BAD;
	e = vec_push(&c->f->failures);
	e->comm = xstrndup(start, (size_t)(at - start));
	e->order = (unsigned int)order;
	e->gfp = gfp;
	e->flags = flags ? xstrndup(flags, (size_t)(end - flags)) : NULL;
	e->nodemask = report_after(s, "nodemask=", true);
	e->mems_allowed = report_after(s, "mems_allowed=", true);
	e->cpu = PZ_NID_NONE;
	e->stamp = c->stamp;
	e->report = UINT32_MAX;
	e->at = c->at;
	c->failure = (uint32_t)(c->f->failures.n - 1);
	c->totals = false;
	return LOG_USED;
}

/* Begin a report, which is that of the failure in wait. */
static bool report_open(struct log_ctx *c, struct log_scan *s, bool headless)
{
	struct fact_mem_info *e;

	if (!log_room(c, s, c->f->mem_infos.n))
		return false;
	if (c->failure != UINT32_MAX)
		c->f->failures.v[c->failure].report = (uint32_t)c->f->mem_infos.n;
	c->failure = UINT32_MAX;
	c->zone_report = UINT32_MAX;
	c->zone_first = (uint32_t)c->f->zone_reports.n;
	c->totals = !headless;
	e = vec_push(&c->f->mem_infos);
	memset(e, 0xff, sizeof(*e));
	e->headless = headless;
	e->at = c->at;
	return true;
}

/* "Mem-Info:". */
enum log_ret log_mem_info(struct log_ctx *c, struct log_scan *s, int arg)
{
	return report_open(c, s, false) ? LOG_USED : LOG_BAD;
}

/* "active_anon:0 inactive_anon:0 isolated_anon:0" and the lines after it; the head is @c->line. */
enum log_ret log_totals(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_mem_info e;
	const struct report_total {
		const char *name;
		uint64_t *value;
	} totals[] = {
		{ "free", &e.free },
		{ "free_pcp", &e.free_pcp },
		{ "free_cma", &e.free_cma },
		{ "active_anon", &e.active_anon },
		{ "inactive_anon", &e.inactive_anon },
		{ "active_file", &e.active_file },
		{ "inactive_file", &e.inactive_file },
		{ "slab_reclaimable", &e.slab_reclaimable },
		{ "slab_unreclaimable", &e.slab_unreclaimable },
	};

	if (!c->totals || !c->f->mem_infos.n)
		return LOG_OTHER;
	e = c->f->mem_infos.v[c->f->mem_infos.n - 1];
	s->p = c->line;
	while (!ls_done(s)) {
		const char *name = s->p;
		uint64_t v;
		size_t n;

		while (s->p < s->end && *s->p != ':' && *s->p != ' ')
			s->p++;
		n = (size_t)(s->p - name);
		if (!ls_lit(s, ":") || !ls_dec(s, &v))
			return LOG_BAD;
		if (s->p < s->end && *s->p != ' ' && *s->p != '\t')
			return LOG_OTHER;
		for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
			if (strlen(totals[i].name) == n && !memcmp(totals[i].name, name, n))
				*totals[i].value = v;
	}
	c->f->mem_infos.v[c->f->mem_infos.n - 1] = e;
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

/* A zone of the report in hand, or UINT32_MAX. */
static uint32_t report_zone(const struct log_ctx *c, int nid, const char *zone)
{
	if (!c->f->mem_infos.n || c->failure != UINT32_MAX)
		return UINT32_MAX;
	for (size_t i = c->f->zone_reports.n; i-- > c->zone_first;)
		if (c->f->zone_reports.v[i].nid == nid &&
		    !strcmp(c->f->zone_reports.v[i].name, zone))
			return (uint32_t)i;
	return UINT32_MAX;
}

/* Add a zone to the report in hand, with nothing known of it, or begin another report with it. */
static struct fact_zone_report *report_add(struct log_ctx *c, struct log_scan *s, int nid,
					   const char *zone, bool again)
{
	struct fact_zone_report *e;

	if (!log_room(c, s, c->f->zone_reports.n))
		return NULL;
	if (!c->f->mem_infos.n || c->failure != UINT32_MAX || again ||
	    c->f->zone_reports.n - c->zone_first >= REPORT_ZONES)
		if (!report_open(c, s, true))
			return NULL;
	c->totals = false;
	e = vec_push(&c->f->zone_reports);
	memset(e, 0xff, sizeof(*e));
	memset(e->protection, 0, sizeof(e->protection));
	memset(e->blocks, 0, sizeof(e->blocks));
	memset(e->letters, 0, sizeof(e->letters));
	e->report = (uint32_t)c->f->mem_infos.n - 1;
	e->nid = nid;
	snprintf(e->name, sizeof(e->name), "%s", zone);
	e->protections = e->orders = 0;
	e->at = e->orders_at = (struct where){ c->at.file, 0 };
	return e;
}

/*
 * A field of a zone's line: "boost:0kB", and of old kernels "pages_scanned:0" and
 * "all_unreclaimable? yes", which ends the line (@last).
 */
static bool report_field(struct log_scan *s, const char **name, size_t *n, uint64_t *v, bool *last)
{
	static const char scanned[] = "pages_scanned";

	*name = s->p;
	while (s->p < s->end && *s->p != ':' && *s->p != ' ')
		s->p++;
	*n = (size_t)(s->p - *name);
	*v = UINT64_MAX;
	if (*n && (*name)[*n - 1] == '?') {
		*last = true;
		return ls_opt(s, " yes") || ls_lit(s, " no");
	}
	if (!ls_lit(s, ":") || !ls_dec(s, v))
		return false;
	if (*n == sizeof(scanned) - 1 && !memcmp(*name, scanned, *n))
		return true;
	return ls_opt(s, "kB") || ls_lit(s, "KB");
}

/* Behind "Node 0 DMA free:": "128kB boost:0kB min:344kB ... managed:15360kB ...". */
enum log_ret log_zone_report(struct log_ctx *c, struct log_scan *s, int nid, const char *zone)
{
	struct fact_zone_report r, *e;
	const struct report_zone_field {
		const char *name;
		uint64_t *value;
	} fields[] = {
		{ "boost", &r.boost },
		{ "min", &r.min },
		{ "low", &r.low },
		{ "high", &r.high },
		{ "present", &r.present },
		{ "managed", &r.managed },
		{ "free_pcp", &r.free_pcp },
		{ "local_pcp", &r.local_pcp },
		{ "free_cma", &r.free_cma },
		{ "reserved_highatomic", &r.highatomic },
		{ "active_file", &r.active_file },
		{ "inactive_file", &r.inactive_file },
	};
	uint32_t known = report_zone(c, nid, zone);
	bool old = false;

	memset(&r, 0xff, sizeof(r));
	if (!ls_dec(s, &r.free) || !ls_lit(s, "kB"))
		return LOG_BAD;
	while (!ls_done(s)) {
		const char *name;
		uint64_t v;
		size_t n;

		if (!report_field(s, &name, &n, &v, &old))
			return LOG_BAD;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (strlen(fields[i].name) == n && !memcmp(fields[i].name, name, n))
				*fields[i].value = v;
	}
	/* Before managed pages were told, the line ended with "all_unreclaimable?". */
	if (r.present == UINT64_MAX || (r.managed == UINT64_MAX && !old)) {
		s->ran_out = true;
		s->why = "the line ends early";
		return LOG_BAD;
	}
	if (r.managed != UINT64_MAX && r.managed > r.present) {
		ls_fail(s, "more pages are managed than present");
		return LOG_BAD;
	}
	e = report_add(c, s, nid, zone, known != UINT32_MAX);
	if (!e)
		return LOG_BAD;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		memcpy((char *)e + ((char *)fields[i].value - (char *)&r), fields[i].value,
		       sizeof(uint64_t));
	e->free = r.free;
	e->at = c->at;
	c->zone_report = (uint32_t)(c->f->zone_reports.n - 1);
	return LOG_USED;
}

/* "(UM)" into bits. */
static bool report_letters(struct log_scan *s, uint8_t *bits)
{
	static const char letters[] = FACT_LETTERS;

	for (*bits = 0; s->p < s->end && *s->p != ')'; s->p++) {
		const char *at = strchr(letters, *s->p);

		if (!at || !*s->p)
			return ls_fail(s, "there is no such type of pages");
		*bits |= (uint8_t)(1u << (at - letters));
	}
	return ls_lit(s, ")");
}

/* Behind "Node 0 DMA:": " 1*4kB (U) 0*8kB 1*16kB (UM) ... = 20kB". */
enum log_ret log_zone_blocks(struct log_ctx *c, struct log_scan *s, int nid, const char *zone)
{
	struct fact_zone_report r, *e;
	uint32_t known = report_zone(c, nid, zone);
	uint64_t kib, first = 0;
	struct log_scan peek = *s;

	ls_space(&peek);
	if (peek.p == peek.end || *peek.p < '0' || *peek.p > '9' ||
	    !memchr(peek.p, '*', (size_t)(peek.end - peek.p)))
		return LOG_OTHER;
	memset(&r, 0, sizeof(r));
	while (!ls_opt(s, " = ")) {
		uint32_t k = r.orders;

		ls_space(s);
		if (k == FACT_ORDERS) {
			ls_fail(s, "there are no such orders");
			return LOG_BAD;
		}
		if (!ls_dec(s, &r.blocks[k]) || !ls_lit(s, "*") || !ls_dec(s, &kib) ||
		    !ls_lit(s, "kB"))
			return LOG_BAD;
		first = k ? first : kib;
		if (!first || first > 1u << 20 || kib != first << k) {
			ls_fail(s, "the blocks do not double in size");
			return LOG_BAD;
		}
		if (ls_opt(s, " (") && !report_letters(s, &r.letters[k]))
			return LOG_BAD;
		r.orders++;
	}
	if (!ls_dec(s, &r.blocks_kib) || !ls_lit(s, "kB"))
		return LOG_BAD;
	if (known != UINT32_MAX && !c->f->zone_reports.v[known].orders)
		e = &c->f->zone_reports.v[known];
	else
		e = report_add(c, s, nid, zone, known != UINT32_MAX);
	if (!e)
		return LOG_BAD;
	memcpy(e->blocks, r.blocks, sizeof(e->blocks));
	memcpy(e->letters, r.letters, sizeof(e->letters));
	e->orders = r.orders;
	e->block_kib = first;
	e->blocks_kib = r.blocks_kib;
	e->orders_at = c->at;
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
