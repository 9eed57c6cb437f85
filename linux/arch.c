/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch.c - the zone limits that Linux computes, architecture by architecture.
 *
 * Concept: one function for each way of computing, a pure function of its inputs. Limits are
 * exclusive page frame numbers and are not clamped to memory unless the kernel's code does so: a
 * limit past the end of memory shows in "Zone ranges:" and vanishes only when zones meet nodes.
 * Where the code is off (arm by one page, m68k by the unit) the result is off in the same way.
 *
 * Invariants: 1. a type that is not configured has limit 0; 2. the result depends on nothing but
 * the arguments.
 *
 * Failure: arguments out of range are refused and the output is not written.
 *
 * Shortcomings: which zones a kernel has follows its build configuration; the usual one of Debian
 * is the default, and a caller that knows better sets `configured`.
 */
#include <physzone/linux/arch.h>

#include "pzl_text.h"

#define ARCH_16M 0x1000000ull
#define ARCH_1G 0x40000000ull
#define ARCH_2G 0x80000000ull
#define ARCH_4G 0x100000000ull
#define ARCH_U32_MAX 0xffffffffull

static uint64_t arch_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Bits that the highest set bit needs: 0 for 0, 64 for a number with the top bit set. */
static unsigned int arch_bits(uint64_t v)
{
	unsigned int n = 0;

	while (v) {
		v >>= 1;
		n++;
	}
	return n;
}

/* An inclusive limit, or the end of memory if that is lower, as an exclusive end in pages. */
static uint64_t arch_limit_pfn(uint64_t last, const struct pzl_arch_input *in)
{
	last = arch_min(last, in->dram_last);
	/* last + 1 may be 2^64; its page number is not rounded away by doing the shift first. */
	if (last == PZ_ADDR_MAX)
		return (PZ_ADDR_MAX >> in->page_shift) + 1;
	return (last + 1) >> in->page_shift;
}

/* arm64 before 6.12: a limit is a number of bits, widened where memory starts above it. */
static uint64_t arm64_bits_pfn(unsigned int bits, const struct pzl_arch_input *in)
{
	uint64_t mask = bits >= 64 ? PZ_ADDR_MAX : ((uint64_t)1 << bits) - 1;

	if (in->dram_first > ARCH_U32_MAX)
		mask = PZ_ADDR_MAX;
	else if (in->dram_first > mask)
		mask = ARCH_U32_MAX;
	return arch_limit_pfn(mask, in);
}

static void arm64_limits(const struct pzl_model_facts *mf, const struct pzl_arch_input *in,
			 struct pzl_zone_limits *out)
{
	if (mf->dma_limit_exact) {
		uint64_t limit = arch_min(in->dt_dma_limit, in->iort_dma_limit);

		if (in->dram_first < ARCH_U32_MAX)
			limit = arch_min(limit, ARCH_U32_MAX);
		out->max_pfn[PZ_ZONE_DMA] = arch_limit_pfn(limit, in);
		out->max_pfn[PZ_ZONE_DMA32] = arch_limit_pfn(ARCH_U32_MAX, in);
		out->what =
			"DMA ends at the lowest limit of device tree, IORT and (with memory "
			"below 4 GiB) 4 GiB, to the byte, or at the end of memory; DMA32 at 4 GiB.";
	} else {
		unsigned int bits = arch_bits(in->dt_dma_limit);

		if (arch_bits(in->iort_dma_limit) < bits)
			bits = arch_bits(in->iort_dma_limit);
		if (bits > 32)
			bits = 32;
		out->max_pfn[PZ_ZONE_DMA] = arm64_bits_pfn(bits, in);
		out->max_pfn[PZ_ZONE_DMA32] = arm64_bits_pfn(32, in);
		out->what =
			"DMA ends at the lowest limit of device tree, IORT and 4 GiB, rounded up "
			"to a whole number of address bits, or at the end of memory; DMA32 at 4 "
			"GiB.";
	}
	out->max_pfn[PZ_ZONE_NORMAL] = in->max_pfn;
}

static void arm_limits(const struct pzl_arch_input *in, struct pzl_zone_limits *out)
{
	uint64_t last = ARCH_U32_MAX;

	/* The limit is the address of the last byte, and its page number is used as an end. */
	if (in->board_dma_size)
		last = in->phys_offset + in->board_dma_size - 1;
	out->max_pfn[PZ_ZONE_DMA] = arch_min(last >> in->page_shift, in->max_low_pfn);
	out->max_pfn[PZ_ZONE_NORMAL] = in->max_low_pfn;
	out->max_pfn[PZ_ZONE_HIGHMEM] = in->max_pfn;
	out->what =
		"DMA ends at the board's dma_zone_size above the start of memory (4 GiB when the "
		"board has none) less one page, or at the end of low memory.";
}

static void mips_limits(const struct pzl_arch_input *in, struct pzl_zone_limits *out)
{
	out->max_pfn[PZ_ZONE_NORMAL] = in->max_low_pfn;
	if (in->variant == PZL_VAR_MIPS_IP27) {
		out->configured &= ~(PZL_ZONE_BIT(PZ_ZONE_DMA) | PZL_ZONE_BIT(PZ_ZONE_DMA32) |
				     PZL_ZONE_BIT(PZ_ZONE_HIGHMEM));
		out->what = "IP27 sets Normal alone.";
		return;
	}
	out->max_pfn[PZ_ZONE_DMA32] = ARCH_4G >> in->page_shift;
	if (in->variant == PZL_VAR_MIPS_LOONGSON64) {
		out->configured &= ~(PZL_ZONE_BIT(PZ_ZONE_DMA) | PZL_ZONE_BIT(PZ_ZONE_HIGHMEM));
		out->what = "Loongson 64 with NUMA sets DMA32 to 4 GiB, not clamped to memory, and "
			    "Normal.";
		return;
	}
	out->max_pfn[PZ_ZONE_DMA] =
		in->variant == PZL_VAR_MIPS_IP22 ? 0 : ARCH_16M >> in->page_shift;
	out->max_pfn[PZ_ZONE_HIGHMEM] = in->high_end_pfn;
	if (in->dcache_aliases)
		out->max_pfn[PZ_ZONE_HIGHMEM] = in->max_low_pfn;
	out->what =
		in->variant == PZL_VAR_MIPS_IP22
			? "DMA is empty on IP22 and IP28; DMA32 ends at 4 GiB, not clamped to "
			  "memory."
			: "DMA ends at 16 MiB and DMA32 at 4 GiB where the platform has them, "
			  "neither "
			  "clamped to memory; high memory is dropped when the data cache aliases.";
}

static void m68k_limits(const struct pzl_arch_input *in, struct pzl_zone_limits *out)
{
	if (in->variant == PZL_VAR_GENERIC) {
		/* The code passes the end of memory in bytes where a page number is expected. */
		out->max_pfn[PZ_ZONE_DMA] =
			in->dram_last == PZ_ADDR_MAX ? PZ_ADDR_MAX : in->dram_last + 1;
		out->what = "All memory is DMA; the limit is the end of memory in bytes, used as a "
			    "page "
			    "number, which the end of the node makes harmless.";
		return;
	}
	out->max_pfn[PZ_ZONE_DMA] = in->max_pfn;
	out->what = "All memory is DMA.";
}

static void microblaze_limits(const struct pzl_arch_input *in, struct pzl_zone_limits *out)
{
	bool high = out->configured & PZL_ZONE_BIT(PZ_ZONE_HIGHMEM);

	out->max_pfn[PZ_ZONE_DMA] = high ? in->max_low_pfn : in->max_pfn;
	out->max_pfn[PZ_ZONE_HIGHMEM] = in->max_pfn;
	out->what = "All low memory is DMA, and the rest HighMem.";
}

static void alpha_limits(const struct pzl_arch_input *in, struct pzl_zone_limits *out)
{
	out->max_pfn[PZ_ZONE_NORMAL] = in->max_pfn;
	if (in->pci_iommu) {
		out->max_pfn[PZ_ZONE_DMA] = PZ_ADDR_MAX >> in->page_shift;
		out->what = "With an IOMMU the DMA limit is the highest address that there is: all "
			    "memory "
			    "is DMA and Normal is empty.";
		return;
	}
	out->max_pfn[PZ_ZONE_DMA] = ARCH_16M >> in->page_shift;
	out->what = "DMA ends at 16 MiB.";
}

static void x86_limits(const struct pzl_arch_input *in, bool is64, struct pzl_zone_limits *out)
{
	out->max_pfn[PZ_ZONE_DMA] = arch_min(ARCH_16M >> in->page_shift, in->max_low_pfn);
	if (is64)
		out->max_pfn[PZ_ZONE_DMA32] = arch_min(ARCH_4G >> in->page_shift, in->max_low_pfn);
	else
		out->max_pfn[PZ_ZONE_HIGHMEM] = in->max_pfn;
	out->max_pfn[PZ_ZONE_NORMAL] = in->max_low_pfn;
	out->what =
		is64 ? "DMA ends at 16 MiB and DMA32 at 4 GiB, or at the end of memory."
		     : "DMA ends at 16 MiB, Normal at the end of low memory, HighMem at the end of "
		       "memory.";
}

static void powerpc_limits(const struct pzl_arch_input *in, bool is64, struct pzl_zone_limits *out)
{
	uint64_t end = is64 ? ARCH_2G : ARCH_1G;

	out->max_pfn[PZ_ZONE_DMA] = arch_min(in->max_low_pfn, end >> in->page_shift);
	out->max_pfn[PZ_ZONE_NORMAL] = in->max_low_pfn;
	out->max_pfn[PZ_ZONE_HIGHMEM] = in->max_pfn;
	out->what =
		is64 ? "DMA ends at 2 GiB or the end of memory, where the platform selects it."
		     : "DMA ends at 1 GiB or the end of low memory, where the platform selects it.";
}

/* The architectures whose limits are one or two assignments. */
static void simple_limits(enum pzl_arch arch, const struct pzl_arch_input *in,
			  struct pzl_zone_limits *out)
{
	uint64_t low = in->max_low_pfn;
	uint64_t end4g = ARCH_4G >> in->page_shift;

	out->max_pfn[PZ_ZONE_NORMAL] = low;
	switch (arch) {
	case PZL_ARCH_IA64:
	case PZL_ARCH_LOONGARCH:
		out->max_pfn[PZ_ZONE_DMA32] = end4g;
		out->what = "DMA32 ends at 4 GiB, not clamped to memory.";
		break;
	case PZL_ARCH_RISCV64:
		out->max_pfn[PZ_ZONE_DMA32] = arch_min(end4g, low);
		out->what = "DMA32 ends at 4 GiB or the end of memory.";
		break;
	case PZL_ARCH_S390:
		out->max_pfn[PZ_ZONE_DMA] = ARCH_2G >> in->page_shift;
		out->what =
			"DMA ends at 2 GiB, not clamped to memory: channel programs and diagnose "
			"calls take 31-bit addresses.";
		break;
	case PZL_ARCH_SPARC32:
		out->max_pfn[PZ_ZONE_DMA] = low;
		out->max_pfn[PZ_ZONE_HIGHMEM] = in->high_end_pfn;
		out->what = "All low memory is DMA, so that Normal is empty; the rest is HighMem.";
		break;
	case PZL_ARCH_SPARC64:
		out->max_pfn[PZ_ZONE_NORMAL] = in->max_pfn;
		out->what = "Normal holds all memory; there is no DMA zone.";
		break;
	default:
		out->what = "Normal holds all memory.";
		break;
	}
}

int pzl_zone_limits(enum pzl_model model, enum pzl_arch arch, const struct pzl_arch_input *in,
		    struct pzl_zone_limits *out)
{
	const struct pzl_model_facts *mf = pzl_model_facts(model);
	struct pzl_zone_limits l = { 0 };
	unsigned int t;

	if (!mf || (unsigned int)arch >= PZL_ARCHS || (unsigned int)in->variant >= PZL_VARIANTS ||
	    in->page_shift < 12 || in->page_shift > 18 || in->dram_first > in->dram_last)
		return -PZ_EINVAL;
	if (!pzl_arch_in_model(model, arch))
		return -PZ_ENOENT;

	l.configured = in->configured;
	switch (arch) {
	case PZL_ARCH_ALPHA:
		alpha_limits(in, &l);
		break;
	case PZL_ARCH_ARM:
		arm_limits(in, &l);
		break;
	case PZL_ARCH_ARM64:
		arm64_limits(mf, in, &l);
		break;
	case PZL_ARCH_I386:
	case PZL_ARCH_X86_64:
		x86_limits(in, arch == PZL_ARCH_X86_64, &l);
		break;
	case PZL_ARCH_M68K:
		m68k_limits(in, &l);
		break;
	case PZL_ARCH_MICROBLAZE:
		microblaze_limits(in, &l);
		break;
	case PZL_ARCH_MIPS:
	case PZL_ARCH_MIPS64:
		mips_limits(in, &l);
		break;
	case PZL_ARCH_POWERPC:
	case PZL_ARCH_POWERPC64:
		powerpc_limits(in, arch == PZL_ARCH_POWERPC64, &l);
		break;
	default:
		simple_limits(arch, in, &l);
		break;
	}
	l.configured &= (1u << PZ_ZONE_TYPES) - 1;
	for (t = 0; t < PZ_ZONE_TYPES; t++)
		if (!(l.configured & PZL_ZONE_BIT(t)))
			l.max_pfn[t] = 0;
	*out = l;
	return 0;
}

void pzl_arch_input_init(struct pzl_arch_input *in, enum pzl_model model, enum pzl_arch arch)
{
	const struct pzl_arch_info *info = pzl_arch_info(arch);
	struct pzl_arch_input fresh = { 0 };

	fresh.page_shift = info ? info->page_shift : 12;
	fresh.variant = PZL_VAR_GENERIC;
	fresh.configured = pzl_arch_zones(model, arch, PZL_VAR_GENERIC);
	fresh.dt_dma_limit = PZ_ADDR_MAX;
	fresh.iort_dma_limit = PZ_ADDR_MAX;
	*in = fresh;
}

void pzl_arch_input_memory(struct pzl_arch_input *in, const struct pz_memblock *mb)
{
	in->dram_first = pz_memblock_start(mb);
	in->dram_last = pz_memblock_last(mb);
	in->phys_offset = in->dram_first;
	in->max_pfn = arch_limit_pfn(PZ_ADDR_MAX, in);
	in->max_low_pfn = in->max_pfn;
	in->high_end_pfn = in->max_pfn;
}
