/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtb_dma.c - how far the buses of a device tree reach.
 *
 * Concept: Linux derives the limit of arm64's DMA zone from the "dma-ranges" of all buses: for each
 * node that has one it takes the highest CPU address that its windows end at, and then the lowest
 * of these over the tree. This module does the same, step by step, because its peculiarities
 * decide where real zones end:
 *  1. only nodes that are available are entered; the root is entered whatever its status is;
 *  2. an empty dma-ranges restricts nothing, and neither does none at all;
 *  3. windows that continue each other count as one;
 *  4. a window is compared by the address behind its end, while its last address is kept; so a
 *     window that ends at the very top wraps to 0 and never counts;
 *  5. a window whose address cannot be translated counts as starting at the very last address, so
 *     that its end wraps around;
 *  6. a dma-ranges too short for one window leaves 0: nothing can be reached.
 *
 * Source followed: facts/zones.md section 2, drivers/of/address.c of Linux 6.1 and 6.12.
 *
 * Failure: cell counts above 4 in a node whose windows are to be read are refused; Linux folds the
 * numbers, or reads past them.
 * Shortcomings: a chain of "interconnects" that leads in circles hangs Linux; here such a window
 * cannot be translated.
 */
#include "input/dtb.h"

#include <string.h>

enum dma_bus { DMA_BUS_PCI, DMA_BUS_ISA, DMA_BUS_FLAGS, DMA_BUS_PLAIN };

enum { DMA_HOPS_MAX = 4 * DTB_DEPTH_MAX };

#define DMA_BAD UINT64_MAX

/* Kinds of PCI and ISA addresses that a window must share with the address it translates. */
enum { DMA_IO = 1, DMA_MEM = 2, DMA_MEM64 = 4, DMA_PREFETCH = 8 };

struct dma_cells {
	uint32_t v[DTB_CELLS_MAX];
};

static uint32_t dma_cell(const unsigned char *p)
{
	return (uint32_t)dtb_number(p, 1);
}

static enum dma_bus dma_bus_of(const struct dtb *t, int node)
{
	static const char *const pci[] = { "pci", "pciex", "vci", "ht" };

	for (size_t i = 0; i < sizeof(pci) / sizeof(pci[0]); i++)
		if (dtb_prop_is(t, node, "device_type", pci[i]))
			return DMA_BUS_PCI;
	if (dtb_name_is(t, node, "pcie"))
		return DMA_BUS_PCI;
	if (dtb_name_is(t, node, "isa"))
		return DMA_BUS_ISA;
	return t->nodes.v[node].addr_cells == 3 ? DMA_BUS_FLAGS : DMA_BUS_PLAIN;
}

static uint32_t dma_flag_cells(enum dma_bus bus)
{
	return bus == DMA_BUS_PLAIN ? 0 : 1;
}

/* What kind of address the first cell says it is. */
static uint32_t dma_flags(enum dma_bus bus, uint32_t cell)
{
	uint32_t flags = 0;

	switch (bus) {
	case DMA_BUS_PCI:
		if ((cell >> 24 & 3) == 1)
			flags = DMA_IO;
		else if ((cell >> 24 & 3) == 2)
			flags = DMA_MEM;
		else if ((cell >> 24 & 3) == 3)
			flags = DMA_MEM | DMA_MEM64;
		return cell & 0x40000000 ? flags | DMA_PREFETCH : flags;
	case DMA_BUS_ISA:
		return cell & 1 ? DMA_IO : DMA_MEM;
	case DMA_BUS_FLAGS:
		return cell;
	default:
		return DMA_MEM;
	}
}

static bool dma_same_kind(enum dma_bus bus, uint32_t a, uint32_t b)
{
	switch (bus) {
	case DMA_BUS_PCI:
		return !((dma_flags(bus, a) ^ dma_flags(bus, b)) & (DMA_IO | DMA_MEM));
	case DMA_BUS_ISA:
		return !((a ^ b) & 1);
	case DMA_BUS_FLAGS:
		return a == b;
	default:
		return true;
	}
}

/* The counts of cells that a device's addresses have on the bus above it. */
static void dma_count(const struct dtb *t, enum dma_bus bus, int dev, uint32_t *na, uint32_t *ns)
{
	int above = t->nodes.v[dev].parent;

	if (above < 0)
		above = dev;
	*na = t->nodes.v[above].addr_cells;
	*ns = t->nodes.v[above].size_cells;
	if (bus == DMA_BUS_PCI) {
		*na = 3;
		*ns = 2;
	} else if (bus == DMA_BUS_ISA) {
		*na = 2;
		*ns = 1;
	}
}

static bool dma_count_fits(uint32_t na, uint32_t ns)
{
	return na >= 1 && na <= DTB_CELLS_MAX && ns >= 1 && ns <= DTB_CELLS_MAX;
}

/* The node of the entry @index of "interconnects", or -1. */
static int dma_interconnect(const struct dtb *t, int node, unsigned int index)
{
	uint32_t len, clen;
	const unsigned char *p = dtb_prop(t, node, "interconnects", &len);

	while (p && len >= 4) {
		int to = dtb_phandle(t, dma_cell(p));
		const unsigned char *cells;
		uint32_t n;

		if (to < 0)
			return -1;
		cells = dtb_prop(t, to, "#interconnect-cells", &clen);
		if (!cells || clen < 4)
			return -1;
		if (index-- == 0)
			return to;
		n = dma_cell(cells);
		if (n >= len / 4)
			return -1;
		p += 4 * (n + 1);
		len -= 4 * (n + 1);
	}
	return -1;
}

/* Where a node's DMA goes: along the interconnect named "dma-mem", else to the node above. */
static int dma_parent(const struct dtb *t, int node)
{
	uint32_t len, at = 0;
	unsigned int index = 0;
	const unsigned char *p = dtb_prop(t, node, "interconnect-names", &len);

	for (; p && at < len; index++) {
		const unsigned char *end = memchr(p + at, 0, len - at);
		uint32_t n = end ? (uint32_t)(end - p) - at : len - at;

		if (n == 7 && !memcmp(p + at, "dma-mem", 7)) {
			int to = dma_interconnect(t, node, index);

			return to >= 0 ? to : t->nodes.v[node].parent;
		}
		at += n + 1;
	}
	return t->nodes.v[node].parent;
}

static uint64_t dma_value(const struct dma_cells *a, uint32_t from, uint32_t to)
{
	uint64_t v = 0;

	for (; from < to; from++)
		v = v << 32 | a->v[from];
	return v;
}

/* Add an offset to an address, behind its flags. */
static void dma_offset(struct dma_cells *a, uint32_t flags, uint32_t na, uint64_t offset)
{
	uint64_t v = dma_value(a, flags, na) + offset;

	for (uint32_t i = flags; i < na; i++)
		a->v[i] = 0;
	if (na - flags > 1)
		a->v[na - 2] = (uint32_t)(v >> 32);
	if (na > flags)
		a->v[na - 1] = (uint32_t)v;
}

/* Bring an address on the bus below @dev to the bus above it. */
static bool dma_translate_one(const struct dtb *t, int dev, enum dma_bus bus, enum dma_bus pbus,
			      struct dma_cells *a, uint32_t na, uint32_t ns, uint32_t pna)
{
	uint32_t len, fna = dma_flag_cells(bus);
	uint32_t one = 4 * (na + pna + ns);
	const unsigned char *p = dtb_prop(t, dev, "dma-ranges", &len);
	uint64_t address = dma_value(a, fna, na);

	if (!p || !len) {
		uint64_t offset = dma_value(a, 0, na);

		for (uint32_t i = dma_flag_cells(pbus); i < pna; i++)
			a->v[i] = 0;
		dma_offset(a, dma_flag_cells(pbus), pna, offset);
		return true;
	}
	for (; len >= one; len -= one, p += one) {
		uint64_t first = dtb_number(p + 4 * fna, na - fna);
		uint64_t size = dtb_number(p + 4 * (na + pna), ns);

		if (!dma_same_kind(bus, a->v[0], dma_cell(p)) || address < first ||
		    address >= first + size)
			continue;
		for (uint32_t i = 0; i < pna; i++)
			a->v[i] = dma_cell(p + 4 * (na + i));
		dma_offset(a, dma_flag_cells(pbus), pna, address - first);
		return true;
	}
	return false;
}

/* The CPU address of what @p, in a window of @node, holds; DMA_BAD when there is none. */
static uint64_t dma_translate(const struct dtb *t, int node, const unsigned char *p,
			      const unsigned char *end)
{
	int parent = dma_parent(t, node);
	struct dma_cells a = { { 0 } };
	enum dma_bus bus;
	uint32_t na, ns;

	if (parent < 0)
		return DMA_BAD;
	bus = dma_bus_of(t, parent);
	dma_count(t, bus, node, &na, &ns);
	if (!dma_count_fits(na, ns))
		return DMA_BAD;
	for (uint32_t i = 0; i < na && (size_t)(end - p) >= 4 * ((size_t)i + 1); i++)
		a.v[i] = dma_cell(p + 4 * i);
	for (unsigned int hops = 0; hops < DMA_HOPS_MAX; hops++) {
		int dev = parent;
		enum dma_bus pbus;
		uint32_t pna, pns;

		parent = dma_parent(t, dev);
		if (parent < 0)
			return dma_value(&a, 0, na);
		pbus = dma_bus_of(t, parent);
		dma_count(t, pbus, dev, &pna, &pns);
		if (!dma_count_fits(pna, pns) ||
		    !dma_translate_one(t, dev, bus, pbus, &a, na, ns, pna))
			return DMA_BAD;
		bus = pbus;
		na = pna;
		ns = pns;
	}
	return DMA_BAD;
}

struct dma_window {
	uint32_t flags;
	uint64_t bus, cpu, size;
};

/* The last address of the windows of one node, and false for cell counts that cannot be. */
static bool dma_node_limit(const struct dtb *t, int node, const unsigned char *p, uint32_t len,
			   uint64_t *limit)
{
	const struct dtb_node *n = &t->nodes.v[node];
	uint32_t above = (uint32_t)(n->parent < 0 ? node : n->parent);
	uint32_t na = n->addr_cells, ns = n->size_cells, pna = t->nodes.v[above].addr_cells;
	enum dma_bus bus = dma_bus_of(t, node);
	uint32_t fna = dma_flag_cells(bus);
	const unsigned char *end = p + (len & ~3u);
	struct dma_window run = { 0, 0, 0, 0 };
	bool any = false;
	size_t one;

	*limit = 0;
	if (na > DTB_CELLS_MAX || ns > DTB_CELLS_MAX || pna > DTB_CELLS_MAX || na + ns + pna == 0 ||
	    na < fna)
		return false;
	one = 4 * ((size_t)na + pna + ns);
	for (; (size_t)(end - p) >= one; p += one) {
		struct dma_window w;

		w.flags = na ? dma_flags(bus, dma_cell(p)) : 0;
		w.bus = dtb_number(p + 4 * fna, na - fna);
		w.cpu = dma_translate(t, node, p + 4 * na, end);
		w.size = dtb_number(p + 4 * (na + pna), ns);
		if (any && w.flags == run.flags && w.bus == run.bus + run.size &&
		    w.cpu == run.cpu + run.size) {
			run.size += w.size;
			continue;
		}
		if (any && run.cpu + run.size > *limit)
			*limit = run.cpu + run.size - 1;
		run = w;
		any = true;
	}
	if (any && run.cpu + run.size > *limit)
		*limit = run.cpu + run.size - 1;
	return true;
}

bool dtb_dma_limit(const struct dtb *t, uint64_t *limit, int *by)
{
	*limit = PZ_ADDR_MAX;
	*by = -1;
	for (size_t i = 0; i < t->nodes.n; i++) {
		const unsigned char *p;
		uint64_t node_limit;
		uint32_t len;

		if (i > 0 && !t->nodes.v[i].available)
			continue;
		p = dtb_prop(t, (int)i, "dma-ranges", &len);
		if (!p || !len)
			continue;
		if (!dma_node_limit(t, (int)i, p, len, &node_limit)) {
			*by = (int)i;
			return false;
		}
		if (node_limit < *limit) {
			*limit = node_limit;
			*by = (int)i;
		}
	}
	return true;
}
