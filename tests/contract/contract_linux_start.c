/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_start.c - what a kernel asks of memory while it starts, and the zones that
 * dma-direct tries for a device, against docs/facts/dma.md, slab.md and recorded boots.
 */
#include <physzone/linux/boot.h>
#include <physzone/linux/direct.h>

#include "suites_decl.h"
#include "tap.h"

#define K 1024ull
#define M (1024 * K)
#define G (1024 * M)
#define ROWS(a) (sizeof(a) / sizeof((a)[0]))
#define X86_ZONES                                                                                 \
	(PZL_ZONE_BIT(PZ_ZONE_DMA) | PZL_ZONE_BIT(PZ_ZONE_DMA32) | PZL_ZONE_BIT(PZ_ZONE_NORMAL) | \
	 PZL_ZONE_BIT(PZ_ZONE_MOVABLE))

static size_t start_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool start_equal(const char *a, const char *b)
{
	size_t i;

	for (i = 0; a[i] && a[i] == b[i]; i++)
		continue;
	return a[i] == b[i];
}

/* A command line with room for its words. */
struct start_line {
	struct pzl_cmdline cl;
	struct pzl_arg args[16];
	struct pzl_mem_op ops[1];
};

static const struct pzl_cmdline *start_cmdline(struct start_line *l, const char *text)
{
	pzl_cmdline_init(&l->cl, l->args, ROWS(l->args), l->ops, ROWS(l->ops));
	(void)pzl_cmdline_parse(&l->cl, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12, text, start_len(text));
	return &l->cl;
}

static struct pzl_boot_in start_x86(enum pzl_model model, uint64_t ram)
{
	struct pzl_boot_in in = {
		.model = model,
		.arch = PZL_ARCH_X86_64,
		.page_shift = 12,
		.max_order = 10,
		.configured = X86_ZONES,
		.cpus = 1,
		.ram_bytes = ram,
		.ram_last = ram - 1,
		.low_last = 4 * G - 1,
		.totalram_pages = ram >> 12,
		.managed_dma = true,
		.zone_limit = 16 * M - 1,
	};

	return in;
}

static void start_pool_sizes(struct tap *t)
{
	/* MiB of managed memory, KiB asked for, KiB got */
	static const uint32_t rows[][3] = {
		{ 64, 128, 128 },      { 1024, 128, 128 },	{ 2048, 256, 256 },
		{ 3000, 372, 512 },    { 8192, 1024, 1024 },	{ 16384, 2048, 2048 },
		{ 32768, 4096, 4096 }, { 1048576, 4096, 4096 },
	};
	struct pzl_boot_args args = { .coherent_pool = 0 };
	struct pzl_boot_request r[PZL_BOOT_POOLS];

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pzl_boot_in in = start_x86(PZL_LINUX_6_1, rows[i][0] * M);

		CHECK(t, pzl_boot_pools(&in, &args, r) == 3);
		CHECK_NAMED(t, r[1].bytes == rows[i][1] * K, "the size that a pool asks for");
		CHECK_NAMED(t, 4 * K << r[1].order == rows[i][2] * K, "the order of its request");
		CHECK(t, r[1].min_order == 0 && r[1].when == PZL_BOOT_POSTCORE);
	}
	/* recorded: 377712 managed pages, "failed to allocate 184 KiB", order 6 */
	CHECK(t, pzl_pool_bytes(377712, 12, 10, 0) == 184 * K);
	CHECK(t, pzl_pool_bytes(506637, 12, 10, 0) == 244 * K);
	/* other page sizes: recorded 1024 KiB on 8 GiB of 16 and 64 KiB pages */
	CHECK(t, pzl_pool_bytes(8155904 / 16, 14, 11, 0) == 992 * K);
	CHECK(t, pzl_pool_bytes(7769344 / 64, 16, 13, 0) == 896 * K);
	/* coherent_pool=0 is as if it were not given */
	CHECK(t, pzl_pool_bytes(1 << 18, 12, 10, 0) == 128 * K);
	CHECK(t, pzl_pool_bytes(1 << 18, 12, 10, 64 * K) == 64 * K);
}

static void start_pools(struct tap *t)
{
	struct pzl_boot_args args = { .coherent_pool = 0 };
	struct pzl_boot_in in = start_x86(PZL_LINUX_5_15, 256 * M);
	struct pzl_boot_request r[PZL_BOOT_POOLS];

	/* Thread 000: order 5, mode 0xcc1, whether or not the zone has a page. */
	in.managed_dma = false;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 3);
	CHECK(t, r[0].gfp == 0xcc0 && r[0].order == 5 && r[0].max_addr == PZ_ADDR_MAX);
	CHECK(t, r[1].gfp == 0xcc1 && r[1].order == 5 && r[1].max_addr == 16 * M - 1);
	CHECK(t, r[2].gfp == 0xcc4 && r[2].order == 5 && r[2].max_addr == 4 * G - 1);
	in.model = PZL_LINUX_6_1;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 2);
	CHECK(t, r[0].gfp == 0x2cc0 && r[1].gfp == 0x2cc4);
	in.managed_dma = true;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 3);
	CHECK(t, r[1].gfp == 0x2cc1 && !r[1].cma);

	/* A given size; the order ends at the largest. */
	args.coherent_pool = 16 * M;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 3 && r[0].order == 10 && r[0].bytes == 16 * M);
	args.coherent_pool = 0;

	/* The default contiguous area is asked first where it lies in the zone. */
	in.cma_last = 4 * G;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 3);
	CHECK(t, r[0].cma && !r[1].cma && !r[2].cma);
	in.cma_last = 4 * G - 1;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 3);
	CHECK(t, r[0].cma && !r[1].cma && r[2].cma && r[2].cma_align == 5);
	in.cma_last = 16 * M - 1;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 3 && r[1].cma);

	/* A kernel without the zones. */
	in.configured = PZL_ZONE_BIT(PZ_ZONE_NORMAL) | PZL_ZONE_BIT(PZ_ZONE_DMA32);
	CHECK(t, pzl_boot_pools(&in, &args, r) == 2 && r[1].gfp == 0x2cc4);
	in.configured = PZL_ZONE_BIT(PZ_ZONE_NORMAL);
	CHECK(t, pzl_boot_pools(&in, &args, r) == 1);

	/* arm has one of its own: recorded, 256 KiB. */
	in.arch = PZL_ARCH_ARM;
	in.cma_last = 0;
	CHECK(t, pzl_boot_pools(&in, &args, r) == 1);
	CHECK(t, r[0].bytes == 256 * K && r[0].gfp == 0xcc1 && r[0].min_order == r[0].order);
	CHECK(t, pzl_boot_has_pools(PZL_ARCH_X86_64) && !pzl_boot_has_pools(PZL_ARCH_I386));
}

static void start_args_read(struct tap *t)
{
	struct pzl_boot_args a;
	struct start_line line;

	pzl_boot_args(start_cmdline(&line, "coherent_pool=2M swiotlb=65536,3,force"), &a);
	CHECK(t,
	      a.coherent_pool == 2 * M && a.swiotlb[1].slots == 65536 && a.swiotlb[1].areas == 3);
	CHECK(t, a.swiotlb[1].force && !a.swiotlb[1].noforce);
	CHECK_NAMED(t, !a.swiotlb[0].force && !a.swiotlb[0].areas_given,
		    "before areas a number hides the word");
	pzl_boot_args(start_cmdline(&line, "swiotlb=force"), &a);
	CHECK(t, !a.swiotlb[0].slots_given && a.swiotlb[0].force && a.swiotlb[1].force);
	start_cmdline(&line, "swiotlb=1,noforce coherent-pool=64K -- coherent_pool=1M");
	pzl_boot_args(&line.cl, &a);
	CHECK(t, a.swiotlb[0].slots == 128 && a.swiotlb[0].noforce && a.coherent_pool == 64 * K);
	pzl_boot_args(start_cmdline(&line, "swiotlb xswiotlb=force coherent_pool=0"), &a);
	CHECK(t, !a.swiotlb[1].force && !a.swiotlb[1].slots_given && !a.coherent_pool);
	CHECK(t, !a.iommu_soft && !a.iommu_off);
	pzl_boot_args(start_cmdline(&line, "iommu=pt,off iommu=soft"), &a);
	CHECK(t, a.iommu_soft && a.iommu_off);
}

struct swiotlb_case {
	const char *cmdline;
	enum pzl_model model;
	enum pzl_arch arch;
	uint64_t ram, last;
	uint32_t cpus;
	uint64_t want; /* bytes, 0 for none */
};

static void start_swiotlb(struct tap *t)
{
	static const struct swiotlb_case cases[] = {
		/* recorded */
		{ "", PZL_LINUX_6_1, PZL_ARCH_X86_64, 4 * G, 5 * G - 1, 1, 64 * M },
		{ "", PZL_LINUX_6_1, PZL_ARCH_X86_64, 2 * G, 2 * G - 1, 1, 0 },
		{ "swiotlb=65536", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1, 128 * M },
		{ "swiotlb=force", PZL_LINUX_6_1, PZL_ARCH_X86_64, 2 * G, 2 * G - 1, 1, 64 * M },
		{ "iommu=soft", PZL_LINUX_6_1, PZL_ARCH_X86_64, 2 * G, 2 * G - 1, 1, 64 * M },
		{ "iommu=off,soft", PZL_LINUX_6_1, PZL_ARCH_X86_64, G, G - 1, 1, 64 * M },
		{ "iommu=off", PZL_LINUX_6_1, PZL_ARCH_X86_64, G, G - 1, 1, 0 },
		{ "swiotlb=noforce", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1, 0 },
		{ "", PZL_LINUX_6_12, PZL_ARCH_X86_64, 12 * G, 13 * G - 1, 8, 64 * M },
		{ "", PZL_LINUX_6_12, PZL_ARCH_ARM64, 256 * M, G + 256 * M - 1, 1, 256 * K },
		{ "", PZL_LINUX_6_12, PZL_ARCH_ARM64, 2 * G, 3 * G - 1, 1, 2 * M },
		{ "", PZL_LINUX_6_12, PZL_ARCH_ARM64, 1114112 * K, 3 * G - 1, 1, 2 * M },
		{ "", PZL_LINUX_6_1, PZL_ARCH_ARM64, 2 * G, 3 * G - 1, 1, 0 },
		{ "", PZL_LINUX_6_1, PZL_ARCH_ARM64, 4 * G, 5 * G - 1, 1, 64 * M },
		{ "", PZL_LINUX_6_1, PZL_ARCH_I386, 6 * G, 7 * G - 1, 2, 64 * M },
		/* from the facts */
		{ "swiotlb=128,8", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1, 2 * M },
		/* before there were areas a second number hid the word behind it */
		{ "swiotlb=129,8,noforce", PZL_LINUX_5_15, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 4,
		  512 * K },
		{ "swiotlb=129,force", PZL_LINUX_5_15, PZL_ARCH_X86_64, G, G - 1, 4, 512 * K },
		{ "swiotlb=65537,3", PZL_LINUX_6_12, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1,
		  256 * M },
		{ "swiotlb=129", PZL_LINUX_5_15, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1, 512 * K },
		{ "", PZL_LINUX_6_1, PZL_ARCH_M68K, 8 * G, 9 * G - 1, 1, 0 },
		/* a number is one where it is 0, too */
		{ "swiotlb=32768,0", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 512,
		  64 * M },
		{ "swiotlb=0", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 3, M },
		{ "swiotlb=0", PZL_LINUX_5_15, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 3, 0 },
		{ "iommu=off", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1, 0 },
		{ "iommu=off,soft", PZL_LINUX_6_1, PZL_ARCH_X86_64, 8 * G, 9 * G - 1, 1, 64 * M },
		{ "iommu=off", PZL_LINUX_6_1, PZL_ARCH_RISCV64, 8 * G, 9 * G - 1, 1, 64 * M },
		/* 1 MiB for each GiB, whoever asked for the default, and for all areas */
		{ "", PZL_LINUX_6_12, PZL_ARCH_ARM64, 400 * M, G, 1, 512 * K },
		{ "swiotlb=32768", PZL_LINUX_6_12, PZL_ARCH_ARM64, 400 * M, G, 1, 512 * K },
		{ "swiotlb=,16", PZL_LINUX_6_12, PZL_ARCH_ARM64, 400 * M, G, 1, 4 * M },
		{ "swiotlb=1024", PZL_LINUX_6_12, PZL_ARCH_ARM64, 400 * M, G, 1, 2 * M },
	};

	for (size_t i = 0; i < ROWS(cases); i++) {
		const struct swiotlb_case *c = &cases[i];
		struct pzl_boot_in in = start_x86(c->model, c->ram);
		struct pzl_boot_request r = { .bytes = 0 };
		struct pzl_boot_args a;
		struct start_line line;
		int rc;

		in.arch = c->arch;
		in.ram_last = c->last;
		in.cpus = c->cpus;
		pzl_boot_args(start_cmdline(&line, c->cmdline), &a);
		rc = pzl_boot_swiotlb(&in, &a, &r);
		CHECK_NAMED(t, rc == (c->want ? 0 : -PZ_ENOENT), "whether there are buffers");
		CHECK_NAMED(t, r.bytes == c->want, "the size of the bounce buffers");
		if (!rc)
			CHECK(t, r.max_addr == 4 * G - 1 && r.min_bytes <= M &&
					 r.min_bytes <= r.bytes);
	}
}

/* Lines of the kernel, one after another. */
struct start_lines {
	char s[512];
	size_t n;
};

static void start_emit(void *ctx, const char *line, size_t len)
{
	struct start_lines *o = ctx;

	for (size_t i = 0; i < len && o->n < sizeof(o->s) - 2; i++)
		o->s[o->n++] = line[i];
	o->s[o->n++] = '|';
	o->s[o->n] = '\0';
}

static void start_halves(struct tap *t)
{
	CHECK(t, pzl_swiotlb_halve(PZL_LINUX_6_1, 64 * M) == 32 * M);
	CHECK(t, pzl_swiotlb_halve(PZL_LINUX_6_12, M + 256 * K) == 768 * K);
	CHECK(t, pzl_swiotlb_halve(PZL_LINUX_6_1, M) == 0);
	CHECK(t, pzl_swiotlb_halve(PZL_LINUX_5_15, 64 * M) == 0);
}

static void start_swiotlb_lines(struct tap *t)
{
	struct pzl_boot_in in = start_x86(PZL_LINUX_6_1, 8 * G);
	struct pz_range at = { 0x10000000, 0x10000000 + 32 * M - 1 };
	struct pzl_boot_request r;
	struct pzl_boot_args a;
	struct start_lines o;
	struct start_line line;

	in.ram_last = 9 * G - 1;
	pzl_boot_args(start_cmdline(&line, "swiotlb=16384,3"), &a);
	CHECK(t, !pzl_boot_swiotlb(&in, &a, &r) && r.bytes == 32 * M);
	o.n = 0;
	pzl_print_swiotlb(&in, &a, &at, start_emit, &o);
	CHECK(t, start_equal(o.s, "software IO TLB: area num 4.|"));
	/* what is too large is halved, and told in slabs */
	pzl_boot_args(start_cmdline(&line, "swiotlb=40000"), &a);
	CHECK(t, !pzl_boot_swiotlb(&in, &a, &r) && r.bytes == 128 * M);
	o.n = 0;
	pzl_print_swiotlb(&in, &a, &at, start_emit, &o);
	CHECK(t, start_equal(o.s, "software IO TLB: area num 1.|"
				  "software IO TLB: SWIOTLB bounce buffer size roundup to 128MB|"
				  "software IO TLB: swiotlb_memblock_alloc: Failed to allocate "
				  "134217728 bytes tlb structure|"
				  "software IO TLB: swiotlb_memblock_alloc: Failed to allocate "
				  "67108864 bytes tlb structure|"
				  "software IO TLB: SWIOTLB bounce buffer size adjusted 65536 -> "
				  "16384 slabs|"));
	o.n = 0;
	pzl_print_swiotlb_late(&in, &a, &at, start_emit, &o);
	CHECK(t, start_equal(o.s, "PCI-DMA: Using software bounce buffering for IO (SWIOTLB)|"
				  "software IO TLB: mapped [mem 0x0000000010000000-"
				  "0x0000000012000000] (32MB)|"));
	/* 5.15 has one lock, and gives up at once */
	in.model = PZL_LINUX_5_15;
	CHECK(t, !pzl_boot_swiotlb(&in, &a, &r) && r.min_bytes == r.bytes);
	o.n = 0;
	pzl_print_swiotlb(&in, &a, 0, start_emit, &o);
	CHECK(t, start_equal(o.s, "software IO TLB: Cannot allocate buffer|"));
	/* forced ones are told late by 5.15 only */
	in.ram_last = G - 1;
	pzl_boot_args(start_cmdline(&line, "swiotlb=force"), &a);
	o.n = 0;
	pzl_print_swiotlb_late(&in, &a, 0, start_emit, &o);
	CHECK(t, start_equal(o.s, "PCI-DMA: Using software bounce buffering for IO (SWIOTLB)|"
				  "software IO TLB: No low mem|"));
	in.model = PZL_LINUX_6_1;
	o.n = 0;
	o.s[0] = '\0';
	pzl_print_swiotlb_late(&in, &a, 0, start_emit, &o);
	CHECK(t, start_equal(o.s, ""));
	/* 400 KiB are 256 slots, which is no rounding for areas */
	in = start_x86(PZL_LINUX_6_12, 400 * M);
	in.arch = PZL_ARCH_ARM64;
	in.ram_last = in.low_last = G - 1;
	at.last = at.first + 512 * K - 1;
	pzl_boot_args(start_cmdline(&line, "quiet"), &a);
	pzl_print_swiotlb(&in, &a, &at, start_emit, &o);
	CHECK(t, start_equal(o.s, "software IO TLB: SWIOTLB bounce buffer size adjusted to 0MB|"
				  "software IO TLB: area num 1.|"
				  "software IO TLB: mapped [mem 0x0000000010000000-"
				  "0x0000000010080000] (0MB)|"));
}

static void start_reserved(struct tap *t)
{
	struct pzl_boot_in in = start_x86(PZL_LINUX_6_12, G);
	struct pz_range at = { 0x38000000, 0x3bffffff };
	struct start_lines o;

	CHECK(t, pzl_reserved_pool(PZL_ARCH_ARM64, true, false, true, false) == PZL_RESERVED_CMA);
	CHECK(t, pzl_reserved_pool(PZL_ARCH_ARM64, true, false, false, false) ==
			 PZL_RESERVED_COHERENT);
	CHECK(t, pzl_reserved_pool(PZL_ARCH_ARM, true, false, false, false) == PZL_RESERVED_PLAIN);
	CHECK(t,
	      pzl_reserved_pool(PZL_ARCH_ARM, true, false, false, true) == PZL_RESERVED_COHERENT);
	CHECK(t, pzl_reserved_pool(PZL_ARCH_ARM64, true, false, true, true) == PZL_RESERVED_PLAIN);
	CHECK(t,
	      pzl_reserved_pool(PZL_ARCH_ARM64, false, true, false, false) == PZL_RESERVED_BOUNCE);
	in.arch = PZL_ARCH_ARM64;
	o.n = 0;
	pzl_print_reserved_pool(&in, PZL_RESERVED_CMA, at, false, start_emit, &o);
	pzl_print_reserved_pool(&in, PZL_RESERVED_CMA, at, true, start_emit, &o);
	pzl_print_reserved_pool(&in, PZL_RESERVED_BOUNCE, at, false, start_emit, &o);
	pzl_print_reserved_pool(&in, PZL_RESERVED_PLAIN, at, false, start_emit, &o);
	CHECK(t, start_equal(o.s,
			     "Reserved memory: created CMA memory pool at 0x0000000038000000, size "
			     "64 MiB|Reserved memory: incorrect alignment of CMA region|"
			     "software IO TLB: Reserved memory: created restricted DMA pool at "
			     "0x0000000038000000, size 64 MiB|"));
	o.n = 0;
	pzl_print_cma(&in, 64 * M, &at, -1, start_emit, &o);
	in.model = PZL_LINUX_6_1;
	pzl_print_cma(&in, 64 * M, 0, -1, start_emit, &o);
	CHECK(t, start_equal(o.s, "cma: Reserved 64 MiB at 0x0000000038000000 on node -1|"
				  "cma: Failed to reserve 64 MiB|"));
}

/* coherent_pool=0 by three rules. */
static void start_pool_rules(struct tap *t)
{
	struct pzl_boot_in in = start_x86(PZL_LINUX_6_1, 4 * G);
	struct pzl_boot_request r[PZL_BOOT_POOLS];
	struct pzl_boot_args zero, none;
	struct start_line line;

	pzl_boot_args(start_cmdline(&line, "coherent_pool=0"), &zero);
	pzl_boot_args(start_cmdline(&line, "quiet"), &none);
	CHECK(t, pzl_boot_pools(&in, &zero, r) == 3 && r[0].bytes == 512 * K);
	in.pool_rules = PZL_POOL_PROPOSED;
	CHECK(t, pzl_boot_pools(&in, &zero, r) == 0);
	CHECK(t, pzl_boot_pools(&in, &none, r) == 3 && r[0].bytes == 512 * K);
	in.pool_rules = PZL_POOL_DOCUMENTED;
	CHECK(t, pzl_boot_pools(&in, &zero, r) == 0);
	CHECK(t, pzl_boot_pools(&in, &none, r) == 3 && r[0].bytes == 256 * K);
}

static void start_huge(struct tap *t)
{
	struct pzl_boot_in in = start_x86(PZL_LINUX_6_1, 8 * G);
	struct pzl_boot_request r[4];
	struct start_line line;

	start_cmdline(&line, "hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=256");
	CHECK(t, pzl_boot_hugepages(&in, &line.cl, r, 4) == 2);
	CHECK(t, r[0].what == PZL_BOOT_GIGANTIC && r[0].bytes == G && r[0].count == 2);
	CHECK(t, r[1].what == PZL_BOOT_HUGETLB && r[1].order == 9 && r[1].count == 256);
	CHECK(t, start_equal(r[1].name, "2M huge page"));
	start_cmdline(&line, "hugepages=0:2,1:3");
	CHECK(t, pzl_boot_hugepages(&in, &line.cl, r, 4) == 1 && r[0].count == 5);
	CHECK(t, r[0].bytes == 2 * M);
	start_cmdline(&line, "hugepagesz=3M hugepages=7 hugepages=8 default_hugepagesz=1G");
	CHECK(t, pzl_boot_hugepages(&in, &line.cl, r, 1) == 1 && r[0].count == 8);
	start_cmdline(&line, "default_hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=1");
	CHECK(t, pzl_boot_hugepages(&in, &line.cl, r, 1) == 2 && r[0].bytes == G);
	start_cmdline(&line, "hugepages=x -- hugepages=3");
	CHECK(t, pzl_boot_hugepages(&in, &line.cl, r, 4) == 0);
	in.arch = PZL_ARCH_ARM64;
	in.page_shift = 16;
	in.max_order = 13;
	start_cmdline(&line, "hugepages=1 hugepagesz=16G hugepages=1");
	CHECK(t, pzl_boot_hugepages(&in, &line.cl, r, 4) == 2);
	CHECK(t, r[0].bytes == 512 * M && r[0].order == 13 && r[1].what == PZL_BOOT_GIGANTIC);
}

static void start_slab(struct tap *t)
{
	struct pzl_boot_in in = start_x86(PZL_LINUX_6_1, G);
	struct pzl_boot_request r;

	/* recorded: order:0, mode:0x40cc1, after a first try that does not warn */
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 1000, &r));
	CHECK(t, start_equal(r.name, "dma-kmalloc-1k") && r.order == 1 && r.min_order == 0);
	CHECK(t, r.retry_gfp == 0x40cc1 && r.jump && r.max_addr == 16 * M - 1);
	CHECK(t, r.gfp == 0xd20c1u);
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 64, &r) && r.retry_gfp == 0xcc1 && r.gfp == 0x12cc1u);
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 65, &r) && start_equal(r.name, "dma-kmalloc-96"));
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 129, &r) && start_equal(r.name, "dma-kmalloc-192"));
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 8193, &r) && r.order == 2 && !r.jump);
	CHECK(t, pzl_boot_kmalloc_dma(&in, 0, &r) == -PZ_EINVAL);
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 4 * M, &r) && r.order == 10);
	/* as a patch proposed: nothing but what has its zone in reach is asked of that zone */
	in.only_managed = true;
	in.managed_dma = false;
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 64, &r) && r.retry_gfp == 0xcc0u);
	CHECK(t, start_equal(r.name, "kmalloc-64") && r.max_addr == PZ_ADDR_MAX);
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 8193, &r) && (r.gfp & PZL_GFP_DMA));
	in.managed_dma = true;
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 64, &r) && r.retry_gfp == 0xcc1u);
	in.only_managed = false;
	CHECK(t, pzl_boot_kmalloc_dma(&in, 4 * M + 1, &r) == -PZ_EINVAL);
	in.model = PZL_LINUX_6_12;
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 64, &r) && r.retry_gfp == 0x40cc1);
	in.arch = PZL_ARCH_ARM64;
	in.model = PZL_LINUX_6_1;
	CHECK(t, !pzl_boot_kmalloc_dma(&in, 8, &r) && start_equal(r.name, "dma-kmalloc-128"));
}

static void start_limits(struct tap *t)
{
	struct pzl_arch_input in;

	pzl_arch_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM64);
	in.dram_first = G;
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_6_1, PZL_ARCH_ARM64, &in) == 4 * G - 1);
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_6_12, PZL_ARCH_ARM64, &in) == 4 * G - 1);
	in.dt_dma_limit = 0x3bffffff;
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_6_1, PZL_ARCH_ARM64, &in) == G - 1);
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_6_12, PZL_ARCH_ARM64, &in) == 0x3bffffff);
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_6_1, PZL_ARCH_X86_64, &in) == 16 * M - 1);
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_6_12, PZL_ARCH_S390, &in) == 2 * G - 1);
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_5_15, PZL_ARCH_POWERPC, &in) == G - 1);
	CHECK(t, pzl_dma_zone_limit(PZL_LINUX_5_15, PZL_ARCH_POWERPC64, &in) == 2 * G - 1);
}

static void start_direct(struct tap *t)
{
	struct pzl_direct_in in = { X86_ZONES, 16 * M - 1, 8 * G - 4096, 0, false };
	struct pzl_direct d;

	in.max_addr = 16 * M - 1;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.supported && d.tries == 1 && d.gfp[0] == 1 && d.highest[0] == PZ_ZONE_DMA);
	/* 28 and 31 bits: a page of DMA32 may be too high, then ZONE_DMA. */
	in.max_addr = 256 * M - 1;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.supported && d.tries == 2 && d.gfp[0] == 4 && d.gfp[1] == 1);
	CHECK(t, d.highest[0] == PZ_ZONE_DMA32 && d.highest[1] == PZ_ZONE_DMA);
	in.max_addr = 2 * G - 1;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.tries == 2 && d.gfp[0] == 4);
	/* 33 bits: any page first. */
	in.max_addr = 8 * G - 1;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.tries == 3 && d.gfp[0] == 0 && d.gfp[1] == 4 && d.gfp[2] == 1);
	in.max_addr = PZ_ADDR_MAX;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.tries == 1 && d.highest[0] == PZ_ZONE_NORMAL);
	/* A limit outside of all windows: a page that is refused leads to ZONE_DMA alone. */
	in.outside = true;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.tries == 2 && d.gfp[0] == 0 && d.gfp[1] == 1);
	in.outside = false;
	/* Fewer bits than the zone: the mask is refused, unless all memory lies below. */
	in.max_addr = M - 1;
	pzl_direct_plan(&in, &d);
	CHECK(t, !d.supported && d.gfp[0] == 1);
	in.ram_last = 640 * K - 4096;
	pzl_direct_plan(&in, &d);
	CHECK(t, d.supported);
	/* Without the zone the flag stands for Normal, and gives no guarantee at all. */
	in.ram_last = 8 * G - 4096;
	in.configured = PZL_ZONE_BIT(PZ_ZONE_NORMAL);
	in.max_addr = 256 * M - 1;
	pzl_direct_plan(&in, &d);
	CHECK(t, !d.supported && d.tries == 1 && d.gfp[0] == 4 && d.highest[0] == PZ_ZONE_NORMAL);
}

void contract_linux_start(struct tap *t)
{
	start_pool_sizes(t);
	start_pools(t);
	start_args_read(t);
	start_swiotlb(t);
	start_halves(t);
	start_swiotlb_lines(t);
	start_reserved(t);
	start_pool_rules(t);
	start_huge(t);
	start_slab(t);
	start_limits(t);
	start_direct(t);
}
