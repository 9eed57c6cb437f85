/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_range.c - ranges and range sets against bitmaps.
 *
 * A bitmap of 64 bits stands for 64 addresses, at 0 or at the end of the 64-bit space. A set made
 * of it is unique, so after each operation the set must be exactly the runs of the bitmap.
 */
#include "prop.h"
#include "hook.h"

#include <physzone/range.h>

#define CELLS 64u
#define OPS 30u
#define ROOM 40u

static uint64_t mask_of(unsigned int lo, unsigned int hi)
{
	return UINT64_MAX << lo & UINT64_MAX >> (63 - hi);
}

static bool range_exhaustive(struct prop *p, void *ctx)
{
	uint64_t base = *(const uint64_t *)ctx;

	for (unsigned int v = 0; v < 64u * 64 * 64 * 64; v++) {
		unsigned int a = v & 63, b = v >> 6 & 63, c = v >> 12 & 63, d = v >> 18;
		struct pz_range x = { base + a, base + b }, y = { base + c, base + d };
		struct pz_range out = { 1, 0 };
		uint64_t both;

		if (a > b || c > d)
			continue;
		both = mask_of(a, b) & mask_of(c, d);
		PROP_ASSERT(p, pz_range_intersect(x, y, &out) == !!both);
		if (!both)
			PROP_ASSERT(p, out.first == 1 && out.last == 0);
		else
			PROP_ASSERT(p, mask_of((unsigned int)(out.first - base),
					       (unsigned int)(out.last - base)) == both);
		PROP_ASSERT(p, pz_range_intersect(x, y, NULL) == !!both);
	}
	for (unsigned int v = 0; v < 64u * 64 * 64; v++) {
		struct pz_range r = { base + (v & 63), base + (v >> 6 & 63) };

		PROP_ASSERT(p, pz_range_valid(r) == ((v & 63) <= (v >> 6 & 63)));
		if (!pz_range_valid(r))
			continue;
		PROP_ASSERT(p, pz_range_size(r) == (v >> 6 & 63) - (v & 63) + 1);
		PROP_ASSERT(p, pz_range_contains(r, base + (v >> 12)) ==
				       (mask_of(v & 63, v >> 6 & 63) >> (v >> 12) & 1));
	}
	return true;
}

/* Trimming to pages of up to 64 bytes, by looking at every page. */
static bool trim_exhaustive(struct prop *p, void *ctx)
{
	uint64_t base = *(const uint64_t *)ctx;

	for (unsigned int shift = 0; shift <= 6; shift++) {
		for (unsigned int v = 0; v < 64u * 64; v++) {
			unsigned int lo = v & 63, hi = v >> 6;
			struct pz_range r = { base + lo, base + hi }, out = { 1, 0 };
			unsigned int page = 1u << shift, first = 64, last = 0;

			if (lo > hi)
				continue;
			for (unsigned int at = 0; at < CELLS; at += page) {
				if (at < lo || at + (page - 1) > hi)
					continue;
				last = at >> shift;
				if (first == 64)
					first = last;
			}
			PROP_ASSERT(p, pz_range_trim(r, shift, &out) == (first != 64));
			if (first == 64)
				PROP_ASSERT(p, out.first == 1 && out.last == 0);
			else
				PROP_ASSERT(p, out.first == (base >> shift) + first &&
						       out.last == (base >> shift) + last);
		}
	}
	return true;
}

static bool make_any(struct prop *p, void *ctx)
{
	uint64_t base = prop_addr(p), size = prop_addr(p), end;
	struct pz_range r = { 1, 0 };
	int rc = pz_range_make(base, size, &r);

	(void)ctx;
	if (!size) {
		PROP_ASSERT(p, rc == -PZ_EINVAL && r.first == 1);
	} else if (__builtin_add_overflow(base, size - 1, &end)) {
		PROP_ASSERT(p, rc == -PZ_EOVERFLOW && r.first == 1);
	} else {
		PROP_ASSERT(p, !rc && r.first == base && r.last == end);
		PROP_ASSERT(p, pz_range_valid(r) && pz_range_size(r) == size);
	}
	return true;
}

struct pair {
	struct pz_rangeset set;
	uint64_t bits;
	bool beyond; /* everything outside of the cells is in the set too */
};

/* The set is exactly the runs of the bitmap, and answers like it. */
static bool pair_agrees(struct prop *p, const struct pair *q, uint64_t base)
{
	const struct pz_rangeset *s = &q->set;
	uint32_t n = 0;

	PROP_ASSERT(p, pz_rangeset_check(s) == 0);
	for (unsigned int i = 0; i < CELLS; i++) {
		bool in = q->bits >> i & 1;
		struct pz_range rest = { base + i, base + (CELLS - 1) };

		PROP_ASSERT(p, pz_rangeset_contains(s, base + i) == in);
		PROP_ASSERT(p, pz_rangeset_intersects(s, rest) == !!(q->bits >> i));
		PROP_ASSERT(p, pz_rangeset_covers(s, rest) == (q->bits >> i == UINT64_MAX >> i));
		if (in && !(i && q->bits >> (i - 1) & 1))
			n++;
	}
	if (!q->beyond) {
		PROP_ASSERT(p, s->count == n);
		PROP_ASSERT(p, pz_rangeset_bytes(s) == (uint64_t)__builtin_popcountll(q->bits));
		return true;
	}
	if (base) {
		PROP_ASSERT(p, s->v[0].first == 0 && s->v[0].last >= base - 1);
		PROP_ASSERT(p, s->count == n + !(q->bits & 1));
	} else {
		PROP_ASSERT(p, s->v[s->count - 1].last == PZ_ADDR_MAX);
		PROP_ASSERT(p, s->count == n + !(q->bits >> 63));
	}
	return true;
}

/* How many ranges a set has for a bitmap. */
static uint32_t runs_of(uint64_t bits, bool beyond, uint64_t base)
{
	uint32_t n = (uint32_t)__builtin_popcountll(bits & ~(bits << 1));

	if (!beyond)
		return n;
	/* Outside lies above the cells at 0, below those at the end. */
	return n + !(base ? bits & 1 : bits >> 63);
}

/*
 * One operation. When it fails, *need says how many ranges its result would have had.
 */
static int pair_step(struct prop *p, struct pair *q, const struct pair *other, uint64_t base,
		     uint32_t *need)
{
	uint64_t a = prop_draw(p, CELLS - 1), b = prop_draw(p, CELLS - 1);
	unsigned int lo = (unsigned int)(a < b ? a : b), hi = (unsigned int)(a < b ? b : a);
	struct pz_range r = { base + lo, base + hi };
	unsigned int op = prop_choice(p, 10);
	struct pair want = *q;
	int rc;

	prop_note(p, "operation %u on cells %u-%u", op, lo, hi);
	if (op < 4) {
		rc = pz_rangeset_add(&q->set, r);
		want.bits |= mask_of(lo, hi);
	} else if (op < 7) {
		rc = pz_rangeset_remove(&q->set, r);
		want.bits &= ~mask_of(lo, hi);
	} else if (op == 7) {
		rc = pz_rangeset_complement(&q->set);
		want.bits = ~want.bits;
		want.beyond = !want.beyond;
	} else if (op == 8) {
		rc = pz_rangeset_intersect(&q->set, &other->set);
		want.bits &= other->bits;
		want.beyond = want.beyond && other->beyond;
	} else {
		rc = pz_rangeset_copy(&q->set, &other->set);
		want.bits = other->bits;
		want.beyond = other->beyond;
	}
	*need = runs_of(want.bits, want.beyond, base);
	if (!rc) {
		q->bits = want.bits;
		q->beyond = want.beyond;
	}
	return rc;
}

/*
 * Random operations on two sets. They grow from a hook that may fail at any call, or have a fixed
 * store; a step that fails must leave set and storage as they were.
 */
static bool sets_are_bitmaps(struct prop *p, void *ctx)
{
	uint64_t base = prop_choice(p, 2) ? UINT64_MAX - (CELLS - 1) : 0;
	bool fixed = prop_choice(p, 2);
	unsigned int room = (unsigned int)prop_draw(p, 6);
	struct pz_range store[2][8], was[ROOM];
	struct pair q[2];
	struct hook h;
	unsigned int n = (unsigned int)prop_draw(p, OPS);

	(void)ctx;
	hook_init(&h);
	h.fail_at = (unsigned int)prop_draw(p, 6);
	memset(q, 0, sizeof(q));
	for (unsigned int i = 0; i < 2; i++)
		pz_rangeset_init(&q[i].set, fixed ? NULL : &h.meta, store[i], room);
	while (n-- > 0) {
		unsigned int i = prop_choice(p, 2);
		struct pair before = q[i];
		size_t live = h.live;
		uint32_t need;
		int rc;

		PROP_ASSERT(p, before.set.count <= ROOM);
		memcpy(was, before.set.v, before.set.count * sizeof(was[0]));
		rc = pair_step(p, &q[i], &q[!i], base, &need);
		if (rc) {
			PROP_ASSERT(p, rc == (fixed ? -PZ_ENOSPC : -PZ_ENOMEM));
			PROP_ASSERT(p, fixed || h.calls >= h.fail_at);
			PROP_ASSERT(p, need > before.set.cap);
			PROP_ASSERT(p, q[i].set.v == before.set.v &&
					       q[i].set.cap == before.set.cap &&
					       q[i].set.count == before.set.count);
			PROP_ASSERT(p, !memcmp(was, q[i].set.v, before.set.count * sizeof(was[0])));
			PROP_ASSERT(p, h.live == live);
		}
		PROP_ASSERT(p, pair_agrees(p, &q[i], base));
		PROP_ASSERT(p, pair_agrees(p, &q[!i], base));
	}
	for (unsigned int i = 0; i < 2; i++)
		pz_rangeset_destroy(&q[i].set);
	PROP_ASSERT(p, h.live == 0 && !h.bad_free);
	return true;
}

/* A fixed store fails only when the result does not fit it. */
static bool fixed_stores_suffice(struct prop *p, void *ctx)
{
	struct pz_range store[4], with_store[4];
	struct pz_rangeset s, with, big;
	struct hook h;
	uint64_t cut[8];
	int rc;

	(void)ctx;
	hook_init(&h);
	pz_rangeset_init(&s, NULL, store, 4);
	pz_rangeset_init(&with, NULL, with_store, 4);
	pz_rangeset_init(&big, &h.meta, NULL, 0);
	for (unsigned int i = 0; i < 8; i++) {
		struct pz_range r;

		cut[i] = prop_draw(p, 50);
		r.first = cut[i];
		r.last = cut[i] + prop_draw(p, 13);
		if (i < 4)
			PROP_ASSERT(p, !pz_rangeset_add(&s, r));
		else
			PROP_ASSERT(p, !pz_rangeset_add(&with, r));
	}
	PROP_ASSERT(p, !pz_rangeset_copy(&big, &s));
	if (prop_choice(p, 2)) {
		PROP_ASSERT(p, !pz_rangeset_complement(&big));
		rc = pz_rangeset_complement(&s);
	} else {
		PROP_ASSERT(p, !pz_rangeset_intersect(&big, &with));
		rc = pz_rangeset_intersect(&s, &with);
	}
	PROP_ASSERT(p, rc == (big.count > 4 ? -PZ_ENOSPC : 0));
	PROP_ASSERT(p, pz_rangeset_check(&s) == 0);
	if (!rc)
		PROP_ASSERT(p,
			    s.count == big.count && !memcmp(s.v, big.v, s.count * sizeof(s.v[0])));
	pz_rangeset_destroy(&big);
	PROP_ASSERT(p, h.live == 0);
	return true;
}

int main(void)
{
	static uint64_t bottom = 0, top = UINT64_MAX - (CELLS - 1);

	prop_run("every two ranges at 0", range_exhaustive, &bottom, 1);
	prop_run("every two ranges at the end of the space", range_exhaustive, &top, 1);
	prop_run("every range trimmed at 0", trim_exhaustive, &bottom, 1);
	prop_run("every range trimmed at the end of the space", trim_exhaustive, &top, 1);
	prop_run("ranges from base and size", make_any, NULL, 100000);
	prop_run("sets are bitmaps, also when growing fails", sets_are_bitmaps, NULL, 20000);
	prop_run("a fixed store need hold the result only", fixed_stores_suffice, NULL, 20000);
	return prop_done();
}
