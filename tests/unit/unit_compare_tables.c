/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone compare tables: the model of dma_pool, the machine that others use too, each way by
 * numbers that are known beforehand, ways that are wrong, streams, and wrong input.
 */
#include "start_run.h"

#include "compare/dma_pool.h"
#include "compare/tables.h"

const char *run_machines;

#define KIB UINT64_C(1024)
#define MIB UINT64_C(0x100000)
#define TABLES 320u /* 20 slabs of 16, 10 blocks of 32 */

static struct compare_machine machine;
static struct table_arena arena;

static int a_machine(void **state)
{
	char *err = NULL;

	(void)state;
	if (compare_machine_pc(&machine, 512 * MIB, &err))
		fail_msg("%s", err);
	machine.title = xstrdup("a PC of 512 MiB");
	if (table_arena_make(&arena, &machine, UINT32_MAX, &err))
		fail_msg("%s", err);
	return 0;
}

static int no_machine(void **state)
{
	(void)state;
	table_arena_destroy(&arena);
	compare_machine_destroy(&machine);
	return 0;
}

static void bed_of(struct table_bed *b, uint64_t last)
{
	char *err = NULL;

	if (table_bed_make(b, &machine, &arena, last, false, &err))
		fail_msg("%s", err);
}

static void bed_done(struct table_bed *b)
{
	assert_int_equal(table_bed_held(b), 0);
	assert_int_equal(b->bugs.count, 0);
	assert_int_equal(pz_pages_check(b->pages), 0);
	table_bed_destroy(b);
}

/* dma_pool: what docs/facts/dma.md section 7 says of both kinds. */

static void *meta_alloc(void *ctx, size_t size)
{
	++*(unsigned int *)ctx;
	return xmalloc(size);
}

static void meta_free(void *ctx, void *p, size_t size)
{
	(void)size;
	--*(unsigned int *)ctx;
	free(p);
}

static void dma_pool_layouts(void **state)
{
	static const struct {
		uint32_t size, align, boundary, by_page,
			by_block; /* blocks of a page; 0: refused */
	} cases[] = {
		{ 64, 0, 0, 63, 64 },	 { 2048, 0, 0, 1, 2 },	     { 4096, 0, 0, 1, 1 },
		{ 1024, 1024, 0, 3, 4 }, { 1000, 64, 0, 3, 4 },	     { 1536, 0, 0, 2, 2 },
		{ 1536, 0, 2048, 2, 2 }, { 768, 0, 2048, 4, 4 },     { 5000, 0, 0, 1, 1 },
		{ 1, 0, 0, 1023, 256 },	 { 0, 0, 0, 0, 0 },	     { 64, 3, 0, 0, 0 },
		{ 64, 0, 32, 0, 0 },	 { 64, 0, 3000, 0, 0 },	     { UINT32_MAX, 64, 0, 0, 0 },
		{ 64, 128, 0, 31, 32 },	 { 1024, 1024, 1024, 4, 4 },
	};
	unsigned int live = 0;
	struct pz_meta meta = { meta_alloc, meta_free, &live };
	struct table_bed b;

	(void)state;
	bed_of(&b, UINT32_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned int by_page = 0; by_page < 2; by_page++) {
			uint32_t want = by_page ? cases[i].by_page : cases[i].by_block, n = 0;
			struct dma_pool_config cfg = { .pages = b.pages,
						       .limits = b.limits,
						       .meta = &meta,
						       .arena = arena.at,
						       .page_shift = 12,
						       .size = cases[i].size,
						       .align = cases[i].align,
						       .boundary = cases[i].boundary,
						       .by_page = by_page };
			struct dma_pool *p = dma_pool_create(&cfg);
			uint64_t dma[1100], more;
			struct dma_pool_stat s;

			assert_int_equal(p != NULL, want != 0);
			if (!p)
				continue;
			do {
				assert_int_equal(dma_pool_alloc(p, PZ_GFP_HIGH, &dma[n]), 0);
				dma_pool_stat(p, &s);
			} while (s.pages == 1 && ++n < 1099);
			if (n != want)
				fail_msg("%u bytes, by page %u: %u blocks", cfg.size, by_page, n);
			for (uint32_t k = 0; k < n; k++)
				for (uint32_t m = 0; m < k; m++)
					assert_true(dma[m] + cfg.size <= dma[k] ||
						    dma[k] + cfg.size <= dma[m]);
			/* The one freed last comes first, and nothing goes back. */
			dma_pool_free(p, dma[n]);
			assert_int_equal(dma_pool_alloc(p, PZ_GFP_HIGH, &more), 0);
			assert_true(more == dma[n]);
			for (uint32_t k = 0; k <= n; k++)
				dma_pool_free(p, dma[k]);
			dma_pool_stat(p, &s);
			assert_int_equal(s.pages, 2);
			assert_int_equal(s.used, 0);
			assert_int_equal(table_bed_held(&b), 2 * (cfg.size > 4096 ? 2 : 1));
			assert_int_equal(dma_pool_destroy(p), 0);
			assert_int_equal(live, 0);
			assert_int_equal(table_bed_held(&b), 0);
		}
	}
	assert_int_equal(dma_pool_destroy(NULL), 0);
	bed_done(&b);
}

static void dma_pool_misuse(void **state)
{
	unsigned int live = 0;
	struct pz_meta meta = { meta_alloc, meta_free, &live };

	(void)state;
	for (unsigned int by_page = 0; by_page < 2; by_page++) {
		struct table_bed b;
		struct dma_pool_config cfg = { .meta = &meta,
					       .arena = arena.at,
					       .page_shift = 12,
					       .size = 1024,
					       .align = 1024,
					       .by_page = by_page,
					       .debug = true };
		struct dma_pool_stat s;
		struct dma_pool *p;
		uint64_t one, two;

		bed_of(&b, UINT32_MAX);
		cfg.pages = b.pages;
		cfg.limits = b.limits;
		p = dma_pool_create(&cfg);
		assert_non_null(p);
		assert_int_equal(dma_pool_alloc(p, PZ_GFP_HIGH, &one), 0);
		assert_int_equal(dma_pool_alloc(p, PZ_GFP_HIGH, &two), 0);
		dma_pool_free(p, one);
		dma_pool_free(p, one);
		dma_pool_free(p, one + 64 * MIB);
		dma_pool_stat(p, &s);
		assert_int_equal(s.refused, 2);
		assert_int_equal(s.corrupted, 0);
		arena.at[one + 100] ^= 1;
		assert_int_equal(dma_pool_alloc(p, PZ_GFP_HIGH, &one), 0);
		dma_pool_stat(p, &s);
		assert_int_equal(s.corrupted, 1);
		assert_int_equal(s.used, 2);
		assert_int_equal(dma_pool_destroy(p), -PZ_EBUSY);
		assert_int_equal(table_bed_held(&b), 1);
		assert_int_equal(live, 0);
		table_bed_destroy(&b);
	}
}

/* The machine: what the others hold, and what they leave. */
static void others(void **state)
{
	uint64_t last = 256 * MIB - 1, pfn, free_pages, marks, want;
	struct table_bed b;

	(void)state;
	for (unsigned int percent = 0; percent <= 100; percent += 25) {
		bed_of(&b, last);
		/* What lies above is taken, and the rest to within a block. */
		table_bed_fill(&b, percent);
		free_pages = pz_page_free_count(b.pages, UINT32_MAX);
		assert_true(b.below > 50000 && b.below < 65536);
		marks = 0;
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			marks += b.z.node[0].zone[t].min;
		want = marks + (b.below - marks) / 100 * (100 - percent);
		assert_true(marks > 500 && marks < 1000);
		assert_true(free_pages + 512 >= want && free_pages <= want + 512);
		assert_int_equal(table_bed_held(&b), 0);
		bed_done(&b);
	}
	bed_of(&b, last);
	table_bed_fill(&b, 95);
	assert_int_equal(pz_alloc_pages(b.pages, 0, PZ_GFP_HIGH, 0, &b.limits, &pfn), 0);
	assert_true(((pfn + 1) << 12) - 1 <= last);
	assert_int_equal(table_bed_held(&b), 1);
	pz_free_pages(b.pages, 0, pfn, 0);
	table_bed_press(&b, true);
	assert_int_not_equal(pz_alloc_pages(b.pages, 0, PZ_GFP_HIGH, 0, &b.limits, &pfn), 0);
	assert_int_equal(table_bed_held(&b), 0);
	/* One who may wait gets some. */
	assert_true(table_bed_relieve(&b, 2000) >= 2000);
	assert_int_equal(pz_alloc_pages(b.pages, 0, PZ_GFP_BLOCK, 0, &b.limits, &pfn), 0);
	pz_free_pages(b.pages, 0, pfn, 0);
	table_bed_press(&b, false);
	assert_int_equal(pz_alloc_pages(b.pages, 0, PZ_GFP_HIGH, 0, &b.limits, &pfn), 0);
	pz_free_pages(b.pages, 0, pfn, 0);
	bed_done(&b);
}

/* Each way by hand: pages held with so many tables, with one in 32 of them, and with none. */
static void ways_by_hand(void **state)
{
	static const struct {
		enum table_way_id id;
		uint64_t full, tenth, shrunk, none; /* pages; a page of descriptors counts */
	} cases[] = {
		{ TABLE_KMEM_CACHE, 81, 81, 41, 1 },	     { TABLE_KMALLOC, 81, 81, 41, 1 },
		{ TABLE_POOL_FULL, 1024, 1024, 1024, 1024 }, { TABLE_POOL_GROWS, 80, 40, 40, 0 },
		{ TABLE_POOL_LINUX, 80, 80, 80, 80 },	     { TABLE_FRAG, 80, 80, 80, 0 },
		{ TABLE_FRAG_REUSE, 80, 80, 80, 0 },	     { TABLE_PAGE, 320, 10, 10, 0 },
		{ TABLE_DMA_POOL, 107, 107, 107, 107 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct table_way *w = table_way(cases[i].id);
		uint64_t addr[TABLES], held;
		struct table_bed b;
		struct table_use u;

		bed_of(&b, 256 * MIB - 1);
		assert_int_equal(table_use_open(&u, w, &b, false), 0);
		for (unsigned int k = 0; k < TABLES; k++) {
			if (w->tick)
				w->tick(&u, true);
			assert_int_equal(w->take(&u, cases[i].id != TABLE_POOL_LINUX, &addr[k]), 0);
			assert_int_equal(addr[k] % KIB, 0);
			assert_true(addr[k] + KIB <= 256 * MIB);
			for (unsigned int m = 0; m < k; m++)
				assert_true(addr[m] != addr[k]);
		}
		if (table_bed_held(&b) != cases[i].full)
			fail_msg("%s holds %u pages", w->name, (unsigned int)table_bed_held(&b));
		for (unsigned int k = 0; k < TABLES; k++)
			if (k % 32)
				w->give(&u, addr[k]);
		held = table_bed_held(&b);
		/* What of it a magazine has is not said: at most what it had. */
		if (cases[i].id == TABLE_KMEM_CACHE || cases[i].id == TABLE_KMALLOC)
			assert_true(held <= cases[i].tenth && held >= cases[i].shrunk);
		else
			assert_int_equal(held, cases[i].tenth);
		if (w->shrink)
			w->shrink(&u);
		if (table_bed_held(&b) != cases[i].shrunk)
			fail_msg("%s holds %u pages, shrunk", w->name,
				 (unsigned int)table_bed_held(&b));
		for (unsigned int k = 0; k < TABLES; k += 32)
			w->give(&u, addr[k]);
		if (w->shrink)
			w->shrink(&u);
		assert_int_equal(w->check(&u), 0);
		assert_int_equal(table_bed_held(&b), cases[i].none);
		assert_int_equal(table_use_close(&u), 0);
		assert_int_equal(u.meta_bytes, 0);
		bed_done(&b);
	}
}

/* In atomic context, while the others take everything. */
static void ways_under_pressure(void **state)
{
	(void)state;
	for (int i = 0; i < TABLE_WAYS; i++) {
		const struct table_way *w = table_way((enum table_way_id)i);
		struct table_bed b;
		struct table_use u;
		uint64_t addr, again;
		int rc;

		bed_of(&b, UINT32_MAX);
		assert_int_equal(table_use_open(&u, w, &b, false), 0);
		table_bed_fill(&b, 99);
		table_bed_press(&b, true);
		rc = w->take(&u, true, &addr);
		/* Those that have pages beforehand. */
		assert_int_equal(!rc, i == TABLE_POOL_FULL || i == TABLE_POOL_LINUX);
		if (!rc)
			w->give(&u, addr);
		table_bed_press(&b, false);
		assert_int_equal(w->take(&u, true, &addr), 0);
		table_bed_press(&b, true);
		/* Where there is room in the page, the next one costs none. */
		rc = w->take(&u, true, &again);
		assert_int_equal(!rc, i != TABLE_PAGE);
		if (!rc)
			w->give(&u, again);
		w->give(&u, addr);
		assert_int_equal(table_use_close(&u), 0);
		bed_done(&b);
	}
}

/* As in Linux a pool with nothing left fails, however much memory is free, until work has run. */
static void a_pool_that_sleeps(void **state)
{
	const struct table_way *w = table_way(TABLE_POOL_LINUX);
	uint64_t addr[40];
	struct table_bed b;
	struct table_use u;
	unsigned int n = 0;

	(void)state;
	bed_of(&b, UINT32_MAX);
	assert_int_equal(table_use_open(&u, w, &b, false), 0);
	for (; n < 16; n++)
		assert_int_equal(w->take(&u, true, &addr[n]), 0);
	assert_int_not_equal(w->take(&u, true, &addr[n]), 0);
	w->tick(&u, false);
	assert_int_not_equal(w->take(&u, true, &addr[n]), 0);
	w->tick(&u, true);
	assert_int_equal(w->take(&u, true, &addr[n++]), 0);
	for (; n < 32; n++)
		assert_int_equal(w->take(&u, true, &addr[n]), 0);
	/* Who may wait adds the chunk himself. */
	assert_int_equal(w->take(&u, false, &addr[n++]), 0);
	while (n)
		w->give(&u, addr[--n]);
	assert_int_equal(table_bed_held(&b), 12);
	assert_int_equal(table_use_close(&u), 0);
	bed_done(&b);
}

/* Streams. */

static void trace_of(struct table_trace *t, unsigned int tables)
{
	memset(t, 0, sizeof(*t));
	for (unsigned int i = 0; i < 2 * tables; i++) {
		struct table_event *e = vec_push(&t->events);

		e->table = i % tables;
		e->back = i >= tables;
		e->atomic = i % 3 == 0;
	}
	t->tables = t->peak = tables;
	t->at_peak = tables;
}

static void streams_counted(void **state)
{
	struct tables_settings set = { .last = UINT32_MAX };
	struct table_trace t;
	char *err = NULL;

	(void)state;
	trace_of(&t, 200);
	for (int i = 0; i < TABLE_WAYS; i++) {
		struct tables_run r;

		if (tables_run(&r, table_way((enum table_way_id)i), &machine, &arena, &t, &set,
			       &err))
			fail_msg("%s", err);
		for (const struct tables_count *n = &r.plain; n;
		     n = n == &r.plain ? &r.debug : NULL) {
			assert_int_equal(n->asked, 200);
			assert_int_equal(n->atomic_asked, 67);
			assert_int_equal(n->served + n->atomic_failed + n->waiting_failed, 200);
			assert_int_equal(n->waiting_failed, 0);
			assert_int_equal(n->misaligned + n->beyond, 0);
			assert_true(n->peak >= n->peak_payload && n->peak_payload <= 200 * KIB);
			assert_int_equal(n->low_wanted, 20 * KIB);
			assert_true(n->shrunk <= n->low && n->end_shrunk <= n->end);
		}
		assert_int_equal(r.plain.served, i == TABLE_POOL_LINUX ? r.plain.served : 200);
		assert_true(i != TABLE_PAGE || r.plain.peak == 800 * KIB);
		assert_true(i != TABLE_POOL_FULL || r.plain.end == 4 * MIB);
		assert_true(i != TABLE_KMEM_CACHE || r.debug.peak > 2 * r.plain.peak);
		tables_run_destroy(&r);
	}
	vec_free(&t.events);
}

/* Ways that are wrong, to see that it is seen. */

enum fault { SOUND, SKEWED, TWICE, WRITES, LEAKS, KEEPS, FAULTS };
static enum fault fault;
static uint64_t fault_last;

static const struct table_way *fault_true(void)
{
	return table_way(TABLE_PAGE);
}

static int fault_open(struct table_use *u)
{
	fault_last = 0;
	return fault_true()->open(u);
}

static int fault_take(struct table_use *u, bool atomic, uint64_t *addr)
{
	int rc = fault_true()->take(u, atomic, addr);

	if (rc)
		return rc;
	if (fault == SKEWED)
		*addr += 512;
	if (fault == TWICE && fault_last)
		*addr = fault_last;
	if (fault == WRITES && fault_last)
		u->bed->arena->at[fault_last] ^= 0x80;
	fault_last = *addr;
	return 0;
}

static void fault_give(struct table_use *u, uint64_t addr)
{
	if (fault == SKEWED)
		addr -= 512;
	if (fault != LEAKS)
		fault_true()->give(u, addr);
}

static int fault_close(struct table_use *u)
{
	uint64_t pfn;

	if (fault == KEEPS)
		(void)pz_alloc_pages(u->bed->pages, 0, PZ_GFP_HIGH, 0, NULL, &pfn);
	return fault_true()->close(u);
}

static char *fault_how(const struct table_use *u)
{
	(void)u;
	return xstrdup("wrong");
}

static int fault_check(const struct table_use *u)
{
	(void)u;
	return 0;
}

static void faults_seen(void **state)
{
	static const struct table_way wrong = { .name = "wrong",
						.how = fault_how,
						.open = fault_open,
						.take = fault_take,
						.give = fault_give,
						.check = fault_check,
						.close = fault_close };
	static const char *const why[FAULTS] = {
		[TWICE] = "wrong: two tables overlap",
		[WRITES] = "wrong: a table was written to by somebody else",
		[LEAKS] = "wrong: 12288 bytes are still held",
		[KEEPS] = "wrong: 4096 bytes are still held",
	};
	struct tables_settings set = { .last = UINT32_MAX };
	struct table_trace t;

	(void)state;
	trace_of(&t, 3);
	for (fault = SOUND; fault < FAULTS; fault++) {
		struct tables_run r;
		char *err = NULL;
		int rc;

		rc = tables_run(&r, &wrong, &machine, &arena, &t, &set, &err);
		if (why[fault] ? !err || strncmp(err, why[fault], strlen(why[fault])) : rc)
			fail_msg("fault %d: '%s', expected '%s'", fault, err ? err : "",
				 why[fault] ? why[fault] : "");
		assert_int_equal(r.plain.misaligned, fault == SKEWED ? 3 : 0);
		free(err);
		tables_run_destroy(&r);
	}
	vec_free(&t.events);
}

/* The command. */

static void on_the_command_line(void **state)
{
	struct run r = run("compare tables --memory 256M --mix storage"), again;

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "Second-level tables on a PC of 256 MiB");
	run_has(&r, "kmalloc(GFP_DMA32) is none of these: linux-6.1 has no such caches");
	run_has(&r, "3 tables in 4 KiB");
	again = run("compare tables --memory 256M --mix storage");
	assert_string_equal(r.text, again.text);
	run_done(&again);
	run_done(&r);
	r = run("compare tables --memory 256M --mix storage --json");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"way\": \"frag-reuse\"");
	run_has(&r, "\"misaligned\": 0");
	run_has_not(&r, "picoseconds");
	run_done(&r);
	r = run("compare tables --memory 64M --mix storage --keep --time --bits 25 --pressure 0 "
		"--fill 0");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "below 32M; others hold 0 % of what");
	run_has(&r, "empty ones stay until the end");
	run_has(&r, "ns, alloc");
	run_done(&r);
	r = run("compare tables --memory 64M --mix storage --model linux-6.12");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "a model of linux-6.12, for a coherent device: 4 tables in 4 KiB");
	run_done(&r);
	r = run("compare tables --mix storage @arm64/6.12-16k-virt-256M");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "16 tables in 16 KiB");
	run_done(&r);
}

static void recorded(void **state)
{
	char *name = run_file(
		"# tracer: nop\n"
		"a-1 [000] d..1. 1.0: map: IOMMU: iova=0x0000000000101000 - 0x0000000000103000 "
		"paddr=0x0000000080001000 size=8192\n"
		"a-1 [000] ..... 1.1: map: IOMMU: iova=0x0000000000301000 - 0x0000000000302000 "
		"paddr=0x0000000080007000 size=4096\n"
		"a-1 [000] d..1. 1.2: unmap: IOMMU: iova=0x0000000000101000 - 0x0000000000103000 "
		"size=8192 unmapped_size=8192\n"
		"a-1 [000] d..1. 1.3: sched_switch: other\n");
	char *line = xasprintf("compare tables --memory 64M --trace %s", name);
	struct run r = run(line);

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "2 mappings made, 2 tables asked for, 1 of them in");
	run_has(&r, "1 other lines");
	run_done(&r);
	free(line);
	unlink(name);
	free(name);

	name = run_file("a-1 [000] ..... 1.1: map: IOMMU: iova=0x00200000 - 0x00300000 "
			"paddr=0x80000000 size=1048576\n");
	line = xasprintf("compare tables --memory 64M --trace %s", name);
	r = run(line);
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, "expected mappings that need a table, found only sections"));
	run_done(&r);
	free(line);
	unlink(name);
	free(name);

	name = run_file("a-1: unmap: IOMMU: iova=0x0 - 0x1000 size=4096 unmapped_size=4096\n");
	line = xasprintf("compare tables --memory 64M --trace %s", name);
	r = run(line);
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, "that need a table, found only what is unmapped"));
	run_done(&r);
	free(line);
	unlink(name);
	free(name);

	name = run_file("x\na-1 [000] ..... 1.1: map: IOMMU: iova=0x1000 size=4096\n");
	line = xasprintf("compare tables --memory 64M --trace %s", name);
	r = run(line);
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, ":2: expected map: IOMMU: iova=0xA - 0xB"));
	run_done(&r);
	free(line);
	unlink(name);
	free(name);
}

static void pictures(void **state)
{
	struct run r = run("compare tables --memory 64M --mix storage --bits 64");
	unsigned int curves = 0;

	(void)state;
	run_has(&r, "63.6 MiB in all; others hold 99 %");
	run_done(&r);
	r = run("compare tables --memory 256M --mix storage --svg -");
	assert_int_equal(r.rc, EXIT_FINE);
	assert_true(r.text == run_has(&r, "<?xml "));
	/* Memory with the tables themselves, failures without, and the legend. */
	for (const char *p = r.text; (p = strstr(p, "class=\"s s")); p++)
		curves++;
	assert_int_equal(curves, (TABLE_WAYS + 1) + TABLE_WAYS + (TABLE_WAYS + 1));
	run_has(&r, "Memory held");
	run_has(&r, "</svg>\n");
	run_has_not(&r, "nan");
	run_done(&r);
	r = run("compare tables --memory 64M --mix storage --svg /nonexistent/x.svg");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	assert_non_null(strstr(r.err, "/nonexistent/x.svg: cannot write: "));
	run_done(&r);
}

static void wrong_usage(void **state)
{
	struct run r;

	(void)state;
	run_refused("compare table", "did you mean 'tables'?");
	run_refused("compare tables --cma 16M", "--cma is for 'physzone compare policies'");
	run_refused("compare tables --bits 32 --limit 1G", "one limit of the tables; '1G'");
	run_refused("compare tables --limit x", "--limit wants an address");
	run_refused("compare tables --fill 101", "--fill wants a number from 0 to 100");
	run_refused("compare tables --pressure x", "--pressure wants a number from 0 to 100");
	run_refused("compare tables --mix desktop", "no mix 'desktop': expected media, storage");
	run_refused("compare tables --mix medea", "did you mean 'media'?");
	run_refused("compare tables --model linux-2.4",
		    "unknown model 'linux-2.4': expected linux-5.15");
	run_refused("compare tables --memory 1", "--memory wants an amount from 16M to 16T");
	run_refused("compare policies --fill 5", "--fill is for 'physzone compare tables'");
	run_refused("compare policies --pressure 5", "--pressure is for 'physzone compare tables'");
	run_refused("compare policies --keep", "--keep is for 'physzone compare tables'");
	run_refused("compare policies --time", "--time is for 'physzone compare tables'");
	r = run("compare tables --limit 4M --memory 64M");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	assert_non_null(strstr(r.err, "expected at least 8 MiB of memory below 4M, found 3"));
	run_done(&r);
	r = run("compare tables --limit 1T --memory 128G");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	assert_non_null(strstr(r.err, "in reach of the tables: expected 64 GiB at most"));
	run_done(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dma_pool_layouts),
		cmocka_unit_test(dma_pool_misuse),
		cmocka_unit_test(others),
		cmocka_unit_test(ways_by_hand),
		cmocka_unit_test(ways_under_pressure),
		cmocka_unit_test(a_pool_that_sleeps),
		cmocka_unit_test(streams_counted),
		cmocka_unit_test(faults_seen),
		cmocka_unit_test(on_the_command_line),
		cmocka_unit_test(recorded),
		cmocka_unit_test(pictures),
		cmocka_unit_test(wrong_usage),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, a_machine, no_machine);
}
