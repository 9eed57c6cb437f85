/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - the account of a start-up for programs. Numbers are pages, but for those named bytes,
 * addresses and limits.
 */
#include "boot.h"

#include <stdlib.h>
#include <string.h>

#include "../json.h"

static void json_boot_flags(struct json *j, const struct boot *b, const char *key,
			    const char *names, uint32_t gfp)
{
	char text[160];

	pzl_gfp_format(text, sizeof(text), gfp, b->rules);
	json_key_u64(j, key, gfp);
	json_key_string(j, names, text);
}

static void json_boot_report(struct json *j, const struct pz_report *r)
{
	json_key(j, "report");
	json_object(j, false);
	json_key(j, "result");
	json_i64(j, r->outcome);
	json_key(j, "areas");
	json_array(j, false);
	for (uint32_t i = 0; i < r->areas && i < PZ_REPORT_AREAS; i++) {
		const struct pz_report_area *a = &r->area[i];

		json_object(j, true);
		json_key(j, "node");
		json_i64(j, a->nid);
		json_key_string(j, "zone", pz_zone_name((enum pz_zone_type)a->type));
		json_key_string(j, "verdict", pz_verdict_name(a->verdict));
		json_key_u64(j, "managed", a->managed);
		json_key_u64(j, "free", a->free);
		json_key_u64(j, "held", a->held);
		json_key_u64(j, "free_cma", a->free_cma);
		json_key_u64(j, "free_reached", a->free_reached);
		json_key_u64(j, "watermark", a->mark);
		json_key_u64(j, "reserve", a->reserve);
		json_key_u64(j, "largest_run", a->largest_run);
		json_key_u64(j, "move", a->move);
		json_end_object(j);
	}
	json_end_array(j);
	json_key_string(j, "remedy", pz_remedy_name(r->remedy));
	json_key_u64(j, "remedy_value", r->remedy_value);
	json_end_object(j);
}

static void json_boot_request(struct json *j, const struct boot *b, const struct boot_step *s)
{
	const struct boot_request *r = &b->requests.v[s->request];

	json_object(j, false);
	json_key_string(j, "stage", boot_stage_name(s->stage));
	json_key_string(j, "what", s->what);
	json_key_u64(j, "bytes", r->asked.bytes);
	json_key_u64(j, "count", r->asked.count);
	if (r->asked.when != PZL_BOOT_MEMBLOCK) {
		json_key_u64(j, "order", r->asked.order);
		json_key_u64(j, "min_order", r->asked.min_order);
		json_boot_flags(j, b, "gfp", "gfp_names", r->asked.gfp);
		json_key_bool(j, "cma_first", r->asked.cma);
	}
	json_key(j, "max_address");
	if (r->max_addr == PZ_ADDR_MAX)
		json_null(j);
	else
		json_u64(j, r->max_addr);
	json_key_string(j, "outcome", boot_outcome_name(r->outcome));
	json_key_u64(j, "got", r->got);
	json_key_u64(j, "got_bytes", r->got ? r->bytes : 0);
	json_key(j, "place");
	if (r->placed) {
		json_object(j, true);
		json_key_u64(j, "first", r->place.first);
		json_key_u64(j, "last", r->place.last);
		json_key(j, "node");
		json_i64(j, r->nid);
		json_key_string(j, "zone",
				r->zone == PZ_ZONE_TYPES ? NULL : pz_zone_name(r->zone));
		json_key_bool(j, "from_cma", r->from_cma);
		json_end_object(j);
	} else {
		json_null(j);
	}
	if (r->unreached)
		json_key_u64(j, "bits_that_reach", r->unreached);
	json_key(j, "tries");
	json_array(j, false);
	for (size_t i = 0; i < r->tries.n; i++) {
		json_object(j, true);
		json_key_u64(j, "order", r->tries.v[i].order);
		json_key_u64(j, "gfp", r->tries.v[i].gfp);
		json_key_bool(j, "cma", r->tries.v[i].cma);
		json_key(j, "result");
		json_i64(j, r->tries.v[i].rc);
		json_end_object(j);
	}
	json_end_array(j);
	json_key_string(j, "remark", r->remark);
	if (r->report)
		json_boot_report(j, r->report);
	json_end_object(j);
}

static void json_boot_console(struct json *j, const struct boot *b)
{
	const char *p = b->prints, *end;

	json_key(j, "prints");
	json_array(j, false);
	for (; (end = strchr(p, '\n')); p = end + 1) {
		char *line = xstrndup(p, (size_t)(end - p));

		json_string(j, line);
		free(line);
	}
	json_end_array(j);
}

static void json_boot_caches(struct json *j, const struct boot *b)
{
	json_key(j, "caches");
	json_array(j, false);
	for (size_t i = 0; i < b->caches.n; i++) {
		const struct boot_cache *c = &b->caches.v[i];

		json_object(j, true);
		json_key_string(j, "name", c->made.name);
		json_key_u64(j, "object_bytes", c->made.cache.object_size);
		json_key_u64(j, "slot_bytes", c->g.size);
		json_key_u64(j, "objects", c->g.objects);
		json_key_u64(j, "order", c->g.order);
		json_key_u64(j, "min_order", c->g.fallback_order);
		json_boot_flags(j, b, "gfp", "gfp_names", c->gfp);
		json_key_string(j, "state", boot_cache_state_name(c->state));
		json_end_object(j);
	}
	json_end_array(j);
	json_key_u64(j, "cache_pages", b->cache_pages);
}

static void json_boot_run(struct json *j, const struct boot *b)
{
	json_object(j, false);
	json_key_string(j, "model", b->model);
	json_key_bool(j, "failed", b->failed);
	json_key_string(j, "policy", b->physzone ? "reach" : "zonelist");
	json_key(j, "steps");
	json_array(j, false);
	for (size_t i = 0; i < b->steps.n; i++) {
		const struct boot_step *s = &b->steps.v[i];

		if (!s->text)
			continue;
		json_object(j, true);
		json_key_string(j, "stage", boot_stage_name(s->stage));
		json_key_string(j, "what", s->what);
		json_key_string(j, "text", s->text);
		json_key_bool(j, "failed", s->failed);
		json_end_object(j);
	}
	json_end_array(j);
	json_key(j, "requests");
	json_array(j, false);
	for (size_t i = 0; i < b->steps.n; i++)
		if (!b->steps.v[i].text)
			json_boot_request(j, b, &b->steps.v[i]);
	json_end_array(j);
	json_boot_caches(j, b);
	json_boot_console(j, b);
	json_end_object(j);
}

void boot_json(struct out *o, const struct view *v, const struct boot *runs, size_t n)
{
	struct json j;

	json_init(&j, o);
	view_json_head(&j, v, false);
	json_key(&j, "runs");
	json_array(&j, false);
	for (size_t i = 0; i < n; i++)
		json_boot_run(&j, &runs[i]);
	json_end_array(&j);
	view_json_tail(&j, v);
}
