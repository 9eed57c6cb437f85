/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_check.c - the numbers of a pool, and its invariants.
 *
 * Invariants, verified by pz_dma_pool_check() while nobody uses the pool
 *  1. a page's memory is whole: at a multiple of its size on the bus, no two at one place;
 *  2. the state of a page is the number of its bits, and the bits are those of blocks;
 *  3. a block whose bit is set is free by its mark;
 *  4. a block in a magazine is free by its mark, not by its bit, and is in one magazine, once;
 *  5. a block that is neither is out or fenced off;
 *  6. the list ends, and has exactly the pages whose state is not 0, and stubs;
 *  7. no CPU is at work, and the counts are right.
 */
#include "pool.h"

static uint64_t pool_in_magazines(const struct pz_dma_pool *p)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < p->cpus; i++) {
		const struct pool_entry *top = __atomic_load_n(&p->heads[i].top, __ATOMIC_RELAXED);

		n += (uint64_t)(top - pool_bottom(p, i) - 1);
	}
	return n;
}

void pz_dma_pool_info(const struct pz_dma_pool *p, struct pz_dma_pool_info *out)
{
	uint64_t free = 0, state, gone;
	struct pool_page *d;
	uint32_t at = 0;

	memset(out, 0, sizeof(*out));
	out->name = p->name;
	out->size = p->cfg.size;
	out->layout = p->lay;
	while ((d = pz_dma_pool_next(p, &at)) != NULL) {
		state = pz_load64(&d->state);
		if (state == POOL_GONE)
			continue;
		out->pages++;
		free += state;
	}
	out->total = out->pages * p->lay.blocks;
	out->kept = pool_in_magazines(p);
	out->fenced = pz_load64(&p->fenced);
	out->meta_bytes = pz_load64(&p->meta_bytes);
	gone = free + out->kept + out->fenced;
	out->used = gone < out->total ? out->total - gone : 0;
}

static bool pool_bit(const struct pool_page *d, uint32_t block)
{
	return d->bits[block / 64] >> (block & 63) & 1;
}

/* How often a block is in a magazine. */
static uint32_t pool_kept(const struct pz_dma_pool *p, const unsigned char *mark)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->cpus; i++) {
		for (struct pool_entry *e = pool_bottom(p, i) + 1; e < p->heads[i].top; e++)
			n += e->mark == mark;
	}
	return n;
}

static int pool_check_page(const struct pz_dma_pool *p, struct pool_page *d)
{
	uint64_t set = 0;

	if (!d->buf.cpu_addr || d->buf.bus == POOL_NO_BUS || d->buf.size != p->lay.bytes ||
	    pool_page_bus(p, d->buf.bus) != d->buf.bus)
		return 1;
	for (uint32_t w = 0; w < (p->lay.blocks + 63) / 64; w++)
		set += pz_popcount64(d->bits[w]);
	if (set != d->state)
		return 2;
	for (uint32_t i = 0; i < p->lay.blocks; i++) {
		unsigned char mark = d->mark[i];
		uint32_t kept;

		set -= pool_bit(d, i);
		if (pool_bit(d, i) && mark != POOL_MARK_FREE)
			return 3;
		if (mark != POOL_MARK_FREE && mark != POOL_MARK_OUT && mark != POOL_MARK_FENCED)
			return 5;
		if (mark != POOL_MARK_FREE || pool_bit(d, i))
			continue;
		kept = pool_kept(p, d->mark + i);
		if (kept != 1)
			return kept ? 4 : 5;
	}
	return set ? 2 : 0;
}

/* Pages in the list that are no stubs; UINT64_MAX when it does not end. */
static uint64_t pool_listed(const struct pz_dma_pool *p)
{
	uint64_t n = 0, steps = 0, all = (uint64_t)p->segs << p->seg_shift;

	for (uint32_t at = (uint32_t)p->partial.head; at;) {
		const struct pool_page *d = pz_dma_pool_record(p, at - 1);

		if (!d || ++steps > all || !d->state)
			return UINT64_MAX;
		n += d->state != POOL_GONE;
		at = d->next;
	}
	return n;
}

static int pool_check_magazines(const struct pz_dma_pool *p)
{
	for (uint32_t i = 0; i < p->cpus; i++) {
		const struct pool_head *h = &p->heads[i];

		if (h->busy)
			return 7;
		if (h->top <= pool_bottom(p, i) || h->top > h->end)
			return 4;
		for (struct pool_entry *e = pool_bottom(p, i) + 1; e < h->top; e++) {
			if (*e->mark != POOL_MARK_FREE || pool_kept(p, e->mark) != 1)
				return 4;
		}
	}
	return 0;
}

int pz_dma_pool_check(const struct pz_dma_pool *p)
{
	uint64_t pages = 0, partial = 0;
	struct pool_page *d, *other;
	uint32_t at = 0, to;
	int rc = pool_check_magazines(p);

	while (!rc && (d = pz_dma_pool_next(p, &at)) != NULL) {
		rc = pool_check_page(p, d);
		pages++;
		partial += d->state != 0;
		for (to = at; !rc && (other = pz_dma_pool_next(p, &to)) != NULL;)
			rc = other->buf.bus == d->buf.bus ? 1 : 0;
	}
	if (rc)
		return rc;
	if (pool_listed(p) != partial)
		return 6;
	return pages == p->pages ? 0 : 7;
}
