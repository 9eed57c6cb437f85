/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.h - memory for devices: what each reaches, and coherent buffers there.
 *
 * A device sees memory through its buses. From its masks, the limits of the buses and their windows
 * comes its reach set, once; whatever is allocated for it or handed to it is held against that set.
 * No zone is asked: one exact request for each window serves any limit.
 *
 * The parts: this header has the layer, devices and coherent buffers; dma_map.h has streaming
 * mappings and scatter lists, bounce.h the bounce buffers behind them, dma_pool.h small coherent
 * objects, dma_debug.h the checks of how a driver uses all of it. docs/design/dma.md has the
 * argument.
 *
 * Units: bytes. A bus address is what the device puts on its bus; it is 64 bits wide here.
 * Concurrency: allocating, freeing, mapping and syncing work from any context and on any number of
 * CPUs at once, unless a function says otherwise; @cpu is as in page.h. Devices are made, changed
 * and destroyed one at a time, and not while they are in use.
 * Source followed: docs/facts/dma.md, sections 1 to 3 and 5.
 */
#ifndef PHYSZONE_DMA_H
#define PHYSZONE_DMA_H

#include <physzone/contig.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Who writes, by Linux's numbers. */
enum pz_dma_dir {
	PZ_DMA_BIDIRECTIONAL,
	PZ_DMA_TO_DEVICE,
	PZ_DMA_FROM_DEVICE,
	PZ_DMA_NONE,
};

/* Wishes for one buffer or mapping, by Linux's numbers. */
#define PZ_DMA_WEAK_ORDERING 0x2u
#define PZ_DMA_WRITE_COMBINE 0x4u      /* a remapped or uncached buffer combines writes */
#define PZ_DMA_NO_KERNEL_MAPPING 0x10u /* the CPU will not look at it: no address, not zeroed */
#define PZ_DMA_SKIP_CPU_SYNC 0x20u     /* the caller has synced: no cache work, no copy */
#define PZ_DMA_FORCE_CONTIGUOUS 0x40u
#define PZ_DMA_SINGLE_PAGES 0x80u /* better single pages than to move others out of the way */
#define PZ_DMA_NO_WARN 0x100u	  /* a failure is not told */
#define PZ_DMA_PRIVILEGED 0x200u
#define PZ_DMA_ATTRS 0x3f6u

#define PZ_DMA_ERROR UINT64_MAX /* a bus address that is none */
#define PZ_DMA_NO_CMA UINT32_MAX

struct pz_dma;	     /* the DMA layer of one machine */
struct pz_dma_dev;   /* a device */
struct pz_dma_debug; /* dma_debug.h */
struct pz_bounce;    /* bounce.h */

/*
 * What the machine does for the layer. @direct is needed wherever memory is touched; each of the
 * others may be NULL where no device asks for what it does.
 */
struct pz_dma_hooks {
	/* The address of directly mapped memory, NULL when a part is not (high memory). Any
	 * context. Where page 0 is managed and its address is NULL, it counts as not mapped: the
	 * layer gives out other pages, and what is mapped there for a device that does not reach it
	 * is copied through @window. */
	void *(*direct)(void *ctx, uint64_t phys, uint64_t bytes);
	/* Map a part of one page that is not directly mapped, for a copy; and unmap. Any context.
	 */
	void *(*window)(void *ctx, uint64_t phys, uint64_t bytes);
	void (*unwindow)(void *ctx, void *p, uint64_t bytes);
	/* Map pages in a row, as devices that are not coherent need it, or because they are not
	 * directly mapped: with PZ_DMA_WRITE_COMBINE so, else uncached. NULL on failure. May block.
	 */
	void *(*remap)(void *ctx, uint64_t phys, uint64_t bytes, uint32_t attrs, bool cached);
	void (*unmap)(void *ctx, void *p, uint64_t bytes);
	/* An uncached alias of directly mapped memory. Any context. */
	void *(*uncached)(void *ctx, void *p, uint64_t bytes);
	/* Share memory with devices that cannot read what is private (encrypted), or make it
	 * private again: 0, or a negative error number: then its state is not known. May block. */
	int (*share)(void *ctx, uint64_t phys, uint64_t bytes, bool shared);
	/* Cache maintenance: before a device looks at memory, and before the CPU does. Any context.
	 */
	void (*for_device)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir);
	void (*for_cpu)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir);
	/* There is work for pz_dma_work(): pools to fill. Any context. */
	void (*work)(void *ctx);
	/* For accounts of who holds what: a time, and who calls. Any context. */
	uint64_t (*now)(void *ctx);
	uint64_t (*site)(void *ctx);
	void *ctx;
};

struct pz_dma_config {
	struct pz_pages *pages;	    /* must outlive the layer */
	const struct pz_meta *meta; /* must outlive the layer */
	struct pz_bugs *bugs;	    /* misuse is told here; may be NULL */
	struct pz_faults *faults;   /* fault points "dma.*" are added to it; may be NULL */
	uint32_t cpus;		    /* indices that callers use, at least 1 */
	/* What the direct hook knows at most; a last address of 0 for everything. Buffers that must
	 * be directly mapped are looked for there alone. */
	struct pz_range direct;
	/* A bit of bus addresses that says that memory is private (encrypted); 0 for none. A device
	 * that cannot drive it must be given shared memory. Masks and limits of buses are of
	 * addresses that bear it. */
	uint64_t private_bit;
	uint32_t cma; /* contiguous area of devices that have none of their own, or PZ_DMA_NO_CMA */
	/* Bytes that a pool for atomic contexts holds at first; 0 for a 8192nd of memory, 128 KiB
	 * at least; UINT64_MAX for no such pools. */
	uint64_t pool_bytes;
	/* Each CPU keeps, for each device, the page that it freed last: a buffer of a page then
	 * takes no locked operation, but the page is lost to others until the device goes, its
	 * masks are set, or pz_dma_drain(). Only for what is directly mapped as it is. */
	bool hold;
	struct pz_bounce *bounce;   /* bounce buffers of the machine, or NULL */
	struct pz_dma_debug *debug; /* checks how drivers use the layer, or NULL */
	struct pz_dma_hooks hooks;
};

/**
 * pz_dma_create - make the DMA layer of a machine
 * @out: the layer, written on success only
 * @cfg: what it is made from; copied
 *
 * Context: calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM, -PZ_ENOSPC when the set of fault points
 * has no room; nothing is held on error.
 */
int pz_dma_create(struct pz_dma **out, const struct pz_dma_config *cfg);

/**
 * pz_dma_destroy - give the layer back
 * @dma: the layer, or NULL; nobody uses it any more
 *
 * Context: may block; calls the metadata hook.
 * Return: 0, or -PZ_EBUSY while it has devices: nothing has changed then.
 */
int pz_dma_destroy(struct pz_dma *dma);

/* A region of memory that is one device's own, or shared by those that name it. */
struct pz_dma_region {
	struct pz_range phys; /* whole pages, not managed by the page allocator */
	void *cpu_addr;	      /* where the CPU sees it, or NULL to map it by the remap hook */
};

/*
 * A device. Build it with pz_dma_dev_init(), which makes an ordinary one: 32 bits, coherent,
 * bus addresses are physical addresses.
 */
struct pz_dma_dev_config {
	const char *name;	/* kept, not copied */
	const char *driver;	/* kept, not copied; NULL for none */
	uint64_t mask;		/* highest bus address of streaming mappings: any number */
	uint64_t coherent_mask; /* highest bus address of coherent buffers */
	uint64_t bus_limit;	/* highest address that a bus on the way lets through; 0 for none */
	/* What the buses translate (dma-ranges); 0 windows: bus addresses are physical ones. */
	const struct pz_window *windows; /* copied */
	uint32_t window_count;
	const struct pz_range *holes; /* physical memory that it must not be told about; copied */
	uint32_t hole_count;
	uint64_t align;	    /* of what it is given, on the bus: a power of two, at least 1 */
	uint64_t boundary;  /* what it is given does not cross a multiple of it; 0 for none */
	uint64_t keep_mask; /* low bits of an address that a bounce buffer keeps (min_align_mask) */
	uint64_t max_segment;  /* bytes of an element of a mapped scatter list; 0 for any */
	uint32_t max_segments; /* elements of a mapped scatter list; 0 for any */
	bool coherent;	       /* it sees what the CPU wrote without cache maintenance */
	bool shared;	       /* it sees shared (not encrypted) memory only */
	bool force_bounce;     /* all streaming mappings go through bounce buffers */
	bool atomic;	       /* it allocates in contexts that may not block: keep a pool for it */
	int32_t nid;	       /* its node; PZ_NID_NONE, or one that is not there: none */
	uint32_t cma;	       /* its own contiguous area, or PZ_DMA_NO_CMA for the layer's */
	const struct pz_dma_region *region; /* coherent buffers come from here alone; or NULL */
	struct pz_bounce *restricted;	    /* all it sees is in these bounce buffers; or NULL */
};

/**
 * pz_dma_dev_init - the description of an ordinary device
 * @cfg: filled in
 * @name: its name
 * @bits: address lines that it drives, 1 to 64; more count as 64, 0 as 1
 *
 * Context: any.
 */
void pz_dma_dev_init(struct pz_dma_dev_config *cfg, const char *name, unsigned int bits);

/**
 * pz_dma_dev_create - make a device known
 * @out: the device, written on success only
 * @dma: the layer
 * @cfg: what it is made from; copied
 *
 * Masks are not judged here but where they are set; a device that reaches nothing can be made.
 * Its pool for atomic contexts is filled, as far as memory can be had.
 *
 * Context: may block; calls the metadata hook, the page allocator's, remap and share.
 * Return: 0; -PZ_EINVAL when @cfg is malformed, names no contiguous area, or a region that has
 * managed pages or cannot be mapped; -PZ_EEXIST when two windows contradict each other, or its
 * region overlaps another that is not the same; -PZ_EOVERFLOW when a window wraps; -PZ_ENOMEM;
 * nothing is held on error.
 */
int pz_dma_dev_create(struct pz_dma_dev **out, struct pz_dma *dma,
		      const struct pz_dma_dev_config *cfg);

/**
 * pz_dma_dev_destroy - forget a device
 * @dev: the device, or NULL
 *
 * Context: may block; calls the metadata hook.
 * Return: 0, or -PZ_EBUSY while buffers or mappings are out: how many is told to pz_bug(), and
 * nothing has changed. Mappings that are not bounced are known with pz_dma_config.debug only.
 */
int pz_dma_dev_destroy(struct pz_dma_dev *dev);

/**
 * pz_dma_set_mask - say what addresses streaming mappings of a device may have
 * @dev: the device; not in use
 * @mask: its highest bus address; need not be a power of two less one
 *
 * Context: may block; calls the metadata hook.
 * Return: 0; -PZ_ERANGE when neither managed memory nor bounce buffers that it may use, for a
 * restricted device those alone, could ever serve it; -PZ_EBUSY while mappings are out, or coherent
 * buffers that the device would need shared from now on, or no longer; -PZ_ENOMEM; the mask is as
 * it was then.
 */
int pz_dma_set_mask(struct pz_dma_dev *dev, uint64_t mask);

/**
 * pz_dma_set_coherent_mask - say what addresses coherent buffers of a device may have
 * @dev: the device; not in use
 * @mask: its highest bus address; need not be a power of two less one
 *
 * A device with a region of its own is served from there, so that is what is asked then.
 *
 * Context: may block; calls the metadata hook.
 * Return: as pz_dma_set_mask(), with buffers in place of mappings.
 */
int pz_dma_set_coherent_mask(struct pz_dma_dev *dev, uint64_t mask);

/**
 * pz_dma_set_masks - set both masks, or neither
 * @dev: the device; not in use
 * @mask: the highest bus address
 *
 * Context: may block; calls the metadata hook.
 * Return: as pz_dma_set_mask().
 */
int pz_dma_set_masks(struct pz_dma_dev *dev, uint64_t mask);

/**
 * pz_dma_required_mask - the mask that reaches all memory
 * @dev: the device
 *
 * Context: any.
 * Return: 2^n - 1 that covers the bus address of the last managed page that a window has, with the
 * bit that says that it is private.
 */
uint64_t pz_dma_required_mask(const struct pz_dma_dev *dev);

/**
 * pz_dma_limited - whether some managed memory is out of the reach of streaming mappings
 * @dev: the device
 *
 * Context: any.
 * Return: true when it is.
 */
bool pz_dma_limited(const struct pz_dma_dev *dev);

/**
 * pz_dma_reach - what a device reaches
 * @dev: the device
 * @coherent: by coherent buffers, else by streaming mappings
 *
 * Context: any.
 * Return: the reach set; valid until a mask is set or the device is destroyed.
 */
const struct pz_reach *pz_dma_reach(const struct pz_dma_dev *dev, bool coherent);

/* Where a buffer came from. */
enum pz_dma_from {
	PZ_DMA_FROM_PAGES,
	PZ_DMA_FROM_CMA,
	PZ_DMA_FROM_REGION,
	PZ_DMA_FROM_ATOMIC,
	PZ_DMA_FROM_BOUNCE,
};

/* A coherent buffer. */
struct pz_dma_buf {
	void *cpu_addr; /* NULL with PZ_DMA_NO_KERNEL_MAPPING */
	uint64_t bus;
	uint64_t phys;
	uint64_t size; /* as it was asked for */
	uint32_t attrs;
	uint8_t from;	 /* enum pz_dma_from */
	uint8_t mapped;	 /* what was done to the memory; the layer's */
	uint16_t serial; /* which use of its record; the layer's */
	uint32_t record; /* of what is scarce; the layer's */
	uint8_t dir;	 /* enum pz_dma_dir, of pz_dma_alloc_pages() */
};

/**
 * pz_dma_alloc - allocate a coherent buffer
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_BLOCK, PZ_GFP_HIGH, PZ_GFP_NORETRY, PZ_GFP_NOMIGRATE, PZ_GFP_MEMALLOC; mobility
 * makes no sense
 * @attrs: PZ_DMA_*
 * @size: bytes; whole pages are taken
 * @buf: the buffer, written on success only
 *
 * Zeroed, physically contiguous, its bus address aligned to its size rounded up to a power of two
 * pages, or to what the device wants if that is more; in a contiguous area that has no such place,
 * to 1 MiB. One exact request for each window of the device; what needs mapping or sharing is
 * served from an atomic pool when the context may not block, and so is the rest, if the device has
 * a pool, when there are no pages. Whoever may not block never waits.
 *
 * A contiguous area is asked first by whoever may block: the device's own, or for more than a page
 * the layer's; not with PZ_DMA_SINGLE_PAGES or PZ_GFP_NOMIGRATE. A region is asked alone.
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks, remap, share and the metadata
 * hook.
 * Return: 0; -PZ_EINVAL for a size of 0, unknown flags or attributes; -PZ_ERANGE when it could
 * never be had, in this context; -PZ_ENOMEM; -PZ_EBUSY as pz_page_request().
 */
int pz_dma_alloc(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs, uint64_t size,
		 struct pz_dma_buf *buf);

/**
 * pz_dma_free - free a coherent buffer
 * @dev: the device that it was allocated for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @buf: the buffer, as pz_dma_alloc() gave it
 *
 * Misuse is told to pz_bug() and changes nothing: a buffer that is free, or none of the device's.
 * Memory that cannot be made private again is leaked, and counted by pz_dma_lost().
 *
 * Context: any when the buffer was neither remapped nor shared, or came from an atomic pool; else
 * may block.
 */
void pz_dma_free(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf);

/**
 * pz_dma_drain - give back what is kept for a device by pz_dma_config.hold
 * @dev: the device
 * @cpu: the CPU whose page it is; the calling one, or one that does not use the device meanwhile
 *
 * Context: any.
 * Return: pages that became free.
 */
uint64_t pz_dma_drain(struct pz_dma_dev *dev, uint32_t cpu);

/* An element of a scatter list. */
struct pz_sg {
	uint64_t phys, len;    /* memory */
	uint64_t bus, bus_len; /* what the device is told; filled in when it is mapped */
};

/**
 * pz_dma_alloc_pages - allocate memory that a device reaches, to be synced by the streaming calls
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_dma_alloc()
 * @dir: who will write
 * @size: bytes; whole pages are taken
 * @buf: the buffer, mapped, written on success only
 *
 * Ordinary cached memory, zeroed, always directly mapped.
 *
 * Context: as pz_dma_alloc().
 * Return: as pz_dma_alloc().
 */
int pz_dma_alloc_pages(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, enum pz_dma_dir dir,
		       uint64_t size, struct pz_dma_buf *buf);

/**
 * pz_dma_free_pages - free what pz_dma_alloc_pages() gave
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @buf: the buffer
 *
 * Context: as pz_dma_free().
 */
void pz_dma_free_pages(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_dma_buf *buf);

/**
 * pz_dma_alloc_noncontiguous - allocate memory that a device reaches, in pieces
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_dma_alloc()
 * @attrs: PZ_DMA_SINGLE_PAGES or 0
 * @size: bytes; whole pages are taken
 * @sg: the pieces, mapped; on error what it has means nothing
 * @cap: room for pieces
 * @n: pieces, written on success only
 *
 * As few pieces as are found quickly, none above the device's largest segment; not from contiguous
 * areas.
 *
 * Context: as pz_dma_alloc().
 * Return: as pz_dma_alloc(), and -PZ_ENOSPC when it would take more than @cap pieces, or more than
 * the device takes.
 */
int pz_dma_alloc_noncontiguous(struct pz_dma_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
			       uint64_t size, struct pz_sg *sg, uint32_t cap, uint32_t *n);

/**
 * pz_dma_free_noncontiguous - free what pz_dma_alloc_noncontiguous() gave
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @sg: the pieces
 * @n: how many
 *
 * Context: as pz_dma_free().
 */
void pz_dma_free_noncontiguous(struct pz_dma_dev *dev, uint32_t cpu, const struct pz_sg *sg,
			       uint32_t n);

/**
 * pz_dma_work - do what had to wait for a context that may block
 * @dma: the layer
 * @cpu: the calling CPU, or PZ_CPU_NONE
 *
 * Fills atomic pools that ran low and gives back what they have had too much of. One caller at a
 * time; a second one does nothing. Atomic contexts ask for it through the work hook.
 * Also gives back pools of pz_dma_config.bounce that were made on the spot, are not in use and were
 * not looked at since it was last called. Nobody asks for that, so call it now and then. Bounce
 * buffers of restricted devices are for whoever made them to trim.
 *
 * Context: may block.
 * Return: true when something changed.
 */
bool pz_dma_work(struct pz_dma *dma, uint32_t cpu);

/* A pool for atomic contexts: one for each distinct reach of devices that need it. */
struct pz_dma_pool_stat {
	struct pz_range span; /* lowest and highest physical address that it may have */
	uint32_t devices;
	bool possible; /* some managed memory could serve it */
	uint64_t bytes, free;
	uint64_t low;	  /* pz_dma_work() fills it up below this */
	uint64_t largest; /* longest run that is free */
	uint64_t allocs, fails;
};

/**
 * pz_dma_pool_stats - the pools for atomic contexts
 * @dma: the layer
 * @out: room for @cap pools
 * @cap: room
 *
 * Context: any; exact while nobody allocates.
 * Return: number of pools, also when it exceeds @cap.
 */
uint32_t pz_dma_pool_stats(const struct pz_dma *dma, struct pz_dma_pool_stat *out, uint32_t cap);

/* Who holds a piece of a pool, a region, a contiguous area, or bounce slots. */
struct pz_dma_holder {
	const struct pz_dma_dev *dev; /* NULL: the layer itself */
	uint8_t from;		      /* enum pz_dma_from */
	struct pz_range phys;
	uint64_t since, site; /* as the hooks said, 0 without them */
};

/**
 * pz_dma_holders - visit who holds what that is scarce
 * @dma: the layer
 * @dev: only what this device holds, or NULL for all
 * @fn: called for each until it returns something else than 0
 * @ctx: passed on
 *
 * Pieces of atomic pools, regions and contiguous areas, and bounce slots. Ordinary pages are not
 * recorded; pz_dma_debug has them. What a pool of small objects (dma_pool.h) has is told by where
 * its memory is from, like any other buffer; pz_dma_pool_info() counts its blocks.
 *
 * What a pool itself has of a contiguous area is the layer's: there is no device then.
 *
 * Context: any; what comes or goes meanwhile may be visited or not; with @dev NULL not while
 * devices are made or destroyed.
 * Return: 0, or what @fn returned last.
 */
int pz_dma_holders(struct pz_dma *dma, const struct pz_dma_dev *dev,
		   int (*fn)(void *ctx, const struct pz_dma_holder *h), void *ctx);

/* The numbers of a device. */
struct pz_dma_dev_stat {
	const char *name;
	uint64_t buffers, buffer_bytes; /* coherent, out */
	uint64_t bounced; /* mappings through bounce buffers, out */
	/* All mappings that are known: the bounced ones, as others have no state; with
	 * pz_dma_config.debug all, elements of lists and what pz_dma_alloc_pages() gave too. */
	uint64_t mapped;
};

/**
 * pz_dma_dev_stat - count what a device holds
 * @dev: the device
 * @out: the numbers
 *
 * Context: any; exact while it is not in use. Cost: O(CPUs, slots, records of the debug mode).
 */
void pz_dma_dev_stat(const struct pz_dma_dev *dev, struct pz_dma_dev_stat *out);

/**
 * pz_dma_lost - memory that the layer had to leak
 * @dma: the layer
 *
 * The share hook failed for it, so whether devices can read it is not known.
 *
 * Context: any.
 * Return: bytes.
 */
uint64_t pz_dma_lost(const struct pz_dma *dma);

/**
 * pz_dma_check - verify the layer, its devices and its pools
 * @dma: the layer; nobody uses it meanwhile
 *
 * Context: any. Cost: O(what is out of pools and regions).
 * Return: 0, or the number of the first invariant of src/dma/check.c that does not hold.
 */
int pz_dma_check(const struct pz_dma *dma);

#ifdef __cplusplus
}
#endif

#endif
