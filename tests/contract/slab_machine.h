/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_machine.h - a small machine with memory behind it, and caches, for the contract suites.
 */
#ifndef TESTS_CONTRACT_SLAB_MACHINE_H
#define TESTS_CONTRACT_SLAB_MACHINE_H

#include <physzone/kmalloc.h>

#include "page_machine.h"

#define SM_FIRST (15 * PM_MIB) /* physical address of the first byte: 1 MiB is below 16 MiB */
#define SM_BYTES (2 * PM_MIB)
#define SM_FOUND 64u

/* Points to itself: must not be moved. */
struct slab_machine {
	struct page_machine pm;
	struct pz_slabs_config cfg;
	struct pz_slabs *s;
	void *raw; /* the memory, before it is aligned */
	size_t raw_bytes;
	uint64_t managed;			/* free pages before anything was allocated */
	struct pz_slab_finding found[SM_FOUND]; /* what was told; pointers in it may be stale */
	uint32_t findings;
};

/* A machine in other words: zero-filled for the usual. */
struct sm_plan {
	uint64_t first; /* physical address of the memory, 0 for SM_FIRST: a multiple of 1 MiB */
	uint32_t cpus, nodes; /* 0 for 1; two nodes have half of the memory each */
	uint32_t page_shift; /* 0 for 12 */
};

bool sm_lay_out_as(struct slab_machine *m, struct tap *t, const struct sm_plan *plan);

/* Memory, zones of a PC, pages; @m->cfg is filled in. The caller may change it. */
bool sm_lay_out(struct slab_machine *m, struct tap *t, uint32_t cpus);

/* Make the set of caches. */
bool sm_make(struct slab_machine *m);

/* Both. */
bool sm_simple(struct slab_machine *m, struct tap *t);

/* Verify that every page came back, then give everything back. */
void sm_close(struct slab_machine *m);

/* A cache of a size; a zero-filled pz_kmem_cache_config for the rest. */
struct pz_kmem_cache *sm_cache(struct slab_machine *m, const char *name, uint32_t size,
			       uint32_t flags, uint32_t debug);

/* Findings of a kind. */
uint32_t sm_found(const struct slab_machine *m, enum pz_slab_fault fault);

#endif
