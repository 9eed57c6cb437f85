/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture.c - the policies over time, as a picture.
 */
#include <stdlib.h>

#include "../view/view.h"
#include "compare.h"
#include "plot.h"

enum picture_what { PICTURE_LOW, PICTURE_FAILED, PICTURE_MOVED, PICTURE_STRANDED };

static double picture_value(const struct compare_machine *m, const struct compare_sample *s,
			    enum picture_what what)
{
	switch (what) {
	case PICTURE_LOW:
		return (double)(s->low << m->page_shift);
	case PICTURE_FAILED:
		return (double)s->failed;
	case PICTURE_MOVED:
		return (double)s->moved;
	case PICTURE_STRANDED:
		break;
	}
	return (double)(s->stranded << m->page_shift);
}

static void picture_panel(struct plot *p, const struct compare_machine *m,
			  const struct compare_run *runs, size_t n, enum picture_what what,
			  const char *title)
{
	bool bytes = what == PICTURE_LOW || what == PICTURE_STRANDED;
	struct plot_panel *q = plot_panel(p, title, bytes ? PLOT_BYTES : PLOT_COUNT);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < runs[i].samples.n; k++)
			*vec_push(&q->series[i].v) = picture_value(m, &runs[i].samples.v[k], what);
}

void compare_policies_svg(struct out *o, const struct compare_machine *m, const struct stream *s,
			  const struct compare_run *runs, size_t n)
{
	char *title = xasprintf("Policies on %s", m->title);
	char addr[VIEW_SIZE_MAX];
	char *low =
		runs[0].watched == PZ_ADDR_MAX
			? xstrdup("Free memory")
			: xasprintf("Free memory below %s", view_addr(addr, runs[0].watched + 1));
	struct plot p = {
		.title = title,
		.subtitle = s->name,
		.axis = "requests made and given back",
		.end = (double)s->events.n,
		.series = (unsigned int)n,
	};

	for (size_t i = 0; i < n; i++)
		p.name[i] = compare_policy_name(runs[i].policy);
	picture_panel(&p, m, runs, n, PICTURE_LOW, low);
	picture_panel(&p, m, runs, n, PICTURE_FAILED, "Requests refused so far");
	picture_panel(&p, m, runs, n, PICTURE_MOVED, "Pages moved so far");
	picture_panel(&p, m, runs, n, PICTURE_STRANDED,
		      "Free memory that requests without a limit cannot have");
	plot_svg(o, &p);
	plot_destroy(&p);
	free(low);
	free(title);
}
