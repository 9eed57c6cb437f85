/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_table_mem.c - translation tables from each provider beside a flat model of what is mapped:
 * any order of maps, unmaps, memory that runs out, and trims; as many second levels are out of the
 * provider as the tables need, and none is when they are gone.
 */
#include <stdlib.h>
#include <string.h>

#include "../contract/table_machine.h"
#include "prop.h"

#define PAGES (1u << (TM_IAS - 12))
#define MIBS (PAGES / 256)
#define STEPS 60u

static struct tap tap;
static struct table_machine m;
static uint64_t flat[PAGES]; /* by page, where it leads; PZ_ADDR_MAX for nowhere */

static void prop_tap(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

static void *prop_meta_alloc(void *ctx, size_t size)
{
	void *p = NULL;

	(void)ctx;
	return posix_memalign(&p, 64, size ? size : 1) ? NULL : p;
}

static void prop_meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta prop_meta = { prop_meta_alloc, prop_meta_free, NULL };

struct range {
	uint32_t first, count; /* pages */
};

/* Some pages, some 64 KiB, or some MiB, with ends that fit or not. */
static struct range draw_range(struct prop *p)
{
	uint32_t unit = (uint32_t[]){ 1, 16, 256, 4096 }[prop_choice(p, 4)];
	struct range r;

	r.first = (uint32_t)prop_draw(p, PAGES / unit - 1) * unit;
	r.count = (uint32_t)prop_between(p, 1, unit == 4096 ? 2 : 20) * unit;
	if (prop_choice(p, 4) == 3)
		r.count += (uint32_t)prop_draw(p, 40);
	if (r.count > PAGES - r.first)
		r.count = PAGES - r.first;
	return r;
}

static uint32_t mapped_in(struct range r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r.count; i++)
		n += flat[r.first + i] != PZ_ADDR_MAX;
	return n;
}

static uint32_t draw_gfp(struct prop *p)
{
	return prop_choice(p, 2) ? PZ_GFP_BLOCK : PZ_GFP_HIGH;
}

static bool do_map(struct prop *p)
{
	struct range r = draw_range(p);
	uint64_t iova = (uint64_t)r.first << 12, phys = prop_draw(p, 200) << 20;
	int rc;

	/* Pages, large pages and sections alike. */
	if (prop_choice(p, 2))
		phys += iova & 0xfffff;
	else
		phys += prop_draw(p, 255) << 12;
	rc = pz_v7s_map(m.t, 0, draw_gfp(p), iova, phys, (uint64_t)r.count << 12,
			PZ_IOMMU_READ | PZ_IOMMU_WRITE);
	prop_note(p, "map %#x pages at page %#x: %d", r.count, r.first, rc);
	if (mapped_in(r)) {
		PROP_ASSERT(p, rc == -PZ_EEXIST || rc == -PZ_ENOMEM);
		return true;
	}
	PROP_ASSERT(p, rc == 0 || (rc == -PZ_ENOMEM && m.hoarded));
	for (uint32_t i = 0; !rc && i < r.count; i++)
		flat[r.first + i] = phys + ((uint64_t)i << 12);
	return true;
}

static bool do_unmap(struct prop *p)
{
	struct range r = draw_range(p);
	uint32_t there = mapped_in(r);
	uint64_t done;
	int rc;

	rc = pz_v7s_unmap(m.t, 1, draw_gfp(p), (uint64_t)r.first << 12, (uint64_t)r.count << 12, 0,
			  NULL, &done);
	prop_note(p, "unmap %#x pages at page %#x: %d", r.count, r.first, rc);
	if (rc == -PZ_ENOMEM) {
		PROP_ASSERT(p, m.hoarded && !done);
		return true;
	}
	PROP_ASSERT(p, rc == (there == r.count ? 0 : -PZ_ENOENT));
	PROP_ASSERT(p, done == (uint64_t)there << 12);
	for (uint32_t i = 0; i < r.count; i++)
		flat[r.first + i] = PZ_ADDR_MAX;
	return true;
}

static bool do_memory(struct prop *p)
{
	switch (prop_choice(p, 4)) {
	case 0:
		(void)pz_table_source_trim(m.source, prop_choice(p, 2) ? 0 : PZ_CPU_NONE);
		break;
	case 1:
		(void)pz_v7s_trim(m.t, 0, 0, UINT64_MAX);
		break;
	default:
		if (m.hoarded)
			tm_refill(&m);
		else
			tm_drain(&m);
	}
	return true;
}

/* Second levels by the provider's count: no fewer than what no section maps, no more than needed.
 */
static bool counted(struct prop *p)
{
	bool back = m.vc.quirks & PZ_V7S_GIVE_BACK;
	struct pz_table_stat held;
	struct pz_v7s_stat now;
	uint64_t least = 0, most = 0;

	for (uint32_t i = 0; i < MIBS; i++) {
		uint32_t n = mapped_in((struct range){ i * 256, 256 });

		least += n && n < 256;
		most += n || !back;
	}
	pz_v7s_stat(m.t, &now);
	pz_table_source_stat(m.source, &held);
	PROP_ASSERT(p, now.tables == held.small && held.large == 1);
	PROP_ASSERT(p, held.small >= least && held.small <= most);
	PROP_ASSERT(p, held.held >= held.small * 1024 + 16384);
	return true;
}

static bool agrees(struct prop *p)
{
	for (uint32_t i = 0; i < PAGES; i++)
		if (!tm_leads(&m, true, (uint64_t)i << 12, flat[i])) {
			prop_note(p, "page %#x does not lead to %#llx", i,
				  (unsigned long long)flat[i]);
			return false;
		}
	PROP_ASSERT(p, pz_v7s_check(m.t) == 0);
	PROP_ASSERT(p, pz_table_source_check(m.source) == 0);
	return true;
}

static bool begin(struct prop *p)
{
	enum tm_provider way = (enum tm_provider)prop_choice(p, TM_PROVIDERS);
	struct pz_table_source_config cfg;

	m.vc.quirks = prop_choice(p, 2) ? PZ_V7S_GIVE_BACK : 0;
	m.vc.oas = 32;
	if (prop_choice(p, 3) == 2) {
		m.vc.quirks |= PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT | PZ_V7S_MTK_TTBR_EXT;
		m.vc.oas = 34;
	}
	tm_config(&m, &cfg);
	pz_v7s_table_limits(m.vc.quirks, m.vc.oas, &cfg.limits);
	prop_note(p, "%s, quirks %#x", tm_name(way), m.vc.quirks);
	memset(flat, 0xff, sizeof(flat));
	PROP_ASSERT(p, tm_source(&m, way, &cfg, NULL) == 0);
	PROP_ASSERT(p, tm_tables(&m) == 0);
	return true;
}

static bool no_table_is_lost(struct prop *p, void *ctx)
{
	uint64_t steps;
	bool ok = true;

	(void)ctx;
	if (!begin(p))
		return false;
	steps = prop_draw(p, STEPS);
	for (uint64_t i = 0; i < steps && ok; i++) {
		unsigned int what = prop_choice(p, 12);

		ok = what < 6 ? do_map(p) : what < 11 ? do_unmap(p) : do_memory(p);
		ok = ok && counted(p);
	}
	ok = ok && agrees(p);
	if (m.hoarded)
		tm_refill(&m);
	/* Even when it failed, for the next try. */
	ok = tm_tables_gone(&m) && ok;
	ok = tm_source_gone(&m) && ok;
	PROP_ASSERT(p, m.pm.bugs.count == 0);
	return ok;
}

int main(void)
{
	tap.write = prop_tap;
	tap.meta = &prop_meta;
	tap.suite = "machine";
	if (!tm_make(&m, &tap))
		return 1;
	prop_run("no second level is lost, whoever provides it", no_table_is_lost, NULL, 300);
	tm_close(&m);
	return tap.failed ? 1 : prop_done();
}
