/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suites_decl.h - declarations of every suite, from the list in suites.h.
 */
#ifndef TESTS_CONTRACT_SUITES_DECL_H
#define TESTS_CONTRACT_SUITES_DECL_H

#include "tap.h"

#define SUITE(name) void contract_##name(struct tap *t);
#include "suites.h"
#undef SUITE

#endif
