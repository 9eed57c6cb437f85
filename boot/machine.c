/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - the machine that the image runs on, laid out in zones as Linux would.
 *
 * The map comes from the loader's PVH start info, which carries the e820 table of the firmware. The
 * command line may say "ram=MIB", the memory that the machine is known to have.
 */
#include <physzone/linux/arch.h>

#include "image.h"

#define BOOT_PVH_MAGIC 0x336ec578u
/* Firmware keeps some of the memory that the machine has to itself. */
#define BOOT_FIRMWARE_MIB 4

/* The start info of the PVH boot protocol, version 1. */
struct boot_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t modlist;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_entries;
	uint32_t reserved;
};

#define BOOT_MEMMAP_RECORD 24

static const struct boot_start_info *boot_info(uint64_t handed_over)
{
	const struct boot_start_info *info = (const void *)(uintptr_t)handed_over;

	return info && info->magic == BOOT_PVH_MAGIC && info->version >= 1 ? info : NULL;
}

int boot_read_map(struct pz_map *map, const struct pz_meta *meta, uint64_t handed_over)
{
	const struct boot_start_info *info = boot_info(handed_over);

	pz_map_init(map, meta, NULL, 0);
	if (!info)
		return -PZ_EINVAL;
	return pz_map_decode_pvh(map, (const void *)(uintptr_t)info->memmap,
				 (size_t)info->memmap_entries * BOOT_MEMMAP_RECORD);
}

static void boot_print_map(const struct pz_map *map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		port_print("# firmware ");
		port_print_hex(map->v[i].range.first);
		port_print("-");
		port_print_hex(map->v[i].range.last);
		port_print(" type ");
		port_print_dec(map->v[i].type);
		port_print("\n");
	}
}

static void boot_print_field(const char *name, uint64_t v)
{
	port_print(name);
	port_print_dec(v);
}

static void boot_print_zones(const struct pz_zones *z)
{
	for (uint32_t n = 0; n < z->node_count; n++) {
		for (unsigned int type = 0; type < PZ_ZONE_TYPES; type++) {
			const struct pz_zone *zone = &z->node[n].zone[type];

			if (!zone->spanned)
				continue;
			boot_print_field("# node ", (uint64_t)z->node[n].nid);
			port_print(" zone ");
			port_print(pz_zone_name((enum pz_zone_type)type));
			boot_print_field(" start ", zone->start_pfn);
			boot_print_field(" spanned ", zone->spanned);
			boot_print_field(" present ", zone->present);
			boot_print_field(" managed ", zone->managed);
			boot_print_field(" min ", zone->min);
			boot_print_field(" low ", zone->low);
			boot_print_field(" high ", zone->high);
			port_print("\n");
		}
	}
}

/* The number behind "ram=" in the command line, 0 when there is none. */
static uint64_t boot_known_mib(const char *s)
{
	uint64_t mib = 0;

	for (; s && *s; s++) {
		if (s[0] != 'r' || s[1] != 'a' || s[2] != 'm' || s[3] != '=')
			continue;
		for (s += 4; *s >= '0' && *s <= '9'; s++)
			mib = mib * 10 + (uint64_t)(*s - '0');
		break;
	}
	return mib;
}

static uint64_t boot_sum(const struct pz_zones *z, bool managed)
{
	uint64_t sum = 0;

	for (uint32_t n = 0; n < z->node_count; n++)
		for (unsigned int type = 0; type < PZ_ZONE_TYPES; type++)
			sum += managed ? z->node[n].zone[type].managed
				       : z->node[n].zone[type].present;
	return sum;
}

int boot_zone_config(const struct pz_memblock *mb, struct pz_zone_config *cfg)
{
	struct pzl_arch_input in;
	struct pzl_zone_limits limits;
	int err;

	pzl_arch_input_init(&in, PZL_LINUX_6_12, PZL_ARCH_X86_64);
	pzl_arch_input_memory(&in, mb);
	err = pzl_zone_limits(PZL_LINUX_6_12, PZL_ARCH_X86_64, &in, &limits);
	if (err)
		return err;
	*cfg = (struct pz_zone_config){ .page_shift = BOOT_PAGE_SHIFT, .max_order_pages = 1024 };
	cfg->configured = limits.configured;
	for (unsigned int type = 0; type < PZ_ZONE_TYPES; type++)
		cfg->max_pfn[type] = limits.max_pfn[type];
	return 0;
}

/* Zones of the memory in mb, by the limits of Linux on x86_64. */
static void boot_zones(struct tap *t, const struct pz_memblock *mb, uint64_t reserved_pages)
{
	struct pz_zone_config cfg;
	struct pz_wmark_config marks;
	struct pz_zones z;

	if (!CHECK_NAMED(t, boot_zone_config(mb, &cfg) == 0, "zone limits are computed"))
		return;
	if (!CHECK_NAMED(t, pz_zones_build(&z, t->meta, mb, &cfg) == 0, "zones are laid out"))
		return;
	CHECK_NAMED(t, pz_zones_set_managed(&z, mb, UINT64_MAX) == 0, "every free page has a zone");
	pz_wmark_defaults(&marks);
	CHECK_NAMED(t, pz_zones_set_watermarks(&z, &marks) == 0, "watermarks are computed");
	pz_zones_set_reserves(&z, &marks);
	boot_print_zones(&z);
	CHECK_NAMED(t, pz_zones_check(&z) == 0, "the zones' invariants hold");
	CHECK_NAMED(t, boot_sum(&z, false) == boot_sum(&z, true) + reserved_pages,
		    "present less reserved is managed");
	CHECK_NAMED(t, pz_zones_any_managed(&z, PZ_ZONE_DMA), "zone DMA has managed pages");
	CHECK_NAMED(t, !(pz_memblock_last(mb) >> 32) || pz_zones_any_managed(&z, PZ_ZONE_NORMAL),
		    "memory above 4 GiB is in zone Normal");
	pz_zones_destroy(&z);
}

/* Whole pages that are memory and reserved; the reservations lie in memory where this counts. */
static uint64_t boot_reserved_pages(const struct pz_map *map, struct pz_range r)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		struct pz_range memory, both;

		if (map->v[i].type != PZ_MAP_RAM ||
		    !pz_range_trim(map->v[i].range, BOOT_PAGE_SHIFT, &memory))
			continue;
		r.first &= ~(BOOT_PAGE - 1);
		r.last |= BOOT_PAGE - 1;
		memory.first <<= BOOT_PAGE_SHIFT;
		memory.last = memory.last << BOOT_PAGE_SHIFT | (BOOT_PAGE - 1);
		if (pz_range_intersect(memory, r, &both))
			pages += (both.last - both.first + 1) >> BOOT_PAGE_SHIFT;
	}
	return pages;
}

int boot_add_memory(struct pz_memblock *mb, const struct pz_map *map)
{
	int err = 0;

	for (uint32_t i = 0; i < map->count && !err; i++)
		if (map->v[i].type == PZ_MAP_RAM)
			err = pz_memblock_add(mb, map->v[i].range.first,
					      pz_range_size(map->v[i].range), 0, 0);
	return err ? err : pz_memblock_trim(mb, BOOT_PAGE);
}

int boot_reserve(struct pz_memblock *mb)
{
	struct pz_range image = port_image();
	int err = pz_memblock_reserve(mb, 0, BOOT_LOW_1M, PZ_NID_NONE, 0);

	return err ? err
		   : pz_memblock_reserve(mb, image.first, pz_range_size(image), PZ_NID_NONE, 0);
}

static void boot_memory(struct tap *t, const struct pz_map *map, uint64_t known_mib)
{
	struct pz_range image = port_image();
	struct pz_memblock mb;
	uint64_t bytes;

	if (!CHECK_NAMED(t, pz_memblock_init(&mb, t->meta, BOOT_PAGE_SHIFT) == 0,
			 "memblock starts"))
		return;
	CHECK_NAMED(t, boot_add_memory(&mb, map) == 0, "memory is added");
	bytes = pz_memblock_bytes(&mb, PZ_MB_MEMORY);
	if (known_mib)
		CHECK_NAMED(t,
			    bytes >> 20 <= known_mib &&
				    (bytes >> 20) + BOOT_FIRMWARE_MIB >= known_mib,
			    "the map has the memory that the machine has");
	CHECK_NAMED(t, boot_reserve(&mb) == 0, "the first MiB and the image are reserved");
	CHECK_NAMED(t, pz_memblock_check(&mb) == 0, "memblock's invariants hold");
	boot_zones(t, &mb,
		   boot_reserved_pages(map, (struct pz_range){ 0, BOOT_LOW_1M - 1 }) +
			   boot_reserved_pages(map, image));
	pz_memblock_destroy(&mb);
}

void boot_machine(struct tap *t, uint64_t handed_over)
{
	const struct boot_start_info *info = boot_info(handed_over);
	struct pz_map map;
	int err;

	if (!CHECK_NAMED(t, info, "the loader hands over its start info"))
		return;
	err = boot_read_map(&map, t->meta, handed_over);
	CHECK_NAMED(t, !err && map.count > 1, "the firmware's map is read");
	boot_print_map(&map);
	err = pz_map_sanitise(&map, BOOT_PAGE_SHIFT, BOOT_PHYS_BITS);
	if (!err)
		err = pz_map_set_type(&map, (struct pz_range){ 0, BOOT_PAGE - 1 }, PZ_MAP_RAM,
				      PZ_MAP_RESERVED);
	CHECK_NAMED(t, !err && pz_map_check(&map) == 0, "sanitised, and page 0 left out");
	if (!err)
		boot_memory(t, &map, boot_known_mib((const char *)(uintptr_t)info->cmdline));
	pz_map_destroy(&map);
}
