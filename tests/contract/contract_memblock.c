/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_memblock.c - early memory: changes, allocation, limits, hand-over, and failure.
 */
#include "suites_decl.h"

#include <physzone/memblock.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* A metadata hook that fails from a call on. */
struct stingy {
	const struct pz_meta *real;
	unsigned int left;
	struct pz_meta meta;
};

static void *stingy_alloc(void *ctx, size_t size)
{
	struct stingy *s = ctx;

	if (!s->left)
		return NULL;
	s->left--;
	return s->real->alloc(s->real->ctx, size);
}

static void stingy_free(void *ctx, void *p, size_t size)
{
	struct stingy *s = ctx;

	s->real->free(s->real->ctx, p, size);
}

static void stingy_init(struct stingy *s, const struct pz_meta *real, unsigned int left)
{
	s->real = real;
	s->left = left;
	s->meta.alloc = stingy_alloc;
	s->meta.free = stingy_free;
	s->meta.ctx = s;
}

static bool region_is(const struct pz_mb_array *a, uint32_t i, uint64_t first, uint64_t last,
		      int nid, uint32_t flags)
{
	return i < a->count && a->v[i].range.first == first && a->v[i].range.last == last &&
	       a->v[i].nid == nid && a->v[i].flags == flags;
}

static void check_changes(struct tap *t)
{
	struct pz_memblock mb;
	uint32_t s, e;

	CHECK(t, pz_memblock_init(&mb, t->meta, 11) == -PZ_EINVAL);
	CHECK(t, pz_memblock_init(&mb, t->meta, 17) == -PZ_EINVAL);
	CHECK(t, pz_memblock_init(&mb, NULL, 12) == -PZ_EINVAL);
	CHECK(t, !pz_memblock_init(&mb, t->meta, 12));
	CHECK(t, pz_memblock_start(&mb) == 0 && pz_memblock_last(&mb) == 0);
	CHECK(t, !pz_memblock_add(&mb, 4096, 0, 0, 0) && !mb.memory.count);

	CHECK(t, !pz_memblock_add(&mb, MIB, MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 3 * MIB, MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 2 * MIB, MIB, 0, 0));
	CHECK_NAMED(t, mb.memory.count == 1 && region_is(&mb.memory, 0, MIB, 4 * MIB - 1, 0, 0),
		    "a gap that is filled makes one region");
	CHECK(t, pz_memblock_add(&mb, 0, 5 * MIB, 1, 0) == -PZ_EEXIST);
	CHECK_NAMED(t,
		    mb.memory.count == 3 && region_is(&mb.memory, 0, 0, MIB - 1, 1, 0) &&
			    region_is(&mb.memory, 1, MIB, 4 * MIB - 1, 0, 0) &&
			    region_is(&mb.memory, 2, 4 * MIB, 5 * MIB - 1, 1, 0),
		    "what was there keeps its node");
	CHECK(t, !pz_memblock_add(&mb, MIB, MIB, PZ_NID_NONE, 0));
	CHECK(t, !pz_memblock_set_node(&mb, PZ_MB_MEMORY, 0, UINT64_MAX, 0));
	CHECK(t, mb.memory.count == 1 && pz_memblock_bytes(&mb, PZ_MB_MEMORY) == 5 * MIB);

	CHECK(t, !pz_memblock_mark(&mb, PZ_MB_MEMORY, MIB, MIB, PZ_MB_NOMAP, 0));
	CHECK(t,
	      mb.memory.count == 3 && region_is(&mb.memory, 1, MIB, 2 * MIB - 1, 0, PZ_MB_NOMAP));
	CHECK(t, !pz_memblock_mark(&mb, PZ_MB_MEMORY, 0, GIB, 0, PZ_MB_NOMAP));
	CHECK(t, mb.memory.count == 1);

	CHECK(t, !pz_memblock_isolate(&mb, PZ_MB_MEMORY, (struct pz_range){ MIB, 2 * MIB - 1 }, &s,
				      &e));
	CHECK(t, mb.memory.count == 3 && s == 1 && e == 2);
	CHECK_NAMED(t, pz_memblock_check(&mb) == 0, "an isolated split is well formed");
	CHECK(t, !pz_memblock_remove(&mb, 10 * MIB, MIB) && !pz_memblock_remove(&mb, 0, 4096));
	CHECK(t, mb.memory.count == 1 && region_is(&mb.memory, 0, 4096, 5 * MIB - 1, 0, 0));
	CHECK(t, pz_memblock_isolate(&mb, PZ_MB_MEMORY, (struct pz_range){ 1, 0 }, &s, &e) ==
			 -PZ_EINVAL);

	CHECK_NAMED(t, !pz_memblock_reserve(&mb, 64 * GIB, MIB, PZ_NID_NONE, PZ_MB_RSRV_NOINIT),
		    "a reservation needs no memory beneath");
	CHECK(t, !pz_memblock_free(&mb, 64 * GIB + 4096, 4096));
	CHECK(t, mb.reserved.count == 2 && pz_memblock_bytes(&mb, PZ_MB_RESERVED) == MIB - 4096);
	CHECK(t, !pz_memblock_add(&mb, UINT64_MAX - 4095, UINT64_MAX, 0, 0));
	CHECK_NAMED(t, pz_memblock_last(&mb) == UINT64_MAX, "a size that wraps is cut");
	CHECK(t, pz_memblock_check(&mb) == 0);
	pz_memblock_destroy(&mb);
	CHECK(t, mb.memory.count == 0 && mb.memory.v == NULL);
}

static void check_alloc(struct tap *t)
{
	struct pz_memblock mb;
	struct pz_mb_req req = pz_mb_req(64 * 1024, 4096);
	struct pz_range r;

	CHECK(t, !pz_memblock_init(&mb, t->meta, 12));
	CHECK(t, pz_memblock_find(&mb, &req, &r) == -PZ_ERANGE);
	CHECK(t, !pz_memblock_add(&mb, 0, GIB, 0, 0) && !pz_memblock_add(&mb, GIB, GIB, 1, 0));
	CHECK(t, !pz_memblock_alloc(&mb, &req, &r));
	CHECK(t, r.first == 2 * GIB - 64 * 1024 && r.last == 2 * GIB - 1);
	CHECK(t, mb.reserved.count == 1 &&
			 region_is(&mb.reserved, 0, r.first, r.last, PZ_NID_NONE, 0));
	mb.bottom_up = true;
	CHECK(t, !pz_memblock_find(&mb, &req, &r));
	CHECK_NAMED(t, r.first == 4096, "address 0 is never given");
	mb.bottom_up = false;

	req.nid = 0;
	CHECK(t, !pz_memblock_find(&mb, &req, &r) && r.last == GIB - 1);
	req.size = GIB;
	CHECK_NAMED(t, pz_memblock_find(&mb, &req, &r) == -PZ_ENOMEM,
		    "node 0 lacks a page, node 1 is taken in part: not now");
	req.exact_nid = true;
	CHECK_NAMED(t, pz_memblock_find(&mb, &req, &r) == -PZ_ERANGE,
		    "node 0 without its first page never holds as much");
	CHECK(t, !pz_memblock_free(&mb, 0, UINT64_MAX));
	req.exact_nid = false;
	CHECK(t, !pz_memblock_find(&mb, &req, &r) && r.first == GIB);

	req = pz_mb_req(MIB, MIB);
	req.max_addr = 16 * MIB - 1;
	CHECK(t, !pz_memblock_find(&mb, &req, &r) && r.last == 16 * MIB - 1);
	req.min_addr = 4 * GIB;
	CHECK_NAMED(t, !pz_memblock_find(&mb, &req, &r) && r.last == 16 * MIB - 1,
		    "a lower bound that cannot be kept is dropped");
	req.retry_low = false;
	CHECK(t, pz_memblock_find(&mb, &req, &r) == -PZ_ERANGE);
	mb.current_limit = 8 * MIB - 1;
	req = pz_mb_req(MIB, 1);
	CHECK(t, !pz_memblock_find(&mb, &req, &r) && r.last == 8 * MIB - 1);
	mb.current_limit = PZ_ADDR_MAX;

	CHECK(t, !pz_memblock_mark(&mb, PZ_MB_MEMORY, 512 * MIB, MIB, PZ_MB_MIRROR, 0));
	req.mirror = true;
	CHECK(t, !pz_memblock_find(&mb, &req, &r) && r.first == 512 * MIB);
	req.size = 2 * MIB;
	CHECK(t, !pz_memblock_find(&mb, &req, &r) && r.last == 2 * GIB - 1);

	req.size = 0;
	CHECK(t, pz_memblock_find(&mb, &req, &r) == -PZ_EINVAL);
	req = pz_mb_req(1, 3);
	CHECK(t, pz_memblock_find(&mb, &req, &r) == -PZ_EINVAL);
	req = pz_mb_req(UINT64_MAX, 1);
	CHECK(t, pz_memblock_find(&mb, &req, &r) == -PZ_ERANGE);
	CHECK(t, pz_memblock_check(&mb) == 0);
	pz_memblock_destroy(&mb);
}

static void check_limits(struct tap *t)
{
	struct pz_memblock mb;

	CHECK(t, !pz_memblock_init(&mb, t->meta, 12));
	CHECK(t, !pz_memblock_add(&mb, MIB, 3 * MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 8 * MIB, 4 * MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 16 * MIB, MIB, 0, PZ_MB_NOMAP));
	CHECK(t, !pz_memblock_reserve(&mb, 9 * MIB, 8 * MIB, 0, 0));

	CHECK(t, !pz_memblock_enforce_limit(&mb, 0, false) && mb.memory.count == 3);
	CHECK(t, !pz_memblock_enforce_limit(&mb, 64 * MIB, false) && mb.memory.count == 3);
	CHECK(t, !pz_memblock_enforce_limit(&mb, 6 * MIB, true));
	CHECK_NAMED(t,
		    mb.memory.count == 3 && region_is(&mb.memory, 1, 8 * MIB, 11 * MIB - 1, 0, 0),
		    "an amount counts memory, not holes, and spares what is not mapped");
	CHECK(t, region_is(&mb.reserved, 0, 9 * MIB, 11 * MIB - 1, 0, 0));
	CHECK(t, !pz_memblock_enforce_limit(&mb, 4 * MIB, false));
	CHECK(t,
	      mb.memory.count == 2 && pz_memblock_last(&mb) == 9 * MIB - 1 && !mb.reserved.count);

	CHECK(t, !pz_memblock_cap_range(&mb, 2 * MIB + 512, 4096));
	CHECK(t, mb.memory.count == 1 && pz_memblock_start(&mb) == 2 * MIB + 512);
	CHECK(t, pz_memblock_trim(&mb, 3) == -PZ_EINVAL && pz_memblock_trim(&mb, 0) == -PZ_EINVAL);
	CHECK(t, !pz_memblock_trim(&mb, 512) && pz_memblock_bytes(&mb, PZ_MB_MEMORY) == 4096);
	CHECK(t, !pz_memblock_trim(&mb, 4096) && mb.memory.count == 0);
	CHECK(t, pz_memblock_check(&mb) == 0);
	pz_memblock_destroy(&mb);
}

struct pages {
	struct pz_range r[4];
	int nid[4];
	uint32_t n;
};

static int pages_take(void *ctx, struct pz_range pfns, int nid)
{
	struct pages *p = ctx;

	if (p->n == 4)
		return -PZ_ENOSPC;
	p->r[p->n] = pfns;
	p->nid[p->n++] = nid;
	return 0;
}

static void check_hand_over(struct tap *t)
{
	struct pz_memblock mb;
	struct pz_mb_iter it = { 0 };
	struct pages p = { .n = 0 };

	CHECK(t, !pz_memblock_init(&mb, t->meta, 12));
	CHECK(t, !pz_memblock_hand_over(&mb, UINT64_MAX, pages_take, &p) && !p.n);
	CHECK(t, !pz_memblock_add(&mb, 0x1000, 0x9e400, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, MIB, MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 2 * MIB, MIB, 0, PZ_MB_MIRROR));
	CHECK(t, !pz_memblock_add(&mb, 3 * MIB, MIB, 1, 0));
	CHECK(t, !pz_memblock_add(&mb, 8 * MIB, MIB, 1, PZ_MB_NOMAP));
	CHECK(t, !pz_memblock_reserve(&mb, 0x3004, 8, PZ_NID_NONE, 0));

	CHECK(t, pz_memblock_next_free(&mb, &it, PZ_NID_NONE));
	CHECK(t, it.range.first == 0x1000 && it.range.last == 0x3003 && it.nid == 0);
	CHECK(t, pz_memblock_next_free(&mb, &it, PZ_NID_NONE));
	CHECK(t, it.range.first == 0x300c && it.range.last == 0x9f3ff);
	it = (struct pz_mb_iter){ 0 };
	CHECK(t, pz_memblock_next_free(&mb, &it, 1) && it.range.first == 3 * MIB);
	CHECK(t, !pz_memblock_next_free(&mb, &it, 1));

	CHECK(t, !pz_memblock_hand_over(&mb, 0x3ff, pages_take, &p));
	CHECK_NAMED(t,
		    p.n == 4 && p.r[0].first == 1 && p.r[0].last == 2 && p.r[1].first == 4 &&
			    p.r[1].last == 0x9e && p.r[2].first == 0x100 && p.r[2].last == 0x2ff &&
			    p.nid[2] == 0 && p.r[3].first == 0x300 && p.r[3].last == 0x3fe &&
			    p.nid[3] == 1,
		    "whole free pages, joined within a node, below the cap");
	CHECK(t, pz_memblock_hand_over(&mb, 0x3ff, pages_take, &p) == -PZ_ENOSPC);
	pz_memblock_destroy(&mb);
}

/* The hook fails at its first, second, ... call while a boot is replayed. */
static void check_failure(struct tap *t)
{
	bool fine = true;
	unsigned int left;

	for (left = 0; left < 32; left++) {
		struct pz_memblock mb, copy;
		struct stingy s;
		int err = 0;

		stingy_init(&s, t->meta, left);
		fine = fine && !pz_memblock_init(&mb, &s.meta, 12);
		fine = fine && !pz_memblock_init(&copy, &s.meta, 12);
		for (uint32_t i = 0; i < 40 && !err; i++) {
			uint32_t mem = mb.memory.count, res = mb.reserved.count;

			err = pz_memblock_add(&mb, (1 + i) * 2 * MIB, MIB, 0, 0);
			if (!err)
				mem++;
			if (!err && i)
				err = pz_memblock_reserve(&mb, i * 2 * MIB + 4096, 4096, 0, 0);
			if (!err && i)
				res++;
			fine = fine && mb.memory.count == mem && mb.reserved.count == res;
		}
		if (!err)
			err = pz_memblock_copy(&copy, &mb);
		if (!err)
			err = pz_memblock_mark(&copy, PZ_MB_MEMORY, 2 * MIB + 4096, 4096,
					       PZ_MB_NOMAP, 0);
		fine = fine && (!err || err == -PZ_ENOMEM) && !pz_memblock_check(&mb) &&
		       !pz_memblock_check(&copy);
		pz_memblock_destroy(&mb);
		pz_memblock_destroy(&copy);
		if (!err)
			break;
	}
	CHECK_NAMED(t, fine, "a hook that fails leaves what was there");
	CHECK(t, left > 4 && left < 32);
}

static void check_copy(struct tap *t)
{
	struct pz_memblock a, b;

	CHECK(t, !pz_memblock_init(&a, t->meta, 14) && !pz_memblock_init(&b, t->meta, 12));
	CHECK(t, !pz_memblock_add(&a, GIB, GIB, 3, PZ_MB_HOTPLUG));
	CHECK(t, !pz_memblock_reserve(&a, GIB, 1, 0, 0) && !pz_memblock_add(&b, 0, 7, 0, 0));
	a.bottom_up = true;
	a.skip_hotplug = true;
	a.current_limit = 5;
	CHECK(t, !pz_memblock_copy(&b, &a) && !pz_memblock_copy(&a, &a));
	CHECK(t,
	      b.memory.count == 1 && region_is(&b.memory, 0, GIB, 2 * GIB - 1, 3, PZ_MB_HOTPLUG));
	CHECK(t, region_is(&b.reserved, 0, GIB, GIB, 0, 0));
	CHECK(t, b.bottom_up && b.skip_hotplug && b.current_limit == 5 && b.page_shift == 14);
	pz_memblock_destroy(&a);
	pz_memblock_destroy(&b);
}

/* What joins two regions makes room for what is new in the same call. */
static void check_join_and_fill(struct tap *t)
{
	struct pz_memblock mb;

	CHECK(t, !pz_memblock_init(&mb, t->meta, 12));
	CHECK(t, !pz_memblock_add(&mb, 0, MIB, 0, 0) && !pz_memblock_add(&mb, 2 * MIB, MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 4 * MIB, MIB, 0, 0));
	CHECK(t, !pz_memblock_add(&mb, 5 * MIB, MIB, 1, 0));
	CHECK(t, !pz_memblock_add(&mb, 7 * MIB, MIB, 1, 0));
	CHECK(t, pz_memblock_add(&mb, 0, 8 * MIB, 0, 0) == -PZ_EEXIST);
	CHECK(t, mb.memory.count == 4 && region_is(&mb.memory, 0, 0, 5 * MIB - 1, 0, 0));
	CHECK(t, region_is(&mb.memory, 2, 6 * MIB, 7 * MIB - 1, 0, 0));
	CHECK(t, !pz_memblock_check(&mb));
	pz_memblock_destroy(&mb);
}

/* Any change of an array merges the edges that isolating left, also far away from it. */
static void check_settle(struct tap *t)
{
	struct pz_range r = { MIB, 2 * MIB - 1 };
	struct pz_memblock mb;
	uint32_t start, end;

	CHECK(t, !pz_memblock_init(&mb, t->meta, 12) && !pz_memblock_add(&mb, 0, 8 * MIB, 0, 0));
	CHECK(t, !pz_memblock_isolate(&mb, PZ_MB_MEMORY, r, &start, &end));
	CHECK(t, mb.memory.split && mb.memory.count == 3 && start == 1 && end == 2);
	CHECK(t, !pz_memblock_mark(&mb, PZ_MB_MEMORY, 4 * MIB, MIB, PZ_MB_NOMAP, 0));
	CHECK(t, !mb.memory.split && mb.memory.count == 3 && !pz_memblock_check(&mb));
	CHECK(t, region_is(&mb.memory, 0, 0, 4 * MIB - 1, 0, 0));
	pz_memblock_destroy(&mb);
}

/* The whole space has one byte more than a number can say. */
static void check_saturated(struct tap *t)
{
	struct pz_memblock mb;

	CHECK(t, !pz_memblock_init(&mb, t->meta, 12));
	CHECK(t, !pz_memblock_add(&mb, 0, UINT64_MAX, 0, 0));
	CHECK(t, pz_memblock_bytes(&mb, PZ_MB_MEMORY) == UINT64_MAX);
	CHECK(t, !pz_memblock_add(&mb, 1, UINT64_MAX, 0, 0) && mb.memory.count == 1);
	CHECK(t, pz_memblock_last(&mb) == UINT64_MAX);
	CHECK(t, !pz_memblock_set_node(&mb, PZ_MB_MEMORY, MIB, MIB, 1) && mb.memory.count == 3);
	CHECK(t, pz_memblock_bytes(&mb, PZ_MB_MEMORY) == UINT64_MAX);
	pz_memblock_destroy(&mb);
}

void contract_memblock(struct tap *t)
{
	check_changes(t);
	check_alloc(t);
	check_limits(t);
	check_hand_over(t);
	check_failure(t);
	check_copy(t);
	check_join_and_fill(t);
	check_settle(t);
	check_saturated(t);
}
