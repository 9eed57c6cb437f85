/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma.c - coherent buffers of random devices on a machine whose every page an oracle tries:
 * what is given lies where the device itself can drive it, nothing that could have been given is
 * refused, and "never" is said when no page could serve even if all were free.
 */
#include <physzone/dma.h>

#include "hook.h"
#include "prop.h"

#define PAGE ((uint64_t)4096)
#define LOW ((uint64_t)16 << 20) /* the first piece of memory, directly mapped */
#define HIGH ((uint64_t)4 << 30) /* the second one, which is not */
#define LOW_PAGES 96u
#define HIGH_PAGES 32u
#define PAGES (LOW_PAGES + HIGH_PAGES)
#define DEVICES 3u
#define BUFFERS 24u
#define STEPS 60u

struct device {
	struct pz_dma_dev *dev;
	struct pz_dma_dev_config cfg;
	struct pz_window window[3];
	struct pz_range hole[2];
};

struct buffer {
	struct pz_dma_buf buf;
	unsigned int device;
	bool out;
};

struct world {
	struct hook hook;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_bugs bugs;
	struct pz_pages *pages;
	struct pz_dma *dma;
	struct device device[DEVICES];
	struct buffer buffer[BUFFERS];
	uint64_t filler[PAGES];
	uint32_t fillers;
	bool remap;    /* there is a hook that maps anew */
	bool blocking; /* it may be called */
	uint32_t maps, bad;
	unsigned char *memory;
};

static uint64_t page_addr(uint32_t i)
{
	return i < LOW_PAGES ? LOW + i * PAGE : HIGH + (i - LOW_PAGES) * PAGE;
}

static unsigned char *world_at(struct world *w, uint64_t phys)
{
	return phys < HIGH ? w->memory + (phys - LOW)
			   : w->memory + LOW_PAGES * PAGE + (phys - HIGH);
}

static void *world_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)bytes;
	return phys < HIGH ? world_at(ctx, phys) : NULL;
}

static void *world_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	struct world *w = ctx;

	(void)bytes;
	(void)attrs;
	(void)cached;
	w->bad += !w->blocking;
	w->maps++;
	return world_at(w, phys);
}

static void world_unmap(void *ctx, void *p, uint64_t bytes)
{
	struct world *w = ctx;

	(void)p;
	(void)bytes;
	w->maps--;
}

static bool world_pages(struct world *w)
{
	struct pz_zone_config zones = { 0 };
	struct pz_page_config pages = { 0 };

	zones.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	zones.page_shift = 12;
	zones.max_order_pages = 1024;
	zones.max_pfn[PZ_ZONE_NORMAL] = (HIGH + HIGH_PAGES * PAGE) >> 12;
	pages.meta = &w->hook.meta;
	pages.zones = &w->zones;
	pages.memblock = &w->mb;
	pages.max_pfn = UINT64_MAX;
	pages.cpus = 2;
	pages.keep_pages = UINT64_MAX;
	pages.bugs = &w->bugs;
	return !pz_memblock_init(&w->mb, &w->hook.meta, 12) &&
	       !pz_memblock_add(&w->mb, LOW, LOW_PAGES * PAGE, 0, 0) &&
	       !pz_memblock_add(&w->mb, HIGH, HIGH_PAGES * PAGE, 0, 0) &&
	       !pz_zones_build(&w->zones, &w->hook.meta, &w->mb, &zones) &&
	       !pz_zones_set_managed(&w->zones, &w->mb, UINT64_MAX) &&
	       !pz_pages_create(&w->pages, &pages);
}

static bool world_open(struct prop *p, struct world *w)
{
	struct pz_dma_config cfg = { 0 };

	memset(w, 0, sizeof(*w));
	w->hook.meta.alloc = hook_alloc;
	w->hook.meta.free = hook_free;
	w->hook.meta.ctx = &w->hook;
	w->bugs.policy = PZ_BUG_IGNORE;
	w->memory = malloc(PAGES * PAGE);
	if (!w->memory || !world_pages(w))
		return false;
	memset(w->memory, 0xa5, PAGES * PAGE);
	w->remap = prop_choice(p, 2);
	cfg.pages = w->pages;
	cfg.meta = &w->hook.meta;
	cfg.bugs = &w->bugs;
	cfg.cpus = 2;
	cfg.direct.first = LOW;
	cfg.direct.last = LOW + LOW_PAGES * PAGE - 1;
	cfg.cma = PZ_DMA_NO_CMA;
	cfg.pool_bytes = 2 * PAGE;
	cfg.hold = prop_choice(p, 2);
	cfg.hooks.direct = world_direct;
	if (w->remap) {
		cfg.hooks.remap = world_remap;
		cfg.hooks.unmap = world_unmap;
	}
	cfg.hooks.ctx = w;
	w->blocking = true;
	return !pz_dma_create(&w->dma, &cfg);
}

/* Near one of the places where something changes. */
static uint64_t near(struct prop *p)
{
	static const uint64_t edge[] = { LOW, LOW + LOW_PAGES * PAGE / 2, LOW + LOW_PAGES * PAGE,
					 HIGH, HIGH + HIGH_PAGES * PAGE };

	return edge[prop_choice(p, 5)] + prop_draw(p, 40 * PAGE) - 20 * PAGE;
}

static void device_draw(struct prop *p, struct device *d)
{
	struct pz_dma_dev_config *c = &d->cfg;

	pz_dma_dev_init(c, "random", 64);
	c->windows = d->window;
	c->holes = d->hole;
	c->window_count = (uint32_t)prop_draw(p, 3);
	c->hole_count = (uint32_t)prop_draw(p, 2);
	for (uint32_t i = 0; i < c->window_count; i++) {
		struct pz_window *w = &d->window[i];
		uint64_t offset =
			prop_choice(p, 2) ? prop_draw(p, 64) * PAGE : prop_draw(p, 8) << 20;

		w->phys.first = near(p);
		w->phys.last = w->phys.first + prop_draw(p, LOW_PAGES * PAGE);
		w->bus = w->phys.first + offset - (prop_choice(p, 2) ? (uint64_t)8 << 20 : 0);
	}
	for (uint32_t i = 0; i < c->hole_count; i++) {
		d->hole[i].first = near(p);
		d->hole[i].last = d->hole[i].first + prop_draw(p, 8 * PAGE);
	}
	c->mask = c->coherent_mask = prop_choice(p, 3) ? near(p) : UINT64_MAX;
	if (!prop_choice(p, 4))
		c->bus_limit = near(p);
	c->align = prop_choice(p, 3) ? 1 : (uint64_t)1 << prop_draw(p, 17);
	c->boundary = prop_choice(p, 3) ? 0 : PAGE << prop_draw(p, 6);
	c->coherent = prop_choice(p, 4);
	c->atomic = !prop_choice(p, 4);
}

/* The bus address of a byte, as the device is wired; UINT64_MAX when it cannot drive it. */
static uint64_t device_bus(const struct device *d, uint64_t phys, int *window)
{
	const struct pz_dma_dev_config *c = &d->cfg;
	uint64_t bus = phys;

	*window = -1;
	for (uint32_t i = 0; i < c->hole_count; i++) {
		if (phys >= d->hole[i].first && phys <= d->hole[i].last)
			return UINT64_MAX;
	}
	for (uint32_t i = 0; c->window_count && *window < 0; i++) {
		if (i == c->window_count)
			return UINT64_MAX;
		if (phys < d->window[i].phys.first || phys > d->window[i].phys.last)
			continue;
		bus = d->window[i].bus + (phys - d->window[i].phys.first);
		*window = (int)i;
	}
	if (bus > c->coherent_mask || (c->bus_limit && bus > c->bus_limit))
		return UINT64_MAX;
	return bus;
}

/* Whether a buffer of some pages may begin at a page, as far as the device goes. */
static bool device_takes(const struct device *d, uint32_t at, uint32_t n)
{
	uint64_t phys = page_addr(at), block = PAGE, start, bytes = n * PAGE;
	int window;

	if (at + n > PAGES || (at < LOW_PAGES && at + n > LOW_PAGES))
		return false;
	while (block < bytes)
		block *= 2;
	if (block < d->cfg.align)
		block = d->cfg.align;
	start = device_bus(d, phys, &window);
	if (start == UINT64_MAX || start % block)
		return false;
	if (d->cfg.boundary && start / d->cfg.boundary != (start + bytes - 1) / d->cfg.boundary)
		return false;
	/* All of it, through one piece of bus: each end of each hole is within a page. */
	for (uint64_t k = 0; k < bytes; k += 512) {
		if (device_bus(d, phys + k, &window) != start + k ||
		    device_bus(d, phys + k + 511, &window) != start + k + 511)
			return false;
	}
	for (uint32_t i = 0; i < d->cfg.hole_count; i++) {
		if (d->hole[i].first <= phys + bytes - 1 && d->hole[i].last >= phys)
			return false;
	}
	return true;
}

static bool page_is_free(const struct world *w, uint32_t at)
{
	struct pz_page_info info;

	pz_page_info(w->pages, page_addr(at) >> 12, &info);
	return info.state == PZ_PAGE_FREE;
}

/* What the oracle says of a request: whether there is a place now, and whether there ever could. */
static void oracle_ask(const struct world *w, const struct device *d, uint32_t n, bool high,
		       bool *now, bool *ever)
{
	*now = *ever = false;
	for (uint32_t at = 0; at < PAGES; at++) {
		bool free = true;

		if ((at >= LOW_PAGES && !high) || !device_takes(d, at, n))
			continue;
		*ever = true;
		for (uint32_t k = 0; k < n; k++)
			free = free && page_is_free(w, at + k);
		*now = *now || free;
	}
}

static bool step_alloc(struct prop *p, struct world *w)
{
	struct buffer *b = &w->buffer[prop_draw(p, BUFFERS - 1)];
	unsigned int i = prop_choice(p, DEVICES);
	struct device *d = &w->device[i];
	uint32_t n = (uint32_t)prop_between(p, 1, prop_choice(p, 4) ? 4 : 40), cpu;
	uint64_t size = prop_choice(p, 2) ? n * PAGE : (n - 1) * PAGE + prop_between(p, 1, PAGE);
	uint32_t attrs = prop_choice(p, 6) ? 0 : PZ_DMA_NO_KERNEL_MAPPING;
	bool now, ever, high, pool, block = prop_choice(p, 2);
	int rc;

	cpu = prop_choice(p, 3) ? prop_choice(p, 2) : PZ_CPU_NONE;
	if (b->out || !d->dev)
		return true;
	b->device = i;
	/* High memory is for those whose buffers may be mapped anew, or not at all. */
	high = attrs || (w->remap && block);
	pool = !block && !attrs && !d->cfg.coherent;
	pz_dma_drain(d->dev, 0);
	pz_dma_drain(d->dev, 1);
	oracle_ask(w, d, n, high, &now, &ever);
	w->blocking = block;
	rc = pz_dma_alloc(d->dev, cpu, block ? PZ_GFP_BLOCK | PZ_GFP_NORETRY : 0, attrs, size,
			  &b->buf);
	w->blocking = true;
	prop_note(p, "device %u: %llu bytes, attrs %#x, block %d: %d (now %d, ever %d)", b->device,
		  (unsigned long long)size, attrs, block, rc, now, ever);
	PROP_ASSERT(p, !w->bad);
	if (!d->cfg.coherent && !w->remap) {
		PROP_ASSERT(p, rc == -PZ_ERANGE);
		return true;
	}
	if (!rc) {
		uint64_t at = b->buf.phys < HIGH ? (b->buf.phys - LOW) / PAGE
						 : LOW_PAGES + (b->buf.phys - HIGH) / PAGE;
		int window;

		b->out = true;
		PROP_ASSERT(p, b->buf.phys % PAGE == 0 && device_takes(d, (uint32_t)at, n));
		PROP_ASSERT(p, b->buf.bus == device_bus(d, b->buf.phys, &window));
		PROP_ASSERT(p, (b->buf.cpu_addr == NULL) == (attrs != 0));
		PROP_ASSERT(p, attrs || b->buf.cpu_addr == world_at(w, b->buf.phys));
		for (uint64_t k = 0; !attrs && k < n * PAGE; k += 61)
			PROP_ASSERT(p, !((unsigned char *)b->buf.cpu_addr)[k]);
		memset(world_at(w, b->buf.phys), 0xee, n * PAGE);
		return true;
	}
	/* A pool may be in the way, or of help; what it says is checked by what it gives. */
	if (pool)
		return true;
	PROP_ASSERT(p, !now);
	PROP_ASSERT(p, rc == (ever ? -PZ_ENOMEM : -PZ_ERANGE));
	return true;
}

static bool step_free(struct prop *p, struct world *w)
{
	struct buffer *b = &w->buffer[prop_draw(p, BUFFERS - 1)];
	uint64_t told = w->bugs.count;

	if (!b->out)
		return true;
	pz_dma_free(w->device[b->device].dev, prop_choice(p, 2), &b->buf);
	PROP_ASSERT(p, w->bugs.count == told);
	b->out = false;
	if (prop_choice(p, 4))
		return true;
	/* Once more: told, and nothing happens. */
	pz_dma_free(w->device[b->device].dev, prop_choice(p, 2), &b->buf);
	PROP_ASSERT(p, w->bugs.count == told + 1);
	return true;
}

/* Others take pages, and give them back. */
static bool step_fill(struct prop *p, struct world *w)
{
	uint64_t n = prop_draw(p, 30);

	if (prop_choice(p, 2)) {
		while (n-- && w->fillers < PAGES &&
		       !pz_alloc_pages(w->pages, 0, 0, 0, NULL, &w->filler[w->fillers]))
			w->fillers++;
		return true;
	}
	while (n-- && w->fillers) {
		uint32_t i = (uint32_t)prop_draw(p, w->fillers - 1);

		pz_free_pages(w->pages, 0, w->filler[i], 0);
		w->filler[i] = w->filler[--w->fillers];
	}
	return true;
}

static bool step_mask(struct prop *p, struct world *w)
{
	unsigned int i = prop_choice(p, DEVICES);
	struct device *d = &w->device[i];
	struct device probe = *d;
	uint64_t mask = near(p);
	bool now, ever, out = false;
	int rc;

	if (!d->dev)
		return true;
	for (unsigned int k = 0; k < BUFFERS; k++)
		out = out || (w->buffer[k].out && w->buffer[k].device == i);
	probe.cfg.coherent_mask = mask;
	/* A page that lies in its reach, however it would have to be aligned there. */
	oracle_ask(w, &probe, 1, w->remap, &now, &ever);
	rc = pz_dma_set_coherent_mask(d->dev, mask);
	prop_note(p, "device %u: mask %#llx: %d", i, (unsigned long long)mask, rc);
	if (out) {
		PROP_ASSERT(p, rc == -PZ_EBUSY);
		return true;
	}
	PROP_ASSERT(p, rc == (ever && (d->cfg.coherent || w->remap) ? 0 : -PZ_ERANGE));
	if (!rc)
		d->cfg.coherent_mask = mask;
	return true;
}

static bool world_steps(struct prop *p, struct world *w)
{
	static bool (*const step[])(struct prop * p, struct world * w) = {
		step_alloc, step_alloc, step_alloc, step_free, step_free, step_fill, step_mask,
	};

	for (unsigned int i = 0; i < DEVICES; i++) {
		struct device *d = &w->device[i];
		int rc;

		device_draw(p, d);
		rc = pz_dma_dev_create(&d->dev, w->dma, &d->cfg);
		PROP_ASSERT(p, !rc || rc == -PZ_EEXIST || rc == -PZ_EOVERFLOW);
		if (rc)
			d->dev = NULL;
	}
	for (uint64_t n = prop_draw(p, STEPS); n; n--) {
		if (!step[prop_choice(p, 7)](p, w))
			return false;
		if (!prop_choice(p, 12))
			(void)pz_dma_work(w->dma, 0);
		PROP_ASSERT(p, pz_dma_check(w->dma) == 0);
	}
	for (unsigned int i = 0; i < BUFFERS; i++) {
		if (w->buffer[i].out)
			pz_dma_free(w->device[w->buffer[i].device].dev, 0, &w->buffer[i].buf);
	}
	for (unsigned int i = 0; i < DEVICES; i++)
		PROP_ASSERT(p, pz_dma_dev_destroy(w->device[i].dev) == 0);
	while (w->fillers)
		pz_free_pages(w->pages, 0, w->filler[--w->fillers], 0);
	PROP_ASSERT(p, pz_page_free_count(w->pages, UINT32_MAX) == PAGES && !w->maps && !w->bad);
	PROP_ASSERT(p, pz_pages_check(w->pages) == 0);
	return true;
}

static bool world(struct prop *p, void *ctx)
{
	struct world *w = ctx;
	bool ok = world_open(p, w) && world_steps(p, w);

	/* What a failure left behind is left behind. */
	if (ok) {
		ok = pz_dma_destroy(w->dma) == 0;
		pz_pages_destroy(w->pages);
		pz_zones_destroy(&w->zones);
		pz_memblock_destroy(&w->mb);
		ok = ok && !w->hook.live && !w->hook.bad_free;
	}
	free(w->memory);
	return ok;
}

int main(void)
{
	static struct world w;

	prop_run("sound and complete for any device", world, &w, 4000);
	return prop_done();
}
