/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_log.c - a log of any bytes, packed or not: every fact is a possible one, every line is
 * accounted for, reading it again says the same, and failures in it can be explained.
 */
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "facts.h"
#include "input/log.h"
#include "input/text.h"

enum { FUZZ_PAGES = 1 << 18, FUZZ_REPORTS = 8 };

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
	for (size_t i = 0; i < f->zone_reports.n; i++)
		if (f->zone_reports.v[i].report >= f->mem_infos.n ||
		    f->zone_reports.v[i].orders > FACT_ORDERS ||
		    (i && f->zone_reports.v[i].report < f->zone_reports.v[i - 1].report))
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

/* Rebuild what is not too large for a fuzzer; a remedy that helped needs a machine. */
static void fuzz_rebuild(struct explained *e, struct facts *f, const struct analysis_options *how)
{
	uint64_t present = 0;

	for (size_t i = 0; i < e->all.n; i++)
		for (size_t k = 0; k < e->all.v[i].zones.n; k++) {
			uint64_t n = e->all.v[i].zones.v[k].present;

			present += n <= FUZZ_PAGES ? n : 0;
		}
	if (present > FUZZ_PAGES || e->all.n > FUZZ_REPORTS)
		return;
	explain_rebuild(e, f, how);
	for (size_t i = 0; i < e->all.n; i++) {
		const struct ex_rebuilt *r = e->all.v[i].rebuilt;

		if ((r->again == EX_NOT_REBUILT) != !!r->obstacle)
			abort();
		for (size_t k = 0; k < e->all.v[i].remedies.n; k++)
			if (r->obstacle && e->all.v[i].remedies.v[k].tried != EX_UNTRIED)
				abort();
	}
}

/* Every failure is in one explanation, and a zone that seems to serve it makes that the cause. */
static void fuzz_explain(struct facts *f)
{
	const struct analysis_options how = { .model = NULL };
	struct explained e;
	struct explain_view v = { &e, f, "fuzz", true };
	struct out o;
	size_t failures = 0;
	char *err;

	if (explain(&e, f, &how, &err))
		abort();
	for (size_t i = 0; i < e.all.n; i++) {
		const struct explanation *x = &e.all.v[i];

		failures += x->failure ? x->times : 0;
		for (size_t k = 0; k < x->zones.n; k++) {
			const struct pzl_zone_judgement *j = &x->zones.v[k].judged;

			if (x->failure && !x->zones.v[k].excluded && j->verdict == PZL_ZONE_OK &&
			    x->cause != EX_GONE && x->cause != EX_TOO_LARGE)
				abort();
			if (j->serves >= (int32_t)x->zones.v[k].state.orders ||
			    j->largest >= (int32_t)x->zones.v[k].state.orders)
				abort();
		}
		if (x->zone != UINT32_MAX && x->zone >= x->zones.n)
			abort();
	}
	if (failures != f->failures.n)
		abort();
	fuzz_rebuild(&e, f, &how);
	out_init(&o, NULL);
	explain_text(&o, &v);
	explain_json(&o, &v);
	out_destroy(&o);
	explained_destroy(&e);
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
			fuzz_explain(&f);
		}
		facts_destroy(&f);
	}
	text_destroy(&t);
	return 0;
}
