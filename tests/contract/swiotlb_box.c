/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_box.c - a kernel's bounce buffers for the contract suites.
 */
#include "swiotlb_box.h"

static void swb_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

void swb_emit(void *ctx, const char *line, size_t len)
{
	struct swiotlb_box *b = ctx;

	for (size_t i = 0; i < len && b->said_len + 2 < SWB_LINES; i++)
		b->said[b->said_len++] = line[i];
	b->said[b->said_len++] = '\n';
	b->said[b->said_len] = '\0';
}

bool swb_said(struct swiotlb_box *b, const char *want)
{
	size_t i = 0;
	bool same;

	while (want[i] && i < b->said_len && want[i] == b->said[i])
		i++;
	same = !want[i] && i == b->said_len;
	b->said_len = 0;
	b->said[0] = '\0';
	return same;
}

static void swb_copy(void *ctx, uint64_t orig, uint64_t buffer, uint64_t bytes, bool to_buffer)
{
	struct swiotlb_box *b = ctx;

	b->orig = orig;
	b->buffer = buffer;
	b->bytes = bytes;
	b->copies++;
	b->into += to_buffer;
}

static void swb_cache(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir,
		      bool for_device)
{
	struct swiotlb_box *b = ctx;

	(void)bytes;
	(void)dir;
	(void)for_device;
	b->cached = phys;
	b->caches++;
}

void swb_start(struct tap *t, struct swiotlb_box *b, enum pzl_model model, uint32_t cpus)
{
	swb_clear(b, sizeof(*b));
	b->t = t;
	b->bugs.policy = PZ_BUG_REPORT;
	b->cfg.model = model;
	b->cfg.page_shift = 12;
	b->cfg.max_order = 10;
	b->cfg.cpus = cpus;
	b->cfg.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL;
	b->cfg.zone_limit = 16 * PM_MIB - 1;
	b->cfg.low_last = 4 * PM_GIB - 1;
	b->cfg.high_first = PZ_ADDR_MAX;
	b->cfg.meta = t->meta;
	b->cfg.bugs = &b->bugs;
	b->cfg.hooks.copy = swb_copy;
	b->cfg.hooks.cache = swb_cache;
	b->cfg.hooks.emit = swb_emit;
	b->cfg.hooks.ctx = b;
	CHECK(t, pzl_swiotlb_create(&b->sw, &b->cfg) == 0);
}

bool swb_memory(struct tap *t, struct pz_memblock *mb, uint64_t end)
{
	return CHECK(t, !pz_memblock_init(mb, t->meta, 12) &&
				!pz_memblock_add(mb, PM_MIB, end - PM_MIB, 0, 0));
}

bool swb_make(struct tap *t, struct swiotlb_box *b, enum pzl_model model, uint32_t areas,
	      uint64_t slots, struct pz_memblock *mb)
{
	swb_start(t, b, model, areas);
	b->sw.default_slots = slots;
	if (!swb_memory(t, mb, PM_GIB))
		return false;
	if (!CHECK(t, pzl_swiotlb_init(&b->sw, mb, true, 0) == 0))
		return false;
	b->said_len = 0;
	return CHECK(t, b->sw.mem.slots == slots);
}

void swb_stop(struct swiotlb_box *b, struct pz_memblock *mb)
{
	pzl_swiotlb_destroy(&b->sw);
	if (mb)
		pz_memblock_destroy(mb);
}
