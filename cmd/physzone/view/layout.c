/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.c - see layout.h.
 *
 * Concept: every start and end of a piece or a zone cuts the address space, so that a zone begins
 * and ends exactly where its first and last segments do. A segment's width is its share of the
 * bar, but never below a least width, so that one page of reserved memory stays visible beside
 * 64 TiB; what that takes, the large segments give. Holes and firmware ranges that are large beside
 * the memory are squeezed to a fixed width and said to be so. Widths are found by fixing the
 * segments whose share is too small, and sharing the rest again.
 *
 * Invariants: 1. segments ascend, and touch; 2. their widths add up to the cells; 3. each is at
 * least one cell wide; 4. zones of one lane do not overlap on the bar.
 *
 * Shortcomings: with more segments than the bar can hold, neighbours are merged, and a zone that
 * begins inside a merged segment is drawn from the start of it.
 */
#include "layout.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* A hole is squeezed when it is larger than this part of all memory. */
#define LAYOUT_SQUEEZE_PART 16u

static int layout_compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct layout_key {
	uint64_t first, last;
	size_t index;
};

static int layout_compare_key(const void *a, const void *b)
{
	const struct layout_key *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void layout_sorted(const struct analysis *a, struct layout_key **keys, size_t *count)
{
	struct layout_key *k = xcalloc(a->pieces.n, sizeof(*k));
	size_t i, n = 0, out = 0;
	uint64_t next = 0;
	bool full = false;

	for (i = 0; i < a->pieces.n; i++) {
		struct pz_range r = a->pieces.v[i].range;

		if (r.first > r.last)
			continue;
		k[n].first = r.first;
		k[n].last = r.last;
		k[n++].index = i;
	}
	qsort(k, n, sizeof(*k), layout_compare_key);
	for (i = 0; i < n && !full; i++) {
		if (k[i].last < next)
			continue;
		k[out] = k[i];
		if (k[out].first < next)
			k[out].first = next;
		full = k[out].last == UINT64_MAX;
		next = k[out++].last + 1;
	}
	*keys = k;
	*count = out;
}

void layout_order_build(struct layout_order *order, const struct analysis *a)
{
	struct layout_key *k;
	size_t i, n;

	memset(order, 0, sizeof(*order));
	layout_sorted(a, &k, &n);
	for (i = 0; i < n; i++)
		*vec_push(&order->index) = k[i].index;
	free(k);
}

void layout_order_destroy(struct layout_order *order)
{
	vec_free(&order->index);
}

static void layout_zones(struct layout *l, const struct analysis *a)
{
	size_t n;
	unsigned int t;

	for (n = 0; n < a->nodes.n; n++) {
		const struct an_node *node = &a->nodes.v[n];

		for (t = 0; t < PZ_ZONE_TYPES; t++) {
			struct layout_zone *z;
			const char *name = pz_zone_name((enum pz_zone_type)t);

			if (!node->zone[t].shown || !node->zone[t].spanned ||
			    node->zone[t].spanned == VIEW_UNKNOWN)
				continue;
			z = vec_push(&l->zones);
			z->node = node;
			z->zone = &node->zone[t];
			z->type = (enum pz_zone_type)t;
			z->range = view_zone_range(z->zone, a->page_shift);
			z->label = a->nodes.n > 1 ? xasprintf("%d %s", node->nid, name)
						  : xstrdup(name);
			if (view_zone_hollow(z->zone))
				z->remark = xasprintf("%s: none managed", z->label);
		}
	}
}

static void layout_cut(uint64_t *cuts, size_t *n, struct pz_range r, uint64_t *end)
{
	cuts[(*n)++] = r.first;
	if (r.last < UINT64_MAX)
		cuts[(*n)++] = r.last + 1;
	if (r.last > *end)
		*end = r.last;
}

static void layout_segment_cuts(struct layout *l, const struct analysis *a)
{
	struct layout_key *k;
	size_t keys, i, n = 0, at = 0;
	uint64_t *cuts, end = 0;

	layout_sorted(a, &k, &keys);
	cuts = xcalloc(2 * (keys + l->zones.n) + 1, sizeof(*cuts));
	cuts[n++] = 0;
	for (i = 0; i < keys; i++)
		layout_cut(cuts, &n, (struct pz_range){ k[i].first, k[i].last }, &end);
	for (i = 0; i < l->zones.n; i++)
		layout_cut(cuts, &n, l->zones.v[i].range, &end);
	qsort(cuts, n, sizeof(*cuts), layout_compare_u64);
	if (!keys && !l->zones.n)
		n = 0;
	for (i = 0; i < n && cuts[i] <= end; i++) {
		struct layout_segment *s;

		if (i + 1 < n && cuts[i + 1] == cuts[i])
			continue;
		s = vec_push(&l->segments);
		s->range.first = cuts[i];
		s->range.last = i + 1 < n && cuts[i + 1] <= end ? cuts[i + 1] - 1 : end;
		while (at < keys && k[at].last < s->range.first)
			at++;
		s->kind = AN_KINDS;
		s->piece = LAYOUT_NO_PIECE;
		if (at < keys && k[at].first <= s->range.first) {
			s->piece = k[at].index;
			s->kind = a->pieces.v[s->piece].kind;
		}
		if (s->kind > AN_KINDS)
			s->kind = AN_OTHER;
	}
	free(cuts);
	free(k);
}

size_t layout_segments(const struct analysis *a)
{
	struct layout l;
	size_t n;

	memset(&l, 0, sizeof(l));
	layout_zones(&l, a);
	layout_segment_cuts(&l, a);
	n = l.segments.n;
	layout_destroy(&l);
	return n;
}

/* Where an address lies on a logarithmic scale: doublings, linear within each; page 0 is one. */
static double layout_log(uint64_t addr, unsigned int page_shift)
{
	unsigned int e = page_shift;

	if (addr >> page_shift == 0)
		return (double)addr / (double)((uint64_t)1 << page_shift);
	while (addr >> e > 1)
		e++;
	return (double)(e - page_shift) + (double)addr / (double)((uint64_t)1 << e);
}

static bool layout_void(unsigned int kind)
{
	return kind == AN_KINDS || kind == AN_RESERVED || kind == AN_OTHER;
}

static void layout_weigh(struct layout *l, const struct analysis *a, const struct layout_spec *spec)
{
	double memory = 0, all = 0;
	size_t i;

	for (i = 0; i < l->segments.n; i++) {
		struct layout_segment *s = &l->segments.v[i];
		double size = (double)view_range_size(s->range);

		all += s->kind == AN_KINDS ? 0 : size;
		memory += layout_void(s->kind) ? 0 : size;
	}
	memory = memory > 0 ? memory : all;
	for (i = 0; i < l->segments.n; i++) {
		struct layout_segment *s = &l->segments.v[i];

		s->least = spec->least;
		s->weight = (double)view_range_size(s->range);
		if (spec->logarithmic) {
			double end = s->range.last == UINT64_MAX
					     ? 1 + 64 - a->page_shift
					     : layout_log(s->range.last + 1, a->page_shift);

			s->weight = end - layout_log(s->range.first, a->page_shift);
		} else if (layout_void(s->kind) && s->weight > memory / LAYOUT_SQUEEZE_PART) {
			s->squeezed = true;
			s->weight = 0;
			s->least = spec->squeezed;
		}
	}
}

/* Whether a zone begins or has ended at this segment: neighbours are not merged across it. */
static bool layout_zone_starts(const uint64_t *starts, size_t n, const struct layout_segment *s)
{
	return n && bsearch(&s->range.first, starts, n, sizeof(*starts), layout_compare_u64);
}

/*
 * Merge runs of neighbours whose weights add up to less than `limit`. Without `write` only
 * count.
 */
static size_t layout_merge_pass(struct layout *l, double limit, const uint64_t *starts, size_t n,
				bool write)
{
	size_t i, groups = 0;
	double sum = 0;
	struct layout_segment *last = NULL;

	for (i = 0; i < l->segments.n; i++) {
		struct layout_segment s = l->segments.v[i];

		if (last && !s.squeezed && sum + s.weight < limit &&
		    !layout_zone_starts(starts, n, &s)) {
			sum += s.weight;
			if (write) {
				last->range.last = s.range.last;
				last->weight += s.weight;
				if (view_kind(s.kind)->rank > view_kind(last->kind)->rank) {
					last->kind = s.kind;
					last->piece = s.piece;
				}
				last->merged = true;
			}
			continue;
		}
		sum = s.squeezed ? DBL_MAX : s.weight;
		if (write)
			l->segments.v[groups] = s;
		last = &l->segments.v[write ? groups : i];
		groups++;
	}
	if (write)
		l->segments.n = groups;
	return groups;
}

/* The smallest limit that leaves at most so many segments; negative when none does. */
static double layout_merge_limit(struct layout *l, size_t most, const uint64_t *starts, size_t n)
{
	double low = 0, high = 1;
	unsigned int step;
	size_t i;

	for (i = 0; i < l->segments.n; i++)
		high += 2 * l->segments.v[i].weight;
	if (layout_merge_pass(l, high, starts, n, false) > most)
		return -1;
	for (step = 0; step < 128; step++) {
		double mid = (low + high) / 2;

		if (layout_merge_pass(l, mid, starts, n, false) > most)
			low = mid;
		else
			high = mid;
	}
	return high;
}

/* Memory that was not taken, or taken by nobody of note: many small parts of it are one part. */
static bool layout_plain(const struct layout_segment *s)
{
	return !s->squeezed && (s->kind == AN_RAM || s->kind == AN_BOOT);
}

/*
 * Where free memory and early allocations alternate below the resolution of the bar, draw what
 * there is more of: else each part would take the least width, and a page a hundredth of the bar.
 */
static void layout_blend(struct layout *l, double limit, const uint64_t *starts, size_t n)
{
	double ram = 0, boot = 0;
	size_t i, out = 0;

	for (i = 0; i < l->segments.n; i++) {
		struct layout_segment s = l->segments.v[i];
		struct layout_segment *last = out ? &l->segments.v[out - 1] : NULL;
		double *own = s.kind == AN_RAM ? &ram : &boot;

		if (last && layout_plain(last) && layout_plain(&s) && last->weight < limit &&
		    s.weight < limit && !layout_zone_starts(starts, n, &s)) {
			last->range.last = s.range.last;
			last->weight += s.weight;
			*own += s.weight;
			if (s.kind != last->kind && *own > last->weight / 2) {
				last->kind = s.kind;
				last->piece = s.piece;
			}
			last->merged = true;
			continue;
		}
		ram = boot = 0;
		*own = s.weight;
		l->segments.v[out++] = s;
	}
	l->segments.n = out;
}

static void layout_merge(struct layout *l, const struct layout_spec *spec)
{
	size_t most = spec->cells / spec->least / 2 + 1;
	uint64_t *starts = xcalloc(2 * l->zones.n, sizeof(*starts));
	size_t i, n = 0;
	double limit = 0;

	for (i = 0; i < l->zones.n; i++) {
		starts[n++] = l->zones.v[i].range.first;
		if (l->zones.v[i].range.last < UINT64_MAX)
			starts[n++] = l->zones.v[i].range.last + 1;
	}
	qsort(starts, n, sizeof(*starts), layout_compare_u64);
	for (i = 0; i < l->segments.n; i++)
		limit += l->segments.v[i].weight;
	layout_blend(l, limit * spec->least / spec->cells, starts, n);
	if (l->segments.n > most) {
		limit = layout_merge_limit(l, most, starts, n);
		if (limit < 0) {
			/* The borders of zones and the squeezed parts alone are too many. */
			n = 0;
			for (i = 0; i < l->segments.n; i++) {
				l->segments.v[i].squeezed = false;
				l->segments.v[i].least = spec->least;
			}
			limit = layout_merge_limit(l, most, starts, n);
		}
		layout_merge_pass(l, limit, starts, n, true);
	}
	free(starts);
}

/* Give each segment its width: its share, but at least what it must have. */
static double layout_solve(struct layout *l, unsigned int cells)
{
	size_t n = l->segments.n, i;
	bool *fixed = xcalloc(n, sizeof(*fixed));
	bool changed = true;
	double scale = 0, at = 0;

	while (changed) {
		double room = cells, weight = 0;

		changed = false;
		for (i = 0; i < n; i++) {
			if (fixed[i] || l->segments.v[i].weight <= 0)
				room -= l->segments.v[i].least;
			else
				weight += l->segments.v[i].weight;
		}
		scale = weight > 0 && room > 0 ? weight / room : 0;
		for (i = 0; i < n; i++) {
			struct layout_segment *s = &l->segments.v[i];

			if (fixed[i] || s->weight <= 0)
				continue;
			if (scale <= 0 || s->weight / scale < s->least) {
				fixed[i] = true;
				changed = true;
			}
		}
	}
	for (i = 0; i < n; i++) {
		struct layout_segment *s = &l->segments.v[i];
		double width = s->least;
		double end;

		if (!fixed[i] && s->weight > 0 && scale > 0)
			width = s->weight / scale;
		end = at + width;
		s->at = (unsigned int)(at + 0.5);
		s->width = (unsigned int)(end + 0.5) - s->at;
		at = end;
	}
	/* All fixed: what is left over goes to the last. */
	if (n && l->segments.v[n - 1].at + l->segments.v[n - 1].width != cells &&
	    l->segments.v[n - 1].at < cells)
		l->segments.v[n - 1].width = cells - l->segments.v[n - 1].at;
	free(fixed);
	return scale;
}

static size_t layout_find(const struct layout *l, uint64_t addr)
{
	size_t low = 0, high = l->segments.n;

	while (low + 1 < high) {
		size_t mid = low + (high - low) / 2;

		if (l->segments.v[mid].range.first <= addr)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static void layout_place_zones(struct layout *l)
{
	size_t i;

	for (i = 0; i < l->zones.n; i++) {
		struct layout_zone *z = &l->zones.v[i];
		const struct layout_segment *first = &l->segments.v[layout_find(l, z->range.first)];
		const struct layout_segment *last = &l->segments.v[layout_find(l, z->range.last)];

		z->at = first->at;
		z->width = last->at + last->width - first->at;
	}
}

static uint64_t layout_demand(const struct layout *l)
{
	uint64_t demand = 0;
	size_t i;

	for (i = 0; i < l->segments.n; i++)
		demand += l->segments.v[i].least;
	return demand;
}

/* Widen the largest segment of each zone whose label does not fit, as far as there is room. */
static void layout_fit_labels(struct layout *l, const struct layout_spec *spec)
{
	unsigned int spare = spec->cells / 3;
	uint64_t demand = layout_demand(l);
	size_t i, k;

	for (i = 0; i < l->zones.n; i++) {
		const struct layout_zone *z = &l->zones.v[i];
		const char *label = z->remark ? z->remark : z->label;
		unsigned int need = spec->label_pad + spec->label_char * text_columns(label);
		size_t first = layout_find(l, z->range.first), last = layout_find(l, z->range.last);
		size_t best = first;
		unsigned int least;

		if (z->width >= need || need - z->width > spare)
			continue;
		for (k = first; k <= last; k++)
			if (l->segments.v[k].weight > l->segments.v[best].weight)
				best = k;
		least = l->segments.v[best].width + (need - z->width);
		if (demand - l->segments.v[best].least + least > spec->cells)
			continue;
		demand += least - l->segments.v[best].least;
		l->segments.v[best].least = least;
		spare -= need - z->width;
	}
}

static void layout_lanes(struct layout *l)
{
	VEC(unsigned int) ends = { NULL, 0, 0 };
	size_t i, k;

	for (i = 0; i < l->zones.n; i++) {
		struct layout_zone *z = &l->zones.v[i];

		for (k = 0; k < ends.n && ends.v[k] > z->at; k++)
			continue;
		if (k == ends.n)
			(void)vec_push(&ends);
		ends.v[k] = z->at + z->width;
		z->lane = (unsigned int)k;
	}
	l->lanes = (unsigned int)ends.n;
	vec_free(&ends);
}

void layout_build(struct layout *l, const struct analysis *a, const struct layout_spec *spec)
{
	uint64_t demand;
	double scale;
	size_t i;

	memset(l, 0, sizeof(*l));
	layout_zones(l, a);
	layout_segment_cuts(l, a);
	layout_weigh(l, a, spec);
	layout_merge(l, spec);
	demand = layout_demand(l);
	/* Squeezed parts are the first to give way where room is short. */
	for (i = 0; i < l->segments.n && demand > spec->cells; i++) {
		demand -= l->segments.v[i].least - spec->least;
		l->segments.v[i].least = spec->least;
	}
	if (!l->segments.n)
		return;
	layout_solve(l, spec->cells);
	layout_place_zones(l);
	layout_fit_labels(l, spec);
	scale = layout_solve(l, spec->cells);
	layout_place_zones(l);
	layout_lanes(l);
	if (!spec->logarithmic && scale < 9e18)
		l->cell_bytes = (uint64_t)(scale + 0.5);
	for (i = 0; i < l->segments.n; i++) {
		l->squeezed += l->segments.v[i].squeezed;
		l->merged += l->segments.v[i].merged;
	}
}

void layout_destroy(struct layout *l)
{
	size_t i;

	for (i = 0; i < l->zones.n; i++) {
		free(l->zones.v[i].label);
		free(l->zones.v[i].remark);
	}
	vec_free(&l->zones);
	vec_free(&l->segments);
}
