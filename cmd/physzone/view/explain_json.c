/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_json.c - explanations for programs: one object, numbers in pages, null where the log
 * does not state one.
 */
#include "explain.h"

#include <stdlib.h>

#include "../json.h"
#include "view.h"

static void ej_pages(struct json *j, const char *key, uint64_t pages)
{
	json_key(j, key);
	if (pages > 8 * PZL_PAGES_MOST)
		json_null(j);
	else
		json_u64(j, pages);
}

static void ej_signed(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_i64(j, v);
}

/* A sentence, which is freed. */
static void ej_said(struct json *j, const char *key, char *s)
{
	json_key_string(j, key, s);
	free(s);
}

static void ej_zone(struct json *j, const struct explanation *x, const struct ex_zone *z)
{
	const struct pzl_zone_judgement *g = &z->judged;

	json_object(j, false);
	ej_signed(j, "node", z->fact->nid);
	json_key_string(j, "zone", pz_zone_name(z->type));
	json_key_string(j, "verdict", pzl_verdict_name(g->verdict));
	json_key_bool(j, "excluded", z->excluded);
	ej_said(j, "text", explain_zone(x, z));
	ej_pages(j, "present", z->present);
	ej_pages(j, "managed", z->state.managed);
	ej_pages(j, "free", z->state.free);
	ej_pages(j, "min", z->state.min);
	ej_pages(j, "boost", z->state.boost);
	ej_pages(j, "free_cma", z->state.free_cma);
	ej_pages(j, "highatomic", z->state.highatomic);
	ej_pages(j, "in_per_cpu_lists", z->held);
	ej_pages(j, "file", z->file);
	ej_pages(j, "lowmem_reserve", z->state.reserve);
	json_key_u64(j, "order_cut", g->order_cut);
	json_key_u64(j, "highatomic_cut", g->highatomic_cut);
	json_key_u64(j, "cma_cut", g->cma_cut);
	json_key(j, "usable");
	if (g->missing & PZL_MISS_FREE)
		json_null(j);
	else
		json_i64(j, g->usable);
	ej_pages(j, "must_exceed",
		 g->missing & (PZL_MISS_MIN | PZL_MISS_LOWMEM) ? PZL_PAGES_UNKNOWN : g->need);
	json_key_u64(j, "lacking", g->lacking);
	ej_signed(j, "largest_order", g->largest);
	ej_signed(j, "serves_order", g->serves);
	json_key(j, "free_blocks");
	if (z->state.orders) {
		json_array(j, true);
		for (unsigned int k = 0; k < z->state.orders; k++)
			json_u64(j, z->state.blocks[k]);
		json_end_array(j);
	} else {
		json_null(j);
	}
	json_end_object(j);
}

static void ej_request(struct json *j, const struct explained *e, const struct explanation *x)
{
	const struct fact_failure *f = x->failure;

	json_key(j, "request");
	if (!f) {
		json_null(j);
		return;
	}
	json_object(j, false);
	json_key_string(j, "comm", f->comm);
	json_key(j, "cpu");
	if (f->cpu == PZ_NID_NONE)
		json_null(j);
	else
		json_i64(j, f->cpu);
	json_key_string(j, "caller", x->caller);
	json_key_u64(j, "order", f->order);
	json_key_u64(j, "gfp", x->gfp);
	json_key_string(j, "gfp_names", f->flags);
	json_key_string(j, "highest_zone", pz_zone_name(x->highest));
	json_key_string(j, "nodemask", f->nodemask);
	json_key_string(j, "mems_allowed", f->mems_allowed);
	json_key_bool(j, "may_wait", x->path.blocks);
	ej_said(j, "asked", explain_asked(e, x));
	ej_said(j, "rights", explain_rights(e, x));
	json_end_object(j);
}

static void ej_strings(struct json *j, const char *key, char *const *v, size_t n)
{
	json_key(j, key);
	json_array(j, false);
	for (size_t i = 0; i < n; i++)
		json_string(j, v[i]);
	json_end_array(j);
}

/* Whether a remedy was tried in the rebuilt machine: null for not. */
static void ej_tried(struct json *j, const struct explanation *x, const struct ex_remedy *r)
{
	if (!x->rebuilt)
		return;
	json_key(j, "verified");
	if (r->tried == EX_UNTRIED)
		json_null(j);
	else
		json_bool(j, r->tried == EX_HELPED);
}

static void ej_rebuilt(struct json *j, const struct explanation *x)
{
	const struct ex_rebuilt *r = x->rebuilt;

	if (!r)
		return;
	json_key(j, "rebuilt");
	json_object(j, false);
	json_key_string(j, "outcome", explain_again_name(r->again));
	ej_said(j, "text", explain_again(x));
	json_key_string(j, "obstacle", r->obstacle);
	json_key_bool(j, "placed_by_log", r->placed);
	json_key(j, "zones");
	json_array(j, false);
	for (size_t i = 0; i < r->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[r->zones.v[i].zone];

		json_object(j, true);
		ej_signed(j, "node", z->fact->nid);
		json_key_string(j, "zone", pz_zone_name(z->type));
		json_key_string(j, "verdict", pz_verdict_name(r->zones.v[i].verdict));
		json_key_bool(j, "alike", r->zones.v[i].alike);
		ej_pages(j, "free", r->zones.v[i].free);
		ej_pages(j, "free_cma", r->zones.v[i].free_cma);
		json_end_object(j);
	}
	json_end_array(j);
	ej_strings(j, "differences", r->differences.v, r->differences.n);
	ej_strings(j, "notes", r->notes.v, r->notes.n);
	json_end_object(j);
}

static void ej_one(struct json *j, const struct explained *e, const struct explanation *x)
{
	json_object(j, false);
	json_key_u64(j, "line", x->failure ? x->failure->at.line : x->report->at.line);
	json_key_u64(j, "times", x->times);
	json_key_u64(j, "last_line", x->last.line);
	json_key_u64(j, "page_size", 1ull << x->page_shift);
	ej_request(j, e, x);
	json_key(j, "zones");
	json_array(j, false);
	for (size_t i = 0; i < x->zones.n; i++)
		ej_zone(j, x, &x->zones.v[i]);
	json_end_array(j);
	json_key_string(j, "cause", explain_cause_name(x->cause));
	ej_said(j, "because", explain_because(x));
	json_key_string(j, "matter", explain_matter_name(x->matter));
	ej_said(j, "matters", explain_matters(x));
	json_key(j, "remedies");
	json_array(j, false);
	for (size_t i = 0; i < x->remedies.n; i++) {
		json_object(j, true);
		json_key_string(j, "kind", explain_remedy_name(x->remedies.v[i].kind));
		json_key_u64(j, "value", x->remedies.v[i].value);
		ej_said(j, "text", explain_remedy(x, &x->remedies.v[i]));
		ej_tried(j, x, &x->remedies.v[i]);
		json_end_object(j);
	}
	json_end_array(j);
	ej_pages(j, "free_elsewhere", x->elsewhere);
	ej_rebuilt(j, x);
	ej_strings(j, "notes", x->notes.v, x->notes.n);
	ej_strings(j, "contradictions", x->contradictions.v, x->contradictions.n);
	json_end_object(j);
}

void explain_json(struct out *o, const struct explain_view *v)
{
	struct json j;

	json_init(&j, o);
	json_object(&j, false);
	json_key_u64(&j, "schema", VIEW_SCHEMA);
	json_key_string(&j, "source", v->title);
	json_key_string(&j, "model", pzl_model_name(v->e->kernel.model));
	json_key_string(&j, "arch", v->e->arch_known ? pzl_arch_name(v->e->kernel.arch) : NULL);
	json_key_string(&j, "release", v->f->release);
	json_key(&j, "explanations");
	json_array(&j, false);
	for (size_t i = 0; i < v->e->all.n; i++)
		ej_one(&j, v->e, &v->e->all.v[i]);
	json_end_array(&j);
	json_key(&j, "contradictions");
	json_array(&j, false);
	for (size_t i = 0; i < v->f->contradictions.n; i++)
		if (explain_concerns(v->e, v->f->contradictions.v[i].at))
			json_string(&j, v->f->contradictions.v[i].text);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}
