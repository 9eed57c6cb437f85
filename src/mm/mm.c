/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm.c - one machine: everything that the library knows of it hangs off one object.
 *
 * Concept
 *  The machine puts a counting hook with a fault point between its parts and the caller's metadata
 *  hook, so that what it holds is known, and each failure can be tried. Steps that span parts work
 *  on a new part beside the old one, and put it in its place when nothing can fail any more.
 *
 * Invariants (pz_mm_check() verifies them)
 *  1. the object was not moved since pz_mm_init(): its hook points to itself;
 *  2. its parts take their metadata from its hook;
 *  3. they have its page size;
 *  4. map, memblock and zones hold no more metadata than is out.
 *
 * Failure
 *  A step that fails leaves memory and zones as they were and holds nothing. Sanitising the map is
 *  not undone when the memory cannot be made of it; it gives the same map again.
 *
 * Shortcomings
 *  The machine has no lock. Zones laid out anew exist beside the old ones for a moment.
 */
#include <physzone/mm.h>

#include "../base/bits.h"
#include "../base/pz_string.h"

static uint64_t mm_array_bytes(const struct pz_mb_array *a)
{
	return a->owned ? (uint64_t)a->cap * sizeof(*a->v) : 0;
}

/* Bytes of metadata that the parts hold. */
static uint64_t mm_held(const struct pz_mm *mm)
{
	uint64_t n = mm_array_bytes(&mm->memblock.memory) + mm_array_bytes(&mm->memblock.reserved);

	if (mm->map.owned)
		n += (uint64_t)mm->map.cap * sizeof(*mm->map.v);
	n += (uint64_t)mm->map.odd_cap * sizeof(*mm->map.odd);
	n += (uint64_t)mm->zones.node_cap * sizeof(*mm->zones.node);
	n += (uint64_t)mm->zones.block_cap * sizeof(*mm->zones.block);
	return n;
}

int pz_mm_init(struct pz_mm *mm, const struct pz_mm_config *cfg)
{
	uint32_t id = 0;

	if (!cfg->meta || !cfg->meta->alloc || !cfg->meta->free)
		return -PZ_EINVAL;
	if (cfg->page_shift < 12 || cfg->page_shift > 16)
		return -PZ_EINVAL;
	if (cfg->phys_bits < 1 || cfg->phys_bits > 64)
		return -PZ_EINVAL;
	if (cfg->log_ring && cfg->log_size < PZ_LOG_MIN_SIZE)
		return -PZ_EINVAL;
	memset(mm, 0, sizeof(*mm));
	mm->page_shift = cfg->page_shift;
	mm->phys_bits = cfg->phys_bits;
	/* None of these can fail: the arguments were checked, and the fault point has its room. */
	pz_faults_init(&mm->faults, mm->fault_point, PZ_MM_FAULT_POINTS);
	(void)pz_fault_add(&mm->faults, PZ_MM_FAULT_META, &id);
	pz_fault_meta_init(&mm->meta, cfg->meta, &mm->faults, id);
	if (cfg->log_ring)
		mm->has_log = !pz_log_init(&mm->log, cfg->log_ring, cfg->log_size);
	mm->bugs.policy = cfg->bug_policy;
	mm->bugs.panic = cfg->panic;
	mm->bugs.report = cfg->report;
	mm->bugs.ctx = cfg->ctx;
	mm->bugs.log = mm->has_log ? &mm->log : NULL;
	pz_map_init(&mm->map, &mm->meta.meta, NULL, 0);
	(void)pz_memblock_init(&mm->memblock, &mm->meta.meta, mm->page_shift);
	return 0;
}

static void mm_drop_zones(struct pz_mm *mm)
{
	if (mm->zones.meta)
		pz_zones_destroy(&mm->zones);
}

void pz_mm_destroy(struct pz_mm *mm)
{
	mm_drop_zones(mm);
	pz_memblock_destroy(&mm->memblock);
	pz_map_destroy(&mm->map);
	if (mm->meta.blocks)
		pz_bug(&mm->bugs, __func__, "%llu bytes of metadata were not given back",
		       (unsigned long long)mm->meta.bytes);
}

/* One line for each kind of oddity: how often, and where first. */
static void mm_log_oddities(struct pz_mm *mm)
{
	for (int what = PZ_ODD_EMPTY; what <= PZ_ODD_FEW; what++) {
		const struct pz_map_odd *first = NULL;
		unsigned int n = 0;

		for (uint32_t i = 0; i < mm->map.odd_count; i++) {
			if (mm->map.odd[i].what != (enum pz_map_oddity)what)
				continue;
			if (!first)
				first = &mm->map.odd[i];
			n++;
		}
		if (first)
			pz_log_write(mm->bugs.log, PZ_LOG_WARNING,
				     "map: %s, %u time%s, %#llx-%#llx",
				     pz_map_oddity_name((enum pz_map_oddity)what), n,
				     n == 1 ? "" : "s", (unsigned long long)first->range.first,
				     (unsigned long long)first->range.last);
	}
}

/* The size of the whole space does not fit 64 bits; its last byte is added by itself. */
static int mm_add_ram(struct pz_memblock *mb, struct pz_range r)
{
	uint64_t size = pz_range_size(r);
	int rc = pz_memblock_add(mb, r.first, size, PZ_NID_NONE, 0);

	if (!rc && size - 1 != r.last - r.first)
		rc = pz_memblock_add(mb, r.last, 1, PZ_NID_NONE, 0);
	return rc;
}

int pz_mm_take_map(struct pz_mm *mm)
{
	struct pz_memblock mb;
	int rc;

	if (mm->memblock.memory.count || mm->memblock.reserved.count)
		return -PZ_EBUSY;
	rc = pz_map_sanitise(&mm->map, mm->page_shift, mm->phys_bits);
	if (rc)
		return rc;
	rc = pz_memblock_init(&mb, &mm->meta.meta, mm->page_shift);
	if (!rc) /* there is nothing to copy but the settings */
		rc = pz_memblock_copy(&mb, &mm->memblock);
	for (uint32_t i = 0; !rc && i < mm->map.count; i++) {
		if (mm->map.v[i].type == PZ_MAP_RAM)
			rc = mm_add_ram(&mb, mm->map.v[i].range);
	}
	if (rc) {
		pz_memblock_destroy(&mb);
		return rc;
	}
	(void)pz_memblock_trim(&mb, (uint64_t)1 << mm->page_shift);
	pz_memblock_destroy(&mm->memblock);
	mm->memblock = mb;
	mm_log_oddities(mm);
	return 0;
}

int pz_mm_lay_out(struct pz_mm *mm, const struct pz_zone_config *cfg, uint64_t max_pfn)
{
	struct pz_zones z;
	int rc;

	if (cfg->page_shift != mm->page_shift)
		return -PZ_EINVAL;
	rc = pz_zones_build(&z, &mm->meta.meta, &mm->memblock, cfg);
	if (rc)
		return rc;
	rc = pz_zones_set_managed(&z, &mm->memblock, max_pfn);
	if (rc) {
		pz_zones_destroy(&z);
		return rc;
	}
	mm_drop_zones(mm);
	mm->zones = z;
	return 0;
}

static void mm_snapshot_zones(const struct pz_zones *z, struct pz_mm_snapshot *out)
{
	out->nodes = z->node_count;
	for (uint32_t i = 0; i < z->node_count; i++) {
		for (int type = 0; type < PZ_ZONE_TYPES; type++) {
			const struct pz_zone *zone = &z->node[i].zone[type];

			out->zone[type].spanned += zone->spanned;
			out->zone[type].present += zone->present;
			out->zone[type].managed += zone->managed;
			out->zone[type].populated += zone->present > 0;
			out->zone[type].unmanaged += zone->present && !zone->managed;
		}
	}
}

void pz_mm_snapshot(const struct pz_mm *mm, struct pz_mm_snapshot *out)
{
	memset(out, 0, sizeof(*out));
	out->page_shift = mm->page_shift;
	out->map_entries = mm->map.count;
	out->map_oddities = mm->map.odd_count + mm->map.odd_lost;
	for (uint32_t i = 0; mm->map.sanitised && i < mm->map.count; i++) {
		if (mm->map.v[i].type == PZ_MAP_RAM)
			out->map_ram =
				pz_add_sat64(out->map_ram, pz_range_size(mm->map.v[i].range));
	}
	out->memory_regions = mm->memblock.memory.count;
	out->reserved_regions = mm->memblock.reserved.count;
	out->memory_bytes = pz_memblock_bytes(&mm->memblock, PZ_MB_MEMORY);
	out->reserved_bytes = pz_memblock_bytes(&mm->memblock, PZ_MB_RESERVED);
	mm_snapshot_zones(&mm->zones, out);
	out->meta_bytes = mm->meta.bytes;
	out->meta_peak = mm->meta.peak;
	out->meta_blocks = mm->meta.blocks;
	out->meta_held = mm_held(mm);
	out->log_written = mm->has_log ? mm->log.written : 0;
	out->log_lost = mm->has_log ? mm->log.lost : 0;
	out->bugs = mm->bugs.count;
	for (uint32_t i = 0; i < mm->faults.count; i++)
		out->faults += mm->faults.v[i].failed;
}

int pz_mm_check(const struct pz_mm *mm)
{
	const struct pz_meta *hook = &mm->meta.meta;
	int rc;

	if (hook->ctx != &mm->meta || mm->meta.faults != &mm->faults ||
	    mm->faults.v != mm->fault_point)
		return 1;
	if (mm->map.meta != hook || mm->memblock.meta != hook ||
	    (mm->zones.meta && mm->zones.meta != hook))
		return 2;
	if (mm->memblock.page_shift != mm->page_shift ||
	    (mm->zones.meta && mm->zones.cfg.page_shift != mm->page_shift))
		return 3;
	if (mm_held(mm) > mm->meta.bytes)
		return 4;
	rc = mm->map.sanitised ? pz_map_check(&mm->map) : 0;
	if (rc)
		return 100 + rc;
	rc = pz_memblock_check(&mm->memblock);
	if (rc)
		return 200 + rc;
	rc = pz_zones_check(&mm->zones);
	if (rc)
		return 300 + rc;
	rc = mm->has_log ? pz_log_check(&mm->log) : 0;
	if (rc)
		return 400 + rc;
	rc = pz_faults_check(&mm->faults);
	return rc ? 500 + rc : 0;
}
