/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_slabs.c - tables from a kmem_cache with a limit, and from kmalloc() under one.
 */
#include "table_way.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/kmalloc.h>

#include "../view/view.h"

struct slabs_use {
	struct pz_slabs *slabs;
	struct pz_kmalloc *family; /* of kmalloc */
};

static void *slabs_zeroed(void *ctx, size_t size)
{
	(void)ctx;
	return xcalloc(1, size);
}

static void slabs_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

/* Eight bytes for each page that can be an object's; what no slab lies in stays untouched. */
static const struct pz_meta slabs_meta = { slabs_zeroed, slabs_free, NULL };

static int slabs_make(struct table_use *u)
{
	struct slabs_use *s = xcalloc(1, sizeof(*s));
	struct pz_slabs_config cfg;

	u->own = s;
	memset(&cfg, 0, sizeof(cfg));
	cfg.pages = u->bed->pages;
	cfg.zones = &u->bed->z;
	cfg.meta = &u->meta;
	cfg.zeroed = &slabs_meta;
	cfg.mapped.last = u->bed->arena->bytes - 1;
	cfg.virt = u->bed->arena->at;
	cfg.page_shift = u->bed->m->page_shift;
	cfg.cpus = 1;
	cfg.max_caches = 16;
	cfg.seed = 1;
	cfg.bugs = &u->bed->bugs;
	return pz_slabs_create(&s->slabs, &cfg);
}

static int cache_open(struct table_use *u)
{
	struct pz_table_source_config cfg;
	struct slabs_use *s;
	int rc = slabs_make(u);

	s = u->own;
	if (rc)
		return rc;
	table_use_config(u, &cfg);
	return pz_table_slab_create(&u->source, &cfg, s->slabs,
				    u->debug ? PZ_SLAB_DEBUG_DEFAULT : 0, NULL);
}

static int kmalloc_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			 struct pz_table *out)
{
	struct table_use *u = ctx;
	struct slabs_use *s = u->own;
	int rc = pz_kmalloc_limited(s->slabs, cpu, gfp, bytes, &u->bed->limits, &out->cpu_addr);

	if (!rc)
		out->addr = pz_slab_phys(s->slabs, out->cpu_addr);
	return rc;
}

static void kmalloc_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	const struct table_use *u = ctx;
	const struct slabs_use *s = u->own;

	(void)bytes;
	pz_kfree(s->slabs, cpu, t->cpu_addr);
}

static int kmalloc_open(struct table_use *u)
{
	struct pz_kmalloc_config cfg;
	struct slabs_use *s;
	int rc = slabs_make(u);

	s = u->own;
	if (rc)
		return rc;
	memset(&cfg, 0, sizeof(cfg));
	cfg.slabs = s->slabs;
	cfg.limits = u->bed->limits;
	cfg.debug = u->debug ? PZ_SLAB_DEBUG_DEFAULT : 0;
	u->mem.alloc = kmalloc_alloc;
	u->mem.free = kmalloc_free;
	u->mem.ctx = u;
	return pz_kmalloc_create(&s->family, &cfg, NULL);
}

static char *slabs_layout(struct pz_kmem_cache *c, const struct table_use *u)
{
	struct pz_kmem_cache_stat stat;
	char size[VIEW_SIZE_MAX];

	pz_kmem_cache_stat(c, &stat);
	return xasprintf(
		"%" PRIu32 " tables in a slab of %s", stat.layout.objects,
		view_pages_size(size, UINT64_C(1) << stat.layout.order, u->bed->m->page_shift));
}

static char *cache_how(const struct table_use *u)
{
	const struct slabs_use *s = u->own;
	/* The only cache of the set. */
	char *layout = slabs_layout(pz_slabs_each(s->slabs, NULL), u);
	char *how = xasprintf("a cache of its own with the limit: %s", layout);

	free(layout);
	return how;
}

static char *kmalloc_how(const struct table_use *u)
{
	const struct slabs_use *s = u->own;
	char *layout = slabs_layout(pz_kmalloc_cache(s->family, 0, TABLE_BYTES), u);
	char *how = xasprintf("pz_kmalloc_limited() with caches of the limit: %s", layout);

	free(layout);
	return how;
}

static void slabs_shrink(struct table_use *u)
{
	struct slabs_use *s = u->own;

	pz_slab_drain(s->slabs, 0);
	(void)pz_slab_reclaim(s->slabs, 0, NULL, false);
}

static int slabs_check(const struct table_use *u)
{
	const struct slabs_use *s = u->own;

	return pz_slabs_check(s->slabs);
}

static int slabs_close(struct table_use *u)
{
	struct slabs_use *s = u->own;
	int rc = 0;

	if (!s)
		return 0;
	if (s->family)
		rc = pz_kmalloc_destroy(s->family);
	if (!rc && s->slabs)
		rc = pz_slabs_destroy(s->slabs);
	free(s);
	u->own = NULL;
	return rc;
}

const struct table_way table_way_kmem_cache = {
	.name = "kmem_cache",
	.how = cache_how,
	.open = cache_open,
	.close = slabs_close,
};

const struct table_way table_way_kmalloc = {
	.name = "kmalloc",
	.how = kmalloc_how,
	.open = kmalloc_open,
	.shrink = slabs_shrink,
	.check = slabs_check,
	.close = slabs_close,
};
