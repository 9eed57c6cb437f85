/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - what requests cost, for people and for programs.
 */
#include "waste.h"

#include <inttypes.h>

#include "../json.h"
#include "../view/table.h"
#include "../view/view.h"

static const char *text_way(enum waste_way way)
{
	static const char *const names[WASTE_WAYS] = {
		[WASTE_KMALLOC] = "slabs of kmalloc",
		[WASTE_ORDERS] = "a block of 2^n pages each",
		[WASTE_PAGES] = "whole pages each",
	};

	return names[way];
}

static const char *json_way(enum waste_way way)
{
	static const char *const names[WASTE_WAYS] = {
		[WASTE_KMALLOC] = "kmalloc",
		[WASTE_ORDERS] = "orders",
		[WASTE_PAGES] = "pages",
	};

	return names[way];
}

static const char *text_cache(const struct waste *w, const struct waste_size *s)
{
	return s->cache == SIZE_MAX ? "page allocator" : w->caches.v[s->cache].name;
}

/* Bytes of the slots, or of the block. */
static uint64_t text_slots(const struct waste *w, const struct waste_size *s)
{
	return s->count * (s->cache == SIZE_MAX ? waste_order_bytes(w, s->bytes)
						: w->caches.v[s->cache].g.size);
}

static void text_sizes(struct out *out, const struct waste *w)
{
	static const char *const heads[] = { "bytes", "times",	"asked for", "from",
					     "slots", "blocks", "pages" };
	char size[VIEW_SIZE_MAX];
	struct table t;

	table_init(&t, "rrrlrrr");
	table_row(&t);
	for (unsigned int i = 0; i < 7; i++)
		table_set(&t, i, ST_HEAD, "%s", heads[i]);
	for (size_t i = 0; i < w->sizes.n; i++) {
		const struct waste_size *s = &w->sizes.v[i];

		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%" PRIu64, s->bytes);
		table_set(&t, 1, ST_PLAIN, "%" PRIu64, s->count);
		table_set(&t, 2, ST_PLAIN, "%s", view_size(size, s->bytes * s->count));
		table_set(&t, 3, ST_PLAIN, "%s", text_cache(w, s));
		table_set(&t, 4, ST_PLAIN, "%s", view_size(size, text_slots(w, s)));
		table_set(&t, 5, ST_PLAIN, "%s",
			  view_size(size, waste_order_bytes(w, s->bytes) * s->count));
		table_set(&t, 6, ST_PLAIN, "%s",
			  view_size(size, waste_page_bytes(w, s->bytes) * s->count));
	}
	table_print(&t, out, 2);
	table_destroy(&t);
}

static void text_caches(struct out *out, const struct waste *w)
{
	char size[VIEW_SIZE_MAX];
	struct table t;

	table_init(&t, "lrrrr");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "cache");
	table_set(&t, 1, ST_HEAD, "objects");
	table_set(&t, 2, ST_HEAD, "slabs");
	table_set(&t, 3, ST_HEAD, "of");
	table_set(&t, 4, ST_HEAD, "held");
	for (size_t i = 0; i < w->caches.n; i++) {
		const struct waste_cache *c = &w->caches.v[i];
		const unsigned int shift = w->page_shift + c->g.order;

		if (!c->slabs)
			continue;
		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%s", c->name);
		table_set(&t, 1, ST_PLAIN, "%" PRIu64, c->objects);
		table_set(&t, 2, ST_PLAIN, "%" PRIu64, c->slabs);
		table_set(&t, 3, ST_PLAIN, "%s", view_size(size, UINT64_C(1) << shift));
		table_set(&t, 4, ST_PLAIN, "%s", view_size(size, c->slabs << shift));
	}
	if (t.rows.n > 1) {
		out_char(out, '\n');
		table_print(&t, out, 2);
	}
	table_destroy(&t);
}

static void text_ways(struct out *out, const struct waste *w)
{
	char size[VIEW_SIZE_MAX];
	struct table t;

	table_init(&t, "lrrr");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "in all");
	table_set(&t, 1, ST_HEAD, "held");
	table_set(&t, 2, ST_HEAD, "wasted");
	table_set(&t, 3, ST_HEAD, "of it");
	for (unsigned int way = 0; way < WASTE_WAYS; way++) {
		const unsigned int part = waste_per_mille(w->asked, w->held[way]);

		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%s", text_way((enum waste_way)way));
		table_set(&t, 1, ST_PLAIN, "%s", view_size(size, w->held[way]));
		table_set(&t, 2, ST_PLAIN, "%s", view_size(size, w->held[way] - w->asked));
		table_set(&t, 3, ST_PLAIN, "%u.%u %%", part / 10, part % 10);
	}
	out_char(out, '\n');
	table_print(&t, out, 2);
	table_destroy(&t);
}

/* Words from a column on, and the end of the line. */
static void text_words(struct out *out, unsigned int column, struct out *words)
{
	out_wrap(out, column, 0, out_text(words));
	out_char(out, '\n');
	out_destroy(words);
}

static void text_head(struct out *out, const struct waste *w, const struct waste_input *in,
		      bool all)
{
	char size[VIEW_SIZE_MAX];

	const char *what = all ? "kmalloc" : "kmalloc(GFP_DMA)";
	struct out words;

	out_init(&words, NULL);
	out_printf(&words, ", by the rules of %s on %s, pages of %s",
		   pzl_model_name(w->boot.km.model), pzl_arch_name(w->arch),
		   view_size(size, UINT64_C(1) << w->page_shift));
	out_styled(out, ST_BOLD, what);
	text_words(out, text_columns(what), &words);
	if (!in->trace)
		return;
	out_init(&words, NULL);
	out_printf(&words, "%" PRIu64 " allocations in %s", in->allocs, in->name);
	if (!all)
		out_printf(&words, ", %" PRIu64 " without GFP_DMA", in->others);
	if (in->failed)
		out_printf(&words, ", %" PRIu64 " that failed", in->failed);
	if (in->none)
		out_printf(&words, ", %" PRIu64 " of 0 bytes", in->none);
	if (w->peak)
		out_printf(&words, "; most is asked for after line %zu",
			   in->events.v[w->peak - 1].line);
	text_words(out, 0, &words);
}

static void text_notes(struct out *out, const struct waste *w, bool all)
{
	char size[VIEW_SIZE_MAX];
	const uint64_t slabs = w->held[WASTE_KMALLOC], blocks = w->held[WASTE_ORDERS];
	struct out words;

	out_char(out, '\n');
	out_init(&words, NULL);
	if (blocks > slabs)
		out_printf(&words,
			   "Without its caches this would take %s more, %.1f times as much.",
			   view_size(size, blocks - slabs), (double)blocks / (double)slabs);
	else if (blocks < slabs)
		out_printf(&words, "Without its caches this would take %s less.",
			   view_size(size, slabs - blocks));
	else
		out_str(&words, "Without its caches this would take as much.");
	text_words(out, 0, &words);
	if (w->elsewhere && !all) {
		out_init(&words, NULL);
		out_str(&words, "This kernel has no ZONE_DMA: GFP_DMA asks for nothing there.");
		text_words(out, 0, &words);
	}
	if (w->differ) {
		out_init(&words, NULL);
		out_printf(&words,
			   "Of the trace %" PRIu64 " allocations were given another size by its "
			   "kernel: it is another one, or has options.",
			   w->differ);
		text_words(out, 0, &words);
	}
}

void waste_text(struct out *out, const struct waste *w, const struct waste_input *in, bool all)
{
	text_head(out, w, in, all);
	if (!w->count) {
		out_printf(out, "\nNothing asks for %s.\n", all ? "memory" : "GFP_DMA");
		return;
	}
	out_char(out, '\n');
	text_sizes(out, w);
	text_caches(out, w);
	text_ways(out, w);
	text_notes(out, w, all);
}

static void json_sizes(struct json *j, const struct waste *w)
{
	json_key(j, "sizes");
	json_array(j, false);
	for (size_t i = 0; i < w->sizes.n; i++) {
		const struct waste_size *s = &w->sizes.v[i];

		json_object(j, true);
		json_key_u64(j, "bytes", s->bytes);
		json_key_u64(j, "count", s->count);
		json_key_u64(j, "asked", s->bytes * s->count);
		json_key_string(j, "cache",
				s->cache == SIZE_MAX ? NULL : w->caches.v[s->cache].name);
		json_key_u64(j, "slots", text_slots(w, s));
		json_key_u64(j, "orders", waste_order_bytes(w, s->bytes) * s->count);
		json_key_u64(j, "pages", waste_page_bytes(w, s->bytes) * s->count);
		json_end_object(j);
	}
	json_end_array(j);
}

void waste_json(struct out *out, const struct waste *w, const struct waste_input *in, bool all)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, false);
	json_key_u64(&j, "schema", 1);
	json_key_string(&j, "model", pzl_model_name(w->boot.km.model));
	json_key_string(&j, "arch", pzl_arch_name(w->arch));
	json_key_u64(&j, "page_size", UINT64_C(1) << w->page_shift);
	json_key_string(&j, "source", in->name);
	json_key_bool(&j, "only_dma", !all);
	if (in->trace) {
		json_key_u64(&j, "allocations", in->allocs);
		json_key_u64(&j, "not_dma", in->others);
		json_key_u64(&j, "failed", in->failed);
		json_key_u64(&j, "empty", in->none);
		json_key_u64(&j, "differ", w->differ);
		json_key_u64(&j, "peak_line", w->peak ? in->events.v[w->peak - 1].line : 0);
	}
	json_sizes(&j, w);
	json_key(&j, "caches");
	json_array(&j, false);
	for (size_t i = 0; i < w->caches.n; i++) {
		const struct waste_cache *c = &w->caches.v[i];

		if (!c->slabs)
			continue;
		json_object(&j, true);
		json_key_string(&j, "name", c->name);
		json_key_u64(&j, "objects", c->objects);
		json_key_u64(&j, "slabs", c->slabs);
		json_key_u64(&j, "order", c->g.order);
		json_key_u64(&j, "held", c->slabs << (w->page_shift + c->g.order));
		json_end_object(&j);
	}
	json_end_array(&j);
	json_key_u64(&j, "count", w->count);
	json_key_u64(&j, "asked", w->asked);
	for (unsigned int way = 0; way < WASTE_WAYS; way++) {
		json_key(&j, json_way((enum waste_way)way));
		json_object(&j, true);
		json_key_u64(&j, "held", w->held[way]);
		json_key_u64(&j, "wasted", w->held[way] - w->asked);
		json_key_u64(&j, "wasted_per_mille", waste_per_mille(w->asked, w->held[way]));
		json_end_object(&j);
	}
	json_end_object(&j);
	json_finish(&j);
}
