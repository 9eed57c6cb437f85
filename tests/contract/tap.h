/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap.h - the contract suite's only framework: numbered results in the Test Anything Protocol,
 * written through a callback, so that the same source runs hosted and on bare metal.
 *
 * A suite is a function void contract_NAME(struct tap *t). It uses only the public headers, this
 * one, and memory that it is given; it prints nothing itself and needs no libc.
 */
#ifndef TESTS_CONTRACT_TAP_H
#define TESTS_CONTRACT_TAP_H

#include <physzone/types.h>

struct tap {
	void (*write)(void *ctx, const char *s, size_t n);
	void *ctx;
	const struct pz_meta *meta; /* memory for the suites */
	const char *suite;
	uint32_t run;
	uint32_t failed;
};

/* Report one result: "ok N - suite: what", or "not ok ..." with the place of the failure. */
bool tap_ok(struct tap *t, bool ok, const char *what, const char *file, int line);

/* Run a suite under its name. */
void tap_suite(struct tap *t, const char *name, void (*fn)(struct tap *t));

/* Print the plan ("1..N") and return the number of failures. */
uint32_t tap_done(struct tap *t);

/* Check a condition; the text of the condition is the name of the test. */
#define CHECK(t, cond) tap_ok((t), (cond), #cond, __FILE__, __LINE__)

/* Check a condition under a name of its own. */
#define CHECK_NAMED(t, cond, name) tap_ok((t), (cond), (name), __FILE__, __LINE__)

#endif
