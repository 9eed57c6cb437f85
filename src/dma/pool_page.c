/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_page.c - pages of a pool: their records, the list of those that have free blocks.
 *
 * Concept
 *  Records come from the page allocator, a segment at a time, so that a context that may not block
 * can make one. A number finds one through a table of leaves; a bus address through a table of
 * hints, which is replaced by a larger one when pages are many, and behind which all records are
 * searched. A list is a stack: one word with the number of its first and a count of changes, so
 * that a stale pop fails.
 *
 * Invariants: see pool_check.c.
 *
 * Failure
 *  No memory for a page or its record: -PZ_ENOMEM, nothing is held. A table of hints that cannot
 * be replaced stays.
 *
 * Shortcomings
 *  Records and tables stay at their peak. The count of changes has 32 bits: a pop that sleeps
 * through exactly 2^32 changes takes a stale one. What pz_dma_pool_trim() sorts is out of the list
 * meanwhile, so that others may make a page in between.
 */
#include "pool.h"

#define POOL_GFP (PZ_GFP_HIGH | PZ_GFP_BLOCK | PZ_GFP_MEMALLOC | PZ_GFP_NORETRY | PZ_GFP_NOMIGRATE)

/* --- memory for records and tables --- */

static uint64_t pool_memory_bytes(const struct pz_dma_pool *p, uint32_t order)
{
	return pz_dma_page_bytes(p->dev->dma) << order;
}

/* Zeroed memory that the processor sees. */
static struct pool_memory *pool_memory_new(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp,
					   uint32_t order)
{
	const struct pz_dma *dma = p->dev->dma;
	uint64_t pfn, phys, bytes = pool_memory_bytes(p, order);
	struct pz_limits l = PZ_LIMITS_ANY;
	struct pool_memory *m;

	if (dma->cfg.direct.last) {
		l.min_addr = dma->cfg.direct.first;
		l.max_addr = dma->cfg.direct.last;
	}
	if (pz_alloc_pages(dma->cfg.pages, cpu, gfp & POOL_GFP, order, &l, &pfn))
		return NULL;
	phys = pfn << dma->page_shift;
	m = dma->cfg.hooks.direct(dma->cfg.hooks.ctx, phys, bytes);
	if (!m) {
		pz_free_pages(dma->cfg.pages, cpu, pfn, order);
		return NULL;
	}
	memset(m, 0, (size_t)bytes);
	m->phys = phys;
	m->order = order;
	return m;
}

static void pool_memory_back(struct pz_dma_pool *p, const struct pool_memory *m)
{
	const struct pz_dma *dma = p->dev->dma;

	pz_free_pages(dma->cfg.pages, PZ_CPU_NONE, m->phys >> dma->page_shift, m->order);
}

/* From here on it stays. */
static void pool_memory_keep(struct pz_dma_pool *p, struct pool_memory *m)
{
	pz_count64(&p->meta_bytes, pool_memory_bytes(p, m->order));
	do {
		m->next = pz_load64(&p->memory);
	} while (!pz_cas64(&p->memory, m->next, (uintptr_t)m));
}

static void *pool_memory_at(struct pool_memory *m)
{
	return (unsigned char *)m + POOL_MEMORY_HEAD;
}

/* --- records --- */

/* What stands behind a record: bits, tracks, marks. */
static uint32_t pool_words(const struct pz_dma_pool *p)
{
	return (p->lay.blocks + 63) / 64;
}

void pz_dma_pool_open(struct pz_dma_pool *p)
{
	uint64_t page = pz_dma_page_bytes(p->dev->dma), bytes;
	struct pool_table *t = pool_first_table(p);

	p->marks = sizeof(struct pool_page) + pool_words(p) * sizeof(uint64_t);
	if (p->cfg.debug)
		p->marks += p->lay.blocks * sizeof(struct pool_track);
	p->marks = (p->marks + 63) & ~63u;
	p->record = (p->marks + p->lay.blocks + 63) & ~63u;
	while (pool_memory_bytes(p, p->seg_order) < POOL_MEMORY_HEAD + p->record)
		p->seg_order++;
	bytes = pool_memory_bytes(p, p->seg_order) - POOL_MEMORY_HEAD;
	p->seg_shift = pz_fls64(pz_udiv64(bytes, p->record));
	p->leaf_shift = pz_fls64((page - POOL_MEMORY_HEAD) / sizeof(uint64_t));
	t->mask = POOL_FIRST_PLACES - 1;
	__atomic_store_n(&p->table, t, __ATOMIC_RELEASE);
}

void pz_dma_pool_close(struct pz_dma_pool *p)
{
	struct pool_memory *m = (struct pool_memory *)(uintptr_t)p->memory, *next;

	for (; m; m = next) {
		next = (struct pool_memory *)(uintptr_t)m->next;
		pool_memory_back(p, m);
	}
}

/* The segment that the record of a number below p->segs << p->seg_shift lies in, or NULL. */
static unsigned char *pool_segment_of(const struct pz_dma_pool *p, uint32_t number)
{
	uint32_t seg = number >> p->seg_shift, in = seg & (((uint32_t)1 << p->leaf_shift) - 1);
	const uint64_t *leaf =
		(const uint64_t *)(uintptr_t)pz_load64(&p->leaf[seg >> p->leaf_shift]);

	return (unsigned char *)(uintptr_t)pz_load64(&leaf[in]);
}

/* The record of a number whose segment is there, as it is of each that was ever listed. */
static struct pool_page *pool_listed(const struct pz_dma_pool *p, uint32_t number)
{
	uint32_t at = number & (((uint32_t)1 << p->seg_shift) - 1);

	return (struct pool_page *)(void *)(pool_segment_of(p, number) + (size_t)at * p->record);
}

/* The record of a number below p->segs << p->seg_shift; NULL while its segment is being made. */
static struct pool_page *pool_record(const struct pz_dma_pool *p, uint32_t number)
{
	return pool_segment_of(p, number) ? pool_listed(p, number) : NULL;
}

struct pool_page *pz_dma_pool_record(const struct pz_dma_pool *p, uint32_t number)
{
	return number >> p->seg_shift < pz_load32(&p->segs) ? pool_record(p, number) : NULL;
}

struct pool_page *pz_dma_pool_next(const struct pz_dma_pool *p, uint32_t *at)
{
	uint32_t last = ((uint32_t)1 << p->seg_shift) - 1;

	while (*at >> p->seg_shift < pz_load32(&p->segs)) {
		struct pool_page *d = pool_record(p, *at);

		if (!d) {
			*at = (*at | last) + 1;
			continue;
		}
		++*at;
		if (pz_load32(&d->used))
			return d;
	}
	return NULL;
}

static void pool_push(struct pz_dma_pool *p, struct pool_list *l, struct pool_page *first,
		      struct pool_page *last)
{
	uint64_t old;

	(void)p;
	do {
		old = pz_load64(&l->head);
		pz_poke32(&last->next, (uint32_t)old);
	} while (!pz_cas64(&l->head, old, ((old >> 32) + 1) << 32 | (uint64_t)(first->number + 1)));
}

static struct pool_page *pool_pop(struct pz_dma_pool *p, struct pool_list *l)
{
	for (;;) {
		uint64_t old = pz_load64(&l->head);
		struct pool_page *d;

		if (!(uint32_t)old)
			return NULL;
		d = pool_listed(p, (uint32_t)old - 1);
		if (pz_cas64(&l->head, old, ((old >> 32) + 1) << 32 | pz_peek32(&d->next)))
			return d;
	}
}

/* The leaf of segment @seg is there, or is made. */
static bool pool_leaf(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, uint32_t seg)
{
	uint64_t *leaf = &p->leaf[seg >> p->leaf_shift];
	struct pool_memory *m;

	if (pz_load64(leaf))
		return true;
	m = pool_memory_new(p, cpu, gfp, 0);
	if (!m)
		return false;
	if (pz_cas64(leaf, 0, (uintptr_t)pool_memory_at(m)))
		pool_memory_keep(p, m);
	else
		pool_memory_back(p, m);
	return true;
}

static void pool_record_init(const struct pz_dma_pool *p, struct pool_page *d, uint32_t number)
{
	d->number = number;
	d->buf.bus = POOL_NO_BUS;
	d->state = POOL_GONE;
	d->bits = (uint64_t *)(void *)(d + 1);
	d->mark = (unsigned char *)d + p->marks;
	if (p->cfg.debug)
		d->track = (struct pool_track *)(void *)(d->bits + pool_words(p));
}

/* A segment of records: the first is the caller's, the others are spare. */
static struct pool_page *pool_segment_new(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp)
{
	uint32_t n = (uint32_t)1 << p->seg_shift, in = ((uint32_t)1 << p->leaf_shift) - 1, k;
	struct pool_memory *m = pool_memory_new(p, cpu, gfp, p->seg_order);
	struct pool_page *d = NULL, *last = NULL;
	unsigned char *base;
	uint64_t *leaf;

	if (!m)
		return NULL;
	do {
		k = pz_load32(&p->segs);
		if (k >> p->leaf_shift >= POOL_LEAVES || !pool_leaf(p, cpu, gfp, k)) {
			pool_memory_back(p, m);
			return NULL;
		}
	} while (!pz_cas32(&p->segs, k, k + 1));
	pool_memory_keep(p, m);
	base = pool_memory_at(m);
	for (uint32_t i = n; i-- > 0; last = last ? last : d) {
		struct pool_page *after = d;

		d = (struct pool_page *)(void *)(base + (size_t)i * p->record);
		pool_record_init(p, d, (k << p->seg_shift) + i);
		d->next = after ? after->number + 1 : 0;
	}
	leaf = (uint64_t *)(uintptr_t)pz_load64(&p->leaf[k >> p->leaf_shift]);
	pz_store64(&leaf[k & in], (uintptr_t)base);
	if (n > 1)
		pool_push(p, &p->spare, pool_record(p, d->number + 1), last);
	return d;
}

/* A record whose page is gone: one of the two parts is done. */
static void pool_done(struct pz_dma_pool *p, struct pool_page *d, uint32_t part)
{
	uint32_t old = pz_or32(&d->done, part);

	if ((old | part) == (POOL_DONE_LIST | POOL_DONE_PAGES) && old != (old | part))
		pool_push(p, &p->spare, d, d);
}

/* --- the page of a bus address --- */

static void pool_hint(const struct pz_dma_pool *p, struct pool_table *t, struct pool_page *d)
{
	size_t home = pool_place(p, t, d->buf.bus), at = home;

	for (size_t i = 0; i < POOL_PROBES; i++) {
		struct pool_page *old = pool_hinted(t, home ^ i);

		if (!old || pz_peek64(&old->buf.bus) == POOL_NO_BUS) {
			at = home ^ i;
			break;
		}
	}
	__atomic_store_n(&t->place[at], d, __ATOMIC_RELEASE);
}

/* Put a larger table of hints in place of one of which a quarter is used. */
static void pool_rehash(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp)
{
	struct pool_table *old = pool_table(p), *t;
	struct pool_memory *m;
	struct pool_page *d;
	uint32_t at = 0, order = 0;

	if (pz_peek64(&p->pages) <= old->mask / 4)
		return;
	while (pool_memory_bytes(p, order) < (old->mask + 1) * 8 * sizeof(d))
		order++;
	m = pool_memory_new(p, cpu, (gfp & ~PZ_GFP_BLOCK) | PZ_GFP_NORETRY, order);
	if (!m)
		return;
	t = pool_memory_at(m);
	t->mask = pool_memory_bytes(p, order) / (2 * sizeof(d)) - 1;
	while ((d = pz_dma_pool_next(p, &at)) != NULL)
		pool_hint(p, t, d);
	PZ_SCHED(&p->table);
	if (__atomic_compare_exchange_n(&p->table, &old, t, false, __ATOMIC_SEQ_CST,
					__ATOMIC_RELAXED))
		pool_memory_keep(p, m);
	else
		pool_memory_back(p, m);
}

struct pool_page *pz_dma_pool_find(struct pz_dma_pool *p, uint64_t bus)
{
	uint64_t page = pool_page_bus(p, bus);
	struct pool_table *t = pool_table(p);
	size_t home = pool_place(p, t, bus);
	struct pool_page *d;
	uint32_t at = 0;

	for (size_t i = 0; i < POOL_PROBES; i++) {
		d = pool_hinted(t, home ^ i);
		if (!d || pz_peek64(&d->buf.bus) != page)
			continue;
		if (i > 1) { /* where the short way looks, the next time */
			__atomic_store_n(&t->place[home ^ i], pool_hinted(t, home),
					 __ATOMIC_RELEASE);
			__atomic_store_n(&t->place[home], d, __ATOMIC_RELEASE);
		}
		return d;
	}
	while ((d = pz_dma_pool_next(p, &at)) != NULL) {
		if (pz_peek64(&d->buf.bus) == page) {
			pool_hint(p, t, d);
			return d;
		}
	}
	return NULL;
}

/* --- making, taking, giving, going --- */

/* Whether coherent memory is what was asked for: @buf begins where pool_page_bus() looks. */
static bool pool_buf_fits(const struct pz_dma_pool *p, const struct pz_dma_buf *buf)
{
	return buf->cpu_addr && pool_page_bus(p, buf->bus) == buf->bus && buf->bus != POOL_NO_BUS;
}

/* Searches that were misled to this record may look at its bus address meanwhile, no more. */
static void pool_buf_keep(struct pool_page *d, const struct pz_dma_buf *buf)
{
	d->buf.cpu_addr = buf->cpu_addr;
	d->buf.phys = buf->phys;
	d->buf.size = buf->size;
	d->buf.attrs = buf->attrs;
	d->buf.from = buf->from;
	d->buf.mapped = buf->mapped;
	d->buf.serial = buf->serial;
	d->buf.record = buf->record;
	d->buf.dir = buf->dir;
	pz_poke64(&d->buf.bus, buf->bus);
}

int pz_dma_pool_grow(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, struct pool_entry *e)
{
	uint32_t last = p->lay.blocks - 1; /* the caller's; others keep to whole words */
	struct pool_page *d = pool_pop(p, &p->spare);
	struct pz_dma_buf buf;
	int rc;

	if (!d)
		d = pool_segment_new(p, cpu, gfp);
	if (!d)
		return -PZ_ENOMEM;
	rc = pz_dma_alloc(p->dev, cpu, gfp & POOL_GFP, 0, p->lay.bytes, &buf);
	if (!rc && !pool_buf_fits(p, &buf)) {
		pz_dma_free(p->dev, cpu, &buf);
		rc = -PZ_ERANGE;
	}
	if (rc) {
		pool_push(p, &p->spare, d, d);
		return rc;
	}
	d->done = 0;
	memset(d->mark, POOL_MARK_FREE, p->lay.blocks);
	for (uint32_t i = 0; i < last; i += 64)
		d->bits[i / 64] = last - i < 64 ? ((uint64_t)1 << (last - i)) - 1 : UINT64_MAX;
	if (last % 64 == 0)
		d->bits[last / 64] = 0;
	pool_buf_keep(d, &buf);
	if (p->cfg.debug)
		pz_dma_pool_poison_new(p, d);
	pz_count64(&p->pages, 1);
	pz_store64(&d->state, last);
	pz_store32(&d->used, 1);
	pool_hint(p, pool_table(p), d);
	*e = pool_entry(p, d, last);
	if (last)
		pool_push(p, &p->partial, d, d);
	pool_rehash(p, cpu, gfp);
	return 0;
}

/* The @n lowest bits of @v, or all. */
static uint64_t pool_lowest(uint64_t v, uint32_t n)
{
	uint64_t rest = v;

	if (n >= pz_popcount64(v))
		return v;
	while (n--)
		rest &= rest - 1;
	return v & ~rest;
}

/* Clear @n bits of blocks that were taken off the state: there are as many, and nobody else's.
 * Those of a word lie in one line by their marks, so a CPU best has them together. */
static void pool_collect(struct pz_dma_pool *p, struct pool_page *d, uint32_t n,
			 struct pool_entry *e)
{
	uint32_t words = pool_words(p);

	for (uint32_t w = 0; n; w = w + 1 < words ? w + 1 : 0) {
		uint64_t v, take;

		do {
			v = pz_load64(&d->bits[w]);
			take = pool_lowest(v, n);
		} while (take && !pz_cas64(&d->bits[w], v, v & ~take));
		n -= pz_popcount64(take);
		for (; take; take &= take - 1)
			*e++ = pool_entry(p, d, w * 64 + pz_ctz64(take));
	}
}

uint32_t pz_dma_pool_take(struct pz_dma_pool *p, uint32_t n, struct pool_entry *e)
{
	uint32_t got = 0;

	while (got < n) {
		struct pool_page *d = pool_pop(p, &p->partial);
		uint64_t old;
		uint32_t m;

		if (!d)
			break;
		do {
			old = pz_load64(&d->state);
			m = old < n - got ? (uint32_t)old : n - got;
			/* Rather a magazine that is half full than marks shared with others. */
			if (old != POOL_GONE && m < old && 2 * got >= n)
				m = 0;
		} while (old != POOL_GONE && !pz_cas64(&d->state, old, old - m));
		if (old == POOL_GONE) {
			pool_done(p, d, POOL_DONE_LIST);
			continue;
		}
		if (old != m)
			pool_push(p, &p->partial, d, d);
		if (!m)
			break;
		pool_collect(p, d, m, e + got);
		got += m;
	}
	return got;
}

/* @n blocks whose bits are set are counted. */
static void pool_count(struct pz_dma_pool *p, struct pool_page *d, uint32_t n)
{
	uint64_t old;

	if (!n)
		return;
	do {
		old = pz_load64(&d->state);
	} while (!pz_cas64(&d->state, old, old + n));
	if (!old)
		pool_push(p, &p->partial, d, d);
}

/* Blocks of one word that come back together. */
struct pool_run {
	struct pool_page *d;
	uint32_t word;
	uint64_t bits;
};

/* A block that came back twice. */
static void pool_twice(struct pz_dma_pool *p, struct pool_page *d, uint32_t block)
{
	struct pool_entry e = pool_entry(p, d, block);

	pz_dma_pool_found(p, "pz_dma_pool_free", PZ_DMA_POOL_DOUBLE_FREE, e.cpu, e.bus);
}

static void pool_end_run(struct pz_dma_pool *p, const struct pool_run *r)
{
	uint64_t *word, old, twice;

	if (!r->bits)
		return;
	word = &r->d->bits[r->word];
	do {
		old = pz_load64(word);
	} while (!pz_cas64(word, old, old | r->bits));
	for (twice = old & r->bits; twice; twice &= twice - 1)
		pool_twice(p, r->d, r->word * 64 + pz_ctz64(twice));
	pool_count(p, r->d, pz_popcount64(r->bits & ~old));
}

void pz_dma_pool_give(struct pz_dma_pool *p, uint32_t n, const struct pool_entry *e)
{
	struct pool_run r = { NULL, 0, 0 };

	for (; n; n--, e++) {
		uint32_t off, block;
		struct pool_page *d = pool_find_fast(p, e->bus, 0, &off);
		uint64_t bit;

		if (POOL_UNLIKELY(!d))
			d = pz_dma_pool_find(p, e->bus);
		block = (uint32_t)(e->mark - d->mark);
		if (d != r.d || block / 64 != r.word) {
			pool_end_run(p, &r);
			r.d = d;
			r.word = block / 64;
			r.bits = 0;
		}
		bit = (uint64_t)1 << (block & 63);
		if (r.bits & bit)
			pool_twice(p, d, block);
		r.bits |= bit;
	}
	pool_end_run(p, &r);
}

/* Take what went out of the list, so that its records can serve again. */
static void pool_sweep(struct pz_dma_pool *p)
{
	struct pool_page *d, *first = NULL, *last = NULL;

	while ((d = pool_pop(p, &p->partial)) != NULL) {
		if (pz_load64(&d->state) == POOL_GONE) {
			pool_done(p, d, POOL_DONE_LIST);
			continue;
		}
		pz_poke32(&d->next, first ? first->number + 1 : 0);
		first = d;
		last = last ? last : d;
	}
	if (first)
		pool_push(p, &p->partial, first, last);
}

uint64_t pz_dma_pool_shrink(struct pz_dma_pool *p, uint32_t cpu)
{
	struct pz_dma_buf buf;
	struct pool_page *d;
	uint64_t bytes = 0;
	uint32_t at = 0;

	while ((d = pz_dma_pool_next(p, &at)) != NULL) {
		if (!pz_cas64(&d->state, p->lay.blocks, POOL_GONE))
			continue;
		buf = d->buf;
		pz_poke64(&d->buf.bus, POOL_NO_BUS);
		d->buf.cpu_addr = NULL;
		pz_store32(&d->used, 0);
		pz_count64(&p->pages, (uint64_t)0 - 1);
		pz_dma_free(p->dev, cpu, &buf);
		bytes += p->lay.bytes;
		pool_done(p, d, POOL_DONE_PAGES);
	}
	if (bytes)
		pool_sweep(p);
	return bytes;
}
