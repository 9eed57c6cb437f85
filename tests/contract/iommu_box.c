/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_box.c - see iommu_box.h.
 */
#include "iommu_box.h"

#define IB_ALIGN ((uintptr_t)1 << 16)

static void ib_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

void *ib_memory(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct iommu_box *b = ctx;

	if (phys >= IB_LOW && phys - IB_LOW < IB_LOW_BYTES &&
	    bytes <= IB_LOW_BYTES - (phys - IB_LOW))
		return b->memory + (phys - IB_LOW);
	if (phys >= IB_HIGH && phys - IB_HIGH < IB_HIGH_BYTES &&
	    bytes <= IB_HIGH_BYTES - (phys - IB_HIGH))
		return b->memory + IB_LOW_BYTES + (phys - IB_HIGH);
	return NULL;
}

/* --- tables: whole pages below 4 GiB --- */

static unsigned int ib_order(uint32_t bytes)
{
	unsigned int order = 0;

	while (4096u << order < bytes)
		order++;
	return order;
}

static int ib_table(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct iommu_box *b = ctx;
	struct pz_limits l = pz_limits_bits(32);
	uint64_t pfn;
	int rc = pz_fault_hit(&b->faults, b->mem_fault) ? -PZ_ENOMEM : 0;

	if (!rc)
		rc = pz_alloc_pages(b->pm.pages, cpu, gfp, ib_order(bytes), &l, &pfn);
	if (rc)
		return rc;
	out->addr = pfn << 12;
	out->cpu_addr = ib_memory(b, out->addr, bytes);
	return 0;
}

static void ib_untable(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct iommu_box *b = ctx;

	pz_free_pages(b->pm.pages, cpu, t->addr >> 12, ib_order(bytes));
}

/* --- hooks --- */

static void ib_flush_all(void *ctx)
{
	struct iommu_box *b = ctx;
	void (*intrude)(struct iommu_box * box) = b->intrude;

	b->alls++;
	b->intrude = NULL;
	if (intrude)
		intrude(b);
	master_forget_all(&b->m);
}

static void ib_flush(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	struct iommu_box *b = ctx;

	(void)granule;
	b->flushes++;
	master_forget(&b->m, iova, size);
}

static void ib_for_device(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct iommu_box *b = ctx;

	b->for_device = (struct ib_cache){ phys, bytes, dir };
	b->for_devices++;
}

static void ib_for_cpu(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct iommu_box *b = ctx;

	b->for_cpu = (struct ib_cache){ phys, bytes, dir };
	b->for_cpus++;
}

static void ib_view_copy(struct iommu_box *b, uint32_t i, bool back)
{
	for (uint64_t at = 0; at < b->view[i].bytes; at++) {
		unsigned char *p = NULL;
		uint64_t phys;

		if (!pz_iommu_phys(b->view[i].d, b->view[i].bus + at, &phys))
			p = ib_memory(b, phys, 1);
		if (p && back)
			*p = b->view[i].p[at];
		else if (p)
			b->view[i].p[at] = *p;
	}
}

static void *ib_view(void *ctx, const struct pz_iommu *d, uint64_t bus, uint64_t bytes,
		     uint32_t attrs, bool cached)
{
	struct iommu_box *b = ctx;
	uint32_t i = 0;

	(void)attrs;
	(void)cached;
	while (i < IB_VIEWS && b->view[i].p)
		i++;
	if (i == IB_VIEWS || b->view_fails)
		return NULL;
	b->view[i].p = b->under->alloc(b->under->ctx, (size_t)bytes);
	b->view[i].d = d;
	b->view[i].bus = bus;
	b->view[i].bytes = bytes;
	if (b->view[i].p)
		ib_view_copy(b, i, false);
	return b->view[i].p;
}

static void ib_unview(void *ctx, void *p, uint64_t bytes)
{
	struct iommu_box *b = ctx;

	for (uint32_t i = 0; i < IB_VIEWS; i++) {
		if (b->view[i].p != p)
			continue;
		ib_view_copy(b, i, true);
		b->under->free(b->under->ctx, p, (size_t)bytes);
		b->view[i].p = NULL;
	}
}

/* --- made and given back --- */

static void ib_config(struct iommu_box *b)
{
	struct pz_iommu_config *c = &b->cfg;

	b->mem.alloc = ib_table;
	b->mem.free = ib_untable;
	b->mem.ctx = b;
	b->mem.coherent = true;
	c->tables.ias = 32;
	c->tables.oas = 35;
	c->tables.quirks = PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT;
	c->tables.coherent_walk = true;
	c->tables.mem = &b->mem;
	c->tables.meta = &b->meta.meta;
	c->tables.bugs = &b->pm.bugs;
	c->tables.faults = &b->faults;
	c->tables.tlb.flush_all = ib_flush_all;
	c->tables.tlb.flush_walk = ib_flush;
	c->tables.tlb.ctx = b;
	c->flush = ib_flush;
	c->pages = b->pm.pages;
	c->cpus = IB_CPUS;
	c->hooks.direct = ib_memory;
	c->hooks.for_device = ib_for_device;
	c->hooks.for_cpu = ib_for_cpu;
	c->hooks.view = ib_view;
	c->hooks.unview = ib_unview;
	c->hooks.ctx = b;
}

bool ib_lay_out(struct iommu_box *b, struct tap *t)
{
	const struct pz_meta *meta = t->meta;
	struct pm_region parts[] = { { IB_LOW, IB_LOW_BYTES, 0, false },
				     { IB_HIGH, IB_HIGH_BYTES, 0, false } };
	struct pz_zone_config zones = pm_pc(IB_HIGH + IB_HIGH_BYTES);

	ib_clear(b, sizeof(*b));
	b->t = t;
	b->under = meta;
	b->raw_bytes = (size_t)(IB_LOW_BYTES + IB_HIGH_BYTES) + IB_ALIGN;
	b->raw = meta->alloc(meta->ctx, b->raw_bytes);
	if (!b->raw)
		return false;
	b->memory = (unsigned char *)(((uintptr_t)b->raw + IB_ALIGN - 1) & ~(IB_ALIGN - 1));
	pz_faults_init(&b->faults, b->points, IB_POINTS);
	if (pz_fault_add(&b->faults, "meta", &b->meta_fault) ||
	    pz_fault_add(&b->faults, "provider", &b->mem_fault) ||
	    !pm_lay_out(&b->pm, t, parts, 2, &zones))
		return false;
	pz_fault_meta_init(&b->meta, meta, &b->faults, b->meta_fault);
	b->pm.cfg.cpus = IB_CPUS;
	b->pm.cfg.faults = &b->faults;
	if (!pm_make(&b->pm))
		return false;
	b->managed = pm_free(&b->pm);
	ib_config(b);
	return true;
}

int ib_make(struct iommu_box *b)
{
	int rc = pz_iommu_create(&b->d, &b->cfg, 0, 0, NULL);

	if (rc) {
		b->d = NULL;
		return rc;
	}
	b->m.memory = ib_memory;
	b->m.ctx = b;
	b->m.kept = b->kept;
	b->m.kept_most = IB_KEPT;
	b->m.ttbr = pz_v7s_regs(pz_iommu_tables(b->d)).ttbr;
	b->m.extended = b->cfg.tables.quirks & PZ_V7S_MTK_EXT;
	return 0;
}

bool ib_all_free(const struct iommu_box *b)
{
	return pm_free(&b->pm) == b->managed;
}

bool ib_close(struct iommu_box *b)
{
	bool ok = !b->d || (!pz_iommu_check(b->d) && !pz_iommu_destroy(b->d, 0));

	ok &= ib_all_free(b) && b->meta.bytes == 0 && b->pm.bugs.count == 0;
	ok &= !pz_pages_check(b->pm.pages);
	pm_close(&b->pm);
	b->under->free(b->under->ctx, b->raw, b->raw_bytes);
	return ok;
}
