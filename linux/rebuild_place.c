/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebuild_place.c - where the free blocks of a reported zone go.
 *
 * Concept: present pages are cut into aligned sites. Blocks are placed from the largest order down.
 * A block that takes a part of a site leaves the other halves, one of each order, as sites. The
 * half beside the block itself must not hold a free block of the same order, for the two would be
 * one; it may hold smaller ones. Since that holds at every order, the smaller ones cannot fill it
 * either. A pageblock gets the mobility of the first block in it and takes no other.
 *
 * Invariants: 1. blocks are disjoint, aligned to their size and within the present pages; 2. no two
 * are halves of the same larger block; 3. those in one pageblock have one mobility.
 *
 * Failure: -PZ_ENOSPC when a block finds no site. The order of placing is no search: it may fail
 * for a zone that is nearly all free and in pieces, though another arrangement would do.
 *
 * Shortcomings: a pageblock that two zones share has one mobility for both.
 */
#include "pzl_rebuild.h"

#include "../src/base/bits.h"
#include "../src/base/pz_string.h"

#define PLACE_NO_TYPE 5u /* class of pageblocks without a mobility yet */
#define PLACE_FEW 4u	 /* with fewer whole pageblocks, those at the edges count */

/* How many free blocks of each order have each mobility. */
struct place_counts {
	uint64_t n[PZ_PAGE_ORDERS][PZ_CMA + 1];
};

int pzl_rebuild_push(const struct pz_meta *meta, struct rebuild_list *l, uint64_t pfn,
		     unsigned int order, unsigned int type)
{
	if (pz_array_grow(meta, &l->array, l->count, l->count + 1, sizeof(*l->v)))
		return -PZ_ENOMEM;
	l->v = l->array.v;
	l->v[l->count++] = (struct rebuild_block){ pfn, (uint8_t)order, (uint8_t)type };
	return 0;
}

static int place_site(struct rebuild_place *p, uint64_t pfn, unsigned int order, unsigned int class,
		      bool beside)
{
	uint32_t *head = &p->head[order][class][beside], i = p->unused;

	if (i != REBUILD_NONE) {
		p->unused = p->site[i].next;
	} else {
		if (pz_array_grow(p->meta, &p->site_array, p->sites, p->sites + 1,
				  sizeof(*p->site)))
			return -PZ_ENOMEM;
		p->site = p->site_array.v;
		i = p->sites++;
	}
	p->site[i] = (struct rebuild_site){ pfn, *head };
	*head = i;
	return 0;
}

static bool place_pop(struct rebuild_place *p, unsigned int order, unsigned int class, bool beside,
		      uint64_t *pfn)
{
	uint32_t *head = &p->head[order][class][beside], i = *head;

	if (i == REBUILD_NONE)
		return false;
	*pfn = p->site[i].pfn;
	*head = p->site[i].next;
	p->site[i].next = p->unused;
	p->unused = i;
	return true;
}

/* Cut a present range into sites; what is aligned to the largest order is left for later. */
static int place_range(struct rebuild_place *p, struct pz_range r)
{
	uint64_t at = r.first, end = r.last + 1, large = (uint64_t)1 << p->top;

	while (at < end) {
		unsigned int order = at ? pz_ctz64(at) : p->top;
		int rc;

		if (order >= p->top && end - at >= large) {
			p->body[p->bodies].pfn = at;
			p->body[p->bodies++].end = at = end & ~(large - 1);
			continue;
		}
		if (order > p->top)
			order = p->top;
		while ((uint64_t)1 << order > end - at)
			order--;
		rc = place_site(p, at, order, PLACE_NO_TYPE, false);
		if (rc)
			return rc;
		at += (uint64_t)1 << order;
	}
	return 0;
}

/* The highest site of the largest order. */
static bool place_large(struct rebuild_place *p, uint64_t *pfn)
{
	while (p->bodies) {
		struct rebuild_body *b = &p->body[p->bodies - 1];

		if (b->pfn < b->end) {
			b->end -= (uint64_t)1 << p->top;
			*pfn = b->end;
			return true;
		}
		p->bodies--;
	}
	return false;
}

/*
 * A site for a block: an exact one, else the smallest that can be cut; its order. @fresh: its
 * pageblock has no mobility yet.
 */
static bool place_find(struct rebuild_place *p, unsigned int order, unsigned int type,
		       uint64_t *pfn, unsigned int *found, bool *fresh)
{
	*fresh = false;
	for (*found = order; *found < p->block_order; ++*found) {
		if ((*found > order && place_pop(p, *found, type, true, pfn)) ||
		    place_pop(p, *found, type, false, pfn))
			return true;
	}
	*fresh = true;
	/* Below the order of a pageblock: pieces of those that are not whole. */
	for (*found = order; *found <= p->top; ++*found) {
		if (*found < p->block_order && type > PZ_RECLAIMABLE)
			continue;
		if ((*found > order && place_pop(p, *found, PLACE_NO_TYPE, true, pfn)) ||
		    place_pop(p, *found, PLACE_NO_TYPE, false, pfn))
			return true;
	}
	*found = p->top;
	return place_large(p, pfn);
}

/* Pageblocks get a mobility. */
static int place_mark(struct rebuild_place *p, uint64_t pfn, unsigned int order, unsigned int type)
{
	uint64_t n = (uint64_t)1 << (order > p->block_order ? order - p->block_order : 0);
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc && type != p->usual; i++)
		rc = pzl_rebuild_push(p->meta, &p->marked, pfn + (i << p->block_order),
				      p->block_order, type);
	return rc;
}

/* A pageblock that is not whole gets its mobility: so do the other pieces of it. */
static int place_bind(struct rebuild_place *p, uint64_t pfn, unsigned int type)
{
	for (unsigned int k = 0; k < p->block_order; k++) {
		uint32_t *at = &p->head[k][PLACE_NO_TYPE][false];

		while (*at != REBUILD_NONE) {
			struct rebuild_site *s = &p->site[*at];
			uint32_t i = *at;

			if (s->pfn >> p->block_order != pfn >> p->block_order) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			s->next = p->head[k][type][false];
			p->head[k][type][false] = i;
		}
	}
	return place_mark(p, pfn, p->block_order, type);
}

/* Put a block of an order in its place; with @taken a pageblock that gets its mobility only. */
static int place_one(struct rebuild_place *p, unsigned int order, unsigned int type, bool taken)
{
	unsigned int found;
	uint64_t pfn;
	bool fresh;
	int rc = 0;

	if (!place_find(p, order, type, &pfn, &found, &fresh))
		return -PZ_ENOSPC;
	if (fresh && found < p->block_order)
		rc = place_bind(p, pfn, type);
	else if (fresh && order < p->block_order)
		/* The pageblock that the block will be in: the highest of the site. */
		rc = place_mark(p, pfn + ((uint64_t)1 << found) - ((uint64_t)1 << p->block_order),
				p->block_order, type);
	while (found > order && !rc) {
		found--;
		rc = place_site(p, pfn, found, found < p->block_order ? type : PLACE_NO_TYPE,
				found == order && !taken);
		pfn += (uint64_t)1 << found;
	}
	if (!rc && order >= p->block_order)
		rc = place_mark(p, pfn, order, type);
	if (!rc && !taken)
		rc = pzl_rebuild_push(p->meta, &p->blocks, pfn, order, type);
	return rc;
}

/* The mobility of which an order has all blocks that the letters do not settle. */
static unsigned int place_most(uint8_t types)
{
	static const uint8_t order[] = { PZ_MOVABLE, PZ_UNMOVABLE, PZ_RECLAIMABLE, PZ_HIGHATOMIC,
					 PZ_CMA };

	for (unsigned int i = 0; i < sizeof(order); i++)
		if (types >> order[i] & 1)
			return order[i];
	return PZ_MOVABLE;
}

static void place_count(const struct rebuild_place *p, struct place_counts *c)
{
	const struct pzl_rebuild_zone *z = p->zone;
	uint64_t cma = 0;

	memset(c, 0, sizeof(*c));
	for (unsigned int k = 0; k < z->orders; k++) {
		uint8_t types = z->types[k] ? z->types[k] : (uint8_t)(1u << p->usual);
		uint64_t left = z->blocks[k];

		for (unsigned int t = 0; t <= PZ_CMA && left; t++) {
			c->n[k][t] = types >> t & 1;
			left -= c->n[k][t];
		}
		c->n[k][place_most(types)] += left;
		cma += c->n[k][PZ_CMA] << k;
	}
	/* More of CMA, from the largest order down, until it is what the zone has. */
	for (unsigned int k = z->orders; k-- > 0;) {
		unsigned int most = place_most((uint8_t)(z->types[k] & ~(1u << PZ_CMA)));
		uint64_t spare = c->n[k][most] ? c->n[k][most] - 1 : 0, more;

		if (z->free_cma > PZL_PAGES_MOST || !c->n[k][PZ_CMA] || most == PZ_CMA ||
		    z->free_cma <= cma)
			continue;
		more = (z->free_cma - cma) >> k;
		more = more < spare ? more : spare;
		c->n[k][PZ_CMA] += more;
		c->n[k][most] -= more;
		cma += more << k;
	}
}

static bool place_before(const struct rebuild_block *a, const struct rebuild_block *b)
{
	return a->pfn < b->pfn;
}

static void place_sift(struct rebuild_block *v, uint32_t root, uint32_t n)
{
	for (;;) {
		uint32_t child = 2 * root + 1;
		struct rebuild_block tmp;

		if (child >= n)
			return;
		if (child + 1 < n && place_before(&v[child], &v[child + 1]))
			child++;
		if (!place_before(&v[root], &v[child]))
			return;
		tmp = v[root];
		v[root] = v[child];
		v[child] = tmp;
		root = child;
	}
}

static void place_sort(struct rebuild_list *l)
{
	for (uint32_t i = l->count / 2; i-- > 0;)
		place_sift(l->v, i, l->count);
	for (uint32_t end = l->count; end > 1; end--) {
		struct rebuild_block tmp = l->v[0];

		l->v[0] = l->v[end - 1];
		l->v[end - 1] = tmp;
		place_sift(l->v, 0, end - 1);
	}
}

/* Every block of one mobility; those of CMA come first, so that their pageblocks lie together. */
static int place_type(struct rebuild_place *p, const struct place_counts *c, unsigned int type)
{
	int rc = 0;

	for (unsigned int k = p->zone->orders; k-- > 0;)
		for (uint64_t n = c->n[k][type]; n && !rc; n--)
			rc = place_one(p, k, type, false);
	return rc;
}

/* The rest, by order, so that a large block of any mobility comes before a small one. */
static int place_others(struct rebuild_place *p, const struct place_counts *c)
{
	int rc = 0;

	for (unsigned int k = p->zone->orders; k-- > 0;)
		for (unsigned int t = 0; t <= PZ_RECLAIMABLE; t++)
			for (uint64_t n = c->n[k][t]; n && !rc; n--)
				rc = place_one(p, k, t, false);
	return rc;
}

/* Pageblocks set aside for atomic requests that have no free page. */
static int place_set_aside(struct rebuild_place *p)
{
	uint64_t want = p->zone->highatomic > PZL_PAGES_MOST ? 0 : p->zone->highatomic;
	uint64_t have = 0;
	int rc = 0;

	for (uint32_t i = 0; i < p->marked.count; i++)
		have += p->marked.v[i].type == PZ_HIGHATOMIC;
	for (want >>= p->block_order; have < want && !rc; have++)
		rc = place_one(p, p->block_order, PZ_HIGHATOMIC, true);
	return rc;
}

int pzl_rebuild_place(struct rebuild_place *p)
{
	struct place_counts c;
	int rc = 0;

	memset(p->head, 0xff, sizeof(p->head));
	p->unused = REBUILD_NONE;
	place_count(p, &c);
	p->body = p->pfns_count ? p->meta->alloc(p->meta->ctx, p->pfns_count * sizeof(*p->body))
				: NULL;
	if (p->pfns_count && !p->body)
		return -PZ_ENOMEM;
	for (uint32_t i = 0; i < p->pfns_count && !rc; i++)
		rc = place_range(p, p->pfns[i]);
	if (!rc)
		rc = place_type(p, &c, PZ_CMA);
	if (!rc)
		rc = place_type(p, &c, PZ_HIGHATOMIC);
	if (!rc)
		rc = place_set_aside(p);
	if (!rc)
		rc = place_others(p, &c);
	if (rc)
		return rc;
	place_sort(&p->blocks);
	place_sort(&p->marked);
	return 0;
}

void pzl_rebuild_place_end(struct rebuild_place *p)
{
	if (p->body)
		p->meta->free(p->meta->ctx, p->body, p->pfns_count * sizeof(*p->body));
	pz_array_drop(p->meta, &p->site_array, sizeof(*p->site));
	pz_array_drop(p->meta, &p->blocks.array, sizeof(*p->blocks.v));
	pz_array_drop(p->meta, &p->marked.array, sizeof(*p->marked.v));
	p->body = NULL;
}
