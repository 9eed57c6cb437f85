/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - a list of mappings, line by line.
 */
#ifndef PHYSZONE_CMD_IOMMU_LIST_H
#define PHYSZONE_CMD_IOMMU_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "../input/scan.h"

struct list_line {
	struct where at;
	bool unmap;
	uint64_t iova, phys, size; /* at least one byte, and no end beyond 64 bits */
	uint32_t prot;		   /* PZ_IOMMU_* */
	uint32_t page;		   /* 0: as large as fit */
};

/*
 * Read one line. Returns 0; 1 for a line that says nothing; or INPUT_BAD with one line in *err that
 * says what was expected.
 */
int list_line(struct list_line *l, const struct facts *f, struct where at, struct span line,
	      char **err);

/* A number that is 4K, 64K, 1M or 16M; 0 for any other text. */
uint32_t list_page_size(const char *s, size_t n);

#endif
