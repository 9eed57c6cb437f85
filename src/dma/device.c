/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - devices, their masks, and the reach sets that come of them.
 *
 * Concept
 *  What buses translate, less holes, is a device's base. Cut by a mask and by the limits of buses
 *  it is a reach set, one for streaming mappings and one for coherent buffers. The widest window is
 *  also kept as three words, for the short way.
 *
 * Invariants (pz_dma_check() verifies them)
 *  1. each reach set is sound, and is its base cut by its mask;
 *  2. the short way says what the reach set says;
 *  3. a device that cannot drive the private bit is given shared memory.
 *
 * Failure
 *  A new reach set is made beside the old one and put in its place when nothing can fail any more.
 */
#include "dma_internal.h"

void pz_dma_dev_init(struct pz_dma_dev_config *cfg, const char *name, unsigned int bits)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->name = name;
	cfg->mask = pz_limits_bits(bits ? bits : 1).max_addr;
	cfg->coherent_mask = cfg->mask;
	cfg->align = 1;
	cfg->coherent = true;
	cfg->nid = PZ_NID_NONE;
	cfg->cma = PZ_DMA_NO_CMA;
}

/* The highest bus address that a mask leaves; what no address line carries is not counted. */
static uint64_t device_max_bus(const struct pz_dma_dev *dev, uint64_t mask)
{
	uint64_t limit = dev->cfg.bus_limit, bit = dev->dma->cfg.private_bit;

	if (limit && limit < mask)
		mask = limit;
	return bit && mask >= bit ? bit - 1 : mask;
}

/* Whether a mask cannot drive the bit that says that memory is private. */
static bool device_needs_shared(const struct pz_dma_dev *dev, uint64_t mask)
{
	uint64_t limit = dev->cfg.bus_limit;

	if (limit && limit < mask)
		mask = limit;
	return dev->cfg.shared || mask < dev->dma->cfg.private_bit;
}

static void device_fast(const struct pz_dma_dev *dev, const struct pz_reach *reach,
			struct dma_fast *f)
{
	uint64_t widest = 0;

	f->first = 1;
	f->last = 0;
	f->offset = 0;
	for (uint32_t i = 0; i < reach->count; i++) {
		const struct pz_window *w = &reach->v[i];

		if (f->first <= f->last && w->phys.last - w->phys.first <= widest)
			continue;
		widest = w->phys.last - w->phys.first;
		f->first = w->phys.first;
		f->last = w->phys.last;
		f->offset = w->bus - w->phys.first + pz_dma_private(dev);
	}
}

/* A copy of the base that a mask has cut. */
static int device_cut(const struct pz_dma_dev *dev, uint64_t mask, struct pz_reach *out)
{
	const struct pz_reach *base = &dev->base;
	int rc;

	pz_reach_init(out, dev->dma->cfg.meta, NULL, 0);
	for (uint32_t i = 0; i < base->count; i++) {
		rc = pz_reach_add_window(out, base->v[i].phys, base->v[i].bus);
		if (rc) {
			pz_reach_destroy(out);
			return rc;
		}
	}
	pz_reach_cut_mask(out, device_max_bus(dev, mask));
	return 0;
}

static void device_put(struct pz_dma_dev *dev, enum dma_use use, uint64_t mask,
		       const struct pz_reach *reach)
{
	pz_reach_destroy(&dev->reach[use]);
	dev->reach[use] = *reach;
	if (use == DMA_STREAMING)
		dev->cfg.mask = mask;
	else
		dev->cfg.coherent_mask = mask;
	dev->shared = device_needs_shared(dev, dev->cfg.coherent_mask);
	for (unsigned int i = 0; i < DMA_USES; i++)
		device_fast(dev, &dev->reach[i], &dev->fast[i]);
	pz_dma_map_ready(dev);
}

/* Streaming mappings have another mask, and another reserve of bounce buffers. */
static void device_put_streaming(struct pz_dma_dev *dev, uint64_t mask,
				 const struct pz_reach *reach, struct bounce_pool *reserve)
{
	struct bounce_pool *old = dev->reserve;

	device_put(dev, DMA_STREAMING, mask, reach);
	dev->reserve = reserve;
	pz_dma_unreserve(dev, old);
}

static int device_base(struct pz_dma_dev *dev, const struct pz_dma_dev_config *cfg)
{
	int rc = 0;

	if (!cfg->window_count) {
		struct pz_range all = { 0, PZ_ADDR_MAX };

		rc = pz_reach_add_window(&dev->base, all, 0);
	}
	for (uint32_t i = 0; i < cfg->window_count && !rc; i++)
		rc = pz_reach_add_window(&dev->base, cfg->windows[i].phys, cfg->windows[i].bus);
	for (uint32_t i = 0; i < cfg->hole_count && !rc; i++)
		rc = pz_reach_cut_hole(&dev->base, cfg->holes[i]);
	return rc == -PZ_ENOSPC ? -PZ_ENOMEM : rc;
}

static bool device_valid(const struct pz_dma *dma, const struct pz_dma_dev_config *cfg)
{
	uint64_t page = pz_dma_page_bytes(dma) - 1;
	const struct pz_dma_region *r = cfg->region;

	return cfg->name && cfg->align && !(cfg->align & (cfg->align - 1)) &&
	       !(cfg->boundary & (cfg->boundary - 1)) && (!cfg->window_count || cfg->windows) &&
	       (!cfg->hole_count || cfg->holes) && !(cfg->keep_mask & (cfg->keep_mask + 1)) &&
	       (!r || (pz_range_valid(r->phys) && !(r->phys.first & page) &&
		       !((r->phys.last + 1) & page)));
}

static void device_drop(struct pz_dma_dev *dev)
{
	const struct pz_meta *m = dev->dma->cfg.meta;

	for (unsigned int i = 0; i < DMA_USES; i++)
		pz_reach_destroy(&dev->reach[i]);
	pz_reach_destroy(&dev->base);
	m->free(m->ctx, dev, sizeof(*dev));
}

static void device_link(struct pz_dma_dev *dev)
{
	struct pz_dma *dma = dev->dma;

	dev->next = dma->devs;
	dev->prev = NULL;
	if (dev->next)
		dev->next->prev = dev;
	dma->devs = dev;
}

static void device_unlink(struct pz_dma_dev *dev)
{
	if (dev->next)
		dev->next->prev = dev->prev;
	if (dev->prev)
		dev->prev->next = dev->next;
	else
		dev->dma->devs = dev->next;
}

int pz_dma_dev_create(struct pz_dma_dev **out, struct pz_dma *dma,
		      const struct pz_dma_dev_config *cfg)
{
	const struct pz_meta *m = dma->cfg.meta;
	struct pz_reach reach[DMA_USES];
	struct pz_dma_dev *dev;
	int rc;

	if (!device_valid(dma, cfg))
		return -PZ_EINVAL;
	dev = m->alloc(m->ctx, sizeof(*dev));
	if (!dev)
		return -PZ_ENOMEM;
	memset(dev, 0, sizeof(*dev));
	dev->dma = dma;
	dev->cfg = *cfg;
	dev->cfg.windows = NULL;
	dev->cfg.holes = NULL;
	if (cfg->region) {
		dev->region = *cfg->region;
		dev->cfg.region = &dev->region;
	}
	pz_reach_init(&dev->base, m, NULL, 0);
	rc = device_base(dev, cfg);
	if (!rc)
		rc = device_cut(dev, cfg->mask, &reach[DMA_STREAMING]);
	if (!rc) {
		rc = device_cut(dev, cfg->coherent_mask, &reach[DMA_COHERENT]);
		if (rc)
			pz_reach_destroy(&reach[DMA_STREAMING]);
	}
	if (rc) {
		device_drop(dev);
		return rc;
	}
	device_put(dev, DMA_STREAMING, cfg->mask, &reach[DMA_STREAMING]);
	device_put(dev, DMA_COHERENT, cfg->coherent_mask, &reach[DMA_COHERENT]);
	/* Without a reserve it may still find room; whoever sets its mask is told. */
	if (pz_dma_reserve(dev, &dev->reach[DMA_STREAMING], &dev->reserve))
		dev->reserve = NULL;
	device_link(dev);
	*out = dev;
	return 0;
}

int pz_dma_dev_destroy(struct pz_dma_dev *dev)
{
	uint64_t n;

	if (!dev)
		return 0;
	if (dev->dma->cfg.debug)
		pz_dma_debug_release(dev->dma->cfg.debug, dev);
	n = pz_load64(&dev->buffers);
	if (n) {
		pz_bug(dev->dma->cfg.bugs, "pz_dma_dev_destroy", "%s has %llu buffers out",
		       dev->cfg.name, (unsigned long long)n);
		return -PZ_EBUSY;
	}
	n = pz_bounce_held(dev, false);
	if (n) {
		pz_bug(dev->dma->cfg.bugs, "pz_dma_dev_destroy", "%s has %llu mappings out",
		       dev->cfg.name, (unsigned long long)n);
		return -PZ_EBUSY;
	}
	pz_dma_unreserve(dev, dev->reserve);
	device_unlink(dev);
	device_drop(dev);
	return 0;
}

/* The reach set that a mask would give, if memory could ever be had there. */
static int device_try(const struct pz_dma_dev *dev, enum dma_use use, uint64_t mask,
		      struct pz_reach *reach)
{
	struct dma_want want;
	int rc = device_cut(dev, mask, reach);

	if (rc)
		return rc;
	if (use == DMA_COHERENT && dev->cfg.region) {
		rc = pz_reach_has(reach, dev->region.phys) ? 0 : -PZ_ERANGE;
	} else {
		pz_dma_want(dev, 1, &want);
		rc = pz_dma_ever(dev->dma, reach, &want);
	}
	if (rc)
		pz_reach_destroy(reach);
	return rc;
}

/* The same for streaming mappings, with a reserve of bounce buffers there. */
static int device_try_streaming(struct pz_dma_dev *dev, uint64_t mask, struct pz_reach *reach,
				struct bounce_pool **reserve)
{
	int rc;

	if (pz_bounce_held(dev, false))
		return -PZ_EBUSY;
	rc = device_try(dev, DMA_STREAMING, mask, reach);
	if (rc)
		return rc;
	rc = pz_dma_reserve(dev, reach, reserve);
	if (rc)
		pz_reach_destroy(reach);
	return rc;
}

int pz_dma_set_mask(struct pz_dma_dev *dev, uint64_t mask)
{
	struct bounce_pool *reserve;
	struct pz_reach reach;
	int rc = device_try_streaming(dev, mask, &reach, &reserve);

	if (!rc)
		device_put_streaming(dev, mask, &reach, reserve);
	return rc;
}

int pz_dma_set_coherent_mask(struct pz_dma_dev *dev, uint64_t mask)
{
	struct pz_reach reach;
	int rc;

	if (pz_load64(&dev->buffers))
		return -PZ_EBUSY;
	rc = device_try(dev, DMA_COHERENT, mask, &reach);
	if (!rc)
		device_put(dev, DMA_COHERENT, mask, &reach);
	return rc;
}

int pz_dma_set_masks(struct pz_dma_dev *dev, uint64_t mask)
{
	struct pz_reach streaming, coherent;
	struct bounce_pool *reserve;
	int rc;

	if (pz_load64(&dev->buffers))
		return -PZ_EBUSY;
	rc = device_try(dev, DMA_COHERENT, mask, &coherent);
	if (rc)
		return rc;
	rc = device_try_streaming(dev, mask, &streaming, &reserve);
	if (rc) {
		pz_reach_destroy(&coherent);
		return rc;
	}
	device_put(dev, DMA_COHERENT, mask, &coherent);
	device_put_streaming(dev, mask, &streaming, reserve);
	return 0;
}

const struct pz_reach *pz_dma_reach(const struct pz_dma_dev *dev, bool coherent)
{
	return &dev->reach[coherent ? DMA_COHERENT : DMA_STREAMING];
}
