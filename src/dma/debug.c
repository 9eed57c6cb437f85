/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.c - what drivers do wrong with memory for devices.
 *
 * Concept
 *  Each mapping is recorded when it is made, and what comes afterwards is held against its record.
 * A record goes before what it stands for is undone, for the address may be another mapping's right
 * after that. Where the layer then refuses, or the call was for another kind of memory and so undid
 * nothing, what was mapped is still there, and its record is put back.
 * One fault of a driver is one finding: where two rules are broken by it, the more special one is
 * told. What is wrong with a scatter list as a whole is told of its first element.
 *
 * Failure
 *  Nothing is refused. Without a record for a mapping, one unknown unmap is taken for it, and
 * unknown syncs are not told until then.
 *
 * Shortcomings
 *  Two mappings of one bus address that are alike cannot be told apart: the older one goes first.
 */
#include "debug.h"

/* --- made --- */

/* Whether some of the memory is free. */
static bool debug_freed(const struct pz_dma_debug *d, uint64_t phys, uint64_t size)
{
	struct pz_page_info info;
	uint32_t shift;
	uint64_t last;

	if (!d->cfg.pages || !size)
		return false;
	shift = pz_page_shift(d->cfg.pages);
	last = (phys + (size - 1)) >> shift;
	for (uint64_t pfn = phys >> shift; pfn <= last; pfn++) {
		pz_page_info(d->cfg.pages, pfn, &info);
		if (info.state == PZ_PAGE_FREE || info.state == PZ_PAGE_HELD)
			return true;
		if (info.state == PZ_PAGE_HEAD || info.state == PZ_PAGE_TAIL)
			pfn = info.head + info.pages - 1;
	}
	return false;
}

/* Whether what is wrong with a list as a whole was told of an element before this one. */
static bool debug_later(const struct pz_dma_use *u)
{
	return u->kind == PZ_DMA_SG && u->sg_index;
}

static bool debug_streams(const struct pz_dma_use *u)
{
	return u->kind == PZ_DMA_SINGLE || u->kind == PZ_DMA_SG;
}

static void debug_map_memory(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	static const enum pz_dma_misuse says[] = {
		[PZ_DMA_MEMORY_STACK] = PZ_DMA_MAP_STACK,
		[PZ_DMA_MEMORY_TEXT] = PZ_DMA_MAP_TEXT,
		[PZ_DMA_MEMORY_VMALLOC] = PZ_DMA_MAP_VMALLOC,
		[PZ_DMA_MEMORY_INVALID] = PZ_DMA_MAP_INVALID,
	};
	enum pz_dma_memory m = d->cfg.memory ? d->cfg.memory(d->cfg.ctx, u) : PZ_DMA_MEMORY_FINE;

	if (m != PZ_DMA_MEMORY_FINE)
		pz_dma_debug_tell(d, says[m], u, NULL, 0, 0);
	else if (debug_freed(d, u->phys, u->size))
		pz_dma_debug_tell(d, PZ_DMA_MAP_FREED, u, NULL, 0, 0);
}

static void debug_map_element(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	uint64_t longest = u->dev->cfg.max_segment, boundary = u->dev->cfg.boundary;

	if (longest && u->size > longest)
		pz_dma_debug_tell(d, PZ_DMA_MAP_LONG, u, NULL, 0, longest);
	if (boundary && u->size && (u->bus ^ (u->bus + (u->size - 1))) & ~(boundary - 1))
		pz_dma_debug_tell(d, PZ_DMA_MAP_BOUNDARY, u, NULL, 0, boundary);
}

void pz_dma_debug_refused(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	uint64_t longest = u->dev->cfg.max_segment, boundary = u->dev->cfg.boundary;

	if (longest && u->size > longest)
		pz_dma_debug_tell(d, PZ_DMA_MAP_LONG, u, NULL, 0, longest);
	else if (boundary && u->size > boundary)
		pz_dma_debug_tell(d, PZ_DMA_MAP_BOUNDARY, u, NULL, 0, boundary);
}

/* Whether two mappings have a cache line in common. */
static bool debug_shares(const struct pz_dma_debug *d, const struct pz_dma_use *a,
			 const struct pz_dma_use *b)
{
	uint64_t line = ~(uint64_t)(d->cfg.cache_line - 1);
	uint64_t a_last = a->size ? a->phys + (a->size - 1) : a->phys;
	uint64_t b_last = b->size ? b->phys + (b->size - 1) : b->phys;

	if (d->cfg.first_line_only)
		return (a->phys & line) == (b->phys & line);
	return (a->phys & line) <= (b_last & line) && (b->phys & line) <= (a_last & line);
}

static void debug_map_overlap(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	uint64_t line = ~(uint64_t)(d->cfg.cache_line - 1), n = 0;
	uint64_t last = (u->size ? u->phys + (u->size - 1) : u->phys) | ~line;
	struct pz_dma_record oldest = { .serial = 0 };
	struct debug_walk w;
	struct debug_seen s;

	if (!pz_dma_debug_tracked(u) || (u->attrs & PZ_DMA_SKIP_CPU_SYNC))
		return;
	pz_dma_debug_walk(&w, d, DEBUG_BY_PHYS, u->phys & line, last, true);
	while (pz_dma_debug_step(&w, &s)) {
		if (!debug_shares(d, u, &s.r.use))
			continue;
		if (!n++ || s.r.serial < oldest.serial)
			oldest = s.r;
	}
	if (n)
		pz_dma_debug_tell(d, PZ_DMA_MAP_OVERLAP, u, &oldest, n, 0);
}

void pz_dma_debug_map(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	if (debug_streams(u))
		debug_map_memory(d, u);
	if (u->kind == PZ_DMA_SG)
		debug_map_element(d, u);
	debug_map_overlap(d, u);
	if (!pz_dma_debug_record(d, u) && pz_cas32(&d->told_lost, 0, 1))
		pz_dma_debug_tell(d, PZ_DMA_NO_RECORDS, u, NULL, 0, d->cfg.entries);
}

/* --- given back --- */

static bool debug_alike(const struct pz_dma_use *a, const struct pz_dma_use *b)
{
	return a->size == b->size && a->kind == b->kind && a->dir == b->dir &&
	       a->sg_count == b->sg_count;
}

/* What a mapping that is given back may be. */
struct debug_match {
	struct debug_seen best;
	bool exact;
	uint32_t others;	   /* of the device, unlike it */
	struct debug_seen foreign; /* alike, of another device */
	bool has_foreign;
};

static void debug_match_one(struct debug_match *m, const struct pz_dma_use *u,
			    const struct debug_seen *s)
{
	bool alike = debug_alike(u, &s->r.use);

	if (s->r.use.bus != u->bus)
		return;
	if (s->r.use.dev != u->dev) {
		if (alike && !m->has_foreign)
			m->foreign = *s;
		m->has_foreign |= alike;
		return;
	}
	if (!alike)
		m->others++;
	if (alike ? !m->exact || s->r.serial < m->best.r.serial : !m->exact)
		m->best = *s;
	m->exact |= alike;
}

static void debug_match(struct pz_dma_debug *d, const struct pz_dma_use *u, struct debug_match *m)
{
	struct debug_walk w;
	struct debug_seen s;

	memset(m, 0, sizeof(*m));
	pz_dma_debug_walk(&w, d, DEBUG_BY_BUS, u->bus, u->bus, false);
	while (pz_dma_debug_step(&w, &s))
		debug_match_one(m, u, &s);
}

/* Whether something unknown can be one of those that there was no record for. */
static bool debug_was_lost(struct pz_dma_debug *d)
{
	uint64_t lost;

	do {
		lost = pz_load64(&d->lost);
	} while (lost && !pz_cas64(&d->lost, lost, lost - 1));
	return lost;
}

static void debug_compare(struct pz_dma_debug *d, const struct pz_dma_use *u,
			  const struct pz_dma_record *r)
{
	const struct pz_dma_use *was = &r->use;

	if (u->size != was->size)
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_SIZE, u, r, 0, 0);
	if (u->kind != was->kind && !debug_later(u))
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_KIND, u, r, 0, 0);
	else if (u->kind == PZ_DMA_COHERENT && (u->phys != was->phys || u->memory != was->memory))
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_MEMORY, u, r, 0, 0);
	else if (u->kind == PZ_DMA_SG && u->sg_count != was->sg_count && !debug_later(u))
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_COUNT, u, r, 0, 0);
	if (u->dir != was->dir && !debug_later(u))
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_DIR, u, r, 0, 0);
	if (was->kind == PZ_DMA_SINGLE && !r->checked)
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_UNCHECKED, u, r, 0, 0);
	if (debug_streams(was) && debug_freed(d, was->phys, was->size))
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_FREED, u, r, 0, 0);
}

/* Whether a call can undo what another kind of call made. */
static bool debug_undoes(const struct pz_dma_use *u, const struct pz_dma_use *was)
{
	return u->kind == was->kind || (debug_streams(u) && debug_streams(was));
}

bool pz_dma_debug_take(struct pz_dma_debug *d, const struct pz_dma_use *u,
		       struct pz_dma_record *was)
{
	struct debug_match m;

	if (u->bus == PZ_DMA_ERROR) {
		pz_dma_debug_tell(d, PZ_DMA_UNMAP_ERROR, u, NULL, 0, 0);
		return false;
	}
	do {
		debug_match(d, u, &m);
		if (m.exact || m.others == 1)
			continue;
		if (debug_was_lost(d) || debug_later(u))
			return false;
		if (m.has_foreign && !m.others)
			pz_dma_debug_tell(d, PZ_DMA_UNMAP_DEVICE, u, &m.foreign.r, 0, 0);
		else
			pz_dma_debug_tell(d, PZ_DMA_UNMAP_UNKNOWN, u, NULL, m.others, 0);
		return false;
		/* Where somebody else changed it: look again. */
	} while (debug_undoes(u, &m.best.r.use) && !pz_dma_debug_claim(d, &m.best));
	debug_compare(d, u, &m.best.r);
	*was = m.best.r;
	return debug_undoes(u, &m.best.r.use);
}

void pz_dma_debug_put_back(struct pz_dma_debug *d, const struct pz_dma_record *was)
{
	(void)pz_dma_debug_keep(d, was);
}

void pz_dma_debug_unmap(struct pz_dma_debug *d, const struct pz_dma_use *u)
{
	struct pz_dma_record was;

	(void)pz_dma_debug_take(d, u, &was);
}

void pz_dma_debug_checked(struct pz_dma_debug *d, const struct pz_dma_dev *dev, uint64_t bus)
{
	struct debug_seen s, best;
	struct debug_walk w;
	bool have;

	do {
		have = false;
		pz_dma_debug_walk(&w, d, DEBUG_BY_BUS, bus, bus, false);
		while (pz_dma_debug_step(&w, &s)) {
			if (s.r.use.dev != dev || s.r.use.bus != bus || s.r.checked ||
			    (have && best.r.serial < s.r.serial))
				continue;
			best = s;
			have = true;
		}
	} while (have && !pz_dma_debug_mark(&best));
}

void pz_dma_debug_release(struct pz_dma_debug *d, const struct pz_dma_dev *dev)
{
	struct pz_dma_use u = { .dev = dev };
	struct pz_dma_record oldest = { .serial = 0 };
	struct debug_seen s;
	uint64_t n = 0;

	for (uint32_t i = 0; i < d->cfg.entries; i++) {
		if (!pz_dma_debug_see(&d->entry[i], &s) || s.r.use.dev != dev)
			continue;
		if (!n++ || s.r.serial < oldest.serial)
			oldest = s.r;
	}
	if (n)
		pz_dma_debug_tell(d, PZ_DMA_LEAK, &u, &oldest, n, 0);
}

/* --- synced --- */

/* How well a mapping fits what is synced: 0 not at all. */
static unsigned int debug_sync_fits(const struct pz_dma_use *u, const struct pz_dma_use *was)
{
	uint64_t in = u->bus - was->bus;

	if (was->dev != u->dev || u->bus < was->bus || in >= was->size)
		return 0;
	if (u->size > was->size - in)
		return 1;
	return was->dir == u->dir || was->dir == PZ_DMA_BIDIRECTIONAL ? 3 : 2;
}

static void debug_sync_rules(struct pz_dma_debug *d, const struct pz_dma_use *u, bool for_cpu,
			     const struct pz_dma_record *r)
{
	const struct pz_dma_use *was = &r->use;

	if (u->size > was->size - (u->bus - was->bus))
		pz_dma_debug_tell(d, PZ_DMA_SYNC_RANGE, u, r, 0, 0);
	if (u->kind == PZ_DMA_SG && was->kind == PZ_DMA_SG && u->sg_count != was->sg_count &&
	    !debug_later(u))
		pz_dma_debug_tell(d, PZ_DMA_SYNC_COUNT, u, r, 0, 0);
	if (was->dir == PZ_DMA_BIDIRECTIONAL || u->dir == was->dir || debug_later(u))
		return;
	if (for_cpu && was->dir == PZ_DMA_TO_DEVICE)
		pz_dma_debug_tell(d, PZ_DMA_SYNC_READ_ONLY, u, r, 0, 0);
	else if (!for_cpu && was->dir == PZ_DMA_FROM_DEVICE)
		pz_dma_debug_tell(d, PZ_DMA_SYNC_WRITE_ONLY, u, r, 0, 0);
	else
		pz_dma_debug_tell(d, PZ_DMA_SYNC_DIR, u, r, 0, 0);
}

void pz_dma_debug_sync(struct pz_dma_debug *d, const struct pz_dma_use *u, bool for_cpu)
{
	struct pz_dma_record best = { .serial = 0 };
	unsigned int fits = 0, n;
	struct debug_walk w;
	struct debug_seen s;

	pz_dma_debug_walk(&w, d, DEBUG_BY_BUS, u->bus, u->bus, true);
	while (fits < 3 && pz_dma_debug_step(&w, &s)) {
		n = debug_sync_fits(u, &s.r.use);
		if (n > fits) {
			fits = n;
			best = s.r;
		}
	}
	if (fits)
		debug_sync_rules(d, u, for_cpu, &best);
	else if (!pz_load64(&d->lost) && !debug_later(u))
		pz_dma_debug_tell(d, PZ_DMA_SYNC_UNKNOWN, u, NULL, 0, 0);
}
