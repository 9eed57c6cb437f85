/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc.h - readers of what a running kernel tells in /proc, /sys and debugfs, and of listings.
 *
 * Each takes the text of one file, registered as @file with facts_file(), and adds what it says to
 * the facts. Each returns 0, or INPUT_BAD with *err set to one line (to be freed) that names the
 * file and the line and says what was expected there; what was added before that line stays.
 * Text behind the last newline is a line too, so a file that was cut off in the middle of a line
 * is mostly refused.
 */
#ifndef PHYSZONE_CMD_INPUT_PROC_H
#define PHYSZONE_CMD_INPUT_PROC_H

#include <stddef.h>

#include "facts.h"

/* /proc/iomem. Addresses that are all zero (read without privilege) are INPUT_BAD as well. */
int proc_iomem(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* Whether it is an iomem in which every address is 0. */
bool proc_iomem_is_hidden(const char *buf, size_t len);

/* /proc/zoneinfo, of any version; fields that it does not have stay UINT64_MAX. */
int proc_zoneinfo(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* /sys/firmware/memmap as "number first last type" lines, or "none". */
int proc_memmap(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/*
 * /sys/kernel/debug/memblock: with "== path" lines before each part; or one file of it, for which
 * @part is "memory" or "reserved" (else NULL). Other parts ("physmem") are passed over.
 */
int proc_memblock(struct facts *f, uint32_t file, const char *part, const char *buf, size_t len,
		  char **err);

/* Runs of page frames with their class, "first end pages class". */
int proc_pages(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* The files below /sys/devices/system/node, each after "== path", and "== online 0-1". */
int proc_nodes(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* A list of nodes as Linux prints it ("0-1,4"): appended to *nodes. */
struct node_list {
	VEC(int) v;
};
int proc_node_list(struct facts *f, struct where at, const char *buf, size_t len,
		   struct node_list *nodes, char **err);

/* One row of distances, from node @from to the nodes of @nodes in order. */
int proc_distances(struct facts *f, struct where at, int from, const struct node_list *nodes,
		   const char *buf, size_t len, char **err);

/* /proc/meminfo. */
int proc_meminfo(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* "/proc/sys/vm/NAME: value" lines. */
int proc_sysctl(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* /proc/version and /proc/cmdline. What a log said before stays; a difference is noted. */
int proc_version(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);
int proc_cmdline(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/*
 * A listing of a firmware map without a log around it: "BIOS-e820: ..." lines in their newer and
 * older form, "first-last type", or the lines of proc_memmap().
 */
int e820_listing(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/*
 * Whether a text is such a listing, or /proc/iomem. Tables are known by their first line; lines of
 * "BIOS-e820:" only when there are no others, for else it is a log.
 */
bool e820_is_listing(const char *buf, size_t len);
bool proc_is_iomem(const char *buf, size_t len);

/* The type that a word of a firmware map stands for, in any of the spellings; 0 when unknown. */
uint32_t e820_type(const char *word, size_t len);

#endif
