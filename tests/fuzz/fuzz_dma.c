/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_dma.c - devices on the DMA layer: each number of a case is taken from the bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dma_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct case_bytes b = { data, size };
	struct case_source s = { case_bytes_draw, NULL, &b };
	const char *wrong = dma_case_run(&s);

	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
