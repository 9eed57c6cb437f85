/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic.c - pools for contexts that may not block: who has one, and taking pieces of it.
 *
 * Concept
 *  What has to be shared or mapped cannot be had without waiting, so some memory is made ready
 *  before it is needed: one pool for all devices of the same reach whose memory needs the same
 *  done to it. Devices that say so get one as well as a reserve for when there are no pages.
 *  A pool is only for what it can be: when no managed memory lies in its reach it asks for none.
 *  Below half of what it should have free somebody is asked to fill it (atomic_work.c); who may
 *  block and passes by does so at once.
 *
 * Failure
 *  A device is made whether its pool could be filled or not: that is tried again.
 *
 * Shortcomings
 *  A pool that no device needs any more gives back its memory, but its few words stay until the
 *  layer goes, for it may be looked at in any context.
 */
#include "atomic_internal.h"

#define ATOMIC_LEAST ((uint64_t)128 << 10)

/* Managed bytes that a reach set has. */
static uint64_t atomic_managed(const struct pz_dma *dma, const struct pz_reach *reach)
{
	const struct pz_pages *p = dma->cfg.pages;
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < p->managed_count; i++) {
		struct pz_range r, both;

		r.first = page_to_pfn(p, p->managed[i].first) << p->page_shift;
		r.last = ((page_to_pfn(p, p->managed[i].last) + 1) << p->page_shift) - 1;
		for (uint32_t k = 0; k < reach->count; k++) {
			if (pz_range_intersect(reach->v[k].phys, r, &both))
				bytes += both.last - both.first + 1;
		}
	}
	return bytes;
}

/* What a pool should have free: whole pages, no large part of what its devices reach at all. */
static uint64_t atomic_want(const struct pz_dma *dma, const struct pz_reach *reach)
{
	uint64_t page = pz_dma_page_bytes(dma), want = dma->cfg.pool_bytes;
	uint64_t most = atomic_managed(dma, reach) / 16;

	if (!want) {
		want = (dma->cfg.pages->total << dma->page_shift) / 8192;
		if (want < ATOMIC_LEAST)
			want = ATOMIC_LEAST;
		if (want > most)
			want = most;
	}
	if (want < page || !pz_round_up(want, page, &want))
		want = page;
	return want;
}

static bool atomic_needed(const struct pz_dma_dev *dev, uint32_t way)
{
	if (dev->dma->cfg.pool_bytes == UINT64_MAX || dev->cfg.region || dev->cfg.restricted ||
	    (way & DMA_WAY_NEVER))
		return false;
	return dev->cfg.atomic || (way & (DMA_WAY_REMAP | DMA_WAY_SHARE));
}

static struct dma_atomic *atomic_find(const struct pz_dma *dma, const struct pz_reach *reach,
				      uint32_t way)
{
	struct dma_atomic *a;

	for (a = atomic_first(dma); a; a = a->next) {
		if (a->way == way && pz_dma_same_reach(&a->reach, reach))
			break;
	}
	return a;
}

static void atomic_free(struct dma_atomic *a)
{
	const struct pz_meta *m = a->dma->cfg.meta;

	if (a->pieces)
		(void)pz_genpool_destroy(a->pieces);
	pz_reach_destroy(&a->reach);
	m->free(m->ctx, a, sizeof(*a));
}

static int atomic_reach(struct dma_atomic *a, const struct pz_reach *reach)
{
	int rc;

	pz_reach_init(&a->reach, a->dma->cfg.meta, NULL, 0);
	rc = pz_reach_copy(&a->reach, reach);
	if (!rc && reach->count) {
		a->span.first = reach->v[0].phys.first;
		a->span.last = reach->v[reach->count - 1].phys.last;
	}
	return rc;
}

/* Whether memory could ever be had: what is not mapped anew must be directly mapped, or mappable.
 */
static bool atomic_possible(const struct dma_atomic *a)
{
	const struct pz_dma *dma = a->dma;
	struct pz_range all = { 0, PZ_ADDR_MAX };
	uint64_t page = pz_dma_page_bytes(dma);
	struct dma_want want = { page, page, 0 };

	return !pz_dma_ever_in(dma, &a->reach, &want,
			       pz_dma_maps(dma, a->way) ? all : pz_dma_mapped(dma));
}

static int atomic_make(struct pz_dma *dma, const struct pz_reach *reach, uint32_t way,
		       struct dma_atomic **out)
{
	struct pz_genpool_config cfg = { .order = dma->page_shift, .name = "DMA atomic" };
	const struct pz_meta *m = dma->cfg.meta;
	struct dma_atomic *a = m->alloc(m->ctx, sizeof(*a));
	int rc;

	if (!a)
		return -PZ_ENOMEM;
	memset(a, 0, sizeof(*a));
	a->dma = dma;
	a->way = way;
	cfg.meta = m;
	cfg.bugs = dma->cfg.bugs;
	rc = atomic_reach(a, reach);
	if (!rc)
		rc = pz_genpool_create(&a->pieces, &cfg);
	if (rc) {
		atomic_free(a);
		return -PZ_ENOMEM;
	}
	a->possible = atomic_possible(a);
	a->base = a->want = a->possible ? atomic_want(dma, reach) : 0;
	a->next = atomic_first(dma);
	pz_store64(&dma->atomics, (uintptr_t)a);
	*out = a;
	return 0;
}

int pz_dma_atomic_join(struct pz_dma_dev *dev, const struct pz_reach *reach, uint32_t way,
		       struct dma_atomic **out)
{
	struct pz_dma *dma = dev->dma;
	int rc = 0;

	*out = NULL;
	if (!atomic_needed(dev, way))
		return 0;
	*out = atomic_find(dma, reach, way);
	if (!*out)
		rc = atomic_make(dma, reach, way, out);
	if (rc)
		return rc;
	if (!pz_add32(&(*out)->devices, 1))
		(void)pz_dma_atomics_tend(dma, PZ_CPU_NONE);
	return 0;
}

void pz_dma_atomic_leave(struct pz_dma *dma, struct dma_atomic *a)
{
	if (a && pz_add32(&a->devices, UINT32_MAX) == 1)
		(void)pz_dma_atomics_tend(dma, PZ_CPU_NONE);
}

void pz_dma_atomics_drop(struct pz_dma *dma)
{
	struct dma_atomic *a = atomic_first(dma);

	dma->cfg.hooks.work = NULL; /* all that is left is done here */
	while (a) {
		struct dma_atomic *next = a->next;

		(void)pz_dma_atomic_tend(a, PZ_CPU_NONE);
		atomic_free(a);
		a = next;
	}
}

bool pz_dma_atomic_lacks(const struct dma_atomic *a)
{
	return a->possible && pz_load32(&a->devices) &&
	       (pz_load64(&a->miss) || pz_genpool_avail(a->pieces) < atomic_low(a));
}

void pz_dma_atomic_call(struct pz_dma *dma)
{
	if (dma->cfg.hooks.work && pz_cas32(&dma->work_asked, 0, 1))
		dma->cfg.hooks.work(dma->cfg.hooks.ctx);
}

/* Remember how large a chunk would have done. */
static void atomic_missed(struct dma_atomic *a, uint64_t bytes)
{
	uint64_t old;

	pz_count64(&a->fails, 1);
	do {
		old = pz_load64(&a->miss);
	} while (old < bytes && !pz_cas64(&a->miss, old, bytes));
}

int pz_dma_atomic_alloc(struct pz_dma_dev *dev, uint32_t attrs, uint64_t size,
			struct pz_dma_buf *buf)
{
	uint64_t most = pz_dma_page_bytes(dev->dma) << ATOMIC_MAX_ORDER;
	struct dma_atomic *a = dev->atomic;
	const struct dma_chunk *c;
	struct dma_want want;
	void *owner;

	pz_dma_want(dev, size, &want);
	if (!a || !a->possible || want.bytes > most ||
	    (want.boundary && want.bytes > want.boundary))
		return -PZ_ERANGE;
	if (pz_dma_piece_take(dev, a->pieces, PZ_DMA_FROM_ATOMIC, size, buf, &owner)) {
		/* A chunk is as aligned as it is large. */
		atomic_missed(a, want.align < most ? want.align : most);
		pz_dma_atomic_call(a->dma);
		return -PZ_ENOMEM;
	}
	pz_count64(&a->allocs, 1);
	c = owner;
	if (!(attrs & PZ_DMA_NO_KERNEL_MAPPING)) {
		buf->cpu_addr = (unsigned char *)c->block.ready.cpu + (buf->phys - c->block.phys);
		memset(buf->cpu_addr, 0, (size_t)want.bytes);
	}
	if (pz_genpool_avail(a->pieces) < atomic_low(a))
		pz_dma_atomic_call(a->dma);
	return 0;
}

bool pz_dma_atomic_free(struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	return dev->atomic && pz_dma_piece_give(dev, dev->atomic->pieces, buf);
}

void pz_dma_atomic_pass(struct pz_dma_dev *dev, uint32_t cpu)
{
	if (dev->atomic && pz_dma_atomic_lacks(dev->atomic))
		(void)pz_dma_atomics_tend(dev->dma, cpu);
}
