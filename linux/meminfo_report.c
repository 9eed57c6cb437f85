/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meminfo_report.c - Linux's report of a failed allocation.
 *
 * Concept: sums over the machine, a line for each node, two for each zone that the request may use,
 * one of free blocks for each of these, and sums again. What the sums count is not filtered; which
 * nodes and zones have lines is.
 *
 * Invariants: none to keep; nothing is stored.
 *
 * Failure: none.
 *
 * Shortcomings: the account of allocation sites that 6.12 can add; reports of other failures
 * (vmalloc, out of memory) share the part from "Mem-Info:" on, but have other first lines.
 */
#include <physzone/linux/arch.h>
#include <physzone/linux/gfp.h>
#include <physzone/linux/meminfo.h>
#include <physzone/linux/verdict.h>

#include "pzl_out.h"

struct report {
	const struct pzl_meminfo *m;
	unsigned int highest;
	uint32_t cpu;
	struct pzl_out o;
};

static pzl_ull report_kb(const struct report *r, uint64_t pages)
{
	return (pzl_ull)pages << (r->m->page_shift - 10);
}

static bool report_shows(const struct report *r, const struct pzl_mem_node *n, unsigned int t)
{
	return !n->hidden && t <= r->highest && r->m->configured & PZL_ZONE_BIT(t) &&
	       n->zone[t].present;
}

static pzl_ull report_nodes(const struct report *r, enum pzl_node_stat s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->m->nodes; i++)
		sum += r->m->node[i].stat[s];
	return sum;
}

static pzl_ull report_zones(const struct report *r, enum pzl_zone_stat s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < r->m->nodes; i++)
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			sum += r->m->node[i].zone[t].stat[s];
	return sum;
}

static uint64_t report_pcp(const struct report *r, const struct pzl_mem_zone *z)
{
	uint64_t sum = 0;

	for (uint32_t c = 0; c < r->m->cpus; c++)
		sum += z->pcp[c].count;
	return sum;
}

static void report_sums(struct report *r)
{
	struct pzl_out *o = &r->o;
	uint64_t pcp = 0;

	for (uint32_t i = 0; i < r->m->nodes; i++)
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			if (report_shows(r, &r->m->node[i], t))
				pcp += report_pcp(r, &r->m->node[i].zone[t]);
	pzl_out_line(o, "active_anon:%llu inactive_anon:%llu isolated_anon:%llu",
		     report_nodes(r, PZL_NS_ACTIVE_ANON), report_nodes(r, PZL_NS_INACTIVE_ANON),
		     report_nodes(r, PZL_NS_ISOLATED_ANON));
	pzl_out_line(o, " active_file:%llu inactive_file:%llu isolated_file:%llu",
		     report_nodes(r, PZL_NS_ACTIVE_FILE), report_nodes(r, PZL_NS_INACTIVE_FILE),
		     report_nodes(r, PZL_NS_ISOLATED_FILE));
	pzl_out_line(o, " unevictable:%llu dirty:%llu writeback:%llu",
		     report_nodes(r, PZL_NS_UNEVICTABLE), report_nodes(r, PZL_NS_DIRTY),
		     report_nodes(r, PZL_NS_WRITEBACK));
	pzl_out_line(o, " slab_reclaimable:%llu slab_unreclaimable:%llu",
		     report_nodes(r, PZL_NS_SLAB_RECLAIMABLE),
		     report_nodes(r, PZL_NS_SLAB_UNRECLAIMABLE));
	pzl_out_add(o, " mapped:%llu shmem:%llu pagetables:%llu", report_nodes(r, PZL_NS_MAPPED),
		    report_nodes(r, PZL_NS_SHMEM), report_nodes(r, PZL_NS_PAGE_TABLE_PAGES));
	if (r->m->node_stats & PZL_NS_BIT(PZL_NS_SEC_PAGE_TABLE_PAGES)) {
		pzl_out_end(o);
		pzl_out_add(o, " sec_pagetables:%llu",
			    report_nodes(r, PZL_NS_SEC_PAGE_TABLE_PAGES));
	}
	pzl_out_line(o, " bounce:%llu", report_zones(r, PZL_ZS_BOUNCE));
	pzl_out_line(o, " kernel_misc_reclaimable:%llu",
		     report_nodes(r, PZL_NS_KERNEL_MISC_RECLAIMABLE));
	pzl_out_line(o, " free:%llu free_pcp:%llu free_cma:%llu",
		     report_zones(r, PZL_ZS_FREE_PAGES), (pzl_ull)pcp,
		     report_zones(r, PZL_ZS_FREE_CMA));
}

struct report_field {
	const char *name;
	uint8_t stat;
};

static void report_fields(struct report *r, const uint64_t *stat, const struct report_field *f,
			  unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		pzl_out_add(&r->o, " %s%llukB", f[i].name, report_kb(r, stat[f[i].stat]));
}

#define REPORT_COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void report_node(struct report *r, const struct pzl_mem_node *n)
{
	static const struct report_field use[] = {
		{ "active_anon:", PZL_NS_ACTIVE_ANON },
		{ "inactive_anon:", PZL_NS_INACTIVE_ANON },
		{ "active_file:", PZL_NS_ACTIVE_FILE },
		{ "inactive_file:", PZL_NS_INACTIVE_FILE },
		{ "unevictable:", PZL_NS_UNEVICTABLE },
		{ "isolated(anon):", PZL_NS_ISOLATED_ANON },
		{ "isolated(file):", PZL_NS_ISOLATED_FILE },
		{ "mapped:", PZL_NS_MAPPED },
		{ "dirty:", PZL_NS_DIRTY },
		{ "writeback:", PZL_NS_WRITEBACK },
		{ "shmem:", PZL_NS_SHMEM },
	};
	static const struct report_field huge[2][3] = {
		{ { "shmem_thp: ", PZL_NS_SHMEM_HUGEPAGES },
		  { "shmem_pmdmapped: ", PZL_NS_SHMEM_PMDMAPPED },
		  { "anon_thp: ", PZL_NS_ANON_HUGEPAGES } },
		{ { "shmem_thp:", PZL_NS_SHMEM_HUGEPAGES },
		  { "shmem_pmdmapped:", PZL_NS_SHMEM_PMDMAPPED },
		  { "anon_thp:", PZL_NS_ANON_HUGEPAGES } },
	};
	static const struct report_field temp[] = { { "writeback_tmp:", PZL_NS_WRITEBACK_TEMP } };
	static const struct report_field tables[] = {
		{ "pagetables:", PZL_NS_PAGE_TABLE_PAGES },
		{ "sec_pagetables:", PZL_NS_SEC_PAGE_TABLE_PAGES },
	};
	bool sec = r->m->node_stats & PZL_NS_BIT(PZL_NS_SEC_PAGE_TABLE_PAGES);

	pzl_out_add(&r->o, "Node %d", n->nid);
	report_fields(r, n->stat, use, REPORT_COUNT(use));
	if (r->m->shows & PZL_MI_THP)
		report_fields(r, n->stat, huge[r->m->model >= PZL_LINUX_6_12], 3);
	report_fields(r, n->stat, temp, 1);
	pzl_out_add(&r->o, " kernel_stack:%llukB", (pzl_ull)n->stat[PZL_NS_KERNEL_STACK]);
	if (r->m->node_stats & PZL_NS_BIT(PZL_NS_SHADOW_CALL_STACK))
		pzl_out_add(&r->o, " shadow_call_stack:%llukB",
			    (pzl_ull)n->stat[PZL_NS_SHADOW_CALL_STACK]);
	report_fields(r, n->stat, tables, sec ? 2 : 1);
	pzl_out_line(&r->o, " all_unreclaimable? %s", n->unreclaimable ? "yes" : "no");
}

/* "Node 0 DMA", or without the node. */
static void report_zone_name(struct report *r, const struct pzl_mem_node *n, unsigned int t)
{
	if (r->m->shows & PZL_MI_NUMA)
		pzl_out_add(&r->o, "Node %d ", n->nid);
	pzl_out_add(&r->o, "%s", pz_zone_name((enum pz_zone_type)t));
}

static void report_zone(struct report *r, const struct pzl_mem_node *n, unsigned int t)
{
	static const struct report_field use[] = {
		{ "active_anon:", PZL_ZS_ACTIVE_ANON },
		{ "inactive_anon:", PZL_ZS_INACTIVE_ANON },
		{ "active_file:", PZL_ZS_ACTIVE_FILE },
		{ "inactive_file:", PZL_ZS_INACTIVE_FILE },
		{ "unevictable:", PZL_ZS_UNEVICTABLE },
		{ "writepending:", PZL_ZS_WRITE_PENDING },
	};
	const struct pzl_mem_zone *z = &n->zone[t];
	struct pzl_out *o = &r->o;

	report_zone_name(r, n, t);
	pzl_out_add(o, " free:%llukB", report_kb(r, z->stat[PZL_ZS_FREE_PAGES]));
	if (r->m->shows & PZL_MI_BOOST)
		pzl_out_add(o, " boost:%llukB", report_kb(r, z->boost));
	pzl_out_add(o, " min:%llukB low:%llukB high:%llukB reserved_highatomic:%lluKB",
		    report_kb(r, z->min), report_kb(r, z->low), report_kb(r, z->high),
		    report_kb(r, z->reserved_highatomic));
	report_fields(r, z->stat, use, REPORT_COUNT(use));
	pzl_out_add(o, " present:%llukB managed:%llukB mlocked:%llukB bounce:%llukB",
		    report_kb(r, z->present), report_kb(r, z->managed),
		    report_kb(r, z->stat[PZL_ZS_MLOCK]), report_kb(r, z->stat[PZL_ZS_BOUNCE]));
	pzl_out_line(o, " free_pcp:%llukB local_pcp:%llukB free_cma:%llukB",
		     report_kb(r, report_pcp(r, z)),
		     report_kb(r, r->cpu < r->m->cpus ? z->pcp[r->cpu].count : 0),
		     report_kb(r, z->stat[PZL_ZS_FREE_CMA]));
	pzl_out_add(o, "lowmem_reserve[]:");
	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++)
		if (r->m->configured & PZL_ZONE_BIT(i))
			pzl_out_add(o, " %llu", (pzl_ull)z->protection[i]);
	pzl_out_end(o);
}

static void report_orders(struct report *r, const struct pzl_mem_node *n, unsigned int t)
{
	const struct pzl_mem_zone *z = &n->zone[t];
	uint64_t total = 0;

	report_zone_name(r, n, t);
	pzl_out_add(&r->o, ": ");
	for (uint32_t k = 0; k < r->m->orders; k++) {
		char letters[PZL_MIGRATE_TYPES + 1];
		unsigned int at = 0;
		uint64_t sum = 0;

		for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++) {
			sum += z->order[k][y];
			if (z->order[k][y])
				letters[at++] = "UMEHCI"[y];
		}
		letters[at] = 0;
		total += sum << k;
		pzl_out_add(&r->o, "%llu*%llukB ", (pzl_ull)sum, report_kb(r, (uint64_t)1 << k));
		if (sum)
			pzl_out_add(&r->o, "(%s) ", letters);
	}
	pzl_out_line(&r->o, "= %llukB", report_kb(r, total));
}

static void report_huge(struct report *r, const struct pzl_mem_node *n)
{
	for (uint32_t i = 0; i < r->m->huge_sizes; i++)
		pzl_out_line(&r->o,
			     "Node %d hugepages_total=%llu hugepages_free=%llu hugepages_surp=%llu "
			     "hugepages_size=%llukB",
			     n->nid, (pzl_ull)n->huge[i].total, (pzl_ull)n->huge[i].free,
			     (pzl_ull)n->huge[i].surplus, (pzl_ull)r->m->huge_kb[i]);
}

static void report_end(struct report *r)
{
	const struct pzl_meminfo *m = r->m;
	uint64_t ram = 0, high = 0, managed = 0;
	struct pzl_out *o = &r->o;

	pzl_out_line(o, "%llu total pagecache pages", report_nodes(r, PZL_NS_FILE_PAGES));
	if (m->shows & PZL_MI_SWAP) {
		pzl_out_line(o, "%llu pages in swap cache", (pzl_ull)m->swap_cache);
		pzl_out_line(o, "Free swap  = %llukB", report_kb(r, m->swap_free));
		pzl_out_line(o, "Total swap = %llukB", report_kb(r, m->swap_total));
	}
	for (uint32_t i = 0; i < m->nodes; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pzl_mem_zone *z = &m->node[i].zone[t];

			ram += z->present;
			managed += z->managed;
			if (t == PZ_ZONE_HIGHMEM || (t == PZ_ZONE_MOVABLE && m->movable_highmem))
				high += z->present;
		}
	}
	pzl_out_line(o, "%llu pages RAM", (pzl_ull)ram);
	pzl_out_line(o, "%llu pages HighMem/MovableOnly", (pzl_ull)high);
	pzl_out_line(o, "%llu pages reserved", (pzl_ull)(ram - managed));
	if (m->shows & PZL_MI_TOTAL_CMA)
		pzl_out_line(o, "%llu pages cma reserved", (pzl_ull)m->total_cma);
	if (m->shows & PZL_MI_HWPOISON)
		pzl_out_line(o, "%llu pages hwpoisoned", (pzl_ull)m->hwpoisoned);
}

/* 5.15 has a line for every node, later ones only where the request could be served. */
static bool report_has_node(const struct report *r, const struct pzl_mem_node *n)
{
	if (n->hidden)
		return false;
	if (r->m->model == PZL_LINUX_5_15)
		return true;
	for (unsigned int t = 0; t <= r->highest; t++)
		if (n->zone[t].managed)
			return true;
	return false;
}

bool pzl_failure_silent(const struct pzl_meminfo *m, uint32_t gfp)
{
	bool managed = false;

	for (uint32_t i = 0; i < m->nodes; i++)
		managed = managed || m->node[i].zone[PZ_ZONE_DMA].managed;
	return pzl_alloc_prints(m->model, gfp, managed) != PZL_PRINTS;
}

void pzl_print_failure_line(const struct pzl_meminfo *m, const struct pzl_failure *f,
			    pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };
	char names[512] = "";

	if (f->gfp)
		(void)pzl_gfp_format(names, sizeof(names), f->gfp, m->model);
	pzl_out_add(&o, "%s: page allocation failure: order:%u, mode:0x%x(%s), nodemask=%s",
		    f->comm, f->order, f->gfp, names, f->nodemask ? f->nodemask : "(null)");
	if (f->cpuset)
		pzl_out_add(&o, ",cpuset=%s,mems_allowed=%s", f->cpuset,
			    f->mems_allowed ? f->mems_allowed : "");
	pzl_out_end(&o);
}

void pzl_print_mem_info(const struct pzl_meminfo *m, enum pz_zone_type highest, uint32_t cpu,
			pzl_emit_fn emit, void *ctx)
{
	struct report r = { m, highest, cpu, { { 0 }, 0, emit, ctx } };

	if (m->model == PZL_LINUX_5_15)
		r.highest = PZ_ZONE_TYPES - 1;
	pzl_out_line(&r.o, "Mem-Info:");
	report_sums(&r);
	for (uint32_t i = 0; i < m->nodes; i++)
		if (report_has_node(&r, &m->node[i]))
			report_node(&r, &m->node[i]);
	for (uint32_t i = 0; i < m->nodes; i++)
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			if (report_shows(&r, &m->node[i], t))
				report_zone(&r, &m->node[i], t);
	for (uint32_t i = 0; i < m->nodes; i++)
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			if (report_shows(&r, &m->node[i], t))
				report_orders(&r, &m->node[i], t);
	for (uint32_t i = 0; i < m->nodes; i++)
		if (!m->node[i].hidden)
			report_huge(&r, &m->node[i]);
	report_end(&r);
}
