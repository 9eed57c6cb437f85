/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_frag.c - tables from pieces of blocks of pages.
 *
 * Concept: small tables are pieces of 1 KiB, aligned to it. All that must be known of blocks is
 * allocated with the provider: a piece is never refused for want of metadata while there are fewer
 * blocks than it is made for, and no hook is called from whoever maps.
 *
 * Invariant: the pieces out of the cache are the small tables.
 *
 * Failure: that of the cache, and -PZ_ENOMEM when as many blocks are pinned as there may be.
 *
 * Shortcomings
 *  Without PZ_FRAG_REUSE a block stays until all its tables are back, and serves none meanwhile.
 */
#include "mem_internal.h"

#define MEM_FRAG_TABLES 4u /* of a block at least, where pages have 4 KiB */

struct mem_frag {
	struct pz_table_source base;
	struct pz_frag *frag;
};

static struct mem_frag *mem_frag(const struct pz_table_source *s)
{
	return (struct mem_frag *)(uintptr_t)s;
}

static int mem_frag_small(struct pz_table_source *s, uint32_t cpu, uint32_t gfp,
			  struct pz_table *out)
{
	int rc = pz_frag_alloc_gfp(mem_frag(s)->frag, cpu, gfp, PZ_TABLE_SMALL, PZ_TABLE_SMALL,
				   &out->addr);

	if (!rc)
		out->cpu_addr = mem_virt(s, out->addr);
	return rc;
}

static void mem_frag_small_back(struct pz_table_source *s, uint32_t cpu, const struct pz_table *t)
{
	pz_frag_free(mem_frag(s)->frag, cpu, t->addr, PZ_TABLE_SMALL);
}

static uint64_t mem_frag_trim(struct pz_table_source *s, uint32_t cpu)
{
	return pz_frag_drain(mem_frag(s)->frag, cpu) << s->page_shift;
}

static void mem_frag_stat(const struct pz_table_source *s, struct pz_table_stat *out)
{
	struct pz_frag_stat now;

	pz_frag_stat(mem_frag(s)->frag, &now);
	out->small = now.pieces;
	out->held = now.block_bytes;
}

static int mem_frag_check(const struct pz_table_source *s)
{
	return pz_frag_check(mem_frag(s)->frag);
}

static int mem_frag_close(struct pz_table_source *s)
{
	return pz_frag_destroy(mem_frag(s)->frag) ? -PZ_EBUSY : 0;
}

static const struct mem_ops mem_frag_ops = {
	.small = mem_frag_small,
	.small_back = mem_frag_small_back,
	.large = pz_mem_large,
	.large_back = pz_mem_large_back,
	.trim = mem_frag_trim,
	.stat = mem_frag_stat,
	.check = mem_frag_check,
	.close = mem_frag_close,
};

int pz_table_frag_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			 uint32_t flags, const char **why)
{
	struct pz_frag_config frag;
	struct pz_table_source *s;
	int rc;

	if (flags & ~PZ_FRAG_REUSE)
		return pz_mem_wrong(why, -PZ_EINVAL, "an unknown flag");
	rc = pz_mem_make(&s, cfg, &mem_frag_ops, sizeof(struct mem_frag), why);
	if (rc)
		return rc;
	memset(&frag, 0, sizeof(frag));
	frag.pages = cfg->pages;
	frag.limits = s->cfg.limits;
	frag.flags = flags | PZ_FRAG_NOGROW;
	frag.granule = flags & PZ_FRAG_REUSE ? PZ_TABLE_SMALL : 0;
	frag.blocks = (mem_tables(cfg) + MEM_FRAG_TABLES - 1) / MEM_FRAG_TABLES;
	frag.meta = cfg->meta;
	rc = pz_frag_create(&mem_frag(s)->frag, &frag);
	if (rc)
		pz_mem_drop(s);
	else
		*out = s;
	return rc == -PZ_EINVAL ? pz_mem_wrong(why, rc, "pages are no good for pieces of 1 KiB")
				: rc;
}
