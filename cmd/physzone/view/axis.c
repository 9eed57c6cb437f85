/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * axis.c - see axis.h.
 */
#include "axis.h"

#include "svg.h"
#include "view.h"

#define AXIS_HOLE 14.0

/* Join the parts that the smallest hole divides, until there are few enough. */
static void axis_join(struct axis *a, struct pz_range r)
{
	unsigned int least = 0;

	if (a->n < AXIS_PARTS) {
		a->part[a->n++].r = r;
		return;
	}
	for (unsigned int i = 1; i + 1 < a->n; i++)
		if (a->part[i + 1].r.first - a->part[i].r.last <
		    a->part[least + 1].r.first - a->part[least].r.last)
			least = i;
	if (r.first - a->part[a->n - 1].r.last <
	    a->part[least + 1].r.first - a->part[least].r.last) {
		a->part[a->n - 1].r.last = r.last;
		return;
	}
	a->part[least].r.last = a->part[least + 1].r.last;
	for (unsigned int i = least + 1; i + 1 < a->n; i++)
		a->part[i] = a->part[i + 1];
	a->part[a->n - 1].r = r;
}

void axis_init(struct axis *a, const struct pz_rangeset *all, double x, double w)
{
	double bytes = 0;

	a->n = 0;
	for (uint32_t i = 0; i < all->count; i++)
		axis_join(a, all->v[i]);
	for (unsigned int i = 0; i < a->n; i++)
		bytes += (double)view_range_size(a->part[i].r);
	w -= a->n ? AXIS_HOLE * (a->n - 1) : 0;
	for (unsigned int i = 0; i < a->n; i++) {
		a->part[i].x = x;
		a->part[i].w = w * ((double)view_range_size(a->part[i].r) / bytes);
		x += a->part[i].w + AXIS_HOLE;
	}
}

double axis_at(const struct axis_part *p, uint64_t addr)
{
	return p->x + p->w * ((double)(addr - p->r.first) / (double)view_range_size(p->r));
}

void axis_box(struct out *o, const struct axis *a, struct pz_range r, double y, double h,
	      const char *cls, const char *tip)
{
	for (unsigned int i = 0; i < a->n; i++) {
		const struct axis_part *p = &a->part[i];
		struct pz_range both;
		double x, w;

		if (!pz_range_intersect(p->r, r, &both))
			continue;
		x = axis_at(p, both.first);
		w = axis_at(p, both.last) - x;
		svg_box(o, x, y, w < 1 ? 1 : w, h, 0, cls, tip);
	}
}

void axis_addresses(struct out *o, const struct axis *a, double y)
{
	const struct axis_part *last = &a->part[a->n ? a->n - 1 : 0];
	double free_from = 0;

	for (unsigned int i = 0; i < a->n; i++) {
		char first[VIEW_SIZE_MAX];
		const char *s = view_addr(first, a->part[i].r.first);
		double w = svg_text_width(s, 10, true), x = a->part[i].x;

		if (x + w > last->x + last->w)
			x = last->x + last->w - w;
		if (x < free_from)
			continue;
		svg_text(o, x, y, 10, SVG_START, "dim mono", s);
		free_from = x + w + 6;
	}
}
