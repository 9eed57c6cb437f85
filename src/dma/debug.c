/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.c - checks of how drivers use memory for devices: none yet.
 */
#include <physzone/dma_debug.h>

void pz_dma_debug_map(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	(void)d;
	(void)u;
}

void pz_dma_debug_unmap(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	(void)d;
	(void)u;
}

void pz_dma_debug_sync(struct pz_dma_debug *d, const struct pz_dma_use *u, bool for_cpu)
{
	(void)d;
	(void)u;
	(void)for_cpu;
}

void pz_dma_debug_checked(struct pz_dma_debug *d, const struct pz_dma_dev *dev, uint64_t bus)
{
	(void)d;
	(void)dev;
	(void)bus;
}

void pz_dma_debug_release(struct pz_dma_debug *d, const struct pz_dma_dev *dev)
{
	(void)d;
	(void)dev;
}
