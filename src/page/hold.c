/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold.c - per-CPU caches that keep frames, as Linux's per-CPU page lists do.
 *
 * Concept
 *  With pz_page_config.pcp_hold a single frame that is freed stays with the CPU, in the state
 *  "held": not free for others, and not allocated either, so that a double free is still seen.
 *  Above `high` the oldest `batch` frames become free; an empty cache takes `batch` frames at once.
 *  The stacks only say where held frames are: the state in the tree decides, and whoever needs a
 *  frame that is held elsewhere can free it there; the stale entry fails its exchange later.
 *
 * Concurrency
 *  A CPU's stacks are its own, between page_enter() and page_leave(). Draining another CPU's reads
 *  its entries and changes frames, never the stack.
 *
 * Shortcomings
 *  Linux holds blocks up to order 3, and pageblocks; here single frames are held.
 */
#include "page_internal.h"

#define HOLD_MOST 4096u

struct hold_stack {
	uint32_t n;
	uint32_t pad;
	uint64_t *frame;
};

struct hold_cache {
	uint32_t batch, high, cap;
	uint32_t pad;
	struct hold_stack stack[PAGE_TYPES];
};

struct page_hold {
	uint64_t bytes;
	struct hold_cache cache[];
};

/* Others read the stacks while they drain them, so that each access is one. */
static void hold_push(struct hold_stack *s, uint64_t index)
{
	pz_store64(&s->frame[s->n], index);
	pz_poke32(&s->n, s->n + 1);
}

static void hold_remove(struct hold_stack *s, uint32_t at, uint32_t n)
{
	for (uint32_t i = at; i + n < s->n; i++)
		pz_store64(&s->frame[i], s->frame[i + n]);
	pz_poke32(&s->n, s->n - n);
}

static struct hold_cache *hold_cache(const struct pz_pages *p, uint32_t cpu, uint32_t area)
{
	return &p->hold->cache[(uint64_t)cpu * p->area_count + area];
}

static void hold_sizes(const struct pz_pages *p, uint32_t area, uint32_t *batch, uint32_t *high)
{
	const struct page_area *a = &p->area[area];
	const struct pz_zone *z = &p->cfg.zones->node[a->node].zone[a->type];

	*batch = p->cfg.pcp_batch ? p->cfg.pcp_batch : z->pcp_batch;
	*high = p->cfg.pcp_high ? p->cfg.pcp_high : z->pcp_high;
	if (!*batch)
		*batch = 1;
	if (*batch > HOLD_MOST)
		*batch = HOLD_MOST;
	if (*high < *batch)
		*high = *batch;
	if (*high > HOLD_MOST)
		*high = HOLD_MOST;
}

int pz_page_hold_create(struct pz_pages *p)
{
	uint64_t n = (uint64_t)p->cpus * p->area_count, frames = 0, bytes;
	uint32_t batch, high;
	uint64_t *at;

	if (!p->cfg.pcp_hold)
		return 0;
	for (uint32_t a = 0; a < p->area_count; a++) {
		hold_sizes(p, a, &batch, &high);
		frames += (uint64_t)(high + batch) * PAGE_TYPES;
	}
	bytes = sizeof(*p->hold) + n * sizeof(p->hold->cache[0]) + frames * p->cpus * sizeof(*at);
	if (bytes > SIZE_MAX)
		return -PZ_ENOMEM;
	p->hold = p->cfg.meta->alloc(p->cfg.meta->ctx, (size_t)bytes);
	if (!p->hold)
		return -PZ_ENOMEM;
	memset(p->hold, 0, (size_t)bytes);
	p->hold->bytes = bytes;
	at = (uint64_t *)(void *)&p->hold->cache[n];
	for (uint32_t c = 0; c < p->cpus; c++) {
		for (uint32_t a = 0; a < p->area_count; a++) {
			struct hold_cache *h = hold_cache(p, c, a);

			hold_sizes(p, a, &h->batch, &h->high);
			h->cap = h->high + h->batch;
			for (unsigned int t = 0; t < PAGE_TYPES; t++) {
				h->stack[t].frame = at;
				at += h->cap;
			}
		}
	}
	return 0;
}

void pz_page_hold_destroy(struct pz_pages *p)
{
	if (p->hold)
		p->cfg.meta->free(p->cfg.meta->ctx, p->hold, (size_t)p->hold->bytes);
	p->hold = NULL;
}

uint64_t pz_page_hold_bytes(const struct pz_pages *p)
{
	return p->hold ? p->hold->bytes : 0;
}

/* Let go of a held frame: false when it is not held any more. */
static bool hold_release(struct pz_pages *p, uint64_t index, bool free)
{
	uint64_t *w = page_word(p, 0, index >> WORD_SHIFT), v;
	unsigned int unit = (unsigned int)index & 31;
	uint64_t head = (uint64_t)1 << (32 + unit), taken = (uint64_t)1 << unit;

	do {
		v = pz_load64(w);
		if (word_state(v, unit) != WORD_HELD || v == WORD_CLOSED)
			return false;
	} while (!pz_cas64(w, v, free ? v & ~head : v | taken));
	if (free) {
		page_bound_freed(p, 0, index >> WORD_SHIFT, (uint32_t)taken);
		pz_page_freed(p, 0, index >> WORD_SHIFT, unit, word_free(v) | (uint32_t)taken);
	}
	return true;
}

/* Whether the CPU holds a frame, within a window, for a request. */
bool pz_page_hold_has(const struct pz_pages *p, const struct page_ask *a, uint32_t area,
		      uint64_t lo, uint64_t hi)
{
	const struct hold_stack *s;

	if (a->cpu == PZ_CPU_NONE)
		return false;
	s = &hold_cache(p, a->cpu, area)->stack[a->type];
	for (uint32_t i = s->n; i-- > 0;) {
		uint64_t at = s->frame[i], v = pz_load64(page_word(p, 0, at >> WORD_SHIFT));

		if (at >= lo && at <= hi && v != WORD_CLOSED &&
		    word_state(v, (unsigned int)at & 31) == WORD_HELD)
			return true;
	}
	return false;
}

/* A frame that the CPU holds, within a window, for a request. */
bool pz_page_hold_take(struct pz_pages *p, const struct page_ask *a, uint32_t area, uint64_t lo,
		       uint64_t hi, uint64_t *index)
{
	struct page_cpu *c = a->cpu == PZ_CPU_NONE ? NULL : &p->cpu[a->cpu];
	struct hold_stack *s;
	bool got = false;

	if (!c || pz_peek32(&c->busy))
		return false;
	page_enter(c);
	s = &hold_cache(p, a->cpu, area)->stack[a->type];
	for (uint32_t i = s->n; i-- > 0 && !got;) {
		*index = s->frame[i];
		if (*index < lo || *index > hi)
			continue;
		hold_remove(s, i, 1);
		got = hold_release(p, *index, false);
	}
	/* Taken from what was not counted as free: even with the count that is about to follow. */
	if (got)
		pz_page_account(p, a->cpu, *index, *index, 1);
	page_leave(c);
	return got;
}

/* After a single frame was taken from the tree: hold others of its word. */
void pz_page_hold_refill(struct pz_pages *p, const struct page_ask *a, uint32_t area,
			 uint64_t index)
{
	struct page_cpu *c = a->cpu == PZ_CPU_NONE ? NULL : &p->cpu[a->cpu];
	uint64_t *w = page_word(p, 0, index >> WORD_SHIFT), v;
	struct hold_cache *h;
	struct hold_stack *s;
	uint32_t m;

	if (!c || pz_peek32(&c->busy) || page_type(p, index) != a->type)
		return;
	page_enter(c);
	h = hold_cache(p, a->cpu, area);
	s = &h->stack[a->type];
	page_settle_begin(p, a->cpu);
	v = pz_load64(w);
	m = word_free(v);
	for (uint32_t n = pz_popcount32(m); n && (n >= h->batch || n > h->cap - s->n); n--)
		m &= m - 1;
	if (m && pz_page_seg_of(p, index & ~(uint64_t)31) == pz_page_seg_of(p, index | 31) &&
	    pz_cas64(w, v, v | (uint64_t)m << 32)) {
		for (; m; m &= m - 1) {
			uint64_t at = (index & ~(uint64_t)31) + pz_fls32(m & (~m + 1));

			pz_page_account(p, a->cpu, at, at, UINT64_MAX);
			hold_push(s, at);
		}
	}
	page_settle_end(p, a->cpu);
	page_leave(c);
}

/* The oldest @n frames of a stack become free. The CPU is busy. Returns how many did. */
static uint64_t hold_flush(struct pz_pages *p, uint32_t cpu, struct hold_stack *s, uint32_t n)
{
	uint64_t done = 0;

	if (n > s->n)
		n = s->n;
	for (uint32_t i = 0; i < n; i++) {
		if (!hold_release(p, s->frame[i], true))
			continue;
		pz_page_account(p, cpu, s->frame[i], s->frame[i], 1);
		done++;
	}
	hold_remove(s, 0, n);
	return done;
}

/* Keep a single frame that its owner frees. False when it is not kept; nothing has happened then.
 */
bool pz_page_hold_put(struct pz_pages *p, uint32_t cpu, uint64_t index)
{
	struct page_cpu *c = cpu < p->cpus ? &p->cpu[cpu] : NULL;
	unsigned int type = page_type(p, index), unit = (unsigned int)index & 31;
	uint64_t *w = page_word(p, 0, index >> WORD_SHIFT), v;
	const struct page_seg *seg = pz_page_seg_of(p, index);
	struct hold_cache *h;
	struct hold_stack *s;
	uint32_t held = 0;

	if (type == PZ_CMA)
		type = PZ_MOVABLE;
	if (!c || type >= PAGE_TYPES || pz_peek32(&c->busy) || !seg ||
	    !pz_page_managed(p, index, index))
		return false;
	page_enter(c);
	h = hold_cache(p, cpu, seg->area);
	s = &h->stack[type];
	page_settle_begin(p, cpu);
	do {
		v = pz_load64(w);
		if (word_state(v, unit) != WORD_HEAD) {
			page_settle_cancel(p, cpu);
			page_leave(c);
			return false;
		}
	} while (!pz_cas64(w, v, v & ~((uint64_t)1 << unit)));
	for (unsigned int t = 0; t < PAGE_TYPES; t++)
		held += h->stack[t].n;
	if (s->n == h->cap || held >= h->high)
		(void)hold_flush(p, cpu, s->n ? s : &h->stack[type < 2 ? type + 1 : 0], h->batch);
	if (s->n == h->cap)
		(void)hold_flush(p, cpu, s, h->batch);
	hold_push(s, index);
	page_settle_end(p, cpu);
	page_leave(c);
	return true;
}

uint64_t pz_page_drain(struct pz_pages *p, uint32_t cpu)
{
	uint64_t done = 0;

	if (!p->hold)
		return 0;
	for (uint32_t c = 0; c < p->cpus; c++) {
		if (cpu != PZ_CPU_NONE && c != cpu)
			continue;
		for (uint32_t a = 0; a < p->area_count; a++) {
			struct hold_cache *h = hold_cache(p, c, a);

			for (unsigned int t = 0; t < PAGE_TYPES; t++) {
				struct hold_stack *s = &h->stack[t];
				uint32_t n = pz_peek32(&s->n);

				/* Another CPU's stack stays as it is: its entries just go stale. */
				for (uint32_t i = 0; i < n && i < h->cap; i++) {
					uint64_t at = pz_load64(&s->frame[i]);

					if (!hold_release(p, at, true))
						continue;
					pz_page_account(p, PZ_CPU_NONE, at, at, 1);
					done++;
				}
			}
		}
	}
	return done;
}
