/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.c - memory as each policy lays it out.
 *
 * All have the same managed pages and, in sum, the same min_free_kbytes. The zones of COMPARE_ZONES
 * are the machine's own. For COMPARE_CMA the area is taken out of memory before the zones are laid
 * out and is then brought online to ZONE_MOVABLE, so that only movable pages are ever in it.
 */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "../start.h"
#include "../view/view.h"

static void *layout_zeroed(void *ctx, size_t size)
{
	(void)ctx;
	return xcalloc(1, size);
}

static void layout_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta layout_meta = { layout_zeroed, layout_free, NULL };

static bool layout_has(const struct pz_zone_config *c, enum pz_zone_type t)
{
	return c->configured & (1u << t);
}

static void layout_drop(struct pz_zone_config *c, enum pz_zone_type t)
{
	c->configured &= ~(1u << t);
	c->max_pfn[t] = 0;
}

/* One zone below a limit, which kernels with high memory cannot put above what they map. */
static void layout_limited(struct policy *p, struct pz_zone_config *c, uint64_t last)
{
	uint64_t end = (last >> c->page_shift) + 1, most = c->max_pfn[PZ_ZONE_NORMAL];

	layout_drop(c, PZ_ZONE_DMA32);
	c->configured |= 1u << PZ_ZONE_DMA;
	c->max_pfn[PZ_ZONE_DMA] = end < most ? end : most;
	p->limit = (c->max_pfn[PZ_ZONE_DMA] << c->page_shift) - 1;
}

static uint64_t layout_page_down(uint64_t v, unsigned int shift)
{
	return v >> shift << shift;
}

/*
 * Reserve the contiguous area: as large as the zone that it replaces, or as much of it as fits, and
 * as low as it fits, where most devices reach it.
 */
static void layout_reserve(struct policy *p, uint64_t bytes)
{
	unsigned int shift = p->m->page_shift + p->m->pageblock_order;
	uint64_t block = UINT64_C(1) << shift;
	struct pz_cma_req req;

	memset(&req, 0, sizeof(req));
	req.name = "limited";
	req.limit = p->limit == PZ_ADDR_MAX ? 0 : p->limit + 1;
	req.nid = PZ_NID_NONE;
	p->mb.bottom_up = true;
	for (bytes = layout_page_down(bytes + block - 1, shift); bytes >= block;
	     bytes -= bytes / 16 > block ? layout_page_down(bytes / 16, shift) : block) {
		req.size = bytes;
		if (!pz_cma_reserve(&p->mb, &req, block, &p->area)) {
			p->has_area = true;
			return;
		}
	}
}

struct layout_below {
	uint64_t last, pages; /* page frames */
};

static int layout_count_below(void *ctx, struct pz_range pfns, int nid)
{
	struct layout_below *b = ctx;

	(void)nid;
	if (pfns.first <= b->last)
		b->pages += (pfns.last < b->last ? pfns.last : b->last) - pfns.first + 1;
	return 0;
}

/* The lowest zone goes, and its memory becomes the area's; an eighth of all memory at most. */
static void layout_area(struct policy *p, struct pz_zone_config *c, uint64_t cma, uint64_t widest)
{
	struct layout_below below = { 0, 0 };
	uint64_t bytes;

	p->limit = widest ? widest : UINT32_MAX;
	if (layout_has(c, PZ_ZONE_DMA)) {
		p->limit = p->m->zone_limit;
		layout_drop(c, PZ_ZONE_DMA);
	} else if (layout_has(c, PZ_ZONE_DMA32)) {
		p->limit = UINT32_MAX;
		layout_drop(c, PZ_ZONE_DMA32);
	}
	below.last = p->limit >> p->m->page_shift;
	(void)pz_memblock_hand_over(&p->mb, UINT64_MAX, layout_count_below, &below);
	bytes = below.pages < p->m->managed / 8 ? below.pages : p->m->managed / 8;
	p->area_asked = cma;
	layout_reserve(p, cma ? cma : bytes << p->m->page_shift);
}

/* Zones of all memory but the area, which joins ZONE_MOVABLE afterwards. */
static int layout_zones_area(struct policy *p, struct pz_zone_config *c)
{
	unsigned int shift = p->m->page_shift;
	uint64_t size = pz_range_size(p->area.range);
	struct pz_range pfns;
	struct pz_node *node;
	int nid = 0, rc;

	rc = pz_zones_build(&p->z, &an_meta, &p->mb, c);
	if (rc)
		return rc;
	(void)pz_zones_locate(&p->z, p->area.range.first >> shift, &nid);
	pz_zones_destroy(&p->z);
	memset(&p->z, 0, sizeof(p->z));
	if (!layout_has(c, PZ_ZONE_MOVABLE))
		c->configured |= 1u << PZ_ZONE_MOVABLE;
	rc = pz_memblock_remove(&p->mb, p->area.range.first, size);
	if (!rc)
		rc = pz_zones_build(&p->z, &an_meta, &p->mb, c);
	if (!rc)
		rc = pz_memblock_add(&p->mb, p->area.range.first, size, nid, 0);
	if (!rc)
		rc = pz_zones_set_managed(&p->z, &p->mb, UINT64_MAX);
	if (rc || !pz_range_trim(p->area.range, shift, &pfns))
		return rc;
	rc = pz_zones_online(&p->z, pfns, nid, PZ_ZONE_MOVABLE);
	node = pz_zones_node(&p->z, nid);
	if (!rc && node)
		node->zone[PZ_ZONE_MOVABLE].cma += pfns.last - pfns.first + 1;
	return rc;
}

static int layout_zones(struct policy *p, struct pz_zone_config *c)
{
	struct pz_wmark_config w;
	int rc;

	if (p->has_area) {
		rc = layout_zones_area(p, c);
	} else {
		rc = pz_zones_build(&p->z, &an_meta, &p->mb, c);
		if (!rc)
			rc = pz_zones_set_managed(&p->z, &p->mb, UINT64_MAX);
	}
	if (rc)
		return rc;
	pz_wmark_defaults(&w);
	w.min_free_kbytes = p->m->min_free_kbytes;
	rc = pz_zones_set_watermarks(&p->z, &w);
	pz_zones_set_reserves(&p->z, &w);
	return rc;
}

static void layout_areas(struct policy *p)
{
	uint32_t index = 0;

	for (uint32_t n = 0; n < p->z.node_count; n++) {
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &p->z.node[n].zone[t];
			struct policy_area *a;

			if (!z->spanned)
				continue;
			a = vec_push(&p->areas);
			a->zone = z;
			a->index = index++;
			a->type = (enum pz_zone_type)t;
			a->last = ((z->start_pfn + z->spanned) << p->m->page_shift) - 1;
			p->min += z->min;
		}
	}
}

/* What physzone keeps for limited requests: a 256th, 8 to 32 MiB, at most an eighth. */
static uint64_t layout_kept(const struct compare_machine *m)
{
	uint64_t kept = m->managed / 256, mib = (UINT64_C(1) << 20) >> m->page_shift;

	if (kept < 8 * mib)
		kept = 8 * mib;
	if (kept > 32 * mib)
		kept = 32 * mib;
	return kept > m->managed / 8 ? m->managed / 8 : kept;
}

static int layout_pages(struct policy *p, const struct pz_page_owner *owner)
{
	struct pz_page_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	p->bugs.policy = PZ_BUG_IGNORE;
	cfg.meta = &an_meta;
	cfg.zeroed = &layout_meta;
	cfg.zones = &p->z;
	cfg.memblock = &p->mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = 1;
	cfg.policy = p->kind == COMPARE_PHYSZONE ? PZ_POLICY_REACH : PZ_POLICY_ZONELIST;
	cfg.pageblock_order = p->m->pageblock_order;
	cfg.no_grouping = p->m->managed >> p->m->pageblock_order < PZ_MOBILITIES;
	cfg.bugs = &p->bugs;
	if (p->kind == COMPARE_PHYSZONE)
		p->kept = layout_kept(p->m);
	cfg.keep_pages = p->kept ? p->kept : UINT64_MAX;
	rc = pz_pages_create(&p->pages, &cfg);
	if (!rc)
		rc = pz_page_owner_add(p->pages, owner, &p->owner);
	if (!rc && p->has_area)
		rc = pz_cma_activate(p->pages, &p->area, &p->area_id);
	return rc;
}

int policy_make(struct policy *p, const struct compare_machine *m, enum compare_policy kind,
		const struct compare_settings *set, uint64_t widest,
		const struct pz_page_owner *owner, char **err)
{
	struct pz_zone_config c = m->zone;
	int rc;

	memset(p, 0, sizeof(*p));
	p->m = m;
	p->kind = kind;
	rc = pz_memblock_init(&p->mb, &an_meta, m->page_shift);
	if (!rc)
		rc = pz_memblock_copy(&p->mb, &m->mb);
	if (!rc && kind == COMPARE_LIMITED)
		layout_limited(p, &c, set->limit ? set->limit : widest ? widest : UINT32_MAX);
	if (!rc && kind == COMPARE_CMA)
		layout_area(p, &c, set->cma, widest);
	if (!rc)
		rc = layout_zones(p, &c);
	if (!rc)
		rc = layout_pages(p, owner);
	if (rc) {
		*err = xasprintf("cannot make the allocator of policy %s (error %d)",
				 compare_policy_name(kind), rc);
		return EXIT_UNDECIDED;
	}
	layout_areas(p);
	return 0;
}

void policy_destroy(struct policy *p)
{
	pz_pages_destroy(p->pages);
	if (p->z.meta)
		pz_zones_destroy(&p->z);
	if (p->mb.meta)
		pz_memblock_destroy(&p->mb);
	vec_free(&p->areas);
}

static const char *layout_name(const struct policy *p, enum pz_zone_type t)
{
	return p->kind == COMPARE_LIMITED && t == PZ_ZONE_DMA ? "Limited" : pz_zone_name(t);
}

char *policy_layout(const struct policy *p)
{
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];
	struct out text;
	char *s;

	out_init(&text, NULL);
	if (p->kind == COMPARE_PHYSZONE)
		out_printf(&text, "no zone; %s kept for limited requests",
			   view_pages_size(size, p->kept, p->m->page_shift));
	for (size_t i = 0; i < p->areas.n && p->kind != COMPARE_PHYSZONE; i++) {
		const struct policy_area *a = &p->areas.v[i];

		if (a->zone->managed)
			out_printf(&text, "%s%s %s", text.n ? ", " : "", layout_name(p, a->type),
				   view_pages_size(size, a->zone->managed, p->m->page_shift));
	}
	if (p->kind == COMPARE_CMA && p->has_area) {
		out_printf(&text, ", of it an area of %s at %s",
			   view_size(size, pz_range_size(p->area.range)),
			   view_addr(addr, p->area.range.first));
		if (pz_range_size(p->area.range) < p->area_asked)
			out_printf(&text, "; %s do not fit below %s",
				   view_size(size, p->area_asked), view_addr(addr, p->limit + 1));
	} else if (p->kind == COMPARE_CMA)
		out_printf(&text, ", no place for an area below %s", view_addr(addr, p->limit + 1));
	s = xstrdup(out_text(&text));
	out_destroy(&text);
	return s;
}
