/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_way.c - see table_way.h; here what all ways share, and those that are short: page_frag,
 * pages, dma_pool.
 */
#include "table_way.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/dma_pool.h>

#include "../view/view.h"

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
		   bool debug, uint32_t tables)
{
	int rc;

	memset(u, 0, sizeof(*u));
	u->way = way;
	u->bed = bed;
	u->debug = debug;
	u->tables = tables;
	u->meta = (struct pz_meta){ way_alloc, way_free, u };
	rc = u->way->open(u);
	if (!rc && u->source && !u->mem.alloc)
		u->mem = *pz_table_source_mem(u->source);
	if (rc)
		(void)table_use_close(u);
	return rc;
}

int table_use_close(struct table_use *u)
{
	int rc = pz_table_source_destroy(u->source);

	if (!rc)
		u->source = NULL;
	if (!rc && u->way->close)
		rc = u->way->close(u);
	return rc;
}

int table_use_take(struct table_use *u, bool atomic, struct pz_table *t)
{
	return u->mem.alloc(u->mem.ctx, 0, table_gfp(atomic), TABLE_BYTES, t);
}

void table_use_give(struct table_use *u, const struct pz_table *t)
{
	u->mem.free(u->mem.ctx, 0, TABLE_BYTES, t);
}

void table_use_shrink(struct table_use *u)
{
	if (u->way->shrink)
		u->way->shrink(u);
	else if (u->source && !u->way->keeps)
		(void)pz_table_source_trim(u->source, 0);
}

int table_use_check(const struct table_use *u)
{
	return u->way->check ? u->way->check(u) : u->source ? pz_table_source_check(u->source) : 0;
}

void table_use_config(struct table_use *u, struct pz_table_source_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->pages = u->bed->pages;
	cfg->mapped.last = u->bed->arena->bytes - 1;
	cfg->virt = u->bed->arena->at;
	cfg->limits = u->bed->limits;
	cfg->tables = u->tables;
	cfg->meta = &u->meta;
	cfg->bugs = &u->bed->bugs;
}

/* page_frag */

static int frag_way_make(struct table_use *u, uint32_t flags)
{
	struct pz_table_source_config cfg;

	table_use_config(u, &cfg);
	return pz_table_frag_create(&u->source, &cfg, flags, NULL);
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

static const struct table_way way_frag = {
	.name = "page_frag",
	.how = frag_way_how,
	.open = frag_way_open,
};

static const struct table_way way_frag_reuse = {
	.name = "frag-reuse",
	.how = frag_way_how_reuse,
	.open = frag_way_open_reuse,
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
	struct pz_table_source_config cfg;

	table_use_config(u, &cfg);
	return pz_table_pages_create(&u->source, &cfg, NULL);
}

static const struct table_way way_page = {
	.name = "page",
	.how = page_way_how,
	.open = page_way_open,
};

/* dma_pool, of a coherent device whose mask is the limit, with the layout of the Linux version. */

struct dma_way {
	struct pz_dma *dma;
	struct pz_dma_dev *dev;
	struct pz_dma_pool_layout layout;
};

static void *dma_way_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	const struct table_arena *a = ctx;

	return phys < a->bytes && bytes <= a->bytes - phys ? a->at + phys : NULL;
}

static int dma_way_device(struct table_use *u, struct dma_way *w)
{
	struct pz_dma_dev_config dev;
	struct pz_dma_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.pages = u->bed->pages;
	cfg.meta = &u->meta;
	cfg.bugs = &u->bed->bugs;
	cfg.cpus = 1;
	cfg.direct.last = u->bed->arena->bytes - 1;
	cfg.cma = PZ_DMA_NO_CMA;
	cfg.pool_bytes = UINT64_MAX;
	cfg.hooks.direct = dma_way_direct;
	cfg.hooks.ctx = (void *)(uintptr_t)u->bed->arena;
	rc = pz_dma_create(&w->dma, &cfg);
	if (rc)
		return rc;
	pz_dma_dev_init(&dev, "iommu", 64);
	dev.coherent_mask = u->bed->limits.max_addr;
	return pz_dma_dev_create(&w->dev, w->dma, &dev);
}

static int dma_way_open(struct table_use *u)
{
	struct dma_way *w = xcalloc(1, sizeof(*w));
	struct pz_table_source_config cfg;
	struct pz_table_dma_config dma;
	int rc;

	u->own = w;
	rc = dma_way_device(u, w);
	if (!rc)
		rc = pzl_dma_pool_layout(&w->layout, u->bed->m->model, u->bed->m->page_shift,
					 TABLE_BYTES, TABLE_BYTES, 0);
	if (rc)
		return rc;
	table_use_config(u, &cfg);
	dma = (struct pz_table_dma_config){ w->dev, &w->layout, u->debug };
	return pz_table_dma_create(&u->source, &cfg, &dma, NULL);
}

static char *dma_way_how(const struct table_use *u)
{
	const struct dma_way *w = u->own;
	char size[VIEW_SIZE_MAX];

	return xasprintf("a coherent device's, laid out as %s does it: %u tables in %s",
			 pzl_model_name(u->bed->m->model), w->layout.blocks,
			 view_size(size, w->layout.bytes));
}

static int dma_way_close(struct table_use *u)
{
	struct dma_way *w = u->own;
	int rc = w->dev ? pz_dma_dev_destroy(w->dev) : 0;

	if (!rc)
		rc = pz_dma_destroy(w->dma);
	free(w);
	u->own = NULL;
	return rc;
}

static const struct table_way way_dma = {
	.name = "dma_pool",
	.how = dma_way_how,
	.open = dma_way_open,
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
