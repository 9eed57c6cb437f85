/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_page.c - pages: allocating and freeing under limits, whole and in part, and misuse.
 */
#include "page_machine.h"
#include "suites_decl.h"

#define MIB PM_MIB
#define GIB PM_GIB

static void check_config(struct tap *t)
{
	struct pm_region all = { 0, 4 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct pz_pages *out = NULL;
	struct page_machine m;
	struct pz_page_config c;

	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	c = m.cfg;
	c.meta = NULL;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	c = m.cfg;
	c.zones = NULL;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	c = m.cfg;
	c.memblock = NULL;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	c = m.cfg;
	c.cpus = 0;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	c.cpus = PZ_PAGE_MAX_CPUS + 1;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	c = m.cfg;
	c.pageblock_order = 4;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	c.pageblock_order = 11;
	CHECK(t, pz_pages_create(&out, &c) == -PZ_EINVAL);
	CHECK_NAMED(t, out == NULL, "nothing is written on an error");
	pz_pages_destroy(NULL);
	for (c = m.cfg, c.pageblock_order = 5; c.pageblock_order <= 10; c.pageblock_order++) {
		if (pz_pages_create(&out, &c))
			break;
		pz_pages_destroy(out);
	}
	CHECK_NAMED(t, c.pageblock_order == 11, "pageblocks of 32 to 1024 pages");
	pm_close(&m);
}

/* Two zones, a hole, a reserved piece with a partial page, and a cap. */
static void check_counts(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0x1000, 0x9e000, 0, false },
		{ MIB, 31 * MIB, 0, false },
		{ 0, MIB, 0, true },
		{ 8 * MIB + 100, 2 * MIB, 0, true },
	};
	struct pz_zone_config zones = pm_pc(32 * MIB);
	struct pz_area_stat s;
	struct pz_page_cost cost;
	struct page_machine m;

	if (!CHECK(t, pm_lay_out(&m, t, v, 4, &zones)))
		return;
	m.cfg.max_pfn = 7936;
	if (!pm_make(&m))
		goto out;
	CHECK(t, pz_page_areas(m.pages) == 2);
	CHECK(t, pz_page_free_count(m.pages, 0) == m.z.node[0].zone[PZ_ZONE_DMA].managed);
	CHECK(t, pz_page_free_count(m.pages, 0) == 15 * 256 - 513);
	CHECK(t, pz_page_free_count(m.pages, 1) == 15 * 256);
	CHECK(t, pm_free(&m) == 30 * 256 - 513);
	pz_page_area_stat(m.pages, 0, PZ_PAGE_MAX_ORDER, &s);
	CHECK(t, s.nid == 0 && s.type == PZ_ZONE_DMA && s.managed == s.free && !s.held);
	CHECK_NAMED(t, s.largest_run == 7 * 256, "the longest run ends at the partial page");
	pz_page_area_stat(m.pages, 1, 10, &s);
	CHECK(t, s.type == PZ_ZONE_DMA32 && s.largest_run == 15 * 256);
	CHECK_NAMED(t,
		    s.order[10][PZ_MOVABLE] == 3 && s.order[9][PZ_MOVABLE] == 1 &&
			    s.order[8][PZ_MOVABLE] == 1,
		    "fresh memory is movable, in the largest blocks that there are");
	pz_page_area_stat(m.pages, 1, 0, &s);
	CHECK_NAMED(t, s.order[0][PZ_MOVABLE] == 15 * 256, "blocks are counted up to an order");
	CHECK(t, pm_state(&m, 0, PZ_PAGE_NONE) && pm_state(&m, 0xff, PZ_PAGE_NONE));
	CHECK(t, pm_state(&m, 256, PZ_PAGE_FREE) && pm_state(&m, 2048, PZ_PAGE_NONE));
	CHECK(t, pm_state(&m, 2047, PZ_PAGE_FREE) && pm_state(&m, 2561, PZ_PAGE_FREE));
	CHECK(t, pm_state(&m, 2560, PZ_PAGE_NONE));
	CHECK(t, pm_state(&m, 7935, PZ_PAGE_FREE) && pm_state(&m, 7936, PZ_PAGE_NONE));
	CHECK(t, pm_state(&m, UINT64_MAX, PZ_PAGE_NONE) && pm_state(&m, 1u << 30, PZ_PAGE_NONE));
	pz_page_cost(m.pages, &cost);
	CHECK(t, cost.state_bytes > 0 && cost.owner_bytes > 0 && cost.debug_bytes == 0);
out:
	pm_close(&m);
}

static void check_orders(struct tap *t)
{
	struct page_machine m;
	uint64_t pfn[PZ_PAGE_MAX_ORDER + 1], total = 0;
	bool aligned = true, whole = true;
	unsigned int order;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	for (order = 0; order <= 8; order++) {
		aligned = aligned && !pz_alloc_pages(m.pages, 0, 0, order, NULL, &pfn[order]) &&
			  !(pfn[order] & (((uint64_t)1 << order) - 1));
		total += (uint64_t)1 << order;
	}
	CHECK_NAMED(t, aligned, "blocks are aligned to their size");
	CHECK(t, pm_free(&m) == 1024 - total);
	for (order = 0; order <= 8; order++) {
		for (uint64_t i = 0; i < (uint64_t)1 << order; i++)
			whole = whole &&
				pm_block(&m, pfn[order] + i, pfn[order], (uint64_t)1 << order);
	}
	CHECK_NAMED(t, whole, "head and tails of each block are known, and none overlap");
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 10, NULL, &pfn[10]) == -PZ_ENOMEM);
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 11, NULL, &pfn[10]) == -PZ_ERANGE);
	for (order = 9; order-- > 0;)
		pz_free_pages(m.pages, 0, pfn[order], order);
	CHECK(t, pm_free(&m) == 1024);
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 10, NULL, &pfn[10]) && pfn[10] == 0,
		    "what was freed grows together");
	pz_free_pages(m.pages, 0, pfn[10], 10);
	CHECK(t, pm_fill(&m, 0) == 1024 && pm_free(&m) == 0);
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn[0]) == -PZ_ENOMEM);
	pz_free_pages(m.pages, PZ_CPU_NONE, 77, 0);
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn[0]) && pfn[0] == 77,
		    "the only free page is found");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* The largest order, 1 GiB of 4 KiB pages. */
static void check_largest(struct tap *t)
{
	struct page_machine m;
	uint64_t pfn = 1;

	if (!pm_simple(&m, t, 2 * GIB))
		goto out;
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, PZ_PAGE_MAX_ORDER, NULL, &pfn));
	CHECK_NAMED(t, pfn == 262144, "a block of 1 GiB, the higher one");
	CHECK(t, pm_block(&m, pfn + 262143, pfn, 262144) && pm_free(&m) == 262144);
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, PZ_PAGE_MAX_ORDER + 1, NULL, &pfn) == -PZ_EINVAL);
	pz_free_pages(m.pages, 0, 262144, PZ_PAGE_MAX_ORDER);
	CHECK(t, pm_free(&m) == 524288 && m.bugs.count == 0);
out:
	pm_close(&m);
}

static void check_arguments(struct tap *t)
{
	struct page_machine m;
	struct pz_page_req req;
	struct pz_limits bad = { 0, 0, 0, 0, 0 };
	uint64_t pfn = 42;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	pz_page_req_init(m.pages, &req, 3, PZ_GFP_ZERO, 0);
	CHECK(t, req.pages == 8 && req.gfp == PZ_GFP_ZERO && req.cpu == 0);
	CHECK(t, req.nid == PZ_NID_NONE && req.highest == PZ_ZONE_TYPES);
	CHECK(t, req.limits.min_addr == 0 && req.limits.max_addr == PZ_ADDR_MAX &&
			 req.limits.align == 0x8000 && req.limits.boundary == 0);
	req.gfp = 0;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn < 1024 && !(pfn & 7));
	pz_free_pages(m.pages, 0, pfn, 3);
	pfn = 42;
	req.pages = 0;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_EINVAL);
	req.pages = 1;
	req.gfp = PZ_GFP_ALL + 1;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_EINVAL);
	req.gfp = PZ_GFP_MOVABLE | PZ_GFP_OWNER(1);
	CHECK_NAMED(t, pz_page_request(m.pages, &req, &pfn) == -PZ_EINVAL, "no such owner");
	req.gfp = 0;
	req.highest = PZ_ZONE_TYPES + 1;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_EINVAL);
	req.highest = PZ_ZONE_TYPES;
	req.limits.align = 3;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_EINVAL);
	req.limits = pz_limits_any();
	req.limits.boundary = 0x3000;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_EINVAL);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &bad, &pfn) == -PZ_EINVAL,
		    "limits of zeroes are none");
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 64, NULL, &pfn) == -PZ_EINVAL);
	CHECK(t, pz_alloc_pages_exact(m.pages, 0, 0, 0, NULL, &pfn) == -PZ_EINVAL);
	CHECK(t, pz_alloc_bulk(m.pages, 0, 0, &bad, 1, &pfn) == 0);
	CHECK_NAMED(t, pfn == 42 && pm_free(&m) == 1024, "nothing is written or taken on an error");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* Never, as opposed to not now. */
static void check_never(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 16 * MIB, 4 * MIB, 0, false },
		{ 24 * MIB, 2 * MIB, 0, false },
	};
	struct pz_zone_config zones = pm_pc(32 * MIB);
	struct pz_page_req req;
	struct pz_limits l;
	struct page_machine m;
	uint64_t pfn, held;

	if (!CHECK(t, pm_lay_out(&m, t, v, 2, &zones)) || !pm_make(&m))
		goto out;
	l = pz_limits_bits(24);
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ERANGE);
	l.max_addr++;
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ERANGE, "part of a page");
	l.max_addr = 16 * MIB + 4095;
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, &l, &held) && held == 4096);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ENOMEM,
		    "taken is not never");
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 1, &l, &pfn) == -PZ_ERANGE);
	pz_free_pages(m.pages, 0, held, 0);
	l = pm_window(20 * 256, 24 * 256 - 1);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ERANGE, "a hole");
	l = pm_window(26 * 256, 1u << 30);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ERANGE, "above memory");
	pz_page_req_init(m.pages, &req, 0, 0, 0);
	req.pages = 1024;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn == 4096);
	pz_free_exact(m.pages, 0, pfn, 1024);
	req.pages = 1025;
	CHECK_NAMED(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE,
		    "longer than any piece of memory, though there are as many pages");
	req.pages = UINT64_MAX;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE);
	req.pages = UINT64_MAX >> 12;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE);
	CHECK(t, pz_alloc_pages_exact(m.pages, 0, 0, UINT64_MAX, NULL, &pfn) == -PZ_ERANGE);
	req.pages = 2;
	req.limits = pz_limits_any();
	req.limits.boundary = 4096;
	CHECK_NAMED(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE,
		    "longer than the boundary allows");
	req.pages = 1;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn));
	pz_free_pages(m.pages, 0, pfn, 0);
	req.limits.boundary = 2048;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE);
	req.limits.boundary = 0;
	req.limits.align = 32 * MIB;
	CHECK_NAMED(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE, "aligned to nothing");
	req.limits.align = 8 * MIB;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn == 24 * 256);
	pz_free_pages(m.pages, 0, pfn, 0);
	CHECK(t, pm_free(&m) == 6 * 256 && m.bugs.count == 0);
out:
	pm_close(&m);
}

/* Windows, alignment, boundary: known places on an empty machine and on a full one. */
static void check_limits(struct tap *t)
{
	struct page_machine m;
	struct pz_page_req req;
	struct pz_limits l;
	uint64_t pfn;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	l = pm_window(100, 140);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 4, &l, &pfn) && pfn == 112);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 4, &l, &pfn) == -PZ_ENOMEM,
		    "an aligned block of 16 pages fits in once");
	pz_page_req_init(m.pages, &req, 0, 0, 0);
	req.limits = l;
	req.pages = 13;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn == 128);
	req.pages = 12;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn == 100);
	req.pages = 1;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ENOMEM);
	pz_free_exact(m.pages, 0, 100, 12);
	pz_free_exact(m.pages, 0, 128, 13);
	pz_free_pages(m.pages, 0, 112, 4);
	CHECK(t, pm_free(&m) == 1024);

	/* Three pages that do not cross a multiple of four, in a window of six. */
	req.limits = pm_window(202, 207);
	req.limits.boundary = 0x4000;
	req.pages = 3;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && (pfn == 204 || pfn == 205));
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ENOMEM);
	pz_free_part(m.pages, 0, 205, 2);
	CHECK(t, pm_fill(&m, 0) > 0);
	/* A single run of free pages, begun at an odd place. */
	pm_free_singles(&m, 301, 311);
	req.limits = pz_limits_any();
	req.pages = 11;
	CHECK_NAMED(t, !pz_page_request(m.pages, &req, &pfn) && pfn == 301,
		    "a run across the borders of blocks is found");
	pz_free_exact(m.pages, 0, 301, 11);
	req.pages = 12;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ENOMEM);
	req.pages = 4;
	req.limits.align = 0x8000;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn == 304);
	pz_free_exact(m.pages, 0, 304, 4);
	req.pages = 5;
	req.limits.align = 1;
	req.limits.boundary = 0x4000;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE);
	req.limits.boundary = 0x8000;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn >= 304 && pfn <= 307);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* Lengths that are no power of two, and what Linux trims off. */
static void check_exact(struct tap *t)
{
	struct page_machine m;
	uint64_t pfn, end;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	CHECK(t, !pz_alloc_pages_exact(m.pages, 0, 0, 1, NULL, &pfn) && pm_free(&m) == 1023);
	pz_free_exact(m.pages, 0, pfn, 1);
	CHECK(t, !pz_alloc_pages_exact(m.pages, 0, 0, 5 * 4096 - 1, NULL, &pfn));
	CHECK_NAMED(t, pm_free(&m) == 1019, "five pages are taken, not eight");
	CHECK(t, pm_block(&m, pfn, pfn, 5) && pm_block(&m, pfn + 4, pfn, 5));
	CHECK(t, !pm_state(&m, pfn + 5, PZ_PAGE_TAIL));
	CHECK(t, !pz_alloc_pages_exact(m.pages, 0, 0, 5 * 4096 + 1, NULL, &end));
	CHECK(t, pm_free(&m) == 1013);
	pz_free_exact(m.pages, 0, end, 6);
	pz_free_exact(m.pages, 0, pfn, 5);
	CHECK(t, pm_free(&m) == 1024);
	CHECK(t, !pz_alloc_pages_exact(m.pages, 0, 0, 1023 * 4096, NULL, &pfn));
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &end) && pm_free(&m) == 0);
	pz_free_exact(m.pages, 0, pfn, 1023);
	pz_free_pages(m.pages, 0, end, 0);
	CHECK(t, pm_free(&m) == 1024 && m.bugs.count == 0);
out:
	pm_close(&m);
}

/* Runs that are no blocks: refused for ever until a free makes one, wherever it lies. */
static void check_runs(struct tap *t)
{
	struct pz_page_req req;
	struct page_machine m;
	uint64_t pfn, got = 0;

	if (!pm_simple(&m, t, 16 << 20))
		goto out;
	CHECK(t, pm_fill(&m, 0) == 4096);
	for (pfn = 0; pfn < 4096; pfn += 2)
		pz_free_pages(m.pages, 0, pfn, 0);
	pz_page_req_init(m.pages, &req, 0, 0, 0);
	for (req.pages = 5; req.pages > 1; req.pages--)
		CHECK(t, pz_page_request(m.pages, &req, &got) == -PZ_ENOMEM);
	/* Within a word, between words, between level-1 nodes, at the ends. */
	for (unsigned int i = 0; i < 6; i++) {
		static const uint64_t at[] = { 1001, 31, 1023, 3583, 1, 4093 };

		req.pages = 3;
		CHECK(t, pz_page_request(m.pages, &req, &got) == -PZ_ENOMEM);
		pz_free_pages(m.pages, 0, at[i], 0);
		req.pages = 4;
		CHECK(t, pz_page_request(m.pages, &req, &got) == -PZ_ENOMEM);
		req.pages = 3;
		CHECK(t, !pz_page_request(m.pages, &req, &got) && got == at[i] - 1);
		CHECK(t, pz_page_request(m.pages, &req, &got) == -PZ_ENOMEM);
		CHECK(t, !pz_pages_check(m.pages));
	}
	/* A block that goes in parts: the parts make runs with what is beside them. */
	CHECK(t, pm_free_singles(&m, 2048, 3071) > 0);
	req.pages = 1025;
	CHECK(t, !pz_page_request(m.pages, &req, &got) && got == 2048);
	req.pages = 7;
	CHECK(t, pz_page_request(m.pages, &req, &got) == -PZ_ENOMEM);
	CHECK(t, !pz_free_part(m.pages, 0, 2048 + 500, 6));
	CHECK(t, pz_page_request(m.pages, &req, &got) == -PZ_ENOMEM);
	CHECK(t, !pz_free_part(m.pages, 0, 2048 + 506, 1));
	CHECK(t, !pz_page_request(m.pages, &req, &got) && got == 2048 + 500);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* What was reserved as a whole when runs were refused is given piece by piece. */
static void check_runs_added(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0, 16 * PM_MIB, 0, false },
		{ 4 * PM_MIB, 8 * PM_MIB, 0, true },
	};
	struct pz_zone_config zones = pm_flat(16 * PM_MIB);
	struct pz_page_req req;
	struct page_machine m;
	uint64_t pfn;

	if (!CHECK(t, pm_lay_out(&m, t, v, 2, &zones)) || !pm_make(&m))
		goto out;
	CHECK(t, pm_fill(&m, 0) == 2048);
	CHECK(t, pm_free_singles(&m, 4, 5) == 2);
	pz_page_req_init(m.pages, &req, 0, 0, 0);
	for (uint64_t at = 1100; at < 3000; at += 500) {
		req.pages = 3;
		CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ENOMEM);
		CHECK(t, !pz_pages_add(m.pages, (struct pz_range){ at, at + 2 }));
		CHECK(t, !pz_pages_check(m.pages));
		CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn == at);
	}
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

static void check_parts(struct tap *t)
{
	struct page_machine m;
	uint64_t pfn;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	/* How Linux cuts a block of 8 down to 5. */
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 3, NULL, &pfn));
	CHECK(t, !pz_free_part(m.pages, 0, pfn + 5, 3) && pm_free(&m) == 1019);
	CHECK(t, pm_block(&m, pfn + 4, pfn, 5) && pm_state(&m, pfn + 5, PZ_PAGE_FREE));
	/* Out of its middle. */
	CHECK(t, !pz_free_part(m.pages, 0, pfn + 2, 1));
	CHECK(t, pm_block(&m, pfn + 1, pfn, 2) && pm_block(&m, pfn + 4, pfn + 3, 2));
	CHECK_NAMED(t, pz_free_part(m.pages, 0, pfn + 1, 2) == -PZ_EINVAL && m.bugs.count == 1,
		    "a free page in between is told");
	CHECK(t, pz_free_part(m.pages, 0, pfn + 4, 2) == -PZ_EINVAL && m.bugs.count == 2);
	CHECK(t, pz_free_part(m.pages, 0, pfn + 2, 1) == -PZ_EINVAL && m.bugs.count == 3);
	CHECK(t, pz_free_part(m.pages, 0, UINT64_MAX, 1) == -PZ_EINVAL && m.bugs.count == 4);
	CHECK(t, pz_free_part(m.pages, 0, pfn, UINT64_MAX) == -PZ_EINVAL && m.bugs.count == 5);
	CHECK(t, pm_free(&m) == 1020);
	pz_free_exact(m.pages, 0, pfn + 3, 2);
	CHECK(t, !pz_free_part(m.pages, 0, pfn, 2) && pm_free(&m) == 1024);

	/* Each page of a split block by itself, in any order. */
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 2, NULL, &pfn));
	CHECK(t, pz_split_pages(m.pages, pfn, 1) == -PZ_EINVAL && m.bugs.count == 6);
	CHECK(t, pz_split_pages(m.pages, pfn + 1, 0) == -PZ_EINVAL && m.bugs.count == 7);
	CHECK(t, pz_split_pages(m.pages, pfn - 1, 0) == -PZ_EINVAL && m.bugs.count == 8);
	CHECK(t, !pz_split_pages(m.pages, pfn, 2));
	CHECK(t, pm_block(&m, pfn + 2, pfn + 2, 1) && pm_free(&m) == 1020);
	pz_free_pages(m.pages, 0, pfn, 2);
	CHECK_NAMED(t, m.bugs.count == 9 && pm_free(&m) == 1020, "it is no block any more");
	pz_free_pages(m.pages, 0, pfn + 3, 0);
	pz_free_pages(m.pages, 0, pfn, 0);
	pz_free_pages(m.pages, 0, pfn + 2, 0);
	pz_free_pages(m.pages, 0, pfn + 1, 0);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn) && !pz_split_pages(m.pages, pfn, 0));
	pz_free_pages(m.pages, 0, pfn, 0);
	CHECK(t, pm_free(&m) == 1024 && m.bugs.count == 9);
out:
	pm_close(&m);
}

static void check_bulk(struct tap *t)
{
	struct page_machine m;
	struct pz_limits l = pm_window(10, 14);
	uint64_t pfns[64];
	bool apart = true;

	if (!pm_simple(&m, t, 256 * PM_KIB))
		goto out;
	CHECK(t, pz_alloc_bulk(m.pages, 0, 0, &l, 8, pfns) == 5);
	for (unsigned int i = 0; i < 5; i++) {
		apart = apart && pfns[i] >= 10 && pfns[i] <= 14;
		for (unsigned int k = 0; k < i; k++)
			apart = apart && pfns[i] != pfns[k];
	}
	CHECK_NAMED(t, apart, "as many as there are within the limits, each once");
	CHECK(t, pm_free(&m) == 59 && pz_alloc_bulk(m.pages, 0, 0, &l, 1, pfns + 5) == 0);
	CHECK(t, pz_alloc_bulk(m.pages, 0, 0, NULL, 59, pfns + 5) == 59 && pm_free(&m) == 0);
	CHECK(t, pz_alloc_bulk(m.pages, 0, 0, NULL, 0, pfns) == 0);
	pz_free_bulk(m.pages, 0, 64, pfns);
	CHECK(t, pm_free(&m) == 64 && m.bugs.count == 0);
	pz_free_bulk(m.pages, 0, 3, pfns);
	CHECK_NAMED(t, m.bugs.count == 3 && pm_free(&m) == 64, "each misuse is told by itself");
out:
	pm_close(&m);
}

struct told {
	unsigned int reports;
};

static void told_report(void *ctx, const char *text)
{
	struct told *h = ctx;

	if (text && text[0])
		h->reports++;
}

static void check_misuse(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0, 4 * MIB, 0, false },
		{ 8 * MIB, 4 * MIB, 0, false },
		{ MIB, MIB, 0, true },
	};
	struct pz_zone_config zones = pm_pc(12 * MIB);
	struct told h = { 0 };
	struct page_machine m;
	uint64_t pfn, free;
	unsigned int n = 0;

	if (!CHECK(t, pm_lay_out(&m, t, v, 3, &zones)))
		return;
	m.bugs.policy = PZ_BUG_REPORT;
	m.bugs.report = told_report;
	m.bugs.ctx = &h;
	if (!pm_make(&m))
		goto out;
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 2, NULL, &pfn));
	free = pm_free(&m);
	pz_free_pages(m.pages, 0, pfn, 1);
	CHECK_NAMED(t, m.bugs.count == ++n, "a lower order");
	pz_free_pages(m.pages, 0, pfn, 3);
	CHECK_NAMED(t, m.bugs.count == ++n, "a higher order");
	pz_free_pages(m.pages, 0, pfn, 64);
	CHECK_NAMED(t, m.bugs.count == ++n, "an order that is none");
	pz_free_pages(m.pages, 0, pfn + 2, 1);
	CHECK_NAMED(t, m.bugs.count == ++n, "a tail");
	pz_free_exact(m.pages, 0, pfn, 3);
	CHECK_NAMED(t, m.bugs.count == ++n, "a shorter run");
	pz_free_exact(m.pages, 0, pfn, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "no page at all");
	pz_free_exact(m.pages, 0, pfn, UINT64_MAX);
	CHECK_NAMED(t, m.bugs.count == ++n, "more pages than there are");
	pz_free_pages(m.pages, 0, 5, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "never allocated");
	pz_free_pages(m.pages, 0, 256, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "reserved");
	pz_free_pages(m.pages, 0, 1024, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "a hole");
	pz_free_pages(m.pages, 0, 12 * 256, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "behind the end of memory");
	pz_free_pages(m.pages, 0, UINT64_MAX, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "no page frame number");
	CHECK_NAMED(t, pm_free(&m) == free && pm_block(&m, pfn + 3, pfn, 4),
		    "and nothing of it changed anything");
	pz_free_pages(m.pages, 0, pfn, 2);
	CHECK(t, m.bugs.count == n && pm_free(&m) == free + 4);
	pz_free_pages(m.pages, 0, pfn, 2);
	CHECK_NAMED(t, m.bugs.count == ++n, "a second time");
	pz_free_pages(m.pages, PZ_CPU_NONE, pfn, 0);
	CHECK_NAMED(t, m.bugs.count == ++n, "a second time with another order");
	CHECK(t, pm_free(&m) == free + 4 && h.reports == n);
out:
	pm_close(&m);
}

/* The capture kernel of thread 000: below 16 MiB there is memory, and none of it is managed. */
static void check_capture_kernel(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0x1000, 0x9e000, 0, false },
		{ 0x31000000, 256 * MIB, 0, false },
		{ 0, MIB, 0, true },
	};
	struct pz_zone_config zones = pm_pc(0x41000000);
	struct pz_limits dma = pz_limits_bits(24);
	struct pz_page_req req;
	struct page_machine m;
	uint64_t pfn;

	if (!CHECK(t, pm_lay_out(&m, t, v, 3, &zones)) || !pm_make(&m))
		goto out;
	CHECK(t, m.z.node[0].zone[PZ_ZONE_DMA].present == 158);
	CHECK(t, m.z.node[0].zone[PZ_ZONE_DMA].managed == 0);
	CHECK(t, pz_page_areas(m.pages) == 2 && pz_page_free_count(m.pages, 0) == 0);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 5, &dma, &pfn) == -PZ_ERANGE,
		    "order 5 below 16 MiB: never");
	pz_page_req_init(m.pages, &req, 5, PZ_GFP_BLOCK, 0);
	req.highest = PZ_ZONE_DMA;
	pz_pages_set_policy(m.pages, PZ_POLICY_ZONELIST);
	CHECK_NAMED(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ERANGE, "GFP_DMA: never");
	req.highest = PZ_ZONE_DMA32;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn >= 0x31000);
	pz_free_pages(m.pages, 0, pfn, 5);
	pz_pages_set_policy(m.pages, PZ_POLICY_REACH);
	dma = pz_limits_bits(30);
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 5, &dma, &pfn),
		    "a device that drives 30 lines is served");
	pz_free_pages(m.pages, 0, pfn, 5);
	/* Part of the first MiB given back while running. */
	CHECK(t, !pz_pages_add(m.pages, (struct pz_range){ 0x10, 0x2f }));
	dma = pz_limits_bits(24);
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 5, &dma, &pfn) == -PZ_ERANGE);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 4, &dma, &pfn) && pfn == 0x20);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

void contract_page(struct tap *t)
{
	check_config(t);
	check_counts(t);
	check_orders(t);
	check_largest(t);
	check_arguments(t);
	check_never(t);
	check_limits(t);
	check_exact(t);
	check_runs(t);
	check_runs_added(t);
	check_parts(t);
	check_bulk(t);
	check_misuse(t);
	check_capture_kernel(t);
}
