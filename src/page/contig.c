/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contig.c - owners of movable pages, and evacuation.
 *
 * Concept
 *  One byte a frame, of which the one at the head of a block counts, says who can move the block; 0
 *  is nobody. The bytes come with the first owner: what was allocated before cannot be moved.
 *
 *  To evacuate a range, its free frames are taken first, so that nobody can settle there. Then each
 *  block in it is moved: a destination of the same order is allocated, which cannot lie in the
 *  range any more, the owner's hook is asked, and after a yes the block is ours. What sticks out
 *  of the range is freed. At last all the pieces are ours, and their heads but the first are made
 *  tails: one block.
 *
 * Invariants
 *  While a range is evacuated, what is ours has the evacuation's own mark in place of an owner, one
 *  of PAGE_EVACUATIONS above the owners' numbers. No other block ever has it: whoever allocates
 *  writes the byte, and we write 0 before we let go of a frame. So an evacuation that has to stop
 *  knows what to give back, and two that overlap do not take each other's frames.
 *
 * Concurrency
 *  Between the moment at which a block was looked at and the hook's answer the block may be freed,
 *  and even be allocated again: the hook knows its own blocks, and says later when it was asked for
 *  one that it does not have, or has in another order. After no and later the frames are looked at
 *  again: what the owner has freed meanwhile is taken like any free frame. A block that is being
 *  allocated, and whose byte is still that of its former owner, is refused by that owner likewise.
 *
 * Failure
 *  What was taken is freed again; pages that were moved by then stay where they are now. A frame of
 *  what stood in the way is remembered, so that the caller can look for a range without it.
 *
 * Shortcomings
 *  Blocks whose length is no power of two cannot be moved, for a hook is told an order. With guard
 *  pages a block of two pages cannot be told from one page and its guard, and is asked for as one
 *  page. More than PAGE_EVACUATIONS at a time are refused.
 */
#include "page_internal.h"

/* How often frames are looked at again that others keep changing. */
#define CONTIG_TRIES 16
/* Ranges that are tried on behalf of a request. */
#define CONTIG_RANGES (PAGE_REFUSED + 1)

int pz_page_owner_add(struct pz_pages *p, const struct pz_page_owner *owner, uint8_t *id)
{
	uint32_t n;
	int rc = 0;

	if (!owner->name || !owner->migrate)
		return -PZ_EINVAL;
	pz_page_lock(p);
	n = pz_load32(&p->owner_count);
	if (n == PZ_PAGE_OWNERS)
		rc = -PZ_ENOSPC;
	if (!rc && !p->owner) {
		uint8_t *v = pz_page_zeroed(p, p->frames);

		if (v)
			__atomic_store_n(&p->owner, v, __ATOMIC_RELEASE);
		else
			rc = -PZ_ENOMEM;
	}
	if (!rc) {
		p->owners[n + 1] = *owner;
		pz_store32(&p->owner_count, n + 1);
		*id = (uint8_t)(n + 1);
	}
	pz_page_unlock(p);
	return rc;
}

int pz_page_set_owner(struct pz_pages *p, uint64_t pfn, uint8_t owner)
{
	uint64_t index = page_index(p, pfn);

	if (index == PAGE_NONE || owner > pz_peek32(&p->owner_count) ||
	    !pz_page_managed(p, index, index) || !pz_page_block_length(p, index))
		return -PZ_EINVAL;
	if (p->owner)
		pz_poke8(&p->owner[index], owner);
	return 0;
}

static void contig_free(struct pz_pages *p, uint64_t index, uint64_t n)
{
	if (pz_page_free_block(p, index, n))
		pz_page_account(p, PZ_CPU_NONE, index, index + n - 1, 1);
}

static bool contig_ours(const struct pz_pages *p, const struct page_evac *e, uint64_t at)
{
	unsigned int level;

	return pz_page_probe(p, at, &level) == WORD_HEAD &&
	       !(at & (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) &&
	       pz_peek8(&p->owner[at]) == e->mark;
}

/* An allocated block that has become ours: keep what lies in the range, free the rest. */
static void contig_claim(struct pz_pages *p, const struct page_evac *e, uint64_t head, uint64_t n)
{
	const struct pz_page_hooks *h = &p->cfg.hooks;
	uint64_t lo = head > e->lo ? head : e->lo, last = head + n - 1;
	uint64_t hi = last < e->hi ? last : e->hi;

	/* For debugging it is a free block now: nobody may use what was in it. */
	if ((p->cfg.debug & PZ_PAGE_DEBUG_POISON) && h->fill)
		h->fill(h->ctx, page_to_pfn(p, head), n, PAGE_POISON);
	if ((p->cfg.debug & PZ_PAGE_DEBUG_GUARD) && h->map)
		h->map(h->ctx, page_to_pfn(p, head), n, false);
	pz_poke8(&p->owner[head], 0);
	if (hi < last) {
		pz_poke8(&p->owner[hi + 1], 0);
		(void)pz_page_cut(p, hi + 1);
		contig_free(p, hi + 1, last - hi);
	}
	pz_poke8(&p->owner[lo], e->mark);
	if (head < lo) {
		(void)pz_page_cut(p, lo);
		contig_free(p, head, lo - head);
	}
}

/* A destination for a block, outside the range. What turns up inside is kept as part of it. */
static int contig_destination(struct pz_pages *p, const struct page_evac *e,
			      const struct page_item *it, unsigned int order, uint64_t *to)
{
	const struct page_seg *seg = pz_page_seg_of(p, it->lo);
	struct pz_page_req req;

	pz_page_req_init(p, &req, order, PZ_GFP_MOVABLE | PZ_GFP_OWNER(it->owner), PZ_CPU_NONE);
	if (seg)
		req.nid = p->area[seg->area].nid;
	for (;;) {
		uint64_t index, n;

		if (pz_page_request_quiet(p, &req, to))
			return -PZ_ENOMEM;
		index = page_index(p, *to);
		n = pz_page_block_length(p, index);
		if (index > e->hi || index + n <= e->lo)
			return 0;
		contig_claim(p, e, index, n);
	}
}

static bool contig_same(const struct pz_pages *p, const struct page_item *it)
{
	return pz_page_block_length(p, it->lo) == it->hi - it->lo + 1 &&
	       pz_peek8(&p->owner[it->lo]) == it->owner;
}

/* Move a block. 0 when it is ours, an error, or 1 when it is not what it was: look again. */
static int contig_move(struct pz_pages *p, struct page_evac *e, const struct page_item *it)
{
	const struct pz_page_owner *o = &p->owners[it->owner];
	uint64_t n = it->hi - it->lo + 1, to;
	unsigned int order = n == 2 && page_guard(p, 1) ? 0 : pz_fls64(n);
	int rc;

	e->refused = it->lo > e->lo ? it->lo : e->lo;
	if (pz_fault_hit(p->cfg.faults, p->fault_migrate))
		return -PZ_EBUSY;
	rc = contig_destination(p, e, it, order, &to);
	if (rc)
		return rc;
	if (contig_same(p, it) &&
	    o->migrate(o->ctx, page_to_pfn(p, it->lo), to, order) == PZ_MIGRATE_YES) {
		e->moved += (uint64_t)1 << order;
		/* An owner that freed the block as well has broken its promise. */
		if (pz_page_block_length(p, it->lo) != n)
			return 1;
		contig_claim(p, e, it->lo, n);
		return 0;
	}
	pz_free_exact(p, PZ_CPU_NONE, to, (uint64_t)1 << order);
	return contig_same(p, it) ? -PZ_EBUSY : 1;
}

/* Take what is free at an index. Returns frames; 0 when others were quicker. */
static uint64_t contig_take(struct pz_pages *p, const struct page_evac *e, uint64_t at)
{
	uint64_t last = pz_page_free_up(p, at, e->hi, PAGE_GFP_ANY), n;

	if (last < at || last > e->hi)
		return 0;
	n = pz_page_run_piece(p, at, last - at + 1, true);
	if (n) {
		pz_poke8(&p->owner[at], e->mark);
		pz_page_account(p, PZ_CPU_NONE, at, at + n - 1, UINT64_MAX);
	}
	return n;
}

/* Make what is at an index ours. Before @move, blocks are passed over. */
static int contig_step(struct pz_pages *p, struct page_evac *e, bool move, uint64_t *at)
{
	struct page_item it;
	uint64_t n;
	int rc;

	e->refused = *at;
	for (unsigned int tries = 0; tries < CONTIG_TRIES; tries++) {
		pz_page_item(p, *at, &it);
		switch (it.what) {
		case PAGE_WHAT_HELD:
			(void)pz_page_drain(p, PZ_CPU_NONE);
			break;
		case PAGE_WHAT_FREE:
			if (pz_fault_hit(p->cfg.faults, p->fault_piece))
				return -PZ_EBUSY;
			n = contig_take(p, e, *at);
			*at += n;
			if (n)
				return 0;
			break;
		case PAGE_WHAT_MOVABLE:
			rc = move ? contig_move(p, e, &it) : 0;
			if (rc < 0)
				return rc;
			if (!rc) {
				*at = it.hi + 1;
				return 0;
			}
			break;
		default:
			if (!contig_ours(p, e, *at))
				return -PZ_EBUSY;
			*at = it.hi + 1;
			return 0;
		}
	}
	return -PZ_EBUSY;
}

/* Give back what is ours. */
static void contig_undo(struct pz_pages *p, const struct page_evac *e)
{
	for (uint64_t at = e->lo; at <= e->hi;) {
		struct page_item it;

		pz_page_item(p, at, &it);
		if (contig_ours(p, e, at)) {
			uint64_t n = pz_page_block_length(p, at);

			pz_poke8(&p->owner[at], 0);
			contig_free(p, at, n);
		}
		at = it.hi + 1;
	}
}

/*
 * Words of a level that lie in the range behind its first frame: the unit above becomes a tail
 * and the word is closed, for no open word may have tails alone.
 */
static void contig_pull(struct pz_pages *p, const struct page_evac *e, unsigned int l)
{
	uint64_t size = (uint64_t)1 << (WORD_SHIFT * (l + 1)), at = (e->lo + size) & ~(size - 1);

	while (at <= e->hi && e->hi - at >= size - 1) {
		uint64_t *w = page_word(p, l + 1, at >> (WORD_SHIFT * (l + 2))), v;
		unsigned int unit = (unsigned int)(at >> (WORD_SHIFT * (l + 1))) & 31, level;

		(void)pz_page_probe(p, at, &level);
		if (level > l) {
			at = (at | (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) + 1;
			continue;
		}
		do {
			v = pz_load64(w);
		} while (
			!pz_cas64(w, v, (v & ~((uint64_t)1 << (32 + unit))) | (uint64_t)1 << unit));
		pz_store64(page_word(p, l, at >> (WORD_SHIFT * (l + 1))), WORD_CLOSED);
		/* Freed as a whole, no free of a part would clear what rules it out now. */
		pz_page_hint_freed(p, at, WORD_SHIFT * (l + 1));
		at += size;
	}
}

/* All of the range is ours: make it one block. */
static void contig_join(struct pz_pages *p, const struct page_evac *e)
{
	uint64_t n;

	for (uint64_t at = e->lo; at <= e->hi; at += n) {
		n = pz_page_block_length(p, at);
		pz_poke8(&p->owner[at], 0);
	}
	for (unsigned int l = 0; l + 1 < p->level_count; l++)
		contig_pull(p, e, l);
	for (uint64_t at = e->lo; at <= e->hi; at += n) {
		unsigned int level, unit;
		uint64_t *w, v;

		n = pz_page_block_length(p, at);
		(void)pz_page_probe(p, at, &level);
		unit = (unsigned int)(at >> (WORD_SHIFT * level)) & 31;
		w = page_word(p, level, at >> (WORD_SHIFT * (level + 1)));
		do {
			v = pz_load64(w);
		} while (at != e->lo && !pz_cas64(w, v, v & ~((uint64_t)1 << (32 + unit))));
	}
}

/* Before anything is moved: is something fixed, and is there room elsewhere? */
static int contig_possible(const struct pz_pages *p, struct page_evac *e)
{
	uint64_t movable = 0, inside = 0, free = pz_page_free_count(p, UINT32_MAX);
	struct page_item it;

	for (uint64_t at = e->lo; at <= e->hi; at = it.hi + 1) {
		pz_page_item(p, at, &it);
		if (it.what == PAGE_WHAT_FIXED) {
			e->refused = at;
			return -PZ_EBUSY;
		}
		if (it.what == PAGE_WHAT_MOVABLE)
			movable += it.hi - it.lo + 1;
		else
			inside += (it.hi < e->hi ? it.hi : e->hi) - at + 1;
	}
	return free <= INT64_MAX && movable > free - (inside < free ? inside : free) ? -PZ_ENOMEM
										     : 0;
}

static int contig_run(struct pz_pages *p, struct page_evac *e)
{
	uint64_t at;
	int rc = contig_possible(p, e);

	if (rc)
		return rc;
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (at = e->lo; at <= e->hi;) {
			rc = contig_step(p, e, pass, &at);
			if (rc) {
				contig_undo(p, e);
				return rc;
			}
		}
	}
	contig_join(p, e);
	return 0;
}

/* Make a managed range one allocated block. Its pages are counted as taken. */
int pz_page_evacuate(struct pz_pages *p, struct page_evac *e)
{
	uint64_t n = e->hi - e->lo + 1;
	uint32_t all = ((uint32_t)1 << PAGE_EVACUATIONS) - 1, old, bit;
	int rc;

	e->moved = 0;
	e->refused = PAGE_NONE;
	if (p->hold)
		(void)pz_page_drain(p, PZ_CPU_NONE);
	if (!p->owner) {
		/* Nothing can be moved. */
		if (!pz_page_run_take_at(p, e->lo, n))
			return -PZ_EBUSY;
		pz_page_account(p, PZ_CPU_NONE, e->lo, e->hi, UINT64_MAX);
		return 0;
	}
	do {
		old = pz_load32(&p->evacuating);
		if (old == all)
			return -PZ_EBUSY;
		bit = ~old & (old + 1);
	} while (!pz_cas32(&p->evacuating, old, old | bit));
	e->mark = (uint8_t)(PZ_PAGE_OWNERS + 1 + pz_ctz32(bit));
	rc = contig_run(p, e);
	pz_and32(&p->evacuating, ~bit);
	return rc;
}

/* What an evacuated range is given before its new owner has it. */
void pz_page_evacuated(struct pz_pages *p, const struct page_evac *e, bool guard)
{
	struct pz_page_req req;
	struct page_ask a;

	pz_page_req_init(p, &req, 0, 0, PZ_CPU_NONE);
	req.pages = e->hi - e->lo + 1;
	memset(&a, 0, sizeof(a));
	a.req = &req;
	pz_page_prepare(p, &a, e->lo, guard);
}

int pz_evacuate(struct pz_pages *p, uint32_t cpu, struct pz_range pfns)
{
	struct page_evac e;
	uint64_t guard;
	int rc;

	(void)cpu;
	if (!pz_range_valid(pfns))
		return -PZ_EINVAL;
	e.lo = page_index(p, pfns.first);
	e.hi = page_index(p, pfns.last);
	if (e.lo == PAGE_NONE || e.hi == PAGE_NONE || e.hi - e.lo != pfns.last - pfns.first)
		return -PZ_EINVAL;
	guard = page_guard(p, e.hi - e.lo + 1);
	e.hi += guard;
	if (!pz_page_managed(p, e.lo, e.hi))
		return -PZ_EINVAL;
	rc = pz_page_evacuate(p, &e);
	if (!rc)
		pz_page_evacuated(p, &e, guard);
	return rc;
}

/* A pageblock of which a request has half or more becomes its own. */
static void contig_types(struct pz_pages *p, const struct page_ask *a, uint64_t lo, uint64_t hi)
{
	uint64_t size = (uint64_t)1 << p->pageblock_order;

	if (p->type_default == PZ_UNMOVABLE)
		return;
	for (uint64_t at = lo & ~(size - 1); at <= hi; at += size) {
		uint64_t first = at < lo ? lo : at, last = at + size - 1;
		unsigned int type = page_type(p, at);

		if (last > hi)
			last = hi;
		if (last - first + 1 >= size / 2 && type <= PZ_RECLAIMABLE && type != a->type)
			pz_page_set_type(p, at, p->pageblock_order, a->type);
	}
}

/*
 * A request found no free run: move pages out of the way. 0 with the index of one allocated block,
 * whose pages are still counted as free; -PZ_EBUSY when owners refused; -PZ_ENOMEM. Should a
 * migrate hook get here, against its contract, PAGE_EVACUATIONS bounds the depth.
 */
int pz_page_evacuate_for(struct pz_pages *p, const struct page_ask *a, uint64_t *index)
{
	const struct pz_page_req *req = a->req;
	struct page_scan s = { .ask = a, .limits = &req->limits, .n = req->pages };
	enum page_mark mark = req->gfp & PZ_GFP_MEMALLOC ? PAGE_MARK_NONE : PAGE_MARK_MIN;
	int rc = -PZ_ENOMEM;

	if (!p->owner || !(req->gfp & PZ_GFP_BLOCK) || (req->gfp & PZ_GFP_NOMIGRATE))
		return rc;
	/* Moving makes no page free: do not look at all of memory when there are too few. */
	if (pz_page_free_count(p, UINT32_MAX) < req->pages)
		return rc;
	/* However many are moved, there are as many free pages fewer as were asked for. */
	if (!a->zonelist && !pz_page_mark_ok(p, a, UINT32_MAX, mark))
		return rc;
	s.lo = a->lo > a->keep ? a->lo : a->keep;
	s.hi = a->hi;
	for (unsigned int tries = 0; tries < CONTIG_RANGES; tries++) {
		struct page_evac e;

		if (s.lo > s.hi || !pz_page_cheapest(p, &s, &e.lo))
			return rc;
		e.hi = e.lo + s.n - 1;
		rc = pz_page_evacuate(p, &e);
		if (!rc) {
			/* The caller counts them. */
			pz_page_account(p, PZ_CPU_NONE, e.lo, e.hi, 1);
			contig_types(p, a, e.lo, e.hi);
			*index = e.lo;
			return 0;
		}
		if (e.refused == PAGE_NONE || s.refusals == PAGE_REFUSED)
			return rc;
		s.refused[s.refusals++] = e.refused;
	}
	return rc;
}
