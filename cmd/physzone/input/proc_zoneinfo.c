/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_zoneinfo.c - /proc/zoneinfo, as kernels from 4.x on print it.
 *
 * A zone starts with "Node N, zone NAME". Of the lines after it those with a known word are read,
 * and all others (counters, of which every version has its own) passed over. A zone without pages
 * is printed up to its protection only, so it has no start and no per-CPU part.
 *
 * The word tells a field: "high" is the zone's mark, "high:" the bound of a CPU's list.
 */
#include "input/proc.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "input/scan.h"

static const struct zoneinfo_field {
	const char *word;
	size_t offset;
} zoneinfo_fields[] = {
	{ "pages free", offsetof(struct fact_zoneinfo, free) },
	{ "boost", offsetof(struct fact_zoneinfo, boost) },
	{ "min", offsetof(struct fact_zoneinfo, min) },
	{ "low", offsetof(struct fact_zoneinfo, low) },
	{ "high", offsetof(struct fact_zoneinfo, high) },
	{ "spanned", offsetof(struct fact_zoneinfo, spanned) },
	{ "present", offsetof(struct fact_zoneinfo, present) },
	{ "managed", offsetof(struct fact_zoneinfo, managed) },
	{ "cma", offsetof(struct fact_zoneinfo, cma) },
	{ "high:", offsetof(struct fact_zoneinfo, pcp_high) },
	{ "batch:", offsetof(struct fact_zoneinfo, pcp_batch) },
	{ "start_pfn:", offsetof(struct fact_zoneinfo, start_pfn) },
};

enum { ZONEINFO_FIELDS = sizeof(zoneinfo_fields) / sizeof(zoneinfo_fields[0]) };

static uint64_t *zoneinfo_at(struct fact_zoneinfo *z, size_t field)
{
	return (uint64_t *)(void *)((char *)z + zoneinfo_fields[field].offset);
}

/* "Node 0, zone      DMA" */
static bool zoneinfo_header(struct span line, int *nid, struct span *name)
{
	uint64_t n;

	if (!span_text(&line, "Node ") || !span_dec(&line, &n) || n > INT32_MAX)
		return false;
	if (!span_text(&line, ", zone"))
		return false;
	span_blanks(&line);
	if (!span_word(&line, name) || !span_empty(line))
		return false;
	for (const char *p = name->p; p < name->end; p++)
		if (!isalnum((unsigned char)*p))
			return false;
	*nid = (int)n;
	return name->end - name->p < 16;
}

/* "protection: (0, 1932, 1932)" */
static bool zoneinfo_protection(struct span rest, struct fact_zoneinfo *z)
{
	span_blanks(&rest);
	if (!span_char(&rest, '('))
		return false;
	z->protections = 0;
	do {
		span_blanks(&rest);
		if (z->protections == sizeof(z->protection) / sizeof(z->protection[0]) ||
		    !span_dec(&rest, &z->protection[z->protections]))
			return false;
		z->protections++;
	} while (span_char(&rest, ','));
	return span_char(&rest, ')') && span_empty(rest);
}

static int zoneinfo_field(struct facts *f, struct where at, struct fact_zoneinfo *z,
			  struct span line, char **err)
{
	struct span rest = line;

	span_blanks(&rest);
	if (span_text(&rest, "protection:")) {
		if (!zoneinfo_protection(rest, z))
			return scan_expected(f, at, line, "\"protection: (pages, ...)\"", err);
		scan_count(f, at, true);
		return 0;
	}
	if (span_text(&rest, "cpu:")) {
		z->cpus++;
		scan_count(f, at, true);
		return 0;
	}
	for (size_t i = 0; i < ZONEINFO_FIELDS; i++) {
		const char *word = zoneinfo_fields[i].word;
		struct span after = rest;
		uint64_t *v = zoneinfo_at(z, i);
		uint64_t value;

		if (!span_text(&after, word) || !span_blanks(&after))
			continue;
		if (!span_dec(&after, &value) || !span_empty(after))
			return scan_expected(f, at, line, "a number of pages", err);
		/* The first CPU's list stands for all. */
		if (*v == UINT64_MAX)
			*v = value;
		scan_count(f, at, true);
		return 0;
	}
	scan_count(f, at, false);
	return 0;
}

int proc_zoneinfo(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	size_t before = f->zoneinfo.n;
	struct where at = { file, 0 };
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct span start = s.line;
		struct fact_zoneinfo *z;
		struct span name;
		int nid, ret;

		at.line = s.number;
		if (span_empty(s.line)) {
			scan_count(f, at, false);
			continue;
		}
		if (!zoneinfo_header(s.line, &nid, &name)) {
			if (f->zoneinfo.n == before || span_text(&start, "Node "))
				return scan_expected(f, at, s.line, "\"Node N, zone NAME\"", err);
			ret = zoneinfo_field(f, at, &f->zoneinfo.v[f->zoneinfo.n - 1], s.line, err);
			if (ret)
				return ret;
			continue;
		}
		for (size_t i = before; i < f->zoneinfo.n; i++) {
			z = &f->zoneinfo.v[i];
			if (z->nid == nid && span_is(name, z->name))
				return scan_error(f, at, err,
						  "zone %s of node %d stands here twice, first in "
						  "line %u",
						  z->name, nid, z->at.line);
		}
		z = vec_push(&f->zoneinfo);
		z->nid = nid;
		memcpy(z->name, name.p, (size_t)(name.end - name.p));
		z->at = at;
		for (size_t i = 0; i < ZONEINFO_FIELDS; i++)
			*zoneinfo_at(z, i) = UINT64_MAX;
		scan_count(f, at, true);
	}
	at.line = 0;
	if (f->zoneinfo.n == before)
		return scan_error(f, at, err, "no \"Node N, zone NAME\" line in it");
	return 0;
}
