/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_map.c - memory of one piece, handed to a device behind the IOMMU.
 *
 * Concept
 *  Take addresses for the granules that the memory touches, write the tables, care for caches of
 *  devices that are not coherent. Nothing is written down besides: a run of addresses knows where
 * it begins and ends, and the tables know what it leads to.
 *
 * Failure
 *  Addresses are taken first, and given back if the tables cannot be written. A run is aligned to
 *  its size, which lets large pages be used; where no such run is free, less will do.
 *
 * Shortcomings
 *  An address is not chosen to lie in its 64 KiB or MiB as the memory does in its own, so memory
 *  that begins in the middle of one is mapped by smaller pages.
 */
#include "domain_internal.h"

/* Alignment that serves large pages; more than that serves nobody. */
#define MAP_ALIGN_MOST PZ_V7S_16M

int pz_iommu_take(struct pz_iommu_dev *dev, uint32_t cpu, uint64_t size, uint64_t align,
		  uint64_t need, uint64_t *addr)
{
	struct pz_iommu *d = dev->d;
	int rc = pz_iova_alloc(d->iova, cpu, size, align, dev->cfg.mask, addr);

	if (rc && need < align)
		rc = pz_iova_alloc(d->iova, cpu, size, need, dev->cfg.mask, addr);
	/* Somebody's addresses may wait for a flush. */
	if (rc == -PZ_ENOMEM && d->queue && pz_iommu_flush(d, cpu))
		rc = pz_iova_alloc(d->iova, cpu, size, need, dev->cfg.mask, addr);
	return rc;
}

uint32_t pz_iommu_prot(const struct pz_iommu_dev *dev, enum pz_dma_dir dir, uint32_t attrs)
{
	uint32_t prot = dir == PZ_DMA_TO_DEVICE ? PZ_IOMMU_READ : PZ_IOMMU_READ | PZ_IOMMU_WRITE;

	if (attrs & PZ_DMA_PRIVILEGED)
		prot |= PZ_IOMMU_PRIV;
	return dev->cfg.coherent ? prot | PZ_IOMMU_CACHE : prot;
}

bool pz_iommu_owns(const struct pz_iommu *d, const char *where, uint64_t addr, uint64_t size)
{
	struct pz_range run = { 0, 0 };
	bool ok = size && pz_iova_find(d->iova, addr, &run) && run.first == addr &&
		  run.last - run.first == size - 1;

	for (void *at = pz_load_ptr(&d->windows); at && ok;) {
		const struct iommu_window *w = at;

		ok = addr > w->w.iova.last || run.last < w->w.iova.first;
		at = w->next;
	}
	if (!ok)
		pz_bug(d->cfg.tables.bugs, where,
		       "%#llx, %#llx bytes: nothing of that size is there",
		       (unsigned long long)addr, (unsigned long long)size);
	return ok;
}

static bool map_args_ok(uint64_t phys, uint64_t size, enum pz_dma_dir dir, uint32_t attrs)
{
	return size && phys + (size - 1) >= phys && (unsigned int)dir < PZ_DMA_NONE &&
	       !(attrs & ~PZ_DMA_ATTRS);
}

static int map_run(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint64_t phys,
		   uint64_t size, uint32_t prot, uint64_t *bus)
{
	struct pz_iommu *d = dev->d;
	uint64_t off = phys & (d->granule - 1), bytes = iommu_up(d, off + size), align, addr;
	uint64_t need = d->granule;
	int rc;

	if (!bytes || !pz_roundup_pow2(bytes, &align))
		return -PZ_ERANGE;
	if (dev->cfg.boundary) {
		if (size > dev->cfg.boundary - (off & (dev->cfg.boundary - 1)))
			return -PZ_ERANGE;
		/* A run that is aligned to its size crosses no boundary above that. */
		need = align;
	}
	if (align > MAP_ALIGN_MOST && need < align)
		align = MAP_ALIGN_MOST;
	rc = pz_iommu_take(dev, cpu, bytes, align, need, &addr);
	if (rc)
		return rc;
	rc = pz_v7s_map(d->t, cpu, gfp, addr, phys - off, bytes, prot);
	if (rc) {
		pz_iova_free(d->iova, cpu, addr, bytes);
		return rc;
	}
	*bus = addr + off;
	return 0;
}

int pz_iommu_map(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint64_t phys, uint64_t size,
		 enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus)
{
	const struct pz_iommu_hooks *h = &dev->d->cfg.hooks;
	int rc;

	if (!map_args_ok(phys, size, dir, attrs))
		return -PZ_EINVAL;
	rc = map_run(dev, cpu, gfp, phys, size, pz_iommu_prot(dev, dir, attrs), bus);
	if (!rc && !dev->cfg.coherent && !(attrs & PZ_DMA_SKIP_CPU_SYNC) && h->for_device)
		h->for_device(h->ctx, phys, size, dir);
	return rc;
}

int pz_iommu_map_resource(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint64_t phys,
			  uint64_t size, enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus)
{
	uint32_t prot = pz_iommu_prot(dev, dir, attrs) & ~PZ_IOMMU_CACHE;

	if (!map_args_ok(phys, size, dir, attrs))
		return -PZ_EINVAL;
	return map_run(dev, cpu, gfp, phys, size, prot | PZ_IOMMU_MMIO, bus);
}

/* --- caches of what is mapped --- */

struct map_sync {
	const struct pz_iommu *d;
	uint64_t first, last; /* bus addresses */
	enum pz_dma_dir dir;
	void (*hook)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir);
	uint64_t phys, bytes; /* not yet told */
};

static void map_sync_tell(struct map_sync *s)
{
	if (s->bytes)
		s->hook(s->d->cfg.hooks.ctx, s->phys, s->bytes, s->dir);
	s->bytes = 0;
}

static int map_sync_page(void *ctx, const struct pz_v7s_page *p)
{
	struct map_sync *s = ctx;
	uint64_t first = p->iova, last = p->iova + (p->size - 1), phys;

	first = first > s->first ? first : s->first;
	last = last < s->last ? last : s->last;
	phys = p->phys + (first - p->iova);
	if (s->bytes && s->phys + s->bytes != phys)
		map_sync_tell(s);
	if (!s->bytes)
		s->phys = phys;
	s->bytes += last - first + 1;
	return 0;
}

/* Tell a hook of the memory behind addresses, in as few pieces as it has. */
static void map_sync(const struct pz_iommu_dev *dev, uint64_t bus, uint64_t size,
		     enum pz_dma_dir dir, bool for_cpu)
{
	const struct pz_iommu_hooks *h = &dev->d->cfg.hooks;
	struct map_sync s = { .d = dev->d, .first = bus, .dir = dir };

	s.hook = for_cpu ? h->for_cpu : h->for_device;
	if (dev->cfg.coherent || !s.hook || !size)
		return;
	s.last = pz_add_sat64(bus, size - 1);
	(void)pz_v7s_each(dev->d->t, bus, size, map_sync_page, &s);
	map_sync_tell(&s);
}

void pz_iommu_sync_for_cpu(struct pz_iommu_dev *dev, uint64_t bus, uint64_t size,
			   enum pz_dma_dir dir)
{
	map_sync(dev, bus, size, dir, true);
}

void pz_iommu_sync_for_device(struct pz_iommu_dev *dev, uint64_t bus, uint64_t size,
			      enum pz_dma_dir dir)
{
	map_sync(dev, bus, size, dir, false);
}

/* --- and back --- */

void pz_iommu_give(struct pz_iommu *d, uint32_t cpu, const char *where, uint64_t addr,
		   uint64_t size)
{
	if (!pz_iommu_clear(d, cpu, addr, size, d->cfg.lazy))
		pz_iommu_let_go(d, cpu, addr, size, d->cfg.lazy);
	else
		pz_bug(d->cfg.tables.bugs, where, "%#llx, %#llx bytes: it is not mapped",
		       (unsigned long long)addr, (unsigned long long)size);
}

static void map_drop(struct pz_iommu_dev *dev, uint32_t cpu, const char *where, uint64_t bus,
		     uint64_t size, enum pz_dma_dir dir, bool sync)
{
	struct pz_iommu *d = dev->d;
	uint64_t addr = iommu_down(d, bus), bytes = iommu_up(d, bus - addr + size);

	if (!size || size > bytes)
		bytes = 0;
	if (!pz_iommu_owns(d, where, addr, bytes))
		return;
	if (sync)
		map_sync(dev, bus, size, dir, true);
	pz_iommu_give(d, cpu, where, addr, bytes);
}

void pz_iommu_unmap(struct pz_iommu_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs)
{
	map_drop(dev, cpu, "pz_iommu_unmap", bus, size, dir, !(attrs & PZ_DMA_SKIP_CPU_SYNC));
}

void pz_iommu_unmap_resource(struct pz_iommu_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size)
{
	map_drop(dev, cpu, "pz_iommu_unmap_resource", bus, size, PZ_DMA_BIDIRECTIONAL, false);
}
