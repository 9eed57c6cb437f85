/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_show.h - the library's caches in Linux's words: rows of /proc/slabinfo, the files of
 * /sys/kernel/slab, reports of corruption.
 *
 * Source followed: docs/facts/slab.md sections 10, 11 and 13.
 */
#ifndef PHYSZONE_LINUX_SLAB_SHOW_H
#define PHYSZONE_LINUX_SLAB_SHOW_H

#include <physzone/linux/slab_proc.h>
#include <physzone/linux/slab_report.h>
#include <physzone/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pzl_slab_show_flags - Linux's flags of a cache
 * @st: its numbers
 *
 * Context: any.
 * Return: PZL_SLAB_*.
 */
uint32_t pzl_slab_show_flags(const struct pz_kmem_cache_stat *st);

/**
 * pzl_slab_show_geometry - the layout of a cache, as that of one of Linux's
 * @st: its numbers
 * @out: filled in
 *
 * Context: any.
 */
void pzl_slab_show_geometry(const struct pz_kmem_cache_stat *st, struct pzl_slab_geometry *out);

/**
 * pzl_slab_show_info - the row of a cache in /proc/slabinfo
 * @st: its numbers; the name of the row is its
 * @out: filled in
 *
 * Objects in magazines count as active, as those of Linux's CPU slabs do.
 *
 * Context: any.
 */
void pzl_slab_show_info(const struct pz_kmem_cache_stat *st, struct pzl_slabinfo *out);

/**
 * pzl_slab_show_attrs - what the files of a cache in /sys/kernel/slab say
 * @st: its numbers
 * @model: the model
 * @has: PZL_SLAB_HAS_*; counts are those of all nodes together
 * @out: filled in, for pzl_slab_attr_write()
 *
 * Context: any.
 */
void pzl_slab_show_attrs(const struct pz_kmem_cache_stat *st, enum pzl_model model, uint32_t has,
			 struct pzl_slab_attrs *out);

/**
 * pzl_slab_show_finding - a finding in Linux's lines
 * @f: what the found hook was told; from within the hook, for the slab is dumped
 * @k: a kernel, whose words and word size count
 * @now: what the clock hook says now; ages are differences to it
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Places of calls are written as numbers, and no process is known.
 *
 * Context: any; calls @emit.
 */
void pzl_slab_show_finding(const struct pz_slab_finding *f, const struct pzl_slab_kernel *k,
			   uint64_t now, pzl_emit_fn emit, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
