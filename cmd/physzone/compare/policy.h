/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - the allocator of one policy: how its memory is laid out, and how it is asked.
 */
#ifndef PHYSZONE_CMD_COMPARE_POLICY_H
#define PHYSZONE_CMD_COMPARE_POLICY_H

#include <physzone/contig.h>

#include "compare.h"

/* A zone of a node, as the allocator counts areas. */
struct policy_area {
	const struct pz_zone *zone;
	uint32_t index; /* for pz_page_free_count() */
	enum pz_zone_type type;
	uint64_t last; /* last byte of its span */
};

struct policy {
	const struct compare_machine *m;
	enum compare_policy kind;
	struct pz_memblock mb;
	struct pz_zones z;
	struct pz_pages *pages;
	struct pz_bugs bugs;
	uint8_t owner;	/* of the movable pages */
	uint64_t limit; /* last address of ZONE_LIMITED, or of the zone that the area replaces */
	bool has_area;
	uint64_t area_asked; /* bytes of the area by the settings, 0 for its own size */
	uint32_t area_id;
	struct pz_cma_reserved area;
	uint64_t kept, min; /* pages: kept for limited requests; watermarks of all zones */
	VEC(struct policy_area) areas;
};

/* A block or run that was given. */
struct policy_block {
	uint64_t pfn, pages; /* pages: as they were taken, 0 for none */
	bool area;	     /* out of the contiguous area */
};

/*
 * Make the allocator of a policy. @widest is the widest limit of the stream's devices that does not
 * reach all memory, 0 for none. @owner's hook is asked to move pages. Returns 0, or EXIT_UNDECIDED
 * with one line in *err; policy_destroy() in both cases.
 */
int policy_make(struct policy *p, const struct compare_machine *m, enum compare_policy kind,
		const struct compare_settings *set, uint64_t widest,
		const struct pz_page_owner *owner, char **err);
void policy_destroy(struct policy *p);

/* The layout in words; to be freed. */
char *policy_layout(const struct policy *p);

/*
 * Ask for pages as the policy does. Returns 0, or -PZ_E...; *missed tells that pages were given on
 * the way which the device does not reach, *waits that only moving pages could have served it,
 * which may not wait.
 */
int policy_ask(struct policy *p, const struct stream_class *c, const struct stream_request *r,
	       struct policy_block *out, bool *missed, bool *waits);
void policy_give_back(struct policy *p, const struct policy_block *b);

/*
 * Pages that requests for single pages of a class could have now without moving any, of the
 * @below that are free within its limit.
 */
uint64_t policy_usable(const struct policy *p, const struct stream_class *c, uint64_t below);

/* The last address that a request of a class may have. */
uint64_t policy_limit(const struct policy *p, const struct stream_class *c);

#endif
