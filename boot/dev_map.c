/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_map.c - streaming mappings: memory above 4 GiB handed to devices that do not reach it, and to
 * one that does.
 *
 * The devices belong to a DMA layer of their own, with bounce buffers.
 */
#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include "dev.h"
#include "hw.h"

#define MAP_EDU_BITS 28u
#define MAP_FLOPPY_BITS 24u
/* What is mapped does not begin where a page or a slot does. */
#define MAP_OFFSET 0x230u
#define MAP_PAGES 8u /* of each piece of memory, the first and the last for what lies around */
#define MAP_BYTES (MAP_PAGES * BOOT_PAGE)
#define MAP_AROUND 0x57u /* the seed of what must stay as it is */
#define MAP_SEGMENTS 4u
#define MAP_DISK_SECTOR 5u

struct map_devices {
	struct pz_bounce *bounce;
	struct pz_dma *dma;
	struct pz_dma_dev *edu, *floppy, *disk;
	struct edu edu_hw;
	struct ahci disk_hw;
	struct pz_dma_buf command;
};

static uint64_t map_bounced(const struct map_devices *d)
{
	struct pz_bounce_stat stat;

	pz_bounce_stat(d->bounce, &stat);
	return stat.used;
}

static bool map_layers(struct dev_machine *m, struct map_devices *d)
{
	struct pz_bounce_config bounce = { .cpus = 1 };
	struct pz_dma_config dma = { .cpus = 1, .cma = PZ_DMA_NO_CMA, .pool_bytes = UINT64_MAX };

	bounce.meta = m->t->meta;
	bounce.bugs = &m->bugs;
	bounce.pages = m->pages;
	bounce.hooks.direct = dev_direct;
	if (pz_bounce_create(&d->bounce, &bounce))
		return false;
	dma.pages = m->pages;
	dma.meta = m->t->meta;
	dma.bugs = &m->bugs;
	dma.bounce = d->bounce;
	dma.hooks.direct = dev_direct;
	return pz_dma_create(&d->dma, &dma) == 0;
}

static bool map_device(const struct map_devices *d, struct pz_dma_dev **dev, const char *name,
		       unsigned int bits, uint64_t boundary)
{
	struct pz_dma_dev_config cfg;

	pz_dma_dev_init(&cfg, name, 64);
	cfg.boundary = boundary;
	return !pz_dma_dev_create(dev, d->dma, &cfg) &&
	       !pz_dma_set_masks(*dev, pz_limits_bits(bits).max_addr);
}

static bool map_open(struct dev_machine *m, struct map_devices *d)
{
	bool wide;

	return map_layers(m, d) && map_device(d, &d->edu, "edu28", MAP_EDU_BITS, 0) &&
	       map_device(d, &d->floppy, "floppy", MAP_FLOPPY_BITS, DEV_ISA_BOUNDARY) &&
	       map_device(d, &d->disk, "disk", 64, 0) &&
	       edu_open(&d->edu_hw, DEV_EDU_SLOT(MAP_EDU_BITS)) && fdc_open() &&
	       ahci_find(&d->disk_hw, &wide) && dev_alloc(d->disk, AHCI_MEMORY, &d->command) &&
	       ahci_open(&d->disk_hw, d->command.cpu_addr, d->command.bus);
}

static void map_close(struct dev_machine *m, struct map_devices *d)
{
	bool gone = true;

	if (d->command.cpu_addr) {
		ahci_close(&d->disk_hw);
		dev_free(d->disk, &d->command);
	}
	gone = !pz_dma_dev_destroy(d->edu) && gone;
	gone = !pz_dma_dev_destroy(d->floppy) && gone;
	gone = !pz_dma_dev_destroy(d->disk) && gone;
	gone = !pz_dma_destroy(d->dma) && gone;
	CHECK_NAMED(m->t, !d->bounce || pz_bounce_check(d->bounce) == 0,
		    "map: the bounce buffers are sound");
	gone = !pz_bounce_destroy(d->bounce) && gone;
	CHECK_NAMED(m->t, gone, "map: nothing is mapped any more");
}

/* Memory above 4 GiB with something in it that must not change; its address, 0 for none. */
static uint64_t map_high(struct dev_machine *m)
{
	struct pz_limits high = pz_limits_any();
	uint64_t pfn;

	high.min_addr = DEV_4G;
	if (pz_alloc_pages_exact(m->pages, 0, 0, MAP_BYTES, &high, &pfn))
		return 0;
	dev_write(pfn << BOOT_PAGE_SHIFT, MAP_BYTES, MAP_AROUND, 0);
	return pfn << BOOT_PAGE_SHIFT;
}

/* Whether all of a piece but @bytes at @phys is as it was. */
static bool map_around(uint64_t high, uint64_t phys, uint32_t bytes)
{
	uint32_t before = (uint32_t)(phys - high), behind = before + bytes;

	return dev_holds(high, before, MAP_AROUND, 0) &&
	       dev_holds(high + behind, (uint32_t)MAP_BYTES - behind, MAP_AROUND, behind / 4);
}

/* Out of one place and into another, neither of which the device reaches. */
static bool map_edu(const struct map_devices *d, uint64_t from, uint64_t to)
{
	const uint32_t bytes = EDU_MOST;
	uint64_t bus;
	bool done;

	dev_write(from, bytes, MAP_EDU_BITS, 0);
	bus = pz_dma_map(d->edu, 0, from, bytes, PZ_DMA_TO_DEVICE, 0);
	if (pz_dma_mapping_error(d->edu, bus) || (bus + bytes - 1) >> MAP_EDU_BITS)
		return false;
	edu_start_read(&d->edu_hw, bus, bytes);
	done = edu_wait(&d->edu_hw) && map_bounced(d) > 0;
	pz_dma_unmap(d->edu, 0, bus, bytes, PZ_DMA_TO_DEVICE, 0);

	bus = pz_dma_map(d->edu, 0, to, bytes, PZ_DMA_FROM_DEVICE, 0);
	if (pz_dma_mapping_error(d->edu, bus) || (bus + bytes - 1) >> MAP_EDU_BITS)
		return false;
	edu_start_write(&d->edu_hw, bus, bytes);
	done = edu_wait(&d->edu_hw) && done;
	pz_dma_unmap(d->edu, 0, bus, bytes, PZ_DMA_FROM_DEVICE, 0);
	return done && map_bounced(d) == 0 && dev_holds(to, bytes, MAP_EDU_BITS, 0);
}

/* One mapping in both directions, changed by the device and by the CPU in turn. */
static bool map_edu_sync(const struct map_devices *d, uint64_t at)
{
	const uint32_t bytes = EDU_MOST;
	uint64_t bus;
	bool done;

	dev_write(at, bytes, 1, 0);
	bus = pz_dma_map(d->edu, 0, at, bytes, PZ_DMA_BIDIRECTIONAL, 0);
	if (pz_dma_mapping_error(d->edu, bus))
		return false;
	edu_start_read(&d->edu_hw, bus, bytes);
	done = edu_wait(&d->edu_hw);
	pz_dma_sync_for_cpu(d->edu, bus, bytes, PZ_DMA_BIDIRECTIONAL);
	dev_write(at, bytes, 2, 0);
	pz_dma_sync_for_device(d->edu, bus, bytes, PZ_DMA_BIDIRECTIONAL);
	/* The device still has the first data; half of them over the second. */
	edu_start_write(&d->edu_hw, bus, bytes / 2);
	done = edu_wait(&d->edu_hw) && done;
	pz_dma_unmap(d->edu, 0, bus, bytes, PZ_DMA_BIDIRECTIONAL, 0);
	return done && dev_holds(at, bytes / 2, 1, 0) &&
	       dev_holds(at + bytes / 2, bytes / 2, 2, bytes / 8);
}

static bool map_floppy(const struct map_devices *d, uint64_t to, unsigned int cylinder)
{
	uint64_t bus = pz_dma_map(d->floppy, 0, to, FDC_CYLINDER, PZ_DMA_FROM_DEVICE, 0);
	uint64_t last = bus + FDC_CYLINDER - 1;
	bool done;

	if (pz_dma_mapping_error(d->floppy, bus))
		return false;
	done = !(last >> MAP_FLOPPY_BITS) && bus / DEV_ISA_BOUNDARY == last / DEV_ISA_BOUNDARY &&
	       fdc_read(cylinder, bus, FDC_CYLINDER) && fdc_last_byte() == last;
	pz_dma_unmap(d->floppy, 0, bus, FDC_CYLINDER, PZ_DMA_FROM_DEVICE, 0);
	return done && dev_holds(to, FDC_CYLINDER, DEV_SEED_FLOPPY, cylinder * (FDC_CYLINDER / 4));
}

/* A scatter list of every second page, backwards: nothing is copied and nothing merges. */
static bool map_disk(const struct map_devices *d, uint64_t high)
{
	struct ahci_segment v[MAP_SEGMENTS];
	struct pz_sg sg[MAP_SEGMENTS];
	uint32_t word = MAP_DISK_SECTOR * AHCI_SECTOR / 4, n;
	bool whole;

	for (uint32_t i = 0; i < MAP_SEGMENTS; i++)
		sg[i] = (struct pz_sg){ .phys = high + 2 * (MAP_SEGMENTS - 1 - i) * BOOT_PAGE,
					.len = BOOT_PAGE };
	if (pz_dma_map_sg(d->disk, 0, sg, MAP_SEGMENTS, PZ_DMA_FROM_DEVICE, 0, &n))
		return false;
	whole = n == MAP_SEGMENTS && map_bounced(d) == 0;
	for (uint32_t i = 0; i < n; i++) {
		whole = whole && sg[i].bus == sg[i].phys;
		v[i] = (struct ahci_segment){ sg[i].bus, (uint32_t)sg[i].bus_len };
	}
	ahci_start_read(&d->disk_hw, MAP_DISK_SECTOR, v, n);
	whole = ahci_wait(&d->disk_hw) && whole;
	pz_dma_unmap_sg(d->disk, 0, sg, MAP_SEGMENTS, PZ_DMA_FROM_DEVICE, 0);
	for (uint32_t i = 0; i < MAP_SEGMENTS; i++, word += BOOT_PAGE / 4)
		whole = whole && dev_holds(sg[i].phys, BOOT_PAGE, DEV_SEED_DISK, word);
	return whole;
}

static void map_all(struct dev_machine *m, const struct map_devices *d, const uint64_t high[2],
		    const char *when)
{
	uint64_t from = high[0] + MAP_OFFSET, to = high[1] + MAP_OFFSET;

	DEV_CHECK(m, map_edu(d, from, to), "map, %s: high memory goes out of edu 28 bits and in",
		  when);
	DEV_CHECK(m, map_around(high[0], from, EDU_MOST) && map_around(high[1], to, EDU_MOST),
		  "map, %s: what lies around stays", when);
	dev_write(high[1], MAP_BYTES, MAP_AROUND, 0);
	DEV_CHECK(m, map_edu_sync(d, to) && map_around(high[1], to, EDU_MOST),
		  "map, %s: device and CPU take turns", when);
	dev_write(high[1], MAP_BYTES, MAP_AROUND, 0);
	DEV_CHECK(m, map_floppy(d, to, 2) && map_around(high[1], to, FDC_CYLINDER),
		  "map, %s: a cylinder arrives above 4 GiB", when);
	DEV_CHECK(m, map_disk(d, high[1]), "map, %s: the disk's data arrive uncopied", when);
	dev_write(high[0], MAP_BYTES, MAP_AROUND, 0);
	dev_write(high[1], MAP_BYTES, MAP_AROUND, 0);
}

/* Without bounce buffers high memory is refused, and not handed over all the same. */
static void map_refused(struct dev_machine *m, uint64_t high)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	uint64_t bus;

	pz_dma_dev_init(&cfg, "edu28", MAP_EDU_BITS);
	if (!CHECK_NAMED(m->t, !pz_dma_dev_create(&dev, m->dma, &cfg), "map: a narrow device"))
		return;
	CHECK_NAMED(m->t,
		    pz_dma_map_try(dev, 0, high, BOOT_PAGE, PZ_DMA_TO_DEVICE, 0, &bus) ==
			    -PZ_ERANGE,
		    "map: without bounce buffers high memory is refused");
	CHECK_NAMED(m->t, !pz_dma_dev_destroy(dev), "map: nothing is out");
}

void dev_test_map(struct dev_machine *m)
{
	struct map_devices d = { 0 };
	uint64_t high[2] = { map_high(m), map_high(m) };

	if (CHECK_NAMED(m->t, high[0] && high[1], "map: memory above 4 GiB") &&
	    CHECK_NAMED(m->t, map_open(m, &d), "map: the devices are there")) {
		map_refused(m, high[0]);
		map_all(m, &d, high, "idle");
		dev_fill(m);
		map_all(m, &d, high, "filled");
		dev_empty(m);
	}
	map_close(m, &d);
	for (unsigned int i = 0; i < 2; i++)
		if (high[i])
			dev_give(m, high[i], MAP_BYTES);
}
