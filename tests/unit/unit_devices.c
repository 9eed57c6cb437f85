/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone devices: PCI devices of a made-up /sys, devices of made-up trees behind buses of every
 * kind, each byte counted against a translation by hand, and what is refused.
 */
#include "start_run.h"

#include <sys/stat.h>

#include "devices/devices.h"
#include "input/scan.h"
#include "tree.h"

const char *run_machines;

static char root_dir[] = "/tmp/physzone-XXXXXX";

#define PCI "sys/bus/pci/devices/"
#define GROUPS "sys/kernel/iommu_groups/"

/* A file below the made-up root, with the directories that it needs. */
static void root_write(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", root_dir, name);
	FILE *f;

	for (char *p = path + strlen(root_dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void root_link(const char *name, const char *to)
{
	char *path = xasprintf("%s/%s", root_dir, name);

	assert_int_equal(symlink(to, path), 0);
	free(path);
}

static void root_clear(void)
{
	char *rm = xasprintf("rm -rf '%s'", root_dir);

	assert_int_equal(system(rm), 0);
	assert_int_equal(mkdir(root_dir, 0700), 0);
	free(rm);
}

static void root_device(const char *name, const char *bits, const char *coherent)
{
	char *dir = xasprintf(PCI "%s/", name), *path;

	path = xasprintf("%sdma_mask_bits", dir);
	root_write(path, bits);
	free(path);
	path = xasprintf("%sconsistent_dma_mask_bits", dir);
	root_write(path, coherent);
	free(path);
	path = xasprintf("%sclass", dir);
	root_write(path, "0x010802\n");
	free(path);
	free(dir);
}

/* 3 GiB below 4 GiB, and 1 GiB above. */
static void root_memory(void)
{
	root_write("proc/iomem", "00001000-bfffffff : System RAM\n"
				 "  01000000-01ffffff : Kernel code\n"
				 "fee00000-fee00fff : Local APIC\n"
				 "100000000-13fffffff : System RAM\n");
}

static struct run run_root(const char *more)
{
	char *line = xasprintf("devices --root %s %s", root_dir, more);
	struct run r = run(line);

	free(line);
	return r;
}

static void sys(void **state)
{
	struct run r;

	(void)state;
	root_clear();
	root_memory();
	root_device("0000:00:01.0", "64\n", "32\n");
	root_link(PCI "0000:00:01.0/driver", "../../../../bus/pci/drivers/nvme");
	root_write(PCI "0000:00:01.0/numa_node", "1\n");
	root_device("0000:00:02.0", "28\n", "24\n");
	root_write(PCI "0000:00:02.0/uevent", "PCI_ID=1:2\nDRIVER=copied\n");
	root_write(PCI "0000:00:02.0/numa_node", "-1\n");
	r = run_root("");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "4 GiB of memory, by /proc/iomem");
	run_has(&r, "0000:00:01.0  nvme    NVMe     1     all    64      all    32     3 GiB");
	run_has(&r, "0000:00:02.0  copied  NVMe           all    28  256 MiB    24    16 MiB");
	run_done(&r);
	r = run_root("--json");
	/* Page 0 is no memory. */
	run_has(&r, "\"memory\": 4294963200");
	run_has(&r, "\"bytes\": 268431360");
	run_has(&r, "\"bytes\": 16773120");
	run_has(&r, "{\"first\": 0, \"last\": 16777215, \"bus\": 0}");
	run_done(&r);
	r = run_root("--svg -");
	run_has(&r, "</svg>");
	run_has(&r, "nvme");
	run_done(&r);
}

static void questions(void **state)
{
	struct run r;

	(void)state;
	/* On both sides of each mask. */
	r = run_root("--cannot-reach 0xfffffff");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "0000:00:02.0");
	run_has_not(&r, "0000:00:01.0");
	run_done(&r);
	r = run_root("--cannot-reach 0xffffff");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "none");
	run_done(&r);
	r = run_root("--cannot-reach 4G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "Devices that cannot reach 4G:");
	run_has(&r, "0000:00:01.0");
	run_done(&r);
	r = run_root("--reach 0xffffffff");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "(which is no memory)");
	run_has(&r, "0000:00:01.0");
	run_has_not(&r, "0000:00:02.0");
	run_done(&r);
	r = run_root("--reach 4G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_done(&r);
	r = run_root("--json --reach 0");
	run_has(&r, "\"reaches\": true");
	run_has(&r, "\"address\": 0");
	run_done(&r);
}

/* Behind an IOMMU: what it does decides, and what it reserves. */
static void groups(void **state)
{
	static const struct {
		const char *type, *regions, *streams, *coherent, *through;
	} cases[] = {
		{ "DMA-FQ\n", "0x00000000fee00000 0x00000000feefffff msi\n", "all", "all",
		  "IOMMU 7\n" },
		{ "identity\n", "0x00000000fee00000 0x00000000feefffff msi\n", "all", "3 GiB",
		  "IOMMU 7 (identity)\n" },
		/* Reserved where memory is: no memory to it; mapped directly: it is. */
		{ "identity\n", "0x0000000000100000 0x00000000400fffff reserved\n", "3 GiB",
		  "2 GiB", "IOMMU 7 (identity)\n" },
		{ "identity\n", "0x0000000000100000 0x00000000400fffff direct\n", "all", "3 GiB",
		  "IOMMU 7 (identity)\n" },
		{ "nonsense\n", "", "all", "3 GiB", "IOMMU 7 (does what?)\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		char *row;

		root_clear();
		root_memory();
		root_device("0000:00:01.0", "64\n", "32\n");
		/* Without the link, as in a copy that followed all of them. */
		if (i % 2)
			root_write(GROUPS "7/devices/0000:00:01.0/class", "");
		else
			root_link(PCI "0000:00:01.0/iommu_group", "../../kernel/iommu_groups/7");
		root_write(GROUPS "7/type", cases[i].type);
		root_write(GROUPS "7/reserved_regions", cases[i].regions);
		r = run_root("");
		row = xasprintf("64  %7s    32  %8s  %s", cases[i].streams, cases[i].coherent,
				cases[i].through);
		run_has(&r, row);
		free(row);
		run_done(&r);
	}
	/* The link became a directory: the number of the group is not told. */
	root_clear();
	root_memory();
	root_device("0000:00:01.0", "64\n", "32\n");
	root_write(PCI "0000:00:01.0/iommu_group/type", "DMA\n");
	{
		struct run r = run_root("");

		run_has(&r, "64      all    32       all  IOMMU ?\n");
		run_done(&r);
	}
	/* All that the mask leaves is reserved: nothing is left, also of a made-up space. */
	root_write(PCI "0000:00:01.0/iommu_group/reserved_regions", "0x0 0xffffffff reserved\n");
	{
		struct run r = run_root("");

		assert_int_equal(r.rc, EXIT_PROBLEM);
		run_has(&r, "64      all    32   nothing");
		run_done(&r);
	}
}

/* Where memory is, as far as it is told. */
static void sources(void **state)
{
	struct run r;

	(void)state;
	root_clear();
	root_device("0000:00:01.0", "32\n", "32\n");
	r = run_root("");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	run_has(&r, "memory unknown");
	run_done(&r);
	/* Everyone may read zoneinfo: a zone of 3 GiB over 4, and one above. */
	root_write("proc/zoneinfo", "Node 0, zone    DMA32\n"
				    "  pages free     1\n"
				    "        spanned  1048576\n"
				    "        present  786432\n"
				    "        managed  786432\n"
				    "  start_pfn:           0\n"
				    "Node 0, zone   Normal\n"
				    "  pages free     1\n"
				    "        spanned  262144\n"
				    "        present  262144\n"
				    "        managed  262144\n"
				    "  start_pfn:           1048576\n");
	root_write("proc/iomem", "00000000-00000000 : System RAM\n00000000-00000000 : x\n");
	r = run_root("");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "4 GiB of memory, by /proc/zoneinfo");
	run_has(&r, "32    3 GiB    32     3 GiB");
	run_done(&r);
	root_write("sys/firmware/memmap/0/start", "0x0\n");
	root_write("sys/firmware/memmap/0/end", "0x7fffffff\n");
	root_write("sys/firmware/memmap/0/type", "System RAM\n");
	r = run_root("");
	run_has(&r, "2 GiB of memory, by the firmware's map");
	run_done(&r);
}

static void sys_refused(const char *file, const char *text, const char *why)
{
	struct run r;

	root_clear();
	root_memory();
	root_device("0000:00:01.0", "64\n", "32\n");
	root_link(PCI "0000:00:01.0/iommu_group", "../../kernel/iommu_groups/7");
	root_write(file, text);
	r = run_root("");
	if (r.rc != EXIT_INPUT || !strstr(r.err, why) || !strstr(r.err, file) ||
	    strchr(r.err, '\n'))
		fail_msg("%s: %d '%s'", file, r.rc, r.err);
	assert_string_equal(r.text, "");
	run_done(&r);
}

static void refused(void **state)
{
	struct run r;

	(void)state;
	sys_refused(PCI "0000:00:01.0/dma_mask_bits", "sixty\n", ":1: expected a number of");
	sys_refused(PCI "0000:00:01.0/dma_mask_bits", "65\n", "found \"65\"");
	sys_refused(PCI "0000:00:01.0/consistent_dma_mask_bits", "-1\n", "0 to 64");
	sys_refused(PCI "0000:00:01.0/numa_node", "x\n", "the number of a node");
	sys_refused(GROUPS "7/reserved_regions", "0x0 0x1 msi\n0x0 msi\n",
		    ":2: expected \"0xFIRST 0xLAST TYPE\"");
	sys_refused(GROUPS "7/reserved_regions", "0x2 0x1 msi\n", ":1: expected");
	root_clear();
	r = run_root("");
	assert_int_equal(r.rc, EXIT_INPUT);
	run_has(&(struct run){ .text = r.err, .err = r.err }, "sys/bus/pci/devices: cannot read");
	run_done(&r);
	root_clear();
	r = run("devices /tmp");
	assert_int_equal(r.rc, EXIT_INPUT);
	run_done(&r);
	run_refused("devices --root /tmp x.dtb", "one SOURCE too many");
	run_refused("devices a b", "one SOURCE at a time");
	run_refused("devices --reach 1 --cannot-reach 2", "opposite questions");
	run_refused("devices --reach x", "--reach wants an address");
	run_refused("devices --cannot-reach 4Q", "--cannot-reach wants an address");
	run_refused("devices --bits 3 --root /", "--bits is for a device tree");
	run_refused("devices --bits 65 @arm64/6.1-raspi4b-2G", "1 to 64");
}

/* The mask of a device is one that it never got; the kernel's default counts. */
static void untold(void **state)
{
	struct run r;

	(void)state;
	root_clear();
	root_memory();
	root_write(PCI "0000:00:01.0/class", "0xffffff\n");
	r = run_root("");
	run_has(&r, "dma_mask_bits is not told; taken for 32");
	run_has(&r, "32    3 GiB    32     3 GiB");
	run_done(&r);
	root_clear();
}

/* The devices of the tree in the writer's blob. */
struct tree {
	struct devices d;
	struct facts f;
};

static void tree_read(struct tree *x, unsigned int bits)
{
	size_t n = unit_finish();
	char *err = NULL;

	facts_init(&x->f);
	devices_init(&x->d);
	if (dtb_devices(&x->d, &x->f, facts_file(&x->f, "t"), unit_blob, n, &err))
		fail_msg("%s", err);
	for (size_t i = 0; i < x->d.all.n; i++)
		for (int u = 0; u < DEV_USES; u++)
			x->d.all.v[i].bits[u] = bits;
	devices_memory(&x->d, &x->f);
	devices_compute(&x->d);
	for (size_t i = 0; i < x->d.all.n; i++) {
		const struct dev *dev = &x->d.all.v[i];

		assert_int_equal(pz_reach_check(&dev->bus), 0);
		for (int u = 0; u < DEV_USES; u++)
			assert_int_equal(pz_reach_check(&dev->reach[u]), 0);
	}
}

static void tree_free(struct tree *x)
{
	devices_destroy(&x->d);
	facts_destroy(&x->f);
}

static const struct dev *tree_dev(const struct tree *x, const char *name)
{
	for (size_t i = 0; i < x->d.all.n; i++)
		if (!strcmp(x->d.all.v[i].name, name))
			return &x->d.all.v[i];
	fail_msg("no device %s", name);
	return NULL;
}

/* The windows of a device's bus, as text. */
static void tree_windows(const struct tree *x, const char *name, const char *expected)
{
	const struct dev *dev = tree_dev(x, name);
	char *all = xstrdup("");

	for (uint32_t i = 0; i < dev->bus.count; i++) {
		const struct pz_window *w = &dev->bus.v[i];
		char *more = xasprintf(
			"%s%s%llx=%llx-%llx", all, *all ? " " : "", (unsigned long long)w->bus,
			(unsigned long long)w->phys.first, (unsigned long long)w->phys.last);

		free(all);
		all = more;
	}
	assert_string_equal(all, expected);
	free(all);
}

/* A root of 2 + 2 cells with 4 GiB from 0. */
static void tree_memory(void)
{
	unit_open("memory@0");
	unit_string("device_type", "memory");
	unit_cells("reg", 0, 0, 1, 0);
	unit_close();
}

static void tree_start(void)
{
	unit_root(2, 2);
	tree_memory();
}

static void tree_bus(const char *name, uint32_t na, uint32_t ns)
{
	unit_open(name);
	unit_string("compatible", "simple-bus");
	unit_cells("#address-cells", na);
	unit_cells("#size-cells", ns);
	unit_flag("ranges");
}

static void tree_device(const char *name)
{
	unit_open(name);
	unit_string("compatible", "a,device");
	unit_cells("reg", 0, 1);
	unit_close();
}

/* Missing, empty, one window, several with a hole, and what is no list. */
static void windows(void **state)
{
	struct tree x;

	(void)state;
	tree_start();
	tree_bus("none", 1, 1);
	tree_device("d");
	unit_close();
	tree_bus("empty", 1, 1);
	unit_flag("dma-ranges");
	tree_device("d");
	unit_close();
	tree_bus("one", 1, 1);
	unit_cells("dma-ranges", 0xc0000000, 0, 0, 0x40000000);
	tree_device("d");
	unit_close();
	tree_bus("two", 1, 1);
	unit_cells("dma-ranges", 0, 0, 0x10000000, 0x1000, 0x8000, 0, 0x20000000, 0x2000);
	tree_device("d");
	unit_close();
	tree_bus("odd", 1, 1);
	unit_cells("dma-ranges", 0, 0, 0);
	tree_device("d");
	unit_close();
	tree_bus("nothing", 1, 1);
	unit_cells("dma-ranges", 0, 0, 0, 0);
	tree_device("d");
	unit_close();
	tree_bus("twice", 1, 1);
	unit_cells("dma-ranges", 0, 0, 0, 0x1000, 0x80000000, 0, 0, 0x1000);
	tree_device("d");
	unit_close();
	tree_read(&x, 64);
	assert_int_equal(x.d.all.n, 7);
	assert_int_equal(x.d.total, UINT64_C(4) << 30);
	tree_windows(&x, "/none/d", "0=0-ffffffffffffffff");
	tree_windows(&x, "/empty/d", "0=0-ffffffffffffffff");
	tree_windows(&x, "/one/d", "c0000000=0-3fffffff");
	tree_windows(&x, "/two/d", "0=10000000-10000fff 8000=20000000-20001fff");
	tree_windows(&x, "/odd/d", "");
	tree_windows(&x, "/nothing/d", "");
	tree_windows(&x, "/twice/d", "0=0-fff");
	assert_int_equal(tree_dev(&x, "/one/d")->by_bus, UINT64_C(1) << 30);
	assert_int_equal(tree_dev(&x, "/two/d")->bytes[DEV_STREAMING], 0x3000);
	assert_int_equal(tree_dev(&x, "/odd/d")->bytes[DEV_COHERENT], 0);
	assert_int_equal(tree_dev(&x, "/odd/d")->notes.n, 1);
	assert_int_equal(tree_dev(&x, "/twice/d")->notes.n, 1);
	/* The mask is about bus addresses: the window lies at its end. */
	assert_true(dev_reaches(tree_dev(&x, "/one/d"), DEV_STREAMING, 0x3fffffff));
	assert_false(dev_reaches(tree_dev(&x, "/one/d"), DEV_STREAMING, 0x40000000));
	tree_free(&x);
}

static void masks(void **state)
{
	struct tree x;

	(void)state;
	for (unsigned int bits = 30; bits <= 33; bits++) {
		tree_start();
		tree_bus("one", 2, 1);
		unit_cells("dma-ranges", 0, 0xc0000000, 0, 0, 0x80000000);
		tree_device("d");
		unit_close();
		tree_read(&x, bits);
		/* Half of it lies below 4 GiB on the bus, all of it below 8. */
		assert_int_equal(tree_dev(&x, "/one/d")->bytes[DEV_STREAMING],
				 bits < 32    ? 0
				 : bits == 32 ? 0x40000000
					      : 0x80000000);
		tree_free(&x);
	}
}

/* Bus behind bus: windows are cut where one of those above ends, in either. */
static void nested(void **state)
{
	struct tree x;

	(void)state;
	tree_start();
	tree_bus("outer", 2, 2);
	/* [0-fff] and [2000-2fff] of outer go to 1 MiB and to 2 MiB. */
	unit_cells("dma-ranges", 0, 0, 0, 0x100000, 0, 0x1000, 0, 0x2000, 0, 0x200000, 0, 0x1000);
	tree_bus("inner", 1, 1);
	/* [80000000-80003fff] is [0-3fff] of outer, of which the middle is a hole. */
	unit_cells("dma-ranges", 0x80000000, 0, 0, 0x4000);
	tree_device("d");
	unit_close();
	tree_bus("plain", 1, 1);
	tree_device("d");
	tree_bus("deep", 1, 1);
	tree_device("d");
	unit_close();
	unit_close();
	unit_close();
	tree_read(&x, 64);
	tree_windows(&x, "/outer/inner/d", "80000000=100000-100fff 80002000=200000-200fff");
	tree_windows(&x, "/outer/plain/d", "0=100000-100fff 2000=200000-200fff");
	tree_windows(&x, "/outer/plain/deep/d", "0=100000-100fff 2000=200000-200fff");
	/* Linux does not look past the second bus without dma-ranges. */
	assert_int_equal(tree_dev(&x, "/outer/plain/d")->notes.n, 0);
	assert_int_equal(tree_dev(&x, "/outer/plain/deep/d")->notes.n, 1);
	assert_non_null(strstr(tree_dev(&x, "/outer/plain/deep/d")->notes.v[0], "Linux stops"));
	assert_string_equal(tree_dev(&x, "/outer/inner/d")->behind, "/outer/inner");
	assert_string_equal(tree_dev(&x, "/outer/plain/d")->behind, "/outer");
	tree_free(&x);
}

/* DMA that goes another way than registers do, and one that leads in circles. */
static void interconnects(void **state)
{
	struct tree x;

	(void)state;
	tree_start();
	unit_open("noc@1");
	unit_string("compatible", "a,noc");
	unit_cells("reg", 0, 1, 0, 1);
	unit_cells("phandle", 5);
	unit_cells("#interconnect-cells", 1);
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 1);
	unit_cells("dma-ranges", 0, 0, 0x40000000, 0x1000);
	unit_close();
	unit_open("loop@2");
	unit_string("compatible", "a,loop");
	unit_cells("reg", 0, 2, 0, 1);
	unit_cells("phandle", 6);
	unit_cells("#interconnect-cells", 0);
	unit_string("interconnect-names", "dma-mem");
	unit_cells("interconnects", 6);
	unit_close();
	unit_open("d@3");
	unit_string("compatible", "a,d");
	unit_cells("reg", 0, 3, 0, 1);
	unit_string("interconnect-names", "dma-mem");
	unit_cells("interconnects", 5, 7);
	unit_close();
	tree_read(&x, 64);
	tree_windows(&x, "/d@3", "0=40000000-40000fff");
	tree_windows(&x, "/loop@2", "");
	assert_int_equal(tree_dev(&x, "/loop@2")->notes.n, 1);
	assert_int_equal(tree_dev(&x, "/loop@2")->bytes[DEV_STREAMING], 0);
	tree_free(&x);
}

/* What is behind a PCI host: its own dma-ranges; windows of I/O space are no memory. */
static void hosts(void **state)
{
	struct tree x;

	(void)state;
	tree_start();
	unit_open("pcie@10000");
	unit_string("compatible", "a,host");
	unit_string("device_type", "pci");
	unit_cells("#address-cells", 3);
	unit_cells("#size-cells", 2);
	unit_cells("reg", 0, 0x10000, 0, 0x1000);
	unit_cells("ranges", 0);
	unit_cells("dma-ranges", 0x02000000, 0, 0, 0, 0x40000000, 0, 0x10000000, 0x01000000, 0, 0,
		   0, 0x90000000, 0, 0x1000);
	unit_cells("iommu-map", 0, 9, 0, 0x10000);
	unit_open("device@0"); /* not one of its own: the host stands for it */
	unit_string("compatible", "pci1,2");
	unit_cells("reg", 0, 0, 0, 0, 0);
	unit_close();
	unit_close();
	tree_read(&x, 64);
	assert_int_equal(x.d.all.n, 1);
	tree_windows(&x, "/pcie@10000", "0=40000000-4fffffff");
	assert_string_equal(x.d.all.v[0].kind, "what is behind the PCI host");
	/* The phandle leads nowhere. */
	assert_int_equal(x.d.all.v[0].iommu, DEV_IOMMU_NONE);
	assert_int_equal(x.d.all.v[0].notes.n, 1);
	tree_free(&x);
}

/* Which nodes are devices. */
static void which(void **state)
{
	struct tree x;

	(void)state;
	tree_start();
	unit_open("cpus");
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 0);
	unit_open("cpu@0");
	unit_string("compatible", "arm,cortex-a53");
	unit_cells("reg", 0);
	unit_close();
	unit_close();
	unit_open("keys"); /* no address */
	unit_string("compatible", "a,keys");
	unit_close();
	unit_open("i2c@1000");
	unit_string("compatible", "a,i2c");
	unit_cells("reg", 0, 0x1000, 0, 0x100);
	unit_cells("#address-cells", 1);
	unit_cells("#size-cells", 0);
	unit_open("sensor@3"); /* its bus is none of memory */
	unit_string("compatible", "a,sensor");
	unit_cells("reg", 3);
	unit_close();
	unit_close();
	unit_open("off@2000");
	unit_string("compatible", "a,off");
	unit_string("status", "disabled");
	unit_cells("reg", 0, 0x2000, 0, 0x100);
	unit_close();
	tree_read(&x, 32);
	assert_int_equal(x.d.all.n, 1);
	assert_string_equal(x.d.all.v[0].name, "/i2c@1000");
	tree_free(&x);
}

static void region(const char *name, uint32_t phandle, const char *compatible, uint32_t at,
		   bool reusable)
{
	unit_open(name);
	unit_string("compatible", compatible);
	unit_cells("phandle", phandle);
	unit_cells("reg", 0, at, 0, 0x100000);
	if (reusable)
		unit_flag("reusable");
	unit_close();
}

static void owner(const char *name, uint32_t of, const char *coherent)
{
	unit_open(name);
	unit_string("compatible", "a,device");
	unit_cells("reg", 0, 1, 0, 1);
	unit_cells("memory-region", of);
	if (coherent)
		unit_flag(coherent);
	unit_close();
}

/* Regions of their own, IOMMUs and coherence. */
static void extras(void **state)
{
	struct tree x;

	(void)state;
	unit_root(2, 2);
	unit_flag("dma-coherent");
	tree_memory();
	unit_open("reserved-memory");
	unit_cells("#address-cells", 2);
	unit_cells("#size-cells", 2);
	unit_flag("ranges");
	region("pool@10000000", 1, "shared-dma-pool", 0x10000000, false);
	region("cma@20000000", 2, "shared-dma-pool", 0x20000000, true);
	region("swiotlb@30000000", 3, "restricted-dma-pool", 0x30000000, false);
	region("screen@40000000", 4, "a,screen", 0x40000000, false);
	unit_close();
	owner("pooled", 1, NULL);
	owner("contiguous", 2, "dma-noncoherent");
	owner("restricted", 3, "dma-coherent");
	owner("shown", 4, NULL);
	owner("dangling", 99, NULL);
	unit_open("mmu@5000");
	unit_string("compatible", "a,mmu");
	unit_cells("reg", 0, 0x5000, 0, 0x100);
	unit_cells("phandle", 9);
	unit_close();
	unit_open("behind@6000");
	unit_string("compatible", "a,device");
	unit_cells("reg", 0, 0x6000, 0, 0x100);
	unit_cells("iommus", 9, 1);
	unit_close();
	tree_read(&x, 20);
	/* With 20 bits 1 MiB; the pool lies beyond them, and nothing else may serve. */
	assert_int_equal(tree_dev(&x, "/pooled")->bytes[DEV_STREAMING], 1 << 20);
	assert_int_equal(tree_dev(&x, "/pooled")->bytes[DEV_COHERENT], 0);
	assert_int_equal(tree_dev(&x, "/contiguous")->bytes[DEV_COHERENT], 1 << 20);
	assert_int_equal(tree_dev(&x, "/shown")->bytes[DEV_COHERENT], 1 << 20);
	assert_int_equal(tree_dev(&x, "/restricted")->bytes[DEV_STREAMING], 0);
	assert_int_equal(tree_dev(&x, "/behind@6000")->bytes[DEV_STREAMING], x.d.total);
	assert_string_equal(tree_dev(&x, "/behind@6000")->iommu_name, "/mmu@5000");
	assert_int_equal(tree_dev(&x, "/dangling")->notes.n, 1);
	assert_true(tree_dev(&x, "/pooled")->coherent);
	assert_false(tree_dev(&x, "/contiguous")->coherent);
	assert_true(tree_dev(&x, "/restricted")->coherent);
	tree_free(&x);
}

/* The same with bits that reach the regions. */
static void pools(void **state)
{
	struct tree x;

	(void)state;
	tree_start();
	unit_open("reserved-memory");
	unit_cells("#address-cells", 2);
	unit_cells("#size-cells", 2);
	unit_flag("ranges");
	region("pool@10000000", 1, "shared-dma-pool", 0x10000000, false);
	region("swiotlb@30000000", 3, "restricted-dma-pool", 0x30000000, false);
	unit_close();
	owner("pooled", 1, NULL);
	owner("restricted", 3, NULL);
	tree_read(&x, 32);
	assert_int_equal(tree_dev(&x, "/pooled")->bytes[DEV_STREAMING], UINT64_C(4) << 30);
	assert_int_equal(tree_dev(&x, "/pooled")->bytes[DEV_COHERENT], 0x100000);
	assert_true(dev_reaches(tree_dev(&x, "/pooled"), DEV_COHERENT, 0x100fffff));
	assert_false(dev_reaches(tree_dev(&x, "/pooled"), DEV_COHERENT, 0x10100000));
	assert_int_equal(tree_dev(&x, "/restricted")->bytes[DEV_STREAMING], 0x100000);
	assert_int_equal(tree_dev(&x, "/restricted")->bytes[DEV_COHERENT], 0x100000);
	tree_free(&x);
}

/* Recorded boards: the Raspberry Pi 4 has 960 MiB in its first GiB, and buses that end there. */
static void recorded(void **state)
{
	struct run r = run("devices @arm64/6.1-raspi4b-2G --width 200");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "1.94 GiB of memory, by the memory nodes");
	run_has(&r, "bus 0x00c0000000  is  [0x0000000000-0x003fffffff]");
	run_has(&r, "/emmc2bus/mmc@7e340000");
	run_has(&r, "960 MiB    32  960 MiB    32   960 MiB  /emmc2bus");
	run_done(&r);
	r = run("devices @arm64/6.1-raspi4b-2G --cannot-reach 1G");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "/soc/dma@7e007000");
	run_has_not(&r, "/scb/gpu");
	run_done(&r);
	r = run("devices @arm64/6.1-raspi4b-2G --reach 1G --json");
	run_has(&r, "/scb/gpu@7ec00000");
	run_has_not(&r, "/soc/dma");
	run_done(&r);
	r = run("devices @arm64/6.1-virt-4G-debug");
	run_has(&r, "and 31 more");
	run_done(&r);
	r = run("devices --all @arm64/6.1-virt-4G-debug");
	run_has_not(&r, "and 31 more");
	run_done(&r);
	r = run("devices @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_INPUT);
	run_has(&(struct run){ .text = r.err, .err = r.err }, "a directory without machine.dtb");
	run_done(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sys),		 cmocka_unit_test(questions),
		cmocka_unit_test(groups),	 cmocka_unit_test(sources),
		cmocka_unit_test(refused),	 cmocka_unit_test(untold),
		cmocka_unit_test(windows),	 cmocka_unit_test(masks),
		cmocka_unit_test(nested),	 cmocka_unit_test(hosts),
		cmocka_unit_test(interconnects), cmocka_unit_test(which),
		cmocka_unit_test(extras),	 cmocka_unit_test(pools),
		cmocka_unit_test(recorded),
	};
	int rc;

	run_machines = argc > 1 ? argv[1] : "machines";
	if (!mkdtemp(root_dir))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	root_clear();
	rmdir(root_dir);
	return rc;
}
