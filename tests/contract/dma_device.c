/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_device.c - a small machine with memory behind it, and devices that read and write it by bus
 * address.
 */
#include "dma_device.h"

static void dv_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static void dv_copy(unsigned char *to, const unsigned char *from, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		to[i] = from[i];
}

/* Which part has all of a piece of memory, or -1. */
static int dv_part(uint64_t phys, uint64_t bytes)
{
	static const uint64_t at[2] = { DM_LOW, DM_HIGH };

	for (int i = 0; i < 2; i++)
		if (phys >= at[i] && bytes <= DM_PART && phys - at[i] <= DM_PART - bytes)
			return i;
	return -1;
}

static uint64_t dv_offset(uint64_t phys)
{
	return phys & (DM_PART - 1);
}

unsigned char *dv_cpu(struct device_machine *m, uint64_t phys, uint64_t bytes)
{
	int i = dv_part(phys, bytes);

	return i < 0 ? NULL : m->cpu[i] + dv_offset(phys);
}

void dv_fill(struct device_machine *m, uint64_t phys, uint64_t bytes, unsigned char seed)
{
	unsigned char *p = dv_cpu(m, phys, bytes);

	for (uint64_t i = 0; i < bytes; i++)
		p[i] = (unsigned char)((seed + i) * 7);
}

bool dv_holds(struct device_machine *m, uint64_t phys, uint64_t bytes, unsigned char seed)
{
	const unsigned char *p = dv_cpu(m, phys, bytes);

	for (uint64_t i = 0; i < bytes; i++)
		if (p[i] != (unsigned char)((seed + i) * 7))
			return false;
	return true;
}

/* --- what the machine does for the layer --- */

static void *dv_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct device_machine *m = ctx;

	if (m->unmapped && phys >= DM_HIGH)
		return NULL;
	return dv_cpu(m, phys, bytes);
}

static void *dv_window(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct device_machine *m = ctx;
	void *p = (phys & 0xfff) + bytes > 0x1000 ? NULL : dv_cpu(m, phys, bytes);

	if (p) {
		m->windows++;
		m->window_calls++;
	}
	return p;
}

static void dv_unwindow(void *ctx, void *p, uint64_t bytes)
{
	struct device_machine *m = ctx;

	(void)p;
	(void)bytes;
	m->windows--;
}

static int dv_share(void *ctx, uint64_t phys, uint64_t bytes, bool shared)
{
	struct device_machine *m = ctx;
	int i = dv_part(phys, bytes);
	size_t first;

	if (m->share_fails)
		return m->share_says;
	if (i < 0)
		return -PZ_EINVAL;
	first = ((size_t)i * DM_PART + dv_offset(phys)) >> 12;
	for (size_t k = 0; k < bytes >> 12; k++)
		m->private[first + k] = !shared;
	return 0;
}

static void dv_for_device(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct device_machine *m = ctx;
	int i = dv_part(phys, bytes);

	(void)dir;
	if (i >= 0)
		dv_copy(m->ram[i] + dv_offset(phys), m->cpu[i] + dv_offset(phys), bytes);
}

static void dv_for_cpu(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct device_machine *m = ctx;
	int i = dv_part(phys, bytes);

	if (i >= 0 && dir != PZ_DMA_TO_DEVICE)
		dv_copy(m->cpu[i] + dv_offset(phys), m->ram[i] + dv_offset(phys), bytes);
}

static uint64_t dv_now(void *ctx)
{
	return ++((struct device_machine *)ctx)->clock;
}

static uint64_t dv_site(void *ctx)
{
	(void)ctx;
	return 0x517e;
}

/* --- the machine --- */

bool dv_lay_out(struct device_machine *m, struct tap *t)
{
	static const struct pz_range aside = { DM_LOW, DM_LOW + DM_ASIDE - 1 };
	struct pm_region part[] = { { DM_LOW, DM_PART, 0, false },
				    { DM_HIGH, DM_PART, 0, false },
				    { DM_LOW, DM_ASIDE, 0, true } };
	struct pz_zone_config zones = pm_pc(DM_HIGH + DM_PART);

	dv_clear(m, sizeof(*m));
	for (unsigned int i = 0; i < 4; i++) {
		m->raw[i] = t->meta->alloc(t->meta->ctx, DM_PART + 4096);
		if (!CHECK_NAMED(t, m->raw[i] != NULL, "there is memory"))
			return false;
		dv_clear(m->raw[i], DM_PART + 4096);
		(i < 2 ? m->cpu : m->ram)[i % 2] =
			(void *)(((uintptr_t)m->raw[i] + 4095) & ~(uintptr_t)4095);
	}
	if (!CHECK_NAMED(t, pm_lay_out(&m->pm, t, part, 3, &zones), "the machine is laid out") ||
	    !pm_make(&m->pm))
		return false;
	m->managed = pm_free(&m->pm);
	m->bc.meta = t->meta;
	m->bc.bugs = &m->pm.bugs;
	m->bc.ranges = &aside;
	m->bc.range_count = 1;
	m->bc.cpus = 1;
	m->bc.pages = m->pm.pages;
	m->bc.reserve_bytes = 64 * PM_KIB;
	m->bc.grow_bytes = UINT64_MAX;
	m->bc.direct_last = DM_HIGH - 1; /* so that tests may write the high part */
	m->bc.hooks.direct = dv_direct;
	m->bc.hooks.window = dv_window;
	m->bc.hooks.unwindow = dv_unwindow;
	m->bc.hooks.share = dv_share;
	m->bc.hooks.for_device = dv_for_device;
	m->bc.hooks.for_cpu = dv_for_cpu;
	m->bc.hooks.now = dv_now;
	m->bc.hooks.site = dv_site;
	m->bc.hooks.ctx = m;
	m->dc.pages = m->pm.pages;
	m->dc.meta = t->meta;
	m->dc.bugs = &m->pm.bugs;
	m->dc.cpus = 1;
	m->dc.cma = PZ_DMA_NO_CMA;
	m->dc.pool_bytes = UINT64_MAX;
	m->dc.hooks = m->bc.hooks;
	return true;
}

bool dv_make(struct device_machine *m)
{
	struct tap *t = m->pm.t;

	if (!CHECK_NAMED(t, pz_bounce_create(&m->bounce, &m->bc) == 0, "bounce buffers are made")) {
		m->bounce = NULL;
		return false;
	}
	m->dc.bounce = m->bounce;
	if (CHECK_NAMED(t, pz_dma_create(&m->dma, &m->dc) == 0, "the layer is made"))
		return true;
	m->dma = NULL;
	return false;
}

void dv_close(struct device_machine *m)
{
	struct tap *t = m->pm.t;

	CHECK_NAMED(t, pz_dma_destroy(m->dma) == 0, "no device is left");
	CHECK_NAMED(t, !m->bounce || pz_bounce_check(m->bounce) == 0, "bounce buffers are sound");
	CHECK_NAMED(t, pz_bounce_destroy(m->bounce) == 0, "no slot is in use");
	CHECK_NAMED(t, pm_free(&m->pm) == m->managed, "every page came back");
	CHECK_NAMED(t, m->windows == 0, "every window is closed");
	pm_close(&m->pm);
	for (unsigned int i = 0; i < 4; i++)
		if (m->raw[i])
			t->meta->free(t->meta->ctx, m->raw[i], DM_PART + 4096);
}

/* --- devices --- */

struct pz_dma_dev *dv_device(struct dma_device *d, struct device_machine *m,
			     const struct pz_dma_dev_config *cfg)
{
	struct pz_dma_dev *dev;

	dv_clear(d, sizeof(*d));
	d->m = m;
	d->last_bus = cfg->mask;
	if (cfg->bus_limit && cfg->bus_limit < d->last_bus)
		d->last_bus = cfg->bus_limit;
	d->windows = cfg->window_count < DM_WINDOWS ? cfg->window_count : DM_WINDOWS;
	for (uint32_t i = 0; i < d->windows; i++) {
		d->window[i].phys = cfg->windows[i].phys.first;
		d->window[i].bytes = cfg->windows[i].phys.last - cfg->windows[i].phys.first + 1;
		d->window[i].bus = cfg->windows[i].bus;
	}
	d->snoops = cfg->coherent;
	d->shared_only = cfg->shared;
	return pz_dma_dev_create(&dev, m->dma, cfg) ? NULL : dev;
}

unsigned char *dv_dev_byte(struct dma_device *d, uint64_t bus)
{
	struct device_machine *m = d->m;
	uint64_t phys = bus & ~(m->dc.private_bit), rest = phys;
	bool found = d->windows == 0;
	int part;

	for (uint32_t i = 0; i < d->windows && !found; i++) {
		found = rest >= d->window[i].bus && rest - d->window[i].bus < d->window[i].bytes;
		if (found)
			phys = rest - d->window[i].bus + d->window[i].phys;
	}
	part = found && bus <= d->last_bus ? dv_part(phys, 1) : -1;
	/* Private memory is read under the bit that says so, shared memory without it. */
	if (part >= 0 && m->dc.private_bit &&
	    m->private[((uint64_t)part * DM_PART + dv_offset(phys)) >> 12] == (rest == bus))
		part = -1;
	if (part < 0) {
		d->refused++;
		return NULL;
	}
	return (d->snoops ? m->cpu : m->ram)[part] + dv_offset(phys);
}

bool dv_dev_fill(struct dma_device *d, uint64_t bus, uint64_t bytes, unsigned char seed)
{
	for (uint64_t i = 0; i < bytes; i++) {
		unsigned char *p = dv_dev_byte(d, bus + i);

		if (!p)
			return false;
		*p = (unsigned char)((seed + i) * 7);
	}
	return true;
}

bool dv_dev_holds(struct dma_device *d, uint64_t bus, uint64_t bytes, unsigned char seed)
{
	for (uint64_t i = 0; i < bytes; i++) {
		const unsigned char *p = dv_dev_byte(d, bus + i);

		if (!p || *p != (unsigned char)((seed + i) * 7))
			return false;
	}
	return true;
}
