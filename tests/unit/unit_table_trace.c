/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mappings of an IOMMU over time, generated and recorded, and the second-level tables that they
 * need, against a table of every mapped page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare/table_trace.h"
#include "options.h"

static const char *table_machines;

#define MIB UINT64_C(0x100000)
#define SPACE_PAGES (1u << 20)

static char *write_file(const char *text)
{
	char *name = xstrdup("/tmp/physzone-XXXXXX");
	int fd = mkstemp(name);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return name;
}

static void add(struct table_ops *t, bool unmap, uint64_t iova, uint64_t paddr, uint64_t size)
{
	struct table_op *op = vec_push(&t->ops);

	op->unmap = unmap;
	op->iova = iova;
	op->paddr = paddr;
	op->size = size;
}

static void event_is(const struct table_trace *r, size_t i, uint32_t table, bool back)
{
	assert_true(i < r->events.n);
	assert_int_equal(r->events.v[i].table, table);
	assert_int_equal(r->events.v[i].back, back);
}

static void tables_by_hand(void **state)
{
	struct table_ops t = { .domains = 1 };
	struct table_trace r;

	(void)state;
	add(&t, false, MIB, 0x40001000, 0x1000);
	add(&t, false, MIB + 0x1000, 0x40005000, 0x2000);     /* the same table */
	add(&t, false, 4 * MIB - 0x1000, 0x40009000, 0x2000); /* two tables */
	add(&t, true, MIB, 0, 0x1000);
	add(&t, true, MIB + 0x1000, 0, 0x2000);	      /* its last entries */
	add(&t, false, 8 * MIB, 0x50000000, 2 * MIB); /* two sections */
	add(&t, true, 8 * MIB, 0, MIB);
	add(&t, true, 9 * MIB + 0x3000, 0, 0x1000); /* splits the other */
	add(&t, true, 9 * MIB, 0, 0x3000);
	add(&t, true, 9 * MIB + 0x4000, 0, MIB - 0x4000);
	add(&t, true, 64 * MIB, 0, 0x5000); /* was never mapped */
	table_reduce(&r, &t, false);
	assert_int_equal(r.events.n, 6);
	event_is(&r, 0, 0, false);
	event_is(&r, 1, 1, false);
	event_is(&r, 2, 2, false);
	event_is(&r, 3, 0, true);
	event_is(&r, 4, 3, false);
	event_is(&r, 5, 3, true);
	assert_int_equal(r.tables, 4);
	assert_int_equal(r.peak, 3);
	assert_int_equal(r.left, 2);
	assert_int_equal(r.sections, 2);
	assert_int_equal(r.unknown, 5);
	assert_int_equal(r.maps, 4);
	assert_int_equal(r.unmaps, 7);
	table_trace_destroy(&r);

	/* As Linux keeps them: none goes before the end, and a MiB mapped again takes no other. */
	add(&t, false, MIB, 0x40001000, 0x1000);
	table_reduce(&r, &t, true);
	assert_int_equal(r.tables, 4);
	assert_int_equal(r.peak, 4);
	assert_int_equal(r.events.n, 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(r.events.v[i].back, i >= 4);
	table_trace_destroy(&r);
	table_ops_destroy(&t);
}

static void step_is(const struct table_trace *r, size_t i, bool unmap, uint64_t iova,
		    uint64_t paddr, uint64_t size, uint32_t tables)
{
	assert_true(i < r->steps.n);
	assert_int_equal(r->steps.v[i].op.unmap, unmap);
	assert_int_equal(r->steps.v[i].op.iova, iova);
	assert_int_equal(r->steps.v[i].op.paddr, paddr);
	assert_int_equal(r->steps.v[i].op.size, size);
	assert_int_equal(r->steps.v[i].tables, tables);
}

/* Of mappings that overlap, as those of recorded domains may, what changes a page is a step. */
static void steps_by_hand(void **state)
{
	struct table_ops t = { .domains = 1 };
	struct table_trace r;

	(void)state;
	add(&t, false, 2 * MIB - 0x2000, 0x40001000, 0x3000); /* in two MiB, one step */
	add(&t, false, 2 * MIB - 0x3000, 0x50000000, 0x5000); /* a page before, one behind */
	add(&t, true, 2 * MIB - 0x3000, 0, 0x5000);
	add(&t, true, 2 * MIB - 0x2000, 0, 0x3000);
	add(&t, false, 4 * MIB, 0x60000000, MIB); /* a section */
	add(&t, true, 4 * MIB + 0x1000, 0, 0x1000);
	add(&t, true, 4 * MIB, 0, MIB); /* what is left of it, around the page */
	table_reduce(&r, &t, false);
	assert_int_equal(r.steps.n, 10);
	step_is(&r, 0, false, 2 * MIB - 0x2000, 0x40001000, 0x3000, 2);
	step_is(&r, 1, false, 2 * MIB - 0x3000, 0x50000000, 0x1000, 2);
	step_is(&r, 2, false, 2 * MIB + 0x1000, 0x50004000, 0x1000, 2);
	step_is(&r, 3, true, 2 * MIB - 0x3000, 0, 0x1000, 2);
	step_is(&r, 4, true, 2 * MIB + 0x1000, 0, 0x1000, 2);
	step_is(&r, 5, true, 2 * MIB - 0x2000, 0, 0x3000, 0);
	step_is(&r, 6, false, 4 * MIB, 0x60000000, MIB, 0);
	step_is(&r, 7, true, 4 * MIB + 0x1000, 0, 0x1000, 1);
	step_is(&r, 8, true, 4 * MIB, 0, 0x1000, 1);
	step_is(&r, 9, true, 4 * MIB + 0x2000, 0, MIB - 0x2000, 0);
	assert_int_equal(r.unknown, 1);
	assert_int_equal(r.step_peak, 1);
	table_trace_destroy(&r);
	table_ops_destroy(&t);
}

/* Tables that there must be, from every page that is mapped. */
struct oracle {
	uint8_t *page; /* by domain and page */
	unsigned int domains;
};

static uint32_t oracle_tables(const struct oracle *o)
{
	uint32_t n = 0;

	for (size_t mib = 0; mib < (size_t)o->domains * 4096; mib++)
		n += memchr(o->page + mib * 256, 1, 256) != NULL;
	return n;
}

static void oracle_apply(struct oracle *o, const struct table_op *op)
{
	uint8_t *at = o->page + (size_t)op->domain * SPACE_PAGES + (op->iova >> 12);

	for (uint64_t i = 0; i < op->size >> 12; i++) {
		assert_int_equal(at[i], op->unmap);
		at[i] = !op->unmap;
	}
}

static void mix_of(struct mix *m, const char *text)
{
	char *err = NULL;

	if (mix_parse(m, MIX_TABLES, text, strlen(text), "test", &err))
		fail_msg("%s", err);
}

static void tables_are_those_of_the_mapped_pages(void **state)
{
	struct table_trace r;
	struct table_ops t;
	struct oracle o;
	struct mix m;
	char *err = NULL;
	uint32_t there = 0;

	(void)state;
	mix_of(&m, "steps 800\ndomains 3\ndrop 90% at 70%\n"
		   "class a weight 3 size 4K-64K life 5-300 atomic 50%\n"
		   "class b weight 1 size 256K-4M life 5-200\nclass c weight 1 size 4K\n");
	assert_int_equal(table_ops_generate(&t, &m, 7, &err), 0);
	table_reduce(&r, &t, false);
	o.domains = 3;
	o.page = xcalloc(3, SPACE_PAGES);
	for (size_t i = 0; i < t.ops.n; i++) {
		oracle_apply(&o, &t.ops.v[i]);
		if (i + 1 != t.dropped)
			continue;
		for (size_t k = 0; k < r.at_low; k++)
			there += r.events.v[k].back ? -1u : 1u;
		assert_int_equal(there, r.low);
		assert_int_equal(there, oracle_tables(&o));
	}
	assert_int_equal(oracle_tables(&o), 0);
	assert_int_equal(r.left, 0);
	there = 0;
	for (size_t k = 0; k < r.events.n; k++)
		there += r.events.v[k].back ? -1u : 1u;
	assert_int_equal(there, 0);
	free(o.page);
	table_trace_destroy(&r);
	table_ops_destroy(&t);
	mix_destroy(&m);
}

/* After each operation: the tables of the trace so far are those of the pages. */
static void tables_at_every_moment(void **state)
{
	struct table_ops t, part;
	struct oracle o;
	struct mix m;
	char *err = NULL;

	(void)state;
	mix_of(&m, "steps 60\ndrop 50% at 50%\nclass a weight 1 size 4K-3M life 3-40\n");
	assert_int_equal(table_ops_generate(&t, &m, 3, &err), 0);
	o.domains = 1;
	o.page = xcalloc(1, SPACE_PAGES);
	part = t;
	for (size_t i = 0; i < t.ops.n; i++) {
		struct table_trace r;

		oracle_apply(&o, &t.ops.v[i]);
		part.ops.n = i + 1;
		part.dropped = 0;
		table_reduce(&r, &part, false);
		assert_int_equal(r.left, oracle_tables(&o));
		/* No page is mapped twice, so that each operation is a step. */
		assert_int_equal(r.steps.n, i + 1);
		assert_int_equal(r.steps.v[i].tables, r.left);
		table_trace_destroy(&r);
	}
	free(o.page);
	table_ops_destroy(&t);
	mix_destroy(&m);
}

static void generated_alike(void **state)
{
	struct table_ops a, b, c;
	struct mix m;
	char *err = NULL;

	(void)state;
	for (const char *const *name = mix_names(MIX_TABLES); *name; name++) {
		size_t mapped = 0;

		assert_int_equal(mix_read(&m, MIX_TABLES, *name, &err), 0);
		assert_string_equal(m.name, *name);
		assert_int_equal(table_ops_generate(&a, &m, 1, &err), 0);
		assert_int_equal(table_ops_generate(&b, &m, 1, &err), 0);
		assert_int_equal(table_ops_generate(&c, &m, 2, &err), 0);
		assert_int_equal(a.ops.n, b.ops.n);
		for (size_t i = 0; i < a.ops.n; i++) {
			assert_int_equal(a.ops.v[i].iova, b.ops.v[i].iova);
			assert_int_equal(a.ops.v[i].size, b.ops.v[i].size);
			assert_int_equal(a.ops.v[i].atomic, b.ops.v[i].atomic);
		}
		assert_true(a.ops.n != c.ops.n ||
			    memcmp(a.ops.v, c.ops.v, a.ops.n * sizeof(*a.ops.v)));
		/* The drop takes nine tenths of what is mapped. */
		for (size_t i = 0; i < a.drop; i++)
			mapped += a.ops.v[i].unmap ? (size_t)-1 : 1;
		assert_int_equal(a.dropped - a.drop, mapped * 9 / 10);
		assert_int_equal(a.refused, 0);
		table_ops_destroy(&a);
		table_ops_destroy(&b);
		table_ops_destroy(&c);
		mix_destroy(&m);
	}
}

static const char recorded[] =
	"# tracer: nop\n"
	"     kworker/2:1-88      [002] .....  1.000001: map: IOMMU: iova=0x00000000fff00000 - "
	"0x00000000fff02000 paddr=0x0000000040003000 size=8192\n"
	"          <idle>-0       [000] d.h1.  1.000002: map: IOMMU: iova=0x00000001fffff000 - "
	"0x0000000200001000 paddr=0x0000000040007000 size=8192\n"
	"iommu:unmap: IOMMU: iova=0x00000000fff00000 size=8192 unmapped_size=8192\n"
	"    dd-9 [001] d..1. 2.0: unmap: IOMMU: iova=0x00000001fffff000 - 0x0000000200001000 "
	"size=8192 unmapped_size=4096\n"
	"    dd-9 [001] ..... 2.0: unmap: IOMMU: iova=0x0000000012345000 - 0x0000000012346000 "
	"size=4096 unmapped_size=0\n"
	"    dd-9 [001] ..... 2.0: sched_switch: prev_comm=dd\n";

static void recorded_mappings(void **state)
{
	char *file = write_file(recorded), *err = NULL;
	struct table_trace r;
	struct table_ops t;

	(void)state;
	assert_int_equal(table_ops_record(&t, file, &err), 0);
	/* One mapping crosses 4 GiB, so that it counts twice: a domain ends there. */
	assert_int_equal(t.ops.n, 5);
	assert_int_equal(t.domains, 3);
	assert_int_equal(t.ignored, 1);
	assert_false(t.ops.v[0].atomic);
	assert_true(t.ops.v[1].atomic);
	assert_int_equal(t.ops.v[1].iova, 0xfffff000);
	assert_int_equal(t.ops.v[2].iova, 0);
	assert_int_equal(t.ops.v[2].paddr, 0x40008000);
	assert_int_not_equal(t.ops.v[1].domain, t.ops.v[2].domain);
	assert_true(t.ops.v[3].unmap && t.ops.v[3].atomic); /* no flags */
	assert_true(t.ops.v[4].atomic);			    /* interrupts off */
	assert_int_equal(t.ops.v[4].size, 4096);
	table_reduce(&r, &t, false);
	assert_int_equal(r.tables, 3);
	assert_int_equal(r.left, 1);
	assert_int_equal(r.unknown, 0);
	table_trace_destroy(&r);
	table_ops_destroy(&t);
	unlink(file);
	free(file);
}

/*
 * What a Debian kernel mapped while it started; the numbers are counted from the recording by other
 * means.
 */
static void recorded_by_a_kernel(void **state)
{
	char *file = xasprintf("%s/../tests/golden/data/iommu-6.1-512M.trace.xz", table_machines);
	struct table_trace r;
	struct table_ops t;
	size_t atomic = 0;
	char *err = NULL;

	(void)state;
	if (table_ops_record(&t, file, &err))
		fail_msg("%s", err);
	for (size_t i = 0; i < t.ops.n; i++)
		atomic += t.ops.v[i].atomic;
	assert_int_equal(t.ignored, 0);
	assert_int_equal(atomic, 104);
	table_reduce(&r, &t, false);
	assert_int_equal(r.maps, 189);
	assert_int_equal(r.unmaps, 26);
	assert_int_equal(r.tables, 20);
	assert_int_equal(r.peak, 2);
	assert_int_equal(r.left, 1);
	assert_int_equal(r.unknown, 0);
	table_trace_destroy(&r);
	table_ops_destroy(&t);
	free(file);
}

static void refused(const char *text, const char *why)
{
	char *file = write_file(text), *err = NULL, *want = xasprintf("%s%s", file, why);
	struct table_ops t;

	if (table_ops_record(&t, file, &err) != EXIT_INPUT || !strstr(err, want))
		fail_msg("'%s': '%s', expected '%s'", text, err ? err : "", want);
	table_ops_destroy(&t);
	unlink(file);
	free(file);
	free(want);
	free(err);
}

#define MAP_WANTED \
	"expected map: IOMMU: iova=0xA - 0xB paddr=0xP size=N, whole pages up to 16G, found \""

static void wrong_recordings(void **state)
{
	(void)state;
	refused("nothing\n", ": expected lines such as \"map: IOMMU: ");
	refused("#\nmap: IOMMU: iova=0x1000 - 0x2000 paddr=0x1000\n", ":2: " MAP_WANTED);
	refused("map: IOMMU: iova=0x1000 - 0x2000 paddr=0x1000 size=8192\n", ":1: " MAP_WANTED);
	refused("map: IOMMU: iova=0x1000 paddr=0x1000 size=4096\n", ":1: " MAP_WANTED);
	refused("map: IOMMU: iova=0x1008 - 0x2008 paddr=0x1000 size=4096\n", ":1: " MAP_WANTED);
	refused("map: IOMMU: iova=0x1000 - 0x1000 paddr=0x1000 size=0\n", ":1: " MAP_WANTED);
	refused("map: IOMMU: iova=0x1000 - 0x2000 paddr=0x1000 size=4096 x\n", ":1: " MAP_WANTED);
	refused("map: IOMMU: iova=0x0 - 0x500000000 paddr=0x1000 size=21474836480\n",
		":1: " MAP_WANTED);
	refused("map: IOMMU: iova=0x1000 - 0x2000 paddr=0x1000 size=4096\nunmap: IOMMU: "
		"iova=0x1000 size=4096\n",
		":2: expected unmap: IOMMU: iova=0xA [- 0xB] size=N unmapped_size=N");
}

static void wrong_mixes(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "steps 5\n", "test: expected a mix with a class" },
		{ "domains 0\n", "test:1: expected domains from 1 to 256" },
		{ "steps 9\ndrop 90%\n", "test:2: expected two percentages as in 90% at 70%" },
		{ "drop 0% at 5%\n", "test:1: expected two percentages" },
		{ "drop 90% at 100%\n", "test:1: expected two percentages" },
		{ "fill 5% 4K\n", "test:1: expected name, steps, domains, drop or class" },
		{ "class a weight 1 size 4K bits 24\n",
		  "test:1: expected weight, size, life, atomic or during" },
	};
	struct mix m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *err = NULL;

		if (mix_parse(&m, MIX_TABLES, cases[i].text, strlen(cases[i].text), "test", &err) !=
			    EXIT_INPUT ||
		    strncmp(err, cases[i].why, strlen(cases[i].why)))
			fail_msg("'%s': '%s'", cases[i].text, err ? err : "");
		mix_destroy(&m);
		free(err);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_by_hand),
		cmocka_unit_test(steps_by_hand),
		cmocka_unit_test(tables_are_those_of_the_mapped_pages),
		cmocka_unit_test(tables_at_every_moment),
		cmocka_unit_test(generated_alike),
		cmocka_unit_test(recorded_mappings),
		cmocka_unit_test(recorded_by_a_kernel),
		cmocka_unit_test(wrong_recordings),
		cmocka_unit_test(wrong_mixes),
	};

	table_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
