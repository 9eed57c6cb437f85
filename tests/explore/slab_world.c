/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_world.c - threads that use an object cache, and what must hold meanwhile.
 */
#include "slab_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SW_PAGE ((size_t)4096)
#define SW_FRAMES 8u
#define SW_SLOTS 26u
#define SW_RUNS 200000u
#define SW_SPARE 16384u

/* Part of the state. */
struct slab_world {
	struct pz_slabs *s;
	struct pz_kmem_cache *c;
	unsigned char *slot[SW_SLOTS];
	uint32_t findings;
	uint32_t failed; /* allocations */
};

static struct {
	const struct slab_plan *plan;
	struct machine *m;
	struct slab_world *w;
	void (*around)(unsigned int t, bool before);
} sw;

static void sw_found(void *ctx, const struct pz_slab_finding *f)
{
	(void)ctx;
	sw.w->findings++;
	explore_fail("finding %d of an object", (int)f->fault);
}

static uint32_t sw_cpu(unsigned int t)
{
	if (sw.plan->no_cpu)
		return PZ_CPU_NONE;
	return sw.plan->nested ? 0 : t;
}

static uint32_t sw_size(void)
{
	return sw.plan->many ? 56 : sw.plan->size ? sw.plan->size : 1000;
}

static void sw_calls(unsigned int t)
{
	if (sw.around)
		sw.around(t, true);
}

static void sw_returned(unsigned int t)
{
	if (sw.around)
		sw.around(t, false);
}

static void sw_take(unsigned int t, unsigned int x)
{
	struct slab_world *w = sw.w;
	unsigned char *o;

	sw_calls(t);
	o = pz_kmem_cache_alloc(w->c, sw_cpu(t), 0);
	sw_returned(t);
	if (!o) {
		w->failed++;
		if (!sw.plan->may_fail)
			explore_fail("no object for %c", 'a' + (int)x);
		return;
	}
	for (unsigned int i = 0; i < SW_SLOTS; i++) {
		if (w->slot[i] && o < w->slot[i] + sw_size() && w->slot[i] < o + sw_size())
			explore_fail("%c is where %c is", 'a' + (int)x, 'a' + (int)i);
	}
	if (w->slot[x])
		explore_fail("%c is out already", 'a' + (int)x);
	w->slot[x] = o;
	memset(o, 'a' + (int)x, sw_size());
}

static void sw_give(unsigned int t, unsigned int x)
{
	struct slab_world *w = sw.w;
	unsigned char *o = w->slot[x];

	if (!o)
		return;
	for (uint32_t i = 0; i < sw_size(); i++) {
		if (o[i] != 'a' + x) {
			explore_fail("somebody wrote to %c", 'a' + (int)x);
			return;
		}
	}
	w->slot[x] = NULL;
	sw_calls(t);
	pz_kmem_cache_free(w->c, sw_cpu(t), o);
	sw_returned(t);
}

static void sw_rest(unsigned int t, char what)
{
	struct slab_world *w = sw.w;
	struct pz_kmem_cache_stat st;
	uint64_t ticket;

	sw_calls(t);
	switch (what) {
	case '~':
		pz_slab_drain(w->s, sw_cpu(t));
		break;
	case 's':
		(void)pz_kmem_cache_shrink(w->c, sw_cpu(t));
		break;
	case 'r':
		(void)pz_slab_reclaim(w->s, sw_cpu(t), NULL, false);
		break;
	case 'g':
		ticket = pz_slab_grace_begin(w->s);
		(void)pz_slab_grace_end(w->s, sw_cpu(t), ticket);
		break;
	case 'D':
		if (pz_kmem_cache_destroy(w->c, NULL, NULL))
			explore_fail("the cache is not destroyed");
		w->c = NULL;
		break;
	case 'm':
		pz_kmem_cache_stat(w->c, &st);
		break;
	default:
		fprintf(stderr, "slab_world: a step '%c'\n", what);
		exit(2);
	}
	sw_returned(t);
}

static void sw_text(unsigned int t, const char *s)
{
	for (; s && *s; s++) {
		if (*s == '+')
			sw_take(t, (unsigned int)(*++s - 'a'));
		else if (*s == '-')
			sw_give(t, (unsigned int)(*++s - 'a'));
		else if (*s != ' ')
			sw_rest(t, *s);
	}
}

void slab_world_thread(unsigned int t)
{
	sw_text(t, sw.plan->thread[t]);
}

static void sw_body(void *ctx, unsigned int t)
{
	(void)ctx;
	slab_world_thread(t);
}

static void sw_check(const char *when)
{
	struct pz_kmem_cache_stat st;
	uint64_t out = 0;
	int rc = pz_slabs_check(sw.w->s);

	for (unsigned int i = 0; i < SW_SLOTS; i++)
		out += sw.w->slot[i] != NULL;
	if (rc)
		explore_fail("%s: pz_slabs_check() says %d", when, rc);
	rc = pz_pages_check(sw.m->pages);
	if (rc)
		explore_fail("%s: pz_pages_check() says %d", when, rc);
	memset(&st, 0, sizeof(st));
	if (sw.w->c)
		pz_kmem_cache_stat(sw.w->c, &st);
	if (st.active != out)
		explore_fail("%s: %llu objects out, not %llu", when, (unsigned long long)st.active,
			     (unsigned long long)out);
	if (sw.m->bugs.count || sw.w->findings)
		explore_fail("%s: right calls were called misuse", when);
}

void slab_world_finish(void)
{
	struct slab_world *w = sw.w;
	struct pz_slabs_cost cost;
	uint32_t frames = sw.plan->frames ? sw.plan->frames : SW_FRAMES;
	void (*around)(unsigned int t, bool before) = sw.around;

	sw.around = NULL;
	sw_check("in the end");
	for (unsigned int i = 0; i < SW_SLOTS; i++)
		sw_give(0, i);
	for (uint32_t cpu = 0; cpu < EXPLORE_THREADS; cpu++)
		pz_slab_drain(w->s, cpu);
	if (w->c)
		(void)pz_kmem_cache_shrink(w->c, PZ_CPU_NONE);
	(void)pz_slab_grace_end(w->s, PZ_CPU_NONE, pz_slab_grace_begin(w->s));
	sw_check("all freed");
	pz_slabs_cost(w->s, &cost);
	if (cost.slabs)
		explore_fail("all is free, and there are slabs");
	if (machine_free(sw.m) != frames - cost.slab_bytes / SW_PAGE)
		explore_fail("%llu pages are free of %u, %llu bytes of descriptors",
			     (unsigned long long)machine_free(sw.m), frames,
			     (unsigned long long)cost.slab_bytes);
	if (pz_kmem_cache_destroy(w->c, NULL, NULL))
		explore_fail("all is free, and the cache is not destroyed");
	sw.around = around;
}

static void sw_end_of_run(void *ctx)
{
	(void)ctx;
	slab_world_finish();
}

static void sw_make(const struct slab_plan *plan, unsigned char *memory, uint32_t frames)
{
	static const struct pz_slab_layout many = { 56, 0, 56, 24, 0, 0, 73, 0, 73 };
	static const struct pz_slab_layout four = { 1024, 0, 1000, 1000, 0, 0, 4, 0, 4 };
	struct pz_kmem_cache_config cc;
	struct pz_slabs_config c;
	const char *why = "";

	memset(&c, 0, sizeof(c));
	c.pages = sw.m->pages;
	c.zones = machine_zones(sw.m);
	c.meta = &sw.m->meta;
	c.mapped.last = frames * SW_PAGE - 1;
	c.virt = memory;
	c.page_shift = 12;
	c.cpus = EXPLORE_THREADS;
	c.max_caches = 1;
	c.seed = 99;
	c.bugs = &sw.m->bugs;
	c.hooks.found = sw_found;
	memset(&cc, 0, sizeof(cc));
	cc.name = plan->name;
	cc.size = sw_size();
	cc.flags = plan->flags;
	cc.debug = plan->debug;
	cc.magazine = plan->magazine ? plan->magazine : 1;
	cc.keep = plan->keep ? plan->keep : UINT32_MAX;
	cc.layout = plan->many ? &many : plan->size || plan->debug ? NULL : &four;
	if (pz_slabs_create(&sw.w->s, &c) || pz_kmem_cache_create(&sw.w->c, sw.w->s, &cc, &why)) {
		fprintf(stderr, "slab_world: no cache: %s\n", why);
		exit(2);
	}
}

struct machine *slab_world_open(const struct slab_plan *plan,
				void (*around)(unsigned int t, bool before))
{
	uint32_t frames = plan->frames ? plan->frames : SW_FRAMES;
	struct machine_config cfg = { .frames = frames,
				      .cpus = EXPLORE_THREADS,
				      .no_grouping = true };
	const char *why;
	uintptr_t at;

	memset(&sw, 0, sizeof(sw));
	sw.plan = plan;
	sw.m = machine_make(&cfg, sizeof(struct slab_world) + (frames + 1) * SW_PAGE, SW_SPARE);
	sw.w = machine_extra(sw.m);
	at = ((uintptr_t)(sw.w + 1) + SW_PAGE - 1) & ~(uintptr_t)(SW_PAGE - 1);
	sw_make(plan, (unsigned char *)at, frames);
	sw_text(0, plan->before);
	why = explore_failure();
	if (why) {
		fprintf(stderr, "slab_world: %s: %s: %s\n", plan->name, plan->before, why);
		exit(2);
	}
	sw.around = around;
	return sw.m;
}

void slab_world_close(void)
{
	machine_drop(sw.m);
}

void slab_world_run(const struct slab_plan *plan)
{
	struct explore_plan how = { plan->bound, false, false, 0 };
	struct explore e;

	memset(&e, 0, sizeof(e));
	e.state = slab_world_open(plan, NULL);
	e.size = sw.m->size;
	e.body = sw_body;
	e.end = sw_end_of_run;
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.may_wait = plan->may_wait;
	e.no_merge = true; /* the state is large, and most choices differ */
	e.max_runs = SW_RUNS;
	explore_tap(plan->name, &e, &how);
	slab_world_close();
}
