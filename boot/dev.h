/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev.h - what the tests of the devices share: all memory of the machine in one page allocator, a
 * DMA layer over it, and data that is recognised.
 */
#ifndef BOOT_DEV_H
#define BOOT_DEV_H

#include <physzone/dma.h>

#include "image.h"

#define DEV_4G ((uint64_t)1 << 32)
/* What a transfer of the ISA DMA controller does not cross. */
#define DEV_ISA_BOUNDARY 0x10000u

/* Where scripts/boot.sh puts the edu device with a DMA mask of so many bits. */
#define DEV_EDU_SLOT(bits) ((bits)-11u)

/* Points to itself: must not be moved. */
struct dev_machine {
	struct tap *t;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_bugs bugs;
	struct pz_pages *pages;
	struct pz_dma *dma;
	struct dev_block *filled; /* the last that dev_fill() took */
	char name[80];		  /* of the result that is being reported */
};

/*
 * memory.c: the machine's memory but for the image and the first MiB. On false everything was given
 * back.
 */
bool dev_open(struct dev_machine *m, struct tap *t, uint64_t handed_over);
void dev_close(struct dev_machine *m);
/* The RAM of the first MiB too, page 0 included. */
int dev_add_low(struct dev_machine *m);

/* Whole pages at an address that the test chose, and not the library. */
int dev_take(struct dev_machine *m, uint64_t phys, uint64_t bytes);
void dev_give(struct dev_machine *m, uint64_t phys, uint64_t bytes);

/* A hook of DMA layers: all memory is directly mapped. */
void *dev_direct(void *ctx, uint64_t phys, uint64_t bytes);

/* A coherent buffer of a device; false when there is none. */
bool dev_alloc(struct pz_dma_dev *dev, uint64_t bytes, struct pz_dma_buf *buf);
void dev_free(struct pz_dma_dev *dev, const struct pz_dma_buf *buf);

/* Take all that requests without limits get; the number of pages. Then give it back. */
uint64_t dev_fill(struct dev_machine *m);
void dev_empty(struct dev_machine *m);

/*
 * Data that a seed makes, as scripts/boot_media.py writes it to the media; @word counts from their
 * start. Bytes are a multiple of 4.
 */
#define DEV_SEED_FLOPPY 0xf1u
#define DEV_SEED_DISK 0xd1u
void dev_write(uint64_t phys, uint32_t bytes, uint32_t seed, uint32_t word);
bool dev_holds(uint64_t phys, uint32_t bytes, uint32_t seed, uint32_t word);

/* Write the name of a result or a line of remarks, as pz_snprintf() does. */
const char *dev_name(struct dev_machine *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Check a condition under a formatted name. */
#define DEV_CHECK(m, cond, ...) \
	tap_ok((m)->t, (cond), dev_name((m), __VA_ARGS__), __FILE__, __LINE__)

/* The tests, in the order in which they run. */
void dev_test_edu(struct dev_machine *m); /* adds the first MiB on the way */
void dev_test_floppy(struct dev_machine *m);
void dev_test_disk(struct dev_machine *m);
void dev_test_map(struct dev_machine *m);

/* dev_floppy.c, for others: the floppy controller as a device, and whether a cylinder arrives. */
struct pz_dma_dev *dev_floppy(struct dev_machine *m);
bool dev_floppy_arrives(uint64_t phys, unsigned int cylinder);

#endif
