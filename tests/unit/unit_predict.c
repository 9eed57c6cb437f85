/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone predict: flips that are known beforehand, on recorded machines and made-up maps; what a
 * machine of another size is like; sweeps that are refused.
 */
#include "start_run.h"

#include "analysis.h"
#include "input/source.h"
#include "predict/predict.h"

const char *run_machines;

static void sweep_reads(void **state)
{
	struct sweep s;
	char *err = NULL;

	(void)state;
	assert_int_equal(sweep_parse(&s, "ram=64M..1T", &err), 0);
	assert_true(s.values.n == 15 && s.values.v[0] == UINT64_C(64) << 20);
	assert_true(s.values.v[14] == UINT64_C(1) << 40);
	sweep_destroy(&s);
	/* The end is tried too, where steps or powers miss it. */
	assert_int_equal(sweep_parse(&s, "cma=16M..50M:16M", &err), 0);
	assert_true(s.values.n == 4 && s.values.v[3] == UINT64_C(50) << 20);
	sweep_destroy(&s);
	assert_int_equal(sweep_parse(&s, "crashkernel=3M..7M", &err), 0);
	assert_true(s.values.n == 3 && s.values.v[1] == UINT64_C(6) << 20);
	sweep_destroy(&s);
	/* Slots are 2 KiB; with a unit they are bytes. */
	assert_int_equal(sweep_parse(&s, "swiotlb=512..1M", &err), 0);
	assert_true(s.values.n == 1 && s.values.v[0] == UINT64_C(1) << 20);
	sweep_destroy(&s);
	assert_int_equal(sweep_parse(&s, "ram=2g..2048m", &err), 0);
	assert_true(s.values.n == 1);
	sweep_destroy(&s);
}

static void sweep_writes(void **state)
{
	static const struct {
		const char *sweep, *line, *want;
		uint64_t value;
	} rows[] = {
		{ "cma=1M..2M", NULL, "cma=2048K", 2 << 20 },
		{ "cma=1M..2M", "quiet cma=64M@16M ro", "cma=2048K@16M quiet ro", 2 << 20 },
		{ "crashkernel=1M..2M", "crashkernel=512M,high crashkernel=64M,low a",
		  "crashkernel=1024K,high crashkernel=64M,low a", 1 << 20 },
		{ "crashkernel=1M..2M", "crashkernel=1G-2G:64M,2G-:128M@32M",
		  "crashkernel=1024K@32M", 1 << 20 },
		{ "swiotlb=1M..2M", "swiotlb=65536,4,force", "swiotlb=512,4,force", 1 << 20 },
		{ "swiotlb=1M..2M", "swiotlb=force", "swiotlb=1024,force", 2 << 20 },
		{ "coherent_pool=1M..2M", "coherent-pool=0 x", "coherent_pool=1024K x", 1 << 20 },
		{ "cma=1M..2M", "a -- cma=3M", "cma=1024K a -- cma=3M", 1 << 20 },
		{ "cma=1M..2M", "xcma=3M b=\"c cma=4M\"", "cma=1024K xcma=3M b=\"c cma=4M\"",
		  1 << 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *err = NULL, *line;
		struct sweep s;

		assert_int_equal(sweep_parse(&s, rows[i].sweep, &err), 0);
		line = sweep_cmdline(&s, rows[i].line, rows[i].value);
		assert_string_equal(line, rows[i].want);
		free(line);
		sweep_destroy(&s);
	}
}

/* A machine grown from a recorded one has the map that the larger machine recorded. */
static void resized_like_recorded(void **state)
{
	static const struct {
		const char *from, *like;
		uint64_t mib;
	} rows[] = {
		{ "x86_64/6.1-pc-2G", "x86_64/6.1-pc-4G", 4096 },
		{ "x86_64/6.1-pc-2G", "x86_64/6.1-pc-8G", 8192 },
		{ "x86_64/6.1-pc-8G", "x86_64/6.1-pc-1G", 1024 },
		{ "x86_64/6.1-pc-4G", "x86_64/6.1-pc-256M", 256 },
		{ "arm64/6.1-virt-1G", "arm64/6.1-virt-8G", 8192 },
		{ "arm64/6.1-virt-8G", "arm64/6.1-virt-3G", 3072 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct analysis_options how = { .cmdline = NULL };
		struct source_options so = { .boot = 0 };
		struct facts from, made, like;
		char *path, *err = NULL;
		struct an_start a, b;
		struct analysis x, y;

		facts_init(&from);
		facts_init(&made);
		facts_init(&like);
		path = xasprintf("%s/%s", run_machines, rows[i].from);
		assert_int_equal(source_read(&from, path, &so, &err), 0);
		free(path);
		path = xasprintf("%s/%s", run_machines, rows[i].like);
		assert_int_equal(source_read(&like, path, &so, &err), 0);
		free(path);
		assert_int_equal(resized_machine(&made, &from, &how, rows[i].mib << 20, &err), 0);
		assert_int_equal(analyse_start(&a, &x, &made, &how, &err), 0);
		assert_int_equal(analyse_start(&b, &y, &like, &how, &err), 0);
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			assert_int_equal(a.z.node[0].zone[t].start_pfn,
					 b.z.node[0].zone[t].start_pfn);
			assert_int_equal(a.z.node[0].zone[t].present, b.z.node[0].zone[t].present);
		}
		an_start_destroy(&a);
		an_start_destroy(&b);
		analysis_destroy(&x);
		analysis_destroy(&y);
		facts_destroy(&from);
		facts_destroy(&made);
		facts_destroy(&like);
	}
}

/* Bounce buffers begin with the first memory above 4 GiB. */
static void by_memory(void **state)
{
	struct run r = run("predict --sweep ram=64M..1T @x86_64/6.1-pc-2G");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "not asked for, served from 3073M");
	run_has(&r, "atomic pool GFP_DMA    served");
	run_has(&r, "64M 128M");
	run_done(&r);
	/* What the image does not fit into does not start. */
	r = run("predict --sweep ram=16M..128M @x86_64/6.1-pc-2G");
	run_has(&r, "no such machine, served from");
	run_has(&r, "the kernel image has no place in this memory");
	run_done(&r);
	/* A capture kernel's machine: what kexec gave it grows, and ZONE_DMA stays empty. */
	r = run("predict --model all --sweep ram=64M..1G @x86_64/6.1-kdump-256M");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "under linux-5.15, all along: DMA: no page of it is managed");
	run_has(&r, "not asked for");
	run_done(&r);
}

static void by_command_line(void **state)
{
	struct run r = run("predict --model linux-5.15,linux-6.1 --sweep swiotlb=1M..8G "
			   "@x86_64/6.1-pc-8G");

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	/* 5.15 fails where 6.1 is content with less. */
	run_has(&r, "served, fails from 2993408K");
	run_has(&r, "served, less from 2097408K");
	run_done(&r);
	r = run("predict --sweep cma=16M..2G:16M --width 80 @arm64/6.1-virt-1G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_says(&r, "in steps of 16M, flips to 1 MiB, ");
	run_has(&r, "contiguous area        served, fails from ");
	run_says(&r, "no place: the longest range that is free for it is");
	run_done(&r);
	r = run("predict --sweep coherent_pool=64K..64M @x86_64/6.1-pc-2G");
	run_has(&r, "atomic pool            served, less from 4100K");
	run_done(&r);
	/* What nobody asks for is said, where it is what changes. */
	r = run("predict --sweep swiotlb=1M..1M @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_says(&r, "1 machine tried");
	run_says(&r, "bounce buffers not asked for");
	run_done(&r);
}

/* A map alone: half of what the image leaves is sure, all of it is the most. */
static void made_up_machine(void **state)
{
	char *name = run_file("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
			      "BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable\n");
	char *line = xasprintf("predict --sweep crashkernel=64M..1G %s", name);
	struct run r = run(line);

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "served, depends from 490M, fails from 980M");
	run_says(&r, "depends at 490M: on where KASLR puts the image of 44 MiB");
	run_done(&r);
	free(line);
	line = xasprintf("predict --cmdline hugepages=64 --sweep ram=64M..4G %s", name);
	r = run(line);
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "2M huge page           fails, served from 186M");
	run_done(&r);
	unlink(name);
	free(line);
	free(name);
}

/* The flip is exact: boot says the same on both sides of it. */
static void flips_are_exact(void **state)
{
	struct run r = run("predict --json --sweep crashkernel=64M..2G @x86_64/6.1-crash128M-1G");
	unsigned long long last, first;
	const char *at;
	char *line;

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	at = run_has(&r, "\"request\": \"crash kernel\"");
	at = strstr(at, "{\"last\": ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "{\"last\": %llu, \"first\": %llu", &last, &first), 2);
	assert_int_equal(first - last, 1 << 20);
	run_done(&r);
	line = xasprintf("boot --cmdline console=ttyS0~crashkernel=%lluK @x86_64/6.1-crash128M-1G",
			 last >> 10);
	r = run(line);
	assert_int_equal(r.rc, EXIT_FINE);
	run_done(&r);
	free(line);
	line = xasprintf("boot --cmdline console=ttyS0~crashkernel=%lluK @x86_64/6.1-crash128M-1G",
			 first >> 10);
	r = run(line);
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_done(&r);
	free(line);
}

/* The capture kernel of a machine, by the memory that it is given. */
static void by_crash_kernel(void **state)
{
	struct run r = run("predict --capture kexec --model all --sweep crashkernel=64M..1G "
			   "@x86_64/6.1-crash128M-1G");

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_says(&r, "in the capture kernel, loaded by kexec");
	run_has(&r, "atomic pool GFP_DMA  linux-5.15");
	run_has(&r, "crash kernel under all, fails at");
	run_has(&r, "no such machine from");
	run_done(&r);
}

static void pictures(void **state)
{
	struct run r = run("predict --svg - --model all --sweep ram=64M..16G @x86_64/6.1-pc-2G");

	(void)state;
	run_has(&r, "<svg xmlns=");
	run_has(&r, "bounce buffers, linux-5.15 at 4G: served");
	run_has(&r, "not asked for");
	run_has_not(&r, "Sweep");
	run_done(&r);
	r = run("predict --svg /nowhere/at/all.svg --sweep ram=64M..1G @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	assert_non_null(strstr(r.err, "/nowhere/at/all.svg: cannot write"));
	run_done(&r);
	/* More values than columns: a column shows the worst of its values. */
	r = run("predict --width 60 --sweep cma=1M..1G:1M @arm64/6.1-virt-1G");
	for (const char *p = r.text; *p; p += strcspn(p, "\n") + 1)
		if (!strncmp(p, "  contiguous area  ", 19))
			assert_true(strcspn(p, "\n") <= 60);
	run_done(&r);
}

static void refused(void **state)
{
	(void)state;
#define ON " @x86_64/6.1-pc-2G"
	run_refused("predict" ON, "no --sweep given");
	run_refused("predict --sweep ram=1G..2G --sweep cma=1M..2M" ON, "one --sweep at a time");
	run_refused("predict --sweep ram=64M" ON, "wants WHAT=FROM..TO[:STEP], not 'ram=64M'");
	run_refused("predict --sweep rma=64M..1G" ON, "knows no 'rma'");
	run_refused("predict --sweep crashkernal=64M..1G" ON, "did you mean 'crashkernel'?");
	run_refused("predict --sweep ram=1G..64M" ON, "ends below its start");
	run_refused("predict --sweep ram=1G..2X" ON, "wants sizes such as 64M..2G");
	run_refused("predict --sweep ram=1G..2G:" ON, "wants sizes such as 64M..2G");
	run_refused("predict --sweep ram=1G..99999999999999999999G" ON, "wants sizes such as");
	run_refused("predict --sweep ram=1G..2G:0" ON, "STEP has to be from 1 MiB");
	run_refused("predict --sweep ram=1M..2G" ON, "FROM has to be from 16 MiB to 16 TiB");
	run_refused("predict --sweep ram=16777217..2G" ON, "multiple of 1 MiB");
	run_refused("predict --sweep ram=16M..1T:1M" ON, "more than 4096 sizes");
	run_refused("predict --sweep ram=1G..2G --model linux-9" ON, "unknown model 'linux-9'");
	run_refused("predict --sweep ram=1G..2G", "no SOURCE given");
#undef ON
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sweep_reads),
		cmocka_unit_test(sweep_writes),
		cmocka_unit_test(by_memory),
		cmocka_unit_test(by_command_line),
		cmocka_unit_test(made_up_machine),
		cmocka_unit_test(flips_are_exact),
		cmocka_unit_test(by_crash_kernel),
		cmocka_unit_test(pictures),
		cmocka_unit_test(resized_like_recorded),
		cmocka_unit_test(refused),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
