/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool.c - see dma_pool.h.
 *
 * Concept: what is free is kept in the free blocks themselves, as Linux does it. By page it is a
 * chain of offsets from the page's record, and the newest page with a free block serves; else it is
 * one stack of blocks, in which those of a new page lie in ascending order.
 *
 * Invariants: 1. a block is out or free, never both; 2. a page is given back by
 * dma_pool_destroy() only.
 */
#include "dma_pool.h"

#include <string.h>

#define POOL_FREE 0xa7
#define POOL_TAKEN 0xa9
#define POOL_NONE UINT64_MAX /* the end of the stack */

struct pool_page {
	struct pool_page *next; /* the one made before */
	uint64_t dma;
	uint32_t offset; /* by page: of the first free block; the size of the page when none is */
	uint32_t used;	 /* by page */
};

/* At the start of a free block of the stack; by page it is a uint32_t. */
struct pool_block {
	uint64_t next, dma;
};

struct dma_pool {
	struct dma_pool_config cfg;
	struct pool_page *pages;
	uint32_t bytes; /* of an allocation of pages */
	unsigned int order;
	uint64_t first; /* of the stack */
	struct dma_pool_stat stat;
};

static bool pool_pow2(uint32_t v)
{
	return v && !(v & (v - 1));
}

struct dma_pool *dma_pool_create(const struct dma_pool_config *cfg)
{
	uint32_t page = UINT32_C(1) << cfg->page_shift, least = cfg->by_page ? 4 : 16;
	uint32_t align = cfg->align ? cfg->align : 1, size = cfg->size;
	struct dma_pool *p;

	if (!pool_pow2(align) || !size || size > INT32_MAX - align)
		return NULL;
	size = size < least ? least : size;
	size = (size + align - 1) & ~(align - 1);
	if (cfg->boundary && (cfg->boundary < size || !pool_pow2(cfg->boundary)))
		return NULL;
	p = cfg->meta->alloc(cfg->meta->ctx, sizeof(*p));
	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->cfg.size = size;
	p->first = POOL_NONE;
	while (page < size) {
		page *= 2;
		p->order++;
	}
	p->bytes = page;
	if (!cfg->boundary || cfg->boundary > page)
		p->cfg.boundary = page;
	return p;
}

/* The offset of the block after one; the size of the page at the end. */
static uint32_t pool_after(const struct dma_pool *p, uint32_t offset, uint32_t *edge)
{
	uint32_t next = offset + p->cfg.size, end = next + p->cfg.size;

	if (p->cfg.by_page ? end >= *edge : end > *edge) {
		next = *edge;
		*edge += p->cfg.boundary;
	}
	return next + p->cfg.size > p->bytes ? p->bytes : next;
}

static unsigned char *pool_at(const struct dma_pool *p, uint64_t dma)
{
	return p->cfg.arena + dma;
}

/* Before the link is written into a free block. */
static void pool_poison(const struct dma_pool *p, uint64_t dma)
{
	if (p->cfg.debug)
		memset(pool_at(p, dma), POOL_FREE, p->cfg.size);
}

static void pool_cut(struct dma_pool *p, struct pool_page *page)
{
	uint32_t edge = p->cfg.boundary, at = 0, last = 0;

	while (at < p->bytes) {
		uint32_t next = pool_after(p, at, &edge);
		struct pool_block b = { page->dma + next, page->dma + at };

		pool_poison(p, page->dma + at);
		if (p->cfg.by_page)
			memcpy(pool_at(p, page->dma + at), &next, sizeof(next));
		else
			memcpy(pool_at(p, page->dma + at), &b, sizeof(b));
		p->stat.blocks++;
		last = at;
		at = next;
	}
	if (!p->cfg.by_page) {
		struct pool_block b = { p->first, page->dma + last };

		memcpy(pool_at(p, page->dma + last), &b, sizeof(b));
		p->first = page->dma;
	}
}

static int pool_grow(struct dma_pool *p, uint32_t gfp)
{
	struct pool_page *page = p->cfg.meta->alloc(p->cfg.meta->ctx, sizeof(*page));
	uint64_t pfn;
	int rc;

	if (!page)
		return -PZ_ENOMEM;
	rc = pz_alloc_pages(p->cfg.pages, 0, gfp, p->order, &p->cfg.limits, &pfn);
	if (rc) {
		p->cfg.meta->free(p->cfg.meta->ctx, page, sizeof(*page));
		return rc;
	}
	memset(page, 0, sizeof(*page));
	page->dma = pfn << p->cfg.page_shift;
	page->next = p->pages;
	p->pages = page;
	p->stat.pages++;
	pool_cut(p, page);
	return 0;
}

static void pool_taken(struct dma_pool *p, uint64_t dma, uint32_t link)
{
	unsigned char *at = pool_at(p, dma);

	p->stat.used++;
	if (!p->cfg.debug)
		return;
	for (uint32_t i = link; i < p->cfg.size; i++) {
		if (at[i] != POOL_FREE) {
			p->stat.corrupted++;
			break;
		}
	}
	memset(at, POOL_TAKEN, p->cfg.size);
}

static bool pool_take_page(struct dma_pool *p, uint64_t *dma)
{
	for (struct pool_page *page = p->pages; page; page = page->next) {
		if (page->offset >= p->bytes)
			continue;
		*dma = page->dma + page->offset;
		memcpy(&page->offset, pool_at(p, *dma), sizeof(page->offset));
		page->used++;
		pool_taken(p, *dma, sizeof(page->offset));
		return true;
	}
	return false;
}

static bool pool_take(struct dma_pool *p, uint64_t *dma)
{
	struct pool_block b;

	if (p->cfg.by_page)
		return pool_take_page(p, dma);
	if (p->first == POOL_NONE)
		return false;
	memcpy(&b, pool_at(p, p->first), sizeof(b));
	*dma = p->first;
	p->first = b.next;
	pool_taken(p, *dma, sizeof(b));
	return true;
}

int dma_pool_alloc(struct dma_pool *p, uint32_t gfp, uint64_t *dma)
{
	int rc = 0;

	if (pool_take(p, dma))
		return 0;
	rc = pool_grow(p, gfp);
	if (!rc && !pool_take(p, dma))
		rc = -PZ_ENOMEM;
	return rc;
}

/* Whether a block is in a list of free ones. */
static bool pool_is_free(const struct dma_pool *p, const struct pool_page *page, uint64_t dma)
{
	struct pool_block b;
	uint32_t offset;

	if (p->cfg.by_page) {
		for (offset = page->offset; offset < p->bytes;
		     memcpy(&offset, pool_at(p, page->dma + offset), sizeof(offset)))
			if (page->dma + offset == dma)
				return true;
		return false;
	}
	for (uint64_t at = p->first; at != POOL_NONE; at = b.next) {
		if (at == dma)
			return true;
		memcpy(&b, pool_at(p, at), sizeof(b));
	}
	return false;
}

void dma_pool_free(struct dma_pool *p, uint64_t dma)
{
	struct pool_block b = { p->first, dma };
	struct pool_page *page = NULL;

	if (p->cfg.by_page || p->cfg.debug)
		for (page = p->pages; page; page = page->next)
			if (dma - page->dma < p->bytes)
				break;
	if ((!page && (p->cfg.by_page || p->cfg.debug)) ||
	    (p->cfg.debug && pool_is_free(p, page, dma))) {
		p->stat.refused++;
		return;
	}
	pool_poison(p, dma);
	p->stat.used--;
	if (p->cfg.by_page) {
		memcpy(pool_at(p, dma), &page->offset, sizeof(page->offset));
		page->offset = (uint32_t)(dma - page->dma);
		page->used--;
		return;
	}
	memcpy(pool_at(p, dma), &b, sizeof(b));
	p->first = dma;
}

void dma_pool_stat(const struct dma_pool *p, struct dma_pool_stat *out)
{
	*out = p->stat;
}

int dma_pool_destroy(struct dma_pool *p)
{
	const struct pz_meta *meta;
	int rc;

	if (!p)
		return 0;
	meta = p->cfg.meta;
	rc = p->stat.used ? -PZ_EBUSY : 0;
	while (p->pages) {
		struct pool_page *page = p->pages;

		p->pages = page->next;
		if (p->cfg.by_page ? !page->used : !rc)
			pz_free_pages(p->cfg.pages, 0, page->dma >> p->cfg.page_shift, p->order);
		meta->free(meta->ctx, page, sizeof(*page));
	}
	meta->free(meta->ctx, p, sizeof(*p));
	return rc;
}
