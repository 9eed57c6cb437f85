/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_arch.c - zone limits of every architecture: docs/facts/zones.md section 2.
 */
#include <physzone/linux/arch.h>

#include "suites_decl.h"
#include "tap.h"

#define M16 0x1000000ull
#define G1 0x40000000ull
#define G2 0x80000000ull
#define G4 0x100000000ull
#define BIT(t) PZL_ZONE_BIT(PZ_ZONE_##t)

/* Inputs of a machine with memory in [first, first + bytes). */
static struct pzl_arch_input arch_machine(enum pzl_model m, enum pzl_arch a, uint64_t first,
					  uint64_t bytes)
{
	struct pzl_arch_input in;

	pzl_arch_input_init(&in, m, a);
	in.dram_first = first;
	in.dram_last = first + bytes - 1;
	in.phys_offset = first;
	in.max_pfn = (first + bytes) >> in.page_shift;
	in.max_low_pfn = in.max_pfn;
	in.high_end_pfn = in.max_pfn;
	return in;
}

/* A limit of one zone, as an address; UINT64_MAX - 1 when the call fails. */
static uint64_t arch_end(enum pzl_model m, enum pzl_arch a, const struct pzl_arch_input *in,
			 enum pz_zone_type t)
{
	struct pzl_zone_limits l;

	if (pzl_zone_limits(m, a, in, &l) != 0 || !l.what)
		return UINT64_MAX - 1;
	return l.max_pfn[t] << in->page_shift;
}

static void arch_x86(struct tap *t)
{
	unsigned int m;

	for (m = 0; m < PZL_MODELS; m++) {
		struct pzl_arch_input in =
			arch_machine((enum pzl_model)m, PZL_ARCH_X86_64, 0x1000, 8 * G1 - 0x1000);

		CHECK(t, arch_end((enum pzl_model)m, PZL_ARCH_X86_64, &in, PZ_ZONE_DMA) == M16);
		CHECK(t, arch_end((enum pzl_model)m, PZL_ARCH_X86_64, &in, PZ_ZONE_DMA32) == G4);
		CHECK(t,
		      arch_end((enum pzl_model)m, PZL_ARCH_X86_64, &in, PZ_ZONE_NORMAL) == 8 * G1);
		in.max_low_pfn = in.max_pfn = 0x7fe0; /* 128M: clamped by hand */
		CHECK(t, arch_end((enum pzl_model)m, PZL_ARCH_X86_64, &in, PZ_ZONE_DMA32) ==
				 0x7fe0000ull);
		in.max_low_pfn = in.max_pfn = 0x800;
		CHECK(t, arch_end((enum pzl_model)m, PZL_ARCH_X86_64, &in, PZ_ZONE_DMA) ==
				 0x800000ull);
	}
	{
		struct pzl_arch_input in =
			arch_machine(PZL_LINUX_6_1, PZL_ARCH_I386, 0x1000, G2 - 0x21000);

		in.max_low_pfn = 0x36bfe;
		CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_I386, &in, PZ_ZONE_DMA) == M16);
		CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_I386, &in, PZ_ZONE_DMA32) == 0);
		CHECK(t,
		      arch_end(PZL_LINUX_6_1, PZL_ARCH_I386, &in, PZ_ZONE_NORMAL) == 0x36bfe000ull);
		CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_I386, &in, PZ_ZONE_HIGHMEM) ==
				 0x7ffe0000ull);
		in.configured &= ~BIT(DMA); /* a kernel built without ZONE_DMA */
		CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_I386, &in, PZ_ZONE_DMA) == 0);
	}
}

static void arch_arm64(struct tap *t)
{
	const enum pzl_arch a = PZL_ARCH_ARM64;
	const enum pzl_model old[2] = { PZL_LINUX_5_15, PZL_LINUX_6_1 };
	const enum pzl_model new = PZL_LINUX_6_12;
	struct pzl_arch_input in;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		enum pzl_model m = old[i];

		in = arch_machine(m, a, G1, 8 * G1);
		CHECK(t,
		      arch_end(m, a, &in, PZ_ZONE_DMA) == G4); /* no constraint: DMA32 is empty */
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA32) == G4);
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_NORMAL) == 9 * G1);
		in.dt_dma_limit = 0x3bffffff; /* a Raspberry Pi 4, memory from 0 */
		in.dram_first = 0;
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA) == G1); /* rounded up to 30 bits */
		in.dram_first = G1; /* memory starts above the limit: 4 GiB instead */
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA) == G4);
		in.dt_dma_limit = 0x7fffffff;
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA) == G2);
		in.dt_dma_limit = 0xfffffffffull; /* 36 bits: never above 32 */
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA) == G4);
		in.iort_dma_limit = 0x7fffffff; /* the lower of the two */
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA) == G2);
		in = arch_machine(m, a, 8 * G1, 8 * G1);
		in.dt_dma_limit = 0x3fffffff;
		CHECK(t,
		      arch_end(m, a, &in, PZ_ZONE_DMA) == 16 * G1); /* all above 4 GiB: all of it */
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA32) == 16 * G1);
		in = arch_machine(m, a, G1, G1);
		CHECK(t, arch_end(m, a, &in, PZ_ZONE_DMA) == G2); /* cut at the end of memory */
	}
	in = arch_machine(new, a, 0, 8 * G1);
	in.dt_dma_limit = 0x3bffffff;
	CHECK(t, arch_end(new, a, &in, PZ_ZONE_DMA) == 0x3c000000ull); /* to the byte */
	CHECK(t, arch_end(new, a, &in, PZ_ZONE_DMA32) == G4);
	in.dt_dma_limit = PZ_ADDR_MAX;
	CHECK(t, arch_end(new, a, &in, PZ_ZONE_DMA) == G4);
	in = arch_machine(new, a, 8 * G1, 8 * G1);
	in.dt_dma_limit = 0x2ffffffffull; /* 12 GiB */
	CHECK(t,
	      arch_end(new, a, &in, PZ_ZONE_DMA) == 12 * G1); /* the firmware's limit is honoured */
	CHECK(t, arch_end(new, a, &in, PZ_ZONE_DMA32) == G4); /* below DMA: empty */
	in.page_shift = 16;
	in.dt_dma_limit = 0x3bffffff;
	in.dram_first = 0;
	CHECK(t, arch_end(new, a, &in, PZ_ZONE_DMA) == 0x3c000000ull);
}

static void arch_arm(struct tap *t)
{
	struct pzl_arch_input in = arch_machine(PZL_LINUX_6_1, PZL_ARCH_ARM, G1, G2);

	in.max_low_pfn = 0x70000;
	CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_ARM, &in, PZ_ZONE_DMA) == 0x70000000ull);
	CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_ARM, &in, PZ_ZONE_NORMAL) == 0x70000000ull);
	CHECK(t, arch_end(PZL_LINUX_6_1, PZL_ARCH_ARM, &in, PZ_ZONE_HIGHMEM) == 0xc0000000ull);
	in.board_dma_size = 0x10000000; /* 256M: the last page below the limit is not in the zone */
	CHECK(t,
	      arch_end(PZL_LINUX_6_1, PZL_ARCH_ARM, &in, PZ_ZONE_DMA) == G1 + 0x10000000 - 0x1000);
	in.board_dma_size = 0x100000;
	in.phys_offset = 0xc0000000ull;
	in.max_low_pfn = 0xf0000;
	CHECK(t, arch_end(PZL_LINUX_6_12, PZL_ARCH_ARM, &in, PZ_ZONE_DMA) == 0xc00ff000ull);
	in.board_dma_size = 0;
	in.max_low_pfn = UINT64_MAX >> 12;
	CHECK(t, arch_end(PZL_LINUX_6_12, PZL_ARCH_ARM, &in, PZ_ZONE_DMA) == 0xfffff000ull);
}

static void arch_mips(struct tap *t)
{
	const enum pzl_model m = PZL_LINUX_6_1;
	struct pzl_arch_input in = arch_machine(m, PZL_ARCH_MIPS64, 0, 0xa0000000ull);
	struct pzl_zone_limits l;

	CHECK(t, arch_end(m, PZL_ARCH_MIPS64, &in, PZ_ZONE_DMA) == M16);
	CHECK(t,
	      arch_end(m, PZL_ARCH_MIPS64, &in, PZ_ZONE_DMA32) == G4); /* not clamped to memory */
	CHECK(t, arch_end(m, PZL_ARCH_MIPS64, &in, PZ_ZONE_NORMAL) == 0xa0000000ull);
	in.variant = PZL_VAR_MIPS_IP22;
	CHECK(t, arch_end(m, PZL_ARCH_MIPS64, &in, PZ_ZONE_DMA) == 0);
	in.variant = PZL_VAR_MIPS_IP27;
	CHECK(t, pzl_zone_limits(m, PZL_ARCH_MIPS64, &in, &l) == 0 &&
			 !(l.configured & (BIT(DMA) | BIT(DMA32))) &&
			 l.max_pfn[PZ_ZONE_NORMAL] == 0xa0000);
	in.variant = PZL_VAR_MIPS_LOONGSON64;
	CHECK(t, pzl_zone_limits(m, PZL_ARCH_MIPS64, &in, &l) == 0 && !(l.configured & BIT(DMA)) &&
			 l.max_pfn[PZ_ZONE_DMA32] == 0x100000);
	in = arch_machine(m, PZL_ARCH_MIPS, 0, 0x40000000ull);
	in.configured |= BIT(HIGHMEM);
	in.max_low_pfn = 0x10000;
	CHECK(t, arch_end(m, PZL_ARCH_MIPS, &in, PZ_ZONE_DMA) == M16);
	CHECK(t, arch_end(m, PZL_ARCH_MIPS, &in, PZ_ZONE_DMA32) == 0);
	CHECK(t, arch_end(m, PZL_ARCH_MIPS, &in, PZ_ZONE_HIGHMEM) == 0x40000000ull);
	in.dcache_aliases = true;
	CHECK(t, arch_end(m, PZL_ARCH_MIPS, &in, PZ_ZONE_HIGHMEM) == 0x10000000ull);
}

static void arch_others(struct tap *t)
{
	const enum pzl_model m = PZL_LINUX_6_1;
	struct pzl_arch_input in;

	in = arch_machine(m, PZL_ARCH_ALPHA, 0, G1);
	CHECK(t, in.page_shift == 13);
	CHECK(t, arch_end(m, PZL_ARCH_ALPHA, &in, PZ_ZONE_DMA) == M16);
	CHECK(t, arch_end(m, PZL_ARCH_ALPHA, &in, PZ_ZONE_NORMAL) == G1);
	in.pci_iommu = true; /* all memory is DMA, the opposite of an empty zone */
	CHECK(t, arch_end(m, PZL_ARCH_ALPHA, &in, PZ_ZONE_DMA) >= G1);

	in = arch_machine(m, PZL_ARCH_IA64, 0, 8 * G1);
	CHECK(t, arch_end(m, PZL_ARCH_IA64, &in, PZ_ZONE_DMA) == 0);
	CHECK(t, arch_end(m, PZL_ARCH_IA64, &in, PZ_ZONE_DMA32) == G4);
	CHECK(t, arch_end(PZL_LINUX_6_12, PZL_ARCH_IA64, &in, PZ_ZONE_DMA32) == UINT64_MAX - 1);

	in = arch_machine(m, PZL_ARCH_LOONGARCH, 0, G1);
	CHECK(t, arch_end(m, PZL_ARCH_LOONGARCH, &in, PZ_ZONE_DMA32) == G4); /* unclamped */
	CHECK(t, arch_end(m, PZL_ARCH_LOONGARCH, &in, PZ_ZONE_NORMAL) == G1);
	CHECK(t,
	      arch_end(PZL_LINUX_5_15, PZL_ARCH_LOONGARCH, &in, PZ_ZONE_DMA32) == UINT64_MAX - 1);

	in = arch_machine(m, PZL_ARCH_M68K, 0, 0x4000000);
	{
		struct pzl_zone_limits l;

		CHECK(t,
		      pzl_zone_limits(m, PZL_ARCH_M68K, &in, &l) == 0 &&
			      l.max_pfn[PZ_ZONE_DMA] == 0x4000000 && /* bytes, as the code has it */
			      l.max_pfn[PZ_ZONE_NORMAL] == 0);
	}
	in.variant = PZL_VAR_M68K_COLDFIRE;
	CHECK(t, arch_end(m, PZL_ARCH_M68K, &in, PZ_ZONE_DMA) == 0x4000000);
	in.variant = PZL_VAR_M68K_NOMMU;
	CHECK(t, arch_end(m, PZL_ARCH_M68K, &in, PZ_ZONE_DMA) == 0x4000000);
	in.variant = PZL_VAR_M68K_SUN3;
	CHECK(t, arch_end(m, PZL_ARCH_M68K, &in, PZ_ZONE_DMA) == 0x4000000);

	in = arch_machine(m, PZL_ARCH_MICROBLAZE, 0x80000000ull, G1);
	in.max_low_pfn = 0xb0000;
	CHECK(t, arch_end(m, PZL_ARCH_MICROBLAZE, &in, PZ_ZONE_DMA) == 0xb0000000ull);
	CHECK(t, arch_end(m, PZL_ARCH_MICROBLAZE, &in, PZ_ZONE_NORMAL) == 0);
	CHECK(t, arch_end(m, PZL_ARCH_MICROBLAZE, &in, PZ_ZONE_HIGHMEM) == 0xc0000000ull);
	in.configured &= ~BIT(HIGHMEM);
	CHECK(t, arch_end(m, PZL_ARCH_MICROBLAZE, &in, PZ_ZONE_DMA) == 0xc0000000ull);

	in = arch_machine(m, PZL_ARCH_POWERPC, 0, 2 * G1);
	in.max_low_pfn = 0x30000;
	CHECK(t, arch_end(m, PZL_ARCH_POWERPC, &in, PZ_ZONE_DMA) == 0x30000000ull);
	in.max_low_pfn = 0x60000;
	CHECK(t, arch_end(m, PZL_ARCH_POWERPC, &in, PZ_ZONE_DMA) == G1); /* not 2G on 32 bits */
	in = arch_machine(m, PZL_ARCH_POWERPC64, 0, 8 * G1);
	CHECK(t, arch_end(m, PZL_ARCH_POWERPC64, &in, PZ_ZONE_DMA) == 0); /* servers have none */
	in.configured |= BIT(DMA);
	CHECK(t, arch_end(m, PZL_ARCH_POWERPC64, &in, PZ_ZONE_DMA) == G2);

	in = arch_machine(m, PZL_ARCH_RISCV64, 0x80000000ull, 4 * G1);
	CHECK(t, arch_end(m, PZL_ARCH_RISCV64, &in, PZ_ZONE_DMA) == 0);
	CHECK(t, arch_end(m, PZL_ARCH_RISCV64, &in, PZ_ZONE_DMA32) == G4);
	in.max_low_pfn = 0x90000;
	CHECK(t, arch_end(m, PZL_ARCH_RISCV64, &in, PZ_ZONE_DMA32) == 0x90000000ull);
	in = arch_machine(m, PZL_ARCH_RISCV32, 0x80000000ull, G1);
	CHECK(t, arch_end(m, PZL_ARCH_RISCV32, &in, PZ_ZONE_DMA32) == 0);
	CHECK(t, arch_end(m, PZL_ARCH_RISCV32, &in, PZ_ZONE_NORMAL) == 0xc0000000ull);

	in = arch_machine(m, PZL_ARCH_S390, 0, G1);
	CHECK(t, arch_end(m, PZL_ARCH_S390, &in, PZ_ZONE_DMA) == G2); /* unclamped */
	CHECK(t, arch_end(m, PZL_ARCH_S390, &in, PZ_ZONE_NORMAL) == G1);

	in = arch_machine(m, PZL_ARCH_SPARC32, 0, G1);
	in.max_low_pfn = 0xc000;
	CHECK(t, arch_end(m, PZL_ARCH_SPARC32, &in, PZ_ZONE_DMA) == 0xc000000ull);
	CHECK(t, arch_end(m, PZL_ARCH_SPARC32, &in, PZ_ZONE_NORMAL) == 0xc000000ull);
	CHECK(t, arch_end(m, PZL_ARCH_SPARC32, &in, PZ_ZONE_HIGHMEM) == G1);
	in = arch_machine(m, PZL_ARCH_SPARC64, 0, 8 * G1);
	CHECK(t, in.page_shift == 13);
	CHECK(t, arch_end(m, PZL_ARCH_SPARC64, &in, PZ_ZONE_DMA) == 0);
	CHECK(t, arch_end(m, PZL_ARCH_SPARC64, &in, PZ_ZONE_NORMAL) == 8 * G1);
}

static void arch_names(struct tap *t)
{
	static const struct {
		const char *name;
		enum pzl_arch arch;
	} names[] = {
		{ "amd64", PZL_ARCH_X86_64 },	   { "x86-64", PZL_ARCH_X86_64 },
		{ "aarch64", PZL_ARCH_ARM64 },	   { "armhf", PZL_ARCH_ARM },
		{ "ppc64el", PZL_ARCH_POWERPC64 }, { "mipsel", PZL_ARCH_MIPS },
		{ "mips64el", PZL_ARCH_MIPS64 },   { "s390x", PZL_ARCH_S390 },
		{ "i686", PZL_ARCH_I386 },	   { "riscv64", PZL_ARCH_RISCV64 },
	};
	enum pzl_arch a, b;
	unsigned int i, k;
	bool round = true, unique = true;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK_NAMED(t, pzl_arch_by_name(names[i].name, &a) == 0 && a == names[i].arch,
			    names[i].name);
	for (i = 0; i < PZL_ARCHS; i++) {
		const struct pzl_arch_info *info = pzl_arch_info((enum pzl_arch)i);

		round = round && pzl_arch_by_name(info->name, &a) == 0 && a == (enum pzl_arch)i;
		for (k = 0; info->aliases[k]; k++)
			unique = unique && pzl_arch_by_name(info->aliases[k], &b) == 0 &&
				 b == (enum pzl_arch)i;
		round = round && info->limits && info->source &&
			(info->bits == 32 || info->bits == 64);
	}
	CHECK(t, round);
	CHECK(t, unique);
	CHECK(t, pzl_arch_by_name("vax", &a) == -PZ_ENOENT);
	CHECK(t, pzl_arch_info(PZL_ARCHS) == NULL);
	CHECK(t, pzl_max_order(PZL_ARCH_ARM64, 16) == 13 &&
			 pzl_max_order(PZL_ARCH_ARM64, 14) == 11 &&
			 pzl_max_order(PZL_ARCH_X86_64, 12) == 10);
	CHECK(t, pzl_pageblock_order(PZL_ARCH_ARM64, 12, false) == 9 &&
			 pzl_pageblock_order(PZL_ARCH_ARM64, 14, false) == 11 &&
			 pzl_pageblock_order(PZL_ARCH_ARM64, 16, false) == 13 &&
			 pzl_pageblock_order(PZL_ARCH_S390, 12, false) == 8 &&
			 pzl_pageblock_order(PZL_ARCH_I386, 12, false) == 10 &&
			 pzl_pageblock_order(PZL_ARCH_POWERPC64, 16, false) == 5 &&
			 pzl_pageblock_order(PZL_ARCH_ARM, 12, false) == 11);
}

static void arch_models(struct tap *t)
{
	static const struct {
		const char *release;
		enum pzl_model model;
		enum pzl_fit fit;
	} rows[] = {
		{ "6.1.0-50-amd64", PZL_LINUX_6_1, PZL_FIT_EXACT },
		{ "6.12.95+deb12-arm64-16k", PZL_LINUX_6_12, PZL_FIT_EXACT },
		{ "5.10.0-32-arm64", PZL_LINUX_5_15, PZL_FIT_OLDER },
		{ "5.15.178", PZL_LINUX_5_15, PZL_FIT_EXACT },
		{ "5.19.0-rc1", PZL_LINUX_5_15, PZL_FIT_BETWEEN },
		{ "6.6.30", PZL_LINUX_6_1, PZL_FIT_BETWEEN },
		{ "7.0", PZL_LINUX_6_12, PZL_FIT_NEWER },
		{ "2.6.32-5-686", PZL_LINUX_5_15, PZL_FIT_OLDER },
	};
	enum pzl_model m;
	enum pzl_fit f;
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NAMED(t,
			    pzl_model_for_release(rows[i].release, &m, &f) == 0 &&
				    m == rows[i].model && f == rows[i].fit,
			    rows[i].release);
	CHECK(t, pzl_model_for_release("", &m, &f) == -PZ_EINVAL);
	CHECK(t, pzl_model_for_release("6", &m, &f) == -PZ_EINVAL);
	CHECK(t, pzl_model_for_release("6.x", &m, &f) == -PZ_EINVAL);
	CHECK(t, pzl_model_for_release("linux", &m, NULL) == -PZ_EINVAL);
	CHECK(t, pzl_model_by_name("linux-6.1", &m) == 0 && m == PZL_LINUX_6_1);
	CHECK(t, pzl_model_by_name("5.15", &m) == 0 && m == PZL_LINUX_5_15);
	CHECK(t, pzl_model_by_name("linux-6", &m) == -PZ_ENOENT);
}

void contract_linux_arch(struct tap *t)
{
	struct pzl_arch_input in = arch_machine(PZL_LINUX_6_1, PZL_ARCH_X86_64, 0, G1);
	struct pzl_zone_limits l;

	arch_x86(t);
	arch_arm64(t);
	arch_arm(t);
	arch_mips(t);
	arch_others(t);
	arch_names(t);
	arch_models(t);
	in.page_shift = 11;
	CHECK(t, pzl_zone_limits(PZL_LINUX_6_1, PZL_ARCH_X86_64, &in, &l) == -PZ_EINVAL);
	in.page_shift = 12;
	CHECK(t, pzl_zone_limits(PZL_MODELS, PZL_ARCH_X86_64, &in, &l) == -PZ_EINVAL);
	CHECK(t, pzl_zone_limits(PZL_LINUX_6_1, PZL_ARCHS, &in, &l) == -PZ_EINVAL);
}
