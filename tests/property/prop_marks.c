/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_marks.c - watermarks, reserves, per-CPU sizes and fallback orders against naive oracles.
 */
#include <physzone/zone.h>
#include <stdlib.h>
#include <string.h>

#include "prop.h"

#define NODES 6u

struct marks {
	uint64_t managed, min, low, high;
};

struct world {
	struct pz_zones z;
	struct marks m[NODES][PZ_ZONE_TYPES];
	struct pz_wmark_config w;
	uint64_t scale_kib; /* KiB of a page */
};

static void *plain_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void plain_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta plain_meta = { plain_alloc, plain_free, NULL };

static bool draw_world(struct prop *p, struct world *w)
{
	uint32_t nodes = 1 + (uint32_t)prop_draw(p, NODES - 1);
	struct pz_zone_config c;
	struct pz_memblock mb;

	memset(w, 0, sizeof(*w));
	memset(&c, 0, sizeof(c));
	memset(&mb, 0, sizeof(mb));
	mb.page_shift = c.page_shift = 12 + (uint32_t)prop_draw(p, 4);
	w->scale_kib = (uint64_t)1 << (c.page_shift - 10);
	c.configured = (1u << PZ_ZONE_TYPES) - 1;
	c.max_order_pages = 1024;
	c.flags = prop_choice(p, 2) ? PZ_ZF_WMARK_MOVABLE_AS_HIGHMEM : 0;
	if (pz_zones_build(&w->z, &plain_meta, &mb, &c))
		return false;
	w->z.movable_host = prop_choice(p, 2) ? PZ_ZONE_HIGHMEM : PZ_ZONE_NORMAL;
	for (uint32_t n = 0; n < nodes; n++) {
		if (pz_zones_add_node(&w->z, (int)n))
			return false;
		w->z.node[n].cpus = (uint32_t)prop_draw(p, 3);
		w->z.node[n].end_pfn = prop_draw(p, 4) != 0;
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *z = &w->z.node[n].zone[t];
			unsigned int bits = (unsigned int)prop_draw(p, 34);

			if (!prop_choice(p, 3))
				continue;
			z->managed =
				prop_choice(p, 5) ? prop_draw(p, ((uint64_t)1 << bits) - 1) : 0;
			z->present = z->spanned = z->managed + prop_draw(p, 9);
			z->start_pfn = z->spanned ? (uint64_t)(t + 1) << 40 : 0;
			w->m[n][t].managed = z->managed;
		}
	}
	pz_wmark_defaults(&w->w);
	if (prop_choice(p, 3) == 2)
		w->w.scale_factor = prop_between(p, 1, 3000);
	if (prop_choice(p, 3) == 2) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			w->w.reserve_ratio[t] = prop_draw(p, 400);
	}
	return true;
}

static uint64_t oracle_buffer(const struct world *w)
{
	uint64_t sum = 0;

	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t <= PZ_ZONE_NORMAL; t++) {
			if (w->z.node[n].zone[t].present && w->m[n][t].managed > w->m[n][t].high)
				sum += w->m[n][t].managed - w->m[n][t].high;
		}
	}
	return sum;
}

static uint64_t oracle_min_free(const struct world *w)
{
	uint64_t v = oracle_buffer(w) * w->scale_kib * 16, r = 128;

	while (r < 262144 && (r + 1) * (r + 1) <= v)
		r++;
	return r;
}

static uint64_t oracle_recommended(const struct world *w, uint64_t pageblock)
{
	uint64_t blocks = 0, pages, most = oracle_buffer(w) / 20;

	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t <= PZ_ZONE_NORMAL; t++)
			blocks += w->z.node[n].zone[t].present ? 11 : 0;
	}
	pages = blocks * pageblock;
	return (pages < most ? pages : most) * w->scale_kib;
}

static bool oracle_is_fixed(const struct world *w, unsigned int t)
{
	if (t == PZ_ZONE_MOVABLE)
		return w->z.movable_host == PZ_ZONE_HIGHMEM || w->z.cfg.flags != 0;
	return t == PZ_ZONE_HIGHMEM;
}

static void oracle_marks(struct world *w, uint64_t kib)
{
	uint64_t lowmem = 0, pages = kib / w->scale_kib;

	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			lowmem += oracle_is_fixed(w, t) ? 0 : w->m[n][t].managed;
	}
	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct marks *m = &w->m[n][t];
			uint64_t share = lowmem ? pages * m->managed / lowmem : 0, gap = share / 4;

			if (gap < m->managed * w->w.scale_factor / 10000)
				gap = m->managed * w->w.scale_factor / 10000;
			if (oracle_is_fixed(w, t)) {
				share = m->managed / 1024;
				share = share < 32 ? 32 : share > 128 ? 128 : share;
			}
			m->min = share;
			m->low = share + gap;
			m->high = share + 2 * gap;
		}
	}
}

static bool marks_equal(struct prop *p, const struct world *w)
{
	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &w->z.node[n].zone[t];

			prop_note(p, "node %u zone %u", n, t);
			PROP_ASSERT(p, z->min == w->m[n][t].min);
			PROP_ASSERT(p, z->low == w->m[n][t].low);
			PROP_ASSERT(p, z->high == w->m[n][t].high);
		}
	}
	return true;
}

static bool reserves_equal(struct prop *p, const struct world *w)
{
	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			for (unsigned int u = 0; u < PZ_ZONE_TYPES; u++) {
				uint64_t sum = 0, ratio = w->w.reserve_ratio[t];

				for (unsigned int v = t + 1; v <= u; v++)
					sum += w->m[n][v].managed;
				PROP_ASSERT(
					p, w->z.node[n].zone[t].reserve[u] ==
						   (ratio && w->m[n][t].managed ? sum / ratio : 0));
			}
		}
	}
	return true;
}

static bool pcp_equal(struct prop *p, const struct world *w, unsigned int cpus)
{
	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &w->z.node[n].zone[t];
			uint32_t split = w->z.node[n].cpus ? w->z.node[n].cpus : cpus;
			uint64_t batch = z->managed / 1024, high, pow2 = 1;

			if (batch > 1024 / w->scale_kib)
				batch = 1024 / w->scale_kib;
			batch = batch / 4 ? batch / 4 : 1;
			batch = batch * 3 / 2;
			while (pow2 <= batch)
				pow2 *= 2;
			batch = pow2 / 2 - 1 ? pow2 / 2 - 1 : 1;
			high = w->m[n][t].low / split;
			if (high < batch * 4)
				high = batch * 4;
			if (high > UINT32_MAX)
				high = UINT32_MAX;
			PROP_ASSERT(p, z->pcp_batch == (z->present ? batch : 0));
			PROP_ASSERT(p, z->pcp_high == (z->present ? high : 0));
		}
	}
	return true;
}

static bool marks_match(struct prop *p, void *ctx)
{
	unsigned int cpus = 1 + (unsigned int)prop_draw(p, 7);
	uint64_t pageblock = (uint64_t)1 << prop_draw(p, 13);
	struct world w;
	bool ok;

	(void)ctx;
	PROP_ASSERT(p, draw_world(p, &w));
	PROP_ASSERT(p, pz_zones_min_free_kbytes(&w.z) == oracle_min_free(&w));
	if (prop_choice(p, 2))
		w.w.min_free_kbytes = prop_between(p, 1, 1 << 20);
	PROP_ASSERT(p, pz_zones_set_watermarks(&w.z, &w.w) == 0);
	oracle_marks(&w, w.w.min_free_kbytes ? w.w.min_free_kbytes : oracle_min_free(&w));
	ok = marks_equal(p, &w);
	pz_zones_set_reserves(&w.z, &w.w);
	pz_zones_set_pcp(&w.z, cpus);
	ok = ok && reserves_equal(p, &w) && pcp_equal(p, &w, cpus);
	PROP_ASSERT(p, pz_zones_min_free_kbytes(&w.z) == oracle_min_free(&w));
	PROP_ASSERT(p, pz_zones_recommended_min_free_kbytes(&w.z, pageblock, 3) ==
			       oracle_recommended(&w, pageblock));
	PROP_ASSERT(p, pz_zones_check(&w.z) == 0);
	pz_zones_destroy(&w.z);
	return ok;
}

/* The managed counts of a phase, less what came later. */
static void oracle_phase(struct world *w, const struct pz_boot_config *b, enum pz_boot_phase phase)
{
	for (uint32_t n = 0; n < w->z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			w->m[n][t].managed = w->z.node[n].zone[t].managed;
	}
	for (uint32_t i = 0; i < b->late_count; i++) {
		if (phase == PZ_BOOT_MARKS || b->late[i].after == PZ_BOOT_THP)
			w->m[b->late[i].nid][b->late[i].type].managed -= b->late[i].pages;
	}
}

static bool boots_match(struct prop *p, void *ctx)
{
	struct pz_boot_late late[8];
	struct pz_boot_config b = { 0 };
	struct pz_boot_marks got;
	struct world w, before;
	uint64_t kib, total = 0;
	bool ok, reserves;

	(void)ctx;
	PROP_ASSERT(p, draw_world(p, &w));
	for (uint32_t i = 0; i < 8; i++) {
		uint32_t n = (uint32_t)prop_draw(p, w.z.node_count - 1);
		unsigned int t = prop_choice(p, PZ_ZONE_TYPES);
		uint64_t *left = &w.m[n][t].managed;

		late[i].after = prop_choice(p, 2) ? PZ_BOOT_THP : PZ_BOOT_MARKS;
		late[i].nid = (int32_t)n;
		late[i].type = (uint8_t)t;
		late[i].pages = prop_draw(p, *left);
		*left -= late[i].pages;
	}
	b.wmark = w.w;
	b.thp = (enum pz_thp)prop_draw(p, 2);
	b.pageblock_pages = (uint64_t)1 << prop_draw(p, 13);
	b.migrate_types = 3;
	b.cpus = 1 + (unsigned int)prop_draw(p, 7);
	b.late = late;
	b.late_count = (uint32_t)prop_draw(p, 8);
	before = w;
	/* Twice: what an earlier boot left must not count. */
	PROP_ASSERT(p, pz_zones_boot_watermarks(&w.z, &b, NULL) == 0);
	PROP_ASSERT(p, pz_zones_boot_watermarks(&w.z, &b, &got) == 0);

	oracle_phase(&w, &b, PZ_BOOT_MARKS);
	kib = oracle_min_free(&w);
	PROP_ASSERT(p, got.at_marks == kib);
	oracle_marks(&w, kib);
	reserves = reserves_equal(p, &w);
	oracle_phase(&w, &b, PZ_BOOT_THP);
	for (uint32_t n = 0; n < w.z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			total += w.m[n][t].managed;
	}
	PROP_ASSERT(p,
		    got.thp_phase == (b.thp != PZ_THP_NONE && total * w.scale_kib >= 512 * 1024));
	if (got.thp_phase) {
		if (b.thp == PZ_THP_NEVER)
			kib = oracle_min_free(&w);
		else if (kib < oracle_recommended(&w, b.pageblock_pages))
			kib = oracle_recommended(&w, b.pageblock_pages);
		oracle_marks(&w, kib);
	}
	PROP_ASSERT(p, got.at_end == kib);
	ok = marks_equal(p, &w) && reserves;
	oracle_phase(&before, &b, PZ_BOOT_THP);
	for (uint32_t n = 0; n < w.z.node_count; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			uint64_t pages = w.z.node[n].zone[t].managed;

			for (uint32_t i = 0; i < b.late_count; i++) {
				if (late[i].after == PZ_BOOT_THP && late[i].type == t &&
				    late[i].nid == (int32_t)n)
					pages -= late[i].pages;
			}
			PROP_ASSERT(p, before.m[n][t].managed == pages);
		}
	}
	pz_zones_destroy(&w.z);
	return ok;
}

static unsigned int table_distance(void *ctx, int from, int to)
{
	const uint8_t(*d)[NODES] = ctx;

	return d[from][to];
}

static bool orders_match(struct prop *p, void *ctx)
{
	uint32_t load[NODES] = { 0 }, want_load[NODES] = { 0 };
	uint8_t d[NODES][NODES];
	bool leads = prop_choice(p, 2);
	struct world w;

	(void)ctx;
	PROP_ASSERT(p, draw_world(p, &w));
	if (leads)
		w.z.cfg.flags |= PZ_ZF_FALLBACK_LOCAL_FIRST;
	for (unsigned int i = 0; i < NODES; i++) {
		for (unsigned int k = 0; k < NODES; k++)
			d[i][k] = (uint8_t)(i == k ? 10
						   : 10 + prop_draw(p, 3) * (1 + prop_draw(p, 1)));
	}
	for (uint32_t n = 0; n < w.z.node_count; n++) {
		int32_t order[NODES + 1], want[NODES];
		uint32_t cap = (uint32_t)prop_draw(p, NODES), count = 0, prev = n;
		bool used[NODES] = { false };
		int got;

		while (count < w.z.node_count) {
			uint32_t best = NODES;
			uint64_t least = UINT64_MAX;

			if (!used[n] && (w.z.node[n].end_pfn || leads))
				best = n;
			for (uint32_t i = 0; best != n && i < w.z.node_count; i++) {
				uint64_t v = (uint64_t)d[n][i] + (i < n) + (w.z.node[i].cpus > 0);

				v = v * 1024 + want_load[i];
				if (used[i] || !w.z.node[i].end_pfn || v >= least)
					continue;
				least = v;
				best = i;
			}
			if (best == NODES)
				break;
			used[best] = true;
			if (d[n][best] != d[n][prev])
				want_load[best]++;
			prev = best;
			want[count++] = (int32_t)best;
		}
		memset(order, 0x55, sizeof(order));
		got = pz_zones_fallback(&w.z, (int)n, table_distance, d, order, cap, load);
		PROP_ASSERT(p, got == (int)count);
		if (count > cap) {
			PROP_ASSERT(p, order[0] == 0x55555555);
			got = pz_zones_fallback(&w.z, (int)n, table_distance, d, order, count,
						load);
			PROP_ASSERT(p, got == (int)count);
		}
		for (uint32_t i = 0; i < count; i++)
			PROP_ASSERT(p, order[i] == want[i]);
		PROP_ASSERT(p, order[count] == 0x55555555);
		PROP_ASSERT(p, !memcmp(load, want_load, sizeof(load)));
	}
	pz_zones_destroy(&w.z);
	return true;
}

int main(void)
{
	prop_run("marks, reserves and per-CPU sizes", marks_match, NULL, 2000);
	prop_run("the sequence of a boot", boots_match, NULL, 2000);
	prop_run("fallback orders", orders_match, NULL, 2000);
	return prop_done();
}
