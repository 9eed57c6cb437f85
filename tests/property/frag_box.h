/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_box.h - a small machine, a cache of pieces on it, and a byte for each byte of its memory.
 */
#ifndef TESTS_PROPERTY_FRAG_BOX_H
#define TESTS_PROPERTY_FRAG_BOX_H

#include "hook.h"

#include <physzone/frag.h>

#define BOX_LOW_PAGES 48u  /* from 16 MiB on */
#define BOX_HIGH_PAGES 80u /* from 8 GiB on */
#define BOX_PAGES (BOX_LOW_PAGES + BOX_HIGH_PAGES)
#define BOX_LOW ((uint64_t)16 << 20)
#define BOX_HIGH ((uint64_t)8 << 30)
#define BOX_CPUS 3u

struct box {
	struct hook hook;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_bugs bugs;
	struct pz_pages *pages;
	struct pz_frag *f;
	uint64_t total;
	size_t marked;			      /* bytes that are 1 */
	unsigned char byte[BOX_PAGES * 4096]; /* 1: part of a piece that is out */
};

/* Where a byte of the machine stands in the array; SIZE_MAX when it is none of its bytes. */
static inline size_t box_at(uint64_t addr)
{
	if (addr - BOX_LOW < BOX_LOW_PAGES * 4096)
		return (size_t)(addr - BOX_LOW);
	if (addr - BOX_HIGH < BOX_HIGH_PAGES * 4096)
		return (size_t)(addr - BOX_HIGH) + BOX_LOW_PAGES * 4096;
	return SIZE_MAX;
}

/* Mark a piece; false when a byte of it is no memory, or not as it should be. */
static inline bool box_mark(struct box *b, uint64_t addr, uint32_t size, bool out)
{
	for (uint32_t i = 0; i < size; i++) {
		size_t at = box_at(addr + i);

		if (at == SIZE_MAX || b->byte[at] == out)
			return false;
		b->byte[at] = out;
		b->marked += out ? 1 : SIZE_MAX;
	}
	return true;
}

static inline uint64_t box_used(const struct box *b)
{
	return b->total - pz_page_free_count(b->pages, UINT32_MAX);
}

/* Memory that consists of the given pages, or of two runs of them when there are none. */
static inline bool box_start(struct box *b, const uint64_t *pfns, unsigned int n)
{
	struct pz_zone_config zc;
	struct pz_page_config pc;
	int ret;

	if (b->marked)
		memset(b->byte, 0, sizeof(b->byte));
	memset(b, 0, offsetof(struct box, byte));
	memset(&zc, 0, sizeof(zc));
	memset(&pc, 0, sizeof(pc));
	hook_init(&b->hook);
	b->bugs.policy = PZ_BUG_IGNORE;
	zc.configured = 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL;
	zc.page_shift = 12;
	zc.max_order_pages = 1024;
	zc.max_pfn[PZ_ZONE_DMA32] = (uint64_t)1 << 20;
	zc.max_pfn[PZ_ZONE_NORMAL] = (uint64_t)1 << 30;
	ret = pz_memblock_init(&b->mb, &b->hook.meta, 12);
	if (!n)
		ret |= pz_memblock_add(&b->mb, BOX_LOW, BOX_LOW_PAGES * 4096, 0, 0) |
		       pz_memblock_add(&b->mb, BOX_HIGH, BOX_HIGH_PAGES * 4096, 0, 0);
	for (unsigned int i = 0; i < n; i++)
		ret |= pz_memblock_add(&b->mb, pfns[i] << 12, 4096, 0, 0);
	ret |= pz_zones_build(&b->zones, &b->hook.meta, &b->mb, &zc);
	ret |= pz_zones_set_managed(&b->zones, &b->mb, UINT64_MAX);
	pc.meta = &b->hook.meta;
	pc.zones = &b->zones;
	pc.memblock = &b->mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = BOX_CPUS;
	pc.keep_pages = UINT64_MAX;
	pc.bugs = &b->bugs;
	ret |= pz_pages_create(&b->pages, &pc);
	if (ret)
		return false;
	b->total = pz_page_free_count(b->pages, UINT32_MAX);
	return true;
}

static inline void box_config(const struct box *b, struct pz_frag_config *c)
{
	memset(c, 0, sizeof(*c));
	c->pages = b->pages;
	c->limits = PZ_LIMITS_ANY;
	c->gfp = PZ_GFP_HIGH;
	c->meta = &b->hook.meta;
}

/* Give everything back; whether all of the metadata came back. */
static inline bool box_stop(struct box *b)
{
	pz_pages_destroy(b->pages);
	pz_zones_destroy(&b->zones);
	pz_memblock_destroy(&b->mb);
	return b->hook.live == 0 && !b->hook.bad_free;
}

#endif
