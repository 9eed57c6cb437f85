/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work.c - room for what loops hold.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

#include "work.h"

void work_seed(struct work *w)
{
	for (unsigned int t = 0; t < BENCH_THREADS; t++)
		w->seed[t] = 0x9e3779b97f4a7c15u * (t + 1);
}

static void *work_map(uint64_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

bool work_room(struct work *w, uint64_t each, bool perm)
{
	w->room = each + 64; /* the loops look ahead */
	for (unsigned int t = 0; t < BENCH_THREADS; t++) {
		w->held[t] = work_map(w->room * sizeof(uint64_t));
		if (!w->held[t])
			return false;
		w->count[t] = each;
		if (!perm)
			continue;
		w->perm[t] = work_map(w->room * sizeof(uint32_t));
		if (!w->perm[t])
			return false;
		for (uint64_t i = 0; i < each; i++)
			w->perm[t][i] = (uint32_t)i;
		for (uint64_t i = each; i > 1; i--) {
			uint32_t k = bench_below(&w->seed[t], (uint32_t)i), v = w->perm[t][k];

			w->perm[t][k] = w->perm[t][i - 1];
			w->perm[t][i - 1] = v;
		}
	}
	w->ring = calloc(RING, sizeof(*w->ring));
	return w->ring != NULL;
}

void work_done(struct work *w)
{
	for (unsigned int t = 0; t < BENCH_THREADS; t++) {
		if (w->held[t])
			munmap(w->held[t], w->room * sizeof(uint64_t));
		if (w->perm[t])
			munmap(w->perm[t], w->room * sizeof(uint32_t));
		w->held[t] = NULL;
		w->perm[t] = NULL;
	}
	free(w->ring);
	w->ring = NULL;
}
