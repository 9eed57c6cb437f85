/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_slab.c - tables from a cache with a limit.
 *
 * Concept: small tables are objects of 1 KiB, aligned to it, of a cache of their own, so that its
 * numbers are those of the tables. It shares its slabs with no other cache.
 *
 * Invariant: the objects out of the cache are the small tables.
 *
 * Failure: that of the caches.
 *
 * Shortcomings
 *  With red zones and records of users a table takes up to 3 KiB of a slab, for the next begins at
 * a multiple of 1 KiB.
 */
#include "mem_internal.h"

struct mem_slab {
	struct pz_table_source base;
	struct pz_slabs *slabs;
	struct pz_kmem_cache *cache;
};

static struct mem_slab *mem_slab(const struct pz_table_source *s)
{
	return (struct mem_slab *)(uintptr_t)s;
}

static int mem_slab_small(struct pz_table_source *s, uint32_t cpu, uint32_t gfp,
			  struct pz_table *out)
{
	struct mem_slab *m = mem_slab(s);
	int rc = 0;

	out->cpu_addr = pz_kmem_cache_alloc(m->cache, cpu, gfp);
	/* It does not say why not: once more. */
	if (!out->cpu_addr)
		rc = pz_kmem_cache_alloc_node(m->cache, cpu, gfp, PZ_NID_NONE, &out->cpu_addr);
	if (!rc)
		out->addr = pz_slab_phys(m->slabs, out->cpu_addr);
	return rc;
}

static void mem_slab_small_back(struct pz_table_source *s, uint32_t cpu, const struct pz_table *t)
{
	pz_kmem_cache_free(mem_slab(s)->cache, cpu, t->cpu_addr);
}

static uint64_t mem_slab_trim(struct pz_table_source *s, uint32_t cpu)
{
	return pz_kmem_cache_shrink(mem_slab(s)->cache, cpu) << s->page_shift;
}

static void mem_slab_stat(const struct pz_table_source *s, struct pz_table_stat *out)
{
	struct pz_kmem_cache_stat now;

	pz_kmem_cache_stat(mem_slab(s)->cache, &now);
	out->small = now.active;
	out->held = now.pages << s->page_shift;
}

static int mem_slab_check(const struct pz_table_source *s)
{
	return pz_slabs_check(mem_slab(s)->slabs);
}

static int mem_slab_close(struct pz_table_source *s)
{
	return pz_kmem_cache_destroy(mem_slab(s)->cache, NULL, NULL);
}

static const struct mem_ops mem_slab_ops = {
	.small = mem_slab_small,
	.small_back = mem_slab_small_back,
	.large = pz_mem_large,
	.large_back = pz_mem_large_back,
	.trim = mem_slab_trim,
	.stat = mem_slab_stat,
	.check = mem_slab_check,
	.close = mem_slab_close,
};

int pz_table_slab_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			 struct pz_slabs *slabs, uint32_t debug, const char **why)
{
	struct pz_kmem_cache_config cache;
	struct pz_table_source *s;
	int rc;

	if (!slabs)
		return pz_mem_wrong(why, -PZ_EINVAL, "there is no set of caches");
	rc = pz_mem_make(&s, cfg, &mem_slab_ops, sizeof(struct mem_slab), why);
	if (rc)
		return rc;
	memset(&cache, 0, sizeof(cache));
	cache.name = "iommu-tables";
	cache.size = cache.align = PZ_TABLE_SMALL;
	cache.limits = s->cfg.limits;
	cache.flags = PZ_SLAB_NO_MERGE;
	cache.debug = debug;
	mem_slab(s)->slabs = slabs;
	rc = pz_kmem_cache_create(&mem_slab(s)->cache, slabs, &cache, why);
	if (rc)
		pz_mem_drop(s);
	else
		*out = s;
	return rc;
}
