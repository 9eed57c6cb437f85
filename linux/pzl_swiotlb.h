/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_swiotlb.h - what the parts of the model of bounce buffers share.
 */
#ifndef LINUX_PZL_SWIOTLB_H
#define LINUX_PZL_SWIOTLB_H

#include <physzone/linux/boot.h>
#include <physzone/linux/swiotlb.h>

#include "pzl_bus.h"

#define SWIOTLB_MASK ((uint64_t)PZL_SWIOTLB_SLOT - 1)
#define SWIOTLB_NONE UINT32_MAX
#define SWIOTLB_MAX_AREAS 0x100000u

/* What a search is for. */
struct swiotlb_want {
	uint64_t orig;	     /* 0 for coherent memory, whose low bits do not matter */
	uint64_t bytes;	     /* with the kept low bits before them */
	uint64_t align_mask; /* of the buffer */
};

/* Print a line of bounce buffers, or of a device. */
void pzl_swiotlb_say(const struct pzl_swiotlb *sw, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void pzl_swiotlb_dev_say(const struct pzl_swiotlb_dev *dev, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Digits of an address as the kernel prints it. */
int pzl_swiotlb_digits(const struct pzl_swiotlb *sw);

/* From 6.0 on slots are spread over areas, and a size that finds no place is halved. */
static inline bool pzl_swiotlb_has_areas(enum pzl_model model)
{
	return model > PZL_LINUX_5_15;
}

/* Settings as a kernel begins with them. */
void pzl_swiotlb_settings(struct pzl_swiotlb *sw, const struct pzl_swiotlb_config *cfg);

/* The value of swiotlb=, by a kernel with areas or without; and what it does to the settings. */
void pzl_swiotlb_read(struct pzl_swiotlb_words *w, bool areas, const char *value, size_t len);
void pzl_swiotlb_apply(struct pzl_swiotlb *sw, const struct pzl_swiotlb_words *w);

/* Lines: no place for so many bytes; fewer slots than were asked for, which count from now on;
 * where they lie, with no bytes for nowhere. */
void pzl_swiotlb_say_refused(const struct pzl_swiotlb *sw, uint64_t bytes);
void pzl_swiotlb_shrunk(struct pzl_swiotlb *sw, uint64_t slots);
void pzl_swiotlb_say_mapped(const struct pzl_swiotlb *sw, uint64_t start, uint64_t bytes);

/* Slots after the rounding that areas ask for: none without areas. */
uint64_t pzl_swiotlb_round(uint64_t slots, uint64_t areas);

/* Areas and the rounding that they ask for. */
void pzl_swiotlb_set_areas(struct pzl_swiotlb *sw, uint64_t areas);
uint32_t pzl_swiotlb_limit_areas(uint32_t areas, uint64_t slots);
uint64_t pzl_swiotlb_half(uint64_t slots);

/* A pool over memory, with so many areas and records of areas; NULL without metadata. */
struct pzl_swiotlb_pool *pzl_swiotlb_pool_make(const struct pzl_swiotlb *sw, uint64_t start,
					       uint32_t slots, uint32_t areas);
/* Give back a pool's records, and its memory where @memory says so. */
void pzl_swiotlb_pool_drop(const struct pzl_swiotlb *sw, struct pzl_swiotlb_pool *p, bool memory);

/* Pages of an order, by Linux's flags, or -PZ_ENOMEM. */
int pzl_swiotlb_pages(const struct pzl_swiotlb *sw, uint32_t gfp, unsigned int order,
		      uint64_t *start);
unsigned int pzl_swiotlb_order(const struct pzl_swiotlb *sw, uint64_t bytes);

/* The first slot for a request, in any pool and area from @cpu's on; SWIOTLB_NONE. */
uint32_t pzl_swiotlb_search(struct pzl_swiotlb_dev *dev, uint32_t cpu, const struct swiotlb_want *w,
			    struct pzl_swiotlb_pool **pool);
/* The same in one area. */
uint32_t pzl_swiotlb_search_area(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool,
				 uint32_t area, const struct swiotlb_want *w);
/* Free the slots of the buffer at an address; false when there is none. */
bool pzl_swiotlb_put(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool, uint64_t buffer);

/* 6.12: a pool for one request, when the others are full; and the end of it. */
uint32_t pzl_swiotlb_grow(struct pzl_swiotlb_dev *dev, const struct swiotlb_want *w,
			  struct pzl_swiotlb_pool **pool);
void pzl_swiotlb_shrink(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb_pool *pool);

static inline bool pzl_swiotlb_is_612(const struct pzl_swiotlb *sw)
{
	return sw->cfg.model >= PZL_LINUX_6_12;
}

/* Low bits of an address that the device wants kept, within a slot and @align_mask. */
static inline uint64_t pzl_swiotlb_offset(const struct pzl_swiotlb_dev *dev, uint64_t addr,
					  uint64_t align_mask)
{
	return addr & dev->cfg.keep_mask & (align_mask | SWIOTLB_MASK);
}

static inline uint64_t pzl_swiotlb_nslots(uint64_t bytes)
{
	return (bytes >> PZL_SWIOTLB_SHIFT) + ((bytes & SWIOTLB_MASK) != 0);
}

#endif
