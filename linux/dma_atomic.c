/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_atomic.c - the pools that serve those who may not block, as Linux has them.
 *
 * Concept: up to three pools, made while the kernel starts, of memory that is ready for devices:
 * mapped anew or shared where that takes time. Who may not block takes from the one that the
 * device's limit names, and then from the others in a fixed order; what does not suit is given
 * back. A pool that has less free than it was first asked for is doubled later on.
 *
 * Invariants: 1. a pool that exists has at least one chunk; 2. each chunk is one run of pages, the
 * pool's until pzl_dma_destroy().
 *
 * Failure: a pool without memory does not exist; the others are made all the same.
 *
 * Shortcomings, Linux's: pools never shrink. The walk from the DMA pool ends there. What came from
 * any pool is looked for beginning with the kernel's, so without that it is not found. Shortcoming
 * of the model: a pool tells its chunks apart by physical addresses, not by those of a mapping.
 */
#include "pzl_dma.h"

static bool dma_atomic_remaps(const struct pzl_dma *d)
{
	return (d->cfg.build & PZL_DMA_REMAP) && d->cfg.hooks.remap;
}

static enum pzl_dma_pool dma_atomic_of(uint32_t gfp)
{
	return gfp & PZL_GFP_DMA32 ? PZL_DMA_POOL_DMA32
	       : gfp & PZL_GFP_DMA ? PZL_DMA_POOL_DMA
				   : PZL_DMA_POOL_KERNEL;
}

static void dma_atomic_give_pages(struct pzl_dma *d, uint64_t phys, uint64_t bytes)
{
	uint32_t shift = d->cfg.boot.page_shift;

	if (d->cfg.cma != PZ_DMA_NO_CMA &&
	    pz_cma_release(d->cfg.pages, PZ_CPU_NONE, d->cfg.cma, phys >> shift, bytes >> shift))
		return;
	pz_free_exact(d->cfg.pages, PZ_CPU_NONE, phys >> shift, bytes >> shift);
}

/* Unmap a chunk; @bias is what its addresses differ by from physical ones, modulo their size. */
static void dma_atomic_unmap(struct pzl_dma *d, uintptr_t bias, uint64_t phys, uint64_t bytes)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;

	if (dma_atomic_remaps(d) && h->unmap)
		h->unmap(h->ctx, (void *)(bias + (uintptr_t)phys), bytes);
}

/* A chunk goes with its pool. */
static void dma_atomic_released(void *ctx, const struct pz_genpool_info *info)
{
	struct pzl_dma *d = ctx;

	if (pzl_dma_share(d, info->phys, info->size, false)) {
		pzl_dma_warn(d, PZL_DMA_WARN_CRYPT);
		return;
	}
	dma_atomic_unmap(d, (uintptr_t)info->owner, info->phys, info->size);
	dma_atomic_give_pages(d, info->phys, info->size);
}

/* Memory for a chunk, as large as there is from an order down. */
static int dma_atomic_take_pages(struct pzl_dma *d, const struct pzl_boot_request *asked,
				 unsigned int order, uint64_t *phys, uint64_t *bytes)
{
	bool exact = asked->min_order == asked->order && asked->order; /* arm */
	uint32_t shift = d->cfg.boot.page_shift;

	for (;; order--) {
		uint64_t block = (uint64_t)1 << (order + shift);

		*bytes = exact ? pzl_dma_page_align(d, asked->bytes) : block;
		if (asked->cma && d->cfg.cma != PZ_DMA_NO_CMA &&
		    !pzl_dma_cma_take(d, d->cfg.cma, *bytes, phys))
			return 0;
		if (!pzl_dma_pages_take(d, PZ_NID_NONE, asked->gfp, order, phys)) {
			if (*bytes < block)
				(void)pz_free_part(d->cfg.pages, PZ_CPU_NONE,
						   (*phys + *bytes) >> shift,
						   (block - *bytes) >> shift);
			return 0;
		}
		if (order <= asked->min_order)
			return -PZ_ENOMEM;
	}
}

/* atomic_pool_expand(). */
static int dma_atomic_expand(struct pzl_dma *d, enum pzl_dma_pool which, uint64_t bytes)
{
	const struct pzl_boot_request *asked = &d->asked[which];
	const struct pz_dma_hooks *h = &d->cfg.hooks;
	unsigned int order = pzl_dma_order(d, bytes);
	struct pz_genpool_chunk chunk;
	uintptr_t bias = 0;
	uint64_t phys;
	void *at;

	if (order > d->cfg.boot.max_order)
		order = d->cfg.boot.max_order;
	if (dma_atomic_take_pages(d, asked, order, &phys, &bytes))
		return -PZ_ENOMEM;
	if (dma_atomic_remaps(d)) {
		at = h->remap(h->ctx, phys, bytes, 0, false);
		if (!at) {
			dma_atomic_give_pages(d, phys, bytes);
			return -PZ_ENOMEM;
		}
		bias = (uintptr_t)at - (uintptr_t)phys;
	}
	if (pzl_dma_share(d, phys, bytes, true)) {
		dma_atomic_unmap(d, bias, phys, bytes);
		dma_atomic_give_pages(d, phys, bytes);
		return -PZ_ENOMEM;
	}
	memset(&chunk, 0, sizeof(chunk));
	chunk.addr = phys;
	chunk.phys = phys;
	chunk.size = bytes;
	chunk.owner = (void *)bias;
	chunk.release = dma_atomic_released;
	chunk.release_ctx = d;
	if (pz_genpool_add(d->pool[which], &chunk)) {
		struct pz_genpool_info info = { .phys = phys, .size = bytes, .owner = chunk.owner };

		dma_atomic_released(d, &info);
		return -PZ_ENOMEM;
	}
	return 0;
}

static void dma_atomic_print(const struct pzl_dma *d, const struct pzl_boot_request *asked,
			     uint64_t got)
{
	if (d->cfg.emit)
		pzl_print_pool(&d->cfg.boot, asked, got, d->cfg.emit, d->cfg.emit_ctx);
}

/* __dma_atomic_pool_init(): 0 also when it found no memory, an error without metadata. */
static int dma_atomic_make(struct pzl_dma *d, const struct pzl_boot_request *asked)
{
	enum pzl_dma_pool which = dma_atomic_of(asked->gfp);
	struct pz_genpool_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.order = d->cfg.boot.page_shift;
	cfg.algo.kind = PZ_GENPOOL_ORDER_INDEX;
	cfg.name = "atomic pool";
	cfg.meta = d->cfg.meta;
	cfg.bugs = d->cfg.bugs;
	rc = pz_genpool_create(&d->pool[which], &cfg);
	if (rc)
		return rc;
	d->asked[which] = *asked;
	if (dma_atomic_expand(d, which, asked->bytes)) {
		(void)pz_genpool_destroy(d->pool[which]);
		d->pool[which] = NULL;
		d->incomplete = true;
		dma_atomic_print(d, asked, 0);
		return 0;
	}
	dma_atomic_print(d, asked, pz_genpool_size(d->pool[which]));
	return 0;
}

int pzl_dma_init(struct pzl_dma *d, const struct pzl_dma_config *cfg)
{
	struct pzl_boot_request asked[PZL_BOOT_POOLS];
	unsigned int n = 0;
	int rc = 0;

	memset(d, 0, sizeof(*d));
	if (!cfg->pages || !cfg->meta || !pzl_model_facts(cfg->boot.model) ||
	    cfg->boot.page_shift != pz_page_shift(cfg->pages))
		return -PZ_EINVAL;
	d->cfg = *cfg;
	if (cfg->build & PZL_DMA_POOL)
		n = pzl_boot_pools(&cfg->boot, &cfg->args, asked);
	if (n)
		d->pool_bytes = asked[0].bytes;
	for (unsigned int i = 0; i < n && !rc; i++)
		rc = dma_atomic_make(d, &asked[i]);
	if (rc)
		pzl_dma_destroy(d);
	return rc;
}

void pzl_dma_destroy(struct pzl_dma *d)
{
	for (unsigned int i = 0; i < PZL_DMA_POOLS; i++)
		if (d->pool[i] && !pz_genpool_destroy(d->pool[i]))
			d->pool[i] = NULL;
}

/* dma_guess_pool(): the pool to try first, then the one after @prev; PZL_DMA_POOLS for none. */
static enum pzl_dma_pool dma_atomic_first(const struct pzl_dma *d, uint32_t gfp)
{
	enum pzl_dma_pool which = PZL_DMA_POOL_KERNEL;

	if ((gfp & PZL_GFP_DMA32) && (d->cfg.boot.configured & PZL_ZONE_BIT(PZ_ZONE_DMA32)))
		which = PZL_DMA_POOL_DMA32;
	else if ((gfp & PZL_GFP_DMA) && d->pool[PZL_DMA_POOL_DMA])
		which = PZL_DMA_POOL_DMA;
	return d->pool[which] ? which : PZL_DMA_POOLS;
}

static enum pzl_dma_pool dma_atomic_next(const struct pzl_dma *d, enum pzl_dma_pool prev)
{
	if (prev == PZL_DMA_POOL_KERNEL && d->pool[PZL_DMA_POOL_DMA32])
		return PZL_DMA_POOL_DMA32;
	if (prev != PZL_DMA_POOL_DMA && d->pool[PZL_DMA_POOL_DMA])
		return PZL_DMA_POOL_DMA;
	return PZL_DMA_POOLS;
}

/* A pool of which a piece was taken may have become too small. */
static void dma_atomic_check_low(struct pzl_dma *d, enum pzl_dma_pool which)
{
	const struct pz_dma_hooks *h = &d->cfg.hooks;

	if (pz_genpool_avail(d->pool[which]) >= d->pool_bytes)
		return;
	d->work = true;
	if (h->work)
		h->work(h->ctx);
}

/* __dma_alloc_from_pool(). */
static int dma_atomic_take(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
			   uint32_t gfp, bool check, enum pzl_dma_pool which,
			   struct pzl_dma_buf *buf)
{
	struct pz_genpool_got got;
	enum pzl_dma_came came = PZL_DMA_NOTHING;

	got.phys = 0;
	if (!pz_genpool_alloc_algo(d->pool[which], bytes, NULL, &got)) {
		came = PZL_DMA_TAKEN;
		if (check && !pzl_dma_coherent_ok(d, dev, got.phys, bytes)) {
			came = PZL_DMA_BEYOND;
			pz_genpool_free(d->pool[which], got.addr, bytes);
		}
	}
	pzl_dma_note(d, PZ_DMA_FROM_ATOMIC, gfp, came, got.phys);
	if (d->trace && d->trace->n <= PZL_DMA_STEPS)
		d->trace->step[d->trace->n - 1].pool = (uint8_t)which;
	if (came != PZL_DMA_TAKEN)
		return -PZ_ENOMEM;
	dma_atomic_check_low(d, which);
	memset(buf, 0, sizeof(*buf));
	buf->phys = got.phys;
	buf->size = bytes;
	buf->from = PZ_DMA_FROM_ATOMIC;
	buf->pool = (uint8_t)which;
	buf->cpu_addr = dma_atomic_remaps(d) ? (void *)((uintptr_t)got.owner + (uintptr_t)got.phys)
					     : pzl_dma_direct(d, got.phys, bytes);
	if (buf->cpu_addr)
		memset(buf->cpu_addr, 0, (size_t)bytes);
	return 0;
}

int pzl_dma_pool_alloc(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t size,
		       uint32_t gfp, bool check, struct pzl_dma_buf *buf)
{
	uint64_t bytes = pzl_dma_page_align(d, size);
	enum pzl_dma_pool which = dma_atomic_first(d, gfp);
	bool none = which == PZL_DMA_POOLS;

	for (; which != PZL_DMA_POOLS && bytes; which = dma_atomic_next(d, which))
		if (!dma_atomic_take(d, dev, bytes, gfp, check, which, buf))
			return 0;
	if (none || d->cfg.boot.model == PZL_LINUX_5_15)
		pzl_dma_line(d, "Failed to get suitable pool for %s", dev->cfg.name);
	else if (!(gfp & PZL_GFP_NOWARN))
		pzl_dma_line(d, "DMA pool exhausted for %s", dev->cfg.name);
	return -PZ_ENOMEM;
}

bool pzl_dma_pool_free(struct pzl_dma *d, uint64_t phys, uint64_t size)
{
	uint64_t bytes = pzl_dma_page_align(d, size);
	enum pzl_dma_pool which = dma_atomic_first(d, 0);

	for (; which != PZL_DMA_POOLS && bytes; which = dma_atomic_next(d, which)) {
		if (!pz_genpool_has_addr(d->pool[which], phys, bytes))
			continue;
		pz_genpool_free(d->pool[which], phys, bytes);
		return true;
	}
	return false;
}

void pzl_dma_work(struct pzl_dma *d)
{
	static const enum pzl_dma_pool turn[] = { PZL_DMA_POOL_DMA, PZL_DMA_POOL_DMA32,
						  PZL_DMA_POOL_KERNEL };

	d->work = false;
	for (unsigned int i = 0; i < PZL_DMA_POOLS; i++) {
		struct pz_genpool *p = d->pool[turn[i]];

		/* Where there is no memory the pool stays as it is. */
		if (p && pz_genpool_avail(p) < d->pool_bytes)
			(void)dma_atomic_expand(d, turn[i], pz_genpool_size(p));
	}
}

uint64_t pzl_dma_pool_size(const struct pzl_dma *d, enum pzl_dma_pool pool)
{
	return d->pool[pool] ? pz_genpool_size(d->pool[pool]) : 0;
}
