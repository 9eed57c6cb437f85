/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c - how each policy turns a request with an address limit into requests of the allocator.
 *
 * Under the policies with zones a device's limit becomes a zone as the DMA layer does it
 * (pzl_direct_plan()): pages are taken, looked at, given back when the device does not reach them,
 * and asked for again in a lower zone; no page at all is not asked for again. Lengths are rounded
 * up to an order. ZONE_LIMITED is asked also by devices that reach only a part of it. Memory of
 * the contiguous area goes to those whom no zone serves, as many pages as were asked for.
 *
 * What Linux does against fragmentation is left to physzone's own evacuation, for blocks of more
 * than one page, where some zone has enough free pages for Linux to compact it at all. It may move
 * pages into another zone, which Linux's compaction does not. Nothing is moved for movable pages,
 * which can be had one by one, and nothing is reclaimed.
 */
#include "policy.h"

#include <physzone/linux/direct.h>

static unsigned int ask_order(uint64_t pages)
{
	unsigned int order = 0;

	while (UINT64_C(1) << order < pages)
		order++;
	return order;
}

static uint32_t ask_gfp(const struct policy *p, const struct stream_class *c,
			const struct stream_request *r)
{
	if (c->movable)
		return PZ_GFP_MOVABLE | PZ_GFP_OWNER(p->owner) | PZ_GFP_BLOCK | PZ_GFP_NOMIGRATE;
	return r->atomic ? PZ_GFP_HIGH : PZ_GFP_BLOCK;
}

uint64_t policy_limit(const struct policy *p, const struct stream_class *c)
{
	bool kernel = !c->movable && !c->device;

	return kernel && c->max_addr > p->m->kernel_last ? p->m->kernel_last : c->max_addr;
}

/* The highest zone of requests without a limit. */
static enum pz_zone_type ask_highest(const struct stream_class *c)
{
	return c->movable ? PZ_ZONE_MOVABLE : PZ_ZONE_NORMAL;
}

/* What of a zone's free pages ordinary requests can have. */
static uint64_t ask_above(const struct policy *p, const struct policy_area *a,
			  enum pz_zone_type highest)
{
	uint64_t free = pz_page_free_count(p->pages, a->index);
	uint64_t mark = a->zone->min + a->zone->reserve[highest];

	return free > mark ? free - mark : 0;
}

/* Whether Linux would compact some zone for a block: twice its size free, above the marks. */
static bool ask_compacts(const struct policy *p, enum pz_zone_type highest, uint64_t pages)
{
	for (size_t i = 0; i < p->areas.n; i++)
		if (p->areas.v[i].type <= highest &&
		    ask_above(p, &p->areas.v[i], highest) > 2 * pages)
			return true;
	return false;
}

/* A block of an order from zones up to one. */
static int ask_zones(struct policy *p, uint32_t gfp, unsigned int order, enum pz_zone_type highest,
		     struct policy_block *out)
{
	struct pz_page_req req;

	if (!order || !ask_compacts(p, highest, UINT64_C(1) << order))
		gfp |= PZ_GFP_NOMIGRATE;
	pz_page_req_init(p->pages, &req, order, gfp, 0);
	req.highest = (uint8_t)highest;
	out->area = false;
	out->pages = req.pages;
	return pz_page_request(p->pages, &req, &out->pfn);
}

/* The zones that a device's request comes to, one after another. */
static void ask_plan(const struct policy *p, uint64_t max_addr, struct pzl_direct *plan)
{
	struct pzl_direct_in in = {
		.configured = p->z.cfg.configured,
		.zone_limit = p->kind == COMPARE_ZONES	   ? p->m->zone_limit
			      : p->kind == COMPARE_LIMITED ? p->limit
							   : 0,
		.ram_last = p->m->ram_last,
		.max_addr = max_addr,
	};

	pzl_direct_plan(&in, plan);
	if (p->kind == COMPARE_LIMITED)
		plan->supported = true;
	if (p->kind != COMPARE_CMA)
		return;
	/* No zone for whom the area is meant, unless ZONE_DMA32 is now in their reach. */
	plan->supported = true;
	if (max_addr <= p->limit && max_addr < p->m->ram_last &&
	    !(max_addr >= UINT32_MAX && (in.configured & (1u << PZ_ZONE_DMA32))))
		plan->tries = 0;
}

static int ask_area(struct policy *p, uint64_t pages, uint64_t max_addr, struct policy_block *out)
{
	struct pz_limits l = pz_limits_any();
	unsigned int align = ask_order(pages);
	int rc;

	l.max_addr = max_addr;
	rc = pz_cma_alloc(p->pages, 0, p->area_id, pages, align < 8 ? align : 8, &l, &out->pfn);
	out->pages = pages;
	out->area = true;
	return rc;
}

static int ask_device(struct policy *p, const struct stream_class *c,
		      const struct stream_request *r, struct policy_block *out, bool *missed,
		      bool *waits)
{
	unsigned int order = ask_order(r->pages), shift = p->m->page_shift;
	struct pzl_direct plan;
	int rc = -PZ_ENOMEM;

	ask_plan(p, c->max_addr, &plan);
	if (!plan.supported)
		return -PZ_ERANGE;
	for (unsigned int i = 0; i < plan.tries; i++) {
		rc = ask_zones(p, ask_gfp(p, c, r), order, plan.highest[i], out);
		if (rc)
			break;
		if (((out->pfn + r->pages) << shift) - 1 <= c->max_addr)
			return 0;
		pz_free_exact(p->pages, 0, out->pfn, out->pages);
		*missed = true;
		rc = -PZ_ENOMEM;
	}
	if (!p->has_area || p->area.range.first > c->max_addr)
		return plan.tries ? rc : -PZ_ERANGE;
	if (r->atomic) {
		*waits = true;
		return -PZ_ENOMEM;
	}
	return ask_area(p, r->pages, c->max_addr, out);
}

/* A limit is a property of the request: one request, of any length. */
static int ask_plain(struct policy *p, const struct stream_class *c, const struct stream_request *r,
		     struct policy_block *out)
{
	struct pz_page_req req;

	pz_page_req_init(p->pages, &req, ask_order(r->pages), ask_gfp(p, c, r), 0);
	if (c->device) {
		req.pages = r->pages;
		req.limits.align = UINT64_C(1) << p->m->page_shift;
	}
	req.limits.max_addr = policy_limit(p, c);
	out->area = false;
	out->pages = req.pages;
	return pz_page_request(p->pages, &req, &out->pfn);
}

int policy_ask(struct policy *p, const struct stream_class *c, const struct stream_request *r,
	       struct policy_block *out, bool *missed, bool *waits)
{
	int rc;

	*missed = *waits = false;
	if (p->kind == COMPARE_PHYSZONE)
		rc = ask_plain(p, c, r, out);
	else if (c->max_addr != PZ_ADDR_MAX)
		rc = ask_device(p, c, r, out, missed, waits);
	else
		rc = ask_zones(p, ask_gfp(p, c, r), ask_order(r->pages), ask_highest(c), out);
	if (rc)
		out->pages = 0;
	return rc;
}

void policy_give_back(struct policy *p, const struct policy_block *b)
{
	if (b->area)
		(void)pz_cma_release(p->pages, 0, p->area_id, b->pfn, b->pages);
	else
		pz_free_exact(p->pages, 0, b->pfn, b->pages);
}

uint64_t policy_usable(const struct policy *p, const struct stream_class *c, uint64_t below)
{
	uint64_t limit = policy_limit(p, c), free = 0;
	struct pzl_direct plan;

	if (p->kind == COMPARE_PHYSZONE) {
		uint64_t keep = limit >= p->m->ram_last ? p->kept : 0;
		uint64_t all = pz_page_free_count(p->pages, UINT32_MAX), left = keep + p->min;

		/* The kept pages are the lowest: the rest has to hold the watermark. */
		all = all > left ? all - left : 0;
		return below < all ? below : all;
	}
	/* A zone that is wholly in reach serves in the first try that comes to it. */
	ask_plan(p, c->max_addr, &plan);
	for (size_t i = 0; i < p->areas.n && plan.supported; i++) {
		const struct policy_area *a = &p->areas.v[i];
		uint64_t most = 0;

		if (a->last > limit && limit < p->m->ram_last)
			continue;
		if (c->max_addr == PZ_ADDR_MAX && a->type <= ask_highest(c))
			most = ask_above(p, a, ask_highest(c));
		for (unsigned int t = 0; c->max_addr != PZ_ADDR_MAX && t < plan.tries; t++) {
			uint64_t above = ask_above(p, a, plan.highest[t]);

			if (a->type <= plan.highest[t] && above > most)
				most = above;
		}
		free += most;
	}
	return below < free ? below : free;
}
