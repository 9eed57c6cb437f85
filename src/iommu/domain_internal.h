/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_internal.h - what the files of domains share. domain.c has concept and invariants.
 */
#ifndef PHYSZONE_IOMMU_DOMAIN_INTERNAL_H
#define PHYSZONE_IOMMU_DOMAIN_INTERNAL_H

#include <physzone/iommu.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/pz_string.h"

#define IOMMU_QUEUE 126u /* addresses that wait on a CPU */

/* A run of addresses that waits, and how many flushes had begun when it was unmapped. */
struct iommu_wait {
	uint64_t addr, size, stamp;
};

/* A ring. Nobody waits for its lock: who does not get it flushes by himself. */
struct iommu_queue {
	uint32_t lock;
	uint32_t head, count;
	struct iommu_wait v[IOMMU_QUEUE];
	uint64_t queued; /* ever */
	uint64_t pad[8]; /* the next one lies in other cache lines */
};

/* A window in the list; it stays. */
struct iommu_window {
	struct iommu_window *next;
	struct pz_iommu_window w;
	uint64_t taken; /* bytes of the space */
};

struct pz_iommu {
	struct pz_iommu_config cfg;
	struct pz_v7s *t;
	struct pz_iova *iova;
	uint64_t granule;
	uint32_t least;		    /* bytes of the smallest page */
	uint64_t first, last;	    /* addresses for buffers */
	void *windows;		    /* the newest struct iommu_window; read without a lock */
	struct iommu_queue *queue;  /* of each CPU, when it is lazy */
	uint64_t started, finished; /* flushes of everything */
	uint32_t devices;
};

struct pz_iommu_dev {
	struct pz_iommu *d;
	struct pz_iommu_dev_config cfg;
};

static inline uint64_t iommu_down(const struct pz_iommu *d, uint64_t addr)
{
	return addr & ~(d->granule - 1);
}

/* Up to a whole granule; what does not fit wraps to 0. */
static inline uint64_t iommu_up(const struct pz_iommu *d, uint64_t size)
{
	return (size + (d->granule - 1)) & ~(d->granule - 1);
}

static inline const struct pz_meta *iommu_meta(const struct pz_iommu *d)
{
	return d->cfg.tables.meta;
}

/* domain_flush.c */

/* Hooks of the tables. */
void pz_iommu_tlb_all(void *ctx);
void pz_iommu_tlb_walk(void *ctx, uint64_t iova, uint64_t size, uint32_t granule);
void pz_iommu_tlb_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule);

/* What was unmapped and not flushed yet. */
struct iommu_gather {
	uint64_t first, last;
	uint32_t granule; /* 0: nothing */
};

/* Unmap whole granules and flush, or not yet if @lazy. 0, or -PZ_ENOENT: none of it was mapped. */
int pz_iommu_clear(struct pz_iommu *d, uint32_t cpu, uint64_t addr, uint64_t size, bool lazy);
/* Addresses of what was unmapped by pz_iommu_clear(): free, or on a queue. */
void pz_iommu_let_go(struct pz_iommu *d, uint32_t cpu, uint64_t addr, uint64_t size, bool lazy);

/* domain_map.c */

/* Addresses in a row. @align: what is wanted, a power of two; @need: what is enough. */
int pz_iommu_take(struct pz_iommu_dev *dev, uint32_t cpu, uint64_t size, uint64_t align,
		  uint64_t need, uint64_t *addr);
/* Whether exactly these addresses were taken, and are no window; told when not. */
bool pz_iommu_owns(const struct pz_iommu *d, const char *where, uint64_t addr, uint64_t size);
/* Unmap a run that pz_iommu_owns() knows, and give its addresses back as the domain does. */
void pz_iommu_give(struct pz_iommu *d, uint32_t cpu, const char *where, uint64_t addr,
		   uint64_t size);
uint32_t pz_iommu_prot(const struct pz_iommu_dev *dev, enum pz_dma_dir dir, uint32_t attrs);

#endif
