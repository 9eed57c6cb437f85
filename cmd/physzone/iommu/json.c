/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - tables for programs.
 */
#include "iommu.h"

#include "../json.h"
#include "../view/view.h"

static void json_pages(struct json *j, const uint64_t pages[IOMMU_SIZES])
{
	json_key(j, "pages");
	json_object(j, true);
	for (unsigned int i = 0; i < IOMMU_SIZES; i++)
		json_key_u64(j, iommu_size_names[i], pages[i]);
	json_end_object(j);
}

static void json_run(struct json *j, const struct pz_v7s_run *r)
{
	json_key_u64(j, "phys", r->phys);
	json_key_bool(j, "read", r->read);
	json_key_bool(j, "write", r->write);
	json_key_bool(j, "execute", r->exec);
	json_key_bool(j, "unprivileged", r->user);
	json_key_bool(j, "access", r->access);
	json_key_bool(j, "secure", r->secure);
	json_key_bool(j, "shared", r->shared);
	json_key_bool(j, "global", r->global);
	json_key_u64(j, "domain", r->domain);
	json_key_u64(j, "tex", r->tex);
	json_key_bool(j, "c", r->c);
	json_key_bool(j, "b", r->b);
	json_key_string(j, "memory", iommu_memory(r));
}

static bool json_leads(const struct pz_v7s_run *r)
{
	return !r->fault || r->fault == PZ_V7S_FAULT_REPEAT;
}

static int json_one_range(void *ctx, const struct iommu_range *range)
{
	const struct pz_v7s_run *r = &range->run;
	struct json *j = ctx;

	json_object(j, true);
	json_key_u64(j, "first", r->first);
	json_key_u64(j, "last", r->last);
	json_key_string(j, "fault", iommu_fault_key(r->fault));
	if (json_leads(r)) {
		json_run(j, r);
		json_pages(j, range->pages);
	}
	json_end_object(j);
	return 0;
}

static void json_one_word(void *ctx, const struct iommu_word *w)
{
	struct json *j = ctx;

	json_object(j, true);
	json_key_u64(j, "level", w->level);
	json_key_u64(j, "entry", w->entry);
	json_key_u64(j, "entries", w->entries);
	json_key_u64(j, "address", w->addr);
	json_key_u64(j, "word", w->word);
	json_key_u64(j, "iova", w->run.first);
	if (w->table) {
		json_key_u64(j, "table", w->run.table);
	} else {
		json_key_string(j, "fault", iommu_fault_key(w->run.fault));
		if (json_leads(&w->run)) {
			json_key_u64(j, "page", w->run.page);
			json_run(j, &w->run);
		}
	}
	json_end_object(j);
}

static void json_findings(struct json *j, const struct iommu_sum *s)
{
	json_key_u64(j, "found", s->found);
	json_key(j, "findings");
	json_array(j, false);
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct iommu_finding *f = &s->findings.v[i];

		json_object(j, false);
		json_key_string(j, "fault", iommu_fault_key(f->fault));
		json_key_u64(j, "first", f->first);
		json_key_u64(j, "last", f->last);
		json_key_u64(j, "level", f->level);
		json_key_u64(j, "entry", f->entry);
		json_key_u64(j, "entries", f->entries);
		json_key_u64(j, "address", f->word_addr);
		json_key_u64(j, "word", f->word);
		json_key(j, "table");
		if (f->table == PZ_ADDR_MAX)
			json_null(j);
		else
			json_u64(j, f->table);
		json_key_string(j, "text", f->text);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_built(struct json *j, const struct iommu_built *b)
{
	json_key(j, "registers");
	json_object(j, true);
	json_key_u64(j, "ttbr", b->ttbr);
	json_key_u64(j, "tcr", b->tcr);
	json_key_u64(j, "prrr", b->prrr);
	json_key_u64(j, "nmrr", b->nmrr);
	json_end_object(j);
	json_key_u64(j, "table_bytes", b->table_bytes);
	json_key_u64(j, "image_bytes", b->image_bytes);
	json_key_u64(j, "splits", b->splits);
}

void iommu_json(struct out *o, const struct iommu_view *v)
{
	const struct iommu_sum *s = v->sum;
	struct json j;

	json_init(&j, o);
	json_object(&j, false);
	json_key_u64(&j, "schema", VIEW_SCHEMA);
	json_key_string(&j, "source", v->title);
	json_key_u64(&j, "table", v->image->view.table);
	json_key_u64(&j, "ias", v->image->view.ias);
	json_key_bool(&j, "permissions", v->image->view.permissions);
	json_key_bool(&j, "mtk", v->image->view.mtk_outputs);
	json_key_bool(&j, "mtk_tables", v->image->view.mtk_tables);
	if (v->built)
		json_built(&j, v->built);
	json_key_u64(&j, "bytes", s->bytes);
	json_pages(&j, s->pages);
	json_key(&j, "second_levels");
	json_object(&j, true);
	json_key_u64(&j, "count", s->second_levels);
	json_key_u64(&j, "empty", s->empty);
	json_key_u64(&j, "shared", s->shared);
	json_end_object(&j);
	json_key(&j, v->raw ? "words" : "ranges");
	json_array(&j, false);
	if (v->raw)
		iommu_words(v->image, json_one_word, &j);
	else
		(void)iommu_each(v->image, json_one_range, &j);
	json_end_array(&j);
	json_findings(&j, s);
	json_end_object(&j);
	json_finish(&j);
}
