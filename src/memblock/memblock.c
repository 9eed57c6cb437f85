/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock.c - the two arrays of early memory and every way to change them.
 *
 * Concept
 *  An array of regions, sorted by address. A change first looks (how many regions will there be?),
 *  then grows the array if it must, and only then writes: after growing nothing can fail. Places
 *  are found by binary search, and a range past the last region is appended without a search, so
 *  that adding in ascending order costs no more than writing the region.
 *
 * Invariants (pz_memblock_check() verifies them, for each array)
 *  1. every range is valid (first <= last);
 *  2. regions ascend and are disjoint;
 *  3. neighbours that touch differ in flags or node, unless the array is marked `split`;
 *  4. count <= cap.
 *
 * Failure
 *  Only growth fails (-PZ_ENOMEM), and then nothing has changed, not even which edges
 *  pz_memblock_isolate() left. What only shrinks in place (limits, trimming) cannot fail.
 *
 * Shortcomings
 *  A region in the middle of the array moves all above it, so n ranges in descending order cost
 *  n^2 / 2 moves of 24 bytes. An array never gives memory back before pz_memblock_destroy().
 *  A change of flags or nodes asks for two more regions than it may turn out to need.
 */
#include "memblock_internal.h"
#include "../base/bits.h"
#include "../base/meta.h"
#include "../base/pz_string.h"

static struct pz_mb_array *mb_array(struct pz_memblock *mb, enum pz_mb_which which)
{
	return which == PZ_MB_MEMORY ? &mb->memory : &mb->reserved;
}

static bool mb_alike(const struct pz_mb_region *r, int nid, uint32_t flags)
{
	return r->nid == nid && r->flags == flags;
}

uint32_t pz_mb_lower(const struct pz_mb_array *a, uint64_t addr)
{
	uint32_t lo = 0, hi = a->count;

	if (!hi || a->v[hi - 1].range.last < addr)
		return hi;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (a->v[mid].range.last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool pz_mb_range(uint64_t base, uint64_t size, struct pz_range *r)
{
	if (!size)
		return false;
	r->first = base;
	r->last = size - 1 > PZ_ADDR_MAX - base ? PZ_ADDR_MAX : base + (size - 1);
	return true;
}

/* Make room for `need` regions. */
static int mb_grow(const struct pz_meta *meta, struct pz_mb_array *a, uint64_t need)
{
	struct pz_array grown = { a->v, a->cap, a->owned };
	int err;

	if (need > UINT32_MAX)
		return -PZ_ENOMEM;
	err = pz_array_grow(meta, &grown, a->count, (uint32_t)need, sizeof(a->v[0]));
	if (err)
		return err;
	a->v = grown.v;
	a->cap = grown.cap;
	a->owned = grown.owned;
	return 0;
}

/* Turn `del` regions at an index into room for `ins`; the caller has grown the array. */
static void mb_splice(struct pz_mb_array *a, uint32_t at, uint32_t del, uint32_t ins)
{
	uint32_t tail = a->count - at - del;

	if (del != ins && tail)
		memmove(&a->v[at + ins], &a->v[at + del], tail * sizeof(a->v[0]));
	a->count = at + ins + tail;
}

/* Merge equal neighbours that touch among the regions [from, to). */
static void mb_merge(struct pz_mb_array *a, uint32_t from, uint32_t to)
{
	uint32_t w = from;

	if (from >= to)
		return;
	for (uint32_t i = from + 1; i < to; i++) {
		struct pz_mb_region *r = &a->v[i];

		if (a->v[w].range.last + 1 == r->range.first &&
		    mb_alike(&a->v[w], r->nid, r->flags))
			a->v[w].range.last = r->range.last;
		else
			a->v[++w] = *r;
	}
	mb_splice(a, w + 1, to - (w + 1), 0);
}

/* Undo what pz_memblock_isolate() left. Room that was enough for the split array stays enough. */
static void mb_settle(struct pz_mb_array *a)
{
	if (a->split)
		mb_merge(a, 0, a->count);
	a->split = false;
}

/*
 * The gaps that a range has over the regions of an array, ascending. `next` is the index of the
 * region above the gap (or count); what touches the gap below is then next - 1.
 */
struct mb_gaps {
	struct pz_range r;
	uint32_t next;
	uint64_t pos;
	bool end;
	struct pz_range gap;
};

static void mb_gaps_start(struct mb_gaps *g, const struct pz_mb_array *a, struct pz_range r)
{
	g->r = r;
	g->pos = r.first;
	g->next = pz_mb_lower(a, r.first);
	g->end = false;
}

/* Step to the next gap, telling whether a region passed over differs from what is claimed. */
static bool mb_gaps_next(struct mb_gaps *g, const struct pz_mb_array *a, int nid, uint32_t flags,
			 bool *differs)
{
	while (!g->end) {
		const struct pz_mb_region *n = g->next < a->count ? &a->v[g->next] : NULL;
		bool above = !n || n->range.first > g->r.last;

		if (above || n->range.first > g->pos) {
			g->gap.first = g->pos;
			g->gap.last = above ? g->r.last : n->range.first - 1;
			if (above)
				g->end = true;
			else
				g->pos = n->range.first;
			return true;
		}
		if ((nid != PZ_NID_NONE && n->nid != nid) || (flags && n->flags != flags))
			*differs = true;
		if (n->range.last >= g->r.last)
			g->end = true;
		else
			g->pos = n->range.last + 1;
		if (!g->end)
			g->next++;
	}
	return false;
}

/* Which neighbours a gap can be joined to: they touch it and are alike. */
static void mb_gap_joins(const struct mb_gaps *g, const struct pz_mb_array *a, int nid,
			 uint32_t flags, bool *below, bool *above)
{
	*below = g->next > 0 && a->v[g->next - 1].range.last + 1 == g->gap.first &&
		 mb_alike(&a->v[g->next - 1], nid, flags);
	*above = g->next < a->count && g->gap.last + 1 == a->v[g->next].range.first &&
		 mb_alike(&a->v[g->next], nid, flags);
}

/* Fill the last `fill` gaps that no neighbour could be stretched over, from the top down. */
static void mb_fill(struct pz_mb_array *a, const struct pz_mb_region *new, uint32_t fill)
{
	uint32_t i = pz_mb_lower(a, new->range.last);
	uint64_t last = new->range.last;

	if (i < a->count && a->v[i].range.first <= last)
		i++;
	mb_splice(a, i, 0, fill);
	while (fill) {
		bool lower = i > 0 && a->v[i - 1].range.last >= new->range.first;

		if (!lower || a->v[i - 1].range.last < last) {
			struct pz_mb_region *f = &a->v[i + --fill];

			*f = *new;
			f->range.first = lower ? a->v[i - 1].range.last + 1 : new->range.first;
			f->range.last = last;
			if (!fill)
				break;
		}
		i--;
		last = a->v[i].range.first - 1;
		a->v[i + fill] = a->v[i];
	}
}

int pz_mb_insert(const struct pz_meta *meta, struct pz_mb_array *a, struct pz_range r, int nid,
		 uint32_t flags)
{
	struct pz_mb_region new = { r, flags, nid };
	bool differs = false, ignored, below, above;
	uint32_t more = 0, fewer = 0, fill = 0, from;
	struct mb_gaps g;
	int err;

	mb_gaps_start(&g, a, r);
	while (mb_gaps_next(&g, a, nid, flags, &differs)) {
		mb_gap_joins(&g, a, nid, flags, &below, &above);
		if (below && above)
			fewer++;
		else if (!below && !above)
			more++;
	}
	if (more > fewer) {
		err = mb_grow(meta, a, (uint64_t)a->count + (more - fewer));
		if (err)
			return err;
	}
	mb_settle(a);

	/* Stretch what is there over the gaps next to it; what then touches is merged. */
	mb_gaps_start(&g, a, r);
	from = g.next ? g.next - 1 : 0;
	while (mb_gaps_next(&g, a, nid, flags, &ignored)) {
		mb_gap_joins(&g, a, nid, flags, &below, &above);
		if (below)
			a->v[g.next - 1].range.last = g.gap.last;
		else if (above)
			a->v[g.next].range.first = g.gap.first;
		else
			fill++;
	}
	mb_merge(a, from, g.next < a->count ? g.next + 1 : a->count);
	if (fill)
		mb_fill(a, &new, fill);
	return differs ? -PZ_EEXIST : 0;
}

static int mb_remove(const struct pz_meta *meta, struct pz_mb_array *a, struct pz_range r)
{
	uint32_t s = pz_mb_lower(a, r.first), e;
	int err;

	if (s == a->count || a->v[s].range.first > r.last)
		return 0;
	if (a->v[s].range.first < r.first && a->v[s].range.last > r.last) {
		err = mb_grow(meta, a, (uint64_t)a->count + 1);
		if (err)
			return err;
	}
	mb_settle(a);
	s = pz_mb_lower(a, r.first);
	if (a->v[s].range.first < r.first) {
		if (a->v[s].range.last > r.last) {
			mb_splice(a, s + 1, 0, 1);
			a->v[s + 1] = a->v[s];
			a->v[s + 1].range.first = r.last + 1;
			a->v[s].range.last = r.first - 1;
			return 0;
		}
		a->v[s++].range.last = r.first - 1;
	}
	for (e = s; e < a->count && a->v[e].range.last <= r.last; e++)
		;
	mb_splice(a, s, e - s, 0);
	if (s < a->count && a->v[s].range.first <= r.last)
		a->v[s].range.first = r.last + 1;
	return 0;
}

/* Whether a region has addr inside it, so that an edge at addr would split it. */
static bool mb_cuts(const struct pz_mb_array *a, uint64_t addr)
{
	uint32_t i = pz_mb_lower(a, addr);

	return i < a->count && a->v[i].range.first < addr;
}

/* Put an edge at addr. Returns the index of the first region at or above it. */
static uint32_t mb_cut(struct pz_mb_array *a, uint64_t addr)
{
	uint32_t i = pz_mb_lower(a, addr);

	if (i == a->count || a->v[i].range.first >= addr)
		return i;
	mb_splice(a, i + 1, 0, 1);
	a->v[i + 1] = a->v[i];
	a->v[i].range.last = addr - 1;
	a->v[i + 1].range.first = addr;
	return i + 1;
}

/* Make room for the edges of a range, which mb_edges() then puts. */
static int mb_edges_room(const struct pz_meta *meta, struct pz_mb_array *a, struct pz_range r)
{
	uint64_t need = a->count;

	if (mb_cuts(a, r.first))
		need++;
	if (r.last != PZ_ADDR_MAX && mb_cuts(a, r.last + 1))
		need++;
	return mb_grow(meta, a, need);
}

static void mb_edges(struct pz_mb_array *a, struct pz_range r, uint32_t *start, uint32_t *end)
{
	*start = mb_cut(a, r.first);
	*end = r.last == PZ_ADDR_MAX ? a->count : mb_cut(a, r.last + 1);
}

/* What a region becomes when it is marked, or moved to a node. */
struct mb_change {
	uint32_t set;
	uint32_t clear;
	bool move;
	int nid;
};

static struct pz_mb_region mb_changed(struct pz_mb_region r, const struct mb_change *c)
{
	r.flags = (r.flags & ~c->clear) | c->set;
	if (c->move)
		r.nid = c->nid;
	return r;
}

static int mb_change(struct pz_memblock *mb, enum pz_mb_which which, uint64_t base, uint64_t size,
		     const struct mb_change *c)
{
	struct pz_mb_array *a = mb_array(mb, which);
	struct pz_range r;
	uint32_t start, end;
	bool any = false;
	int err;

	if (!pz_mb_range(base, size, &r))
		return 0;
	for (uint32_t i = pz_mb_lower(a, r.first); i < a->count && !any; i++) {
		struct pz_mb_region n = mb_changed(a->v[i], c);

		if (a->v[i].range.first > r.last)
			break;
		any = !mb_alike(&a->v[i], n.nid, n.flags);
	}
	if (!any)
		return 0;
	err = mb_edges_room(mb->meta, a, r);
	if (err)
		return err;
	mb_settle(a);
	mb_edges(a, r, &start, &end);
	for (uint32_t i = start; i < end; i++)
		a->v[i] = mb_changed(a->v[i], c);
	mb_merge(a, start ? start - 1 : 0, end < a->count ? end + 1 : end);
	return 0;
}

int pz_memblock_init(struct pz_memblock *mb, const struct pz_meta *meta, unsigned int page_shift)
{
	if (page_shift < 12 || page_shift > 16 || !meta || !meta->alloc || !meta->free)
		return -PZ_EINVAL;
	memset(mb, 0, sizeof(*mb));
	mb->current_limit = PZ_ADDR_MAX;
	mb->page_shift = page_shift;
	mb->meta = meta;
	return 0;
}

static void mb_array_destroy(const struct pz_meta *meta, struct pz_mb_array *a)
{
	if (a->owned)
		meta->free(meta->ctx, a->v, a->cap * sizeof(a->v[0]));
	memset(a, 0, sizeof(*a));
}

void pz_memblock_destroy(struct pz_memblock *mb)
{
	mb_array_destroy(mb->meta, &mb->memory);
	mb_array_destroy(mb->meta, &mb->reserved);
}

static void mb_array_copy(struct pz_mb_array *dst, const struct pz_mb_array *src)
{
	if (src->count)
		memcpy(dst->v, src->v, src->count * sizeof(src->v[0]));
	dst->count = src->count;
	dst->split = src->split;
}

int pz_memblock_copy(struct pz_memblock *dst, const struct pz_memblock *src)
{
	int err;

	if (dst == src)
		return 0;
	err = mb_grow(dst->meta, &dst->memory, src->memory.count);
	if (!err)
		err = mb_grow(dst->meta, &dst->reserved, src->reserved.count);
	if (err)
		return err;
	mb_array_copy(&dst->memory, &src->memory);
	mb_array_copy(&dst->reserved, &src->reserved);
	dst->bottom_up = src->bottom_up;
	dst->skip_hotplug = src->skip_hotplug;
	dst->current_limit = src->current_limit;
	dst->page_shift = src->page_shift;
	return 0;
}

int pz_memblock_add(struct pz_memblock *mb, uint64_t base, uint64_t size, int nid, uint32_t flags)
{
	struct pz_range r;

	if (!pz_mb_range(base, size, &r))
		return 0;
	return pz_mb_insert(mb->meta, &mb->memory, r, nid, flags);
}

int pz_memblock_reserve(struct pz_memblock *mb, uint64_t base, uint64_t size, int nid,
			uint32_t flags)
{
	struct pz_range r;

	if (!pz_mb_range(base, size, &r))
		return 0;
	return pz_mb_insert(mb->meta, &mb->reserved, r, nid, flags);
}

int pz_memblock_remove(struct pz_memblock *mb, uint64_t base, uint64_t size)
{
	struct pz_range r;

	if (!pz_mb_range(base, size, &r))
		return 0;
	return mb_remove(mb->meta, &mb->memory, r);
}

int pz_memblock_free(struct pz_memblock *mb, uint64_t base, uint64_t size)
{
	struct pz_range r;

	if (!pz_mb_range(base, size, &r))
		return 0;
	return mb_remove(mb->meta, &mb->reserved, r);
}

int pz_memblock_isolate(struct pz_memblock *mb, enum pz_mb_which which, struct pz_range r,
			uint32_t *start, uint32_t *end)
{
	struct pz_mb_array *a = mb_array(mb, which);
	uint32_t before = a->count;
	int err;

	if (!pz_range_valid(r))
		return -PZ_EINVAL;
	err = mb_edges_room(mb->meta, a, r);
	if (err)
		return err;
	mb_edges(a, r, start, end);
	if (a->count != before)
		a->split = true;
	return 0;
}

int pz_memblock_mark(struct pz_memblock *mb, enum pz_mb_which which, uint64_t base, uint64_t size,
		     uint32_t set, uint32_t clear)
{
	struct mb_change c = { set, clear, false, PZ_NID_NONE };

	return mb_change(mb, which, base, size, &c);
}

int pz_memblock_set_node(struct pz_memblock *mb, enum pz_mb_which which, uint64_t base,
			 uint64_t size, int nid)
{
	struct mb_change c = { 0, 0, true, nid };

	return mb_change(mb, which, base, size, &c);
}

uint64_t pz_memblock_start(const struct pz_memblock *mb)
{
	return mb->memory.count ? mb->memory.v[0].range.first : 0;
}

uint64_t pz_memblock_last(const struct pz_memblock *mb)
{
	return mb->memory.count ? mb->memory.v[mb->memory.count - 1].range.last : 0;
}

uint64_t pz_memblock_bytes(const struct pz_memblock *mb, enum pz_mb_which which)
{
	const struct pz_mb_array *a = which == PZ_MB_MEMORY ? &mb->memory : &mb->reserved;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < a->count; i++)
		sum = pz_add_sat64(sum, pz_range_size(a->v[i].range));
	return sum;
}

static int mb_array_check(const struct pz_mb_array *a)
{
	if (a->count > a->cap)
		return 4;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->v[i].range.first > a->v[i].range.last)
			return 1;
	for (uint32_t i = 1; i < a->count; i++)
		if (a->v[i].range.first <= a->v[i - 1].range.last)
			return 2;
	for (uint32_t i = 1; i < a->count && !a->split; i++)
		if (a->v[i].range.first == a->v[i - 1].range.last + 1 &&
		    mb_alike(&a->v[i], a->v[i - 1].nid, a->v[i - 1].flags))
			return 3;
	return 0;
}

int pz_memblock_check(const struct pz_memblock *mb)
{
	int bad = mb_array_check(&mb->memory);

	if (bad)
		return bad;
	bad = mb_array_check(&mb->reserved);
	return bad ? bad + 10 : 0;
}
