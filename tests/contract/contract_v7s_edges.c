/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_v7s_edges.c - translation tables: what is refused, and that a refusal changes nothing.
 *
 * Configurations, ranges at both ends of both address spaces, sizes and permissions; maps that
 * meet a page at any place; tables that cannot be had, one after the other.
 */
#include "suites_decl.h"
#include "v7s_box.h"

#define RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)
#define MIB VB_SPAN
#define MTK (PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT)
#define HUGE_ROUND (UINT64_MAX - 0xfff)

static bool ce_refused(struct v7s_box *b, int want)
{
	struct pz_v7s *none = NULL;
	const char *why = NULL;
	int rc = pz_v7s_create(&none, &b->cfg, 0, 0, &why);

	return rc == want && !none && why && b->live == 0 && b->meta.bytes == 0 &&
	       pz_v7s_create(&none, &b->cfg, PZ_CPU_NONE, 0, NULL) == want && !none;
}

static void ce_configs(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint32_t ias, oas, quirks, sizes;
		int rc;
	} cfg[] = {
		{ 20, 20, 0, 0, 0 },
		{ 32, 32, PZ_V7S_NS | PZ_V7S_NO_PERMS, 0, 0 },
		{ 34, 35, MTK, 0, 0 },
		{ 34, 35, MTK | PZ_V7S_MTK_TTBR_EXT, PZ_V7S_4K, 0 },
		{ 32, 20, PZ_V7S_BREAK_FIRST | PZ_V7S_GIVE_BACK, 0, 0 },
		{ 32, 32, 0, PZ_V7S_16M, 0 },
		{ 0, 32, 0, 0, -PZ_EINVAL },
		{ 19, 32, 0, 0, -PZ_EINVAL },
		{ 33, 32, 0, 0, -PZ_EINVAL },
		{ 34, 32, 0, 0, -PZ_EINVAL },
		{ 35, 35, MTK, 0, -PZ_EINVAL },
		{ UINT32_MAX, 32, 0, 0, -PZ_EINVAL },
		{ 32, 0, 0, 0, -PZ_EINVAL },
		{ 32, 19, 0, 0, -PZ_EINVAL },
		{ 32, 33, 0, 0, -PZ_EINVAL },
		{ 32, 36, MTK, 0, -PZ_EINVAL },
		{ 32, UINT32_MAX, 0, 0, -PZ_EINVAL },
		{ 32, 32, 0x4, 0, -PZ_EINVAL },
		{ 32, 32, 0x20, 0, -PZ_EINVAL },
		{ 32, 32, 0x40000, 0, -PZ_EINVAL },
		{ 32, 32, 0x80000000, 0, -PZ_EINVAL },
		{ 32, 32, PZ_V7S_MTK_EXT, 0, -PZ_EINVAL },
		{ 32, 32, PZ_V7S_NO_PERMS | PZ_V7S_MTK_TTBR_EXT, 0, -PZ_EINVAL },
		{ 32, 32, PZ_V7S_MTK_EXT | PZ_V7S_MTK_TTBR_EXT, 0, -PZ_EINVAL },
		{ 32, 32, 0, 0x2000, -PZ_EINVAL },
		{ 32, 32, 0, PZ_V7S_4K | 1, -PZ_EINVAL },
		{ 32, 32, 0, PZ_V7S_SIZES | 0x2000000, -PZ_EINVAL },
	};

	if (!vb_open(b, t, 128))
		return;
	for (size_t i = 0; i < sizeof(cfg) / sizeof(cfg[0]); i++) {
		b->cfg.ias = cfg[i].ias;
		b->cfg.oas = cfg[i].oas;
		b->cfg.quirks = cfg[i].quirks;
		b->cfg.sizes = cfg[i].sizes;
		if (cfg[i].rc) {
			CHECK_NAMED(t, ce_refused(b, cfg[i].rc), "it is refused, and says why");
			continue;
		}
		if (CHECK_NAMED(t, vb_make(b) == 0, "these are fine")) {
			CHECK(t, vb_tables(b) == 0 && pz_v7s_check(b->v) == 0);
			vb_drop(b);
		}
	}
	vb_close(b, t);
}

static void ce_hooks(struct tap *t, struct v7s_box *b)
{
	struct pz_table_mem mem;
	struct pz_meta half;

	if (!vb_open(b, t, 64))
		return;
	half = b->meta.meta;
	mem = b->mem;
	b->cfg.mem = NULL;
	CHECK(t, ce_refused(b, -PZ_EINVAL));
	b->cfg.mem = &mem;
	mem.alloc = NULL;
	CHECK(t, ce_refused(b, -PZ_EINVAL));
	mem = b->mem;
	mem.free = NULL;
	CHECK(t, ce_refused(b, -PZ_EINVAL));
	b->cfg.mem = &b->mem;
	b->cfg.meta = NULL;
	CHECK(t, ce_refused(b, -PZ_EINVAL));
	half.free = NULL;
	b->cfg.meta = &half;
	CHECK(t, ce_refused(b, -PZ_EINVAL));
	b->cfg.meta = &b->meta.meta;
	b->cfg.zeroed = &half;
	CHECK_NAMED(t, ce_refused(b, -PZ_EINVAL), "what is allocated can be given back");
	b->cfg.zeroed = NULL;
	vb_clear(&b->cfg.tlb, sizeof(b->cfg.tlb));
	CHECK_NAMED(t, vb_make(b) == 0, "no cache of translations");
	CHECK(t, vb_map(b, 0, 0, 4 * MIB, RW) == 0 && vb_unmap(b, 0x1000, MIB, NULL) == 0);
	CHECK(t, vb_unmap(b, 0, 4 * MIB, NULL) == -PZ_ENOENT && vb_nowhere(b, 0, 4 * MIB));
	vb_drop(b);
	pz_v7s_destroy(NULL, 0);
	vb_close(b, t);
}

/* Each allocation of creating fails in turn. */
static void ce_create_fails(struct tap *t, struct v7s_box *b)
{
	bool made = false;
	uint64_t n;

	if (!vb_open(b, t, 64))
		return;
	for (n = 1; n < 20 && !made; n++) {
		CHECK(t, pz_fault_arm(&b->faults, b->meta_point, n, 1) == 0);
		made = vb_make(b) == 0;
		CHECK_NAMED(t, made || (b->live == 0 && b->meta.bytes == 0), "nothing is held");
	}
	CHECK(t, made && n > 2);
	if (made)
		vb_drop(b);
	CHECK(t, pz_fault_arm(&b->faults, b->meta_point, 0, 0) == 0);
	b->fail_in = 1;
	b->fail_rc = -PZ_EBUSY;
	CHECK_NAMED(t, vb_make(b) == -PZ_EBUSY && b->meta.bytes == 0, "what the provider says");
	b->fail_rc = -PZ_ENOMEM;
	b->cfg.faults = &b->faults;
	b->faults.cap = b->faults.count;
	CHECK(t, vb_make(b) == -PZ_ENOSPC && b->meta.bytes == 0 && b->live == 0);
	vb_close(b, t);
}

/* Tables that the walker does not find. */
static void ce_astray(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint32_t quirks, oas;
		uint64_t at, last;
	} far[] = {
		{ 0, 32, 0x100000000, 0xffffffff },
		{ 0, 24, 0x100000000, 0xffffffff },
		{ MTK, 35, 0x100000000, 0xffffffff },
		{ MTK | PZ_V7S_MTK_TTBR_EXT, 33, 0x200000000, 0x1ffffffff },
		{ MTK | PZ_V7S_MTK_TTBR_EXT, 35, 0x800000000, 0x7ffffffff },
	};
	struct pz_limits l;

	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		if (!vb_open(b, t, 64))
			return;
		pz_v7s_table_limits(far[i].quirks, far[i].oas, &l);
		CHECK(t, pz_limits_valid(&l) && l.min_addr == 0 && l.max_addr == far[i].last &&
				 l.boundary == 0);
		b->cfg.quirks = far[i].quirks;
		b->cfg.oas = far[i].oas;
		b->base = far[i].at;
		CHECK(t, ce_refused(b, -PZ_ERANGE));
		b->base = far[i].at - 64 * VB_SLOT;
		CHECK_NAMED(t, vb_make(b) == 0, "just below is fine");
		b->astray = far[i].at;
		b->astray_in = 1;
		CHECK(t, vb_map(b, 0x1000, 0, 4096, RW) == -PZ_ERANGE);
		CHECK(t, vb_nowhere(b, 0, MIB) && vb_tables(b) == 0 && b->astray_at == 0);
		CHECK(t, vb_map(b, 0, 0, MIB, RW) == 0);
		b->astray_in = 1;
		CHECK_NAMED(t,
			    vb_unmap(b, 0x1000, 4096, NULL) == -PZ_ERANGE &&
				    vb_leads(b, 0, MIB, 0, RW, PZ_V7S_1M) && b->events == 0,
			    "a split without a table that is found");
		CHECK(t, vb_map(b, 0xfff000, 0x3000, 4096, RW) == 0);
		CHECK(t, vb_tables(b) == 1 && pz_v7s_check(b->v) == 0);
		vb_drop(b);
		vb_close(b, t);
	}
}

/* --- requests --- */

struct ce_map {
	uint64_t iova, phys, size;
	uint32_t prot;
	int rc;
};

/* Some pages of each size, among which refusals must not show. */
static bool ce_populate(struct v7s_box *b)
{
	return vb_map(b, 0x1000000, 0, 16 * MIB, RW) == 0 &&
	       vb_map(b, 0x2000000, 0x100000, MIB, PZ_IOMMU_READ) == 0 &&
	       vb_map(b, 0x2100000, 0x110000, 0x10000, RW) == 0 &&
	       vb_map(b, 0x2110000, 0x111000, 0x1000, RW) == 0 &&
	       vb_map(b, 0, 0x1000, 0x1000, RW) == 0;
}

static void ce_map_refusals(struct tap *t, struct v7s_box *b)
{
	/* 28 bits of iova, 30 of physical address. */
	static const struct ce_map no[] = {
		{ 0x4000, 0x5000, 0, RW, -PZ_EINVAL },
		{ 0x4001, 0x5000, 0x1000, RW, -PZ_EINVAL },
		{ 0x4800, 0x5000, 0x1000, RW, -PZ_EINVAL },
		{ 0x4000, 0x5001, 0x1000, RW, -PZ_EINVAL },
		{ 0x4000, 0x5800, 0x1000, RW, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0x1001, RW, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0xfff, RW, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0x1000, 0, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0x1000, PZ_IOMMU_CACHE, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0x1000, PZ_IOMMU_PROT & ~RW, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0x1000, RW | 0x40, -PZ_EINVAL },
		{ 0x4000, 0x5000, 0x1000, RW | 0x80000000, -PZ_EINVAL },
		{ 0x10000000, 0, 0x1000, RW, -PZ_ERANGE },
		{ 0x0ffff000, 0, 0x2000, RW, -PZ_ERANGE },
		{ 0x0ff00000, 0, 2 * MIB, RW, -PZ_ERANGE },
		{ 0x0f000000, 0, 32 * MIB, RW, -PZ_ERANGE },
		{ 0x100004000, 0, 0x1000, RW, -PZ_ERANGE },
		{ HUGE_ROUND, 0, 0x1000, RW, -PZ_ERANGE },
		{ HUGE_ROUND, 0, 0x6000, RW, -PZ_ERANGE },
		{ 0x4000, 0, HUGE_ROUND, RW, -PZ_ERANGE },
		{ 0x4000, 0, HUGE_ROUND - 0x4000 + 0x1000, RW, -PZ_ERANGE },
		{ 0x4000, 0x40000000, 0x1000, RW, -PZ_ERANGE },
		{ 0x4000, 0x3ffff000, 0x2000, RW, -PZ_ERANGE },
		{ 0x4000, 0x3ffff000, 0x9000, RW, -PZ_ERANGE },
		{ 0x3000000, 0x3f000000, 17 * MIB, RW, -PZ_ERANGE },
		{ 0x4000, 0x100000000, 0x1000, RW, -PZ_ERANGE },
		{ 0x4000, HUGE_ROUND, 0x1000, RW, -PZ_ERANGE },
		{ 0x4000, HUGE_ROUND, 0x2000, RW, -PZ_ERANGE },
		{ 0, 0x5000, 0x1000, RW, -PZ_EEXIST },
		{ 0, 0x1000, 0x1000, RW, -PZ_EEXIST },
		{ 0x1000000, 0, 16 * MIB, RW, -PZ_EEXIST },
		{ 0x1ff0000, 0x5000, 0x1000, RW, -PZ_EEXIST },
		{ 0x2100000, 0x5000, 0x1000, RW, -PZ_EEXIST },
		{ 0x210f000, 0x5000, 0x1000, RW, -PZ_EEXIST },
		{ 0x2100000, 0, MIB, RW, -PZ_EEXIST },
	};

	if (!vb_open(b, t, 64))
		return;
	b->cfg.ias = 28;
	b->cfg.oas = 30;
	CHECK(t, vb_make(b) == 0 && ce_populate(b));
	vb_keep(b);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		CHECK(t, vb_map(b, no[i].iova, no[i].phys, no[i].size, no[i].prot) == no[i].rc);
		CHECK_NAMED(t, vb_same(b), "a refusal changes nothing");
	}
	CHECK(t, vb_map(b, 0x0ffff000, 0x3ffff000, 0x1000, RW) == 0);
	CHECK_NAMED(t, vb_leads(b, 0x0ffff000, 0x1000, 0x3ffff000, RW, PZ_V7S_4K),
		    "the last page of both spaces");
	CHECK(t, pz_v7s_check(b->v) == 0);
	vb_drop(b);
	vb_close(b, t);
}

static void ce_page_refusals(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint64_t iova, phys;
		uint32_t page;
		uint64_t count;
		int rc;
	} no[] = {
		{ 0x3000000, 0, 0, 1, -PZ_EINVAL },
		{ 0x3000000, 0, 0x2000, 1, -PZ_EINVAL },
		{ 0x3000000, 0, 0x3000, 1, -PZ_EINVAL },
		{ 0x3000000, 0, PZ_V7S_4K | PZ_V7S_64K, 1, -PZ_EINVAL },
		{ 0x3000000, 0, PZ_V7S_64K, 1, -PZ_EINVAL }, /* not in use */
		{ 0x3000000, 0, 0x2000000, 1, -PZ_EINVAL },
		{ 0x3000000, 0, PZ_V7S_4K, 0, -PZ_EINVAL },
		{ 0x3001000, 0, PZ_V7S_1M, 1, -PZ_EINVAL },
		{ 0x3000000, 0x1000, PZ_V7S_1M, 1, -PZ_EINVAL },
		{ 0x3100000, 0, PZ_V7S_16M, 1, -PZ_EINVAL },
		{ 0x3000000, 0x100000, PZ_V7S_16M, 1, -PZ_EINVAL },
		{ 0x3000000, 0, PZ_V7S_4K, (uint64_t)1 << 52, -PZ_ERANGE },
		{ 0x3000000, 0, PZ_V7S_4K, ((uint64_t)1 << 52) + 1, -PZ_ERANGE },
		{ 0x3000000, 0, PZ_V7S_16M, ((uint64_t)1 << 40) + 1, -PZ_ERANGE },
		{ 0x3000000, 0, PZ_V7S_4K, UINT64_MAX, -PZ_ERANGE },
		{ 0x3000000, 0, PZ_V7S_1M, 0xd1, -PZ_ERANGE },
		{ 0xf000000, 0, PZ_V7S_16M, 2, -PZ_ERANGE },
		{ 0x3000000, 0x3ff00000, PZ_V7S_1M, 2, -PZ_ERANGE },
	};

	if (!vb_open(b, t, 64))
		return;
	b->cfg.ias = 28;
	b->cfg.oas = 30;
	b->cfg.sizes = PZ_V7S_4K | PZ_V7S_1M | PZ_V7S_16M;
	CHECK(t, vb_make(b) == 0 && ce_populate(b));
	vb_keep(b);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		CHECK(t, pz_v7s_map_pages(b->v, 0, 0, no[i].iova, no[i].phys, no[i].page,
					  no[i].count, RW) == no[i].rc);
		CHECK_NAMED(t, vb_same(b), "a refusal changes nothing");
	}
	CHECK(t, pz_v7s_map_pages(b->v, 0, 0, 0x3000000, 0, PZ_V7S_4K, 1, 0) == -PZ_EINVAL);
	CHECK(t, pz_v7s_map_pages(b->v, 0, 0, 0x3000000, 0, PZ_V7S_4K, 1, 0x41) == -PZ_EINVAL);
	CHECK(t, vb_same(b));
	CHECK_NAMED(t,
		    pz_v7s_map_pages(b->v, 0, 0, 0x3000000, 0, PZ_V7S_4K, 512, RW) == 0 &&
			    vb_leads(b, 0x3000000, 2 * MIB, 0, RW, PZ_V7S_4K),
		    "pages of the size that was said, where larger ones fit");
	CHECK(t, pz_v7s_map_pages(b->v, 0, 0, 0x4000000, 0, PZ_V7S_1M, 16, RW) == 0 &&
			 vb_leads(b, 0x4000000, 16 * MIB, 0, RW, PZ_V7S_1M));
	vb_drop(b);
	vb_close(b, t);
}

static void ce_unmap_refusals(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint64_t iova, size;
		uint32_t flags;
		int rc;
	} no[] = {
		{ 0x1000000, 0, 0, -PZ_EINVAL },
		{ 0x1000001, 0x1000, 0, -PZ_EINVAL },
		{ 0x1000000, 0x1001, 0, -PZ_EINVAL },
		{ 0x1000800, 0x1000, 0, -PZ_EINVAL },
		{ 0x1000000, 0x800, 0, -PZ_EINVAL },
		{ 0x1000000, 0x1000, 2, -PZ_EINVAL },
		{ 0x1000000, 0x1000, 0x80000001, -PZ_EINVAL },
		{ 0x10000000, 0x1000, 0, -PZ_ERANGE },
		{ 0x101000000, 0x1000, 0, -PZ_ERANGE },
		{ 0x1000000, 0xf001000, 0, -PZ_ERANGE },
		{ 0x1000000, HUGE_ROUND, 0, -PZ_ERANGE },
		{ 0x1000000, HUGE_ROUND - 0x1000000 + 0x1000, 0, -PZ_ERANGE },
		{ HUGE_ROUND, 0x1000, 0, -PZ_ERANGE },
		{ HUGE_ROUND, 0x2000, 0, -PZ_ERANGE },
	};
	struct pz_v7s_page q;
	uint64_t done, phys = 7;

	if (!vb_open(b, t, 64))
		return;
	b->cfg.ias = 28;
	b->cfg.oas = 30;
	CHECK(t, vb_make(b) == 0 && ce_populate(b));
	vb_keep(b);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		done = 0;
		CHECK(t, pz_v7s_unmap(b->v, 0, 0, no[i].iova, no[i].size, no[i].flags, NULL,
				      &done) == no[i].rc);
		CHECK_NAMED(t, done == 0 && vb_same(b), "a refusal changes nothing");
	}
	CHECK(t, pz_v7s_lookup(b->v, 0x10000000, &phys) == -PZ_ERANGE);
	CHECK(t, pz_v7s_lookup(b->v, UINT64_MAX, &phys) == -PZ_ERANGE);
	CHECK(t, pz_v7s_lookup(b->v, 0x101000000, &phys) == -PZ_ERANGE && phys == 7);
	q.size = 7;
	CHECK(t, pz_v7s_query(b->v, 0x10000000, &q) == -PZ_ERANGE);
	CHECK(t, pz_v7s_query(b->v, 0x101000000, &q) == -PZ_ERANGE);
	CHECK(t, pz_v7s_query(b->v, 0x1000, &q) == -PZ_ENOENT && q.size == 7);
	CHECK_NAMED(t, vb_same(b), "looking changes nothing");
	CHECK(t, vb_unmap(b, 0, 0x10000000, &done) == -PZ_ENOENT);
	CHECK_NAMED(t, done == 17 * MIB + 0x12000 && vb_nowhere(b, 0, 0x10000000),
		    "the whole space in one go");
	vb_drop(b);
	vb_close(b, t);
}

/* --- all or nothing --- */

/* Whether nothing was told but that second levels are not where they were. */
static bool ce_tables_only(const struct v7s_box *b, uint32_t quirks)
{
	for (uint32_t i = 0; i < b->events && i < VB_EVENTS; i++)
		if (b->event[i].what != VB_FLUSH_WALK || b->event[i].size != MIB ||
		    b->event[i].iova % MIB || b->event[i].granule != PZ_V7S_4K)
			return false;
	return quirks & PZ_V7S_GIVE_BACK || b->events == 0;
}

/* A page somewhere in a range that is to be mapped, of which all the rest is free. */
static void ce_exists(struct tap *t, struct v7s_box *b, uint32_t quirks)
{
	static const uint64_t first = 0x1ef0000, size = 19 * MIB + 0x25000;
	static const struct {
		uint64_t at;
		uint32_t page;
	} there[] = {
		{ 0x1ef0000, PZ_V7S_4K }, { 0x1eff000, PZ_V7S_4K },  { 0x1ef0000, PZ_V7S_64K },
		{ 0x1f00000, PZ_V7S_1M }, { 0x1f80000, PZ_V7S_64K }, { 0x2000000, PZ_V7S_16M },
		{ 0x2000000, PZ_V7S_4K }, { 0x2700000, PZ_V7S_1M },  { 0x2fff000, PZ_V7S_4K },
		{ 0x3000000, PZ_V7S_1M }, { 0x31ff000, PZ_V7S_4K },  { 0x3214000, PZ_V7S_4K },
	};
	static const uint64_t to[] = { 0x41ef0000, 0x401f0000, 0x40003000 };

	if (!vb_open(b, t, 64))
		return;
	b->cfg.quirks = quirks;
	CHECK(t, vb_make(b) == 0);
	for (size_t i = 0; i < 3 * (sizeof(there) / sizeof(there[0])); i++) {
		uint64_t at = there[i / 3].at, before, out;
		uint32_t page = there[i / 3].page;

		CHECK(t, vb_map(b, at, 0x80000000, page, PZ_IOMMU_READ) == 0);
		before = vb_tables(b);
		CHECK(t, vb_map(b, first, to[i % 3], size, RW) == -PZ_EEXIST);
		CHECK_NAMED(t,
			    vb_nowhere(b, first, at - first) &&
				    vb_nowhere(b, at + page, first + size - at - page) &&
				    vb_leads(b, at, page, 0x80000000, PZ_IOMMU_READ, page),
			    "a map that meets a page maps nothing");
		CHECK_NAMED(t, vb_tables(b) != VB_NEVER && ce_tables_only(b, quirks),
			    "tables are accounted");
		if (quirks & PZ_V7S_GIVE_BACK)
			CHECK(t, vb_tables(b) == before);
		out = vb_tables(b);
		CHECK(t, pz_v7s_trim(b->v, 0, 0, UINT64_MAX) == out - (page < PZ_V7S_1M));
		CHECK(t, vb_tables(b) == (page < PZ_V7S_1M));
		CHECK(t, pz_v7s_check(b->v) == 0);
		CHECK(t, vb_unmap(b, at, page, NULL) == 0);
		(void)pz_v7s_trim(b->v, 0, 0, UINT64_MAX);
		CHECK(t, vb_tables(b) == 0);
		b->events = 0;
	}
	vb_drop(b);
	vb_close(b, t);
}

/* Each table that a map needs is missing in turn. */
static void ce_no_table(struct tap *t, struct v7s_box *b, uint32_t quirks, int rc)
{
	static const uint64_t first = 0x1ff0000, size = 5 * MIB + 0x20000;
	uint64_t n, was;

	if (!vb_open(b, t, 64))
		return;
	b->cfg.quirks = quirks;
	CHECK(t, vb_make(b) == 0);
	b->fail_rc = rc;
	for (n = 1; n < 20; n++) {
		b->fail_in = n;
		b->events = 0;
		if (vb_map(b, first, 0x1000, size, RW) == 0)
			break;
		was = vb_tables(b);
		CHECK(t, b->fail_in == 0 && vb_nowhere(b, first, size));
		CHECK(t, ce_tables_only(b, quirks));
		CHECK(t, pz_v7s_check(b->v) == 0 && vb_tables(b) != VB_NEVER);
		CHECK_NAMED(t, was == (quirks & PZ_V7S_GIVE_BACK ? 0 : n - 1),
			    "what was made for nothing waits, or went back");
		CHECK(t, pz_v7s_trim(b->v, 0, first, size) == was && vb_tables(b) == 0);
		b->fail_in = n;
		CHECK_NAMED(t, vb_map(b, first, 0x1000, size, RW) == rc, "what the provider says");
		(void)pz_v7s_trim(b->v, 0, first, size);
	}
	CHECK_NAMED(t, n == 8 && vb_tables(b) == 7, "a table for each MiB");
	CHECK(t, vb_leads(b, first, size, 0x1000, RW, PZ_V7S_4K));
	b->fail_in = 0;
	vb_drop(b);
	vb_close(b, t);
}

/* Each table that splits need is missing in turn: nothing changes. */
static void ce_no_split(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint64_t iova, size;
		uint64_t tables;
	} cut[] = {
		{ 0x1101000, 0x1000, 1 },	      /* within a supersection */
		{ 0x1101000, 0x400000, 2 },	      /* both ends in it */
		{ 0x1f01000, 0x2000000, 1 + 1 },      /* in two of them, with one whole between */
		{ 0x3fff000, 0x2000, 2 },	      /* a supersection and a section */
		{ 0x4001000, 0x80000, 1 },	      /* a section */
		{ 0x4080000, 0x100000, 2 },	      /* two sections */
		{ 0x1000000, 0x3000000 + 0x1000, 1 }, /* whole ones before it */
	};

	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		uint64_t done = 9, n, end;
		int rc = -PZ_ENOMEM;

		if (!vb_open(b, t, 64))
			return;
		CHECK(t, vb_make(b) == 0);
		CHECK(t, vb_map(b, 0x1000000, 0x81000000, 48 * MIB, RW) == 0);
		CHECK(t, vb_map(b, 0x4000000, 0x84000000, 2 * MIB, RW) == 0);
		for (n = 1; n < 9; n++) {
			b->fail_in = n;
			rc = vb_unmap(b, cut[i].iova, cut[i].size, &done);
			if (!rc)
				break;
			CHECK(t, rc == -PZ_ENOMEM && done == 0 && vb_tables(b) != VB_NEVER);
			CHECK_NAMED(t, vb_leads(b, 0x1000000, 50 * MIB, 0x81000000, RW, 0),
				    "all leads where it did");
			CHECK(t, pz_v7s_check(b->v) == 0);
			b->events = 0;
		}
		b->fail_in = 0;
		CHECK(t, rc == 0 && n >= 2 && n <= cut[i].tables + 1 && done == cut[i].size);
		CHECK(t, vb_nowhere(b, cut[i].iova, cut[i].size));
		CHECK(t, vb_leads(b, 0x1000000, cut[i].iova - 0x1000000, 0x81000000, RW, 0));
		end = cut[i].iova + cut[i].size;
		CHECK(t, vb_leads(b, end, 0x4200000 - end, 0x80000000 + end, RW, 0));
		CHECK(t, pz_v7s_check(b->v) == 0);
		vb_drop(b);
		vb_close(b, t);
	}
}

/* Parts that are not mapped. */
static void ce_not_mapped(struct tap *t, struct v7s_box *b)
{
	uint64_t done = 9;

	if (!vb_open(b, t, 64))
		return;
	CHECK(t, vb_make(b) == 0);
	vb_keep(b);
	CHECK(t, vb_unmap(b, 0, 0x1000, &done) == -PZ_ENOENT && done == 0 && vb_same(b));
	CHECK(t, vb_unmap(b, 0, (uint64_t)1 << 32, &done) == -PZ_ENOENT && done == 0 && vb_same(b));
	CHECK(t, vb_map(b, 0x3000, 0x3000, 0x2000, RW) == 0);
	CHECK(t, vb_map(b, 0x200000, 0x200000, MIB, RW) == 0);
	vb_keep(b);
	CHECK(t, vb_unmap(b, 0x1000, 0x2000, &done) == -PZ_ENOENT && done == 0 && vb_same(b));
	CHECK_NAMED(t, vb_unmap(b, 0x2000, 0x2000, &done) == -PZ_ENOENT && done == 0x1000,
		    "a hole first");
	CHECK(t, vb_nowhere(b, 0, 0x4000) && vb_leads(b, 0x4000, 0x1000, 0x4000, RW, 0));
	CHECK_NAMED(t, vb_unmap(b, 0x4000, 0x1000 + MIB, &done) == -PZ_ENOENT && done == 0x1000,
		    "a hole behind");
	CHECK_NAMED(t, vb_unmap(b, 0x180000, 2 * MIB, &done) == -PZ_ENOENT && done == MIB,
		    "a page between holes");
	CHECK(t, vb_nowhere(b, 0, 0x400000) && pz_v7s_check(b->v) == 0);
	CHECK(t, vb_map(b, 0x200000, 0x200000, MIB, RW) == 0);
	CHECK_NAMED(t, vb_unmap(b, 0x180000, MIB, &done) == -PZ_ENOENT && done == 0x80000,
		    "a hole, and a part of a page");
	CHECK(t, vb_leads(b, 0x280000, 0x80000, 0x280000, RW, PZ_V7S_64K));
	CHECK(t, vb_unmap(b, 0x200000, MIB, NULL) == -PZ_ENOENT && vb_nowhere(b, 0x200000, MIB));
	vb_drop(b);
	vb_close(b, t);
}

void contract_v7s_edges(struct tap *t)
{
	struct v7s_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK_NAMED(t, b != NULL, "there is room for the test"))
		return;
	ce_configs(t, b);
	ce_hooks(t, b);
	ce_create_fails(t, b);
	ce_astray(t, b);
	ce_map_refusals(t, b);
	ce_page_refusals(t, b);
	ce_unmap_refusals(t, b);
	ce_exists(t, b, 0);
	ce_exists(t, b, PZ_V7S_GIVE_BACK);
	ce_no_table(t, b, 0, -PZ_ENOMEM);
	ce_no_table(t, b, PZ_V7S_GIVE_BACK, -PZ_EBUSY);
	ce_no_split(t, b);
	ce_not_mapped(t, b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
