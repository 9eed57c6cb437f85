/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_compare.c - what physzone compare reads, of any bytes: mixes, recorded requests for pages,
 * recorded mappings. What is understood is carried on to the stream that follows from it.
 */
#include <stdlib.h>
#include <string.h>

#include "compare/stream.h"
#include "compare/table_trace.h"
#include "input/text.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An answer is 0, or an error with one printable line. */
static int fuzz_answer(int rc, char **err)
{
	if ((rc != 0 && rc != EXIT_INPUT) || (rc != 0) != (*err != NULL))
		abort();
	if (*err && strpbrk(*err, "\n\r\t\033"))
		abort();
	free(*err);
	*err = NULL;
	return rc;
}

static void fuzz_stream(const struct stream *s)
{
	uint8_t *seen = calloc(s->requests.n + 1, 1);

	if (!seen || s->events.n != 2 * s->requests.n)
		abort();
	for (size_t i = 0; i < s->events.n; i++) {
		uint32_t id = s->events.v[i] & ~STREAM_FREE;

		if (id >= s->requests.n || seen[id]++ != (s->events.v[i] & STREAM_FREE ? 1 : 0))
			abort();
	}
	free(seen);
}

static void fuzz_tables(const struct table_ops *t, bool keep)
{
	struct table_trace r;
	size_t there = 0;

	table_reduce(&r, t, keep);
	for (size_t i = 0; i < r.events.n; i++) {
		there += r.events.v[i].back ? (size_t)-1 : 1;
		if (there > r.peak || r.events.v[i].table >= r.tables)
			abort();
	}
	if (there != (keep ? 0 : r.left))
		abort();
	for (size_t i = 0; i < r.steps.n; i++) {
		const struct table_step *s = &r.steps.v[i];

		if (!s->op.size || (s->op.iova | s->op.size) % 4096 || s->tables > r.peak ||
		    s->op.domain >= t->domains)
			abort();
	}
	if (r.step_peak > r.steps.n || r.step_low > r.steps.n)
		abort();
	table_trace_destroy(&r);
}

static void fuzz_mix(const char *text, size_t size, enum mix_kind kind)
{
	struct table_ops ops;
	struct stream s;
	char *err = NULL;
	struct mix m;

	if (!fuzz_answer(mix_parse(&m, kind, text, size, "fuzz", &err), &err) && m.steps < 2000) {
		if (kind == MIX_PAGES) {
			if (!fuzz_answer(stream_generate(&s, &m, 1, 20000, 12, &err), &err))
				fuzz_stream(&s);
			stream_destroy(&s);
		} else {
			if (!fuzz_answer(table_ops_generate(&ops, &m, 1, &err), &err))
				fuzz_tables(&ops, false);
			table_ops_destroy(&ops);
		}
	}
	mix_destroy(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct table_ops ops;
	struct stream s;
	struct text text;
	char *err = NULL;

	fuzz_mix((const char *)data, size, MIX_PAGES);
	fuzz_mix((const char *)data, size, MIX_TABLES);
	if (text_from_memory(&text, data, size, "fuzz", 1 << 20, &err)) {
		free(err);
		return 0;
	}
	if (!fuzz_answer(stream_record_text(&s, &text, "fuzz", PZL_LINUX_6_1, 0xffffff, &err),
			 &err))
		fuzz_stream(&s);
	stream_destroy(&s);
	if (!fuzz_answer(table_ops_record_text(&ops, &text, "fuzz", &err), &err)) {
		fuzz_tables(&ops, false);
		fuzz_tables(&ops, true);
	}
	table_ops_destroy(&ops);
	text_destroy(&text);
	return 0;
}
