/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts_dump.h - facts as text, so that two sets of them can be compared, and shown when they
 * differ. Where a fact stands is left out unless asked for.
 */
#ifndef TESTS_UNIT_FACTS_DUMP_H
#define TESTS_UNIT_FACTS_DUMP_H

#include <stdio.h>

#include "facts.h"

void facts_dump(FILE *out, const struct facts *f, bool lines);

/* The same as a string, to be freed. */
char *facts_dump_string(const struct facts *f, bool lines);

#endif
