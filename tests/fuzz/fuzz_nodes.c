/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_nodes.c - the small files: nodes, meminfo, sysctls, version, command line and memmap. The
 * first byte tells which.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "input/proc.h"
#include "input/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const readers[])(struct facts *, uint32_t, const char *, size_t, char **) = {
		proc_nodes, proc_meminfo, proc_sysctl, proc_version, proc_cmdline, proc_memmap,
	};
	const char *text = (const char *)data;
	struct facts f;
	char *err = NULL;
	int ret;

	if (!size)
		return 0;
	facts_init(&f);
	ret = readers[*data % (sizeof(readers) / sizeof(readers[0]))](&f, facts_file(&f, "fuzz"),
								      text + 1, size - 1, &err);
	if ((ret != 0 && ret != INPUT_BAD) || (ret != 0) != (err != NULL))
		abort();
	if (err && strpbrk(err, "\n\r\t\033"))
		abort();
	free(err);
	facts_destroy(&f);
	return 0;
}
