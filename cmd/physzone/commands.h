/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands.h - what the commands of the workbench do.
 *
 * A command renders into `out`, which the caller flushes, and returns an exit code; for 2, 3 and 4
 * without an answer *err is one line for standard error (to be freed), and `out` is left empty.
 */
#ifndef PHYSZONE_CMD_COMMANDS_H
#define PHYSZONE_CMD_COMMANDS_H

#include "options.h"
#include "out.h"

int cmd_zones(const struct options *o, struct out *out, char **err);
int cmd_map(const struct options *o, struct out *out, char **err);

/* The table of architectures; o->operands names those asked for, o->model and o->json apply. */
int cmd_arch(const struct options *o, struct out *out, char **err);

/* Why requests for pages failed, by the reports in o->source. */
int cmd_explain(const struct options *o, struct out *out, char **err);

/* The history of the first megabyte of x86 on the machine of o->source. */
int cmd_low1m(const struct options *o, struct out *out, char **err);

/* A machine carried through start-up under the models of o->model. */
int cmd_boot(const struct options *o, struct out *out, char **err);

/* Where the requests of a start-up flip, as o->sweep changes a size of the machine. */
int cmd_predict(const struct options *o, struct out *out, char **err);

/* What the devices of o->reach can get on the machine of o->source. */
int cmd_reach(const struct options *o, struct out *out, char **err);

/* What devices reach: those of /sys, below o->root, or of the device tree o->source. */
int cmd_devices(const struct options *o, struct out *out, char **err);

/* Why mappings found no bounce buffer, by the lines of o->source. */
int cmd_swiotlb(const struct options *o, struct out *out, char **err);

/* What the requests of o->operands cost in kmalloc's caches, and as pages. */
int cmd_waste(const struct options *o, struct out *out, char **err);
/* Several answers to the question o->topic, on the same stream. */
int cmd_compare(const struct options *o, struct out *out, char **err);

/* Translation tables: those in o->operands decoded, or those that lists describe built. */
int cmd_iommu(const struct options *o, struct out *out, char **err);

#endif
