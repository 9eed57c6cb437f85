/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - the store of the typed physical map, its oddities, and changes to a sanitised map.
 *
 * Concept
 *  One array of entries. Firmware's entries are appended as they come (raw); sanitise.c turns them
 *  into a map, and from then on the array can be searched and types be changed in ranges. A list
 *  beside it remembers what was odd.
 *
 * Invariants of a sanitised map (pz_map_check() verifies them)
 *  1. every entry's range is valid (first <= last);
 *  2. entries ascend by their first address;
 *  3. no two entries overlap;
 *  4. neighbours that touch differ in type, unless the type never merges (PRAM, SOFT_RESERVED);
 *  5. count <= cap.
 *
 * Failure
 *  Every change looks first how much room it needs, asks for it, and then cannot fail. The list of
 *  oddities is not worth failing for: what finds no room there is counted in odd_lost.
 *
 * Shortcomings
 *  pz_map_set_type() in the middle of the array moves what lies above it.
 */
#include "map_internal.h"
#include "../base/meta.h"
#include "../base/pz_string.h"

void pz_map_init(struct pz_map *m, const struct pz_meta *meta, struct pz_map_entry *store,
		 uint32_t cap)
{
	memset(m, 0, sizeof(*m));
	m->v = store;
	m->cap = store ? cap : 0;
	m->meta = meta && meta->alloc ? meta : NULL;
}

void pz_map_destroy(struct pz_map *m)
{
	if (m->owned)
		m->meta->free(m->meta->ctx, m->v, m->cap * sizeof(m->v[0]));
	if (m->odd)
		m->meta->free(m->meta->ctx, m->odd, m->odd_cap * sizeof(m->odd[0]));
	memset(m, 0, sizeof(*m));
}

int pz_map_room(struct pz_map *m, uint64_t more)
{
	struct pz_array a = { m->v, m->cap, m->owned };
	int err;

	if (more <= m->cap - m->count)
		return 0;
	if (more > UINT32_MAX - m->count)
		return m->meta ? -PZ_ENOMEM : -PZ_ENOSPC;
	err = pz_array_grow(m->meta, &a, m->count, m->count + (uint32_t)more, sizeof(m->v[0]));
	if (err)
		return err;
	m->v = a.v;
	m->cap = a.cap;
	m->owned = a.owned;
	return 0;
}

void pz_map_note(struct pz_map *m, enum pz_map_oddity what, struct pz_range r, uint32_t type,
		 uint32_t ref)
{
	struct pz_array a = { m->odd, m->odd_cap, m->odd_cap > 0 };

	if (m->odd_count == UINT32_MAX ||
	    pz_array_grow(m->meta, &a, m->odd_count, m->odd_count + 1, sizeof(m->odd[0]))) {
		if (m->odd_lost < UINT32_MAX)
			m->odd_lost++;
		return;
	}
	m->odd = a.v;
	m->odd_cap = a.cap;
	m->odd[m->odd_count++] = (struct pz_map_odd){ what, r, type, ref };
}

void pz_map_append(struct pz_map *m, uint64_t base, uint64_t size_less_1, uint32_t type,
		   uint32_t ref)
{
	struct pz_range r = { base, PZ_ADDR_MAX };

	if (size_less_1 > PZ_ADDR_MAX - base)
		pz_map_note(m, PZ_ODD_WRAP, r, type, ref);
	else
		r.last = base + size_less_1;
	m->v[m->count++] = (struct pz_map_entry){ r, type, ref };
	m->sanitised = false;
}

int pz_map_insert(struct pz_map *m, uint64_t base, uint64_t size, uint32_t type, uint32_t ref)
{
	int err;

	if (!size) {
		pz_map_note(m, PZ_ODD_EMPTY, (struct pz_range){ base, base }, type, ref);
		m->sanitised = false;
		return 0;
	}
	err = pz_map_room(m, 1);
	if (!err)
		pz_map_append(m, base, size - 1, type, ref);
	return err;
}

int pz_map_insert_range(struct pz_map *m, struct pz_range r, uint32_t type, uint32_t ref)
{
	int err;

	if (r.first > r.last) {
		pz_map_note(m, PZ_ODD_EMPTY, (struct pz_range){ r.first, r.first }, type, ref);
		m->sanitised = false;
		return 0;
	}
	err = pz_map_room(m, 1);
	if (!err)
		pz_map_append(m, r.first, r.last - r.first, type, ref);
	return err;
}

bool pz_map_stays_apart(uint32_t type)
{
	return type == PZ_MAP_PRAM || type == PZ_MAP_SOFT_RESERVED;
}

/*
 * The entries that pz_map_set_type() leaves behind, written over those that it reads. It splits
 * two entries at most, so the queue of what is made before there is a place for it stays short.
 */
struct map_out {
	struct pz_map_entry *v; /* NULL: only count */
	uint32_t at;
	struct pz_map_entry queue[4];
	uint32_t queued;
	struct pz_map_entry open; /* may still grow */
	bool has_open;
	uint32_t count;
};

static void map_out_close(struct map_out *o)
{
	if (!o->has_open)
		return;
	o->has_open = false;
	o->count++;
	if (o->v)
		o->queue[o->queued++] = o->open;
}

static void map_out_put(struct map_out *o, struct pz_map_entry e)
{
	if (o->has_open && o->open.type == e.type && o->open.range.last + 1 == e.range.first &&
	    !pz_map_stays_apart(e.type)) {
		o->open.range.last = e.range.last;
		if (e.ref < o->open.ref)
			o->open.ref = e.ref;
		return;
	}
	map_out_close(o);
	o->open = e;
	o->has_open = true;
}

/* Write what is queued to the places below `end`. */
static void map_out_flush(struct map_out *o, uint32_t end)
{
	uint32_t n = 0;

	while (n < o->queued && o->at < end)
		o->v[o->at++] = o->queue[n++];
	o->queued -= n;
	for (uint32_t i = 0; i < o->queued; i++)
		o->queue[i] = o->queue[n + i];
}

/* Put an entry as it is, but for the part in r, which takes type `to` (0: goes). */
static void map_out_change(struct map_out *o, struct pz_map_entry e, struct pz_range r,
			   uint32_t from, uint32_t to)
{
	struct pz_map_entry part = e;

	if ((from && e.type != from) || e.type == to ||
	    !pz_range_intersect(e.range, r, &part.range)) {
		map_out_put(o, e);
		return;
	}
	if (part.range.first > e.range.first) {
		struct pz_map_entry below = e;

		below.range.last = part.range.first - 1;
		map_out_put(o, below);
	}
	if (to) {
		part.type = to;
		map_out_put(o, part);
	}
	if (part.range.last < e.range.last) {
		struct pz_map_entry above = e;

		above.range.first = part.range.last + 1;
		map_out_put(o, above);
	}
}

/* Run the entries [start, end) through the change; with a v, write them back. */
static void map_out_run(struct map_out *o, const struct pz_map *m, uint32_t start, uint32_t end,
			struct pz_range r, uint32_t from, uint32_t to)
{
	o->at = start;
	for (uint32_t i = start; i < end; i++) {
		map_out_change(o, m->v[i], r, from, to);
		map_out_flush(o, i + 1);
	}
	map_out_close(o);
}

int pz_map_set_type(struct pz_map *m, struct pz_range r, uint32_t from, uint32_t to)
{
	struct map_out count = { .v = NULL }, out = { .v = NULL };
	uint32_t start, end;

	if (!m->sanitised || !pz_range_valid(r))
		return -PZ_EINVAL;
	start = pz_map_find(m, r.first);
	end = pz_map_find(m, r.last);
	/* The neighbours are part of it: they may merge. */
	if (start)
		start--;
	for (uint32_t i = 0; i < 2 && end < m->count; i++)
		end++;
	map_out_run(&count, m, start, end, r, from, to);
	if (count.count > end - start) {
		int err = pz_map_room(m, count.count - (end - start));

		if (err)
			return err;
	}
	out.v = m->v;
	map_out_run(&out, m, start, end, r, from, to);
	if (end < m->count)
		memmove(&m->v[start + out.count], &m->v[end], (m->count - end) * sizeof(m->v[0]));
	map_out_flush(&out, start + out.count);
	m->count = start + out.count + (m->count - end);
	m->raw = m->count;
	return 0;
}

uint32_t pz_map_find(const struct pz_map *m, uint64_t addr)
{
	uint32_t lo = 0, hi = m->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->v[mid].range.last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint64_t pz_map_last_pfn(const struct pz_map *m, uint32_t type, unsigned int page_shift,
			 uint64_t limit_pfn)
{
	const uint64_t mask = ((uint64_t)1 << page_shift) - 1;

	for (uint32_t i = m->count; i-- > 0;) {
		const struct pz_range r = m->v[i].range;

		if (m->v[i].type != type || r.first >> page_shift >= limit_pfn)
			continue;
		if (r.last >> page_shift >= limit_pfn)
			return limit_pfn;
		return (r.last >> page_shift) + ((r.last & mask) == mask);
	}
	return 0;
}

const char *pz_map_type_name(uint32_t type)
{
	switch (type) {
	case PZ_MAP_RAM:
	case PZ_MAP_RESERVED_KERN:
		return "usable";
	case PZ_MAP_RESERVED:
		return "reserved";
	case PZ_MAP_ACPI:
		return "ACPI data";
	case PZ_MAP_NVS:
		return "ACPI NVS";
	case PZ_MAP_UNUSABLE:
		return "unusable";
	case PZ_MAP_PMEM:
		return "persistent (type 7)";
	case PZ_MAP_PRAM:
		return "persistent (type 12)";
	case PZ_MAP_SOFT_RESERVED:
		return "soft reserved";
	default:
		return NULL;
	}
}

const char *pz_map_oddity_name(enum pz_map_oddity what)
{
	switch (what) {
	case PZ_ODD_EMPTY:
		return "empty";
	case PZ_ODD_WRAP:
		return "wraps";
	case PZ_ODD_OVERLAP:
		return "overlap";
	case PZ_ODD_DUPLICATE:
		return "duplicate";
	case PZ_ODD_UNSORTED:
		return "unsorted";
	case PZ_ODD_PARTIAL_PAGE:
		return "partial page";
	case PZ_ODD_BEYOND_WIDTH:
		return "beyond the address width";
	case PZ_ODD_UNKNOWN_TYPE:
		return "unknown type";
	case PZ_ODD_FEW:
		return "too few entries";
	}
	return "?";
}

int pz_map_check(const struct pz_map *m)
{
	if (m->count > m->cap)
		return 5;
	for (uint32_t i = 0; i < m->count; i++) {
		const struct pz_map_entry *e = &m->v[i], *below = i ? e - 1 : NULL;

		if (e->range.first > e->range.last)
			return 1;
		if (!below)
			continue;
		if (e->range.first <= below->range.first)
			return 2;
		if (e->range.first <= below->range.last)
			return 3;
		if (e->range.first == below->range.last + 1 && e->type == below->type &&
		    !pz_map_stays_apart(e->type))
			return 4;
	}
	return 0;
}
