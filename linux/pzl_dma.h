/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_dma.h - what the parts of the DMA model share.
 *
 *	dma_device   masks, addresses, zone bits
 *	dma_memory   pages, contiguous areas, encryption, and what is printed
 *	dma_atomic   pools for atomic allocations
 *	dma_region   regions of a device's own
 *	dma_direct   the allocations themselves
 */
#ifndef LINUX_PZL_DMA_H
#define LINUX_PZL_DMA_H

#include <physzone/linux/dma.h>

#include "../src/base/bits.h"
#include "../src/base/pz_string.h"
#include "pzl_bus.h"
#include "pzl_out.h"

static inline uint64_t pzl_dma_page_bytes(const struct pzl_dma *d)
{
	return (uint64_t)1 << d->cfg.boot.page_shift;
}

/* Bytes in whole pages; 0 when there are none, or too many. */
static inline uint64_t pzl_dma_page_align(const struct pzl_dma *d, uint64_t bytes)
{
	uint64_t up;

	return pz_round_up(bytes, pzl_dma_page_bytes(d), &up) ? up : 0;
}

/* The smallest order that holds a number of bytes, which is not 0. */
static inline unsigned int pzl_dma_order(const struct pzl_dma *d, uint64_t bytes)
{
	uint64_t pages = (bytes - 1) >> d->cfg.boot.page_shift;

	return pages ? pz_fls64(pages) + 1 : 0;
}

/* Linux's min_not_zero() of the coherent mask and the bus limit. */
static inline uint64_t pzl_dma_limit(const struct pzl_dma_dev *dev)
{
	return pzl_bus_limit(dev->cfg.coherent_mask, dev->cfg.bus_limit);
}

/* force_dma_unencrypted(): the device must be given memory that is not encrypted. */
bool pzl_dma_unencrypted(const struct pzl_dma *d, const struct pzl_dma_dev *dev);

/* phys_to_dma_direct(): what a coherent buffer's handle is. */
uint64_t pzl_dma_handle(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys);

/* A step for the trace. */
void pzl_dma_note(struct pzl_dma *d, enum pz_dma_from from, uint32_t gfp, enum pzl_dma_came came,
		  uint64_t phys);

/* Lines, and those that begin with the device's driver and name. */
void pzl_dma_line(const struct pzl_dma *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void pzl_dma_dev_line(const struct pzl_dma *d, const struct pzl_dma_dev *dev, const char *text);

/* Remember that a WARN_ON_ONCE was met; true for the first time. */
bool pzl_dma_warn(struct pzl_dma *d, uint32_t warning);

/* alloc_pages() and __free_pages(): 0 or -PZ_ENOMEM. */
int pzl_dma_pages_take(struct pzl_dma *d, int32_t nid, uint32_t gfp, unsigned int order,
		       uint64_t *phys);
void pzl_dma_pages_give(struct pzl_dma *d, uint64_t phys, unsigned int order);

/* cma_alloc() as the DMA layer calls it: aligned to the order, 1 MiB of small pages at most. */
int pzl_dma_cma_take(struct pzl_dma *d, uint32_t area, uint64_t bytes, uint64_t *phys);

/* dma_alloc_contiguous() and dma_free_contiguous(). */
int pzl_dma_contiguous_take(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bytes,
			    uint32_t gfp, uint64_t *phys);
void pzl_dma_contiguous_give(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys,
			     uint64_t bytes);

/* set_memory_decrypted() and back; 0 where nothing is encrypted. */
int pzl_dma_share(const struct pzl_dma *d, uint64_t phys, uint64_t bytes, bool shared);

/* PageHighMem(), or what it should be: see struct pzl_dma_config. */
bool pzl_dma_is_high(const struct pzl_dma *d, uint64_t phys);

/* The kernel's address of directly mapped memory; NULL without a hook. */
void *pzl_dma_direct(const struct pzl_dma *d, uint64_t phys, uint64_t bytes);

/* A piece of a region: 0, -PZ_ENOMEM; and back: false when it is none of it. */
int pzl_dma_region_take(struct pzl_dma *d, const struct pzl_dma_dev *dev, struct pzl_dma_region *r,
			uint64_t size, struct pzl_dma_buf *buf);
bool pzl_dma_region_give(struct pzl_dma *d, struct pzl_dma_region *r,
			 const struct pzl_dma_buf *buf);

#endif
