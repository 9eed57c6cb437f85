/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_swiotlb.c - logs about bounce buffers from any bytes: read, judged, tried and shown.
 *
 * The first byte chooses the model, and whether the machine is rebuilt and a picture drawn; the
 * rest is the log.
 */
#include <stdlib.h>
#include <string.h>

#include "input/log.h"
#include "swiotlb/swiotlb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct swiotlb *s, const struct facts *f)
{
	uint64_t lines = 0, full = 0, pooled = 0;

	for (size_t i = 0; i < f->swiotlb.n; i++) {
		const struct fact_swiotlb *e = &f->swiotlb.v[i];

		must(e->device == UINT32_MAX || e->device < f->swiotlb_devices.n);
		must(e->total == UINT64_MAX || e->used <= e->total);
	}
	for (size_t i = 0; i < s->events.n; i++) {
		const struct pzl_swlog_verdict *v = &s->events.v[i].verdict;

		if (s->events.v[i].fact->kind != SWIOTLB_FULL)
			continue;
		full++;
		must(s->events.v[i].pool < s->pools.n);
		must(v->least <= v->sure && v->need);
		must(v->why < PZL_SWLOG_WHYS);
		if (v->why == PZL_SWLOG_FRAGMENTED || v->why == PZL_SWLOG_UNEXPLAINED)
			must(v->need <= v->free && v->blocks);
	}
	for (size_t i = 0; i < s->devices.n; i++)
		lines += s->devices.v[i].lines;
	for (size_t i = 0; i < s->pools.n; i++) {
		const struct swiotlb_pool *p = &s->pools.v[i];

		pooled += p->lines;
		for (size_t k = 1; k < p->samples.n; k++)
			must(p->samples.v[k - 1].ms <= p->samples.v[k].ms);
	}
	must(lines == s->events.n && pooled == full);
	for (size_t i = 0; i < s->fits.n; i++)
		must(s->fits.v[i].got <= s->fits.v[i].slots);
}

static void show(const struct swiotlb *s, const struct facts *f, const struct analysis *a,
		 bool picture)
{
	const struct view v = { a, f, "fuzz" };
	struct out out;

	out_init(&out, NULL);
	swiotlb_text(&out, &v, s);
	swiotlb_json(&out, &v, s);
	if (picture)
		swiotlb_svg(&out, &v, s);
	out_destroy(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct analysis_options how = { .model = NULL };
	struct analysis a;
	struct swiotlb s;
	struct facts f;
	struct text t;
	uint32_t configured;
	char *err = NULL;
	bool known;

	if (size < 1 || size > 1 << 14)
		return 0;
	if (data[0] & 0x80)
		how.model = pzl_model_name((enum pzl_model)(data[0] % PZL_MODELS));
	if (text_from_memory(&t, data + 1, size - 1, "fuzz", 0, &err)) {
		free(err);
		return 0;
	}
	facts_init(&f);
	memset(&a, 0, sizeof(a));
	must(!log_parse(&f, &t, facts_file(&f, "fuzz"), 0, &err));
	must(!analyse_kernel(&a, &f, &how, &known, &configured, &err));
	swiotlb_compute(&s, &f, &a);
	/* Rebuilding the machine takes most of the time. */
	if (data[0] & 0x40)
		swiotlb_try(&s, &f, &how);
	swiotlb_answer(&s);
	check(&s, &f);
	show(&s, &f, &a, data[0] & 0x20);
	swiotlb_destroy(&s);
	analysis_destroy(&a);
	facts_destroy(&f);
	text_destroy(&t);
	return 0;
}
