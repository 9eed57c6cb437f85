/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.h - memory for devices behind an IOMMU: any memory, at addresses that they reach.
 *
 * A domain is a set of translation tables and a space of I/O virtual addresses. Whatever is handed
 * to a device of the domain gets addresses there, in a row, however it is scattered and wherever
 * it lies; so a device of 32 address lines reaches all memory, and nothing is bounced.
 *
 * An address is used again only when the IOMMU's caches have forgotten it. A strict domain flushes
 * what was unmapped at once; a lazy one lets addresses wait, on a queue of each CPU, until a flush
 * of everything serves them all. Until then the device may still get at the memory. A coherent
 * buffer's memory is given back after a flush in both.
 *
 * Whole granules are mapped: a device gets at what shares one with a buffer, too.
 *
 * Units: bytes; a bus address is an iova. Concurrency: mapping, unmapping, allocating, freeing,
 * syncing, looking up and flushing work from any context and on any number of CPUs at once, as far
 * as the tables (v7s.h) do; @cpu is as in page.h. Domains and devices are made, changed and
 * destroyed one at a time.
 * docs/design/iommu_domain.md has the argument.
 */
#ifndef PHYSZONE_IOMMU_H
#define PHYSZONE_IOMMU_H

#include <physzone/dma.h>
#include <physzone/iova.h>
#include <physzone/v7s.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pz_iommu;     /* a domain */
struct pz_iommu_dev; /* a device in it */

/* What the machine does for a domain; each may be NULL where nothing asks for what it does. */
struct pz_iommu_hooks {
	/* As in struct pz_dma_hooks. */
	void *(*direct)(void *ctx, uint64_t phys, uint64_t bytes);
	void (*for_device)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir);
	void (*for_cpu)(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir);
	/* Map a buffer for the CPU in a row, cached or not: pz_iommu_phys() says where each page
	 * is. NULL on failure. May block. */
	void *(*view)(void *ctx, const struct pz_iommu *d, uint64_t bus, uint64_t bytes,
		      uint32_t attrs, bool cached);
	void (*unview)(void *ctx, void *p, uint64_t bytes);
	void *ctx;
};

/* Addresses that are not for buffers. */
struct pz_iommu_window {
	struct pz_range iova;
	uint64_t phys; /* where the first one leads; equal to it: an identity window */
	uint32_t prot; /* PZ_IOMMU_*; 0: it leads nowhere, and @phys means nothing */
};

struct pz_iommu_config {
	/* The tables. Their meta, zeroed, bugs and faults are the domain's too; tlb.add is the
	 * domain's, and must be NULL. */
	struct pz_v7s_config tables;
	/* Forget the pages [@iova, @iova + @size), of @granule bytes or more each, now; called with
	 * tlb.ctx, as the hooks there. NULL: flush_walk does, and where that is NULL flush_all,
	 * which does for a flush_walk of tables, too. */
	void (*flush)(void *ctx, uint64_t iova, uint64_t size, uint32_t granule);
	struct pz_range space; /* addresses for buffers; a last one of 0: all that tables.ias has */
	uint32_t shift;	       /* log2 of a granule; 0 for the smallest page of the tables */
	const struct pz_iommu_window *windows; /* as pz_iommu_add_window() takes them */
	uint32_t window_count;
	struct pz_pages *pages; /* memory of coherent buffers; NULL: there are none */
	struct pz_range direct; /* as in pz_dma_config */
	uint32_t cpus;		/* indices that callers use, at least 1 */
	bool lazy; /* takes tlb.flush_all, where anything must be flushed */
	struct pz_iommu_hooks hooks;
};

/**
 * pz_iommu_create - make a domain in which nothing but its windows is mapped
 * @out: the domain, written on success only
 * @cfg: what it is made from; copied
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of tables
 * @why: on an error but -PZ_ENOMEM what is wrong, a static text; may be NULL
 *
 * Context: may block; calls the metadata hooks and the provider of tables.
 * Return: 0; -PZ_EINVAL when @cfg is malformed; as pz_v7s_create(), pz_iova_create() and
 * pz_iommu_add_window(); nothing is held on error.
 */
int pz_iommu_create(struct pz_iommu **out, const struct pz_iommu_config *cfg, uint32_t cpu,
		    uint32_t gfp, const char **why);

/**
 * pz_iommu_destroy - give a domain back
 * @d: the domain, or NULL; nobody uses it any more
 * @cpu: the calling CPU, or PZ_CPU_NONE
 *
 * Context: may block; flushes, calls the metadata hooks and the provider of tables.
 * Return: 0, or -PZ_EBUSY while it has devices, or buffers or mappings are out: told to pz_bug(),
 * and nothing but what waited for a flush has changed.
 */
int pz_iommu_destroy(struct pz_iommu *d, uint32_t cpu);

/**
 * pz_iommu_tables - the tables of a domain
 * @d: the domain
 *
 * To look at, and for what the IOMMU's registers are to hold: pz_v7s_regs().
 *
 * Context: any.
 * Return: the tables.
 */
const struct pz_v7s *pz_iommu_tables(const struct pz_iommu *d);

/**
 * pz_iommu_add_window - set addresses aside, and map them if they lead anywhere
 * @d: the domain
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of tables
 * @w: the window; copied. One that is mapped is made of whole granules
 *
 * For what a device finds there by itself: a framebuffer that firmware set up, doorbells. Windows
 * stay until the domain goes; one that is there already is no error.
 *
 * Context: may block; calls the metadata hook. One at a time.
 * Return: 0; -PZ_EINVAL when it is malformed; -PZ_EBUSY when a part of it is in use; -PZ_EEXIST
 * when it overlaps another; -PZ_ENOMEM; as pz_v7s_map(); nothing has changed on error.
 */
int pz_iommu_add_window(struct pz_iommu *d, uint32_t cpu, uint32_t gfp,
			const struct pz_iommu_window *w);

/* A device. Build it with pz_iommu_dev_init(). */
struct pz_iommu_dev_config {
	const char *name;      /* kept, not copied */
	uint64_t mask;	       /* highest bus address: any number */
	uint64_t boundary;     /* as in pz_dma_dev_config */
	uint64_t max_segment;  /* the same */
	uint32_t max_segments; /* the same */
	bool coherent;	       /* the same */
};

/**
 * pz_iommu_dev_init - the description of an ordinary device: coherent, without wishes
 * @cfg: filled in
 * @name: its name
 * @bits: address lines that it drives, 1 to 64; more count as 64, 0 as 1
 *
 * Context: any.
 */
void pz_iommu_dev_init(struct pz_iommu_dev_config *cfg, const char *name, unsigned int bits);

/**
 * pz_iommu_attach - put a device into a domain
 * @out: the device, written on success only
 * @d: the domain
 * @cfg: what it is; copied
 *
 * Context: calls the metadata hook.
 * Return: 0; -PZ_EINVAL when @cfg is malformed; -PZ_ERANGE when it reaches no address of the
 * domain; -PZ_ENOMEM.
 */
int pz_iommu_attach(struct pz_iommu_dev **out, struct pz_iommu *d,
		    const struct pz_iommu_dev_config *cfg);

/**
 * pz_iommu_detach - take a device out of its domain
 * @dev: the device, or NULL; what was mapped or allocated for it has gone
 *
 * Context: calls the metadata hook.
 */
void pz_iommu_detach(struct pz_iommu_dev *dev);

/**
 * pz_iommu_set_mask - say what addresses a device drives
 * @dev: the device; not in use
 * @mask: its highest bus address
 *
 * Context: any.
 * Return: 0, or -PZ_ERANGE when it would reach no address of the domain; as it was then.
 */
int pz_iommu_set_mask(struct pz_iommu_dev *dev, uint64_t mask);

/**
 * pz_iommu_map - hand memory to a device
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of tables
 * @phys: the memory's physical address, of any alignment
 * @size: bytes, at least 1
 * @dir: who will write; with PZ_DMA_TO_DEVICE the device may only read
 * @attrs: PZ_DMA_*
 * @bus: the bus address, written on success only
 *
 * Context: any. With PZ_GFP_BLOCK calls the hooks of the provider's allocator.
 * Return: 0; -PZ_EINVAL for a size of 0, memory that wraps, an unknown direction or attribute;
 * -PZ_ERANGE when the tables cannot lead to the memory, or the device never reaches so many
 * addresses, or its boundary is too narrow; -PZ_ENOMEM; what the provider of tables says. Nothing
 * is mapped on error.
 */
int pz_iommu_map(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint64_t phys, uint64_t size,
		 enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);

/**
 * pz_iommu_unmap - take memory back
 * @dev: the device that it was mapped for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @bus: its bus address
 * @size: its size
 * @dir: its direction
 * @attrs: PZ_DMA_SKIP_CPU_SYNC when what the device wrote is not wanted
 *
 * Misuse is told to pz_bug() and changes nothing: what is not mapped, begins elsewhere, or has
 * another size.
 *
 * Context: any.
 */
void pz_iommu_unmap(struct pz_iommu_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size,
		    enum pz_dma_dir dir, uint32_t attrs);

/**
 * pz_iommu_sync_for_cpu - let the CPU see what a device wrote
 * @dev: the device
 * @bus: a bus address inside a mapping
 * @size: bytes from there on
 * @dir: the mapping's direction
 *
 * Only for devices that are not coherent there is anything to do.
 *
 * Context: any.
 */
void pz_iommu_sync_for_cpu(struct pz_iommu_dev *dev, uint64_t bus, uint64_t size,
			   enum pz_dma_dir dir);

/**
 * pz_iommu_sync_for_device - let a device see what the CPU wrote
 * @dev: the device
 * @bus: a bus address inside a mapping
 * @size: bytes from there on
 * @dir: the mapping's direction
 *
 * Context: any.
 */
void pz_iommu_sync_for_device(struct pz_iommu_dev *dev, uint64_t bus, uint64_t size,
			      enum pz_dma_dir dir);

/**
 * pz_iommu_map_sg - hand scattered memory to a device
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of tables
 * @sg: the elements: phys and len are read; bus and bus_len of the first @mapped are written
 * @n: how many elements
 * @dir: who will write
 * @attrs: PZ_DMA_*
 * @mapped: elements that the device is told, at most @n; written on success only
 *
 * All elements lie in one run of addresses. Those that follow each other there, which takes whole
 * granules, become one, as far as the device's longest segment and its boundary allow. What is
 * behind @mapped has a bus_len of 0.
 *
 * Context: as pz_iommu_map().
 * Return: as pz_iommu_map(), -PZ_EINVAL for an element longer than the device's longest segment,
 * and -PZ_ENOSPC when the device is not told so many. On error nothing is mapped, and @sg's bus
 * addresses mean nothing.
 */
int pz_iommu_map_sg(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, struct pz_sg *sg,
		    uint32_t n, enum pz_dma_dir dir, uint32_t attrs, uint32_t *mapped);

/**
 * pz_iommu_unmap_sg - take scattered memory back
 * @dev: the device that it was mapped for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @sg: the elements as they were mapped
 * @n: how many were given to pz_iommu_map_sg(), not how many came out
 * @dir: their direction
 * @attrs: as for pz_iommu_unmap(), which also says what is misuse
 *
 * Context: any.
 */
void pz_iommu_unmap_sg(struct pz_iommu_dev *dev, uint32_t cpu, const struct pz_sg *sg, uint32_t n,
		       enum pz_dma_dir dir, uint32_t attrs);

/**
 * pz_iommu_sync_sg_for_cpu - pz_iommu_sync_for_cpu() of each element
 * @dev: the device
 * @sg: the elements as they were mapped
 * @n: how many were given to pz_iommu_map_sg()
 * @dir: their direction
 *
 * Context: any.
 */
void pz_iommu_sync_sg_for_cpu(struct pz_iommu_dev *dev, const struct pz_sg *sg, uint32_t n,
			      enum pz_dma_dir dir);

/**
 * pz_iommu_sync_sg_for_device - pz_iommu_sync_for_device() of each element
 * @dev: the device
 * @sg: the elements as they were mapped
 * @n: how many were given to pz_iommu_map_sg()
 * @dir: their direction
 *
 * Context: any.
 */
void pz_iommu_sync_sg_for_device(struct pz_iommu_dev *dev, const struct pz_sg *sg, uint32_t n,
				 enum pz_dma_dir dir);

/**
 * pz_iommu_map_resource - hand another device's registers to a device
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*, of tables
 * @phys: their physical address; no memory
 * @size: bytes, at least 1
 * @dir: who will write
 * @attrs: PZ_DMA_*
 * @bus: the bus address, written on success only
 *
 * Mapped as device memory; no cache work.
 *
 * Context: as pz_iommu_map().
 * Return: as pz_iommu_map().
 */
int pz_iommu_map_resource(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint64_t phys,
			  uint64_t size, enum pz_dma_dir dir, uint32_t attrs, uint64_t *bus);

/**
 * pz_iommu_unmap_resource - take registers back
 * @dev: the device that they were mapped for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @bus: their bus address
 * @size: their size
 *
 * Context: any.
 */
void pz_iommu_unmap_resource(struct pz_iommu_dev *dev, uint32_t cpu, uint64_t bus, uint64_t size);

/* A coherent buffer. */
struct pz_iommu_buf {
	void *cpu_addr; /* NULL with PZ_DMA_NO_KERNEL_MAPPING */
	uint64_t bus;
	uint64_t size; /* as it was asked for */
	uint32_t attrs;
	bool viewed; /* @cpu_addr is the view hook's; the domain's */
};

/**
 * pz_iommu_alloc - allocate a coherent buffer
 * @dev: the device
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: as for pz_dma_alloc(), and of tables
 * @attrs: PZ_DMA_*
 * @size: bytes; whole pages are taken
 * @buf: the buffer, written on success only
 *
 * Pages from anywhere, in a row on the bus, where the buffer is aligned to its size rounded up to a
 * power of two. They are scattered where the CPU need not see them in a row (with
 * PZ_DMA_NO_KERNEL_MAPPING; they are not zeroed then) or the view hook makes it so, for whoever may
 * block; else they are one piece of directly mapped memory. A device that is not coherent needs the
 * view hook.
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks and the view hook.
 * Return: 0; -PZ_EINVAL for a size of 0, unknown flags or attributes, or a domain without pages;
 * -PZ_ERANGE when it could never be had, in this context; -PZ_ENOMEM; -PZ_EBUSY as
 * pz_page_request(); what the provider of tables says. Nothing is held on error.
 */
int pz_iommu_alloc(struct pz_iommu_dev *dev, uint32_t cpu, uint32_t gfp, uint32_t attrs,
		   uint64_t size, struct pz_iommu_buf *buf);

/**
 * pz_iommu_free - free a coherent buffer
 * @dev: the device that it was allocated for
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @buf: the buffer, as pz_iommu_alloc() gave it
 *
 * Misuse is told to pz_bug() and changes nothing: a buffer that is free, or none of the domain's.
 *
 * Context: any, but a buffer that the view hook mapped may block.
 */
void pz_iommu_free(struct pz_iommu_dev *dev, uint32_t cpu, const struct pz_iommu_buf *buf);

/**
 * pz_iommu_phys - what a bus address leads to
 * @d: the domain
 * @bus: the bus address
 * @phys: the physical address, written on success only
 *
 * Context: any.
 * Return: as pz_v7s_lookup().
 */
int pz_iommu_phys(const struct pz_iommu *d, uint64_t bus, uint64_t *phys);

/**
 * pz_iommu_flush - let a lazy domain's addresses wait no longer
 * @d: the domain
 * @cpu: the calling CPU, or PZ_CPU_NONE
 *
 * To be called now and then, so that what was unmapped does not stay within the device's reach when
 * nothing else is unmapped. A queue that is in use just then is left to its user.
 *
 * Context: any.
 * Return: bytes of addresses that became free.
 */
uint64_t pz_iommu_flush(struct pz_iommu *d, uint32_t cpu);

/* The numbers of a domain. */
struct pz_iommu_stat {
	uint32_t devices;
	uint64_t out;	  /* bytes of addresses of mappings and buffers */
	uint64_t waiting; /* bytes of addresses that wait for a flush */
	uint64_t windows; /* bytes of addresses of windows, within the space */
	uint64_t flushes; /* of everything, ever */
	uint64_t queued;  /* unmappings that waited, ever */
};

/**
 * pz_iommu_stat - the numbers of a domain
 * @d: the domain
 * @out: the numbers
 *
 * Context: any; exact while it is not in use.
 */
void pz_iommu_stat(const struct pz_iommu *d, struct pz_iommu_stat *out);

/**
 * pz_iommu_check - verify a domain
 * @d: the domain; nobody uses it meanwhile
 *
 * Context: any. Cost: O(pages mapped, granules).
 * Return: 0, or the number of the first invariant of src/iommu/domain.c that does not hold.
 */
int pz_iommu_check(const struct pz_iommu *d);

#ifdef __cplusplus
}
#endif

#endif
