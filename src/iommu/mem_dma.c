/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_dma.c - tables in coherent memory of the device that walks them.
 *
 * Concept: small tables are blocks of a dma_pool, larger ones coherent buffers, each with a record
 * of it. A table's address is the bus address: what translates between the two is the device's
 * affair, and nothing is left to sync.
 *
 * Invariant: the key of a record is the bus address of the table that is out by it, MEM_DMA_FREE,
 * or MEM_DMA_BUSY while one context takes or gives back such a table.
 *
 * Failure: that of dma_pool and coherent buffers; -PZ_ENOMEM when all records are in use;
 * -PZ_ERANGE, with nothing held, for memory beyond the limits.
 *
 * Shortcomings
 *  A pool gives pages back when it is trimmed alone, and a page with one table stays.
 */
#include "mem_internal.h"

#define MEM_DMA_LARGE 4u /* records, and one more for each of so many tables: */
#define MEM_DMA_TABLES 1024u
#define MEM_DMA_FREE UINT64_MAX
#define MEM_DMA_BUSY (UINT64_MAX - 1)

struct mem_dma_record {
	uint64_t key;
	struct pz_dma_buf buf;
};

struct mem_dma {
	struct pz_table_source base;
	struct pz_dma_dev *dev;
	struct pz_dma_pool *pool;
	uint32_t page; /* bytes of a page */
	uint32_t count;
	struct mem_dma_record record[];
};

static struct mem_dma *mem_dma(const struct pz_table_source *s)
{
	return (struct mem_dma *)(uintptr_t)s;
}

static bool mem_dma_beyond(const struct pz_table_source *s, uint64_t bus, uint32_t bytes)
{
	struct pz_range r = { bus, bus + (bytes - 1) };

	return bus & (bytes - 1) || !pz_limits_check(&s->cfg.limits, r);
}

static int mem_dma_small(struct pz_table_source *s, uint32_t cpu, uint32_t gfp,
			 struct pz_table *out)
{
	struct mem_dma *m = mem_dma(s);
	int rc = pz_dma_pool_request(m->pool, cpu, gfp, &out->cpu_addr, &out->addr);

	if (rc || !mem_dma_beyond(s, out->addr, PZ_TABLE_SMALL))
		return rc;
	pz_dma_pool_free(m->pool, cpu, out->cpu_addr, out->addr);
	return -PZ_ERANGE;
}

static void mem_dma_small_back(struct pz_table_source *s, uint32_t cpu, const struct pz_table *t)
{
	pz_dma_pool_free(mem_dma(s)->pool, cpu, t->cpu_addr, t->addr);
}

/* The record with a key, taken now; NULL for none. */
static struct mem_dma_record *mem_dma_take(struct mem_dma *m, uint64_t key)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (pz_load64(&m->record[i].key) == key &&
		    pz_cas64(&m->record[i].key, key, MEM_DMA_BUSY))
			return &m->record[i];
	return NULL;
}

static uint64_t mem_dma_pages(const struct mem_dma *m, uint32_t bytes)
{
	return bytes > m->page ? bytes : m->page;
}

static int mem_dma_large(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			 struct pz_table *out)
{
	struct mem_dma *m = mem_dma(s);
	struct mem_dma_record *r = mem_dma_take(m, MEM_DMA_FREE);
	int rc;

	if (!r)
		return -PZ_ENOMEM;
	rc = pz_dma_alloc(m->dev, cpu, gfp, 0, bytes, &r->buf);
	if (!rc && mem_dma_beyond(s, r->buf.bus, bytes)) {
		pz_dma_free(m->dev, cpu, &r->buf);
		rc = -PZ_ERANGE;
	}
	if (!rc) {
		out->cpu_addr = r->buf.cpu_addr;
		out->addr = r->buf.bus;
		pz_count64(&s->large_bytes, mem_dma_pages(m, bytes));
	}
	pz_store64(&r->key, rc ? MEM_DMA_FREE : out->addr);
	return rc;
}

static bool mem_dma_large_back(struct pz_table_source *s, uint32_t cpu, uint32_t bytes,
			       const struct pz_table *t)
{
	struct mem_dma *m = mem_dma(s);
	struct mem_dma_record *r = t->addr < MEM_DMA_BUSY ? mem_dma_take(m, t->addr) : NULL;

	if (!r) {
		pz_bug(s->cfg.bugs, "pz_table_mem", "%#llx: no table of %#x bytes is there",
		       (unsigned long long)t->addr, bytes);
		return false;
	}
	pz_dma_free(m->dev, cpu, &r->buf);
	pz_count64(&s->large_bytes, 0 - mem_dma_pages(m, bytes));
	pz_store64(&r->key, MEM_DMA_FREE);
	return true;
}

static uint64_t mem_dma_trim(struct pz_table_source *s, uint32_t cpu)
{
	return pz_dma_pool_trim(mem_dma(s)->pool, cpu);
}

static void mem_dma_stat(const struct pz_table_source *s, struct pz_table_stat *out)
{
	struct pz_dma_pool_info now;

	pz_dma_pool_info(mem_dma(s)->pool, &now);
	out->small = now.used;
	out->held = now.pages * now.layout.bytes;
}

static int mem_dma_check(const struct pz_table_source *s)
{
	return pz_dma_pool_check(mem_dma(s)->pool);
}

static int mem_dma_close(struct pz_table_source *s)
{
	return pz_dma_pool_destroy(mem_dma(s)->pool, NULL, NULL);
}

static const struct mem_ops mem_dma_ops = {
	.small = mem_dma_small,
	.small_back = mem_dma_small_back,
	.large = mem_dma_large,
	.large_back = mem_dma_large_back,
	.trim = mem_dma_trim,
	.stat = mem_dma_stat,
	.check = mem_dma_check,
	.close = mem_dma_close,
};

int pz_table_dma_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			const struct pz_table_dma_config *dma, const char **why)
{
	uint32_t count = MEM_DMA_LARGE + mem_tables(cfg) / MEM_DMA_TABLES;
	struct pz_dma_pool_config pool;
	struct pz_dma_pool_info made;
	struct pz_table_source *s;
	int rc;

	if (!dma->dev)
		return pz_mem_wrong(why, -PZ_EINVAL, "there is no device");
	rc = pz_mem_make_bare(&s, cfg, &mem_dma_ops,
			      sizeof(struct mem_dma) + count * sizeof(struct mem_dma_record), why);
	if (rc)
		return rc;
	memset(&pool, 0, sizeof(pool));
	pool.name = "iommu-tables";
	pool.size = pool.align = PZ_TABLE_SMALL;
	pool.layout = dma->layout;
	pool.debug = dma->debug;
	rc = pz_dma_pool_create(&mem_dma(s)->pool, dma->dev, &pool, why);
	if (rc) {
		pz_mem_drop(s);
		return rc;
	}
	pz_dma_pool_info(mem_dma(s)->pool, &made);
	mem_dma(s)->dev = dma->dev;
	mem_dma(s)->page = made.layout.bytes;
	mem_dma(s)->count = count;
	for (uint32_t i = 0; i < count; i++)
		mem_dma(s)->record[i].key = MEM_DMA_FREE;
	s->mem.coherent = true;
	*out = s;
	return 0;
}
