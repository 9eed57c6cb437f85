/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contig.h - contiguous memory: movable pages and their owners, evacuation, CMA areas.
 *
 * A contiguous area (CMA) is memory reserved early and lent to movable pages; whoever needs a part
 * of it gets that part after the movable pages were moved out. Any other range can be evacuated in
 * the same way as far as everything in it is movable. Source followed: docs/facts/page_alloc.md
 * section 11; where Linux waits or retries without end, this says what stands in the way.
 */
#ifndef PHYSZONE_CONTIG_H
#define PHYSZONE_CONTIG_H

#include <physzone/page.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_PAGE_OWNERS 247u

/**
 * pz_page_owner_add - make an owner of movable pages known
 * @p: the allocator
 * @owner: name and migrate hook; copied
 * @id: number for PZ_GFP_OWNER(), written on success only
 *
 * Context: any but interrupts.
 * Return: 0, -PZ_EINVAL when the name or the hook is missing, -PZ_ENOSPC after PZ_PAGE_OWNERS,
 * -PZ_ENOMEM when there is no room for a byte for each page, which the first owner asks for.
 */
int pz_page_owner_add(struct pz_pages *p, const struct pz_page_owner *owner, uint8_t *id);

/**
 * pz_page_set_owner - hand movable pages to another owner
 * @p: the allocator
 * @pfn: first page frame of an allocated block
 * @owner: the new owner, 0 to make the block unmovable (pinned) where it lies
 *
 * Context: any; the caller owns the block.
 * Return: 0, or -PZ_EINVAL when there is no block or no such owner.
 */
int pz_page_set_owner(struct pz_pages *p, uint64_t pfn, uint8_t owner);

/**
 * pz_evacuate - move every page out of a range, and keep the range
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @pfns: inclusive range of page frames, all of them managed
 *
 * On success the range is one allocated run, freed by pz_free_exact(). How alloc_contig_range()
 * works.
 *
 * Context: may block; calls migrate hooks.
 * Return: 0; -PZ_EINVAL when part of the range is not managed; -PZ_EBUSY when a page is unmovable,
 * or an owner said no or later; -PZ_ENOMEM when there is no room for the pages elsewhere. Pages
 * that were moved by then stay moved; the rest is as it was.
 */
int pz_evacuate(struct pz_pages *p, uint32_t cpu, struct pz_range pfns);

/* What evacuating a range would take. */
struct pz_evacuation {
	struct pz_range pfns;
	uint64_t free; /* pages that are free */
	uint64_t movable; /* pages to be moved; blocks that stick out of the range count whole */
	/* These forbid it: reserved pages, allocated ones without an owner, and blocks whose length
	 * is no power of two, for a migrate hook is told an order. */
	uint64_t fixed;
	uint64_t first_fixed; /* the first of them */
};

/**
 * pz_evacuation_cost - what evacuating a range would take
 * @p: the allocator
 * @pfns: inclusive range of page frames
 * @out: the numbers
 *
 * Context: any. Cost: O(pages).
 */
void pz_evacuation_cost(const struct pz_pages *p, struct pz_range pfns, struct pz_evacuation *out);

/**
 * pz_evacuation_cheapest - the range that a request would get with the fewest pages moved
 * @p: the allocator
 * @pages: length
 * @limits: where, how aligned, and what it must not cross
 * @out: the range and its numbers, written on success only
 *
 * Context: any. Cost: O(pages within the limits).
 * Return: 0; -PZ_EINVAL when @pages is 0 or @limits malformed; -PZ_ENOMEM when no range within the
 * limits is free of fixed pages.
 */
int pz_evacuation_cheapest(const struct pz_pages *p, uint64_t pages, const struct pz_limits *limits,
			   struct pz_evacuation *out);

#define PZ_CMA_NAME 32u
#define PZ_CMA_AREAS 64u

/* A request for a contiguous area, made while memory is still memblock's. */
struct pz_cma_req {
	const char *name; /* cut to PZ_CMA_NAME - 1 characters */
	uint64_t size; /* bytes; rounded up to whole pageblocks */
	uint64_t base; /* lowest address, or the very address with @fixed; 0 is never fixed */
	uint64_t limit; /* exclusive end; 0 for none */
	bool fixed;
	int32_t nid; /* node, or PZ_NID_NONE */
	/* first address above low memory, 0 for none: not crossed, and above it first */
	uint64_t highmem;
	bool bottom_up_4g; /* try above 4 GiB from below first, as Linux does without a limit */
};

/* Where an area is, before the allocator takes it over. */
struct pz_cma_reserved {
	char name[PZ_CMA_NAME];
	struct pz_range range; /* bytes */
};

/**
 * pz_cma_reserve - reserve memory for a contiguous area early
 * @mb: memory; the area is reserved in it
 * @req: what is wanted
 * @pageblock_bytes: a power of two: size and place are multiples of it
 * @out: the place, written on success only
 *
 * Context: any; calls the metadata hook of @mb.
 * Return: 0; -PZ_EINVAL when size is 0, a fixed base is not aligned, the limit is below base +
 * size, or a fixed area crosses @req->highmem; -PZ_EBUSY when a fixed place is taken or no memory;
 * -PZ_ENOMEM when there is no room; -PZ_ENOSPC when @mb cannot grow.
 */
int pz_cma_reserve(struct pz_memblock *mb, const struct pz_cma_req *req, uint64_t pageblock_bytes,
		   struct pz_cma_reserved *out);

/**
 * pz_cma_activate - lend a reserved area to movable pages
 * @p: the allocator
 * @area: the area, as pz_cma_reserve() gave it
 * @id: number of the area, written on success only
 *
 * Its pages become managed. Whether they are directly mapped is a question of their addresses,
 * never of a zone; nothing here asks it.
 *
 * Context: any but interrupts; may call the metadata hook.
 * Return: 0; -PZ_EINVAL when the area is not made of whole pageblocks, or spans zones; -PZ_EEXIST
 * when a page of it is managed already; -PZ_ENOSPC after PZ_CMA_AREAS; -PZ_ENOMEM.
 */
int pz_cma_activate(struct pz_pages *p, const struct pz_cma_reserved *area, uint32_t *id);

/**
 * pz_cma_alloc - take contiguous pages out of an area
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @id: the area
 * @pages: length
 * @align_order: alignment of the first page frame, as an order
 * @limits: further limits, or NULL
 * @pfn: the first page frame, written on success only
 *
 * The place with the fewest pages to move is tried first, then others.
 *
 * Context: may block; calls migrate hooks.
 * Return: 0; -PZ_ENOENT for no such area; -PZ_EINVAL when @pages is 0 or an argument is malformed;
 * -PZ_ERANGE when the area could never serve it; -PZ_EBUSY when pages could not be moved;
 * -PZ_ENOMEM when other takers hold too much of it, or the pages have no room elsewhere.
 */
int pz_cma_alloc(struct pz_pages *p, uint32_t cpu, uint32_t id, uint64_t pages,
		 unsigned int align_order, const struct pz_limits *limits, uint64_t *pfn);

/**
 * pz_cma_release - give contiguous pages back
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @id: the area
 * @pfn: the first page frame
 * @pages: length, as it was taken
 *
 * Context: any.
 * Return: true; false when the pages do not lie in the area (nothing happens then). Misuse within
 * it is told to pz_bug().
 */
bool pz_cma_release(struct pz_pages *p, uint32_t cpu, uint32_t id, uint64_t pfn, uint64_t pages);

/* Who has what of an area. */
struct pz_cma_stat {
	char name[PZ_CMA_NAME];
	struct pz_range pfns;
	uint64_t taken; /* pages given out by pz_cma_alloc() */
	uint64_t lent; /* movable pages in it */
	uint64_t free;
	uint64_t largest; /* longest run that is not taken */
	uint64_t by_owner[PZ_PAGE_OWNERS + 1]; /* lent pages by owner; 0: pinned since */
	uint64_t allocs, alloc_fails, moved; /* calls that succeeded, that failed, pages moved */
};

/**
 * pz_cma_stat - the account of an area
 * @p: the allocator
 * @id: the area
 * @out: the numbers
 *
 * Context: any. Cost: O(pages of the area).
 * Return: 0, or -PZ_ENOENT.
 */
int pz_cma_stat(const struct pz_pages *p, uint32_t id, struct pz_cma_stat *out);

#ifdef __cplusplus
}
#endif

#endif
