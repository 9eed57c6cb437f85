/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.c - the DMA layer of a machine.
 *
 * Concept
 *  The layer holds what all devices share: the page allocator, hooks, the pools for atomic
 * contexts. Everything else hangs off a device.
 *
 * Failure
 *  Everything is asked for before anything is given out.
 */
#include "dma_internal.h"

int pz_dma_create(struct pz_dma **out, const struct pz_dma_config *cfg)
{
	const struct pz_meta *m = cfg->meta;
	struct pz_dma *dma;

	if (!cfg->pages || !m || !m->alloc || !cfg->cpus || cfg->cpus > PZ_PAGE_MAX_CPUS ||
	    (cfg->private_bit & (cfg->private_bit - 1)) || !cfg->hooks.remap != !cfg->hooks.unmap ||
	    !cfg->hooks.window != !cfg->hooks.unwindow || cfg->direct.first > cfg->direct.last)
		return -PZ_EINVAL;
	dma = m->alloc(m->ctx, sizeof(*dma));
	if (!dma)
		return -PZ_ENOMEM;
	memset(dma, 0, sizeof(*dma));
	dma->cfg = *cfg;
	dma->page_shift = pz_page_shift(cfg->pages);
	*out = dma;
	return 0;
}

int pz_dma_destroy(struct pz_dma *dma)
{
	if (!dma)
		return 0;
	if (dma->devs) {
		pz_bug(dma->cfg.bugs, "pz_dma_destroy", "%s is still there", dma->devs->cfg.name);
		return -PZ_EBUSY;
	}
	dma->cfg.meta->free(dma->cfg.meta->ctx, dma, sizeof(*dma));
	return 0;
}
