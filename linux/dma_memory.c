/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_memory.c - where the DMA model's memory comes from, and what is printed about it.
 *
 * Concept: the calls that Linux's dma-direct makes, to the page allocator and to contiguous areas,
 * made of those that there are here.
 *
 * Invariants: none to keep.
 *
 * Failure: whatever Linux answers with NULL is -PZ_ENOMEM.
 *
 * Shortcomings: contiguous areas of nodes (cma_pernuma=, numa_cma=) are not modelled. Linux, like
 * this, gives an allocation of a device with an area of its own back to that or to the page
 * allocator, never to the default area.
 */
#include <stdarg.h>

#include <physzone/fmt.h>

#include "pzl_dma.h"

#define DMA_CMA_ALIGN 8u /* CONFIG_CMA_ALIGNMENT */

void pzl_dma_note(struct pzl_dma *d, enum pz_dma_from from, uint32_t gfp, enum pzl_dma_came came,
		  uint64_t phys)
{
	struct pzl_dma_trace *t = d->trace;

	if (!t)
		return;
	if (t->n < PZL_DMA_STEPS) {
		t->step[t->n].from = (uint8_t)from;
		t->step[t->n].came = (uint8_t)came;
		t->step[t->n].pool = 0;
		t->step[t->n].gfp = gfp;
		t->step[t->n].phys = phys;
	}
	t->n++;
}

void pzl_dma_line(const struct pzl_dma *d, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	size_t n;

	if (!d->cfg.emit)
		return;
	va_start(ap, fmt);
	n = pz_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	d->cfg.emit(d->cfg.emit_ctx, line, n < sizeof(line) ? n : sizeof(line) - 1);
}

void pzl_dma_dev_line(const struct pzl_dma *d, const struct pzl_dma_dev *dev, const char *text)
{
	pzl_dma_line(d, "%s%s%s: %s", dev->cfg.driver ? dev->cfg.driver : "",
		     dev->cfg.driver ? " " : "", dev->cfg.name, text);
}

bool pzl_dma_warn(struct pzl_dma *d, uint32_t warning)
{
	bool first = !(d->warned & warning);

	d->warned |= warning;
	return first;
}

int pzl_dma_pages_take(struct pzl_dma *d, int32_t nid, uint32_t gfp, unsigned int order,
		       uint64_t *phys)
{
	struct pz_page_req req;
	uint64_t pfn;

	if (order > d->cfg.boot.max_order)
		return -PZ_ENOMEM;
	pz_page_req_init(d->cfg.pages, &req, order, 0, PZ_CPU_NONE);
	pzl_gfp_request(gfp & ~PZL_GFP_ZERO, d->cfg.boot.model, d->cfg.boot.configured, &req);
	req.nid = nid;
	if (pz_page_request(d->cfg.pages, &req, &pfn))
		return -PZ_ENOMEM;
	*phys = pfn << d->cfg.boot.page_shift;
	return 0;
}

void pzl_dma_pages_give(struct pzl_dma *d, uint64_t phys, unsigned int order)
{
	pz_free_pages(d->cfg.pages, PZ_CPU_NONE, phys >> d->cfg.boot.page_shift, order);
}

int pzl_dma_cma_take(struct pzl_dma *d, uint32_t area, uint64_t bytes, uint64_t *phys)
{
	unsigned int order = pzl_dma_order(d, bytes);
	uint64_t pfn;

	if (pz_cma_alloc(d->cfg.pages, PZ_CPU_NONE, area, bytes >> d->cfg.boot.page_shift,
			 order < DMA_CMA_ALIGN ? order : DMA_CMA_ALIGN, NULL, &pfn))
		return -PZ_ENOMEM;
	*phys = pfn << d->cfg.boot.page_shift;
	return 0;
}

int pzl_dma_contiguous_take(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
			    uint32_t gfp, uint64_t *phys)
{
	if (!pzl_gfp_can_block(gfp))
		return -PZ_ENOMEM;
	if (dev->cfg.cma != PZ_DMA_NO_CMA)
		return pzl_dma_cma_take(d, dev->cfg.cma, bytes, phys);
	if (bytes <= pzl_dma_page_bytes(d) || d->cfg.cma == PZ_DMA_NO_CMA)
		return -PZ_ENOMEM;
	return pzl_dma_cma_take(d, d->cfg.cma, bytes, phys);
}

void pzl_dma_contiguous_give(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys,
			     uint64_t bytes)
{
	uint32_t area = dev->cfg.cma != PZ_DMA_NO_CMA ? dev->cfg.cma : d->cfg.cma;
	uint32_t shift = d->cfg.boot.page_shift;

	if (area != PZ_DMA_NO_CMA &&
	    pz_cma_release(d->cfg.pages, PZ_CPU_NONE, area, phys >> shift, bytes >> shift))
		return;
	pzl_dma_pages_give(d, phys, pzl_dma_order(d, bytes));
}

int pzl_dma_share(const struct pzl_dma *d, uint64_t phys, uint64_t bytes, bool shared)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;

	if (d->cfg.crypt == PZL_DMA_PLAIN || !h->share)
		return 0;
	return h->share(h->ctx, phys, bytes, shared) ? -PZ_ENOMEM : 0;
}

bool pzl_dma_is_high(const struct pzl_dma *d, uint64_t phys)
{
	const struct pz_zones *z = d->cfg.zones;
	uint64_t pfn = phys >> d->cfg.boot.page_shift;
	struct pz_page_info info;
	enum pz_zone_type type;

	if (!z)
		return phys >= d->cfg.high_first;
	if (!(d->cfg.boot.configured & PZL_ZONE_BIT(PZ_ZONE_HIGHMEM)))
		return false;
	type = pz_zones_locate(z, pfn, NULL);
	if (d->cfg.cma_movable) {
		pz_page_info(d->cfg.pages, pfn, &info);
		if (info.mobility == PZ_CMA)
			type = PZ_ZONE_MOVABLE;
	}
	/* ZONE_MOVABLE is cut out of high memory wherever that is the last zone with memory. */
	return type == PZ_ZONE_HIGHMEM ||
	       (type == PZ_ZONE_MOVABLE && (z->arch_has & PZL_ZONE_BIT(PZ_ZONE_HIGHMEM)));
}

void *pzl_dma_direct(const struct pzl_dma *d, uint64_t phys, uint64_t bytes)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;

	return h->direct ? h->direct(h->ctx, phys, bytes) : NULL;
}
