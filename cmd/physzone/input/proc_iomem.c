/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_iomem.c - /proc/iomem: "  first-last : name", two blanks for each level of nesting.
 *
 * Besides the lines themselves, the ranges that the kernel marks within its memory become claims:
 * its own code and data, the crash kernel's memory, and what it calls "reserved".
 *
 * Without privilege the kernel prints every address as 0. Such a file tells nothing, and it is
 * refused as a whole rather than read as a machine with one byte of memory.
 */
#include "input/proc.h"

#include <string.h>

#include "input/scan.h"

static const struct iomem_claim {
	const char *name;
	enum claim_kind kind;
} iomem_claims[] = {
	{ "Kernel code", CLAIM_KERNEL_CODE },  { "Kernel rodata", CLAIM_KERNEL_RODATA },
	{ "Kernel data", CLAIM_KERNEL_DATA },  { "Kernel bss", CLAIM_KERNEL_BSS },
	{ "Crash kernel", CLAIM_CRASHKERNEL }, { "reserved", CLAIM_OTHER },
};

/* One line: depth, range and name. */
static bool iomem_line(struct span line, unsigned int *depth, struct pz_range *r, struct span *name)
{
	*depth = span_blanks(&line) / 2;
	if (!span_hex(&line, &r->first) || !span_char(&line, '-') || !span_hex(&line, &r->last))
		return false;
	if (!span_blanks(&line) || !span_char(&line, ':'))
		return false;
	span_blanks(&line);
	span_trim(&line);
	*name = line;
	return true;
}

/* Of two reservations for a crash kernel the lower is the one for memory below 4 GiB. */
static void iomem_crash_low(struct facts *f, uint32_t file)
{
	struct fact_claim *low = NULL;
	unsigned int seen = 0;

	for (size_t i = 0; i < f->claims.n; i++) {
		struct fact_claim *c = &f->claims.v[i];

		if (c->kind != CLAIM_CRASHKERNEL || c->at.file != file)
			continue;
		seen++;
		if (!low || c->range.first < low->range.first)
			low = c;
	}
	if (seen > 1 && low->range.last <= UINT32_MAX)
		low->kind = CLAIM_CRASHKERNEL_LOW;
}

static void iomem_claim(struct facts *f, const struct fact_iomem *line)
{
	for (size_t i = 0; i < sizeof(iomem_claims) / sizeof(iomem_claims[0]); i++) {
		struct fact_claim *c;

		if (strcmp(line->name, iomem_claims[i].name) != 0)
			continue;
		/* A "reserved" that is not within memory is the firmware's. */
		if (iomem_claims[i].kind == CLAIM_OTHER && line->depth == 0)
			continue;
		c = vec_push(&f->claims);
		c->kind = iomem_claims[i].kind;
		c->range = line->range;
		c->nid = PZ_NID_NONE;
		c->text = xstrdup(line->name);
		c->at = line->at;
	}
}

int proc_iomem(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	size_t before = f->iomem.n;
	struct where at = { file, 0 };
	struct scan s;

	if (proc_iomem_is_hidden(buf, len))
		return scan_error(f, at, err,
				  "every address is 0: the kernel shows them to root only");
	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct fact_iomem *line;
		unsigned int depth;
		struct pz_range r;
		struct span name;

		at.line = s.number;
		if (span_empty(s.line)) {
			scan_count(f, at, false);
			continue;
		}
		if (!iomem_line(s.line, &depth, &r, &name))
			return scan_expected(f, at, s.line, "\"first-last : name\"", err);
		if (r.first > r.last)
			return scan_error(f, at, err, "the range ends before it starts");
		line = vec_push(&f->iomem);
		line->depth = depth;
		line->range = r;
		line->name = span_dup(name);
		line->at = at;
		scan_count(f, at, true);
		iomem_claim(f, line);
	}
	at.line = 0;
	if (f->iomem.n == before)
		return scan_error(f, at, err, "no \"first-last : name\" line in it");
	iomem_crash_low(f, file);
	return 0;
}

bool proc_is_iomem(const char *buf, size_t len)
{
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		unsigned int depth;
		struct pz_range r;
		struct span name;

		if (!span_empty(s.line))
			return iomem_line(s.line, &depth, &r, &name);
	}
	return false;
}

bool proc_iomem_is_hidden(const char *buf, size_t len)
{
	bool any = false;
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		unsigned int depth;
		struct pz_range r;
		struct span name;

		if (span_empty(s.line))
			continue;
		if (!iomem_line(s.line, &depth, &r, &name) || r.first || r.last)
			return false;
		any = true;
	}
	return any;
}
