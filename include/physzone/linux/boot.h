/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.h - what a Linux kernel asks of memory while it starts, as data: bounce buffers and gigantic
 * pages from memblock, then the pools of the DMA layer, huge pages, the first slab of a DMA cache
 * from the page allocator; and the lines that it prints about them.
 *
 * Nothing here allocates. A request says how much, in which orders, with which flags, in the order
 * in which the kernel comes to it; whoever has the machine makes it. Source followed:
 * docs/facts/dma.md sections 5 and 6, docs/facts/slab.md sections 2, 5 and 7; recorded boots.
 */
#ifndef PHYSZONE_LINUX_BOOT_H
#define PHYSZONE_LINUX_BOOT_H

#include <physzone/linux/cmdline.h>
#include <physzone/linux/gfp.h>
#include <physzone/linux/messages.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pzl_boot_what {
	PZL_BOOT_RESERVED, /* a node of the device tree's reserved-memory */
	PZL_BOOT_CMA, /* a contiguous area */
	PZL_BOOT_CRASH, /* the crash kernel's memory */
	PZL_BOOT_GIGANTIC, /* huge pages above the largest order */
	PZL_BOOT_SWIOTLB, /* bounce buffers */
	PZL_BOOT_POOL, /* a pool of the DMA layer for atomic allocations */
	PZL_BOOT_HUGETLB, /* huge pages out of the page allocator */
	PZL_BOOT_KMALLOC, /* the first slab of a dma-kmalloc cache, or a large kmalloc */
};

/* When it is asked for, in this order. */
enum pzl_boot_when {
	PZL_BOOT_MEMBLOCK, /* before there is a page allocator */
	PZL_BOOT_POSTCORE, /* postcore_initcall, before the watermarks are first computed */
	PZL_BOOT_SUBSYS, /* subsys_initcall */
	PZL_BOOT_LATER, /* a driver, after start-up */
};

#define PZL_BOOT_NAME 24u

/*
 * One request. To the page allocator: @order is tried first with @gfp, then with @retry_gfp each
 * below it down to @min_order; with @jump, @min_order at once, even when it is the same.
 */
struct pzl_boot_request {
	enum pzl_boot_what what;
	enum pzl_boot_when when;
	char name[PZL_BOOT_NAME]; /* "atomic pool", "2M huge page", "dma-kmalloc-64" */
	uint64_t bytes; /* what is asked for, each time */
	uint64_t min_bytes; /* memblock: halved down to this */
	uint64_t count; /* how many times; the first failure ends it */
	unsigned int order, min_order;
	bool jump;
	uint32_t gfp, retry_gfp; /* flags of the first try, and of those after it */
	bool cma; /* the default contiguous area is tried first at each order */
	unsigned int cma_align; /* alignment of that try, as an order */
	uint64_t max_addr; /* the address limit behind the flags, or of memblock; inclusive */
};

/* What swiotlb= says. */
struct pzl_swiotlb_words {
	uint64_t slots; /* of 2 KiB, a multiple of 128 */
	uint64_t areas; /* as given; 0 is the same as 1 */
	bool slots_given, areas_given;
	bool force, noforce;
};

/* The command line's words on start-up requests. */
struct pzl_boot_args {
	uint64_t coherent_pool; /* bytes; 0 for the default */
	bool coherent_pool_set; /* the word was given, perhaps with 0 */
	struct pzl_swiotlb_words swiotlb[2]; /* as kernels before 6.0 read it, and since */
	bool iommu_soft; /* x86: iommu=soft asks for bounce buffers too */
	bool iommu_off; /* x86: with iommu=off large memory does not ask for them */
};

/**
 * pzl_boot_args - read coherent_pool=, swiotlb= and iommu= as a kernel does
 * @cl: a parsed command line
 * @out: filled in
 *
 * Of several words of a name the last counts, for what it says.
 *
 * Context: any.
 */
void pzl_boot_args(const struct pzl_cmdline *cl, struct pzl_boot_args *out);

/* What coherent_pool= means. They differ for 0 and for the default. */
enum pzl_pool_rules {
	PZL_POOL_KERNEL, /* as kernels have it: 0 is the same as no word */
	PZL_POOL_DOCUMENTED, /* as their documentation states: the size, 256 KiB without a word */
	PZL_POOL_PROPOSED, /* as a patch proposed: 0 makes no pools */
};

/* What the requests depend on. */
struct pzl_boot_in {
	enum pzl_model model;
	enum pzl_arch arch;
	uint32_t page_shift;
	uint32_t max_order; /* pzl_max_order() */
	uint32_t configured; /* bit per enum pz_zone_type in the kernel */
	uint32_t cpus; /* possible CPUs, at least 1 */
	uint64_t ram_bytes; /* all memory */
	uint64_t ram_last; /* last byte of memory */
	uint64_t low_last; /* last byte that low early allocations may take: mostly 4 GiB - 1 */
	uint64_t totalram_pages; /* pages that the page allocator was given by then */
	bool managed_dma; /* some node has a managed page in ZONE_DMA */
	bool only_managed; /* dma-kmalloc caches are made only then, as a patch proposed */
	uint64_t zone_limit; /* pzl_dma_zone_limit() */
	uint64_t cma_last; /* last byte of the default contiguous area, 0 for none */
	bool pae; /* i386 */
	enum pzl_pool_rules pool_rules;
};

/**
 * pzl_pool_bytes - the size that a pool for atomic allocations asks for
 * @totalram_pages: managed pages
 * @page_shift: log2 of the page size
 * @max_order: largest order of the page allocator
 * @coherent_pool: bytes given on the command line, 0 for the default
 *
 * 128 KiB for each GiB, at least that and at most the largest block; coherent_pool=0 is the same
 * as none.
 *
 * Context: any.
 * Return: bytes.
 */
uint64_t pzl_pool_bytes(uint64_t totalram_pages, uint32_t page_shift, uint32_t max_order,
			uint64_t coherent_pool);

/**
 * pzl_boot_has_pools - whether an architecture's usual kernel has pools for atomic allocations
 * @arch: the architecture
 *
 * Context: any.
 * Return: true where distributions build them in; a kernel of one's own may differ.
 */
bool pzl_boot_has_pools(enum pzl_arch arch);

#define PZL_BOOT_POOLS 3u

/**
 * pzl_boot_pools - the requests of the DMA layer's pools, in the order in which they are made
 * @in: the machine
 * @args: the command line
 * @out: room for PZL_BOOT_POOLS requests
 *
 * The kernel's pool always; one in ZONE_DMA, from 5.17 on only when that has a managed page; one in
 * ZONE_DMA32 where the kernel has it. arm has one of its own. With coherent_pool=0 there is none by
 * rules other than the kernel's own.
 *
 * Context: any.
 * Return: number of requests, 0 for none.
 */
unsigned int pzl_boot_pools(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
			    struct pzl_boot_request *out);

/**
 * pzl_boot_swiotlb_words - what swiotlb= says to a kernel
 * @in: the machine
 * @args: the command line
 *
 * Context: any.
 * Return: the words, in @args.
 */
const struct pzl_swiotlb_words *pzl_boot_swiotlb_words(const struct pzl_boot_in *in,
						       const struct pzl_boot_args *args);

/**
 * pzl_boot_swiotlb - the memblock request of the bounce buffers
 * @in: the machine; totalram_pages, managed_dma and cma_last do not matter
 * @args: the command line
 * @out: the request, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT when the kernel takes none.
 */
int pzl_boot_swiotlb(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
		     struct pzl_boot_request *out);

/**
 * pzl_boot_bounces - whether this kernel would bounce for devices that do not reach all memory
 * @in: the machine
 * @args: the command line
 *
 * x86 says so in its log even when swiotlb=noforce left it without buffers.
 *
 * Context: any.
 * Return: true when memory lies beyond what every device reaches, or iommu=soft asks for it.
 */
bool pzl_boot_bounces(const struct pzl_boot_in *in, const struct pzl_boot_args *args);

/**
 * pzl_swiotlb_halve - what is tried after bounce buffers of a size found no place
 * @model: the model
 * @bytes: the size that failed
 *
 * Context: any.
 * Return: bytes to try next, 0 when the kernel gives up.
 */
uint64_t pzl_swiotlb_halve(enum pzl_model model, uint64_t bytes);

/**
 * pzl_boot_hugepages - the requests for huge pages that a command line makes
 * @in: the machine
 * @cl: a parsed command line
 * @out: room for @cap requests
 * @cap: room
 *
 * hugepages= after hugepagesz=, or of the default size. A size that the architecture has not makes
 * the kernel ignore the number after it. Numbers for single nodes are added up.
 *
 * Context: any.
 * Return: number of requests, also when it exceeds @cap.
 */
unsigned int pzl_boot_hugepages(const struct pzl_boot_in *in, const struct pzl_cmdline *cl,
				struct pzl_boot_request *out, unsigned int cap);

/**
 * pzl_boot_kmalloc_dma - the page request behind a driver's kmalloc(@bytes, GFP_KERNEL | GFP_DMA)
 * @in: the machine
 * @bytes: the size
 * @out: the request, written on success only
 *
 * The cache itself was made without a page; this is its first slab. Without debugging options.
 * Where there is no dma-kmalloc cache, that of kmalloc serves, from any address.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @bytes is 0 or above the largest kmalloc.
 */
int pzl_boot_kmalloc_dma(const struct pzl_boot_in *in, uint64_t bytes,
			 struct pzl_boot_request *out);

/**
 * pzl_print_swiotlb - the lines while bounce buffers are taken
 * @in: the machine
 * @args: the command line
 * @at: where they lie; NULL when no place was found
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * None where pzl_boot_swiotlb() has no request. All but x86 tell the place at once; x86 tells it
 * when it sets its devices up.
 *
 * Context: any; calls @emit.
 */
void pzl_print_swiotlb(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
		       const struct pz_range *at, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_swiotlb_late - the lines of x86 about bounce buffers that it will use
 * @in: the machine
 * @args: the command line
 * @at: where they lie; NULL for no buffers
 * @emit: called for each line; not at all where nothing is printed
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_swiotlb_late(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
			    const struct pz_range *at, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_cma - the line about a contiguous area that has been reserved, or not
 * @in: the machine
 * @bytes: its size
 * @at: where it lies; NULL when no place was found
 * @nid: the node that it was asked of, negative for any
 * @emit: called once
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_cma(const struct pzl_boot_in *in, uint64_t bytes, const struct pz_range *at, int nid,
		   pzl_emit_fn emit, void *ctx);

/* What a node of the device tree's reserved-memory is for. */
enum pzl_reserved_pool {
	PZL_RESERVED_PLAIN, /* nothing is made of it */
	PZL_RESERVED_CMA, /* "shared-dma-pool", reusable */
	PZL_RESERVED_COHERENT, /* "shared-dma-pool", not reusable: coherent memory of a device */
	PZL_RESERVED_BOUNCE, /* "restricted-dma-pool": bounce buffers of a device */
};

/**
 * pzl_reserved_pool - what a kernel makes of a node of reserved-memory
 * @arch: the architecture
 * @shared: compatible with shared-dma-pool
 * @restricted: compatible with restricted-dma-pool
 * @reusable: has that property
 * @nomap: has no-map
 *
 * Context: any.
 * Return: what it becomes.
 */
enum pzl_reserved_pool pzl_reserved_pool(enum pzl_arch arch, bool shared, bool restricted,
					 bool reusable, bool nomap);

/**
 * pzl_print_reserved_pool - the line about a pool that the device tree asks for
 * @in: the machine
 * @what: what is made of the node
 * @at: its memory
 * @misaligned: a contiguous area that does not begin and end on pageblocks: it is refused
 * @emit: called once, or not at all for a plain node
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_reserved_pool(const struct pzl_boot_in *in, enum pzl_reserved_pool what,
			     struct pz_range at, bool misaligned, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_cma_bypass - the line about a node that is not the default area, for cma= is given
 * @name: the node's
 * @emit: called once
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_cma_bypass(const char *name, pzl_emit_fn emit, void *ctx);

/**
 * pzl_print_pool - the line about a pool for atomic allocations
 * @in: the machine
 * @r: the request, of pzl_boot_pools()
 * @got: bytes that the pool has, 0 when it could not be made
 * @emit: called once
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_print_pool(const struct pzl_boot_in *in, const struct pzl_boot_request *r, uint64_t got,
		    pzl_emit_fn emit, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
