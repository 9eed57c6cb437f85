/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_dtb.c - device tree blobs, of any bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "input/dtb.h"
#include "input/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct facts f;
	char *err = NULL;
	int ret;

	facts_init(&f);
	ret = dtb_read(&f, facts_file(&f, "fuzz"), text, size, &err);
	if ((ret != 0 && ret != INPUT_BAD) || (ret != 0) != (err != NULL))
		abort();
	if (err && strpbrk(err, "\n\r\t\033"))
		abort();
	/* On failure the facts are as before. */
	if (ret && (f.fw.n || f.claims.n || f.dt.seen || f.cmdline))
		abort();
	for (size_t i = 0; i < f.fw.n; i++)
		if (f.fw.v[i].range.first > f.fw.v[i].range.last)
			abort();
	for (size_t i = 0; i < f.claims.n; i++)
		if (f.claims.v[i].range.first > f.claims.v[i].range.last)
			abort();
	free(err);
	facts_destroy(&f);
	return 0;
}
