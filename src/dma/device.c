/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - devices, their masks, and the reach sets that come of them.
 *
 * Concept
 *  What buses translate, less holes, is a device's base. Cut by a mask and by the limits of buses
 *  it is a reach set, one for streaming mappings and one for coherent buffers. The widest window is
 *  also kept as three words, for the short way.
 *
 * Invariants (pz_dma_check() verifies them)
 *  1. each reach set is sound, and is its base cut by its mask;
 *  2. the short way says what the reach set says;
 *  3. a device that cannot drive the private bit is given shared memory.
 *
 * Failure
 *  A new reach set is made beside the old one and put in its place when nothing can fail any more.
 */
#include "dma_internal.h"

#include "../page/page_internal.h"

void pz_dma_dev_init(struct pz_dma_dev_config *cfg, const char *name, unsigned int bits)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->name = name;
	cfg->mask = pz_limits_bits(bits ? bits : 1).max_addr;
	cfg->coherent_mask = cfg->mask;
	cfg->align = 1;
	cfg->coherent = true;
	cfg->nid = PZ_NID_NONE;
	cfg->cma = PZ_DMA_NO_CMA;
}

/* Whether a mask cannot drive the bit that says that memory is private. */
static bool device_needs_shared(const struct pz_dma_dev *dev, uint64_t mask)
{
	return dev->cfg.shared || pz_dma_max_bus(dev, mask) < dev->dma->cfg.private_bit;
}

uint64_t pz_dma_top(const struct pz_dma_dev *dev, uint64_t mask, bool shared)
{
	uint64_t max = pz_dma_max_bus(dev, mask), bit = dev->dma->cfg.private_bit;

	if (!bit)
		return max;
	if (!shared)
		max -= bit;
	return max < bit ? max : bit - 1;
}

static void device_fast(const struct pz_dma_dev *dev, const struct pz_reach *reach,
			struct dma_fast *f)
{
	uint64_t widest = 0;

	f->first = 1;
	f->last = 0;
	f->offset = 0;
	for (uint32_t i = 0; i < reach->count; i++) {
		const struct pz_window *w = &reach->v[i];

		if (f->first <= f->last && w->phys.last - w->phys.first <= widest)
			continue;
		widest = w->phys.last - w->phys.first;
		f->first = w->phys.first;
		f->last = w->phys.last;
		f->offset = w->bus - w->phys.first + pz_dma_private(dev);
	}
}

/* A copy of the base, cut behind a bus address. */
static int device_cut(const struct pz_dma_dev *dev, uint64_t top, struct pz_reach *out)
{
	int rc;

	pz_reach_init(out, dev->dma->cfg.meta, NULL, 0);
	rc = pz_reach_copy(out, &dev->base);
	if (!rc)
		pz_reach_cut_mask(out, top);
	return rc;
}

/* What memory needs before it is a coherent buffer of the device. */
static uint32_t device_way(const struct pz_dma_dev *dev, bool shared)
{
	const struct pz_dma_hooks *h = &dev->dma->cfg.hooks;
	uint32_t way = 0;

	if (shared)
		way |= h->share ? DMA_WAY_SHARE : DMA_WAY_SHARE | DMA_WAY_NEVER;
	if (!dev->cfg.coherent) {
		way |= DMA_WAY_FLUSH;
		way |= h->uncached ? DMA_WAY_ALIAS : h->remap ? DMA_WAY_REMAP : DMA_WAY_NEVER;
	}
	return way;
}

static void device_hold(struct pz_dma_dev *dev, uint64_t page)
{
	const struct dma_fast *f = &dev->fast[DMA_COHERENT];
	struct dma_hold *h = &dev->hold;

	h->bytes = page;
	h->cpus = dev->dma->cfg.cpus;
	h->count = dev->count;
	h->first = f->first;
	h->span = f->last - f->first;
	h->offset = f->offset;
	pz_page_look_init(dev->dma->cfg.pages, &h->look);
	h->direct = dev->dma->cfg.hooks.direct;
	h->ctx = dev->dma->cfg.hooks.ctx;
}

/* The quick way is for buffers that any aligned block of the one window can be. */
static void device_quick(struct pz_dma_dev *dev)
{
	const struct pz_reach *r = &dev->reach[DMA_COHERENT];
	uint64_t page = pz_dma_page_bytes(dev->dma), most = page << PZ_PAGE_MAX_ORDER, off;
	struct pz_range in;

	dev->quick_bytes[0] = dev->quick_bytes[1] = dev->hold.bytes = 0;
	if (dev->way || !dev->dma->cfg.hooks.direct || dev->cfg.region || dev->cfg.restricted ||
	    dev->dma->cfg.debug || dev->cfg.nid != PZ_NID_NONE || r->count != 1 ||
	    dev->cfg.align > page ||
	    !pz_range_intersect(r->v[0].phys, pz_dma_mapped(dev->dma), &in))
		return;
	off = r->v[0].bus - r->v[0].phys.first;
	if (off && (off & (~off + 1)) < most)
		most = off & (~off + 1);
	if (dev->cfg.boundary && dev->cfg.boundary < most)
		most = dev->cfg.boundary;
	if (most < page || (off & (page - 1)))
		return;
	dev->quick_bytes[0] = dev->quick_bytes[1] = most;
	/* Contiguous areas come first for who may block. */
	if (dev->cfg.cma != PZ_DMA_NO_CMA)
		dev->quick_bytes[1] = 0;
	else if (dev->dma->cfg.cma != PZ_DMA_NO_CMA)
		dev->quick_bytes[1] = page;
	if (dev->dma->cfg.hold && dev->quick_bytes[1])
		device_hold(dev, page);
	dev->limits = pz_limits_any();
	dev->limits.min_addr = in.first;
	dev->limits.max_addr = in.last;
	dev->quick = in.first || in.last != PZ_ADDR_MAX ? &dev->limits : NULL;
}

/* What a device is to become; the parts are the device's once nothing can fail any more. */
struct device_plan {
	uint64_t mask[DMA_USES];
	struct pz_reach reach[DMA_USES];
	bool asked[DMA_USES]; /* whose mask is set */
	bool fresh[DMA_USES]; /* which of the two are new */
	bool shared;
	uint32_t way;
	bool pooled; /* the device has another pool then, or none */
	struct dma_atomic *atomic;
	bool reserved; /* and another reserve of bounce buffers, or none */
	struct bounce_pool *reserve;
};

static void device_plan_drop(struct pz_dma_dev *dev, struct device_plan *plan)
{
	for (unsigned int i = 0; i < DMA_USES; i++) {
		if (plan->fresh[i])
			pz_reach_destroy(&plan->reach[i]);
	}
	if (plan->pooled)
		pz_dma_atomic_leave(dev->dma, plan->atomic);
	if (plan->reserved)
		pz_dma_unreserve(dev, plan->reserve);
}

/* @masks: for each use, NULL to leave it as it is. Holds nothing on error. */
static int device_plan_cut(struct pz_dma_dev *dev, const uint64_t *const *masks,
			   struct device_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->mask[DMA_STREAMING] = dev->cfg.mask;
	plan->mask[DMA_COHERENT] = dev->cfg.coherent_mask;
	/* What either mask cannot drive, no address that the device is told may bear. */
	for (unsigned int i = 0; i < DMA_USES; i++) {
		plan->asked[i] = masks[i];
		if (masks[i])
			plan->mask[i] = *masks[i];
		plan->shared |= device_needs_shared(dev, plan->mask[i]);
	}
	plan->way = device_way(dev, plan->shared);
	for (unsigned int i = 0; i < DMA_USES; i++) {
		int rc;

		/* Where the bit is borne anew, or no longer, both are. */
		if (!plan->asked[i] && plan->shared == dev->shared)
			continue;
		rc = device_cut(dev, pz_dma_top(dev, plan->mask[i], plan->shared), &plan->reach[i]);
		if (rc) {
			device_plan_drop(dev, plan);
			return rc;
		}
		plan->fresh[i] = true;
	}
	return 0;
}

/* The pool of what the device is to become. Holds nothing more on error. */
static int device_plan_pool(struct pz_dma_dev *dev, struct device_plan *plan)
{
	const struct pz_reach *reach = &dev->reach[DMA_COHERENT];
	int rc;

	if (!plan->fresh[DMA_COHERENT] && plan->way == dev->way)
		return 0;
	if (plan->fresh[DMA_COHERENT])
		reach = &plan->reach[DMA_COHERENT];
	rc = pz_dma_atomic_join(dev, reach, plan->way, &plan->atomic);
	plan->pooled = !rc;
	return rc;
}

static void device_put(struct pz_dma_dev *dev, const struct device_plan *plan)
{
	struct dma_atomic *left = dev->atomic;
	struct bounce_pool *unused = dev->reserve;

	pz_dma_drain_all(dev);
	for (unsigned int i = 0; i < DMA_USES; i++) {
		if (!plan->fresh[i])
			continue;
		pz_reach_destroy(&dev->reach[i]);
		dev->reach[i] = plan->reach[i];
	}
	dev->cfg.mask = plan->mask[DMA_STREAMING];
	dev->cfg.coherent_mask = plan->mask[DMA_COHERENT];
	dev->shared = plan->shared;
	dev->way = plan->way;
	for (unsigned int i = 0; i < DMA_USES; i++)
		device_fast(dev, &dev->reach[i], &dev->fast[i]);
	device_quick(dev);
	if (plan->pooled) {
		dev->atomic = plan->atomic;
		pz_dma_atomic_leave(dev->dma, left);
	}
	pz_dma_map_ready(dev);
	if (plan->reserved) {
		dev->reserve = plan->reserve;
		pz_dma_unreserve(dev, unused);
	}
}

static int device_base(struct pz_dma_dev *dev, const struct pz_dma_dev_config *cfg)
{
	int rc = 0;

	if (!cfg->window_count) {
		struct pz_range all = { 0, PZ_ADDR_MAX };

		rc = pz_reach_add_window(&dev->base, all, 0);
	}
	for (uint32_t i = 0; i < cfg->window_count && !rc; i++)
		rc = pz_reach_add_window(&dev->base, cfg->windows[i].phys, cfg->windows[i].bus);
	for (uint32_t i = 0; i < cfg->hole_count && !rc; i++)
		rc = pz_reach_cut_hole(&dev->base, cfg->holes[i]);
	return rc == -PZ_ENOSPC ? -PZ_ENOMEM : rc;
}

static bool device_valid(const struct pz_dma *dma, const struct pz_dma_dev_config *cfg)
{
	uint64_t page = pz_dma_page_bytes(dma) - 1;
	const struct pz_dma_region *r = cfg->region;

	return cfg->name && pz_is_pow2(cfg->align) &&
	       !(cfg->boundary & (cfg->boundary - 1)) && (!cfg->window_count || cfg->windows) &&
	       (!cfg->hole_count || cfg->holes) && !(cfg->keep_mask & (cfg->keep_mask + 1)) &&
	       pz_dma_has_cma(dma, cfg->cma) &&
	       (!r || (pz_range_valid(r->phys) && !(r->phys.first & page) &&
		       !((r->phys.last + 1) & page)));
}

static size_t device_count_bytes(const struct pz_dma *dma)
{
	return ((size_t)dma->cfg.cpus + 1) * sizeof(struct dma_count);
}

static int device_counts(struct pz_dma_dev *dev)
{
	const struct pz_meta *m = dev->dma->cfg.meta;

	dev->count = m->alloc(m->ctx, device_count_bytes(dev->dma));
	if (!dev->count)
		return -PZ_ENOMEM;
	memset(dev->count, 0, device_count_bytes(dev->dma));
	return 0;
}

uint64_t pz_dma_buffers(const struct pz_dma_dev *dev, uint64_t *bytes)
{
	uint64_t n = 0;

	*bytes = 0;
	for (uint32_t i = 0; i <= dev->dma->cfg.cpus; i++) {
		n += pz_peek64(&dev->count[i].buffers);
		*bytes += pz_peek64(&dev->count[i].bytes);
	}
	return n;
}

static void device_drop(struct pz_dma_dev *dev)
{
	const struct pz_meta *m = dev->dma->cfg.meta;

	if (dev->count)
		pz_dma_drain_all(dev);
	pz_dma_atomic_leave(dev->dma, dev->atomic);
	pz_dma_region_leave(dev);
	for (unsigned int i = 0; i < DMA_USES; i++)
		pz_reach_destroy(&dev->reach[i]);
	pz_reach_destroy(&dev->base);
	if (dev->count)
		m->free(m->ctx, dev->count, device_count_bytes(dev->dma));
	m->free(m->ctx, dev, sizeof(*dev));
}

static void device_link(struct pz_dma_dev *dev)
{
	struct pz_dma *dma = dev->dma;

	dev->next = dma->devs;
	dev->prev = NULL;
	if (dev->next)
		dev->next->prev = dev;
	dma->devs = dev;
}

static void device_unlink(struct pz_dma_dev *dev)
{
	if (dev->next)
		dev->next->prev = dev->prev;
	if (dev->prev)
		dev->prev->next = dev->next;
	else
		dev->dma->devs = dev->next;
}

/* Everything of a device that can fail; what was made is held on error, too. */
static int device_make(struct pz_dma_dev *dev, const struct pz_dma_dev_config *cfg)
{
	const uint64_t *const masks[DMA_USES] = { &cfg->mask, &cfg->coherent_mask };
	struct device_plan plan;
	int rc = device_base(dev, cfg);

	if (!rc)
		rc = device_counts(dev);
	if (!rc)
		rc = pz_dma_region_join(dev);
	if (!rc)
		rc = device_plan_cut(dev, masks, &plan);
	if (rc)
		return rc;
	rc = device_plan_pool(dev, &plan);
	if (rc) {
		device_plan_drop(dev, &plan);
		return rc;
	}
	device_put(dev, &plan);
	/* Without a reserve it may still find room; whoever sets its mask is told. */
	if (pz_dma_reserve(dev, &dev->reach[DMA_STREAMING], dev->shared, &dev->reserve))
		dev->reserve = NULL;
	return 0;
}

int pz_dma_dev_create(struct pz_dma_dev **out, struct pz_dma *dma,
		      const struct pz_dma_dev_config *cfg)
{
	const struct pz_meta *m = dma->cfg.meta;
	struct pz_dma_dev *dev;
	int rc;

	if (!device_valid(dma, cfg))
		return -PZ_EINVAL;
	dev = m->alloc(m->ctx, sizeof(*dev));
	if (!dev)
		return -PZ_ENOMEM;
	memset(dev, 0, sizeof(*dev));
	dev->dma = dma;
	dev->cfg = *cfg;
	dev->cfg.windows = NULL;
	dev->cfg.holes = NULL;
	if (!pz_zones_node(dma->cfg.pages->cfg.zones, cfg->nid))
		dev->cfg.nid = PZ_NID_NONE;
	if (cfg->region) {
		dev->region = *cfg->region;
		dev->cfg.region = &dev->region;
	}
	pz_reach_init(&dev->base, m, NULL, 0);
	rc = device_make(dev, cfg);
	if (rc) {
		device_drop(dev);
		return rc;
	}
	device_link(dev);
	*out = dev;
	return 0;
}

int pz_dma_dev_destroy(struct pz_dma_dev *dev)
{
	uint64_t n, bytes;

	if (!dev)
		return 0;
	if (dev->dma->cfg.debug)
		pz_dma_debug_release(dev->dma->cfg.debug, dev);
	n = pz_dma_buffers(dev, &bytes);
	if (n) {
		pz_bug(dev->dma->cfg.bugs, "pz_dma_dev_destroy", "%s has %llu buffers out",
		       dev->cfg.name, (unsigned long long)n);
		return -PZ_EBUSY;
	}
	n = pz_dma_mapped_count(dev);
	if (n) {
		pz_bug(dev->dma->cfg.bugs, "pz_dma_dev_destroy", "%s has %llu mappings out",
		       dev->cfg.name, (unsigned long long)n);
		return -PZ_EBUSY;
	}
	pz_dma_unreserve(dev, dev->reserve);
	device_unlink(dev);
	device_drop(dev);
	return 0;
}

/* Whether a streaming mapping could ever be had in a reach set: 0, -PZ_ERANGE. */
static int device_streams_ever(const struct pz_dma_dev *dev, const struct pz_reach *reach,
			       const struct dma_want *want)
{
	if (pz_bounce_ever(dev, DMA_STREAMING, reach, want))
		return 0;
	return dev->cfg.restricted ? -PZ_ERANGE : pz_dma_ever(dev->dma, reach, want);
}

/* Whether a coherent buffer could: @way says what has to be done to memory. */
static int device_buffers_ever(const struct pz_dma_dev *dev, const struct pz_reach *reach,
			       uint32_t way, const struct dma_want *want)
{
	struct pz_range all = { 0, PZ_ADDR_MAX };
	bool ever;

	if (dev->own)
		ever = pz_dma_region_ever(dev->own, dev->dma, reach, want);
	else if (dev->cfg.restricted)
		ever = pz_bounce_ever(dev, DMA_COHERENT, reach, want);
	else
		ever = !(way & DMA_WAY_NEVER) &&
		       !pz_dma_ever_in(dev->dma, reach, want,
				       pz_dma_maps(dev->dma, way) ? all : pz_dma_mapped(dev->dma));
	return ever ? 0 : -PZ_ERANGE;
}

/* Whether memory could ever be had in what a plan was asked for: 0, -PZ_ERANGE. */
static int device_plan_ever(const struct pz_dma_dev *dev, const struct device_plan *plan)
{
	const struct pz_reach *reach = plan->reach;
	struct dma_want want;
	int rc = 0;

	pz_dma_want(dev, 1, &want);
	if (plan->asked[DMA_STREAMING])
		rc = device_streams_ever(dev, &reach[DMA_STREAMING], &want);
	if (!rc && plan->asked[DMA_COHERENT])
		rc = device_buffers_ever(dev, &reach[DMA_COHERENT], plan->way, &want);
	return rc;
}

static int device_set(struct pz_dma_dev *dev, const uint64_t *streaming, const uint64_t *coherent)
{
	const uint64_t *const masks[DMA_USES] = { streaming, coherent };
	struct device_plan plan;
	uint64_t bytes;
	int rc;

	rc = device_plan_cut(dev, masks, &plan);
	if (rc)
		return rc;
	if ((plan.fresh[DMA_COHERENT] && pz_dma_buffers(dev, &bytes)) ||
	    (plan.fresh[DMA_STREAMING] && pz_bounce_held(dev, false)))
		rc = -PZ_EBUSY;
	if (!rc)
		rc = device_plan_ever(dev, &plan);
	if (!rc)
		rc = device_plan_pool(dev, &plan);
	if (!rc && plan.fresh[DMA_STREAMING]) {
		rc = pz_dma_reserve(dev, &plan.reach[DMA_STREAMING], plan.shared, &plan.reserve);
		plan.reserved = !rc;
	}
	if (rc)
		device_plan_drop(dev, &plan);
	else
		device_put(dev, &plan);
	return rc;
}

int pz_dma_set_mask(struct pz_dma_dev *dev, uint64_t mask)
{
	return device_set(dev, &mask, NULL);
}

int pz_dma_set_coherent_mask(struct pz_dma_dev *dev, uint64_t mask)
{
	return device_set(dev, NULL, &mask);
}

int pz_dma_set_masks(struct pz_dma_dev *dev, uint64_t mask)
{
	return device_set(dev, &mask, &mask);
}

const struct pz_reach *pz_dma_reach(const struct pz_dma_dev *dev, bool coherent)
{
	return &dev->reach[coherent ? DMA_COHERENT : DMA_STREAMING];
}
