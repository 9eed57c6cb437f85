/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_state.h - the state of memory that a report tells, as the library takes it.
 */
#ifndef PHYSZONE_CMD_EXPLAIN_STATE_H
#define PHYSZONE_CMD_EXPLAIN_STATE_H

#include "explain.h"
#include "start.h"

struct ex_place {
	int nid;
	enum pz_zone_type type;
	VEC(struct pz_range) pfns;
	uint64_t pages;
};

/* Where the zones lie, by the log's map of memory. */
struct ex_places {
	VEC(struct ex_place) v;
	unsigned int page_shift;
};

/* What a rebuild is made from; zone i is number index[i] of the explanation's. */
struct ex_state {
	struct pzl_rebuild_config config;
	VEC(struct pzl_rebuild_zone) zones;
	VEC(uint32_t) index;
	bool placed;
};

void ex_places_find(struct ex_places *p, struct facts *f, const struct analysis_options *o);
void ex_places_destroy(struct ex_places *p);

/* @excluded: with the nodes that the request may not use. Notes go to @to unless it is NULL. */
void ex_state_make(struct ex_state *s, const struct explained *e, const struct facts *f,
		   const struct explanation *x, const struct ex_places *p, bool excluded,
		   struct ex_rebuilt *to);
void ex_state_destroy(struct ex_state *s);

/* "FILE:LINE: expected ...", to be freed. */
char *ex_state_obstacle(const struct ex_state *s, const struct facts *f,
			const struct explanation *x, const struct pzl_rebuild_error *err);

/* What the rebuilt machine's report would have otherwise than the log's; added to @to. */
void ex_state_compare(const struct ex_state *s, const struct pzl_rebuilt *r,
		      const struct explanation *x, struct ex_rebuilt *to);

/* Pages in the free blocks of a zone; UINT64_MAX when they are more than memory. */
uint64_t ex_state_sum(const struct ex_zone *z);

#endif
