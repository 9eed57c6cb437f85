/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_slab_watch.c - watched objects: each byte of a slot changed in turn, while the object is
 * out and while it is free, has the right finding, and the run goes on; Linux's layouts; who
 * allocated and freed; destroying a cache with objects out.
 */
#include "slab_linux.h"
#include "slab_machine.h"
#include "suites_decl.h"

#define DEBUG_ALL                                                                    \
	(PZ_SLAB_DEBUG_CHECKS | PZ_SLAB_DEBUG_RED_ZONE | PZ_SLAB_DEBUG_POISON | \
	 PZ_SLAB_DEBUG_USERS)
#define NOTHING PZ_SLAB_FAULTS

struct debug_case {
	const char *what;
	uint32_t size, align, flags, debug;
	bool ctor, linux_layout;
};

static void debug_ctor(void *ctx, void *object)
{
	(void)ctx;
	*(unsigned char *)object = 0x33;
}

/* What a change of the byte at an offset from the object must be told as. */
static enum pz_slab_fault debug_expected(const struct debug_case *k, const struct pz_slab_layout *l,
					 int32_t at, bool out)
{
	bool poisons = (k->debug & PZ_SLAB_DEBUG_POISON) && !k->ctor && !(k->flags & PZ_SLAB_RCU);
	bool gaps = k->debug & PZ_SLAB_DEBUG_POISON;
	int32_t seal = (int32_t)l->seal, track = (int32_t)l->track;

	if (at < 0)
		return PZ_SLAB_RED_LEFT;
	if (at >= seal && at < seal + (int32_t)sizeof(void *))
		return out && l->seal < l->inuse ? NOTHING : PZ_SLAB_SEAL;
	if (at < (int32_t)k->size - 1)
		return !out && poisons ? PZ_SLAB_POISON : NOTHING;
	if (at < (int32_t)k->size)
		return !out && poisons ? PZ_SLAB_POISON_END : NOTHING;
	if (at < (int32_t)l->inuse)
		return k->debug & PZ_SLAB_DEBUG_RED_ZONE ? PZ_SLAB_RED_RIGHT
		       : gaps				 ? PZ_SLAB_GAP
							 : NOTHING;
	if (track && at >= track && at < track + 2 * (int32_t)PZ_SLAB_TRACK)
		return NOTHING;
	return gaps ? PZ_SLAB_GAP : NOTHING;
}

/* Whether just that was told, of that byte; forgets it. */
static bool debug_told(struct slab_machine *m, enum pz_slab_fault want, const void *object,
		       const unsigned char *byte)
{
	const struct pz_slab_finding *f = &m->found[0];
	bool ok;

	if (want == NOTHING) {
		ok = m->findings == 0;
	} else {
		bool fenced = want == PZ_SLAB_POISON || want == PZ_SLAB_POISON_END ||
			      (want == PZ_SLAB_SEAL && !f->bad);

		ok = m->findings == 1 && m->pm.bugs.count == 1 && f->fault == want &&
		     f->object == object && f->repaired == !fenced;
		if (f->bad)
			ok = ok && f->bad == byte && f->bad_bytes == 1 &&
			     f->expected != *byte + 0x100;
	}
	m->findings = 0;
	m->pm.bugs.count = 0;
	return ok;
}

/* Each byte of a slot, while its object is out and while it is free. */
static uint32_t debug_bytes(struct slab_machine *m, struct pz_kmem_cache *c,
			    const struct debug_case *k, const struct pz_slab_layout *l)
{
	uint32_t wrong = 0;
	unsigned char *o, *other;

	for (int32_t at = -(int32_t)l->red_left; at < (int32_t)(l->stride - l->red_left); at++) {
		enum pz_slab_fault want = debug_expected(k, l, at, true);
		bool fenced;

		o = pz_kmem_cache_alloc(c, 0, 0);
		o[at] ^= 0x41;
		pz_kmem_cache_free(c, 0, o);
		wrong += !debug_told(m, want, o, o + at);
		if (k->ctor && at == 0)
			*o = 0x33;

		want = debug_expected(k, l, at, false);
		fenced = want == PZ_SLAB_POISON || want == PZ_SLAB_POISON_END ||
			 want == PZ_SLAB_SEAL;
		o[at] ^= 0x41;
		other = pz_kmem_cache_alloc(c, 0, 0);
		wrong += !debug_told(m, want, o, o + at) || !other || (other != o) != fenced;
		pz_kmem_cache_free(c, 0, other);
		/* A fenced object counts as given out: this takes it back. */
		if (fenced)
			pz_kmem_cache_free(c, 0, o);
		wrong += m->findings != 0;
		if (!(k->debug & PZ_SLAB_DEBUG_POISON) && want == NOTHING && at >= (int32_t)k->size)
			o[at] ^= 0x41;

		/* The same, told by a look at all objects, which puts it right. */
		o[at] ^= 0x41;
		wrong += pz_kmem_cache_validate(c) != (want != NOTHING) ||
			 !m->findings != !(want != NOTHING);
		m->findings = 0;
		m->pm.bugs.count = 0;
		wrong += pz_kmem_cache_validate(c) != 0 || pz_slabs_check(m->s) != 0;
		if (want == NOTHING)
			o[at] ^= 0x41;
	}
	return wrong;
}

/* Each byte behind the last slot. */
static uint32_t debug_tail(struct slab_machine *m, struct pz_kmem_cache *c,
			   const struct debug_case *k, const struct pz_slab_layout *l)
{
	unsigned char *o = pz_kmem_cache_alloc(c, 0, 0), *start;
	uint32_t wrong = 0, bytes = (uint32_t)1 << (12 + l->order);
	struct pz_slab_info f;

	pz_slab_info(m->s, o, &f);
	start = o - l->red_left - (size_t)f.index * l->stride;
	for (uint32_t at = l->objects * l->stride; at < bytes; at += 1 + bytes / 2048) {
		bool told = k->debug & PZ_SLAB_DEBUG_POISON;

		start[at] ^= 0x41;
		wrong += pz_kmem_cache_validate(c) != told;
		wrong += told &&
			 (m->found[0].fault != PZ_SLAB_PADDING || m->found[0].bad != start + at);
		m->findings = 0;
		m->pm.bugs.count = 0;
		told = told && (k->debug & PZ_SLAB_DEBUG_CHECKS);
		start[at] ^= 0x41;
		pz_kmem_cache_free(c, 0, o);
		wrong += m->findings != told || (told && m->found[0].fault != PZ_SLAB_PADDING);
		m->findings = 0;
		m->pm.bugs.count = 0;
		o = pz_kmem_cache_alloc(c, 0, 0);
		(void)pz_kmem_cache_validate(c);
		m->findings = 0;
		m->pm.bugs.count = 0;
	}
	pz_kmem_cache_free(c, 0, o);
	return wrong;
}

static void debug_case(struct tap *t, const struct debug_case *k)
{
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_kmem_cache_stat st;
	struct pz_slab_layout lay;
	struct pz_kmem_cache *c;

	if (k->linux_layout && sizeof(void *) != 8)
		return;
	if (!sm_simple(&m, t))
		return;
	cfg.name = "watched";
	cfg.size = k->size;
	cfg.align = k->align;
	cfg.flags = k->flags;
	cfg.debug = k->debug;
	cfg.ctor = k->ctor ? debug_ctor : NULL;
	if (k->linux_layout) {
		CHECK(t, slab_linux_layout(PZL_LINUX_6_12, &cfg, &lay));
		cfg.layout = &lay;
	}
	if (!CHECK(t, pz_kmem_cache_create(&c, m.s, &cfg, NULL) == 0))
		return;
	pz_kmem_cache_stat(c, &st);
	CHECK_NAMED(t, debug_bytes(&m, c, k, &st.layout) == 0, k->what);
	CHECK(t, debug_tail(&m, c, k, &st.layout) == 0);
	pz_kmem_cache_stat(c, &st);
	CHECK(t, st.active == 0);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	(void)pz_slab_grace_end(m.s, 0, pz_slab_grace_begin(m.s));
	sm_close(&m);
}

static const struct debug_case debug_cases[] = {
	{ "each byte of a watched object", 40, 0, 0, DEBUG_ALL, false, false },
	{ "of an odd size", 101, 0, 0, DEBUG_ALL, false, false },
	{ "of one byte", 1, 0, 0, DEBUG_ALL, false, false },
	{ "aligned to more than its size", 24, 128, 0, DEBUG_ALL, false, false },
	{ "that readers may see", 40, 0, PZ_SLAB_RCU, DEBUG_ALL, false, false },
	{ "with a constructor", 44, 0, 0, DEBUG_ALL, true, false },
	{ "with red zones only", 61, 0, 0, PZ_SLAB_DEBUG_RED_ZONE, false, false },
	{ "with poison only", 61, 0, 0, PZ_SLAB_DEBUG_POISON, false, false },
	{ "with users only", 61, 0, 0, PZ_SLAB_DEBUG_USERS, false, false },
	{ "with consistency only", 61, 0, 0, PZ_SLAB_DEBUG_CHECKS, false, false },
	{ "as Linux lays it out", 72, 0, 0, DEBUG_ALL, false, true },
	{ "as Linux lays it out, for readers", 72, 0, PZ_SLAB_RCU, DEBUG_ALL, false, true },
	{ "1024 bytes aligned to 1024, as Linux lays it out", 1024, 1024, 0, DEBUG_ALL, false,
	  true },
};

/* Caches of Linux's layouts: exactly these, and aligned, with every debug option. */
static void debug_linux(struct tap *t)
{
	static const uint32_t sizes[] = { 8, 24, 64, 100, 192, 256, 640, 1024, 2048, 4096, 9000 };
	static const enum pzl_model models[] = { PZL_LINUX_6_1, PZL_LINUX_6_12 };
	struct slab_machine m;
	struct pz_kmem_cache_config cfg = { 0 };
	struct pz_slab_layout lay;
	struct pz_kmem_cache *c;
	struct pz_kmem_cache_stat st;
	uint32_t wrong = 0, caches = 0;
	void *v[20];

	if (sizeof(void *) != 8 || !sm_simple(&m, t))
		return;
	cfg.name = "model";
	cfg.layout = &lay;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(*sizes) * 64; i++) {
		uint32_t n = 0;

		cfg.size = sizes[i / 64];
		cfg.align = i & 16 ? cfg.size & (~cfg.size + 1) : 0;
		cfg.debug = i & 15;
		cfg.flags = PZ_SLAB_NO_MERGE | (i & 32 ? PZ_SLAB_HWCACHE_ALIGN : 0);
		if (!slab_linux_layout(models[i & 1], &cfg, &lay) ||
		    pz_kmem_cache_create(&c, m.s, &cfg, NULL)) {
			wrong++;
			continue;
		}
		caches++;
		pz_kmem_cache_stat(c, &st);
		wrong += st.layout.stride != lay.stride || st.layout.order != lay.order ||
			 st.layout.objects != lay.objects || st.layout.red_left != lay.red_left;
		if (cfg.size == 1024 && cfg.align == 1024 && cfg.debug == DEBUG_ALL)
			wrong += lay.stride != 3072;
		while (n < 20 && (v[n] = pz_kmem_cache_alloc(c, 0, 0)) != NULL) {
			wrong += cfg.align && ((uintptr_t)v[n] & (cfg.align - 1));
			n++;
		}
		wrong += n < 20;
		while (n)
			pz_kmem_cache_free(c, 0, v[--n]);
		wrong += pz_slabs_check(m.s) != 0 || m.findings != 0;
		wrong += pz_kmem_cache_destroy(c, NULL, NULL) != 0;
	}
	CHECK_NAMED(t, wrong == 0 && caches > 600, "Linux's layouts are taken as they are");
	sm_close(&m);
}

static uint64_t debug_clock;

static uint64_t debug_now(void *ctx)
{
	(void)ctx;
	return ++debug_clock;
}

static uint64_t debug_site(void *ctx)
{
	(void)ctx;
	return 0xabc0 + debug_clock;
}

struct debug_list {
	void *object[8];
	uint32_t count;
};

static void debug_live(void *ctx, void *object)
{
	struct debug_list *l = ctx;

	if (l->count < 8)
		l->object[l->count] = object;
	l->count++;
}

static void debug_users(struct tap *t)
{
	struct slab_machine m;
	struct pz_kmem_cache *c, *many;
	struct pz_slab_info f;
	struct debug_list l = { { NULL }, 0 };
	void *a, *b;

	debug_clock = 0;
	if (!sm_lay_out(&m, t, 1))
		return;
	m.cfg.hooks.now = debug_now;
	m.cfg.hooks.site = debug_site;
	if (!sm_make(&m))
		return;
	c = sm_cache(&m, "users", 50, 0, PZ_SLAB_DEBUG_USERS);
	a = pz_kmem_cache_alloc(c, 0, 0);
	b = pz_kmem_cache_alloc(c, PZ_CPU_NONE, 0);
	pz_slab_info(m.s, b, &f);
	CHECK(t, f.allocated.known && f.allocated.site == 0xabc1 && f.allocated.when == 2 &&
			 f.allocated.cpu == PZ_CPU_NONE && !f.freed.known);
	pz_kmem_cache_free(c, 0, b);
	pz_kmem_cache_free(c, 0, b);
	CHECK_NAMED(t,
		    sm_found(&m, PZ_SLAB_DOUBLE_FREE) == 1 && m.found[0].freed.known &&
			    m.found[0].freed.when == 3 && m.found[0].freed.cpu == 0,
		    "a double free says who freed it first");
	CHECK_NAMED(t,
		    pz_kmem_cache_destroy(c, debug_live, &l) == -PZ_EBUSY && l.count == 1 &&
			    l.object[0] == a,
		    "destroying a cache says which objects are out");
	b = pz_kmem_cache_alloc(c, 0, 0);
	CHECK_NAMED(t, b != NULL, "and leaves it usable");
	pz_kmem_cache_free(c, 0, b);
	pz_kmem_cache_free(c, 0, a);
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	many = sm_cache(&m, "many", 8, PZ_SLAB_NO_MERGE, 0);
	a = pz_kmem_cache_alloc(many, 0, 0);
	b = pz_kmem_cache_alloc(many, 0, 0);
	l.count = 0;
	CHECK(t, pz_kmem_cache_destroy(many, debug_live, &l) == -PZ_EBUSY && l.count == 2);
	CHECK(t, (l.object[0] == a && l.object[1] == b) || (l.object[0] == b && l.object[1] == a));
	pz_kmem_cache_free(many, 0, a);
	pz_kmem_cache_free(many, 0, b);
	CHECK(t, pz_kmem_cache_destroy(many, NULL, NULL) == 0);
	sm_close(&m);
}

void contract_slab_watch(struct tap *t)
{
	for (uint32_t i = 0; i < sizeof(debug_cases) / sizeof(*debug_cases); i++)
		debug_case(t, &debug_cases[i]);
	debug_linux(t);
	debug_users(t);
}
