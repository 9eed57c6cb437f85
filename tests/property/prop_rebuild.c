/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_rebuild.c - a zone with pages taken at random, counted as a report does; rebuilt from the
 * counts it has the same ones, and answers requests as the rules say of the counts.
 */
#include <physzone/linux/rebuild.h>

#include <stdio.h>
#include <string.h>

#include "hook.h"
#include "prop.h"

#define ROUNDS 1500u
#define PAGES 2048u
#define ORDERS 8u
#define BLOCK 5u
#define MOST_RANGES 4u

/* A zone page by page. */
struct drawn {
	bool present[PAGES], free[PAGES];
	uint8_t type[PAGES >> BLOCK];
	struct pz_range range[MOST_RANGES];
	struct pzl_rebuild_zone zone;
	bool placed;
};

static unsigned int rebuilt, no_room;

/* Not CMA and set aside in one zone: how many blocks of an order each has is not told then. */
static unsigned int draw_type(struct prop *p, enum pz_mobility special)
{
	static const uint8_t types[] = { PZ_MOVABLE, PZ_UNMOVABLE, PZ_RECLAIMABLE, PZ_MOVABLE };
	unsigned int i = prop_choice(p, 6);

	return i < 4 ? types[i] : special;
}

/* Ranges of memory; special pageblocks lie wholly in one. */
static void draw_memory(struct prop *p, struct drawn *d)
{
	uint64_t at = prop_choice(p, 2) ? prop_draw(p, 40) : 0;
	unsigned int n = 1 + prop_choice(p, MOST_RANGES);

	for (unsigned int i = 0; i < n && at + 40 < PAGES; i++) {
		uint64_t size = prop_between(p, 1, (PAGES - at) / (n - i));

		d->range[d->zone.pfns_count++] = (struct pz_range){ at, at + size - 1 };
		for (uint64_t pfn = at; pfn < at + size; pfn++)
			d->present[pfn] = true;
		d->zone.present += size;
		at += size + (prop_choice(p, 2) ? prop_draw(p, 70) : 64) + 1;
	}
}

static bool draw_whole(const struct drawn *d, unsigned int block)
{
	for (unsigned int i = 0; i < 1u << BLOCK; i++)
		if (!d->present[(block << BLOCK) + i])
			return false;
	return true;
}

static void draw_use(struct prop *p, struct drawn *d)
{
	static const enum pz_mobility specials[] = { PZ_MOVABLE, PZ_HIGHATOMIC, PZ_CMA };
	enum pz_mobility special = specials[prop_choice(p, 3)];
	unsigned int dense = prop_choice(p, 12);

	for (unsigned int b = 0; b < PAGES >> BLOCK; b++) {
		unsigned int kind = prop_choice(p, 4);
		bool whole = draw_whole(d, b);

		d->type[b] = whole ? (uint8_t)draw_type(p, special) : PZ_MOVABLE;
		for (unsigned int i = 0; i < 1u << BLOCK; i++) {
			unsigned int pfn = (b << BLOCK) + i;
			bool take = kind == 0	? false
				    : kind == 1 ? true
						: prop_choice(p, 12) >= dense;

			d->free[pfn] = d->present[pfn] && !take && dense < 11;
		}
	}
}

/* The blocks of a buddy allocator: the largest aligned ones that are free, and of one kind. */
static void draw_count(struct drawn *d)
{
	struct pzl_rebuild_zone *z = &d->zone;

	z->orders = ORDERS;
	for (unsigned int pfn = 0; pfn < PAGES;) {
		unsigned int order = 0;

		if (!d->free[pfn]) {
			pfn++;
			continue;
		}
		while (order + 1 < ORDERS && !(pfn & ((2u << order) - 1))) {
			unsigned int size = 2u << order, type = d->type[pfn >> BLOCK];
			bool all = pfn + size <= PAGES;

			for (unsigned int i = 0; all && i < size; i++) {
				unsigned int other = d->type[(pfn + i) >> BLOCK];

				all = d->free[pfn + i] &&
				      (other == type ||
				       (other < PZ_HIGHATOMIC && type < PZ_HIGHATOMIC));
			}
			if (!all)
				break;
			order++;
		}
		z->blocks[order]++;
		z->types[order] |= (uint8_t)(1u << d->type[pfn >> BLOCK]);
		if (d->type[pfn >> BLOCK] == PZ_CMA)
			z->free_cma += 1u << order;
		pfn += 1u << order;
	}
	for (unsigned int b = 0; b < PAGES >> BLOCK; b++)
		z->highatomic += d->type[b] == PZ_HIGHATOMIC ? 1u << BLOCK : 0;
}

static uint64_t draw_free(const struct pzl_rebuild_zone *z)
{
	uint64_t n = 0;

	for (unsigned int k = 0; k < ORDERS; k++)
		n += z->blocks[k] << k;
	return n;
}

static void draw(struct prop *p, struct drawn *d)
{
	struct pzl_rebuild_zone *z = &d->zone;
	uint64_t free, taken, cma = 0;

	memset(d, 0, sizeof(*d));
	z->type = PZ_ZONE_NORMAL;
	draw_memory(p, d);
	draw_use(p, d);
	draw_count(d);
	free = draw_free(z);
	for (unsigned int b = 0; b < PAGES >> BLOCK; b++)
		cma += d->type[b] == PZ_CMA ? 1u << BLOCK : 0;
	taken = z->present - free;
	/* areas of CMA are managed whole */
	taken = taken > cma ? taken - cma : 0;
	z->managed = z->present - (prop_choice(p, 2) ? prop_draw(p, taken) : 0);
	/* without any mark nothing is held back from anyone here, which no kernel does */
	z->min = prop_draw(p, free + 10) + (z->highatomic || z->free_cma ? 1 : 0);
	z->boost = prop_choice(p, 4) || !z->min ? 0 : prop_draw(p, z->min - 1);
	z->low = z->min + prop_draw(p, 20);
	z->high = z->low + prop_draw(p, 20);
	d->placed = prop_choice(p, 2);
	if (d->placed)
		z->pfns = d->range;
	else
		z->pfns_count = 0;
}

static bool same_state(struct prop *p, const struct drawn *d, struct pzl_rebuilt *r)
{
	const struct pzl_rebuild_zone *z = &d->zone;
	struct pz_area_stat a;

	PROP_ASSERT(p, pz_page_areas(r->pages) == 1);
	pz_page_area_stat(r->pages, 0, ORDERS - 1, &a);
	PROP_ASSERT(p, a.managed == z->managed);
	PROP_ASSERT(p, a.free == draw_free(z));
	PROP_ASSERT(p, a.free_cma == z->free_cma);
	PROP_ASSERT(p, a.highatomic == z->highatomic);
	for (unsigned int k = 0; k < ORDERS; k++) {
		uint64_t sum = 0;

		for (unsigned int t = 0; t < PZ_MOBILITIES; t++) {
			sum += a.order[k][t];
			if (!!a.order[k][t] != (z->types[k] >> t & 1))
				prop_note(p, "order %u mobility %u: %llu", k, t,
					  (unsigned long long)a.order[k][t]);
			PROP_ASSERT(p, !!a.order[k][t] == (z->types[k] >> t & 1));
		}
		PROP_ASSERT(p, sum == z->blocks[k]);
	}
	PROP_ASSERT(p, !pz_pages_check(r->pages));
	PROP_ASSERT(p, !pz_zones_check(&r->z));
	return true;
}

static bool same_answer(struct prop *p, const struct drawn *d, struct pzl_rebuilt *r)
{
	static const uint32_t flags[] = { PZL_GFP_HIGH, PZL_GFP_DIRECT_RECLAIM, PZL_GFP_MOVABLE,
					  PZL_GFP_NOMEMALLOC, PZL_GFP_MEMALLOC };
	const struct pzl_rebuild_zone *z = &d->zone;
	struct pzl_zone_judgement j;
	struct pzl_zone_state s;
	struct pzl_rebuild_try t;
	unsigned int order = prop_choice(p, ORDERS);
	uint32_t gfp = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		gfp |= prop_choice(p, 3) == 1 ? flags[i] : 0;
	/* what is set aside: see the shortcomings of rebuild.c */
	if (z->highatomic && !(gfp & PZL_GFP_HIGH))
		gfp |= PZL_GFP_DIRECT_RECLAIM;
	memset(&s, 0, sizeof(s));
	s.managed = z->managed;
	s.free = draw_free(z);
	s.min = z->min;
	s.boost = z->boost;
	s.highatomic = z->highatomic;
	s.free_cma = z->free_cma;
	s.orders = ORDERS;
	memcpy(s.blocks, z->blocks, sizeof(s.blocks));
	memcpy(s.types, z->types, sizeof(s.types));
	pzl_zone_judge(PZL_LINUX_6_1, gfp, 0, order, &s, &j);
	PROP_ASSERT(p, !pzl_rebuild_request(r, gfp, order, &t));
	prop_note(p, "gfp %#x order %u: %s, and %s rc %d", gfp, order, pzl_verdict_name(j.verdict),
		  pz_verdict_name(t.report.area[0].verdict), t.rc);
	PROP_ASSERT(p, t.report.areas == 1);
	PROP_ASSERT(p, (t.rc == 0) == (j.verdict == PZL_ZONE_OK));
	PROP_ASSERT(p, t.report.outcome == t.rc);
	PROP_ASSERT(p, (t.rc == 0) == (t.zone == 0));
	PROP_ASSERT(p, pzl_rebuild_alike(&j, t.report.area[0].verdict));
	PROP_ASSERT(p, !pz_pages_check(r->pages));
	return true;
}

static bool rebuild_holds(struct prop *p, void *ctx)
{
	struct pzl_rebuild_config c;
	struct pzl_rebuild_error e;
	struct pzl_rebuilt r;
	struct drawn d;
	struct hook h;
	bool ok = true;
	int rc;

	(void)ctx;
	hook_init(&h);
	draw(p, &d);
	memset(&c, 0, sizeof(c));
	c.meta = &h.meta;
	c.model = PZL_LINUX_6_1;
	c.page_shift = 12;
	c.pageblock_order = BLOCK;
	c.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	c.zone = &d.zone;
	c.zones = 1;
	for (uint32_t i = 0; i < d.zone.pfns_count; i++)
		prop_note(p, "present %llu to %llu", (unsigned long long)d.range[i].first,
			  (unsigned long long)d.range[i].last);
	for (unsigned int k = 0; k < ORDERS; k++)
		prop_note(p, "%llu of order %u, mobilities %#x",
			  (unsigned long long)d.zone.blocks[k], k, d.zone.types[k]);
	prop_note(p, "present %llu managed %llu set aside %llu", (unsigned long long)d.zone.present,
		  (unsigned long long)d.zone.managed, (unsigned long long)d.zone.highatomic);
	/* out of memory at some call */
	h.fail_at = prop_choice(p, 4) == 1 ? 1 + (unsigned int)prop_draw(p, 60) : 0;
	rc = pzl_rebuild(&r, &c, &e);
	if (rc == -PZ_ENOMEM) {
		PROP_ASSERT(p, h.fail_at && !h.live && !h.bad_free);
		return true;
	}
	h.fail_at = 0;
	if (rc) {
		prop_note(p, "%d: %s", rc, pzl_rebuild_expected(e.bad));
		PROP_ASSERT(p, e.bad == PZL_REBUILD_NO_ROOM && !h.live && !h.bad_free);
		no_room++;
		return true;
	}
	rebuilt++;
	if (d.zone.managed)
		ok = same_state(p, &d, &r) && same_answer(p, &d, &r);
	pzl_rebuild_destroy(&r);
	PROP_ASSERT(p, !ok || (!h.live && !h.bad_free));
	return ok;
}

static bool most_have_room(struct prop *p, void *ctx)
{
	(void)ctx;
	prop_note(p, "%u rebuilt, %u had no room", rebuilt, no_room);
	PROP_ASSERT(p, rebuilt > no_room * 4);
	return true;
}

int main(void)
{
	prop_run("a rebuilt zone is as it was counted", rebuild_holds, NULL, ROUNDS);
	prop_run("most zones can be rebuilt", most_have_room, NULL, 1);
	printf("# %u rebuilt, %u had no room\n", rebuilt, no_room);
	return prop_done();
}
