/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_put.h - frees that say whether they freed, for layers that count what is out.
 */
#ifndef PHYSZONE_PAGE_PAGE_PUT_H
#define PHYSZONE_PAGE_PAGE_PUT_H

#include <physzone/page.h>

/* As pz_free_pages() and pz_free_exact(); false for misuse, which has been told. */
bool pz_page_put_block(struct pz_pages *p, uint32_t cpu, uint64_t pfn, unsigned int order);
bool pz_page_put_run(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages);

#endif
