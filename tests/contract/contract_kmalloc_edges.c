/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_kmalloc_edges.c - memory of any size at the edges: families with damaged objects, zone
 * flags of what stays where it is, boundaries of the DMA limit, address 0, places of mapped memory.
 */
#include "slab_machine.h"
#include "suites_decl.h"

/* What is fenced off does not count as out. */
static void ke_fenced(struct tap *t)
{
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmem_cache_stat st;
	struct pz_kmalloc *k;
	struct slab_machine m;
	unsigned char *p;
	void *q;

	if (!sm_simple(&m, t))
		return;
	cfg.slabs = m.s;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	p = pz_kmalloc(k, 0, 0, 64);
	pz_kfree(m.s, 0, p);
	for (uint32_t i = 0; i < 64; i++)
		p[i] ^= 0x5a;
	q = pz_kmalloc(k, 0, 0, 64);
	pz_kmem_cache_stat(pz_kmalloc_cache(k, 0, 64), &st);
	CHECK(t, q && q != p && sm_found(&m, PZ_SLAB_SEAL) == 1 && st.fenced == 1);
	CHECK_NAMED(t, pz_kmalloc_destroy(k) == -PZ_EBUSY, "a family with an object out stays");
	pz_kfree(m.s, 0, q);
	if (!CHECK_NAMED(t, pz_kmalloc_destroy(k) == 0,
			 "a family goes though an object of it is fenced off"))
		return;
	sm_close(&m);
}

/* What stays where it is obeys the zone flag all the same. */
static void ke_krealloc(struct tap *t)
{
	struct sm_plan plan = { 15 * PM_MIB, 0, 0, 0 };
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k, *plain;
	struct slab_machine m;
	void *p, *q, *high[64];
	uint32_t n = 0;

	if (!sm_lay_out_as(&m, t, &plan) || !sm_make(&m))
		return;
	cfg.slabs = m.s;
	cfg.sets = PZ_KMALLOC_DMA;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	cfg.sets = 0;
	cfg.name = "plain";
	CHECK(t, pz_kmalloc_create(&plain, &cfg, NULL) == 0);
	/* Memory above 16 MiB. */
	do {
		high[n] = pz_kmalloc(k, 0, 0, 8192);
	} while (pz_slab_phys(m.s, high[n]) < 16 * PM_MIB && ++n < 64);
	if (CHECK(t, n < 64)) {
		p = high[n];
		q = pz_krealloc(k, 0, PZ_GFP_DMA, p, 8000);
		CHECK_NAMED(t, q && q != p && pz_slab_phys(m.s, q) < 16 * PM_MIB,
			    "memory for DMA moves to where DMA reaches");
		high[n] = q ? q : p;
		CHECK_NAMED(t, pz_krealloc(k, 0, PZ_GFP_DMA, high[n], 7000) == high[n],
			    "and stays there");
		CHECK_NAMED(t, pz_krealloc(plain, 0, PZ_GFP_DMA, high[n], 7000) == NULL,
			    "a family without DMA caches refuses");
		CHECK_NAMED(t, pz_krealloc(k, 0, PZ_GFP_DMA32, high[n], 7000) == NULL,
			    "so it does a flag that it has no caches for");
		n++;
	}
	while (n)
		pz_kfree(m.s, 0, high[--n]);
	CHECK(t, pz_kmalloc_destroy(k) == 0 && pz_kmalloc_destroy(plain) == 0);
	sm_close(&m);
}

/* A smaller size never fails. */
static void ke_shrink(struct tap *t)
{
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k;
	struct slab_machine m;
	void *p, *q, *all = NULL;

	if (!sm_simple(&m, t))
		return;
	cfg.slabs = m.s;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	p = pz_kmalloc(k, 0, 0, 64 * PM_KIB);
	while ((q = pz_kmalloc(k, 0, PZ_GFP_NORETRY, 8192)) != NULL) {
		*(void **)q = all;
		all = q;
	}
	q = pz_krealloc(k, 0, 0, p, 8000);
	CHECK_NAMED(t, q == p, "what need not move does not fail for want of memory");
	pz_kfree(m.s, 0, q ? q : p);
	while (all) {
		q = all;
		all = *(void **)q;
		pz_kfree(m.s, 0, q);
	}
	CHECK(t, pz_kmalloc_destroy(k) == 0);
	sm_close(&m);
}

/* A boundary of the DMA limit leaves out classes, as one of the family does. */
static void ke_dma_boundary(struct tap *t)
{
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k = NULL;
	struct slab_machine m;
	struct pz_range r;
	void *p;

	if (!sm_lay_out(&m, t, 1))
		return;
	m.cfg.dma = PZ_LIMITS_BITS(24);
	m.cfg.dma.boundary = 1024;
	if (!sm_make(&m))
		return;
	cfg.slabs = m.s;
	cfg.sets = PZ_KMALLOC_DMA;
	if (CHECK_NAMED(t, pz_kmalloc_create(&k, &cfg, NULL) == 0,
			"a boundary of the DMA limit is no obstacle")) {
		CHECK(t, pz_kmalloc_try(k, 0, PZ_GFP_DMA, 600, 1, PZ_NID_NONE, &p) == 0);
		r.first = pz_slab_phys(m.s, p);
		r.last = r.first + 599;
		CHECK(t, pz_limits_check(&m.cfg.dma, r));
		pz_kfree(m.s, 0, p);
		CHECK(t, pz_kmalloc_cache(k, PZ_GFP_DMA, 2048) == NULL);
		CHECK(t, pz_kmalloc_cache(k, 0, 8192) != NULL);
		CHECK(t, pz_kmalloc_try(k, 0, PZ_GFP_DMA, 1025, 1, PZ_NID_NONE, &p) == -PZ_ERANGE);
		CHECK(t, pz_kmalloc_destroy(k) == 0);
	}
	sm_close(&m);
}

/* A set that was not asked for is refused, whatever is managed. */
static void ke_no_set(struct tap *t)
{
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k;
	struct slab_machine m;
	uint32_t before;
	void *p;

	if (!sm_simple(&m, t))
		return;
	cfg.slabs = m.s;
	cfg.dma_if_managed = true;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	before = (uint32_t)m.pm.bugs.count;
	CHECK_NAMED(t,
		    pz_kmalloc_try(k, 0, PZ_GFP_DMA, 64, 1, PZ_NID_NONE, &p) == -PZ_EINVAL &&
			    m.pm.bugs.count == before + 1,
		    "PZ_GFP_DMA without the set is misuse");
	CHECK(t, pz_kmalloc_destroy(k) == 0);
	sm_close(&m);
}

/* Memory that is mapped at address 0: no object may be there, for that is no answer. */
static void ke_null(struct tap *t)
{
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_kmem_cache *c = NULL;
	struct slab_machine m;

	if (!sm_lay_out(&m, t, 1))
		return;
	m.cfg.virt = NULL;
	if (!sm_make(&m))
		return;
	cfg.name = "null";
	cfg.size = 64;
	cfg.limits = PZ_LIMITS_ANY;
	cfg.limits.max_addr = SM_FIRST + 4095;
	CHECK_NAMED(t, pz_kmem_cache_create(&c, m.s, &cfg, NULL) == -PZ_ERANGE,
		    "the page at address 0 holds no objects");
	if (c)
		CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	CHECK(t, pz_slabs_destroy(m.s) == 0);
	m.s = NULL;
	m.cfg.mapped.last = m.cfg.mapped.first + 4095;
	CHECK(t, pz_slabs_create(&m.s, &m.cfg) == -PZ_EINVAL);
	sm_close(&m);
}

/* Memory whose addresses are less aligned than its physical ones. */
static void ke_askew(struct tap *t)
{
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k;
	struct slab_machine m;
	void *p = NULL;
	int rc;

	if (!sm_lay_out(&m, t, 1))
		return;
	m.cfg.virt = (unsigned char *)m.cfg.virt - 8192;
	m.cfg.mapped.first -= 16384;
	if (!sm_make(&m))
		return;
	cfg.slabs = m.s;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	rc = pz_kmalloc_try(k, 0, 0, 100, 16384, PZ_NID_NONE, &p);
	CHECK_NAMED(t, rc == -PZ_ERANGE, "an alignment that no address has is refused");
	if (!rc)
		pz_kfree(m.s, 0, p);
	CHECK(t, pz_kmalloc_destroy(k) == 0);
	sm_close(&m);
}

/* A boundary within a page, and no family for it. */
static void ke_small_boundary(struct tap *t)
{
	struct pz_limits l = pz_limits_any();
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k;
	struct slab_machine m;
	struct pz_range r;
	void *p;

	if (!sm_simple(&m, t))
		return;
	l.boundary = 64;
	if (CHECK_NAMED(t, pz_kmalloc_limited(m.s, 0, 0, 50, &l, &p) == 0,
			"a boundary that the size does not reach is kept by a page")) {
		r.first = pz_slab_phys(m.s, p);
		r.last = r.first + 49;
		CHECK(t, pz_limits_check(&l, r));
		pz_kfree(m.s, 0, p);
	}
	CHECK(t, pz_kmalloc_limited(m.s, 0, 0, 65, &l, &p) == -PZ_ERANGE);
	l.boundary = 8192;
	CHECK(t, pz_kmalloc_limited(m.s, 0, 0, 8193, &l, &p) == -PZ_ERANGE);
	/* The classes that keep the minimum alignment are larger than the boundary. */
	cfg.slabs = m.s;
	cfg.limits = l;
	cfg.limits.boundary = 64;
	cfg.min_align = 128;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	p = pz_kmalloc(k, 0, 0, 50);
	CHECK(t, p != NULL && pz_kmalloc(k, 0, 0, 65) == NULL);
	pz_kfree(m.s, 0, p);
	CHECK(t, pz_kmalloc_destroy(k) == 0);
	sm_close(&m);
}

/* What was freed has no size to change, wherever it waits. */
static void ke_stale(struct tap *t)
{
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k;
	struct slab_machine m;
	void *p;

	if (!sm_simple(&m, t))
		return;
	cfg.slabs = m.s;
	CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0);
	p = pz_kmalloc(k, 0, 0, 100);
	pz_kfree(m.s, 0, p);
	CHECK_NAMED(t,
		    pz_krealloc(k, 0, 0, p, 50) == NULL && sm_found(&m, PZ_SLAB_DOUBLE_FREE) == 1,
		    "memory that waits in a magazine is not given back by krealloc");
	CHECK(t, pz_krealloc(k, 0, 0, p, 500) == NULL && sm_found(&m, PZ_SLAB_DOUBLE_FREE) == 2);
	CHECK(t, pz_kmalloc_destroy(k) == 0);
	sm_close(&m);
}

/* Fault points are added as a whole or not at all. */
static void ke_points(struct tap *t)
{
	struct pz_fault_point v[2];
	struct pz_faults faults;
	struct slab_machine m;

	if (!sm_lay_out(&m, t, 1))
		return;
	pz_faults_init(&faults, v, 1);
	m.cfg.faults = &faults;
	CHECK(t, pz_slabs_create(&m.s, &m.cfg) == -PZ_ENOSPC);
	CHECK_NAMED(t, faults.count == 0, "a set that is not made adds no fault point");
	pz_faults_init(&faults, v, 2);
	CHECK(t, sm_make(&m) && faults.count == 2);
	CHECK(t, pz_slabs_destroy(m.s) == 0);
	CHECK_NAMED(t, sm_make(&m) && faults.count == 2, "another set uses the same points");
	sm_close(&m);
}

void contract_kmalloc_edges(struct tap *t)
{
	ke_small_boundary(t);
	ke_stale(t);
	ke_points(t);
	ke_fenced(t);
	ke_krealloc(t);
	ke_shrink(t);
	ke_dma_boundary(t);
	ke_no_set(t);
	ke_null(t);
	ke_askew(t);
}
