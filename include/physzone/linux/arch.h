/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch.h - how Linux sets the limits of its zones on each architecture, and the constants of each.
 *
 * Source followed: docs/facts/zones.md section 2, for every row of it. The limits are what the code
 * computes, off-by-one and all; pzl_arch_info() holds what the mailing list says of the same.
 */
#ifndef PHYSZONE_LINUX_ARCH_H
#define PHYSZONE_LINUX_ARCH_H

#include <physzone/linux/model.h>
#include <physzone/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pzl_arch {
	PZL_ARCH_ALPHA,
	PZL_ARCH_ARM,
	PZL_ARCH_ARM64,
	PZL_ARCH_I386,
	PZL_ARCH_IA64,
	PZL_ARCH_LOONGARCH,
	PZL_ARCH_M68K,
	PZL_ARCH_MICROBLAZE,
	PZL_ARCH_MIPS,
	PZL_ARCH_MIPS64,
	PZL_ARCH_POWERPC,
	PZL_ARCH_POWERPC64,
	PZL_ARCH_RISCV32,
	PZL_ARCH_RISCV64,
	PZL_ARCH_S390,
	PZL_ARCH_SPARC32,
	PZL_ARCH_SPARC64,
	PZL_ARCH_X86_64,
	PZL_ARCHS,
};

/* Platforms of an architecture whose limits differ. */
enum pzl_variant {
	PZL_VAR_GENERIC,	 /* m68k: motorola; mips: the common code */
	PZL_VAR_MIPS_IP22,	 /* SGI IP22 and IP28: no memory for ZONE_DMA */
	PZL_VAR_MIPS_IP27,	 /* SGI IP27, NUMA: one zone */
	PZL_VAR_MIPS_LOONGSON64, /* Loongson 64 with NUMA: DMA32 and Normal */
	PZL_VAR_M68K_COLDFIRE,
	PZL_VAR_M68K_NOMMU,
	PZL_VAR_M68K_SUN3,
	PZL_VARIANTS,
};

#define PZL_ZONE_BIT(type) (1u << (type))

/*
 * What the limits depend on. Build it with pzl_arch_input_init(), then fill in what is known.
 * Page frame numbers are exclusive ends; addresses are inclusive.
 */
struct pzl_arch_input {
	uint32_t page_shift;
	enum pzl_variant variant;
	uint32_t configured;	 /* bit per enum pz_zone_type in the kernel; starts as the usual */
	uint64_t dram_first;	 /* lowest address of memory */
	uint64_t dram_last;	 /* highest address of memory */
	uint64_t max_pfn;	 /* end of memory */
	uint64_t max_low_pfn;	 /* end of memory that the kernel maps permanently */
	uint64_t high_end_pfn;	 /* end of high memory; mips, sparc32 */
	uint64_t dt_dma_limit;	 /* arm64: highest address that every bus reaches, or PZ_ADDR_MAX */
	uint64_t iort_dma_limit; /* arm64: highest address by the ACPI IORT; or PZ_ADDR_MAX */
	uint64_t board_dma_size; /* arm: the board's dma_zone_size in bytes, 0 when it has none */
	uint64_t phys_offset;	 /* arm: PHYS_OFFSET, where memory starts */
	bool pci_iommu;		 /* alpha: the machine has a pci_tbi hook */
	bool dcache_aliases;	 /* mips: the data cache aliases, high memory is ignored */
};

/* The limits, ready for struct pz_zone_config. */
struct pzl_zone_limits {
	uint32_t configured;
	uint64_t max_pfn[PZ_ZONE_TYPES]; /* exclusive; 0 for types that are not set */
	const char *what;		 /* what that kernel's code does, one sentence */
};

/* Which input an architecture's limits look at, beside the extent of memory. */
#define PZL_IN_DT_DMA 0x1u
#define PZL_IN_IORT 0x2u
#define PZL_IN_BOARD_DMA 0x4u
#define PZL_IN_PHYS_OFFSET 0x8u
#define PZL_IN_PCI_IOMMU 0x10u
#define PZL_IN_DCACHE 0x20u
#define PZL_IN_VARIANT 0x40u
#define PZL_IN_LOWMEM 0x80u  /* max_low_pfn differs from max_pfn */
#define PZL_IN_CONFIG 0x100u /* which zones exist depends on the platform selected */

/* What "mem=" on the command line means. */
enum pzl_mem_meaning {
	PZL_MEM_CEILING, /* an address above which there is no memory */
	PZL_MEM_AMOUNT,	 /* an amount of memory, counted from the bottom */
	PZL_MEM_RANGES,	 /* each use adds a range; the first use forgets what firmware told */
	PZL_MEM_IGNORED, /* the common code of the architecture does not know it */
};

struct pzl_arch_info {
	const char *name;	    /* as the analysis and --arch name it */
	const char *const *aliases; /* other names (Debian's, uname's), NULL-terminated */
	uint8_t bits;		    /* 32 or 64 */
	uint8_t page_shift;	    /* of the usual configuration */
	uint8_t struct_page;	    /* bytes of a page descriptor in the usual configuration */
	uint8_t phys_bits;	    /* width of a physical address that the kernel can name */
	enum pzl_mem_meaning mem;
	uint32_t inputs;     /* PZL_IN_* */
	const char *thread;  /* thread 004's row for it, NULL when it has none */
	const char *limits;  /* the limits as the code has them, DMA / DMA32 / HighMem, short */
	const char *source;  /* where in the kernel tree */
	const char *differs; /* how the thread's row differs from the code, NULL when it does not */
};

/**
 * pzl_arch_info - the constants of an architecture
 * @arch: the architecture
 *
 * Context: any.
 * Return: the constants, or NULL for a number that is none.
 */
const struct pzl_arch_info *pzl_arch_info(enum pzl_arch arch);

/**
 * pzl_arch_name - the name of an architecture
 * @arch: the architecture
 *
 * Context: any.
 * Return: a static string, "?" for a number that is none.
 */
const char *pzl_arch_name(enum pzl_arch arch);

/**
 * pzl_arch_by_name - look an architecture up by its name or an alias of it
 * @name: "x86_64", "amd64", "aarch64", "ppc64el", "armhf" ...; case matters
 * @out: the architecture, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT.
 */
int pzl_arch_by_name(const char *name, enum pzl_arch *out);

/**
 * pzl_arch_in_model - whether a model's kernel has an architecture
 * @model: the model
 * @arch: the architecture
 *
 * Context: any.
 * Return: false for ia64 under linux-6.12 and for loongarch under linux-5.15, else true.
 */
bool pzl_arch_in_model(enum pzl_model model, enum pzl_arch arch);

/**
 * pzl_arch_zones - the zone types of an architecture's usual (Debian) configuration
 * @model: the model
 * @arch: the architecture
 * @variant: the platform
 *
 * Context: any.
 * Return: bit per enum pz_zone_type; Normal and Movable are always there.
 */
uint32_t pzl_arch_zones(enum pzl_model model, enum pzl_arch arch, enum pzl_variant variant);

/**
 * pzl_max_order - the largest order of the page allocator
 * @arch: the architecture
 * @page_shift: log2 of the page size
 *
 * The same in every model (what 6.1 calls MAX_ORDER is this plus one).
 *
 * Context: any.
 * Return: the order, as usually configured: 10 nearly everywhere.
 */
unsigned int pzl_max_order(enum pzl_arch arch, unsigned int page_shift);

/**
 * pzl_pageblock_order - the order of a pageblock
 * @arch: the architecture
 * @page_shift: log2 of the page size
 * @pae: i386: the kernel uses PAE
 *
 * Context: any.
 * Return: the order, as usually configured.
 */
unsigned int pzl_pageblock_order(enum pzl_arch arch, unsigned int page_shift, bool pae);

/**
 * pzl_section_bits - log2 of the size of a section of the sparse memory map
 * @arch: the architecture
 * @page_shift: log2 of the page size
 *
 * Context: any.
 * Return: the number of bits, 0 when the usual configuration has a flat memory map.
 */
unsigned int pzl_section_bits(enum pzl_arch arch, unsigned int page_shift);

/**
 * pzl_arch_input_init - inputs with the defaults of an architecture
 * @in: filled in: usual page size and zones, no memory, no limit by firmware or board
 * @model: the model
 * @arch: the architecture
 *
 * Context: any.
 */
void pzl_arch_input_init(struct pzl_arch_input *in, enum pzl_model model, enum pzl_arch arch);

/**
 * pzl_arch_input_memory - take the extent of memory from a memblock
 * @in: inputs; page_shift must be set
 * @mb: the memory
 *
 * Sets dram_first, dram_last, phys_offset, max_pfn (whole pages), and max_low_pfn and high_end_pfn
 * to max_pfn. Architectures with high memory need max_low_pfn set after this.
 *
 * Context: any.
 */
void pzl_arch_input_memory(struct pzl_arch_input *in, const struct pz_memblock *mb);

/**
 * pzl_zone_limits - the zone limits that a kernel computes
 * @model: the model
 * @arch: the architecture
 * @in: the inputs
 * @out: the limits, written on success only
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL when an argument is out of range, -PZ_ENOENT when that version of Linux
 * does not have the architecture.
 */
int pzl_zone_limits(enum pzl_model model, enum pzl_arch arch, const struct pzl_arch_input *in,
		    struct pzl_zone_limits *out);

#ifdef __cplusplus
}
#endif

#endif
