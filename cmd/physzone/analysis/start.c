/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.c - the machine at the moment at which the page allocator takes over.
 *
 * Concept: the analysis ends with a machine that has booted. Here it is taken back: what was given
 * late is taken out of the free pages again, and so are contiguous areas, which are activated by a
 * step of their own. What remains free in a zone is then made to agree with the zone's managed
 * pages: pages too many are taken from its top, where the boot allocator takes first; pages too
 * few are freed from the top of what is taken. An input without memblock lines has managed pages
 * as an estimate only, and this is how the estimate becomes page frames.
 *
 * Invariants: 1. free, areas and later are disjoint and lie in memory; 2. for each zone they add
 * up to the managed pages of the analysis, unless a note says otherwise.
 *
 * Failure: as the analysis; what cannot be made to agree is a note.
 *
 * Shortcomings: which of the pages at the top were taken is a guess, and so are runs of free pages
 * there.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct start_ctx {
	struct an_ctx *c;
	struct an_start *s;
	struct pz_rangeset memory, free, held; /* page frames; held: areas, and given later */
};

/* The first border of a zone of the node above @pfn, at most @last + 1. */
static uint64_t start_border(const struct pz_zones *z, int nid, uint64_t pfn, uint64_t last)
{
	const struct pz_node *n = pz_zones_node(z, nid);
	uint64_t next = last + 1;

	for (int t = 0; n && t < PZ_ZONE_TYPES; t++) {
		const uint64_t at[] = {
			n->zone[t].start_pfn,
			n->zone[t].start_pfn + n->zone[t].spanned,
			n->zone[t].boot_pfn,
			n->zone[t].boot_pfn + n->zone[t].boot_spanned,
		};

		for (unsigned int i = 0; i < 4; i++)
			if (at[i] > pfn && at[i] < next)
				next = at[i];
	}
	return next;
}

/* The first block that does not end before a page frame. */
static uint32_t start_block(const struct pz_zones *z, uint64_t pfn)
{
	uint32_t low = 0, high = z->block_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (z->block[mid].pfns.last < pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void an_by_zone(const struct pz_zones *z, struct pz_range pfns, an_zone_fn *fn, void *ctx)
{
	for (uint32_t i = start_block(z, pfns.first); i < z->block_count; i++) {
		struct pz_range p;

		if (z->block[i].pfns.first > pfns.last)
			break;
		if (!pz_range_intersect(z->block[i].pfns, pfns, &p))
			continue;
		while (p.first <= p.last) {
			uint64_t next = start_border(z, z->block[i].nid, p.first, p.last);
			enum pz_zone_type type = pz_zones_locate(z, p.first, NULL);

			if (type != PZ_ZONE_TYPES)
				fn(ctx, (struct pz_range){ p.first, next - 1 }, z->block[i].nid,
				   type);
			p.first = next;
		}
	}
}

/* Counting and collecting the pages of one zone. */
struct start_zone {
	int nid;
	enum pz_zone_type type;
	uint64_t pages;
	VEC(struct pz_range) pieces;
};

static void start_zone_add(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct start_zone *in = ctx;

	if (nid != in->nid || type != in->type)
		return;
	in->pages += pfns.last - pfns.first + 1;
	*vec_push(&in->pieces) = pfns;
}

static void start_zone_of(const struct start_ctx *x, const struct pz_rangeset *set,
			  struct start_zone *in)
{
	in->pages = 0;
	in->pieces.n = 0;
	for (uint32_t i = 0; i < set->count; i++)
		an_by_zone(&x->s->z, set->v[i], start_zone_add, in);
}

/* Keep of a range what is memory and not held yet, and hold it. */
static bool start_hold(struct start_ctx *x, struct pz_range pfns)
{
	if (pfns.first > pfns.last || !pz_rangeset_covers(&x->memory, pfns) ||
	    pz_rangeset_intersects(&x->held, pfns))
		return false;
	(void)pz_rangeset_remove(&x->free, pfns);
	(void)pz_rangeset_add(&x->held, pfns);
	return true;
}

static void start_recorded_areas(struct start_ctx *x)
{
	struct an_ctx *c = x->c;

	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];
		struct an_area *a;
		struct pz_range p;

		if (cl->kind != CLAIM_CMA || c->what_if)
			continue;
		if (!pz_range_trim(cl->range, c->a->page_shift, &p) || !start_hold(x, p)) {
			an_note(c, "a contiguous area lies outside memory, or on another one: "
				   "it is left out");
			continue;
		}
		a = vec_push(&x->s->areas);
		snprintf(a->at.name, sizeof(a->at.name), "%s",
			 cl->text && *cl->text ? cl->text : "reserved");
		a->at.range = cl->range;
		a->recorded = true;
		a->nid = cl->nid;
		a->of_tree = cl->text && !strncmp(cl->text, "CMA memory pool", 15);
	}
}

/* Areas that areas.c found a place for. */
static void start_computed_areas(struct start_ctx *x)
{
	for (size_t i = 0; i < x->c->areas.n; i++) {
		struct pz_range p;

		if (pz_range_trim(x->c->areas.v[i].at.range, x->c->a->page_shift, &p) &&
		    start_hold(x, p))
			*vec_push(&x->s->areas) = x->c->areas.v[i];
	}
	for (size_t i = 0; i < x->c->no_areas.n; i++)
		*vec_push(&x->s->no_areas) = x->c->no_areas.v[i];
	for (size_t i = 0; i < x->c->tree_pools.n; i++)
		*vec_push(&x->s->tree_pools) = x->c->tree_pools.v[i];
}

/* Late pages in the order of the boot. */
static void start_later(struct start_ctx *x)
{
	struct an_ctx *c = x->c;

	for (int kind = AN_GIVEN_EFI; kind < AN_GIVEN_HOTPLUG; kind++) {
		for (size_t i = 0; i < c->later.n; i++) {
			const struct an_later *l = &c->later.v[i];

			if ((int)l->kind == kind && start_hold(x, l->pfns))
				*vec_push(&x->s->later) = (struct an_given){ l->kind, l->pfns };
		}
	}
	for (size_t i = 0; i < c->hotplug.n; i++)
		if (start_hold(x, c->hotplug.v[i]))
			*vec_push(&x->s->later) =
				(struct an_given){ AN_GIVEN_HOTPLUG, c->hotplug.v[i] };
}

/* Move pages of one zone between free and taken, from its top, until the count is right. */
static void start_settle_zone(struct start_ctx *x, const struct an_marks *m)
{
	struct start_zone in = { m->nid, m->type, 0, { NULL, 0, 0 } };
	uint64_t want = m->managed, move;
	struct pz_rangeset taken;
	bool take;

	if (!m->present)
		return;
	start_zone_of(x, &x->held, &in);
	if (in.pages > want) {
		an_note(x->c,
			"node %d %s: %llu pages are given later or lent, more than the %llu that "
			"it manages in the end",
			m->nid, pz_zone_name(m->type), (unsigned long long)in.pages,
			(unsigned long long)want);
		want = in.pages;
	}
	want -= in.pages;
	start_zone_of(x, &x->free, &in);
	take = in.pages > want;
	move = take ? in.pages - want : want - in.pages;
	pz_rangeset_init(&taken, &an_meta, NULL, 0);
	if (move && !take) {
		(void)pz_rangeset_copy(&taken, &x->memory);
		for (uint32_t i = 0; i < x->free.count; i++)
			(void)pz_rangeset_remove(&taken, x->free.v[i]);
		for (uint32_t i = 0; i < x->held.count; i++)
			(void)pz_rangeset_remove(&taken, x->held.v[i]);
		start_zone_of(x, &taken, &in);
	}
	for (size_t i = in.pieces.n; i-- > 0 && move;) {
		struct pz_range p = in.pieces.v[i];

		if (p.last - p.first + 1 > move)
			p.first = p.last - move + 1;
		move -= p.last - p.first + 1;
		if (take) {
			(void)pz_rangeset_remove(&x->free, p);
			x->s->taken += p.last - p.first + 1;
		} else {
			(void)pz_rangeset_add(&x->free, p);
			x->s->freed += p.last - p.first + 1;
		}
	}
	if (move)
		an_note(x->c, "node %d %s: %llu pages are said to be managed and have no place",
			m->nid, pz_zone_name(m->type), (unsigned long long)move);
	pz_rangeset_destroy(&taken);
	vec_free(&in.pieces);
}

/* Make the memblock say what the sets say. */
static void start_memblock(struct start_ctx *x)
{
	unsigned int shift = x->c->a->page_shift;

	(void)pz_memblock_reserve(&x->s->mb, 0, UINT64_MAX, PZ_NID_NONE, 0);
	for (uint32_t i = 0; i < x->free.count; i++) {
		struct pz_range p = x->free.v[i];

		(void)pz_memblock_free(&x->s->mb, p.first << shift,
				       (p.last - p.first + 1) << shift);
	}
}

static int start_free_add(void *ctx, struct pz_range pfns, int nid)
{
	struct start_ctx *x = ctx;

	(void)nid;
	return pz_rangeset_add(&x->free, pfns);
}

static void start_memory_add(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct start_ctx *x = ctx;

	(void)nid;
	(void)type;
	(void)pz_rangeset_add(&x->memory, pfns);
}

/* Free pages of no zone are not given to anyone. */
static void start_sets(struct start_ctx *x)
{
	for (uint32_t i = 0; i < x->s->z.block_count; i++)
		an_by_zone(&x->s->z, x->s->z.block[i].pfns, start_memory_add, x);
	(void)pz_memblock_hand_over(&x->s->mb, UINT64_MAX, start_free_add, x);
	(void)pz_rangeset_intersect(&x->free, &x->memory);
}

static void start_ends(struct an_start *s)
{
	for (uint32_t n = 0; n < s->z.node_count; n++) {
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &s->z.node[n].zone[t];
			struct an_marks *m = vec_push(&s->end);

			m->nid = s->z.node[n].nid;
			m->type = (uint8_t)t;
			m->present = z->present;
			m->managed = z->managed;
			m->min = z->min;
			m->low = z->low;
			m->high = z->high;
			memcpy(m->reserve, z->reserve, sizeof(m->reserve));
		}
	}
}

static void start_build(struct start_ctx *x)
{
	start_sets(x);
	start_ends(x->s);
	start_recorded_areas(x);
	start_computed_areas(x);
	start_later(x);
	for (size_t i = 0; i < x->s->end.n; i++)
		start_settle_zone(x, &x->s->end.v[i]);
	start_memblock(x);
	if (pz_zones_set_managed(&x->s->z, &x->s->mb, UINT64_MAX))
		an_note(x->c, "some pages that are handed over lie in no zone");
	if (x->s->taken)
		an_note(x->c,
			"so that zones hand over no more than they manage, the highest of their "
			"free pages are taken: %llu",
			(unsigned long long)x->s->taken);
	if (x->s->freed)
		an_note(x->c,
			"so that zones hand over what they manage, the highest pages taken in "
			"them are freed: %llu",
			(unsigned long long)x->s->freed);
}

int analyse_start(struct an_start *s, struct analysis *a, struct facts *f,
		  const struct analysis_options *o, char **err)
{
	struct start_ctx x;
	struct an_ctx c;
	int rc;

	memset(s, 0, sizeof(*s));
	an_begin(&c, a, f);
	*err = NULL;
	c.want_areas = true;
	rc = an_run(&c, o, err);
	if (!rc) {
		x.c = &c;
		x.s = s;
		pz_rangeset_init(&x.memory, &an_meta, NULL, 0);
		pz_rangeset_init(&x.free, &an_meta, NULL, 0);
		pz_rangeset_init(&x.held, &an_meta, NULL, 0);
		s->mb = c.mb;
		s->z = c.z;
		s->cl = c.cl;
		s->configured = c.configured;
		s->zone_limit = c.zone_limit;
		s->low_last = c.low_last;
		s->computed = an_computed(&c);
		an_crash_told(&c);
		s->crash = c.crash_got;
		s->bounce = c.bounce;
		s->in = an_boot_in(&c);
		s->untold = c.untold;
		s->no_image = c.no_image;
		s->image_guessed = c.image_guessed;
		s->image = c.image_guessed ? pz_range_size(c.image_guess) : 0;
		s->built = true;
		start_build(&x);
		pz_rangeset_destroy(&x.memory);
		pz_rangeset_destroy(&x.free);
		pz_rangeset_destroy(&x.held);
		/* They are the caller's now. */
		memset(&c.mb, 0, sizeof(c.mb));
		c.z_built = false;
		c.cl.arg = NULL;
		c.cl.op = NULL;
	}
	an_end(&c);
	return rc;
}

void an_start_destroy(struct an_start *s)
{
	if (!s->built)
		return;
	pz_zones_destroy(&s->z);
	pz_memblock_destroy(&s->mb);
	free(s->cl.arg);
	free(s->cl.op);
	vec_free(&s->areas);
	vec_free(&s->no_areas);
	vec_free(&s->tree_pools);
	vec_free(&s->later);
	vec_free(&s->end);
	s->built = false;
}
