/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_machine.h - a small machine with a page allocator, for the contract suites.
 */
#ifndef TESTS_CONTRACT_PAGE_MACHINE_H
#define TESTS_CONTRACT_PAGE_MACHINE_H

#include <physzone/contig.h>
#include <physzone/page.h>

#include "tap.h"

#define PM_KIB ((uint64_t)1 << 10)
#define PM_MIB ((uint64_t)1 << 20)
#define PM_GIB ((uint64_t)1 << 30)

struct pm_region {
	uint64_t base, size;
	int nid;
	bool reserved; /* on top of memory that is there */
};

/* Points to itself: must not be moved. */
struct page_machine {
	struct tap *t;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_bugs bugs;
	struct pz_page_config cfg;
	struct pz_pages *pages;
	bool laid_out;
};

/* Zones of a PC: DMA up to 16 MiB, DMA32 up to 4 GiB, Normal up to @end. */
struct pz_zone_config pm_pc(uint64_t end);

/* One zone, Normal, up to @end. */
struct pz_zone_config pm_flat(uint64_t end);

/*
 * Memory, reservations and zones; @m->cfg is filled in: one CPU, no watermarks, nothing kept,
 * whatever is misused is only counted. The caller may change it, then pm_make().
 */
bool pm_lay_out(struct page_machine *m, struct tap *t, const struct pm_region *v, uint32_t count,
		const struct pz_zone_config *zones);

/* Count the managed pages, and make the allocator. */
bool pm_make(struct page_machine *m);

/* Both, of one piece of memory from 0 on in one zone. */
bool pm_simple(struct page_machine *m, struct tap *t, uint64_t bytes);

/* Verify the allocator once more, then give everything back. */
void pm_close(struct page_machine *m);

/* Limits of page frames [first, last]. */
struct pz_limits pm_window(uint64_t first, uint64_t last);

/* Free pages of the whole machine. */
uint64_t pm_free(const struct page_machine *m);

/* Take single pages with @gfp until there are none; their number. */
uint64_t pm_fill(struct page_machine *m, uint32_t gfp);

/* Free every single page of [first, last] that is allocated; their number. */
uint64_t pm_free_singles(struct page_machine *m, uint64_t first, uint64_t last);

/* Whether a page is in a state; of blocks also where it begins and how long it is. */
bool pm_state(const struct page_machine *m, uint64_t pfn, enum pz_page_state state);
bool pm_block(const struct page_machine *m, uint64_t pfn, uint64_t head, uint64_t pages);

#endif
