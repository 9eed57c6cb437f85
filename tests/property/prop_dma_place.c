/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma_place.c - where something for a device may lie: the limits that are asked for, one after
 * the other, allow exactly the places that an oracle finds by trying each address.
 */
#include <stdlib.h>

#include "prop.h"
#include "../../src/dma/dma_internal.h"

#define SPACE 512u
#define WINDOWS 3u

struct place_case {
	struct pz_reach reach;
	struct pz_window window[8];
	struct dma_want want;
	uint64_t granule;
};

/* Whether a want may begin at a physical address, by what is said of the bus. */
static bool place_is(const struct place_case *c, uint64_t phys)
{
	const struct dma_want *k = &c->want;

	for (uint32_t i = 0; i < c->reach.count; i++) {
		const struct pz_window *w = &c->reach.v[i];
		uint64_t bus = w->bus + (phys - w->phys.first);

		if (phys < w->phys.first || phys + k->bytes - 1 > w->phys.last)
			continue;
		if (bus % k->align || bus % c->granule)
			continue;
		if (k->boundary && bus / k->boundary != (bus + k->bytes - 1) / k->boundary)
			continue;
		return true;
	}
	return false;
}

static void place_draw(struct prop *p, struct place_case *c)
{
	uint32_t n = (uint32_t)prop_between(p, 1, WINDOWS);

	c->granule = (uint64_t)1 << prop_draw(p, 2);
	pz_reach_init(&c->reach, NULL, c->window, 8);
	for (uint32_t i = 0; i < n; i++) {
		struct pz_range r;

		r.first = prop_draw(p, SPACE - 1);
		r.last = prop_between(p, r.first, SPACE - 1);
		/* Any bus address; those with the same offset modulo much are the interesting ones.
		 */
		(void)pz_reach_add_window(&c->reach, r,
					  prop_choice(p, 2)
						  ? prop_draw(p, SPACE)
						  : r.first + c->granule * prop_draw(p, 64));
	}
	c->want.bytes = prop_between(p, 1, 40) * c->granule;
	c->want.align = (uint64_t)1 << prop_draw(p, 7);
	c->want.boundary = prop_choice(p, 2) ? (uint64_t)1 << prop_between(p, 2, 8) : 0;
	prop_note(p, "granule %d, %d bytes aligned %d within %d", (int)c->granule,
		  (int)c->want.bytes, (int)c->want.align, (int)c->want.boundary);
	for (uint32_t i = 0; i < c->reach.count; i++)
		prop_note(p, "window %d to %d on bus %d", (int)c->reach.v[i].phys.first,
			  (int)c->reach.v[i].phys.last, (int)c->reach.v[i].bus);
}

static bool place_exact(struct prop *p, void *ctx)
{
	unsigned char allowed[SPACE] = { 0 };
	uint64_t above = UINT64_MAX;
	struct dma_places it;
	struct place_case c;
	struct pz_limits l;
	uint32_t count = 0;

	(void)ctx;
	place_draw(p, &c);
	pz_dma_places(&it, &c.reach, &c.want, c.granule);
	while (pz_dma_next_place(&it, &l)) {
		PROP_ASSERT(p, pz_limits_valid(&l) && l.max_addr < SPACE && ++count < 2 * SPACE);
		for (uint64_t s = l.min_addr; s <= l.max_addr; s++) {
			struct pz_range r = { s, s + c.want.bytes - 1 };

			if (!(s % c.granule) && pz_limits_check(&l, r))
				PROP_ASSERT(p, !allowed[s]++);
		}
		/* Downwards: nothing that comes later begins above what came before. */
		PROP_ASSERT(p, l.min_addr <= above);
		above = l.min_addr;
	}
	for (uint64_t s = 0; s < SPACE; s += c.granule) {
		prop_note(p, "at %d", (int)s);
		PROP_ASSERT(p, allowed[s] == place_is(&c, s));
	}
	return true;
}

/* The same places in memory that is kept, of which some is taken: the lowest free one. */
static bool place_piece(struct prop *p, void *ctx)
{
	struct pz_genpool_config cfg = { .order = 2, .name = "pieces" };
	struct pz_genpool_chunk chunk = { .addr = 0 };
	struct pz_genpool_algo algo = { .kind = PZ_GENPOOL_CUSTOM, .custom = pz_dma_piece };
	struct pz_genpool_algo fixed = { .kind = PZ_GENPOOL_FIXED };
	unsigned char taken[SPACE / 4] = { 0 };
	struct pz_genpool_got got;
	struct place_case c;
	struct dma_piece piece = { &c.reach, &c.want };
	struct pz_genpool *pool;
	uint64_t lowest = UINT64_MAX, base;
	bool ok;

	place_draw(p, &c);
	c.granule = 4;
	c.want.bytes = (c.want.bytes + 3) / 4 * 4;
	if (c.want.align < 4)
		c.want.align = 4;
	cfg.meta = ctx;
	base = chunk.addr = chunk.phys = prop_draw(p, 32) * 4;
	chunk.size = prop_between(p, 1, (SPACE - base) / 4) * 4;
	algo.ctx = &piece;
	if (pz_genpool_create(&pool, &cfg) || pz_genpool_add(pool, &chunk))
		return false;
	for (uint64_t i = 0; i < chunk.size / 4; i++) {
		fixed.offset = i * 4;
		taken[i] = prop_choice(p, 8) == 1 && !pz_genpool_alloc_algo(pool, 4, &fixed, &got);
	}
	for (uint64_t i = 0; i + c.want.bytes / 4 <= chunk.size / 4 && lowest == UINT64_MAX; i++) {
		ok = place_is(&c, base + i * 4);
		for (uint64_t k = 0; k < c.want.bytes / 4; k++)
			ok = ok && !taken[i + k];
		if (ok)
			lowest = base + i * 4;
	}
	ok = !pz_genpool_alloc_algo(pool, c.want.bytes, &algo, &got);
	if (ok)
		pz_genpool_free(pool, got.addr, c.want.bytes);
	for (uint64_t i = 0; i < chunk.size / 4; i++) {
		if (taken[i])
			pz_genpool_free(pool, base + i * 4, 4);
	}
	PROP_ASSERT(p, !pz_genpool_destroy(pool));
	PROP_ASSERT(p, ok == (lowest != UINT64_MAX));
	PROP_ASSERT(p, !ok || got.addr == lowest);
	return true;
}

static void *place_malloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void place_release(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

int main(void)
{
	struct pz_meta meta = { place_malloc, place_release, NULL };

	prop_run("limits allow exactly the places", place_exact, NULL, 40000);
	prop_run("a piece is the lowest free place", place_piece, &meta, 10000);
	return prop_done();
}
