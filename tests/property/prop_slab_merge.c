/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_slab_merge.c - requests for slab caches in any order, against a second way to say where each
 * lands: from what a cache's slots must hold, looked for in a list of all that was ever asked for.
 */
#include <stdio.h>
#include <string.h>

#include <physzone/linux/slab_merge.h>

#include "prop.h"

#define REQUESTS 40

/* A request, and where it landed. */
struct asked {
	char name[16];
	struct pzl_slab_request r;
	uint32_t at;
	bool made;
};

static const uint32_t apart = PZL_SLAB_RED_ZONE | PZL_SLAB_POISON | PZL_SLAB_STORE_USER |
			      PZL_SLAB_TRACE | PZL_SLAB_FAILSLAB | PZL_SLAB_CTOR |
			      PZL_SLAB_TYPESAFE_BY_RCU | PZL_SLAB_NO_MERGE | PZL_SLAB_NOLEAKTRACE |
			      PZL_SLAB_USERCOPY;

static void draw(struct prop *p, struct asked *a, unsigned int i)
{
	static const uint32_t rare[] = { PZL_SLAB_CTOR,	    PZL_SLAB_TYPESAFE_BY_RCU,
					 PZL_SLAB_NO_MERGE, PZL_SLAB_NOLEAKTRACE,
					 PZL_SLAB_USERCOPY, PZL_SLAB_RED_ZONE,
					 PZL_SLAB_FAILSLAB };
	static const uint32_t kinds[] = { 0, PZL_SLAB_CACHE_DMA32, PZL_SLAB_ACCOUNT,
					  PZL_SLAB_RECLAIM_ACCOUNT };

	memset(a, 0, sizeof(*a));
	snprintf(a->name, sizeof(a->name), "%s%u", prop_choice(p, 8) ? "c" : "named", i);
	a->r.name = a->name;
	/* Few sizes, so that they meet. */
	a->r.cache.object_size = (uint32_t)(8 * prop_between(p, 1, 12) - prop_draw(p, 7));
	a->r.cache.align = prop_choice(p, 4) ? 0 : 1u << prop_draw(p, 7);
	a->r.cache.flags = kinds[prop_choice(p, 4)];
	if (!prop_choice(p, 3))
		a->r.cache.flags |= PZL_SLAB_HWCACHE_ALIGN;
	if (!prop_choice(p, 4))
		a->r.cache.flags |= rare[prop_choice(p, 7)];
	if (!prop_choice(p, 8))
		a->r.cache.flags |= PZL_SLAB_CONSISTENCY_CHECKS;
	a->r.boot = !prop_choice(p, 12);
	a->r.fixed = a->r.boot && prop_choice(p, 2);
}

static bool free_to_merge(const struct pzl_slab_set *s, const struct asked *a, bool debugged)
{
	const uint32_t flags = a->r.cache.flags | (debugged ? PZL_SLAB_POISON : 0);

	return !s->nomerge && !(flags & apart & ~(s->usercopy ? 0 : PZL_SLAB_USERCOPY));
}

/* A cache to be merged into is one whose first request could be merged itself. */
static const struct asked *naive(const struct pzl_slab_set *s, const struct asked *all,
				 unsigned int n, const struct asked *a, bool named)
{
	const uint32_t same = PZL_SLAB_RECLAIM_ACCOUNT | PZL_SLAB_CACHE_DMA | PZL_SLAB_CACHE_DMA32 |
			      PZL_SLAB_ACCOUNT;
	uint32_t words = (a->r.cache.object_size + s->k.word - 1) / s->k.word;
	uint32_t align =
		pzl_slab_align(&s->k, a->r.cache.flags, a->r.cache.align, words * s->k.word);

	if (a->r.boot || !free_to_merge(s, a, named && a->name[0] == 'n'))
		return NULL;
	for (unsigned int i = 0; i < n; i++) {
		const uint32_t slot = s->v[all[i].at].g.size;
		uint32_t need = words * s->k.word;

		while (need % align)
			need += s->k.word;
		if (!all[i].made || all[i].r.fixed ||
		    !free_to_merge(s, &all[i], named && all[i].name[0] == 'n'))
			continue;
		if ((all[i].r.cache.flags & same) == (a->r.cache.flags & same) &&
		    slot % align == 0 && slot >= need && slot < need + s->k.word)
			return &all[i];
	}
	return NULL;
}

static bool lands(struct prop *p, void *ctx)
{
	static struct asked all[REQUESTS];
	static struct pzl_slab_made made[REQUESTS];
	const bool named = !prop_choice(p, 3);
	unsigned int n = (unsigned int)prop_between(p, 1, REQUESTS);
	struct pzl_slab_kernel k;
	struct pz_slab_debug d;
	struct pzl_slab_set s;

	(void)ctx;
	pzl_slab_kernel_init(&k, prop_choice(p, 2) ? PZL_LINUX_6_1 : PZL_LINUX_6_12,
			     prop_choice(p, 2) ? PZL_ARCH_X86_64 : PZL_ARCH_I386, 0);
	pz_slab_debug_parse(&d, named ? "P,named*" : "-", named ? 8 : 1, 0, NULL, NULL);
	pzl_slab_set_init(&s, &k, &d, made, REQUESTS);
	s.nomerge = !prop_choice(p, 10);
	s.usercopy = prop_choice(p, 4) != 0;
	for (unsigned int i = 0; i < n; i++) {
		const struct asked *want;
		uint32_t before = s.n;
		char dir[64];
		int err;

		draw(p, &all[i], i);
		want = naive(&s, all, i, &all[i], named);
		err = pzl_slab_create(&s, &all[i].r, &all[i].at);
		prop_note(p, "%s: size %u align %u flags %#x: %d at %u, naive %s", all[i].name,
			  all[i].r.cache.object_size, all[i].r.cache.align, all[i].r.cache.flags,
			  err, all[i].at, want ? want->name : "a new one");
		all[i].made = !err;
		PROP_ASSERT(p, err == (want ? 1 : 0) && s.n == before + !want);
		PROP_ASSERT(p, all[i].at == (want ? want->at : before));
		PROP_ASSERT(p, made[all[i].at].object_size >= all[i].r.cache.object_size);
		PROP_ASSERT(p, made[all[i].at].g.inuse >= all[i].r.cache.object_size);
		pzl_slab_directory(dir, sizeof(dir), &s, all[i].at);
		PROP_ASSERT(p, (dir[0] == ':') == pzl_slab_mergeable(&s, all[i].at));
	}
	return true;
}

int main(void)
{
	prop_run("each request lands where a second search says", lands, NULL, 6000);
	return prop_done();
}
