/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_bed.c - see table_bed.h.
 *
 * Invariant: the others' pages are those of @block, @single and @burst, and @others counts them.
 */
#include "table_bed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../start.h"
#include "../view/view.h"

#define BED_ALIGN (UINT64_C(4) << 20) /* of the arena: as aligned as any block */
#define BED_RELIEF 64u		      /* pages given back at once, at least */
#define BED_BULK 256u		      /* pages taken at once */
#define BED_SITES (UINT64_C(1) << 26) /* pages: records of users take 16 bytes for each */
#define BED_RATE 32u		      /* pages that they take in a step under pressure */

static void *bed_zeroed(void *ctx, size_t size)
{
	(void)ctx;
	return xcalloc(1, size);
}

static void bed_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta bed_meta = { bed_zeroed, bed_free, NULL };

int table_arena_make(struct table_arena *a, const struct compare_machine *m, uint64_t last,
		     char **err)
{
	uint64_t end = (last < m->ram_last ? last : m->ram_last) + 1;
	char size[VIEW_SIZE_MAX];

	memset(a, 0, sizeof(*a));
	a->bytes = (end + BED_ALIGN - 1) & ~(BED_ALIGN - 1);
	a->map = MAP_FAILED;
	if (a->bytes <= SIZE_MAX - BED_ALIGN) {
		a->mapped = (size_t)(a->bytes + BED_ALIGN);
		a->map = mmap(NULL, a->mapped, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	if (a->map == MAP_FAILED) {
		*err = xasprintf("no address space for %s of memory", view_size(size, a->bytes));
		return EXIT_UNDECIDED;
	}
	a->at = (unsigned char *)a->map + (size_t)(-(uint64_t)(uintptr_t)a->map & (BED_ALIGN - 1));
	return 0;
}

void table_arena_destroy(struct table_arena *a)
{
	if (a->map && a->map != MAP_FAILED)
		munmap(a->map, a->mapped);
	a->map = NULL;
}

uint64_t table_bed_relieve(struct table_bed *b, uint64_t pages)
{
	uint64_t done = 0;

	pages = pages < BED_RELIEF ? BED_RELIEF : pages;
	for (; done < pages && b->burst.n; done++)
		pz_free_pages(b->pages, 0, b->burst.v[--b->burst.n], 0);
	for (; done < pages && b->single.n; done++)
		pz_free_pages(b->pages, 0, b->single.v[--b->single.n], 0);
	while (done < pages && b->block.n) {
		struct table_block at = b->block.v[--b->block.n];

		pz_free_pages(b->pages, 0, at.pfn, at.order);
		done += UINT64_C(1) << at.order;
	}
	b->others -= done;
	return done;
}

static uint64_t bed_reclaim(void *ctx, uint64_t pages, const struct pz_limits *limits)
{
	(void)limits;
	return table_bed_relieve(ctx, pages);
}

static int bed_below(void *ctx, struct pz_range pfns, int nid)
{
	struct table_bed *b = ctx;
	uint64_t end = (b->limits.max_addr >> b->m->page_shift) + 1;

	(void)nid;
	if (pfns.first < end)
		b->below += (pfns.last < end ? pfns.last + 1 : end) - pfns.first;
	return 0;
}

static int bed_zones(struct table_bed *b)
{
	struct pz_wmark_config w;
	int rc;

	rc = pz_zones_build(&b->z, &an_meta, &b->mb, &b->m->zone);
	if (!rc)
		rc = pz_zones_set_managed(&b->z, &b->mb, UINT64_MAX);
	if (rc)
		return rc;
	pz_wmark_defaults(&w);
	w.min_free_kbytes = b->m->min_free_kbytes;
	rc = pz_zones_set_watermarks(&b->z, &w);
	pz_zones_set_reserves(&b->z, &w);
	return rc;
}

static int bed_pages(struct table_bed *b, bool debug)
{
	struct pz_page_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	b->bugs.policy = PZ_BUG_IGNORE;
	cfg.meta = &an_meta;
	cfg.zeroed = &bed_meta;
	cfg.zones = &b->z;
	cfg.memblock = &b->mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = 1;
	cfg.policy = PZ_POLICY_REACH;
	cfg.pageblock_order = b->m->pageblock_order;
	cfg.no_grouping = true; /* nothing here is movable */
	if (debug && b->m->managed <= BED_SITES)
		cfg.debug = PZ_PAGE_DEBUG_SITES;
	cfg.keep_pages = UINT64_MAX;
	cfg.hooks.reclaim = bed_reclaim;
	cfg.hooks.ctx = b;
	cfg.bugs = &b->bugs;
	return pz_pages_create(&b->pages, &cfg);
}

int table_bed_make(struct table_bed *b, const struct compare_machine *m,
		   const struct table_arena *arena, uint64_t last, bool debug, char **err)
{
	int rc;

	memset(b, 0, sizeof(*b));
	b->m = m;
	b->arena = arena;
	b->rnd = rnd_seed(1);
	b->limits = pz_limits_any();
	b->limits.max_addr = last;
	rc = pz_memblock_init(&b->mb, &an_meta, m->page_shift);
	if (!rc)
		rc = pz_memblock_copy(&b->mb, &m->mb);
	if (!rc)
		rc = bed_zones(b);
	if (!rc)
		rc = bed_pages(b, debug);
	if (rc) {
		*err = xasprintf("cannot make the page allocator of %s (error %d)", m->title, rc);
		return EXIT_UNDECIDED;
	}
	(void)pz_memblock_hand_over(&b->mb, UINT64_MAX, bed_below, b);
	b->all = pz_page_free_count(b->pages, UINT32_MAX);
	return 0;
}

void table_bed_destroy(struct table_bed *b)
{
	pz_pages_destroy(b->pages);
	if (b->z.meta)
		pz_zones_destroy(&b->z);
	if (b->mb.meta)
		pz_memblock_destroy(&b->mb);
	vec_free(&b->block);
	vec_free(&b->single);
	vec_free(&b->burst);
}

/* Take all there is within limits, in blocks as large as can be. */
static void bed_take_all(struct table_bed *b, const struct pz_limits *l, unsigned int order)
{
	uint32_t gfp = PZ_GFP_MEMALLOC | PZ_GFP_NOKEEP | PZ_GFP_NOMIGRATE;
	uint64_t pfn;

	for (;;) {
		if (!pz_alloc_pages(b->pages, 0, gfp, order, l, &pfn)) {
			*vec_push(&b->block) = (struct table_block){ pfn, order };
			b->others += UINT64_C(1) << order;
		} else if (!order--) {
			break;
		}
	}
}

/* Give about half of a block back, in runs; the rest stays as single pages. */
static uint64_t bed_scatter(struct table_bed *b, struct table_block at)
{
	uint64_t end = at.pfn + (UINT64_C(1) << at.order), pfn = at.pfn, done = 0;

	(void)pz_split_pages(b->pages, at.pfn, at.order);
	while (pfn < end) {
		uint64_t run = UINT64_C(1) << rnd_below(&b->rnd, 5);
		bool back = rnd_below(&b->rnd, 2);

		for (; run && pfn < end; run--, pfn++) {
			if (back)
				pz_free_pages(b->pages, 0, pfn, 0);
			else
				*vec_push(&b->single) = pfn;
			done += back;
		}
	}
	return done;
}

/* Pages that ordinary requests leave alone, by all the zones. */
static uint64_t bed_marks(const struct table_bed *b)
{
	uint64_t sum = 0;

	for (uint32_t n = 0; n < b->z.node_count; n++)
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			sum += b->z.node[n].zone[t].min;
	return sum;
}

void table_bed_fill(struct table_bed *b, unsigned int percent)
{
	uint64_t block = UINT64_C(1) << b->m->pageblock_order, want, done = 0;
	struct pz_limits beyond = pz_limits_any();
	size_t large;

	want = bed_marks(b);
	want = want < b->below ? want + (b->below - want) / 100 * (100 - percent) : b->below;
	if (b->limits.max_addr < b->m->ram_last) {
		beyond.min_addr = b->limits.max_addr + 1;
		bed_take_all(b, &beyond, PZ_PAGE_MAX_ORDER);
	}
	large = b->block.n;
	bed_take_all(b, NULL, b->m->pageblock_order);
	while (done < want && large < b->block.n) {
		size_t left = b->block.n - large, i = large + (size_t)rnd_below(&b->rnd, left);
		struct table_block at = b->block.v[i];

		b->block.v[i] = b->block.v[--b->block.n];
		/* Where most is wanted back, whole blocks are. */
		if (want - done > left * block / 2) {
			pz_free_pages(b->pages, 0, at.pfn, at.order);
			done += UINT64_C(1) << at.order;
		} else {
			done += bed_scatter(b, at);
		}
	}
	b->others -= done;
}

void table_bed_press(struct table_bed *b, bool on)
{
	uint32_t want = b->pressed ? BED_RATE : BED_BULK, n;
	uint64_t pfns[BED_BULK];

	/* All there is where it begins, then so much in each step. */
	if (on) {
		do {
			n = pz_alloc_bulk(b->pages, 0, PZ_GFP_HIGH, &b->limits, want, pfns);
			for (uint32_t i = 0; i < n; i++)
				*vec_push(&b->burst) = pfns[i];
			b->others += n;
		} while (n == want && !b->pressed);
	}
	if (!on && b->burst.n) {
		pz_free_bulk(b->pages, 0, (uint32_t)b->burst.n, b->burst.v);
		b->others -= b->burst.n;
		b->burst.n = 0;
	}
	b->pressed = on;
}

uint64_t table_bed_held(const struct table_bed *b)
{
	return b->all - b->others - pz_page_free_count(b->pages, UINT32_MAX);
}
