/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search.c - where an early request is served: fallbacks, both directions, "not now" and "never".
 *
 * Concept
 *  A request is turned into plain questions: the lowest or the highest place in memory minus
 *  reservations, within bounds, on one node or any, mirrored or any. Each is one walk over both
 *  arrays side by side, up or down. The fallbacks ask a list of questions, each wider than the one
 *  before, so the last is the widest: asked again as if nothing were reserved, it tells a request
 *  that cannot be served now from one that never can.
 *
 * Invariants
 *  1. A place lies in one memory region that may be given, and meets no reservation.
 *  2. Bottom-up no lower place answers the same question, top-down no higher one.
 *  3. pz_memblock_find() changes nothing; pz_memblock_alloc() changes `reserved` only.
 *
 * Failure
 *  -PZ_ENOMEM and -PZ_ERANGE as said above; on any error the state is unchanged.
 *
 * Shortcomings
 *  A place never spans two memory regions, even if they touch and both are free: Linux has it so,
 *  and its placements are to be matched. Up to nine walks for one request that fails.
 */
#include "memblock_internal.h"

struct mb_question {
	struct pz_limits limits;
	uint64_t size;
	int nid;
	bool mirror;
};

static bool mb_may_give(const struct pz_memblock *mb, const struct pz_mb_region *r,
			const struct mb_question *q)
{
	if (r->flags & (PZ_MB_NOMAP | PZ_MB_DRIVER_MANAGED))
		return false;
	if (mb->skip_hotplug && (r->flags & PZ_MB_HOTPLUG))
		return false;
	if (q->mirror && !(r->flags & PZ_MB_MIRROR))
		return false;
	return q->nid == PZ_NID_NONE || r->nid == q->nid;
}

static bool mb_lowest(const struct pz_memblock *mb, const struct mb_question *q,
		      const struct pz_mb_array *taken, struct pz_range *out)
{
	const struct pz_range bounds = { q->limits.min_addr, q->limits.max_addr };
	uint32_t t = pz_mb_lower(taken, bounds.first);

	for (uint32_t i = pz_mb_lower(&mb->memory, bounds.first); i < mb->memory.count; i++) {
		struct pz_range left;

		if (!pz_range_intersect(mb->memory.v[i].range, bounds, &left))
			break;
		if (!mb_may_give(mb, &mb->memory.v[i], q))
			continue;
		while (t < taken->count && taken->v[t].range.last < left.first)
			t++;
		for (;; t++) {
			bool cut = t < taken->count && taken->v[t].range.first <= left.last;

			if (!cut || taken->v[t].range.first > left.first) {
				struct pz_range r = left;

				if (cut)
					r.last = taken->v[t].range.first - 1;
				if (!pz_limits_first_fit(&q->limits, r, q->size, out))
					return true;
			}
			if (!cut || taken->v[t].range.last >= left.last)
				break;
			left.first = taken->v[t].range.last + 1;
		}
	}
	return false;
}

static bool mb_highest(const struct pz_memblock *mb, const struct mb_question *q,
		       const struct pz_mb_array *taken, struct pz_range *out)
{
	const struct pz_range bounds = { q->limits.min_addr, q->limits.max_addr };
	uint32_t t = pz_mb_lower(taken, bounds.last);
	uint32_t i = pz_mb_lower(&mb->memory, bounds.last);

	/* Both count down and name the region after the one meant. */
	if (t < taken->count)
		t++;
	if (i < mb->memory.count)
		i++;
	for (; i > 0; i--) {
		struct pz_range left;

		if (!pz_range_intersect(mb->memory.v[i - 1].range, bounds, &left)) {
			if (mb->memory.v[i - 1].range.last < bounds.first)
				break;
			continue;
		}
		if (!mb_may_give(mb, &mb->memory.v[i - 1], q))
			continue;
		while (t > 0 && taken->v[t - 1].range.first > left.last)
			t--;
		for (;; t--) {
			bool cut = t > 0 && taken->v[t - 1].range.last >= left.first;

			if (!cut || taken->v[t - 1].range.last < left.last) {
				struct pz_range r = left;

				if (cut)
					r.first = taken->v[t - 1].range.last + 1;
				if (!pz_limits_last_fit(&q->limits, r, q->size, out))
					return true;
			}
			if (!cut || taken->v[t - 1].range.first <= left.first)
				break;
			left.last = taken->v[t - 1].range.first - 1;
		}
	}
	return false;
}

/* The place that answers one question; with `ever`, as if nothing were reserved. */
static bool mb_answer(const struct pz_memblock *mb, const struct mb_question *q, bool ever,
		      struct pz_range *out)
{
	static const struct pz_mb_array nothing;
	const struct pz_mb_array *taken = ever ? &nothing : &mb->reserved;

	if (q->limits.min_addr > q->limits.max_addr)
		return false;
	return mb->bottom_up ? mb_lowest(mb, q, taken, out) : mb_highest(mb, q, taken, out);
}

/* Ask for the wanted node, then for any unless the node is exact; mirrored first if so wanted. */
static bool mb_ask(const struct pz_memblock *mb, const struct pz_mb_req *req, struct mb_question *q,
		   struct pz_range *out)
{
	q->mirror = req->mirror;
	for (;;) {
		q->nid = req->nid;
		if (mb_answer(mb, q, false, out))
			return true;
		if (req->nid != PZ_NID_NONE && !req->exact_nid) {
			q->nid = PZ_NID_NONE;
			if (mb_answer(mb, q, false, out))
				return true;
		}
		if (!q->mirror)
			return false;
		q->mirror = false;
	}
}

int pz_memblock_find(const struct pz_memblock *mb, const struct pz_mb_req *req,
		     struct pz_range *out)
{
	const uint64_t page = (uint64_t)1 << mb->page_shift;
	struct mb_question q;
	struct pz_range ever;

	if (!req->size || !req->align || (req->align & (req->align - 1)))
		return -PZ_EINVAL;
	q.limits = pz_limits_any();
	q.limits.align = req->align;
	q.limits.min_addr = req->min_addr > page ? req->min_addr : page;
	q.limits.max_addr = req->max_addr == PZ_ADDR_MAX ? mb->current_limit : req->max_addr;
	q.size = req->size;

	if (mb_ask(mb, req, &q, out))
		return 0;
	if (req->retry_low && q.limits.min_addr > page) {
		q.limits.min_addr = page;
		if (mb_ask(mb, req, &q, out))
			return 0;
	}
	/* q is now the widest question. */
	return mb_answer(mb, &q, true, &ever) ? -PZ_ENOMEM : -PZ_ERANGE;
}

int pz_memblock_alloc(struct pz_memblock *mb, const struct pz_mb_req *req, struct pz_range *out)
{
	struct pz_range r;
	int err = pz_memblock_find(mb, req, &r);

	if (!err)
		err = pz_mb_insert(mb->meta, &mb->reserved, r, PZ_NID_NONE, 0);
	if (!err)
		*out = r;
	return err;
}
