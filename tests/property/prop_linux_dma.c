/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_linux_dma.c - Linux's DMA layer on drawn machines with drawn devices, against sections 3 and
 * 5 of docs/facts/dma.md written down once more: which flags are tried in which order, what comes
 * of each try, page by page, which pools are asked, and what a device that refuses any address
 * beyond its reach says of each buffer.
 */
#include <physzone/linux/dma.h>

#include <string.h>

#include "hook.h"
#include "prop.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define PAGE ((uint64_t)4096)
#define DEVS 3u
#define BUFS 64u
#define STEPS 60u

struct dma_live {
	struct pzl_dma_buf buf;
	unsigned int dev;
	bool out, pages; /* from pzl_dma_alloc_pages() */
};

static struct dma_world {
	struct hook hook;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *pages;
	struct pz_bugs bugs;
	struct pzl_dma_config cfg;
	struct pzl_dma d;
	struct pzl_dma_trace trace;
	struct pzl_dma_dev dev[DEVS];
	struct pz_window window[DEVS][2];
	struct dma_live live[BUFS];
	uint64_t total; /* free pages before anything was taken */
} w;

/* Where memory may lie: in each zone, beside the ends of zones and of masks. */
static const uint64_t dma_at[] = { MIB,		  14 * MIB,	     16 * MIB, 100 * MIB,
				   GIB - 2 * MIB, 2 * GIB - 2 * MIB, 3 * GIB,  4 * GIB - 4 * MIB,
				   4 * GIB,	  8 * GIB - 2 * MIB };
#define AT (sizeof(dma_at) / sizeof(dma_at[0]))

static bool dma_memory(struct prop *p)
{
	bool any = false;

	for (size_t i = 0; i < AT; i++) {
		uint64_t pages = prop_choice(p, 2) ? prop_between(p, 16, 512) : 0;

		/* One at least. */
		if (!pages && !any && i + 1 == AT)
			pages = 256;
		if (pages && pz_memblock_add(&w.mb, dma_at[i], pages * PAGE, 0, 0))
			return false;
		any = any || pages;
	}
	return true;
}

static bool dma_begin(struct prop *p)
{
	struct pz_zone_config zc;
	struct pz_page_config pc;

	memset(&w, 0, sizeof(w));
	memset(&zc, 0, sizeof(zc));
	memset(&pc, 0, sizeof(pc));
	hook_init(&w.hook);
	zc.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	zc.configured |= prop_choice(p, 5) ? 1u << PZ_ZONE_DMA : 0;
	zc.configured |= prop_choice(p, 5) ? 1u << PZ_ZONE_DMA32 : 0;
	zc.page_shift = 12;
	zc.max_order_pages = 1024;
	zc.max_pfn[PZ_ZONE_DMA] = 16 * MIB / PAGE;
	zc.max_pfn[PZ_ZONE_DMA32] = 4 * GIB / PAGE;
	zc.max_pfn[PZ_ZONE_NORMAL] = 9 * GIB / PAGE;
	if (pz_memblock_init(&w.mb, &w.hook.meta, 12) || !dma_memory(p) ||
	    pz_zones_build(&w.z, &w.hook.meta, &w.mb, &zc) ||
	    pz_zones_set_managed(&w.z, &w.mb, UINT64_MAX))
		return false;
	w.bugs.policy = PZ_BUG_IGNORE;
	pc.meta = &w.hook.meta;
	pc.zones = &w.z;
	pc.memblock = &w.mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = 1;
	pc.policy = PZ_POLICY_ZONELIST;
	pc.bugs = &w.bugs;
	if (pz_pages_create(&w.pages, &pc))
		return false;
	w.total = pz_page_free_count(w.pages, UINT32_MAX);
	pzl_dma_config_init(&w.cfg, (enum pzl_model)prop_choice(p, PZL_MODELS), PZL_ARCH_ARM64);
	w.cfg.boot.page_shift = 12;
	w.cfg.boot.max_order = 10;
	w.cfg.boot.configured = zc.configured;
	w.cfg.boot.zone_limit = 16 * MIB - 1;
	w.cfg.boot.ram_last = pz_memblock_last(&w.mb);
	w.cfg.boot.managed_dma = pz_zones_any_managed(&w.z, PZ_ZONE_DMA);
	w.cfg.args.coherent_pool = PAGE << prop_choice(p, 5);
	w.cfg.args.coherent_pool_set = true;
	w.cfg.pages = w.pages;
	w.cfg.meta = &w.hook.meta;
	w.cfg.bugs = &w.bugs;
	if (pzl_dma_init(&w.d, &w.cfg))
		return false;
	w.d.trace = &w.trace;
	return true;
}

static void dma_devices(struct prop *p)
{
	for (unsigned int i = 0; i < DEVS; i++) {
		struct pzl_dma_dev *dev = &w.dev[i];

		pz_dma_dev_init(&dev->cfg, "device", 22 + prop_choice(p, 15));
		if (!prop_choice(p, 4))
			dev->cfg.coherent_mask = dma_at[prop_choice(p, AT)] + prop_draw(p, 2 * MIB);
		if (!prop_choice(p, 6))
			dev->cfg.bus_limit = prop_between(p, MIB, 5 * GIB);
		dev->cfg.coherent = prop_choice(p, 2);
		dev->cfg.shared = !prop_choice(p, 5);
		if (prop_choice(p, 4))
			continue;
		for (unsigned int k = 0; k < 2; k++) {
			uint64_t base = prop_draw(p, 2000) * 2 * MIB;

			w.window[i][k].phys.first = base;
			w.window[i][k].phys.last = base + prop_between(p, 1, 1500) * 2 * MIB - 1;
			w.window[i][k].bus = prop_draw(p, 1000) * 2 * MIB;
		}
		dev->cfg.windows = w.window[i];
		dev->cfg.window_count = 1 + prop_choice(p, 2);
	}
}

/* The device: where a physical address is on its bus, and what it may put there. */
static bool device_sees(const struct pzl_dma_dev *dev, uint64_t phys, uint64_t *bus)
{
	*bus = phys;
	for (uint32_t i = 0; i < dev->cfg.window_count; i++) {
		const struct pz_window *v = &dev->cfg.windows[i];

		if (phys < v->phys.first || phys > v->phys.last)
			continue;
		*bus = v->bus + (phys - v->phys.first);
		return true;
	}
	return !dev->cfg.window_count;
}

static uint64_t device_last(const struct pzl_dma_dev *dev)
{
	uint64_t bus = dev->cfg.bus_limit;

	return bus && bus < dev->cfg.coherent_mask ? bus : dev->cfg.coherent_mask;
}

static bool device_takes(const struct pzl_dma_dev *dev, uint64_t phys, uint64_t bytes)
{
	uint64_t bus;

	return device_sees(dev, phys, &bus) && bus + bytes - 1 <= device_last(dev);
}

/* The highest physical address that the limit stands for; all ones when it is in no window. */
static uint64_t device_phys_limit(const struct pzl_dma_dev *dev)
{
	uint64_t limit = device_last(dev);

	for (uint32_t i = 0; i < dev->cfg.window_count; i++) {
		const struct pz_window *v = &dev->cfg.windows[i];

		if (limit >= v->bus && limit <= v->bus + (v->phys.last - v->phys.first))
			return limit - v->bus + v->phys.first;
	}
	return dev->cfg.window_count ? UINT64_MAX : limit;
}

static bool has_zone(enum pz_zone_type t)
{
	return w.cfg.boot.configured >> t & 1;
}

/* The zone bits of the try after one that came out too high; false when there is none. */
static bool next_try(const struct pzl_dma_dev *dev, uint32_t *bits)
{
	if (has_zone(PZ_ZONE_DMA32) && device_phys_limit(dev) < UINT64_MAX && !*bits)
		*bits = PZL_GFP_DMA32;
	else if (has_zone(PZ_ZONE_DMA) && !(*bits & PZL_GFP_DMA))
		*bits = PZL_GFP_DMA;
	else
		return false;
	return true;
}

static uint32_t first_try(const struct pzl_dma_dev *dev)
{
	uint64_t limit = device_phys_limit(dev);

	return limit <= 16 * MIB - 1 ? PZL_GFP_DMA : limit <= UINT32_MAX ? PZL_GFP_DMA32 : 0;
}

/* The first address beyond what zone bits stand for. */
static uint64_t bits_end(uint32_t bits)
{
	if ((bits & PZL_GFP_DMA) && has_zone(PZ_ZONE_DMA))
		return 16 * MIB;
	if ((bits & PZL_GFP_DMA32) && has_zone(PZ_ZONE_DMA32))
		return 4 * GIB;
	return UINT64_MAX;
}

/*
 * Whether a free block of an order lies below an address, page by page. What is set aside for
 * atomic requests does not count: it may be refused.
 */
static bool block_below(uint64_t end, unsigned int order)
{
	for (uint32_t i = 0; i < w.mb.memory.count; i++) {
		struct pz_range r = w.mb.memory.v[i].range;
		uint64_t run = 0;

		for (uint64_t a = r.first; a < r.last && a < end; a += PAGE) {
			struct pz_page_info info;

			pz_page_info(w.pages, a / PAGE, &info);
			if (!(a / PAGE & (((uint64_t)1 << order) - 1)))
				run = 0;
			run = info.state == PZ_PAGE_FREE && info.mobility != PZ_HIGHATOMIC ? run + 1
											   : 0;
			if (run == (uint64_t)1 << order &&
			    !((a / PAGE + 1) & (((uint64_t)1 << order) - 1)))
				return true;
		}
	}
	return false;
}

static unsigned int order_of(uint64_t bytes)
{
	unsigned int order = 0;

	while (PAGE << order < bytes)
		order++;
	return order;
}

/* The steps of an allocation out of pages, and their end. */
static bool agrees_pages(struct prop *p, const struct pzl_dma_dev *dev, uint64_t bytes, bool served)
{
	uint32_t bits = first_try(dev);
	unsigned int order = order_of(bytes);

	PROP_ASSERT(p, w.trace.n >= 1 && w.trace.n <= 3);
	for (uint32_t i = 0; i < w.trace.n; i++) {
		const struct pzl_dma_step *s = &w.trace.step[i];
		bool last = i + 1 == w.trace.n;

		PROP_ASSERT(p, s->from == PZ_DMA_FROM_PAGES);
		PROP_ASSERT(p, (s->gfp & (PZL_GFP_DMA | PZL_GFP_DMA32 | PZL_GFP_HIGHMEM)) == bits);
		if (s->came == PZL_DMA_NOTHING) {
			/* As it was then: what was served before has been given back. */
			PROP_ASSERT(p, last && !served);
			PROP_ASSERT(p, order > 10 || !block_below(bits_end(bits), order));
			return true;
		}
		PROP_ASSERT(p, s->phys < bits_end(bits));
		PROP_ASSERT(p, (s->came == PZL_DMA_TAKEN) == device_takes(dev, s->phys, bytes));
		if (s->came == PZL_DMA_TAKEN) {
			PROP_ASSERT(p, last && served);
			return true;
		}
		if (!next_try(dev, &bits)) {
			PROP_ASSERT(p, last && !served);
			return true;
		}
		PROP_ASSERT(p, !last);
	}
	return true;
}

/* The pools that are asked, from the one that zone bits name. */
static bool agrees_pools(struct prop *p, const struct pzl_dma_dev *dev, uint64_t bytes, bool served)
{
	enum pzl_dma_pool order[PZL_DMA_POOLS];
	uint32_t bits = first_try(dev), n = 0;

	if ((bits & PZL_GFP_DMA32) && has_zone(PZ_ZONE_DMA32)) {
		/* It, though it may not exist: then there is none. */
		if (w.d.pool[PZL_DMA_POOL_DMA32])
			order[n++] = PZL_DMA_POOL_DMA32;
	} else if (!((bits & PZL_GFP_DMA) && w.d.pool[PZL_DMA_POOL_DMA])) {
		if (w.d.pool[PZL_DMA_POOL_KERNEL])
			order[n++] = PZL_DMA_POOL_KERNEL;
		if (n && w.d.pool[PZL_DMA_POOL_DMA32])
			order[n++] = PZL_DMA_POOL_DMA32;
	} else {
		order[n++] = PZL_DMA_POOL_DMA;
	}
	if (n && order[n - 1] != PZL_DMA_POOL_DMA && w.d.pool[PZL_DMA_POOL_DMA])
		order[n++] = PZL_DMA_POOL_DMA;
	PROP_ASSERT(p, w.trace.n <= n && (w.trace.n == n || served));
	for (uint32_t i = 0; i < w.trace.n; i++) {
		const struct pzl_dma_step *s = &w.trace.step[i];

		PROP_ASSERT(p, s->from == PZ_DMA_FROM_ATOMIC && s->pool == order[i]);
		PROP_ASSERT(p, (s->came == PZL_DMA_TAKEN) == (served && i + 1 == w.trace.n));
		PROP_ASSERT(p, s->came == PZL_DMA_NOTHING ||
				       (s->came == PZL_DMA_TAKEN) ==
					       device_takes(dev, s->phys, bytes));
	}
	return true;
}

static bool do_alloc(struct prop *p, unsigned int at)
{
	struct dma_live *l = &w.live[at];
	uint32_t gfp = prop_choice(p, 3) ? PZL_GFP_KERNEL : pzl_gfp_atomic(w.cfg.boot.model);
	uint64_t size = prop_choice(p, 3) ? prop_between(p, 1, 64) * 1024 : PAGE;
	uint64_t bytes = (size + PAGE - 1) / PAGE * PAGE, bus;
	struct pzl_dma_dev *dev;
	bool block = gfp == PZL_GFP_KERNEL, pool, served;
	int rc;

	l->dev = prop_choice(p, DEVS);
	l->pages = !prop_choice(p, 4);
	dev = &w.dev[l->dev];
	if (!l->pages && prop_choice(p, 2))
		gfp |= PZL_GFP_DMA; /* dropped */
	rc = l->pages ? pzl_dma_alloc_pages(&w.d, dev, size, gfp, &l->buf)
		      : pzl_dma_alloc(&w.d, dev, size, gfp, 0, &l->buf);
	served = l->out = !rc;
	PROP_ASSERT(p, rc == 0 || rc == -PZ_ENOMEM);
	pool = !block && (dev->cfg.shared || (!dev->cfg.coherent && !l->pages));
	if (!(pool ? agrees_pools(p, dev, bytes, served) : agrees_pages(p, dev, bytes, served)))
		return false;
	if (rc)
		return true;
	PROP_ASSERT(p, device_sees(dev, l->buf.phys, &bus) && bus == l->buf.bus);
	PROP_ASSERT(p, l->buf.bus + size - 1 <= device_last(dev));
	for (unsigned int i = 0; i < BUFS; i++) {
		const struct pzl_dma_buf *o = &w.live[i].buf;

		PROP_ASSERT(p, i == at || !w.live[i].out || l->buf.phys + bytes <= o->phys ||
				       o->phys + o->size <= l->buf.phys);
	}
	return true;
}

static void do_free(unsigned int at)
{
	struct dma_live *l = &w.live[at];

	if (l->pages)
		pzl_dma_free_pages(&w.d, &w.dev[l->dev], &l->buf);
	else
		pzl_dma_free(&w.d, &w.dev[l->dev], &l->buf, false);
	l->out = false;
}

static bool dma_end(struct prop *p)
{
	uint64_t held = 0;
	/* Linux does not find its way back to a pool when the kernel's is missing. */
	bool lost = w.d.pool[PZL_DMA_POOL_KERNEL] == NULL;

	for (unsigned int i = 0; i < BUFS; i++)
		if (w.live[i].out)
			do_free(i);
	for (unsigned int i = 0; i < PZL_DMA_POOLS; i++)
		held += pzl_dma_pool_size(&w.d, (enum pzl_dma_pool)i) / PAGE;
	PROP_ASSERT(p, pz_pages_check(w.pages) == 0);
	PROP_ASSERT(p, pz_page_free_count(w.pages, UINT32_MAX) + held == w.total);
	PROP_ASSERT(p, lost || w.bugs.count == 0);
	pzl_dma_destroy(&w.d);
	PROP_ASSERT(p, lost || pz_page_free_count(w.pages, UINT32_MAX) == w.total);
	pz_pages_destroy(w.pages);
	pz_zones_destroy(&w.z);
	pz_memblock_destroy(&w.mb);
	PROP_ASSERT(p, lost || w.hook.live == 0);
	return true;
}

static bool random_devices(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, dma_begin(p));
	dma_devices(p);
	for (unsigned int i = 0, n = (unsigned int)prop_draw(p, STEPS); i < n; i++) {
		unsigned int at = prop_choice(p, BUFS);

		if (w.live[at].out)
			do_free(at);
		else if (!do_alloc(p, at))
			return false;
		if (w.d.work && prop_choice(p, 3) == 1)
			pzl_dma_work(&w.d);
	}
	return dma_end(p);
}

int main(void)
{
	prop_run("devices get what the rules say, and only what they reach", random_devices, NULL,
		 1500);
	return prop_done();
}
