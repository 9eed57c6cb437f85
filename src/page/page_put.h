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

/*
 * Whether a page frame is a block by itself, as one look at its word says. False also when that
 * does not say it: where reserved pages cannot be told from single ones, and at the end of a word.
 */
static inline bool pz_page_is_single(const struct pz_pages *p, uint64_t pfn)
{
	uint64_t index = page_index(p, pfn), bits = 0x100000001ull << (index & 31), v;

	if (index == PAGE_NONE || (index & 31) == 31)
		return false;
	v = pz_load64(&p->words[index >> WORD_SHIFT]);
	return (v & bits) == bits && v != WORD_RESERVED &&
	       (v >> (index & 31) & 0x200000002ull) != 2;
}

#endif
