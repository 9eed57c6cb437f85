/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_page_policy.c - pages: where requests are placed, what is kept for whom, the hooks of
 * the embedder, nodes, per-CPU caches, pages added later, debugging aids, injected failures.
 */
#include "page_machine.h"
#include "suites_decl.h"

#define MIB PM_MIB
#define GIB PM_GIB

/* 8 MiB in each of the bands that devices know, and above 4 GiB. */
static const struct pm_region policy_bands[] = {
	{ 8 * MIB, 8 * MIB, 0, false },	   { 248 * MIB, 8 * MIB, 0, false },
	{ 1000 * MIB, 8 * MIB, 0, false }, { 2000 * MIB, 8 * MIB, 0, false },
	{ 4000 * MIB, 8 * MIB, 0, false }, { 5000 * MIB, 8 * MIB, 0, false },
};

static void check_reach(struct tap *t)
{
	static const unsigned int bits[] = { 32, 31, 30, 28, 24 };
	struct pz_zone_config zones = pm_pc(6 * GIB);
	struct page_machine m;
	uint64_t pfn, last = UINT64_MAX;
	bool descends = true;

	if (!CHECK(t, pm_lay_out(&m, t, policy_bands, 6, &zones)) || !pm_make(&m))
		goto out;
	for (unsigned int i = 0; i < 5; i++) {
		struct pz_limits l = pz_limits_bits(bits[i]);

		CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) && pfn << 12 <= l.max_addr &&
				 pfn < last);
		last = pfn;
		pz_free_pages(m.pages, 0, pfn, 0);
	}
	last = UINT64_MAX;
	for (unsigned int i = 0; i < 6 * 2048; i++) {
		uint64_t band;

		if (pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn))
			break;
		band = pfn >> 11;
		descends = descends && band <= last;
		last = band;
		if (i == 2047)
			CHECK_NAMED(t, descends && pm_free(&m) == 5 * 2048 && pfn >= 5000 * 256,
				    "what is above 4 GiB goes first");
	}
	CHECK_NAMED(t, descends && pm_free(&m) == 0, "then what fewer and fewer devices reach");
	/* A switch of the policy is for what follows. */
	pm_free_singles(&m, 5000 * 256, 5000 * 256 + 3);
	pm_free_singles(&m, 2048, 2051);
	pz_pages_set_policy(m.pages, PZ_POLICY_ZONELIST);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 2, NULL, &pfn) && pfn == 5000 * 256);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 2, NULL, &pfn) && pfn == 2048);
	pz_pages_set_policy(m.pages, PZ_POLICY_REACH);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* The lowest pages are for those who have no choice. */
static void check_kept(struct tap *t)
{
	struct pm_region all = { 0, 4 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct pz_limits l = pm_window(0, 63);
	struct page_machine m;
	uint64_t pfn;

	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	m.cfg.keep_pages = 64;
	if (!pm_make(&m))
		goto out;
	CHECK(t, pm_fill(&m, 0) == 1024 - 64 && pm_state(&m, 63, PZ_PAGE_FREE) &&
			 pm_state(&m, 64, PZ_PAGE_HEAD));
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 5, &l, &pfn) && pfn == 32);
	pz_free_pages(m.pages, 0, pfn, 5);
	l.max_addr = PZ_ADDR_MAX;
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 0, &l, &pfn) == -PZ_ENOMEM,
		    "whoever reaches more has had a choice");
	CHECK(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_NOKEEP, 0, NULL, &pfn) && pfn < 64);
	pz_free_pages(m.pages, 0, pfn, 0);
	CHECK(t, pm_free(&m) == 64);
out:
	pm_close(&m);
	/* Unless told otherwise, an eighth on a small machine. */
	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	m.cfg.keep_pages = 0;
	if (pm_make(&m))
		CHECK(t, pm_fill(&m, 0) == 1024 - 128 && pm_free(&m) == 128);
	pm_close(&m);
}

/* Pages that are added below the kept ones are not kept besides them. */
static void check_kept_added(struct tap *t)
{
	struct pm_region v[] = { { 0, 4 * MIB, 0, false }, { 16 * 4096, 400 * 4096, 0, true } };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct page_machine m;

	if (!CHECK(t, pm_lay_out(&m, t, v, 2, &zones)))
		return;
	m.cfg.keep_pages = 64;
	if (pm_make(&m)) {
		/* 16 at the bottom and 48 above what is reserved. */
		CHECK(t, pz_pages_add(m.pages, (struct pz_range){ 16, 415 }) == 0);
		pz_pages_set_policy(m.pages, PZ_POLICY_REACH);
		CHECK(t, pm_fill(&m, 0) == 1024 - 64 && pm_state(&m, 63, PZ_PAGE_FREE) &&
				 pm_state(&m, 64, PZ_PAGE_HEAD));
	}
	pm_close(&m);
}

struct policy_hooks {
	struct page_machine *m;
	unsigned int reclaims, ooms, lows;
	uint64_t asked;
	uint64_t give; /* page to be freed next, UINT64_MAX for none */
	bool by_oom;   /* reclaim finds nothing, the out-of-memory hook does */
	struct pz_limits limits;
	int low_nid;
	enum pz_zone_type low_type;
};

static uint64_t hook_reclaim(void *ctx, uint64_t pages, const struct pz_limits *limits)
{
	struct policy_hooks *h = ctx;

	h->reclaims++;
	h->asked = pages;
	h->limits = *limits;
	if (h->by_oom || h->give == UINT64_MAX)
		return 0;
	pz_free_pages(h->m->pages, PZ_CPU_NONE, h->give, 0);
	h->give = UINT64_MAX;
	return 1;
}

static bool hook_oom(void *ctx, uint64_t pages, const struct pz_limits *limits)
{
	struct policy_hooks *h = ctx;

	(void)pages;
	(void)limits;
	h->ooms++;
	if (h->give == UINT64_MAX)
		return false;
	pz_free_pages(h->m->pages, PZ_CPU_NONE, h->give, 0);
	h->give = UINT64_MAX;
	return true;
}

static void hook_low(void *ctx, int nid, enum pz_zone_type type)
{
	struct policy_hooks *h = ctx;

	h->lows++;
	h->low_nid = nid;
	h->low_type = type;
}

static void check_hooks(struct tap *t)
{
	struct pm_region all = { 0, 4 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct policy_hooks h = { .give = UINT64_MAX };
	struct pz_limits l = pm_window(0, 99);
	struct page_machine m;
	uint64_t pfn;

	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	h.m = &m;
	m.cfg.hooks.reclaim = hook_reclaim;
	m.cfg.hooks.oom = hook_oom;
	m.cfg.hooks.ctx = &h;
	if (!pm_make(&m))
		goto out;
	CHECK(t, pm_fill(&m, 0) == 1024 && !h.reclaims && !h.ooms);
	h.give = 7;
	CHECK_NAMED(t,
		    pz_alloc_pages(m.pages, 0, PZ_GFP_HIGH, 0, NULL, &pfn) == -PZ_ENOMEM &&
			    !h.reclaims && !h.ooms,
		    "who must not block is not made to");
	CHECK(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 0, &l, &pfn) && pfn == 7);
	CHECK(t, h.reclaims == 1 && h.ooms == 0 && h.asked >= 1);
	CHECK_NAMED(t, h.limits.min_addr == 0 && h.limits.max_addr == l.max_addr,
		    "reclaim is told where");
	h.give = 9;
	h.by_oom = true;
	CHECK(t, pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, 0, NULL, &pfn) ==
			 -PZ_ENOMEM);
	CHECK_NAMED(t, h.ooms == 0 && h.reclaims == 2, "one round of reclaim, no killing");
	CHECK(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 0, NULL, &pfn) && pfn == 9);
	CHECK(t, h.ooms == 1);
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 0, NULL, &pfn) == -PZ_ENOMEM,
		    "nothing helps, and it ends");
	CHECK(t, m.bugs.count == 0 && pm_free(&m) == 0);
	l = pm_window(5000, 6000);
	h.reclaims = h.ooms = 0;
	CHECK_NAMED(t,
		    pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK, 0, &l, &pfn) == -PZ_ERANGE &&
			    !h.reclaims && !h.ooms,
		    "nobody is bothered for what can never be");
out:
	pm_close(&m);
}

/* A zone of 1024 pages with marks 40, 60, 80. */
static bool marked(struct page_machine *m, struct tap *t, struct policy_hooks *h)
{
	struct pm_region all = { 0, 4 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct pz_zone *z;

	if (!CHECK(t, pm_lay_out(m, t, &all, 1, &zones)))
		return false;
	z = &m->z.node[0].zone[PZ_ZONE_NORMAL];
	z->min = 40;
	z->low = 60;
	z->high = 80;
	m->cfg.policy = PZ_POLICY_ZONELIST;
	m->cfg.no_grouping = true;
	m->cfg.hooks.low = hook_low;
	m->cfg.hooks.ctx = h;
	h->m = m;
	return pm_make(m);
}

static void check_marks(struct tap *t)
{
	struct policy_hooks h = { .give = UINT64_MAX, .low_nid = -1 };
	struct page_machine m;
	uint64_t pfn, n = 0;

	if (!marked(&m, t, &h))
		goto out;
	while (pm_free(&m) > 61 && !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn))
		n++;
	CHECK(t, n == 1024 - 61 && h.lows == 0);
	CHECK(t, pm_fill(&m, 0) == 61 - 40);
	CHECK_NAMED(t, h.lows > 0 && h.low_nid == 0 && h.low_type == PZ_ZONE_NORMAL,
		    "below the low mark background reclaim is woken");
	CHECK_NAMED(t, pm_free(&m) == 40, "an ordinary request stops at the min mark");
	CHECK(t, pm_fill(&m, PZ_GFP_BLOCK) == 0);
	n = pm_fill(&m, PZ_GFP_HIGH | PZ_GFP_BLOCK);
	CHECK_NAMED(t, n == 20, "half of it is for those in need");
	pm_fill(&m, PZ_GFP_HIGH);
	CHECK_NAMED(t, pm_free(&m) <= 20 && pm_free(&m) >= 15,
		    "and in an atomic context at most three eighths are left");
	n = pm_free(&m);
	CHECK_NAMED(t, pm_fill(&m, PZ_GFP_MEMALLOC) == n && pm_free(&m) == 0,
		    "who frees memory may have all of it");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

/* Whatever another CPU frees at higher addresses is used before all of the lowest zone. */
static void check_reach_again(struct tap *t)
{
	struct pm_region all = { 0, 64 * MIB, 0, false };
	struct pz_zone_config zones = pm_pc(64 * MIB);
	uint64_t pfn = 0, low = 0;
	struct page_machine m;

	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	m.cfg.cpus = 2;
	if (!pm_make(&m))
		goto out;
	for (unsigned int i = 0; i < 12 * 1024 + 8; i++) {
		if (pz_alloc_pages(m.pages, 0, PZ_GFP_MOVABLE, 0, NULL, &pfn))
			break;
	}
	CHECK(t, pfn < 4096);
	for (uint64_t at = 4096; at < 16384; at++)
		pz_free_pages(m.pages, 1, at, 0);
	while (!pz_alloc_pages(m.pages, 0, PZ_GFP_MOVABLE, 0, NULL, &pfn) && pfn < 4096)
		low++;
	CHECK_NAMED(t, low <= 1024, "a CPU looks at higher addresses again after a while");
out:
	pm_close(&m);
}

/* Whatever the mobility of its pageblocks is said to be, ZONE_MOVABLE is for movable pages. */
static void check_movable_zone(struct tap *t)
{
	struct pm_region all = { 0, 64 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(64 * MIB);
	struct page_machine m;
	uint64_t pfn = 0;
	bool right = true;

	zones.kernelcore.kind = PZ_CORE_PAGES;
	zones.kernelcore.value = 8192;
	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	if (!pm_make(&m))
		goto out;
	CHECK(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_MOVABLE, 0, NULL, &pfn) && pfn >= 8192);
	CHECK(t, !pz_page_set_mobility(m.pages, pfn, PZ_UNMOVABLE));
	pz_free_pages(m.pages, 0, pfn, 0);
	for (unsigned int i = 0; i < 64; i++)
		right = right && !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn) && pfn < 8192;
	CHECK_NAMED(t, right, "unmovable pages lie outside ZONE_MOVABLE");
out:
	pm_close(&m);
}

/* A lowmem reserve depends on the zone that a request could have used. */
static void check_reserves(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 15 * MIB, 2 * MIB, 0, false },
	};
	struct pz_zone_config zones = pm_pc(17 * MIB);
	struct pz_page_req req;
	struct page_machine m;
	uint64_t pfn, n;

	if (!CHECK(t, pm_lay_out(&m, t, v, 1, &zones)))
		return;
	m.z.node[0].zone[PZ_ZONE_DMA].reserve[PZ_ZONE_DMA32] = 100;
	m.z.node[0].zone[PZ_ZONE_DMA].min = m.z.node[0].zone[PZ_ZONE_DMA].low = 10;
	m.cfg.policy = PZ_POLICY_ZONELIST;
	m.cfg.no_grouping = true;
	if (!pm_make(&m))
		goto out;
	pz_page_req_init(m.pages, &req, 0, 0, 0);
	req.highest = PZ_ZONE_DMA32;
	for (n = 0; !pz_page_request(m.pages, &req, &pfn); n++) {
		if (n == 255)
			CHECK_NAMED(t, pz_page_free_count(m.pages, 0) == 256,
				    "the higher zone is used up first");
	}
	CHECK_NAMED(t, n == 256 + 256 - 110 && pz_page_free_count(m.pages, 0) == 110,
		    "mark and reserve stay");
	req.highest = PZ_ZONE_DMA;
	for (n = 0; !pz_page_request(m.pages, &req, &pfn); n++)
		;
	CHECK_NAMED(t, n == 100, "a request for the zone itself sees no reserve");
	req.gfp = PZ_GFP_MEMALLOC;
	for (n = 0; !pz_page_request(m.pages, &req, &pfn); n++)
		;
	CHECK(t, n == 10 && pm_free(&m) == 0);
out:
	pm_close(&m);
}

static unsigned int far_nodes(void *ctx, int from, int to)
{
	static const unsigned int distance[3][3] = { { 10, 40, 20 },
						     { 40, 10, 30 },
						     { 20, 30, 10 } };

	(void)ctx;
	return distance[from][to];
}

static void check_nodes(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0, MIB, 0, false },
		{ MIB, MIB, 1, false },
		{ 2 * MIB, MIB, 2, false },
	};
	static const int32_t cpu_nid[] = { 1, 2 };
	struct pz_zone_config zones = pm_flat(3 * MIB);
	struct pz_page_req req;
	struct page_machine m;
	uint64_t pfn;

	if (!CHECK(t, pm_lay_out(&m, t, v, 3, &zones)))
		return;
	m.cfg.cpus = 2;
	m.cfg.cpu_nid = cpu_nid;
	m.cfg.distance = far_nodes;
	if (!pm_make(&m))
		goto out;
	CHECK(t, pz_page_areas(m.pages) == 3);
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 8, NULL, &pfn) && pfn == 256,
		    "the node of the CPU");
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 8, NULL, &pfn) && pfn == 512,
		    "then the nearest");
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 8, NULL, &pfn) && pfn == 0, "then the next");
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 8, NULL, &pfn) == -PZ_ENOMEM);
	pz_free_pages(m.pages, 1, 0, 8);
	pz_page_req_init(m.pages, &req, 0, PZ_GFP_THISNODE, 0);
	req.nid = 2;
	CHECK_NAMED(t, pz_page_request(m.pages, &req, &pfn) == -PZ_ENOMEM, "this node or none");
	req.nid = 0;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn < 256);
	req.gfp = 0;
	req.nid = 2;
	CHECK(t, !pz_page_request(m.pages, &req, &pfn) && pfn < 256);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

static void check_hold(struct tap *t)
{
	struct pm_region all = { 0, 4 * MIB, 0, false };
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct pz_area_stat s;
	struct page_machine m;
	uint64_t pfn[32], one, held;

	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	m.cfg.cpus = 2;
	m.cfg.pcp_hold = true;
	m.cfg.pcp_batch = 8;
	m.cfg.pcp_high = 64;
	if (!pm_make(&m))
		goto out;
	CHECK(t, pz_alloc_bulk(m.pages, 0, 0, NULL, 32, pfn) == 32);
	for (unsigned int i = 0; i < 32; i++)
		pz_free_pages(m.pages, 0, pfn[i], 0);
	pz_page_area_stat(m.pages, 0, 0, &s);
	CHECK_NAMED(t, s.held > 0 && s.free + s.held == 1024, "freed pages stay with the CPU");
	held = s.held;
	CHECK(t, pm_free(&m) == 1024 - held);
	CHECK(t, pm_state(&m, pfn[31], PZ_PAGE_HELD) || pm_state(&m, pfn[31], PZ_PAGE_FREE));
	pz_free_pages(m.pages, 0, pfn[31], 0);
	CHECK_NAMED(t, m.bugs.count == 1, "what is held is free: freeing it again is told");
	CHECK(t, pz_page_drain(m.pages, 0) == held && pm_free(&m) == 1024);
	CHECK(t, pz_page_drain(m.pages, PZ_CPU_NONE) == 0);
	CHECK(t, !pz_alloc_pages(m.pages, 1, 0, 0, NULL, &one));
	pz_free_pages(m.pages, 1, one, 0);
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 10, NULL, &one) && one == 0,
		    "whoever finds nothing else has the caches emptied");
	pz_free_pages(m.pages, 0, one, 10);
out:
	pm_close(&m);
}

static void check_add(struct tap *t)
{
	static const struct pm_region v[] = {
		{ 0, 4 * MIB, 0, false },
		{ MIB, MIB, 0, true },
	};
	struct pz_zone_config zones = pm_flat(4 * MIB);
	struct page_machine m;
	struct pz_range r;
	uint64_t pfn;

	if (!CHECK(t, pm_lay_out(&m, t, v, 2, &zones)) || !pm_make(&m))
		goto out;
	CHECK(t, pm_free(&m) == 768);
	r = (struct pz_range){ 1024, 1024 };
	CHECK(t, pz_pages_add(m.pages, r) == -PZ_EINVAL);
	r = (struct pz_range){ 255, 300 };
	CHECK(t, pz_pages_add(m.pages, r) == -PZ_EEXIST);
	r = (struct pz_range){ 500, 512 };
	CHECK(t, pz_pages_add(m.pages, r) == -PZ_EEXIST);
	r = (struct pz_range){ 1u << 30, (1u << 30) + 5 };
	CHECK(t, pz_pages_add(m.pages, r) == -PZ_EINVAL);
	CHECK_NAMED(t, pm_free(&m) == 768 && pm_state(&m, 256, PZ_PAGE_NONE), "nothing changed");
	r = (struct pz_range){ 256, 299 };
	CHECK(t, !pz_pages_add(m.pages, r) && pm_free(&m) == 812);
	CHECK(t, pz_pages_add(m.pages, r) == -PZ_EEXIST);
	r = (struct pz_range){ 300, 511 };
	CHECK(t, !pz_pages_add(m.pages, r) && pm_free(&m) == 1024);
	CHECK_NAMED(t, !pz_alloc_pages(m.pages, 0, 0, 10, NULL, &pfn) && pfn == 0,
		    "added pages join their neighbours");
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

#define MEMORY_PAGES 64u

struct memory {
	unsigned char byte[MEMORY_PAGES]; /* stands for the content of a page */
	bool mapped[MEMORY_PAGES];
	uint64_t site;
	bool outside;
};

static void memory_fill(void *ctx, uint64_t pfn, uint64_t pages, unsigned char byte)
{
	struct memory *mem = ctx;

	for (uint64_t i = pfn; i < pfn + pages; i++) {
		if (i < MEMORY_PAGES)
			mem->byte[i] = byte;
		else
			mem->outside = true;
	}
}

static bool memory_filled(void *ctx, uint64_t pfn, uint64_t pages, unsigned char byte,
			  uint64_t *bad)
{
	struct memory *mem = ctx;

	for (uint64_t i = pfn; i < pfn + pages && i < MEMORY_PAGES; i++) {
		if (mem->byte[i] != byte) {
			*bad = i;
			return false;
		}
	}
	return true;
}

static void memory_map(void *ctx, uint64_t pfn, uint64_t pages, bool present)
{
	struct memory *mem = ctx;

	for (uint64_t i = pfn; i < pfn + pages; i++) {
		if (i < MEMORY_PAGES)
			mem->mapped[i] = present;
		else
			mem->outside = true;
	}
}

static uint64_t memory_site(void *ctx)
{
	return ((struct memory *)ctx)->site;
}

static bool debugged(struct page_machine *m, struct tap *t, struct memory *mem, uint32_t debug)
{
	struct pm_region all = { 0, MEMORY_PAGES << 12, 0, false };
	struct pz_zone_config zones = pm_flat(MEMORY_PAGES << 12);

	for (uint32_t i = 0; i < MEMORY_PAGES; i++) {
		mem->byte[i] = 0x11;
		mem->mapped[i] = true;
	}
	mem->outside = false;
	mem->site = 1;
	if (!CHECK(t, pm_lay_out(m, t, &all, 1, &zones)))
		return false;
	m->cfg.debug = debug;
	m->cfg.hooks.fill = memory_fill;
	m->cfg.hooks.filled = memory_filled;
	m->cfg.hooks.map = memory_map;
	m->cfg.hooks.site = memory_site;
	m->cfg.hooks.ctx = mem;
	return pm_make(m);
}

static void check_debug(struct tap *t)
{
	struct page_machine m;
	struct pz_page_info f;
	struct pz_page_cost cost;
	struct memory mem;
	uint64_t pfn, other;
	bool good = true;

	if (debugged(&m, t, &mem, 0)) {
		CHECK(t, !pz_alloc_pages(m.pages, 0, PZ_GFP_ZERO, 2, NULL, &pfn));
		for (uint64_t i = 0; i < MEMORY_PAGES; i++)
			good = good && mem.byte[i] == (i >= pfn && i < pfn + 4 ? 0 : 0x11);
		CHECK_NAMED(t, good, "zeroes are written to the pages that are given, to no other");
		pz_page_info(m.pages, pfn, &f);
		CHECK(t, f.alloc_site == 0 && f.free_site == 0);
	}
	pm_close(&m);

	if (debugged(&m, t, &mem, PZ_PAGE_DEBUG_SITES)) {
		mem.site = 77;
		CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn));
		mem.site = 78;
		pz_page_info(m.pages, pfn, &f);
		CHECK(t, f.alloc_site == 77);
		pz_free_pages(m.pages, 0, pfn, 0);
		mem.site = 79;
		pz_page_info(m.pages, pfn, &f);
		CHECK_NAMED(t, f.alloc_site == 77 && f.free_site == 78,
			    "both sites of a page that was freed are known");
		pz_page_cost(m.pages, &cost);
		CHECK(t, cost.debug_bytes >= 16 * MEMORY_PAGES);
	}
	pm_close(&m);

	if (debugged(&m, t, &mem, PZ_PAGE_DEBUG_POISON)) {
		CHECK(t, pm_fill(&m, 0) == MEMORY_PAGES);
		CHECK_NAMED(t, m.bugs.count == 0, "fresh memory is poisoned too");
		mem.byte[5] = mem.byte[6] = 0x11;
		pz_free_pages(m.pages, 0, 5, 0);
		pz_free_pages(m.pages, 0, 6, 0);
		CHECK_NAMED(t, mem.byte[5] == 0xaa && mem.byte[6] == 0xaa,
			    "free pages are poisoned");
		CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn) && m.bugs.count == 0);
		mem.byte[pfn == 5 ? 6 : 5] = 0;
		CHECK_NAMED(t, (pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn), m.bugs.count == 1),
			    "a write to a free page is told when the page is given out");
	}
	pm_close(&m);

	if (debugged(&m, t, &mem, PZ_PAGE_DEBUG_GUARD)) {
		CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn));
		CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &other));
		CHECK_NAMED(t, pfn + 1 < MEMORY_PAGES && mem.mapped[pfn] && !mem.mapped[pfn + 1],
			    "behind a page lies one that is not mapped");
		CHECK(t, mem.mapped[other] && !mem.mapped[other + 1] && other != pfn + 1);
		pz_free_pages(m.pages, 0, pfn, 0);
		pz_free_pages(m.pages, 0, other, 0);
		CHECK_NAMED(t, pm_free(&m) == MEMORY_PAGES && !mem.mapped[pfn],
			    "what is free is not mapped either");
		CHECK(t, m.bugs.count == 0);
	}
	pm_close(&m);
	CHECK_NAMED(t, !mem.outside, "no hook is called for what is no memory");
}

#define POINTS 32u

/* Each fault point alone, for the n-th time and from then on: an error that is promised. */
static void check_faults(struct tap *t)
{
	struct pm_region all = { 0, MIB, 0, false };
	struct pz_zone_config zones = pm_flat(MIB);
	struct pz_fault_point store[POINTS];
	struct pz_faults faults;
	struct page_machine m;
	bool named = true, right = true, same = true;
	uint64_t hits = 0;

	pz_faults_init(&faults, store, POINTS);
	if (!CHECK(t, pm_lay_out(&m, t, &all, 1, &zones)))
		return;
	m.cfg.faults = &faults;
	if (!pm_make(&m))
		goto out;
	CHECK_NAMED(t, faults.count > 0, "there are points that can fail");
	for (uint32_t k = 0; k < faults.count; k++) {
		const char *want = "page.", *is = faults.v[k].name;

		while (*want && *want == *is)
			want++, is++;
		named = named && !*want;
	}
	CHECK_NAMED(t, named, "their names begin with page.");
	for (uint32_t k = 0; k < faults.count * 8; k++) {
		uint64_t pfn[3];
		int rc[3];

		pz_fault_arm(&faults, k / 8, 1 + (k & 3), k & 4 ? UINT64_MAX : 1);
		rc[0] = pz_alloc_pages(m.pages, 0, 0, 0, NULL, &pfn[0]);
		rc[1] = pz_alloc_pages(m.pages, 0, PZ_GFP_MOVABLE, 4, NULL, &pfn[1]);
		rc[2] = pz_alloc_pages_exact(m.pages, PZ_CPU_NONE, 0, 3 * 4096, NULL, &pfn[2]);
		if (!rc[0])
			pz_free_pages(m.pages, 0, pfn[0], 0);
		if (!rc[1])
			pz_free_pages(m.pages, 0, pfn[1], 4);
		if (!rc[2])
			pz_free_exact(m.pages, 0, pfn[2], 3);
		pz_fault_arm(&faults, k / 8, 0, 0);
		for (unsigned int i = 0; i < 3; i++)
			right = right && (rc[i] == 0 || rc[i] == -PZ_ENOMEM);
		same = same && pm_free(&m) == 256 && !pz_pages_check(m.pages);
		hits = faults.hits;
	}
	CHECK_NAMED(t, right, "a failure is -PZ_ENOMEM");
	CHECK_NAMED(t, same && m.bugs.count == 0, "and leaves all as it was");
	CHECK_NAMED(t, hits > 0 && !pz_faults_check(&faults), "points were passed");
out:
	pm_close(&m);
}

void contract_page_policy(struct tap *t)
{
	check_reach(t);
	check_reach_again(t);
	check_movable_zone(t);
	check_kept(t);
	check_kept_added(t);
	check_hooks(t);
	check_marks(t);
	check_reserves(t);
	check_nodes(t);
	check_hold(t);
	check_add(t);
	check_debug(t);
	check_faults(t);
}
