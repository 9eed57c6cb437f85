/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * axis.h - an axis of addresses in a picture: what is there to scale, holes small.
 *
 * A hole takes the same small room however large it is, since the addresses of some machines are
 * mostly holes. Where more lies between two holes than there is room for, small holes count as
 * what is there.
 */
#ifndef PHYSZONE_CMD_AXIS_H
#define PHYSZONE_CMD_AXIS_H

#include <physzone/range.h>

#include "../out.h"

#define AXIS_PARTS 12u

/* A part of the axis, with a hole before the next part. */
struct axis_part {
	struct pz_range r;
	double x, w;
};

struct axis {
	struct axis_part part[AXIS_PARTS];
	unsigned int n;
};

/* An axis of @all, from @x on, @w wide. */
void axis_init(struct axis *a, const struct pz_rangeset *all, double x, double w);

/* Where an address of a part is. */
double axis_at(const struct axis_part *p, uint64_t addr);

/* A box for what of a range lies in the parts. */
void axis_box(struct out *o, const struct axis *a, struct pz_range r, double y, double h,
	      const char *cls, const char *tip);

/* Addresses of the parts' beginnings, where the one before leaves room, within the axis. */
void axis_addresses(struct out *o, const struct axis *a, double y);

#endif
