/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_world.c - threads that map memory through bounce buffers, and what must hold meanwhile.
 *
 * Physical memory: page frames from 0 on, what is set aside behind them, then what is mapped, which
 * the device does not reach. All of it is part of the state.
 */
#include "bounce_world.h"

#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BW_PAGE ((uint64_t)4096)
#define BW_LETTERS 8u
#define BW_FRAMES 8u /* of the machine, at least */
#define BW_SPARE ((size_t)96 << 10)
#define BW_RUNS 200000u

/* Part of the state. */
struct bounce_world {
	struct pz_bounce *b;
	struct pz_dma *dma;
	struct pz_dma_dev *dev;
	struct {
		uint64_t bus, size; /* size 0: not mapped */
		bool twice;	    /* unmapped by whoever came first */
	} map[BW_LETTERS];
};

static struct {
	const struct bounce_plan *plan;
	struct machine *m;
	struct bounce_world *w;
	unsigned char *memory;
	uint64_t aside, mapped, end; /* physical addresses where the parts begin */
	void (*around)(unsigned int t, bool before);
} bw;

static void *bw_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	return phys < bw.end && bytes <= bw.end - phys ? bw.memory + phys : NULL;
}

static uint32_t bw_most(void)
{
	return bw.plan->most ? bw.plan->most : 2;
}

static void bw_calls(unsigned int t)
{
	if (bw.around)
		bw.around(t, true);
}

static void bw_returned(unsigned int t)
{
	if (bw.around)
		bw.around(t, false);
}

static uint64_t bw_phys(unsigned int x)
{
	return bw.mapped + x * bw_most() * PZ_BOUNCE_SLOT;
}

/* All bytes of a piece of memory, or of one in each slot. */
static void bw_fill(uint64_t phys, uint64_t size, unsigned int letter)
{
	for (uint64_t i = 0; i < size; i += PZ_BOUNCE_SLOT)
		bw.memory[phys + i] = (unsigned char)letter;
	bw.memory[phys + size - 1] = (unsigned char)letter;
}

static void bw_holds(uint64_t phys, uint64_t size, unsigned int letter, const char *what)
{
	bool ok = bw.memory[phys + size - 1] == letter;

	for (uint64_t i = 0; i < size; i += PZ_BOUNCE_SLOT)
		ok = ok && bw.memory[phys + i] == letter;
	if (!ok)
		explore_fail("%s of %c is not what it was", what, (int)letter | 32);
}

static void bw_map(unsigned int t, unsigned int x, uint32_t slots, bool may)
{
	uint64_t size = (slots - 1) * PZ_BOUNCE_SLOT + 8, phys = bw_phys(x), bus;
	struct bounce_world *w = bw.w;
	int rc;

	bw_fill(phys, size, 'a' + x);
	bw_calls(t);
	rc = pz_dma_map_try(w->dev, bw.plan->nested ? 0 : t, phys, size, PZ_DMA_BIDIRECTIONAL, 0,
			    &bus);
	bw_returned(t);
	if (rc) {
		if (!may || rc != -PZ_ENOMEM)
			explore_fail("no room for %c: %d", 'a' + (int)x, rc);
		return;
	}
	if (bus >= bw.mapped)
		explore_fail("%c is not in reach", 'a' + (int)x);
	bw_holds(bus, size, 'a' + x, "the buffer");
	w->map[x].bus = bus;
	w->map[x].size = size;
}

static void bw_unmap(unsigned int t, unsigned int x, bool twice)
{
	struct bounce_world *w = bw.w;
	uint64_t bus = w->map[x].bus, size = w->map[x].size;

	if (!size)
		return;
	w->map[x].twice = twice;
	if (!twice) {
		bw_holds(bus, size, 'a' + x, "the buffer");
		bw_fill(bus, size, 'A' + x);
		w->map[x].size = 0;
	}
	bw_calls(t);
	pz_dma_unmap(w->dev, bw.plan->nested ? 0 : t, bus, size, PZ_DMA_BIDIRECTIONAL, 0);
	bw_returned(t);
	if (!twice)
		bw_holds(bw_phys(x), size, 'A' + x, "the memory");
}

static int bw_visit(void *ctx, const struct pz_bounce_use *u)
{
	(void)ctx;
	if (u->dev != bw.w->dev || u->phys < bw.mapped || u->phys >= bw.end || !u->size ||
	    u->slots.last - u->slots.first + 1 < u->size)
		explore_fail("a visit finds what nobody holds");
	return 0;
}

static void bw_rest(unsigned int t, char what, unsigned int x)
{
	struct bounce_world *w = bw.w;
	struct pz_bounce_stat st;

	bw_calls(t);
	switch (what) {
	case 't':
		pz_bounce_trim(w->b, t);
		break;
	case 'v':
		(void)pz_bounce_for_each(w->b, NULL, bw_visit, NULL);
		break;
	case 's':
		pz_bounce_stat(w->b, &st);
		break;
	case 'y':
		if (w->map[x].size)
			pz_dma_sync_for_cpu(w->dev, w->map[x].bus, w->map[x].size,
					    PZ_DMA_BIDIRECTIONAL);
		break;
	default:
		fprintf(stderr, "bounce_world: a step '%c'\n", what);
		exit(2);
	}
	bw_returned(t);
}

static void bw_text(unsigned int t, const char *s)
{
	while (s && *s) {
		char what = *s++;
		unsigned int x = (unsigned int)(*s - 'a');

		if (what == ' ')
			continue;
		if (what == '-' || what == '!') {
			bw_unmap(t, x, what == '!');
			s++;
		} else if (*s == '=') {
			uint32_t slots = (uint32_t)strtoul(s + 1, (char **)&s, 10);

			bw_map(t, (unsigned int)(what - 'a'), slots, *s == '?');
			s += *s == '?';
		} else {
			bw_rest(t, what, x);
			s += what == 'y';
		}
	}
}

void bounce_world_thread(unsigned int t)
{
	bw_text(t, bw.plan->thread[t]);
}

static void bw_body(void *ctx, unsigned int t)
{
	(void)ctx;
	bounce_world_thread(t);
}

static void bw_check(const char *when)
{
	int rc = pz_bounce_check(bw.w->b);

	if (rc)
		explore_fail("%s: pz_bounce_check() says %d", when, rc);
	rc = pz_pages_check(bw.m->pages);
	if (rc)
		explore_fail("%s: pz_pages_check() says %d", when, rc);
	if (bw.m->bugs.count != bw.plan->misuses)
		explore_fail("%s: %llu misuses were told, not %u", when,
			     (unsigned long long)bw.m->bugs.count, bw.plan->misuses);
}

void bounce_world_finish(void)
{
	void (*around)(unsigned int t, bool before) = bw.around;
	struct bounce_world *w = bw.w;
	struct pz_bounce_stat st;

	bw.around = NULL;
	bw_check("in the end");
	for (unsigned int x = 0; x < BW_LETTERS; x++)
		if (!w->map[x].twice)
			bw_unmap(0, x, false);
	pz_bounce_trim(w->b, 0);
	bw_check("all unmapped");
	pz_bounce_stat(w->b, &st);
	if (st.used || st.pools != (bw.plan->pages ? 1 : 0))
		explore_fail("all is unmapped, and %llu slots are in use in %u pools",
			     (unsigned long long)st.used, st.pools);
	if (machine_free(bw.m) != bw.aside / BW_PAGE)
		explore_fail("%llu pages are free", (unsigned long long)machine_free(bw.m));
	bw.around = around;
}

static void bw_end_of_run(void *ctx)
{
	(void)ctx;
	bounce_world_finish();
}

static void bw_make(const struct bounce_plan *plan)
{
	struct pz_range aside = { bw.aside, bw.mapped - 1 };
	struct pz_bounce_config bc;
	struct pz_dma_config dc;
	struct pz_dma_dev_config dev;

	memset(&bc, 0, sizeof(bc));
	memset(&dc, 0, sizeof(dc));
	bc.meta = dc.meta = &bw.m->meta;
	bc.bugs = dc.bugs = &bw.m->bugs;
	bc.ranges = &aside;
	bc.range_count = plan->pages ? 1 : 0;
	bc.cpus = dc.cpus = EXPLORE_THREADS;
	bc.areas = plan->keep ? 0 : 2;
	bc.pages = plan->frames ? bw.m->pages : NULL;
	bc.reserve_bytes = UINT64_MAX;
	bc.grow_bytes = BW_PAGE;
	bc.hooks.direct = dc.hooks.direct = bw_direct;
	dc.pages = bw.m->pages;
	dc.cma = PZ_DMA_NO_CMA;
	dc.pool_bytes = UINT64_MAX;
	if (pz_bounce_create(&bw.w->b, &bc))
		exit(2);
	dc.bounce = bw.w->b;
	pz_dma_dev_init(&dev, "device", 32);
	dev.mask = bw.mapped - 1;
	if (pz_dma_create(&bw.w->dma, &dc) || pz_dma_dev_create(&bw.w->dev, bw.w->dma, &dev)) {
		fprintf(stderr, "bounce_world: no device\n");
		exit(2);
	}
}

struct machine *bounce_world_open(const struct bounce_plan *plan,
				  void (*around)(unsigned int t, bool before))
{
	uint32_t frames = plan->frames ? plan->frames : BW_FRAMES;
	struct machine_config cfg = { .frames = frames,
				      .cpus = EXPLORE_THREADS,
				      .no_grouping = true };
	const char *why;
	uintptr_t at;

	memset(&bw, 0, sizeof(bw));
	bw.plan = plan;
	bw.aside = frames * BW_PAGE;
	bw.mapped = bw.aside + plan->pages * BW_PAGE;
	bw.end = bw.mapped + BW_LETTERS * bw_most() * PZ_BOUNCE_SLOT;
	bw.m = machine_make(&cfg, sizeof(struct bounce_world) + bw.end + BW_PAGE, BW_SPARE);
	bw.w = machine_extra(bw.m);
	at = ((uintptr_t)(bw.w + 1) + BW_PAGE - 1) & ~(uintptr_t)(BW_PAGE - 1);
	bw.memory = (unsigned char *)at;
	bw_make(plan);
	bw_text(0, plan->before);
	why = explore_failure();
	if (why) {
		fprintf(stderr, "bounce_world: %s: %s: %s\n", plan->name, plan->before, why);
		exit(2);
	}
	bw.around = around;
	return bw.m;
}

void bounce_world_close(void)
{
	machine_drop(bw.m);
}

void bounce_world_run(const struct bounce_plan *plan)
{
	struct explore_plan how = { plan->bound, false, false, 0 };
	struct explore e;

	memset(&e, 0, sizeof(e));
	e.state = bounce_world_open(plan, NULL);
	e.size = bw.m->size;
	e.body = bw_body;
	e.end = bw_end_of_run;
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.no_merge = true; /* the state is large, and most choices differ */
	e.max_runs = BW_RUNS;
	explore_tap(plan->name, &e, &how);
	bounce_world_close();
}
