/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_slab_edges.c - object caches at the edges: the ends of slabs, nodes, boundaries, layouts
 * from elsewhere, other page sizes and places of memory, grace periods, sets of kmalloc().
 */
#include "slab_machine.h"
#include "suites_decl.h"

#define MANY 160u

static struct pz_kmem_cache *edge_cache(struct slab_machine *m, struct pz_kmem_cache_config *cfg)
{
	struct pz_kmem_cache *c = NULL;

	cfg->name = "edge";
	CHECK_NAMED(m->pm.t, pz_kmem_cache_create(&c, m->s, cfg, NULL) == 0, "a cache is made");
	return c;
}

/* An address behind the last object of a slab is none, however much it looks like one. */
static void edge_tail(struct tap *t)
{
	static const uint32_t sizes[] = { 64, 192, 320, 3000, 24 };
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_kmem_cache_stat st;
	struct pz_slab_info f;
	struct pz_kmem_cache *c;
	unsigned char *o, *end;
	uint32_t bad = 0, tried = 0, room;

	if (!sm_simple(&m, t))
		return;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		cfg.size = sizes[i];
		cfg.flags = PZ_SLAB_NO_MERGE | (i & 1 ? PZ_SLAB_RCU : 0);
		c = edge_cache(&m, &cfg);
		o = pz_kmem_cache_alloc(c, 0, 0);
		pz_kmem_cache_stat(c, &st);
		pz_slab_info(m.s, o, &f);
		end = o + (size_t)(st.layout.objects - f.index) * st.layout.stride;
		room = ((uint32_t)1 << (12 + st.layout.order)) -
		       st.layout.objects * st.layout.stride;
		if (room) {
			tried++;
			pz_kmem_cache_free(c, 0, end);
			pz_kfree(m.s, 0, end);
			bad += sm_found(&m, PZ_SLAB_BAD_POINTER) == 2 * tried;
		}
		pz_kmem_cache_free(c, 0, o);
		CHECK(t, pz_slabs_check(m.s) == 0);
		CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
		(void)pz_slab_grace_end(m.s, 0, pz_slab_grace_begin(m.s));
	}
	CHECK_NAMED(t, tried >= 3 && bad == tried, "a free behind the last object is found");
	sm_close(&m);
}

static void edge_nodes(struct tap *t)
{
	static const int32_t nid[2] = { 0, 1 };
	struct sm_plan plan = { 0, 2, 2, 0 };
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_kmem_cache *c;
	void *v[MANY], *o;
	uint64_t half = SM_FIRST + SM_BYTES / 2;
	bool near = true, other = true;
	uint32_t n = 0;

	if (!sm_lay_out_as(&m, t, &plan))
		return;
	m.cfg.cpu_nid = nid;
	if (!sm_make(&m))
		return;
	cfg.size = 512;
	c = edge_cache(&m, &cfg);
	for (; n < 40; n++) {
		int32_t want = n & 1 ? 0 : 1;
		int rc = pz_kmem_cache_alloc_node(c, 0, PZ_GFP_THISNODE, want, &v[n]);

		near = near && !rc && (pz_slab_phys(m.s, v[n]) >= half) == (want == 1);
	}
	CHECK_NAMED(t, near, "PZ_GFP_THISNODE keeps to the node");
	while (n)
		pz_kmem_cache_free(c, 0, v[--n]);
	/* The magazine of CPU 1 is full of objects of node 0 now. */
	for (; n < 20; n++)
		other = other && !pz_kmem_cache_alloc_node(c, 1, PZ_GFP_THISNODE, 0, &v[n]);
	while (n)
		pz_kmem_cache_free(c, 1, v[--n]);
	CHECK(t, other);
	other = pz_kmem_cache_alloc_node(c, 1, PZ_GFP_THISNODE, PZ_NID_NONE, &o) == 0 &&
		pz_slab_phys(m.s, o) >= half;
	CHECK_NAMED(t, other, "and without one to the CPU's");
	pz_kmem_cache_free(c, 1, o);
	CHECK_NAMED(t, pz_kmem_cache_alloc_node(c, 0, PZ_GFP_THISNODE, 7, &o) == -PZ_EINVAL,
		    "a node that is none has no objects");
	/* All of node 1 is used: strictly there is none, otherwise from node 0. */
	n = 0;
	{
		void *first = NULL;

		while (!pz_kmem_cache_alloc_node(c, 0, PZ_GFP_THISNODE, 1, &o)) {
			*(void **)o = first;
			first = o;
		}
		CHECK(t, pz_kmem_cache_alloc_node(c, 0, PZ_GFP_THISNODE, 1, &o) == -PZ_ENOMEM);
		CHECK_NAMED(t,
			    pz_kmem_cache_alloc_node(c, 0, 0, 1, &o) == 0 &&
				    pz_slab_phys(m.s, o) < half,
			    "a full node is no reason to fail");
		pz_kmem_cache_free(c, 0, o);
		while (first) {
			o = first;
			first = *(void **)o;
			pz_kmem_cache_free(c, 0, o);
		}
	}
	CHECK(t, pz_slabs_check(m.s) == 0 && m.findings == 0);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	sm_close(&m);
}

/* Whether all objects of a cache keep a boundary; the slab machine has room for 20. */
static bool edge_keeps(struct slab_machine *m, struct pz_kmem_cache_config *cfg)
{
	struct pz_kmem_cache *c = edge_cache(m, cfg);
	struct pz_limits l = cfg->limits;
	void *v[20];
	uint32_t n = 0;
	bool ok = true;

	l.align = cfg->align ? cfg->align : 1;
	while (n < 20 && (v[n] = pz_kmem_cache_alloc(c, 0, 0)) != NULL) {
		struct pz_range r = { pz_slab_phys(m->s, v[n]), 0 };

		r.last = r.first + cfg->size - 1;
		ok = ok && pz_limits_check(&l, r);
		n++;
	}
	ok = ok && n > 8;
	while (n)
		pz_kmem_cache_free(c, 0, v[--n]);
	return pz_kmem_cache_destroy(c, NULL, NULL) == 0 && ok;
}

static void edge_boundaries(struct tap *t)
{
	static const uint32_t sizes[] = {
		24, 40, 100, 600, 3000, 4096, 20000, 32764, 32768, 40000
	};
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	bool ok = true, tight = true;

	if (!sm_simple(&m, t))
		return;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (uint32_t b = 5; b < 18; b++) {
			if (sizes[i] > (uint32_t)1 << b)
				continue;
			for (uint32_t debug = 0; debug < 16; debug += 15) {
				cfg.size = sizes[i];
				cfg.align = i == 3 ? 2048 : 0;
				cfg.debug = debug;
				cfg.flags = debug ? 0 : PZ_SLAB_NO_MERGE;
				cfg.limits = pz_limits_any();
				cfg.limits.boundary = (uint64_t)1 << b;
				cfg.limits.max_addr = SM_FIRST + SM_BYTES - 1234;
				ok = edge_keeps(&m, &cfg) && ok;
			}
		}
	}
	CHECK_NAMED(t, ok, "no object crosses its boundary, with and without debug options");
	cfg.size = 100;
	cfg.align = 0;
	cfg.debug = PZ_SLAB_DEBUG_POISON;
	cfg.limits.boundary = (uint64_t)1 << 32;
	{
		struct pz_kmem_cache *c = edge_cache(&m, &cfg);
		struct pz_kmem_cache_stat st;

		pz_kmem_cache_stat(c, &st);
		tight = st.layout.stride < 128;
		CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	}
	CHECK_NAMED(t, tight, "a boundary that no slab crosses costs nothing");
	sm_close(&m);
}

static void edge_layouts(struct tap *t)
{
	static const struct pz_slab_layout good = { 64, 0, 56, 56, 0, 0, 64, 0, 64 };
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_slab_layout l = good;
	struct pz_kmem_cache *c;
	const char *why = NULL;
	uint32_t refused = 0, tries = 0;

	if (!sm_simple(&m, t))
		return;
	cfg.name = "given";
	cfg.size = 56;
	cfg.flags = PZ_SLAB_NO_MERGE;
	cfg.layout = &l;
	CHECK(t, pz_kmem_cache_create(&c, m.s, &cfg, &why) == 0);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
#define REFUSED(change)                                                                    \
	do {                                                                               \
		l = good;                                                                  \
		change;                                                                    \
		why = NULL;                                                                \
		tries++;                                                                   \
		refused += pz_kmem_cache_create(&c, m.s, &cfg, &why) == -PZ_EINVAL && why; \
	} while (0)
	REFUSED(l.stride = 0);
	REFUSED(l.stride = 62);
	REFUSED(l.stride = 48);
	REFUSED(l.red_left = 8);
	REFUSED(l.red_left = UINT32_MAX - 7);
	REFUSED(l.inuse = 40);
	REFUSED(l.inuse = UINT32_MAX);
	REFUSED(l.seal = 54);
	REFUSED(l.seal = UINT32_MAX - sizeof(void *) + 1);
	REFUSED(l.objects = 65);
	REFUSED(l.objects = 0);
	REFUSED(l.order = 11);
	REFUSED(l.order = UINT32_MAX);
	REFUSED(l.min_order = 1);
	REFUSED(l.min_objects = 0);
	REFUSED(l.min_objects = 65);
	cfg.debug = PZ_SLAB_DEBUG_USERS;
	REFUSED((void)0);
	REFUSED((l.stride = 128, l.objects = l.min_objects = 32, l.track = UINT32_MAX - 63));
	REFUSED((l.stride = 128, l.objects = l.min_objects = 32, l.track = 56));
	cfg.debug = PZ_SLAB_DEBUG_RED_ZONE;
	REFUSED((void)0);
	/* A seal in the right red zone. */
	cfg.size = 40;
	REFUSED((l.red_left = 8, l.inuse = 56, l.seal = 40, l.stride = 64));
	cfg.debug = PZ_SLAB_DEBUG_POISON;
	REFUSED(l.seal = 16);
	cfg.debug = 0;
	cfg.size = 56;
	cfg.limits = pz_limits_any();
	cfg.limits.boundary = 128;
	REFUSED((l.stride = 72, l.objects = l.min_objects = 56));
#undef REFUSED
	CHECK_NAMED(t, refused == tries, "layouts that cannot be are refused with the reason");
	sm_close(&m);
}

/* Whether 300 objects of any page size and place are as they should be. */
static void edge_place(struct tap *t, const struct sm_plan *plan, const char *what)
{
	struct slab_machine m;
	struct pz_kmem_cache *c;
	struct pz_kmalloc_config kc = { 0 };
	struct pz_kmalloc *k;
	struct pz_slab_info f;
	unsigned char *v[MANY], *p;
	uint64_t base = plan->first ? plan->first : SM_FIRST;
	bool ok = true;

	if (!sm_lay_out_as(&m, t, plan) || !sm_make(&m))
		return;
	for (uint32_t size = 8; size < 10000; size = size * 7 / 2) {
		c = sm_cache(&m, "place", size, PZ_SLAB_NO_MERGE, 0);
		for (uint32_t i = 0; i < MANY; i++) {
			v[i] = pz_kmem_cache_alloc(c, 0, 0);
			if (!v[i]) {
				ok = false;
				break;
			}
			v[i][0] = v[i][size - 1] = (unsigned char)i;
			pz_slab_info(m.s, v[i] + size - 1, &f);
			ok = ok && pz_slab_phys(m.s, v[i]) >= base &&
			     pz_slab_phys(m.s, v[i]) < base + SM_BYTES && f.object == v[i] &&
			     f.cache == c;
		}
		for (uint32_t i = 0; i < MANY; i++) {
			if (!v[i])
				break;
			ok = ok && v[i][size - 1] == i;
			pz_kmem_cache_free(c, 0, v[i]);
		}
		ok = ok && pz_slabs_check(m.s) == 0;
		ok = pz_kmem_cache_destroy(c, NULL, NULL) == 0 && ok;
	}
	kc.slabs = m.s;
	ok = ok && !pz_kmalloc_create(&k, &kc, NULL);
	p = ok ? pz_kmalloc(k, 0, 0, 70000) : NULL;
	ok = p && pz_slab_phys(m.s, p) >= base && pz_ksize(m.s, p) >= 70000;
	pz_kfree(m.s, 0, p);
	ok = ok && !m.findings && !pz_kmalloc_destroy(k);
	CHECK_NAMED(t, ok, what);
	sm_close(&m);
}

static void edge_places(struct tap *t)
{
	struct sm_plan plan = { 0, 0, 0, 14 };

	edge_place(t, &plan, "pages of 16 KiB");
	plan.page_shift = 16;
	edge_place(t, &plan, "pages of 64 KiB");
	plan.page_shift = 0;
	plan.first = (uint64_t)0x8 << 32;
	edge_place(t, &plan, "memory above what 32 bits count");
}

/* A cache of slabs of 32767 objects: its descriptors are the largest. */
static void edge_most(struct tap *t)
{
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_slab_layout l = { 8, 0, 8, 0, 0, 6, 32767, 6, 32767 };
	struct pz_kmem_cache *c;
	struct pz_kmem_cache_stat st;
	void *o, *first = NULL;
	uint32_t n = 0;

	if (!sm_simple(&m, t))
		return;
	cfg.size = 8;
	cfg.layout = &l;
	c = edge_cache(&m, &cfg);
	while (n < 33000 && (o = pz_kmem_cache_alloc(c, 0, 0)) != NULL) {
		*(void **)o = first;
		first = o;
		n++;
	}
	pz_kmem_cache_stat(c, &st);
	CHECK_NAMED(t, n == 33000 && st.slabs == 2 && st.active == n, "slabs of 32767 objects");
	CHECK(t, pz_slabs_check(m.s) == 0);
	while (first) {
		o = first;
		first = *(void **)o;
		pz_kmem_cache_free(c, n & 1 ? 0 : PZ_CPU_NONE, o);
		n--;
	}
	CHECK(t, n == 0 && pz_slabs_check(m.s) == 0 && m.findings == 0);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	sm_close(&m);
}

/* How many of @n objects follow their predecessor in memory. */
static uint32_t edge_follows(struct slab_machine *m, uint32_t cpu, uint32_t size, uint32_t debug)
{
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_kmem_cache *c;
	struct pz_kmem_cache_stat st;
	unsigned char *v[MANY];
	uint32_t n = 0;

	cfg.size = size;
	cfg.debug = debug;
	cfg.flags = PZ_SLAB_RANDOM | PZ_SLAB_NO_MERGE;
	c = edge_cache(m, &cfg);
	pz_kmem_cache_stat(c, &st);
	for (uint32_t i = 0; i < MANY; i++) {
		v[i] = pz_kmem_cache_alloc(c, cpu, 0);
		n += i && v[i] == v[i - 1] + st.layout.stride;
	}
	for (uint32_t i = 0; i < MANY; i++)
		pz_kmem_cache_free(c, cpu, v[i]);
	CHECK(m->pm.t, pz_slabs_check(m->s) == 0 && pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	return n;
}

static void edge_random(struct tap *t)
{
	struct slab_machine m;

	if (!sm_simple(&m, t))
		return;
	CHECK_NAMED(t, edge_follows(&m, 0, 128, 0) < MANY / 4, "random order, from magazines");
	CHECK_NAMED(t, edge_follows(&m, PZ_CPU_NONE, 128, 0) < MANY / 4, "and without a CPU");
	CHECK_NAMED(t, edge_follows(&m, PZ_CPU_NONE, 16, 0) < MANY / 4, "and of large slabs");
	CHECK_NAMED(t, edge_follows(&m, 0, 128, PZ_SLAB_DEBUG_RED_ZONE) < MANY / 4,
		    "and with debug options");
	CHECK(t, m.findings == 0);
	sm_close(&m);
}

/* A cache goes while its slabs wait, and its number is another one's: nothing may mix them up. */
static void edge_grace(struct tap *t)
{
	struct slab_machine m;
	struct pz_kmem_cache *c, *next;
	unsigned char *v[MANY];
	uint64_t ticket;

	if (!sm_lay_out(&m, t, 2) || !sm_make(&m))
		return;
	c = sm_cache(&m, "readers", 200, PZ_SLAB_RCU, 0);
	for (uint32_t i = 0; i < MANY; i++)
		v[i] = pz_kmem_cache_alloc(c, i & 1, 0);
	v[0][5] = 0x77;
	for (uint32_t i = 0; i < MANY; i++)
		pz_kmem_cache_free(c, 1, v[i]);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	CHECK_NAMED(t, v[0][5] == 0x77, "readers still see an object of a cache that is gone");
	CHECK_NAMED(t, pz_slabs_destroy(m.s) == -PZ_EBUSY, "its pages wait");
	next = sm_cache(&m, "next", 200, PZ_SLAB_NO_MERGE, 0);
	CHECK(t, pz_slab_owner(m.s, v[0]) == NULL);
	pz_kfree(m.s, 1, v[0]);
	pz_kmem_cache_free(next, 1, v[1]);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_NO_OBJECT) == 2, "nobody owns what waits");
	CHECK(t, pz_slabs_check(m.s) == 0);
	ticket = pz_slab_grace_begin(m.s);
	c = sm_cache(&m, "late", 200, PZ_SLAB_RCU, 0);
	v[0] = pz_kmem_cache_alloc(c, 0, 0);
	pz_kmem_cache_free(c, 0, v[0]);
	CHECK(t, pz_kmem_cache_shrink(c, 0) > 0);
	CHECK_NAMED(t, pz_slab_grace_end(m.s, 0, ticket) >= MANY * 200 / 4096, "pages go back");
	CHECK_NAMED(t, pz_slabs_check(m.s) == 0 && pz_slab_grace_begin(m.s) != 0,
		    "what came after the begin waits for the next grace period");
	(void)pz_slab_grace_end(m.s, 0, UINT64_MAX);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	CHECK(t, pz_kmem_cache_destroy(next, NULL, NULL) == 0);
	sm_close(&m);
}

static void edge_families(struct tap *t)
{
	struct sm_plan plan = { 20 * PM_MIB, 0, 0, 0 };
	struct slab_machine m;
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *wide, *low, *dma;
	struct pz_limits l = pz_limits_any();
	uint64_t mid = SM_FIRST + SM_BYTES / 2;
	void *p, *q;

	if (!sm_simple(&m, t))
		return;
	cfg.slabs = m.s;
	CHECK(t, pz_kmalloc_create(&wide, &cfg, NULL) == 0);
	cfg.limits = PZ_LIMITS_BITS(24);
	cfg.name = "low";
	CHECK(t, pz_kmalloc_create(&low, &cfg, NULL) == 0);
	CHECK(t, pz_kmalloc_limited(m.s, 0, 0, 64, &l, &p) == 0);
	CHECK_NAMED(t, pz_slab_owner(m.s, p) == pz_kmalloc_cache(wide, 0, 64),
		    "scarce memory does not serve who can use any");
	pz_kfree(m.s, 0, p);
	/* A limit that only the low family is within, and its memory is used up. */
	l.max_addr = mid + 64 * PM_KIB - 1;
	q = NULL;
	while (pz_kmalloc_limited(m.s, 0, 0, 8192, &cfg.limits, &p) == 0) {
		*(void **)p = q;
		q = p;
	}
	CHECK_NAMED(t,
		    pz_kmalloc_limited(m.s, 0, 0, 8192, &l, &p) == 0 && pz_slab_phys(m.s, p) >= mid,
		    "what a family has not may be elsewhere");
	pz_kfree(m.s, 0, p);
	while (q) {
		p = q;
		q = *(void **)p;
		pz_kfree(m.s, 0, p);
	}
	p = pz_kmalloc(wide, 0, 0, 100);
	pz_kfree(m.s, 0, p);
	pz_slab_drain(m.s, 0);
	CHECK_NAMED(t, pz_ksize(m.s, p) == 0 && !pz_krealloc(wide, 0, 0, p, 50),
		    "what is free has no size");
	CHECK(t, pz_kmalloc_destroy(low) == 0 && pz_kmalloc_destroy(wide) == 0);
	sm_close(&m);

	/* No memory below 16 MiB: the DMA caches are made, and stay empty. */
	if (!sm_lay_out_as(&m, t, &plan) || !sm_make(&m))
		return;
	cfg.slabs = m.s;
	cfg.name = NULL;
	cfg.limits = pz_limits_any();
	cfg.sets = PZ_KMALLOC_DMA;
	CHECK_NAMED(t,
		    pz_kmalloc_create(&dma, &cfg, NULL) == 0 &&
			    pz_kmalloc_cache(dma, PZ_GFP_DMA, 64) != NULL,
		    "DMA caches are made where no memory could fill them");
	CHECK(t, pz_kmalloc_try(dma, 0, PZ_GFP_DMA, 64, 1, PZ_NID_NONE, &p) == -PZ_ERANGE);
	CHECK(t, pz_kmalloc_try(dma, 0, PZ_GFP_DMA, 64000, 1, PZ_NID_NONE, &p) == -PZ_ERANGE);
	CHECK(t, pz_kmalloc_destroy(dma) == 0);
	cfg.dma_if_managed = true;
	CHECK(t, pz_kmalloc_create(&dma, &cfg, NULL) == 0);
	CHECK_NAMED(t, pz_kmalloc_cache(dma, PZ_GFP_DMA, 64) == NULL, "or left out on demand");
	CHECK(t, pz_kmalloc_try(dma, 0, PZ_GFP_DMA, 64, 1, PZ_NID_NONE, &p) == -PZ_ERANGE);
	CHECK(t, pz_kmalloc_destroy(dma) == 0);
	sm_close(&m);
}

void contract_slab_edges(struct tap *t)
{
	edge_tail(t);
	edge_nodes(t);
	edge_boundaries(t);
	edge_layouts(t);
	edge_places(t);
	edge_most(t);
	edge_random(t);
	edge_grace(t);
	edge_families(t);
}
