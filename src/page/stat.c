/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat.c - what the allocator can tell of itself: pages, areas, costs.
 *
 * All of it is read from the state of the frames, not from counters that could be wrong.
 */
#include "page_internal.h"

/* The first frame of the block that a taken frame belongs to. */
uint64_t pz_page_head_of(const struct pz_pages *p, uint64_t index)
{
	uint64_t at = index;

	for (;;) {
		unsigned int level;
		enum word_state s = pz_page_probe(p, at, &level);
		uint64_t first = at & ~(((uint64_t)1 << (WORD_SHIFT * level)) - 1);

		if (s == WORD_HEAD)
			return first;
		if (s != WORD_TAIL || !first)
			return index;
		at = first - 1;
	}
}

void pz_page_info(const struct pz_pages *p, uint64_t pfn, struct pz_page_info *out)
{
	uint64_t index = page_index(p, pfn);
	unsigned int level;

	memset(out, 0, sizeof(*out));
	if (index == PAGE_NONE || !pz_page_managed(p, index, index))
		return;
	out->mobility = (uint8_t)page_type(p, index);
	if (p->sites) {
		out->alloc_site = p->sites[pz_page_head_of(p, index) * 2];
		out->free_site = p->sites[index * 2 + 1];
	}
	switch (pz_page_probe(p, index, &level)) {
	case WORD_FREE:
		out->state = PZ_PAGE_FREE;
		return;
	case WORD_HELD:
		out->state = PZ_PAGE_HELD;
		return;
	case WORD_HEAD:
	case WORD_TAIL:
		break;
	}
	out->head = pz_page_head_of(p, index);
	out->state = out->head == index ? PZ_PAGE_HEAD : PZ_PAGE_TAIL;
	out->pages = pz_page_block_length(p, out->head);
	if (p->owner)
		out->owner = pz_peek8(&p->owner[out->head]);
	/* Being evacuated. */
	if (out->owner > PZ_PAGE_OWNERS)
		out->owner = 0;
	out->head = page_to_pfn(p, out->head);
}

uint32_t pz_page_areas(const struct pz_pages *p)
{
	return p->area_count;
}

/* The next run of free frames at or after *at, up to @hi. */
bool pz_page_next_run(const struct pz_pages *p, uint64_t *at, uint64_t hi, uint64_t *last)
{
	while (*at <= hi) {
		unsigned int level;
		enum word_state s = pz_page_probe(p, *at, &level);

		if (s == WORD_FREE) {
			*last = pz_page_free_up(p, *at, hi, PAGE_GFP_ANY);
			if (*last >= *at && *last != UINT64_MAX)
				return true;
		}
		if (!level) {
			uint32_t f = word_free(pz_load64(page_word(p, 0, *at >> WORD_SHIFT)));
			uint32_t above = f & ~word_mask(0, (unsigned int)(*at & 31) + 1);

			*at = above ? (*at & ~(uint64_t)31) + pz_ctz32(above) : (*at | 31) + 1;
		} else {
			*at = (*at | (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) + 1;
		}
	}
	return false;
}

static unsigned int stat_ctz(uint64_t v)
{
	return v ? pz_ctz64(v) : 64;
}

/* Count a free run as the blocks that a buddy allocator would have of it. */
static void stat_run(const struct pz_pages *p, uint64_t first, uint64_t last, unsigned int max,
		     struct pz_area_stat *out)
{
	for (uint64_t at = first; at <= last;) {
		unsigned int order = stat_ctz(page_to_pfn(p, at)), type = page_type(p, at);

		if (order > max)
			order = max;
		while (((uint64_t)1 << order) - 1 > last - at)
			order--;
		/* Blocks of more than a pageblock are of one kind. */
		while (order > p->pageblock_order) {
			uint64_t half = at + ((uint64_t)1 << (order - 1));
			bool same = true;

			for (uint64_t b = at; p->special && b < half + (half - at);
			     b += (uint64_t)1 << p->pageblock_order)
				same &= page_type(p, b) == type ||
					(page_type(p, b) <= 2 && type <= 2);
			if (same)
				break;
			order--;
		}
		out->order[order][type]++;
		at += (uint64_t)1 << order;
	}
}

static void stat_blocks(const struct pz_pages *p, const struct page_seg *s,
			struct pz_area_stat *out)
{
	uint64_t size = (uint64_t)1 << p->pageblock_order, at = s->lo & ~(size - 1);

	for (; at <= s->hi; at += size) {
		uint64_t first = at < s->lo ? s->lo : at, last = at + size - 1;
		unsigned int level;
		bool any = false;

		if (last > s->hi)
			last = s->hi;
		/* A pageblock counts when a page of it is managed. */
		for (uint64_t i = first; i <= last && !any;) {
			(void)pz_page_probe(p, i, &level);
			any = pz_page_managed(p, i, i);
			i = level ? (i | (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) + 1 : i + 1;
		}
		if (any)
			out->blocks[page_type(p, first)]++;
	}
}

void pz_page_area_stat(const struct pz_pages *p, uint32_t area, unsigned int max_order,
		       struct pz_area_stat *out)
{
	const struct page_area *a = &p->area[area];

	memset(out, 0, sizeof(*out));
	if (area >= p->area_count)
		return;
	if (max_order > PZ_PAGE_MAX_ORDER)
		max_order = PZ_PAGE_MAX_ORDER;
	out->nid = a->nid;
	out->type = a->type;
	out->managed = pz_load64(&a->managed);
	out->free_cma = pz_load64(&a->free_cma);
	out->highatomic = pz_load64(&a->highatomic);
	for (uint32_t i = 0; i < p->seg_count; i++) {
		const struct page_seg *s = &p->seg[i];
		uint64_t at = s->lo, last;

		if (s->area != area)
			continue;
		while (pz_page_next_run(p, &at, s->hi, &last)) {
			uint64_t n = last - at + 1;

			out->free += n;
			if (n > out->largest_run)
				out->largest_run = n;
			stat_run(p, at, last, max_order, out);
			at = last + 1;
		}
		stat_blocks(p, s, out);
		out->held += pz_page_held(p, s->lo, s->hi);
	}
}

/* Held frames between two indices. */
uint64_t pz_page_held(const struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	uint64_t n = 0;

	for (uint64_t at = lo; p->hold && at <= hi;) {
		unsigned int level;

		(void)pz_page_probe(p, at, &level);
		if (!level) {
			uint64_t v = pz_load64(page_word(p, 0, at >> WORD_SHIFT));
			uint32_t m = ~word_taken(v) & word_head(v) &
				     ~(word_mask(0, (unsigned int)(at & 31) + 1) >> 1);

			if ((at | 31) > hi)
				m &= word_mask(0, (unsigned int)(hi & 31) + 1);
			n += pz_popcount32(m);
			at = (at | 31) + 1;
		} else {
			at = (at | (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) + 1;
		}
	}
	return n;
}

void pz_page_cost(const struct pz_pages *p, struct pz_page_cost *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t l = 0; l < p->level_count; l++) {
		uint64_t bytes = p->level[l].words * p->level[l].stride;

		/* Half of each word says where blocks begin; so do the mobility bits of level 1. */
		uint64_t owner = p->level[l].words * 4;

		if (l == 1)
			owner += p->level[l].words * 3 * sizeof(uint32_t);
		out->owner_bytes += owner;
		out->state_bytes += bytes - owner;
	}
	if (p->owner)
		out->owner_bytes += p->frames;
	out->cpu_bytes = (uint64_t)p->cpus * sizeof(*p->cpu) + pz_page_hold_bytes(p);
	if (p->sites)
		out->debug_bytes = p->frames * 2 * sizeof(uint64_t);
}
