/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebuild_request.c - requests in a rebuilt machine, and whether what comes of them is what the
 * report says.
 *
 * Concept: the request is made as the kernel made it in the end: down to the min watermark, with
 * its rights, of a machine in which nothing can be reclaimed.
 *
 * Invariants: none of its own.
 *
 * Failure: a request that fails is an outcome.
 *
 * Shortcomings: which node a request preferred is not told, so __GFP_THISNODE is left out.
 */
#include "pzl_rebuild.h"

#include "../src/base/pz_string.h"

/* The marks that count: a single page for an atomic request forgoes the boost. */
static void request_marks(struct pzl_rebuilt *r, uint32_t gfp, unsigned int order)
{
	bool boosted = order || !(gfp & PZL_GFP_HIGH);

	for (uint32_t i = 0; i < r->zones; i++) {
		const struct pzl_rebuild_zone *from = &r->zone[i];
		struct pz_node *n = pz_zones_node(&r->z, from->nid);

		if (n)
			n->zone[from->type].min =
				from->min - (boosted || from->boost > from->min ? 0 : from->boost);
	}
	pz_pages_set_policy(r->pages, PZ_POLICY_ZONELIST);
}

int pzl_rebuild_request(struct pzl_rebuilt *r, uint32_t gfp, unsigned int order,
			struct pzl_rebuild_try *out)
{
	struct pz_page_req req;
	int nid = PZ_NID_NONE;
	unsigned int type;

	memset(out, 0, sizeof(*out));
	out->zone = r->zones;
	if (order >= r->orders)
		return -PZ_EINVAL;
	request_marks(r, gfp, order);
	pz_page_req_init(r->pages, &req, order, 0, 0);
	pzl_gfp_request(gfp & ~PZL_GFP_THISNODE, r->model, r->configured, &req);
	/* The quarter off is for those who may take from what is set aside; nobody waits here. */
	if (gfp & PZL_GFP_NOMEMALLOC)
		req.gfp |= PZ_GFP_BLOCK;
	req.gfp &= ~PZ_GFP_ZERO;
	if (pz_report_explain(r->pages, &req, &out->report))
		return -PZ_EINVAL;
	out->rc = pz_page_request(r->pages, &req, &out->pfn);
	type = out->rc ? PZ_ZONE_TYPES : pz_zones_locate(&r->z, out->pfn, &nid);
	for (uint32_t i = 0; i < r->zones && type != PZ_ZONE_TYPES; i++)
		if (r->zone[i].nid == nid && r->zone[i].type == type)
			out->zone = i;
	/* as printed */
	request_marks(r, 0, 0);
	return 0;
}

/* Whether a page is taken and can be freed without becoming a block with its buddy. */
static bool request_lonely(const struct pz_pages *p, uint64_t pfn)
{
	struct pz_page_info info;

	pz_page_info(p, pfn ^ 1, &info);
	if (info.state == PZ_PAGE_FREE)
		return false;
	pz_page_info(p, pfn, &info);
	return info.state == PZ_PAGE_HEAD || info.state == PZ_PAGE_TAIL;
}

uint64_t pzl_rebuild_free(struct pzl_rebuilt *r, uint32_t zone, uint64_t pages)
{
	unsigned int shift = r->z.cfg.page_shift;
	struct pz_mb_iter it;
	uint64_t done = 0;

	memset(&it, 0, sizeof(it));
	/* What is reserved is not managed, or CMA's. */
	while (zone < r->zones && done < pages &&
	       pz_memblock_next_free(&r->mb, &it, r->zone[zone].nid)) {
		uint64_t pfn = it.range.first >> shift, last = it.range.last >> shift;

		for (uint32_t i = 0; i < r->z.block_count; i++) {
			const struct pz_zone_block *b = &r->z.block[i];
			struct pz_range in;

			if (b->zone != r->zone[zone].type || b->nid != r->zone[zone].nid ||
			    !pz_range_intersect(b->pfns, (struct pz_range){ pfn, last }, &in))
				continue;
			for (uint64_t at = in.first; at <= in.last && done < pages; at++)
				if (request_lonely(r->pages, at) &&
				    !pz_free_part(r->pages, 0, at, 1))
					done++;
		}
	}
	return done;
}

void pzl_rebuild_no_reserve(struct pzl_rebuilt *r, uint32_t zone)
{
	struct pz_node *n = zone < r->zones ? pz_zones_node(&r->z, r->zone[zone].nid) : NULL;

	if (!n)
		return;
	memset(n->zone[r->zone[zone].type].reserve, 0, sizeof(n->zone[0].reserve));
	pz_pages_set_policy(r->pages, PZ_POLICY_ZONELIST);
}

int pzl_rebuild_meminfo(const struct pzl_rebuilt *r, struct pzl_meminfo *m)
{
	int rc = pzl_meminfo_from_zones(m, r->meta, r->model, &r->z, 1);

	if (rc)
		return rc;
	m->configured = r->configured;
	for (uint32_t i = 0; i < r->zones; i++)
		for (uint32_t n = 0; n < m->nodes; n++)
			if (m->node[n].nid == r->zone[i].nid)
				m->node[n].zone[r->zone[i].type].boost = r->zone[i].boost;
	rc = pzl_meminfo_from_pages(m, r->pages);
	if (rc)
		pzl_meminfo_destroy(m);
	return rc;
}

bool pzl_rebuild_alike(const struct pzl_zone_judgement *j, enum pz_verdict v)
{
	bool small = v == PZ_V_SMALL || v == PZ_V_BOUNDARY;
	bool mark = j->lacking && (v == PZ_V_WATERMARK || v == PZ_V_RESERVE || small);
	bool few = v == PZ_V_FULL || v == PZ_V_FRAGMENTED || small;

	switch (j->verdict) {
	case PZL_ZONE_OK:
		return v == PZ_V_OK;
	case PZL_ZONE_UNMANAGED:
		return v == PZ_V_UNMANAGED;
	case PZL_ZONE_ABOVE:
		return v == PZ_V_ZONE;
	case PZL_ZONE_MARK:
		return v == PZ_V_WATERMARK || small || (!j->need && few);
	case PZL_ZONE_RESERVE:
		return v == PZ_V_RESERVE || small;
	case PZL_ZONE_CMA:
		return v == PZ_V_CMA || mark;
	case PZL_ZONE_HIGHATOMIC:
		return v == PZ_V_KEPT || mark;
	case PZL_ZONE_NO_BLOCK:
		return few;
	case PZL_ZONE_NOT_STATED:
	case PZL_ZONE_VERDICTS:
		break;
	}
	return false;
}

const char *pzl_rebuild_expected(enum pzl_rebuild_bad bad)
{
	static const char *const texts[PZL_REBUILD_BADS] = {
		[PZL_REBUILD_FINE] = "nothing else",
		[PZL_REBUILD_NO_ZONE] = "a line \"Node 0 DMA free:...kB min:...kB ... "
					"present:...kB managed:...kB\"",
		[PZL_REBUILD_PAGE_SIZE] = "blocks of 4, 8, 16, 32 or 64 kB at the least",
		[PZL_REBUILD_COUNTS] = "present: and managed:, no more managed than present",
		[PZL_REBUILD_MARKS] = "min:, low: and high: that ascend, and lowmem_reserve[]",
		[PZL_REBUILD_NO_BLOCKS] = "the zone's free blocks, \"Node 0 DMA: 1*4kB (U) ... = "
					  "4kB\"",
		[PZL_REBUILD_ORDERS] = "free blocks of 6 to 19 orders, as many in every zone",
		[PZL_REBUILD_LETTERS] = "as many free blocks of an order as it has mobilities, all "
					"of U, M, E, H and C",
		[PZL_REBUILD_MORE_FREE] = "free blocks that are no more than the managed pages",
		[PZL_REBUILD_TOO_LARGE] = "no more pages or free blocks than can be rebuilt",
		[PZL_REBUILD_NO_ROOM] = "free blocks that lie in the zone without touching their "
					"buddies",
		[PZL_REBUILD_TWICE] = "each zone of a node once",
	};

	return (unsigned int)bad < PZL_REBUILD_BADS ? texts[bad] : "?";
}
