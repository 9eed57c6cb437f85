/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_text.c - the ways to allocate tables beside each other, for people.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <physzone/linux/gfp.h>
#include <physzone/linux/slab_gfp.h>

#include "../view/table.h"
#include "../view/view.h"
#include "table_domains.h"
#include "tables.h"

#define TEXT_COLUMN 14u /* where what follows a name begins */

static void text_item(struct out *o, const char *name, const char *words)
{
	out_printf(o, "  %-*s", (int)TEXT_COLUMN - 2, name);
	out_wrap(o, TEXT_COLUMN, TEXT_COLUMN, words);
	out_char(o, '\n');
}

static void text_head(struct out *o, const struct tables *x)
{
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX], most[VIEW_SIZE_MAX];
	const struct tables_count *n = &x->runs[0].plain;
	const bool all = x->set->last >= TABLE_LAST_MAX; /* the format's own limit */
	char *words;

	out_style(o, ST_BOLD);
	out_str(o, "Second-level tables on ");
	out_clean(o, x->m->title);
	out_style(o, ST_PLAIN);
	out_char(o, '\n');
	words = xasprintf("%s: %" PRIu64 " mapping%s made, %" PRIu64 " table%s asked for, %" PRIu64
			  " of them in atomic context; %" PRIu32 " (%s) at once%s",
			  x->ops->name, x->trace->maps, x->trace->maps == 1 ? "" : "s", n->asked,
			  n->asked == 1 ? "" : "s", n->atomic_asked, x->trace->peak,
			  view_size(most, (uint64_t)x->trace->peak << TABLE_SHIFT),
			  x->set->keep ? "; empty ones stay until the end" : "");
	text_item(o, "stream", words);
	free(words);
	words = xasprintf("%s %s%s; others hold %u %% of what is above the watermarks, and "
			  "in %u %% of the time all that can be had in atomic context",
			  view_size(size, x->below), all ? "in all" : "below ",
			  all ? "" : view_addr(addr, x->set->last + 1), x->set->fill,
			  x->set->pressure);
	text_item(o, "memory", words);
	free(words);
	for (int i = 0; i < TABLE_WAYS; i++) {
		words = xasprintf("%s; %s of metadata", x->runs[i].how,
				  view_size(size, x->runs[i].plain.meta));
		text_item(o, x->runs[i].name, words);
		free(words);
	}
	if (x->ops->recorded && (x->ops->ignored || x->trace->unknown)) {
		words = xasprintf("%" PRIu64 " other lines, %" PRIu64
				  " pages unmapped that were not seen mapped",
				  x->ops->ignored, x->trace->unknown);
		text_item(o, "recorded", words);
		free(words);
	}
}

static void text_size(struct table *t, unsigned int column, uint64_t bytes)
{
	char size[VIEW_SIZE_MAX];

	table_set(t, column, bytes ? ST_PLAIN : ST_DIM, "%s", view_size(size, bytes));
}

static void text_number(struct table *t, unsigned int column, uint64_t n)
{
	table_set(t, column, n ? ST_WARN : ST_DIM, "%" PRIu64, n);
}

static void text_titles(struct table *t, const char *const *titles)
{
	table_row(t);
	for (unsigned int i = 0; titles[i]; i++)
		table_set(t, i, ST_HEAD, "%s", titles[i]);
}

/* What is held, and when. */
static void text_memory(struct out *o, const struct tables *x)
{
	static const char *const titles[] = { "memory held", "at peak",	   "waste",  "90 % freed",
					      "shrunk",	     "at the end", "shrunk", NULL };
	struct table t;

	table_init(&t, "lrrrrrr");
	text_titles(&t, titles);
	for (int i = 0; i < TABLE_WAYS; i++) {
		const struct tables_count *n = &x->runs[i].plain;
		uint64_t waste = n->peak - n->peak_payload;

		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%s", x->runs[i].name);
		text_size(&t, 1, n->peak);
		table_set(&t, 2, ST_PLAIN, "%" PRIu64 " %%", n->peak ? waste * 100 / n->peak : 0);
		text_size(&t, 3, n->low);
		text_size(&t, 4, n->shrunk);
		text_size(&t, 5, n->end);
		text_size(&t, 6, n->end_shrunk);
	}
	table_row(&t);
	table_set(&t, 0, ST_DIM, "the tables");
	text_size(&t, 1, (uint64_t)x->trace->peak << TABLE_SHIFT);
	text_size(&t, 3, x->runs[0].plain.low_wanted);
	table_print(&t, o, 2);
	table_destroy(&t);
}

/* What came of the requests, without debug options and with them. */
static void text_requests(struct out *o, const struct tables *x)
{
	static const char *const titles[] = { "requests",    "failed",	    "waiting",
					      "not aligned", "debug: peak", "failed",
					      "waiting",     "not aligned", NULL };
	struct table t;

	table_init(&t, "lrrrrrrrrr");
	text_titles(&t, titles);
	if (x->set->time) {
		table_set(&t, 8, ST_HEAD, "ns, alloc");
		table_set(&t, 9, ST_HEAD, "free");
	}
	for (int i = 0; i < TABLE_WAYS; i++) {
		const struct tables_run *r = &x->runs[i];

		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%s", r->name);
		text_number(&t, 1, r->plain.atomic_failed);
		text_number(&t, 2, r->plain.waiting_failed);
		text_number(&t, 3, r->plain.misaligned + r->plain.beyond);
		text_size(&t, 4, r->debug.peak);
		text_number(&t, 5, r->debug.atomic_failed);
		text_number(&t, 6, r->debug.waiting_failed);
		text_number(&t, 7, r->debug.misaligned + r->debug.beyond);
		if (!x->set->time)
			continue;
		table_set(&t, 8, ST_PLAIN, "%.0f", r->take_ns);
		table_set(&t, 9, ST_PLAIN, "%.0f", r->give_ns);
	}
	table_print(&t, o, 2);
	table_destroy(&t);
}

static void text_notes(struct out *o, const struct tables *x)
{
	char *words;

	out_str(o, "\n  ");
	if (pzl_slab_bad_gfp(x->m->model) & PZL_GFP_DMA32) {
		words = xasprintf(
			"kmalloc(GFP_DMA32) is none of these: %s has no such caches, warns of an "
			"unexpected flag when it needs a slab, and gives memory from anywhere.",
			pzl_model_name(x->m->model));
		out_wrap(o, 2, 2, words);
		out_str(o, "\n  ");
		free(words);
	}
	out_wrap(
		o, 2, 2,
		"Held is counted in pages that are missing from the machine, metadata is what lies "
		"outside of them. Failed is in atomic context, waiting where the caller may wait. "
		"With debug, caches have the options FZPU, dma_pool poisons what is free, and the "
		"page allocator records its users. Each address was looked at: not aligned counts "
		"those that are not aligned to 1 KiB, or beyond the limit.");
	out_char(o, '\n');
}

void tables_text(struct out *o, const struct tables *x)
{
	text_head(o, x);
	out_char(o, '\n');
	text_memory(o, x);
	out_char(o, '\n');
	text_requests(o, x);
	text_notes(o, x);
}
