/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtb_devices.c - the devices of a device tree, and the windows that their buses leave them.
 *
 * Concept: a device's address passes every bus on its way up to the root. A bus with "dma-ranges"
 * translates in windows, and what lies in none does not pass; an empty dma-ranges passes everything
 * as it is, and so does, in practice, none at all. So the windows of the lowest such bus are taken
 * up bus by bus, and cut wherever one of those above ends.
 *
 * What is a device: a node with "compatible" and "reg" that all nodes above make reachable (by
 * "ranges", or as a bus), but for memory, processors and buses. What stands behind a PCI host is
 * not in the tree; the host stands for it, with its own dma-ranges.
 *
 * Linux looks for the lowest dma-ranges that is not empty, but gives up at a bus without any above
 * the first one, and then assumes that there is no limit. Where that makes a difference, a note
 * says so. Source followed: drivers/of/address.c of Linux 6.1 and 6.12.
 *
 * Failure: a dma-ranges that is no list of windows, or with cell counts that addresses do not have,
 * lets nothing through, and a note says so.
 */
#include "devices/devices.h"
#include "input/dtb_bus.h"
#include "input/scan.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

enum { DEVS_HOPS = 4 * DTB_DEPTH_MAX, DEVS_PIECES = 512 };

/* A piece of a device's bus, and where it stands on the bus reached so far. */
struct devs_piece {
	uint64_t bus;
	struct pz_range at;
};

struct devs_path {
	bool any; /* no windows yet: everything passes as it is */
	bool bad;
	int first; /* the bus whose windows came first, or -1 */
	VEC(struct devs_piece) pieces;
};

/* Printable, as names stand in messages. */
static char *devs_path_of(const struct dtb *t, int node)
{
	char buf[512];

	if (fdt_get_path(t->blob, t->nodes.v[node].offset, buf, sizeof(buf)))
		snprintf(buf, sizeof(buf), "%s", dtb_name(t, node));
	for (char *c = buf; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return xstrdup(buf);
}

/* Cells of an address on a bus; @ns of a size too. */
static uint32_t devs_cells(const struct dtb *t, int bus, uint32_t *ns)
{
	switch (dtb_bus_of(t, bus)) {
	case DTB_BUS_PCI:
		*ns = 2;
		return 3;
	case DTB_BUS_ISA:
		*ns = 1;
		return 2;
	default:
		*ns = t->nodes.v[bus].size_cells;
		return t->nodes.v[bus].addr_cells;
	}
}

static bool devs_is_memory(enum dtb_bus bus, uint32_t cell)
{
	return (bus != DTB_BUS_PCI && bus != DTB_BUS_ISA) || dtb_bus_flags(bus, cell) & DTB_MEM;
}

/* Take the pieces through one window [child, +size) -> parent; appended to @to. */
static void devs_through(const struct devs_path *from, struct devs_path *to, uint64_t child,
			 uint64_t parent, uint64_t size)
{
	struct pz_range w;

	/* A window that wraps on either side ends where that side does. */
	if (size - 1 > UINT64_MAX - child)
		size = UINT64_MAX - child + 1;
	if (size - 1 > UINT64_MAX - parent)
		size = UINT64_MAX - parent + 1;
	w.first = child;
	w.last = child + (size - 1);
	if (from->any && to->pieces.n < DEVS_PIECES) {
		*vec_push(&to->pieces) =
			(struct devs_piece){ child, { parent, parent + (size - 1) } };
		return;
	}
	for (size_t i = 0; i < from->pieces.n && to->pieces.n < DEVS_PIECES; i++) {
		const struct devs_piece *p = &from->pieces.v[i];
		struct devs_piece *q;
		struct pz_range both;

		if (!pz_range_intersect(p->at, w, &both))
			continue;
		q = vec_push(&to->pieces);
		q->bus = p->bus + (both.first - p->at.first);
		q->at.first = parent + (both.first - child);
		q->at.last = parent + (both.last - child);
	}
}

/* Take the pieces over a bus with windows to what is above it. */
static void devs_over(const struct dtb *t, int bus, int above, struct devs_path *path,
		      struct dev *dev)
{
	struct devs_path over = { .first = path->any ? bus : path->first };
	enum dtb_bus kind = dtb_bus_of(t, bus);
	uint32_t len, ns, pns, na = devs_cells(t, bus, &ns), pna = devs_cells(t, above, &pns);
	const unsigned char *p = dtb_prop(t, bus, "dma-ranges", &len);
	uint32_t fna = dtb_bus_flag_cells(kind), fpna = dtb_bus_flag_cells(dtb_bus_of(t, above));
	uint32_t one = 4 * (na + pna + ns);

	if (!dtb_bus_count_fits(na, ns) || pna < 1 || pna > DTB_CELLS_MAX || na < fna ||
	    pna < fpna || len % one) {
		dev_note(dev, "the dma-ranges of %s is no list of windows: nothing passes",
			 dtb_name(t, bus));
		over.bad = true;
		len = 0;
	}
	for (; len >= one && one; len -= one, p += one) {
		uint64_t size = dtb_number(p + 4 * (na + pna), ns);

		if (size && devs_is_memory(kind, dtb_cell(p)))
			devs_through(path, &over, dtb_number(p + 4 * fna, na - fna),
				     dtb_number(p + 4 * (na + fpna), pna - fpna), size);
	}
	if (over.pieces.n == DEVS_PIECES)
		dev_note(dev, "only the first %d windows count", (int)DEVS_PIECES);
	vec_free(&path->pieces);
	*path = over;
}

/* Whether Linux finds windows on the way up from @bus: it gives up where it should not. */
static bool devs_linux_looks(const struct dtb *t, int bus, int *stopped)
{
	bool passed = false;

	*stopped = -1;
	for (unsigned int hops = 0; bus >= 0 && hops < DEVS_HOPS; hops++) {
		uint32_t len;
		const unsigned char *p = dtb_prop(t, bus, "dma-ranges", &len);

		if (p && len)
			return true;
		if (passed && !p) {
			*stopped = bus;
			return false;
		}
		passed = true;
		bus = dtb_bus_parent(t, bus);
	}
	return false;
}

static void devs_windows(const struct dtb *t, int bus, struct dev *dev)
{
	struct devs_path path = { .any = true, .first = -1 };
	int from = bus, stopped;

	for (unsigned int hops = 0; bus > 0 && hops < DEVS_HOPS; hops++) {
		int above = dtb_bus_parent(t, bus);
		uint32_t len;
		const unsigned char *p = dtb_prop(t, bus, "dma-ranges", &len);

		if (above < 0)
			break;
		if (p && len)
			devs_over(t, bus, above, &path, dev);
		bus = above;
	}
	if (bus > 0) {
		dev_note(dev, "its interconnects lead in circles: nothing passes");
		path.any = false;
		vec_free(&path.pieces);
	}
	dev->anywhere = path.any;
	for (size_t i = 0; i < path.pieces.n; i++) {
		struct dev_window *w = vec_push(&dev->windows);

		w->phys = path.pieces.v[i].at;
		w->bus = path.pieces.v[i].bus;
	}
	if (path.first >= 0) {
		dev->behind = devs_path_of(t, path.first);
		if (!devs_linux_looks(t, from, &stopped) && stopped >= 0)
			dev_note(dev,
				 "Linux stops looking at %s, which has no dma-ranges, and takes "
				 "the device to reach everything",
				 dtb_name(t, stopped));
	}
	vec_free(&path.pieces);
}

/* dma-coherent counts from the device upwards, unless dma-noncoherent comes first. */
static bool devs_coherent(const struct dtb *t, int node)
{
	for (unsigned int hops = 0; node >= 0 && hops < DEVS_HOPS; hops++) {
		if (dtb_has(t, node, "dma-coherent"))
			return true;
		if (dtb_has(t, node, "dma-noncoherent"))
			return false;
		node = dtb_bus_parent(t, node);
	}
	return false;
}

static void devs_iommu(const struct dtb *t, int node, struct dev *dev)
{
	uint32_t len;
	const unsigned char *p = dtb_prop(t, node, "iommus", &len);
	int to;

	/* Of a PCI host: which identifiers, from a phandle in the second cell on. */
	if (!p && (p = dtb_prop(t, node, "iommu-map", &len)) && len >= 8) {
		p += 4;
		len -= 4;
	}
	if (!p || len < 4)
		return;
	to = dtb_phandle(t, dtb_cell(p));
	if (to < 0 || !t->nodes.v[to].available) {
		dev_note(dev, "its IOMMU is not there, or disabled");
		return;
	}
	dev->iommu = DEV_IOMMU_TRANSLATES;
	dev->iommu_name = devs_path_of(t, to);
}

static bool devs_compatible(const struct dtb *t, int node, const char *with)
{
	return !fdt_node_check_compatible(t->blob, t->nodes.v[node].offset, with);
}

static enum dev_region_kind devs_region_kind(const struct dtb *t, int node)
{
	if (devs_compatible(t, node, "restricted-dma-pool"))
		return DEV_REGION_RESTRICTED;
	if (!devs_compatible(t, node, "shared-dma-pool"))
		return DEV_REGION_OTHER;
	return dtb_has(t, node, "reusable") && !dtb_has(t, node, "no-map") ? DEV_REGION_CMA
									   : DEV_REGION_COHERENT;
}

static void devs_regions(const struct dtb *t, int node, struct dev *dev)
{
	uint32_t na = t->nodes.v[0].addr_cells, ns = t->nodes.v[0].size_cells, len, rlen;
	const unsigned char *p = dtb_prop(t, node, "memory-region", &len);

	for (; p && len >= 4; p += 4, len -= 4) {
		int to = dtb_phandle(t, dtb_cell(p));
		const unsigned char *reg;
		struct dev_region *r;

		if (to < 0 || !t->nodes.v[to].available) {
			dev_note(dev, "a memory-region is not there, or disabled");
			continue;
		}
		r = vec_push(&dev->regions);
		r->kind = devs_region_kind(t, to);
		r->name = devs_path_of(t, to);
		reg = dtb_prop(t, to, "reg", &rlen);
		r->placed = reg && na && ns && na <= DTB_CELLS_MAX && ns <= DTB_CELLS_MAX &&
			    rlen >= 4 * (na + ns) &&
			    !pz_range_make(dtb_number(reg, na), dtb_number(reg + 4 * na, ns),
					   &r->range);
	}
}

/* A bus that only passes on what stands below it. */
static bool devs_is_bus(const struct dtb *t, int node)
{
	static const char *const buses[] = { "simple-bus", "simple-mfd", "simple-pm-bus", "isa",
					     "arm,amba-bus" };

	for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++)
		if (devs_compatible(t, node, buses[i]))
			return true;
	return false;
}

/* Whether what stands below the node is addressed like memory, and so may reach it. */
static bool devs_passes(const struct dtb *t, int node)
{
	return node <= 0 || devs_is_bus(t, node) || dtb_has(t, node, "ranges");
}

static bool devs_is_device(const struct dtb *t, int node)
{
	static const char *const not_below[] = { "cpus",    "chosen",	"reserved-memory",
						 "aliases", "firmware", "options" };

	if (!t->nodes.v[node].available || !dtb_has(t, node, "compatible") ||
	    !dtb_has(t, node, "reg") || dtb_prop_is(t, node, "device_type", "memory") ||
	    devs_is_bus(t, node))
		return false;
	for (int up = t->nodes.v[node].parent; up > 0; up = t->nodes.v[up].parent) {
		if (!devs_passes(t, up) || dtb_bus_of(t, up) == DTB_BUS_PCI)
			return false;
		for (size_t i = 0; i < sizeof(not_below) / sizeof(not_below[0]); i++)
			if (t->nodes.v[up].parent == 0 && !strcmp(dtb_name(t, up), not_below[i]))
				return false;
	}
	return true;
}

static void devs_add(struct devices *d, const struct dtb *t, int node)
{
	char *path = devs_path_of(t, node);
	struct dev *dev = devices_add(d, path);
	bool pci = dtb_bus_of(t, node) == DTB_BUS_PCI;
	uint32_t nid;

	free(path);
	dev->driver = dtb_text(t, node, "compatible");
	if (pci)
		dev->kind = xstrdup("what is behind the PCI host");
	if (dtb_u32(t, node, "numa-node-id", &nid) && nid <= INT32_MAX)
		dev->nid = (int)nid;
	dev->coherent = devs_coherent(t, node);
	devs_windows(t, pci ? node : dtb_bus_parent(t, node), dev);
	devs_iommu(t, node, dev);
	devs_regions(t, node, dev);
}

int dtb_devices(struct devices *d, struct facts *f, uint32_t file, const char *buf, size_t len,
		char **err)
{
	struct dtb t;
	int ret = dtb_read(f, file, buf, len, err);

	if (ret)
		return ret;
	ret = dtb_open(&t, f, file, buf, len, err);
	for (size_t i = 1; !ret && i < t.nodes.n; i++)
		if (devs_is_device(&t, (int)i))
			devs_add(d, &t, (int)i);
	d->tree = true;
	dtb_close(&t);
	return ret;
}
