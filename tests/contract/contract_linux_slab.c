/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab.c - slots, slabs and kmalloc()'s caches, against docs/facts/slab.md sections
 * 3, 4, 5, 7 and 12.
 */
#include <physzone/linux/gfp.h>
#include <physzone/linux/slab.h>

#include "suites_decl.h"
#include "tap.h"

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))
#define F PZL_SLAB_CONSISTENCY_CHECKS
#define Z PZL_SLAB_RED_ZONE
#define P PZL_SLAB_POISON
#define U PZL_SLAB_STORE_USER

static const enum pzl_model slab_models[] = { PZL_LINUX_5_15, PZL_LINUX_6_1, PZL_LINUX_6_12 };

static bool slab_equal(const char *a, const char *b)
{
	size_t i;

	for (i = 0; a[i] && a[i] == b[i]; i++)
		continue;
	return a[i] == b[i];
}

static size_t slab_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* A cache on x86_64; all of the geometry is 0 when it is refused. */
static struct pzl_slab_geometry slab_of(enum pzl_model model, uint32_t cpus, uint32_t size,
					uint32_t align, uint32_t flags)
{
	struct pzl_slab_cache c = { .object_size = size, .align = align, .flags = flags };
	struct pzl_slab_geometry g = { 0 };
	struct pzl_slab_kernel k;

	pzl_slab_kernel_init(&k, model, PZL_ARCH_X86_64, 0);
	k.cpus = cpus;
	(void)pzl_slab_geometry(&k, &c, &g);
	return g;
}

static void slab_alignment(struct tap *t)
{
	static const struct {
		uint32_t size, align, flags, is;
	} rows[] = {
		{ 20, 0, PZL_SLAB_HWCACHE_ALIGN, 32 },
		{ 33, 0, PZL_SLAB_HWCACHE_ALIGN, 64 },
		{ 32, 0, PZL_SLAB_HWCACHE_ALIGN, 32 },
		{ 8, 0, PZL_SLAB_HWCACHE_ALIGN, 8 },
		{ 1, 0, PZL_SLAB_HWCACHE_ALIGN, 8 },
		{ 1000, 0, PZL_SLAB_HWCACHE_ALIGN, 64 },
		{ 20, 64, PZL_SLAB_HWCACHE_ALIGN, 64 },
		{ 4096, 0, 0, 8 },
		{ 1024, 1024, 0, 1024 },
		{ 100, 4, 0, 8 },
	};
	struct pzl_slab_kernel k;
	bool ok = true, same = true;

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12);
	for (size_t i = 0; i < ROWS(rows); i++) {
		uint32_t a = pzl_slab_align(&k, rows[i].flags, rows[i].align, rows[i].size);

		ok = ok && a == rows[i].is;
		same = same && pzl_slab_align(&k, rows[i].flags, a, rows[i].size) == a;
	}
	CHECK_NAMED(t, ok, "alignment: to the cache line or a part of it, to what is asked, to 8");
	CHECK_NAMED(t, same, "alignment of an alignment is itself");
	k.min_align = 16;
	CHECK(t, pzl_slab_align(&k, 0, 0, 8) == 16);
	k.word = 4;
	k.min_align = 2;
	CHECK_NAMED(t, pzl_slab_align(&k, 0, 0, 8) == 4, "a word at least");
	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_S390, 0);
	CHECK(t, pzl_slab_align(&k, PZL_SLAB_HWCACHE_ALIGN, 0, 129) == 256);
}

/* The strides of the table: full debugging, then each option alone. */
static void slab_strides(struct tap *t)
{
	static const uint32_t options[] = { F | Z | P | U, Z, P, U, F, 0 };
	static const struct {
		uint32_t model, size, align, flags, is[ROWS(options)];
	} rows[] = {
		{ PZL_LINUX_6_1, 8, 8, PZL_SLAB_KMALLOC, { 112, 32, 16, 80, 8, 8 } },
		{ PZL_LINUX_6_1, 64, 64, PZL_SLAB_KMALLOC, { 256, 192, 128, 192, 64, 64 } },
		{ PZL_LINUX_6_1, 96, 8, PZL_SLAB_KMALLOC, { 200, 120, 104, 168, 96, 96 } },
		{ PZL_LINUX_6_1, 128, 128, PZL_SLAB_KMALLOC, { 384, 384, 256, 256, 128, 128 } },
		{ PZL_LINUX_6_1, 192, 8, PZL_SLAB_KMALLOC, { 296, 216, 200, 264, 192, 192 } },
		{ PZL_LINUX_6_1, 1024, 1024, 0, { 3072, 3072, 2048, 2048, 1024, 1024 } },
		{ PZL_LINUX_6_1,
		  4096,
		  4096,
		  PZL_SLAB_KMALLOC,
		  { 12288, 12288, 8192, 8192, 4096, 4096 } },
		{ PZL_LINUX_6_1, 100, 0, 0, { 192, 120, 112, 168, 104, 104 } },
		{ PZL_LINUX_6_12, 8, 8, PZL_SLAB_KMALLOC, { 112, 32, 16, 80, 8, 8 } },
		{ PZL_LINUX_6_12, 64, 64, PZL_SLAB_KMALLOC, { 256, 192, 128, 192, 64, 64 } },
		{ PZL_LINUX_6_12, 96, 32, PZL_SLAB_KMALLOC, { 224, 160, 128, 192, 96, 96 } },
		{ PZL_LINUX_6_12, 128, 128, PZL_SLAB_KMALLOC, { 384, 384, 256, 256, 128, 128 } },
		{ PZL_LINUX_6_12, 192, 64, PZL_SLAB_KMALLOC, { 384, 320, 256, 320, 192, 192 } },
		{ PZL_LINUX_6_12, 1024, 1024, 0, { 3072, 3072, 2048, 2048, 1024, 1024 } },
		{ PZL_LINUX_6_12, 100, 0, 0, { 192, 120, 112, 168, 104, 104 } },
	};
	bool ok = true;

	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t o = 0; o < ROWS(options); o++) {
			struct pzl_slab_geometry g =
				slab_of((enum pzl_model)rows[i].model, 1, rows[i].size,
					rows[i].align, rows[i].flags | options[o]);

			ok = ok && g.size == rows[i].is[o] &&
			     g.objects == (4096u << g.order) / g.size;
		}
	CHECK_NAMED(t, ok, "strides of each debug option, as in the table");
	CHECK_NAMED(t,
		    slab_of(PZL_LINUX_6_1, 1, 1024, 1024, F | Z | P | U).size == 3072 &&
			    slab_of(PZL_LINUX_6_12, 1, 1024, 1024, F | Z | P | U).size == 3072,
		    "1024 bytes aligned to 1024 with full debugging are 3072 apart");
}

/* Where things lie in a slot. */
static void slab_slots(struct tap *t)
{
	const uint32_t full = F | Z | P | U;
	struct pzl_slab_geometry g = slab_of(PZL_LINUX_6_1, 1, 1024, 1024, full);
	struct pzl_slab_cache c = { .object_size = 232, .flags = PZL_SLAB_TYPESAFE_BY_RCU };
	struct pzl_slab_kernel k;

	CHECK(t, g.inuse == 1032 && g.offset == 1032 && g.red_left_pad == 1024);
	CHECK(t, g.poisons_objects && g.flags == full);
	g = slab_of(PZL_LINUX_6_1, 1, 100, 0, 0);
	CHECK_NAMED(t, g.inuse == 104 && g.offset == 48 && !g.red_left_pad && !g.poisons_objects,
		    "the free pointer lies in the middle of the object");
	g = slab_of(PZL_LINUX_6_1, 1, 100, 0, Z);
	CHECK_NAMED(t, g.inuse == 104 && g.offset == 48 && g.red_left_pad == 8,
		    "the gap behind the object is its red zone");
	g = slab_of(PZL_LINUX_6_1, 1, 96, 0, PZL_SLAB_TYPESAFE_BY_RCU | P);
	CHECK_NAMED(t, g.size == 104 && g.offset == 96 && !g.poisons_objects,
		    "objects that may be read when free are not filled");
	CHECK(t, slab_of(PZL_LINUX_6_1, 1, 96, 0, PZL_SLAB_CTOR).size == 104);
	CHECK(t, slab_of(PZL_LINUX_6_1, 1, 4, 0, Z).offset == 8);
	CHECK(t, slab_of(PZL_LINUX_6_1, 1, 4, 0, 0).offset == 0);
	CHECK(t, slab_of(PZL_LINUX_6_1, 1, 64, 64, PZL_SLAB_KMALLOC | Z | U).offset == 32);
	CHECK_NAMED(t, slab_of(PZL_LINUX_6_12, 1, 64, 64, PZL_SLAB_KMALLOC | Z | U).offset == 72,
		    "6.12 moves it where the size asked for is kept in red zones");

	pzl_slab_kernel_init(&k, PZL_LINUX_6_12, PZL_ARCH_X86_64, 12);
	c.freeptr_given = true;
	c.freeptr = 16;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.size == 232 && g.offset == 16);
	c.freeptr = 12;
	CHECK(t, pzl_slab_geometry(&k, &c, &g) == -PZ_EINVAL);
	c.freeptr = 232;
	CHECK(t, pzl_slab_geometry(&k, &c, &g) == -PZ_EINVAL);
	c.freeptr = 16;
	c.flags = 0;
	CHECK(t, pzl_slab_geometry(&k, &c, &g) == -PZ_EINVAL);
	c.flags = PZL_SLAB_TYPESAFE_BY_RCU;
	k.model = PZL_LINUX_6_1;
	CHECK(t, pzl_slab_geometry(&k, &c, &g) == -PZ_EINVAL);

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_I386, 12);
	c = (struct pzl_slab_cache){ .object_size = 28, .flags = full };
	CHECK_NAMED(t,
		    k.word == 4 && k.track == 20 && !pzl_slab_geometry(&k, &c, &g) &&
			    g.inuse == 32 && g.offset == 32 && g.red_left_pad == 8 && g.size == 88,
		    "32 bits: words of 4, records of 20");
}

static void slab_orders(struct tap *t)
{
	static const struct {
		uint32_t cpus, size, order;
	} rows[] = {
		{ 1, 8, 0 },	{ 1, 512, 0 }, { 1, 1024, 1 }, { 1, 2048, 2 }, { 1, 4096, 3 },
		{ 1, 8192, 3 }, { 4, 192, 0 }, { 4, 512, 1 },  { 4, 1024, 2 }, { 4, 2048, 3 },
		{ 4, 4096, 3 }, { 8, 256, 1 }, { 8, 512, 2 },  { 8, 1024, 3 }, { 64, 192, 1 },
	};
	unsigned int differ = 0, first = 0;
	struct pzl_slab_geometry g;
	bool ok = true;

	for (size_t m = 0; m < ROWS(slab_models); m++)
		for (size_t i = 0; i < ROWS(rows); i++)
			ok = ok &&
			     slab_of(slab_models[m], rows[i].cpus, rows[i].size, 0, 0).order ==
				     rows[i].order;
	CHECK_NAMED(t, ok, "orders of the table, in every model");

	for (uint32_t size = 8; size < 40000; size += 8) {
		g = slab_of(PZL_LINUX_6_1, 4, size, 0, 0);
		if (g.order == slab_of(PZL_LINUX_6_12, 4, size, 0, 0).order)
			continue;
		first = first ? first : size;
		differ++;
	}
	CHECK(t, first == 10928 && differ == 170);
	CHECK(t, slab_of(PZL_LINUX_6_1, 4, 10928, 0, 0).order == 2);
	CHECK(t, slab_of(PZL_LINUX_6_12, 4, 10928, 0, 0).order == 3);

	g = slab_of(PZL_LINUX_6_1, 1, 640, 0, 0);
	CHECK(t, g.order == 1 && g.objects == 12 && !g.fallback_order && g.fallback_objects == 6);
	g = slab_of(PZL_LINUX_6_1, 1, 40000, 0, 0);
	CHECK_NAMED(t, g.order == 4 && g.objects == 1 && g.fallback_order == 4,
		    "what no usual slab holds has one of its own order");
}

static void slab_parameters(struct tap *t)
{
	struct pzl_slab_cache c = { .object_size = 8 };
	struct pzl_slab_geometry g;
	struct pzl_slab_kernel k;

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_POWERPC64, 16);
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && !g.order && g.objects == 8192);
	k.min_order = 3;
	CHECK_NAMED(t, !pzl_slab_geometry(&k, &c, &g) && g.order == 1,
		    "a slab has 32767 objects at most");
	k.model = PZL_LINUX_6_12;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.order == 1);

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12);
	c.object_size = 512;
	k.min_objects = 32;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.order == 2 && g.objects == 32);
	k.max_order = 1;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.order == 1 && g.objects == 16);
	k.max_order = 3;
	k.min_objects = 0;
	k.min_order = 2;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.order == 2);

	/* slub_debug=O: what debugging made larger than its order loses it. */
	k.min_order = 0;
	k.debug_keeps_order = true;
	c = (struct pzl_slab_cache){ 4096, 4096, PZL_SLAB_KMALLOC | F | Z | P | U, false, 0 };
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.size == 4096 && g.inuse == 4096 &&
			 g.offset == 2048 && !g.red_left_pad && !g.poisons_objects);
	CHECK(t, g.flags == (PZL_SLAB_KMALLOC | F) && !g.cpu_partial);
	c.object_size = 64;
	c.align = 64;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.size == 256 && g.flags == c.flags);
	k.debug_keeps_order = false;
}

static void slab_partials(struct tap *t)
{
	static const struct {
		uint32_t size, min, cpu, slabs, cpu_5_15;
	} rows[] = {
		{ 8, 5, 120, 1, 30 },	    { 64, 5, 120, 4, 30 },   { 248, 5, 120, 15, 30 },
		{ 256, 5, 52, 7, 13 },	    { 1016, 5, 52, 13, 13 }, { 1024, 5, 24, 6, 6 },
		{ 4088, 5, 24, 6, 6 },	    { 4096, 6, 6, 2, 2 },    { 16384, 7, 6, 6, 2 },
		{ 1u << 20, 10, 6, 12, 2 },
	};
	struct pzl_slab_geometry g, old;
	bool ok = true;

	for (size_t i = 0; i < ROWS(rows); i++) {
		g = slab_of(PZL_LINUX_6_1, 1, rows[i].size, 0, 0);
		old = slab_of(PZL_LINUX_5_15, 1, rows[i].size, 0, 0);
		ok = ok && g.min_partial == rows[i].min && g.cpu_partial == rows[i].cpu &&
		     g.cpu_partial_slabs == rows[i].slabs && old.cpu_partial == rows[i].cpu_5_15;
	}
	CHECK_NAMED(t, ok, "what nodes and CPUs keep of partial slabs");
	CHECK(t, !slab_of(PZL_LINUX_6_1, 1, 64, 0, F).cpu_partial);
}

static void slab_kernels(struct tap *t)
{
	static const char line[] = "SLUB: HWalign=128, Order=1-2, MinObjects=16, CPUs=12, Nodes=2";
	static const char *const bad[] = {
		"SLUB: HWalign=, Order=0-3, MinObjects=0, CPUs=1, Nodes=1",
		"SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=1",
		"SLUB: HWalign=64, Order=0, MinObjects=0, CPUs=1, Nodes=1",
		"SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=1234567890, Nodes=1",
		"SLUB",
		"",
	};
	struct pzl_slab_geometry g = { .size = 7 };
	struct pzl_slab_cache c = { 64, 0, 0, false, 0 };
	struct pzl_slab_kernel k, other;
	bool ok = true;

	pzl_slab_kernel_init(&k, PZL_LINUX_6_12, PZL_ARCH_ARM64, 0);
	CHECK(t, k.page_shift == 12 && k.word == 8 && k.track == 32 && k.cpus == 1);
	CHECK(t, !pzl_slab_kernel_read(&k, line, sizeof(line) - 1) && k.cache_line == 128 &&
			 k.min_order == 1 && k.max_order == 2 && k.min_objects == 16 &&
			 k.cpus == 12);
	for (size_t i = 0; i < ROWS(bad); i++)
		ok = ok && pzl_slab_kernel_read(&k, bad[i], slab_len(bad[i])) == -PZ_EINVAL &&
		     k.cpus == 12 && k.cache_line == 128;
	CHECK_NAMED(t, ok, "a line that is not that line changes nothing");
	pzl_slab_kernel_init(&k, PZL_LINUX_5_15, PZL_ARCH_X86_64, 0);
	CHECK_NAMED(t,
		    k.track == 152 &&
			    slab_of(PZL_LINUX_5_15, 1, 8, 8, PZL_SLAB_KMALLOC | Z | P | U).size ==
				    344,
		    "5.15 keeps stacks in the record, and no size that was asked for");

#define REFUSED(field, value, rc) \
	(other = k, other.field = (value), pzl_slab_geometry(&other, &c, &g) == (rc) && g.size == 7)
	CHECK(t, REFUSED(model, PZL_MODELS, -PZ_EINVAL));
	CHECK(t, REFUSED(page_shift, 11, -PZ_EINVAL) && REFUSED(page_shift, 17, -PZ_EINVAL));
	CHECK(t, REFUSED(word, 2, -PZ_EINVAL) && REFUSED(cpus, 0, -PZ_EINVAL));
	CHECK(t, REFUSED(cache_line, 48, -PZ_EINVAL) && REFUSED(cache_line, 0, -PZ_EINVAL));
	CHECK(t, REFUSED(min_align, 12, -PZ_EINVAL) && REFUSED(track, 8192, -PZ_EINVAL));
	CHECK(t, REFUSED(max_order, 11, -PZ_EINVAL) && REFUSED(min_order, 11, -PZ_EINVAL));
	CHECK(t, REFUSED(largest_order, 25, -PZ_EINVAL));
	c.object_size = 0;
	CHECK(t, REFUSED(cpus, 1, -PZ_EINVAL));
	c.object_size = 4u << 20;
	CHECK(t, !pzl_slab_geometry(&k, &c, &g) && g.order == 10);
	g.size = 7;
	c.object_size++;
	CHECK(t, REFUSED(cpus, 1, -PZ_ERANGE));
	c.object_size = UINT32_MAX;
	CHECK(t, REFUSED(cpus, 1, -PZ_EINVAL));
	c.object_size = 64;
	c.align = 24;
	CHECK(t, REFUSED(cpus, 1, -PZ_EINVAL));
	c.align = 1u << 30;
	c.flags = Z;
	CHECK(t, REFUSED(cpus, 1, -PZ_ERANGE));
#undef REFUSED
}

/* Whether the sizes of kmalloc()'s caches are those of a list that ends with 0. */
static bool slab_sizes(const struct pzl_kmalloc *km, const uint32_t *want)
{
	uint32_t size = 0;

	while (!pzl_kmalloc_size(km, (uint64_t)size + 1, &size))
		if (size != *want++)
			return false;
	return !*want;
}

static void slab_kmalloc(struct tap *t)
{
	static const uint32_t all[] = { 8,   16,  32,	64,   96,   128,  192,
					256, 512, 1024, 2048, 4096, 8192, 0 };
	static const uint32_t min64[] = { 64, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 0 };
	static const uint32_t min128[] = { 128, 256, 512, 1024, 2048, 4096, 8192, 0 };
	static const uint32_t pages16k[] = { 8,	  16,	32,   64,   96,	  128,	 192,	256,
					     512, 1024, 2048, 4096, 8192, 16384, 32768, 0 };
	static const struct {
		uint32_t asked, is;
	} rows[] = {
		{ 1, 8 },     { 8, 8 },	    { 9, 16 },	  { 24, 32 },	  { 33, 64 },
		{ 64, 64 },   { 65, 96 },   { 96, 96 },	  { 97, 128 },	  { 129, 192 },
		{ 192, 192 }, { 193, 256 }, { 257, 512 }, { 4097, 8192 },
	};
	struct pzl_kmalloc km;
	uint32_t size = 7;
	bool ok = true;

	pzl_kmalloc_init(&km, PZL_LINUX_6_1, PZL_ARCH_X86_64, 0);
	for (size_t i = 0; i < ROWS(rows); i++)
		ok = ok && !pzl_kmalloc_size(&km, rows[i].asked, &size) && size == rows[i].is;
	CHECK_NAMED(t, ok, "sizes for requests");
	size = 7;
	CHECK(t, pzl_kmalloc_size(&km, 0, &size) == -PZ_EINVAL && size == 7);
	CHECK(t, pzl_kmalloc_size(&km, 8193, &size) == -PZ_ERANGE && size == 7);
	CHECK(t, pzl_kmalloc_size(&km, UINT64_MAX, &size) == -PZ_ERANGE && size == 7);
	CHECK(t, slab_sizes(&km, all));
	pzl_kmalloc_init(&km, PZL_LINUX_6_1, PZL_ARCH_ARM, 0);
	CHECK(t, slab_sizes(&km, min64));
	pzl_kmalloc_init(&km, PZL_LINUX_6_1, PZL_ARCH_ARM64, 0);
	CHECK(t, slab_sizes(&km, min128));
	pzl_kmalloc_init(&km, PZL_LINUX_6_12, PZL_ARCH_ARM64, 14);
	CHECK(t, slab_sizes(&km, pages16k));
	km.page_shift = 12;
	CHECK(t, slab_sizes(&km, all));
	km.min_align_now = 64;
	CHECK_NAMED(t, slab_sizes(&km, min64), "without bounce buffers small sizes are larger");
	km.min_align_now = 128;
	CHECK(t, slab_sizes(&km, min128));
}

static void slab_kmalloc_caches(struct tap *t)
{
	const uint32_t most =
		PZL_KMALLOC_BIT(PZL_KMALLOC_DMA) | PZL_KMALLOC_BIT(PZL_KMALLOC_CGROUP);
	struct pzl_slab_cache c = { .object_size = 7 };
	struct pzl_kmalloc km;

	pzl_kmalloc_init(&km, PZL_LINUX_6_1, PZL_ARCH_X86_64, 0);
	CHECK(t, !pzl_kmalloc_cache(&km, PZL_KMALLOC_NORMAL, 1024, &c) && c.align == 1024 &&
			 c.object_size == 1024 && c.flags == PZL_SLAB_KMALLOC);
	CHECK(t, !pzl_kmalloc_cache(&km, PZL_KMALLOC_DMA, 96, &c) && c.align == 8 &&
			 c.flags == (PZL_SLAB_KMALLOC | PZL_SLAB_CACHE_DMA));
	CHECK(t, !pzl_kmalloc_cache(&km, PZL_KMALLOC_RECLAIM, 192, &c) && c.align == 8 &&
			 c.flags == (PZL_SLAB_KMALLOC | PZL_SLAB_RECLAIM_ACCOUNT));
	CHECK(t, pzl_kmalloc_cache(&km, PZL_KMALLOC_NORMAL, 100, &c) == -PZ_ENOENT);
	CHECK(t, pzl_kmalloc_cache(&km, PZL_KMALLOC_NORMAL, 0, &c) == -PZ_ENOENT);
	CHECK(t, pzl_kmalloc_cache(&km, PZL_KMALLOC_RANDOM, 8, &c) == -PZ_ENOENT);
	CHECK(t, pzl_kmalloc_cache(&km, PZL_KMALLOC_TYPES, 8, &c) == -PZ_ENOENT);
	CHECK(t, c.object_size == 192);
	km.model = PZL_LINUX_6_12;
	CHECK(t, !pzl_kmalloc_cache(&km, PZL_KMALLOC_CGROUP, 96, &c) && c.align == 32 &&
			 c.flags == (PZL_SLAB_KMALLOC | PZL_SLAB_ACCOUNT));
	CHECK(t, !pzl_kmalloc_cache(&km, PZL_KMALLOC_RANDOM, 192, &c) && c.align == 64);

	CHECK(t, pzl_kmalloc_type(PZL_GFP_KERNEL, most) == PZL_KMALLOC_NORMAL);
	CHECK(t, pzl_kmalloc_type(PZL_GFP_KERNEL_ACCOUNT, most) == PZL_KMALLOC_CGROUP);
	CHECK(t, pzl_kmalloc_type(PZL_GFP_KERNEL_ACCOUNT, 0) == PZL_KMALLOC_NORMAL);
	CHECK(t,
	      pzl_kmalloc_type(PZL_GFP_RECLAIMABLE | PZL_GFP_ACCOUNT, most) == PZL_KMALLOC_RECLAIM);
	CHECK(t, pzl_kmalloc_type(PZL_GFP_DMA | PZL_GFP_RECLAIMABLE, most) == PZL_KMALLOC_DMA);
	CHECK(t, pzl_kmalloc_type(PZL_GFP_DMA | PZL_GFP_RECLAIMABLE, 0) == PZL_KMALLOC_RECLAIM);
}

static void slab_names(struct tap *t)
{
	static const struct {
		const char *name;
		enum pzl_kmalloc_type type;
		uint32_t copy, size;
	} rows[] = {
		{ "kmalloc-8", PZL_KMALLOC_NORMAL, 0, 8 },
		{ "kmalloc-96", PZL_KMALLOC_NORMAL, 0, 96 },
		{ "kmalloc-512", PZL_KMALLOC_NORMAL, 0, 512 },
		{ "kmalloc-1k", PZL_KMALLOC_NORMAL, 0, 1024 },
		{ "kmalloc-128k", PZL_KMALLOC_NORMAL, 0, 128 * 1024 },
		{ "kmalloc-2M", PZL_KMALLOC_NORMAL, 0, 2 * 1024 * 1024 },
		{ "dma-kmalloc-192", PZL_KMALLOC_DMA, 0, 192 },
		{ "kmalloc-rcl-8k", PZL_KMALLOC_RECLAIM, 0, 8192 },
		{ "kmalloc-cg-16", PZL_KMALLOC_CGROUP, 0, 16 },
		{ "kmalloc-rnd-01-4k", PZL_KMALLOC_RANDOM, 1, 4096 },
		{ "kmalloc-rnd-15-96", PZL_KMALLOC_RANDOM, 15, 96 },
	};
	static const char *const bad[] = {
		"kmalloc-1024",
		"kmalloc-",
		"kmalloc-100",
		"kmalloc_buckets",
		"kmalloc-8 ",
		"kmalloc-4",
		"kmalloc",
		"kmalloc-1K",
		"kmalloc-rnd-16-8",
		"kmalloc-rnd-1-8",
		"kmalloc-08",
		"kmalloc-rnd-01",
		"",
	};
	enum pzl_kmalloc_type type;
	uint32_t copy, size;
	bool ok = true;
	char s[32];

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t n = pzl_kmalloc_name(s, sizeof(s), rows[i].type, rows[i].copy, rows[i].size);

		ok = ok && slab_equal(s, rows[i].name) && n == slab_len(s) &&
		     !pzl_kmalloc_parse(s, n, &type, &copy, &size) && type == rows[i].type &&
		     copy == rows[i].copy && size == rows[i].size;
	}
	CHECK_NAMED(t, ok, "names are written and read");
	ok = true;
	for (size_t i = 0; i < ROWS(bad); i++)
		ok = ok &&
		     pzl_kmalloc_parse(bad[i], slab_len(bad[i]), &type, &copy, &size) == -PZ_ENOENT;
	CHECK_NAMED(t, ok, "other names are none");
	CHECK(t, pzl_kmalloc_name(s, 4, PZL_KMALLOC_NORMAL, 0, 8) == 9 && slab_equal(s, "kma"));
}

void contract_linux_slab(struct tap *t)
{
	slab_alignment(t);
	slab_strides(t);
	slab_slots(t);
	slab_orders(t);
	slab_parameters(t);
	slab_partials(t);
	slab_kernels(t);
	slab_kmalloc(t);
	slab_kmalloc_caches(t);
	slab_names(t);
}
