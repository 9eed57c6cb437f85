/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_internal.h - the layer, a device, and the places where something for a device may lie.
 *
 *	dma      the layer: create and destroy
 *	device   devices, their masks and reach sets
 *	place    limits for each part of a reach set, alignment and boundary counted on the bus
 *	prepare  memory made ready for a device: shared, flushed, mapped, zeroed
 *	coherent, region, atomic    buffers, and the memory that is kept for them
 *	map, sg, bounce             streaming mappings
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

/* What a device makes of memory before it is a coherent buffer. */
#define DMA_WAY_SHARE 0x1u /* it is shared */
#define DMA_WAY_FLUSH 0x2u /* caches forget it: the device does not see them */
#define DMA_WAY_REMAP 0x4u /* it is mapped anew, uncached */
#define DMA_WAY_ALIAS 0x8u /* it has an uncached alias */
#define DMA_WAY_NEVER 0x10u /* no hook is there for what the device needs */

/* What had to be done for a buffer, and is undone when it goes: struct pz_dma_buf.mapped. */
#define DMA_DID_MAP 0x1u
#define DMA_DID_SHARE 0x2u

/* What is out, as one CPU counts it: an interrupt handler on top of it counts elsewhere. */
struct dma_count {
	uint64_t buffers, bytes; /* coherent; wrap: all CPUs together say the truth */
	uint32_t busy;
	uint32_t spare[11];
};

struct pz_dma_dev {
	struct pz_dma *dma;
	/* The quick way: one window, directly mapped, nothing to do to memory. */
	const struct pz_limits *quick; /* &limits, or NULL for any place at all */
	uint64_t quick_bytes;	       /* buffers of so many bytes at most go it; 0: none */
	struct pz_limits limits;
	struct dma_count *count; /* for each CPU, and one for whoever has none */
	uint32_t way;		 /* DMA_WAY_* */
	struct dma_fast fast[DMA_USES];
	struct pz_reach reach[DMA_USES]; /* cut by the masks */
	struct pz_reach base;		 /* before masks: windows less holes */
	bool shared;			 /* it needs shared memory, whatever the reason */
	struct pz_dma_dev_config cfg;	 /* its windows, holes and region are NULL or our copies */
	struct pz_dma_region region;
	struct pz_dma_dev *next, *prev;
};

struct pz_dma {
	struct pz_dma_config cfg;
	uint32_t page_shift;
	struct pz_dma_dev *devs;
	uint64_t lost; /* bytes whose state is not known: sharing failed */
};

static inline uint64_t pz_dma_page_bytes(const struct pz_dma *dma)
{
	return (uint64_t)1 << dma->page_shift;
}

/* Physical addresses that the direct hook may know. */
static inline struct pz_range pz_dma_mapped(const struct pz_dma *dma)
{
	struct pz_range all = { 0, PZ_ADDR_MAX };

	return dma->cfg.direct.last ? dma->cfg.direct : all;
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

/* Count buffers that come (@n is 1) or go (~0). */
static inline void pz_dma_count(struct pz_dma_dev *dev, uint32_t cpu, uint64_t n, uint64_t bytes)
{
	uint32_t cpus = dev->dma->cfg.cpus;
	struct dma_count *c = &dev->count[cpu < cpus ? cpu : cpus];

	if (cpu < cpus && !pz_peek32(&c->busy)) {
		pz_poke32(&c->busy, 1);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		pz_poke64(&c->buffers, c->buffers + n);
		pz_poke64(&c->bytes, c->bytes + bytes);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		pz_poke32(&c->busy, 0);
		return;
	}
	c = &dev->count[cpus];
	pz_count64(&c->buffers, n);
	pz_count64(&c->bytes, bytes);
}

/* Coherent buffers that are out, and their bytes. */
uint64_t pz_dma_buffers(const struct pz_dma_dev *dev, uint64_t *bytes);

/* How memory is to be made ready. */
struct dma_wish {
	uint32_t way;	/* DMA_WAY_* */
	uint32_t attrs; /* PZ_DMA_* */
	bool zero, block;
};

/* Memory that is ready. */
struct dma_ready {
	void *cpu;
	uint8_t did;  /* DMA_DID_* */
	bool lost;    /* on error: nobody may have the memory any more */
};

/* Make memory of whole pages ready: 0, -PZ_ENOMEM. */
int pz_dma_prepare(struct pz_dma *dma, const struct dma_wish *wish, uint64_t phys, uint64_t bytes,
		   struct dma_ready *out);
/* Undo what was done. False: the memory is lost. */
bool pz_dma_unprepare(struct pz_dma *dma, uint8_t did, void *cpu, uint64_t phys, uint64_t bytes);

/* The address of directly mapped memory, or NULL. */
static inline void *pz_dma_direct(const struct pz_dma *dma, uint64_t phys, uint64_t bytes)
{
	return dma->cfg.hooks.direct ? dma->cfg.hooks.direct(dma->cfg.hooks.ctx, phys, bytes) : NULL;
}

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
