/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_page_contig.c - movable pages and their owners, evacuation, contiguous areas, against the
 * oracle of every page. Owners answer yes, no, later, or as it comes; some free and allocate
 * while they are asked.
 */
#include "page_contig.h"

#include <inttypes.h>

static bool all_agree(const struct world *w)
{
	for (uint32_t k = 0; k < w->owners; k++) {
		if (w->owner[k].mode != W_YES)
			return false;
	}
	return true;
}

static uint32_t head_of(const struct world *w, uint32_t i)
{
	while (w->page[i].state == W_TAIL)
		i--;
	return i;
}

/* Runs whose length is no power of two have no order to be moved by. */
static bool fixed_at(const struct world *w, uint32_t i)
{
	const struct w_page *g = &w->page[i];

	if (g->state == W_FREE)
		return false;
	if (g->state == W_NONE)
		return true;
	g = &w->page[head_of(w, i)];
	return !g->owner || g->len & (g->len - 1);
}

/* Pages that evacuating would move: those inside, and at most the whole of blocks at the edges. */
static void cost_of(const struct world *w, uint32_t first, uint32_t last, struct pz_evacuation *e,
		    uint64_t *whole)
{
	uint32_t seen = UINT32_MAX;

	memset(e, 0, sizeof(*e));
	*whole = 0;
	for (uint32_t i = first; i <= last; i++) {
		uint32_t head;

		if (fixed_at(w, i)) {
			if (!e->fixed++)
				e->first_fixed = w->base + i;
			continue;
		}
		if (w->page[i].state == W_FREE) {
			e->free++;
			continue;
		}
		e->movable++;
		head = head_of(w, i);
		if (head != seen)
			*whole += w->page[head].len;
		seen = head;
	}
}

static bool op_cost(struct world *w)
{
	uint32_t first = (uint32_t)prop_draw(w->p, w->n - 1);
	uint32_t last = first + (uint32_t)prop_draw(w->p, w->n - 1 - first);
	struct pz_range r = { w->base + first, w->base + last };
	struct pz_evacuation e, mine;
	uint64_t whole;

	op_begin(w);
	cost_of(w, first, last, &mine, &whole);
	pz_evacuation_cost(w->pages, r, &e);
	prop_note(w->p, "cost of %u to %u: free %" PRIu64 " movable %" PRIu64 " fixed %" PRIu64,
		  first, last, e.free, e.movable, e.fixed);
	PROP_ASSERT(w->p, e.pfns.first == r.first && e.pfns.last == r.last);
	PROP_ASSERT(w->p, e.free == mine.free && e.fixed == mine.fixed);
	PROP_ASSERT(w->p, !e.fixed || e.first_fixed == mine.first_fixed);
	PROP_ASSERT(w->p, e.movable >= mine.movable && e.movable <= whole);
	return true;
}

/* The cheapest range; only where it is plain what "cheapest" counts. */
static bool op_cheapest(struct world *w)
{
	struct w_req r = { 0 };
	struct pz_evacuation e;
	uint64_t best = UINT64_MAX;
	int rc;

	op_begin(w);
	world_draw_limits(w, &r.limits);
	r.pages = 1 + prop_draw(w->p, prop_choice(w->p, 4) ? 40 : w->n);
	for (uint32_t i = 0; r.pages <= w->n && i <= w->n - r.pages && w->n <= 2000; i++) {
		uint64_t first = (w->base + i) << w->shift;
		struct pz_range at = { first, first + ((r.pages << w->shift) - 1) };
		struct pz_evacuation mine;
		uint64_t whole;

		if (!pz_limits_check(&r.limits, at))
			continue;
		cost_of(w, i, i + (uint32_t)r.pages - 1, &mine, &whole);
		if (!mine.fixed && mine.movable < best)
			best = mine.movable;
	}
	if (w->n > 2000)
		return true;
	rc = pz_evacuation_cheapest(w->pages, r.pages, &r.limits, &e);
	prop_note(w->p, "cheapest %" PRIu64 " pages: %d, moves %" PRIu64 ", oracle %" PRIu64,
		  r.pages, rc, rc ? 0 : e.movable, best);
	if (rc) {
		PROP_ASSERT(w->p, rc == -PZ_ENOMEM && best == UINT64_MAX);
		return true;
	}
	PROP_ASSERT(w->p, best != UINT64_MAX && e.pfns.last - e.pfns.first + 1 == r.pages);
	PROP_ASSERT(w->p, !e.fixed && e.free + e.movable >= r.pages);
	if (!w->big_owned)
		PROP_ASSERT(w->p, e.movable == best);
	return true;
}

static bool op_evacuate(struct world *w)
{
	uint32_t first = (uint32_t)prop_draw(w->p, w->n - 1);
	uint32_t most = prop_choice(w->p, 4) ? 40 : w->n, last, cpu = op_cpu(w);
	struct pz_evacuation mine;
	bool managed = true, plain = true;
	struct pz_range r;
	uint64_t whole, before = w->free;
	int rc;

	op_begin(w);
	last = first + (uint32_t)prop_draw(w->p, w->n - 1 - first < most ? w->n - 1 - first : most);
	for (uint32_t i = first; i <= last; i++) {
		managed = managed && w->page[i].state != W_NONE;
		plain = plain && w->page[i].kind == W_PLAIN &&
			w->page[i].area == w->page[first].area;
	}
	cost_of(w, first, last, &mine, &whole);
	r.first = w->base + first;
	r.last = w->base + last;
	w->evacuating.first = first;
	w->evacuating.last = last;
	rc = pz_evacuate(w->pages, cpu, r);
	w->evacuating.first = 1;
	w->evacuating.last = 0;
	prop_note(w->p,
		  "evacuate %u to %u (free %" PRIu64 " movable %" PRIu64 " fixed %" PRIu64
		  "): %d, moved %" PRIu64,
		  first, last, mine.free, mine.movable, mine.fixed, rc, w->moved);
	PROP_ASSERT(w->p, !w->wrong);
	if (!managed) {
		PROP_ASSERT(w->p, rc == -PZ_EINVAL && !w->moved);
		return true;
	}
	if (rc == 0) {
		PROP_ASSERT(w->p, !mine.fixed);
		for (uint32_t i = first; i <= last; i++)
			PROP_ASSERT(w->p, w->page[i].state == W_FREE);
		world_take(w, first, last - first + 1, 0);
		return true;
	}
	PROP_ASSERT(w->p, rc == -PZ_EBUSY || rc == -PZ_ENOMEM);
	if (rc == -PZ_EBUSY)
		PROP_ASSERT(w->p, mine.fixed || w->refused || w->freed_inside || w->big_owned);
	if (mine.fixed)
		PROP_ASSERT(w->p, rc == -PZ_EBUSY);
	if (!mine.fixed && plain && all_agree(w) && !w->big_owned)
		PROP_ASSERT(w->p, before < last - first + 1);
	return true;
}

static struct w_cma *some_area(struct world *w)
{
	uint32_t k;

	if (!w->cmas)
		return NULL;
	k = (uint32_t)prop_draw(w->p, w->cmas - 1);
	return w->cma[k].active ? &w->cma[k] : NULL;
}

static bool cma_refused(struct world *w, const struct w_cma *c, const struct w_req *r, int rc,
			bool ever)
{
	uint32_t last = c->first + c->pages - 1;
	bool pinned = false;

	for (uint32_t i = c->first; i <= last; i++)
		pinned = pinned || fixed_at(w, i);
	if (rc == -PZ_ERANGE) {
		PROP_ASSERT(w->p, !ever);
		return true;
	}
	PROP_ASSERT(w->p, ever);
	if (rc == -PZ_EBUSY)
		PROP_ASSERT(w->p, w->refused || pinned || w->big_owned);
	else
		PROP_ASSERT(w->p, rc == -PZ_ENOMEM);
	if (all_agree(w))
		PROP_ASSERT(w->p, !world_must_evacuate(w, r, c->first, last, W_CMA));
	return true;
}

static bool op_cma_alloc(struct world *w)
{
	unsigned int order = prop_choice(w->p, 4) == 3 ? (unsigned int)prop_draw(w->p, 8) : 0;
	struct w_cma *c = some_area(w);
	uint64_t pfn = UINT64_MAX;
	uint32_t cpu = op_cpu(w), at;
	struct w_req r = { 0 };
	bool ever = false;
	int rc;

	if (!c)
		return true;
	op_begin(w);
	r.limits = pz_limits_any();
	if (prop_choice(w->p, 4) == 3)
		world_draw_limits(w, &r.limits);
	r.pages = 1 + prop_draw(w->p, c->pages + 1);
	rc = pz_cma_alloc(w->pages, cpu, c->id, r.pages, order, &r.limits, &pfn);
	prop_note(w->p,
		  "area %u (+%u): %" PRIu64 " pages aligned to order %u: %d, page %" PRId64
		  ", moved %" PRIu64 " refused %" PRIu64,
		  c->first, c->pages, r.pages, order, rc, rc ? -1 : (int64_t)(pfn - w->base),
		  w->moved, w->refused);
	PROP_ASSERT(w->p, !w->wrong);
	c->moved += w->moved;
	if (r.limits.align < (uint64_t)1 << (order + w->shift))
		r.limits.align = (uint64_t)1 << (order + w->shift);
	for (uint32_t i = c->first; r.pages <= c->pages && i <= c->first + c->pages - r.pages;
	     i++) {
		uint64_t first = (w->base + i) << w->shift;
		struct pz_range place = { first, first + ((r.pages << w->shift) - 1) };

		ever = ever || pz_limits_check(&r.limits, place);
	}
	if (rc) {
		c->fails += rc != -PZ_ERANGE;
		PROP_ASSERT(w->p, pfn == UINT64_MAX);
		return cma_refused(w, c, &r, rc, ever);
	}
	c->allocs++;
	at = (uint32_t)(pfn - w->base);
	PROP_ASSERT(w->p, at >= c->first && at + r.pages <= c->first + c->pages);
	r.gfp = PZ_GFP_MOVABLE;
	r.highest = PZ_ZONE_MOVABLE;
	r.nid = PZ_NID_NONE;
	r.cpu = PZ_CPU_NONE;
	PROP_ASSERT(w->p, world_may_take(w, &r, at));
	world_take(w, at, (uint32_t)r.pages, 0);
	w->page[at].taken = true;
	return true;
}

static bool op_cma_stat(struct world *w)
{
	struct w_cma *c = some_area(w);
	uint64_t taken = 0, lent = 0, free = 0, run = 0, longest = 0,
		 by[PZ_PAGE_OWNERS + 1] = { 0 };
	struct pz_cma_stat s;

	PROP_ASSERT(w->p, pz_cma_stat(w->pages, PZ_CMA_AREAS, &s) == -PZ_ENOENT);
	if (!c)
		return true;
	for (uint32_t i = c->first; i < c->first + c->pages; i++) {
		const struct w_page *head = &w->page[head_of(w, i)];

		run++;
		if (w->page[i].state == W_FREE) {
			free++;
		} else if (head->taken) {
			taken++;
			run = 0;
		} else {
			lent++;
			by[head->owner]++;
		}
		if (run > longest)
			longest = run;
	}
	PROP_ASSERT(w->p, pz_cma_stat(w->pages, c->id, &s) == 0);
	prop_note(w->p,
		  "area %u (+%u): taken %" PRIu64 " lent %" PRIu64 " free %" PRIu64
		  " largest %" PRIu64 "; oracle %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		  c->first, c->pages, s.taken, s.lent, s.free, s.largest, taken, lent, free,
		  longest);
	PROP_ASSERT(w->p, s.pfns.first == w->base + c->first);
	PROP_ASSERT(w->p, s.pfns.last == w->base + c->first + c->pages - 1);
	PROP_ASSERT(w->p, s.taken == taken && s.lent == lent && s.free == free);
	PROP_ASSERT(w->p, s.largest == longest);
	for (unsigned int k = 0; k <= PZ_PAGE_OWNERS; k++)
		PROP_ASSERT(w->p, s.by_owner[k] == by[k]);
	PROP_ASSERT(w->p, s.allocs == c->allocs && s.moved == c->moved);
	PROP_ASSERT(w->p, s.alloc_fails >= c->fails);
	return true;
}

/* Pages outside an area, or taken from it in another way, are not given back to it. */
static bool op_cma_misuse(struct world *w)
{
	struct w_cma *c = some_area(w);
	uint64_t pfn;
	uint32_t i;

	if (!c)
		return true;
	op_begin(w);
	if (c->first) {
		pfn = w->base + prop_draw(w->p, c->first - 1);
		PROP_ASSERT(w->p, !pz_cma_release(w->pages, op_cpu(w), c->id, pfn, 1));
	}
	PROP_ASSERT(w->p,
		    !pz_cma_release(w->pages, op_cpu(w), PZ_CMA_AREAS, w->base + c->first, 1));
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	i = c->first + (uint32_t)prop_draw(w->p, c->pages - 1);
	if (w->page[i].state == W_HEAD && w->page[i].taken)
		return true;
	PROP_ASSERT(w->p, pz_cma_release(w->pages, op_cpu(w), c->id, w->base + i, 1));
	w->bugs_expected += 1;
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	return true;
}

static bool op_set_owner(struct world *w)
{
	uint32_t at, len;
	uint8_t owner;

	op_begin(w);
	at = (uint32_t)prop_draw(w->p, w->n - 1);
	if (w->page[at].state != W_HEAD)
		PROP_ASSERT(w->p, pz_page_set_owner(w->pages, w->base + at, 0) == -PZ_EINVAL);
	if (!w->blocks)
		return true;
	at = w->block_at[prop_draw(w->p, w->blocks - 1)];
	len = w->page[at].len;
	if (w->page[at].taken)
		return true;
	PROP_ASSERT(w->p, pz_page_set_owner(w->pages, w->base + at, 200) == -PZ_EINVAL);
	owner = prop_choice(w->p, 3) ? w->owner[prop_choice(w->p, w->owners)].id : 0;
	prop_note(w->p, "owner of %u (+%u): %u", at, len, owner);
	PROP_ASSERT(w->p, pz_page_set_owner(w->pages, w->base + at, owner) == 0);
	w->big_owned -= w->page[at].owner && len > 1;
	w->page[at].owner = owner;
	w->big_owned += owner && len > 1;
	return true;
}

/* Fill memory with single movable pages, so that nothing is had without moving. */
static bool op_crowd(struct world *w)
{
	unsigned int n = (unsigned int)prop_draw(w->p, 200);

	for (unsigned int i = 0; i < n; i++) {
		struct w_req r = { 0 };

		r.pages = 1;
		r.limits = pz_limits_any();
		r.limits.align = (uint64_t)1 << w->shift;
		r.gfp = PZ_GFP_MOVABLE | PZ_GFP_OWNER(w->owner[prop_choice(w->p, w->owners)].id);
		r.cpu = PZ_CPU_NONE;
		if (!op_request(w, &r, 1))
			return false;
	}
	return true;
}

static bool step(struct world *w)
{
	switch (prop_choice(w->p, 24)) {
	default:
		return op_alloc(w);
	case 6:
	case 7:
	case 8:
	case 9:
		return op_free_any(w);
	case 10:
		return prop_choice(w->p, 3) ? op_alloc(w) : op_crowd(w);
	case 11:
	case 12:
		return op_evacuate(w);
	case 13:
		return op_cost(w);
	case 14:
		return op_cheapest(w);
	case 15:
		return op_activate(w);
	case 16:
	case 17:
	case 18:
		return op_cma_alloc(w);
	case 19:
		return op_cma_stat(w);
	case 20:
		return prop_choice(w->p, 4) ? op_cma_stat(w) : op_cma_misuse(w);
	case 21:
		return op_set_owner(w);
	case 22:
		return prop_choice(w->p, 3)   ? op_free_bulk(w)
		       : prop_choice(w->p, 3) ? op_part(w)
					      : op_split(w);
	case 23:
		return prop_choice(w->p, 8)   ? op_free_any(w)
		       : prop_choice(w->p, 2) ? op_policy(w)
					      : world_compare(w);
	}
}

static bool stream(struct prop *p, void *ctx)
{
	const struct w_options *opt = ctx;
	static struct world w;
	bool ok = world_open(&w, p, opt);
	unsigned int ops = ok ? (unsigned int)prop_draw(p, 300) : 0;

	for (unsigned int i = 0; ok && i < ops; i++)
		ok = step(&w);
	ok = ok && world_compare(&w) && op_free_all(&w);
	world_close(&w);
	if (ok && (w.meta.live || w.meta.bad_free || w.zeroed.live || w.zeroed.bad_free)) {
		prop_note(p, "metadata was not given back");
		ok = false;
	}
	return ok;
}

int main(void)
{
	static struct w_options tiny = {
		.contig = &page_contig, .one_node = true, .max_pages = 128, .no_debug = true
	};
	static struct w_options mixed = { .contig = &page_contig,
					  .max_pages = 1500,
					  .no_debug = true };

	prop_run("evacuation in small machines", stream, &tiny, 2500);
	prop_run("evacuation and areas", stream, &mixed, 2500);
	return prop_done();
}
