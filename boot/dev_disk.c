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
/* The narrow device of the second part. */
#define FILLED_BITS 28u

struct disk {
	struct ahci hw;
	struct pz_dma_dev *dev;
	struct pz_dma_buf command;
	struct pz_dma_buf data[DISK_SEGMENTS];
	struct ahci_segment v[DISK_SEGMENTS];
};

/* Memory for the commands, and in separate places for the data. */
static bool disk_alloc(struct dev_machine *m, struct disk *d)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_buf gap;

	pz_dma_dev_init(&cfg, "disk", 64);
	if (pz_dma_dev_create(&d->dev, m->dma, &cfg) ||
	    !dev_alloc(d->dev, AHCI_MEMORY, &d->command))
		return false;
	for (unsigned int i = 0; i < DISK_SEGMENTS; i++) {
		if (!dev_alloc(d->dev, BOOT_PAGE << i, &gap) ||
		    !dev_alloc(d->dev, DISK_SEGMENT, &d->data[i]))
			return false;
		dev_free(d->dev, &gap);
		d->v[i] = (struct ahci_segment){ d->data[i].bus, DISK_SEGMENT };
	}
	return true;
}

static void disk_free(const struct disk *d)
{
	dev_free(d->dev, &d->command);
	for (unsigned int i = 0; i < DISK_SEGMENTS; i++)
		dev_free(d->dev, &d->data[i]);
}

/* A device that reaches everything is given what no other reaches. */
static bool disk_is_high(struct dev_machine *m, const struct disk *d)
{
	bool high = d->command.bus >= DEV_4G;

	for (unsigned int i = 0; i < DISK_SEGMENTS; i++) {
		port_print(dev_name(m, "# disk at %#llx\n", (unsigned long long)d->data[i].bus));
		high = high && d->data[i].bus >= DEV_4G;
	}
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

	if (!CHECK_NAMED(m->t, edu_open(&edu, DEV_EDU_SLOT(FILLED_BITS)),
			 "filled: edu 28 bits is there"))
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

/* What narrow devices get now, and what they do with it. */
static void filled_narrow(struct dev_machine *m, const struct disk *d, struct pz_dma_dev *edu,
			  struct pz_dma_dev *floppy)
{
	struct pz_dma_buf edu_buf, floppy_buf;

	if (!CHECK_NAMED(m->t, dev_alloc(floppy, FDC_CYLINDER, &floppy_buf),
			 "filled: the floppy finds memory"))
		return;
	if (CHECK_NAMED(m->t, dev_alloc(edu, EDU_MOST, &edu_buf),
			"filled: edu 28 bits finds memory")) {
		filled_move(m, d, edu_buf.bus, floppy_buf.bus);
		dev_free(edu, &edu_buf);
	}
	dev_free(floppy, &floppy_buf);
}

static void filled(struct dev_machine *m, const struct disk *d)
{
	uint64_t before = pz_page_free_count(m->pages, UINT32_MAX);
	uint64_t taken = dev_fill(m);
	struct pz_dma_dev *floppy = dev_floppy(m), *edu = NULL;
	struct pz_dma_dev_config cfg;
	struct pz_dma_buf more;

	port_print(dev_name(m, "# filled: pages taken %llu, kept %llu\n", (unsigned long long)taken,
			    (unsigned long long)(before - taken)));
	CHECK_NAMED(m->t, pz_dma_alloc(d->dev, 0, 0, 0, 1, &more) == -PZ_ENOMEM,
		    "filled: a device that reaches everything finds nothing");
	pz_dma_dev_init(&cfg, "edu28", FILLED_BITS);
	if (CHECK_NAMED(m->t, floppy && !pz_dma_dev_create(&edu, m->dma, &cfg),
			"filled: two narrow devices"))
		filled_narrow(m, d, edu, floppy);
	CHECK_NAMED(m->t, !pz_dma_dev_destroy(edu) && !pz_dma_dev_destroy(floppy),
		    "filled: nothing is out");
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
	    !CHECK_NAMED(m->t, disk_alloc(m, &d), "disk: memory"))
		return;
	CHECK_NAMED(m->t, disk_is_high(m, &d), "disk: all of it lies above 4 GiB");
	if (CHECK_NAMED(m->t, ahci_open(&d.hw, d.command.cpu_addr, d.command.bus),
			"disk: a disk answers")) {
		disk_start(&d);
		CHECK_NAMED(m->t, disk_arrives(&d), "disk: the data arrive whole");
		filled(m, &d);
		ahci_close(&d.hw);
	}
	disk_free(&d);
	CHECK_NAMED(m->t, pz_dma_dev_destroy(d.dev) == 0, "disk: nothing is out");
}
