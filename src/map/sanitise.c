/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sanitise.c - from raw entries in any order to a map without overlaps.
 *
 * Concept
 *  A sweep from the bottom of the address space to its top. Entries wait sorted by where they
 *  start; those that the sweep has entered are in a heap with the winner on top: the numerically
 *  highest type and, of equals, the one that starts first. Between two events (an entry starts, the
 *  winner ends) there is one winner, and it makes or lengthens an entry of the result. An entry
 *  that ended while others won is dropped only when it comes to the top.
 *
 * Invariants
 *  1. At every position of the sweep no entry on top of the heap ends below it.
 *  2. The result ascends without overlaps; each address has the highest type of the raw entries
 *     that hold it, and none when none does (type 0 holds nothing).
 *  3. Neighbours of equal type that touch are one entry, unless the type stays apart; an entry of
 *     such a type is not cut by what it wins over.
 *  4. The result has fewer than twice the raw entries, so scratch space for three times suffices.
 *
 * Failure
 *  Scratch space is asked for first; after that nothing fails.
 *
 * Shortcomings
 *  Linux cuts a persistent or soft reserved entry wherever any other entry starts or ends inside;
 *  here it stays whole.
 */
#include "map_internal.h"
#include "../base/pz_string.h"

/* The order of the sweep: by start, longer ones first. */
static bool map_starts_before(const struct pz_map_entry *a, const struct pz_map_entry *b)
{
	if (a->range.first != b->range.first)
		return a->range.first < b->range.first;
	if (a->range.last != b->range.last)
		return a->range.last > b->range.last;
	return a->ref < b->ref;
}

/* The order in which entries of one type lie side by side. */
static bool map_type_before(const struct pz_map_entry *a, const struct pz_map_entry *b)
{
	return a->type != b->type ? a->type < b->type : map_starts_before(a, b);
}

/* The order of the heap: what wins comes last. */
static bool map_loses_to(const struct pz_map_entry *a, const struct pz_map_entry *b)
{
	return a->type != b->type ? a->type < b->type : map_starts_before(b, a);
}

typedef bool (*map_before_fn)(const struct pz_map_entry *a, const struct pz_map_entry *b);

/* Move the entry at i down to where no child comes after it. */
static void map_sift_down(struct pz_map_entry *v, uint32_t n, uint32_t i, map_before_fn before)
{
	struct pz_map_entry e = v[i];

	for (;;) {
		uint64_t child = 2 * (uint64_t)i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && before(&v[child], &v[child + 1]))
			child++;
		if (!before(&e, &v[child]))
			break;
		v[i] = v[child];
		i = (uint32_t)child;
	}
	v[i] = e;
}

static void map_sort(struct pz_map_entry *v, uint32_t n, map_before_fn before)
{
	for (uint32_t i = n / 2; i-- > 0;)
		map_sift_down(v, n, i, before);
	for (uint32_t end = n; end-- > 1;) {
		struct pz_map_entry top = v[0];

		v[0] = v[end];
		v[end] = top;
		map_sift_down(v, end, 0, before);
	}
}

static void map_heap_push(struct pz_map_entry *heap, uint32_t *n, const struct pz_map_entry *e)
{
	uint32_t i = (*n)++;

	while (i && map_loses_to(&heap[(i - 1) / 2], e)) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = *e;
}

static void map_heap_pop(struct pz_map_entry *heap, uint32_t *n)
{
	heap[0] = heap[--*n];
	if (*n)
		map_sift_down(heap, *n, 0, map_loses_to);
}

/* What is odd about new entries by themselves and about their order. */
static void map_note_raw(struct pz_map *m, unsigned int phys_bits)
{
	const uint64_t max = phys_bits < 64 ? ((uint64_t)1 << phys_bits) - 1 : PZ_ADDR_MAX;

	for (uint32_t i = m->raw; i < m->count; i++) {
		const struct pz_map_entry e = m->v[i];

		if (i > m->raw && e.range.first < m->v[i - 1].range.first)
			pz_map_note(m, PZ_ODD_UNSORTED, e.range, e.type, e.ref);
		if (e.range.last > max) {
			struct pz_range r = { e.range.first > max ? e.range.first : max + 1,
					      e.range.last };

			pz_map_note(m, PZ_ODD_BEYOND_WIDTH, r, e.type, e.ref);
		}
		if (!pz_map_type_name(e.type))
			pz_map_note(m, PZ_ODD_UNKNOWN_TYPE, e.range, e.type, e.ref);
	}
}

/* Entries of one type that overlap; they lie sorted by type. */
static void map_note_duplicates(struct pz_map *m)
{
	uint32_t type = 0;
	uint64_t last = 0;

	for (uint32_t i = 0; i < m->count; i++) {
		const struct pz_map_entry e = m->v[i];

		if (!e.type)
			continue;
		if (e.type == type && e.range.first <= last) {
			struct pz_range r = { e.range.first,
					      e.range.last < last ? e.range.last : last };

			pz_map_note(m, PZ_ODD_DUPLICATE, r, e.type, e.ref);
		}
		if (e.type != type || e.range.last > last)
			last = e.range.last;
		type = e.type;
	}
}

/* What is odd about the sanitised map: forget what was told before, and tell it anew. */
static void map_note_result(struct pz_map *m, unsigned int page_shift, uint32_t given)
{
	const uint64_t mask = ((uint64_t)1 << page_shift) - 1;
	uint32_t w = 0;

	for (uint32_t i = 0; i < m->odd_count; i++)
		if (m->odd[i].what != PZ_ODD_PARTIAL_PAGE && m->odd[i].what != PZ_ODD_FEW)
			m->odd[w++] = m->odd[i];
	m->odd_count = w;
	if (given < 2) {
		struct pz_map_entry e = { { 0, 0 }, 0, 0 };

		if (m->count)
			e = m->v[0];
		pz_map_note(m, PZ_ODD_FEW, e.range, e.type, e.ref);
	}
	for (uint32_t i = 0; i < m->count; i++) {
		const struct pz_map_entry e = m->v[i];
		struct pz_range head = { e.range.first, e.range.first | mask };
		struct pz_range tail = { e.range.last & ~mask, e.range.last };
		bool one = head.last >= e.range.last;

		if (e.type != PZ_MAP_RAM)
			continue;
		if (one)
			head.last = e.range.last;
		if ((e.range.first & mask) || (one && (e.range.last & mask) != mask))
			pz_map_note(m, PZ_ODD_PARTIAL_PAGE, head, e.type, e.ref);
		if (!one && (e.range.last & mask) != mask)
			pz_map_note(m, PZ_ODD_PARTIAL_PAGE, tail, e.type, e.ref);
	}
}

/* An entry starts where another wins: say which of the two loses what they share. */
static void map_note_overlap(struct pz_map *m, const struct pz_map_entry *winner,
			     const struct pz_map_entry *e)
{
	const struct pz_map_entry *loser = winner->type > e->type ? e : winner;
	struct pz_range shared;

	if (winner->type != e->type && pz_range_intersect(winner->range, e->range, &shared))
		pz_map_note(m, PZ_ODD_OVERLAP, shared, loser->type, loser->ref);
}

static bool map_is(const struct pz_map_entry *a, const struct pz_map_entry *b)
{
	return a->range.first == b->range.first && a->range.last == b->range.last &&
	       a->type == b->type && a->ref == b->ref;
}

/* Sweep over the sorted entries; returns how many entries the result has. */
static uint32_t map_sweep(struct pz_map *m, struct pz_map_entry *out, struct pz_map_entry *heap)
{
	struct pz_map_entry won = { { 0, 0 }, 0, 0 };
	uint32_t next = 0, in = 0, n = 0;
	uint64_t pos = 0;

	for (;;) {
		struct pz_range r;

		while (in && heap[0].range.last < pos)
			map_heap_pop(heap, &in);
		if (!in && next < m->count)
			pos = m->v[next].range.first;
		for (; next < m->count && m->v[next].range.first == pos; next++) {
			if (!m->v[next].type)
				continue;
			if (in)
				map_note_overlap(m, &heap[0], &m->v[next]);
			map_heap_push(heap, &in, &m->v[next]);
		}
		if (!in && next < m->count)
			continue;
		if (!in)
			return n;

		r.first = pos;
		r.last = heap[0].range.last;
		if (next < m->count && m->v[next].range.first <= r.last)
			r.last = m->v[next].range.first - 1;
		if (n && out[n - 1].type == heap[0].type && out[n - 1].range.last + 1 == pos &&
		    (!pz_map_stays_apart(heap[0].type) || map_is(&won, &heap[0]))) {
			out[n - 1].range.last = r.last;
			if (heap[0].ref < out[n - 1].ref)
				out[n - 1].ref = heap[0].ref;
		} else {
			out[n++] = (struct pz_map_entry){ r, heap[0].type, heap[0].ref };
		}
		won = heap[0];
		if (r.last == PZ_ADDR_MAX)
			return n;
		pos = r.last + 1;
	}
}

int pz_map_sanitise(struct pz_map *m, unsigned int page_shift, unsigned int phys_bits)
{
	const uint32_t given = m->count;
	const uint64_t need = 3 * (uint64_t)given;
	struct pz_map_entry *scratch = NULL;
	uint32_t n;

	if (page_shift > 63 || !phys_bits || phys_bits > 64)
		return -PZ_EINVAL;
	if (need > m->cap - given) {
		if (!m->meta)
			return -PZ_ENOSPC;
		if (need > UINT32_MAX || need > SIZE_MAX / sizeof(*scratch))
			return -PZ_ENOMEM;
		scratch = m->meta->alloc(m->meta->ctx, (size_t)need * sizeof(*scratch));
		if (!scratch)
			return -PZ_ENOMEM;
	}
	if (given) {
		struct pz_map_entry *out = scratch ? scratch : m->v + given;

		map_note_raw(m, phys_bits);
		map_sort(m->v, given, map_type_before);
		map_note_duplicates(m);
		map_sort(m->v, given, map_starts_before);
		n = map_sweep(m, out, out + 2 * (size_t)given);
		if (n <= m->cap) {
			memmove(m->v, out, n * sizeof(*out));
			if (scratch)
				m->meta->free(m->meta->ctx, scratch,
					      (size_t)need * sizeof(*scratch));
		} else {
			if (m->owned)
				m->meta->free(m->meta->ctx, m->v, m->cap * sizeof(m->v[0]));
			m->v = scratch;
			m->cap = (uint32_t)need;
			m->owned = true;
		}
		m->count = n;
	}
	m->raw = m->count;
	m->sanitised = true;
	map_note_result(m, page_shift, given);
	return 0;
}
