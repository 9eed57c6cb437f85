/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot.c - see plot.h. Colours follow the reader's light or dark scheme; each curve also has a dash
 * of its own, so that colour alone does not tell them apart.
 */
#include "plot.h"

#include <stdlib.h>
#include <string.h>

#include "../view/svg.h"
#include "../view/view.h"

#define PLOT_WIDTH 1000.0
#define PLOT_LEFT 96.0
#define PLOT_RIGHT 24.0
#define PLOT_HEIGHT 150.0
#define PLOT_GAP 46.0
#define PLOT_TICKS 5
#define PLOT_SMALL 11.0

static const struct {
	const char *light, *dark, *dash;
} plot_styles[PLOT_SERIES] = {
	{ "#1f5fbf", "#7db0ff", "none" },     { "#b35900", "#ffb266", "9 4" },
	{ "#8a1f8a", "#e394e3", "3 3" },      { "#14804a", "#63d69b", "none" },
	{ "#b3261e", "#ff8a80", "12 3 3 3" }, { "#5f5f6b", "#b5b5c2", "6 6" },
	{ "#00757a", "#5fd3d9", "2 5" },      { "#7a6a00", "#e0cf5a", "14 4" },
};

struct plot_panel *plot_panel(struct plot *p, const char *title, enum plot_unit unit)
{
	struct plot_panel *q = vec_push(&p->panels);

	q->title = title;
	q->unit = unit;
	return q;
}

void plot_destroy(struct plot *p)
{
	for (size_t i = 0; i < p->panels.n; i++)
		for (unsigned int k = 0; k < PLOT_SERIES; k++)
			vec_free(&p->panels.v[i].series[k].v);
	vec_free(&p->panels);
}

/* The least round number that is at least a fifth of a value: 1, 2 or 5 times a power. */
static double plot_step(double most, enum plot_unit unit)
{
	static const double parts[] = { 1, 2, 5 };
	double step = 1;

	if (unit == PLOT_BYTES) {
		while (step * PLOT_TICKS < most)
			step *= 2;
		return step;
	}
	for (;;) {
		for (unsigned int i = 0; i < 3; i++)
			if (step * parts[i] * PLOT_TICKS >= most)
				return step * parts[i];
		step *= 10;
	}
}

static void plot_number(char *buf, size_t size, double v, enum plot_unit unit)
{
	char text[VIEW_SIZE_MAX];

	if (unit == PLOT_BYTES)
		snprintf(buf, size, "%s", view_size(text, (uint64_t)v));
	else if (v >= 1e6)
		snprintf(buf, size, "%.3gM", v / 1e6);
	else if (v >= 1e4)
		snprintf(buf, size, "%.3gk", v / 1e3);
	else
		snprintf(buf, size, "%.0f", v);
}

static void plot_style(struct out *o)
{
	out_str(o, "<style>\n"
		   "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
		   "fill:#1c1c22}\n"
		   ".dim{fill:#62626e}.title,.head{font-weight:600}.bg{fill:#ffffff}\n"
		   ".grid{stroke:#dcdce2;stroke-width:1;fill:none}"
		   ".frame{stroke:#8a8a96;stroke-width:1;fill:none}\n"
		   ".s{fill:none;stroke-width:1.8;stroke-linejoin:round}\n");
	for (unsigned int i = 0; i < PLOT_SERIES; i++)
		out_printf(o, ".s%u{stroke:%s;stroke-dasharray:%s}", i, plot_styles[i].light,
			   plot_styles[i].dash);
	out_str(o, "\n@media (prefers-color-scheme:dark){\n"
		   "text{fill:#e8e8ee}.dim{fill:#a2a2ae}.bg{fill:#17171c}.grid{stroke:#34343e}\n");
	for (unsigned int i = 0; i < PLOT_SERIES; i++)
		out_printf(o, ".s%u{stroke:%s}", i, plot_styles[i].dark);
	out_str(o, "\n}\n</style>\n");
}

static double plot_most(const struct plot_panel *q)
{
	double most = 0;

	for (unsigned int k = 0; k < PLOT_SERIES; k++)
		for (size_t i = 0; i < q->series[k].v.n; i++)
			most = q->series[k].v.v[i] > most ? q->series[k].v.v[i] : most;
	return most;
}

static void plot_curve(struct out *o, const struct plot_series *s, unsigned int k, double y,
		       double top, const char *name)
{
	double width = PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT;

	if (!s->v.n)
		return;
	out_printf(o, "<path class=\"s s%u\" d=\"", k);
	for (size_t i = 0; i < s->v.n; i++)
		out_printf(o, "%c%.1f %.1f", i ? 'L' : 'M',
			   PLOT_LEFT + (s->v.n > 1 ? width * (double)i / (double)(s->v.n - 1) : 0),
			   y + PLOT_HEIGHT - PLOT_HEIGHT * s->v.v[i] / top);
	out_str(o, "\"><title>");
	svg_escape(o, name);
	out_str(o, "</title></path>\n");
}

/* The panel's frame, scale and curves; its upper edge is at @y. */
static void plot_draw(struct out *o, const struct plot *p, const struct plot_panel *q, double y,
		      bool last)
{
	double step = plot_step(plot_most(q), q->unit), top;
	double along = plot_step(p->end, PLOT_COUNT), right = PLOT_WIDTH - PLOT_RIGHT;
	double width = right - PLOT_LEFT;
	int ticks = 1;
	char text[32];

	while (step * ticks < plot_most(q))
		ticks++;
	top = step * ticks;
	svg_text(o, PLOT_LEFT, y - 8, 13, SVG_START, "head", q->title);
	for (int i = 0; i <= ticks; i++) {
		double at = y + PLOT_HEIGHT - PLOT_HEIGHT * i / ticks;

		out_printf(o, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", PLOT_LEFT, at,
			   right);
		plot_number(text, sizeof(text), step * i, q->unit);
		svg_text(o, PLOT_LEFT - 6, at + 4, PLOT_SMALL, SVG_END, "dim", text);
	}
	for (double v = 0; v <= p->end && p->end > 0; v += along) {
		double at = PLOT_LEFT + width * v / p->end;

		out_printf(o, "<path class=\"grid\" d=\"M%.1f %.1fv%.1f\"/>\n", at, y, PLOT_HEIGHT);
		plot_number(text, sizeof(text), v, PLOT_COUNT);
		if (last)
			svg_text(o, at, y + PLOT_HEIGHT + 16, PLOT_SMALL, SVG_MIDDLE, "dim", text);
	}
	svg_box(o, PLOT_LEFT, y, width, PLOT_HEIGHT, 0, "frame", NULL);
	for (unsigned int k = 0; k < p->series; k++)
		plot_curve(o, &q->series[k], k, y, top, p->name[k]);
	if (last)
		svg_text(o, right, y + PLOT_HEIGHT + 34, PLOT_SMALL, SVG_END, "dim", p->axis);
}

static void plot_legend(struct out *o, const struct plot *p, double y)
{
	double x = PLOT_LEFT;

	for (unsigned int k = 0; k < p->series; k++) {
		out_printf(o, "<path class=\"s s%u\" d=\"M%.1f %.1fh34\"/>\n", k, x, y - 4);
		svg_text(o, x + 40, y, 13, SVG_START, "label", p->name[k]);
		x += 64 + svg_text_width(p->name[k], 13, false);
	}
}

void plot_svg(struct out *o, const struct plot *p)
{
	double y = 128, height = y + (double)p->panels.n * (PLOT_HEIGHT + PLOT_GAP) + 12;

	out_printf(o,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\">\n"
		   "<title>",
		   PLOT_WIDTH, height);
	svg_escape(o, p->title);
	out_str(o, "</title>\n");
	plot_style(o);
	svg_box(o, 0, 0, PLOT_WIDTH, height, 0, "bg", NULL);
	svg_text_fit(o, PLOT_LEFT, 36, 20, SVG_START, "title", PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT,
		     p->title);
	svg_text_fit(o, PLOT_LEFT, 58, 13, SVG_START, "dim", PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT,
		     p->subtitle);
	plot_legend(o, p, 84);
	for (size_t i = 0; i < p->panels.n; i++, y += PLOT_HEIGHT + PLOT_GAP)
		plot_draw(o, p, &p->panels.v[i], y, i + 1 == p->panels.n);
	out_str(o, "</svg>\n");
}
