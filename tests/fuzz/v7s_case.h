/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_case.h - one random life of translation tables, from any source of numbers.
 *
 * Beside the tables stands a model that knows each page of 4 KiB of two windows of the address
 * space, and a cache of translations that fills itself from the words at any moment, with entries
 * of any size and with the places of second levels, and forgets only what it is told to. Tables
 * that cannot be had are part of a life.
 */
#ifndef TESTS_FUZZ_V7S_CASE_H
#define TESTS_FUZZ_V7S_CASE_H

#include "case_source.h"

/* What a life is like. */
struct v7s_plan {
	uint32_t steps; /* requests at most */
	/* The n-th failure from the first request on, 1 for the first, of what @point says: a fault
	 * point, or 0 for the provider's own. 0: such as are drawn. */
	uint64_t fail_nth;
	const char *point;
};

/* What the lives so far have done, so that a test can see that it saw all of it. */
struct v7s_case_counts {
	uint64_t maps, exists, unmaps, holes, refused, no_table, no_pieces, splits, trimmed;
	uint64_t cached, forgotten, tables, failed;
};

extern struct v7s_case_counts v7s_case_counts;

/* Run a life. NULL, or what went wrong: "FILE:LINE: condition". */
const char *v7s_case_run(const struct case_source *s, const struct v7s_plan *plan);

#endif
