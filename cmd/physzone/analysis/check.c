/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - compare what was computed with results that the input states, and look for trouble.
 *
 * Nothing here changes a number: a difference becomes a contradiction that names both sides.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define RANGE_FMT "[mem 0x%016llx-0x%016llx]"
#define RANGE_ARG(first, last) (unsigned long long)(first), (unsigned long long)(last)

static int check_type(const char *name)
{
	for (int t = 0; t < PZ_ZONE_TYPES; t++)
		if (!strcmp(pz_zone_name((enum pz_zone_type)t), name))
			return t;
	return -1;
}

static void check_zone_ranges(struct an_ctx *c)
{
	unsigned int s = c->a->page_shift;

	for (size_t i = 0; i < c->f->zone_ranges.n; i++) {
		const struct fact_zone_range *r = &c->f->zone_ranges.v[i];
		int t = check_type(r->name);
		bool has;
		uint64_t first, last;

		if (t < 0 || t == PZ_ZONE_MOVABLE || t == PZ_ZONE_DEVICE)
			continue;
		has = c->z.arch_has & (1u << t);
		first = c->z.arch_range[t].first << s;
		last = (c->z.arch_range[t].last << s) | ((UINT64_C(1) << s) - 1);
		if (!has && !r->empty)
			an_contradict(c, r->at, "zone %s: computed empty, the log says " RANGE_FMT,
				      r->name, RANGE_ARG(r->range.first, r->range.last));
		else if (has && r->empty)
			an_contradict(c, r->at,
				      "zone %s: computed " RANGE_FMT ", the log says empty",
				      r->name, RANGE_ARG(first, last));
		else if (has && (first != r->range.first || last != r->range.last))
			an_contradict(c, r->at,
				      "zone %s: computed " RANGE_FMT ", the log says " RANGE_FMT,
				      r->name, RANGE_ARG(first, last),
				      RANGE_ARG(r->range.first, r->range.last));
	}
}

static void check_movable(struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->movable.n; i++) {
		const struct fact_movable *m = &c->f->movable.v[i];
		const struct pz_node *node = pz_zones_node(&c->z, m->nid);
		uint64_t addr = node ? node->movable_pfn << c->a->page_shift : 0;

		if (addr != m->addr)
			an_contradict(c, m->at,
				      "node %d: movable memory computed from %#llx, the log says "
				      "%#llx",
				      m->nid, (unsigned long long)addr,
				      (unsigned long long)m->addr);
	}
}

/* The kernel's list of memory by node against the computed one, after merging neighbours. */
static void check_node_ranges(struct an_ctx *c)
{
	struct pz_memblock want;

	if (!c->f->node_ranges.n || pz_memblock_init(&want, &an_meta, c->a->page_shift))
		return;
	for (size_t i = 0; i < c->f->node_ranges.n; i++) {
		const struct fact_node_range *n = &c->f->node_ranges.v[i];

		(void)pz_memblock_add(&want, n->range.first, pz_range_size(n->range),
				      n->nid, 0);
	}
	for (uint32_t i = 0; i < c->mb.memory.count; i++) {
		const struct pz_mb_region *m = &c->mb.memory.v[i];
		uint64_t at = m->range.first;
		bool ok = false;

		for (uint32_t k = 0; k < want.memory.count && !ok; k++) {
			const struct pz_mb_region *w = &want.memory.v[k];

			/* One computed region may be cut by flags that the list does not show. */
			ok = w->nid == m->nid && w->range.first <= at &&
			     w->range.last >= m->range.last;
		}
		if (!ok)
			an_contradict(c, c->f->node_ranges.v[0].at,
				      "memory " RANGE_FMT " on node %d is computed, and not in the "
				      "kernel's \"Early memory node ranges\"",
				      RANGE_ARG(m->range.first, m->range.last), m->nid);
	}
	if (pz_memblock_bytes(&want, PZ_MB_MEMORY) != pz_memblock_bytes(&c->mb, PZ_MB_MEMORY))
		an_contradict(c, c->f->node_ranges.v[0].at,
			      "the kernel lists %llu KiB of memory by node, %llu KiB are computed",
			      (unsigned long long)(pz_memblock_bytes(&want, PZ_MB_MEMORY) >> 10),
			      (unsigned long long)(pz_memblock_bytes(&c->mb, PZ_MB_MEMORY) >> 10));
	pz_memblock_destroy(&want);
}

static void check_count(struct an_ctx *c, const struct fact_zoneinfo *z, const char *what,
			uint64_t computed, uint64_t stated)
{
	if (stated == UINT64_MAX || computed == stated)
		return;
	an_contradict(c, z->at, "node %d zone %s: %s computed %llu, zoneinfo says %llu", z->nid,
		      z->name, what, (unsigned long long)computed, (unsigned long long)stated);
}

static void check_zoneinfo(struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &c->f->zoneinfo.v[i];
		const struct an_zone *r = NULL;
		int t = check_type(z->name);
		uint64_t diff, boost;

		for (size_t n = 0; n < c->a->nodes.n && t >= 0; n++)
			if (c->a->nodes.v[n].nid == z->nid)
				r = &c->a->nodes.v[n].zone[t];
		if (!r) {
			an_contradict(c, z->at, "node %d zone %s: in zoneinfo, and not computed",
				      z->nid, z->name);
			continue;
		}
		check_count(c, z, "start_pfn", r->start_pfn, z->start_pfn);
		check_count(c, z, "spanned", r->spanned, z->spanned);
		check_count(c, z, "present", r->present, z->present);
		if (z->managed == UINT64_MAX)
			continue;
		diff = r->managed > z->managed ? r->managed - z->managed : z->managed - r->managed;
		/* Numbers that are not exact are allowed what they promise. */
		if (diff && (r->managed_from == MANAGED_MEMBLOCK ||
			     (r->managed_from == MANAGED_REPORT && diff * 200 > z->managed) ||
			     !r->managed != !z->managed))
			check_count(c, z, "managed", r->managed, z->managed);
		if (r->managed_from != MANAGED_MEMBLOCK)
			continue;
		/* A boost passes: it is of the moment at which zoneinfo was read. */
		boost = z->boost == UINT64_MAX ? 0 : z->boost;
		check_count(c, z, "min", r->min, z->min - boost);
		check_count(c, z, "low", r->low, z->low - boost);
		check_count(c, z, "high", r->high, z->high - boost);
		for (unsigned int k = 0; k < z->protections && k < r->protections; k++)
			check_count(c, z, "protection", r->protection[k], z->protection[k]);
	}
}

/* The kernel's map of page flags against the layout: pages that were given out, zone by zone. */
static void check_pages(struct an_ctx *c)
{
	for (size_t n = 0; n < c->a->nodes.n && c->f->pages.n; n++) {
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct an_zone *r = &c->a->nodes.v[n].zone[t];
			struct where at = c->f->pages.v[0].at;
			uint64_t got = 0, diff;

			if (!r->spanned)
				continue;
			for (size_t i = 0; i < c->f->pages.n; i++) {
				const struct fact_pages *p = &c->f->pages.v[i];
				struct pz_range both,
					zr = { r->start_pfn, r->start_pfn + r->spanned - 1 };

				if (p->cls == PGC_MANAGED && pz_range_intersect(zr, p->pfns, &both))
					got += both.last - both.first + 1;
			}
			diff = got > r->managed ? got - r->managed : r->managed - got;
			/* Zones that interleave over nodes cannot be told apart by flags. */
			if (c->a->nodes.n > 1)
				continue;
			if (diff && (r->managed_from == MANAGED_MEMBLOCK ||
				     (r->managed_from == MANAGED_REPORT && diff * 200 > got) ||
				     !r->managed != !got))
				an_contradict(
					c, at,
					"zone %s: %llu managed pages computed, the page flags "
					"show %llu",
					pz_zone_name((enum pz_zone_type)t),
					(unsigned long long)r->managed, (unsigned long long)got);
		}
	}
}

/* Totals that the kernel prints while booting: end of RAM, present pages, nodes. */
static void check_totals(struct an_ctx *c)
{
	const struct facts *f = c->f;
	unsigned int s = c->a->page_shift;
	uint64_t present = 0, end = 0;

	for (uint32_t n = 0; n < c->z.node_count; n++)
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			present += c->z.node[n].zone[t].present;
	for (size_t i = 0; i < c->hotplug.n; i++)
		present -= c->hotplug.v[i].last - c->hotplug.v[i].first + 1;
	/* The end counts parts of pages too, which memblock does not have. */
	for (uint32_t i = 0; i < c->map.count; i++)
		if (c->map.v[i].type == PZ_MAP_RAM && end < (c->map.v[i].range.last + 1) >> s)
			end = (c->map.v[i].range.last + 1) >> s;
	if (f->last_pfn && c->map.count && f->last_pfn != end)
		an_contradict(c, f->last_pfn_at,
			      "RAM ends at page %#llx by the map, the log's last_pfn is %#llx",
			      (unsigned long long)end, (unsigned long long)f->last_pfn);
	/* Kernels before 3.11 print the end of memory there. */
	if (f->memory.seen && f->memory.physical != UINT64_MAX &&
	    (!f->release || strtoul(f->release, NULL, 10) >= 4) &&
	    f->memory.physical != present << (s - 10))
		an_contradict(c, f->memory.at, "%llu KiB present computed, the log says %llu KiB",
			      (unsigned long long)(present << (s - 10)),
			      (unsigned long long)f->memory.physical);
	if (f->total_pages > present)
		an_contradict(c, f->total_pages_at,
			      "the log has %llu pages for its zonelists, %llu present are computed",
			      (unsigned long long)f->total_pages, (unsigned long long)present);
	if (f->zonelists && f->initmem.n && f->zonelists != f->initmem.n)
		an_contradict(c, f->total_pages_at,
			      "the log builds zonelists for %u nodes and sets up %zu", f->zonelists,
			      f->initmem.n);
}

static void check_problems(struct an_ctx *c, enum managed_from from)
{
	for (int t = 0; t < PZ_ZONE_TYPES; t++) {
		uint64_t present = 0, managed = 0;

		for (uint32_t n = 0; n < c->z.node_count; n++) {
			present += c->z.node[n].zone[t].present;
			managed += c->z.node[n].zone[t].managed;
		}
		if (!present || managed)
			continue;
		/* Below is where these place everything, the kernel's own place being unknown. */
		if (from == MANAGED_ESTIMATE && c->mb.bottom_up && !c->x86)
			an_note(c, "zone %s may have no managed page, by an estimate",
				pz_zone_name((enum pz_zone_type)t));
		else if (t == PZ_ZONE_DMA)
			an_problem(c,
				   "zone DMA has %llu present pages and none of them is managed: "
				   "every GFP_DMA request fails%s",
				   (unsigned long long)present,
				   c->a->model == PZL_LINUX_5_15
					   ? ", and this kernel makes such requests while booting"
					   : "");
		else
			an_problem(c, "zone %s has %llu present pages and none of them is managed",
				   pz_zone_name((enum pz_zone_type)t), (unsigned long long)present);
	}
}

void an_check(struct an_ctx *c, enum managed_from from)
{
	for (size_t i = 0; i < c->f->contradictions.n; i++) {
		struct fact_contradiction *x = vec_push(&c->a->contradictions);

		x->text = xstrdup(c->f->contradictions.v[i].text);
		x->at = c->f->contradictions.v[i].at;
	}
	if (!c->what_if) {
		check_zone_ranges(c);
		check_totals(c);
		check_movable(c);
		check_node_ranges(c);
		check_zoneinfo(c);
		check_pages(c);
	}
	check_problems(c, from);
}
