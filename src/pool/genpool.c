/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool.c - pools: pieces given out and taken back.
 *
 * Concept
 *  A request first bespeaks its granules in the state of a chunk, which keeps the chunk from going,
 *  and then takes them in its map; when there is no place, the granules are given up again. So a
 *  piece costs two compare-and-exchanges. A free pins the chunk, for it cannot know whether the
 *  piece is one, clears the granules, and takes pin and granules off together: three.
 *  Chunks are tried from the newest on; one without enough granules left is passed over. What is
 *  bespoken by somebody who then finds no place may have been needed to see that a chunk has room,
 *  so before a request is refused, what was passed over is searched too, under a pin.
 *
 * Invariants: see genpool_check.c.
 *
 * Failure
 *  Arguments are checked before anything is touched; a request that finds no place leaves all as it
 *  was. Misuse is told, and changes nothing.
 *
 * Shortcomings
 *  A piece freed twice, when its place was given out anew in the same size in between, is the new
 *  owner's piece freed. A size is known to the granule only.
 */
#include "genpool_internal.h"

#define GENPOOL_PICKS 8u

bool pz_genpool_algo_ok(const struct pz_genpool_algo *a)
{
	if (a->by_phys && a->kind != PZ_GENPOOL_ALIGNED && a->kind != PZ_GENPOOL_ORDER_ALIGNED)
		return false;
	switch (a->kind) {
	case PZ_GENPOOL_FIRST_FIT:
	case PZ_GENPOOL_ORDER_ALIGNED:
	case PZ_GENPOOL_ORDER_INDEX:
	case PZ_GENPOOL_FIXED:
	case PZ_GENPOOL_BEST_FIT:
		return true;
	case PZ_GENPOOL_ALIGNED:
		return pz_is_pow2(a->align);
	case PZ_GENPOOL_CUSTOM:
		return a->custom != NULL;
	}
	return false;
}

int pz_genpool_create(struct pz_genpool **out, const struct pz_genpool_config *cfg)
{
	const struct pz_meta *meta = cfg->meta;
	struct pz_genpool *p;
	int ret;

	if (cfg->order > 63 || !meta || !meta->alloc || !meta->free ||
	    !pz_genpool_algo_ok(&cfg->algo) || cfg->chunks > genpool_base(SLOT_SEGMENTS))
		return -PZ_EINVAL;
	p = meta->alloc(meta->ctx, sizeof(*p));
	if (!p)
		return -PZ_ENOMEM;
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->shift = 63;
	p->sum = pz_genpool_sum(&p->cfg, sizeof(p->cfg));
	ret = pz_genpool_reserve(p, cfg->chunks ? cfg->chunks : SLOT_FIRST);
	if (ret) {
		pz_genpool_destroy(p);
		return ret;
	}
	*out = p;
	return 0;
}

int pz_genpool_destroy(struct pz_genpool *p)
{
	const struct pz_meta *meta;
	uint64_t left;

	if (!p)
		return 0;
	meta = p->cfg.meta;
	left = pz_genpool_used(p);
	if (left) {
		pz_bug(p->cfg.bugs, "pz_genpool_destroy", "0x%llx bytes of pool %s are allocated",
		       (unsigned long long)left, pz_genpool_name(p));
		return -PZ_EBUSY;
	}
	/* Release hooks may call the pool: they find nothing in it, and add nothing. */
	p->closing = 1;
	for (uint32_t i = 0; i < p->top; i++)
		if (SLOT_PHASE(genpool_slot(p, i)->state) == SLOT_LIVE)
			genpool_slot(p, i)->state |= SLOT_DEAD;
	for (uint32_t i = 0; i < p->top; i++)
		if (SLOT_PHASE(genpool_slot(p, i)->state) == SLOT_DEAD)
			pz_genpool_bury(p, genpool_slot(p, i));
	pz_genpool_reap(p);
	for (unsigned int k = 0; k < p->segs; k++)
		meta->free(meta->ctx, (void *)(uintptr_t)p->seg[k], pz_genpool_segment(k));
	meta->free(meta->ctx, p, sizeof(*p));
	return 0;
}

const char *pz_genpool_name(const struct pz_genpool *p)
{
	return p->cfg.name ? p->cfg.name : "";
}

int pz_genpool_set_algo(struct pz_genpool *p, const struct pz_genpool_algo *algo)
{
	static const struct pz_genpool_algo first = { .kind = PZ_GENPOOL_FIRST_FIT };

	if (!algo)
		algo = &first;
	if (!pz_genpool_algo_ok(algo))
		return -PZ_EINVAL;
	p->cfg.algo = *algo;
	p->sum = pz_genpool_sum(&p->cfg, sizeof(p->cfg));
	return 0;
}

/* Alignment to @align bytes in granules of a chunk that begins at @base. False: none has it. */
static bool genpool_align(struct genpool_want *q, uint64_t base, uint64_t align, uint32_t order)
{
	uint64_t granule = (uint64_t)1 << order;

	q->mask = q->off = 0;
	if (align <= granule)
		return !(base & (align - 1));
	q->mask = (align >> order) - 1;
	q->off = base >> order & q->mask;
	return !(base & (granule - 1));
}

/* What a request means in a chunk. False: that it has no place there. */
static bool genpool_aim(struct genpool_want *q, const struct pz_genpool_view *v)
{
	uint64_t base = q->algo->by_phys ? v->phys : v->addr, pow2 = 0;

	if (q->algo->by_phys && v->phys == PZ_GENPOOL_NO_PHYS)
		return false;
	switch (q->algo->kind) {
	case PZ_GENPOOL_ALIGNED:
		return genpool_align(q, base, q->algo->align, v->order);
	case PZ_GENPOOL_ORDER_ALIGNED:
		if (!pz_roundup_pow2(q->n, &pow2) || pow2 > (uint64_t)1 << (63 - v->order))
			return false;
		return genpool_align(q, base, pow2 << v->order, v->order);
	case PZ_GENPOOL_ORDER_INDEX:
		pz_roundup_pow2(q->n, &pow2);
		q->mask = pow2 - 1;
		return true;
	default:
		return true;
	}
}

/* Take a piece in a chunk that is pinned or bespoken; its first granule, or PZ_GENPOOL_NONE. */
static uint32_t genpool_take(struct pz_genpool *p, struct genpool_slot *s, struct genpool_want *q,
			     struct pz_genpool_got *got)
{
	struct genpool_chunk *c = genpool_chunk_of(s);
	struct pz_genpool_view v;
	uint64_t off;
	uint32_t at;

	v.addr = pz_load64(&s->first);
	v.phys = pz_load64(&s->phys);
	v.granules = c->granules;
	v.order = p->cfg.order;
	v.map = c;
	at = genpool_aim(q, &v) ? pz_genpool_take(c, q, &v) : PZ_GENPOOL_NONE;
	if (at == PZ_GENPOOL_NONE)
		return at;
	off = (uint64_t)at << p->cfg.order;
	got->addr = v.addr + off;
	got->phys = v.phys == PZ_GENPOOL_NO_PHYS ? v.phys : v.phys + off;
	got->owner = c->owner;
	return at;
}

/* Take a piece in a chunk if its state says that it has room; @searched: there was no place. */
static bool genpool_bespeak(struct pz_genpool *p, struct genpool_slot *s, struct genpool_want *q,
			    struct pz_genpool_got *got, bool *searched)
{
	uint64_t v;

	do {
		v = pz_load64(&s->state);
		if (SLOT_PHASE(v) != SLOT_LIVE ||
		    SLOT_USED(v) + q->n > SHAPE_GRANULES(pz_load64(&s->shape)))
			return false;
	} while (!pz_cas64(&s->state, v, v + SLOT_PIECE + q->n));
	if (genpool_take(p, s, q, got) != PZ_GENPOOL_NONE)
		return true;
	pz_genpool_leave(p, s, SLOT_PIECE + q->n, 0);
	*searched = true;
	return false;
}

/* Take a piece in a chunk whatever its state says. */
static bool genpool_insist(struct pz_genpool *p, struct genpool_slot *s, struct genpool_want *q,
			   struct pz_genpool_got *got)
{
	uint32_t at, lost;
	uint64_t v;

	if (!genpool_pin(s))
		return false;
	at = genpool_take(p, s, q, got);
	while (at != PZ_GENPOOL_NONE) {
		v = pz_load64(&s->state);
		if (SLOT_PHASE(v) != SLOT_LIVE) {
			/* Removed: nothing counted says that there is a piece. */
			pz_genpool_map_unclaim(genpool_chunk_of(s), at, q->n, &lost);
			break;
		}
		if (pz_cas64(&s->state, v, v - SLOT_PIN + SLOT_PIECE + q->n))
			return true;
	}
	pz_genpool_leave(p, s, SLOT_PIN, 0);
	return false;
}

/* What a call knows of the chunks. */
struct genpool_tour {
	uint64_t chunks; /* how many there were when it began, and how often that had changed */
	uint64_t below;	 /* those from this seq on are done, or had no room */
	uint32_t done;	 /* those that were searched, and have no place */
};

/* A slot is looked at: whether it is to be tried. */
static bool genpool_fits(struct pz_genpool *p, struct genpool_slot *s, uint32_t i, uint32_t n,
			 bool all, struct genpool_tour *tour, uint64_t *seq)
{
	uint64_t state;
	uint32_t granules;

	*seq = pz_load64(&s->seq);
	state = pz_load64(&s->state);
	granules = SHAPE_GRANULES(pz_load64(&s->shape));
	if (!*seq || SLOT_PHASE(state) != SLOT_LIVE || SLOT_USED(state) >= granules) {
		if (!all)
			pz_genpool_room(p, i, false);
		return all && *seq && *seq < tour->below && SLOT_PHASE(state) == SLOT_LIVE;
	}
	return *seq < tour->below && (all || SLOT_USED(state) + n <= granules);
}

/*
 * Up to GENPOOL_PICKS slots of the newest chunks of those that are left, newest first: those that
 * may have room, or all.
 */
static uint32_t genpool_pick(struct pz_genpool *p, uint32_t n, bool all, struct genpool_tour *tour,
			     struct genpool_slot **pick)
{
	uint32_t count = 0, segs = pz_load32(&p->segs), top = pz_load32(&p->top);
	uint64_t key[GENPOOL_PICKS], seq;

	for (unsigned int k = 0; k < segs && genpool_base(k) < top; k++) {
		for (uint32_t w = 0; w < genpool_rooms(k); w++) {
			uint64_t v = pz_load64(&genpool_room(p, k)[w]);

			if (all)
				v = k < 3 ? ((uint64_t)1 << (SLOT_FIRST << k)) - 1 : UINT64_MAX;
			for (; v; v &= v - 1) {
				uint32_t i = genpool_base(k) + w * 64 + pz_ctz64(v), at;
				struct genpool_slot *s = genpool_slot(p, i);

				if (!genpool_fits(p, s, i, n, all, tour, &seq) ||
				    (count == GENPOOL_PICKS && seq < key[count - 1]))
					continue;
				at = count < GENPOOL_PICKS ? count++ : count - 1;
				for (; at && key[at - 1] < seq; at--) {
					key[at] = key[at - 1];
					pick[at] = pick[at - 1];
				}
				key[at] = seq;
				pick[at] = s;
			}
		}
	}
	if (count)
		tour->below = key[count - 1];
	return count;
}

static bool genpool_try(struct pz_genpool *p, struct genpool_slot *s, struct genpool_want *q,
			bool all, struct genpool_tour *tour, struct pz_genpool_got *got)
{
	bool searched = false;

	if (all ? genpool_insist(p, s, q, got) : genpool_bespeak(p, s, q, got, &searched))
		return true;
	tour->done += searched;
	return false;
}

static bool genpool_tour(struct pz_genpool *p, struct genpool_want *q, bool all,
			 struct genpool_tour *tour, struct pz_genpool_got *got)
{
	struct genpool_slot *pick[GENPOOL_PICKS];
	uint32_t n;

	do {
		n = genpool_pick(p, q->n, all, tour, pick);
		for (uint32_t i = 0; i < n; i++)
			if (genpool_try(p, pick[i], q, all, tour, got))
				return true;
	} while (n == GENPOOL_PICKS);
	return false;
}

static bool genpool_get(struct pz_genpool *p, struct genpool_want *q, struct pz_genpool_got *got)
{
	struct genpool_tour tour = { pz_load64(&p->chunks), UINT64_MAX, 0 };
	uint32_t newest = pz_peek32(&p->newest);

	/* The chunk with the last seq is the newest one, whatever others there are. */
	if (newest < pz_load32(&p->top)) {
		struct genpool_slot *s = genpool_slot(p, newest);
		uint64_t seq = pz_load64(&s->seq);

		if (seq && seq == pz_load64(&p->seq)) {
			tour.below = seq;
			if (genpool_try(p, s, q, false, &tour, got))
				return true;
		}
	}
	if (tour.done != (uint32_t)tour.chunks && genpool_tour(p, q, false, &tour, got))
		return true;
	/* Each chunk that there was has been searched, and none came or went. */
	if (tour.done == (uint32_t)tour.chunks && tour.chunks == pz_load64(&p->chunks))
		return false;
	tour.below = UINT64_MAX;
	return genpool_tour(p, q, true, &tour, got);
}

int pz_genpool_alloc_algo(struct pz_genpool *p, uint64_t size, const struct pz_genpool_algo *algo,
			  struct pz_genpool_got *got)
{
	uint64_t granules = ((size - 1) >> p->cfg.order) + 1, at;
	struct genpool_want q;

	if (!algo)
		algo = &p->cfg.algo;
	else if (!pz_genpool_algo_ok(algo))
		return -PZ_EINVAL;
	if (!size)
		return -PZ_EINVAL;
	at = algo->kind == PZ_GENPOOL_FIXED ? algo->offset >> p->cfg.order : 0;
	if (algo->kind == PZ_GENPOOL_FIXED && at << p->cfg.order != algo->offset)
		return -PZ_EINVAL;
	if (granules > PZ_GENPOOL_GRANULES || at >= PZ_GENPOOL_GRANULES)
		return -PZ_ENOMEM;
	q.n = (uint32_t)granules;
	q.mask = q.off = 0;
	q.at = (uint32_t)at;
	q.algo = algo;
	return genpool_get(p, &q, got) ? 0 : -PZ_ENOMEM;
}

int pz_genpool_alloc(struct pz_genpool *p, uint64_t size, uint64_t *addr)
{
	struct pz_genpool_got got;
	int ret = pz_genpool_alloc_algo(p, size, NULL, &got);

	if (!ret)
		*addr = got.addr;
	return ret;
}

static const char *const genpool_wrongs[] = {
	NULL,
	"is not allocated",
	"lies inside a piece",
	"is a piece of another size",
};

/* Free in a pinned chunk. What is wrong, or NULL; @n: granules that were freed. */
static const char *genpool_put(const struct pz_genpool *p, const struct genpool_slot *s,
			       uint64_t addr, uint64_t size, uint64_t *n)
{
	uint64_t off = addr - pz_load64(&s->first), granules, at = off >> p->cfg.order;
	struct genpool_chunk *c = genpool_chunk_of(s);
	enum genpool_wrong wrong;
	uint32_t lost;

	*n = 0;
	if (!size)
		return "has no size";
	granules = ((size - 1) >> p->cfg.order) + 1;
	if (at << p->cfg.order != off)
		return "lies between two granules";
	if (at >= c->granules)
		return genpool_wrongs[WRONG_FREE];
	if (granules > c->granules - at)
		return genpool_wrongs[WRONG_SIZE];
	wrong = pz_genpool_map_unclaim(c, (uint32_t)at, (uint32_t)granules, &lost);
	*n = wrong ? lost : granules;
	return genpool_wrongs[wrong];
}

bool pz_genpool_free_owner(struct pz_genpool *p, uint64_t addr, uint64_t size, void **owner)
{
	const char *wrong = "is in no chunk";
	uint32_t i = pz_genpool_find(p, addr);
	struct genpool_slot *s = i == PZ_GENPOOL_NONE ? NULL : genpool_slot(p, i);
	void *whose = NULL;
	uint64_t n = 0;

	if (s && genpool_pin(s)) {
		/* It may have become another chunk's slot. */
		if (addr >= pz_load64(&s->first) && addr <= pz_load64(&s->last)) {
			wrong = genpool_put(p, s, addr, size, &n);
			whose = genpool_chunk_of(s)->owner;
			if (pz_peek32(&p->recent) != i)
				pz_poke32(&p->recent, i);
		}
		pz_genpool_leave(p, s, SLOT_PIN + n + (wrong ? 0 : SLOT_PIECE),
				 n ? SLOT_TOUCHED : 0);
	}
	if (wrong) {
		pz_bug(p->cfg.bugs, "pz_genpool_free", "0x%llx of 0x%llx bytes in pool %s %s",
		       (unsigned long long)addr, (unsigned long long)size, pz_genpool_name(p),
		       wrong);
		return false;
	}
	*owner = whose;
	return true;
}

void pz_genpool_free(struct pz_genpool *p, uint64_t addr, uint64_t size)
{
	void *owner;

	pz_genpool_free_owner(p, addr, size, &owner);
}
