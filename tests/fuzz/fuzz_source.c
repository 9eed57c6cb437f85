/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_source.c - a whole source of any bytes: packed or not, and of a kind that is to be found
 * out.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "input/scan.h"
#include "input/source.h"

/* Small inputs can unpack to much; more than this says nothing new. */
enum { FUZZ_MAX_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts f;
	struct text t;
	char *err = NULL;
	int ret;

	if (text_from_memory(&t, data, size, "fuzz", FUZZ_MAX_BYTES, &err)) {
		free(err);
		return 0;
	}
	facts_init(&f);
	facts_file(&f, "fuzz");
	ret = source_read_text(&f, &t, NULL, &err);
	if ((ret != 0 && ret != INPUT_BAD) || (ret != 0) != (err != NULL))
		abort();
	if (err && strpbrk(err, "\n\r"))
		abort();
	if (!ret && f.kind == SRC_NONE)
		abort();
	free(err);
	facts_destroy(&f);
	text_destroy(&t);
	return 0;
}
