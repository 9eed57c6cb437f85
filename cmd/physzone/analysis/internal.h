/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal.h - what the parts of the analysis share.
 *
 * The analysis runs in this order; each part reads what the earlier ones left here:
 *   memory.c    what memory there is, with its nodes        -> mb.memory
 *   x86.c       the same from an e820 map
 *   analysis.c  zone limits of the architecture, the layout -> z
 *   image.c     where the kernel image lies
 *   reserved.c  what was taken while booting                -> mb.reserved
 *   areas.c     contiguous areas, for start.c              -> mb.reserved
 *   bounce.c    bounce buffers                             -> mb.reserved
 *   managed.c   what was given back later, managed pages    -> z
 *   marks.c     watermarks and reserves                     -> z
 *   check.c     results that the input states               -> contradictions, problems
 *   pieces.c    the physical address space for the map      -> pieces
 * common.c has what all of them use.
 * capture.c makes the capture kernel's machine, which is then analysed like any other.
 * start.c takes the outcome back to the moment at which the page allocator takes over.
 */
#ifndef PHYSZONE_CMD_AN_INTERNAL_H
#define PHYSZONE_CMD_AN_INTERNAL_H

#include <physzone/linux/cmdline.h>
#include <physzone/linux/crash.h>
#include <physzone/map.h>
#include <physzone/memblock.h>

#include "analysis.h"
#include "start.h"

/* Page frames that were given back late, and the first phase of the boot that knew of them. */
struct an_later {
	struct pz_range pfns;
	enum pz_boot_phase phase;
	enum an_given_kind kind;
};

struct an_ctx {
	struct analysis *a;
	struct facts *f;
	const char *cmdline; /* the command line in force, "" when there is none */
	struct pzl_cmdline cl;
	bool cl_known;

	struct pz_map map; /* x86: the firmware map after the command line */
	struct pz_memblock mb;
	struct pz_zones z;
	bool z_built;
	uint32_t configured; /* bit per zone type */
	uint64_t max_low_pfn; /* exclusive end of memory that is mapped permanently */
	uint64_t high_end_pfn; /* not x86: end of high memory, 0 when there is none */
	bool x86;
	bool efi; /* not x86: UEFI's memory map replaces the device tree's */
	bool capture; /* elfcorehdr= or a device tree says that it is a capture kernel */
	int fixed_nid; /* a single node that everything belongs to, or PZ_NID_NONE */

	VEC(struct pz_range) hotplug; /* page frames that came after booting */
	bool memmap_taken; /* the memory map is among what is reserved */
	bool want_areas; /* contiguous areas are to be computed where no line tells them */
	VEC(struct an_area) areas; /* computed; the default one is the last */
	VEC(struct an_no_area) no_areas;
	VEC(struct an_tree_pool) tree_pools;
	VEC(struct an_later) later; /* what was given back after the memblock hand-over */
	bool managed_recorded;
	bool what_if; /* not what the input's kernel did: its results do not apply */
	struct pz_range image_guess; /* bytes; where the kernel image was put when no line tells */
	bool image_guessed;
	bool no_image; /* not even an image of the usual size has a place */
	struct pz_range crash, crash_low; /* what crashkernel= takes, where that was computed */
	bool has_crash, has_crash_low;
	struct an_crash crash_got;
	struct an_bounce bounce;
	uint64_t untold; /* pages put where such a kernel allocates, for no line tells */
	uint64_t zone_limit, low_last; /* see struct an_start */
	uint64_t later_unplaced; /* pages given back whose place is not known */
};

/* More ranges of one kind than any kernel prints; beyond it an input is not a machine's. */
#define AN_RANGES_MAX 65536u

/* printf into the analysis' notes, problems, contradictions. */
void an_note(struct an_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void an_problem(struct an_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void an_contradict(struct an_ctx *c, struct where at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Begin and end an analysis; an_prepare() goes as far as what was taken while booting. */
void an_begin(struct an_ctx *c, struct analysis *a, struct facts *f);
int an_prepare(struct an_ctx *c, const struct analysis_options *o, enum managed_from *from,
	       char **err);
int an_run(struct an_ctx *c, const struct analysis_options *o, char **err);
void an_end(struct an_ctx *c);

/* Zone types that this kernel has: by the names that it prints, else as usually configured. */
uint32_t an_configured(const struct an_ctx *c);
int an_memory(struct an_ctx *c, char **err);
int an_x86_memory(struct an_ctx *c, char **err);
int an_nodes(struct an_ctx *c);
void an_hotplug(struct an_ctx *c);
enum managed_from an_reserved(struct an_ctx *c);
/* Whether what was taken is computed, for no line of a kernel that ran tells it. */
bool an_computed(const struct an_ctx *c);
/* The areas of the device tree; whether the default one is among them. */
bool an_areas_of_tree(struct an_ctx *c);
void an_areas_default(struct an_ctx *c);
/* Areas of single nodes, which arm64 reserves before it has zones. */
void an_areas_of_nodes(struct an_ctx *c);
/*
 * Take the bounce buffers out of memory as it stands, where the input does not tell their place;
 * without @take only find out what is asked for. The second tells how many pages that will be.
 */
void an_bounce(struct an_ctx *c, bool take);
uint64_t an_bounce_pages(const struct an_ctx *c);
/* What the input tells of the crash kernel's memory, where it was not computed. */
void an_crash_told(struct an_ctx *c);
void an_managed(struct an_ctx *c, enum managed_from from);
void an_marks(struct an_ctx *c);
void an_check(struct an_ctx *c, enum managed_from from);
void an_pieces(struct an_ctx *c);

/*
 * Reserve what crashkernel= asks for, by the model. 0, -PZ_EINVAL when nothing is reserved for what
 * req->parse says, -PZ_ENOENT when this kernel's way is not known, -PZ_ENOMEM for no place.
 */
int an_crash_reserve(struct an_ctx *c, struct pzl_crash_request *req, struct pzl_crash_area *area);

/* What the requests of start-up depend on, as far as it is known before the zones are filled. */
struct pzl_boot_in an_boot_in(const struct an_ctx *c);

/* Helpers on claims. */
const struct fact_claim *an_claim(const struct an_ctx *c, enum claim_kind kind);
/* The kernel image in pages, first to last byte of code, data and bss; false: unknown. */
bool an_kernel_image(const struct an_ctx *c, struct pz_range *bytes);
/* Pages of the kernel image by the sizes of its parts in the log; 0 when unknown. */
uint64_t an_image_pages(const struct an_ctx *c);
/* Reserve room for the kernel image when nothing tells its place; false: no size known. */
bool an_place_image(struct an_ctx *c);
/* The same with the size that a distribution's kernel usually keeps. */
bool an_place_usual_image(struct an_ctx *c);
/* The initial RAM disk where it finally lies; false: unknown or none. */
bool an_initrd(const struct an_ctx *c, struct pz_range *bytes);
/* Memory shift: pages of a number of KiB. */
uint64_t an_kib_pages(const struct an_ctx *c, uint64_t kib);
/* Bytes of the longest free range from an address on, below a limit (0: none), of a node. */
uint64_t an_longest_free(const struct an_ctx *c, uint64_t first, uint64_t limit, int nid);
/* Whether bytes lie wholly inside one range of memory. */
bool an_in_memory(const struct an_ctx *c, struct pz_range bytes);
/* What "Freeing" lines call pages that are counted as free all along. */
#define AN_FREED_EFI "EFI boot services"
#define AN_FREED_HUGETLB "HugeTLB"
#define AN_FREED_SCCB "unused early sccb"
bool an_never_taken(const struct fact_freeing *fr);
/* Whether a line stands after another in the same file. */
bool an_after(struct where a, struct where b);

#endif
