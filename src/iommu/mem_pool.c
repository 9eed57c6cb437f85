/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem_pool.c - tables from a gen_pool that grows by chunks of pages.
 *
 * Concept
 *  A granule has 1 KiB, and a table is aligned to its size. What the pool must know of a chunk lies
 *  in a place among those that were allocated with the provider, so that a chunk can come in atomic
 *  context, and go in that of whoever gives back its last table. A place is taken by setting its
 *  bit. The chunk from the start has a place of its own.
 *
 * Invariants, verified by pz_table_source_check(): 1. as many places are taken as the pool has
 * chunks; 2. its chunks are the pages held.
 *
 * Failure
 *  That of the page allocator, and -PZ_ENOMEM when there is no place left. A chunk that another
 *  context emptied before this one got its table is made up for by another, a few times.
 *
 * Shortcomings
 *  With one table in a chunk of its own, a pair of taking and giving it back moves pages each time,
 *  unless PZ_TABLE_POOL_KEEPS. A chunk that came and was not needed stays until a table of it goes,
 *  or pz_table_source_trim().
 */
#include "mem_internal.h"

#define MEM_POOL_ORDER 10u /* of a granule */
#define MEM_POOL_CHUNK 16384u
#define MEM_POOL_TABLES 4u /* of a chunk at least, where pages have 4 KiB */
#define MEM_POOL_TRIES 4u
#define MEM_POOL_MOST ((uint32_t)4 << 20) /* bytes of a chunk */
#define MEM_POOL_FIRST UINT32_MAX	  /* place of the chunk from the start */

struct mem_pool;

struct mem_chunk {
	struct mem_pool *owner;
	uint64_t addr;
	uint32_t pages, place;
	_Alignas(8) uint64_t mem[]; /* what the pool knows of it: i386 aligns 64 bits to 4 */
};

struct mem_pool {
	struct pz_table_source base;
	struct pz_table_pool_config cfg;
	struct pz_genpool *pool;
	struct mem_chunk *first;
	_Alignas(8) uint64_t held; /* bytes of chunks; places behind the record are aligned, too */
	uint64_t wide;		/* bytes of larger tables out */
	uint32_t places, words; /* places: a multiple of 32 */
	size_t stride, first_bytes;
	uint32_t *taken; /* bits of places */
	unsigned char *place;
};

_Static_assert(!(sizeof(struct mem_chunk) % 8) && !(sizeof(struct mem_pool) % 8),
	       "what a pool knows of a chunk is aligned to 8");

static struct mem_pool *mem_pool(const struct pz_table_source *s)
{
	return (struct mem_pool *)(uintptr_t)s;
}

/* --- places --- */

static struct mem_chunk *mem_pool_at(const struct mem_pool *m, uint32_t place)
{
	return (struct mem_chunk *)(void *)(m->place + (size_t)place * m->stride);
}

static struct mem_chunk *mem_pool_take(struct mem_pool *m)
{
	for (uint32_t w = 0; w < m->words; w++) {
		uint32_t full = pz_load32(&m->taken[w]);

		while (~full) {
			uint32_t i = pz_ctz32(~full), bit = (uint32_t)1 << i;

			full = pz_or32(&m->taken[w], bit);
			if (!(full & bit)) {
				mem_pool_at(m, w * 32 + i)->place = w * 32 + i;
				return mem_pool_at(m, w * 32 + i);
			}
		}
	}
	return NULL;
}

static void mem_pool_leave(struct mem_pool *m, const struct mem_chunk *c)
{
	uint32_t place = c->place;

	if (place != MEM_POOL_FIRST)
		pz_and32(&m->taken[place / 32], ~((uint32_t)1 << place % 32));
}

/* --- chunks --- */

static size_t mem_pool_stride(uint64_t bytes)
{
	return sizeof(struct mem_chunk) +
	       (pz_genpool_chunk_bytes(MEM_POOL_ORDER, bytes) + 7) / 8 * 8;
}

/* From whoever was the last to look at the chunk; its CPU is not known here. */
static void mem_pool_release(void *ctx, const struct pz_genpool_info *info)
{
	struct mem_chunk *c = ctx;
	struct mem_pool *m = c->owner;
	struct pz_table_source *s = &m->base;

	(void)info;
	pz_count64(&m->held, 0 - ((uint64_t)c->pages << s->page_shift));
	pz_free_exact(s->cfg.pages, PZ_CPU_NONE, c->addr >> s->page_shift, c->pages);
	mem_pool_leave(m, c);
}

/* Add pages, which go back when that fails. */
static int mem_pool_add(struct mem_pool *m, struct mem_chunk *c, size_t room, uint64_t addr,
			uint64_t pages)
{
	unsigned int shift = m->base.page_shift;
	struct pz_genpool_chunk k;
	int rc;

	c->owner = m;
	c->addr = addr;
	c->pages = (uint32_t)pages;
	memset(&k, 0, sizeof(k));
	k.addr = k.phys = addr;
	k.size = pages << shift;
	k.flags = m->cfg.flags & PZ_TABLE_POOL_KEEPS || c == m->first ? 0 : PZ_GENPOOL_AUTO;
	k.owner = c;
	k.mem = c->mem;
	k.mem_bytes = room - sizeof(*c);
	k.release = mem_pool_release;
	k.release_ctx = c;
	pz_count64(&m->held, pages << shift);
	rc = pz_genpool_add(m->pool, &k);
	if (rc)
		mem_pool_release(c, NULL);
	return rc;
}

/* A chunk on demand: of the usual size, or what holds @bytes where that is not to be had. */
static int mem_pool_grow(struct mem_pool *m, uint32_t cpu, uint32_t gfp, uint32_t bytes)
{
	struct pz_table_source *s = &m->base;
	unsigned int order = mem_order(s, m->cfg.chunk_bytes), least = mem_order(s, bytes);
	struct mem_chunk *c = mem_pool_take(m);
	int rc = -PZ_ENOMEM;
	uint64_t addr;

	if (!c)
		return rc;
	if (order > least)
		rc = pz_mem_pages(s, cpu, (gfp & ~PZ_GFP_BLOCK) | PZ_GFP_NORETRY, order, &addr);
	if (rc) {
		order = least;
		rc = pz_mem_pages(s, cpu, gfp, order, &addr);
	}
	if (rc) {
		mem_pool_leave(m, c);
		return rc;
	}
	rc = mem_pool_add(m, c, m->stride, addr, (uint64_t)1 << order);
	return rc == -PZ_ENOSPC ? -PZ_ENOMEM : rc;
}

/* --- tables --- */

static int mem_pool_find(struct mem_pool *m, uint32_t bytes, uint64_t *addr)
{
	static const struct pz_genpool_algo aligned = { .kind = PZ_GENPOOL_ORDER_ALIGNED };
	struct pz_genpool_got got;
	int rc;

	if (bytes == PZ_TABLE_SMALL)
		return pz_genpool_alloc(m->pool, bytes, addr);
	rc = pz_genpool_alloc_algo(m->pool, bytes, &aligned, &got);
	if (!rc)
		*addr = got.addr;
	return rc;
}

static int mem_pool_table(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			  struct pz_table *out)
{
	struct mem_pool *m = mem_pool(s);
	uint32_t no = PZ_TABLE_POOL_FIXED | (gfp & PZ_GFP_BLOCK ? 0 : PZ_TABLE_POOL_SLEEPS);
	int rc = mem_pool_find(m, bytes, &out->addr);

	for (uint32_t i = 0; rc == -PZ_ENOMEM && !(m->cfg.flags & no) && i < MEM_POOL_TRIES; i++) {
		rc = mem_pool_grow(m, cpu, gfp, bytes);
		if (rc)
			return rc;
		rc = mem_pool_find(m, bytes, &out->addr);
	}
	if (!rc)
		out->cpu_addr = mem_virt(s, out->addr);
	return rc;
}

static int mem_pool_small(struct pz_table_source *s, uint32_t cpu, uint32_t gfp,
			  struct pz_table *out)
{
	return mem_pool_table(s, cpu, gfp, PZ_TABLE_SMALL, out);
}

static void mem_pool_small_back(struct pz_table_source *s, uint32_t cpu, const struct pz_table *t)
{
	(void)cpu;
	pz_genpool_free(mem_pool(s)->pool, t->addr, PZ_TABLE_SMALL);
}

static int mem_pool_large(struct pz_table_source *s, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			  struct pz_table *out)
{
	int rc = mem_pool_table(s, cpu, gfp, bytes, out);

	if (!rc)
		pz_count64(&mem_pool(s)->wide, bytes);
	return rc;
}

static bool mem_pool_large_back(struct pz_table_source *s, uint32_t cpu, uint32_t bytes,
				const struct pz_table *t)
{
	(void)cpu;
	pz_genpool_free(mem_pool(s)->pool, t->addr, bytes);
	pz_count64(&mem_pool(s)->wide, 0 - (uint64_t)bytes);
	return true;
}

/* --- what the user sees --- */

static int mem_pool_trim_one(void *ctx, const struct pz_genpool_info *info)
{
	struct mem_pool *m = ctx;

	if (info->owner != m->first && info->avail == info->size)
		(void)pz_genpool_remove(m->pool, info->addr);
	return 0;
}

static uint64_t mem_pool_trim(struct pz_table_source *s, uint32_t cpu)
{
	struct mem_pool *m = mem_pool(s);
	uint64_t was = pz_load64(&m->held), now;

	(void)cpu;
	(void)pz_genpool_for_each_chunk(m->pool, mem_pool_trim_one, m);
	now = pz_load64(&m->held);
	return now < was ? was - now : 0;
}

static void mem_pool_stat(const struct pz_table_source *s, struct pz_table_stat *out)
{
	const struct mem_pool *m = mem_pool(s);
	uint64_t out_bytes = pz_genpool_size(m->pool) - pz_genpool_avail(m->pool);

	out->held = pz_load64(&m->held);
	out->small = (out_bytes - pz_load64(&m->wide)) >> MEM_POOL_ORDER;
}

static int mem_pool_count(void *ctx, const struct pz_genpool_info *info)
{
	(void)info;
	++*(uint32_t *)ctx;
	return 0;
}

static int mem_pool_check(const struct pz_table_source *s)
{
	const struct mem_pool *m = mem_pool(s);
	uint32_t chunks = 0, places = m->first ? 1 : 0;
	int rc = pz_genpool_check(m->pool);

	if (rc)
		return rc;
	(void)pz_genpool_for_each_chunk(m->pool, mem_pool_count, &chunks);
	for (uint32_t w = 0; w < m->words; w++)
		places += pz_popcount32(m->taken[w]);
	if (places != chunks)
		return 101;
	return pz_genpool_size(m->pool) == m->held ? 0 : 102;
}

static void mem_pool_drop(struct mem_pool *m)
{
	const struct pz_meta *meta = m->base.cfg.meta;

	if (m->first)
		meta->free(meta->ctx, m->first, m->first_bytes);
}

static int mem_pool_close(struct pz_table_source *s)
{
	int rc = pz_genpool_destroy(mem_pool(s)->pool);

	if (!rc)
		mem_pool_drop(mem_pool(s));
	return rc;
}

static const struct mem_ops mem_pool_ops = {
	.small = mem_pool_small,
	.small_back = mem_pool_small_back,
	.large = mem_pool_large,
	.large_back = mem_pool_large_back,
	.trim = mem_pool_trim,
	.stat = mem_pool_stat,
	.check = mem_pool_check,
	.close = mem_pool_close,
};

int pz_table_pool_grow(struct pz_table_source *s, uint32_t cpu, uint32_t gfp)
{
	if (s->ops != &mem_pool_ops || mem_pool(s)->cfg.flags & PZ_TABLE_POOL_FIXED)
		return -PZ_EINVAL;
	return mem_pool_grow(mem_pool(s), cpu, gfp, PZ_TABLE_SMALL);
}

/* --- making one --- */

static const char *mem_pool_wrong(const struct pz_table_pool_config *pool)
{
	if (pool->flags & ~(PZ_TABLE_POOL_SLEEPS | PZ_TABLE_POOL_KEEPS | PZ_TABLE_POOL_FIXED))
		return "an unknown flag";
	if (pool->chunk_bytes && !pz_is_pow2(pool->chunk_bytes))
		return "the size of a chunk is no power of two";
	if (pool->chunk_bytes > MEM_POOL_MOST)
		return "a chunk of more than 4 MiB";
	if (pool->first > UINT32_MAX)
		return "more than 4 GiB from the start";
	return pool->flags & PZ_TABLE_POOL_FIXED && !pool->first ? "no memory ever" : NULL;
}

/* The memory that it has from the start. */
static int mem_pool_begin(struct mem_pool *m)
{
	struct pz_table_source *s = &m->base;
	const struct pz_meta *meta = s->cfg.meta;
	uint64_t page = (uint64_t)1 << s->page_shift, bytes = m->cfg.first, pfn;
	int rc;

	if (!bytes)
		return 0;
	bytes = (bytes + page - 1) & ~(page - 1);
	m->first_bytes = mem_pool_stride(bytes);
	m->first = meta->alloc(meta->ctx, m->first_bytes);
	if (!m->first)
		return -PZ_ENOMEM;
	memset(m->first, 0, sizeof(*m->first));
	m->first->place = MEM_POOL_FIRST;
	rc = pz_alloc_pages_exact(s->cfg.pages, PZ_CPU_NONE, PZ_GFP_BLOCK, bytes, &s->cfg.limits,
				  &pfn);
	if (rc)
		return rc;
	return mem_pool_add(m, m->first, m->first_bytes, pfn << s->page_shift,
			    bytes >> s->page_shift);
}

static void mem_pool_lay_out(struct mem_pool *m, uint32_t places)
{
	m->places = places;
	m->words = places / 32;
	m->taken = (uint32_t *)(void *)(m + 1);
	m->place = (unsigned char *)(m->taken + (m->words + 1) / 2 * 2);
}

static int mem_pool_open(struct mem_pool *m)
{
	struct pz_genpool_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.order = MEM_POOL_ORDER;
	cfg.name = "iommu-tables";
	cfg.chunks = m->places + 1;
	cfg.meta = m->base.cfg.meta;
	cfg.bugs = m->base.cfg.bugs;
	rc = pz_genpool_create(&m->pool, &cfg);
	if (rc)
		return rc;
	rc = mem_pool_begin(m);
	if (rc) {
		(void)pz_genpool_destroy(m->pool);
		mem_pool_drop(m);
	}
	return rc;
}

int pz_table_pool_create(struct pz_table_source **out, const struct pz_table_source_config *cfg,
			 const struct pz_table_pool_config *pool, const char **why)
{
	uint32_t chunk = pool->chunk_bytes ? pool->chunk_bytes : MEM_POOL_CHUNK;
	uint32_t places = (mem_tables(cfg) / MEM_POOL_TABLES + 31) / 32 * 32;
	const char *wrong = mem_pool_wrong(pool);
	struct pz_table_source *s;
	size_t stride;
	int rc;

	if (wrong)
		return pz_mem_wrong(why, -PZ_EINVAL, wrong);
	/* A page of 64 KiB is the largest. */
	stride = mem_pool_stride(chunk > PZ_TABLE_MOST ? chunk : PZ_TABLE_MOST);
	places = pool->flags & PZ_TABLE_POOL_FIXED ? 0 : places ? places : 32;
	if (places * (uint64_t)stride > SIZE_MAX / 2)
		return -PZ_ENOMEM;
	rc = pz_mem_make(&s, cfg, &mem_pool_ops,
			 sizeof(struct mem_pool) + (size_t)places / 8 + 8 + places * stride, why);
	if (rc)
		return rc;
	mem_pool(s)->cfg = *pool;
	mem_pool(s)->cfg.chunk_bytes = chunk;
	mem_pool(s)->stride = stride;
	mem_pool_lay_out(mem_pool(s), places);
	rc = mem_pool_open(mem_pool(s));
	if (rc)
		pz_mem_drop(s);
	else
		*out = s;
	return rc;
}
