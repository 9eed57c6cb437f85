/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_buf.c - coherent buffers behind the IOMMU: pages from anywhere, in a row on the bus.
 *
 * Concept
 *  Blocks of pages are taken as large as they are found quickly, without moving or reclaiming
 *  anything, and mapped one behind the other. Single pages are asked for as the caller says. Which
 *  blocks a buffer is made of is not written down: the tables lead to each, and the page allocator
 *  knows how long it is.
 *
 * Failure
 *  What was got by then goes back like a buffer that is freed.
 *
 * Order of freeing: unmap, flush, then the pages. A batch of blocks is read from the tables,
 * unmapped and flushed at once, and only then given back; also where the domain is lazy, for
 * somebody else will have the pages next.
 */
#include "domain_internal.h"

#define BUF_GFP (PZ_GFP_BLOCK | PZ_GFP_HIGH | PZ_GFP_NORETRY | PZ_GFP_NOMIGRATE | PZ_GFP_MEMALLOC)
#define BUF_ORDER_MOST 10u /* of a block */
#define BUF_BATCH 16u

struct buf_req {
	struct pz_iommu_dev *dev;
	uint32_t cpu, gfp, attrs, prot;
	uint64_t addr, bytes;
	bool whole; /* one piece, directly mapped */
	bool zero;
	struct pz_limits limits;
	uint64_t done; /* bytes that are there and mapped */
	void *cpu_addr;
};

/* --- back --- */

struct buf_block {
	uint64_t pfn, pages;
};

/* The block at an address of a buffer; false when there is none. */
static bool buf_block(const struct pz_iommu *d, uint64_t addr, uint64_t room, struct buf_block *b)
{
	uint32_t shift = pz_page_shift(d->cfg.pages);
	struct pz_page_info info;
	uint64_t phys;

	if (pz_v7s_lookup(d->t, addr, &phys))
		return false;
	pz_page_info(d->cfg.pages, phys >> shift, &info);
	b->pfn = phys >> shift;
	b->pages = info.pages;
	return info.state == PZ_PAGE_HEAD && info.pages <= room >> shift;
}

/* Unmap and free the memory of [@addr, @addr + @bytes). How far it came. */
static uint64_t buf_release(struct pz_iommu *d, uint32_t cpu, uint64_t addr, uint64_t bytes)
{
	uint32_t shift = pz_page_shift(d->cfg.pages);
	struct buf_block b[BUF_BATCH];
	uint64_t done = 0;

	while (done < bytes) {
		uint64_t batch = 0;
		uint32_t n = 0;

		while (n < BUF_BATCH && done + batch < bytes &&
		       buf_block(d, addr + done + batch, bytes - done - batch, &b[n]))
			batch += b[n++].pages << shift;
		if (!n || pz_iommu_clear(d, cpu, addr + done, batch, false))
			break;
		for (uint32_t i = 0; i < n; i++)
			pz_free_exact(d->cfg.pages, cpu, b[i].pfn, b[i].pages);
		done += batch;
	}
	return done;
}

/* --- there --- */

static int buf_pages(const struct buf_req *r, uint64_t pages, uint64_t align, uint32_t gfp,
		     uint64_t *pfn)
{
	struct pz_pages *p = r->dev->d->cfg.pages;
	struct pz_page_req req;

	pz_page_req_init(p, &req, 0, gfp, r->cpu);
	req.pages = pages;
	req.limits = r->limits;
	req.limits.align = align;
	return pz_page_request(p, &req, pfn);
}

/* A block of at most @pages pages. */
static int buf_take(const struct buf_req *r, uint64_t pages, struct buf_block *b)
{
	struct pz_pages *p = r->dev->d->cfg.pages;
	uint64_t page = (uint64_t)1 << pz_page_shift(p);
	uint32_t quick = (r->gfp & ~(PZ_GFP_BLOCK | PZ_GFP_MEMALLOC)) | PZ_GFP_NOMIGRATE;
	unsigned int order = pz_fls64(pages);

	b->pages = pages;
	if (r->whole)
		return buf_pages(r, pages, page, r->gfp, &b->pfn);
	order = order < BUF_ORDER_MOST ? order : BUF_ORDER_MOST;
	for (; order; order--) {
		b->pages = (uint64_t)1 << order;
		if (!pz_alloc_pages(p, r->cpu, quick, order, &r->limits, &b->pfn))
			return 0;
	}
	b->pages = 1;
	return pz_alloc_pages(p, r->cpu, r->gfp, 0, &r->limits, &b->pfn);
}

/* Zero what the CPU sees as it is; take the rest out of caches that the device does not see. */
static bool buf_prepare(struct buf_req *r, uint64_t phys, uint64_t bytes)
{
	const struct pz_iommu_hooks *h = &r->dev->d->cfg.hooks;

	if (r->whole) {
		r->cpu_addr = h->direct(h->ctx, phys, bytes);
		if (!r->cpu_addr)
			return false;
		memset(r->cpu_addr, 0, (size_t)bytes);
	} else if (!r->dev->cfg.coherent) {
		if (h->for_device)
			h->for_device(h->ctx, phys, bytes, PZ_DMA_BIDIRECTIONAL);
		if (h->for_cpu)
			h->for_cpu(h->ctx, phys, bytes, PZ_DMA_BIDIRECTIONAL);
	}
	return true;
}

static int buf_block_map(struct buf_req *r)
{
	struct pz_iommu *d = r->dev->d;
	uint32_t shift = pz_page_shift(d->cfg.pages);
	struct buf_block b;
	uint64_t phys;
	int rc = buf_take(r, (r->bytes - r->done) >> shift, &b);

	if (rc)
		return rc;
	phys = b.pfn << shift;
	rc = buf_prepare(r, phys, b.pages << shift) ? 0 : -PZ_ERANGE;
	if (!rc)
		rc = pz_v7s_map(d->t, r->cpu, r->gfp, r->addr + r->done, phys, b.pages << shift,
				r->prot);
	if (rc)
		pz_free_exact(d->cfg.pages, r->cpu, b.pfn, b.pages);
	else
		r->done += b.pages << shift;
	return rc;
}

/* Where the CPU sees scattered pages in a row; they are zeroed there. */
static int buf_view(struct buf_req *r)
{
	const struct pz_iommu *d = r->dev->d;
	const struct pz_iommu_hooks *h = &d->cfg.hooks;

	if (r->whole || !r->zero)
		return 0;
	r->cpu_addr = h->view(h->ctx, d, r->addr, r->bytes, r->attrs, r->dev->cfg.coherent);
	if (!r->cpu_addr)
		return -PZ_ENOMEM;
	memset(r->cpu_addr, 0, (size_t)r->bytes);
	return 0;
}

static int buf_fill(struct buf_req *r)
{
	struct pz_iommu *d = r->dev->d;
	int rc = 0;

	while (r->done < r->bytes && !rc)
		rc = buf_block_map(r);
	if (!rc)
		rc = buf_view(r);
	if (!rc)
		return 0;
	(void)buf_release(d, r->cpu, r->addr, r->done);
	pz_iova_free(d->iova, r->cpu, r->addr, r->bytes);
	return rc;
}

/* How the CPU is to see it: 0, or an error when it cannot. */
static int buf_way(struct buf_req *r)
{
	const struct pz_iommu *d = r->dev->d;
	bool view = d->cfg.hooks.view && r->gfp & PZ_GFP_BLOCK;

	r->limits = pz_limits_any();
	r->limits.max_addr = ((uint64_t)1 << d->cfg.tables.oas) - 1;
	r->zero = !(r->attrs & PZ_DMA_NO_KERNEL_MAPPING);
	if (r->zero && r->bytes > SIZE_MAX)
		return -PZ_ERANGE;
	r->whole = r->zero && !view;
	if (!r->whole)
		return 0;
	if (!r->dev->cfg.coherent || !d->cfg.hooks.direct)
		return -PZ_ERANGE;
	if (d->cfg.direct.last) {
		r->limits.min_addr = d->cfg.direct.first;
		if (d->cfg.direct.last < r->limits.max_addr)
			r->limits.max_addr = d->cfg.direct.last;
	}
	return r->limits.min_addr <= r->limits.max_addr ? 0 : -PZ_ERANGE;
}

int pz_iommu_alloc(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
		   uint64_t size, struct pz_iommu_buf *buf)
{
	struct buf_req r = { .dev = dev, .cpu = cpu, .gfp = gfp, .attrs = attrs };
	struct pz_pages *pages = dev->d->cfg.pages;
	uint64_t align;
	int rc;

	if (!pages || !size || (gfp & ~BUF_GFP) || (attrs & ~PZ_DMA_ATTRS))
		return -PZ_EINVAL;
	if (!pz_round_up(size, (uint64_t)1 << pz_page_shift(pages), &r.bytes) ||
	    !pz_roundup_pow2(r.bytes, &align))
		return -PZ_ERANGE;
	rc = buf_way(&r);
	if (!rc)
		rc = pz_iommu_take(dev, cpu, r.bytes, align, align, &r.addr);
	if (rc)
		return rc;
	r.prot = pz_iommu_prot(dev, PZ_DMA_BIDIRECTIONAL, attrs);
	rc = buf_fill(&r);
	if (rc)
		return rc;
	buf->cpu_addr = r.cpu_addr;
	buf->bus = r.addr;
	buf->size = size;
	buf->attrs = attrs;
	buf->viewed = r.zero && !r.whole;
	return 0;
}

void pz_iommu_free(struct pz_iommu_dev *dev, uint32_t cpu, const struct pz_iommu_buf *buf)
{
	struct pz_iommu *d = dev->d;
	const struct pz_iommu_hooks *h = &d->cfg.hooks;
	uint64_t bytes = 0;
	struct buf_block b;

	if (d->cfg.pages)
		(void)pz_round_up(buf->size, (uint64_t)1 << pz_page_shift(d->cfg.pages), &bytes);
	if (!pz_iommu_owns(d, "pz_iommu_free", buf->bus, bytes))
		return;
	if (!buf_block(d, buf->bus, bytes, &b)) {
		pz_bug(d->cfg.tables.bugs, "pz_iommu_free", "%#llx: there is no buffer",
		       (unsigned long long)buf->bus);
		return;
	}
	if (buf->viewed)
		h->unview(h->ctx, buf->cpu_addr, bytes);
	if (buf_release(d, cpu, buf->bus, bytes) == bytes)
		pz_iova_free(d->iova, cpu, buf->bus, bytes);
	else
		pz_bug(d->cfg.tables.bugs, "pz_iommu_free", "%#llx: it is no buffer as a whole",
		       (unsigned long long)buf->bus);
}
