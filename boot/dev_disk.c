/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_disk.c - a disk that reaches all memory, and devices that reach little when all is taken.
 */
#include "dev.h"
#include "hw.h"

#define DISK_SEGMENTS 5u
#define DISK_SEGMENT 16384u
#define DISK_BYTES (DISK_SEGMENTS * DISK_SEGMENT)
#define DISK_SECTOR 3u /* where the test begins to read */
/* The narrow device of the second part; its slot as in dev_edu.c. */
#define FILLED_BITS 28u
#define FILLED_SLOT 17u

struct disk {
	struct ahci hw;
	uint64_t command;
	struct ahci_segment v[DISK_SEGMENTS];
};

/* Memory above 4 GiB for the commands, and in separate places for the data. */
static bool disk_alloc(struct dev_machine *m, struct disk *d)
{
	struct pz_limits high = pz_limits_any();
	uint64_t gap[DISK_SEGMENTS];
	bool ok;

	high.min_addr = DEV_4G;
	ok = !dev_alloc(m, &high, AHCI_MEMORY, &d->command);
	for (unsigned int i = 0; i < DISK_SEGMENTS && ok; i++) {
		d->v[i].bytes = DISK_SEGMENT;
		ok = !dev_alloc(m, &high, DISK_SEGMENT, &d->v[i].bus) &&
		     !dev_alloc(m, &high, BOOT_PAGE, &gap[i]);
	}
	for (unsigned int i = 0; i < DISK_SEGMENTS && ok; i++)
		dev_free(m, gap[i], BOOT_PAGE);
	return ok;
}

static void disk_free(struct dev_machine *m, const struct disk *d)
{
	dev_free(m, d->command, AHCI_MEMORY);
	for (unsigned int i = 0; i < DISK_SEGMENTS; i++)
		dev_free(m, d->v[i].bus, DISK_SEGMENT);
}

static bool disk_is_high(const struct disk *d)
{
	bool high = d->command >= DEV_4G;

	for (unsigned int i = 0; i < DISK_SEGMENTS; i++)
		high = high && d->v[i].bus >= DEV_4G;
	return high;
}

static void disk_start(const struct disk *d)
{
	for (unsigned int i = 0; i < DISK_SEGMENTS; i++)
		dev_write(d->v[i].bus, DISK_SEGMENT, 0, 0);
	ahci_start_read(&d->hw, DISK_SECTOR, d->v, DISK_SEGMENTS);
}

static bool disk_arrives(const struct disk *d)
{
	bool whole = ahci_wait(&d->hw);
	uint32_t word = DISK_SECTOR * AHCI_SECTOR / 4;

	for (unsigned int i = 0; i < DISK_SEGMENTS; i++, word += DISK_SEGMENT / 4)
		whole = whole && dev_holds(d->v[i].bus, DISK_SEGMENT, DEV_SEED_DISK, word);
	return whole;
}

/* The narrow devices and the disk, each with memory of its own, at the same time. */
static void filled_move(struct dev_machine *m, const struct disk *d, uint64_t narrow,
			uint64_t floppy)
{
	struct edu edu;

	if (!CHECK_NAMED(m->t, edu_open(&edu, FILLED_SLOT), "filled: edu 28 bits is there"))
		return;
	dev_write(narrow, EDU_MOST, FILLED_BITS, 0);
	disk_start(d);
	edu_start_read(&edu, narrow, EDU_MOST);
	CHECK_NAMED(m->t, dev_floppy_arrives(floppy, 1), "filled: the floppy's data arrive");
	CHECK_NAMED(m->t, disk_arrives(d), "filled: the disk's data arrive above 4 GiB");
	CHECK_NAMED(m->t, edu_wait(&edu), "filled: edu 28 bits reads");
	dev_write(narrow, EDU_MOST, 0, 0);
	disk_start(d);
	edu_start_write(&edu, narrow, EDU_MOST);
	CHECK_NAMED(m->t, disk_arrives(d), "filled: the disk's data arrive once more");
	CHECK_NAMED(m->t, edu_wait(&edu) && dev_holds(narrow, EDU_MOST, FILLED_BITS, 0),
		    "filled: the data of edu 28 bits arrive, out and back");
}

static void filled(struct dev_machine *m, const struct disk *d)
{
	struct pz_limits narrow = pz_limits_bits(FILLED_BITS), isa = dev_floppy_limits();
	uint64_t before = pz_page_free_count(m->pages, UINT32_MAX), edu_at, floppy_at, any;
	uint64_t taken = dev_fill(m);
	bool ok;

	port_print("# filled: pages taken ");
	port_print_dec(taken);
	port_print(", kept ");
	port_print_dec(before - taken);
	port_print("\n");
	CHECK_NAMED(m->t,
		    dev_alloc(m, &(struct pz_limits){ 0, PZ_ADDR_MAX, 1, 0, 0 }, 1, &any) ==
			    -PZ_ENOMEM,
		    "filled: nothing is left without limits");
	ok = CHECK_NAMED(m->t, dev_alloc(m, &isa, FDC_CYLINDER, &floppy_at) == 0,
			 "filled: the floppy finds memory");
	if (ok && CHECK_NAMED(m->t, dev_alloc(m, &narrow, EDU_MOST, &edu_at) == 0,
			      "filled: edu 28 bits finds memory")) {
		filled_move(m, d, edu_at, floppy_at);
		dev_free(m, edu_at, EDU_MOST);
	}
	if (ok)
		dev_free(m, floppy_at, FDC_CYLINDER);
	dev_empty(m);
	CHECK_NAMED(m->t, pz_page_free_count(m->pages, UINT32_MAX) == before,
		    "filled: all pages come back");
}

void dev_test_disk(struct dev_machine *m)
{
	struct disk d = { 0 };
	bool wide = false;

	if (!CHECK_NAMED(m->t, ahci_find(&d.hw, &wide), "disk: a controller is there") ||
	    !CHECK_NAMED(m->t, wide, "disk: it knows 64-bit addresses") ||
	    !CHECK_NAMED(m->t, disk_alloc(m, &d), "disk: memory above 4 GiB"))
		return;
	CHECK_NAMED(m->t, disk_is_high(&d), "disk: all of it lies above 4 GiB");
	if (CHECK_NAMED(m->t, ahci_open(&d.hw, dev_memory(d.command), d.command),
			"disk: a disk answers")) {
		disk_start(&d);
		CHECK_NAMED(m->t, disk_arrives(&d), "disk: the data arrive whole");
		filled(m, &d);
		ahci_close(&d.hw);
	}
	disk_free(m, &d);
}
