/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_reach.c - reach sets against a table that says for each address what the device puts on the
 * bus for it.
 */
#include "prop.h"
#include "hook.h"

#include <physzone/limits.h>

#define CELLS 64u
#define OPS 12u

struct world {
	struct pz_reach set;
	uint64_t base; /* physical address of cell 0 */
	bool seen[CELLS];
	uint64_t bus[CELLS];
	struct hook h;
};

static uint64_t draw_bus(struct prop *p)
{
	switch (prop_choice(p, 3)) {
	case 0:
		return prop_draw(p, 100);
	case 1:
		return 64 * prop_draw(p, 2);
	default:
		return UINT64_MAX - prop_draw(p, 100);
	}
}

static void draw_cells(struct prop *p, unsigned int *lo, unsigned int *hi)
{
	uint64_t a = prop_draw(p, CELLS - 1), b = prop_draw(p, CELLS - 1);

	*lo = (unsigned int)(a < b ? a : b);
	*hi = (unsigned int)(a < b ? b : a);
}

static int add_window(struct prop *p, struct world *w)
{
	unsigned int lo, hi;
	uint64_t bus = draw_bus(p);
	struct pz_range r;
	int rc, want = 0;

	draw_cells(p, &lo, &hi);
	r.first = w->base + lo;
	r.last = w->base + hi;
	/* One translation for all, so that windows merge; or one that wraps in the middle. */
	switch (prop_choice(p, 4)) {
	case 2:
		bus = 1000 + lo;
		break;
	case 3:
		bus = (uint64_t)lo - CELLS / 2;
		break;
	default:
		break;
	}
	if (bus + (hi - lo) < bus)
		want = -PZ_EOVERFLOW;
	for (unsigned int i = lo; !want && i <= hi; i++) {
		if (w->seen[i] && w->bus[i] != bus + (i - lo))
			want = -PZ_EEXIST;
	}
	prop_note(p, "add %u-%u bus %#llx", lo, hi, (unsigned long long)bus);
	rc = pz_reach_add_window(&w->set, r, bus);
	if (want || rc)
		return want && rc == want ? 0 : rc ? rc : 1;
	for (unsigned int i = lo; i <= hi; i++) {
		w->seen[i] = true;
		w->bus[i] = bus + (i - lo);
	}
	return 0;
}

static int cut_hole(struct prop *p, struct world *w)
{
	unsigned int lo, hi;
	struct pz_range r;
	int rc;

	draw_cells(p, &lo, &hi);
	r.first = w->base + lo;
	r.last = w->base + hi;
	prop_note(p, "hole %u-%u", lo, hi);
	rc = pz_reach_cut_hole(&w->set, r);
	for (unsigned int i = lo; !rc && i <= hi; i++)
		w->seen[i] = false;
	return rc;
}

static void cut_mask(struct prop *p, struct world *w)
{
	uint64_t mask = draw_bus(p);

	if (prop_choice(p, 2))
		mask += 900;
	prop_note(p, "mask %#llx", (unsigned long long)mask);
	pz_reach_cut_mask(&w->set, mask);
	for (unsigned int i = 0; i < CELLS; i++) {
		if (w->bus[i] > mask)
			w->seen[i] = false;
	}
}

/* How many windows the table takes. */
static uint32_t pieces_of(const struct world *w)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < CELLS; i++)
		n += w->seen[i] &&
		     !(i && w->seen[i - 1] && w->bus[i] && w->bus[i] == w->bus[i - 1] + 1);
	return n;
}

/* The device sees cells lo to hi as one piece of bus. */
static bool one_piece(const struct world *w, unsigned int lo, unsigned int hi)
{
	for (unsigned int i = lo; i <= hi; i++) {
		if (!w->seen[i])
			return false;
		if (i > lo && (w->bus[i] != w->bus[i - 1] + 1 || !w->bus[i]))
			return false;
	}
	return true;
}

static bool world_agrees(struct prop *p, const struct world *w)
{
	PROP_ASSERT(p, pz_reach_check(&w->set) == 0);
	PROP_ASSERT(p, w->set.count == pieces_of(w));
	for (unsigned int i = 0; i < CELLS; i++) {
		uint64_t bus = 77;
		int rc = pz_reach_to_bus(&w->set, w->base + i, &bus);

		PROP_ASSERT(p, rc == (w->seen[i] ? 0 : -PZ_ERANGE));
		PROP_ASSERT(p, bus == (rc ? 77 : w->bus[i]));
		for (unsigned int k = i; k < CELLS; k++) {
			struct pz_range r = { w->base + i, w->base + k };

			PROP_ASSERT(p, pz_reach_has(&w->set, r) == one_piece(w, i, k));
		}
	}
	return true;
}

static bool fits_agree(struct prop *p, const struct world *w)
{
	struct pz_limits l = PZ_LIMITS_ANY;
	struct pz_range r, first = { 1, 0 }, last = { 1, 0 };
	unsigned int lo, hi, n = 1 + (unsigned int)prop_draw(p, 9);
	int rc1, rc2, best1 = -1, best2 = -1;

	draw_cells(p, &lo, &hi);
	l.min_addr = w->base + lo;
	l.max_addr = w->base + hi;
	l.align = UINT64_C(1) << prop_draw(p, 3);
	l.boundary = prop_choice(p, 2) ? UINT64_C(1) << prop_draw(p, 5) : 0;
	draw_cells(p, &lo, &hi);
	r.first = w->base + lo;
	r.last = w->base + hi;
	for (unsigned int i = lo; i + (n - 1) <= hi; i++) {
		struct pz_range at = { w->base + i, w->base + i + (n - 1) };

		if (!pz_limits_check(&l, at) || !one_piece(w, i, i + (n - 1)))
			continue;
		best2 = (int)i;
		if (best1 < 0)
			best1 = (int)i;
	}
	rc1 = pz_reach_first_fit(&w->set, &l, r, n, &first);
	rc2 = pz_reach_last_fit(&w->set, &l, r, n, &last);
	PROP_ASSERT(p, rc1 == (best1 < 0 ? -PZ_ERANGE : 0) && rc2 == rc1);
	if (rc1)
		return first.first == 1 && last.first == 1;
	PROP_ASSERT(p, first.first == w->base + (unsigned int)best1);
	PROP_ASSERT(p, last.first == w->base + (unsigned int)best2);
	PROP_ASSERT(p, first.last - first.first == n - 1 && last.last - last.first == n - 1);
	return true;
}

static bool reach_is_a_table(struct prop *p, void *ctx)
{
	struct world w;
	struct pz_window store[6], was[CELLS];
	bool fixed = prop_choice(p, 2);
	unsigned int room = (unsigned int)prop_draw(p, 6), n = (unsigned int)prop_draw(p, OPS);

	(void)ctx;
	memset(&w, 0, sizeof(w));
	w.base = prop_choice(p, 2) ? UINT64_MAX - (CELLS - 1) : 0;
	hook_init(&w.h);
	w.h.fail_at = (unsigned int)prop_draw(p, 4);
	pz_reach_init(&w.set, fixed ? NULL : &w.h.meta, store, room);
	while (n-- > 0) {
		struct pz_reach before = w.set;
		size_t live = w.h.live;
		unsigned int op = prop_choice(p, 6);
		int rc = 0;

		memcpy(was, before.v, before.count * sizeof(was[0]));
		if (op < 4)
			rc = add_window(p, &w);
		else if (op == 4)
			rc = cut_hole(p, &w);
		else
			cut_mask(p, &w);
		if (rc) {
			PROP_ASSERT(p, rc == (fixed ? -PZ_ENOSPC : -PZ_ENOMEM));
			PROP_ASSERT(p, fixed || w.h.calls >= w.h.fail_at);
			PROP_ASSERT(p, w.set.v == before.v && w.set.cap == before.cap &&
					       w.set.count == before.count && w.h.live == live);
			PROP_ASSERT(p, !memcmp(was, w.set.v, before.count * sizeof(was[0])));
		}
		PROP_ASSERT(p, world_agrees(p, &w));
		PROP_ASSERT(p, fits_agree(p, &w));
	}
	pz_reach_destroy(&w.set);
	PROP_ASSERT(p, w.h.live == 0 && !w.h.bad_free);
	return true;
}

int main(void)
{
	prop_run("a reach set is a table from addresses to bus addresses", reach_is_a_table, NULL,
		 15000);
	return prop_done();
}
