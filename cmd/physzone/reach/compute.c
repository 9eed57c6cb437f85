/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compute.c - what a device reaches of a machine's managed pages.
 *
 * Concept: managed page frames as a set, windows as a set, and the intersection tells everything by
 * address: total, runs, blocks. What Linux gives is another matter. It tries the zones of
 * pzl_direct_plan() and takes what comes: a zone that lies wholly in reach is sure, one that lies
 * partly in reach gives a page that may have to be given back. When the last zone tried gives such
 * a page, the request fails.
 *
 * The pages are those of the machine as it is; only their division into zones follows the model.
 *
 * Shortcomings: watermarks, reserves and what start-up takes are not taken off; what a zone really
 * gives, less by some pages, is deliver.c's. The default contiguous area, which is tried first,
 * counts as given when it lies in reach.
 */
#include "reach.h"

#include <stdlib.h>
#include <string.h>

static int reach_add_free(void *ctx, struct pz_range pfns, int nid)
{
	(void)nid;
	return pz_rangeset_add(ctx, pfns);
}

static uint64_t reach_count(const struct pz_rangeset *s)
{
	return pz_rangeset_bytes(s); /* of a set of page frames: their number */
}

static void reach_managed(struct reach_machine *m)
{
	unsigned int shift = m->analysis.page_shift;

	(void)pz_memblock_hand_over(&m->start.mb, UINT64_MAX, reach_add_free, &m->managed);
	for (size_t i = 0; i < m->start.areas.n; i++) {
		struct pz_range p;

		if (!pz_range_trim(m->start.areas.v[i].at.range, shift, &p))
			continue;
		(void)pz_rangeset_add(&m->managed, p);
		(void)pz_rangeset_add(&m->cma, p);
	}
	for (size_t i = 0; i < m->start.later.n; i++)
		if (m->start.later.v[i].kind != AN_GIVEN_GIGANTIC)
			(void)pz_rangeset_add(&m->managed, m->start.later.v[i].pfns);
}

int reach_machine(struct reach_machine *m, struct facts *f, const struct analysis_options *how,
		  char **err)
{
	int rc;

	memset(m, 0, sizeof(*m));
	pz_rangeset_init(&m->managed, &an_meta, NULL, 0);
	pz_rangeset_init(&m->cma, &an_meta, NULL, 0);
	rc = analyse_start(&m->start, &m->analysis, f, how, err);
	if (rc)
		return rc;
	reach_managed(m);
	for (int i = 0; i < PZL_MODELS; i++) {
		struct analysis_options by = *how;

		by.model = pzl_model_name((enum pzl_model)i);
		(void)analyse_start(&m->model[i].start, &m->model[i].analysis, f, &by,
				    &m->model[i].error);
	}
	return 0;
}

void reach_machine_destroy(struct reach_machine *m)
{
	for (int i = 0; i < PZL_MODELS; i++) {
		an_start_destroy(&m->model[i].start);
		analysis_destroy(&m->model[i].analysis);
		free(m->model[i].error);
	}
	an_start_destroy(&m->start);
	analysis_destroy(&m->analysis);
	if (m->managed.meta)
		pz_rangeset_destroy(&m->managed);
	if (m->cma.meta)
		pz_rangeset_destroy(&m->cma);
}

/* The page frames that lie wholly in the device's windows. */
static void reach_windows(struct pz_rangeset *pages, const struct device *d, unsigned int shift)
{
	struct pz_rangeset bytes;

	pz_rangeset_init(&bytes, &an_meta, NULL, 0);
	for (size_t i = 0; i < d->windows.n; i++)
		(void)pz_rangeset_add(&bytes, d->windows.v[i]);
	for (uint32_t i = 0; i < bytes.count; i++) {
		struct pz_range p;

		if (pz_range_trim(bytes.v[i], shift, &p))
			(void)pz_rangeset_add(pages, p);
	}
	pz_rangeset_destroy(&bytes);
}

static void reach_runs(struct reach *r)
{
	for (uint32_t i = 0; i < r->pages.count; i++) {
		struct pz_range p = r->pages.v[i];

		if (!i || p.last - p.first > r->longest.last - r->longest.first)
			r->longest = p;
		for (unsigned int k = 0; k < PZ_PAGE_ORDERS; k++) {
			uint64_t mask = (UINT64_C(1) << k) - 1;
			uint64_t first = (p.first >> k) + ((p.first & mask) != 0);
			uint64_t end = (p.last + 1) >> k;

			if (end > first)
				r->blocks[k] += end - first;
		}
	}
}

/* Counting pages by zone. */
struct reach_by_zone {
	uint64_t pages[PZ_ZONE_TYPES];
};

static void reach_by_zone_add(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct reach_by_zone *c = ctx;

	(void)nid;
	c->pages[type] += pfns.last - pfns.first + 1;
}

static void reach_by_zone(struct reach_by_zone *c, const struct pz_zones *z,
			  const struct pz_rangeset *set)
{
	memset(c, 0, sizeof(*c));
	for (uint32_t i = 0; i < set->count; i++)
		an_by_zone(z, set->v[i], reach_by_zone_add, c);
}

static void reach_model_zones(struct reach_model *rm, const struct pz_zones *z,
			      const struct pz_rangeset *managed, const struct pz_rangeset *reached)
{
	struct reach_by_zone all, in;

	reach_by_zone(&all, z, managed);
	reach_by_zone(&in, z, reached);
	for (int t = 0; t < PZ_ZONE_TYPES; t++) {
		rm->zone[t].managed = all.pages[t];
		rm->zone[t].reached = in.pages[t];
		rm->zone[t].whole = in.pages[t] == all.pages[t];
	}
}

bool reach_try_whole(const struct reach_model *rm, unsigned int i)
{
	for (int t = 0; t <= (int)rm->plan.highest[i]; t++)
		if (!rm->zone[t].whole)
			return false;
	return true;
}

/*
 * What the tries give. A try is served by its highest zone first, then by lower ones, so it is sure
 * only when all of them lie in reach; when they do not, the last try decides what is left.
 */
static void reach_model_gets(struct reach_model *rm, bool cma_whole, uint64_t cma)
{
	uint64_t reached = 0;

	rm->sure = 0;
	if (rm->plan.supported) {
		for (unsigned int i = 0; i < rm->plan.tries; i++) {
			uint64_t pages = 0;

			for (int t = 0; t <= (int)rm->plan.highest[i]; t++)
				pages += rm->zone[t].reached;
			if (pages > reached)
				reached = pages;
			if (reach_try_whole(rm, i) && pages > rm->sure)
				rm->sure = pages;
		}
		rm->chance = reached - rm->sure;
		if (cma_whole)
			rm->sure += cma;
		else
			rm->chance += cma;
	}
}

static void reach_models(struct reach *r, const struct reach_machine *m)
{
	struct pz_rangeset managed, reached;
	uint64_t cma_reached;

	pz_rangeset_init(&managed, &an_meta, NULL, 0);
	pz_rangeset_init(&reached, &an_meta, NULL, 0);
	(void)pz_rangeset_copy(&managed, &m->managed);
	(void)pz_rangeset_copy(&reached, &r->pages);
	for (uint32_t i = 0; i < m->cma.count; i++) {
		(void)pz_rangeset_remove(&managed, m->cma.v[i]);
		(void)pz_rangeset_remove(&reached, m->cma.v[i]);
	}
	cma_reached = r->reached - reach_count(&reached);
	r->cma = cma_reached;
	for (int i = 0; i < PZL_MODELS; i++) {
		struct reach_model *rm = &r->model[i];
		const struct an_start *s = &m->model[i].start;
		struct pzl_direct_in in;

		rm->model = (enum pzl_model)i;
		if (!s->built) {
			rm->error = xstrdup(m->model[i].error ? m->model[i].error : "?");
			continue;
		}
		in.configured = s->configured;
		in.zone_limit = s->zone_limit;
		in.ram_last = pz_memblock_last(&s->mb) &
			      ~((UINT64_C(1) << m->analysis.page_shift) - 1);
		in.max_addr = device_last(&r->device);
		in.outside = false;
		pzl_direct_plan(&in, &rm->plan);
		reach_model_zones(rm, &s->z, &managed, &reached);
		reach_model_gets(rm, cma_reached == reach_count(&m->cma), cma_reached);
	}
	pz_rangeset_destroy(&managed);
	pz_rangeset_destroy(&reached);
}

/* Collecting the pages of zones up to one. */
struct reach_up_to {
	struct pz_rangeset *set;
	enum pz_zone_type highest;
};

static void reach_up_to_add(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct reach_up_to *u = ctx;

	(void)nid;
	if (type <= u->highest)
		(void)pz_rangeset_add(u->set, pfns);
}

/* Which pages are sure under the machine's own model. */
static void reach_sure(struct reach *r, const struct reach_machine *m)
{
	const struct reach_model *rm = &r->model[m->analysis.model];
	struct reach_up_to u = { &r->sure, PZ_ZONE_DMA };
	bool any = false;

	for (unsigned int i = 0; i < rm->plan.tries && rm->plan.supported && !rm->error; i++) {
		if (!reach_try_whole(rm, i) || (any && rm->plan.highest[i] < u.highest))
			continue;
		u.highest = rm->plan.highest[i];
		any = true;
	}
	if (any)
		for (uint32_t i = 0; i < r->pages.count; i++)
			an_by_zone(&m->start.z, r->pages.v[i], reach_up_to_add, &u);
	for (uint32_t i = 0; i < m->cma.count; i++) {
		(void)pz_rangeset_remove(&r->sure, m->cma.v[i]);
		if (r->cma == reach_count(&m->cma) && rm->plan.supported)
			(void)pz_rangeset_add(&r->sure, m->cma.v[i]);
	}
}

void reach_compute(struct reach *r, const struct reach_machine *m, struct device *d)
{
	struct reach_by_zone own;

	memset(r, 0, sizeof(*r));
	r->device = *d;
	memset(d, 0, sizeof(*d));
	pz_rangeset_init(&r->pages, &an_meta, NULL, 0);
	pz_rangeset_init(&r->sure, &an_meta, NULL, 0);
	reach_windows(&r->pages, &r->device, m->analysis.page_shift);
	(void)pz_rangeset_intersect(&r->pages, &m->managed);
	r->managed = reach_count(&m->managed);
	r->reached = reach_count(&r->pages);
	reach_by_zone(&own, &m->start.z, &r->pages);
	r->movable = own.pages[PZ_ZONE_MOVABLE];
	reach_runs(r);
	reach_models(r, m);
	reach_sure(r, m);
}

void reach_destroy(struct reach *r)
{
	device_destroy(&r->device);
	pz_rangeset_destroy(&r->pages);
	pz_rangeset_destroy(&r->sure);
	for (int i = 0; i < PZL_MODELS; i++)
		free(r->model[i].error);
}
