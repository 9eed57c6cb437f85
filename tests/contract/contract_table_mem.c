/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_table_mem.c - providers of tables: where tables lie, failures, what is kept and goes
 * when asked, misuse; and what tables and their walkers make of them: what is out of reach, bus
 * addresses that differ, and caches that must be maintained.
 */
#include "suites_decl.h"
#include "table_machine.h"

#define MEM_MANY 40u
#define MEM_MTK (PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT)
#define MEM_RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)

/* Limits that configurations have: the format's, the extension's, none, a place. */
static struct pz_limits mem_limits(unsigned int kind)
{
	struct pz_limits l = PZ_LIMITS_ANY;

	if (kind == 0)
		pz_v7s_table_limits(0, 32, &l);
	if (kind == 1)
		pz_v7s_table_limits(MEM_MTK | PZ_V7S_MTK_TTBR_EXT, 34, &l);
	if (kind == 3) {
		l.min_addr = 4 * PM_GIB - 512 * PM_KIB;
		l.max_addr = 4 * PM_GIB - 1;
	}
	return l;
}

#define MEM_LIMITS 4u

/* --- tables --- */

struct mem_set {
	struct pz_table v[MEM_MANY];
	uint32_t bytes[MEM_MANY];
	uint32_t n;
};

static void mem_mark(const struct pz_table *t, uint32_t bytes, unsigned char v)
{
	for (uint32_t i = 0; i < bytes; i++)
		((unsigned char *)t->cpu_addr)[i] = (unsigned char)(v + i);
}

static bool mem_marked(const struct pz_table *t, uint32_t bytes, unsigned char v)
{
	for (uint32_t i = 0; i < bytes; i++)
		if (((const unsigned char *)t->cpu_addr)[i] != (unsigned char)(v + i))
			return false;
	return true;
}

/* Small tables, but for one of 16 KiB and one of 64 KiB. */
static uint32_t mem_bytes(uint32_t i)
{
	return i == 7 ? 16384 : i == 13 ? 65536 : 1024;
}

static int mem_take(struct table_machine *m, struct mem_set *s, uint32_t gfp)
{
	const struct pz_table_mem *mem = pz_table_source_mem(m->source);
	int rc = 0;

	for (s->n = 0; s->n < MEM_MANY && !rc; s->n += !rc) {
		s->bytes[s->n] = mem_bytes(s->n);
		rc = mem->alloc(mem->ctx, s->n % 2, gfp, s->bytes[s->n], &s->v[s->n]);
		if (!rc)
			mem_mark(&s->v[s->n], s->bytes[s->n], (unsigned char)(7 * s->n));
	}
	return rc;
}

static bool mem_give(struct table_machine *m, struct mem_set *s, uint32_t left)
{
	const struct pz_table_mem *mem = pz_table_source_mem(m->source);
	bool ok = true;

	/* Every other one first. */
	for (uint32_t k = 0; k < 2; k++) {
		for (uint32_t i = left + k; i < s->n; i += 2) {
			ok = ok && mem_marked(&s->v[i], s->bytes[i], (unsigned char)(7 * i));
			mem->free(mem->ctx, i % 2, s->bytes[i], &s->v[i]);
		}
	}
	s->n = left;
	return ok;
}

/* Each lies within the limits, aligned to its size, where both addresses say. */
static bool mem_placed(const struct table_machine *m, const struct mem_set *s,
		       const struct pz_limits *l)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct pz_range r = { s->v[i].addr, s->v[i].addr + s->bytes[i] - 1 };

		if (s->v[i].addr & (s->bytes[i] - 1) || !pz_limits_check(l, r) ||
		    s->v[i].cpu_addr != m->cpu + (s->v[i].addr - TM_FIRST))
			return false;
	}
	return true;
}

static void mem_one(struct table_machine *m, enum tm_provider p, unsigned int kind, uint32_t gfp)
{
	struct tap *t = m->pm.t;
	struct pz_table_source_config cfg;
	struct pz_table_stat stat;
	uint64_t hits, held;
	struct mem_set s;

	tm_config(m, &cfg);
	cfg.limits = mem_limits(kind);
	if (!CHECK_NAMED(t, tm_source(m, p, &cfg, NULL) == 0, tm_name(p)))
		return;
	hits = m->points[0].hits;
	CHECK(t, mem_take(m, &s, gfp) == 0);
	CHECK_NAMED(t, mem_placed(m, &s, &cfg.limits), "tables lie within the limits");
	pz_table_source_stat(m->source, &stat);
	CHECK(t, stat.small == MEM_MANY - 2 && stat.large == 2);
	CHECK(t, stat.held >= (MEM_MANY - 2) * 1024 + 81920);
	CHECK(t, stat.held <= tm_taken(m));
	CHECK(t, pz_table_source_check(m->source) == 0);
	CHECK_NAMED(t, pz_table_source_destroy(m->source) == -PZ_EBUSY, "tables are out");
	CHECK_NAMED(t, mem_give(m, &s, 0), "nobody wrote to them");
	pz_table_source_stat(m->source, &stat);
	CHECK(t, stat.small == 0 && stat.large == 0);
	held = stat.held;
	CHECK_NAMED(t, !held == (p == TM_PAGES || p == TM_POOL), "who keeps memory says so");
	held -= pz_table_source_trim(m->source, 1) + pz_table_source_trim(m->source, 0);
	pz_table_source_stat(m->source, &stat);
	CHECK_NAMED(t, stat.held == 0 && held == 0, "all goes when asked for");
	CHECK_NAMED(t, m->points[0].hits == hits, "metadata was allocated beforehand");
	CHECK_NAMED(t, tm_source_gone(m), "it goes without a trace");
}

static void mem_all(struct table_machine *m)
{
	for (unsigned int p = 0; p < TM_PROVIDERS; p++)
		for (unsigned int kind = 0; kind < MEM_LIMITS; kind++)
			mem_one(m, (enum tm_provider)p, kind,
				kind % 2 == p % 2 ? PZ_GFP_HIGH : PZ_GFP_BLOCK);
}

/* --- failures --- */

/* No memory: nothing is held, and it goes on when there is some. */
static void mem_starved(struct table_machine *m, enum tm_provider p, uint32_t gfp)
{
	struct tap *t = m->pm.t;
	const struct pz_table_mem *mem;
	struct pz_table_source_config cfg;
	struct pz_table_stat before, after;
	struct pz_table table;
	struct mem_set s;

	tm_config(m, &cfg);
	if (!CHECK_NAMED(t, tm_source(m, p, &cfg, NULL) == 0, tm_name(p)))
		return;
	mem = pz_table_source_mem(m->source);
	tm_drain(m);
	m->reclaims = 0;
	pz_table_source_stat(m->source, &before);
	CHECK(t, mem->alloc(mem->ctx, 0, gfp, 1024, &table) == -PZ_ENOMEM);
	CHECK(t, mem->alloc(mem->ctx, 0, gfp, 16384, &table) == -PZ_ENOMEM);
	pz_table_source_stat(m->source, &after);
	CHECK(t, after.held == before.held && !after.small && !after.large);
	CHECK_NAMED(t, !m->reclaims == !(gfp & PZ_GFP_BLOCK), "who may wait asks others");
	m->gives = true;
	m->reclaims = 0;
	CHECK(t, mem->alloc(mem->ctx, 0, PZ_GFP_HIGH, 1024, &table) == -PZ_ENOMEM && !m->reclaims);
	CHECK(t, mem->alloc(mem->ctx, 0, PZ_GFP_BLOCK, 1024, &table) == 0 && m->reclaims);
	mem->free(mem->ctx, 0, 1024, &table);
	m->gives = false;
	tm_refill(m);
	CHECK(t, mem_take(m, &s, gfp) == 0);
	CHECK(t, mem_give(m, &s, 0));
	(void)pz_table_source_trim(m->source, 1);
	(void)pz_table_source_trim(m->source, 0);
	/* A dma_pool keeps what it knew of its pages. */
	CHECK(t, tm_taken(m) == 0 || (p == TM_DMA && tm_taken(m) <= 20480));
	CHECK(t, tm_source_gone(m));
}

/* Each allocation of metadata fails in turn. */
static void mem_unmade(struct table_machine *m, enum tm_provider p)
{
	struct tap *t = m->pm.t;
	struct pz_table_source_config cfg;
	uint64_t nth = 0;
	bool sound = true;
	int rc;

	tm_config(m, &cfg);
	do {
		(void)pz_fault_arm(&m->faults, 0, ++nth, 1);
		rc = tm_source(m, p, &cfg, NULL);
		sound = sound && (rc == 0 || (rc == -PZ_ENOMEM && m->meta.bytes == 0));
	} while (rc && nth < 10);
	(void)pz_fault_arm(&m->faults, 0, 0, 0);
	CHECK_NAMED(t, sound && !rc && nth > 1, tm_name(p));
	CHECK(t, tm_source_gone(m));
}

static void mem_failures(struct table_machine *m)
{
	for (unsigned int p = 0; p < TM_PROVIDERS; p++) {
		mem_starved(m, (enum tm_provider)p, p % 2 ? PZ_GFP_HIGH : PZ_GFP_BLOCK);
		mem_unmade(m, (enum tm_provider)p);
	}
}

/* What is malformed, and what could never be. */
static void mem_refused(struct table_machine *m)
{
	struct tap *t = m->pm.t;
	struct pz_table_pool_config pool = { 0, 3000, 0 };
	struct pz_table_source *s = NULL;
	const char *why = NULL;

	for (unsigned int p = 0; p < TM_PROVIDERS; p++) {
		enum tm_provider way = (enum tm_provider)p;
		struct pz_table_source_config good, cfg;
		bool ok = true;

		tm_config(m, &good);
		cfg = good;
		cfg.limits.align = 0;
		ok = ok && tm_source(m, way, &cfg, &why) == -PZ_EINVAL && why;
		cfg = good;
		cfg.limits.align = 2048;
		ok = ok && tm_source(m, way, &cfg, NULL) == -PZ_EINVAL;
		cfg = good;
		cfg.limits.boundary = 512;
		ok = ok && tm_source(m, way, &cfg, NULL) == -PZ_EINVAL;
		cfg = good;
		cfg.limits.max_addr = 16 * PM_MIB;
		ok = ok && tm_source(m, way, &cfg, NULL) == -PZ_ERANGE;
		cfg = good;
		cfg.meta = NULL;
		ok = ok && tm_source(m, way, &cfg, NULL) == -PZ_EINVAL;
		CHECK_NAMED(t, ok, tm_name(way));
		if (way == TM_DMA)
			continue;
		cfg = good;
		cfg.pages = NULL;
		ok = tm_source(m, way, &cfg, NULL) == -PZ_EINVAL;
		cfg = good;
		cfg.mapped.first += 1024;
		ok = ok && tm_source(m, way, &cfg, NULL) == -PZ_EINVAL;
		CHECK_NAMED(t, ok && !m->meta.bytes, "what is mapped is whole pages");
	}
	{
		struct pz_table_dma_config dma = { NULL, NULL, false };
		struct pz_table_source_config cfg;

		tm_config(m, &cfg);
		CHECK(t, pz_table_frag_create(&s, &cfg, 8, NULL) == -PZ_EINVAL);
		CHECK(t, pz_table_slab_create(&s, &cfg, NULL, 0, NULL) == -PZ_EINVAL);
		CHECK(t, pz_table_dma_create(&s, &cfg, &dma, NULL) == -PZ_EINVAL);
		CHECK(t, pz_table_pool_create(&s, &cfg, &pool, NULL) == -PZ_EINVAL);
		pool.chunk_bytes = 0;
		pool.flags = PZ_TABLE_POOL_FIXED;
		CHECK(t, pz_table_pool_create(&s, &cfg, &pool, NULL) == -PZ_EINVAL);
		pool.first = TM_BYTES * 2;
		CHECK(t, pz_table_pool_create(&s, &cfg, &pool, NULL) != 0);
		CHECK(t, !m->meta.bytes && tm_taken(m) == 0);
		CHECK(t, pz_table_source_destroy(NULL) == 0);
	}
}

/* Requests that make no sense. */
static void mem_requests(struct table_machine *m)
{
	struct tap *t = m->pm.t;

	for (unsigned int p = 0; p < TM_PROVIDERS; p++) {
		struct pz_table_source_config cfg;
		const struct pz_table_mem *mem;
		uint64_t bugs = m->pm.bugs.count;
		struct pz_table table;

		tm_config(m, &cfg);
		cfg.limits.boundary = 16384;
		if (!CHECK_NAMED(t, tm_source(m, (enum tm_provider)p, &cfg, NULL) == 0,
				 tm_name((enum tm_provider)p)))
			continue;
		mem = pz_table_source_mem(m->source);
		CHECK(t, mem->coherent == (p == TM_DMA));
		CHECK(t, mem->alloc(mem->ctx, 0, 0, 0, &table) == -PZ_EINVAL &&
				 mem->alloc(mem->ctx, 0, 0, 3072, &table) == -PZ_EINVAL &&
				 mem->alloc(mem->ctx, 0, 0, 131072, &table) == -PZ_EINVAL);
		CHECK_NAMED(t, mem->alloc(mem->ctx, 0, 0, 65536, &table) == -PZ_ERANGE,
			    "a table would cross the boundary");
		CHECK(t, m->pm.bugs.count == bugs);
		CHECK(t, mem->alloc(mem->ctx, 0, PZ_GFP_DMA, 1024, &table) == -PZ_EINVAL &&
				 mem->alloc(mem->ctx, 0, PZ_GFP_DMA32, 1024, &table) == -PZ_EINVAL);
		CHECK_NAMED(t, m->pm.bugs.count == bugs + 2, "a zone flag is misuse");
		m->pm.bugs.count = bugs;
		/* What says nothing about a table is left out; fewer bytes are as many. */
		CHECK(t, mem->alloc(mem->ctx, PZ_CPU_NONE,
				    PZ_GFP_HIGH | PZ_GFP_ZERO | PZ_GFP_MOVABLE, 64, &table) == 0 &&
				 !(table.addr & 1023));
		mem->free(mem->ctx, PZ_CPU_NONE, 64, &table);
		if (p == TM_DMA) {
			mem->free(mem->ctx, 0, 16384, &table);
			CHECK_NAMED(t, m->pm.bugs.count == bugs + 1, "what is no table is told");
			m->pm.bugs.count = bugs;
		}
		CHECK(t, tm_source_gone(m));
	}
}

/* --- gen_pool: how it grows --- */

static void mem_pool_make(struct table_machine *m, uint64_t first, uint32_t flags, uint32_t tables)
{
	struct pz_table_pool_config pool = { first, 0, flags };
	struct pz_table_source_config cfg;

	tm_config(m, &cfg);
	cfg.tables = tables;
	CHECK(m->pm.t, pz_table_pool_create(&m->source, &cfg, &pool, NULL) == 0);
}

static uint32_t mem_until_empty(struct table_machine *m, struct pz_table *v, uint32_t max,
				uint32_t gfp)
{
	const struct pz_table_mem *mem = pz_table_source_mem(m->source);
	uint32_t n = 0;

	while (n < max && !mem->alloc(mem->ctx, 0, gfp, 1024, &v[n]))
		n++;
	return n;
}

static void mem_back(struct table_machine *m, const struct pz_table *v, uint32_t n)
{
	const struct pz_table_mem *mem = pz_table_source_mem(m->source);

	while (n--)
		mem->free(mem->ctx, 0, 1024, &v[n]);
}

static uint64_t mem_held(const struct table_machine *m)
{
	struct pz_table_stat now;

	pz_table_source_stat(m->source, &now);
	return now.held;
}

static void mem_pools(struct table_machine *m)
{
	static struct pz_table v[300];
	struct tap *t = m->pm.t;
	uint32_t n;

	mem_pool_make(m, 20000, PZ_TABLE_POOL_FIXED, 0);
	CHECK_NAMED(t, mem_until_empty(m, v, 300, PZ_GFP_BLOCK) == 20, "a fixed pool ends");
	CHECK(t, pz_table_pool_grow(m->source, 0, PZ_GFP_BLOCK) == -PZ_EINVAL);
	mem_back(m, v, 20);
	CHECK(t, pz_table_source_trim(m->source, 0) == 0 && mem_held(m) == 20480);
	CHECK(t, tm_source_gone(m));
	/* As Linux has it. */
	mem_pool_make(m, 4096, PZ_TABLE_POOL_SLEEPS | PZ_TABLE_POOL_KEEPS, 0);
	CHECK(t, mem_until_empty(m, v, 300, PZ_GFP_HIGH) == 4);
	CHECK(t, pz_table_pool_grow(m->source, 0, PZ_GFP_HIGH) == 0);
	n = 4 + mem_until_empty(m, v + 4, 296, PZ_GFP_HIGH);
	CHECK(t, n == 20);
	n += mem_until_empty(m, v + n, 1, PZ_GFP_BLOCK);
	CHECK(t, n == 21);
	mem_back(m, v, n);
	CHECK(t, mem_held(m) == 4096 + 2 * 16384);
	CHECK(t, pz_table_source_trim(m->source, 0) == 2 * 16384 && mem_held(m) == 4096);
	CHECK(t, tm_source_gone(m));
	/* Chunks are as many as there are places; a page alone where there are no more in a row. */
	mem_pool_make(m, 0, 0, 128);
	tm_drain(m);
	for (uint32_t i = 0; i < m->hoarded; i += 2)
		pz_free_pages(m->pm.pages, 0, m->hoard[i], 0);
	n = mem_until_empty(m, v, 300, PZ_GFP_HIGH);
	CHECK_NAMED(t, n == 128 && mem_held(m) == 32 * 4096, "32 chunks of a page");
	mem_back(m, v, n);
	CHECK_NAMED(t, mem_held(m) == 0, "a chunk goes with its last table");
	for (uint32_t i = 1; i < m->hoarded; i += 2)
		pz_free_pages(m->pm.pages, 0, m->hoard[i], 0);
	m->hoarded = 0;
	CHECK(t, tm_source_gone(m));
}

/* --- tables made of them --- */

static void mem_tables(struct table_machine *m, enum tm_provider p)
{
	struct tap *t = m->pm.t;
	struct pz_table_source_config cfg;
	uint32_t failed = 0;
	uint64_t held;
	bool ok = true;

	tm_config(m, &cfg);
	pz_v7s_table_limits(0, 32, &cfg.limits);
	if (!CHECK_NAMED(t, tm_source(m, p, &cfg, NULL) == 0, tm_name(p)))
		return;
	if (!CHECK(t, tm_tables(m) == 0))
		return;
	for (uint64_t i = 0; i < 20; i++)
		ok = ok && pz_v7s_map(m->t, 0, PZ_GFP_HIGH, i << 20, i << 24, 4096, MEM_RW) == 0;
	for (uint64_t i = 0; i < 20; i++)
		ok = ok && tm_leads(m, true, (i << 20) + 5, (i << 24) + 5) &&
		     tm_leads(m, true, (i << 20) + 4096, PZ_ADDR_MAX);
	CHECK_NAMED(t, ok, "each of 20 second levels is found");
	for (uint64_t i = 0; i < 20; i += 2)
		ok = ok && pz_v7s_unmap(m->t, 0, 0, i << 20, 4096, 0, NULL, NULL) == 0;
	CHECK(t, ok);
	/* Without memory some table is not to be had, and nothing is left of the request. */
	(void)pz_table_source_trim(m->source, 0);
	tm_drain(m);
	held = mem_held(m);
	for (uint64_t i = 0; i < 64; i++) {
		int rc = pz_v7s_map(m->t, 0, PZ_GFP_HIGH, (i << 20) + 65536, 0, 4096, MEM_RW);

		ok = ok && (!rc || rc == -PZ_ENOMEM) &&
		     tm_leads(m, true, (i << 20) + 65536, rc ? PZ_ADDR_MAX : 0);
		failed += rc != 0;
	}
	CHECK(t, ok && failed && failed <= 54 && mem_held(m) == held);
	tm_refill(m);
	CHECK_NAMED(t, tm_tables_gone(m), "no second level leaks");
	CHECK(t, tm_source_gone(m));
}

/* First levels below 4 GiB, second levels above. */
struct mem_mixed {
	const struct pz_table_mem *large, *small;
};

static int mem_mixed_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			   struct pz_table *out)
{
	const struct mem_mixed *x = ctx;
	const struct pz_table_mem *mem = bytes > 1024 ? x->large : x->small;

	return mem->alloc(mem->ctx, cpu, gfp, bytes, out);
}

static void mem_mixed_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *table)
{
	const struct mem_mixed *x = ctx;
	const struct pz_table_mem *mem = bytes > 1024 ? x->large : x->small;

	mem->free(mem->ctx, cpu, bytes, table);
}

/* A descriptor of 32 bits leads to no table above 4 GiB. */
static void mem_above(struct table_machine *m, enum tm_provider p)
{
	struct tap *t = m->pm.t;
	struct pz_v7s_config vc = m->vc;
	struct pz_table_source_config cfg;
	struct pz_table_source *low;
	struct pz_table_mem mixed;
	struct mem_mixed x;
	struct pz_v7s_stat now;

	tm_config(m, &cfg);
	cfg.limits.max_addr = 4 * PM_GIB - 1;
	CHECK(t, pz_table_pages_create(&low, &cfg, NULL) == 0);
	cfg.limits = PZ_LIMITS_ANY;
	cfg.limits.min_addr = 4 * PM_GIB;
	if (!CHECK_NAMED(t, tm_source(m, p, &cfg, NULL) == 0, tm_name(p)))
		return;
	CHECK(t, tm_tables(m) == -PZ_ERANGE);
	x.large = pz_table_source_mem(low);
	x.small = pz_table_source_mem(m->source);
	mixed = *x.small;
	mixed.alloc = mem_mixed_alloc;
	mixed.free = mem_mixed_free;
	mixed.ctx = &x;
	m->vc.mem = &mixed;
	CHECK(t, pz_v7s_create(&m->t, &m->vc, 0, PZ_GFP_BLOCK, NULL) == 0);
	CHECK(t, pz_v7s_map(m->t, 0, PZ_GFP_HIGH, 0, 0, 4096, MEM_RW) == -PZ_ERANGE);
	CHECK(t, pz_v7s_map(m->t, 0, 0, 1 << 20, 0, 1 << 20, MEM_RW) == 0);
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 1 << 20, 4096, 0, NULL, NULL) == -PZ_ERANGE);
	pz_v7s_stat(m->t, &now);
	CHECK(t, now.tables == 0 && pz_v7s_check(m->t) == 0);
	CHECK(t, tm_leads(m, true, 1 << 20, 0) && tm_leads(m, true, 0, PZ_ADDR_MAX));
	pz_v7s_destroy(m->t, 0);
	/* With the extension it does. */
	m->vc.quirks |= MEM_MTK | PZ_V7S_MTK_TTBR_EXT;
	m->vc.oas = 33;
	CHECK(t, tm_tables(m) == 0);
	CHECK(t, pz_v7s_map(m->t, 0, PZ_GFP_HIGH, 0x5000, 0x123456000, 4096, MEM_RW) == 0);
	CHECK(t, tm_leads(m, true, 0x5004, 0x123456004));
	CHECK(t, tm_tables_gone(m));
	CHECK(t, pz_table_source_destroy(low) == 0);
	CHECK(t, tm_source_gone(m));
	m->vc = vc;
}

static void mem_with_tables(struct table_machine *m)
{
	for (unsigned int p = 0; p < TM_PROVIDERS; p++) {
		mem_tables(m, (enum tm_provider)p);
		mem_above(m, (enum tm_provider)p);
	}
}

/* --- walkers --- */

/* The walker does not read a table where it lies, or not at all. */
static void mem_elsewhere(struct table_machine *m)
{
	static const struct {
		unsigned int bits;
		bool coherent;
		uint64_t offset;
	} wrong[] = {
		{ 34, false, 4096 },
		{ 34, true, 16 * PM_MIB },
		{ 24, false, 0 },
		{ 31, true, 0 },
	};
	struct pz_v7s_config vc = m->vc;
	struct pz_table_source_config cfg;
	struct tap *t = m->pm.t;

	tm_config(m, &cfg);
	cfg.limits.max_addr = 4 * PM_GIB - 1;
	CHECK(t, tm_source(m, TM_POOL, &cfg, NULL) == 0);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct pz_dma_dev *dev =
			tm_walker(m, wrong[i].bits, wrong[i].coherent, wrong[i].offset);
		uint64_t meta = m->meta.bytes;

		m->vc.dev = dev;
		m->vc.coherent_walk = wrong[i].coherent;
		CHECK(t, tm_tables(m) == -PZ_ERANGE);
		CHECK_NAMED(t, mem_held(m) == 0 && m->meta.bytes == meta, "nothing is held");
		CHECK_NAMED(t, pz_dma_dev_destroy(dev) == 0, "nor mapped");
	}
	m->vc = vc;
	CHECK(t, tm_source_gone(m));
}

/* What must translate whenever the walker could look, and what a change is told as. */
struct mem_watch {
	struct table_machine *m;
	uint64_t iova[8], phys[8];
	uint32_t n, lost;
};

static void mem_look(void *ctx)
{
	struct mem_watch *w = ctx;

	for (uint32_t i = 0; i < w->n; i++)
		w->lost += !tm_leads(w->m, false, w->iova[i], w->phys[i]);
}

static void mem_always(struct mem_watch *w, uint64_t iova, uint64_t phys)
{
	w->iova[w->n] = iova;
	w->phys[w->n++] = phys;
}

/* Whether the bytes made visible are these, in this order, and both views are alike now. */
static bool mem_told(struct mem_watch *w, const uint32_t *bytes, uint32_t n)
{
	struct table_machine *m = w->m;
	uint64_t ttbr = pz_v7s_regs(m->t).ttbr & ~(uint64_t)0x3fff;
	bool ok = m->syncs == n && !w->lost;

	for (uint32_t i = 0; i < n && i < m->syncs; i++)
		ok = ok && m->sync[i].bytes == bytes[i];
	for (uint64_t i = 0; i < 16384; i++)
		ok = ok && m->ram[ttbr - TM_FIRST + i] == m->cpu[ttbr - TM_FIRST + i];
	m->syncs = 0;
	return ok;
}

#define TOLD(w, ...)                                   \
	mem_told(w, (const uint32_t[]){ __VA_ARGS__ }, \
		 sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void mem_told_maps(struct mem_watch *w)
{
	struct table_machine *m = w->m;
	struct tap *t = m->pm.t;
	const uint64_t base = 0x40000000;

	/* The table, the words, and the link to it, in this order or with the link before them. */
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x101000, base, 4096, MEM_RW) == 0);
	CHECK_NAMED(t, TOLD(w, 1024, 4, 4), "4 KiB in a new second level");
	CHECK(t, tm_leads(m, false, 0x101123, base + 0x123));
	mem_always(w, 0x101000, base);
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x110000, base + 0x10000, 0x10000, MEM_RW) == 0);
	CHECK_NAMED(t, TOLD(w, 64), "64 KiB");
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x120000, base + 0x3000, 0x3000, MEM_RW) == 0);
	CHECK_NAMED(t, TOLD(w, 12), "three of 4 KiB at once");
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x200000, base, 0x100000, MEM_RW) == 0);
	CHECK_NAMED(t, TOLD(w, 4), "1 MiB");
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x1000000, base, 0x1000000, MEM_RW) == 0);
	CHECK_NAMED(t, TOLD(w, 64), "16 MiB");
	CHECK(t, tm_leads(m, false, 0x1abcdef, base + 0xabcdef));
}

static void mem_told_unmaps(struct mem_watch *w)
{
	struct table_machine *m = w->m;
	struct tap *t = m->pm.t;
	const uint64_t base = 0x40000000;

	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x121000, 4096, 0, NULL, NULL) == 0);
	CHECK_NAMED(t, TOLD(w, 4), "4 KiB go");
	mem_always(w, 0x110000, base + 0x10000);
	mem_always(w, 0x11f000, base + 0x1f000);
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x112000, 4096, 0, NULL, NULL) == 0);
	CHECK_NAMED(t, TOLD(w, 64), "64 KiB are split");
	mem_always(w, 0x200000, base);
	mem_always(w, 0x2ff000, base + 0xff000);
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x280000, 4096, 0, NULL, NULL) == 0);
	CHECK_NAMED(t, TOLD(w, 1024, 1024, 4), "1 MiB is split");
	CHECK(t, tm_leads(m, false, 0x280000, PZ_ADDR_MAX));
	mem_always(w, 0x1000000, base);
	mem_always(w, 0x1fff000, base + 0xfff000);
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x1500000, 0x100000, 0, NULL, NULL) == 0);
	CHECK_NAMED(t, TOLD(w, 64, 4), "16 MiB are split");
	CHECK(t, tm_leads(m, false, 0x1500000, PZ_ADDR_MAX));
	w->n = 0;
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x101000, 4096, 0, NULL, NULL) == 0);
	CHECK(t, TOLD(w, 4));
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x200000, 0x100000, 0, NULL, NULL) == -PZ_ENOENT);
	CHECK_NAMED(t, TOLD(w, 4), "a second level goes with its pages");
	CHECK(t, tm_leads(m, false, 0x2ff000, PZ_ADDR_MAX));
}

/* A second level without pages makes way for a page of 1 MiB. */
static void mem_told_replaced(struct mem_watch *w)
{
	struct table_machine *m = w->m;
	struct tap *t = m->pm.t;

	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x700000, 0, 4096, MEM_RW) == 0);
	CHECK(t, TOLD(w, 1024, 4, 4));
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x700000, 4096, 0, NULL, NULL) == 0);
	CHECK(t, TOLD(w, 4));
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x700000, 0x300000, 0x100000, MEM_RW) == 0);
	CHECK_NAMED(t, TOLD(w, 4, 4), "the link goes, the page comes");
	CHECK(t, tm_leads(m, false, 0x7fffff, 0x3fffff));
}

static void mem_maintained(struct table_machine *m, enum tm_provider p)
{
	struct tap *t = m->pm.t;
	struct pz_v7s_config vc = m->vc;
	struct pz_table_source_config cfg;
	struct mem_watch w = { .m = m };

	tm_config(m, &cfg);
	cfg.limits.max_addr = 4 * PM_GIB - 1;
	if (!CHECK_NAMED(t, tm_source(m, p, &cfg, NULL) == 0, tm_name(p)))
		return;
	m->vc.dev = tm_walker(m, 32, false, 0);
	m->vc.coherent_walk = false;
	m->vc.quirks = 0;
	m->syncs = 0;
	m->synced = mem_look;
	m->synced_ctx = &w;
	CHECK(t, tm_tables(m) == 0);
	CHECK_NAMED(t, TOLD(&w, 16384), "the first level");
	mem_told_maps(&w);
	mem_told_unmaps(&w);
	mem_told_replaced(&w);
	m->synced = NULL;
	CHECK(t, tm_tables_gone(m));
	CHECK_NAMED(t, m->for_cpu == 0, "nobody asks what the walker wrote");
	CHECK_NAMED(t, pz_dma_dev_destroy(m->vc.dev) == 0, "no table is mapped for it any more");
	CHECK(t, tm_source_gone(m));
	m->vc = vc;
}

/* None for who looks into the caches, or for memory that has none. */
static void mem_unmaintained(struct table_machine *m, enum tm_provider p, bool coherent)
{
	struct tap *t = m->pm.t;
	struct pz_v7s_config vc = m->vc;
	struct pz_table_source_config cfg;

	tm_config(m, &cfg);
	cfg.limits.max_addr = 4 * PM_GIB - 1;
	m->vc.coherent_walk = coherent;
	if (!CHECK_NAMED(t, tm_source(m, p, &cfg, NULL) == 0, tm_name(p)))
		return;
	m->vc.dev = p == TM_DMA ? m->dev : tm_walker(m, 32, true, 0);
	CHECK(t, tm_tables(m) == 0);
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x101000, 0x5000, 4096, MEM_RW) == 0);
	/* What the DMA layer does when it makes memory coherent is its own affair. */
	CHECK(t, !coherent || m->syncs == 0);
	m->syncs = 0;
	CHECK(t, pz_v7s_map(m->t, 0, 0, 0x200000, 0x500000, 0x100000, MEM_RW) == 0);
	CHECK(t, pz_v7s_unmap(m->t, 0, 0, 0x201000, 4096, 0, NULL, NULL) == 0);
	CHECK(t, tm_leads(m, coherent, 0x101000, 0x5000) &&
			 tm_leads(m, coherent, 0x202000, 0x502000) &&
			 tm_leads(m, coherent, 0x201000, PZ_ADDR_MAX));
	CHECK_NAMED(t, m->syncs == 0, "no cache is maintained");
	CHECK(t, tm_tables_gone(m));
	if (p != TM_DMA)
		CHECK(t, pz_dma_dev_destroy(m->vc.dev) == 0);
	CHECK(t, tm_source_gone(m));
	m->vc = vc;
}

void contract_table_mem(struct tap *t)
{
	static struct table_machine m;

	if (!tm_make(&m, t))
		return;
	mem_all(&m);
	mem_failures(&m);
	mem_refused(&m);
	mem_requests(&m);
	mem_pools(&m);
	mem_with_tables(&m);
	mem_elsewhere(&m);
	for (unsigned int p = 0; p < TM_DMA; p++)
		mem_maintained(&m, (enum tm_provider)p);
	mem_unmaintained(&m, TM_SLAB, true);
	mem_unmaintained(&m, TM_DMA, true);
	mem_unmaintained(&m, TM_DMA, false);
	tm_close(&m);
}
