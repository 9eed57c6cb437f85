/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fabricate.h - analyses made up for the tests of the views.
 */
#ifndef PHYSZONE_TESTS_FABRICATE_H
#define PHYSZONE_TESTS_FABRICATE_H

#include "view/view.h"

struct fabricated {
	struct analysis a;
	struct facts f;
	struct view v;
};

/* A capture kernel: ZONE_DMA with 158 present pages, none managed. */
void fabricate_capture(struct fabricated *x);

/* The machine it crashed on: 2 GiB with a crash kernel reserved. */
void fabricate_crashed(struct fabricated *x);

/* Four interleaved nodes, one without memory, 64 TiB, pieces up to the end of the space. */
void fabricate_large(struct fabricated *x);

/* Nothing at all. */
void fabricate_empty(struct fabricated *x);

/* Anything, from a seed. */
void fabricate_random(struct fabricated *x, uint64_t seed);

void fabricated_destroy(struct fabricated *x);

#endif
