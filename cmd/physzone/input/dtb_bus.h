/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtb_bus.h - the buses of a device tree, for those who follow its "dma-ranges".
 */
#ifndef PHYSZONE_CMD_INPUT_DTB_BUS_H
#define PHYSZONE_CMD_INPUT_DTB_BUS_H

#include "input/dtb.h"

enum dtb_bus { DTB_BUS_PCI, DTB_BUS_ISA, DTB_BUS_FLAGS, DTB_BUS_PLAIN };

/* Kinds of PCI and ISA addresses that a window must share with the address it translates. */
enum { DTB_IO = 1, DTB_MEM = 2, DTB_MEM64 = 4, DTB_PREFETCH = 8 };

uint32_t dtb_cell(const unsigned char *p);

/* The kind of the bus that a node is, and how many of its address cells are flags. */
enum dtb_bus dtb_bus_of(const struct dtb *t, int node);
uint32_t dtb_bus_flag_cells(enum dtb_bus bus);

/* What kind of address the first cell says it is, and whether two say the same. */
uint32_t dtb_bus_flags(enum dtb_bus bus, uint32_t cell);
bool dtb_bus_same_kind(enum dtb_bus bus, uint32_t a, uint32_t b);

/* The counts of cells that a device's addresses have on the bus above it; whether they can be. */
void dtb_bus_count(const struct dtb *t, enum dtb_bus bus, int dev, uint32_t *na, uint32_t *ns);
bool dtb_bus_count_fits(uint32_t na, uint32_t ns);

/* Where a node's DMA goes: along the interconnect named "dma-mem", else to the node above. */
int dtb_bus_parent(const struct dtb *t, int node);

#endif
