/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_map.c - what runs of bounce slots stand for: mappings and coherent buffers, and the
 * copying.
 *
 * Concept
 *  A run is found by its bus address: the windows of the device lead to a physical address, that to
 *  a pool and a slot, the slot to the first one of its run and its record. Whoever ends
 *  the run in its record owns it alone, so that of two who unmap the same, one is told. A run's
 *  slots are given back, or kept by the CPU, when the copying is done.
 *
 * Invariants: see bounce_stat.c.
 *
 * Failure
 *  A mapping that cannot be had leaves everything as it was; misuse is told, and changes nothing.
 *
 * Shortcomings
 *  A mapping that is unmapped twice, when its slots were mapped anew by the same device in the same
 *  size and direction in between, is the new one unmapped. When its pool has gone in between, the
 *  address is taken for memory that was mapped as it is.
 */
#include "bounce_internal.h"

#define COPY_AHEAD 24u /* lines; many more hold up the rest */
#define RUN_ROUNDS 4   /* searches for one run, while others take and free */

/* --- copying --- */

static void copy_bytes(unsigned char *buf, unsigned char *mem, uint64_t bytes, bool back)
{
	if (back)
		memcpy(mem, buf, (size_t)bytes);
	else
		memcpy(buf, mem, (size_t)bytes);
}

/* Memory that is not mapped as a whole: page by page. */
static bool copy_pages(const struct pz_bounce *b, unsigned char *buf, uint64_t phys, uint64_t bytes,
		       bool back)
{
	const struct pz_dma_hooks *h = &b->cfg.hooks;
	uint64_t page = (uint64_t)1 << b->page_shift;

	while (bytes) {
		uint64_t part = page - (phys & (page - 1));
		unsigned char *mem;

		part = part < bytes ? part : bytes;
		mem = h->direct(h->ctx, phys, part);
		if (mem) {
			copy_bytes(buf, mem, part, back);
		} else {
			mem = h->window ? h->window(h->ctx, phys, part) : NULL;
			if (!mem)
				return false;
			copy_bytes(buf, mem, part, back);
			if (h->unwindow)
				h->unwindow(h->ctx, mem, part);
		}
		buf += part;
		phys += part;
		bytes -= part;
	}
	return true;
}

static unsigned char *copy_mapped(const struct pz_bounce *b, uint64_t phys, uint64_t bytes)
{
	return b->cfg.hooks.direct(b->cfg.hooks.ctx, phys, bytes);
}

/*
 * Memory that will be copied is fetched from here on: an exchange waits for what was copied before
 * it, and nothing is fetched behind it.
 */
static inline void copy_ahead(const unsigned char *mem, uint64_t bytes)
{
	for (uint64_t i = 0; mem && i < bytes && i < COPY_AHEAD * BOUNCE_LINE; i += BOUNCE_LINE)
		__builtin_prefetch(mem + i);
}

/* Copy to a buffer, or back; @mem: the memory where it is mapped. False: it cannot be seen. */
static bool copy_memory(const struct pz_bounce *b, unsigned char *buf, unsigned char *mem,
			uint64_t phys, uint64_t bytes, bool back)
{
	if (!mem)
		return copy_pages(b, buf, phys, bytes, back);
	copy_bytes(buf, mem, bytes, back);
	return true;
}

/* --- finding --- */

/* A run, by an address in it. Its pool is entered. */
struct bounce_hit {
	struct bounce_pool *pool;
	struct bounce_run *run;
	uint64_t state;
	uint32_t at;   /* its first slot */
	uint64_t phys; /* the address that was looked for */
	uint64_t into; /* bytes of the run before it */
};

/* The run that has a physical address. False: none, and nothing is entered. */
static bool hit_phys(const struct pz_bounce *b, uint64_t phys, struct bounce_hit *h)
{
	uint64_t off;
	uint32_t slot;

	h->pool = pz_bounce_find(b, phys);
	if (!h->pool)
		return false;
	off = phys - pz_peek64(&h->pool->first);
	slot = (uint32_t)(off >> PZ_BOUNCE_SHIFT);
	h->phys = phys;
	h->at = pz_peek32(&h->pool->head[slot]);
	h->run = &h->pool->run[h->at];
	h->state = pz_load64(&h->run->state);
	h->into = off - ((uint64_t)h->at << PZ_BOUNCE_SHIFT) - RUN_DELTA(h->state);
	if (!(h->state & RUN_BUSY) || slot < h->at || slot - h->at >= RUN_SLOTS(h->state))
		h->state = 0;
	return true;
}

/* The same by a bus address of a device. */
static bool hit_bus(const struct pz_dma_dev *dev, uint64_t bus, struct bounce_hit *h)
{
	const struct pz_bounce *b = pz_dma_bounce(dev);
	const struct pz_reach *reach = &dev->reach[DMA_STREAMING];

	if (!b)
		return false;
	bus &= ~dev->dma->cfg.private_bit;
	for (uint32_t i = 0; i < reach->count; i++) {
		const struct pz_window *w = &reach->v[i];

		if (bus < w->bus || bus - w->bus > w->phys.last - w->phys.first)
			continue;
		if (hit_phys(b, w->phys.first + (bus - w->bus), h))
			return true;
	}
	return false;
}

static unsigned char *run_memory(const struct bounce_pool *p, uint64_t phys)
{
	return p->mem + (size_t)(phys - pz_peek64(&p->first));
}

/* Copy between a run, from what was found on, and memory. */
static bool copy_run(const struct pz_bounce *b, const struct bounce_hit *h, uint64_t phys,
		     uint64_t size, bool back)
{
	return copy_memory(b, run_memory(h->pool, h->phys), copy_mapped(b, phys, size), phys, size,
			   back);
}

/* --- taking and giving back --- */

static void run_begin(struct pz_bounce *b, const struct bounce_got *got,
		     const struct pz_dma_dev *dev, uint64_t phys, uint64_t size,
		     enum pz_dma_dir dir)
{
	const struct pz_dma_hooks *h = &b->cfg.hooks;
	struct bounce_pool *p = got->pool;
	struct bounce_run *r = &p->run[got->at];
	uint64_t number = RUN_NUMBERS(pz_load64(&r->state)) + RUN_NUMBER;

	for (uint32_t i = 0; i < got->n; i++)
		pz_poke32(&p->head[got->at + i], got->at);
	pz_poke64(&r->phys, phys);
	pz_poke64(&r->size, size);
	pz_poke64(&r->dev, (uintptr_t)dev);
	pz_poke64(&r->since, h->now ? h->now(h->ctx) : 0);
	pz_poke64(&r->site, h->site ? h->site(h->ctx) : 0);
	pz_release64(&r->state, got->n | (uint64_t)got->delta << 24 | (uint64_t)got->area << 35 |
					(uint64_t)dir << 47 | RUN_BUSY | number);
}

/* End a run; false when it has ended. */
static bool run_end(const struct bounce_hit *h)
{
	return pz_cas64(&h->run->state, h->state, RUN_NUMBERS(h->state));
}

/* Slots whose run has ended go back; the pool is entered, and left with them. */
static void run_drop(struct bounce_pool *p, uint32_t at, uint64_t state)
{
	uint32_t area = RUN_AREA(state), n = RUN_SLOTS(state);

	pz_bounce_clear(p, at, n);
	pz_poke32(&p->area[area].hint, at);
	bounce_count(p, 0 - (uint64_t)n - LIFE_PIN);
}

/* The same, or its CPU keeps them. */
static void run_hand_back(struct bounce_pool *p, uint32_t cpu, uint32_t at, uint64_t state)
{
	if (!pz_bounce_keep(p, cpu, at, RUN_SLOTS(state)))
		run_drop(p, at, state);
}

static bool run_may(const struct pz_dma_dev *dev, const struct bounce_pool *p)
{
	return pz_peek32(&p->kind) != PZ_BOUNCE_RESERVE || p == dev->reserve;
}

/* No place and no further pool: why. */
static int run_refuse(struct pz_bounce *b, const struct pz_dma_dev *dev,
		      const struct bounce_want *k, int rc)
{
	uint64_t need = ((k->bytes - 1) >> PZ_BOUNCE_SHIFT) + 1;
	bool could = rc != -PZ_ERANGE, scattered = false;

	for (uint32_t i = 0; i < pz_load32(&b->top); i++) {
		struct bounce_pool *p = &b->pool[i];

		if (!bounce_enter(p))
			continue;
		if (run_may(dev, p) && pz_bounce_could(p, &dev->reach[k->use], k)) {
			could = true;
			pz_bounce_peak(p);
			scattered |= p->slots >= pz_bounce_used(p) + need;
		}
		bounce_leave(p);
	}
	if (!could)
		return -PZ_ERANGE;
	pz_count64(scattered ? &b->fragmented : &b->full, 1);
	return -PZ_ENOMEM;
}

/* Take a run in any pool that is there. */
static bool run_find(struct pz_bounce *b, const struct pz_dma_dev *dev, uint32_t cpu,
		     const struct bounce_want *k, struct bounce_got *got)
{
	uint32_t top = pz_load32(&b->top);

	for (uint32_t i = 0; i < top; i++) {
		struct bounce_pool *p = &b->pool[i];

		if (!bounce_enter(p))
			continue;
		if (run_may(dev, p) && pz_bounce_claim_live(p, &dev->reach[k->use], k, cpu, got))
			return true;
		bounce_leave(p);
	}
	return false;
}

/* Take a run: 0, -PZ_ERANGE when there never is a place, -PZ_ENOMEM. */
static int run_take(struct pz_bounce *b, struct pz_dma_dev *dev, uint32_t cpu,
		    const struct bounce_want *k, struct bounce_got *got)
{
	uint32_t events = 0, was;
	int rc, rounds = 0;

	do {
		if (run_find(b, dev, cpu, k, got))
			return 0;
		was = events;
		events = pz_bounce_give_up(b);
	} while (events != was && ++rounds < RUN_ROUNDS);
	rc = pz_bounce_grow(b, dev, cpu, k, got);
	return rc ? run_refuse(b, dev, k, rc) : 0;
}

/* --- mappings --- */

static void map_want(const struct pz_dma_dev *dev, uint64_t bytes, struct bounce_want *k)
{
	k->bytes = bytes;
	k->mask = (dev->cfg.align - 1) | dev->cfg.keep_mask | (PZ_BOUNCE_SLOT - 1);
	k->rest = 0;
	k->boundary = dev->cfg.boundary;
	k->use = DMA_STREAMING;
}

/* Low bits of an address that a bounce buffer keeps; what is to be aligned is not kept. */
static uint64_t map_kept(const struct pz_dma_dev *dev)
{
	return dev->cfg.keep_mask & ~(dev->cfg.align - 1);
}

int pz_bounce_map(struct pz_dma_dev *dev, uint32_t cpu, uint64_t phys, uint64_t size,
		  enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus)
{
	const struct pz_dma_hooks *hooks = &dev->dma->cfg.hooks;
	struct pz_bounce *b = pz_dma_bounce(dev);
	struct bounce_want k;
	struct bounce_got got;
	unsigned char *mem;
	int rc;

	if (!b || (dev->shared && !b->cfg.shared) ||
	    (dev->cfg.boundary && size > dev->cfg.boundary))
		return -PZ_ERANGE;
	mem = copy_mapped(b, phys, size);
	copy_ahead(mem, size);
	map_want(dev, size, &k);
	k.rest = phys & map_kept(dev);
	rc = run_take(b, dev, cpu, &k, &got);
	if (rc)
		return rc;
	run_begin(b, &got, dev, phys, size, dir);
	if (!copy_memory(b, run_memory(got.pool, got.phys), mem, phys, size, false)) {
		struct bounce_hit h;

		if (hit_phys(b, got.phys, &h) && run_end(&h))
			run_drop(h.pool, h.at, h.state);
		return -PZ_ERANGE;
	}
	if (!dev->cfg.coherent && !(attrs & PZ_DMA_SKIP_CPU_SYNC) && hooks->for_device)
		hooks->for_device(hooks->ctx, got.phys, size, dir);
	if (!pz_peek32(&dev->bounced))
		pz_store32(&dev->bounced, 1);
	*bus = got.bus | (b->cfg.shared ? 0 : pz_dma_private(dev));
	return 0;
}

/* What is wrong with a run as a mapping of a device from its first byte on; NULL for nothing. */
static const char *map_wrong(const struct bounce_hit *h, const struct pz_dma_dev *dev,
			     uint64_t size, enum pz_dma_dir dir)
{
	if (!h->state || RUN_DIR(h->state) == PZ_DMA_NONE)
		return "is not mapped";
	if (h->into)
		return "is not the start of its mapping";
	if (pz_peek64(&h->run->dev) != (uintptr_t)dev)
		return "is another device's";
	if (pz_peek64(&h->run->size) != size)
		return "is mapped in another size";
	if (RUN_DIR(h->state) != dir)
		return "is mapped in another direction";
	return NULL;
}

int pz_bounce_unmap(struct pz_dma_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs)
{
	const struct pz_dma_hooks *hooks = &dev->dma->cfg.hooks;
	const struct pz_bounce *b = pz_dma_bounce(dev);
	bool lost = false;
	struct bounce_hit h;
	const char *wrong;

	if (!hit_bus(dev, bus, &h))
		return -PZ_ENOENT;
	wrong = map_wrong(&h, dev, size, dir);
	if (!wrong && !run_end(&h))
		wrong = "is not mapped";
	if (wrong) {
		bounce_leave(h.pool);
		pz_bug(b->cfg.bugs, "pz_dma_unmap", "0x%llx of 0x%llx bytes of %s %s",
		       (unsigned long long)bus, (unsigned long long)size, dev->cfg.name, wrong);
		return -PZ_EINVAL;
	}
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC)) {
		if (!dev->cfg.coherent && hooks->for_cpu)
			hooks->for_cpu(hooks->ctx, h.phys, size, dir);
		if (dir != PZ_DMA_TO_DEVICE)
			lost = !copy_run(b, &h, pz_peek64(&h.run->phys), size, true);
	}
	run_hand_back(h.pool, cpu, h.at, h.state);
	if (lost)
		pz_bug(b->cfg.bugs, "pz_dma_unmap", "the memory of 0x%llx of %s cannot be written",
		       (unsigned long long)bus, dev->cfg.name);
	return 0;
}

/* How many bytes of a mapping are synced from an address on; what is wrong, or NULL. */
static const char *sync_part(const struct bounce_hit *h, const struct pz_dma_dev *dev,
			     enum pz_dma_dir dir, uint64_t *size)
{
	uint64_t all;

	if (!h->state || RUN_DIR(h->state) == PZ_DMA_NONE)
		return "is not mapped";
	all = pz_peek64(&h->run->size);
	if (h->into >= all)
		return "is not mapped";
	if (pz_peek64(&h->run->dev) != (uintptr_t)dev)
		return "is another device's";
	if (dir != RUN_DIR(h->state) &&
	    (RUN_DIR(h->state) != PZ_DMA_BIDIRECTIONAL || dir >= PZ_DMA_NONE))
		return "is mapped in another direction";
	if (*size > all - h->into) {
		*size = all - h->into;
		return "reaches beyond its mapping";
	}
	return NULL;
}

/* Whether a part of a device's buffer is synced, as one of pz_dma_alloc_pages() may be. */
static bool sync_is_buffer(const struct bounce_hit *h, const struct pz_dma_dev *dev, uint64_t size)
{
	return h->state && RUN_DIR(h->state) == PZ_DMA_NONE &&
	       pz_peek64(&h->run->dev) == (uintptr_t)dev && h->into < pz_peek64(&h->run->size) &&
	       size <= pz_peek64(&h->run->size) - h->into;
}

bool pz_bounce_sync(struct pz_dma_dev *dev, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		    bool for_cpu)
{
	const struct pz_dma_hooks *hooks = &dev->dma->cfg.hooks;
	const struct pz_bounce *b = pz_dma_bounce(dev);
	uint64_t asked = size, phys;
	bool lost = false;
	struct bounce_hit h;
	const char *wrong;

	if (!hit_bus(dev, bus, &h))
		return false;
	if (sync_is_buffer(&h, dev, size)) {
		bounce_leave(h.pool);
		return false;
	}
	wrong = sync_part(&h, dev, dir, &size);
	if (!wrong || size != asked) {
		phys = pz_peek64(&h.run->phys) + h.into;
		if (for_cpu && !dev->cfg.coherent && hooks->for_cpu)
			hooks->for_cpu(hooks->ctx, h.phys, size, dir);
		if (dir != (for_cpu ? PZ_DMA_TO_DEVICE : PZ_DMA_FROM_DEVICE))
			lost = !copy_run(b, &h, phys, size, for_cpu);
		if (!for_cpu && !dev->cfg.coherent && hooks->for_device)
			hooks->for_device(hooks->ctx, h.phys, size, dir);
	}
	bounce_leave(h.pool);
	if (lost && !wrong)
		wrong = "stands for memory that cannot be copied";
	if (wrong)
		pz_bug(b->cfg.bugs, for_cpu ? "pz_dma_sync_for_cpu" : "pz_dma_sync_for_device",
		       "0x%llx of 0x%llx bytes of %s %s", (unsigned long long)bus,
		       (unsigned long long)asked, dev->cfg.name, wrong);
	return true;
}

/* --- the largest --- */

/* The largest mapping on a stretch of bus without a boundary in it. */
static uint64_t max_stretch(const struct pz_dma_dev *dev, const struct bounce_want *k,
			    uint64_t first, uint64_t last)
{
	uint64_t lead = map_kept(dev) ? k->mask : (0 - first) & k->mask;

	return first <= last && last - first >= lead ? last - first - lead + 1 : 0;
}

static uint64_t max_window(const struct pz_dma_dev *dev, const struct pz_window *w,
			   const struct bounce_pool *p)
{
	struct pz_range both, pool = { pz_peek64(&p->first), pz_peek64(&p->last) };
	uint64_t first, last, cut, edge = dev->cfg.boundary, best, more;
	struct bounce_want k;

	if (pool.first > pool.last || !pz_range_intersect(w->phys, pool, &both))
		return 0;
	map_want(dev, 0, &k);
	first = w->bus + (both.first - w->phys.first);
	last = first + (both.last - both.first);
	if (!edge)
		return max_stretch(dev, &k, first, last);
	cut = first | (edge - 1); /* the last byte before a boundary */
	if (cut >= last)
		return max_stretch(dev, &k, first, last);
	best = max_stretch(dev, &k, first, cut);
	more = max_stretch(dev, &k, cut + 1, last - cut > edge ? cut + edge : last);
	best = more > best ? more : best;
	more = max_stretch(dev, &k, last & ~(edge - 1), last);
	return more > best ? more : best;
}

uint64_t pz_bounce_max(const struct pz_dma_dev *dev)
{
	const struct pz_reach *reach = &dev->reach[DMA_STREAMING];
	struct pz_bounce *b = pz_dma_bounce(dev);
	uint64_t max = 0;

	if (!b || (dev->shared && !b->cfg.shared))
		return 0;
	for (uint32_t i = 0; i < pz_load32(&b->top); i++) {
		struct bounce_pool *p = &b->pool[i];

		if (!bounce_enter(p))
			continue;
		for (uint32_t k = 0; k < reach->count && run_may(dev, p); k++) {
			uint64_t bytes = max_window(dev, &reach->v[k], p);

			max = bytes > max ? bytes : max;
		}
		bounce_leave(p);
	}
	return max;
}

/* A want of nothing but alignment and boundary. */
static struct bounce_want bounce_coherent(const struct dma_want *w)
{
	return (struct bounce_want){ w->bytes, (w->align - 1) | (PZ_BOUNCE_SLOT - 1), 0,
				     w->boundary, DMA_COHERENT };
}

bool pz_bounce_ever(const struct pz_dma_dev *dev, enum dma_use use, const struct pz_reach *reach,
		    const struct dma_want *want)
{
	struct bounce_want k = bounce_coherent(want);
	struct pz_bounce *b = pz_dma_bounce(dev);

	if (!b || (use == DMA_STREAMING && dev->cfg.shared && !b->cfg.shared))
		return false;
	for (uint32_t i = 0; i < b->base; i++)
		if (pz_bounce_could(&b->pool[i], reach, &k))
			return true;
	return b->cfg.pages && b->cfg.grow_bytes != UINT64_MAX && !b->cfg.shared &&
	       !pz_dma_ever(dev->dma, reach, want);
}

/* --- coherent buffers --- */

int pz_bounce_take(struct pz_bounce *b, struct pz_dma_dev *dev, uint32_t cpu, uint64_t bytes,
		   uint64_t align, uint64_t *phys, void **mem)
{
	struct dma_want want = { bytes, align, dev->cfg.boundary };

	if (!bytes || !pz_is_pow2(align))
		return -PZ_EINVAL;
	return pz_bounce_take_want(b, dev, cpu, &want, phys, mem);
}

int pz_bounce_take_want(struct pz_bounce *b, struct pz_dma_dev *dev, uint32_t cpu,
			const struct dma_want *want, uint64_t *phys, void **mem)
{
	struct bounce_want k = bounce_coherent(want);
	struct bounce_got got;
	int rc;

	if (k.boundary && k.bytes > k.boundary)
		return -PZ_ERANGE;
	rc = run_take(b, dev, cpu, &k, &got);
	if (rc)
		return rc;
	run_begin(b, &got, dev, got.phys, k.bytes, PZ_DMA_NONE);
	*phys = got.phys;
	*mem = run_memory(got.pool, got.phys);
	return 0;
}

bool pz_bounce_give(struct pz_bounce *b, const struct pz_dma_dev *dev, uint64_t phys,
		    uint64_t bytes)
{
	const char *wrong = NULL;
	struct bounce_hit h;

	if (!hit_phys(b, phys, &h)) {
		h.pool = NULL;
		wrong = "is no bounce buffer";
	} else if (!h.state || h.into || RUN_DIR(h.state) != PZ_DMA_NONE) {
		wrong = "is not taken";
	} else if (pz_peek64(&h.run->dev) != (uintptr_t)dev) {
		wrong = "is another device's";
	} else if (pz_peek64(&h.run->size) != bytes) {
		wrong = "has another size";
	} else if (!run_end(&h)) {
		wrong = "is not taken";
	}
	if (!wrong) {
		run_drop(h.pool, h.at, h.state);
		return true;
	}
	if (h.pool)
		bounce_leave(h.pool);
	pz_bug(b->cfg.bugs, "pz_bounce_give", "0x%llx of 0x%llx bytes %s", (unsigned long long)phys,
	       (unsigned long long)bytes, wrong);
	return false;
}
