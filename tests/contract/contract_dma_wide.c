/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_wide.c - coherent buffers, pools, mappings and bounce buffers where a page has 16 or
 * 64 KiB.
 */
#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include "page_machine.h"
#include "suites_decl.h"

#define BLOCK PZ_GFP_BLOCK
#define WIDE_LOW (16 * PM_MIB) /* 4 MiB */
#define WIDE_HIGH (4 * PM_GIB) /* 1 MiB */
#define WIDE_BYTES (5 * PM_MIB)

struct wide_machine {
	struct page_machine pm;
	unsigned char *raw, *memory;
	struct pz_bounce *bounce;
	struct pz_dma *dma;
	uint64_t page;
	uint32_t odd; /* calls of hooks with parts of pages */
	uint32_t maps;
};

static void *wide_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct wide_machine *m = ctx;

	if (phys >= WIDE_LOW && phys + bytes <= WIDE_LOW + 4 * PM_MIB)
		return m->memory + (phys - WIDE_LOW);
	if (phys >= WIDE_HIGH && phys + bytes <= WIDE_HIGH + PM_MIB)
		return m->memory + 4 * PM_MIB + (phys - WIDE_HIGH);
	return NULL;
}

static void *wide_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	struct wide_machine *m = ctx;

	(void)attrs;
	(void)cached;
	m->maps++;
	m->odd += ((phys | bytes) & (m->page - 1)) != 0;
	return wide_direct(ctx, phys, bytes);
}

static void wide_unmap(void *ctx, void *p, uint64_t bytes)
{
	struct wide_machine *m = ctx;

	(void)p;
	m->maps--;
	m->odd += (bytes & (m->page - 1)) != 0;
}

static bool wide_make(struct wide_machine *m, struct tap *t, uint32_t shift)
{
	static const struct pm_region part[] = { { WIDE_LOW, 4 * PM_MIB, 0, false },
						 { WIDE_HIGH, PM_MIB, 0, false } };
	struct pz_zone_config zones = pm_pc(WIDE_HIGH + PM_MIB);
	struct pz_bounce_config bc = { .cpus = 1, .reserve_bytes = 128 * PM_KIB };
	struct pz_dma_config dc = {
		.cpus = 1, .cma = PZ_DMA_NO_CMA, .pool_bytes = 1, .hold = true
	};

	for (size_t i = 0; i < sizeof(*m); i++)
		((unsigned char *)m)[i] = 0;
	zones.page_shift = shift;
	m->page = (uint64_t)1 << shift;
	m->raw = t->meta->alloc(t->meta->ctx, WIDE_BYTES + 0x10000);
	if (!CHECK_NAMED(t, m->raw != NULL, "there is memory"))
		return false;
	m->memory = (void *)(((uintptr_t)m->raw + 0xffff) & ~(uintptr_t)0xffff);
	for (uint64_t i = 0; i < WIDE_BYTES; i++)
		m->memory[i] = (unsigned char)i;
	if (!CHECK(t, pm_lay_out(&m->pm, t, part, 2, &zones)) || !pm_make(&m->pm))
		return false;
	dc.hooks.direct = wide_direct;
	dc.hooks.remap = wide_remap;
	dc.hooks.unmap = wide_unmap;
	dc.hooks.ctx = m;
	bc.hooks = dc.hooks;
	bc.meta = dc.meta = t->meta;
	bc.bugs = dc.bugs = &m->pm.bugs;
	bc.pages = dc.pages = m->pm.pages;
	if (!CHECK(t, pz_bounce_create(&m->bounce, &bc) == 0))
		return false;
	dc.bounce = m->bounce;
	return CHECK(t, pz_dma_create(&m->dma, &dc) == 0);
}

static void wide_buffers(struct wide_machine *m, struct pz_dma_dev *dev, uint32_t gfp,
			 uint64_t last)
{
	struct tap *t = m->pm.t;

	for (uint64_t size = 1; size <= m->page; size = size * 4 + 3) {
		struct pz_dma_buf buf;
		const unsigned char *p;

		if (!CHECK(t, pz_dma_alloc(dev, 0, gfp, 0, size, &buf) == 0))
			return;
		p = buf.cpu_addr;
		CHECK(t, !(buf.bus & (m->page - 1)) && buf.bus + m->page - 1 <= last);
		CHECK(t, p && p[0] == 0 && p[m->page - 1] == 0);
		pz_dma_free(dev, 0, &buf);
	}
}

static void wide_mappings(struct wide_machine *m, struct pz_dma_dev *dev, uint64_t last)
{
	struct tap *t = m->pm.t;

	for (uint64_t size = 1; size <= 2 * m->page && size <= 128 * PM_KIB; size = size * 5 + 7) {
		uint64_t bus, phys = WIDE_HIGH + m->page - 3, got;
		const unsigned char *at = wide_direct(m, phys, size), *p;
		bool same;

		bus = pz_dma_map(dev, 0, phys, size, PZ_DMA_TO_DEVICE, 0);
		if (!CHECK(t, bus != PZ_DMA_ERROR && bus + size - 1 <= last))
			return;
		p = wide_direct(m, bus, size);
		same = p != NULL;
		for (got = 0; same && got < size; got++)
			same = p[got] == at[got];
		CHECK_NAMED(t, same, "it is all there");
		pz_dma_unmap(dev, 0, bus, size, PZ_DMA_TO_DEVICE, 0);
	}
}

static void wide_one(struct tap *t, uint32_t shift)
{
	struct wide_machine m;
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	struct pz_sg sg[8];
	uint64_t free;
	uint32_t n = 0;

	if (!wide_make(&m, t, shift))
		return;
	free = pm_free(&m.pm);
	for (unsigned int kind = 0; kind < 4; kind++) {
		uint64_t last = kind & 1 ? WIDE_LOW + 3 * PM_MIB + 0x3fff : UINT32_MAX;

		pz_dma_dev_init(&cfg, "wide", 32);
		cfg.coherent = kind < 2;
		cfg.mask = cfg.coherent_mask = last;
		cfg.boundary = kind == 3 ? 0x20000 : 0;
		if (!CHECK(t, pz_dma_dev_create(&dev, m.dma, &cfg) == 0))
			return;
		CHECK(t, pz_dma_set_masks(dev, last) == 0 && pz_dma_limited(dev));
		wide_buffers(&m, dev, BLOCK, last);
		wide_buffers(&m, dev, 0, last);
		wide_mappings(&m, dev, last);
		CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, BLOCK, 0, 3 * m.page, sg, 8, &n) == 0);
		CHECK(t, sg[0].bus + sg[0].len - 1 <= last);
		pz_dma_free_noncontiguous(dev, 0, sg, n);
		CHECK(t, pz_dma_check(m.dma) == 0 && pz_bounce_check(m.bounce) == 0);
		CHECK(t, pz_dma_max_mapping(dev) == 128 * PM_KIB);
		CHECK(t, pz_dma_required_mask(dev) == 2 * WIDE_HIGH - 1);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
	}
	CHECK(t, pz_dma_destroy(m.dma) == 0 && pz_bounce_destroy(m.bounce) == 0);
	CHECK(t, pm_free(&m.pm) == free && !m.odd && !m.maps && !m.pm.bugs.count);
	pm_close(&m.pm);
	t->meta->free(t->meta->ctx, m.raw, WIDE_BYTES + 0x10000);
}

void contract_dma_wide(struct tap *t)
{
	wide_one(t, 14);
	wide_one(t, 16);
}
