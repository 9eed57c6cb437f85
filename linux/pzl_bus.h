/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_bus.h - addresses of devices as Linux's dma-direct turns them over: by the first window that
 * has an address, and by its first byte alone.
 */
#ifndef LINUX_PZL_BUS_H
#define LINUX_PZL_BUS_H

#include <physzone/dma.h>

/* The bus address; PZ_DMA_ERROR when no window has the address. */
static inline uint64_t pzl_bus_from_phys(const struct pz_dma_dev_config *cfg, uint64_t phys)
{
	for (uint32_t i = 0; i < cfg->window_count; i++) {
		const struct pz_window *w = &cfg->windows[i];

		if (phys >= w->phys.first && phys <= w->phys.last)
			return phys - w->phys.first + w->bus;
	}
	return cfg->window_count ? PZ_DMA_ERROR : phys;
}

/* The physical address; PZ_ADDR_MAX when no window has the address. */
static inline uint64_t pzl_bus_to_phys(const struct pz_dma_dev_config *cfg, uint64_t bus)
{
	for (uint32_t i = 0; i < cfg->window_count; i++) {
		const struct pz_window *w = &cfg->windows[i];

		if (bus >= w->bus && bus - w->bus <= w->phys.last - w->phys.first)
			return bus - w->bus + w->phys.first;
	}
	return cfg->window_count ? PZ_ADDR_MAX : bus;
}

/* Linux's min_not_zero() of a mask and the limit of the bus. */
static inline uint64_t pzl_bus_limit(uint64_t mask, uint64_t bus_limit)
{
	if (!mask || !bus_limit)
		return mask | bus_limit;
	return mask < bus_limit ? mask : bus_limit;
}

#endif
