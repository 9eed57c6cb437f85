/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cma.c - contiguous areas: memory that is lent to movable pages until somebody needs it in a row.
 *
 * Concept
 *  An area is reserved while memory is memblock's, so that no other page gets in. When the
 *  allocator takes it over, its pageblocks are typed PZ_CMA before their frames become free: from
 *  the first moment on none but movable pages are put there. Taking pages out is evacuating the
 *  cheapest range, then, when owners refuse, each range that is left, from the top down.
 *
 * Account
 *  A bit for each page of the area says that pz_cma_alloc() gave it out. An allocated page without
 *  an owner and without the bit was lent and is pinned now.
 *
 * Which address, not which zone
 *  Nothing here depends on the zone that an area lies in but that it is one zone, for the counts.
 *  Whether a page is directly mapped is a question of its address.
 *
 * Shortcomings
 *  A contiguous user who frees with pz_free_exact() instead of pz_cma_release() leaves the bits
 *  set; pages that are pinned there later then count as taken.
 */
#include "page_internal.h"

/* Cheapest ranges that are tried before all others in order. */
#define CMA_CHEAPEST PAGE_REFUSED

static void cma_name(char *to, const char *from)
{
	uint32_t n = 0;

	memset(to, 0, PZ_CMA_NAME);
	while (from && from[n] && n < PZ_CMA_NAME - 1) {
		to[n] = from[n];
		n++;
	}
}

/* Whether a range is memory throughout, and none of it reserved. */
static int cma_place_free(const struct pz_memblock *mb, struct pz_range r)
{
	struct pz_mb_iter it;
	uint64_t at = r.first;

	memset(&it, 0, sizeof(it));
	while (pz_memblock_next_free(mb, &it, PZ_NID_NONE)) {
		if (it.range.last < at)
			continue;
		if (it.range.first > at)
			return -PZ_EBUSY;
		if (it.range.last >= r.last)
			return 0;
		at = it.range.last + 1;
	}
	return -PZ_EBUSY;
}

/* The highest place in [lo, end), or the lowest. */
static int cma_find(struct pz_memblock *mb, uint64_t size, uint64_t align, uint64_t lo,
		    uint64_t end, int32_t nid, bool up, struct pz_range *out)
{
	struct pz_mb_req req = pz_mb_req(size, align);
	bool bottom_up = mb->bottom_up;
	int rc;

	if (end < size || end - size < lo)
		return -PZ_ENOMEM;
	req.min_addr = lo;
	req.max_addr = end - 1;
	req.nid = nid;
	req.exact_nid = nid != PZ_NID_NONE;
	req.retry_low = false;
	mb->bottom_up = up || bottom_up;
	rc = pz_memblock_find(mb, &req, out);
	mb->bottom_up = bottom_up;
	return rc;
}

static int cma_place(struct pz_memblock *mb, const struct pz_cma_req *req, uint64_t size,
		     uint64_t base, uint64_t limit, uint64_t align, struct pz_range *out)
{
	uint64_t high = 0, four = (uint64_t)1 << 32;
	int rc = -PZ_ENOMEM;

	/* Where low memory ends; whole pageblocks on either side. */
	if (req->highmem && !pz_round_up(req->highmem, align, &high))
		high = 0;
	if (req->bottom_up_4g) {
		uint64_t lo = four > base ? four : base;

		rc = cma_find(mb, size, align, lo > high ? lo : high, limit, req->nid, true, out);
	}
	if (rc && high > base && high < limit)
		rc = cma_find(mb, size, align, high, limit, req->nid, false, out);
	if (rc && req->highmem > base && req->highmem < limit)
		limit = req->highmem;
	return rc ? cma_find(mb, size, align, base, limit, req->nid, false, out) : 0;
}

int pz_cma_reserve(struct pz_memblock *mb, const struct pz_cma_req *req, uint64_t pageblock_bytes,
		   struct pz_cma_reserved *out)
{
	uint64_t align = pageblock_bytes, base, size, limit, end;
	bool fixed = req->fixed && req->base;
	struct pz_range r;
	int rc;

	if (!req->size || !pz_is_pow2(align) || align >> mb->page_shift == 0 ||
	    (fixed && (req->base & (align - 1))) || !pz_round_up(req->size, align, &size) ||
	    !pz_round_up(req->base, align, &base))
		return -PZ_EINVAL;
	end = pz_memblock_last(mb);
	end = end == UINT64_MAX ? end : end + 1;
	limit = req->limit ? pz_round_down(req->limit, align) : end;
	if (limit > end)
		limit = end;
	if (base > UINT64_MAX - size || base + size > limit)
		return -PZ_EINVAL;
	if (fixed) {
		if (base < req->highmem && base + size > req->highmem)
			return -PZ_EINVAL;
		r.first = base;
		r.last = base + size - 1;
		rc = cma_place_free(mb, r);
	} else {
		rc = cma_place(mb, req, size, base, limit, align, &r);
		if (rc == -PZ_ERANGE)
			rc = -PZ_ENOMEM;
	}
	if (rc)
		return rc;
	if (pz_memblock_reserve(mb, r.first, size, PZ_NID_NONE, 0) == -PZ_ENOMEM)
		return -PZ_ENOSPC;
	cma_name(out->name, req->name);
	out->range = r;
	return 0;
}

void pz_page_cma_destroy(struct pz_pages *p)
{
	for (uint32_t i = 0; i < p->cma_count; i++)
		p->cfg.meta->free(p->cfg.meta->ctx, p->cma[i], (size_t)p->cma[i]->bytes);
	p->cma_count = 0;
}

static void cma_types(struct pz_pages *p, uint64_t lo, uint64_t hi, unsigned int type)
{
	uint64_t size = (uint64_t)1 << p->pageblock_order;

	for (uint64_t at = lo; at <= hi; at += size)
		pz_page_set_type(p, at, p->pageblock_order, type);
}

/* Under the lock. The area counts as one before its first frame is free, for the account. */
static int cma_publish(struct pz_pages *p, struct page_cma *c, uint32_t *id)
{
	uint32_t n = pz_load32(&p->cma_count);
	int rc;

	if (n == PZ_CMA_AREAS)
		return -PZ_ENOSPC;
	for (uint32_t i = 0; i < p->managed_count; i++) {
		if (p->managed[i].first <= c->hi && p->managed[i].last >= c->lo)
			return -PZ_EEXIST;
	}
	p->cma[n] = c;
	pz_poke32(&p->special, 1);
	cma_types(p, c->lo, c->hi, PZ_CMA);
	pz_store32(&p->cma_count, n + 1);
	pz_add32(&p->serial, 1);
	rc = pz_page_give(p, c->lo, c->hi);
	if (rc) {
		pz_store32(&p->cma_count, n);
		cma_types(p, c->lo, c->hi, p->type_default);
		return rc;
	}
	*id = n;
	return 0;
}

int pz_cma_activate(struct pz_pages *p, const struct pz_cma_reserved *area, uint32_t *id)
{
	uint64_t mask = ((uint64_t)1 << (p->pageblock_order + p->page_shift)) - 1, lo, hi, bytes;
	struct pz_range pfns;
	struct page_cma *c;
	int rc;

	if (!pz_range_valid(area->range) || (area->range.first & mask) ||
	    (area->range.last & mask) != mask)
		return -PZ_EINVAL;
	pfns.first = area->range.first >> p->page_shift;
	pfns.last = area->range.last >> p->page_shift;
	if (!pz_page_givable(p, pfns, &lo, &hi) || pz_page_seg_of(p, lo) != pz_page_seg_of(p, hi))
		return -PZ_EINVAL;
	bytes = sizeof(*c) + ((hi - lo) / 32 + 1) * sizeof(c->taken[0]);
	c = bytes > SIZE_MAX ? NULL : p->cfg.meta->alloc(p->cfg.meta->ctx, (size_t)bytes);
	if (!c)
		return -PZ_ENOMEM;
	memset(c, 0, (size_t)bytes);
	c->bytes = bytes;
	c->lo = lo;
	c->hi = hi;
	cma_name(c->name, area->name);
	pz_page_lock(p);
	rc = cma_publish(p, c, id);
	pz_page_unlock(p);
	if (rc)
		p->cfg.meta->free(p->cfg.meta->ctx, c, (size_t)bytes);
	return rc;
}

static struct page_cma *cma_of(const struct pz_pages *p, uint32_t id)
{
	return id < pz_load32(&p->cma_count) ? p->cma[id] : NULL;
}

static bool cma_bit(const struct page_cma *c, uint64_t index)
{
	return pz_load32(&c->taken[(index - c->lo) >> 5]) >> ((index - c->lo) & 31) & 1;
}

static void cma_mark(struct page_cma *c, uint64_t lo, uint64_t hi, bool taken)
{
	for (uint64_t i = lo - c->lo; i <= hi - c->lo;) {
		unsigned int unit = (unsigned int)i & 31;
		uint64_t left = hi - c->lo - i + 1;
		unsigned int n = left < 32 - unit ? (unsigned int)left : 32 - unit;
		uint32_t m = word_mask(unit, n);

		if (taken)
			pz_or32(&c->taken[i >> 5], m);
		else
			pz_and32(&c->taken[i >> 5], ~m);
		i += n;
	}
}

/* Whether nobody but pinned pages is in the way: some range has no page that was given out. */
static bool cma_pinned(const struct pz_pages *p, const struct page_cma *c,
		       const struct pz_limits *l, uint64_t pages)
{
	uint64_t first = c->lo;
	bool pinned = false;

	for (uint64_t at = c->lo; at <= c->hi;) {
		struct page_item it;
		struct pz_range r, fit;
		bool taken;

		pz_page_item(p, at, &it);
		if (it.hi > c->hi)
			it.hi = c->hi;
		taken = it.what == PAGE_WHAT_FIXED && cma_bit(c, at);
		if (taken) {
			first = it.hi + 1;
			pinned = false;
		} else {
			pinned |= it.what == PAGE_WHAT_FIXED;
			r.first = page_to_pfn(p, first) << p->page_shift;
			r.last = ((page_to_pfn(p, it.hi) + 1) << p->page_shift) - 1;
			if (pinned && !pz_limits_last_fit(l, r, pages << p->page_shift, &fit))
				return true;
		}
		at = it.hi + 1;
	}
	return false;
}

/* Evacuate some range for the search: the cheapest, then the others from the top down. */
static int cma_take(struct pz_pages *p, struct page_cma *c, struct page_scan *s,
		    struct page_evac *e)
{
	int rc = -PZ_ENOMEM;

	for (;;) {
		if (s->hi < s->lo || s->hi - s->lo + 1 < s->n || !pz_page_cheapest(p, s, &e->lo)) {
			if (!s->any && !s->refusals)
				return cma_pinned(p, c, s->limits, s->n) ? -PZ_EBUSY : rc;
			if (s->any || rc != -PZ_EBUSY)
				return rc;
			/* What was refused may be moved now; all that is left is tried once. */
			s->any = true;
			s->refusals = 0;
			continue;
		}
		e->hi = e->lo + s->n - 1;
		rc = pz_page_evacuate(p, e);
		pz_count64(&c->moved, e->moved);
		if (!rc || e->refused == PAGE_NONE || (s->any && rc != -PZ_EBUSY))
			return rc;
		if (s->any) {
			/* All ranges that are left and do not have this frame lie below it. */
			if (e->refused <= s->lo)
				return rc;
			s->hi = e->refused - 1;
		} else if (s->refusals < CMA_CHEAPEST) {
			s->refused[s->refusals++] = e->refused;
		} else {
			s->any = true;
			s->refusals = 0;
		}
	}
}

int pz_cma_alloc(struct pz_pages *p, uint32_t cpu, uint32_t id, uint64_t pages,
		 unsigned int align_order, const struct pz_limits *limits, uint64_t *pfn)
{
	struct page_cma *c = cma_of(p, id);
	struct pz_limits l = pz_limits_any(), in = pz_limits_any();
	struct page_scan s = { .limits = &in };
	struct pz_range r, fit;
	struct page_evac e;
	uint64_t guard;
	int rc;

	(void)cpu;
	if (!c)
		return -PZ_ENOENT;
	if (!pages || align_order >= 64 - p->page_shift || (limits && !pz_limits_valid(limits)))
		return -PZ_EINVAL;
	guard = page_guard(p, pages);
	l.align = (uint64_t)1 << (align_order + p->page_shift);
	l.min_addr = r.first = page_to_pfn(p, c->lo) << p->page_shift;
	l.max_addr = r.last = ((page_to_pfn(p, c->hi) + 1) << p->page_shift) - 1;
	if (pages > c->hi - c->lo + 1 - guard || pz_limits_narrow(&l, limits ? limits : &in, &in) ||
	    pz_limits_last_fit(&in, r, (pages + guard) << p->page_shift, &fit) ||
	    !pz_page_window(p, in.min_addr, in.max_addr, &s.lo, &s.hi))
		return -PZ_ERANGE;
	s.n = pages + guard;
	rc = cma_take(p, c, &s, &e);
	if (rc) {
		pz_count64(&c->fails, 1);
		return rc;
	}
	cma_mark(c, e.lo, e.hi, true);
	pz_count64(&c->allocs, 1);
	pz_page_evacuated(p, &e, guard);
	*pfn = page_to_pfn(p, e.lo);
	return 0;
}

bool pz_cma_release(struct pz_pages *p, uint32_t cpu, uint32_t id, uint64_t pfn, uint64_t pages)
{
	struct page_cma *c = cma_of(p, id);
	uint64_t index = page_index(p, pfn), n;

	if (!c || index == PAGE_NONE || index < c->lo || index > c->hi || !pages ||
	    pages > c->hi - index + 1)
		return false;
	n = pages + page_guard(p, pages);
	if (pz_page_block_length(p, index) == n && !cma_bit(c, index)) {
		/* A block of that length, but lent: it is not the caller's to give back. */
		pz_page_misuse(p, __func__, pfn, pages);
		return true;
	}
	/* Before the pages are free, for they may be lent to somebody at once. */
	if (pz_page_block_length(p, index) == n)
		cma_mark(c, index, index + n - 1, false);
	pz_free_exact(p, cpu, pfn, pages);
	return true;
}

/* An item of the account, cut to the area. Returns the frames of it that are not taken. */
static uint64_t cma_count(const struct pz_pages *p, const struct page_cma *c,
			  const struct page_item *it, struct pz_cma_stat *out)
{
	uint64_t n = it->hi - it->lo + 1;

	if (it->what == PAGE_WHAT_FREE || it->what == PAGE_WHAT_HELD) {
		out->free += n;
		return n;
	}
	if (it->owner <= pz_load32(&p->owner_count) && (it->owner || !cma_bit(c, it->lo))) {
		out->lent += n;
		out->by_owner[it->owner] += n;
		return n;
	}
	out->taken += n;
	return 0;
}

int pz_cma_stat(const struct pz_pages *p, uint32_t id, struct pz_cma_stat *out)
{
	const struct page_cma *c = cma_of(p, id);
	uint64_t run = 0;

	memset(out, 0, sizeof(*out));
	if (!c)
		return -PZ_ENOENT;
	memcpy(out->name, c->name, sizeof(out->name));
	out->pfns.first = page_to_pfn(p, c->lo);
	out->pfns.last = page_to_pfn(p, c->hi);
	for (uint64_t at = c->lo; at <= c->hi;) {
		struct page_item it;
		uint64_t n;

		pz_page_item(p, at, &it);
		it.lo = at;
		if (it.hi > c->hi)
			it.hi = c->hi;
		n = cma_count(p, c, &it, out);
		run = n ? run + n : 0;
		if (run > out->largest)
			out->largest = run;
		at = it.hi + 1;
	}
	out->allocs = pz_load64(&c->allocs);
	out->alloc_fails = pz_load64(&c->fails);
	out->moved = pz_load64(&c->moved);
	return 0;
}
