/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab_boot.c - the first caches of a kernel, and which serves a kmalloc(): Linux's
 * way where ZONE_DMA is empty, and the one that was proposed. Expected values are those of
 * docs/facts/slab.md section 7.
 */
#include <physzone/linux/gfp.h>
#include <physzone/linux/slab_boot.h>

#include "suites_decl.h"
#include "tap.h"

#define Z(t) PZL_ZONE_BIT(PZ_ZONE_##t)
#define SBT_X86_64 (Z(DMA) | Z(DMA32) | Z(NORMAL) | Z(MOVABLE))
#define SBT_CAP 300u
#define DMA (PZL_GFP_KERNEL | PZL_GFP_DMA)

static bool sbt_is(const struct pzl_slab_boot_cache *c, const char *name)
{
	size_t i = 0;

	while (name[i] && c->name[i] == name[i])
		i++;
	return c->name[i] == name[i];
}

static struct pzl_slab_boot sbt_kernel(enum pzl_model model, enum pzl_arch arch, uint32_t zones)
{
	struct pzl_slab_boot b;

	pzl_slab_boot_init(&b, model, arch, 0, zones, 1);
	return b;
}

/* Names at places of the list. */
static void sbt_order(struct tap *t)
{
	static struct pzl_slab_boot_cache c[SBT_CAP];
	struct pzl_slab_boot b = sbt_kernel(PZL_LINUX_6_1, PZL_ARCH_X86_64, SBT_X86_64);

	CHECK(t, pzl_slab_boot_caches(&b, c, SBT_CAP) == 54);
	CHECK(t, sbt_is(&c[0], "kmem_cache") && sbt_is(&c[1], "kmem_cache_node"));
	CHECK(t, c[0].type == PZL_KMALLOC_TYPES && c[0].fixed && c[0].cache.object_size == 224);
	CHECK(t, c[1].cache.object_size == 64);
	CHECK(t, sbt_is(&c[2], "kmalloc-8") && c[2].fixed);
	CHECK(t, sbt_is(&c[5], "kmalloc-64") && sbt_is(&c[6], "kmalloc-96"));
	CHECK(t, sbt_is(&c[15], "kmalloc-cg-8") && !c[15].fixed);
	CHECK(t, sbt_is(&c[28], "kmalloc-rcl-8") && sbt_is(&c[53], "dma-kmalloc-8k"));
	CHECK(t, c[53].cache.flags & PZL_SLAB_CACHE_DMA);
	CHECK(t, c[53].cache.flags & PZL_SLAB_USERCOPY);
	CHECK(t, pzl_slab_boot_caches(&b, c, 1) == 54);

	b = sbt_kernel(PZL_LINUX_5_15, PZL_ARCH_X86_64, SBT_X86_64);
	CHECK(t, pzl_slab_boot_caches(&b, c, SBT_CAP) == 54);
	CHECK(t, sbt_is(&c[41], "dma-kmalloc-96") && sbt_is(&c[43], "dma-kmalloc-8"));

	b = sbt_kernel(PZL_LINUX_6_12, PZL_ARCH_X86_64, SBT_X86_64);
	CHECK(t, pzl_slab_boot_caches(&b, c, SBT_CAP) == 54);
	CHECK(t, sbt_is(&c[2], "kmalloc-96") && sbt_is(&c[4], "kmalloc-8"));
	CHECK(t, sbt_is(&c[15], "kmalloc-rcl-96") && sbt_is(&c[41], "kmalloc-cg-96"));
	b.types |= PZL_KMALLOC_BIT(PZL_KMALLOC_RANDOM);
	CHECK(t, pzl_slab_boot_caches(&b, c, SBT_CAP) == 54 + 15 * 13);
	CHECK(t, sbt_is(&c[15], "kmalloc-rnd-01-96") && c[15].fixed && c[15].copy == 1);

	b = sbt_kernel(PZL_LINUX_6_1, PZL_ARCH_RISCV64, Z(DMA32) | Z(NORMAL) | Z(MOVABLE));
	CHECK(t, pzl_slab_boot_caches(&b, c, SBT_CAP) == 2 + 3 * 9);
	b = sbt_kernel(PZL_LINUX_6_1, PZL_ARCH_I386, Z(DMA) | Z(NORMAL) | Z(HIGHMEM) | Z(MOVABLE));
	b.types &= ~PZL_KMALLOC_BIT(PZL_KMALLOC_CGROUP);
	CHECK(t, pzl_slab_boot_caches(&b, c, SBT_CAP) == 2 + 3 * 13);
	CHECK(t, c[0].cache.object_size == 140 && c[1].cache.object_size == 32);
	CHECK(t, !c[2].fixed);
}

static void sbt_served(struct tap *t)
{
	struct pzl_slab_boot b = sbt_kernel(PZL_LINUX_6_1, PZL_ARCH_X86_64, SBT_X86_64);
	struct pzl_kmalloc_served s;

	CHECK(t, pzl_slab_boot_kmalloc(&b, 0, DMA, &s) == -PZ_EINVAL);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 512, DMA, &s) == 0);
	CHECK(t, s.type == PZL_KMALLOC_DMA && s.size == 512 && !s.elsewhere && !s.large);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 97, DMA | PZL_GFP_RECLAIMABLE, &s) == 0);
	CHECK(t, s.type == PZL_KMALLOC_DMA && s.size == 128);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 8193, DMA, &s) == 0 && s.large && !s.elsewhere);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 8, PZL_GFP_KERNEL_ACCOUNT, &s) == 0);
	CHECK(t, s.type == PZL_KMALLOC_CGROUP);
	b.nokmem = true;
	CHECK(t, pzl_slab_boot_kmalloc(&b, 8, PZL_GFP_KERNEL_ACCOUNT, &s) == 0);
	CHECK(t, s.type == PZL_KMALLOC_NORMAL && pzl_slab_boot_caches(&b, NULL, 0) == 54 - 13);
}

/* ZONE_DMA is there, and has no managed page. */
static void sbt_empty(struct tap *t)
{
	struct pzl_slab_boot b = sbt_kernel(PZL_LINUX_5_15, PZL_ARCH_X86_64, SBT_X86_64);
	struct pzl_kmalloc_served s;

	b.managed_dma = false;
	CHECK(t, pzl_slab_boot_caches(&b, NULL, 0) == 54);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 512, DMA, &s) == 0 && s.type == PZL_KMALLOC_DMA);
	/* as proposed: not made, and whoever asks for DMA gets memory from anywhere */
	b.only_managed = true;
	CHECK(t, pzl_slab_boot_caches(&b, NULL, 0) == 54 - 13);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 512, DMA, &s) == 0);
	CHECK(t, s.type == PZL_KMALLOC_NORMAL && s.elsewhere && s.size == 512);
	CHECK(t, pzl_slab_boot_kmalloc(&b, 9000, DMA, &s) == 0 && s.large && !s.elsewhere);
	b.managed_dma = true;
	CHECK(t, pzl_slab_boot_caches(&b, NULL, 0) == 54);
	/* without the zone GFP_DMA asks for nothing */
	b = sbt_kernel(PZL_LINUX_6_12, PZL_ARCH_RISCV64, Z(DMA32) | Z(NORMAL) | Z(MOVABLE));
	CHECK(t, pzl_slab_boot_kmalloc(&b, 512, DMA, &s) == 0);
	CHECK(t, s.type == PZL_KMALLOC_NORMAL && !s.elsewhere);
}

static size_t sbt_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* What a command line makes of a kernel. */
static struct pzl_slab_args sbt_args(struct pzl_slab_boot *b, enum pzl_model model,
				     const char *line)
{
	static struct pzl_mem_op ops[1];
	static struct pzl_arg args[8];
	struct pzl_slab_args out;
	struct pzl_cmdline cl;

	*b = sbt_kernel(model, PZL_ARCH_X86_64, SBT_X86_64);
	pzl_cmdline_init(&cl, args, 8, ops, 1);
	(void)pzl_cmdline_parse(&cl, model, PZL_ARCH_X86_64, 12, line, sbt_len(line));
	pzl_slab_boot_args(b, &cl, &out);
	return out;
}

static void sbt_words(struct tap *t)
{
	struct pzl_slab_boot b;
	struct pzl_slab_args a = sbt_args(&b, PZL_LINUX_6_1, "quiet");

	CHECK(t, !a.nomerge && !a.debug.global && !b.nokmem && b.k.max_order == 3);
	a = sbt_args(&b, PZL_LINUX_6_1, "slub_debug slab_nomerge slub_max_order=1");
	CHECK(t, a.nomerge && a.debug.global == PZ_SLAB_DEBUG_DEFAULT && b.k.max_order == 1);
	a = sbt_args(&b, PZL_LINUX_6_1, "slub_debug=ZO slub-min-order=2 slub_min_objects=40");
	CHECK(t, a.debug.global == PZ_SLAB_DEBUG_RED_ZONE && b.k.debug_keeps_order);
	CHECK(t, b.k.min_order == 2 && b.k.min_objects == 40);
	a = sbt_args(&b, PZL_LINUX_6_1, "slab_debug=Z slab_max_order=1 slub_max_order=99");
	CHECK(t, !a.debug.global && b.k.max_order == b.k.largest_order);
	a = sbt_args(&b, PZL_LINUX_6_12, "slab_debug=Z slab_max_order=1 slub_nomerge");
	CHECK(t, a.debug.global == PZ_SLAB_DEBUG_RED_ZONE && b.k.max_order == 1 && a.nomerge);
	a = sbt_args(&b, PZL_LINUX_6_1, "cgroup.memory=nosocket,nokmem");
	CHECK(t, b.nokmem);
	a = sbt_args(&b, PZL_LINUX_6_1, "cgroup.memory=nokmemory xslub_debug=F slub_debugs=F");
	CHECK(t, !b.nokmem && !a.debug.global);
}

void contract_linux_slab_boot(struct tap *t)
{
	sbt_order(t);
	sbt_served(t);
	sbt_empty(t);
	sbt_words(t);
}
