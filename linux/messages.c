/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * messages.c - boot lines about zones, in Linux's formats.
 *
 * Concept: each function renders what the kernel's does from the same numbers and hands out whole
 * lines. "Pages in unavailable ranges" are pages of holes that have a page descriptor all the
 * same, because a section of the memory map (arm: a pageblock) that holds any memory is complete.
 * They count for the zone above the hole, and the last ones for the last zone.
 *
 * Invariants: none to keep; nothing is stored.
 *
 * Failure: none. A line that is longer than the buffer is cut (none is).
 *
 * Shortcomings: the lines that only a debug level shows are not rendered.
 */
#include <physzone/linux/messages.h>
#include <physzone/range.h>

#include "pzl_line.h"
#include "pzl_text.h"

static void msg_emit(struct pzl_line *l, pzl_emit_fn emit, void *ctx)
{
	emit(ctx, l->s, l->n);
	l->n = 0;
}

static void msg_text(const char *s, pzl_emit_fn emit, void *ctx)
{
	emit(ctx, s, pzl_strlen(s));
}

static void msg_zone_ranges(const struct pz_zones *z, pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };
	unsigned int t, shift = z->cfg.page_shift;

	msg_text("Zone ranges:", emit, ctx);
	for (t = 0; t < PZ_ZONE_TYPES; t++) {
		if (t == PZ_ZONE_MOVABLE || !(z->cfg.configured & PZL_ZONE_BIT(t)))
			continue;
		pzl_put(&l, "  ");
		pzl_put_pad(&l, pz_zone_name((enum pz_zone_type)t), 8);
		pzl_put(&l, " ");
		if (z->arch_has & PZL_ZONE_BIT(t))
			pzl_put_mem(&l, z->arch_range[t].first << shift,
				    ((z->arch_range[t].last + 1) << shift) - 1);
		else
			pzl_put(&l, "empty");
		msg_emit(&l, emit, ctx);
	}
}

static void msg_movable(const struct pz_zones *z, pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };
	uint32_t i;

	msg_text("Movable zone start for each node", emit, ctx);
	for (i = 0; i < z->node_count; i++) {
		if (!z->node[i].movable_pfn)
			continue;
		pzl_put(&l, "  Node ");
		pzl_put_dec(&l, (uint64_t)z->node[i].nid);
		pzl_put(&l, ": 0x");
		pzl_put_hex(&l, z->node[i].movable_pfn << z->cfg.page_shift, 16);
		msg_emit(&l, emit, ctx);
	}
}

static int32_t msg_nid(const struct pz_mb_region *m)
{
	return m->nid < 0 ? 0 : m->nid;
}

static void msg_node_ranges(const struct pz_zones *z, const struct pz_memblock *mb,
			    pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };
	unsigned int shift = z->cfg.page_shift;
	uint32_t i;

	msg_text("Early memory node ranges", emit, ctx);
	for (i = 0; i < mb->memory.count; i++) {
		int32_t nid = msg_nid(&mb->memory.v[i]);
		struct pz_range pfns;

		if (!pz_range_trim(mb->memory.v[i].range, shift, &pfns))
			continue;
		pzl_put(&l, nid < 10 ? "  node   " : nid < 100 ? "  node  " : "  node ");
		pzl_put_dec(&l, (uint64_t)nid);
		pzl_put(&l, ": ");
		pzl_put_mem(&l, pfns.first << shift, ((pfns.last + 1) << shift) - 1);
		msg_emit(&l, emit, ctx);
	}
}

static void msg_initmem(const struct pz_zones *z, pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };
	unsigned int shift = z->cfg.page_shift;
	uint32_t i;

	for (i = 0; i < z->node_count; i++) {
		const struct pz_node *n = &z->node[i];

		pzl_put(&l, "Initmem setup node ");
		pzl_put_dec(&l, (uint64_t)n->nid);
		if (n->end_pfn > n->start_pfn) {
			pzl_put(&l, " ");
			pzl_put_mem(&l, n->start_pfn << shift, (n->end_pfn << shift) - 1);
		} else {
			pzl_put(&l, " as memoryless");
		}
		msg_emit(&l, emit, ctx);
	}
}

/* How far the memory map reaches around memory. */
struct msg_map {
	const struct pz_memblock *mb;
	unsigned int shift; /* page shift */
	unsigned int bits;  /* log2 of the pages that are complete around any memory; 64: flat */
};

/* Pages of [start, end) that have a descriptor. */
static uint64_t msg_described(const struct msg_map *m, uint64_t start, uint64_t end)
{
	uint64_t pages = 0, done = start, top = 0;
	uint32_t i;

	for (i = 0; i < m->mb->memory.count && done < end; i++) {
		struct pz_range pfns;
		uint64_t from, to;

		if (!pz_range_trim(m->mb->memory.v[i].range, m->shift, &pfns))
			continue;
		if (m->bits == 64) {
			top = pfns.last + 1;
			continue;
		}
		from = pfns.first >> m->bits << m->bits;
		to = ((pfns.last >> m->bits) + 1) << m->bits;
		if (from < done)
			from = done;
		if (to > end)
			to = end;
		if (to > from) {
			pages += to - from;
			done = to;
		}
	}
	if (m->bits == 64) /* a flat map has all pages up to the end of memory */
		return start < top ? (top < end ? top : end) - start : 0;
	return pages;
}

static void msg_unavailable_line(int32_t nid, enum pz_zone_type type, uint64_t pages,
				 pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };

	if (pages == 0)
		return;
	pzl_put(&l, "On node ");
	pzl_put_dec(&l, (uint64_t)nid);
	pzl_put(&l, ", zone ");
	pzl_put(&l, pz_zone_name(type));
	pzl_put(&l, ": ");
	pzl_put_dec(&l, pages);
	pzl_put(&l, " pages in unavailable ranges");
	msg_emit(&l, emit, ctx);
}

static void msg_unavailable(const struct pz_zones *z, const struct msg_map *m, pzl_emit_fn emit,
			    void *ctx)
{
	const struct pz_memblock *mb = m->mb;
	enum pz_zone_type last_type = PZ_ZONE_DMA;
	uint64_t hole = 0, end = 0;
	int32_t last_nid = 0;
	uint32_t i;

	for (i = 0; i < mb->memory.count; i++) {
		const struct pz_node *n;
		struct pz_range pfns;
		unsigned int t;

		if (!pz_range_trim(mb->memory.v[i].range, m->shift, &pfns))
			continue;
		last_nid = msg_nid(&mb->memory.v[i]);
		end = pfns.last + 1;
		n = pz_zones_node(z, last_nid);
		for (t = 0; n && t < PZ_ZONE_TYPES; t++) {
			uint64_t s = n->zone[t].start_pfn, e = s + n->zone[t].spanned;
			uint64_t first = pfns.first > s ? pfns.first : s;
			uint64_t stop = end < e ? end : e;

			if (n->zone[t].present == 0)
				continue;
			last_type = (enum pz_zone_type)t;
			if (first >= stop)
				continue;
			if (hole < first)
				msg_unavailable_line(last_nid, last_type,
						     msg_described(m, hole, first), emit, ctx);
			hole = stop;
		}
	}
	if (m->bits < 64)
		end = (end + ((uint64_t)1 << m->bits) - 1) >> m->bits << m->bits;
	if (hole < end)
		msg_unavailable_line(last_nid, last_type, msg_described(m, hole, end), emit, ctx);
}

void pzl_print_zones(enum pzl_model model, const struct pz_zones *z, const struct pz_memblock *mb,
		     enum pzl_arch arch, bool pae, pzl_emit_fn emit, void *ctx)
{
	struct msg_map m = { mb, z->cfg.page_shift, 64 };
	unsigned int section = pzl_section_bits(arch, z->cfg.page_shift);

	if (arch == PZL_ARCH_ARM)
		m.bits = pzl_pageblock_order(arch, z->cfg.page_shift, pae);
	else if (section > z->cfg.page_shift)
		m.bits = section - z->cfg.page_shift;
	msg_zone_ranges(z, emit, ctx);
	msg_movable(z, emit, ctx);
	msg_node_ranges(z, mb, emit, ctx);
	msg_initmem(z, emit, ctx);
	if (pzl_model_facts(model))
		msg_unavailable(z, &m, emit, ctx);
}

void pzl_print_memory(const struct pzl_memory_line *m, pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };
	const struct {
		uint64_t kib;
		const char *what;
	} part[] = {
		{ m->code, "K kernel code, " }, { m->rwdata, "K rwdata, " },
		{ m->rodata, "K rodata, " },	{ m->init, "K init, " },
		{ m->bss, "K bss, " },		{ m->reserved, "K reserved, " },
		{ m->cma, "K cma-reserved" },
	};
	unsigned int i;

	pzl_put(&l, "Memory: ");
	pzl_put_dec(&l, m->free);
	pzl_put(&l, "K/");
	pzl_put_dec(&l, m->physical);
	pzl_put(&l, "K available (");
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		pzl_put_dec(&l, part[i].kib);
		pzl_put(&l, part[i].what);
	}
	if (m->has_highmem) {
		pzl_put(&l, ", ");
		pzl_put_dec(&l, m->highmem);
		pzl_put(&l, "K highmem");
	}
	pzl_put(&l, ")");
	msg_emit(&l, emit, ctx);
}

void pzl_print_zonelists(unsigned int zonelists, bool grouping, uint64_t total_pages,
			 const char *policy_zone, pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };

	pzl_put(&l, "Built ");
	pzl_put_dec(&l, zonelists);
	pzl_put(&l, " zonelists, mobility grouping ");
	pzl_put(&l, grouping ? "on" : "off");
	pzl_put(&l, ".  Total pages: ");
	pzl_put_dec(&l, total_pages);
	msg_emit(&l, emit, ctx);
	if (policy_zone) {
		pzl_put(&l, "Policy zone: ");
		pzl_put(&l, policy_zone);
		msg_emit(&l, emit, ctx);
	}
}
