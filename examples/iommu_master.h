/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_master.h - a fictitious bus master of 32 address lines behind an IOMMU, in software.
 *
 * It works off a ring of descriptors: copy bytes, or add them up. Each address that it puts on its
 * bus is looked for in the translations that the IOMMU keeps, and else in the tables, which it
 * reads by itself. What it keeps it keeps until it is told to forget: who does not flush is found
 * out.
 */
#ifndef EXAMPLES_IOMMU_MASTER_H
#define EXAMPLES_IOMMU_MASTER_H

#include <stdbool.h>
#include <stdint.h>

#define MASTER_COPY 1u
#define MASTER_SUM 2u
#define MASTER_DONE 0x80000000u
#define MASTER_FAILED 0x40000000u

/* As it lies in memory. */
struct master_desc {
	uint32_t op; /* MASTER_COPY or MASTER_SUM; the master adds MASTER_DONE, MASTER_FAILED */
	uint32_t from, to; /* bus addresses */
	uint32_t bytes;
	uint32_t sum; /* what MASTER_SUM found */
	uint32_t pad[3];
};

/* A translation that the IOMMU keeps. */
struct master_kept {
	uint64_t iova, phys;
	uint32_t size; /* 0: nothing */
	bool write;
};

struct master {
	/* The machine's memory: where a physical address lies, NULL for none. */
	void *(*memory)(void *ctx, uint64_t phys, uint64_t bytes);
	void *ctx;
	uint64_t ttbr;
	bool off;      /* no IOMMU: addresses are physical ones */
	bool extended; /* MediaTek's bits of outputs, and no permissions */
	struct master_kept *kept;
	uint32_t kept_most, next;
	uint64_t walks, hits, faults;
	uint64_t fault_addr; /* the last one */
	bool fault_write;
};

/* Read or write @bytes at a bus address: false at the first fault; what came before has happened.
 */
bool master_access(struct master *m, uint64_t addr, void *buf, uint64_t bytes, bool write);

/* Where one access would go, and how many bytes from there lie in a row; no fault is noted. */
bool master_translate(struct master *m, uint64_t addr, bool write, uint64_t *phys, uint64_t *room);

/* Work off @count descriptors at a bus address. How many ended well. */
uint32_t master_run(struct master *m, uint64_t ring, uint32_t count);

/* Forget translations of a range, or all. */
void master_forget(struct master *m, uint64_t iova, uint64_t size);
void master_forget_all(struct master *m);

#endif
