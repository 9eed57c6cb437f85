/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - the bare-metal test image: the machine that it runs on, its devices, then the contract
 * suites.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <physzone/map.h>
#include <physzone/memblock.h>
#include <physzone/zone.h>

#include "../ports/port.h"
#include "../tests/contract/tap.h"

#define BOOT_PAGE_SHIFT 12
#define BOOT_PAGE ((uint64_t)1 << BOOT_PAGE_SHIFT)
#define BOOT_PHYS_BITS 46
#define BOOT_LOW_1M 0x100000u

/* What a machine has to test besides the contract; the last one has no name. */
struct boot_suite {
	const char *name;
	void (*fn)(struct tap *t, uint64_t handed_over);
};

extern const struct boot_suite boot_own[];

/*
 * Lay out the machine below: decode the loader's map, print it and the zones that Linux would make
 * of it, and check what must hold of any machine.
 */
void boot_machine(struct tap *t, uint64_t handed_over);

/*
 * Let the devices of the machine move data to and from memory that the library chose. Uses all
 * memory outside the image, what the loader handed over included.
 */
void boot_devices(struct tap *t, uint64_t handed_over);

/* The worked example of examples/iommu.c. */
void boot_example(struct tap *t, uint64_t handed_over);

/* Start a map and read the loader's into it. Destroy it also on an error. */
int boot_read_map(struct pz_map *map, const struct pz_meta *meta, uint64_t handed_over);

/* The RAM of a sanitised map, in whole pages. */
int boot_add_memory(struct pz_memblock *mb, const struct pz_map *map);

/* Reserve the first MiB, as Linux does, and the image. */
int boot_reserve(struct pz_memblock *mb);

/* Zones by the limits of Linux on x86_64. */
int boot_zone_config(const struct pz_memblock *mb, struct pz_zone_config *cfg);

#endif
