/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_flush.c - what the IOMMU's caches are told, and addresses that wait for it.
 *
 * Concept
 *  Strict: the tables tell each page that goes; pages in a row are told as one, when all of them
 * have gone, and the addresses are free then. Lazy: the addresses go to the CPU's queue with the
 * number of flushes that had begun by then. When more than that number have ended, one of them
 * began after the pages had gone, whoever made it: of those that had begun before there are only
 * so many. So one flush of everything serves all queues, each when it is used next.
 *
 * Failure
 *  A queue is locked by an exchange that is tried once. Where somebody else has it, who may be
 * what this context has interrupted, or where it is full in spite of a flush, the addresses are
 * flushed by themselves, and wait for nothing.
 */
#include "domain_internal.h"

void pz_iommu_tlb_all(void *ctx)
{
	const struct pz_iommu *d = ctx;
	const struct pz_v7s_tlb *tlb = &d->cfg.tables.tlb;

	if (tlb->flush_all)
		tlb->flush_all(tlb->ctx);
}

void pz_iommu_tlb_walk(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	const struct pz_iommu *d = ctx;
	const struct pz_v7s_tlb *tlb = &d->cfg.tables.tlb;

	/* An IOMMU that has only one of them does all that it can by it. */
	if (tlb->flush_walk)
		tlb->flush_walk(tlb->ctx, iova, size, granule);
	else if (tlb->flush_all)
		tlb->flush_all(tlb->ctx);
	else if (d->cfg.flush)
		d->cfg.flush(tlb->ctx, iova, size, granule);
}

static void flush_range(struct pz_iommu *d, uint64_t iova, uint64_t size, uint32_t granule)
{
	if (d->cfg.flush)
		d->cfg.flush(d->cfg.tables.tlb.ctx, iova, size, granule);
	else
		pz_iommu_tlb_walk(d, iova, size, granule);
}

/* Pages of one request: what lies between them, if anything, is the request's too. */
void pz_iommu_tlb_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule)
{
	struct iommu_gather *g = gather;
	uint64_t last = iova + (size - 1);

	(void)ctx;
	if (!g->granule || iova < g->first)
		g->first = iova;
	if (!g->granule || last > g->last)
		g->last = last;
	if (!g->granule || granule < g->granule)
		g->granule = granule;
}

int pz_iommu_clear(struct pz_iommu *d, uint32_t cpu, uint64_t addr, uint64_t size, bool lazy)
{
	struct iommu_gather g = { 0, 0, 0 };
	uint64_t done;
	int rc = pz_v7s_unmap(d->t, cpu, 0, addr, size, lazy ? PZ_V7S_QUEUED : 0, &g, &done);

	if (g.granule)
		flush_range(d, g.first, g.last - g.first + 1, g.granule);
	/* Gaps between elements were never mapped. */
	return rc == -PZ_ENOENT && done ? 0 : rc;
}

/* --- queues --- */

static struct iommu_queue *flush_queue(struct pz_iommu *d, uint32_t cpu)
{
	return &d->queue[cpu < d->cfg.cpus ? cpu : 0];
}

/* Free what has been flushed. The queue is locked. Bytes. */
static uint64_t flush_ended(struct pz_iommu *d, uint32_t cpu, struct iommu_queue *q)
{
	uint64_t ended = pz_load64(&d->finished), bytes = 0;

	while (q->count && q->v[q->head].stamp < ended) {
		const struct iommu_wait *w = &q->v[q->head];

		pz_iova_free(d->iova, cpu, w->addr, w->size);
		bytes += w->size;
		q->head = q->head + 1 < IOMMU_QUEUE ? q->head + 1 : 0;
		pz_poke32(&q->count, q->count - 1);
	}
	return bytes;
}

static void flush_everything(struct pz_iommu *d)
{
	pz_count64(&d->started, 1);
	pz_iommu_tlb_all(d);
	pz_count64(&d->finished, 1);
}

/* Put addresses on a queue; false when there is no room, or it is in use. */
static bool flush_later(struct pz_iommu *d, uint32_t cpu, uint64_t addr, uint64_t size)
{
	struct iommu_queue *q = flush_queue(d, cpu);
	struct iommu_wait *w;
	uint32_t at;
	bool room;

	/* Also orders the writing of the tables before the reading of the stamp. */
	if (!pz_cas32(&q->lock, 0, 1))
		return false;
	(void)flush_ended(d, cpu, q);
	if (q->count == IOMMU_QUEUE) {
		flush_everything(d);
		(void)flush_ended(d, cpu, q);
	}
	room = q->count < IOMMU_QUEUE;
	if (room) {
		at = q->head + q->count;
		w = &q->v[at < IOMMU_QUEUE ? at : at - IOMMU_QUEUE];
		w->addr = addr;
		w->size = size;
		w->stamp = pz_load64(&d->started);
		q->queued++;
		pz_poke32(&q->count, q->count + 1);
	}
	pz_release32(&q->lock, 0);
	return room;
}

void pz_iommu_let_go(struct pz_iommu *d, uint32_t cpu, uint64_t addr, uint64_t size, bool lazy)
{
	if (lazy) {
		if (flush_later(d, cpu, addr, size))
			return;
		flush_range(d, addr, size, d->least);
	}
	pz_iova_free(d->iova, cpu, addr, size);
}

uint64_t pz_iommu_flush(struct pz_iommu *d, uint32_t cpu)
{
	uint64_t bytes = 0;
	uint32_t some = 0;

	for (uint32_t i = 0; d->queue && i < d->cfg.cpus; i++)
		some |= pz_peek32(&d->queue[i].count);
	if (!some)
		return 0;
	flush_everything(d);
	for (uint32_t i = 0; i < d->cfg.cpus; i++) {
		struct iommu_queue *q = &d->queue[i];

		if (!pz_cas32(&q->lock, 0, 1))
			continue;
		bytes += flush_ended(d, cpu, q);
		pz_release32(&q->lock, 0);
	}
	return bytes;
}
