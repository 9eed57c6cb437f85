/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_proc.c - readers of /proc, /sys and debugfs text and of e820 listings: what they take from
 * well-formed text, and the one line that they answer to other text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <physzone/map.h>

#include "facts.h"
#include "input/proc.h"
#include "input/scan.h"

typedef int unit_reader(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* Read text as the source "t"; the facts are for the caller to destroy. */
static int unit_read(struct facts *f, unit_reader *reader, const char *text, char **err)
{
	facts_init(f);
	*err = NULL;
	return reader(f, facts_file(f, "t"), text, strlen(text), err);
}

static void unit_good(struct facts *f, unit_reader *reader, const char *text)
{
	char *err;

	if (unit_read(f, reader, text, &err))
		fail_msg("%s", err);
	assert_null(err);
}

/* Refused, with exactly this line. */
static void unit_bad(unit_reader *reader, const char *text, const char *expected)
{
	struct facts f;
	char *err;

	assert_int_equal(unit_read(&f, reader, text, &err), INPUT_BAD);
	assert_string_equal(err, expected);
	free(err);
	facts_destroy(&f);
}

static void iomem(void **state)
{
	struct facts f;

	unit_good(&f, proc_iomem,
		  "00000000-00000fff : Reserved\n"
		  "00001000-7fffffff : System RAM\n"
		  "  01000000-01ffffff : Kernel code\n"
		  "  02000000-02ffffff : Kernel data\r\n"
		  "  10000000-1fffffff : Crash kernel\n"
		  "    10000000-10000fff : deeper\n"
		  "\n"
		  "100000000-1ffffffffffffff : System RAM\n"
		  "  140000000-14fffffff : Crash kernel\n"
		  "  150000000-150000fff : reserved");
	assert_int_equal(f.iomem.n, 9);
	assert_int_equal(f.iomem.v[1].range.first, 0x1000);
	assert_int_equal(f.iomem.v[1].depth, 0);
	assert_int_equal(f.iomem.v[5].depth, 2);
	assert_string_equal(f.iomem.v[3].name, "Kernel data");
	assert_int_equal(f.iomem.v[6].at.line, 8);
	assert_int_equal(f.claims.n, 5);
	assert_int_equal(f.claims.v[0].kind, CLAIM_KERNEL_CODE);
	assert_int_equal(f.claims.v[2].kind, CLAIM_CRASHKERNEL_LOW);
	assert_int_equal(f.claims.v[3].kind, CLAIM_CRASHKERNEL);
	assert_int_equal(f.claims.v[4].kind, CLAIM_OTHER);
	assert_int_equal(f.lines_total, 10);
	assert_int_equal(f.lines_used, 9);
	assert_int_equal(f.lines_ignored, 1);
	assert_int_equal(f.line_marks.n, 10);
	assert_int_equal(f.line_marks.v[6], 0);
	facts_destroy(&f);
}

static void iomem_bad(void **state)
{
	unit_bad(proc_iomem, "", "t: no \"first-last : name\" line in it");
	unit_bad(proc_iomem, "\n\n", "t: no \"first-last : name\" line in it");
	unit_bad(proc_iomem, "0-fff : a\n1000-1ff",
		 "t:2: expected \"first-last : name\", found \"1000-1ff\"");
	unit_bad(proc_iomem, "0-fff : a\n\x01\x02\xff\n",
		 "t:2: expected \"first-last : name\", found \"???\"");
	unit_bad(proc_iomem, "1000-fff : a\n", "t:1: the range ends before it starts");
	unit_bad(proc_iomem, "0-10000000000000000 : a\n",
		 "t:1: expected \"first-last : name\", found \"0-10000000000000000 : a\"");
	unit_bad(proc_iomem, "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n",
		 "t: every address is 0: the kernel shows them to root only");
	assert_true(proc_iomem_is_hidden("00000000-00000000 : a\n", 22));
	assert_false(proc_iomem_is_hidden("00000000-00000001 : a\n", 22));
	assert_false(proc_iomem_is_hidden("", 0));
}

static const char unit_zoneinfo[] = "Node 0, zone      DMA\n"
				    "  per-node stats\n"
				    "      nr_inactive_anon 248\n"
				    "  pages free     3840\n"
				    "        boost    0\n"
				    "        min      1\n"
				    "        low      2\n"
				    "        high     3\n"
				    "        spanned  4095\n"
				    "        present  3998\n"
				    "        managed  3840\n"
				    "        cma      7\n"
				    "        protection: (0, 1932, 1932)\n"
				    "      nr_free_pages 3840\n"
				    "  pagesets\n"
				    "    cpu: 0\n"
				    "              count: 0\n"
				    "              high:  4\n"
				    "              batch: 5\n"
				    "              high_min: 9\n"
				    "    cpu: 1\n"
				    "              high:  40\n"
				    "              batch: 50\n"
				    "  vm stats threshold: 2\n"
				    "  start_pfn:           1\n"
				    "Node 12, zone  Movable\n"
				    "  pages free     0\n"
				    "        managed  0\n"
				    "        protection: (0)\n";

static void zoneinfo(void **state)
{
	const struct fact_zoneinfo *z;
	struct facts f;

	unit_good(&f, proc_zoneinfo, unit_zoneinfo);
	assert_int_equal(f.zoneinfo.n, 2);
	z = &f.zoneinfo.v[0];
	assert_string_equal(z->name, "DMA");
	assert_int_equal(z->free, 3840);
	assert_int_equal(z->min, 1);
	assert_int_equal(z->low, 2);
	assert_int_equal(z->high, 3);
	assert_int_equal(z->spanned, 4095);
	assert_int_equal(z->present, 3998);
	assert_int_equal(z->managed, 3840);
	assert_int_equal(z->cma, 7);
	assert_int_equal(z->protections, 3);
	assert_int_equal(z->protection[1], 1932);
	assert_int_equal(z->cpus, 2);
	assert_int_equal(z->pcp_high, 4);
	assert_int_equal(z->pcp_batch, 5);
	assert_int_equal(z->start_pfn, 1);
	z = &f.zoneinfo.v[1];
	assert_int_equal(z->nid, 12);
	assert_string_equal(z->name, "Movable");
	assert_int_equal(z->managed, 0);
	assert_true(z->present == UINT64_MAX);
	assert_true(z->start_pfn == UINT64_MAX);
	assert_int_equal(z->protections, 1);
	facts_destroy(&f);
}

/* A zoneinfo that was cut off anywhere is read up to there, or refused with one line. */
static void zoneinfo_cut(void **state)
{
	for (size_t n = 0; n < sizeof(unit_zoneinfo); n++) {
		struct facts f;
		char *err = NULL;
		int ret;

		facts_init(&f);
		ret = proc_zoneinfo(&f, facts_file(&f, "t"), unit_zoneinfo, n, &err);
		assert_true(ret == 0 || ret == INPUT_BAD);
		assert_true((err != NULL) == (ret != 0));
		if (err)
			assert_null(strchr(err, '\n'));
		free(err);
		facts_destroy(&f);
	}
}

static void zoneinfo_bad(void **state)
{
	unit_bad(proc_zoneinfo, "", "t: no \"Node N, zone NAME\" line in it");
	unit_bad(proc_zoneinfo, "  pages free 7\n",
		 "t:1: expected \"Node N, zone NAME\", found \"pages free 7\"");
	unit_bad(proc_zoneinfo, "Node 0, zone DMA\n        min      x\n",
		 "t:2: expected a number of pages, found \"min      x\"");
	unit_bad(proc_zoneinfo, "Node 0, zone DMA\n        min      99999999999999999999\n",
		 "t:2: expected a number of pages, found \"min      99999999999999999999\"");
	unit_bad(proc_zoneinfo, "Node 0, zone DMA\n        protection: (1, 2\n",
		 "t:2: expected \"protection: (pages, ...)\", found \"protection: (1, 2\"");
	unit_bad(proc_zoneinfo, "Node 0, zone DMA\n        protection: (1,2,3,4,5,6,7,8,9)\n",
		 "t:2: expected \"protection: (pages, ...)\", found \"protection: "
		 "(1,2,3,4,5,6,7,8,9)\"");
	unit_bad(proc_zoneinfo, "Node 0, zone DMA\nNode 0, zone DMA\n",
		 "t:2: zone DMA of node 0 stands here twice, first in line 1");
	unit_bad(proc_zoneinfo, "Node 0, zone ANameThatIsTooLong\n",
		 "t:1: expected \"Node N, zone NAME\", found \"Node 0, zone ANameThatIsTooLong\"");
}

static void memmap(void **state)
{
	struct facts f;

	unit_good(&f, proc_memmap,
		  "0 0x0 0x9fbff System RAM\n1 0x9fc00 0x9ffff Reserved\n"
		  "2 0x100000000 0xffffffffffffffff Persistent Memory (legacy)\n"
		  "10 0x1000 0x1fff Something new\n");
	assert_int_equal(f.fw.n, 4);
	assert_int_equal(f.fw.v[0].origin, FW_MEMMAP);
	assert_int_equal(f.fw.v[0].type, PZ_MAP_RAM);
	assert_int_equal(f.fw.v[1].type, PZ_MAP_RESERVED);
	assert_int_equal(f.fw.v[2].type, PZ_MAP_PRAM);
	assert_true(f.fw.v[2].range.last == UINT64_MAX);
	assert_int_equal(f.fw.v[3].type, 0);
	assert_string_equal(f.fw.v[3].word, "Something new");
	facts_destroy(&f);
	unit_good(&f, proc_memmap, "none\n");
	assert_int_equal(f.fw.n, 0);
	facts_destroy(&f);
	unit_bad(proc_memmap, "0 0x0 0x9fbff\n",
		 "t:1: expected \"number first last type\", found \"0 0x0 0x9fbff\"");
	unit_bad(proc_memmap, "0 0x10 0xf System RAM\n", "t:1: the range ends before it starts");
}

static int unit_memblock(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	return proc_memblock(f, file, NULL, buf, len, err);
}

static int unit_reserved(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	return proc_memblock(f, file, "reserved", buf, len, err);
}

static void memblock(void **state)
{
	struct facts f;

	unit_good(&f, unit_memblock,
		  "== /sys/kernel/debug/memblock/memory\n"
		  "   0: 0x0000000040000000..0x000000007fffffff\n"
		  "   1: 0x0000000080000000..0x00000000ffffffff    1 NONE\n"
		  "\n"
		  "== /sys/kernel/debug/memblock/physmem\n"
		  "   0: 0x0..0x1\n"
		  "== /sys/kernel/debug/memblock/reserved\n"
		  "   0: 0x40000000..0x40ffffff    x HOTPLUG|NOMAP\n"
		  "  10: 0x50000000..0xffffffffffffffff 0 RSV_NIT\n");
	assert_int_equal(f.mb_regions.n, 4);
	assert_int_equal(f.mb_regions.v[0].dump, MB_DUMP_DEBUGFS);
	assert_false(f.mb_regions.v[0].reserved);
	assert_int_equal(f.mb_regions.v[0].nid, PZ_NID_NONE);
	assert_int_equal(f.mb_regions.v[1].nid, 1);
	assert_true(f.mb_regions.v[2].reserved);
	assert_int_equal(f.mb_regions.v[2].nid, PZ_NID_NONE);
	assert_int_equal(f.mb_regions.v[2].flags, 5);
	assert_int_equal(f.mb_regions.v[3].flags, 0x10);
	facts_destroy(&f);

	unit_good(&f, unit_reserved, "   0: 0x1000..0x1fff\n");
	assert_true(f.mb_regions.v[0].reserved);
	facts_destroy(&f);

	unit_bad(unit_memblock, "   0: 0x0..0x1\n",
		 "t:1: expected \"== path\" before the regions, found \"0: 0x0..0x1\"");
	unit_bad(unit_reserved, "   0: 0x0..\n",
		 "t:1: expected \"index: first..last\", found \"0: 0x0..\"");
	unit_bad(unit_reserved, "   0: 0x2..0x1\n", "t:1: the range ends before it starts");
	unit_bad(unit_reserved, "0: 0x2..0x3\n1: 0x3..0x4\n", "t:2: the regions do not ascend");
	unit_bad(unit_reserved, "0: 0x2..0x3 0 WHATEVER\n",
		 "t:1: expected \"index: first..last\", found \"0: 0x2..0x3 0 WHATEVER\"");
}

static void pages(void **state)
{
	struct facts f;

	unit_good(&f, proc_pages,
		  "# first_pfn end_pfn pages class\n0 512 512 reserved\n"
		  "512 600 88 nopage\n600 601 1 managed\n"
		  "601 602 1 hwpoison\n602 603 1 offline\n");
	assert_int_equal(f.pages.n, 5);
	assert_int_equal(f.pages.v[0].pfns.last, 511);
	assert_int_equal(f.pages.v[2].cls, PGC_MANAGED);
	facts_destroy(&f);
	unit_bad(proc_pages, "0 512 511 reserved\n", "t:1: 511 pages do not reach from 0 to 512");
	unit_bad(proc_pages, "512 0 512 reserved\n", "t:1: 512 pages do not reach from 512 to 0");
	unit_bad(proc_pages, "0 2 2 nopage\n1 2 1 nopage\n", "t:2: the runs do not ascend");
	unit_bad(proc_pages, "0 2 2 other\n",
		 "t:1: expected a class that is known, found \"0 2 2 other\"");
	unit_bad(proc_pages, "0 2\n", "t:1: expected \"first end pages class\", found \"0 2\"");
}

static void nodes(void **state)
{
	struct facts f;

	unit_good(&f, proc_nodes,
		  "== /sys/devices/system/node/node0/meminfo\nNode 0 MemTotal: 7 kB\n"
		  "== /sys/devices/system/node/node0/distance\n10 20\n"
		  "== /sys/devices/system/node/node4/distance\n21 10\n"
		  "== online 0,4\n== possible 0-7\n== has_memory 4\n");
	assert_int_equal(f.distances.n, 4);
	assert_int_equal(f.distances.v[2].from, 4);
	assert_int_equal(f.distances.v[2].to, 0);
	assert_int_equal(f.distances.v[2].distance, 21);
	assert_int_equal(f.nodes_online.n, 2);
	assert_int_equal(f.nodes_online.v[1], 4);
	assert_int_equal(f.nodes_memory.n, 1);
	facts_destroy(&f);
	unit_bad(proc_nodes, "== /sys/devices/system/node/node0/distance\n10\n== online 0-1\n",
		 "t:2: expected a distance for each node, found \"10\"");
	unit_bad(proc_nodes,
		 "== /sys/devices/system/node/node0/distance\n10 20 30\n== online 0-1\n",
		 "t:2: expected one distance for each node, found \"10 20 30\"");
	unit_bad(proc_nodes, "== online 1-0\n",
		 "t:1: expected a list of nodes like \"0-1,4\", found \"1-0\"");
	unit_bad(proc_nodes, "== online 0-4294967295\n",
		 "t:1: expected a list of nodes like \"0-1,4\", found \"0-4294967295\"");
	unit_bad(proc_nodes, "== online 0,\n",
		 "t:1: expected a list of nodes like \"0-1,4\", found \"0,\"");
}

static void small(void **state)
{
	struct facts f;
	char *err = NULL;

	unit_good(&f, proc_meminfo,
		  "MemTotal:  207164 kB\nCmaTotal: 65536 kB\nHugePages_Free: 0\n");
	assert_int_equal(f.mem_total_kib, 207164);
	assert_int_equal(f.cma_total_kib, 65536);
	assert_true(f.has_meminfo);
	assert_false(f.has_anon_huge);
	facts_destroy(&f);
	unit_good(&f, proc_meminfo, "MemTotal: 1 kB\nAnonHugePages: 0 kB\nHugePages_Total: 0\n");
	assert_true(f.has_anon_huge);
	facts_destroy(&f);
	unit_bad(proc_meminfo, "MemTotal\n",
		 "t:1: expected \"Name: number kB\", found \"MemTotal\"");
	unit_bad(proc_meminfo, "MemTotal: 12\n",
		 "t:1: expected \"Name: number kB\", found \"MemTotal: 12\"");

	unit_good(&f, proc_sysctl,
		  "/proc/sys/vm/min_free_kbytes: 1779\n/proc/sys/vm/other: x y\n"
		  "/proc/sys/vm/lowmem_reserve_ratio: 256\t256\t32\t0\t0\n"
		  "/proc/sys/vm/watermark_scale_factor: 10\n");
	assert_int_equal(f.min_free_kbytes, 1779);
	assert_int_equal(f.lowmem_ratios, 5);
	assert_int_equal(f.lowmem_ratio[2], 32);
	assert_int_equal(f.wmark_scale, 10);
	facts_destroy(&f);
	unit_bad(proc_sysctl, "/proc/sys/vm/min_free_kbytes: x\n",
		 "t:1: expected a number of KiB, found \"/proc/sys/vm/min_free_kbytes: x\"");
	unit_bad(proc_sysctl, "min_free_kbytes: 1\n",
		 "t:1: expected \"/proc/sys/vm/NAME: value\", found \"min_free_kbytes: 1\"");

	unit_good(&f, proc_version, "Linux version 6.1.0-50-amd64 (x@y) #1 SMP\n");
	assert_string_equal(f.release, "6.1.0-50-amd64");
	assert_string_equal(f.banner, "6.1.0-50-amd64 (x@y) #1 SMP");
	assert_int_equal(proc_version(&f, 0, "Linux version 6.12.1 a", 22, &err), 0);
	assert_int_equal(f.contradictions.n, 1);
	assert_string_equal(f.release, "6.1.0-50-amd64");
	facts_destroy(&f);
	unit_bad(proc_version, "NetBSD 10\n",
		 "t:1: expected \"Linux version RELEASE\", found \"NetBSD 10\"");
}

static void cmdline(void **state)
{
	struct facts f;
	char *err = NULL;

	unit_good(&f, proc_cmdline, "console=ttyS0 mem=1G  \n");
	assert_string_equal(f.cmdline, "console=ttyS0 mem=1G");
	/* A log that has the front of it agrees; another one does not. */
	assert_int_equal(proc_cmdline(&f, 0, "console=ttyS0 mem=1G quiet\n", 27, &err), 0);
	assert_int_equal(f.contradictions.n, 0);
	assert_string_equal(f.cmdline, "console=ttyS0 mem=1G quiet");
	assert_int_equal(proc_cmdline(&f, 0, "console=ttyS0\n", 14, &err), 0);
	assert_int_equal(f.contradictions.n, 1);
	assert_string_equal(f.cmdline, "console=ttyS0 mem=1G quiet");
	facts_destroy(&f);
	unit_good(&f, proc_cmdline, "");
	assert_string_equal(f.cmdline, "");
	facts_destroy(&f);
	unit_bad(proc_cmdline,
		 "a\x01"
		 "b\n",
		 "t:1: expected a command line, found \"a?b\"");
}

static void e820(void **state)
{
	static const char log[] = "BIOS-provided physical RAM map:\n"
				  " BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
				  "BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] type 20\n"
				  "BIOS-e820: 0000000000100000 - 0000000007fe0000 (usable)\n";
	static const char table[] = "# comment\n0x0-0x9fbff usable\nf0000 - fffff  reserved\n"
				    "100000..7fdffff System RAM\n";
	static const char excluded[] = "0-9fc00 1\n100000-8000000 usable\n";
	struct facts f;

	assert_true(e820_is_listing(log, strlen(log)));
	unit_good(&f, e820_listing, log);
	assert_int_equal(f.fw.n, 3);
	assert_int_equal(f.fw.v[0].origin, FW_BIOS);
	assert_int_equal(f.fw.v[0].range.last, 0x9fbff);
	assert_int_equal(f.fw.v[1].type, 20);
	assert_int_equal(f.fw.v[2].range.last, 0x7fdffff);
	assert_int_equal(f.fw.v[2].type, PZ_MAP_RAM);
	facts_destroy(&f);

	assert_true(e820_is_listing(table, strlen(table)));
	unit_good(&f, e820_listing, table);
	assert_int_equal(f.fw.n, 3);
	assert_int_equal(f.fw.v[2].range.first, 0x100000);
	assert_int_equal(f.fw.v[2].range.last, 0x7fdffff);
	assert_int_equal(f.notes.n, 0);
	facts_destroy(&f);

	unit_good(&f, e820_listing, excluded);
	assert_int_equal(f.fw.v[0].range.last, 0x9fbff);
	assert_int_equal(f.fw.v[1].range.last, 0x7ffffff);
	assert_int_equal(f.notes.n, 1);
	facts_destroy(&f);

	unit_good(&f, e820_listing, "0 0x0 0x9fbff System RAM\n");
	assert_int_equal(f.fw.v[0].origin, FW_MEMMAP);
	facts_destroy(&f);
}

static void e820_bad(void **state)
{
	static const char boot[] = "[    0.000000] Linux version 6.1\n"
				   "[    0.000000] BIOS-e820: [mem 0x0-0xfff] usable\n";

	assert_false(e820_is_listing("", 0));
	assert_false(e820_is_listing("# only\n\n", 8));
	assert_false(e820_is_listing(boot, strlen(boot)));
	assert_false(e820_is_listing("hello\n", 6));
	unit_bad(e820_listing, "", "t: no \"first-last type\" line in it");
	unit_bad(e820_listing, "0-fff usable\nwhat\n",
		 "t:2: expected \"first-last type\", found \"what\"");
	unit_bad(e820_listing, "0-fff strange\n",
		 "t:1: expected a type such as usable or reserved, found \"strange\"");
	unit_bad(e820_listing, "fff-0 usable\n", "t:1: the range ends before it starts");
	unit_bad(e820_listing, "BIOS-e820: 0000 - 0000 (usable)\n", "t:1: the range is empty");
	unit_bad(e820_listing, "0-0 usable\n10-20 usable\n", "t:1: the range is empty");
	unit_bad(e820_listing, "0-fff usable\n0-10000000000000000 usable\n",
		 "t:2: expected \"first-last type\", found \"0-10000000000000000 usable\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iomem),	cmocka_unit_test(iomem_bad),
		cmocka_unit_test(zoneinfo),	cmocka_unit_test(zoneinfo_cut),
		cmocka_unit_test(zoneinfo_bad), cmocka_unit_test(memmap),
		cmocka_unit_test(memblock),	cmocka_unit_test(pages),
		cmocka_unit_test(nodes),	cmocka_unit_test(small),
		cmocka_unit_test(cmdline),	cmocka_unit_test(e820),
		cmocka_unit_test(e820_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
