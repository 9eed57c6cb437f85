/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compute.c - what each device reaches of the machine's memory.
 *
 * Concept: a device's windows go into a reach set of the core, which is then cut by the mask and by
 * what the bus uses for other things. Of memory counts what lies in the set. Behind an IOMMU that
 * translates, windows and masks are about addresses that it makes up, so all memory is in reach as
 * long as any such address is left.
 *
 * Invariants: 1. bytes[] <= by_bus <= total, but for regions that the kernel does not manage; 2. a
 * smaller mask never reaches more.
 *
 * Failure: none. Memory that windows show at several bus addresses counts at the lowest, with a
 * note.
 *
 * Shortcomings: /sys tells a mask as a number of bits, so one that is no power of two is rounded
 * up.
 */
#include "devices.h"

#include <physzone/map.h>
#include <stdlib.h>
#include <string.h>

#include "../start.h"

void devices_init(struct devices *d)
{
	memset(d, 0, sizeof(*d));
	pz_rangeset_init(&d->memory, &an_meta, NULL, 0);
}

struct dev *devices_add(struct devices *d, const char *name)
{
	struct dev *dev = vec_push(&d->all);

	dev->name = xstrdup(name);
	dev->nid = PZ_NID_NONE;
	dev->anywhere = true;
	for (int u = 0; u < DEV_USES; u++)
		dev->bits[u] = DEV_BITS_DEFAULT;
	return dev;
}

void dev_note(struct dev *dev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*vec_push(&dev->notes) = xvasprintf(fmt, ap);
	va_end(ap);
}

static void compute_destroy(struct dev *dev)
{
	free(dev->name);
	free(dev->driver);
	free(dev->kind);
	free(dev->behind);
	free(dev->iommu_name);
	for (size_t i = 0; i < dev->regions.n; i++)
		free(dev->regions.v[i].name);
	for (size_t i = 0; i < dev->notes.n; i++)
		free(dev->notes.v[i]);
	vec_free(&dev->windows);
	vec_free(&dev->holes);
	vec_free(&dev->regions);
	vec_free(&dev->notes);
	pz_reach_destroy(&dev->bus);
	for (int u = 0; u < DEV_USES; u++)
		pz_reach_destroy(&dev->reach[u]);
}

void devices_destroy(struct devices *d)
{
	for (size_t i = 0; i < d->all.n; i++)
		compute_destroy(&d->all.v[i]);
	vec_free(&d->all);
	pz_rangeset_destroy(&d->memory);
}

static void compute_add(struct devices *d, struct pz_range r)
{
	if (pz_range_valid(r))
		(void)pz_rangeset_add(&d->memory, r);
}

/*
 * From zoneinfo, which everyone may read: where a zone has holes they count as lying at its end,
 * as on a PC.
 */
static void compute_zones(struct devices *d, const struct facts *f)
{
	unsigned int shift = f->page_shift ? f->page_shift : 12;

	for (size_t i = 0; i < f->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &f->zoneinfo.v[i];
		struct pz_range r;

		if (z->start_pfn == UINT64_MAX || z->present == UINT64_MAX || !z->present ||
		    z->start_pfn > UINT64_MAX >> shift || z->present > UINT64_MAX >> shift)
			continue;
		if (!pz_range_make(z->start_pfn << shift, z->present << shift, &r))
			compute_add(d, r);
	}
}

void devices_memory(struct devices *d, const struct facts *f)
{
	for (size_t i = 0; i < f->iomem.n; i++)
		if (!f->iomem.v[i].depth && !strcmp(f->iomem.v[i].name, "System RAM"))
			compute_add(d, f->iomem.v[i].range);
	d->memory_from = "/proc/iomem";
	if (!d->memory.count) {
		for (size_t i = 0; i < f->fw.n; i++)
			if (f->fw.v[i].type == PZ_MAP_RAM)
				compute_add(d, f->fw.v[i].range);
		d->memory_from = d->tree ? "the memory nodes" : "the firmware's map";
	}
	if (!d->memory.count) {
		compute_zones(d, f);
		d->memory_from = "/proc/zoneinfo, with the holes of a zone at its end";
	}
	if (!d->memory.count)
		d->memory_from = NULL;
	d->total = pz_rangeset_bytes(&d->memory);
}

/* How much of the memory lies in a reach set. */
static uint64_t compute_bytes(const struct devices *d, const struct pz_reach *reach)
{
	struct pz_rangeset in;
	uint64_t n;

	pz_rangeset_init(&in, &an_meta, NULL, 0);
	for (uint32_t i = 0; i < reach->count; i++)
		(void)pz_rangeset_add(&in, reach->v[i].phys);
	(void)pz_rangeset_intersect(&in, &d->memory);
	n = pz_rangeset_bytes(&in);
	pz_rangeset_destroy(&in);
	return n;
}

static int compute_by_bus(const void *a, const void *b)
{
	const struct dev_window *x = a, *y = b;

	return x->bus < y->bus ? -1 : x->bus > y->bus;
}

/* Add what of a window no window before it shows; false when that is not all of it. */
static bool compute_window(struct pz_reach *reach, const struct dev_window *w)
{
	struct pz_rangeset left;
	bool whole;

	pz_rangeset_init(&left, &an_meta, NULL, 0);
	(void)pz_rangeset_add(&left, w->phys);
	for (uint32_t i = 0; i < reach->count; i++)
		(void)pz_rangeset_remove(&left, reach->v[i].phys);
	whole = pz_rangeset_bytes(&left) == pz_range_size(w->phys);
	for (uint32_t i = 0; i < left.count; i++)
		(void)pz_reach_add_window(reach, left.v[i],
					  w->bus + (left.v[i].first - w->phys.first));
	pz_rangeset_destroy(&left);
	return whole;
}

/* Of several places on the bus that show the same memory the lowest counts: masks leave it last. */
static void compute_windows(struct dev *dev)
{
	pz_reach_init(&dev->bus, &an_meta, NULL, 0);
	if (dev->anywhere) {
		(void)pz_reach_add_window(&dev->bus, (struct pz_range){ 0, PZ_ADDR_MAX }, 0);
		return;
	}
	if (dev->windows.n)
		qsort(dev->windows.v, dev->windows.n, sizeof(*dev->windows.v), compute_by_bus);
	for (size_t i = 0; i < dev->windows.n; i++) {
		const struct dev_window *w = &dev->windows.v[i];

		if (!compute_window(&dev->bus, w))
			dev_note(dev,
				 "some of [%#llx-%#llx], at %#llx on the bus, is seen lower on the "
				 "bus too, and that counts",
				 (unsigned long long)w->phys.first,
				 (unsigned long long)w->phys.last, (unsigned long long)w->bus);
	}
}

static uint64_t compute_last(unsigned int bits)
{
	return pz_limits_bits(bits).max_addr;
}

/* Bus addresses that are something else, taken out where they stand for memory. */
static void compute_holes(const struct dev *dev, struct pz_reach *reach)
{
	for (size_t i = 0; i < dev->holes.n; i++) {
		for (uint32_t k = 0; k < reach->count; k++) {
			const struct pz_window *w = &reach->v[k];
			struct pz_range bus = { w->bus, w->bus + (w->phys.last - w->phys.first) };
			struct pz_range both;

			if (!pz_range_intersect(bus, dev->holes.v[i], &both))
				continue;
			both.first = w->phys.first + (both.first - bus.first);
			both.last = w->phys.first + (both.last - bus.first);
			(void)pz_reach_cut_hole(reach, both);
			k = UINT32_MAX; /* the windows are others now: from the start */
		}
	}
}

/* The reach of one kind of buffers. */
static void compute_use(struct dev *dev, enum dev_use use)
{
	struct pz_reach *reach = &dev->reach[use];

	pz_reach_init(reach, &an_meta, NULL, 0);
	(void)pz_reach_copy(reach, &dev->bus);
	pz_reach_cut_mask(reach, compute_last(dev->bits[use]));
	compute_holes(dev, reach);
}

/* The region that all buffers of a kind come from, or NULL. */
static const struct dev_region *compute_region(const struct dev *dev, enum dev_use use)
{
	for (size_t i = 0; i < dev->regions.n; i++) {
		const struct dev_region *r = &dev->regions.v[i];

		if (r->placed && (r->kind == DEV_REGION_RESTRICTED ||
				  (r->kind == DEV_REGION_COHERENT && use == DEV_COHERENT)))
			return r;
	}
	return NULL;
}

/* Whatever lies outside a region is cut off. */
static void compute_only(struct pz_reach *reach, struct pz_range r)
{
	if (r.first)
		(void)pz_reach_cut_hole(reach, (struct pz_range){ 0, r.first - 1 });
	if (r.last < PZ_ADDR_MAX)
		(void)pz_reach_cut_hole(reach, (struct pz_range){ r.last + 1, PZ_ADDR_MAX });
}

static uint64_t compute_reach_bytes(const struct pz_reach *reach)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < reach->count; i++)
		n += pz_range_size(reach->v[i].phys);
	return n;
}

static void compute_dev(const struct devices *d, struct dev *dev)
{
	compute_windows(dev);
	dev->by_bus = compute_bytes(d, &dev->bus);
	for (int u = 0; u < DEV_USES; u++) {
		const struct dev_region *only = compute_region(dev, (enum dev_use)u);

		compute_use(dev, (enum dev_use)u);
		if (dev->iommu == DEV_IOMMU_TRANSLATES) {
			dev->bytes[u] = dev->reach[u].count ? d->total : 0;
			continue;
		}
		if (only)
			compute_only(&dev->reach[u], only->range);
		/* A region may be hidden from the kernel, and is the device's memory all the same.
		 */
		dev->bytes[u] = only ? compute_reach_bytes(&dev->reach[u])
				     : compute_bytes(d, &dev->reach[u]);
	}
	if (dev->iommu == DEV_IOMMU_TRANSLATES)
		dev->by_bus = dev->bus.count ? d->total : 0;
}

void devices_compute(struct devices *d)
{
	for (size_t i = 0; i < d->all.n; i++)
		compute_dev(d, &d->all.v[i]);
}

bool dev_reaches(const struct dev *dev, enum dev_use use, uint64_t addr)
{
	if (dev->iommu == DEV_IOMMU_TRANSLATES)
		return dev->reach[use].count > 0;
	return pz_reach_has(&dev->reach[use], (struct pz_range){ addr, addr });
}

bool devices_selects(const struct devices_query *q, const struct dev *dev)
{
	bool all = true;

	if (!q->asked)
		return true;
	for (int u = 0; u < DEV_USES; u++)
		all = all && dev_reaches(dev, (enum dev_use)u, q->addr);
	return all != q->cannot;
}
