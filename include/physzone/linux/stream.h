/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - streaming mappings as Linux's dma-direct makes them, by version: what is handed to the
 * device as it is, what is bounced, what is refused and in which words, and when caches are
 * maintained.
 *
 * A device that does not reach the bounce buffers gets nothing, for they lie where start-up put
 * them: that is Linux's behaviour, not ours. Units, concurrency and hooks are as in swiotlb.h.
 * Source followed: docs/facts/dma.md section 4.
 */
#ifndef PHYSZONE_LINUX_STREAM_H
#define PHYSZONE_LINUX_STREAM_H

#include <physzone/linux/slab.h>
#include <physzone/linux/swiotlb.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A device and what its kernel knows of it. */
struct pzl_stream {
	struct pzl_swiotlb_dev dev;
	uint64_t low_first; /* first byte of memory: with 32-bit addresses nothing lies below */
	/* 6.12, CONFIG_DMA_BOUNCE_UNALIGNED_KMALLOC: kmalloc() of the kernel, whose small objects
	 * share a cache line with others; NULL without. */
	const struct pzl_kmalloc *kmalloc;
	uint32_t dma_align;  /* ARCH_DMA_MINALIGN */
	uint32_t cache_line; /* the alignment that the caches of this machine ask for */
	bool limited;	     /* dma_addressing_limited(): some memory is out of its reach */
};

/**
 * pzl_stream_init - an ordinary device
 * @s: filled in
 * @sw: the bounce buffers of the machine
 * @name: its name
 * @bits: address lines that it drives, 1 to 64
 *
 * Context: any.
 */
void pzl_stream_init(struct pzl_stream *s, struct pzl_swiotlb *sw, const char *name,
		     unsigned int bits);

/**
 * pzl_stream_capable - whether a device may use a bus address (dma_capable)
 * @s: the device
 * @bus: the first address, or PZ_DMA_ERROR
 * @size: bytes, at least 1
 * @ram: it is memory
 *
 * Only the last byte is held against mask and bus limit.
 *
 * Context: any.
 * Return: true when it may.
 */
bool pzl_stream_capable(const struct pzl_stream *s, uint64_t bus, uint64_t size, bool ram);

/**
 * pzl_stream_kmalloc_bounces - whether an object of kmalloc() shares cache lines that matter
 * @s: the device
 * @size: bytes mapped
 * @dir: who writes
 *
 * Context: any.
 * Return: true when 6.12 bounces it: a device that is not coherent writes to it, and it neither is
 * large nor fills cache lines.
 */
bool pzl_stream_kmalloc_bounces(const struct pzl_stream *s, uint64_t size, enum pz_dma_dir dir);

/**
 * pzl_stream_map - dma_map_page() and dma_map_single()
 * @s: the device
 * @cpu: the calling CPU
 * @phys: the memory
 * @size: bytes, at least 1
 * @dir: who writes
 * @attrs: PZ_DMA_SKIP_CPU_SYNC and PZ_DMA_NO_WARN count
 *
 * Context: calls the hooks of the bounce buffers.
 * Return: the bus address, or PZ_DMA_ERROR.
 */
uint64_t pzl_stream_map(struct pzl_stream *s, uint32_t cpu, uint64_t phys, uint64_t size,
			enum pz_dma_dir dir, uint32_t attrs);

/**
 * pzl_stream_unmap - dma_unmap_page() and dma_unmap_single()
 * @s: the device
 * @bus: what was mapped
 * @size: as it was mapped
 * @dir: as it was mapped
 * @attrs: with PZ_DMA_SKIP_CPU_SYNC nothing is copied
 *
 * Context: calls the hooks of the bounce buffers.
 */
void pzl_stream_unmap(struct pzl_stream *s, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		      uint32_t attrs);

/**
 * pzl_stream_sync_for_cpu - dma_sync_single_for_cpu()
 * @s: the device
 * @bus: the first address of the part
 * @size: its size
 * @dir: as it was mapped
 *
 * The cache first, then the bounce buffer.
 *
 * Context: calls the hooks of the bounce buffers.
 */
void pzl_stream_sync_for_cpu(struct pzl_stream *s, uint64_t bus, uint64_t size,
			     enum pz_dma_dir dir);

/**
 * pzl_stream_sync_for_device - dma_sync_single_for_device()
 * @s: the device
 * @bus: the first address of the part
 * @size: its size
 * @dir: as it was mapped
 *
 * The bounce buffer first, then the cache.
 *
 * Context: calls the hooks of the bounce buffers.
 */
void pzl_stream_sync_for_device(struct pzl_stream *s, uint64_t bus, uint64_t size,
				enum pz_dma_dir dir);

/**
 * pzl_stream_map_sg - dma_map_sg(), which does not merge
 * @s: the device
 * @cpu: the calling CPU
 * @sg: the elements; bus and bus_len are filled in
 * @n: how many
 * @dir: who writes
 * @attrs: as pzl_stream_map()
 *
 * Context: calls the hooks of the bounce buffers.
 * Return: @n, or 0 when one failed: those before it were unmapped again, without a copy.
 */
uint32_t pzl_stream_map_sg(struct pzl_stream *s, uint32_t cpu, struct pz_sg *sg, uint32_t n,
			   enum pz_dma_dir dir, uint32_t attrs);

/**
 * pzl_stream_unmap_sg - dma_unmap_sg()
 * @s: the device
 * @sg: the elements, as they were mapped
 * @n: how many
 * @dir: as they were mapped
 * @attrs: as pzl_stream_unmap()
 *
 * Context: calls the hooks of the bounce buffers.
 */
void pzl_stream_unmap_sg(struct pzl_stream *s, const struct pz_sg *sg, uint32_t n,
			 enum pz_dma_dir dir, uint32_t attrs);

/**
 * pzl_stream_map_resource - dma_map_resource(): registers of another device
 * @s: the device
 * @phys: their address, which no window translates
 * @size: bytes, at least 1
 *
 * Context: calls the emit hook.
 * Return: the bus address, or PZ_DMA_ERROR.
 */
uint64_t pzl_stream_map_resource(const struct pzl_stream *s, uint64_t phys, uint64_t size);

/**
 * pzl_stream_max_mapping - dma_max_mapping_size()
 * @s: the device
 *
 * Context: any.
 * Return: that of bounce buffers where they are in use for the device, else UINT64_MAX.
 */
uint64_t pzl_stream_max_mapping(const struct pzl_stream *s);

/**
 * pzl_stream_need_sync - dma_need_sync()
 * @s: the device
 * @bus: a mapping
 *
 * Context: any.
 * Return: true when syncs of it do something: the device is not coherent, or it was bounced.
 */
bool pzl_stream_need_sync(const struct pzl_stream *s, uint64_t bus);

#ifdef __cplusplus
}
#endif

#endif
