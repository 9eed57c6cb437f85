/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects.c - page tables of 1 KiB below 16 MiB, from a cache with a limit, on a machine of 32 MiB.
 *
 * What a kernel does at start-up: memory, zones, the page allocator, object caches, kmalloc. Here
 * the machine's memory is a piece of this process's.
 */
#include <physzone/kmalloc.h>

#include <stdio.h>
#include <stdlib.h>

#define MIB ((uint64_t)1 << 20)
#define BYTES (32 * MIB)
#define ALIGN ((size_t)1 << 16) /* as much as anybody asks for */

static void *meta_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static void report(void *ctx, const char *text)
{
	(void)ctx;
	printf("told:  %s\n", text);
}

static int fail(const char *what, int rc)
{
	fprintf(stderr, "objects: %s: %d\n", what, rc);
	return 1;
}

int main(void)
{
	struct pz_meta meta = { meta_alloc, meta_free, NULL };
	struct pz_bugs bugs = { PZ_BUG_REPORT, NULL, report, NULL, NULL, 0 };
	struct pz_zone_config zones_cfg = { 0 };
	struct pz_page_config pages_cfg = { 0 };
	struct pz_slabs_config slabs_cfg = { 0 };
	struct pz_kmem_cache_config table_cfg = { 0 };
	struct pz_kmalloc_config kmalloc_cfg = { 0 };
	struct pz_limits low = PZ_LIMITS_BITS(24);
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_pages *pages;
	struct pz_slabs *slabs;
	struct pz_kmem_cache *tables;
	struct pz_kmem_cache_stat st;
	struct pz_kmalloc *kmalloc;
	const char *why = "";
	void *table, *buffer, *any;
	int rc;

	/* Memory from 0 to 32 MiB, in one zone: limits need none. */
	zones_cfg.configured = 1u << PZ_ZONE_NORMAL;
	zones_cfg.page_shift = 12;
	zones_cfg.max_order_pages = 1024;
	zones_cfg.max_pfn[PZ_ZONE_NORMAL] = BYTES >> 12;
	rc = pz_memblock_init(&mb, &meta, 12);
	if (!rc)
		rc = pz_memblock_add(&mb, 0, BYTES, 0, 0);
	if (!rc)
		rc = pz_zones_build(&zones, &meta, &mb, &zones_cfg);
	if (!rc)
		rc = pz_zones_set_managed(&zones, &mb, UINT64_MAX);
	if (rc)
		return fail("layout", rc);
	pages_cfg.meta = &meta;
	pages_cfg.zones = &zones;
	pages_cfg.memblock = &mb;
	pages_cfg.max_pfn = UINT64_MAX;
	pages_cfg.cpus = 1;
	pages_cfg.bugs = &bugs;
	rc = pz_pages_create(&pages, &pages_cfg);
	if (rc)
		return fail("pages", rc);

	/* Object caches want to know where memory is mapped. */
	slabs_cfg.pages = pages;
	slabs_cfg.zones = &zones;
	slabs_cfg.meta = &meta;
	slabs_cfg.mapped.last = BYTES - 1;
	slabs_cfg.virt = aligned_alloc(ALIGN, BYTES);
	slabs_cfg.page_shift = 12;
	slabs_cfg.cpus = 1;
	slabs_cfg.seed = 0x243f6a8885a308d3; /* better a number that nobody can guess */
	slabs_cfg.bugs = &bugs;
	if (!slabs_cfg.virt)
		return fail("memory", -PZ_ENOMEM);
	rc = pz_slabs_create(&slabs, &slabs_cfg);
	if (rc)
		return fail("slabs", rc);

	/* A cache with a limit: any limit will do. */
	table_cfg.name = "io-page-tables";
	table_cfg.size = table_cfg.align = 1024;
	table_cfg.limits = low;
	rc = pz_kmem_cache_create(&tables, slabs, &table_cfg, &why);
	if (rc)
		return fail(why, rc);
	table = pz_kmem_cache_alloc(tables, 0, PZ_GFP_ZERO);
	printf("table: below 16 MiB: %s, aligned to 1 KiB: %s\n",
	       table && pz_slab_phys(slabs, table) < 16 * MIB ? "yes" : "no",
	       table && !(pz_slab_phys(slabs, table) & 1023) ? "yes" : "no");
	pz_kmem_cache_stat(tables, &st);
	printf("cache: %u objects of %u bytes in a slab of %u pages\n", st.layout.objects, st.size,
	       1u << st.layout.order);

	/* kmalloc, without a limit, and with one for this request alone. */
	kmalloc_cfg.slabs = slabs;
	rc = pz_kmalloc_create(&kmalloc, &kmalloc_cfg, &why);
	if (rc)
		return fail(why, rc);
	any = pz_kmalloc(kmalloc, 0, 0, 100);
	rc = pz_kmalloc_limited(slabs, 0, 0, 5000, &low, &buffer);
	if (!any || rc)
		return fail("kmalloc", rc);
	printf("bytes: %llu for 100, %llu for 5000 below 16 MiB\n",
	       (unsigned long long)pz_ksize(slabs, any),
	       (unsigned long long)pz_ksize(slabs, buffer));

	/* What must not happen is told, and nothing happens. */
	pz_kfree(slabs, 0, any);
	pz_kfree(slabs, 0, any);

	pz_kfree(slabs, 0, buffer);
	pz_kmem_cache_free(tables, 0, table);
	rc = pz_kmem_cache_destroy(tables, NULL, NULL);
	if (!rc)
		rc = pz_kmalloc_destroy(kmalloc);
	if (!rc)
		rc = pz_slabs_destroy(slabs);
	if (rc)
		return fail("something is in use", rc);
	pz_pages_destroy(pages);
	pz_zones_destroy(&zones);
	pz_memblock_destroy(&mb);
	free(slabs_cfg.virt);
	return bugs.count == 1 ? 0 : fail("misuse was not told once", (int)bugs.count);
}
