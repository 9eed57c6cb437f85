/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account.c - which zone a page belongs to, and how many pages of a zone are managed.
 *
 * Concept: a page of memory belongs to the node of its block, and to the zone of that node that
 * spans it. Two zones may span one page in mirror mode: then mirrored pages are the lower zone's
 * and all others Movable's; and after pages were brought online: those are in the zone that they
 * were brought to. Runs of pages are split where the answer changes, so a run
 * costs the blocks and zones it meets, not its pages.
 *
 * Invariants: 1. managed stays between 0 and present (in mirror mode, spanned); 2. a page is
 * counted in one zone only.
 *
 * Failure: pz_zones_set_managed() counts first and writes only if every page found its zone.
 *
 * Shortcomings: accounting knows counts, not pages: adding the same page twice is not noticed
 * before a zone is full.
 */
#include "zone_internal.h"

enum pz_zone_type pz_zone_at(const struct pz_node *n, bool mirror, uint64_t pfn, uint64_t *until)
{
	enum pz_zone_type found = PZ_ZONE_TYPES;

	*until = UINT64_MAX;
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		const struct pz_zone *zone = &n->zone[t];
		uint64_t edge;

		if (!zone->boot_spanned || pfn >= zone->boot_pfn + zone->boot_spanned)
			continue;
		if (pfn < zone->boot_pfn) {
			edge = zone->boot_pfn - 1;
		} else {
			edge = zone->boot_pfn + zone->boot_spanned - 1;
			if (found == PZ_ZONE_TYPES || (t == PZ_ZONE_MOVABLE && !mirror))
				found = (enum pz_zone_type)t;
		}
		if (edge < *until)
			*until = edge;
	}
	return found;
}

enum pz_zone_type pz_zone_of_block(const struct pz_node *n, const struct pz_zone_block *b,
				   uint64_t pfn, uint64_t *until)
{
	if (b->zone < PZ_ZONE_TYPES) {
		*until = b->pfns.last;
		return (enum pz_zone_type)b->zone;
	}
	return pz_zone_at(n, b->mirror, pfn, until);
}

uint32_t pz_zone_block_find(const struct pz_zones *z, uint64_t pfn)
{
	uint32_t lo = 0, hi = z->block_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (z->block[mid].pfns.last < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

enum pz_zone_type pz_zones_of_pfn(const struct pz_zones *z, int nid, uint64_t pfn)
{
	const struct pz_node *n = pz_zones_node(z, nid);
	uint64_t until;

	if (!n)
		return PZ_ZONE_TYPES;
	if (pz_zone_mirror_mode(z) || z->onlined) {
		uint32_t i = pz_zone_block_find(z, pfn);

		if (i < z->block_count && z->block[i].pfns.first <= pfn && z->block[i].nid == nid)
			return pz_zone_of_block(n, &z->block[i], pfn, &until);
	}
	return pz_zone_at(n, false, pfn, &until);
}

enum pz_zone_type pz_zones_locate(const struct pz_zones *z, uint64_t pfn, int *nid)
{
	uint32_t i = pz_zone_block_find(z, pfn);
	const struct pz_zone_block *b;
	uint64_t until;

	if (i == z->block_count || pfn < z->block[i].pfns.first)
		return PZ_ZONE_TYPES;
	b = &z->block[i];
	if (nid)
		*nid = b->nid;
	return pz_zone_of_block(pz_zones_node(z, b->nid), b, pfn, &until);
}

/* Change one managed count within its bounds; returns by how much. */
static uint64_t account_zone(const struct pz_zones *z, struct pz_zone *zone, uint64_t pages,
			     bool add)
{
	uint64_t most = pz_zone_mirror_mode(z) ? zone->spanned : zone->present;
	uint64_t room = add ? (most > zone->managed ? most - zone->managed : 0) : zone->managed;

	if (pages > room)
		pages = room;
	zone->managed = add ? zone->managed + pages : zone->managed - pages;
	return pages;
}

enum account_op { ACCOUNT_COUNT, ACCOUNT_ADD, ACCOUNT_SUB };

static uint64_t account_range(const struct pz_zones *z, struct pz_range pfns, enum account_op op)
{
	uint64_t done = 0;

	for (uint32_t i = pz_zone_block_find(z, pfns.first); i < z->block_count; i++) {
		const struct pz_zone_block *b = &z->block[i];
		struct pz_node *n;
		struct pz_range r;

		if (!pz_range_intersect(b->pfns, pfns, &r))
			break;
		n = pz_zones_node(z, b->nid);
		for (;;) {
			uint64_t until, pages;
			enum pz_zone_type t = pz_zone_of_block(n, b, r.first, &until);

			if (until > r.last)
				until = r.last;
			pages = until - r.first + 1;
			if (t != PZ_ZONE_TYPES)
				done += op == ACCOUNT_COUNT ? pages
							    : account_zone(z, &n->zone[t], pages,
									   op == ACCOUNT_ADD);
			if (until == r.last)
				break;
			r.first = until + 1;
		}
	}
	return done;
}

uint64_t pz_zones_account(struct pz_zones *z, struct pz_range pfns, bool add)
{
	if (!pz_range_valid(pfns))
		return 0;
	return account_range(z, pfns, add ? ACCOUNT_ADD : ACCOUNT_SUB);
}

struct account_walk {
	const struct pz_zones *z;
	enum account_op op;
};

static int account_emit(void *ctx, struct pz_range pfns, int nid)
{
	struct account_walk *w = ctx;
	uint64_t pages = pfns.last - pfns.first + 1;

	(void)nid; /* the blocks know */
	return account_range(w->z, pfns, w->op) == pages ? 0 : -PZ_EINVAL;
}

int pz_zones_set_managed(struct pz_zones *z, const struct pz_memblock *mb, uint64_t max_pfn)
{
	struct account_walk w = { z, ACCOUNT_COUNT };
	int err;

	if (mb->page_shift != z->cfg.page_shift)
		return -PZ_EINVAL;
	err = pz_memblock_hand_over(mb, max_pfn, account_emit, &w);
	if (err)
		return err;
	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			z->node[i].zone[t].managed = 0;
	}
	w.op = ACCOUNT_ADD;
	return pz_memblock_hand_over(mb, max_pfn, account_emit, &w);
}

bool pz_zones_any_managed(const struct pz_zones *z, enum pz_zone_type type)
{
	if (type >= PZ_ZONE_TYPES)
		return false;
	for (uint32_t i = 0; i < z->node_count; i++) {
		if (z->node[i].zone[type].managed)
			return true;
	}
	return false;
}

bool pz_zones_managed_below(const struct pz_zones *z, const struct pz_memblock *mb,
			    uint64_t max_addr)
{
	struct pz_range low = { 0, max_addr }, part, pfns;
	struct pz_mb_iter it = { 0 };

	while (pz_memblock_next_free(mb, &it, PZ_NID_NONE)) {
		if (it.range.first > max_addr)
			break;
		if (!pz_range_intersect(it.range, low, &part) ||
		    !pz_range_trim(part, z->cfg.page_shift, &pfns))
			continue;
		if (account_range(z, pfns, ACCOUNT_COUNT))
			return true;
	}
	return false;
}
