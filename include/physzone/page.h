/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h - the page allocator: page frames by address, under any limit.
 *
 * There are no free lists and no zones inside. Each frame's state stands in a tree that is indexed
 * by address, so a limit only says which part of the tree is searched. What is cached for a CPU are
 * hints of where free frames lie, never frames themselves (unless pz_page_config.pcp_hold says
 * so), so nothing has to be drained to see all free memory. docs/design/page.md has the argument.
 *
 * Two policies, chosen while running:
 *  - PZ_POLICY_REACH: a request is served from the highest addresses that its limits allow, nearest
 *    node first, so that memory which few devices reach is used up first. The lowest `keep_pages`
 *    managed pages are kept for requests whose limits leave them no choice.
 *  - PZ_POLICY_ZONELIST: Linux's: zone after zone of the zonelist, each guarded by its watermark
 *    and the lowmem reserve against the highest zone that the request may use.
 *
 * Units: pages and page frame numbers (pfn) of the machine's page size; limits are in bytes.
 * Concurrency: every function may be called from any context and on any number of CPUs at once,
 * interrupt handlers included, unless it says otherwise; nothing here waits or takes a lock on the
 * way of an ordinary request. @cpu is the index of the calling CPU, below pz_page_config.cpus: no
 * two contexts may use the same index at the same time, but for interrupt handlers on top of what
 * they interrupt. A caller that cannot promise that passes PZ_CPU_NONE.
 * Source followed: docs/facts/page_alloc.md.
 */
#ifndef PHYSZONE_PAGE_H
#define PHYSZONE_PAGE_H

#include <physzone/bug.h>
#include <physzone/fault.h>
#include <physzone/limits.h>
#include <physzone/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_CPU_NONE UINT32_MAX /* no index of one's own */
#define PZ_PAGE_MAX_ORDER 18u /* largest order of pz_alloc_pages(); lengths are unlimited */
#define PZ_PAGE_ORDERS (PZ_PAGE_MAX_ORDER + 1)

/* What a pageblock is used for, by Linux's numbers. */
enum pz_mobility {
	PZ_UNMOVABLE,
	PZ_MOVABLE,
	PZ_RECLAIMABLE,
	PZ_HIGHATOMIC,
	PZ_CMA,
	PZ_ISOLATE,
	PZ_MOBILITIES,
};

/* What a request may do. Zero is a request that may not block, of an unmovable page. */
#define PZ_GFP_MOVABLE 0x1u /* pages that their owner can move; needs PZ_GFP_OWNER() to be moved */
#define PZ_GFP_RECLAIMABLE 0x2u /* pages of caches that shrink on demand */
#define PZ_GFP_HIGH 0x4u /* may use half of the min watermark's pages (atomic contexts) */
#define PZ_GFP_BLOCK 0x8u /* the caller may block: reclaim, migrate and out-of-memory hooks run */
#define PZ_GFP_MEMALLOC 0x10u /* ignores watermarks: the caller is freeing memory */
#define PZ_GFP_ZERO 0x20u /* zero the pages through the zero hook */
#define PZ_GFP_THISNODE 0x40u /* from the asked node or not at all */
#define PZ_GFP_NORETRY 0x80u /* one round of reclaim at most, no out-of-memory hook */
#define PZ_GFP_NOMIGRATE 0x100u /* never move pages out of the way */
#define PZ_GFP_NOKEEP 0x200u /* may use the kept pages whatever the limits */
#define PZ_GFP_ALL 0x3ffu
/* The owner of movable pages, a number from pz_page_owner_add(), 1 to PZ_PAGE_OWNERS. */
#define PZ_GFP_OWNER(id) ((uint32_t)(id) << 24)
#define PZ_GFP_OWNER_OF(gfp) ((gfp) >> 24)

enum pz_page_policy { PZ_POLICY_REACH, PZ_POLICY_ZONELIST };

/* Answers of a migrate hook. */
enum pz_migrate {
	PZ_MIGRATE_YES, /* moved: @to is the owner's now, and @from no longer */
	PZ_MIGRATE_NO, /* cannot be moved */
	PZ_MIGRATE_LATER, /* cannot be moved now */
};

/*
 * An owner of movable pages. @migrate is asked to move the block of 2^@order pages at @from to @to:
 * copy it and redirect whoever uses it. It may find that the block was freed since (it answers
 * LATER then). Called from the context of a request with PZ_GFP_BLOCK; it may allocate with
 * PZ_GFP_MEMALLOC and free other pages, but must not free @from itself.
 */
struct pz_page_owner {
	const char *name; /* static; for accounts of who holds what */
	enum pz_migrate (*migrate)(void *ctx, uint64_t from, uint64_t to, unsigned int order);
	void *ctx;
};

/* What the embedder supplies; each may be NULL. */
struct pz_page_hooks {
	/* Free pages: about @pages within @limits are needed. Returns pages freed, 0 for none. */
	uint64_t (*reclaim)(void *ctx, uint64_t pages, const struct pz_limits *limits);
	/* Nothing could be reclaimed. Returns true when memory was freed: a retry makes sense. */
	bool (*oom)(void *ctx, uint64_t pages, const struct pz_limits *limits);
	/* The free pages of an area fell below its low watermark: start background reclaim. */
	void (*low)(void *ctx, int nid, enum pz_zone_type type);
	/* Write zeroes to pages, or fill them with @byte (poisoning). */
	void (*fill)(void *ctx, uint64_t pfn, uint64_t pages, unsigned char byte);
	/* Whether pages hold only @byte; false names the first page that does not. */
	bool (*filled)(void *ctx, uint64_t pfn, uint64_t pages, unsigned char byte, uint64_t *bad);
	/* Map or unmap pages, for guard pages and unmapped free pages. */
	void (*map)(void *ctx, uint64_t pfn, uint64_t pages, bool present);
	/* Who calls, for the debug record of a page: a number of the caller's choice. */
	uint64_t (*site)(void *ctx);
	void *ctx;
};

/* Debug options. */
#define PZ_PAGE_DEBUG_SITES 0x1u /* remember who allocated and freed each page (16 bytes a page) */
#define PZ_PAGE_DEBUG_POISON 0x2u /* fill free pages with 0xaa, check when they are given out */
#define PZ_PAGE_DEBUG_GUARD 0x4u /* a block of order 0 is followed by an unmapped page */

#define PZ_PAGE_MAX_CPUS 4096u

struct pz_page_config {
	const struct pz_meta *meta; /* small arrays; must outlive the allocator */
	/* Zero-filled memory for what grows with the managed memory; its pages should be untouched
	 * (a fresh mapping), for the start-up cost. NULL: @meta and a memset. */
	const struct pz_meta *zeroed;
	const struct pz_zones *zones; /* areas, watermarks, reserves; must outlive the allocator */
	const struct pz_memblock *memblock; /* what is free; used by pz_pages_create() only */
	uint64_t max_pfn; /* exclusive cap, as for pz_zones_set_managed(); UINT64_MAX for none */
	uint32_t cpus; /* indices that callers use, 1 to PZ_PAGE_MAX_CPUS */
	const int32_t *cpu_nid; /* node of each CPU, or NULL for the lowest node */
	unsigned int (*distance)(void *ctx, int from, int to); /* as for pz_zones_fallback() */
	void *distance_ctx;
	enum pz_page_policy policy;
	/* grouping by mobility: 5 to 10; 0 for 9 (2 MiB of 4 KiB pages) */
	uint32_t pageblock_order;
	bool no_grouping; /* one mobility only: small machines */
	bool keep_highatomic; /* what is set aside for atomic requests is never given back */
	/* Pages kept for limited requests under PZ_POLICY_REACH; 0 for the default (a 256th of
	 * the managed pages, 8 MiB to 32 MiB, at most an eighth), UINT64_MAX for none. */
	uint64_t keep_pages;
	bool pcp_hold; /* per-CPU caches keep frames (Linux's way), not only hints */
	uint32_t pcp_batch, pcp_high; /* with pcp_hold; 0: each zone's pcp_batch and pcp_high */
	uint32_t debug; /* PZ_PAGE_DEBUG_* */
	struct pz_page_hooks hooks;
	struct pz_bugs *bugs; /* misuse is told here; may be NULL */
	struct pz_faults *faults; /* fault points "page.*" are added to it; may be NULL */
};

struct pz_pages; /* the allocator of one machine */

/* A request in full. Build it with pz_page_req_init(). */
struct pz_page_req {
	uint64_t pages; /* length, at least 1; any number */
	struct pz_limits limits; /* alignment and boundary count for the first page and the whole */
	uint32_t gfp; /* PZ_GFP_* */
	uint32_t cpu;
	int32_t nid; /* preferred node, PZ_NID_NONE for the CPU's */
	uint8_t highest; /* PZ_POLICY_ZONELIST: enum pz_zone_type; PZ_ZONE_TYPES for the usual */
};

/**
 * pz_pages_create - make the page allocator of a machine
 * @out: the allocator, written on success only
 * @cfg: what it is made from; copied
 *
 * Manages every whole page that the memblock leaves free, as pz_zones_set_managed() counts them.
 * Cost: O(ranges), independent of the amount of memory when @cfg->zeroed gives untouched memory.
 *
 * Context: not from interrupts; calls the metadata hooks.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM, -PZ_ENOSPC when the set of fault points
 * has no room; nothing is held on error.
 */
int pz_pages_create(struct pz_pages **out, const struct pz_page_config *cfg);

/**
 * pz_pages_destroy - give back what an allocator holds
 * @p: the allocator, or NULL; nobody uses it any more
 *
 * Pages that are allocated are simply forgotten.
 *
 * Context: not from interrupts; calls the metadata hooks.
 */
void pz_pages_destroy(struct pz_pages *p);

/**
 * pz_pages_add - give more pages to the allocator
 * @p: the allocator
 * @pfns: inclusive range of page frames that lie in memory of the zones and are not managed yet
 *
 * For pages that were reserved while booting (init memory, the initrd, a CMA area's first use) and
 * for memory brought online where the zones had a span at create.
 *
 * Context: any but interrupts; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when a page lies in no zone's span as of create, -PZ_EEXIST when a page is
 * managed already, -PZ_ENOMEM; nothing changes on error.
 */
int pz_pages_add(struct pz_pages *p, struct pz_range pfns);

/**
 * pz_pages_set_policy - choose how unlimited requests are placed, from now on
 * @p: the allocator
 * @policy: the policy
 *
 * Watermarks are read again, and which pages are kept is counted anew, with those added since.
 *
 * Context: any.
 */
void pz_pages_set_policy(struct pz_pages *p, enum pz_page_policy policy);

/**
 * pz_page_req_init - a request for a block of an order, as Linux means it
 * @p: the allocator that it is for
 * @req: filled in: 2^order pages, aligned to their size, no limit, no preferred node
 * @order: the order, at most 47
 * @gfp: PZ_GFP_*
 * @cpu: the calling CPU, or PZ_CPU_NONE
 *
 * Context: any.
 */
void pz_page_req_init(const struct pz_pages *p, struct pz_page_req *req, unsigned int order,
		      uint32_t gfp, uint32_t cpu);

/**
 * pz_page_request - allocate pages that lie in a row
 * @p: the allocator
 * @req: what is wanted
 * @pfn: the first page frame, written on success only
 *
 * Sound: what is given satisfies the limits. Complete: -PZ_ENOMEM only when no run of free pages
 * that would do stayed free for the whole call, outside what watermarks and the kept pages forbid.
 *
 * Context: any. With PZ_GFP_BLOCK calls the reclaim, oom and migrate hooks.
 * Return: 0; -PZ_EINVAL when the request is malformed; -PZ_ERANGE when no managed memory could ever
 * satisfy it (told without a search); -PZ_ENOMEM when there is none now; -PZ_EBUSY when moving
 * pages out of the way would have served it, and an owner said no or later.
 */
int pz_page_request(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn);

/**
 * pz_page_ever - whether a request could ever be served, whatever is allocated now
 * @p: the allocator
 * @req: what is wanted
 *
 * Context: any. Takes nothing and searches nothing.
 * Return: 0, -PZ_EINVAL when the request is malformed, -PZ_ERANGE when no managed memory could ever
 * satisfy it.
 */
int pz_page_ever(const struct pz_pages *p, const struct pz_page_req *req);

/**
 * pz_page_shift - log2 of the page size
 * @p: the allocator
 *
 * Context: any.
 * Return: 12 to 16.
 */
uint32_t pz_page_shift(const struct pz_pages *p);

/**
 * pz_alloc_pages - allocate 2^order pages, aligned to their size
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*
 * @order: 0 to PZ_PAGE_MAX_ORDER
 * @limits: further limits, or NULL for none
 * @pfn: the first page frame, written on success only
 *
 * The short way to pz_page_request(), and the fast one.
 *
 * Context: any. With PZ_GFP_BLOCK calls the reclaim, oom and migrate hooks.
 * Return: as pz_page_request().
 */
int pz_alloc_pages(struct pz_pages *p, uint32_t cpu, uint32_t gfp, unsigned int order,
		   const struct pz_limits *limits, uint64_t *pfn);

/**
 * pz_free_pages - free what pz_alloc_pages() gave
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE; need not be the one that allocated
 * @pfn: the first page frame
 * @order: its order
 *
 * Misuse is detected always, told to pz_bug(), and changes nothing: a page that is free, was never
 * allocated, is reserved or no memory; a tail of a block; a wrong order.
 *
 * Context: any.
 */
void pz_free_pages(struct pz_pages *p, uint32_t cpu, uint64_t pfn, unsigned int order);

/**
 * pz_free_exact - free a run of any length as it was allocated
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @pfn: the first page frame
 * @pages: its length
 *
 * Misuse is detected as by pz_free_pages().
 *
 * Context: any.
 */
void pz_free_exact(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages);

/**
 * pz_free_part - free some pages of a block or run and keep the others
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @pfn: the first page frame to free; anywhere in the block
 * @pages: pages to free; not beyond the end of the block
 *
 * What lies before stays a block of its own (freed by pz_free_exact() with its new length), and so
 * does what lies behind. How alloc_pages_exact() trims the end of a block.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when a page is not part of one allocated block; told to pz_bug() then,
 * with nothing changed.
 */
int pz_free_part(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages);

/**
 * pz_split_pages - turn an allocated block into single pages
 * @p: the allocator
 * @pfn: the first page frame of the block
 * @order: its order
 *
 * Each page is freed by itself with order 0 afterwards, in any order.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when there is no such block; told to pz_bug() then.
 */
int pz_split_pages(struct pz_pages *p, uint64_t pfn, unsigned int order);

/**
 * pz_alloc_pages_exact - allocate pages for a number of bytes, without rounding up to an order
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*
 * @bytes: at least 1
 * @limits: further limits, or NULL for none
 * @pfn: the first page frame, written on success only
 *
 * Linux takes a block of the next order and frees its end; here the run is searched as it is.
 * Freed by pz_free_exact().
 *
 * Context: any. With PZ_GFP_BLOCK calls the reclaim, oom and migrate hooks.
 * Return: as pz_page_request().
 */
int pz_alloc_pages_exact(struct pz_pages *p, uint32_t cpu, uint32_t gfp, uint64_t bytes,
			 const struct pz_limits *limits, uint64_t *pfn);

/**
 * pz_alloc_bulk - allocate many single pages in one call
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*
 * @limits: limits of each page, or NULL for none
 * @n: pages wanted
 * @pfns: room for @n page frames
 *
 * Context: any. With PZ_GFP_BLOCK calls the hooks for the first page only.
 * Return: pages given, 0 to @n.
 */
uint32_t pz_alloc_bulk(struct pz_pages *p, uint32_t cpu, uint32_t gfp,
		       const struct pz_limits *limits, uint32_t n, uint64_t *pfns);

/**
 * pz_free_bulk - free many single pages in one call
 * @p: the allocator
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @n: pages
 * @pfns: their page frames; misuse is told for each by itself
 *
 * Context: any.
 */
void pz_free_bulk(struct pz_pages *p, uint32_t cpu, uint32_t n, const uint64_t *pfns);

/**
 * pz_page_drain - empty the per-CPU caches
 * @p: the allocator
 * @cpu: one CPU, or PZ_CPU_NONE for all
 *
 * With pcp_hold, held pages become free; else hints are dropped. Requests that find nothing do
 * this themselves.
 *
 * Context: any.
 * Return: pages that became free.
 */
uint64_t pz_page_drain(struct pz_pages *p, uint32_t cpu);

/**
 * pz_page_set_mobility - say what a pageblock is used for
 * @p: the allocator; nobody else uses it meanwhile
 * @pfn: a page frame of the pageblock
 * @mobility: PZ_UNMOVABLE, PZ_MOVABLE, PZ_RECLAIMABLE or PZ_HIGHATOMIC
 *
 * For allocators in a given state, such as that of a recorded machine: requests give pageblocks
 * their mobility themselves. As many pageblocks may be set aside for atomic requests as one likes.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL for a frame without a pageblock, one of a contiguous area, another
 * mobility, an allocator that does not group by mobility, or a pageblock to be set aside that is
 * not wholly in one area.
 */
int pz_page_set_mobility(struct pz_pages *p, uint64_t pfn, enum pz_mobility mobility);

/* Numbers of one area: the pages of one zone of one node. */
struct pz_area_stat {
	int32_t nid;
	uint8_t type; /* enum pz_zone_type */
	uint64_t managed;
	uint64_t free; /* without those that per-CPU caches hold */
	uint64_t free_cma; /* of the free, in CMA areas */
	uint64_t held; /* by per-CPU caches */
	uint64_t highatomic; /* pages in blocks reserved for atomic requests of higher order */
	uint64_t blocks[PZ_MOBILITIES]; /* pageblocks by mobility */
	/* Free blocks as a buddy allocator lists them: by order and mobility of their block. */
	uint64_t order[PZ_PAGE_ORDERS][PZ_MOBILITIES];
	uint64_t largest_run; /* longest run of free pages, whatever its alignment */
};

/**
 * pz_page_areas - how many areas there are
 * @p: the allocator
 *
 * Context: any.
 * Return: the number; one for each zone of each node that has a span.
 */
uint32_t pz_page_areas(const struct pz_pages *p);

/**
 * pz_page_area_stat - count what is free in an area
 * @p: the allocator
 * @area: below pz_page_areas(); ascending by node, then by zone type
 * @max_order: orders are counted up to this, at most PZ_PAGE_MAX_ORDER; a larger block counts as
 *   several of this one
 * @out: the numbers, from the frames' state itself
 *
 * Context: any; exact while nobody allocates or frees. Cost: O(pages that are not in large free
 * or taken blocks).
 */
void pz_page_area_stat(const struct pz_pages *p, uint32_t area, unsigned int max_order,
		       struct pz_area_stat *out);

/**
 * pz_page_free_count - free pages, as the watermarks see them
 * @p: the allocator
 * @area: an area, or UINT32_MAX for all
 *
 * Context: any. Cost: O(CPUs) for each area.
 * Return: pages; exact while nobody allocates or frees.
 */
uint64_t pz_page_free_count(const struct pz_pages *p, uint32_t area);

/* What is known of one page frame. */
enum pz_page_state {
	PZ_PAGE_NONE, /* no memory, or reserved: not managed */
	PZ_PAGE_FREE,
	PZ_PAGE_HELD, /* free, held by a per-CPU cache */
	PZ_PAGE_HEAD, /* first page of an allocated block */
	PZ_PAGE_TAIL, /* another page of an allocated block */
};

struct pz_page_info {
	enum pz_page_state state;
	uint64_t head; /* first page frame of its block, when it is allocated */
	uint64_t pages; /* pages of its block, when it is allocated */
	uint8_t mobility; /* of its pageblock */
	uint8_t owner; /* of movable pages, 0 for none */
	uint64_t alloc_site, free_site; /* with PZ_PAGE_DEBUG_SITES, else 0 */
};

/**
 * pz_page_info - what is known of a page frame
 * @p: the allocator
 * @pfn: the page frame
 * @out: what is known
 *
 * Context: any; a page in transit on another CPU may show either state.
 */
void pz_page_info(const struct pz_pages *p, uint64_t pfn, struct pz_page_info *out);

/* What an allocator costs. */
struct pz_page_cost {
	uint64_t state_bytes; /* free or taken, and the search over it */
	uint64_t owner_bytes; /* where blocks begin, mobility, owners of movable pages */
	uint64_t cpu_bytes;
	uint64_t debug_bytes;
};

/**
 * pz_page_cost - how much metadata an allocator has
 * @p: the allocator
 * @out: the numbers
 *
 * Context: any.
 */
void pz_page_cost(const struct pz_pages *p, struct pz_page_cost *out);

/**
 * pz_pages_check - verify the allocator
 * @p: the allocator; nobody else uses it meanwhile
 *
 * Context: any. Cost: O(pages).
 * Return: 0, or the number of the first invariant of src/page/ that does not hold.
 */
int pz_pages_check(const struct pz_pages *p);

#ifdef __cplusplus
}
#endif

#endif
