/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_contig.h - owners and contiguous areas of a drawn machine.
 */
#ifndef TESTS_PROPERTY_PAGE_CONTIG_H
#define TESTS_PROPERTY_PAGE_CONTIG_H

#include "page_ops.h"

extern const struct w_contig page_contig;

/* Lend an area to movable pages, or find that it is lent. */
bool op_activate(struct world *w);

#endif
