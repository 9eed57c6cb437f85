/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meminfo_proc.c - /proc/zoneinfo, /proc/buddyinfo and /proc/pagetypeinfo.
 *
 * Concept: one pass over nodes and zones for each, in Linux's order. zoneinfo has every zone that
 * is configured, the others only those with memory; the counters of a node stand under its first
 * zone with memory.
 *
 * Invariants: none to keep; nothing is stored.
 *
 * Failure: none.
 *
 * Shortcomings: pagetypeinfo of a kernel with page_owner=on has mixed blocks, which are left out.
 */
#include <physzone/linux/arch.h>
#include <physzone/linux/meminfo.h>

#include "pzl_out.h"

/* pagetypeinfo stops counting here. */
#define PROC_COUNT_MAX 100000u

static bool proc_has_zone(const struct pzl_meminfo *m, unsigned int t)
{
	return m->configured & PZL_ZONE_BIT(t);
}

static bool proc_populated(const struct pzl_meminfo *m, const struct pzl_mem_node *n,
			   unsigned int t)
{
	return proc_has_zone(m, t) && n->zone[t].present;
}

static void proc_node_stats(const struct pzl_meminfo *m, const struct pzl_mem_node *n,
			    struct pzl_out *o)
{
	pzl_out_line(o, "  per-node stats");
	for (unsigned int s = 0; s < PZL_NODE_STATS; s++) {
		uint64_t v = n->stat[s];

		if (!(m->node_stats & PZL_NS_BIT(s)))
			continue;
		if (s >= PZL_NS_SHMEM_HUGEPAGES && s <= PZL_NS_ANON_HUGEPAGES)
			v >>= m->thp_order;
		pzl_out_line(o, "      %-12s %llu", pzl_node_stat_name((enum pzl_node_stat)s),
			     (pzl_ull)v);
	}
}

static void proc_number(struct pzl_out *o, const char *name, uint64_t v)
{
	pzl_out_line(o, "        %-8s %llu", name, (pzl_ull)v);
}

static void proc_marks(const struct pzl_meminfo *m, const struct pzl_mem_zone *z,
		       struct pzl_out *o)
{
	const char *before = "";

	pzl_out_line(o, "  pages free     %llu", (pzl_ull)z->stat[PZL_ZS_FREE_PAGES]);
	if (m->shows & PZL_MI_BOOST)
		proc_number(o, "boost", z->boost);
	proc_number(o, "min", z->min);
	proc_number(o, "low", z->low);
	proc_number(o, "high", z->high);
	if (m->shows & PZL_MI_PROMO)
		proc_number(o, "promo", z->promo);
	proc_number(o, "spanned", z->spanned);
	proc_number(o, "present", z->present);
	proc_number(o, "managed", z->managed);
	if (m->shows & PZL_MI_CMA)
		proc_number(o, "cma", z->cma);
	pzl_out_add(o, "        protection: (");
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (!proc_has_zone(m, t))
			continue;
		pzl_out_add(o, "%s%llu", before, (pzl_ull)z->protection[t]);
		before = ", ";
	}
	pzl_out_line(o, ")");
}

static void proc_zone_rest(const struct pzl_meminfo *m, const struct pzl_mem_node *n,
			   const struct pzl_mem_zone *z, struct pzl_out *o)
{
	for (unsigned int s = 0; s < PZL_ZONE_STATS; s++)
		if (m->zone_stats & PZL_ZS_BIT(s))
			pzl_out_line(o, "      %-12s %llu",
				     pzl_zone_stat_name((enum pzl_zone_stat)s),
				     (pzl_ull)z->stat[s]);
	pzl_out_line(o, "  pagesets");
	for (uint32_t c = 0; c < m->cpus; c++) {
		const struct pzl_mem_pcp *p = &z->pcp[c];

		pzl_out_line(o, "    cpu: %u", p->cpu);
		pzl_out_line(o, "              count: %u", p->count);
		pzl_out_line(o, "              high:  %u", p->high);
		pzl_out_line(o, "              batch: %u", p->batch);
		if (m->shows & PZL_MI_SMP)
			pzl_out_line(o, "  vm stats threshold: %u", p->threshold);
	}
	pzl_out_line(o, "  node_unreclaimable:  %u", n->unreclaimable ? 1u : 0u);
	pzl_out_line(o, "  start_pfn:           %llu", (pzl_ull)z->start_pfn);
}

void pzl_print_zoneinfo(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	for (uint32_t i = 0; i < m->nodes; i++) {
		const struct pzl_mem_node *n = &m->node[i];
		bool first = true;

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pzl_mem_zone *z = &n->zone[t];

			if (!proc_has_zone(m, t))
				continue;
			pzl_out_line(&o, "Node %d, zone %8s", n->nid,
				     pz_zone_name((enum pz_zone_type)t));
			if (z->present && first) {
				proc_node_stats(m, n, &o);
				first = false;
			}
			proc_marks(m, z, &o);
			if (z->present)
				proc_zone_rest(m, n, z, &o);
		}
	}
}

void pzl_print_buddyinfo(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	for (uint32_t i = 0; i < m->nodes; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (!proc_populated(m, &m->node[i], t))
				continue;
			pzl_out_add(&o, "Node %d, zone %8s ", m->node[i].nid,
				    pz_zone_name((enum pz_zone_type)t));
			for (uint32_t k = 0; k < m->orders; k++) {
				uint64_t sum = 0;

				for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++)
					sum += m->node[i].zone[t].order[k][y];
				pzl_out_add(&o, "%6llu ", (pzl_ull)sum);
			}
			pzl_out_end(&o);
		}
	}
}

static void proc_free_by_type(const struct pzl_meminfo *m, const struct pzl_mem_node *n,
			      struct pzl_out *o)
{
	pzl_out_add(o, "%-43s ", "Free pages count per migrate type at order");
	for (uint32_t k = 0; k < m->orders; k++)
		pzl_out_add(o, "%6u ", k);
	pzl_out_end(o);
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++) {
			if (!proc_populated(m, n, t) || !(m->migrate_types & 1u << y))
				continue;
			pzl_out_add(o, "Node %4d, zone %8s, type %12s ", n->nid,
				    pz_zone_name((enum pz_zone_type)t), pzl_migrate_type_name(y));
			for (uint32_t k = 0; k < m->orders; k++) {
				uint64_t v = n->zone[t].order[k][y];

				if (v >= PROC_COUNT_MAX)
					pzl_out_add(o, ">%6u ", PROC_COUNT_MAX);
				else
					pzl_out_add(o, "%6llu ", (pzl_ull)v);
			}
			pzl_out_end(o);
		}
	}
}

void pzl_print_pagetypeinfo(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	for (uint32_t i = 0; i < m->nodes; i++) {
		const struct pzl_mem_node *n = &m->node[i];
		bool memory = false;

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			memory = memory || proc_populated(m, n, t);
		if (!memory)
			continue;
		pzl_out_line(&o, "Page block order: %u", m->pageblock_order);
		pzl_out_line(&o, "Pages per block:  %llu", (pzl_ull)1 << m->pageblock_order);
		pzl_out_end(&o);
		proc_free_by_type(m, n, &o);
		pzl_out_end(&o);
		pzl_out_add(&o, "%-23s", "Number of blocks type ");
		for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++)
			if (m->migrate_types & 1u << y)
				pzl_out_add(&o, "%12s ", pzl_migrate_type_name(y));
		pzl_out_end(&o);
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (!proc_populated(m, n, t))
				continue;
			pzl_out_add(&o, "Node %d, zone %8s ", n->nid,
				    pz_zone_name((enum pz_zone_type)t));
			for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++)
				if (m->migrate_types & 1u << y)
					pzl_out_add(&o, "%12llu ", (pzl_ull)n->zone[t].blocks[y]);
			pzl_out_end(&o);
		}
	}
}
