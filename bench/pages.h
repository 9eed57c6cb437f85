/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.h - what the cases of the page benchmarks share: contenders, and what their loops work on.
 */
#ifndef PHYSZONE_BENCH_PAGES_H
#define PHYSZONE_BENCH_PAGES_H

#include "machine.h"
#include "peers.h"
#include "work.h"

#define WINDOWS 1024u

enum contender {
	C_PAGES,    /* physzone, the default policy */
	C_ZONELIST, /* physzone with Linux's */
	C_BUDDY,    /* per-zone buddy without per-CPU lists */
	C_PCP,	    /* with them */
	C_MIMALLOC,
	C_JEMALLOC,
	C_GLIBC,
	C_NOTHING, /* the loop without any allocator */
	CONTENDERS,
};

extern const char *const contender_names[CONTENDERS + 1];
/* NULL where a contender is not there. */
const struct loops *contender_loops(enum contender c);

/* One of each contender that manages frames, all of a size. */
struct field {
	struct machine machine[2]; /* by policy */
	struct work work[CONTENDERS];
	bool ready[CONTENDERS];
};

/* Contenders by bits 1 << enum contender. */
bool field_make(struct field *f, uint64_t bytes, uint32_t which);
void field_free(struct field *f);

/* The cases, each one a function of that name. */
void pages_pair(void);
void pages_steps(void);
void pages_burst(void);
void pages_bulk(void);
void pages_churn(void);
void pages_remote(void);
void pages_limits(void);
void pages_lengths(void);
void pages_share(void);
void pages_worst(void);
void pages_room(void);
void pages_size(void);
void pages_frag(void);

#endif
