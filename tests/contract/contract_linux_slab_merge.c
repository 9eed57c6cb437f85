/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab_merge.c - which slab caches there are after some were asked for. Expected
 * values are those of docs/facts/slab.md section 8.
 */
#include <physzone/linux/slab_merge.h>

#include "suites_decl.h"
#include "tap.h"

struct sm_case {
	const char *name;
	uint32_t size, align, flags;
	const char *lands; /* in the cache of this name */
	const char *directory;
	uint32_t object_size, names; /* of that cache, by then */
};

/* One after the other, in one kernel. */
static const struct sm_case sm_cases[] = {
	{ "first", 190, 0, 0, "first", ":0000192", 190, 1 },
	/* the same slots, and less than a word to spare */
	{ "same", 192, 0, 0, "first", ":0000192", 192, 2 },
	{ "smaller", 185, 0, 0, "first", ":0000192", 192, 3 },
	{ "small", 184, 0, 0, "small", ":0000184", 184, 1 },
	/* 192 is a multiple of 64, so an alignment that it is one of is had for nothing */
	{ "line", 130, 0, PZL_SLAB_HWCACHE_ALIGN, "first", ":0000192", 192, 4 },
	{ "aligned", 180, 128, 0, "aligned", ":0000256", 180, 1 },
	{ "table", 1024, 1024, PZL_SLAB_CACHE_DMA32, "table", ":D-0001024", 1024, 1 },
	{ "table too", 1024, 0, PZL_SLAB_CACHE_DMA32, "table", ":D-0001024", 1024, 2 },
	{ "no table", 1024, 0, 0, "no table", ":0001024", 1024, 1 },
	{ "all", 40, 0,
	  PZL_SLAB_CACHE_DMA | PZL_SLAB_RECLAIM_ACCOUNT | PZL_SLAB_ACCOUNT |
		  PZL_SLAB_CONSISTENCY_CHECKS,
	  "all", ":daFA-0000040", 40, 1 },
	/* checks do not keep caches apart */
	{ "unchecked", 40, 0, PZL_SLAB_CACHE_DMA | PZL_SLAB_RECLAIM_ACCOUNT | PZL_SLAB_ACCOUNT,
	  "all", ":daFA-0000040", 40, 2 },
	{ "ctor", 192, 0, PZL_SLAB_CTOR, "ctor", "ctor", 192, 1 },
	{ "rcu", 192, 0, PZL_SLAB_TYPESAFE_BY_RCU, "rcu", "rcu", 192, 1 },
	{ "window", 192, 0, PZL_SLAB_USERCOPY, "window", "window", 192, 1 },
	{ "apart", 192, 0, PZL_SLAB_NO_MERGE, "apart", "apart", 192, 1 },
	{ "leaks", 192, 0, PZL_SLAB_NOLEAKTRACE, "leaks", "leaks", 192, 1 },
	{ "last", 192, 0, 0, "first", ":0000192", 192, 5 },
};

static size_t sm_len(const char *s)
{
	size_t n = 0;

	while (s && s[n])
		n++;
	return n;
}

static bool sm_streq(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static struct pzl_slab_set sm_set(struct pz_slab_debug *d, const char *string,
				  struct pzl_slab_made *v, uint32_t cap)
{
	struct pzl_slab_kernel k;
	struct pzl_slab_set s;

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_X86_64, 0);
	if (string)
		pz_slab_debug_parse(d, string, sm_len(string), pzl_slab_debug_rules(k.model), NULL,
				    NULL);
	else
		pz_slab_debug_none(d, 0);
	pzl_slab_set_init(&s, &k, d, v, cap);
	return s;
}

static struct pzl_slab_request sm_request(const char *name, uint32_t size, uint32_t align,
					  uint32_t flags)
{
	struct pzl_slab_request r = { .name = name };

	r.cache.object_size = size;
	r.cache.align = align;
	r.cache.flags = flags;
	return r;
}

static void sm_sequence(struct tap *t)
{
	struct pzl_slab_made v[32];
	struct pz_slab_debug d;
	struct pzl_slab_set s = sm_set(&d, NULL, v, 32);
	char dir[32];

	for (size_t i = 0; i < sizeof(sm_cases) / sizeof(sm_cases[0]); i++) {
		const struct sm_case *c = &sm_cases[i];
		struct pzl_slab_request r = sm_request(c->name, c->size, c->align, c->flags);
		bool own = sm_streq(c->name, c->lands);
		uint32_t at = 99;

		CHECK_NAMED(t, pzl_slab_create(&s, &r, &at) == (own ? 0 : 1), c->name);
		CHECK_NAMED(t, at < s.n && sm_streq(v[at].name, c->lands), c->name);
		CHECK_NAMED(t, v[at].object_size == c->object_size && v[at].names == c->names,
			    c->name);
		pzl_slab_directory(dir, sizeof(dir), &s, at);
		CHECK_NAMED(t, sm_streq(dir, c->directory), c->directory);
	}
	CHECK(t, v[0].g.inuse == 192);
	CHECK(t, pzl_slab_directory(dir, 4, &s, 0) == 8 && sm_streq(dir, ":00"));
}

static void sm_off(struct tap *t)
{
	struct pzl_slab_request a = sm_request("a", 192, 0, 0), b = sm_request("b", 192, 0, 0);
	struct pzl_slab_request none = sm_request("none", 0, 0, 0);
	struct pzl_slab_made v[2];
	struct pz_slab_debug d;
	struct pzl_slab_set s = sm_set(&d, NULL, v, 2);
	char dir[32];
	uint32_t at;

	s.nomerge = true;
	CHECK(t, pzl_slab_create(&s, &a, &at) == 0 && pzl_slab_create(&s, &b, &at) == 0);
	CHECK(t, pzl_slab_directory(dir, sizeof(dir), &s, 1) == 1 && sm_streq(dir, "b"));
	/* full: a name for what is there still finds a place */
	CHECK(t, pzl_slab_create(&s, &b, &at) == -PZ_ENOSPC && s.n == 2);
	s.nomerge = false;
	CHECK(t, pzl_slab_create(&s, &b, &at) == 1 && at == 0 && v[0].names == 2);
	CHECK(t, pzl_slab_create(&s, &none, &at) == -PZ_EINVAL);
	/* nobody joins the caches that the allocator starts with, nor do they join others */
	s = sm_set(&d, NULL, v, 2);
	a.boot = a.fixed = true;
	b.boot = true;
	CHECK(t, pzl_slab_create(&s, &a, &at) == 0 && pzl_slab_create(&s, &b, &at) == 0);
	b.boot = false;
	CHECK(t, pzl_slab_create(&s, &b, &at) == 1 && at == 1);
	/* 6.12 built without hardened user copies */
	s = sm_set(&d, NULL, v, 2);
	a = sm_request("a", 192, 0, PZL_SLAB_USERCOPY);
	s.usercopy = false;
	CHECK(t, pzl_slab_create(&s, &a, &at) == 0 && pzl_slab_create(&s, &b, &at) == 1);
}

static void sm_debug(struct tap *t)
{
	struct pzl_slab_request a = sm_request("a", 192, 0, 0), b = sm_request("b", 192, 0, 0);
	struct pzl_slab_request page = sm_request("page", 4096, 0, 0);
	struct pzl_slab_made v[4];
	struct pz_slab_debug d;
	struct pzl_slab_set s = sm_set(&d, "Z,a", v, 4);
	uint32_t at;

	CHECK(t, pzl_slab_create(&s, &a, &at) == 0 && v[0].flags == PZL_SLAB_RED_ZONE);
	CHECK(t, pzl_slab_create(&s, &b, &at) == 0 && v[1].flags == 0 && v[0].g.size > 192);
	s = sm_set(&d, "FZPUO", v, 4);
	CHECK(t, pzl_slab_create(&s, &page, &at) == 0);
	CHECK(t, v[0].flags == PZL_SLAB_CONSISTENCY_CHECKS && v[0].g.size == 4096);
	CHECK(t, pzl_slab_create(&s, &a, &at) == 0 && pzl_slab_create(&s, &b, &at) == 0);
	CHECK(t, pzl_slab_debug_flags(&d, "x", PZL_SLAB_NOLEAKTRACE | PZL_SLAB_CTOR) ==
			 (PZL_SLAB_NOLEAKTRACE | PZL_SLAB_CTOR | PZL_SLAB_CONSISTENCY_CHECKS |
			  PZL_SLAB_RED_ZONE | PZL_SLAB_POISON));
	CHECK(t, pzl_slab_debug_rules(PZL_LINUX_5_15) & PZ_SLAB_DEBUG_ALL_CACHES);
	CHECK(t, !(pzl_slab_debug_rules(PZL_LINUX_6_12) & PZ_SLAB_DEBUG_ALL_CACHES));
}

void contract_linux_slab_merge(struct tap *t)
{
	sm_sequence(t);
	sm_off(t);
	sm_debug(t);
}
