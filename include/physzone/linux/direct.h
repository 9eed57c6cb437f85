/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direct.h - how Linux turns a device's address limit into a zone (dma-direct).
 *
 * A kernel has no request for memory below an address. It has flags that stand for zones, takes a
 * page from the zone that it guesses, looks whether the device reaches it, and tries a lower zone
 * when not. Source followed: docs/facts/dma.md sections 1 and 3.
 */
#ifndef PHYSZONE_LINUX_DIRECT_H
#define PHYSZONE_LINUX_DIRECT_H

#include <physzone/linux/arch.h>
#include <physzone/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * pzl_dma_zone_limit - the highest address that GFP_DMA stands for
 * @model: the model
 * @arch: the architecture
 * @in: what the architecture's limits depend on
 *
 * Before 6.12 a number of address bits, from then on an exact address. It does not depend on where
 * memory ends.
 *
 * Context: any.
 * Return: the address, inclusive.
 */
uint64_t pzl_dma_zone_limit(enum pzl_model model, enum pzl_arch arch,
			    const struct pzl_arch_input *in);

/* What dma-direct knows of a machine and a device. */
struct pzl_direct_in {
	uint32_t configured; /* bit per enum pz_zone_type in the kernel */
	uint64_t zone_limit; /* from pzl_dma_zone_limit() */
	uint64_t ram_last; /* address of the last page of memory */
	/* highest physical address that the device's mask and buses allow, PZ_ADDR_MAX for any */
	uint64_t max_addr;
	/* The limit lies in none of the device's windows: max_addr is PZ_ADDR_MAX then, and pages
	 * are refused all the same. */
	bool outside;
};

#define PZL_DIRECT_TRIES 3u

/* What it does for the device. */
struct pzl_direct {
	bool supported; /* the driver's dma_set_mask() is accepted */
	unsigned int tries; /* at least 1; the next is made when the page came out too high */
	uint32_t gfp[PZL_DIRECT_TRIES]; /* zone bit: 0x1 GFP_DMA, 0x4 GFP_DMA32, 0 for neither */
	enum pz_zone_type highest[PZL_DIRECT_TRIES]; /* highest zone that serves the try */
};

/**
 * pzl_direct_plan - the zones that dma-direct tries for a device, in order
 * @in: the machine and the device
 * @out: filled in
 *
 * A flag whose zone the kernel has not stands for Normal. That a try finds no page at all ends the
 * request: only a page out of reach leads to the next.
 *
 * Context: any.
 */
void pzl_direct_plan(const struct pzl_direct_in *in, struct pzl_direct *out);

#ifdef __cplusplus
}
#endif

#endif
