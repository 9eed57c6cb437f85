/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_machine.c - a small machine with memory behind it, and caches, for the contract suites.
 */
#include "slab_machine.h"

#define SM_ALIGN ((uintptr_t)1 << 16) /* of the memory: as much as any test asks for */

static void sm_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static void sm_tell(void *ctx, const struct pz_slab_finding *f)
{
	struct slab_machine *m = ctx;

	if (m->findings < SM_FOUND)
		m->found[m->findings] = *f;
	m->findings++;
}

bool sm_lay_out_as(struct slab_machine *m, struct tap *t, const struct sm_plan *plan)
{
	uint64_t base = plan->first ? plan->first : SM_FIRST;
	uint32_t shift = plan->page_shift ? plan->page_shift : 12, cpus = plan->cpus;
	uint32_t nodes = plan->nodes == 2 ? 2 : 1;
	struct pm_region part[2] = { { base, SM_BYTES / nodes, 0, false },
				     { base + SM_BYTES / 2, SM_BYTES / 2, 1, false } };
	struct pz_zone_config zones = pm_pc(base + SM_BYTES);

	zones.page_shift = shift;
	for (uint32_t i = 0; i < PZ_ZONE_TYPES; i++)
		zones.max_pfn[i] >>= shift - 12;
	if (!cpus)
		cpus = 1;
	sm_clear(m, sizeof(*m));
	m->raw_bytes = (size_t)SM_BYTES + SM_ALIGN;
	m->raw = t->meta->alloc(t->meta->ctx, m->raw_bytes);
	if (!CHECK_NAMED(t, m->raw != NULL, "there is memory"))
		return false;
	if (!CHECK_NAMED(t, pm_lay_out(&m->pm, t, part, nodes, &zones), "the machine is laid out"))
		return false;
	m->pm.cfg.cpus = cpus;
	if (!pm_make(&m->pm))
		return false;
	m->managed = pm_free(&m->pm);
	m->cfg.pages = m->pm.pages;
	m->cfg.zones = &m->pm.z;
	m->cfg.meta = t->meta;
	m->cfg.mapped.first = base;
	m->cfg.mapped.last = base + SM_BYTES - 1;
	m->cfg.virt = (void *)(((uintptr_t)m->raw + SM_ALIGN - 1) & ~(SM_ALIGN - 1));
	m->cfg.page_shift = shift;
	m->cfg.cpus = cpus;
	m->cfg.max_caches = 64;
	m->cfg.seed = 0x5eed5eed5eed5eedull;
	m->cfg.bugs = &m->pm.bugs;
	m->cfg.hooks.found = sm_tell;
	m->cfg.hooks.ctx = m;
	return true;
}

bool sm_lay_out(struct slab_machine *m, struct tap *t, uint32_t cpus)
{
	struct sm_plan plan = { 0, cpus, 1, 0 };

	return sm_lay_out_as(m, t, &plan);
}

bool sm_make(struct slab_machine *m)
{
	int rc = pz_slabs_create(&m->s, &m->cfg);

	if (rc)
		m->s = NULL;
	return CHECK_NAMED(m->pm.t, rc == 0, "the set of caches is made");
}

bool sm_simple(struct slab_machine *m, struct tap *t)
{
	return sm_lay_out(m, t, 1) && sm_make(m);
}

void sm_close(struct slab_machine *m)
{
	struct tap *t = m->pm.t;

	if (m->s) {
		CHECK_NAMED(t, pz_slabs_check(m->s) == 0, "the caches are sound");
		CHECK_NAMED(t, pz_slabs_destroy(m->s) == 0, "nothing is in use");
		CHECK_NAMED(t, pm_free(&m->pm) == m->managed, "every page came back");
	}
	pm_close(&m->pm);
	if (m->raw)
		t->meta->free(t->meta->ctx, m->raw, m->raw_bytes);
}

struct pz_kmem_cache *sm_cache(struct slab_machine *m, const char *name, uint32_t size,
			       uint32_t flags, uint32_t debug)
{
	struct pz_kmem_cache_config cfg;
	struct pz_kmem_cache *c = NULL;

	sm_clear(&cfg, sizeof(cfg));
	cfg.name = name;
	cfg.size = size;
	cfg.flags = flags;
	cfg.debug = debug;
	CHECK_NAMED(m->pm.t, pz_kmem_cache_create(&c, m->s, &cfg, NULL) == 0, "a cache is made");
	return c;
}

uint32_t sm_found(const struct slab_machine *m, enum pz_slab_fault fault)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->findings && i < SM_FOUND; i++)
		n += m->found[i].fault == fault;
	return n;
}
