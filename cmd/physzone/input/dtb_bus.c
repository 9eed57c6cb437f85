/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtb_bus.c - the buses of a device tree: their kind, the cells of their addresses, and where the
 * DMA of what stands on them goes.
 *
 * Source followed: drivers/of/address.c of Linux 6.1 and 6.12.
 */
#include "input/dtb_bus.h"

#include <string.h>

uint32_t dtb_cell(const unsigned char *p)
{
	return (uint32_t)dtb_number(p, 1);
}

enum dtb_bus dtb_bus_of(const struct dtb *t, int node)
{
	static const char *const pci[] = { "pci", "pciex", "vci", "ht" };

	for (size_t i = 0; i < sizeof(pci) / sizeof(pci[0]); i++)
		if (dtb_prop_is(t, node, "device_type", pci[i]))
			return DTB_BUS_PCI;
	if (dtb_name_is(t, node, "pcie"))
		return DTB_BUS_PCI;
	if (dtb_name_is(t, node, "isa"))
		return DTB_BUS_ISA;
	return t->nodes.v[node].addr_cells == 3 ? DTB_BUS_FLAGS : DTB_BUS_PLAIN;
}

uint32_t dtb_bus_flag_cells(enum dtb_bus bus)
{
	return bus == DTB_BUS_PLAIN ? 0 : 1;
}

/* What kind of address the first cell says it is. */
uint32_t dtb_bus_flags(enum dtb_bus bus, uint32_t cell)
{
	uint32_t flags = 0;

	switch (bus) {
	case DTB_BUS_PCI:
		if ((cell >> 24 & 3) == 1)
			flags = DTB_IO;
		else if ((cell >> 24 & 3) == 2)
			flags = DTB_MEM;
		else if ((cell >> 24 & 3) == 3)
			flags = DTB_MEM | DTB_MEM64;
		return cell & 0x40000000 ? flags | DTB_PREFETCH : flags;
	case DTB_BUS_ISA:
		return cell & 1 ? DTB_IO : DTB_MEM;
	case DTB_BUS_FLAGS:
		return cell;
	default:
		return DTB_MEM;
	}
}

bool dtb_bus_same_kind(enum dtb_bus bus, uint32_t a, uint32_t b)
{
	switch (bus) {
	case DTB_BUS_PCI:
		return !((dtb_bus_flags(bus, a) ^ dtb_bus_flags(bus, b)) & (DTB_IO | DTB_MEM));
	case DTB_BUS_ISA:
		return !((a ^ b) & 1);
	case DTB_BUS_FLAGS:
		return a == b;
	default:
		return true;
	}
}

/* The counts of cells that a device's addresses have on the bus above it. */
void dtb_bus_count(const struct dtb *t, enum dtb_bus bus, int dev, uint32_t *na, uint32_t *ns)
{
	int above = t->nodes.v[dev].parent;

	if (above < 0)
		above = dev;
	*na = t->nodes.v[above].addr_cells;
	*ns = t->nodes.v[above].size_cells;
	if (bus == DTB_BUS_PCI) {
		*na = 3;
		*ns = 2;
	} else if (bus == DTB_BUS_ISA) {
		*na = 2;
		*ns = 1;
	}
}

bool dtb_bus_count_fits(uint32_t na, uint32_t ns)
{
	return na >= 1 && na <= DTB_CELLS_MAX && ns >= 1 && ns <= DTB_CELLS_MAX;
}

/* The node of the entry @index of "interconnects", or -1. */
static int bus_interconnect(const struct dtb *t, int node, unsigned int index)
{
	uint32_t len, clen;
	const unsigned char *p = dtb_prop(t, node, "interconnects", &len);

	while (p && len >= 4) {
		int to = dtb_phandle(t, dtb_cell(p));
		const unsigned char *cells;
		uint32_t n;

		if (to < 0)
			return -1;
		cells = dtb_prop(t, to, "#interconnect-cells", &clen);
		if (!cells || clen < 4)
			return -1;
		if (index-- == 0)
			return to;
		n = dtb_cell(cells);
		if (n >= len / 4)
			return -1;
		p += 4 * (n + 1);
		len -= 4 * (n + 1);
	}
	return -1;
}

/* Where a node's DMA goes: along the interconnect named "dma-mem", else to the node above. */
int dtb_bus_parent(const struct dtb *t, int node)
{
	uint32_t len, at = 0;
	unsigned int index = 0;
	const unsigned char *p = dtb_prop(t, node, "interconnect-names", &len);

	for (; p && at < len; index++) {
		const unsigned char *end = memchr(p + at, 0, len - at);
		uint32_t n = end ? (uint32_t)(end - p) - at : len - at;

		if (n == 7 && !memcmp(p + at, "dma-mem", 7)) {
			int to = bus_interconnect(t, node, index);

			return to >= 0 ? to : t->nodes.v[node].parent;
		}
		at += n + 1;
	}
	return t->nodes.v[node].parent;
}
