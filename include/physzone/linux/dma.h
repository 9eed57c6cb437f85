/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.h - coherent memory for devices as Linux's dma-direct gives it out, by version: masks, the
 * three tries, the pools for atomic allocations, regions of a device's own.
 *
 * This is a model, on a page allocator with PZ_POLICY_ZONELIST. What users meet as bugs is kept:
 *  - a mask is judged by how the kernel was built, not by what is managed: a 24-bit device in a
 *    capture kernel is accepted, and then gets nothing, without a word (threads 000 and 001);
 *  - a limit between two zones is rounded up, and what lies too high is given back for a page of
 *    the lowest zone: a 31-bit device of a PC gets ZONE_DMA, 14 MiB, of its 2 GiB;
 *  - only a page that lies too high leads to a lower zone, none at all ends the request;
 *  - a pool in ZONE_DMA is made only when that has pages (5.17), the one in ZONE_DMA32 blindly;
 *  - without the kernel's pool, nothing that came from the other two can be given back to them;
 *  - whether a page is directly mapped is asked of its zone, not of its address (thread 003).
 * physzone's own layer is dma.h one level up. Devices are described as there.
 *
 * What Linux prints goes to a hook, in its words; WARNs without a text are counted only.
 * Concurrency: none; a model is used by one context at a time.
 * Source followed: docs/facts/dma.md sections 1 to 3, 5, 8 and 9; docs/facts/page_alloc.md,
 * sections 11 and 12.
 */
#ifndef PHYSZONE_LINUX_DMA_H
#define PHYSZONE_LINUX_DMA_H

#include <physzone/dma.h>
#include <physzone/genpool.h>
#include <physzone/linux/boot.h>
#include <physzone/linux/direct.h>
#include <physzone/linux/messages.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a kernel was built. */
#define PZL_DMA_REMAP 0x1u    /* DMA_DIRECT_REMAP: memory is mapped anew for incoherent devices */
#define PZL_DMA_POOL 0x2u     /* DMA_COHERENT_POOL: there are pools for atomic allocations */
#define PZL_DMA_UNCACHED 0x4u /* ARCH_HAS_DMA_SET_UNCACHED: there is an uncached alias */
#define PZL_DMA_GLOBAL 0x8u   /* DMA_GLOBAL_POOL: incoherent devices share one region */
#define PZL_DMA_ARCH 0x10u    /* the architecture serves incoherent devices: not modelled */

/* Who decides that memory is encrypted. */
enum pzl_dma_crypt {
	PZL_DMA_PLAIN, /* nobody */
	PZL_DMA_HOST,  /* the kernel (SME): devices that drive the bit see encrypted memory too */
	PZL_DMA_GUEST, /* a guest's owner (SEV, TDX, protected virtualisation): no device does */
};

/* What becomes of a page that does not count as directly mapped. */
enum pzl_dma_high {
	PZL_HIGH_REMAP,	    /* it is mapped anew (6.1, 6.12; 5.15 that can remap) */
	PZL_HIGH_REFUSE,    /* it is given back (5.15) */
	PZL_HIGH_UNCHECKED, /* its address is used without a look (4.17): the kernel crashes */
};

struct pzl_dma_config {
	/* The machine: model, arch, page_shift, max_order, configured, zone_limit and ram_last
	 * count; for the pools also totalram_pages, managed_dma, cma_last and pool_rules. */
	struct pzl_boot_in boot;
	struct pzl_boot_args args; /* coherent_pool= */
	struct pz_pages *pages;	   /* must outlive the model */
	const struct pz_meta *meta;
	struct pz_bugs *bugs; /* told where a kernel would crash; may be NULL */
	uint32_t build;	      /* PZL_DMA_* */
	uint32_t cma;	      /* the default contiguous area, or PZ_DMA_NO_CMA */
	enum pzl_dma_crypt crypt;
	uint64_t private_bit; /* the bit of bus addresses of encrypted memory, 0 for none */
	enum pzl_dma_high high;
	/*
	 * How to tell what is directly mapped: by the zone of the page, as Linux does, when @zones
	 * is not NULL; else by its address, below @high_first. With @cma_movable pages of
	 * contiguous areas count as ZONE_MOVABLE, as 4.17 had it until it was reverted.
	 */
	const struct pz_zones *zones;
	uint64_t high_first; /* PZ_ADDR_MAX when all memory is directly mapped */
	bool cma_movable;
	/* direct, remap, unmap, share and work are used; without direct no memory is touched, and
	 * buffers have no address. */
	struct pz_dma_hooks hooks;
	pzl_emit_fn emit; /* takes what the kernel prints; may be NULL */
	void *emit_ctx;
};

/**
 * pzl_dma_config_init - a kernel as distributions build it
 * @cfg: filled in; the machine's numbers, pages and meta are left to the caller
 * @model: the model
 * @arch: the architecture
 *
 * Context: any.
 */
void pzl_dma_config_init(struct pzl_dma_config *cfg, enum pzl_model model, enum pzl_arch arch);

enum pzl_dma_pool {
	PZL_DMA_POOL_KERNEL,
	PZL_DMA_POOL_DMA32,
	PZL_DMA_POOL_DMA,
	PZL_DMA_POOLS,
};

/* WARN_ON_ONCE and the like: bits of pzl_dma.warned. */
#define PZL_DMA_WARN_NO_MASK 0x1u   /* the device has no coherent mask; it goes on */
#define PZL_DMA_WARN_COMP 0x2u	    /* 6.12: __GFP_COMP; refused */
#define PZL_DMA_WARN_ZONE_BITS 0x4u /* a zone bit where pages are asked for; refused */
#define PZL_DMA_WARN_IRQS 0x8u	    /* freed with interrupts disabled; it goes on */
#define PZL_DMA_WARN_PLATFORM 0x10u /* 6.12: no way to serve incoherent devices */
#define PZL_DMA_WARN_CRYPT 0x20u    /* a pool's memory cannot be encrypted again; leaked */
#define PZL_DMA_WARN_GLOBAL 0x40u   /* freed to the global region, and not of it */
#define PZL_DMA_WARN_NO_POOL 0x80u  /* an atomic request, and the kernel was built without pools */

/* What came of one step of an allocation. */
enum pzl_dma_came {
	PZL_DMA_NOTHING, /* none there, or refused */
	PZL_DMA_BEYOND,	 /* out of the device's reach: given back */
	PZL_DMA_HIGH,	 /* not directly mapped: given back */
	PZL_DMA_TAKEN,
};

struct pzl_dma_step {
	uint8_t from; /* enum pz_dma_from; PZ_DMA_FROM_BOUNCE is a restricted pool */
	uint8_t came; /* enum pzl_dma_came */
	uint8_t pool; /* enum pzl_dma_pool, of PZ_DMA_FROM_ATOMIC */
	uint32_t gfp;
	uint64_t phys; /* unless nothing came */
};

#define PZL_DMA_STEPS 8u

/* How an allocation went. */
struct pzl_dma_trace {
	uint32_t n; /* steps, also when it exceeds PZL_DMA_STEPS */
	struct pzl_dma_step step[PZL_DMA_STEPS];
};

struct pzl_dma_region;

/* The DMA layer of a kernel. Its fields are to be read only, but for @trace. */
struct pzl_dma {
	struct pzl_dma_config cfg;
	uint64_t pool_bytes;			/* what a pool asks for, and below which it grows */
	struct pz_genpool *pool[PZL_DMA_POOLS]; /* NULL for one that does not exist */
	struct pzl_boot_request asked[PZL_DMA_POOLS]; /* how each was first asked for */
	bool work;				      /* growth of pools is due: pzl_dma_work() */
	bool incomplete; /* a pool could not be made: the initcall failed, start-up went on */
	uint32_t warned; /* PZL_DMA_WARN_*, each is told once */
	struct pzl_dma_region *global;
	struct pzl_dma_trace *trace; /* filled in by each allocation; NULL for none */
};

/**
 * pzl_dma_init - start the DMA layer of a kernel: make its pools for atomic allocations
 * @d: the layer
 * @cfg: the kernel; copied
 *
 * As the initcall does, in its order; a pool that finds no memory is printed, and the rest goes on.
 *
 * Context: calls the metadata hook, and allocates pages.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM without metadata; nothing is held then.
 */
int pzl_dma_init(struct pzl_dma *d, const struct pzl_dma_config *cfg);

/**
 * pzl_dma_destroy - give the pools back
 * @d: the layer
 *
 * Linux never does. A pool of which a piece is out stays, with its pages, and is told to pz_bug().
 *
 * Context: calls the metadata hook.
 */
void pzl_dma_destroy(struct pzl_dma *d);

/* A way to the bounce buffers of a device that sees nothing else ("restricted-dma-pool"). */
struct pzl_dma_restricted {
	int (*alloc)(void *ctx, uint64_t bytes, uint64_t *phys); /* 0 when there is room */
	bool (*free)(void *ctx, uint64_t phys, uint64_t bytes);	 /* false when it is none of it */
	void *ctx;
};

/*
 * A device. Of @cfg these count: name, driver, mask, coherent_mask, bus_limit, windows (the first
 * that has an address translates it), coherent, shared, nid, cma.
 */
struct pzl_dma_dev {
	struct pz_dma_dev_config cfg;
	bool no_mask; /* its bus code left dev->dma_mask NULL */
	struct pzl_dma_region *region;
	const struct pzl_dma_restricted *restricted;
};

/**
 * pzl_dma_to_bus - the bus address of a physical address
 * @d: the layer
 * @dev: the device
 * @phys: the address
 *
 * Context: any.
 * Return: the bus address, with the bit for encrypted memory where the device drives it;
 * PZ_DMA_ERROR when no window has it.
 */
uint64_t pzl_dma_to_bus(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys);

/**
 * pzl_dma_to_phys - the physical address of a bus address
 * @d: the layer
 * @dev: the device
 * @bus: the address
 *
 * Context: any.
 * Return: the physical address, PZ_ADDR_MAX when no window has it.
 */
uint64_t pzl_dma_to_phys(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t bus);

/**
 * pzl_dma_supported - whether a mask is accepted
 * @d: the layer
 * @dev: the device
 * @mask: the mask
 *
 * 32 bits and more always; fewer when they cover ZONE_DMA as the kernel was built, or all memory.
 * Whether any page could ever be had is not asked.
 *
 * Context: any.
 * Return: true when it is.
 */
bool pzl_dma_supported(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t mask);

/**
 * pzl_dma_set_mask - dma_set_mask()
 * @d: the layer
 * @dev: the device
 * @mask: the mask
 *
 * Context: any.
 * Return: 0, or -PZ_ERANGE (Linux: -EIO).
 */
int pzl_dma_set_mask(const struct pzl_dma *d, struct pzl_dma_dev *dev, uint64_t mask);

/**
 * pzl_dma_set_coherent_mask - dma_set_coherent_mask()
 * @d: the layer
 * @dev: the device
 * @mask: the mask
 *
 * Context: any.
 * Return: 0, or -PZ_ERANGE (Linux: -EIO).
 */
int pzl_dma_set_coherent_mask(const struct pzl_dma *d, struct pzl_dma_dev *dev, uint64_t mask);

/**
 * pzl_dma_set_masks - dma_set_mask_and_coherent()
 * @d: the layer
 * @dev: the device
 * @mask: the mask
 *
 * The first mask stays set when the second is refused.
 *
 * Context: any.
 * Return: 0, or -PZ_ERANGE (Linux: -EIO).
 */
int pzl_dma_set_masks(const struct pzl_dma *d, struct pzl_dma_dev *dev, uint64_t mask);

/**
 * pzl_dma_required_mask - dma_get_required_mask()
 * @d: the layer
 * @dev: the device
 *
 * Context: any.
 * Return: 2^n - 1 that covers the bus address of the last page of memory.
 */
uint64_t pzl_dma_required_mask(const struct pzl_dma *d, const struct pzl_dma_dev *dev);

/**
 * pzl_dma_plan - the zone bits that a device's requests are made with
 * @d: the layer
 * @dev: the device
 * @plan: filled in
 *
 * Context: any.
 */
void pzl_dma_plan(const struct pzl_dma *d, const struct pzl_dma_dev *dev, struct pzl_direct *plan);

/**
 * pzl_dma_coherent_ok - whether the device may have coherent memory there
 * @d: the layer
 * @dev: the device
 * @phys: its address
 * @bytes: its size, not 0
 *
 * Only the first byte is translated, and only the last one is held against the mask, as Linux does.
 *
 * Context: any.
 * Return: true when it may.
 */
bool pzl_dma_coherent_ok(const struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t phys,
			 uint64_t bytes);

/* A buffer. */
struct pzl_dma_buf {
	void *cpu_addr; /* NULL with PZ_DMA_NO_KERNEL_MAPPING, or without hooks */
	uint64_t bus;
	uint64_t phys;
	uint64_t size; /* as it was asked for */
	uint32_t attrs;
	uint8_t from; /* enum pz_dma_from */
	uint8_t pool; /* enum pzl_dma_pool, of PZ_DMA_FROM_ATOMIC */
	bool mapped;  /* its address is not that of the direct map */
};

/**
 * pzl_dma_alloc - dma_alloc_attrs()
 * @d: the layer
 * @dev: the device
 * @size: bytes; rounded up to pages
 * @gfp: PZL_GFP_*; the zone bits are dropped
 * @attrs: PZ_DMA_*
 * @buf: the buffer, written on success only
 *
 * Context: with PZL_GFP_DIRECT_RECLAIM calls the page allocator's hooks, remap and share.
 * Return: 0, or -PZ_ENOMEM for whatever Linux returns NULL for.
 */
int pzl_dma_alloc(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t size, uint32_t gfp,
		  uint32_t attrs, struct pzl_dma_buf *buf);

/**
 * pzl_dma_free - dma_free_attrs()
 * @d: the layer
 * @dev: the device
 * @buf: the buffer; where it came from is found by its address, as Linux does
 * @irqs_off: the caller has interrupts disabled
 *
 * Context: may block.
 */
void pzl_dma_free(struct pzl_dma *d, const struct pzl_dma_dev *dev, const struct pzl_dma_buf *buf,
		  bool irqs_off);

/**
 * pzl_dma_alloc_pages - dma_alloc_pages()
 * @d: the layer
 * @dev: the device
 * @size: bytes; rounded up to pages
 * @gfp: PZL_GFP_*; a zone bit is refused
 * @buf: the buffer, written on success only
 *
 * Context: as pzl_dma_alloc().
 * Return: as pzl_dma_alloc().
 */
int pzl_dma_alloc_pages(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t size,
			uint32_t gfp, struct pzl_dma_buf *buf);

/**
 * pzl_dma_free_pages - dma_free_pages()
 * @d: the layer
 * @dev: the device
 * @buf: the buffer
 *
 * Context: may block.
 */
void pzl_dma_free_pages(struct pzl_dma *d, const struct pzl_dma_dev *dev,
			const struct pzl_dma_buf *buf);

/**
 * pzl_dma_pool_alloc - take memory from the pools for atomic allocations (dma_alloc_from_pool)
 * @d: the layer
 * @dev: whom it is for: the name, and, with @check, what it reaches
 * @size: bytes; rounded up to pages
 * @gfp: the zone bits name the pool to begin with
 * @check: the device must reach it
 * @buf: cpu_addr, phys, size, from and pool are written, on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOMEM.
 */
int pzl_dma_pool_alloc(struct pzl_dma *d, const struct pzl_dma_dev *dev, uint64_t size,
		       uint32_t gfp, bool check, struct pzl_dma_buf *buf);

/**
 * pzl_dma_pool_free - give memory back to the pool that it came from (dma_free_from_pool)
 * @d: the layer
 * @phys: its address
 * @size: its size
 *
 * The walk begins at the kernel's pool; without that, no pool is found.
 *
 * Context: any.
 * Return: false when no pool has it.
 */
bool pzl_dma_pool_free(struct pzl_dma *d, uint64_t phys, uint64_t size);

/**
 * pzl_dma_work - let pools grow that have run low
 * @d: the layer
 *
 * Doubles each that has less free than it was first asked for. Pools never shrink.
 *
 * Context: may block; calls the metadata hook.
 */
void pzl_dma_work(struct pzl_dma *d);

/**
 * pzl_dma_pool_size - what debugfs shows of a pool, pool_size_kernel and the like
 * @d: the layer
 * @pool: the pool
 *
 * Context: any.
 * Return: bytes, 0 for a pool that does not exist.
 */
uint64_t pzl_dma_pool_size(const struct pzl_dma *d, enum pzl_dma_pool pool);

/* A region of coherent memory of one device, or of several. */
struct pzl_dma_region {
	struct pz_range phys;
	uint64_t bus; /* of its first byte; PZ_DMA_ERROR to translate it for each device */
	uint32_t page_shift;
	uint64_t *map; /* a bit for each page in use */
	uint64_t pages;
	void *cpu_addr;
	const struct pz_meta *meta;
};

/**
 * pzl_dma_region_init - make a region
 * @d: the layer
 * @r: the region
 * @phys: its memory, not managed by the page allocator
 * @bytes: its size
 * @bus: bus address of its first byte; PZ_DMA_ERROR to translate it for each device, as is done
 *   with those of a device tree
 *
 * Context: calls the metadata hook and the remap hook.
 * Return: 0, -PZ_EINVAL for a size of 0 or a region that cannot be mapped, -PZ_ENOMEM.
 */
int pzl_dma_region_init(const struct pzl_dma *d, struct pzl_dma_region *r, uint64_t phys,
			uint64_t bytes, uint64_t bus);

/**
 * pzl_dma_region_destroy - give back what a region holds
 * @d: the layer
 * @r: the region; no device has it
 *
 * Context: calls the metadata hook and the unmap hook.
 */
void pzl_dma_region_destroy(const struct pzl_dma *d, struct pzl_dma_region *r);

/**
 * pzl_dma_region_assign - let a device have its coherent memory from a region only
 * @d: the layer
 * @dev: the device, or NULL
 * @r: the region
 * @from_tree: it is the device tree's: a warning is printed when it lies out of reach, and it is
 *   attached all the same
 *
 * Context: any.
 * Return: 0, -PZ_ENOENT without a device (Linux: -ENODEV), -PZ_EBUSY when it has a region.
 */
int pzl_dma_region_assign(const struct pzl_dma *d, struct pzl_dma_dev *dev,
			  struct pzl_dma_region *r, bool from_tree);

/**
 * pzl_dma_region_global - the region that all incoherent devices share ("linux,dma-default")
 * @d: the layer, of a kernel with PZL_DMA_GLOBAL
 * @r: the region
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL for another kernel, -PZ_EBUSY when there is one.
 */
int pzl_dma_region_global(struct pzl_dma *d, struct pzl_dma_region *r);

#ifdef __cplusplus
}
#endif

#endif
