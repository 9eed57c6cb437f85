/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_rebuild.c - the machine of a report is rebuilt, and the request made in it again.
 *
 * Concept: the numbers of a report were put to the kernel's decision (explain.c). Here they become
 * a page allocator that decides for itself, and its reasons are compared with those, zone by zone.
 * Each remedy that changes the request or the state is tried on a machine rebuilt for it.
 *
 * Invariants: 1. a remedy is said to help only after its request was served; 2. every zone of the
 * report that the request may use is rebuilt, or none is.
 *
 * Failure: what cannot be rebuilt has an obstacle, and the explanation stands without it.
 *
 * Shortcomings: reclaim, compaction and more time are not tried. Nodes that the request may not use
 * are left out, not forbidden.
 */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "explain_state.h"

const char *explain_again_name(enum ex_again a)
{
	switch (a) {
	case EX_NOT_REBUILT:
		return "not-rebuilt";
	case EX_FAILS_ALIKE:
		return "fails-alike";
	case EX_FAILS_OTHERWISE:
		return "fails-otherwise";
	case EX_SERVED_ALIKE:
		return "served-alike";
	case EX_SERVED:
		return "served";
	}
	return "?";
}

/* What every part works on. */
struct again {
	const struct explained *e;
	const struct facts *f;
	struct explanation *x;
	const struct ex_places *places;
};

static unsigned int again_order(const struct explanation *x)
{
	return x->failure ? x->failure->order : 0;
}

/* Hold a zone's verdict against the judgement on what its free blocks are. */
static void again_zone(const struct again *g, uint32_t zone, const struct pzl_rebuilt *r,
		       const struct pz_report_area *area, bool *served, bool *alike)
{
	const struct ex_zone *z = &g->x->zones.v[zone];
	struct pzl_zone_state state = z->state;
	struct pzl_zone_judgement j;
	struct ex_rebuilt_zone *out;

	if (z->state.orders)
		state.free = ex_state_sum(z);
	if (state.managed == PZL_PAGES_UNKNOWN)
		state.managed = z->present;
	pzl_zone_judge(r->model, g->x->gfp, 0, again_order(g->x), &state, &j);
	out = vec_push(&g->x->rebuilt->zones);
	out->zone = zone;
	out->verdict = area->verdict;
	out->alike = pzl_rebuild_alike(&j, area->verdict);
	out->free = area->free;
	out->free_cma = area->free_cma;
	*served = *served || j.verdict == PZL_ZONE_OK;
	*alike = *alike && out->alike;
}

static void again_verdicts(const struct again *g, const struct ex_state *s,
			   const struct pzl_rebuilt *r, const struct pzl_rebuild_try *t)
{
	bool served = false, alike = true, told = false;

	for (uint32_t i = 0; i < s->zones.n; i++) {
		const struct pzl_rebuild_zone *z = &s->zones.v[i];

		for (uint32_t k = 0; k < t->report.areas; k++)
			if (t->report.area[k].nid == z->nid && t->report.area[k].type == z->type)
				again_zone(g, s->index.v[i], r, &t->report.area[k], &served,
					   &alike);
		/* The zone's own line may say otherwise than its free blocks. */
		told = told || g->x->zones.v[s->index.v[i]].judged.verdict == PZL_ZONE_OK;
	}
	if (t->report.more)
		*vec_push(&g->x->rebuilt->notes) =
			xasprintf("%u more zones were rebuilt, and their verdicts not compared",
				  (unsigned int)t->report.more);
	if (t->rc)
		g->x->rebuilt->again =
			alike && !served && !told ? EX_FAILS_ALIKE : EX_FAILS_OTHERWISE;
	else
		g->x->rebuilt->again = served && told ? EX_SERVED_ALIKE : EX_SERVED;
	if (t->zone < s->zones.n)
		g->x->rebuilt->served = s->index.v[t->zone];
}

static void again_request(const struct again *g)
{
	struct ex_rebuilt *to = g->x->rebuilt;
	struct pzl_rebuild_error err;
	struct pzl_rebuild_try t;
	struct pzl_rebuilt r;
	struct ex_state s;
	int rc;

	ex_state_make(&s, g->e, g->f, g->x, g->places, false, to);
	to->placed = s.placed;
	err.bad = PZL_REBUILD_FINE;
	err.zone = UINT32_MAX;
	rc = pzl_rebuild(&r, &s.config, &err);
	if (rc && err.bad == PZL_REBUILD_FINE) {
		to->obstacle = xasprintf("no page allocator can be made of it (error %d)", rc);
	} else if (rc) {
		to->obstacle = ex_state_obstacle(&s, g->f, g->x, &err);
	} else {
		ex_state_compare(&s, &r, g->x, to);
		if (!pzl_rebuild_request(&r, g->x->gfp, again_order(g->x), &t))
			again_verdicts(g, &s, &r, &t);
		else
			to->again =
				g->x->cause == EX_TOO_LARGE ? EX_FAILS_ALIKE : EX_FAILS_OTHERWISE;
		pzl_rebuild_destroy(&r);
	}
	ex_state_destroy(&s);
}

/* The request with a remedy: false when it cannot be tried. */
static bool again_change(const struct again *g, const struct ex_state *s,
			 const struct ex_remedy *remedy, struct pzl_rebuilt *r, uint32_t *gfp,
			 unsigned int *order)
{
	uint32_t zone = 0;

	while (zone < s->zones.n && s->index.v[zone] != remedy->zone)
		zone++;
	*gfp = g->x->gfp;
	*order = again_order(g->x);
	switch (remedy->kind) {
	case EX_R_RETRY:
	case EX_R_NODES:
		return true;
	case EX_R_ORDER:
		*order = (unsigned int)remedy->value;
		return true;
	case EX_R_MOVABLE:
		*gfp |= PZL_GFP_MOVABLE;
		return true;
	case EX_R_HIGH:
		*gfp |= PZL_GFP_HIGH;
		return true;
	case EX_R_DRAIN:
	case EX_R_FREE:
		return zone < s->zones.n &&
		       pzl_rebuild_free(r, zone, remedy->value) == remedy->value;
	case EX_R_RATIO:
		pzl_rebuild_no_reserve(r, zone);
		return zone < s->zones.n;
	case EX_R_KERNEL:
	case EX_R_BLOCK:
	case EX_R_WIDER:
	case EX_R_COMPACT:
	case EX_R_MIN_FREE:
	case EX_R_CMA:
		break;
	}
	return false;
}

static void again_remedy(const struct again *g, struct ex_remedy *remedy)
{
	struct pzl_rebuild_try t;
	struct pzl_rebuilt r;
	struct ex_state s;
	unsigned int order;
	uint32_t gfp;

	ex_state_make(&s, g->e, g->f, g->x, g->places, remedy->kind == EX_R_NODES, NULL);
	if (!pzl_rebuild(&r, &s.config, NULL)) {
		if (again_change(g, &s, remedy, &r, &gfp, &order) &&
		    !pzl_rebuild_request(&r, gfp, order, &t)) {
			remedy->tried = t.rc ? EX_IN_VAIN : EX_HELPED;
			if (t.zone < s.zones.n)
				remedy->served = s.index.v[t.zone];
		}
		pzl_rebuild_destroy(&r);
	}
	ex_state_destroy(&s);
}

static bool again_can_try(enum ex_remedy_kind k)
{
	return k == EX_R_RETRY || k == EX_R_ORDER || k == EX_R_MOVABLE || k == EX_R_HIGH ||
	       k == EX_R_NODES || k == EX_R_DRAIN || k == EX_R_FREE || k == EX_R_RATIO;
}

void explain_rebuild(struct explained *e, struct facts *f, const struct analysis_options *o)
{
	struct ex_places places;

	ex_places_find(&places, f, o);
	for (size_t i = 0; i < e->all.n; i++) {
		struct explanation *x = &e->all.v[i];
		struct again g = { e, f, x, &places };

		x->rebuilt = xcalloc(1, sizeof(*x->rebuilt));
		x->rebuilt->served = UINT32_MAX;
		again_request(&g);
		for (size_t k = 0; k < x->remedies.n && x->rebuilt->again != EX_NOT_REBUILT; k++)
			if (again_can_try(x->remedies.v[k].kind))
				again_remedy(&g, &x->remedies.v[k]);
	}
	ex_places_destroy(&places);
}

void explain_rebuilt_destroy(struct explanation *x)
{
	struct ex_rebuilt *r = x->rebuilt;

	if (!r)
		return;
	for (size_t i = 0; i < r->differences.n; i++)
		free(r->differences.v[i]);
	for (size_t i = 0; i < r->notes.n; i++)
		free(r->notes.v[i]);
	vec_free(&r->differences);
	vec_free(&r->notes);
	vec_free(&r->zones);
	free(r->obstacle);
	free(r);
	x->rebuilt = NULL;
}

bool explain_rebuilt_fine(const struct explained *e)
{
	for (size_t i = 0; i < e->all.n; i++) {
		const struct ex_rebuilt *r = e->all.v[i].rebuilt;

		if (r && ((r->again != EX_FAILS_ALIKE && r->again != EX_SERVED_ALIKE) ||
			  r->differences.n))
			return false;
	}
	return true;
}
