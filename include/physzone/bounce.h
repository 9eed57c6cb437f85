/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.h - bounce buffers: memory that devices reach, in place of memory that they do not.
 *
 * Memory comes in pools, each a range that is cut into slots. A mapping takes a run of slots of one
 * pool; what was mapped is copied there, and back. The first pools are ranges that the machine set
 * aside; each distinct reach of devices that need bouncing has a pool in reserve, which nobody else
 * uses up; and where page frames can be had within reach of whoever finds no room, a further pool
 * is made on the spot, kept, and given back by pz_bounce_trim(), or when it is in the way of
 * another. Where each CPU has an area of its own, it keeps a run that it freed for its next
 * mapping; such a run counts as free, and goes to whoever needs it.
 *
 * Drivers do not call this: dma_map.h does. It is for whoever sets up a machine and for accounts.
 * Concurrency: any context and any number of CPUs at once, unless a function says otherwise; no
 * locks. Source followed: docs/facts/dma.md section 6; docs/design/dma_map.md has the argument.
 */
#ifndef PHYSZONE_BOUNCE_H
#define PHYSZONE_BOUNCE_H

#include <physzone/dma.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_BOUNCE_SHIFT 11u
#define PZ_BOUNCE_SLOT ((uint64_t)1 << PZ_BOUNCE_SHIFT) /* bytes of a slot */
#define PZ_BOUNCE_POOLS 64u				/* at once */
#define PZ_BOUNCE_SLOTS ((uint32_t)1 << 22)		/* of a pool, at most: 8 GiB */

struct pz_bounce_config {
	const struct pz_meta *meta; /* must outlive the buffers */
	struct pz_bugs *bugs;	    /* misuse is told here; may be NULL */
	/* Memory to begin with: whole pages that nobody else manages, directly mapped. Copied. */
	const struct pz_range *ranges;
	uint32_t range_count;
	uint32_t cpus;	/* indices that callers use, at least 1 */
	uint32_t areas; /* places of a range where CPUs begin to search; 0 for one for each CPU */
	bool shared;	/* for devices that cannot read what is private: @hooks.share is called */
	/* Where further pools and reserves come from; NULL for no more than @ranges. */
	struct pz_pages *pages;
	uint64_t direct_last;	/* last physical address that is directly mapped; 0 for no limit */
	uint64_t reserve_bytes; /* of the pool of each reach; 0 for 1 MiB, UINT64_MAX for none */
	uint64_t grow_bytes;	/* of a further pool; 0 for 1 MiB, UINT64_MAX for none */
	uint64_t max_bytes;	/* of further pools and reserves together; 0 for no limit */
	/* direct, window, unwindow, share, now, site and ctx are used. */
	struct pz_dma_hooks hooks;
};

/**
 * pz_bounce_create - make bounce buffers
 * @out: the buffers, written on success only
 * @cfg: what they are made from; copied
 *
 * Context: may block; calls the metadata and share hooks.
 * Return: 0; -PZ_EINVAL when @cfg is malformed, a range is not directly mapped, no whole number of
 * pages or too large, or two overlap; -PZ_ENOMEM; what the share hook said; nothing is held on
 * error, but what cannot be made private again.
 */
int pz_bounce_create(struct pz_bounce **out, const struct pz_bounce_config *cfg);

/**
 * pz_bounce_destroy - give bounce buffers back
 * @b: the buffers, or NULL; no device has them any more
 *
 * Context: may block; calls the metadata and share hooks.
 * Return: 0, or -PZ_EBUSY while slots are in use or devices have a reserve: that is told to
 * pz_bug(), and nothing has changed.
 */
int pz_bounce_destroy(struct pz_bounce *b);

/**
 * pz_bounce_trim - give back pools that were made on the spot and are not in use
 * @b: the buffers
 * @cpu: the calling CPU, or PZ_CPU_NONE
 *
 * Context: any; may block when they are shared.
 * Return: bytes that went back.
 */
uint64_t pz_bounce_trim(struct pz_bounce *b, uint32_t cpu);

/**
 * pz_bounce_take - take slots for a coherent buffer
 * @b: the buffers
 * @dev: the device; what is given lies in its coherent reach
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @bytes: at least 1
 * @align: of the bus address, a power of two
 * @phys: where it is, written on success only
 * @mem: its address, written on success only
 *
 * Does not cross the device's boundary. Not zeroed.
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL for malformed arguments, -PZ_ERANGE when no pool could ever hold it,
 * -PZ_ENOMEM.
 */
int pz_bounce_take(struct pz_bounce *b, struct pz_dma_dev *dev, uint32_t cpu, uint64_t bytes,
		   uint64_t align, uint64_t *phys, void **mem);

/**
 * pz_bounce_give - give back what pz_bounce_take() gave
 * @b: the buffers
 * @dev: the device that it was taken for
 * @phys: where it is
 * @bytes: as it was asked for
 *
 * Misuse is told to pz_bug() and changes nothing: what was not taken, by this device, in this size.
 *
 * Context: any.
 * Return: true, or false for misuse.
 */
bool pz_bounce_give(struct pz_bounce *b, const struct pz_dma_dev *dev, uint64_t phys,
		    uint64_t bytes);

/**
 * pz_bounce_has - whether a physical address lies in bounce buffers
 * @b: the buffers
 * @phys: the address
 *
 * Context: any.
 * Return: true when it does.
 */
bool pz_bounce_has(const struct pz_bounce *b, uint64_t phys);

/* What a pool is there for. */
enum pz_bounce_kind {
	PZ_BOUNCE_BASE,	   /* a range that the machine set aside */
	PZ_BOUNCE_RESERVE, /* kept for devices of one reach */
	PZ_BOUNCE_GROWN,   /* made when there was no room */
};

/* The numbers of a pool. */
struct pz_bounce_pool {
	struct pz_range phys;
	enum pz_bounce_kind kind;
	uint32_t devices; /* that a reserve is kept for */
	uint32_t areas;
	uint32_t slots, used;
	/* The most in use that was seen: by every 1024th mapping of an area, by those that found no
	 * room, and now. */
	uint32_t high;
	uint32_t largest; /* slots of the longest free run */
};

/* The numbers of all of them. */
struct pz_bounce_stat {
	uint32_t pools;
	uint64_t slots, used, high;
	uint64_t largest; /* slots of the longest free run */
	uint64_t full,
		fragmented; /* requests without a place: too few slots in reach, or too scattered */
	uint64_t grown, trimmed; /* pools */
	uint64_t grow_fails;	 /* times that no page frames could be had */
	uint64_t lost; /* bytes that had to be leaked, because the share hook failed for them */
};

/**
 * pz_bounce_stat - count slots
 * @b: the buffers
 * @out: the numbers
 *
 * Context: any; exact while nobody maps. Cost: O(slots / 64 * areas).
 */
void pz_bounce_stat(const struct pz_bounce *b, struct pz_bounce_stat *out);

/**
 * pz_bounce_pools - the numbers of each pool
 * @b: the buffers
 * @out: room for @cap pools
 * @cap: room
 *
 * Context: any; exact while nobody maps. Cost: O(slots / 64 * areas).
 * Return: number of pools, also when it exceeds @cap.
 */
uint32_t pz_bounce_pools(const struct pz_bounce *b, struct pz_bounce_pool *out, uint32_t cap);

/**
 * pz_bounce_area_used - slots that were taken by callers of one area
 * @b: the buffers
 * @range: number of one of the first ranges
 * @area: number of the area; CPUs are dealt out in turn
 *
 * Context: any. Cost: O(slots).
 * Return: slots; 0 for numbers that are none.
 */
uint32_t pz_bounce_area_used(const struct pz_bounce *b, uint32_t range, uint32_t area);

/* A run of slots that is in use. */
struct pz_bounce_use {
	const struct pz_dma_dev *dev;
	struct pz_range slots; /* physical addresses */
	uint64_t phys;	       /* of the memory that it stands for; of a coherent buffer itself */
	uint64_t size;
	enum pz_dma_dir dir;  /* PZ_DMA_NONE: a coherent buffer */
	uint64_t since, site; /* as the hooks said, 0 without them */
};

/**
 * pz_bounce_for_each - visit who holds which slots since when
 * @b: the buffers
 * @dev: only what this device holds, or NULL for all
 * @fn: called for each run until it returns something else than 0
 * @ctx: passed on
 *
 * Context: any; what comes or goes meanwhile may be visited or not. Cost: O(slots).
 * Return: 0, or what @fn returned last.
 */
int pz_bounce_for_each(struct pz_bounce *b, const struct pz_dma_dev *dev,
		       int (*fn)(void *ctx, const struct pz_bounce_use *u), void *ctx);

/**
 * pz_bounce_check - verify bounce buffers
 * @b: the buffers; nobody uses them meanwhile
 *
 * Context: any. Cost: O(slots).
 * Return: 0, or the number of the first invariant of src/dma/bounce_stat.c that does not hold.
 */
int pz_bounce_check(const struct pz_bounce *b);

#ifdef __cplusplus
}
#endif

#endif
