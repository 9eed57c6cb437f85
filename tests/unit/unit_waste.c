/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone waste: sizes, lists and traces, what they cost in slabs and as pages, and what is
 * refused.
 */
#include "start_run.h"

const char *run_machines;

/* Run a line with the name of a file behind it, which has a text. */
static struct run run_on(const char *text, const char *before)
{
	char *name = run_file(text);
	char *line = xasprintf("%s %s", before, name);
	struct run r = run(line);

	unlink(name);
	free(line);
	free(name);
	return r;
}

static void sizes(void **state)
{
	struct run r = run("waste --json 64x100 512x8 2000 9000");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"model\": \"linux-6.12\"");
	run_has(&r, "{\"bytes\": 64, \"count\": 100, \"asked\": 6400, \"cache\": "
		    "\"dma-kmalloc-64\", \"slots\": 6400, \"orders\": 409600, \"pages\": 409600}");
	run_has(&r, "{\"bytes\": 9000, \"count\": 1, \"asked\": 9000, \"cache\": null, \"slots\": "
		    "16384, \"orders\": 16384, \"pages\": 12288}");
	/* 100 objects of 64 bytes need two slabs of a page, 8 of 512 one. */
	run_has(&r, "{\"name\": \"dma-kmalloc-64\", \"objects\": 100, \"slabs\": 2, \"order\": 0, "
		    "\"held\": 8192}");
	run_has(&r, "\"asked\": 21496,");
	run_has(&r, "\"kmalloc\": {\"held\": 45056, \"wasted\": 23560, \"wasted_per_mille\": 523}");
	run_has(&r, "\"orders\": {\"held\": 462848,");
	run_has(&r, "\"pages\": {\"held\": 458752,");
	run_done(&r);
	r = run("waste 64x100");
	run_has(&r, "kmalloc(GFP_DMA), by the rules of linux-6.12 on x86_64, pages of 4 KiB");
	run_has(&r, "slabs of kmalloc             8 KiB  1.75 KiB  21.9 %");
	run_has(&r, "Without its caches this would take 392 KiB more, 50.0 times as much.");
	run_done(&r);
}

static void kernels(void **state)
{
	/* Objects keep to a cache line of 128 bytes on arm64 before 6.12. */
	struct run r = run("waste --model linux-6.1 --arch arm64 8x32");

	(void)state;
	run_has(&r, "dma-kmalloc-128  4 KiB");
	run_done(&r);
	r = run("waste --model linux-6.12 --arch arm64 8x32");
	run_has(&r, "dma-kmalloc-8  256 B");
	run_done(&r);
	/* Debugging makes slots of 1 KiB three times as large. */
	r = run("waste --model linux-6.1 --cmdline slub_debug=FZPU 1024");
	run_has(&r, "dma-kmalloc-1k  3 KiB");
	run_done(&r);
	r = run("waste --arch riscv64 64");
	run_has(&r, "  kmalloc-64");
	run_has(&r, "This kernel has no ZONE_DMA: GFP_DMA asks for nothing there.");
	run_done(&r);
	r = run("waste --all 64");
	run_has(&r, "  kmalloc-64");
	run_has_not(&r, "GFP_DMA");
	run_done(&r);
}

static void lists(void **state)
{
	struct run r = run_on("# a list\n\n64 100\n 0x200\t8 \n4K\n", "waste --json");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"bytes\": 64, \"count\": 100");
	run_has(&r, "\"bytes\": 512, \"count\": 8");
	run_has(&r, "\"bytes\": 4096, \"count\": 1");
	run_done(&r);
	/* One file, and where in it. */
	r = run_on("64 1\n64 two\n", "waste");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(
		strstr(r.err, ":2: expected a count from 1 to 1000000000, found \"64 two\""));
	run_done(&r);
	r = run_on("0\n", "waste");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, ":1: expected a size from 1 to 4194304 bytes, found \"0\""));
	run_done(&r);
	r = run_on("64 1 1\n", "waste");
	assert_non_null(strstr(r.err, ":1: expected a size and a count, and no more"));
	run_done(&r);
	r = run_on("# nothing\n", "waste");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, "there are none"));
	run_done(&r);
}

#define ALLOC(ptr, bytes, said, gfp)                                                              \
	"  insmod-105 [000] ..... 4.1: kmalloc: call_site=f+0x1/0x2 ptr=" ptr " bytes_req=" bytes \
	" bytes_alloc=" said " gfp_flags=" gfp "\n"
#define FREE(ptr) "  insmod-105 [000] ..... 4.2: kfree: call_site=f+0x1/0x2 ptr=" ptr "\n"
#define DMA "GFP_KERNEL|GFP_DMA"

static void traces(void **state)
{
	static const char trace[] = "# tracer: nop\n" ALLOC("00000000aaaa0001", "64", "64", DMA)
		ALLOC("00000000aaaa0002", "100", "128",
		      "GFP_KERNEL") ALLOC("00000000aaaa0003", "600", "1024", "GFP_ATOMIC|GFP_DMA")
			FREE("00000000aaaa0001") "  x-1 4.3: sched_switch: prev_comm=a\n" ALLOC(
				"0000000000000000", "64", "64", DMA)
				ALLOC("0000000000000010", "0", "0", DMA);
	struct run r = run_on(trace, "waste --json");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"allocations\": 5");
	run_has(&r, "\"not_dma\": 1");
	run_has(&r, "\"failed\": 1");
	run_has(&r, "\"empty\": 1");
	run_has(&r, "\"differ\": 0");
	run_has(&r, "\"peak_line\": 4");
	run_has(&r, "\"asked\": 664,");
	run_done(&r);
	r = run_on(trace, "waste --all --json");
	run_has(&r, "\"asked\": 764,");
	run_has(&r, "\"name\": \"kmalloc-128\"");
	run_done(&r);
	/* What is freed makes room; an address that comes again was freed unseen. */
	r = run_on(ALLOC("1", "64", "64", DMA) FREE("1") ALLOC("2", "64", "64", DMA)
			   ALLOC("2", "70", "96", DMA),
		   "waste --json");
	run_has(&r, "\"count\": 1,");
	run_has(&r, "\"asked\": 70,");
	run_done(&r);
	/* A kernel that gives other sizes is not the model. */
	r = run_on(ALLOC("1", "64", "128", DMA), "waste");
	run_has(&r, "Of the trace 1 allocations were given another size by its kernel");
	run_done(&r);
	r = run_on(ALLOC("1", "64", "64", "GFP_KERNEL"), "waste");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "Nothing asks for GFP_DMA.");
	run_done(&r);
	r = run_on("a-1: kmalloc: ptr=1 bytes_req=64 gfp_flags=GFP_WARM\n", "waste");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(
		strstr(r.err, ":1: expected kmalloc: ... gfp_flags= as linux-6.12 names them"));
	run_done(&r);
	r = run_on("a-1: kmalloc: ptr=1 gfp_flags=GFP_DMA\n", "waste");
	assert_non_null(strstr(r.err, ":1: expected kmalloc: ... bytes_req=NUMBER"));
	run_done(&r);
	r = run_on("a-1: sched_switch: x\n", "waste");
	assert_int_equal(r.rc, EXIT_INPUT);
	run_done(&r);
}

/* Slabs that became empty are kept, up to min_partial of them, beside the CPU's own. */
static void empty_slabs(void **state)
{
	char *trace = xstrdup(""), *more;
	struct run r;

	(void)state;
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 1; i <= 640; i++) {
			more = pass ? xasprintf("%sa-1: kfree: ptr=%x\n", trace, i)
				    : xasprintf(
					      "%sa-1: kmalloc: ptr=%x bytes_req=64 gfp_flags=%s\n",
					      trace, i, DMA);
			free(trace);
			trace = more;
		}
	}
	more = xasprintf("%sa-1: kmalloc: ptr=fff bytes_req=1048576 gfp_flags=%s\n", trace, DMA);
	r = run_on(more, "waste --json");
	run_has(&r, "{\"name\": \"dma-kmalloc-64\", \"objects\": 0, \"slabs\": 6, \"order\": 0, "
		    "\"held\": 24576}");
	run_has(&r, "\"count\": 1,");
	run_done(&r);
	r = run_on(trace, "waste --json");
	run_has(&r, "\"objects\": 640, \"slabs\": 10,");
	run_has(&r, "\"peak_line\": 640,");
	run_done(&r);
	free(more);
	free(trace);
}

/* trace-cmd's text begins with a line of its own. */
static void trace_cmd(void **state)
{
	struct run r = run_on("cpus=2\n" ALLOC("1", "64", "64", DMA), "waste --json");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"peak_line\": 2");
	run_done(&r);
}

/* What a block of pages takes for each of them still has to be a number. */
static void most(void **state)
{
	static const char line[] = "1 1000000000\n";
	char *list = xmalloc(1001 * (sizeof(line) - 1) + 1);
	struct run r;

	(void)state;
	for (size_t i = 0; i < 1001; i++)
		memcpy(list + i * (sizeof(line) - 1), line, sizeof(line));
	r = run_on(list, "waste");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(
		strstr(r.err, ":1001: expected at most 1 EiB and 1000000000000 allocations"));
	run_done(&r);
	list[1000 * (sizeof(line) - 1)] = 0;
	r = run_on(list, "waste --json");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"orders\": {\"held\": 4096000000000000,");
	run_done(&r);
	free(list);
}

/* Sentences keep to the columns, and a name cannot speak to the terminal. */
static void lines(void **state)
{
	char *name = run_file(ALLOC("1", "64", "64", DMA)), *odd, *line;
	struct run r = run("waste --width 40 64x100");

	(void)state;
	run_has(&r, "kmalloc(GFP_DMA), by the rules of\nlinux-6.12 on x86_64, pages of 4 KiB\n");
	run_has(&r, "\nWithout its caches this would take 392\nKiB more, 50.0 times as much.\n");
	run_done(&r);
	r = run("waste 4096x8");
	run_has(&r, "\nWithout its caches this would take as much.\n");
	run_done(&r);
	odd = xasprintf("%s-\033[31m", name);
	assert_int_equal(rename(name, odd), 0);
	line = xasprintf("waste %s", odd);
	r = run(line);
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\\x1b[31m");
	run_has_not(&r, "\033");
	run_done(&r);
	unlink(odd);
	free(line);
	free(odd);
	free(name);
}

static void refused(void **state)
{
	(void)state;
	run_refused("waste 64x", "'64x': expected a size (512, 4K, 512x100)");
	run_refused("waste 99999999999999999999", "'99999999999999999999': expected a size");
	run_refused("waste", "no sizes given, and no file");
	run_refused("waste 0", "'0': expected a size from 1 to 4194304 bytes");
	run_refused("waste 4194305", "'4194305': expected a size from 1");
	run_refused("waste 64x0", "'64x0': expected a size from 1");
	run_refused("waste 64 sizes.txt", "'sizes.txt': expected a size");
	run_refused("waste --model linux-7.0 64", "unknown model 'linux-7.0'");
	run_refused("waste --arch vax 64", "unknown architecture 'vax'");
	run_refused("waste --live 64", "--live");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),  cmocka_unit_test(kernels),	 cmocka_unit_test(lists),
		cmocka_unit_test(traces), cmocka_unit_test(empty_slabs),
		cmocka_unit_test(trace_cmd),
		cmocka_unit_test(most),	  cmocka_unit_test(lines),	 cmocka_unit_test(refused),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
