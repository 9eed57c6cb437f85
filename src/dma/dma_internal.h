/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_internal.h - the layer, a device, and the places where something for a device may lie.
 *
 *	dma      the layer: create and destroy
 *	device   devices, their masks and reach sets
 *	place    limits for each part of a reach set, alignment and boundary counted on the bus
 *	coherent, region, atomic    buffers, and the memory that is kept for them
 *	map, sg                     streaming mappings
 *	bounce, bounce_*            the buffers behind them
 *	limited                     whether a reach set has all memory
 *	pool                        small coherent objects
 *	debug                       what drivers do wrong
 */
#ifndef PHYSZONE_DMA_DMA_INTERNAL_H
#define PHYSZONE_DMA_DMA_INTERNAL_H

#include <physzone/dma.h>
#include <physzone/dma_debug.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/meta.h"
#include "../base/pz_string.h"

enum dma_use { DMA_STREAMING, DMA_COHERENT, DMA_USES };

/* The widest window of a reach set, for the short way: [first, last] lies @offset below the bus. */
struct dma_fast {
	uint64_t first, last; /* first > last: there is none */
	uint64_t offset;      /* bus = phys + offset, modulo 2^64; the private bit is part of it */
};

struct bounce_pool;

struct pz_dma_dev {
	struct pz_dma *dma;
	bool plain;	  /* nothing but reach decides whether memory is mapped as it is */
	uint32_t bounced; /* a mapping was bounced since the masks were set */
	struct dma_fast fast[DMA_USES];
	struct pz_reach reach[DMA_USES]; /* cut by the masks */
	struct pz_reach base;		 /* before masks: windows less holes */
	bool shared;			 /* it needs shared memory, whatever the reason */
	struct pz_dma_dev_config cfg;	 /* its windows, holes and region are NULL or our copies */
	struct pz_dma_region region;
	struct bounce_pool *reserve; /* bounce buffers that are kept for its reach, or NULL */
	uint64_t buffers, buffer_bytes; /* coherent, out */
	struct pz_dma_dev *next, *prev;
};

struct pz_dma {
	struct pz_dma_config cfg;
	uint32_t page_shift;
	struct pz_dma_dev *devs;
};

static inline uint64_t pz_dma_page_bytes(const struct pz_dma *dma)
{
	return (uint64_t)1 << dma->page_shift;
}

/* The bit that a bus address of a device bears besides what its windows say. */
static inline uint64_t pz_dma_private(const struct pz_dma_dev *dev)
{
	return dev->shared ? 0 : dev->dma->cfg.private_bit;
}

/* A request seen from the bus. */
struct dma_want {
	uint64_t bytes;	   /* not 0 */
	uint64_t align;	   /* of the bus address: a power of two */
	uint64_t boundary; /* that the bus addresses do not cross a multiple of; 0 for none */
};

/*
 * The limits of one request to the page allocator after the other, from the highest window down,
 * that together allow exactly the places where @want may lie. Where a window's offset keeps
 * alignment and boundary there is one for a window; else one for each piece that does.
 */
struct dma_places {
	const struct pz_reach *reach;
	struct dma_want want;
	uint64_t granule; /* physical places are multiples of this */
	uint32_t left;	  /* windows to come */
	uint64_t top;	  /* in pieces: the last bus address of the window that is to come */
	bool pieces;
};

void pz_dma_places(struct dma_places *it, const struct pz_reach *reach, const struct dma_want *want,
		   uint64_t granule);
/* The next limits; false when there are no more. */
bool pz_dma_next_place(struct dma_places *it, struct pz_limits *limits);

/* What a buffer of a device must be on the bus: its size rounded up to pages. */
void pz_dma_want(const struct pz_dma_dev *dev, uint64_t bytes, struct dma_want *want);

/* Whether managed memory could ever serve a want: 0, -PZ_ERANGE. */
int pz_dma_ever(const struct pz_dma *dma, const struct pz_reach *reach,
		const struct dma_want *want);

/* The bus address of what a device reaches as a whole: 0, -PZ_ERANGE. @bytes is not 0. */
static inline int pz_dma_to_bus(const struct pz_dma_dev *dev, enum dma_use use, uint64_t phys,
				uint64_t bytes, uint64_t *bus)
{
	const struct dma_fast *f = &dev->fast[use];
	struct pz_range r = { phys, phys + (bytes - 1) };
	int rc;

	if (phys >= f->first && phys <= f->last && bytes - 1 <= f->last - phys) {
		*bus = phys + f->offset;
		return 0;
	}
	if (r.last < phys || !pz_reach_has(&dev->reach[use], r))
		return -PZ_ERANGE;
	rc = pz_reach_to_bus(&dev->reach[use], phys, bus);
	if (!rc)
		*bus |= pz_dma_private(dev);
	return rc;
}

/* The memory behind a bus address of a device: 0, -PZ_ERANGE. */
int pz_dma_from_bus(const struct pz_dma_dev *dev, enum dma_use use, uint64_t bus, uint64_t *phys);

/* Whether some managed memory is not in a reach set. */
bool pz_dma_reach_limited(const struct pz_dma *dma, const struct pz_reach *reach);

/* map.c: a device's masks were set. */
void pz_dma_map_ready(struct pz_dma_dev *dev);
int pz_dma_map_one(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		   enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);
void pz_dma_unmap_one(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		      uint32_t attrs);
void pz_dma_sync_one(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		     bool for_cpu);
bool pz_dma_crosses(uint64_t bus, uint64_t size, uint64_t boundary);

/* The bounce buffers of a device's streaming mappings, or NULL. */
static inline struct pz_bounce *pz_dma_bounce(const struct pz_dma_dev *dev)
{
	return dev->cfg.restricted ? dev->cfg.restricted : dev->dma->cfg.bounce;
}

/* bounce_map.c: mappings through bounce buffers. */
int pz_bounce_map(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		  enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);
/* False: no bounce buffer is there. */
bool pz_bounce_unmap(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		     uint32_t attrs);
bool pz_bounce_sync(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		    bool for_cpu);
uint64_t pz_bounce_max(const struct pz_dma_dev *dev);
/* Runs of slots that a device holds; by mappings, or by coherent buffers. */
uint64_t pz_bounce_held(const struct pz_dma_dev *dev, bool coherent);

/* bounce_grow.c: bounce buffers that are kept for a reach. */
int pz_dma_reserve(struct pz_dma_dev *dev, const struct pz_reach *reach, struct bounce_pool **out);
void pz_dma_unreserve(struct pz_dma_dev *dev, struct bounce_pool *p);

/* A time and a caller, for accounts. */
static inline uint64_t pz_dma_now(const struct pz_dma *dma)
{
	return dma->cfg.hooks.now ? dma->cfg.hooks.now(dma->cfg.hooks.ctx) : 0;
}

static inline uint64_t pz_dma_site(const struct pz_dma *dma)
{
	return dma->cfg.hooks.site ? dma->cfg.hooks.site(dma->cfg.hooks.ctx) : 0;
}

#endif
