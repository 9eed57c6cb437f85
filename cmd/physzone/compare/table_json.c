/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_json.c - the ways to allocate tables beside each other, for programs. Sizes are bytes.
 */
#include "../json.h"
#include "tables.h"

static void json_count(struct json *j, const char *key, const struct tables_count *n)
{
	json_key(j, key);
	json_object(j, false);
	json_key_u64(j, "asked", n->asked);
	json_key_u64(j, "served", n->served);
	json_key_u64(j, "atomic_asked", n->atomic_asked);
	json_key_u64(j, "atomic_failed", n->atomic_failed);
	json_key_u64(j, "waiting_failed", n->waiting_failed);
	json_key_u64(j, "peak", n->peak);
	json_key_u64(j, "peak_tables", n->peak_payload);
	json_key_u64(j, "after_drop", n->low);
	json_key_u64(j, "after_drop_tables", n->low_payload);
	json_key_u64(j, "after_drop_wanted", n->low_wanted);
	json_key_u64(j, "shrunk", n->shrunk);
	json_key_u64(j, "end", n->end);
	json_key_u64(j, "end_shrunk", n->end_shrunk);
	json_key_u64(j, "metadata", n->meta);
	json_key_u64(j, "misaligned", n->misaligned);
	json_key_u64(j, "beyond_limit", n->beyond);
	json_end_object(j);
}

static void json_run(struct json *j, const struct tables_run *r, bool time)
{
	json_object(j, false);
	json_key_string(j, "way", r->name);
	json_key_string(j, "how", r->how);
	json_count(j, "plain", &r->plain);
	json_count(j, "debug", &r->debug);
	if (time) {
		json_key_u64(j, "alloc_picoseconds", (uint64_t)(r->take_ns * 1000));
		json_key_u64(j, "free_picoseconds", (uint64_t)(r->give_ns * 1000));
	}
	json_key(j, "samples");
	json_array(j, false);
	for (size_t i = 0; i < r->samples.n; i++) {
		json_object(j, true);
		json_key_u64(j, "held", r->samples.v[i].held);
		json_key_u64(j, "tables", r->samples.v[i].payload);
		json_key_u64(j, "wanted", r->samples.v[i].wanted);
		json_key_u64(j, "failed", r->samples.v[i].failed);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

void tables_json(struct out *o, const struct tables *x)
{
	struct json j;

	json_init(&j, o);
	json_object(&j, false);
	json_key_u64(&j, "schema", 1);
	json_key_string(&j, "machine", x->m->title);
	json_key_u64(&j, "page_size", UINT64_C(1) << x->m->page_shift);
	json_key_u64(&j, "table_size", TABLE_BYTES);
	json_key_u64(&j, "max_address", x->set->last);
	json_key_u64(&j, "in_reach", x->below);
	json_key_u64(&j, "fill_percent", x->set->fill);
	json_key_u64(&j, "pressure_percent", x->set->pressure);
	json_key(&j, "stream");
	json_object(&j, false);
	json_key_string(&j, "name", x->ops->name);
	json_key_u64(&j, "domains", x->ops->domains);
	json_key_u64(&j, "maps", x->trace->maps);
	json_key_u64(&j, "unmaps", x->trace->unmaps);
	json_key_u64(&j, "sections", x->trace->sections);
	json_key_u64(&j, "events", x->trace->events.n);
	json_key_u64(&j, "tables", x->trace->tables);
	json_key_u64(&j, "peak_tables", x->trace->peak);
	json_key_bool(&j, "empty_tables_stay", x->set->keep);
	json_key_bool(&j, "recorded", x->ops->recorded);
	json_key_u64(&j, "other_lines", x->ops->ignored);
	json_key_u64(&j, "unmapped_unseen", x->trace->unknown);
	json_end_object(&j);
	json_key(&j, "ways");
	json_array(&j, false);
	for (int i = 0; i < TABLE_WAYS; i++)
		json_run(&j, &x->runs[i], x->set->time);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}
