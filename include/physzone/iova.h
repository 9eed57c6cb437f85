/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.h - addresses for devices behind an IOMMU: which are taken, and which are free.
 *
 * A space of I/O virtual addresses is cut into granules. A request is a number of bytes, an
 * alignment and a highest address; it gets whole granules, the highest that are free and fit, so
 * that addresses which few masters reach are used last. Address 0 is never given out unless the
 * space says so.
 *
 * Units: bytes. Concurrency: all functions but create, destroy and check work from any context and
 * on any number of CPUs at once, and take no lock on the way; @cpu is as in page.h.
 * docs/design/iommu_domain.md has the argument.
 */
#ifndef PHYSZONE_IOVA_H
#define PHYSZONE_IOVA_H

#include <physzone/bug.h>
#include <physzone/fault.h>
#include <physzone/range.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pz_iova; /* a space of addresses */

struct pz_iova_config {
	struct pz_range space;		 /* its addresses; what is no whole granule is left out */
	uint32_t shift;			 /* log2 of a granule, 12 to 16 */
	bool zero;			 /* address 0 may be given out */
	const struct pz_range *reserved; /* never given out, with the granules that they touch */
	uint32_t reserved_count;
	uint32_t cpus;		      /* indices that callers use, at least 1 */
	const struct pz_meta *meta;   /* must outlive the space */
	const struct pz_meta *zeroed; /* as in pz_page_config; or NULL */
	struct pz_bugs *bugs;	      /* misuse is told here; may be NULL */
	struct pz_faults *faults;     /* fault points "page.*" are added to it; may be NULL */
};

/**
 * pz_iova_create - make a space in which everything is free
 * @out: the space, written on success only
 * @cfg: what it is made from; copied
 *
 * Cost: O(reserved ranges) with untouched memory from @cfg->zeroed. A granule takes 2.6 bits, a CPU
 * 26 KiB.
 *
 * Context: not from interrupts; calls the metadata hooks.
 * Return: 0; -PZ_EINVAL when @cfg is malformed, or leaves no granule; -PZ_ENOMEM; -PZ_ENOSPC when
 * the set of fault points has no room; nothing is held on error.
 */
int pz_iova_create(struct pz_iova **out, const struct pz_iova_config *cfg);

/**
 * pz_iova_destroy - give a space back
 * @v: the space, or NULL; nobody uses it any more
 *
 * What is out is forgotten.
 *
 * Context: not from interrupts; calls the metadata hooks.
 */
void pz_iova_destroy(struct pz_iova *v);

/**
 * pz_iova_alloc - take addresses in a row
 * @v: the space
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @size: bytes, at least 1; whole granules are taken
 * @align: of the first address: a power of two; 0 for @size rounded up to one
 * @max_addr: the highest address that may be had
 * @addr: the first address, written on success only
 *
 * Complete: -PZ_ENOMEM only when no run that would do stayed free for the whole call.
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL for a size of 0 or an alignment that is no power of two; -PZ_ERANGE when
 * the space never has such a run; -PZ_ENOMEM.
 */
int pz_iova_alloc(struct pz_iova *v, uint32_t cpu, uint64_t size, uint64_t align, uint64_t max_addr,
		  uint64_t *addr);

/**
 * pz_iova_free - give addresses back
 * @v: the space
 * @cpu: the calling CPU, or PZ_CPU_NONE; need not be the one that took them
 * @addr: the first address
 * @size: bytes, as they were taken
 *
 * Misuse is told to pz_bug() and changes nothing: what is free, was never taken, begins elsewhere
 * or has another length.
 *
 * Context: any.
 */
void pz_iova_free(struct pz_iova *v, uint32_t cpu, uint64_t addr, uint64_t size);

/**
 * pz_iova_reserve - take the very addresses of a range
 * @v: the space
 * @r: the range; of what it touches only the granules of the space are taken
 * @got: what was taken: all of it, or with @r outside of the space a range that is not valid; may
 * be NULL
 *
 * What is taken is given back by pz_iova_free().
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL when @r is not valid; -PZ_EBUSY when a part of it is out, or reserved.
 */
int pz_iova_reserve(struct pz_iova *v, struct pz_range r, struct pz_range *got);

/**
 * pz_iova_find - the run that an address was given out in
 * @v: the space
 * @addr: the address
 * @run: its first and last address, written on success only
 *
 * Context: any.
 * Return: true when it is out.
 */
bool pz_iova_find(const struct pz_iova *v, uint64_t addr, struct pz_range *run);

/**
 * pz_iova_drain - forget where a CPU saw free addresses last
 * @v: the space
 * @cpu: one CPU, or PZ_CPU_NONE for all
 *
 * For a CPU that goes. Nothing is kept from others, so nobody has to call this.
 *
 * Context: any.
 */
void pz_iova_drain(struct pz_iova *v, uint32_t cpu);

/* The numbers of a space. */
struct pz_iova_stat {
	struct pz_range space; /* first and last address that may be given out */
	uint64_t total;	       /* bytes in it, without what was reserved from the start */
	uint64_t free;	       /* bytes */
	uint64_t meta_bytes; /* what it costs; with a lazy @zeroed only what was touched is there */
};

/**
 * pz_iova_stat - the numbers of a space
 * @v: the space
 * @out: the numbers
 *
 * Context: any; exact while nobody takes or gives.
 */
void pz_iova_stat(const struct pz_iova *v, struct pz_iova_stat *out);

/**
 * pz_iova_check - verify a space
 * @v: the space; nobody uses it meanwhile
 *
 * Context: any. Cost: O(granules).
 * Return: 0, or the number of the first invariant of src/page/ that does not hold.
 */
int pz_iova_check(const struct pz_iova *v);

#ifdef __cplusplus
}
#endif

#endif
