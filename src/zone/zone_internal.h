/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zone_internal.h - what the files of this layer share.
 */
#ifndef ZONE_ZONE_INTERNAL_H
#define ZONE_ZONE_INTERNAL_H

#include <physzone/zone.h>

/* Where each zone type may lie, as exclusive page frame bounds; low == high is empty. */
struct pz_zone_bounds {
	uint64_t low[PZ_ZONE_TYPES];
	uint64_t high[PZ_ZONE_TYPES];
};

/* Position of a node in z->node, or z->node_count. */
uint32_t pz_zone_node_index(const struct pz_zones *z, int nid);

/* The node that a memory region counts for. */
static inline int pz_zone_region_nid(const struct pz_mb_region *r)
{
	return r->nid < 0 ? 0 : r->nid;
}

/* Whether kernelcore=mirror shapes the zones: mirrored and other memory may share a span. */
static inline bool pz_zone_mirror_mode(const struct pz_zones *z)
{
	return z->cfg.kernelcore.kind == PZ_CORE_MIRROR;
}

/* Whether a zone type counts as high memory: Movable does when it is carved out of HighMem. */
static inline bool pz_zone_is_highmem(const struct pz_zones *z, unsigned int type)
{
	return type == PZ_ZONE_HIGHMEM ||
	       (type == PZ_ZONE_MOVABLE && z->movable_host == PZ_ZONE_HIGHMEM);
}

/*
 * The zone type that a page has by its place, and in *until the last page of which the same is
 * known to be true. PZ_ZONE_TYPES when no zone spans it.
 */
enum pz_zone_type pz_zone_at(const struct pz_node *n, bool mirror, uint64_t pfn, uint64_t *until);

/* The same for a page of a block. */
enum pz_zone_type pz_zone_of_block(const struct pz_node *n, const struct pz_zone_block *b,
				   uint64_t pfn, uint64_t *until);

/* Position of the first block that ends at or after a page, or z->block_count. */
uint32_t pz_zone_block_find(const struct pz_zones *z, uint64_t pfn);

/* Set movable_pfn of every node. Returns 0 or -PZ_ENOMEM. */
int pz_zone_movable_starts(struct pz_zones *z, const struct pz_memblock *mb,
			   const struct pz_zone_bounds *b);

/* Whether the inputs of the watermarks are ones that the sysctls accept. */
bool pz_zone_wmark_ok(const struct pz_wmark_config *w);

/* An array from the metadata hook, NULL when there is none or the size overflows. */
void *pz_zone_alloc(const struct pz_meta *meta, uint32_t count, size_t size);
void pz_zone_free(const struct pz_meta *meta, void *p, uint32_t count, size_t size);

/* Such an array with room for one element more than @count; NULL when there is none, @v stays. */
void *pz_zone_grow(const struct pz_meta *meta, void *v, uint32_t count, uint32_t *cap, size_t size);

/* Heapsort: no recursion, no memory, O(n log n); what comes before everything else goes first. */
void pz_zone_sort(int32_t *v, uint32_t n, bool (*before)(const void *ctx, int32_t x, int32_t y),
		  const void *ctx);

#endif
