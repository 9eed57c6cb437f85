/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_genpool.c - pools by known examples: the algorithms, chunks that come and go, addresses,
 * misuse, and metadata that fails.
 */
#include <physzone/fault.h>
#include <physzone/genpool.h>

#include "suites_decl.h"

#define NONE UINT64_MAX
#define KIB ((uint64_t)1 << 10)

struct gp_box {
	struct pz_genpool *p;
	struct pz_genpool_config cfg;
	struct pz_bugs bugs;
	struct pz_fault_point points[1];
	struct pz_faults faults;
	struct pz_fault_meta meta;
	uint64_t released_addr; /* by the last call of the hook */
	void *released_mem;
	uint32_t releases;
	struct pz_genpool_chunk again; /* added by the release hook when it has a size */
};

static void gp_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static bool gp_start(struct tap *t, struct gp_box *b, uint32_t order)
{
	uint32_t id = 0;

	gp_clear(b, sizeof(*b));
	b->bugs.policy = PZ_BUG_REPORT;
	pz_faults_init(&b->faults, b->points, 1);
	if (pz_fault_add(&b->faults, "meta", &id))
		return CHECK_NAMED(t, false, "a fault point");
	pz_fault_meta_init(&b->meta, t->meta, &b->faults, id);
	b->cfg.order = order;
	b->cfg.name = "box";
	b->cfg.meta = &b->meta.meta;
	b->cfg.bugs = &b->bugs;
	return CHECK(t, pz_genpool_create(&b->p, &b->cfg) == 0);
}

static void gp_stop(struct tap *t, struct gp_box *b)
{
	CHECK(t, pz_genpool_check(b->p) == 0);
	CHECK(t, pz_genpool_destroy(b->p) == 0 && b->meta.bytes == 0);
}

static void gp_released(void *ctx, const struct pz_genpool_info *info)
{
	struct gp_box *b = ctx;

	b->released_addr = info->addr;
	b->released_mem = info->mem;
	b->releases++;
	if (b->again.size)
		pz_genpool_add(b->p, &b->again);
}

static int gp_add(struct gp_box *b, uint64_t addr, uint64_t size)
{
	struct pz_genpool_chunk c;

	gp_clear(&c, sizeof(c));
	c.addr = addr;
	c.size = size;
	c.phys = PZ_GENPOOL_NO_PHYS;
	return pz_genpool_add(b->p, &c);
}

static uint64_t gp_take(struct gp_box *b, enum pz_genpool_kind kind, uint64_t size, uint64_t arg)
{
	struct pz_genpool_algo a;
	struct pz_genpool_got got;

	gp_clear(&a, sizeof(a));
	a.kind = kind;
	a.align = kind == PZ_GENPOOL_ALIGNED ? arg : 0;
	a.offset = kind == PZ_GENPOOL_FIXED ? arg : 0;
	return pz_genpool_alloc_algo(b->p, size, &a, &got) ? NONE : got.addr;
}

/* A pool of 16 granules of 1 byte from @base on, of which those of @used are taken singly. */
static bool gp_vector(struct tap *t, struct gp_box *b, uint64_t base)
{
	static const uint64_t used[] = { 3, 5, 8, 13 };

	if (!gp_start(t, b, 0) || !CHECK(t, gp_add(b, base, 16) == 0))
		return false;
	for (unsigned int i = 0; i < 4; i++)
		CHECK(t, gp_take(b, PZ_GENPOOL_FIXED, 1, used[i]) == base + used[i]);
	return true;
}

static void gp_algorithms(struct tap *t)
{
	static const struct {
		uint64_t n, first, best, order;
	} want[] = {
		{ 1, 0, 4, 0 },	   { 2, 0, 6, 0 },	    { 3, 0, 0, 0 },
		{ 4, 9, 9, NONE }, { 5, NONE, NONE, NONE },
	};
	struct gp_box b;

	for (unsigned int i = 0; i < 5; i++) {
		static const enum pz_genpool_kind kinds[] = {
			PZ_GENPOOL_FIRST_FIT,
			PZ_GENPOOL_BEST_FIT,
			PZ_GENPOOL_ORDER_INDEX,
			PZ_GENPOOL_ORDER_ALIGNED,
		};
		uint64_t base = 0x100;

		if (!gp_vector(t, &b, base))
			return;
		for (unsigned int k = 0; k < 4; k++) {
			uint64_t at = gp_take(&b, kinds[k], want[i].n, 0);
			uint64_t is = k == 0   ? want[i].first
				      : k == 1 ? want[i].best
					       : want[i].order;

			CHECK(t, at == (is == NONE ? NONE : base + is));
			if (at != NONE)
				pz_genpool_free(b.p, at, want[i].n);
			CHECK(t, pz_genpool_check(b.p) == 0 && pz_genpool_avail(b.p) == 12);
		}
		for (unsigned int k = 0; k < 4; k++)
			pz_genpool_free(b.p, base + (k == 0 ? 3 : k == 1 ? 5 : k == 2 ? 8 : 13), 1);
		CHECK(t, pz_genpool_avail(b.p) == 16 && b.bugs.count == 0);
		gp_stop(t, &b);
	}
}

static void gp_alignment(struct tap *t)
{
	struct pz_genpool_algo a;
	struct pz_genpool_chunk c;
	struct pz_genpool_got got;
	struct gp_box b;
	uint64_t at;

	if (!gp_start(t, &b, 12))
		return;
	CHECK(t, gp_add(&b, 0x10001000, 64 * KIB) == 0);
	at = gp_take(&b, PZ_GENPOOL_ALIGNED, 4 * KIB, 16 * KIB);
	CHECK(t, at == 0x10004000);
	pz_genpool_free(b.p, at, 4 * KIB);
	at = gp_take(&b, PZ_GENPOOL_ORDER_INDEX, 16 * KIB, 0);
	CHECK_NAMED(t, at == 0x10001000, "Linux aligns the number of the granule");
	pz_genpool_free(b.p, at, 16 * KIB);
	at = gp_take(&b, PZ_GENPOOL_ORDER_ALIGNED, 16 * KIB, 0);
	CHECK_NAMED(t, at == 0x10004000, "the address is what is aligned");
	CHECK(t, gp_take(&b, PZ_GENPOOL_ORDER_ALIGNED, 9 * KIB, 0) == 0x10008000);
	CHECK(t, gp_take(&b, PZ_GENPOOL_ALIGNED, 1, 1) == 0x10001000);
	CHECK(t, gp_take(&b, PZ_GENPOOL_ALIGNED, 1, 3) == NONE);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 4 * KIB, 4 * KIB) == 0x10002000);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 4 * KIB, 4 * KIB) == NONE);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 4 * KIB, 100) == NONE);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 8 * KIB, 60 * KIB) == NONE);
	pz_genpool_free(b.p, 0x10004000, 16 * KIB);
	pz_genpool_free(b.p, 0x10008000, 9 * KIB);
	pz_genpool_free(b.p, 0x10001000, 1);
	pz_genpool_free(b.p, 0x10002000, 4 * KIB);
	CHECK(t, b.bugs.count == 0);

	/* A start that is no multiple of a granule, and physical addresses that are aligned. */
	gp_clear(&c, sizeof(c));
	c.addr = 0x20000800;
	c.size = 40 * KIB;
	c.phys = 0x80000000;
	CHECK(t, pz_genpool_remove(b.p, 0x10001000) == 0 && pz_genpool_add(b.p, &c) == 0);
	CHECK(t, pz_genpool_size(b.p) == 40 * KIB);
	CHECK(t, gp_take(&b, PZ_GENPOOL_ALIGNED, 1, 4 * KIB) == NONE);
	CHECK(t, gp_take(&b, PZ_GENPOOL_ALIGNED, 1, 2 * KIB) == 0x20000800);
	gp_clear(&a, sizeof(a));
	a.kind = PZ_GENPOOL_ORDER_ALIGNED;
	a.by_phys = true;
	CHECK(t, pz_genpool_alloc_algo(b.p, 16 * KIB, &a, &got) == 0);
	CHECK(t, got.phys == 0x80004000 && got.addr == 0x20004800);
	a.kind = PZ_GENPOOL_BEST_FIT;
	CHECK(t, pz_genpool_alloc_algo(b.p, 16 * KIB, &a, &got) == -PZ_EINVAL);
	pz_genpool_free(b.p, 0x20004800, 16 * KIB);
	pz_genpool_free(b.p, 0x20000800, 1);
	CHECK(t, b.bugs.count == 0);
	gp_stop(t, &b);
}

/* An algorithm of one's own: the last place that fits. */
static uint32_t gp_last(void *ctx, const struct pz_genpool_view *v, uint32_t from, uint32_t n)
{
	uint32_t best = PZ_GENPOOL_NONE, at = 0, end;

	++*(uint32_t *)ctx;
	(void)from;
	for (; (at = pz_genpool_next_free(v, at)) < v->granules; at = end) {
		end = pz_genpool_next_used(v, at);
		if (end - at >= n)
			best = end - n;
	}
	return best;
}

static uint32_t gp_nonsense(void *ctx, const struct pz_genpool_view *v, uint32_t from, uint32_t n)
{
	(void)from;
	return *(uint32_t *)ctx ? v->granules - n + 1 : 3;
}

static void gp_custom(struct tap *t)
{
	struct pz_genpool_algo a;
	struct pz_genpool_got got;
	struct gp_box b;
	uint32_t calls = 0;
	uint64_t at;

	if (!gp_vector(t, &b, 0))
		return;
	gp_clear(&a, sizeof(a));
	a.kind = PZ_GENPOOL_CUSTOM;
	CHECK(t, pz_genpool_set_algo(b.p, &a) == -PZ_EINVAL);
	a.custom = gp_last;
	a.ctx = &calls;
	CHECK(t, pz_genpool_set_algo(b.p, &a) == 0);
	CHECK(t, pz_genpool_alloc(b.p, 2, &at) == 0 && at == 14 && calls == 1);
	CHECK(t, pz_genpool_alloc(b.p, 3, &at) == 0 && at == 10);
	CHECK(t, pz_genpool_alloc(b.p, 4, &at) == -PZ_ENOMEM);
	a.custom = gp_nonsense;
	CHECK_NAMED(t, pz_genpool_alloc_algo(b.p, 1, &a, &got) == -PZ_ENOMEM,
		    "an algorithm that goes beyond the chunk gets nothing");
	calls = 0;
	CHECK_NAMED(t, pz_genpool_alloc_algo(b.p, 1, &a, &got) == -PZ_ENOMEM,
		    "nor does one that insists on what is taken");
	CHECK(t, pz_genpool_set_algo(b.p, NULL) == 0);
	CHECK(t, pz_genpool_alloc(b.p, 1, &at) == 0 && at == 0);
	pz_genpool_free(b.p, 0, 1);
	pz_genpool_free(b.p, 14, 2);
	pz_genpool_free(b.p, 10, 3);
	for (unsigned int k = 0; k < 4; k++)
		pz_genpool_free(b.p, k == 0 ? 3 : k == 1 ? 5 : k == 2 ? 8 : 13, 1);
	CHECK(t, b.bugs.count == 0);
	gp_stop(t, &b);
}

struct gp_visit {
	uint64_t addr[4];
	uint32_t count, stop;
	struct gp_box *b;
	bool remove;
};

static int gp_visit(void *ctx, const struct pz_genpool_info *info)
{
	struct gp_visit *v = ctx;

	if (v->remove && pz_genpool_remove(v->b->p, info->addr))
		return -1;
	v->addr[v->count++] = info->addr;
	return v->count == v->stop ? 7 : 0;
}

static void gp_chunks(struct tap *t)
{
	static uint64_t mem[128];
	struct pz_genpool_chunk c;
	struct pz_genpool_got got;
	struct gp_visit v;
	struct gp_box b;
	uint64_t at = NONE, phys = 0;
	void *owner = NULL;
	int who;

	if (!gp_start(t, &b, 10))
		return;
	CHECK(t, pz_genpool_alloc(b.p, 1, &at) == -PZ_ENOMEM && pz_genpool_size(b.p) == 0);
	gp_clear(&c, sizeof(c));
	c.addr = 0;
	c.size = 4 * KIB + 1023;
	c.phys = 0x80000000;
	c.owner = &who;
	CHECK(t, pz_genpool_add(b.p, &c) == 0);
	CHECK_NAMED(t, pz_genpool_avail(b.p) == 4 * KIB && pz_genpool_size(b.p) == 4 * KIB,
		    "a rest smaller than a granule does not count");
	CHECK(t, gp_add(&b, 64 * KIB, 2 * KIB) == 0 && gp_add(&b, 32 * KIB, KIB) == 0);
	gp_clear(&v, sizeof(v));
	v.b = &b;
	CHECK(t, pz_genpool_for_each_chunk(b.p, gp_visit, &v) == 0 && v.count == 3);
	CHECK_NAMED(t, v.addr[0] == 32 * KIB && v.addr[1] == 64 * KIB && v.addr[2] == 0,
		    "the newest chunk comes first");
	v.count = 0;
	v.stop = 2;
	CHECK(t, pz_genpool_for_each_chunk(b.p, gp_visit, &v) == 7 && v.count == 2);

	CHECK(t, pz_genpool_alloc(b.p, 1, &at) == 0 && at == 32 * KIB);
	CHECK(t, pz_genpool_alloc(b.p, 1, &at) == 0 && at == 64 * KIB);
	CHECK(t, pz_genpool_alloc_algo(b.p, 2 * KIB, NULL, &got) == 0);
	CHECK_NAMED(t, got.addr == 0 && got.owner == &who && got.phys == 0x80000000,
		    "address 0 is an address as any other");
	CHECK(t, pz_genpool_alloc(b.p, 5 * KIB, &at) == -PZ_ENOMEM);
	CHECK(t, pz_genpool_alloc(b.p, 0, &at) == -PZ_EINVAL);
	CHECK(t, pz_genpool_alloc(b.p, NONE, &at) == -PZ_ENOMEM && at == 64 * KIB);

	CHECK(t, pz_genpool_to_phys(b.p, 4 * KIB + 1022, &phys) == 0 && phys == 0x800013fe);
	CHECK(t, pz_genpool_to_phys(b.p, 64 * KIB, &phys) == -PZ_ENOENT);
	CHECK(t, pz_genpool_to_phys(b.p, 5 * KIB, &phys) == -PZ_ENOENT);
	CHECK(t, pz_genpool_to_addr(b.p, 0x80000001, &at) == 0 && at == 1);
	CHECK(t, pz_genpool_to_addr(b.p, 0x800013ff, &at) == -PZ_ENOENT);
	CHECK(t, pz_genpool_has_addr(b.p, 0, 4 * KIB + 1023));
	CHECK(t, !pz_genpool_has_addr(b.p, 0, 5 * KIB) && !pz_genpool_has_addr(b.p, 0, 0));
	CHECK(t, !pz_genpool_has_addr(b.p, 64 * KIB, NONE));
	CHECK(t, gp_add(&b, 66 * KIB, 2 * KIB) == 0);
	CHECK_NAMED(t, !pz_genpool_has_addr(b.p, 65 * KIB, 2 * KIB), "neighbours stay two chunks");

	CHECK(t, pz_genpool_free_owner(b.p, 0, 2 * KIB, &owner) && owner == &who);
	CHECK(t, pz_genpool_remove(b.p, 32 * KIB) == -PZ_EBUSY);
	CHECK(t, pz_genpool_remove(b.p, 1) == -PZ_ENOENT &&
			 pz_genpool_remove(b.p, 16 * KIB) == -PZ_ENOENT);
	CHECK(t, pz_genpool_remove(b.p, 0) == 0 && pz_genpool_remove(b.p, 0) == -PZ_ENOENT);
	CHECK(t, !pz_genpool_has_addr(b.p, 0, 1) && pz_genpool_check(b.p) == 0);
	pz_genpool_free(b.p, 32 * KIB, KIB);
	pz_genpool_free(b.p, 64 * KIB, KIB);
	CHECK(t, b.bugs.count == 0);

	/* Each is removed while it is visited. */
	gp_clear(&v, sizeof(v));
	v.b = &b;
	v.remove = true;
	CHECK(t, pz_genpool_for_each_chunk(b.p, gp_visit, &v) == 0 && v.count == 3);
	CHECK(t, pz_genpool_size(b.p) == 0);

	/* One that brings its memory, and has no hook to be told by, cannot go then. */
	gp_clear(&c, sizeof(c));
	c.size = 16 * KIB;
	c.mem = mem;
	c.mem_bytes = sizeof(mem);
	CHECK(t, pz_genpool_chunk_bytes(10, c.size) <= sizeof(mem));
	CHECK(t, pz_genpool_add(b.p, &c) == 0);
	CHECK(t, pz_genpool_for_each_chunk(b.p, gp_visit, &v) == -1);
	CHECK(t, pz_genpool_remove(b.p, 0) == 0);
	gp_stop(t, &b);
}

static void gp_atomic(struct tap *t)
{
	static uint64_t mem[2][128];
	struct pz_genpool_chunk c;
	struct gp_box b;
	uint64_t at[4], calls;

	if (!gp_start(t, &b, 10))
		return;
	/* From here on the metadata hook gives nothing, as in a context that may not call it. */
	calls = b.faults.hits;
	CHECK(t, pz_fault_arm(&b.faults, 0, 1, UINT64_MAX) == 0);
	gp_clear(&c, sizeof(c));
	c.addr = 16 * KIB;
	c.size = 4 * KIB;
	c.phys = c.addr;
	c.release = gp_released;
	c.release_ctx = &b;
	c.flags = PZ_GENPOOL_AUTO;
	c.mem = mem[0];
	c.mem_bytes = pz_genpool_chunk_bytes(10, c.size) - 1;
	CHECK(t, pz_genpool_add(b.p, &c) == -PZ_EINVAL);
	c.mem_bytes++;
	CHECK(t, pz_genpool_add(b.p, &c) == 0);
	CHECK(t, pz_genpool_alloc(b.p, 8 * KIB, &at[0]) == -PZ_ENOMEM);
	CHECK_NAMED(t, b.releases == 0, "a new chunk that was never used stays");
	CHECK(t, gp_take(&b, PZ_GENPOOL_ALIGNED, 1, 1024 * KIB) == NONE && b.releases == 0);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(t, pz_genpool_alloc(b.p, KIB, &at[i]) == 0);
	CHECK(t, pz_genpool_alloc(b.p, KIB, &at[0]) == -PZ_ENOMEM);
	for (unsigned int i = 0; i < 3; i++)
		pz_genpool_free(b.p, at[i], KIB);
	CHECK(t, b.releases == 0 && pz_genpool_avail(b.p) == 3 * KIB);
	/* The hook adds the next one. */
	b.again = c;
	b.again.addr = 64 * KIB;
	b.again.mem = mem[1];
	pz_genpool_free(b.p, at[3], KIB);
	CHECK_NAMED(t, b.releases == 1 && b.released_addr == 16 * KIB && b.released_mem == mem[0],
		    "an empty chunk goes by itself");
	CHECK(t, pz_genpool_size(b.p) == 4 * KIB && pz_genpool_has_addr(b.p, 64 * KIB, 4 * KIB));
	b.again.size = 0;
	CHECK(t, pz_genpool_remove(b.p, 64 * KIB) == 0 && b.releases == 2);
	CHECK(t, b.released_mem == mem[1] && pz_genpool_size(b.p) == 0);
	CHECK_NAMED(t, b.faults.hits == calls, "the metadata hook was never called");

	/* Without memory of its own it needs the hook, which fails. */
	c.mem = NULL;
	CHECK(t, pz_genpool_add(b.p, &c) == -PZ_ENOMEM);
	CHECK(t, pz_fault_arm(&b.faults, 0, 0, 0) == 0);
	CHECK(t, pz_genpool_add(b.p, &c) == 0 && pz_genpool_alloc(b.p, 4 * KIB, &at[0]) == 0);
	pz_genpool_free(b.p, at[0], 4 * KIB);
	CHECK(t, b.releases == 3 && b.released_mem == NULL && pz_genpool_check(b.p) == 0);
	gp_stop(t, &b);
}

static void gp_room(struct tap *t)
{
	static uint64_t mem[64];
	struct pz_genpool_chunk c;
	struct gp_box b;
	uint64_t at;

	if (!gp_start(t, &b, 10))
		return;
	for (uint64_t i = 0; i < 8; i++)
		CHECK(t, gp_add(&b, i * KIB, KIB) == 0);
	gp_clear(&c, sizeof(c));
	c.addr = 8 * KIB;
	c.size = KIB;
	c.mem = mem;
	c.mem_bytes = sizeof(mem);
	CHECK_NAMED(t, pz_genpool_add(b.p, &c) == -PZ_ENOSPC, "no room without the metadata hook");
	/* Both the metadata of the chunk and the room are refused in turn. */
	for (uint64_t n = 1; n <= 2; n++) {
		CHECK(t, pz_fault_arm(&b.faults, 0, n, 1) == 0);
		CHECK(t, gp_add(&b, 8 * KIB, KIB) == -PZ_ENOMEM);
		CHECK(t, pz_genpool_size(b.p) == 8 * KIB && pz_genpool_check(b.p) == 0);
	}
	CHECK(t, gp_add(&b, 8 * KIB, KIB) == 0);
	CHECK(t, pz_genpool_reserve(b.p, 100) == 0 && pz_genpool_reserve(b.p, 3) == 0);
	CHECK(t, pz_genpool_reserve(b.p, UINT32_MAX) == -PZ_EINVAL);
	for (uint64_t i = 9; i < 100; i++)
		CHECK(t, gp_add(&b, i * KIB, KIB) == 0);
	/* All full: a request for more than a chunk has, and one that does not fit any more. */
	for (uint64_t i = 100; i-- > 0;)
		CHECK(t, pz_genpool_alloc(b.p, 1, &at) == 0 && at == i * KIB);
	CHECK(t, pz_genpool_alloc(b.p, 1, &at) == -PZ_ENOMEM);
	pz_genpool_free(b.p, 0, 1);
	CHECK(t, pz_genpool_alloc(b.p, 1, &at) == 0 && at == 0);
	for (uint64_t i = 0; i < 100; i++)
		pz_genpool_free(b.p, i * KIB, 1);
	CHECK(t, b.bugs.count == 0 && pz_genpool_avail(b.p) == 100 * KIB);
	gp_stop(t, &b);
}

static void gp_misuse(struct tap *t)
{
	static const struct {
		uint64_t addr, size;
		const char *what;
	} wrong[] = {
		{ 0x1000, 32, "where nothing is allocated" },
		{ 0x1000 + 32, 64, "the second granule of a piece" },
		{ 0x1000 + 64 * 32, 32, "a part of a piece" },
		{ 0x1000 + 64 * 32, 32 * 39, "all but the end of a piece" },
		{ 0x1000 + 64 * 32, 32 * 41, "more than a piece" },
		{ 0x1000 + 64 * 32 + 8, 32 * 40, "between two granules" },
		{ 0x1000 + 64 * 32, 0, "no size" },
		{ 0x1000 + 4096 - 32, 64, "beyond the chunk" },
		{ 0x1000 + 4096, 32, "behind the chunk" },
		{ 0xfff, 32, "before the chunk" },
		{ 0x1000 + 64 * 32, NONE, "a size that wraps" },
		{ 0x1000 + 96 * 32, 8 * 32, "the second word of a piece" },
	};
	struct pz_genpool_chunk c;
	struct gp_box b;
	uint64_t at = 0;
	void *owner = &b;

	if (!gp_start(t, &b, 5))
		return;
	CHECK(t, gp_add(&b, 0x1000, 4096) == 0);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 32 * 40, 64 * 32) == 0x1000 + 64 * 32);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 64, 127 * 32) == NONE);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 64, 0) == 0x1000);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 32, 127 * 32) == 0x1000 + 4096 - 32);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		pz_genpool_free(b.p, wrong[i].addr, wrong[i].size);
		CHECK_NAMED(t,
			    b.bugs.count == i + 1 && pz_genpool_check(b.p) == 0 &&
				    pz_genpool_avail(b.p) == 4096 - 43 * 32,
			    wrong[i].what);
	}
	b.bugs.count = 0;
	pz_genpool_free(b.p, 0x1000, 64);
	CHECK(t, b.bugs.count == 0);
	CHECK(t, !pz_genpool_free_owner(b.p, 0x1000, 64, &owner) && owner == &b);
	CHECK_NAMED(t, b.bugs.count == 1, "the second free of a piece");
	CHECK(t, pz_genpool_destroy(b.p) == -PZ_EBUSY && b.bugs.count == 2);
	CHECK_NAMED(t, pz_genpool_alloc(b.p, 64, &at) == 0 && at == 0x1000,
		    "a pool that is not destroyed goes on");
	pz_genpool_free(b.p, 0x1000, 33);
	pz_genpool_free(b.p, 0x1000 + 64 * 32, 32 * 40);
	pz_genpool_free(b.p, 0x1000 + 4096 - 32, 1);
	CHECK(t, b.bugs.count == 2 && pz_genpool_avail(b.p) == 4096);

	b.bugs.count = 0;
	CHECK(t, gp_add(&b, 0x1fff, 64) == -PZ_EEXIST && b.bugs.count == 1);
	CHECK(t, gp_add(&b, 0, 0x1001) == -PZ_EEXIST && gp_add(&b, 0, 0x9000) == -PZ_EEXIST);
	CHECK(t, b.bugs.count == 3 && gp_add(&b, 0, 0x1000) == 0 && gp_add(&b, 0x2000, 32) == 0);
	CHECK(t, gp_add(&b, 0x3000, 31) == -PZ_EINVAL && gp_add(&b, 0x3000, 0) == -PZ_EINVAL);
	CHECK(t, gp_add(&b, NONE - 62, 64) == -PZ_EOVERFLOW && gp_add(&b, NONE - 63, 64) == 0);
	CHECK(t, gp_add(&b, 0x10000, (uint64_t)1 << 37) == -PZ_EOVERFLOW);
	gp_clear(&c, sizeof(c));
	c.addr = 0x3000;
	c.size = 64;
	c.phys = NONE - 62;
	CHECK(t, pz_genpool_add(b.p, &c) == -PZ_EOVERFLOW);
	c.phys = 0;
	c.flags = PZ_GENPOOL_AUTO;
	CHECK(t, pz_genpool_add(b.p, &c) == -PZ_EINVAL);
	c.flags = 2;
	CHECK(t, pz_genpool_add(b.p, &c) == -PZ_EINVAL);
	CHECK(t, gp_take(&b, PZ_GENPOOL_FIXED, 64, 0) == NONE - 63);
	pz_genpool_free(b.p, NONE - 63, 64);
	CHECK(t, b.bugs.count == 3);
	gp_stop(t, &b);
}

static void gp_create(struct tap *t)
{
	struct gp_box b;
	struct pz_genpool *p = NULL;

	if (!gp_start(t, &b, 0))
		return;
	CHECK(t, pz_genpool_name(b.p)[0] == 'b' && pz_genpool_name(b.p)[3] == 0);
	b.cfg.order = 64;
	CHECK(t, pz_genpool_create(&p, &b.cfg) == -PZ_EINVAL);
	b.cfg.order = 63;
	b.cfg.name = NULL;
	b.cfg.algo.kind = PZ_GENPOOL_ALIGNED;
	CHECK(t, pz_genpool_create(&p, &b.cfg) == -PZ_EINVAL);
	b.cfg.algo.align = 16;
	b.cfg.chunks = 20;
	for (uint64_t n = 1; n <= 3; n++) {
		CHECK(t, pz_fault_arm(&b.faults, 0, n, 1) == 0);
		CHECK(t, pz_genpool_create(&p, &b.cfg) == -PZ_ENOMEM && p == NULL);
	}
	CHECK(t, pz_genpool_create(&p, &b.cfg) == 0 && pz_genpool_name(p)[0] == 0);
	CHECK(t, pz_genpool_chunk_bytes(64, NONE) == 0 && pz_genpool_chunk_bytes(10, 1023) == 0);
	CHECK(t, pz_genpool_chunk_bytes(63, NONE) > 0 && pz_genpool_chunk_bytes(0, NONE) == 0);
	CHECK(t, pz_genpool_check(p) == 0 && pz_genpool_destroy(p) == 0);
	CHECK(t, pz_genpool_destroy(NULL) == 0);
	gp_stop(t, &b);
}

void contract_genpool(struct tap *t)
{
	gp_algorithms(t);
	gp_alignment(t);
	gp_custom(t);
	gp_chunks(t);
	gp_atomic(t);
	gp_room(t);
	gp_misuse(t);
	gp_create(t);
}
