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
#include "input/dtb_bus.h"

enum { DMA_HOPS_MAX = 4 * DTB_DEPTH_MAX };

#define DMA_BAD UINT64_MAX

struct dma_cells {
	uint32_t v[DTB_CELLS_MAX];
};

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
static bool dma_translate_one(const struct dtb *t, int dev, enum dtb_bus bus, enum dtb_bus pbus,
			      struct dma_cells *a, uint32_t na, uint32_t ns, uint32_t pna)
{
	uint32_t len, fna = dtb_bus_flag_cells(bus);
	uint32_t one = 4 * (na + pna + ns);
	const unsigned char *p = dtb_prop(t, dev, "dma-ranges", &len);
	uint64_t address = dma_value(a, fna, na);

	if (!p || !len) {
		uint64_t offset = dma_value(a, 0, na);

		for (uint32_t i = dtb_bus_flag_cells(pbus); i < pna; i++)
			a->v[i] = 0;
		dma_offset(a, dtb_bus_flag_cells(pbus), pna, offset);
		return true;
	}
	for (; len >= one; len -= one, p += one) {
		uint64_t first = dtb_number(p + 4 * fna, na - fna);
		uint64_t size = dtb_number(p + 4 * (na + pna), ns);

		if (!dtb_bus_same_kind(bus, a->v[0], dtb_cell(p)) || address < first ||
		    address >= first + size)
			continue;
		for (uint32_t i = 0; i < pna; i++)
			a->v[i] = dtb_cell(p + 4 * (na + i));
		dma_offset(a, dtb_bus_flag_cells(pbus), pna, address - first);
		return true;
	}
	return false;
}

/* The CPU address of what @p, in a window of @node, holds; DMA_BAD when there is none. */
static uint64_t dma_translate(const struct dtb *t, int node, const unsigned char *p,
			      const unsigned char *end)
{
	int parent = dtb_bus_parent(t, node);
	struct dma_cells a = { { 0 } };
	enum dtb_bus bus;
	uint32_t na, ns;

	if (parent < 0)
		return DMA_BAD;
	bus = dtb_bus_of(t, parent);
	dtb_bus_count(t, bus, node, &na, &ns);
	if (!dtb_bus_count_fits(na, ns))
		return DMA_BAD;
	for (uint32_t i = 0; i < na && (size_t)(end - p) >= 4 * ((size_t)i + 1); i++)
		a.v[i] = dtb_cell(p + 4 * i);
	for (unsigned int hops = 0; hops < DMA_HOPS_MAX; hops++) {
		int dev = parent;
		enum dtb_bus pbus;
		uint32_t pna, pns;

		parent = dtb_bus_parent(t, dev);
		if (parent < 0)
			return dma_value(&a, 0, na);
		pbus = dtb_bus_of(t, parent);
		dtb_bus_count(t, pbus, dev, &pna, &pns);
		if (!dtb_bus_count_fits(pna, pns) ||
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
	enum dtb_bus bus = dtb_bus_of(t, node);
	uint32_t fna = dtb_bus_flag_cells(bus);
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

		w.flags = na ? dtb_bus_flags(bus, dtb_cell(p)) : 0;
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
