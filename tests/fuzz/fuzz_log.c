/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_log.c - a log of any bytes, packed or not: every fact is a possible one, every line is
 * accounted for, and reading it again says the same.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "input/log.h"
#include "input/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_range(struct pz_range r)
{
	if (r.first > r.last)
		abort();
}

static void fuzz_facts(const struct facts *f, const struct text *t)
{
	uint64_t used = 0;

	for (size_t i = 0; i < f->fw.n; i++)
		fuzz_range(f->fw.v[i].range);
	for (size_t i = 0; i < f->e820_changes.n; i++)
		fuzz_range(f->e820_changes.v[i].range);
	for (size_t i = 0; i < f->node_ranges.n; i++)
		fuzz_range(f->node_ranges.v[i].range);
	for (size_t i = 0; i < f->initmem.n; i++)
		fuzz_range(f->initmem.v[i].range);
	for (size_t i = 0; i < f->zone_ranges.n; i++)
		fuzz_range(f->zone_ranges.v[i].range);
	for (size_t i = 0; i < f->srat.n; i++)
		fuzz_range(f->srat.v[i].range);
	for (size_t i = 0; i < f->claims.n; i++)
		fuzz_range(f->claims.v[i].range);
	for (size_t i = 0; i < f->mb_events.n; i++)
		fuzz_range(f->mb_events.v[i].range);
	for (size_t i = 0; i < f->mb_regions.n; i++)
		fuzz_range(f->mb_regions.v[i].range);
	for (size_t i = 0; i < f->spans.n; i++)
		fuzz_range(f->spans.v[i].pfns);
	for (size_t i = 0; i < f->failures.n; i++)
		if (f->failures.v[i].report != UINT32_MAX &&
		    f->failures.v[i].report >= f->mem_infos.n)
			abort();
	for (size_t i = 0; i < f->contradictions.n; i++)
		if (f->contradictions.v[i].at.line > t->n ||
		    strpbrk(f->contradictions.v[i].text, "\n\r\t\033"))
			abort();
	if (f->lines_total != t->n || f->line_marks.n != t->n)
		abort();
	for (size_t i = 0; i < t->n; i++)
		used += f->line_marks.v[i];
	if (used != f->lines_used || f->lines_used + f->lines_ignored != f->lines_total)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text t;
	char *err;

	if (text_from_memory(&t, data, size, "fuzz", 1 << 20, &err)) {
		if (!err || strchr(err, '\n'))
			abort();
		free(err);
		return 0;
	}
	log_looks_like(&t);
	for (unsigned int boot = 0; boot < 3; boot++) {
		struct facts f;

		facts_init(&f);
		f.keep_lines = boot == 0;
		if (log_parse(&f, &t, facts_file(&f, "fuzz"), boot, &err)) {
			if (!boot || !err || boot <= f.boots)
				abort();
			free(err);
		} else {
			fuzz_facts(&f, &t);
		}
		facts_destroy(&f);
	}
	text_destroy(&t);
	return 0;
}
