/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_way.c - see table_way.h; here the ways that are short: page_frag, pages, dma_pool.
 */
#include "table_way.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/frag.h>

#include "../view/view.h"
#include "dma_pool.h"

static void *way_alloc(void *ctx, size_t size)
{
	struct table_use *u = ctx;

	u->meta_bytes += size;
	if (u->meta_bytes > u->meta_most)
		u->meta_most = u->meta_bytes;
	return xmalloc(size);
}

static void way_free(void *ctx, void *p, size_t size)
{
	struct table_use *u = ctx;

	u->meta_bytes -= size;
	free(p);
}

int table_use_open(struct table_use *u, const struct table_way *way, struct table_bed *bed,
		   bool debug)
{
	int rc;

	memset(u, 0, sizeof(*u));
	u->way = way;
	u->bed = bed;
	u->debug = debug;
	u->meta = (struct pz_meta){ way_alloc, way_free, u };
	rc = u->way->open(u);
	if (rc)
		(void)u->way->close(u);
	return rc;
}

int table_use_close(struct table_use *u)
{
	return u->way->close(u);
}

/* page_frag: blocks are asked for as from atomic context, for the cache has one gfp. */

static int frag_way_make(struct table_use *u, uint32_t flags)
{
	struct pz_frag_config cfg;
	struct pz_frag *f = NULL;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.pages = u->bed->pages;
	cfg.limits = u->bed->limits;
	cfg.gfp = PZ_GFP_HIGH;
	cfg.flags = flags;
	cfg.granule = flags & PZ_FRAG_REUSE ? TABLE_BYTES : 0;
	cfg.meta = &u->meta;
	rc = pz_frag_create(&f, &cfg);
	u->own = f;
	return rc;
}

static int frag_way_open(struct table_use *u)
{
	return frag_way_make(u, 0);
}

static int frag_way_open_reuse(struct table_use *u)
{
	return frag_way_make(u, PZ_FRAG_REUSE);
}

static char *frag_way_how(const struct table_use *u)
{
	uint64_t page = UINT64_C(1) << u->bed->m->page_shift;
	char size[VIEW_SIZE_MAX];

	view_size(size, page > PZ_FRAG_BLOCK ? page : PZ_FRAG_BLOCK);
	return xasprintf("pieces of a block of %s%s; the block returns when its last piece does",
			 size, page < PZ_FRAG_BLOCK ? ", or of a page where there is none" : "");
}

static char *frag_way_how_reuse(const struct table_use *u)
{
	(void)u;
	return xstrdup("the same, and pieces that came back are given out again");
}

static int frag_way_take(struct table_use *u, bool atomic, uint64_t *addr)
{
	(void)atomic;
	return pz_frag_alloc(u->own, 0, TABLE_BYTES, TABLE_BYTES, addr);
}

static void frag_way_give(struct table_use *u, uint64_t addr)
{
	pz_frag_free(u->own, 0, addr, TABLE_BYTES);
}

static void frag_way_shrink(struct table_use *u)
{
	(void)pz_frag_drain(u->own, 0);
}

static int frag_way_check(const struct table_use *u)
{
	return pz_frag_check(u->own);
}

static int frag_way_close(struct table_use *u)
{
	return pz_frag_destroy(u->own) ? -PZ_EBUSY : 0;
}

static const struct table_way way_frag = {
	.name = "page_frag",
	.how = frag_way_how,
	.open = frag_way_open,
	.take = frag_way_take,
	.give = frag_way_give,
	.shrink = frag_way_shrink,
	.check = frag_way_check,
	.close = frag_way_close,
};

static const struct table_way way_frag_reuse = {
	.name = "frag-reuse",
	.how = frag_way_how_reuse,
	.open = frag_way_open_reuse,
	.take = frag_way_take,
	.give = frag_way_give,
	.shrink = frag_way_shrink,
	.check = frag_way_check,
	.close = frag_way_close,
};

/* A page for each table. */

static char *page_way_how(const struct table_use *u)
{
	char size[VIEW_SIZE_MAX];

	return xasprintf("%s for each table",
			 view_size(size, UINT64_C(1) << u->bed->m->page_shift));
}

static int page_way_open(struct table_use *u)
{
	(void)u;
	return 0;
}

static int page_way_take(struct table_use *u, bool atomic, uint64_t *addr)
{
	uint64_t pfn;
	int rc = pz_alloc_pages(u->bed->pages, 0, table_gfp(atomic), 0, &u->bed->limits, &pfn);

	if (!rc)
		*addr = pfn << u->bed->m->page_shift;
	return rc;
}

static void page_way_give(struct table_use *u, uint64_t addr)
{
	pz_free_pages(u->bed->pages, 0, addr >> u->bed->m->page_shift, 0);
}

static int page_way_check(const struct table_use *u)
{
	(void)u;
	return 0;
}

static int page_way_close(struct table_use *u)
{
	(void)u;
	return 0;
}

static const struct table_way way_page = {
	.name = "page",
	.how = page_way_how,
	.open = page_way_open,
	.take = page_way_take,
	.give = page_way_give,
	.check = page_way_check,
	.close = page_way_close,
};

/* dma_pool, as a model. */

static int dma_way_open(struct table_use *u)
{
	struct dma_pool_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.pages = u->bed->pages;
	cfg.limits = u->bed->limits;
	cfg.meta = &u->meta;
	cfg.arena = u->bed->arena->at;
	cfg.page_shift = u->bed->m->page_shift;
	cfg.size = cfg.align = TABLE_BYTES;
	cfg.by_page = u->bed->m->model < PZL_LINUX_6_12;
	cfg.debug = u->debug;
	u->own = dma_pool_create(&cfg);
	return u->own ? 0 : -PZ_ENOMEM;
}

static char *dma_way_how(const struct table_use *u)
{
	char size[VIEW_SIZE_MAX];
	uint32_t tables = (UINT32_C(1) << u->bed->m->page_shift) / TABLE_BYTES;
	bool by_page = u->bed->m->model < PZL_LINUX_6_12;

	return xasprintf("a model of %s, for a coherent device: %u tables in %s, which goes back "
			 "with the pool",
			 pzl_model_name(u->bed->m->model), by_page ? tables - 1 : tables,
			 view_size(size, UINT64_C(1) << u->bed->m->page_shift));
}

static int dma_way_take(struct table_use *u, bool atomic, uint64_t *addr)
{
	return dma_pool_alloc(u->own, table_gfp(atomic), addr);
}

static void dma_way_give(struct table_use *u, uint64_t addr)
{
	dma_pool_free(u->own, addr);
}

static int dma_way_check(const struct table_use *u)
{
	struct dma_pool_stat s;

	dma_pool_stat(u->own, &s);
	return s.corrupted ? 1 : s.refused ? 2 : s.used > s.blocks ? 3 : 0;
}

static int dma_way_close(struct table_use *u)
{
	return dma_pool_destroy(u->own);
}

static const struct table_way way_dma = {
	.name = "dma_pool",
	.how = dma_way_how,
	.open = dma_way_open,
	.take = dma_way_take,
	.give = dma_way_give,
	.check = dma_way_check,
	.close = dma_way_close,
};

const struct table_way *table_way(enum table_way_id id)
{
	static const struct table_way *const ways[TABLE_WAYS] = {
		[TABLE_KMEM_CACHE] = &table_way_kmem_cache,
		[TABLE_POOL_FULL] = &table_way_pool_full,
		[TABLE_POOL_GROWS] = &table_way_pool_grows,
		[TABLE_POOL_LINUX] = &table_way_pool_linux,
		[TABLE_FRAG] = &way_frag,
		[TABLE_FRAG_REUSE] = &way_frag_reuse,
		[TABLE_PAGE] = &way_page,
		[TABLE_KMALLOC] = &table_way_kmalloc,
		[TABLE_DMA_POOL] = &way_dma,
	};

	return ways[id];
}
