/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_log.c - each kind of line of a kernel log, what a damaged one does, and logs of several
 * boots. Whole logs in all their dresses are the matter of prop_log.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts_dump.h"
#include "input/log.h"
#include "input/log_int.h"

static struct facts facts;
static struct text text;

/* Read a log; the facts and the text live until done(). */
static void read_boot(const char *log, unsigned int boot)
{
	char *err;

	assert_int_equal(text_from_memory(&text, log, strlen(log), "log", 0, &err), 0);
	facts_init(&facts);
	assert_int_equal(log_parse(&facts, &text, facts_file(&facts, "log"), boot, &err), 0);
}

static void done(void)
{
	facts_destroy(&facts);
	text_destroy(&text);
}

/* The facts of a log, as text, hold a line. */
static void holds(const char *log, const char *line)
{
	char *dump;

	read_boot(log, 0);
	dump = facts_dump_string(&facts, false);
	if (!strstr(dump, line))
		print_error("%s gives:\n%swithout: %s\n", log, dump, line);
	assert_non_null(strstr(dump, line));
	free(dump);
	done();
}

/* A damaged line: told, not used, and nothing else comes of it. */
static void damaged(const char *line)
{
	char *dump;

	read_boot(line, 0);
	dump = facts_dump_string(&facts, false);
	if (facts.contradictions.n != 1 || strncmp(dump, "contradiction ", 14) != 0)
		print_error("%s gives:\n%s", line, dump);
	assert_int_equal(facts.contradictions.n, 1);
	assert_int_equal(facts.contradictions.v[0].at.line, 1);
	assert_int_equal(strncmp(dump, "contradiction ", 14), 0);
	assert_int_equal(facts.lines_used, 0);
	free(dump);
	done();
}

static void heads(void **state)
{
	assert_int_equal(log_heads_check(), 0);
}

static void firmware(void **state)
{
	holds("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n",
	      "fw 0.0 [0-9fbff] 1 \"usable\"");
	holds("BIOS-e820: [mem 0x0000000100000000-0x000000017fffffff] persistent (type 12)\n",
	      "fw 0.0 [100000000-17fffffff] 12 \"persistent (type 12)\"");
	holds(" BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)\n",
	      "fw 0.0 [0-9fbff] 1 \"usable\"");
	holds("user: [mem 0x0000000000000000-0x0000000000000fff] reserved\n",
	      "fw 1.0 [0-fff] 2 \"reserved\"");
	holds("reserve setup_data: [mem 0x0000000000000000-0x0000000000000fff] ACPI NVS\n",
	      "fw 3.0 [0-fff] 4 \"ACPI NVS\"");
	holds("modified physical RAM map:\nmodified: [mem 0x0000000000000000-0x0000000000000fff] "
	      "usable\nmodified physical RAM map:\n"
	      "modified: [mem 0x0000000000000000-0x0000000000001fff] usable\n",
	      "fw 2.1 [0-1fff] 1");
	holds("e820: update [mem 0x00000000-0x00000fff] usable ==> reserved\n",
	      "change [0-fff] 1 to 2");
	holds("e820: remove [mem 0x000a0000-0x000fffff] usable\n", "change [a0000-fffff] 1 to 0");
	holds("efi: mem00: [Conventional|   |  |MR|  |  |  |  |  |  |  |  |WB|WT|WC|UC] "
	      "range=[0x0000000000000000-0x0000000000000fff] (0MB)\n",
	      "fw 6.0 [0-fff] 1 \"Conventional\" nid -1 mirror");
	holds("efi:   0x000040000000-0x00004fffffff [Reserved    |   |  |  |  |  |  |  |  |  |  "
	      "|WB|WT|WC|UC]\n",
	      "fw 6.0 [40000000-4fffffff] 2 \"Reserved\"");
	holds("ACPI: SRAT: Node 1 PXM 3 [mem 0x100000000-0x13fffffff] hotplug non-volatile\n",
	      "srat 1 [100000000-13fffffff] hotplug non-volatile");
	holds("NUMA: Node 0 [mem 0x00000000-0x0009ffff] + [mem 0x00100000-0x7fffffff] -> [mem "
	      "0x00000000-0x7fffffff]\n",
	      "merge 0 [0-9ffff] [100000-7fffffff] [0-7fffffff]");
	holds("Faking node 1 at [mem 0x0000000040000000-0x000000007fffffff] (1024MB)\n",
	      "fake 1 [40000000-7fffffff]");
}

static void last_pfns(void **state)
{
	static const char two[] = "last_pfn = 0x240000 max_arch_pfn = 0x400000000\n"
				  "last_pfn = 0xbffe0 max_arch_pfn = 0x400000000\n";

	read_boot(two, 0);
	assert_int_equal(facts.last_pfn, 0x240000);
	assert_int_equal(facts.low_last_pfn, 0xbffe0);
	assert_int_equal(facts.contradictions.n, 0);
	assert_string_equal(facts.arch_hint, "x86_64");
	done();
	read_boot("last_pfn = 0x7ffe0 max_arch_pfn = 0x1000000\n", 0);
	assert_true(facts.pae);
	assert_string_equal(facts.arch_hint, "i386");
	done();
	read_boot("last_pfn = 0x7ffe0 max_arch_pfn = 0x100000\n"
		  "last_pfn = 0x7ffd0 max_arch_pfn = 0x100000\n",
		  0);
	assert_int_equal(facts.contradictions.n, 1);
	assert_int_equal(facts.contradictions.v[0].at.line, 2);
	done();
}

static void results(void **state)
{
	holds("  DMA      [mem 0x0000000000001000-0x0000000000ffffff]\n", "zone DMA [1000-ffffff]");
	holds(" Normal empty\n", "zone Normal empty");
	holds("  Node 1: 0x00000001c0000000\n", "movable 1 1c0000000");
	holds("  node   0: [mem 0x0000000000001000-0x000000000009efff]\n", "node 0 [1000-9efff]");
	holds("Initmem setup node 0 [mem 0x0000000000001000-0x0000000007fdffff]\n",
	      "initmem 0 [1000-7fdffff]");
	holds("Initmem setup node 3 as memoryless\n", "initmem 3 [0-0] memoryless");
	holds("NUMA: Initmem setup node 3 [<memory-less node>]\n", "initmem 3 [0-0] memoryless");
	holds("On node 0, zone DMA: 1 pages in unavailable ranges\n"
	      "On node 0, zone DMA: 97 pages in unavailable ranges\n",
	      "pages 0 0 DMA 98\n");
	holds("mminit::memmap_init Initialising map node 0 zone 1 pfns 4096 -> 8192\n",
	      "span 0 1 [1000-1fff]");
	holds("Fallback order for Node 1: 1 0 2\n", "fallback 1: 1 0 2\n");
	holds("Built 2 zonelists, mobility grouping off.  Total pages: 31968\n",
	      "mobility_off 1\n");
	holds("[    1.500000] Freeing unused kernel image (initmem) memory: 2820K\n",
	      "freeing \"unused kernel image (initmem)\" 2820 at 1.500000");
	holds("Memory: 2039820K/2097152K available (11264K kernel code, 1700K rwdata, 3732K "
	      "rodata, "
	      "2048K init, 377K bss, 40948K reserved, 16384K cma-reserved, 1294336K highmem)\n",
	      "reserved 40948 cma 16384 highmem 1294336");
	holds("1161MB HIGHMEM available.\n885MB LOWMEM available.\n  low ram: 0 - 375fe000\n",
	      "highmem_mb 1161\nlowmem_mb 885\n");
	holds("node 1 deferred pages initialised in 4ms\n", "deferred_nodes 1\n");
}

static void claims(void **state)
{
	holds("RAMDISK: [mem 0x07e91000-0x07fdffff]\n", "claim 0 [7e91000-7fdffff]");
	holds("Initial ramdisk at: 0x8fe90000 (1419326 bytes)\n", "claim 0 [fe90000-ffea83d]");
	holds("Initial ramdisk at: 0x900000000fe90000 (4096 bytes)\n", "claim 0 [fe90000-fe90fff]");
	holds("Found initrd at 0xc000000002c90000:0xc000000002e17e75\n",
	      "claim 0 [2c90000-2e17e74]");
	holds("Reserving 256MB of memory at 1776MB for crashkernel (System RAM: 2047MB)\n",
	      "claim 1 [6f000000-7effffff]");
	holds("Reserving 128MB of low memory at 2928MB for crashkernel (low RAM limit: 4096MB)\n",
	      "claim 2 [b7000000-beffffff]");
	holds("crashkernel reserved: 0x000000005c000000 - 0x000000006c000000 (256 MB)\n",
	      "claim 1 [5c000000-6bffffff]");
	holds("crashkernel: reserved 0x000000005c000000 - 0x000000006c000000 (256 MB)\n",
	      "claim 1 [5c000000-6bffffff]");
	holds("crashkernel low memory reserved: 0xf4000000 - 0xfc000000 (128 MB)\n",
	      "claim 2 [f4000000-fbffffff]");
	holds("cma: Reserved 64 MiB at 0x000000007c000000 on node -1\n",
	      "claim 3 [7c000000-7fffffff]");
	holds("Reserved memory: created CMA memory pool at 0x0000000038000000, size 64 MiB\n",
	      "claim 3 [38000000-3bffffff]");
	holds("software IO TLB: Reserved memory: created restricted DMA pool at "
	      "0x0000000072000000, size 4 MiB\n",
	      "[72000000-723fffff]");
	holds("software IO TLB: area num 4.\n", "swiotlb_areas 4");
	/* As a mail program cuts it, at any blank behind the size. */
	holds("a b: swiotlb buffer is full (sz: 8192\nbytes), total 512 (slots), used 12 (slots)\n",
	      "swiotlb 0 device 0 bytes 8192 total 512 used 12");
	holds("a b: swiotlb buffer is full (sz: 8192 bytes),\ntotal 512 (slots), used 12 (slots)\n",
	      "swiotlb 0 device 0 bytes 8192 total 512 used 12");
	holds("a b: swiotlb buffer is full (sz: 8192 bytes), total 512 (slots), used\n12 (slots)\n",
	      "swiotlb 0 device 0 bytes 8192 total 512 used 12");
	holds("software IO TLB: mapped [mem 0x0000000078000000-0x000000007c000000] (64MB)\n",
	      "claim 4 [78000000-7bffffff]");
	holds("software IO TLB: mapped [mem 0x78000000-0x7bffffff] (64MB)\n",
	      "claim 4 [78000000-7bffffff]");
	holds("ACPI: Reserving FACP table memory at [mem 0x7fe198c-0x7fe19ff]\n",
	      "claim 9 [7fe198c-7fe19ff] nid -1 \"FACP\"");
	holds("NODE_DATA(1) allocated [mem 0x13f7fb040-0x13f7fe77f]\n",
	      "claim 10 [13f7fb040-13f7fe77f] nid 1");
	holds("numa:   NODE_DATA [mem 0x7ffa2b00-0x7ffa7fff]\n", "claim 10 [7ffa2b00-7ffa7fff]");
	holds("OF: reserved mem: 0x0000000080000000..0x000000008007ffff (512 KiB) nomap "
	      "non-reusable mmode@80000000\n",
	      "claim 11 [80000000-8007ffff] nid -1 \"mmode@80000000\" nomap");
	holds("OF: fdt: Reserving 1 KiB of memory at 0xb99ff000 for elfcorehdr\n",
	      "claim 12 [b99ff000-b99ff3ff]");
	holds("cma: Failed to reserve 64 MiB\n", "said 0 \"cma: Failed to reserve 64 MiB\"");
}

static void memblock(void **state)
{
	holds("memblock_alloc_try_nid: 4096 bytes align=0x8 nid=-1 from=0x0000000000000000 "
	      "max_addr=0x0000000000000000 setup_log_buf+0xff/0x2fb\n"
	      "memblock_reserve: [0x0000000000098000-0x0000000000098fff] "
	      "memblock_alloc_range_nid+0xb0/0x13d\n",
	      "event 1 [98000-98fff] nid -1 flags 0 setup_log_buf");
	holds("memblock_phys_free: [0x000000001fc00000-0x000000001fdfffff] init_mem+0x1/0x2\n",
	      "event 2 [1fc00000-1fdfffff] nid -1 flags 0 init_mem");
	holds("memblock_add_node: [0x0000000000000000-0x000000000000ffff] nid=1 flags=2 x+0/1\n",
	      "event 0 [0-ffff] nid 1 flags 2");
	holds("memblock_remove: [0x0001000000000000-0x0000fffffffffffe] arm64_memblock_init+0/1\n",
	      "event 3 [1000000000000-ffffffffffffffff]");
	read_boot("memblock_phys_free: [0x0000000035423000-0x0000000035422fff] x+0/1\n", 0);
	assert_int_equal(facts.mb_events.n, 0);
	assert_int_equal(facts.contradictions.n, 0);
	assert_int_equal(facts.lines_used, 1);
	done();
	holds("MEMBLOCK configuration:\n memory size = 0x1000 reserved size = 0x0\n"
	      " memory.cnt  = 0x1\n"
	      " memory[0x0]\\x09[0x0000000000001000-0x0000000000001fff], 0x0000000000001000 bytes "
	      "on node 0 flags: 0x0\n reserved.cnt  = 0x0\n",
	      "region 0 memory [1000-1fff] nid 0 flags 0");
	read_boot("MEMBLOCK configuration:\n memory.cnt  = 0x2\n"
		  " memory[0x0]\t[0x0000000000001000-0x0000000000001fff], 0x0000000000001000 bytes "
		  "flags: 0x0\nZone ranges:\n",
		  0);
	assert_int_equal(facts.contradictions.n, 1);
	assert_int_equal(facts.contradictions.v[0].at.line, 1);
	done();
}

static void report(void **state)
{
	holds("insmod: page allocation failure: order:5, mode:0xcc1(GFP_KERNEL|GFP_DMA), "
	      "nodemask=(null),cpuset=/,mems_allowed=0\nMem-Info:\n"
	      "Node 0 DMA free:128kB boost:0kB min:344kB low:428kB high:512kB "
	      "reserved_highatomic:0KB present:15992kB managed:15360kB mlocked:0kB\n"
	      "lowmem_reserve[]: 0 1943 1943\n524158 pages RAM\n0 pages HighMem/MovableOnly\n"
	      "20555 pages reserved\n",
	      "failure \"insmod\" order 5 gfp cc1 GFP_KERNEL|GFP_DMA report 0 cpu -1 nodes (null) "
	      "of 0 trace\n"
	      "info ram 524158 highmem 0 reserved 20555 free -1 file -1 -1 slab -1\n"
	      "report 0 node 0 DMA free 128 min 344 low 428 high 512 present 15992 managed 15360 "
	      "reserve 0 1943 1943\n");
	holds("CPU: 0 PID: 1 Comm: swapper Tainted: G        W          4.17.0-rc5-mgm+ #57\n",
	      "release \"4.17.0-rc5-mgm+\"");
}

/* Who asked, the totals, and the free blocks. */
static void report_whole(void **state)
{
	holds("insmod: page allocation failure: order:0, mode:0xa21(GFP_ATOMIC|GFP_DMA), "
	      "nodemask=0-1,3,cpuset=/,mems_allowed=0,2-3\n"
	      "CPU: 3 UID: 0 PID: 94 Comm: insmod Not tainted 6.12.1 #1\n"
	      "Call Trace:\n <TASK>\n dump_stack_lvl+0x44/0x5c\n"
	      " ? doubtful+0x1/0x2\n [<c0de>] old_form+0x1/0x2 [mod]\n"
	      " inner from outer+0x1/0x2\n no frame\nMem-Info:\n"
	      "active_anon:460 inactive_anon:234 isolated_anon:0\n"
	      " active_file:7 inactive_file:8 isolated_file:0\n"
	      " slab_reclaimable:2194 slab_unreclaimable:7428\n"
	      " free:238006 free_pcp:2412 free_cma:0\n"
	      " late+0x1/0x2\n",
	      "failure \"insmod\" order 0 gfp a21 GFP_ATOMIC|GFP_DMA report 0 cpu 3 nodes 0-1,3 of "
	      "0,2-3 trace dump_stack_lvl old_form outer\n"
	      "info ram -1 highmem -1 reserved -1 free 238006 file 7 8 slab 7428\n");
	/* Kernels without nodes; old ones, with their reserve and without managed pages. */
	holds("Mem-Info:\nDMA free:12kB min:4kB low:4kB high:4kB present:16kB pages_scanned:0 "
	      "all_unreclaimable? yes\nlowmem_reserve[]: 0 3 3\n"
	      "DMA: 1*4kB (R) 1*8kB (UM) 0*16kB = 12kB\n",
	      "report 0 node 0 DMA free 12 min 4 low 4 high 4 present 16 managed -1 reserve 0 3 3\n"
	      "blocks of 4 1/40 1/3 0/0 sum 12\n");
	/* A report without its head, and one that lost a zone's line. */
	holds("x: page allocation failure. order:1, mode:0x20\n"
	      "Node 1 Normal: 3*64kB 0*128kB = 192kB\n",
	      "failure \"x\" order 1 gfp 20 - report 0 cpu -1 nodes - of - trace\n"
	      "info ram -1 highmem -1 reserved -1 free -1 file -1 -1 slab -1 headless\n"
	      "report 0 node 1 Normal free -1 min -1 low -1 high -1 present -1 managed -1 reserve\n"
	      "blocks of 64 3/0 0/0 sum 192\n");
	/* The same zone again is another report's. */
	holds("Mem-Info:\nNode 0 DMA: 1*4kB (U) = 4kB\nNode 0 DMA: 2*4kB (U) = 8kB\n",
	      "report 1 node 0 DMA");
	/* Numbers of pages outside a report are of something else. */
	holds("free:1 free_pcp:2\nMem-Info:\n", "free -1 file");
	damaged("Node 0 DMA: 1*4kB (U) 1*9kB = 13kB\n");
	damaged("Node 0 DMA: 1*4kB (X) = 4kB\n");
	damaged("Node 0 DMA: 1*4kB (U) 1*8kB (M)\n");
	damaged("Node 0 DMA: 99999999999999999999*4kB = 4kB\n");
	damaged("Node 0 DMA free:1kB min:1kB present:1kB\n");
	damaged("a b: swiotlb buffer is full (sz: 8192 bytes), total 9 (slots), used 10 (slots)\n");
	damaged("a b: swiotlb buffer is full (sz: 99999999999999999999 bytes)\n");
	damaged("software IO TLB: area num 0.\n");
	damaged("Node 0 DMA free:1kB min:1kB present:1kB managed:2kB\n");
}

static void machine(void **state)
{
	static const struct {
		const char *log, *arch;
	} known[] = {
		{ "Linux version 6.1.0-50-686-pae (x)\n", "i386" },
		{ "Linux version 6.12.95+deb12-powerpc64le-64k (x)\n", "powerpc64" },
		{ "Linux version 6.1.0-50-5kc-malta (x)\n", "mips64" },
		{ "Linux version 6.1.0-50-armmp (x)\n", "arm" },
		{ "Linux version 6.1.176 (r@v) (aarch64-linux-gnu-gcc 12) #1\n", "arm64" },
		{ "Booting Linux on physical CPU 0x0000000000 [0x411fd070]\n"
		  "Linux version 6.1.176 (r@v) (gcc) #1\n",
		  "arm64" },
		{ "Booting Linux on physical CPU 0x0\nLinux version 6.1.176\n", "arm" },
		{ "Linux version 6.1.176\nSBI specification v1.0 detected\n", "riscv64" },
		{ "Linux version 6.1.176\nsetup: Linux is running natively in 64-bit mode\n",
		  "s390" },
		{ "radix-mmu: Page sizes from device-tree:\nLinux version 6.1.176\n", "powerpc64" },
		{ "Linux version 4.17.0\nBIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] "
		  "usable\nEIP: dma_direct_alloc+0x22f/0x260\n",
		  "i386" },
		{ "Mem-Info:\nRIP: 0010:foo+0x1/0x2\n", "x86_64" },
		{ "Linux version 6.1.176\nMIPS: machine is mti,malta\n", "mips" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		read_boot(known[i].log, 0);
		assert_non_null(facts.arch_hint);
		assert_string_equal(facts.arch_hint, known[i].arch);
		done();
	}
	holds("percpu: Embedded 2 pages/cpu s38744 r8192 d84136 u131072\n", "page_shift 16\n");
	holds("Dentry cache hash table entries: 16384 (order: 5, 131072 bytes, linear)\n",
	      "page_shift 12\n");
	holds("smp: Brought up 2 nodes, 8 CPUs\n", "cpus 8\n");
	holds("Kernel command line: \n", "cmdline \"\"\n");
	holds("Linux version 6.1.0\nCommand line: a b\nKernel command line: a b c\n",
	      "cmdline \"a b c\"\n");
}

static void damage(void **state)
{
	static const char *const lines[] = {
		"BIOS-e820: [mem 0x000000000000000-0x000000000009fbff] usable\n",
		"BIOS-e820: [mem 0x0000000000000000-0x00000000000?fbff] usable\n",
		"BIOS-e820: [mem 0x0000000000100000-0x000000000009fbff] usable\n",
		"BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usabel\n",
		"BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff]\n",
		"last_pfn = 0x7fe0 max_arch_pfn = 0x40000000\n",
		"  node   0: [mem 0x0000000000001000-0x00000000009efff]\n",
		"  DMA      [mem 0x0000000000001000-0x000000000fffff]\n",
		"Memory: 84584K/130552K available (14343K kernel code, 2327K rwdata\n",
		"Memory: 184584K/130552K available (1K kernel code)\n",
		"crashkernel reserved: 0x000000005c000000 - 0x000000006c000000 (128 MB)\n",
		"percpu: Embedded 61 pages/cpu s212992 r8192 d2867 u2097152\n",
		"memblock_reserve: [0x0000000000098000-0x000000000009000] x+0/1\n",
		"Freeing initrd memory: 13\n",
		"Initmem setup node 70000 [mem 0x0000000000001000-0x0000000007fdffff]\n",
		"Reserving 99999999999999999999MB of memory at 1MB for crashkernel (x)\n",
		"Initial ramdisk at: 0x8fe90000 (0 bytes)\n",
		"Memory: 8?584K/130552K available (14343K kernel code)\n",
		"  node   x: [mem 0x0000000000001000-0x000000000009efff]\n",
		"  DMA      [mxm 0x0000000000001000-0x0000000000ffffff]\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		damaged(lines[i]);
}

static void contradictions(void **state)
{
	read_boot("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
		  "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
		  "BIOS-e820: [mem 0x0000000000090000-0x000000000009ffff] reserved\n",
		  0);
	assert_int_equal(facts.fw.n, 2);
	assert_int_equal(facts.contradictions.n, 2);
	assert_int_equal(facts.contradictions.v[0].at.line, 2);
	assert_int_equal(facts.contradictions.v[1].at.line, 3);
	done();
	read_boot("  Normal   empty\n  Normal   [mem 0x0000000001000000-0x0000000001ffffff]\n", 0);
	assert_int_equal(facts.contradictions.n, 1);
	done();
	read_boot("  node   0: [mem 0x0000000000001000-0x000000000009efff]\n"
		  "  node   1: [mem 0x0000000000002000-0x000000000009efff]\n",
		  0);
	assert_int_equal(facts.contradictions.n, 1);
	done();
}

static void boots(void **state)
{
	static const char log[] = "[    0.000000] Linux version 6.1.0-1-amd64\n"
				  "[    0.000000] Command line: first\n"
				  "[    9.000000] sysrq: Trigger a crash\n"
				  "[    0.000000] radix-mmu: Page sizes from device-tree:\n"
				  "[    0.000000] Linux version 6.1.0-2-powerpc64le\n"
				  "[    0.000000] Kernel command line: second\n";
	struct facts f;
	char *err;

	read_boot(log, 0);
	assert_int_equal(facts.boots, 2);
	assert_int_equal(facts.boot, 2);
	assert_string_equal(facts.cmdline, "second");
	assert_int_equal(facts.banner_at.line, 5);
	assert_int_equal(facts.line_marks.v[0], 0);
	assert_int_equal(facts.line_marks.v[3], 1);
	done();
	read_boot(log, 1);
	assert_string_equal(facts.cmdline, "first");
	assert_string_equal(facts.release, "6.1.0-1-amd64");
	assert_int_equal(facts.lines_used, 2);
	facts_init(&f);
	assert_int_equal(log_parse(&f, &text, facts_file(&f, "my.log"), 3, &err), -PZ_ERANGE);
	assert_non_null(strstr(err, "my.log"));
	free(err);
	facts_destroy(&f);
	done();
}

static void wrapped(void **state)
{
	read_boot(
		"> [    0.000000] BIOS-e820: [mem\n"
		"> 0x0000000000000000-0x000000000009fbff]\n> usable\n"
		"> [    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000000\n7fdffff] usable\n"
		"> [    0.000000] Kernel command line: console=ttyS0 root=/dev/sda1 quiet\n"
		"crashkernel=256M\nsome answer\n",
		0);
	assert_int_equal(facts.fw.n, 2);
	assert_int_equal(facts.fw.v[1].range.last, 0x7fdffff);
	assert_int_equal(facts.fw.v[1].at.line, 4);
	assert_string_equal(facts.cmdline, "console=ttyS0 root=/dev/sda1 quiet crashkernel=256M");
	assert_int_equal(facts.lines_used, 7);
	assert_int_equal(facts.contradictions.n, 0);
	done();
	/* Two lines on one, with time stamps and without. */
	read_boot("[    0.000000] RAMDISK: [mem 0x07e91000-0x07fdffff][    0.1] NUMA turned off\n",
		  0);
	assert_int_equal(facts.claims.n, 1);
	done();
	read_boot("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usableBIOS-e820: [mem "
		  "0x0000000000100000-0x0000000007fdffff] reserved\n",
		  0);
	assert_int_equal(facts.fw.n, 2);
	assert_int_equal(facts.contradictions.n, 0);
	done();
}

static void looks(void **state)
{
	static const struct {
		const char *text;
		bool yes;
	} cases[] = {
		{ "", false },
		{ "\n\n", false },
		{ "Dear all,\nno log here.\n", false },
		{ "00001000-0009fbff : System RAM\n", false },
		{ "Node 0, zone      DMA\n  pages free     3742\n", false },
		{ "> [ 0.000000] Zone ranges:\n", true },
		{ "Nov 21 06:00:00 host kernel: BIOS-e820: [mem 0x0-0x1] usable\n", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *err;

		assert_int_equal(
			text_from_memory(&text, cases[i].text, strlen(cases[i].text), "x", 0, &err),
			0);
		assert_int_equal(log_looks_like(&text), cases[i].yes);
		text_destroy(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),     cmocka_unit_test(firmware),
		cmocka_unit_test(last_pfns), cmocka_unit_test(results),
		cmocka_unit_test(claims),    cmocka_unit_test(memblock),
		cmocka_unit_test(report),    cmocka_unit_test(report_whole),
		cmocka_unit_test(machine),
		cmocka_unit_test(damage),    cmocka_unit_test(contradictions),
		cmocka_unit_test(boots),     cmocka_unit_test(wrapped),
		cmocka_unit_test(looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
