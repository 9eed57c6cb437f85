/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - refused bounce buffers, for programs.
 */
#include "swiotlb.h"

#include "../json.h"

/* A key of JSON for each verdict. */
static const char *const json_whys[PZL_SWLOG_WHYS] = {
	[PZL_SWLOG_LINE] = "not-told",
	[PZL_SWLOG_NO_POOL] = "no-pool",
	[PZL_SWLOG_NEVER] = "too-long",
	[PZL_SWLOG_AREA] = "longer-than-area",
	[PZL_SWLOG_FULL] = "full",
	[PZL_SWLOG_FRAGMENTED] = "fragmented",
	[PZL_SWLOG_ALIGNED] = "too-long-if-aligned",
	[PZL_SWLOG_UNEXPLAINED] = "unexplained",
};

static const char *json_course(const struct swiotlb_pool *p)
{
	switch (p->trend.course) {
	case PZL_SWLOG_MOVES:
		return "comes-back";
	case PZL_SWLOG_GROWS:
	case PZL_SWLOG_STUCK:
		return "leak";
	case PZL_SWLOG_FEW:
		break;
	}
	return "undecided";
}

static void json_slots(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	if (v == PZL_SWLOG_UNTOLD)
		json_null(j);
	else
		json_u64(j, v);
}

/* A size that would have done; null when none does. */
static void json_size(struct json *j, const char *key, uint64_t v)
{
	json_slots(j, key, v ? v : PZL_SWLOG_UNTOLD);
}

static void json_counts(struct json *j, const uint64_t *why)
{
	json_key(j, "because");
	json_object(j, true);
	for (int w = 0; w < PZL_SWLOG_WHYS; w++)
		if (why[w])
			json_key_u64(j, json_whys[w], why[w]);
	json_end_object(j);
}

static void json_device(struct json *j, const struct swiotlb_device *d)
{
	bool sized = d->bytes_least <= d->bytes_most;

	json_object(j, false);
	json_key_string(j, "device", d->device ? d->device->name : NULL);
	json_key_string(j, "driver", d->device ? d->device->driver : NULL);
	json_key_u64(j, "lines", d->lines);
	json_slots(j, "bytes_least", sized ? d->bytes_least : PZL_SWLOG_UNTOLD);
	json_slots(j, "bytes_most", sized ? d->bytes_most : PZL_SWLOG_UNTOLD);
	json_counts(j, d->why);
	json_key_u64(j, "no_pool", d->none + d->direct);
	json_key_u64(j, "pool_out_of_reach", d->beyond);
	json_end_object(j);
}

static void json_pool(struct json *j, const struct swiotlb_pool *p)
{
	json_object(j, false);
	json_slots(j, "slots", p->total);
	json_key_bool(j, "grew", p->grew);
	json_key_u64(j, "lines", p->lines);
	json_counts(j, p->why);
	json_key_string(j, "course", json_course(p));
	if (p->trend.course == PZL_SWLOG_GROWS)
		json_key_u64(j, "slots_per_hour", p->trend.per_hour);
	if (p->timed && p->samples.n) {
		json_key_u64(j, "used_least", p->trend.least);
		json_key_u64(j, "used_most", p->trend.most);
	}
	json_size(j, "slots_at_best", p->least);
	json_size(j, "slots_for_sure", p->sure);
	json_end_object(j);
}

static void json_event(struct json *j, const struct facts *f, const struct swiotlb_event *ev)
{
	static const char *const kinds[] = {
		[SWIOTLB_FULL] = "full",
		[SWIOTLB_NONE] = "no-pool",
		[SWIOTLB_BEYOND] = "pool-out-of-reach",
		[SWIOTLB_DIRECT] = "not-bounced",
		[SWIOTLB_SUPPRESSED] = "suppressed",
	};
	const struct fact_swiotlb *e = ev->fact;

	json_object(j, true);
	json_key_u64(j, "line", e->at.line);
	json_key(j, "ms");
	if (e->stamp < 0 || e->stamp > 1e12)
		json_null(j);
	else
		json_u64(j, (uint64_t)(e->stamp * 1000));
	json_key_string(j, "kind", kinds[e->kind]);
	json_key_string(j, "device",
			e->device < f->swiotlb_devices.n ? f->swiotlb_devices.v[e->device].name
							 : NULL);
	json_key_u64(j, "bytes", e->bytes);
	if (e->kind == SWIOTLB_FULL) {
		json_slots(j, "total", e->total);
		json_slots(j, "used", e->used);
		json_key_string(j, "because", json_whys[ev->verdict.why]);
		json_key_u64(j, "need", ev->verdict.need);
		json_key_u64(j, "blocks", ev->verdict.blocks);
		json_size(j, "slots_at_best", ev->verdict.least);
		json_size(j, "slots_for_sure", ev->verdict.sure);
	}
	json_end_object(j);
}

void swiotlb_json(struct out *o, const struct view *v, const struct swiotlb *s)
{
	struct json j;

	json_init(&j, o);
	view_json_head(&j, v, false);
	json_key_u64(&j, "suppressed", s->suppressed);
	json_size(&j, "pool_slots", s->mapped);
	json_key(&j, "areas");
	if (s->kernel.areas)
		json_u64(&j, s->kernel.areas);
	else
		json_null(&j);
	json_key(&j, "devices");
	json_array(&j, false);
	for (size_t i = 0; i < s->devices.n; i++)
		json_device(&j, &s->devices.v[i]);
	json_end_array(&j);
	json_key(&j, "pools");
	json_array(&j, false);
	for (size_t i = 0; i < s->pools.n; i++)
		json_pool(&j, &s->pools.v[i]);
	json_end_array(&j);
	json_key(&j, "fits");
	json_array(&j, false);
	for (size_t i = 0; i < s->fits.n; i++) {
		json_object(&j, true);
		json_key_u64(&j, "slots", s->fits.v[i].slots);
		json_key_u64(&j, "got", s->fits.v[i].got);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_key(&j, "answers");
	json_array(&j, false);
	for (size_t i = 0; i < s->answers.n; i++)
		json_string(&j, s->answers.v[i]);
	json_end_array(&j);
	json_key(&j, "events");
	json_array(&j, false);
	for (size_t i = 0; i < s->events.n; i++)
		json_event(&j, v->f, &s->events.v[i]);
	json_end_array(&j);
	view_json_tail(&j, v);
}
