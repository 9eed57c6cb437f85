/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contenders.c - the loops of each contender, and a field of them with machines of one size.
 *
 * Allocators of user space are given the size of the block, aligned to a page: they have no notion
 * of an order. Nothing is written to what they give.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"

#define LOOPS_WHAT order

static inline bool contender_pointer(void *p, uint64_t *out)
{
	*out = (uint64_t)(uintptr_t)p;
	return p != NULL;
}

#define LOOPS physzone
#define LOOPS_ALLOC(w, t, order, out) \
	BENCH_LIKELY(!pz_alloc_pages((w)->pages, t, (w)->flags, order, NULL, out))
#define LOOPS_FREE(w, t, order, v) pz_free_pages((w)->pages, t, v, order)
#include "loops.h"

#define LOOPS buddy
#define LOOPS_ALLOC(w, t, order, out) \
	BENCH_LIKELY(buddy_alloc((w)->buddy, t, order, PZ_UNMOVABLE, (w)->flags, out))
#define LOOPS_FREE(w, t, order, v) buddy_free((w)->buddy, t, v, order)
#include "loops.h"

#define LOOPS mimalloc
#define LOOPS_ALLOC(w, t, order, out) \
	contender_pointer(bench_peers.mi_malloc_aligned((size_t)4096 << (order), 4096), out)
#define LOOPS_FREE(w, t, order, v) bench_peers.mi_free((void *)(uintptr_t)(v))
#include "loops.h"

/* The flag is the logarithm of the alignment. */
#define LOOPS jemalloc
#define LOOPS_ALLOC(w, t, order, out) \
	contender_pointer(bench_peers.mallocx((size_t)4096 << (order), 12), out)
#define LOOPS_FREE(w, t, order, v) bench_peers.dallocx((void *)(uintptr_t)(v), 0)
#include "loops.h"

#define LOOPS glibc
#define LOOPS_ALLOC(w, t, order, out) \
	contender_pointer(aligned_alloc(4096, (size_t)4096 << (order)), out)
#define LOOPS_FREE(w, t, order, v) free((void *)(uintptr_t)(v))
#include "loops.h"

/* What the loops themselves cost; the barriers keep the compiler from dropping them. */
static inline bool contender_nothing(uint64_t *out)
{
	uint64_t v = 4096;

	__asm__ volatile("" : "+r"(v));
	*out = v;
	return true;
}

#define LOOPS nothing
#define LOOPS_ALLOC(w, t, order, out) contender_nothing(out)
#define LOOPS_FREE(w, t, order, v) __asm__ volatile("" : : "r"(v))
#include "loops.h"

const char *const contender_names[CONTENDERS + 1] = {
	"physzone", "zonelist", "buddy", "buddy+pcp", "mimalloc", "jemalloc", "glibc", "(loop)",
};

const struct loops *contender_loops(enum contender c)
{
	switch (c) {
	case C_PAGES:
	case C_ZONELIST:
		return &physzone_loops;
	case C_BUDDY:
	case C_PCP:
		return &buddy_loops;
	case C_MIMALLOC:
		return bench_peers.mi_free ? &mimalloc_loops : NULL;
	case C_JEMALLOC:
		return bench_peers.dallocx ? &jemalloc_loops : NULL;
	case C_GLIBC:
		return &glibc_loops;
	case C_NOTHING:
		return &nothing_loops;
	case CONTENDERS:
		break;
	}
	return NULL;
}

bool field_make(struct field *f, uint64_t bytes, uint32_t which)
{
	struct machine_opts o = { .bytes = bytes };

	memset(f, 0, sizeof(*f));
	for (unsigned int c = 0; c < CONTENDERS; c++)
		work_seed(&f->work[c]);
	if (!machine_make(&f->machine[0], &o))
		return false;
	f->work[C_PAGES].pages = f->machine[0].pages;
	f->ready[C_PAGES] = true;
	if (which & 1u << C_ZONELIST) {
		o.policy = PZ_POLICY_ZONELIST;
		if (!machine_make(&f->machine[1], &o)) {
			machine_free(&f->machine[0]);
			return false;
		}
		f->work[C_ZONELIST].pages = f->machine[1].pages;
		f->ready[C_ZONELIST] = true;
	}
	for (unsigned int c = C_BUDDY; c <= C_PCP; c++) {
		if (!(which & 1u << c))
			continue;
		f->work[c].buddy = buddy_make(&f->machine[0], c == C_PCP);
		f->ready[c] = f->work[c].buddy != NULL;
	}
	for (unsigned int c = C_MIMALLOC; c < CONTENDERS; c++)
		f->ready[c] = which & 1u << c && contender_loops((enum contender)c);
	return true;
}

void field_free(struct field *f)
{
	for (unsigned int c = 0; c < CONTENDERS; c++) {
		work_done(&f->work[c]);
		buddy_free_all(f->work[c].buddy);
	}
	for (unsigned int i = 0; i < 2; i++)
		if (f->machine[i].pages)
			machine_free(&f->machine[i]);
	memset(f, 0, sizeof(*f));
}
