/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_contig.c - movable pages and owners, evacuation, contiguous areas, and the machine of
 * thread 003: an area of low memory in ZONE_MOVABLE beside high memory.
 */
#include "page_machine.h"
#include "suites_decl.h"

#define MIB PM_MIB
#define GIB PM_GIB
#define BLOCK_PAGES 32u /* of a pageblock here */

/* An owner that notes what it was asked. */
struct mover {
	enum pz_migrate answer;
	unsigned int asked, moved;
	uint64_t from, to;
	unsigned int order;
	struct page_machine *m; /* to look at what it is asked to do */
	bool odd;		/* it was asked something odd */
};

static enum pz_migrate mover_migrate(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	struct mover *v = ctx;

	v->asked++;
	v->from = from;
	v->to = to;
	v->order = order;
	if (v->m && (!pm_block(v->m, from, from, (uint64_t)1 << order) || from == to))
		v->odd = true;
	if (v->answer == PZ_MIGRATE_YES)
		v->moved++;
	return v->answer;
}

static uint32_t mover_add(struct page_machine *m, struct mover *v, const char *name)
{
	struct pz_page_owner o = { name, mover_migrate, v };
	uint8_t id = 0;

	*v = (struct mover){ .answer = PZ_MIGRATE_YES, .m = m };
	CHECK_NAMED(m->t, !pz_page_owner_add(m->pages, &o, &id) && id != 0, "an owner is known");
	return PZ_GFP_MOVABLE | PZ_GFP_OWNER(id);
}

static bool small(struct page_machine *m, struct tap *t, uint64_t bytes)
{
	struct pm_region all = { 0, 0, 0, false };
	struct pz_zone_config zones = pm_flat(bytes);

	all.size = bytes;
	zones.max_order_pages = BLOCK_PAGES;
	if (!CHECK(t, pm_lay_out(m, t, &all, 1, &zones)))
		return false;
	m->cfg.pageblock_order = 5;
	return pm_make(m);
}

static void check_owners(struct tap *t)
{
	struct pz_page_owner o = { "x", mover_migrate, NULL };
	struct pz_page_info f;
	struct page_machine m;
	struct mover v;
	uint32_t gfp, n = 1;
	uint64_t pfn;
	uint8_t id = 0;

	if (!small(&m, t, MIB))
		goto out;
	o.name = NULL;
	CHECK(t, pz_page_owner_add(m.pages, &o, &id) == -PZ_EINVAL);
	o.name = "x";
	o.migrate = NULL;
	CHECK(t, pz_page_owner_add(m.pages, &o, &id) == -PZ_EINVAL && id == 0);
	gfp = mover_add(&m, &v, "first");
	CHECK(t, !pz_alloc_pages(m.pages, 0, gfp, 2, NULL, &pfn));
	pz_page_info(m.pages, pfn, &f);
	CHECK(t, f.owner == PZ_GFP_OWNER_OF(gfp) && f.pages == 4 && f.mobility == PZ_MOVABLE);
	CHECK(t, pz_page_set_owner(m.pages, pfn, 2) == -PZ_EINVAL);
	CHECK(t, pz_page_set_owner(m.pages, pfn + 1, 0) == -PZ_EINVAL);
	CHECK(t, pz_page_set_owner(m.pages, 3, 0) == -PZ_EINVAL);
	CHECK(t, pz_page_set_owner(m.pages, UINT64_MAX, 0) == -PZ_EINVAL);
	CHECK(t, !pz_page_set_owner(m.pages, pfn, 0));
	pz_page_info(m.pages, pfn, &f);
	CHECK(t, f.owner == 0);
	pz_free_pages(m.pages, 0, pfn, 2);
	o.migrate = mover_migrate;
	while (!pz_page_owner_add(m.pages, &o, &id))
		n++;
	CHECK_NAMED(t, n == PZ_PAGE_OWNERS && id == PZ_PAGE_OWNERS, "255 owners");
	CHECK(t, pz_page_owner_add(m.pages, &o, &id) == -PZ_ENOSPC);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

static void check_evacuate(struct tap *t)
{
	struct pz_evacuation e;
	struct page_machine m;
	struct mover v;
	struct pz_limits l = pm_window(0, 31);
	uint64_t pfn[4], fixed;
	uint32_t gfp;

	if (!small(&m, t, MIB))
		goto out;
	gfp = mover_add(&m, &v, "owner");
	for (unsigned int i = 0; i < 4; i++)
		CHECK(t, !pz_alloc_pages(m.pages, 0, gfp, 0, &l, &pfn[i]));
	pz_evacuation_cost(m.pages, (struct pz_range){ 0, 31 }, &e);
	CHECK(t, e.free == 28 && e.movable == 4 && e.fixed == 0);
	CHECK(t, pz_evacuate(m.pages, 0, (struct pz_range){ 250, 256 }) == -PZ_EINVAL);
	CHECK(t, pz_evacuate(m.pages, 0, (struct pz_range){ 0, 31 }) == 0);
	CHECK(t, v.moved == 4 && !v.odd && v.to > 31 && v.order == 0);
	CHECK_NAMED(t, pm_block(&m, 31, 0, 32) && pm_free(&m) == 256 - 32 - 4,
		    "the range is one run, and the pages live elsewhere");
	CHECK(t, pm_block(&m, v.to, v.to, 1));
	pz_free_exact(m.pages, 0, 0, 32);
	CHECK(t, pm_free(&m) == 252);

	/* What cannot be moved. */
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, &l, &fixed));
	CHECK(t, !pz_alloc_pages(m.pages, 0, gfp, 0, &l, &pfn[0]));
	pz_evacuation_cost(m.pages, (struct pz_range){ 0, 31 }, &e);
	CHECK(t, e.fixed == 1 && e.first_fixed == fixed && e.movable == 1);
	CHECK(t, pz_evacuate(m.pages, 0, (struct pz_range){ 0, 31 }) == -PZ_EBUSY);
	pz_free_pages(m.pages, 0, fixed, 0);
	v.answer = PZ_MIGRATE_NO;
	CHECK(t, pz_evacuate(m.pages, 0, (struct pz_range){ 0, 31 }) == -PZ_EBUSY);
	v.answer = PZ_MIGRATE_LATER;
	CHECK(t, pz_evacuate(m.pages, 0, (struct pz_range){ 0, 31 }) == -PZ_EBUSY);
	CHECK(t, pm_free(&m) == 251 && pm_block(&m, pfn[0], pfn[0], 1));
	v.answer = PZ_MIGRATE_YES;
	CHECK(t, pz_evacuate(m.pages, 0, (struct pz_range){ 0, 255 }) == -PZ_ENOMEM);
	CHECK_NAMED(t, pm_free(&m) == 251, "no room elsewhere: all is as it was");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* A request takes the range that costs least to empty, when it may. */
static void check_cheapest(struct tap *t)
{
	struct pz_limits any = pz_limits_any();
	struct pz_page_req req;
	struct pz_evacuation e;
	struct page_machine m;
	struct mover v;
	uint64_t pfn;
	uint32_t gfp;

	if (!small(&m, t, MIB))
		goto out;
	gfp = mover_add(&m, &v, "owner");
	CHECK(t, pm_fill(&m, gfp) == 256);
	/* Free pages here and there: 3 of 16 at 64, 7 at 128, 5 at 208. */
	pm_free_singles(&m, 64, 66);
	pm_free_singles(&m, 130, 136);
	pm_free_singles(&m, 211, 215);
	any.align = 16 << 12;
	CHECK(t, !pz_evacuation_cheapest(m.pages, 16, &any, &e));
	CHECK(t, e.pfns.first == 128 && e.pfns.last == 143 && e.movable == 9 && e.free == 7);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 4, NULL, &pfn) == -PZ_ENOMEM && !v.asked,
		    "in atomic context nothing is moved");
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 4, NULL, &pfn) == -PZ_ENOMEM,
		    "15 pages are free, and 16 are wanted");
	pm_free_singles(&m, 72, 73);
	CHECK(t, pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK | PZ_GFP_NOMIGRATE, 4, NULL, &pfn) ==
				 -PZ_ENOMEM &&
			 !v.asked);
	v.answer = PZ_MIGRATE_LATER;
	CHECK(t, pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 4, NULL, &pfn) == -PZ_EBUSY);
	CHECK(t, v.asked > 0 && pm_free(&m) == 17);
	v.answer = PZ_MIGRATE_YES;
	v.asked = 0;
	CHECK(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 4, NULL, &pfn));
	CHECK_NAMED(t, pfn == 128 && v.moved == 9 && v.asked == 9 && !v.odd,
		    "the cheapest range, page by page");
	CHECK(t, pm_free(&m) == 1 && pm_block(&m, 143, 128, 16));
	pz_free_pages(m.pages, 0, pfn, 4);

	/* Also for an odd length within a window. */
	v.moved = 0;
	pz_page_req_init(m.pages, &req, 0, PZ_GFP_BLOCK, 0);
	req.pages = 13;
	req.limits = pm_window(20, 50);
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn >= 20 && pfn <= 38);
	CHECK(t, v.moved == 13 && pm_free(&m) == 4);
	req.pages = 40;
	req.limits = any;
	CHECK(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ENOMEM);
	CHECK(t, pz_evacuation_cheapest(m.pages, 257, &any, &e) == -PZ_ENOMEM);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

static void check_reserve(struct tap *t)
{
	struct pz_cma_req req = { "an area with a name of more than 31 characters",
				  5 * MIB,
				  32 * MIB,
				  0,
				  true,
				  PZ_NID_NONE,
				  0,
				  false };
	struct pz_cma_reserved a;
	struct pz_memblock mb;
	size_t n = 0;

	if (!CHECK(t, !pz_memblock_init(&mb, t->meta, 12)))
		return;
	CHECK(t, !pz_memblock_add(&mb, MIB, 127 * MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 4 * GIB, 64 * MIB, 1, 0));
	CHECK(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a));
	CHECK_NAMED(t, a.range.first == 32 * MIB && a.range.last == 38 * MIB - 1,
		    "size is rounded up to whole pageblocks");
	CHECK(t, pz_memblock_bytes(&mb, PZ_MB_RESERVED) == 6 * MIB);
	while (n < PZ_CMA_NAME && a.name[n])
		n++;
	CHECK(t, n == PZ_CMA_NAME - 1 && a.name[0] == 'a' && a.name[3] == 'a');
	req.name = "area";
	CHECK_NAMED(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EBUSY, "taken");
	req.base = 36 * MIB;
	CHECK_NAMED(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EBUSY, "taken in part");
	req.base = 126 * MIB;
	CHECK_NAMED(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EBUSY, "no memory behind");
	req.base = 65 * MIB;
	CHECK_NAMED(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EINVAL, "not aligned");
	req.base = 64 * MIB;
	req.size = 0;
	CHECK(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EINVAL);
	req.size = 4 * MIB;
	req.highmem = 66 * MIB;
	CHECK_NAMED(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EINVAL,
		    "across the end of low memory");
	req.highmem = 68 * MIB;
	CHECK(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a) && a.range.first == 64 * MIB);
	req.fixed = false;
	req.base = 0;
	req.highmem = 100 * MIB;
	req.limit = 128 * MIB;
	CHECK_NAMED(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a) && a.range.last == 128 * MIB - 1,
		    "high memory first");
	req.size = 40 * MIB;
	CHECK(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_ENOMEM);
	req.size = 28 * MIB;
	CHECK_NAMED(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a) && a.range.last == 100 * MIB - 1,
		    "else low memory, never across");
	req.size = 4 * MIB;
	req.base = 20 * MIB;
	req.limit = 22 * MIB;
	CHECK(t, pz_cma_reserve(&mb, &req, 2 * MIB, &a) == -PZ_EINVAL);
	req.limit = 24 * MIB + 4096;
	CHECK_NAMED(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a) && a.range.first == 20 * MIB,
		    "an end is rounded down");
	req = (struct pz_cma_req){ "x", 4 * MIB, 0, 0, false, PZ_NID_NONE, 0, true };
	CHECK_NAMED(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a) && a.range.first == 4 * GIB,
		    "above 4 GiB from below");
	req = (struct pz_cma_req){ "x", 4 * MIB, 0, 0, false, 0, 0, false };
	CHECK_NAMED(t, !pz_cma_reserve(&mb, &req, 2 * MIB, &a) && a.range.last < 4 * GIB,
		    "on its node");
	CHECK(t, pz_memblock_check(&mb) == 0);
	pz_memblock_destroy(&mb);
}

/* A machine of 1 MiB with an area of 64 pages at page 128, and the area active. */
static bool with_area(struct page_machine *m, struct tap *t, uint32_t *id)
{
	struct pm_region all = { 0, MIB, 0, false };
	struct pz_zone_config zones = pm_flat(MIB);
	struct pz_cma_req req = { "pool", 64 << 12, 128 << 12, 0, true, PZ_NID_NONE, 0, false };
	struct pz_cma_reserved a;

	zones.max_order_pages = BLOCK_PAGES;
	if (!CHECK(t, pm_lay_out(m, t, &all, 1, &zones)))
		return false;
	m->cfg.pageblock_order = 5;
	CHECK(t, !pz_cma_reserve(&m->mb, &req, BLOCK_PAGES << 12, &a));
	if (!pm_make(m))
		return false;
	CHECK(t, pm_free(m) == 192 && pm_state(m, 128, PZ_PAGE_NONE));
	CHECK(t, !pz_cma_activate(m->pages, &a, id));
	CHECK(t, pm_free(m) == 256 && pm_state(m, 191, PZ_PAGE_FREE));
	CHECK(t, pz_cma_activate(m->pages, &a, id) == -PZ_EEXIST);
	return true;
}

static void check_area(struct tap *t)
{
	struct pz_limits l = pz_limits_any();
	struct pz_area_stat s;
	struct pz_cma_stat c;
	struct page_machine m;
	struct mover v;
	uint64_t pfn, other;
	uint32_t id = 99, gfp;

	if (!with_area(&m, t, &id))
		goto out;
	gfp = mover_add(&m, &v, "cache");
	pz_page_area_stat(m.pages, 0, 10, &s);
	CHECK(t, s.free == 256 && s.free_cma == 64 && s.blocks[PZ_CMA] == 2);
	CHECK_NAMED(t, pm_fill(&m, 0) == 192 && pm_free(&m) == 64,
		    "what cannot be moved is not lent anything");
	CHECK(t, pm_fill(&m, PZ_GFP_RECLAIMABLE) == 0);
	l = pm_window(128, 191);
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ENOMEM ||
			 pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ERANGE);
	CHECK_NAMED(t, pm_fill(&m, gfp) == 64 && pm_free(&m) == 0, "movable pages are");
	CHECK(t, !pz_cma_stat(m.pages, id, &c));
	CHECK(t, c.name[0] == 'p' && c.pfns.first == 128 && c.pfns.last == 191);
	CHECK(t, c.taken == 0 && c.lent == 64 && c.free == 0 && c.largest == 64);
	CHECK(t, c.by_owner[PZ_GFP_OWNER_OF(gfp)] == 64 && c.by_owner[0] == 0);
	CHECK_NAMED(t, pz_cma_alloc(m.pages, 0, id, 4, 0, NULL, &pfn) == -PZ_ENOMEM && !v.moved,
		    "no room elsewhere");
	CHECK(t, pm_free_singles(&m, 0, 19) == 20);
	CHECK(t, !pz_cma_alloc(m.pages, 0, id, 8, 3, NULL, &pfn));
	CHECK_NAMED(t,
		    v.moved == 8 && !v.odd && pfn >= 128 && pfn <= 184 && !(pfn & 7) && v.to < 20,
		    "lent pages move out of the way");
	CHECK(t, pm_free(&m) == 12 && pm_block(&m, pfn + 7, pfn, 8));
	CHECK(t, !pz_cma_stat(m.pages, id, &c) && c.taken == 8 && c.lent == 56);
	CHECK(t, c.allocs == 1 && c.alloc_fails == 1 && c.moved == 8 && c.largest <= 56);
	CHECK(t, !pz_cma_release(m.pages, 0, id, 127, 1));
	CHECK(t, !pz_cma_release(m.pages, 0, 7, pfn, 8));
	CHECK(t, !pz_cma_release(m.pages, 0, id, 192, 1) && m.bugs.count == 0);
	CHECK(t, pz_cma_release(m.pages, 0, id, pfn, 7) && m.bugs.count == 1);
	CHECK(t, pz_cma_release(m.pages, 0, id, pfn, 8) && m.bugs.count == 1);
	CHECK(t, pz_cma_release(m.pages, 0, id, pfn, 8) && m.bugs.count == 2);
	CHECK(t, pm_free(&m) == 20);

	/* Arguments. */
	CHECK(t, pz_cma_alloc(m.pages, 0, 7, 1, 0, NULL, &pfn) == -PZ_ENOENT);
	CHECK(t, pz_cma_stat(m.pages, 7, &c) == -PZ_ENOENT);
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 0, 0, NULL, &pfn) == -PZ_EINVAL);
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 65, 0, NULL, &pfn) == -PZ_ERANGE);
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 1, 8, NULL, &pfn) == -PZ_ERANGE);
	l = pm_window(0, 127);
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 1, 0, &l, &pfn) == -PZ_ERANGE);
	l = pm_window(130, 133);
	CHECK(t, !pz_cma_alloc(m.pages, 0, id, 4, 0, &l, &pfn) && pfn == 130);
	CHECK(t, pz_cma_release(m.pages, 0, id, pfn, 4));

	/* Who refuses, and what is pinned, stands in the way; other places are tried. */
	CHECK(t, pm_fill(&m, gfp) == 20);
	CHECK(t, pm_free_singles(&m, 20, 59) == 40);
	v.answer = PZ_MIGRATE_NO;
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 8, 0, NULL, &pfn) == -PZ_EBUSY);
	v.answer = PZ_MIGRATE_YES;
	CHECK(t, pm_state(&m, 140, PZ_PAGE_HEAD) && !pz_page_set_owner(m.pages, 140, 0));
	CHECK(t, !pz_cma_stat(m.pages, id, &c) && c.by_owner[0] == 1);
	l = pm_window(136, 143);
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 8, 0, &l, &pfn) == -PZ_EBUSY);
	CHECK_NAMED(t, !pz_cma_alloc(m.pages, 0, id, 32, 5, NULL, &pfn) && pfn == 160,
		    "another place serves");
	CHECK(t, pz_cma_alloc(m.pages, 0, id, 32, 5, NULL, &other) < 0);
	CHECK(t, pz_cma_release(m.pages, 0, id, pfn, 32));
	CHECK(t, m.bugs.count == 2);
out:
	pm_close(&m);
}

static void check_activate(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0, 16 * MIB, 0, false },
		{ 0, 8 * MIB, 0, true },
	};
	struct pz_zone_config zones = pm_flat(16 * MIB);
	struct pz_cma_reserved a = { "x", { 0, 0 } };
	struct page_machine m;
	uint32_t id = 0, n = 0;
	uint64_t at;

	zones.configured |= 1u << PZ_ZONE_DMA;
	zones.max_pfn[PZ_ZONE_DMA] = 1040;
	if (!CHECK(t, pm_lay_out(&m, t, v, 2, &zones)))
		return;
	m.cfg.pageblock_order = 5;
	if (!pm_make(&m))
		goto out;
	a.range = (struct pz_range){ 16 << 12, (48 << 12) - 1 };
	CHECK_NAMED(t, pz_cma_activate(m.pages, &a, &id) == -PZ_EINVAL,
		    "begins inside a pageblock");
	a.range = (struct pz_range){ 32 << 12, (63 << 12) - 1 };
	CHECK_NAMED(t, pz_cma_activate(m.pages, &a, &id) == -PZ_EINVAL, "ends inside a pageblock");
	a.range = (struct pz_range){ 1024 << 12, (1056 << 12) - 1 };
	CHECK_NAMED(t, pz_cma_activate(m.pages, &a, &id) == -PZ_EINVAL, "lies across zones");
	a.range = (struct pz_range){ 2048 << 12, (2080 << 12) - 1 };
	CHECK_NAMED(t, pz_cma_activate(m.pages, &a, &id) == -PZ_EEXIST, "is managed already");
	CHECK(t, pm_free(&m) == 2048);
	for (at = 0; n < PZ_CMA_AREAS; at += 32) {
		if (at == 1024) /* the one across zones */
			continue;
		a.range.first = at << 12;
		a.range.last = ((at + 32) << 12) - 1;
		if (pz_cma_activate(m.pages, &a, &id))
			break;
		n++;
	}
	CHECK(t, n == PZ_CMA_AREAS - 1 || n == PZ_CMA_AREAS);
	CHECK(t, pm_free(&m) == 2048 + 32 * (uint64_t)n);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* One area more than there can be. */
static void check_areas(struct tap *t)
{
	struct pm_region v[] = {
		{ 0, 16 * MIB, 0, false },
		{ 0, 12 * MIB, 0, true },
	};
	struct pz_zone_config zones = pm_flat(16 * MIB);
	struct pz_cma_reserved a = { "x", { 0, 0 } };
	struct page_machine m;
	uint32_t id = 0, n;
	int rc = 0;

	if (!CHECK(t, pm_lay_out(&m, t, v, 2, &zones)))
		return;
	m.cfg.pageblock_order = 5;
	if (!pm_make(&m))
		goto out;
	for (n = 0; n < 80; n++) {
		a.range.first = (uint64_t)n * 32 << 12;
		a.range.last = a.range.first + (32 << 12) - 1;
		rc = pz_cma_activate(m.pages, &a, &id);
		if (rc)
			break;
	}
	CHECK(t, n == PZ_CMA_AREAS && rc == -PZ_ENOSPC);
	CHECK(t, pm_free(&m) == 1024 + 32 * PZ_CMA_AREAS && m.bugs.count == 0);
out:
	pm_close(&m);
}

/* ZONE_MOVABLE is for movable pages, as an area is. */
static void check_movable_zone(struct tap *t)
{
	struct pm_region all = { 0, 4 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct pz_limits l = pm_window(512, 1023);
	struct page_machine m;
	struct mover v;
	uint32_t gfp;
	uint64_t pfn;

	zones.movablecore.kind = PZ_CORE_PAGES;
	zones.movablecore.value = 512;
	zones.max_order_pages = BLOCK_PAGES;
	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	m.cfg.pageblock_order = 5;
	if (!pm_make(&m))
		goto out;
	gfp = mover_add(&m, &v, "owner");
	CHECK(t, pz_page_areas(m.pages) == 2 && pz_page_free_count(m.pages, 1) == 512);
	CHECK_NAMED(t, pm_fill(&m, 0) == 512 && pz_page_free_count(m.pages, 1) == 512,
		    "unmovable pages stay out of ZONE_MOVABLE");
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) < 0, "whatever is free there");
	CHECK_NAMED(t, pm_fill(&m, gfp) == 512 && pm_free(&m) == 0, "movable pages use it");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/*
 * Thread 003: a PC with 1 GiB, whose low memory ends at page 0x377fe; an area of 4 MiB at
 * 0x37000000, which is low memory, in ZONE_MOVABLE, whose other pages are high memory. The zone
 * spans pages of both sorts, so it cannot say which of them are directly mapped.
 */
#define LOW_END 0x377feu
#define OLD_PC_END 0x3f6d0u
#define OLD_PC_CMA 0x37000u

static bool directly_mapped(uint64_t pfn)
{
	return pfn < LOW_END;
}

/* Where the kernel of a 32-bit PC sees a page without mapping it; 0 for nowhere. */
static uint64_t linear_address(uint64_t pfn)
{
	return directly_mapped(pfn) ? 0xc0000000u + (pfn << 12) : 0;
}

static int old_pc_zones(struct page_machine *m)
{
	struct pz_zone_config c = pm_pc((uint64_t)OLD_PC_END << 12);
	uint64_t after = (uint64_t)(OLD_PC_CMA + 1024) << 12;
	int rc;

	c.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_HIGHMEM |
		       1u << PZ_ZONE_MOVABLE;
	c.max_pfn[PZ_ZONE_NORMAL] = LOW_END;
	c.max_pfn[PZ_ZONE_HIGHMEM] = OLD_PC_END;
	c.movablecore.kind = PZ_CORE_PAGES;
	c.movablecore.value = 8192;
	rc = pz_memblock_add(&m->mb, 0x1000, 0x9e000, 0, 0);
	if (!rc)
		rc = pz_memblock_add(&m->mb, MIB, ((uint64_t)OLD_PC_CMA << 12) - MIB, 0, 0);
	if (!rc)
		rc = pz_memblock_add(&m->mb, after, ((uint64_t)OLD_PC_END << 12) - after, 0, 0);
	if (!rc)
		rc = pz_zones_build(&m->z, m->t->meta, &m->mb, &c);
	if (rc)
		return rc;
	m->laid_out = true;
	return pz_zones_online(&m->z, (struct pz_range){ OLD_PC_CMA, OLD_PC_CMA + 1023 }, 0,
			       PZ_ZONE_MOVABLE);
}

static int count_pages(void *ctx, struct pz_range pfns, int nid)
{
	(void)nid;
	*(uint64_t *)ctx += pfns.last - pfns.first + 1;
	return 0;
}

static bool old_pc(struct page_machine *m, struct tap *t, uint32_t *id, uint64_t *handed)
{
	struct pz_cma_req req = {
		"reserved", 4 * MIB, 0x37000000, 0, true, PZ_NID_NONE, (uint64_t)LOW_END << 12,
		false
	};
	struct pz_cma_reserved a;

	m->pages = NULL;
	m->laid_out = false;
	m->t = t;
	m->bugs = (struct pz_bugs){ .policy = PZ_BUG_IGNORE };
	m->cfg = (struct pz_page_config){ .meta = t->meta,
					  .zones = &m->z,
					  .memblock = &m->mb,
					  .max_pfn = UINT64_MAX,
					  .cpus = 1,
					  .keep_pages = UINT64_MAX,
					  .bugs = &m->bugs };
	m->cfg.pageblock_order = 10;
	if (pz_memblock_init(&m->mb, t->meta, 12))
		return false;
	if (!CHECK(t, !old_pc_zones(m)))
		return false;
	CHECK(t, !pz_memblock_add(&m->mb, 0x37000000, 4 * MIB, 0, 0));
	CHECK(t, !pz_memblock_reserve(&m->mb, 0, MIB, PZ_NID_NONE, 0));
	CHECK(t, !pz_memblock_reserve(&m->mb, MIB, 12 * MIB, PZ_NID_NONE, 0));
	CHECK(t, !pz_cma_reserve(&m->mb, &req, 4 * MIB, &a));
	*handed = 0;
	pz_memblock_hand_over(&m->mb, UINT64_MAX, count_pages, handed);
	if (!pm_make(m))
		return false;
	CHECK_NAMED(t, pm_free(m) == *handed, "each page is freed once, whatever zones span it");
	return CHECK(t, !pz_cma_activate(m->pages, &a, id));
}

static void check_thread_003(struct tap *t)
{
	struct pz_limits low = pz_limits_any();
	const struct pz_zone *z;
	struct page_machine m;
	struct mover v;
	uint64_t pfn, handed, end;
	uint32_t id = 0, gfp, wrong = 0;

	if (!old_pc(&m, t, &id, &handed))
		goto out;
	z = &m.z.node[0].zone[PZ_ZONE_MOVABLE];
	end = z->start_pfn + z->spanned - 1;
	CHECK_NAMED(t, z->start_pfn == OLD_PC_CMA && end >= LOW_END && z->present < z->spanned,
		    "the zone spans low and high memory, and pages of other zones");
	CHECK(t, pz_zones_locate(&m.z, OLD_PC_CMA, NULL) == PZ_ZONE_MOVABLE);
	CHECK(t, pz_zones_locate(&m.z, LOW_END - 1, NULL) == PZ_ZONE_NORMAL);
	CHECK(t, pm_free(&m) == handed + 1024);

	/* An init that walks the spans of zones with high memory, as 4.17 did. */
	for (pfn = z->start_pfn; pfn <= end; pfn += 1000) {
		if (pz_pages_add(m.pages, (struct pz_range){ pfn, pfn }) != -PZ_EEXIST)
			wrong++;
	}
	CHECK_NAMED(t, pz_pages_add(m.pages, (struct pz_range){ 0x377fd, 0x377fe }) == -PZ_EEXIST,
		    "page 0x377fe is not freed twice");
	CHECK_NAMED(t,
		    !wrong && pm_free(&m) == handed + 1024 && !m.bugs.count &&
			    !pz_pages_check(m.pages),
		    "nor any other");

	/* A driver that knows its memory to be directly mapped. */
	low.max_addr = ((uint64_t)LOW_END << 12) - 1;
	CHECK(t, !pz_cma_alloc(m.pages, 0, id, 2, 1, &low, &pfn));
	CHECK(t, pfn >= OLD_PC_CMA && pfn < OLD_PC_CMA + 1024);
	CHECK_NAMED(t, directly_mapped(pfn) && linear_address(pfn) == 0xc0000000u + (pfn << 12),
		    "its address is known, though its zone is one of high memory");
	CHECK(t, linear_address(LOW_END) == 0);
	CHECK(t, pz_cma_release(m.pages, 0, id, pfn, 2));

	/* Pages lent from the area are movable ones, in reach of what reaches low memory. */
	gfp = mover_add(&m, &v, "cache");
	low.min_addr = 0x37000000;
	low.max_addr = 0x373fffff;
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 0, &low, &pfn) < 0);
	CHECK(t, !pz_alloc_pages(m.pages, 0, gfp, 0, &low, &pfn) && directly_mapped(pfn));
	CHECK(t, !pz_cma_alloc(m.pages, 0, id, 1024, 10, NULL, &end) && end == OLD_PC_CMA);
	CHECK(t, v.moved == 1 && v.from == pfn && (v.to < OLD_PC_CMA || v.to > OLD_PC_CMA + 1023));
	CHECK(t, pz_cma_release(m.pages, 0, id, end, 1024) && m.bugs.count == 0);
	CHECK(t, pm_free(&m) == handed + 1024 - 1);
out:
	if (!m.laid_out)
		pz_memblock_destroy(&m.mb);
	pm_close(&m);
}

/* From here on situations that Linux tests itself in, as in contract_peers.c. */

static enum pz_migrate willing(void *ctx, uint64_t from, uint64_t to, unsigned int order)
{
	(void)from;
	(void)to;
	*(uint64_t *)ctx += (uint64_t)1 << order;
	return PZ_MIGRATE_YES;
}

/*
 * The compaction self test: memory is full of small movable pages; a fifth of them goes at random,
 * and a third of what is free, at the least, can be had in large blocks.
 */
static void check_compaction(struct tap *t)
{
	uint64_t moved = 0, pfn, blocks = 0, free;
	struct pz_page_owner owner = { "users", willing, &moved };
	struct page_machine m;
	uint32_t random = 1;
	uint8_t id = 0;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	CHECK(t, !pz_page_owner_add(m.pages, &owner, &id));
	CHECK(t, pm_fill(&m, PZ_GFP_MOVABLE | PZ_GFP_OWNER(id)) == 1024);
	for (unsigned int i = 0; i < 230; i++) {
		random = random * 1103515245u + 12345u;
		pm_free_singles(&m, random >> 16 & 1023, random >> 16 & 1023);
	}
	free = pm_free(&m);
	CHECK(t, free > 150 && pz_alloc_pages(m.pages, 0, 0, 5, NULL, &pfn) == -PZ_ENOMEM);
	while (!pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 5, NULL, &pfn))
		blocks++;
	CHECK_NAMED(t, blocks * 32 * 3 >= free && moved > 0, "large blocks out of scattered pages");
	CHECK_NAMED(t, pm_free(&m) == free - blocks * 32 && pm_free(&m) < 32,
		    "all that there is, even");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* What alloc_contig_range() gives can be freed page by page, in any order. */
static void check_contig_singles(struct tap *t)
{
	struct page_machine m;
	bool ok = true;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	CHECK(t, !pz_evacuate(m.pages, 0, (struct pz_range){ 100, 163 }));
	CHECK(t, pm_block(&m, 163, 100, 64) && pm_free(&m) == 960);
	for (uint64_t p = 163; p >= 101; p -= 2)
		ok = ok && !pz_free_part(m.pages, 0, p, 1);
	for (uint64_t p = 100; p <= 162; p += 2)
		pz_free_pages(m.pages, 0, p, 0);
	CHECK(t, ok && pm_free(&m) == 1024 && m.bugs.count == 0);
out:
	pm_close(&m);
}

void contract_contig(struct tap *t)
{
	check_owners(t);
	check_evacuate(t);
	check_cheapest(t);
	check_reserve(t);
	check_area(t);
	check_activate(t);
	check_areas(t);
	check_movable_zone(t);
	check_thread_003(t);
	check_compaction(t);
	check_contig_singles(t);
}
