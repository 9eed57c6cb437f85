/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - a tiny machine with a page allocator, in one piece of memory.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE_SHIFT 12u
#define MACHINE_ROOM ((size_t)8 << 20) /* while it is built */

struct machine_plan {
	struct pz_meta meta; /* malloc */
	struct pz_memblock memblock;
	struct pz_zones zones;
};

static void machine_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "no machine: %s\n", what);
	exit(2);
}

static void *machine_malloc(void *ctx, size_t size)
{
	return malloc(size);
}

static void machine_release(void *ctx, void *p, size_t size)
{
	free(p);
}

/* Memory inside the piece, one after the other. */
static void *machine_bump(void *ctx, size_t size)
{
	struct machine *m = ctx;
	size_t need = (size + 63) & ~(size_t)63;
	void *p = (unsigned char *)m + m->used;

	if (need < size || need > m->size - m->used)
		return NULL;
	m->used += need;
	return p;
}

/* Only the last piece is given out again. */
static void machine_unbump(void *ctx, void *p, size_t size)
{
	struct machine *m = ctx;
	size_t need = (size + 63) & ~(size_t)63;

	if ((unsigned char *)p + need != (unsigned char *)m + m->used)
		return;
	m->used -= need;
	memset(p, 0, need);
}

static void machine_lay_out(struct machine_plan *plan, const struct machine_config *cfg)
{
	struct pz_zone_config zc;

	plan->meta.alloc = machine_malloc;
	plan->meta.free = machine_release;
	machine_need(!pz_memblock_init(&plan->memblock, &plan->meta, MACHINE_SHIFT) &&
		     !pz_memblock_add(&plan->memblock, 0, cfg->frames << MACHINE_SHIFT, 0, 0),
		     "no memory");
	if (cfg->late.last)
		machine_need(!pz_memblock_reserve(&plan->memblock, cfg->late.first << MACHINE_SHIFT,
						  (cfg->late.last - cfg->late.first + 1)
							  << MACHINE_SHIFT, 0, 0),
			     "nothing reserved");
	memset(&zc, 0, sizeof(zc));
	zc.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	zc.page_shift = MACHINE_SHIFT;
	zc.max_order_pages = 1024;
	zc.max_pfn[PZ_ZONE_NORMAL] = cfg->frames;
	machine_need(!pz_zones_build(&plan->zones, &plan->meta, &plan->memblock, &zc) &&
		     !pz_zones_set_managed(&plan->zones, &plan->memblock, UINT64_MAX), "no zones");
}

struct machine *machine_make(const struct machine_config *cfg, size_t extra, size_t spare)
{
	struct machine_plan *plan = calloc(1, sizeof(*plan));
	/* Aligned alike in every run of the program, so that a hash does not depend on it. */
	struct machine *m = aligned_alloc(4096, MACHINE_ROOM);
	struct pz_page_config pc;
	int rc;

	machine_need(plan && m, "out of memory");
	memset(m, 0, MACHINE_ROOM);
	m->size = MACHINE_ROOM;
	m->used = (sizeof(*m) + extra + 63) & ~(size_t)63;
	m->plan = plan;
	m->bugs.policy = PZ_BUG_IGNORE;
	m->meta.alloc = machine_bump;
	m->meta.free = machine_unbump;
	m->meta.ctx = m;
	machine_lay_out(plan, cfg);
	memset(&pc, 0, sizeof(pc));
	pc.meta = &m->meta;
	pc.zones = &plan->zones;
	pc.memblock = &plan->memblock;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = cfg->cpus ? cfg->cpus : 1;
	pc.policy = cfg->policy;
	pc.pageblock_order = cfg->pageblock_order;
	pc.no_grouping = cfg->no_grouping;
	pc.keep_pages = UINT64_MAX;
	pc.pcp_hold = cfg->pcp_high != 0;
	pc.pcp_batch = cfg->pcp_batch;
	pc.pcp_high = cfg->pcp_high;
	pc.debug = cfg->debug;
	pc.bugs = &m->bugs;
	rc = pz_pages_create(&m->pages, &pc);
	if (rc)
		fprintf(stderr, "pz_pages_create: %d\n", rc);
	machine_need(!rc, "no page allocator");
	m->size = (m->used + spare + 63) & ~(size_t)63;
	machine_need(m->size <= MACHINE_ROOM, "too much metadata");
	return m;
}

void machine_drop(struct machine *m)
{
	struct machine_plan *plan = m->plan;

	pz_pages_destroy(m->pages);
	pz_zones_destroy(&plan->zones);
	pz_memblock_destroy(&plan->memblock);
	free(plan);
	free(m);
}

uint64_t machine_free(const struct machine *m)
{
	struct pz_area_stat s;
	uint64_t sum = 0;

	for (uint32_t a = 0; a < pz_page_areas(m->pages); a++) {
		pz_page_area_stat(m->pages, a, PZ_PAGE_MAX_ORDER, &s);
		sum += s.free + s.held;
	}
	return sum;
}

uint64_t machine_held(const struct machine *m)
{
	struct pz_area_stat s;
	uint64_t sum = 0;

	for (uint32_t a = 0; a < pz_page_areas(m->pages); a++) {
		pz_page_area_stat(m->pages, a, 0, &s);
		sum += s.held;
	}
	return sum;
}

const struct pz_zones *machine_zones(const struct machine *m)
{
	return &m->plan->zones;
}

struct pz_limits machine_limits(uint64_t first, uint64_t last)
{
	struct pz_limits l = pz_limits_any();

	l.min_addr = first << MACHINE_SHIFT;
	l.max_addr = ((last + 1) << MACHINE_SHIFT) - 1;
	return l;
}
