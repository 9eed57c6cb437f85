/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.c - the library in one page: a firmware map becomes zones with page counts.
 *
 * Build it against an installed physzone: cc layout.c $(pkg-config --cflags --libs physzone)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <physzone/map.h>
#include <physzone/memblock.h>
#include <physzone/zone.h>

#define LAYOUT_PAGE_SHIFT 12

static void *layout_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void layout_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

/* A small machine as a kdump kernel finds it: low memory, and a piece of 256 MiB. */
static const struct {
	uint64_t base, size;
	uint32_t type;
} layout_firmware[] = {
	{ 0x1000, 0x9e000, PZ_MAP_RAM },
	{ 0x9fc00, 0x400, PZ_MAP_RESERVED },
	{ 0x6b000000, 0x10000000, PZ_MAP_RAM },
	{ 0x7ffe0000, 0x20000, PZ_MAP_RESERVED },
};

int main(void)
{
	const struct pz_meta meta = { layout_alloc, layout_free, NULL };
	struct pz_map map;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_zone_config cfg = { .page_shift = LAYOUT_PAGE_SHIFT, .max_order_pages = 1024 };
	int rc = 0;

	/* 1. What firmware says, in any order, made sane. */
	pz_map_init(&map, &meta, NULL, 0);
	for (size_t i = 0; i < sizeof(layout_firmware) / sizeof(layout_firmware[0]) && !rc; i++)
		rc = pz_map_insert(&map, layout_firmware[i].base, layout_firmware[i].size,
				   layout_firmware[i].type, (uint32_t)i);
	if (!rc)
		rc = pz_map_sanitise(&map, LAYOUT_PAGE_SHIFT, 46);

	/* 2. Memory, and what is taken of it: here the first MiB, and 16 MiB for a kernel. */
	if (!rc)
		rc = pz_memblock_init(&mb, &meta, LAYOUT_PAGE_SHIFT);
	if (rc) {
		pz_map_destroy(&map);
		return 1;
	}
	for (uint32_t i = 0; i < map.count && !rc; i++)
		if (map.v[i].type == PZ_MAP_RAM)
			rc = pz_memblock_add(&mb, map.v[i].range.first,
					     pz_range_size(map.v[i].range), 0, 0);
	if (!rc)
		rc = pz_memblock_reserve(&mb, 0, 0x100000, PZ_NID_NONE, 0);
	if (!rc)
		rc = pz_memblock_reserve(&mb, 0x70000000, 0x1000000, PZ_NID_NONE, 0);

	/* 3. Zones: the limits are the caller's. These are those of x86_64. */
	cfg.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL;
	cfg.max_pfn[PZ_ZONE_DMA] = 0x1000000 >> LAYOUT_PAGE_SHIFT;
	cfg.max_pfn[PZ_ZONE_DMA32] = 0x7b000000 >> LAYOUT_PAGE_SHIFT;
	cfg.max_pfn[PZ_ZONE_NORMAL] = 0x7b000000 >> LAYOUT_PAGE_SHIFT;
	if (!rc)
		rc = pz_zones_build(&zones, &meta, &mb, &cfg);
	if (!rc) {
		rc = pz_zones_set_managed(&zones, &mb, UINT64_MAX);
		for (uint32_t n = 0; n < zones.node_count; n++) {
			for (int t = 0; t < PZ_ZONE_TYPES; t++) {
				const struct pz_zone *zone = &zones.node[n].zone[t];
				if (zone->spanned == 0)
					continue;
				printf("node %" PRId32 " %-6s start %8" PRIu64 " spanned %8" PRIu64
				       " present %8" PRIu64 " managed %8" PRIu64 "\n",
				       zones.node[n].nid, pz_zone_name((enum pz_zone_type)t),
				       zone->start_pfn, zone->spanned, zone->present,
				       zone->managed);
			}
		}
		if (!pz_zones_any_managed(&zones, PZ_ZONE_DMA))
			puts("zone DMA has pages, and none of them is managed");
		pz_zones_destroy(&zones);
	}
	pz_memblock_destroy(&mb);
	pz_map_destroy(&map);
	return rc ? 1 : 0;
}
