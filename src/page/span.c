/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span.c - where a frame is: its index, its area, and whether it is managed.
 *
 * Concept
 *  Indices leave out holes of PAGE_SPAN_GAP frames and more, so that the tree is as large as memory
 *  and not as the address space. Segments say which area (zone of a node) the frames between two
 *  indices belong to; a hole belongs to the segment around it. The managed ranges are what was
 *  ever given to the allocator: they answer "never" without a search.
 *
 * Concurrency
 *  Spans and segments never change. The managed ranges change under the lock; readers repeat what
 *  they read when `managed_seq` was odd or has moved. An array that was outgrown stays until the
 *  allocator is destroyed, for a reader may still be in it.
 */
#include "page_internal.h"

uint64_t pz_page_to_pfn_slow(const struct pz_pages *p, uint64_t index)
{
	uint32_t i = p->span_count - 1;

	while (i && p->span[i].index > index)
		i--;
	return p->span[i].first_pfn + (index - p->span[i].index);
}

/* The first span that ends at or after a page frame number, or the count. */
static uint32_t span_find(const struct pz_pages *p, uint64_t pfn)
{
	uint32_t lo = 0, hi = p->span_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->span[mid].last_pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint64_t pz_page_index_slow(const struct pz_pages *p, uint64_t pfn)
{
	uint32_t i = span_find(p, pfn);

	if (i == p->span_count || pfn < p->span[i].first_pfn)
		return PAGE_NONE;
	return p->span[i].index + (pfn - p->span[i].first_pfn);
}

bool pz_page_window(const struct pz_pages *p, uint64_t min_addr, uint64_t max_addr, uint64_t *lo,
		    uint64_t *hi)
{
	uint64_t mask = ((uint64_t)1 << p->page_shift) - 1;
	uint64_t first = min_addr >> p->page_shift, last = max_addr >> p->page_shift;
	uint32_t i, j;

	if (min_addr & mask)
		first++;
	if ((max_addr & mask) != mask) {
		if (!last)
			return false;
		last--;
	}
	if (first > last)
		return false;
	i = span_find(p, first);
	if (i == p->span_count || last < p->span[i].first_pfn)
		return false;
	*lo = p->span[i].index;
	if (first > p->span[i].first_pfn)
		*lo += first - p->span[i].first_pfn;
	j = span_find(p, last);
	if (j == p->span_count || last < p->span[j].first_pfn)
		*hi = p->span[j - 1].index + (p->span[j - 1].last_pfn - p->span[j - 1].first_pfn);
	else
		*hi = p->span[j].index + (last - p->span[j].first_pfn);
	return true;
}

const struct page_seg *pz_page_seg_of(const struct pz_pages *p, uint64_t index)
{
	uint32_t lo = 0, hi = p->seg_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->seg[mid].hi < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->seg_count && p->seg[lo].lo <= index ? &p->seg[lo] : NULL;
}

void pz_page_lock(struct pz_pages *p)
{
	while (!pz_cas32(&p->lock, 0, 1))
		;
}

void pz_page_unlock(struct pz_pages *p)
{
	pz_store32(&p->lock, 0);
}

/* First managed range that ends at or after an index. */
static uint32_t span_managed_find(const struct pz_range *v, uint32_t n, uint64_t index)
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v[mid].last < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool span_is_managed(const struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	uint32_t i = span_managed_find(p->managed, p->managed_count, lo);

	return i < p->managed_count && p->managed[i].first <= lo && hi <= p->managed[i].last;
}

bool pz_page_managed(const struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	for (unsigned int tries = 0;; tries++) {
		uint32_t seq = pz_load32(&p->managed_seq);
		bool yes = span_is_managed(p, lo, hi);

		/* An interrupt handler may sit on top of the writer: it takes what it read. */
		if ((!(seq & 1) && pz_load32(&p->managed_seq) == seq) || tries == 64)
			return yes;
	}
}

/* The first managed range that ends at or after an index. */
bool pz_page_managed_next(const struct pz_pages *p, uint64_t at, struct pz_range *out)
{
	for (unsigned int tries = 0;; tries++) {
		uint32_t seq = pz_load32(&p->managed_seq);
		uint32_t i = span_managed_find(p->managed, p->managed_count, at);
		bool yes = i < p->managed_count;

		if (yes)
			*out = p->managed[i];
		if ((!(seq & 1) && pz_load32(&p->managed_seq) == seq) || tries == 64)
			return yes;
	}
}

/* Whether a run of the request's length fits into [lo, hi], all of it free. */
static bool span_fits(const struct pz_pages *p, const struct pz_page_req *req, uint64_t lo,
		      uint64_t hi)
{
	uint64_t size = req->pages << p->page_shift;
	struct pz_range r, at;

	if (size >> p->page_shift != req->pages || hi - lo + 1 < req->pages)
		return false;
	r.first = page_to_pfn(p, lo) << p->page_shift;
	r.last = ((page_to_pfn(p, hi) + 1) << p->page_shift) - 1;
	return !pz_limits_first_fit(&req->limits, r, size, &at);
}

static bool span_fits_managed(const struct pz_pages *p, const struct pz_page_req *req, uint64_t lo,
			      uint64_t hi)
{
	for (uint32_t i = span_managed_find(p->managed, p->managed_count, lo);
	     i < p->managed_count && p->managed[i].first <= hi; i++) {
		uint64_t a = p->managed[i].first, b = p->managed[i].last;

		if (span_fits(p, req, a > lo ? a : lo, b < hi ? b : hi))
			return true;
	}
	return false;
}

static bool span_could(const struct pz_pages *p, const struct page_ask *a)
{
	if (a->node == UINT32_MAX && a->highest >= PZ_ZONE_TYPES)
		return span_fits_managed(p, a->req, a->lo, a->hi);
	for (uint32_t i = 0; i < p->seg_count; i++) {
		const struct page_seg *s = &p->seg[i];
		uint64_t lo = s->lo, hi;

		if (!pz_page_seg_asked(p, a, s))
			continue;
		/* A run may go on from one zone of the node to the next, but not in a zonelist. */
		while (a->highest >= PZ_ZONE_TYPES && i + 1 < p->seg_count &&
		       pz_page_seg_asked(p, a, &p->seg[i + 1]))
			s = &p->seg[++i];
		hi = s->hi;
		if (lo <= a->hi && hi >= a->lo &&
		    span_fits_managed(p, a->req, lo > a->lo ? lo : a->lo, hi < a->hi ? hi : a->hi))
			return true;
	}
	return false;
}

/* Whether some managed run could hold the request if all of it were free. */
bool pz_page_could_ever(const struct pz_pages *p, const struct page_ask *a)
{
	for (unsigned int tries = 0;; tries++) {
		uint32_t seq = pz_load32(&p->managed_seq);
		bool yes = span_could(p, a);

		if ((!(seq & 1) && pz_load32(&p->managed_seq) == seq) || tries == 64)
			return yes;
	}
}

/* Note a range as managed; none of it is. Under the lock. Room for one more range is there. */
static void span_managed_insert(struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	uint32_t i = span_managed_find(p->managed, p->managed_count, lo);
	struct pz_range *v = p->managed;
	bool before = i && v[i - 1].last + 1 == lo;
	bool after = i < p->managed_count && hi + 1 == v[i].first;

	if (before && after) {
		v[i - 1].last = v[i].last;
		p->managed_count--;
		memmove(&v[i], &v[i + 1], (p->managed_count - i) * sizeof(*v));
	} else if (before) {
		v[i - 1].last = hi;
	} else if (after) {
		v[i].first = lo;
	} else {
		memmove(&v[i + 1], &v[i], (p->managed_count - i) * sizeof(*v));
		v[i].first = lo;
		v[i].last = hi;
		p->managed_count++;
	}
}

/* Under the lock. 0, -PZ_EEXIST or -PZ_ENOMEM. */
int pz_page_managed_add(struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	uint32_t i = span_managed_find(p->managed, p->managed_count, lo);

	if (i < p->managed_count && p->managed[i].first <= hi)
		return -PZ_EEXIST;
	if (p->managed_count == p->managed_cap) {
		uint32_t cap = p->managed_cap ? p->managed_cap * 2 : 64;
		struct page_outgrown *o;
		struct pz_range *v;

		/* The list of outgrown arrays stands in front of each array. */
		o = p->cfg.meta->alloc(p->cfg.meta->ctx, sizeof(*o) + cap * sizeof(*v));
		if (!o)
			return -PZ_ENOMEM;
		o->next = p->outgrown;
		o->size = sizeof(*o) + cap * sizeof(*v);
		v = (struct pz_range *)(void *)(o + 1);
		if (p->managed_count)
			memcpy(v, p->managed, p->managed_count * sizeof(*v));
		p->outgrown = o;
		pz_add32(&p->managed_seq, 1);
		p->managed = v;
		p->managed_cap = cap;
		pz_add32(&p->managed_seq, 1);
	}
	pz_add32(&p->managed_seq, 1);
	span_managed_insert(p, lo, hi);
	pz_add32(&p->managed_seq, 1);
	return 0;
}

static void span_count(struct pz_pages *p, uint32_t area, uint64_t n)
{
	pz_count64(&p->area[area].free, n);
	pz_count64(&p->free_all, n);
}

void pz_page_flush(struct pz_pages *p, struct page_tally *t)
{
	uint64_t n = t->delta >> 31 ? t->delta | 0xffffffff00000000ull : t->delta;

	if (n)
		span_count(p, t->area, n);
	pz_poke32(&t->delta, 0);
}

/* Count the frames of [lo, hi] that lie in CMA pageblocks, @sign being 1 or its complement. */
static void span_account_cma(struct pz_pages *p, uint64_t lo, uint64_t hi, uint64_t sign)
{
	while (lo <= hi) {
		uint64_t last = lo | (WORD_UNITS - 1);
		const struct page_seg *s = pz_page_seg_of(p, lo);

		if (last > hi)
			last = hi;
		if (s && page_type(p, lo) == PZ_CMA)
			pz_count64(&p->area[s->area].free_cma, sign * (last - lo + 1));
		lo = last + 1;
	}
}

/* The tally of a segment's area. The CPU is busy. */
static struct page_tally *span_tally(struct pz_pages *p, struct page_cpu *c,
				     const struct page_seg *s)
{
	struct page_tally *t = &c->tally[s->area % PAGE_TALLIES];

	if (t->area != s->area) {
		pz_page_flush(p, t);
		c->quick.serial = p->serial - 1;
	}
	pz_poke32(&t->area, s->area);
	t->lo = s->lo;
	t->hi = s->hi;
	return t;
}

/* Let a CPU's tally be of the area that has a frame. The CPU is busy. */
void pz_page_tally_place(struct pz_pages *p, struct page_cpu *c, uint64_t index)
{
	const struct page_seg *s = pz_page_seg_of(p, index);

	if (s)
		(void)span_tally(p, c, s);
}

/*
 * Frames became free, or (@sign is UINT64_MAX) were taken. @cpu owns its own count: the caller has
 * marked it busy, or passes PZ_CPU_NONE.
 */
void pz_page_account(struct pz_pages *p, uint32_t cpu, uint64_t lo, uint64_t hi, uint64_t sign)
{
	struct page_cpu *c = cpu == PZ_CPU_NONE ? NULL : &p->cpu[cpu];

	if (pz_peek32(&p->cma_count))
		span_account_cma(p, lo, hi, sign);
	while (lo <= hi) {
		const struct page_seg *s = pz_page_seg_of(p, lo);
		uint64_t last;

		if (!s)
			return;
		last = hi < s->hi ? hi : s->hi;
		if (!c || last - lo >= p->delta)
			span_count(p, s->area, sign * (last - lo + 1));
		else
			page_tally(p, span_tally(p, c, s), (uint32_t)(sign * (last - lo + 1)));
		lo = last + 1;
	}
}

uint64_t pz_page_free_count(const struct pz_pages *p, uint32_t area)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < p->area_count; i++) {
		if (area == UINT32_MAX || area == i)
			n += pz_load64(&p->area[i].free);
	}
	for (uint32_t i = 0; i < p->cpus * PAGE_TALLIES; i++) {
		const struct page_tally *t = &p->cpu[i / PAGE_TALLIES].tally[i % PAGE_TALLIES];
		uint32_t d = pz_peek32(&t->delta);

		if (area == UINT32_MAX || area == pz_peek32(&t->area))
			n += d >> 31 ? d | 0xffffffff00000000ull : d;
	}
	return n;
}
