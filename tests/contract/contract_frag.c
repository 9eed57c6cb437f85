/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_frag.c - pieces of pages, by known examples: where they lie, what is reused, what comes
 * back, what is misuse, and what happens when there is no memory.
 */
#include <physzone/fault.h>
#include <physzone/frag.h>

#include "suites_decl.h"

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define NONE UINT64_MAX
#define LOW_PAGES 64u /* below 4 GiB */

/* A machine with 256 KiB below 4 GiB and some above, of 4 KiB pages. */
struct frag_machine {
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_bugs bugs;
	struct pz_fault_point points[8];
	struct pz_faults faults; /* those of the page allocator, and one of the caches' metadata */
	struct pz_fault_meta meta;
	struct pz_pages *pages;
	struct pz_frag_config cfg;
	uint64_t total; /* free pages when nothing is taken */
	uint64_t zeroed_at, zeroed_bytes;
	bool ok;
};

static void frag_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static void frag_zero(void *ctx, uint64_t addr, uint64_t bytes)
{
	struct frag_machine *m = ctx;

	m->zeroed_at = addr;
	m->zeroed_bytes = bytes;
}

static bool frag_start_shift(struct tap *t, struct frag_machine *m, uint32_t shift,
			     uint64_t high_pages)
{
	struct pz_zone_config zc;
	struct pz_page_config pc;
	uint32_t id = 0;

	frag_clear(m, sizeof(*m));
	frag_clear(&zc, sizeof(zc));
	frag_clear(&pc, sizeof(pc));
	zc.configured = 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL;
	zc.page_shift = shift;
	zc.max_order_pages = 1024;
	zc.max_pfn[PZ_ZONE_DMA32] = 4 * GIB >> shift;
	zc.max_pfn[PZ_ZONE_NORMAL] = 16 * GIB >> shift;
	m->bugs.policy = PZ_BUG_REPORT;
	if (pz_memblock_init(&m->mb, t->meta, shift) ||
	    pz_memblock_add(&m->mb, 16 * MIB, (uint64_t)LOW_PAGES << shift, 0, 0) ||
	    pz_memblock_add(&m->mb, 8 * GIB, high_pages << shift, 0, 0))
		return CHECK_NAMED(t, false, "memory of the test machine");
	if (pz_zones_build(&m->zones, t->meta, &m->mb, &zc) ||
	    pz_zones_set_managed(&m->zones, &m->mb, UINT64_MAX))
		return CHECK_NAMED(t, false, "zones of the test machine");
	pc.meta = t->meta;
	pc.zones = &m->zones;
	pc.memblock = &m->mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = 4;
	pc.keep_pages = UINT64_MAX;
	pc.bugs = &m->bugs;
	pz_faults_init(&m->faults, m->points, 8);
	if (pz_fault_add(&m->faults, "meta", &id))
		return CHECK_NAMED(t, false, "fault point of the test machine");
	pz_fault_meta_init(&m->meta, t->meta, &m->faults, id);
	pc.faults = &m->faults;
	if (pz_pages_create(&m->pages, &pc))
		return CHECK_NAMED(t, false, "page allocator of the test machine");
	m->total = pz_page_free_count(m->pages, UINT32_MAX);
	m->cfg.pages = m->pages;
	m->cfg.limits = PZ_LIMITS_ANY;
	m->cfg.gfp = PZ_GFP_HIGH | PZ_GFP_NOKEEP;
	m->cfg.meta = t->meta;
	m->ok = true;
	return true;
}

static bool frag_start(struct tap *t, struct frag_machine *m, uint64_t high_pages)
{
	return frag_start_shift(t, m, 12, high_pages);
}

static void frag_stop(struct tap *t, struct frag_machine *m)
{
	if (!m->ok)
		return;
	pz_pages_destroy(m->pages);
	pz_zones_destroy(&m->zones);
	pz_memblock_destroy(&m->mb);
}

static uint64_t frag_used(const struct frag_machine *m)
{
	return m->total - pz_page_free_count(m->pages, UINT32_MAX);
}

static uint64_t frag_take(struct pz_frag *f, uint32_t cpu, uint32_t size, uint32_t align)
{
	uint64_t at = NONE;

	return pz_frag_alloc(f, cpu, size, align, &at) ? NONE : at;
}

static void frag_as_linux(struct tap *t)
{
	struct frag_machine m;
	struct pz_frag_stat s;
	struct pz_frag *f = NULL;
	uint64_t a, b, c, base;

	if (!frag_start(t, &m, 64))
		return;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0 && frag_used(&m) == 0);
	a = frag_take(f, 0, 100, 1);
	base = a + 100 - 32768;
	CHECK_NAMED(t, a != NONE && base % 32768 == 0, "the first piece ends where its block does");
	b = frag_take(f, 0, 64, 64);
	CHECK(t, b == base + 32768 - 192);
	c = frag_take(f, 0, 1, 1);
	CHECK(t, c == b - 1);
	pz_frag_stat(f, &s);
	CHECK(t, s.blocks == 1 && s.block_bytes == 32768 && s.pieces == 3 && s.piece_bytes == 165);
	CHECK(t, s.allocs == 3 && s.frees == 0 && s.reused == 0 && frag_used(&m) == 8);
	CHECK(t, pz_frag_check(f) == 0);

	pz_frag_free(f, 3, b, 64);
	CHECK_NAMED(t, frag_take(f, 0, 64, 64) == base + 32768 - 320, "a freed piece stays unused");
	pz_frag_free(f, PZ_CPU_NONE, base + 32768 - 320, 64);
	pz_frag_free(f, 0, a, 100);
	pz_frag_free(f, 0, c, 1);
	CHECK_NAMED(t, frag_take(f, 0, 8, 8) == base + 32768 - 328,
		    "an empty block goes on downwards");
	pz_frag_free(f, 0, base + 32768 - 328, 8);
	CHECK_NAMED(t, frag_take(f, 0, 32768, 1) == base,
		    "and begins anew when a piece does not fit");
	pz_frag_stat(f, &s);
	CHECK(t, s.blocks == 1 && s.allocs == 6 && s.frees == 5 && s.reused == 0);

	/* The block is full: another. The full one goes back with its piece. */
	a = frag_take(f, 0, 512, 512);
	CHECK(t, a != NONE && (a & ~(uint64_t)32767) != base && frag_used(&m) == 16);
	pz_frag_free(f, 1, base, 32768);
	CHECK(t, frag_used(&m) == 8 && pz_frag_check(f) == 0);
	/* Each CPU has a block of its own; a caller without one has another. */
	b = frag_take(f, 1, 512, 512);
	c = frag_take(f, PZ_CPU_NONE, 512, 512);
	CHECK(t, frag_used(&m) == 24 && pz_frag_check(f) == 0);
	pz_frag_free(f, 2, a, 512);
	pz_frag_free(f, 2, b, 512);
	pz_frag_free(f, 2, c, 512);
	CHECK_NAMED(t, frag_used(&m) == 24, "blocks that are being cut stay");
	CHECK(t, pz_frag_drain(f, 0) == 24 && frag_used(&m) == 0 && pz_frag_check(f) == 0);
	CHECK(t, pz_frag_drain(f, 0) == 0);
	a = frag_take(f, 2, 5000, 4096);
	CHECK(t, a % 4096 == 0 && pz_frag_drain(f, PZ_CPU_NONE) == 0 && frag_used(&m) == 8);
	pz_frag_free(f, 0, a, 5000);
	CHECK_NAMED(t, frag_used(&m) == 0, "a drained block goes back with its last piece");
	CHECK(t, pz_frag_destroy(f) == 0 && m.bugs.count == 0);
	CHECK(t, pz_frag_destroy(NULL) == 0);
	frag_stop(t, &m);
}

/* Two blocks' worth of 1 KiB pieces, all freed but one, again and again. */
static uint64_t frag_neighbours(struct tap *t, uint32_t flags, uint64_t *reused)
{
	struct frag_machine m;
	struct pz_frag_stat s;
	struct pz_frag *f = NULL;
	uint64_t kept[8], piece[32], used;

	if (!frag_start(t, &m, 512))
		return 0;
	m.cfg.flags = flags;
	m.cfg.block_bytes = 16384;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	for (unsigned int round = 0; round < 8; round++) {
		for (unsigned int i = 0; i < 32; i++)
			piece[i] = frag_take(f, 0, 1024, 1024);
		for (unsigned int i = 0; i < 32; i++)
			if (i != 5)
				pz_frag_free(f, 1, piece[i], 1024);
		kept[round] = piece[5];
	}
	CHECK(t, pz_frag_check(f) == 0);
	pz_frag_drain(f, 0);
	used = frag_used(&m);
	pz_frag_stat(f, &s);
	CHECK(t, s.pieces == 8 && s.piece_bytes == 8192 && s.block_bytes == used * 4096);
	*reused = s.reused;
	for (unsigned int round = 0; round < 8; round++)
		pz_frag_free(f, 2, kept[round], 1024);
	CHECK(t, frag_used(&m) == 0 && pz_frag_check(f) == 0);
	CHECK(t, pz_frag_destroy(f) == 0 && m.bugs.count == 0);
	frag_stop(t, &m);
	return used;
}

static void frag_pinning(struct tap *t)
{
	uint64_t reused = NONE;

	CHECK_NAMED(t, frag_neighbours(t, 0, &reused) == 32,
		    "as Linux does it, each long-lived piece pins its block");
	CHECK(t, reused == 0);
	CHECK_NAMED(t, frag_neighbours(t, PZ_FRAG_REUSE, &reused) <= 12,
		    "reused, they lie in the blocks that the others need at once");
	CHECK(t, reused > 0);
}

static void frag_arguments(struct tap *t)
{
	struct frag_machine m;
	struct pz_frag_config c;
	struct pz_frag *f = NULL;
	uint64_t at = 7;

	if (!frag_start(t, &m, 64))
		return;
#define BAD(field, value)  \
	c = m.cfg;         \
	c.field = (value); \
	CHECK_NAMED(t, pz_frag_create(&f, &c) == -PZ_EINVAL && !f, #field " = " #value)
	BAD(pages, NULL);
	BAD(meta, NULL);
	BAD(limits.align, 0);
	BAD(gfp, PZ_GFP_MOVABLE);
	BAD(gfp, PZ_GFP_ZERO);
	BAD(gfp, PZ_GFP_OWNER(1));
	BAD(flags, 4);
	BAD(block_bytes, 2048);
	BAD(block_bytes, 12288);
	BAD(block_bytes, 128 * 4096);
	BAD(granule, 32);
	BAD(granule, 96);
	BAD(granule, 8192);
	BAD(blocks, UINT32_MAX);
#undef BAD
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	CHECK(t, pz_frag_alloc(f, 0, 0, 1, &at) == -PZ_EINVAL && at == 7);
	CHECK(t, pz_frag_alloc(f, 0, 32769, 1, &at) == -PZ_EINVAL);
	CHECK(t, pz_frag_alloc(f, 0, 8, 0, &at) == -PZ_EINVAL);
	CHECK(t, pz_frag_alloc(f, 0, 8, 24, &at) == -PZ_EINVAL);
	CHECK(t, pz_frag_alloc(f, 0, 8, 65536, &at) == -PZ_EINVAL);
	CHECK(t, pz_frag_alloc_gfp(f, 0, PZ_GFP_MOVABLE, 8, 8, &at) == -PZ_EINVAL);
	CHECK(t, pz_frag_alloc_gfp(f, 0, PZ_GFP_ZERO, 8, 8, &at) == -PZ_EINVAL && at == 7);
	CHECK(t, at == 7 && frag_used(&m) == 0);
	CHECK(t, pz_frag_alloc(f, 0, 8, 32768, &at) == 0 && at % 32768 == 0);
	pz_frag_free(f, 0, at, 8);
	CHECK(t, pz_frag_destroy(f) == 0);
	frag_stop(t, &m);
}

/* What is told, and that nothing changes by it. */
static void frag_misuse(struct tap *t, uint32_t flags)
{
	struct frag_machine m;
	struct pz_frag_stat s;
	struct pz_frag *f = NULL;
	uint64_t a, b;

	if (!frag_start(t, &m, 64))
		return;
	m.cfg.flags = flags;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	a = frag_take(f, 0, 256, 64);
	b = frag_take(f, 0, 640, 64);
#define WRONG(addr, size)               \
	m.bugs.count = 0;               \
	pz_frag_free(f, 1, addr, size); \
	CHECK_NAMED(t, m.bugs.count == 1 && pz_frag_check(f) == 0, "free " #size " at " #addr)
	WRONG(0, 64);
	WRONG(UINT64_MAX, 64);
	WRONG(8 * GIB, 64);
	WRONG(b - 64, 64);
	WRONG(b, 0);
	WRONG(b, 4096);
	WRONG(a, 896);
	WRONG(b, 896);
	if (flags & PZ_FRAG_REUSE) {
		WRONG(b + 64, 576);
		WRONG(b, 576);
		WRONG(b, 704);
		WRONG(b + 1, 640);
	}
	pz_frag_stat(f, &s);
	CHECK(t, s.pieces == 2 && s.piece_bytes == 896 && s.frees == 0);
	m.bugs.count = 0;
	pz_frag_free(f, 0, a, 256);
	CHECK(t, m.bugs.count == 0);
	if (flags & PZ_FRAG_REUSE) {
		WRONG(a, 256);
	} else {
		WRONG(b, 641);
		WRONG(b, 639);
	}
	m.bugs.count = 0;
	CHECK(t, pz_frag_drain(f, 0) == 0);
	pz_frag_free(f, 0, b, 640);
	CHECK(t, m.bugs.count == 0 && frag_used(&m) == 0);
	WRONG(b, 640);
	WRONG(a, 256);
#undef WRONG
	CHECK(t, pz_frag_destroy(f) == 0);

	/* What is still out at the end leaks. */
	m.bugs.count = 0;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	a = frag_take(f, 0, 8, 8);
	b = frag_take(f, 1, 8, 8);
	CHECK(t, frag_take(f, 2, 8, 8) != NONE && frag_used(&m) == 24);
	pz_frag_free(f, 0, b, 8);
	CHECK_NAMED(t, pz_frag_destroy(f) == 2 && m.bugs.count == 1, "a leak is told");
	CHECK_NAMED(t, frag_used(&m) == 16, "blocks with pieces out stay allocated");
	frag_stop(t, &m);
}

static void frag_small_memory(struct tap *t)
{
	struct frag_machine m;
	struct pz_frag *f = NULL;
	struct pz_frag_stat s;
	uint64_t page[64], a, b, at = 7;
	unsigned int n = 0;

	if (!frag_start(t, &m, 64))
		return;
	/* Below 4 GiB only every other page is free. */
	m.cfg.limits = PZ_LIMITS_BITS(32);
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	while (n < LOW_PAGES) {
		struct pz_page_req req;

		pz_page_req_init(m.pages, &req, 0, m.cfg.gfp, 0);
		req.limits.max_addr = m.cfg.limits.max_addr;
		if (pz_page_request(m.pages, &req, &page[n]))
			break;
		n++;
	}
	CHECK(t, n == LOW_PAGES);
	CHECK(t, pz_frag_alloc(f, 0, 8, 8, &at) == -PZ_ENOMEM && at == 7);
	for (unsigned int i = 0; i < n; i++)
		if (page[i] & 1)
			pz_free_exact(m.pages, 0, page[i], 1);
	a = frag_take(f, 0, 3000, 8);
	CHECK_NAMED(t, a != NONE && (a >> 12 & 1) && frag_used(&m) == n / 2 + 1,
		    "a page will do where there is no block");
	CHECK(t, pz_frag_alloc(f, 0, 5000, 8, &at) == -PZ_ENOMEM && at == 7);
	CHECK(t, pz_frag_alloc(f, 0, 16, 8192, &at) == -PZ_ENOMEM && at == 7);
	CHECK_NAMED(t, frag_take(f, 0, 8, 8) == a - 8, "a refused request leaves the block in use");
	for (unsigned int i = 0; i < n; i++)
		if (!(page[i] & 1) && page[i] >> 4 != a >> 16)
			pz_free_exact(m.pages, 0, page[i], 1);
	b = frag_take(f, 0, 5000, 8);
	CHECK_NAMED(t, b != NONE && b <= UINT32_MAX, "and is served when asked again");
	CHECK(t, pz_frag_check(f) == 0);
	pz_frag_stat(f, &s);
	CHECK(t, s.pieces == 3 && s.blocks == 2 && s.block_bytes == 36864);
	pz_frag_free(f, 0, a, 3000);
	pz_frag_free(f, 0, a - 8, 8);
	pz_frag_free(f, 0, b, 5000);
	CHECK(t, pz_frag_destroy(f) == 0 && m.bugs.count == 0);

	/* Never: no memory there. */
	m.cfg.limits = PZ_LIMITS_BITS(20);
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	CHECK(t, pz_frag_alloc(f, 0, 8, 8, &at) == -PZ_ERANGE && at == 7);
	CHECK(t, pz_frag_destroy(f) == 0);
	/* A boundary that no full block keeps. */
	m.cfg.limits = PZ_LIMITS_ANY;
	m.cfg.limits.boundary = 4096;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	a = frag_take(f, 0, 64, 64);
	CHECK(t, a != NONE && a % 4096 == 4096 - 64);
	CHECK(t, pz_frag_alloc(f, 0, 8192, 8, &at) == -PZ_ERANGE);
	pz_frag_free(f, 0, a, 64);
	CHECK(t, pz_frag_destroy(f) == 0);
	frag_stop(t, &m);
}

/* 1 KiB tables below 4 GiB from a context that may not block, and larger ones. */
static void frag_tables(struct tap *t)
{
	struct frag_machine m;
	struct pz_frag *f = NULL;
	uint64_t table[8], at = 7, used;
	bool fine = true;

	if (!frag_start(t, &m, 256))
		return;
	m.cfg.limits = PZ_LIMITS_BITS(32);
	m.cfg.flags = PZ_FRAG_REUSE;
	m.cfg.block_bytes = 4096;
	m.cfg.granule = 1024;
	m.cfg.zero = frag_zero;
	m.cfg.zero_ctx = &m;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	for (unsigned int i = 0; i < 8; i++) {
		table[i] = NONE;
		fine = fine && pz_page_alloc_table(f, 0, 1024, &table[i]) == 0 &&
		       table[i] % 1024 == 0 && table[i] < 4 * GIB && m.zeroed_at == table[i] &&
		       m.zeroed_bytes == 1024;
	}
	CHECK_NAMED(t, fine, "1 KiB tables lie aligned below 4 GiB, and are zeroed");
	CHECK_NAMED(t, frag_used(&m) == 2, "eight tables take two pages");
	pz_page_free_table(f, 0, table[2], 1024);
	CHECK(t, pz_page_alloc_table(f, 0, 1024, &at) == 0 && at == table[2]);
	CHECK(t, pz_frag_check(f) == 0);
	for (unsigned int i = 0; i < 8; i++)
		pz_page_free_table(f, 0, table[i], 1024);
	pz_frag_drain(f, 0);
	CHECK(t, frag_used(&m) == 0);

	CHECK(t, pz_page_alloc_table(f, 0, 16384, &at) == 0 && at % 16384 == 0 && at < 4 * GIB);
	CHECK(t, m.zeroed_at == at && m.zeroed_bytes == 16384 && frag_used(&m) == 4);
	used = at;
	CHECK(t, pz_page_alloc_table(f, 0, 4096, &at) == 0 && frag_used(&m) == 5);
	pz_page_free_table(f, 0, used, 16384);
	pz_page_free_table(f, 0, at, 4096);
	CHECK(t, frag_used(&m) == 0 && m.bugs.count == 0);
	at = 7;
	CHECK(t, pz_page_alloc_table(f, 0, 0, &at) == -PZ_EINVAL);
	CHECK(t, pz_page_alloc_table(f, 0, 1536, &at) == -PZ_EINVAL);
	CHECK(t, pz_page_alloc_table(f, 0, GIB, &at) == -PZ_ERANGE && at == 7);
	pz_page_free_table(f, 0, 16 * MIB, 3);
	pz_page_free_table(f, 0, 16 * MIB + 512, 1024);
	pz_page_free_table(f, 0, 16 * MIB, 1024);
	pz_page_free_table(f, 0, 16 * MIB, 4096);
	CHECK(t, m.bugs.count == 4);
	CHECK(t, pz_frag_destroy(f) == 0);
	frag_stop(t, &m);
}

/* Pages of 64 KiB: tables of 4 KiB are pieces, and blocks may be of 4 MiB. */
static void frag_large_pages(struct tap *t)
{
	struct frag_machine m;
	struct pz_frag_stat s;
	struct pz_frag *f = NULL;
	uint64_t a = NONE, b = NONE, base = NONE;
	uint32_t n = 0;

	if (!frag_start_shift(t, &m, 16, 128))
		return;
	m.cfg.flags = PZ_FRAG_REUSE;
	m.cfg.granule = 4096;
	CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
	CHECK(t, pz_page_alloc_table(f, 0, 4096, &a) == 0 && a % 65536 == 61440);
	CHECK(t, pz_page_alloc_table(f, 0, 4096, &b) == 0 && b == a - 4096 && frag_used(&m) == 1);
	pz_page_free_table(f, 0, a, 4096);
	pz_page_free_table(f, 0, b, 4096);
	CHECK(t, pz_page_alloc_table(f, 0, 65536, &a) == 0 && frag_used(&m) == 2);
	pz_page_free_table(f, 0, a, 65536);
	CHECK(t, pz_frag_destroy(f) == 0 && frag_used(&m) == 0);

	m.cfg.block_bytes = 4 * MIB;
	m.cfg.granule = 0;
	for (unsigned int reuse = 0; reuse < 2; reuse++) {
		m.cfg.flags = reuse ? PZ_FRAG_REUSE : 0;
		CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
		base = frag_take(f, 0, 4 * MIB, 4 * MIB);
		CHECK(t, base % (4 * MIB) == 0 && frag_used(&m) == 64 && pz_frag_check(f) == 0);
		pz_frag_stat(f, &s);
		CHECK(t, s.pieces == 1 && s.piece_bytes == 4 * MIB);
		pz_frag_free(f, 0, base, 4 * MIB);
		for (n = 4096; n-- > 0;)
			if (frag_take(f, 0, 1024, 1) != base + n * KIB)
				break;
		CHECK_NAMED(t, n == UINT32_MAX, "4096 pieces fill a block of 64 pages");
		pz_frag_stat(f, &s);
		CHECK(t, s.pieces == 4096 && s.blocks == 1 && pz_frag_check(f) == 0);
		for (n = 0; n < 4096; n++)
			pz_frag_free(f, 0, base + n * KIB, 1024);
		CHECK(t, pz_frag_destroy(f) == 0 && frag_used(&m) == 0 && m.bugs.count == 0);
	}
	frag_stop(t, &m);
}

/* Metadata that fails at each of its calls, and a cache that must do with what it has. */
static void frag_metadata(struct tap *t)
{
	struct frag_machine m;
	struct pz_frag *f = NULL;
	uint64_t piece[33], at = 7;
	uint32_t id = 0, n;

	if (!frag_start(t, &m, 1024))
		return;
	CHECK(t, pz_fault_find(&m.faults, "meta", &id) == 0);
	m.cfg.meta = &m.meta.meta;
	m.cfg.block_bytes = 4096;
	m.cfg.blocks = 64;
	for (n = 1;; n++) {
		pz_fault_arm(&m.faults, id, n, 1);
		if (pz_frag_create(&f, &m.cfg) == 0)
			break;
		if (!CHECK(t, !f && m.meta.bytes == 0 && m.meta.blocks == 0))
			break;
	}
	pz_fault_arm(&m.faults, id, 0, 0);
	CHECK_NAMED(t, n == 4, "a head and two chunks hold the metadata of 64 blocks");
	CHECK(t, pz_frag_destroy(f) == 0 && m.meta.bytes == 0);

	m.cfg.flags = PZ_FRAG_NOGROW;
	m.cfg.blocks = 32;
	for (unsigned int grow = 0; grow < 2; grow++) {
		uint64_t calls;

		CHECK(t, pz_frag_create(&f, &m.cfg) == 0);
		for (n = 0; n < 32; n++)
			piece[n] = frag_take(f, 0, 4096, 1);
		CHECK(t, piece[31] != NONE && frag_used(&m) == 32 && pz_frag_check(f) == 0);
		calls = m.points[id].hits;
		if (grow)
			pz_fault_arm(&m.faults, id, 1, 1);
		CHECK(t, pz_frag_alloc(f, 0, 4096, 1, &at) == -PZ_ENOMEM && at == 7);
		CHECK(t, frag_used(&m) == 32 && pz_frag_check(f) == 0);
		CHECK(t, m.points[id].hits == calls + grow);
		if (grow)
			piece[n++] = frag_take(f, 0, 4096, 1);
		CHECK(t, frag_used(&m) == n && pz_frag_check(f) == 0);
		while (n-- > 0)
			pz_frag_free(f, 0, piece[n], 4096);
		CHECK(t, pz_frag_destroy(f) == 0 && frag_used(&m) == 0 && m.meta.bytes == 0);
		m.cfg.flags = 0;
	}
	CHECK(t, m.bugs.count == 0);
	frag_stop(t, &m);
}

/* Whether two states of a cache and its machine are the same. */
static bool frag_same(const struct pz_frag_stat *a, const struct pz_frag_stat *b)
{
	return a->blocks == b->blocks && a->block_bytes == b->block_bytes &&
	       a->pieces == b->pieces && a->piece_bytes == b->piece_bytes &&
	       a->allocs == b->allocs && a->frees == b->frees && a->reused == b->reused;
}

/* Take pieces and tables, free every third; false when a refusal changed something. */
static bool frag_fault_round(struct frag_machine *m, struct pz_frag *f, uint32_t *refused)
{
	static const uint32_t sizes[] = { 100, 8192, 1024, 3000, 4096, 64 };
	struct pz_frag_stat before, after;
	uint64_t piece[60], used;
	bool fine = true;

	*refused = 0;
	for (unsigned int i = 0; i < 60; i++) {
		uint32_t size = sizes[i % 6];
		int ret;

		pz_frag_stat(f, &before);
		used = frag_used(m);
		piece[i] = NONE;
		if (size == 4096)
			ret = pz_page_alloc_table(f, 0, size, &piece[i]);
		else
			ret = pz_frag_alloc(f, i % 3, size, 64, &piece[i]);
		pz_frag_stat(f, &after);
		if (ret) {
			++*refused;
			fine = fine && piece[i] == NONE && frag_used(m) == used &&
			       frag_same(&before, &after);
		}
		fine = fine && pz_frag_check(f) == 0;
		if (i % 3 == 2 && piece[i - 1] != NONE) {
			if (sizes[(i - 1) % 6] == 4096)
				pz_page_free_table(f, 0, piece[i - 1], 4096);
			else
				pz_frag_free(f, 0, piece[i - 1], sizes[(i - 1) % 6]);
			piece[i - 1] = NONE;
		}
	}
	for (unsigned int i = 0; i < 60; i++) {
		if (piece[i] == NONE)
			continue;
		if (sizes[i % 6] == 4096)
			pz_page_free_table(f, 0, piece[i], 4096);
		else
			pz_frag_free(f, 0, piece[i], sizes[i % 6]);
	}
	return fine;
}

/* Each failure of pages or metadata, once and from then on. */
static void frag_faults(struct tap *t, uint32_t flags, uint64_t times)
{
	struct frag_machine m;
	bool fine = true;
	uint32_t refused, refusals = 0;
	uint64_t n;

	if (!frag_start(t, &m, 512))
		return;
	m.cfg.meta = &m.meta.meta;
	m.cfg.block_bytes = 8192;
	m.cfg.flags = flags;
	for (n = 1;; n++) {
		struct pz_frag *f = NULL;
		uint64_t failed = 0;

		if (pz_frag_create(&f, &m.cfg))
			break;
		for (uint32_t i = 0; i < m.faults.count; i++)
			failed -= m.points[i].failed;
		pz_fault_arm(&m.faults, PZ_FAULT_ANY, n, times);
		fine = fine && frag_fault_round(&m, f, &refused);
		pz_fault_arm(&m.faults, PZ_FAULT_ANY, 0, 0);
		for (uint32_t i = 0; i < m.faults.count; i++)
			failed += m.points[i].failed;
		refusals += refused;
		fine = fine && pz_frag_destroy(f) == 0 && frag_used(&m) == 0 && m.meta.bytes == 0 &&
		       m.bugs.count == 0;
		if (!failed || !fine)
			break;
	}
	CHECK_NAMED(t, fine, "a failure of pages or metadata changes nothing");
	/* A single one is made good by a smaller block. */
	CHECK_NAMED(t, n > 10 && (refusals > 0) == (times > 1), "and there were some");
	frag_stop(t, &m);
}

void contract_frag(struct tap *t)
{
	frag_as_linux(t);
	frag_pinning(t);
	frag_arguments(t);
	frag_misuse(t, 0);
	frag_misuse(t, PZ_FRAG_REUSE);
	frag_small_memory(t);
	frag_tables(t);
	frag_large_pages(t);
	frag_metadata(t);
	frag_faults(t, 0, 1);
	frag_faults(t, 0, UINT64_MAX);
	frag_faults(t, PZ_FRAG_REUSE, 1);
	frag_faults(t, PZ_FRAG_REUSE, UINT64_MAX);
}
