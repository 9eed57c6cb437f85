/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_debug.h - Linux's CONFIG_DMA_API_DEBUG: what it says of each misuse, and which it prints.
 *
 * Source followed: docs/facts/dma.md section 10.
 */
#ifndef PHYSZONE_LINUX_DMA_DEBUG_H
#define PHYSZONE_LINUX_DMA_DEBUG_H

#include <physzone/dma_debug.h>
#include <physzone/linux/dma_pool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_DMA_DEBUG_ENTRIES 65536u

/* What Linux keeps: its files in debugfs are about it. */
struct pzl_dma_debug {
	uint64_t error_count;
	uint32_t num_errors; /* so many are printed yet */
	bool all_errors, disabled;
	const char *driver_filter; /* errors of this driver only; NULL for all */
};

/**
 * pzl_dma_debug_init - as it is after boot: the first error is printed
 * @s: filled in
 *
 * Context: any.
 */
void pzl_dma_debug_init(struct pzl_dma_debug *s);

/**
 * pzl_dma_debug_boot - the line of the boot
 * @entries: records that were made
 * @emit: called for the line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_dma_debug_boot(uint32_t entries, pzl_emit_fn emit, void *ctx);

/**
 * pzl_dma_debug_report - what Linux prints of a finding
 * @s: its state; counts the error
 * @f: the finding
 * @who: the device
 * @emit: called for each line that is printed
 * @ctx: passed to @emit
 *
 * A sync that breaks two of Linux's rules is two errors. What Linux does not find is none.
 *
 * Context: any, one at a time; calls @emit.
 * Return: lines printed.
 */
uint32_t pzl_dma_debug_report(struct pzl_dma_debug *s, const struct pz_dma_misuse_found *f,
			      const struct pzl_dma_who *who, pzl_emit_fn emit, void *ctx);

/**
 * pzl_dma_debug_read - what a file of debugfs' dma-api says
 * @s: Linux's state
 * @st: the records' numbers
 * @file: its name: disabled, error_count, all_errors, num_errors, num_free_entries,
 * min_free_entries, nr_total_entries or driver_filter
 * @buf: its text, with a line's end
 * @size: room in @buf
 *
 * Context: any.
 * Return: 0, -PZ_ENOENT for another name, -PZ_ENOSPC when there is no room.
 */
int pzl_dma_debug_read(const struct pzl_dma_debug *s, const struct pz_dma_debug_stat *st,
		       const char *file, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
