/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - the policies beside each other, for programs: numbers are pages unless named otherwise.
 */
#include "../json.h"
#include "compare.h"

static void json_limit(struct json *j, const char *key, uint64_t address)
{
	json_key(j, key);
	if (address == PZ_ADDR_MAX)
		json_null(j);
	else
		json_u64(j, address);
}

static void json_count(struct json *j, const struct stream_class *c, const struct compare_count *n,
		       uint64_t samples)
{
	json_object(j, false);
	json_key_string(j, "class", c->name);
	json_limit(j, "max_address", c->max_addr);
	json_key_u64(j, "asked", n->asked);
	json_key_u64(j, "served", n->served);
	json_key_u64(j, "atomic_asked", n->atomic_asked);
	json_key_u64(j, "atomic_served", n->atomic_served);
	json_key_u64(j, "pages_asked", n->pages_asked);
	json_key_u64(j, "pages_served", n->pages_served);
	json_key(j, "failed");
	json_object(j, true);
	for (int w = 0; w < COMPARE_WHYS; w++)
		json_key_u64(j, compare_why_name((enum compare_why)w), n->why[w]);
	json_end_object(j);
	json_key_u64(j, "stranded_mean", samples ? n->stranded / samples : 0);
	json_key_u64(j, "stranded_most", n->stranded_most);
	json_key_u64(j, "free_when_refused_mean",
		     n->asked > n->served ? n->idle / (n->asked - n->served) : 0);
	json_key_u64(j, "free_when_refused_most", n->idle_most);
	json_end_object(j);
}

static void json_samples(struct json *j, const struct compare_run *r)
{
	json_key(j, "samples");
	json_array(j, false);
	for (size_t i = 0; i < r->samples.n; i++) {
		const struct compare_sample *x = &r->samples.v[i];

		json_object(j, true);
		json_key_u64(j, "free_low", x->low);
		json_key_u64(j, "stranded", x->stranded);
		json_key_u64(j, "failed", x->failed);
		json_key_u64(j, "moved", x->moved);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_run(struct json *j, const struct stream *s, const struct compare_run *r)
{
	json_object(j, false);
	json_key_string(j, "policy", compare_policy_name(r->policy));
	json_key_string(j, "layout", r->how);
	json_key_u64(j, "served", r->served);
	json_key_u64(j, "failed", r->failed);
	json_key_u64(j, "moved", r->moved);
	json_key_u64(j, "blocks_moved", r->moves);
	json_key_u64(j, "most_in_use", r->most);
	json_key_u64(j, "kept", r->kept);
	json_key(j, "classes");
	json_array(j, false);
	for (size_t i = 0; i < r->count.n; i++)
		json_count(j, &s->classes.v[i], &r->count.v[i], r->samples.n);
	json_end_array(j);
	json_samples(j, r);
	json_end_object(j);
}

void compare_policies_json(struct out *o, const struct compare_machine *m, const struct stream *s,
			   const struct compare_run *runs, size_t n)
{
	struct json j;

	json_init(&j, o);
	json_object(&j, false);
	json_key_u64(&j, "schema", 1);
	json_key_string(&j, "machine", m->title);
	json_key_u64(&j, "page_size", UINT64_C(1) << m->page_shift);
	json_key_u64(&j, "managed", m->managed);
	json_key(&j, "stream");
	json_object(&j, false);
	json_key_string(&j, "name", s->name);
	json_key_u64(&j, "requests", s->requests.n);
	json_key_u64(&j, "events", s->events.n);
	json_key_bool(&j, "recorded", s->recorded);
	json_key_u64(&j, "failed_when_recorded", s->failed);
	json_key_u64(&j, "returned_from_before", s->early);
	json_key_u64(&j, "returned_unseen", s->lost);
	json_key_u64(&j, "other_lines", s->ignored);
	json_end_object(&j);
	json_limit(&j, "low_limit", runs[0].watched);
	json_key(&j, "policies");
	json_array(&j, false);
	for (size_t i = 0; i < n; i++)
		json_run(&j, s, &runs[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}
