/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_pools.c - tables from gen_pool, in three ways.
 *
 * On demand a chunk has 16 KiB, or a page where they are not to be had in a row. As Linux has it,
 * adding a chunk sleeps: in atomic context a pool that has nothing left fails, and is grown by work
 * before the next operation that may wait, or some operations later.
 */
#include "table_way.h"

#include <stdlib.h>
#include <string.h>

#include "../view/view.h"

#define POOLS_FULL (UINT64_C(4) << 20) /* what the format can ever need */
#define POOLS_CHUNK UINT64_C(16384)
#define POOLS_LATER 16u /* operations until work runs at the latest */

/* A pool that grows as Linux's does. */
struct pools_sleeper {
	struct table_use *use;
	bool wanted;	     /* a table could not be had */
	unsigned int waited; /* operations since then */
};

static int pools_make(struct table_use *u, uint64_t first, uint32_t flags)
{
	struct pz_table_pool_config pool = { first, 0, flags };
	struct pz_table_source_config cfg;

	table_use_config(u, &cfg);
	return pz_table_pool_create(&u->source, &cfg, &pool, NULL);
}

static int pools_open_full(struct table_use *u)
{
	return pools_make(u, POOLS_FULL, PZ_TABLE_POOL_FIXED);
}

static int pools_open_grows(struct table_use *u)
{
	return pools_make(u, 0, 0);
}

static int pools_alloc_linux(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			     struct pz_table *out)
{
	struct pools_sleeper *x = ctx;
	const struct pz_table_mem *mem = pz_table_source_mem(x->use->source);
	int rc = mem->alloc(mem->ctx, cpu, gfp, bytes, out);

	if (rc && !x->wanted) {
		x->wanted = true;
		x->waited = 0;
	}
	return rc;
}

static void pools_free_linux(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	const struct pools_sleeper *x = ctx;
	const struct pz_table_mem *mem = pz_table_source_mem(x->use->source);

	mem->free(mem->ctx, cpu, bytes, t);
}

static int pools_open_linux(struct table_use *u)
{
	struct pools_sleeper *x = xcalloc(1, sizeof(*x));

	u->own = x;
	x->use = u;
	u->mem.alloc = pools_alloc_linux;
	u->mem.free = pools_free_linux;
	u->mem.ctx = x;
	return pools_make(u, POOLS_CHUNK, PZ_TABLE_POOL_SLEEPS | PZ_TABLE_POOL_KEEPS);
}

static void pools_tick_linux(struct table_use *u, bool may_wait)
{
	struct pools_sleeper *x = u->own;

	if (!x->wanted || (!may_wait && ++x->waited < POOLS_LATER))
		return;
	x->wanted = false;
	(void)pz_table_pool_grow(u->source, 0, PZ_GFP_BLOCK);
}

static int pools_close_linux(struct table_use *u)
{
	free(u->own);
	u->own = NULL;
	return 0;
}

static char *pools_how_full(const struct table_use *u)
{
	(void)u;
	return xstrdup("gen_pool with 4 MiB from the start, for the 4096 tables of 4 GiB");
}

static char *pools_how(const struct table_use *u, const char *rest)
{
	uint64_t page = UINT64_C(1) << u->bed->m->page_shift;
	char size[VIEW_SIZE_MAX];

	return xasprintf("gen_pool with chunks of %s on demand, %s",
			 view_size(size, page > POOLS_CHUNK ? page : POOLS_CHUNK), rest);
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
};

const struct table_way table_way_pool_grows = {
	.name = "pool-grows",
	.how = pools_how_grows,
	.open = pools_open_grows,
};

const struct table_way table_way_pool_linux = {
	.name = "pool-linux",
	.how = pools_how_linux,
	.open = pools_open_linux,
	.tick = pools_tick_linux,
	.keeps = true,
	.close = pools_close_linux,
};
