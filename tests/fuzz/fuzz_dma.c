/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_dma.c - devices on the DMA layer: each number of a case is taken from the bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dma_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *p;
	size_t n;
};

/* As many bytes as the number may need; behind the end all are 0. */
static uint64_t bytes_draw(void *ctx, uint64_t max)
{
	struct bytes *b = ctx;
	uint64_t v = 0;

	for (uint64_t left = max; left && b->n; left >>= 8) {
		v = v << 8 | *b->p++;
		b->n--;
	}
	return max == UINT64_MAX ? v : v % (max + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct dma_source s = { bytes_draw, NULL, &b };
	const char *wrong = dma_case_run(&s);

	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
