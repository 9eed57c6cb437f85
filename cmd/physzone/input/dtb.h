/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtb.h - reading of flattened device trees.
 */
#ifndef PHYSZONE_CMD_INPUT_DTB_H
#define PHYSZONE_CMD_INPUT_DTB_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"

/* Whether the bytes start as a device tree blob does. */
bool dtb_is_blob(const char *buf, size_t len);

/*
 * Read a blob, registered as @file with facts_file(). What a log said before (the command line)
 * stays. Returns 0, or INPUT_BAD with one line in *err; the facts are then as before.
 */
int dtb_read(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* The rest is shared by dtb*.c only. */

/* The cell counts, as far as addresses are read; more is refused. */
#define DTB_CELLS_MAX 4u

/* Nodes below this many others are more than the kernel unpacks. */
#define DTB_DEPTH_MAX 62

struct dtb_node {
	int offset;
	int parent;			 /* index, -1 for the root */
	bool available;			 /* neither it nor a node above it is disabled */
	uint32_t addr_cells, size_cells; /* that its children use */
};

struct dtb {
	const void *blob;
	void *owned;
	VEC(struct dtb_node) nodes; /* in the order of the blob: a node stands behind its parent */
};

/*
 * Check a blob, registered as @file, and unpack its nodes. Returns 0, or INPUT_BAD with one line in
 * *err. dtb_close() in both cases.
 */
int dtb_open(struct dtb *t, const struct facts *f, uint32_t file, const char *buf, size_t len,
	     char **err);
void dtb_close(struct dtb *t);

/* The node's name; whether it is available itself; its child of a name, or -1. */
const char *dtb_name(const struct dtb *t, int node);
bool dtb_available(const struct dtb *t, int node);
int dtb_child_named(const struct dtb *t, int node, const char *name);

/* A property: whether it is there; its first cell; its first string, printable, to be freed. */
bool dtb_has(const struct dtb *t, int node, const char *name);
bool dtb_u32(const struct dtb *t, int node, const char *name, uint32_t *v);
char *dtb_text(const struct dtb *t, int node, const char *name);

/* A property's value as bytes; NULL when there is none. */
const unsigned char *dtb_prop(const struct dtb *t, int node, const char *name, uint32_t *len);

/* Whether a property's value is this string, or a list that starts with it. */
bool dtb_prop_is(const struct dtb *t, int node, const char *name, const char *value);

/* The node's name without what follows "@". */
bool dtb_name_is(const struct dtb *t, int node, const char *name);

/* The last 64 bits of a number of @cells cells. */
uint64_t dtb_number(const unsigned char *p, uint32_t cells);

/* The node with a phandle, or -1. */
int dtb_phandle(const struct dtb *t, uint32_t phandle);

/*
 * The highest CPU address that every bus of the tree reaches, as of_dma_get_max_cpu_address() of
 * Linux computes it; PZ_ADDR_MAX when no bus restricts. *by is the node that sets it, or -1.
 * Returns false, and the node in *by, when a node's cell counts are none that addresses have.
 */
bool dtb_dma_limit(const struct dtb *t, uint64_t *limit, int *by);

#endif
