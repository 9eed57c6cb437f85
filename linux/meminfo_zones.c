/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meminfo_zones.c - the state of memory from our zones.
 *
 * Concept: zones give what stands still once a machine has booted.
 *
 * Invariants: none of its own.
 *
 * Failure: as pzl_meminfo_init(), which does all that can fail.
 *
 * Shortcomings: on machines with gigantic pages, kernels show smaller thresholds of counters.
 */
#include <physzone/linux/arch.h>
#include <physzone/linux/meminfo.h>

#include "../src/base/bits.h"

#define MIZ_THRESHOLD_MAX 125u

static uint32_t miz_fls(uint64_t v)
{
	return v ? pz_fls64(v) + 1 : 0;
}

/* How far a CPU's counter runs before it is added to the zone's: more with CPUs and memory. */
static uint32_t miz_threshold(uint64_t managed, uint32_t page_shift, uint32_t cpus)
{
	uint32_t t = 2 * miz_fls(cpus) * (1 + miz_fls(managed >> (27 - page_shift)));

	return t < MIZ_THRESHOLD_MAX ? t : MIZ_THRESHOLD_MAX;
}

static void miz_zone(struct pzl_meminfo *m, struct pzl_mem_zone *to, const struct pz_zone *from)
{
	to->min = from->min;
	to->low = from->low;
	to->high = from->high;
	to->promo = from->high + (from->high - from->low);
	to->spanned = from->spanned;
	to->present = from->present;
	to->managed = from->managed;
	to->cma = from->cma;
	to->start_pfn = from->start_pfn;
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
		to->protection[t] = from->reserve[t];
	for (uint32_t c = 0; c < m->cpus; c++) {
		to->pcp[c].high = from->pcp_high;
		to->pcp[c].batch = from->pcp_batch;
		to->pcp[c].threshold = miz_threshold(from->managed, m->page_shift, m->cpus);
	}
	m->total_cma += from->cma;
}

int pzl_meminfo_from_zones(struct pzl_meminfo *m, const struct pz_meta *meta, enum pzl_model model,
			   const struct pz_zones *z, uint32_t cpus)
{
	int err = pzl_meminfo_init(m, meta, model, z->node_count, cpus);

	if (err)
		return err;
	m->configured = z->cfg.configured;
	if (z->cfg.max_order_pages)
		m->orders = pz_fls64(z->cfg.max_order_pages) + 1;
	if (m->orders > PZ_PAGE_ORDERS)
		m->orders = PZ_PAGE_ORDERS;
	pzl_meminfo_set_page_shift(m, z->cfg.page_shift);
	m->movable_highmem = z->movable_host == PZ_ZONE_HIGHMEM;
	for (uint32_t i = 0; i < m->nodes; i++) {
		m->node[i].nid = z->node[i].nid;
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			miz_zone(m, &m->node[i].zone[t], &z->node[i].zone[t]);
	}
	if (m->total_cma) {
		m->shows |= PZL_MI_TOTAL_CMA;
		m->migrate_types |= 1u << PZ_CMA;
	}
	return 0;
}
