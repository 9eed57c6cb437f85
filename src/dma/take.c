/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take.c - where memory for buffers and pools comes from.
 *
 * Concept
 *  Each place that a want leaves (place.c) is asked for once, from the highest down: first in a
 *  contiguous area, when there is one and the caller may wait while it is emptied, then in the page
 *  allocator. What is found is made ready (prepare.c).
 *  What the CPU will see through the direct map is looked for where that map is, and only then
 *  elsewhere, to be mapped anew. What a contiguous area gives is asked by its address; which zone
 *  it lies in says nothing about that.
 *
 * Failure
 *  Nothing is held, but memory whose sharing failed is lost, and counted.
 */
#include "dma_internal.h"

/* A contiguous area aligns what is larger to this, when it has no place that is aligned better. */
#define TAKE_CMA_ALIGN ((uint64_t)1 << 20)

/* One try at each place of a want. */
struct take_tour {
	const struct dma_ask *ask;
	struct dma_want want;
	uint32_t gfp;
	struct pz_range in;
};

static int take_pages(const struct take_tour *t, uint64_t *pfn)
{
	const struct dma_ask *ask = t->ask;
	struct pz_dma *dma = ask->dma;
	struct dma_places it;
	struct pz_page_req req;
	int best = -PZ_ERANGE;

	if (pz_fault_hit(dma->cfg.faults, dma->fault_pages))
		return -PZ_ENOMEM;
	pz_page_req_init(dma->cfg.pages, &req, 0, t->gfp, ask->cpu);
	req.pages = ask->pages;
	req.nid = ask->dev ? ask->dev->cfg.nid : PZ_NID_NONE;
	pz_dma_places(&it, ask->reach, &t->want, pz_dma_page_bytes(dma));
	while (pz_dma_next_place(&it, &req.limits)) {
		int rc;

		if (!pz_dma_clip(&req.limits, t->in))
			continue;
		rc = pz_page_request(dma->cfg.pages, &req, pfn);
		if (!rc)
			return 0;
		if (rc != -PZ_ERANGE && best != -PZ_EBUSY)
			best = rc;
	}
	return best;
}

/* The same; nothing is reclaimed in one window while another has what is wanted. */
static int take_search(struct take_tour *t, uint64_t *pfn)
{
	uint32_t gfp = t->ask->gfp;
	int rc;

	if ((gfp & PZ_GFP_BLOCK) && t->ask->reach->count > 1) {
		t->gfp = gfp & ~PZ_GFP_BLOCK;
		rc = take_pages(t, pfn);
		if (!rc || rc == -PZ_ERANGE)
			return rc;
	}
	t->gfp = gfp;
	return take_pages(t, pfn);
}

/* Make ready what was found. */
static int take_ready(const struct dma_ask *ask, uint64_t pfn, struct dma_block *out)
{
	out->phys = pfn << ask->dma->page_shift;
	return pz_dma_prepare(ask->dma, &ask->wish, out->phys, ask->pages << ask->dma->page_shift,
			      &out->ready);
}

static int take_from_pages(const struct dma_ask *ask, struct pz_range in, struct dma_block *out)
{
	struct take_tour t = { ask, ask->want, ask->gfp, in };
	uint64_t pfn;
	int rc = take_search(&t, &pfn);

	if (rc)
		return rc;
	rc = take_ready(ask, pfn, out);
	if (rc && !out->ready.lost)
		(void)pz_dma_untake_pages(ask->dma, ask->cpu, out->phys, ask->pages);
	return rc;
}

/* Whether only what is directly mapped will do. */
static bool take_seen_directly(const struct dma_ask *ask)
{
	const struct dma_wish *w = &ask->wish;

	return ask->mapped_only || (!(w->attrs & PZ_DMA_NO_KERNEL_MAPPING) &&
				    !(w->remap && pz_dma_maps(ask->dma, w->way)));
}

static int take_any_pages(const struct dma_ask *ask, struct dma_block *out)
{
	struct pz_range all = { 0, PZ_ADDR_MAX }, mapped = pz_dma_mapped(ask->dma);
	const struct dma_wish *w = &ask->wish;
	int rc, rest;

	out->from = PZ_DMA_FROM_PAGES;
	if ((w->attrs & PZ_DMA_NO_KERNEL_MAPPING) || (w->way & DMA_WAY_REMAP))
		return take_from_pages(ask, all, out);
	rc = take_from_pages(ask, mapped, out);
	if (!rc || take_seen_directly(ask) || (!mapped.first && mapped.last == PZ_ADDR_MAX))
		return rc;
	rest = take_from_pages(ask, all, out);
	return rest == -PZ_ERANGE ? rc : rest;
}

static bool take_cma_places(const struct take_tour *t, uint64_t *pfn)
{
	const struct dma_ask *ask = t->ask;
	struct pz_dma *dma = ask->dma;
	struct dma_places it;
	struct pz_limits l;

	pz_dma_places(&it, ask->reach, &t->want, pz_dma_page_bytes(dma));
	while (pz_dma_next_place(&it, &l)) {
		if (pz_dma_clip(&l, t->in) &&
		    !pz_cma_alloc(dma->cfg.pages, ask->cpu, ask->cma, ask->pages, 0, &l, pfn))
			return true;
	}
	return false;
}

/* With the alignment that is wanted, or with what a contiguous area promises to large buffers. */
static bool take_cma(const struct dma_ask *ask, uint64_t *pfn)
{
	struct pz_range all = { 0, PZ_ADDR_MAX };
	struct take_tour t = { ask, ask->want, ask->gfp, all };
	uint64_t least;

	if (pz_fault_hit(ask->dma->cfg.faults, ask->dma->fault_cma))
		return false;
	if (take_seen_directly(ask))
		t.in = pz_dma_mapped(ask->dma);
	if (take_cma_places(&t, pfn))
		return true;
	/* Pieces of a pool's chunk rely on how that is aligned. */
	if (!ask->dev)
		return false;
	least = ask->dev->cfg.align > TAKE_CMA_ALIGN ? ask->dev->cfg.align : TAKE_CMA_ALIGN;
	if (t.want.align <= least)
		return false;
	t.want.align = least;
	return take_cma_places(&t, pfn);
}

static bool take_from_cma(const struct dma_ask *ask, struct dma_block *out)
{
	struct pz_dma *dma = ask->dma;
	uint64_t pfn;

	out->from = PZ_DMA_FROM_CMA;
	if (!pz_dma_record_promise(dma, 1))
		return false;
	if (take_cma(ask, &pfn)) {
		if (!take_ready(ask, pfn, out)) {
			if (pz_dma_record_add(dma, ask->dev, PZ_DMA_FROM_CMA, out->phys,
					      ask->pages << dma->page_shift, &out->ticket))
				return true;
			out->ready.lost =
				!pz_dma_unprepare(dma, out->ready.did, out->ready.cpu, out->phys,
						  ask->pages << dma->page_shift);
		}
		if (!out->ready.lost)
			(void)pz_cma_release(dma->cfg.pages, ask->cpu, ask->cma, pfn, ask->pages);
	}
	pz_dma_record_release(dma, 1);
	return false;
}

int pz_dma_take(const struct dma_ask *ask, struct dma_block *out)
{
	if (ask->cma != PZ_DMA_NO_CMA && (ask->gfp & PZ_GFP_BLOCK) &&
	    !(ask->gfp & PZ_GFP_NOMIGRATE) && take_from_cma(ask, out))
		return 0;
	return take_any_pages(ask, out);
}

void pz_dma_untake_cma(struct pz_dma *dma, uint32_t cpu, uint32_t area, uint64_t phys,
		       uint64_t pages)
{
	if (pages)
		(void)pz_cma_release(dma->cfg.pages, cpu, area, phys >> dma->page_shift, pages);
	pz_dma_record_release(dma, 1);
}

bool pz_dma_untake_pages(struct pz_dma *dma, uint32_t cpu, uint64_t phys, uint64_t pages)
{
	uint64_t pfn = phys >> dma->page_shift;

	if (pz_is_pow2(pages) && pz_fls64(pages) <= PZ_PAGE_MAX_ORDER)
		return pz_page_put_block(dma->cfg.pages, cpu, pfn, pz_fls64(pages));
	return pz_page_put_run(dma->cfg.pages, cpu, pfn, pages);
}
