/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_pools.c - tables from gen_pool, in three ways.
 *
 * All use granules of 1 KiB, so that every place is aligned. On demand a chunk has 16 KiB, or a
 * page where they are not to be had in a row; what the pool has to know of it is allocated with it,
 * as the other ways do it. As Linux has it, adding a chunk sleeps: in atomic context a pool that
 * has nothing left fails, and is grown by work before the next event that may wait, or some events
 * later.
 */
#include "table_way.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/genpool.h>

#include "../view/view.h"

#define POOLS_FULL (UINT64_C(4) << 20) /* what the format can ever need */
#define POOLS_CHUNK_SHIFT 14u
#define POOLS_ROOM 16u	/* for chunks, at first */
#define POOLS_LATER 16u /* events until work runs at the latest */

/* A chunk of pages, and memory for what the pool knows of it. */
struct pools_chunk {
	struct pools_use *owner;
	uint64_t pfn, pages;
	size_t bytes;	/* of this and what follows */
	uint64_t mem[]; /* for the pool */
};

struct pools_use {
	struct pz_genpool *pool;
	struct table_use *use;
	uint32_t room;	     /* for so many chunks */
	bool wanted;	     /* a table could not be had */
	unsigned int waited; /* events since then */
};

static void pools_release(void *ctx, const struct pz_genpool_info *info)
{
	struct pools_chunk *c = ctx;
	struct table_use *u = c->owner->use;

	(void)info;
	pz_free_exact(u->bed->pages, 0, c->pfn, c->pages);
	u->meta.free(u->meta.ctx, c, c->bytes);
}

/* Add pages to the pool; they go back when that fails. */
static int pools_add(struct pools_use *x, uint64_t pfn, uint64_t pages, uint32_t flags)
{
	struct table_use *u = x->use;
	unsigned int shift = u->bed->m->page_shift;
	size_t bytes = (pz_genpool_chunk_bytes(TABLE_SHIFT, pages << shift) + 7) / 8 * 8;
	struct pools_chunk *c = u->meta.alloc(u->meta.ctx, sizeof(*c) + bytes);
	struct pz_genpool_chunk k;
	int rc;

	c->owner = x;
	c->pfn = pfn;
	c->pages = pages;
	c->bytes = sizeof(*c) + bytes;
	memset(&k, 0, sizeof(k));
	k.addr = k.phys = pfn << shift;
	k.size = pages << shift;
	k.flags = flags;
	k.mem = c->mem;
	k.mem_bytes = bytes;
	k.release = pools_release;
	k.release_ctx = c;
	rc = pz_genpool_add(x->pool, &k);
	if (rc == -PZ_ENOSPC && !pz_genpool_reserve(x->pool, 2 * x->room)) {
		x->room *= 2;
		rc = pz_genpool_add(x->pool, &k);
	}
	if (rc)
		pools_release(c, NULL);
	return rc;
}

/* Pages of a chunk on demand. */
static unsigned int pools_order(const struct table_bed *b)
{
	return b->m->page_shift < POOLS_CHUNK_SHIFT ? POOLS_CHUNK_SHIFT - b->m->page_shift : 0;
}

/* A chunk on demand. */
static int pools_grow(struct pools_use *x, bool atomic, uint32_t flags)
{
	const struct table_bed *b = x->use->bed;
	unsigned int order = pools_order(b);
	uint64_t pfn;
	int rc;

	rc = pz_alloc_pages(b->pages, 0, PZ_GFP_HIGH | PZ_GFP_NORETRY, order, &b->limits, &pfn);
	if (rc) {
		order = 0;
		rc = pz_alloc_pages(b->pages, 0, table_gfp(atomic), 0, &b->limits, &pfn);
	}
	return rc ? rc : pools_add(x, pfn, UINT64_C(1) << order, flags);
}

static int pools_make(struct table_use *u)
{
	struct pools_use *x = xcalloc(1, sizeof(*x));
	struct pz_genpool_config cfg;

	u->own = x;
	x->use = u;
	x->room = POOLS_ROOM;
	memset(&cfg, 0, sizeof(cfg));
	cfg.order = TABLE_SHIFT;
	cfg.chunks = x->room;
	cfg.meta = &u->meta;
	cfg.bugs = &u->bed->bugs;
	return pz_genpool_create(&x->pool, &cfg);
}

static int pools_open_full(struct table_use *u)
{
	const struct table_bed *b = u->bed;
	uint64_t pfn;
	int rc = pools_make(u);

	if (!rc)
		rc = pz_alloc_pages_exact(b->pages, 0, PZ_GFP_BLOCK, POOLS_FULL, &b->limits, &pfn);
	return rc ? rc : pools_add(u->own, pfn, POOLS_FULL >> b->m->page_shift, 0);
}

static int pools_open_linux(struct table_use *u)
{
	int rc = pools_make(u);

	return rc ? rc : pools_grow(u->own, false, 0);
}

static int pools_take(struct table_use *u, bool atomic, uint64_t *addr)
{
	struct pools_use *x = u->own;

	(void)atomic;
	return pz_genpool_alloc(x->pool, TABLE_BYTES, addr);
}

static int pools_take_grows(struct table_use *u, bool atomic, uint64_t *addr)
{
	struct pools_use *x = u->own;
	int rc = pz_genpool_alloc(x->pool, TABLE_BYTES, addr);

	if (!rc)
		return 0;
	rc = pools_grow(x, atomic, PZ_GENPOOL_AUTO);
	return rc ? rc : pz_genpool_alloc(x->pool, TABLE_BYTES, addr);
}

static int pools_take_linux(struct table_use *u, bool atomic, uint64_t *addr)
{
	struct pools_use *x = u->own;
	int rc = pz_genpool_alloc(x->pool, TABLE_BYTES, addr);

	if (rc && !atomic) {
		rc = pools_grow(x, false, 0);
		if (!rc)
			rc = pz_genpool_alloc(x->pool, TABLE_BYTES, addr);
	}
	if (rc && !x->wanted) {
		x->wanted = true;
		x->waited = 0;
	}
	return rc;
}

static void pools_tick_linux(struct table_use *u, bool may_wait)
{
	struct pools_use *x = u->own;

	if (!x->wanted || (!may_wait && ++x->waited < POOLS_LATER))
		return;
	x->wanted = false;
	(void)pools_grow(x, false, 0);
}

static void pools_give(struct table_use *u, uint64_t addr)
{
	struct pools_use *x = u->own;

	pz_genpool_free(x->pool, addr, TABLE_BYTES);
}

static int pools_check(const struct table_use *u)
{
	const struct pools_use *x = u->own;

	return pz_genpool_check(x->pool);
}

static int pools_close(struct table_use *u)
{
	struct pools_use *x = u->own;
	int rc;

	if (!x)
		return 0;
	rc = pz_genpool_destroy(x->pool);
	free(x);
	u->own = NULL;
	return rc;
}

static char *pools_how_full(const struct table_use *u)
{
	(void)u;
	return xstrdup("gen_pool with 4 MiB from the start, for the 4096 tables of 4 GiB");
}

static char *pools_how(const struct table_use *u, const char *rest)
{
	char size[VIEW_SIZE_MAX];

	return xasprintf(
		"gen_pool with chunks of %s on demand, %s",
		view_pages_size(size, UINT64_C(1) << pools_order(u->bed), u->bed->m->page_shift),
		rest);
}

static char *pools_how_grows(const struct table_use *u)
{
	return pools_how(u, "added in any context, released when empty");
}

static char *pools_how_linux(const struct table_use *u)
{
	return pools_how(u, "as in Linux: added only where one may wait, never released");
}

const struct table_way table_way_pool_full = {
	.name = "pool-4M",
	.how = pools_how_full,
	.open = pools_open_full,
	.take = pools_take,
	.give = pools_give,
	.check = pools_check,
	.close = pools_close,
};

const struct table_way table_way_pool_grows = {
	.name = "pool-grows",
	.how = pools_how_grows,
	.open = pools_make,
	.take = pools_take_grows,
	.give = pools_give,
	.check = pools_check,
	.close = pools_close,
};

const struct table_way table_way_pool_linux = {
	.name = "pool-linux",
	.how = pools_how_linux,
	.open = pools_open_linux,
	.take = pools_take_linux,
	.give = pools_give,
	.tick = pools_tick_linux,
	.check = pools_check,
	.close = pools_close,
};
