/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_memblock.c - memblock against arrays that say for every cell of a small space what it is.
 *
 * A cell is `unit` bytes; the space lies at address 0, in the middle, or ends at 2^64 - 1.
 */
#include "prop.h"

#include <physzone/memblock.h>

#include <stdlib.h>
#include <string.h>

#define CELLS 96
#define OPS 40

struct cell {
	bool there;
	int nid;
	uint32_t flags;
};

struct model {
	struct cell memory[CELLS];
	struct cell reserved[CELLS];
};

struct world {
	struct pz_memblock mb;
	struct model o;
	uint64_t origin;
	uint64_t unit;
	/* the metadata hook */
	struct pz_meta meta;
	size_t live;
	unsigned int calls;
	unsigned int fail_at; /* the call that fails, 1 for the first; 0 for none */
	bool bad_free;
};

static void *world_alloc(void *ctx, size_t size)
{
	struct world *w = ctx;
	size_t *p;

	if (++w->calls == w->fail_at)
		return NULL;
	p = malloc(size + 16);
	if (!p)
		abort();
	p[0] = size;
	w->live += size;
	memset((char *)p + 16, 0x5a, size);
	return (char *)p + 16;
}

static void world_free(void *ctx, void *q, size_t size)
{
	struct world *w = ctx;
	size_t *p = (size_t *)(void *)((char *)q - 16);

	if (p[0] != size)
		w->bad_free = true;
	w->live -= p[0];
	free(p);
}

static bool world_start(struct world *w, struct prop *p)
{
	static const struct {
		uint64_t origin, unit;
	} places[] = {
		{ 0, 1024 },
		{ 0, 4096 },
		{ 0x100000000, 4096 },
		{ UINT64_MAX - CELLS + 1, 1 },
		{ UINT64_MAX - CELLS * 4096 + 1, 4096 },
		{ 0, 1 },
	};
	unsigned int c = prop_choice(p, 6);

	memset(w, 0, sizeof(*w));
	w->origin = places[c].origin;
	w->unit = places[c].unit;
	w->meta.alloc = world_alloc;
	w->meta.free = world_free;
	w->meta.ctx = w;
	return pz_memblock_init(&w->mb, &w->meta, 12) == 0;
}

static uint64_t at(const struct world *w, unsigned int cell)
{
	return w->origin + cell * w->unit;
}

/* Whether an array says exactly what the cells say. */
static bool same_array(const struct world *w, const struct pz_mb_array *a, const struct cell *c)
{
	uint32_t i = 0;

	for (unsigned int k = 0; k < CELLS; k++) {
		uint64_t lo = at(w, k), hi = lo + (w->unit - 1);
		const struct pz_mb_region *r;

		while (i < a->count && a->v[i].range.last < lo)
			i++;
		r = i < a->count && a->v[i].range.first <= hi ? &a->v[i] : NULL;
		if (!r != !c[k].there)
			return false;
		if (r && (r->range.first > lo || r->range.last < hi || r->nid != c[k].nid ||
			  r->flags != c[k].flags))
			return false;
	}
	/* Nothing outside the space. */
	if (a->count && (a->v[0].range.first < w->origin ||
			 a->v[a->count - 1].range.last > w->origin + (CELLS * w->unit - 1)))
		return false;
	return true;
}

static bool same(const struct world *w)
{
	return pz_memblock_check(&w->mb) == 0 && same_array(w, &w->mb.memory, w->o.memory) &&
	       same_array(w, &w->mb.reserved, w->o.reserved);
}

static bool alike(const struct cell *a, const struct cell *b)
{
	return a->there == b->there && (!a->there || (a->nid == b->nid && a->flags == b->flags));
}

static int o_add(struct cell *c, unsigned int from, unsigned int n, int nid, uint32_t flags)
{
	int ret = 0;

	for (unsigned int k = from; k < from + n && k < CELLS; k++) {
		if (!c[k].there) {
			c[k].there = true;
			c[k].nid = nid;
			c[k].flags = flags;
		} else if ((nid != PZ_NID_NONE && c[k].nid != nid) ||
			   (flags && c[k].flags != flags)) {
			ret = -PZ_EEXIST;
		}
	}
	return ret;
}

static void o_keep(struct cell *c, unsigned int from, unsigned int end, uint32_t whole)
{
	for (unsigned int k = 0; k < CELLS; k++)
		if ((k < from || k >= end) && !(c[k].flags & whole))
			c[k].there = false;
}

static void o_enforce(struct model *o, unsigned int amount, bool keep_nomap)
{
	unsigned int seen = 0;

	for (unsigned int k = 0; k < CELLS && amount; k++) {
		seen += o->memory[k].there;
		if (o->memory[k].there && seen == amount) {
			o_keep(o->memory, 0, k + 1, keep_nomap ? PZ_MB_NOMAP : 0);
			o_keep(o->reserved, 0, k + 1, 0);
			return;
		}
	}
}

/* Shrink each run of like cells to an alignment; the space starts on every alignment used. */
static void o_trim(struct cell *c, unsigned int align)
{
	for (unsigned int k = 0, end; k < CELLS; k = end) {
		for (end = k + 1; end < CELLS && alike(&c[k], &c[end]); end++)
			;
		for (unsigned int j = k; j < end; j++)
			if (j / align * align < k || (j / align + 1) * align > end)
				c[j].there = false;
	}
}

static uint32_t draw_flags(struct prop *p)
{
	static const uint32_t f[] = { 0, PZ_MB_MIRROR, PZ_MB_NOMAP, PZ_MB_HOTPLUG,
				      PZ_MB_DRIVER_MANAGED };

	return f[prop_choice(p, 5)];
}

/* A size in bytes of n cells; sometimes one that runs past the top of the address space. */
static uint64_t bytes(const struct world *w, unsigned int from, unsigned int n)
{
	if (from + n == CELLS && w->origin > UINT64_MAX / 2 && (n & 1))
		return UINT64_MAX;
	return n * w->unit;
}

static bool check_isolate(struct world *w, struct prop *p, unsigned int from, unsigned int n)
{
	bool res = prop_choice(p, 2);
	struct pz_mb_array *a = res ? &w->mb.reserved : &w->mb.memory;
	struct pz_range r = { at(w, from), 0 };
	uint32_t s = 77, e = 77;

	if (!n) {
		r.last = r.first - 1;
		return r.first == 0 ||
		       pz_memblock_isolate(&w->mb, PZ_MB_MEMORY, r, &s, &e) == -PZ_EINVAL;
	}
	r.last = r.first + (n * w->unit - 1);
	PROP_ASSERT(p,
		    !pz_memblock_isolate(&w->mb, res ? PZ_MB_RESERVED : PZ_MB_MEMORY, r, &s, &e));
	PROP_ASSERT(p, s <= e && e <= a->count);
	for (uint32_t i = 0; i < a->count; i++) {
		bool inside = a->v[i].range.first >= r.first && a->v[i].range.last <= r.last;
		bool outside = a->v[i].range.last < r.first || a->v[i].range.first > r.last;

		PROP_ASSERT(p, inside != outside && inside == (i >= s && i < e));
	}
	return true;
}

/* One random change of both. */
static bool change(struct world *w, struct prop *p)
{
	struct model *o = &w->o;
	struct pz_memblock *mb = &w->mb;
	unsigned int op = prop_choice(p, 12);
	unsigned int from = (unsigned int)prop_draw(p, CELLS - 1);
	unsigned int n = (unsigned int)prop_draw(p, CELLS - from);
	int nid = (int)prop_draw(p, 2) - 1;
	uint32_t flags = draw_flags(p);
	uint64_t base = at(w, from), size = bytes(w, from, n);
	bool which = prop_choice(p, 2);
	enum pz_mb_which array = which ? PZ_MB_RESERVED : PZ_MB_MEMORY;
	struct cell *c = which ? o->reserved : o->memory;

	prop_note(p, "op %u: cells %u+%u nid %d flags %#x array %d", op, from, n, nid, flags,
		  which);
	switch (op) {
	case 0:
	case 1:
		PROP_ASSERT(p, pz_memblock_add(mb, base, size, nid, flags) ==
				       o_add(o->memory, from, n, nid, flags));
		PROP_ASSERT(p, !n || !mb->memory.split);
		break;
	case 2:
	case 3:
		PROP_ASSERT(p, pz_memblock_reserve(mb, base, size, nid, flags) ==
				       o_add(o->reserved, from, n, nid, flags));
		PROP_ASSERT(p, !n || !mb->reserved.split);
		break;
	case 4:
		PROP_ASSERT(p, pz_memblock_remove(mb, base, size) == 0);
		for (unsigned int k = from; k < from + n; k++)
			o->memory[k].there = false;
		break;
	case 5:
		PROP_ASSERT(p, pz_memblock_free(mb, base, size) == 0);
		for (unsigned int k = from; k < from + n; k++)
			o->reserved[k].there = false;
		break;
	case 6:
		return check_isolate(w, p, from, n);
	case 7: {
		uint32_t clear = draw_flags(p);

		PROP_ASSERT(p, pz_memblock_mark(mb, array, base, size, flags, clear) == 0);
		for (unsigned int k = from; k < from + n; k++)
			c[k].flags = (c[k].flags & ~clear) | flags;
		break;
	}
	case 8:
		PROP_ASSERT(p, pz_memblock_set_node(mb, array, base, size, nid) == 0);
		for (unsigned int k = from; k < from + n; k++)
			c[k].nid = nid;
		break;
	case 9:
		PROP_ASSERT(p, pz_memblock_enforce_limit(mb, n * w->unit, which) == 0);
		o_enforce(o, n, which);
		break;
	case 10: {
		bool any = false;

		for (unsigned int k = 0; k < CELLS; k++)
			any |= o->memory[k].there;
		PROP_ASSERT(p, pz_memblock_cap_range(mb, base, size) == 0);
		if (n && any) {
			o_keep(o->memory, from, from + n, PZ_MB_NOMAP);
			o_keep(o->reserved, from, from + n, 0);
		}
		break;
	}
	default:
		n = 1u << prop_draw(p, 5);
		PROP_ASSERT(p, pz_memblock_trim(mb, n * w->unit) == 0);
		o_trim(o->memory, n);
		break;
	}
	return true;
}

static bool sums(struct world *w, struct prop *p)
{
	uint64_t mem = 0, res = 0, start = 0, last = 0;

	for (unsigned int k = 0; k < CELLS; k++) {
		if (w->o.memory[k].there) {
			if (!mem)
				start = at(w, k);
			last = at(w, k) + (w->unit - 1);
			mem += w->unit;
		}
		res += w->o.reserved[k].there ? w->unit : 0;
	}
	PROP_ASSERT(p, pz_memblock_bytes(&w->mb, PZ_MB_MEMORY) == mem);
	PROP_ASSERT(p, pz_memblock_bytes(&w->mb, PZ_MB_RESERVED) == res);
	PROP_ASSERT(p, pz_memblock_start(&w->mb) == start);
	PROP_ASSERT(p, pz_memblock_last(&w->mb) == last);
	return true;
}

static bool finish(struct world *w, struct prop *p)
{
	pz_memblock_destroy(&w->mb);
	PROP_ASSERT(p, w->live == 0 && !w->bad_free);
	return true;
}

static bool prop_changes(struct prop *p, void *ctx)
{
	struct world w;

	(void)ctx;
	PROP_ASSERT(p, world_start(&w, p));
	for (unsigned int i = 0; i < OPS; i++) {
		bool fine = change(&w, p);

		if (fine && !same(&w)) {
			prop_note(p, "arrays and cells differ (check says %d)",
				  pz_memblock_check(&w.mb));
			fine = false;
		}
		if (!fine || !sums(&w, p)) {
			pz_memblock_destroy(&w.mb);
			return false;
		}
	}
	return finish(&w, p);
}

/* Fill both arrays, with no split left behind. */
static bool fill(struct world *w, struct prop *p)
{
	unsigned int n = (unsigned int)prop_draw(p, 16);

	for (unsigned int i = 0; i < n; i++)
		if (!change(w, p))
			return false;
	/* A change merges what isolate left; one that changes nothing would not. */
	pz_memblock_trim(&w->mb, 1);
	return true;
}

static bool may_give(const struct world *w, const struct cell *c, int nid, bool mirror)
{
	return c->there && !(c->flags & (PZ_MB_NOMAP | PZ_MB_DRIVER_MANAGED)) &&
	       !(w->mb.skip_hotplug && (c->flags & PZ_MB_HOTPLUG)) &&
	       !(mirror && !(c->flags & PZ_MB_MIRROR)) && (nid == PZ_NID_NONE || c->nid == nid);
}

/* The answer to one question by trying every place: the cell, or -1. */
static int o_place(const struct world *w, const struct pz_mb_req *req, uint64_t min, int nid,
		   bool mirror, bool ever)
{
	unsigned int n = (unsigned int)(req->size / w->unit);
	uint64_t max = req->max_addr == PZ_ADDR_MAX ? w->mb.current_limit : req->max_addr;
	int found = -1;

	for (unsigned int s = 0; s + n <= CELLS; s++) {
		bool fits = at(w, s) >= min && at(w, s) + (req->size - 1) <= max &&
			    !(at(w, s) & (req->align - 1));

		for (unsigned int k = s; k < s + n && fits; k++)
			fits = may_give(w, &w->o.memory[k], nid, mirror) &&
			       alike(&w->o.memory[k], &w->o.memory[s]) &&
			       (ever || !w->o.reserved[k].there);
		if (fits) {
			found = (int)s;
			if (w->mb.bottom_up)
				break;
		}
	}
	return found;
}

static int o_find(const struct world *w, const struct pz_mb_req *req, int *err)
{
	uint64_t min = req->min_addr > 4096 ? req->min_addr : 4096;
	int widest = req->exact_nid ? req->nid : PZ_NID_NONE;
	int where = -1;

	for (unsigned int low = 0; low < (req->retry_low ? 2 : 1) && where < 0; low++) {
		min = low ? 4096 : min;
		for (unsigned int any = req->mirror ? 0 : 1; any < 2 && where < 0; any++) {
			where = o_place(w, req, min, req->nid, !any, false);
			if (where < 0 && !req->exact_nid)
				where = o_place(w, req, min, PZ_NID_NONE, !any, false);
		}
	}
	*err = 0;
	if (where < 0)
		*err = o_place(w, req, min, widest, false, true) < 0 ? -PZ_ERANGE : -PZ_ENOMEM;
	return where;
}

static bool ask(struct world *w, struct prop *p)
{
	unsigned int n = (unsigned int)prop_between(p, 1, 24);
	struct pz_mb_req req = pz_mb_req(n * w->unit, w->unit << prop_draw(p, 4));
	struct pz_range got = { 7, 3 };
	bool take = prop_choice(p, 2);
	int err, want, where;

	if (prop_choice(p, 2))
		req.min_addr = at(w, (unsigned int)prop_draw(p, CELLS - 1));
	if (prop_choice(p, 2))
		req.max_addr = at(w, (unsigned int)prop_draw(p, CELLS - 1)) + (w->unit - 1);
	req.nid = (int)prop_draw(p, 2) - 1;
	req.exact_nid = prop_choice(p, 2);
	req.mirror = prop_choice(p, 2);
	req.retry_low = prop_choice(p, 2);
	prop_note(p,
		  "ask %u cells align %#llx [%#llx-%#llx] nid %d exact %d mirror %d low %d up %d",
		  n, (unsigned long long)req.align, (unsigned long long)req.min_addr,
		  (unsigned long long)req.max_addr, req.nid, req.exact_nid, req.mirror,
		  req.retry_low, w->mb.bottom_up);

	where = o_find(w, &req, &want);
	err = take ? pz_memblock_alloc(&w->mb, &req, &got) : pz_memblock_find(&w->mb, &req, &got);
	PROP_ASSERT(p, err == want);
	if (err) {
		PROP_ASSERT(p, got.first == 7 && got.last == 3);
	} else {
		PROP_ASSERT(p, got.first == at(w, (unsigned int)where));
		PROP_ASSERT(p, got.last == got.first + (req.size - 1));
		if (take)
			o_add(w->o.reserved, (unsigned int)where, n, PZ_NID_NONE, 0);
	}
	PROP_ASSERT(p, same(w));
	return true;
}

static bool prop_alloc(struct prop *p, void *ctx)
{
	struct world w;
	bool fine;

	(void)ctx;
	PROP_ASSERT(p, world_start(&w, p));
	fine = fill(&w, p);
	w.mb.bottom_up = prop_choice(p, 2);
	w.mb.skip_hotplug = prop_choice(p, 2);
	if (prop_choice(p, 2))
		w.mb.current_limit = at(&w, (unsigned int)prop_draw(p, CELLS - 1)) + (w.unit - 1);
	for (unsigned int i = 0; i < 8 && fine; i++)
		fine = ask(&w, p);
	return finish(&w, p) && fine;
}

struct handed {
	struct pz_range r[CELLS];
	int nid[CELLS];
	unsigned int n, stop;
};

static int take_pages(void *ctx, struct pz_range pfns, int nid)
{
	struct handed *h = ctx;

	if (h->n == h->stop)
		return -PZ_EBUSY;
	h->r[h->n] = pfns;
	h->nid[h->n++] = nid;
	return 0;
}

static bool o_free(const struct world *w, unsigned int k)
{
	return may_give(w, &w->o.memory[k], PZ_NID_NONE, false) && !w->o.reserved[k].there;
}

static bool walk(struct world *w, struct prop *p)
{
	int nid = (int)prop_draw(p, 2) - 1;
	struct pz_mb_iter it = { 0 };

	for (unsigned int k = 0, end; k < CELLS; k = end) {
		end = k + 1;
		if (!o_free(w, k) || (nid != PZ_NID_NONE && w->o.memory[k].nid != nid))
			continue;
		while (end < CELLS && o_free(w, end) && alike(&w->o.memory[k], &w->o.memory[end]))
			end++;
		PROP_ASSERT(p, pz_memblock_next_free(&w->mb, &it, nid));
		PROP_ASSERT(p, it.range.first == at(w, k));
		PROP_ASSERT(p, it.range.last == at(w, end - 1) + (w->unit - 1));
		PROP_ASSERT(p, it.nid == w->o.memory[k].nid && it.flags == w->o.memory[k].flags);
	}
	PROP_ASSERT(p, !pz_memblock_next_free(&w->mb, &it, nid));
	PROP_ASSERT(p, !pz_memblock_next_free(&w->mb, &it, nid));
	return true;
}

static bool hand_over(struct world *w, struct prop *p)
{
	unsigned int per = w->unit < 4096 ? (unsigned int)(4096 / w->unit) : 1;
	struct handed h = { .stop = CELLS }, cut = { .stop = (unsigned int)prop_draw(p, 3) };
	uint64_t first_pfn = w->origin >> 12;
	uint64_t max_pfn = first_pfn + prop_draw(p, CELLS / per + 1);
	unsigned int i = 0;
	uint64_t pfn = 0;
	int last_nid = 0;
	bool prev = false;

	if (per > CELLS)
		return true;
	PROP_ASSERT(p, !pz_memblock_hand_over(&w->mb, max_pfn, take_pages, &h));
	/* The space starts on a page. */
	for (unsigned int k = 0; k + per <= CELLS; k += per) {
		bool whole = (at(w, k) >> 12) < max_pfn;

		for (unsigned int j = k; j < k + per; j++)
			whole = whole && o_free(w, j) && alike(&w->o.memory[j], &w->o.memory[k]);
		pfn = at(w, k) >> 12;
		if (whole && prev && w->o.memory[k].nid == last_nid) {
			PROP_ASSERT(p, i > 0 && h.r[i - 1].last >= pfn);
		} else if (whole) {
			PROP_ASSERT(p, i < h.n && h.r[i].first == pfn);
			PROP_ASSERT(p, h.nid[i] == w->o.memory[k].nid);
			i++;
		} else if (i) {
			PROP_ASSERT(p, h.r[i - 1].last < pfn);
		}
		prev = whole;
		last_nid = w->o.memory[k].nid;
	}
	PROP_ASSERT(p, i == h.n && (!i || h.r[i - 1].last <= pfn));
	PROP_ASSERT(p, pz_memblock_hand_over(&w->mb, max_pfn, take_pages, &cut) ==
			       (h.n > cut.stop ? -PZ_EBUSY : 0));
	return true;
}

static bool prop_iterate(struct prop *p, void *ctx)
{
	struct world w;
	bool fine;

	(void)ctx;
	PROP_ASSERT(p, world_start(&w, p));
	fine = fill(&w, p) && walk(&w, p) && hand_over(&w, p);
	return finish(&w, p) && fine;
}

static bool arrays_equal(const struct pz_mb_array *a, const struct pz_mb_array *b)
{
	return a->count == b->count && a->split == b->split &&
	       (!a->count || !memcmp(a->v, b->v, a->count * sizeof(a->v[0])));
}

/* Fill the arrays to the brim, so that the next change that needs room must call the hook. */
static bool brim(struct world *w, struct prop *p)
{
	struct pz_mb_array *a[2] = { &w->mb.memory, &w->mb.reserved };

	for (unsigned int i = 0; i < 2; i++) {
		uint32_t n = a[i]->count ? a[i]->count : 1;
		struct pz_mb_region *v = world_alloc(w, n * sizeof(*v));

		PROP_ASSERT(p, v != NULL);
		if (a[i]->count)
			memcpy(v, a[i]->v, a[i]->count * sizeof(*v));
		if (a[i]->owned)
			world_free(w, a[i]->v, a[i]->cap * sizeof(*v));
		a[i]->v = v;
		a[i]->cap = n;
		a[i]->owned = true;
	}
	return true;
}

/* Every change, with the hook failing: all or nothing. */
static bool prop_failure(struct prop *p, void *ctx)
{
	struct world w;
	struct pz_memblock before, copy;
	bool fine;

	(void)ctx;
	PROP_ASSERT(p, world_start(&w, p));
	PROP_ASSERT(p, pz_memblock_init(&before, &w.meta, 12) == 0);
	PROP_ASSERT(p, pz_memblock_init(&copy, &w.meta, 12) == 0);
	fine = fill(&w, p);
	for (unsigned int i = 0; i < 20 && fine; i++) {
		unsigned int op = prop_choice(p, 8);
		unsigned int from = (unsigned int)prop_draw(p, CELLS - 1);
		unsigned int n = (unsigned int)prop_draw(p, CELLS - from);
		int nid = (int)prop_draw(p, 2) - 1;
		uint32_t flags = draw_flags(p), s, e;
		uint64_t base = at(&w, from), size = n * w.unit;
		enum pz_mb_which which = prop_choice(p, 2) ? PZ_MB_RESERVED : PZ_MB_MEMORY;
		struct pz_mb_req req = pz_mb_req(size, w.unit);
		struct pz_range r;
		int err = 0, found;

		fine = brim(&w, p) && pz_memblock_copy(&before, &w.mb) == 0;
		if (!fine)
			break;
		found = pz_memblock_find(&w.mb, &req, &r);
		w.calls = 0;
		w.fail_at = 1;
		switch (op) {
		case 0:
			err = pz_memblock_add(&w.mb, base, size, nid, flags);
			break;
		case 1:
			err = pz_memblock_reserve(&w.mb, base, size, nid, flags);
			break;
		case 2:
			err = pz_memblock_remove(&w.mb, base, size);
			break;
		case 3:
			err = pz_memblock_free(&w.mb, base, size);
			break;
		case 4:
			r.first = base;
			r.last = base + size - 1;
			if (n)
				err = pz_memblock_isolate(&w.mb, which, r, &s, &e);
			break;
		case 5:
			err = pz_memblock_mark(&w.mb, which, base, size, flags, 0);
			break;
		case 6:
			err = pz_memblock_set_node(&w.mb, which, base, size, nid);
			break;
		default:
			err = pz_memblock_alloc(&w.mb, &req, &r);
			if (found) {
				fine = err == found && !w.calls;
				err = 0;
			}
			break;
		}
		w.fail_at = 0;
		prop_note(p, "op %u: cells %u+%u err %d", op, from, n, err);
		if (w.calls)
			fine = fine && err == -PZ_ENOMEM;
		else
			fine = fine && (err == 0 || err == -PZ_EEXIST);
		if (err == -PZ_ENOMEM)
			fine = fine && arrays_equal(&w.mb.memory, &before.memory) &&
			       arrays_equal(&w.mb.reserved, &before.reserved);
		/* Adding asks for no more room than it needs. */
		if (err == -PZ_ENOMEM && op < 2) {
			struct pz_mb_array *a = op ? &w.mb.reserved : &w.mb.memory;
			uint32_t cap = a->cap;
			bool split = a->split;

			err = op ? pz_memblock_reserve(&w.mb, base, size, nid, flags)
				 : pz_memblock_add(&w.mb, base, size, nid, flags);
			fine = fine && err != -PZ_ENOMEM && (split || a->count > cap);
		}
		fine = fine && pz_memblock_check(&w.mb) == 0;

		/* A copy fails as a whole, whichever array has no room. */
		w.calls = 0;
		w.fail_at = 1 + (i & 1);
		err = pz_memblock_copy(&copy, &w.mb);
		if (w.calls >= w.fail_at)
			fine = fine && err == -PZ_ENOMEM && !copy.memory.count &&
			       !copy.reserved.count;
		w.fail_at = 0;
		pz_memblock_destroy(&copy);
	}
	pz_memblock_destroy(&before);
	return finish(&w, p) && fine;
}

int main(void)
{
	prop_run("changes keep to the cells", prop_changes, NULL, 4000);
	prop_run("allocation finds what trying every place finds", prop_alloc, NULL, 6000);
	prop_run("iteration and hand-over give what is free", prop_iterate, NULL, 6000);
	prop_run("a metadata hook that fails changes nothing", prop_failure, NULL, 3000);
	return prop_done();
}
