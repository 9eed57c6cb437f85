/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_cmdline.c - the kernel command line: docs/facts/zones.md sections 4, 6, 7 and 9.
 */
#include <physzone/linux/cmdline.h>
#include <physzone/linux/crash.h>
#include <physzone/map.h>

#include "suites_decl.h"
#include "tap.h"

#define G1 0x40000000ull
#define M1 0x100000ull

static size_t cl_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Storage of one parse, on the stack. */
struct cl_box {
	struct pzl_cmdline c;
	struct pzl_arg arg[16];
	struct pzl_mem_op op[16];
	int err;
};

static void cl_parse(struct cl_box *b, enum pzl_arch arch, const char *s)
{
	pzl_cmdline_init(&b->c, b->arg, 16, b->op, 16);
	b->err = pzl_cmdline_parse(&b->c, PZL_LINUX_6_1, arch, 12, s, cl_len(s));
}

static bool cl_is(const char *s, uint32_t n, const char *want)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!want[i] || s[i] != want[i])
			return false;
	return !want[n];
}

static void cl_numbers(struct tap *t)
{
	static const struct {
		const char *s;
		uint64_t v;
		size_t used;
		bool wraps;
	} rows[] = {
		{ "1G", G1, 2, false },
		{ "1g@", G1, 2, false },
		{ "0x10M", 16 * M1, 5, false },
		{ "010K", 8192, 4, false },
		{ "08", 0, 1, false }, /* octal stops at the 8 */
		{ "0x", 0, 1, false }, /* no digit follows: octal 0 */
		{ "0xg", 0, 1, false },
		{ "0x10e", 0x10e, 5, false }, /* e is a digit here */
		{ "10e", 10ull << 60, 3, false },
		{ "16E", 0, 3, true },
		{ "3T", 3ull << 40, 2, false },
		{ "2P", 2ull << 50, 2, false },
		{ "", 0, 0, false },
		{ "M", 0, 1, false }, /* a suffix alone is taken */
		{ "-1", 0, 0, false },
		{ " 1", 0, 0, false },
		{ "18446744073709551615", UINT64_MAX, 20, false },
		{ "18446744073709551616", 0, 20, true },
		{ "0xffffffffffffffff", UINT64_MAX, 18, false },
		{ "1MB", M1, 2, false },
	};
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool wraps = false;
		size_t used;
		uint64_t v = pzl_memparse(rows[i].s, cl_len(rows[i].s), &used, &wraps);

		/* 10E is 10 * 2^60, which wraps */
		CHECK_NAMED(t,
			    v == rows[i].v && used == rows[i].used &&
				    (wraps == rows[i].wraps || rows[i].v == 10ull << 60),
			    rows[i].s);
	}
}

static void cl_words(struct tap *t)
{
	struct cl_box b;

	cl_parse(&b, PZL_ARCH_X86_64, "  ro quiet \"a b=c d\" x=\"1 2\" movable-node -- mem=1G");
	CHECK(t, b.err == 0 && b.c.arg_count == 7);
	CHECK(t, cl_is(b.arg[0].name, b.arg[0].name_len, "ro") && b.arg[0].pos == 2);
	CHECK(t, cl_is(b.arg[2].name, b.arg[2].name_len, "a b") &&
			 cl_is(b.arg[2].value, b.arg[2].value_len, "c d"));
	CHECK(t, cl_is(b.arg[3].value, b.arg[3].value_len, "1 2"));
	CHECK(t, b.arg[4].kind == PZL_ARG_MOVABLE_NODE && b.c.movable_node);
	CHECK(t, b.arg[5].kind == PZL_ARG_INIT && b.arg[6].kind == PZL_ARG_INIT);
	CHECK(t, b.c.op_count == 0 && !b.c.user_map);

	cl_parse(&b, PZL_ARCH_X86_64, "");
	CHECK(t, b.err == 0 && b.c.arg_count == 0);
	cl_parse(&b, PZL_ARCH_X86_64, "\"mem=1G\"");
	CHECK(t, b.c.op_count == 1 && b.op[0].base == G1);
	cl_parse(&b, PZL_ARCH_X86_64, "=x a= swiotlb=force");
	CHECK(t, b.c.arg_count == 3 && cl_is(b.arg[0].name, b.arg[0].name_len, "=x") &&
			 b.arg[1].value && b.arg[1].value_len == 0 &&
			 b.arg[2].kind == PZL_ARG_OPAQUE);
	pzl_cmdline_init(&b.c, b.arg, 1, b.op, 1);
	CHECK(t, pzl_cmdline_parse(&b.c, PZL_LINUX_6_1, PZL_ARCH_X86_64, 12, "a b c", 5) ==
				 -PZ_ENOSPC &&
			 b.c.arg_count == 3);
}

static void cl_mem(struct tap *t)
{
	struct cl_box b;

	cl_parse(&b, PZL_ARCH_X86_64, "mem=3G");
	CHECK(t, b.op[0].kind == PZL_OP_CEILING && b.op[0].base == 3 * G1 && b.c.user_map);
	cl_parse(&b, PZL_ARCH_X86_64, "mem=0 mem=foo mem=");
	CHECK(t, b.c.op_count == 0 && b.arg[0].problem == PZL_ARG_ZERO &&
			 b.arg[1].problem == PZL_ARG_ZERO && b.arg[2].problem == PZL_ARG_ZERO);
	cl_parse(&b, PZL_ARCH_X86_64, "mem=1Gfoo mem=nopentium mem");
	CHECK(t, b.c.op_count == 1 && b.arg[0].problem == PZL_ARG_TRAILING &&
			 b.arg[1].problem == PZL_ARG_NOT_HERE &&
			 b.arg[2].problem == PZL_ARG_NO_VALUE);
	cl_parse(&b, PZL_ARCH_I386, "mem=nopentium");
	CHECK(t, b.c.nopentium && b.arg[0].problem == PZL_ARG_OK);
	cl_parse(&b, PZL_ARCH_ARM64, "mem=1500M");
	CHECK(t, b.c.op_count == 0 && b.c.mem_limited && b.c.mem_limit == 1500 * M1);
	cl_parse(&b, PZL_ARCH_ARM64, "mem=4097");
	CHECK(t, b.c.mem_limit == 4096);
	cl_parse(&b, PZL_ARCH_POWERPC, "mem=4097");
	CHECK(t, b.c.mem_limit == 8192);
	cl_parse(&b, PZL_ARCH_RISCV64, "mem=1G mem=2G");
	CHECK(t, b.c.mem_limit == G1 && b.arg[1].problem == PZL_ARG_OVERRIDDEN);
	cl_parse(&b, PZL_ARCH_ARM64, "mem=1G mem=2G");
	CHECK(t, b.c.mem_limit == 2 * G1);
	cl_parse(&b, PZL_ARCH_ARM, "mem=64M mem=128M@0x90000000");
	CHECK(t, b.c.op_count == 2 && b.op[0].kind == PZL_OP_RANGE && b.op[0].from == 1 &&
			 b.op[1].from == 0 && b.op[1].base == 0x90000000ull &&
			 b.op[1].size == 128 * M1);
	cl_parse(&b, PZL_ARCH_ARM, "mem");
	CHECK(t, b.c.panics && b.arg[0].problem == PZL_ARG_PANIC);
}

static void cl_memmap(struct tap *t)
{
	struct cl_box b;

	cl_parse(&b, PZL_ARCH_X86_64,
		 "memmap=exactmap,640K@0,1G@1M,64K#0xf0000,1M$0x10000000,2G!4G");
	CHECK(t, b.c.op_count == 6 && b.op[0].kind == PZL_OP_EXACTMAP);
	CHECK(t,
	      b.op[1].kind == PZL_OP_ADD && b.op[1].to == PZ_MAP_RAM && b.op[1].size == 640 * 1024);
	CHECK(t, b.op[3].to == PZ_MAP_ACPI && b.op[3].base == 0xf0000);
	CHECK(t, b.op[4].to == PZ_MAP_RESERVED && b.op[5].to == PZ_MAP_PRAM);
	CHECK(t, b.arg[0].problem == PZL_ARG_OK);
	cl_parse(&b, PZL_ARCH_X86_64,
		 "memmap=1M%2M-1+2 memmap=1M%2M+12 memmap=1M%2M-7 memmap=1M%2M memmap=1M%2M-1+2x");
	CHECK(t, b.c.op_count == 4);
	CHECK(t, b.op[0].kind == PZL_OP_UPDATE && b.op[0].from == 1 && b.op[0].to == 2);
	CHECK(t, b.op[1].kind == PZL_OP_ADD && b.op[1].to == 12);
	CHECK(t, b.op[2].kind == PZL_OP_REMOVE && b.op[2].from == 7);
	CHECK(t, b.op[3].kind == PZL_OP_REMOVE && b.op[3].from == 0);
	CHECK(t, b.arg[4].problem == PZL_ARG_REFUSED);
	cl_parse(&b, PZL_ARCH_X86_64, "memmap=2G memmap=0 memmap=foo memmap=1G@ memmap=1G@2Gx");
	CHECK(t, b.c.op_count == 4 && b.op[0].kind == PZL_OP_CEILING && b.op[0].base == 2 * G1);
	CHECK(t, b.arg[1].problem == PZL_ARG_REMOVES_ALL && b.arg[2].problem == PZL_ARG_REFUSED &&
			 b.arg[3].problem == PZL_ARG_NO_START &&
			 b.arg[4].problem == PZL_ARG_TRAILING);
	cl_parse(&b, PZL_ARCH_X86_64, "memmap=1M%2M-2+2");
	CHECK(t, b.c.panics && b.arg[0].problem == PZL_ARG_PANIC && b.c.op_count == 0);
	cl_parse(&b, PZL_ARCH_X86_64, "memmap=1M@1M,bad,1M@4M");
	CHECK(t, b.c.op_count == 2 && b.arg[0].problem == PZL_ARG_PARTIAL);
	cl_parse(&b, PZL_ARCH_X86_64, "memmap=exactmapfoo");
	CHECK(t, b.c.op_count == 1 && b.op[0].kind == PZL_OP_EXACTMAP);
	cl_parse(&b, PZL_ARCH_ARM64, "memmap=1G");
	CHECK(t, b.c.op_count == 0 && b.arg[0].problem == PZL_ARG_NOT_HERE);
	cl_parse(&b, PZL_ARCH_MIPS, "memmap=64M@0 memmap=1M$0x1000 memmap=1M#0");
	CHECK(t, b.c.op_count == 2 && b.op[1].to == PZ_MAP_RESERVED &&
			 b.arg[2].problem == PZL_ARG_REFUSED);
}

static void cl_zones(struct tap *t)
{
	struct cl_box b;

	cl_parse(&b, PZL_ARCH_X86_64, "kernelcore=1G movablecore=25%");
	CHECK(t, b.c.kernelcore.kind == PZ_CORE_PAGES && b.c.kernelcore.value == 0x40000 &&
			 b.c.movablecore.kind == PZ_CORE_PERCENT && b.c.movablecore.value == 25);
	cl_parse(&b, PZL_ARCH_X86_64, "kernelcore=50% kernelcore=1G");
	CHECK(t, b.c.kernelcore.kind == PZ_CORE_PAGES); /* a size resets the percentage */
	cl_parse(&b, PZL_ARCH_X86_64, "kernelcore=1G kernelcore=50%");
	CHECK(t, b.c.kernelcore.kind == PZ_CORE_PERCENT && b.c.kernelcore.value == 50);
	cl_parse(&b, PZL_ARCH_X86_64, "kernelcore=mirror movablecore=1G");
	CHECK(t, b.c.kernelcore.kind == PZ_CORE_MIRROR && b.arg[1].problem == PZL_ARG_OVERRIDDEN);
	cl_parse(&b, PZL_ARCH_X86_64, "kernelcore=120% kernelcore movablecore");
	CHECK(t, b.arg[0].problem == PZL_ARG_OVER_100 && b.arg[1].problem == PZL_ARG_PANIC &&
			 b.arg[2].problem == PZL_ARG_NO_VALUE && b.c.panics);
	cl_parse(&b, PZL_ARCH_X86_64, "kernelcore=abc cma=");
	CHECK(t, b.arg[0].problem == PZL_ARG_NO_NUMBER && b.arg[1].problem == PZL_ARG_NO_NUMBER &&
			 b.c.kernelcore.kind == PZ_CORE_NONE && b.c.cma_set);
	cl_parse(&b, PZL_ARCH_I386, "numa=off"); /* no NUMA there */
	CHECK(t, !b.c.numa_off && b.arg[0].problem == PZL_ARG_NOT_HERE);
	cl_parse(&b, PZL_ARCH_X86_64, "numa=off");
	CHECK(t, b.c.numa_off);
	cl_parse(&b, PZL_ARCH_X86_64, "numa=fake=2U");
	CHECK(t, !b.c.numa_off && cl_is(b.c.numa_fake, b.c.numa_fake_len, "2U"));
	cl_parse(&b, PZL_ARCH_ARM64, "numa=fake=2 numa=offline");
	CHECK(t, b.arg[0].problem == PZL_ARG_NOT_HERE && b.c.numa_off && !b.c.numa_fake);
	cl_parse(&b, PZL_ARCH_ARM64, "cma=64M@2G-4G cma_pernuma=16M");
	CHECK(t, b.c.cma_size == 64 * M1 && b.c.cma_base == 2 * G1 && b.c.cma_limit == 4 * G1 &&
			 !b.c.cma_fixed && b.c.cma_pernuma == 16 * M1);
	cl_parse(&b, PZL_ARCH_ARM64, "cma=64M@2G");
	CHECK(t, b.c.cma_fixed && b.c.cma_limit == 2 * G1 + 64 * M1);
	cl_parse(&b, PZL_ARCH_ARM64, "cma=0");
	CHECK(t, b.c.cma_set && b.c.cma_size == 0);
	cl_parse(&b, PZL_ARCH_I386, "highmem=512M vmalloc=256M");
	CHECK(t, b.c.highmem_set && b.c.highmem == 512 * M1 && b.c.vmalloc == 256 * M1);
	cl_parse(&b, PZL_ARCH_X86_64, "highmem=512M vmalloc=256M");
	CHECK(t, !b.c.highmem_set && !b.c.vmalloc_set && b.arg[0].problem == PZL_ARG_NOT_HERE);
	cl_parse(&b, PZL_ARCH_ARM, "vmalloc=1M");
	CHECK(t, b.c.vmalloc == 16 * M1 && b.arg[0].problem == PZL_ARG_CLAMPED);
	cl_parse(&b, PZL_ARCH_X86_64, "elfcorehdr=2014580K");
	CHECK(t, b.c.elfcorehdr && b.c.elfcorehdr_addr == 2014580ull * 1024 &&
			 b.c.elfcorehdr_size == 0);
	cl_parse(&b, PZL_ARCH_X86_64, "elfcorehdr=12K@0x6f000000");
	CHECK(t, b.c.elfcorehdr_addr == 0x6f000000 && b.c.elfcorehdr_size == 12288);
	cl_parse(&b, PZL_ARCH_X86_64, "elfcorehdr=x");
	CHECK(t,
	      b.arg[0].problem == PZL_ARG_REFUSED && b.c.elfcorehdr); /* address 0 is "present" */
}

static void cl_numa_cma(struct tap *t)
{
	struct cl_box b;
	uint64_t v = 0;
	const char *s = "numa_cma=0:64M,2:1G";

	pzl_cmdline_init(&b.c, b.arg, 16, b.op, 16);
	CHECK(t, pzl_cmdline_parse(&b.c, PZL_LINUX_6_12, PZL_ARCH_ARM64, 12, s, cl_len(s)) == 0);
	CHECK(t, pzl_cmdline_numa_cma(&b.c, 2, &v) == 0 && v == G1);
	CHECK(t, pzl_cmdline_numa_cma(&b.c, 0, &v) == 0 && v == 64 * M1);
	CHECK(t, pzl_cmdline_numa_cma(&b.c, 1, &v) == -PZ_ENOENT);
	cl_parse(&b, PZL_ARCH_ARM64, s);
	CHECK(t, b.arg[0].problem == PZL_ARG_NOT_HERE);
}

/* One parse of crashkernel=. */
static struct pzl_crash_request cl_crash(enum pzl_model m, enum pzl_arch a, const char *s,
					 uint64_t total)
{
	struct pzl_crash_request r;

	(void)pzl_crash_parse(m, a, s, cl_len(s), total, &r);
	return r;
}

static void cl_crashkernel(struct tap *t)
{
	static const struct {
		const char *s;
		uint64_t total;
		enum pzl_crash_parse parse;
		uint64_t size, base;
	} rows[] = {
		{ "ro quiet", 4 * G1, PZL_CRASH_NONE, 0, 0 },
		{ "crashkernel=256M", 4 * G1, PZL_CRASH_FOUND, 256 * M1, 0 },
		{ "crashkernel=128M@512M ro", 4 * G1, PZL_CRASH_FOUND, 128 * M1, 512 * M1 },
		{ "crashkernel=64M crashkernel=128M", 4 * G1, PZL_CRASH_FOUND, 128 * M1, 0 },
		{ "crashkernel=64M,high crashkernel=128M", 4 * G1, PZL_CRASH_FOUND, 128 * M1, 0 },
		{ "xcrashkernel=64M", 4 * G1, PZL_CRASH_FOUND, 64 * M1, 0 },
		{ "-- crashkernel=64M", 4 * G1, PZL_CRASH_FOUND, 64 * M1, 0 },
		{ "crashkernel=", 4 * G1, PZL_CRASH_BAD_VALUE, 0, 0 },
		{ "crashkernel=foo", 4 * G1, PZL_CRASH_BAD_VALUE, 0, 0 },
		{ "crashkernel=0", 4 * G1, PZL_CRASH_ZERO, 0, 0 },
		{ "crashkernel=64M,foo", 4 * G1, PZL_CRASH_BAD_CHAR, 0, 0 },
		{ "crashkernel=1G-2G:64M,2G-:128M", 4 * G1, PZL_CRASH_FOUND, 128 * M1, 0 },
		{ "crashkernel=1G-2G:64M,2G-:128M@1G", 2 * G1, PZL_CRASH_FOUND, 128 * M1, G1 },
		/* rounded up to 128M: 2047M counts as 2G */
		{ "crashkernel=1G-2G:64M,2G-:128M", 2047 * M1, PZL_CRASH_FOUND, 128 * M1, 0 },
		{ "crashkernel=1G-2G:64M", 4 * G1, PZL_CRASH_ZERO, 0, 0 },
		{ "crashkernel=1G-2G:64M,bad", G1, PZL_CRASH_FOUND, 64 * M1,
		  0 }, /* not read that far */
		{ "crashkernel=2G-1G:64M", G1, PZL_CRASH_BAD_END, 0, 0 },
		{ "crashkernel=1G:64M", G1, PZL_CRASH_BAD_DASH, 0, 0 },
		{ "crashkernel=1G-2G64M:", G1, PZL_CRASH_BAD_COLON, 0, 0 },
		{ "crashkernel=0-:2G", G1, PZL_CRASH_BAD_SIZE, 0, 0 },
		{ "crashkernel=0-:64M@x", G1, PZL_CRASH_BAD_BASE, 0, 0 },
		{ "crashkernel=64M,high", 4 * G1, PZL_CRASH_FOUND, 64 * M1, 0 },
	};
	struct pzl_crash_request r;
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = cl_crash(PZL_LINUX_6_1, PZL_ARCH_X86_64, rows[i].s, rows[i].total);
		CHECK_NAMED(t,
			    r.parse == rows[i].parse &&
				    (r.parse != PZL_CRASH_FOUND ||
				     (r.size == rows[i].size && r.base == rows[i].base)),
			    rows[i].s);
	}
	r = cl_crash(PZL_LINUX_6_1, PZL_ARCH_X86_64, "crashkernel=512M,high crashkernel=0,low",
		     8 * G1);
	CHECK(t, r.high && r.low_given && r.low_size == 0 && r.size == 512 * M1);
	r = cl_crash(PZL_LINUX_6_1, PZL_ARCH_X86_64, "crashkernel=bad crashkernel=64M,high",
		     8 * G1);
	CHECK(t, r.parse == PZL_CRASH_FOUND && r.high); /* x86 6.1 takes ,high after a bad word */
	r = cl_crash(PZL_LINUX_6_12, PZL_ARCH_X86_64, "crashkernel=bad crashkernel=64M,high",
		     8 * G1);
	CHECK(t, r.parse == PZL_CRASH_BAD_VALUE);
	r = cl_crash(PZL_LINUX_6_1, PZL_ARCH_ARM64, "crashkernel=bad crashkernel=64M,high", 8 * G1);
	CHECK(t, r.parse == PZL_CRASH_BAD_VALUE);
	r = cl_crash(PZL_LINUX_6_1, PZL_ARCH_ARM64, "crashkernel=64M,high crashkernel=x,low",
		     8 * G1);
	CHECK(t, r.parse == PZL_CRASH_BAD_LOW);
	r = cl_crash(PZL_LINUX_5_15, PZL_ARCH_ARM64, "crashkernel=64M,high", 8 * G1);
	CHECK(t, r.parse == PZL_CRASH_NO_HIGH);
	r = cl_crash(PZL_LINUX_6_12, PZL_ARCH_ARM64, "crashkernel=2G", G1);
	CHECK(t, r.parse == PZL_CRASH_BAD_SIZE);
	r = cl_crash(PZL_LINUX_6_1, PZL_ARCH_ARM64, "crashkernel=2G", G1);
	CHECK(t, r.parse == PZL_CRASH_FOUND);
}

void contract_linux_cmdline(struct tap *t)
{
	unsigned int i;

	cl_numbers(t);
	cl_words(t);
	cl_mem(t);
	cl_memmap(t);
	cl_zones(t);
	cl_numa_cma(t);
	cl_crashkernel(t);
	for (i = 0; i < PZL_ARG_PROBLEMS; i++)
		CHECK(t, pzl_arg_problem_text((enum pzl_arg_problem)i)[0] != '?');
	for (i = 0; i < PZL_ARG_KINDS; i++)
		CHECK(t, pzl_arg_kind_name((enum pzl_arg_kind)i)[0] != '?');
}
