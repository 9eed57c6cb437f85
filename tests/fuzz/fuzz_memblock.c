/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_memblock.c - the text of debugfs' memblock, of any bytes: with headers and without.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "input/proc.h"
#include "input/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct facts f;
	char *err = NULL;
	int ret;

	if (!size)
		return 0;
	facts_init(&f);
	/* The first byte tells whether it is one file, or several with headers. */
	ret = proc_memblock(&f, facts_file(&f, "fuzz"), *text & 1 ? "reserved" : NULL, text + 1,
			    size - 1, &err);
	if ((ret != 0 && ret != INPUT_BAD) || (ret != 0) != (err != NULL))
		abort();
	if (err && strpbrk(err, "\n\r\t\033"))
		abort();
	for (size_t i = 0; i < f.mb_regions.n; i++)
		if (f.mb_regions.v[i].range.first > f.mb_regions.v[i].range.last)
			abort();
	free(err);
	facts_destroy(&f);
	return 0;
}
