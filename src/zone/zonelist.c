/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zonelist.c - in which order nodes and zones are asked when the local ones have nothing left.
 *
 * Concept: the local node, then always the node that is best of those not yet taken. Better is
 * nearer; among equally near ones, a node above the asking one, then one without CPUs, then one
 * that fewer nodes have as their first choice of a distance (the load), then the lower id. Inside
 * a node zones are asked from the highest type down, and populated means present.
 *
 * Linux chooses the best node again and again; as only nodes that were chosen change their load,
 * that is a sort by the loads of before.
 *
 * Invariants: 1. a node is in an order once.
 *
 * Failure: an unknown node, and too little room; nothing is written then.
 *
 * Shortcomings: distances are asked for again at each comparison.
 */
#include "zone_internal.h"

/* What decides between nodes: the asking node, and where distances and loads come from. */
struct zonelist_ask {
	const struct pz_zones *z;
	const struct pz_node *from;
	unsigned int (*distance)(void *ctx, int from, int to);
	void *ctx;
	const uint32_t *load;
};

static bool zonelist_has_memory(const struct pz_node *n)
{
	return n->end_pfn > n->start_pfn;
}

/* Distance to the node at a position of z->node. */
static unsigned int zonelist_distance(const struct zonelist_ask *a, int32_t index)
{
	int to = a->z->node[index].nid;

	if (a->distance)
		return a->distance(a->ctx, a->from->nid, to);
	return a->from->nid == to ? 10 : 20;
}

/* Whether the node at x is to be asked before the one at y. */
static bool zonelist_before(const void *ctx, int32_t x, int32_t y)
{
	const struct zonelist_ask *a = ctx;
	const struct pz_node *nx = &a->z->node[x], *ny = &a->z->node[y];
	uint64_t vx =
		(uint64_t)zonelist_distance(a, x) + (nx->nid < a->from->nid) + (nx->cpus != 0);
	uint64_t vy =
		(uint64_t)zonelist_distance(a, y) + (ny->nid < a->from->nid) + (ny->cpus != 0);

	if (vx != vy)
		return vx < vy;
	if (a->load && a->load[x] != a->load[y])
		return a->load[x] < a->load[y];
	return x < y;
}

int pz_zones_fallback(const struct pz_zones *z, int nid,
		      unsigned int (*distance)(void *ctx, int from, int to), void *ctx,
		      int32_t *order, uint32_t cap, uint32_t *load)
{
	uint32_t local = pz_zone_node_index(z, nid), first, count;
	struct zonelist_ask a = { z, NULL, distance, ctx, load };
	unsigned int near;

	if (local == z->node_count)
		return -PZ_ENOENT;
	a.from = &z->node[local];
	first = zonelist_has_memory(a.from) || (z->cfg.flags & PZ_ZF_FALLBACK_LOCAL_FIRST);
	count = first;
	for (uint32_t i = 0; i < z->node_count; i++)
		count += i != local && zonelist_has_memory(&z->node[i]);
	if (count > cap)
		return (int)count;
	count = 0;
	if (first)
		order[count++] = (int32_t)local;
	for (uint32_t i = 0; i < z->node_count; i++) {
		if (i != local && zonelist_has_memory(&z->node[i]))
			order[count++] = (int32_t)i;
	}
	pz_zone_sort(order + first, count - first, zonelist_before, &a);

	/* The first of each group of equal distance bears the load. */
	near = zonelist_distance(&a, (int32_t)local);
	for (uint32_t i = 0; i < count; i++) {
		unsigned int far = zonelist_distance(&a, order[i]);

		if (load && far != near)
			load[order[i]]++;
		near = far;
		order[i] = z->node[order[i]].nid;
	}
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
