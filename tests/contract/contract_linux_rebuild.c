/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_rebuild.c - reported zones rebuilt: what they have then, what requests get, and
 * what cannot be rebuilt.
 */
#include <physzone/linux/rebuild.h>

#include "suites_decl.h"
#include "tap.h"

#define KERNEL_DMA (PZL_GFP_KERNEL | PZL_GFP_DMA)
#define ATOMIC 0xa20u
#define PC                                                                                        \
	(1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE | \
	 1u << PZ_ZONE_DEVICE)

/* Zones, and what is made of them; too large for a stack. */
struct rebuild_case {
	struct pzl_rebuild_config c;
	struct pzl_rebuild_zone zone[3];
	struct pzl_rebuild_error e;
	struct pzl_rebuilt r;
	struct pzl_rebuild_try out;
	struct pz_area_stat stat;
};

static struct pzl_rebuild_zone *rebuild_zone(struct rebuild_case *k, enum pz_zone_type type,
					     uint64_t present, uint64_t managed, uint64_t min)
{
	struct pzl_rebuild_zone *z = &k->zone[k->c.zones++];

	*z = (struct pzl_rebuild_zone){ .type = (uint8_t)type, .present = present };
	z->managed = managed;
	z->min = min;
	z->low = min + min / 4;
	z->high = min + min / 2;
	z->free_cma = z->highatomic = PZL_PAGES_UNKNOWN;
	z->orders = 11;
	return z;
}

static void rebuild_free(struct pzl_rebuild_zone *z, unsigned int order, uint64_t n,
			 unsigned int types)
{
	z->blocks[order] = n;
	z->types[order] = (uint8_t)types;
}

static struct rebuild_case *rebuild_begin(struct tap *t, struct rebuild_case *k)
{
	*k = (struct rebuild_case){ .c = { .page_shift = 12 } };
	k->c.meta = t->meta;
	k->c.model = PZL_LINUX_6_1;
	k->c.pageblock_order = 9;
	k->c.configured = PC;
	k->c.zone = k->zone;
	return k;
}

static int rebuild_ask(struct rebuild_case *k, uint32_t gfp, unsigned int order)
{
	int rc = pzl_rebuild_request(&k->r, gfp, order, &k->out);

	return rc ? rc : k->out.rc;
}

#define U (1u << PZ_UNMOVABLE)
#define M (1u << PZ_MOVABLE)
#define E (1u << PZ_RECLAIMABLE)
#define H (1u << PZ_HIGHATOMIC)
#define C (1u << PZ_CMA)

/* The first recorded failure of an order: 32 blocks of one page each would do, and none does. */
static void rebuild_recorded(struct tap *t, struct rebuild_case *k)
{
	struct pzl_rebuild_zone *z = rebuild_zone(rebuild_begin(t, k), PZ_ZONE_DMA, 3998, 3840, 86);
	struct pzl_zone_judgement j = { .verdict = PZL_ZONE_MARK };

	rebuild_free(z, 5, 1, U);
	rebuild_free(z, 6, 1, U);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	pz_page_area_stat(k->r.pages, 0, 10, &k->stat);
	CHECK(t, k->stat.managed == 3840 && k->stat.free == 96);
	CHECK(t, k->stat.order[5][PZ_UNMOVABLE] == 1 && k->stat.order[6][PZ_UNMOVABLE] == 1);
	CHECK(t, !pz_pages_check(k->r.pages) && !pz_zones_check(&k->r.z));
	CHECK(t, rebuild_ask(k, KERNEL_DMA, 5) == -PZ_ENOMEM);
	CHECK(t, k->out.report.area[0].verdict == PZ_V_WATERMARK && k->out.zone == k->r.zones);
	CHECK(t, pzl_rebuild_alike(&j, k->out.report.area[0].verdict));
	CHECK(t, rebuild_ask(k, PZL_GFP_KERNEL, 11) == -PZ_EINVAL);
	CHECK(t, pzl_rebuild_free(&k->r, 0, 22) == 22);
	CHECK_NAMED(t, rebuild_ask(k, KERNEL_DMA, 5) == 0 && k->out.zone == 0,
		    "with as many pages as were lacking");
	pzl_rebuild_destroy(&k->r);
	pzl_rebuild_destroy(&k->r);
}

/* A PC's DMA zone that nobody uses: all of it free, in pageblocks that are not whole, too. */
static void rebuild_edges(struct tap *t, struct rebuild_case *k)
{
	static const struct pz_range pc[] = { { 1, 158 }, { 256, 4095 } };
	struct pzl_rebuild_zone *z = rebuild_zone(rebuild_begin(t, k), PZ_ZONE_DMA, 3998, 3840, 7);

	rebuild_free(z, 8, 1, U);
	rebuild_free(z, 9, 1, M);
	rebuild_free(z, 10, 3, M);
	for (unsigned int placed = 0; placed < 2; placed++) {
		z->pfns = placed ? pc : NULL;
		z->pfns_count = placed ? 2 : 0;
		CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
		pz_page_area_stat(k->r.pages, 0, 10, &k->stat);
		CHECK(t, k->stat.free == 3840 && k->stat.order[8][PZ_UNMOVABLE] == 1 &&
				 k->stat.order[9][PZ_MOVABLE] == 1 &&
				 k->stat.order[10][PZ_MOVABLE] == 3);
		CHECK(t, !pz_pages_check(k->r.pages));
		CHECK(t, rebuild_ask(k, KERNEL_DMA, 10) == 0);
		pzl_rebuild_destroy(&k->r);
	}
}

static void rebuild_unmanaged(struct tap *t, struct rebuild_case *k)
{
	struct pzl_rebuild_zone *z;

	rebuild_zone(rebuild_begin(t, k), PZ_ZONE_DMA, 159, 0, 0);
	z = rebuild_zone(k, PZ_ZONE_DMA32, 60000, 50000, 400);
	rebuild_free(z, 10, 20, M);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, rebuild_ask(k, KERNEL_DMA, 5) == -PZ_ERANGE);
	CHECK(t, k->out.report.areas == 2 && k->out.report.area[1].type == PZ_ZONE_DMA &&
			 k->out.report.area[1].verdict == PZ_V_UNMANAGED);
	CHECK(t, rebuild_ask(k, PZL_GFP_KERNEL, 5) == 0 && k->out.zone == 1);
	pzl_rebuild_destroy(&k->r);
}

/* Each mobility where it belongs, and who may have it. */
static void rebuild_mobilities(struct tap *t, struct rebuild_case *k)
{
	struct pzl_rebuild_zone *z =
		rebuild_zone(rebuild_begin(t, k), PZ_ZONE_NORMAL, 40960, 40000, 10);
	struct pzl_meminfo m;

	z->free_cma = 3 * 16;
	z->highatomic = 1024;
	rebuild_free(z, 0, 9, U | M | E);
	rebuild_free(z, 1, 3, U);
	rebuild_free(z, 4, 6, H | C);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	pz_page_area_stat(k->r.pages, 0, 10, &k->stat);
	CHECK(t, k->stat.order[0][PZ_UNMOVABLE] == 1 && k->stat.order[0][PZ_MOVABLE] == 7 &&
			 k->stat.order[0][PZ_RECLAIMABLE] == 1);
	CHECK(t, k->stat.order[1][PZ_UNMOVABLE] == 3);
	CHECK(t, k->stat.order[4][PZ_HIGHATOMIC] == 3 && k->stat.order[4][PZ_CMA] == 3);
	CHECK(t, k->stat.free_cma == 48 && k->stat.highatomic == 1024);
	CHECK(t, !pz_pages_check(k->r.pages));
	CHECK(t, !pzl_rebuild_meminfo(&k->r, &m));
	CHECK(t, m.node[0].zone[PZ_ZONE_NORMAL].stat[PZL_ZS_FREE_CMA] == 48 &&
			 m.node[0].zone[PZ_ZONE_NORMAL].reserved_highatomic == 1024);
	pzl_meminfo_destroy(&m);
	CHECK(t, rebuild_ask(k, PZL_GFP_KERNEL, 2) == -PZ_ENOMEM);
	CHECK_NAMED(t, rebuild_ask(k, PZL_GFP_KERNEL, 2) == -PZ_ENOMEM,
		    "what is set aside is not given back");
	pzl_rebuild_destroy(&k->r);
	/* atomic requests may, and movable ones */
	z->min = 0;
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, rebuild_ask(k, ATOMIC, 4) == 0);
	CHECK(t, rebuild_ask(k, PZL_GFP_KERNEL | PZL_GFP_MOVABLE, 4) == 0);
	pzl_rebuild_destroy(&k->r);
}

/* The lowmem reserve, a boost that a single atomic page forgoes, and a second node. */
static void rebuild_marks(struct tap *t, struct rebuild_case *k)
{
	struct pzl_rebuild_zone *z = rebuild_zone(rebuild_begin(t, k), PZ_ZONE_DMA, 3998, 3840, 64);

	z->reserve[PZ_ZONE_DMA32] = 2938;
	rebuild_free(z, 10, 2, M);
	rebuild_free(z, 9, 1, M);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, rebuild_ask(k, ATOMIC | PZL_GFP_DMA32, 0) == -PZ_ENOMEM &&
			 k->out.report.area[0].verdict == PZ_V_RESERVE);
	CHECK(t, rebuild_ask(k, KERNEL_DMA, 9) == 0);
	pzl_rebuild_no_reserve(&k->r, 0);
	CHECK(t, rebuild_ask(k, ATOMIC | PZL_GFP_DMA32, 0) == 0);
	pzl_rebuild_destroy(&k->r);

	z = rebuild_zone(rebuild_begin(t, k), PZ_ZONE_NORMAL, 20000, 20000, 200);
	z->boost = 150;
	rebuild_free(z, 0, 60, U);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, rebuild_ask(k, PZL_GFP_KERNEL, 0) == -PZ_ENOMEM);
	CHECK(t, rebuild_ask(k, ATOMIC, 0) == 0);
	pzl_rebuild_destroy(&k->r);
	/* without __GFP_NOMEMALLOC a quarter more may be used */
	z->boost = 0;
	z->min = 140;
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, rebuild_ask(k, ATOMIC | PZL_GFP_NOMEMALLOC, 0) == -PZ_ENOMEM);
	CHECK(t, rebuild_ask(k, ATOMIC, 0) == 0);
	pzl_rebuild_destroy(&k->r);

	z = rebuild_zone(k, PZ_ZONE_NORMAL, 30000, 30000, 10);
	z->nid = 1;
	rebuild_free(z, 3, 40, E);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, rebuild_ask(k, PZL_GFP_KERNEL, 3) == 0 && k->out.zone == 1);
	pzl_rebuild_destroy(&k->r);
}

static bool rebuild_bad(struct rebuild_case *k, enum pzl_rebuild_bad bad, uint32_t zone)
{
	return pzl_rebuild(&k->r, &k->c, &k->e) == -PZ_EINVAL && k->e.bad == bad &&
	       k->e.zone == zone && !k->r.pages;
}

/* One thing wrong each time. */
static void rebuild_refused(struct tap *t, struct rebuild_case *k)
{
	const struct pz_range twice[] = { { 10, 100 }, { 50, 3956 } };
	struct pzl_rebuild_zone *z = rebuild_zone(rebuild_begin(t, k), PZ_ZONE_DMA, 3998, 3840, 64);
	struct pzl_rebuild_zone good;

	rebuild_free(z, 3, 4, M);
	good = *z;
	z->managed = 3999;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_COUNTS, 0));
	z->managed = PZL_PAGES_UNKNOWN;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_COUNTS, 0));
	*z = good;
	z->low = 63;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_MARKS, 0));
	*z = good;
	z->reserve[PZ_ZONE_NORMAL] = PZL_PAGES_UNKNOWN;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_MARKS, 0));
	*z = good;
	z->orders = 0;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_NO_BLOCKS, 0));
	z->orders = 5;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_ORDERS, 0));
	z->orders = 20;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_ORDERS, 0));
	*z = good;
	rebuild_free(z, 3, 1, U | M);
	CHECK(t, rebuild_bad(k, PZL_REBUILD_LETTERS, 0));
	rebuild_free(z, 3, 2, 1u << PZ_ISOLATE);
	CHECK(t, rebuild_bad(k, PZL_REBUILD_LETTERS, 0));
	rebuild_free(z, 3, 481, M);
	CHECK(t, rebuild_bad(k, PZL_REBUILD_MORE_FREE, 0));
	rebuild_free(z, 3, UINT64_MAX, M);
	CHECK(t, rebuild_bad(k, PZL_REBUILD_MORE_FREE, 0));
	rebuild_free(z, 3, 480, M);
	CHECK_NAMED(t, rebuild_bad(k, PZL_REBUILD_NO_ROOM, 0), "they would merge");
	*z = good;
	z->present = PZL_REBUILD_PAGES + 1;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_TOO_LARGE, 0));
	*z = good;
	z->pfns = twice;
	z->pfns_count = 2;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_TWICE, 0));
	*z = good;
	rebuild_zone(k, PZ_ZONE_DMA, 100, 100, 0);
	CHECK(t, rebuild_bad(k, PZL_REBUILD_TWICE, 1));
	k->c.zones = 0;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_NO_ZONE, 0));
	k->c.zones = 1;
	k->c.page_shift = 11;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_PAGE_SIZE, 1));
	k->c.page_shift = 12;
	k->c.pageblock_order = 4;
	CHECK(t, rebuild_bad(k, PZL_REBUILD_FINE, 1));
	for (int b = 0; b < PZL_REBUILD_BADS; b++)
		CHECK(t, pzl_rebuild_expected((enum pzl_rebuild_bad)b)[0] != '?');
	CHECK(t, pzl_rebuild_expected(PZL_REBUILD_BADS)[0] == '?');
}

/* The mobility of a pageblock, said from outside. */
static void rebuild_set_mobility(struct tap *t, struct rebuild_case *k)
{
	struct pzl_rebuild_zone *z = rebuild_zone(rebuild_begin(t, k), PZ_ZONE_DMA, 4000, 4000, 0);
	struct pz_page_info info;

	rebuild_free(z, 3, 4, M);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, !pz_page_set_mobility(k->r.pages, 513, PZ_RECLAIMABLE));
	pz_page_info(k->r.pages, 1023, &info);
	CHECK(t, info.mobility == PZ_RECLAIMABLE);
	CHECK(t, !pz_page_set_mobility(k->r.pages, 512, PZ_HIGHATOMIC));
	CHECK(t, !pz_page_set_mobility(k->r.pages, 512, PZ_HIGHATOMIC));
	pz_page_area_stat(k->r.pages, 0, 10, &k->stat);
	CHECK(t, k->stat.highatomic == 512 && k->stat.blocks[PZ_HIGHATOMIC] == 1);
	CHECK(t, !pz_page_set_mobility(k->r.pages, 700, PZ_UNMOVABLE));
	pz_page_area_stat(k->r.pages, 0, 10, &k->stat);
	CHECK(t, k->stat.highatomic == 0 && k->stat.blocks[PZ_UNMOVABLE] == 1);
	CHECK(t, pz_page_set_mobility(k->r.pages, 512, PZ_CMA) == -PZ_EINVAL);
	CHECK(t, pz_page_set_mobility(k->r.pages, 1u << 20, PZ_MOVABLE) == -PZ_EINVAL);
	CHECK_NAMED(t, pz_page_set_mobility(k->r.pages, 3999, PZ_HIGHATOMIC) == -PZ_EINVAL,
		    "the last pageblock is not whole");
	CHECK(t, !pz_pages_check(k->r.pages));
	pzl_rebuild_destroy(&k->r);
	k->c.no_grouping = true;
	rebuild_free(z, 3, 4, U);
	CHECK(t, !pzl_rebuild(&k->r, &k->c, &k->e));
	CHECK(t, pz_page_set_mobility(k->r.pages, 512, PZ_MOVABLE) == -PZ_EINVAL);
	pzl_rebuild_destroy(&k->r);
}

void contract_linux_rebuild(struct tap *t)
{
	struct rebuild_case *k = t->meta->alloc(t->meta->ctx, sizeof(*k));

	if (!CHECK_NAMED(t, k, "room for a case"))
		return;
	rebuild_recorded(t, k);
	rebuild_edges(t, k);
	rebuild_unmanaged(t, k);
	rebuild_mobilities(t, k);
	rebuild_marks(t, k);
	rebuild_refused(t, k);
	rebuild_set_mobility(t, k);
	t->meta->free(t->meta->ctx, k, sizeof(*k));
}
