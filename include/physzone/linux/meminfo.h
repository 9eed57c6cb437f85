/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meminfo.h - the state of memory as Linux reports it, as data, and Linux's texts of it:
 * /proc/zoneinfo, /proc/buddyinfo, /proc/pagetypeinfo, and the report of a failed allocation.
 *
 * The texts are those of the model, byte for byte; what a kernel's configuration adds to them or
 * leaves out is data too (struct pzl_meminfo: masks and PZL_MI_*). Numbers are pages unless said
 * otherwise. Source followed: docs/facts/page_alloc.md section 9.
 */
#ifndef PHYSZONE_LINUX_MEMINFO_H
#define PHYSZONE_LINUX_MEMINFO_H

#include <physzone/linux/messages.h>
#include <physzone/linux/model.h>
#include <physzone/page.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Counters of a zone, in the order in which /proc/zoneinfo has them. */
enum pzl_zone_stat {
	PZL_ZS_FREE_PAGES,
	PZL_ZS_INACTIVE_ANON,
	PZL_ZS_ACTIVE_ANON,
	PZL_ZS_INACTIVE_FILE,
	PZL_ZS_ACTIVE_FILE,
	PZL_ZS_UNEVICTABLE,
	PZL_ZS_WRITE_PENDING,
	PZL_ZS_MLOCK,
	PZL_ZS_PAGE_TABLE_PAGES, /* 5.10; a counter of the node in later kernels */
	PZL_ZS_BOUNCE,
	PZL_ZS_ZSPAGES,
	PZL_ZS_FREE_CMA,
	PZL_ZS_UNACCEPTED,
	PZL_ZS_NUMA_HIT,
	PZL_ZS_NUMA_MISS,
	PZL_ZS_NUMA_FOREIGN,
	PZL_ZS_NUMA_INTERLEAVE,
	PZL_ZS_NUMA_LOCAL,
	PZL_ZS_NUMA_OTHER,
	PZL_ZONE_STATS,
};

/* Counters of a node, in the order in which /proc/zoneinfo has them. */
enum pzl_node_stat {
	PZL_NS_INACTIVE_ANON,
	PZL_NS_ACTIVE_ANON,
	PZL_NS_INACTIVE_FILE,
	PZL_NS_ACTIVE_FILE,
	PZL_NS_UNEVICTABLE,
	PZL_NS_SLAB_RECLAIMABLE,
	PZL_NS_SLAB_UNRECLAIMABLE,
	PZL_NS_ISOLATED_ANON,
	PZL_NS_ISOLATED_FILE,
	PZL_NS_WORKINGSET_NODES,
	PZL_NS_REFAULT_ANON,
	PZL_NS_REFAULT_FILE,
	PZL_NS_ACTIVATE_ANON,
	PZL_NS_ACTIVATE_FILE,
	PZL_NS_RESTORE_ANON,
	PZL_NS_RESTORE_FILE,
	PZL_NS_NODERECLAIM,
	PZL_NS_ANON_PAGES,
	PZL_NS_MAPPED,
	PZL_NS_FILE_PAGES,
	PZL_NS_DIRTY,
	PZL_NS_WRITEBACK,
	PZL_NS_WRITEBACK_TEMP,
	PZL_NS_SHMEM,
	PZL_NS_SHMEM_HUGEPAGES, /* this and the next four in pages; zoneinfo shows huge ones */
	PZL_NS_SHMEM_PMDMAPPED,
	PZL_NS_FILE_HUGEPAGES,
	PZL_NS_FILE_PMDMAPPED,
	PZL_NS_ANON_HUGEPAGES,
	PZL_NS_VMSCAN_WRITE,
	PZL_NS_VMSCAN_IMMEDIATE,
	PZL_NS_DIRTIED,
	PZL_NS_WRITTEN,
	PZL_NS_THROTTLED_WRITTEN,
	PZL_NS_KERNEL_MISC_RECLAIMABLE,
	PZL_NS_FOLL_PIN_ACQUIRED,
	PZL_NS_FOLL_PIN_RELEASED,
	PZL_NS_KERNEL_STACK, /* KiB */
	PZL_NS_SHADOW_CALL_STACK, /* KiB */
	PZL_NS_PAGE_TABLE_PAGES,
	PZL_NS_SEC_PAGE_TABLE_PAGES,
	PZL_NS_IOMMU_PAGES,
	PZL_NS_SWAPCACHED,
	PZL_NS_PROMOTE_SUCCESS,
	PZL_NS_PROMOTE_CANDIDATE,
	PZL_NS_DEMOTE_KSWAPD,
	PZL_NS_DEMOTE_DIRECT,
	PZL_NS_DEMOTE_KHUGEPAGED,
	PZL_NODE_STATS,
};

/* Bits of the masks of counters. */
#define PZL_ZS_BIT(s) ((uint32_t)1 << (s))
#define PZL_NS_BIT(s) ((uint64_t)1 << (s))

/* Mobilities that Linux has: PZ_UNMOVABLE to PZ_ISOLATE, by the same numbers. */
#define PZL_MIGRATE_TYPES 6u

/* What the texts have besides. */
#define PZL_MI_NUMA 0x1u /* "Node 0 " before the zones of a report */
#define PZL_MI_BOOST 0x2u /* the watermark boost: from 5.16 on */
#define PZL_MI_PROMO 0x4u /* zoneinfo's promo: 6.12 */
#define PZL_MI_CMA 0x8u /* zoneinfo's cma: from 5.12 on */
#define PZL_MI_SMP 0x10u /* zoneinfo's vm stats threshold */
#define PZL_MI_THP 0x20u /* huge pages in a report: CONFIG_TRANSPARENT_HUGEPAGE */
#define PZL_MI_SWAP 0x40u /* swap in a report: CONFIG_SWAP */
#define PZL_MI_TOTAL_CMA 0x80u /* "pages cma reserved" in a report: CONFIG_CMA */
#define PZL_MI_HWPOISON 0x100u /* "pages hwpoisoned" in a report: CONFIG_MEMORY_FAILURE */

#define PZL_HUGE_SIZES 8u

/* A CPU's cache of free pages of a zone. */
struct pzl_mem_pcp {
	uint32_t cpu; /* the number of the CPU */
	uint32_t count, high, batch;
	uint32_t threshold; /* of the CPU's counters */
};

struct pzl_mem_zone {
	uint64_t min, low, high, promo; /* with the boost, as Linux shows them */
	uint64_t boost;
	uint64_t spanned, present, managed, cma;
	uint64_t start_pfn;
	uint64_t protection[PZ_ZONE_TYPES]; /* lowmem reserves, by zone type */
	uint64_t stat[PZL_ZONE_STATS];
	uint64_t reserved_highatomic;
	uint64_t order[PZ_PAGE_ORDERS][PZL_MIGRATE_TYPES]; /* free blocks */
	uint64_t blocks[PZL_MIGRATE_TYPES]; /* pageblocks */
	struct pzl_mem_pcp *pcp; /* one for each CPU of the machine */
};

/* The pool of huge pages of one size on one node. */
struct pzl_mem_huge {
	uint64_t total, free, surplus;
};

struct pzl_mem_node {
	int32_t nid;
	bool unreclaimable; /* background reclaim has given up */
	bool hidden; /* a report leaves it out: the task may not use it */
	uint64_t stat[PZL_NODE_STATS];
	struct pzl_mem_huge huge[PZL_HUGE_SIZES];
	struct pzl_mem_zone zone[PZ_ZONE_TYPES];
};

struct pzl_meminfo {
	enum pzl_model model;
	uint32_t shows; /* PZL_MI_* */
	uint32_t configured; /* bit per enum pz_zone_type: zones that the kernel has */
	uint32_t zone_stats; /* PZL_ZS_BIT() of the counters that it has */
	uint64_t node_stats; /* PZL_NS_BIT() */
	uint32_t migrate_types; /* bit per mobility */
	uint32_t page_shift;
	uint32_t orders; /* of the buddy allocator, at most PZ_PAGE_ORDERS; usually 11 */
	uint32_t pageblock_order;
	uint32_t thp_order; /* of a transparent huge page */
	bool movable_highmem; /* ZONE_MOVABLE counts as high memory */
	uint32_t huge_sizes;
	uint64_t huge_kb[PZL_HUGE_SIZES]; /* in the order of registration */
	uint64_t swap_cache, swap_free, swap_total;
	uint64_t total_cma, hwpoisoned;
	struct pzl_mem_node *node; /* online nodes, ascending */
	uint32_t nodes;
	uint32_t cpus; /* online */
	struct pzl_mem_pcp *pcp;
	const struct pz_meta *meta;
};

/**
 * pzl_zone_stat_name - the name of a counter of zones
 * @s: the counter
 *
 * Context: any.
 * Return: as in /proc/zoneinfo ("nr_free_pages"), or "?".
 */
const char *pzl_zone_stat_name(enum pzl_zone_stat s);

/**
 * pzl_node_stat_name - the name of a counter of nodes
 * @s: the counter
 *
 * Context: any.
 * Return: as in /proc/zoneinfo ("nr_inactive_anon"), or "?".
 */
const char *pzl_node_stat_name(enum pzl_node_stat s);

/**
 * pzl_migrate_type_name - Linux's name of a mobility
 * @type: below PZL_MIGRATE_TYPES
 *
 * Context: any.
 * Return: "Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate", or "?".
 */
const char *pzl_migrate_type_name(unsigned int type);

/**
 * pzl_meminfo_init - make room for the state of a machine, all of it 0
 * @m: the state; pzl_meminfo_destroy() gives it back
 * @meta: where it lives; must outlive @m
 * @model: the version; decides what is shown, for x86 and arm64 as distributions build it
 * @nodes: nodes, at least 1; numbered from 0
 * @cpus: CPUs, at least 1; numbered from 0
 *
 * The zones are DMA, DMA32, Normal, Movable and Device, pages have 4 KiB, there are 11 orders;
 * the caller may change all of it.
 *
 * Context: any; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when there is no model, node or CPU, -PZ_ENOMEM; nothing is held on error.
 */
int pzl_meminfo_init(struct pzl_meminfo *m, const struct pz_meta *meta, enum pzl_model model,
		     uint32_t nodes, uint32_t cpus);

/**
 * pzl_meminfo_destroy - give back what pzl_meminfo_init() took
 * @m: the state
 *
 * Context: any; calls the metadata hook.
 */
void pzl_meminfo_destroy(struct pzl_meminfo *m);

/**
 * pzl_meminfo_set_page_shift - choose the page size, with the sizes that follow from it
 * @m: the state
 * @page_shift: 12 to 16
 *
 * A transparent huge page is what one page of 8-byte entries maps; a pageblock likewise, at most
 * the largest order.
 *
 * Context: any.
 */
void pzl_meminfo_set_page_shift(struct pzl_meminfo *m, uint32_t page_shift);

/**
 * pzl_meminfo_from_zones - take over what zones know
 * @m: filled in; pzl_meminfo_destroy() gives it back
 * @meta: where it lives; must outlive @m
 * @model: the version
 * @z: zones with managed pages, watermarks, reserves and per-CPU sizes
 * @cpus: online CPUs
 *
 * What only a running allocator knows (free pages, blocks) and what no allocator knows (counters
 * of users of memory) is 0. Counter thresholds are those of a kernel that is not short of memory.
 *
 * Context: any; calls the metadata hook.
 * Return: 0, or as pzl_meminfo_init().
 */
int pzl_meminfo_from_zones(struct pzl_meminfo *m, const struct pz_meta *meta, enum pzl_model model,
			   const struct pz_zones *z, uint32_t cpus);

/**
 * pzl_meminfo_from_pages - take over what an allocator has free
 * @m: made by pzl_meminfo_from_zones() from the zones that the allocator was made from
 * @p: the allocator
 *
 * Free pages and blocks, pageblocks, pages reserved for atomic requests, and pages that the
 * per-CPU caches hold, all of them shown as the first CPU's. Blocks of ZONE_MOVABLE are Movable.
 * Other numbers stay.
 *
 * Context: any; exact while nobody allocates or frees.
 * Return: 0, or -PZ_EINVAL when the allocator has an area that @m has not, with @m unchanged.
 */
int pzl_meminfo_from_pages(struct pzl_meminfo *m, const struct pz_pages *p);

/**
 * pzl_print_zoneinfo - /proc/zoneinfo
 * @m: the state
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_zoneinfo(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_buddyinfo - /proc/buddyinfo
 * @m: the state
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_buddyinfo(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_pagetypeinfo - /proc/pagetypeinfo
 * @m: the state
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Without the "mixed blocks" of page_owner=on. Nodes without memory have nothing.
 *
 * Context: any; calls @emit.
 */
void pzl_print_pagetypeinfo(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx);

/* A failed request, as the first line of a report tells it. */
struct pzl_failure {
	const char *comm; /* name of the task */
	uint32_t order;
	uint32_t gfp;
	const char *nodemask; /* NULL for none */
	const char *cpuset; /* path of the task's, NULL when the kernel has no cpusets */
	const char *mems_allowed; /* list of nodes, with a cpuset */
	uint32_t cpu; /* index of the CPU that reports */
};

/**
 * pzl_failure_silent - whether Linux says nothing about a failed request
 * @m: the state
 * @gfp: flags of the request
 *
 * With __GFP_NOWARN, and from 5.17 on for GFP_DMA where no node has a managed page of ZONE_DMA. The
 * limit of one report in ten seconds is not counted here.
 *
 * Context: any.
 * Return: true when it says nothing.
 */
bool pzl_failure_silent(const struct pzl_meminfo *m, uint32_t gfp);

/**
 * pzl_print_failure_line - the first line of a report
 * @m: the state; its model gives names to the flags
 * @f: the request
 * @emit: called once
 * @ctx: passed to @emit
 *
 * The stack of the task follows in a log.
 *
 * Context: any; calls @emit.
 */
void pzl_print_failure_line(const struct pzl_meminfo *m, const struct pzl_failure *f,
			    pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_mem_info - a report from "Mem-Info:" to its end
 * @m: the state
 * @highest: highest zone that the request may use; later zones are left out, but not by 5.15
 * @cpu: index of the CPU that reports
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Without the account of allocation sites that CONFIG_MEM_ALLOC_PROFILING adds.
 *
 * Context: any; calls @emit.
 */
void pzl_print_mem_info(const struct pzl_meminfo *m, enum pz_zone_type highest, uint32_t cpu,
			pzl_emit_fn emit, void *ctx);

/* A buffer for lines. Text that does not fit is cut, and counted on. */
struct pzl_text_buffer {
	char *buf;
	size_t size;
	size_t n; /* length of the whole text; it was cut when this is size or more */
};

/**
 * pzl_emit_to_buffer - put a line and its end into a buffer, to be passed as an emit function
 * @ctx: a struct pzl_text_buffer; its text is ended by a 0 byte unless its size is 0
 * @line: the line
 * @len: its length
 *
 * Context: any.
 */
void pzl_emit_to_buffer(void *ctx, const char *line, size_t len);

#ifdef __cplusplus
}
#endif

#endif
