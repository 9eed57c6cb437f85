/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_device.h - a small machine with memory behind it, and devices that read and write it by bus
 * address.
 *
 * The device is a second implementation: it has address lines and translations of its own, and
 * refuses what it cannot reach. Memory has two sides: what the CPU sees, and what devices see that
 * look past its caches; cache maintenance copies one to the other.
 */
#ifndef TESTS_CONTRACT_DMA_DEVICE_H
#define TESTS_CONTRACT_DMA_DEVICE_H

#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#include "page_machine.h"

#define DM_LOW (16 * PM_MIB) /* 1 MiB, the first part of it set aside for bounce buffers */
#define DM_HIGH (4 * PM_GIB) /* 1 MiB */
#define DM_PART PM_MIB
#define DM_ASIDE (128 * PM_KIB)
#define DM_PRIVATE ((uint64_t)1 << 47)

/* Points to itself: must not be moved. */
struct device_machine {
	struct page_machine pm;
	struct pz_bounce_config bc;
	struct pz_bounce *bounce;
	struct pz_dma_config dc;
	struct pz_dma *dma;
	void *raw[4];			 /* before they are aligned */
	unsigned char *cpu[2], *ram[2];	 /* the CPU's side and the other one, of both parts */
	bool unmapped;			 /* the high part is not directly mapped */
	uint32_t windows, window_calls;	 /* windows that are open; that were opened */
	bool private[2 * DM_PART >> 12]; /* pages that are not shared */
	int share_says;
	bool share_fails;
	uint64_t managed; /* free pages before anything was allocated */
	uint64_t clock;
};

/* Memory, pages; @bc and @dc are filled in and may be changed: one CPU, a range set aside. */
bool dv_lay_out(struct device_machine *m, struct tap *t);
/* Bounce buffers and the layer. */
bool dv_make(struct device_machine *m);
/* Verify that everything came back, and give the machine back. */
void dv_close(struct device_machine *m);

/* The CPU's side of physical memory; NULL where there is none. Parts are not contiguous. */
unsigned char *dv_cpu(struct device_machine *m, uint64_t phys, uint64_t bytes);
/* The CPU writes and compares: byte i is @seed + i, times 7. */
void dv_fill(struct device_machine *m, uint64_t phys, uint64_t bytes, unsigned char seed);
bool dv_holds(struct device_machine *m, uint64_t phys, uint64_t bytes, unsigned char seed);

#define DM_WINDOWS 3u

/* A device, as its hardware is. */
struct dma_device {
	struct device_machine *m;
	uint64_t last_bus; /* that its lines carry */
	struct {
		uint64_t phys, bus, bytes;
	} window[DM_WINDOWS]; /* of its bus; none: as they are */
	uint32_t windows;
	bool snoops;	  /* it sees what the CPU sees */
	bool shared_only; /* what is private it reads as rubbish */
	uint32_t refused; /* bytes that it could not reach */
};

/* A device that sees what the library is told of it; NULL when that is refused. */
struct pz_dma_dev *dv_device(struct dma_device *d, struct device_machine *m,
			     const struct pz_dma_dev_config *cfg);

/* It writes @bytes from a bus address on, as dv_fill() does; or compares as dv_holds(). */
bool dv_dev_fill(struct dma_device *d, uint64_t bus, uint64_t bytes, unsigned char seed);
bool dv_dev_holds(struct dma_device *d, uint64_t bus, uint64_t bytes, unsigned char seed);
/* One byte; NULL when it is out of reach, which is counted. */
unsigned char *dv_dev_byte(struct dma_device *d, uint64_t bus);

#endif
