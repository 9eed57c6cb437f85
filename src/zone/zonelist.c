/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zonelist.c - in which order nodes and zones are asked when the local ones have nothing left.
 *
 * Concept: the local node, then always the node that is best of those not yet taken. Better is
 * nearer; among equally near ones, a node above the asking one, then one without CPUs, then one
 * that fewer nodes have as their first choice of a distance (the load), then the lower id. Inside
 * a node zones are asked from the highest type down, and populated means present.
 *
 * Invariants: 1. a node is in an order once; 2. the order does not depend on the room for it.
 *
 * Failure: none but an unknown node.
 *
 * Shortcomings: without room for scratch the order is found by selection, O(nodes) a step.
 */
#include "zone_internal.h"

/* While an order is made, marks a load that is to grow by one afterwards. */
#define ZONELIST_BUMP 0x80000000u

struct zonelist_key {
	uint64_t value;
	uint32_t load;
	uint32_t index;
};

static bool zonelist_has_memory(const struct pz_node *n)
{
	return n->end_pfn > n->start_pfn;
}

static bool zonelist_before(const struct zonelist_key *a, const struct zonelist_key *b)
{
	if (a->value != b->value)
		return a->value < b->value;
	if (a->load != b->load)
		return a->load < b->load;
	return a->index < b->index;
}

static unsigned int zonelist_distance(unsigned int (*distance)(void *, int, int), void *ctx,
				      int from, int to)
{
	if (distance)
		return distance(ctx, from, to);
	return from == to ? 10 : 20;
}

static void zonelist_settle(uint32_t *load, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (load[i] & ZONELIST_BUMP)
			load[i] = (load[i] & ~ZONELIST_BUMP) + 1;
	}
}

int pz_zones_fallback(const struct pz_zones *z, int nid,
		      unsigned int (*distance)(void *ctx, int from, int to), void *ctx,
		      int32_t *order, uint32_t cap, uint32_t *load)
{
	uint32_t local = pz_zone_node_index(z, nid), count = 0;
	struct zonelist_key last = { 0, 0, 0 };
	bool any = false;
	unsigned int near;

	if (local == z->node_count)
		return -PZ_ENOENT;
	if (zonelist_has_memory(&z->node[local]) || (z->cfg.flags & PZ_ZF_FALLBACK_LOCAL_FIRST)) {
		if (cap)
			order[0] = nid;
		count = 1;
	}
	near = zonelist_distance(distance, ctx, nid, nid);
	for (;;) {
		struct zonelist_key best = { 0, 0, 0 };
		bool found = false;
		unsigned int far;

		for (uint32_t i = 0; i < z->node_count; i++) {
			const struct pz_node *n = &z->node[i];
			struct zonelist_key k = { 0, load ? load[i] & ~ZONELIST_BUMP : 0, i };

			if (i == local || !zonelist_has_memory(n))
				continue;
			k.value = (uint64_t)zonelist_distance(distance, ctx, nid, n->nid) +
				  (n->nid < nid) + (n->cpus != 0);
			if ((any && !zonelist_before(&last, &k)) ||
			    (found && !zonelist_before(&k, &best)))
				continue;
			best = k;
			found = true;
		}
		if (!found)
			break;
		far = zonelist_distance(distance, ctx, nid, z->node[best.index].nid);
		if (load && far != near)
			load[best.index] |= ZONELIST_BUMP;
		near = far;
		if (count < cap)
			order[count] = z->node[best.index].nid;
		count++;
		last = best;
		any = true;
	}
	if (load)
		zonelist_settle(load, z->node_count);
	return (int)count;
}

uint32_t pz_zones_zonelist(const struct pz_zones *z, const int32_t *order, uint32_t nodes,
			   enum pz_zone_type highest, struct pz_zoneref *list, uint32_t cap)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < nodes; i++) {
		const struct pz_node *n = pz_zones_node(z, order[i]);

		if (!n)
			continue;
		for (unsigned int t = PZ_ZONE_TYPES; t-- > 0;) {
			if (t > (unsigned int)highest || !n->zone[t].present)
				continue;
			if (count < cap) {
				list[count].nid = n->nid;
				list[count].type = (uint8_t)t;
			}
			count++;
		}
	}
	return count;
}
