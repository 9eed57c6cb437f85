/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat.c - the numbers of devices and pools.
 */
#include "atomic_internal.h"

static int stat_mapping(void *ctx, const struct pz_dma_record *r)
{
	uint64_t *n = ctx;

	*n += r->use.kind != PZ_DMA_COHERENT;
	return 0;
}

uint64_t pz_dma_mapped_count(const struct pz_dma_dev *dev)
{
	uint64_t n = 0;

	if (!dev->dma->cfg.debug)
		return pz_bounce_held(dev, false);
	(void)pz_dma_debug_each(dev->dma->cfg.debug, dev, stat_mapping, &n);
	return n;
}

void pz_dma_dev_stat(const struct pz_dma_dev *dev, struct pz_dma_dev_stat *out)
{
	memset(out, 0, sizeof(*out));
	out->name = dev->cfg.name;
	out->buffers = pz_dma_buffers(dev, &out->buffer_bytes);
	out->bounced = pz_bounce_held(dev, false);
	out->mapped = pz_dma_mapped_count(dev);
}

uint64_t pz_dma_lost(const struct pz_dma *dma)
{
	return pz_load64(&dma->lost);
}

/* The longest run that is free in a chunk; it is never taken. */
static uint32_t stat_longest(void *ctx, const struct pz_genpool_view *v, uint32_t from, uint32_t n)
{
	uint64_t *longest = ctx;

	(void)n;
	while (from < v->granules) {
		uint32_t free = pz_genpool_next_free(v, from), used;
		uint64_t bytes;

		if (free >= v->granules)
			break;
		used = pz_genpool_next_used(v, free);
		bytes = (uint64_t)(used - free) << v->order;
		if (bytes > *longest)
			*longest = bytes;
		from = used;
	}
	return PZ_GENPOOL_NONE;
}

static uint64_t stat_largest(struct pz_genpool *pool)
{
	uint64_t longest = 0;
	struct pz_genpool_algo algo = { .kind = PZ_GENPOOL_CUSTOM };
	struct pz_genpool_got got;

	algo.custom = stat_longest;
	algo.ctx = &longest;
	(void)pz_genpool_alloc_algo(pool, 1, &algo, &got);
	return longest;
}

uint32_t pz_dma_pool_stats(const struct pz_dma *dma, struct pz_dma_pool_stat *out, uint32_t cap)
{
	uint32_t n = 0;

	for (const struct dma_atomic *a = atomic_first(dma); a; a = a->next) {
		uint32_t devices = pz_load32(&a->devices);
		struct pz_dma_pool_stat *s = &out[n];

		if (!devices || n++ >= cap)
			continue;
		s->span = a->span;
		s->devices = devices;
		s->possible = a->possible;
		s->bytes = pz_genpool_size(a->pieces);
		s->free = pz_genpool_avail(a->pieces);
		s->low = atomic_low(a);
		s->largest = stat_largest(a->pieces);
		s->allocs = pz_load64(&a->allocs);
		s->fails = pz_load64(&a->fails);
	}
	return n;
}

/* The last managed page that begins in a range, by halving; false when there is none. */
static bool stat_last_page(const struct pz_dma *dma, struct pz_range in, uint64_t *phys)
{
	uint64_t page = pz_dma_page_bytes(dma), lo = in.first >> dma->page_shift;
	uint64_t hi = in.last >> dma->page_shift;
	struct pz_page_req req;

	pz_page_req_init(dma->cfg.pages, &req, 0, 0, PZ_CPU_NONE);
	req.limits.min_addr = in.first;
	req.limits.max_addr = in.last;
	if (pz_page_ever(dma->cfg.pages, &req))
		return false;
	/* There is a managed page in [lo, hi]; find the highest lo for which that is so. */
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2 + 1;

		req.limits.min_addr = mid << dma->page_shift;
		if (req.limits.min_addr <= in.last && !pz_page_ever(dma->cfg.pages, &req))
			lo = mid;
		else
			hi = mid - 1;
	}
	*phys = (lo << dma->page_shift) + (page - 1);
	return true;
}

uint64_t pz_dma_required_mask(const struct pz_dma_dev *dev)
{
	uint64_t most = 0, phys;

	for (uint32_t i = 0; i < dev->base.count; i++) {
		const struct pz_window *w = &dev->base.v[i];

		if (stat_last_page(dev->dma, w->phys, &phys) &&
		    w->bus + (phys - w->phys.first) > most)
			most = w->bus + (phys - w->phys.first);
	}
	if (most && !dev->cfg.shared)
		most |= dev->dma->cfg.private_bit;
	return most ? UINT64_MAX >> pz_clz64(most) : 0;
}
