/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - streaming mappings of single buffers.
 *
 * Concept
 *  An ordinary device's mapping within its widest window is an addition, and nothing is written
 *  down: what undoes it is told all that is needed. The short way is left when anything else about
 *  the device matters, or once one of its mappings was bounced, because then an address must be
 *  looked up to know.
 *
 * Failure
 *  A mapping that fails leaves nothing behind.
 *
 * Shortcomings
 *  Misuse of mappings that are not bounced is for dma_debug.h to find. Where windows put one bus
 *  address on two places of memory, cache maintenance of a device that is not coherent is done for
 *  the lower one.
 */
#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include "dma_internal.h"

#define MAP_LIKELY(x) __builtin_expect(!!(x), 1)

void pz_dma_map_ready(struct pz_dma_dev *dev)
{
	const struct pz_dma_dev_config *c = &dev->cfg;

	dev->plain = c->coherent && !c->force_bounce && !c->restricted && !dev->shared &&
		     c->align == 1 && !c->boundary && !dev->dma->cfg.debug;
	/* The other mask may be set while mappings are out. */
	dev->bounced = pz_bounce_held(dev, false) != 0;
}

/* Masks are not asked: a buffer of one use may be synced by the calls of the other. */
static int map_from_bus(const struct pz_dma_dev *dev, uint64_t bus, uint64_t *phys)
{
	const struct pz_reach *reach = &dev->base;

	bus &= ~dev->dma->cfg.private_bit;
	for (uint32_t i = 0; i < reach->count; i++) {
		const struct pz_window *w = &reach->v[i];

		if (bus >= w->bus && bus - w->bus <= w->phys.last - w->phys.first) {
			*phys = w->phys.first + (bus - w->bus);
			return 0;
		}
	}
	return -PZ_ERANGE;
}

bool pz_dma_crosses(uint64_t bus, uint64_t size, uint64_t boundary)
{
	return boundary && size > boundary - (bus & (boundary - 1));
}

/* The bus address of memory that a device can be given as it is. */
static bool map_direct(const struct pz_dma_dev *dev, uint64_t phys, uint64_t size, uint64_t *bus)
{
	const struct pz_dma_dev_config *c = &dev->cfg;

	if (c->force_bounce || c->restricted || dev->shared)
		return false;
	/* The only window there is: what begins elsewhere need not be looked for. */
	if (dev->reach[DMA_STREAMING].count == 1 &&
	    (phys < dev->fast[DMA_STREAMING].first || phys > dev->fast[DMA_STREAMING].last))
		return false;
	return !pz_dma_to_bus(dev, DMA_STREAMING, phys, size, bus) && !(*bus & (c->align - 1)) &&
	       !pz_dma_crosses(*bus, size, c->boundary) && *bus != PZ_DMA_ERROR;
}

/* Map without telling anybody. */
int pz_dma_map_one(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		   enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus)
{
	const struct pz_dma_hooks *h = &dev->dma->cfg.hooks;
	uint64_t at;

	if (!size || phys + (size - 1) < phys || (unsigned int)dir >= PZ_DMA_NONE ||
	    (attrs & ~PZ_DMA_ATTRS))
		return -PZ_EINVAL;
	if (!map_direct(dev, phys, size, &at))
		return pz_bounce_map(dev, cpu, phys, size, dir, attrs, bus);
	if (!dev->cfg.coherent && !(attrs & PZ_DMA_SKIP_CPU_SYNC) && h->for_device)
		h->for_device(h->ctx, phys, size, dir);
	*bus = at;
	return 0;
}

bool pz_dma_unmap_one(struct pz_dma_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		      enum pz_dma_dir dir, uint32_t attrs)
{
	const struct pz_dma_hooks *h = &dev->dma->cfg.hooks;
	uint64_t phys;
	int rc = -PZ_ENOENT;

	if (pz_load32(&dev->bounced))
		rc = pz_bounce_unmap(dev, cpu, bus, size, dir, attrs);
	if (rc != -PZ_ENOENT)
		return !rc;
	if (!dev->cfg.coherent && !(attrs & PZ_DMA_SKIP_CPU_SYNC) && h->for_cpu &&
	    !map_from_bus(dev, bus, &phys))
		h->for_cpu(h->ctx, phys, size, dir);
	return true;
}

void pz_dma_unmap_use(const struct pz_dma_use *u, struct pz_dma_dev *dev, uint32_t cpu)
{
	struct pz_dma_debug *debug = dev->dma->cfg.debug;
	struct pz_dma_record was;
	bool taken = pz_dma_debug_take(debug, u, &was);

	if (!pz_dma_unmap_one(dev, cpu, u->bus, u->size, u->dir, u->attrs) && taken)
		pz_dma_debug_put_back(debug, &was);
}

void pz_dma_sync_one(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		     bool for_cpu)
{
	const struct pz_dma_hooks *h = &dev->dma->cfg.hooks;
	void (*hook)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir) =
		for_cpu ? h->for_cpu : h->for_device;
	uint64_t phys;

	if (!size || (pz_load32(&dev->bounced) && pz_bounce_sync(dev, bus, size, dir, for_cpu)))
		return;
	if (!dev->cfg.coherent && hook && !map_from_bus(dev, bus, &phys))
		hook(h->ctx, phys, size, dir);
}

/* --- what drivers call --- */

static struct pz_dma_use map_use(const struct pz_dma_dev *dev, enum pz_dma_kind kind, uint64_t bus,
				 uint64_t size, enum pz_dma_dir dir, uint32_t attrs)
{
	struct pz_dma_use u;

	memset(&u, 0, sizeof(u));
	u.dev = dev;
	u.kind = kind;
	u.dir = dir;
	u.bus = bus;
	u.size = size;
	u.attrs = attrs;
	return u;
}

static int map_told(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus)
{
	struct pz_dma_debug *debug = dev->dma->cfg.debug;
	int rc = pz_dma_map_one(dev, cpu, phys, size, dir, attrs, bus);

	if (!rc && debug) {
		struct pz_dma_use u = map_use(dev, PZ_DMA_SINGLE, *bus, size, dir, attrs);

		u.phys = phys;
		pz_dma_debug_map(debug, &u);
	}
	return rc;
}

int pz_dma_map_try(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		   enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus)
{
	int rc = map_told(dev, cpu, phys, size, dir, attrs, bus);

	/* The answer is the check. */
	if (!rc && dev->dma->cfg.debug)
		pz_dma_debug_checked(dev->dma->cfg.debug, dev, *bus);
	return rc;
}

uint64_t pz_dma_map(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs)
{
	const struct dma_fast *f = &dev->fast[DMA_STREAMING];
	uint64_t bus;

	/* One byte short of the window's end, so that a size of 0 is left to the long way. */
	if (MAP_LIKELY(dev->plain && phys >= f->first && phys <= f->last &&
		       size - 1 < f->last - phys && (unsigned int)dir < PZ_DMA_NONE &&
		       !(attrs & ~PZ_DMA_ATTRS)))
		return phys + f->offset;
	return map_told(dev, cpu, phys, size, dir, attrs, &bus) ? PZ_DMA_ERROR : bus;
}

bool pz_dma_mapping_error(const struct pz_dma_dev *dev, uint64_t bus)
{
	if (dev->dma->cfg.debug)
		pz_dma_debug_checked(dev->dma->cfg.debug, dev, bus);
	return bus == PZ_DMA_ERROR;
}

void pz_dma_unmap(struct pz_dma_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		  enum pz_dma_dir dir, uint32_t attrs)
{
	struct pz_dma_use u;

	if (MAP_LIKELY(dev->plain && !pz_load32(&dev->bounced)))
		return;
	if (!dev->dma->cfg.debug) {
		(void)pz_dma_unmap_one(dev, cpu, bus, size, dir, attrs);
		return;
	}
	u = map_use(dev, PZ_DMA_SINGLE, bus, size, dir, attrs);
	pz_dma_unmap_use(&u, dev, cpu);
}

static void map_sync(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		     bool for_cpu)
{
	if (MAP_LIKELY(dev->plain && !pz_load32(&dev->bounced)))
		return;
	if (dev->dma->cfg.debug) {
		struct pz_dma_use u = map_use(dev, PZ_DMA_SINGLE, bus, size, dir, 0);

		pz_dma_debug_sync(dev->dma->cfg.debug, &u, for_cpu);
	}
	pz_dma_sync_one(dev, bus, size, dir, for_cpu);
}

void pz_dma_sync_for_cpu(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir)
{
	map_sync(dev, bus, size, dir, true);
}

void pz_dma_sync_for_device(struct pz_dma_dev *dev, uint64_t bus, uint64_t size,
			    enum pz_dma_dir dir)
{
	map_sync(dev, bus, size, dir, false);
}

uint64_t pz_dma_map_resource(struct pz_dma_dev *dev, uint64_t phys, uint64_t size,
			     enum pz_dma_dir dir, uint32_t attrs)
{
	uint64_t limit = pz_dma_max_bus(dev, dev->cfg.mask);

	if (!size || (unsigned int)dir >= PZ_DMA_NONE || (attrs & ~PZ_DMA_ATTRS) || phys > limit ||
	    size - 1 > limit - phys || phys == PZ_DMA_ERROR)
		return PZ_DMA_ERROR;
	if (dev->dma->cfg.debug) {
		struct pz_dma_use u = map_use(dev, PZ_DMA_RESOURCE, phys, size, dir, attrs);

		u.phys = phys;
		pz_dma_debug_map(dev->dma->cfg.debug, &u);
	}
	return phys;
}

void pz_dma_unmap_resource(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
			   uint32_t attrs)
{
	if (dev->dma->cfg.debug) {
		struct pz_dma_use u = map_use(dev, PZ_DMA_RESOURCE, bus, size, dir, attrs);

		pz_dma_debug_unmap(dev->dma->cfg.debug, &u);
	}
}

uint64_t pz_dma_max_mapping(const struct pz_dma_dev *dev)
{
	const struct pz_dma_dev_config *c = &dev->cfg;

	if (!c->force_bounce && !c->restricted && !dev->shared && c->align == 1 && !c->boundary &&
	    pz_dma_reach_whole(dev->dma, &dev->reach[DMA_STREAMING]))
		return UINT64_MAX;
	return pz_bounce_max(dev);
}

bool pz_dma_needs_sync(const struct pz_dma_dev *dev, uint64_t bus)
{
	const struct pz_bounce *b = pz_dma_bounce(dev);
	uint64_t phys;

	return !dev->cfg.coherent || (b && pz_load32(&dev->bounced) &&
				      !map_from_bus(dev, bus, &phys) && pz_bounce_has(b, phys));
}
