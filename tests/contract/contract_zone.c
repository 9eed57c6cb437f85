/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_zone.c - nodes and zones: layout, accounting, marks, fallback, by known examples.
 */
#include <physzone/zone.h>

#include "suites_decl.h"
#include "zone_vectors.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define BIT(t) (1u << (t))

static const uint32_t zone_x86_64 = BIT(PZ_ZONE_DMA) | BIT(PZ_ZONE_DMA32) | BIT(PZ_ZONE_NORMAL) |
				    BIT(PZ_ZONE_MOVABLE) | BIT(PZ_ZONE_DEVICE);

static void zone_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

/* Limits of an x86_64 machine whose memory ends at an address. */
static struct pz_zone_config zone_x86_64_config(uint64_t end)
{
	struct pz_zone_config c;

	zone_clear(&c, sizeof(c));
	c.configured = zone_x86_64;
	c.page_shift = 12;
	c.max_order_pages = 1024;
	c.max_pfn[PZ_ZONE_DMA] = (end < 16 * MIB ? end : 16 * MIB) >> 12;
	c.max_pfn[PZ_ZONE_DMA32] = (end < 4 * GIB ? end : 4 * GIB) >> 12;
	c.max_pfn[PZ_ZONE_NORMAL] = end >> 12;
	return c;
}

/* A PC's memory: 4 KiB to 636 KiB, 1 MiB to 3 GiB, and 4 GiB to the end. */
static bool zone_pc(struct tap *t, struct pz_memblock *mb, uint64_t end)
{
	return !pz_memblock_init(mb, t->meta, 12) &&
	       !pz_memblock_add(mb, 4 * KIB, 632 * KIB, 0, 0) &&
	       !pz_memblock_add(mb, MIB, 3 * GIB - MIB, 0, 0) &&
	       !pz_memblock_add(mb, 4 * GIB, end - 4 * GIB, 0, 0);
}

static void zone_layout(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(6 * GIB);
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_node *n;
	int nid = -1;

	CHECK(t, zone_pc(t, &mb, 6 * GIB));
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0);
	CHECK(t, pz_zones_check(&z) == 0);
	CHECK(t, z.node_count == 1 && z.movable_host == PZ_ZONE_NORMAL);
	n = pz_zones_node(&z, 0);
	CHECK(t, n && n->start_pfn == 1 && n->end_pfn == 6 * GIB >> 12 && !n->movable_pfn);
	CHECK(t, z.arch_range[PZ_ZONE_DMA].first == 1 && z.arch_range[PZ_ZONE_DMA].last == 4095);
	CHECK(t, !(z.arch_has & BIT(PZ_ZONE_DEVICE)));
	CHECK(t, n->zone[PZ_ZONE_DMA].start_pfn == 1 && n->zone[PZ_ZONE_DMA].spanned == 4095);
	CHECK(t, n->zone[PZ_ZONE_DMA].present == 158 + 3840);
	CHECK(t, n->zone[PZ_ZONE_DMA32].start_pfn == 4096);
	CHECK(t, n->zone[PZ_ZONE_DMA32].spanned == 1048576 - 4096);
	CHECK(t, n->zone[PZ_ZONE_DMA32].present == 786432 - 4096);
	CHECK(t, n->zone[PZ_ZONE_NORMAL].present == 524288);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].spanned == 0 && n->zone[PZ_ZONE_MOVABLE].start_pfn == 0);
	CHECK(t, pz_zones_of_pfn(&z, 0, 4095) == PZ_ZONE_DMA);
	CHECK_NAMED(t, pz_zones_of_pfn(&z, 0, 0xf0000) == PZ_ZONE_DMA32, "a hole has its zone");
	CHECK_NAMED(t, pz_zones_locate(&z, 0xf0000, &nid) == PZ_ZONE_TYPES && nid == -1,
		    "a hole is no memory");
	CHECK(t, pz_zones_of_pfn(&z, 0, 0) == PZ_ZONE_TYPES);
	CHECK(t, pz_zones_of_pfn(&z, 1, 4095) == PZ_ZONE_TYPES);
	CHECK(t, pz_zones_locate(&z, 0x100000, &nid) == PZ_ZONE_NORMAL && nid == 0);

	/* The capture kernel's ZONE_DMA: present, and nothing of it given out. */
	CHECK(t, pz_memblock_reserve(&mb, 0, 16 * MIB, PZ_NID_NONE, 0) == 0);
	CHECK(t, pz_zones_set_managed(&z, &mb, UINT64_MAX) == 0);
	CHECK(t, n->zone[PZ_ZONE_DMA].present == 3998 && n->zone[PZ_ZONE_DMA].managed == 0);
	CHECK(t, !pz_zones_any_managed(&z, PZ_ZONE_DMA));
	CHECK(t, pz_zones_any_managed(&z, PZ_ZONE_DMA32));
	CHECK(t, !pz_zones_any_managed(&z, PZ_ZONE_TYPES));
	CHECK(t, !pz_zones_managed_below(&z, &mb, 16 * MIB + 4 * KIB - 2));
	CHECK(t, pz_zones_managed_below(&z, &mb, 16 * MIB + 4 * KIB - 1));
	CHECK(t, pz_zones_set_managed(&z, &mb, 4 * GIB >> 12) == 0);
	CHECK(t, n->zone[PZ_ZONE_NORMAL].managed == 0);
	CHECK_NAMED(t, pz_zones_account(&z, (struct pz_range){ 0, 0x100003 }, true) == 3998 + 4,
		    "freed pages are counted where they lie, and not beyond what is present");
	CHECK(t, n->zone[PZ_ZONE_NORMAL].managed == 4);
	CHECK(t, pz_zones_account(&z, (struct pz_range){ 0, 4095 }, false) == 3998);
	CHECK(t, pz_zones_account(&z, (struct pz_range){ 0, 4095 }, false) == 0);
	CHECK(t, pz_zones_account(&z, (struct pz_range){ 2, 1 }, true) == 0);
	CHECK(t, pz_zones_check(&z) == 0);

	CHECK(t, pz_zones_add_node(&z, -1) == -PZ_EINVAL);
	CHECK(t, pz_zones_add_node(&z, 7) == 0 && pz_zones_add_node(&z, 7) == 0);
	CHECK(t, z.node_count == 2 && pz_zones_node(&z, 7)->end_pfn == 0);
	CHECK(t, pz_zones_node(&z, 3) == NULL);
	pz_zones_destroy(&z);

	c.page_shift = 13;
	CHECK_NAMED(t, pz_zones_build(&z, t->meta, &mb, &c) == -PZ_EINVAL,
		    "the page size is memblock's");
	c.page_shift = 12;
	c.max_order_pages = 1000;
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == -PZ_EINVAL);
	c.max_order_pages = 1024;
	c.movablecore.kind = PZ_CORE_MIRROR;
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == -PZ_EINVAL);
	pz_memblock_destroy(&mb);
}

/* Build with options and say where ZONE_MOVABLE of node 0 begins. */
static uint64_t zone_movable_start(struct tap *t, const struct pz_memblock *mb,
				   const struct pz_zone_config *c, uint32_t *notes)
{
	struct pz_zones z;
	uint64_t start;

	if (pz_zones_build(&z, t->meta, mb, c) || pz_zones_check(&z))
		return UINT64_MAX;
	start = z.node_count ? z.node[0].movable_pfn << c->page_shift : 0;
	*notes = z.notes;
	pz_zones_destroy(&z);
	return start;
}

static void zone_movable(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(8 * GIB);
	struct pz_memblock mb;
	uint32_t notes;

	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_memblock_add(&mb, 0, 8 * GIB, 0, 0) == 0);
	CHECK(t, zone_movable_start(t, &mb, &c, &notes) == 0 && !notes);
	c.movablecore = (struct pz_core_spec){ PZ_CORE_PAGES, GIB >> 12 };
	CHECK_NAMED(t, zone_movable_start(t, &mb, &c, &notes) == 7 * GIB, "movablecore=1G of 8G");
	c.kernelcore = (struct pz_core_spec){ PZ_CORE_PAGES, 15 * GIB / 2 >> 12 };
	CHECK_NAMED(t, zone_movable_start(t, &mb, &c, &notes) == 15 * GIB / 2,
		    "the larger kernelcore counts");
	c.movablecore.kind = PZ_CORE_NONE;
	c.kernelcore.value = GIB >> 12;
	CHECK_NAMED(t, zone_movable_start(t, &mb, &c, &notes) == 4 * GIB,
		    "memory that cannot be movable counts towards kernelcore");
	c.kernelcore = (struct pz_core_spec){ PZ_CORE_PERCENT, 75 };
	CHECK(t, zone_movable_start(t, &mb, &c, &notes) == 6 * GIB && !notes);
	c.kernelcore.value = 101;
	CHECK(t, zone_movable_start(t, &mb, &c, &notes) == 0 && notes == PZ_ZN_PERCENT_OVER_100);
	c.kernelcore = (struct pz_core_spec){ PZ_CORE_PAGES, (5 * GIB >> 12) + 1 };
	CHECK_NAMED(t, zone_movable_start(t, &mb, &c, &notes) == 5 * GIB + 4 * MIB,
		    "the start is rounded up to the largest buddy block");

	c.kernelcore.kind = PZ_CORE_MIRROR;
	CHECK_NAMED(t,
		    zone_movable_start(t, &mb, &c, &notes) == 0 &&
			    notes == PZ_ZN_UNMIRRORED_BELOW_4G,
		    "memory that begins below 4 GiB does not start ZONE_MOVABLE");
	c.flags = PZ_ZF_MIRROR_NEEDS_MIRROR;
	CHECK(t, zone_movable_start(t, &mb, &c, &notes) == 0 && notes == PZ_ZN_MIRROR_IGNORED);
	CHECK(t, pz_memblock_mark(&mb, PZ_MB_MEMORY, 0, 5 * GIB, PZ_MB_MIRROR, 0) == 0);
	CHECK(t, zone_movable_start(t, &mb, &c, &notes) == 5 * GIB && !notes);
	c.flags |= PZ_ZF_KDUMP;
	CHECK(t, zone_movable_start(t, &mb, &c, &notes) == 0 && notes == PZ_ZN_MIRROR_IGNORED);

	c.flags = 0;
	c.movable_node = true;
	CHECK(t, pz_memblock_mark(&mb, PZ_MB_MEMORY, 6 * GIB, GIB, PZ_MB_HOTPLUG, 0) == 0);
	CHECK_NAMED(t, zone_movable_start(t, &mb, &c, &notes) == 6 * GIB,
		    "movable_node counts first");
	pz_memblock_destroy(&mb);
}

/* Mirrored memory inside the span of ZONE_MOVABLE stays with the kernel's zone. */
static void zone_mirror(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(8 * GIB);
	struct pz_memblock mb;
	struct pz_zones z;
	const struct pz_node *n;

	c.kernelcore.kind = PZ_CORE_MIRROR;
	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_memblock_add(&mb, 0, 5 * GIB, 0, PZ_MB_MIRROR) == 0);
	CHECK(t, pz_memblock_add(&mb, 5 * GIB, GIB, 0, 0) == 0);
	CHECK(t, pz_memblock_add(&mb, 6 * GIB, GIB, 0, PZ_MB_MIRROR) == 0);
	CHECK(t, pz_memblock_add(&mb, 7 * GIB, GIB, 0, 0) == 0);
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0);
	n = pz_zones_node(&z, 0);
	CHECK(t, n->zone[PZ_ZONE_NORMAL].spanned == 4 * GIB >> 12);
	CHECK(t, n->zone[PZ_ZONE_NORMAL].present == 2 * GIB >> 12);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].start_pfn == 5 * GIB >> 12);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].spanned == 3 * GIB >> 12);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].present == 2 * GIB >> 12);
	CHECK(t, pz_zones_of_pfn(&z, 0, 6 * GIB >> 12) == PZ_ZONE_NORMAL);
	CHECK(t, pz_zones_of_pfn(&z, 0, 7 * GIB >> 12) == PZ_ZONE_MOVABLE);
	CHECK(t, pz_zones_set_managed(&z, &mb, UINT64_MAX) == 0);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].managed == 2 * GIB >> 12);
	CHECK(t, pz_zones_check(&z) == 0);
	pz_zones_destroy(&z);
	pz_memblock_destroy(&mb);
}

/* A limit may lie past the end of the space; what is printed of it does not. */
static void zone_past_the_top(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(2 * GIB);
	struct pz_memblock mb;
	struct pz_zones z;

	c.max_pfn[PZ_ZONE_NORMAL] = UINT64_MAX;
	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_memblock_add(&mb, (uint64_t)0 - GIB, GIB, 0, 0) == 0);
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0 && pz_zones_check(&z) == 0);
	CHECK(t, z.arch_range[PZ_ZONE_NORMAL].last == UINT64_MAX >> 12);
	CHECK(t, z.node[0].end_pfn == (UINT64_MAX >> 12) + 1);
	CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].present == GIB >> 12);
	pz_zones_destroy(&z);
	pz_memblock_destroy(&mb);
}

/* What pz_zones_check() says of each invariant that is broken. */
static void zone_broken(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(2 * GIB);
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_zone *dma;

	c.movablecore.kind = PZ_CORE_PAGES;
	c.movablecore.value = 0x10000;
	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_memblock_add(&mb, 0, 2 * GIB, 0, 0) == 0);
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0 && pz_zones_check(&z) == 0);
	CHECK(t, z.node[0].movable_pfn == 0x70000);
	z.node[0].movable_pfn++;
	CHECK(t, pz_zones_check(&z) == 7);
	z.node[0].movable_pfn = z.node[0].end_pfn;
	CHECK(t, pz_zones_check(&z) == 7);
	z.node[0].movable_pfn = 0x70000;
	dma = &z.node[0].zone[PZ_ZONE_DMA];
	dma->min = 1;
	CHECK(t, pz_zones_check(&z) == 8);
	dma->low = 2;
	CHECK(t, pz_zones_check(&z) == 8);
	dma->high = 2;
	CHECK(t, pz_zones_check(&z) == 0);
	dma->managed = dma->present + 1;
	CHECK(t, pz_zones_check(&z) == 2);
	dma->managed = 0;
	z.node[0].zone[PZ_ZONE_DMA32].start_pfn--;
	CHECK(t, pz_zones_check(&z) == 3);
	z.node[0].zone[PZ_ZONE_DMA32].start_pfn++;
	z.cfg.configured &= ~BIT(PZ_ZONE_DMA);
	CHECK(t, pz_zones_check(&z) == 4);
	z.cfg.configured = c.configured;
	z.node[0].zone[PZ_ZONE_DEVICE].start_pfn = 1;
	CHECK(t, pz_zones_check(&z) == (c.configured & BIT(PZ_ZONE_DEVICE) ? 5 : 4));
	z.node[0].zone[PZ_ZONE_DEVICE].start_pfn = 0;
	z.block[0].nid = 1;
	CHECK(t, pz_zones_check(&z) == 6);
	z.block[0].nid = 0;
	z.node[0].zone[PZ_ZONE_DMA].managed = 0;
	CHECK(t, pz_zones_check(&z) == 0);
	pz_zones_destroy(&z);
	pz_memblock_destroy(&mb);
}

/* Hot-plugged memory goes to the zone that it is told, wherever it lies. */
static void zone_online(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(2 * GIB);
	struct pz_range high = { GIB >> 10, (GIB >> 10) + 0x3ffff };
	struct pz_range gap = { 0x90000, 0x9ffff };
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_node *n;

	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_memblock_add(&mb, 0, 2 * GIB, 0, 0) == 0);
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0);
	CHECK(t, pz_zones_online(&z, high, 1, PZ_ZONE_MOVABLE) == 0);
	n = pz_zones_node(&z, 1);
	CHECK(t, n->start_pfn == high.first && n->end_pfn == high.last + 1);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].start_pfn == high.first);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].spanned == 0x40000);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].present == 0x40000);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].managed == 0x40000);
	CHECK(t, pz_zones_online(&z, gap, 1, PZ_ZONE_MOVABLE) == 0);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].spanned == high.last + 1 - gap.first);
	CHECK(t, pz_zones_online(&z, (struct pz_range){ 0xa0000, 0xa0000 }, 1, PZ_ZONE_DMA32) == 0);
	CHECK(t, pz_zones_of_pfn(&z, 1, 0xa0000) == PZ_ZONE_DMA32);
	CHECK(t, pz_zones_of_pfn(&z, 1, 0x9ffff) == PZ_ZONE_MOVABLE);
	CHECK(t, pz_zones_account(&z, (struct pz_range){ 0x9ffff, 0xa0000 }, false) == 2);
	CHECK(t, n->zone[PZ_ZONE_MOVABLE].managed == 0x4ffff);
	CHECK(t, n->zone[PZ_ZONE_DMA32].managed == 0);
	CHECK_NAMED(t, n->start_pfn == gap.first && n->end_pfn == high.last + 1,
		    "what lies below the end of a node leaves the end alone");
	CHECK(t, pz_zones_check(&z) == 0);
	CHECK(t,
	      pz_zones_online(&z, (struct pz_range){ 0, 0x90000 }, 0, PZ_ZONE_DMA) == -PZ_EEXIST);
	CHECK(t, pz_zones_online(&z, high, 2, PZ_ZONE_HIGHMEM) == -PZ_EINVAL);
	CHECK(t, pz_zones_online(&z, (struct pz_range){ 1, 0 }, 0, PZ_ZONE_DMA) == -PZ_EINVAL);
	CHECK(t, pz_zones_online(&z, (struct pz_range){ 0, UINT64_MAX }, 0, PZ_ZONE_DMA) ==
			 -PZ_EINVAL);
	CHECK(t, z.node_count == 2);
	pz_zones_destroy(&z);
	pz_memblock_destroy(&mb);
}

/* One zone with a number of managed pages. */
static bool zone_of_pages(struct tap *t, struct pz_zones *z, unsigned int shift, uint64_t pages)
{
	struct pz_zone_config c;
	struct pz_memblock mb;
	int err;

	zone_clear(&c, sizeof(c));
	c.configured = BIT(PZ_ZONE_NORMAL) | BIT(PZ_ZONE_MOVABLE);
	c.page_shift = shift;
	c.max_order_pages = 1024;
	c.max_pfn[PZ_ZONE_NORMAL] = pages;
	if (pz_memblock_init(&mb, t->meta, shift) || pz_memblock_add(&mb, 0, pages << shift, 0, 0))
		return false;
	err = pz_zones_build(z, t->meta, &mb, &c);
	pz_memblock_destroy(&mb);
	return !err;
}

static void zone_vectors(struct tap *t)
{
	static const uint64_t min_free[][2] = {
		{ 16, 512 },	  { 64, 1024 },	       { 128, 1448 },	     { 256, 2048 },
		{ 512, 2896 },	  { 1024, 4096 },      { 4096, 8192 },	     { 16384, 16384 },
		{ 65536, 32768 }, { 1048576, 131072 }, { 16777216, 262144 }, { 1, 128 },
	};
	static const uint64_t batch[][2] = {
		{ 1000, 1 },   { 4096, 1 },    { 8192, 1 },    { 16384, 3 },	{ 32768, 7 },
		{ 65536, 15 }, { 131072, 31 }, { 262144, 63 }, { 1 << 30, 63 },
	};
	struct pz_wmark_config w;
	struct pz_zones z;

	for (size_t i = 0; i < sizeof(min_free) / sizeof(min_free[0]); i++) {
		CHECK(t, zone_of_pages(t, &z, 12, min_free[i][0] << 8));
		CHECK(t, pz_zones_min_free_kbytes(&z) == min_free[i][1]);
		pz_zones_destroy(&z);
	}
	for (size_t i = 0; i < sizeof(batch) / sizeof(batch[0]); i++) {
		CHECK(t, zone_of_pages(t, &z, 12, batch[i][0]));
		pz_zones_set_pcp(&z, 4);
		CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].pcp_batch == batch[i][1]);
		CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].pcp_high == 4 * batch[i][1]);
		pz_zones_destroy(&z);
	}

	pz_wmark_defaults(&w);
	CHECK(t, w.scale_factor == 10 && w.reserve_ratio[PZ_ZONE_NORMAL] == 32);
	CHECK(t, zone_of_pages(t, &z, 12, 1 << 20));
	w.scale_factor = 3001;
	CHECK(t, pz_zones_set_watermarks(&z, &w) == -PZ_EINVAL);
	w.scale_factor = 3000;
	CHECK(t, pz_zones_set_watermarks(&z, &w) == 0);
	CHECK_NAMED(t, z.node[0].zone[PZ_ZONE_NORMAL].min == 2048, "all of min_free_kbytes");
	CHECK_NAMED(t, z.node[0].zone[PZ_ZONE_NORMAL].low == 2048 + 314572, "the scaled distance");
	CHECK(t, pz_zones_check(&z) == 0);
	pz_zones_destroy(&z);

	/* 2^32 pages and one more: a divisor of 32 bits sees one page. */
	CHECK(t, zone_of_pages(t, &z, 12, ((uint64_t)1 << 32) + 1));
	pz_wmark_defaults(&w);
	CHECK(t, pz_zones_set_watermarks(&z, &w) == 0);
	CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].min == 65536);
	z.cfg.flags |= PZ_ZF_WMARK_DIV32;
	CHECK(t, pz_zones_set_watermarks(&z, &w) == 0);
	CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].min == (((uint64_t)1 << 32) + 1) << 16);
	pz_zones_destroy(&z);
}

static bool zone_is_recorded(const struct pz_zone *zone, const struct vec_zone *v,
			     uint32_t configured)
{
	bool ok = zone->min == v->min && zone->low == v->low && zone->high == v->high &&
		  zone->managed == v->managed && (!v->batch || zone->pcp_batch == v->batch) &&
		  (!v->pcp_high || zone->pcp_high == v->pcp_high);

	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
		ok = ok && (v->protection[t] == zone->reserve[t] || !(configured & BIT(t)));
	return ok;
}

/* What real kernels showed after boot, from their managed pages. */
static void zone_recorded(struct tap *t)
{
	const struct vec_zone *v = vec_zones;
	const struct pz_boot_late *late = vec_late;
	struct pz_memblock mb;

	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	for (size_t i = 0; i < sizeof(vec_machines) / sizeof(vec_machines[0]); i++) {
		const struct vec_machine *m = &vec_machines[i];
		struct pz_zone_config c;
		struct pz_boot_config b;
		struct pz_boot_marks marks;
		struct pz_zones z;
		bool ok = true;

		zone_clear(&c, sizeof(c));
		zone_clear(&b, sizeof(b));
		c.configured = m->configured;
		c.page_shift = m->page_shift;
		c.max_order_pages = 1024;
		c.flags = m->flags;
		mb.page_shift = m->page_shift;
		CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0);
		z.movable_host = m->movable_host;
		for (uint32_t k = 0; k < m->zones; k++) {
			ok = ok && !pz_zones_add_node(&z, v[k].nid);
			pz_zones_node(&z, v[k].nid)->zone[v[k].type].present = v[k].present;
			pz_zones_node(&z, v[k].nid)->zone[v[k].type].managed = v[k].managed;
		}
		pz_wmark_defaults(&b.wmark);
		b.thp = m->thp;
		b.pageblock_pages = m->pageblock;
		b.migrate_types = 3;
		b.cpus = m->cpus;
		b.late = late;
		b.late_count = m->late;
		CHECK(t, pz_zones_boot_watermarks(&z, &b, &marks) == 0);
		for (uint32_t k = 0; k < m->zones; k++)
			ok = ok && zone_is_recorded(&pz_zones_node(&z, v[k].nid)->zone[v[k].type],
						    &v[k], m->configured);
		CHECK_NAMED(t, ok, m->name);
		CHECK(t, marks.at_marks == m->first_kbytes && marks.at_end == m->min_free_kbytes);
		pz_zones_destroy(&z);
		v += m->zones;
		late += m->late;
	}
	pz_memblock_destroy(&mb);
}

static void zone_boot_errors(struct tap *t)
{
	struct pz_boot_late late[2] = { { PZ_BOOT_THP, 0, PZ_ZONE_NORMAL, 100 },
					{ PZ_BOOT_MARKS, 0, PZ_ZONE_NORMAL, 1 << 18 } };
	struct pz_boot_config b;
	struct pz_boot_marks marks;
	struct pz_zones z;

	zone_clear(&b, sizeof(b));
	pz_wmark_defaults(&b.wmark);
	b.thp = PZ_THP_NEVER;
	b.late = late;
	b.late_count = 2;
	CHECK(t, zone_of_pages(t, &z, 12, 1 << 18));
	CHECK_NAMED(t, pz_zones_boot_watermarks(&z, &b, NULL) == -PZ_EINVAL, "more than there is");
	CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].managed == 1 << 18);
	late[1].nid = 1;
	CHECK_NAMED(t, pz_zones_boot_watermarks(&z, &b, NULL) == -PZ_EINVAL, "no such node");
	CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].managed == 1 << 18);
	b.late_count = 1;
	CHECK(t, pz_zones_boot_watermarks(&z, &b, &marks) == 0 && marks.thp_phase);
	CHECK(t, marks.at_marks == 4095);
	CHECK_NAMED(t, marks.at_end == 4083, "without huge pages, above the marks of before");
	b.wmark.min_free_kbytes = 65536;
	CHECK(t, pz_zones_boot_watermarks(&z, &b, &marks) == 0 && marks.at_end == 65536);
	CHECK(t, z.node[0].zone[PZ_ZONE_NORMAL].min == 16384);
	pz_zones_destroy(&z);
}

/* Orders that 6.1 printed: nodes all equally far, each with CPUs. */
static void zone_recorded_orders(struct tap *t)
{
	static const struct {
		const char *name;
		uint32_t nodes, memoryless;
		int count[4];
		int32_t order[4][4];
	} v[] = {
		{ "x86_64/6.1-numa4-8G",
		  4,
		  9,
		  { 4, 4, 4, 4 },
		  { { 0, 1, 2, 3 }, { 1, 2, 3, 0 }, { 2, 3, 0, 1 }, { 3, 0, 1, 2 } } },
		{ "x86_64/6.1-numa3-tiny0-3G",
		  3,
		  9,
		  { 3, 3, 3 },
		  { { 0, 1, 2 }, { 1, 2, 0 }, { 2, 0, 1 } } },
		{ "x86_64/6.1-numa2-memless0-2G", 2, 0, { 2, 1 }, { { 0, 1 }, { 1 } } },
	};
	struct pz_zone_config c = zone_x86_64_config(8 * GIB);
	struct pz_memblock mb;
	struct pz_zones z;

	c.flags = PZ_ZF_FALLBACK_LOCAL_FIRST;
	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint32_t load[4] = { 0 };
		bool ok = true;

		for (uint32_t n = 0; n < 4; n++) {
			ok = ok && !pz_zones_add_node(&z, (int)n);
			z.node[n].cpus = 1;
			z.node[n].end_pfn = n < v[i].nodes && n != v[i].memoryless;
		}
		for (uint32_t n = 0; n < v[i].nodes; n++) {
			int32_t order[4];
			int count = pz_zones_fallback(&z, (int)n, NULL, NULL, order, 4, load);

			ok = ok && count == v[i].count[n];
			for (int k = 0; ok && k < count; k++)
				ok = order[k] == v[i].order[n][k];
		}
		CHECK_NAMED(t, ok, v[i].name);
	}
	pz_zones_destroy(&z);
	pz_memblock_destroy(&mb);
}

static unsigned int zone_line_distance(void *ctx, int from, int to)
{
	(void)ctx;
	return 10u + 10u * (unsigned int)(from < to ? to - from : from - to);
}

static void zone_fallback(struct tap *t)
{
	struct pz_zone_config c = zone_x86_64_config(8 * GIB);
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_zoneref list[8];
	uint32_t load[5] = { 0 };
	int32_t order[4];

	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	for (int nid = 0; nid < 4; nid++)
		CHECK(t, pz_memblock_add(&mb, (uint64_t)nid * 2 * GIB, 2 * GIB, nid, 0) == 0);
	CHECK(t, pz_zones_build(&z, t->meta, &mb, &c) == 0);
	CHECK(t, pz_zones_add_node(&z, 9) == 0);
	CHECK(t, pz_zones_fallback(&z, 5, NULL, NULL, order, 4, NULL) == -PZ_ENOENT);
	CHECK(t, pz_zones_fallback(&z, 1, zone_line_distance, NULL, order, 4, NULL) == 4);
	CHECK(t, order[0] == 1 && order[1] == 2 && order[2] == 0 && order[3] == 3);
	CHECK_NAMED(t, pz_zones_fallback(&z, 9, zone_line_distance, NULL, order, 4, NULL) == 4,
		    "a node without memory is not in its own order");
	CHECK(t, order[0] == 3 && order[3] == 0);

	/* Equal distances: the first choice rotates. */
	CHECK(t, pz_zones_fallback(&z, 0, NULL, NULL, order, 4, load) == 4);
	CHECK(t, order[0] == 0 && order[1] == 1 && order[2] == 2 && order[3] == 3);
	CHECK(t, load[1] == 1);
	CHECK(t, pz_zones_fallback(&z, 3, NULL, NULL, order, 4, load) == 4);
	CHECK(t, order[0] == 3 && order[1] == 0 && order[2] == 2 && order[3] == 1);
	z.node[2].cpus = 4;
	CHECK(t, pz_zones_fallback(&z, 0, NULL, NULL, order, 4, NULL) == 4);
	CHECK_NAMED(t, order[1] == 1 && order[2] == 3 && order[3] == 2, "nodes without CPUs first");
	order[0] = -1;
	CHECK_NAMED(t, pz_zones_fallback(&z, 0, NULL, NULL, order, 3, NULL) == 4 && order[0] == -1,
		    "an order that does not fit is only counted");

	order[0] = 1;
	order[1] = 0;
	CHECK(t, pz_zones_zonelist(&z, order, 2, PZ_ZONE_MOVABLE, list, 8) == 3);
	CHECK(t, list[0].nid == 1 && list[0].type == PZ_ZONE_DMA32);
	CHECK(t, list[1].nid == 0 && list[1].type == PZ_ZONE_DMA32);
	CHECK(t, list[2].nid == 0 && list[2].type == PZ_ZONE_DMA);
	CHECK(t, pz_zones_zonelist(&z, order, 2, PZ_ZONE_DMA, list, 0) == 1);
	z.node[0].zone[PZ_ZONE_DMA].managed = 0;
	CHECK_NAMED(t, pz_zones_zonelist(&z, order, 2, PZ_ZONE_DMA, list, 8) == 1,
		    "a zone without managed pages is in the list");
	CHECK(t, pz_zone_name(PZ_ZONE_HIGHMEM)[4] == 'M' && pz_zone_name(PZ_ZONE_TYPES)[0] == '?');
	pz_zones_destroy(&z);
	pz_memblock_destroy(&mb);
}

void contract_zone(struct tap *t)
{
	zone_layout(t);
	zone_movable(t);
	zone_mirror(t);
	zone_past_the_top(t);
	zone_broken(t);
	zone_online(t);
	zone_vectors(t);
	zone_recorded(t);
	zone_boot_errors(t);
	zone_fallback(t);
	zone_recorded_orders(t);
}
