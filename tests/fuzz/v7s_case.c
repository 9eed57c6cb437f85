/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_case.c - one random life of translation tables: see v7s_case.h.
 */
#include "v7s_case.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../contract/v7s_far.h"
#include "v7s_model.h"

#define SLOTS 384u
#define RECENT 8u
#define RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)

struct v7s_case_counts v7s_case_counts;

struct case_block {
	struct case_block *next, *prev;
	size_t size, pad;
};

static struct {
	const struct case_source *s;
	const struct v7s_plan *plan;
	struct tap tap;
	struct v7s_box b;
	struct v7s_far far; /* the walker, where it does not look into the CPU's caches */
	bool is_far;
	struct vm m;
	struct case_block heap; /* the list's head; its size says that one was wrong */
	struct {
		uint64_t iova, size;
	} recent[RECENT]; /* that were mapped */
	uint32_t recents;
	uint32_t table_point;
} w;

static uint64_t draw(uint64_t max)
{
	return w.s->draw(w.s->ctx, max);
}

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	case_note(w.s, fmt, ap);
	va_end(ap);
}

typedef unsigned long long ull;

/* --- what the tables are made from --- */

/* Kept in a list, so that a life that went wrong leaves nothing behind. */
static void *case_alloc(void *ctx, size_t size)
{
	bool zero = ctx;
	struct case_block *c = zero ? calloc(1, sizeof(*c) + size) : malloc(sizeof(*c) + size);

	if (!c)
		abort();
	c->size = size;
	c->prev = &w.heap;
	c->next = w.heap.next;
	if (c->next)
		c->next->prev = c;
	w.heap.next = c;
	return c + 1;
}

static void case_free(void *ctx, void *p, size_t size)
{
	struct case_block *c = (struct case_block *)p - 1;

	(void)ctx;
	if (c->size != size)
		w.heap.size = 1;
	c->prev->next = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c);
}

static void case_write(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

static const struct pz_meta case_meta = { case_alloc, case_free, NULL };
static const struct pz_meta case_zeroed = { case_alloc, case_free, &w };

static void draw_config(struct pz_v7s_config *c)
{
	static const uint32_t quirks[] = { 0,
					   PZ_V7S_NS,
					   PZ_V7S_NO_PERMS,
					   PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT,
					   PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT | PZ_V7S_MTK_TTBR_EXT,
					   PZ_V7S_NO_PERMS | PZ_V7S_NS };
	static const uint32_t size[4] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };
	bool mtk;

	c->quirks = quirks[draw(5)];
	mtk = c->quirks & PZ_V7S_MTK_EXT;
	c->ias = mtk ? 34 : 32;
	c->oas = mtk ? 35 : 32;
	if (draw(3))
		c->ias = 20 + (uint32_t)draw(draw(1) ? 7 : c->ias - 20);
	if (!draw(4))
		c->oas = 20 + (uint32_t)draw(c->oas - 20);
	c->quirks |= (draw(1) ? PZ_V7S_BREAK_FIRST : 0) | (draw(1) ? PZ_V7S_GIVE_BACK : 0);
	if (!draw(1))
		for (uint32_t k = 0, set = (uint32_t)draw(15); k < 4; k++)
			if (set >> k & 1 && (k < 3 || (c->ias >= 24 && c->oas >= 24)))
				c->sizes |= size[k];
	c->zeroed = draw(1) ? &case_zeroed : NULL;
	note("ias %u oas %u quirks 0x%x sizes 0x%x", c->ias, c->oas, c->quirks, c->sizes);
}

static const char *case_make(void)
{
	struct pz_limits l;

	memset(&w.tap, 0, sizeof(w.tap));
	w.tap.write = case_write;
	w.tap.meta = &case_meta;
	MUST(vb_open(&w.b, &w.tap, SLOTS));
	draw_config(&w.b.cfg);
	w.b.cfg.faults = &w.b.faults;
	if (w.b.cfg.quirks & PZ_V7S_MTK_TTBR_EXT)
		w.b.base = ((uint64_t)1 << w.b.cfg.oas) - (uint64_t)SLOTS * VB_SLOT;
	w.b.base &= ~(uint64_t)0xffff;
	w.is_far = !draw(3) && (w.b.cfg.oas > 24 || !(w.b.cfg.quirks & PZ_V7S_MTK_TTBR_EXT));
	if (w.is_far)
		MUST(vf_open(&w.far, &w.tap, &w.b, 0));
	MUST(!vb_make(&w.b));
	MUST(!pz_fault_find(&w.b.faults, "v7s.table", &w.table_point));
	pz_v7s_table_limits(w.b.cfg.quirks, w.b.cfg.oas, &l);
	w.b.astray = l.max_addr + 1;
	vm_init(&w.m, &w.b, draw(((uint64_t)1 << w.b.cfg.ias) - 1));
	return NULL;
}

/* --- ranges --- */

static uint64_t least(void)
{
	return w.m.sizes & -w.m.sizes;
}

static uint64_t draw_unit(void)
{
	static const uint32_t size[4] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };
	uint64_t unit = size[draw(3)];

	return unit < least() ? least() : unit;
}

/* A range in one of the windows, of pages. Returns what @iova is a multiple of. */
static uint64_t draw_range(uint64_t *iova, uint64_t *size)
{
	const struct vm_window *v = &w.m.win[draw(w.m.windows - 1)];
	uint64_t unit = draw_unit(), bytes = (uint64_t)v->pages * PZ_V7S_4K, end = v->first + bytes;

	*iova = (v->first + draw(v->pages - 1) * PZ_V7S_4K) & ~(unit - 1);
	if (*iova < v->first)
		*iova += unit;
	*size = (draw(1) ? unit : draw_unit()) * (1 + draw(draw(3) ? 3 : 40));
	if (!draw(3))
		*size += least() * draw(17);
	if (*iova >= end - least())
		*iova = (end - least()) & ~(least() - 1);
	if (*size > end - *iova)
		*size = (end - *iova) & ~(least() - 1);
	return unit;
}

static void draw_recent(uint64_t *iova, uint64_t *size)
{
	uint32_t k = (uint32_t)draw(RECENT - 1);
	uint64_t pages, first, count;

	if (k >= w.recents || !draw(3)) {
		(void)draw_range(iova, size);
		return;
	}
	*iova = w.recent[k].iova;
	*size = w.recent[k].size;
	pages = *size / least();
	if (!draw(2))
		return;
	first = draw(pages - 1);
	count = 1 + draw(draw(1) ? pages - first - 1 : (pages - first - 1) % 17);
	*iova += first * least();
	*size = count * least();
}

static uint64_t draw_phys(uint64_t iova, uint64_t size, uint64_t unit)
{
	uint64_t top = (uint64_t)1 << w.b.cfg.oas, phys = draw(top - 1);

	if (draw(1))
		unit = draw_unit();
	if (draw(3)) {
		/* As far into a unit as the iova. */
		phys = (phys & ~(unit - 1)) | (iova & (unit - 1));
	}
	if (size >= top)
		return 0;
	if (phys > top - size)
		phys = (top - size) & ~(unit - 1);
	return phys & ~(least() - 1);
}

static uint32_t draw_prot(void)
{
	uint32_t prot = (uint32_t)draw(PZ_IOMMU_PROT);

	return prot & RW ? prot : prot | RW;
}

/* --- failures --- */

static void fail_some(void)
{
	if (w.plan->fail_nth)
		return;
	w.b.fail_in = w.b.astray_in = 0;
	(void)pz_fault_arm(&w.b.faults, w.table_point, 0, 0);
	if (draw(7))
		return;
	w.b.fail_rc = draw(1) ? -PZ_EBUSY : -PZ_ENOMEM;
	switch (draw(2)) {
	case 0:
		w.b.fail_in = 1 + draw(3);
		break;
	case 1:
		(void)pz_fault_arm(&w.b.faults, w.table_point, 1 + draw(3), 1);
		break;
	default:
		w.b.fail_rc = -PZ_ERANGE;
		w.b.astray_in = 1 + draw(3);
	}
}

/* Whether this is what a table that was not to be had makes of a request. */
static bool failed_so(int rc)
{
	return rc == -PZ_ENOMEM || rc == w.b.fail_rc;
}

static uint64_t failed_count(void)
{
	return w.b.faults.v[w.table_point].failed + w.b.refused;
}

/* --- requests --- */

/* The cache looks at what is around. */
static void cache_some(uint64_t iova, uint64_t size)
{
	w.m.seed = draw(255) * 77 + iova;
	w.m.cut = iova;
	w.m.cut_size = size;
	vm_fill(&w.m, iova);
	vm_fill(&w.m, iova + size / 2);
	vm_fill(&w.m, iova + size - 1);
	vm_fill(&w.m, iova + size < (uint64_t)1 << w.b.cfg.ias ? iova + size : iova);
	vm_fill(&w.m, iova ? iova - 1 : 0);
}

static void flush(void)
{
	memset(w.m.cached, 0, sizeof(w.m.cached));
	memset(w.m.place, 0, sizeof(w.m.place));
	w.m.stale = false;
}

/* What any request leaves behind. */
static const char *after(uint64_t iova, uint64_t size)
{
	uint64_t step = size / 7 & ~(uint64_t)(PZ_V7S_4K - 1);

	PASS(w.m.wrong);
	PASS(vm_stale(&w.m));
	MUST(!w.is_far || vf_current(&w.far, &w.b));
	for (uint64_t at = iova; at < iova + size; at += step ? step : PZ_V7S_4K)
		PASS(vm_differs_at(&w.m, at));
	PASS(vm_differs_at(&w.m, iova + size - 1));
	PASS(vm_differs_at(&w.m, iova + size));
	PASS(vm_differs_at(&w.m, iova - 1));
	MUST(!w.b.wrong && !w.b.bugs.count && vb_tables(&w.b) != VB_NEVER);
	return NULL;
}

static const char *do_map(bool pages)
{
	uint32_t prot = draw_prot(), page = 0;
	uint64_t iova, size, unit, phys, failed = failed_count();
	bool exists;
	int rc;

	if (w.m.stale)
		flush();
	unit = draw_range(&iova, &size);
	phys = draw_phys(iova, size, unit);
	if (pages) {
		do
			page = (uint32_t)draw_unit();
		while (!(page & w.m.sizes) || page > size);
		iova &= ~(uint64_t)(page - 1);
		phys &= ~(uint64_t)(page - 1);
		size &= ~(uint64_t)(page - 1);
		if (!vm_inside(&w.m, iova, size))
			return NULL;
	}
	exists = vm_mapped(&w.m, iova, size);
	cache_some(iova, size);
	rc = pages ? pz_v7s_map_pages(w.b.v, 1, 0, iova, phys, page, size / page, prot)
		   : pz_v7s_map(w.b.v, 0, 0, iova, phys, size, prot);
	note("map 0x%llx + 0x%llx to 0x%llx prot 0x%x page 0x%x: %d", (ull)iova, (ull)size,
	     (ull)phys, prot, page, rc);
	failed = failed_count() - failed;
	if (size > (uint64_t)1 << w.b.cfg.oas) {
		MUST(rc == -PZ_ERANGE && !failed);
	} else if (failed) {
		v7s_case_counts.no_table++;
		MUST(failed_so(rc) || (exists && rc == -PZ_EEXIST));
	} else {
		MUST(rc == (exists ? -PZ_EEXIST : 0));
	}
	v7s_case_counts.exists += rc == -PZ_EEXIST;
	if (!rc) {
		v7s_case_counts.maps++;
		vm_map(&w.m, iova, phys, size, prot, page ? page : w.m.sizes);
		w.recent[w.recents % RECENT].iova = iova;
		w.recent[w.recents % RECENT].size = size;
		w.recents++;
	}
	return after(iova, size);
}

static const char *do_unmap(void)
{
	uint32_t flags = draw(3) ? 0 : PZ_V7S_QUEUED;
	uint64_t iova, size, done = 9, mapped, failed = failed_count();
	struct pz_v7s_stat s0, s1;
	bool no_pieces;
	int rc;

	draw_recent(&iova, &size);
	mapped = vm_mapped(&w.m, iova, size);
	no_pieces = vm_no_pieces(&w.m, iova, size);
	cache_some(iova, size);
	w.m.lazy = draw(1);
	pz_v7s_stat(w.b.v, &s0);
	rc = pz_v7s_unmap(w.b.v, 1, 0, iova, size, flags, &w.m, &done);
	pz_v7s_stat(w.b.v, &s1);
	note("unmap 0x%llx + 0x%llx flags %u: %d, 0x%llx", (ull)iova, (ull)size, flags, rc,
	     (ull)done);
	vm_sync(&w.m);
	failed = failed_count() - failed;
	v7s_case_counts.splits += s1.splits - s0.splits;
	if (failed || no_pieces) {
		v7s_case_counts.no_table += failed;
		v7s_case_counts.no_pieces += no_pieces;
		MUST((failed && failed_so(rc)) || (no_pieces && rc == -PZ_EINVAL));
		MUST(done == 0 && s1.splits == s0.splits);
		return after(iova, size);
	}
	MUST(done == mapped && rc == (mapped == size ? 0 : -PZ_ENOENT));
	v7s_case_counts.unmaps += !rc;
	v7s_case_counts.holes += !!rc;
	vm_unmap(&w.m, iova, size);
	w.m.stale |= flags != 0;
	return after(iova, size);
}

static const char *do_trim(void)
{
	uint64_t iova, size, before = vb_tables(&w.b), n;
	bool all = draw(1);

	(void)draw_range(&iova, &size);
	cache_some(iova, size);
	w.m.cut_size = 0;
	n = all ? pz_v7s_trim(w.b.v, 0, 0, UINT64_MAX) : pz_v7s_trim(w.b.v, 0, iova, size);
	note("trim: %llu", (ull)n);
	v7s_case_counts.trimmed += n;
	MUST(vb_tables(&w.b) == before - n && (!all || vb_tables(&w.b) == vm_tables(&w.m)));
	return after(iova, size);
}

/* Anything, of which most is refused; none of it is a request that may be granted. */
static const char *do_nonsense(void)
{
	uint64_t top = (uint64_t)1 << w.b.cfg.ias, high = (uint64_t)1 << w.b.cfg.oas;
	uint64_t iova = draw(1) ? draw(UINT64_MAX) : draw(top - 1);
	uint64_t phys = draw(1) ? draw(UINT64_MAX) : draw(high - 1);
	uint64_t size = draw(1) ? draw(UINT64_MAX) : 1 + draw(top - 1), phys_out = 7;
	uint32_t prot = (uint32_t)draw(draw(1) ? PZ_IOMMU_PROT : UINT32_MAX);
	bool odd, beyond;
	int rc;

	if (draw(1)) {
		iova &= ~(least() - 1);
		phys &= ~(least() - 1);
		size &= ~(least() - 1);
	}
	odd = !size || (iova | phys | size) & (least() - 1) || prot & ~PZ_IOMMU_PROT ||
	      !(prot & RW);
	beyond = iova >= top || size > top - iova || phys >= high || size > high - phys;
	MUST((pz_v7s_lookup(w.b.v, iova, &phys_out) == -PZ_ERANGE) == (iova >= top));
	if (!odd && !beyond)
		return NULL;
	vb_keep(&w.b);
	rc = pz_v7s_map(w.b.v, 0, 0, iova, phys, size, prot);
	note("map 0x%llx + 0x%llx to 0x%llx prot 0x%x: %d", (ull)iova, (ull)size, (ull)phys, prot,
	     rc);
	MUST((odd && rc == -PZ_EINVAL) || (beyond && rc == -PZ_ERANGE));
	odd = !size || (iova | size) & (least() - 1);
	beyond = iova >= top || size > top - iova;
	if (odd || beyond) {
		rc = pz_v7s_unmap(w.b.v, 0, 0, iova, size, 0, NULL, NULL);
		MUST((odd && rc == -PZ_EINVAL) || (beyond && rc == -PZ_ERANGE));
	}
	MUST(vb_same(&w.b));
	v7s_case_counts.refused++;
	return NULL;
}

static const char *do_step(void)
{
	switch (draw(11)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return do_map(false);
	case 4:
		return do_map(true);
	case 5:
		return do_trim();
	case 6:
		return draw(1) ? do_nonsense() : vm_differs(&w.m);
	case 7:
		if (w.m.stale && draw(1))
			flush();
		return vm_differs(&w.m);
	default:
		return do_unmap();
	}
}

static const char *case_life(void)
{
	uint32_t steps = 1 + (uint32_t)draw(w.plan->steps - 1);

	for (uint32_t i = 0; i < steps; i++) {
		fail_some();
		PASS(do_step());
	}
	PASS(vm_differs(&w.m));
	PASS(vm_walk_differs(&w.m));
	v7s_case_counts.tables += vb_tables(&w.b);
	v7s_case_counts.forgotten += w.m.forgotten;
	v7s_case_counts.cached += w.m.filled;
	return NULL;
}

/* The n-th of all failures that there can be. */
static void fail_planned(void)
{
	uint32_t id;

	if (!w.plan->point)
		w.b.fail_in = w.plan->fail_nth;
	else if (!pz_fault_find(&w.b.faults, w.plan->point, &id))
		(void)pz_fault_arm(&w.b.faults, id, w.plan->fail_nth, 1);
}

static const char *case_end(void)
{
	vb_drop(&w.b);
	PASS(w.m.wrong);
	w.b.look = NULL;
	vb_close(&w.b, &w.tap);
	if (w.is_far)
		vf_close(&w.far, &w.tap);
	MUST(!w.tap.failed && !w.heap.next && !w.heap.size);
	return NULL;
}

static const char *case_all(void)
{
	PASS(case_make());
	fail_planned();
	PASS(case_life());
	v7s_case_counts.failed += failed_count();
	return case_end();
}

const char *v7s_case_run(const struct case_source *s, const struct v7s_plan *plan)
{
	const char *wrong;

	memset(&w, 0, sizeof(w));
	w.s = s;
	w.plan = plan;
	wrong = case_all();
	while (w.heap.next)
		case_free(NULL, w.heap.next + 1, w.heap.next->size);
	return wrong;
}
