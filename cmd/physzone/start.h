/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * start.h - the machine at the moment at which the page allocator takes over: memory with all that
 * is taken by then, zones that count what is handed over, and what comes later.
 */
#ifndef PHYSZONE_CMD_START_H
#define PHYSZONE_CMD_START_H

#include <physzone/contig.h>
#include <physzone/linux/boot.h>
#include <physzone/linux/cmdline.h>
#include <physzone/linux/crash.h>
#include <physzone/memblock.h>

#include "analysis.h"

/* The library's memory in the workbench; running out ends the program. */
extern const struct pz_meta an_meta;

/* What is given to the page allocator after the hand-over. */
enum an_given_kind {
	AN_GIVEN_EFI, /* boot services of UEFI */
	AN_GIVEN_GIGANTIC, /* huge pages that memblock gave */
	AN_GIVEN_INITRD,
	AN_GIVEN_IMAGE, /* the kernel image's init part and the gaps in it */
	AN_GIVEN_HOTPLUG, /* memory added while running */
};

struct an_given {
	enum an_given_kind kind;
	struct pz_range pfns;
};

/* A contiguous area. The default one, which the DMA layer uses, is the last. */
struct an_area {
	struct pz_cma_reserved at;
	bool recorded; /* the input says where it lies; else pz_cma_reserve() found the place */
	bool of_tree; /* a node of the device tree with a place */
	int nid; /* asked of this node, or PZ_NID_NONE */
};

/* A contiguous area that was asked for and found no place. */
struct an_no_area {
	uint64_t size; /* bytes */
	int error; /* -PZ_E... */
	uint64_t room; /* bytes of the longest free range below the limit then */
	int nid; /* asked of this node, or PZ_NID_NONE */
	bool of_tree; /* a node of the device tree */
};

/* A pool of the device tree without a place of its own, which is no contiguous area. */
struct an_tree_pool {
	enum pzl_reserved_pool what;
	uint64_t size; /* bytes */
	bool placed;
	struct pz_range at;
};

/* What crashkernel= came to. */
struct an_crash {
	bool asked; /* it is on the command line */
	bool known; /* this architecture's way is known, or the input tells the outcome */
	bool told; /* the input tells it; else it is computed */
	struct pzl_crash_env env;
	struct pzl_crash_request req;
	struct pzl_crash_area area;
	uint64_t room; /* bytes of the longest range that was free then; computed only */
};

/* The bounce buffers that this kernel takes from memblock. */
struct an_bounce {
	bool asked;
	bool told; /* the input tells the place */
	bool placed;
	bool open; /* the place hangs on early allocations of which only the sum is known */
	bool unplaced; /* taken, and neither told nor computed where */
	struct pzl_boot_request req; /* valid when asked */
	struct pz_range at; /* valid when placed */
};

/* The counts of a zone at the end of the boot. */
struct an_marks {
	int32_t nid;
	uint8_t type; /* enum pz_zone_type */
	uint64_t present, managed, min, low, high;
	uint64_t reserve[PZ_ZONE_TYPES];
};

struct an_start {
	struct pz_memblock mb; /* contiguous areas and what is given later are reserved in it */
	struct pz_zones z; /* managed: the pages of the hand-over, by zone */
	VEC(struct an_area) areas;
	VEC(struct an_given) later; /* ascending by kind */
	VEC(struct an_marks) end; /* z's counts as the analysis has them */
	struct pzl_cmdline cl;
	uint32_t configured; /* bit per enum pz_zone_type */
	uint64_t zone_limit; /* pzl_dma_zone_limit() */
	uint64_t low_last; /* see struct pzl_boot_in */
	VEC(struct an_no_area) no_areas;
	VEC(struct an_tree_pool) tree_pools;
	struct an_crash crash;
	struct an_bounce bounce;
	struct pzl_boot_in in; /* what requests depend on, as far as it is known before the zones */
	bool no_image; /* the kernel image has no place in this memory */
	bool image_guessed; /* or one that nothing tells */
	uint64_t image; /* bytes of it, when guessed */
	uint64_t untold; /* pages that are taken without a place that the input tells */
	uint64_t taken, freed; /* pages moved so that the zones' counts agree */
	/* What was taken is computed, not told: another command line, or no kernel ran yet. */
	bool computed;
	bool built;
};

/*
 * Analyse, and go back to the hand-over. For each zone it holds that the pages handed over, those
 * of contiguous areas and those given later add up to the managed pages of the analysis; a zone
 * with none has none.  Returns as analyse(); an_start_destroy() and analysis_destroy() always.
 */
int analyse_start(struct an_start *s, struct analysis *a, struct facts *f,
		  const struct analysis_options *o, char **err);
void an_start_destroy(struct an_start *s);

/* Called for each range of page frames that lies in one zone. */
typedef void an_zone_fn(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type);

/* Cut a range of page frames at the borders of zones. Pages in no zone are left out. */
void an_by_zone(const struct pz_zones *z, struct pz_range pfns, an_zone_fn *fn, void *ctx);

#endif
