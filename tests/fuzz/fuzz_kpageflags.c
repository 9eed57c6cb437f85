/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_kpageflags.c - runs of page frames, of any bytes.
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

	facts_init(&f);
	ret = proc_pages(&f, facts_file(&f, "fuzz"), text, size, &err);
	if ((ret != 0 && ret != INPUT_BAD) || (ret != 0) != (err != NULL))
		abort();
	if (err && strpbrk(err, "\n\r\t\033"))
		abort();
	for (size_t i = 0; i < f.pages.n; i++)
		if (f.pages.v[i].pfns.first > f.pages.v[i].pfns.last ||
		    (i && f.pages.v[i].pfns.first <= f.pages.v[i - 1].pfns.last))
			abort();
	free(err);
	facts_destroy(&f);
	return 0;
}
