/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zone.h - zones as accounting: nodes, and named ranges of them with their page counts.
 *
 * Three counts that are three different things: spanned (the range with its holes), present (RAM
 * that exists in it), managed (pages that the page allocator was really given). A zone with
 * present pages and no managed one is populated and useless: the capture kernel's ZONE_DMA.
 * Source followed: docs/facts/zones.md sections 1, 3 and 4, docs/facts/page_alloc.md sections 3, 4
 * and 8.
 */
#ifndef PHYSZONE_ZONE_H
#define PHYSZONE_ZONE_H

#include <physzone/memblock.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pz_zone_type {
	PZ_ZONE_DMA,
	PZ_ZONE_DMA32,
	PZ_ZONE_NORMAL,
	PZ_ZONE_HIGHMEM,
	PZ_ZONE_MOVABLE,
	PZ_ZONE_DEVICE,
	PZ_ZONE_TYPES,
};

/* What a size argument of kernelcore= and movablecore= says. */
enum pz_core_kind { PZ_CORE_NONE, PZ_CORE_PAGES, PZ_CORE_PERCENT, PZ_CORE_MIRROR };

struct pz_core_spec {
	enum pz_core_kind kind;
	uint64_t value; /* pages, or percent */
};

/* Variations between kernels that change the layout. */
#define PZ_ZF_MOVABLE_NODE_ROUND_UP 0x1u /* 6.12: the base of hotplug memory is rounded up */
#define PZ_ZF_MIRROR_NEEDS_MIRROR 0x2u /* 6.12: kernelcore=mirror ignored without mirrored memory */
#define PZ_ZF_DESCENDING 0x4u /* zones are laid out from the highest type down (ARC) */
#define PZ_ZF_KDUMP 0x8u /* a capture kernel: 6.12 ignores kernelcore=mirror there */
#define PZ_ZF_WMARK_MOVABLE_AS_HIGHMEM 0x10u /* 6.12: Movable takes highmem's watermark rule */
#define PZ_ZF_WMARK_DIV32 0x20u /* 6.1: shares are divided by 32 bits of the lowmem pages */
#define PZ_ZF_FALLBACK_LOCAL_FIRST 0x40u /* 6.1: also a node without memory leads its own order */
#define PZ_ZF_ALL 0x7fu

struct pz_zone_config {
	uint32_t configured; /* bit per enum pz_zone_type: the kernel has this zone type */
	uint64_t max_pfn[PZ_ZONE_TYPES]; /* exclusive ends; ignored when not configured */
	uint32_t page_shift;
	uint64_t max_order_pages; /* MAX_ORDER_NR_PAGES: movable starts are rounded up to it */
	struct pz_core_spec kernelcore;
	struct pz_core_spec movablecore;
	bool movable_node;
	uint32_t flags; /* PZ_ZF_* */
};

struct pz_zone {
	uint64_t start_pfn; /* 0 when spanned is 0 */
	uint64_t spanned;
	uint64_t present;
	uint64_t managed;
	uint64_t cma; /* of the managed, pages in contiguous areas */
	uint64_t min, low, high; /* watermarks, pages */
	uint64_t reserve[PZ_ZONE_TYPES]; /* lowmem reserve against requests for that zone */
	uint32_t pcp_batch;
	uint32_t pcp_high;
	uint64_t boot_pfn; /* start and span as laid out, before pz_zones_online() */
	uint64_t boot_spanned;
};

struct pz_node {
	int32_t nid;
	uint64_t start_pfn; /* min over its memory, 0 when it has none */
	uint64_t end_pfn; /* exclusive max over its memory */
	uint64_t movable_pfn; /* start of its ZONE_MOVABLE, 0 for none */
	uint32_t cpus; /* CPUs of the node, at least used by the per-CPU sizes */
	struct pz_zone zone[PZ_ZONE_TYPES];
};

/* Whole pages of memory of one node: which node, and so which zone, a page frame belongs to. */
struct pz_zone_block {
	struct pz_range pfns;
	int32_t nid;
	bool mirror;
	uint8_t zone; /* enum pz_zone_type it was brought online to, PZ_ZONE_TYPES for by place */
};

/*
 * Invariants, verified by pz_zones_check(): 1. nodes ascend by nid; 2. managed <= present <=
 * spanned (in mirror mode, where Linux counts some pages of a zone as absent from it, both are
 * only <= spanned); 3. zones of a node do not overlap, except Movable with others in mirror mode
 * and any after pz_zones_online(); 4. a zone that is not configured is empty; 5. start_pfn is 0
 * where spanned is 0; 6. blocks are valid, ascend, and belong to a node; 7. movable_pfn is 0, or a
 * multiple of max_order_pages below the end of its node; 8. min <= low <= high.
 */
struct pz_zones {
	struct pz_zone_config cfg;
	struct pz_node *node; /* ascending by nid */
	uint32_t node_count;
	uint32_t node_cap;
	struct pz_zone_block *block; /* ascending; the memory that was laid out */
	uint32_t block_count;
	uint32_t block_cap;
	bool onlined; /* pz_zones_online() added memory */
	struct pz_range arch_range[PZ_ZONE_TYPES]; /* page frames, as "Zone ranges:" prints them */
	uint32_t arch_has; /* bit per type: arch_range is not empty */
	uint8_t movable_host; /* enum pz_zone_type that Movable is carved out of, valid if any is */
	uint32_t notes; /* PZ_ZN_* */
	const struct pz_meta *meta;
};

#define PZ_ZN_UNMIRRORED_BELOW_4G 0x1u /* this configuration results in unmirrored kernel memory */
#define PZ_ZN_MIRROR_IGNORED 0x2u /* kernelcore=mirror had no effect */
#define PZ_ZN_PERCENT_OVER_100 0x4u /* a percentage above 100 was given */

/**
 * pz_zones_build - lay memory out in nodes and zones
 * @z: the result; pz_zones_destroy() gives it back
 * @meta: where the nodes live; must outlive @z
 * @mb: memory with its nodes (regions of PZ_NID_NONE count as node 0); not changed
 * @cfg: limits and options; copied. max_order_pages is a power of two, page_shift is @mb's
 *
 * spanned and present are final; managed is set to present. Cost: O(regions * log nodes + nodes *
 * zone types), and with kernelcore= or movablecore= a pass over the nodes that still have memory
 * each time that the rest is spread again; independent of the amount of memory. Needs 32 bytes a
 * region and one struct pz_node a node, and as much again as the ids of the nodes while it runs.
 *
 * Context: any; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM; nothing is held on error.
 */
int pz_zones_build(struct pz_zones *z, const struct pz_meta *meta, const struct pz_memblock *mb,
		   const struct pz_zone_config *cfg);

/**
 * pz_zones_destroy - give back what pz_zones_build() took
 * @z: the zones
 *
 * Context: any; calls the metadata hook.
 */
void pz_zones_destroy(struct pz_zones *z);

/**
 * pz_zones_add_node - make a memory-less node known
 * @z: the zones
 * @nid: the node; nothing happens when it is there already
 *
 * Context: any; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @nid is negative, -PZ_ENOMEM with @z unchanged.
 */
int pz_zones_add_node(struct pz_zones *z, int nid);

/**
 * pz_zones_online - add memory while the machine runs, as hot-plugged memory is brought online
 * @z: the zones
 * @pfns: inclusive range of page frame numbers, none of them memory yet
 * @nid: node; made known when it is not
 * @type: zone type that takes the pages
 *
 * The zone grows to span the range, over other zones too when they lie between, as in Linux; the
 * pages are present and managed at once. Linux chooses the zone so: Movable when told so
 * (memhp_default_state=online_movable), else the kernel zone whose limits hold the range.
 *
 * Context: any; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when an argument is malformed or @type is not configured, -PZ_EEXIST when
 * part of the range is memory, -PZ_ENOMEM; on error nothing but the node's being known changes.
 */
int pz_zones_online(struct pz_zones *z, struct pz_range pfns, int nid, enum pz_zone_type type);

/**
 * pz_zones_node - look up a node
 * @z: the zones
 * @nid: the node
 *
 * Context: any. Cost: O(log n).
 * Return: the node, or NULL.
 */
struct pz_node *pz_zones_node(const struct pz_zones *z, int nid);

/**
 * pz_zones_of_pfn - the zone that a page belongs to
 * @z: the zones
 * @nid: node of the page
 * @pfn: page frame number
 *
 * A hole inside a zone as laid out at boot belongs to that zone.
 *
 * Context: any. Cost: O(log nodes + zone types), and O(log regions) more in mirror
 * mode and after pz_zones_online().
 * Return: the zone type, or PZ_ZONE_TYPES when no zone of the node spans the page.
 */
enum pz_zone_type pz_zones_of_pfn(const struct pz_zones *z, int nid, uint64_t pfn);

/**
 * pz_zones_locate - the node and zone that a page of memory belongs to
 * @z: the zones
 * @pfn: page frame number
 * @nid: the node, written when the page is memory; may be NULL
 *
 * Context: any. Cost: O(log regions + zone types).
 * Return: the zone type, or PZ_ZONE_TYPES when the page is no memory or no zone spans it.
 */
enum pz_zone_type pz_zones_locate(const struct pz_zones *z, uint64_t pfn, int *nid);

/**
 * pz_zones_set_managed - count managed pages from what memblock leaves free
 * @z: the zones
 * @mb: memory and reservations
 * @max_pfn: exclusive cap: pages at or above are not given out (UINT64_MAX for none)
 *
 * Zeroes every managed count, then adds each whole free page to its zone.
 * Cost: O((regions + reservations) * log regions + nodes * zone types).
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when a free page lies in no zone, with @z unchanged.
 */
int pz_zones_set_managed(struct pz_zones *z, const struct pz_memblock *mb, uint64_t max_pfn);

/**
 * pz_zones_account - add pages that were freed later, or take pages away
 * @z: the zones
 * @pfns: inclusive range of page frame numbers; may span several zones, nodes and holes
 * @add: true to add (never above present), false to subtract (never below 0)
 *
 * Only pages of memory count; holes in between do not.
 *
 * Context: any. Cost: O(log regions), and O(log nodes + zone types) for each region that is met.
 * Return: pages that lay in some zone and were accounted.
 */
uint64_t pz_zones_account(struct pz_zones *z, struct pz_range pfns, bool add);

/* Inputs of the watermarks. */
struct pz_wmark_config {
	uint64_t min_free_kbytes; /* 0: compute it from memory */
	uint64_t scale_factor; /* watermark_scale_factor, default 10 */
	uint64_t reserve_ratio[PZ_ZONE_TYPES]; /* 0 disables */
};

/**
 * pz_wmark_defaults - Linux's defaults for watermarks and reserves
 * @w: filled in: ratios 256, 256, 32, 0, 0, 0, scale factor 10, min_free_kbytes computed
 *
 * Context: any.
 */
void pz_wmark_defaults(struct pz_wmark_config *w);

/**
 * pz_zones_min_free_kbytes - the min_free_kbytes that Linux computes from memory
 * @z: zones with managed counts; high watermarks as they are at that time count too
 *
 * clamp(int_sqrt(16 * lowmem KiB), 128, 262144) over the zones that ordinary requests reach.
 *
 * Context: any.
 * Return: KiB.
 */
uint64_t pz_zones_min_free_kbytes(const struct pz_zones *z);

/**
 * pz_zones_recommended_min_free_kbytes - what transparent huge pages raise min_free_kbytes to
 * @z: zones with managed counts and the watermarks of that time
 * @pageblock_pages: pages of a pageblock
 * @migrate_types: types on the per-CPU lists (3)
 *
 * Context: any.
 * Return: KiB.
 */
uint64_t pz_zones_recommended_min_free_kbytes(const struct pz_zones *z, uint64_t pageblock_pages,
					      unsigned int migrate_types);

/**
 * pz_zones_set_watermarks - compute min, low and high of every zone
 * @z: zones with managed counts
 * @w: inputs; min_free_kbytes 0 means pz_zones_min_free_kbytes()
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when the scale factor is outside 1 to 3000 or min_free_kbytes above
 * 2^31 - 1, with @z unchanged.
 */
int pz_zones_set_watermarks(struct pz_zones *z, const struct pz_wmark_config *w);

/**
 * pz_zones_set_reserves - compute the lowmem reserves ("protection") of every zone
 * @z: zones with managed counts
 * @w: inputs
 *
 * Context: any.
 */
void pz_zones_set_reserves(struct pz_zones *z, const struct pz_wmark_config *w);

/**
 * pz_zones_set_pcp - compute the per-CPU batch and high of every zone
 * @z: zones with managed counts and watermarks
 * @cpus: online CPUs; a node with cpus set uses those instead
 *
 * pcp_high is what the per-CPU lists may hold; 6.12 starts from it and tunes it upwards.
 *
 * Context: any.
 */
void pz_zones_set_pcp(struct pz_zones *z, unsigned int cpus);

/* Points of a boot at which Linux computes watermarks. */
enum pz_boot_phase {
	PZ_BOOT_MARKS, /* postcore_initcall: min_free_kbytes, watermarks, reserves */
	PZ_BOOT_THP, /* subsys_initcall: khugepaged raises min_free_kbytes; watermarks anew */
};

/* Pages of a zone that came to the page allocator later than a phase, which did not see them. */
struct pz_boot_late {
	enum pz_boot_phase after; /* PZ_BOOT_MARKS: only that one missed them; PZ_BOOT_THP: both */
	int32_t nid;
	uint8_t type; /* enum pz_zone_type */
	uint64_t pages;
};

/* Transparent huge pages, as they stand when khugepaged starts. */
enum pz_thp {
	PZ_THP_NONE, /* not configured, or the processor has none: the phase does not happen */
	PZ_THP_NEVER, /* transparent_hugepage=never */
	PZ_THP_ON, /* always or madvise */
};

struct pz_boot_config {
	struct pz_wmark_config wmark; /* min_free_kbytes: written by hand after boot, 0 for not */
	enum pz_thp thp;
	uint64_t pageblock_pages; /* see docs/design/watermarks.md for the usual ones */
	unsigned int migrate_types; /* 3 */
	unsigned int cpus; /* online CPUs, see pz_zones_set_pcp() */
	const struct pz_boot_late *late;
	uint32_t late_count;
};

/* What min_free_kbytes was. */
struct pz_boot_marks {
	uint64_t at_marks; /* after PZ_BOOT_MARKS */
	uint64_t at_end; /* as the sysctl shows it after boot */
	bool thp_phase; /* PZ_BOOT_THP happened: at least 512 MiB were managed */
};

/**
 * pz_zones_boot_watermarks - watermarks, reserves and per-CPU sizes as a booted kernel has them
 * @z: zones with the managed counts after boot, which are the same afterwards
 * @b: what the boot was like
 * @marks: filled in on success; may be NULL
 *
 * A kernel computes them early and not again when it frees its init memory and the initrd, so the
 * counts of that time matter. The sequence, the same for 5.15, 6.1 and 6.12:
 * 1. without any page of @b->late: min_free_kbytes from memory, the watermarks from it, reserves;
 * 2. with the late pages of PZ_BOOT_MARKS, only with huge pages and 512 MiB managed or more:
 *    min_free_kbytes raised to the recommended one (PZ_THP_NEVER: computed anew above the high
 *    watermarks of step 1), the watermarks from it, the reserves as they are;
 * 3. with all pages, only when min_free_kbytes was written by hand: the watermarks from it.
 * The versions differ in pz_zone_config.flags (PZ_ZF_WMARK_*) only.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @b->wmark is out of range, a late entry names a node or type that
 * is not there, or entries take more pages from a zone than it has; @z is unchanged then.
 */
int pz_zones_boot_watermarks(struct pz_zones *z, const struct pz_boot_config *b,
			     struct pz_boot_marks *marks);

/* One step of a zonelist. */
struct pz_zoneref {
	int32_t nid;
	uint8_t type; /* enum pz_zone_type */
};

/**
 * pz_zones_fallback - the order in which a node falls back to other nodes
 * @z: the zones
 * @nid: the node that asks
 * @distance: distance between two nodes, or NULL for 10 (local) and 20; called with @ctx
 * @ctx: passed to @distance
 * @order: node ids in order, the node itself first; only nodes with memory, apart from the node
 *   itself with PZ_ZF_FALLBACK_LOCAL_FIRST
 * @cap: room in @order; z->node_count is enough
 * @load: a penalty per node for round robin among equals, z->node_count long and kept by the caller
 *   across calls in ascending order of nid (zero-filled at first), or NULL
 *
 * Context: any; calls @distance. Cost: O(n log n).
 * Return: number of nodes in the order (when @cap is smaller, nothing is written), or -PZ_ENOENT
 * for no such node.
 */
int pz_zones_fallback(const struct pz_zones *z, int nid,
		      unsigned int (*distance)(void *ctx, int from, int to), void *ctx,
		      int32_t *order, uint32_t cap, uint32_t *load);

/**
 * pz_zones_zonelist - the zonelist of a node, as Linux builds it from populated zones
 * @z: the zones
 * @order: node fallback order from pz_zones_fallback()
 * @nodes: its length
 * @highest: highest zone type that the request may use
 * @list: filled in: for each node, populated zones from high to low
 * @cap: room in @list
 *
 * Populated means present, not managed: a zone without managed pages is in the list.
 *
 * Context: any.
 * Return: number of entries (also when @cap is smaller).
 */
uint32_t pz_zones_zonelist(const struct pz_zones *z, const int32_t *order, uint32_t nodes,
			   enum pz_zone_type highest, struct pz_zoneref *list, uint32_t cap);

/**
 * pz_zones_any_managed - whether any node has a managed page in a zone type
 * @z: the zones
 * @type: the zone type
 *
 * The question of thread 000 (has_managed_dma).
 *
 * Context: any.
 * Return: true when one has.
 */
bool pz_zones_any_managed(const struct pz_zones *z, enum pz_zone_type type);

/**
 * pz_zones_managed_below - whether any managed page lies wholly at or below an address
 * @z: the zones
 * @mb: memory and reservations, the truth about single pages
 * @max_addr: the address, inclusive
 *
 * The question that a device with a limit asks, which no zone answers.
 *
 * Context: any.
 * Return: true when one does.
 */
bool pz_zones_managed_below(const struct pz_zones *z, const struct pz_memblock *mb,
			    uint64_t max_addr);

/**
 * pz_zone_name - the name that Linux prints
 * @type: the zone type
 *
 * Context: any.
 * Return: "DMA", "DMA32", "Normal", "HighMem", "Movable", "Device", or "?".
 */
const char *pz_zone_name(enum pz_zone_type type);

/**
 * pz_zones_check - verify the numbered invariants
 * @z: the zones
 *
 * Context: any.
 * Return: 0, or the number of the first invariant that does not hold.
 */
int pz_zones_check(const struct pz_zones *z);

#ifdef __cplusplus
}
#endif

#endif
