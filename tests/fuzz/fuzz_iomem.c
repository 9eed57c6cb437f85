/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_iomem.c - the text of /proc/iomem, of any bytes.
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
	ret = proc_iomem(&f, facts_file(&f, "fuzz"), text, size, &err);
	if ((ret != 0 && ret != INPUT_BAD) || (ret != 0) != (err != NULL))
		abort();
	if (err && strpbrk(err, "\n\r\t\033"))
		abort();
	for (size_t i = 0; i < f.iomem.n; i++)
		if (f.iomem.v[i].range.first > f.iomem.v[i].range.last)
			abort();
	if (!ret && (!proc_is_iomem(text, size) || proc_iomem_is_hidden(text, size)))
		abort();
	free(err);
	facts_destroy(&f);
	return 0;
}
