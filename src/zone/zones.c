/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zones.c - from memory and limits to nodes and zones.
 *
 * Concept: memory becomes blocks (runs of whole pages with one node), blocks make nodes, a node
 * and a table of limits make zones. Everything is counted from the edges of blocks, so the cost
 * follows the number of regions and nodes and never the amount of memory.
 *
 * A limit table holds exclusive ends; a zone type begins where the previous one ends, and the
 * first at the start of memory. A type whose limit is not above its beginning is empty. Limits
 * are not cut to the end of memory: only the zones of a node are.
 *
 * Invariants of the result: see struct pz_zones.
 *
 * Failure: everything that can fail is taken before anything is written; on error the object
 * holds nothing and can be built again.
 *
 * Shortcomings: the memory is that of boot; see online.c for what is added later. With zones
 * laid out from the highest type down (PZ_ZF_DESCENDING) and ZONE_MOVABLE, types above the movable
 * start vanish with their memory, as they do in Linux. In mirror mode Linux also takes the memory
 * of other nodes inside a zone's span as absent a second time; here it is absent once.
 */
#include "../base/bits.h"
#include "../base/meta.h"
#include "../base/pz_string.h"
#include "zone_internal.h"

void *pz_zone_alloc(const struct pz_meta *meta, uint32_t count, size_t size)
{
	if (!meta || !meta->alloc || count > SIZE_MAX / size)
		return NULL;
	return meta->alloc(meta->ctx, (size_t)count * size);
}

void pz_zone_free(const struct pz_meta *meta, void *p, uint32_t count, size_t size)
{
	if (p)
		meta->free(meta->ctx, p, (size_t)count * size);
}

void *pz_zone_grow(const struct pz_meta *meta, void *v, uint32_t count, uint32_t *cap, size_t size)
{
	struct pz_array a = { v, *cap, v != NULL };

	if (count == UINT32_MAX || pz_array_grow(meta, &a, count, count + 1, size))
		return NULL;
	*cap = a.cap;
	return a.v;
}

static bool zone_core_ok(const struct pz_core_spec *c, bool mirror_allowed)
{
	switch (c->kind) {
	case PZ_CORE_NONE:
	case PZ_CORE_PAGES:
	case PZ_CORE_PERCENT:
		return true;
	case PZ_CORE_MIRROR:
		return mirror_allowed;
	}
	return false;
}

static bool zone_config_ok(const struct pz_zone_config *cfg, const struct pz_memblock *mb)
{
	return cfg->configured && cfg->configured < (1u << PZ_ZONE_TYPES) &&
	       cfg->page_shift >= 12 && cfg->page_shift <= 16 &&
	       cfg->page_shift == mb->page_shift && pz_is_pow2(cfg->max_order_pages) &&
	       cfg->max_order_pages <= (uint64_t)1 << 32 && !(cfg->flags & ~PZ_ZF_ALL) &&
	       zone_core_ok(&cfg->kernelcore, true) && zone_core_ok(&cfg->movablecore, false);
}

static void zone_sift(int32_t *v, uint32_t root, uint32_t n,
		      bool (*before)(const void *ctx, int32_t x, int32_t y), const void *ctx)
{
	for (;;) {
		uint32_t child = 2 * root + 1;
		int32_t tmp;

		if (child >= n)
			return;
		if (child + 1 < n && before(ctx, v[child], v[child + 1]))
			child++;
		if (!before(ctx, v[root], v[child]))
			return;
		tmp = v[root];
		v[root] = v[child];
		v[child] = tmp;
		root = child;
	}
}

void pz_zone_sort(int32_t *v, uint32_t n, bool (*before)(const void *ctx, int32_t x, int32_t y),
		  const void *ctx)
{
	for (uint32_t i = n / 2; i-- > 0;)
		zone_sift(v, i, n, before, ctx);
	for (uint32_t end = n; end > 1; end--) {
		int32_t tmp = v[0];

		v[0] = v[end - 1];
		v[end - 1] = tmp;
		zone_sift(v, 0, end - 1, before, ctx);
	}
}

static bool zone_lower_nid(const void *ctx, int32_t x, int32_t y)
{
	(void)ctx; /* the ids are all there is to know */
	return x < y;
}

/* Node ids of memory, ascending and each once; @ids has room for one a region. */
static uint32_t zone_collect_nids(const struct pz_memblock *mb, int32_t *ids)
{
	uint32_t n = 0, out = 0;

	for (uint32_t i = 0; i < mb->memory.count; i++) {
		int32_t nid = pz_zone_region_nid(&mb->memory.v[i]);

		if (!n || ids[n - 1] != nid)
			ids[n++] = nid;
	}
	pz_zone_sort(ids, n, zone_lower_nid, NULL);
	for (uint32_t i = 0; i < n; i++) {
		if (!out || ids[out - 1] != ids[i])
			ids[out++] = ids[i];
	}
	return out;
}

static void zone_node_init(struct pz_node *n, int nid)
{
	memset(n, 0, sizeof(*n));
	n->nid = nid;
}

/* Allocate and fill the nodes. */
static int zone_make_nodes(struct pz_zones *z, const struct pz_memblock *mb)
{
	uint32_t regions = mb->memory.count, count;
	int32_t *ids = pz_zone_alloc(z->meta, regions, sizeof(*ids));

	if (!ids)
		return -PZ_ENOMEM;
	count = zone_collect_nids(mb, ids);
	z->node = pz_zone_alloc(z->meta, count, sizeof(*z->node));
	if (z->node) {
		z->node_count = z->node_cap = count;
		for (uint32_t i = 0; i < count; i++)
			zone_node_init(&z->node[i], ids[i]);
	}
	pz_zone_free(z->meta, ids, regions, sizeof(*ids));
	return z->node ? 0 : -PZ_ENOMEM;
}

/* Whole pages of memory, neighbours of one kind merged. */
static int zone_make_blocks(struct pz_zones *z, const struct pz_memblock *mb)
{
	z->block = pz_zone_alloc(z->meta, mb->memory.count, sizeof(*z->block));
	if (!z->block)
		return -PZ_ENOMEM;
	z->block_cap = mb->memory.count;
	for (uint32_t i = 0; i < mb->memory.count; i++) {
		const struct pz_mb_region *r = &mb->memory.v[i];
		struct pz_zone_block *prev = z->block_count ? &z->block[z->block_count - 1] : NULL;
		struct pz_zone_block b = {
			{ 0, 0 }, pz_zone_region_nid(r), r->flags & PZ_MB_MIRROR, PZ_ZONE_TYPES
		};

		if (!pz_range_trim(r->range, z->cfg.page_shift, &b.pfns))
			continue;
		if (prev && prev->nid == b.nid && prev->mirror == b.mirror &&
		    prev->pfns.last + 1 == b.pfns.first)
			prev->pfns.last = b.pfns.last;
		else
			z->block[z->block_count++] = b;
	}
	return 0;
}

/* First and last page of every node. */
static void zone_bound_nodes(struct pz_zones *z)
{
	for (uint32_t i = 0; i < z->block_count; i++) {
		const struct pz_zone_block *b = &z->block[i];
		struct pz_node *n = pz_zones_node(z, b->nid);

		if (n->start_pfn == n->end_pfn)
			n->start_pfn = b->pfns.first;
		n->end_pfn = b->pfns.last + 1;
	}
}

/* From exclusive limits to where each type may lie, and the type that Movable comes out of. */
static void zone_make_bounds(struct pz_zones *z, const struct pz_memblock *mb,
			     struct pz_zone_bounds *b)
{
	const struct pz_zone_config *cfg = &z->cfg;
	uint64_t space = (UINT64_MAX >> cfg->page_shift) + 1;
	uint64_t cursor = mb->memory.count ? mb->memory.v[0].range.first >> cfg->page_shift : 0;

	memset(b, 0, sizeof(*b));
	z->movable_host = PZ_ZONE_NORMAL;
	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++) {
		unsigned int t = cfg->flags & PZ_ZF_DESCENDING ? PZ_ZONE_TYPES - 1 - i : i;
		uint64_t end = cfg->max_pfn[t];

		if (t == PZ_ZONE_MOVABLE || !(cfg->configured & (1u << t)))
			continue;
		if (end > space)
			end = space;
		if (end < cursor)
			end = cursor;
		b->low[t] = cursor;
		b->high[t] = end;
		cursor = end;
		if (b->low[t] == b->high[t])
			continue;
		z->arch_range[t].first = b->low[t];
		z->arch_range[t].last = b->high[t] - 1;
		z->arch_has |= 1u << t;
	}
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (z->arch_has & (1u << t))
			z->movable_host = (uint8_t)t;
	}
}

static uint64_t zone_clamp(uint64_t v, uint64_t low, uint64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* Start and span of one zone. */
static void zone_span(const struct pz_zones *z, const struct pz_zone_bounds *b, struct pz_node *n,
		      unsigned int t)
{
	uint64_t start = zone_clamp(n->start_pfn, b->low[t], b->high[t]);
	uint64_t end = zone_clamp(n->end_pfn, b->low[t], b->high[t]);
	uint64_t movable = n->movable_pfn;

	if (movable && t == PZ_ZONE_MOVABLE) {
		start = movable;
		end = b->high[z->movable_host];
	} else if (movable && !pz_zone_mirror_mode(z) && start < movable && end > movable) {
		end = movable;
	} else if (movable && start >= movable) {
		end = start;
	}
	if (end > n->end_pfn)
		end = n->end_pfn;
	if (start < n->start_pfn)
		start = n->start_pfn;
	if (end <= start)
		return;
	n->zone[t].start_pfn = n->zone[t].boot_pfn = start;
	n->zone[t].spanned = n->zone[t].boot_spanned = end - start;
}

/* Whether a zone leaves the pages of a block out of its present ones although it spans them. */
static bool zone_disowns(const struct pz_zones *z, const struct pz_node *n, unsigned int t,
			 bool mirror)
{
	if (!pz_zone_mirror_mode(z) || !n->movable_pfn)
		return false;
	return (t == PZ_ZONE_MOVABLE && mirror) || (t == PZ_ZONE_NORMAL && !mirror);
}

/* Add the blocks to the present pages of the zones that span them. */
static void zone_count_present(struct pz_zones *z)
{
	for (uint32_t i = 0; i < z->block_count; i++) {
		const struct pz_zone_block *b = &z->block[i];
		struct pz_node *n = pz_zones_node(z, b->nid);

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *zone = &n->zone[t];
			struct pz_range span = { zone->start_pfn,
						 zone->start_pfn + zone->spanned - 1 };
			struct pz_range part;

			if (zone->spanned && pz_range_intersect(span, b->pfns, &part) &&
			    !zone_disowns(z, n, t, b->mirror))
				zone->present += part.last - part.first + 1;
		}
	}
}

static int zone_lay_out(struct pz_zones *z, const struct pz_memblock *mb)
{
	struct pz_zone_bounds bounds;
	int err;

	zone_make_bounds(z, mb, &bounds);
	if (!mb->memory.count)
		return 0;
	err = zone_make_nodes(z, mb);
	if (!err)
		err = zone_make_blocks(z, mb);
	if (err)
		return err;
	zone_bound_nodes(z);
	err = pz_zone_movable_starts(z, mb, &bounds);
	if (err)
		return err;
	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (z->cfg.configured & (1u << t))
				zone_span(z, &bounds, &z->node[i], t);
		}
	}
	zone_count_present(z);
	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			z->node[i].zone[t].managed = z->node[i].zone[t].present;
	}
	return 0;
}

int pz_zones_build(struct pz_zones *z, const struct pz_meta *meta, const struct pz_memblock *mb,
		   const struct pz_zone_config *cfg)
{
	int err;

	memset(z, 0, sizeof(*z));
	z->meta = meta;
	if (!zone_config_ok(cfg, mb))
		return -PZ_EINVAL;
	z->cfg = *cfg;
	err = zone_lay_out(z, mb);
	if (err)
		pz_zones_destroy(z);
	return err;
}

void pz_zones_destroy(struct pz_zones *z)
{
	pz_zone_free(z->meta, z->node, z->node_cap, sizeof(*z->node));
	pz_zone_free(z->meta, z->block, z->block_cap, sizeof(*z->block));
	memset(z, 0, sizeof(*z));
}

/* Position of the first node whose id is not below @nid. */
static uint32_t zone_node_lower(const struct pz_zones *z, int nid)
{
	uint32_t lo = 0, hi = z->node_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (z->node[mid].nid < nid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int pz_zones_add_node(struct pz_zones *z, int nid)
{
	uint32_t at = zone_node_lower(z, nid);
	struct pz_node *v;

	if (nid < 0)
		return -PZ_EINVAL;
	if (at < z->node_count && z->node[at].nid == nid)
		return 0;
	v = pz_zone_grow(z->meta, z->node, z->node_count, &z->node_cap, sizeof(*v));
	if (!v)
		return -PZ_ENOMEM;
	z->node = v;
	memmove(&z->node[at + 1], &z->node[at], (z->node_count - at) * sizeof(*z->node));
	zone_node_init(&z->node[at], nid);
	z->node_count++;
	return 0;
}

uint32_t pz_zone_node_index(const struct pz_zones *z, int nid)
{
	uint32_t at = zone_node_lower(z, nid);

	return at < z->node_count && z->node[at].nid == nid ? at : z->node_count;
}

struct pz_node *pz_zones_node(const struct pz_zones *z, int nid)
{
	uint32_t at = pz_zone_node_index(z, nid);

	return at < z->node_count ? &z->node[at] : NULL;
}

const char *pz_zone_name(enum pz_zone_type type)
{
	switch (type) {
	case PZ_ZONE_DMA:
		return "DMA";
	case PZ_ZONE_DMA32:
		return "DMA32";
	case PZ_ZONE_NORMAL:
		return "Normal";
	case PZ_ZONE_HIGHMEM:
		return "HighMem";
	case PZ_ZONE_MOVABLE:
		return "Movable";
	case PZ_ZONE_DEVICE:
		return "Device";
	case PZ_ZONE_TYPES:
		break;
	}
	return "?";
}
