/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limited.c - whether a device reaches all memory.
 *
 * Concept
 *  What lies between the windows of a reach set is asked of the page allocator: no managed page
 *  there, nothing out of reach. Memory on both sides of where two windows touch is in reach, but
 *  what lies across is in two pieces on the bus.
 */
#include "dma_internal.h"

bool pz_dma_has_managed(const struct pz_dma *dma, uint64_t first, uint64_t last)
{
	uint64_t page = pz_dma_page_bytes(dma) - 1;
	struct pz_page_req req;

	pz_page_req_init(dma->cfg.pages, &req, 0, 0, PZ_CPU_NONE);
	req.limits.min_addr = first & ~page;
	req.limits.max_addr = last | page;
	return !pz_page_ever(dma->cfg.pages, &req);
}

bool pz_dma_reach_limited(const struct pz_dma *dma, const struct pz_reach *reach)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < reach->count; i++) {
		const struct pz_window *w = &reach->v[i];

		if (w->phys.first > next && pz_dma_has_managed(dma, next, w->phys.first - 1))
			return true;
		if (w->phys.last == PZ_ADDR_MAX)
			return false;
		next = w->phys.last + 1;
	}
	return pz_dma_has_managed(dma, next, PZ_ADDR_MAX);
}

bool pz_dma_reach_whole(const struct pz_dma *dma, const struct pz_reach *reach)
{
	for (uint32_t i = 1; i < reach->count; i++) {
		uint64_t first = reach->v[i].phys.first;

		if (reach->v[i - 1].phys.last == first - 1 &&
		    pz_dma_has_managed(dma, first - 1, first - 1) &&
		    pz_dma_has_managed(dma, first, first))
			return false;
	}
	return !pz_dma_reach_limited(dma, reach);
}

bool pz_dma_limited(const struct pz_dma_dev *dev)
{
	return pz_dma_reach_limited(dev->dma, &dev->reach[DMA_STREAMING]);
}
