/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h - where the pieces and zones of an address space lie on a bar of so many cells.
 *
 * The text map and the picture share it; a cell is a column here and a unit of length there.
 */
#ifndef PHYSZONE_CMD_LAYOUT_H
#define PHYSZONE_CMD_LAYOUT_H

#include "view.h"

/* What the bar offers. */
struct layout_spec {
	unsigned int cells;
	unsigned int least;	/* cells of the smallest segment */
	unsigned int squeezed;	/* cells of what is too large to be drawn to scale */
	unsigned int label_pad; /* cells that a zone's label needs, plus per character */
	unsigned int label_char;
	bool logarithmic;
};

#define LAYOUT_NO_PIECE ((size_t)-1)

/* A part of the address space that lies in at most one piece and one zone of each node. */
struct layout_segment {
	struct pz_range range;
	unsigned int kind; /* enum an_kind, or AN_KINDS for a hole */
	size_t piece;	   /* index into the pieces of the analysis, LAYOUT_NO_PIECE for a hole */
	bool squeezed;
	bool merged;   /* several that were too small, shown as the most important of them */
	double weight; /* what its share is computed from */
	unsigned int least;
	unsigned int at, width;
};

struct layout_zone {
	struct pz_range range;
	const struct an_node *node;
	const struct an_zone *zone;
	enum pz_zone_type type;
	char *label;  /* "DMA", with several nodes "0 DMA" */
	char *remark; /* "DMA: none managed" where that is so, else NULL */
	unsigned int lane;
	unsigned int at, width;
};

struct layout {
	VEC(struct layout_segment) segments; /* ascending; they cover the bar without gaps */
	VEC(struct layout_zone)
	zones; /* by node, then by type; zones that span nothing are left out */
	unsigned int lanes;
	uint64_t
		cell_bytes; /* what a cell of the parts drawn to scale stands for; 0: logarithmic */
	unsigned int squeezed, merged; /* segments that are so */
};

void layout_build(struct layout *l, const struct analysis *a, const struct layout_spec *spec);
void layout_destroy(struct layout *l);

/* How many segments there would be before any are merged: to choose a size. */
size_t layout_segments(const struct analysis *a);

/* The pieces in ascending order without invalid and overlapping ones: indices into a->pieces. */
struct layout_order {
	VEC(size_t) index;
};
void layout_order_build(struct layout_order *order, const struct analysis *a);
void layout_order_destroy(struct layout_order *order);

#endif
