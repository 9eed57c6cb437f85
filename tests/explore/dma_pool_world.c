/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool_world.c - threads that use a pool of coherent blocks, and what must hold meanwhile.
 */
#include "dma_pool_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DW_PAGE ((size_t)4096)
#define DW_FRAMES 8u
#define DW_SLOTS 26u
#define DW_RUNS 200000u
#define DW_SPARE 16384u

/* Part of the state. */
struct dma_pool_world {
	struct pz_dma *dma;
	struct pz_dma_dev *dev;
	struct pz_dma_pool *p;
	struct {
		unsigned char *cpu;
		uint64_t bus;
		bool out;
	} slot[DW_SLOTS];
	uint32_t findings;
	unsigned char *memory;
};

static struct {
	const struct dma_pool_plan *plan;
	struct machine *m;
	struct dma_pool_world *w;
	void (*around)(unsigned int t, bool before);
} dw;

static void *dw_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return dw.w->memory + phys;
}

static void dw_found(void *ctx, const struct pz_dma_pool_finding *f)
{
	(void)ctx;
	dw.w->findings++;
	if (dw.w->findings > dw.plan->findings)
		explore_fail("finding %d of a block", (int)f->fault);
}

static uint32_t dw_cpu(unsigned int t)
{
	if (dw.plan->no_cpu)
		return PZ_CPU_NONE;
	return dw.plan->nested ? 0 : t;
}

static uint32_t dw_size(void)
{
	return dw.plan->size ? dw.plan->size : 1024;
}

static void dw_call(unsigned int t, bool before)
{
	if (dw.around)
		dw.around(t, before);
}

static void dw_take(unsigned int t, unsigned int x)
{
	struct dma_pool_world *w = dw.w;
	unsigned char *o;
	uint64_t bus;

	dw_call(t, true);
	o = pz_dma_pool_alloc(w->p, dw_cpu(t), 0, &bus);
	dw_call(t, false);
	if (!o) {
		if (!dw.plan->may_fail)
			explore_fail("no block for %c", 'a' + (int)x);
		return;
	}
	if (o != w->memory + bus)
		explore_fail("%c has addresses of two blocks", 'a' + (int)x);
	for (unsigned int i = 0; i < DW_SLOTS; i++) {
		if (w->slot[i].out && bus < w->slot[i].bus + dw_size() &&
		    w->slot[i].bus < bus + dw_size())
			explore_fail("%c is where %c is", 'a' + (int)x, 'a' + (int)i);
	}
	w->slot[x].cpu = o;
	w->slot[x].bus = bus;
	w->slot[x].out = true;
	memset(o, 'a' + (int)x, dw_size());
}

static void dw_give(unsigned int t, unsigned int x, bool twice)
{
	struct dma_pool_world *w = dw.w;
	unsigned char *o = w->slot[x].cpu;

	if (!w->slot[x].out && !twice)
		return;
	for (uint32_t i = 0; i < dw_size() && !twice; i++) {
		if (o[i] != 'a' + x) {
			explore_fail("somebody wrote to %c", 'a' + (int)x);
			return;
		}
	}
	w->slot[x].out = false;
	dw_call(t, true);
	pz_dma_pool_free(w->p, dw_cpu(t), o, w->slot[x].bus);
	dw_call(t, false);
}

static void dw_rest(unsigned int t, char what)
{
	struct pz_dma_pool_info info;

	dw_call(t, true);
	switch (what) {
	case '~':
		pz_dma_pool_drain(dw.w->p, dw_cpu(t));
		break;
	case 't':
		(void)pz_dma_pool_trim(dw.w->p, dw_cpu(t));
		break;
	case 'm':
		pz_dma_pool_info(dw.w->p, &info);
		break;
	default:
		fprintf(stderr, "dma_pool_world: a step '%c'\n", what);
		exit(2);
	}
	dw_call(t, false);
}

static void dw_text(unsigned int t, const char *s)
{
	for (; s && *s; s++) {
		char what = *s;

		if (what == '+')
			dw_take(t, (unsigned int)(*++s - 'a'));
		else if (what == '-' || what == '!')
			dw_give(t, (unsigned int)(*++s - 'a'), what == '!');
		else if (what != ' ')
			dw_rest(t, what);
	}
}

void dma_pool_world_thread(unsigned int t)
{
	dw_text(t, dw.plan->thread[t]);
}

static void dw_body(void *ctx, unsigned int t)
{
	(void)ctx;
	dma_pool_world_thread(t);
}

static void dw_check(const char *when)
{
	struct pz_dma_pool_info info;
	uint64_t out = 0;
	int rc = pz_dma_pool_check(dw.w->p);

	for (unsigned int i = 0; i < DW_SLOTS; i++)
		out += dw.w->slot[i].out;
	if (rc)
		explore_fail("%s: pz_dma_pool_check() says %d", when, rc);
	rc = pz_pages_check(dw.m->pages);
	if (rc)
		explore_fail("%s: pz_pages_check() says %d", when, rc);
	pz_dma_pool_info(dw.w->p, &info);
	if (info.used != out)
		explore_fail("%s: %llu blocks out, not %llu", when, (unsigned long long)info.used,
			     (unsigned long long)out);
	if (dw.m->bugs.count != dw.plan->findings || dw.w->findings != dw.plan->findings)
		explore_fail("%s: %u findings", when, dw.w->findings);
}

void dma_pool_world_finish(void)
{
	struct dma_pool_world *w = dw.w;
	uint32_t frames = dw.plan->frames ? dw.plan->frames : DW_FRAMES;
	void (*around)(unsigned int t, bool before) = dw.around;
	struct pz_dma_pool_info info;

	dw.around = NULL;
	dw_check("in the end");
	for (unsigned int i = 0; i < DW_SLOTS; i++)
		dw_give(0, i, false);
	for (uint32_t cpu = 0; cpu < EXPLORE_THREADS; cpu++)
		pz_dma_pool_drain(w->p, cpu);
	(void)pz_dma_pool_trim(w->p, PZ_CPU_NONE);
	dw_check("all freed");
	pz_dma_pool_info(w->p, &info);
	if (info.pages)
		explore_fail("all is free, and there are pages");
	if (pz_dma_pool_destroy(w->p, NULL, NULL))
		explore_fail("all is free, and the pool is not destroyed");
	if (machine_free(dw.m) != frames)
		explore_fail("%llu pages are free of %u", (unsigned long long)machine_free(dw.m),
			     frames);
	dw.around = around;
}

static void dw_end_of_run(void *ctx)
{
	(void)ctx;
	dma_pool_world_finish();
}

static void dw_make(const struct dma_pool_plan *plan)
{
	struct pz_dma_pool_config pc = { .name = plan->name,
					 .size = dw_size(),
					 .debug = plan->debug,
					 .magazine = plan->magazine ? plan->magazine : 1,
					 .found = dw_found };
	struct pz_dma_dev_config dc;
	struct pz_dma_config c;
	const char *why = "";

	memset(&c, 0, sizeof(c));
	c.pages = dw.m->pages;
	c.meta = &dw.m->meta;
	c.bugs = &dw.m->bugs;
	c.cpus = EXPLORE_THREADS;
	c.cma = PZ_DMA_NO_CMA;
	c.pool_bytes = UINT64_MAX;
	c.hooks.direct = dw_direct;
	pz_dma_dev_init(&dc, "dev", 32);
	if (pz_dma_create(&dw.w->dma, &c) || pz_dma_dev_create(&dw.w->dev, dw.w->dma, &dc) ||
	    pz_dma_pool_create(&dw.w->p, dw.w->dev, &pc, &why)) {
		fprintf(stderr, "dma_pool_world: no pool: %s\n", why);
		exit(2);
	}
}

struct machine *dma_pool_world_open(const struct dma_pool_plan *plan,
				    void (*around)(unsigned int t, bool before))
{
	uint32_t frames = plan->frames ? plan->frames : DW_FRAMES;
	struct machine_config cfg = { .frames = frames,
				      .cpus = EXPLORE_THREADS,
				      .no_grouping = true };
	const char *why;
	uintptr_t at;

	memset(&dw, 0, sizeof(dw));
	dw.plan = plan;
	dw.m = machine_make(&cfg, sizeof(struct dma_pool_world) + (frames + 1) * DW_PAGE, DW_SPARE);
	dw.w = machine_extra(dw.m);
	at = ((uintptr_t)(dw.w + 1) + DW_PAGE - 1) & ~(uintptr_t)(DW_PAGE - 1);
	dw.w->memory = (unsigned char *)at;
	dw_make(plan);
	dw_text(0, plan->before);
	why = explore_failure();
	if (why) {
		fprintf(stderr, "dma_pool_world: %s: %s: %s\n", plan->name, plan->before, why);
		exit(2);
	}
	dw.around = around;
	return dw.m;
}

void dma_pool_world_close(void)
{
	machine_drop(dw.m);
}

void dma_pool_world_run(const struct dma_pool_plan *plan)
{
	struct explore_plan how = { plan->bound, false, false, 0 };
	struct explore e;

	memset(&e, 0, sizeof(e));
	e.state = dma_pool_world_open(plan, NULL);
	e.size = dw.m->size;
	e.body = dw_body;
	e.end = dw_end_of_run;
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.no_merge = true; /* the state is large, and most choices differ */
	e.max_runs = DW_RUNS;
	explore_tap(plan->name, &e, &how);
	dma_pool_world_close();
}
