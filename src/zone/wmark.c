/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wmark.c - watermarks, lowmem reserves and per-CPU sizes from managed pages.
 *
 * Concept: one number, min_free_kbytes, is shared out over the zones of low memory by their
 * managed pages; the distance between the marks is a quarter of the share, or a fraction of the
 * zone when that is more. A reserve keeps a zone's pages from requests that could have been served
 * higher up. All are plain functions of managed counts: what makes a running kernel's numbers
 * differ is the moment at which it computed them (see boot.c).
 *
 * Invariants: 1. min <= low <= high; 2. a zone without managed pages reserves nothing.
 *
 * Failure: only inputs outside the sysctls' ranges are refused, before anything is written.
 *
 * Shortcomings: boosted watermarks, and tuning of the per-CPU sizes at run time, are not modelled.
 * With PZ_ZF_WMARK_DIV32 and an exact multiple of 2^32 pages Linux divides by 0; shares are 0 here.
 */
#include "../base/bits.h"
#include "../base/pz_string.h"
#include "zone_internal.h"

#define WMARK_MIN_FREE_LOWEST 128u
#define WMARK_MIN_FREE_HIGHEST 262144u
#define WMARK_HIGHMEM_LOWEST 32u
#define WMARK_HIGHMEM_HIGHEST 128u

void pz_wmark_defaults(struct pz_wmark_config *w)
{
	memset(w, 0, sizeof(*w));
	w->scale_factor = 10;
	w->reserve_ratio[PZ_ZONE_DMA] = 256;
	w->reserve_ratio[PZ_ZONE_DMA32] = 256;
	w->reserve_ratio[PZ_ZONE_NORMAL] = 32;
}

bool pz_zone_wmark_ok(const struct pz_wmark_config *w)
{
	return w->scale_factor >= 1 && w->scale_factor <= 3000 && w->min_free_kbytes <= INT32_MAX;
}

/* Largest r with r * r <= v, for v below 2^62. */
static uint64_t wmark_sqrt(uint64_t v)
{
	uint64_t r = 0;

	for (uint64_t bit = (uint64_t)1 << 30; bit; bit >>= 1) {
		if ((r + bit) * (r + bit) <= v)
			r += bit;
	}
	return r;
}

/* Pages that ordinary requests find above the high watermarks. */
static uint64_t wmark_buffer_pages(const struct pz_zones *z)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t <= PZ_ZONE_NORMAL; t++) {
			const struct pz_zone *zone = &z->node[i].zone[t];

			if (zone->present && zone->managed > zone->high)
				pages += zone->managed - zone->high;
		}
	}
	return pages;
}

uint64_t pz_zones_min_free_kbytes(const struct pz_zones *z)
{
	uint64_t kbytes = wmark_buffer_pages(z) << (z->cfg.page_shift - 10), root;

	if (kbytes >> 33)
		return WMARK_MIN_FREE_HIGHEST;
	root = wmark_sqrt(kbytes * 16);
	if (root < WMARK_MIN_FREE_LOWEST)
		return WMARK_MIN_FREE_LOWEST;
	return root > WMARK_MIN_FREE_HIGHEST ? WMARK_MIN_FREE_HIGHEST : root;
}

uint64_t pz_zones_recommended_min_free_kbytes(const struct pz_zones *z, uint64_t pageblock_pages,
					      unsigned int migrate_types)
{
	uint64_t zones = 0, pages, most;

	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t <= PZ_ZONE_NORMAL; t++)
			zones += z->node[i].zone[t].present != 0;
	}
	pages = pageblock_pages * zones * (2 + (uint64_t)migrate_types * migrate_types);
	most = pz_udiv64(wmark_buffer_pages(z), 20);
	if (pages > most)
		pages = most;
	return pages << (z->cfg.page_shift - 10);
}

/* Whether a zone gets a small fixed minimum instead of a share. */
static bool wmark_is_fixed(const struct pz_zones *z, unsigned int t)
{
	return pz_zone_is_highmem(z, t) ||
	       (t == PZ_ZONE_MOVABLE && (z->cfg.flags & PZ_ZF_WMARK_MOVABLE_AS_HIGHMEM));
}

/* What the shares are divided by. */
static uint64_t wmark_lowmem_pages(const struct pz_zones *z)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (!wmark_is_fixed(z, t))
				pages += z->node[i].zone[t].managed;
		}
	}
	return z->cfg.flags & PZ_ZF_WMARK_DIV32 ? (uint32_t)pages : pages;
}

/* v * n / d, the product being of any size; v and d below 2^62. */
static uint64_t wmark_fraction(uint64_t v, uint64_t n, uint64_t d)
{
	uint64_t whole, part, q = 0, r = 0;

	if (!(v >> 32) && !(n >> 32))
		return pz_udiv64(v * n, d);
	whole = pz_udiv64(v, d);
	part = v - whole * d;
	for (uint64_t bit = (uint64_t)1 << 63; bit; bit >>= 1) {
		q <<= 1;
		r <<= 1;
		if (r >= d) {
			r -= d;
			q++;
		}
		if (!(n & bit))
			continue;
		r += part;
		if (r >= d) {
			r -= d;
			q++;
		}
	}
	return q + whole * n;
}

static void wmark_zone(struct pz_zone *zone, bool fixed, uint64_t share, uint64_t scale)
{
	uint64_t gap = share / 4, wide = wmark_fraction(zone->managed, scale, 10000);

	if (fixed) {
		share = zone->managed / 1024;
		if (share < WMARK_HIGHMEM_LOWEST)
			share = WMARK_HIGHMEM_LOWEST;
		if (share > WMARK_HIGHMEM_HIGHEST)
			share = WMARK_HIGHMEM_HIGHEST;
	}
	if (gap < wide)
		gap = wide;
	zone->min = share;
	zone->low = zone->min + gap;
	zone->high = zone->low + gap;
}

int pz_zones_set_watermarks(struct pz_zones *z, const struct pz_wmark_config *w)
{
	uint64_t kbytes = w->min_free_kbytes, pages_min, lowmem;

	if (!pz_zone_wmark_ok(w))
		return -PZ_EINVAL;
	if (!kbytes)
		kbytes = pz_zones_min_free_kbytes(z);
	pages_min = kbytes >> (z->cfg.page_shift - 10);
	lowmem = wmark_lowmem_pages(z);
	for (uint32_t i = 0; i < z->node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *zone = &z->node[i].zone[t];

			if (!(z->cfg.configured & (1u << t)))
				continue;
			wmark_zone(zone, wmark_is_fixed(z, t),
				   lowmem ? wmark_fraction(zone->managed, pages_min, lowmem) : 0,
				   w->scale_factor);
		}
	}
	return 0;
}

void pz_zones_set_reserves(struct pz_zones *z, const struct pz_wmark_config *w)
{
	for (uint32_t i = 0; i < z->node_count; i++) {
		struct pz_node *n = &z->node[i];

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			uint64_t above = 0, ratio = n->zone[t].managed ? w->reserve_ratio[t] : 0;

			for (unsigned int u = 0; u < PZ_ZONE_TYPES; u++) {
				if (u > t)
					above += n->zone[u].managed;
				n->zone[t].reserve[u] = ratio ? pz_udiv64(above, ratio) : 0;
			}
		}
	}
}

static uint32_t wmark_batch(uint64_t managed, uint32_t page_shift)
{
	uint64_t batch = managed >> 10, most = ((uint64_t)1 << 20) >> page_shift;
	uint32_t pow2;

	batch = (batch < most ? batch : most) / 4;
	if (!batch)
		batch = 1;
	pow2 = (uint32_t)1 << pz_fls64(batch + batch / 2);
	return pow2 > 1 ? pow2 - 1 : 1;
}

void pz_zones_set_pcp(struct pz_zones *z, unsigned int cpus)
{
	for (uint32_t i = 0; i < z->node_count; i++) {
		struct pz_node *n = &z->node[i];
		uint32_t split = n->cpus ? n->cpus : cpus ? cpus : 1;

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *zone = &n->zone[t];
			uint64_t high = pz_udiv64(zone->low, split);

			zone->pcp_batch = zone->pcp_high = 0;
			if (!zone->present)
				continue;
			zone->pcp_batch = wmark_batch(zone->managed, z->cfg.page_shift);
			if (high < (uint64_t)zone->pcp_batch * 4)
				high = (uint64_t)zone->pcp_batch * 4;
			zone->pcp_high = high > UINT32_MAX ? UINT32_MAX : (uint32_t)high;
		}
	}
}
