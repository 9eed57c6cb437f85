/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_crash.c - crash kernels: the reservation and the capture kernel's map, against
 * recorded pairs of machines and docs/facts/zones.md section 7.
 */
#include <physzone/linux/crash.h>
#include <physzone/memblock.h>

#include "suites_decl.h"
#include "tap.h"

#define M1 0x100000ull
#define G1 0x40000000ull

struct crash_case {
	const char *what;
	enum pzl_model model;
	enum pzl_arch arch;
	const char *cmdline;
	struct pz_range mem[3]; /* last 0 ends */
	struct pz_range taken[3];
	uint64_t dma_limit;
	enum pzl_crash_result result;
	struct pz_range main, low; /* low.last 0: none */
	const char *line;	   /* the last line that is printed, NULL for none */
};

#define PC2G                                 \
	{                                    \
		{ 0x1000, 0x9efff },         \
		{                            \
			0x100000, 0x7ffdffff \
		}                            \
	}
#define PC8G                                                   \
	{                                                      \
		{ 0x1000, 0x9efff }, { 0x100000, 0xbffdffff }, \
		{                                              \
			0x100000000, 0x23fffffff               \
		}                                              \
	}

static const struct crash_case crash_cases[] = {
	{ "6.1 below 4 GiB, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M",
	  PC2G,
	  { { 0x67000000, 0x6a3fffff }, { 0x7f460000, 0x7ffdffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x6f000000, 0x7effffff },
	  { 0, 0 },
	  "Reserving 256MB of memory at 1776MB for crashkernel (System RAM: 2047MB)" },
	{ "6.1 at a place, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M@32M",
	  PC2G,
	  { { 0x7f460000, 0x7ffdffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x2000000, 0x11ffffff },
	  { 0, 0 },
	  "Reserving 256MB of memory at 32MB for crashkernel (System RAM: 2047MB)" },
	{ "6.1 at a place that is taken",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M@32M",
	  PC2G,
	  { { 0x3000000, 0x3ffffff } },
	  0,
	  PZL_CRASH_IN_USE,
	  { 0, 0 },
	  { 0, 0 },
	  "crashkernel reservation failed - memory is in use." },
	{ "6.1 takes 1 MiB alignment",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M@33M",
	  PC2G,
	  { { 0, 0 } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x2100000, 0x120fffff },
	  { 0, 0 },
	  NULL },
	{ "6.12 wants 16 MiB alignment",
	  PZL_LINUX_6_12,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M@33M",
	  PC2G,
	  { { 0, 0 } },
	  0,
	  PZL_CRASH_IN_USE,
	  { 0, 0 },
	  { 0, 0 },
	  "crashkernel reservation failed - memory is in use." },
	{ "6.1 high, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M,high",
	  PC8G,
	  { { 0x23ffd0000, 0x23fffffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x22f000000, 0x23effffff },
	  { 0xaf000000, 0xbeffffff },
	  "Reserving 256MB of memory at 8944MB for crashkernel (System RAM: 8191MB)" },
	{ "6.1 high with low, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=512M,high crashkernel=128M,low",
	  PC8G,
	  { { 0x23ffd0000, 0x23fffffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x21f000000, 0x23effffff },
	  { 0xb7000000, 0xbeffffff },
	  NULL },
	{ "6.1 high without low",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M,high crashkernel=0,low",
	  PC8G,
	  { { 0x23ffd0000, 0x23fffffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x22f000000, 0x23effffff },
	  { 0, 0 },
	  NULL },
	{ "6.1 high on a small machine, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=512M,high",
	  PC2G,
	  { { 0x6e000000, 0x7ffdffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x4e000000, 0x6dffffff },
	  { 0, 0 },
	  NULL },
	{ "6.1 falls back above 4 GiB",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=3G",
	  PC8G,
	  { { 0x23ffd0000, 0x23fffffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x17f000000, 0x23effffff },
	  { 0xaf000000, 0xbeffffff },
	  NULL },
	{ "6.1 too large",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=16G",
	  PC8G,
	  { { 0, 0 } },
	  0,
	  PZL_CRASH_NO_AREA,
	  { 0, 0 },
	  { 0, 0 },
	  "crashkernel reservation failed - No suitable area found." },
	{ "6.1 no room for the low block",
	  PZL_LINUX_6_1,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M,high",
	  PC8G,
	  { { 0x1000000, 0xbffdffff } },
	  0,
	  PZL_CRASH_NO_LOW,
	  { 0, 0 },
	  { 0, 0 },
	  "Cannot reserve 256MB crashkernel low memory, please try smaller size." },
	{ "6.12, recorded",
	  PZL_LINUX_6_12,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M",
	  PC2G,
	  { { 0x6c000000, 0x7ffdffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x5c000000, 0x6bffffff },
	  { 0, 0 },
	  "crashkernel reserved: 0x000000005c000000 - 0x000000006c000000 (256 MB)" },
	{ "6.12 high falls back to low",
	  PZL_LINUX_6_12,
	  PZL_ARCH_X86_64,
	  "crashkernel=256M,high",
	  PC2G,
	  { { 0x6c000000, 0x7ffdffff } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x5c000000, 0x6bffffff },
	  { 0, 0 },
	  NULL },
	{ "6.12 i386 never ends",
	  PZL_LINUX_6_12,
	  PZL_ARCH_I386,
	  "crashkernel=768M",
	  PC2G,
	  { { 0, 0 } },
	  0,
	  PZL_CRASH_LOOPS,
	  { 0, 0 },
	  { 0, 0 },
	  NULL },
	{ "6.1 i386 below 512 MiB",
	  PZL_LINUX_6_1,
	  PZL_ARCH_I386,
	  "crashkernel=128M",
	  PC2G,
	  { { 0, 0 } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0x18000000, 0x1fffffff },
	  { 0, 0 },
	  NULL },
	{ "arm64 6.1, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  "crashkernel=256M",
	  { { G1, 0xbfffffff } },
	  { { 0xb9a00000, 0xbfffffff } },
	  0xc0000000,
	  PZL_CRASH_RESERVED,
	  { 0xa9a00000, 0xb99fffff },
	  { 0, 0 },
	  "crashkernel reserved: 0x00000000a9a00000 - 0x00000000b9a00000 (256 MB)" },
	{ "arm64 6.1 high has no low block, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  "crashkernel=512M,high",
	  { { G1, 0x23fffffff } },
	  { { 0x236e00000, 0x23fffffff } },
	  0x100000000,
	  PZL_CRASH_RESERVED,
	  { 0x216e00000, 0x236dfffff },
	  { 0, 0 },
	  NULL },
	{ "arm64 6.12 high has one, recorded",
	  PZL_LINUX_6_12,
	  PZL_ARCH_ARM64,
	  "crashkernel=512M,high",
	  { { G1, 0x23fffffff } },
	  { { 0xfc000000, 0xffffffff }, { 0x236e00000, 0x23fffffff } },
	  0x100000000,
	  PZL_CRASH_RESERVED,
	  { 0x216e00000, 0x236dfffff },
	  { 0xf4000000, 0xfbffffff },
	  "crashkernel reserved: 0x0000000216e00000 - 0x0000000236e00000 (512 MB)" },
	{ "arm64 with a 1 GiB DMA zone, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  "crashkernel=256M",
	  { { G1, 0x13fffffff } },
	  { { 0x7c000000, 0x7fffffff } },
	  0x80000000,
	  PZL_CRASH_RESERVED,
	  { 0x6c000000, 0x7bffffff },
	  { 0, 0 },
	  NULL },
	{ "arm64 6.1 too large, recorded",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM64,
	  "crashkernel=2G",
	  { { G1, 0x7fffffff } },
	  { { 0, 0 } },
	  0x80000000,
	  PZL_CRASH_NO_AREA,
	  { 0, 0 },
	  { 0, 0 },
	  "cannot allocate crashkernel (size:0x80000000)" },
	{ "riscv64 6.1",
	  PZL_LINUX_6_1,
	  PZL_ARCH_RISCV64,
	  "crashkernel=128M",
	  { { 0x80000000, 0xffffffff } },
	  { { 0, 0 } },
	  0,
	  PZL_CRASH_RESERVED,
	  { 0xf7e00000, 0xffdfffff },
	  { 0, 0 },
	  "crashkernel: reserved 0x00000000f7e00000 - 0x00000000ffe00000 (128 MB)" },
	{ "arm",
	  PZL_LINUX_6_1,
	  PZL_ARCH_ARM,
	  "crashkernel=64M",
	  { { G1, 0xbfffffff } },
	  { { 0, 0 } },
	  0x70000000,
	  PZL_CRASH_RESERVED,
	  { 0x68000000, 0x6bffffff },
	  { 0, 0 },
	  "Reserving 64MB of memory at 1664MB for crashkernel (System RAM: 2048MB)" },
};
#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

struct crash_lines {
	char last[240];
	size_t len;
	unsigned int count;
};

static void crash_line(void *ctx, const char *line, size_t len)
{
	struct crash_lines *l = ctx;
	size_t i;

	for (i = 0; i < len && i < sizeof(l->last); i++)
		l->last[i] = line[i];
	l->len = i;
	l->count++;
}

static bool crash_is_line(const struct crash_lines *l, const char *want)
{
	size_t i;

	for (i = 0; i < l->len; i++)
		if (!want[i] || l->last[i] != want[i])
			return false;
	return !want[l->len];
}

static void crash_reserve(struct tap *t, const struct crash_case *c)
{
	struct pz_memblock mb;
	struct pzl_crash_env env;
	struct pzl_crash_request req;
	struct pzl_crash_area a;
	struct crash_lines lines = { { 0 }, 0, 0 };
	uint64_t total, before;
	size_t len = 0;
	unsigned int i;

	if (!CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0))
		return;
	for (i = 0; i < 3 && c->mem[i].last; i++)
		(void)pz_memblock_add(&mb, c->mem[i].first, c->mem[i].last - c->mem[i].first + 1, 0,
				      0);
	for (i = 0; i < 3 && c->taken[i].last; i++)
		(void)pz_memblock_reserve(&mb, c->taken[i].first,
					  c->taken[i].last - c->taken[i].first + 1, PZ_NID_NONE, 0);
	total = pz_memblock_bytes(&mb, PZ_MB_MEMORY);
	before = pz_memblock_bytes(&mb, PZ_MB_RESERVED);
	while (c->cmdline[len])
		len++;
	CHECK_NAMED(t, pzl_crash_parse(c->model, c->arch, c->cmdline, len, total, &req) == 0,
		    c->what);
	pzl_crash_env_init(&env, c->model, c->arch, &mb, c->dma_limit);
	if (CHECK_NAMED(t, pzl_crash_reserve(&env, &req, &mb, &a) == 0, c->what)) {
		CHECK_NAMED(t, a.result == c->result, c->what);
		if (a.result == PZL_CRASH_RESERVED)
			CHECK_NAMED(t,
				    a.main.first == c->main.first && a.main.last == c->main.last &&
					    a.has_low == (c->low.last != 0) &&
					    (!a.has_low || (a.low.first == c->low.first &&
							    a.low.last == c->low.last)),
				    c->what);
		else
			CHECK_NAMED(t, pz_memblock_bytes(&mb, PZ_MB_RESERVED) == before, c->what);
		pzl_crash_print(&env, &req, &a, total, crash_line, &lines);
		if (c->line)
			CHECK_NAMED(t, crash_is_line(&lines, c->line), c->what);
		if (a.result == PZL_CRASH_RESERVED)
			CHECK_NAMED(t, lines.count == (a.has_low ? 2u : 1u), c->what);
	}
	pz_memblock_destroy(&mb);
}

struct capture_entry {
	uint64_t first, last;
	uint32_t type;
};

/* The running machine's map, after page 0 was taken out. */
static const struct capture_entry capture_pc2g[] = {
	{ 0x0, 0xfff, 2 },
	{ 0x1000, 0x9fbff, 1 },
	{ 0x9fc00, 0x9ffff, 2 },
	{ 0xf0000, 0xfffff, 2 },
	{ 0x100000, 0x7ffdffff, 1 },
	{ 0x7ffe0000, 0x7fffffff, 2 },
	{ 0xfffc0000, 0xffffffff, 2 },
	{ 0xfd00000000, 0xffffffffff, 2 },
};
static const struct capture_entry capture_pc8g[] = {
	{ 0x0, 0xfff, 2 },
	{ 0x1000, 0x9fbff, 1 },
	{ 0x9fc00, 0x9ffff, 2 },
	{ 0xf0000, 0xfffff, 2 },
	{ 0x100000, 0xbffdffff, 1 },
	{ 0xbffe0000, 0xbfffffff, 2 },
	{ 0xfffc0000, 0xffffffff, 2 },
	{ 0x100000000, 0x23fffffff, 1 },
	{ 0xfd00000000, 0xffffffffff, 2 },
};

struct capture_case {
	const char *what;
	enum pzl_kexec how;
	const struct capture_entry *from;
	unsigned int froms;
	struct pz_range crash, low;
	uint64_t elfcorehdr;	     /* its address, from the capture kernel's command line */
	struct capture_entry ram[4]; /* RAM above the first megabyte that was recorded */
};

static const struct capture_case capture_cases[] = {
	{ "kexec-tools, 256M",
	  PZL_KEXEC_TOOLS,
	  capture_pc2g,
	  ROWS(capture_pc2g),
	  { 0x6b000000, 0x7affffff },
	  { 0, 0 },
	  2014580ull << 10,
	  { { 0x6b000000, 0x7af5cfff, 1 }, { 0x7afffc00, 0x7affffff, 1 } } },
	{ "kexec-tools, 256M at 32M",
	  PZL_KEXEC_TOOLS,
	  capture_pc2g,
	  ROWS(capture_pc2g),
	  { 0x2000000, 0x11ffffff },
	  { 0, 0 },
	  294260ull << 10,
	  { { 0x2000000, 0x11f5cfff, 1 }, { 0x11fffc00, 0x11ffffff, 1 } } },
	{ "kexec_file_load, 256M",
	  PZL_KEXEC_FILE,
	  capture_pc2g,
	  ROWS(capture_pc2g),
	  { 0x6f000000, 0x7effffff },
	  { 0, 0 },
	  0x6f000000,
	  { { 0x6f001000, 0x7effffff, 1 } } },
	{ "kexec-tools, 256M high",
	  PZL_KEXEC_TOOLS,
	  capture_pc8g,
	  ROWS(capture_pc8g),
	  { 0x22f000000, 0x23effffff },
	  { 0xaf000000, 0xbeffffff },
	  9420148ull << 10,
	  { { 0xaf000000, 0xbeffffff, 1 },
	    { 0x22f000000, 0x23ef5cfff, 1 },
	    { 0x23efffc00, 0x23effffff, 1 } } },
	{ "kexec-tools, 512M high, 128M low",
	  PZL_KEXEC_TOOLS,
	  capture_pc8g,
	  ROWS(capture_pc8g),
	  { 0x21f000000, 0x23effffff },
	  { 0xb7000000, 0xbeffffff },
	  9420148ull << 10,
	  { { 0xb7000000, 0xbeffffff, 1 },
	    { 0x21f000000, 0x23ef5cfff, 1 },
	    { 0x23efffc00, 0x23effffff, 1 } } },
};

static void capture_map(struct tap *t, const struct capture_case *c)
{
	struct pz_map from, out;
	struct pzl_capture_input in;
	struct pzl_capture where;
	unsigned int i, k = 0, others = 0, reserved = 0;
	bool same = true, low = false;

	pz_map_init(&from, t->meta, NULL, 0);
	pz_map_init(&out, t->meta, NULL, 0);
	for (i = 0; i < c->froms; i++) {
		(void)pz_map_insert_range(&from,
					  (struct pz_range){ c->from[i].first, c->from[i].last },
					  c->from[i].type, 0);
		reserved += c->from[i].type == 2;
	}
	(void)pz_map_sanitise(&from, 12, 64);
	pzl_capture_input_init(&in, PZL_LINUX_6_1, &from, c->crash);
	in.how = c->how;
	in.has_low = c->low.last != 0;
	in.low = c->low;
	CHECK_NAMED(t, pzl_capture_map(&in, &out, &where) == 0, c->what);
	(void)pz_map_sanitise(&out, 12, 64);
	for (i = 0; i < out.count; i++) {
		const struct pz_map_entry *e = &out.v[i];

		if (e->type != PZ_MAP_RAM) {
			others++;
		} else if (e->range.last < M1) {
			low = e->range.first == 0x1000 && e->range.last == 0x9fbff;
		} else {
			same = same && k < 4 && e->range.first == c->ram[k].first &&
			       e->range.last == c->ram[k].last;
			k++;
		}
	}
	CHECK_NAMED(t, same && k < 4 && c->ram[k].last == 0, c->what);
	CHECK_NAMED(t, low && others == reserved, c->what);
	CHECK_NAMED(t, where.elfcorehdr.first == c->elfcorehdr, c->what);
	CHECK_NAMED(t, where.has_backup == (c->how == PZL_KEXEC_TOOLS), c->what);

	/* Refusals leave the map as it is. */
	i = out.count;
	in.crash = (struct pz_range){ 0x6b000000, 0x6b000fff };
	in.has_low = false;
	in.how = PZL_KEXEC_TOOLS;
	CHECK_NAMED(t, pzl_capture_map(&in, &out, NULL) == -PZ_ERANGE && out.count == i, c->what);
	in.cpus = 0;
	CHECK_NAMED(t, pzl_capture_map(&in, &out, NULL) == -PZ_EINVAL && out.count == i, c->what);
	pz_map_destroy(&from);
	pz_map_destroy(&out);
}

void contract_linux_crash(struct tap *t)
{
	unsigned int i;

	for (i = 0; i < ROWS(crash_cases); i++)
		crash_reserve(t, &crash_cases[i]);
	for (i = 0; i < ROWS(capture_cases); i++)
		capture_map(t, &capture_cases[i]);
}
