/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_edges.c - where one byte, page or word more makes a Linux kernel decide otherwise.
 */
#include <physzone/linux/crash.h>
#include <physzone/linux/early.h>
#include <physzone/linux/low1m.h>
#include <physzone/linux/x86.h>

#include "suites_decl.h"
#include "tap.h"

#define M1 0x100000ull
#define G1 0x40000000ull

static size_t edge_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static enum pzl_crash_parse edge_word(enum pzl_model m, const char *s, struct pzl_crash_request *r)
{
	(void)pzl_crash_parse(m, PZL_ARCH_X86_64, s, edge_len(s), G1, r);
	return r->parse;
}

static void edge_crash_words(struct tap *t)
{
	struct pzl_crash_request r;

	CHECK(t, edge_word(PZL_LINUX_6_1, "crashkernel=1G-1G:64M", &r) == PZL_CRASH_BAD_END);
	CHECK(t, edge_word(PZL_LINUX_6_1, "crashkernel=0-:1G", &r) == PZL_CRASH_BAD_SIZE);
	CHECK(t, edge_word(PZL_LINUX_6_1, "crashkernel=0-:1023M", &r) == PZL_CRASH_FOUND);
	CHECK(t, edge_word(PZL_LINUX_6_1, "crashkernel=1G", &r) == PZL_CRASH_FOUND);
	CHECK(t, edge_word(PZL_LINUX_6_12, "crashkernel=1G", &r) == PZL_CRASH_BAD_SIZE);
	CHECK(t, edge_word(PZL_LINUX_6_1, "crashkernel=64M crashkernel=8M,low", &r) ==
			 PZL_CRASH_FOUND);
	CHECK_NAMED(t, !r.high && r.low_given && r.low_size == 8 * M1,
		    "before the common code x86 takes ,low beside a plain word");
	(void)edge_word(PZL_LINUX_6_12, "crashkernel=64M crashkernel=8M,low", &r);
	CHECK_NAMED(t, !r.low_given, "the common code takes ,low beside ,high only");
}

/* Reserve on a machine with memory in two ranges. */
static bool edge_reserve(struct tap *t, struct pzl_crash_env *env, const char *s,
			 const struct pz_range *mem, struct pzl_crash_area *a)
{
	bool capture = env->capture;
	uint64_t swiotlb = env->swiotlb;
	struct pzl_crash_request r;
	struct pz_memblock mb;
	int err = pz_memblock_init(&mb, t->meta, 12);

	for (unsigned int i = 0; !err && i < 2 && mem[i].last; i++)
		err = pz_memblock_add(&mb, mem[i].first, mem[i].last - mem[i].first + 1, 0, 0);
	(void)pzl_crash_parse(env->model, env->arch, s, edge_len(s), 64 * G1, &r);
	pzl_crash_env_init(env, env->model, env->arch, &mb, 0);
	env->capture = capture;
	if (swiotlb)
		env->swiotlb = swiotlb;
	if (!err)
		err = pzl_crash_reserve(env, &r, &mb, a);
	pz_memblock_destroy(&mb);
	return err == 0;
}

static void edge_crash_places(struct tap *t)
{
	static const struct pz_range mem[2] = { { M1, 0xbfffffff },
						{ 4 * G1, 4 * G1 + 256 * M1 - 1 } };
	static const struct pz_range large[2] = { { M1, 0xbfffffff }, { 4 * G1, 8 * G1 - 1 } };
	struct pzl_crash_env env = { .model = PZL_LINUX_6_1, .arch = PZL_ARCH_X86_64 };
	struct pzl_crash_area a;

	env.swiotlb = 512 * M1;
	CHECK(t, edge_reserve(t, &env, "crashkernel=256M,high", mem, &a));
	CHECK_NAMED(t, a.main.first == 4 * G1 && a.has_low, "at 4 GiB is not below it");
	CHECK_NAMED(t, a.low_size == 520 * M1, "a large bounce buffer makes the low block larger");

	env = (struct pzl_crash_env){ .model = PZL_LINUX_6_12, .arch = PZL_ARCH_X86_64 };
	CHECK(t, edge_reserve(t, &env, "crashkernel=3G", large, &a));
	CHECK_NAMED(t, a.result == PZL_CRASH_RESERVED && a.main.first >= 4 * G1 && a.has_low,
		    "a plain size that falls back above 4 GiB gets a low block");
	env = (struct pzl_crash_env){ .model = PZL_LINUX_6_12, .arch = PZL_ARCH_I386 };
	CHECK(t, edge_reserve(t, &env, "crashkernel=64M,high", mem, &a));
	CHECK_NAMED(t, a.result == PZL_CRASH_NO_AREA, "where low ends where high does");

	env = (struct pzl_crash_env){ .model = PZL_LINUX_6_1, .arch = PZL_ARCH_ARM64 };
	CHECK(t, edge_reserve(t, &env, "crashkernel=0x100800", mem, &a));
	CHECK(t, a.result == PZL_CRASH_RESERVED && a.main.last - a.main.first + 1 == 0x101000);
	env = (struct pzl_crash_env){ .model = PZL_LINUX_6_1, .arch = PZL_ARCH_RISCV64 };
	env.capture = true;
	CHECK(t, edge_reserve(t, &env, "crashkernel=64M", mem, &a));
	CHECK(t, a.result == PZL_CRASH_IGNORED);
}

static void edge_words(struct tap *t)
{
	struct pzl_arg arg[4];
	struct pzl_cmdline c;

	pzl_cmdline_init(&c, arg, 4, NULL, 0);
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_POWERPC64, 12, "mem=1G mem=0", 12);
	CHECK_NAMED(t, !c.mem_limited && arg[1].problem == PZL_ARG_ZERO, "mem=0 lifts the limit");
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_POWERPC64, 12, "mem=0 mem=1G", 12);
	CHECK(t, c.mem_limited && c.mem_limit == G1);
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_RISCV64, 12, "mem=0 mem=1G", 12);
	CHECK_NAMED(t, !c.mem_limited && arg[1].problem == PZL_ARG_OVERRIDDEN,
		    "riscv keeps the smallest, and 0 is no limit");
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12, "kernelcore=100%", 15);
	CHECK(t, arg[0].problem == PZL_ARG_OK && c.kernelcore.value == 100);
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12, "\"foo=\"64M\"\"", 11);
	CHECK_NAMED(t, arg[0].value_len == 4 && arg[0].value[3] == '"',
		    "of two closing quotes one goes");
}

static uint64_t edge_limit(enum pzl_model m, const struct pzl_arch_input *in)
{
	struct pzl_zone_limits l;

	return pzl_zone_limits(m, PZL_ARCH_ARM64, in, &l) ? 0 : l.max_pfn[PZ_ZONE_DMA];
}

static void edge_limits(struct tap *t)
{
	struct pzl_arch_input in;

	pzl_arch_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM64);
	in.dram_first = 0xffffffff;
	in.dram_last = 8 * G1 - 1;
	in.dt_dma_limit = G1 - 1;
	CHECK(t, edge_limit(PZL_LINUX_6_1, &in) == 0x100000);
	in.dram_first = 4 * G1;
	CHECK(t, edge_limit(PZL_LINUX_6_1, &in) == 0x200000);
	in.dram_last = PZ_ADDR_MAX;
	in.dt_dma_limit = PZ_ADDR_MAX;
	CHECK(t, edge_limit(PZL_LINUX_6_12, &in) == (uint64_t)1 << 52);
}

/* Early memory of one or two ranges; the second is NOMAP. */
static bool edge_early(struct tap *t, struct pzl_early_input *in, const char *s,
		       struct pz_range mem, struct pz_range nomap, struct pz_memblock *mb)
{
	struct pzl_mem_op op[2];
	struct pzl_arg arg[2];
	struct pzl_cmdline c;
	struct pzl_early e;
	int err = pz_memblock_init(mb, t->meta, 12);

	pzl_cmdline_init(&c, arg, 2, op, 2);
	(void)pzl_cmdline_parse(&c, in->model, in->arch, 12, s, edge_len(s));
	in->cmdline = &c;
	if (!err)
		err = pz_memblock_add(mb, mem.first, mem.last - mem.first + 1, 0, 0);
	if (!err && nomap.last)
		err = pz_memblock_add(mb, nomap.first, nomap.last - nomap.first + 1, 0,
				      PZ_MB_NOMAP);
	if (!err)
		err = pzl_early_memory(in, mb, &e);
	in->cmdline = NULL;
	return err == 0;
}

static void edge_amounts(struct tap *t)
{
	const struct pz_range none = { 0, 0 }, small = { 0, 100 * M1 - 1 }, g1 = { G1, 2 * G1 - 1 };
	struct pzl_early_input in;
	struct pz_memblock mb;

	pzl_early_input_init(&in, PZL_LINUX_6_12, PZL_ARCH_POWERPC64);
	CHECK(t, edge_early(t, &in, "mem=1G", small, none, &mb));
	CHECK_NAMED(t, pz_memblock_last(&mb) == 96 * M1 - 1, "more than there is counts as none");
	pz_memblock_destroy(&mb);

	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM64);
	CHECK(t, edge_early(t, &in, "mem=256M", g1, (struct pz_range){ 3 * G1, 3 * G1 + M1 - 1 },
			    &mb));
	CHECK_NAMED(t, mb.memory.count == 2 && pz_memblock_last(&mb) == 3 * G1 + M1 - 1,
		    "arm64 keeps what is not mapped");
	pz_memblock_destroy(&mb);
	in.has_kernel = true;
	in.kernel = (struct pz_range){ 3 * G1, 3 * G1 + M1 - 1 };
	CHECK(t, edge_early(t, &in, "", g1, none, &mb));
	CHECK_NAMED(t, mb.memory.count == 1, "only mem= makes arm64 add its kernel back");
	pz_memblock_destroy(&mb);

	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_MIPS);
	CHECK(t, edge_early(t, &in, "memmap=1M@256M mem=1M@512M", small, none, &mb));
	CHECK_NAMED(t, mb.memory.count == 3, "after memmap= mips' mem= takes nothing away");
	pz_memblock_destroy(&mb);
	CHECK(t, edge_early(t, &in, "memmap=1M@256Mx mem=1M@512M", small, none, &mb));
	CHECK_NAMED(t, mb.memory.count == 1, "unless that had text after it");
	pz_memblock_destroy(&mb);

	pzl_early_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_ARM);
	CHECK(t, edge_early(t, &in, "mem=0xffffffffffffffff@0x80000000", g1, none, &mb));
	CHECK_NAMED(t, mb.memory.count == 0, "a range that wraps is dropped");
	pz_memblock_destroy(&mb);
	in.phys_bits = 40;
	CHECK(t, edge_early(t, &in, "mem=512M@0xf0000000", g1, none, &mb));
	CHECK_NAMED(t, pz_memblock_last(&mb) == 0x10fffffff, "LPAE has no end at 4 GiB");
	pz_memblock_destroy(&mb);
	in.phys_bits = 32;
	CHECK(t, edge_early(t, &in, "mem=512M@0xf0000000", g1, none, &mb));
	CHECK_NAMED(t, mb.memory.count == 1 && pz_memblock_last(&mb) == 0xffffefff,
		    "the last page below 4 GiB is lost");
	pz_memblock_destroy(&mb);
	CHECK(t, edge_early(t, &in, "mem=1G@0x30000000", g1, none, &mb));
	CHECK_NAMED(t, pz_memblock_start(&mb) == G1 && pz_memblock_last(&mb) == 0x6fffffff,
		    "what lies below the start of memory does not count");
	pz_memblock_destroy(&mb);
}

/* The capture kernel's RAM above the first megabyte. */
static uint64_t edge_capture(struct tap *t, struct pz_range crash, uint64_t elf)
{
	struct pzl_capture_input in;
	struct pz_map from, out;
	uint64_t bytes = 0;

	pz_map_init(&from, t->meta, NULL, 0);
	pz_map_init(&out, t->meta, NULL, 0);
	(void)pz_map_insert(&from, M1, G1, PZ_MAP_RAM, 0);
	(void)pz_map_sanitise(&from, 12, 64);
	pzl_capture_input_init(&in, PZL_LINUX_6_1, &from, crash);
	in.elf_bytes = elf;
	in.has_low = true;
	in.low = (struct pz_range){ M1, crash.first };
	CHECK_NAMED(t, pzl_capture_map(&in, &out, NULL) == -PZ_EINVAL && out.count == 0,
		    "a low block that shares a byte with the main one");
	in.has_low = false;
	if (CHECK(t, pzl_capture_map(&in, &out, NULL) == 0))
		for (uint32_t i = 0; i < out.count; i++)
			bytes += pz_range_size(out.v[i].range);
	pz_map_destroy(&from);
	pz_map_destroy(&out);
	return bytes;
}

static void edge_pieces(struct tap *t)
{
	const struct pz_range tail = { 16 * M1, 16 * M1 + 0x47ff };
	const struct pz_range head = { 16 * M1 + 0x800, 17 * M1 - 1 };

	CHECK_NAMED(t, edge_capture(t, tail, 0x4000) == 0, "less than a page above the headers");
	CHECK_NAMED(t, edge_capture(t, head, 0x1000) == M1 - 0x2000,
		    "less than a page below the headers");
}

/* The notes of a table of @n entries of one page of RAM, a page between each two. */
static uint32_t edge_table(struct tap *t, uint32_t n, const char *s, uint32_t *regions)
{
	struct pzl_mem_op op[2];
	struct pzl_arg arg[2];
	struct pzl_cmdline c;
	struct pzl_x86_input in;
	struct pzl_x86_memory m;
	uint32_t notes = 0;
	struct pz_map fw;

	pz_map_init(&fw, t->meta, NULL, 0);
	for (uint32_t i = 0; i < n; i++)
		(void)pz_map_insert(&fw, M1 + i * 0x2000ull, 0x1000, PZ_MAP_RAM, 0);
	pzl_cmdline_init(&c, arg, 2, op, 2);
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_I386, 12, s, edge_len(s));
	pzl_x86_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_I386, true);
	in.firmware = &fw;
	in.cmdline = &c;
	if (CHECK(t, pzl_x86_memory(&m, t->meta, &in) == 0)) {
		notes = m.notes;
		*regions = m.mb.memory.count;
		pzl_x86_memory_destroy(&m);
	}
	pz_map_destroy(&fw);
	return notes;
}

static void edge_x86(struct tap *t)
{
	struct pzl_x86_input in;
	struct pzl_x86_memory m;
	struct pzl_cmdline c;
	struct pzl_arg arg[2];
	struct pz_map fw;
	uint32_t n = 0;

	CHECK(t, edge_table(t, 131, "", &n) == 0 && n == 131);
	CHECK(t, edge_table(t, 132, "", &n) == PZL_X86_TOO_MANY && n == 131);
	CHECK(t, edge_table(t, 129, "memmap=0%0x100800-1+2", &n) == PZL_X86_USER_MAP);
	CHECK_NAMED(t, edge_table(t, 130, "memmap=0%0x100800-1+2", &n) ==
			       (PZL_X86_USER_MAP | PZL_X86_TOO_MANY),
		    "an entry without size takes a place");

	pz_map_init(&fw, t->meta, NULL, 0);
	(void)pz_map_insert(&fw, 0, 128 * M1, PZ_MAP_RAM, 0);
	pzl_x86_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_I386, true);
	in.firmware = &fw;
	if (CHECK(t, pzl_x86_memory(&m, t->meta, &in) == 0)) {
		CHECK_NAMED(t, m.notes == (PZL_X86_FAKED | PZL_X86_PAGE0),
			    "a map made up has nothing between 640 KiB and 1 MiB");
		pzl_x86_memory_destroy(&m);
	}
	pzl_cmdline_init(&c, arg, 2, NULL, 0);
	in.cmdline = &c;
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_I386, 12, "highmem=64M", 11);
	if (CHECK(t, pzl_x86_memory(&m, t->meta, &in) == 0)) {
		CHECK(t, !(m.notes & PZL_X86_HIGHMEM_REFUSED) && m.max_low_pfn == 0x4000);
		pzl_x86_memory_destroy(&m);
	}
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_I386, 12, "highmem=65M", 11);
	if (CHECK(t, pzl_x86_memory(&m, t->meta, &in) == 0)) {
		CHECK_NAMED(t, (m.notes & PZL_X86_HIGHMEM_REFUSED) && m.max_low_pfn == 0x8000,
			    "64 MiB of low memory have to stay");
		pzl_x86_memory_destroy(&m);
	}
	pz_map_destroy(&fw);
}

/* Whether a user's map is refused, the firmware's being two ranges. */
static bool edge_refused(struct tap *t, const char *s)
{
	struct pzl_x86_memory m;
	struct pzl_x86_input in;
	struct pzl_mem_op op[4];
	struct pzl_arg arg[2];
	struct pzl_cmdline c;
	struct pz_map fw;
	bool refused = false;

	pz_map_init(&fw, t->meta, NULL, 0);
	(void)pz_map_insert(&fw, 0, 0x9f000, PZ_MAP_RAM, 0);
	(void)pz_map_insert(&fw, M1, 128 * M1, PZ_MAP_RAM, 0);
	pzl_cmdline_init(&c, arg, 2, op, 4);
	(void)pzl_cmdline_parse(&c, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12, s, edge_len(s));
	pzl_x86_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_X86_64, false);
	in.firmware = &fw;
	in.cmdline = &c;
	if (CHECK(t, pzl_x86_memory(&m, t->meta, &in) == 0)) {
		refused = m.notes & PZL_X86_PANIC_USER_MAP;
		pzl_x86_memory_destroy(&m);
	}
	pz_map_destroy(&fw);
	return refused;
}

/* A table of fewer than two entries is refused; what counts as an entry is the kernel's table. */
static void edge_user_map(struct tap *t)
{
	CHECK(t, edge_refused(t, "memmap=exactmap,64M@1M"));
	CHECK(t, !edge_refused(t, "memmap=exactmap,64M@1M,0@5M"));
	CHECK_NAMED(t, !edge_refused(t, "memmap=exactmap,64M@1M,0%2M-1+2"),
		    "a change of size 0 splits an entry");
	CHECK_NAMED(t, !edge_refused(t, "memmap=exactmap,64M@1M,0%2M"), "and so does a removal");
	CHECK(t, edge_refused(t, "memmap=exactmap,64M@1M,0%1M-1+2"));
	CHECK(t, edge_refused(t, "memmap=exactmap,64M@1M,0%2M-3+2"));
}

static void edge_low1m(struct tap *t)
{
	struct pzl_low1m_input in;
	struct pzl_low1m low;
	struct pz_memblock mb;

	CHECK(t, pz_memblock_init(&mb, t->meta, 12) == 0);
	CHECK(t, pz_memblock_add(&mb, 0x1000, G1, 0, 0) == 0);
	pzl_low1m_input_init(&in, PZL_LINUX_6_1);
	in.commits = 0;
	CHECK(t, pzl_low1m(&in, &mb, &low) == 0);
	CHECK_NAMED(t, low.reserved[low.reserved_count - 1].first == 0xa0000,
		    "memory across 640 KiB does not say where the BIOS begins");
	pz_memblock_destroy(&mb);
}

void contract_linux_edges(struct tap *t)
{
	edge_crash_words(t);
	edge_crash_places(t);
	edge_words(t);
	edge_limits(t);
	edge_amounts(t);
	edge_pieces(t);
	edge_x86(t);
	edge_user_map(t);
	edge_low1m(t);
}
