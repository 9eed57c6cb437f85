/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_floppy.c - the floppy controller: 24 bits, and no transfer across a multiple of 64 KiB.
 */
#include "dev.h"
#include "hw.h"

#define FLOPPY_BITS 24
#define FLOPPY_BUFFERS 5u
#define FLOPPY_WORDS(cylinder) ((cylinder) * (FDC_CYLINDER / 4))

struct pz_dma_dev *dev_floppy(struct dev_machine *m)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;

	pz_dma_dev_init(&cfg, "floppy", FLOPPY_BITS);
	cfg.boundary = DEV_ISA_BOUNDARY;
	return pz_dma_dev_create(&dev, m->dma, &cfg) ? NULL : dev;
}

bool dev_floppy_arrives(uint64_t phys, unsigned int cylinder)
{
	dev_write(phys, FDC_CYLINDER, 0, 0);
	return fdc_read(cylinder, phys, FDC_CYLINDER) &&
	       fdc_last_byte() == phys + FDC_CYLINDER - 1 &&
	       dev_holds(phys, FDC_CYLINDER, DEV_SEED_FLOPPY, FLOPPY_WORDS(cylinder));
}

/* Several buffers at once: not all can begin where 64 KiB begin. */
static void floppy_whole(struct dev_machine *m, struct pz_dma_dev *dev)
{
	struct pz_dma_buf buf[FLOPPY_BUFFERS];
	unsigned int n;

	for (n = 0; n < FLOPPY_BUFFERS && dev_alloc(dev, FDC_CYLINDER, &buf[n]); n++)
		;
	CHECK_NAMED(m->t, n == FLOPPY_BUFFERS, "floppy: memory within reach");
	while (n-- > 0) {
		uint64_t first = buf[n].bus, last = first + FDC_CYLINDER - 1;

		port_print(dev_name(m, "# floppy at %#llx\n", (unsigned long long)first));
		DEV_CHECK(m,
			  !(last >> FLOPPY_BITS) &&
				  first / DEV_ISA_BOUNDARY == last / DEV_ISA_BOUNDARY,
			  "floppy: cylinder %u goes below 16 MiB and across no 64 KiB", n);
		DEV_CHECK(m, dev_floppy_arrives(first, n), "floppy: cylinder %u arrives whole", n);
		dev_free(dev, &buf[n]);
	}
}

/* The first page beyond 24 bits: the DMA controller sees the address 0. */
static void floppy_beyond(struct dev_machine *m)
{
	const uint64_t beyond = (uint64_t)1 << FLOPPY_BITS;
	bool own = !dev_take(m, 0, FDC_SECTOR);
	bool taken = !dev_take(m, beyond, FDC_SECTOR);

	if (CHECK_NAMED(m->t, own && taken, "floppy: a page beyond 24 bits and page 0")) {
		dev_write(beyond, FDC_SECTOR, 0, 0);
		dev_write(0, FDC_SECTOR, 0, 0);
		CHECK_NAMED(m->t, fdc_read(0, beyond, FDC_SECTOR), "floppy: the transfer ends");
		CHECK_NAMED(m->t,
			    dev_holds(beyond, FDC_SECTOR, 0, 0) &&
				    dev_holds(0, FDC_SECTOR, DEV_SEED_FLOPPY, 0),
			    "floppy: what lies beyond 24 bits is not written");
	}
	if (taken)
		dev_give(m, beyond, FDC_SECTOR);
	if (own)
		dev_give(m, 0, FDC_SECTOR);
}

/* QEMU stores the data behind the boundary all the same; the registers tell where they belong. */
static void floppy_across(struct dev_machine *m)
{
	const uint64_t first = (uint64_t)8 << 20, bytes = 2 * DEV_ISA_BOUNDARY;
	const uint64_t across = first + DEV_ISA_BOUNDARY - BOOT_PAGE;

	if (!CHECK_NAMED(m->t, !dev_take(m, first, bytes),
			 "floppy: 128 KiB to cross the middle of"))
		return;
	CHECK_NAMED(m->t,
		    fdc_read(0, across, FDC_CYLINDER) &&
			    fdc_last_byte() == across + FDC_CYLINDER - 1 - DEV_ISA_BOUNDARY,
		    "floppy: across 64 KiB the controller's address turns round");
	dev_give(m, first, bytes);
}

void dev_test_floppy(struct dev_machine *m)
{
	struct pz_dma_dev *dev;

	if (!CHECK_NAMED(m->t, fdc_open(), "floppy: the controller and drive 0 answer"))
		return;
	dev = dev_floppy(m);
	if (!CHECK_NAMED(m->t, dev, "floppy: it is a device of the DMA layer"))
		return;
	floppy_whole(m, dev);
	floppy_beyond(m);
	floppy_across(m);
	CHECK_NAMED(m->t, pz_dma_dev_destroy(dev) == 0, "floppy: nothing is out");
}
