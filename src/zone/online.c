/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * online.c - memory that is added while the machine runs.
 *
 * Concept: whoever brings memory online says which zone it goes to, so its block says so too and
 * the place of its pages does not matter. The span of the zone grows around it.
 *
 * Invariants: those of struct pz_zones; a block that was brought online lies inside the span of its
 * zone.
 *
 * Failure: everything is verified and allocated before anything changes; a node that had to be made
 * known stays known.
 *
 * Shortcomings: memory cannot be taken away again. Blocks brought online are not merged.
 */
#include "../base/pz_string.h"
#include "zone_internal.h"

static bool online_args_ok(const struct pz_zones *z, struct pz_range pfns, int nid,
			   enum pz_zone_type type)
{
	return pz_range_valid(pfns) && pfns.last <= UINT64_MAX >> z->cfg.page_shift && nid >= 0 &&
	       (unsigned int)type < PZ_ZONE_TYPES && (z->cfg.configured >> type & 1);
}

static void online_grow_zone(struct pz_zone *zone, struct pz_range pfns)
{
	uint64_t end = zone->start_pfn + zone->spanned;

	if (!zone->spanned || zone->start_pfn > pfns.first)
		zone->start_pfn = pfns.first;
	if (!zone->spanned || end <= pfns.last)
		end = pfns.last + 1;
	zone->spanned = end - zone->start_pfn;
	zone->present += pfns.last - pfns.first + 1;
	zone->managed += pfns.last - pfns.first + 1;
}

static void online_grow_node(struct pz_node *n, struct pz_range pfns)
{
	if (n->start_pfn == n->end_pfn || n->start_pfn > pfns.first)
		n->start_pfn = pfns.first;
	if (n->end_pfn <= pfns.last)
		n->end_pfn = pfns.last + 1;
}

int pz_zones_online(struct pz_zones *z, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct pz_zone_block b = { pfns, nid, false, (uint8_t)type };
	struct pz_zone_block *v;
	struct pz_node *n;
	uint32_t at;
	int err;

	if (!online_args_ok(z, pfns, nid, type))
		return -PZ_EINVAL;
	at = pz_zone_block_find(z, pfns.first);
	if (at < z->block_count && z->block[at].pfns.first <= pfns.last)
		return -PZ_EEXIST;
	err = pz_zones_add_node(z, nid);
	if (err)
		return err;
	v = pz_zone_grow(z->meta, z->block, z->block_count, &z->block_cap, sizeof(b));
	if (!v)
		return -PZ_ENOMEM;
	z->block = v;
	memmove(&z->block[at + 1], &z->block[at], (z->block_count - at) * sizeof(b));
	z->block[at] = b;
	z->block_count++;
	z->onlined = true;
	n = pz_zones_node(z, nid);
	online_grow_zone(&n->zone[type], pfns);
	online_grow_node(n, pfns);
	return 0;
}
