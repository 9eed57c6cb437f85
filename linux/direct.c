/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direct.c - how Linux turns a device's address limit into a zone.
 *
 * Concept: the limit is compared with two fixed addresses, the end that ZONE_DMA has by the rules
 * of the architecture and 4 GiB; the answer is a flag, and the flag a zone. A limit between two
 * zones is rounded up to the higher one, and corrected by trying again lower.
 *
 * Invariants: 1. zone ends of the tries never rise; 2. a device that is not limited has one try.
 *
 * Failure: none; every input has an answer.
 *
 * Shortcomings: boards with a limit of their own (arm's dma_zone_size) keep the default of 24 bits
 * here, as the kernel does. Encryption bits and restricted pools are not modelled.
 */
#include <physzone/linux/direct.h>

#define DIRECT_U32_MAX 0xffffffffull
#define DIRECT_GFP_DMA 0x1u
#define DIRECT_GFP_DMA32 0x4u

static uint64_t direct_bits(unsigned int bits)
{
	return bits >= 64 ? PZ_ADDR_MAX : ((uint64_t)1 << bits) - 1;
}

/* The smallest number of bits that an address fits in, as an address again. */
static uint64_t direct_round_up(uint64_t addr)
{
	unsigned int bits = 0;

	while (bits < 64 && addr >> bits)
		bits++;
	return direct_bits(bits);
}

uint64_t pzl_dma_zone_limit(enum pzl_model model, enum pzl_arch arch,
			    const struct pzl_arch_input *in)
{
	const struct pzl_model_facts *mf = pzl_model_facts(model);
	uint64_t limit;

	switch (arch) {
	case PZL_ARCH_ARM64:
		limit = in->dt_dma_limit < in->iort_dma_limit ? in->dt_dma_limit
							      : in->iort_dma_limit;
		if (mf && mf->dma_limit_exact) {
			if (in->dram_first < DIRECT_U32_MAX && limit > DIRECT_U32_MAX)
				limit = DIRECT_U32_MAX;
			return limit;
		}
		limit = direct_round_up(limit);
		return limit > DIRECT_U32_MAX ? DIRECT_U32_MAX : limit;
	case PZL_ARCH_S390:
		return direct_bits(31);
	case PZL_ARCH_POWERPC64:
		return direct_bits(31);
	case PZL_ARCH_POWERPC:
		return direct_bits(30);
	default:
		return direct_bits(24);
	}
}

static enum pz_zone_type direct_zone(uint32_t configured, uint32_t gfp)
{
	if (gfp == DIRECT_GFP_DMA && (configured & PZL_ZONE_BIT(PZ_ZONE_DMA)))
		return PZ_ZONE_DMA;
	if (gfp == DIRECT_GFP_DMA32 && (configured & PZL_ZONE_BIT(PZ_ZONE_DMA32)))
		return PZ_ZONE_DMA32;
	return PZ_ZONE_NORMAL;
}

static void direct_try(const struct pzl_direct_in *in, struct pzl_direct *out, uint32_t gfp)
{
	out->gfp[out->tries] = gfp;
	out->highest[out->tries] = direct_zone(in->configured, gfp);
	out->tries++;
}

void pzl_direct_plan(const struct pzl_direct_in *in, struct pzl_direct *out)
{
	uint64_t need = in->ram_last;
	uint32_t gfp = 0;

	if ((in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA)) && in->zone_limit < need)
		need = in->zone_limit;
	out->supported = in->max_addr >= DIRECT_U32_MAX || in->max_addr >= need;
	out->tries = 0;
	if (in->max_addr <= in->zone_limit)
		gfp = DIRECT_GFP_DMA;
	else if (in->max_addr <= DIRECT_U32_MAX)
		gfp = DIRECT_GFP_DMA32;
	direct_try(in, out, gfp);
	if (in->max_addr == PZ_ADDR_MAX && !in->outside)
		return;
	if (!gfp && in->max_addr != PZ_ADDR_MAX &&
	    (in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA32))) {
		gfp = DIRECT_GFP_DMA32;
		direct_try(in, out, gfp);
	}
	if (gfp != DIRECT_GFP_DMA && (in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA)))
		direct_try(in, out, DIRECT_GFP_DMA);
}
