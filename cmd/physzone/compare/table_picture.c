/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_picture.c - the ways to allocate tables over time, as a picture.
 */
#include <stdlib.h>

#include "plot.h"
#include "tables.h"

void tables_svg(struct out *o, const struct tables *x)
{
	char *title = xasprintf("Second-level tables on %s", x->m->title);
	struct plot p = {
		.title = title,
		.subtitle = x->ops->name,
		.axis = "mappings made and undone",
		.end = (double)x->trace->steps.n,
		.height = 360,
		.series = TABLE_WAYS + 1,
	};
	struct plot_panel *held, *failed;

	held = plot_panel(&p, "Memory held", PLOT_BYTES);
	for (int i = 0; i < TABLE_WAYS; i++) {
		p.name[i] = x->runs[i].name;
		for (size_t k = 0; k < x->runs[i].samples.n; k++)
			*vec_push(&held->series[i].v) = (double)x->runs[i].samples.v[k].held;
	}
	p.name[TABLE_WAYS] = "the tables";
	for (size_t k = 0; k < x->runs[0].samples.n; k++)
		*vec_push(&held->series[TABLE_WAYS].v) = (double)x->runs[0].samples.v[k].wanted;
	failed = plot_panel(&p, "Failures in atomic context so far", PLOT_COUNT);
	for (int i = 0; i < TABLE_WAYS; i++)
		for (size_t k = 0; k < x->runs[i].samples.n; k++)
			*vec_push(&failed->series[i].v) = (double)x->runs[i].samples.v[k].failed;
	plot_svg(o, &p);
	plot_destroy(&p);
	free(title);
}
