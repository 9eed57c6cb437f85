/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prepare.c - making memory ready for a device, and taking that back.
 *
 * Concept
 *  In this order: shared when the device cannot read what is private; zeroed where it is directly
 *  mapped and seen through that, or its alias; flushed when the device does not see caches; mapped
 *  anew when the CPU must not cache it, or when it is not directly mapped at all, and zeroed there.
 *  Whether memory is directly mapped is asked of its address each time, never of a zone.
 *
 * Failure
 *  What was done is undone. Memory whose sharing failed is in no known state: nobody may have it
 *  any more, and its bytes are counted as lost.
 */
#include "dma_internal.h"

static bool prepare_share(struct pz_dma *dma, uint64_t phys, uint64_t bytes, bool shared)
{
	if (!dma->cfg.hooks.share(dma->cfg.hooks.ctx, phys, bytes, shared))
		return true;
	pz_count64(&dma->lost, bytes);
	return false;
}

void pz_dma_flush(struct pz_dma *dma, uint64_t phys, uint64_t bytes)
{
	const struct pz_dma_hooks *h = &dma->cfg.hooks;

	if (h->for_device)
		h->for_device(h->ctx, phys, bytes, PZ_DMA_BIDIRECTIONAL);
	if (h->for_cpu)
		h->for_cpu(h->ctx, phys, bytes, PZ_DMA_BIDIRECTIONAL);
}

/* An address of its own; zeroes are written through it. */
static void *prepare_map(struct pz_dma *dma, const struct dma_wish *wish, uint64_t phys,
			 uint64_t bytes)
{
	const struct pz_dma_hooks *h = &dma->cfg.hooks;
	void *p = NULL;

	if (wish->remap && h->remap)
		p = h->remap(h->ctx, phys, bytes, wish->attrs, !(wish->way & DMA_WAY_FLUSH));
	if (p && wish->zero)
		memset(p, 0, (size_t)bytes);
	return p;
}

/* Where the CPU sees it: 0, -PZ_ENOMEM. */
static int prepare_see(struct pz_dma *dma, const struct dma_wish *wish, uint64_t phys,
		       uint64_t bytes, struct dma_ready *out)
{
	const struct pz_dma_hooks *h = &dma->cfg.hooks;
	bool remap = wish->way & DMA_WAY_REMAP;
	void *p = remap ? NULL : pz_dma_direct(dma, phys, bytes);

	if (p && wish->zero)
		memset(p, 0, (size_t)bytes);
	if (wish->way & DMA_WAY_FLUSH)
		pz_dma_flush(dma, phys, bytes);
	if (p && (wish->way & DMA_WAY_ALIAS)) {
		p = h->uncached(h->ctx, p, bytes);
	} else if (!p && !(wish->way & DMA_WAY_ALIAS)) {
		p = prepare_map(dma, wish, phys, bytes);
		if (p)
			out->did |= DMA_DID_MAP;
	}
	out->cpu = p;
	return p ? 0 : -PZ_ENOMEM;
}

int pz_dma_prepare(struct pz_dma *dma, const struct dma_wish *wish, uint64_t phys, uint64_t bytes,
		   struct dma_ready *out)
{
	out->cpu = NULL;
	out->did = 0;
	out->lost = false;
	if (bytes > SIZE_MAX)
		return -PZ_ENOMEM;
	if (wish->way & DMA_WAY_SHARE) {
		if (!wish->block)
			return -PZ_ENOMEM;
		if (!prepare_share(dma, phys, bytes, true)) {
			out->lost = true;
			return -PZ_ENOMEM;
		}
		out->did = DMA_DID_SHARE;
	}
	if (wish->attrs & PZ_DMA_NO_KERNEL_MAPPING) {
		if (wish->way & DMA_WAY_FLUSH)
			pz_dma_flush(dma, phys, bytes);
		return 0;
	}
	if (!prepare_see(dma, wish, phys, bytes, out))
		return 0;
	out->lost = !pz_dma_unprepare(dma, out->did, NULL, phys, bytes);
	return -PZ_ENOMEM;
}

bool pz_dma_unprepare(struct pz_dma *dma, uint8_t did, void *cpu, uint64_t phys, uint64_t bytes)
{
	const struct pz_dma_hooks *h = &dma->cfg.hooks;

	if (did & DMA_DID_MAP)
		h->unmap(h->ctx, cpu, bytes);
	return !(did & DMA_DID_SHARE) || prepare_share(dma, phys, bytes, false);
}
