/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the command line of the workbench.
 */
#ifndef PHYSZONE_CMD_OPTIONS_H
#define PHYSZONE_CMD_OPTIONS_H

#include <stdbool.h>

#include "out.h"

/* Exit codes, as --help documents them. */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_PROBLEM = 1,   /* a problem was found in the machine */
	EXIT_USAGE = 2,	    /* wrong usage */
	EXIT_INPUT = 3,	    /* input not understood */
	EXIT_UNDECIDED = 4, /* could not decide, or could not write the answer */
};

enum command {
	CMD_NONE,
	CMD_ZONES,
	CMD_MAP,
	CMD_ARCH,
	CMD_LOW1M,
	CMD_EXPLAIN,
	CMD_BOOT,
	CMD_REACH,
	CMD_DEVICES,
	CMD_SWIOTLB,
	CMD_WASTE,
	CMD_COMPARE,
	CMD_PREDICT,
	CMD_IOMMU,
	CMD_COUNT,
};

/* A device as the command line describes it: one --bits, --limit or --window. */
enum option_device { DEVICE_BITS, DEVICE_LIMIT, DEVICE_WINDOW };
struct option_reach {
	enum option_device kind;
	const char *text;
};
#define OPTION_REACHES 32u

/* iommu: what the command line says of translation tables; NULL and 0 where it says nothing. */
struct option_tables {
	const char *base, *table, *ttbr, *sizes, *output;
	unsigned int ias, oas;
	bool big, mtk, mtk_tables, no_perms, ns, coherent_walk, raw;
};

struct options {
	enum command command;
	bool help, version;
	const char *model, *arch, *cmdline;
	const char *source; /* NULL with live */
	const char *svg;    /* file for the picture, "-" for standard output */
	unsigned int boot;  /* from 1; 0: the last one */
	unsigned int width; /* 0: that of the terminal */
	bool live, json, lines, log, why, rebuild, all;
	bool capture, kexec_file; /* the capture kernel's machine; loaded by the kernel itself */
	bool managed_recorded;
	const char *kmalloc_dma; /* boot: bytes */
	bool dma_caches_managed; /* boot: only where ZONE_DMA has a managed page */
	const char *root, *can_reach, *cannot_reach; /* devices */
	unsigned int pool_rules; /* boot: enum pzl_pool_rules, what coherent_pool= means */
	const char *sweep; /* predict */
	const char *topic; /* compare: what; iommu: dump or map */
	struct option_tables tables; /* iommu */
	const char *memory, *mix, *trace, *cma; /* compare */
	unsigned int fill, pressure; /* compare tables: percent */
	bool fill_given, pressure_given, keep, time;
	unsigned int seed;
	bool seed_given;
	struct option_reach reach[OPTION_REACHES];
	unsigned int reaches;
	enum out_colour colour;
	const char *const *operands; /* arch: the names asked for; iommu: files */
	unsigned int operand_count;
};

/*
 * Read the arguments. Returns 0, or EXIT_USAGE with one line in *err (to be freed). The options
 * point into argv, whose order changes.
 */
int options_parse(struct options *o, int argc, char **argv, char **err);

/* Help of a command (CMD_NONE: of the program): examples, options, exit codes. */
void options_help(struct out *out, enum command c);

/* The candidate nearest to a mistyped word, or NULL when none is near. The list ends with NULL. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
