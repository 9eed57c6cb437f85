/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_x86.c - early memory of x86 and its first megabyte, against recorded machines and
 * docs/facts/zones.md section 6.
 */
#include <physzone/linux/low1m.h>
#include <physzone/linux/x86.h>

#include "suites_decl.h"
#include "tap.h"

#define G1 0x40000000ull

struct x86_fw {
	uint64_t first, last;
	uint32_t type;
};

/* What QEMU's pc machine tells; 2 GiB, and 8 GiB. */
static const struct x86_fw x86_pc2g[] = {
	{ 0x0, 0x9fbff, 1 },
	{ 0x9fc00, 0x9ffff, 2 },
	{ 0xf0000, 0xfffff, 2 },
	{ 0x100000, 0x7ffdffff, 1 },
	{ 0x7ffe0000, 0x7fffffff, 2 },
	{ 0xfffc0000, 0xffffffff, 2 },
	{ 0xfd00000000, 0xffffffffff, 2 },
};
static const struct x86_fw x86_pc8g[] = {
	{ 0x0, 0x9fbff, 1 },
	{ 0x9fc00, 0x9ffff, 2 },
	{ 0xf0000, 0xfffff, 2 },
	{ 0x100000, 0xbffdffff, 1 },
	{ 0xbffe0000, 0xbfffffff, 2 },
	{ 0xfffc0000, 0xffffffff, 2 },
	{ 0x100000000, 0x23fffffff, 1 },
	{ 0xfd00000000, 0xffffffffff, 2 },
};
#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

struct x86_case {
	const char *cmdline;
	enum pzl_arch arch;
	bool pae;
	const struct x86_fw *fw;
	unsigned int fws;
	uint64_t max_pfn, max_low_pfn;
	uint32_t notes;		/* without PAGE0 */
	struct pz_range mem[4]; /* memblock's memory, last 0 ends */
};

static const struct x86_case x86_cases[] = {
	/* recorded */
	{ "console=ttyS0",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x7ffe0,
	  0x7ffe0,
	  0,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x7ffdffff } } },
	{ "mem=3G",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc8g,
	  ROWS(x86_pc8g),
	  0xbffe0,
	  0xbffe0,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0xbffdffff } } },
	{ "memmap=exactmap memmap=640K@0 memmap=1520M@16M",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x60000,
	  0x60000,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9ffff }, { 0x1000000, 0x5fffffff } } },
	{ "memmap=1G$4G",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc8g,
	  ROWS(x86_pc8g),
	  0x240000,
	  0x240000,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0xbffdffff }, { 0x140000000, 0x23fffffff } } },
	{ "memmap=2G!4G",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc8g,
	  ROWS(x86_pc8g),
	  0x240000,
	  0x240000,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0xbffdffff }, { 0x180000000, 0x23fffffff } } },
	{ "memmap=15M$1M",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x7ffe0,
	  0x7ffe0,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x1000000, 0x7ffdffff } } },
	{ "",
	  PZL_ARCH_I386,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x7ffe0,
	  0x36bfe,
	  0,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x7ffdffff } } },
	/* from the facts */
	{ "mem=1G memmap=exactmap,1M@0,2G@16M",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x81000,
	  0x81000,
	  PZL_X86_USER_MAP | PZL_X86_BIOS_AREA,
	  { { 0x1000, 0x9ffff }, { 0x1000000, 0x80ffffff } } },
	{ "memmap=exactmap memmap=1G@0",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x40000,
	  0x40000,
	  PZL_X86_USER_MAP | PZL_X86_PANIC_USER_MAP | PZL_X86_BIOS_AREA,
	  { { 0x1000, 0x9ffff }, { 0x100000, 0x3fffffff } } },
	{ "mem=0",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x7ffe0,
	  0x7ffe0,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x7ffdffff } } },
	{ "memmap=1G%0x40000000-1+2",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x40000,
	  0x40000,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x3fffffff } } },
	{ "memmap=16M%256M-1",
	  PZL_ARCH_X86_64,
	  false,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x7ffe0,
	  0x7ffe0,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0xfffffff }, { 0x11000000, 0x7ffdffff } } },
	{ "highmem=256M",
	  PZL_ARCH_I386,
	  true,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x36ffe + 0x10000,
	  0x36ffe,
	  0,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x7ffdffff } } },
	{ "vmalloc=256M",
	  PZL_ARCH_I386,
	  true,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x7ffe0,
	  0x36ffe - 0x8000 - 0x800,
	  0,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x7ffdffff } } },
	{ "highmem=2G mem=512M",
	  PZL_ARCH_I386,
	  true,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x20000,
	  0x20000,
	  PZL_X86_USER_MAP | PZL_X86_HIGHMEM_REFUSED,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x1fffffff } } },
	{ "highmem=128M mem=512M",
	  PZL_ARCH_I386,
	  true,
	  x86_pc2g,
	  ROWS(x86_pc2g),
	  0x20000,
	  0x18000,
	  PZL_X86_USER_MAP,
	  { { 0x1000, 0x9efff }, { 0x100000, 0x1fffffff } } },
	{ "",
	  PZL_ARCH_I386,
	  false,
	  x86_pc8g,
	  ROWS(x86_pc8g),
	  0x100000,
	  0x36bfe,
	  PZL_X86_BEYOND,
	  { { 0x1000, 0x9efff }, { 0x100000, 0xbffdffff } } },
};

/* Build a machine. Returns whether that worked. */
static bool x86_build(struct tap *t, const struct x86_case *c, enum pzl_model model,
		      struct pzl_x86_memory *m)
{
	struct pz_map fw;
	struct pzl_cmdline cl;
	struct pzl_arg args[16];
	struct pzl_mem_op ops[16];
	struct pzl_x86_input in;
	unsigned int i;
	size_t len = 0;
	int err = 0;

	while (c->cmdline[len])
		len++;
	pz_map_init(&fw, t->meta, NULL, 0);
	for (i = 0; !err && i < c->fws; i++)
		err = pz_map_insert_range(&fw, (struct pz_range){ c->fw[i].first, c->fw[i].last },
					  c->fw[i].type, i + 1);
	pzl_cmdline_init(&cl, args, 16, ops, 16);
	if (!err)
		err = pzl_cmdline_parse(&cl, model, c->arch, 12, c->cmdline, len);
	pzl_x86_input_init(&in, model, c->arch, c->pae);
	in.firmware = &fw;
	in.cmdline = &cl;
	if (!err)
		err = pzl_x86_memory(m, t->meta, &in);
	pz_map_destroy(&fw);
	return err == 0;
}

static bool x86_same(const struct pz_memblock *mb, const struct pz_range *want)
{
	uint32_t i;

	for (i = 0; i < mb->memory.count; i++)
		if (i == 4 || mb->memory.v[i].range.first != want[i].first ||
		    mb->memory.v[i].range.last != want[i].last)
			return false;
	return i == 4 || want[i].last == 0;
}

static void x86_table(struct tap *t)
{
	unsigned int i, m;

	for (i = 0; i < ROWS(x86_cases); i++) {
		const struct x86_case *c = &x86_cases[i];

		for (m = 0; m < PZL_MODELS; m++) {
			struct pzl_x86_memory x;

			if (!CHECK_NAMED(t, x86_build(t, c, (enum pzl_model)m, &x), c->cmdline))
				continue;
			CHECK_NAMED(t, x86_same(&x.mb, c->mem), c->cmdline);
			CHECK_NAMED(t, x.max_pfn == c->max_pfn && x.max_low_pfn == c->max_low_pfn,
				    c->cmdline);
			CHECK_NAMED(t, (x.notes & ~PZL_X86_PAGE0) == c->notes, c->cmdline);
			CHECK_NAMED(t, pz_map_check(&x.map) == 0 && pz_memblock_check(&x.mb) == 0,
				    c->cmdline);
			pzl_x86_memory_destroy(&x);
		}
	}
}

static void x86_details(struct tap *t)
{
	static const struct x86_fw one[] = { { 0x100000, 0x7ffffff, 1 } };
	static const struct x86_fw partial[] = {
		{ 0x800, 0x9fbff, 1 },
		{ 0x100800, 0x1ff7ff, 1 },
		{ 0x200000, 0x2fffff, PZ_MAP_SOFT_RESERVED },
		{ 0x300000, 0x3fffff, PZ_MAP_RESERVED_KERN },
		{ 0x400000, 0x4fffff, PZ_MAP_PMEM },
		{ 0x500000, 0x5fffff, 1 },
		{ 0x580000, 0x5fffff, 3 }, /* the higher type wins */
	};
	struct x86_case c = { "", PZL_ARCH_X86_64, false, one, ROWS(one), 0, 0, 0, { { 0, 0 } } };
	const struct pz_range want_one[4] = { { 0x1000, 0x9ffff }, { 0x100000, 0x7ffffff } };
	const struct pz_range want_partial[4] = { { 0x1000, 0x9efff },
						  { 0x101000, 0x1fefff },
						  { 0x300000, 0x3fffff },
						  { 0x500000, 0x57ffff } };
	struct pzl_x86_memory x;
	struct pzl_x86_input in;
	struct pz_map fw;

	if (CHECK(t, x86_build(t, &c, PZL_LINUX_6_1, &x))) {
		CHECK(t, (x.notes & PZL_X86_FAKED) && x86_same(&x.mb, want_one));
		pzl_x86_memory_destroy(&x);
	}
	c.fw = partial;
	c.fws = ROWS(partial);
	if (CHECK(t, x86_build(t, &c, PZL_LINUX_6_1, &x))) {
		CHECK(t, x86_same(&x.mb, want_partial));
		CHECK(t, x.mb.reserved.count == 1 && x.mb.reserved.v[0].range.first == 0x200000);
		CHECK(t, x.max_pfn == 0x580); /* only RAM counts for the end of memory */
		pzl_x86_memory_destroy(&x);
	}

	/* The kernel's own memory becomes RAM. */
	pz_map_init(&fw, t->meta, NULL, 0);
	(void)pz_map_insert(&fw, 0, 0x9f000, 1, 0);
	(void)pz_map_insert(&fw, 0x100000, 0x100000, 2, 0);
	(void)pz_map_insert(&fw, 0x1000000, 0x100000, 2, 0);
	pzl_x86_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_X86_64, false);
	in.firmware = &fw;
	in.has_kernel = true;
	in.kernel = (struct pz_range){ 0x1000000, 0x17fffff };
	if (CHECK(t, pzl_x86_memory(&x, t->meta, &in) == 0)) {
		CHECK(t, x.notes & PZL_X86_KERNEL_FORCED);
		CHECK(t, x.max_pfn == 0x1800 && x.mb.memory.count == 2);
		pzl_x86_memory_destroy(&x);
	}
	/* An empty map leaves what the kernel makes up. */
	fw.count = 0;
	in.has_kernel = false;
	if (CHECK(t, pzl_x86_memory(&x, t->meta, &in) == 0)) {
		CHECK(t, x.max_pfn == 0xa0 && (x.notes & PZL_X86_FAKED));
		pzl_x86_memory_destroy(&x);
	}
	in.arch = PZL_ARCH_ARM64;
	CHECK(t, pzl_x86_memory(&x, t->meta, &in) == -PZ_EINVAL);
	pz_map_destroy(&fw);
}

/* The first megabyte before and after each commit. */
static void x86_low1m(struct tap *t)
{
	const struct x86_case c = { "", PZL_ARCH_X86_64, false, x86_pc2g, ROWS(x86_pc2g), 0, 0,
				    0,	{ { 0, 0 } } };
	struct pzl_x86_memory x;
	struct pzl_low1m_input in;
	struct pzl_low1m low;
	unsigned int n;

	if (!CHECK(t, x86_build(t, &c, PZL_LINUX_6_1, &x)))
		return;
	for (n = 0; n <= PZL_LOW1M_COMMITS; n++) {
		unsigned int crash;

		for (crash = 0; crash < 2; crash++) {
			bool all = n >= 3 || (n >= 1 && crash);

			pzl_low1m_input_init(&in, PZL_LINUX_6_1);
			in.commits = n;
			in.crashkernel = crash;
			in.bios_start = 0x9fc00;
			CHECK(t, pzl_low1m(&in, &x.mb, &low) == 0);
			CHECK(t, low.present == 158); /* pages 1 to 0x9e */
			/* recorded with 5.10: pages 16 to 152 are managed */
			CHECK(t, low.managed == (all ? 0 : 137));
			CHECK(t, low.backup == (n < 2));
			CHECK(t, low.reserved_count == (all ? 1 : 3));
		}
	}
	CHECK(t, pzl_low1m_apply(&low, &x.mb) == 0 && x.mb.reserved.count == 1 &&
			 x.mb.reserved.v[0].range.last == 0xfffff);
	in.commits = 0;
	in.reserve_low = 0;
	in.trampoline = 0x1000;
	CHECK(t, pzl_low1m(&in, &x.mb, &low) == 0 && low.managed == 157);
	in.commits = PZL_LOW1M_COMMITS + 1;
	CHECK(t, pzl_low1m(&in, &x.mb, &low) == -PZ_EINVAL);
	CHECK(t, pzl_low1m_for_release("5.4.0", &n) == 0 && n == 0);
	CHECK(t, pzl_low1m_for_release("5.10.0-32-amd64", &n) == 0 && n == 2);
	CHECK(t, pzl_low1m_for_release("5.13", &n) == 0 && n == 3);
	CHECK(t, pzl_low1m_for_release("6.1.0-50-amd64", &n) == 0 && n == 5);
	CHECK(t, pzl_low1m_for_release("x", &n) == -PZ_EINVAL);
	CHECK(t, pzl_low1m_commit(0) && !pzl_low1m_commit(PZL_LOW1M_COMMITS));
	pzl_x86_memory_destroy(&x);
}

void contract_linux_x86(struct tap *t)
{
	x86_table(t);
	x86_details(t);
	x86_low1m(t);
}
