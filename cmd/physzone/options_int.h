/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_int.h - the tables of options and commands, which the parser and the help read.
 */
#ifndef PHYSZONE_CMD_OPTIONS_INT_H
#define PHYSZONE_CMD_OPTIONS_INT_H

#include "options.h"

#define ON(c) (1u << (c))

enum {
	OPT_MODEL = 256,
	OPT_ARCH,
	OPT_CMDLINE,
	OPT_BOOT,
	OPT_LIVE,
	OPT_JSON,
	OPT_LINES,
	OPT_LOG,
	OPT_WHY,
	OPT_SVG,
	OPT_WIDTH,
	OPT_COLOUR,
	OPT_CAPTURE,
	OPT_MANAGED,
	OPT_BITS,
	OPT_LIMIT,
	OPT_WINDOW,
	OPT_KMALLOC,
	OPT_DMA_CACHES,
	OPT_COHERENT_POOL,
	OPT_SWEEP,
	OPT_REBUILD,
	OPT_ALL,
	OPT_MEMORY,
	OPT_MIX,
	OPT_TRACE,
	OPT_SEED,
	OPT_CMA,
	OPT_FILL,
	OPT_PRESSURE,
	OPT_KEEP,
	OPT_TIME,
	OPT_ROOT,
	OPT_CAN_REACH,
	OPT_CANNOT_REACH,
	/* Of translation tables, read by options_tables.c. */
	OPT_BASE,
	OPT_TABLE,
	OPT_TTBR,
	OPT_ENDIAN,
	OPT_IAS,
	OPT_OAS,
	OPT_SIZES,
	OPT_MTK,
	OPT_MTK_TABLES,
	OPT_NO_PERMS,
	OPT_NS,
	OPT_COHERENT_WALK,
	OPT_RAW,
	OPT_OUTPUT,
	OPT_TABLES_END,
};

struct option_def {
	const char *name;
	const char *value; /* shown in the help; NULL: takes none */
	int key;
	unsigned int on;
	const char *help;
};

extern const struct option_def option_defs[];
extern const size_t option_def_count;

struct command_def {
	const char *name;
	const char *synopsis;
	const char *what;
	const char *examples[10]; /* pairs: command, what it does */
};

extern const struct command_def command_defs[CMD_COUNT];

/* A number within bounds. 0, or EXIT_USAGE with one line in *err. */
int options_number(const char *name, const char *s, unsigned long low, unsigned long high,
		   unsigned int *out, char **err);

/* One of two words; *second says which. Returns as options_number(). */
int options_either(const char *name, const char *first, const char *other, const char *value,
		   bool *second, char **err);

/* What "did you mean" says of a word that is not known. */
char *options_hint(const char *what, const char *word, const char *dashes, const char *near,
		   enum command c);

/* Options OPT_BASE to OPT_OUTPUT; then, with all of them read, the topic and what it takes. */
int options_tables(struct options *o, int key, const char *value, char **err);
int options_tables_check(struct options *o, char **err);

#endif
