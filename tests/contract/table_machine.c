/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_machine.c - see table_machine.h.
 */
#include "table_machine.h"

#define TM_ALIGN ((uintptr_t)1 << 16)

static void tm_fill(void *p, unsigned char v, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = v;
}

static bool tm_has(uint64_t phys, uint64_t bytes)
{
	return phys >= TM_FIRST && phys <= TM_LAST && bytes <= TM_LAST - phys + 1;
}

/* --- what the machine does for the DMA layer --- */

static void *tm_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct table_machine *m = ctx;

	return tm_has(phys, bytes) ? m->cpu + (phys - TM_FIRST) : NULL;
}

static void *tm_uncached(void *ctx, void *p, uint64_t bytes)
{
	struct table_machine *m = ctx;

	(void)bytes;
	return m->ram + ((unsigned char *)p - m->cpu);
}

static void tm_for_device(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct table_machine *m = ctx;

	(void)dir;
	if (m->syncs < TM_SYNCS) {
		m->sync[m->syncs].addr = phys;
		m->sync[m->syncs].bytes = bytes;
	}
	m->syncs++;
	for (uint64_t i = 0; tm_has(phys, bytes) && i < bytes; i++)
		m->ram[phys - TM_FIRST + i] = m->cpu[phys - TM_FIRST + i];
	if (m->synced)
		m->synced(m->synced_ctx);
}

static void tm_for_cpu(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct table_machine *m = ctx;

	(void)phys;
	(void)bytes;
	(void)dir;
	m->for_cpu++;
}

/* --- the machine --- */

static bool tm_memory(struct table_machine *m)
{
	struct tap *t = m->pm.t;

	m->raw_bytes = 2 * (size_t)TM_BYTES + TM_ALIGN;
	m->raw = t->meta->alloc(t->meta->ctx, m->raw_bytes);
	if (!m->raw)
		return false;
	m->cpu = (unsigned char *)(((uintptr_t)m->raw + TM_ALIGN - 1) & ~(TM_ALIGN - 1));
	m->ram = m->cpu + TM_BYTES;
	/* What nobody has written leads somewhere. */
	tm_fill(m->raw, 0x5e, m->raw_bytes);
	return true;
}

static bool tm_slabs(struct table_machine *m)
{
	struct pz_slabs_config cfg;

	tm_fill(&cfg, 0, sizeof(cfg));
	cfg.pages = m->pm.pages;
	cfg.zones = &m->pm.z;
	cfg.meta = m->pm.t->meta;
	cfg.mapped.first = TM_FIRST;
	cfg.mapped.last = TM_LAST;
	cfg.virt = m->cpu;
	cfg.page_shift = 12;
	cfg.cpus = TM_CPUS;
	cfg.max_caches = 8;
	cfg.seed = 0x5eed5eed5eed5eedull;
	cfg.bugs = &m->pm.bugs;
	return pz_slabs_create(&m->slabs, &cfg) == 0;
}

static bool tm_layer(struct table_machine *m)
{
	struct pz_dma_config cfg;

	tm_fill(&cfg, 0, sizeof(cfg));
	cfg.pages = m->pm.pages;
	cfg.meta = m->pm.t->meta;
	cfg.bugs = &m->pm.bugs;
	cfg.cpus = TM_CPUS;
	cfg.cma = PZ_DMA_NO_CMA;
	cfg.pool_bytes = UINT64_MAX;
	cfg.hooks.direct = tm_direct;
	cfg.hooks.uncached = tm_uncached;
	cfg.hooks.for_device = tm_for_device;
	cfg.hooks.for_cpu = tm_for_cpu;
	cfg.hooks.ctx = m;
	return pz_dma_create(&m->dma, &cfg) == 0;
}

static uint64_t tm_reclaim(void *ctx, uint64_t pages, const struct pz_limits *limits)
{
	struct table_machine *m = ctx;
	uint32_t n = m->gives && m->hoarded ? 128 : 0;

	(void)pages;
	(void)limits;
	m->reclaims++;
	n = n < m->hoarded ? n : m->hoarded;
	pz_free_bulk(m->pm.pages, 0, n, m->hoard + (m->hoarded - n));
	m->hoarded -= n;
	return n;
}

bool tm_make(struct table_machine *m, struct tap *t)
{
	struct pm_region part = { TM_FIRST, TM_BYTES, 0, false };
	struct pz_zone_config zones = pm_pc(TM_FIRST + TM_BYTES);
	uint32_t id;

	tm_fill(m, 0, sizeof(*m));
	if (!CHECK_NAMED(t, pm_lay_out(&m->pm, t, &part, 1, &zones), "the machine is laid out"))
		return false;
	m->pm.cfg.cpus = TM_CPUS;
	m->pm.cfg.hooks.reclaim = tm_reclaim;
	m->pm.cfg.hooks.ctx = m;
	pz_faults_init(&m->faults, m->points, TM_POINTS);
	(void)pz_fault_add(&m->faults, "meta", &id);
	pz_fault_meta_init(&m->meta, t->meta, &m->faults, id);
	if (!CHECK_NAMED(t, tm_memory(m) && pm_make(&m->pm), "it has memory"))
		return false;
	m->managed = pm_free(&m->pm);
	m->vc.ias = TM_IAS;
	m->vc.oas = 32;
	m->vc.quirks = PZ_V7S_GIVE_BACK;
	m->vc.coherent_walk = true;
	m->vc.meta = &m->meta.meta;
	m->vc.bugs = &m->pm.bugs;
	return CHECK_NAMED(t, tm_slabs(m) && tm_layer(m), "caches and the DMA layer are made");
}

void tm_close(struct table_machine *m)
{
	struct tap *t = m->pm.t;

	CHECK_NAMED(t, pz_dma_destroy(m->dma) == 0, "no device is left");
	CHECK_NAMED(t, pz_slabs_destroy(m->slabs) == 0, "no cache is left");
	CHECK_NAMED(t, m->meta.bytes == 0, "all metadata came back");
	CHECK_NAMED(t, pm_free(&m->pm) == m->managed, "every page came back");
	pm_close(&m->pm);
	if (m->raw)
		t->meta->free(t->meta->ctx, m->raw, m->raw_bytes);
}

struct pz_dma_dev *tm_walker(struct table_machine *m, unsigned int bits, bool coherent,
			     uint64_t offset)
{
	struct pz_window w = { { TM_FIRST, TM_LAST }, TM_FIRST - offset };
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev = NULL;

	pz_dma_dev_init(&cfg, "iommu", bits);
	cfg.coherent = coherent;
	cfg.windows = &w;
	cfg.window_count = 1;
	(void)pz_dma_dev_create(&dev, m->dma, &cfg);
	return dev;
}

/* --- providers --- */

const char *tm_name(enum tm_provider p)
{
	static const char *const names[TM_PROVIDERS] = {
		"pages", "slab", "frag", "frag-reuse", "pool", "pool-keeps", "dma",
	};

	return names[p];
}

void tm_config(const struct table_machine *m, struct pz_table_source_config *cfg)
{
	tm_fill(cfg, 0, sizeof(*cfg));
	cfg->pages = m->pm.pages;
	cfg->mapped.first = TM_FIRST;
	cfg->mapped.last = TM_LAST;
	cfg->virt = m->cpu;
	cfg->limits = PZ_LIMITS_ANY;
	cfg->tables = 256;
	cfg->meta = &m->meta.meta;
	cfg->bugs = (struct pz_bugs *)&m->pm.bugs;
}

static int tm_dma(struct table_machine *m, const struct pz_table_source_config *cfg,
		  const char **why)
{
	struct pz_table_dma_config dma;
	int rc;

	tm_fill(&dma, 0, sizeof(dma));
	m->dev = tm_walker(m, 64, m->vc.coherent_walk, 0);
	dma.dev = m->dev;
	/* A mask may be any number. */
	rc = pz_dma_set_coherent_mask(m->dev, cfg->limits.max_addr);
	if (!rc)
		rc = pz_table_dma_create(&m->source, cfg, &dma, why);
	if (rc) {
		(void)pz_dma_dev_destroy(m->dev);
		m->dev = NULL;
	}
	return rc;
}

int tm_source(struct table_machine *m, enum tm_provider p, const struct pz_table_source_config *cfg,
	      const char **why)
{
	struct pz_table_pool_config pool = { 0, 0, 0 };

	switch (p) {
	case TM_SLAB:
		return pz_table_slab_create(&m->source, cfg, m->slabs, 0, why);
	case TM_FRAG:
		return pz_table_frag_create(&m->source, cfg, 0, why);
	case TM_FRAG_REUSE:
		return pz_table_frag_create(&m->source, cfg, PZ_FRAG_REUSE, why);
	case TM_POOL:
		return pz_table_pool_create(&m->source, cfg, &pool, why);
	case TM_POOL_KEEPS:
		pool.flags = PZ_TABLE_POOL_KEEPS;
		return pz_table_pool_create(&m->source, cfg, &pool, why);
	case TM_DMA:
		return tm_dma(m, cfg, why);
	default:
		return pz_table_pages_create(&m->source, cfg, why);
	}
}

uint64_t tm_taken(const struct table_machine *m)
{
	struct pz_slabs_cost c;

	pz_slabs_cost(m->slabs, &c);
	return (m->managed - pm_free(&m->pm)) * 4096 - c.slab_bytes;
}

bool tm_source_gone(struct table_machine *m)
{
	bool ok = pz_table_source_check(m->source) == 0 && pz_table_source_destroy(m->source) == 0;

	m->source = NULL;
	if (m->dev)
		ok = pz_dma_dev_destroy(m->dev) == 0 && ok;
	m->dev = NULL;
	return ok && m->meta.bytes == 0 && tm_taken(m) == 0;
}

/* --- tables --- */

int tm_tables(struct table_machine *m)
{
	m->t = NULL;
	m->vc.mem = pz_table_source_mem(m->source);
	return pz_v7s_create(&m->t, &m->vc, 0, PZ_GFP_BLOCK, NULL);
}

bool tm_tables_gone(struct table_machine *m)
{
	bool ok = pz_v7s_check(m->t) == 0;
	struct pz_v7s_stat now;
	struct pz_table_stat held;

	pz_v7s_stat(m->t, &now);
	pz_table_source_stat(m->source, &held);
	ok = ok && now.tables == held.small && held.large == 1;
	pz_v7s_destroy(m->t, 0);
	m->t = NULL;
	pz_table_source_stat(m->source, &held);
	return ok && !held.small && !held.large;
}

static bool tm_read(void *ctx, uint64_t addr, uint32_t *word)
{
	const unsigned char *at = ctx;

	if (!tm_has(addr, 4))
		return false;
	at += addr - TM_FIRST;
	*word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
		(uint32_t)at[3] << 24;
	return true;
}

void tm_view(struct table_machine *m, bool coherent, struct pz_v7s_view *view)
{
	uint64_t ttbr = pz_v7s_regs(m->t).ttbr;

	tm_fill(view, 0, sizeof(*view));
	view->mtk_outputs = m->vc.quirks & PZ_V7S_MTK_EXT;
	view->mtk_tables = m->vc.quirks & PZ_V7S_MTK_TTBR_EXT;
	view->table = view->mtk_outputs ? (ttbr & 7) << 32 | (ttbr & ~(uint64_t)0x3fff)
					: ttbr & ~(uint64_t)0x3fff;
	view->ias = m->vc.ias;
	view->permissions = !(m->vc.quirks & PZ_V7S_NO_PERMS);
	view->read = tm_read;
	view->ctx = coherent ? m->cpu : m->ram;
}

bool tm_leads(struct table_machine *m, bool coherent, uint64_t iova, uint64_t phys)
{
	struct pz_v7s_view view;
	struct pz_v7s_run run;
	enum pz_v7s_fault fault;

	tm_view(m, coherent, &view);
	fault = pz_v7s_walk(&view, iova, &run);
	if (phys == PZ_ADDR_MAX)
		return fault == PZ_V7S_FAULT_FIRST || fault == PZ_V7S_FAULT_SECOND;
	return fault == PZ_V7S_NO_FAULT && run.phys + (iova - run.first) == phys;
}

/* --- no memory --- */

void tm_drain(struct table_machine *m)
{
	m->hoarded = pz_alloc_bulk(m->pm.pages, 0, PZ_GFP_MEMALLOC, NULL, TM_PAGES_ALL, m->hoard);
}

void tm_refill(struct table_machine *m)
{
	pz_free_bulk(m->pm.pages, 0, m->hoarded, m->hoard);
	m->hoarded = 0;
}
