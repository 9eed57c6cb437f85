/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_report.c - each verdict and each remedy, on machines that are small enough to see it.
 *
 * All have 256 pages of 4 KiB from address 0 on, pageblocks of 32 pages, and no watermark but those
 * that a test sets.
 */
#include "suites_decl.h"

#include <physzone/report.h>

#define PAGES 256u

struct machine {
	struct tap *t;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *p;
	struct pz_report rep;
};

struct shape {
	enum pz_page_policy policy;
	uint64_t dma; /* pages of ZONE_DMA */
	uint64_t second; /* first page of node 1, 0 for none */
	uint64_t reserved; /* pages reserved from 0 on */
	uint64_t movable; /* pages for ZONE_MOVABLE */
	uint64_t keep;
	bool hold;
};

static bool make(struct machine *m, struct tap *t, struct shape s)
{
	struct pz_zone_config zc = { 0 };
	struct pz_page_config c = { 0 };
	uint64_t first = s.second ? s.second : PAGES;

	m->t = t;
	m->p = NULL;
	zc.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	if (s.dma)
		zc.configured |= 1u << PZ_ZONE_DMA;
	zc.max_pfn[PZ_ZONE_DMA] = s.dma;
	zc.max_pfn[PZ_ZONE_NORMAL] = PAGES;
	zc.page_shift = 12;
	zc.max_order_pages = 32;
	if (s.movable) {
		zc.movablecore.kind = PZ_CORE_PAGES;
		zc.movablecore.value = s.movable;
	}
	c.meta = t->meta;
	c.zones = &m->z;
	c.memblock = &m->mb;
	c.max_pfn = UINT64_MAX;
	c.cpus = 2;
	c.policy = s.policy;
	c.pageblock_order = 5;
	c.keep_pages = s.keep ? s.keep : UINT64_MAX;
	c.pcp_hold = s.hold;
	c.pcp_batch = 1;
	c.pcp_high = 8;
	return !pz_memblock_init(&m->mb, t->meta, 12) &&
	       !pz_memblock_add(&m->mb, 0, first << 12, 0, 0) &&
	       (!s.second ||
		!pz_memblock_add(&m->mb, first << 12, (PAGES - first) << 12, 1, 0)) &&
	       (!s.reserved ||
		!pz_memblock_reserve(&m->mb, 0, s.reserved << 12, PZ_NID_NONE, 0)) &&
	       !pz_zones_build(&m->z, t->meta, &m->mb, &zc) &&
	       !pz_zones_set_managed(&m->z, &m->mb, UINT64_MAX) && !pz_pages_create(&m->p, &c);
}

static void end(struct machine *m)
{
	pz_pages_destroy(m->p);
	pz_zones_destroy(&m->z);
	pz_memblock_destroy(&m->mb);
}

static void set_mark(struct machine *m, enum pz_zone_type type, uint64_t pages)
{
	m->z.node[0].zone[type].min = pages;
	m->z.node[0].zone[type].low = pages;
}

/* Take every page there is, as single ones. */
static void fill(struct machine *m)
{
	uint64_t pfn;

	while (!pz_alloc_pages(m->p, PZ_CPU_NONE, PZ_GFP_MEMALLOC | PZ_GFP_MOVABLE, 0, NULL, &pfn))
		;
}

static void drop(struct machine *m, uint64_t pfn)
{
	pz_free_pages(m->p, PZ_CPU_NONE, pfn, 0);
}

static struct pz_page_req order(struct machine *m, unsigned int o, uint32_t gfp)
{
	struct pz_page_req r;

	pz_page_req_init(m->p, &r, o, gfp, PZ_CPU_NONE);
	return r;
}

static struct pz_page_req length(struct machine *m, uint64_t pages)
{
	struct pz_page_req r = order(m, 0, 0);

	r.pages = pages;
	return r;
}

/* Whether a report states an outcome, a remedy with its value, and the verdict on each area. */
static bool says(struct machine *m, const struct pz_page_req *r, int outcome, enum pz_remedy remedy,
		 uint64_t value, enum pz_verdict first, enum pz_verdict second)
{
	const struct pz_report *rep = &m->rep;
	uint64_t pfn;
	int rc;

	if (pz_report_explain(m->p, r, &m->rep) || rep->outcome != outcome ||
	    rep->remedy != remedy || rep->remedy_value != value || rep->more)
		return false;
	if (rep->area[0].verdict != first ||
	    (rep->areas > 1 ? rep->area[1].verdict : PZ_VERDICTS) != second)
		return false;
	/* And so it is. */
	rc = pz_page_request(m->p, r, &pfn);
	if (!rc)
		pz_free_exact(m->p, PZ_CPU_NONE, pfn, r->pages);
	return rc == outcome;
}

static void by_reach(struct tap *t, struct machine *m)
{
	struct pz_page_req r;

	if (!CHECK(t, make(m, t, (struct shape){ PZ_POLICY_REACH, .dma = 64, .keep = 32 })))
		return;
	r = order(m, 0, 0);
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_OK));
	CHECK(t, m->rep.area[0].type == PZ_ZONE_NORMAL && m->rep.area[1].type == PZ_ZONE_DMA);
	CHECK(t, m->rep.area[1].reached && m->rep.area[1].reach.first == 0 &&
			 m->rep.area[1].reach.last == 63 && m->rep.area[1].managed == 64 &&
			 m->rep.area[1].free == 64 && m->rep.area[1].free_reached == 64 &&
			 m->rep.area[1].largest_run == 64);
	r.limits.max_addr = 0x40fff;
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_OK));
	CHECK(t, m->rep.area[0].free_reached == 1 && m->rep.area[0].reach.last == 64);
	/* A run over the border of the zones. */
	r = length(m, 256 - 32);
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_OK));
	r.pages++;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RESERVE, PZ_GFP_NOKEEP, PZ_V_KEPT, PZ_V_KEPT));
	r.gfp = PZ_GFP_NOKEEP;
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_OK));
	r = length(m, PAGES + 1);
	CHECK(t, says(m, &r, -PZ_ERANGE, PZ_R_ORDER, PAGES - 32, PZ_V_SMALL, PZ_V_SMALL));
	r = length(m, 2);
	r.limits.boundary = 0x1000;
	CHECK(t, says(m, &r, -PZ_ERANGE, PZ_R_ORDER, 1, PZ_V_BOUNDARY, PZ_V_BOUNDARY));
	fill(m);
	r = order(m, 0, 0);
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RECLAIM, 1, PZ_V_FULL, PZ_V_FULL));
	CHECK(t, m->rep.remedy_pfns.first == m->rep.remedy_pfns.last &&
			 m->rep.remedy_pfns.first >= 32);
	drop(m, 101);
	drop(m, 102);
	r = order(m, 1, 0);
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_ORDER, 1, PZ_V_FRAGMENTED, PZ_V_FULL));
	CHECK(t, m->rep.area[0].largest_run == 2 && m->rep.area[0].free_reached == 2);
	r = length(m, 1);
	r.limits.align = 0x10000;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_ALIGN, 0, PZ_V_FRAGMENTED, PZ_V_FULL));
	r = length(m, 2);
	r.limits.min_addr = 0x66000;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_ORDER, 1, PZ_V_FULL, PZ_V_LIMIT));
	drop(m, 5);
	r = length(m, 2);
	r.limits.max_addr = 0x5ffff;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_ORDER, 1, PZ_V_FULL, PZ_V_FULL));
	/* All memory has one mark. */
	set_mark(m, PZ_ZONE_NORMAL, 2);
	set_mark(m, PZ_ZONE_DMA, 1);
	r = order(m, 0, PZ_GFP_NOKEEP);
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RESERVE, PZ_GFP_HIGH, PZ_V_WATERMARK,
		      PZ_V_WATERMARK));
	CHECK(t, m->rep.area[0].mark == 3 && m->rep.area[1].mark == 3);
	set_mark(m, PZ_ZONE_NORMAL, 11);
	r.gfp = PZ_GFP_HIGH;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RESERVE, PZ_GFP_MEMALLOC, PZ_V_WATERMARK,
		      PZ_V_WATERMARK));
	r.gfp = PZ_GFP_MOVABLE | PZ_GFP_RECLAIMABLE;
	CHECK(t, pz_report_explain(m->p, &r, &m->rep) == -PZ_EINVAL);
	end(m);
}

static void by_zones(struct tap *t, struct machine *m)
{
	struct pz_page_req r;

	if (!CHECK(t, make(m, t,
			   (struct shape){ PZ_POLICY_ZONELIST, .dma = 64, .reserved = 64 })))
		return;
	r = order(m, 0, 0);
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_UNMANAGED));
	CHECK(t, !m->rep.area[1].reached && !m->rep.area[1].managed);
	r.highest = PZ_ZONE_DMA;
	CHECK(t, says(m, &r, -PZ_ERANGE, PZ_R_LIMIT, PZ_ADDR_MAX, PZ_V_ZONE, PZ_V_UNMANAGED));
	CHECK(t, m->rep.remedy_highest == PZ_ZONE_NORMAL);
	r = order(m, 0, 0);
	r.limits.max_addr = 0x3ffff;
	CHECK(t, says(m, &r, -PZ_ERANGE, PZ_R_LIMIT, 0x40fff, PZ_V_LIMIT, PZ_V_UNMANAGED));
	fill(m);
	drop(m, 200);
	CHECK(t, says(m, &r, -PZ_ERANGE, PZ_R_LIMIT, 0xc8fff, PZ_V_LIMIT, PZ_V_UNMANAGED));
	end(m);

	if (!CHECK(t, make(m, t, (struct shape){ PZ_POLICY_ZONELIST, .dma = 64 })))
		return;
	set_mark(m, PZ_ZONE_DMA, 10);
	m->z.node[0].zone[PZ_ZONE_DMA].reserve[PZ_ZONE_NORMAL] = 54;
	fill(m);
	for (uint64_t pfn = 0; pfn < 12; pfn++)
		drop(m, pfn);
	r = order(m, 0, PZ_GFP_HIGH);
	/* 12 free: above the watermark, not above watermark and reserve. */
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RESERVE, PZ_GFP_MEMALLOC, PZ_V_FULL, PZ_V_RESERVE));
	CHECK(t, m->rep.area[1].mark == 4 && m->rep.area[1].reserve == 54);
	r.highest = PZ_ZONE_DMA;
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_ZONE, PZ_V_OK));
	r.gfp = 0;
	r.pages = 3;
	r.limits.align = 1;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RESERVE, PZ_GFP_HIGH, PZ_V_ZONE, PZ_V_WATERMARK));
	r.pages = 2;
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_ZONE, PZ_V_OK));
	end(m);
}

static void by_nodes(struct tap *t, struct machine *m)
{
	struct pz_page_req r;

	if (!CHECK(t, make(m, t, (struct shape){ PZ_POLICY_REACH, .second = 192 })))
		return;
	r = order(m, 0, PZ_GFP_THISNODE);
	r.nid = 1;
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_NODE));
	CHECK(t, m->rep.area[0].nid == 1 && m->rep.area[1].nid == 0);
	fill(m);
	for (uint64_t pfn = 0; pfn < 192; pfn++)
		drop(m, pfn);
	r = length(m, 100);
	r.gfp = PZ_GFP_THISNODE;
	r.nid = 1;
	CHECK(t, says(m, &r, -PZ_ERANGE, PZ_R_NODE, 0, PZ_V_SMALL, PZ_V_NODE));
	r.pages = 10;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_RECLAIM, 10, PZ_V_FULL, PZ_V_NODE));
	end(m);
}

static void movable(struct tap *t, struct machine *m)
{
	struct pz_page_req r;

	if (!CHECK(t, make(m, t, (struct shape){ PZ_POLICY_REACH, .movable = 64 })))
		return;
	fill(m);
	drop(m, 255);
	r = order(m, 0, 0);
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_MOVABLE, 0, PZ_V_CMA, PZ_V_FULL));
	CHECK(t, m->rep.area[0].type == PZ_ZONE_MOVABLE);
	r.gfp = PZ_GFP_MOVABLE;
	CHECK(t, says(m, &r, 0, PZ_R_RETRY, 0, PZ_V_OK, PZ_V_FULL));
	end(m);
}

static void held(struct tap *t, struct machine *m)
{
	struct pz_page_req r;

	if (!CHECK(t, make(m, t, (struct shape){ PZ_POLICY_REACH, .hold = true })))
		return;
	fill(m);
	pz_free_pages(m->p, 0, 77, 0);
	r = order(m, 0, PZ_GFP_MOVABLE);
	r.cpu = 0;
	CHECK(t, !pz_report_explain(m->p, &r, &m->rep) && m->rep.outcome == 0 &&
			 m->rep.remedy == PZ_R_RETRY);
	r.cpu = 1;
	CHECK(t, says(m, &r, 0, PZ_R_DRAIN, 0, PZ_V_HELD, PZ_VERDICTS) &&
			 m->rep.area[0].held == 1 && m->rep.area[0].free == 0);
	end(m);
}

static enum pz_migrate yes(void *ctx, uint64_t from, uint64_t to, unsigned int o)
{
	(void)from;
	(void)to;
	++*(unsigned int *)ctx;
	return o ? PZ_MIGRATE_NO : PZ_MIGRATE_YES;
}

static void moved(struct tap *t, struct machine *m)
{
	unsigned int calls = 0;
	struct pz_page_owner owner = { "test", yes, &calls };
	struct pz_page_req r;
	uint64_t pfn;
	uint8_t id;

	if (!CHECK(t, make(m, t, (struct shape){ .policy = PZ_POLICY_REACH })))
		return;
	CHECK(t, !pz_page_owner_add(m->p, &owner, &id));
	fill(m);
	for (uint64_t i = 0; i < 4; i++)
		CHECK(t, !pz_page_set_owner(m->p, 8 + i, id));
	drop(m, 8);
	drop(m, 10);
	drop(m, 100);
	drop(m, 200);
	r = order(m, 2, 0);
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_EVACUATE, 2, PZ_V_EVACUATE, PZ_VERDICTS));
	CHECK(t, m->rep.area[0].move == 2 && m->rep.remedy_pfns.first == 8 &&
			 m->rep.remedy_pfns.last == 11 && !calls);
	r.gfp = PZ_GFP_BLOCK | PZ_GFP_NOMIGRATE;
	CHECK(t, says(m, &r, -PZ_ENOMEM, PZ_R_EVACUATE, 2, PZ_V_EVACUATE, PZ_VERDICTS));
	r.gfp = PZ_GFP_BLOCK;
	CHECK(t, !pz_report_explain(m->p, &r, &m->rep) && m->rep.outcome == 0 &&
			 m->rep.remedy == PZ_R_RETRY && m->rep.remedy_value == 2 &&
			 m->rep.area[0].verdict == PZ_V_OK && m->rep.area[0].move == 2);
	CHECK(t, !calls && !pz_page_request(m->p, &r, &pfn) && pfn == 8 && calls == 2);
	CHECK(t, !pz_report_explain(m->p, &r, &m->rep) && m->rep.outcome == -PZ_ENOMEM);
	end(m);
}

static size_t str_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void words(struct tap *t, struct machine *m)
{
	char buf[1024], cut[20];
	struct pz_page_req r;
	bool named = true;

	for (unsigned int i = 0; i < PZ_VERDICTS; i++)
		named = named && !same(pz_verdict_name((enum pz_verdict)i), "?");
	for (unsigned int i = 0; i < PZ_REMEDIES; i++)
		named = named && !same(pz_remedy_name((enum pz_remedy)i), "?");
	CHECK_NAMED(t, named, "each verdict and remedy has a name");
	CHECK(t, same(pz_verdict_name(PZ_V_WATERMARK), "watermark") &&
			 same(pz_verdict_name(PZ_V_FULL), "full") &&
			 same(pz_verdict_name(PZ_VERDICTS), "?"));
	CHECK(t, same(pz_remedy_name(PZ_R_EVACUATE), "evacuate") &&
			 same(pz_remedy_name(PZ_R_NODE), "node") &&
			 same(pz_remedy_name(PZ_REMEDIES), "?"));
	if (!CHECK(t, make(m, t, (struct shape){ PZ_POLICY_REACH, .dma = 64, .reserved = 16 })))
		return;
	r = length(m, 1);
	r.limits.max_addr = 0xffff;
	CHECK(t, !pz_report_explain(m->p, &r, &m->rep));
	CHECK(t, pz_report_text(&m->rep, 12, buf, sizeof(buf)) == str_len(buf));
	CHECK(t, same(buf, "asked: 1 page (4 KiB), within [0x0-0xffff]\n"
			   "node 0 Normal: outside the limits; 192 pages (768 KiB) free, "
			   "none in reach\n"
			   "node 0 DMA: outside the limits; 48 pages (192 KiB) free, "
			   "none in reach\n"
			   "never, whatever is free; would help: a limit of 0x10fff (17 bits)\n"));
	CHECK(t, pz_report_text(&m->rep, 12, cut, sizeof(cut)) == str_len(buf) &&
			 same(cut, "asked: 1 page (4 Ki"));
	CHECK(t, pz_report_text(&m->rep, 12, NULL, 0) == str_len(buf));
	fill(m);
	drop(m, 70);
	r = length(m, 3);
	r.gfp = PZ_GFP_BLOCK;
	r.limits.boundary = 0x4000;
	CHECK(t, !pz_report_explain(m->p, &r, &m->rep));
	pz_report_text(&m->rep, 12, buf, sizeof(buf));
	CHECK(t, same(buf, "asked: 3 pages (12 KiB), not across 0x4000, may block\n"
			   "node 0 Normal: too few pages are free; 1 page (4 KiB) free in reach, "
			   "[0x40000-0xfffff]\n"
			   "node 0 DMA: nothing is free; 0 pages (0 KiB) free in reach, "
			   "[0x10000-0x3ffff]\n"
			   "not now; would help: asking for 1 page (4 KiB)\n"));
	end(m);
}

void contract_report(struct tap *t)
{
	struct machine *m = t->meta->alloc(t->meta->ctx, sizeof(*m));

	if (!CHECK(t, m != NULL))
		return;
	by_reach(t, m);
	by_zones(t, m);
	by_nodes(t, m);
	movable(t, m);
	held(t, m);
	moved(t, m);
	words(t, m);
	t->meta->free(t->meta->ctx, m, sizeof(*m));
}
