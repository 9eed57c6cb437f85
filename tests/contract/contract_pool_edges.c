/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_pool_edges.c - pools at the edges: a chunk that is added again with its own memory,
 * pieces that are all of the address space, hooks that call the pool while it goes, a reserve that
 * grows while somebody waits for it.
 */
#include <physzone/genpool.h>
#include <physzone/mempool.h>

#include "suites_decl.h"

#define HALF ((uint64_t)1 << 63)

struct pe_box {
	struct pz_genpool *p;
	struct pz_bugs bugs;
	struct pz_genpool_chunk again; /* added by the release hook when it has a size */
	uint32_t releases;
	int added;   /* what that said */
	bool served; /* the hook was given a piece */
};

static void pe_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static bool pe_pool(struct tap *t, struct pe_box *b, uint32_t order)
{
	struct pz_genpool_config cfg;

	pe_clear(b, sizeof(*b));
	pe_clear(&cfg, sizeof(cfg));
	b->bugs.policy = PZ_BUG_REPORT;
	cfg.order = order;
	cfg.meta = t->meta;
	cfg.bugs = &b->bugs;
	return CHECK(t, pz_genpool_create(&b->p, &cfg) == 0);
}

/* A chunk that overlaps is refused before its memory is touched, which may be that of the other. */
static void pe_twice(struct tap *t)
{
	struct pz_genpool_chunk c;
	struct pe_box b;
	uint64_t at[4], other, mem[64];

	if (!pe_pool(t, &b, 4))
		return;
	pe_clear(&c, sizeof(c));
	c.addr = 0x1000;
	c.size = 64;
	c.phys = PZ_GENPOOL_NO_PHYS;
	c.mem = mem;
	c.mem_bytes = sizeof(mem);
	CHECK(t, pz_genpool_add(b.p, &c) == 0);
	for (unsigned int i = 0; i < 3; i++)
		CHECK(t, pz_genpool_alloc(b.p, 16, &at[i]) == 0);
	CHECK(t, pz_genpool_add(b.p, &c) == -PZ_EEXIST && b.bugs.count == 1);
	CHECK_NAMED(t, pz_genpool_check(b.p) == 0, "a chunk that is added again stays as it was");
	CHECK_NAMED(t, pz_genpool_alloc(b.p, 16, &other) == 0 && other == 0x1030,
		    "and nothing is given out twice");
	pz_genpool_free(b.p, other, 16);
	for (unsigned int i = 0; i < 3; i++)
		pz_genpool_free(b.p, at[i], 16);
	CHECK(t, b.bugs.count == 1 && pz_genpool_destroy(b.p) == 0);
}

/* Two chunks are all addresses there are: their sum is one more than a number can say. */
static void pe_everything(struct tap *t)
{
	struct pz_genpool_chunk c;
	struct pe_box b;
	uint64_t at[2], more;

	if (!pe_pool(t, &b, 63))
		return;
	pe_clear(&c, sizeof(c));
	c.phys = PZ_GENPOOL_NO_PHYS;
	c.size = HALF;
	for (unsigned int i = 0; i < 2; i++, c.addr += HALF)
		CHECK(t, pz_genpool_add(b.p, &c) == 0);
	CHECK_NAMED(t, pz_genpool_size(b.p) == UINT64_MAX && pz_genpool_avail(b.p) == UINT64_MAX,
		    "a sum that no number can say is the largest one");
	for (unsigned int i = 0; i < 2; i++)
		CHECK(t, pz_genpool_alloc(b.p, HALF, &at[i]) == 0);
	CHECK(t, pz_genpool_avail(b.p) == 0 && pz_genpool_alloc(b.p, 1, &more) == -PZ_ENOMEM);
	if (!CHECK_NAMED(t, pz_genpool_destroy(b.p) == -PZ_EBUSY && b.bugs.count == 1,
			 "a pool of which all is out is not destroyed"))
		return;
	for (unsigned int i = 0; i < 2; i++)
		pz_genpool_free(b.p, at[i], HALF);
	CHECK(t, pz_genpool_check(b.p) == 0 && pz_genpool_destroy(b.p) == 0);
}

static void pe_released(void *ctx, const struct pz_genpool_info *info)
{
	struct pe_box *b = ctx;
	uint64_t at;

	(void)info;
	b->releases++;
	if (b->again.size) {
		b->added = pz_genpool_add(b->p, &b->again);
		if (!pz_genpool_alloc(b->p, 16, &at))
			b->served = true;
	}
}

/* A release hook calls a pool that is being destroyed. */
static void pe_going(struct tap *t)
{
	struct pz_genpool_chunk c;
	struct pe_box b;

	if (!pe_pool(t, &b, 4))
		return;
	pe_clear(&c, sizeof(c));
	c.phys = PZ_GENPOOL_NO_PHYS;
	c.release = pe_released;
	c.release_ctx = &b;
	for (unsigned int i = 0; i < 3; i++) {
		c.addr += 0x1000;
		c.size = 256;
		CHECK(t, pz_genpool_add(b.p, &c) == 0);
	}
	b.again = c;
	b.again.addr = 0x10000;
	CHECK(t, pz_genpool_destroy(b.p) == 0);
	CHECK_NAMED(t, b.added == -PZ_EBUSY && b.releases == 3,
		    "no chunk is added to a pool that goes");
	CHECK_NAMED(t, !b.served, "and nothing given out");
}

/* --- a reserve --- */

struct pe_reserve {
	struct pz_mempool *m;
	uint32_t stock, wakes, waits;
	bool resized, stale;
};

static int pe_alloc(void *ctx, uint32_t gfp, uint64_t *element)
{
	struct pe_reserve *r = ctx;

	(void)gfp;
	if (!r->stock)
		return -PZ_ENOMEM;
	*element = r->stock--;
	return 0;
}

static void pe_free(void *ctx, uint64_t element)
{
	struct pe_reserve *r = ctx;

	(void)element;
	r->stock++;
}

/* Somebody makes the reserve larger while another one waits. */
static int pe_wait(void *ctx, uint32_t ticket)
{
	struct pe_reserve *r = ctx;

	if (++r->waits > 1)
		return -PZ_EBUSY;
	r->stock = 1;
	r->resized = pz_mempool_resize(r->m, 2, 0) == 0;
	r->stale = ticket == pz_mempool_ticket(r->m);
	return 0;
}

static void pe_wake(void *ctx)
{
	struct pe_reserve *r = ctx;

	r->wakes++;
}

static void pe_grown(struct tap *t)
{
	struct pz_mempool_config cfg;
	struct pe_reserve r;
	uint64_t e[2];

	pe_clear(&cfg, sizeof(cfg));
	pe_clear(&r, sizeof(r));
	cfg.min = 1;
	cfg.alloc = pe_alloc;
	cfg.free = pe_free;
	cfg.wait = pe_wait;
	cfg.wake = pe_wake;
	cfg.ctx = &r;
	cfg.meta = t->meta;
	r.stock = 1;
	if (!CHECK(t, pz_mempool_create(&r.m, &cfg) == 0 && r.wakes == 0))
		return;
	CHECK(t, pz_mempool_alloc(r.m, 0, &e[0]) == 0);
	CHECK(t, pz_mempool_alloc(r.m, PZ_GFP_BLOCK, &e[1]) == 0 && r.resized);
	CHECK_NAMED(t, !r.stale && r.wakes == 1, "who waits hears of a reserve that grew");
	for (unsigned int i = 0; i < 2; i++)
		pz_mempool_free(r.m, e[i]);
	CHECK(t, pz_mempool_check(r.m) == 0 && pz_mempool_destroy(r.m, NULL) == 0);
	CHECK(t, r.stock == 2);
}

void contract_pool_edges(struct tap *t)
{
	pe_twice(t);
	pe_everything(t);
	pe_going(t);
	pe_grown(t);
}
