/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_views.c - the zones and the map for programs. Keys are only ever added; what changes
 * meaning raises VIEW_SCHEMA.
 */
#include "view.h"

#include <string.h>

#include "../json.h"

/* A number that the analysis left open is null. */
static void json_view_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	if (v == VIEW_UNKNOWN)
		json_null(j);
	else
		json_u64(j, v);
}

static void json_view_where(struct json *j, const struct facts *f, struct where at)
{
	if (at.file < f->files.n)
		json_key_string(j, "file", f->files.v[at.file]);
	if (at.line)
		json_key_u64(j, "line", at.line);
}

static void json_view_source(struct json *j, const struct view *v, bool lines)
{
	const struct facts *f = v->f;
	size_t i;

	json_key(j, "source");
	json_object(j, false);
	json_key_string(j, "name", v->title);
	json_key_string(j, "kind", view_source_kind(f->kind));
	json_key_string(j, "kernel", f->release);
	json_key_string(j, "cmdline", f->cmdline);
	json_key_u64(j, "boot", f->boot);
	json_key_u64(j, "boots", f->boots);
	json_key_u64(j, "lines_total", f->lines_total);
	json_key_u64(j, "lines_used", f->lines_used);
	json_key_u64(j, "lines_ignored", f->lines_ignored);
	json_key(j, "contradictions");
	json_array(j, false);
	for (i = 0; i < v->a->contradictions.n; i++)
		json_string(j, v->a->contradictions.v[i].text);
	json_end_array(j);
	/* Where they stand, in the same order. */
	json_key(j, "contradictions_at");
	json_array(j, false);
	for (i = 0; i < v->a->contradictions.n; i++) {
		json_object(j, true);
		json_view_where(j, f, v->a->contradictions.v[i].at);
		json_end_object(j);
	}
	json_end_array(j);
	if (lines) {
		json_key(j, "lines");
		json_array(j, false);
		for (i = 0; i < f->line_texts.n; i++) {
			json_object(j, true);
			json_key_u64(j, "line", i + 1);
			json_key_bool(j, "used", i < f->line_marks.n && f->line_marks.v[i]);
			json_key_string(j, "text", f->line_texts.v[i]);
			json_end_object(j);
		}
		json_end_array(j);
	}
	json_end_object(j);
}

void view_json_head(struct json *j, const struct view *v, bool lines)
{
	const struct analysis *a = v->a;

	json_object(j, false);
	json_key_u64(j, "schema", VIEW_SCHEMA);
	json_key_string(j, "model", pzl_model_name(a->model));
	json_key_string(j, "model_from", a->model_from);
	json_key_string(j, "arch", a->page_shift ? pzl_arch_name(a->arch) : NULL);
	json_key_string(j, "arch_from", a->arch_from);
	json_view_u64(j, "page_size",
		      a->page_shift ? (uint64_t)1 << a->page_shift : VIEW_UNKNOWN);
	json_view_source(j, v, lines);
}

void view_json_tail(struct json *j, const struct view *v)
{
	const struct analysis *a = v->a;
	size_t i, k;

	json_key(j, "notes");
	json_array(j, false);
	for (i = 0; i < a->notes.n; i++)
		json_string(j, a->notes.v[i]);
	for (i = 0; i < v->f->notes.n; i++) {
		for (k = 0; k < a->notes.n && strcmp(a->notes.v[k], v->f->notes.v[i]); k++)
			continue;
		if (k == a->notes.n)
			json_string(j, v->f->notes.v[i]);
	}
	json_end_array(j);
	json_key(j, "problems");
	json_array(j, false);
	for (i = 0; i < a->problems.n; i++)
		json_string(j, a->problems.v[i].text);
	json_end_array(j);
	json_key_bool(j, "undecided", a->undecided);
	json_end_object(j);
	json_finish(j);
}

static void json_view_zone(struct json *j, enum pz_zone_type type, const struct an_zone *z)
{
	unsigned int i;

	json_object(j, true);
	json_key_string(j, "name", pz_zone_name(type));
	json_view_u64(j, "start_pfn", z->start_pfn);
	json_view_u64(j, "spanned", z->spanned);
	json_view_u64(j, "present", z->present);
	json_view_u64(j, "managed", z->managed);
	json_key_string(j, "managed_from", view_managed_from(z->managed_from));
	json_view_u64(j, "cma", z->cma);
	json_view_u64(j, "min", z->min);
	json_view_u64(j, "low", z->low);
	json_view_u64(j, "high", z->high);
	json_key(j, "protection");
	json_array(j, true);
	for (i = 0; i < z->protections && i < PZ_ZONE_TYPES; i++)
		json_u64(j, z->protection[i]);
	json_end_array(j);
	json_end_object(j);
}

static void json_view_nodes(struct json *j, const struct analysis *a)
{
	size_t n;
	unsigned int t;

	json_key(j, "nodes");
	json_array(j, false);
	for (n = 0; n < a->nodes.n; n++) {
		const struct an_node *node = &a->nodes.v[n];

		json_object(j, false);
		json_key(j, "id");
		json_i64(j, node->nid);
		json_key_bool(j, "memoryless", node->memoryless);
		json_key(j, "zones");
		json_array(j, false);
		for (t = 0; t < PZ_ZONE_TYPES; t++)
			if (node->zone[t].shown)
				json_view_zone(j, (enum pz_zone_type)t, &node->zone[t]);
		json_end_array(j);
		json_end_object(j);
	}
	json_end_array(j);
}

void zones_json(struct out *o, const struct view *v, bool lines)
{
	struct json j;

	json_init(&j, o);
	view_json_head(&j, v, lines);
	json_view_nodes(&j, v->a);
	json_key(&j, "from");
	json_object(&j, false);
	json_key_string(&j, "layout", v->a->layout_from);
	json_key_string(&j, "managed", v->a->managed_from);
	json_key_string(&j, "marks", v->a->marks_from);
	json_end_object(&j);
	view_json_tail(&j, v);
}

void map_json(struct out *o, const struct view *v)
{
	const struct analysis *a = v->a;
	struct json j;
	size_t i;

	json_init(&j, o);
	view_json_head(&j, v, false);
	json_key(&j, "pieces");
	json_array(&j, false);
	for (i = 0; i < a->pieces.n; i++) {
		const struct an_piece *p = &a->pieces.v[i];

		json_object(&j, true);
		json_key_u64(&j, "first", p->range.first);
		json_key_u64(&j, "last", p->range.last);
		json_key_string(&j, "kind", view_kind(p->kind)->key);
		json_key_string(&j, "label", p->label);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_view_nodes(&j, a);
	view_json_tail(&j, v);
}
