/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_trace.h - what an IOMMU's page tables are asked for over time: mappings that come and go,
 * generated from a mix or recorded, and the second-level tables that they need.
 *
 * The format is ARMv7's short descriptors: a second-level table has 1 KiB and maps 1 MiB of the
 * IOVA space by 256 entries; a piece of 1 MiB that is aligned on both sides is a section and needs
 * none. A table is taken when the first entry of its MiB is mapped, and given back when the last
 * one goes. Linux's own code keeps those whose pages went one by one: table_reduce()'s @keep.
 *
 * What tables are needed is worked out here by counting; the runs do it on real tables, and are
 * held against this.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLE_TRACE_H
#define PHYSZONE_CMD_COMPARE_TABLE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "../vec.h"
#include "stream.h"

/* A mapping is made or undone. */
struct table_op {
	uint64_t iova;	/* within the 4 GiB of its domain */
	uint64_t paddr; /* of a mapping that is made */
	uint64_t size;	/* bytes, whole pages of 4 KiB */
	uint16_t domain;
	bool unmap;
	bool atomic; /* its context may not wait */
};

struct table_ops {
	char *name;
	VEC(struct table_op) ops;
	unsigned int domains;
	size_t drop, dropped; /* operations at which the drop begins and has ended; 0: none */
	uint64_t refused;     /* generated: mappings that found no IOVA */
	uint64_t ignored;     /* recorded: lines of other events */
	bool recorded;
};

/*
 * Generate operations. At the end everything is unmapped. Returns 0, or EXIT_INPUT with one line in
 * *err when there would be too many. table_ops_destroy() in both cases.
 */
int table_ops_generate(struct table_ops *t, const struct mix *m, uint64_t seed, char **err);

/*
 * Read recorded operations: iommu:map and iommu:unmap as the kernel's tracing prints them.
 *
 *     map: IOMMU: iova=0x... - 0x... paddr=0x... size=N
 *     unmap: IOMMU: iova=0x... - 0x... size=N unmapped_size=N
 *
 * Some kernels print no end after the first address of an unmapping. The events do not name the
 * domain: each 4 GiB of IOVA space is one. Where the flags of the context are printed they tell
 * whether it may wait, else it may not. What is mapped at the end stays. Returns as
 * table_ops_generate().
 */
int table_ops_record(struct table_ops *t, const char *file, char **err);

/* The same from text; @name is for messages. */
struct text;
int table_ops_record_text(struct table_ops *t, const struct text *text, const char *name,
			  char **err);
void table_ops_destroy(struct table_ops *t);

/* A table is taken, or given back. */
struct table_event {
	uint32_t table; /* tables are numbered from 0 in the order in which they are taken */
	bool back;
	bool atomic;
};

/* An operation on pages that it really changes, all of them: none is mapped twice. */
struct table_step {
	struct table_op op;
	uint32_t tables; /* that there are afterwards */
};

struct table_trace {
	VEC(struct table_event) events;
	VEC(struct table_step) steps;
	size_t step_peak, step_low; /* steps until @at_peak and @at_low; 0 for never */
	uint32_t tables; /* numbers in use: all tables ever taken */
	uint32_t peak;	 /* tables at once */
	uint32_t left;	 /* tables at the end */
	size_t at_peak;	 /* events until then */
	/* Events until nine tables in ten were given back: the end of the drop, or where there is
	 * none, the first time after the peak with a tenth of it or less; 0 when that never is. */
	size_t at_low;
	uint32_t low;			 /* tables then */
	uint64_t maps, unmaps, sections; /* sections: pieces that needed no table */
	uint64_t unknown;		 /* pages unmapped that were not known as mapped */
};

/*
 * Which tables the operations need. @keep: empty tables stay until the end, as in Linux, where all
 * that are left are given back. table_trace_destroy() afterwards.
 */
void table_reduce(struct table_trace *r, const struct table_ops *t, bool keep);
void table_trace_destroy(struct table_trace *r);

#endif
