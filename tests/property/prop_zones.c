/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_zones.c - zones against an oracle that knows every page of a tiny machine.
 *
 * The machine lies across 4 GiB, so that the mirror rule sees both sides. The oracle asks every
 * page by itself which node and zone it is in, and spreads kernel memory one page at a time.
 */
#include <physzone/zone.h>
#include <stdlib.h>
#include <string.h>

#include "prop.h"

#define PAGES 192u
#define NODES 5u
#define SHIFT 12u
#define PAGE ((uint64_t)1 << SHIFT)
#define BASE (((uint64_t)1 << (32 - SHIFT)) - PAGES / 2)
#define NOWHERE PZ_ZONE_TYPES

struct heap {
	uint64_t left; /* allocations that still succeed */
	uint64_t held; /* bytes */
};

static void *heap_alloc(void *ctx, size_t size)
{
	struct heap *h = ctx;

	if (!h->left)
		return NULL;
	h->left--;
	h->held += size;
	return malloc(size ? size : 1);
}

static void heap_free(void *ctx, void *p, size_t size)
{
	struct heap *h = ctx;

	h->held -= size;
	free(p);
}

struct machine {
	struct heap heap;
	struct pz_meta meta;
	struct pz_mb_region mem[64], res[64];
	struct pz_memblock mb;
	struct pz_zone_config cfg;
};

/* What the oracle knows; pages are counted from BASE. */
struct oracle {
	int nid[PAGES]; /* -1: no memory */
	bool mirror[PAGES], free[PAGES];
	uint64_t low[PZ_ZONE_TYPES], high[PZ_ZONE_TYPES]; /* page frames */
	unsigned int host;
	uint64_t first[NODES], end[NODES], movable[NODES]; /* page frames, end 0: no memory */
	unsigned int zone[PAGES];
	uint64_t start[NODES][PZ_ZONE_TYPES], spanned[NODES][PZ_ZONE_TYPES];
	uint64_t present[NODES][PZ_ZONE_TYPES];
};

static void draw_regions(struct prop *p, struct pz_mb_region *v, struct pz_mb_array *a, uint32_t n,
			 bool reserved)
{
	static const uint32_t flags[] = { 0, 0, PZ_MB_HOTPLUG, PZ_MB_MIRROR, PZ_MB_NOMAP };
	uint64_t at = (BASE << SHIFT) + prop_draw(p, 4) * PAGE, end = (BASE + PAGES) << SHIFT;
	uint32_t count = 0;

	while (count < n) {
		uint64_t size = (1 + prop_draw(p, 40)) * PAGE, gap = prop_draw(p, 3) * PAGE;

		if (prop_choice(p, 8) == 7)
			size -= prop_between(p, 1, PAGE - 1);
		if (prop_choice(p, 8) == 7)
			gap += prop_between(p, 1, PAGE - 1);
		at += gap;
		if (at + size > end)
			break;
		v[count].range.first = at;
		v[count].range.last = at + size - 1;
		v[count].flags = reserved ? 0 : flags[prop_choice(p, 5)];
		v[count].nid = reserved ? PZ_NID_NONE : (int)prop_draw(p, NODES - 1);
		if (!reserved && prop_choice(p, 10) == 9)
			v[count].nid = PZ_NID_NONE;
		at += size;
		count++;
	}
	a->v = v;
	a->count = a->cap = count;
}

static struct pz_core_spec draw_core(struct prop *p, bool mirror)
{
	struct pz_core_spec c = { PZ_CORE_NONE, 0 };

	switch (prop_choice(p, mirror ? 4 : 3)) {
	case 1:
		c.kind = PZ_CORE_PAGES;
		c.value = prop_draw(p, PAGES + 10);
		break;
	case 2:
		c.kind = PZ_CORE_PERCENT;
		c.value = prop_draw(p, 120);
		break;
	case 3:
		c.kind = PZ_CORE_MIRROR;
		break;
	}
	return c;
}

static void draw_machine(struct prop *p, struct machine *m)
{
	uint64_t end = BASE - 10;

	memset(m, 0, sizeof(*m));
	m->heap.left = UINT64_MAX;
	m->meta.alloc = heap_alloc;
	m->meta.free = heap_free;
	m->meta.ctx = &m->heap;
	m->mb.page_shift = SHIFT;
	m->mb.meta = &m->meta;
	draw_regions(p, m->mem, &m->mb.memory, 16, false);
	draw_regions(p, m->res, &m->mb.reserved, 16, true);
	m->cfg.page_shift = SHIFT;
	m->cfg.configured = (uint32_t)prop_draw(p, 63) | 1u << PZ_ZONE_NORMAL;
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		end += prop_draw(p, 120);
		m->cfg.max_pfn[t] = prop_choice(p, 10) == 9 ? 0 : end;
	}
	if (prop_choice(p, 2))
		m->cfg.max_pfn[PZ_ZONE_NORMAL] = BASE + PAGES;
	m->cfg.max_order_pages = (uint64_t)1 << prop_draw(p, 4);
	m->cfg.kernelcore = draw_core(p, true);
	m->cfg.movablecore = draw_core(p, false);
	m->cfg.movable_node = prop_choice(p, 6) == 5;
	m->cfg.flags = (uint32_t)prop_draw(p, PZ_ZF_ALL) & ~PZ_ZF_DESCENDING;
	if (prop_choice(p, 8) == 7)
		m->cfg.flags |= PZ_ZF_DESCENDING;
}

static void oracle_pages(struct oracle *o, const struct machine *m)
{
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t a = (BASE + i) << SHIFT, b = a + PAGE - 1;

		o->nid[i] = -1;
		for (uint32_t k = 0; k < m->mb.memory.count; k++) {
			const struct pz_mb_region *r = &m->mem[k];

			if (r->range.first > a || r->range.last < b)
				continue;
			o->nid[i] = r->nid < 0 ? 0 : r->nid;
			o->mirror[i] = r->flags & PZ_MB_MIRROR;
			o->free[i] = !(r->flags & PZ_MB_NOMAP);
		}
		for (uint32_t k = 0; k < m->mb.reserved.count; k++) {
			if (m->res[k].range.first <= b && m->res[k].range.last >= a)
				o->free[i] = false;
		}
		if (o->nid[i] < 0)
			continue;
		if (!o->end[o->nid[i]])
			o->first[o->nid[i]] = BASE + i;
		o->end[o->nid[i]] = BASE + i + 1;
	}
}

static void oracle_limits(struct oracle *o, const struct machine *m)
{
	uint64_t cursor = m->mb.memory.count ? m->mem[0].range.first / PAGE : 0;

	o->host = PZ_ZONE_NORMAL;
	for (int k = 0; k < PZ_ZONE_TYPES; k++) {
		int t = m->cfg.flags & PZ_ZF_DESCENDING ? PZ_ZONE_TYPES - 1 - k : k;

		if (t == PZ_ZONE_MOVABLE || !(m->cfg.configured >> t & 1))
			continue;
		o->low[t] = cursor;
		if (cursor < m->cfg.max_pfn[t])
			cursor = m->cfg.max_pfn[t];
		o->high[t] = cursor;
	}
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (o->low[t] < o->high[t])
			o->host = t;
	}
}

/* Kernel memory, page by page, as evenly over the nodes as it goes. */
static void oracle_spread(struct oracle *o, uint64_t core, uint64_t usable)
{
	uint64_t nodes = 0;

	for (unsigned int n = 0; n < NODES; n++)
		nodes += o->end[n] != 0;
	while (nodes) {
		uint64_t each = core / nodes;

		for (unsigned int n = 0; n < NODES; n++) {
			uint64_t mine;

			if (!o->end[n])
				continue;
			if (core < each)
				each = core / nodes;
			mine = each;
			for (uint64_t f = BASE; f < BASE + PAGES; f++) {
				if (o->nid[f - BASE] != (int)n || f < o->movable[n])
					continue;
				if (f >= usable && !mine) {
					o->movable[n] = f;
					break;
				}
				o->movable[n] = f + 1;
				mine -= mine != 0;
				core -= core != 0;
				if (f >= usable && !mine)
					break;
			}
		}
		nodes--;
		if (core <= nodes)
			break;
	}
}

static uint64_t oracle_size(const struct pz_core_spec *c, uint64_t total)
{
	return c->kind == PZ_CORE_PAGES	    ? c->value
	       : c->kind == PZ_CORE_PERCENT ? total * 100 * c->value / 10000
					    : 0;
}

static void oracle_lower(struct oracle *o, int nid, uint64_t pfn)
{
	uint64_t *m = &o->movable[nid < 0 ? 0 : nid];

	if (!*m || pfn < *m)
		*m = pfn;
}

static void oracle_movable(struct oracle *o, const struct machine *m)
{
	const struct pz_zone_config *c = &m->cfg;
	uint64_t total = 0, core, movable, block = c->max_order_pages;
	bool mirrored = false, on = c->configured >> PZ_ZONE_MOVABLE & 1;

	for (uint32_t i = 0; i < m->mb.memory.count; i++)
		mirrored |= m->mem[i].flags & PZ_MB_MIRROR;
	for (unsigned int i = 0; i < PAGES; i++)
		total += o->nid[i] >= 0;
	for (uint32_t i = 0; on && c->movable_node && i < m->mb.memory.count; i++) {
		uint64_t a = m->mem[i].range.first;

		if (m->mem[i].flags & PZ_MB_HOTPLUG)
			oracle_lower(o, m->mem[i].nid,
				     (c->flags & PZ_ZF_MOVABLE_NODE_ROUND_UP ? a + PAGE - 1 : a) /
					     PAGE);
	}
	if (on && !c->movable_node && c->kernelcore.kind == PZ_CORE_MIRROR) {
		if ((c->flags & PZ_ZF_MIRROR_NEEDS_MIRROR) && (!mirrored || c->flags & PZ_ZF_KDUMP))
			return;
		for (uint32_t i = 0; i < m->mb.memory.count; i++) {
			uint64_t a = (m->mem[i].range.first + PAGE - 1) / PAGE;

			if (!(m->mem[i].flags & PZ_MB_MIRROR) && a >= (uint64_t)1 << 20)
				oracle_lower(o, m->mem[i].nid, a);
		}
	} else if (on && !c->movable_node) {
		core = oracle_size(&c->kernelcore, total);
		movable = oracle_size(&c->movablecore, total);
		if (movable) {
			while (movable % block)
				movable++;
			if (movable > total)
				movable = total;
			if (core < total - movable)
				core = total - movable;
		}
		if (core && core < total)
			oracle_spread(o, core, o->low[o->host]);
	}
	for (unsigned int n = 0; n < NODES; n++) {
		while (o->movable[n] % block)
			o->movable[n]++;
		if (o->movable[n] >= o->end[n])
			o->movable[n] = 0;
	}
}

/* Whether zone t of node n spans a page frame that lies between the ends of the node. */
static bool oracle_spans(const struct oracle *o, bool mirror_mode, unsigned int n, unsigned int t,
			 uint64_t f)
{
	uint64_t m = o->movable[n], start;

	if (t == PZ_ZONE_MOVABLE)
		return m && f >= m && f < o->high[o->host];
	if (f < o->low[t] || f >= o->high[t])
		return false;
	start = o->first[n] > o->low[t] ? o->first[n] : o->low[t];
	return !m || (mirror_mode ? start < m : f < m);
}

static void oracle_zones(struct oracle *o, const struct machine *m)
{
	bool mirror = m->cfg.kernelcore.kind == PZ_CORE_MIRROR;

	for (unsigned int i = 0; i < PAGES; i++)
		o->zone[i] = NOWHERE;
	for (unsigned int n = 0; n < NODES; n++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			for (uint64_t f = o->first[n]; f < o->end[n]; f++) {
				unsigned int i = (unsigned int)(f - BASE);
				bool mine = o->nid[i] == (int)n;
				bool absent = mirror && o->movable[n] &&
					      ((t == PZ_ZONE_MOVABLE && o->mirror[i]) ||
					       (t == PZ_ZONE_NORMAL && !o->mirror[i]));

				if (!(m->cfg.configured >> t & 1) ||
				    !oracle_spans(o, mirror, n, t, f))
					continue;
				if (!o->spanned[n][t]++)
					o->start[n][t] = f;
				o->present[n][t] += mine && !absent;
				if (mine && (o->zone[i] == NOWHERE ||
					     (t == PZ_ZONE_MOVABLE && !o->mirror[i])))
					o->zone[i] = t;
			}
		}
	}
}

static bool oracle_agrees(struct prop *p, const struct oracle *o, const struct machine *m,
			  const struct pz_zones *z)
{
	for (unsigned int n = 0; n < NODES; n++) {
		const struct pz_node *node = pz_zones_node(z, (int)n);
		bool known = false;

		for (uint32_t i = 0; i < m->mb.memory.count; i++)
			known |= (m->mem[i].nid < 0 ? 0 : m->mem[i].nid) == (int)n;
		PROP_ASSERT(p, known == (node != NULL));
		if (!node)
			continue;
		PROP_ASSERT(p, node->end_pfn == o->end[n]);
		PROP_ASSERT(p, node->start_pfn == o->first[n]);
		PROP_ASSERT(p, node->movable_pfn == o->movable[n]);
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			prop_note(p, "node %u zone %u", n, t);
			PROP_ASSERT(p, node->zone[t].start_pfn == o->start[n][t]);
			PROP_ASSERT(p, node->zone[t].spanned == o->spanned[n][t]);
			PROP_ASSERT(p, node->zone[t].present == o->present[n][t]);
			PROP_ASSERT(p, node->zone[t].managed == o->present[n][t]);
		}
	}
	for (unsigned int i = 0; i < PAGES; i++) {
		int nid = -1;
		unsigned int t = pz_zones_locate(z, BASE + i, &nid);

		PROP_ASSERT(p, nid == o->nid[i]);
		PROP_ASSERT(p, t == (nid < 0 ? NOWHERE : o->zone[i]));
		if (nid >= 0)
			PROP_ASSERT(p, pz_zones_of_pfn(z, nid, BASE + i) == o->zone[i]);
	}
	return true;
}

static bool oracle_managed(struct prop *p, const struct oracle *o, const struct machine *m,
			   struct pz_zones *z)
{
	uint64_t cap = prop_choice(p, 2) ? UINT64_MAX : BASE + prop_draw(p, PAGES);
	uint64_t want[NODES][PZ_ZONE_TYPES] = { { 0 } };
	uint64_t below = BASE + prop_draw(p, PAGES), max_addr = (below << SHIFT) - 1;
	bool lost = false, any_below = false;
	int err;

	for (unsigned int i = 0; i < PAGES; i++) {
		if (o->nid[i] < 0 || !o->free[i])
			continue;
		any_below |= BASE + i < below && o->zone[i] != NOWHERE;
		if (BASE + i >= cap)
			continue;
		if (o->zone[i] == NOWHERE)
			lost = true;
		else
			want[o->nid[i]][o->zone[i]]++;
	}
	err = pz_zones_set_managed(z, &m->mb, cap);
	PROP_ASSERT(p, pz_zones_check(z) == 0);
	PROP_ASSERT(p, err == (lost ? -PZ_EINVAL : 0));
	PROP_ASSERT(p, pz_zones_managed_below(z, &m->mb, max_addr) == any_below);
	for (uint32_t k = 0; k < z->node_count; k++) {
		const struct pz_node *n = &z->node[k];

		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			PROP_ASSERT(p, n->zone[t].managed ==
					       (lost ? n->zone[t].present : want[n->nid][t]));
	}
	return true;
}

/* Add and take away runs of pages; counts are those of single pages. */
static bool oracle_account(struct prop *p, const struct oracle *o, const struct machine *m,
			   struct pz_zones *z)
{
	bool mirror = m->cfg.kernelcore.kind == PZ_CORE_MIRROR;

	for (unsigned int round = 0; round < 4; round++) {
		uint64_t count[NODES][PZ_ZONE_TYPES] = { { 0 } }, want = 0;
		uint64_t a = prop_draw(p, PAGES - 1), b = prop_between(p, a, PAGES - 1);
		struct pz_range r = { BASE + a, BASE + b };
		bool add = prop_choice(p, 2);

		for (uint32_t k = 0; k < z->node_count; k++) {
			for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
				count[z->node[k].nid][t] = z->node[k].zone[t].managed;
		}
		for (uint64_t i = a; i <= b; i++) {
			uint64_t *c, most;

			if (o->nid[i] < 0 || o->zone[i] == NOWHERE)
				continue;
			c = &count[o->nid[i]][o->zone[i]];
			most = mirror ? o->spanned[o->nid[i]][o->zone[i]]
				      : o->present[o->nid[i]][o->zone[i]];
			if (add ? *c >= most : !*c)
				continue;
			*c = add ? *c + 1 : *c - 1;
			want++;
		}
		PROP_ASSERT(p, pz_zones_account(z, r, add) == want);
		PROP_ASSERT(p, pz_zones_check(z) == 0);
		for (uint32_t k = 0; k < z->node_count; k++) {
			for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
				PROP_ASSERT(p,
					    z->node[k].zone[t].managed == count[z->node[k].nid][t]);
		}
	}
	return true;
}

static bool layout_matches(struct prop *p, void *ctx)
{
	struct machine m;
	struct oracle o = { 0 };
	struct pz_zones z;
	bool ok;

	(void)ctx;
	draw_machine(p, &m);
	oracle_pages(&o, &m);
	oracle_limits(&o, &m);
	oracle_movable(&o, &m);
	oracle_zones(&o, &m);
	PROP_ASSERT(p, pz_zones_build(&z, &m.meta, &m.mb, &m.cfg) == 0);
	PROP_ASSERT(p, pz_zones_check(&z) == 0);
	ok = oracle_agrees(p, &o, &m, &z) && oracle_managed(p, &o, &m, &z) &&
	     oracle_account(p, &o, &m, &z);
	pz_zones_destroy(&z);
	PROP_ASSERT(p, m.heap.held == 0);
	return ok;
}

/* Bring pages online where there are none, each run to a zone of its own choice. */
static bool online_counts(struct prop *p, void *ctx)
{
	uint64_t present[NODES + 2][PZ_ZONE_TYPES] = { { 0 } };
	unsigned int zone[PAGES];
	int nid[PAGES];
	struct machine m;
	struct pz_zones z;

	(void)ctx;
	draw_machine(p, &m);
	PROP_ASSERT(p, pz_zones_build(&z, &m.meta, &m.mb, &m.cfg) == 0);
	for (uint32_t k = 0; k < z.node_count; k++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
			present[z.node[k].nid][t] = z.node[k].zone[t].present;
	}
	for (unsigned int i = 0; i < PAGES; i++) {
		nid[i] = -1;
		zone[i] = pz_zones_locate(&z, BASE + i, &nid[i]);
	}
	for (unsigned int round = 0; round < 6; round++) {
		uint64_t a = prop_draw(p, PAGES - 1), b = prop_between(p, a, PAGES - 1);
		unsigned int t = prop_choice(p, PZ_ZONE_TYPES);
		int to = (int)prop_draw(p, NODES + 1);
		bool taken = false, configured = m.cfg.configured >> t & 1;
		int err;

		for (uint64_t i = a; i <= b; i++)
			taken |= nid[i] >= 0;
		if (prop_choice(p, 3) == 2)
			m.heap.left = prop_draw(p, 1);
		err = pz_zones_online(&z, (struct pz_range){ BASE + a, BASE + b }, to,
				      (enum pz_zone_type)t);
		m.heap.left = UINT64_MAX;
		PROP_ASSERT(p, pz_zones_check(&z) == 0);
		if (!configured || taken)
			PROP_ASSERT(p, err == (configured ? -PZ_EEXIST : -PZ_EINVAL));
		else
			PROP_ASSERT(p, err == 0 || err == -PZ_ENOMEM);
		for (uint64_t i = a; !err && i <= b; i++) {
			nid[i] = to;
			zone[i] = t;
			present[to][t]++;
		}
		for (uint32_t k = 0; k < z.node_count; k++) {
			const struct pz_zone *v = &z.node[k].zone[t];

			PROP_ASSERT(p, v->present == present[z.node[k].nid][t]);
			PROP_ASSERT(p, v->managed == v->present);
		}
	}
	for (unsigned int i = 0; i < PAGES; i++) {
		int n = -1;
		unsigned int t = pz_zones_locate(&z, BASE + i, &n);

		PROP_ASSERT(p, n == nid[i]);
		PROP_ASSERT(p, t == zone[i]);
		PROP_ASSERT(p, n < 0 || pz_zones_of_pfn(&z, n, BASE + i) == zone[i]);
	}
	pz_zones_destroy(&z);
	PROP_ASSERT(p, m.heap.held == 0);
	return true;
}

/* Thousands of ranges: no page is lost or counted twice, and kernelcore= is kept. */
static bool large_adds_up(struct prop *p, void *ctx)
{
	enum { RANGES = 2048 };
	static struct pz_mb_region mem[RANGES], res[RANGES];
	uint64_t at = prop_draw(p, 4096), total = 0, taken = 0, present = 0, managed = 0,
		 kernel = 0;
	uint32_t nodes = 1 + (uint32_t)prop_draw(p, 511);
	bool mixed = prop_choice(p, 2);
	struct machine m;
	struct pz_zones z;

	(void)ctx;
	memset(&m, 0, sizeof(m));
	m.heap.left = UINT64_MAX;
	m.meta = (struct pz_meta){ heap_alloc, heap_free, &m.heap };
	m.mb.page_shift = m.cfg.page_shift = SHIFT;
	for (uint32_t i = 0; i < RANGES; i++) {
		uint64_t pages = prop_between(p, 2, 1 << 20);

		mem[i].range = (struct pz_range){ at * PAGE, (at + pages) * PAGE - 1 };
		mem[i].flags = 0;
		mem[i].nid =
			(int32_t)(mixed ? prop_draw(p, nodes - 1) : (uint64_t)i * nodes / RANGES);
		res[i].range = (struct pz_range){ (at + 1) * PAGE + 1, (at + 1) * PAGE + 2 };
		res[i].nid = PZ_NID_NONE;
		total += pages;
		taken++;
		at += pages + prop_draw(p, 1000);
	}
	m.mb.memory.v = mem;
	m.mb.reserved.v = res;
	m.mb.memory.count = m.mb.memory.cap = RANGES;
	m.mb.reserved.count = m.mb.reserved.cap = RANGES;
	m.cfg.configured = 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	m.cfg.max_pfn[PZ_ZONE_DMA32] = 1 << 20;
	m.cfg.max_pfn[PZ_ZONE_NORMAL] = at;
	m.cfg.max_order_pages = 1;
	m.cfg.kernelcore = (struct pz_core_spec){ PZ_CORE_PAGES, prop_between(p, 1, total) };
	PROP_ASSERT(p, pz_zones_build(&z, &m.meta, &m.mb, &m.cfg) == 0);
	PROP_ASSERT(p, pz_zones_set_managed(&z, &m.mb, UINT64_MAX) == 0);
	PROP_ASSERT(p, pz_zones_check(&z) == 0);
	for (uint32_t i = 0; i < z.node_count; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *v = &z.node[i].zone[t];

			present += v->present;
			managed += v->managed;
			kernel += t == PZ_ZONE_MOVABLE ? 0 : v->present;
		}
	}
	PROP_ASSERT(p, present == total);
	PROP_ASSERT(p, managed == total - taken);
	/* At most a page a node is left over by the division. */
	PROP_ASSERT(p, kernel + nodes >= m.cfg.kernelcore.value);
	pz_zones_destroy(&z);
	PROP_ASSERT(p, m.heap.held == 0);
	return true;
}

static bool faults_leave_nothing(struct prop *p, void *ctx)
{
	struct machine m;
	struct pz_zones z;
	int err;

	(void)ctx;
	draw_machine(p, &m);
	for (uint64_t fail = 0;; fail++) {
		m.heap.left = fail;
		err = pz_zones_build(&z, &m.meta, &m.mb, &m.cfg);
		if (!err)
			break;
		PROP_ASSERT(p, err == -PZ_ENOMEM);
		PROP_ASSERT(p, m.heap.held == 0);
		PROP_ASSERT(p, fail < 16);
	}
	for (int nid = 0; nid < 40; nid += 3) {
		uint32_t before = z.node_count;
		bool there = pz_zones_node(&z, nid) != NULL;

		m.heap.left = 0;
		err = pz_zones_add_node(&z, nid);
		PROP_ASSERT(p, pz_zones_check(&z) == 0);
		PROP_ASSERT(p, !there || !err);
		if (err) {
			PROP_ASSERT(p, err == -PZ_ENOMEM && z.node_count == before);
			m.heap.left = 1;
			PROP_ASSERT(p, pz_zones_add_node(&z, nid) == 0);
		}
		PROP_ASSERT(p, z.node_count == before + !there);
		PROP_ASSERT(p, pz_zones_node(&z, nid)->nid == nid);
		PROP_ASSERT(p, pz_zones_check(&z) == 0);
	}
	pz_zones_destroy(&z);
	PROP_ASSERT(p, m.heap.held == 0);
	return true;
}

int main(void)
{
	prop_run("layout equals the oracle's", layout_matches, NULL, 12000);
	prop_run("memory brought online", online_counts, NULL, 3000);
	prop_run("a large machine adds up", large_adds_up, NULL, 200);
	prop_run("failing allocations leave nothing behind", faults_leave_nothing, NULL, 1000);
	return prop_done();
}
