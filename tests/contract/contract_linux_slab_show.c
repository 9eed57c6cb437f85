/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab_show.c - the library's caches laid out as Linux's, and shown in its words.
 */
#include <physzone/linux/slab_layout.h>
#include <physzone/linux/slab_show.h>

#include "slab_machine.h"
#include "suites_decl.h"

#define SHOW_LINES 40u
#define SHOW_WIDTH 120u

struct show_lines {
	char line[SHOW_LINES][SHOW_WIDTH];
	uint32_t n;
	struct slab_machine *m;
	const struct pzl_slab_kernel *k;
};

static void show_emit(void *ctx, const char *line, size_t len)
{
	struct show_lines *l = ctx;
	size_t i = 0;

	if (l->n == SHOW_LINES)
		return;
	for (; i < len && i + 1 < SHOW_WIDTH; i++)
		l->line[l->n][i] = line[i];
	l->line[l->n++][i] = 0;
}

/* Whether a line begins with a text. */
static bool show_begins(const struct show_lines *l, const char *text)
{
	for (uint32_t i = 0; i < l->n; i++) {
		size_t n = 0;

		while (text[n] && text[n] == l->line[i][n])
			n++;
		if (!text[n])
			return true;
	}
	return false;
}

static void show_found(void *ctx, const struct pz_slab_finding *f)
{
	struct show_lines *l = ctx;

	pzl_slab_show_finding(f, l->k, 100, show_emit, l);
}

static uint64_t show_now(void *ctx)
{
	return 88;
}

static uint64_t show_site(void *ctx)
{
	return 0x1234;
}

/* Strides with all options, by the table of the facts: object size, alignment, stride. */
static const uint32_t show_strides[][3] = {
	{ 8, 8, 112 },	      { 64, 64, 256 },	     { 128, 128, 384 },
	{ 1024, 1024, 3072 }, { 4096, 4096, 12288 }, { 100, 8, 192 },
};

static void show_layouts(struct tap *t)
{
	const uint32_t full = PZL_SLAB_CONSISTENCY_CHECKS | PZL_SLAB_RED_ZONE | PZL_SLAB_POISON |
			      PZL_SLAB_STORE_USER;
	struct slab_machine m;
	struct pzl_slab_kernel k;

	if (!sm_simple(&m, t))
		return;
	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12);
	if (k.word != sizeof(void *)) {
		sm_close(&m);
		return;
	}
	for (uint32_t i = 0; i < sizeof(show_strides) / sizeof(*show_strides); i++) {
		struct pz_kmem_cache_config cfg = { 0 };
		struct pzl_slab_cache like = { 0 };
		struct pz_kmem_cache_stat st;
		struct pz_slab_layout lay;
		struct pz_kmem_cache *c;
		bool aligned = true, clean;
		void *v[8];

		like.object_size = cfg.size = show_strides[i][0];
		like.align = cfg.align = show_strides[i][1];
		/* kmalloc() keeps the size that was asked for, which shows in the smallest. */
		like.flags = full | (cfg.size == 8 ? PZL_SLAB_KMALLOC : 0);
		cfg.name = "like";
		cfg.debug = pzl_slab_layout_debug(full);
		cfg.layout = &lay;
		CHECK(t, pzl_slab_layout(&k, &like, &lay) == 0);
		CHECK_NAMED(t, lay.stride == show_strides[i][2], "the stride is Linux's");
		if (!CHECK(t, pz_kmem_cache_create(&c, m.s, &cfg, NULL) == 0))
			return;
		for (uint32_t n = 0; n < 8; n++) {
			v[n] = pz_kmem_cache_alloc(c, 0, 0);
			aligned = aligned && v[n] &&
				  !(pz_slab_phys(m.s, v[n]) & (show_strides[i][1] - 1));
		}
		CHECK_NAMED(t, aligned, "with every option on, objects are aligned");
		clean = !pz_kmem_cache_validate(c);
		for (uint32_t n = 0; n < 8; n++)
			pz_kmem_cache_free(c, 0, v[n]);
		CHECK(t, clean && !m.findings);
		pz_kmem_cache_stat(c, &st);
		CHECK(t, st.layout.order == lay.order && st.layout.objects == lay.objects);
		CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0);
	}
	sm_close(&m);
}

static void show_texts(struct tap *t)
{
	const uint32_t full = PZ_SLAB_DEBUG_CHECKS | PZ_SLAB_DEBUG_RED_ZONE | PZ_SLAB_DEBUG_POISON |
			      PZ_SLAB_DEBUG_USERS;
	struct pzl_slab_attrs a;
	struct slab_machine m;
	struct show_lines l;
	struct pzl_slab_kernel k;
	struct pz_kmem_cache *c;
	struct pz_kmem_cache_stat st;
	struct pzl_slabinfo row;
	unsigned char *o;
	char buf[32];

	l.n = 0;
	l.m = &m;
	l.k = &k;
	pzl_slab_kernel_init(&k, PZL_LINUX_6_12, PZL_ARCH_X86_64, 12);
	if (!sm_lay_out(&m, t, 1))
		return;
	m.cfg.hooks.found = show_found;
	m.cfg.hooks.now = show_now;
	m.cfg.hooks.site = show_site;
	m.cfg.hooks.ctx = &l;
	if (!sm_make(&m))
		return;
	c = sm_cache(&m, "thing", 64, 0, full);
	o = pz_kmem_cache_alloc(c, 0, 0);
	o[64] = 0x5c;
	pz_kmem_cache_free(c, 0, o);
	CHECK(t, show_begins(&l, "BUG thing (Not tainted): Right Redzone overwritten"));
	CHECK(t, show_begins(&l, "Allocated in 0x1234 age=12 cpu=0 pid=0"));
	CHECK(t, show_begins(&l, "FIX thing: Restoring Right Redzone 0x"));
	l.n = 0;
	pz_kmem_cache_free(c, 0, o);
	CHECK(t, show_begins(&l, "BUG thing (Not tainted): Object already free"));
	CHECK(t, show_begins(&l, "Freed in 0x1234 age=12 cpu=0 pid=0"));
	l.n = 0;
	o[3] = 1;
	o = pz_kmem_cache_alloc(c, 0, 0);
	CHECK(t, show_begins(&l, "BUG thing (Not tainted): Poison overwritten"));
	pz_kmem_cache_stat(c, &st);
	CHECK(t, st.fenced == 1 && st.active == 2);
	pzl_slab_show_info(&st, &row);
	CHECK(t, row.active_objs == 2 && row.num_objs == st.objects &&
			 row.objsize == st.layout.stride && row.num_slabs == st.slabs);
	pzl_slab_show_attrs(&st, PZL_LINUX_6_12, PZL_SLAB_HAS_DEBUG, &a);
	CHECK(t, pzl_slab_attr_write(buf, sizeof(buf), &a, PZL_SA_OBJECT_SIZE) == 3 &&
			 buf[0] == '6' && buf[1] == '4');
	CHECK(t, pz_kmem_cache_destroy(c, NULL, NULL) == -PZ_EBUSY);
	pz_kmem_cache_free(c, 0, o);
	CHECK_NAMED(t, pz_kmem_cache_destroy(c, NULL, NULL) == 0,
		    "an object that is fenced off does not keep its cache");
	sm_close(&m);
}

void contract_linux_slab_show(struct tap *t)
{
	show_layouts(t);
	show_texts(t);
}
