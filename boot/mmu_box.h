/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_box.h - tables of the library that the processor itself translates by.
 *
 * A box holds a set of tables with a provider of its own, and the MMU runs by them: the image at
 * its physical address, the serial line and all memory at port_direct() are mapped by the library,
 * like what a test maps. Windows that are free for tests: below 0x09000000, from 0x10000000 to
 * 0x3fffffff, and from 0xc0000000 on. Physical memory for them: BOX_PHYS.
 */
#ifndef BOOT_MMU_BOX_H
#define BOOT_MMU_BOX_H

#include <physzone/v7s.h>
#include <physzone/v7s_walk.h>

#include "../ports/arm/mmu.h"
#include "image.h"

#define BOX_PHYS 0x60000000u
#define BOX_PHYS_BYTES 0x20000000u

#define BOX_RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)
#define BOX_MEMORY (BOX_RW | PZ_IOMMU_CACHE)

struct box {
	struct tap *t;
	struct pz_v7s *v7s;
	uint32_t quirks;
	struct pz_table_mem mem;
	struct mmu_regime regime;
	struct pz_v7s_view view; /* the same tables for the library's own walker */
	struct pz_bugs bugs;
	uint32_t tables;  /* KiB of them that the provider has given out */
	uint32_t flushes; /* callbacks */
	/* While a page is split, this neighbour must lead where it did at each callback. */
	uint32_t watch_iova, watch_phys; /* 0, 0: none */
	uint32_t watched, lost;
	uint32_t nonce;
	char name[96];
};

/* Make tables with PZ_V7S_* @quirks for @ias bits, and turn the MMU on by them. */
bool box_open(struct box *b, struct tap *t, uint32_t quirks, uint32_t ias);

/* Back to the port's table. All tables must have come back, and nothing been misused. */
void box_close(struct box *b);

/* Map or unmap, true when the library said 0 and the tables are sound. */
bool box_map(struct box *b, uint32_t iova, uint32_t phys, uint32_t size, uint32_t prot);
bool box_unmap(struct box *b, uint32_t iova, uint32_t size);

/* The word of the tables that translates an address, where the MiB is what it is. */
volatile uint32_t *box_descriptor(struct box *b, uint32_t iova);

/* The word in memory that the processor sees elsewhere. */
volatile uint32_t *box_direct(uint32_t phys);

/*
 * The word at an iova is the one at a physical address: what is written at either is read at the
 * other, and the table walker says so. For pages that may be written.
 */
bool box_leads(struct box *b, uint32_t iova, uint32_t phys);

/*
 * The same for the first and the last word of a range, and for one in each @step bytes: the first,
 * the last and some other word of the step by turns.
 */
bool box_range_leads(struct box *b, uint32_t iova, uint32_t phys, uint32_t size, uint32_t step);

/* A load and a store both fault at an iova, with this status and its address; so says the walker.
 */
bool box_faults(struct box *b, uint32_t iova, enum mmu_status status);

/* The same for the words that box_range_leads() looks at. */
bool box_range_faults(struct box *b, uint32_t iova, uint32_t size, uint32_t step,
		      enum mmu_status status);

/* A result whose name is formatted. */
bool box_check(struct box *b, bool good, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What is tested, each with boxes of its own. */
void mmu_pages(struct tap *t, uint64_t handed_over);
void mmu_split(struct tap *t, uint64_t handed_over);
void mmu_rights(struct tap *t, uint64_t handed_over);
void mmu_random(struct tap *t, uint64_t handed_over);

#endif
