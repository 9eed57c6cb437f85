/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.c - where something for a device may lie, as limits that the page allocator understands.
 *
 * Concept
 *  A device wants alignment and boundary of bus addresses, the page allocator knows those of
 *  physical ones. Where the offset of a window is a multiple of both they are the same, and one
 *  request covers the window. Else the window is cut on the bus: at each multiple of the boundary,
 *  or, when the alignment is not kept either, into the aligned places one by one.
 *
 * Failure
 *  None: what has no place yields no limits.
 *
 * Shortcomings
 *  A window that is cut costs as many requests as it has pieces while memory is short. A window
 *  whose offset is no multiple of a page has no places.
 */
#include "dma_internal.h"

void pz_dma_places(struct dma_places *it, const struct pz_reach *reach, const struct dma_want *want,
		   uint64_t granule)
{
	it->reach = reach;
	it->want = *want;
	it->granule = granule;
	it->left = reach->count;
	it->top = 0;
	it->pieces = false;
}

static uint64_t place_offset(const struct pz_window *w)
{
	return w->bus - w->phys.first;
}

static uint64_t place_bus_last(const struct pz_window *w)
{
	return w->bus + (w->phys.last - w->phys.first);
}

/*
 * The highest piece of window @w whose last bus address is at most it->top, as physical bounds;
 * false when the window has no more.
 */
static bool place_piece(struct dma_places *it, const struct pz_window *w, struct pz_limits *l)
{
	const struct dma_want *k = &it->want;
	uint64_t off = place_offset(w), more = k->bytes - 1, first, last;

	while (it->pieces && it->top >= more && it->top - more >= w->bus) {
		last = it->top;
		first = last & ~(k->boundary - 1);
		it->pieces = first > w->bus;
		it->top = first - 1;
		if (first < w->bus)
			first = w->bus;
		if (last - first < more)
			continue;
		l->min_addr = first - off;
		l->max_addr = last - off;
		l->align = k->align;
		return true;
	}
	return false;
}

/* The same where no physical alignment says what is wanted: one place at a time. */
static bool place_one(struct dma_places *it, const struct pz_window *w, struct pz_limits *l)
{
	const struct dma_want *k = &it->want;
	uint64_t off = place_offset(w), more = k->bytes - 1;

	while (it->pieces && it->top >= more && it->top - more >= w->bus) {
		uint64_t first = (it->top - more) & ~(k->align - 1), last = first + more;

		it->pieces = first >= k->align;
		it->top = last - k->align;
		if (first < w->bus)
			return false;
		if (k->boundary && (first ^ last) & ~(k->boundary - 1))
			continue;
		l->min_addr = first - off;
		l->max_addr = last - off;
		l->align = it->granule;
		return true;
	}
	return false;
}

/* The next piece of the window that is being cut. */
static bool place_next(struct dma_places *it, struct pz_limits *l)
{
	const struct pz_window *w = &it->reach->v[it->left];

	return place_offset(w) & (it->want.align - 1) ? place_one(it, w, l)
						      : place_piece(it, w, l);
}

bool pz_dma_next_place(struct dma_places *it, struct pz_limits *l)
{
	const struct dma_want *k = &it->want;

	*l = PZ_LIMITS_ANY;
	if (k->boundary && k->bytes > k->boundary)
		return false;
	for (;;) {
		const struct pz_window *w;

		if (it->pieces && place_next(it, l))
			return true;
		it->pieces = false;
		if (!it->left)
			return false;
		w = &it->reach->v[--it->left];
		if (w->phys.last - w->phys.first < k->bytes - 1 ||
		    (place_offset(w) & (it->granule - 1)))
			continue;
		if (!(place_offset(w) & ((k->align - 1) | (k->boundary ? k->boundary - 1 : 0)))) {
			l->min_addr = w->phys.first;
			l->max_addr = w->phys.last;
			l->align = k->align;
			l->boundary = k->boundary;
			return true;
		}
		it->top = place_bus_last(w);
		it->pieces = true;
	}
}

void pz_dma_want(const struct pz_dma_dev *dev, uint64_t bytes, struct dma_want *want)
{
	uint64_t page = pz_dma_page_bytes(dev->dma), block;

	want->bytes = (bytes + (page - 1)) & ~(page - 1);
	if (!want->bytes || !pz_roundup_pow2(want->bytes, &block))
		block = (uint64_t)1 << 63;
	want->align = dev->cfg.align > block ? dev->cfg.align : block;
	want->boundary = dev->cfg.boundary;
	/* What begins with a page does not cross what is smaller, unless it is larger itself. */
	if (want->boundary < page && bytes <= want->boundary)
		want->boundary = 0;
	if (!want->bytes) /* rounding wrapped */
		want->bytes = UINT64_MAX & ~(page - 1);
}

bool pz_dma_same_reach(const struct pz_reach *a, const struct pz_reach *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->v[i].phys.first != b->v[i].phys.first ||
		    a->v[i].phys.last != b->v[i].phys.last || a->v[i].bus != b->v[i].bus)
			return false;
	}
	return true;
}

bool pz_dma_clip(struct pz_limits *l, struct pz_range in)
{
	if (l->min_addr < in.first)
		l->min_addr = in.first;
	if (l->max_addr > in.last)
		l->max_addr = in.last;
	return l->min_addr <= l->max_addr;
}

int pz_dma_ever_in(const struct pz_dma *dma, const struct pz_reach *reach,
		   const struct dma_want *want, struct pz_range in)
{
	struct dma_places it;
	struct pz_page_req req;

	pz_page_req_init(dma->cfg.pages, &req, 0, 0, PZ_CPU_NONE);
	req.pages = want->bytes >> dma->page_shift;
	pz_dma_places(&it, reach, want, pz_dma_page_bytes(dma));
	while (pz_dma_next_place(&it, &req.limits)) {
		if (pz_dma_clip(&req.limits, in) && !pz_page_ever(dma->cfg.pages, &req))
			return 0;
	}
	return -PZ_ERANGE;
}
