/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_mempool.c - a guaranteed minimum, by known examples: the order in which allocator and
 * reserve are asked, waiting, changing the minimum, misuse, and what fails.
 */
#include <physzone/fault.h>
#include <physzone/mempool.h>

#include "suites_decl.h"

#define STOCK 200u

struct mp_box {
	struct pz_mempool *m;
	struct pz_mempool_config cfg;
	struct pz_bugs bugs;
	struct pz_fault_point points[1];
	struct pz_faults faults;
	struct pz_fault_meta meta;
	bool out[STOCK]; /* elements 1000 to 1000 + STOCK - 1 */
	bool wrong;
	uint32_t stock;	   /* elements that the allocator has left */
	uint32_t blocking; /* that it has left for who may block */
	uint32_t gfp, calls, wakes, waits;
	uint64_t held; /* freed by the wait hook */
};

static void mp_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static int mp_alloc(void *ctx, uint32_t gfp, uint64_t *element)
{
	struct mp_box *b = ctx;

	b->gfp = gfp;
	b->calls++;
	if (!b->stock) {
		if (!(gfp & PZ_GFP_BLOCK) || !b->blocking)
			return -PZ_ENOMEM;
		b->blocking--;
	} else {
		b->stock--;
	}
	for (uint32_t i = 0; i < STOCK; i++) {
		if (!b->out[i]) {
			b->out[i] = true;
			*element = 1000 + i;
			return 0;
		}
	}
	return -PZ_ENOMEM;
}

static void mp_free(void *ctx, uint64_t element)
{
	struct mp_box *b = ctx;

	if (element < 1000 || element >= 1000 + STOCK || !b->out[element - 1000]) {
		b->wrong = true;
		return;
	}
	b->out[element - 1000] = false;
	b->stock++;
}

static int mp_wait(void *ctx, uint32_t ticket)
{
	struct mp_box *b = ctx;

	if (++b->waits > 2)
		return -PZ_EBUSY;
	if (ticket != pz_mempool_ticket(b->m))
		b->wrong = true;
	if (b->waits == 2)
		pz_mempool_free(b->m, b->held);
	return 0;
}

static void mp_wake(void *ctx)
{
	((struct mp_box *)ctx)->wakes++;
}

static bool mp_start(struct tap *t, struct mp_box *b, uint32_t min, uint32_t stock)
{
	uint32_t id = 0;

	mp_clear(b, sizeof(*b));
	b->bugs.policy = PZ_BUG_REPORT;
	b->stock = stock;
	pz_faults_init(&b->faults, b->points, 1);
	if (pz_fault_add(&b->faults, "meta", &id))
		return CHECK_NAMED(t, false, "a fault point");
	pz_fault_meta_init(&b->meta, t->meta, &b->faults, id);
	b->cfg.min = min;
	b->cfg.gfp = PZ_GFP_BLOCK;
	b->cfg.alloc = mp_alloc;
	b->cfg.free = mp_free;
	b->cfg.wake = mp_wake;
	b->cfg.ctx = b;
	b->cfg.name = "elements";
	b->cfg.meta = &b->meta.meta;
	b->cfg.bugs = &b->bugs;
	return CHECK(t, pz_mempool_create(&b->m, &b->cfg) == 0 && b->stock == stock - min);
}

static uint32_t mp_reserve(const struct mp_box *b)
{
	struct pz_mempool_stat s;

	pz_mempool_stat(b->m, &s);
	return s.reserve;
}

static void mp_stop(struct tap *t, struct mp_box *b, uint32_t stock)
{
	CHECK(t, pz_mempool_check(b->m) == 0);
	CHECK(t, pz_mempool_destroy(b->m, NULL) == 0 && b->stock == stock && !b->wrong);
	CHECK(t, b->meta.bytes == 0);
}

static void mp_order(struct tap *t)
{
	struct pz_mempool_stat s;
	struct mp_box b;
	uint64_t e[5] = { 0, 0, 0, 0, 0 }, left = 0;

	if (!mp_start(t, &b, 3, 4))
		return;
	CHECK(t, pz_mempool_alloc(b.m, PZ_GFP_BLOCK, &e[0]) == 0 && mp_reserve(&b) == 3);
	CHECK_NAMED(t, b.gfp == PZ_GFP_NORETRY, "the allocator is asked first, and not to block");
	for (unsigned int i = 1; i < 4; i++)
		CHECK(t, pz_mempool_alloc(b.m, PZ_GFP_HIGH, &e[i]) == 0 && mp_reserve(&b) == 3 - i);
	CHECK(t, pz_mempool_alloc(b.m, PZ_GFP_HIGH, &e[4]) == -PZ_ENOMEM && e[4] == 0);
	b.blocking = 1;
	CHECK(t, pz_mempool_alloc(b.m, PZ_GFP_BLOCK, &e[4]) == 0);
	CHECK_NAMED(t, b.gfp == PZ_GFP_BLOCK, "then it may block");
	CHECK_NAMED(t, pz_mempool_alloc(b.m, PZ_GFP_BLOCK, &left) == -PZ_ENOMEM,
		    "without a wait hook there is no waiting");
	pz_mempool_stat(b.m, &s);
	CHECK(t, s.min == 3 && s.out == 5 && s.reserved == 3 && s.refused == 2 && s.waits == 0);
	CHECK(t, pz_mempool_check(b.m) == 0);
	CHECK(t, pz_mempool_destroy(b.m, &left) == -PZ_EBUSY && left == 5 && b.bugs.count == 1);
	for (unsigned int i = 0; i < 3; i++) {
		pz_mempool_free(b.m, e[i]);
		CHECK(t, mp_reserve(&b) == i + 1 && b.stock == 0 && b.wakes == i + 1);
	}
	pz_mempool_free(b.m, e[3]);
	CHECK_NAMED(t, b.stock == 1 && b.wakes == 3, "a full reserve is filled no further");
	pz_mempool_free(b.m, e[4]);
	CHECK(t, b.bugs.count == 1);
	pz_mempool_free(b.m, e[4]);
	CHECK_NAMED(t, b.bugs.count == 2 && b.stock == 2, "more frees than allocations");
	mp_stop(t, &b, 5);
}

static void mp_waiting(struct tap *t)
{
	struct mp_box b;
	uint64_t e[2] = { 0, 0 };

	if (!mp_start(t, &b, 1, 1))
		return;
	pz_mempool_destroy(b.m, NULL);
	b.cfg.wait = mp_wait;
	CHECK(t, pz_mempool_create(&b.m, &b.cfg) == 0);
	CHECK(t, pz_mempool_alloc(b.m, 0, &e[0]) == 0 && pz_mempool_alloc(b.m, 0, &e[1]) < 0);
	CHECK(t, b.waits == 0);
	b.held = e[0];
	CHECK(t, pz_mempool_alloc(b.m, PZ_GFP_BLOCK, &e[1]) == 0);
	CHECK_NAMED(t, b.waits == 2 && e[1] == e[0], "it waits until one comes back");
	CHECK_NAMED(t, pz_mempool_alloc(b.m, PZ_GFP_BLOCK, &e[0]) == -PZ_EBUSY,
		    "a wait that gives up");
	pz_mempool_free(b.m, e[1]);
	CHECK(t, b.bugs.count == 0);
	mp_stop(t, &b, 1);
}

static void mp_resize(struct tap *t)
{
	struct mp_box b;
	uint64_t e[8];

	if (!mp_start(t, &b, 4, 120))
		return;
	CHECK(t, pz_mempool_resize(b.m, 0, 0) == -PZ_EINVAL);
	CHECK(t, pz_mempool_resize(b.m, 6, 0) == 0 && mp_reserve(&b) == 6 && b.stock == 114);
	CHECK_NAMED(t,
		    pz_mempool_resize(b.m, 121, 0) == -PZ_ENOMEM && mp_reserve(&b) == 6 &&
			    b.stock == 114 && pz_mempool_check(b.m) == 0,
		    "too few elements: all go back");
	CHECK(t, pz_fault_arm(&b.faults, 0, 1, 1) == 0);
	CHECK_NAMED(t, pz_mempool_resize(b.m, 119, 0) == 0, "the places were there");
	CHECK_NAMED(t,
		    pz_mempool_resize(b.m, 300, 0) == -PZ_ENOMEM && mp_reserve(&b) == 119 &&
			    b.stock == 1 && pz_mempool_check(b.m) == 0,
		    "there are no more");
	CHECK(t, pz_mempool_resize(b.m, 2, 0) == 0 && mp_reserve(&b) == 2 && b.stock == 118);
	CHECK(t, pz_mempool_check(b.m) == 0);
	CHECK(t, pz_mempool_resize(b.m, 150, 0) == -PZ_ENOMEM && mp_reserve(&b) == 2);
	b.stock = 0;
	for (unsigned int i = 0; i < 2; i++)
		CHECK(t, pz_mempool_alloc(b.m, 0, &e[i]) == 0);
	CHECK_NAMED(t, pz_mempool_resize(b.m, 1, 0) == 0 && mp_reserve(&b) == 0,
		    "an empty place goes first");
	b.stock = 118;
	pz_mempool_free(b.m, e[0]);
	pz_mempool_free(b.m, e[1]);
	CHECK(t, mp_reserve(&b) == 1 && b.stock == 119 && b.bugs.count == 0);
	mp_stop(t, &b, 120);
}

static void mp_failures(struct tap *t)
{
	struct pz_mempool *m = NULL;
	struct mp_box b;

	if (!mp_start(t, &b, 1, 100))
		return;
	CHECK(t, pz_mempool_name(b.m)[0] == 'e' && pz_mempool_destroy(NULL, NULL) == 0);
	b.cfg.min = 40;
	for (uint64_t n = 1; n <= 3; n++) {
		CHECK(t, pz_fault_arm(&b.faults, 0, n, 1) == 0);
		CHECK(t, pz_mempool_create(&m, &b.cfg) == -PZ_ENOMEM && m == NULL && b.stock == 99);
	}
	b.stock = 39;
	CHECK(t, pz_mempool_create(&m, &b.cfg) == -PZ_ENOMEM && m == NULL && b.stock == 39);
	b.stock = 99;
	b.cfg.min = 0;
	CHECK(t, pz_mempool_create(&m, &b.cfg) == -PZ_EINVAL);
	b.cfg.min = 1;
	b.cfg.free = NULL;
	CHECK(t, pz_mempool_create(&m, &b.cfg) == -PZ_EINVAL);
	mp_stop(t, &b, 100);
}

void contract_mempool(struct tap *t)
{
	mp_order(t);
	mp_waiting(t);
	mp_resize(t);
	mp_failures(t);
}
