/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world_op.h - a step of world.h, read.
 */
#ifndef TESTS_EXPLORE_WORLD_OP_H
#define TESTS_EXPLORE_WORLD_OP_H

#include "world.h"

enum world_kind {
	WORLD_ALLOC, WORLD_FREE, WORLD_AGAIN, WORLD_PART, WORLD_SPLIT, WORLD_EVACUATE, WORLD_ADD,
	WORLD_DRAIN
};

enum world_shape { WORLD_ORDER, WORLD_EXACT, WORLD_SINGLES };

struct world_op {
	enum world_kind kind;
	enum world_shape shape;
	unsigned int slot;
	uint64_t n; /* order, pages, first page of a part, CPU */
	uint64_t first, last; /* page frames; of a part, its pages */
	bool limited, movable, block, high;
};

/* The steps of a text; @ops has room for WORLD_OPS of them. */
unsigned int world_parse(const char *text, uint64_t frames, struct world_op *ops);

#endif
