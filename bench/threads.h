/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads.h - what the harness asks of its threads.
 */
#ifndef PHYSZONE_BENCH_THREADS_H
#define PHYSZONE_BENCH_THREADS_H

#include "harness.h"

/* Pin the caller, start the second thread; returns the threads that can run at once. */
unsigned int threads_start(void);
void threads_stop(void);

/*
 * Run @fn in @threads threads at once. @ns gets, for each of @laps laps, the mean over the threads
 * of CPU time per operation. False when a thread could not do it.
 */
bool threads_measure(bench_fn fn, void *ctx, unsigned int threads, uint64_t n, unsigned int laps,
		     double *ns);

/* Share of the time of all cells that thread 0 was off its processor. */
double threads_lost(void);

/* The floor: a pair is two uncontended compare-and-exchange operations on a cached line. */
uint64_t threads_floor(struct bench_arg *arg);

#endif
