/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_stat.c - numbers of bounce buffers, who holds slots, and verification.
 *
 * Invariants (pz_bounce_check() verifies them while nobody uses the buffers)
 *  1. pools lie apart, and those that stay come first;
 *  2. each run lies in its pool, its slots name it as theirs and are marked as in use;
 *  3. no slot is in use but by a run, or kept by a CPU that has an area of its own;
 *  4. a pool that goes counts the slots that are in use;
 *  5. nobody has a pin but the devices that a reserve is kept for, which are at least one;
 *  6. bytes of pools that go are counted; what is lost is not among them;
 *  7. what a CPU keeps lies in the pool, is marked as in use, and no run begins there.
 *
 * Shortcomings
 *  Nobody counts slots of pools that stay as they come and go, which would cost as much as taking
 *  them. So the peak is the most that was seen now and then.
 */
#include "bounce_internal.h"

/* --- numbers --- */

static void stat_pool(const struct bounce_pool *p, struct pz_bounce_pool *out)
{
	out->phys.first = pz_peek64(&p->first);
	out->phys.last = pz_peek64(&p->last);
	out->kind = (enum pz_bounce_kind)pz_peek32(&p->kind);
	out->devices = p->devices;
	out->areas = p->areas;
	out->slots = p->slots;
	out->used = pz_bounce_used(p);
	out->high = pz_peek32(&p->high);
	if (out->used > out->high)
		out->high = out->used;
	out->largest = pz_bounce_longest(p);
}

uint32_t pz_bounce_pools(const struct pz_bounce *b, struct pz_bounce_pool *out, uint32_t cap)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < pz_load32(&b->top); i++) {
		struct bounce_pool *p = (struct bounce_pool *)(uintptr_t)&b->pool[i];

		if (!bounce_enter(p))
			continue;
		if (n < cap)
			stat_pool(p, &out[n]);
		n++;
		bounce_leave(p);
	}
	return n;
}

void pz_bounce_stat(const struct pz_bounce *b, struct pz_bounce_stat *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < pz_load32(&b->top); i++) {
		struct bounce_pool *p = (struct bounce_pool *)(uintptr_t)&b->pool[i];
		struct pz_bounce_pool one;

		if (!bounce_enter(p))
			continue;
		stat_pool(p, &one);
		bounce_leave(p);
		out->pools++;
		out->slots += one.slots;
		out->used += one.used;
		out->high += one.high;
		if (one.largest > out->largest)
			out->largest = one.largest;
	}
	out->full = pz_load64(&b->full);
	out->fragmented = pz_load64(&b->fragmented);
	out->grown = pz_load64(&b->grown);
	out->trimmed = pz_load64(&b->trimmed);
	out->grow_fails = pz_load64(&b->grow_fails);
	out->lost = pz_load64(&b->lost);
}

/* Slots of the runs that an area took. */
static uint32_t stat_area(const struct bounce_pool *p, uint32_t area)
{
	uint32_t used = 0;

	for (uint32_t at = 0; at < p->slots; at++) {
		uint64_t s = pz_load64(&p->run[at].state);

		if ((s & RUN_BUSY) && RUN_AREA(s) == area)
			used += RUN_SLOTS(s);
	}
	return used;
}

uint32_t pz_bounce_area_used(const struct pz_bounce *b, uint32_t range, uint32_t area)
{
	if (range >= b->base || area >= b->pool[range].areas)
		return 0;
	return stat_area(&b->pool[range], area);
}

/* --- holders --- */

/* What a slot's record says, if a run begins there and stays one meanwhile. */
static bool stat_run(const struct bounce_pool *p, uint32_t at, struct pz_bounce_use *u)
{
	const struct bounce_run *r = &p->run[at];
	uint64_t state = pz_load64(&r->state);

	if (!(state & RUN_BUSY))
		return false;
	u->dev = (const struct pz_dma_dev *)(uintptr_t)pz_peek64(&r->dev);
	u->slots.first = bounce_phys(p, at);
	u->slots.last = u->slots.first + ((uint64_t)RUN_SLOTS(state) << PZ_BOUNCE_SHIFT) - 1;
	u->phys = pz_peek64(&r->phys);
	u->size = pz_peek64(&r->size);
	u->dir = RUN_DIR(state);
	u->since = pz_peek64(&r->since);
	u->site = pz_peek64(&r->site);
	return pz_load64(&r->state) == state;
}

int pz_bounce_for_each(struct pz_bounce *b, const struct pz_dma_dev *dev,
		       int (*fn)(void *ctx, const struct pz_bounce_use *u), void *ctx)
{
	struct pz_bounce_use u;
	int rc = 0;

	for (uint32_t i = 0; i < pz_load32(&b->top) && !rc; i++) {
		struct bounce_pool *p = &b->pool[i];

		if (!bounce_enter(p))
			continue;
		for (uint32_t at = 0; at < p->slots && !rc; at++)
			if (stat_run(p, at, &u) && (!dev || u.dev == dev))
				rc = fn(ctx, &u);
		bounce_leave(p);
	}
	return rc;
}

struct stat_held {
	uint64_t n;
	bool coherent;
};

static int stat_hold(void *ctx, const struct pz_bounce_use *u)
{
	struct stat_held *h = ctx;

	h->n += (u->dir == PZ_DMA_NONE) == h->coherent;
	return 0;
}

uint64_t pz_bounce_held(const struct pz_dma_dev *dev, bool coherent)
{
	struct stat_held h = { 0, coherent };
	struct pz_bounce *b = pz_dma_bounce(dev);

	if (b)
		pz_bounce_for_each(b, dev, stat_hold, &h);
	return h.n;
}

/* --- verification --- */

static bool check_kept(const struct bounce_pool *p, uint64_t kept)
{
	uint32_t at = KEPT_AT(kept), n = KEPT_SLOTS(kept);

	if (!kept)
		return true;
	if (!p->keeps || !n || n > KEPT_MOST || at >= p->slots || n > p->slots - at)
		return false;
	for (uint32_t i = at; i < at + n; i++)
		if (!(p->map[i / 64] >> i % 64 & 1) || (p->run[i].state & RUN_BUSY))
			return false;
	return true;
}

static int check_pool(const struct bounce_pool *p)
{
	uint32_t used = 0;

	for (uint32_t at = 0; at < p->slots; at++) {
		uint64_t s = p->run[at].state;

		if (!(s & RUN_BUSY))
			continue;
		if (!RUN_SLOTS(s) || RUN_SLOTS(s) > p->slots - at || RUN_AREA(s) >= p->areas)
			return 2;
		for (uint32_t i = at; i < at + RUN_SLOTS(s); i++)
			if (p->head[i] != at || !(p->map[i / 64] >> i % 64 & 1) ||
			    (i > at && (p->run[i].state & RUN_BUSY)))
				return 2;
		used += RUN_SLOTS(s);
	}
	for (uint32_t i = 0; i < p->areas; i++)
		if (!check_kept(p, p->area[i].kept))
			return 7;
	if (pz_bounce_used(p) != used)
		return 3;
	if (!p->stays && LIFE_USED(p->life) != used)
		return 4;
	return LIFE_PINS(p->life) == (p->kind == PZ_BOUNCE_RESERVE) &&
			       (p->kind == PZ_BOUNCE_RESERVE) == (p->devices > 0)
		       ? 0
		       : 5;
}

int pz_bounce_check(const struct pz_bounce *b)
{
	uint64_t extra = 0;

	for (uint32_t i = 0; i < b->top; i++) {
		const struct bounce_pool *p = &b->pool[i];
		int rc;

		if (LIFE_PHASE(p->life) == LIFE_VACANT)
			continue;
		if (p->stays != (i < b->base))
			return 1;
		for (uint32_t k = 0; k < i; k++)
			if (p->first <= b->pool[k].last && b->pool[k].first <= p->last)
				return 1;
		rc = check_pool(p);
		if (rc)
			return rc;
		if (!p->stays)
			extra += (uint64_t)p->slots << PZ_BOUNCE_SHIFT;
	}
	return extra == b->extra ? 0 : 6;
}
