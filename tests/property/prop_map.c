/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_map.c - the typed map against an array that says of every byte of a small space whose it
 * is.
 */
#include "prop.h"

#include <physzone/map.h>

#include <stdlib.h>
#include <string.h>

#define BYTES 64
#define MAX_RAW 24
#define PAGE_SHIFT 2

/* A byte: of which type, by which entry, with which mark. Type 0 is a hole. */
struct byte {
	uint32_t type;
	uint32_t ref;
	uint32_t id;
};

struct world {
	struct pz_map m;
	struct byte o[BYTES];
	struct pz_map_entry raw[2 * MAX_RAW];
	unsigned int n;
	uint64_t origin;
	/* the metadata hook */
	struct pz_meta meta;
	size_t live;
	unsigned int calls, fail_at;
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

static void world_start(struct world *w, struct prop *p)
{
	memset(w, 0, sizeof(*w));
	w->origin = prop_choice(p, 2) ? UINT64_MAX - BYTES + 1 : 0;
	w->meta.alloc = world_alloc;
	w->meta.free = world_free;
	w->meta.ctx = w;
}

static bool apart(uint32_t type)
{
	return type == PZ_MAP_PRAM || type == PZ_MAP_SOFT_RESERVED;
}

static uint32_t draw_type(struct prop *p)
{
	static const uint32_t t[] = {
		PZ_MAP_RAM, PZ_MAP_RESERVED, PZ_MAP_ACPI, PZ_MAP_PRAM, PZ_MAP_SOFT_RESERVED, 77, 0
	};

	return t[prop_choice(p, 7)];
}

/* Insert up to MAX_RAW entries, each with a mark of its own. */
static bool insert_some(struct world *w, struct prop *p, unsigned int max)
{
	unsigned int n = (unsigned int)prop_draw(p, max);

	for (unsigned int i = 0; i < n; i++) {
		unsigned int from = (unsigned int)prop_draw(p, BYTES - 1);
		unsigned int len = (unsigned int)prop_between(p, 1, BYTES - from);
		struct pz_map_entry e = { { w->origin + from, w->origin + from + (len - 1) },
					  draw_type(p),
					  (w->n * 7 + 3) % MAX_RAW + 1 };

		prop_note(p, "entry %u+%u type %u ref %u", from, len, e.type, e.ref);
		if (prop_choice(p, 2))
			PROP_ASSERT(p, !pz_map_insert(&w->m, e.range.first, len, e.type, e.ref));
		else
			PROP_ASSERT(p, !pz_map_insert_range(&w->m, e.range, e.type, e.ref));
		w->raw[w->n++] = e;
	}
	return true;
}

static bool wins(const struct pz_map_entry *a, const struct pz_map_entry *b)
{
	if (a->type != b->type)
		return a->type > b->type;
	if (a->range.first != b->range.first)
		return a->range.first < b->range.first;
	if (a->range.last != b->range.last)
		return a->range.last > b->range.last;
	return a->ref < b->ref;
}

static void o_sanitise(struct world *w)
{
	for (unsigned int k = 0; k < BYTES; k++) {
		const struct pz_map_entry *best = NULL;

		for (unsigned int i = 0; i < w->n; i++) {
			const struct pz_map_entry *e = &w->raw[i];

			if (e->range.first <= w->origin + k && e->range.last >= w->origin + k &&
			    (!best || wins(e, best)))
				best = e;
		}
		memset(&w->o[k], 0, sizeof(w->o[k]));
		if (best && best->type) {
			w->o[k].type = best->type;
			w->o[k].ref = best->ref;
			w->o[k].id = best->ref;
		}
	}
}

/* Whether the map is exactly what the bytes say; they then take the mark and number of theirs. */
static bool same(struct world *w, struct prop *p)
{
	uint32_t i = 0;

	PROP_ASSERT(p, pz_map_check(&w->m) == 0);
	for (unsigned int k = 0, end; k < BYTES; k = end) {
		uint32_t type = w->o[k].type, ref = w->o[k].ref;

		for (end = k + 1; end < BYTES && w->o[end].type == type &&
				  (!apart(type) || w->o[end].id == w->o[end - 1].id);
		     end++)
			if (w->o[end].ref < ref)
				ref = w->o[end].ref;
		if (!type)
			continue;
		PROP_ASSERT(p, i < w->m.count);
		PROP_ASSERT(p, w->m.v[i].range.first == w->origin + k);
		PROP_ASSERT(p, w->m.v[i].range.last == w->origin + (end - 1));
		PROP_ASSERT(p, w->m.v[i].type == type);
		PROP_ASSERT(p, w->m.v[i].ref == ref);
		i++;
		for (unsigned int j = k; j < end; j++) {
			w->o[j].ref = ref;
			w->o[j].id = i;
		}
	}
	PROP_ASSERT(p, i == w->m.count);
	return true;
}

static unsigned int odd_count(const struct world *w, enum pz_map_oddity what)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < w->m.odd_count; i++)
		n += w->m.odd[i].what == what;
	return n;
}

static bool meet(const struct pz_map_entry *a, const struct pz_map_entry *b)
{
	return a->range.first <= b->range.last && b->range.first <= a->range.last;
}

/* An overlap that is noted is one, and whoever loses alone is named. */
static bool overlaps_told(const struct world *w, struct prop *p)
{
	for (uint32_t k = 0; k < w->m.odd_count; k++) {
		const struct pz_map_odd *odd = &w->m.odd[k];
		unsigned int loser = 0, other = 0;

		if (odd->what != PZ_ODD_OVERLAP && odd->what != PZ_ODD_DUPLICATE)
			continue;
		for (unsigned int i = 0; i < w->n; i++) {
			const struct pz_map_entry *e = &w->raw[i];
			bool holds = e->range.first <= odd->range.first &&
				     e->range.last >= odd->range.last;

			loser += holds && e->ref == odd->ref && e->type == odd->type;
			other += holds && (odd->what == PZ_ODD_OVERLAP ? e->type > odd->type
								       : e->type == odd->type);
		}
		PROP_ASSERT(p, loser == 1 && other >= (odd->what == PZ_ODD_OVERLAP ? 1 : 2));
	}
	for (unsigned int i = 0; i < w->n; i++) {
		const struct pz_map_entry *e = &w->raw[i];
		bool alone = e->type != 0, loses = false, told = false;

		for (unsigned int j = 0; j < w->n; j++) {
			if (j == i || !meet(e, &w->raw[j]))
				continue;
			alone = alone && w->raw[j].type != e->type;
			loses = loses || w->raw[j].type > e->type;
		}
		for (uint32_t k = 0; k < w->m.odd_count; k++)
			told = told ||
			       (w->m.odd[k].what == PZ_ODD_OVERLAP && w->m.odd[k].ref == e->ref);
		PROP_ASSERT(p, !alone || loses == told);
	}
	return true;
}

/* After one sanitising of raw entries: the oddities that can be counted. */
static bool oddities(struct world *w, struct prop *p, unsigned int bits)
{
	uint64_t max = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
	unsigned int unsorted = 0, unknown = 0, beyond = 0, duplicate = 0, partial = 0;

	for (unsigned int i = 0; i < w->n; i++) {
		const struct pz_map_entry *e = &w->raw[i];
		bool again = false;

		unsorted += i && e->range.first < w->raw[i - 1].range.first;
		unknown += e->type == 0 || e->type == 77;
		beyond += e->range.last > max;
		for (unsigned int j = 0; j < w->n; j++)
			again = again || (j != i && e->type && w->raw[j].type == e->type &&
					  meet(e, &w->raw[j]) && wins(&w->raw[j], e));
		duplicate += again;
	}
	for (uint32_t i = 0; i < w->m.count; i++) {
		const struct pz_range r = w->m.v[i].range;
		bool head = r.first & 3, tail = (r.last & 3) != 3;

		if (w->m.v[i].type == PZ_MAP_RAM)
			partial += r.first >> 2 == r.last >> 2 ? head || tail : head + tail;
	}
	PROP_ASSERT(p, odd_count(w, PZ_ODD_UNSORTED) == unsorted);
	PROP_ASSERT(p, odd_count(w, PZ_ODD_UNKNOWN_TYPE) == unknown);
	PROP_ASSERT(p, odd_count(w, PZ_ODD_BEYOND_WIDTH) == beyond);
	PROP_ASSERT(p, odd_count(w, PZ_ODD_DUPLICATE) == duplicate);
	PROP_ASSERT(p, odd_count(w, PZ_ODD_PARTIAL_PAGE) == partial);
	PROP_ASSERT(p, odd_count(w, PZ_ODD_FEW) == (w->n < 2));
	PROP_ASSERT(p, w->m.odd_lost == 0);
	return overlaps_told(w, p);
}

static bool finish(struct world *w, struct prop *p)
{
	pz_map_destroy(&w->m);
	PROP_ASSERT(p, w->live == 0 && !w->bad_free);
	return true;
}

static bool prop_sanitise(struct prop *p, void *ctx)
{
	struct world w;
	unsigned int bits;
	bool fine;

	(void)ctx;
	world_start(&w, p);
	bits = w.origin ? 64 - prop_choice(p, 2) : 1 + prop_choice(p, 6);
	pz_map_init(&w.m, &w.meta, NULL, 0);
	fine = insert_some(&w, p, MAX_RAW / 2);
	if (fine)
		fine = pz_map_sanitise(&w.m, PAGE_SHIFT, bits) == 0;
	o_sanitise(&w);
	fine = fine && same(&w, p) && oddities(&w, p, bits);
	/* What was sanitised stays as it is, and no oddity is told twice. */
	fine = fine && pz_map_sanitise(&w.m, PAGE_SHIFT, bits) == 0 && same(&w, p);
	if (fine && w.m.count >= 2 && w.n >= 2)
		fine = oddities(&w, p, bits);
	return finish(&w, p) && fine;
}

static bool set_types(struct world *w, struct prop *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		unsigned int from = (unsigned int)prop_draw(p, BYTES - 1);
		unsigned int end = (unsigned int)prop_between(p, from, BYTES - 1);
		uint32_t old = draw_type(p), to = draw_type(p);
		struct pz_range r = { w->origin + from, w->origin + end };

		prop_note(p, "set_type %u-%u from %u to %u", from, end, old, to);
		PROP_ASSERT(p, !pz_map_set_type(&w->m, r, old, to));
		for (unsigned int k = from; k <= end; k++) {
			struct byte *b = &w->o[k];

			if (!b->type || (old && b->type != old) || b->type == to)
				continue;
			b->type = to;
			b->id += 1000;
		}
		if (!same(w, p))
			return false;
		for (unsigned int k = 0; k < BYTES; k++) {
			uint32_t at = pz_map_find(&w->m, w->origin + k);

			PROP_ASSERT(p, at == w->m.count || w->m.v[at].range.last >= w->origin + k);
			PROP_ASSERT(p, !at || w->m.v[at - 1].range.last < w->origin + k);
		}
	}
	return true;
}

static bool prop_set_type(struct prop *p, void *ctx)
{
	struct world w;
	bool fine;

	(void)ctx;
	world_start(&w, p);
	pz_map_init(&w.m, &w.meta, NULL, 0);
	fine = insert_some(&w, p, MAX_RAW / 2) && !pz_map_sanitise(&w.m, PAGE_SHIFT, 64);
	o_sanitise(&w);
	fine = fine && same(&w, p) && set_types(&w, p, 8);
	return finish(&w, p) && fine;
}

/* What is inserted into a sanitised map is raw again, and only that is told as new. */
static bool prop_again(struct prop *p, void *ctx)
{
	struct world w;
	unsigned int unsorted, unknown, kept;
	bool fine;

	(void)ctx;
	world_start(&w, p);
	pz_map_init(&w.m, &w.meta, NULL, 0);
	fine = insert_some(&w, p, MAX_RAW / 4) && !pz_map_sanitise(&w.m, PAGE_SHIFT, 64);
	o_sanitise(&w);
	fine = fine && same(&w, p) && set_types(&w, p, prop_choice(p, 3));
	unsorted = odd_count(&w, PZ_ODD_UNSORTED);
	unknown = odd_count(&w, PZ_ODD_UNKNOWN_TYPE);

	kept = w.n = fine ? w.m.count : 0;
	for (unsigned int i = 0; i < kept; i++)
		w.raw[i] = w.m.v[i];
	fine = fine && insert_some(&w, p, MAX_RAW / 4);
	for (unsigned int i = kept; i < w.n; i++) {
		unsorted += i > kept && w.raw[i].range.first < w.raw[i - 1].range.first;
		unknown += w.raw[i].type == 0 || w.raw[i].type == 77;
	}
	fine = fine && !pz_map_sanitise(&w.m, PAGE_SHIFT, 64);
	o_sanitise(&w);
	for (unsigned int k = 0; k < BYTES && fine; k++) {
		uint32_t at = pz_map_find(&w.m, w.origin + k);
		bool there = at < w.m.count && w.m.v[at].range.first <= w.origin + k;

		fine = (there ? w.m.v[at].type : 0) == w.o[k].type;
	}
	fine = fine && pz_map_check(&w.m) == 0 && odd_count(&w, PZ_ODD_UNSORTED) == unsorted &&
	       odd_count(&w, PZ_ODD_UNKNOWN_TYPE) == unknown;
	return finish(&w, p) && fine;
}

static bool prop_last_pfn(struct prop *p, void *ctx)
{
	struct world w;
	bool fine;

	(void)ctx;
	world_start(&w, p);
	pz_map_init(&w.m, &w.meta, NULL, 0);
	fine = insert_some(&w, p, 6) && !pz_map_sanitise(&w.m, PAGE_SHIFT, 64);
	o_sanitise(&w);
	for (uint64_t pages = 0; pages <= BYTES / 4 + 1 && fine; pages++) {
		uint64_t limit = (w.origin >> PAGE_SHIFT) + pages, want = 0;

		for (unsigned int k = 0; k < BYTES; k++) {
			uint64_t addr = w.origin + k;

			if (w.o[k].type == PZ_MAP_RAM && addr >> PAGE_SHIFT < limit)
				want = (addr >> PAGE_SHIFT) + ((addr & 3) == 3);
		}
		fine = pz_map_last_pfn(&w.m, PZ_MAP_RAM, PAGE_SHIFT, limit) == want;
	}
	return finish(&w, p) && fine;
}

/* A store that cannot grow, of any size: either it serves, or nothing changes. */
static bool prop_fixed(struct prop *p, void *ctx)
{
	static struct pz_map_entry store[4 * MAX_RAW], before[4 * MAX_RAW];
	struct world w;
	uint32_t count;
	bool fine = true;
	int err;

	(void)ctx;
	world_start(&w, p);
	pz_map_init(&w.m, NULL, store, MAX_RAW);
	fine = insert_some(&w, p, MAX_RAW / 2);
	w.m.cap = w.n + (uint32_t)prop_draw(p, 3 * MAX_RAW);
	memcpy(before, store, sizeof(before));
	count = w.m.count;
	err = pz_map_sanitise(&w.m, PAGE_SHIFT, 64);
	o_sanitise(&w);
	if (err) {
		PROP_ASSERT(p, err == -PZ_ENOSPC && !w.m.sanitised && w.m.count == count);
		PROP_ASSERT(p, w.m.cap < 4 * count && !memcmp(before, store, sizeof(before)));
		PROP_ASSERT(p, pz_map_set_type(&w.m, w.raw[0].range, 0, 1) == -PZ_EINVAL);
		w.m.cap = 4 * MAX_RAW;
		PROP_ASSERT(p, !pz_map_sanitise(&w.m, PAGE_SHIFT, 64));
	}
	fine = fine && same(&w, p);
	PROP_ASSERT(p, fine && w.m.odd_count == 0);

	/* To the brim: a change that ends with as many entries must do. */
	for (unsigned int i = 0; i < 12; i++) {
		unsigned int from = (unsigned int)prop_draw(p, BYTES - 1);
		struct pz_range r = { w.origin + from,
				      w.origin + prop_between(p, from, BYTES - 1) };
		uint32_t old = draw_type(p), to = draw_type(p);

		w.m.cap = w.m.count;
		count = w.m.count;
		memcpy(before, store, sizeof(before));
		err = pz_map_set_type(&w.m, r, old, to);
		PROP_ASSERT(p, pz_map_check(&w.m) == 0);
		if (err) {
			PROP_ASSERT(p, err == -PZ_ENOSPC && w.m.count == count);
			PROP_ASSERT(p, !memcmp(before, store, sizeof(before)));
			w.m.cap = 4 * MAX_RAW;
			PROP_ASSERT(p, !pz_map_set_type(&w.m, r, old, to));
			PROP_ASSERT(p, w.m.count > count);
		}
		PROP_ASSERT(p, w.m.count <= 4 * MAX_RAW - 2);
	}
	return true;
}

/* The hook fails at each call in turn: an error changes nothing, and nothing leaks. */
static bool prop_failure(struct prop *p, void *ctx)
{
	struct world w;
	unsigned int fail_at = 1 + (unsigned int)prop_draw(p, 5);
	uint32_t count;
	bool fine = true, failed = false;
	int err;

	(void)ctx;
	world_start(&w, p);
	pz_map_init(&w.m, &w.meta, NULL, 0);
	w.fail_at = fail_at;
	for (unsigned int i = 0; i < MAX_RAW / 2; i++) {
		uint64_t first = w.origin + prop_draw(p, BYTES - 1);

		count = w.m.count;
		err = pz_map_insert(&w.m, first, 1 + prop_draw(p, 3), draw_type(p), i);
		if (err)
			fine = fine && err == -PZ_ENOMEM && w.m.count == count;
		else
			fine = fine && w.m.count == count + 1;
		failed = failed || err;
	}
	count = w.m.count;
	err = pz_map_sanitise(&w.m, PAGE_SHIFT, 64);
	if (err)
		fine = fine && err == -PZ_ENOMEM && w.m.count == count && !w.m.sanitised;
	else
		fine = fine && pz_map_check(&w.m) == 0;
	/* A hook that failed was seen by someone: the caller, or the list of oddities. */
	fine = fine && (w.calls >= fail_at) == (failed || err || w.m.odd_lost);
	return finish(&w, p) && fine;
}

int main(void)
{
	prop_run("sanitising resolves as a byte array does", prop_sanitise, NULL, 20000);
	prop_run("types change as in a byte array", prop_set_type, NULL, 8000);
	prop_run("more entries after sanitising", prop_again, NULL, 8000);
	prop_run("the last page frame of a type", prop_last_pfn, NULL, 2000);
	prop_run("a store that cannot grow", prop_fixed, NULL, 5000);
	prop_run("a metadata hook that fails changes nothing", prop_failure, NULL, 3000);
	return prop_done();
}
