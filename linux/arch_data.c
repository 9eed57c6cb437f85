/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch_data.c - the constants of each architecture: names, page sizes, orders, usual zones, and
 * the row of thread 004's table next to what the code has.
 *
 * Concept: everything that is a number or a word and not a computation. "Usual" means Debian's
 * kernel for the architecture, or the kernel's own default where Debian has none.
 *
 * Invariants: 1. the rows are in the order of enum pzl_arch; 2. no name or alias stands twice.
 *
 * Failure: look-ups return NULL or -PZ_ENOENT.
 *
 * Shortcomings: struct_page of architectures without a recorded machine is computed, not measured.
 */
#include <physzone/linux/arch.h>

#include "pzl_text.h"

#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct pzl_arch_info arch_table[PZL_ARCHS] = {
	[PZL_ARCH_ALPHA] = {
		"alpha", ALIASES("alpha-generic"), 64, 13, 64, 48, PZL_MEM_CEILING,
		PZL_IN_PCI_IOMMU, "0~16M or empty if IOMMU enabled",
		"DMA 16M; all memory with a PCI IOMMU", "arch/alpha/mm/init.c",
		"with an IOMMU it is Normal that is empty: all memory is DMA",
	},
	[PZL_ARCH_ARM] = {
		"arm", ALIASES("armhf", "armel", "armv7l", "armv6l", "armv5tel"), 32, 12, 36, 32,
		PZL_MEM_RANGES,
		PZL_IN_BOARD_DMA | PZL_IN_PHYS_OFFSET | PZL_IN_LOWMEM | PZL_IN_CONFIG,
		"0~X (X is reported by fdt, 4G by default)",
		"DMA start + dma_zone_size - 1 page, or low memory; HighMem the rest",
		"arch/arm/mm/init.c",
		"X is the board's dma_zone_size, counted from the start of memory, not from the "
		"device "
		"tree; the zone ends one page early; it is cut at the end of low memory",
	},
	[PZL_ARCH_ARM64] = {
		"arm64", ALIASES("aarch64"), 64, 12, 64, 48, PZL_MEM_AMOUNT,
		PZL_IN_DT_DMA | PZL_IN_IORT,
		"DMA 0~X, DMA32 X~4G (X is got from ACPI or DT. Otherwise it's 4G by default, "
		"DMA32 is "
		"empty)",
		"DMA X; DMA32 4G", "arch/arm64/mm/init.c",
		"before 6.12 X is rounded up to a power of two, and memory wholly above 4G or "
		"above X "
		"widens the zone; X never exceeds the end of memory",
	},
	[PZL_ARCH_I386] = {
		"i386", ALIASES("i486", "i586", "i686", "x86", "x86_32"), 32, 12, 40, 32,
		PZL_MEM_CEILING, PZL_IN_LOWMEM, "0~16M",
		"DMA 16M; HighMem from the end of low memory", "arch/x86/mm/init.c", NULL,
	},
	[PZL_ARCH_IA64] = {
		"ia64", ALIASES("itanium"), 64, 14, 64, 50, PZL_MEM_AMOUNT, 0,
		"DMA none, DMA32 0~4G",
		"DMA32 4G", "arch/ia64/mm/contig.c, discontig.c",
		"gone since Linux 6.7; the limit is not cut at the end of memory",
	},
	[PZL_ARCH_LOONGARCH] = {
		"loongarch", ALIASES("loongarch64", "loong64"), 64, 14, 64, 48, PZL_MEM_RANGES, 0,
		NULL,
		"DMA32 4G", "arch/loongarch/mm/init.c, kernel/numa.c", NULL,
	},
	[PZL_ARCH_M68K] = {
		"m68k", ALIASES("m68000", "coldfire"), 32, 12, 40, 32, PZL_MEM_IGNORED,
		PZL_IN_VARIANT,
		"0~total memory", "DMA all memory", "arch/m68k/mm/motorola.c, init.c, mcfmmu.c, "
		"sun3mmu.c",
		"true in effect; motorola passes bytes where a page number is expected",
	},
	[PZL_ARCH_MICROBLAZE] = {
		"microblaze", ALIASES("microblazeel"), 32, 12, 40, 32, PZL_MEM_IGNORED,
		PZL_IN_LOWMEM,
		"0~total low memory", "DMA low memory; HighMem the rest",
		"arch/microblaze/mm/init.c", NULL,
	},
	[PZL_ARCH_MIPS] = {
		"mips", ALIASES("mipsel", "mips32"), 32, 12, 36, 32, PZL_MEM_RANGES,
		PZL_IN_VARIANT | PZL_IN_LOWMEM | PZL_IN_DCACHE | PZL_IN_CONFIG,
		"DMA 0 or 0~16M, DMA32 X~4G (zone DMA is empty on SGI_IP22 or SGI_IP28, otherwise "
		"16M by "
		"default like i386)",
		"DMA 16M, 0 on IP22; HighMem the rest", "arch/mips/mm/init.c",
		"32-bit kernels have no DMA32; only some platforms have DMA",
	},
	[PZL_ARCH_MIPS64] = {
		"mips64", ALIASES("mips64el"), 64, 12, 64, 48, PZL_MEM_RANGES,
		PZL_IN_VARIANT | PZL_IN_DCACHE | PZL_IN_CONFIG,
		"DMA 0 or 0~16M, DMA32 X~4G (zone DMA is empty on SGI_IP22 or SGI_IP28, otherwise "
		"16M by "
		"default like i386)",
		"DMA 16M, 0 on IP22 and IP28; DMA32 4G; IP27: Normal alone",
		"arch/mips/mm/init.c, sgi-ip27/ip27-memory.c, loongson64/numa.c",
		"only some platforms have either zone; IP27 has neither, Loongson 64 with NUMA has "
		"DMA32 "
		"from 0; limits are not cut at the end of memory",
	},
	[PZL_ARCH_POWERPC] = {
		"powerpc", ALIASES("ppc", "ppc32", "powerpc32"), 32, 12, 36, 36, PZL_MEM_AMOUNT,
		PZL_IN_LOWMEM | PZL_IN_CONFIG, "0~2G", "DMA 1G where selected; HighMem the rest",
		"arch/powerpc/mm/mem.c",
		"1G on 32-bit kernels, and only some platforms select the zone",
	},
	[PZL_ARCH_POWERPC64] = {
		"powerpc64",
		ALIASES("powerpc64le", "ppc64", "ppc64el", "ppc64le"), 64, 16, 64, 51,
		PZL_MEM_AMOUNT,
		PZL_IN_CONFIG, "0~2G", "DMA 2G where selected", "arch/powerpc/mm/mem.c",
		"servers (pseries, powernv) have no DMA zone; platforms with it select it",
	},
	[PZL_ARCH_RISCV32] = {
		"riscv32", ALIASES("rv32"), 32, 12, 36, 34, PZL_MEM_AMOUNT, 0,
		"DMA none, DMA32 0~4G",
		"Normal alone", "arch/riscv/mm/init.c", "32-bit kernels have no DMA32",
	},
	[PZL_ARCH_RISCV64] = {
		"riscv64", ALIASES("riscv", "rv64"), 64, 12, 64, 56, PZL_MEM_AMOUNT, 0,
		"DMA none, DMA32 0~4G", "DMA32 4G", "arch/riscv/mm/init.c", NULL,
	},
	[PZL_ARCH_S390] = {
		"s390", ALIASES("s390x"), 64, 12, 64, 46, PZL_MEM_CEILING, 0, "0~2G", "DMA 2G",
		"arch/s390/mm/init.c", "true; the limit is not cut at the end of memory",
	},
	[PZL_ARCH_SPARC32] = {
		"sparc32", ALIASES("sparc"), 32, 12, 36, 36, PZL_MEM_AMOUNT, PZL_IN_LOWMEM,
		"0~ total low memory", "DMA low memory; HighMem the rest", "arch/sparc/mm/srmmu.c",
		NULL,
	},
	[PZL_ARCH_SPARC64] = {
		"sparc64", ALIASES("sparcv9"), 64, 13, 64, 53, PZL_MEM_AMOUNT, 0,
		"0~ total low memory",
		"Normal alone", "arch/sparc/mm/init_64.c",
		"64-bit kernels have no ZONE_DMA: all memory is Normal",
	},
	[PZL_ARCH_X86_64] = {
		"x86_64", ALIASES("amd64", "x86-64"), 64, 12, 64, 52, PZL_MEM_CEILING, 0,
		"DMA 16M, DMA32 16M~4G", "DMA 16M; DMA32 4G", "arch/x86/mm/init.c", NULL,
	},
};

#define B(type) PZL_ZONE_BIT(PZ_ZONE_##type)

/* Zones of the usual configuration, without Normal and Movable, which are always there. */
static const uint8_t arch_zone_bits[PZL_ARCHS] = {
	[PZL_ARCH_ALPHA] = B(DMA),
	[PZL_ARCH_ARM] = B(DMA) | B(HIGHMEM),
	[PZL_ARCH_ARM64] = B(DMA) | B(DMA32),
	[PZL_ARCH_I386] = B(DMA) | B(HIGHMEM),
	[PZL_ARCH_IA64] = B(DMA32),
	[PZL_ARCH_LOONGARCH] = B(DMA32),
	[PZL_ARCH_M68K] = B(DMA),
	[PZL_ARCH_MICROBLAZE] = B(DMA) | B(HIGHMEM),
	[PZL_ARCH_MIPS] = B(DMA),
	[PZL_ARCH_MIPS64] = B(DMA) | B(DMA32),
	[PZL_ARCH_POWERPC] = B(DMA) | B(HIGHMEM),
	[PZL_ARCH_POWERPC64] = 0,
	[PZL_ARCH_RISCV32] = 0,
	[PZL_ARCH_RISCV64] = B(DMA32),
	[PZL_ARCH_S390] = B(DMA),
	[PZL_ARCH_SPARC32] = B(DMA) | B(HIGHMEM),
	[PZL_ARCH_SPARC64] = 0,
	[PZL_ARCH_X86_64] = B(DMA) | B(DMA32) | B(DEVICE),
};

const struct pzl_arch_info *pzl_arch_info(enum pzl_arch arch)
{
	return (unsigned int)arch < PZL_ARCHS ? &arch_table[arch] : NULL;
}

const char *pzl_arch_name(enum pzl_arch arch)
{
	return (unsigned int)arch < PZL_ARCHS ? arch_table[arch].name : "?";
}

int pzl_arch_by_name(const char *name, enum pzl_arch *out)
{
	unsigned int i, k;

	for (i = 0; i < PZL_ARCHS; i++) {
		bool hit = pzl_streq(name, arch_table[i].name);

		for (k = 0; !hit && arch_table[i].aliases[k]; k++)
			hit = pzl_streq(name, arch_table[i].aliases[k]);
		if (hit) {
			*out = (enum pzl_arch)i;
			return 0;
		}
	}
	return -PZ_ENOENT;
}

bool pzl_arch_in_model(enum pzl_model model, enum pzl_arch arch)
{
	if (arch == PZL_ARCH_IA64)
		return model != PZL_LINUX_6_12;
	if (arch == PZL_ARCH_LOONGARCH)
		return model != PZL_LINUX_5_15;
	return true;
}

uint32_t pzl_arch_zones(enum pzl_model model, enum pzl_arch arch, enum pzl_variant variant)
{
	uint32_t z = B(NORMAL) | B(MOVABLE);

	if ((unsigned int)arch >= PZL_ARCHS)
		return z;
	z |= arch_zone_bits[arch];
	/* 6.12 kernels have device memory on more architectures. */
	if (model == PZL_LINUX_6_12 &&
	    (arch == PZL_ARCH_ARM64 || arch == PZL_ARCH_RISCV64 || arch == PZL_ARCH_POWERPC64))
		z |= B(DEVICE);
	if (variant == PZL_VAR_MIPS_IP27)
		z &= ~(uint32_t)(B(DMA) | B(DMA32));
	if (variant == PZL_VAR_MIPS_LOONGSON64)
		z = (z & ~(uint32_t)B(DMA)) | B(DMA32);
	return z;
}

unsigned int pzl_max_order(enum pzl_arch arch, unsigned int page_shift)
{
	switch (arch) {
	case PZL_ARCH_ARM:
		return 11; /* a multi-platform kernel includes AM33xx */
	case PZL_ARCH_ARM64:
	case PZL_ARCH_LOONGARCH:
	case PZL_ARCH_MIPS:
	case PZL_ARCH_MIPS64:
		return page_shift == 16 ? 13 : page_shift == 15 ? 12 : page_shift == 14 ? 11 : 10;
	case PZL_ARCH_IA64:
		return 16;
	case PZL_ARCH_POWERPC64:
		return page_shift == 16 ? 8 : 12;
	case PZL_ARCH_POWERPC:
		return page_shift == 18 ? 4 : page_shift == 16 ? 6 : page_shift == 14 ? 8 : 10;
	case PZL_ARCH_SPARC32:
	case PZL_ARCH_SPARC64:
		return 12;
	default:
		return 10;
	}
}

unsigned int pzl_pageblock_order(enum pzl_arch arch, unsigned int page_shift, bool pae)
{
	unsigned int max = pzl_max_order(arch, page_shift);
	unsigned int huge = max; /* without huge pages a pageblock is the largest block */

	switch (arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_RISCV64:
		huge = 21 - page_shift;
		break;
	case PZL_ARCH_I386:
		huge = pae ? 9 : 10;
		break;
	case PZL_ARCH_ARM64:
	case PZL_ARCH_LOONGARCH:
	case PZL_ARCH_MIPS64:
		huge = page_shift - 3; /* one page of page-table entries */
		break;
	case PZL_ARCH_POWERPC64:
		huge = page_shift == 16 ? 5 : 9; /* radix: 2 MiB */
		break;
	case PZL_ARCH_S390:
		huge = 8;
		break;
	case PZL_ARCH_SPARC64:
		huge = 23 - page_shift;
		break;
	default:
		break;
	}
	return huge < max ? huge : max;
}

unsigned int pzl_section_bits(enum pzl_arch arch, unsigned int page_shift)
{
	switch (arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_RISCV32:
	case PZL_ARCH_RISCV64:
	case PZL_ARCH_ALPHA:
		return 27;
	case PZL_ARCH_ARM64:
		return page_shift == 16 ? 29 : 27;
	case PZL_ARCH_IA64:
	case PZL_ARCH_SPARC64:
		return 30;
	case PZL_ARCH_LOONGARCH:
		return 29;
	case PZL_ARCH_POWERPC64:
		return 24;
	case PZL_ARCH_S390:
		return 28;
	default:
		return 0;
	}
}
