/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_machine.c - lay out a machine with memory, and make its caches.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness.h"
#include "slab_machine.h"

#define GIB ((uint64_t)1 << 30)
#define PART GIB	/* of memory, below and above */
#define ABOVE (4 * GIB) /* where the upper one begins */
#define END (ABOVE + PART)
#define ALIGN ((uint64_t)4 << 20)
#define SHIFT 12u

static void *slab_machine_small(void *ctx, size_t size)
{
	(void)ctx;
	return aligned_alloc(64, (size + 64) & ~(size_t)63);
}

static void slab_machine_small_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static void *slab_machine_zeroed(void *ctx, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)ctx;
	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static void slab_machine_zeroed_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	munmap(p, size);
}

static const struct pz_meta slab_machine_meta = { slab_machine_small, slab_machine_small_free,
						  NULL };
static const struct pz_meta slab_machine_zero = { slab_machine_zeroed, slab_machine_zeroed_free,
						  NULL };

static void slab_machine_panic(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "bench: %s\n", text);
	abort();
}

static bool slab_machine_arena(struct slab_machine *m)
{
	m->map = mmap(NULL, END + ALIGN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		return false;
	}
	m->arena = (unsigned char *)(((uintptr_t)m->map + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
	madvise(m->arena, PART, MADV_HUGEPAGE);
	madvise(m->arena + ABOVE, PART, MADV_HUGEPAGE);
	return true;
}

/* Set a contiguous area aside below, once the memory is known. */
static int slab_machine_reserve(struct slab_machine *m, uint64_t bytes)
{
	struct pz_cma_req req = { .name = "bench", .size = bytes, .limit = PART };

	req.nid = PZ_NID_NONE;
	return bytes ? pz_cma_reserve(&m->mb, &req, (uint64_t)2 << 20, &m->area) : 0;
}

static int slab_machine_pages(struct slab_machine *m, uint64_t area)
{
	struct pz_zone_config zones = { 0 };
	struct pz_page_config pages = { 0 };
	int rc;

	zones.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	zones.page_shift = SHIFT;
	zones.max_order_pages = 1024;
	zones.max_pfn[PZ_ZONE_NORMAL] = END >> SHIFT;
	rc = pz_memblock_init(&m->mb, &slab_machine_meta, SHIFT);
	if (rc)
		return rc;
	rc = pz_memblock_add(&m->mb, 0, PART, 0, 0);
	if (!rc)
		rc = pz_memblock_add(&m->mb, ABOVE, PART, 0, 0);
	if (!rc)
		rc = slab_machine_reserve(m, area);
	if (!rc)
		rc = pz_zones_build(&m->zones, &slab_machine_meta, &m->mb, &zones);
	if (!rc)
		rc = pz_zones_set_managed(&m->zones, &m->mb, UINT64_MAX);
	if (rc)
		return rc;
	m->bugs.policy = PZ_BUG_PANIC;
	m->bugs.panic = slab_machine_panic;
	pages.meta = &slab_machine_meta;
	pages.zeroed = &slab_machine_zero;
	pages.zones = &m->zones;
	pages.memblock = &m->mb;
	pages.max_pfn = UINT64_MAX;
	pages.cpus = BENCH_THREADS;
	pages.bugs = &m->bugs;
	rc = pz_pages_create(&m->pages, &pages);
	return rc || !area ? rc : pz_cma_activate(m->pages, &m->area, &m->area_id);
}

static int slab_machine_slabs(struct slab_machine *m, const char **why)
{
	struct pz_slabs_config slabs = { 0 };
	struct pz_kmalloc_config kmalloc = { 0 };
	int rc;

	slabs.pages = m->pages;
	slabs.zones = &m->zones;
	slabs.meta = &slab_machine_meta;
	slabs.zeroed = &slab_machine_zero;
	slabs.mapped.last = END - 1;
	slabs.virt = m->arena;
	slabs.page_shift = SHIFT;
	slabs.cpus = BENCH_THREADS;
	slabs.seed = 0x1234567890abcdefu;
	slabs.bugs = &m->bugs;
	rc = pz_slabs_create(&m->slabs, &slabs);
	if (rc)
		return rc;
	kmalloc.slabs = m->slabs;
	return pz_kmalloc_create(&m->kmalloc, &kmalloc, why);
}

bool slab_machine_make_area(struct slab_machine *m, uint64_t area)
{
	const char *why = "";
	int rc = -PZ_ENOMEM;

	memset(m, 0, sizeof(*m));
	if (slab_machine_arena(m)) {
		rc = slab_machine_pages(m, area);
		if (!rc)
			rc = slab_machine_slabs(m, &why);
	}
	if (!rc)
		return true;
	fprintf(stderr, "bench: no object caches: error %d %s\n", rc, why);
	slab_machine_free(m);
	return false;
}

bool slab_machine_make(struct slab_machine *m)
{
	return slab_machine_make_area(m, 0);
}

void slab_machine_free(struct slab_machine *m)
{
	int broken = m->slabs ? pz_slabs_check(m->slabs) : 0;

	if (broken)
		fprintf(stderr, "bench: the caches' invariant %d does not hold\n", broken);
	if (m->kmalloc && pz_kmalloc_destroy(m->kmalloc))
		fprintf(stderr, "bench: kmalloc() memory is still out\n");
	if (m->slabs && pz_slabs_destroy(m->slabs))
		fprintf(stderr, "bench: a cache is still there\n");
	pz_pages_destroy(m->pages);
	pz_zones_destroy(&m->zones);
	pz_memblock_destroy(&m->mb);
	if (m->map)
		munmap(m->map, END + ALIGN);
	memset(m, 0, sizeof(*m));
}

struct pz_kmem_cache *slab_machine_cache(struct slab_machine *m, const char *name, size_t size,
					 unsigned int bits, uint32_t flags, uint32_t debug)
{
	struct pz_kmem_cache_config c = { 0 };
	struct pz_kmem_cache *out;
	const char *why = "";
	int rc;

	c.name = name;
	c.size = (uint32_t)size;
	c.align = c.size & (~c.size + 1);
	c.flags = PZ_SLAB_NO_MERGE | flags;
	c.debug = debug;
	if (bits)
		c.limits = pz_limits_bits(bits);
	rc = pz_kmem_cache_create(&out, m->slabs, &c, &why);
	if (!rc)
		return out;
	fprintf(stderr, "bench: no cache %s: error %d %s\n", name, rc, why);
	return NULL;
}
