/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_table.c - tables: where they come from, what the walker is told of them, and their links.
 *
 * Concept
 *  A provider gives memory; here it is held against what a descriptor can name and what the walker
 * sees. A table that lies elsewhere, or that the walker would read at another address, cannot be
 * used at all, for no descriptor leads there: it goes back, and the caller is told.
 */
#include "v7s_internal.h"

/* The walker, as a device, sees the table where the CPU has it. */
static int table_tell(struct pz_v7s *t, uint32_t cpu, uint32_t bytes, const struct pz_table *table)
{
	uint64_t bus;
	int rc;

	if (!t->cfg.dev || t->cfg.mem->coherent)
		return 0;
	rc = pz_dma_map_try(t->cfg.dev, cpu, table->addr, bytes, PZ_DMA_TO_DEVICE, 0, &bus);
	if (!rc && bus != table->addr) {
		pz_dma_unmap(t->cfg.dev, cpu, bus, bytes, PZ_DMA_TO_DEVICE, PZ_DMA_SKIP_CPU_SYNC);
		rc = -PZ_ERANGE;
	}
	return rc;
}

int pz_v7s_table_get(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint32_t bytes,
		     struct pz_table *out)
{
	const struct pz_table_mem *mem = t->cfg.mem;
	struct pz_limits l;
	int rc;

	if (t->cfg.faults && pz_fault_hit(t->cfg.faults, t->fault))
		return -PZ_ENOMEM;
	rc = mem->alloc(mem->ctx, cpu, gfp, bytes, out);
	if (rc)
		return rc;
	pz_v7s_table_limits(t->cfg.quirks, t->cfg.oas, &l);
	if (out->addr > l.max_addr || (out->addr & (bytes - 1)) ||
	    ((uintptr_t)out->cpu_addr & (sizeof(uint32_t) - 1))) {
		rc = -PZ_ERANGE;
	} else {
		memset(out->cpu_addr, 0, bytes);
		rc = table_tell(t, cpu, bytes, out);
	}
	if (rc)
		mem->free(mem->ctx, cpu, bytes, out);
	else if (bytes == V7S_TABLE_BYTES)
		pz_count64(&v7s_counts(t, cpu)->made, 1);
	return rc;
}

void pz_v7s_table_put(struct pz_v7s *t, uint32_t cpu, uint32_t bytes, const struct pz_table *table)
{
	const struct pz_table_mem *mem = t->cfg.mem;

	if (t->cfg.dev && !mem->coherent)
		pz_dma_unmap(t->cfg.dev, cpu, table->addr, bytes, PZ_DMA_TO_DEVICE,
			     PZ_DMA_SKIP_CPU_SYNC);
	/* A full barrier, between the generation that says that it went and whatever is written to
	 * it next: v7s_look.c. */
	if (bytes == V7S_TABLE_BYTES)
		pz_count64(&v7s_counts(t, cpu)->returned, 1);
	mem->free(mem->ctx, cpu, bytes, table);
}

void pz_v7s_sync(const struct pz_v7s *t, uint64_t addr, uint32_t count)
{
	pz_dma_sync_for_device(t->cfg.dev, addr, (uint64_t)count * 4, PZ_DMA_TO_DEVICE);
}

void pz_v7s_link(struct v7s_held *h, const struct pz_table *table)
{
	struct pz_v7s *t = h->t;

	pz_store_ptr(&h->m->table, table->cpu_addr);
	v7s_publish(&t->word[h->i], pz_v7s_to_table(t, table->addr));
	v7s_sync_first(t, h->i, 1);
}

void pz_v7s_drop_second(struct v7s_held *h, uint32_t cpu)
{
	struct pz_v7s *t = h->t;
	struct pz_table table = { h->m->table, pz_v7s_table_at(t, t->word[h->i]) };

	v7s_put(&t->word[h->i], 0);
	v7s_sync_first(t, h->i, 1);
	pz_store_ptr(&h->m->table, NULL);
	h->state = ((h->state & V7S_GENERATIONS) + V7S_GENERATION) & V7S_GENERATIONS;
	v7s_flush_walk(t, v7s_iova(h->i), PZ_V7S_1M, v7s_min_page(t));
	v7s_unlock(h);
	pz_v7s_table_put(t, cpu, V7S_TABLE_BYTES, &table);
}
