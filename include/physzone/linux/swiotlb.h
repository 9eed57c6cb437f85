/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb.h - Linux's bounce buffers, by version: how many slots there are and where, which slots a
 * mapping gets, what is copied when, and what the kernel prints.
 *
 * This is a model. What users meet as limits or bugs is kept: a mapping is at most 256 KiB, the
 * buffers lie where the boot put them whatever the device reaches, a shrunk 6.1 divides them into
 * areas smaller than a segment, 6.1 does not copy what begins in the low bytes that a device wants
 * kept, and it can search for ever, for a device that wants more of them kept than a slot has.
 * physzone's own bounce buffers are bounce.h one level up.
 *
 * Memory itself is never touched: what is to be copied goes to a hook. What the kernel prints goes
 * to a hook too, each time; a kernel prints "once" and rate limited lines less often.
 * Concurrency: none; a model is used by one context at a time. @cpu says whose area is searched
 * first.
 * Source followed: docs/facts/dma.md sections 4, 6, 8 and 9.
 */
#ifndef PHYSZONE_LINUX_SWIOTLB_H
#define PHYSZONE_LINUX_SWIOTLB_H

#include <physzone/dma.h>
#include <physzone/linux/messages.h>
#include <physzone/memblock.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZL_SWIOTLB_SHIFT 11u
#define PZL_SWIOTLB_SLOT 2048u	   /* bytes of a slot */
#define PZL_SWIOTLB_SEGMENT 128u   /* slots of a segment, which a mapping does not cross */
#define PZL_SWIOTLB_SLOTS 32768u   /* what is taken when nothing else is said: 64 MiB */
#define PZL_SWIOTLB_MIN_SLOTS 512u /* what is tried last: 1 MiB */

/* What the kernel around it does. Each may be NULL. */
struct pzl_swiotlb_hooks {
	/* Copy between memory of a driver and a buffer; high memory comes page by page. */
	void (*copy)(void *ctx, uint64_t orig, uint64_t buffer, uint64_t bytes, bool to_buffer);
	/* Cache maintenance for a device that is not coherent: before it looks, or before the CPU
	 * does. */
	void (*cache)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir,
		      bool for_device);
	/* The pools for atomic allocations, for encrypted memory that cannot be shared here: 0 and
	 * the address, and back. */
	int (*atomic)(void *ctx, uint64_t bytes, uint64_t *phys);
	void (*atomic_free)(void *ctx, uint64_t phys, uint64_t bytes);
	/* Takes what is printed. */
	pzl_emit_fn emit;
	void *ctx;
};

struct pzl_swiotlb_config {
	enum pzl_model model;
	uint32_t page_shift;
	uint32_t max_order;  /* pzl_max_order() */
	uint32_t cpus;	     /* possible CPUs, at least 1 */
	uint32_t configured; /* bit per enum pz_zone_type in the kernel */
	uint64_t zone_limit; /* pzl_dma_zone_limit() */
	uint64_t low_last;   /* last byte of low early memory: mostly 4 GiB - 1 */
	uint64_t high_first; /* first byte of high memory, PZ_ADDR_MAX for none */
	bool narrow;	     /* addresses have 32 bits, and are printed so */
	bool dynamic;	     /* 6.12: CONFIG_SWIOTLB_DYNAMIC, pools are added when they are full */
	bool encrypted;	     /* memory must be shared with devices: remapped, so it cannot grow */
	bool atomic_encrypted;	    /* what may not block cannot share memory with devices */
	const struct pz_meta *meta; /* must outlive the model */
	struct pz_bugs *bugs;	    /* where a kernel would crash; may be NULL */
	struct pz_pages *pages;	    /* for late and added pools; NULL before there is one */
	struct pzl_swiotlb_hooks hooks;
};

/* A slot. */
struct pzl_swiotlb_slot {
	uint64_t orig; /* what is bounced there, PZ_ADDR_MAX for nothing */
	uint64_t size; /* bytes of the mapping from here on; may have wrapped, as in the kernel */
	uint16_t list; /* free slots from here on to the end of the segment, 0 when in use */
	uint16_t pad;  /* 6.12: slots before it that keep an alignment */
	bool head;     /* a buffer begins here */
};

/* Slots that one CPU searches first. */
struct pzl_swiotlb_area {
	uint32_t used;
	uint32_t index; /* where the next search begins, in slots of the area */
};

/* Where a pool's memory came from. */
enum pzl_swiotlb_from {
	PZL_SWIOTLB_FROM_MEMBLOCK,
	PZL_SWIOTLB_FROM_PAGES,
	PZL_SWIOTLB_FROM_ATOMIC,
	PZL_SWIOTLB_FROM_RESERVED, /* given */
};

/* A run of slots. 5.15 and 6.1 have one; 6.12 may add more. */
struct pzl_swiotlb_pool {
	struct pzl_swiotlb_pool *next;
	uint64_t start;	     /* its address */
	uint32_t slots;	     /* how many */
	uint32_t areas;	     /* divided into so many */
	uint32_t area_slots; /* of so many each */
	struct pzl_swiotlb_slot *slot;
	struct pzl_swiotlb_area *area;
	const struct pzl_swiotlb_dev *owner; /* a transient pool's device, else NULL */
	uint8_t from;			     /* enum pzl_swiotlb_from */
	uint8_t order;			     /* of pages */
};

struct pzl_swiotlb;

/* Bounce buffers of the machine, or of devices that see nothing else. */
struct pzl_swiotlb_mem {
	struct pzl_swiotlb *sw;
	struct pzl_swiotlb_pool *pools;	    /* the newest first */
	struct pzl_swiotlb_pool *transient; /* of one mapping each */
	uint64_t slots;			    /* of the pools that stay; 0 for no buffers */
	uint64_t used, used_most;	    /* slots in use, transient ones too */
	uint64_t transient_slots;
	uint64_t phys_limit; /* pools are added below it */
	bool force;	     /* every streaming mapping is bounced */
	bool for_alloc;	     /* coherent memory comes from here too */
	bool can_grow;
	bool work; /* pzl_swiotlb_work() has something to do */
};

/* The kernel's settings, and the buffers of the machine. Its fields are to be read only. */
struct pzl_swiotlb {
	struct pzl_swiotlb_config cfg;
	uint64_t default_slots;
	uint32_t default_areas; /* 0 until it is known; 5.15 has none */
	bool force, noforce;
	bool panicked; /* 5.15: a kernel without memory for its records stops here */
	bool hung; /* 5.15, 6.1: a search in full buffers does not end; the kernel stops there */
	struct pzl_swiotlb_mem mem;
};

/*
 * A device. Of @cfg these count: name, driver, mask, bus_limit, windows (the first that has an
 * address translates it), boundary, keep_mask (min_align_mask), max_segment, coherent.
 */
struct pzl_swiotlb_dev {
	struct pz_dma_dev_config cfg;
	struct pzl_swiotlb_mem *mem; /* the machine's, or its own */
	bool bounced;		     /* a buffer was handed to it */
};

/**
 * pzl_swiotlb_create - a kernel's settings before its command line is read
 * @sw: filled in; it points to itself, and must not be moved
 * @cfg: the kernel; copied
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL for an unknown model, page size or no CPUs.
 */
int pzl_swiotlb_create(struct pzl_swiotlb *sw, const struct pzl_swiotlb_config *cfg);

/**
 * pzl_swiotlb_destroy - give back what a model holds
 * @sw: the model; nothing is mapped any more
 *
 * Memory of the page allocator is freed, memory of memblock stays reserved.
 *
 * Context: calls the metadata hook.
 */
void pzl_swiotlb_destroy(struct pzl_swiotlb *sw);

/**
 * pzl_swiotlb_param - swiotlb=
 * @sw: the settings
 * @value: what stands behind the sign
 * @len: its length
 *
 * SLOTS[,AREAS][,force|noforce]. Slots are rounded up to a multiple of 128; areas, which 5.15 has
 * not, to a power of two, and slots are rounded up for them at once. A word may stand alone. Text
 * that is none of this is ignored.
 *
 * Context: any; may call the emit hook.
 */
void pzl_swiotlb_param(struct pzl_swiotlb *sw, const char *value, size_t len);

/**
 * pzl_swiotlb_adjust_size - let the architecture choose a size
 * @sw: the settings
 * @bytes: the size
 *
 * Only when the size is still the default one.
 *
 * Context: any; may call the emit hook.
 */
void pzl_swiotlb_adjust_size(struct pzl_swiotlb *sw, uint64_t bytes);

#define PZL_SWIOTLB_VERBOSE 1u /* say where they are */
#define PZL_SWIOTLB_FORCE 2u   /* bounce every mapping */
#define PZL_SWIOTLB_ANY 4u     /* they may lie anywhere */

/**
 * pzl_swiotlb_init - take the buffers from memblock
 * @sw: the settings
 * @mb: early memory
 * @limited: some device may not reach all memory
 * @flags: PZL_SWIOTLB_*
 *
 * From 6.0 on a size that finds no place is halved, down to 512 slots; 5.15 gives up.
 *
 * Context: may call the metadata and emit hooks.
 * Return: 0; -PZ_ENOENT when the kernel takes none; -PZ_EEXIST when there are some; -PZ_ENOMEM.
 */
int pzl_swiotlb_init(struct pzl_swiotlb *sw, struct pz_memblock *mb, bool limited, uint32_t flags);

/**
 * pzl_swiotlb_init_late - take the buffers from the page allocator
 * @sw: the settings
 * @bytes: how much
 * @gfp: PZL_GFP_*
 *
 * The order is reduced until it fits, as long as more than 512 slots remain.
 *
 * Context: may block where @gfp allows it; calls the metadata and emit hooks.
 * Return: 0, also when there are some, or with noforce; -PZ_EINVAL without a page allocator;
 * -PZ_ENOMEM.
 */
int pzl_swiotlb_init_late(struct pzl_swiotlb *sw, uint64_t bytes, uint32_t gfp);

/**
 * pzl_swiotlb_exit - give the buffers of the machine back
 * @sw: the settings
 *
 * Not when they are forced. Pages of memblock go to the page allocator.
 *
 * Context: calls the metadata and emit hooks.
 */
void pzl_swiotlb_exit(struct pzl_swiotlb *sw);

/**
 * pzl_swiotlb_print - say where the buffers of the machine are
 * @sw: the settings
 *
 * Context: any; calls the emit hook.
 */
void pzl_swiotlb_print(const struct pzl_swiotlb *sw);

/**
 * pzl_swiotlb_restrict - buffers of devices that see nothing else ("restricted-dma-pool")
 * @mem: filled in
 * @sw: the settings
 * @at: the memory
 *
 * One area; every streaming mapping is bounced, and coherent memory comes from here.
 *
 * Context: calls the metadata hook.
 * Return: 0; -PZ_EINVAL when it is malformed, smaller than a slot, or in high memory; -PZ_ENOMEM.
 */
int pzl_swiotlb_restrict(struct pzl_swiotlb_mem *mem, struct pzl_swiotlb *sw, struct pz_range at);

/**
 * pzl_swiotlb_release - give back the records of such buffers
 * @mem: the buffers; no device uses them any more
 *
 * Context: calls the metadata hook.
 */
void pzl_swiotlb_release(struct pzl_swiotlb_mem *mem);

/**
 * pzl_swiotlb_work - add a pool, as the worker does that a full one wakes
 * @mem: the buffers
 *
 * 6.12 with CONFIG_SWIOTLB_DYNAMIC: the default size, halved down to 512 slots.
 *
 * Context: may block; calls the metadata and emit hooks.
 * Return: 0; -PZ_ENOENT when nobody asked; -PZ_ENOMEM.
 */
int pzl_swiotlb_work(struct pzl_swiotlb_mem *mem);

/**
 * pzl_swiotlb_debugfs - the numbers of debugfs
 * @mem: the buffers
 * @emit: called for each file: its name, a blank and the number
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_swiotlb_debugfs(const struct pzl_swiotlb_mem *mem, pzl_emit_fn emit, void *ctx);

/**
 * pzl_swiotlb_dev_init - an ordinary device on the buffers of the machine
 * @dev: filled in
 * @sw: the machine's
 * @name: its name
 * @bits: address lines that it drives, 1 to 64
 *
 * Context: any.
 */
void pzl_swiotlb_dev_init(struct pzl_swiotlb_dev *dev, struct pzl_swiotlb *sw, const char *name,
			  unsigned int bits);

/**
 * pzl_swiotlb_bus - the bus address of a physical address
 * @dev: the device
 * @phys: the address
 *
 * Context: any.
 * Return: the bus address, PZ_DMA_ERROR when no window has it.
 */
uint64_t pzl_swiotlb_bus(const struct pzl_swiotlb_dev *dev, uint64_t phys);

/**
 * pzl_swiotlb_phys - the physical address of a bus address
 * @dev: the device
 * @bus: the address
 *
 * Context: any.
 * Return: the physical address, PZ_ADDR_MAX when no window has it.
 */
uint64_t pzl_swiotlb_phys(const struct pzl_swiotlb_dev *dev, uint64_t bus);

/**
 * pzl_swiotlb_max_mapping - the largest mapping that can be bounced
 * @dev: the device
 *
 * Context: any.
 * Return: 256 KiB, less the low bits that the device wants kept rounded up to slots.
 */
uint64_t pzl_swiotlb_max_mapping(const struct pzl_swiotlb_dev *dev);

/**
 * pzl_swiotlb_find - the pool that an address lies in
 * @dev: the device
 * @phys: the address
 *
 * Context: any.
 * Return: a pool of the device's buffers, or a transient one of its own; NULL for none.
 */
struct pzl_swiotlb_pool *pzl_swiotlb_find(const struct pzl_swiotlb_dev *dev, uint64_t phys);

/**
 * pzl_swiotlb_tbl_map - give a piece of memory a bounce buffer (swiotlb_tbl_map_single)
 * @dev: the device
 * @cpu: the calling CPU
 * @orig: the memory
 * @size: its size, at least 1
 * @align_mask: the buffer's first and last byte are aligned to this plus one, a power of two; 0
 * for no matter
 * @attrs: PZ_DMA_NO_WARN counts
 *
 * What is there is copied into the buffer, whoever will write.
 *
 * Context: calls the hooks.
 * Return: the address of the buffer, or PZ_DMA_ERROR.
 */
uint64_t pzl_swiotlb_tbl_map(struct pzl_swiotlb_dev *dev, uint32_t cpu, uint64_t orig,
			     uint64_t size, uint64_t align_mask, uint32_t attrs);

/**
 * pzl_swiotlb_tbl_unmap - free a bounce buffer (swiotlb_tbl_unmap_single)
 * @dev: the device
 * @buffer: its address
 * @size: the size that was mapped
 * @dir: who has written
 * @attrs: with PZ_DMA_SKIP_CPU_SYNC nothing is copied back
 *
 * A buffer that is none, where Linux would lose count of its slots, is told to pz_bug().
 *
 * Context: calls the hooks.
 */
void pzl_swiotlb_tbl_unmap(struct pzl_swiotlb_dev *dev, uint64_t buffer, uint64_t size,
			   enum pz_dma_dir dir, uint32_t attrs);

/**
 * pzl_swiotlb_sync - copy a part of a bounce buffer, as the direction asks for
 * @dev: the device
 * @buffer: address of the part
 * @size: its size
 * @dir: who writes
 * @for_device: the device will look, else the CPU
 *
 * Context: calls the hooks.
 */
void pzl_swiotlb_sync(struct pzl_swiotlb_dev *dev, uint64_t buffer, uint64_t size,
		      enum pz_dma_dir dir, bool for_device);

/**
 * pzl_swiotlb_alloc - coherent memory of a restricted device (swiotlb_alloc)
 * @dev: the device
 * @cpu: the calling CPU
 * @size: bytes, at least 1; whole pages are taken
 * @phys: its address, written on success only
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL for a size of 0; -PZ_ENOMEM, also when what is found is no whole page, of
 * which 6.12 warns.
 */
int pzl_swiotlb_alloc(struct pzl_swiotlb_dev *dev, uint32_t cpu, uint64_t size, uint64_t *phys);

/**
 * pzl_swiotlb_free - give such memory back (swiotlb_free)
 * @dev: the device
 * @phys: its address
 *
 * Context: any.
 * Return: false when it does not lie in the device's buffers.
 */
bool pzl_swiotlb_free(struct pzl_swiotlb_dev *dev, uint64_t phys);

#ifdef __cplusplus
}
#endif

#endif
