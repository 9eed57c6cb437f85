/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg.c - the sweep as a picture: a bar for each request and model, along the values.
 *
 * Each state has a letter besides its colour. The values are as far apart as they are in number:
 * powers of two make the axis a logarithmic one.
 */
#include "predict.h"

#include <stdlib.h>

#include "../view/svg.h"

#define SVG_WIDTH 1000.0
#define SVG_LEFT 300.0
#define SVG_RIGHT 24.0
#define SVG_ROW 26.0
#define SVG_TOP 112.0

static const struct {
	const char *class, *letter, *word, *light, *dark;
} svg_states[PREDICT_STATES] = {
	[PREDICT_ABSENT] = { "p0", "", "not asked for", "#e6e6ec", "#2c2c34" },
	[PREDICT_SERVED] = { "p1", "", "served", "#2f8f5b", "#3fae72" },
	[PREDICT_LESS] = { "p2", "<", "less", "#d9a514", "#c2951a" },
	[PREDICT_DEPENDS] = { "p3", "?", "depends", "#8f7fd0", "#8f7fd0" },
	[PREDICT_FAILED] = { "p4", "x", "fails", "#c8322b", "#e0564f" },
	[PREDICT_NO_MACHINE] = { "p5", "-", "no such machine", "#9a9aa6", "#62626e" },
};

static void svg_style(struct out *o)
{
	out_str(o, "<style>\n"
		   "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
		   "fill:#1c1c22}\n"
		   ".dim{fill:#62626e}.title{font-weight:600}.bg{fill:#ffffff}"
		   ".on{fill:#ffffff}\n");
	for (int s = 0; s < PREDICT_STATES; s++)
		out_printf(o, ".%s{fill:%s}", svg_states[s].class, svg_states[s].light);
	out_str(o, "\n@media (prefers-color-scheme:dark){\n"
		   "text{fill:#e8e8ee}.dim{fill:#a2a2ae}.bg{fill:#17171c}\n");
	for (int s = 0; s < PREDICT_STATES; s++)
		out_printf(o, ".%s{fill:%s}", svg_states[s].class, svg_states[s].dark);
	out_str(o, "\n}\n</style>\n");
}

static void svg_legend(struct out *o)
{
	double x = SVG_LEFT;

	for (int s = PREDICT_SERVED; s <= PREDICT_STATES; s++) {
		int k = s % PREDICT_STATES;

		svg_box(o, x, 76, 14, 14, 2, svg_states[k].class, NULL);
		svg_text(o, x + 20, 88, 12, SVG_START, "label", svg_states[k].word);
		x += 34 + svg_text_width(svg_states[k].word, 12, false);
	}
}

static void svg_row(struct out *o, const struct predict *p, const struct predict_row *row, double y)
{
	size_t n = row->states.n;
	double width = (SVG_WIDTH - SVG_LEFT - SVG_RIGHT) / (double)n;
	char value[VIEW_SIZE_MAX], *label;

	label = p->models.n > 1 ? xasprintf("%s, %s", row->label, predict_model(p, row->model))
				: xstrdup(row->label);
	svg_text_fit(o, SVG_LEFT - 10, y + 16, 13, SVG_END, "label", SVG_LEFT - 20, label);
	for (size_t i = 0; i < n; i++) {
		enum predict_state s = (enum predict_state)row->states.v[i];
		double x = SVG_LEFT + width * (double)i;
		char *tip =
			xasprintf("%s at %s: %s", label, predict_value(value, p->sweep.values.v[i]),
				  svg_states[s].word);

		svg_box(o, x, y, width > 3 ? width - 1 : width, SVG_ROW - 5, 0, svg_states[s].class,
			tip);
		if (width > 12 && *svg_states[s].letter)
			svg_text(o, x + width / 2, y + 15, 12, SVG_MIDDLE, "on",
				 svg_states[s].letter);
		free(tip);
	}
	free(label);
}

static void svg_axis(struct out *o, const struct predict *p, double y)
{
	size_t n = p->sweep.values.n;
	double width = (SVG_WIDTH - SVG_LEFT - SVG_RIGHT) / (double)n, free_from = 0;

	for (size_t i = 0; i < n; i++) {
		double x = SVG_LEFT + width * ((double)i + 0.5), half;
		char value[VIEW_SIZE_MAX];

		predict_value(value, p->sweep.values.v[i]);
		half = svg_text_width(value, 11, false) / 2;
		if (x - half < free_from)
			continue;
		svg_text(o, x, y, 11, SVG_MIDDLE, "dim", value);
		free_from = x + half + 8;
	}
	svg_text(o, SVG_WIDTH - SVG_RIGHT, y + 18, 11, SVG_END, "dim", p->sweep.name);
}

void predict_svg(struct out *o, const struct view *v, const struct predict *p)
{
	double height = SVG_TOP + SVG_ROW * (double)p->rows.n + 48, y = SVG_TOP;
	char *title = xasprintf("Requests of start-up, by %s", p->sweep.name);
	char *whose = xasprintf(p->capture ? "the capture kernel of %s" : "%s", v->title);

	out_printf(o,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\">\n"
		   "<title>",
		   SVG_WIDTH, height);
	svg_escape(o, title);
	out_str(o, "</title>\n");
	svg_style(o);
	svg_box(o, 0, 0, SVG_WIDTH, height, 0, "bg", NULL);
	svg_text(o, 24, 36, 20, SVG_START, "title", title);
	svg_text_fit(o, 24, 58, 13, SVG_START, "dim", SVG_WIDTH - 48, whose);
	svg_legend(o);
	for (size_t i = 0; i < p->rows.n; i++, y += SVG_ROW)
		svg_row(o, p, &p->rows.v[i], y);
	svg_axis(o, p, y + 14);
	out_str(o, "</svg>\n");
	free(whose);
	free(title);
}
