/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_direct.c - coherent allocations as Linux's dma_alloc_attrs() and dma-direct make them.
 *
 * Concept: a device's own region decides alone. Else the zone bits of the caller are dropped, and
 * memory comes from a contiguous area, or from up to three tries of the page allocator; each piece
 * is looked at and given back when the device does not reach it. What must be mapped anew or
 * shared and may not block comes from the atomic pools instead, and from nowhere else.
 *
 * Invariants: 1. what is given out passed pzl_dma_coherent_ok(), but for regions.
 *
 * Failure: -PZ_ENOMEM, without a word where Linux has none. Memory that cannot be shared, or
 * encrypted again, is leaked on purpose.
 *
 * Shortcomings, Linux's: a try that finds no page ends the request, though a lower zone might have
 * one. Shortcomings of the model: an architecture's own arch_dma_alloc() and the IOMMU's way are
 * not there; they fail. Warnings of the page allocator itself are not printed.
 */
#include <physzone/linux/direct.h>

#include "pzl_dma.h"

#define DMA_ZONE_BITS (PZL_GFP_DMA | PZL_GFP_DMA32 | PZL_GFP_HIGHMEM)

static bool dma_direct_is_6_12(const struct pzl_dma *d)
{
	return d->cfg.boot.model == PZL_LINUX_6_12;
}

/* From the bounce buffers that are all a device sees. */
static int dma_direct_restricted(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
				 struct pzl_dma_buf *buf)
{
	const struct pzl_dma_restricted *r = dev->restricted;

	if (r->alloc(r->ctx, bytes, &buf->phys)) {
		pzl_dma_note(d, PZ_DMA_FROM_BOUNCE, 0, PZL_DMA_NOTHING, 0);
		return -PZ_ENOMEM;
	}
	if (!pzl_dma_coherent_ok(d, dev, buf->phys, bytes)) {
		pzl_dma_note(d, PZ_DMA_FROM_BOUNCE, 0, PZL_DMA_BEYOND, buf->phys);
		(void)r->free(r->ctx, buf->phys, bytes);
		return -PZ_ENOMEM;
	}
	pzl_dma_note(d, PZ_DMA_FROM_BOUNCE, 0, PZL_DMA_TAKEN, buf->phys);
	buf->from = PZ_DMA_FROM_BOUNCE;
	return 0;
}

static int dma_direct_contiguous(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
				 uint32_t gfp, bool high, struct pzl_dma_buf *buf)
{
	enum pzl_dma_came came = PZL_DMA_TAKEN;

	if (pzl_dma_contiguous_take(d, dev, bytes, gfp, &buf->phys))
		return -PZ_ENOMEM;
	if (!pzl_dma_coherent_ok(d, dev, buf->phys, bytes))
		came = PZL_DMA_BEYOND;
	else if (!high && d->cfg.high == PZL_HIGH_REMAP && pzl_dma_is_high(d, buf->phys))
		came = PZL_DMA_HIGH;
	pzl_dma_note(d, PZ_DMA_FROM_CMA, gfp, came, buf->phys);
	if (came != PZL_DMA_TAKEN) {
		pzl_dma_contiguous_give(d, dev, buf->phys, bytes);
		return -PZ_ENOMEM;
	}
	buf->from = PZ_DMA_FROM_CMA;
	return 0;
}

/* __dma_direct_alloc_pages(): @high says that what is not directly mapped will do. */
static int dma_direct_pages(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
			    uint32_t gfp, bool high, struct pzl_dma_buf *buf)
{
	unsigned int order = pzl_dma_order(d, bytes);
	struct pzl_direct plan;

	memset(buf, 0, sizeof(*buf));
	if (dev->restricted)
		return dma_direct_restricted(d, dev, bytes, buf);
	pzl_dma_plan(d, dev, &plan);
	if (!dma_direct_contiguous(d, dev, bytes, gfp | plan.gfp[0], high, buf))
		return 0;
	for (unsigned int i = 0; i < plan.tries; i++) {
		uint32_t flags = gfp | plan.gfp[i];

		if (pzl_dma_pages_take(d, dev->cfg.nid, flags, order, &buf->phys)) {
			pzl_dma_note(d, PZ_DMA_FROM_PAGES, flags, PZL_DMA_NOTHING, 0);
			return -PZ_ENOMEM;
		}
		if (pzl_dma_coherent_ok(d, dev, buf->phys, bytes)) {
			pzl_dma_note(d, PZ_DMA_FROM_PAGES, flags, PZL_DMA_TAKEN, buf->phys);
			buf->from = PZ_DMA_FROM_PAGES;
			return 0;
		}
		pzl_dma_note(d, PZ_DMA_FROM_PAGES, flags, PZL_DMA_BEYOND, buf->phys);
		pzl_dma_pages_give(d, buf->phys, order);
	}
	return -PZ_ENOMEM;
}

static void dma_direct_give(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys,
			    uint64_t bytes)
{
	if (dev->restricted && dev->restricted->free(dev->restricted->ctx, phys, bytes))
		return;
	pzl_dma_contiguous_give(d, dev, phys, bytes);
}

static int dma_direct_from_pool(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
				uint32_t gfp, struct pzl_dma_buf *buf)
{
	struct pzl_direct plan;
	int rc;

	if (!(d->cfg.build & PZL_DMA_POOL)) {
		pzl_dma_warn(d, PZL_DMA_WARN_NO_POOL);
		return -PZ_ENOMEM;
	}
	pzl_dma_plan(d, dev, &plan);
	rc = pzl_dma_pool_alloc(d, dev, bytes, gfp | plan.gfp[0], true, buf);
	if (!rc)
		buf->bus = pzl_dma_handle(d, dev, buf->phys);
	return rc;
}

/* What is to be done for a device that is not coherent. */
enum direct_way { DIRECT_PLAIN, DIRECT_REMAP, DIRECT_UNCACHED, DIRECT_GLOBAL, DIRECT_NONE };

static enum direct_way dma_direct_way(struct pzl_dma *d, const struct pzl_dma_dev *dev)
{
	uint32_t build = d->cfg.build;

	if (dev->cfg.coherent)
		return DIRECT_PLAIN;
	if ((build & PZL_DMA_ARCH) && !dev->restricted)
		return DIRECT_NONE;
	if (build & PZL_DMA_GLOBAL)
		return DIRECT_GLOBAL;
	if (build & PZL_DMA_REMAP)
		return DIRECT_REMAP;
	if (build & PZL_DMA_UNCACHED)
		return DIRECT_UNCACHED;
	if (dma_direct_is_6_12(d) && pzl_dma_warn(d, PZL_DMA_WARN_PLATFORM))
		pzl_dma_line(d, "coherent DMA allocations not supported on this platform.");
	return DIRECT_NONE;
}

/* page_address() of what is high, without a look at it. */
static void dma_direct_crash(const struct pzl_dma *d, uint64_t phys)
{
	pz_bug(d->cfg.bugs, "dma_direct_alloc",
	       "page_address() of page frame %#llx is NULL and is written to: the kernel crashes",
	       (pzl_ull)(phys >> d->cfg.boot.page_shift));
}

/* Memory that counts as not directly mapped: 0 when it will be mapped anew. */
static int dma_direct_high(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys)
{
	switch (d->cfg.high) {
	case PZL_HIGH_REMAP:
		return 0;
	case PZL_HIGH_REFUSE:
		pzl_dma_dev_line(d, dev, "Rejecting highmem page from CMA.");
		break;
	case PZL_HIGH_UNCHECKED:
		dma_direct_crash(d, phys);
		break;
	}
	return -PZ_ENOMEM;
}

/* An address for the buffer: 0, or an error with the memory given back, or leaked. */
static int dma_direct_map(struct pzl_dma *d, const struct pzl_dma_dev *dev, enum direct_way way,
			  uint64_t bytes, uint32_t attrs, struct pzl_dma_buf *buf)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;
	bool high = pzl_dma_is_high(d, buf->phys);

	if (high && dma_direct_high(d, dev, buf->phys)) {
		dma_direct_give(d, dev, buf->phys, bytes);
		return -PZ_ENOMEM;
	}
	if (high || way == DIRECT_REMAP) {
		buf->mapped = true;
		if (!h->remap)
			return 0;
		buf->cpu_addr = h->remap(h->ctx, buf->phys, bytes, attrs, dev->cfg.coherent);
		if (buf->cpu_addr)
			return 0;
		dma_direct_give(d, dev, buf->phys, bytes);
		return -PZ_ENOMEM;
	}
	/* Whether it is private now is not known: it is lost. */
	if (pzl_dma_unencrypted(d, dev) && pzl_dma_share(d, buf->phys, bytes, true))
		return -PZ_ENOMEM;
	buf->cpu_addr = pzl_dma_direct(d, buf->phys, bytes);
	return 0;
}

static int dma_direct_alloc(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
			    uint32_t gfp, uint32_t attrs, struct pzl_dma_buf *buf)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;
	bool shared = pzl_dma_unencrypted(d, dev);
	enum direct_way way;

	if ((attrs & PZ_DMA_NO_KERNEL_MAPPING) && !shared && !dev->restricted) {
		if (dma_direct_pages(d, dev, bytes, gfp, true, buf))
			return -PZ_ENOMEM;
		buf->bus = pzl_dma_handle(d, dev, buf->phys);
		return 0;
	}
	way = dma_direct_way(d, dev);
	if (way == DIRECT_NONE || (way == DIRECT_GLOBAL && !d->global))
		return -PZ_ENOMEM;
	if (way == DIRECT_GLOBAL)
		return pzl_dma_region_take(d, dev, d->global, bytes, buf);
	if ((way == DIRECT_REMAP || shared) && !pzl_gfp_can_block(gfp) && !dev->restricted)
		return dma_direct_from_pool(d, dev, bytes, gfp, buf);
	if (dma_direct_pages(d, dev, bytes, gfp, true, buf) ||
	    dma_direct_map(d, dev, way, bytes, attrs, buf))
		return -PZ_ENOMEM;
	if (buf->cpu_addr)
		memset(buf->cpu_addr, 0, (size_t)bytes);
	if (way == DIRECT_UNCACHED && !buf->mapped && buf->cpu_addr && h->uncached)
		buf->cpu_addr = h->uncached(h->ctx, buf->cpu_addr, bytes);
	buf->bus = pzl_dma_handle(d, dev, buf->phys);
	return 0;
}

static void dma_direct_trace_begin(struct pzl_dma *d)
{
	if (d->trace)
		d->trace->n = 0;
}

int pzl_dma_alloc(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t size, uint32_t gfp,
		  uint32_t attrs, struct pzl_dma_buf *buf)
{
	uint64_t bytes = pzl_dma_page_align(d, size);
	struct pzl_dma_buf got;
	int rc;

	dma_direct_trace_begin(d);
	if (!dev->cfg.coherent_mask)
		pzl_dma_warn(d, PZL_DMA_WARN_NO_MASK);
	if (dma_direct_is_6_12(d) && (gfp & PZL_GFP_COMP)) {
		pzl_dma_warn(d, PZL_DMA_WARN_COMP);
		return -PZ_ENOMEM;
	}
	if (dev->region) {
		rc = pzl_dma_region_take(d, dev, dev->region, size, &got);
	} else if (!bytes) {
		return -PZ_ENOMEM;
	} else {
		gfp &= ~(DMA_ZONE_BITS | PZL_GFP_ZERO);
		if (attrs & PZ_DMA_NO_WARN)
			gfp |= PZL_GFP_NOWARN;
		rc = dma_direct_alloc(d, dev, bytes, gfp, attrs, &got);
	}
	if (rc)
		return rc;
	got.size = size;
	got.attrs = attrs;
	*buf = got;
	return 0;
}

/* Memory that was shared; false when it could not be made private again, and is lost. */
static bool dma_direct_unshare(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys,
			       uint64_t bytes)
{
	if (!pzl_dma_unencrypted(d, dev) || !pzl_dma_share(d, phys, bytes, false))
		return true;
	pzl_dma_line(d, "leaking DMA memory that can't be re-encrypted");
	return false;
}

static void dma_direct_free(struct pzl_dma *d, const struct pzl_dma_dev *dev,
			    const struct pzl_dma_buf *buf, uint64_t bytes)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;
	uint32_t build = d->cfg.build;

	if ((buf->attrs & PZ_DMA_NO_KERNEL_MAPPING) && !pzl_dma_unencrypted(d, dev) &&
	    !dev->restricted) {
		pzl_dma_contiguous_give(d, dev, buf->phys, bytes);
		return;
	}
	if (!dev->cfg.coherent && (build & PZL_DMA_GLOBAL)) {
		if (!d->global || !pzl_dma_region_give(d, d->global, buf))
			pzl_dma_warn(d, PZL_DMA_WARN_GLOBAL);
		return;
	}
	if ((build & PZL_DMA_POOL) && pzl_dma_pool_free(d, buf->phys, bytes))
		return;
	if (buf->mapped) {
		if (buf->cpu_addr && h->unmap)
			h->unmap(h->ctx, buf->cpu_addr, bytes);
	} else if (!dma_direct_unshare(d, dev, buf->phys, bytes)) {
		return;
	}
	dma_direct_give(d, dev, buf->phys, bytes);
}

void pzl_dma_free(struct pzl_dma *d, const struct pzl_dma_dev *dev, const struct pzl_dma_buf *buf,
		  bool irqs_off)
{
	uint64_t bytes = pzl_dma_page_align(d, buf->size);

	if (dev->region && pzl_dma_region_give(d, dev->region, buf))
		return;
	if (irqs_off)
		pzl_dma_warn(d, PZL_DMA_WARN_IRQS);
	if (bytes)
		dma_direct_free(d, dev, buf, bytes);
}

/* What is asked before pages are: false for what is refused. */
static bool dma_direct_pages_asked(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint32_t gfp)
{
	uint32_t warning = 0;

	if (!dev->cfg.coherent_mask)
		warning = PZL_DMA_WARN_NO_MASK;
	else if (gfp & DMA_ZONE_BITS)
		warning = PZL_DMA_WARN_ZONE_BITS;
	else if (dma_direct_is_6_12(d) && (gfp & PZL_GFP_COMP))
		warning = PZL_DMA_WARN_COMP;
	if (warning)
		pzl_dma_warn(d, warning);
	return !warning;
}

int pzl_dma_alloc_pages(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t size,
			uint32_t gfp, struct pzl_dma_buf *buf)
{
	uint64_t bytes = pzl_dma_page_align(d, size);
	bool shared = pzl_dma_unencrypted(d, dev);
	struct pzl_dma_buf got;

	dma_direct_trace_begin(d);
	if (!dma_direct_pages_asked(d, dev, gfp) || !bytes)
		return -PZ_ENOMEM;
	if (shared && !pzl_gfp_can_block(gfp) && !dev->restricted) {
		if (dma_direct_from_pool(d, dev, bytes, gfp, &got))
			return -PZ_ENOMEM;
	} else {
		if (dma_direct_pages(d, dev, bytes, gfp, false, &got))
			return -PZ_ENOMEM;
		/* 6.1 and later were refused it before; the others find out here. */
		if (pzl_dma_is_high(d, got.phys) && dma_direct_high(d, dev, got.phys)) {
			dma_direct_give(d, dev, got.phys, bytes);
			return -PZ_ENOMEM;
		}
		if (shared && pzl_dma_share(d, got.phys, bytes, true))
			return -PZ_ENOMEM;
		got.cpu_addr = pzl_dma_direct(d, got.phys, bytes);
		if (got.cpu_addr)
			memset(got.cpu_addr, 0, (size_t)bytes);
		got.bus = pzl_dma_handle(d, dev, got.phys);
	}
	got.size = size;
	*buf = got;
	return 0;
}

void pzl_dma_free_pages(struct pzl_dma *d, const struct pzl_dma_dev *dev,
			const struct pzl_dma_buf *buf)
{
	uint64_t bytes = pzl_dma_page_align(d, buf->size);

	if (!bytes || ((d->cfg.build & PZL_DMA_POOL) && pzl_dma_pool_free(d, buf->phys, bytes)))
		return;
	if (dma_direct_unshare(d, dev, buf->phys, bytes))
		dma_direct_give(d, dev, buf->phys, bytes);
}
