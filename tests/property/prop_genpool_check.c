/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_genpool_check.c - every bit of what a pool and a reserve keep is turned over, and the check
 * must say so with the right number, unless the bit is one that may be wrong: a hint, a count of
 * what ever was.
 */
#include "../../src/pool/genpool_internal.h"
#include "../../src/pool/mempool_internal.h"

#include "hook.h"
#include "prop.h"

#include <stdio.h>

#define GRANULES 3000u /* two words of the first level of summaries, the last word in part */

static struct pz_genpool *pool;
static struct pz_mempool *reserve;
static struct hook hook;
static uint64_t found, passed;

/* The check says @want, or with @also that. 0 is "nothing wrong". */
static bool turn(struct prop *p, const char *what, void *at, size_t bytes, int want, int also)
{
	unsigned char *c = at;

	for (size_t i = 0; i < bytes * 8; i++) {
		int check;

		c[i / 8] ^= (unsigned char)(1u << i % 8);
		check = pz_genpool_check(pool);
		if (!check)
			check = pz_mempool_check(reserve);
		c[i / 8] ^= (unsigned char)(1u << i % 8);
		if (check != want && check != also) {
			prop_note(p, "%s, bit %zu: %d, not %d or %d", what, i, check, want, also);
			return false;
		}
		found += check != 0;
		passed += check == 0;
	}
	return true;
}

static void release(void *ctx, const struct pz_genpool_info *info)
{
	(void)ctx;
	(void)info;
}

static bool add(uint64_t addr, uint32_t granules, uint32_t flags)
{
	struct pz_genpool_chunk k;

	memset(&k, 0, sizeof(k));
	k.addr = addr;
	k.size = (uint64_t)granules << 5;
	k.phys = PZ_GENPOOL_NO_PHYS;
	k.flags = flags;
	k.release = release;
	return !pz_genpool_add(pool, &k);
}

static int element_alloc(void *ctx, uint32_t gfp, uint64_t *element)
{
	(void)gfp;
	*element = ++*(uint64_t *)ctx;
	return 0;
}

static void element_free(void *ctx, uint64_t element)
{
	(void)ctx;
	(void)element;
}

static bool begin(struct prop *p)
{
	static uint64_t next;
	struct pz_genpool_algo fixed = { .kind = PZ_GENPOOL_FIXED };
	struct pz_genpool_config cfg;
	struct pz_mempool_config mc;
	struct pz_genpool_got got;
	uint64_t a, b;

	hook_init(&hook);
	memset(&cfg, 0, sizeof(cfg));
	memset(&mc, 0, sizeof(mc));
	cfg.order = 5;
	cfg.meta = mc.meta = &hook.meta;
	mc.min = 20;
	mc.alloc = element_alloc;
	mc.free = element_free;
	mc.ctx = &next;
	PROP_ASSERT(p, !pz_genpool_create(&pool, &cfg) && !pz_mempool_create(&reserve, &mc));
	/* A chunk that was removed, one that goes by itself and was used, and a large one. */
	PROP_ASSERT(p, add(0x10000, 4, 0) && add(0x20000, 4, PZ_GENPOOL_AUTO) &&
			       add(0x100000, GRANULES, 0));
	fixed.offset = 0;
	PROP_ASSERT(p, !pz_genpool_alloc_algo(pool, GRANULES << 5, &fixed, &got));
	PROP_ASSERT(p, !pz_genpool_alloc(pool, 64, &a) && !pz_genpool_alloc(pool, 32, &b));
	pz_genpool_free(pool, b, 32);
	pz_genpool_free(pool, got.addr, GRANULES << 5);
	for (uint32_t at = 5; at < GRANULES; at += 700) {
		fixed.offset = (uint64_t)at << 5;
		PROP_ASSERT(p, !pz_genpool_alloc_algo(pool, 40 << 5, &fixed, &got));
	}
	PROP_ASSERT(p, pz_genpool_remove(pool, 0x10000) == 0 && pool->graves);
	PROP_ASSERT(p, pz_genpool_check(pool) == 0 && pz_mempool_check(reserve) == 0);
	return true;
}

static bool corrupt_pool(struct prop *p)
{
	struct pz_genpool *q = pool;

	for (unsigned int k = 0; k < SLOT_SEGMENTS; k++) {
		if (!turn(p, "seg", &q->seg[k], 8, 2, 2) ||
		    !turn(p, "seg_not", &q->seg_not[k], 8, 2, 2))
			return false;
	}
	if (!turn(p, "segs", &q->segs, 4, 2, 2) || !turn(p, "top", &q->top, 4, 2, 0) ||
	    !turn(p, "recent", &q->recent, 4, 2, 0) || !turn(p, "newest", &q->newest, 4, 2, 0) ||
	    !turn(p, "chunks", &q->chunks, 4, 3, 3) ||
	    !turn(p, "changes", (char *)&q->chunks + 4, 4, 0, 0) ||
	    !turn(p, "shift", &q->shift, 4, 2, 0) ||
	    !turn(p, "room", genpool_room(q, 0), 8, 13, 0) ||
	    !turn(p, "hints", genpool_room(q, 0) + 1, 64, 0, 0) ||
	    !turn(p, "seq", &q->seq, 8, 3, 0) || !turn(p, "cfg", &q->cfg, sizeof(q->cfg), 1, 1) ||
	    !turn(p, "sum", &q->sum, 8, 1, 1))
		return false;
	/* Lowered, the top hides slots in use; lowered, the last seq was never given. */
	*genpool_room(q, 0) = 0;
	PROP_ASSERT(p, pz_genpool_check(pool) == 13);
	*genpool_room(q, 0) = 7;
	q->top = 1;
	PROP_ASSERT(p, pz_genpool_check(pool) == 2);
	q->top = 3;
	q->seq = 1;
	PROP_ASSERT(p, pz_genpool_check(pool) == 3);
	q->seq = 3;
	PROP_ASSERT(p, pz_genpool_check(pool) == 0);
	return true;
}

static bool corrupt_slot(struct prop *p, struct genpool_slot *s)
{
	bool live = s->seq != 0;

	if (!turn(p, "used", &s->state, 3, live ? 7 : 3, live ? 7 : 3) ||
	    !turn(p, "used, pieces", (char *)&s->state + 3, 3, live ? 7 : 3, live ? 7 : 3) ||
	    !turn(p, "pieces, pins", (char *)&s->state + 6, 1, live ? 7 : 3, 3) ||
	    /* Whether it was ever used may be anything. */
	    !turn(p, "pins, phase", (char *)&s->state + 7, 1, 3, live ? 0 : 3) ||
	    !turn(p, "slot seq", &s->seq, 8, live ? 4 : 3, 3))
		return false;
	if (!live)
		return true;
	return turn(p, "first", &s->first, 8, 4, 4) && turn(p, "last", &s->last, 8, 4, 4) &&
	       turn(p, "phys", &s->phys, 8, 4, 4) && turn(p, "shape", &s->shape, 8, 4, 4) &&
	       turn(p, "chunk", &s->chunk, 8, 4, 4) && turn(p, "sum", &s->sum, 8, 4, 4);
}

static bool corrupt_chunk(struct prop *p, struct genpool_chunk *c)
{
	size_t fixed = (size_t)((char *)&c->grave - (char *)&c->granules);
	enum map_tree trees[] = { MAP_FREE, MAP_USED };

	if (!turn(p, "clearings", &c->clearings, 4, 6, 6) ||
	    !turn(p, "clearings ever", (char *)&c->clearings + 4, 4, 0, 0) ||
	    !turn(p, "what is constant", &c->granules, fixed, 5, 5) ||
	    !turn(p, "grave", &c->grave, 8, 5, 5) || !turn(p, "sum", &c->sum, 8, 5, 5))
		return false;
	/* Marks are counted; padding is in no count. */
	if (!turn(p, "granules", c->w, (size_t)c->count[0] * 8, 7, 8))
		return false;
	for (unsigned int t = 0; t < 2; t++)
		for (unsigned int k = 1; k <= c->levels; k++)
			/* A bit too many is one that may be. */
			if (!turn(p, "summaries", &c->w[c->at[trees[t]][k]],
				  (size_t)c->count[k] * 8, t ? 10 : 9, 0))
				return false;
	return true;
}

/* Each bit of a summary that must be there is missed. */
static bool missing(struct prop *p, struct genpool_chunk *c)
{
	for (unsigned int t = 0; t < 2; t++) {
		for (uint32_t i = 0; i < c->count[0]; i++) {
			uint32_t used = (uint32_t)c->w[i];
			uint64_t *w = &c->w[c->at[t][1] + i / 64], was = *w;

			if (t == MAP_FREE ? used == UINT32_MAX : !used)
				continue;
			*w &= ~((uint64_t)1 << i % 64);
			PROP_ASSERT(p, pz_genpool_check(pool) == (t ? 10 : 9));
			*w = was;
		}
	}
	return true;
}

static bool corrupt_reserve(struct prop *p)
{
	struct pz_mempool *m = reserve;

	for (unsigned int k = 0; k < NODE_SEGMENTS; k++)
		if (k >= m->segs && !turn(p, "mempool seg", &m->seg[k], 8, 1, 1))
			return false;
	for (unsigned int i = 0; i < STACKS; i++)
		if (!turn(p, "top", &m->top[i], 4, 2, 3) ||
		    !turn(p, "changes", (char *)&m->top[i] + 4, 4, 0, 0))
			return false;
	if (!turn(p, "min", &m->min, 4, 3, 3) || !turn(p, "ticket", &m->ticket, 4, 0, 0))
		return false;
	for (uint32_t i = 0; i < 48; i++) {
		struct mempool_node *n =
			(struct mempool_node *)(uintptr_t)m->seg[i >= 16] + (i < 16 ? i : i - 16);

		if (!turn(p, "next", &n->next, 4, 2, 2) || !turn(p, "on", &n->on, 4, 2, 2))
			return false;
	}
	return true;
}

static bool corrupted(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, begin(p));
	if (!corrupt_pool(p) || !corrupt_reserve(p))
		return false;
	for (uint32_t i = 0; i < pool->top; i++) {
		struct genpool_slot *s = genpool_slot(pool, i);

		if (!corrupt_slot(p, s) || (s->seq && (!corrupt_chunk(p, genpool_chunk_of(s)) ||
						       !missing(p, genpool_chunk_of(s)))))
			return false;
	}
	/* What waits for the hook did not come from there. */
	((struct genpool_chunk *)(uintptr_t)pool->graves)->hooked = 0;
	PROP_ASSERT(p, pz_genpool_check(pool) == 12);
	((struct genpool_chunk *)(uintptr_t)pool->graves)->hooked = 1;
	/* One that should have gone by itself. */
	{
		struct genpool_slot *s = genpool_slot(pool, 1);
		uint64_t was = s->state, word = genpool_chunk_of(s)->w[0];

		s->state = SLOT_LIVE | SLOT_TOUCHED;
		genpool_chunk_of(s)->w[0] &= 0xfffffff0u;
		PROP_ASSERT(p, pz_genpool_check(pool) == 11);
		s->state = was;
		genpool_chunk_of(s)->w[0] = word;
	}
	PROP_ASSERT(p, pz_genpool_check(pool) == 0);
	printf("# %llu bits found, %llu that may be wrong\n", (unsigned long long)found,
	       (unsigned long long)passed);
	PROP_ASSERT(p, found > 10 * passed);
	return true;
}

int main(void)
{
	prop_run("each bit that is wrong is found", corrupted, NULL, 1);
	return prop_done();
}
