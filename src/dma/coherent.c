/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent.c - coherent buffers: memory that CPU and device see alike.
 *
 * Concept
 *  A device whose one window keeps alignment, and for which nothing needs to be done to memory,
 *  goes the quick way: a block from the page allocator within the window, zeroed. Everybody else's
 *  buffers come from its region (region.c); from where all memory comes (take.c); or, in contexts
 *  that may not block, from a pool (atomic.c): all that has to be shared or mapped, and the rest
 *  when there is nothing else.
 *
 *  When the layer is told to hold, a CPU keeps the page that it freed last of each device that goes
 *  the quick way, with a seal on it: a page that begins with its seal is looked for among all that
 *  are kept before it is believed to be a buffer.
 *
 * Failure
 *  Nothing is held on error, but memory whose sharing failed is lost, and counted.
 *
 * Shortcomings
 *  A kept page that two CPUs free in the same instant, a misuse, may go unnoticed.
 *  Ordinary pages bear no record of their device: freeing another device's buffer whose bus address
 *  is the same is not noticed, and its account is wrong then.
 */
#include "dma_internal.h"

#include <physzone/bounce.h>


/* A buffer as the checks know it. */
static struct pz_dma_use coherent_use(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	struct pz_dma_use u = {
		.dev = dev,
		.kind = PZ_DMA_COHERENT,
		.dir = PZ_DMA_BIDIRECTIONAL,
		.bus = buf->bus,
		.phys = buf->phys,
		.size = buf->size,
		.attrs = buf->attrs,
		.memory = buf->cpu_addr,
	};

	return u;
}

/* The contiguous area that a request is served from first, or PZ_DMA_NO_CMA. */
static uint32_t coherent_cma(const struct pz_dma_dev *dev, uint32_t attrs, uint64_t pages)
{
	if (attrs & PZ_DMA_SINGLE_PAGES)
		return PZ_DMA_NO_CMA;
	if (dev->cfg.cma != PZ_DMA_NO_CMA)
		return dev->cfg.cma;
	return pages > 1 ? dev->dma->cfg.cma : PZ_DMA_NO_CMA;
}

void pz_dma_ask_init(struct dma_ask *ask, struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp,
		     uint32_t attrs, uint64_t size)
{
	memset(ask, 0, sizeof(*ask));
	ask->dma = dev->dma;
	ask->dev = dev;
	ask->reach = &dev->reach[DMA_COHERENT];
	pz_dma_want(dev, size, &ask->want);
	ask->wish.way = dev->way;
	ask->wish.attrs = attrs;
	ask->wish.zero = true;
	ask->wish.block = ask->wish.remap = gfp & PZ_GFP_BLOCK;
	ask->pages = pz_dma_pages_of(dev->dma, size);
	ask->cpu = cpu;
	ask->gfp = gfp;
	ask->cma = coherent_cma(dev, attrs, ask->pages);
}

int pz_dma_alloc_ordinary(const struct dma_ask *ask, struct pz_dma_buf *buf)
{
	struct dma_block block;
	int rc = pz_dma_take(ask, &block);

	if (rc)
		return rc;
	buf->cpu_addr = block.ready.cpu;
	buf->phys = block.phys;
	buf->from = (uint8_t)block.from;
	buf->mapped = block.ready.did;
	if (block.from == PZ_DMA_FROM_CMA) {
		buf->record = block.ticket.record;
		buf->serial = block.ticket.serial;
	}
	return 0;
}

int pz_dma_alloc_bounce(struct pz_dma_dev *dev, uint32_t cpu, const struct dma_wish *wish,
			uint64_t size, struct pz_dma_buf *buf)
{
	struct pz_bounce *b = dev->cfg.restricted;
	struct dma_ready ready;
	struct dma_want want;
	void *mem;
	int rc;

	if ((wish->way & DMA_WAY_REMAP) && !wish->block)
		return -PZ_ERANGE;
	pz_dma_want(dev, size, &want);
	rc = pz_bounce_take_want(b, dev, cpu, &want, &buf->phys, &mem);
	if (rc)
		return rc;
	rc = pz_dma_prepare(dev->dma, wish, buf->phys, want.bytes, &ready);
	if (rc) {
		(void)pz_bounce_give(b, dev, buf->phys, want.bytes);
		return rc;
	}
	buf->cpu_addr = ready.cpu;
	buf->from = PZ_DMA_FROM_BOUNCE;
	buf->mapped = ready.did;
	return 0;
}

/* All that a restricted device sees is in its bounce buffers, which are shared as they are. */
static int coherent_restricted(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
			       uint64_t size, struct pz_dma_buf *buf)
{
	struct dma_ask ask;

	if (!dev->cfg.coherent && (dev->way & DMA_WAY_NEVER))
		return -PZ_ERANGE;
	pz_dma_ask_init(&ask, dev, cpu, gfp, attrs, size);
	ask.wish.way &= ~DMA_WAY_SHARE;
	return pz_dma_alloc_bounce(dev, cpu, &ask.wish, size, buf);
}

/* From wherever a device's buffers come. */
static int coherent_find(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
			 uint64_t size, struct pz_dma_buf *buf)
{
	bool block = gfp & PZ_GFP_BLOCK, mapping = !(attrs & PZ_DMA_NO_KERNEL_MAPPING);
	struct dma_ask ask;
	int rc;

	if (dev->own)
		return pz_dma_region_alloc(dev, size, buf);
	if (dev->cfg.restricted)
		return coherent_restricted(dev, cpu, gfp, attrs, size, buf);
	if (dev->way & DMA_WAY_NEVER)
		return -PZ_ERANGE;
	if (!block && ((dev->way & DMA_WAY_SHARE) || (mapping && (dev->way & DMA_WAY_REMAP))))
		return pz_dma_atomic_alloc(dev, attrs, size, buf);
	pz_dma_ask_init(&ask, dev, cpu, gfp, attrs, size);
	rc = pz_dma_alloc_ordinary(&ask, buf);
	if (block)
		pz_dma_atomic_pass(dev, cpu);
	if (!rc || block)
		return rc;
	return pz_dma_atomic_alloc(dev, attrs, size, buf) ? rc : 0;
}

/* Everything but the quick way. */
static int coherent_alloc(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
			  uint64_t size, struct pz_dma_buf *buf)
{
	struct pz_dma_buf got;
	int rc;

	if (!size || (gfp & ~DMA_GFP) || (attrs & ~PZ_DMA_ATTRS))
		return -PZ_EINVAL;
	memset(&got, 0, sizeof(got));
	got.size = size;
	got.attrs = attrs;
	rc = coherent_find(dev, cpu, gfp, attrs, size, &got);
	if (rc == -PZ_ENOMEM && dev->hold.bytes && pz_dma_drain(dev, cpu))
		rc = coherent_find(dev, cpu, gfp, attrs, size, &got);
	if (rc)
		return rc;
	(void)pz_dma_to_bus(dev, DMA_COHERENT, got.phys, size, &got.bus);
	pz_dma_count(dev, cpu, 1, size);
	if (dev->dma->cfg.debug) {
		struct pz_dma_use u = coherent_use(dev, &got);

		pz_dma_debug_map(dev->dma->cfg.debug, &u);
	}
	*buf = got;
	return 0;
}

/* A buffer that is directly mapped memory as it is. */
static inline void coherent_fill(uint64_t offset, uint32_t attrs, uint64_t phys, void *p,
				 uint64_t size, struct pz_dma_buf *buf)
{
	buf->cpu_addr = p;
	buf->bus = phys + offset;
	buf->phys = phys;
	buf->size = size;
	buf->attrs = attrs;
	buf->from = PZ_DMA_FROM_PAGES;
	buf->mapped = 0;
	buf->serial = 0;
	buf->record = 0;
	buf->dir = PZ_DMA_BIDIRECTIONAL;
}

/* A page that this CPU kept, for a buffer of @size; counted. NULL when there is none. */
static inline void *coherent_again(const struct dma_hold *h, uint32_t cpu, uint64_t size,
				   uint64_t *phys)
{
	struct dma_count *c = &h->count[cpu];
	void *p;

	if (!c->held || !dma_enter(&c->busy))
		return NULL;
	p = c->held;
	if (p) {
		*phys = c->held_phys;
		__atomic_store_n(&c->held, NULL, __ATOMIC_RELAXED);
		dma_count_own(c, 1, size);
	}
	dma_leave(&c->busy);
	return p;
}

/* The quick way: a block of the one window, as it is. False when there is none now. */
static inline bool coherent_quick(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp,
				  unsigned int order, uint64_t *phys, void **p)
{
	struct pz_dma *dma = dev->dma;
	uint64_t pfn;

	if (pz_alloc_pages(dma->cfg.pages, cpu, gfp, order, dev->quick, &pfn))
		return false;
	*phys = pfn << dma->page_shift;
	*p = dma->cfg.hooks.direct(dma->cfg.hooks.ctx, *phys, pz_dma_page_bytes(dma) << order);
	if (*p)
		return true;
	pz_free_pages(dma->cfg.pages, cpu, pfn, order);
	return false;
}

static __attribute__((noinline)) int coherent_new(struct pz_dma_dev *dev, uint32_t cpu,
						  uint32_t gfp, uint32_t attrs, uint64_t size,
						  struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	uint64_t bytes = pz_dma_page_bytes(dma), phys;
	unsigned int order = 0;
	void *p;

	if (size > bytes) {
		bytes = size;
		order = pz_fls64(size) - dma->page_shift;
	}
	if (size - 1 >= dev->quick_bytes[gfp / PZ_GFP_BLOCK & 1] || (bytes & (bytes - 1)) ||
	    (gfp & ~DMA_GFP) || (attrs & (PZ_DMA_NO_KERNEL_MAPPING | ~PZ_DMA_ATTRS)) ||
	    !coherent_quick(dev, cpu, gfp, order, &phys, &p))
		return coherent_alloc(dev, cpu, gfp, attrs, size, buf);
	coherent_fill(dev->fast[DMA_COHERENT].offset, attrs, phys, p, size, buf);
	pz_dma_count(dev, cpu, 1, size);
	memset(p, 0, (size_t)bytes);
	return 0;
}

/* What is written last is zeroed last: what is read after that waits for it. */
int pz_dma_alloc(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs, uint64_t size,
		 struct pz_dma_buf *buf)
{
	const struct dma_hold *h = &dev->hold;
	uint64_t phys;
	void *p;

	if (size - 1 >= h->bytes || cpu >= h->cpus || (gfp & ~DMA_GFP) ||
	    (attrs & (PZ_DMA_NO_KERNEL_MAPPING | ~PZ_DMA_ATTRS)))
		return coherent_new(dev, cpu, gfp, attrs, size, buf);
	p = coherent_again(h, cpu, size, &phys);
	if (!p)
		return coherent_new(dev, cpu, gfp, attrs, size, buf);
	coherent_fill(h->offset, attrs, phys, p, size, buf);
	memset(p, 0, (size_t)h->bytes);
	return 0;
}

void pz_dma_buf_bug(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf, const char *what)
{
	pz_bug(dev->dma->cfg.bugs, "pz_dma_free", "%s: bus 0x%llx, memory 0x%llx, 0x%llx bytes %s",
	       dev->cfg.name, (unsigned long long)buf->bus, (unsigned long long)buf->phys,
	       (unsigned long long)buf->size, what);
}

/* What is wrong with a buffer by what it says of itself, or NULL. */
static const char *coherent_wrong(const struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	const struct pz_dma *dma = dev->dma;
	uint64_t bit = dma->cfg.private_bit, bus;

	if ((buf->mapped & DMA_DID_MAP && !dma->cfg.hooks.unmap) ||
	    (buf->mapped & DMA_DID_SHARE && !dma->cfg.hooks.share))
		return "is no buffer";
	if (!buf->size || (buf->phys & (pz_dma_page_bytes(dma) - 1)) ||
	    buf->size - 1 > PZ_ADDR_MAX - buf->phys)
		return "is no buffer";
	if (pz_dma_to_bus(dev, DMA_COHERENT, buf->phys, buf->size, &bus) ||
	    ((bus ^ buf->bus) & ~bit))
		return "is none of its buffers";
	return NULL;
}

/* Pages are asked before anything is undone: they must be one block of that length. */
static bool coherent_is_block(const struct pz_dma *dma, const struct pz_dma_buf *buf,
			      uint64_t pages)
{
	struct pz_page_info info;

	pz_page_info(dma->cfg.pages, buf->phys >> dma->page_shift, &info);
	return info.state == PZ_PAGE_HEAD && info.pages == pages;
}

/* Undo what was done to pages. False: the memory is lost. */
static bool coherent_undo(struct pz_dma *dma, const struct pz_dma_buf *buf, uint64_t pages)
{
	return pz_dma_unprepare(dma, buf->mapped, buf->cpu_addr, buf->phys,
				pages << dma->page_shift);
}

/* Whether a page is kept by any CPU; that it may be says the seal. */
static bool coherent_is_held(const struct pz_dma_dev *dev, const uint64_t *p)
{
	for (uint32_t i = 0; i < dev->dma->cfg.cpus; i++) {
		if (__atomic_load_n(&dev->count[i].held, __ATOMIC_RELAXED) == p)
			return true;
	}
	return false;
}

/* The same of a buffer of one page. */
static inline bool coherent_is_kept(const struct pz_dma_dev *dev, uint64_t phys, const uint64_t *p)
{
	return p && *p == pz_dma_seal(dev, phys) && coherent_is_held(dev, p);
}

static bool coherent_free_pages(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	uint64_t pages = pz_dma_pages_of(dma, buf->size);

	if (buf->mapped) {
		if (!coherent_is_block(dma, buf, pages)) {
			pz_dma_buf_bug(dev, buf, "is not allocated");
			return false;
		}
		if (!coherent_undo(dma, buf, pages))
			return true;
	}
	if (dev->hold.bytes && pages == 1 &&
	    coherent_is_kept(dev, buf->phys, pz_dma_direct(dma, buf->phys, dev->hold.bytes))) {
		pz_dma_buf_bug(dev, buf, "is not allocated");
		return false;
	}
	return pz_dma_untake_pages(dma, cpu, buf->phys, pages);
}

static bool coherent_free_cma(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	uint32_t area = dev->cfg.cma != PZ_DMA_NO_CMA ? dev->cfg.cma : dma->cfg.cma;
	uint64_t pages = pz_dma_pages_of(dma, buf->size);
	struct dma_ticket ticket = { buf->record, buf->serial };

	if (!pz_dma_record_end(dma, dev, PZ_DMA_FROM_CMA, buf->phys, pages << dma->page_shift,
			       &ticket))
		return false;
	if (!coherent_undo(dma, buf, pages))
		pages = 0;
	pz_dma_untake_cma(dma, cpu, area, buf->phys, pages);
	return true;
}

/* The bounce buffers know what they gave, and tell what is not so. */
static bool coherent_free_bounce(struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;

	if (!pz_bounce_give(dev->cfg.restricted, dev, buf->phys,
			    pz_dma_whole_pages(dma, buf->size)))
		return false;
	(void)pz_dma_unprepare(dma, buf->mapped, buf->cpu_addr, buf->phys,
			       pz_dma_whole_pages(dma, buf->size));
	return true;
}

bool pz_dma_free_any(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	const char *wrong = coherent_wrong(dev, buf);
	bool done = false;

	if (!wrong && buf->from == PZ_DMA_FROM_PAGES)
		return coherent_free_pages(dev, cpu, buf);
	if (!wrong && buf->from == PZ_DMA_FROM_BOUNCE && dev->cfg.restricted)
		return coherent_free_bounce(dev, buf);
	if (!wrong && buf->from == PZ_DMA_FROM_CMA)
		done = coherent_free_cma(dev, cpu, buf);
	else if (!wrong && buf->from == PZ_DMA_FROM_REGION)
		done = dev->own && pz_dma_region_free(dev, buf);
	else if (!wrong && buf->from == PZ_DMA_FROM_ATOMIC)
		done = pz_dma_atomic_free(dev, buf);
	if (!done)
		pz_dma_buf_bug(dev, buf, wrong ? wrong : "is not allocated");
	return done;
}

void pz_dma_free_use(const struct pz_dma_use *u, struct pz_dma_dev *dev, uint32_t cpu,
		     const struct pz_dma_buf *buf)
{
	struct pz_dma_debug *debug = dev->dma->cfg.debug;
	struct pz_dma_record was;
	bool taken = debug && pz_dma_debug_take(debug, u, &was);

	if (pz_dma_free_any(dev, cpu, buf))
		pz_dma_count(dev, cpu, ~(uint64_t)0, ~buf->size + 1);
	else if (taken)
		pz_dma_debug_put_back(debug, &was);
}

static void coherent_free(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	struct pz_dma_use u = coherent_use(dev, buf);

	pz_dma_free_use(&u, dev, cpu, buf);
}

static __attribute__((noinline)) void coherent_free_new(struct pz_dma_dev *dev, uint32_t cpu,
							const struct pz_dma_buf *buf)
{
	struct pz_dma *dma = dev->dma;
	const struct dma_fast *f = &dev->fast[DMA_COHERENT];
	uint64_t size = buf->size, phys = buf->phys;

	/* What the quick way could have given. */
	if (size - 1 >= pz_dma_page_bytes(dma) || !dev->quick_bytes[0] ||
	    (phys & (pz_dma_page_bytes(dma) - 1)) || phys - f->first > f->last - f->first ||
	    buf->bus != phys + f->offset || buf->from != PZ_DMA_FROM_PAGES || buf->mapped) {
		coherent_free(dev, cpu, buf);
		return;
	}
	if (pz_page_put_block(dma->cfg.pages, cpu, phys >> dma->page_shift, 0))
		pz_dma_count(dev, cpu, ~(uint64_t)0, ~size + 1);
}

/* Keep a page that is the caller's alone for the next buffer like it. */
static inline bool coherent_keep(const struct dma_hold *h, struct dma_count *c, uint64_t *p,
				 uint64_t seal, uint64_t phys, uint64_t size)
{
	bool kept;

	if (c->held || !pz_page_is_single(&h->look, phys) || !dma_enter(&c->busy))
		return false;
	/* A handler may have come in between, and kept another one. */
	kept = !c->held;
	if (kept) {
		*p = seal;
		c->held_phys = phys;
		__atomic_store_n(&c->held, p, __ATOMIC_RELAXED);
		dma_count_own(c, ~(uint64_t)0, ~size + 1);
	}
	dma_leave(&c->busy);
	return kept;
}

void pz_dma_free(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf)
{
	const struct dma_hold *h = &dev->hold;
	uint64_t size = buf->size, phys = buf->phys, seal = pz_dma_seal(dev, phys), *p;

	if (size - 1 >= h->bytes || (phys & (h->bytes - 1)) || phys - h->first > h->span ||
	    buf->bus != phys + h->offset || buf->from != PZ_DMA_FROM_PAGES || buf->mapped) {
		coherent_free_new(dev, cpu, buf);
		return;
	}
	p = h->direct(h->ctx, phys, h->bytes);
	if (coherent_is_kept(dev, phys, p))
		pz_dma_buf_bug(dev, buf, "is not allocated");
	else if (!p || cpu >= h->cpus || !coherent_keep(h, &h->count[cpu], p, seal, phys, size))
		coherent_free_new(dev, cpu, buf);
}

uint64_t pz_dma_drain(struct pz_dma_dev *dev, uint32_t cpu)
{
	struct pz_dma *dma = dev->dma;
	struct dma_count *c = &dev->count[cpu < dma->cfg.cpus ? cpu : dma->cfg.cpus];
	uint64_t phys = c->held_phys;
	bool had;

	if (!c->held || !dma_enter(&c->busy))
		return 0;
	had = c->held;
	phys = c->held_phys;
	c->held = NULL;
	dma_leave(&c->busy);
	return had && pz_page_put_block(dma->cfg.pages, cpu, phys >> dma->page_shift, 0);
}

void pz_dma_drain_all(struct pz_dma_dev *dev)
{
	for (uint32_t i = 0; i < dev->dma->cfg.cpus; i++)
		(void)pz_dma_drain(dev, i);
}
