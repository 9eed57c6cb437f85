/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_slot.c - which slots are in use: places that suit a device, and taking them.
 *
 * Concept
 *  A device says of a bus address which low bits it must have, what it must not cross, and which
 *  part of the pool it reaches. In each window of the device these become a range of slots, a
 *  stride and a phase; a search steps through the places that are left. A run is taken word by
 *  word from below, and what was taken is put back where another context was quicker: the one who
 *  holds the highest word goes on, so somebody does.
 *  A CPU begins to search where its area last took or freed something, so that CPUs stay apart and
 *  meet slots that are warm; a run may lie anywhere.
 *
 * Failure
 *  A search that finds nothing has seen each place as not free at a time when it was under way.
 *
 * Shortcomings
 *  A pool in pieces is searched piece by piece, some nanoseconds for each. Slots that another
 * search has taken and will put back are in use for this one.
 */
#include "bounce_internal.h"

#define SLOT_SAMPLE 1024u /* mappings of an area from one look at the slots in use to the next */

/* The places of a run in one window: @lo, the next with the phase, and so on, up to @hi. */
struct bounce_fit {
	uint64_t lo, hi;
	uint64_t stride, phase;
	uint64_t bus; /* of the run at slot 0 */
	uint64_t bytes, boundary;
	uint32_t n, delta;
};

/* The places that window @w leaves to @k in a pool; false for none. */
static bool fit_window(const struct bounce_pool *p, const struct pz_window *w,
		       const struct bounce_want *k, struct bounce_fit *f)
{
	uint64_t base = pz_peek64(&p->first), end = pz_peek64(&p->last);
	uint64_t first = base > w->phys.first ? base : w->phys.first;
	uint64_t last = end < w->phys.last ? end : w->phys.last;
	uint64_t bus = w->bus + (base - w->phys.first), delta, at;

	if (first > last || last - first < k->bytes - 1)
		return false;
	delta = (k->rest - bus) & (PZ_BOUNCE_SLOT - 1);
	at = base + delta;
	if (last - (k->bytes - 1) < at)
		return false;
	f->delta = (uint32_t)delta;
	f->n = (uint32_t)((delta + k->bytes - 1) >> PZ_BOUNCE_SHIFT) + 1;
	f->lo = first > at ? ((first - at - 1) >> PZ_BOUNCE_SHIFT) + 1 : 0;
	f->hi = (last - (k->bytes - 1) - at) >> PZ_BOUNCE_SHIFT;
	f->stride = (k->mask >> PZ_BOUNCE_SHIFT) + 1;
	f->bus = bus + delta;
	f->phase = ((k->rest - f->bus) & k->mask) >> PZ_BOUNCE_SHIFT;
	f->bytes = k->bytes;
	f->boundary = k->boundary;
	return f->lo <= f->hi;
}

/* The first place from @i on, above f->hi when there is none. */
static uint64_t fit_next(const struct bounce_fit *f, uint64_t i)
{
	uint64_t into;

	for (;;) {
		i += (f->phase - i) & (f->stride - 1);
		if (!f->boundary || i > f->hi)
			return i;
		into = (f->bus + (i << PZ_BOUNCE_SHIFT)) & (f->boundary - 1);
		if (f->bytes <= f->boundary - into)
			return i;
		i += ((f->boundary - into - 1) >> PZ_BOUNCE_SHIFT) + 1;
	}
}

/* Whether a run would have a place if the pool were empty. */
bool pz_bounce_could(const struct bounce_pool *p, const struct pz_reach *reach,
		     const struct bounce_want *k)
{
	struct bounce_fit f;

	for (uint32_t i = 0; i < reach->count; i++)
		if (fit_window(p, &reach->v[i], k, &f) && fit_next(&f, f.lo) <= f.hi)
			return true;
	return false;
}

/* Bits of one word of [at, at + n); how many they are. */
static uint64_t slot_mask(uint32_t at, uint32_t n, uint32_t *got)
{
	uint32_t room = 64 - at % 64;

	*got = n < room ? n : room;
	return (*got == 64 ? UINT64_MAX : ((uint64_t)1 << *got) - 1) << at % 64;
}

/* How far a search goes on when not all of [at, at + n) is free; 0 when it is. */
static uint32_t slot_busy(const struct bounce_pool *p, uint32_t at, uint32_t n)
{
	uint32_t got, end = at + n;

	for (uint32_t i = at; i < end; i += got) {
		uint64_t v = pz_peek64(&p->map[i / 64]), hit = v & slot_mask(i, end - i, &got);
		uint32_t up;

		if (!hit)
			continue;
		/* Behind the last one that is in the way, and those in a row with it. */
		up = pz_fls64(hit) + 1;
		if (up < 64)
			up += pz_ctz64(~(v >> up));
		return i / 64 * 64 + up - at;
	}
	return 0;
}

/* Whether [at, at + n) lies in one word. */
static bool slot_one(uint32_t at, uint32_t n)
{
	return at % 64 + n <= 64;
}

/* Give slots back, from above. */
void pz_bounce_clear(struct bounce_pool *p, uint32_t at, uint32_t n)
{
	if (slot_one(at, n) && n) {
		uint64_t *w = &p->map[at / 64], m = (UINT64_MAX >> (64 - n)) << at % 64;
		uint64_t old = pz_load64(w);

		while (!pz_cas64(w, old, old & ~m))
			old = pz_load64(w);
		return;
	}
	while (n) {
		uint32_t from = (at + n - 1) / 64 * 64, got;
		uint64_t old, m, *w = &p->map[from / 64];

		from = from > at ? from : at;
		m = slot_mask(from, at + n - from, &got);
		do {
			old = pz_load64(w);
		} while (!pz_cas64(w, old, old & ~m));
		n -= got;
	}
}

static bool slot_claim_one(struct bounce_pool *p, uint32_t at, uint32_t n)
{
	uint64_t *w = &p->map[at / 64], m = (UINT64_MAX >> (64 - n)) << at % 64;
	uint64_t old = pz_load64(w);

	while (!(old & m)) {
		if (pz_cas64(w, old, old | m))
			return true;
		old = pz_load64(w);
	}
	return false;
}

static bool slot_claim(struct bounce_pool *p, uint32_t at, uint32_t n)
{
	uint32_t got;

	for (uint32_t i = at; i < at + n; i += got) {
		uint64_t old, m = slot_mask(i, at + n - i, &got), *w = &p->map[i / 64];

		do {
			old = pz_load64(w);
			if (old & m) {
				pz_bounce_clear(p, at, i - at);
				return false;
			}
		} while (!pz_cas64(w, old, old | m));
	}
	return true;
}

/* Take a place of [from, to]; its number, or BOUNCE_NONE. */
static uint32_t slot_take(struct bounce_pool *p, const struct bounce_fit *f, uint64_t from,
			  uint64_t to)
{
	for (uint64_t i = fit_next(f, from); i <= to; i = fit_next(f, i)) {
		uint32_t busy;

		/* Mostly: what lies in one word is taken or not. */
		if (slot_one((uint32_t)i, f->n) && slot_claim_one(p, (uint32_t)i, f->n))
			return (uint32_t)i;
		busy = slot_busy(p, (uint32_t)i, f->n);
		if (!busy && slot_claim(p, (uint32_t)i, f->n))
			return (uint32_t)i;
		i += busy; /* once more where another context was quicker */
	}
	return BOUNCE_NONE;
}

uint32_t pz_bounce_used(const struct bounce_pool *p)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < (p->slots + 63) / 64; i++)
		used += pz_popcount64(pz_peek64(&p->map[i]));
	return used;
}

/* See how many slots are in use; two who see it at once may keep the smaller number. */
void pz_bounce_peak(struct bounce_pool *p)
{
	uint32_t used = pz_bounce_used(p);

	if (used > pz_peek32(&p->high))
		pz_poke32(&p->high, used);
}

/* An area took something at @at. */
static void slot_sample(struct bounce_pool *p, struct bounce_area *a, uint32_t at)
{
	uint32_t calls = pz_peek32(&a->calls);

	pz_poke32(&a->hint, at);
	pz_poke32(&a->calls, calls + 1);
	if (!(calls % SLOT_SAMPLE))
		pz_bounce_peak(p);
}

/* Take a run in a pool that is entered, or nobody else's. */
bool pz_bounce_claim(struct bounce_pool *p, const struct pz_reach *reach,
		     const struct bounce_want *k, uint32_t area, struct bounce_got *got)
{
	uint64_t hint = pz_peek32(&p->area[area].hint);
	struct bounce_fit f;

	for (uint32_t i = 0; i < reach->count; i++) {
		uint64_t from;
		uint32_t at;

		if (!fit_window(p, &reach->v[i], k, &f))
			continue;
		from = hint > f.lo && hint <= f.hi ? hint : f.lo;
		at = slot_take(p, &f, from, f.hi);
		if (at == BOUNCE_NONE && from > f.lo)
			at = slot_take(p, &f, f.lo, from - 1);
		if (at == BOUNCE_NONE)
			continue;
		got->pool = p;
		got->at = at;
		got->n = f.n;
		got->area = area;
		got->delta = f.delta;
		got->phys = bounce_phys(p, at) + f.delta;
		got->bus = f.bus + ((uint64_t)at << PZ_BOUNCE_SHIFT);
		slot_sample(p, &p->area[area], at);
		return true;
	}
	return false;
}

/* Take a run in a pool that is entered, and leave it with that. */
bool pz_bounce_claim_live(struct bounce_pool *p, const struct pz_reach *reach,
			  const struct bounce_want *k, uint32_t cpu, struct bounce_got *got)
{
	uint32_t area = 0;

	if (p->areas > 1 && cpu != PZ_CPU_NONE)
		area = cpu < p->areas ? cpu : (uint32_t)pz_urem64(cpu, p->areas);
	if (!pz_bounce_claim(p, reach, k, area, got))
		return false;
	bounce_count(p, got->n - LIFE_PIN);
	return true;
}

/* The longest run of free slots. */
uint32_t pz_bounce_longest(const struct bounce_pool *p)
{
	uint32_t longest = 0, run = 0;

	for (uint32_t i = 0; i < p->slots;) {
		uint64_t v = pz_peek64(&p->map[i / 64]) >> i % 64;
		uint32_t room = 64 - i % 64, len;

		if (p->slots - i < room)
			room = p->slots - i;
		len = v ? pz_ctz64(v) : room;
		run += len < room ? len : room;
		longest = run > longest ? run : longest;
		if (len >= room) {
			i += room;
			continue;
		}
		run = 0;
		i += len;
		v = ~(v >> len);
		len = v ? pz_ctz64(v) : 64;
		i += len < room ? len : room;
	}
	return longest;
}
