/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_contig.c - owners and contiguous areas of a drawn machine.
 */
#include "page_contig.h"

static bool contig_reserve(struct world *w)
{
	unsigned int want = prop_choice(w->p, W_CMAS + 1);
	uint64_t bytes = (uint64_t)w->block << w->shift;
	uint64_t odd = w->base & (w->block - 1);

	for (unsigned int k = 0; k < want; k++) {
		uint32_t at = (uint32_t)prop_draw(w->p, w->n / w->block) * w->block;
		uint32_t pages = (1 + prop_choice(w->p, 3)) * w->block;
		struct w_cma *c = &w->cma[w->cmas];
		struct pz_cma_req req = { "area", 0, 0, 0, true, PZ_NID_NONE, 0, false };
		bool good;

		at += odd ? w->block - (uint32_t)odd : 0;
		good = at + pages <= w->n;
		for (uint32_t i = at; good && i < at + pages; i++)
			good = w->page[i].state == W_FREE && w->page[i].area == w->page[at].area;
		if (!good)
			continue;
		req.base = (w->base + at) << w->shift;
		req.size = (uint64_t)pages << w->shift;
		if (!req.base) /* address 0 asks for no place */
			continue;
		if (pz_cma_reserve(&w->mb, &req, bytes, &c->place) ||
		    c->place.range.first != req.base ||
		    c->place.range.last != req.base + req.size - 1) {
			prop_note(w->p, "an area of %u pages at %u is not reserved", pages, at);
			return false;
		}
		for (uint32_t i = at; i < at + pages; i++)
			w->page[i].state = W_NONE;
		c->first = at;
		c->pages = pages;
		w->cmas++;
	}
	return true;
}

static bool contig_owners(struct world *w)
{
	unsigned int n = 1 + prop_choice(w->p, W_OWNERS);

	for (unsigned int k = 0; k < n; k++) {
		struct w_owner *o = &w->owner[k];
		struct pz_page_owner owner = { "owner", world_migrate, o };

		o->w = w;
		o->mode = (enum w_mode)prop_choice(w->p, 4);
		if (pz_page_owner_add(w->pages, &owner, &o->id) || !o->id) {
			prop_note(w->p, "an owner is not taken");
			return false;
		}
		w->owners++;
	}
	return true;
}

static bool contig_release(struct world *w, uint32_t cpu, uint32_t area, uint64_t pfn,
			   uint64_t pages)
{
	return pz_cma_release(w->pages, cpu, w->cma[area].id, pfn, pages);
}

const struct w_contig page_contig = { contig_reserve, contig_owners, contig_release };

bool op_activate(struct world *w)
{
	struct w_cma *c;
	uint32_t k;
	int rc;

	if (!w->cmas)
		return true;
	op_begin(w);
	k = (uint32_t)prop_draw(w->p, w->cmas - 1);
	c = &w->cma[k];
	rc = pz_cma_activate(w->pages, &c->place, &c->id);
	prop_note(w->p, "activate %u (+%u): %d", c->first, c->pages, rc);
	if (c->active) {
		PROP_ASSERT(w->p, rc == -PZ_EEXIST);
		return true;
	}
	if (rc == -PZ_ENOMEM && world_faulted(w))
		return true;
	PROP_ASSERT(w->p, rc == 0);
	c->active = true;
	w->managed += c->pages;
	for (uint32_t i = c->first; i < c->first + c->pages; i++)
		w->page[i].kind = W_CMA;
	world_make_free(w, c->first, c->pages);
	return true;
}
