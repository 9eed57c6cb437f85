/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - small coherent objects: the short way, magazines, and what the user sees.
 *
 * Concept
 *  To allocate is to take the newest block of the CPU's magazine, to free is to put it there: no
 * lock, no atomic operation. Between pool_enter() and pool_leave() an interrupt handler keeps off
 * the magazine and goes to the pages directly; nobody else ever touches it. Freeing finds the page
 * by the bus address, and by a multiplication the block: its mark says whether it is out.
 *
 * Invariants: see pool_check.c.
 *
 * Failure
 *  What a caller misuses is told and left alone. A block that two freed at once may lie in two
 * magazines; its mark shows it when it is given out for the second time, or its bit when it comes
 * back to the page, whichever is first.
 *
 * Shortcomings
 *  Blocks in the magazine of a CPU serve that CPU only. A pool with debug has no magazines.
 */
#include "pool.h"

#define POOL_SHORT_GFP \
	(PZ_GFP_BLOCK | PZ_GFP_HIGH | PZ_GFP_NORETRY | PZ_GFP_NOMIGRATE | PZ_GFP_MEMALLOC)
#define POOL_MAX_MAGAZINE 4096u
#define POOL_NOINLINE __attribute__((noinline))
#define POOL_INLINE __attribute__((always_inline))

/* --- layout --- */

static int pool_wrong(const char **why, int rc, const char *text)
{
	if (why)
		*why = text;
	return rc;
}

int pz_dma_pool_layout(struct pz_dma_pool_layout *out, uint32_t page_shift, uint32_t size,
		       uint32_t align, uint32_t boundary, const char **why)
{
	uint64_t page = (uint64_t)1 << page_shift, stride = 0, bytes = 0;

	if (!size)
		return pool_wrong(why, -PZ_EINVAL, "a block has no bytes");
	if (align & (align - 1))
		return pool_wrong(why, -PZ_EINVAL, "the alignment is no power of two");
	if (boundary & (boundary - 1))
		return pool_wrong(why, -PZ_EINVAL, "the boundary is no power of two");
	(void)pz_round_up(size, align ? align : 1, &stride);
	if (stride > INT32_MAX)
		return pool_wrong(why, -PZ_EOVERFLOW, "a block is larger than 2 GiB");
	if (boundary && boundary < stride)
		return pool_wrong(why, -PZ_ENOSPC, "a block would cross the boundary");
	(void)pz_round_up(stride, page, &bytes);
	out->bytes = (uint32_t)bytes;
	out->stride = (uint32_t)stride;
	/* A byte crosses nothing. */
	out->span = boundary > 1 && boundary < bytes ? boundary : out->bytes;
	out->per_span = (uint32_t)pz_udiv64(out->span, out->stride);
	out->blocks = out->per_span * (uint32_t)pz_udiv64(out->bytes, out->span);
	return 0;
}

static bool pool_layout_bad(const struct pz_dma_pool_layout *l, uint32_t page_shift, uint32_t size)
{
	uint32_t page = (uint32_t)1 << page_shift;

	return !l->bytes || (l->bytes & (page - 1)) || l->stride < size || !l->per_span ||
	       l->span < 2 || l->span < l->stride || l->span > l->bytes ||
	       l->per_span > pz_udiv64(l->span, l->stride) ||
	       (l->span != l->bytes &&
		((l->span & (l->span - 1)) || l->bytes != page ||
		 (uint64_t)(l->per_span - 1) * (l->span - l->per_span * l->stride) >= l->span)) ||
	       (l->bytes > page && l->per_span > 1) ||
	       l->blocks != l->per_span * pz_udiv64(l->bytes, l->span);
}

/* --- create and destroy --- */

static void pool_name(char *to, const char *name)
{
	uint32_t n = 0;

	for (; name[n] && n < PZ_DMA_POOL_NAME_MAX - 1; n++)
		to[n] = name[n];
	to[n] = '\0';
}

static size_t pool_struct_bytes(void)
{
	return sizeof(struct pz_dma_pool) + sizeof(struct pool_table) +
	       POOL_FIRST_PLACES * sizeof(struct pool_page *);
}

static size_t pool_heads_bytes(const struct pz_dma_pool *p)
{
	return (size_t)p->dev->dma->cfg.cpus * sizeof(struct pool_head) + 64;
}

static size_t pool_magazines_bytes(const struct pz_dma_pool *p)
{
	return (size_t)p->dev->dma->cfg.cpus * p->magazine_slots * sizeof(struct pool_entry) + 64;
}

/* The first line of memory that was asked for with 64 bytes more. */
static void *pool_line(void *raw)
{
	return (void *)(((uintptr_t)raw + 63) & ~(uintptr_t)63);
}

static void pool_drop(struct pz_dma_pool *p)
{
	const struct pz_meta *m = p->dev->dma->cfg.meta;

	pz_dma_pool_close(p);
	if (p->heads_raw)
		m->free(m->ctx, p->heads_raw, pool_heads_bytes(p));
	if (p->magazines_raw)
		m->free(m->ctx, p->magazines_raw, pool_magazines_bytes(p));
	m->free(m->ctx, p, pool_struct_bytes());
}

static int pool_magazines(struct pz_dma_pool *p)
{
	const struct pz_meta *m = p->dev->dma->cfg.meta;
	uint32_t n = p->cfg.magazine;

	if (p->cfg.debug)
		return 0;
	if (!n)
		n = p->lay.stride <= 1024 ? 128 : p->lay.stride <= 4096 ? 80 : 32;
	p->magazine = n < POOL_MAX_MAGAZINE ? n : POOL_MAX_MAGAZINE;
	/* A magazine is a number of lines: two CPUs never share one. */
	p->magazine_slots = (p->magazine + 1 + 7) / 8 * 8;
	p->heads_raw = m->alloc(m->ctx, pool_heads_bytes(p));
	p->magazines_raw = m->alloc(m->ctx, pool_magazines_bytes(p));
	if (!p->heads_raw || !p->magazines_raw)
		return -PZ_ENOMEM;
	memset(p->heads_raw, 0, pool_heads_bytes(p));
	memset(p->magazines_raw, 0, pool_magazines_bytes(p));
	p->magazines = pool_line(p->magazines_raw);
	p->meta_bytes += pool_heads_bytes(p) + pool_magazines_bytes(p);
	p->heads = pool_line(p->heads_raw);
	p->cpus = p->dev->dma->cfg.cpus;
	for (uint32_t i = 0; i < p->cpus; i++) {
		struct pool_entry *bottom = pool_bottom(p, i);

		bottom->mark = &p->out;
		p->heads[i].top = bottom + 1;
		p->heads[i].end = bottom + 1 + p->magazine;
	}
	return 0;
}

/* What the short way computes with. */
static void pool_numbers(struct pz_dma_pool *p)
{
	const struct pz_dma_pool_layout *l = &p->lay;
	bool gaps = l->span != l->bytes && l->per_span * l->stride != l->span;
	uint32_t per_run = gaps ? l->per_span : l->blocks, shift;
	uint64_t block = 0;

	(void)pz_roundup_pow2(l->bytes, &block);
	p->base = ~(block - 1);
	p->bytes = l->bytes;
	if (gaps) {
		shift = 32 - pz_fls32(l->span);
		p->run = l->span - 1;
		p->recip = (uint64_t)per_run << shift;
		p->up = p->run << shift;
	} else if (per_run > 1) {
		p->recip = pz_udiv64(((uint64_t)1 << 32) + l->stride - 1, l->stride);
	}
	p->divides = pz_udiv64(UINT64_MAX, l->stride) + (l->stride & (l->stride - 1) ? 1 : 2);
	p->bound = p->divides * l->stride * per_run;
	p->out = POOL_MARK_OUT;
}

static int pool_reachable(const struct pz_dma_dev *dev, uint32_t bytes, const char **why)
{
	struct dma_want want;

	pz_dma_want(dev, bytes, &want);
	if (dev->cfg.region || !pz_dma_ever(dev->dma, &dev->reach[DMA_COHERENT], &want))
		return 0;
	return pool_wrong(why, -PZ_ERANGE, "the device reaches no memory for a block");
}

int pz_dma_pool_create(struct pz_dma_pool **out, struct pz_dma_dev *dev,
		       const struct pz_dma_pool_config *cfg, const char **why)
{
	const struct pz_meta *m = dev->dma->cfg.meta;
	struct pz_dma_pool_layout lay;
	struct pz_dma_pool *p;
	int rc;

	if (!dev->dma->cfg.hooks.direct)
		return pool_wrong(why, -PZ_EINVAL, "there is no direct hook");
	if (!cfg->name)
		return pool_wrong(why, -PZ_EINVAL, "a pool needs a name");
	rc = pz_dma_pool_layout(&lay, dev->dma->page_shift, cfg->size, cfg->align, cfg->boundary,
				why);
	if (rc)
		return rc;
	if (cfg->layout) {
		if (pool_layout_bad(cfg->layout, dev->dma->page_shift, cfg->size))
			return pool_wrong(why, -PZ_EINVAL, "the layout is malformed");
		lay = *cfg->layout;
	}
	rc = pool_reachable(dev, lay.bytes, why);
	if (rc)
		return rc;
	p = m->alloc(m->ctx, pool_struct_bytes());
	if (!p)
		return -PZ_ENOMEM;
	memset(p, 0, pool_struct_bytes());
	p->dev = dev;
	p->cfg = *cfg;
	p->lay = lay;
	p->cfg.layout = NULL;
	pool_name(p->name, cfg->name);
	p->cfg.name = p->name;
	p->meta_bytes = pool_struct_bytes();
	pool_numbers(p);
	pz_dma_pool_open(p);
	rc = pool_magazines(p);
	if (rc) {
		pool_drop(p);
		return rc;
	}
	*out = p;
	return 0;
}

/* Visit the blocks that are out; how many. */
static uint64_t pool_out(const struct pz_dma_pool *p,
			 void (*live)(void *ctx, const struct pz_dma_pool_block *b), void *ctx,
			 struct pz_dma_pool_block *first)
{
	struct pool_page *d;
	uint64_t n = 0;
	uint32_t at = 0;

	while ((d = pz_dma_pool_next(p, &at)) != NULL) {
		for (uint32_t i = 0; i < p->lay.blocks; i++) {
			struct pool_entry e = pool_entry(p, d, i);
			struct pz_dma_pool_block b = { e.cpu, e.bus, 0, 0 };

			if (*e.mark != POOL_MARK_OUT)
				continue;
			if (d->track) {
				b.site = d->track[i].site;
				b.when = d->track[i].when;
			}
			if (!n++)
				*first = b;
			if (live)
				live(ctx, &b);
		}
	}
	return n;
}

/* With debug: look at all that is free before it goes. */
static void pool_last_look(struct pz_dma_pool *p)
{
	struct pool_page *d;
	uint32_t at = 0;

	while (p->cfg.debug && (d = pz_dma_pool_next(p, &at)) != NULL) {
		for (uint32_t i = 0; i < p->lay.blocks; i++) {
			if (d->mark[i] == POOL_MARK_FREE)
				(void)pz_dma_pool_intact(p, "pz_dma_pool_destroy", d, i);
		}
	}
}

int pz_dma_pool_destroy(struct pz_dma_pool *p,
			void (*live)(void *ctx, const struct pz_dma_pool_block *b), void *ctx)
{
	struct pz_dma_pool_block first = { NULL, 0, 0, 0 };
	struct pool_page *d;
	uint64_t n;
	uint32_t at = 0;

	if (!p)
		return 0;
	n = pool_out(p, live, ctx, &first);
	if (n) {
		pz_bug(p->dev->dma->cfg.bugs, "pz_dma_pool_destroy",
		       "%s: %llu blocks are out, first the one at bus address 0x%llx", p->name,
		       (unsigned long long)n, (unsigned long long)first.bus);
		return -PZ_EBUSY;
	}
	pool_last_look(p);
	while ((d = pz_dma_pool_next(p, &at)) != NULL)
		pz_dma_free(p->dev, PZ_CPU_NONE, &d->buf);
	pool_drop(p);
	return 0;
}

/* --- allocating --- */

/* Whether the CPU may use its magazine now. */
static bool pool_open(const struct pz_dma_pool *p, uint32_t cpu)
{
	return cpu < p->cpus && !pool_busy(&p->heads[cpu]);
}

/* A block that is free somewhere. */
static bool pool_get(struct pz_dma_pool *p, uint32_t cpu, struct pool_entry *e)
{
	struct pool_entry *bottom;
	struct pool_head *h;
	bool got = false;

	if (!pool_open(p, cpu))
		return pz_dma_pool_take(p, 1, e);
	h = &p->heads[cpu];
	bottom = pool_bottom(p, cpu) + 1;
	pool_enter(h);
	if (h->top == bottom)
		pool_set_top(h, bottom + pz_dma_pool_take(p, (p->magazine + 1) / 2, bottom));
	if (h->top != bottom) {
		*e = h->top[-1];
		pool_set_top(h, h->top - 1);
		got = true;
	}
	pool_leave(h);
	return got;
}

/* Make a block the caller's; false for one that must not be given out. */
static bool pool_claim(struct pz_dma_pool *p, const struct pool_entry *e)
{
	struct pool_page *d;
	uint32_t block;

	if (*e->mark != POOL_MARK_FREE) {
		pz_dma_pool_found(p, "pz_dma_pool_alloc", PZ_DMA_POOL_DOUBLE_FREE, e->cpu, e->bus);
		return false;
	}
	if (p->cfg.debug) {
		d = pz_dma_pool_find(p, e->bus);
		block = (uint32_t)(e->mark - d->mark);
		if (!pz_dma_pool_intact(p, "pz_dma_pool_alloc", d, block)) {
			pz_poke8(e->mark, POOL_MARK_FENCED);
			pz_count64(&p->fenced, 1);
			return false;
		}
		pz_dma_pool_poison(p, d, block, true);
	}
	pz_poke8(e->mark, POOL_MARK_OUT);
	return true;
}

int pz_dma_pool_request(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, void **cpu_addr,
			uint64_t *bus)
{
	struct pool_entry e;
	int rc;

	if (gfp & ~(POOL_SHORT_GFP | PZ_GFP_ZERO))
		return -PZ_EINVAL;
	do {
		if (pool_get(p, cpu, &e))
			continue;
		rc = pz_dma_pool_grow(p, cpu, gfp, &e);
		/* Without a page for it, somebody may have freed a block meanwhile. */
		if (rc && !pool_get(p, cpu, &e))
			return rc;
	} while (!pool_claim(p, &e));
	if (gfp & PZ_GFP_ZERO)
		memset(e.cpu, 0, p->cfg.size);
	*cpu_addr = e.cpu;
	*bus = e.bus;
	return 0;
}

static POOL_NOINLINE void *pool_alloc_long(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp,
					   uint64_t *bus)
{
	void *o;

	return pz_dma_pool_request(p, cpu, gfp, &o, bus) ? NULL : o;
}

void *pz_dma_pool_alloc(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, uint64_t *bus)
{
	struct pool_entry *e;
	struct pool_head *h;
	void *o;

	if (POOL_UNLIKELY(cpu >= p->cpus || (gfp & ~POOL_SHORT_GFP)))
		return pool_alloc_long(p, cpu, gfp, bus);
	h = &p->heads[cpu];
	if (POOL_UNLIKELY(pool_busy(h)))
		return pool_alloc_long(p, cpu, gfp, bus);
	pool_enter(h);
	e = h->top - 1;
	if (POOL_UNLIKELY(*e->mark != POOL_MARK_FREE)) {
		pool_leave(h);
		return pool_alloc_long(p, cpu, gfp, bus);
	}
	pz_poke8(e->mark, POOL_MARK_OUT);
	*bus = e->bus;
	o = e->cpu;
	pool_set_top(h, e);
	pool_leave(h);
	return o;
}

/* --- freeing --- */

/* Between these two another CPU may free the same block. */
static inline bool pool_is_out(const unsigned char *mark)
{
	PZ_SCHED(mark);
	return pz_peek8(mark) == POOL_MARK_OUT;
}

static inline void pool_mark_free(unsigned char *mark)
{
	PZ_SCHED(mark);
	pz_poke8(mark, POOL_MARK_FREE);
}

/* Put a block away whose mark says that it is free. */
static void pool_put(struct pz_dma_pool *p, uint32_t cpu, const struct pool_entry *e)
{
	struct pool_entry *bottom;
	struct pool_head *h;
	uint32_t n;

	if (!pool_open(p, cpu)) {
		pz_dma_pool_give(p, 1, e);
		return;
	}
	h = &p->heads[cpu];
	bottom = pool_bottom(p, cpu) + 1;
	pool_enter(h);
	if (h->top == h->end) {
		n = (p->magazine + 1) / 2;
		pz_dma_pool_give(p, n, bottom);
		for (uint32_t i = n; i < p->magazine; i++)
			bottom[i - n] = bottom[i];
		pool_set_top(h, h->top - n);
	}
	*h->top = *e;
	pool_set_top(h, h->top + 1);
	pool_leave(h);
}

static POOL_NOINLINE void pool_free_long(struct pz_dma_pool *p, uint32_t cpu, void *cpu_addr,
					 uint64_t bus)
{
	struct pool_page *d = pz_dma_pool_find(p, bus);
	enum pz_dma_pool_fault fault = PZ_DMA_POOL_FAULTS;
	struct pool_entry e;
	uint32_t block;

	if (!d || bus - d->buf.bus >= p->lay.bytes) {
		pz_dma_pool_found(p, "pz_dma_pool_free", PZ_DMA_POOL_FOREIGN, cpu_addr, bus);
		return;
	}
	if (!pool_block_at(p, (uint32_t)(bus - d->buf.bus), &block)) {
		pz_dma_pool_found(p, "pz_dma_pool_free", PZ_DMA_POOL_INTERIOR, cpu_addr, bus);
		return;
	}
	e = pool_entry(p, d, block);
	if (e.cpu != cpu_addr)
		fault = PZ_DMA_POOL_BAD_CPU;
	else if (!pool_is_out(e.mark))
		fault = PZ_DMA_POOL_DOUBLE_FREE;
	if (fault != PZ_DMA_POOL_FAULTS) {
		pz_dma_pool_found(p, "pz_dma_pool_free", fault, cpu_addr, bus);
		return;
	}
	if (p->cfg.debug)
		pz_dma_pool_poison(p, d, block, false);
	pool_mark_free(e.mark);
	pool_put(p, cpu, &e);
}

/* Free a block by the magazine alone; false for the long way, which looks again. */
static inline POOL_INLINE bool pool_free_fast(struct pz_dma_pool *p, uint32_t cpu, void *cpu_addr,
					      uint64_t bus, size_t flip)
{
	uint32_t off, block;
	struct pool_page *d = pool_find_fast(p, bus, flip, &off);
	struct pool_entry *e;
	struct pool_head *h;
	unsigned char *mark;

	if (POOL_UNLIKELY(!d || cpu >= p->cpus))
		return false;
	if (POOL_UNLIKELY(!pool_block_at(p, off, &block) ||
			  (unsigned char *)d->buf.cpu_addr + off != cpu_addr))
		return false;
	mark = d->mark + block;
	h = &p->heads[cpu];
	if (POOL_UNLIKELY(!pool_is_out(mark) || pool_busy(h)))
		return false;
	pool_enter(h);
	e = h->top;
	if (POOL_UNLIKELY(e == h->end)) {
		pool_leave(h);
		return false;
	}
	pool_mark_free(mark);
	e->bus = bus;
	e->cpu = cpu_addr;
	e->mark = mark;
	pool_set_top(h, e + 1);
	pool_leave(h);
	return true;
}

/* The same for a page that stands next to its home, else the long way. */
static POOL_NOINLINE void pool_free_other(struct pz_dma_pool *p, uint32_t cpu, void *cpu_addr,
					  uint64_t bus)
{
	if (!pool_free_fast(p, cpu, cpu_addr, bus, 1))
		pool_free_long(p, cpu, cpu_addr, bus);
}

void pz_dma_pool_free(struct pz_dma_pool *p, uint32_t cpu, void *cpu_addr, uint64_t bus)
{
	if (!POOL_LIKELY(pool_free_fast(p, cpu, cpu_addr, bus, 0)))
		pool_free_other(p, cpu, cpu_addr, bus);
}

/* --- giving back --- */

void pz_dma_pool_drain(struct pz_dma_pool *p, uint32_t cpu)
{
	struct pool_entry *bottom;
	struct pool_head *h;

	if (!pool_open(p, cpu))
		return;
	h = &p->heads[cpu];
	bottom = pool_bottom(p, cpu) + 1;
	pool_enter(h);
	pz_dma_pool_give(p, (uint32_t)(h->top - bottom), bottom);
	pool_set_top(h, bottom);
	pool_leave(h);
}

uint64_t pz_dma_pool_trim(struct pz_dma_pool *p, uint32_t cpu)
{
	pz_dma_pool_drain(p, cpu);
	return pz_dma_pool_shrink(p, cpu);
}
