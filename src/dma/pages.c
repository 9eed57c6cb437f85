/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.c - ordinary memory that a device reaches, in one piece or in several; drivers sync it.
 *
 * Concept
 *  As a coherent buffer, but cached, and always directly mapped, so that nothing is ever mapped
 *  anew. Only sharing needs a context that may block; else such memory comes from a pool.
 *  In several pieces: the largest power of two that is wanted and allowed first, and half of it
 *  when there is none; nothing is reclaimed or moved for any but single pages, or, without
 *  PZ_DMA_SINGLE_PAGES, not twice. Contiguous areas are not asked: what may be scattered leaves
 *  them to others.
 *
 * Failure
 *  Nothing is held on error.
 *
 * Shortcomings
 *  Pieces bear no mark of where they are from: whether one is a pool's or a contiguous area's is
 *  looked up.
 */
#include "dma_internal.h"

#define PAGES_MAX_ORDER 10u /* of a piece among several */

/* What is done to such memory: it is never mapped anew. */
static uint32_t pages_way(const struct pz_dma_dev *dev)
{
	return dev->way & DMA_WAY_SHARE;
}

static int pages_check(const struct pz_dma_dev *dev, uint32_t gfp, uint64_t size)
{
	if (!size || (gfp & ~DMA_GFP))
		return -PZ_EINVAL;
	return pages_way(dev) && !dev->dma->cfg.hooks.share && !dev->cfg.restricted ? -PZ_ERANGE
										    : 0;
}

/* What is to be said of memory of the device's pool that was seen through caches. */
static uint8_t pages_cached(const struct pz_dma_dev *dev)
{
	return dev->way & DMA_WAY_FLUSH ? DMA_DID_CACHE : 0;
}

/* From the device's pool; where that is mapped is not how this is seen. */
static int pages_from_pool(struct pz_dma_dev *dev, struct pz_dma_buf *buf)
{
	uint64_t bytes;
	void *p;
	int rc = pz_dma_atomic_alloc(dev, PZ_DMA_NO_KERNEL_MAPPING, buf->size, buf);

	if (rc)
		return rc;
	bytes = pz_dma_whole_pages(dev->dma, buf->size);
	p = pz_dma_direct(dev->dma, buf->phys, bytes);
	if (!p) {
		(void)pz_dma_atomic_free(dev, buf);
		return -PZ_ENOMEM;
	}
	memset(p, 0, (size_t)bytes);
	buf->cpu_addr = p;
	buf->mapped = pages_cached(dev);
	return 0;
}

/* One piece, of which the device sees zeroes. @gfp: for the search only; @block: it may. */
static int pages_take(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, bool block,
		      uint32_t attrs, uint64_t size, struct pz_dma_buf *buf)
{
	const struct pz_dma_hooks *h = &dev->dma->cfg.hooks;
	struct dma_ask ask;
	bool pool = !block && !dev->cfg.restricted;
	int rc = -PZ_ERANGE;

	memset(buf, 0, sizeof(*buf));
	buf->size = size;
	pz_dma_ask_init(&ask, dev, cpu, gfp, attrs, size);
	ask.wish.way = dev->cfg.restricted ? 0 : pages_way(dev);
	ask.wish.block = block;
	ask.wish.remap = false;
	ask.mapped_only = true;
	if (dev->cfg.restricted)
		rc = pz_dma_alloc_bounce(dev, cpu, &ask.wish, size, buf);
	else if (block || !pages_way(dev))
		rc = pz_dma_alloc_ordinary(&ask, buf);
	if (pool && pages_way(dev))
		rc = pages_from_pool(dev, buf);
	else if (pool && rc == -PZ_ENOMEM && !pages_from_pool(dev, buf))
		rc = 0;
	if (rc)
		return rc;
	if (!dev->cfg.coherent && h->for_device)
		h->for_device(h->ctx, buf->phys, pz_dma_whole_pages(dev->dma, size), buf->dir);
	(void)pz_dma_to_bus(dev, DMA_COHERENT, buf->phys, size, &buf->bus);
	pz_dma_count(dev, cpu, 1, size);
	return 0;
}

/* A piece as the checks know it. */
static struct pz_dma_use pages_use(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	struct pz_dma_use u = {
		.dev = dev,
		.kind = PZ_DMA_SINGLE,
		.dir = (enum pz_dma_dir)buf->dir,
		.bus = buf->bus,
		.phys = buf->phys,
		.size = buf->size,
	};

	return u;
}

static void pages_tell(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	struct pz_dma_debug *d = dev->dma->cfg.debug;
	struct pz_dma_use u = pages_use(dev, buf);

	if (!d)
		return;
	pz_dma_debug_map(d, &u);
	pz_dma_debug_checked(d, dev, buf->bus);
}

int pz_dma_alloc_pages(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, enum pz_dma_dir dir,
		       uint64_t size, struct pz_dma_buf *buf)
{
	struct pz_dma_buf got;
	int rc = pages_check(dev, gfp, size);

	if (rc || dir >= PZ_DMA_NONE)
		return rc ? rc : -PZ_EINVAL;
	rc = pages_take(dev, cpu, gfp, gfp & PZ_GFP_BLOCK, 0, size, &got);
	if (rc)
		return rc;
	got.dir = (uint8_t)dir;
	pages_tell(dev, &got);
	*buf = got;
	return 0;
}

static void pages_give(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	struct pz_dma_use u = pages_use(dev, buf);

	pz_dma_free_use(&u, dev, cpu, buf);
}

void pz_dma_free_pages(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	pages_give(dev, cpu, buf);
}

/* The largest piece that a device takes, in pages; 0 when that is less than one. */
static uint64_t pages_most(const struct pz_dma_dev *dev)
{
	uint64_t most = (uint64_t)1 << PAGES_MAX_ORDER, segment;

	segment = dev->cfg.max_segment >> dev->dma->page_shift;
	if (dev->cfg.max_segment && segment < most)
		most = segment;
	segment = dev->cfg.boundary >> dev->dma->page_shift;
	if (dev->cfg.boundary && segment < most)
		most = segment;
	return pz_rounddown_pow2(most);
}

/* What a request may do for pieces of several pages. */
static uint32_t pages_lightly(uint32_t gfp, uint32_t attrs)
{
	return attrs & PZ_DMA_SINGLE_PAGES ? (gfp & ~PZ_GFP_BLOCK) | PZ_GFP_NOMIGRATE
					   : gfp | PZ_GFP_NORETRY;
}

/* Whether memory for a device may come from where it has a record. */
static bool pages_recorded(const struct pz_dma_dev *dev)
{
	return dev->atomic || dev->cfg.cma != PZ_DMA_NO_CMA ||
	       dev->dma->cfg.cma != PZ_DMA_NO_CMA;
}

/* What a piece was when it was a buffer. */
static void pages_piece(const struct pz_dma_dev *dev, const struct pz_sg *sg,
			struct pz_dma_buf *buf)
{
	enum pz_dma_from from = PZ_DMA_FROM_PAGES;
	struct dma_ticket ticket = { 0, 0 };

	memset(buf, 0, sizeof(*buf));
	buf->phys = sg->phys;
	buf->size = sg->len;
	buf->bus = sg->bus;
	buf->from = PZ_DMA_FROM_BOUNCE;
	if (dev->cfg.restricted)
		return;
	if (sg->len && pages_recorded(dev))
		(void)pz_dma_record_find(dev->dma, dev, sg->phys,
					 pz_dma_whole_pages(dev->dma, sg->len), &from, &ticket);
	buf->from = (uint8_t)from;
	buf->record = ticket.record;
	buf->serial = ticket.serial;
	if (from == PZ_DMA_FROM_ATOMIC)
		buf->mapped = pages_cached(dev);
	else if (pages_way(dev))
		buf->mapped = DMA_DID_SHARE;
}

int pz_dma_alloc_noncontiguous(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
			       uint64_t size, struct pz_sg *sg, uint32_t cap, uint32_t *n)
{
	uint64_t left = pz_dma_pages_of(dev->dma, size), piece = pages_most(dev);
	uint32_t count = 0, most = dev->cfg.max_segments;
	int rc = pages_check(dev, gfp, size);

	if (rc || (attrs & ~PZ_DMA_SINGLE_PAGES))
		return rc ? rc : -PZ_EINVAL;
	if (!piece)
		return -PZ_ERANGE;
	if (!most || most > cap)
		most = cap;
	while (left) {
		struct pz_dma_buf buf;

		if (piece > left)
			piece = pz_rounddown_pow2(left);
		rc = count == most
			     ? -PZ_ENOSPC
			     : pages_take(dev, cpu, piece > 1 ? pages_lightly(gfp, attrs) : gfp,
					  gfp & PZ_GFP_BLOCK, PZ_DMA_SINGLE_PAGES,
					  piece << dev->dma->page_shift, &buf);
		if (rc && rc != -PZ_ENOSPC && piece > 1) {
			piece >>= 1;
			continue;
		}
		if (rc) {
			pz_dma_free_noncontiguous(dev, cpu, sg, count);
			return rc;
		}
		pages_tell(dev, &buf);
		sg[count].phys = buf.phys;
		sg[count].bus = buf.bus;
		sg[count].len = sg[count].bus_len = buf.size;
		count++;
		left -= piece;
	}
	*n = count;
	return 0;
}

void pz_dma_free_noncontiguous(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_sg *sg,
			       uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct pz_dma_buf buf;

		pages_piece(dev, &sg[i], &buf);
		pages_give(dev, cpu, &buf);
	}
}
