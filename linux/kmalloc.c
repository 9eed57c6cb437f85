/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kmalloc.c - the caches of kmalloc(): sizes, names, alignment.
 *
 * Concept: sizes are the powers of two up to two pages, and 96 and 192 where the least alignment
 * leaves room for them. Sets of caches differ in what their slabs are taken for, not in sizes.
 *
 * Invariants: 1. the size for a request is at least the request; 2. sizes ascend with requests;
 * 3. a name that is read is the name that is written.
 *
 * Failure: what no cache serves is refused, the output is not written.
 *
 * Shortcomings: caches that a configuration leaves out (no memory cgroups: no kmalloc-cg) are the
 * caller's to know. The set that kmem_buckets_create() makes in 6.12 is not here.
 */
#include <physzone/fmt.h>
#include <physzone/linux/gfp.h>
#include <physzone/linux/slab.h>

#include "../src/base/bits.h"
#include "pzl_text.h"

#define KMALLOC_LEAST 8u

static const char *const kmalloc_prefix[PZL_KMALLOC_TYPES] = {
	[PZL_KMALLOC_NORMAL] = "kmalloc-",	[PZL_KMALLOC_CGROUP] = "kmalloc-cg-",
	[PZL_KMALLOC_RECLAIM] = "kmalloc-rcl-", [PZL_KMALLOC_DMA] = "dma-kmalloc-",
	[PZL_KMALLOC_RANDOM] = "kmalloc-rnd-",
};

static uint32_t kmalloc_min_align(enum pzl_model model, enum pzl_arch arch)
{
	switch (arch) {
	case PZL_ARCH_ARM:
		return 64;
	case PZL_ARCH_ARM64:
		return model < PZL_LINUX_6_12 ? 128 : 8;
	case PZL_ARCH_MIPS:
	case PZL_ARCH_MIPS64:
		return 128;
	case PZL_ARCH_RISCV32:
	case PZL_ARCH_RISCV64:
		return model == PZL_LINUX_6_1 ? 64 : 8;
	default:
		return 8;
	}
}

void pzl_kmalloc_init(struct pzl_kmalloc *km, enum pzl_model model, enum pzl_arch arch,
		      uint32_t page_shift)
{
	const struct pzl_arch_info *info = pzl_arch_info(arch);

	km->model = model;
	km->page_shift = page_shift ? page_shift : info ? info->page_shift : 12;
	km->min_align = kmalloc_min_align(model, arch);
	km->min_align_now = km->min_align;
}

/* The size for a request of at most two pages, by what was known when the kernel was built. */
static uint64_t kmalloc_built(const struct pzl_kmalloc *km, uint64_t size)
{
	const uint64_t least = km->min_align > KMALLOC_LEAST ? km->min_align : KMALLOC_LEAST;
	uint64_t pow2;

	if (size < least)
		size = least;
	if (size > 64 && size <= 96 && least <= 32)
		return 96;
	if (size > 128 && size <= 192 && least <= 64)
		return 192;
	return pz_roundup_pow2(size, &pow2) ? pow2 : UINT64_MAX;
}

int pzl_kmalloc_size(const struct pzl_kmalloc *km, uint64_t size, uint32_t *out)
{
	const uint64_t most = 2ull << km->page_shift;
	uint64_t built;

	if (!size)
		return -PZ_EINVAL;
	if (size > most)
		return -PZ_ERANGE;
	built = kmalloc_built(km, size);
	if (km->min_align_now > km->min_align) {
		uint64_t aligned;

		if (!pz_round_up(built, km->min_align_now, &aligned))
			return -PZ_ERANGE;
		built = kmalloc_built(km, aligned);
	}
	if (built > most)
		return -PZ_ERANGE;
	*out = (uint32_t)built;
	return 0;
}

int pzl_kmalloc_cache(const struct pzl_kmalloc *km, enum pzl_kmalloc_type type, uint32_t size,
		      struct pzl_slab_cache *out)
{
	struct pzl_slab_cache c = { .object_size = size, .flags = PZL_SLAB_KMALLOC };
	uint32_t same;

	if ((unsigned int)type >= PZL_KMALLOC_TYPES || pzl_kmalloc_size(km, size, &same) ||
	    same != size || (type == PZL_KMALLOC_RANDOM && km->model < PZL_LINUX_6_12))
		return -PZ_ENOENT;
	c.align = km->min_align;
	if (km->model >= PZL_LINUX_6_12 || pz_is_pow2(size)) {
		const uint32_t natural = size & (~size + 1);

		if (c.align < natural)
			c.align = natural;
	}
	if (type == PZL_KMALLOC_CGROUP)
		c.flags |= PZL_SLAB_ACCOUNT;
	if (type == PZL_KMALLOC_RECLAIM)
		c.flags |= PZL_SLAB_RECLAIM_ACCOUNT;
	if (type == PZL_KMALLOC_DMA)
		c.flags |= PZL_SLAB_CACHE_DMA;
	*out = c;
	return 0;
}

enum pzl_kmalloc_type pzl_kmalloc_type(uint32_t gfp, uint32_t types)
{
	if ((gfp & PZL_GFP_DMA) && (types & PZL_KMALLOC_BIT(PZL_KMALLOC_DMA)))
		return PZL_KMALLOC_DMA;
	if (gfp & PZL_GFP_RECLAIMABLE)
		return PZL_KMALLOC_RECLAIM;
	if ((gfp & PZL_GFP_ACCOUNT) && (types & PZL_KMALLOC_BIT(PZL_KMALLOC_CGROUP)))
		return PZL_KMALLOC_CGROUP;
	return PZL_KMALLOC_NORMAL;
}

size_t pzl_kmalloc_name(char *buf, size_t len, enum pzl_kmalloc_type type, uint32_t copy,
			uint32_t size)
{
	const char *unit = "", *prefix = "?";
	char number[16] = "";

	if ((unsigned int)type < PZL_KMALLOC_TYPES)
		prefix = kmalloc_prefix[type];
	if (type == PZL_KMALLOC_RANDOM)
		pz_snprintf(number, sizeof(number), "%02u-", (unsigned int)copy);
	if (size >> 20 && !(size & ((1u << 20) - 1))) {
		size >>= 20;
		unit = "M";
	} else if (size >> 10 && !(size & ((1u << 10) - 1))) {
		size >>= 10;
		unit = "k";
	}
	return pz_snprintf(buf, len, "%s%s%u%s", prefix, number, (unsigned int)size, unit);
}

/* A number of at most six digits. */
static bool kmalloc_number(const char **p, const char *end, uint32_t *v)
{
	const char *first = *p;

	*v = 0;
	while (*p < end && pzl_isdigit(**p) && *p - first < 6)
		*v = *v * 10 + (uint32_t)(*(*p)++ - '0');
	return *p > first;
}

/* Read what follows the prefix of a set. */
static bool kmalloc_rest(const char *p, const char *end, enum pzl_kmalloc_type type, uint32_t *copy,
			 uint32_t *size)
{
	*copy = 0;
	if (type == PZL_KMALLOC_RANDOM) {
		if (!kmalloc_number(&p, end, copy) || p == end || *p++ != '-' || !*copy ||
		    *copy > PZL_KMALLOC_COPIES)
			return false;
	}
	if (!kmalloc_number(&p, end, size))
		return false;
	if (p < end && (*p == 'k' || *p == 'M')) {
		if (*size > 1023)
			return false;
		*size <<= *p++ == 'k' ? 10 : 20;
	}
	return p == end && *size >= KMALLOC_LEAST &&
	       (pz_is_pow2(*size) || *size == 96 || *size == 192);
}

int pzl_kmalloc_parse(const char *name, size_t len, enum pzl_kmalloc_type *type, uint32_t *copy,
		      uint32_t *size)
{
	unsigned int t;

	for (t = 0; t < PZL_KMALLOC_TYPES; t++) {
		uint32_t c, s;
		char same[32];
		size_t i, n = pzl_strlen(kmalloc_prefix[t]);

		if (!pzl_starts_n(name, len, kmalloc_prefix[t]) ||
		    !kmalloc_rest(name + n, name + len, (enum pzl_kmalloc_type)t, &c, &s))
			continue;
		/* Nothing has two names: "kmalloc-1024" is none. */
		n = pzl_kmalloc_name(same, sizeof(same), (enum pzl_kmalloc_type)t, c, s);
		for (i = 0; i < n && i < len && same[i] == name[i]; i++)
			continue;
		if (n != len || i != n)
			continue;
		*type = (enum pzl_kmalloc_type)t;
		*copy = c;
		*size = s;
		return 0;
	}
	return -PZ_ENOENT;
}
