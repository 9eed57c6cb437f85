/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_slab.c - slots and slabs of caches drawn at random: what must hold of every one of them.
 */
#include <string.h>

#include <physzone/linux/slab.h>

#include "prop.h"

static void draw_kernel(struct prop *p, struct pzl_slab_kernel *k)
{
	enum pzl_model model = (enum pzl_model)prop_choice(p, PZL_MODELS);
	enum pzl_arch arch = (enum pzl_arch)prop_choice(p, PZL_ARCHS);

	pzl_slab_kernel_init(k, model, arch, 12 + (uint32_t)prop_draw(p, 4));
	k->cache_line = 1u << prop_between(p, 0, 9);
	k->min_align = 1u << prop_between(p, 0, 4);
	k->track = (uint32_t)prop_draw(p, 200);
	k->cpus = (uint32_t)prop_between(p, 1, 1u << prop_draw(p, 13));
	k->min_objects = prop_choice(p, 3) == 2 ? (uint32_t)prop_draw(p, 70000) : 0;
	k->max_order = (uint32_t)prop_draw(p, 4);
	k->min_order = prop_choice(p, 3) == 2 ? (uint32_t)prop_draw(p, k->largest_order) : 0;
	k->cpu_partial = prop_choice(p, 2);
	k->debug_keeps_order = prop_choice(p, 4) == 3;
}

static void draw_cache(struct prop *p, const struct pzl_slab_kernel *k, struct pzl_slab_cache *c)
{
	memset(c, 0, sizeof(*c));
	c->object_size = 1 + (uint32_t)prop_draw(p, (1u << prop_between(p, 2, 21)) - 1);
	c->align = prop_choice(p, 2) ? 1u << prop_draw(p, 14) : 0;
	c->flags = (uint32_t)prop_draw(p, 0x1fff);
	if (k->model >= PZL_LINUX_6_12 && (c->flags & PZL_SLAB_TYPESAFE_BY_RCU) &&
	    prop_choice(p, 2)) {
		c->freeptr_given = true;
		c->freeptr = (uint32_t)prop_draw(p, c->object_size - 1) & ~(k->word - 1);
	}
}

/* Places in a slot, and slots in a slab. */
static bool prop_layout(struct prop *p, void *ctx)
{
	struct pzl_slab_geometry g;
	struct pzl_slab_kernel k;
	struct pzl_slab_cache c;
	uint64_t slab, object;
	int rc;

	(void)ctx;
	draw_kernel(p, &k);
	draw_cache(p, &k, &c);
	prop_note(p, "%s page %u word %u line %u cpus %u; object %u align %u flags %#x",
		  pzl_model_name(k.model), 1u << k.page_shift, k.word, k.cache_line, k.cpus,
		  c.object_size, c.align, c.flags);
	rc = pzl_slab_geometry(&k, &c, &g);
	PROP_ASSERT(p, rc == 0 || rc == -PZ_ERANGE);
	if (rc)
		return true;
	slab = 1ull << (k.page_shift + g.order);
	PROP_ASSERT(p, g.align >= c.align && g.align >= k.word && !(g.align & (g.align - 1)));
	PROP_ASSERT(p, !(g.size % g.align) && !(g.red_left_pad % g.align));
	PROP_ASSERT(p, g.order <= k.largest_order && g.objects && g.fallback_objects);
	PROP_ASSERT(p, g.objects <= 32767 || k.min_objects);
	PROP_ASSERT(p, (uint64_t)g.objects * g.size <= slab);
	PROP_ASSERT(p, slab - (uint64_t)g.objects * g.size < g.size);
	PROP_ASSERT(p, g.fallback_order <= g.order || k.min_order > k.max_order);
	PROP_ASSERT(p, g.inuse >= c.object_size && g.inuse <= g.size);
	PROP_ASSERT(p, !(g.offset % k.word));
	object = (uint64_t)g.red_left_pad + g.offset + k.word;
	PROP_ASSERT(p, object <= g.size);
	if (g.flags & PZL_SLAB_RED_ZONE)
		PROP_ASSERT(p, g.red_left_pad >= k.word && g.inuse > c.object_size);
	if (!(g.flags & PZL_SLAB_DEBUG_METADATA))
		PROP_ASSERT(p, g.size < (uint64_t)c.object_size + 2 * k.word + g.align);
	PROP_ASSERT(p, g.min_partial >= 5 && g.min_partial <= 10);
	PROP_ASSERT(p, !g.cpu_partial || (k.cpu_partial && !(g.flags & PZL_SLAB_DEBUG)));
	return true;
}

/* Requests of kmalloc(), and the caches that serve them. */
static bool prop_kmalloc(struct prop *p, void *ctx)
{
	struct pzl_slab_geometry g;
	struct pzl_slab_kernel k;
	struct pzl_slab_cache c;
	enum pzl_kmalloc_type type, read;
	uint32_t size, again, copy;
	struct pzl_kmalloc km;
	uint64_t request;
	char name[32];
	size_t n;

	(void)ctx;
	draw_kernel(p, &k);
	km.model = k.model;
	km.page_shift = k.page_shift;
	km.min_align = 1u << prop_between(p, 0, 8);
	km.min_align_now = prop_choice(p, 2) ? 1u << prop_draw(p, 8) : km.min_align;
	request = 1 + prop_draw(p, (1u << prop_between(p, 3, k.page_shift + 2)) - 1);
	type = (enum pzl_kmalloc_type)prop_choice(p, PZL_KMALLOC_RANDOM);
	prop_note(p, "request %llu, align %u %u", (unsigned long long)request, km.min_align,
		  km.min_align_now);
	if (request > 2ull << k.page_shift) {
		PROP_ASSERT(p, pzl_kmalloc_size(&km, request, &size) == -PZ_ERANGE);
		return true;
	}
	PROP_ASSERT(p, !pzl_kmalloc_size(&km, request, &size));
	PROP_ASSERT(p, size >= request && size >= km.min_align && size >= 8);
	PROP_ASSERT(p, !pzl_kmalloc_size(&km, size, &again) && again == size);
	PROP_ASSERT(p, !(size % km.min_align_now));

	n = pzl_kmalloc_name(name, sizeof(name), type, 0, size);
	PROP_ASSERT(p, !pzl_kmalloc_parse(name, n, &read, &copy, &again));
	PROP_ASSERT(p, read == type && again == size && copy == 0);

	PROP_ASSERT(p, !pzl_kmalloc_cache(&km, type, size, &c));
	c.flags |= (uint32_t)prop_draw(p, 31) << 8;
	if (pzl_slab_geometry(&k, &c, &g))
		return true;
	PROP_ASSERT(p, g.align >= km.min_align);
	/* Whatever debugging adds, powers of two lie at multiples of themselves. */
	if (!(size & (size - 1)))
		PROP_ASSERT(p, !(g.size % size) && !(g.red_left_pad % size));
	return true;
}

int main(void)
{
	prop_run("slots and slabs", prop_layout, NULL, 20000);
	prop_run("kmalloc()", prop_kmalloc, NULL, 20000);
	return prop_done();
}
