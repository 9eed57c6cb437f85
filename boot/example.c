/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * example.c - the worked example of a master behind an IOMMU, on this machine's memory.
 */
#include "../examples/iommu.h"
#include "../ports/arm/layout.h"

#include "image.h"

#define EXAMPLE_BYTES 0x100000u
/* The low part is where the high one would be if an address lost its upper half. */
#define EXAMPLE_HIGH PORT_HIGH_PHYS
#define EXAMPLE_LOW (PORT_HIGH_PHYS & 0xffffffff)

static void example_print(void *ctx, const char *line)
{
	(void)ctx;
	port_print("# ");
	port_print(line);
	port_print("\n");
}

static bool example_within(uint64_t part, uint64_t phys, uint64_t bytes)
{
	return phys >= part && phys - part < EXAMPLE_BYTES &&
	       bytes <= EXAMPLE_BYTES - (phys - part);
}

static void *example_memory(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	return example_within(EXAMPLE_LOW, phys, bytes) || example_within(EXAMPLE_HIGH, phys, bytes)
		       ? port_direct(phys)
		       : NULL;
}

/* Both parts are memory, and not the same. */
static bool example_apart(void)
{
	volatile uint32_t *low = port_direct(EXAMPLE_LOW), *high = port_direct(EXAMPLE_HIGH);

	*low = 0x600df00d;
	*high = 0x0badf00d;
	return *low == 0x600df00d && *high == 0x0badf00d;
}

void boot_example(struct tap *t, uint64_t handed_over)
{
	struct example_host host = { .print = example_print, .memory = example_memory };

	host.meta = t->meta;
	host.low = (struct pz_range){ EXAMPLE_LOW, EXAMPLE_LOW + EXAMPLE_BYTES - 1 };
	host.high = (struct pz_range){ EXAMPLE_HIGH, EXAMPLE_HIGH + EXAMPLE_BYTES - 1 };
	CHECK_NAMED(t, example_apart(), "there is memory above 4 GiB");
	CHECK_NAMED(t, example_iommu(&host) == 0, "a 32-bit master uses it by translation");
}
