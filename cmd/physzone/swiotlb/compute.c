/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compute.c - judges each refused mapping of a log, and counts by device and by pool.
 *
 * Invariants: 1. the lines of all devices add up to the events, and so do those of the pools to the
 * events of SWIOTLB_FULL; 2. the samples of a pool never go back in time: a stamp that does counts
 * as that of the line before.
 *
 * Failure: none; what the log does not tell is a verdict of its own.
 */
#include "swiotlb.h"

#include <stdlib.h>
#include <string.h>

#define SWIOTLB_STAMP_MOST 1e12 /* seconds; beyond any clock */
#define SWIOTLB_POOLS 64u	/* more sizes than these share the last */

static struct swiotlb_device *compute_device(struct swiotlb *s, const struct fact_device *d)
{
	struct swiotlb_device *n;

	for (size_t i = 0; i < s->devices.n; i++)
		if (s->devices.v[i].device == d)
			return &s->devices.v[i];
	n = vec_push(&s->devices);
	n->device = d;
	n->bytes_least = UINT64_MAX;
	return n;
}

/* Whether the pools that the lines tell of are one that only grew. */
static bool compute_grows(const struct facts *f)
{
	uint64_t before = 0;

	for (size_t i = 0; i < f->swiotlb.n; i++) {
		const struct fact_swiotlb *e = &f->swiotlb.v[i];

		if (e->kind != SWIOTLB_FULL || e->total == PZL_SWLOG_UNTOLD)
			continue;
		if (e->total < before)
			return false;
		before = e->total;
	}
	return true;
}

static size_t compute_pool(struct swiotlb *s, uint64_t total, bool grows)
{
	struct swiotlb_pool *p;
	bool told = total != PZL_SWLOG_UNTOLD;

	for (size_t i = 0; i < s->pools.n; i++) {
		p = &s->pools.v[i];
		if (p->total == total)
			return i;
		/* A pool of nothing is none, and so no smaller form of another. */
		if (!grows || !told || p->total == PZL_SWLOG_UNTOLD || !p->total)
			continue;
		p->total = total;
		p->grew = true;
		return i;
	}
	if (s->pools.n == SWIOTLB_POOLS)
		return s->pools.n - 1;
	p = vec_push(&s->pools);
	p->total = total;
	p->timed = true;
	return s->pools.n - 1;
}

static void compute_sample(struct swiotlb_pool *p, const struct fact_swiotlb *e)
{
	struct pzl_swlog_sample *v;
	uint64_t ms;

	if (e->used == PZL_SWLOG_UNTOLD)
		return;
	if (e->stamp < 0 || e->stamp > SWIOTLB_STAMP_MOST) {
		p->timed = false;
		ms = 0;
	} else {
		ms = (uint64_t)(e->stamp * 1000);
	}
	if (p->samples.n && ms < p->samples.v[p->samples.n - 1].ms)
		ms = p->samples.v[p->samples.n - 1].ms;
	v = vec_push(&p->samples);
	v->ms = ms;
	v->used = e->used;
}

static void compute_full(struct swiotlb *s, struct swiotlb_device *d, size_t at, bool grows)
{
	struct swiotlb_event *ev = &s->events.v[at];
	const struct fact_swiotlb *e = ev->fact;
	const struct pzl_swlog_line line = { e->bytes, e->total, e->used };
	struct swiotlb_pool *p;
	enum pzl_swlog_why why;

	pzl_swlog_judge(&s->kernel, &line, &ev->verdict);
	why = ev->verdict.why;
	ev->pool = compute_pool(s, e->total, grows);
	p = &s->pools.v[ev->pool];
	p->lines++;
	p->why[why]++;
	if (ev->verdict.least > p->least)
		p->least = ev->verdict.least;
	if (ev->verdict.sure > p->sure)
		p->sure = ev->verdict.sure;
	compute_sample(p, e);
	if (!d->why[why]++ || e->bytes > s->events.v[d->sample[why]].fact->bytes)
		d->sample[why] = at;
}

static void compute_event(struct swiotlb *s, const struct facts *f, const struct fact_swiotlb *e,
			  bool grows)
{
	struct swiotlb_event *ev = vec_push(&s->events);
	struct swiotlb_device *d = compute_device(
		s, e->device < f->swiotlb_devices.n ? &f->swiotlb_devices.v[e->device] : NULL);

	ev->fact = e;
	ev->pool = SIZE_MAX;
	d->lines++;
	d->last = s->events.n - 1;
	if (e->kind != SWIOTLB_NONE) {
		if (e->bytes < d->bytes_least)
			d->bytes_least = e->bytes;
		if (e->bytes > d->bytes_most)
			d->bytes_most = e->bytes;
	}
	d->none += e->kind == SWIOTLB_NONE;
	d->beyond += e->kind == SWIOTLB_BEYOND;
	d->direct += e->kind == SWIOTLB_DIRECT;
	if (e->kind == SWIOTLB_FULL)
		compute_full(s, d, s->events.n - 1, grows);
}

void swiotlb_compute(struct swiotlb *s, const struct facts *f, const struct analysis *kernel)
{
	bool grows = compute_grows(f);

	memset(s, 0, sizeof(*s));
	s->kernel.model = kernel->model;
	s->kernel.page_shift = f->page_shift;
	s->kernel.areas = f->swiotlb_areas;
	for (size_t i = 0; i < f->claims.n; i++) {
		if (f->claims.v[i].kind != CLAIM_SWIOTLB)
			continue;
		s->place = f->claims.v[i].range;
		s->mapped = view_range_size(s->place) / PZL_SWLOG_SLOT;
	}
	for (size_t i = 0; i < f->swiotlb.n; i++) {
		if (f->swiotlb.v[i].kind == SWIOTLB_SUPPRESSED)
			s->suppressed += f->swiotlb.v[i].bytes;
		else
			compute_event(s, f, &f->swiotlb.v[i], grows);
	}
	for (size_t i = 0; i < s->pools.n; i++) {
		struct swiotlb_pool *p = &s->pools.v[i];

		if (p->timed)
			pzl_swlog_trend(p->samples.v, p->samples.n, &p->trend);
	}
}

int swiotlb_verdict(const struct swiotlb *s)
{
	uint64_t open = 0;

	if (!s->events.n)
		return EXIT_FINE;
	for (size_t i = 0; i < s->devices.n; i++)
		open += s->devices.v[i].why[PZL_SWLOG_LINE] +
			s->devices.v[i].why[PZL_SWLOG_ALIGNED] +
			s->devices.v[i].why[PZL_SWLOG_UNEXPLAINED];
	return open == s->events.n ? EXIT_UNDECIDED : EXIT_PROBLEM;
}

void swiotlb_destroy(struct swiotlb *s)
{
	for (size_t i = 0; i < s->pools.n; i++)
		vec_free(&s->pools.v[i].samples);
	for (size_t i = 0; i < s->answers.n; i++)
		free(s->answers.v[i]);
	vec_free(&s->events);
	vec_free(&s->devices);
	vec_free(&s->pools);
	vec_free(&s->fits);
	vec_free(&s->answers);
	free(s->unfit);
}
