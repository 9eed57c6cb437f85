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

#include <physzone/linux/dma_pool.h>

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
	struct pz_dma_pool_layout lay;
	struct pool_page *pages;
	unsigned int order;
	uint64_t first; /* of the stack */
	struct dma_pool_stat stat;
};

struct dma_pool *dma_pool_create(const struct dma_pool_config *cfg)
{
	struct pz_dma_pool_layout lay;
	struct dma_pool *p;

	if (pzl_dma_pool_layout(&lay, cfg->by_page ? PZL_LINUX_6_1 : PZL_LINUX_6_12,
				cfg->page_shift, cfg->size, cfg->align, cfg->boundary))
		return NULL;
	p = cfg->meta->alloc(cfg->meta->ctx, sizeof(*p));
	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->lay = lay;
	p->first = POOL_NONE;
	while ((UINT64_C(1) << (cfg->page_shift + p->order)) < lay.bytes)
		p->order++;
	return p;
}

/* Where a block lies in its page; the size of the page behind the last. */
static uint32_t pool_offset(const struct dma_pool *p, uint32_t block)
{
	const struct pz_dma_pool_layout *l = &p->lay;

	return block < l->blocks
		       ? block / l->per_span * l->span + block % l->per_span * l->stride
		       : l->bytes;
}

static unsigned char *pool_at(const struct dma_pool *p, uint64_t dma)
{
	return p->cfg.arena + dma;
}

/* Before the link is written into a free block. */
static void pool_poison(const struct dma_pool *p, uint64_t dma)
{
	if (p->cfg.debug)
		memset(pool_at(p, dma), POOL_FREE, p->lay.stride);
}

static void pool_cut(struct dma_pool *p, struct pool_page *page)
{
	for (uint32_t i = 0; i < p->lay.blocks; i++) {
		uint32_t at = pool_offset(p, i), next = pool_offset(p, i + 1);
		bool last = i + 1 == p->lay.blocks;
		struct pool_block b = { last ? p->first : page->dma + next, page->dma + at };

		pool_poison(p, page->dma + at);
		if (p->cfg.by_page)
			memcpy(pool_at(p, page->dma + at), &next, sizeof(next));
		else
			memcpy(pool_at(p, page->dma + at), &b, sizeof(b));
	}
	p->stat.blocks += p->lay.blocks;
	if (!p->cfg.by_page)
		p->first = page->dma;
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
	for (uint32_t i = link; i < p->lay.stride; i++) {
		if (at[i] != POOL_FREE) {
			p->stat.corrupted++;
			break;
		}
	}
	memset(at, POOL_TAKEN, p->lay.stride);
}

static bool pool_take_page(struct dma_pool *p, uint64_t *dma)
{
	for (struct pool_page *page = p->pages; page; page = page->next) {
		if (page->offset >= p->lay.bytes)
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
		for (offset = page->offset; offset < p->lay.bytes;
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
			if (dma - page->dma < p->lay.bytes)
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
