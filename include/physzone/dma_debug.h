/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_debug.h - what drivers do wrong with memory for devices.
 *
 * A record of each buffer and mapping that is out, with the place where it was made; what is given
 * back, synced or left behind is held against it. Findings are data; <physzone/linux/dma_debug.h>
 * has Linux's words for them. Source followed: docs/facts/dma.md section 10.
 */
#ifndef PHYSZONE_DMA_DEBUG_H
#define PHYSZONE_DMA_DEBUG_H

#include <physzone/dma.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What kind of call made it. */
enum pz_dma_kind { PZ_DMA_SINGLE, PZ_DMA_SG, PZ_DMA_COHERENT, PZ_DMA_RESOURCE };

/* A buffer or mapping, as it is made, synced or given back. */
struct pz_dma_use {
	const struct pz_dma_dev *dev;
	enum pz_dma_kind kind;
	enum pz_dma_dir dir;
	uint64_t bus;
	uint64_t phys; /* of the memory; when it is given back only for coherent buffers */
	uint64_t size;
	uint32_t attrs;
	uint32_t sg_count;  /* elements of the list as it was mapped, else 0 */
	const void *memory; /* the CPU's address of it where the caller had one, else NULL */
};

/* Each is called by the layer, when it has one, around what it does itself. Any context. */
void pz_dma_debug_map(struct pz_dma_debug *d, const struct pz_dma_use *u);
void pz_dma_debug_unmap(struct pz_dma_debug *d, const struct pz_dma_use *u);
/* @u->bus and @u->size are what is synced; it may be a part of a mapping. */
void pz_dma_debug_sync(struct pz_dma_debug *d, const struct pz_dma_use *u, bool for_cpu);
void pz_dma_debug_checked(struct pz_dma_debug *d, const struct pz_dma_dev *dev, uint64_t bus);
void pz_dma_debug_release(struct pz_dma_debug *d, const struct pz_dma_dev *dev);

#ifdef __cplusplus
}
#endif

#endif
