/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone compare tables: the machine that others use too, each way by numbers that are known
 * beforehand, ways that are wrong, streams on real tables, and wrong input.
 */
#include "start_run.h"

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
		{ TABLE_DMA_POOL, 127, 127, 30, 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct table_way *w = table_way(cases[i].id);
		struct pz_table at[TABLES];
		uint64_t held;
		struct table_bed b;
		struct table_use u;

		bed_of(&b, 256 * MIB - 1);
		assert_int_equal(table_use_open(&u, w, &b, false, TABLES), 0);
		for (unsigned int k = 0; k < TABLES; k++) {
			if (w->tick)
				w->tick(&u, true);
			assert_int_equal(
				table_use_take(&u, cases[i].id != TABLE_POOL_LINUX, &at[k]), 0);
			assert_int_equal(at[k].addr % KIB, 0);
			assert_true(at[k].addr + KIB <= 256 * MIB);
			assert_ptr_equal(at[k].cpu_addr, arena.at + at[k].addr);
			for (unsigned int m = 0; m < k; m++)
				assert_true(at[m].addr != at[k].addr);
		}
		if (table_bed_held(&b) != cases[i].full)
			fail_msg("%s holds %u pages", w->name, (unsigned int)table_bed_held(&b));
		for (unsigned int k = 0; k < TABLES; k++)
			if (k % 32)
				table_use_give(&u, &at[k]);
		held = table_bed_held(&b);
		/* What of it a magazine has is not said: at most what it had. */
		if (cases[i].id == TABLE_KMEM_CACHE || cases[i].id == TABLE_KMALLOC)
			assert_true(held <= cases[i].tenth && held >= cases[i].shrunk);
		else
			assert_int_equal(held, cases[i].tenth);
		table_use_shrink(&u);
		if (table_bed_held(&b) != cases[i].shrunk)
			fail_msg("%s holds %u pages, shrunk", w->name,
				 (unsigned int)table_bed_held(&b));
		for (unsigned int k = 0; k < TABLES; k += 32)
			table_use_give(&u, &at[k]);
		table_use_shrink(&u);
		assert_int_equal(table_use_check(&u), 0);
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
		struct pz_table at, again;
		int rc;

		bed_of(&b, UINT32_MAX);
		assert_int_equal(table_use_open(&u, w, &b, false, TABLES), 0);
		table_bed_fill(&b, 99);
		table_bed_press(&b, true);
		rc = table_use_take(&u, true, &at);
		/* Those that have pages beforehand. */
		assert_int_equal(!rc, i == TABLE_POOL_FULL || i == TABLE_POOL_LINUX);
		if (!rc)
			table_use_give(&u, &at);
		table_bed_press(&b, false);
		assert_int_equal(table_use_take(&u, true, &at), 0);
		table_bed_press(&b, true);
		/* Where there is room in the page, the next one costs none. */
		rc = table_use_take(&u, true, &again);
		assert_int_equal(!rc, i != TABLE_PAGE);
		if (!rc)
			table_use_give(&u, &again);
		table_use_give(&u, &at);
		assert_int_equal(table_use_close(&u), 0);
		bed_done(&b);
	}
}

/* As in Linux a pool with nothing left fails, however much memory is free, until work has run. */
static void a_pool_that_sleeps(void **state)
{
	const struct table_way *w = table_way(TABLE_POOL_LINUX);
	struct pz_table at[40];
	struct table_bed b;
	struct table_use u;
	unsigned int n = 0;

	(void)state;
	bed_of(&b, UINT32_MAX);
	assert_int_equal(table_use_open(&u, w, &b, false, TABLES), 0);
	for (; n < 16; n++)
		assert_int_equal(table_use_take(&u, true, &at[n]), 0);
	assert_int_not_equal(table_use_take(&u, true, &at[n]), 0);
	w->tick(&u, false);
	assert_int_not_equal(table_use_take(&u, true, &at[n]), 0);
	w->tick(&u, true);
	assert_int_equal(table_use_take(&u, true, &at[n++]), 0);
	for (; n < 32; n++)
		assert_int_equal(table_use_take(&u, true, &at[n]), 0);
	/* Who may wait adds the chunk himself. */
	assert_int_equal(table_use_take(&u, false, &at[n++]), 0);
	while (n)
		table_use_give(&u, &at[--n]);
	assert_int_equal(table_bed_held(&b), 12);
	assert_int_equal(table_use_close(&u), 0);
	bed_done(&b);
}

/* Streams. */

/* A table for each of so many mappings, which are then undone in the same order. */
static void trace_of(struct table_trace *r, unsigned int tables)
{
	struct table_ops t = { .domains = 1 };

	for (unsigned int i = 0; i < 2 * tables; i++) {
		struct table_op *op = vec_push(&t.ops);

		op->iova = i % tables * MIB;
		op->paddr = 0x40001000;
		op->size = 3 * 4096;
		op->unmap = i >= tables;
		op->atomic = i % 3 == 0;
	}
	table_reduce(r, &t, false);
	vec_free(&t.ops);
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

		if (tables_run(&r, table_way((enum table_way_id)i), &machine, &arena, &t, 1, &set,
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
	table_trace_destroy(&t);
}

/* Ways that are wrong, to see that it is seen. */

enum fault { SOUND, SKEWED, TWICE, WRITES, LOSES, LEAKS, KEEPS, FAULTS };
static enum fault fault;
static struct pz_table fault_last;
static struct pz_table_source *fault_left; /* a provider that cannot go, for tables are out */

static int fault_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	const struct table_use *u = ctx;
	const struct pz_table_mem *mem = pz_table_source_mem(u->source);
	int rc = mem->alloc(mem->ctx, cpu, gfp, bytes, out);

	if (rc)
		return rc;
	if (fault == SKEWED)
		out->addr += 512;
	if (fault == TWICE && fault_last.cpu_addr)
		*out = fault_last;
	if (fault == WRITES && fault_last.cpu_addr)
		((unsigned char *)fault_last.cpu_addr)[0] ^= 0x80;
	if (fault == LOSES && fault_last.cpu_addr)
		memset(fault_last.cpu_addr, 0, KIB);
	fault_last = *out;
	return 0;
}

static void fault_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	const struct table_use *u = ctx;
	const struct pz_table_mem *mem = pz_table_source_mem(u->source);
	struct pz_table back = *t;

	if (fault == SKEWED)
		back.addr -= 512;
	if (fault != LEAKS)
		mem->free(mem->ctx, cpu, bytes, &back);
}

static int fault_open(struct table_use *u)
{
	int rc = table_way(TABLE_PAGE)->open(u);

	memset(&fault_last, 0, sizeof(fault_last));
	u->mem = (struct pz_table_mem){ fault_alloc, fault_free, u, false };
	if (fault == LEAKS)
		fault_left = u->source;
	return rc;
}

static int fault_close(struct table_use *u)
{
	uint64_t pfn;

	if (fault == KEEPS)
		(void)pz_alloc_pages(u->bed->pages, 0, PZ_GFP_HIGH, 0, NULL, &pfn);
	return 0;
}

static char *fault_how(const struct table_use *u)
{
	(void)u;
	return xstrdup("wrong");
}

static void faults_seen(void **state)
{
	static const struct table_way wrong = {
		.name = "wrong", .how = fault_how, .open = fault_open, .close = fault_close
	};
	static const char *const why[FAULTS] = {
		[TWICE] = "wrong: two tables overlap",
		[WRITES] = "wrong: a table does not say what was mapped",
		[LOSES] = "wrong: a table lacks what was mapped",
		[LEAKS] = "wrong: 0 tables are still out (error -16)",
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

		rc = tables_run(&r, &wrong, &machine, &arena, &t, 1, &set, &err);
		if (why[fault] ? !err || strncmp(err, why[fault], strlen(why[fault])) : rc)
			fail_msg("fault %d: '%s', expected '%s'", fault, err ? err : "",
				 why[fault] ? why[fault] : "");
		assert_int_equal(r.plain.misaligned, fault == SKEWED ? 3 : 0);
		free(err);
		tables_run_destroy(&r);
		if (fault == LEAKS)
			free(fault_left);
	}
	table_trace_destroy(&t);
}

/* The command. Most runs are of a mix that takes less time than those built in. */

static struct run run_small(const char *rest)
{
	char *mix = run_file("steps 4000\ndomains 3\ndrop 90% at 70%\n"
			     "class a weight 8 size 4K-64K life 5-300 atomic 50%\n"
			     "class b weight 1 size 256K-2M life 50-900 atomic 100%\n");
	char *line = xasprintf("compare tables --mix %s %s", mix, rest);
	struct run r = run(line);

	free(line);
	unlink(mix);
	free(mix);
	return r;
}

static void on_the_command_line(void **state)
{
	struct run r = run("compare tables --memory 256M --mix storage"), again;

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "Second-level tables on a PC of 256 MiB");
	run_has(&r, "kmalloc(GFP_DMA32) is none of these: linux-6.1 has no such caches");
	run_has(&r, "3 tables in 4 KiB");
	run_done(&r);
	r = run_small("--memory 256M");
	again = run_small("--memory 256M");
	/* Alike but for the name of the file. */
	assert_string_equal(strstr(r.text, "  memory "), strstr(again.text, "  memory "));
	run_done(&again);
	run_done(&r);
	r = run_small("--memory 256M --json");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"way\": \"frag-reuse\"");
	run_has(&r, "\"misaligned\": 0");
	run_has_not(&r, "picoseconds");
	run_done(&r);
	r = run_small("--memory 64M --keep --time --bits 25 --pressure 0 "
		"--fill 0");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "below 32M; others hold 0 % of what");
	run_has(&r, "empty ones stay until the end");
	run_has(&r, "ns, alloc");
	run_done(&r);
	r = run_small("--memory 64M --model linux-6.12");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "laid out as linux-6.12 does it: 4 tables in 4 KiB");
	run_done(&r);
	r = run_small("@arm64/6.12-16k-virt-256M");
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
	struct run r = run_small("--memory 64M --bits 64");
	unsigned int curves = 0;

	(void)state;
	run_has(&r, "63.6 MiB in all; others hold 99 %");
	run_done(&r);
	r = run_small("--memory 256M --svg -");
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
	r = run_small("--memory 64M --svg /nonexistent/x.svg");
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
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
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
