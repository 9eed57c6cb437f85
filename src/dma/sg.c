/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sg.c - streaming mappings of scattered memory.
 *
 * Concept
 *  Elements are mapped one by one. One that follows the last on the bus is joined to it, as far as
 *  the device lets a segment grow. What the device is told lies packed at the front of the list;
 *  the bus address of each element comes back out of it, because joined elements follow each other.
 *
 * Failure
 *  What was mapped is taken back without a copy: the device has seen nothing of it.
 *
 * Shortcomings
 *  An element is never cut: one longer than a segment is refused.
 */
#include <physzone/dma_map.h>

#include "dma_internal.h"

/* Whether @len bytes at @bus can be the end of a segment. */
static bool sg_joins(const struct pz_dma_dev *dev, const struct pz_sg *s, uint64_t bus,
		     uint64_t len)
{
	uint64_t max = dev->cfg.max_segment ? dev->cfg.max_segment : UINT64_MAX;

	return s->bus_len <= max && s->bus + s->bus_len == bus && bus > s->bus &&
	       len <= max - s->bus_len &&
	       !pz_dma_crosses(s->bus, s->bus_len + len, dev->cfg.boundary);
}

/* The bus addresses of elements, as they come out of the packed ones. */
struct sg_walk {
	const struct pz_sg *sg;
	uint32_t segment;
	uint64_t done; /* bytes of it */
};

static uint64_t sg_next(struct sg_walk *w, uint64_t len)
{
	const struct pz_sg *s = &w->sg[w->segment];
	uint64_t bus = s->bus + w->done;

	w->done += len;
	if (w->done >= s->bus_len) {
		w->segment++;
		w->done = 0;
	}
	return bus;
}

static void sg_undo(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_sg *sg, uint32_t n,
		    enum pz_dma_dir dir, uint32_t attrs)
{
	struct sg_walk w = { sg, 0, 0 };

	for (uint32_t i = 0; i < n; i++)
		pz_dma_unmap_one(dev, cpu, sg_next(&w, sg[i].len), sg[i].len, dir, attrs);
}

/* Map element @i and join it to the @count segments that there are. */
static int sg_map(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t i,
		  enum pz_dma_dir dir, uint32_t attrs, uint32_t *count)
{
	uint64_t bus, len = sg[i].len;
	int rc;

	if (dev->cfg.max_segment && len > dev->cfg.max_segment)
		return -PZ_EINVAL;
	rc = pz_dma_map_one(dev, cpu, sg[i].phys, len, dir, attrs, &bus);
	if (rc)
		return rc;
	if (*count && sg_joins(dev, &sg[*count - 1], bus, len)) {
		sg[*count - 1].bus_len += len;
		return 0;
	}
	if (dev->cfg.max_segments && *count == dev->cfg.max_segments) {
		pz_dma_unmap_one(dev, cpu, bus, len, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
		return -PZ_ENOSPC;
	}
	sg[*count].bus = bus;
	sg[*count].bus_len = len;
	(*count)++;
	return 0;
}

/* Tell the checks of each segment. */
static void sg_tell(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n, uint32_t segments,
		    enum pz_dma_dir dir, uint32_t attrs, bool map)
{
	struct pz_dma_use u;
	uint32_t first = 0;

	memset(&u, 0, sizeof(u));
	u.dev = dev;
	u.kind = PZ_DMA_SG;
	u.dir = dir;
	u.attrs = attrs;
	u.sg_count = n;
	for (uint32_t k = 0; k < segments; k++) {
		u.bus = sg[k].bus;
		u.size = sg[k].bus_len;
		u.phys = sg[first].phys;
		u.sg_index = k;
		if (map)
			pz_dma_debug_map(dev->dma->cfg.debug, &u);
		else
			pz_dma_debug_unmap(dev->dma->cfg.debug, &u);
		for (uint64_t done = 0; done < u.size && first < n - 1; first++)
			done += sg[first].len;
	}
}

/* How many segments a mapped list has. */
static uint32_t sg_segments(const struct pz_sg *sg, uint32_t n)
{
	uint32_t k = 0;

	while (k < n && sg[k].bus_len)
		k++;
	return k;
}

int pz_dma_map_sg(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t n,
		  enum pz_dma_dir dir, uint32_t attrs, uint32_t *mapped)
{
	uint32_t count = 0;
	int rc = n ? 0 : -PZ_EINVAL;

	for (uint32_t i = 0; i < n && !rc; i++) {
		rc = sg_map(dev, cpu, sg, i, dir, attrs, &count);
		if (rc)
			sg_undo(dev, cpu, sg, i, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
	}
	if (rc)
		return rc;
	for (uint32_t i = count; i < n; i++)
		sg[i].bus_len = 0;
	if (dev->dma->cfg.debug)
		sg_tell(dev, sg, n, count, dir, attrs, true);
	*mapped = count;
	return 0;
}

void pz_dma_unmap_sg(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t n,
		     enum pz_dma_dir dir, uint32_t attrs)
{
	if (dev->plain && !pz_load32(&dev->bounced))
		return;
	if (dev->dma->cfg.debug)
		sg_tell(dev, sg, n, sg_segments(sg, n), dir, attrs, false);
	sg_undo(dev, cpu, sg, n, dir, attrs);
}

static void sg_sync(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n, enum pz_dma_dir dir,
		    bool for_cpu)
{
	struct sg_walk w = { sg, 0, 0 };

	if (dev->plain && !pz_load32(&dev->bounced))
		return;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t bus = sg_next(&w, sg[i].len);

		if (dev->dma->cfg.debug) {
			struct pz_dma_use u = { .dev = dev, .kind = PZ_DMA_SG, .dir = dir };

			u.bus = bus;
			u.phys = sg[i].phys;
			u.size = sg[i].len;
			u.sg_count = n;
			u.sg_index = i;
			pz_dma_debug_sync(dev->dma->cfg.debug, &u, for_cpu);
		}
		pz_dma_sync_one(dev, bus, sg[i].len, dir, for_cpu);
	}
}

void pz_dma_sync_sg_for_cpu(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n,
			    enum pz_dma_dir dir)
{
	sg_sync(dev, sg, n, dir, true);
}

void pz_dma_sync_sg_for_device(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n,
			       enum pz_dma_dir dir)
{
	sg_sync(dev, sg, n, dir, false);
}
