/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_far.h - a walker that does not look into the CPU's caches: it sees of a box's tables what was
 * maintained for it, and nothing else. Tables come from memory of a small machine, the walker is a
 * device of its DMA layer.
 */
#ifndef TESTS_CONTRACT_V7S_FAR_H
#define TESTS_CONTRACT_V7S_FAR_H

#include "dma_small.h"
#include "v7s_box.h"

/* Points to itself: must not be moved. */
struct v7s_far {
	struct dma_small m; /* first: its hooks are called with it */
	struct pz_dma_dev *dev;
	unsigned char *seen; /* what the walker sees of the box's arena */
	size_t bytes;
	uint64_t syncs, sync_bytes;
};

/* The walker of @b, which has been opened, with at most 4 MiB; it sees memory @offset higher. */
bool vf_open(struct v7s_far *f, struct tap *t, struct v7s_box *b, uint64_t offset);
void vf_close(struct v7s_far *f, struct tap *t);
/* Whether the walker sees all tables that are out as they are. */
bool vf_current(const struct v7s_far *f, const struct v7s_box *b);

#endif
