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
	uint32_t n, i;	  /* elements that the caller says there are; the one that is looked at */
	uint32_t segment; /* that it lies in */
	uint64_t done;	  /* bytes of that */
	uint64_t bus;	  /* of the element */
};

static struct sg_walk sg_walk(const struct pz_sg *sg, uint32_t n)
{
	struct sg_walk w = { sg, n, UINT32_MAX, 0, 0, 0 };

	return w;
}

/* The next element; false when there is none, or none that was mapped. */
static bool sg_next(struct sg_walk *w)
{
	const struct pz_sg *s = &w->sg[w->segment];

	if (++w->i == w->n || !s->bus_len)
		return false;
	w->bus = s->bus + w->done;
	w->done += w->sg[w->i].len;
	if (w->done >= s->bus_len) {
		w->segment++;
		w->done = 0;
	}
	return true;
}

static void sg_undo(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_sg *sg, uint32_t n,
		    enum pz_dma_dir dir, uint32_t attrs)
{
	struct sg_walk w = sg_walk(sg, n);

	while (sg_next(&w))
		(void)pz_dma_unmap_one(dev, cpu, w.bus, sg[w.i].len, dir, attrs);
}

/* An element as the checks know it. */
static struct pz_dma_use sg_use(const struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n,
				uint32_t i, uint64_t bus, enum pz_dma_dir dir, uint32_t attrs)
{
	struct pz_dma_use u;

	memset(&u, 0, sizeof(u));
	u.dev = dev;
	u.kind = PZ_DMA_SG;
	u.dir = dir;
	u.bus = bus;
	u.phys = sg[i].phys;
	u.size = sg[i].len;
	u.attrs = attrs;
	u.sg_count = n;
	u.sg_index = i;
	return u;
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
		(void)pz_dma_unmap_one(dev, cpu, bus, len, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
		return -PZ_ENOSPC;
	}
	sg[*count].bus = bus;
	sg[*count].bus_len = len;
	(*count)++;
	return 0;
}

/* Tell the checks of each element that was mapped. */
static void sg_tell(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n, enum pz_dma_dir dir,
		    uint32_t attrs)
{
	struct sg_walk w = sg_walk(sg, n);

	while (sg_next(&w)) {
		struct pz_dma_use u = sg_use(dev, sg, n, w.i, w.bus, dir, attrs);

		pz_dma_debug_map(dev->dma->cfg.debug, &u);
	}
}

/* Element @i was refused: what was mapped before it is taken back, and the checks look at it. */
static void sg_fail(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_sg *sg, uint32_t n,
		    uint32_t i, enum pz_dma_dir dir, uint32_t attrs)
{
	sg_undo(dev, cpu, sg, i, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
	if (dev->dma->cfg.debug) {
		struct pz_dma_use u = sg_use(dev, sg, n, i, PZ_DMA_ERROR, dir, attrs);

		pz_dma_debug_refused(dev->dma->cfg.debug, &u);
	}
}

int pz_dma_map_sg(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t n,
		  enum pz_dma_dir dir, uint32_t attrs, uint32_t *mapped)
{
	uint32_t count = 0;
	int rc = n ? 0 : -PZ_EINVAL;

	for (uint32_t i = 0; i < n && !rc; i++) {
		rc = sg_map(dev, cpu, sg, i, dir, attrs, &count);
		if (rc)
			sg_fail(dev, cpu, sg, n, i, dir, attrs);
	}
	if (rc)
		return rc;
	for (uint32_t i = count; i < n; i++)
		sg[i].bus_len = 0;
	if (dev->dma->cfg.debug)
		sg_tell(dev, sg, n, dir, attrs);
	*mapped = count;
	return 0;
}

void pz_dma_unmap_sg(struct pz_dma_dev *dev, uint32_t cpu, struct pz_sg *sg, uint32_t n,
		     enum pz_dma_dir dir, uint32_t attrs)
{
	struct sg_walk w = sg_walk(sg, n);

	if (dev->plain && !pz_load32(&dev->bounced))
		return;
	if (!dev->dma->cfg.debug) {
		sg_undo(dev, cpu, sg, n, dir, attrs);
		return;
	}
	while (sg_next(&w)) {
		struct pz_dma_use u = sg_use(dev, sg, n, w.i, w.bus, dir, attrs);

		pz_dma_unmap_use(&u, dev, cpu);
	}
}

static void sg_sync(struct pz_dma_dev *dev, const struct pz_sg *sg, uint32_t n, enum pz_dma_dir dir,
		    bool for_cpu)
{
	struct sg_walk w = sg_walk(sg, n);

	if (dev->plain && !pz_load32(&dev->bounced))
		return;
	while (sg_next(&w)) {
		if (dev->dma->cfg.debug) {
			struct pz_dma_use u = sg_use(dev, sg, n, w.i, w.bus, dir, 0);

			pz_dma_debug_sync(dev->dma->cfg.debug, &u, for_cpu);
		}
		pz_dma_sync_one(dev, w.bus, sg[w.i].len, dir, for_cpu);
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
