/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_dtb.c - device trees: memory, reservations, the choices of the boot loader, how far buses
 * reach, and blobs that are cut off or damaged.
 *
 * usage: unit_dtb [MACHINES]
 *
 * Trees are made with libfdt's sequential writer. With a directory of recorded machines, each blob
 * in it is cut at every byte, and damaged at many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <libfdt.h>

#include <physzone/map.h>

#include "facts.h"
#include "input/dtb.h"
#include "input/scan.h"
#include "input/text.h"
#include "tree.h"

static const char *unit_machines;

static void unit_read(struct facts *f)
{
	size_t n = unit_finish();
	char *err = NULL;

	facts_init(f);
	if (dtb_read(f, facts_file(f, "t"), unit_blob, n, &err))
		fail_msg("%s", err);
}

static void unit_refused(const char *expected)
{
	size_t n = unit_finish();
	struct facts f;
	char *err = NULL;

	facts_init(&f);
	assert_int_equal(dtb_read(&f, facts_file(&f, "t"), unit_blob, n, &err), INPUT_BAD);
	assert_string_equal(err, expected);
	assert_false(f.dt.seen);
	free(err);
	facts_destroy(&f);
}

static void memory(void **state)
{
	struct facts f;

	unit_root(2, 1);
	unit_string("model", "A board");
	unit_string("compatible", "maker,board");
	unit_open("memory@40000000");
	unit_string("device_type", "memory");
	unit_cells("reg", 0, 0x40000000, 0x1000, 1, 0, 0, 1, 0, 0x80000000);
	unit_cells("numa-node-id", 3);
	unit_flag("hotpluggable");
	unit_close();
	unit_open("memory@1");
	unit_string("device_type", "memory");
	unit_cells("reg", 7, 0, 0x1000);
	unit_string("status", "disabled");
	unit_close();
	unit_open("memory@2"); /* not of the type */
	unit_cells("reg", 8, 0, 0x1000);
	unit_close();
	unit_open("memory@3");
	unit_string("device_type", "memory");
	unit_string("status", "okay");
	unit_cells("reg", 9, 0, 0x1000);
	unit_cells("linux,usable-memory", 10, 0, 0x2000);
	unit_close();
	unit_open("soc");
	unit_open("memory"); /* not below the root */
	unit_string("device_type", "memory");
	unit_cells("reg", 11, 0, 0x1000);
	unit_close();
	unit_close();
	unit_read(&f);
	assert_true(f.dt.seen);
	assert_string_equal(f.dt.model, "A board");
	assert_string_equal(f.dt.compatible, "maker,board");
	assert_int_equal(f.fw.n, 3);
	assert_int_equal(f.fw.v[0].origin, FW_DT);
	assert_int_equal(f.fw.v[0].type, PZ_MAP_RAM);
	assert_int_equal(f.fw.v[0].range.first, 0x40000000);
	assert_int_equal(f.fw.v[0].range.last, 0x40000fff);
	assert_int_equal(f.fw.v[0].nid, 3);
	assert_int_equal(f.fw.v[1].range.first, 0x100000000);
	assert_int_equal(f.fw.v[1].range.last, 0x17fffffff);
	assert_int_equal(f.fw.v[2].range.first, 0xa00000000);
	assert_int_equal(f.fw.v[2].nid, PZ_NID_NONE);
	assert_int_equal(f.srat.n, 2);
	assert_true(f.srat.v[0].hotplug);
	assert_true(f.dt.dma_max_cpu == PZ_ADDR_MAX);
	/* The reservation block. */
	assert_int_equal(f.claims.n, 1);
	assert_int_equal(f.claims.v[0].kind, CLAIM_DT_RESERVED);
	assert_int_equal(f.claims.v[0].range.first, 0x1000);
	assert_int_equal(f.claims.v[0].range.last, 0x2fff);
	assert_int_equal(f.contradictions.n, 0);
	facts_destroy(&f);
}

static void memory_odd(void **state)
{
	struct facts f;

	unit_root(2, 2);
	unit_open("memory@0");
	unit_string("device_type", "memory");
	unit_cells("reg", 0xffffffff, 0xfffff000, 0, 0x2000, 7);
	unit_close();
	unit_read(&f);
	assert_int_equal(f.fw.n, 1);
	assert_true(f.fw.v[0].range.first == 0xfffffffffffff000);
	assert_true(f.fw.v[0].range.last == UINT64_MAX);
	assert_int_equal(f.contradictions.n, 2);
	facts_destroy(&f);

	unit_root(1, 0);
	unit_refused("t: the root's #address-cells 1 and #size-cells 0 are none that memory has");
	unit_root(0xffffffff, 1);
	unit_refused("t: the root's #address-cells 4294967295 and #size-cells 1 are none that "
		     "memory has");
}

static void reserved(void **state)
{
	const struct fact_dt_dynamic *d;
	struct facts f;

	unit_root(1, 1);
	unit_open("reserved-memory");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_flag("ranges");
	unit_open("one");
	unit_cells("reg", 0x100000, 0x1000, 0x200000, 0x2000);
	unit_flag("no-map");
	unit_close();
	unit_open("two");
	unit_cells("reg", 0x300000, 0x1000);
	unit_flag("reusable");
	unit_close();
	unit_open("off");
	unit_cells("reg", 0x400000, 0x1000);
	unit_string("status", "disabled");
	unit_close();
	unit_open("odd");
	unit_cells("reg", 0x400000);
	unit_close();
	unit_open("linux,cma");
	unit_string("compatible", "shared-dma-pool");
	unit_cells("size", 0x4000000);
	unit_cells("alignment", 0x2000);
	unit_cells("alloc-ranges", 0, 0x40000000, 0x50000000, 0x1000);
	unit_flag("reusable");
	unit_flag("linux,cma-default");
	unit_close();
	unit_open("bad");
	unit_cells("size", 0, 1);
	unit_close();
	unit_close();
	unit_read(&f);
	assert_int_equal(f.claims.n, 4); /* with the reservation block */
	assert_string_equal(f.claims.v[1].text, "one");
	assert_true(f.claims.v[2].nomap);
	assert_int_equal(f.claims.v[2].range.last, 0x201fff);
	assert_true(f.claims.v[3].reusable);
	assert_int_equal(f.contradictions.n, 2);
	assert_int_equal(f.dt.dynamic.n, 1);
	d = &f.dt.dynamic.v[0];
	assert_string_equal(d->name, "linux,cma");
	assert_int_equal(d->size, 0x4000000);
	assert_int_equal(d->align, 0x2000);
	assert_int_equal(d->within.n, 2);
	assert_int_equal(d->within.v[0].last, 0x3fffffff);
	assert_true(d->reusable && d->shared_pool && d->cma_default && !d->nomap);
	facts_destroy(&f);

	/* Cell counts that are not the root's: the kernel ignores all of it. */
	unit_root(1, 1);
	unit_open("reserved-memory");
	unit_cells("#address-cells", 2);
	unit_cells("#size-cells", 1);
	unit_flag("ranges");
	unit_open("one");
	unit_cells("reg", 0, 0x100000, 0x1000);
	unit_close();
	unit_close();
	unit_read(&f);
	assert_int_equal(f.claims.n, 1);
	assert_int_equal(f.contradictions.n, 1);
	facts_destroy(&f);
}

static void chosen(void **state)
{
	struct facts f;
	char *err = NULL;
	size_t n;

	unit_root(2, 2);
	unit_open("chosen");
	unit_string("bootargs", "console=ttyAMA0");
	unit_cells("linux,initrd-start", 0x48000000);
	unit_cells("linux,initrd-end", 0, 0x48001000);
	unit_cells("linux,usable-memory-range", 0, 0x1000, 0, 0x1000, 1, 0, 0, 0x1000, 2, 0, 0, 1);
	unit_cells("linux,elfcorehdr", 0, 0x9000, 0, 0x400);
	unit_close();
	unit_open("cpus");
	unit_open("cpu@0");
	unit_string("device_type", "cpu");
	unit_string("compatible", "arm,cortex-a72");
	unit_close();
	unit_open("cpu@1");
	unit_string("device_type", "cpu");
	unit_string("status", "fail");
	unit_close();
	unit_open("cpu-map");
	unit_close();
	unit_close();
	unit_open("distance-map");
	unit_string("compatible", "numa-distance-map-v1");
	unit_cells("distance-matrix", 0, 0, 10, 0, 1, 20, 1, 1, 10);
	unit_close();
	unit_read(&f);
	assert_string_equal(f.cmdline, "console=ttyAMA0");
	assert_int_equal(f.claims.n, 3);
	assert_int_equal(f.claims.v[1].kind, CLAIM_INITRD);
	assert_int_equal(f.claims.v[1].range.first, 0x48000000);
	assert_int_equal(f.claims.v[1].range.last, 0x48000fff);
	assert_int_equal(f.claims.v[2].kind, CLAIM_ELFCOREHDR);
	assert_true(f.dt.has_usable);
	assert_int_equal(f.dt.usable.n, 2);
	assert_int_equal(f.dt.usable.v[1].first, 0x100000000);
	assert_true(f.dt.has_elfcorehdr);
	assert_int_equal(f.dt.elfcorehdr.last, 0x93ff);
	assert_int_equal(f.dt.cpus, 1);
	assert_string_equal(f.arch_hint, "arm64");
	assert_int_equal(f.distances.n, 4);
	assert_int_equal(f.distances.v[2].from, 1);
	assert_int_equal(f.distances.v[2].distance, 20);
	facts_destroy(&f);

	/* What a log said of the command line stays; that it differs is noted. */
	n = fdt_totalsize(unit_blob);
	facts_init(&f);
	f.cmdline = xstrdup("quiet");
	assert_int_equal(dtb_read(&f, facts_file(&f, "t"), unit_blob, n, &err), 0);
	assert_string_equal(f.cmdline, "quiet");
	assert_int_equal(f.notes.n, 1);
	facts_destroy(&f);
}

/* A tree of buses: root with 2/2 cells, a "soc" in it with 1/1 and the given windows. */
static uint64_t unit_soc_limit(unsigned int n, const uint32_t *windows)
{
	struct facts f;
	uint64_t limit;

	unit_root(2, 2);
	unit_open("soc");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells_v("dma-ranges", n, windows);
	unit_close();
	unit_read(&f);
	limit = f.dt.dma_max_cpu;
	facts_destroy(&f);
	return limit;
}

#define unit_limit(...) \
	unit_soc_limit(sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, (const uint32_t[]){ __VA_ARGS__ })

static void dma_windows(void **state)
{
	/* bus, cpu (2 cells), size */
	assert_int_equal(unit_limit(0xc0000000, 0, 0, 0x40000000), 0x3fffffff);
	/* The highest end counts, whatever the order. */
	assert_int_equal(unit_limit(0, 0, 0, 0x1000, 0x10000, 1, 0, 0x1000), 0x100000fff);
	assert_int_equal(unit_limit(0x10000, 1, 0, 0x1000, 0, 0, 0, 0x1000), 0x100000fff);
	/* Windows that continue each other are one. */
	assert_int_equal(unit_limit(0, 0, 0, 0x1000, 0x1000, 0, 0x1000, 0x1000), 0x1fff);
	/* An end at the very top wraps and does not count. */
	assert_int_equal(unit_limit(0, 0xffffffff, 0xfffff000, 0x1000), 0);
	assert_int_equal(unit_limit(0, 0xffffffff, 0xfffff000, 0x1000, 0x8000, 0, 0, 0x1000),
			 0xfff);
	/* An empty property restricts nothing, one that is too short leaves nothing. */
	assert_true(unit_soc_limit(0, NULL) == PZ_ADDR_MAX);
	assert_int_equal(unit_limit(0, 0, 0), 0);
	assert_int_equal(unit_limit(0, 0, 0, 0x1000, 7, 7), 0xfff);
}

static void dma_tree(void **state)
{
	struct facts f;

	/* A bus below a bus: its windows are translated by those of the bus above. */
	unit_root(2, 2);
	unit_open("soc");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0x80000000, 1, 0, 0x40000000);
	unit_open("inner");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0x90000000, 0x1000);
	unit_open("free");
	unit_flag("dma-ranges");
	unit_close();
	unit_close();
	unit_open("off");
	unit_string("status", "disabled");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0x80000000, 0x10);
	unit_open("below");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0, 0x10);
	unit_close();
	unit_close();
	unit_close();
	unit_read(&f);
	assert_int_equal(f.dt.dma_max_cpu, 0x110000fff);
	assert_int_equal(f.notes.n, 1);
	assert_string_equal(f.notes.v[0], "the dma-ranges of node inner reach up to 0x110000fff");
	facts_destroy(&f);

	/* Where the bus above has no window for it, its end wraps: size - 2. */
	unit_root(2, 2);
	unit_open("soc");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0x80000000, 1, 0, 0x40000000);
	unit_open("inner");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0x10000000, 0x1000);
	unit_close();
	unit_close();
	unit_read(&f);
	assert_int_equal(f.dt.dma_max_cpu, 0xffe);
	facts_destroy(&f);

	/* An empty dma-ranges above passes addresses through; so does none at all. */
	unit_root(2, 2);
	unit_open("soc");
	unit_cells("#address-cells", 2);
	unit_cells("#size-cells", 2);
	unit_flag("dma-ranges");
	unit_open("none");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_open("inner");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0x20000000, 0x1000);
	unit_close();
	unit_close();
	unit_close();
	unit_read(&f);
	assert_int_equal(f.dt.dma_max_cpu, 0x20000fff);
	facts_destroy(&f);

	/* A PCI bus has a cell of flags before its addresses. */
	unit_root(2, 2);
	unit_open("pcie@0");
	unit_string("device_type", "pci");
	unit_cells("#address-cells", 3);
	unit_cells("#size-cells", 2);
	unit_cells("dma-ranges", 0x02000000, 0, 0, 0, 0, 0, 0xc0000000);
	unit_close();
	unit_read(&f);
	assert_int_equal(f.dt.dma_max_cpu, 0xbfffffff);
	facts_destroy(&f);

	/* Windows of the root itself cannot be translated. */
	unit_root(1, 1);
	unit_cells("dma-ranges", 0, 0, 0x1000);
	unit_read(&f);
	assert_int_equal(f.dt.dma_max_cpu, 0xffe);
	facts_destroy(&f);

	unit_root(1, 1);
	unit_open("soc");
	unit_cells("#address-cells", 5);
	unit_cells("dma-ranges", 0, 0, 0, 0, 0, 0, 0x1000);
	unit_close();
	unit_refused("t: node soc has dma-ranges, and cell counts that addresses do not have");
}

/* The path of DMA may be an interconnect's instead of the tree's; a circle of them ends. */
static void dma_interconnect(void **state)
{
	struct facts f;

	unit_root(1, 1);
	unit_open("fabric");
	unit_cells("phandle", 7);
	unit_cells("#interconnect-cells", 1);
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0x40000000, 0x1000);
	unit_close();
	unit_open("bus");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("interconnects", 7, 0);
	unit_string("interconnect-names", "dma-mem");
	unit_cells("dma-ranges", 0, 0x800, 0x100);
	unit_close();
	unit_read(&f);
	/* 0x800 of the fabric is 0x40000800. */
	assert_int_equal(f.dt.dma_max_cpu, 0x400008ff);
	facts_destroy(&f);

	unit_root(1, 1);
	unit_open("a");
	unit_cells("phandle", 7);
	unit_cells("#interconnect-cells", 0);
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("interconnects", 8);
	unit_string("interconnect-names", "dma-mem");
	unit_cells("dma-ranges", 0, 0, 0x1000);
	unit_close();
	unit_open("b");
	unit_cells("phandle", 8);
	unit_cells("#interconnect-cells", 0);
	unit_cells("interconnects", 7);
	unit_string("interconnect-names", "dma-mem");
	unit_close();
	unit_read(&f);
	assert_int_equal(f.dt.dma_max_cpu, 0xffe);
	facts_destroy(&f);
}

static void deep(void **state)
{
	struct facts f;

	for (unsigned int depth = 61; depth <= 63; depth++) {
		unit_root(1, 1);
		for (unsigned int i = 0; i < depth; i++)
			unit_open("n");
		for (unsigned int i = 0; i < depth; i++)
			unit_close();
		if (depth <= 62) {
			unit_read(&f);
			facts_destroy(&f);
		} else {
			unit_refused("t: a device tree with nodes below 62 others, deeper than a "
				     "kernel reads");
		}
	}
}

/* Read bytes that may be anything: an answer, and facts only with it. */
static int unit_try(const char *buf, size_t len)
{
	struct facts f;
	char *err = NULL;
	int ret;

	facts_init(&f);
	ret = dtb_read(&f, facts_file(&f, "t"), buf, len, &err);
	assert_true(ret == 0 || ret == INPUT_BAD);
	assert_true((ret != 0) == (err != NULL));
	if (ret) {
		assert_int_equal(f.fw.n + f.claims.n, 0);
		assert_null(strchr(err, '\n'));
	}
	free(err);
	facts_destroy(&f);
	return ret;
}

/* Cut at every byte, at some where the header agrees with it; then damage bytes. Builds that are
 * slow ask for a part of it, as properties take it. */
static void unit_damage(const char *blob, size_t len)
{
	const char *part = getenv("PZ_ROUNDS_PART");
	size_t every = part && atoi(part) > 1 ? (size_t)atoi(part) : 1;
	size_t step = len / 300 * every + 1;
	char *copy = xmalloc(len);

	for (size_t n = 0; n < len; n += n < 256 ? 1 : every) {
		char *cut;

		assert_int_equal(unit_try(blob, n), INPUT_BAD);
		if (n <= 8 || (n >= 256 && n % step >= every))
			continue;
		/* Exactly as long, so that a sanitizer sees what is read past it. */
		cut = xmalloc(n);
		memcpy(cut, blob, n);
		fdt_set_totalsize(cut, (uint32_t)n);
		unit_try(cut, n);
		free(cut);
	}
	for (size_t n = 0; n < len; n += n < 64 ? 1 : step) {
		for (unsigned int bit = 0; bit < 8; bit += n < 64 ? 1 : 3) {
			memcpy(copy, blob, len);
			copy[n] = (char)(copy[n] ^ (1 << bit));
			unit_try(copy, len);
		}
		memset(copy + n, 0xff, len - n < 4 ? len - n : 4);
		unit_try(copy, len);
	}
	free(copy);
}

static void damaged(void **state)
{
	unit_root(2, 2);
	unit_open("memory@0");
	unit_string("device_type", "memory");
	unit_cells("reg", 0, 0, 0, 0x1000);
	unit_close();
	unit_open("soc");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0, 0, 0x1000);
	unit_close();
	unit_damage(unit_blob, unit_finish());
	fdt_set_version(unit_blob, 7);
	fdt_set_last_comp_version(unit_blob, 0);
	assert_int_equal(unit_try(unit_blob, fdt_totalsize(unit_blob)), INPUT_BAD);
	assert_int_equal(unit_try("", 0), INPUT_BAD);
	assert_int_equal(unit_try("\xd0\x0d\xfe\xed", 4), INPUT_BAD);
}

static int unit_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Most blobs are of one machine with more or less memory: one of each size is enough to damage. */
static bool unit_size_seen(size_t size)
{
	static size_t seen[256];
	static size_t n;

	for (size_t i = 0; i < n; i++)
		if (seen[i] == size)
			return true;
	if (n < sizeof(seen) / sizeof(seen[0]))
		seen[n++] = size;
	return false;
}

static unsigned int unit_walk(const char *dir, unsigned int depth)
{
	struct dirent **list;
	unsigned int blobs = 0;
	int n = scandir(dir, &list, unit_visible, alphasort);

	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, list[i]->d_name);
		struct stat st;
		struct text t;
		char *err = NULL;

		if (!strncmp(list[i]->d_name, "machine.dtb", 11)) {
			assert_int_equal(text_read(&t, path, &err), 0);
			assert_int_equal(unit_try(t.buf, t.len), 0);
			if (!unit_size_seen(t.len))
				unit_damage(t.buf, t.len);
			text_destroy(&t);
			blobs++;
		} else if (depth < 4 && !stat(path, &st) && S_ISDIR(st.st_mode)) {
			blobs += unit_walk(path, depth + 1);
		}
		free(path);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return blobs;
}

static void recorded(void **state)
{
	if (!unit_machines)
		skip();
	assert_true(unit_walk(unit_machines, 0) > 50);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),	    cmocka_unit_test(memory_odd),
		cmocka_unit_test(reserved),	    cmocka_unit_test(chosen),
		cmocka_unit_test(dma_windows),	    cmocka_unit_test(dma_tree),
		cmocka_unit_test(dma_interconnect), cmocka_unit_test(deep),
		cmocka_unit_test(damaged),	    cmocka_unit_test(recorded),
	};

	unit_machines = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
