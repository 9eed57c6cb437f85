/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * analysis.h - the machine that follows from the facts: its memory in nodes and zones, with the
 * origin of every number, and where the input contradicts it.
 */
#ifndef PHYSZONE_CMD_ANALYSIS_H
#define PHYSZONE_CMD_ANALYSIS_H

#include <physzone/linux/arch.h>
#include <physzone/linux/model.h>
#include <physzone/zone.h>

#include "facts.h"

enum managed_from { MANAGED_MEMBLOCK, MANAGED_REPORT, MANAGED_ESTIMATE };

struct an_zone {
	bool shown; /* the kernel's configuration has this zone type */
	uint64_t start_pfn, spanned, present, managed, cma;
	uint64_t min, low, high;
	uint64_t protection[PZ_ZONE_TYPES]; /* by position among the shown zones */
	unsigned int protections;
	enum managed_from managed_from;
};

struct an_node {
	int nid;
	bool memoryless;
	struct an_zone zone[PZ_ZONE_TYPES];
};

/* A piece of the physical address space for the map, in ascending order, without overlaps. */
enum an_kind {
	AN_RAM,
	AN_RESERVED, /* firmware keeps it */
	AN_ACPI,
	AN_NVS,
	AN_PMEM,
	AN_KERNEL,
	AN_INITRD,
	AN_CRASHKERNEL,
	AN_CMA,
	AN_SWIOTLB,
	AN_BOOT, /* reserved while booting: memory map, hash tables, page tables ... */
	AN_OTHER,
};

struct an_piece {
	struct pz_range range;
	enum an_kind kind;
	char *label; /* for people; may be NULL */
};

/* Something that a user should act on; any makes the exit code 1. */
struct an_problem {
	char *text;
};

struct analysis {
	enum pzl_model model;
	const char *model_from; /* "given", "from the log's version line", "assumed" */
	enum pzl_arch arch;
	const char *arch_from;
	unsigned int page_shift;
	char *cmdline; /* the kernel command line in force; NULL when it is not known */
	bool undecided; /* something essential had to be left open: exit code 4 */
	VEC(struct an_node) nodes;
	VEC(struct an_piece) pieces;
	VEC(char *) notes; /* how numbers came about, ignored options, quirks of the model */
	VEC(struct fact_contradiction) contradictions; /* of the facts, and with them */
	VEC(struct an_problem) problems;
	/* Where each column comes from, one sentence each, for people. */
	char *layout_from; /* start, spanned, present */
	char *managed_from;
	char *marks_from; /* min, low, high, protection */
};

struct analysis_options {
	const char *model; /* --model, or NULL */
	const char *arch; /* --arch, or NULL */
	const char *cmdline; /* --cmdline, or NULL: replaces the log's */
	bool kexec_file; /* capture_machine(): the kernel builds the map, not kexec-tools */
	bool managed_recorded; /* take managed pages from zoneinfo, where the input has it */
};

/*
 * Compute the machine. Returns 0, 2 when an option's value is not known, 3 when the facts hold no
 * memory map at all, 4 when they do not suffice to decide; *err is then one line (to be freed).
 */
int analyse(struct analysis *a, struct facts *f, const struct analysis_options *o, char **err);

/*
 * Make the capture kernel's machine out of a running one: the facts that a kernel started in the
 * crash kernel's memory would see. @capture is initialised by the caller, and empty.
 *
 * The crash kernel's memory is what the input says is reserved, else what the command line's
 * crashkernel= reserves by the model. Returns 0 or an exit code with *err as analyse().
 */
int capture_machine(struct facts *capture, struct facts *running, const struct analysis_options *o,
		    char **err);

/*
 * Make the machine that has another amount of memory: what lies at the top of its memory below
 * 4 GiB moves with it, and what has no room there goes above. @out is initialised by the caller,
 * and empty. Returns 0 or an exit code with *err as analyse().
 */
int resized_machine(struct facts *out, struct facts *from, const struct analysis_options *o,
		    uint64_t bytes, char **err);

/* The first megabyte of an x86 machine under a kernel with the first @commits of its history. */
struct an_low1m {
	unsigned int commits;
	const char *id, *version; /* of the newest commit; NULL before the first */
	const char *rule;
	uint64_t present;
	uint64_t managed; /* without crashkernel= */
	uint64_t managed_crash; /* with crashkernel= */
	bool no_trampoline; /* the kernel finds no place for its start-up code */
	bool backup; /* kexec copies the low 640 KiB away, and the capture kernel uses them */
};
struct an_low1m_history {
	VEC(struct an_low1m) rows; /* oldest first */
	unsigned int own; /* commits that the input's kernel has; UINT_MAX when that is not known */
};

/* Returns 0, or an exit code with *err as analyse(). */
int analyse_low1m(struct an_low1m_history *h, struct facts *f, const struct analysis_options *o,
		  char **err);

/*
 * Only find out which kernel it is: model, and architecture (@arch_known; no error when it is not).
 * @configured: its zone types, 0 when nothing tells. Returns 0, or 2 with *err as analyse().
 */
int analyse_kernel(struct analysis *a, struct facts *f, const struct analysis_options *o,
		   bool *arch_known, uint32_t *configured, char **err);

void analysis_destroy(struct analysis *a);

#endif
