/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_machine.h - a machine for the object benchmarks: page frames with memory behind them.
 *
 * 1 GiB of memory from address 0 and 1 GiB from 4 GiB on, mapped as one range with huge pages, as
 * a kernel's direct map is; one zone, one node, a page allocator, a set of caches, kmalloc(). An
 * unlimited request is served above 4 GiB, one of 30 or 32 bits below 1 GiB.
 */
#ifndef PHYSZONE_BENCH_SLAB_MACHINE_H
#define PHYSZONE_BENCH_SLAB_MACHINE_H

#include <physzone/contig.h>
#include <physzone/kmalloc.h>

struct slab_machine {
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_bugs bugs; /* misuse ends the program: a benchmark commits none */
	struct pz_pages *pages;
	struct pz_cma_reserved area; /* a contiguous area, if there is one, and its number */
	uint32_t area_id;
	struct pz_slabs *slabs;
	struct pz_kmalloc *kmalloc;
	unsigned char *arena; /* where address 0 is */
	void *map;	      /* what it was cut from */
};

/* False tells why on stderr; nothing is held then. */
bool slab_machine_make(struct slab_machine *m);
/* With a contiguous area of so many bytes below 1 GiB. */
bool slab_machine_make_area(struct slab_machine *m, uint64_t area);
/* Give it back, after a look at its invariants; its caches are destroyed before. */
void slab_machine_free(struct slab_machine *m);

/*
 * A cache of its own for objects of a size, as aligned as a power of two is; @bits of address limit
 * it, 0 for none. NULL tells why on stderr.
 */
struct pz_kmem_cache *slab_machine_cache(struct slab_machine *m, const char *name, size_t size,
					 unsigned int bits, uint32_t flags, uint32_t debug);

#endif
