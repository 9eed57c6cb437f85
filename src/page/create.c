/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * create.c - an allocator from the zones and the memblock of a machine.
 *
 * Concept
 *  The tree starts as zero memory under a root whose units are all reserved. Giving it a range of
 *  frames frees the largest units that fit and splits the few at the edges, so the cost is by
 *  ranges and levels, and what lies below a free unit is not touched.
 *
 * Failure
 *  Everything is asked for before anything is given out; what was got by then goes back.
 */
#include "page_internal.h"

#include "../zone/zone_internal.h"

#define CREATE_LINE 64u /* bytes of a cache line */

/* The first cache line that begins in memory from a hook, whose size had one more. */
static void *create_align(void *raw)
{
	return (unsigned char *)raw + (CREATE_LINE - (uintptr_t)raw % CREATE_LINE);
}

static uint64_t create_cpu_bytes(const struct pz_pages *p)
{
	return (uint64_t)p->cpus * sizeof(*p->cpu) + CREATE_LINE;
}

void *pz_page_zeroed(struct pz_pages *p, uint64_t bytes)
{
	const struct pz_meta *m = p->cfg.zeroed ? p->cfg.zeroed : p->cfg.meta;
	void *v;

	if (bytes > SIZE_MAX)
		return NULL;
	v = m->alloc(m->ctx, (size_t)bytes);
	if (v && !p->cfg.zeroed)
		memset(v, 0, (size_t)bytes);
	return v;
}

static void create_give_zeroed(struct pz_pages *p, void *v, uint64_t bytes)
{
	const struct pz_meta *m = p->cfg.zeroed ? p->cfg.zeroed : p->cfg.meta;

	if (v)
		m->free(m->ctx, v, (size_t)bytes);
}

static void *create_array(struct pz_pages *p, uint64_t n, size_t size)
{
	void *v;

	if (n * size > SIZE_MAX || (n && n * size / n != size))
		return NULL;
	v = p->cfg.meta->alloc(p->cfg.meta->ctx, (size_t)(n ? n * size : size));
	if (v)
		memset(v, 0, (size_t)(n ? n * size : size));
	return v;
}

static void create_give_array(struct pz_pages *p, void *v, uint64_t n, size_t size)
{
	if (v)
		p->cfg.meta->free(p->cfg.meta->ctx, v, (size_t)(n ? n * size : size));
}

static bool create_config_ok(const struct pz_page_config *cfg)
{
	if (!cfg->meta || !cfg->meta->alloc || !cfg->meta->free || !cfg->zones || !cfg->memblock)
		return false;
	if (cfg->zeroed && (!cfg->zeroed->alloc || !cfg->zeroed->free))
		return false;
	if (!cfg->zones->node_count || cfg->zones->cfg.page_shift != cfg->memblock->page_shift)
		return false;
	if (cfg->cpus < 1 || cfg->cpus > PZ_PAGE_MAX_CPUS)
		return false;
	if (cfg->pageblock_order &&
	    (cfg->pageblock_order < WORD_SHIFT || cfg->pageblock_order > PAGE_NODE_SHIFT))
		return false;
	if (cfg->policy != PZ_POLICY_REACH && cfg->policy != PZ_POLICY_ZONELIST)
		return false;
	return !(cfg->debug & ~(PZ_PAGE_DEBUG_SITES | PZ_PAGE_DEBUG_POISON | PZ_PAGE_DEBUG_GUARD));
}

/* Spans over the blocks of memory; returns their number, and fills them in when there is room. */
static uint32_t create_spans(const struct pz_zones *z, struct page_span *v)
{
	uint64_t align = (uint64_t)1 << PAGE_ALIGN_SHIFT, next = 0;
	struct page_span s = { 0, 0, 0 };
	uint32_t n = 0;

	for (uint32_t i = 0; i < z->block_count; i++) {
		struct pz_range r = z->block[i].pfns;

		if (n && r.first - s.last_pfn <= PAGE_SPAN_GAP) {
			s.last_pfn = r.last;
		} else {
			if (n)
				next = (s.index + (s.last_pfn - s.first_pfn) + align + 1) &
				       ~(align - 1);
			s.first_pfn = r.first & ~(align - 1);
			s.last_pfn = r.last;
			s.index = next;
			n++;
		}
		if (v)
			v[n - 1] = s;
	}
	return n;
}

static int create_levels(struct pz_pages *p)
{
	const struct page_span *last = &p->span[p->span_count - 1];
	uint32_t l = 0;
	uint64_t n;

	p->base_pfn = p->span[0].first_pfn;
	p->frames_0 = p->span[0].last_pfn - p->span[0].first_pfn + 1;
	p->frames = last->index + (last->last_pfn - last->first_pfn) + 1;
	n = p->frames;
	do {
		struct page_level *level = &p->level[l];

		if (l == PAGE_LEVELS_MAX)
			return -PZ_EINVAL;
		n = (n + WORD_UNITS - 1) >> WORD_SHIFT;
		level->words = n;
		if (l == 0)
			level->stride = sizeof(uint64_t);
		else if (l == 1)
			level->stride = sizeof(struct page_node);
		else
			level->stride =
				(uint32_t)(sizeof(struct page_upper) +
					   PAGE_KINDS * WORD_SHIFT * l * sizeof(uint32_t) + 63) &
				~63u;
		level->base = pz_page_zeroed(p, n * level->stride);
		if (!level->base)
			return -PZ_ENOMEM;
		p->level_count = ++l;
		/* One more than the frames need, where a block may have as many as they are. */
	} while (n > 1 || l < 2 || !(p->frames & (((uint64_t)1 << (WORD_SHIFT * l)) - 1)));
	return 0;
}

static struct pz_node *create_node(const struct pz_zones *z, int32_t nid, uint32_t *at)
{
	struct pz_node *n = pz_zones_node(z, nid);

	*at = n ? (uint32_t)(n - z->node) : 0;
	return n;
}

/* Areas: each zone of each node that spans something. */
static int create_areas(struct pz_pages *p)
{
	const struct pz_zones *z = p->cfg.zones;
	uint32_t n = 0;

	for (uint32_t pass = 0; pass < 2; pass++) {
		n = 0;
		for (uint32_t i = 0; i < z->node_count; i++) {
			for (uint8_t t = 0; t < PZ_ZONE_TYPES; t++) {
				if (!z->node[i].zone[t].spanned)
					continue;
				if (pass) {
					p->area[n].nid = z->node[i].nid;
					p->area[n].node = i;
					p->area[n].type = t;
				}
				n++;
			}
		}
		if (!pass) {
			p->area = create_array(p, n, sizeof(*p->area));
			p->area_count = n;
			if (!p->area)
				return -PZ_ENOMEM;
		}
	}
	return 0;
}

/* The area of a zone of a node; areas ascend by node. */
static uint32_t create_area_of(const struct pz_pages *p, uint32_t node, unsigned int type)
{
	uint32_t lo = 0, hi = p->area_count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (p->area[mid].node < node)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < p->area_count && p->area[lo].node == node; lo++) {
		if (p->area[lo].type == type)
			return lo;
	}
	return UINT32_MAX;
}

static int create_seg(struct pz_pages *p, uint64_t lo, uint64_t hi, uint32_t area)
{
	struct page_seg *s = p->seg_count ? &p->seg[p->seg_count - 1] : NULL;

	/* A hole inside an area belongs to it. */
	if (s && s->area == area) {
		s->hi = hi;
		return 0;
	}
	if (p->seg_count == p->seg_cap) {
		uint32_t cap = p->seg_cap ? p->seg_cap * 2 : 32;
		struct page_seg *v = create_array(p, cap, sizeof(*v));

		if (!v)
			return -PZ_ENOMEM;
		if (p->seg_count)
			memcpy(v, p->seg, p->seg_count * sizeof(*v));
		create_give_array(p, p->seg, p->seg_cap, sizeof(*v));
		p->seg = v;
		p->seg_cap = cap;
	}
	s = &p->seg[p->seg_count++];
	s->lo = lo;
	s->hi = hi;
	s->area = area;
	s->node = p->area[area].node;
	return 0;
}

static int create_segs(struct pz_pages *p)
{
	const struct pz_zones *z = p->cfg.zones;

	for (uint32_t i = 0; i < z->block_count; i++) {
		const struct pz_zone_block *b = &z->block[i];
		uint64_t pfn = b->pfns.first, until;
		struct pz_node *n;
		uint32_t node;

		n = create_node(z, b->nid, &node);
		while (n) {
			unsigned int type = pz_zone_of_block(n, b, pfn, &until);
			uint32_t area = create_area_of(p, node, type);

			if (until > b->pfns.last)
				until = b->pfns.last;
			if (area != UINT32_MAX) {
				int rc = create_seg(p, pz_page_index_slow(p, pfn),
						    pz_page_index_slow(p, until), area);

				if (rc)
					return rc;
			}
			if (until == b->pfns.last)
				break;
			pfn = until + 1;
		}
	}
	return 0;
}

/* The smallest alignment of a border between segments that touch: smaller blocks never cross it. */
static void create_joins(struct pz_pages *p)
{
	p->join_order = 63;
	for (uint32_t i = 1; i < p->seg_count; i++) {
		if (p->seg[i - 1].hi + 1 != p->seg[i].lo)
			continue;
		if (pz_ctz64(p->seg[i].lo) < p->join_order)
			p->join_order = pz_ctz64(p->seg[i].lo);
	}
}

/* Segments by node, highest first, and the order in which nodes fall back to each other. */
static int create_order(struct pz_pages *p)
{
	const struct pz_zones *z = p->cfg.zones;
	uint32_t n = z->node_count, at = 0;
	int rc = 0;

	p->node_count = n;
	p->node_seg = create_array(p, n + 1, sizeof(*p->node_seg));
	p->by_node = create_array(p, p->seg_count, sizeof(*p->by_node));
	if (!p->node_seg || !p->by_node)
		return -PZ_ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		p->node_seg[i + 1] = 0;
	for (uint32_t i = 0; i < p->seg_count; i++)
		p->node_seg[p->seg[i].node + 1]++;
	for (uint32_t i = 0; i < n; i++)
		p->node_seg[i + 1] += p->node_seg[i];
	for (uint32_t i = 0; i < p->seg_count; i++) {
		/* Fill each node's part from its end: segments ascend, the list descends. */
		uint32_t node = p->seg[i].node;

		p->by_node[--p->node_seg[node + 1]] = i;
	}
	/* The ends were used up as cursors: they are where each part begins now. */
	for (uint32_t i = 0; i < n; i++)
		p->node_seg[i] = p->node_seg[i + 1];
	p->node_seg[n] = p->seg_count;
	if (n > PAGE_FALLBACK_NODES)
		return 0;
	p->fallback = create_array(p, (uint64_t)n * n, sizeof(*p->fallback));
	if (!p->fallback)
		return -PZ_ENOMEM;
	for (uint32_t i = 0; i < n && !rc; i++) {
		int32_t order[PAGE_FALLBACK_NODES];
		int got = pz_zones_fallback(z, z->node[i].nid, p->cfg.distance, p->cfg.distance_ctx,
					    order, n, p->node_load);

		if (got < 0)
			rc = got;
		for (at = 0; !rc && at < n; at++) {
			uint32_t pos = UINT32_MAX;

			if (at < (uint32_t)got)
				create_node(z, order[at], &pos);
			p->fallback[i * n + at] = (int32_t)pos;
		}
	}
	return rc;
}

static void create_cpus(struct pz_pages *p)
{
	const struct pz_zones *z = p->cfg.zones;

	for (uint32_t i = 0; i < p->cpus; i++) {
		struct page_cpu *c = &p->cpu[i];
		uint32_t node = 0;

		if (p->cfg.cpu_nid)
			create_node(z, p->cfg.cpu_nid[i], &node);
		c->index = i;
		c->node = node;
		c->home_lo = PAGE_NONE;
		for (uint32_t s = p->node_seg[node]; s < p->node_seg[node + 1]; s++) {
			const struct page_seg *seg = &p->seg[p->by_node[s]];

			if (c->home_lo == PAGE_NONE)
				c->home_hi = seg->hi;
			c->home_lo = seg->lo;
		}
		for (unsigned int t = 0; t < PAGE_TALLIES; t++)
			c->tally[t].lo = PAGE_NONE;
		c->window.lo = 1; /* of [0, 0], which holds no page */
		for (unsigned int k = 0; k < PAGE_CLASSES; k++) {
			for (unsigned int t = 0; t < PAGE_TYPES; t++) {
				c->slot[k][t].lo = PAGE_NONE;
				for (unsigned int o = 0; o < PZ_PAGE_ORDERS; o++) {
					c->cur[k][t][o] = (uint8_t)k;
					c->slot[k][t].at[o] = PAGE_NONE;
				}
			}
		}
	}
}

/*
 * Make the way to a word: split the reserved units above it into reserved units. Returns 0, or
 * -PZ_EEXIST when a unit on the way is not reserved. Under the lock.
 */
int pz_page_open(struct pz_pages *p, unsigned int level, uint64_t index)
{
	for (unsigned int l = p->level_count - 1; l > level; l--) {
		uint64_t unit = index >> (WORD_SHIFT * l), old;
		uint64_t *w = page_word(p, l, unit >> WORD_SHIFT);
		uint32_t bit = (uint32_t)1 << (unit & 31);

		old = pz_load64(w);
		if (word_state(old, unit & 31) == WORD_SPLIT)
			continue;
		if (word_state(old, unit & 31) != WORD_HEAD)
			return -PZ_EEXIST;
		pz_store64(page_word(p, l - 1, unit), WORD_RESERVED);
		if (l - 1 == 1)
			pz_or32(&page_node(p, unit)->reserved, ~(uint32_t)0);
		else if (l > 1)
			pz_or32(&page_upper(p, l - 1, unit)->reserved, ~(uint32_t)0);
		pz_page_bound_open(p, l, unit, false);
		/* Nothing of it is free yet: what is given of it later is news. */
		if (l == 1) {
			for (unsigned int j = 0; j < WORD_SHIFT; j++)
				pz_or32(&page_node(p, unit >> WORD_SHIFT)->none[j], bit);
			pz_and32(&page_node(p, unit >> WORD_SHIFT)->empty, ~bit);
		} else {
			pz_and32(&page_upper(p, l, unit >> WORD_SHIFT)->empty, ~bit);
		}
		while (!pz_cas64(w, old, old & ~(uint64_t)bit))
			old = pz_load64(w);
		pz_page_hint_reset(p, index);
	}
	return 0;
}

static uint32_t *create_reserved(struct pz_pages *p, unsigned int level, uint64_t i)
{
	return level == 1 ? &page_node(p, i)->reserved : &page_upper(p, level, i)->reserved;
}

/* Free reserved frames [lo, hi], all of them reserved. Under the lock. */
static void create_free(struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	while (lo <= hi) {
		unsigned int level = 0, unit, n;
		uint64_t *w, old;
		uint32_t m;

		while (level + 1 < p->level_count &&
		       !(lo & (((uint64_t)1 << (WORD_SHIFT * (level + 1))) - 1)) &&
		       hi - lo + 1 >= (uint64_t)1 << (WORD_SHIFT * (level + 1)))
			level++;
		/* Frames of a unit that is split already are freed one level further down. */
		for (;; level--) {
			uint64_t u = lo >> (WORD_SHIFT * level);

			(void)pz_page_open(p, level, lo);
			if (!level || word_state(pz_load64(page_word(p, level, u >> WORD_SHIFT)),
						 u & 31) != WORD_SPLIT)
				break;
		}
		unit = (unsigned int)(lo >> (WORD_SHIFT * level)) & 31;
		w = page_word(p, level, lo >> (WORD_SHIFT * (level + 1)));
		old = pz_load64(w);
		for (n = 0; unit + n < WORD_UNITS && word_state(old, unit + n) == WORD_HEAD &&
			    ((uint64_t)(n + 1) << (WORD_SHIFT * level)) - 1 <= hi - lo;)
			n++;
		if (!n)
			return; /* cannot happen: the caller has looked */
		m = word_mask(unit, n);
		if (level)
			pz_and32(create_reserved(p, level, lo >> (WORD_SHIFT * (level + 1))), ~m);
		while (!pz_cas64(w, old, old & ~((uint64_t)m << 32 | m)))
			old = pz_load64(w);
		page_bound_freed(p, level, lo >> (WORD_SHIFT * (level + 1)), m);
		for (unsigned int i = 0; i < n; i++)
			pz_page_freed(
				p, level, lo >> (WORD_SHIFT * (level + 1)), unit + i,
				level ? pz_page_loose(p, level, lo >> (WORD_SHIFT * (level + 1))) |
						m
				      : word_free(pz_load64(w)) | m);
		lo += (uint64_t)n << (WORD_SHIFT * level);
	}
}

/* Give frames to the allocator; they have indices. Under the lock, or before anybody else. */
int pz_page_give(struct pz_pages *p, uint64_t lo, uint64_t hi)
{
	int rc = pz_page_managed_add(p, lo, hi);

	if (rc)
		return rc;
	for (uint64_t i = lo; i <= hi;) {
		const struct page_seg *s = pz_page_seg_of(p, i);
		uint64_t last = s && s->hi < hi ? s->hi : hi;

		if (s)
			pz_count64(&p->area[s->area].managed, last - i + 1);
		i = last + 1;
	}
	p->total += hi - lo + 1;
	/* Debugging expects of free pages what a free leaves behind. */
	if ((p->cfg.debug & PZ_PAGE_DEBUG_POISON) && p->cfg.hooks.fill)
		p->cfg.hooks.fill(p->cfg.hooks.ctx, page_to_pfn(p, lo), hi - lo + 1, PAGE_POISON);
	if ((p->cfg.debug & PZ_PAGE_DEBUG_GUARD) && p->cfg.hooks.map)
		p->cfg.hooks.map(p->cfg.hooks.ctx, page_to_pfn(p, lo), hi - lo + 1, false);
	create_free(p, lo, hi);
	pz_page_account(p, PZ_CPU_NONE, lo, hi, 1);
	return 0;
}

static int create_emit(void *ctx, struct pz_range pfns, int nid)
{
	struct pz_pages *p = ctx;
	uint64_t lo = pz_page_index_slow(p, pfns.first), hi = pz_page_index_slow(p, pfns.last);

	(void)nid;
	if (lo == PAGE_NONE || hi == PAGE_NONE)
		return -PZ_EINVAL;
	return pz_page_give(p, lo, hi);
}

/* A CPU keeps a small share of memory to itself in counting, so that the count is not shared often.
 */
static uint32_t create_delta(const struct pz_pages *p)
{
	uint64_t share = pz_udiv64(p->total, (uint64_t)p->cpus * 512);

	return share < 64 ? 64 : share > 1024 ? 1024 : (uint32_t)share;
}

/* From how many free pages on no request can meet a watermark, and what is kept. */
static void create_easy(struct pz_pages *p)
{
	/* Room for what the CPUs have not added yet, and for the largest common block. */
	uint64_t room = page_uncounted(p) + ((uint64_t)1 << PAGE_NODE_SHIFT), low = 0;
	bool zones = p->policy == PZ_POLICY_ZONELIST;

	p->keep_now = zones ? 0 : p->keep;
	for (uint32_t i = 0; i < p->area_count; i++) {
		struct page_area *a = &p->area[i];
		const struct pz_zone *z = &p->cfg.zones->node[a->node].zone[a->type];
		uint64_t most = 0;

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (z->reserve[t] > most)
				most = z->reserve[t];
		}
		low += z->low;
		a->easy = zones && z->low + most ? (int64_t)(z->low + most + room) : INT64_MIN;
	}
	p->easy_all = !zones && low ? (int64_t)(low + p->keep_count + room) : INT64_MIN;
}

/* What everything about watermarks and kept pages follows from. */
static void create_marks(struct pz_pages *p)
{
	uint64_t mib = ((uint64_t)1 << 20) >> p->page_shift, keep = p->cfg.keep_pages, seen = 0;

	if (!keep) {
		keep = p->total >> 8;
		if (keep < 8 * mib)
			keep = 8 * mib;
		if (keep > 32 * mib)
			keep = 32 * mib;
		if (keep > p->total >> 3)
			keep = p->total >> 3;
	}
	p->keep = p->keep_count = 0;
	for (uint32_t i = 0; keep && keep != UINT64_MAX && i < p->managed_count; i++) {
		uint64_t n = p->managed[i].last - p->managed[i].first + 1;

		if (seen + n > keep)
			n = keep - seen;
		p->keep = p->managed[i].first + n;
		seen += n;
		p->keep_count = seen;
		if (seen == keep)
			break;
	}
	create_easy(p);
}

static int create_faults(struct pz_pages *p)
{
	static const char *const names[] = { "page.search", "page.piece", "page.migrate" };
	uint32_t *id[] = { &p->fault_search, &p->fault_piece, &p->fault_migrate };

	for (unsigned int i = 0; i < 3; i++) {
		int rc;

		*id[i] = PZ_FAULT_ANY;
		if (!p->cfg.faults)
			continue;
		rc = pz_fault_find(p->cfg.faults, names[i], id[i]);
		if (rc)
			rc = pz_fault_add(p->cfg.faults, names[i], id[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static int create_fill(struct pz_pages *p)
{
	const struct pz_zones *z = p->cfg.zones;
	int rc;

	p->span_count = create_spans(z, NULL);
	if (!p->span_count)
		return -PZ_EINVAL;
	p->span = create_array(p, p->span_count, sizeof(*p->span));
	p->node_load = create_array(p, z->node_count, sizeof(*p->node_load));
	p->cpu_raw = pz_page_zeroed(p, create_cpu_bytes(p));
	p->cpu = p->cpu_raw ? create_align(p->cpu_raw) : NULL;
	if (!p->span || !p->node_load || !p->cpu_raw)
		return -PZ_ENOMEM;
	create_spans(z, p->span);
	rc = create_levels(p);
	if (!rc)
		rc = create_areas(p);
	if (!rc)
		rc = create_segs(p);
	if (!rc)
		rc = create_order(p);
	if (!rc)
		rc = create_faults(p);
	if (rc)
		return rc;
	p->words = page_word(p, 0, 0);
	p->nodes = page_node(p, 0);
	p->serial = 1; /* what CPUs have is stale */
	create_joins(p);
	create_cpus(p);
	if (p->cfg.debug & PZ_PAGE_DEBUG_SITES) {
		p->sites = pz_page_zeroed(p, p->frames * 2 * sizeof(uint64_t));
		if (!p->sites)
			return -PZ_ENOMEM;
	}
	*page_word(p, p->level_count - 1, 0) = WORD_RESERVED;
	*create_reserved(p, p->level_count - 1, 0) = ~(uint32_t)0;
	rc = pz_memblock_hand_over(p->cfg.memblock, p->cfg.max_pfn, create_emit, p);
	p->delta = create_delta(p);
	if (!rc)
		rc = pz_page_hold_create(p);
	if (!rc)
		create_marks(p);
	return rc;
}

int pz_pages_create(struct pz_pages **out, const struct pz_page_config *cfg)
{
	struct pz_pages *p;
	void *raw;
	int rc;

	if (!create_config_ok(cfg))
		return -PZ_EINVAL;
	/* The hook aligns to 16; what CPUs write apart lies on lines of its own. */
	raw = cfg->meta->alloc(cfg->meta->ctx, sizeof(*p) + CREATE_LINE);
	if (!raw)
		return -PZ_ENOMEM;
	p = create_align(raw);
	memset(p, 0, sizeof(*p));
	p->raw = raw;
	p->cfg = *cfg;
	p->page_shift = cfg->zones->cfg.page_shift;
	p->cpus = cfg->cpus;
	p->policy = cfg->policy;
	p->pageblock_order = cfg->pageblock_order ? cfg->pageblock_order : 9;
	p->type_default = cfg->no_grouping ? PZ_UNMOVABLE : PZ_MOVABLE;
	p->type_mask = cfg->no_grouping ? 0 : 3;
	p->slow = cfg->debug || cfg->pcp_hold;
	rc = create_fill(p);
	if (rc) {
		pz_pages_destroy(p);
		return rc;
	}
	p->cfg.memblock = NULL;
	*out = p;
	return 0;
}

void pz_pages_destroy(struct pz_pages *p)
{
	const struct pz_zones *z;

	if (!p)
		return;
	z = p->cfg.zones;
	pz_page_hold_destroy(p);
	while (p->outgrown) {
		struct page_outgrown *o = p->outgrown;

		p->outgrown = o->next;
		p->cfg.meta->free(p->cfg.meta->ctx, o, (size_t)o->size);
	}
	pz_page_cma_destroy(p);
	create_give_zeroed(p, p->sites, p->frames * 2 * sizeof(uint64_t));
	create_give_zeroed(p, p->owner, p->frames);
	create_give_array(p, p->fallback, (uint64_t)p->node_count * p->node_count,
			  sizeof(*p->fallback));
	create_give_array(p, p->by_node, p->seg_count, sizeof(*p->by_node));
	create_give_array(p, p->node_seg, p->node_count + 1, sizeof(*p->node_seg));
	create_give_array(p, p->seg, p->seg_cap, sizeof(*p->seg));
	create_give_array(p, p->area, p->area_count, sizeof(*p->area));
	for (uint32_t l = 0; l < PAGE_LEVELS_MAX; l++)
		create_give_zeroed(p, p->level[l].base, p->level[l].words * p->level[l].stride);
	create_give_zeroed(p, p->cpu_raw, create_cpu_bytes(p));
	create_give_array(p, p->node_load, z->node_count, sizeof(*p->node_load));
	create_give_array(p, p->span, p->span_count, sizeof(*p->span));
	p->cfg.meta->free(p->cfg.meta->ctx, p->raw, sizeof(*p) + CREATE_LINE);
}

/* Whether every frame of a range lies in memory of the zones; its indices then. */
bool pz_page_givable(const struct pz_pages *p, struct pz_range pfns, uint64_t *lo, uint64_t *hi)
{
	if (!pz_range_valid(pfns))
		return false;
	*lo = pz_page_index_slow(p, pfns.first);
	*hi = pz_page_index_slow(p, pfns.last);
	if (*lo == PAGE_NONE || *hi == PAGE_NONE || *hi - *lo != pfns.last - pfns.first)
		return false;
	for (uint64_t pfn = pfns.first;;) {
		uint32_t i = pz_zone_block_find(p->cfg.zones, pfn);
		const struct pz_zone_block *b = &p->cfg.zones->block[i];

		if (i == p->cfg.zones->block_count || b->pfns.first > pfn ||
		    !pz_page_seg_of(p, pz_page_index_slow(p, pfn)))
			return false;
		if (b->pfns.last >= pfns.last)
			return true;
		pfn = b->pfns.last + 1;
	}
}

int pz_pages_add(struct pz_pages *p, struct pz_range pfns)
{
	uint64_t lo, hi;
	int rc;

	if (!pz_page_givable(p, pfns, &lo, &hi))
		return -PZ_EINVAL;
	pz_page_lock(p);
	rc = pz_page_give(p, lo, hi);
	pz_page_unlock(p);
	return rc;
}

void pz_pages_set_policy(struct pz_pages *p, enum pz_page_policy policy)
{
	pz_page_lock(p);
	pz_store32(&p->policy, (uint32_t)policy);
	create_marks(p);
	pz_add32(&p->serial, 1);
	pz_page_unlock(p);
}
