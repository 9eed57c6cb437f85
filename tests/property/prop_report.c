/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_report.c - reports against what really happens: on random machines, filled at random, the
 * outcome that a report states is what the request made right after gets, and a remedy that it
 * names makes the request succeed.
 */
#include <physzone/report.h>

#include "hook.h"
#include "prop.h"

#include <inttypes.h>
#include <stdio.h>

#define SHIFT 12u
#define BLOCKS 4096u

struct block {
	uint64_t pfn, pages;
};

struct world {
	struct prop *p;
	struct hook meta;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *pages;
	struct pz_bugs bugs;
	uint64_t base, n; /* page frames */
	uint32_t cpus, nodes;
	bool reach; /* the policy */
	struct block live[BLOCKS];
	uint32_t count;
};

/* How often each remedy was seen to help, and each verdict was given, over all rounds. */
static unsigned int remedies[PZ_REMEDIES], verdicts[PZ_VERDICTS];

static void world_bug(void *ctx, const char *text)
{
	prop_note(((struct world *)ctx)->p, "bug: %s", text);
}

static bool world_zones(struct world *w, bool movable)
{
	struct pz_zone_config c = { 0 };
	uint64_t at = w->base;

	c.page_shift = SHIFT;
	c.max_order_pages = 64;
	c.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	for (unsigned int t = PZ_ZONE_DMA; t < PZ_ZONE_NORMAL; t++) {
		if (prop_choice(w->p, 2)) {
			at += prop_draw(w->p, w->n / 3);
			c.configured |= 1u << t;
			c.max_pfn[t] = at;
		}
	}
	c.max_pfn[PZ_ZONE_NORMAL] = w->base + w->n;
	if (movable) {
		c.movablecore.kind = PZ_CORE_PAGES;
		c.movablecore.value = prop_draw(w->p, w->n / 2);
	}
	if (pz_zones_build(&w->z, &w->meta.meta, &w->mb, &c) ||
	    pz_zones_set_managed(&w->z, &w->mb, UINT64_MAX))
		return false;
	for (uint32_t i = 0; i < w->z.node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *z = &w->z.node[i].zone[t];

			if (!prop_choice(w->p, 3))
				continue;
			z->min = prop_draw(w->p, z->managed / 6);
			z->low = z->min + prop_draw(w->p, z->managed / 6);
			z->high = z->low;
			for (unsigned int h = t + 1; h < PZ_ZONE_TYPES; h++)
				z->reserve[h] = prop_draw(w->p, z->managed / 4);
		}
	}
	return true;
}

static bool world_make(struct world *w, struct prop *p)
{
	struct pz_page_config c = { 0 };
	bool movable = prop_choice(p, 3) == 2;
	uint64_t at;

	memset(w, 0, sizeof(*w));
	w->p = p;
	hook_init(&w->meta);
	w->n = 32 + prop_draw(p, prop_choice(p, 2) ? 1000 : 200);
	w->base = prop_choice(p, 3) ? 0xff800 + prop_draw(p, 2000) : 0;
	w->nodes = 1 + prop_choice(p, 3);
	w->cpus = 1 + prop_choice(p, 2);
	pz_memblock_init(&w->mb, &w->meta.meta, SHIFT);
	at = w->base;
	for (uint32_t i = 0; i < w->nodes; i++) {
		uint64_t left = w->base + w->n - at, n = left;

		if (i + 1 < w->nodes)
			n = 1 + prop_draw(p, left - 1 - (w->nodes - i - 1));
		if (pz_memblock_add(&w->mb, at << SHIFT, n << SHIFT, (int)i, 0))
			return false;
		at += n;
	}
	for (unsigned int i = prop_choice(p, 4); i; i--) {
		uint64_t first = prop_draw(p, w->n - 1), n = 1 + prop_draw(p, (w->n - first) / 8);

		if (first + n > w->n)
			n = 1;
		if (pz_memblock_reserve(&w->mb, (w->base + first) << SHIFT, n << SHIFT,
					PZ_NID_NONE, 0))
			return false;
	}
	if (!world_zones(w, movable))
		return false;
	w->bugs.report = world_bug;
	w->bugs.ctx = w;
	c.meta = &w->meta.meta;
	c.zones = &w->z;
	c.memblock = &w->mb;
	c.max_pfn = UINT64_MAX;
	c.cpus = w->cpus;
	c.policy = prop_choice(p, 2) ? PZ_POLICY_ZONELIST : PZ_POLICY_REACH;
	w->reach = c.policy == PZ_POLICY_REACH;
	c.pageblock_order = 5 + prop_choice(p, 3);
	c.no_grouping = prop_choice(p, 6) == 5;
	c.keep_pages = prop_choice(p, 2) ? 1 + prop_draw(p, w->n / 4) : UINT64_MAX;
	c.pcp_hold = prop_choice(p, 3) == 2;
	c.pcp_batch = 1 + prop_draw(p, 8);
	c.pcp_high = c.pcp_batch + (uint32_t)prop_draw(p, 64);
	if (prop_choice(p, 8) == 7)
		c.debug = PZ_PAGE_DEBUG_GUARD;
	c.bugs = &w->bugs;
	return !pz_pages_create(&w->pages, &c);
}

static void world_end(struct world *w)
{
	pz_pages_destroy(w->pages);
	if (w->z.meta)
		pz_zones_destroy(&w->z);
	pz_memblock_destroy(&w->mb);
}

/* A random request: of an order more often than of a length. */
static void world_draw(struct world *w, struct pz_page_req *r)
{
	static const uint32_t kinds[] = { 0, PZ_GFP_MOVABLE, PZ_GFP_RECLAIMABLE };
	static const uint32_t rights[] = { 0,
					   PZ_GFP_HIGH,
					   PZ_GFP_BLOCK,
					   PZ_GFP_HIGH | PZ_GFP_BLOCK,
					   PZ_GFP_NOKEEP,
					   PZ_GFP_MEMALLOC,
					   PZ_GFP_HIGH };
	uint32_t cpu = (uint32_t)prop_draw(w->p, w->cpus);

	pz_page_req_init(w->pages, r, prop_choice(w->p, prop_choice(w->p, 2) ? 10 : 3),
			 kinds[prop_choice(w->p, 3)] | rights[prop_choice(w->p, 7)],
			 cpu < w->cpus ? cpu : PZ_CPU_NONE);
	if (prop_choice(w->p, 3) == 2) {
		r->pages = 1 + prop_draw(w->p, w->n / 8);
		r->limits.align = (uint64_t)1 << (SHIFT - 1 + prop_choice(w->p, 8));
	}
	if (prop_choice(w->p, 4) == 3)
		r->limits.boundary = (uint64_t)1 << (SHIFT - 1 + prop_choice(w->p, 10));
	if (prop_choice(w->p, 2))
		r->limits.max_addr = ((w->base + prop_draw(w->p, w->n)) << SHIFT) +
				     (prop_choice(w->p, 2) ? 0xfff : 0x7ff);
	if (prop_choice(w->p, 4) == 3)
		r->limits.min_addr = r->limits.max_addr == PZ_ADDR_MAX
					     ? (w->base + prop_draw(w->p, w->n)) << SHIFT
					     : prop_draw(w->p, r->limits.max_addr);
	if (prop_choice(w->p, 3) == 2) {
		r->nid = (int32_t)prop_choice(w->p, w->nodes);
		if (prop_choice(w->p, 2))
			r->gfp |= PZ_GFP_THISNODE;
	}
	if (prop_choice(w->p, 3) == 2)
		r->highest = (uint8_t)prop_choice(w->p, PZ_ZONE_DEVICE);
}

static void world_free(struct world *w, uint32_t i, uint32_t cpu)
{
	pz_free_exact(w->pages, cpu, w->live[i].pfn, w->live[i].pages);
	w->live[i] = w->live[--w->count];
}

static void world_keep(struct world *w, uint64_t pfn, uint64_t pages)
{
	w->live[w->count].pfn = pfn;
	w->live[w->count++].pages = pages;
}

/* Fill the machine, and free some of it again: single pages here and there, or whole stretches. */
static void world_churn(struct world *w)
{
	unsigned int most = prop_choice(w->p, 6), fails = 0, frees, share;
	uint32_t odd = 1 + prop_choice(w->p, 2) * (uint32_t)prop_draw(w->p, 64);
	struct pz_page_req r;
	uint64_t pfn;

	while (w->count < BLOCKS - 16 && fails < 4) {
		unsigned int order = prop_choice(w->p, 3) == 2 ? prop_choice(w->p, most + 1) : 0;
		static const uint32_t gfp[] = { PZ_GFP_MOVABLE | PZ_GFP_MEMALLOC,
						PZ_GFP_MEMALLOC | PZ_GFP_NOKEEP, PZ_GFP_HIGH,
						PZ_GFP_RECLAIMABLE };

		pz_page_req_init(w->pages, &r, order, gfp[prop_choice(w->p, 4)],
				 (uint32_t)prop_draw(w->p, w->cpus - 1));
		if (prop_choice(w->p, 40) == 39) {
			r.pages = 1 + prop_draw(w->p, w->n / 4);
			r.limits.align = 1;
		}
		if (pz_page_request(w->pages, &r, &pfn))
			fails++;
		else
			world_keep(w, pfn, r.pages);
	}
	share = prop_choice(w->p, 5);
	frees = share < 4 ? w->count >> (2 * share) : 0;
	for (unsigned int i = 0; i < frees && w->count; i++) {
		uint32_t at = share == 1 && prop_choice(w->p, 2)
				      ? w->count - 1
				      : (uint32_t)(i * odd + prop_draw(w->p, 3)) % w->count;

		world_free(w, at, (uint32_t)prop_draw(w->p, w->cpus));
	}
}

/* Free pages of an area (of all with PZ_POLICY_REACH), those of a range first, up to a number. */
static bool world_reclaim(struct world *w, const struct pz_report *rep)
{
	struct pz_area_stat s;
	uint64_t freed = 0;

	pz_page_area_stat(w->pages, rep->remedy_area, 0, &s);
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < w->count;) {
			const struct block *b = &w->live[i];
			uint64_t guard = 0, in = 0;
			struct pz_page_info info;

			pz_page_info(w->pages, b->pfn, &info);
			guard = info.pages - b->pages;
			for (uint64_t k = 0; k < b->pages + guard; k++) {
				int nid, type = pz_zones_locate(&w->z, b->pfn + k, &nid);

				in += w->reach || (type == s.type && nid == s.nid);
			}
			if (pass ? freed >= rep->remedy_value || !in
				 : b->pfn > rep->remedy_pfns.last ||
					   b->pfn + b->pages + guard - 1 < rep->remedy_pfns.first) {
				i++;
				continue;
			}
			freed += in;
			world_free(w, i, PZ_CPU_NONE);
		}
	}
	return freed >= rep->remedy_value;
}

/* Do what a remedy says. False when that cannot be done. */
static bool world_apply(struct world *w, const struct pz_report *rep, struct pz_page_req *r)
{
	switch (rep->remedy) {
	case PZ_R_DRAIN:
		return pz_page_drain(w->pages, PZ_CPU_NONE) != 0;
	case PZ_R_RESERVE:
		r->gfp |= (uint32_t)rep->remedy_value;
		return true;
	case PZ_R_ORDER:
		if (r->limits.align == r->pages << SHIFT && !(r->pages & (r->pages - 1)))
			r->limits.align = rep->remedy_value << SHIFT;
		r->pages = rep->remedy_value;
		return true;
	case PZ_R_ALIGN:
		r->limits.align = 1;
		r->limits.boundary = 0;
		return true;
	case PZ_R_MOVABLE:
		r->gfp = (r->gfp & ~PZ_GFP_RECLAIMABLE) | PZ_GFP_MOVABLE;
		return true;
	case PZ_R_RECLAIM:
		return world_reclaim(w, rep);
	case PZ_R_LIMIT:
		r->limits.max_addr = rep->remedy_value;
		r->highest = rep->remedy_highest;
		return true;
	case PZ_R_NODE:
		r->gfp &= ~PZ_GFP_THISNODE;
		return true;
	case PZ_R_RETRY:
	case PZ_R_NONE:
	case PZ_R_EVACUATE:
	case PZ_REMEDIES:
		break;
	}
	return rep->remedy == PZ_R_RETRY;
}

/* What a report says of itself must agree. */
static bool consistent(struct world *w, const struct pz_report *rep)
{
	struct prop *p = w->p;
	uint32_t ok = 0;
	char small[16], text[8192];
	size_t n = pz_report_text(rep, SHIFT, text, sizeof(text));

	PROP_ASSERT(p, n < sizeof(text) && strlen(text) == n);
	PROP_ASSERT(p, pz_report_text(rep, SHIFT, small, sizeof(small)) == n);
	PROP_ASSERT(p, strlen(small) == 15 && !strncmp(small, text, 15));
	for (uint32_t i = 0; i < rep->areas; i++) {
		struct pz_area_stat s;
		uint32_t a = 0;

		ok += rep->area[i].verdict == PZ_V_OK;
		verdicts[rep->area[i].verdict]++;
		for (; a < pz_page_areas(w->pages); a++) {
			pz_page_area_stat(w->pages, a, 0, &s);
			if (s.nid == rep->area[i].nid && s.type == rep->area[i].type)
				break;
		}
		PROP_ASSERT(p, a < pz_page_areas(w->pages));
		PROP_ASSERT(p, s.managed == rep->area[i].managed && s.free == rep->area[i].free &&
				       s.held == rep->area[i].held);
		PROP_ASSERT(p, rep->area[i].free_reached <= s.free &&
				       rep->area[i].largest_run <= s.largest_run);
	}
	PROP_ASSERT(p, rep->areas == pz_page_areas(w->pages) && !rep->more);
	PROP_ASSERT(p, (rep->outcome == 0) ==
			       (rep->remedy == PZ_R_RETRY || rep->remedy == PZ_R_DRAIN));
	PROP_ASSERT(p, (rep->remedy == PZ_R_RETRY) == (ok != 0));
	return true;
}

static bool ask(struct world *w)
{
	struct prop *p = w->p;
	static struct pz_report rep, again;
	struct pz_page_req r;
	char text[8192];
	uint64_t pfn;
	int rc;

	world_draw(w, &r);
	rc = pz_report_explain(w->pages, &r, &rep);
	if (rc) {
		PROP_ASSERT(p, rc == -PZ_EINVAL && pz_page_request(w->pages, &r, &pfn) == rc);
		return true;
	}
	pz_report_text(&rep, SHIFT, text, sizeof(text));
	prop_note(p, "%s", text);
	PROP_ASSERT(p, !pz_report_explain(w->pages, &r, &again));
	PROP_ASSERT(p, !memcmp(&rep, &again, sizeof(rep)));
	if (!consistent(w, &rep))
		return false;
	if (prop_choice(p, 2) || rep.remedy == PZ_R_NONE) {
		rc = pz_page_request(w->pages, &r, &pfn);
		prop_note(p, "got %d, stated %d", rc, rep.outcome);
		PROP_ASSERT(p, rc == rep.outcome);
		if (rc)
			return true;
	} else {
		PROP_ASSERT(p, world_apply(w, &rep, &r));
		rc = pz_page_request(w->pages, &r, &pfn);
		prop_note(p, "after the remedy %s: %d", pz_remedy_name(rep.remedy), rc);
		PROP_ASSERT(p, rc == 0);
		remedies[rep.remedy]++;
	}
	if (w->count < BLOCKS)
		world_keep(w, pfn, r.pages);
	return true;
}

static bool agrees(struct prop *p, void *ctx)
{
	static struct world w;
	bool ok = true;

	(void)ctx;
	if (!world_make(&w, p)) {
		world_end(&w);
		return true;
	}
	world_churn(&w);
	for (unsigned int i = 0; i < 6 && ok; i++)
		ok = ask(&w);
	ok = ok && !w.bugs.count && !pz_pages_check(w.pages);
	world_end(&w);
	return ok && !w.meta.live && !w.meta.bad_free;
}

/* The rounds above must have met what they are about. */
static bool met(struct prop *p, void *ctx)
{
	(void)ctx;
	for (unsigned int i = 0; getenv("PZ_VERBOSE") && i < PZ_REMEDIES; i++)
		fprintf(stderr, "%s: %u\n", pz_remedy_name((enum pz_remedy)i), remedies[i]);
	for (unsigned int i = 0; i < PZ_REMEDIES; i++)
		PROP_ASSERT(p, remedies[i] || i == PZ_R_NONE || i == PZ_R_EVACUATE);
	for (unsigned int i = 0; getenv("PZ_VERBOSE") && i < PZ_VERDICTS; i++)
		fprintf(stderr, "%s: %u\n", pz_verdict_name((enum pz_verdict)i), verdicts[i]);
	return true;
}

int main(void)
{
	prop_run("reports agree with what happens", agrees, NULL, 1500);
	if (!getenv("PZ_SEED") && !getenv("PZ_ROUNDS"))
		prop_run("each remedy was applied", met, NULL, 1);
	return prop_done();
}
