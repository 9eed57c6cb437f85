/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_boot.c - the first slab caches of a Linux kernel.
 *
 * Concept: a list is walked that is nowhere stored: sets of kmalloc() in the order of the version,
 * in each the sizes in the order of the version. A cache is handed to the list when it is there.
 *
 * Invariants: 1. names differ; 2. each cache can be laid out by pzl_slab_geometry().
 *
 * Failure: none.
 *
 * Shortcomings: the sizes of descriptors depend on more of a kernel's configuration than is known
 * here. The caches of kmem_buckets, which 6.12 makes a little later, are not among these.
 */
#include <physzone/fmt.h>
#include <physzone/linux/gfp.h>
#include <physzone/linux/slab_boot.h>

#include "pzl_text.h"

#define BOOT_LEAST 8u

/* Sets in the order in which they are made. */
static const enum pzl_kmalloc_type boot_order_old[] = { PZL_KMALLOC_NORMAL, PZL_KMALLOC_CGROUP,
							PZL_KMALLOC_RECLAIM, PZL_KMALLOC_DMA };
static const enum pzl_kmalloc_type boot_order_new[] = { PZL_KMALLOC_NORMAL, PZL_KMALLOC_RANDOM,
							PZL_KMALLOC_RECLAIM, PZL_KMALLOC_DMA,
							PZL_KMALLOC_CGROUP };

void pzl_slab_boot_init(struct pzl_slab_boot *b, enum pzl_model model, enum pzl_arch arch,
			uint32_t page_shift, uint32_t configured, uint32_t nodes)
{
	pzl_slab_kernel_init(&b->k, model, arch, page_shift);
	pzl_kmalloc_init(&b->km, model, arch, page_shift);
	b->types = PZL_KMALLOC_BIT(PZL_KMALLOC_NORMAL) | PZL_KMALLOC_BIT(PZL_KMALLOC_RECLAIM) |
		   PZL_KMALLOC_BIT(PZL_KMALLOC_CGROUP);
	if (configured & PZL_ZONE_BIT(PZ_ZONE_DMA))
		b->types |= PZL_KMALLOC_BIT(PZL_KMALLOC_DMA);
	/* A pointer to each node's lists ends a descriptor. */
	b->descriptor = (b->k.word == 8 ? 216 : 136) + nodes * b->k.word;
	b->node_size = 8 * b->k.word;
	b->nokmem = false;
	b->managed_dma = true;
	b->only_managed = false;
}

/* Whether an argument for the kernel has a name: '-' and '_' are the same. */
static bool boot_named(const struct pzl_arg *a, const char *prefix, const char *name)
{
	uint32_t i, n = (uint32_t)pzl_strlen(prefix);

	if (a->kind == PZL_ARG_INIT)
		return false;
	for (i = 0; i < a->name_len; i++) {
		const char c = a->name[i] == '-' ? '_' : a->name[i];
		const char want = i < n ? prefix[i] : name[i - n];

		if (!want || c != want)
			return false;
	}
	return i >= n && !name[i - n];
}

/* By its name of the version, or by the one that older versions have. */
static bool boot_slab_arg(const struct pzl_slab_boot *b, const struct pzl_arg *a, const char *name)
{
	return boot_named(a, "slub_", name) ||
	       (b->km.model >= PZL_LINUX_6_12 && boot_named(a, "slab_", name));
}

/* A number, cut to the largest that is of use. */
static void boot_number(const struct pzl_arg *a, uint32_t most, uint32_t *v)
{
	size_t used;
	uint64_t n;

	if (!a->value)
		return;
	n = pzl_strtoull(a->value, a->value_len, &used, NULL);
	if (used)
		*v = n < most ? (uint32_t)n : most;
}

/* Whether a list at commas has a word. */
static bool boot_lists(const struct pzl_arg *a, const char *word)
{
	const size_t n = pzl_strlen(word);

	for (uint32_t i = 0; a->value && i < a->value_len; i++)
		if ((!i || a->value[i - 1] == ',') &&
		    pzl_starts_n(a->value + i, a->value_len - i, word) &&
		    (i + n == a->value_len || a->value[i + n] == ','))
			return true;
	return false;
}

void pzl_slab_boot_args(struct pzl_slab_boot *b, const struct pzl_cmdline *cl,
			struct pzl_slab_args *out)
{
	const uint32_t rules = pzl_slab_debug_rules(b->km.model);

	out->nomerge = false;
	pz_slab_debug_none(&out->debug, rules);
	for (uint32_t i = 0; i < cl->arg_count && i < cl->arg_cap; i++) {
		const struct pzl_arg *a = &cl->arg[i];

		if (boot_slab_arg(b, a, "debug"))
			pz_slab_debug_parse(&out->debug, a->value, a->value ? a->value_len : 0,
					    rules, NULL, NULL);
		else if (boot_slab_arg(b, a, "max_order"))
			boot_number(a, b->k.largest_order, &b->k.max_order);
		else if (boot_slab_arg(b, a, "min_order"))
			boot_number(a, b->k.largest_order, &b->k.min_order);
		else if (boot_slab_arg(b, a, "min_objects"))
			boot_number(a, UINT16_MAX, &b->k.min_objects);
		else if (boot_named(a, "slab_", "nomerge") || boot_named(a, "slub_", "nomerge"))
			out->nomerge = true;
		else if (boot_named(a, "cgroup.", "memory") && boot_lists(a, "nokmem"))
			b->nokmem = true;
	}
	b->k.debug_keeps_order = out->debug.keep_order;
}

/* Where the caches go. */
struct boot_list {
	const struct pzl_slab_boot *b;
	struct pzl_slab_boot_cache *out;
	uint32_t cap, n;
};

static struct pzl_slab_boot_cache *boot_add(struct boot_list *l)
{
	return l->n++ < l->cap ? &l->out[l->n - 1] : NULL;
}

static void boot_descriptors(struct boot_list *l, const char *name, uint32_t size)
{
	struct pzl_slab_boot_cache *c = boot_add(l);

	if (!c)
		return;
	pz_snprintf(c->name, sizeof(c->name), "%s", name);
	c->type = PZL_KMALLOC_TYPES;
	c->copy = 0;
	c->cache = (struct pzl_slab_cache){ .object_size = size,
					    .align = l->b->km.min_align,
					    .flags = PZL_SLAB_HWCACHE_ALIGN };
	c->fixed = true;
}

static void boot_kmalloc(struct boot_list *l, enum pzl_kmalloc_type type, uint32_t copy,
			 uint32_t size)
{
	struct pzl_slab_boot_cache *c;
	struct pzl_slab_cache cache;

	if (pzl_kmalloc_cache(&l->b->km, type, size, &cache))
		return;
	c = boot_add(l);
	if (!c)
		return;
	pzl_kmalloc_name(c->name, sizeof(c->name), type, copy, size);
	c->type = type;
	c->copy = copy;
	c->cache = cache;
	c->cache.flags |= PZL_SLAB_USERCOPY;
	c->fixed =
		type == PZL_KMALLOC_RANDOM ||
		(type == PZL_KMALLOC_NORMAL && (l->b->types & PZL_KMALLOC_BIT(PZL_KMALLOC_CGROUP)));
}

static void boot_set(struct boot_list *l, enum pzl_kmalloc_type type, uint32_t copy)
{
	const uint32_t most = 2u << l->b->km.page_shift;
	/* 5.15 makes the DMA caches apart from the others, and in the order of 6.12. */
	const bool odd_first = l->b->km.model >= PZL_LINUX_6_12 ||
			       (l->b->km.model < PZL_LINUX_6_1 && type == PZL_KMALLOC_DMA);

	if (odd_first) {
		boot_kmalloc(l, type, copy, 96);
		boot_kmalloc(l, type, copy, 192);
	}
	for (uint32_t size = BOOT_LEAST; size <= most; size *= 2) {
		boot_kmalloc(l, type, copy, size);
		if (!odd_first && (size == 64 || size == 128))
			boot_kmalloc(l, type, copy, size + size / 2);
	}
}

static bool boot_has_set(const struct pzl_slab_boot *b, enum pzl_kmalloc_type type)
{
	if (!(b->types & PZL_KMALLOC_BIT(type)) || (type == PZL_KMALLOC_CGROUP && b->nokmem))
		return false;
	return type != PZL_KMALLOC_DMA || b->managed_dma || !b->only_managed;
}

uint32_t pzl_slab_boot_caches(const struct pzl_slab_boot *b, struct pzl_slab_boot_cache *out,
			      uint32_t cap)
{
	const bool new = b->km.model >= PZL_LINUX_6_12;
	const enum pzl_kmalloc_type *order = new ? boot_order_new : boot_order_old;
	const size_t sets = new ? sizeof(boot_order_new) / sizeof(boot_order_new[0])
				: sizeof(boot_order_old) / sizeof(boot_order_old[0]);
	struct boot_list l = { b, out, cap, 0 };

	boot_descriptors(&l, "kmem_cache", b->descriptor);
	boot_descriptors(&l, "kmem_cache_node", b->node_size);
	for (size_t i = 0; i < sets; i++) {
		if (!boot_has_set(b, order[i]))
			continue;
		if (order[i] != PZL_KMALLOC_RANDOM)
			boot_set(&l, order[i], 0);
		for (uint32_t copy = 1;
		     order[i] == PZL_KMALLOC_RANDOM && copy <= PZL_KMALLOC_COPIES; copy++)
			boot_set(&l, order[i], copy);
	}
	return l.n;
}

int pzl_slab_boot_kmalloc(const struct pzl_slab_boot *b, uint64_t bytes, uint32_t gfp,
			  struct pzl_kmalloc_served *out)
{
	struct pzl_kmalloc_served s = { false, PZL_KMALLOC_NORMAL, 0, false };
	const bool dma = (gfp & PZL_GFP_DMA) && (b->types & PZL_KMALLOC_BIT(PZL_KMALLOC_DMA));

	if (!bytes)
		return -PZ_EINVAL;
	if (pzl_kmalloc_size(&b->km, bytes, &s.size)) {
		s.large = true;
	} else {
		s.type = pzl_kmalloc_type(gfp, b->types);
		if (!boot_has_set(b, s.type))
			s.type = PZL_KMALLOC_NORMAL;
		s.elsewhere = dma && s.type != PZL_KMALLOC_DMA;
	}
	*out = s;
	return 0;
}
