/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - the policies beside each other, for people.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "../view/table.h"
#include "../view/view.h"
#include "compare.h"

struct text {
	struct out *o;
	const struct compare_machine *m;
	const struct stream *s;
	const struct compare_run *runs;
	size_t n;
};

static void text_item(struct out *o, const char *name, const char *words)
{
	out_printf(o, "  %-8s  ", name);
	out_wrap(o, 12, 12, words);
	out_char(o, '\n');
}

static void text_head(const struct text *x)
{
	char size[VIEW_SIZE_MAX], *words;
	uint64_t asked = 0;

	for (size_t i = 0; i < x->n; i++)
		asked = x->runs[i].asked_most > asked ? x->runs[i].asked_most : asked;
	out_style(x->o, ST_BOLD);
	out_str(x->o, "Policies on ");
	out_clean(x->o, x->m->title);
	out_style(x->o, ST_PLAIN);
	out_char(x->o, '\n');
	words = xasprintf("%s: %zu requests, %s at once", x->s->name, x->s->requests.n,
			  view_pages_size(size, asked, x->m->page_shift));
	text_item(x->o, "stream", words);
	free(words);
	words = xasprintf("%s managed, up to %#" PRIx64,
			  view_pages_size(size, x->m->managed, x->m->page_shift), x->m->ram_last);
	text_item(x->o, "memory", words);
	free(words);
	for (size_t i = 0; i < x->n; i++)
		text_item(x->o, compare_policy_name(x->runs[i].policy), x->runs[i].how);
	if (!x->s->recorded || !(x->s->failed || x->s->early || x->s->lost || x->s->ignored))
		return;
	words = xasprintf("%" PRIu64 " requests failed then, %" PRIu64
			  " pages came back that were taken before, %" PRIu64
			  " blocks came back unseen, %" PRIu64 " other lines",
			  x->s->failed, x->s->early, x->s->lost, x->s->ignored);
	text_item(x->o, "recorded", words);
	free(words);
}

static void text_title(const struct text *x, struct table *t, const char *title, bool asked)
{
	table_row(t);
	table_set(t, 0, ST_HEAD, "%s", title);
	if (asked)
		table_set(t, 1, ST_HEAD, "asked");
	for (size_t i = 0; i < x->n; i++)
		table_set(t, (unsigned int)i + 2, ST_HEAD, "%s",
			  compare_policy_name(x->runs[i].policy));
}

static void text_served(const struct text *x, struct table *t)
{
	uint64_t atomic = 0;

	text_title(x, t, "requests served", true);
	for (size_t c = 0; c < x->s->classes.n; c++) {
		uint64_t asked = x->runs[0].count.v[c].asked;

		atomic += x->runs[0].count.v[c].atomic_asked;
		if (!asked)
			continue;
		table_row(t);
		table_set(t, 0, ST_PLAIN, "%s", x->s->classes.v[c].name);
		table_set(t, 1, ST_PLAIN, "%" PRIu64, asked);
		for (size_t i = 0; i < x->n; i++) {
			uint64_t served = x->runs[i].count.v[c].served;

			table_set(t, (unsigned int)i + 2, served < asked ? ST_WARN : ST_PLAIN,
				  "%" PRIu64, served);
		}
	}
	if (!atomic)
		return;
	table_row(t);
	table_set(t, 0, ST_PLAIN, "of them atomic");
	table_set(t, 1, ST_PLAIN, "%" PRIu64, atomic);
	for (size_t i = 0; i < x->n; i++) {
		uint64_t served = 0;

		for (size_t c = 0; c < x->s->classes.n; c++)
			served += x->runs[i].count.v[c].atomic_served;
		table_set(t, (unsigned int)i + 2, served < atomic ? ST_WARN : ST_PLAIN, "%" PRIu64,
			  served);
	}
}

static void text_failed(const struct text *x, struct table *t)
{
	bool any = false;

	for (int w = 0; w < COMPARE_WHYS; w++) {
		uint64_t sum[COMPARE_POLICIES] = { 0 }, all = 0;

		for (size_t i = 0; i < x->n; i++)
			for (size_t c = 0; c < x->s->classes.n; c++)
				sum[i] += x->runs[i].count.v[c].why[w];
		for (size_t i = 0; i < x->n; i++)
			all += sum[i];
		if (!all)
			continue;
		if (!any) {
			table_row(t);
			text_title(x, t, "failed", false);
		}
		any = true;
		table_row(t);
		table_set(t, 0, ST_PLAIN, "%s", compare_why_name((enum compare_why)w));
		for (size_t i = 0; i < x->n; i++)
			table_set(t, (unsigned int)i + 2, sum[i] ? ST_WARN : ST_DIM, "%" PRIu64,
				  sum[i]);
	}
}

/* A row of sizes by class: stranded on average, or idle while a request of the class failed. */
static void text_sizes(const struct text *x, struct table *t, const char *title, bool idle)
{
	char size[VIEW_SIZE_MAX];
	bool begun = false;

	for (size_t c = 0; c < x->s->classes.n; c++) {
		bool any = false;

		for (size_t i = 0; i < x->n; i++) {
			const struct compare_count *n = &x->runs[i].count.v[c];

			any = any || (n->asked && (idle ? n->served < n->asked : true));
		}
		if (!any || (x->s->classes.v[c].movable && !idle))
			continue;
		if (!begun) {
			table_row(t);
			text_title(x, t, title, false);
		}
		begun = true;
		table_row(t);
		table_set(t, 0, ST_PLAIN, "%s", x->s->classes.v[c].name);
		for (size_t i = 0; i < x->n; i++) {
			const struct compare_count *n = &x->runs[i].count.v[c];
			uint64_t times = idle ? n->asked - n->served : x->runs[i].samples.n;
			uint64_t sum = idle ? n->idle : n->stranded;

			if (times)
				table_set(t, (unsigned int)i + 2, ST_PLAIN, "%s",
					  view_pages_size(size, sum / times, x->m->page_shift));
			else
				table_set(t, (unsigned int)i + 2, ST_DIM, "-");
		}
	}
}

static void text_rest(const struct text *x, struct table *t)
{
	char size[VIEW_SIZE_MAX];

	table_row(t);
	text_title(x, t, "in all", false);
	table_row(t);
	table_set(t, 0, ST_PLAIN, "pages moved");
	for (size_t i = 0; i < x->n; i++)
		table_set(t, (unsigned int)i + 2, ST_PLAIN, "%" PRIu64, x->runs[i].moved);
	table_row(t);
	table_set(t, 0, ST_PLAIN, "most in use");
	for (size_t i = 0; i < x->n; i++)
		table_set(t, (unsigned int)i + 2, ST_PLAIN, "%s",
			  view_pages_size(size, x->runs[i].most, x->m->page_shift));
	table_row(t);
	table_set(t, 0, ST_PLAIN, "failed");
	for (size_t i = 0; i < x->n; i++)
		table_set(t, (unsigned int)i + 2, x->runs[i].failed ? ST_WARN : ST_PLAIN,
			  "%" PRIu64, x->runs[i].failed);
}

void compare_policies_text(struct out *o, const struct compare_machine *m, const struct stream *s,
			   const struct compare_run *runs, size_t n)
{
	struct text x = { o, m, s, runs, n };
	struct table t;

	text_head(&x);
	out_char(o, '\n');
	table_init(&t, "lrrrrr");
	text_served(&x, &t);
	text_failed(&x, &t);
	text_sizes(&x, &t, "stranded", false);
	text_sizes(&x, &t, "free when refused", true);
	text_rest(&x, &t);
	table_print(&t, o, 2);
	table_destroy(&t);
}
