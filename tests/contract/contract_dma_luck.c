/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_luck.c - devices of all kinds while memory fails, once or from some time on:
 * whatever they ask for they get or are refused, and in the end everything came back.
 */
#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include "coherent_machine.h"
#include "suites_decl.h"

#define BLOCK PZ_GFP_BLOCK

/* Everything that a device can ask for, whether it gets it or not; nothing is left out. */
static void luck_use(struct coherent_machine *m, struct pz_dma_dev *dev)
{
	for (uint32_t gfp = 0; gfp <= BLOCK; gfp += BLOCK) {
		struct pz_dma_buf buf[3];
		struct pz_sg sg[4];
		uint32_t n = 0;
		uint64_t bus;

		m->may_block = gfp;
		for (unsigned int i = 0; i < 3; i++)
			if (pz_dma_alloc(dev, 0, gfp, i == 2 ? PZ_DMA_NO_KERNEL_MAPPING : 0,
					 0x1000 << i, &buf[i]))
				buf[i].size = 0;
		if (!pz_dma_alloc_noncontiguous(dev, 0, gfp, 0, 0x3000, sg, 4, &n)) {
			m->may_block = true;
			pz_dma_free_noncontiguous(dev, 0, sg, n);
		}
		m->may_block = gfp;
		bus = pz_dma_map(dev, 0, CM_ABOVE + 100, 5000, PZ_DMA_BIDIRECTIONAL, 0);
		if (bus != PZ_DMA_ERROR)
			pz_dma_unmap(dev, 0, bus, 5000, PZ_DMA_BIDIRECTIONAL, 0);
		m->may_block = true;
		(void)pz_dma_work(m->dma, 0);
		for (unsigned int i = 0; i < 3; i++)
			if (buf[i].size)
				pz_dma_free(dev, 0, &buf[i]);
		if (!pz_dma_alloc_pages(dev, 0, gfp, PZ_DMA_TO_DEVICE, 0x2000, &buf[0]))
			pz_dma_free_pages(dev, 0, &buf[0]);
	}
}

/* One or all allocations fail from the @nth on; true when that was beyond the last one. */
static bool luck_unlucky(struct tap *t, uint64_t nth, uint64_t times)
{
	struct pz_range aside = { CM_FIRST + PM_MIB, CM_FIRST + PM_MIB + 0xffff };
	struct pz_dma_region region = { { aside.first, aside.last }, NULL };
	struct coherent_machine m;
	struct pz_bounce_config bounce = { .cpus = CM_CPUS, .reserve_bytes = 64 * PM_KIB };
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	bool through;

	if (!cm_lay_out(&m, t))
		return true;
	CHECK(t, pz_memblock_reserve(&m.pm.mb, aside.first, 0x10000, PZ_NID_NONE, 0) == 0);
	cm_with_remap(&m);
	cm_with_share(&m);
	m.cfg.pool_bytes = 0x4000;
	if (!pm_make(&m.pm))
		return true;
	bounce.pages = m.pm.pages;
	bounce.direct_last = m.cfg.direct.last;
	bounce.meta = m.cfg.meta;
	bounce.shared = true;
	bounce.hooks = m.cfg.hooks;
	if (!CHECK(t, pz_bounce_create(&m.cfg.bounce, &bounce) == 0) || !cm_make_layer(&m))
		return true;
	CHECK(t, pz_fault_arm(&m.faults, PZ_FAULT_ANY, nth, times) == 0);
	for (unsigned int kind = 0; kind < 4; kind++) {
		pz_dma_dev_init(&cfg, "unlucky", 32);
		cfg.coherent = kind & 1;
		cfg.shared = kind < 2;
		cfg.atomic = true;
		cfg.region = kind == 3 ? &region : NULL;
		m.may_block = true;
		if (pz_dma_dev_create(&dev, m.dma, &cfg))
			continue;
		luck_use(&m, dev);
		(void)pz_dma_set_masks(dev, CM_FIRST + PM_MIB / 2 + kind);
		luck_use(&m, dev);
		CHECK(t, pz_dma_check(m.dma) == 0 && pz_bounce_check(m.cfg.bounce) == 0);
		CHECK(t, pz_dma_dev_destroy(dev) == 0);
	}
	through = m.faults.arm.fail;
	CHECK(t, pz_fault_arm(&m.faults, PZ_FAULT_ANY, 0, 0) == 0);
	CHECK(t, m.bugs.count == 0 && m.shared == 0);
	CHECK(t, pz_dma_destroy(m.dma) == 0 && pz_bounce_destroy(m.cfg.bounce) == 0);
	m.dma = NULL;
	CHECK_NAMED(t, cm_free(&m) == m.managed && m.meta.bytes == 0 && !m.maps, "all came back");
	CHECK_NAMED(t, !m.strange && !m.blocked, "hooks were used well");
	cm_close(&m);
	return through;
}

void contract_dma_luck(struct tap *t)
{
	uint64_t nth = 1;

	while (nth < 200 && !luck_unlucky(t, nth, 1))
		nth++;
	CHECK_NAMED(t, nth > 20 && nth < 200, "each failed in turn");
	for (nth = 1; nth < 60; nth += 9)
		(void)luck_unlucky(t, nth, UINT64_MAX);
}
