/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.h - what the cases of the page benchmarks share: contenders, and what their loops work on.
 */
#ifndef PHYSZONE_BENCH_PAGES_H
#define PHYSZONE_BENCH_PAGES_H

#include "buddy.h"
#include "harness.h"
#include "machine.h"
#include "peers.h"

#define WINDOWS 1024u
#define RING 4096u /* pages between the thread that allocates and the one that frees */
#define RING_NOTHING UINT64_MAX

/* What a loop works on. */
struct work {
	struct pz_pages *pages;
	struct buddy *buddy;
	unsigned int order, flags;	/* flags: PZ_GFP_* or BUDDY_* */
	const struct pz_limits *limits; /* WINDOWS of them where they differ in each call */
	struct pz_page_req req;		/* for loops of whole requests */
	int expect;			/* the answer of a request that cannot be served */
	/* Pages that are held, by thread; perm is an order to free them in. */
	uint64_t *held[BENCH_THREADS], count[BENCH_THREADS], room;
	uint32_t *perm[BENCH_THREADS];
	uint64_t seed[BENCH_THREADS];
	uint64_t *ring, head __attribute__((aligned(128))), tail __attribute__((aligned(128)));
};

/* The loops of one contender; see loops.h. */
struct loops {
	bench_fn pair, burst, bulk, churn, remote;
	/* Fill to @count pages of which @left stay, chosen at random. False when there are fewer.*/
	bool (*fill)(struct work *w, unsigned int thread, uint64_t count, uint64_t left);
};

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

/* Room for held pages; freed by work_done(). */
bool work_room(struct work *w, uint64_t each, bool perm);
void work_done(struct work *w);

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
