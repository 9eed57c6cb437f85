/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compute.c - memory requests served, one after the other.
 *
 * Everything is told for one moment: the one at which most bytes are asked for. It is looked for
 * first; then the events up to it are served. The slabs of a trace are kept one by one, as one CPU
 * has them: objects come from its own slab, then from one that has room, the newest first, then
 * from a new one; a slab that becomes empty goes back when the cache has enough with room.
 *
 * Shortcomings: one CPU and one node. What was allocated before a trace began is not known.
 */
#include "waste.h"

#include <stdlib.h>
#include <string.h>

#define COMPUTE_NONE SIZE_MAX

/* An object of a trace that is not freed yet; or a row, whose key stands for the address. */
struct compute_live {
	uint64_t ptr; /* 0: the place is free */
	size_t size, slab;
};

/* Objects by address, or rows by size: open addressing, at most half full. */
struct compute_map {
	struct compute_live *v;
	size_t mask, n;
};

struct compute {
	struct waste *w;
	struct compute_map map;
	struct compute_map rows; /* by size and type, the row */
	bool trace, serve; /* serve: keep slabs too */
};

static size_t compute_hash(const struct compute_map *m, uint64_t ptr)
{
	return (size_t)(ptr * UINT64_C(0x9e3779b97f4a7c15) >> 20) & m->mask;
}

static struct compute_live *compute_find(struct compute_map *m, uint64_t ptr)
{
	size_t i = compute_hash(m, ptr);

	while (m->v[i].ptr && m->v[i].ptr != ptr)
		i = (i + 1) & m->mask;
	return &m->v[i];
}

static void compute_map_init(struct compute_map *m, size_t mask)
{
	m->v = xcalloc(mask + 1, sizeof(*m->v));
	m->mask = mask;
	m->n = 0;
}

static void compute_add(struct compute_map *m, struct compute_live live)
{
	if (2 * (m->n + 1) > m->mask) {
		struct compute_map wider;

		compute_map_init(&wider, 2 * m->mask + 1);
		for (size_t i = 0; i <= m->mask; i++)
			if (m->v[i].ptr)
				*compute_find(&wider, m->v[i].ptr) = m->v[i];
		wider.n = m->n;
		free(m->v);
		*m = wider;
	}
	*compute_find(m, live.ptr) = live;
	m->n++;
}

/* Take one out, and close the gap: what stands behind it is put in again. */
static void compute_remove(struct compute_map *m, struct compute_live *live)
{
	size_t i = (size_t)(live - m->v);

	live->ptr = 0;
	m->n--;
	for (i = (i + 1) & m->mask; m->v[i].ptr; i = (i + 1) & m->mask) {
		struct compute_live again = m->v[i];

		m->v[i].ptr = 0;
		*compute_find(m, again.ptr) = again;
	}
}

uint64_t waste_page_bytes(const struct waste *w, uint64_t bytes)
{
	const uint64_t page = UINT64_C(1) << w->page_shift;

	return (bytes + page - 1) & ~(page - 1);
}

uint64_t waste_order_bytes(const struct waste *w, uint64_t bytes)
{
	uint64_t block = UINT64_C(1) << w->page_shift;

	while (block < bytes)
		block <<= 1;
	return block;
}

unsigned int waste_per_mille(uint64_t asked, uint64_t held)
{
	return held ? (unsigned int)((held - asked) * 1000.0 / (double)held + 0.5) : 0;
}

/* The cache that serves a size, or COMPUTE_NONE. */
static size_t compute_cache(struct waste *w, const struct pzl_kmalloc_served *s)
{
	struct pzl_slab_cache made;
	struct waste_cache *c;
	char name[PZL_SLAB_BOOT_NAME];

	if (s->large)
		return COMPUTE_NONE;
	pzl_kmalloc_name(name, sizeof(name), s->type, 1, s->size);
	for (size_t i = 0; i < w->caches.n; i++)
		if (!strcmp(w->caches.v[i].name, name))
			return i;
	if (pzl_kmalloc_cache(&w->boot.km, s->type, s->size, &made))
		return COMPUTE_NONE;
	made.flags = pzl_slab_debug_flags(&w->debug, name, made.flags);
	c = vec_push(&w->caches);
	memcpy(c->name, name, sizeof(name));
	c->type = s->type;
	c->current = COMPUTE_NONE;
	if (pzl_slab_geometry(&w->boot.k, &made, &c->g)) {
		w->caches.n--;
		return COMPUTE_NONE;
	}
	return w->caches.n - 1;
}

/* What a row is found by; not 0, for no size is. */
static uint64_t compute_row_key(uint64_t bytes, enum pzl_kmalloc_type type)
{
	return bytes << 8 | (uint64_t)type;
}

/* The row of a size. */
static size_t compute_size(struct compute *k, uint64_t bytes, uint32_t gfp)
{
	struct waste *w = k->w;
	struct pzl_kmalloc_served s;
	struct waste_size *row;
	uint64_t key;

	if (pzl_slab_boot_kmalloc(&w->boot, bytes, gfp, &s))
		return COMPUTE_NONE;
	key = compute_row_key(bytes, s.type);
	if (compute_find(&k->rows, key)->ptr)
		return compute_find(&k->rows, key)->size;
	row = vec_push(&w->sizes);
	row->bytes = bytes;
	row->type = s.type;
	row->cache = compute_cache(w, &s);
	compute_add(&k->rows, (struct compute_live){ key, w->sizes.n - 1, COMPUTE_NONE });
	return w->sizes.n - 1;
}

/* The CPU's slab gives way: it counts among those with room when it has some. */
static void compute_leave(struct waste_cache *c)
{
	struct waste_slab *s;

	if (c->current == COMPUTE_NONE)
		return;
	s = &c->slab.v[c->current];
	if (s->used < c->g.objects) {
		s->queued = true;
		c->partial++;
		*vec_push(&c->room) = c->current;
	}
	c->current = COMPUTE_NONE;
}

/* One object; the slab that it is in. */
static size_t compute_object(struct waste_cache *c)
{
	if (c->current == COMPUTE_NONE || c->slab.v[c->current].used == c->g.objects) {
		compute_leave(c);
		while (c->room.n && c->current == COMPUTE_NONE) {
			const size_t i = c->room.v[--c->room.n];

			if (!c->slab.v[i].queued)
				continue;
			c->slab.v[i].queued = false;
			c->partial--;
			c->current = i;
		}
	}
	if (c->current == COMPUTE_NONE) {
		vec_push(&c->slab)->held = true;
		c->slabs++;
		c->current = c->slab.n - 1;
	}
	c->slab.v[c->current].used++;
	return c->current;
}

static void compute_object_free(struct waste_cache *c, size_t slab)
{
	struct waste_slab *s = &c->slab.v[slab];

	s->used--;
	if (slab == c->current)
		return;
	if (!s->queued) {
		s->queued = true;
		c->partial++;
		*vec_push(&c->room) = slab;
	}
	if (!s->used && c->partial > c->g.min_partial) {
		s->queued = false;
		s->held = false;
		c->partial--;
		c->slabs--;
	}
}

static void compute_free(struct compute *k, struct compute_live *live)
{
	struct waste_size *row = &k->w->sizes.v[live->size];

	row->count--;
	k->w->count--;
	k->w->asked -= row->bytes;
	if (k->serve && row->cache != COMPUTE_NONE) {
		k->w->caches.v[row->cache].objects--;
		compute_object_free(&k->w->caches.v[row->cache], live->slab);
	}
	compute_remove(&k->map, live);
}

static void compute_event(struct compute *k, const struct waste_event *e)
{
	struct waste *w = k->w;
	struct compute_live live = { e->ptr, COMPUTE_NONE, COMPUTE_NONE };
	struct waste_cache *c;

	if (e->ptr) {
		struct compute_live *old = compute_find(&k->map, e->ptr);

		/* An address that is given out again was freed, unseen. */
		if (old->ptr)
			compute_free(k, old);
	}
	if (e->free)
		return;
	live.size = compute_size(k, e->bytes, e->gfp);
	w->sizes.v[live.size].count += e->count;
	w->count += e->count;
	w->asked += e->bytes * e->count;
	if (k->serve && w->sizes.v[live.size].cache != COMPUTE_NONE) {
		c = &w->caches.v[w->sizes.v[live.size].cache];
		c->objects += e->count;
		if (k->trace)
			live.slab = compute_object(c);
		else
			c->slabs = (c->objects + c->g.objects - 1) / c->g.objects;
	}
	if (e->ptr)
		compute_add(&k->map, live);
}

/* Events up to a number of them; the number at which most is asked for. */
static size_t compute_replay(struct waste *w, const struct waste_input *in, size_t n, bool serve)
{
	struct compute k = { .w = w, .trace = in->trace, .serve = serve };
	uint64_t most = 0;
	size_t peak = 0;

	compute_map_init(&k.map, 63);
	compute_map_init(&k.rows, 63);
	w->count = 0;
	w->asked = 0;
	for (size_t i = 0; i < w->sizes.n; i++) {
		const struct waste_size *s = &w->sizes.v[i];

		w->sizes.v[i].count = 0;
		compute_add(&k.rows, (struct compute_live){ compute_row_key(s->bytes, s->type), i,
							    COMPUTE_NONE });
	}
	for (size_t i = 0; i < n; i++) {
		compute_event(&k, &in->events.v[i]);
		if (w->asked > most) {
			most = w->asked;
			peak = i + 1;
		}
	}
	free(k.map.v);
	free(k.rows.v);
	return peak;
}

static int compute_order(const void *a, const void *b)
{
	const struct waste_size *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->type < y->type ? -1 : x->type > y->type;
}

/* Allocations whose size the kernel of the trace tells otherwise. */
static void compute_said(struct waste *w, const struct waste_input *in)
{
	for (size_t i = 0; i < in->events.n; i++) {
		const struct waste_event *e = &in->events.v[i];
		struct pzl_kmalloc_served s;

		if (e->said && !pzl_slab_boot_kmalloc(&w->boot, e->bytes, e->gfp, &s))
			w->differ += (s.large ? waste_order_bytes(w, e->bytes) : s.size) != e->said;
	}
}

void waste_compute(struct waste *w, const struct waste_input *in)
{
	size_t kept = 0;

	w->peak = compute_replay(w, in, in->events.n, false);
	(void)compute_replay(w, in, w->peak, true);
	compute_said(w, in);
	for (size_t i = 0; i < w->sizes.n; i++) {
		const struct waste_size row = w->sizes.v[i];
		const uint64_t orders = waste_order_bytes(w, row.bytes) * row.count;

		if (!row.count)
			continue;
		w->sizes.v[kept++] = row;
		w->held[WASTE_ORDERS] += orders;
		w->held[WASTE_PAGES] += waste_page_bytes(w, row.bytes) * row.count;
		if (row.cache == COMPUTE_NONE)
			w->held[WASTE_KMALLOC] += orders;
	}
	w->sizes.n = kept;
	for (size_t i = 0; i < w->caches.n; i++)
		w->held[WASTE_KMALLOC] += w->caches.v[i].slabs
					  << (w->page_shift + w->caches.v[i].g.order);
	if (kept)
		qsort(w->sizes.v, kept, sizeof(*w->sizes.v), compute_order);
}

void waste_destroy(struct waste *w)
{
	for (size_t i = 0; i < w->caches.n; i++) {
		vec_free(&w->caches.v[i].slab);
		vec_free(&w->caches.v[i].room);
	}
	vec_free(&w->sizes);
	vec_free(&w->caches);
}
