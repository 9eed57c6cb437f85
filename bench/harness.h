/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.h - timing for the benchmarks: tables of medians with spread, and ratios to the floor.
 *
 * A table has one contender or one setting per column. The cells of a row are measured in turn, run
 * after run, and the floor in each run beside them, so that a slow phase of the machine meets all
 * of them; a ratio is the median of the ratios of the runs. The first run warms up and is dropped.
 * Threads are pinned. The clock is each thread's own CPU time, so that other work on the machine
 * shows in the caches only; what the hypervisor takes away still counts, hence the minimum.
 * Shortcoming: threads that were not on their processors at the same time do not contend; the
 * share of time that was lost to others is printed at the end.
 */
#ifndef PHYSZONE_BENCH_HARNESS_H
#define PHYSZONE_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_COLS 12u
#define BENCH_RUNS 31u
#define BENCH_THREADS 2u
#define BENCH_LAPS 4u

#define BENCH_LIKELY(x) __builtin_expect(!!(x), 1)

struct bench_opts {
	bool quick, json;
	unsigned int runs;
	double run_ns;	   /* what a calibrated run should take */
	unsigned int cpus; /* processors that threads can be pinned to */
};

extern struct bench_opts bench_opts;

/* What a thread is told. */
struct bench_arg {
	void *ctx;
	unsigned int thread, threads;
	uint64_t n;	       /* operations asked for */
	double ns[BENCH_LAPS]; /* CPU time of each lap; lap 0 is the whole unless laps are taken */
	uint64_t ops[BENCH_LAPS];
	unsigned int laps;
	double mark; /* private */
};

/* Does about arg->n operations and returns how many; 0 says that it could not. */
typedef uint64_t (*bench_fn)(struct bench_arg *arg);

/* Start the clock of the next lap here: what went before is not timed. */
void bench_lap_start(struct bench_arg *arg);
/* End a lap of @ops operations. */
void bench_lap_end(struct bench_arg *arg, uint64_t ops);

struct bench_table;

/* What a cell measured, for texts of one's own. Not a number where it was not measured. */
struct bench_value {
	double median, min, max; /* of the runs */
	double floors;		 /* median of the ratios to the floor of the same run */
};

/* Read options and names of cases; returns the exit status to end with, or -1 to go on. */
int bench_begin(int argc, char **argv, const char *const *cases, const char *const *what);
/* Whether a case was asked for. */
bool bench_wanted(const char *name);
/* Print the targets, or with --json everything; returns the exit status. */
int bench_finish(void);
/* A line of explanation below the last table. */
void bench_remark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * Begin a table.
 * @name: of the case
 * @title: one line
 * @unit: of the cells: "ns" for measured ones
 * @cols: names of the columns, ended by NULL
 * @floor: print the floor and the ratio of the first column to it
 */
struct bench_table *bench_table(const char *name, const char *title, const char *unit,
				const char *const *cols, bool floor);
/* Begin a row; the label is copied. */
void bench_row(struct bench_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Fill a cell of the row by measuring, later; @n 0 is calibrated. Laps fill the cells behind. */
void bench_cell(struct bench_table *t, unsigned int col, bench_fn fn, void *ctx,
		unsigned int threads, uint64_t n, unsigned int laps);
/* Fill a cell of the row with a number that is known. */
void bench_set(struct bench_table *t, unsigned int col, double value);
/* Fill a cell of the row with the ratio of two others, run by run. */
void bench_ratio_cell(struct bench_table *t, unsigned int col, unsigned int of, unsigned int to);
/* Measure the row and print it. */
void bench_run(struct bench_table *t);
/* What a cell of the row that ran last measured. */
struct bench_value bench_get(const struct bench_table *t, unsigned int col);
/* Median of the ratios of two cells of the row that ran last. */
double bench_ratio(const struct bench_table *t, unsigned int col, unsigned int to);
/* End a table. */
void bench_table_end(struct bench_table *t);

/* State a target and what was measured. @at_most false: at least. NaN was not measured. */
void bench_target(const char *name, double measured, double limit, bool at_most, const char *unit,
		  const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The largest or smallest of several measurements that one target covers. */
struct bench_worst {
	double value;
	char what[64];
	bool any;
};

void bench_worse(struct bench_worst *w, double value, bool larger, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Instructions per operation, and how many of them lock a line (on x86-64), counted one by one in a
 * child. False where that is not possible.
 */
bool bench_instructions(bench_fn fn, void *ctx, double *each, double *locked);

/* CPU time of this thread, and time that passes. */
double bench_cpu_ns(void);
double bench_wall_ns(void);

/* Wait a little, in a loop that watches memory. */
static inline void bench_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ volatile("yield");
#endif
}

/* A generator of random numbers with a state of its own. */
static inline uint64_t bench_rand(uint64_t *s)
{
	uint64_t x = *s;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*s = x;
	return x * 0x2545f4914f6cdd1du;
}

/* A random number below @n, n < 2^32. */
static inline uint32_t bench_below(uint64_t *s, uint32_t n)
{
	return (uint32_t)(((bench_rand(s) >> 32) * n) >> 32);
}

#endif
