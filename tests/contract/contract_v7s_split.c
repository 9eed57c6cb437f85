/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_v7s_split.c - translation tables: pages that are unmapped in part, what caches of
 * translations are told meanwhile, and second levels that come and go.
 *
 * At each call of a hook the tables are read: what is not being unmapped leads where it did, but
 * for a page that PZ_V7S_BREAK_FIRST breaks; what a cache is told to forget cannot be read again.
 */
#include "suites_decl.h"
#include "v7s_box.h"

#define RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)
#define MIB VB_SPAN
#define CS_MAPS 4u

static const uint32_t cs_size[4] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };

struct cs_map {
	uint64_t iova, phys, size;
	uint32_t prot, page;
};

/* What is mapped, and what is being unmapped. */
struct cs_watch {
	struct cs_map map[CS_MAPS];
	uint32_t maps;
	uint64_t cut, cut_size;
	bool bad, split; /* a page is to be broken first */
};

struct cs_box {
	struct v7s_box b;
	struct cs_watch w;
};

/* [iova, iova + size) of a map, without [hole, hole + hole_size). */
static bool cs_reads_but(const struct v7s_box *b, const struct cs_map *m, uint64_t hole,
			 uint64_t hole_size)
{
	uint64_t end = m->iova + m->size, hole_end = hole + hole_size;
	uint64_t lower = hole < end ? hole : end, upper = hole_end > m->iova ? hole_end : m->iova;

	return (lower <= m->iova || vb_reads(b, m->iova, lower - m->iova, m->phys, m->prot, 0)) &&
	       (upper >= end ||
		vb_reads(b, upper, end - upper, m->phys + (upper - m->iova), m->prot, 0));
}

static void cs_look(struct v7s_box *b, const struct vb_event *e)
{
	struct cs_watch *w = b->look_ctx;
	uint64_t hole = w->cut, size = w->cut_size;

	w->bad |= e->what == VB_FLUSH_ALL || !e->size || !e->granule ||
		  (e->iova | e->size) & (e->granule - 1);
	if (e->what == VB_FLUSH_ALL)
		return;
	if (b->cfg.quirks & PZ_V7S_BREAK_FIRST && w->split && e->what == VB_FLUSH_WALK) {
		/* Then nothing of the page can be read. */
		w->bad |= !vb_reads_nothing(b, e->iova, e->size);
		if (e->iova < hole) {
			size += hole - e->iova;
			hole = e->iova;
		}
		if (e->iova + e->size > hole + size)
			size = e->iova + e->size - hole;
	} else if (e->what == VB_ADD) {
		w->bad |= !vb_reads_nothing(b, e->iova, e->size);
	}
	for (uint32_t i = 0; i < w->maps; i++)
		w->bad |= !cs_reads_but(b, &w->map[i], hole, size);
}

static bool cs_open(struct cs_box *c, struct tap *t, uint32_t quirks)
{
	vb_clear(&c->w, sizeof(c->w));
	if (!vb_open(&c->b, t, 96))
		return false;
	c->b.cfg.quirks = quirks;
	c->b.look = cs_look;
	c->b.look_ctx = &c->w;
	return CHECK(t, vb_make(&c->b) == 0);
}

static void cs_close(struct cs_box *c, struct tap *t)
{
	c->b.look = NULL;
	CHECK(t, pz_v7s_check(c->b.v) == 0);
	vb_drop(&c->b);
	vb_close(&c->b, t);
}

/* Map @size bytes in pages of @page, and remember them. */
static bool cs_map(struct cs_box *c, uint64_t iova, uint64_t phys, uint64_t size, uint32_t page,
		   uint32_t prot)
{
	uint64_t pages = size >> __builtin_ctz(page);

	c->w.map[c->w.maps++] = (struct cs_map){ iova, phys, size, prot, page };
	return pz_v7s_map_pages(c->b.v, 0, 0, iova, phys, page, pages, prot) == 0 &&
	       c->b.events == 0;
}

static int cs_unmap(struct cs_box *c, uint64_t iova, uint64_t size, uint32_t flags)
{
	uint64_t done = 0;
	int rc;

	c->b.events = 0;
	c->w.cut = iova;
	c->w.cut_size = size;
	c->w.bad = false;
	rc = pz_v7s_unmap(c->b.v, 0, 0, iova, size, flags, &c->w, &done);
	return rc ? rc : done == size && !c->w.bad ? 0 : -1;
}

/* All that is remembered, but for the range that was unmapped last. */
static bool cs_rest(struct cs_box *c)
{
	const struct cs_watch *w = &c->w;

	for (uint32_t i = 0; i < w->maps; i++)
		if (!cs_reads_but(&c->b, &w->map[i], w->cut, w->cut_size))
			return false;
	return vb_nowhere(&c->b, w->cut, w->cut_size) && pz_v7s_check(c->b.v) == 0;
}

/* Whether exactly these were told; the gather is that of the request. */
static bool cs_told(const struct cs_box *c, const struct vb_event *want, uint32_t n)
{
	if (c->b.events != n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct vb_event *e = &c->b.event[i];

		if (e->what != want[i].what || e->iova != want[i].iova || e->size != want[i].size ||
		    e->granule != want[i].granule || (e->what == VB_ADD && e->gather != &c->w))
			return false;
	}
	return true;
}

#define WALK(iova, size, granule)                        \
	{                                                \
		VB_FLUSH_WALK, iova, size, granule, NULL \
	}
#define ADD(iova, size, granule)                  \
	{                                         \
		VB_ADD, iova, size, granule, NULL \
	}
#define TOLD(c, ...)                                         \
	cs_told(c, (const struct vb_event[]){ __VA_ARGS__ }, \
		sizeof((const struct vb_event[]){ __VA_ARGS__ }) / sizeof(struct vb_event))

/* Whole pages go: each is told once, and by nothing else. */
static void cs_whole(struct tap *t, struct cs_box *c)
{
	if (!cs_open(c, t, 0))
		return;
	CHECK(t, cs_map(c, 0x11f0000, 0x7000000, 0x10000, PZ_V7S_64K, RW));
	CHECK(t, cs_map(c, 0x1200000, 0x8000000, 3 * MIB, PZ_V7S_1M, RW));
	CHECK(t, cs_map(c, 0x2000000, 0x9000000, 32 * MIB, PZ_V7S_16M, PZ_IOMMU_READ));
	CHECK(t, cs_map(c, 0x4010000, 0x10000, 0x30000, PZ_V7S_4K, RW | PZ_IOMMU_CACHE));
	CHECK(t, cs_unmap(c, 0x4011000, 0x1000, 0) == 0 && cs_rest(c));
	CHECK(t, TOLD(c, ADD(0x4011000, 0x1000, PZ_V7S_4K)));
	c->w.maps = 3;
	CHECK(t, cs_unmap(c, 0x1300000, MIB, 0) == 0 && cs_rest(c));
	CHECK(t, TOLD(c, ADD(0x1300000, MIB, PZ_V7S_1M)));
	CHECK(t, cs_map(c, 0x1300000, 0x8100000, MIB, PZ_V7S_1M, RW) || c->b.events == 1);
	c->w.maps = 3;
	CHECK(t, cs_unmap(c, 0x3000000, 16 * MIB, 0) == 0 && cs_rest(c));
	CHECK(t, TOLD(c, ADD(0x3000000, 16 * MIB, PZ_V7S_16M)));
	c->w.map[2].size = 16 * MIB;
	CHECK_NAMED(t, cs_unmap(c, 0x11f0000, 0x10000 + 3 * MIB, 0) == 0 && cs_rest(c),
		    "pages of two sizes");
	CHECK(t, TOLD(c, ADD(0x11f0000, 0x10000, PZ_V7S_64K), ADD(0x1200000, MIB, PZ_V7S_1M),
		      ADD(0x1300000, MIB, PZ_V7S_1M), ADD(0x1400000, MIB, PZ_V7S_1M)));
	cs_close(c, t);
}

/* What a mixture tells, in whatever portions: all that went, once, in pages of its size. */
static void cs_mixture(struct tap *t, struct cs_box *c)
{
	uint64_t told = 0;
	bool right = true;

	if (!cs_open(c, t, 0))
		return;
	CHECK(t, cs_map(c, 0x100000, 0x100000, 0x10000, PZ_V7S_4K, RW));
	CHECK(t, cs_map(c, 0x110000, 0x300000, 0x20000, PZ_V7S_64K, PZ_IOMMU_READ));
	CHECK(t, cs_map(c, 0x130000, 0x130000, 0x3000, PZ_V7S_4K, RW));
	CHECK_NAMED(t, cs_unmap(c, 0x104000, 0x2f000, 0) == 0 && cs_rest(c), "a mixture goes");
	for (uint32_t i = 0; i < c->b.events; i++) {
		const struct vb_event *e = &c->b.event[i];
		bool large = e->iova >= 0x110000 && e->iova + e->size <= 0x130000;

		right &= e->what == VB_ADD && e->granule == (large ? PZ_V7S_64K : PZ_V7S_4K) &&
			 e->iova == 0x104000 + told;
		told += e->size;
	}
	CHECK_NAMED(t, right && told == 0x2f000, "each page is told once, in its size");
	cs_close(c, t);
}

/* Holes in what is unmapped are not told. */
static void cs_holes(struct tap *t, struct cs_box *c)
{
	if (!cs_open(c, t, 0))
		return;
	CHECK(t, cs_map(c, 0x101000, 0x1000, 0x1000, PZ_V7S_4K, RW));
	CHECK(t, cs_map(c, 0x110000, 0x10000, 0x10000, PZ_V7S_64K, RW));
	CHECK(t, cs_map(c, 0x123000, 0x3000, 0x2000, PZ_V7S_4K, RW));
	CHECK(t, cs_unmap(c, 0x100000, 0xf0000, 0) == -PZ_ENOENT && cs_rest(c));
	CHECK(t, TOLD(c, ADD(0x101000, 0x1000, PZ_V7S_4K), ADD(0x110000, 0x10000, PZ_V7S_64K),
		      ADD(0x123000, 0x2000, PZ_V7S_4K)));
	CHECK(t, cs_unmap(c, 0x101000, 0x10000, 0) == -PZ_ENOENT && c->b.events == 0);
	cs_close(c, t);
}

/* A whole MiB takes its second level along. */
static void cs_table_goes(struct tap *t, struct cs_box *c)
{
	struct cs_map *first = &c->w.map[0];

	if (!cs_open(c, t, 0))
		return;
	CHECK(t, cs_map(c, 0x1ff000, 0x77000, 2 * MIB, PZ_V7S_4K, RW) && vb_tables(&c->b) == 3);
	CHECK(t, cs_unmap(c, 0x200000, MIB, 0) == 0 && cs_rest(c));
	CHECK(t, TOLD(c, WALK(0x200000, MIB, PZ_V7S_4K)) && vb_tables(&c->b) == 2);
	first->iova = 0x300000;
	first->phys = 0x77000 + MIB + 0x1000;
	first->size = MIB - 0x1000;
	CHECK_NAMED(t, cs_unmap(c, 0x300000, MIB - 0x1000, PZ_V7S_QUEUED) == 0 && cs_rest(c),
		    "its pages alone do not");
	CHECK_NAMED(t, c->b.events == 0 && vb_tables(&c->b) == 2, "queued: pages are not told");
	first->size = 0;
	CHECK_NAMED(t, cs_unmap(c, 0x300000, MIB, PZ_V7S_QUEUED) == -PZ_ENOENT,
		    "a second level without a page");
	CHECK_NAMED(t, TOLD(c, WALK(0x300000, MIB, PZ_V7S_4K)) && vb_tables(&c->b) == 1,
		    "queued or not: nobody may walk to where it was");
	cs_close(c, t);
}

/* --- splits --- */

/* What splitting a page of @level tells, 1 for 64 KiB to 3 for 16 MiB, for a part of it. */
static uint32_t cs_expect(uint32_t quirks, uint32_t level, uint64_t page, uint64_t at,
			  uint64_t size, struct vb_event *e)
{
	bool first = quirks & PZ_V7S_BREAK_FIRST;
	uint32_t n = 0;

	if (level == 3) {
		e[n++] = (struct vb_event)WALK(page, PZ_V7S_16M, first ? PZ_V7S_16M : PZ_V7S_1M);
		page = at & ~(MIB - 1);
		if (size == MIB) {
			e[n++] = (struct vb_event)ADD(page, MIB, PZ_V7S_1M);
			return n;
		}
	}
	e[n++] = (struct vb_event)WALK(page, cs_size[level > 1 ? 2 : 1],
				       first ? cs_size[level > 1 ? 2 : 1] : PZ_V7S_4K);
	return n;
}

static void cs_part(struct tap *t, uint32_t level, uint64_t page, uint64_t at, uint64_t size,
		    struct cs_box *c)
{
	uint32_t quirks = c->b.cfg.quirks, n, before = (uint32_t)vb_tables(&c->b);
	struct vb_event e[3];
	struct pz_v7s_stat s0, s1;
	bool ok;

	c->w.maps = 0;
	pz_v7s_stat(c->b.v, &s0);
	c->b.events = 0;
	ok = cs_map(c, page, 0x9000000 + page, cs_size[level], cs_size[level], PZ_IOMMU_READ);
	c->w.split = true;
	ok = ok && cs_unmap(c, at, size, 0) == 0 && cs_rest(c);
	c->w.split = false;
	CHECK_NAMED(t, ok, "the rest of a split page leads where it did, all the while");
	n = cs_expect(quirks, level, page, at, size, e);
	CHECK_NAMED(t, cs_told(c, e, n), "caches are told of the split page, once");
	pz_v7s_stat(c->b.v, &s1);
	CHECK(t, s1.splits == s0.splits + (level == 3 && size != MIB ? 2 : 1));
	CHECK(t, vb_tables(&c->b) == before + (size != MIB && level > 1) + (level == 1));
	/* All of it goes, and what is told is what was left. */
	ok = vb_unmap(&c->b, page, cs_size[level], NULL) == -PZ_ENOENT &&
	     vb_nowhere(&c->b, page, cs_size[level]);
	CHECK_NAMED(t, ok, "the rest can be unmapped");
	(void)pz_v7s_trim(c->b.v, 0, page, cs_size[level]);
	CHECK(t, vb_tables(&c->b) == before);
	c->b.events = 0;
}

static void cs_splits(struct tap *t, struct cs_box *c, uint32_t quirks)
{
	if (!cs_open(c, t, quirks))
		return;
	for (uint32_t k = 0; k < 16; k++) {
		uint64_t mib = 0x3000000 + k * MIB, large = 0x10000 * (uint64_t)k;

		cs_part(t, 1, 0x30000, 0x30000 + 0x1000 * k, 0x1000, c);
		cs_part(t, 2, 0x200000, 0x200000 + large, 0x10000, c);
		cs_part(t, 2, 0x200000, 0x200000 + large + 0x1000 * k, 0x1000, c);
		cs_part(t, 3, 0x3000000, mib, MIB, c);
		cs_part(t, 3, 0x3000000, mib + large, 0x10000, c);
		cs_part(t, 3, 0x3000000, mib + large + 0xf000, 0x1000, c);
	}
	cs_close(c, t);
}

/* What stays of 64 KiB in a row is a page of 64 KiB. */
static void cs_pieces(struct tap *t, struct cs_box *c)
{
	struct v7s_box *b = &c->b;

	if (!cs_open(c, t, 0))
		return;
	CHECK(t, cs_map(c, 0x1000000, 0x5000000, 16 * MIB, PZ_V7S_16M, RW | PZ_IOMMU_NOEXEC));
	CHECK(t, cs_unmap(c, 0x172f000, 0x2000, 0) == 0);
	CHECK(t, vb_leads(b, 0x1000000, 7 * MIB, 0x5000000, RW | PZ_IOMMU_NOEXEC, PZ_V7S_1M));
	CHECK(t, vb_leads(b, 0x1800000, 8 * MIB, 0x5800000, RW | PZ_IOMMU_NOEXEC, PZ_V7S_1M));
	CHECK(t, vb_leads(b, 0x1700000, 0x20000, 0x5700000, RW | PZ_IOMMU_NOEXEC, PZ_V7S_64K));
	CHECK(t, vb_leads(b, 0x1720000, 0xf000, 0x5720000, RW | PZ_IOMMU_NOEXEC, PZ_V7S_4K));
	CHECK(t, vb_leads(b, 0x1731000, 0xf000, 0x5731000, RW | PZ_IOMMU_NOEXEC, PZ_V7S_4K));
	CHECK(t, vb_leads(b, 0x1740000, 0xc0000, 0x5740000, RW | PZ_IOMMU_NOEXEC, PZ_V7S_64K));
	CHECK_NAMED(t, cs_unmap(c, 0x100f000, 9 * MIB, 0) == -PZ_ENOENT && cs_rest(c),
		    "from one split into another");
	cs_close(c, t);
}

/* The two errors of Linux's code, facts section 1. */
static void cs_upstream(struct tap *t, struct cs_box *c)
{
	uint64_t phys = 0, done = 0;

	if (!cs_open(c, t, 0))
		return;
	c->b.look = NULL;
	CHECK(t, vb_map(&c->b, 0x100000, 0x40000000, MIB, RW) == 0);
	CHECK(t, vb_unmap(&c->b, 0x101000, 0x1000, &done) == 0 && done == 0x1000);
	CHECK_NAMED(t, pz_v7s_lookup(c->b.v, 0x180000, &phys) == 0 && phys == 0x40080000,
		    "a split section keeps its base");
	CHECK(t, vb_leads(&c->b, 0x102000, MIB - 0x2000, 0x40002000, RW, 0));
	for (uint32_t k = 0; k < 16; k++) {
		CHECK(t, vb_map(&c->b, 0x1000000, 0x40000000, 16 * MIB, RW) == 0);
		CHECK_NAMED(t,
			    vb_unmap(&c->b, 0x1000000 + k * MIB + 0x5000, 0x1000, &done) == 0 &&
				    done == 0x1000 &&
				    pz_v7s_lookup(c->b.v, 0x1000000 + k * MIB + 0x5000, &phys) ==
					    -PZ_ENOENT,
			    "a piece in each section of a supersection can be unmapped");
		CHECK(t, vb_leads(&c->b, 0x1000000 + k * MIB, 0x5000, 0x40000000 + k * MIB, RW, 0));
		CHECK(t, vb_unmap(&c->b, 0x1000000, 16 * MIB, &done) == -PZ_ENOENT &&
				 done == 16 * MIB - 0x1000);
	}
	cs_close(c, t);
}

/* Both ends of one range split pages, and what lies between goes. */
static void cs_across(struct tap *t, struct cs_box *c, uint32_t quirks)
{
	if (!cs_open(c, t, quirks))
		return;
	CHECK(t, cs_map(c, 0x1000000, 0x5000000, 16 * MIB, PZ_V7S_16M, RW));
	CHECK(t, cs_map(c, 0x2000000, 0x7100000, 2 * MIB, PZ_V7S_1M, PZ_IOMMU_READ));
	CHECK(t, cs_map(c, 0x2200000, 0x9990000, 0xa0000, PZ_V7S_64K, RW));
	CHECK(t, cs_map(c, 0x22a0000, 0xa000000, 0x60000 + MIB, PZ_V7S_4K, RW | PZ_IOMMU_PRIV));
	c->w.split = true;
	CHECK(t, cs_unmap(c, 0x1fff000, 2 * MIB + 0x56000, 0) == 0 && cs_rest(c));
	c->w.split = false;
	CHECK_NAMED(t,
		    vb_leads(&c->b, 0x1ff0000, 0xf000, 0x5ff0000, RW, PZ_V7S_4K) &&
			    vb_leads(&c->b, 0x2255000, 0xb000, 0x99e5000, RW, PZ_V7S_4K) &&
			    vb_leads(&c->b, 0x2260000, 0x40000, 0x99f0000, RW, PZ_V7S_64K),
		    "both ends are split");
	cs_close(c, t);
}

/* --- second levels --- */

static void cs_give_back(struct tap *t, struct cs_box *c)
{
	struct pz_v7s_stat s;

	if (!cs_open(c, t, PZ_V7S_GIVE_BACK))
		return;
	CHECK(t, cs_map(c, 0x100000, 0x5000, 0x2000, PZ_V7S_4K, RW) && vb_tables(&c->b) == 1);
	CHECK(t, cs_unmap(c, 0x100000, 0x1000, 0) == 0 && cs_rest(c) && vb_tables(&c->b) == 1);
	CHECK(t, TOLD(c, ADD(0x100000, 0x1000, PZ_V7S_4K)));
	c->w.maps = 0;
	CHECK(t, cs_unmap(c, 0x101000, 0x1000, 0) == 0 && vb_tables(&c->b) == 0);
	CHECK_NAMED(t, TOLD(c, WALK(0x100000, MIB, PZ_V7S_4K)), "the last page takes it along");
	c->b.events = 0;
	CHECK(t, cs_map(c, 0x2f0000, 0x10000, 0x20000, PZ_V7S_64K, RW) && vb_tables(&c->b) == 2);
	c->w.maps = 0;
	CHECK(t, cs_unmap(c, 0x2f0000, 0x20000, PZ_V7S_QUEUED) == 0 && vb_tables(&c->b) == 0);
	CHECK(t, TOLD(c, WALK(0x200000, MIB, PZ_V7S_4K), WALK(0x300000, MIB, PZ_V7S_4K)));
	c->b.events = 0;
	CHECK(t, cs_map(c, 0x400000, 0x400000, 2 * MIB, PZ_V7S_1M, RW));
	CHECK_NAMED(t, cs_unmap(c, 0x4ff000, 0x2000, 0) == 0 && cs_rest(c) && vb_tables(&c->b) == 2,
		    "second levels of splits");
	c->w.maps = 0;
	CHECK(t, cs_unmap(c, 0x400000, 0xff000, 0) == 0 && vb_tables(&c->b) == 1);
	CHECK(t, cs_unmap(c, 0x501000, 0xff000, 0) == 0 && vb_tables(&c->b) == 0);
	pz_v7s_stat(c->b.v, &s);
	CHECK(t, s.made == 5 && s.returned == 5 && s.splits == 2 && s.table_bytes == 16384);
	cs_close(c, t);
}

static void cs_trim(struct tap *t, struct cs_box *c)
{
	if (!cs_open(c, t, 0))
		return;
	CHECK(t, cs_map(c, 0x100000, 0x1000, 5 * MIB, PZ_V7S_4K, RW) && vb_tables(&c->b) == 5);
	CHECK(t, pz_v7s_trim(c->b.v, 0, 0, UINT64_MAX) == 0 && c->b.events == 0);
	for (uint32_t k = 0; k < 4; k++) {
		CHECK(t, vb_unmap(&c->b, (1 + k) * MIB, 0x1000, NULL) == 0);
		CHECK(t, vb_unmap(&c->b, (1 + k) * MIB + 0x1000, MIB - 0x1000, NULL) == 0);
	}
	CHECK_NAMED(t, vb_tables(&c->b) == 5, "second levels stay");
	c->w.maps = 0;
	c->b.events = 0;
	CHECK(t, pz_v7s_trim(c->b.v, 0, 0x200000, 0) == 0);
	CHECK(t, pz_v7s_trim(c->b.v, 0, 0x100000000, UINT64_MAX) == 0);
	CHECK(t, pz_v7s_trim(c->b.v, 0, 0x200000, MIB) == 1 && vb_tables(&c->b) == 4);
	CHECK(t, TOLD(c, WALK(0x200000, MIB, PZ_V7S_4K)));
	c->b.events = 0;
	CHECK(t, pz_v7s_trim(c->b.v, 0, 0, UINT64_MAX) == 3 && vb_tables(&c->b) == 1);
	CHECK(t, TOLD(c, WALK(0x100000, MIB, PZ_V7S_4K), WALK(0x300000, MIB, PZ_V7S_4K),
		      WALK(0x400000, MIB, PZ_V7S_4K)));
	CHECK(t, vb_leads(&c->b, 0x500000, MIB, 0x401000, RW, PZ_V7S_4K));
	cs_close(c, t);
}

/* A page of 1 MiB or 16 MiB where second levels are. */
static void cs_over(struct tap *t, struct cs_box *c)
{
	if (!cs_open(c, t, 0))
		return;
	for (uint32_t k = 0; k < 3; k++)
		CHECK(t, vb_map(&c->b, 0x1000000 + 7 * k * MIB, 0x1000, 0x1000, RW) == 0);
	CHECK(t, vb_map(&c->b, 0x1000000, 0x5000000, 16 * MIB, RW) == -PZ_EEXIST);
	CHECK(t, vb_map(&c->b, 0x1700000, 0x5000000, MIB, RW) == -PZ_EEXIST);
	CHECK(t, c->b.events == 0 && vb_tables(&c->b) == 3);
	CHECK(t, vb_leads(&c->b, 0x1700000, 0x1000, 0x1000, RW, PZ_V7S_4K));
	for (uint32_t k = 0; k < 3; k++)
		CHECK(t, vb_unmap(&c->b, 0x1000000 + 7 * k * MIB, 0x1000, NULL) == 0);
	c->b.events = 0;
	CHECK_NAMED(t, vb_map(&c->b, 0x1700000, 0x5000000, MIB, RW) == 0 && vb_tables(&c->b) == 2,
		    "an empty second level makes room");
	CHECK(t, TOLD(c, WALK(0x1700000, MIB, PZ_V7S_4K)));
	CHECK(t, vb_leads(&c->b, 0x1700000, MIB, 0x5000000, RW, PZ_V7S_1M));
	CHECK(t, vb_unmap(&c->b, 0x1700000, MIB, NULL) == 0);
	c->b.events = 0;
	CHECK(t, vb_map(&c->b, 0x1000000, 0x5000000, 16 * MIB, RW) == 0 && vb_tables(&c->b) == 0);
	CHECK(t, TOLD(c, WALK(0x1000000, MIB, PZ_V7S_4K), WALK(0x1e00000, MIB, PZ_V7S_4K)));
	CHECK(t, vb_leads(&c->b, 0x1000000, 16 * MIB, 0x5000000, RW, PZ_V7S_16M));
	cs_close(c, t);
}

/* --- which sizes are in use, and how long addresses are --- */

/* A page of @size, from which the smallest page goes at @at. */
static void cs_subset_split(struct tap *t, struct cs_box *c, uint32_t size, uint32_t at)
{
	uint32_t sizes = c->b.cfg.sizes, least = sizes & -sizes;
	bool needs_mib = size == PZ_V7S_16M && least < PZ_V7S_16M && !(sizes & PZ_V7S_1M);
	struct pz_v7s_page q = { 0, 0, 0, 0, 0 };
	bool ok = true;

	c->w.maps = 0;
	c->b.events = 0;
	if (!CHECK(t, cs_map(c, 0x1000000, 0x2000000, size, size, RW)))
		return;
	if (needs_mib) {
		vb_keep(&c->b);
		ok = vb_unmap(&c->b, 0x1000000 + at, least, NULL) == -PZ_EINVAL && vb_same(&c->b) &&
		     vb_unmap(&c->b, 0x1000000 + at, size - at, NULL) == (at ? -PZ_EINVAL : 0);
		CHECK_NAMED(t, ok, "there are no pages for the pieces");
		(void)vb_unmap(&c->b, 0x1000000, size, NULL);
		return;
	}
	ok = cs_unmap(c, 0x1000000 + at, least, 0) == 0 && cs_rest(c);
	for (uint64_t x = 0x1000000; x < 0x1000000 + size; x += q.size) {
		if (pz_v7s_query(c->b.v, x, &q))
			q.size = least;
		ok &= !!(q.size & sizes);
	}
	CHECK_NAMED(t, ok, "pieces are of sizes in use");
	(void)vb_unmap(&c->b, 0x1000000, size, NULL);
	(void)pz_v7s_trim(c->b.v, 0, 0, UINT64_MAX);
	CHECK(t, vb_nowhere(&c->b, 0x1000000, size) && vb_tables(&c->b) == 0);
}

static void cs_subsets(struct tap *t, struct cs_box *c)
{
	for (uint32_t set = 1; set < 16; set++) {
		uint32_t sizes = 0, least;

		for (uint32_t k = 0; k < 4; k++)
			sizes |= set >> k & 1 ? cs_size[k] : 0;
		least = sizes & -sizes;
		vb_clear(&c->w, sizeof(c->w));
		if (!vb_open(&c->b, t, 96))
			return;
		c->b.cfg.sizes = sizes;
		if (!CHECK(t, vb_make(&c->b) == 0))
			return;
		for (uint32_t k = 0; k < 4; k++) {
			if (!(sizes & cs_size[k])) {
				CHECK(t, pz_v7s_map_pages(c->b.v, 0, 0, 0x1000000, 0, cs_size[k], 1,
							  RW) == -PZ_EINVAL);
				continue;
			}
			cs_subset_split(t, c, cs_size[k], 0);
			cs_subset_split(t, c, cs_size[k], cs_size[k] - least);
			cs_subset_split(t, c, cs_size[k], (cs_size[k] / 2) & ~(least - 1));
		}
		CHECK(t, vb_map(&c->b, least / 2, 0, least, RW) == -PZ_EINVAL);
		CHECK(t, vb_map(&c->b, 0, least / 2, least, RW) == -PZ_EINVAL);
		CHECK(t, vb_map(&c->b, 0, 0, least + least / 2, RW) == -PZ_EINVAL);
		CHECK(t, vb_unmap(&c->b, least / 2, least, NULL) == -PZ_EINVAL);
		CHECK(t, vb_unmap(&c->b, 0, least / 2, NULL) == -PZ_EINVAL);
		CHECK(t, vb_map(&c->b, 16 * MIB, least, 32 * MIB, RW) == 0);
		CHECK(t, vb_leads(&c->b, 16 * MIB, 32 * MIB, least, RW, 0));
		CHECK(t, vb_unmap(&c->b, 16 * MIB, 32 * MIB, NULL) == 0);
		cs_close(c, t);
	}
}

/* All lengths of addresses: the last page is there, the next is not. */
static void cs_lengths(struct tap *t, struct cs_box *c)
{
	struct v7s_box *b = &c->b;

	for (uint32_t ias = 20; ias <= 34; ias++) {
		uint64_t top = (uint64_t)1 << ias, phys = (uint64_t)1 << (ias < 33 ? 32 : 35);
		uint64_t half = top >= 32 * MIB ? 16 * MIB : top / 2;

		if (!vb_open(b, t, 96))
			return;
		b->cfg.ias = ias;
		if (ias > 32) {
			b->cfg.quirks = PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT;
			b->cfg.oas = 35;
		}
		if (!CHECK(t, vb_make(b) == 0))
			return;
		CHECK(t, vb_map(b, top - 0x1000, phys - 0x1000, 0x1000, RW) == 0);
		CHECK(t, vb_leads(b, top - 0x1000, 0x1000, phys - 0x1000, RW, PZ_V7S_4K));
		vb_keep(b);
		CHECK(t, vb_map(b, top, 0, 0x1000, RW) == -PZ_ERANGE);
		CHECK(t, vb_map(b, top - half, 0, half + 0x1000, RW) == -PZ_ERANGE);
		CHECK(t, vb_map(b, 0, phys, 0x1000, RW) == -PZ_ERANGE);
		CHECK(t, vb_map(b, 0, phys - 0x1000, 0x2000, RW) == -PZ_ERANGE);
		CHECK(t, vb_unmap(b, top - 0x1000, 0x2000, NULL) == -PZ_ERANGE && vb_same(b));
		CHECK(t, vb_unmap(b, top - 0x1000, 0x1000, NULL) == 0);
		CHECK(t, vb_map(b, top - half, phys - half, half, PZ_IOMMU_READ) == 0);
		CHECK(t, vb_leads(b, top - half, half, phys - half, PZ_IOMMU_READ, 0));
		CHECK(t, vb_unmap(b, 0, top, NULL) == -PZ_ENOENT);
		CHECK(t, vb_nowhere(b, top - half, half) && vb_tables(b) == 0);
		CHECK(t, pz_v7s_check(b->v) == 0);
		vb_drop(b);
		vb_close(b, t);
	}
}

void contract_v7s_split(struct tap *t)
{
	struct cs_box *c = t->meta->alloc(t->meta->ctx, sizeof(*c));

	if (!CHECK_NAMED(t, c != NULL, "there is room for the test"))
		return;
	cs_whole(t, c);
	cs_mixture(t, c);
	cs_holes(t, c);
	cs_table_goes(t, c);
	cs_splits(t, c, 0);
	cs_splits(t, c, PZ_V7S_BREAK_FIRST);
	cs_splits(t, c, PZ_V7S_BREAK_FIRST | PZ_V7S_NS | PZ_V7S_NO_PERMS);
	cs_pieces(t, c);
	cs_upstream(t, c);
	cs_across(t, c, 0);
	cs_across(t, c, PZ_V7S_BREAK_FIRST);
	cs_give_back(t, c);
	cs_trim(t, c);
	cs_over(t, c);
	cs_subsets(t, c);
	cs_lengths(t, c);
	t->meta->free(t->meta->ctx, c, sizeof(*c));
}
