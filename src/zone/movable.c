/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * movable.c - where ZONE_MOVABLE begins on each node.
 *
 * Concept: ZONE_MOVABLE takes the upper end of each node, out of the highest zone type that is not
 * empty. Three rules, of which the first that applies counts:
 *  1. movable_node: from the lowest hot-pluggable memory of the node;
 *  2. kernelcore=mirror: from the lowest memory of the node that is not mirrored, at or above
 *     4 GiB;
 *  3. kernelcore= and movablecore=: kernel memory is shared out evenly over the nodes, and Movable
 *     begins above the share. Memory that could never be movable counts towards the share. What a
 *     small node cannot take is shared out again over one node less each time.
 * The start is then rounded up to the largest buddy block; at or past the end of the node there is
 * no Movable. Page frame 0 means "none", so Movable can never begin there.
 *
 * Invariants: 1. movable_pfn is a multiple of max_order_pages; 2. it lies below the end of its
 * node, or is 0.
 *
 * Cost: the spreading keeps a place in each node's list of blocks, so that all passes together
 * visit a block once; a pass costs the nodes that still have memory.
 *
 * Failure: -PZ_ENOMEM before anything is changed.
 *
 * Shortcomings: percentages above 100 count as 100, which gives the same zones.
 */
#include "../base/bits.h"
#include "zone_internal.h"

#define MOVABLE_NONE UINT32_MAX

static uint64_t movable_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Lower a start; 0 stands for none, so a start of 0 is forgotten by the next one. */
static void movable_lower(struct pz_node *n, uint64_t pfn)
{
	n->movable_pfn = n->movable_pfn ? movable_min(n->movable_pfn, pfn) : pfn;
}

static uint64_t movable_pfn_up(uint64_t addr, uint32_t shift)
{
	return (addr >> shift) + ((addr & (((uint64_t)1 << shift) - 1)) != 0);
}

static void movable_by_hotplug(struct pz_zones *z, const struct pz_memblock *mb)
{
	uint32_t shift = z->cfg.page_shift;

	for (uint32_t i = 0; i < mb->memory.count; i++) {
		const struct pz_mb_region *r = &mb->memory.v[i];

		if (!(r->flags & PZ_MB_HOTPLUG))
			continue;
		movable_lower(pz_zones_node(z, pz_zone_region_nid(r)),
			      z->cfg.flags & PZ_ZF_MOVABLE_NODE_ROUND_UP
				      ? movable_pfn_up(r->range.first, shift)
				      : r->range.first >> shift);
	}
}

static bool movable_by_mirror(struct pz_zones *z, const struct pz_memblock *mb)
{
	uint32_t shift = z->cfg.page_shift;
	uint64_t four_gib = (uint64_t)1 << (32 - shift);
	bool has_mirror = false;

	for (uint32_t i = 0; i < mb->memory.count; i++)
		has_mirror |= (mb->memory.v[i].flags & PZ_MB_MIRROR) != 0;
	if ((z->cfg.flags & PZ_ZF_MIRROR_NEEDS_MIRROR) &&
	    (!has_mirror || (z->cfg.flags & PZ_ZF_KDUMP))) {
		z->notes |= PZ_ZN_MIRROR_IGNORED;
		return false;
	}
	for (uint32_t i = 0; i < mb->memory.count; i++) {
		const struct pz_mb_region *r = &mb->memory.v[i];
		uint64_t pfn = movable_pfn_up(r->range.first, shift);

		if (r->flags & PZ_MB_MIRROR)
			continue;
		if (pfn < four_gib)
			z->notes |= PZ_ZN_UNMIRRORED_BELOW_4G;
		else
			movable_lower(pz_zones_node(z, pz_zone_region_nid(r)), pfn);
	}
	return true;
}

/* Pages that an option asks for. */
static uint64_t movable_required(struct pz_zones *z, const struct pz_core_spec *c, uint64_t total)
{
	uint64_t percent = c->value;

	if (c->kind == PZ_CORE_PAGES)
		return c->value;
	if (c->kind != PZ_CORE_PERCENT)
		return 0;
	if (percent > 100) {
		z->notes |= PZ_ZN_PERCENT_OVER_100;
		percent = 100;
	}
	return pz_udiv64(total * percent, 100);
}

/* Pages of kernel memory to spread; 0 when there is to be no ZONE_MOVABLE. */
static uint64_t movable_kernelcore(struct pz_zones *z)
{
	uint64_t mask = z->cfg.max_order_pages - 1, total = 0, core, movable;

	for (uint32_t i = 0; i < z->block_count; i++)
		total += z->block[i].pfns.last - z->block[i].pfns.first + 1;
	core = movable_required(z, &z->cfg.kernelcore, total);
	movable = movable_required(z, &z->cfg.movablecore, total);
	if (movable) {
		movable = movable >= total ? total : movable_min(total, (movable + mask) & ~mask);
		if (core < total - movable)
			core = total - movable;
	}
	return core < total ? core : 0;
}

/* A node's place in its list of blocks, and what is still to be spread. */
struct movable_spread {
	const uint32_t *next; /* by block: the node's next one */
	uint32_t *place;      /* by node: the block that is not used up yet */
	uint64_t left;	      /* kernel pages still to find */
	uint64_t usable;      /* lowest page that may be movable */
};

/* Give a node its share of kernel memory. */
static void movable_spread_node(struct pz_zones *z, struct movable_spread *s, uint32_t node,
				uint64_t share)
{
	struct pz_node *n = &z->node[node];

	for (; s->place[node] != MOVABLE_NONE; s->place[node] = s->next[s->place[node]]) {
		const struct pz_zone_block *b = &z->block[s->place[node]];
		uint64_t end = b->pfns.last + 1, start = b->pfns.first, part;

		if (start < n->movable_pfn)
			start = n->movable_pfn;
		if (start >= end)
			continue;
		if (start < s->usable) {
			part = movable_min(end, s->usable) - start;
			share -= movable_min(part, share);
			s->left -= movable_min(part, s->left);
			if (end <= s->usable) {
				n->movable_pfn = end;
				continue;
			}
			start = s->usable;
		}
		part = movable_min(end - start, share);
		n->movable_pfn = start + part;
		s->left -= movable_min(part, s->left);
		share -= part;
		if (!share)
			return;
	}
}

/* Share out over the nodes of @live, then again over those with memory left, until it is done. */
static void movable_spread(struct pz_zones *z, struct movable_spread *s, uint32_t *live,
			   uint32_t count)
{
	uint64_t nodes = count;

	do {
		uint64_t share = pz_udiv64(s->left, nodes);
		uint32_t out = 0;

		for (uint32_t i = 0; i < count; i++) {
			uint32_t node = live[i];

			if (s->left < share)
				share = pz_udiv64(s->left, nodes);
			movable_spread_node(z, s, node, share);
			if (s->place[node] != MOVABLE_NONE)
				live[out++] = node;
		}
		count = out;
		nodes--;
	} while (count && nodes && s->left > nodes);
}

static int movable_by_size(struct pz_zones *z, const struct pz_zone_bounds *b)
{
	struct movable_spread s = { NULL, NULL, movable_kernelcore(z), b->low[z->movable_host] };
	uint32_t words, count = 0, *scratch, *next, *live;

	if (!s.left)
		return 0;
	if (z->block_count > MOVABLE_NONE / 2 || z->node_count > MOVABLE_NONE / 8)
		return -PZ_ENOMEM;
	words = z->block_count + 2 * z->node_count;
	scratch = pz_zone_alloc(z->meta, words, sizeof(*scratch));
	if (!scratch)
		return -PZ_ENOMEM;
	next = scratch;
	s.place = next + z->block_count;
	live = s.place + z->node_count;
	s.next = next;
	for (uint32_t i = 0; i < z->node_count; i++)
		s.place[i] = MOVABLE_NONE;
	for (uint32_t i = z->block_count; i-- > 0;) {
		uint32_t node = pz_zone_node_index(z, z->block[i].nid);

		next[i] = s.place[node];
		s.place[node] = i;
	}
	for (uint32_t i = 0; i < z->node_count; i++) {
		if (s.place[i] != MOVABLE_NONE)
			live[count++] = i;
	}
	movable_spread(z, &s, live, count);
	pz_zone_free(z->meta, scratch, words, sizeof(*scratch));
	return 0;
}

int pz_zone_movable_starts(struct pz_zones *z, const struct pz_memblock *mb,
			   const struct pz_zone_bounds *b)
{
	uint64_t mask = z->cfg.max_order_pages - 1;
	int err = 0;

	if (!(z->cfg.configured & (1u << PZ_ZONE_MOVABLE)))
		return 0;
	if (z->cfg.movable_node)
		movable_by_hotplug(z, mb);
	else if (z->cfg.kernelcore.kind != PZ_CORE_MIRROR)
		err = movable_by_size(z, b);
	else if (!movable_by_mirror(z, mb))
		return 0;
	if (err)
		return err;
	for (uint32_t i = 0; i < z->node_count; i++) {
		struct pz_node *n = &z->node[i];

		n->movable_pfn = (n->movable_pfn + mask) & ~mask;
		if (n->movable_pfn >= n->end_pfn)
			n->movable_pfn = 0;
	}
	return 0;
}
