/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_slab.c - object caches: allocating, freeing, limits, misuse without debug options.
 */
#include "slab_machine.h"
#include "suites_decl.h"

#define MANY 300u

static void slab_objects(struct tap *t)
{
	struct slab_machine m;
	struct pz_kmem_cache *c;
	struct pz_kmem_cache_stat st;
	struct pz_slab_info f;
	unsigned char *v[MANY];
	bool apart = true, ours = true, kept = true;

	if (!sm_simple(&m, t))
		return;
	c = sm_cache(&m, "things", 100, 0, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		v[i] = pz_kmem_cache_alloc(c, 0, 0);
		if (!v[i]) {
			CHECK_NAMED(t, false, "an object is given");
			return;
		}
		for (uint32_t k = 0; k < 100; k++)
			v[i][k] = (unsigned char)i;
		ours = ours && pz_slab_owner(m.s, v[i] + 99) == c;
		ours = ours && ((uintptr_t)v[i] & (sizeof(void *) - 1)) == 0;
	}
	for (uint32_t i = 0; i < MANY; i++) {
		for (uint32_t k = 0; k < 100; k++)
			apart = apart && v[i][k] == (unsigned char)i;
		pz_slab_info(m.s, v[i] + 50, &f);
		kept = kept && f.kind == PZ_SLAB_OBJECT && f.cache == c && f.object == v[i] &&
		       f.size == 100 && !f.free;
	}
	CHECK_NAMED(t, apart, "objects do not overlap");
	CHECK_NAMED(t, ours, "the owner of an address is found");
	CHECK_NAMED(t, kept, "what is known of an address inside of an object");
	pz_kmem_cache_stat(c, &st);
	CHECK(t, st.active == MANY);
	CHECK(t, st.objects >= MANY && st.slabs > 0 && st.pages >= st.slabs);
	CHECK(t, pz_slabs_check(m.s) == 0);
	CHECK_NAMED(t, pz_kmem_cache_destroy(c, NULL, NULL) == -PZ_EBUSY,
		    "a cache with objects out is not destroyed");
	for (uint32_t i = 0; i < MANY; i++)
		pz_kmem_cache_free(c, 0, v[i]);
	pz_kmem_cache_stat(c, &st);
	CHECK(t, st.active == 0);
	CHECK(t, pz_slabs_check(m.s) == 0);
	(void)pz_kmem_cache_shrink(c, 0);
	pz_kmem_cache_stat(c, &st);
	CHECK_NAMED(t, st.slabs == 0, "shrinking gives every empty slab back");
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	sm_close(&m);
}

static void slab_limits(struct tap *t)
{
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_kmem_cache *low, *any;
	const char *why = NULL;
	uint64_t n = 0, below = 0;
	void *o, *first = NULL;

	if (!sm_simple(&m, t))
		return;
	low = sm_cache(&m, "low", 1024, PZ_SLAB_CACHE_DMA, 0);
	any = sm_cache(&m, "any", 1024, 0, 0);
	CHECK_NAMED(t, low != any, "caches of different limits are different");
	CHECK_NAMED(t, pz_kmem_cache_alloc(any, 0, PZ_GFP_DMA) == NULL && m.pm.bugs.count == 1,
		    "a zone flag on a cache without it is refused and told");
	CHECK(t, pz_kmem_cache_alloc_node(any, 0, PZ_GFP_DMA32, PZ_NID_NONE, &o) == -PZ_EINVAL);
	CHECK(t, pz_kmem_cache_alloc(low, 0, PZ_GFP_HIGHMEM) == NULL);
	o = pz_kmem_cache_alloc(low, 0, PZ_GFP_DMA);
	CHECK_NAMED(t, o != NULL, "the flag that the cache was made with is fine");
	pz_kmem_cache_free(low, 0, o);
	/* A list through the objects themselves. */
	while ((o = pz_kmem_cache_alloc(low, 0, 0)) != NULL) {
		*(void **)o = first;
		first = o;
		n++;
		below += pz_slab_phys(m.s, o) + 1023 < 16 * PM_MIB;
	}
	CHECK_NAMED(t, n == below && n > 900, "a limit is kept until its memory is all used");
	CHECK(t, pz_kmem_cache_alloc_node(low, 0, 0, PZ_NID_NONE, &o) == -PZ_ENOMEM);
	o = pz_kmem_cache_alloc(any, 0, 0);
	CHECK_NAMED(t, o && pz_slab_phys(m.s, o) >= 16 * PM_MIB, "others are served meanwhile");
	pz_kmem_cache_free(any, 0, o);
	while (first) {
		o = *(void **)first;
		pz_kmem_cache_free(low, 0, first);
		first = o;
	}
	CHECK(t, pz_kmem_cache_destroy(low, NULL, NULL) == 0);
	CHECK(t, pz_kmem_cache_destroy(any, NULL, NULL) == 0);

	cfg.name = "bad";
	cfg.size = 64;
	cfg.flags = PZ_SLAB_CACHE_DMA | PZ_SLAB_CACHE_DMA32;
	CHECK(t, pz_kmem_cache_create(&low, m.s, &cfg, &why) == -PZ_EINVAL && why);
	cfg.flags = 0;
	cfg.limits = PZ_LIMITS_BITS(20);
	CHECK_NAMED(t, pz_kmem_cache_create(&low, m.s, &cfg, &why) == -PZ_ERANGE,
		    "limits that no mapped memory satisfies are refused");
	cfg.limits = pz_limits_any();
	cfg.limits.boundary = 32;
	CHECK_NAMED(t, pz_kmem_cache_create(&low, m.s, &cfg, &why) == -PZ_ERANGE,
		    "an object larger than its boundary is refused");
	sm_close(&m);
}

static void slab_misuse(struct tap *t)
{
	struct slab_machine m;
	struct pz_kmem_cache *a, *b;
	unsigned char *x, *y, *z;
	static int local;

	if (!sm_simple(&m, t))
		return;
	a = sm_cache(&m, "a", 64, PZ_SLAB_NO_MERGE, 0);
	b = sm_cache(&m, "b", 64, PZ_SLAB_NO_MERGE, 0);
	x = pz_kmem_cache_alloc(a, 0, 0);
	y = pz_kmem_cache_alloc(a, 0, 0);
	pz_kmem_cache_free(a, 0, x);
	pz_kmem_cache_free(a, 0, x);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_DOUBLE_FREE) == 1, "a double free at once is found");
	pz_kmem_cache_free(a, 0, y);
	pz_kmem_cache_free(a, 0, x);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_DOUBLE_FREE) == 2, "and one after another free");
	CHECK(t, pz_slabs_check(m.s) == 0);
	pz_slab_drain(m.s, 0);
	pz_kmem_cache_free(a, 0, x);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_DOUBLE_FREE) == 3, "and one of an object in its slab");
	x = pz_kmem_cache_alloc(a, 0, 0);
	pz_kmem_cache_free(b, 0, x);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_WRONG_CACHE) == 1, "the wrong cache is found");
	pz_kmem_cache_free(a, 0, x + 8);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_BAD_POINTER) == 1, "the middle of an object is found");
	pz_kmem_cache_free(a, 0, &local);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_NO_OBJECT) == 1, "memory of nobody is found");
	pz_kmem_cache_free(a, 0, x);
	CHECK(t, m.findings == 6 && m.pm.bugs.count == 6);

	/* A write to a free object: the next user must not get it. */
	x = pz_kmem_cache_alloc(a, 0, 0);
	pz_kmem_cache_free(a, 0, x);
	for (uint32_t i = 0; i < 64; i++)
		x[i] = 0x41;
	z = pz_kmem_cache_alloc(a, 0, 0);
	CHECK_NAMED(t, sm_found(&m, PZ_SLAB_SEAL) == 1 && z && z != x,
		    "an object that was written to after its free is fenced off");
	pz_kmem_cache_free(a, 0, z);
	CHECK(t, pz_kmem_cache_destroy(a, NULL, NULL) == 0);
	CHECK(t, pz_kmem_cache_destroy(b, NULL, NULL) == 0);
	sm_close(&m);
}

static void slab_kmalloc(struct tap *t)
{
	static const uint16_t sizes[] = { 1, 8, 9, 24, 72, 96, 97, 192, 193, 1000, 4096, 8192 };
	static const uint16_t usable[] = { 8, 8, 16, 32, 96, 96, 128, 192, 256, 1024, 4096, 8192 };
	struct slab_machine m;
	struct pz_kmalloc_config cfg = { 0 };
	struct pz_kmalloc *k, *low;
	struct pz_limits l;
	bool right = true, aligned = true;
	unsigned char *p;
	void *q;

	if (!sm_simple(&m, t))
		return;
	cfg.slabs = m.s;
	if (!CHECK(t, pz_kmalloc_create(&k, &cfg, NULL) == 0))
		return;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		p = pz_kmalloc(k, 0, 0, sizes[i]);
		right = right && p && pz_ksize(m.s, p) == usable[i];
		aligned = aligned && ((uintptr_t)p & ((usable[i] & (~usable[i] + 1)) - 1)) == 0;
		pz_kfree(m.s, 0, p);
	}
	CHECK_NAMED(t, right, "sizes are those of the classes");
	CHECK_NAMED(t, aligned, "memory is aligned to what divides its class");
	CHECK(t,
	      pz_kmalloc(k, 0, 0, 0) == PZ_ZERO_SIZE_PTR && pz_ksize(m.s, PZ_ZERO_SIZE_PTR) == 0);
	pz_kfree(m.s, 0, PZ_ZERO_SIZE_PTR);
	pz_kfree(m.s, 0, NULL);
	p = pz_kmalloc(k, 0, PZ_GFP_ZERO, 20000);
	CHECK(t, p && pz_ksize(m.s, p) == 20480 && p[0] == 0 && p[19999] == 0);
	pz_kfree(m.s, 0, p + 4096);
	CHECK(t, m.findings == 1);
	pz_kfree(m.s, 0, p);
	pz_kfree(m.s, 0, p);
	CHECK(t, m.findings == 2);
	CHECK_NAMED(t, pz_kmalloc(k, 0, PZ_GFP_DMA, 64) == NULL,
		    "without a set for it, PZ_GFP_DMA is refused");
	p = pz_kmalloc(k, 0, 0, 10);
	for (uint32_t i = 0; i < 10; i++)
		p[i] = (unsigned char)i;
	CHECK(t, pz_krealloc(k, 0, 0, p, 16) == p);
	p = pz_krealloc(k, 0, 0, p, 3000);
	CHECK(t, p && p[9] == 9 && pz_ksize(m.s, p) == 4096);
	CHECK(t, pz_krealloc(k, 0, 0, p, 0) == PZ_ZERO_SIZE_PTR);

	l = PZ_LIMITS_BITS(24);
	CHECK(t, pz_kmalloc_limited(m.s, 0, 0, 64, &l, &q) == 0);
	CHECK_NAMED(t, pz_slab_phys(m.s, q) < 16 * PM_MIB && pz_ksize(m.s, q) == 4096,
		    "without a family for a limit, pages serve it");
	pz_kfree(m.s, 0, q);
	cfg.limits = l;
	cfg.name = "low";
	CHECK(t, pz_kmalloc_create(&low, &cfg, NULL) == 0);
	CHECK(t, pz_kmalloc_limited(m.s, 0, 0, 64, &l, &q) == 0);
	CHECK_NAMED(t, pz_slab_phys(m.s, q) < 16 * PM_MIB && pz_ksize(m.s, q) == 64,
		    "a family for the limit serves it better");
	CHECK(t, pz_kmalloc_destroy(low) == -PZ_EBUSY);
	pz_kfree(m.s, 0, q);
	CHECK(t, pz_kmalloc_destroy(low) == 0);
	CHECK(t, pz_kmalloc_destroy(k) == 0);
	sm_close(&m);
}

struct slab_text {
	char text[256];
};

static void slab_told(void *ctx, const char *text)
{
	struct slab_text *to = ctx;
	uint32_t n = 0;

	for (; text[n] && n < sizeof(to->text) - 1; n++)
		to->text[n] = text[n];
	to->text[n] = 0;
}

static bool slab_has(const char *text, const char *part)
{
	for (; *text; text++) {
		uint32_t n = 0;

		while (part[n] && text[n] == part[n])
			n++;
		if (!part[n])
			return true;
	}
	return false;
}

static void slab_text(struct tap *t)
{
	struct slab_text said = { { 0 } };
	struct slab_machine m;
	struct pz_kmem_cache *c;
	unsigned char *o;

	if (!sm_simple(&m, t))
		return;
	m.pm.bugs.policy = PZ_BUG_REPORT;
	m.pm.bugs.report = slab_told;
	m.pm.bugs.ctx = &said;
	c = sm_cache(&m, "watched", 96, 0, PZ_SLAB_DEBUG_RED_ZONE);
	o = pz_kmem_cache_alloc(c, 0, 0);
	if (!CHECK_NAMED(t, o != NULL, "an object is given"))
		return;
	o[97] = 'x';
	o[99] = 'y';
	pz_kmem_cache_free(c, 0, o);
	CHECK_NAMED(t, slab_has(said.text, ", 3 bytes from +97: 0x78 instead of 0xcc"),
		    "a report says where damage lies behind the object");
	o = pz_kmem_cache_alloc(c, 0, 0);
	o[-2] = 'z';
	pz_kmem_cache_free(c, 0, o);
	CHECK_NAMED(t, slab_has(said.text, ", 1 bytes from -2: 0x7a instead of 0xcc"),
		    "and where it lies before it");
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	sm_close(&m);
}

void contract_slab(struct tap *t)
{
	slab_objects(t);
	slab_limits(t);
	slab_misuse(t);
	slab_kmalloc(t);
	slab_text(t);
}
