/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - a stream run under one policy, with the account of what came of it.
 *
 * Invariants, verified when the run ends: 1. all that was given is free again; 2. the allocator's
 * own invariants hold, and it saw no misuse; 3. the pages that are free below each limit, counted
 * here from what was given and moved, are as many as at the beginning.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../progress.h"
#include "pfn_map.h"
#include "policy.h"

#define RUN_NONE UINT32_MAX

/* A block or run that a request was given; movable ones may have several. */
struct run_piece {
	struct policy_block b;
	uint32_t next; /* of the same request, or of those that are not in use */
};

struct run {
	struct compare_run *r;
	const struct compare_machine *m;
	const struct stream *s;
	struct policy p;
	VEC(struct run_piece) piece;
	uint32_t unused;	/* first piece that is not in use */
	uint32_t *first;	/* by request, its first piece */
	struct pfn_map movable; /* by page frame, the piece that begins there */
	VEC(uint64_t) free;	/* by class, pages that are free within its limit */
	VEC(uint64_t) managed;	/* by class, pages within its limit */
	uint64_t free_low, used, asked;
};

const char *compare_policy_name(enum compare_policy p)
{
	static const char *const names[COMPARE_POLICIES] = { "zones", "limited", "cma",
							     "physzone" };

	return (unsigned int)p < COMPARE_POLICIES ? names[p] : "?";
}

const char *compare_why_name(enum compare_why w)
{
	static const char *const names[COMPARE_WHYS] = { "never",     "missed", "wait",
							 "watermark", "short",	"full" };

	return (unsigned int)w < COMPARE_WHYS ? names[w] : "?";
}

/* Pages of a run that lie at or below an address. */
static uint64_t run_below(const struct run *x, uint64_t limit, uint64_t pfn, uint64_t pages)
{
	uint64_t end = limit == PZ_ADDR_MAX ? UINT64_MAX : (limit + 1) >> x->m->page_shift;

	if (pfn >= end)
		return 0;
	return pages < end - pfn ? pages : end - pfn;
}

/* Pages are taken, or given back. */
static void run_account(struct run *x, uint64_t pfn, uint64_t pages, bool taken)
{
	uint64_t low = run_below(x, x->r->watched, pfn, pages);

	x->free_low += taken ? -low : low;
	for (size_t i = 0; i < x->s->classes.n; i++) {
		uint64_t n = run_below(x, policy_limit(&x->p, &x->s->classes.v[i]), pfn, pages);

		x->free.v[i] += taken ? -n : n;
	}
}

static enum pz_migrate run_move(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	struct run *x = ctx;
	struct policy_block *b;
	uint32_t id;

	if (!pfn_map_get(&x->movable, from, &id))
		return PZ_MIGRATE_NO;
	b = &x->piece.v[id].b;
	if (b->pages != UINT64_C(1) << order)
		return PZ_MIGRATE_NO;
	pfn_map_remove(&x->movable, from);
	pfn_map_set(&x->movable, to, id);
	b->pfn = to;
	run_account(x, to, b->pages, true);
	run_account(x, from, b->pages, false);
	x->r->moved += b->pages;
	x->r->moves++;
	return PZ_MIGRATE_YES;
}

static void run_add(struct run *x, uint32_t id, const struct policy_block *b, bool movable)
{
	uint32_t at = x->unused;

	if (at == RUN_NONE) {
		(void)vec_push(&x->piece);
		at = (uint32_t)(x->piece.n - 1);
	} else {
		x->unused = x->piece.v[at].next;
	}
	x->piece.v[at].b = *b;
	x->piece.v[at].next = x->first[id];
	x->first[id] = at;
	if (movable)
		pfn_map_set(&x->movable, b->pfn, at);
	run_account(x, b->pfn, b->pages, true);
	x->used += b->pages;
}

/* All that a request has. */
static void run_drop(struct run *x, uint32_t id)
{
	bool movable = x->s->classes.v[x->s->requests.v[id].class].movable;

	while (x->first[id] != RUN_NONE) {
		uint32_t at = x->first[id];
		struct run_piece *piece = &x->piece.v[at];

		x->first[id] = piece->next;
		piece->next = x->unused;
		x->unused = at;
		if (movable)
			pfn_map_remove(&x->movable, piece->b.pfn);
		policy_give_back(&x->p, &piece->b);
		run_account(x, piece->b.pfn, piece->b.pages, false);
		x->used -= piece->b.pages;
	}
}

/*
 * Ask for a request. Movable pages are taken in smaller blocks where there is no large one, down to
 * single pages, as the memory of programs is.
 */
static int run_take(struct run *x, uint32_t id, bool *missed, bool *waits)
{
	const struct stream_class *c = &x->s->classes.v[x->s->requests.v[id].class];
	struct stream_request part = x->s->requests.v[id];
	uint64_t left = part.pages;

	while (left) {
		struct policy_block b;
		int rc = policy_ask(&x->p, c, &part, &b, missed, waits);

		if (!rc) {
			run_add(x, id, &b, c->movable);
			left -= part.pages;
		} else if (c->movable && part.pages > 1) {
			part.pages /= 2;
		} else {
			run_drop(x, id);
			return rc;
		}
	}
	return 0;
}

/* Which of the reasons it was; @rc is the allocator's word. */
static enum compare_why run_why(const struct run *x, uint32_t class, uint64_t pages, int rc,
				bool missed, bool waits)
{
	const struct stream_class *c = &x->s->classes.v[class];

	if (rc == -PZ_ERANGE || x->managed.v[class] < pages)
		return COMPARE_NEVER;
	if (waits)
		return COMPARE_WAIT;
	if (x->free.v[class] < pages)
		return COMPARE_FULL;
	if (missed)
		return COMPARE_MISSED;
	return policy_usable(&x->p, c, x->free.v[class]) >= pages ? COMPARE_SHORT : COMPARE_MARKS;
}

static void run_ask(struct run *x, uint32_t id)
{
	const struct stream_request *q = &x->s->requests.v[id];
	struct compare_count *n = &x->r->count.v[q->class];
	bool missed, waits;
	int rc = run_take(x, id, &missed, &waits);

	n->asked++;
	n->atomic_asked += q->atomic;
	n->pages_asked += q->pages;
	if (rc) {
		uint64_t idle = x->free.v[q->class];

		n->why[run_why(x, q->class, q->pages, rc, missed, waits)]++;
		n->idle += idle;
		n->idle_most = idle > n->idle_most ? idle : n->idle_most;
		x->r->failed++;
		return;
	}
	n->served++;
	n->atomic_served += q->atomic;
	n->pages_served += q->pages;
	x->r->served++;
	x->asked += q->pages;
	x->r->most = x->used > x->r->most ? x->used : x->r->most;
	x->r->asked_most = x->asked > x->r->asked_most ? x->asked : x->r->asked_most;
}

static void run_give_back(struct run *x, uint32_t id)
{
	if (x->first[id] == RUN_NONE)
		return;
	run_drop(x, id);
	x->asked -= x->s->requests.v[id].pages;
}

static void run_sample(struct run *x)
{
	struct compare_sample *to = vec_push(&x->r->samples);

	to->low = x->free_low;
	to->failed = x->r->failed;
	to->moved = x->r->moved;
	for (size_t i = 0; i < x->s->classes.n; i++) {
		const struct stream_class *c = &x->s->classes.v[i];
		struct compare_count *n = &x->r->count.v[i];
		uint64_t v = x->free.v[i] - policy_usable(&x->p, c, x->free.v[i]);

		n->stranded += v;
		n->stranded_most = v > n->stranded_most ? v : n->stranded_most;
		if (!c->movable && c->max_addr == PZ_ADDR_MAX)
			to->stranded = v;
	}
}

static int run_count(void *ctx, struct pz_range pfns, int nid)
{
	struct run *x = ctx;

	(void)nid;
	run_account(x, pfns.first, pfns.last - pfns.first + 1, false);
	return 0;
}

static void run_begin(struct run *x)
{
	for (size_t i = 0; i < x->s->classes.n; i++) {
		(void)vec_push(&x->r->count);
		*vec_push(&x->free) = 0;
	}
	(void)pz_memblock_hand_over(&x->m->mb, UINT64_MAX, run_count, x);
	for (size_t i = 0; i < x->s->classes.n; i++)
		*vec_push(&x->managed) = x->free.v[i];
	x->unused = RUN_NONE;
	x->first = xmalloc(x->s->requests.n * sizeof(*x->first));
	memset(x->first, 0xff, x->s->requests.n * sizeof(*x->first));
}

/* The narrowest limit of a device, and the widest that does not reach all memory. */
static void run_limits(struct run *x, uint64_t *widest)
{
	x->r->watched = PZ_ADDR_MAX;
	*widest = 0;
	for (size_t i = 0; i < x->s->classes.n; i++) {
		uint64_t max = x->s->classes.v[i].max_addr;

		if (max < x->r->watched)
			x->r->watched = max;
		if (max < x->m->ram_last && max > *widest)
			*widest = max;
	}
}

/* What must hold in the end; NULL, or what does not. */
static char *run_wrong(struct run *x, uint64_t free)
{
	uint64_t now = pz_page_free_count(x->p.pages, UINT32_MAX);
	int rc = pz_pages_check(x->p.pages);

	if (rc)
		return xasprintf("invariant %d of the allocator does not hold", rc);
	if (now != free)
		return xasprintf("%" PRIu64 " pages are free in the end, %" PRIu64 " were", now,
				 free);
	if (x->p.bugs.count)
		return xasprintf("the allocator saw %" PRIu64 " misuses", x->p.bugs.count);
	if (x->used || x->movable.n)
		return xasprintf("%" PRIu64 " pages are still in use", x->used);
	for (size_t i = 0; i < x->s->classes.n; i++)
		if (x->free.v[i] != x->managed.v[i])
			return xasprintf("the account of %s is wrong", x->s->classes.v[i].name);
	return NULL;
}

static void run_events(struct run *x)
{
	const struct stream *s = x->s;
	size_t every = s->events.n / COMPARE_SAMPLES + 1;

	for (size_t i = 0; i < s->events.n; i++) {
		uint32_t e = s->events.v[i];

		if (e & STREAM_FREE)
			run_give_back(x, e & ~STREAM_FREE);
		else
			run_ask(x, e);
		if (i % every == 0)
			run_sample(x);
		if (!(i & 0xfff))
			progress(compare_policy_name(x->p.kind), i, s->events.n);
	}
	progress_end();
}

int compare_run(struct compare_run *r, const struct compare_machine *m, const struct stream *s,
		enum compare_policy policy, const struct compare_settings *set, char **err)
{
	struct run x = { .r = r, .m = m, .s = s };
	struct pz_page_owner owner = { "movable", run_move, &x };
	uint64_t widest, free_pages;
	int rc;

	memset(r, 0, sizeof(*r));
	r->policy = policy;
	run_limits(&x, &widest);
	rc = policy_make(&x.p, m, policy, set, widest, &owner, err);
	if (!rc) {
		char *wrong;

		run_begin(&x);
		r->how = policy_layout(&x.p);
		r->kept = x.p.kept;
		free_pages = pz_page_free_count(x.p.pages, UINT32_MAX);
		run_events(&x);
		wrong = run_wrong(&x, free_pages);
		if (wrong) {
			*err = xasprintf("policy %s: %s", compare_policy_name(policy), wrong);
			rc = EXIT_UNDECIDED;
		}
		free(wrong);
	}
	policy_destroy(&x.p);
	vec_free(&x.piece);
	free(x.first);
	pfn_map_destroy(&x.movable);
	vec_free(&x.free);
	vec_free(&x.managed);
	return rc;
}

void compare_run_destroy(struct compare_run *r)
{
	vec_free(&r->count);
	vec_free(&r->samples);
	free(r->how);
	r->how = NULL;
}
