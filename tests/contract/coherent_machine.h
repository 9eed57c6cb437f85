/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent_machine.h - a small machine with memory behind it, and a DMA layer, for the contract
 * suites.
 *
 * Memory: CM_LOW bytes from 15 MiB on, directly mapped, and CM_HIGH bytes from 4 GiB on, not mapped
 * unless the remap hook does. Each byte is there twice: as memory has it, and as the CPU's cache
 * has it. A direct address shows the cache, an uncached one memory; the maintenance hooks copy. A
 * device reads and writes memory, or, when it is coherent, both. Nothing here uses pz_reach.
 */
#ifndef TESTS_CONTRACT_COHERENT_MACHINE_H
#define TESTS_CONTRACT_COHERENT_MACHINE_H

#include <physzone/dma.h>

#include "page_machine.h"

#define CM_FIRST (15 * PM_MIB)
#define CM_LOW (2 * PM_MIB)
#define CM_ABOVE (4 * PM_GIB)
#define CM_HIGH (1 * PM_MIB)
#define CM_PAGE 4096u
#define CM_MAPS 256u
#define CM_CPUS 2u
#define CM_POINTS 8u

/* How the hook for direct addresses answers. */
enum cm_rule {
	CM_BY_ADDRESS, /* low memory is directly mapped */
	CM_BY_ZONE,    /* as Linux has it: what is in a zone for high memory is not */
};

/* A mapping that the remap hook made. */
struct cm_map {
	unsigned char *p;
	uint64_t phys, bytes;
};

/* Points to itself: must not be moved. */
struct coherent_machine {
	struct page_machine pm;
	struct pz_dma_config cfg; /* may be changed before cm_make() */
	struct pz_dma *dma;
	struct pz_bugs bugs; /* of the layer */
	struct pz_fault_point points[CM_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;	     /* fault point "meta" */
	unsigned char *raw, *memory, *cache; /* low, then high */
	size_t raw_bytes;
	uint64_t managed;
	enum cm_rule rule;
	struct pz_range
		movable; /* memory whose pages bear ZONE_MOVABLE; a last address of 0: none */
	bool may_block;	 /* false: hooks that block must not be called */
	uint32_t fail_remap, fail_share, fail_uncached; /* calls that fail from now on */
	uint32_t blocked;    /* times that a hook was called that must not be */
	uint32_t asked_work; /* times that the work hook was called */
	uint32_t strange;    /* calls with arguments that make no sense */
	uint64_t shared;     /* bytes that are shared */
	unsigned char is_shared[(CM_LOW + CM_HIGH) / CM_PAGE];
	struct cm_map map[CM_MAPS];
	uint32_t maps;
	uint64_t now;
	uint64_t lost; /* bytes that a test expects not to come back */
};

/* Lay the machine out; @m->cfg and @m->pm.cfg are filled in. */
bool cm_lay_out(struct coherent_machine *m, struct tap *t);
bool cm_lay_out_flat(struct coherent_machine *m, struct tap *t); /* in one zone */
/* Hooks that not every machine has. */
void cm_with_remap(struct coherent_machine *m);
void cm_with_unmap_alone(struct pz_dma_config *cfg); /* half of what belongs together */
void cm_with_uncached(struct coherent_machine *m);
void cm_with_share(struct coherent_machine *m);
/* Make pages and the layer. */
bool cm_make(struct coherent_machine *m);
/* Only the layer, after pm_make(). */
bool cm_make_layer(struct coherent_machine *m);
/* Both. */
bool cm_simple(struct coherent_machine *m, struct tap *t);
/* Everything is sound and came back; give all back. */
void cm_close(struct coherent_machine *m);

/* A coherent device of so many bits; what the caller changes comes before cm_device(). */
struct pz_dma_dev *cm_device(struct coherent_machine *m, const struct pz_dma_dev_config *cfg);

/* Where memory and cache have a physical address; NULL for none. */
unsigned char *cm_memory(const struct coherent_machine *m, uint64_t phys);
unsigned char *cm_cache(const struct coherent_machine *m, uint64_t phys);

/*
 * The device reads or writes one byte at a bus address. False: it cannot, because the address is
 * beyond its masks or buses, translates to no memory, or is private and the device cannot tell.
 */
bool cm_device_read(struct coherent_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		    unsigned char *out);
bool cm_device_write(struct coherent_machine *m, const struct pz_dma_dev_config *cfg, uint64_t bus,
		     unsigned char v);

/*
 * Whether a buffer is what it should be: zeroed, aligned, within reach as the device itself sees
 * it, and both see what the other one writes, to the last byte.
 */
bool cm_works(struct coherent_machine *m, const struct pz_dma_dev_config *cfg,
	      const struct pz_dma_buf *buf);

/* Free pages of the machine. */
uint64_t cm_free(const struct coherent_machine *m);

#endif
