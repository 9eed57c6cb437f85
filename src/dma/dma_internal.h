/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_internal.h - the layer, a device, and the places where something for a device may lie.
 *
 *	dma      the layer: create and destroy
 *	device   devices, their masks and reach sets
 *	place    limits for each part of a reach set, alignment and boundary counted on the bus
 *	prepare  memory made ready for a device: shared, flushed, mapped, zeroed
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
#include <physzone/genpool.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/meta.h"
#include "../base/pz_string.h"
#include "../page/page_put.h"

enum dma_use { DMA_STREAMING, DMA_COHERENT, DMA_USES };

/* The widest window of a reach set, for the short way: [first, last] lies @offset below the bus. */
struct dma_fast {
	uint64_t first, last; /* first > last: there is none */
	uint64_t offset;      /* bus = phys + offset, modulo 2^64; the private bit is part of it */
};

struct dma_region; /* region.c */
struct dma_atomic; /* atomic_internal.h */

#define DMA_RECORD_SEGS 20u

/* Who holds a piece; its memory stays a record until the layer goes. */
struct dma_record {
	uint64_t dev, phys, bytes, since, site;
	uint32_t from;
	uint32_t state; /* serial number << 1 | in use */
	uint32_t next;	/* number + 1 of the next free one */
};

/* Which record, and which use of it. */
struct dma_ticket {
	uint32_t record;
	uint16_t serial;
};

struct dma_held {
	struct pz_dma_holder h;
	struct dma_ticket ticket;
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
#define DMA_DID_CACHE 0x4u /* nothing, but the CPU saw it through caches that the device does not */

/* What is out, as one CPU counts it: an interrupt handler on top of it counts elsewhere. */
struct dma_count {
	uint64_t buffers, bytes; /* coherent; wrap: all CPUs together say the truth */
	uint64_t *held;		 /* the page that was freed last, if it is kept; sealed */
	uint64_t held_phys;
	uint32_t busy;
	uint32_t spare[7 + (sizeof(void *) < 8)];
};

/* Only the CPU itself touches what is between these two; a handler on top of it sees that. */
static inline bool dma_enter(uint32_t *busy)
{
	if (pz_peek32(busy))
		return false;
	pz_poke32(busy, 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return true;
}

static inline void dma_leave(uint32_t *busy)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	pz_poke32(busy, 0);
}

/* All that keeping the page that was freed last takes to know. */
struct dma_hold {
	uint64_t bytes; /* of a page, the largest buffer that is kept; 0: none is */
	uint32_t cpus;
	struct dma_count *count; /* the device's */
	uint64_t first, span, offset; /* as struct dma_fast */
	struct page_look look;
	void *(*direct)(void *ctx, uint64_t phys, uint64_t bytes);
	void *ctx;
};

struct bounce_pool;

struct pz_dma_dev {
	struct dma_hold hold;
	struct pz_dma *dma;
	/* The quick way: one window, directly mapped, nothing to do to memory. */
	const struct pz_limits *quick; /* &limits, or NULL for any place at all */
	uint64_t quick_bytes[2];       /* largest buffer that goes it; [1]: by who may block */
	struct pz_limits limits;
	struct dma_count *count; /* for each CPU, and one for whoever has none */
	uint32_t way;		 /* DMA_WAY_* */
	bool plain;	  /* nothing but reach decides whether memory is mapped as it is */
	uint32_t bounced; /* a mapping was bounced since the masks were set */
	struct dma_fast fast[DMA_USES];
	struct pz_reach reach[DMA_USES]; /* cut by the masks */
	struct pz_reach base;		 /* before masks: windows less holes */
	bool shared;			 /* it needs shared memory, whatever the reason */
	struct pz_dma_dev_config cfg;	 /* its windows, holes and region are NULL or our copies */
	struct pz_dma_region region;
	struct dma_region *own;	   /* the region that it joined, or NULL */
	struct dma_atomic *atomic; /* its pool for contexts that may not block, or NULL */
	struct bounce_pool *reserve; /* bounce buffers that are kept for its reach, or NULL */
	struct pz_dma_dev *next, *prev;
};

struct pz_dma {
	struct pz_dma_config cfg;
	uint32_t page_shift;
	struct pz_dma_dev *devs;
	uint64_t lost; /* bytes whose state is not known: sharing failed */
	/* record.c */
	uint64_t record_seg[DMA_RECORD_SEGS]; /* addresses of segments */
	uint64_t record_free;		      /* changes << 32 | number + 1 of the first */
	uint64_t record_cap, record_promised;
	/* region.c, atomic.c: changed while devices are made and destroyed */
	struct dma_region *regions;
	uint64_t atomics;   /* the address of the newest pool */
	uint32_t working;   /* somebody is in pz_dma_work() */
	uint32_t again;	    /* and somebody came meanwhile */
	uint32_t work_asked;
	uint32_t fault_pages, fault_cma, fault_piece;
};

static inline uint64_t pz_dma_page_bytes(const struct pz_dma *dma)
{
	return (uint64_t)1 << dma->page_shift;
}

/* What a caller may ask for. */
#define DMA_GFP (PZ_GFP_BLOCK | PZ_GFP_HIGH | PZ_GFP_NORETRY | PZ_GFP_NOMIGRATE | PZ_GFP_MEMALLOC)

/* Pages of a buffer, and their bytes. @size is not 0. */
static inline uint64_t pz_dma_pages_of(const struct pz_dma *dma, uint64_t size)
{
	return ((size - 1) >> dma->page_shift) + 1;
}

static inline uint64_t pz_dma_whole_pages(const struct pz_dma *dma, uint64_t size)
{
	return pz_dma_pages_of(dma, size) << dma->page_shift;
}

/* Physical addresses that the direct hook may know. */
static inline struct pz_range pz_dma_mapped(const struct pz_dma *dma)
{
	struct pz_range all = { 0, PZ_ADDR_MAX };

	return dma->cfg.direct.last ? dma->cfg.direct : all;
}

/* The highest bus address that a mask and the buses leave. */
static inline uint64_t pz_dma_max_bus(const struct pz_dma_dev *dev, uint64_t mask)
{
	uint64_t limit = dev->cfg.bus_limit;

	return limit && limit < mask ? limit : mask;
}

/* The bit that a bus address of a device bears besides what its windows say. */
static inline uint64_t pz_dma_private(const struct pz_dma_dev *dev)
{
	return dev->shared ? 0 : dev->dma->cfg.private_bit;
}

/* The highest bus address, without the private bit, that a mask leaves a device. */
uint64_t pz_dma_top(const struct pz_dma_dev *dev, uint64_t mask, bool shared);

/* Whether memory that is not directly mapped can be mapped anew where @way is done to it. */
static inline bool pz_dma_maps(const struct pz_dma *dma, uint32_t way)
{
	return dma->cfg.hooks.remap && !(way & DMA_WAY_ALIAS);
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
int pz_dma_ever_in(const struct pz_dma *dma, const struct pz_reach *reach,
		   const struct dma_want *want, struct pz_range in);

static inline int pz_dma_ever(const struct pz_dma *dma, const struct pz_reach *reach,
			      const struct dma_want *want)
{
	struct pz_range all = { 0, PZ_ADDR_MAX };

	return pz_dma_ever_in(dma, reach, want, all);
}

/* Whether two reach sets have the same memory at the same bus addresses. */
bool pz_dma_same_reach(const struct pz_reach *a, const struct pz_reach *b);

/* Narrow the bounds of limits; false when nothing is left. */
bool pz_dma_clip(struct pz_limits *l, struct pz_range in);

/* Whether the page allocator manages a page of which a part lies in [first, last]. */
bool pz_dma_has_managed(const struct pz_dma *dma, uint64_t first, uint64_t last);

/* Whether some managed memory is not in a reach set. */
bool pz_dma_reach_limited(const struct pz_dma *dma, const struct pz_reach *reach);
/* Whether all of it is, and what is in a row in memory is so on the bus. */
bool pz_dma_reach_whole(const struct pz_dma *dma, const struct pz_reach *reach);

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

static inline void dma_count_own(struct dma_count *c, uint64_t n, uint64_t bytes)
{
	pz_poke64(&c->buffers, c->buffers + n);
	pz_poke64(&c->bytes, c->bytes + bytes);
}

/* Count buffers that come (@n is 1) or go (~0). */
static inline void pz_dma_count(struct pz_dma_dev *dev, uint32_t cpu, uint64_t n, uint64_t bytes)
{
	uint32_t cpus = dev->dma->cfg.cpus;
	struct dma_count *c = &dev->count[cpu < cpus ? cpu : cpus];

	if (cpu < cpus && dma_enter(&c->busy)) {
		dma_count_own(c, n, bytes);
		dma_leave(&c->busy);
		return;
	}
	c = &dev->count[cpus];
	pz_count64(&c->buffers, n);
	pz_count64(&c->bytes, bytes);
}

/* Coherent buffers that are out, and their bytes. */
uint64_t pz_dma_buffers(const struct pz_dma_dev *dev, uint64_t *bytes);

/* What a page that is kept begins with: a free of such a page is looked at closely. */
static inline uint64_t pz_dma_seal(const struct pz_dma_dev *dev, uint64_t phys)
{
	return (phys ^ (uintptr_t)dev) * 0x9e3779b97f4a7c15u;
}

/* How memory is to be made ready. */
struct dma_wish {
	uint32_t way;	/* DMA_WAY_* */
	uint32_t attrs; /* PZ_DMA_* */
	bool zero;
	bool block; /* it may be shared */
	bool remap; /* it may be mapped anew */
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
/* What caches hold is written back and forgotten. */
void pz_dma_flush(struct pz_dma *dma, uint64_t phys, uint64_t bytes);
/* Undo what was done. False: the memory is lost. */
bool pz_dma_unprepare(struct pz_dma *dma, uint8_t did, void *cpu, uint64_t phys, uint64_t bytes);

/* The address of directly mapped memory, or NULL. */
static inline void *pz_dma_direct(const struct pz_dma *dma, uint64_t phys, uint64_t bytes)
{
	const struct pz_dma_hooks *h = &dma->cfg.hooks;

	return h->direct ? h->direct(h->ctx, phys, bytes) : NULL;
}

/* See to it that @n more records can be had: false for lack of memory. May block. */
bool pz_dma_record_promise(struct pz_dma *dma, uint64_t n);
void pz_dma_record_release(struct pz_dma *dma, uint64_t n);
/* Note who holds a piece. False: none was promised. @dev NULL: the layer itself. */
bool pz_dma_record_add(struct pz_dma *dma, const struct pz_dma_dev *dev, enum pz_dma_from from,
		       uint64_t phys, uint64_t bytes, struct dma_ticket *ticket);
/* The piece is given back, by one who knows all of it; false when that is not so. */
bool pz_dma_record_end(struct pz_dma *dma, const struct pz_dma_dev *dev, enum pz_dma_from from,
		       uint64_t phys, uint64_t bytes, const struct dma_ticket *ticket);
int pz_dma_record_each(const struct pz_dma *dma, int (*fn)(void *ctx, const struct dma_held *h),
		       void *ctx);
/* The record of a piece that a device holds. O(records). */
bool pz_dma_record_find(const struct pz_dma *dma, const struct pz_dma_dev *dev, uint64_t phys,
			uint64_t bytes, enum pz_dma_from *from, struct dma_ticket *ticket);
bool pz_dma_records_sound(const struct pz_dma *dma);
void pz_dma_records_drop(struct pz_dma *dma);

/* What memory is asked for: by a device for a buffer, or for a pool. */
struct dma_ask {
	struct pz_dma *dma;
	const struct pz_dma_dev *dev; /* whose account, or NULL */
	const struct pz_reach *reach;
	struct dma_want want;
	struct dma_wish wish;
	uint64_t pages;
	uint32_t cpu, gfp;
	uint32_t cma;	 /* the contiguous area to ask first, or PZ_DMA_NO_CMA */
	bool mapped_only; /* high memory is no good, even if it could be mapped */
};

/* Give back what all CPUs keep for a device that is not in use. */
void pz_dma_drain_all(struct pz_dma_dev *dev);

/* What a buffer of a device asks for. */
void pz_dma_ask_init(struct dma_ask *ask, struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp,
		     uint32_t attrs, uint64_t size);
/* A buffer from contiguous areas or pages; all but its bus address and attributes. */
int pz_dma_alloc_ordinary(const struct dma_ask *ask, struct pz_dma_buf *buf);
/* A buffer of a restricted device, likewise. */
int pz_dma_alloc_bounce(struct pz_dma_dev *dev, uint32_t cpu, const struct dma_wish *wish,
			uint64_t size, struct pz_dma_buf *buf);
/* Free a buffer wherever it is from; false for misuse, which was told. */
bool pz_dma_free_any(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf);
/* The same, counted, telling the checks. */
void pz_dma_free_use(const struct pz_dma_use *u, struct pz_dma_dev *dev, uint32_t cpu,
		     const struct pz_dma_buf *buf);
void pz_dma_buf_bug(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf, const char *what);

/* What was found. */
struct dma_block {
	uint64_t phys;
	struct dma_ready ready;
	enum pz_dma_from from;
	struct dma_ticket ticket; /* from a contiguous area */
};

/* Whether a contiguous area is one, or none was meant. */
static inline bool pz_dma_has_cma(const struct pz_dma *dma, uint32_t area)
{
	uint64_t pfn;

	return area == PZ_DMA_NO_CMA ||
	       pz_cma_alloc(dma->cfg.pages, PZ_CPU_NONE, area, 0, 0, NULL, &pfn) != -PZ_ENOENT;
}

/* Memory from a contiguous area or from the page allocator, ready. */
int pz_dma_take(const struct dma_ask *ask, struct dma_block *out);
/* Give pages of a contiguous area back, whose record has ended; no pages: they are lost. */
void pz_dma_untake_cma(struct pz_dma *dma, uint32_t cpu, uint32_t area, uint64_t phys,
		       uint64_t pages);
/* Give pages back; false for misuse, which was told. */
bool pz_dma_untake_pages(struct pz_dma *dma, uint32_t cpu, uint64_t phys, uint64_t pages);

/* The first granule of a place for @want in a chunk of memory, for pz_genpool. */
struct dma_piece {
	const struct pz_reach *reach;
	const struct dma_want *want;
};
uint32_t pz_dma_piece(void *ctx, const struct pz_genpool_view *v, uint32_t from, uint32_t n);
/*
 * Take a piece of a pool or region for a device, with a record: 0, -PZ_ENOMEM. Of @buf what says
 * where it is and what came; @owner of its chunk.
 */
int pz_dma_piece_take(struct pz_dma_dev *dev, struct pz_genpool *pool, enum pz_dma_from from,
		      uint64_t size, struct pz_dma_buf *buf, void **owner);
/* Give it back; false: it is none. */
bool pz_dma_piece_give(struct pz_dma_dev *dev, struct pz_genpool *pool,
		       const struct pz_dma_buf *buf);

/* region.c */
int pz_dma_region_join(struct pz_dma_dev *dev);
void pz_dma_region_leave(struct pz_dma_dev *dev);
int pz_dma_region_alloc(struct pz_dma_dev *dev, uint64_t size, struct pz_dma_buf *buf);
bool pz_dma_region_free(struct pz_dma_dev *dev, const struct pz_dma_buf *buf);
/* Whether a region has any place for a want in a reach set, when nothing is taken. */
bool pz_dma_region_ever(const struct dma_region *r, const struct pz_dma *dma,
			const struct pz_reach *reach, const struct dma_want *want);
bool pz_dma_regions_sound(const struct pz_dma *dma);

/* atomic.c: *out is NULL for a device that needs no pool. */
int pz_dma_atomic_join(struct pz_dma_dev *dev, const struct pz_reach *reach, uint32_t way,
		       struct dma_atomic **out);
void pz_dma_atomic_leave(struct pz_dma *dma, struct dma_atomic *a);
int pz_dma_atomic_alloc(struct pz_dma_dev *dev, uint32_t attrs, uint64_t size,
			struct pz_dma_buf *buf);
bool pz_dma_atomic_free(struct pz_dma_dev *dev, const struct pz_dma_buf *buf);
/* A caller that may block passes by. */
void pz_dma_atomic_pass(struct pz_dma_dev *dev, uint32_t cpu);
void pz_dma_atomics_drop(struct pz_dma *dma);

/* map.c: a device's masks were set. */
void pz_dma_map_ready(struct pz_dma_dev *dev);
int pz_dma_map_one(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		   enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);
/* False: misuse, which was told. */
bool pz_dma_unmap_one(struct pz_dma_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		      enum pz_dma_dir dir, uint32_t attrs);
/* The same where there are checks, telling them; for single buffers and elements of lists. */
void pz_dma_unmap_use(const struct pz_dma_use *u, struct pz_dma_dev *dev, uint32_t cpu);
void pz_dma_sync_one(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		     bool for_cpu);
bool pz_dma_crosses(uint64_t bus, uint64_t size, uint64_t boundary);

/* The bounce buffers of a device's streaming mappings, or NULL. */
static inline struct pz_bounce *pz_dma_bounce(const struct pz_dma_dev *dev)
{
	return dev->cfg.restricted ? dev->cfg.restricted : dev->dma->cfg.bounce;
}

/* debug.c: tell what is wrong with what is given back; true with its record, which is out then. */
bool pz_dma_debug_take(struct pz_dma_debug *d, const struct pz_dma_use *u,
		       struct pz_dma_record *was);
/* It was not given back: the layer refused. */
void pz_dma_debug_put_back(struct pz_dma_debug *d, const struct pz_dma_record *was);
/* An element of a list was not mapped: tell what is wrong with it, if that is why. */
void pz_dma_debug_refused(struct pz_dma_debug *d, const struct pz_dma_use *u);

/* bounce_map.c: mappings through bounce buffers. */
int pz_bounce_map(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		  enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);
/* 0; -PZ_ENOENT: no bounce buffer is there; -PZ_EINVAL: misuse, which was told. */
int pz_bounce_unmap(struct pz_dma_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs);
/* False: no bounce buffer is there that stands for other memory. */
bool pz_bounce_sync(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		    bool for_cpu);
uint64_t pz_bounce_max(const struct pz_dma_dev *dev);
/* pz_bounce_take() of a want. */
int pz_bounce_take_want(struct pz_bounce *b, struct pz_dma_dev *dev, uint32_t cpu,
			const struct dma_want *want, uint64_t *phys, void **mem);
/* Whether a want has a place in what is set aside or made of page frames, when nothing is taken. */
bool pz_bounce_ever(const struct pz_dma_dev *dev, enum dma_use use, const struct pz_reach *reach,
		    const struct dma_want *want);
/* Runs of slots that a device holds; by mappings, or by coherent buffers. */
uint64_t pz_bounce_held(const struct pz_dma_dev *dev, bool coherent);

/* bounce_grow.c: bounce buffers that are kept for a reach. */
int pz_dma_reserve(struct pz_dma_dev *dev, const struct pz_reach *reach, bool shared,
		   struct bounce_pool **out);
void pz_dma_unreserve(struct pz_dma_dev *dev, struct bounce_pool *p);

/* Whether page 0 is managed, and the hook for direct addresses says that it is not mapped. */
bool pz_dma_null_page(const struct pz_pages *pages, const struct pz_dma_hooks *h);
/* Give back what bounce buffers grew by and nobody used since the last time; may block. */
uint64_t pz_bounce_settle(struct pz_bounce *b, uint32_t cpu);
/* Fill and empty pools for atomic contexts. */
bool pz_dma_atomics_tend(struct pz_dma *dma, uint32_t cpu);
/* Mappings that are out and known of. */
uint64_t pz_dma_mapped_count(const struct pz_dma_dev *dev);

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
