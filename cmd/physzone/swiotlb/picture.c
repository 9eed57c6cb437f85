/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture.c - slots in use over time, as a picture: a panel for each pool.
 */
#include "swiotlb.h"

#include <inttypes.h>
#include <stdlib.h>

#include "../compare/plot.h"

#define PICTURE_STEPS 400u

/* In use as the last line told, and the size; both at equal steps of the time. */
static void picture_pool(struct plot_panel *q, const struct swiotlb_pool *p, uint64_t from,
			 uint64_t span)
{
	size_t at = 0;

	for (unsigned int i = 0; i <= PICTURE_STEPS; i++) {
		double ms = (double)from + (double)span * i / PICTURE_STEPS;

		while (at + 1 < p->samples.n && (double)p->samples.v[at + 1].ms <= ms)
			at++;
		*vec_push(&q->series[0].v) = (double)p->samples.v[at].used;
		*vec_push(&q->series[1].v) = (double)p->total;
	}
}

static bool picture_shows(const struct swiotlb_pool *p)
{
	return p->timed && p->samples.n && p->total;
}

void swiotlb_svg(struct out *o, const struct view *v, const struct swiotlb *s)
{
	struct plot p = { .title = v->title, .series = 2, .name = { "in use", "slots" } };
	uint64_t from = UINT64_MAX, last = 0;
	char **titles = xcalloc(s->pools.n, sizeof(*titles));
	char *axis, *subtitle;

	for (size_t i = 0; i < s->pools.n; i++) {
		const struct swiotlb_pool *q = &s->pools.v[i];

		if (!picture_shows(q))
			continue;
		if (q->samples.v[0].ms < from)
			from = q->samples.v[0].ms;
		if (q->samples.v[q->samples.n - 1].ms > last)
			last = q->samples.v[q->samples.n - 1].ms;
	}
	if (from > last)
		from = last;
	axis = xasprintf("seconds, from %" PRIu64 " s after the start", from / 1000);
	subtitle = xasprintf("%zu %s refused for want of bounce buffers", s->events.n,
			     s->events.n == 1 ? "mapping" : "mappings");
	p.axis = axis;
	p.subtitle = subtitle;
	p.end = (double)(last - from) / 1000;
	for (size_t i = 0; i < s->pools.n; i++) {
		if (!picture_shows(&s->pools.v[i]))
			continue;
		titles[i] = xasprintf("The pool of %" PRIu64 " slots", s->pools.v[i].total);
		picture_pool(plot_panel(&p, titles[i], PLOT_COUNT), &s->pools.v[i], from,
			     last - from);
	}
	plot_svg(o, &p);
	plot_destroy(&p);
	for (size_t i = 0; i < s->pools.n; i++)
		free(titles[i]);
	free(titles);
	free(axis);
	free(subtitle);
}
