/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_source.c - what kind of source something is, directories with parts missing or bad, the
 * running machine (a made-up one), and reads that fail.
 *
 * usage: unit_source MACHINES
 *
 * read() is wrapped: the test lets any one of the calls fail. klogctl() is wrapped: the test says
 * what the ring buffer of the kernel's log holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "facts.h"
#include "input/scan.h"
#include "input/source.h"

static const char *unit_machines;

/* Which call of read() fails, counted down; negative for none. */
static int unit_fail_at = -1;
static unsigned int unit_reads;

ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	unit_reads++;
	if (unit_fail_at >= 0 && unit_fail_at-- == 0) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, buf, n);
}

/* The kernel's log; NULL when it may not be read. */
static const char *unit_ring;

int __wrap_klogctl(int action, char *buf, int len);

int __wrap_klogctl(int action, char *buf, int len)
{
	size_t n = unit_ring ? strlen(unit_ring) : 0;

	if (!unit_ring) {
		errno = EPERM;
		return -1;
	}
	if (action != 3)
		return (int)n + 100;
	assert_true(len > (int)n);
	memcpy(buf, unit_ring, n);
	return (int)n;
}

/* A directory of the test's own, removed at the end with all that was written to it. */
static char unit_dir[] = "unit_source_XXXXXX";
static VEC(char *) unit_made;

static char *unit_path(const char *name)
{
	return xasprintf("%s/%s", unit_dir, name);
}

static void unit_mkdirs(const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		char *dir = xstrndup(path, (size_t)(p - path));

		if (!mkdir(dir, 0755))
			*vec_push(&unit_made) = dir;
		else
			free(dir);
	}
}

static void unit_write_n(const char *name, const void *text, size_t n)
{
	char *path = unit_path(name);
	FILE *f;

	unit_mkdirs(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	*vec_push(&unit_made) = path;
}

static void unit_write(const char *name, const char *text)
{
	unit_write_n(name, text, strlen(text));
}

static int unit_setup(void **state)
{
	strcpy(unit_dir + sizeof(unit_dir) - 7, "XXXXXX");
	unit_fail_at = -1;
	return mkdtemp(unit_dir) ? 0 : -1;
}

static int unit_teardown(void **state)
{
	while (unit_made.n) {
		char *path = unit_made.v[--unit_made.n];

		remove(path);
		free(path);
	}
	vec_free(&unit_made);
	return rmdir(unit_dir);
}

static int unit_read(struct facts *f, const char *name, char **err)
{
	char *path = unit_path(name);
	int ret;

	facts_init(f);
	*err = NULL;
	ret = source_read(f, path, NULL, err);
	assert_true((ret != 0) == (*err != NULL));
	assert_true(ret == 0 || ret == INPUT_BAD);
	free(path);
	return ret;
}

/* A file with this content is refused with a line that ends so. */
static void unit_refused(const void *text, size_t n, const char *expected)
{
	struct facts f;
	char *err;

	unit_write_n("file", text, n);
	assert_int_equal(unit_read(&f, "file", &err), INPUT_BAD);
	if (strncmp(err, unit_dir, strlen(unit_dir)) != 0 || !strstr(err, expected) ||
	    strchr(err, '\n'))
		fail_msg("%s", err);
	free(err);
	facts_destroy(&f);
}

static const char unit_iomem[] = "00000000-00000fff : Reserved\n00001000-7fffffff : System RAM\n";
static const char unit_hidden[] = "00000000-00000000 : System RAM\n";
static const char unit_e820[] = "BIOS-e820: [mem 0x0-0x9fbff] usable\n"
				"BIOS-e820: [mem 0x100000-0x7fffffff] usable\n";
static const char unit_zoneinfo[] = "Node 0, zone      DMA\n  pages free     3\n"
				    "        managed  1024\n        protection: (0, 0)\n";
static const char unit_log[] =
	"[    0.000000] Linux version 6.1.0-50-amd64 (x@y) (gcc) #1 SMP\n"
	"[    0.000000] Command line: console=ttyS0\n"
	"[    0.000000] BIOS-provided physical RAM map:\n"
	"[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
	"[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable\n";

static void kinds(void **state)
{
	static const struct {
		const char *text;
		enum source_kind kind;
	} kinds[] = {
		{ unit_iomem, SRC_IOMEM },
		{ unit_e820, SRC_E820 },
		{ "0x0-0x9fbff usable\n0x100000-0x7fffffff usable\n", SRC_E820 },
		{ "0 0x0 0x9fbff System RAM\n", SRC_E820 },
		{ unit_log, SRC_LOG },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct facts f;
		char *err;

		unit_write("file", kinds[i].text);
		if (unit_read(&f, "file", &err))
			fail_msg("%s", err);
		assert_int_equal(f.kind, kinds[i].kind);
		facts_destroy(&f);
	}
}

static void refused(void **state)
{
	static const char late[] = "[    9.000000] usb 1-1: one\n[    9.000001] usb 1-1: two\n"
				   "[    9.100000] eth0: link up\n";
	static const char zeros[64];
	char *random = xmalloc(4096);
	uint32_t x = 1;

	for (size_t i = 0; i < 4096; i++) {
		x = x * 1664525 + 1013904223;
		random[i] = (char)(x >> 24);
	}
	unit_refused("", 0, "/file: empty");
	unit_refused(zeros, sizeof(zeros), "/file: neither text, nor a device tree blob");
	unit_refused(random, 4096, "/file: neither text, nor a device tree blob");
	unit_refused("\xd0\x0d\xfe\xed", 4, "/file: a device tree that is cut off after 4 bytes");
	unit_refused("hello\n", 6, "/file: neither a kernel log, nor an iomem or e820 listing");
	unit_refused(
		late, strlen(late),
		"/file: a log without any line of a kernel's start: 3 lines, none of them used");
	unit_refused(unit_zoneinfo, strlen(unit_zoneinfo), "/file: a zoneinfo alone");
	unit_refused(unit_hidden, strlen(unit_hidden), "/file: every address is 0");
	unit_refused("0-fff : a\nb\n", 12, "/file:2: expected \"first-last : name\"");
	unit_refused("0-fff usable\n\n2000-1000 usable\n", 31, "/file:3: the range ends before");
	free(random);
}

static void not_there(void **state)
{
	struct facts f;
	char *err;

	assert_int_equal(unit_read(&f, "nothing", &err), INPUT_BAD);
	assert_non_null(strstr(err, "/nothing: "));
	free(err);
	facts_destroy(&f);
}

static void standard_input(void **state)
{
	int kept = dup(0), in[2];
	struct facts f;
	char *err = NULL;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(write(in[1], unit_iomem, strlen(unit_iomem)), strlen(unit_iomem));
	close(in[1]);
	assert_int_equal(dup2(in[0], 0), 0);
	close(in[0]);
	facts_init(&f);
	assert_int_equal(source_read(&f, "-", NULL, &err), 0);
	assert_int_equal(f.kind, SRC_IOMEM);
	assert_string_equal(f.files.v[0], "standard input");
	facts_destroy(&f);

	/* Now it is at its end. */
	facts_init(&f);
	assert_int_equal(source_read(&f, "-", NULL, &err), INPUT_BAD);
	assert_string_equal(err, "standard input: empty");
	free(err);
	facts_destroy(&f);
	dup2(kept, 0);
	close(kept);
}

static void directory(void **state)
{
	struct facts f;
	char *err;

	/* Nothing in it that tells memory. */
	unit_write("d/version.txt", "Linux version 6.1.0 x\n");
	assert_int_equal(unit_read(&f, "d", &err), INPUT_BAD);
	assert_non_null(strstr(err, "/d: a directory without dmesg, iomem"));
	free(err);
	facts_destroy(&f);

	/* An iomem is enough, by its name in /proc too. */
	unit_write("d/iomem", unit_iomem);
	unit_write("d/zoneinfo.txt", unit_zoneinfo);
	unit_write("d/meminfo.txt", "MemTotal: 65536 kB\n");
	if (unit_read(&f, "d", &err))
		fail_msg("%s", err);
	assert_int_equal(f.kind, SRC_DIR);
	assert_string_equal(f.release, "6.1.0");
	assert_int_equal(f.iomem.n, 2);
	assert_int_equal(f.zoneinfo.n, 1);
	assert_int_equal(f.page_shift, 16);
	assert_non_null(strstr(f.files.v[f.iomem.v[0].at.file], "/d/iomem"));
	facts_destroy(&f);

	/* The name with .txt goes first. One without addresses is left out, and that is noted. */
	unit_write("d/iomem.txt", unit_hidden);
	if (unit_read(&f, "d", &err))
		fail_msg("%s", err);
	assert_int_equal(f.iomem.n, 0);
	assert_int_equal(f.notes.n, 1);
	facts_destroy(&f);

	/* The binary form that it has in /proc is passed over. */
	unit_write_n("d/kpageflags", "\0\0\0\0\0\0\0\0", 8);
	assert_int_equal(unit_read(&f, "d", &err), 0);
	facts_destroy(&f);

	/* A part that is damaged is named. */
	unit_write("d/kpageflags.txt.xz", "no xz at all, but text\n");
	assert_int_equal(unit_read(&f, "d", &err), INPUT_BAD);
	assert_non_null(strstr(err, "/d/kpageflags.txt.xz:1: expected \"first end pages class\""));
	free(err);
	facts_destroy(&f);
	unit_write("d/kpageflags.txt.xz", "\xfd"
					  "7zXZ");
	unit_write_n("d/kpageflags.txt.xz",
		     "\xfd"
		     "7zXZ\0\0\1",
		     8);
	assert_int_equal(unit_read(&f, "d", &err), INPUT_BAD);
	assert_non_null(strstr(err, "/d/kpageflags.txt.xz: "));
	assert_null(strchr(err, '\n'));
	free(err);
	facts_destroy(&f);
}

/* The log and the files beside it complete each other, and contradictions are found. */
static void directory_log(void **state)
{
	struct facts f;
	char *err;

	unit_write("d/dmesg.txt", unit_log);
	unit_write("d/version.txt", "Linux version 6.12.0 x\n");
	unit_write("d/cmdline.txt", "console=ttyS0 quiet\n");
	if (unit_read(&f, "d", &err))
		fail_msg("%s", err);
	assert_string_equal(f.release, "6.1.0-50-amd64");
	assert_int_equal(f.contradictions.n, 1);
	assert_int_equal(f.fw.n, 2);
	facts_destroy(&f);
}

static void unit_live_files(void)
{
	unit_write("proc/version", "Linux version 6.1.0 x\n");
	unit_write("proc/cmdline", "quiet\n");
	unit_write("proc/zoneinfo", unit_zoneinfo);
	unit_write("proc/meminfo", "MemTotal: 4096 kB\n");
	unit_write("proc/sys/vm/min_free_kbytes", "1234\n");
	unit_write("proc/sys/vm/lowmem_reserve_ratio", "256\t32\n");
	unit_write("sys/firmware/memmap/0/start", "0x0\n");
	unit_write("sys/firmware/memmap/0/end", "0x9fbff\n");
	unit_write("sys/firmware/memmap/0/type", "System RAM\n");
	unit_write("sys/firmware/memmap/1/start", "0x100000\n");
	unit_write("sys/firmware/memmap/1/end", "0x7fffffff\n");
	unit_write("sys/firmware/memmap/1/type", "Reserved\n");
	unit_write("sys/kernel/debug/memblock/memory", "   0: 0x1000..0x1fff    0 NONE\n");
	unit_write("sys/kernel/debug/memblock/reserved", "   0: 0x1000..0x1fff    0 NONE\n");
	unit_write("sys/devices/system/node/online", "0,2\n");
	unit_write("sys/devices/system/node/has_memory", "0\n");
	unit_write("sys/devices/system/node/node0/distance", "10 20\n");
	unit_write("sys/devices/system/node/node2/distance", "20 10\n");
}

static int unit_live(struct facts *f, char **err)
{
	struct source_options o = { .live = true, .root = unit_dir };
	int ret;

	facts_init(f);
	*err = NULL;
	ret = source_read(f, NULL, &o, err);
	assert_true((ret != 0) == (*err != NULL));
	return ret;
}

static void live(void **state)
{
	uint64_t flags[8] = { 0 };
	struct facts f;
	char *err;

	/* Nothing at all. */
	assert_int_equal(unit_live(&f, &err), INPUT_BAD);
	assert_string_equal(err, "the running machine: neither its iomem nor its firmware's map "
				 "can be read; the kernel shows them to root only");
	free(err);
	facts_destroy(&f);

	unit_live_files();
	unit_write("proc/iomem", unit_hidden);
	if (unit_live(&f, &err))
		fail_msg("%s", err);
	assert_int_equal(f.kind, SRC_LIVE);
	assert_int_equal(f.iomem.n, 0);
	assert_int_equal(f.fw.n, 2);
	assert_int_equal(f.fw.v[1].range.first, 0x100000);
	assert_int_equal(f.mb_regions.n, 2);
	assert_true(f.mb_regions.v[1].reserved);
	assert_int_equal(f.zoneinfo.n, 1);
	assert_int_equal(f.min_free_kbytes, 1234);
	assert_int_equal(f.lowmem_ratios, 2);
	assert_int_equal(f.distances.n, 4);
	assert_int_equal(f.nodes_online.n, 2);
	assert_int_equal(f.nodes_memory.n, 1);
	assert_string_equal(f.cmdline, "quiet");
	assert_int_equal(f.notes.n, 1); /* the iomem */
	facts_destroy(&f);

	/* Page frames 0 to 7; an iomem of the first eight and of others. */
	unit_write("proc/iomem", "0-4fff : System RAM\n5000-5fff : Reserved\n"
				 "6000-100fff : System RAM\n");
	flags[0] = (uint64_t)1 << 32;
	flags[3] = (uint64_t)1 << 19;
	flags[4] = (uint64_t)1 << 20;
	flags[6] = (uint64_t)1 << 23;
	unit_write_n("proc/kpageflags", flags, sizeof(flags));
	if (unit_live(&f, &err))
		fail_msg("%s", err);
	if (f.page_shift == 12) {
		static const struct fact_pages expected[] = {
			{ { 0, 0 }, PGC_RESERVED, { 0, 0 } }, { { 1, 2 }, PGC_MANAGED, { 0, 0 } },
			{ { 3, 3 }, PGC_HWPOISON, { 0, 0 } }, { { 4, 4 }, PGC_NOPAGE, { 0, 0 } },
			{ { 6, 6 }, PGC_OFFLINE, { 0, 0 } },  { { 7, 7 }, PGC_MANAGED, { 0, 0 } },
		};

		assert_int_equal(f.pages.n, 6);
		for (size_t i = 0; i < 6; i++) {
			assert_int_equal(f.pages.v[i].pfns.first, expected[i].pfns.first);
			assert_int_equal(f.pages.v[i].pfns.last, expected[i].pfns.last);
			assert_int_equal(f.pages.v[i].cls, expected[i].cls);
		}
	}
	facts_destroy(&f);
}

/* Whichever read fails, the machine is told without it, and a note says so; or one line does. */
static void live_read_fails(void **state)
{
	unsigned int k = 0;

	unit_live_files();
	unit_write("proc/iomem", unit_iomem);
	unit_write_n("proc/kpageflags", "", 0);
	for (;; k++) {
		struct facts f;
		bool failed;
		char *err;
		int ret;

		unit_fail_at = (int)k;
		ret = unit_live(&f, &err);
		failed = unit_fail_at < 0;
		unit_fail_at = -1;
		free(err);
		if (!failed) {
			assert_int_equal(ret, 0);
			assert_int_equal(f.notes.n, 0);
			facts_destroy(&f);
			break;
		}
		assert_int_equal(ret, 0);
		facts_destroy(&f);
	}
	assert_true(k > 20);
}

/* The machine that the test runs on, whatever it is and may read; its log is made up. */
static void live_log(void **state)
{
	static const struct {
		const char *ring, *note;
	} logs[] = {
		{ NULL, "the kernel's log: Operation not permitted" },
		{ "", "the kernel's log: its start is lost, so it is not used" },
		{ "<6>[    9.000000] usb 1-1\n", "the kernel's log: its start is lost" },
		{ unit_log, NULL },
	};
	struct source_options o = { .live = true };

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		bool noted = false;
		struct facts f;
		char *err = NULL;
		int ret;

		unit_ring = logs[i].ring;
		facts_init(&f);
		ret = source_read(&f, NULL, &o, &err);
		assert_true((ret != 0) == (err != NULL));
		for (size_t k = 0; logs[i].note && k < f.notes.n; k++)
			noted = noted || !strncmp(f.notes.v[k], logs[i].note, strlen(logs[i].note));
		assert_true(noted == (logs[i].note != NULL));
		if (!logs[i].note) {
			assert_int_equal(ret, 0);
			assert_string_equal(f.release, "6.1.0-50-amd64");
			assert_true(f.fw.n >= 2);
		}
		free(err);
		facts_destroy(&f);
	}
}

static void directory_read_fails(void **state)
{
	char *dir = xasprintf("%s/x86_64/6.1-kdump-256M", unit_machines);
	unsigned int k = 0;

	for (;; k++) {
		struct facts f;
		char *err = NULL;
		bool failed;
		int ret;

		facts_init(&f);
		unit_fail_at = (int)k;
		ret = source_read(&f, dir, NULL, &err);
		failed = unit_fail_at < 0;
		unit_fail_at = -1;
		assert_int_equal(ret, failed ? INPUT_BAD : 0);
		if (failed)
			assert_non_null(strstr(err, "Input/output error"));
		free(err);
		facts_destroy(&f);
		if (!failed)
			break;
	}
	assert_true(k > 10);
	free(dir);
}

#define unit_fixture(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		unit_fixture(kinds),	 unit_fixture(refused),
		unit_fixture(not_there), unit_fixture(standard_input),
		unit_fixture(directory), unit_fixture(directory_log),
		unit_fixture(live),	 unit_fixture(live_read_fails),
		unit_fixture(live_log),	 unit_fixture(directory_read_fails),
	};

	unit_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
