/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_internal.h - what providers of tables share.
 *
 *	mem		the request, larger tables of most, and what the user sees of a provider
 *	mem_slab, mem_pool, mem_frag, mem_dma, mem_pages	one allocator each
 */
#ifndef PHYSZONE_IOMMU_MEM_INTERNAL_H
#define PHYSZONE_IOMMU_MEM_INTERNAL_H

#include <physzone/table_mem.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/pz_string.h"

/* What an allocator does for its provider. A size is a power of two. */
struct mem_ops {
	int (*small)(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, struct pz_table *out);
	void (*small_back)(struct pz_table_source *s, uint32_t cpu, const struct pz_table *t);
	int (*large)(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, uint32_t bytes,
		     struct pz_table *out);
	/* False: there is no such table, which has been told. */
	bool (*large_back)(struct pz_table_source *s, uint32_t cpu, uint32_t bytes,
			   const struct pz_table *t);
	uint64_t (*trim)(struct pz_table_source *s, uint32_t cpu); /* NULL: nothing is kept */
	/* Small tables out, and bytes held for them, or for all. */
	void (*stat)(const struct pz_table_source *s, struct pz_table_stat *out);
	int (*check)(const struct pz_table_source *s); /* NULL: there is nothing to check */
	/* The allocator's part back, no table is out: 0, or -PZ_EBUSY with nothing changed. */
	int (*close)(struct pz_table_source *s); /* NULL: there is none */
};

/* The beginning of each provider's own record. */
struct pz_table_source {
	struct pz_table_mem mem;
	const struct mem_ops *ops;
	struct pz_table_source_config cfg; /* limits within what is mapped, without boundary */
	uint64_t boundary;
	uint32_t page_shift;
	size_t bytes;	      /* of the whole record */
	uint64_t large;	      /* tables out */
	uint64_t large_bytes; /* pages taken by mem_large() */
};

/* Say what is wrong with a configuration. */
int pz_mem_wrong(const char **why, int rc, const char *what);

/*
 * Make the record, @bytes of it zeroed, for tables in the CPU's view of memory. 0, or as the create
 * functions.
 */
int pz_mem_make(struct pz_table_source **out, const struct pz_table_source_config *cfg,
		const struct mem_ops *ops, size_t bytes, const char **why);
/* The same without pages: for what has a view of its own. */
int pz_mem_make_bare(struct pz_table_source **out, const struct pz_table_source_config *cfg,
		     const struct mem_ops *ops, size_t bytes, const char **why);
void pz_mem_drop(struct pz_table_source *s);

/* 2^order pages within the limits. */
int pz_mem_pages(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, unsigned int order,
		 uint64_t *addr);
void pz_mem_pages_back(struct pz_table_source *s, uint32_t cpu, unsigned int order, uint64_t addr);

/* Tables of whole pages: the large and large_back of most. */
int pz_mem_large(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, uint32_t bytes,
		 struct pz_table *out);
bool pz_mem_large_back(struct pz_table_source *s, uint32_t cpu, uint32_t bytes,
		       const struct pz_table *t);

/* Small tables that a provider is for. */
static inline uint32_t mem_tables(const struct pz_table_source_config *cfg)
{
	return cfg->tables ? cfg->tables : 4096;
}

static inline void *mem_virt(const struct pz_table_source *s, uint64_t addr)
{
	return (unsigned char *)s->cfg.virt + (addr - s->cfg.mapped.first);
}

/* Pages of a size, as an order. */
static inline unsigned int mem_order(const struct pz_table_source *s, uint64_t bytes)
{
	unsigned int order = 0;

	while (((uint64_t)1 << (s->page_shift + order)) < bytes)
		order++;
	return order;
}

#endif
