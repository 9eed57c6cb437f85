/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_swiotlb_arg.c - swiotlb= from any bytes.
 *
 * The first byte chooses the version; the rest is what stands behind the sign.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/swiotlb.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void *no_memory(void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	return NULL;
}

static void no_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)p;
	(void)size;
}

static void seen(void *ctx, const char *line, size_t len)
{
	++*(unsigned int *)ctx;
	must(len < 240 && !memchr(line, '\n', len) && !strncmp(line, "software IO TLB: ", 17));
}

static void make(struct pzl_swiotlb *sw, enum pzl_model model, unsigned int *lines)
{
	static const struct pz_meta meta = { no_memory, no_free, NULL };
	struct pzl_swiotlb_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.model = model;
	cfg.page_shift = 12;
	cfg.cpus = 1;
	cfg.meta = &meta;
	cfg.hooks.emit = seen;
	cfg.hooks.ctx = lines;
	must(pzl_swiotlb_create(sw, &cfg) == 0);
}

static bool same(const struct pzl_swiotlb *a, const struct pzl_swiotlb *b)
{
	return a->default_slots == b->default_slots && a->default_areas == b->default_areas &&
	       a->force == b->force && a->noforce == b->noforce;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pzl_swiotlb sw, again;
	unsigned int lines = 0, others = 0;
	enum pzl_model model;
	char text[80];
	int len;

	if (!size)
		return 0;
	model = (enum pzl_model)(data[0] % PZL_MODELS);
	make(&sw, model, &lines);
	pzl_swiotlb_param(&sw, (const char *)data + 1, size - 1);
	must(sw.default_slots % PZL_SWIOTLB_SEGMENT == 0);
	must(!(sw.default_areas & (sw.default_areas - 1)) && !(sw.force && sw.noforce));
	must(lines <= 2 && (lines != 0) == (sw.default_areas != 0));
	must(model != PZL_LINUX_5_15 || !sw.default_areas);
	if (sw.default_areas)
		must(!(sw.default_slots & (sw.default_slots - 1)) &&
		     sw.default_slots / PZL_SWIOTLB_SEGMENT >= sw.default_areas);

	/* Written out, it means the same. */
	len = snprintf(text, sizeof(text), "%llu", (unsigned long long)sw.default_slots);
	if (sw.default_areas)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",%u", sw.default_areas);
	if (sw.force || sw.noforce)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",%sforce",
				sw.noforce ? "no" : "");
	make(&again, model, &others);
	pzl_swiotlb_param(&again, text, (size_t)len);
	must(same(&sw, &again));

	/* The architecture's wish counts when no size was given, and never shrinks below areas. */
	pzl_swiotlb_adjust_size(&sw, (uint64_t)size << 17);
	must(sw.default_slots % PZL_SWIOTLB_SEGMENT == 0);
	must(again.default_slots == PZL_SWIOTLB_SLOTS || sw.default_slots == again.default_slots);
	must(sw.default_slots / PZL_SWIOTLB_SEGMENT >= sw.default_areas);
	return 0;
}
