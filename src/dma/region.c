/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * region.c - regions: memory that is set aside for coherent buffers of one device, or of several.
 *
 * Concept
 *  Devices that name the same range share one region: one mapping, one pool of pages. It comes with
 *  the first of them and goes with the last. A device with a region has all its coherent buffers
 *  there, and none elsewhere when it is full. Buffers may be had and freed in any context.
 *
 * Invariants (pz_dma_check() verifies them)
 *  7. a region has as many devices as name it, and what is taken of it is what the records say.
 *
 * Failure
 *  Nothing is held on error.
 *
 * Shortcomings
 *  Records for all pages are there from the start, 64 bytes for each.
 */
#include "dma_internal.h"

struct dma_region {
	struct dma_region *next;
	struct pz_range phys;
	unsigned char *cpu;
	struct pz_genpool *pieces;
	uint64_t pages;
	uint32_t devices;
	bool mapped; /* by the remap hook */
};

static uint64_t region_bytes(const struct dma_region *r)
{
	return r->phys.last - r->phys.first + 1;
}

static int region_map(struct pz_dma *dma, struct dma_region *r, void *cpu)
{
	const struct pz_dma_hooks *h = &dma->cfg.hooks;

	if (!cpu) {
		if (!h->remap)
			return -PZ_EINVAL;
		cpu = h->remap(h->ctx, r->phys.first, region_bytes(r), PZ_DMA_WRITE_COMBINE, false);
		r->mapped = true;
	}
	r->cpu = cpu;
	return cpu ? 0 : -PZ_ENOMEM;
}

/* Take back as much of a region as there is. */
static void region_drop(struct pz_dma *dma, struct dma_region *r, bool promised)
{
	const struct pz_meta *m = dma->cfg.meta;
	const struct pz_dma_hooks *h = &dma->cfg.hooks;

	if (r->pieces)
		(void)pz_genpool_destroy(r->pieces);
	if (r->mapped && r->cpu)
		h->unmap(h->ctx, r->cpu, region_bytes(r));
	if (promised)
		pz_dma_record_release(dma, r->pages);
	m->free(m->ctx, r, sizeof(*r));
}

static int region_pool(struct pz_dma *dma, struct dma_region *r)
{
	struct pz_genpool_config cfg = { .order = dma->page_shift,
					 .name = "DMA region",
					 .chunks = 1 };
	struct pz_genpool_chunk chunk = { .owner = r };
	int rc;

	cfg.meta = dma->cfg.meta;
	cfg.bugs = dma->cfg.bugs;
	chunk.addr = chunk.phys = r->phys.first;
	chunk.size = region_bytes(r);
	rc = pz_genpool_create(&r->pieces, &cfg);
	return rc ? rc : pz_genpool_add(r->pieces, &chunk);
}

static int region_make(struct pz_dma *dma, const struct pz_dma_region *cfg, struct dma_region **out)
{
	const struct pz_meta *m = dma->cfg.meta;
	struct dma_region *r;
	bool promised;
	int rc;

	if (pz_dma_has_managed(dma, cfg->phys.first, cfg->phys.last))
		return -PZ_EINVAL;
	r = m->alloc(m->ctx, sizeof(*r));
	if (!r)
		return -PZ_ENOMEM;
	memset(r, 0, sizeof(*r));
	r->phys = cfg->phys;
	r->pages = region_bytes(r) >> dma->page_shift;
	promised = pz_dma_record_promise(dma, r->pages);
	rc = promised ? region_pool(dma, r) : -PZ_ENOMEM;
	if (!rc)
		rc = region_map(dma, r, cfg->cpu_addr);
	if (rc) {
		region_drop(dma, r, promised);
		return rc;
	}
	r->next = dma->regions;
	dma->regions = r;
	*out = r;
	return 0;
}

int pz_dma_region_join(struct pz_dma_dev *dev)
{
	struct pz_dma *dma = dev->dma;
	const struct pz_dma_region *cfg = dev->cfg.region;
	struct dma_region *r;
	int rc = 0;

	if (!cfg)
		return 0;
	for (r = dma->regions; r; r = r->next) {
		struct pz_range both;

		if (pz_range_intersect(r->phys, cfg->phys, &both))
			break;
	}
	if (r && (r->phys.first != cfg->phys.first || r->phys.last != cfg->phys.last))
		return -PZ_EEXIST;
	if (!r)
		rc = region_make(dma, cfg, &r);
	if (rc)
		return rc;
	r->devices++;
	dev->own = r;
	return 0;
}

void pz_dma_region_leave(struct pz_dma_dev *dev)
{
	struct pz_dma *dma = dev->dma;
	struct dma_region *r = dev->own, **at;

	if (!r || --r->devices)
		return;
	for (at = &dma->regions; *at != r;)
		at = &(*at)->next;
	*at = r->next;
	region_drop(dma, r, true);
}

bool pz_dma_region_ever(const struct dma_region *r, const struct pz_dma *dma,
			const struct pz_reach *reach, const struct dma_want *want)
{
	struct dma_places it;
	struct pz_limits l;

	pz_dma_places(&it, reach, want, pz_dma_page_bytes(dma));
	while (pz_dma_next_place(&it, &l)) {
		struct pz_range fit;

		if (l.align < pz_dma_page_bytes(dma))
			l.align = pz_dma_page_bytes(dma);
		if (!pz_limits_last_fit(&l, r->phys, want->bytes, &fit))
			return true;
	}
	return false;
}

int pz_dma_region_alloc(struct pz_dma_dev *dev, uint64_t size, struct pz_dma_buf *buf)
{
	struct dma_region *r = dev->own;
	struct dma_want want;
	void *owner;
	int rc = pz_dma_piece_take(dev, r->pieces, PZ_DMA_FROM_REGION, size, buf, &owner);

	pz_dma_want(dev, size, &want);
	if (rc)
		return pz_dma_region_ever(r, dev->dma, &dev->reach[DMA_COHERENT], &want)
			       ? rc
			       : -PZ_ERANGE;
	buf->cpu_addr = r->cpu + (buf->phys - r->phys.first);
	memset(buf->cpu_addr, 0, (size_t)want.bytes);
	if (buf->attrs & PZ_DMA_NO_KERNEL_MAPPING)
		buf->cpu_addr = NULL;
	return 0;
}

bool pz_dma_region_free(struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	return pz_dma_piece_give(dev, dev->own->pieces, buf);
}

/* What the records say of a region. */
struct region_sum {
	const struct dma_region *r;
	uint64_t bytes;
};

static int region_add(void *ctx, const struct dma_held *held)
{
	struct region_sum *s = ctx;
	struct pz_range both;

	if (held->h.from == PZ_DMA_FROM_REGION &&
	    pz_range_intersect(held->h.phys, s->r->phys, &both))
		s->bytes += both.last - both.first + 1;
	return 0;
}

bool pz_dma_regions_sound(const struct pz_dma *dma)
{
	for (const struct dma_region *r = dma->regions; r; r = r->next) {
		struct region_sum s = { r, 0 };
		uint32_t devices = 0;

		for (const struct pz_dma_dev *d = dma->devs; d; d = d->next)
			devices += d->own == r;
		(void)pz_dma_record_each(dma, region_add, &s);
		if (devices != r->devices || pz_genpool_check(r->pieces) ||
		    pz_genpool_size(r->pieces) - pz_genpool_avail(r->pieces) != s.bytes)
			return false;
	}
	return true;
}
