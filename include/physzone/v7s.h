/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s.h - translation tables in the ARMv7 short-descriptor format, for IOMMUs that walk it.
 *
 * A table translates I/O virtual addresses (iova) to physical ones in pages of 4 KiB, 64 KiB, 1 MiB
 * and 16 MiB: a first level with a word for each MiB, and second levels of 1 KiB with a word for
 * each 4 KiB. A page of 64 KiB or 16 MiB is one word, repeated 16 times.
 *
 * What is refused is refused before anything changes. A map happens as a whole or not at all; an
 * unmap leaves nothing translated in its range, or changes nothing. A page that is unmapped in part
 * is split, and its other parts translate as before at every moment, unless PZ_V7S_BREAK_FIRST asks
 * for break-before-make.
 *
 * Units: bytes; iova and physical addresses are 64 bits wide here. Concurrency: all functions but
 * create, destroy, stat and check work from any context and on any number of CPUs at once, with a
 * lock for each MiB. Requests for different pages do not disturb each other, also within a page
 * that is split meanwhile. Requests for the same page leave one of their outcomes. From interrupts
 * too, if the mask hook keeps them from a CPU that holds a lock. @cpu is as in page.h.
 * Sources followed: ARM DDI 0406C, chapter B3 (short-descriptor format); docs/facts/iommu_v7s.md
 * for what Linux does. docs/design/iommu.md has the argument.
 */
#ifndef PHYSZONE_V7S_H
#define PHYSZONE_V7S_H

#include <physzone/table_mem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Page sizes, and what may be done with a page, by Linux's numbers. */
#define PZ_V7S_4K 0x1000u
#define PZ_V7S_64K 0x10000u
#define PZ_V7S_1M 0x100000u
#define PZ_V7S_16M 0x1000000u
#define PZ_V7S_SIZES (PZ_V7S_4K | PZ_V7S_64K | PZ_V7S_1M | PZ_V7S_16M)

#define PZ_IOMMU_READ 0x1u
#define PZ_IOMMU_WRITE 0x2u  /* what may be written may be read */
#define PZ_IOMMU_CACHE 0x4u  /* cached, write-back */
#define PZ_IOMMU_NOEXEC 0x8u
#define PZ_IOMMU_MMIO 0x10u  /* device memory; before PZ_IOMMU_CACHE */
#define PZ_IOMMU_PRIV 0x20u  /* privileged accesses only */
#define PZ_IOMMU_PROT 0x3fu

/* Quirks, by Linux's numbers. */
#define PZ_V7S_NS 0x1u	       /* what tables and sections lead to is not secure */
#define PZ_V7S_NO_PERMS 0x2u   /* the IOMMU knows no permissions */
#define PZ_V7S_MTK_EXT 0x8u    /* MediaTek: outputs of up to 35 bits; needs PZ_V7S_NO_PERMS */
#define PZ_V7S_MTK_TTBR_EXT 0x10u /* and tables above 4 GiB; needs PZ_V7S_MTK_EXT */
/* And physzone's own. */
#define PZ_V7S_BREAK_FIRST 0x10000u /* a page is invalid and flushed before its pieces are */
#define PZ_V7S_GIVE_BACK 0x20000u   /* a second level goes back with its last page */
#define PZ_V7S_QUIRKS 0x3001bu

struct pz_v7s; /* a set of tables */

/*
 * What the IOMMU's caches of translations must be told; each may be NULL. Called with the lock of
 * the MiB in question held, or of its 16 MiB, or none: they must not use the same tables. What was
 * stored before must be there for the walker first: a hook begins with the barrier that this takes.
 */
struct pz_v7s_tlb {
	/* Forget everything, now. */
	void (*flush_all)(void *ctx);
	/* Forget [@iova, @iova + @size), and where tables for it are, now; @granule is the smallest
	 * page in it. Both ends are aligned to the page or table that changed. */
	void (*flush_walk)(void *ctx, uint64_t iova, uint64_t size, uint32_t granule);
	/* Forget [@iova, @iova + @size), pages of @granule bytes each, no later than when the
	 * caller of pz_v7s_unmap(), whose @gather it is, says so. */
	void (*add)(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule);
	void *ctx;
};

struct pz_v7s_hooks {
	/* Keep interrupts that use the tables off this CPU, and let them in again; NULL when none
	 * does. */
	uintptr_t (*mask)(void *ctx);
	void (*unmask)(void *ctx, uintptr_t was);
	/* Called again and again while another CPU holds a lock; may be NULL. */
	void (*relax)(void *ctx);
	void *ctx;
};

struct pz_v7s_config {
	uint32_t ias; /* bits of an iova: 20 to 32, with PZ_V7S_MTK_EXT to 34 */
	uint32_t oas; /* bits of a physical address: 20 to 32, with PZ_V7S_MTK_EXT to 35 */
	uint32_t quirks; /* PZ_V7S_* */
	uint32_t sizes; /* page sizes in use; 0 for all that fit @ias and @oas */
	bool coherent_walk; /* the walker looks into the CPU's caches */
	const struct pz_table_mem *mem; /* must outlive the tables */
	/* The walker. Each table of a provider that is not coherent is mapped for it, and refused
	 * when its bus address is not its physical one. NULL: it sees memory as the CPU does; then
	 * @coherent_walk, or the provider, must be coherent. */
	struct pz_dma_dev *dev;
	const struct pz_meta *meta; /* must outlive the tables */
	const struct pz_meta *zeroed; /* as in pz_page_config: 16 bytes for each MiB; or NULL */
	struct pz_bugs *bugs; /* where a domain of the tables tells misuse; may be NULL */
	struct pz_faults *faults; /* fault point "v7s.table" is added to it; may be NULL */
	struct pz_v7s_tlb tlb;
	struct pz_v7s_hooks hooks;
};

/* What the IOMMU's registers are to hold. */
struct pz_v7s_regs {
	uint64_t ttbr;
	uint32_t tcr, prrr, nmrr;
};

/**
 * pz_v7s_table_limits - where tables may lie so that the walker is able to read them
 * @quirks: PZ_V7S_*
 * @oas: as in pz_v7s_config
 * @out: the limits: below 4 GiB, or with PZ_V7S_MTK_TTBR_EXT below 2^@oas
 *
 * For the provider; each table is held against them whatever its provider does.
 *
 * Context: any.
 */
void pz_v7s_table_limits(uint32_t quirks, uint32_t oas, struct pz_limits *out);

/**
 * pz_v7s_create - make tables that translate nothing
 * @out: the tables, written on success only
 * @cfg: what they are made from; copied
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of the first level
 * @why: on -PZ_EINVAL and -PZ_ERANGE what is wrong, a static text; may be NULL
 *
 * Context: calls the metadata hooks and the provider.
 * Return: 0; -PZ_EINVAL when @cfg is malformed; -PZ_ERANGE when the first level lies where the
 * walker does not find it; -PZ_ENOMEM; -PZ_ENOSPC when the set of fault points has no room; what
 * the provider says; nothing is held on error.
 */
int pz_v7s_create(struct pz_v7s **out, const struct pz_v7s_config *cfg, uint32_t cpu, uint32_t gfp,
		  const char **why);

/**
 * pz_v7s_destroy - flush everything, and give all tables back
 * @t: the tables, or NULL; nobody uses them any more, nor does the IOMMU
 * @cpu: the calling CPU, or PZ_CPU_NONE
 *
 * Context: calls the metadata hooks, the provider and flush_all.
 */
void pz_v7s_destroy(struct pz_v7s *t, uint32_t cpu);

/**
 * pz_v7s_regs - what the IOMMU's registers are to hold
 * @t: the tables
 *
 * Context: any.
 * Return: the values.
 */
struct pz_v7s_regs pz_v7s_regs(const struct pz_v7s *t);

/**
 * pz_v7s_map - translate a range, in pages as large as fit
 * @t: the tables
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of second levels
 * @iova: where it begins, a multiple of the smallest page
 * @phys: what it leads to, a multiple of the same
 * @size: bytes, a multiple of the same, at least one page
 * @prot: PZ_IOMMU_*, with PZ_IOMMU_READ or PZ_IOMMU_WRITE
 *
 * Tells the TLB hooks of second levels that go only: those that hold nothing, where a larger page
 * takes their place, or after an error. Who lets a device go to the range then needs the barrier
 * that lets it see any memory.
 *
 * Context: any. With PZ_GFP_BLOCK calls the hooks of the provider's allocator.
 * Return: 0; -PZ_EINVAL for a range that is not made of pages, or unknown or no permissions;
 * -PZ_ERANGE when a part of it lies beyond @ias or @oas bits; -PZ_EEXIST when a part of it is
 * mapped already; -PZ_ENOMEM; -PZ_ERANGE also for a second level where the walker does not find it;
 * what the provider says. On error no page of the range is mapped that was not; second levels that
 * were made for it and hold nothing go back with PZ_V7S_GIVE_BACK, else they wait for
 * pz_v7s_trim().
 */
int pz_v7s_map(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint64_t iova, uint64_t phys,
	       uint64_t size, uint32_t prot);

/**
 * pz_v7s_map_pages - translate a range, in pages of one size
 * @t: the tables
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of second levels
 * @iova: where it begins, a multiple of @page
 * @phys: what it leads to, a multiple of @page
 * @page: bytes of a page, one of the sizes in use
 * @count: pages, at least 1
 * @prot: PZ_IOMMU_*, with PZ_IOMMU_READ or PZ_IOMMU_WRITE
 *
 * Context: any. With PZ_GFP_BLOCK calls the hooks of the provider's allocator.
 * Return: as pz_v7s_map().
 */
int pz_v7s_map_pages(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint64_t iova, uint64_t phys,
		     uint32_t page, uint64_t count, uint32_t prot);

/* Flag of pz_v7s_unmap(): the caller flushes everything before what was mapped is used again. */
#define PZ_V7S_QUEUED 0x1u

/**
 * pz_v7s_unmap - translate a range no more, whatever pages it is made of
 * @t: the tables
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of second levels that a split needs
 * @iova: where it begins, a multiple of the smallest page
 * @size: bytes, a multiple of the same, at least one page
 * @flags: PZ_V7S_QUEUED, or 0: each page is told to the add hook
 * @gather: passed to the add hook
 * @done: bytes that were mapped and are no more; may be NULL
 *
 * A page that lies in the range in part is split; what stays of 64 KiB in a row is a page of
 * 64 KiB. A whole MiB's second level goes back.
 *
 * Context: any. With PZ_GFP_BLOCK calls the hooks of the provider's allocator.
 * Return: 0; -PZ_ENOENT when a part of the range was not mapped: the rest of it is not either,
 * now; with nothing changed -PZ_EINVAL for a range that is not made of pages, an unknown flag, or a
 * split that needs pages of a size that is not in use; -PZ_ERANGE when a part of it lies beyond
 * @ias bits; -PZ_ENOMEM and what else the provider says for a split. A caller who lets others
 * change what is mapped in the same range may get the latter with a part unmapped, which @done
 * tells.
 */
int pz_v7s_unmap(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint64_t iova, uint64_t size,
		 uint32_t flags, void *gather, uint64_t *done);

/**
 * pz_v7s_trim - give back second levels that hold nothing
 * @t: the tables
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @iova: where to look
 * @size: and how far; clipped to the address space
 *
 * Context: any. Cost: O(MiB of the range).
 * Return: second levels that went back.
 */
uint64_t pz_v7s_trim(struct pz_v7s *t, uint32_t cpu, uint64_t iova, uint64_t size);

/**
 * pz_v7s_lookup - the physical address behind an iova
 * @t: the tables
 * @iova: the address
 * @phys: the physical address, written on success only
 *
 * Context: any. Takes no lock.
 * Return: 0, -PZ_ENOENT when it is not mapped, -PZ_ERANGE when it lies beyond @ias bits.
 */
int pz_v7s_lookup(const struct pz_v7s *t, uint64_t iova, uint64_t *phys);

/* A page, as it is mapped. */
struct pz_v7s_page {
	uint64_t iova, phys; /* of its first byte */
	uint32_t size; /* PZ_V7S_4K to PZ_V7S_16M */
	uint32_t prot; /* PZ_IOMMU_*; with PZ_V7S_NO_PERMS always READ and WRITE */
	uint32_t word; /* its descriptor */
};

/**
 * pz_v7s_query - the page that an iova lies in
 * @t: the tables
 * @iova: the address
 * @out: the page, written on success only
 *
 * Context: any. Takes no lock.
 * Return: as pz_v7s_lookup().
 */
int pz_v7s_query(const struct pz_v7s *t, uint64_t iova, struct pz_v7s_page *out);

/**
 * pz_v7s_each - go through the pages of a range
 * @t: the tables
 * @iova: where to begin
 * @size: how far; clipped to the address space
 * @fn: called with each page that is mapped and meets the range, in order; stops when it returns
 * other than 0
 * @ctx: passed to @fn
 *
 * Context: any. Takes no lock: what others change meanwhile is seen or not, page by page; a page
 * that is split meanwhile may be told besides pieces of it.
 * Return: 0, or what @fn returned.
 */
int pz_v7s_each(const struct pz_v7s *t, uint64_t iova, uint64_t size,
		int (*fn)(void *ctx, const struct pz_v7s_page *p), void *ctx);

/**
 * pz_v7s_encode - the descriptor of a page
 * @quirks: PZ_V7S_*
 * @size: of the page, PZ_V7S_4K to PZ_V7S_16M
 * @phys: where it leads, a multiple of @size
 * @prot: PZ_IOMMU_*
 *
 * Context: any.
 * Return: the word; what @phys and @quirks cannot hold is left out.
 */
uint32_t pz_v7s_encode(uint32_t quirks, uint32_t size, uint64_t phys, uint32_t prot);

/**
 * pz_v7s_decode - the page that a descriptor describes
 * @quirks: PZ_V7S_*
 * @level: 1 or 2
 * @word: the word
 * @out: the page, written on success only; its iova is 0
 *
 * Context: any.
 * Return: true when it is a page; false for a table and what is invalid.
 */
bool pz_v7s_decode(uint32_t quirks, unsigned int level, uint32_t word, struct pz_v7s_page *out);

/* Numbers of a set of tables. */
struct pz_v7s_stat {
	uint64_t tables; /* second levels now */
	uint64_t made, returned; /* second levels, ever */
	uint64_t splits; /* pages that were split, ever */
	uint64_t table_bytes; /* of both levels */
	uint64_t meta_bytes; /* besides; with a lazy @zeroed only what was touched is there */
};

/**
 * pz_v7s_stat - the numbers of a set of tables
 * @t: the tables
 * @out: the numbers
 *
 * Context: any; exact while nobody uses the tables.
 */
void pz_v7s_stat(const struct pz_v7s *t, struct pz_v7s_stat *out);

/**
 * pz_v7s_check - verify a set of tables
 * @t: the tables; nobody uses them meanwhile
 *
 * Context: any. Cost: O(words).
 * Return: 0, or the number of the first invariant of src/iommu/v7s.c that does not hold.
 */
int pz_v7s_check(const struct pz_v7s *t);

#ifdef __cplusplus
}
#endif

#endif
