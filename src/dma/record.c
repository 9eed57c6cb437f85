/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - who holds what is scarce: pieces of atomic pools, of regions, of contiguous areas.
 *
 * Concept
 *  Records lie in segments that are never given back while the layer lives, so anybody may look at
 *  any of them at any time. Who brings something to be divided first sees to it that there are
 *  records for all its parts; a piece then takes one that is free from a list, in any context. A
 *  buffer bears the number of its record and how often that had been used before, so a copy of a
 *  buffer that is gone is told from one that is there.
 *
 * Invariants (pz_dma_check() verifies them)
 *  6. there are at least as many records as were promised, and each is either in the list of free
 *     ones, once, or in use.
 *
 * Failure
 *  A promise fails for lack of memory and changes nothing. Taking a promised record cannot fail.
 */
#include "dma_internal.h"

#include <physzone/bounce.h>

#define RECORD_FIRST 64u /* in segment 0; each further one has twice as many */
#define RECORD_LIVE 1u	 /* of a state; above it stands the serial number */

static uint32_t record_base(unsigned int seg)
{
	return RECORD_FIRST * ((1u << seg) - 1);
}

static struct dma_record *record_segment(const struct pz_dma *dma, unsigned int seg)
{
	return (struct dma_record *)(uintptr_t)pz_load64(&dma->record_seg[seg]);
}

/* Record number @id, whose segment is there. */
static struct dma_record *record_at(const struct pz_dma *dma, uint32_t id)
{
	unsigned int seg = pz_fls32(id / RECORD_FIRST + 1);

	return record_segment(dma, seg) + (id - record_base(seg));
}

/* Add a chain of free records, the first and last of which are known. */
static void record_push(struct pz_dma *dma, uint32_t first, uint32_t last)
{
	uint64_t head;

	do {
		head = pz_load64(&dma->record_free);
		pz_store32(&record_at(dma, last)->next, (uint32_t)head);
	} while (!pz_cas64(&dma->record_free, head,
			   ((head >> 32) + 1) << 32 | (uint64_t)(first + 1)));
}

/* The number of a free record that is the caller's now, or UINT32_MAX. */
static uint32_t record_pop(struct pz_dma *dma)
{
	uint64_t head;
	uint32_t id;

	do {
		head = pz_load64(&dma->record_free);
		if (!(uint32_t)head)
			return UINT32_MAX;
		id = (uint32_t)head - 1;
	} while (!pz_cas64(&dma->record_free, head,
			   ((head >> 32) + 1) << 32 | pz_load32(&record_at(dma, id)->next)));
	return id;
}

/* One more segment, by whoever comes first. False: there is no memory, or no room for numbers. */
static bool record_grow(struct pz_dma *dma)
{
	const struct pz_meta *m = dma->cfg.meta;
	unsigned int seg = 0;
	struct dma_record *r;
	uint32_t n;

	while (seg < DMA_RECORD_SEGS && pz_load64(&dma->record_seg[seg]))
		seg++;
	if (seg == DMA_RECORD_SEGS)
		return false;
	n = RECORD_FIRST << seg;
	r = m->alloc(m->ctx, n * sizeof(*r));
	if (!r)
		return false;
	memset(r, 0, n * sizeof(*r));
	for (uint32_t i = 0; i + 1 < n; i++)
		r[i].next = record_base(seg) + i + 2;
	if (!pz_cas64(&dma->record_seg[seg], 0, (uintptr_t)r)) {
		m->free(m->ctx, r, n * sizeof(*r));
		return true;
	}
	record_push(dma, record_base(seg), record_base(seg) + n - 1);
	pz_count64(&dma->record_cap, n);
	return true;
}

bool pz_dma_record_promise(struct pz_dma *dma, uint64_t n)
{
	pz_count64(&dma->record_promised, n);
	while (pz_load64(&dma->record_cap) < pz_load64(&dma->record_promised)) {
		if (!record_grow(dma)) {
			pz_dma_record_release(dma, n);
			return false;
		}
	}
	return true;
}

void pz_dma_record_release(struct pz_dma *dma, uint64_t n)
{
	pz_count64(&dma->record_promised, ~n + 1);
}

bool pz_dma_record_add(struct pz_dma *dma, const struct pz_dma_dev *dev, enum pz_dma_from from,
		       uint64_t phys, uint64_t bytes, struct dma_ticket *ticket)
{
	uint32_t id = record_pop(dma), state;
	struct dma_record *r;

	if (id == UINT32_MAX)
		return false;
	r = record_at(dma, id);
	pz_poke64(&r->dev, (uintptr_t)dev);
	pz_poke64(&r->phys, phys);
	pz_poke64(&r->bytes, bytes);
	pz_poke64(&r->since, pz_dma_now(dma));
	pz_poke64(&r->site, pz_dma_site(dma));
	pz_poke32(&r->from, from);
	state = pz_load32(&r->state);
	pz_store32(&r->state, state | RECORD_LIVE);
	ticket->record = id;
	ticket->serial = (uint16_t)(state >> 1);
	return true;
}

bool pz_dma_record_end(struct pz_dma *dma, const struct pz_dma_dev *dev, enum pz_dma_from from,
		       uint64_t phys, uint64_t bytes, const struct dma_ticket *ticket)
{
	struct dma_record *r;
	uint32_t state;

	if (ticket->record >= record_base(DMA_RECORD_SEGS) ||
	    !record_segment(dma, pz_fls32(ticket->record / RECORD_FIRST + 1)))
		return false;
	r = record_at(dma, ticket->record);
	state = pz_load32(&r->state);
	if (!(state & RECORD_LIVE) || (uint16_t)(state >> 1) != ticket->serial ||
	    pz_peek64(&r->dev) != (uintptr_t)dev || pz_peek64(&r->phys) != phys ||
	    pz_peek64(&r->bytes) != bytes || pz_peek32(&r->from) != from ||
	    !pz_cas32(&r->state, state, state + RECORD_LIVE))
		return false;
	record_push(dma, ticket->record, ticket->record);
	return true;
}

/* A record as it is, if it is in use and does not change meanwhile. */
static bool record_read(const struct dma_record *r, struct dma_held *out)
{
	uint32_t state = pz_load32(&r->state);

	if (!(state & RECORD_LIVE))
		return false;
	out->ticket.serial = (uint16_t)(state >> 1);
	out->h.dev = (const struct pz_dma_dev *)(uintptr_t)pz_peek64(&r->dev);
	out->h.from = (uint8_t)pz_peek32(&r->from);
	out->h.phys.first = pz_peek64(&r->phys);
	out->h.phys.last = out->h.phys.first + (pz_peek64(&r->bytes) - 1);
	out->h.since = pz_peek64(&r->since);
	out->h.site = pz_peek64(&r->site);
	return pz_load32(&r->state) == state;
}

int pz_dma_record_each(const struct pz_dma *dma, int (*fn)(void *ctx, const struct dma_held *h),
		       void *ctx)
{
	for (unsigned int seg = 0; seg < DMA_RECORD_SEGS; seg++) {
		const struct dma_record *r = record_segment(dma, seg);

		for (uint32_t i = 0; r && i < RECORD_FIRST << seg; i++) {
			struct dma_held held;
			int rc;

			if (!record_read(&r[i], &held))
				continue;
			held.ticket.record = record_base(seg) + i;
			rc = fn(ctx, &held);
			if (rc)
				return rc;
		}
	}
	return 0;
}

struct record_wanted {
	const struct pz_dma_dev *dev;
	uint64_t first, last;
	enum pz_dma_from *from;
	struct dma_ticket *ticket;
};

static int record_is(void *ctx, const struct dma_held *held)
{
	const struct record_wanted *w = ctx;

	if (held->h.dev != w->dev || held->h.phys.first != w->first || held->h.phys.last != w->last)
		return 0;
	*w->from = (enum pz_dma_from)held->h.from;
	*w->ticket = held->ticket;
	return 1;
}

bool pz_dma_record_find(const struct pz_dma *dma, const struct pz_dma_dev *dev, uint64_t phys,
			uint64_t bytes, enum pz_dma_from *from, struct dma_ticket *ticket)
{
	struct record_wanted w = { dev, phys, phys + (bytes - 1), from, ticket };

	return pz_dma_record_each(dma, record_is, &w);
}

bool pz_dma_records_sound(const struct pz_dma *dma)
{
	uint64_t free = 0, live = 0, cap = 0;
	uint32_t id;

	for (id = (uint32_t)dma->record_free; id; id = record_at(dma, id - 1)->next) {
		if (id > dma->record_cap || (record_at(dma, id - 1)->state & RECORD_LIVE) ||
		    ++free > dma->record_cap)
			return false;
	}
	for (unsigned int seg = 0; seg < DMA_RECORD_SEGS; seg++) {
		const struct dma_record *r = record_segment(dma, seg);

		for (uint32_t i = 0; r && i < RECORD_FIRST << seg; i++)
			live += r[i].state & RECORD_LIVE;
		cap += r ? RECORD_FIRST << seg : 0;
	}
	return cap == dma->record_cap && free + live == cap && live <= dma->record_promised &&
	       dma->record_promised <= cap;
}

void pz_dma_records_drop(struct pz_dma *dma)
{
	const struct pz_meta *m = dma->cfg.meta;

	for (unsigned int seg = 0; seg < DMA_RECORD_SEGS; seg++) {
		struct dma_record *r = record_segment(dma, seg);

		if (r)
			m->free(m->ctx, r, (RECORD_FIRST << seg) * sizeof(*r));
	}
}

struct record_visit {
	const struct pz_dma_dev *dev;
	int (*fn)(void *ctx, const struct pz_dma_holder *h);
	void *ctx;
};

static int record_visit(void *ctx, const struct dma_held *held)
{
	const struct record_visit *v = ctx;

	return v->dev && held->h.dev != v->dev ? 0 : v->fn(v->ctx, &held->h);
}

static int record_visit_slots(void *ctx, const struct pz_bounce_use *u)
{
	const struct record_visit *v = ctx;
	struct pz_dma_holder h = { u->dev, PZ_DMA_FROM_BOUNCE, u->slots, u->since, u->site };

	return v->fn(v->ctx, &h);
}

int pz_dma_holders(struct pz_dma *dma, const struct pz_dma_dev *dev,
		   int (*fn)(void *ctx, const struct pz_dma_holder *h), void *ctx)
{
	struct record_visit v = { dev, fn, ctx };
	const struct pz_dma_dev *d;
	int rc = pz_dma_record_each(dma, record_visit, &v);

	if (rc)
		return rc;
	if (dev)
		return pz_dma_bounce(dev)
			       ? pz_bounce_for_each(pz_dma_bounce(dev), dev, record_visit_slots, &v)
			       : 0;
	if (dma->cfg.bounce)
		rc = pz_bounce_for_each(dma->cfg.bounce, NULL, record_visit_slots, &v);
	for (d = dma->devs; d && !rc; d = d->next) {
		if (d->cfg.restricted && d->cfg.restricted != dma->cfg.bounce)
			rc = pz_bounce_for_each(d->cfg.restricted, d, record_visit_slots, &v);
	}
	return rc;
}
