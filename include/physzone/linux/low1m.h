/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * low1m.h - the first megabyte of x86 and its history: what is present there, what is reserved,
 * before and after each of the five commits that thread 000 names.
 *
 * Source followed: docs/facts/zones.md section 6, thread 000, and the recorded capture kernels:
 * 5.10 has managed pages below 1 MiB, 6.1 and 6.12 have none.
 */
#ifndef PHYSZONE_LINUX_LOW1M_H
#define PHYSZONE_LINUX_LOW1M_H

#include <physzone/linux/model.h>
#include <physzone/memblock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_LOW1M_COMMITS 5

struct pzl_low1m_commit {
	const char *id;	     /* abbreviated */
	const char *version; /* first release with it */
	const char *rule;    /* what holds from it on, one sentence */
};

/**
 * pzl_low1m_commit - a commit of the history, oldest first
 * @index: 0 to PZL_LOW1M_COMMITS - 1
 *
 * Context: any.
 * Return: the commit, or NULL past the last.
 */
const struct pzl_low1m_commit *pzl_low1m_commit(unsigned int index);

/**
 * pzl_low1m_for_release - how many of the commits a release has
 * @release: what uname -r prints
 * @commits: the number, 0 to PZL_LOW1M_COMMITS; written on success only
 *
 * By the version alone: a distribution may have taken a commit earlier.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @release does not begin with MAJOR.MINOR.
 */
int pzl_low1m_for_release(const char *release, unsigned int *commits);

/* What decides about the first megabyte. Build it with pzl_low1m_input_init(). */
struct pzl_low1m_input {
	unsigned int commits; /* how many of the commits the kernel has */
	bool crashkernel;     /* crashkernel= is on the command line */
	uint64_t
		reserve_low; /* reservelow=, 64 KiB by default; looked at before the fifth commit */
	uint64_t bios_start; /* where the BIOS data area starts, 0: where RAM below 640 KiB ends */
	uint64_t trampoline; /* bytes of the real-mode trampoline */
};

struct pzl_low1m {
	struct pz_range reserved[4]; /* ascending, whole pages or bytes as the kernel reserves */
	uint32_t reserved_count;
	uint64_t present;   /* whole pages of memory below 1 MiB */
	uint64_t managed;   /* of those, pages that end up in the page allocator */
	bool no_trampoline; /* no place for the trampoline below 1 MiB: the kernel says so */
	bool backup;	  /* kexec copies the low 640 KiB away, and the capture kernel uses them */
	const char *what; /* one sentence */
};

/**
 * pzl_low1m_input_init - inputs of a model's kernel
 * @in: filled in
 * @model: the model
 *
 * Context: any.
 */
void pzl_low1m_input_init(struct pzl_low1m_input *in, enum pzl_model model);

/**
 * pzl_low1m - what a kernel reserves of the first megabyte
 * @in: the inputs
 * @mb: memory as x86.h builds it, before other reservations; not changed
 * @out: the result, written on success only
 *
 * Other reservations below 1 MiB (an initrd, a command line) are not known here.
 *
 * Context: any. Cost: O(regions of memory below 1 MiB).
 * Return: 0, or -PZ_EINVAL when @in is out of range.
 */
int pzl_low1m(const struct pzl_low1m_input *in, const struct pz_memblock *mb,
	      struct pzl_low1m *out);

/**
 * pzl_low1m_apply - reserve in a memblock what a kernel reserves of the first megabyte
 * @low: the result of pzl_low1m()
 * @mb: the memblock
 *
 * Context: any; may call the metadata hook.
 * Return: 0, or -PZ_ENOMEM; earlier ranges of @low are then reserved already.
 */
int pzl_low1m_apply(const struct pzl_low1m *low, struct pz_memblock *mb);

#ifdef __cplusplus
}
#endif

#endif
