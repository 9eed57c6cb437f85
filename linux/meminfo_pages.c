/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meminfo_pages.c - the state of memory from our page allocator.
 *
 * Concept: the allocator gives what changes; what it does not know stays as the caller has set it.
 *
 * Invariants: none of its own.
 *
 * Failure: an allocator that does not fit the state is refused before anything is written.
 *
 * Shortcomings: the allocator tells what its per-CPU caches hold as one number for each zone.
 */
#include <physzone/linux/meminfo.h>

static struct pzl_mem_zone *mip_find(const struct pzl_meminfo *m, const struct pz_area_stat *a)
{
	for (uint32_t i = 0; i < m->nodes; i++)
		if (m->node[i].nid == a->nid && a->type < PZ_ZONE_TYPES)
			return &m->node[i].zone[a->type];
	return NULL;
}

/* Linux's number of a mobility. */
static unsigned int mip_type(unsigned int mobility)
{
	return mobility < PZL_MIGRATE_TYPES ? mobility : PZ_MOVABLE;
}

static void mip_area(const struct pzl_meminfo *m, struct pzl_mem_zone *z,
		     const struct pz_area_stat *a)
{
	for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++) {
		z->blocks[y] = 0;
		for (unsigned int k = 0; k < PZ_PAGE_ORDERS; k++)
			z->order[k][y] = 0;
	}
	for (unsigned int y = 0; y < PZ_MOBILITIES; y++) {
		z->blocks[mip_type(y)] += a->blocks[y];
		for (uint32_t k = 0; k < m->orders; k++)
			z->order[k][mip_type(y)] += a->order[k][y];
	}
	z->stat[PZL_ZS_FREE_PAGES] = a->free;
	z->stat[PZL_ZS_FREE_CMA] = a->free_cma;
	z->reserved_highatomic = a->highatomic;
	for (uint32_t c = 0; c < m->cpus; c++)
		z->pcp[c].count = 0;
	z->pcp[0].count = a->held > UINT32_MAX ? UINT32_MAX : (uint32_t)a->held;
}

int pzl_meminfo_from_pages(struct pzl_meminfo *m, const struct pz_pages *p)
{
	uint32_t areas = pz_page_areas(p);
	struct pz_area_stat a;

	for (uint32_t pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < areas; i++) {
			struct pzl_mem_zone *z;

			/* the first pass only looks for the area: no blocks are counted */
			pz_page_area_stat(p, i, pass ? m->orders - 1 : 0, &a);
			z = mip_find(m, &a);
			if (!z)
				return -PZ_EINVAL;
			if (pass)
				mip_area(m, z, &a);
		}
	}
	return 0;
}
