/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_v7s.c - translation tables beside their model: each number of a life is taken from the
 * bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "v7s_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct v7s_plan plan = { 60, 0, NULL };
	struct case_bytes b = { data, size };
	struct case_source s = { case_bytes_draw, NULL, &b };
	const char *wrong = v7s_case_run(&s, &plan);

	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
