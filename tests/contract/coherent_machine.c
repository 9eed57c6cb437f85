/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent_machine.c - a small machine with memory behind it, and a DMA layer, for the contract
 * suites.
 */
#include "coherent_machine.h"

#define CM_ALL (CM_LOW + CM_HIGH)

static void cm_fill(void *p, unsigned char v, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = v;
}

static void cm_copy(unsigned char *to, const unsigned char *from, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		to[i] = from[i];
}

/* The place of a physical address among all bytes; UINT64_MAX for none. */
static uint64_t cm_at(uint64_t phys, uint64_t bytes)
{
	if (phys >= CM_FIRST && phys - CM_FIRST < CM_LOW && bytes <= CM_LOW - (phys - CM_FIRST))
		return phys - CM_FIRST;
	if (phys >= CM_ABOVE && phys - CM_ABOVE < CM_HIGH && bytes <= CM_HIGH - (phys - CM_ABOVE))
		return CM_LOW + (phys - CM_ABOVE);
	return UINT64_MAX;
}

unsigned char *cm_memory(const struct coherent_machine *m, uint64_t phys)
{
	uint64_t at = cm_at(phys, 1);

	return at == UINT64_MAX ? NULL : m->memory + at;
}

unsigned char *cm_cache(const struct coherent_machine *m, uint64_t phys)
{
	uint64_t at = cm_at(phys, 1);

	return at == UINT64_MAX ? NULL : m->cache + at;
}

/* The rule that asks zones: where there is high memory, ZONE_MOVABLE passes for it. */
static bool cm_mapped_by_zone(const struct coherent_machine *m, uint64_t phys)
{
	bool movable = m->movable.last && phys >= m->movable.first && phys <= m->movable.last;

	return !movable && phys < CM_FIRST + CM_LOW;
}

static void *cm_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	struct coherent_machine *m = ctx;
	uint64_t at = cm_at(phys, bytes);

	if (at == UINT64_MAX) {
		m->strange++;
		return NULL;
	}
	if (m->rule == CM_BY_ZONE)
		return cm_mapped_by_zone(m, phys) ? m->cache + at : NULL;
	return at < CM_LOW ? m->cache + at : NULL;
}

static void cm_blocks(struct coherent_machine *m)
{
	m->blocked += !m->may_block;
}

static void *cm_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	struct coherent_machine *m = ctx;
	uint64_t at = cm_at(phys, bytes);
	struct cm_map *map = &m->map[m->maps];

	(void)attrs;
	cm_blocks(m);
	m->strange += at == UINT64_MAX || (phys | bytes) % CM_PAGE;
	if (m->fail_remap || m->maps == CM_MAPS || at == UINT64_MAX) {
		m->fail_remap -= m->fail_remap > 0;
		return NULL;
	}
	map->p = (cached ? m->cache : m->memory) + at;
	map->phys = phys;
	map->bytes = bytes;
	m->maps++;
	return map->p;
}

static void cm_unmap(void *ctx, void *p, uint64_t bytes)
{
	struct coherent_machine *m = ctx;

	cm_blocks(m);
	for (uint32_t i = 0; i < m->maps; i++) {
		if (m->map[i].p == p && m->map[i].bytes == bytes) {
			m->map[i] = m->map[--m->maps];
			return;
		}
	}
	m->strange++;
}

static void *cm_uncached(void *ctx, void *p, uint64_t bytes)
{
	struct coherent_machine *m = ctx;
	unsigned char *c = p;

	if (m->fail_uncached) {
		m->fail_uncached--;
		return NULL;
	}
	m->strange += c < m->cache || bytes > (uint64_t)(m->cache + CM_LOW - c);
	return m->memory + (c - m->cache);
}

static int cm_share(void *ctx, uint64_t phys, uint64_t bytes, bool shared)
{
	struct coherent_machine *m = ctx;
	uint64_t at = cm_at(phys, bytes);

	cm_blocks(m);
	m->strange += at == UINT64_MAX || (phys | bytes) % CM_PAGE;
	if (m->fail_share || at == UINT64_MAX) {
		m->fail_share -= m->fail_share > 0;
		return -PZ_EINVAL;
	}
	for (uint64_t i = 0; i < bytes / CM_PAGE; i++) {
		m->strange += m->is_shared[at / CM_PAGE + i] == shared;
		m->is_shared[at / CM_PAGE + i] = shared;
	}
	m->shared += shared ? bytes : ~bytes + 1;
	return 0;
}

static void cm_for_device(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct coherent_machine *m = ctx;
	uint64_t at = cm_at(phys, bytes);

	m->strange += at == UINT64_MAX || dir >= PZ_DMA_NONE;
	if (at != UINT64_MAX)
		cm_copy(m->memory + at, m->cache + at, bytes);
}

static void cm_for_cpu(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct coherent_machine *m = ctx;
	uint64_t at = cm_at(phys, bytes);

	m->strange += at == UINT64_MAX || dir >= PZ_DMA_NONE;
	if (at != UINT64_MAX && dir != PZ_DMA_TO_DEVICE)
		cm_copy(m->cache + at, m->memory + at, bytes);
}

static void cm_work(void *ctx)
{
	struct coherent_machine *m = ctx;

	m->asked_work++;
}

static uint64_t cm_now(void *ctx)
{
	struct coherent_machine *m = ctx;

	return ++m->now;
}

static uint64_t cm_site(void *ctx)
{
	(void)ctx;
	return 0x5173;
}

static bool cm_memory_make(struct coherent_machine *m)
{
	const struct pz_meta *meta = m->pm.t->meta;
	uintptr_t page = CM_PAGE;

	m->raw_bytes = 2 * CM_ALL + page;
	m->raw = meta->alloc(meta->ctx, m->raw_bytes);
	if (!CHECK_NAMED(m->pm.t, m->raw != NULL, "there is memory"))
		return false;
	m->memory = (unsigned char *)(((uintptr_t)m->raw + page - 1) & ~(page - 1));
	m->cache = m->memory + CM_ALL;
	/* What nobody has zeroed is seen. */
	cm_fill(m->memory, 0x5a, CM_ALL);
	cm_fill(m->cache, 0xa5, CM_ALL);
	return true;
}

static void cm_config(struct coherent_machine *m)
{
	uint32_t id = 0;

	pz_faults_init(&m->faults, m->points, CM_POINTS);
	(void)pz_fault_add(&m->faults, "meta", &id);
	pz_fault_meta_init(&m->meta, m->pm.t->meta, &m->faults, id);
	m->bugs.policy = PZ_BUG_REPORT;
	m->may_block = true;
	m->cfg.meta = &m->meta.meta;
	m->cfg.bugs = &m->bugs;
	m->cfg.faults = &m->faults;
	m->cfg.cpus = CM_CPUS;
	m->cfg.direct.first = CM_FIRST;
	m->cfg.direct.last = CM_FIRST + CM_LOW - 1;
	m->cfg.cma = PZ_DMA_NO_CMA;
	m->cfg.pool_bytes = UINT64_MAX;
	m->cfg.hooks.direct = cm_direct;
	m->cfg.hooks.for_device = cm_for_device;
	m->cfg.hooks.for_cpu = cm_for_cpu;
	m->cfg.hooks.work = cm_work;
	m->cfg.hooks.now = cm_now;
	m->cfg.hooks.site = cm_site;
	m->cfg.hooks.ctx = m;
}

void cm_with_remap(struct coherent_machine *m)
{
	m->cfg.hooks.remap = cm_remap;
	m->cfg.hooks.unmap = cm_unmap;
}

void cm_with_unmap_alone(struct pz_dma_config *cfg)
{
	cfg->hooks.unmap = cm_unmap;
}

void cm_with_uncached(struct coherent_machine *m)
{
	m->cfg.hooks.uncached = cm_uncached;
}

void cm_with_share(struct coherent_machine *m)
{
	m->cfg.hooks.share = cm_share;
}

static bool cm_lay_out_zones(struct coherent_machine *m, struct tap *t, struct pz_zone_config zones)
{
	struct pm_region part[2] = { { CM_FIRST, CM_LOW, 0, false },
				     { CM_ABOVE, CM_HIGH, 0, false } };

	cm_fill(m, 0, sizeof(*m));
	if (!CHECK_NAMED(t, pm_lay_out(&m->pm, t, part, 2, &zones), "the machine is laid out"))
		return false;
	m->pm.cfg.cpus = CM_CPUS;
	m->pm.cfg.pageblock_order = 5;
	cm_config(m);
	return cm_memory_make(m);
}

bool cm_lay_out(struct coherent_machine *m, struct tap *t)
{
	return cm_lay_out_zones(m, t, pm_pc(CM_ABOVE + CM_HIGH));
}

bool cm_lay_out_flat(struct coherent_machine *m, struct tap *t)
{
	return cm_lay_out_zones(m, t, pm_flat(CM_ABOVE + CM_HIGH));
}

bool cm_make_layer(struct coherent_machine *m)
{
	m->managed = pm_free(&m->pm);
	m->cfg.pages = m->pm.pages;
	return CHECK_NAMED(m->pm.t, pz_dma_create(&m->dma, &m->cfg) == 0, "the layer is made");
}

bool cm_make(struct coherent_machine *m)
{
	return pm_make(&m->pm) && cm_make_layer(m);
}

bool cm_simple(struct coherent_machine *m, struct tap *t)
{
	return cm_lay_out(m, t) && cm_make(m);
}

void cm_close(struct coherent_machine *m)
{
	struct tap *t = m->pm.t;

	if (m->dma) {
		CHECK_NAMED(t, pz_dma_check(m->dma) == 0, "the layer is sound");
		CHECK_NAMED(t, pz_dma_destroy(m->dma) == 0, "nothing is in use");
		CHECK_NAMED(t, m->meta.bytes == 0, "all metadata came back");
		CHECK_NAMED(t, cm_free(m) + (m->lost >> 12) == m->managed, "every page came back");
		CHECK_NAMED(t, !m->maps && !m->strange && !m->blocked, "hooks were used well");
	}
	pm_close(&m->pm);
	if (m->raw)
		t->meta->free(t->meta->ctx, m->raw, m->raw_bytes);
}

struct pz_dma_dev *cm_device(struct coherent_machine *m, const struct pz_dma_dev_config *cfg)
{
	struct pz_dma_dev *dev = NULL;

	CHECK_NAMED(m->pm.t, pz_dma_dev_create(&dev, m->dma, cfg) == 0, "a device is made");
	return dev;
}

/* The physical address behind a bus address, as the device's wiring has it; false for none. */
static bool cm_wire(const struct coherent_machine *m, const struct pz_dma_dev_config *cfg,
		    uint64_t bus, uint64_t *phys)
{
	uint64_t bit = m->cfg.private_bit;

	if (bus > cfg->coherent_mask || (cfg->bus_limit && bus > cfg->bus_limit))
		return false;
	bus &= ~bit;
	*phys = bus;
	for (uint32_t i = 0; i < cfg->window_count; i++) {
		const struct pz_window *w = &cfg->windows[i];

		if (bus >= w->bus && bus - w->bus <= w->phys.last - w->phys.first) {
			*phys = w->phys.first + (bus - w->bus);
			break;
		}
		if (i + 1 == cfg->window_count)
			return false;
	}
	for (uint32_t i = 0; i < cfg->hole_count; i++) {
		if (*phys >= cfg->holes[i].first && *phys <= cfg->holes[i].last)
			return false;
	}
	return true;
}

/* Where a device's access ends; NULL when there is nothing, or nothing that it can read. */
static bool cm_access(struct coherent_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		      uint64_t *at)
{
	uint64_t phys;

	if (!cm_wire(m, cfg, bus, &phys))
		return false;
	*at = cm_at(phys, 1);
	if (*at == UINT64_MAX)
		return false;
	if (!m->cfg.private_bit && !cfg->shared)
		return true;
	/* An access without the private bit sees shared memory only, and one with it private. */
	return m->is_shared[*at / CM_PAGE] == !(m->cfg.private_bit && (bus & m->cfg.private_bit));
}

bool cm_device_read(struct coherent_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		    unsigned char *out)
{
	uint64_t at;

	if (!cm_access(m, cfg, bus, &at))
		return false;
	*out = cfg->coherent ? m->cache[at] : m->memory[at];
	return true;
}

bool cm_device_write(struct coherent_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		     unsigned char v)
{
	uint64_t at;

	if (!cm_access(m, cfg, bus, &at))
		return false;
	m->memory[at] = v;
	if (cfg->coherent)
		m->cache[at] = v;
	return true;
}

static bool cm_aligned(const struct coherent_machine *m, const struct pz_dma_dev_config *cfg,
		       const struct pz_dma_buf *buf)
{
	uint64_t block = CM_PAGE, bus = buf->bus & ~m->cfg.private_bit;

	while (block < buf->size)
		block *= 2;
	if (block < cfg->align)
		block = cfg->align;
	if (cfg->boundary && ((bus ^ (bus + (buf->size - 1))) & ~(cfg->boundary - 1)))
		return false;
	return !(bus & (block - 1));
}

bool cm_works(struct coherent_machine *m, const struct pz_dma_dev_config *cfg,
	      const struct pz_dma_buf *buf)
{
	unsigned char *p = buf->cpu_addr, v;
	bool ok = cm_aligned(m, cfg, buf);

	for (uint64_t i = 0; i < buf->size; i++) {
		ok = ok && cm_device_read(m, cfg, buf->bus + i, &v) && !v && (!p || !p[i]);
		if (p)
			p[i] = (unsigned char)(i * 7 + 1);
	}
	for (uint64_t i = 0; i < buf->size; i++) {
		ok = ok && cm_device_read(m, cfg, buf->bus + i, &v) &&
		     v == (p ? (unsigned char)(i * 7 + 1) : 0) &&
		     cm_device_write(m, cfg, buf->bus + i, (unsigned char)(i * 5 + 3)) &&
		     (!p || p[i] == (unsigned char)(i * 5 + 3));
	}
	return ok;
}

uint64_t cm_free(const struct coherent_machine *m)
{
	return pm_free(&m->pm);
}
