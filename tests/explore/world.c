/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.c - threads that allocate and free, and what must hold meanwhile.
 *
 * The beginning of a call is noted when it comes to its first atomic operation (world_step()), its
 * end when it returns, so that a call is never thought to be longer than it is.
 */
#include "world_op.h"

#include "../../src/page/page_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORLD_WORDS (WORLD_FRAMES / 64)
#define WORLD_REFUSALS 4u
/* It takes so long to look once more and to see that all is quiet. */
#define WORLD_QUIET (2 * PAGE_SETTLES + 48)
#define WORLD_RUNS_ALL 10000u
/* The address sanitizer looks for other faults, and makes every step slow. */
#if defined(__SANITIZE_ADDRESS__)
#define WORLD_BOUND 1u
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WORLD_BOUND 1u
#endif
#endif
#ifndef WORLD_BOUND
#define WORLD_BOUND EXPLORE_ALL
#endif

struct world_piece {
	uint64_t pfn, pages;
};

/* What a letter stands for: pieces, freed by how they are shaped. */
struct world_slot {
	bool taken;
	uint8_t again; /* calls under way that free it, of several that do */
	bool gone; /* the first of them has begun */
	enum world_shape shape;
	uint32_t pieces;
	struct world_piece piece[WORLD_LIST];
};

struct world_set {
	uint64_t bit[WORLD_WORDS];
};

/* A request that was refused while calls by others were under way. */
struct world_refusal {
	uint8_t open; /* those threads */
	const struct world_op *op;
	struct world_set stayed; /* pages that were free all the time, as far as is known */
};

struct world_call {
	bool soon; /* called, no operation yet */
	bool open;
	uint8_t quiet; /* operations since it could know that something was in transit */
	const struct world_op *op;
	struct world_set stayed;
	struct world_set freeing; /* free when it returns, unless given out by then */
};

/* All of it is part of the state. */
struct world {
	struct world_slot slot[26];
	struct world_set held, unheld; /* owned by somebody; free in the above sense */
	struct world_call call[EXPLORE_THREADS];
	struct world_refusal refusal[WORLD_REFUSALS];
	uint32_t refusals;
	uint64_t managed;
};

/* Not part of it: the same in every run. */
static struct {
	const struct world_plan *plan;
	struct machine *m;
	struct world *w;
	struct world_op op[EXPLORE_THREADS + 1][WORLD_OPS];
	unsigned int ops[EXPLORE_THREADS + 1];
	uint8_t owner;
	void (*around)(unsigned int t, bool before);
} wd;

/* --- sets of pages --- */

static bool set_has(const struct world_set *s, uint64_t pfn)
{
	return s->bit[pfn / 64] >> pfn % 64 & 1;
}

static void set_add(struct world_set *s, uint64_t pfn, uint64_t pages)
{
	for (; pages; pfn++, pages--)
		s->bit[pfn / 64] |= (uint64_t)1 << pfn % 64;
}

static void set_drop(struct world_set *s, uint64_t pfn, uint64_t pages)
{
	for (; pages; pfn++, pages--)
		s->bit[pfn / 64] &= ~((uint64_t)1 << pfn % 64);
}

static uint64_t set_count(const struct world_set *s)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < WORLD_WORDS; i++)
		n += (uint64_t)__builtin_popcountll(s->bit[i]);
	return n;
}

/* --- what must hold --- */

/* Whether a request finds a place among these pages. */
static bool world_fits(const struct world_op *op, const struct world_set *s)
{
	uint64_t pages = op->shape == WORLD_ORDER ? (uint64_t)1 << op->n : op->n;
	uint64_t align = op->shape == WORLD_ORDER ? pages : 1;
	uint64_t run = 0;

	if (op->shape == WORLD_SINGLES)
		pages = 1;
	for (uint64_t pfn = op->first; pfn <= op->last; pfn++) {
		run = set_has(s, pfn) ? run + 1 : 0;
		if (run >= pages && !((pfn + 1 - pages) % align))
			return true;
	}
	return false;
}

static const char *world_op_text(const struct world_op *op)
{
	static char text[80];

	snprintf(text, sizeof(text), "%s%llu in %llu-%llu", op->shape == WORLD_ORDER ? "order " :
		 op->shape == WORLD_EXACT ? "pages: " : "single pages: ", (unsigned long long)op->n,
		 (unsigned long long)op->first, (unsigned long long)op->last);
	return text;
}

static void world_judge(const struct world_refusal *r)
{
	if (world_fits(r->op, &r->stayed))
		explore_fail("%s was refused, and there was a place all the time",
			     world_op_text(r->op));
}

/* The call of @t got, or may have had, pages that so were not free while it lasted. */
static void world_not_free(unsigned int t, uint64_t pfn, uint64_t pages)
{
	set_drop(&wd.w->unheld, pfn, pages);
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		if (wd.w->call[i].open)
			set_drop(&wd.w->call[i].stayed, pfn, pages);
		set_drop(&wd.w->call[i].freeing, pfn, pages);
	}
	for (uint32_t i = 0; i < wd.w->refusals; i++) {
		if (wd.w->refusal[i].open & 1u << t)
			set_drop(&wd.w->refusal[i].stayed, pfn, pages);
	}
}

/* Somebody was given these pages. */
static void world_got(unsigned int t, uint64_t pfn, uint64_t pages)
{
	if (pfn >= WORLD_FRAMES || pages > WORLD_FRAMES - pfn) {
		explore_fail("pages %llu and on are no memory", (unsigned long long)pfn);
		return;
	}
	for (uint64_t i = pfn; i < pfn + pages; i++) {
		if (set_has(&wd.w->held, i))
			explore_fail("page %llu was given out twice", (unsigned long long)i);
	}
	set_add(&wd.w->held, pfn, pages);
	world_not_free(t, pfn, pages);
}

static void world_freeing(struct world_call *c, uint64_t pfn, uint64_t pages)
{
	set_drop(&wd.w->held, pfn, pages);
	set_add(&c->freeing, pfn, pages);
}

static void world_begin(unsigned int t)
{
	struct world_call *c = &wd.w->call[t];
	const struct world_op *op = c->op;
	struct world_slot *s = &wd.w->slot[op->slot];
	struct world_piece part;

	c->soon = false;
	c->open = true;
	c->quiet = WORLD_QUIET;
	switch (op->kind) {
	case WORLD_ALLOC:
		c->stayed = wd.w->unheld;
		break;
	case WORLD_AGAIN:
	case WORLD_FREE:
		for (uint32_t i = 0; i < s->pieces && !s->gone; i++)
			world_freeing(c, s->piece[i].pfn, s->piece[i].pages);
		s->gone = op->kind == WORLD_AGAIN;
		break;
	case WORLD_PART:
		part = s->piece[0];
		world_freeing(c, part.pfn + op->n, op->last);
		break;
	case WORLD_ADD:
		world_freeing(c, op->first, op->last - op->first + 1);
		break;
	default:
		break;
	}
}

static void world_end(unsigned int t)
{
	struct world *w = wd.w;
	struct world_call *c = &w->call[t];

	if (c->soon)
		world_begin(t);
	c->open = false;
	memset(&c->stayed, 0, sizeof(c->stayed));
	for (unsigned int i = 0; i < WORLD_WORDS; i++)
		w->unheld.bit[i] |= c->freeing.bit[i];
	memset(&c->freeing, 0, sizeof(c->freeing));
	for (uint32_t i = 0; i < w->refusals;) {
		struct world_refusal *r = &w->refusal[i];

		r->open &= (uint8_t)~(1u << t);
		if (r->open) {
			i++;
			continue;
		}
		world_judge(r);
		*r = w->refusal[--w->refusals];
		memset(&w->refusal[w->refusals], 0, sizeof(*r));
	}
}

/* Nobody is in the middle of a split, a merge or a mark. */
static bool world_is_quiet(void)
{
	for (unsigned int i = 0; i < PAGE_SETTLES; i++) {
		if ((uint32_t)wd.m->pages->settle[i].count)
			return false;
	}
	return true;
}

static void world_refused(unsigned int t, const struct world_op *op)
{
	struct world *w = wd.w;
	struct world_refusal *r;

	if (w->call[t].quiet < WORLD_QUIET || !world_is_quiet())
		return;
	if (w->refusals == WORLD_REFUSALS) {
		explore_fail("world: too many refusals at a time");
		return;
	}
	r = &w->refusal[w->refusals++];
	r->op = op;
	r->stayed = w->call[t].stayed;
	r->open = (uint8_t)(1u << t); /* until this call has ended */
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		if (w->call[i].open)
			r->open |= (uint8_t)(1u << i);
	}
}

static void world_step(void *ctx, unsigned int t)
{
	struct world_call *c = &wd.w->call[t];

	if (c->soon)
		world_begin(t);
	if (!world_is_quiet())
		c->quiet = 0;
	else if (c->quiet < WORLD_QUIET)
		c->quiet++;
}

/* --- the steps --- */

static uint32_t world_cpu(unsigned int t)
{
	return wd.plan->no_cpu ? PZ_CPU_NONE : wd.plan->nested ? 0 : t;
}

/* The next thing that happens is a call of the allocator by @t. */
static void world_calls(unsigned int t)
{
	if (!wd.around)
		return;
	world_begin(t);
	wd.around(t, true);
}

/* The call under way has returned. */
static void world_returned(unsigned int t)
{
	if (wd.around)
		wd.around(t, false);
	if (wd.w->call[t].soon)
		world_begin(t);
}

static int world_bulk(unsigned int t, const struct world_op *op, uint32_t gfp,
		      const struct pz_limits *l, struct world_slot *s)
{
	uint64_t list[WORLD_LIST];

	memset(list, 0, sizeof(list));
	world_calls(t);
	s->pieces = pz_alloc_bulk(wd.m->pages, world_cpu(t), gfp, l, (uint32_t)op->n, list);
	world_returned(t);
	for (uint32_t i = 0; i < s->pieces; i++) {
		s->piece[i] = (struct world_piece){ list[i], 1 };
		world_got(t, list[i], 1);
	}
	s->taken = s->pieces > 0;
	return s->pieces < op->n ? -PZ_ENOMEM : 0;
}

static int world_run_of(unsigned int t, const struct world_op *op, uint32_t gfp,
			const struct pz_limits *l, struct world_slot *s)
{
	uint64_t pages = op->shape == WORLD_ORDER ? (uint64_t)1 << op->n : op->n;
	uint64_t pfn = UINT64_MAX;
	struct pz_page_req req;
	int rc;

	if (op->shape == WORLD_ORDER) {
		world_calls(t);
		rc = pz_alloc_pages(wd.m->pages, world_cpu(t), gfp, (unsigned int)op->n, l, &pfn);
	} else {
		pz_page_req_init(wd.m->pages, &req, 0, gfp, world_cpu(t));
		req.pages = pages;
		if (l)
			req.limits = *l;
		world_calls(t);
		rc = pz_page_request(wd.m->pages, &req, &pfn);
	}
	world_returned(t);
	if (rc)
		return rc;
	s->taken = true;
	s->pieces = 1;
	s->piece[0] = (struct world_piece){ pfn, pages };
	world_got(t, pfn, pages);
	if ((op->shape == WORLD_ORDER && pfn % pages) || pfn < op->first ||
	    pfn + pages - 1 > op->last)
		explore_fail("%s was given %llu", world_op_text(op), (unsigned long long)pfn);
	return 0;
}

static void world_alloc(unsigned int t, const struct world_op *op, struct world_slot *s)
{
	struct pz_limits limits = machine_limits(op->first, op->last), *l = NULL;
	uint32_t gfp = (op->movable ? PZ_GFP_MOVABLE | PZ_GFP_OWNER(wd.owner) : 0) |
		       (op->block ? PZ_GFP_BLOCK : 0) | (op->high ? PZ_GFP_HIGH : 0);
	int rc;

	if (s->taken) {
		explore_fail("world: a block is allocated that was not freed");
		return;
	}
	if (op->limited)
		l = &limits;
	s->shape = op->shape;
	if (op->shape == WORLD_SINGLES)
		rc = world_bulk(t, op, gfp, l, s);
	else
		rc = world_run_of(t, op, gfp, l, s);
	if (rc == -PZ_ENOMEM)
		world_refused(t, op);
	else if (rc && !(rc == -PZ_EBUSY && op->block) &&
		 !(rc == -PZ_ERANGE && wd.plan->machine.late.last))
		explore_fail("%s: error %d", world_op_text(op), rc);
}

static void world_give_back(uint32_t cpu, const struct world_slot *s)
{
	uint64_t list[WORLD_LIST];

	if (s->shape == WORLD_ORDER) {
		pz_free_pages(wd.m->pages, cpu, s->piece[0].pfn,
			      (unsigned int)__builtin_ctzll(s->piece[0].pages));
		return;
	}
	for (uint32_t i = 0; i < s->pieces; i++) {
		list[i] = s->piece[i].pfn;
		if (s->shape == WORLD_EXACT)
			pz_free_exact(wd.m->pages, cpu, s->piece[i].pfn, s->piece[i].pages);
	}
	if (s->shape == WORLD_SINGLES)
		pz_free_bulk(wd.m->pages, cpu, s->pieces, list);
}

static void world_free(unsigned int t, const struct world_op *op, struct world_slot *s)
{
	struct world_call *call = wd.w->call;
	struct world_slot old = *s;

	if (op->kind == WORLD_AGAIN)
		s->again++;
	s->taken = false;
	world_calls(t);
	world_give_back(world_cpu(t), &old);
	world_returned(t);
	if (op->kind != WORLD_AGAIN || !--s->again)
		return;
	/* Who was told off cannot know whether the other has got it done: that one's end counts. */
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		if (i == t || !call[i].op || call[i].op->kind != WORLD_AGAIN ||
		    !(call[i].open || call[i].soon))
			continue;
		for (unsigned int k = 0; k < WORLD_WORDS; k++)
			call[i].freeing.bit[k] |= call[t].freeing.bit[k];
		memset(&call[t].freeing, 0, sizeof(call[t].freeing));
	}
}

/* Afterwards the slot has what lies before, and what lies behind. */
static void world_part(unsigned int t, const struct world_op *op, struct world_slot *s)
{
	struct world_piece all = s->piece[0];
	uint64_t behind = op->n + op->last;
	int rc;

	world_calls(t);
	rc = pz_free_part(wd.m->pages, world_cpu(t), all.pfn + op->n, op->last);
	world_returned(t);
	if (rc || s->pieces != 1 || behind > all.pages) {
		explore_fail("pz_free_part: error %d", rc);
		return;
	}
	s->shape = WORLD_EXACT;
	s->pieces = 0;
	if (op->n)
		s->piece[s->pieces++] = (struct world_piece){ all.pfn, op->n };
	if (behind < all.pages)
		s->piece[s->pieces++] =
			(struct world_piece){ all.pfn + behind, all.pages - behind };
	s->taken = s->pieces > 0;
}

/* The pages of an evacuation that gave up were not free meanwhile, and are again. */
static void world_unwanted(unsigned int t, uint64_t first, uint64_t last)
{
	struct world_set was = wd.w->unheld, freeing = wd.w->call[t].freeing;

	world_not_free(t, first, last - first + 1);
	wd.w->call[t].freeing = freeing;
	for (uint64_t i = first; i <= last; i++) {
		if (set_has(&was, i))
			set_add(&wd.w->unheld, i, 1);
	}
}

static void world_evacuate(unsigned int t, const struct world_op *op, struct world_slot *s)
{
	uint64_t pages = op->last - op->first + 1;
	int rc;

	world_calls(t);
	rc = pz_evacuate(wd.m->pages, world_cpu(t), (struct pz_range){ op->first, op->last });
	world_returned(t);
	if (!rc) {
		s->taken = true;
		s->shape = WORLD_EXACT;
		s->pieces = 1;
		s->piece[0] = (struct world_piece){ op->first, pages };
		world_got(t, op->first, pages);
	} else if (rc != -PZ_EBUSY && rc != -PZ_ENOMEM) {
		explore_fail("pz_evacuate: error %d", rc);
	} else {
		world_unwanted(t, op->first, op->last);
	}
}

/* The owner of all movable pages. It is called by the thread that runs. */
static enum pz_migrate world_migrate(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	unsigned int t = explore_running();
	struct world *w = wd.w;

	for (unsigned int i = 0; i < 26; i++) {
		struct world_slot *s = &w->slot[i];

		if (!s->taken || s->shape != WORLD_ORDER || s->piece[0].pfn != from)
			continue;
		if (s->piece[0].pages != (uint64_t)1 << order)
			explore_fail("asked to move order %u at %llu, of a block of %llu", order,
				     (unsigned long long)from,
				     (unsigned long long)s->piece[0].pages);
		world_got(t, to, s->piece[0].pages);
		world_freeing(&w->call[t], from, s->piece[0].pages);
		s->piece[0].pfn = to;
		return PZ_MIGRATE_YES;
	}
	return PZ_MIGRATE_LATER;
}

static void world_add(unsigned int t, const struct world_op *op)
{
	struct pz_range r = { op->first, op->last };
	int rc;

	world_calls(t);
	rc = pz_pages_add(wd.m->pages, r);
	world_returned(t);
	if (rc) {
		explore_fail("pz_pages_add: error %d", rc);
		return;
	}
	wd.w->managed += op->last - op->first + 1;
}

static void world_split(unsigned int t, struct world_slot *s)
{
	struct world_piece all = s->piece[0];
	int rc;

	world_calls(t);
	rc = pz_split_pages(wd.m->pages, all.pfn, (unsigned int)__builtin_ctzll(all.pages));
	world_returned(t);
	if (rc || all.pages > WORLD_LIST) {
		explore_fail("pz_split_pages: error %d", rc);
		return;
	}
	for (uint32_t i = 0; i < all.pages; i++)
		s->piece[i] = (struct world_piece){ all.pfn + i, 1 };
	s->pieces = (uint32_t)all.pages;
	s->shape = WORLD_SINGLES;
}

static void world_do(unsigned int t, const struct world_op *op)
{
	struct world_slot *s = &wd.w->slot[op->slot];
	struct world_call *c = &wd.w->call[t];

	if (op->kind == WORLD_FREE || op->kind == WORLD_PART || op->kind == WORLD_SPLIT) {
		if (!s->taken)
			return;
	}
	c->op = op;
	c->soon = true;
	switch (op->kind) {
	case WORLD_ALLOC:
		world_alloc(t, op, s);
		break;
	case WORLD_FREE:
	case WORLD_AGAIN:
		world_free(t, op, s);
		break;
	case WORLD_PART:
		world_part(t, op, s);
		break;
	case WORLD_SPLIT:
		world_split(t, s);
		break;
	case WORLD_EVACUATE:
		world_evacuate(t, op, s);
		break;
	case WORLD_ADD:
		world_add(t, op);
		break;
	case WORLD_DRAIN:
		world_calls(t);
		pz_page_drain(wd.m->pages, (uint32_t)op->n);
		world_returned(t);
		break;
	}
	world_end(t);
}

void world_thread(unsigned int t)
{
	for (unsigned int i = 0; i < wd.ops[t]; i++)
		world_do(t, &wd.op[t][i]);
}

static void world_body(void *ctx, unsigned int t)
{
	world_thread(t);
}

/* --- the end --- */

static void world_check(const char *when)
{
	uint64_t held = set_count(&wd.w->held), free_now = machine_free(wd.m);
	struct pz_page_info info;
	int rc = pz_pages_check(wd.m->pages);

	if (rc)
		explore_fail("%s: pz_pages_check() says %d", when, rc);
	if (free_now + held != wd.w->managed)
		explore_fail("%s: %llu free by state, %llu held, %llu managed", when,
			     (unsigned long long)free_now, (unsigned long long)held,
			     (unsigned long long)wd.w->managed);
	if (pz_page_free_count(wd.m->pages, UINT32_MAX) + held + machine_held(wd.m) !=
	    wd.w->managed)
		explore_fail("%s: %llu free by count, %llu held, %llu in caches, %llu managed",
			     when,
			     (unsigned long long)pz_page_free_count(wd.m->pages, UINT32_MAX),
			     (unsigned long long)held, (unsigned long long)machine_held(wd.m),
			     (unsigned long long)wd.w->managed);
	for (uint64_t i = 0; i < wd.plan->machine.frames; i++) {
		bool taken;

		pz_page_info(wd.m->pages, i, &info);
		taken = info.state == PZ_PAGE_HEAD || info.state == PZ_PAGE_TAIL;
		if (taken != set_has(&wd.w->held, i))
			explore_fail("%s: page %llu is in state %d, and %s", when,
				     (unsigned long long)i, (int)info.state,
				     taken ? "nobody has it" : "somebody has it");
	}
}

/* The longest run of managed pages. */
static struct pz_range world_longest(void)
{
	struct pz_range best = { 1, 0 };
	struct pz_page_info info;
	uint64_t run = 0;

	for (uint64_t i = 0; i < wd.plan->machine.frames; i++) {
		pz_page_info(wd.m->pages, i, &info);
		run = info.state != PZ_PAGE_NONE ? run + 1 : 0;
		if (run > best.last + 1 - best.first)
			best = (struct pz_range){ i + 1 - run, i };
	}
	return best;
}

static void world_all_again(void)
{
	struct pz_range r = world_longest();
	uint64_t pages = r.last - r.first + 1, pfn = 0;
	unsigned int order = 63u - (unsigned int)__builtin_clzll(pages);
	struct pz_page_req req;
	int rc;

	pz_page_req_init(wd.m->pages, &req, 0, 0, PZ_CPU_NONE);
	req.pages = pages;
	rc = pz_page_request(wd.m->pages, &req, &pfn);
	if (rc || pfn != r.first)
		explore_fail("all is free, and %llu pages in a row are not there: %d",
			     (unsigned long long)pages, rc);
	else
		pz_free_exact(wd.m->pages, PZ_CPU_NONE, pfn, pages);
	if (order > PZ_PAGE_MAX_ORDER || r.first % ((uint64_t)1 << order))
		return;
	rc = pz_alloc_pages(wd.m->pages, PZ_CPU_NONE, 0, order, NULL, &pfn);
	if (rc)
		explore_fail("all is free, and order %u is not there: %d", order, rc);
	else
		pz_free_pages(wd.m->pages, PZ_CPU_NONE, pfn, order);
}

void world_finish(void)
{
	struct world *w = wd.w;

	if (w->refusals)
		explore_fail("world: a refusal is not judged");
	world_check("in the end");
	if (wd.m->bugs.count != wd.plan->misuses)
		explore_fail("%llu misuses were told, not %u",
			     (unsigned long long)wd.m->bugs.count, wd.plan->misuses);
	for (unsigned int i = 0; i < 26; i++) {
		struct world_slot *s = &w->slot[i];

		if (!s->taken)
			continue;
		world_give_back(PZ_CPU_NONE, s);
		for (uint32_t k = 0; k < s->pieces; k++) {
			set_drop(&w->held, s->piece[k].pfn, s->piece[k].pages);
			set_add(&w->unheld, s->piece[k].pfn, s->piece[k].pages);
		}
	}
	world_check("all freed");
	pz_page_drain(wd.m->pages, PZ_CPU_NONE);
	world_all_again();
	world_check("all taken and freed");
	if (wd.m->bugs.count != wd.plan->misuses)
		explore_fail("freeing what was held is told as a misuse");
}

static void world_end_of_run(void *ctx)
{
	world_finish();
}

struct machine *world_open(const struct world_plan *plan,
			   void (*around)(unsigned int t, bool before))
{
	const char *why;

	memset(&wd, 0, sizeof(wd));
	wd.plan = plan;
	wd.m = machine_make(&plan->machine, sizeof(struct world),
			    plan->machine.late.last ? 65536 : 4096);
	wd.w = machine_extra(wd.m);
	for (uint64_t i = 0; i < plan->machine.frames; i++) {
		struct pz_page_info info;

		pz_page_info(wd.m->pages, i, &info);
		if (info.state == PZ_PAGE_FREE)
			set_add(&wd.w->unheld, i, 1);
	}
	wd.w->managed = set_count(&wd.w->unheld);
	wd.m->owner.name = "explorer";
	wd.m->owner.migrate = world_migrate;
	for (unsigned int t = 0; t < EXPLORE_THREADS && plan->thread[t]; t++)
		wd.ops[t] = world_parse(plan->thread[t], plan->machine.frames, wd.op[t]);
	wd.ops[EXPLORE_THREADS] =
		world_parse(plan->before, plan->machine.frames, wd.op[EXPLORE_THREADS]);
	if (pz_page_owner_add(wd.m->pages, &wd.m->owner, &wd.owner))
		explore_fail("no owner of movable pages");
	for (unsigned int i = 0; i < wd.ops[EXPLORE_THREADS]; i++)
		world_do(0, &wd.op[EXPLORE_THREADS][i]);
	why = explore_failure();
	if (why) {
		fprintf(stderr, "world: %s: %s: %s\n", plan->name, plan->before, why);
		exit(2);
	}
	wd.around = around;
	return wd.m;
}

void world_close(void)
{
	machine_drop(wd.m);
}

void world_run(const struct world_plan *plan)
{
	struct explore_plan how = { plan->bound < WORLD_BOUND ? plan->bound : WORLD_BOUND,
				    !plan->bounded_only, false, 0 };
	struct explore e;

	memset(&e, 0, sizeof(e));
	e.state = world_open(plan, NULL);
	e.size = wd.m->size;
	e.body = world_body;
	e.step = world_step;
	e.end = world_end_of_run;
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.may_wait = plan->may_wait;
	e.max_runs = plan->max_runs;
	e.max_runs_all = WORLD_RUNS_ALL;
	explore_tap(plan->name, &e, &how);
	world_close();
}
