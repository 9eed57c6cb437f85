/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_mem.h - where translation tables of an IOMMU come from.
 *
 * A table is a power of two of bytes, aligned to its size, known by two addresses: the CPU's, and
 * the one that the IOMMU's walker reads it at. A provider gives out such tables and takes them
 * back; it may be anything. Those below are made from the library's own allocators, each within any
 * limit.
 *
 * Units: bytes, physical addresses. Concurrency: as the allocator behind it.
 * Source followed: docs/facts/iommu_v7s.md section 5; docs/design/iommu.md has the argument.
 */
#ifndef PHYSZONE_TABLE_MEM_H
#define PHYSZONE_TABLE_MEM_H

#include <physzone/dma_pool.h>
#include <physzone/frag.h>
#include <physzone/genpool.h>
#include <physzone/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pz_table {
	void *cpu_addr;
	uint64_t addr; /* as the walker reads it */
};

/*
 * A provider. @alloc returns 0, or -PZ_ENOMEM, -PZ_ERANGE and what else its allocator says; tables
 * need not be zeroed. Both are called from the context of whoever maps or unmaps, with no lock held
 * and @cpu and @gfp as it gave them; @bytes is the same in both. Memory that was freed stays
 * readable for the CPU (its contents do not matter) as long as the tables that it served exist.
 */
struct pz_table_mem {
	int (*alloc)(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out);
	void (*free)(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t);
	void *ctx;
	/* @addr is a bus address of memory that the walker sees as the CPU writes it. */
	bool coherent;
};

#ifdef __cplusplus
}
#endif

#endif
