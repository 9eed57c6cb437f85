/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_boot.c - early memory of the other architectures, and the boot lines about zones,
 * against recorded machines and docs/facts/zones.md sections 2, 8 and 9.
 */
#include <physzone/linux/early.h>
#include <physzone/linux/messages.h>

#include "suites_decl.h"
#include "tap.h"

#define M1 0x100000ull
#define G1 0x40000000ull
#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static size_t boot_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

struct early_case {
	const char *cmdline;
	enum pzl_model model;
	enum pzl_arch arch;
	unsigned int page_shift;
	struct pz_range before[3], after[3]; /* last 0 ends */
	uint64_t max_pfn, max_low_pfn;
	uint32_t notes;
};

static const struct early_case early_cases[] = {
	/* recorded */
	{ "mem=1500M",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  12,
	  { { G1, 0x13fffffff } },
	  { { G1, 0x9dbfffff } },
	  0x9dc00,
	  0x9dc00,
	  PZL_EARLY_LIMITED },
	{ "",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  12,
	  { { G1, 0xbfffffff } },
	  { { G1, 0xbfffffff } },
	  0xc0000,
	  0x70000,
	  0 },
	/* from the facts */
	{ "mem=0",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  12,
	  { { G1, 2 * G1 - 1 } },
	  { { G1, 2 * G1 - 1 } },
	  0x80000,
	  0x80000,
	  0 },
	{ "mem=8G",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  12,
	  { { G1, 2 * G1 - 1 } },
	  { { G1, 2 * G1 - 1 } },
	  0x80000,
	  0x80000,
	  0 },
	{ "mem=1G",
	  PZL_LINUX_6_12,
	  PZL_ARCH_RISCV64,
	  12,
	  { { 0x80000000, 0x8fffffff }, { 0xa0000000, 0xffffffff } },
	  { { 0x80000000, 0x8fffffff }, { 0xa0000000, 0xcfffffff } },
	  0xd0000,
	  0xd0000,
	  PZL_EARLY_LIMITED },
	{ "mem=100M",
	  PZL_LINUX_6_1,
	  PZL_ARCH_POWERPC64,
	  16,
	  { { 0, G1 - 1 } },
	  { { 0, 100 * M1 - 1 } },
	  0x640,
	  0x640,
	  PZL_EARLY_LIMITED },
	{ "mem=100M",
	  PZL_LINUX_6_12,
	  PZL_ARCH_POWERPC64,
	  16,
	  { { 0, G1 - 1 } },
	  { { 0, 96 * M1 - 1 } },
	  0x600,
	  0x600,
	  PZL_EARLY_LIMITED | PZL_EARLY_ALIGNED_DOWN },
	{ "",
	  PZL_LINUX_6_12,
	  PZL_ARCH_POWERPC64,
	  16,
	  { { 0, 100 * M1 - 1 } },
	  { { 0, 96 * M1 - 1 } },
	  0x600,
	  0x600,
	  PZL_EARLY_LIMITED | PZL_EARLY_ALIGNED_DOWN },
	{ "mem=64M",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  12,
	  { { G1, 0xbfffffff } },
	  { { G1, G1 + 64 * M1 - 1 } },
	  0x44000,
	  0x44000,
	  PZL_EARLY_REPLACED },
	{ "mem=64M@0x50000000 mem=1M@0x60000001",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  12,
	  { { G1, 0xbfffffff } },
	  { { 0x50000000, 0x53ffffff }, { 0x60001000, 0x600fffff } },
	  0x60100,
	  0x60100,
	  PZL_EARLY_REPLACED },
	/* Low memory need not end on a section. */
	{ "mem=255M",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  12,
	  { { G1, 0xbfffffff } },
	  { { G1, G1 + 255 * M1 - 1 } },
	  0x4ff00,
	  0x4ff00,
	  PZL_EARLY_REPLACED },
	/* Its limit counts from where the kernel was loaded, not from where mem= begins. */
	{ "mem=1G@0x50000000",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  12,
	  { { G1, 0xbfffffff } },
	  { { 0x50000000, 0x8fffffff } },
	  0x90000,
	  0x70000,
	  PZL_EARLY_REPLACED },
	{ "vmalloc=496M",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  12,
	  { { G1, 0xbfffffff } },
	  { { G1, 0xbfffffff } },
	  0xc0000,
	  0x60000,
	  0 },
	{ "mem=64M mem=32M@128M",
	  PZL_LINUX_6_1,
	  PZL_ARCH_MIPS,
	  12,
	  { { 0, 0xfffffff } },
	  { { 0, 0x3ffffff }, { 0x8000000, 0x9ffffff } },
	  0xa000,
	  0xa000,
	  PZL_EARLY_REPLACED },
	{ "mem=1G",
	  PZL_LINUX_6_1,
	  PZL_ARCH_LOONGARCH,
	  14,
	  { { 0, 4 * G1 - 1 } },
	  { { 0, 0 } },
	  0,
	  0,
	  PZL_EARLY_REPLACED | PZL_EARLY_NO_MEMORY },
	{ "mem=1G@0",
	  PZL_LINUX_6_1,
	  PZL_ARCH_LOONGARCH,
	  14,
	  { { 0, 4 * G1 - 1 } },
	  { { 0, G1 - 1 } },
	  0x10000,
	  0x10000,
	  PZL_EARLY_REPLACED },
	{ "mem=1G",
	  PZL_LINUX_6_1,
	  PZL_ARCH_S390,
	  12,
	  { { 0, G1 / 2 - 1 }, { G1 * 3 / 4, 4 * G1 - 1 } },
	  { { 0, G1 / 2 - 1 }, { G1 * 3 / 4, G1 - 1 } },
	  0x40000,
	  0x40000,
	  PZL_EARLY_LIMITED },
};

static void early_one(struct tap *t, const struct early_case *c)
{
	struct pz_memblock mb;
	struct pzl_cmdline cl;
	struct pzl_arg args[8];
	struct pzl_mem_op ops[8];
	struct pzl_early_input in;
	struct pzl_early e;
	bool same;
	unsigned int i;

	if (!CHECK(t, pz_memblock_init(&mb, t->meta, c->page_shift) == 0))
		return;
	for (i = 0; i < 3 && c->before[i].last; i++)
		(void)pz_memblock_add(&mb, c->before[i].first,
				      c->before[i].last - c->before[i].first + 1, 0, 0);
	pzl_cmdline_init(&cl, args, 8, ops, 8);
	(void)pzl_cmdline_parse(&cl, c->model, c->arch, c->page_shift, c->cmdline,
				boot_len(c->cmdline));
	pzl_early_input_init(&in, c->model, c->arch);
	in.cmdline = &cl;
	CHECK_NAMED(t, pzl_early_memory(&in, &mb, &e) == 0, c->cmdline);
	same = true;
	for (i = 0; i < mb.memory.count && i < 3; i++)
		same = same && mb.memory.v[i].range.first == c->after[i].first &&
		       mb.memory.v[i].range.last == c->after[i].last;
	CHECK_NAMED(t, same && (i == 3 || c->after[i].last == 0), c->cmdline);
	CHECK_NAMED(t, e.max_pfn == c->max_pfn && e.max_low_pfn == c->max_low_pfn, c->cmdline);
	CHECK_NAMED(t, e.notes == c->notes, c->cmdline);
	pz_memblock_destroy(&mb);
}

/* The usable-memory ranges of a capture kernel, and the kernel that mem= cuts off. */
static void early_arm64(struct tap *t)
{
	struct pz_memblock mb;
	struct pzl_cmdline cl;
	struct pzl_arg args[4];
	struct pzl_early_input in;
	struct pzl_early e;

	(void)pz_memblock_init(&mb, t->meta, 12);
	(void)pz_memblock_add(&mb, G1, 8 * G1, 0, 0);
	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM64);
	in.usable[0] = (struct pz_range){ 0x216e00000, 0x236dfffff };
	in.usable[1] = (struct pz_range){ 0xf4000000, 0xfbffffff };
	in.usable_count = 2;
	CHECK(t, pzl_early_memory(&in, &mb, &e) == 0 && e.notes == PZL_EARLY_CAPPED);
	CHECK(t, mb.memory.count == 2 && mb.memory.v[0].range.first == 0xf4000000 &&
			 mb.memory.v[1].range.last == 0x236dfffff);
	in.usable[1] = (struct pz_range){ 2, 1 };
	CHECK(t, pzl_early_memory(&in, &mb, &e) == -PZ_EINVAL && mb.memory.count == 2);
	pz_memblock_destroy(&mb);

	(void)pz_memblock_init(&mb, t->meta, 12);
	(void)pz_memblock_add(&mb, G1, 2 * G1, 0, 0);
	pzl_cmdline_init(&cl, args, 4, NULL, 0);
	(void)pzl_cmdline_parse(&cl, PZL_LINUX_6_1, PZL_ARCH_ARM64, 12, "mem=256M", 8);
	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM64);
	in.cmdline = &cl;
	in.has_kernel = true;
	in.kernel = (struct pz_range){ 0x60000000, 0x61ffffff };
	in.has_initrd = true;
	in.initrd = (struct pz_range){ 0x70000800, 0x700fffff };
	CHECK(t, pzl_early_memory(&in, &mb, &e) == 0);
	CHECK(t, e.notes == (PZL_EARLY_LIMITED | PZL_EARLY_ADDED_BACK));
	CHECK(t, mb.memory.count == 3 && mb.memory.v[1].range.first == 0x60000000 &&
			 mb.memory.v[2].range.first == 0x70000000);
	pz_memblock_destroy(&mb);
	in.arch = PZL_ARCH_X86_64;
	(void)pz_memblock_init(&mb, t->meta, 12);
	CHECK(t, pzl_early_memory(&in, &mb, &e) == -PZ_EINVAL);
	pz_memblock_destroy(&mb);
}

/* Without high memory arm cuts memory at a section, and low memory with it. */
static void early_arm_low(struct tap *t)
{
	struct pz_memblock mb;
	struct pzl_cmdline cl;
	struct pzl_arg args[2];
	struct pzl_early_input in;
	struct pzl_early e;

	pzl_cmdline_init(&cl, args, 2, NULL, 0);
	(void)pzl_cmdline_parse(&cl, PZL_LINUX_6_1, PZL_ARCH_ARM, 12, "vmalloc=241M", 12);
	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM);
	in.cmdline = &cl;
	in.highmem = false;
	(void)pz_memblock_init(&mb, t->meta, 12);
	(void)pz_memblock_add(&mb, G1, G1, 0, 0);
	CHECK(t, pzl_early_memory(&in, &mb, &e) == 0 && e.notes == PZL_EARLY_NOT_HIGH);
	CHECK(t, e.max_pfn == 0x6fe00 && e.max_low_pfn == 0x6fe00);
	CHECK(t, mb.memory.count == 1 && mb.memory.v[0].range.last == 0x6fdfffff);
	pz_memblock_destroy(&mb);
	in.highmem = true;
	(void)pz_memblock_init(&mb, t->meta, 12);
	(void)pz_memblock_add(&mb, G1, G1, 0, 0);
	CHECK(t, pzl_early_memory(&in, &mb, &e) == 0 && e.notes == 0);
	CHECK(t, e.max_pfn == 0x80000 && e.max_low_pfn == 0x6ff00);
	pz_memblock_destroy(&mb);
}

/* Memory at the top of the space that no kernel of the architecture can name. */
static void early_top(struct tap *t)
{
	struct pz_memblock mb;
	struct pzl_early_input in;
	struct pzl_early e;

	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM64);
	(void)pz_memblock_init(&mb, t->meta, 12);
	(void)pz_memblock_add(&mb, G1, G1, 0, 0);
	(void)pz_memblock_add(&mb, (uint64_t)0 - G1, G1, 0, 0);
	CHECK(t, pzl_early_memory(&in, &mb, &e) == 0 && e.notes == PZL_EARLY_BEYOND);
	CHECK(t, mb.memory.count == 1 && e.max_pfn == 0x80000);
	pz_memblock_destroy(&mb);
}

struct boot_region {
	int nid;
	uint64_t first, last;
};

struct boot_case {
	const char *what;
	enum pzl_model model;
	enum pzl_arch arch;
	unsigned int page_shift;
	uint64_t max_low_pfn; /* 0: all */
	const char *cmdline;
	struct boot_region mem[7]; /* last 0 ends */
	const char *lines[24];	   /* as recorded, NULL ends */
};

static const struct boot_case boot_cases[] = {
	{ "x86_64 6.1, two nodes, movablecore=1G",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  12,
	  0,
	  "movablecore=1G",
	  { { 0, 0x1000, 0x9efff },
	    { 0, 0x100000, 0x7fffffff },
	    { 1, 0x80000000, 0xbffdefff },
	    { 1, 0x100000000, 0x13fffffff } },
	  { "Zone ranges:", "  DMA      [mem 0x0000000000001000-0x0000000000ffffff]",
	    "  DMA32    [mem 0x0000000001000000-0x00000000ffffffff]",
	    "  Normal   [mem 0x0000000100000000-0x000000013fffffff]", "  Device   empty",
	    "Movable zone start for each node", "  Node 1: 0x0000000100000000",
	    "Early memory node ranges", "  node   0: [mem 0x0000000000001000-0x000000000009efff]",
	    "  node   0: [mem 0x0000000000100000-0x000000007fffffff]",
	    "  node   1: [mem 0x0000000080000000-0x00000000bffdefff]",
	    "  node   1: [mem 0x0000000100000000-0x000000013fffffff]",
	    "Initmem setup node 0 [mem 0x0000000000001000-0x000000007fffffff]",
	    "Initmem setup node 1 [mem 0x0000000080000000-0x000000013fffffff]",
	    "On node 0, zone DMA: 1 pages in unavailable ranges",
	    "On node 0, zone DMA: 97 pages in unavailable ranges",
	    "On node 1, zone Movable: 33 pages in unavailable ranges" } },
	{ "x86_64 6.1 by UEFI",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  12,
	  0,
	  "",
	  { { 0, 0x1000, 0x9ffff },
	    { 0, 0x100000, 0x805fff },
	    { 0, 0x808000, 0x80ffff },
	    { 0, 0x900000, 0x1ea9ffff },
	    { 0, 0x1eba2000, 0x1f4ebfff },
	    { 0, 0x1f7fe000, 0x1fef3fff } },
	  { "Zone ranges:",
	    "  DMA      [mem 0x0000000000001000-0x0000000000ffffff]",
	    "  DMA32    [mem 0x0000000001000000-0x000000001fef3fff]",
	    "  Normal   empty",
	    "  Device   empty",
	    "Movable zone start for each node",
	    "Early memory node ranges",
	    "  node   0: [mem 0x0000000000001000-0x000000000009ffff]",
	    "  node   0: [mem 0x0000000000100000-0x0000000000805fff]",
	    "  node   0: [mem 0x0000000000808000-0x000000000080ffff]",
	    "  node   0: [mem 0x0000000000900000-0x000000001ea9ffff]",
	    "  node   0: [mem 0x000000001eba2000-0x000000001f4ebfff]",
	    "  node   0: [mem 0x000000001f7fe000-0x000000001fef3fff]",
	    "Initmem setup node 0 [mem 0x0000000000001000-0x000000001fef3fff]",
	    "On node 0, zone DMA: 1 pages in unavailable ranges",
	    "On node 0, zone DMA: 96 pages in unavailable ranges",
	    "On node 0, zone DMA: 2 pages in unavailable ranges",
	    "On node 0, zone DMA: 240 pages in unavailable ranges",
	    "On node 0, zone DMA32: 258 pages in unavailable ranges",
	    "On node 0, zone DMA32: 786 pages in unavailable ranges",
	    "On node 0, zone DMA32: 268 pages in unavailable ranges" } },
	{ "i386 6.1",
	  PZL_LINUX_6_1,
	  PZL_ARCH_I386,
	  12,
	  0x36bfe,
	  "",
	  { { 0, 0x1000, 0x9efff }, { 0, 0x100000, 0x3ffdffff } },
	  { "Zone ranges:", "  DMA      [mem 0x0000000000001000-0x0000000000ffffff]",
	    "  Normal   [mem 0x0000000001000000-0x0000000036bfdfff]",
	    "  HighMem  [mem 0x0000000036bfe000-0x000000003ffdffff]",
	    "Movable zone start for each node", "Early memory node ranges",
	    "  node   0: [mem 0x0000000000001000-0x000000000009efff]",
	    "  node   0: [mem 0x0000000000100000-0x000000003ffdffff]",
	    "Initmem setup node 0 [mem 0x0000000000001000-0x000000003ffdffff]",
	    "On node 0, zone DMA: 1 pages in unavailable ranges",
	    "On node 0, zone DMA: 97 pages in unavailable ranges" } },
	{ "arm64 6.1 capture kernel",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  12,
	  0,
	  "",
	  { { 0, 0xa9a00000, 0xb99fffff } },
	  { "Zone ranges:", "  DMA      [mem 0x00000000a9a00000-0x00000000b99fffff]",
	    "  DMA32    empty", "  Normal   empty", "Movable zone start for each node",
	    "Early memory node ranges", "  node   0: [mem 0x00000000a9a00000-0x00000000b99fffff]",
	    "Initmem setup node 0 [mem 0x00000000a9a00000-0x00000000b99fffff]",
	    "On node 0, zone DMA: 6656 pages in unavailable ranges",
	    "On node 0, zone DMA: 26112 pages in unavailable ranges" } },
	{ "mips64el 6.1, a flat memory map",
	  PZL_LINUX_6_1,
	  PZL_ARCH_MIPS64,
	  12,
	  0,
	  "",
	  { { 0, 0x0, 0xfffffff }, { 0, 0x90000000, 0x9fffffff } },
	  { "Zone ranges:", "  DMA      [mem 0x0000000000000000-0x0000000000ffffff]",
	    "  DMA32    [mem 0x0000000001000000-0x00000000ffffffff]", "  Normal   empty",
	    "Movable zone start for each node", "Early memory node ranges",
	    "  node   0: [mem 0x0000000000000000-0x000000000fffffff]",
	    "  node   0: [mem 0x0000000090000000-0x000000009fffffff]",
	    "Initmem setup node 0 [mem 0x0000000000000000-0x000000009fffffff]",
	    "On node 0, zone DMA32: 524288 pages in unavailable ranges" } },
};

struct boot_lines {
	const char *const *want;
	bool same;
};

static void boot_line(void *ctx, const char *line, size_t len)
{
	struct boot_lines *l = ctx;
	size_t i;

	if (!*l->want) {
		l->same = false;
		return;
	}
	for (i = 0; i < len && (*l->want)[i] == line[i]; i++)
		;
	if (i < len || (*l->want)[i])
		l->same = false;
	l->want++;
}

static void boot_one(struct tap *t, const struct boot_case *c)
{
	struct boot_lines lines = { c->lines, true };
	struct pz_zone_config cfg = { 0 };
	struct pzl_arch_input in;
	struct pzl_zone_limits l;
	struct pzl_cmdline cl;
	struct pzl_arg args[4];
	struct pz_memblock mb;
	struct pz_zones z;
	unsigned int i;

	if (!CHECK(t, pz_memblock_init(&mb, t->meta, c->page_shift) == 0))
		return;
	for (i = 0; i < 7 && c->mem[i].last; i++)
		(void)pz_memblock_add(&mb, c->mem[i].first, c->mem[i].last - c->mem[i].first + 1,
				      c->mem[i].nid, 0);
	pzl_cmdline_init(&cl, args, 4, NULL, 0);
	(void)pzl_cmdline_parse(&cl, c->model, c->arch, c->page_shift, c->cmdline,
				boot_len(c->cmdline));
	pzl_arch_input_init(&in, c->model, c->arch);
	in.page_shift = c->page_shift;
	pzl_arch_input_memory(&in, &mb);
	if (c->max_low_pfn)
		in.max_low_pfn = c->max_low_pfn;
	CHECK_NAMED(t, pzl_zone_limits(c->model, c->arch, &in, &l) == 0, c->what);
	cfg.configured = l.configured;
	for (i = 0; i < PZ_ZONE_TYPES; i++)
		cfg.max_pfn[i] = l.max_pfn[i];
	cfg.page_shift = c->page_shift;
	cfg.max_order_pages = 1ull << pzl_max_order(c->arch, c->page_shift);
	cfg.kernelcore = cl.kernelcore;
	cfg.movablecore = cl.movablecore;
	cfg.flags = pzl_model_facts(c->model)->zone_flags;
	if (CHECK_NAMED(t, pz_zones_build(&z, t->meta, &mb, &cfg) == 0, c->what)) {
		pzl_print_zones(c->model, &z, &mb, c->arch, false, boot_line, &lines);
		CHECK_NAMED(t, lines.same && !*lines.want, c->what);
		pz_zones_destroy(&z);
	}
	pz_memblock_destroy(&mb);
}

static void boot_other_lines(struct tap *t)
{
	static const char *const memory[] = {
		"Memory: 159412K/262124K available (14342K kernel code, 2335K rwdata, 5384K "
		"rodata, "
		"2796K init, 17384K bss, 42120K reserved, 0K cma-reserved)",
		NULL
	};
	static const char *const high[] = { "Memory: 1K/2K available (3K kernel code, 4K rwdata, "
					    "5K rodata, 6K init, 7K bss, 8K reserved, 9K "
					    "cma-reserved, 10K highmem)",
					    NULL };
	static const char *const lists[] = {
		"Built 1 zonelists, mobility grouping on.  Total pages: 1032192",
		"Policy zone: Normal", NULL
	};
	struct boot_lines lines = { memory, true };
	struct pzl_memory_line m = { 159412, 262124, 14342, 2335, 5384, 2796,
				     17384,  42120,  0,	    0,	  false };

	pzl_print_memory(&m, boot_line, &lines);
	CHECK(t, lines.same && !*lines.want);
	m = (struct pzl_memory_line){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, true };
	lines = (struct boot_lines){ high, true };
	pzl_print_memory(&m, boot_line, &lines);
	CHECK(t, lines.same && !*lines.want);
	lines = (struct boot_lines){ lists, true };
	pzl_print_zonelists(1, true, 1032192, "Normal", boot_line, &lines);
	CHECK(t, lines.same && !*lines.want);
}

void contract_linux_boot(struct tap *t)
{
	unsigned int i;

	for (i = 0; i < ROWS(early_cases); i++)
		early_one(t, &early_cases[i]);
	early_arm64(t);
	early_arm_low(t);
	early_top(t);
	for (i = 0; i < ROWS(boot_cases); i++)
		boot_one(t, &boot_cases[i]);
	boot_other_lines(t);
}
