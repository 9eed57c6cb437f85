/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iterate.c - free memory, range by range, and its hand-over to the page allocator.
 *
 * Concept
 *  Memory and reservations are walked side by side. The iterator holds an index into each and the
 *  first address not yet looked at; both indices only rise.
 *
 * Invariants
 *  1. A range given lies in one memory region and meets no reservation; no range that touches it
 *     in the same region is free.
 *  2. Ranges ascend. The whole walk takes O(memory + reserved) steps.
 *  3. Hand-over gives each whole free page exactly once.
 *
 * Failure
 *  The walk cannot fail. Hand-over stops at the first emit that does, and says what it said.
 *
 * Shortcomings
 *  The iterator notices no change of the memblock under it.
 */
#include "memblock_internal.h"

#define MB_NOT_OURS (PZ_MB_NOMAP | PZ_MB_DRIVER_MANAGED)

/* Begin with the next memory region. */
static void mb_iter_enter(const struct pz_memblock *mb, struct pz_mb_iter *it)
{
	if (it->mem < mb->memory.count)
		it->cursor = mb->memory.v[it->mem].range.first;
}

bool pz_memblock_next_free(const struct pz_memblock *mb, struct pz_mb_iter *it, int nid)
{
	const struct pz_mb_array *res = &mb->reserved;

	if (!it->started) {
		it->started = true;
		mb_iter_enter(mb, it);
	}
	while (it->mem < mb->memory.count) {
		const struct pz_mb_region *m = &mb->memory.v[it->mem];
		const struct pz_mb_region *cut = NULL;
		bool free = true;

		if ((m->flags & MB_NOT_OURS) || (nid != PZ_NID_NONE && m->nid != nid)) {
			it->mem++;
			mb_iter_enter(mb, it);
			continue;
		}
		while (it->res < res->count && res->v[it->res].range.last < it->cursor)
			it->res++;
		if (it->res < res->count && res->v[it->res].range.first <= m->range.last)
			cut = &res->v[it->res];

		if (!cut || cut->range.first > it->cursor) {
			it->range.first = it->cursor;
			it->range.last = cut ? cut->range.first - 1 : m->range.last;
			it->nid = m->nid;
			it->flags = m->flags;
		} else {
			free = false;
		}
		if (cut && cut->range.last < m->range.last) {
			it->cursor = cut->range.last + 1;
		} else {
			it->mem++;
			mb_iter_enter(mb, it);
		}
		if (free)
			return true;
	}
	return false;
}

int pz_memblock_hand_over(const struct pz_memblock *mb, uint64_t max_pfn,
			  int (*emit)(void *ctx, struct pz_range pfns, int nid), void *ctx)
{
	struct pz_mb_iter it = { 0 };
	struct pz_range held = { 0, 0 };
	bool holding = false;
	int nid = PZ_NID_NONE;

	while (pz_memblock_next_free(mb, &it, PZ_NID_NONE)) {
		struct pz_range pfns;

		if (!pz_range_trim(it.range, mb->page_shift, &pfns))
			continue;
		if (pfns.first >= max_pfn)
			break;
		if (pfns.last >= max_pfn)
			pfns.last = max_pfn - 1;
		if (holding && nid == it.nid && held.last + 1 == pfns.first) {
			held.last = pfns.last;
			continue;
		}
		if (holding) {
			int err = emit(ctx, held, nid);

			if (err)
				return err;
		}
		held = pfns;
		nid = it.nid;
		holding = true;
	}
	return holding ? emit(ctx, held, nid) : 0;
}
