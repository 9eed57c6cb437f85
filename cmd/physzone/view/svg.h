/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg.h - elements of a picture: text with an estimate of its room, boxes, escaping.
 */
#ifndef PHYSZONE_CMD_SVG_H
#define PHYSZONE_CMD_SVG_H

#include "../out.h"

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Text as XML shows it: escaped, and only characters that XML allows. */
void svg_escape(struct out *o, const char *s);

/* Room that a text takes at most in common fonts, in units of the picture. */
double svg_text_width(const char *s, double size, bool mono);

/* One line of text; `cls` is a CSS class, "mono" within it chooses the fixed-width font. */
void svg_text(struct out *o, double x, double y, double size, enum svg_anchor anchor,
	      const char *cls, const char *s);

/* The same, shortened with an ellipsis to fit into `room`; the tooltip then has all of it. */
void svg_text_fit(struct out *o, double x, double y, double size, enum svg_anchor anchor,
		  const char *cls, double room, const char *s);

/* A box with a tooltip; `tip` may be NULL. */
void svg_box(struct out *o, double x, double y, double w, double h, double round, const char *cls,
	     const char *tip);

/* Write a complete picture into a file. 0, or EXIT_UNDECIDED with one line in *err. */
int svg_save(const struct out *picture, const char *file, char **err);

#endif
