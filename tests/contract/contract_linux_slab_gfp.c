/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab_gfp.c - flags of allocations from slab caches: what is dropped, what is told,
 * and the page requests. Expected values are those of docs/facts/slab.md section 2.
 */
#include <physzone/linux/slab_gfp.h>

#include "suites_decl.h"
#include "tap.h"

#define KERNEL PZL_GFP_KERNEL
#define DMA PZL_GFP_DMA
#define DMA32 PZL_GFP_DMA32
#define COMP PZL_GFP_COMP
#define LIGHT (PZL_GFP_NOWARN | PZL_GFP_NORETRY)

/* A cache of one page, and one that falls back from order 3 to 1. */
static const struct pzl_slab_geometry sg_small = { .size = 64, .objects = 64 };
static const struct pzl_slab_geometry sg_large = { .size = 5000,
						   .order = 3,
						   .objects = 6,
						   .fallback_order = 1,
						   .fallback_objects = 1 };

struct sg_case {
	enum pzl_model model;
	uint32_t flags;
	const struct pzl_slab_geometry *g;
	uint32_t gfp, ignored, bad, first, fallback;
};

static const struct sg_case sg_cases[] = {
	{ PZL_LINUX_6_1, 0, &sg_small, KERNEL, 0, 0, KERNEL | LIGHT, KERNEL },
	{ PZL_LINUX_6_12, 0, &sg_small, KERNEL, 0, 0, KERNEL | COMP | LIGHT, KERNEL | COMP },
	/* the caller's zone is dropped silently, the cache's counts */
	{ PZL_LINUX_6_1, 0, &sg_small, KERNEL | DMA, DMA, 0, KERNEL | LIGHT, KERNEL },
	{ PZL_LINUX_6_1, PZL_SLAB_CACHE_DMA, &sg_small, KERNEL, 0, 0, KERNEL | DMA | LIGHT,
	  KERNEL | DMA },
	{ PZL_LINUX_6_1, PZL_SLAB_CACHE_DMA32, &sg_small, KERNEL | DMA32, 0, DMA32,
	  KERNEL | DMA32 | LIGHT, KERNEL | DMA32 },
	{ PZL_LINUX_6_1, 0, &sg_small, KERNEL | DMA32, DMA32, DMA32, KERNEL | LIGHT, KERNEL },
	{ PZL_LINUX_6_1, PZL_SLAB_CACHE_DMA | PZL_SLAB_CACHE_DMA32, &sg_small, KERNEL, 0, 0,
	  KERNEL | DMA | DMA32 | LIGHT, KERNEL | DMA | DMA32 },
	{ PZL_LINUX_6_1, PZL_SLAB_RECLAIM_ACCOUNT, &sg_small,
	  KERNEL | PZL_GFP_ZERO | PZL_GFP_ACCOUNT | PZL_GFP_WRITE, 0, 0,
	  KERNEL | PZL_GFP_RECLAIMABLE | LIGHT, KERNEL | PZL_GFP_RECLAIMABLE },
	{ PZL_LINUX_6_1, 0, &sg_small, KERNEL | PZL_GFP_MOVABLE, PZL_GFP_MOVABLE, 0, KERNEL | LIGHT,
	  KERNEL },
	/* a larger slab is tried for without effort, where the caller could wait for a smaller */
	{ PZL_LINUX_6_1, 0, &sg_large, KERNEL, 0, 0,
	  PZL_GFP_IO | PZL_GFP_FS | COMP | LIGHT | PZL_GFP_NOMEMALLOC, KERNEL | COMP },
	{ PZL_LINUX_6_1, 0, &sg_large, 0xa20, 0, 0, 0xa20 | COMP | LIGHT, 0xa20 | COMP },
	{ PZL_LINUX_6_12, 0, &sg_large, 0xa20, 0, 0, 0x820 | COMP | LIGHT, 0x820 | COMP },
	{ PZL_LINUX_6_1, 0, &sg_small, KERNEL | PZL_GFP_NOFAIL, 0, 0, KERNEL | LIGHT,
	  KERNEL | PZL_GFP_NOFAIL },
	/* what is no flag */
	{ PZL_LINUX_6_12, 0, &sg_small, KERNEL | 0x2000000, 0, 0x2000000, KERNEL | COMP | LIGHT,
	  KERNEL | COMP },
	{ PZL_LINUX_6_1, 0, &sg_small, KERNEL | 0x2000000, 0, 0, KERNEL | LIGHT, KERNEL },
};

struct sg_lines {
	const char *const *line;
	uint32_t n, differs;
};

static void sg_line(void *ctx, const char *line, size_t len)
{
	struct sg_lines *l = ctx;
	const char *is = l->line[l->n++];
	size_t i = 0;

	while (i < len && is && is[i] == line[i])
		i++;
	if (!is || i < len || is[i])
		l->differs++;
}

static void sg_requests(struct tap *t)
{
	struct pzl_slab_alloc a;

	for (size_t i = 0; i < sizeof(sg_cases) / sizeof(sg_cases[0]); i++) {
		const struct sg_case *c = &sg_cases[i];

		pzl_slab_alloc(&a, c->model, c->flags, c->g, c->gfp);
		CHECK(t, a.ignored == c->ignored && a.bad == c->bad);
		CHECK(t, a.fixed == (c->gfp & ~c->bad) && !a.warns_zero);
		CHECK(t, a.gfp == c->first && a.fallback_gfp == c->fallback);
		CHECK(t, a.order == c->g->order && a.fallback_order == c->g->fallback_order);
	}
	pzl_slab_alloc(&a, PZL_LINUX_6_1, PZL_SLAB_CTOR, &sg_small, KERNEL | PZL_GFP_ZERO);
	CHECK(t, a.warns_zero);
	pzl_kmalloc_large(&a, PZL_LINUX_6_1, 12, 8193, KERNEL | DMA | PZL_GFP_ZERO | DMA32);
	CHECK(t, a.order == 2 && a.fallback_order == 2 && a.bad == DMA32);
	CHECK(t, a.gfp == (KERNEL | DMA | PZL_GFP_ZERO | COMP) && a.fallback_gfp == a.gfp);
	pzl_kmalloc_large(&a, PZL_LINUX_6_1, 16, 1, KERNEL);
	CHECK(t, a.order == 0);
}

static void sg_texts(struct tap *t)
{
	static const char *const unexpected[] = {
		("Unexpected gfp: 0x4 (GFP_DMA32). Fixing up to gfp: 0xcc0 (GFP_KERNEL). Fix your "
		 "code!"),
		"Unexpected gfp: 0x2 (__GFP_HIGHMEM). Fixing up to gfp: 0x0 (). Fix your code!",
	};
	static const char *const oom_6_1[] = {
		"SLUB: Unable to allocate memory on node -1, gfp=0xcc1(GFP_KERNEL|GFP_DMA)",
		("  cache: dma-kmalloc-4k, object size: 4096, buffer size: 12288, default order: 3,"
		 " min order: 2"),
		"  dma-kmalloc-4k debugging increased min order, use slub_debug=O to disable.",
		"  node 0: slabs: 3, objs: 5, free: 0",
		"  node 1: slabs: 0, objs: 0, free: 0",
	};
	static const char *const oom_6_12[] = {
		"SLUB: Unable to allocate memory on CPU 3 (of node 1) on node -1, "
		"gfp=0x820(GFP_ATOMIC)",
		"  cache: odd, object size: 5000, buffer size: 5000, default order: 3, min order: "
		"1",
	};
	static const struct pzl_slab_node nodes[] = { { 0, 3, 5, 0 }, { 1, 0, 0, 0 } };
	static const struct pzl_slab_geometry debugged = { .size = 12288,
							   .order = 3,
							   .fallback_order = 2 };
	struct pzl_slab_oom oom = { .name = "dma-kmalloc-4k",
				    .object_size = 4096,
				    .g = &debugged,
				    .gfp = 0xcc1,
				    .nid = -1,
				    .node = nodes,
				    .nodes = 2 };
	struct sg_lines l = { unexpected, 0, 0 };

	pzl_slab_print_unexpected(PZL_LINUX_6_1, KERNEL | DMA32, sg_line, &l);
	pzl_slab_print_unexpected(PZL_LINUX_6_1, PZL_GFP_HIGHMEM, sg_line, &l);
	CHECK(t, l.n == 2 && !l.differs);
	pzl_slab_print_unexpected(PZL_LINUX_6_1, KERNEL | DMA, sg_line, &l);
	CHECK(t, l.n == 2);
	l = (struct sg_lines){ oom_6_1, 0, 0 };
	pzl_slab_print_oom(PZL_LINUX_6_1, 12, &oom, sg_line, &l);
	CHECK(t, l.n == 5 && !l.differs);
	l = (struct sg_lines){ oom_6_12, 0, 0 };
	oom = (struct pzl_slab_oom){ .name = "odd",
				     .object_size = 5000,
				     .g = &sg_large,
				     .gfp = 0x820,
				     .nid = -1,
				     .cpu = 3,
				     .cpu_nid = 1 };
	pzl_slab_print_oom(PZL_LINUX_6_12, 12, &oom, sg_line, &l);
	CHECK(t, l.n == 2 && !l.differs);
	oom.gfp |= PZL_GFP_NOWARN;
	pzl_slab_print_oom(PZL_LINUX_6_12, 12, &oom, sg_line, &l);
	CHECK(t, l.n == 2);
}

void contract_linux_slab_gfp(struct tap *t)
{
	sg_requests(t);
	sg_texts(t);
}
