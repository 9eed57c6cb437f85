/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_ops.h - operations on a drawn machine, each with its draws and its check.
 */
#ifndef TESTS_PROPERTY_PAGE_OPS_H
#define TESTS_PROPERTY_PAGE_OPS_H

#include "page_world.h"

/* Each returns false when the allocator did something wrong. */
bool op_alloc(struct world *w);
bool op_bulk(struct world *w);
bool op_free(struct world *w, uint32_t at);
bool op_free_any(struct world *w);
bool op_free_bulk(struct world *w);
bool op_part(struct world *w);
bool op_split(struct world *w);
bool op_drain(struct world *w);
bool op_policy(struct world *w);
bool op_add(struct world *w);
bool op_misuse(struct world *w);

/* Each operation begins with this. */
void op_begin(struct world *w);

/* Ask for one request in one of the ways that there are for it. */
bool op_request(struct world *w, struct w_req *r, unsigned int way);

/* Free everything, and find the machine as it was. */
bool op_free_all(struct world *w);

/* A CPU index to call with. */
uint32_t op_cpu(struct world *w);

#endif
