/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - from the options of a command to the analysed machine.
 */
#ifndef PHYSZONE_CMD_MACHINE_H
#define PHYSZONE_CMD_MACHINE_H

#include "analysis.h"
#include "options.h"
#include "view/view.h"

struct machine {
	struct facts facts;
	struct analysis analysis;
	struct view view;
	char *title;
};

/*
 * Read the source and analyse it. Returns 0, or an exit code with one line in *err; the machine is
 * then empty. machine_destroy() in both cases.
 */
int machine_read(struct machine *m, const struct options *o, char **err);

/* Only read it: @how is filled in for an analysis of the facts. */
int machine_source(struct machine *m, const struct options *o, struct analysis_options *how,
		   char **err);
void machine_destroy(struct machine *m);

/* The exit code that the machine itself deserves. */
int machine_verdict(const struct machine *m);

#endif
