/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_domains.h - the domains of a stream as real translation tables: physzone's, in the format
 * of MediaTek's IOMMUs, whose second levels come from the way that is weighed.
 *
 * The first levels are whole pages in any case, and counted apart.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLE_DOMAINS_H
#define PHYSZONE_CMD_COMPARE_TABLE_DOMAINS_H

#include <physzone/v7s.h>

#include "table_trace.h"
#include "table_way.h"

#define TABLE_LAST_MAX ((UINT64_C(1) << 35) - 1) /* no descriptor leads to a table beyond */

/* Points to itself: must not be moved. */
struct table_domains {
	struct pz_v7s **t;
	unsigned int count;
	struct pz_table_source *first; /* provider of first levels */
	struct pz_table_mem second;    /* of second levels */
	struct pz_table_mem mem;       /* both */
};

/*
 * Make so many. @second provides second levels and is copied. @keep: tables whose pages went one
 * by one stay. Returns 0, or -PZ_E...; table_domains_close() in both cases.
 */
int table_domains_open(struct table_domains *d, struct table_bed *bed,
		       const struct pz_table_mem *second, unsigned int count, bool keep);

/* Give all tables back. Returns 0, or -PZ_E... */
int table_domains_close(struct table_domains *d);

/* Bytes of pages that first levels take. */
uint64_t table_domains_first(const struct table_domains *d);

/* Where a recorded address leads here: below 2^34, as far from a section as it was. */
static inline uint64_t table_domains_fold(uint64_t paddr)
{
	return paddr & ((UINT64_C(1) << 34) - 1);
}

/* Map or unmap. Returns as pz_v7s_map() and pz_v7s_unmap(). */
int table_domains_do(struct table_domains *d, const struct table_op *op);

/* All of a MiB goes, and its table with it. */
void table_domains_clear(struct table_domains *d, unsigned int domain, uint64_t iova);

#endif
