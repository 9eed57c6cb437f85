/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic_work.c - filling pools for contexts that may not block, and giving back what they have
 * too much of.
 *
 * Concept
 *  One caller at a time tends the pools; who comes meanwhile leaves word, and the pools are gone
 *  through once more. A pool that has less than half of what it should have free gets chunks until
 *  it has all of it: as large ones as can be had, in falling orders, and one more when none is
 * large enough for what was asked for in vain. A chunk is shared and mapped once, when it comes. A
 * pool that has more than twice of what it should have free gives back chunks of which nothing is
 * taken, as long as enough is left; without devices it gives back all. Who was the last to look at
 * a chunk releases it, maybe where nobody may block; so chunks that left are put aside, and unmade
 * by whoever tends the pools next, who is asked for that.
 *
 * Failure
 *  What cannot be had is tried again with the next call. Chunks whose memory cannot be made private
 *  again are lost, and counted.
 */
#include "atomic_internal.h"

#define ATOMIC_GFP (PZ_GFP_BLOCK | PZ_GFP_NORETRY)

/* Put a chunk that left the pool aside; who works now may have been here already. Any context. */
static void atomic_aside(void *ctx, const struct pz_genpool_info *info)
{
	struct dma_chunk *c = info->owner;
	struct dma_atomic *a = ctx;
	uint64_t head;

	do {
		head = pz_load64(&a->dead);
		c->next = (struct dma_chunk *)(uintptr_t)head;
	} while (!pz_cas64(&a->dead, head, (uintptr_t)c));
	pz_store32(&a->dma->again, 1);
	if (!pz_load32(&a->dma->working))
		pz_dma_atomic_call(a->dma);
}

static uint64_t atomic_chunk_pages(const struct dma_chunk *c)
{
	return c->bytes >> c->pool->dma->page_shift;
}

/* Give a chunk's memory back, or lose it. */
static void atomic_unmake(struct dma_chunk *c, uint32_t cpu)
{
	struct pz_dma *dma = c->pool->dma;
	const struct pz_meta *m = dma->cfg.meta;
	const struct dma_block *b = &c->block;
	bool whole = pz_dma_unprepare(dma, b->ready.did, b->ready.cpu, b->phys, c->bytes);

	pz_dma_record_release(dma, atomic_chunk_pages(c));
	if (b->from == PZ_DMA_FROM_CMA) {
		(void)pz_dma_record_end(dma, NULL, b->from, b->phys, c->bytes, &b->ticket);
		pz_dma_untake_cma(dma, cpu, dma->cfg.cma, b->phys,
				  whole ? atomic_chunk_pages(c) : 0);
	} else if (whole) {
		(void)pz_dma_untake_pages(dma, cpu, b->phys, atomic_chunk_pages(c));
	}
	m->free(m->ctx, c, sizeof(*c));
}

static bool atomic_reap(struct dma_atomic *a, uint32_t cpu)
{
	uint64_t head;
	struct dma_chunk *c, *next;

	do {
		head = pz_load64(&a->dead);
		if (!head)
			return false;
	} while (!pz_cas64(&a->dead, head, 0));
	for (c = (struct dma_chunk *)(uintptr_t)head; c; c = next) {
		next = c->next;
		atomic_unmake(c, cpu);
	}
	return true;
}

/* Memory of 2^order pages for a chunk: 0, -PZ_ENOMEM and the like. */
static int atomic_memory(const struct dma_atomic *a, uint32_t cpu, unsigned int order,
			 struct dma_block *out)
{
	struct pz_dma *dma = a->dma;
	struct dma_ask ask = { .dma = dma, .reach = &a->reach, .cpu = cpu, .gfp = ATOMIC_GFP };

	ask.pages = (uint64_t)1 << order;
	ask.want.bytes = ask.want.align = ask.pages << dma->page_shift;
	ask.wish.way = a->way;
	ask.wish.block = ask.wish.remap = true;
	ask.cma = order ? dma->cfg.cma : PZ_DMA_NO_CMA;
	return pz_dma_take(&ask, out);
}

static int atomic_add(struct dma_atomic *a, struct dma_chunk *c)
{
	struct pz_genpool_chunk chunk = { .owner = c, .release = atomic_aside, .release_ctx = a };

	chunk.addr = chunk.phys = c->block.phys;
	chunk.size = c->bytes;
	return pz_genpool_add(a->pieces, &chunk);
}

/* One more chunk of 2^order pages. */
static bool atomic_chunk(struct dma_atomic *a, uint32_t cpu, unsigned int order)
{
	struct pz_dma *dma = a->dma;
	const struct pz_meta *m = dma->cfg.meta;
	struct dma_chunk *c = m->alloc(m->ctx, sizeof(*c));
	uint64_t pages = (uint64_t)1 << order;

	if (!c)
		return false;
	memset(c, 0, sizeof(*c));
	c->pool = a;
	c->bytes = pages << dma->page_shift;
	if (!pz_dma_record_promise(dma, pages)) {
		m->free(m->ctx, c, sizeof(*c));
		return false;
	}
	if (atomic_memory(a, cpu, order, &c->block)) {
		pz_dma_record_release(dma, pages);
		m->free(m->ctx, c, sizeof(*c));
		return false;
	}
	if (atomic_add(a, c)) {
		atomic_unmake(c, cpu);
		return false;
	}
	return true;
}

static unsigned int atomic_order(const struct dma_atomic *a, uint64_t bytes)
{
	uint64_t pages = (bytes + pz_dma_page_bytes(a->dma) - 1) >> a->dma->page_shift;
	unsigned int order = pages > 1 ? pz_fls64(pages - 1) + 1 : 0;

	return order < ATOMIC_MAX_ORDER ? order : ATOMIC_MAX_ORDER;
}

/* Whether a chunk of so many bytes is there already, and nothing is taken of it. */
static int atomic_is_whole(void *ctx, const struct pz_genpool_info *info)
{
	const uint64_t *bytes = ctx;

	return info->avail == info->size && info->size >= *bytes;
}

/* A chunk for the largest piece that was not to be had; from now on as much is wanted. */
static bool atomic_fill_miss(struct dma_atomic *a, uint32_t cpu)
{
	uint64_t miss = pz_load64(&a->miss), bytes;
	unsigned int order = atomic_order(a, miss);

	if (!miss)
		return false;
	(void)pz_cas64(&a->miss, miss, 0);
	bytes = pz_dma_page_bytes(a->dma) << order;
	if (bytes < miss || pz_genpool_for_each_chunk(a->pieces, atomic_is_whole, &bytes) ||
	    !atomic_chunk(a, cpu, order))
		return false;
	if (a->want < bytes)
		pz_store64(&a->want, bytes);
	return true;
}

/* Chunks until all that is wanted is free, none larger than needed. */
static bool atomic_fill(struct dma_atomic *a, uint32_t cpu)
{
	uint64_t have = pz_genpool_avail(a->pieces);
	unsigned int most = ATOMIC_MAX_ORDER;
	bool changed = false;

	while (have < a->want) {
		unsigned int order = atomic_order(a, a->want - have);

		if (order > most)
			order = most;
		if (atomic_chunk(a, cpu, order))
			changed = true;
		else if (order)
			most = order - 1;
		else
			break;
		have = pz_genpool_avail(a->pieces);
	}
	return atomic_fill_miss(a, cpu) || changed;
}

/* What may go, and what goes. */
struct atomic_drain {
	struct dma_atomic *a;
	uint64_t spare; /* bytes that need not stay */
	bool changed;
};

static int atomic_drain_chunk(void *ctx, const struct pz_genpool_info *info)
{
	struct atomic_drain *d = ctx;

	if (info->avail == info->size && info->size <= d->spare &&
	    !pz_genpool_remove(d->a->pieces, info->addr)) {
		d->spare -= info->size;
		d->changed = true;
	}
	return 0;
}

static bool atomic_shrink(struct dma_atomic *a, uint64_t keep)
{
	uint64_t have = pz_genpool_avail(a->pieces);
	struct atomic_drain d = { a, have - keep, false };

	if (have <= keep * 2)
		return false;
	(void)pz_genpool_for_each_chunk(a->pieces, atomic_drain_chunk, &d);
	return d.changed;
}

bool pz_dma_atomic_tend(struct dma_atomic *a, uint32_t cpu)
{
	bool needed = pz_load32(&a->devices), changed;

	if (!needed)
		pz_store64(&a->want, a->base);
	if (pz_dma_atomic_lacks(a))
		changed = atomic_fill(a, cpu);
	else
		changed = atomic_shrink(a, needed ? a->want : 0);
	return atomic_reap(a, cpu) || changed;
}

bool pz_dma_atomics_tend(struct pz_dma *dma, uint32_t cpu)
{
	bool changed = false;

	pz_store32(&dma->again, 1);
	while (pz_load32(&dma->again) && pz_cas32(&dma->working, 0, 1)) {
		pz_store32(&dma->again, 0);
		pz_store32(&dma->work_asked, 0);
		for (struct dma_atomic *a = atomic_first(dma); a; a = a->next) {
			if (pz_dma_atomic_tend(a, cpu))
				changed = true;
		}
		pz_store32(&dma->working, 0);
	}
	return changed;
}

bool pz_dma_work(struct pz_dma *dma, uint32_t cpu)
{
	bool changed = pz_dma_atomics_tend(dma, cpu);

	if (dma->cfg.bounce && pz_bounce_settle(dma->cfg.bounce, cpu))
		changed = true;
	return changed;
}
