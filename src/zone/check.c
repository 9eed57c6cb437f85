/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - the invariants of zones, verified.
 *
 * Concept: the numbers are those of struct pz_zones in zone.h; nothing here is trusted but the
 * counts of the arrays.
 *
 * Failure: none; the first broken invariant is the answer.
 *
 * Shortcomings: whether present is right is not verified, that takes the memory map.
 */
#include "zone_internal.h"

static bool check_counts(const struct pz_zones *z, const struct pz_zone *zone)
{
	if (zone->present > zone->spanned || zone->start_pfn + zone->spanned < zone->start_pfn)
		return false;
	return zone->managed <= (pz_zone_mirror_mode(z) ? zone->spanned : zone->present);
}

/* Whether two zones may share pages. */
static bool check_may_overlap(const struct pz_zones *z, unsigned int a, unsigned int b)
{
	return z->onlined ||
	       (pz_zone_mirror_mode(z) && (a == PZ_ZONE_MOVABLE || b == PZ_ZONE_MOVABLE));
}

static bool check_disjoint(const struct pz_zones *z, const struct pz_node *n)
{
	for (unsigned int a = 0; a < PZ_ZONE_TYPES; a++) {
		const struct pz_zone *za = &n->zone[a];

		for (unsigned int b = a + 1; b < PZ_ZONE_TYPES; b++) {
			const struct pz_zone *zb = &n->zone[b];

			if (za->spanned && zb->spanned && !check_may_overlap(z, a, b) &&
			    za->start_pfn < zb->start_pfn + zb->spanned &&
			    zb->start_pfn < za->start_pfn + za->spanned)
				return false;
		}
	}
	return true;
}

static bool check_empty(const struct pz_zone *zone)
{
	return !zone->start_pfn && !zone->spanned && !zone->present && !zone->managed;
}

static bool check_blocks(const struct pz_zones *z)
{
	if (z->block_count > z->block_cap)
		return false;
	for (uint32_t i = 0; i < z->block_count; i++) {
		const struct pz_zone_block *b = &z->block[i];

		if (!pz_range_valid(b->pfns) || !pz_zones_node(z, b->nid) ||
		    (i && z->block[i - 1].pfns.last >= b->pfns.first))
			return false;
	}
	return true;
}

static int check_node(const struct pz_zones *z, const struct pz_node *n)
{
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (!check_counts(z, &n->zone[t]))
			return 2;
	}
	if (!check_disjoint(z, n))
		return 3;
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (!(z->cfg.configured & (1u << t)) && !check_empty(&n->zone[t]))
			return 4;
	}
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (!n->zone[t].spanned && n->zone[t].start_pfn)
			return 5;
	}
	if (n->movable_pfn &&
	    (n->movable_pfn >= n->end_pfn || (n->movable_pfn & (z->cfg.max_order_pages - 1))))
		return 7;
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (n->zone[t].min > n->zone[t].low || n->zone[t].low > n->zone[t].high)
			return 8;
	}
	return 0;
}

int pz_zones_check(const struct pz_zones *z)
{
	if (z->node_count > z->node_cap)
		return 1;
	for (uint32_t i = 1; i < z->node_count; i++) {
		if (z->node[i - 1].nid >= z->node[i].nid)
			return 1;
	}
	for (uint32_t i = 0; i < z->node_count; i++) {
		int broken = check_node(z, &z->node[i]);

		if (broken)
			return broken;
	}
	return check_blocks(z) ? 0 : 6;
}
