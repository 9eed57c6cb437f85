/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early.h - early memory of the architectures other than x86: what mem=, usable-memory ranges and
 * the limits of low memory do to the memory that firmware told.
 *
 * Source followed: docs/facts/zones.md sections 2, 7 and 9.
 */
#ifndef PHYSZONE_LINUX_EARLY_H
#define PHYSZONE_LINUX_EARLY_H

#include <physzone/linux/cmdline.h>
#include <physzone/memblock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_USABLE_MAX 2 /* ranges of linux,usable-memory-range that the kernel reads */

/* Build it with pzl_early_input_init(), then fill in what is known. */
struct pzl_early_input {
	enum pzl_model model;
	enum pzl_arch arch;
	const struct pzl_cmdline *cmdline;	/* parsed for the same model and arch, or NULL */
	struct pz_range usable[PZL_USABLE_MAX]; /* of a capture kernel's device tree */
	uint32_t usable_count;
	uint32_t phys_bits; /* width of a physical address that this kernel can name */
	bool has_kernel, has_initrd;
	struct pz_range kernel, initrd; /* arm64 adds them back after mem= */
	bool highmem; /* the kernel has high memory; starts as the usual configuration */
};

/* What is worth telling. */
#define PZL_EARLY_CAPPED 0x1u	     /* only the usable-memory ranges are left */
#define PZL_EARLY_LIMITED 0x2u	     /* mem= took memory away */
#define PZL_EARLY_REPLACED 0x4u	     /* mem= replaced what firmware told */
#define PZL_EARLY_BEYOND 0x8u	     /* memory past what this kernel can name was dropped */
#define PZL_EARLY_ADDED_BACK 0x10u   /* the kernel or its initrd lay in what mem= took away */
#define PZL_EARLY_NOT_HIGH 0x20u     /* memory above low memory is ignored: no high memory */
#define PZL_EARLY_ALIGNED_DOWN 0x40u /* powerpc 6.12: the amount is cut to a multiple of 16 MiB */
#define PZL_EARLY_NO_MEMORY 0x80u    /* nothing is left */

struct pzl_early {
	uint64_t max_pfn;      /* end of memory */
	uint64_t max_low_pfn;  /* end of low memory; max_pfn where there is no high memory */
	uint64_t high_end_pfn; /* end of high memory */
	uint32_t notes;	       /* PZL_EARLY_* */
};

/**
 * pzl_early_input_init - inputs with the defaults of an architecture
 * @in: filled in
 * @model: the model
 * @arch: the architecture
 *
 * Context: any.
 */
void pzl_early_input_init(struct pzl_early_input *in, enum pzl_model model, enum pzl_arch arch);

/**
 * pzl_early_memory - what a kernel makes of the memory that firmware told
 * @in: the inputs
 * @mb: memory as told, with reservations as far as known; changed in place
 * @out: the result, written on success only
 *
 * In the order of the kernel: the usable-memory ranges cap memory, the first one first; what the
 * kernel cannot name goes; mem= applies; low memory is limited.
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when an argument is out of range (x86 has x86.h), -PZ_ENOMEM; @mb is
 * unchanged on error.
 */
int pzl_early_memory(const struct pzl_early_input *in, struct pz_memblock *mb,
		     struct pzl_early *out);

/**
 * pzl_early_note - a sentence for a note
 * @bit: one of PZL_EARLY_*
 *
 * Context: any.
 * Return: a static string without a full stop, "?" for a number that is none.
 */
const char *pzl_early_note(uint32_t bit);

#ifdef __cplusplus
}
#endif

#endif
