/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_machine.h - a small machine with memory behind it, and a DMA layer, for the contract suites.
 *
 * Memory: DM_LOW bytes from 15 MiB on, directly mapped, and DM_HIGH bytes from 4 GiB on, not mapped
 * unless the remap hook does. Each byte is there twice: as memory has it, and as the CPU's cache
 * has it. A direct address shows the cache, an uncached one memory; the maintenance hooks copy. A
 * device reads and writes memory, or, when it is coherent, both. Nothing here uses pz_reach.
 */
#ifndef TESTS_CONTRACT_DMA_MACHINE_H
#define TESTS_CONTRACT_DMA_MACHINE_H

#include <physzone/dma.h>

#include "page_machine.h"

#define DM_FIRST (15 * PM_MIB)
#define DM_LOW (2 * PM_MIB)
#define DM_ABOVE (4 * PM_GIB)
#define DM_HIGH (1 * PM_MIB)
#define DM_PAGE 4096u
#define DM_MAPS 256u
#define DM_CPUS 2u
#define DM_POINTS 8u

/* How the hook for direct addresses answers. */
enum dm_rule {
	DM_BY_ADDRESS, /* low memory is directly mapped */
	DM_BY_ZONE,    /* as Linux has it: what is in a zone for high memory is not */
};

/* A mapping that the remap hook made. */
struct dm_map {
	unsigned char *p;
	uint64_t phys, bytes;
};

/* Points to itself: must not be moved. */
struct dma_machine {
	struct page_machine pm;
	struct pz_dma_config cfg; /* may be changed before dm_make() */
	struct pz_dma *dma;
	struct pz_bugs bugs; /* of the layer */
	struct pz_fault_point points[DM_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;	     /* fault point "meta" */
	unsigned char *raw, *memory, *cache; /* low, then high */
	size_t raw_bytes;
	uint64_t managed;
	enum dm_rule rule;
	struct pz_range
		movable; /* memory whose pages bear ZONE_MOVABLE; a last address of 0: none */
	bool may_block;	 /* false: hooks that block must not be called */
	uint32_t fail_remap, fail_share, fail_uncached; /* calls that fail from now on */
	uint32_t blocked;    /* times that a hook was called that must not be */
	uint32_t asked_work; /* times that the work hook was called */
	uint32_t strange;    /* calls with arguments that make no sense */
	uint64_t shared;     /* bytes that are shared */
	unsigned char is_shared[(DM_LOW + DM_HIGH) / DM_PAGE];
	struct dm_map map[DM_MAPS];
	uint32_t maps;
	uint64_t now;
	uint64_t lost; /* bytes that a test expects not to come back */
};

/* Lay the machine out; @m->cfg and @m->pm.cfg are filled in. */
bool dm_lay_out(struct dma_machine *m, struct tap *t);
bool dm_lay_out_flat(struct dma_machine *m, struct tap *t); /* in one zone */
/* Hooks that not every machine has. */
void dm_with_remap(struct dma_machine *m);
void dm_with_unmap_alone(struct pz_dma_config *cfg); /* half of what belongs together */
void dm_with_uncached(struct dma_machine *m);
void dm_with_share(struct dma_machine *m);
/* Make pages and the layer. */
bool dm_make(struct dma_machine *m);
/* Only the layer, after pm_make(). */
bool dm_make_layer(struct dma_machine *m);
/* Both. */
bool dm_simple(struct dma_machine *m, struct tap *t);
/* Everything is sound and came back; give all back. */
void dm_close(struct dma_machine *m);

/* A coherent device of so many bits; what the caller changes comes before dm_device(). */
struct pz_dma_dev *dm_device(struct dma_machine *m, const struct pz_dma_dev_config *cfg);

/* Where memory and cache have a physical address; NULL for none. */
unsigned char *dm_memory(const struct dma_machine *m, uint64_t phys);
unsigned char *dm_cache(const struct dma_machine *m, uint64_t phys);

/*
 * The device reads or writes one byte at a bus address. False: it cannot, because the address is
 * beyond its masks or buses, translates to no memory, or is private and the device cannot tell.
 */
bool dm_device_read(struct dma_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		    unsigned char *out);
bool dm_device_write(struct dma_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		     unsigned char v);

/*
 * Whether a buffer is what it should be: zeroed, aligned, within reach as the device itself sees
 * it, and both see what the other one writes, to the last byte.
 */
bool dm_works(struct dma_machine *m, const struct pz_dma_dev_config *cfg,
	      const struct pz_dma_buf *buf);

/* Free pages of the machine. */
uint64_t dm_free(const struct dma_machine *m);

#endif
