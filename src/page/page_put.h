/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_put.h - frees that say whether they freed, for layers that count what is out, and a quick
 * look at a page.
 */
#ifndef PHYSZONE_PAGE_PAGE_PUT_H
#define PHYSZONE_PAGE_PAGE_PUT_H

#include "page_internal.h"

/* As pz_free_pages() and pz_free_exact(); false for misuse, which has been told. */
bool pz_page_put_block(struct pz_pages *p, uint32_t cpu, uint64_t pfn, unsigned int order);
bool pz_page_put_run(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages);

/* What a look at single pages takes to know of the allocator; it stays so. */
struct page_look {
	const uint64_t *words;
	uint64_t base_pfn, frames;
	uint32_t shift;
};

static inline void pz_page_look_init(const struct pz_pages *p, struct page_look *look)
{
	look->words = p->words;
	look->base_pfn = p->base_pfn;
	look->frames = p->frames_0;
	look->shift = p->page_shift;
}

/*
 * Whether a page is a block by itself, as one look at its word says. False also when that does not
 * say it: where reserved pages cannot be told from single ones, at the end of a word, and beyond
 * the first span of frames.
 */
static inline bool pz_page_is_single(const struct page_look *look, uint64_t phys)
{
	uint64_t index = (phys >> look->shift) - look->base_pfn, v;
	unsigned int unit = (unsigned int)index & 31;

	if (index >= look->frames || unit == 31)
		return false;
	v = pz_load64(&look->words[index >> WORD_SHIFT]);
	/* A head that is taken, with no tail behind it. */
	return (v >> unit & 0x100000001ull) == 0x100000001ull && v != WORD_RESERVED &&
	       (v >> unit & 0x200000002ull) != 2;
}

#endif
