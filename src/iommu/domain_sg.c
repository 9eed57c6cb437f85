/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_sg.c - scattered memory, handed to a device behind the IOMMU in one run of addresses.
 *
 * Concept
 *  The elements are laid out first, from 0 on: each begins at a granule, at its own offset there,
 *  and behind a gap where it would cross the device's boundary. Then one run is taken for all,
 *  aligned so that its boundaries are where those from 0 on were, and neighbours in memory are
 *  mapped as one. The layout follows from the list and the device, so that it is made again when
 *  the list comes back, and nothing has to be kept.
 *
 * Failure
 *  What was mapped is unmapped and flushed, and the addresses are given back.
 */
#include "domain_internal.h"

/* Where elements lie in the run. */
struct sg_lay {
	const struct pz_iommu_dev *dev;
	uint64_t at;  /* of the element, its granule's first byte */
	uint64_t end; /* of it: a whole granule */
	uint64_t off; /* of its first byte in the granule */
};

static bool sg_crosses(const struct pz_iommu_dev *dev, uint64_t first, uint64_t len)
{
	return dev->cfg.boundary && len > dev->cfg.boundary - (first & (dev->cfg.boundary - 1));
}

/* The next element. 0, -PZ_EINVAL, -PZ_ERANGE. */
static int sg_lay(struct sg_lay *l, const struct pz_sg *s)
{
	const struct pz_iommu_dev *dev = l->dev;
	const struct pz_iommu *d = dev->d;

	if (!s->len || s->phys + (s->len - 1) < s->phys ||
	    (dev->cfg.max_segment && s->len > dev->cfg.max_segment))
		return -PZ_EINVAL;
	l->off = s->phys & (d->granule - 1);
	l->at = l->end;
	/* Far from where sums wrap. */
	if (s->len > d->last || l->at > d->last)
		return -PZ_ERANGE;
	if (sg_crosses(dev, l->at + l->off, s->len)) {
		l->at = (l->at + (dev->cfg.boundary - 1)) & ~(dev->cfg.boundary - 1);
		if (dev->cfg.boundary < d->granule || sg_crosses(dev, l->at + l->off, s->len))
			return -PZ_ERANGE;
	}
	l->end = l->at + iommu_up(d, l->off + s->len);
	return 0;
}

static bool sg_joins(const struct pz_iommu_dev *dev, const struct pz_sg *seg, uint64_t first,
		     uint64_t len)
{
	uint64_t max = dev->cfg.max_segment ? dev->cfg.max_segment : UINT64_MAX;

	return seg->bus + seg->bus_len == first && len <= max - seg->bus_len &&
	       !sg_crosses(dev, seg->bus, seg->bus_len + len);
}

/* Lay out all elements, and the segments that the device is told, from 0 on. */
static int sg_plan(struct sg_lay *l, struct pz_sg *sg, uint32_t n, uint32_t *segments)
{
	const struct pz_iommu_dev *dev = l->dev;
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		int rc = sg_lay(l, &sg[i]);
		uint64_t first = l->at + l->off, len = sg[i].len;

		if (rc)
			return rc;
		if (count && sg_joins(dev, &sg[count - 1], first, len)) {
			sg[count - 1].bus_len += len;
			continue;
		}
		if (dev->cfg.max_segments && count == dev->cfg.max_segments)
			return -PZ_ENOSPC;
		sg[count].bus = first;
		sg[count++].bus_len = len;
	}
	*segments = count;
	return n ? 0 : -PZ_EINVAL;
}

/* Memory in a row, to be mapped in one call. */
struct sg_piece {
	uint64_t at, phys, bytes;
};

/* Map all elements at @base. On an error what was mapped is for the caller to undo. */
static int sg_write(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, const struct pz_sg *sg,
		    uint32_t n, uint64_t base, uint32_t prot)
{
	struct sg_lay l = { dev, 0, 0, 0 };
	struct sg_piece p = { 0, 0, 0 };
	int rc = 0;

	for (uint32_t i = 0; i <= n && !rc; i++) {
		uint64_t phys = 0;

		if (i < n) {
			rc = sg_lay(&l, &sg[i]);
			phys = sg[i].phys - l.off;
		}
		if (i < n && p.bytes && p.phys + p.bytes == phys && p.at + p.bytes == l.at) {
			p.bytes += l.end - l.at;
			continue;
		}
		if (p.bytes)
			rc = pz_v7s_map(dev->d->t, cpu, gfp, base + p.at, p.phys, p.bytes, prot);
		p = (struct sg_piece){ l.at, phys, l.end - l.at };
	}
	return rc;
}

/* Take addresses for @bytes, and map there. */
static int sg_map(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, const struct pz_sg *sg,
		  uint32_t n, uint64_t bytes, uint32_t prot, uint64_t *base)
{
	struct pz_iommu *d = dev->d;
	uint64_t align, need = d->granule;
	int rc;

	if (!pz_roundup_pow2(bytes, &align))
		return -PZ_ERANGE;
	if (dev->cfg.boundary > need)
		need = dev->cfg.boundary < align ? dev->cfg.boundary : align;
	if (align > PZ_V7S_16M)
		align = need > PZ_V7S_16M ? need : PZ_V7S_16M;
	rc = pz_iommu_take(dev, cpu, bytes, align, need, base);
	if (rc)
		return rc;
	rc = sg_write(dev, cpu, gfp, sg, n, *base, prot);
	if (rc) {
		(void)pz_iommu_clear(d, cpu, *base, bytes, false);
		pz_iova_free(d->iova, cpu, *base, bytes);
	}
	return rc;
}

static void sg_sync(const struct pz_iommu_dev *dev, const struct pz_sg *sg, uint32_t n,
		    enum pz_dma_dir dir, bool for_cpu)
{
	const struct pz_iommu_hooks *h = &dev->d->cfg.hooks;
	void (*hook)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir) =
		for_cpu ? h->for_cpu : h->for_device;

	for (uint32_t i = 0; i < n && hook && !dev->cfg.coherent; i++)
		hook(h->ctx, sg[i].phys, sg[i].len, dir);
}

int pz_iommu_map_sg(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, struct pz_sg *sg,
		    uint32_t n, enum pz_dma_dir dir, uint32_t attrs, uint32_t *mapped)
{
	struct sg_lay l = { dev, 0, 0, 0 };
	uint32_t count = 0;
	uint64_t base;
	int rc = -PZ_EINVAL;

	if ((unsigned int)dir < PZ_DMA_NONE && !(attrs & ~PZ_DMA_ATTRS))
		rc = sg_plan(&l, sg, n, &count);
	if (!rc)
		rc = sg_map(dev, cpu, gfp, sg, n, l.end, pz_iommu_prot(dev, dir, attrs), &base);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < n; i++) {
		if (i < count)
			sg[i].bus += base;
		else
			sg[i].bus_len = 0;
	}
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC))
		sg_sync(dev, sg, n, dir, false);
	*mapped = count;
	return 0;
}

void pz_iommu_unmap_sg(struct pz_iommu_dev *dev, uint32_t cpu, const struct pz_sg *sg, uint32_t n,
		       enum pz_dma_dir dir, uint32_t attrs)
{
	struct pz_iommu *d = dev->d;
	struct sg_lay l = { dev, 0, 0, 0 };
	uint64_t base = n ? iommu_down(d, sg->bus) : 0, phys;
	int rc = n ? 0 : -PZ_EINVAL;

	for (uint32_t i = 0; i < n && !rc; i++)
		rc = sg_lay(&l, &sg[i]);
	if (!pz_iommu_owns(d, "pz_iommu_unmap_sg", base, rc ? 0 : l.end))
		return;
	/* What waits for a flush leads nowhere, and its memory may be somebody else's. */
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC) && !pz_v7s_lookup(d->t, base, &phys))
		sg_sync(dev, sg, n, dir, true);
	pz_iommu_give(d, cpu, "pz_iommu_unmap_sg", base, l.end);
}

void pz_iommu_sync_sg_for_cpu(struct pz_iommu_dev *dev, const struct pz_sg *sg, uint32_t n,
			      enum pz_dma_dir dir)
{
	sg_sync(dev, sg, n, dir, true);
}

void pz_iommu_sync_sg_for_device(struct pz_iommu_dev *dev, const struct pz_sg *sg, uint32_t n,
				 enum pz_dma_dir dir)
{
	sg_sync(dev, sg, n, dir, false);
}
