/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast.c - the short way: from a CPU's own hints, with one exchange.
 *
 * Concept
 *  A CPU remembers, by address class and mobility, the blocks of orders 0 to 4 that it freed last,
 *  so that a hole is filled by what fits it, and for each order a word where it last took or freed
 *  a block. A limit selects the class, and the frame found must lie in the window; nothing else
 *  depends on the limit. The frames are not the CPU's: somebody else may have taken them, and then
 *  the exchange fails and the request goes the long way.
 *
 * Concurrency
 *  Only the CPU itself touches its hints, between page_enter() and page_leave().
 */
#include "page_internal.h"

/* Whether limits are a mere window for single pages, so that the window is all there is to them. */
static inline bool fast_plain(const struct pz_pages *p, const struct pz_limits *l)
{
	return !l->boundary && !l->flags && l->align && l->align <= (uint64_t)1 << p->page_shift &&
	       !(l->align & (l->align - 1));
}

/* Whether a limit is one that the short way understands, and its window then. */
static bool fast_window(const struct pz_pages *p, const struct pz_limits *l, unsigned int order,
			uint64_t *lo, uint64_t *hi)
{
	uint64_t size = (uint64_t)1 << (order + p->page_shift), page = size >> order;

	if (!l->align || (l->align & (l->align - 1)) || l->align > size || l->flags)
		return false;
	if (l->boundary && ((l->boundary & (l->boundary - 1)) || l->boundary < size))
		return false;
	if (l->min_addr > l->max_addr || l->min_addr > UINT64_MAX - page)
		return false;
	if (p->span_count == 1) {
		uint64_t first = (l->min_addr + page - 1) >> p->page_shift;
		uint64_t last = l->max_addr >> p->page_shift;

		if ((l->max_addr & (page - 1)) != page - 1) {
			if (!last)
				return false;
			last--;
		}
		if (last < p->base_pfn)
			return false;
		*hi = last - p->base_pfn;
		*lo = first > p->base_pfn ? first - p->base_pfn : 0;
		if (*hi >= p->frames)
			*hi = p->frames - 1;
		return *lo <= *hi;
	}
	return pz_page_window(p, l->min_addr, l->max_addr, lo, hi);
}

/* An exchange that fails says that another CPU is at the same word: look further away from now on.
 */
static bool fast_crowded(struct page_cpu *c)
{
	pz_poke32(&c->crowd, c->crowd + 1);
	return false;
}

/* Whether a block of order 0 to 4 that is free is a part of a larger one. */
static inline bool fast_larger(const struct pz_pages *p, uint64_t index, unsigned int order)
{
	uint32_t f = word_free(pz_load64(page_word(p, 0, index >> WORD_SHIFT)));

	return word_run_more(f, (unsigned int)index & 31, order);
}

/* Take a block of order 0 to 4, if it is free. */
static inline bool fast_block(struct pz_pages *p, struct page_cpu *c, uint64_t index,
			      unsigned int order)
{
	uint64_t *w = page_word(p, 0, index >> WORD_SHIFT), v = pz_load64(w);
	uint32_t m = word_mask((unsigned int)index & 31, 1u << order);

	return (word_free(v) & m) == m &&
	       (pz_cas64(w, v, v | m | (uint64_t)1 << (32 + (index & 31))) || fast_crowded(c));
}

/* Units of a word, as wide as 2^shift frames each, that lie in a window. */
static uint32_t fast_units(uint64_t i, unsigned int shift, uint64_t lo, uint64_t hi)
{
	uint64_t size = (uint64_t)1 << shift, first = i << (shift + WORD_SHIFT), a, b;

	if (lo > first + (size << WORD_SHIFT) - 1 || hi < first)
		return 0;
	a = lo > first ? (lo - first + size - 1) >> shift : 0;
	b = hi - first + 1 < size << WORD_SHIFT ? (hi - first + 1) >> shift : WORD_UNITS;
	return a < b ? word_mask((unsigned int)a, (unsigned int)(b - a)) : 0;
}

/* Take a block out of the word that holds @at. */
static inline bool fast_word(struct pz_pages *p, struct page_cpu *c, unsigned int order,
			     uint64_t at, uint64_t lo, uint64_t hi, uint64_t *index)
{
	unsigned int level = page_level_of(order), shift = WORD_SHIFT * (level + 1), r, u;
	uint64_t i = at >> shift, *w, v;
	uint32_t f;

	/* Above level 0 a word has several pageblocks: some may not be for everybody. */
	if (level && pz_peek32(&p->special))
		return false;
	r = order - WORD_SHIFT * level;
	w = page_word(p, level, i);
	v = pz_load64(w);
	f = word_free(v);
	if (i << shift < lo || ((i + 1) << shift) - 1 > hi)
		f &= fast_units(i, shift - WORD_SHIFT, lo, hi);
	if (!word_runs(f, r))
		return false;
	u = word_place(f, r, false);
	*index = (i << WORD_SHIFT | u) << (WORD_SHIFT * level);
	return pz_cas64(w, v, v | word_mask(u, 1u << r) | (uint64_t)1 << (32 + u)) ||
	       fast_crowded(c);
}

/* Which areas' watermarks were looked at: none, those of all together, or else that of one. */
#define FAST_EASY (UINT32_MAX - 1)
#define FAST_ANY UINT32_MAX

/* Whether more is free than any watermark asks for. */
static inline bool fast_easy(const struct pz_pages *p, const struct page_area *a)
{
	return (int64_t)pz_load64(&a->free) > a->easy &&
	       (int64_t)pz_load64(&p->free_all) > p->easy_all;
}

/*
 * The CPU's hints for a request, and the window of it that they may be used for. NULL when the
 * short way is not for it: a limit of several parts; or, unless @area says that the watermark of
 * one or of all has been looked at, an area that is close to it.
 */
static inline struct page_slot *fast_slot(struct pz_pages *p, struct page_cpu *c, uint32_t gfp,
					  unsigned int order, const struct pz_limits *limits,
					  uint32_t area, uint64_t *lo, uint64_t *hi,
					  unsigned int *at)
{
	uint64_t keep = gfp & (PZ_GFP_NOKEEP | PZ_GFP_MEMALLOC) ? 0 : p->keep_now;
	unsigned int class = PAGE_CLASSES - 1, type = gfp & 3, least;
	const struct page_area *a;
	struct page_slot *s;

	type &= p->type_mask;
	if (type >= PAGE_TYPES)
		return NULL;
	if (!limits) {
		*lo = c->home_lo > keep ? c->home_lo : keep;
		*hi = c->home_hi;
	} else {
		struct page_window *w = &c->window;

		if (p->policy != PZ_POLICY_REACH)
			return NULL;
		/* The window of the limits that this CPU used last is known. */
		if (limits->max_addr != w->max_addr || limits->min_addr != w->min_addr ||
		    !fast_plain(p, limits)) {
			if (!fast_window(p, limits, order, &w->lo, &w->hi)) {
				w->max_addr = w->min_addr = 0;
				w->lo = 1;
				w->hi = 0;
				return NULL;
			}
			w->min_addr = limits->min_addr;
			w->max_addr = limits->max_addr;
			w->class = w->hi < c->home_hi ? page_class(p, page_to_pfn(p, w->hi))
						      : PAGE_CLASSES - 1;
		}
		*lo = w->lo;
		*hi = w->hi;
		class = w->class;
		if (*hi >= p->frames - 1 && *lo < keep)
			*lo = keep;
	}
	/*
	 * The class that had memory last; or, of single frames freed since, the highest from it on.
	 * What lies below has been left alone so far, and stays so.
	 */
	least = c->cur[class][type][order];
	if (order < WORD_SHIFT) {
		uint32_t m = c->stacked[type][order] & ((2u << class) - 1) & ~((1u << least) - 1);

		for (; m; m &= ~(1u << pz_fls32(m))) {
			s = &c->slot[pz_fls32(m)][type];
			if (!page_stacked(&c->stack[pz_fls32(m)][type][order]))
				c->stacked[type][order] &= ~(1u << pz_fls32(m));
			else if (area == FAST_EASY || area == FAST_ANY || s->area == area)
				break;
		}
		if (m)
			least = pz_fls32(m);
	}
	*at = least;
	s = &c->slot[least][type];
	if (*lo < s->lo)
		*lo = s->lo;
	if (*hi > s->hi)
		*hi = s->hi;
	if (*lo > *hi)
		return NULL;
	a = &p->area[s->area];
	/* Pageblocks may be of any mobility there; and without grouping hints do not tell it. */
	if (!(gfp & PZ_GFP_MOVABLE) &&
	    (a->type == PZ_ZONE_MOVABLE || (!p->type_mask && pz_peek32(&p->special))))
		return NULL;
	if (area == FAST_EASY)
		return (gfp & PZ_GFP_MEMALLOC) || fast_easy(p, a) ? s : NULL;
	return area == FAST_ANY || area == s->area ? s : NULL;
}

/*
 * Let the same request for a single page be served the quick way from now on, while nothing has
 * changed since @serial was read, which was before anything else.
 */
static void fast_learn(struct pz_pages *p, struct page_cpu *c, uint32_t gfp,
		       const struct pz_limits *limits, unsigned int class, uint64_t lo, uint64_t hi,
		       uint32_t serial)
{
	struct page_quick *q = &c->quick;

	/* Pages of contiguous areas are counted apart. */
	if ((limits && !fast_plain(p, limits)) || pz_peek32(&p->cma_count))
		return;
	q->gfp = gfp;
	q->limited = limits;
	q->min_addr = limits ? limits->min_addr : 0;
	q->max_addr = limits ? limits->max_addr : PZ_ADDR_MAX;
	q->lo = lo;
	q->span = hi - lo;
	q->class = class;
	q->type = gfp & 3 & p->type_mask;
	q->slot = &c->slot[class][q->type];
	q->stack = c->stack[class][q->type];
	q->tally = &c->tally[q->slot->area % PAGE_TALLIES];
	if (q->tally->area != q->slot->area)
		pz_page_tally_place(p, c, q->slot->lo);
	q->serial = serial;
	/* Only one of the two counts matters under a policy. */
	q->free = p->policy == PZ_POLICY_REACH ? &p->free_all : &p->area[q->slot->area].free;
	q->easy = p->policy == PZ_POLICY_REACH ? p->easy_all : p->area[q->slot->area].easy;
	if (gfp & PZ_GFP_MEMALLOC)
		q->easy = INT64_MIN;
	for (unsigned int b = 0; b < 3; b++)
		q->flip[b] = (q->type ^ p->type_default) >> b & 1 ? ~(uint32_t)0 : 0;
}

/*
 * From the root, a block of a class of addresses and a mobility: what the long way would do first,
 * without its questions.
 */
static bool fast_tree(struct pz_pages *p, const struct page_cpu *c, unsigned int order,
		      unsigned int class, unsigned int type, uint64_t lo, uint64_t hi,
		      uint64_t *index)
{
	struct page_want w = { .lo = lo, .hi = hi, .order = (uint8_t)order };
	uint64_t pfn = page_to_pfn(p, hi), first = 0;
	unsigned int shift = PAGE_CLASS_BITS - p->page_shift;

	if (p->policy != PZ_POLICY_REACH || pz_peek32(&p->cma_count) || order > shift ||
	    page_class(p, pfn) != class)
		return false;
	if (class)
		first = (uint64_t)1 << (shift + class - 1);
	if (pfn - first < hi - lo)
		w.lo = hi - (pfn - first);
	w.kind = (uint8_t)(order < p->pageblock_order ? type : PAGE_K_ANY);
	w.spread = page_spread(c);
	return pz_page_tree_take(p, &w, index);
}

static bool fast_take(struct pz_pages *p, struct page_cpu *c, uint32_t gfp, unsigned int order,
		      const struct pz_limits *limits, uint32_t area, uint64_t *index)
{
	unsigned int class, type = gfp & 3 & p->type_mask;
	uint32_t serial = pz_load32(&p->serial);
	uint64_t lo, hi;
	struct page_slot *s = fast_slot(p, c, gfp, order, limits, area, &lo, &hi, &class);

	if (!s)
		return false;
	/* Where another CPU was met there is nothing to go back to. */
	if (c->crowd != c->crowd_seen) {
		pz_page_slot_drop(p, c, class, type);
		s->at[order] = PAGE_NONE;
		/* With room to spare the long way goes elsewhere: see alloc_met(). */
		if (order >= p->pageblock_order)
			pz_poke32(&c->crowd_seen, c->crowd);
		return false;
	}
	/* What came the long way may need more than a frame: watermarks, zeroes. */
	if (!order && area == FAST_EASY)
		fast_learn(p, c, gfp, limits, class, lo, hi, serial);
	if (order < WORD_SHIFT) {
		struct page_stack *k = &c->stack[class][type][order];

		while (page_stacked(k)) {
			*index = page_stack_top(k);
			if (*index < lo || *index + ((uint64_t)1 << order) - 1 > hi)
				break;
			k->top--;
			/* Rather a hole that fits, while there is a choice: larger ones last. */
			if (!(page_stacked(k) && fast_larger(p, *index, order)) &&
			    fast_block(p, c, *index, order))
				return true;
			if (!order)
				(void)pz_page_announce(p, *index);
		}
	}
	if (s->at[order] != PAGE_NONE) {
		if (fast_word(p, c, order, s->at[order], lo, hi, index))
			return true;
		/* The word is used up: on in its neighbourhood, without the way from the root. */
		if (order < WORD_SHIFT && s->at[order] - lo <= hi - lo &&
		    pz_page_near(p, s->at[order], order, type, lo, hi, index)) {
			s->at[order] = *index;
			return true;
		}
	}
	s->at[order] = PAGE_NONE;
	/* What was used up above may be free again: only the long way looks there. */
	if (hi < c->home_hi && !(limits && hi == c->window.hi))
		return false;
	if (!fast_tree(p, c, order, class, type, lo, hi, index))
		return false;
	s->at[order] = *index;
	return true;
}

/* The same single page request again: the last frame that was freed. The CPU is busy. */
static inline bool fast_again(struct pz_pages *p, struct page_cpu *c, uint32_t gfp,
			      const struct pz_limits *limits, uint64_t *index)
{
	struct page_quick *q = &c->quick;
	struct page_stack *s;
	uint64_t v, *w, bits;

	if (q->gfp != gfp || q->serial != p->serial)
		return false;
	s = q->stack;
	if (!page_stacked(s))
		return false;
	if (limits ? limits->max_addr != q->max_addr || limits->min_addr != q->min_addr ||
			     !fast_plain(p, limits)
		   : q->limited)
		return false;
	*index = page_stack_top(s);
	if (*index - q->lo > q->span || (int64_t)pz_load64(q->free) <= q->easy)
		return false;
	s->top--;
	w = &p->words[*index >> WORD_SHIFT];
	v = pz_load64(w);
	bits = 0x100000001ull << (*index & 31);
	if (v & bits)
		return false;
	if (!pz_cas64(w, v, v | bits)) {
		(void)pz_page_announce(p, *index);
		return fast_crowded(c);
	}
	page_tally(p, q->tally, UINT32_MAX);
	return true;
}

/*
 * The short way once more, for a request that did not have it because little is free, and has met
 * its watermark: what the CPU freed last is still the nearest to take. The watermark is that of an
 * area, or (UINT32_MAX) of all.
 */
bool pz_page_recent(struct pz_pages *p, const struct page_ask *a, uint32_t area, uint64_t *index)
{
	const struct pz_page_req *req = a->req;
	const struct pz_limits *l = &req->limits;
	struct page_cpu *c = a->cpu == PZ_CPU_NONE ? NULL : &p->cpu[a->cpu];
	bool got;

	if (!c || p->slow || !a->block || a->order > PZ_PAGE_MAX_ORDER ||
	    (req->gfp & (PZ_GFP_THISNODE | PZ_GFP_MEMALLOC)) || req->nid != PZ_NID_NONE ||
	    fast_easy(p, &p->area[area < p->area_count ? area : 0]) || pz_peek32(&c->busy))
		return false;
	page_enter(c);
	got = fast_take(p, c, req->gfp, a->order,
			l->min_addr || l->max_addr != PZ_ADDR_MAX || l->boundary ? l : NULL, area,
			index);
	page_leave(c);
	return got;
}

/* The area and the segment that a slot's hints lie in; hints of another are dropped. */
void pz_page_slot_place(struct pz_pages *p, struct page_cpu *c, unsigned int class,
			unsigned int type, uint64_t index)
{
	struct page_slot *s = &c->slot[class][type];
	const struct page_seg *seg;

	if (index >= s->lo && index <= s->hi)
		return;
	seg = pz_page_seg_of(p, index);
	if (!seg)
		return;
	c->quick.serial = p->serial - 1;
	s->lo = seg->lo;
	s->hi = seg->hi;
	s->area = seg->area;
	pz_page_slot_drop(p, c, class, type);
	for (unsigned int o = 0; o < PZ_PAGE_ORDERS; o++)
		s->at[o] = PAGE_NONE;
}

/* Many single frames of the word that a CPU is at, with one exchange. */
uint32_t pz_page_take_more(struct pz_pages *p, uint32_t cpu, uint32_t gfp,
			   const struct pz_limits *limits, uint32_t n, uint64_t *pfns)
{
	struct page_cpu *c = cpu < p->cpus ? &p->cpu[cpu] : NULL;
	unsigned int class;
	uint64_t lo, hi, i, v, *w;
	struct page_slot *s;
	uint32_t got = 0, m;

	if (p->slow || !c || pz_peek32(&c->busy) ||
	    (gfp & (PZ_GFP_ZERO | PZ_GFP_THISNODE | ~(uint32_t)PZ_GFP_ALL)))
		return 0;
	page_enter(c);
	s = fast_slot(p, c, gfp, 0, limits, FAST_EASY, &lo, &hi, &class);
	if (!s || s->at[0] == PAGE_NONE)
		goto out;
	i = s->at[0] >> WORD_SHIFT;
	if (i << WORD_SHIFT < lo || (i << WORD_SHIFT | 31) > hi)
		goto out;
	w = page_word(p, 0, i);
	v = pz_load64(w);
	m = word_free(v);
	while (pz_popcount32(m) > n)
		m &= m - 1;
	if (!m || !pz_cas64(w, v, v | m | (uint64_t)m << 32))
		goto out;
	for (; m; m &= m - 1) {
		uint64_t index = i << WORD_SHIFT | pz_ctz32(m);

		pz_page_account(p, cpu, index, index, UINT64_MAX);
		if (p->owner)
			pz_poke8(&p->owner[index], 0);
		pfns[got++] = page_to_pfn(p, index);
	}
out:
	page_leave(c);
	return got;
}

/* Whether what lies beside a frame may be had by the same requests of a mobility. */
static bool fast_alike(const struct pz_pages *p, uint64_t index, unsigned int type)
{
	unsigned int here = page_type(p, index);

	return here == type || (here == PZ_CMA && type == PZ_MOVABLE);
}

/* Count a block that was taken, and remember where it was for the next request like it. */
void pz_page_taken(struct pz_pages *p, const struct page_ask *a, uint64_t index)
{
	struct page_cpu *c = a->cpu == PZ_CPU_NONE ? NULL : &p->cpu[a->cpu];
	uint64_t last = index + a->req->pages - 1;
	unsigned int class, from;

	if (c && pz_peek32(&c->busy))
		c = NULL;
	if (!c) {
		pz_page_account(p, PZ_CPU_NONE, index, last, UINT64_MAX);
	} else {
		page_enter(c);
		pz_page_account(p, a->cpu, index, last, UINT64_MAX);
		if (a->block && !a->recent && a->order <= PZ_PAGE_MAX_ORDER &&
		    index >= c->home_lo && last <= c->home_hi) {
			class = a->hi >= c->home_hi ? PAGE_CLASSES - 1
						    : page_class(p, page_to_pfn(p, a->hi));
			from = page_class(p, page_to_pfn(p, index));
			c->cur[class][a->type][a->order] = (uint8_t)from;
			pz_page_slot_place(p, c, from, a->type, index);
			if (a->order >= p->pageblock_order || fast_alike(p, index, a->type))
				c->slot[from][a->type].at[a->order] = index;
		}
		page_leave(c);
	}
	if (a->zonelist && a->order && a->block)
		pz_page_reserve_highatomic(p, a, index);
}

/* The short way of a request, with all that belongs to it. */
static bool fast_alloc(struct pz_pages *p, uint32_t cpu, uint32_t gfp, unsigned int order,
		       const struct pz_limits *limits, uint64_t *index)
{
	struct page_cpu *c;
	bool got;

	if (cpu >= p->cpus || p->slow || order > PZ_PAGE_MAX_ORDER ||
	    (gfp & (PZ_GFP_ZERO | PZ_GFP_THISNODE | ~(PZ_GFP_ALL | 0xff000000u))))
		return false;
	c = &p->cpu[cpu];
	if (pz_peek32(&c->busy) || (PZ_GFP_OWNER_OF(gfp) && !(gfp & PZ_GFP_MOVABLE)) ||
	    PZ_GFP_OWNER_OF(gfp) > pz_peek32(&p->owner_count))
		return false;
	page_enter(c);
	got = fast_take(p, c, gfp, order, limits, FAST_EASY, index);
	if (got)
		page_account_fast(p, c, *index, order, UINT64_MAX);
	page_leave(c);
	return got;
}

/* What the short way found is the caller's. */
static inline int fast_give(struct pz_pages *p, uint32_t gfp, uint64_t index, uint64_t *pfn)
{
	if (p->owner)
		pz_poke8(&p->owner[index], (uint8_t)PZ_GFP_OWNER_OF(gfp));
	*pfn = page_to_pfn(p, index);
	return 0;
}

/* The short way for a request with everything that it may say, if it says nothing unusual. */
bool pz_page_short(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn)
{
	const struct pz_limits *l = &req->limits;
	uint64_t n = req->pages, index;

	/* An aligned block is as good as any run of its length. */
	if (!n || (n & (n - 1)) || req->nid != PZ_NID_NONE || req->highest != PZ_ZONE_TYPES ||
	    l->flags || l->align > n << p->page_shift)
		return false;
	if (!l->min_addr && l->max_addr == PZ_ADDR_MAX && !l->boundary && l->align &&
	    !(l->align & (l->align - 1)))
		l = NULL;
	if (!fast_alloc(p, req->cpu, req->gfp, pz_fls64(n), l, &index))
		return false;
	return !fast_give(p, req->gfp, index, pfn);
}

int pz_alloc_pages(struct pz_pages *p, uint32_t cpu, uint32_t gfp, unsigned int order,
		   const struct pz_limits *limits, uint64_t *pfn)
{
	struct pz_page_req req;
	uint64_t index;

	if (!order && cpu < p->cpus && !pz_peek32(&p->cpu[cpu].busy)) {
		struct page_cpu *c = &p->cpu[cpu];
		bool got;

		page_enter(c);
		got = fast_again(p, c, gfp, limits, &index);
		page_leave(c);
		if (got)
			return fast_give(p, gfp, index, pfn);
	}
	if (fast_alloc(p, cpu, gfp, order, limits, &index))
		return fast_give(p, gfp, index, pfn);
	if (order > PZ_PAGE_MAX_ORDER)
		return -PZ_EINVAL;
	pz_page_req_init(p, &req, order, gfp, cpu);
	if (limits) {
		if (!pz_limits_valid(limits))
			return -PZ_EINVAL;
		if (limits->align > req.limits.align)
			req.limits.align = limits->align;
		req.limits.min_addr = limits->min_addr;
		req.limits.max_addr = limits->max_addr;
		req.limits.boundary = limits->boundary;
	}
	return pz_page_request_long(p, &req, pfn);
}

int pz_alloc_pages_exact(struct pz_pages *p, uint32_t cpu, uint32_t gfp, uint64_t bytes,
			 const struct pz_limits *limits, uint64_t *pfn)
{
	struct pz_page_req req;

	if (!bytes)
		return -PZ_EINVAL;
	pz_page_req_init(p, &req, 0, gfp, cpu);
	req.pages = ((bytes - 1) >> p->page_shift) + 1;
	req.limits.align = 1;
	if (limits)
		req.limits = *limits;
	return pz_page_request(p, &req, pfn);
}

uint32_t pz_alloc_bulk(struct pz_pages *p, uint32_t cpu, uint32_t gfp,
		       const struct pz_limits *limits, uint32_t n, uint64_t *pfns)
{
	uint32_t done = 0;

	while (done < n) {
		uint32_t got = pz_page_take_more(p, cpu, gfp, limits, n - done, pfns + done);

		done += got;
		if (got)
			continue;
		if (pz_alloc_pages(p, cpu, done ? gfp & ~PZ_GFP_BLOCK : gfp, 0, limits,
				   &pfns[done]))
			break;
		done++;
	}
	return done;
}
