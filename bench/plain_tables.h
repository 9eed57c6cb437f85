/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_tables.h - a plain two-level table, the peer of the IOMMU's: words of 4 KiB and 1 MiB, no
 * more.
 *
 * Mapping and unmapping store words and do nothing else: no page of 64 KiB or 16 MiB, no split, no
 * check whether something is mapped, no error but for want of memory, no locks, no counts, nobody
 * told. Threads must keep to megabytes of their own when second levels are made or given back.
 */
#ifndef PHYSZONE_BENCH_PLAIN_TABLES_H
#define PHYSZONE_BENCH_PLAIN_TABLES_H

#include "slab_machine.h"

struct plain_tables {
	uint32_t *first;	     /* a word for each MiB of 4 GiB */
	struct pz_kmem_cache *cache; /* of second levels, physical address 0 at @arena */
	unsigned char *arena;
	bool give_back; /* a second level goes when a whole MiB is unmapped */
};

/* Tables that translate nothing; @cache is one of 1 KiB below 4 GiB. False: no memory. */
bool plain_open(struct plain_tables *t, struct slab_machine *m, struct pz_kmem_cache *cache);
void plain_close(struct plain_tables *t, uint32_t cpu);

/* Translate a range: in whole megabytes where @sections and both addresses allow, else in 4 KiB. */
bool plain_map(struct plain_tables *t, uint32_t cpu, uint64_t iova, uint64_t phys, uint64_t size,
	       uint32_t bits, bool sections);
void plain_unmap(struct plain_tables *t, uint32_t cpu, uint64_t iova, uint64_t size);
bool plain_lookup(const struct plain_tables *t, uint64_t iova, uint64_t *phys);

/* Bytes of both levels. */
uint64_t plain_bytes(const struct plain_tables *t);

#endif
