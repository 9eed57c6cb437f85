/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * messages.h - the lines that Linux prints about its zones while it boots.
 *
 * Rendered from zones and memblock, to be compared with a log or shown for a computed machine.
 * Source followed: docs/facts/zones.md section 8.
 */
#ifndef PHYSZONE_LINUX_MESSAGES_H
#define PHYSZONE_LINUX_MESSAGES_H

#include <physzone/linux/arch.h>
#include <physzone/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes one line without its end; must copy what it keeps. */
typedef void (*pzl_emit_fn)(void *ctx, const char *line, size_t len);

/**
 * pzl_print_zones - the block from "Zone ranges:" to the last "pages in unavailable ranges"
 * @model: the model
 * @z: zones as pz_zones_build() made them
 * @mb: the memory that they were built from
 * @arch: the architecture; its section size decides about the trailing unavailable range
 * @pae: i386: the kernel uses PAE
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * "Zone ranges:", "Movable zone start for each node", "Early memory node ranges", then for each
 * node "Initmem setup node" and the unavailable ranges of each node's zones.
 *
 * Context: any; calls @emit. Cost: O(regions * zone types * nodes).
 */
void pzl_print_zones(enum pzl_model model, const struct pz_zones *z, const struct pz_memblock *mb,
		     enum pzl_arch arch, bool pae, pzl_emit_fn emit, void *ctx);

/* The sizes in the "Memory:" line, KiB. */
struct pzl_memory_line {
	uint64_t free, physical, code, rwdata, rodata, init, bss, reserved, cma, highmem;
	bool has_highmem; /* the kernel has high memory: the last field is printed */
};

/**
 * pzl_print_memory - the "Memory: ... available" line
 * @m: the sizes
 * @emit: called once
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_memory(const struct pzl_memory_line *m, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_zonelists - the "Built N zonelists" line, and "Policy zone" on NUMA kernels
 * @zonelists: number of online nodes
 * @grouping: mobility grouping is on
 * @total_pages: pages that the zonelists reach, less the high watermarks
 * @policy_zone: name of the policy zone, or NULL for a kernel without NUMA
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_zonelists(unsigned int zonelists, bool grouping, uint64_t total_pages,
			 const char *policy_zone, pzl_emit_fn emit, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
