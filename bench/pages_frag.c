/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages_frag.c - what is left in large blocks after a mixed load at 80 % full.
 *
 * The mix, by allocations: 45 % movable, 45 % short-lived (reclaimable; each is freed after 4096
 * more of them), 10 % unmovable. Orders 0 to 4 in shares of 50, 20, 15, 10 and 5 %. When an
 * allocation would exceed the level, blocks chosen at random among all movable and unmovable ones
 * are freed first: so unmovable ones live as long as movable ones, and long beside short-lived
 * ones. Steady: memory is filled to 80 % and four times the memory is then allocated at that level.
 * Peak: the same at 95 %, then random blocks are freed down to 80 %, then the same again at 80 %:
 * holes of the peak lie all over memory. Nothing is moved, but for the last column: there blocks of
 * order 9 are asked for until none is to be had, and movable ones make way.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/contig.h>

#include "pages.h"

#define SHORT_LIVED 4096u
#define FULL_PERCENT 80u
#define PEAK_PERCENT 95u
#define TURNS 4u

enum frag_kind { FRAG_MOVABLE, FRAG_SHORT, FRAG_UNMOVABLE };

struct held {
	uint32_t pfn;
	uint8_t order, kind;
};

struct frag {
	struct pz_pages *pages;
	struct buddy *buddy;
	bool mobility;
	struct held *v; /* movable and unmovable */
	uint32_t count;
	uint32_t *where; /* place in v of the block at each page frame, while blocks are moved */
	uint8_t owner;	 /* of movable pages */
	struct held brief[SHORT_LIVED];
	uint32_t next;
	uint64_t used;	 /* pages */
	uint64_t failed; /* allocations that were not served */
	uint64_t moved;	 /* pages */
	uint64_t seed;
};

static bool frag_alloc(struct frag *f, struct held *h)
{
	static const uint32_t gfp[] = { PZ_GFP_MOVABLE, PZ_GFP_RECLAIMABLE, 0 };
	static const unsigned int mobility[] = { PZ_MOVABLE, PZ_RECLAIMABLE, PZ_UNMOVABLE };
	uint64_t pfn;

	if (f->buddy) {
		if (!buddy_alloc(f->buddy, 0, h->order,
				 f->mobility ? mobility[h->kind] : PZ_MOVABLE, 0, &pfn))
			return false;
	} else {
		uint32_t flags = f->mobility ? gfp[h->kind] : 0;

		if (flags & PZ_GFP_MOVABLE)
			flags |= PZ_GFP_OWNER(f->owner);
		if (pz_alloc_pages(f->pages, 0, flags, h->order, NULL, &pfn))
			return false;
	}
	h->pfn = (uint32_t)pfn;
	f->used += (uint64_t)1 << h->order;
	return true;
}

static void frag_free(struct frag *f, const struct held *h)
{
	f->used -= (uint64_t)1 << h->order;
	if (f->buddy)
		buddy_free(f->buddy, 0, h->pfn, h->order);
	else
		pz_free_pages(f->pages, 0, h->pfn, h->order);
}

static void frag_draw(struct frag *f, struct held *h)
{
	static const uint8_t orders[20] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					    1, 1, 1, 1, 2, 2, 2, 3, 3, 4 };
	uint32_t kind = bench_below(&f->seed, 100);

	h->order = orders[bench_below(&f->seed, 20)];
	h->kind = kind < 45 ? FRAG_MOVABLE : kind < 90 ? FRAG_SHORT : FRAG_UNMOVABLE;
}

/* Free blocks at random until no more than @most pages are taken. */
static void frag_shrink(struct frag *f, uint64_t most)
{
	while (f->used > most && f->count) {
		struct held *old = &f->v[bench_below(&f->seed, f->count)];

		frag_free(f, old);
		*old = f->v[--f->count];
	}
}

/* Allocate @pages in all by the mix, with at most @most taken at any time. */
static void frag_turn(struct frag *f, uint64_t pages, uint64_t most)
{
	for (uint64_t turned = 0; turned < pages;) {
		struct held h, *old;

		frag_draw(f, &h);
		turned += (uint64_t)1 << h.order;
		frag_shrink(f, most - ((uint64_t)1 << h.order));
		if (h.kind == FRAG_SHORT) {
			old = &f->brief[f->next++ % SHORT_LIVED];
			if (f->next > SHORT_LIVED && old->order != UINT8_MAX)
				frag_free(f, old);
			if (!frag_alloc(f, &h)) {
				h.order = UINT8_MAX;
				f->failed++;
			}
			*old = h;
		} else if (frag_alloc(f, &h)) {
			f->v[f->count++] = h;
		} else {
			f->failed++;
		}
	}
}

static void frag_churn(struct frag *f, uint64_t managed, bool peak)
{
	/* Of what is allocated, about half is short-lived and takes no room for long. */
	uint64_t turn = (TURNS + 2) * managed, most = managed * FULL_PERCENT / 100;

	if (peak) {
		frag_turn(f, turn, managed * PEAK_PERCENT / 100);
		frag_shrink(f, most);
	}
	frag_turn(f, turn, most);
}

/* Percent of the free pages that lie in free blocks of at least an order. */
static double frag_share(const struct frag *f, unsigned int order)
{
	static struct pz_area_stat s;
	uint64_t all = 0, large = 0;

	if (f->buddy) {
		all = buddy_free_pages(f->buddy, 0);
		large = buddy_free_pages(f->buddy, order);
	}
	for (uint32_t a = 0; !f->buddy && a < pz_page_areas(f->pages); a++) {
		pz_page_area_stat(f->pages, a, PZ_PAGE_MAX_ORDER, &s);
		all += s.free;
		for (unsigned int o = order; o <= PZ_PAGE_MAX_ORDER; o++)
			for (unsigned int k = 0; k < PZ_MOBILITIES; k++)
				large += s.order[o][k] << o;
	}
	return all ? 100 * (double)large / (double)all : 0;
}

static enum pz_migrate frag_migrate(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	struct frag *f = ctx;

	(void)order;
	f->where[to] = f->where[from];
	f->v[f->where[to]].pfn = (uint32_t)to;
	f->moved += (uint64_t)1 << order;
	return PZ_MIGRATE_YES;
}

/* Percent of the free pages that can be had in blocks of order 9, and pages moved for each of
 * these. */
static double frag_by_moving(struct frag *f, uint64_t frames, double *moves)
{
	uint64_t free = 0, got = 0, pfn;
	static struct pz_area_stat s;

	f->where = malloc(frames * sizeof(*f->where));
	if (!f->where)
		return NAN;
	for (uint32_t i = 0; i < f->count; i++)
		f->where[f->v[i].pfn] = i;
	for (uint32_t a = 0; a < pz_page_areas(f->pages); a++) {
		pz_page_area_stat(f->pages, a, PZ_PAGE_MAX_ORDER, &s);
		free += s.free;
	}
	while (!pz_alloc_pages(f->pages, 0, PZ_GFP_BLOCK | PZ_GFP_NOKEEP, 9, NULL, &pfn))
		got += 512;
	*moves = got ? (double)f->moved / (double)got : 0;
	return free ? 100 * (double)got / (double)free : 0;
}

static double frag_row(struct bench_table *t, const char *what, enum contender c, bool mobility,
		       bool peak)
{
	static struct frag f;
	struct machine_opts o = { .bytes = 8 * GIB, .no_grouping = !mobility };
	static const struct pz_page_owner owner = { "frag", frag_migrate, &f };
	double share = NAN, moves = 0;
	struct machine m;

	if (bench_opts.quick)
		o.bytes = 2 * GIB;
	memset(&f, 0, sizeof(f));
	if (c == C_ZONELIST)
		o.policy = PZ_POLICY_ZONELIST;
	if (!machine_make(&m, &o))
		return NAN;
	f.pages = m.pages;
	if (c != C_BUDDY && mobility && pz_page_owner_add(m.pages, &owner, &f.owner)) {
		machine_free(&m);
		return NAN;
	}
	f.mobility = mobility;
	f.seed = 99;
	f.v = malloc(m.managed * sizeof(*f.v));
	if (c == C_BUDDY)
		f.buddy = buddy_make(&m, false);
	if (f.v && (c != C_BUDDY || f.buddy)) {
		frag_churn(&f, m.managed, peak);
		share = frag_share(&f, 9);
		bench_row(t, "%s, %s", what, peak ? "peak" : "steady");
		bench_set(t, 0, share);
		bench_set(t, 1, frag_share(&f, 6));
		bench_set(t, 2, frag_share(&f, 4));
		bench_set(t, 3, (double)f.failed);
		if (f.owner) {
			bench_set(t, 4, frag_by_moving(&f, (o.bytes + GIB) / PAGE_BYTES, &moves));
			bench_set(t, 5, moves);
		}
		bench_run(t);
	}
	free(f.where);
	free(f.v);
	buddy_free_all(f.buddy);
	machine_free(&m);
	return share;
}

void pages_frag(void)
{
	static const char *const cols[] = { "order 9+",	 "order 6+",	 "order 4+", "not served",
					    "by moving", "moves a page", NULL };
	struct bench_table *t;
	double share = NAN;

	t = bench_table("frag", "free memory in large blocks after mixed churn at 80 % full", "%",
			cols, false);
	for (unsigned int peak = 0; peak < 2; peak++) {
		double mine = frag_row(t, "mobility", C_PAGES, true, peak);

		share = peak ? share : mine;
		frag_row(t, "zonelist", C_ZONELIST, true, peak);
		frag_row(t, "no mobility", C_PAGES, false, peak);
		frag_row(t, "buddy", C_BUDDY, true, peak);
		frag_row(t, "buddy, no mob.", C_BUDDY, false, peak);
	}
	bench_remark("allocations: 45 %% movable, 45 %% short-lived, 10 %% unmovable that live as");
	bench_remark("long as the movable ones; orders 0 to 4 in shares of 50, 20, 15, 10, 5 %%");
	bench_remark("by moving: what blocks of order 9 get when movable pages make way; moves for "
		     "each page");
	bench_remark("steady: never above 80 %%; peak: at 95 %% first, then freed at random");
	bench_target("frag", share, 60, false, "%",
		     "free memory in free blocks of order 9, steady");
	bench_table_end(t);
}
