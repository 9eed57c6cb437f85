/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.h - the worked example of a master of 32 address lines above a machine of 8 GiB: what it
 * needs of the program that runs it, which may be a process or a bare-metal image.
 */
#ifndef EXAMPLES_IOMMU_H
#define EXAMPLES_IOMMU_H

#include <physzone/types.h>

struct example_host {
	void (*print)(void *ctx, const char *line); /* without an end of line */
	/* Where physical memory of @low and @high lies; NULL for what is neither. */
	void *(*memory)(void *ctx, uint64_t phys, uint64_t bytes);
	void *ctx;
	const struct pz_meta *meta; /* about 2 MiB are taken, in pieces of up to 1 MiB */
	/* What of the 8 GiB is free: whole pages, 1 MiB each or more, one part below 4 GiB and one
	 * above. */
	struct pz_range low, high;
};

/**
 * example_iommu - run the example
 * @host: the program that runs it
 *
 * Context: may block; one at a time.
 * Return: 0; -PZ_E..., or 1 when what the master did is not what it should have done.
 */
int example_iommu(const struct example_host *host);

#endif
