/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_case.h - one random life of devices on the DMA layer, from any source of numbers.
 *
 * Devices with masks, bus limits, windows, holes, alignments and boundaries map, sync and unmap
 * memory, and have coherent buffers from wherever such come, and small objects; in half of the
 * lives with the debug mode, which finds nothing but what is done on purpose. A device of the
 * test's own reads and writes by bus address with arithmetic of its own, and refuses what it cannot
 * reach; what the CPU and the device should see is kept beside it, byte by byte.
 */
#ifndef TESTS_FUZZ_DMA_CASE_H
#define TESTS_FUZZ_DMA_CASE_H

#include "case_source.h"

/* What the cases so far have done, so that a test can see that it saw all of it. */
struct dma_case_counts {
	uint64_t direct, bounced, refused, lists, list_fails, buffers, buffer_fails, small, pieces;
	uint64_t from[5]; /* buffers, by enum pz_dma_from */
};

extern struct dma_case_counts dma_case_counts;

/* Run a case. NULL, or what went wrong: "FILE:LINE: condition". */
const char *dma_case_run(const struct case_source *s);

#endif
