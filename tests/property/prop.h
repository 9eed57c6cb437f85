/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop.h - property tests with replayable seeds and shrinking.
 *
 * A property draws numbers and returns whether it holds. Every number drawn is recorded; when a
 * property fails, the recorded sequence is shrunk (shorter, smaller numbers) while it still fails,
 * and printed with the seed. PZ_SEED=N replays one seed, PZ_ROUNDS=N sets the number of rounds.
 * Output is TAP.
 */
#ifndef TESTS_PROPERTY_PROP_H
#define TESTS_PROPERTY_PROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prop;

/* A number in [0, max], uniform; smaller is simpler when shrinking. */
uint64_t prop_draw(struct prop *p, uint64_t max);

/* A number in [lo, hi]; closer to lo is simpler. */
uint64_t prop_between(struct prop *p, uint64_t lo, uint64_t hi);

/* One of n; 0 is simplest. */
unsigned int prop_choice(struct prop *p, unsigned int n);

/* An address biased to edges: near 0, near powers of two, near 2^64. */
uint64_t prop_addr(struct prop *p);

/* Say what was drawn or what went wrong; kept for the final, shrunk failure only. */
void prop_note(struct prop *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Run a property for a number of rounds (each with a seed of its own). */
void prop_run(const char *name, bool (*property)(struct prop *p, void *ctx), void *ctx,
	      unsigned int rounds);

/* Print the plan; the exit status of the program: 0 or 1. */
int prop_done(void);

#define PROP_ASSERT(p, cond)                                                                       \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			prop_note((p), "%s:%d: %s", __FILE__, __LINE__, #cond);                    \
			return false;                                                              \
		}                                                                                  \
	} while (0)

#endif
