/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone boot: thread 000 on a recorded capture kernel, other command lines, other models, and
 * what is refused.
 */
#include "start_run.h"

#include <libfdt.h>

const char *run_machines;

#define KDUMP "@x86_64/6.1-kdump-256M"

static void thread_000(void **state)
{
	struct run r = run("boot --model linux-5.15 " KDUMP);
	const char *failure, *info, *failed;

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "DMA: preallocated 128 KiB GFP_KERNEL pool for atomic allocations");
	failure = run_has(&r, "swapper/0: page allocation failure: order:5, "
			      "mode:0xcc1(GFP_KERNEL|GFP_DMA), nodemask=(null),cpuset=/,"
			      "mems_allowed=0\n");
	info = run_has(&r, "Mem-Info:\n");
	failed = run_has(&r, "DMA: failed to allocate 128 KiB GFP_KERNEL|GFP_DMA pool for atomic "
			     "allocation");
	assert_true(failure < info && info < failed);
	run_has(&r, "present:632kB managed:0kB");
	run_has(&r, "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA32 pool");
	/* One report in ten seconds: the orders below fail silently. */
	assert_null(strstr(info, "page allocation failure"));
	run_has(&r, "6 tries failed, down to order 0");
	run_done(&r);
}

static void later_kernels_do_not_ask(void **state)
{
	struct run r = run("boot " KDUMP);

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "is not asked for");
	run_has_not(&r, "page allocation failure");
	run_has_not(&r, "failed to allocate");
	run_done(&r);
	r = run("boot --model linux-6.12 " KDUMP);
	assert_int_equal(r.rc, EXIT_FINE);
	run_has_not(&r, "page allocation failure");
	run_done(&r);
}

static void physzone_serves_what_is_in_reach(void **state)
{
	struct run r = run("boot --model physzone " KDUMP);

	(void)state;
	/* All memory of this kernel lies between 1.67 and 1.93 GiB: 31 bits. */
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "order 5, 31 bits");
	run_has(&r, "fewer than 31 bits reach nothing");
	run_done(&r);
	r = run("boot --model physzone --bits 31 " KDUMP);
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "order 5, 31 bits");
	run_done(&r);
	r = run("boot --model physzone --bits 30 " KDUMP);
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "would be served");
	run_done(&r);
	/* Where there is memory for old devices the request is made for them. */
	r = run("boot --model physzone @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "order 6, 24 bits");
	run_has(&r, "256 KiB of DMA at");
	run_done(&r);
}

static void models_beside_each_other(void **state)
{
	struct run r = run("boot --model linux-5.15,linux-6.1,physzone " KDUMP);

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "asked for");
	run_has(&r, "- not asked for");
	run_has(&r, "FAILED");
	run_has(&r, "31 bits at 0x");
	run_has_not(&r, "Mem-Info");
	run_done(&r);
	r = run("boot --why --model linux-5.15,linux-6.1 " KDUMP);
	run_has(&r, "Mem-Info");
	run_has(&r, "watermark");
	run_has(&r, "mode 0xcc1: GFP_KERNEL | GFP_DMA");
	run_done(&r);
}

static void another_command_line(void **state)
{
	struct run r = run("boot --cmdline cma=64M~hugepages=16 @x86_64/6.1-pc-2G");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "contiguous area");
	run_has(&r, "64 MiB at ");
	run_has(&r, "of the contiguous area");
	run_has(&r, "16 x 2 MiB of DMA32");
	run_done(&r);
	r = run("boot --cmdline hugepages=4096 @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, " of 4096 were served");
	run_done(&r);
	r = run("boot --cmdline hugepagesz=1G~hugepages=9 @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, " of 9 found a place");
	run_done(&r);
	r = run("boot --cmdline coherent_pool=2M @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "DMA: preallocated 2048 KiB GFP_KERNEL|GFP_DMA pool");
	run_done(&r);
}

static void driver_after_start_up(void **state)
{
	/* 6.1 says nothing of GFP_DMA where no zone DMA has a page; 5.15 reports it. */
	struct run r = run("boot --kmalloc-dma 64 " KDUMP);

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "dma-kmalloc-64");
	run_has_not(&r, "page allocation failure");
	/* As the recorded kernel of 6.1-kdump-256Mhigh-zonefill printed. */
	run_has(&r, "  SLUB: Unable to allocate memory on node -1, gfp=0xcc1(GFP_KERNEL|GFP_DMA)\n"
		    "    cache: dma-kmalloc-64, object size: 64, buffer size: 64, default order: "
		    "0, min order: 0\n"
		    "    node 0: slabs: 0, objs: 0, free: 0\n");
	run_done(&r);
	r = run("boot --model linux-5.15 --kmalloc-dma 1024 " KDUMP);
	run_has(&r, "dma-kmalloc-1k");
	run_has(&r, "page allocation failure: order:0, "
		    "mode:0x40cc1(GFP_KERNEL|GFP_DMA|__GFP_COMP)");
	run_done(&r);
	r = run("boot --kmalloc-dma 1024 @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_done(&r);
}

static void slab_caches(void **state)
{
	static const char *const models[] = { "linux-5.15", "linux-6.1", "linux-6.12" };

	(void)state;
	/* Made without an error by every version, and of no use. */
	for (size_t i = 0; i < 3; i++) {
		char *line = xasprintf("boot --model %s " KDUMP, models[i]);
		struct run r = run(line);

		run_says(&r, "slab caches 54 made, without a slab for their objects: 13 kmalloc, "
			     "13 kmalloc-cg, 13 kmalloc-rcl, 13 dma-kmalloc, 2 for descriptors, "
			     "which take 20 KiB");
		run_says(&r, "dma-kmalloc 13 caches made without an error, which stay empty: no "
			     "node has a managed page in ZONE_DMA. Each kmalloc(GFP_DMA) of up to "
			     "8 KiB fails, and only when it is called");
		run_done(&r);
		free(line);
	}
}

/* As the patch proposed: GFP_DMA is served, from memory that it does not stand for. */
static void slab_caches_skipped(void **state)
{
	struct run r = run("boot --dma-caches managed --kmalloc-dma 512 " KDUMP);

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_says(&r, "slab caches 41 made");
	run_says(&r, "dma-kmalloc not made: no node has a managed page in ZONE_DMA");
	run_says(&r, "of DMA32 at");
	run_says(&r, "(asked for with GFP_DMA, and it may lie anywhere)");
	run_done(&r);
	/* Beyond the caches the page allocator is asked, and that still fails. */
	r = run("boot --dma-caches managed --kmalloc-dma 9000 " KDUMP);
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "large kmalloc");
	run_has_not(&r, "SLUB:");
	run_done(&r);
	/* Where there are pages nothing changes. */
	r = run("boot --dma-caches managed --kmalloc-dma 512 @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_says(&r, "slab caches 54 made");
	run_has(&r, "dma-kmalloc-512");
	run_has_not(&r, "stay empty");
	run_done(&r);
}

/* Words of the command line, and kernels without the zone. */
static void slab_caches_elsewhere(void **state)
{
	struct run r = run("boot --cmdline cgroup.memory=nokmem~slub_debug=FZPU,dma-kmalloc-* "
			   "--json @x86_64/6.1-pc-2G");
	const char *at;

	(void)state;
	run_has_not(&r, "kmalloc-cg-");
	at = run_has(&r, "\"name\": \"dma-kmalloc-1k\"");
	assert_non_null(strstr(at, "\"slot_bytes\": 3072"));
	at = run_has(&r, "\"name\": \"kmalloc-1k\"");
	assert_true(strtoul(strstr(at, "\"slot_bytes\": ") + 14, NULL, 10) == 1024);
	run_has(&r, "\"state\": \"ready\"");
	run_has_not(&r, "\"state\": \"empty\"");
	run_done(&r);
	r = run("boot @riscv64/6.12-virt-2G");
	run_has_not(&r, "dma-kmalloc");
	run_done(&r);
	r = run("boot --json " KDUMP);
	at = run_has(&r, "\"name\": \"dma-kmalloc-8\"");
	assert_non_null(strstr(at, "\"state\": \"empty\""));
	run_done(&r);
	r = run("boot --model physzone " KDUMP);
	run_says(&r, "slab caches none that a zone names");
	run_done(&r);
}

static void json(void **state)
{
	struct run r = run("boot --json --model linux-5.15,physzone " KDUMP);

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "\"schema\"");
	run_has(&r, "\"model\": \"linux-5.15\"");
	run_has(&r, "\"model\": \"physzone\"");
	run_has(&r, "\"gfp_names\": \"GFP_KERNEL|GFP_DMA\"");
	run_has(&r, "\"outcome\": \"failed\"");
	run_has(&r, "\"verdict\"");
	run_has(&r, "\"bits_that_reach\": 31");
	run_has(&r, "page allocation failure: order:5");
	run_done(&r);
}

/* The capture kernel's machine made out of the one that will crash. */
static void before_it_crashes(void **state)
{
	struct run r = run("boot --capture kexec --model linux-5.15 " KDUMP "/first");

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "page allocation failure: order:5, mode:0xcc1(GFP_KERNEL|GFP_DMA)");
	run_done(&r);
	r = run("boot --capture kexec " KDUMP "/first");
	assert_int_equal(r.rc, EXIT_FINE);
	run_done(&r);
	/* The running machine itself has no such trouble. */
	r = run("boot --model linux-5.15 " KDUMP "/first");
	assert_int_equal(r.rc, EXIT_FINE);
	run_done(&r);
	/* More than half of memory, which is taken once, where the running machine has it. */
	r = run("boot --cmdline crashkernel=1G @x86_64/6.1-pc-2G");
	run_has(&r, "1 GiB at 1008M\n");
	run_done(&r);
	r = run("boot --capture kexec --cmdline crashkernel=1G @x86_64/6.1-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_says(&r, "crash kernel memory [mem 0x000000003f000000-0x000000007effffff]");
	run_done(&r);
}

/* A map alone: no log tells of anything. */
static void made_up_machine(void **state)
{
	char *name = run_file("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
			      "BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable\n");
	char *line = xasprintf("boot --model linux-5.15 %s", name);
	struct run r = run(line);

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "DMA: preallocated 128 KiB GFP_KERNEL|GFP_DMA pool");
	run_done(&r);
	unlink(name);
	free(line);
	free(name);
}

/* A board that has not started: its device tree asks for a contiguous area. */
static void a_board(void **state)
{
	struct run r = run("boot @arm64/6.1-raspi4b-2G/machine.dtb.xz");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	/* Recorded: "created CMA memory pool at 0x0000000038000000, size 64 MiB". */
	run_has(&r, "64 MiB at 896M lent to movable pages");
	run_has(&r, "of the contiguous area at");
	run_done(&r);
}

/* coherent_pool=0 as kernels have it, as a patch proposed, and as their documentation has it. */
static void coherent_pool_0(void **state)
{
	struct run r = run("boot --cmdline coherent_pool=0 @x86_64/6.1-pc-2G");

	(void)state;
	run_has(&r, "the same as no word");
	run_has(&r, "DMA: preallocated 256 KiB GFP_KERNEL pool");
	run_done(&r);
	r = run("boot --coherent-pool proposed --cmdline coherent_pool=0 --model linux-5.15 "
		KDUMP);
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "none: coherent_pool=0, and a patch proposed");
	run_has_not(&r, "DMA: ");
	run_has_not(&r, "page allocation failure");
	run_done(&r);
	r = run("boot --coherent-pool documented --cmdline quiet @x86_64/6.1-pc-8G");
	run_has(&r, "DMA: preallocated 256 KiB GFP_KERNEL pool");
	run_done(&r);
	r = run("boot --coherent-pool documented --cmdline coherent_pool=0 @x86_64/6.1-pc-8G");
	run_has(&r, "none: coherent_pool=0, and by the documentation");
	run_done(&r);
}

/* Requests of memblock: what they get, what decides, and the kernel's words. */
static void before_the_allocator(void **state)
{
	struct run r = run("boot --cmdline crashkernel=512M,high~cma=64M~swiotlb=65536,4 "
			   "@x86_64/6.1-pc-8G");
	const char *cma, *crash, *areas, *late;

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	cma = run_has(&r, "cma: Reserved 64 MiB at 0x0000000100000000\n");
	crash = run_has(&r, "Reserving 512MB of memory at 8688MB for crashkernel (System RAM: "
			    "8191MB)\n");
	areas = run_has(&r, "software IO TLB: area num 4.\n");
	late = run_has(&r, "PCI-DMA: Using software bounce buffering for IO (SWIOTLB)\n");
	assert_true(cma < crash && crash < areas && areas < late);
	run_has(&r, "(128MB)\n");
	run_done(&r);
	/* Too large ones: a crash kernel and an area fail, bounce buffers are halved. */
	r = run("boot --cmdline crashkernel=7G~nokaslr @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "crashkernel reservation failed - No suitable area found.");
	run_done(&r);
	r = run("boot --cmdline cma=7G @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "cma: Failed to reserve 7168 MiB\n");
	run_says(&r, "FAILED: no place: the longest range that is free for it is");
	run_done(&r);
	r = run("boot --cmdline swiotlb=2097152 @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "SWIOTLB bounce buffer size adjusted 2097152 -> 1048576 slabs\n");
	run_done(&r);
	/* 5.15 does not halve. */
	r = run("boot --model linux-5.15 --cmdline swiotlb=2097152 @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "software IO TLB: Cannot allocate buffer\n");
	run_has(&r, "software IO TLB: No low mem\n");
	run_done(&r);
	r = run("boot --cmdline crashkernel=0 @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "not asked for: nothing is reserved");
	run_done(&r);
}

/* A map alone does not tell where KASLR puts the image. */
static void it_depends(void **state)
{
	char *name = run_file("BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
			      "BIOS-e820: [mem 0x0000000000100000-0x000000003fffffff] usable\n");
	char *line = xasprintf("boot --cmdline crashkernel=640M %s", name);
	struct run r = run(line);

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_says(&r, "? depends: on where KASLR puts the image of 44 MiB");
	run_done(&r);
	free(line);
	line = xasprintf("boot --cmdline crashkernel=128M %s", name);
	r = run(line);
	run_has_not(&r, "depends");
	run_done(&r);
	free(line);
	line = xasprintf("boot --cmdline crashkernel=640M~nokaslr --json %s", name);
	r = run(line);
	run_has_not(&r, "\"depends\"");
	run_done(&r);
	unlink(name);
	free(line);
	free(name);
}

static char tree_blob[1 << 14];

static void tree_cells(const char *name, unsigned int n, const uint32_t *v)
{
	uint32_t be[8];

	for (unsigned int i = 0; i < n; i++)
		be[i] = cpu_to_fdt32(v[i]);
	assert_int_equal(fdt_property(tree_blob, name, be, (int)(4 * n)), 0);
}

/* A node of reserved-memory: with a place, or only with a size. */
static void tree_pool(const char *name, const char *compatible, uint32_t base, uint32_t size,
		      const char *flag, const char *flag2)
{
	assert_int_equal(fdt_begin_node(tree_blob, name), 0);
	assert_int_equal(fdt_property_string(tree_blob, "compatible", compatible), 0);
	if (base)
		tree_cells("reg", 2, (const uint32_t[]){ base, size });
	else
		tree_cells("size", 1, &size);
	if (flag)
		assert_int_equal(fdt_property(tree_blob, flag, NULL, 0), 0);
	if (flag2)
		assert_int_equal(fdt_property(tree_blob, flag2, NULL, 0), 0);
	assert_int_equal(fdt_end_node(tree_blob), 0);
}

/* An arm64 board with 1 GiB and pools for devices. */
static char *tree_file(void)
{
	char *name = xstrdup("/tmp/physzone-XXXXXX");
	int fd = mkstemp(name);

	assert_int_equal(fdt_create(tree_blob, sizeof(tree_blob)), 0);
	assert_int_equal(fdt_finish_reservemap(tree_blob), 0);
	assert_int_equal(fdt_begin_node(tree_blob, ""), 0);
	tree_cells("#address-cells", 1, (const uint32_t[]){ 1 });
	tree_cells("#size-cells", 1, (const uint32_t[]){ 1 });
	assert_int_equal(fdt_begin_node(tree_blob, "memory@40000000"), 0);
	assert_int_equal(fdt_property_string(tree_blob, "device_type", "memory"), 0);
	tree_cells("reg", 2, (const uint32_t[]){ 0x40000000, 0x40000000 });
	assert_int_equal(fdt_end_node(tree_blob), 0);
	assert_int_equal(fdt_begin_node(tree_blob, "reserved-memory"), 0);
	tree_cells("#address-cells", 1, (const uint32_t[]){ 1 });
	tree_cells("#size-cells", 1, (const uint32_t[]){ 1 });
	assert_int_equal(fdt_property(tree_blob, "ranges", NULL, 0), 0);
	tree_pool("gpu", "shared-dma-pool", 0x70000000, 0x1000000, "no-map", NULL);
	tree_pool("wifi", "restricted-dma-pool", 0x72000000, 0x400000, NULL, NULL);
	tree_pool("odd", "shared-dma-pool", 0x74001000, 0x400000, "reusable", NULL);
	tree_pool("huge", "shared-dma-pool", 0, 0x7f000000, NULL, NULL);
	tree_pool("linux,cma", "shared-dma-pool", 0x78000000, 0x2000000, "reusable",
		  "linux,cma-default");
	assert_int_equal(fdt_end_node(tree_blob), 0);
	assert_int_equal(fdt_end_node(tree_blob), 0);
	assert_int_equal(fdt_finish(tree_blob), 0);
	assert_true(write(fd, tree_blob, fdt_totalsize(tree_blob)) ==
		    (ssize_t)fdt_totalsize(tree_blob));
	close(fd);
	return name;
}

static void pools_of_the_tree(void **state)
{
	char *name = tree_file(), *line = xasprintf("boot --arch arm64 %s", name);
	struct run r = run(line);

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "Reserved memory: created DMA memory pool at 0x0000000070000000, size 16 "
		    "MiB\n");
	run_has(&r, "software IO TLB: Reserved memory: created restricted DMA pool at "
		    "0x0000000072000000, size 4 MiB\n");
	run_has(&r, "Reserved memory: incorrect alignment of CMA region\n");
	run_has(&r, "Reserved memory: created CMA memory pool at 0x0000000078000000, size 32 "
		    "MiB\n");
	run_says(&r, "FAILED: it does not begin and end on pageblocks");
	run_says(&r, "coherent region 1.98 GiB * FAILED: no range that is free is large enough");
	/* The tree has a default area: no other one is made. */
	run_has(&r, "32 MiB at 1920M lent to movable pages");
	run_has_not(&r, "cma: Reserved");
	run_done(&r);
	free(line);
	/* Unless the command line asks for one. */
	line = xasprintf("boot --arch arm64 --cmdline cma=16M %s", name);
	r = run(line);
	run_has(&r, "Reserved memory: bypass linux,cma node, using cmdline CMA params instead\n");
	run_has(&r, "cma: Reserved 16 MiB at ");
	run_has_not(&r, "1920M");
	run_done(&r);
	unlink(name);
	free(line);
	free(name);
}

static void all_models(void **state)
{
	struct run r = run("boot --model all " KDUMP);

	(void)state;
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "linux-5.15");
	run_has(&r, "physzone");
	run_done(&r);
}

static void refused(void **state)
{
	(void)state;
	run_refused("boot --model linux-7.0 " KDUMP, "unknown model 'linux-7.0': expected");
	run_refused("boot --model linux-6.1,,physzone " KDUMP, "unknown model ''");
	run_refused("boot --kmalloc-dma 0 " KDUMP, "--kmalloc-dma wants bytes");
	run_refused("boot --kmalloc-dma 9999999 " KDUMP, "--kmalloc-dma wants bytes");
	run_refused("boot --coherent-pool none " KDUMP, "--coherent-pool wants kernel, ");
	run_refused("boot --dma-caches never " KDUMP, "--dma-caches wants always or managed");
	run_refused("boot --bits 65 " KDUMP, "--bits wants a number");
	run_refused("boot --bits 24 --bits 28 " KDUMP, "one device at a time");
	run_refused("boot", "no SOURCE given");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread_000),
		cmocka_unit_test(later_kernels_do_not_ask),
		cmocka_unit_test(physzone_serves_what_is_in_reach),
		cmocka_unit_test(models_beside_each_other),
		cmocka_unit_test(another_command_line),
		cmocka_unit_test(driver_after_start_up),
		cmocka_unit_test(slab_caches),
		cmocka_unit_test(slab_caches_skipped),
		cmocka_unit_test(slab_caches_elsewhere),
		cmocka_unit_test(json),
		cmocka_unit_test(before_it_crashes),
		cmocka_unit_test(made_up_machine),
		cmocka_unit_test(a_board),
		cmocka_unit_test(coherent_pool_0),
		cmocka_unit_test(before_the_allocator),
		cmocka_unit_test(it_depends),
		cmocka_unit_test(pools_of_the_tree),
		cmocka_unit_test(all_models),
		cmocka_unit_test(refused),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
