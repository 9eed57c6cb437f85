/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent_world.c - threads that allocate coherent buffers, and what must hold meanwhile.
 */
#include "coherent_world.h"

#include <physzone/dma.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CW_PAGE ((uint64_t)4096)
#define CW_LETTERS 8u
#define CW_SPARE ((size_t)96 << 10)
#define CW_RUNS 90000u

/* Part of the state. */
struct coherent_world {
	struct pz_dma *dma;
	struct pz_dma_dev *dev[2]; /* whose memory is mapped, and the other one */
	struct {
		struct pz_dma_buf buf;
		bool out, twice, plain;
	} buf[CW_LETTERS];
	bool asked; /* for work, since the threads began */
};

static struct {
	const struct coherent_plan *plan;
	struct machine *m;
	struct coherent_world *w;
	unsigned char *memory;
	void (*around)(unsigned int t, bool before);
} cw;

static void *cw_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return cw.memory + phys;
}

static void *cw_remap(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached)
{
	(void)attrs;
	(void)cached;
	return cw_direct(ctx, phys, bytes);
}

static void cw_unmap(void *ctx, void *p, uint64_t bytes)
{
	(void)ctx;
	(void)p;
	(void)bytes;
}

static void cw_calls(unsigned int t, bool before)
{
	if (cw.around)
		cw.around(t, before);
}

/* The first and last byte of each page. */
static bool cw_is(const struct pz_dma_buf *buf, unsigned char v)
{
	const unsigned char *p = buf->cpu_addr;
	bool ok = true;

	for (uint64_t i = 0; i < buf->size; i += CW_PAGE)
		ok = ok && p[i] == v && p[i + CW_PAGE - 1] == v;
	return ok;
}

static void cw_fill(const struct pz_dma_buf *buf, unsigned char v)
{
	unsigned char *p = buf->cpu_addr;

	for (uint64_t i = 0; i < buf->size; i += CW_PAGE)
		p[i] = p[i + CW_PAGE - 1] = v;
}

static uint32_t cw_cpu(unsigned int t)
{
	return cw.plan->nested ? 0 : t;
}

static void cw_alloc(unsigned int t, unsigned int x, uint64_t pages, bool plain, bool may)
{
	struct coherent_world *w = cw.w;
	struct pz_dma_buf buf;
	int rc;

	cw_calls(t, true);
	rc = pz_dma_alloc(w->dev[plain], cw_cpu(t), 0, 0, pages * CW_PAGE, &buf);
	cw_calls(t, false);
	if (rc) {
		if (!may || rc != -PZ_ENOMEM)
			explore_fail("no room for %c: %d", 'a' + (int)x, rc);
		return;
	}
	if (!cw_is(&buf, 0))
		explore_fail("%c is not zeroed", 'a' + (int)x);
	cw_fill(&buf, (unsigned char)('a' + x));
	w->buf[x].buf = buf;
	w->buf[x].plain = plain;
	w->buf[x].out = true;
}

static void cw_free(unsigned int t, unsigned int x, bool twice)
{
	struct coherent_world *w = cw.w;
	struct pz_dma_buf buf = w->buf[x].buf;

	if (!w->buf[x].out)
		return;
	if (!twice && !cw_is(&buf, (unsigned char)('a' + x)))
		explore_fail("somebody wrote to %c", 'a' + (int)x);
	w->buf[x].twice = twice;
	if (!twice)
		w->buf[x].out = false;
	cw_calls(t, true);
	pz_dma_free(w->dev[w->buf[x].plain], cw_cpu(t), &buf);
	cw_calls(t, false);
}

static int cw_visit(void *ctx, const struct pz_dma_holder *h)
{
	(void)ctx;
	if (h->dev != cw.w->dev[0] || h->from != PZ_DMA_FROM_ATOMIC ||
	    h->phys.first > h->phys.last || h->phys.last >= cw.plan->frames * CW_PAGE)
		explore_fail("a visit finds what nobody holds");
	return 0;
}

static void cw_rest(unsigned int t, char what)
{
	struct pz_dma_pool_stat st[2];

	cw_calls(t, true);
	switch (what) {
	case 'w':
		(void)pz_dma_work(cw.w->dma, cw_cpu(t));
		break;
	case 'v':
		(void)pz_dma_holders(cw.w->dma, cw.w->dev[0], cw_visit, NULL);
		break;
	case 's':
		if (pz_dma_pool_stats(cw.w->dma, st, 2) != 1 || st[0].free > st[0].bytes)
			explore_fail("the numbers of the pool");
		break;
	default:
		fprintf(stderr, "coherent_world: a step '%c'\n", what);
		exit(2);
	}
	cw_calls(t, false);
}

static void cw_text(unsigned int t, const char *s)
{
	while (s && *s) {
		char what = *s++;

		if (what == ' ')
			continue;
		if (what == '-' || what == '!') {
			cw_free(t, (unsigned int)(*s++ - 'a'), what == '!');
		} else if (*s == '=' || *s == ':') {
			bool plain = *s == ':';
			uint64_t pages = strtoul(s + 1, (char **)&s, 10);

			cw_alloc(t, (unsigned int)(what - 'a'), pages, plain, *s == '?');
			s += *s == '?';
		} else {
			cw_rest(t, what);
		}
	}
}

void coherent_world_thread(unsigned int t)
{
	cw_text(t, cw.plan->thread[t]);
}

static void cw_body(void *ctx, unsigned int t)
{
	(void)ctx;
	coherent_world_thread(t);
}

static void cw_check(const char *when)
{
	int rc = pz_dma_check(cw.w->dma);

	if (rc)
		explore_fail("%s: pz_dma_check() says %d", when, rc);
	rc = pz_pages_check(cw.m->pages);
	if (rc)
		explore_fail("%s: pz_pages_check() says %d", when, rc);
	if (cw.m->bugs.count != cw.plan->misuses)
		explore_fail("%s: %llu misuses were told, not %u", when,
			     (unsigned long long)cw.m->bugs.count, cw.plan->misuses);
}

static void cw_work(void *ctx)
{
	((struct coherent_world *)ctx)->asked = true;
}

/* What has left a pool goes back at once, or somebody is asked to see to it. */
static void cw_tidy(void)
{
	struct pz_dma_pool_stat s[2];
	uint32_t n = pz_dma_pool_stats(cw.w->dma, s, 2);
	uint64_t pages = machine_free(cw.m);

	for (uint32_t i = 0; i < n; i++)
		pages += s[i].bytes / CW_PAGE;
	if (cw.plan->tidy && !cw.w->asked && pages != cw.plan->frames)
		explore_fail("nobody was asked to give back %llu pages",
			     (unsigned long long)(cw.plan->frames - pages));
}

void coherent_world_finish(void)
{
	void (*around)(unsigned int t, bool before) = cw.around;
	struct coherent_world *w = cw.w;
	struct pz_dma_dev_stat st;

	cw.around = NULL;
	cw_check("in the end");
	cw_tidy();
	for (unsigned int x = 0; x < CW_LETTERS; x++) {
		if (!w->buf[x].twice)
			cw_free(0, x, false);
	}
	cw_check("all freed");
	for (unsigned int i = 0; i < 2; i++) {
		pz_dma_dev_stat(w->dev[i], &st);
		if (st.buffers || st.buffer_bytes || pz_dma_dev_destroy(w->dev[i]))
			explore_fail("all is freed, and device %u has %llu buffers", i,
				     (unsigned long long)st.buffers);
	}
	if (machine_free(cw.m) != cw.plan->frames)
		explore_fail("%llu pages are free", (unsigned long long)machine_free(cw.m));
	cw.around = around;
}

static void cw_end_of_run(void *ctx)
{
	(void)ctx;
	coherent_world_finish();
}

static void cw_make(const struct coherent_plan *plan)
{
	struct pz_dma_dev_config dev;
	struct pz_dma_config dc;

	memset(&dc, 0, sizeof(dc));
	dc.meta = &cw.m->meta;
	dc.bugs = &cw.m->bugs;
	dc.pages = cw.m->pages;
	dc.cpus = EXPLORE_THREADS;
	dc.cma = PZ_DMA_NO_CMA;
	dc.pool_bytes = plan->pool * CW_PAGE;
	dc.hold = true;
	dc.hooks.direct = cw_direct;
	dc.hooks.remap = cw_remap;
	dc.hooks.unmap = cw_unmap;
	dc.hooks.work = cw_work;
	dc.hooks.ctx = cw.w;
	if (pz_dma_create(&cw.w->dma, &dc))
		exit(2);
	for (unsigned int i = 0; i < 2; i++) {
		pz_dma_dev_init(&dev, "device", 32);
		dev.coherent = i;
		if (pz_dma_dev_create(&cw.w->dev[i], cw.w->dma, &dev)) {
			fprintf(stderr, "coherent_world: no device\n");
			exit(2);
		}
	}
}

struct machine *coherent_world_open(const struct coherent_plan *plan,
				    void (*around)(unsigned int t, bool before))
{
	struct machine_config cfg = { .frames = plan->frames,
				      .cpus = EXPLORE_THREADS,
				      .no_grouping = true };
	const char *why;

	memset(&cw, 0, sizeof(cw));
	cw.plan = plan;
	cw.m = machine_make(&cfg, sizeof(struct coherent_world) + (plan->frames + 1) * CW_PAGE,
			    CW_SPARE);
	cw.w = machine_extra(cw.m);
	cw.memory = (unsigned char *)(((uintptr_t)(cw.w + 1) + CW_PAGE - 1) &
				      ~(uintptr_t)(CW_PAGE - 1));
	cw_make(plan);
	cw_text(0, plan->before);
	cw.w->asked = false;
	why = explore_failure();
	if (why) {
		fprintf(stderr, "coherent_world: %s: %s: %s\n", plan->name, plan->before, why);
		exit(2);
	}
	cw.around = around;
	return cw.m;
}

void coherent_world_close(void)
{
	machine_drop(cw.m);
}

void coherent_world_run(const struct coherent_plan *plan)
{
	struct explore_plan how = { plan->bound, false, false, 0 };
	struct explore e;

	memset(&e, 0, sizeof(e));
	e.state = coherent_world_open(plan, NULL);
	e.size = cw.m->size;
	e.body = cw_body;
	e.end = cw_end_of_run;
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.no_merge = true; /* the state is large, and most choices differ */
	e.max_runs = CW_RUNS;
	explore_tap(plan->name, &e, &how);
	coherent_world_close();
}
