/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.h - what a Linux slab cache looks like in memory: where an object lies in its slot, how far
 * apart slots are, how large a slab is; and the caches of kmalloc().
 *
 * This is SLUB, as /sys/kernel/slab and /proc/slabinfo show it, without KASAN. Numbers are bytes
 * unless said otherwise. Nothing here depends on a cache's name.
 * Source followed: docs/facts/slab.md sections 3, 4, 5 and 7.
 */
#ifndef PHYSZONE_LINUX_SLAB_H
#define PHYSZONE_LINUX_SLAB_H

#include <physzone/linux/arch.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Flags of a cache, numbered here, for Linux's numbers changed. */
#define PZL_SLAB_HWCACHE_ALIGN 0x1u
#define PZL_SLAB_RECLAIM_ACCOUNT 0x2u
#define PZL_SLAB_TYPESAFE_BY_RCU 0x4u
#define PZL_SLAB_CACHE_DMA 0x8u
#define PZL_SLAB_CACHE_DMA32 0x10u
#define PZL_SLAB_ACCOUNT 0x20u
#define PZL_SLAB_KMALLOC 0x40u		   /* one of kmalloc()'s */
#define PZL_SLAB_CTOR 0x80u		   /* it has a constructor */
#define PZL_SLAB_CONSISTENCY_CHECKS 0x100u /* slub_debug=F */
#define PZL_SLAB_RED_ZONE 0x200u	   /* Z */
#define PZL_SLAB_POISON 0x400u		   /* P */
#define PZL_SLAB_STORE_USER 0x800u	   /* U */
#define PZL_SLAB_TRACE 0x1000u		   /* T */
#define PZL_SLAB_FAILSLAB 0x2000u	   /* A */
#define PZL_SLAB_NOLEAKTRACE 0x4000u	   /* U of slub_debug= is for it only when it is named */
#define PZL_SLAB_NO_USER_FLAGS 0x8000u	   /* slub_debug= is not for it; from 6.1 on */
#define PZL_SLAB_NO_MERGE 0x10000u	   /* 6.12 */
#define PZL_SLAB_USERCOPY 0x20000u	   /* user space may be copied to and from a part of it */

/* The debug options that take memory: those that slub_debug=O takes away again. */
#define PZL_SLAB_DEBUG_METADATA (PZL_SLAB_RED_ZONE | PZL_SLAB_POISON | PZL_SLAB_STORE_USER)
#define PZL_SLAB_DEBUG (PZL_SLAB_DEBUG_METADATA | PZL_SLAB_CONSISTENCY_CHECKS | PZL_SLAB_TRACE)

/* What the layout of every cache of a kernel depends on. Build it with pzl_slab_kernel_init(). */
struct pzl_slab_kernel {
	enum pzl_model model;
	uint32_t page_shift;
	uint32_t word;	      /* bytes of a pointer: 4 or 8 */
	uint32_t cache_line;  /* "HWalign" in the log */
	uint32_t min_align;   /* least alignment of any cache: 8, and 16 with memory tagging */
	uint32_t track;	      /* of one record of who allocated or freed; there are two */
	uint32_t cpus;	      /* present when the cache is made; where that is one, possible ones */
	uint32_t min_objects; /* slub_min_objects=, 0 for a number that depends on cpus */
	uint32_t min_order;   /* slub_min_order=, 0 */
	uint32_t max_order;   /* slub_max_order=, 3 */
	uint32_t largest_order; /* of the page allocator */
	bool cpu_partial;	/* built with lists of partial slabs for each CPU; nearly always */
	bool debug_keeps_order; /* slub_debug=O */
};

/* What a cache is made of. */
struct pzl_slab_cache {
	uint32_t object_size;
	uint32_t align;	    /* asked for; 0 for none */
	uint32_t flags;	    /* PZL_SLAB_* */
	bool freeptr_given; /* 6.12: the free pointer's place is given; only with TYPESAFE_BY_RCU */
	uint32_t freeptr;   /* and this is it: inside the object, and a multiple of the word */
};

/* What it looks like. Offsets of a slot count from the object; red_left_pad lies before it. */
struct pzl_slab_geometry {
	uint32_t flags; /* of the cache; with slub_debug=O debug options may have gone */
	uint32_t align;
	uint32_t size;		 /* from slot to slot: "slab_size" in /sys, "objsize" in slabinfo */
	uint32_t inuse;		 /* up to here the object and its right red zone */
	uint32_t offset;	 /* of the free pointer */
	uint32_t red_left_pad;	 /* the object starts so far behind the start of its slot */
	bool poisons_objects;	 /* free objects are filled, not only the gaps */
	uint32_t order;		 /* of a slab; "pagesperslab" in slabinfo is 1 << order */
	uint32_t objects;	 /* in it */
	uint32_t fallback_order; /* of a slab where there is no memory for that order */
	uint32_t fallback_objects;
	uint32_t min_partial; /* empty slabs are kept up to so many partial ones of a node */
	uint32_t cpu_partial; /* free objects that a CPU keeps in partial slabs; 0: no such list */
	uint32_t cpu_partial_slabs; /* the same in slabs; 5.15 counts objects, it is 0 there */
};

/**
 * pzl_slab_kernel_init - a kernel as it is usually built
 * @k: filled in
 * @model: the model
 * @arch: the architecture
 * @page_shift: log2 of the page size, 0 for the usual one
 *
 * One CPU, no parameters. The cache line is what most processors of the architecture have; the
 * record of users is for kernels that keep stacks in the stack depot (5.15: in the record).
 *
 * Context: any.
 */
void pzl_slab_kernel_init(struct pzl_slab_kernel *k, enum pzl_model model, enum pzl_arch arch,
			  uint32_t page_shift);

/**
 * pzl_slab_kernel_read - take over what a kernel said about its slabs
 * @k: cache_line, min_order, max_order, min_objects and cpus are replaced, on success only
 * @line: a line of its log, from "SLUB: HWalign=" on
 * @len: its length
 *
 * The CPUs of that line are the possible ones. Which of them are present decides when it is more
 * than one; they differ on machines that CPUs can be plugged into.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when the line is not that line.
 */
int pzl_slab_kernel_read(struct pzl_slab_kernel *k, const char *line, size_t len);

/**
 * pzl_slab_align - the alignment that a cache gets
 * @k: the kernel
 * @flags: PZL_SLAB_*; only HWCACHE_ALIGN counts
 * @align: asked for, 0 for none
 * @object_size: size of an object
 *
 * To the cache line, or to the smallest part of it that an object fits in. What has no
 * HWCACHE_ALIGN and asks for nothing is aligned to min_align, whatever its size. The alignment of
 * what this returns is itself.
 *
 * Context: any.
 * Return: the alignment.
 */
uint32_t pzl_slab_align(const struct pzl_slab_kernel *k, uint32_t flags, uint32_t align,
			uint32_t object_size);

/**
 * pzl_slab_geometry - what a cache looks like
 * @k: the kernel
 * @c: the cache
 * @out: the geometry, written on success only
 *
 * A cache that others were merged into has the largest of their object sizes, and the rest of its
 * own; it is not laid out again.
 *
 * Context: any. Cost: O(objects in a slab) divisions at most.
 * Return: 0; -PZ_EINVAL when an argument is out of range: no object, an alignment that is no power
 * of two (Linux does not look), a free pointer where none can be; -PZ_ERANGE when a slot exceeds
 * the largest block of the page allocator.
 */
int pzl_slab_geometry(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c,
		      struct pzl_slab_geometry *out);

/* The sets of caches that kmalloc() has. */
enum pzl_kmalloc_type {
	PZL_KMALLOC_NORMAL,  /* kmalloc-N */
	PZL_KMALLOC_CGROUP,  /* kmalloc-cg-N */
	PZL_KMALLOC_RECLAIM, /* kmalloc-rcl-N */
	PZL_KMALLOC_DMA,     /* dma-kmalloc-N */
	PZL_KMALLOC_RANDOM,  /* kmalloc-rnd-01-N to -15-N; 6.12, and not in every kernel */
	PZL_KMALLOC_TYPES,
};

#define PZL_KMALLOC_BIT(type) (1u << (type))
#define PZL_KMALLOC_COPIES 15u /* of the random set */

/* What kmalloc()'s caches depend on. Build it with pzl_kmalloc_init(). */
struct pzl_kmalloc {
	enum pzl_model model;
	uint32_t page_shift;
	uint32_t min_align; /* least alignment, and with that least size: ARCH_KMALLOC_MINALIGN */
	uint32_t min_align_now; /* 6.12: the same at run time; larger where nothing bounces */
};

/**
 * pzl_kmalloc_init - kmalloc() as an architecture usually has it
 * @km: filled in
 * @model: the model
 * @arch: the architecture
 * @page_shift: log2 of the page size, 0 for the usual one
 *
 * The least alignment is that of memory for devices where caches are not coherent: 128 on arm64
 * and mips, 64 on arm and, in 6.1, riscv; 8 elsewhere, and on arm64 and riscv in 6.12.
 *
 * Context: any.
 */
void pzl_kmalloc_init(struct pzl_kmalloc *km, enum pzl_model model, enum pzl_arch arch,
		      uint32_t page_shift);

/**
 * pzl_kmalloc_size - the size of the cache that serves a request
 * @km: from pzl_kmalloc_init()
 * @size: bytes asked for
 * @out: size of the objects of the cache, written on success only
 *
 * Beginning with 0, asking for one more than the last answer lists all sizes.
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL for a @size of 0, which needs no memory; -PZ_ERANGE when it is more than
 * two pages, which come from the page allocator.
 */
int pzl_kmalloc_size(const struct pzl_kmalloc *km, uint64_t size, uint32_t *out);

/**
 * pzl_kmalloc_cache - what one of kmalloc()'s caches is made of
 * @km: from pzl_kmalloc_init()
 * @type: the set
 * @size: size of its objects
 * @out: for pzl_slab_geometry(), written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT when there is no such cache.
 */
int pzl_kmalloc_cache(const struct pzl_kmalloc *km, enum pzl_kmalloc_type type, uint32_t size,
		      struct pzl_slab_cache *out);

/**
 * pzl_kmalloc_type - the set of caches that a request is served from
 * @gfp: flags
 * @types: PZL_KMALLOC_BIT() of each set that the kernel has
 *
 * Context: any.
 * Return: DMA before RECLAIM before CGROUP; a flag whose set the kernel has not does not count.
 * Which copy of the random set it is depends on the place of the call; NORMAL stands for all.
 */
enum pzl_kmalloc_type pzl_kmalloc_type(uint32_t gfp, uint32_t types);

/**
 * pzl_kmalloc_name - the name of one of kmalloc()'s caches
 * @buf: the buffer; may be NULL when @len is 0
 * @len: bytes of @buf; text that does not fit is cut, and a 0 byte ends it unless @len is 0
 * @type: the set
 * @copy: of the random set: 1 to PZL_KMALLOC_COPIES
 * @size: size of its objects
 *
 * Context: any.
 * Return: length of the whole name without the 0 byte; it was cut when it is @len or more.
 */
size_t pzl_kmalloc_name(char *buf, size_t len, enum pzl_kmalloc_type type, uint32_t copy,
			uint32_t size);

/**
 * pzl_kmalloc_parse - read such a name
 * @name: the name
 * @len: its length
 * @type: the set, written on success only
 * @copy: of the random set, else 0; written on success only
 * @size: size of the objects, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT when no cache of kmalloc() has that name, of whatever kernel.
 */
int pzl_kmalloc_parse(const char *name, size_t len, enum pzl_kmalloc_type *type, uint32_t *copy,
		      uint32_t *size);

#ifdef __cplusplus
}
#endif

#endif
