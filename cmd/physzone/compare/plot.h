/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plot.h - curves over a common axis, as a picture: panels above each other, each with a scale of
 * its own, one legend for all.
 */
#ifndef PHYSZONE_CMD_COMPARE_PLOT_H
#define PHYSZONE_CMD_COMPARE_PLOT_H

#include "../out.h"
#include "../vec.h"

#define PLOT_SERIES 8u

enum plot_unit { PLOT_COUNT, PLOT_BYTES };

/* Values at equal steps of the common axis. A series without values is left out. */
struct plot_series {
	VEC(double) v;
};

struct plot_panel {
	const char *title;
	enum plot_unit unit;
	struct plot_series series[PLOT_SERIES];
};

struct plot {
	const char *title, *subtitle;
	const char *axis;    /* what the common axis counts */
	double end;	     /* its value at the right edge; it begins at 0 */
	unsigned int series; /* used, at most PLOT_SERIES */
	const char *name[PLOT_SERIES];
	VEC(struct plot_panel) panels;
};

/* A new panel, without values. */
struct plot_panel *plot_panel(struct plot *p, const char *title, enum plot_unit unit);

/* Draw it; the picture needs nothing besides itself. */
void plot_svg(struct out *o, const struct plot *p);
void plot_destroy(struct plot *p);

#endif
