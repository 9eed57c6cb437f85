/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_devices.c - what a device behind a chain of buses reaches, against a translation of every
 * page of its bus, window by window.
 *
 * Trees are small: up to four buses, each with up to four windows among 32 pages.
 */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "devices/devices.h"
#include "prop.h"

#define PAGES 32u
#define PAGE 4096u
#define BUSES 4u
#define WINDOWS 4u
#define NOWHERE UINT32_MAX

enum ranges { RANGES_MISSING, RANGES_EMPTY, RANGES_WINDOWS };

struct bus {
	enum ranges ranges;
	struct {
		uint32_t child, parent, n; /* pages */
	} w[WINDOWS];
	unsigned int windows;
};

static char blob[1 << 14];

/* Windows apart from each other below the bus; above it they may overlap. */
static void bus_draw(struct prop *p, struct bus *b)
{
	uint32_t at = 0;

	memset(b, 0, sizeof(*b));
	b->ranges = (enum ranges)prop_choice(p, 4);
	if (b->ranges < RANGES_WINDOWS)
		return;
	b->ranges = RANGES_WINDOWS;
	b->windows = 1 + prop_choice(p, WINDOWS);
	for (unsigned int i = 0; i < b->windows; i++) {
		at += (uint32_t)prop_draw(p, 4);
		b->w[i].child = at;
		b->w[i].n = (uint32_t)prop_between(p, 1, 8);
		b->w[i].parent = (uint32_t)prop_draw(p, PAGES - 9);
		at += b->w[i].n;
	}
}

static uint32_t bus_over(const struct bus *b, uint32_t page)
{
	if (b->ranges != RANGES_WINDOWS)
		return page;
	for (unsigned int i = 0; i < b->windows; i++)
		if (page >= b->w[i].child && page - b->w[i].child < b->w[i].n)
			return b->w[i].parent + (page - b->w[i].child);
	return NOWHERE;
}

static void blob_cells(const char *name, const uint32_t *v, unsigned int n)
{
	uint32_t be[3 * WINDOWS];

	for (unsigned int i = 0; i < n; i++)
		be[i] = cpu_to_fdt32(v[i]);
	(void)fdt_property(blob, name, be, (int)(4 * n));
}

static void blob_ranges(const struct bus *b)
{
	uint32_t v[3 * WINDOWS];

	for (unsigned int i = 0; i < b->windows; i++) {
		v[3 * i] = b->w[i].child * PAGE;
		v[3 * i + 1] = b->w[i].parent * PAGE;
		v[3 * i + 2] = b->w[i].n * PAGE;
	}
	if (b->ranges != RANGES_MISSING)
		blob_cells("dma-ranges", v, 3 * b->windows);
}

/* A chain of buses, the lowest last, and a device at its end; memory is all pages. */
static size_t blob_make(const struct bus *b, unsigned int buses)
{
	const uint32_t one = 1, all[2] = { 0, PAGES * PAGE };

	(void)fdt_create(blob, sizeof(blob));
	(void)fdt_finish_reservemap(blob);
	(void)fdt_begin_node(blob, "");
	blob_cells("#address-cells", &one, 1);
	blob_cells("#size-cells", &one, 1);
	(void)fdt_begin_node(blob, "memory@0");
	(void)fdt_property_string(blob, "device_type", "memory");
	blob_cells("reg", all, 2);
	(void)fdt_end_node(blob);
	for (unsigned int i = 0; i < buses; i++) {
		(void)fdt_begin_node(blob, "bus");
		(void)fdt_property_string(blob, "compatible", "simple-bus");
		(void)fdt_property(blob, "ranges", NULL, 0);
		blob_ranges(&b[i]);
	}
	(void)fdt_begin_node(blob, "d");
	(void)fdt_property_string(blob, "compatible", "a,d");
	blob_cells("reg", all, 2);
	for (unsigned int i = 0; i < buses + 2; i++)
		(void)fdt_end_node(blob);
	(void)fdt_finish(blob);
	return fdt_totalsize(blob);
}

static bool check_dev(struct prop *p, const struct dev *dev, const struct bus *b,
		      unsigned int buses, unsigned int bits)
{
	uint32_t lowest[PAGES];
	uint64_t reached = 0;

	memset(lowest, 0xff, sizeof(lowest));
	for (uint32_t page = 2 * PAGES; page-- > 0;) {
		uint32_t at = page;

		for (unsigned int i = buses; i-- > 0 && at != NOWHERE;)
			at = bus_over(&b[i], at);
		if (at < PAGES)
			lowest[at] = page;
	}
	for (uint32_t i = 0; i < PAGES; i++) {
		uint64_t phys = (uint64_t)i * PAGE + 1, bus = 0;
		bool in = lowest[i] != NOWHERE && !(((uint64_t)lowest[i] * PAGE) >> bits);

		reached += in;
		prop_note(p, "%u bits, page %u: lowest %u", bits, i, lowest[i]);
		PROP_ASSERT(p, dev_reaches(dev, DEV_STREAMING, phys) == in);
		PROP_ASSERT(p, pz_reach_to_bus(&dev->reach[DEV_STREAMING], phys, &bus) == 0 || !in);
		PROP_ASSERT(p, !in || bus == (uint64_t)lowest[i] * PAGE + 1);
	}
	PROP_ASSERT(p, dev->bytes[DEV_STREAMING] == reached * PAGE);
	return true;
}

static bool chains(struct prop *p, void *ctx)
{
	unsigned int buses = prop_choice(p, BUSES + 1);
	unsigned int bits = 13 + prop_choice(p, 6);
	struct bus b[BUSES];
	struct devices d;
	struct facts f;
	char *err = NULL;
	bool ok;
	size_t n;

	(void)ctx;
	for (unsigned int i = 0; i < buses; i++)
		bus_draw(p, &b[i]);
	n = blob_make(b, buses);
	facts_init(&f);
	devices_init(&d);
	ok = !dtb_devices(&d, &f, facts_file(&f, "t"), blob, n, &err) && d.all.n == 1;
	prop_note(p, "%u buses, %zu devices: %s", buses, d.all.n, err ? err : "");
	if (ok) {
		d.all.v[0].bits[DEV_STREAMING] = bits;
		devices_memory(&d, &f);
		devices_compute(&d);
		ok = check_dev(p, &d.all.v[0], b, buses, bits);
	}
	free(err);
	devices_destroy(&d);
	facts_destroy(&f);
	return ok;
}

int main(void)
{
	prop_run("a device behind buses reaches what each of them lets through", chains, NULL,
		 3000);
	return prop_done();
}
