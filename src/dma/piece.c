/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * piece.c - pieces of memory that is kept: of a device's region, of a pool for atomic contexts.
 *
 * Concept
 *  Such memory is a pool of granules of a page, at its physical addresses. Where a piece may lie is
 *  a question of bus addresses, so the pool is given an algorithm: the lowest free place whose bus
 *  address is aligned, within one window, and does not cross the boundary.
 *  Each piece has a record. It ends before the granules are free, so there are never more records
 *  in use than there are granules, and who frees a piece twice finds no record.
 *
 * Failure
 *  Nothing changes.
 */
#include "dma_internal.h"

/* The lowest bus address from @bus on that a want may begin at; false when there is none. */
static bool piece_aim(const struct dma_want *k, uint64_t bus, uint64_t *out)
{
	uint64_t edge = k->boundary; /* what is aligned to more never crosses it */

	if (edge && k->bytes > edge)
		return false;
	if (!pz_round_up(bus, k->align, &bus) || k->bytes - 1 > PZ_ADDR_MAX - bus)
		return false;
	if (edge && ((bus ^ (bus + (k->bytes - 1))) & ~(edge - 1)) &&
	    (!pz_round_up(bus + 1, edge, &bus) ||
	     k->bytes - 1 > PZ_ADDR_MAX - bus))
		return false;
	*out = bus;
	return true;
}

/* The first free place in a window, at or above granule @from. */
static uint32_t piece_in(const struct dma_want *k, const struct pz_window *w,
			 const struct pz_genpool_view *v, uint32_t from, uint32_t n)
{
	uint64_t granule = (uint64_t)1 << v->order;

	while (from < v->granules) {
		uint64_t at = v->addr + ((uint64_t)from << v->order), bus, phys;
		uint32_t g, used;

		if (at < w->phys.first)
			at = w->phys.first;
		if (at > w->phys.last || !piece_aim(k, w->bus + (at - w->phys.first), &bus))
			break;
		phys = w->phys.first + (bus - w->bus);
		if (bus - w->bus > w->phys.last - w->phys.first ||
		    w->phys.last - phys < k->bytes - 1 || ((phys - v->addr) & (granule - 1)) ||
		    phys - v->addr >= (uint64_t)v->granules << v->order)
			break;
		g = (uint32_t)((phys - v->addr) >> v->order);
		if (n > v->granules - g)
			break;
		used = pz_genpool_next_used(v, g);
		if (used - g >= n)
			return g;
		from = pz_genpool_next_free(v, used);
	}
	return PZ_GENPOOL_NONE;
}

uint32_t pz_dma_piece(void *ctx, const struct pz_genpool_view *v, uint32_t from, uint32_t n)
{
	const struct dma_piece *p = ctx;

	for (uint32_t i = 0; i < p->reach->count; i++) {
		uint32_t g = piece_in(p->want, &p->reach->v[i], v, from, n);

		if (g != PZ_GENPOOL_NONE)
			return g;
	}
	return PZ_GENPOOL_NONE;
}

int pz_dma_piece_take(struct pz_dma_dev *dev, struct pz_genpool *pool, enum pz_dma_from from,
		      uint64_t size, struct pz_dma_buf *buf, void **owner)
{
	struct pz_genpool_got got;
	struct dma_ticket ticket;
	struct dma_want want;
	struct dma_piece piece = { &dev->reach[DMA_COHERENT], &want };
	struct pz_genpool_algo algo = { .kind = PZ_GENPOOL_CUSTOM };

	pz_dma_want(dev, size, &want);
	algo.custom = pz_dma_piece;
	algo.ctx = &piece;
	if (pz_fault_hit(dev->dma->cfg.faults, dev->dma->fault_piece) ||
	    pz_genpool_alloc_algo(pool, want.bytes, &algo, &got))
		return -PZ_ENOMEM;
	if (!pz_dma_record_add(dev->dma, dev, from, got.addr, want.bytes, &ticket)) {
		pz_genpool_free(pool, got.addr, want.bytes);
		return -PZ_ENOMEM;
	}
	buf->phys = got.addr;
	buf->from = (uint8_t)from;
	buf->record = ticket.record;
	buf->serial = ticket.serial;
	*owner = got.owner;
	return 0;
}

bool pz_dma_piece_give(struct pz_dma_dev *dev, struct pz_genpool *pool,
		       const struct pz_dma_buf *buf)
{
	struct dma_ticket ticket = { buf->record, buf->serial };
	uint64_t bytes = pz_dma_whole_pages(dev->dma, buf->size);

	if (!pz_dma_record_end(dev->dma, dev, (enum pz_dma_from)buf->from, buf->phys, bytes,
			       &ticket))
		return false;
	/* Nothing of it may come up again in what is uncached. */
	if (buf->mapped & DMA_DID_CACHE)
		pz_dma_flush(dev->dma, buf->phys, bytes);
	pz_genpool_free(pool, buf->phys, bytes);
	return true;
}
