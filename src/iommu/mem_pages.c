/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_pages.c - tables that are whole pages, each.
 *
 * Concept: nothing is kept, so nothing has to be given back. The price is a page of 4 KiB or more
 * for a table of 1 KiB, and one of 64 KiB on machines with such pages.
 *
 * Invariant: as many pages as there are small tables are out.
 *
 * Failure: that of the page allocator.
 */
#include "mem_internal.h"

struct mem_paged {
	struct pz_table_source base;
	uint64_t small; /* tables out */
};

static struct mem_paged *mem_paged(const struct pz_table_source *s)
{
	return (struct mem_paged *)(uintptr_t)s;
}

static int mem_pages_small(struct pz_table_source *s, uint32_t cpu, uint32_t gfp,
			   struct pz_table *out)
{
	int rc = pz_mem_pages(s, cpu, gfp, 0, &out->addr);

	if (rc)
		return rc;
	out->cpu_addr = mem_virt(s, out->addr);
	pz_count64(&mem_paged(s)->small, 1);
	return 0;
}

static void mem_pages_small_back(struct pz_table_source *s, uint32_t cpu, const struct pz_table *t)
{
	pz_mem_pages_back(s, cpu, 0, t->addr);
	pz_count64(&mem_paged(s)->small, UINT64_MAX);
}

static void mem_pages_stat(const struct pz_table_source *s, struct pz_table_stat *out)
{
	out->small = pz_load64(&mem_paged(s)->small);
	out->held = out->small << s->page_shift;
}

static const struct mem_ops mem_pages_ops = {
	.small = mem_pages_small,
	.small_back = mem_pages_small_back,
	.large = pz_mem_large,
	.large_back = pz_mem_large_back,
	.stat = mem_pages_stat,
};

int pz_table_pages_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			  const char **why)
{
	return pz_mem_make(out, cfg, &mem_pages_ops, sizeof(struct mem_paged), why);
}
