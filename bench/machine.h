/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - machines for the page benchmarks: frames without any memory behind them.
 *
 * Laid out as x86 does it: 640 KiB, a hole to 1 MiB, memory to 3 GiB, a hole to 4 GiB, the rest
 * above, if there is more; zones DMA, DMA32 and Normal, with the watermarks, lowmem reserves and
 * per-CPU sizes that a Linux kernel with transparent huge pages has. Everything is free at first.
 */
#ifndef PHYSZONE_BENCH_MACHINE_H
#define PHYSZONE_BENCH_MACHINE_H

#include <physzone/page.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)
#define PAGE_BYTES ((uint64_t)4096)

#define MACHINE_MAPS 64u

struct machine {
	uint64_t bytes;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_meta zeroed, small;
	struct {
		void *at;
		size_t size;
	} map[MACHINE_MAPS];  /* zero-filled memory that was handed out */
	uint64_t small_bytes; /* handed out by the other hook */
	bool huge;	      /* back metadata with huge pages, as a kernel's direct map does */
	struct pz_bugs bugs; /* misuse ends the program: a benchmark commits none */
	struct pz_pages *pages;
	uint64_t managed;
	double create_ns;
};

/* What differs from a machine to the next; zero is the usual. */
struct machine_opts {
	uint64_t bytes;
	enum pz_page_policy policy;
	bool no_grouping;
	bool small_pages; /* back metadata with small pages, to count those that are touched */
	struct pz_page_hooks hooks;
};

/* Lay the machine out, without an allocator; false tells why on stderr. */
bool machine_layout(struct machine *m, const struct machine_opts *o);
/* Lay it out and make its allocator. */
bool machine_make(struct machine *m, const struct machine_opts *o);
/* Give it back, after a look at its invariants where that does not take long. */
void machine_free(struct machine *m);

/* Bytes of metadata that were touched. */
uint64_t machine_touched(const struct machine *m);

/* The free ranges at start, as page frames; @i from 0. */
bool machine_range(const struct machine *m, unsigned int i, struct pz_range *pfns);
/* Managed pages that lie wholly in [0, last]. */
uint64_t machine_pages_below(const struct machine *m, uint64_t last);

#endif
