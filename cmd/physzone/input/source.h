/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - from what a user hands over to facts.
 */
#ifndef PHYSZONE_CMD_INPUT_SOURCE_H
#define PHYSZONE_CMD_INPUT_SOURCE_H

#include <stdbool.h>

#include "facts.h"
#include "input/text.h"

struct source_options {
	unsigned int boot; /* of a log with several boots: which, from 1; 0 for the last */
	bool live;	   /* read the running machine; the source is not looked at */
	const char *root;  /* what stands before /proc and /sys when live; NULL for nothing */
};

/*
 * Read a SOURCE into facts that facts_init() has made empty. @source is a file, "-" for standard
 * input, or the directory of a recorded machine; what a file holds is told from its content: a
 * device tree blob, an iomem or e820 listing, else a log. @o may be NULL.
 *
 * Returns 0, or INPUT_BAD (3) when the source cannot be read or is not understood; *err is then
 * one line that names the file, the line where there is one, and what was expected.
 */
int source_read(struct facts *f, const char *source, const struct source_options *o, char **err);

/* The same for the bytes of one file, which facts.files must name already (its index is 0). */
int source_read_text(struct facts *f, const struct text *t, const struct source_options *o,
		     char **err);

/*
 * The running machine. What cannot be read becomes a note; INPUT_BAD when nothing is left that
 * tells its memory.
 */
int live_read(struct facts *f, const char *root, char **err);

/* Only what tells where memory is: iomem, the firmware's map, zoneinfo. Nothing fails. */
void live_memory_map(struct facts *f, const char *root);

#endif
