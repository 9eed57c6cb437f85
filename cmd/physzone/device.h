/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - a device as the command line describes it: the windows of physical addresses that it
 * reaches.
 */
#ifndef PHYSZONE_CMD_DEVICE_H
#define PHYSZONE_CMD_DEVICE_H

#include <physzone/types.h>

#include "options.h"
#include "vec.h"

struct device {
	char *name; /* as it was asked for: "28 bits", "up to 0x3fffffff", "1G-2G,3G-4G" */
	unsigned int bits; /* from --bits, else 0 */
	VEC(struct pz_range) windows; /* bytes; ascending, disjoint */
};

/*
 * Read one description. An address is decimal, octal after 0 or hexadecimal after 0x; as an end it
 * is the last address in reach, but with a suffix (K, M, G, T, P, E) it is the first one beyond.
 * Returns 0, or EXIT_USAGE with one line in *err; device_destroy() in both cases.
 */
int device_parse(struct device *d, const struct option_reach *from, char **err);
void device_destroy(struct device *d);

/* One address; false when the text is none. */
bool device_address(const char *s, uint64_t *addr);

/* The highest address in reach. */
uint64_t device_last(const struct device *d);

#endif
