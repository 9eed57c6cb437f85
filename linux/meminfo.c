/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meminfo.c - the state of memory as Linux reports it: names, defaults, storage.
 *
 * Concept: counters are numbered in the order in which every version prints them; a mask says
 * which of them a kernel has. So one order serves all versions, and what a configuration adds is
 * a bit.
 *
 * Invariants: 1. node and pcp are one allocation each, of nodes entries and of nodes * zone types *
 * cpus entries; 2. each zone's pcp points to its cpus entries.
 *
 * Failure: creation fails whole.
 *
 * Shortcomings: every zone of every node has room for all CPUs, also when it has no memory.
 */
#include <physzone/fmt.h>
#include <physzone/linux/arch.h>
#include <physzone/linux/meminfo.h>

#include "../src/base/pz_string.h"
#include "pzl_out.h"

static const char *const mi_zone_stats[PZL_ZONE_STATS] = {
	[PZL_ZS_FREE_PAGES] = "nr_free_pages",
	[PZL_ZS_INACTIVE_ANON] = "nr_zone_inactive_anon",
	[PZL_ZS_ACTIVE_ANON] = "nr_zone_active_anon",
	[PZL_ZS_INACTIVE_FILE] = "nr_zone_inactive_file",
	[PZL_ZS_ACTIVE_FILE] = "nr_zone_active_file",
	[PZL_ZS_UNEVICTABLE] = "nr_zone_unevictable",
	[PZL_ZS_WRITE_PENDING] = "nr_zone_write_pending",
	[PZL_ZS_MLOCK] = "nr_mlock",
	[PZL_ZS_PAGE_TABLE_PAGES] = "nr_page_table_pages",
	[PZL_ZS_BOUNCE] = "nr_bounce",
	[PZL_ZS_ZSPAGES] = "nr_zspages",
	[PZL_ZS_FREE_CMA] = "nr_free_cma",
	[PZL_ZS_UNACCEPTED] = "nr_unaccepted",
	[PZL_ZS_NUMA_HIT] = "numa_hit",
	[PZL_ZS_NUMA_MISS] = "numa_miss",
	[PZL_ZS_NUMA_FOREIGN] = "numa_foreign",
	[PZL_ZS_NUMA_INTERLEAVE] = "numa_interleave",
	[PZL_ZS_NUMA_LOCAL] = "numa_local",
	[PZL_ZS_NUMA_OTHER] = "numa_other",
};

static const char *const mi_node_stats[PZL_NODE_STATS] = {
	[PZL_NS_INACTIVE_ANON] = "nr_inactive_anon",
	[PZL_NS_ACTIVE_ANON] = "nr_active_anon",
	[PZL_NS_INACTIVE_FILE] = "nr_inactive_file",
	[PZL_NS_ACTIVE_FILE] = "nr_active_file",
	[PZL_NS_UNEVICTABLE] = "nr_unevictable",
	[PZL_NS_SLAB_RECLAIMABLE] = "nr_slab_reclaimable",
	[PZL_NS_SLAB_UNRECLAIMABLE] = "nr_slab_unreclaimable",
	[PZL_NS_ISOLATED_ANON] = "nr_isolated_anon",
	[PZL_NS_ISOLATED_FILE] = "nr_isolated_file",
	[PZL_NS_WORKINGSET_NODES] = "workingset_nodes",
	[PZL_NS_REFAULT_ANON] = "workingset_refault_anon",
	[PZL_NS_REFAULT_FILE] = "workingset_refault_file",
	[PZL_NS_ACTIVATE_ANON] = "workingset_activate_anon",
	[PZL_NS_ACTIVATE_FILE] = "workingset_activate_file",
	[PZL_NS_RESTORE_ANON] = "workingset_restore_anon",
	[PZL_NS_RESTORE_FILE] = "workingset_restore_file",
	[PZL_NS_NODERECLAIM] = "workingset_nodereclaim",
	[PZL_NS_ANON_PAGES] = "nr_anon_pages",
	[PZL_NS_MAPPED] = "nr_mapped",
	[PZL_NS_FILE_PAGES] = "nr_file_pages",
	[PZL_NS_DIRTY] = "nr_dirty",
	[PZL_NS_WRITEBACK] = "nr_writeback",
	[PZL_NS_WRITEBACK_TEMP] = "nr_writeback_temp",
	[PZL_NS_SHMEM] = "nr_shmem",
	[PZL_NS_SHMEM_HUGEPAGES] = "nr_shmem_hugepages",
	[PZL_NS_SHMEM_PMDMAPPED] = "nr_shmem_pmdmapped",
	[PZL_NS_FILE_HUGEPAGES] = "nr_file_hugepages",
	[PZL_NS_FILE_PMDMAPPED] = "nr_file_pmdmapped",
	[PZL_NS_ANON_HUGEPAGES] = "nr_anon_transparent_hugepages",
	[PZL_NS_VMSCAN_WRITE] = "nr_vmscan_write",
	[PZL_NS_VMSCAN_IMMEDIATE] = "nr_vmscan_immediate_reclaim",
	[PZL_NS_DIRTIED] = "nr_dirtied",
	[PZL_NS_WRITTEN] = "nr_written",
	[PZL_NS_THROTTLED_WRITTEN] = "nr_throttled_written",
	[PZL_NS_KERNEL_MISC_RECLAIMABLE] = "nr_kernel_misc_reclaimable",
	[PZL_NS_FOLL_PIN_ACQUIRED] = "nr_foll_pin_acquired",
	[PZL_NS_FOLL_PIN_RELEASED] = "nr_foll_pin_released",
	[PZL_NS_KERNEL_STACK] = "nr_kernel_stack",
	[PZL_NS_SHADOW_CALL_STACK] = "nr_shadow_call_stack",
	[PZL_NS_PAGE_TABLE_PAGES] = "nr_page_table_pages",
	[PZL_NS_SEC_PAGE_TABLE_PAGES] = "nr_sec_page_table_pages",
	[PZL_NS_IOMMU_PAGES] = "nr_iommu_pages",
	[PZL_NS_SWAPCACHED] = "nr_swapcached",
	[PZL_NS_PROMOTE_SUCCESS] = "pgpromote_success",
	[PZL_NS_PROMOTE_CANDIDATE] = "pgpromote_candidate",
	[PZL_NS_DEMOTE_KSWAPD] = "pgdemote_kswapd",
	[PZL_NS_DEMOTE_DIRECT] = "pgdemote_direct",
	[PZL_NS_DEMOTE_KHUGEPAGED] = "pgdemote_khugepaged",
};

/* The counters that only some configurations or versions have. */
#define MI_NS_5_15                                                                         \
	(PZL_NS_BIT(PZL_NODE_STATS) - 1 - PZL_NS_BIT(PZL_NS_THROTTLED_WRITTEN) -           \
	 PZL_NS_BIT(PZL_NS_SHADOW_CALL_STACK) - PZL_NS_BIT(PZL_NS_SEC_PAGE_TABLE_PAGES) -  \
	 PZL_NS_BIT(PZL_NS_IOMMU_PAGES) - PZL_NS_BIT(PZL_NS_PROMOTE_SUCCESS) -             \
	 PZL_NS_BIT(PZL_NS_PROMOTE_CANDIDATE) - PZL_NS_BIT(PZL_NS_DEMOTE_KSWAPD) -         \
	 PZL_NS_BIT(PZL_NS_DEMOTE_DIRECT) - PZL_NS_BIT(PZL_NS_DEMOTE_KHUGEPAGED))
#define MI_NS_6_1                                                                          \
	(MI_NS_5_15 | PZL_NS_BIT(PZL_NS_THROTTLED_WRITTEN) |                               \
	 PZL_NS_BIT(PZL_NS_SEC_PAGE_TABLE_PAGES) | PZL_NS_BIT(PZL_NS_PROMOTE_SUCCESS) |    \
	 PZL_NS_BIT(PZL_NS_PROMOTE_CANDIDATE))
#define MI_NS_6_12                                                                         \
	(MI_NS_6_1 | PZL_NS_BIT(PZL_NS_IOMMU_PAGES) | PZL_NS_BIT(PZL_NS_DEMOTE_KSWAPD) |   \
	 PZL_NS_BIT(PZL_NS_DEMOTE_DIRECT) | PZL_NS_BIT(PZL_NS_DEMOTE_KHUGEPAGED))
#define MI_ZS_ALL                                                                          \
	(PZL_ZS_BIT(PZL_ZONE_STATS) - 1 - PZL_ZS_BIT(PZL_ZS_PAGE_TABLE_PAGES) -            \
	 PZL_ZS_BIT(PZL_ZS_UNACCEPTED))
#define MI_SHOWS_ALL                                                                       \
	(PZL_MI_NUMA | PZL_MI_CMA | PZL_MI_SMP | PZL_MI_THP | PZL_MI_SWAP | PZL_MI_HWPOISON)

struct mi_version {
	uint32_t shows;
	uint64_t node_stats;
};

static const struct mi_version mi_versions[PZL_MODELS] = {
	[PZL_LINUX_5_15] = { MI_SHOWS_ALL, MI_NS_5_15 },
	[PZL_LINUX_6_1] = { MI_SHOWS_ALL | PZL_MI_BOOST, MI_NS_6_1 },
	[PZL_LINUX_6_12] = { MI_SHOWS_ALL | PZL_MI_BOOST | PZL_MI_PROMO, MI_NS_6_12 },
};

const char *pzl_zone_stat_name(enum pzl_zone_stat s)
{
	return (unsigned int)s < PZL_ZONE_STATS ? mi_zone_stats[s] : "?";
}

const char *pzl_node_stat_name(enum pzl_node_stat s)
{
	return (unsigned int)s < PZL_NODE_STATS ? mi_node_stats[s] : "?";
}

const char *pzl_migrate_type_name(unsigned int type)
{
	static const char *const names[PZL_MIGRATE_TYPES] = { "Unmovable",   "Movable",
							      "Reclaimable", "HighAtomic",
							      "CMA",	     "Isolate" };

	return type < PZL_MIGRATE_TYPES ? names[type] : "?";
}

void pzl_meminfo_set_page_shift(struct pzl_meminfo *m, uint32_t page_shift)
{
	m->page_shift = page_shift;
	m->thp_order = page_shift - 3;
	m->pageblock_order = m->thp_order < m->orders ? m->thp_order : m->orders - 1;
}

int pzl_meminfo_init(struct pzl_meminfo *m, const struct pz_meta *meta, enum pzl_model model,
		     uint32_t nodes, uint32_t cpus)
{
	uint64_t node_size, pcp_size;
	struct pzl_mem_pcp *pcp;

	memset(m, 0, sizeof(*m));
	if ((unsigned int)model >= PZL_MODELS || !nodes || !cpus)
		return -PZ_EINVAL;
	if (!meta || !meta->alloc)
		return -PZ_ENOMEM;
	/* 16-bit counts keep the products below 2^46 */
	if (nodes > UINT16_MAX || cpus > UINT16_MAX)
		return -PZ_EINVAL;
	node_size = (uint64_t)nodes * sizeof(*m->node);
	pcp_size = (uint64_t)nodes * PZ_ZONE_TYPES * cpus * sizeof(*m->pcp);
	if (node_size > SIZE_MAX || pcp_size > SIZE_MAX)
		return -PZ_ENOMEM;
	m->node = meta->alloc(meta->ctx, (size_t)node_size);
	if (!m->node)
		return -PZ_ENOMEM;
	m->pcp = meta->alloc(meta->ctx, (size_t)pcp_size);
	if (!m->pcp) {
		meta->free(meta->ctx, m->node, (size_t)node_size);
		m->node = NULL;
		return -PZ_ENOMEM;
	}
	memset(m->node, 0, (size_t)node_size);
	memset(m->pcp, 0, (size_t)pcp_size);
	m->meta = meta;
	m->model = model;
	m->nodes = nodes;
	m->cpus = cpus;
	pcp = m->pcp;
	for (uint32_t n = 0; n < nodes; n++) {
		m->node[n].nid = (int32_t)n;
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			m->node[n].zone[t].pcp = pcp;
			for (uint32_t c = 0; c < cpus; c++)
				pcp++->cpu = c;
		}
	}
	m->shows = mi_versions[model].shows;
	m->node_stats = mi_versions[model].node_stats;
	m->zone_stats = MI_ZS_ALL;
	m->configured = PZL_ZONE_BIT(PZ_ZONE_TYPES) - 1 - PZL_ZONE_BIT(PZ_ZONE_HIGHMEM);
	m->migrate_types = (1u << PZL_MIGRATE_TYPES) - 1 - (1u << PZ_CMA);
	m->orders = 11;
	pzl_meminfo_set_page_shift(m, 12);
	return 0;
}

void pzl_meminfo_destroy(struct pzl_meminfo *m)
{
	if (!m->node)
		return;
	m->meta->free(m->meta->ctx, m->pcp,
		      (size_t)m->nodes * PZ_ZONE_TYPES * m->cpus * sizeof(*m->pcp));
	m->meta->free(m->meta->ctx, m->node, (size_t)m->nodes * sizeof(*m->node));
	memset(m, 0, sizeof(*m));
}

void pzl_out_add(struct pzl_out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	o->n += pz_vsnprintf(o->s + o->n, sizeof(o->s) - o->n, fmt, ap);
	va_end(ap);
	if (o->n > sizeof(o->s) - 1)
		o->n = sizeof(o->s) - 1;
}

void pzl_out_end(struct pzl_out *o)
{
	o->emit(o->ctx, o->s, o->n);
	o->n = 0;
}

static void mi_put(struct pzl_text_buffer *b, char c)
{
	if (b->n + 1 < b->size)
		b->buf[b->n] = c;
	b->n++;
}

void pzl_emit_to_buffer(void *ctx, const char *line, size_t len)
{
	struct pzl_text_buffer *b = ctx;

	for (size_t i = 0; i < len; i++)
		mi_put(b, line[i]);
	mi_put(b, '\n');
	if (b->size)
		b->buf[b->n < b->size ? b->n : b->size - 1] = 0;
}
