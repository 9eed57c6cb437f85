/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - the invariants of the DMA layer, as far as buffers go.
 *
 *  1. Each reach set of a device is sound, and is its base cut by its mask.
 *  2. The short way of a device says what its reach set says, and so does the quick one.
 *  3. A device that cannot drive the private bit is given shared memory.
 *  4. A device has at least as many buffers as pieces, and no bytes without buffers.
 *  5. A pool for atomic contexts is sound, its chunks lie in its reach, it has as many devices as
 *     point to it, and what is taken of it is what the records say.
 *  6. There are as many records as were promised, and each is free, once, or in use.
 *  7. A region has as many devices as name it, and what is taken of it is what the records say.
 *  8. What is kept for a device that was freed is a page that it reaches, sealed and not free.
 *  9. No two pieces overlap, and each lies where its device reaches it.
 */
#include "atomic_internal.h"

static bool check_cut(const struct pz_dma_dev *dev, enum dma_use use)
{
	const struct pz_reach *base = &dev->base, *r = &dev->reach[use];
	uint64_t mask = use == DMA_STREAMING ? dev->cfg.mask : dev->cfg.coherent_mask;
	uint64_t limit = dev->cfg.bus_limit, bit = dev->dma->cfg.private_bit;
	uint32_t n = 0;

	if (limit && limit < mask)
		mask = limit;
	if (bit && !dev->shared)
		mask -= bit;
	if (bit && mask >= bit)
		mask = bit - 1;
	for (uint32_t i = 0; i < base->count; i++) {
		struct pz_window w = base->v[i];

		if (w.bus > mask)
			continue;
		if (w.phys.last - w.phys.first > mask - w.bus)
			w.phys.last = w.phys.first + (mask - w.bus);
		if (n == r->count || r->v[n].phys.first != w.phys.first ||
		    r->v[n].phys.last != w.phys.last || r->v[n].bus != w.bus)
			return false;
		n++;
	}
	return n == r->count && !pz_reach_check(r);
}

static bool check_fast(const struct pz_dma_dev *dev, enum dma_use use)
{
	const struct dma_fast *f = &dev->fast[use];
	struct pz_range r = { f->first, f->last };
	uint64_t bus;

	if (f->first > f->last)
		return !dev->reach[use].count;
	return pz_reach_has(&dev->reach[use], r) &&
	       !pz_reach_to_bus(&dev->reach[use], f->first, &bus) &&
	       bus + pz_dma_private(dev) == f->first + f->offset;
}

static bool check_quick(const struct pz_dma_dev *dev)
{
	struct pz_range r = { dev->limits.min_addr, dev->limits.max_addr };

	return !dev->quick_bytes[0] || (!dev->way && pz_reach_has(&dev->reach[DMA_COHERENT], r) &&
					(!dev->quick || dev->quick == &dev->limits));
}

static bool check_shared(const struct pz_dma_dev *dev)
{
	uint64_t least = dev->cfg.mask, bit = dev->dma->cfg.private_bit;

	if (dev->cfg.coherent_mask < least)
		least = dev->cfg.coherent_mask;
	if (dev->cfg.bus_limit && dev->cfg.bus_limit < least)
		least = dev->cfg.bus_limit;
	return dev->shared == (dev->cfg.shared || least < bit) &&
	       !(dev->way & DMA_WAY_SHARE) == !dev->shared;
}

/* Pieces of a device or of a pool, summed up. */
struct check_sum {
	const struct pz_dma *dma;
	const struct pz_dma_dev *dev;
	const struct dma_atomic *atomic;
	const struct dma_held *one;
	uint64_t pieces, bytes;
	bool bad;
};

static int check_add_dev(void *ctx, const struct dma_held *held)
{
	struct check_sum *s = ctx;

	s->pieces += held->h.dev == s->dev;
	return 0;
}

static int check_device(const struct pz_dma_dev *dev)
{
	struct check_sum s = { .dev = dev };
	uint64_t bytes, n = pz_dma_buffers(dev, &bytes);

	for (unsigned int use = 0; use < DMA_USES; use++) {
		if (!check_cut(dev, use))
			return 1;
		if (!check_fast(dev, use) || !check_quick(dev))
			return 2;
	}
	if (!check_shared(dev))
		return 3;
	(void)pz_dma_record_each(dev->dma, check_add_dev, &s);
	return n < s.pieces || n >> 62 || !n != !bytes ? 4 : 0;
}

static int check_add_piece(void *ctx, const struct dma_held *held)
{
	struct check_sum *s = ctx;

	if (held->h.from == PZ_DMA_FROM_ATOMIC && held->h.dev && held->h.dev->atomic == s->atomic)
		s->bytes += held->h.phys.last - held->h.phys.first + 1;
	return 0;
}

static int check_chunk(void *ctx, const struct pz_genpool_info *info)
{
	struct check_sum *s = ctx;
	const struct dma_chunk *c = info->owner;
	struct pz_range r = { info->addr, info->addr + (info->size - 1) };

	s->bad |= !pz_reach_has(&s->atomic->reach, r) || c->pool != s->atomic ||
		  c->block.phys != info->addr || c->bytes != info->size;
	return 0;
}

static bool check_atomic(const struct pz_dma *dma, const struct dma_atomic *a)
{
	struct check_sum s = { .dma = dma, .atomic = a };
	uint32_t devices = 0;

	for (const struct pz_dma_dev *d = dma->devs; d; d = d->next)
		devices += d->atomic == a;
	(void)pz_dma_record_each(dma, check_add_piece, &s);
	(void)pz_genpool_for_each_chunk(a->pieces, check_chunk, &s);
	return !s.bad && devices == a->devices && !pz_genpool_check(a->pieces) &&
	       pz_genpool_size(a->pieces) - pz_genpool_avail(a->pieces) == s.bytes &&
	       (a->possible || !pz_genpool_size(a->pieces));
}

static int check_overlap(void *ctx, const struct dma_held *held)
{
	const struct check_sum *s = ctx;
	const struct dma_held *one = s->one;
	struct pz_range both;

	/* A chunk of a pool may come from a contiguous area: then it has pieces in it. */
	return held->ticket.record != one->ticket.record && held->h.dev && one->h.dev &&
	       pz_range_intersect(held->h.phys, one->h.phys, &both);
}

static int check_piece(void *ctx, const struct dma_held *held)
{
	const struct check_sum *s = ctx;
	struct check_sum inner = { .dma = s->dma, .one = held };

	if (held->h.dev && !pz_reach_has(&held->h.dev->reach[DMA_COHERENT], held->h.phys))
		return 1;
	return pz_dma_record_each(s->dma, check_overlap, &inner);
}

static bool check_held(const struct pz_dma_dev *dev)
{
	const struct pz_dma *dma = dev->dma;

	for (uint32_t i = 0; i < dma->cfg.cpus; i++) {
		const struct dma_count *c = &dev->count[i];
		struct pz_range r = { c->held_phys, c->held_phys + pz_dma_page_bytes(dma) - 1 };
		struct pz_page_info info;

		if (!c->held)
			continue;
		pz_page_info(dma->cfg.pages, c->held_phys >> dma->page_shift, &info);
		if (!dev->hold.bytes || !pz_reach_has(&dev->reach[DMA_COHERENT], r) ||
		    *c->held != pz_dma_seal(dev, c->held_phys) || info.state != PZ_PAGE_HEAD ||
		    info.pages != 1)
			return false;
	}
	return true;
}

int pz_dma_check(const struct pz_dma *dma)
{
	struct check_sum s = { .dma = dma };

	for (const struct pz_dma_dev *d = dma->devs; d; d = d->next) {
		int rc = check_device(d);

		if (rc)
			return rc;
		if (!check_held(d))
			return 8;
	}
	for (const struct dma_atomic *a = atomic_first(dma); a; a = a->next) {
		if (!check_atomic(dma, a))
			return 5;
	}
	if (!pz_dma_records_sound(dma))
		return 6;
	if (!pz_dma_regions_sound(dma))
		return 7;
	return pz_dma_record_each(dma, check_piece, &s) ? 9 : 0;
}
