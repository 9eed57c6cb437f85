/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_small.c - see dma_small.h.
 */
#include "dma_small.h"

#define DS_ALIGN ((uintptr_t)1 << 16)

void ds_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

uint64_t ds_now(void *ctx)
{
	return ++((struct dma_small *)ctx)->time;
}

uint64_t ds_site(void *ctx)
{
	return ((struct dma_small *)ctx)->site;
}

static void *ds_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct dma_small *m = ctx;

	return phys >= DS_FIRST && phys + bytes <= DS_FIRST + DS_BYTES
		       ? m->memory + (phys - DS_FIRST)
		       : NULL;
}

bool ds_lay_out(struct dma_small *m, struct tap *t)
{
	struct pm_region part = { DS_FIRST, DS_BYTES, 0, false };
	struct pz_zone_config zones = pm_pc(DS_FIRST + DS_BYTES);
	uintptr_t at;

	ds_clear(m, sizeof(*m));
	m->raw_bytes = (size_t)DS_BYTES + DS_ALIGN;
	m->raw = t->meta->alloc(t->meta->ctx, m->raw_bytes);
	if (!CHECK_NAMED(t, m->raw != NULL, "there is memory"))
		return false;
	at = ((uintptr_t)m->raw + DS_ALIGN - 1) & ~(DS_ALIGN - 1);
	m->memory = (unsigned char *)at;
	pz_faults_init(&m->faults, m->points, DS_POINTS);
	if (pz_fault_add(&m->faults, "meta", &m->meta_fault) ||
	    !pm_lay_out(&m->pm, t, &part, 1, &zones))
		return CHECK_NAMED(t, false, "the machine is laid out");
	pz_fault_meta_init(&m->meta, t->meta, &m->faults, m->meta_fault);
	m->pm.cfg.cpus = DS_CPUS;
	m->pm.cfg.faults = &m->faults;
	if (!pm_make(&m->pm))
		return false;
	m->managed = pm_free(&m->pm);
	m->cfg.pages = m->pm.pages;
	m->cfg.meta = &m->meta.meta;
	m->cfg.bugs = &m->pm.bugs;
	m->cfg.cpus = DS_CPUS;
	m->cfg.cma = PZ_DMA_NO_CMA;
	m->cfg.hooks.direct = ds_direct;
	m->cfg.hooks.now = ds_now;
	m->cfg.hooks.site = ds_site;
	m->cfg.hooks.ctx = m;
	return true;
}

bool ds_make(struct dma_small *m)
{
	return CHECK_NAMED(m->pm.t, pz_dma_create(&m->dma, &m->cfg) == 0, "the layer is made");
}

struct pz_dma_dev *ds_device(struct dma_small *m, const char *name, unsigned int bits)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev = NULL;

	pz_dma_dev_init(&cfg, name, bits);
	CHECK_NAMED(m->pm.t, pz_dma_dev_create(&dev, m->dma, &cfg) == 0, "a device is made");
	return dev;
}

void ds_close(struct dma_small *m)
{
	struct tap *t = m->pm.t;

	CHECK_NAMED(t, pz_dma_destroy(m->dma) == 0, "no device is there");
	CHECK_NAMED(t, m->meta.bytes == 0, "no metadata is out");
	CHECK_NAMED(t, pm_free(&m->pm) == m->managed, "every page came back");
	pm_close(&m->pm);
	t->meta->free(t->meta->ctx, m->raw, m->raw_bytes);
}
