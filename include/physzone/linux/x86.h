/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86.h - early memory of x86: from the firmware's e820 map and the command line to memblock.
 *
 * Source followed: docs/facts/zones.md sections 2 and 6 (setup_arch of Linux 6.1 and 6.12).
 */
#ifndef PHYSZONE_LINUX_X86_H
#define PHYSZONE_LINUX_X86_H

#include <physzone/linux/cmdline.h>
#include <physzone/map.h>
#include <physzone/memblock.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Build it with pzl_x86_input_init(), then fill in what is known. */
struct pzl_x86_input {
	enum pzl_model model;
	enum pzl_arch arch;		   /* PZL_ARCH_X86_64 or PZL_ARCH_I386 */
	bool pae;			   /* i386: the kernel uses PAE */
	bool la57;			   /* x86_64: five levels of page tables */
	const struct pz_map *firmware;	   /* as firmware gave it; need not be sanitised */
	const struct pzl_cmdline *cmdline; /* parsed for the same model and arch, or NULL */
	bool has_kernel;
	struct pz_range kernel; /* from the kernel's text to its end */
	/* Further changes, applied after the command line: pieces of setup_data, areas that the EFI
	 * stub took (UPDATE, ADD, REMOVE). */
	const struct pzl_mem_op *update;
	uint32_t update_count;
	uint64_t vmalloc_end; /* i386: VMALLOC_END; depends on the number of CPUs built for */
};

/* What is worth telling about how the map came about. */
#define PZL_X86_USER_MAP 0x1u	       /* the command line changed the map */
#define PZL_X86_PANIC_USER_MAP 0x2u    /* the kernel panics: Invalid user supplied memory map */
#define PZL_X86_FAKED 0x4u	       /* fewer than two entries: 640 KiB, and what follows 1 MiB */
#define PZL_X86_KERNEL_FORCED 0x8u     /* the kernel's own memory was not RAM and was made so */
#define PZL_X86_PAGE0 0x10u	       /* page 0 was RAM and was turned reserved */
#define PZL_X86_BIOS_AREA 0x20u	       /* 640 KiB to 1 MiB was RAM and was removed */
#define PZL_X86_TOO_MANY 0x40u	       /* more entries than the table holds: the rest was ignored */
#define PZL_X86_BEYOND 0x80u	       /* RAM past what this kernel can address was dropped */
#define PZL_X86_HIGHMEM_REFUSED 0x100u /* highmem= could not be met and has no effect */
#define PZL_X86_TRIMMED_4G 0x200u      /* i386 without PAE: memory above 4 GiB is not used */
#define PZL_X86_NO_MEMORY 0x400u       /* nothing is left */
#define PZL_X86_WRAPS 0x800u	       /* an entry ran past the top: cut here, refused there */

struct pzl_x86_memory {
	struct pz_map map;     /* sanitised, as it stands when memblock is filled */
	struct pz_memblock mb; /* memory, whole pages; soft-reserved ranges are in reserved */
	uint64_t max_pfn;      /* one past the last page that counts as RAM */
	uint64_t max_low_pfn;  /* i386: end of low memory; x86_64: max_pfn, as in the end */
	uint64_t low_ram_pfn;  /* x86_64: end of RAM below 4 GiB, the first value of max_low_pfn */
	uint32_t notes;	       /* PZL_X86_* */
};

/**
 * pzl_x86_input_init - inputs with the defaults
 * @in: filled in
 * @model: the model
 * @arch: PZL_ARCH_X86_64 or PZL_ARCH_I386
 * @pae: i386: whether the kernel uses PAE; sets vmalloc_end as Debian's kernels have it
 *
 * Context: any.
 */
void pzl_x86_input_init(struct pzl_x86_input *in, enum pzl_model model, enum pzl_arch arch,
			bool pae);

/**
 * pzl_x86_memory - early memory as that kernel builds it
 * @out: the result, to be given back with pzl_x86_memory_destroy() on success only
 * @meta: where the result lives; must outlive it
 * @in: the inputs
 *
 * In order: firmware's table sanitised; mem= and memmap= in the order of the command line;
 * further updates; the kernel's image made RAM; page 0 and the BIOS area taken out; the end of
 * memory and of low memory; memblock filled and trimmed to whole pages. A kernel that panics on
 * the way is told by PZL_X86_PANIC_USER_MAP, and the result is what there would have been.
 *
 * Context: any; calls the metadata hook. Cost: O(n log n) for n entries and O(n) for each change.
 * Return: 0, -PZ_EINVAL when an input is out of range, -PZ_ENOMEM, -PZ_ENOSPC.
 */
int pzl_x86_memory(struct pzl_x86_memory *out, const struct pz_meta *meta,
		   const struct pzl_x86_input *in);

/**
 * pzl_x86_memory_destroy - give back what pzl_x86_memory() took
 * @m: the memory
 *
 * Context: any; calls the metadata hook.
 */
void pzl_x86_memory_destroy(struct pzl_x86_memory *m);

/**
 * pzl_x86_note - a sentence for a note
 * @bit: one of PZL_X86_*
 *
 * Context: any.
 * Return: a static string without a full stop, "?" for a number that is none.
 */
const char *pzl_x86_note(uint32_t bit);

#ifdef __cplusplus
}
#endif

#endif
