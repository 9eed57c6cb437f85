/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.c - the watermarks that a kernel shows after it has booted.
 *
 * Concept: watermarks and reserves are computed from the managed pages of a moment. Memory that is
 * freed after the moment (the initrd, init memory) makes a zone larger and leaves its marks as
 * they are. So the counts are put back to what they were, phase by phase, and everything is
 * computed in the order in which the kernel does it.
 *
 * Invariants: 1. managed counts are the same before and after; 2. reserves are those of the first
 * phase.
 *
 * Failure: the late pages are taken away first; if one cannot be, those before it are put back.
 *
 * Shortcomings: memory that is brought online after boot makes a kernel compute everything again;
 * that is pz_zones_set_watermarks() and pz_zones_set_reserves() on the new counts.
 */
#include "zone_internal.h"

#define BOOT_THP_LEAST_SHIFT 29 /* huge pages are off on machines below 512 MiB */

static struct pz_zone *boot_zone(const struct pz_zones *z, const struct pz_boot_late *l)
{
	struct pz_node *n = pz_zones_node(z, l->nid);

	return n && l->type < PZ_ZONE_TYPES ? &n->zone[l->type] : NULL;
}

/* Give back what those of the first @count entries took that came right after a phase. */
static void boot_put(struct pz_zones *z, const struct pz_boot_late *late, uint32_t count,
		     enum pz_boot_phase phase)
{
	for (uint32_t i = 0; i < count; i++) {
		if (late[i].after == phase)
			boot_zone(z, &late[i])->managed += late[i].pages;
	}
}

static int boot_take(struct pz_zones *z, const struct pz_boot_config *b)
{
	for (uint32_t i = 0; i < b->late_count; i++) {
		const struct pz_boot_late *l = &b->late[i];
		struct pz_zone *zone = boot_zone(z, l);

		if (zone && zone->managed >= l->pages &&
		    (l->after == PZ_BOOT_MARKS || l->after == PZ_BOOT_THP)) {
			zone->managed -= l->pages;
			continue;
		}
		boot_put(z, b->late, i, PZ_BOOT_MARKS);
		boot_put(z, b->late, i, PZ_BOOT_THP);
		return -PZ_EINVAL;
	}
	return 0;
}

static void boot_forget_marks(struct pz_zones *z)
{
	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *zone = &z->node[i].zone[t];

			zone->min = zone->low = zone->high = 0;
		}
	}
}

static bool boot_has_thp_phase(const struct pz_zones *z, const struct pz_boot_config *b)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			pages += z->node[i].zone[t].managed;
	}
	return b->thp != PZ_THP_NONE && pages >> (BOOT_THP_LEAST_SHIFT - z->cfg.page_shift);
}

static void boot_set(struct pz_zones *z, const struct pz_boot_config *b, uint64_t kbytes)
{
	struct pz_wmark_config w = b->wmark;

	w.min_free_kbytes = kbytes;
	(void)pz_zones_set_watermarks(z, &w); /* the inputs were checked */
	pz_zones_set_pcp(z, b->cpus);
}

int pz_zones_boot_watermarks(struct pz_zones *z, const struct pz_boot_config *b,
			     struct pz_boot_marks *marks)
{
	struct pz_boot_marks m = { 0, 0, false };
	int err;

	if (!pz_zone_wmark_ok(&b->wmark))
		return -PZ_EINVAL;
	err = boot_take(z, b);
	if (err)
		return err;
	boot_forget_marks(z);
	m.at_marks = m.at_end = pz_zones_min_free_kbytes(z);
	boot_set(z, b, m.at_end);
	pz_zones_set_reserves(z, &b->wmark);

	boot_put(z, b->late, b->late_count, PZ_BOOT_MARKS);
	m.thp_phase = boot_has_thp_phase(z, b);
	if (m.thp_phase) {
		uint64_t kbytes = b->thp == PZ_THP_NEVER
					  ? pz_zones_min_free_kbytes(z)
					  : pz_zones_recommended_min_free_kbytes(
						    z, b->pageblock_pages, b->migrate_types);

		if (b->thp == PZ_THP_NEVER || kbytes > m.at_end)
			m.at_end = kbytes;
		boot_set(z, b, m.at_end);
	}

	boot_put(z, b->late, b->late_count, PZ_BOOT_THP);
	if (b->wmark.min_free_kbytes) {
		m.at_end = b->wmark.min_free_kbytes;
		boot_set(z, b, m.at_end);
	}
	if (marks)
		*marks = m;
	return 0;
}
