/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_box.h - a small machine with a little memory below 4 GiB and some above 6 GiB, a domain,
 * and a master behind it, for the tests of domains.
 */
#ifndef TESTS_CONTRACT_IOMMU_BOX_H
#define TESTS_CONTRACT_IOMMU_BOX_H

#include <physzone/iommu.h>

#include "../../examples/iommu_master.h"
#include "page_machine.h"

#define IB_LOW (16 * PM_MIB) /* for tables */
#define IB_LOW_BYTES (PM_MIB / 2)
#define IB_HIGH (6 * PM_GIB + 64 * PM_KIB) /* for everything else */
#define IB_HIGH_BYTES (2 * PM_MIB)
#define IB_CPUS 2u
#define IB_POINTS 16u
#define IB_KEPT 64u
#define IB_VIEWS 4u

/* A call of a cache hook. */
struct ib_cache {
	uint64_t phys, bytes;
	enum pz_dma_dir dir;
};

/* Points to itself: must not be moved. */
struct iommu_box {
	struct tap *t;
	const struct pz_meta *under;
	struct page_machine pm;
	struct pz_fault_point points[IB_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;
	uint32_t meta_fault, mem_fault;
	unsigned char *memory; /* both parts, the low one first */
	void *raw;
	size_t raw_bytes;
	uint64_t managed; /* free pages at first */
	struct pz_table_mem mem;
	struct pz_iommu_config cfg;
	struct pz_iommu *d;
	struct master_kept kept[IB_KEPT];
	struct master m;
	uint32_t flushes, alls;		     /* of ranges, of everything */
	struct ib_cache for_device, for_cpu; /* the last call of each */
	uint32_t for_devices, for_cpus;
	/* What the view hook gave: a copy of the pages, written back when it goes. */
	struct {
		const struct pz_iommu *d;
		uint64_t bus, bytes;
		unsigned char *p;
	} view[IB_VIEWS];
	bool view_fails;
	/* Called once by the next flush of everything: what an interrupt handler would do there. */
	void (*intrude)(struct iommu_box *b);
	struct pz_iommu_dev *intruder;
	uint64_t intruder_bus;
};

/* All but the domain; @b->cfg is filled in (extended outputs, strict), and may be changed. */
bool ib_lay_out(struct iommu_box *b, struct tap *t);
/* The domain, with the master behind it. */
int ib_make(struct iommu_box *b);
/* Verify that all came back, and give it back. The domain goes, too, when it is there. */
bool ib_close(struct iommu_box *b);

/* Where a physical address lies. */
void *ib_memory(void *ctx, uint64_t phys, uint64_t bytes);
/* The low part's free pages and the high one's, as they were at first. */
bool ib_all_free(const struct iommu_box *b);

#endif
