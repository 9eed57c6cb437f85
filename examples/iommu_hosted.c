/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_hosted.c - runs the example of a master behind an IOMMU as a process.
 */
#include "iommu.h"

#include <stdio.h>
#include <stdlib.h>

#define LOW ((uint64_t)1 << 30)
#define HIGH ((uint64_t)7 << 30)
#define PART ((uint64_t)1 << 20)

static void *meta_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static void print(void *ctx, const char *line)
{
	(void)ctx;
	puts(line);
}

/* Both parts lie behind each other in this process's memory. */
static void *memory(void *ctx, uint64_t phys, uint64_t bytes)
{
	unsigned char *m = ctx;

	if (phys >= LOW && phys - LOW < PART && bytes <= PART - (phys - LOW))
		return m + (phys - LOW);
	if (phys >= HIGH && phys - HIGH < PART && bytes <= PART - (phys - HIGH))
		return m + PART + (phys - HIGH);
	return NULL;
}

int main(void)
{
	struct pz_meta meta = { meta_alloc, meta_free, NULL };
	struct example_host host = {
		print, memory, NULL, &meta, { LOW, LOW + PART - 1 }, { HIGH, HIGH + PART - 1 }
	};
	int rc;

	host.ctx = aligned_alloc(4096, 2 * PART);
	rc = host.ctx ? example_iommu(&host) : -PZ_ENOMEM;
	free(host.ctx);
	if (rc)
		fprintf(stderr, "iommu: %d\n", rc);
	return rc != 0;
}
