/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_peers.c - the situations that Linux tests its own early memory and page allocator in,
 * stated anew: each with the memory that there is, what is asked, and what comes of it.
 *
 * From tools/testing/memblock (basic, alloc, alloc from an address, nodes, exact node),
 * lib/test_free_pages.c and the buddy tests of KUnit. contract_contig.c has more.
 */
#include "page_machine.h"
#include "suites_decl.h"

#define KIB PM_KIB
#define MIB PM_MIB
#define BASE ((uint64_t)64 << 20)

/* Memory and reservations, then one request; lengths of 0 end the lists. */
struct span {
	uint64_t base, size;
};

struct early {
	const char *what;
	struct span memory[4], reserved[4];
	bool bottom_up;
	uint64_t size, align, min, max; /* max 0: any */
	int rc;
	uint64_t at;	  /* address, when rc is 0 */
	uint32_t regions; /* reserved ones afterwards */
};

static const struct early peers_early[] = {
	{ "the end of memory first",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  256,
	  64,
	  0,
	  0,
	  0,
	  BASE + MIB - 256,
	  1 },
	{ "the start of memory from below",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  true,
	  256,
	  64,
	  0,
	  0,
	  0,
	  BASE,
	  1 },
	{ "alignment leaves a gap at the end",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  100,
	  64,
	  0,
	  0,
	  0,
	  BASE + MIB - 128,
	  1 },
	{ "below what is reserved, and grown together",
	  { { BASE, MIB } },
	  { { BASE + MIB - 4 * KIB, 4 * KIB } },
	  false,
	  4 * KIB,
	  64,
	  0,
	  0,
	  0,
	  BASE + MIB - 8 * KIB,
	  1 },
	{ "above what is reserved, from below",
	  { { BASE, MIB } },
	  { { BASE, 4 * KIB } },
	  true,
	  4 * KIB,
	  64,
	  0,
	  0,
	  0,
	  BASE + 4 * KIB,
	  1 },
	{ "apart from what is reserved",
	  { { BASE, MIB } },
	  { { BASE, 4 * KIB } },
	  false,
	  4 * KIB,
	  64,
	  0,
	  0,
	  0,
	  BASE + MIB - 4 * KIB,
	  2 },
	{ "the second gap, when the first is too small",
	  { { BASE, MIB } },
	  { { BASE + MIB - 8 * KIB, 4 * KIB } },
	  false,
	  8 * KIB,
	  64,
	  0,
	  0,
	  0,
	  BASE + MIB - 16 * KIB,
	  1 },
	{ "exactly between two reservations",
	  { { BASE, 64 * KIB } },
	  { { BASE, 24 * KIB }, { BASE + 32 * KIB, 32 * KIB } },
	  false,
	  8 * KIB,
	  64,
	  0,
	  0,
	  0,
	  BASE + 24 * KIB,
	  1 },
	{ "many small gaps are no room",
	  { { BASE, 32 * KIB } },
	  { { BASE + 4 * KIB, 4 * KIB },
	    { BASE + 12 * KIB, 4 * KIB },
	    { BASE + 20 * KIB, 12 * KIB } },
	  false,
	  8 * KIB,
	  64,
	  0,
	  0,
	  -PZ_ENOMEM,
	  0,
	  3 },
	{ "all of it is reserved",
	  { { BASE, 64 * KIB } },
	  { { BASE, 64 * KIB } },
	  false,
	  256,
	  64,
	  0,
	  0,
	  -PZ_ENOMEM,
	  0,
	  1 },
	{ "just as much as is left",
	  { { BASE, 64 * KIB } },
	  { { BASE, 63 * KIB } },
	  false,
	  KIB,
	  64,
	  0,
	  0,
	  0,
	  BASE + 63 * KIB,
	  1 },
	{ "a little more than is left",
	  { { BASE, 64 * KIB } },
	  { { BASE, 63 * KIB } },
	  false,
	  KIB + 1,
	  64,
	  0,
	  0,
	  -PZ_ENOMEM,
	  0,
	  1 },
	{ "no memory at all", { { 0, 0 } }, { { 0, 0 } }, false, 256, 64, 0, 0, -PZ_ERANGE, 0, 0 },
	{ "more than there ever was",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  2 * MIB,
	  64,
	  0,
	  0,
	  -PZ_ERANGE,
	  0,
	  0 },
	{ "not across two regions that lie apart",
	  { { BASE, MIB }, { BASE + 2 * MIB, MIB } },
	  { { 0, 0 } },
	  false,
	  MIB + KIB,
	  64,
	  0,
	  0,
	  -PZ_ERANGE,
	  0,
	  0 },
	{ "from an address on",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  true,
	  16,
	  64,
	  BASE + 512 * KIB,
	  0,
	  0,
	  BASE + 512 * KIB,
	  1 },
	{ "from an odd address on",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  true,
	  32,
	  64,
	  BASE + 512 * KIB + 3,
	  0,
	  0,
	  BASE + 512 * KIB + 64,
	  1 },
	{ "an address too high is given up",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  64,
	  64,
	  BASE + MIB - 32,
	  0,
	  0,
	  BASE + MIB - 64,
	  1 },
	{ "so it is from below",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  true,
	  64,
	  64,
	  BASE + MIB - 32,
	  0,
	  0,
	  BASE,
	  1 },
	{ "nothing above the address is free",
	  { { BASE, MIB } },
	  { { BASE + 512 * KIB, 512 * KIB } },
	  false,
	  64,
	  64,
	  BASE + 512 * KIB,
	  0,
	  0,
	  BASE + 512 * KIB - 64,
	  1 },
	{ "an address below all memory",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  true,
	  64,
	  64,
	  4 * KIB,
	  0,
	  0,
	  BASE,
	  1 },
	{ "within a range, at its end",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  128,
	  64,
	  BASE + 128 * KIB,
	  BASE + 256 * KIB - 1,
	  0,
	  BASE + 256 * KIB - 128,
	  1 },
	{ "within a range, at its start",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  true,
	  128,
	  64,
	  BASE + 128 * KIB,
	  BASE + 256 * KIB - 1,
	  0,
	  BASE + 128 * KIB,
	  1 },
	{ "a range whose end is not aligned",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  128,
	  64,
	  BASE + 128 * KIB,
	  BASE + 256 * KIB - 1 + 3,
	  0,
	  BASE + 256 * KIB - 128,
	  1 },
	{ "just the range",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  KIB,
	  64,
	  BASE + 16 * KIB,
	  BASE + 17 * KIB - 1,
	  0,
	  BASE + 16 * KIB,
	  1 },
	{ "a range that is too narrow",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  KIB,
	  64,
	  BASE + 512 * KIB,
	  BASE + 512 * KIB + 511,
	  0,
	  BASE + 512 * KIB - 512,
	  1 },
	{ "a range below memory",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  KIB,
	  64,
	  0,
	  BASE - 1,
	  -PZ_ERANGE,
	  0,
	  0 },
	{ "a range beyond the end of memory",
	  { { BASE, MIB } },
	  { { 0, 0 } },
	  false,
	  KIB,
	  64,
	  BASE + MIB - 2 * KIB,
	  BASE + 2 * MIB,
	  0,
	  BASE + MIB - KIB,
	  1 },
	{ "a range between reservations, filled",
	  { { BASE, MIB } },
	  { { BASE + 32 * KIB, 32 * KIB }, { BASE + 65 * KIB, 31 * KIB } },
	  false,
	  KIB,
	  64,
	  BASE + 64 * KIB,
	  BASE + 65 * KIB - 1,
	  0,
	  BASE + 64 * KIB,
	  1 },
	{ "a range between them, not filled",
	  { { BASE, MIB } },
	  { { BASE + 32 * KIB, 32 * KIB }, { BASE + 68 * KIB, 28 * KIB } },
	  false,
	  KIB,
	  64,
	  BASE + 64 * KIB,
	  BASE + 68 * KIB - 1,
	  0,
	  BASE + 67 * KIB,
	  2 },
	{ "a range whose rest is below",
	  { { BASE, MIB } },
	  { { BASE + 16 * KIB, 32 * KIB }, { BASE + 50 * KIB, 32 * KIB } },
	  false,
	  3 * KIB,
	  64,
	  BASE + 32 * KIB,
	  BASE + 64 * KIB - 1,
	  0,
	  BASE + 13 * KIB,
	  2 },
	{ "a range that is reserved, and all below it",
	  { { BASE, 64 * KIB } },
	  { { BASE, 48 * KIB } },
	  false,
	  KIB,
	  64,
	  BASE + 16 * KIB,
	  BASE + 48 * KIB - 1,
	  -PZ_ENOMEM,
	  0,
	  1 },
};

static void check_early(struct tap *t)
{
	for (uint32_t i = 0; i < sizeof(peers_early) / sizeof(peers_early[0]); i++) {
		const struct early *e = &peers_early[i];
		struct pz_mb_req req = pz_mb_req(e->size, e->align);
		struct pz_range r = { 0, 0 };
		struct pz_memblock mb;
		bool ok;
		int rc;

		if (!CHECK(t, !pz_memblock_init(&mb, t->meta, 12)))
			return;
		ok = true;
		for (unsigned int k = 0; k < 4; k++) {
			ok = ok &&
			     !pz_memblock_add(&mb, e->memory[k].base, e->memory[k].size, 0, 0);
			ok = ok && !pz_memblock_reserve(&mb, e->reserved[k].base,
							e->reserved[k].size, PZ_NID_NONE, 0);
		}
		mb.bottom_up = e->bottom_up;
		req.min_addr = e->min;
		if (e->max)
			req.max_addr = e->max;
		rc = pz_memblock_alloc(&mb, &req, &r);
		ok = ok && rc == e->rc && mb.reserved.count == e->regions;
		if (!rc)
			ok = ok && r.first == e->at && r.last == e->at + e->size - 1;
		CHECK_NAMED(t, ok && !pz_memblock_check(&mb), e->what);
		pz_memblock_destroy(&mb);
	}
}

/* Four nodes of 1 MiB each, the second of them small. */
struct noded {
	const char *what;
	struct span reserved;
	int nid;
	uint64_t size, min, max;
	int rc, exact_rc; /* falling back, and not */
	uint64_t at, exact_at;
};

#define NODE(n) (BASE + (uint64_t)(n)*MIB)

static const struct noded peers_nodes[] = {
	{ "on the node that is asked",
	  { 0, 0 },
	  2,
	  4 * KIB,
	  0,
	  0,
	  0,
	  0,
	  NODE(3) - 4 * KIB,
	  NODE(3) - 4 * KIB },
	{ "a node that is too small",
	  { 0, 0 },
	  1,
	  64 * KIB,
	  0,
	  0,
	  0,
	  -PZ_ERANGE,
	  NODE(4) - 64 * KIB,
	  0 },
	{ "a node that is taken",
	  { NODE(2), MIB },
	  2,
	  4 * KIB,
	  0,
	  0,
	  0,
	  -PZ_ENOMEM,
	  NODE(4) - 4 * KIB,
	  0 },
	{ "a node that is taken in part",
	  { NODE(2) + 512 * KIB, 512 * KIB },
	  2,
	  4 * KIB,
	  0,
	  0,
	  0,
	  0,
	  NODE(2) + 508 * KIB,
	  NODE(2) + 508 * KIB },
	{ "a node whose rest is too small",
	  { NODE(2) + 4 * KIB, 1020 * KIB },
	  2,
	  8 * KIB,
	  0,
	  0,
	  0,
	  -PZ_ENOMEM,
	  NODE(4) - 8 * KIB,
	  0 },
	{ "a range over two nodes, the lower asked",
	  { 0, 0 },
	  2,
	  4 * KIB,
	  NODE(2) + 512 * KIB,
	  NODE(3) + 512 * KIB - 1,
	  0,
	  0,
	  NODE(3) - 4 * KIB,
	  NODE(3) - 4 * KIB },
	{ "a range over two nodes, the upper asked",
	  { 0, 0 },
	  3,
	  4 * KIB,
	  NODE(2) + 512 * KIB,
	  NODE(3) + 512 * KIB - 1,
	  0,
	  0,
	  NODE(3) + 508 * KIB,
	  NODE(3) + 508 * KIB },
	{ "a range that the node is not in",
	  { 0, 0 },
	  0,
	  4 * KIB,
	  NODE(2),
	  NODE(3) - 1,
	  0,
	  0,
	  NODE(3) - 4 * KIB,
	  NODE(1) - 4 * KIB },
	{ "all of a node and no more", { 0, 0 }, 3, MIB, 0, 0, 0, 0, NODE(3), NODE(3) },
	{ "more than any node has",
	  { 0, 0 },
	  3,
	  MIB + 4 * KIB,
	  0,
	  0,
	  -PZ_ERANGE,
	  -PZ_ERANGE,
	  0,
	  0 },
};

static void check_noded(struct tap *t)
{
	for (uint32_t i = 0; i < 2 * sizeof(peers_nodes) / sizeof(peers_nodes[0]); i++) {
		const struct noded *e = &peers_nodes[i / 2];
		struct pz_mb_req req = pz_mb_req(e->size, 64);
		struct pz_range r = { 0, 0 };
		struct pz_memblock mb;
		bool ok = true;
		int rc, want;

		if (!CHECK(t, !pz_memblock_init(&mb, t->meta, 12)))
			return;
		for (int n = 0; n < 4; n++)
			ok = ok && !pz_memblock_add(&mb, NODE(n), n == 1 ? 32 * KIB : MIB, n, 0);
		ok = ok &&
		     !pz_memblock_reserve(&mb, e->reserved.base, e->reserved.size, PZ_NID_NONE, 0);
		req.nid = e->nid;
		req.exact_nid = i & 1;
		req.min_addr = e->min;
		if (e->max)
			req.max_addr = e->max;
		rc = pz_memblock_alloc(&mb, &req, &r);
		want = i & 1 ? e->exact_rc : e->rc;
		ok = ok && rc == want;
		if (!rc)
			ok = ok && r.first == (i & 1 ? e->exact_at : e->at);
		CHECK_NAMED(t, ok && !pz_memblock_check(&mb), e->what);
		pz_memblock_destroy(&mb);
	}
}

/* Each way in which a change can meet one region [b, b + s). */
struct basic {
	const char *what;
	char op; /* add, reserve, remove, free: a r d f */
	struct span with;
	struct span left[2];
};

static const struct basic peers_basic[] = {
	{ "add over the lower end", 'a', { BASE - MIB, 2 * MIB }, { { BASE - MIB, 5 * MIB } } },
	{ "add over the upper end", 'a', { BASE + 3 * MIB, 2 * MIB }, { { BASE, 5 * MIB } } },
	{ "add within", 'a', { BASE + MIB, MIB }, { { BASE, 4 * MIB } } },
	{ "add the same", 'a', { BASE, 4 * MIB }, { { BASE, 4 * MIB } } },
	{ "add around", 'a', { BASE - MIB, 6 * MIB }, { { BASE - MIB, 6 * MIB } } },
	{ "add apart",
	  'a',
	  { BASE + 8 * MIB, MIB },
	  { { BASE, 4 * MIB }, { BASE + 8 * MIB, MIB } } },
	{ "add behind", 'a', { BASE + 4 * MIB, MIB }, { { BASE, 5 * MIB } } },
	{ "add at the top of the space",
	  'a',
	  { UINT64_MAX - MIB + 1, 2 * MIB },
	  { { BASE, 4 * MIB }, { UINT64_MAX - MIB + 1, MIB } } },
	{ "reserve over the lower end", 'r', { BASE - MIB, 2 * MIB }, { { BASE - MIB, 5 * MIB } } },
	{ "reserve within", 'r', { BASE + MIB, MIB }, { { BASE, 4 * MIB } } },
	{ "reserve apart",
	  'r',
	  { BASE - 2 * MIB, MIB },
	  { { BASE - 2 * MIB, MIB }, { BASE, 4 * MIB } } },
	{ "remove the lower end", 'd', { BASE - MIB, 2 * MIB }, { { BASE + MIB, 3 * MIB } } },
	{ "remove the upper end", 'd', { BASE + 3 * MIB, 9 * MIB }, { { BASE, 3 * MIB } } },
	{ "remove within",
	  'd',
	  { BASE + MIB, MIB },
	  { { BASE, MIB }, { BASE + 2 * MIB, 2 * MIB } } },
	{ "remove all", 'd', { BASE, 4 * MIB }, { { 0, 0 } } },
	{ "remove around", 'd', { 0, UINT64_MAX }, { { 0, 0 } } },
	{ "remove what is not there", 'd', { BASE + 4 * MIB, MIB }, { { BASE, 4 * MIB } } },
	{ "free the lower end", 'f', { BASE - MIB, 2 * MIB }, { { BASE + MIB, 3 * MIB } } },
	{ "free within", 'f', { BASE + MIB, MIB }, { { BASE, MIB }, { BASE + 2 * MIB, 2 * MIB } } },
	{ "free all", 'f', { BASE, 4 * MIB }, { { 0, 0 } } },
	{ "free what is not there", 'f', { BASE - MIB, MIB }, { { BASE, 4 * MIB } } },
};

static void check_basic(struct tap *t)
{
	for (uint32_t i = 0; i < sizeof(peers_basic) / sizeof(peers_basic[0]); i++) {
		const struct basic *b = &peers_basic[i];
		struct pz_memblock mb;
		const struct pz_mb_array *a;
		uint32_t left = 0;
		bool ok;

		if (!CHECK(t, !pz_memblock_init(&mb, t->meta, 12)))
			return;
		if (b->op == 'a' || b->op == 'd') {
			a = &mb.memory;
			ok = !pz_memblock_add(&mb, BASE, 4 * MIB, PZ_NID_NONE, 0);
			ok = ok &&
			     !(b->op == 'a' ? pz_memblock_add(&mb, b->with.base, b->with.size,
							      PZ_NID_NONE, 0)
					    : pz_memblock_remove(&mb, b->with.base, b->with.size));
		} else {
			a = &mb.reserved;
			ok = !pz_memblock_reserve(&mb, BASE, 4 * MIB, PZ_NID_NONE, 0);
			ok = ok &&
			     !(b->op == 'r' ? pz_memblock_reserve(&mb, b->with.base, b->with.size,
								  PZ_NID_NONE, 0)
					    : pz_memblock_free(&mb, b->with.base, b->with.size));
		}
		while (left < 2 && b->left[left].size)
			left++;
		ok = ok && a->count == left;
		for (uint32_t k = 0; ok && k < left; k++)
			ok = a->v[k].range.first == b->left[k].base &&
			     a->v[k].range.last == b->left[k].base + (b->left[k].size - 1);
		CHECK_NAMED(t, ok && !pz_memblock_check(&mb), b->what);
		pz_memblock_destroy(&mb);
	}
}

/* Every second page of many, so that the arrays grow again and again; then what fills the gaps. */
static void check_many(struct tap *t)
{
	struct pz_memblock mb;
	bool ok = true;

	if (!CHECK(t, !pz_memblock_init(&mb, t->meta, 12)))
		return;
	for (uint64_t i = 0; i < 600; i++)
		ok = ok && !pz_memblock_add(&mb, BASE + i * 32 * KIB, 16 * KIB, 0, 0) &&
		     mb.memory.count == i + 1;
	CHECK_NAMED(t, ok && !pz_memblock_check(&mb), "far more regions than there was room for");
	CHECK(t, !pz_memblock_add(&mb, BASE, 600 * 32 * KIB, 0, 0) && mb.memory.count == 1);
	for (uint64_t i = 600; i-- > 0;)
		ok = ok && !pz_memblock_reserve(&mb, BASE + i * 32 * KIB, 16 * KIB, 0, 0);
	CHECK_NAMED(t, ok && mb.reserved.count == 600, "also when they come from the top");
	CHECK(t, pz_memblock_bytes(&mb, PZ_MB_RESERVED) == 600 * 16 * KIB);
	pz_memblock_destroy(&mb);
}

/*
 * lib/test_free_pages.c: a block is freed while somebody holds its first page. The others are
 * free at once, the first one when it is let go; nothing leaks and nothing is freed twice.
 */
static void check_held_page(struct tap *t)
{
	struct page_machine m;
	bool ok = true;
	uint64_t pfn;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	for (unsigned int i = 0; i < 1000; i++) {
		ok = ok && !pz_alloc_pages(m.pages, 0, 0, 3, NULL, &pfn);
		ok = ok && !pz_free_part(m.pages, 0, pfn + 1, 7) && pm_free(&m) == 1023;
		ok = ok && pm_block(&m, pfn, pfn, 1) && pm_state(&m, pfn + 1, PZ_PAGE_FREE);
		pz_free_pages(m.pages, 0, pfn, 0);
		ok = ok && pm_free(&m) == 1024;
	}
	CHECK_NAMED(t, ok && !m.bugs.count, "a held page outlives its block, and no other does");
out:
	pm_close(&m);
}

/* Blocks of every order from the largest down: each takes half of what is left. */
static void check_buddies(struct tap *t)
{
	uint64_t pfn[10], one, last, n = 0;
	struct page_machine m;
	bool ok = true;

	if (!pm_simple(&m, t, 4 * MIB))
		goto out;
	for (unsigned int o = 10; o-- > 0;)
		ok = ok && !pz_alloc_pages(m.pages, 0, 0, o, NULL, &pfn[o]);
	CHECK_NAMED(t, ok && pm_free(&m) == 1, "one block of each order leaves one page");
	CHECK(t, pz_alloc_pages(m.pages, 0, 0, 1, NULL, &one) == -PZ_ENOMEM);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 0, NULL, &last));
	for (unsigned int o = 0; o < 10; o++) {
		pz_free_pages(m.pages, 0, pfn[o], o);
		ok = ok && !pz_alloc_pages(m.pages, 0, 0, o, NULL, &one) && one == pfn[o];
		pz_free_pages(m.pages, 0, pfn[o], o);
	}
	CHECK_NAMED(t, ok, "each order is there again as soon as its block is free");
	CHECK_NAMED(t, pz_alloc_pages(m.pages, 0, 0, 10, NULL, &one) == -PZ_ENOMEM,
		    "one page stands in the way of the largest");
	pz_free_pages(m.pages, 0, last, 0);
	CHECK(t, !pz_alloc_pages(m.pages, 0, 0, 10, NULL, &one));
	pz_free_pages(m.pages, 0, one, 10);

	ok = true;
	for (unsigned int o = 0; o < 10; o++)
		ok = ok && !pz_alloc_pages(m.pages, 0, 0, o, NULL, &pfn[o]);
	CHECK_NAMED(t, ok && pm_free(&m) == 1, "from the smallest up they fit as well");
	for (unsigned int o = 0; o < 10; o++)
		pz_free_pages(m.pages, 0, pfn[o], o);

	CHECK(t, pm_fill(&m, 0) == 1024);
	for (uint64_t p = 0; p < 1024; p += 2)
		pz_free_pages(m.pages, 0, p, 0);
	CHECK_NAMED(
		t, pm_free(&m) == 512 && pz_alloc_pages(m.pages, 0, 0, 1, NULL, &one) == -PZ_ENOMEM,
		"half is free, and no two pages in a row");
	while (!pz_alloc_pages(m.pages, 0, 0, 0, NULL, &one))
		n++;
	CHECK(t, n == 512 && pm_free_singles(&m, 0, 1023) == 1024 && pm_free(&m) == 1024);
	CHECK(t, m.bugs.count == 0);
out:
	pm_close(&m);
}

void contract_peers(struct tap *t)
{
	check_basic(t);
	check_early(t);
	check_noded(t);
	check_many(t);
	check_held_page(t);
	check_buddies(t);
}
