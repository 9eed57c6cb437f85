/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_device.c - masks, bus addresses and zone bits of devices, as Linux's dma-direct sees them.
 *
 * Concept: a device is a mask, a limit of its bus and a list of windows. What it may have is asked
 * address by address; what is asked for on its behalf is a zone.
 *
 * Invariants: none to keep; nothing is stored but masks.
 *
 * Failure: an address in no window has none on the other side, which passes for a very high one.
 *
 * Shortcomings, Linux's: a mask of 32 bits or more is accepted on any machine, one below when it
 * covers ZONE_DMA as the kernel was built, whether or not that has a page. Of a range only one end
 * is held against the mask, and windows are asked about its first byte alone.
 */
#include <physzone/linux/direct.h>

#include "pzl_dma.h"

#define DMA_32_BITS 0xffffffffull

void pzl_dma_config_init(struct pzl_dma_config *cfg, enum pzl_model model, enum pzl_arch arch)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->boot.model = model;
	cfg->boot.arch = arch;
	cfg->cma = PZ_DMA_NO_CMA;
	cfg->high_first = PZ_ADDR_MAX;
	switch (arch) {
	case PZL_ARCH_ARM64:
	case PZL_ARCH_RISCV64:
	case PZL_ARCH_RISCV32:
	case PZL_ARCH_MICROBLAZE:
	case PZL_ARCH_SPARC32:
	case PZL_ARCH_M68K:
	case PZL_ARCH_POWERPC: /* those of its processors that are not coherent */
		cfg->build = PZL_DMA_REMAP | PZL_DMA_POOL;
		break;
	case PZL_ARCH_X86_64: /* through its memory encryption */
		cfg->build = PZL_DMA_POOL;
		break;
	case PZL_ARCH_MIPS:
	case PZL_ARCH_MIPS64:
		cfg->build = PZL_DMA_UNCACHED;
		break;
	case PZL_ARCH_ARM:
		cfg->build = PZL_DMA_ARCH | PZL_DMA_POOL; /* one of its own */
		break;
	default:
		break;
	}
	if (model == PZL_LINUX_5_15 && !(cfg->build & PZL_DMA_REMAP))
		cfg->high = PZL_HIGH_REFUSE;
}

bool pzl_dma_unencrypted(const struct pzl_dma *d, const struct pzl_dma_dev *dev)
{
	if (d->cfg.crypt == PZL_DMA_GUEST || dev->cfg.shared)
		return true;
	return d->cfg.crypt == PZL_DMA_HOST && d->cfg.private_bit &&
	       pzl_dma_limit(dev) <= d->cfg.private_bit - 1;
}

uint64_t pzl_dma_to_bus(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys)
{
	/* The bit is set in what is no address too: it is all ones already. */
	return pzl_bus_from_phys(&dev->cfg, phys) | d->cfg.private_bit;
}

uint64_t pzl_dma_handle(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys)
{
	return pzl_dma_unencrypted(d, dev) ? pzl_bus_from_phys(&dev->cfg, phys)
					   : pzl_dma_to_bus(d, dev, phys);
}

uint64_t pzl_dma_to_phys(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bus)
{
	return pzl_bus_to_phys(&dev->cfg, bus) & ~d->cfg.private_bit;
}

static uint64_t dma_device_last_page(const struct pzl_dma *d)
{
	return pz_round_down(d->cfg.boot.ram_last, pzl_dma_page_bytes(d));
}

bool pzl_dma_supported(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t mask)
{
	uint64_t need = dma_device_last_page(d);

	if (mask >= DMA_32_BITS)
		return true;
	if ((d->cfg.boot.configured & PZL_ZONE_BIT(PZ_ZONE_DMA)) && d->cfg.boot.zone_limit < need)
		need = d->cfg.boot.zone_limit;
	return mask >= pzl_bus_from_phys(&dev->cfg, need);
}

int pzl_dma_set_mask(const struct pzl_dma *d, struct pzl_dma_dev *dev, uint64_t mask)
{
	if (dev->no_mask || !pzl_dma_supported(d, dev, mask))
		return -PZ_ERANGE;
	dev->cfg.mask = mask;
	return 0;
}

int pzl_dma_set_coherent_mask(const struct pzl_dma *d, struct pzl_dma_dev *dev, uint64_t mask)
{
	if (!pzl_dma_supported(d, dev, mask))
		return -PZ_ERANGE;
	dev->cfg.coherent_mask = mask;
	return 0;
}

int pzl_dma_set_masks(const struct pzl_dma *d, struct pzl_dma_dev *dev, uint64_t mask)
{
	int rc = pzl_dma_set_mask(d, dev, mask);

	/* What one accepts the other does too. */
	return rc ? rc : pzl_dma_set_coherent_mask(d, dev, mask);
}

uint64_t pzl_dma_required_mask(const struct pzl_dma *d, const struct pzl_dma_dev *dev)
{
	uint64_t last = pzl_dma_handle(d, dev, dma_device_last_page(d));

	return last ? pz_limits_bits(pz_fls64(last) + 1).max_addr : 1;
}

void pzl_dma_plan(const struct pzl_dma *d, const struct pzl_dma_dev *dev, struct pzl_direct *plan)
{
	struct pzl_direct_in in;
	uint64_t limit = pzl_dma_limit(dev);

	in.configured = d->cfg.boot.configured;
	in.zone_limit = d->cfg.boot.zone_limit;
	in.ram_last = dma_device_last_page(d);
	in.max_addr = pzl_dma_to_phys(d, dev, limit);
	in.outside = dev->cfg.window_count && in.max_addr == PZ_ADDR_MAX;
	pzl_direct_plan(&in, plan);
	plan->supported = pzl_dma_supported(d, dev, dev->cfg.coherent_mask);
}

bool pzl_dma_coherent_ok(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys,
			 uint64_t bytes)
{
	uint64_t bus = pzl_dma_handle(d, dev, phys);

	return bus != PZ_DMA_ERROR && bus + (bytes - 1) <= pzl_dma_limit(dev);
}
