/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_waste.c - lists of sizes and traces of kmalloc from any bytes, and what they cost.
 *
 * The first byte chooses the model and whether all requests count; the rest is the file.
 */
#include <stdlib.h>
#include <string.h>

#include "waste/waste.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct waste *w)
{
	uint64_t asked = 0, count = 0;

	for (size_t i = 0; i < w->sizes.n; i++) {
		const struct waste_size *s = &w->sizes.v[i];

		must(s->count && (!i || w->sizes.v[i - 1].bytes <= s->bytes));
		asked += s->bytes * s->count;
		count += s->count;
	}
	must(asked == w->asked && count == w->count);
	for (unsigned int way = 0; way < WASTE_WAYS; way++)
		must(w->held[way] >= asked && waste_per_mille(asked, w->held[way]) <= 1000);
	must(w->held[WASTE_ORDERS] >= w->held[WASTE_PAGES]);
	for (size_t i = 0; i < w->caches.n; i++) {
		const struct waste_cache *c = &w->caches.v[i];
		uint64_t objects = 0, slabs = 0;

		must(c->objects <= c->slabs * c->g.objects);
		for (size_t k = 0; k < c->slab.n; k++) {
			must(c->slab.v[k].used <= c->g.objects);
			must(c->slab.v[k].held || !c->slab.v[k].used);
			objects += c->slab.v[k].used;
			slabs += c->slab.v[k].held;
		}
		must(!c->slab.n || (objects == c->objects && slabs == c->slabs));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum pzl_model m;
	struct waste_input in;
	struct waste w;
	struct text t;
	struct out out;
	char *err = NULL;
	bool all;
	int rc;

	if (size < 1 || size > 1 << 16)
		return 0;
	m = (enum pzl_model)(data[0] % PZL_MODELS);
	all = data[0] & 0x80;
	if (text_from_memory(&t, data + 1, size - 1, "input", 0, &err)) {
		free(err);
		return 0;
	}
	memset(&in, 0, sizeof(in));
	memset(&w, 0, sizeof(w));
	in.name = xstrdup("input");
	pzl_slab_boot_init(&w.boot, m, PZL_ARCH_X86_64, 0, 15, 1);
	pz_slab_debug_none(&w.debug, 0);
	w.page_shift = 12;
	w.arch = PZL_ARCH_X86_64;
	rc = waste_read_text(&in, &t, m, 4 << 20, all, &err);
	must(rc == 0 || rc == EXIT_INPUT);
	must((rc != 0) == (err != NULL));
	if (!rc) {
		waste_compute(&w, &in);
		check(&w);
		out_init(&out, NULL);
		waste_text(&out, &w, &in, all);
		waste_json(&out, &w, &in, all);
		out_destroy(&out);
	}
	free(err);
	waste_input_destroy(&in);
	waste_destroy(&w);
	text_destroy(&t);
	return 0;
}
