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

static int dma_faults(struct pz_dma *dma)
{
	static const char *const names[] = { "dma.pages", "dma.cma", "dma.piece" };
	uint32_t *id[] = { &dma->fault_pages, &dma->fault_cma, &dma->fault_piece };

	for (unsigned int i = 0; i < 3; i++) {
		int rc;

		*id[i] = PZ_FAULT_ANY;
		if (!dma->cfg.faults)
			continue;
		rc = pz_fault_find(dma->cfg.faults, names[i], id[i]);
		if (rc)
			rc = pz_fault_add(dma->cfg.faults, names[i], id[i]);
		if (rc)
			return rc;
	}
	return 0;
}

bool pz_dma_null_page(const struct pz_pages *pages, const struct pz_dma_hooks *h)
{
	uint64_t page = (uint64_t)1 << pz_page_shift(pages);
	struct pz_page_req req;

	pz_page_req_init(pages, &req, 0, 0, PZ_CPU_NONE);
	req.limits.max_addr = page - 1;
	return h->direct && !pz_page_ever(pages, &req) && !h->direct(h->ctx, 0, page);
}

/* Nothing is looked for in a page whose address says that it is not mapped. */
static void dma_skip_null(struct pz_dma *dma)
{
	struct pz_range *direct = &dma->cfg.direct;
	uint64_t page = pz_dma_page_bytes(dma);

	if (direct->first || (direct->last && direct->last < page) ||
	    !pz_dma_null_page(dma->cfg.pages, &dma->cfg.hooks))
		return;
	direct->first = page;
	if (!direct->last)
		direct->last = PZ_ADDR_MAX;
}

int pz_dma_create(struct pz_dma **out, const struct pz_dma_config *cfg)
{
	const struct pz_meta *m = cfg->meta;
	struct pz_dma *dma;
	int rc;

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
	dma_skip_null(dma);
	rc = pz_dma_has_cma(dma, cfg->cma) ? dma_faults(dma) : -PZ_EINVAL;
	if (rc) {
		m->free(m->ctx, dma, sizeof(*dma));
		return rc;
	}
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
	pz_dma_atomics_drop(dma);
	pz_dma_records_drop(dma);
	dma->cfg.meta->free(dma->cfg.meta->ctx, dma, sizeof(*dma));
	return 0;
}
