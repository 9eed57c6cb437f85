/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_store.c - records of what is mapped: where they are kept and found.
 *
 * Concept
 *  All records are made at the start. A record that is in use has a number in a cell of each index:
 * the first cell that was empty from its home on, which is computed from the grain that it begins
 * in. For each home it is known how far behind it records were ever put, and so far is searched.
 *  Nobody holds anything: a record is somebody's alone from one exchange of its word to the next,
 * and passed over by all others meanwhile. So an interrupt handler finds all that was mapped before
 * it came, but for the one record that what it interrupted is at work on.
 *
 * Invariants, verified by pz_dma_debug_check() while nobody uses it
 *  1. each record is live, or free and in the list, which is as long as it is said to be;
 *  2. a live record stands in its cell of each index that it belongs to, within reach of its home,
 *     and no cell has anything else;
 *  3. no live record is longer than the longest that there was;
 *  4. the findings of all kinds sum up.
 *
 * Failure
 *  Where no record is free the mapping is counted as lost, and so many unknown ones are not told.
 *
 * Shortcomings
 *  How far is searched never shrinks: after a thousand mappings of one page at a time, a search
 * there looks at a thousand cells. A search by an address that a mapping may reach over looks at
 * each grain below it that the longest mapping ever could have begun in.
 */
#include "debug.h"

static uint32_t debug_home(const struct pz_dma_debug *d, uint64_t grain)
{
	return (uint32_t)(grain ^ grain >> 32) * 0x9e3779b1u >> d->shift;
}

static uint64_t debug_key(const struct pz_dma_use *u, enum debug_by by)
{
	return by == DEBUG_BY_BUS ? u->bus : u->phys;
}

bool pz_dma_debug_tracked(const struct pz_dma_use *u)
{
	return u->dir != PZ_DMA_TO_DEVICE && u->kind != PZ_DMA_RESOURCE;
}

static bool debug_indexed(const struct pz_dma_use *u, enum debug_by by)
{
	return by == DEBUG_BY_BUS || pz_dma_debug_tracked(u);
}

/* Grains that a mapping reaches over beyond the one that it begins in. */
static uint64_t debug_grains(const struct pz_dma_use *u, enum debug_by by)
{
	uint64_t first = debug_key(u, by), more = u->size ? u->size - 1 : 0;
	uint64_t last = more > UINT64_MAX - first ? UINT64_MAX : first + more;

	return (last >> DEBUG_GRAIN_SHIFT) - (first >> DEBUG_GRAIN_SHIFT);
}

/* --- the list of free records --- */

static void debug_give(struct pz_dma_debug *d, struct debug_entry *e)
{
	uint32_t number = (uint32_t)(e - d->entry);
	uint64_t old;

	(void)pz_add32(&d->free_count, 1);
	do {
		old = pz_load64(&d->free);
		pz_poke32(&e->next, (uint32_t)old);
	} while (!pz_cas64(&d->free, old, ((old >> 32) + 1) << 32 | (uint64_t)(number + 1)));
}

static struct debug_entry *debug_take(struct pz_dma_debug *d)
{
	struct debug_entry *e;
	uint32_t left, least;
	uint64_t old;

	do {
		old = pz_load64(&d->free);
		if (!(uint32_t)old)
			return NULL;
		e = &d->entry[(uint32_t)old - 1];
	} while (!pz_cas64(&d->free, old, ((old >> 32) + 1) << 32 | pz_peek32(&e->next)));
	left = pz_add32(&d->free_count, UINT32_MAX) - 1;
	do {
		least = pz_load32(&d->min_free);
	} while (left < least && !pz_cas32(&d->min_free, least, left));
	return e;
}

/* --- records --- */

static void debug_raise64(uint64_t *p, uint64_t v)
{
	uint64_t old;

	do {
		old = pz_load64(p);
	} while (old < v && !pz_cas64(p, old, v));
}

static void debug_raise32(uint32_t *p, uint32_t v)
{
	uint32_t old;

	do {
		old = pz_load32(p);
	} while (old < v && !pz_cas32(p, old, v));
}

static void debug_put(struct pz_dma_debug *d, struct debug_entry *e, enum debug_by by,
		      uint64_t grain)
{
	uint32_t home = debug_home(d, grain), number = (uint32_t)(e - d->entry), at = home, n = 1;
	struct debug_index *x = &d->index[by];

	/* There are more cells than records. */
	while (pz_load32(&x->cell[at]) || !pz_cas32(&x->cell[at], 0, number + 1)) {
		at = (at + 1) & (d->cells - 1);
		n++;
	}
	pz_poke32(&e->cell[by], at + 1);
	debug_raise32(&x->reach[home], n);
}

static void debug_write(struct debug_entry *e, const struct pz_dma_use *u)
{
	pz_poke64(&e->bus, u->bus);
	pz_poke64(&e->phys, u->phys);
	pz_poke64(&e->size, u->size);
	pz_poke64(&e->dev, (uintptr_t)u->dev);
	pz_poke64(&e->memory, (uintptr_t)u->memory);
	pz_poke64(&e->how, (uint64_t)u->attrs << 32 | (uint64_t)u->kind << 8 | (uint64_t)u->dir);
	pz_poke64(&e->sg, (uint64_t)u->sg_count << 32 | u->sg_index);
}

bool pz_dma_debug_keep(struct pz_dma_debug *d, const struct pz_dma_record *r)
{
	const struct pz_dma_use *u = &r->use;
	struct debug_entry *e = debug_take(d);
	uint64_t word;

	if (!e) {
		pz_count64(&d->lost, 1);
		return false;
	}
	word = (pz_load64(&e->word) & ~(uint64_t)(DEBUG_CHANGE - 1)) + DEBUG_CHANGE;
	pz_store64(&e->word, word | DEBUG_BUSY);
	debug_write(e, u);
	pz_poke64(&e->serial, r->serial);
	pz_poke64(&e->since, r->since);
	pz_poke64(&e->site, r->site);
	for (unsigned int by = 0; by < DEBUG_INDICES; by++) {
		pz_poke32(&e->cell[by], 0);
		if (!debug_indexed(u, (enum debug_by)by))
			continue;
		debug_raise64(&d->longest[by], debug_grains(u, (enum debug_by)by));
		debug_put(d, e, (enum debug_by)by,
			  debug_key(u, (enum debug_by)by) >> DEBUG_GRAIN_SHIFT);
	}
	pz_store64(&e->word, word + DEBUG_CHANGE + DEBUG_LIVE + (r->checked ? DEBUG_CHECKED : 0));
	return true;
}

bool pz_dma_debug_record(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	struct pz_dma_record r;

	memset(&r, 0, sizeof(r));
	r.use = *u;
	do {
		r.serial = pz_load64(&d->serial);
	} while (!pz_cas64(&d->serial, r.serial, r.serial + 1));
	r.serial++;
	r.since = d->cfg.now ? d->cfg.now(d->cfg.ctx) : 0;
	r.site = d->cfg.site ? d->cfg.site(d->cfg.ctx) : 0;
	return pz_dma_debug_keep(d, &r);
}

bool pz_dma_debug_see(struct debug_entry *e, struct debug_seen *s)
{
	struct pz_dma_use *u = &s->r.use;
	uint64_t how, sg;

	s->entry = e;
	s->word = pz_load64(&e->word);
	if ((s->word & DEBUG_STATE) != DEBUG_LIVE)
		return false;
	u->bus = pz_peek64(&e->bus);
	u->phys = pz_peek64(&e->phys);
	u->size = pz_peek64(&e->size);
	u->dev = (const struct pz_dma_dev *)(uintptr_t)pz_peek64(&e->dev);
	u->memory = (const void *)(uintptr_t)pz_peek64(&e->memory);
	how = pz_peek64(&e->how);
	u->attrs = (uint32_t)(how >> 32);
	u->kind = (enum pz_dma_kind)(how >> 8 & 0xff);
	u->dir = (enum pz_dma_dir)(how & 0xff);
	sg = pz_peek64(&e->sg);
	u->sg_count = (uint32_t)(sg >> 32);
	u->sg_index = (uint32_t)sg;
	s->r.serial = pz_peek64(&e->serial);
	s->r.since = pz_peek64(&e->since);
	s->r.site = pz_peek64(&e->site);
	s->r.checked = s->word & DEBUG_CHECKED;
	/* An exchange, for it also keeps the loads above before it. */
	return pz_cas64(&e->word, s->word, s->word);
}

bool pz_dma_debug_claim(struct pz_dma_debug *d, const struct debug_seen *s)
{
	struct debug_entry *e = s->entry;
	uint64_t word = (s->word & ~(uint64_t)(DEBUG_CHANGE - 1)) + DEBUG_CHANGE;

	if (!pz_cas64(&e->word, s->word, word | DEBUG_BUSY))
		return false;
	for (unsigned int by = 0; by < DEBUG_INDICES; by++) {
		uint32_t at = pz_peek32(&e->cell[by]);

		if (at)
			pz_store32(&d->index[by].cell[at - 1], 0);
	}
	pz_store64(&e->word, word + DEBUG_CHANGE + DEBUG_FREE);
	debug_give(d, e);
	return true;
}

bool pz_dma_debug_mark(struct debug_seen *s)
{
	return pz_cas64(&s->entry->word, s->word, s->word | DEBUG_CHECKED);
}

/* --- finding them --- */

static void debug_walk_home(struct debug_walk *w)
{
	w->at = debug_home(w->d, w->grain);
	w->end = w->at + pz_load32(&w->d->index[w->by].reach[w->at]);
}

void pz_dma_debug_walk(struct debug_walk *w, const struct pz_dma_debug *d, enum debug_by by,
		       uint64_t first, uint64_t last, bool reaching)
{
	uint64_t longest = reaching ? pz_load64(&d->longest[by]) : 0;

	w->d = d;
	w->by = by;
	w->done = false;
	w->grain = last >> DEBUG_GRAIN_SHIFT;
	w->first = first >> DEBUG_GRAIN_SHIFT;
	w->first = w->first > longest ? w->first - longest : 0;
	w->all = w->grain - w->first >= d->cfg.entries;
	if (w->all) {
		w->at = 0;
		w->end = d->cfg.entries;
	} else {
		debug_walk_home(w);
	}
}

/* The next record that may be one, by where it stands; NULL when there are no more. */
static struct debug_entry *debug_walk_next(struct debug_walk *w)
{
	const struct pz_dma_debug *d = w->d;

	for (;;) {
		while (w->at != w->end) {
			uint32_t at = w->at++, number;

			if (w->all)
				return &d->entry[at];
			number = pz_load32(&d->index[w->by].cell[at & (d->cells - 1)]);
			if (number)
				return &d->entry[number - 1];
		}
		if (w->all || w->grain == w->first)
			return NULL;
		w->grain--;
		debug_walk_home(w);
	}
}

bool pz_dma_debug_step(struct debug_walk *w, struct debug_seen *s)
{
	struct debug_entry *e;
	uint64_t grain;

	while ((e = debug_walk_next(w)) != NULL) {
		if (!pz_dma_debug_see(e, s) || !debug_indexed(&s->r.use, w->by))
			continue;
		grain = debug_key(&s->r.use, w->by) >> DEBUG_GRAIN_SHIFT;
		if (w->all ? grain >= w->first && grain <= w->grain : grain == w->grain)
			return true;
	}
	return false;
}

int pz_dma_debug_each(const struct pz_dma_debug *d, const struct pz_dma_dev *dev,
		      int (*fn)(void *ctx, const struct pz_dma_record *r), void *ctx)
{
	struct debug_seen s;
	int rc = 0;

	for (uint32_t i = 0; i < d->cfg.entries && !rc; i++) {
		if (pz_dma_debug_see(&d->entry[i], &s) && (!dev || s.r.use.dev == dev))
			rc = fn(ctx, &s.r);
	}
	return rc;
}

/* --- making and verifying --- */

static void *debug_zeroed(const struct pz_dma_debug *d, uint64_t n, size_t size)
{
	const struct pz_meta *m = d->cfg.meta;
	void *v = n * size > SIZE_MAX ? NULL : m->alloc(m->ctx, (size_t)n * size);

	if (v)
		memset(v, 0, (size_t)n * size);
	return v;
}

static void debug_back(const struct pz_dma_debug *d, void *v, uint64_t n, size_t size)
{
	const struct pz_meta *m = d->cfg.meta;

	if (v)
		m->free(m->ctx, v, (size_t)n * size);
}

int pz_dma_debug_create(struct pz_dma_debug **out, const struct pz_dma_debug_config *cfg)
{
	const struct pz_meta *m = cfg->meta;
	struct pz_dma_debug *d;
	uint64_t cells = 0;
	bool room;

	if (!m || !m->alloc || !m->free || cfg->entries > PZ_DMA_DEBUG_MAX_ENTRIES ||
	    (cfg->cache_line & (cfg->cache_line - 1)))
		return -PZ_EINVAL;
	d = m->alloc(m->ctx, sizeof(*d));
	if (!d)
		return -PZ_ENOMEM;
	memset(d, 0, sizeof(*d));
	d->cfg = *cfg;
	d->cfg.entries = cfg->entries ? cfg->entries : 65536;
	d->cfg.cache_line = cfg->cache_line ? cfg->cache_line : 64;
	(void)pz_roundup_pow2((uint64_t)2 * d->cfg.entries, &cells);
	d->cells = (uint32_t)cells;
	d->shift = 32 - pz_fls32(d->cells);
	d->entry = debug_zeroed(d, d->cfg.entries, sizeof(*d->entry));
	room = d->entry != NULL;
	for (unsigned int by = 0; by < DEBUG_INDICES; by++) {
		d->index[by].cell = debug_zeroed(d, cells, sizeof(uint32_t));
		d->index[by].reach = debug_zeroed(d, cells, sizeof(uint32_t));
		room &= d->index[by].cell && d->index[by].reach;
	}
	if (!room) {
		pz_dma_debug_destroy(d);
		return -PZ_ENOMEM;
	}
	for (uint32_t i = d->cfg.entries; i-- > 0;)
		debug_give(d, &d->entry[i]);
	d->min_free = d->free_count;
	*out = d;
	return 0;
}

void pz_dma_debug_destroy(struct pz_dma_debug *d)
{
	const struct pz_meta *m;

	if (!d)
		return;
	m = d->cfg.meta;
	for (unsigned int by = 0; by < DEBUG_INDICES; by++) {
		debug_back(d, d->index[by].cell, d->cells, sizeof(uint32_t));
		debug_back(d, d->index[by].reach, d->cells, sizeof(uint32_t));
	}
	debug_back(d, d->entry, d->cfg.entries, sizeof(*d->entry));
	m->free(m->ctx, d, sizeof(*d));
}

static int debug_check_entry(const struct pz_dma_debug *d, const struct debug_seen *s)
{
	uint32_t number = (uint32_t)(s->entry - d->entry);

	for (unsigned int i = 0; i < DEBUG_INDICES; i++) {
		enum debug_by by = (enum debug_by)i;
		uint32_t at = s->entry->cell[by], home;

		if (!debug_indexed(&s->r.use, by))
			continue;
		home = debug_home(d, debug_key(&s->r.use, by) >> DEBUG_GRAIN_SHIFT);
		if (!at || d->index[by].cell[at - 1] != number + 1 ||
		    ((at - 1 - home) & (d->cells - 1)) >= d->index[by].reach[home])
			return 2;
		if (debug_grains(&s->r.use, by) > d->longest[by])
			return 3;
	}
	return 0;
}

int pz_dma_debug_check(const struct pz_dma_debug *d)
{
	uint32_t live[DEBUG_INDICES] = { 0 }, free = 0, in_list = 0, cells;
	struct debug_seen s;
	uint64_t sum = 0;
	int rc = 0;

	for (uint32_t i = (uint32_t)d->free; i; i = d->entry[i - 1].next) {
		if ((d->entry[i - 1].word & DEBUG_STATE) != DEBUG_FREE ||
		    ++in_list > d->cfg.entries)
			return 1;
	}
	for (uint32_t i = 0; i < d->cfg.entries && !rc; i++) {
		if (!pz_dma_debug_see(&d->entry[i], &s)) {
			free++;
			continue;
		}
		for (unsigned int by = 0; by < DEBUG_INDICES; by++)
			live[by] += debug_indexed(&s.r.use, (enum debug_by)by);
		rc = debug_check_entry(d, &s);
	}
	if (rc)
		return rc;
	if (free != in_list || free != d->free_count)
		return 1;
	for (unsigned int by = 0; by < DEBUG_INDICES; by++) {
		cells = 0;
		for (uint32_t i = 0; i < d->cells; i++)
			cells += d->index[by].cell[i] != 0;
		if (cells != live[by])
			return 2;
	}
	for (unsigned int i = 0; i < PZ_DMA_MISUSES; i++)
		sum += d->found[i];
	return sum == d->errors ? 0 : 4;
}
