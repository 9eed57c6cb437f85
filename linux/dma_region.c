/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_region.c - coherent memory that is a device's own, or shared by all incoherent devices.
 *
 * Concept: a bit for each page. A piece has a power of two of pages, and its number in the region
 * is a multiple of that, whatever its address.
 *
 * Invariants: 1. bits beyond the last page are 0.
 *
 * Failure: a full region is a failure of the allocation: no other memory is looked at.
 *
 * Shortcomings: a piece is found by walking, as Linux does.
 */
#include "pzl_dma.h"

static size_t dma_region_words(const struct pzl_dma_region *r)
{
	return (size_t)((r->pages + 63) >> 6);
}

int pzl_dma_region_init(const struct pzl_dma *d, struct pzl_dma_region *r, uint64_t phys,
			uint64_t bytes, uint64_t bus)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;

	memset(r, 0, sizeof(*r));
	if (!bytes || phys + (bytes - 1) < phys)
		return -PZ_EINVAL;
	r->phys.first = phys;
	r->phys.last = phys + (bytes - 1);
	r->bus = bus;
	r->page_shift = d->cfg.boot.page_shift;
	r->pages = bytes >> r->page_shift;
	r->meta = d->cfg.meta;
	if (h->remap) {
		r->cpu_addr = h->remap(h->ctx, phys, bytes, PZ_DMA_WRITE_COMBINE, false);
		if (!r->cpu_addr)
			return -PZ_EINVAL;
	}
	/* A word more: a region below a page has no bit. */
	r->map = r->meta->alloc(r->meta->ctx, (dma_region_words(r) + 1) * sizeof(*r->map));
	if (!r->map) {
		if (r->cpu_addr && h->unmap)
			h->unmap(h->ctx, r->cpu_addr, bytes);
		return -PZ_ENOMEM;
	}
	memset(r->map, 0, (dma_region_words(r) + 1) * sizeof(*r->map));
	return 0;
}

void pzl_dma_region_destroy(const struct pzl_dma *d, struct pzl_dma_region *r)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;

	if (!r->map)
		return;
	r->meta->free(r->meta->ctx, r->map, (dma_region_words(r) + 1) * sizeof(*r->map));
	if (r->cpu_addr && h->unmap)
		h->unmap(h->ctx, r->cpu_addr, r->phys.last - r->phys.first + 1);
	memset(r, 0, sizeof(*r));
}

static uint64_t dma_region_bus(const struct pzl_dma *d, const struct pzl_dma_dev *dev,
			       const struct pzl_dma_region *r)
{
	return r->bus != PZ_DMA_ERROR ? r->bus : pzl_dma_to_bus(d, dev, r->phys.first);
}

int pzl_dma_region_assign(const struct pzl_dma *d, struct pzl_dma_dev *dev,
			  struct pzl_dma_region *r, bool from_tree)
{
	if (!dev)
		return -PZ_ENOENT;
	/* The kernel compares the address that the tree states, not the one that the device uses.
	 */
	if (from_tree &&
	    (r->bus != PZ_DMA_ERROR ? r->bus : r->phys.first) + (r->phys.last - r->phys.first) >
		    pzl_dma_limit(dev))
		pzl_dma_dev_line(d, dev,
				 "reserved memory is beyond device's set DMA address range");
	if (dev->region)
		return -PZ_EBUSY;
	dev->region = r;
	return 0;
}

int pzl_dma_region_global(struct pzl_dma *d, struct pzl_dma_region *r)
{
	if (!(d->cfg.build & PZL_DMA_GLOBAL))
		return -PZ_EINVAL;
	if (d->global)
		return -PZ_EBUSY;
	d->global = r;
	pzl_dma_line(d, "DMA: default coherent area is set");
	return 0;
}

static bool dma_region_used(const struct pzl_dma_region *r, uint64_t page)
{
	return r->map[page >> 6] >> (page & 63) & 1;
}

static void dma_region_mark(struct pzl_dma_region *r, uint64_t page, uint64_t pages, bool used)
{
	for (; pages; pages--, page++) {
		if (used)
			r->map[page >> 6] |= (uint64_t)1 << (page & 63);
		else
			r->map[page >> 6] &= ~((uint64_t)1 << (page & 63));
	}
}

/* The first free piece of an order; the number of pages for none. */
static uint64_t dma_region_find(const struct pzl_dma_region *r, unsigned int order)
{
	uint64_t step = (uint64_t)1 << order;

	for (uint64_t at = 0; at + step <= r->pages; at += step) {
		uint64_t i = 0;

		while (i < step && !dma_region_used(r, at + i))
			i++;
		if (i == step)
			return at;
	}
	return r->pages;
}

int pzl_dma_region_take(struct pzl_dma *d, const struct pzl_dma_dev *dev, struct pzl_dma_region *r,
			uint64_t size, struct pzl_dma_buf *buf)
{
	uint64_t at = r->pages, offset;
	unsigned int order;

	if (size && size <= r->pages << r->page_shift) {
		order = pzl_dma_order(d, size);
		at = dma_region_find(r, order);
	}
	if (at == r->pages) {
		pzl_dma_note(d, PZ_DMA_FROM_REGION, 0, PZL_DMA_NOTHING, 0);
		return -PZ_ENOMEM;
	}
	dma_region_mark(r, at, (uint64_t)1 << order, true);
	offset = at << r->page_shift;
	memset(buf, 0, sizeof(*buf));
	buf->phys = r->phys.first + offset;
	buf->bus = dma_region_bus(d, dev, r) + offset;
	buf->size = size;
	buf->from = PZ_DMA_FROM_REGION;
	if (r->cpu_addr) {
		buf->cpu_addr = (char *)r->cpu_addr + (size_t)offset;
		memset(buf->cpu_addr, 0, (size_t)size);
	}
	pzl_dma_note(d, PZ_DMA_FROM_REGION, 0, PZL_DMA_TAKEN, buf->phys);
	return 0;
}

bool pzl_dma_region_give(struct pzl_dma *d, struct pzl_dma_region *r, const struct pzl_dma_buf *buf)
{
	uint64_t at, pages;

	if (buf->phys < r->phys.first || buf->phys > r->phys.last || !buf->size)
		return false;
	at = (buf->phys - r->phys.first) >> r->page_shift;
	pages = (uint64_t)1 << pzl_dma_order(d, buf->size);
	if (pages > r->pages || at > r->pages - pages || !dma_region_used(r, at)) {
		pz_bug(d->cfg.bugs, "pzl_dma_free", "nothing of that size is out at %#llx",
		       (unsigned long long)buf->phys);
		return true;
	}
	dma_region_mark(r, at, pages, false);
	return true;
}
