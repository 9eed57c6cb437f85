/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool.h - Linux's dma_pool: how each version lays out blocks, and what it says of them.
 *
 * Source followed: docs/facts/dma.md section 7.
 */
#ifndef PHYSZONE_LINUX_DMA_POOL_H
#define PHYSZONE_LINUX_DMA_POOL_H

#include <physzone/dma_pool.h>
#include <physzone/linux/messages.h>
#include <physzone/linux/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pzl_dma_pool_layout - the layout that a version gives to blocks
 * @out: the layout, for pz_dma_pool_config.layout; written on success only
 * @model: the model; before 6.12 the last block before each boundary is lost when it ends there
 * @page_shift: log2 of the page size
 * @size: as dma_pool_create() takes it: at least 4 bytes are taken, since 6.12 16
 * @align: the same; 0 for 1
 * @boundary: the same; 0 for the allocation
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL where dma_pool_create() returns NULL.
 */
int pzl_dma_pool_layout(struct pz_dma_pool_layout *out, enum pzl_model model, uint32_t page_shift,
			uint32_t size, uint32_t align, uint32_t boundary);

/**
 * pzl_dma_pools_show - the file "pools" of a device in sysfs
 * @model: the model; before 6.12 the total counts blocks that are lost
 * @v: the numbers of the device's pools, the newest first
 * @n: how many
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_dma_pools_show(enum pzl_model model, const struct pz_dma_pool_info *v, size_t n,
			pzl_emit_fn emit, void *ctx);

/* Whose pool it is. */
struct pzl_dma_who {
	const char *driver, *device; /* NULL is written as "NULL" */
};

/**
 * pzl_dma_pool_show_finding - what Linux says of a finding, if it says anything
 * @f: the finding
 * @model: the model
 * @debug: its dma_pool checks blocks (slub_debug)
 * @who: the device
 * @emit: called for the line; the dump behind a corrupted block is left out
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 * Return: whether there is a line.
 */
bool pzl_dma_pool_show_finding(const struct pz_dma_pool_finding *f, enum pzl_model model,
			       bool debug, const struct pzl_dma_who *who, pzl_emit_fn emit,
			       void *ctx);

/**
 * pzl_dma_pool_show_busy - what Linux says when a pool in use is destroyed
 * @model: the model; before 6.12 there is a line for each page in use, since then one
 * @name: the pool's
 * @who: the device
 * @pages: where the CPU sees the pages in use
 * @n: how many
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_dma_pool_show_busy(enum pzl_model model, const char *name, const struct pzl_dma_who *who,
			    const void *const *pages, size_t n, pzl_emit_fn emit, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
