/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_debug.c - misuse of a pool, and poison in what is free.
 *
 * Concept
 *  A finding is data. With debug a free block is filled with one byte, and with another one when it
 * is given out; what changed in between was written by a driver or a device that no longer had it.
 *
 * Failure
 *  A block that was written to is told and fenced off: whoever wrote may do so again.
 */
#include "pool.h"

static const char *const pool_words[PZ_DMA_POOL_FAULTS] = {
	[PZ_DMA_POOL_FOREIGN] = "is none of its blocks",
	[PZ_DMA_POOL_INTERIOR] = "is not the start of a block",
	[PZ_DMA_POOL_BAD_CPU] = "is freed with another block's address for the CPU",
	[PZ_DMA_POOL_DOUBLE_FREE] = "is free already",
	[PZ_DMA_POOL_CORRUPTED] = "was written to while it was free",
};

static void pool_tell(struct pz_dma_pool *p, const struct pz_dma_pool_finding *f)
{
	pz_bug(p->dev->dma->cfg.bugs, f->function, "%s: bus address 0x%llx %s", p->name,
	       (unsigned long long)f->bus, pool_words[f->fault]);
	if (p->cfg.found)
		p->cfg.found(p->cfg.ctx, f);
}

void pz_dma_pool_found(struct pz_dma_pool *p, const char *function, enum pz_dma_pool_fault fault,
		       const void *cpu_addr, uint64_t bus)
{
	struct pool_page *d = pz_dma_pool_find(p, bus);
	struct pz_dma_pool_finding f = { .fault = fault,
					 .pool = p,
					 .name = p->name,
					 .function = function,
					 .cpu_addr = cpu_addr,
					 .bus = bus };
	uint32_t block;

	if (d && d->track && bus - d->buf.bus < p->bytes &&
	    pool_block_at(p, (uint32_t)(bus - d->buf.bus), &block)) {
		f.site = d->track[block].site;
		f.when = d->track[block].when;
	}
	pool_tell(p, &f);
}

void pz_dma_pool_poison_new(const struct pz_dma_pool *p, const struct pool_page *d)
{
	for (uint32_t i = 0; i < p->lay.blocks; i++)
		memset((unsigned char *)d->buf.cpu_addr + pool_offset(p, i), PZ_DMA_POOL_FREE,
		       p->lay.stride);
}

void pz_dma_pool_poison(struct pz_dma_pool *p, struct pool_page *d, uint32_t block, bool taken)
{
	memset((unsigned char *)d->buf.cpu_addr + pool_offset(p, block),
	       taken ? PZ_DMA_POOL_TAKEN : PZ_DMA_POOL_FREE, p->lay.stride);
	d->track[block].site = pz_dma_site(p->dev->dma);
	d->track[block].when = pz_dma_now(p->dev->dma);
}

bool pz_dma_pool_intact(struct pz_dma_pool *p, const char *function, struct pool_page *d,
			uint32_t block)
{
	struct pool_entry e = pool_entry(p, d, block);
	const unsigned char *at = e.cpu;
	struct pz_dma_pool_finding f = { .fault = PZ_DMA_POOL_CORRUPTED,
					 .pool = p,
					 .name = p->name,
					 .function = function,
					 .cpu_addr = e.cpu,
					 .bus = e.bus };

	for (uint32_t i = 0; i < p->lay.stride; i++) {
		if (at[i] == PZ_DMA_POOL_FREE)
			continue;
		if (!f.bad)
			f.bad = at + i;
		f.bad_bytes = (uint32_t)(at + i - f.bad) + 1;
	}
	if (!f.bad)
		return true;
	f.site = d->track[block].site;
	f.when = d->track[block].when;
	pool_tell(p, &f);
	return false;
}
