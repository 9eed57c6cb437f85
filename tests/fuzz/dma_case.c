/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_case.c - one random life of devices on the DMA layer.
 *
 * The layer and its bounce buffers are made for each case.
 */
#include "dma_case_internal.h"

#include <stdarg.h>
#include <stdlib.h>

struct dma_case_counts dma_case_counts;
struct dma_case w;

uint64_t draw(uint64_t max)
{
	return w.s->draw(w.s->ctx, max);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	case_note(w.s, fmt, ap);
	va_end(ap);
}

static void found(void *ctx, const struct pz_dma_misuse_found *f)
{
	(void)ctx;
	note("found: device %s", pz_dma_misuse_name(f->what));
	w.findings++;
}

static const char *debug_make(void)
{
	struct pz_dma_debug_config cfg;

	w.debug = NULL;
	if (!draw(1))
		return NULL;
	memset(&cfg, 0, sizeof(cfg));
	cfg.meta = &dma_meta;
	cfg.entries = 64;
	cfg.pages = world.pages;
	cfg.found = found;
	MUST(!pz_dma_debug_create(&w.debug, &cfg));
	return NULL;
}

static const char *layer_make(void)
{
	struct pz_bounce_config bc;
	struct pz_dma_config dc;
	unsigned int kind = (unsigned int)draw(4);

	memset(&bc, 0, sizeof(bc));
	memset(&dc, 0, sizeof(dc));
	world.high_unmapped = kind == 3;
	world.encrypted = kind == 4;
	bc.shared = world.encrypted;
	dc.private_bit = world.encrypted ? PRIVATE : 0;
	bc.meta = &dma_meta;
	bc.bugs = &world.bugs;
	bc.cpus = 2;
	bc.ranges = &dma_aside;
	bc.range_count = kind == 2 ? 0 : 1;
	bc.pages = kind == 1 ? NULL : world.pages;
	bc.direct_last = world.high_unmapped ? dma_part[DMA_PARTS - 1] - 1 : 0;
	bc.reserve_bytes = kind == 1 ? UINT64_MAX : 16384;
	bc.grow_bytes = kind == 1 ? UINT64_MAX : 32768;
	bc.hooks = dma_hooks;
	MUST(!pz_bounce_create(&w.bounce, &bc));
	bc.ranges = &dma_aside_own;
	bc.range_count = 1;
	bc.pages = NULL;
	bc.reserve_bytes = bc.grow_bytes = UINT64_MAX;
	MUST(!pz_bounce_create(&w.own, &bc));
	dc.pages = world.pages;
	dc.meta = &dma_meta;
	dc.bugs = &world.bugs;
	dc.cpus = 2;
	dc.cma = draw(1) ? world.cma : PZ_DMA_NO_CMA;
	dc.pool_bytes = draw(1) ? 4 * DMA_PAGE : UINT64_MAX;
	dc.bounce = w.bounce;
	PASS(debug_make());
	dc.debug = w.debug;
	/* Whether the layer knows beforehand what is not mapped. */
	if (world.high_unmapped && draw(1))
		dc.direct.last = dma_part[DMA_PARTS - 1] - 1;
	dc.hooks = dma_hooks;
	MUST(!pz_dma_create(&w.dma, &dc));
	note("machine %u%s%s%s", kind, dc.cma == PZ_DMA_NO_CMA ? "" : ", contiguous area",
	     dc.pool_bytes == UINT64_MAX ? "" : ", pools", w.debug ? ", checks" : "");
	return NULL;
}

/* --- the device's side --- */

/* The memory behind bus addresses, all of them; PZ_ADDR_MAX when the device cannot. */
uint64_t device_sees(const struct case_dev *d, uint64_t bus, uint64_t size, uint64_t mask)
{
	uint64_t last = bus + size - 1, phys = bus;

	if (last < bus || last > mask || (d->cfg.bus_limit && last > d->cfg.bus_limit))
		return PZ_ADDR_MAX;
	for (uint32_t i = 0; i < d->cfg.window_count; i++) {
		uint64_t bytes = d->win[i].phys.last - d->win[i].phys.first + 1;

		phys = PZ_ADDR_MAX;
		if (bus >= d->win[i].bus && bus - d->win[i].bus < bytes &&
		    size <= bytes - (bus - d->win[i].bus)) {
			phys = d->win[i].phys.first + (bus - d->win[i].bus);
			break;
		}
	}
	if (phys == PZ_ADDR_MAX ||
	    (d->cfg.hole_count && phys <= d->hole.last && phys + size - 1 >= d->hole.first))
		return PZ_ADDR_MAX;
	return dma_memory(phys, size) && dma_readable(phys, size) ? phys : PZ_ADDR_MAX;
}

bool device_crosses(const struct case_dev *d, uint64_t bus, uint64_t size)
{
	uint64_t b = d->cfg.boundary;

	return b && bus / b != (bus + size - 1) / b;
}

/* Whether a device can be given memory as it is: the bus address, or PZ_DMA_ERROR. */
static uint64_t device_direct(const struct case_dev *d, uint64_t phys, uint64_t size)
{
	uint64_t bus = phys;

	for (uint32_t i = 0; i < d->cfg.window_count; i++) {
		bus = PZ_DMA_ERROR;
		if (phys >= d->win[i].phys.first && phys <= d->win[i].phys.last) {
			bus = phys - d->win[i].phys.first + d->win[i].bus;
			break;
		}
	}
	if (bus == PZ_DMA_ERROR || d->cfg.force_bounce || d->cfg.restricted || bus % d->cfg.align ||
	    device_crosses(d, bus, size) || device_sees(d, bus, size, d->cfg.mask) != phys)
		return PZ_DMA_ERROR;
	return bus;
}

/* --- devices --- */

static uint64_t draw_mask(void)
{
	static const uint64_t odd[] = { 0xbfffffff, 0xb003ffff, 0xc01ffff, 0x120001fff };
	uint64_t kind = draw(5);

	return kind < 4 ? ((uint64_t)1 << (36 - draw(14))) - 1 : odd[draw(3)];
}

static void draw_windows(struct case_dev *d)
{
	uint64_t bus = draw(15) << 16;

	d->cfg.window_count = draw(2) ? 0 : 1 + (uint32_t)draw(2);
	for (uint32_t i = 0; i < d->cfg.window_count; i++) {
		uint64_t at = dma_part[draw(DMA_PARTS - 1)] + (draw(3) << 16), bytes;

		bytes = (1 + draw(15)) << 16;
		for (uint32_t k = 0; k < i; k++)
			if (at <= d->win[k].phys.last && at + bytes > d->win[k].phys.first)
				bytes = 0;
		if (!bytes) { /* it lies where another one does */
			d->cfg.window_count = i;
			break;
		}
		d->win[i].phys.first = at;
		d->win[i].phys.last = at + bytes - 1;
		d->win[i].bus = bus;
		bus += bytes + ((1 + draw(7)) << 16);
	}
	d->cfg.windows = d->win;
}

static const char *draw_device(struct case_dev *d)
{
	int rc;

	pz_dma_dev_init(&d->cfg, "dev", 32);
	d->cfg.mask = draw_mask();
	d->cfg.coherent_mask = draw(1) ? draw_mask() : d->cfg.mask;
	if (!draw(3))
		d->cfg.bus_limit = draw_mask();
	draw_windows(d);
	if (draw(4) == 4) {
		d->hole.first = dma_part[draw(DMA_PARTS - 1)] + draw(0x5ffff);
		d->hole.last = d->hole.first + draw(0x1ffff);
		d->cfg.holes = &d->hole;
		d->cfg.hole_count = 1;
	}
	if (draw(3) == 3)
		d->cfg.align = (uint64_t)1 << draw(12);
	if (draw(3) == 3)
		d->cfg.boundary = (uint64_t)1 << (9 + draw(11));
	if (draw(3) == 3)
		d->cfg.keep_mask = ((uint64_t)1 << draw(12)) - 1;
	if (draw(3) == 3)
		d->cfg.max_segment = 1 + draw(16383);
	if (draw(3) == 3)
		d->cfg.max_segments = 1 + (uint32_t)draw(4);
	d->cfg.coherent = draw(3) != 3;
	d->cfg.force_bounce = draw(7) == 7;
	if (draw(7) == 7)
		d->cfg.restricted = w.own;
	else if (draw(7) == 7 && !world.encrypted)
		d->cfg.region = &dma_own_region;
	d->cfg.atomic = draw(3) == 3;
	if (draw(3) == 3)
		d->cfg.cma = world.cma;
	note("device %d: mask %#llx coherent %#llx limit %#llx windows %u align %#llx boundary "
	     "%#llx "
	     "keep %#llx%s%s%s%s",
	     (int)(d - w.dev), (unsigned long long)d->cfg.mask,
	     (unsigned long long)d->cfg.coherent_mask, (unsigned long long)d->cfg.bus_limit,
	     d->cfg.window_count, (unsigned long long)d->cfg.align,
	     (unsigned long long)d->cfg.boundary, (unsigned long long)d->cfg.keep_mask,
	     d->cfg.force_bounce ? " forced" : "", d->cfg.restricted ? " restricted" : "",
	     d->cfg.region ? " region" : "", d->cfg.atomic ? " atomic" : "");
	rc = pz_dma_dev_create(&d->dev, w.dma, &d->cfg);
	if (rc)
		d->dev = NULL;
	MUST(rc == 0 || rc == -PZ_EINVAL);
	/* Nothing in the description is malformed, but a boundary below the alignment. */
	MUST(rc == 0 || (d->cfg.boundary && d->cfg.boundary < d->cfg.align) ||
	     (d->cfg.boundary && d->cfg.keep_mask >= d->cfg.boundary));
	return NULL;
}

struct case_dev *pick_device(void)
{
	struct case_dev *d = &w.dev[draw(DEVS - 1)];

	return d->dev ? d : NULL;
}

/* --- memory of drivers --- */

/* Pages with canaries in one of the parts; false when there are none. */
static bool take_pages(uint64_t pages, uint64_t *pfn)
{
	struct pz_page_req req;
	unsigned int part = (unsigned int)draw(DMA_PARTS - 1);

	pz_page_req_init(world.pages, &req, 0, 0, 0);
	req.pages = pages;
	req.limits.align = DMA_PAGE;
	req.limits.min_addr = dma_part[part];
	req.limits.max_addr = dma_part[part] + DMA_PART - 1;
	if (pz_page_request(world.pages, &req, pfn))
		return false;
	memset(dma_memory(*pfn << 12, pages * DMA_PAGE), CANARY, pages * DMA_PAGE);
	return true;
}

static void fill(unsigned char *p, uint64_t size)
{
	unsigned char v = w.seed += 59;

	for (uint64_t i = 0; i < size; i++)
		p[i] = v += 7;
}

/* Whether memory holds one value all over. */
bool all_are(const unsigned char *p, uint64_t n, unsigned char v)
{
	return !n || (*p == v && !memcmp(p, p + 1, n - 1));
}

/* --- streaming mappings --- */

static const char *map_check(const struct case_map *m)
{
	const unsigned char *all = dma_memory(m->pfn << 12, m->pages * DMA_PAGE),
			    *end = all + m->pages * DMA_PAGE;
	const unsigned char *p = dma_memory(m->phys, m->size);

	MUST(!memcmp(p, m->cpu, m->size));
	MUST(!memcmp(dma_memory(m->seen, m->size), m->device, m->size));
	MUST(all_are(all, (uint64_t)(p - all), CANARY));
	MUST(all_are(p + m->size, (uint64_t)(end - p) - m->size, CANARY));
	return NULL;
}

/* Nobody else's memory is where the device writes. */
static const char *map_alone(const struct case_map *m)
{
	for (unsigned int i = 0; i < MAPS; i++) {
		const struct case_map *o = &w.map[i];

		if (!o->live || o == m)
			continue;
		MUST(m->seen + m->size <= o->seen || o->seen + o->size <= m->seen);
		MUST(m->seen + m->size <= o->pfn << 12 || (o->pfn + o->pages) << 12 <= m->seen);
	}
	for (unsigned int i = 0; i < BUFS; i++)
		if (w.buf[i].live)
			MUST(m->seen + m->size <= w.buf[i].buf.phys ||
			     w.buf[i].buf.phys + w.buf[i].buf.size <= m->seen);
	return NULL;
}

/* A size: small, any, or next to a power of two. */
static uint64_t draw_size(void)
{
	switch (draw(2)) {
	case 0:
		return 1 + draw(255);
	case 1:
		return 1 + draw(MOST - 1);
	default:
		return ((uint64_t)1 << (4 + draw(9))) - 1 + draw(2);
	}
}

/* By either of two calls. */
static int map_any(const struct case_dev *d, struct case_map *m)
{
	uint32_t cpu = (uint32_t)draw(1);

	if (draw(1))
		return pz_dma_map_try(d->dev, cpu, m->phys, m->size, m->dir, PZ_DMA_NO_WARN,
				      &m->bus);
	m->bus = pz_dma_map(d->dev, cpu, m->phys, m->size, m->dir, PZ_DMA_NO_WARN);
	return pz_dma_mapping_error(d->dev, m->bus) ? -PZ_ENOMEM : 0;
}

static const char *do_map(void)
{
	struct case_map *m = &w.map[draw(MAPS - 1)];
	struct case_dev *d = pick_device();
	uint64_t off, direct;
	int rc;

	if (m->live || !d)
		return NULL;
	m->d = d;
	m->size = draw_size();
	off = draw(1) ? draw(DMA_PAGE - 1) : 0;
	m->dir = (enum pz_dma_dir)draw(2);
	m->pages = (off + m->size + DMA_PAGE - 1) / DMA_PAGE;
	if (!take_pages(m->pages, &m->pfn))
		return NULL;
	m->phys = (m->pfn << 12) + off;
	fill(m->cpu, m->size);
	memcpy(dma_memory(m->phys, m->size), m->cpu, m->size);
	direct = device_direct(d, m->phys, m->size);
	rc = map_any(d, m);
	note("map dev %d phys %#llx size %llu dir %d: %d, %#llx", (int)(d - w.dev),
	     (unsigned long long)m->phys, (unsigned long long)m->size, (int)m->dir, rc,
	     rc ? 0ull : (unsigned long long)m->bus);
	if (rc) {
		MUST(rc == -PZ_ERANGE || rc == -PZ_ENOMEM);
		MUST(direct == PZ_DMA_ERROR);
		MUST(!memcmp(dma_memory(m->phys, m->size), m->cpu, m->size));
		dma_case_counts.refused++;
		pz_free_exact(world.pages, 0, m->pfn, m->pages);
		return NULL;
	}
	m->live = true;
	d->out++;
	MUST(direct == PZ_DMA_ERROR || m->bus == direct);
	m->seen = device_sees(d, m->bus, m->size, d->cfg.mask);
	MUST(m->seen != PZ_ADDR_MAX);
	MUST(m->bus % d->cfg.align == 0);
	MUST(!device_crosses(d, m->bus, m->size));
	MUST((m->seen == m->phys) == (direct != PZ_DMA_ERROR));
	dma_case_counts.direct += m->seen == m->phys;
	if (m->seen != m->phys) {
		dma_case_counts.bounced++;
		MUST(pz_bounce_has(d->cfg.restricted ? d->cfg.restricted : w.bounce, m->seen));
		MUST(!((m->seen ^ m->phys) & d->cfg.keep_mask & ~(d->cfg.align - 1)));
		MUST(pz_dma_needs_sync(d->dev, m->bus));
	}
	memcpy(m->device, m->cpu, m->size);
	PASS(map_alone(m));
	return map_check(m);
}

static struct case_map *pick_map(void)
{
	struct case_map *m = &w.map[draw(MAPS - 1)];

	return m->live ? m : NULL;
}

static void pick_part(const struct case_map *m, uint64_t *from, uint64_t *size)
{
	*from = draw(m->size - 1);
	*size = 1 + draw(m->size - *from - 1);
}

/* The device writes, if the mapping is for that; what it reads is held against what it should. */
static const char *do_device(void)
{
	struct case_map *m = pick_map();
	uint64_t from, size;

	if (!m || m->dir == PZ_DMA_TO_DEVICE)
		return NULL;
	pick_part(m, &from, &size);
	note("device writes %llu+%llu of %#llx", (unsigned long long)from, (unsigned long long)size,
	     (unsigned long long)m->bus);
	fill(m->device + from, size);
	memcpy(dma_memory(m->seen + from, size), m->device + from, size);
	if (m->seen == m->phys)
		memcpy(m->cpu + from, m->device + from, size);
	return map_check(m);
}

static const char *do_sync(bool for_cpu)
{
	struct case_map *m = pick_map();
	uint64_t from, size;

	if (!m)
		return NULL;
	pick_part(m, &from, &size);
	note("sync %s %llu+%llu of %#llx", for_cpu ? "cpu" : "device", (unsigned long long)from,
	     (unsigned long long)size, (unsigned long long)m->bus);
	if (for_cpu) {
		pz_dma_sync_for_cpu(m->d->dev, m->bus + from, size, m->dir);
		if (m->dir != PZ_DMA_TO_DEVICE)
			memcpy(m->cpu + from, m->device + from, size);
	} else {
		/* the CPU has written before */
		if (m->dir != PZ_DMA_FROM_DEVICE) {
			fill(m->cpu + from, size);
			memcpy(dma_memory(m->phys + from, size), m->cpu + from, size);
			memcpy(m->device + from, m->cpu + from, size);
		}
		pz_dma_sync_for_device(m->d->dev, m->bus + from, size, m->dir);
	}
	return map_check(m);
}

static const char *map_end(struct case_map *m)
{
	bool skip = draw(3) == 3;

	note("unmap %#llx%s", (unsigned long long)m->bus, skip ? " without sync" : "");
	pz_dma_unmap(m->d->dev, 0, m->bus, m->size, m->dir, skip ? PZ_DMA_SKIP_CPU_SYNC : 0);
	if (!skip && m->dir != PZ_DMA_TO_DEVICE)
		memcpy(m->cpu, m->device, m->size);
	m->live = false;
	m->d->out--;
	m->seen = m->phys; /* nobody asks any more what the device saw */
	memcpy(m->device, m->cpu, m->size);
	PASS(map_check(m));
	pz_free_exact(world.pages, 0, m->pfn, m->pages);
	return NULL;
}

/* --- scatter lists --- */

/* What the device is told: elements in order, each as it may be, over the same bytes. */
static const char *sg_check(const struct case_dev *d, const struct pz_sg *sg, uint32_t mapped,
			    const unsigned char *want, uint64_t total, unsigned char *write)
{
	uint64_t at = 0;

	MUST(!d->cfg.max_segments || mapped <= d->cfg.max_segments);
	for (uint32_t i = 0; i < mapped; i++) {
		uint64_t seen = device_sees(d, sg[i].bus, sg[i].bus_len, d->cfg.mask);

		MUST(seen != PZ_ADDR_MAX && sg[i].bus_len && sg[i].bus_len <= total - at);
		MUST(!d->cfg.max_segment || sg[i].bus_len <= d->cfg.max_segment);
		MUST(!device_crosses(d, sg[i].bus, sg[i].bus_len));
		MUST(!memcmp(dma_memory(seen, sg[i].bus_len), want + at, sg[i].bus_len));
		fill(write + at, sg[i].bus_len);
		memcpy(dma_memory(seen, sg[i].bus_len), write + at, sg[i].bus_len);
		at += sg[i].bus_len;
	}
	MUST(at == total);
	return NULL;
}

static const char *do_sg(void)
{
	static unsigned char want[SGS * 2 * DMA_PAGE], write[SGS * 2 * DMA_PAGE];
	struct case_dev *d = pick_device();
	uint32_t n = 1 + (uint32_t)draw(SGS - 1), mapped = 0;
	struct pz_sg sg[SGS];
	uint64_t pfn, total = 0, longest = 0;
	bool rows = draw(1);
	int rc;

	/* in a row, so that elements may become one, or as they come */
	if (!d || !take_pages(n, &pfn))
		return NULL;
	memset(sg, 0, sizeof(sg));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t off = rows ? 0 : draw(DMA_PAGE / 2 - 1);

		sg[i].phys = ((pfn + i) << 12) + off;
		sg[i].len = rows ? DMA_PAGE : 1 + draw(DMA_PAGE / 2 - 1);
		fill(want + total, sg[i].len);
		memcpy(dma_memory(sg[i].phys, sg[i].len), want + total, sg[i].len);
		total += sg[i].len;
		longest = sg[i].len > longest ? sg[i].len : longest;
	}
	rc = pz_dma_map_sg(d->dev, 0, sg, n, PZ_DMA_BIDIRECTIONAL, PZ_DMA_NO_WARN, &mapped);
	note("map_sg dev %d of %u at %#llx: %d, %u", (int)(d - w.dev), n,
	     (unsigned long long)(pfn << 12), rc, mapped);
	MUST(rc == 0 || rc == -PZ_ERANGE || rc == -PZ_ENOMEM || rc == -PZ_EINVAL ||
	     rc == -PZ_ENOSPC);
	if (rc == -PZ_EINVAL) {
		MUST(d->cfg.max_segment && d->cfg.max_segment < DMA_PAGE);
		w.told += w.debug != NULL;
	}
	/* What is longer than the boundary never comes to be mapped, and that is told. */
	if (rc == -PZ_ERANGE && w.debug && d->cfg.boundary && d->cfg.boundary < longest)
		w.told += w.findings == w.told + 1;
	dma_case_counts.lists += rc == 0;
	dma_case_counts.list_fails += rc != 0;
	if (rc == 0) {
		MUST(mapped && mapped <= n);
		PASS(sg_check(d, sg, mapped, want, total, write));
		if (draw(1)) {
			pz_dma_sync_sg_for_cpu(d->dev, sg, n, PZ_DMA_BIDIRECTIONAL);
			pz_dma_sync_sg_for_device(d->dev, sg, n, PZ_DMA_BIDIRECTIONAL);
		}
		pz_dma_unmap_sg(d->dev, 0, sg, n, PZ_DMA_BIDIRECTIONAL, 0);
	}
	total = 0;
	for (uint32_t i = 0; i < n; i++) {
		MUST(!memcmp(dma_memory(sg[i].phys, sg[i].len), (rc ? want : write) + total,
			     sg[i].len));
		total += sg[i].len;
	}
	pz_free_exact(world.pages, 0, pfn, n);
	return NULL;
}

/* --- a case --- */

static const char *do_mask(void)
{
	struct case_dev *d = pick_device();
	uint64_t mask = draw_mask();
	int rc;

	if (d && case_holds(d)) {
		note("set mask of dev %d, in use", (int)(d - w.dev));
		MUST(pz_dma_set_masks(d->dev, mask) == -PZ_EBUSY);
		return NULL;
	}
	if (!d || d->out)
		return NULL;
	rc = pz_dma_set_masks(d->dev, mask);
	note("set mask %#llx of dev %d: %d", (unsigned long long)mask, (int)(d - w.dev), rc);
	MUST(rc == 0 || rc == -PZ_ERANGE || rc == -PZ_ENOMEM);
	if (!rc)
		d->cfg.mask = d->cfg.coherent_mask = mask;
	return NULL;
}

/* A device that has something out stays. */
static const char *do_destroy(void)
{
	struct case_dev *d = pick_device();

	if (!d || !(case_holds(d) || (w.debug && case_maps(d))))
		return NULL;
	note("destroy dev %d, in use", (int)(d - w.dev));
	MUST(pz_dma_dev_destroy(d->dev) == -PZ_EBUSY);
	w.bugs++;
	w.told += w.debug != NULL;
	return NULL;
}

static const char *do_rarely(void)
{
	switch (draw(5)) {
	case 0:
		return do_mask();
	case 1:
		pz_bounce_trim(w.bounce, 0);
		return NULL;
	case 2:
		(void)pz_dma_work(w.dma, 0);
		return NULL;
	case 3:
		return do_destroy();
	case 4:
		return do_pieces();
	default:
		return do_holders();
	}
}

static const char *do_step(void)
{
	struct case_map *m;

	switch (draw(13)) {
	case 0:
	case 1:
	case 2:
		return do_map();
	case 3:
	case 4:
		return do_device();
	case 5:
		return do_sync(true);
	case 6:
		return do_sync(false);
	case 7:
		m = pick_map();
		return m ? map_end(m) : NULL;
	case 8:
		return do_sg();
	case 9:
		return do_alloc();
	case 10:
		return do_free();
	case 11:
	case 12:
		return do_small();
	default:
		return do_rarely();
	}
}

/* All is taken back, and nothing is left. */
static const char *case_end(void)
{
	for (unsigned int i = 0; i < MAPS; i++)
		if (w.map[i].live) {
			PASS(map_check(&w.map[i]));
			PASS(map_end(&w.map[i]));
		}
	MUST(!pz_dma_check(w.dma));
	PASS(bufs_end());
	for (unsigned int i = 0; i < DEVS; i++)
		MUST(!pz_dma_dev_destroy(w.dev[i].dev));
	MUST(!pz_dma_destroy(w.dma));
	MUST(!w.debug || !pz_dma_debug_check(w.debug));
	pz_dma_debug_destroy(w.debug);
	MUST(!pz_bounce_check(w.bounce) && !pz_bounce_check(w.own));
	MUST(!pz_bounce_destroy(w.bounce) && !pz_bounce_destroy(w.own));
	MUST(pz_page_free_count(world.pages, UINT32_MAX) == world.free);
	MUST(!world.encrypted || world.shared_pages == 0);
	MUST(world.bugs.count == w.bugs && w.findings == w.told);
	return NULL;
}

static const char *case_all(void)
{
	unsigned int steps;

	PASS(layer_make());
	for (unsigned int i = 0; i < DEVS; i++)
		PASS(draw_device(&w.dev[i]));
	steps = 1 + (unsigned int)draw(39);
	for (unsigned int i = 0; i < steps; i++)
		PASS(do_step());
	return case_end();
}

const char *dma_case_run(const struct case_source *s)
{
	const char *wrong = dma_world_make();

	w.s = s;
	memset(w.dev, 0, sizeof(w.dev));
	for (unsigned int i = 0; i < MAPS; i++)
		w.map[i].live = false;
	for (unsigned int i = 0; i < BUFS; i++)
		w.buf[i].live = false;
	memset(&w.small, 0, sizeof(w.small));
	w.seed = 0;
	w.bugs = w.told = w.findings = 0;
	world.bugs.count = 0;
	world.may_block = true;
	if (!wrong)
		wrong = case_all();
	if (wrong)
		world.made = false;
	return wrong;
}
