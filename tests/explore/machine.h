/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - a tiny machine with a page allocator, all of whose state lies in one piece of memory.
 *
 * So a test can put it back to where it was by a copy, and compare states byte by byte. Memory is
 * one node with one zone from page frame 0, without watermarks and kept pages: a request is refused
 * only where nothing fits.
 */
#ifndef TESTS_EXPLORE_MACHINE_H
#define TESTS_EXPLORE_MACHINE_H

#include <physzone/contig.h>
#include <physzone/page.h>

struct machine_config {
	uint64_t frames;
	struct pz_range late; /* not managed at first, for pz_pages_add(); last 0 for none */
	uint32_t cpus; /* 0 for one */
	uint32_t pageblock_order; /* 0 for the default */
	bool no_grouping;
	uint32_t pcp_batch, pcp_high; /* pcp_high 0: caches keep no frames */
	enum pz_page_policy policy;
	uint32_t debug; /* PZ_PAGE_DEBUG_* */
};

/* Lies at the start of its piece of memory, and points into it. */
struct machine {
	size_t used, size; /* bytes; what lies behind is zero */
	struct pz_pages *pages;
	struct pz_bugs bugs;
	struct pz_meta meta;
	struct pz_page_owner owner; /* filled in by the test for movable pages */
	/* Not part of the state: never written once the machine stands. */
	struct machine_plan *plan;
};

/*
 * machine_make - build it, @extra bytes of the caller's own state included
 * @extra: bytes for the caller, zero-filled; they come first after struct machine
 * @spare: metadata that it may still ask for later
 *
 * Ends the program on failure.
 */
struct machine *machine_make(const struct machine_config *cfg, size_t extra, size_t spare);

/* The caller's own state. */
static inline void *machine_extra(struct machine *m)
{
	return m + 1;
}

void machine_drop(struct machine *m);

/* Pages of the whole machine that are free, those in per-CPU caches included, by the state. */
uint64_t machine_free(const struct machine *m);

/* Of these, those in per-CPU caches. */
uint64_t machine_held(const struct machine *m);

/* Its zones. */
const struct pz_zones *machine_zones(const struct machine *m);

/* Limits of page frames, both inclusive. */
struct pz_limits machine_limits(uint64_t first, uint64_t last);

#endif
