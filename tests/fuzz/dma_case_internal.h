/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_case_internal.h - what the files of a case share.
 *
 *	dma_case	the layer, devices, streaming mappings, scatter lists
 *	dma_case_buf	coherent buffers from wherever they come, small objects, who holds what
 */
#ifndef TESTS_FUZZ_DMA_CASE_INTERNAL_H
#define TESTS_FUZZ_DMA_CASE_INTERNAL_H

#include "dma_case.h"
#include "dma_world.h"

#include <string.h>

#define DEVS 3u
#define MAPS 6u
#define BUFS 4u
#define SGS 5u
#define BLOCKS 12u
#define MOST 12288u /* bytes mapped */
#define CANARY 0xc5
#define PRIVATE ((uint64_t)1 << 40) /* no device here drives it */

struct case_dev {
	struct pz_dma_dev *dev;
	struct pz_dma_dev_config cfg;
	struct pz_window win[3];
	struct pz_range hole;
	unsigned int out; /* mappings, buffers and pools */
};

struct case_map {
	bool live;
	struct case_dev *d;
	uint64_t pfn, pages, phys, size, bus, seen; /* seen: where the device writes */
	enum pz_dma_dir dir;
	unsigned char cpu[MOST], device[MOST]; /* what each should see */
};

struct case_buf {
	bool live;
	bool pages; /* of pz_dma_alloc_pages() */
	struct case_dev *d;
	struct pz_dma_buf buf;
	unsigned char seed;
};

/* A pool of small objects and the blocks that are out of it. */
struct case_small {
	struct pz_dma_pool *pool;
	struct case_dev *d;
	uint32_t size, align, boundary;
	struct {
		unsigned char *cpu;
		uint64_t bus;
		unsigned char seed;
	} block[BLOCKS];
	unsigned int n;
};

struct dma_case {
	const struct case_source *s;
	struct pz_bounce *bounce, *own;
	struct pz_dma_debug *debug; /* or NULL */
	struct pz_dma *dma;
	struct case_dev dev[DEVS];
	struct case_map map[MAPS];
	struct case_buf buf[BUFS];
	struct case_small small;
	unsigned char seed;
	uint64_t bugs, told, findings; /* misuse by the test; findings that it should make; made */
};

extern struct dma_case w;

uint64_t draw(uint64_t max);
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The memory behind bus addresses, all of them; PZ_ADDR_MAX when the device cannot. */
uint64_t device_sees(const struct case_dev *d, uint64_t bus, uint64_t size, uint64_t mask);
bool device_crosses(const struct case_dev *d, uint64_t bus, uint64_t size);
struct case_dev *pick_device(void);
bool all_are(const unsigned char *p, uint64_t n, unsigned char v);

/* Mappings of a device that are out. */
unsigned int case_maps(const struct case_dev *d);
/* Whether it has something out that the layer knows of in any case. */
bool case_holds(const struct case_dev *d);

const char *do_alloc(void);
const char *do_free(void);
const char *do_small(void);
const char *do_pieces(void);
const char *do_holders(void);
const char *bufs_end(void);

#endif
