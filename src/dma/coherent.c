/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent.c - coherent buffers: memory that CPU and device see alike.
 *
 * Concept
 *  A device whose one window keeps alignment, and for which nothing needs to be done to memory,
 *  goes the quick way: a block from the page allocator within the window, zeroed. Everybody else
 *  states what the bus address must be and asks once for each window, from the highest down:
 *  contiguous areas first where they are preferred, then the page allocator. What is found is made
 *  ready (prepare.c).
 *
 * Directly mapped or not
 *  A buffer that the CPU will look at through the direct map is looked for where that map is, and
 *  only then elsewhere, to be mapped by the remap hook. What a contiguous area gives is asked by
 *  its address.
 *
 * Failure
 *  Nothing is held on error, but memory whose sharing failed is lost, and counted.
 *
 * Shortcomings
 *  Ordinary pages bear no record of their device: freeing another device's buffer whose bus address
 *  is the same is not noticed, and its account is wrong then.
 */
#include "dma_internal.h"

#include "../page/page_put.h"

#define COHERENT_GFP \
	(PZ_GFP_BLOCK | PZ_GFP_HIGH | PZ_GFP_NORETRY | PZ_GFP_NOMIGRATE | PZ_GFP_MEMALLOC)

/* One request on its way. */
struct coherent_ask {
	struct pz_dma_dev *dev;
	uint32_t cpu, gfp, attrs;
	struct dma_want want;
	uint64_t pages;
};

static uint64_t coherent_pages(const struct pz_dma *dma, uint64_t size)
{
	return ((size - 1) >> dma->page_shift) + 1;
}

static void coherent_debug(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf, bool map)
{
	struct pz_dma_use u = {
		.dev = dev,
		.kind = PZ_DMA_COHERENT,
		.dir = PZ_DMA_BIDIRECTIONAL,
		.bus = buf->bus,
		.phys = buf->phys,
		.size = buf->size,
		.attrs = buf->attrs,
		.memory = buf->cpu_addr,
	};

	if (map)
		pz_dma_debug_map(dev->dma->cfg.debug, &u);
	else
		pz_dma_debug_unmap(dev->dma->cfg.debug, &u);
}

/* Ask the page allocator for each place within @in, the highest first: 0, or the best error. */
static int coherent_places(const struct coherent_ask *a, uint32_t gfp, struct pz_range in,
			   uint64_t *phys)
{
	struct pz_dma *dma = a->dev->dma;
	struct dma_places it;
	struct pz_page_req req;
	int best = -PZ_ERANGE;

	pz_page_req_init(dma->cfg.pages, &req, 0, gfp, a->cpu);
	req.pages = a->pages;
	req.nid = a->dev->cfg.nid;
	pz_dma_places(&it, &a->dev->reach[DMA_COHERENT], &a->want, pz_dma_page_bytes(dma));
	while (pz_dma_next_place(&it, &req.limits)) {
		uint64_t pfn;
		int rc;

		if (req.limits.min_addr < in.first)
			req.limits.min_addr = in.first;
		if (req.limits.max_addr > in.last)
			req.limits.max_addr = in.last;
		if (req.limits.min_addr > req.limits.max_addr)
			continue;
		rc = pz_page_request(dma->cfg.pages, &req, &pfn);
		if (!rc) {
			*phys = pfn << dma->page_shift;
			return 0;
		}
		if (rc != -PZ_ERANGE && best != -PZ_EBUSY)
			best = rc;
	}
	return best;
}

/* The same; nothing is reclaimed for a window while another one has what is wanted. */
static int coherent_search(const struct coherent_ask *a, struct pz_range in, uint64_t *phys)
{
	int rc;

	if (a->gfp & PZ_GFP_BLOCK && a->dev->reach[DMA_COHERENT].count > 1) {
		rc = coherent_places(a, a->gfp & ~PZ_GFP_BLOCK, in, phys);
		if (!rc || rc == -PZ_ERANGE)
			return rc;
	}
	return coherent_places(a, a->gfp, in, phys);
}

static void coherent_wish(const struct coherent_ask *a, struct dma_wish *w)
{
	w->way = a->dev->way;
	w->attrs = a->attrs;
	w->zero = true;
	w->block = a->gfp & PZ_GFP_BLOCK;
}

static bool coherent_give_back(struct pz_dma *dma, uint32_t cpu, uint64_t phys, uint64_t pages)
{
	uint64_t pfn = phys >> dma->page_shift;

	if (pz_is_pow2(pages) && pages >> PZ_PAGE_MAX_ORDER <= 1)
		return pz_page_put_block(dma->cfg.pages, cpu, pfn, pz_fls64(pages));
	return pz_page_put_run(dma->cfg.pages, cpu, pfn, pages);
}

/* Pages within @in, ready. */
static int coherent_from_pages(const struct coherent_ask *a, struct pz_range in,
			       struct pz_dma_buf *buf)
{
	struct pz_dma *dma = a->dev->dma;
	struct dma_ready ready;
	struct dma_wish wish;
	uint64_t phys;
	int rc = coherent_search(a, in, &phys);

	if (rc)
		return rc;
	coherent_wish(a, &wish);
	rc = pz_dma_prepare(dma, &wish, phys, a->pages << dma->page_shift, &ready);
	if (rc) {
		if (!ready.lost)
			(void)coherent_give_back(dma, a->cpu, phys, a->pages);
		return rc;
	}
	buf->cpu_addr = ready.cpu;
	buf->phys = phys;
	buf->from = PZ_DMA_FROM_PAGES;
	buf->mapped = ready.did;
	return 0;
}

/* Whether a buffer must lie in the direct map, for what can be done in this context. */
static bool coherent_wants_direct(const struct coherent_ask *a)
{
	uint32_t way = a->dev->way;

	return !(a->attrs & PZ_DMA_NO_KERNEL_MAPPING) && !(way & DMA_WAY_REMAP);
}

static int coherent_any_pages(const struct coherent_ask *a, struct pz_dma_buf *buf)
{
	struct pz_dma *dma = a->dev->dma;
	struct pz_range all = { 0, PZ_ADDR_MAX }, mapped = pz_dma_mapped(dma);
	int rc = -PZ_ERANGE, rest;

	if (!coherent_wants_direct(a))
		return coherent_from_pages(a, all, buf);
	rc = coherent_from_pages(a, mapped, buf);
	if (!rc || !dma->cfg.hooks.remap || !(a->gfp & PZ_GFP_BLOCK) ||
	    (a->dev->way & DMA_WAY_ALIAS) || (!mapped.first && mapped.last == PZ_ADDR_MAX))
		return rc;
	rest = coherent_from_pages(a, all, buf);
	return rest == -PZ_ERANGE ? rc : rest;
}

/* Complete a buffer that was found, and count it. */
static int coherent_done(const struct coherent_ask *a, uint64_t size, struct pz_dma_buf *buf)
{
	struct pz_dma_dev *dev = a->dev;

	buf->size = size;
	buf->attrs = a->attrs;
	(void)pz_dma_to_bus(dev, DMA_COHERENT, buf->phys, size, &buf->bus);
	pz_dma_count(dev, a->cpu, 1, size);
	if (dev->dma->cfg.debug)
		coherent_debug(dev, buf, true);
	return 0;
}

/* Everything but the quick way. */
static int coherent_alloc(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
			  uint64_t size, struct pz_dma_buf *buf)
{
	struct coherent_ask a = { .dev = dev, .cpu = cpu, .gfp = gfp, .attrs = attrs };
	struct pz_dma_buf got;
	int rc;

	if (!size || (gfp & ~COHERENT_GFP) || (attrs & ~PZ_DMA_ATTRS))
		return -PZ_EINVAL;
	if (dev->way & DMA_WAY_NEVER)
		return -PZ_ERANGE;
	pz_dma_want(dev, size, &a.want);
	a.pages = coherent_pages(dev->dma, size);
	memset(&got, 0, sizeof(got));
	rc = coherent_any_pages(&a, &got);
	if (rc)
		return rc;
	coherent_done(&a, size, &got);
	*buf = got;
	return 0;
}

int pz_dma_alloc(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs, uint64_t size,
		 struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	uint64_t bytes = pz_dma_page_bytes(dma), pfn, phys;
	unsigned int order = 0;
	void *p;

	if (size > bytes) {
		bytes = size;
		order = pz_fls64(size) - dma->page_shift;
	}
	if (size - 1 >= dev->quick_bytes || (bytes & (bytes - 1)) || (gfp & ~COHERENT_GFP) ||
	    (attrs & (PZ_DMA_NO_KERNEL_MAPPING | ~PZ_DMA_ATTRS)))
		return coherent_alloc(dev, cpu, gfp, attrs, size, buf);
	if (pz_alloc_pages(dma->cfg.pages, cpu, gfp, order, dev->quick, &pfn))
		return coherent_alloc(dev, cpu, gfp, attrs, size, buf);
	phys = pfn << dma->page_shift;
	p = dma->cfg.hooks.direct(dma->cfg.hooks.ctx, phys, bytes);
	if (!p) {
		pz_free_pages(dma->cfg.pages, cpu, pfn, order);
		return coherent_alloc(dev, cpu, gfp, attrs, size, buf);
	}
	memset(p, 0, (size_t)bytes);
	buf->cpu_addr = p;
	buf->bus = phys + dev->fast[DMA_COHERENT].offset;
	buf->phys = phys;
	buf->size = size;
	buf->attrs = attrs;
	buf->from = PZ_DMA_FROM_PAGES;
	buf->mapped = 0;
	buf->pool = 0;
	pz_dma_count(dev, cpu, 1, size);
	return 0;
}

static void coherent_bug(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf,
			 const char *what)
{
	pz_bug(dev->dma->cfg.bugs, "pz_dma_free", "%s: bus 0x%llx, memory 0x%llx, 0x%llx bytes %s",
	       dev->cfg.name, (unsigned long long)buf->bus, (unsigned long long)buf->phys,
	       (unsigned long long)buf->size, what);
}

/* What is wrong with a buffer by what it says of itself, or NULL. */
static const char *coherent_wrong(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	const struct pz_dma *dma = dev->dma;
	uint64_t bit = dma->cfg.private_bit, bus;

	if (!buf->size || (buf->phys & (pz_dma_page_bytes(dma) - 1)) ||
	    buf->size - 1 > PZ_ADDR_MAX - buf->phys)
		return "is no buffer";
	if (pz_dma_to_bus(dev, DMA_COHERENT, buf->phys, buf->size, &bus) ||
	    ((bus ^ buf->bus) & ~bit))
		return "is none of its buffers";
	return NULL;
}

/* Pages are asked before anything is undone: they must be one block of that length. */
static bool coherent_is_block(const struct pz_dma *dma, const struct pz_dma_buf *buf,
			      uint64_t pages)
{
	struct pz_page_info info;

	pz_page_info(dma->cfg.pages, buf->phys >> dma->page_shift, &info);
	return info.state == PZ_PAGE_HEAD && info.pages == pages;
}

static bool coherent_free_pages(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	uint64_t pages = coherent_pages(dma, buf->size);

	if (buf->mapped) {
		if (!coherent_is_block(dma, buf, pages)) {
			coherent_bug(dev, buf, "is not allocated");
			return false;
		}
		if (!pz_dma_unprepare(dma, buf->mapped, buf->cpu_addr, buf->phys,
				      pages << dma->page_shift))
			return true;
	}
	return coherent_give_back(dma, cpu, buf->phys, pages);
}

static void coherent_free(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	const char *wrong = coherent_wrong(dev, buf);
	bool done = false;

	if (wrong) {
		coherent_bug(dev, buf, wrong);
		return;
	}
	if (dev->dma->cfg.debug)
		coherent_debug(dev, buf, false);
	switch (buf->from) {
	case PZ_DMA_FROM_PAGES:
		done = coherent_free_pages(dev, cpu, buf);
		break;
	default:
		coherent_bug(dev, buf, "is from nowhere");
		break;
	}
	if (done)
		pz_dma_count(dev, cpu, ~(uint64_t)0, ~buf->size + 1);
}

void pz_dma_free(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	const struct dma_fast *f = &dev->fast[DMA_COHERENT];
	uint64_t size = buf->size, phys = buf->phys;

	/* What the quick way could have given. */
	if (size - 1 >= pz_dma_page_bytes(dma) || !dev->quick_bytes ||
	    (phys & (pz_dma_page_bytes(dma) - 1)) || phys - f->first > f->last - f->first ||
	    buf->bus != phys + f->offset || buf->from != PZ_DMA_FROM_PAGES || buf->mapped) {
		coherent_free(dev, cpu, buf);
		return;
	}
	if (pz_page_put_block(dma->cfg.pages, cpu, phys >> dma->page_shift, 0))
		pz_dma_count(dev, cpu, ~(uint64_t)0, ~size + 1);
}
