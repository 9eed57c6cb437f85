/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects.h - what the cases of the object benchmarks share: contenders, and caches for them.
 */
#ifndef PHYSZONE_BENCH_OBJECTS_H
#define PHYSZONE_BENCH_OBJECTS_H

#include "peers.h"
#include "slab_machine.h"
#include "work.h"

enum object_contender {
	O_CACHE, /* physzone, a cache of that size */
	O_BULK,	 /* the same, 64 at a time in one call */
	O_KMALLOC,
	O_MIMALLOC,
	O_JEMALLOC,
	O_TCMALLOC,
	O_GLIBC,
	O_XADD,	   /* one locked addition, the yardstick */
	O_NOTHING, /* the loop without any allocator */
	OBJECT_CONTENDERS,
};

#define O_PEERS_FIRST O_MIMALLOC
#define O_PEERS_LAST O_GLIBC

extern const char *const object_names[OBJECT_CONTENDERS + 1];
/* NULL where a contender is not there; a loop that it has not is NULL. */
const struct loops *object_loops(enum object_contender c);
/* pz_kmalloc_limited(), under work.limits. */
const struct loops *object_limited_loops(void);

/* A machine, and what each contender works on. */
struct objects {
	struct slab_machine machine;
	struct work work[OBJECT_CONTENDERS];
};

bool objects_make(struct objects *o);
/* Objects of @size from now on, from a new cache. */
bool objects_size(struct objects *o, size_t size);
void objects_free(struct objects *o);

/* The cases, each one a function of that name. */
void objects_pair(void);
void objects_steps(void);
void objects_batch(void);
void objects_fill(void);
void objects_remote(void);
void objects_limits(void);
void objects_debug(void);
void objects_waste(void);

#endif
