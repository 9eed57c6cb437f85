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
 *  Where each CPU has an area of its own, it keeps a run that it freed for the next mapping that
 *  finds a place there: one exchange takes it, and none follows the copying when it is kept. It is
 *  given up when its CPU finds no place there, and taken, or given up, by whoever finds none
 *  elsewhere.
 *
 * Failure
 *  A search that finds nothing has seen each place as not free at a time when it was under way.
 *  What is kept may become a mapping, and free, behind its back: where CPUs keep runs, it looks
 *  again when others took slots meanwhile.
 *
 * Shortcomings
 *  A pool in pieces is searched piece by piece, some nanoseconds for each. Slots that another
 * search has taken and will put back are in use for this one, as are those of a kept run while
 * somebody gives it up.
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

/* --- runs that are kept --- */

bool pz_bounce_keep(struct bounce_pool *p, uint32_t cpu, uint32_t at, uint32_t n)
{
	struct bounce_area *a;
	bool kept;

	if (!p->keeps || cpu >= p->areas || n > KEPT_MOST)
		return false;
	a = &p->area[cpu];
	if (pz_peek64(&a->kept) || !dma_enter(&a->busy))
		return false;
	/* A handler may have come in between, and kept another one. */
	kept = !pz_peek64(&a->kept);
	if (kept)
		pz_release64(&a->kept, KEPT(at, n));
	dma_leave(&a->busy);
	return kept;
}

/* Slots that were kept are free for all; who missed them looks again. */
static void kept_free(struct bounce_pool *p, uint32_t at, uint32_t n)
{
	if (!n)
		return;
	pz_bounce_clear(p, at, n);
	(void)pz_add32(&p->given, 1);
}

static void kept_give_up(struct bounce_pool *p, struct bounce_area *a)
{
	uint64_t kept = pz_peek64(&a->kept);

	if (kept && pz_cas64(&a->kept, kept, 0))
		kept_free(p, KEPT_AT(kept), KEPT_SLOTS(kept));
}

uint32_t pz_bounce_give_up(struct pz_bounce *b)
{
	uint32_t events = 0;

	for (uint32_t i = 0; i < b->base; i++) {
		struct bounce_pool *p = &b->pool[i];

		for (uint32_t k = 0; p->keeps && k < p->areas; k++) {
			kept_give_up(p, &p->area[k]);
			events += pz_peek32(&p->area[k].calls);
		}
		events += pz_load32(&p->given);
	}
	return events;
}

/*
 * Take the first place that suits of what an area keeps; what is behind it stays kept, what is
 * before it is freed. In one step, so that whoever needs the rest does not miss it.
 */
static uint32_t kept_take(struct bounce_pool *p, struct bounce_area *a, const struct bounce_fit *f)
{
	uint64_t kept = pz_peek64(&a->kept), at, end, place;

	while (kept) {
		at = KEPT_AT(kept);
		end = at + KEPT_SLOTS(kept);
		place = fit_next(f, at > f->lo ? at : f->lo);
		if (place > f->hi || place + f->n > end)
			return BOUNCE_NONE;
		end -= place + f->n;
		if (pz_cas64(&a->kept, kept, end ? KEPT(place + f->n, end) : 0)) {
			kept_free(p, (uint32_t)at, (uint32_t)(place - at));
			return (uint32_t)place;
		}
		kept = pz_load64(&a->kept);
	}
	return BOUNCE_NONE;
}

/* The same of any area, for one who finds nothing else. */
static uint32_t kept_take_any(struct bounce_pool *p, const struct bounce_fit *f)
{
	uint32_t at = BOUNCE_NONE;

	for (uint32_t i = 0; p->keeps && i < p->areas && at == BOUNCE_NONE; i++)
		at = kept_take(p, &p->area[i], f);
	return at;
}

/* Slots of one word of the map that are in use; those that are kept are not. */
static uint64_t kept_not(const struct bounce_pool *p, uint32_t word)
{
	uint64_t v = pz_peek64(&p->map[word]);

	for (uint32_t i = 0; p->keeps && i < p->areas; i++) {
		uint64_t kept = pz_peek64(&p->area[i].kept);
		uint32_t at = KEPT_AT(kept), end = at + KEPT_SLOTS(kept), got;

		if (at / 64 == word)
			v &= ~slot_mask(at, end - at, &got);
		else if (at / 64 + 1 == word && end > word * 64)
			v &= ~slot_mask(word * 64, end - word * 64, &got);
	}
	return v;
}

/* --- searching --- */

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
	uint32_t used = 0, kept = 0;

	for (uint32_t i = 0; i < (p->slots + 63) / 64; i++)
		used += pz_popcount64(pz_peek64(&p->map[i]));
	for (uint32_t i = 0; p->keeps && i < p->areas; i++)
		kept += KEPT_SLOTS(pz_peek64(&p->area[i].kept));
	return used > kept ? used - kept : 0;
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

/* Take a place for a caller of an area: what it keeps, what is free, what others keep. */
static uint32_t slot_find(struct bounce_pool *p, struct bounce_area *a, const struct bounce_fit *f)
{
	uint64_t hint = pz_peek32(&a->hint);
	uint64_t from = hint > f->lo && hint <= f->hi ? hint : f->lo;
	uint32_t at = kept_take(p, a, f);

	if (at != BOUNCE_NONE)
		return at;
	kept_give_up(p, a);
	at = slot_take(p, f, from, f->hi);
	if (at == BOUNCE_NONE && from > f->lo)
		at = slot_take(p, f, f->lo, from - 1);
	return at == BOUNCE_NONE ? kept_take_any(p, f) : at;
}

/* Take a run in a pool that is entered, or nobody else's. */
bool pz_bounce_claim(struct bounce_pool *p, const struct pz_reach *reach,
		     const struct bounce_want *k, uint32_t area, struct bounce_got *got)
{
	struct bounce_area *a = &p->area[area];
	struct bounce_fit f;

	for (uint32_t i = 0; i < reach->count; i++) {
		uint32_t at;

		if (!fit_window(p, &reach->v[i], k, &f))
			continue;
		at = slot_find(p, a, &f);
		if (at == BOUNCE_NONE)
			continue;
		got->pool = p;
		got->at = at;
		got->n = f.n;
		got->area = area;
		got->delta = f.delta;
		got->phys = bounce_phys(p, at) + f.delta;
		got->bus = f.bus + ((uint64_t)at << PZ_BOUNCE_SHIFT);
		slot_sample(p, a, at);
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
		uint64_t v = kept_not(p, i / 64) >> i % 64;
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
