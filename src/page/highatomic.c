/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * highatomic.c - pageblocks kept for atomic requests of higher order, as Linux keeps them.
 *
 * Concept
 *  Under PZ_POLICY_ZONELIST a request with PZ_GFP_HIGH that may not block, of an order above 0,
 *  marks the pageblock that served it: other requests no longer take from it. About a hundredth of
 *  an area may be kept so. When a request finds nothing, one such pageblock is given back at a
 *  time. Source followed: docs/facts/page_alloc.md section 6.
 */
#include "page_internal.h"

void pz_page_reserve_highatomic(struct pz_pages *p, const struct page_ask *a, uint64_t index)
{
	uint64_t block = (uint64_t)1 << p->pageblock_order, most;
	const struct page_seg *s = pz_page_seg_of(p, index);
	struct page_area *z;

	if (!(a->req->gfp & PZ_GFP_HIGH) || (a->req->gfp & (PZ_GFP_BLOCK | PZ_GFP_MEMALLOC)) ||
	    a->order >= p->pageblock_order || p->type_default == PZ_UNMOVABLE || !s)
		return;
	z = &p->area[s->area];
	index &= ~(block - 1);
	/* A pageblock at the edge of the area, or one that has its use, stays what it is. */
	if (index < s->lo || index + block - 1 > s->hi || page_type(p, index) > PZ_RECLAIMABLE)
		return;
	most = pz_udiv64(pz_load64(&z->managed), 100) + block;
	if (pz_load64(&z->highatomic) + block > most)
		return;
	pz_poke32(&p->special, 1);
	pz_count64(&z->highatomic, block);
	pz_page_set_type(p, index, p->pageblock_order, PZ_HIGHATOMIC);
}

/* The pageblock that is given back first: the highest with free pages in the request's window. */
bool pz_page_highatomic_pick(struct pz_pages *p, const struct page_ask *a, uint64_t *index)
{
	struct page_want w = { .lo = a->lo, .hi = a->hi, .kind = PAGE_K_HIGHATOMIC, .look = true };

	if (!p->special || p->cfg.keep_highatomic || !pz_page_tree_take(p, &w, index))
		return false;
	*index &= ~(((uint64_t)1 << p->pageblock_order) - 1);
	return true;
}

/* Give one pageblock with free pages within the request's window back. */
bool pz_page_unreserve_highatomic(struct pz_pages *p, const struct page_ask *a)
{
	uint64_t block = (uint64_t)1 << p->pageblock_order, index;
	const struct page_seg *s;

	/* Two at once would count the same block twice; the second does without. */
	if (!p->special || !pz_cas32(&p->lock, 0, 1))
		return false;
	if (!pz_page_highatomic_pick(p, a, &index)) {
		pz_page_unlock(p);
		return false;
	}
	s = pz_page_seg_of(p, index);
	pz_page_set_type(p, index, p->pageblock_order, a->type);
	if (s)
		pz_count64(&p->area[s->area].highatomic, ~block + 1);
	pz_page_unlock(p);
	return true;
}

int pz_page_set_mobility(struct pz_pages *p, uint64_t pfn, enum pz_mobility mobility)
{
	uint64_t index = page_index(p, pfn), block = (uint64_t)1 << p->pageblock_order;
	unsigned int old;
	const struct page_seg *s;

	if (index == PAGE_NONE || (unsigned int)mobility > PZ_HIGHATOMIC ||
	    p->type_default == PZ_UNMOVABLE)
		return -PZ_EINVAL;
	s = pz_page_seg_of(p, index);
	old = page_type(p, index);
	index &= ~(block - 1);
	if (!s || old > PZ_HIGHATOMIC)
		return -PZ_EINVAL;
	if (old == mobility)
		return 0;
	if (mobility == PZ_HIGHATOMIC) {
		if (index < s->lo || index + block - 1 > s->hi)
			return -PZ_EINVAL;
		pz_poke32(&p->special, 1);
		pz_count64(&p->area[s->area].highatomic, block);
	} else if (old == PZ_HIGHATOMIC) {
		pz_count64(&p->area[s->area].highatomic, ~block + 1);
	}
	pz_page_set_type(p, index, p->pageblock_order, mobility);
	return 0;
}
